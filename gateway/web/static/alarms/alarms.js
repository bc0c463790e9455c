// What is wrong, in one list: the worst first, what to do, for how long, and who sees to it.

import { buildAloud, tellAloud } from "./alarm_aloud.js";
import { groupOf, lineOf, put, seenLineOf, tickLine } from "./alarm_lines.js";
import { nameAlarms, nameOf, wordsOf } from "./alarm_words.js";
import { showBoard } from "../boards/boards.js";
import { $, make, setData, setText, soon } from "../dom.js";
import { goToDesk } from "../floor/floor.js";
import { callAs, may } from "../people/session.js";
import { gatewayNow, said, state } from "../stream.js";
import { fill, number, words } from "../words/words.js";

const OPEN_MOST = 3; // so many of a kind stand open by themselves; more are a number until somebody asks
const SHOWN_MOST = 100; // of a kind, and of those that somebody sees to
const SAME_MS = 1500; // a beginning this near the one shown is that one, rounded
const PATH = "alarm/";
// What somebody waits for comes first; a kind that this page does not know, last.
const KINDS = [
  "broker-away", "source-away", "long-wait", "empty-desk-rings", "queue-unknown", "board-lost", "history-failed",
  "service-level", "board-lost-under-busy-desk", "call-nothing-lifted", "off-hook-no-call", "lifted-nothing-at-pbx",
  "available-but-docked", "wall-wrong", "clock-unset",
];

const alarms = new Map(); // by id: the gateway's document, its words, since when on the gateway's clock, its line
const groups = new Map(); // by kind: the elements that show all of it
const asked = new Map(); // kinds, and "seen", that somebody has opened (true) or folded (false)
let shown = []; // the alarms whose lines are in the page
let known = null; // ids that are no news any more; null before the first news

export function drawAlarm(id, doc) {
  if (doc) alarms.set(id, { ...doc, ...wordsOf(doc), id, name: nameOf(doc), ...kept(alarms.get(id), doc) });
  else alarms.delete(id);
  soon(list);
}

// What goes on from the document before: lengths never run back, and what is just being pressed stays where it is.
function kept(before, { said_ms, for_s, acked }) {
  const near = (was, is) => (was !== undefined && Math.abs(is - was) < SAME_MS ? was : is);
  return {
    since: near(before?.since, said_ms - for_s * 1000),
    acked: acked && { ...acked, since: near(before?.acked?.since, said_ms - acked.for_s * 1000) },
    line: before && Boolean(before.acked) === Boolean(acked) ? before.line : null,
  };
}

export function buildAlarms(plan) {
  nameAlarms(plan);
  alarms.clear();
  groups.clear(); // and all that is said is drawn anew
}

// Who may see to alarms has buttons for it; the gateway asks again.
export function allowAlarms() {
  setData($("alarms"), "tend", String(may("tend")));
}

// {n, level}: how many nobody sees to, and how bad the worst of them is; "" where there is none.
export function alarmsNow() {
  const open = [...alarms.values()].filter((alarm) => !alarm.acked);
  const level = open.some((alarm) => alarm.level === "bad") ? "bad" : open.length ? "warn" : "";
  return { n: open.length, level };
}

// ---- the list ----

function list() {
  const all = [...alarms.values()].sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
  const open = Map.groupBy(all.filter((alarm) => !alarm.acked), (alarm) => alarm.kind);
  const seen = all.filter((alarm) => alarm.acked);
  shown = [];
  const order = [...open.values()].sort(byUrgency);
  put($("alarms-open"), order.map(drawGroup));
  drawSeen(seen);
  tellNew();
  drawCalm();
  tickAlarms();
}

function byUrgency([a], [b]) {
  const place = ({ kind }) => (KINDS.includes(kind) ? KINDS.indexOf(kind) : KINDS.length);
  return (a.level === "bad" ? 0 : 1) - (b.level === "bad" ? 0 : 1) || place(a) - place(b) || (a.kind < b.kind ? -1 : 1);
}

// What to do is said once for all of a kind, or of each where it differs.
function drawGroup(rows) {
  const [{ kind, level, title, todo }] = rows;
  const group = groups.get(kind) ?? groupOf(kind);
  groups.set(kind, group);
  const alike = rows.every((row) => row.todo === todo);
  setData(group.element, "level", level);
  setText(group.level, words.alarm.level[level] ?? level);
  setText(group.title, rows.length > 1 ? fill(words.alarm.several, { what: title, n: number(rows.length) }) : title);
  setText(group.todo, alike ? todo : "");
  group.takeAll.hidden = rows.length < 2;
  drawLines(group.list, group.fold, rows, (row) => drawLine(row, lineOf, !alike));
  return group.element;
}

