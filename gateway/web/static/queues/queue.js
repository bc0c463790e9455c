// One queue's day: its sums, plots by quarters of an hour, the same as a table, and other days.

import { $, make, putWords, setText } from "../dom.js";
import { drawMe, listenToMe } from "../people/me.js";
import { refusal } from "../people/passwords.js";
import { lineMark, plot } from "./plots.js";
import { address, callAs, may, needWho } from "../people/session.js";
import { buildGaps, drawUnseen, offerMeanings } from "./today.js";
import { clock, fill, locales, number, percent, percentMet, words } from "../words/words.js";

const AGAIN_MS = 5000; // where no answer came
const REFRESH_MS = 60000; // of a day that is not over
const TYPED_MS = 1000;
const DAY_MS = 86400000;
const DAYS = ["this", "day_before", "week_before"];
const LOOK = {
  this: { colour: "good", wide: true }, day_before: { colour: "soft" }, week_before: { colour: "soft", dash: [2, 3] },
};
const AIM = { colour: "text", dash: [7, 4] };

const seconds = (value) => (value === null ? null : clock(Math.round(value)));
const share = (value) => (value === null ? null : percent(value));
const met = (value) => (value === null ? null : percentMet(value));
const desks = (value) => number(value === null ? null : Math.round(value * 10) / 10);

// The day's figures, each with how it is written, in the order of the cards' list.
const SUMS = {
  joined: number, answered: number, abandoned: number, timed_out: number, left_by_key: number, left: number,
  vanished: number, service_level: met, asa_s: seconds, longest_wait_s: seconds, aht_s: seconds,
  abandon_rate: share, occupancy: share,
};
const RARE = ["left", "vanished"]; // a line only where it happened
const COLUMNS = {
  joined: number, answered: number, abandoned: number, timed_out: number, service_level: met, asa_s: seconds,
  longest_wait_s: seconds, desks_present: desks, desks_needed: number,
};

// What is drawn: of which figures, and which days stand behind the one that is looked at.
const PLOTS = {
  calls: { lines: [["joined", DAYS]], write: number, fill: true },
  level: { lines: [["service_level", DAYS]], aim: (target) => target.share, write: percent, most: 1, least: 0.001 },
  waits: {
    lines: [["asa_s", ["this"]], ["longest_wait_s", ["this"]]], aim: (target) => target.within_s, write: clock,
    up: [1, 2, 3, 6],
  },
  desks: { lines: [["desks_present", ["this"]], ["desks_needed", ["this"]]], write: number, step: true },
};
const OTHER = { longest_wait_s: { colour: "warn", dash: [3, 2] }, desks_needed: { colour: "text", dash: [7, 4] } };

const id = location.pathname.split("/").pop();
const gaps = buildGaps($("gaps"));
let queue = null; // the plan's row
let plots = false; // whether this gateway has what draws them
let page = ""; // which files it has
let day = null; // what is shown
let asked = 0;
let timer = null;
let typing = null;

async function start() {
  if (!(await needWho())) return later(start, words.no_answer);
  drawMe();
  if (!may("see")) return tell(words.day.no_right);
  const [status, plan] = await callAs("GET", "api/plan");
  if (status !== 200) return later(start, refusal(status, plan));
  queue = plan.queues.find((row) => row.id === id) ?? null;
  if (!queue) return tell(words.day.no_queue);
  [plots, page] = [plan.plots, plan.page];
  setText($("name"), queue.name);
  build();
  offerMeanings($("meanings"), [queue.target]);
  show(new URLSearchParams(location.search).get("date"));
}

function later(what, told) {
  tell(told);
  clearTimeout(timer);
  timer = setTimeout(what, AGAIN_MS);
}

function tell(told) {
  setText($("told"), told);
  $("told").hidden = told === "";
}

// The day by its date; none is today, whichever that is when it is asked.
async function show(date) {
  const mine = ++asked;
  clearTimeout(timer);
  if (day && (await isOld())) return location.reload();
  const [status, told] = await callAs("GET", `api/queues/${id}/day` + (date ? `?date=${encodeURIComponent(date)}` : ""));
  if (mine !== asked) return;
  if (status === 0 || status === 503) return later(() => show(date), words.no_answer);
  if (status !== 200) return date ? showToday() : tell(words.day.nothing);
  day = told;
  tell(day.today !== null && day.date > day.today ? words.day.future : "");
  draw();
  if (day.running || day.date === day.today) timer = setTimeout(() => refresh(date), REFRESH_MS);
}

