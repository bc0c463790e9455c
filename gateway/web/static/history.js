// What is kept for good: since when today's figures count, whether they are kept, and where to fetch them.

import { $, make, setData, shape } from "./dom.js";
import { fill, words } from "./words.js";

const SHAPE = { waits: "bars", failed: "triangle" }; // the states worth a line across the page

let drawn = null;

export function drawHistory(doc) {
  if (JSON.stringify(doc ?? null) === drawn) return;
  drawn = JSON.stringify(doc ?? null);
  drawKeeping(doc?.state, doc?.reason);
  const parts = [];
  if (doc?.open === false) parts.push(make("b", "closed", words.closed));
  if (doc?.since) parts.push(make("span", "", fill(words.today, doc)));
  if (doc?.state === "off") parts.push(make("span", "", words.history.off));
  else if (doc) parts.push(csv(doc.day));
  $("kept").replaceChildren(...parts.map((part) => make("li", "", part)));
}

// Calm while the clock is awaited, which passes by itself; a warning where the store fails, which does not.
function drawKeeping(state, reason) {
  const box = $("keeping");
  const mark = SHAPE[state];
  setData(box, "state", mark ? state : "");
  box.title = state === "waits" ? reason : "";
  box.replaceChildren(...(mark ? [shape(mark), fill(words.history[state], { reason })] : []));
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
  return link;
}
