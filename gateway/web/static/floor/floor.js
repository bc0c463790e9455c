// The floor: one button a desk, placed as on the floor, its status by shape and colour, its reason on asking.

import { $, make, setData, setFigure, setText, shape } from "../dom.js";
import { place } from "./placing.js";
import { fill, number, sentence, told, words } from "../words/words.js";

// A status is told by shape as well as by colour.
export const STATUS_SHAPE = {
  free: "ring", ringing: "triangle", talking: "disc", held: "bars",
  away: "dash", unknown: "question", lost: "cross",
};

const MANY = 24; // more of them have the middle of the page to themselves
const PHONE = 560; // px: a narrower map is one for fingers, with what is wrong first
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const desks = new Map(); // by id: the plan's row, its element, its place on the map, its words
const only = new Set(); // the statuses that are asked for; none: all
let rooms = [];
let drawing = null; // the house's own, once it is here
let drawingFor = null; // the plan it was asked for
let kind = ""; // how they stand: "drawn", "mapped" or "lines"
let phone = false;
let due = false; // they are to be placed anew
const placed = new WeakMap(); // an element's place, as it was put last
let about = null; // the desk whose words are shown

export function buildFloor({ desks: plan, rooms: named = [], floor_plan: hasDrawing = false }) {
  const map = $("map");
  desks.clear();
  only.clear();
  rooms = named;
  drawing = null;
  showAbout(null);
  for (const row of plan) {
    const element = make("button", "desk", row.name);
    element.type = "button";
    element.dir = "auto";
    element.tabIndex = -1;
    element.dataset.desk = row.id;
    const room = roomOf(row);
    desks.set(row.id, { ...row, element, room, rank: 2, text: "", doc: undefined, finding: null });
    drawDesk(row.id, undefined);
  }
  document.body.dataset.desks = plan.length > MANY ? "many" : "few";
  map.ariaLabel = fill(words.map_aloud, { n: plan.length });
  map.replaceChildren(...[...desks.values()].map((desk) => desk.element));
  if (plan.length) map.firstChild.tabIndex = 0;
  else map.append(make("p", "none", words.no_desks));
  $("legend").ariaLabel = words.show_only;
  $("legend").replaceChildren(...Object.keys(words.status).map(filterOf));
  drawCounts(undefined);
  setText($("map-note"), "");
  arrange();
  if (hasDrawing) fetchDrawing(plan);
}

async function fetchDrawing(plan) {
  drawingFor = plan;
  try {
    const { readDrawing } = await import("./drawing.js");
    const found = await readDrawing();
    if (drawingFor !== plan) return; // another plan has come meanwhile
    drawing = found;
    $("map").prepend(found.image);
    arrange();
  } catch {
    if (drawingFor === plan) setText($("map-note"), words.drawing_failed);
  }
}

// The name of the room that a desk stands in; the smallest, where one is part of another.
function roomOf({ at }) {
  if (!at) return "";
  const within = (n, first, count) => n >= first && n < first + count;
  const inside = (room) => [0, 1].every((k) => within(at[k], room.at[k], room.size[k]));
  const area = (room) => room.size[0] * room.size[1];
  return rooms.filter(inside).sort((a, b) => area(a) - area(b))[0]?.name ?? "";
}

// A status with its count: pressed, the map shows only desks of that status, and of others that are pressed.
function filterOf(status) {
  const button = make("button", "", shape(STATUS_SHAPE[status]), make("b", ""), make("span", "", words.status[status]));
  button.type = "button";
  button.ariaPressed = "false";
  const item = make("li", "", button);
  item.dataset.status = status;
  return item;
}

// A count of desks with its shape and word.
export function countOf(status, count) {
  const item = make("li", "", shape(STATUS_SHAPE[status]), count, make("span", "", words.status[status]));
  item.dataset.status = status;
  return item;
}

export function drawDesk(id, doc) {
  const desk = desks.get(id);
  if (!desk) return;
  desk.doc = doc;
  const status = doc ? doc.status : "unknown";
  const reason = doc ? told(doc.reason) : words.nothing_said;
  const fault = doc?.fault ? told(doc.fault) : "";
  const wrong = [...(desk.finding ? [desk.finding.what, desk.finding.todo] : []), fault].filter(Boolean);
  const more = doc ? moreOf(doc) : [];
  const text = [`${desk.name}: ${words.status[status]}`, reason, ...wrong, ...more, desk.room].filter(Boolean)
    .map((part) => sentence(part).replace(/\.$/, "")).join(". ");
  if (text === desk.text) return;
  Object.assign(desk, { text, reason, more, status, fault: fault === reason ? "" : fault });
  setData(desk.element, "wrong", desk.finding ? "finding" : fault ? "fault" : "");
  setData(desk.element, "status", status);
  setData(desk.element, "shape", STATUS_SHAPE[status]);
  setData(desk.element, "said", words.status[status]);
  desk.element.ariaLabel = text;
  const rank = desk.finding ? 0 : status === "lost" ? 1 : status === "unknown" || fault ? 2 : 3;
  const moves = phone && kind === "lines" && (rank !== desk.rank || only.size > 0);
  desk.rank = rank;
  if (only.size) sift(desk);
  if (moves) arrangeSoon();
  if (about === desk) showAbout(desk);
}