// In place of a day that there is none of: the address is no dead end.
async function showToday() {
  history.replaceState(null, "", location.pathname);
  await show("");
  tell(words.day.nothing);
}

// Whether the gateway brought a newer page since this one was loaded.
async function isOld() {
  const [status, plan] = await callAs("GET", "api/plan");
  return status === 200 && plan.page !== page;
}

function refresh(date) {
  if (!document.hidden) return show(date);
  document.addEventListener("visibilitychange", () => show(date), { once: true });
}

// Another day, which the browser's way back leads away from again.
function goTo(date) {
  history.pushState(null, "", date ? `?date=${date}` : location.pathname);
  show(date);
}

// A date that is typed is another one after each key: it is meant once nothing more comes, or somebody goes on.
function typed() {
  if (typing === null) return;
  clearTimeout(typing);
  typing = null;
  const { value } = $("date");
  if (day && value && value !== day.date) goTo(value);
}

function shifted(days) {
  return new Date(Date.parse(day.date) + days * DAY_MS).toISOString().slice(0, 10);
}

const long = new Intl.DateTimeFormat(locales, { dateStyle: "full", timeZone: "UTC" });
const short = new Intl.DateTimeFormat(locales, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

function draw() {
  const date = long.format(Date.parse(day.date));
  document.title = `${queue.name} · ${date}`;
  setText($("date-title"), date);
  setText($("counted"), day.running ? fill(words.day.counted, { time: day.counted_until.slice(11, 16) }) : "");
  if (typing === null && $("date").value !== day.date) $("date").value = day.date; // not under somebody who types
  if ($("date").max !== (day.today ?? "")) $("date").max = day.today ?? "";
  $("after").disabled = day.today !== null && day.date >= day.today;
  $("today").disabled = day.date === day.today;
  $("csv").href = address(`api/history.csv?by=quarter&from=${day.date}&to=${day.date}&queue=${id}`);
  drawUnseen(gaps, day.gaps);
  drawSums();
  for (const name of Object.keys(PLOTS)) drawPlot(name);
  drawTable();
  $("day").hidden = false;
}

function nameOf(which) {
  return words.day.days[which];
}

// ---- sums ----

function cell(value, tag = "td") {
  const element = make(tag, "number", value ?? words.unknown_value);
  if (value === null) element.title = words.unknown_aloud;
  return element;
}

function heading(text, scope, className = "") {
  const element = make("th", className, text);
  element.scope = scope;
  return element;
}

const reason = (text) => make("span", "reason", text);

// A figure's word is that of the cards, or one of its own; the meanings there of some speak of today.
const ON_CARDS = { abandon_rate: "abandon_rate_pct", occupancy: "occupancy_pct" };
const OF_TODAY = ["joined", "longest_wait_s"];

function figure(name) {
  return words.day.line[name] ?? words.figure[ON_CARDS[name] ?? name] ?? words[name];
}

function drawSums() {
  const head = make("tr", "", make("td", ""), ...DAYS.map((which) => {
    const element = heading(nameOf(which), "col", "number");
    element.append(reason(short.format(Date.parse(day.days[which].date))));
    return element;
  }));
  const rows = Object.entries(SUMS).map(([name, write]) => {
    const values = DAYS.map((which) => day.days[which].total[name]);
    if (RARE.includes(name) && !values.some(Boolean)) return null;
    const title = heading(figure(name), "row");
    title.title = meaning(name);
    if (name === "service_level") title.append(reason(formula()), reason(promise()));
    return make("tr", "", title, ...values.map((value) => cell(write(value))));
  });
  $("sum-table").replaceChildren(make("thead", "", head), make("tbody", "", ...rows.filter(Boolean)));
}

function meaning(name) {
  const meant = OF_TODAY.includes(name) ? undefined : words.meaning[ON_CARDS[name] ?? name];
  return meant ? fill(meant, { n: queue.target.short_abandon_s }) : "";
}

function formula() {
  const { formula: name, within_s, short_abandon_s } = queue.target;
  return fill(words.formula[name] ?? name, { n: within_s, short: short_abandon_s });
}

function promise() {
  return fill(words.target, { share: percent(queue.target.share), n: queue.target.within_s });
}

// ---- plots ----

function build() {
  for (const name of Object.keys(PLOTS)) {
    const title = make("h2", "", words.day.plot[name]);
    title.id = "plot-" + name;
    const canvas = make("div", "plot");
    canvas.id = "canvas-" + name;
    canvas.role = "img";
    canvas.ariaLabel = fill(words.day.plot_aloud, { name: words.day.plot[name] });
    const key = make("ul", "key");
    key.id = "key-" + name;
    const element = make("section", "", make("div", "title", title, key), canvas);
    element.setAttribute("aria-labelledby", title.id);
    element.hidden = !plots;
    $("plots").append(element);
  }
  $("no-plots").hidden = plots;
}

// The lines of a plot; `at` says a quarter's value beside the line's name.
function linesOf(name) {
  const { lines, aim, fill: filled, step } = PLOTS[name];
  const drawn = lines.flatMap(([what, days]) => days.map((which) => ({
    ...(OTHER[what] ?? LOOK[which]), step,
    fill: filled && which === "this",
    name: days.length > 1 ? nameOf(which) : figure(what),
    values: finished(what, which),
  })));
  if (aim) drawn.push({ ...AIM, name: words.day.aim, values: day.clock.map(() => aim(queue.target)), constant: true });
  return drawn;
}

// Calls of the quarter that is under way would look like a fall; of rates and means it is as good as any.
function finished(what, which) {
  const values = day.days[which].quarters[what];
  if (what !== "joined" || which !== "this" || !day.running) return values;
  return values.map((value, i) => (i < day.running.quarter ? value : null));
}

function drawPlot(name) {
  if (!plots) return;
  const { write, most, least, up } = PLOTS[name];
  const lines = linesOf(name);
  const exact = { calls: number, level: met, waits: seconds, desks }[name];
  const items = lines.map((line) => {
    const value = make("b", "", line.constant ? exact(line.values[0]) : "");
    return { value, line, item: make("li", "", lineMark(line), make("span", "", line.name), value) };
  });
  const time = make("li", "time", "");
  $("key-" + name).replaceChildren(time, ...items.map(({ item }) => item));
  const point = (at) => {
    setText(time, at === null ? "" : day.clock[at]);
    for (const { value, line } of items) {
      if (!line.constant) setText(value, at === null ? "" : exact(line.values[at]) ?? words.unknown_value);
    }
  };
  plot($("canvas-" + name), { clock: day.clock, lines: [...lines].reverse(), write, most, least, up, point });
}

// ---- the table ----

function drawTable() {
  const head = make("tr", "", heading(words.day.time, "col"),
    ...Object.keys(COLUMNS).map((name) => heading(figure(name), "col", "number")));
  const { quarters } = day.days.this;
  const last = day.running?.quarter ?? day.clock.length - 1;
  const future = day.today !== null && day.date > day.today;
  const rows = (future ? [] : [...day.clock.keys()]).filter((i) => i <= last).map((i) => {
    const title = heading(day.clock[i], "row");
    if (day.running?.quarter === i) title.append(reason(words.day.running));
    if (quarters.unseen_s[i] >= 60) {
      title.append(reason(fill(words.day.unseen, { n: number(Math.round(quarters.unseen_s[i] / 60)) })));
    }
    return make("tr", "", title, ...Object.entries(COLUMNS).map(([name, write]) => cell(write(quarters[name][i]))));
  });
  $("quarter-table").replaceChildren(make("thead", "", head), make("tbody", "", ...rows));
}

// ---- start ----

putWords();
listenToMe();
$("before").addEventListener("click", () => goTo(shifted(-1)));
$("after").addEventListener("click", () => goTo(shifted(1)));
$("today").addEventListener("click", () => goTo(""));
$("date").addEventListener("change", () => {
  clearTimeout(typing);
  typing = setTimeout(typed, TYPED_MS);
});
$("date").addEventListener("blur", typed);
window.addEventListener("popstate", () => show(new URLSearchParams(location.search).get("date")));
start();
