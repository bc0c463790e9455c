// What the words on the cards mean, and why a figure may be missing: what their titles tell a mouse, for everybody.

import { make } from "../dom.js";
import { fill, number, words } from "../words/words.js";

const NEEDED = [words.desks_needed, words.desks_meaning, words.desks_none];

// For queues with these targets.
export function showMeanings(targets) {
  const box = make("dialog", "meanings");
  const title = make("h2", "", words.meanings);
  title.id = "meanings-title";
  box.setAttribute("aria-labelledby", title.id);
  const close = make("button", "", words.close);
  close.type = "button";
  close.addEventListener("click", () => box.close());
  const short = [...new Set(targets.map((target) => number(target.short_abandon_s)))].join(" / ");
  const figures = Object.entries(words.figure).map(([name, word]) =>
    [word, fill(words.meaning[name], { n: short }), words.no_figure[name]]);
  const rows = [
    NEEDED, [words.service_level, words.level_meaning, words.no_calls], ...figures,
    [words.unknown_value, words.untold],
  ];
  box.append(make("div", "title", title, close), make("dl", "", ...rows.map(drawMeaning)));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}

function drawMeaning([word, meaning, missing]) {
  const why = missing ? [make("br"), make("span", "label", `${words.unknown_value} ${missing}`)] : [];
  return make("div", "", make("dt", "", word), make("dd", "", meaning, ...why));
}
