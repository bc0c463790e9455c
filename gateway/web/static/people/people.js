// Who may do what: people, their one-time links, tokens of machines, and what was changed by whom. For admins.

import { listenToAudit, readAudit } from "./audit.js";
import { $, make, putWords, setText } from "../dom.js";
import { drawMe, listenToMe } from "./me.js";
import { refusal } from "./passwords.js";
import { listenToMade, showLink, showToken } from "../made.js";
import { callAs, may, needWho, session } from "./session.js";
import { fill, moment, span, words } from "../words/words.js";

const AGAIN_MS = 5000; // where no answer came
const OF_PEOPLE = ["viewer", "supervisor", "technician", "admin"]; // as in gateway/people/rights.py
const OF_TOKENS = ["wall", ...OF_PEOPLE];

let sure = null; // what is done when it is said so

async function start() {
  const known = await needWho();
  if (!known) return setTimeout(start, AGAIN_MS, tell(words.no_answer));
  drawMe();
  if (!may("people")) return tell(words.people.no_right);
  tell("");
  $("people-main").hidden = false;
  read();
  readAudit();
}

async function read() {
  const [status, told] = await callAs("GET", "api/people");
  if (status !== 200) return tell(refusal(status, told));
  tell("");
  fillIn("people-list", told.people.map(person), words.people.people_none);
  fillIn("invitations-list", told.invitations.map(invitation), words.people.invitations_none);
  fillIn("tokens-list", told.tokens.map(token), words.people.tokens_none);
}

function tell(text) {
  setText($("told"), text);
  $("told").hidden = text === "";
}

function fillIn(list, rows, none) {
  $(list).replaceChildren(...(rows.length ? rows : [make("li", "none", none)]));
}

function row(name, ...parts) {
  const title = make("b", "", name);
  title.dir = "auto";
  return make("li", "", title, ...parts);
}

function label(text) {
  return make("span", "label", text);
}

function roleOf(role) {
  return make("span", "role", words.role[role] ?? role);
}

function button(text, aloud, act) {
  const element = make("button", "", text);
  element.type = "button";
  element.ariaLabel = aloud;
  element.addEventListener("click", act);
  return element;
}

function seen(at) {
  return at === null ? words.people.seen_never : fill(words.people.seen, { at: moment(at) });
}

function left(ends) {
  const seconds = Math.round(ends - Date.now() / 1000);
  return seconds > 0 ? fill(words.people.ends, { span: span(seconds), at: moment(ends) }) : words.people.over;
}

// ---- people ----

function person({ name, role, since, seen: at }) {
  const who = session().kind === "person" && session().name === name;
  const of = (text) => fill(words.people.of, { text, name });
  return row(name, roleOf(role), ...(who ? [label(words.people.you)] : []),
    label(fill(words.people.since, { at: moment(since) })), label(seen(at)),
    make("span", "buttons",
      button(words.people.role_change, of(words.people.role_change), () => askRole(name, role, who)),
      button(words.people.reset, of(words.people.reset), () => makeReset(name)),
      button(words.people.remove, of(words.people.remove), () => askRemove(name, who))));
}

function askRole(name, role, mine) {
  $("sure-roles").value = role;
  const what = mine ? words.people.role_mine : words.people.role_what;
  ask(fill(words.people.role_sure, { name }), what, words.people.role_change, true,
    () => callAs("PATCH", `api/people/${encodeURIComponent(name)}`, { role: $("sure-roles").value }));
}

function askRemove(name, mine) {
  const what = mine ? words.people.remove_mine : words.people.remove_what;
  ask(fill(words.people.remove_sure, { name }), what, words.people.remove, false,
    () => callAs("DELETE", `api/people/${encodeURIComponent(name)}`));
}

function makeReset(name) {
  ask(fill(words.people.reset_sure, { name }), words.people.reset_what, words.people.reset_yes, false, async () => {
    const [status, told] = await callAs("POST", "api/people/invitations", { role: "viewer", name });
    if (status === 201) showLink(told, name);
    return [status, told];
  });
}

// ---- invitations ----

function invitation({ id, role, name, ends }) {
  const title = name ? fill(words.people.invitation_of, { name }) : words.role[role] ?? role;
  return row(title, label(left(ends)), make("span", "buttons",
    button(words.people.withdraw, fill(words.people.of, { text: words.people.withdraw, name: title }),
      () => done(callAs("DELETE", `api/people/invitations/${encodeURIComponent(id)}`)))));
}

async function invite(event) {
  event.preventDefault();
  const [status, told] = await callAs("POST", "api/people/invitations", { role: $("invite-role").value });
  if (status !== 201) return tell(refusal(status, told));
  showLink(told, null);
  readAll();
}

// ---- tokens ----

function token({ id, name, role, ends, seen: at }) {
  return row(name, roleOf(role), label(left(ends)), label(seen(at)), make("span", "buttons",
    button(words.people.token_end, fill(words.people.of, { text: words.people.token_end, name }),
      () => ask(fill(words.people.token_sure, { name }), words.people.token_what, words.people.token_end, false,
        () => callAs("DELETE", `api/tokens/${encodeURIComponent(id)}`)))));
}

async function makeToken(event) {
  event.preventDefault();
  const [name, role, days] = [$("token-name").value.trim(), $("token-role").value, $("token-days").valueAsNumber];
  setText($("token-said"), "");
  const [status, told] = await callAs("POST", "api/tokens", { name, role, days: Number.isInteger(days) ? days : 0 });
  if (status !== 201) return setText($("token-said"), refusal(status, told));
  $("token-name").value = "";
  showToken(told, name, role);
  readAll();
}

// ---- are you sure ----

function ask(title, what, yes, withRole, act) {
  setText($("sure-title"), title);
  setText($("sure-what"), what);
  setText($("sure-yes"), yes);
  setText($("sure-said"), "");
  $("sure-role").hidden = !withRole;
  $("sure-yes").classList.toggle("bad", !withRole);
  sure = act;
  $("sure").showModal();
  (withRole ? $("sure-roles") : $("sure-no")).focus();
}

async function isSure(event) {
  event.preventDefault();
  $("sure-yes").disabled = true;
  const [status, told] = await sure();
  $("sure-yes").disabled = false;
  if (status < 200 || status > 299) return setText($("sure-said"), refusal(status, told));
  $("sure").close();
  readAll();
}

async function done(asked) {
  const [status, told] = await asked;
  await readAll();
  if (status < 200 || status > 299) tell(refusal(status, told));
}

// What was changed is in the audit list, too; and whoever changed himself may be somebody else now.
async function readAll() {
  await Promise.all([read(), readAudit()]);
}

putWords();
document.title = `${words.people.title} · Callfloor`;
const roles = (names) => names.map((role) => new Option(words.role_means[role], role));
$("invite-role").append(...roles(OF_PEOPLE));
$("sure-roles").append(...roles(OF_PEOPLE));
$("token-role").append(...roles(OF_TOKENS));
listenToMe();
listenToMade();
listenToAudit();
$("invite").addEventListener("submit", invite);
$("token").addEventListener("submit", makeToken);
$("sure").querySelector("form").addEventListener("submit", isSure);
$("sure-no").addEventListener("click", () => $("sure").close());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !$("people-main").hidden) readAll(); // others may have changed it meanwhile
});
start();
