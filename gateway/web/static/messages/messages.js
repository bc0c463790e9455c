// Messages on the walls: what stands, with the time left, and a new one, looked at before it can be sent. What was
// just sent or taken back can be undone.

import { $, make, setText, shape } from "../dom.js";
import { may, toLogin } from "../people/session.js";
import { gatewayNow } from "../stream.js";
import { fill, locales, number, sentence, span, words } from "../words/words.js";

const WAIT_MS = 20000; // an answer that has not come by then does not
const SAME = { headers: { "Content-Type": "application/json" } };
const hourAndMinute = new Intl.DateTimeFormat(locales, { hour: "2-digit", minute: "2-digit" });

const names = new Map(); // of the walls, by id
const standing = new Map(); // by id: text, walls, and when it ends, on the gateway's clock, in ms
let undo = null; // how what was just done here is undone: what to call, and until when, on the same clock
let looked = null; // what was looked at, as it is asked; only that may be sent
let asking = 0; // counts up: an answer to what was asked before the last change is for nobody

export function buildMessages(plan) {
  const chosen = new Set(walls());
  names.clear();
  for (const { id, name } of plan) names.set(id, name);
  const boxes = plan.map(({ id, name }) => box(id, name, chosen.has(id)));
  const all = box("", words.message_all_walls, chosen.size === 0);
  all.querySelector("input").id = "message-all";
  $("message-walls").replaceChildren(...$("message-walls").querySelectorAll("legend"), all, ...boxes);
  allowMessages();
  changed();
}

// Who may not send any has no button for them.
export function allowMessages() {
  if (!$("messages-open").textContent) setText($("messages-open"), words.messages);
  $("messages-open").hidden = names.size === 0 || !may("say");
}

function box(id, name, checked) {
  const input = make("input", "");
  Object.assign(input, { type: "checkbox", value: id, checked });
  const text = make("span", "", name);
  text.dir = "auto";
  return make("label", "", input, text);
}

// The walls that are chosen; none: all of them.
function walls() {
  return [...$("message-walls").querySelectorAll("input:checked")].map((input) => input.value).filter(Boolean);
}

// ---- what stands ----

export function drawMessages(doc) {
  const { standing: sent, others } = doc || { standing: [], others: [] };
  const focused = document.activeElement?.closest("#messages-list li")?.dataset.message;
  standing.clear();
  for (const row of sent) standing.set(row.id, { ...row, end: doc.said_ms + row.left_s * 1000 });
  const rows = [...sent.map(own), ...others.map(other)];
  $("messages-list").replaceChildren(...(rows.length ? rows : [make("li", "none", words.messages_none)]));
  setText($("messages-open"), sent.length ? fill(words.messages_n, { n: number(sent.length) }) : words.messages);
  if (focused) ($("messages-list").querySelector(`[data-message="${focused}"] button`) || $("message-text")).focus();
  tickMessages();
}

function own({ id, text, walls: on, on: shown }) {
  const back = make("button", "", words.message_back);
  back.type = "button";
  back.ariaLabel = fill(words.message_back_aloud, { text });
  const where = on.length ? on.map(nameOf).join(", ") : words.message_all_walls;
  const row = make("li", "", shape("dot"), said(text), make("span", "label", where), make("span", "label left", ""));
  if (!shown.length) row.append(make("span", "label", words.message_hidden));
  row.append(back);
  row.dataset.message = id;
  return row;
}

function other({ kind, text, on }) {
  const where = on.length === names.size ? words.message_all_walls : on.map(nameOf).join(", ");
  return make("li", "", shape("ring"), said(text), make("span", "label", where),
    make("span", "label", words.message_kind[kind] || kind));
}

function said(text) {
  const line = make("b", "", text);
  line.dir = "auto";
  return line;
}

function nameOf(id) {
  return names.get(id) ?? id;
}

export function tickMessages() {
  const now = gatewayNow();
  if (now === null) return;
  for (const [id, { end }] of standing) {
    const left = $("messages-list").querySelector(`[data-message="${id}"] .left`);
    const seconds = Math.max(0, Math.ceil((end - now) / 1000));
    const rounded = seconds < 60 ? seconds : Math.ceil(seconds / 60) * 60;
    if (left) setText(left, fill(words.message_left, { span: span(rounded), time: timeIn(end - now) }));
  }
  if (undo && now >= undo.end) offer(null); // it is over anyway
  const minutes = asMinutes();
  setText($("message-until"), minutes === null ? "" : fill(words.message_until, { time: timeIn(minutes * 60000) }));
}

// The time of day so many ms from now, by the reader's own clock.
function timeIn(ms) {
  return hourAndMinute.format(Date.now() + ms);
}

// For how many minutes, as it stands in the form; null: no number that can be sent.
function asMinutes() {
  const field = $("message-minutes");
  return field.validity.valid && Number.isInteger(field.valueAsNumber) ? field.valueAsNumber : null;
}

// ---- a new one ----

function asked() {
  return JSON.stringify({ text: $("message-text").value, walls: walls() });
}

// What stands in the form is another message now: it has to be looked at again.
function changed() {
  setText($("message-count"), fill(words.message_count, { n: number([...$("message-text").value].length) }));
  if (asked() === looked) return;
  asking += 1;
  looked = null;
  $("message-send").disabled = true;
  $("message-looks").replaceChildren();
  say("");
}

