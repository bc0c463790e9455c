// One queue's figures of today: a compact list in two columns, and what of today was not seen.

import { make, setFigure } from "../dom.js";
import { clock, fill, number, percent, span, words } from "../words/words.js";

// What became of the callers, and how it went; each with how it is written.
const COLUMNS = [
  {
    joined: number, answered: number, abandoned: number, timed_out: number,
    left_by_key: number, left: number, vanished: number,
  },
  { asa_s: clock, worst_wait_s: clock, aht_s: clock, abandon_rate_pct: share, occupancy_pct: share },
];
const RARE = ["left", "vanished"]; // shown where there are some, or where their number alone is not told

function share(pct) {
  return pct === null ? null : percent(pct / 100);
}

export function buildToday(target) {
  const figures = {};
  const columns = COLUMNS.map((column) => make("dl", "", ...Object.keys(column).map((what) => {
    figures[what] = make("dd", "");
    const term = make("dt", "", words.figure[what]);
    term.title = fill(words.meaning[what], { n: target.short_abandon_s });
    return make("div", "", term, figures[what]);
  })));
  return { list: make("div", "today", ...columns), figures, ...buildGaps(make("div", "gaps")) };
}

// Where drawUnseen puts what was not seen.
export function buildGaps(gaps) {
  gaps.hidden = true;
  return { gaps, drawn: "[]" };
}

// What the words mean, on asking: of queues with these targets.
export function offerMeanings(button, targets) {
  button.ariaLabel = button.title = words.meanings;
  button.onclick = async () => (await import("./meanings.js")).showMeanings(targets);
}

export function drawToday({ figures }, doc, why) {
  for (const [what, write] of COLUMNS.flatMap((column) => Object.entries(column))) {
    const value = doc?.[what] ?? null;
    setFigure(figures[what], write(value), why || words.no_figure[what] || words.untold);
    figures[what].parentElement.hidden = RARE.includes(what) && (why !== "" || value === 0);
  }
}

// The worst wait grows with the longest one, between two words from the gateway.
export function drawWorst({ figures }, worst_s, why) {
  setFigure(figures.worst_wait_s, clock(worst_s), why || words.no_figure.worst_wait_s || words.untold);
}

// The stretches in which the queue was not seen: one in a line, several in a line that opens.
export function drawUnseen(today, gaps) {
  if (JSON.stringify(gaps) === today.drawn) return;
  today.drawn = JSON.stringify(gaps);
  today.gaps.hidden = gaps.length === 0;
  const told = gaps.map((gap) => ({ ...gap, span: span(gap.unseen_s) }));
  if (gaps.length < 2) {
    today.gaps.replaceChildren(...told.map((gap) => make("p", "", fill(words.gap, gap))));
    return;
  }
  const all_s = gaps.reduce((sum, gap) => sum + gap.unseen_s, 0);
  const lines = told.map((gap) => fill(words.gap_line, gap));
  const sum = make("summary", "", fill(words.gaps, { span: span(all_s), n: number(gaps.length) }));
  sum.title = lines.join("\n");
  const list = make("ul", "", ...lines.map((text) => make("li", "", text)));
  today.gaps.replaceChildren(make("details", "", sum, list));
}
