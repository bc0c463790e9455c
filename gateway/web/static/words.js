// What the page says, in whose language, and how numbers and times are written.

import { TOLD } from "./told.js";
import { en } from "./words_en.js";
import { nb } from "./words_nb.js";
import { sv } from "./words_sv.js";

export const WORDS = bare({ en, nb, sv });
const NORWEGIAN = ["no", "nn"]; // other tags of those who read bokmål

// The first language the browser asks for that the page has.
const asked = navigator.languages.map((tag) => tag.split("-")[0]);
const tags = asked.map((tag) => (NORWEGIAN.includes(tag) ? "nb" : tag));
export const language = tags.find((tag) => tag in WORDS) || "en";
export const words = WORDS[language];
const wholeNumber = new Intl.NumberFormat(language);
const percentage = new Intl.NumberFormat(language, { style: "percent" });

// A table has what is written in it and nothing else: what comes from a link may ask for "constructor".
function bare(table) {
  for (const inside of Object.values(table)) if (typeof inside === "object") bare(inside);
  return Object.setPrototypeOf(table, null);
}

// A text with the names in braces filled in.
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// The gateway's sentences: whole, or in their parts.
const here = Object.entries(TOLD[language] || {});
const exactly = new Map(here);
const patterns = here.filter(([text]) => text.includes("{")).map(([text, words]) => [
  new RegExp("^" + text.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{(\w+)\}/g, "(?<$1>.+?)") + "$"), words,
]);

// What the gateway says, in the reader's language as far as it is known there.
export function told(text) {
  const known = one(text);
  if (known !== null || !text) return known ?? text;
  for (const between of ["; ", ", "]) {
    if (text.includes(between)) return text.split(between).map((part) => one(part) ?? part).join(between);
  }
  return text;
}

function one(text) {
  if (exactly.has(text)) return exactly.get(text);
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(text);
    if (found) return fill(words, found.groups);
  }
  return null;
}

// Null, unknown, stays null.
export function number(value) {
  return value === null || value === undefined ? null : wholeNumber.format(value);
}

// 47 is 0:47, 3725 is 1:02:05.
export function clock(seconds) {
  if (seconds === null || seconds === undefined) return null;
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const tail = ":" + two(Math.floor(seconds) % 60);
  return minutes < 60 ? minutes + tail : Math.floor(minutes / 60) + ":" + two(minutes % 60) + tail;
}

// 3725 is 1 h 2 min: two units at most.
export function span(seconds) {
  const say = (unit, n) => fill(words.span[unit], { n: Math.floor(n) });
  if (seconds < 60) return say("s", seconds);
  if (seconds < 3600) return say("min", seconds / 60);
  if (seconds < 86400) return `${say("h", seconds / 3600)} ${say("min", (seconds / 60) % 60)}`;
  return `${say("d", seconds / 86400)} ${say("h", (seconds / 3600) % 24)}`;
}

export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// 0.8 is 80 %.
export function percent(share) {
  return percentage.format(share);
}

// Seconds since 1970 as a day and a time of this computer's own clock and zone.
const regions = navigator.languages.filter((tag) => tag.split("-")[0] === language);
const dayAndTime = new Intl.DateTimeFormat([...regions, language], { dateStyle: "medium", timeStyle: "short" });
export function moment(at_s) {
  return dayAndTime.format(at_s * 1000);
}