async function look() {
  const what = asked();
  const mine = ++asking;
  say(words.message_looking);
  const [answer, body] = await ask("api/messages/preview", { method: "POST", body: what });
  if (mine !== asking) return;
  if (!answer?.ok) return refuse(answer, body);
  const looks = await Promise.all(body.looks.map(picture));
  if (mine !== asking) return;
  $("message-looks").replaceChildren(...looks);
  const can = body.looks.some((row) => row.can);
  looked = can ? what : null;
  $("message-send").disabled = !can;
  const warned = body.looks.some((row) => row.warnings.length);
  say(can ? (warned ? words.message_looked_warned : words.message_looked) : words.message_cannot);
}

// What walls that are alike would show, and what their author should know.
async function picture({ walls: on, png, moves, warnings, can }) {
  const where = make("figcaption", "", on.map(nameOf).join(", "));
  if (moves) where.append(make("span", "label", words.message_moves));
  for (const row of warnings) {
    const text = fill(words.message_warning[row.kind] || row.words, row);
    where.append(make("span", "warned", shape(can ? "triangle" : "cross"), text));
  }
  if (!png) return make("figure", "", where);
  const canvas = make("canvas", "");
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const drawn = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  [canvas.width, canvas.height] = [drawn.width, drawn.height];
  canvas.getContext("2d").drawImage(drawn, 0, 0);
  drawn.close();
  canvas.role = "img";
  canvas.ariaLabel = fill(words.message_look_aloud, { name: on.map(nameOf).join(", ") });
  return make("figure", "", canvas, where);
}

async function send(event) {
  event.preventDefault();
  if (looked === null || looked !== asked()) return;
  $("message-send").disabled = true;
  const done = await post({ ...JSON.parse(looked), minutes: asMinutes() ?? 0 }, say);
  $("message-send").disabled = looked === null;
  if (!done) return;
  $("message-text").value = "";
  changed();
  $("message-text").focus();
}

// Sends it; true when it stands. `no` is told why it does not.
async function post(message, no) {
  offer(null); // what was done before is not undone by a hand that is already on its way
  const [answer, told] = await ask("api/messages", { method: "POST", body: JSON.stringify(message) });
  if (!answer?.ok) return refuse(answer, told, no);
  tell(told?.kept === false ? words.message_sent_unkept : words.message_sent);
  const { id, text } = told;
  const end = (gatewayNow() ?? performance.now()) + told.left_s * 1000;
  offer({
    end, aloud: fill(words.message_back_aloud, { text }),
    act: async () => await takeBack({ ...message, id, end }) && writeAnew(message),
  });
  return true;
}

// Ends it; true when it is over. What was left of it can be sent again.
async function takeBack({ id, text, walls: on, end }) {
  offer(null);
  const [answer, told] = await ask("api/messages/" + id, { method: "DELETE" });
  if (!answer?.ok) return refuse(answer, told, tell);
  tell(told ? words.message_taken_back_unkept : words.message_taken_back);
  offer({
    end, aloud: fill(words.message_again_aloud, { text }),
    act: () => post({ text, walls: on, minutes: Math.ceil((end - gatewayNow()) / 60000) }, tell),
  });
  return true;
}

// Whoever takes back what he has just sent wants to write it otherwise.
function writeAnew({ text, walls: on }) {
  if ($("message-text").value !== "") return;
  $("message-text").value = text;
  for (const input of $("message-walls").querySelectorAll("input")) {
    input.checked = input.value === "" ? on.length === 0 : on.includes(input.value);
  }
  changed();
}

// A way back from what was just done, until something else is done or it is over; null: none.
function offer(next) {
  undo = next;
  const button = $("message-undo");
  if (document.activeElement === button) $("message-text").focus();
  button.hidden = next === null;
  button.ariaLabel = next ? `${words.message_undo}: ${next.aloud}` : null;
}

async function undoIt() {
  await undo?.act();
}

// (answer, what it says); null for none.
async function ask(path, how) {
  try {
    const answer = await fetch(path, { ...SAME, ...how, signal: AbortSignal.timeout(WAIT_MS) });
    const told = answer.status === 204 ? null : await answer.json();
    if (answer.status === 401) toLogin("ended");
    return [answer, told];
  } catch {
    return [null, null];
  }
}

function refuse(answer, told, tellIt = say) {
  const why = words.message_refused[told?.kind] || words.people_refused[told?.kind];
  tellIt(answer ? why || sentence(told?.words || "") : words.message_no_answer);
  return false;
}

// Of what stands; `say` is of what is being written.
function tell(text) {
  setText($("messages-done"), text);
}

function say(text) {
  setText($("message-said"), text);
}

export function listenToMessages() {
  $("messages-open").addEventListener("click", () => $("messages").showModal());
  $("messages-close").addEventListener("click", () => $("messages").close());
  $("messages").addEventListener("close", () => {
    offer(null);
    tell("");
  });
  $("message-undo").addEventListener("click", undoIt);
  $("message-minutes").addEventListener("input", tickMessages);
  $("message-text").addEventListener("input", changed);
  $("message-walls").addEventListener("change", (event) => {
    const boxes = [...$("message-walls").querySelectorAll("input")];
    for (const other of boxes) if ((event.target.value === "") !== (other.value === "")) other.checked = false;
    if (!boxes.some((other) => other.checked)) boxes[0].checked = true;
    changed();
  });
  $("message-look").addEventListener("click", look);
  $("message-form").addEventListener("submit", send);
  $("messages-list").addEventListener("click", (event) => {
    const message = standing.get(event.target.closest("button")?.closest("li").dataset.message);
    if (message) takeBack(message);
  });
}
