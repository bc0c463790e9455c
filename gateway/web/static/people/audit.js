// The audit list: who changed what and when, the newest first, and more on asking.

import { $, make } from "../dom.js";
import { callAs } from "./session.js";
import { fill, moment, words } from "../words/words.js";

const ROWS = 30;

const ROLE = Object.keys(words.role).join("|");
const PARTS = { name: "\\S+", n: "\\d+", role: ROLE, to: ROLE };
const PATTERNS = Object.entries(words.did_what).map(([text, told]) => [pattern(text), told]);

let oldest = null; // the id of the last row that is shown

// From the newest on.
export async function readAudit() {
  const rows = await ask("");
  if (rows === null) return;
  $("audit-rows").replaceChildren();
  show(rows);
}

async function readMore() {
  const rows = await ask(`&before=${oldest}`);
  if (rows === null) return;
  const first = show(rows);
  if ($("audit-more").hidden) $("audit-table").focus();
  first?.scrollIntoView({ block: "nearest" });
}

async function ask(from) {
  const [status, told] = await callAs("GET", `api/audit?limit=${ROWS}${from}`);
  return status === 200 ? told.rows : null;
}

function show(rows) {
  const lines = rows.map(line);
  $("audit-rows").append(...lines);
  const none = make("tr", "none", make("td", "", words.people.audit_none));
  if (!$("audit-rows").childElementCount) $("audit-rows").append(none);
  if (rows.length) oldest = rows.at(-1).id;
  $("audit-more").hidden = rows.length < ROWS;
  return lines[0];
}

function line({ at, who, did, what }) {
  const time = make("td", "", moment(at));
  const doer = make("td", "", whoIs(who));
  const deed = make("td", "", words.did[did] ?? did);
  if (what) {
    const more = make("span", "reason", whatIs(what));
    more.dir = "auto";
    deed.append(more);
  }
  doer.dir = "auto";
  const row = make("tr", "", time, doer, deed);
  row.dataset.did = did;
  return row;
}

// What stands beside it, in the reader's language as far as it is known there.
function whatIs(what) {
  for (const [form, text] of PATTERNS) {
    const found = form.exec(what);
    if (!found) continue;
    const { role, to } = found.groups ?? {};
    return fill(text, { ...found.groups, role: words.role[role], to: words.role[to] });
  }
  return what;
}

function pattern(text) {
  const inside = text.replace(/[()]/g, "\\$&").replace(/\{(\w+)\}/g, (_, part) => `(?<${part}>${PARTS[part]})`);
  return new RegExp(`^${inside}$`);
}

// `person lead` is lead, and the others are named by what they are.
function whoIs(who) {
  const [kind, ...name] = who.split(" ");
  const text = words.who[kind];
  return text ? fill(text, { name: name.join(" ") }) : who;
}

export function listenToAudit() {
  $("audit-more").addEventListener("click", readMore);
}
