// The trend on a queue's card: today's calls with yesterday and last week's same day behind them. Comes after the page.

import { make } from "../dom.js";
import { drop, lineMark, plot } from "./plots.js";
import { fill, number, words } from "../words/words.js";

const AGAIN_MS = 300000;
const SPREAD_MS = 60000; // pages that were opened together do not ask together
const TROUBLE_MS = 30000;
const WAIT_MS = 20000;

// In the order in which they are drawn: today stands before the others.
const LINES = [
  { day: "week_before", colour: "soft", dash: [2, 3] },
  { day: "day_before", colour: "soft" },
  { day: "this", colour: "good", wide: true, fill: true },
];

let queues = []; // { id, place, known }
let asking = 0; // which round of questions is on its way: another plan begins another one

// Follows these queues: `place` is where each trend stands on its card.
export function follow(next, plots) {
  const known = new Map(queues.map((queue) => [queue.id, queue.known]));
  for (const queue of queues) drop(queue.place.canvas);
  queues = next.map(({ id, place }) => ({ id, place: built(place), known: known.get(id) ?? null, plots }));
  for (const queue of queues) if (queue.known) drawTrend(queue);
  askAll(++asking);
}

function built(place) {
  const canvas = make("div", "plot");
  const key = make("ul", "key");
  place.replaceChildren(canvas, key);
  return { whole: place, canvas, key };
}

// One after the other: a browser has but six ways to a gateway, and the news takes one.
async function askAll(round) {
  let wait_ms = AGAIN_MS + Math.random() * SPREAD_MS;
  for (const queue of document.hidden ? [] : queues) {
    const day = await ask(queue.id);
    if (round !== asking) return;
    if (day) drawTrend(Object.assign(queue, { known: day }));
    else wait_ms = TROUBLE_MS;
  }
  setTimeout(() => round === asking && again(round), wait_ms);
}

// A page that nobody looks at asks when it is looked at again.
function again(round) {
  if (!document.hidden) return askAll(round);
  document.addEventListener("visibilitychange", () => round === asking && askAll(round), { once: true });
}

async function ask(id) {
  try {
    const answer = await fetch(`api/queues/${id}/day`, { signal: AbortSignal.timeout(WAIT_MS) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the gateway is away: the page says so
  }
}

function drawTrend({ place: { whole, canvas, key }, known: { clock, running, days }, plots }) {
  const counts = {
    this: days.this.total.joined,
    day_before: until(days.day_before.quarters.joined, running),
    week_before: until(days.week_before.quarters.joined, running),
  };
  whole.hidden = Object.values(counts).every((count) => count === null);
  canvas.hidden = !plots;
  if (whole.hidden) return;
  const order = [...LINES].reverse();
  key.replaceChildren(...order.map((line) => {
    const name = words.trend[line.day];
    const count = number(counts[line.day]);
    const item = make("li", "", lineMark(line), make("b", "", count ?? words.unknown_value), make("span", "", name));
    item.title = fill(words.trend_means[line.day], { n: count ?? words.unknown_aloud });
    return item;
  }));
  canvas.role = "img";
  const aloud = order.map((line) => fill(words.trend_means[line.day], { n: number(counts[line.day]) ?? words.unknown_aloud }));
  canvas.ariaLabel = fill(words.trend_aloud, { lines: aloud.join("; ") });
  if (!plots) return;
  const lines = LINES.map((line) => ({ ...line, values: byHalves(shown(line, days, running)) }));
  plot(canvas, { clock: clock.filter((_, i) => i % 2 === 0), lines, small: true });
}

// The quarter that is under way would look like a fall.
function shown({ day }, days, running) {
  const values = days[day].quarters.joined;
  return day === "this" && running ? values.map((value, i) => (i < running.quarter ? value : null)) : values;
}

// By half hours: so small, quarters of an hour are nothing but noise. Half of one that is known is not drawn.
function byHalves(values) {
  return values.flatMap((value, i) => {
    if (i % 2) return [];
    const next = values[i + 1] ?? null;
    return [value === null || next === null ? null : value + next];
  });
}

// How many had come by this time of that day; all of it where the day is over.
export function until(counts, running) {
  const part = running ? counts.slice(0, running.quarter + 1) : counts;
  if (part.every((count) => count === null)) return null;
  const sum = part.reduce((all, count) => all + (count ?? 0), 0);
  return running ? Math.round(sum - (counts[running.quarter] ?? 0) * (1 - running.share)) : sum;
}
