// Small things to put into the page and to change there, each touched only when it differs.

import { words } from "./words.js";

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