// What does not fit at a desk, in words: `what`, `todo`, `both`; null: all does.
export function markDesk(id, finding) {
  const desk = desks.get(id);
  if (!desk) return;
  desk.finding = finding;
  drawDesk(id, desk.doc);
}

// The name of a desk; null where there is none.
export function nameOf(id) {
  return desks.get(id)?.name ?? null;
}

export function goToDesk(id) {
  const desk = desks.get(id);
  if (!desk) return;
  if (!isAsked(desk)) askFor(null);
  goTo(desk);
}

// What the phone and the headset say, as far as they are known.
function moreOf({ phone, in_call, rings, muted, docked, missed }) {
  const headset = words.rings[rings] || words.in_call[in_call];
  const parts = [words.phone[phone], headset, words.docked[docked], words.muted[muted]];
  if (missed) parts.push(fill(words.missed, { n: missed }));
  return parts.filter(Boolean);
}

export function drawCounts(doc) {
  for (const item of $("legend").children) {
    setFigure(item.querySelector("b"), number(doc?.[item.dataset.status]), words.nothing_said);
  }
}

// ---- only some of them ----

function isAsked(desk) {
  return !only.size || only.has(desk.status);
}

// Who is not asked for is faint on a map, and away from a list; the one that is read stays until it is left.
function sift(desk) {
  const off = !isAsked(desk) && desk.element !== document.activeElement;
  setData(desk.element, "off", String(off));
  desk.element.hidden = off && phone && kind === "lines";
}

// Asks for a status or takes that back; null: for all.
function askFor(status) {
  if (status === null) only.clear();
  else if (!only.delete(status)) only.add(status);
  for (const item of $("legend").children) item.firstChild.ariaPressed = String(only.has(item.dataset.status));
  arrange();
}

// ---- where each desk stands ----

// Once for all that changes now, and not under somebody's finger.
function arrangeSoon() {
  if (due) return;
  due = true;
  requestAnimationFrame(arrangeDue);
}

function arrangeDue() {
  if (due && !about && !$("map").contains(document.activeElement)) arrange();
}

// Puts every desk, the rooms and the drawing where they belong.
function arrange() {
  due = false;
  const map = $("map");
  if (!desks.size) return;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const tight = getComputedStyle(map).overflowY === "auto"; // as high as the window leaves it
  const frame = map.getBoundingClientRect();
  const width = Math.floor(frame.width);
  const height = tight ? Math.floor(frame.height) : Infinity;
  const space = { width, height, rem, phone: width < PHONE };
  let layout = place([...desks.values()], rooms, drawing, space);
  [kind, phone] = [layout.kind, space.phone];
  for (const desk of desks.values()) sift(desk);
  const shown = [...desks.values()].filter((desk) => !desk.element.hidden);
  if (shown.length < desks.size) layout = place(shown, rooms, drawing, { ...space });
  const { least } = layout;
  setData(map, "kind", kind);
  const fits = layout.height <= height && tight; // then the window says how high the map is, not the map
  map.style.setProperty("--map-height", fits ? "0" : Math.ceil(layout.height) + "px");
  const size = Math.min(least.wide * 0.55, least.high * 0.3 + 4, 2.75 * rem);
  map.style.setProperty("--shape-size", Math.round(size) + "px");
  setData(map, "tiles", tileSize(least.wide / rem, least.high / rem));
  for (const desk of shown) put(desk.element, desk.place);
  for (const old of map.querySelectorAll(".room")) old.remove();
  map.prepend(...layout.rooms.map(roomShown));
  if (drawing) {
    drawing.image.hidden = !layout.drawing;
    if (layout.drawing) put(drawing.image, layout.drawing);
    setText($("map-note"), layout.drawing ? "" : words.drawing_small);
  }
  sayNone(map, shown.length === 0);
  if (layout.order && phone) readInOrder(map, layout.order);
  const stops = shown.filter(isAsked);
  if (!stops.some((desk) => desk.element.tabIndex === 0)) makeStop(layout.order?.find(isAsked) ?? stops[0] ?? shown[0]);
  showAbout(about);
}

function put(element, { x, y, wide, high }) {
  const where = [x, y, wide, high].join();
  if (placed.get(element) === where) return; // most stay where they are
  placed.set(element, where);
  Object.assign(element.style, { left: x + "px", top: y + "px", width: wide + "px", height: high + "px" });
}