// Those that somebody sees to, quiet and last.
function drawSeen(rows) {
  $("alarms-seen-part").hidden = rows.length === 0;
  setText($("alarms-seen-title"), fill(words.alarm.seen, { n: number(rows.length) }));
  drawLines($("alarms-seen"), $("alarms-seen-fold"), rows, (row) => drawLine(row, seenLineOf));
}

// A few stand open; many are folded until somebody presses `fold`, and those past SHOWN_MOST are a number.
function drawLines(list, fold, rows, draw) {
  const folds = rows.length > OPEN_MOST;
  const isOpen = !folds || (asked.get(fold.dataset.fold) ?? false);
  fold.hidden = !folds;
  setText(fold, isOpen ? words.alarm.fewer : words.alarm.all);
  fold.ariaExpanded = String(isOpen);
  list.hidden = !isOpen;
  const past = rows.length - SHOWN_MOST;
  const rest = past > 0 ? [make("li", "label", fill(words.alarm.more, { n: number(past) }))] : [];
  put(list, isOpen ? [...rows.slice(0, SHOWN_MOST).map(draw), ...rest] : []);
}

function drawLine(alarm, make, withTodo = false) {
  alarm.line = alarm.line ?? make(alarm);
  alarm.line.draw(alarm, withTodo);
  shown.push(alarm);
  return alarm.line.element;
}

// Where nothing is wrong that is said, and quietly; before the first news nothing is.
function drawCalm() {
  const { n, level } = alarmsNow();
  $("alarms-calm").hidden = n > 0 || known === null;
  setText($("alarms-calm-words"), alarms.size ? words.alarm.calm_else : words.alarm.calm);
  setData($("alarms"), "level", level);
}

export function tickAlarms() {
  if (known === null && state().heard) list();
  const now = gatewayNow();
  if (now === null) return;
  for (const alarm of shown) tickLine(alarm, now);
}

// What stands when the page is opened is no news: it is there to be read.
function tellNew() {
  if (!state().heard) return;
  if (known === null) {
    known = new Set([...said.keys()].filter((path) => path.startsWith(PATH)).map((path) => path.slice(PATH.length)));
    return;
  }
  const fresh = [...alarms.values()].filter((alarm) => !known.has(alarm.id) && !alarm.acked);
  known = new Set(alarms.keys());
  for (const alarm of fresh) groups.get(alarm.kind).wink();
  tellAloud(fresh);
}

// ---- what is pressed ----

export function listenToAlarms() {
  buildAloud();
  $("alarms-ended").addEventListener("click", async () => (await import("./alarm_ended.js")).showEnded());
  $("alarms-list").addEventListener("click", ({ target }) => {
    const { goto: where, take, takeAll, reopen: id, fold } = target.dataset;
    if (where) goTo(alarms.get(where));
    if (take) acknowledge([alarms.get(take)]);
    if (takeAll) acknowledge([...alarms.values()].filter((alarm) => alarm.kind === takeAll && !alarm.acked));
    if (id) reopen(id);
    if (fold) {
      asked.set(fold, target.ariaExpanded !== "true");
      list();
    }
  });
}

async function acknowledge(rows) {
  const { askForNote } = await import("./alarm_note.js");
  askForNote(rows.filter(Boolean));
}

async function reopen(id) {
  const [status, answer] = await callAs("DELETE", `api/alarms/${encodeURIComponent(id)}/acknowledgement`);
  setText($("alarms-said"), status === 200 || status === 204 ? "" : refusal(status, answer));
}

export function refusal(status, answer) {
  if (!status) return words.no_answer;
  return words.alarm.refused[answer?.kind] ?? words.people_refused[answer?.kind] ?? words.people_refused.other;
}

// To the desk, the queue, the wall or the board that it belongs to.
function goTo(alarm) {
  if (!alarm) return;
  if (alarm.of === "desk") return goToDesk(alarm.about);
  if (alarm.of === "board") showBoard(alarm.about);
  const place = document.querySelector(`main [data-${alarm.of}="${CSS.escape(alarm.about)}"]`);
  if (!place) return;
  place.scrollIntoView({ block: "center" });
  if (place.tabIndex < 0) place.tabIndex = -1;
  place.dataset.found = "true"; // marked until one goes on
  place.addEventListener("blur", () => delete place.dataset.found, { once: true });
  place.focus({ preventScroll: true });
}
