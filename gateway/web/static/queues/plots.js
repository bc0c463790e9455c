// Plots of a queue's day, by quarters of an hour. uPlot draws them; it is fetched when the first one is wanted.

import { make } from "../dom.js";

const LIB = new URL("../lib/", import.meta.url);
const TIMES_APART = 58; // px, at least, between two times of the clock under a plot
const VALUES_APART = 34;
const HOURS = [1, 2, 3, 4, 6, 8, 12];

const live = new Map(); // the place of each plot → what to draw there, and what is drawn
let library = null;
let probe = null;

// uPlot, or null where it cannot be had.
export function load() {
  library ??= Promise.all([
    come(Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("uPlot.min.css", LIB) })),
    come(Object.assign(document.createElement("script"), { src: new URL("uPlot.iife.min.js", LIB) })),
  ]).then((came) => (came.every(Boolean) ? window.uPlot : null));
  return library;
}

function come(element) {
  return new Promise((resolve) => {
    element.addEventListener("load", () => resolve(true));
    element.addEventListener("error", () => resolve(false));
    document.head.append(element);
  });
}

// Lines as { name, values, colour, dash, wide, fill, step }; values one a time of `clock`, null where nothing is known.
// `small`: nothing but the lines. `write` puts a value into words, `most` is what the scale reaches at least, `least`
// and `up` are its steps. `point` is told which quarter the pointer is at, null when it has gone.
export async function plot(place, asked) {
  const UPlot = await load();
  if (!UPlot) return;
  const before = live.get(place);
  const written = JSON.stringify(asked);
  if (before?.written === written) return;
  if (!before) sizes.observe(place);
  live.set(place, { asked, written, drawn: before?.drawn });
  draw(place, UPlot);
}

export function drop(place) {
  sizes.unobserve(place);
  live.get(place)?.drawn?.destroy();
  live.delete(place);
}

function draw(place, UPlot = window.uPlot) {
  const one = live.get(place);
  one.drawn?.destroy();
  one.drawn = null;
  const [width, height] = [place.clientWidth, place.clientHeight];
  if (!width || !height) return; // not seen now
  const { clock, lines } = one.asked;
  // A step goes on until the next quarter begins, the last one too.
  const xs = [...clock.keys(), clock.length];
  const columns = lines.map(({ values }) => [...values, values.at(-1) ?? null]);
  one.drawn = new UPlot(options(UPlot, one.asked, width, height), [xs, ...columns], place);
}

function options(UPlot, asked, width, height) {
  const { clock, lines, small, write, most = 0, point = () => {} } = asked;
  const known = lines.flatMap(({ values }) => values).filter((value) => value !== null);
  const top = Math.max(most, ...known, 0) || 1;
  return {
    width,
    height,
    legend: { show: false },
    padding: small ? [3, 1, 1, 1] : [10, 8, 0, 0],
    scales: { x: { time: false, range: [0, clock.length] }, y: { range: [0, top * 1.06] } },
    series: [{}, ...lines.map((line) => series(UPlot, line, small))],
    axes: small ? [{ show: false }, { show: false }] : [timeAxis(clock), valueAxis(asked, write)],
    cursor: small
      ? { show: false }
      : { y: false, drag: { x: false, y: false }, points: { size: 7 }, sync: { key: "day" } },
    hooks: { setCursor: [(drawn) => point(whereOf(drawn, clock.length))] },
  };
}

function whereOf({ cursor }, count) {
  return cursor.left < 0 || cursor.idx === null || cursor.idx === undefined ? null : Math.min(cursor.idx, count - 1);
}

function series(UPlot, { colour, dash, wide, fill, step, values }, small) {
  return {
    stroke: () => colourOf(colour),
    width: (wide ? 2 : 1.25) / (small ? 1 : 0.9),
    dash,
    fill: fill ? () => faint(colourOf(colour)) : undefined,
    paths: step ? UPlot.paths.stepped({ align: 1 }) : undefined,
    // What is alone between two unknowns is a point: as a line nobody would see it.
    points: { show: true, size: 4, filter: () => alone(values), fill: () => colourOf(colour) },
  };
}

function alone(values) {
  const is = (i) => (values[i] ?? null) !== null;
  return [...values.keys()].filter((i) => is(i) && !is(i - 1) && !is(i + 1));
}

function timeAxis(clock) {
  const full = [...clock.keys()].filter((i) => clock[i].endsWith(":00"));
  return {
    ...axis(),
    size: 26,
    splits: ({ width }) => {
      const most = Math.max(1, width / TIMES_APART);
      const every = HOURS.find((hours) => full.length / hours <= most) ?? 24;
      return full.filter((i) => Number(clock[i].slice(0, 2)) % every === 0);
    },
    values: (_, splits) => splits.map((i) => clock[i] ?? ""),
  };
}

function valueAxis({ least = 1, up = [1, 2, 5] }, write) {
  const steps = [0, 1, 2, 3, 4, 5].flatMap((power) => up.map((n) => n * least * 10 ** power));
  return {
    ...axis(),
    size: 52,
    splits: (drawn, _, from, to) => {
      const most = Math.max(1, drawn.height / VALUES_APART - 1);
      const step = steps.find((one) => (to - from) / one <= most) ?? to;
      return Array.from({ length: Math.floor(to / step + 1e-9) + 1 }, (_, i) => i * step);
    },
    values: (_, splits) => splits.map((value) => write(value)),
  };
}

function axis() {
  const { fontFamily } = getComputedStyle(document.body);
  const size = Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75);
  return {
    font: `${size}px ${fontFamily}`,
    stroke: () => colourOf("soft"),
    grid: { stroke: () => colourOf("line"), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
}

// A colour of look.css as it is now, light or dark: a canvas knows no names.
function colourOf(name) {
  probe ??= document.body.appendChild(Object.assign(make("span", ""), { hidden: true }));
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

function faint(colour) {
  return colour.replace(/^rgba?\((\d+), (\d+), (\d+).*$/, "rgba($1, $2, $3, 0.13)");
}

// The mark of a line beside its words.
export function lineMark({ colour, dash }) {
  const mark = make("i", "line");
  mark.style.color = `var(--${colour})`;
  if (dash) mark.dataset.dash = "";
  return mark;
}

// ---- what makes a plot another one without other figures: its size, and light or dark ----

const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    const drawn = live.get(target)?.drawn;
    if (!live.has(target) || !window.uPlot) continue;
    if (drawn && drawn.width === target.clientWidth && drawn.height === target.clientHeight) continue;
    draw(target);
  }
});

function repaint() {
  for (const { drawn } of live.values()) drawn?.redraw();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
