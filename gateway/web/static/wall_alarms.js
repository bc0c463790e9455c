// Walls that show something else than they should: in words, with what to do and for how long.

import { $, make, setText, shape } from "./dom.js";
import { gatewayNow } from "./stream.js";
import { fill, number, sentence, span, told, words } from "./words.js";

const SHOWN = 4; // the rest is a number, and shown on asking
const SHOWN_MOST = 100;
const SAME_MS = 1500; // a beginning this near the one shown is that one, rounded

const alarms = new Map(); // by wall: its name, reason, todo, since on the gateway's clock
let all = false; // shown, on asking
let due = false; // the list is to be made anew

export function drawWallAlarm(id, name, doc) {
  if (!doc?.alarm) {
    if (!alarms.delete(id)) return;
  } else {
    const before = alarms.get(id);
    const since = doc.said_ms - (doc.for_s ?? 0) * 1000;
    const same = before && Math.abs(since - before.since) < SAME_MS;
    alarms.set(id, { ...doc, id, name, since: same ? before.since : since });
  }
  if (!due) requestAnimationFrame(list);
  due = true;
}

export function forgetWallAlarms() {
  alarms.clear();
  list();
}

// What can be mended in the same way stands together.
function list() {
  due = false;
  const rows = [...alarms.values()].sort(
    (a, b) => (a.todo < b.todo ? -1 : a.todo > b.todo ? 1 : a.since - b.since || (a.id < b.id ? -1 : 1)));
  const shown = rows.slice(0, all ? SHOWN_MOST : SHOWN);
  $("wall-alarms").hidden = rows.length === 0;
  setText($("wall-alarms-sum"), rows.length ? fill(words.wall_alarms, { n: number(rows.length) }) : "");
  const before = document.activeElement?.dataset?.gotowall;
  $("wall-alarms-list").replaceChildren(...shown.map((row, n) => item(row, row.todo !== shown[n - 1]?.todo)));
  if (before) document.querySelector(`[data-gotowall="${before}"]`)?.focus({ preventScroll: true });
  const more = $("wall-alarms-more");
  more.hidden = rows.length <= SHOWN;
  const rest = number(rows.length - shown.length);
  setText(more, all ? words.findings_fewer : fill(words.findings_more, { n: rest }));
  more.ariaExpanded = String(all);
  tickWallAlarms();
}

function item(alarm, isFirst) {
  const name = make("button", "", alarm.name);
  name.type = "button";
  name.dir = "auto";
  name.dataset.gotowall = alarm.id;
  const what = make("span", "what", `${sentence(told(alarm.reason))}.`);
  what.dir = "auto"; // a board's own words are in it: whichever way they run, the rest of the line does not
  const length = make("span", "label for", "");
  const line = make("li", "", shape("triangle"), name, what, " ", length);
  if (isFirst) length.before(make("span", "todo", `${sentence(told(alarm.todo))}.`), " ");
  line.dataset.kind = alarm.wrong;
  return line;
}

export function tickWallAlarms() {
  const now = gatewayNow();
  if (now === null) return;
  for (const line of $("wall-alarms-list").children) {
    const alarm = alarms.get(line.querySelector("button").dataset.gotowall);
    const seconds = alarm ? Math.max(0, Math.floor((now - alarm.since) / 1000)) : 0;
    setText(line.querySelector(".for"), fill(words.finding_for, { span: span(seconds) }));
  }
}

export function listenToWallAlarms() {
  $("wall-alarms-more").addEventListener("click", () => {
    all = !all;
    list();
  });
  $("wall-alarms-list").addEventListener("click", (event) => {
    const id = event.target?.dataset?.gotowall;
    if (id) document.querySelector(`[data-wall="${id}"]`)?.scrollIntoView({ block: "center" });
  });
}
