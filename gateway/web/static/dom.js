// Small things to put into the page and to change there, each touched only when it differs.

import { words } from "./words/words.js";

export const $ = (id) => document.getElementById(id);

export function make(tag, className, ...inside) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...inside);
  return element;
}

export function shape(kind) {
  const element = make("i", "shape");
  element.dataset.shape = kind;
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

// Does `work` with the next frame, once for all that is said until then. A page out of sight has no frames: there it is
// done all the same, as what asks for a glance (the title, the icon, a tone) is for those who do not look.
const due = new Set();
let frame = 0;

export function soon(work) {
  if (!due.size) plan();
  due.add(work);
}

function plan() {
  if (document.hidden) setTimeout(doDue);
  else frame ||= requestAnimationFrame(doDue);
}

function doDue() {
  cancelAnimationFrame(frame);
  frame = 0;
  const works = [...due];
  due.clear();
  for (const work of works) work();
}

document.addEventListener("visibilitychange", () => due.size && plan()); // the frame that was asked for does not come

// A figure that may be unknown: then a dash, with the reason for whoever asks.
export function setFigure(element, value, why) {
  const known = value !== null && value !== undefined;
  if (known) {
    setText(element, value);
  } else if (!element.classList.contains("unknown")) {
    const dash = make("span", "", words.unknown_value);
    dash.ariaHidden = "true";
    element.replaceChildren(dash, make("span", "aloud", words.unknown_aloud));
  }
  element.classList.toggle("unknown", !known);
  element.title = known ? "" : why;
}

// Texts come from the tables of words_*.js: `data-word="join.rules"` names one.
export function putWords() {
  for (const element of document.querySelectorAll("[data-word]")) {
    setText(element, element.dataset.word.split(".").reduce((table, name) => table[name], words));
  }
}