function roomShown(area) {
  const name = make("span", "", area.name);
  name.dir = "auto";
  const room = make("div", "room", name);
  room.ariaHidden = "true"; // each desk names its own
  put(room, area);
  return room;
}

function sayNone(map, none) {
  map.querySelector(".none")?.remove();
  if (none) map.append(make("p", "none", words.none_of_these));
}

// What is read aloud follows what is seen.
function readInOrder(map, order) {
  const now = [...map.querySelectorAll(".desk:not([hidden])")];
  if (order.every((desk, n) => desk.element === now[n])) return;
  if (!map.contains(document.activeElement)) map.append(...order.map((desk) => desk.element));
}

// The whole map is one stop for Tab: this desk.
function makeStop(desk) {
  for (const other of desks.values()) if (other.element.tabIndex === 0) other.element.tabIndex = -1;
  if (desk) desk.element.tabIndex = 0;
}

// What has room on a tile of so many rem: shape, name and word; shape and name, below or beside it; the shape alone.
function tileSize(wide, high) {
  if (wide >= 6 && high >= 5.5) return "big";
  if (wide >= 2.2 && high >= 2.6) return "middle";
  return wide >= 2.8 && high >= 1.5 ? "row" : "small";
}

// ---- asking a desk ----

// The nearest desk that way: straight on before aside.
function neighbour(from, [x, y]) {
  let best = null;
  let least = Infinity;
  const middle = ({ place: at }) => [at.x + at.wide / 2, at.y + at.high / 2];
  const [across, below] = middle(from);
  for (const desk of desks.values()) {
    if (desk.element.hidden || !isAsked(desk)) continue;
    const [there, under] = middle(desk);
    const [right, down] = [there - across, under - below];
    const on = right * x + down * y;
    const far = on + 3 * (Math.abs(right * y) + Math.abs(down * x));
    if (on > 1 && far < least) [best, least] = [desk, far];
  }
  return best;
}

function goTo(desk) {
  makeStop(desk);
  desk.element.focus();
  showAbout(desk);
}

function showAbout(desk) {
  about = desk || null;
  const box = $("about");
  box.hidden = !about;
  if (!about) return;
  const title = make("p", "", shape(STATUS_SHAPE[desk.status]), make("b", "", make("bdi", "", desk.name)));
  title.append(" ", words.status[desk.status]);
  if (desk.room) title.append(make("span", "label", " · ", make("bdi", "", desk.room)));
  title.dataset.status = desk.status;
  const more = desk.more.length ? [make("p", "label", sentence(desk.more.join(" · ")))] : [];
  const { what, todo, both } = desk.finding || {};
  const wrong = [];
  if (what) wrong.push(make("p", "wrong", shape("triangle"), what), make("p", "", todo), make("p", "label", both));
  if (desk.fault) wrong.push(make("p", "wrong", shape("question"), sentence(desk.fault)));
  box.replaceChildren(title, make("p", "", sentence(desk.reason)), ...wrong, ...more);
  const tile = desk.element.getBoundingClientRect();
  const below = tile.bottom + 8 + box.offsetHeight < innerHeight;
  const middle = tile.left + tile.width / 2 - box.offsetWidth / 2;
  box.style.top = (below ? tile.bottom + 8 : Math.max(8, tile.top - 8 - box.offsetHeight)) + "px";
  box.style.left = Math.max(8, Math.min(innerWidth - box.offsetWidth - 8, middle)) + "px";
}

// Hover, focus and tap show a desk's words; Escape and leaving hide them.
export function listenToFloor() {
  const map = $("map");
  const deskOf = (element) => desks.get(element?.dataset?.desk);
  map.addEventListener("keydown", (event) => {
    const [here, step] = [deskOf(event.target), STEPS[event.key]];
    if (!here || !step) return;
    event.preventDefault();
    const next = neighbour(here, step);
    if (next) goTo(next);
  });
  map.addEventListener("click", (event) => deskOf(event.target) && goTo(deskOf(event.target)));
  map.addEventListener("focusin", (event) => showAbout(deskOf(event.target)));
  map.addEventListener("focusout", ({ target }) => {
    showAbout(null);
    if (only.size && deskOf(target)) requestAnimationFrame(() => sift(deskOf(target)));
    requestAnimationFrame(arrangeDue);
  });
  $("legend").addEventListener("click", ({ target }) => {
    const item = target.closest("li");
    if (item) askFor(item.dataset.status);
  });
  document.addEventListener("pointerover", (event) => {
    if ($("about").contains(event.target)) return;
    showAbout(deskOf(event.target) || deskOf(document.activeElement));
    arrangeDue();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && showAbout(null));
  document.addEventListener("scroll", () => showAbout(about), { capture: true, passive: true });
  new ResizeObserver(arrange).observe(map);
}
