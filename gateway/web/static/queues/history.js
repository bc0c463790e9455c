// What is kept for good: since when today's figures count, and where to fetch them. That they cannot be is an alarm.

import { $, make } from "../dom.js";
import { fill, words } from "../words/words.js";

let drawn = null;

export function drawHistory(doc) {
  if (JSON.stringify(doc ?? null) === drawn) return;
  drawn = JSON.stringify(doc ?? null);
  const parts = [];
  if (doc?.open === false) parts.push(make("b", "closed", words.closed));
  if (doc?.since) parts.push(make("span", "", fill(words.today, doc)));
  if (doc?.state === "off") parts.push(make("span", "", words.history.off));
  else if (doc) parts.push(csv(doc.day));
  $("kept").replaceChildren(...parts.map((part) => make("li", "", part)));
}

// What is kept of this day by quarters of an hour, where it is known which day it is, and of all days.
function csv(day) {
  const quarters = day ? [file(words.csv.quarter, `by=quarter&from=${day}`), " · "] : [];
  return make("span", "", "CSV: ", ...quarters, file(words.csv.day, "by=day"));
}

function file(text, asked) {
  const link = make("a", "", text);
  link.href = "api/history.csv?" + asked;
  link.download = "";
  link.ariaLabel = `CSV: ${text}`;
  return link;
}
