// What does not fit: where a desk and the phone system tell different stories, in words that say what to do.

import { $, make, setText, shape } from "./dom.js";
import { goToDesk, markDesk, nameOf } from "./floor.js";
import { gatewayNow } from "./stream.js";
import { fill, number, span, told, words } from "./words.js";

const SHOWN = 4; // the rest is a number, and shown on asking
const SHOWN_MOST = 100;
const SAME_MS = 1500; // a beginning this near the one shown is that one, rounded
// What somebody waits for comes first.
const URGENT = [
  "empty-desk-rings", "board-lost-under-busy-desk", "call-nothing-lifted", "off-hook-no-call",
  "lifted-nothing-at-pbx", "available-but-docked",
];

const findings = new Map(); // by desk: kind, since on the gateway's clock, the words of both sides
let all = false; // shown, on asking
let due = false; // the list is to be made anew

export function drawFinding(id, doc) {
  const name = nameOf(id);
  if (!doc?.kind || name === null) findings.delete(id);
  else findings.set(id, { ...doc, id, name, since: sinceOf(findings.get(id), doc) });
  markDesk(id, textOf(findings.get(id)));
  if (!due) requestAnimationFrame(list);
  due = true;
}

export function buildFindings() {
  findings.clear();
  list();
}

function sinceOf(before, doc) {
  const since = doc.said_ms - (doc.for_s ?? 0) * 1000;
  return before?.kind === doc.kind && Math.abs(since - before.since) < SAME_MS ? before.since : since;
}

// A kind that this page does not know is told in the gateway's own words.
function wordsOf(finding) {
  return words.finding[finding.kind] || { what: `${finding.desk} · ${finding.pbx}`, todo: finding.todo };
}

function textOf(finding) {
  if (!finding) return null;
  const { what, todo } = wordsOf(finding);
  const both = fill(words.both_sides, { desk: told(finding.desk), pbx: told(finding.pbx) });
  return { what, todo, both };
}

function list() {
  due = false;
  const rows = [...findings.values()].sort(
    (a, b) => URGENT.indexOf(a.kind) - URGENT.indexOf(b.kind) || a.since - b.since || (a.id < b.id ? -1 : 1));
  const shown = rows.slice(0, all ? SHOWN_MOST : SHOWN);
  const rest = rows.length - shown.length;
  $("findings").hidden = rows.length === 0;
  setText($("findings-sum"), rows.length ? fill(words.findings, { n: number(rows.length) }) : "");
  const before = document.activeElement?.dataset?.goto;
  $("findings-list").replaceChildren(...shown.map((row, n) => item(row, row.kind !== shown[n - 1]?.kind)));
  if (before) document.querySelector(`[data-goto="${before}"]`)?.focus({ preventScroll: true });
  const more = $("findings-more");
  more.hidden = rows.length <= SHOWN;
  setText(more, all ? words.findings_fewer : fill(words.findings_more, { n: number(rest) }));
  more.ariaExpanded = String(all);
  tickFindings();
}

// What to do is said once for all of a kind, which stand together.
function item(finding, isFirst) {
  const { what, todo } = wordsOf(finding);
  const name = make("button", "", finding.name);
  name.type = "button";
  name.dir = "auto";
  name.dataset.goto = finding.id;
  const length = make("span", "label for", "");
  const line = make("li", "", shape("triangle"), name, make("span", "what", what), " ", length);
  if (isFirst) length.before(make("span", "todo", todo), " ");
  line.dataset.kind = finding.kind;
  return line;
}

export function tickFindings() {
  const now = gatewayNow();
  if (now === null) return;
  for (const line of $("findings-list").children) {
    const finding = findings.get(line.querySelector("button").dataset.goto);
    const seconds = finding ? Math.max(0, Math.floor((now - finding.since) / 1000)) : 0;
    setText(line.querySelector(".for"), fill(words.finding_for, { span: span(seconds) }));
  }
}

export function listenToFindings() {
  $("findings-more").addEventListener("click", () => {
    all = !all;
    list();
  });
  $("findings-list").addEventListener("click", (event) => {
    const id = event.target?.dataset?.goto;
    if (id) goToDesk(id);
  });
}
