// What the page says, in whose language, and how numbers and times are written.

export const LANGUAGES = ["en", "nb", "sv"];
export const language = LANGUAGES.find((tag) => tag === document.documentElement.lang) ?? "en"; // as first.js found it

// Of the reader's language alone: each has two files, its words and the gateway's own sentences, which are English.
const inEnglish = language === "en";
const files = [import(`./words_${language}.js`), ...(inEnglish ? [] : [import(`./told_${language}.js`)])];
const tables = (await Promise.all(files)).map((file) => file[language]);
export const words = bare(tables[0]);

// Numbers and times as they are written where the reader is, where the browser says so.
export const locales = [...navigator.languages.filter((tag) => isOne(tag) && tag.split("-")[0] === language), language];
const wholeNumber = new Intl.NumberFormat(locales);
const plural = new Intl.PluralRules(language);
const percentage = new Intl.NumberFormat(locales, { style: "percent" });

// Some systems have a browser ask for "en-US@posix", of which Intl wants to know nothing.
function isOne(tag) {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
}

// A table has what is written in it and nothing else: what comes from a link may ask for "constructor".
function bare(table) {
  for (const inside of Object.values(table)) if (typeof inside === "object") bare(inside);
  return Object.setPrototypeOf(table, null);
}

// A text with the names in braces filled in, numbers as they are written here; of { one, other } that which `n` asks for.
export function fill(text, values) {
  const form = typeof text === "string" ? text : text[plural.select(values.n)] ?? text.other;
  return form.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
}

// The gateway's sentences: whole, or in their parts.
const here = Object.entries(tables[1] ?? {});
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

// A share that is held against a promise is rounded down, as gateway/queues/totals.py does: 79.6 % is not 80.
export function percentMet(share) {
  return percent(Math.floor(share * 100 + 1e-9) / 100);
}

// Seconds since 1970 as a day and a time of this computer's own clock and zone.
const dayAndTime = new Intl.DateTimeFormat(locales, { dateStyle: "medium", timeStyle: "short" });
export function moment(at_s) {
  return dayAndTime.format(at_s * 1000);
}
