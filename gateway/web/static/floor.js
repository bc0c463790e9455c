// The floor: one button a desk, placed as on the floor, its status by shape and colour, its reason on asking.

import { $, make, setData, setFigure, setText, shape } from "./dom.js";
import { flowed, mapped, TILE_LEAST } from "./placing.js";
import { fill, number, sentence, told, words } from "./words.js";

// A status is told by shape as well as by colour.
export const STATUS_SHAPE = {
  free: "ring", ringing: "triangle", talking: "disc", held: "bars",
  away: "dash", unknown: "question", lost: "cross",
};

const TILE_MOST = { width: 14, height: 10.5 }; // rem
const MANY = 24; // more of them have the middle of the page to themselves
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const desks = new Map(); // by id: the plan's row, its element, its place on the map, its words
let about = null; // the desk whose words are shown

export function buildFloor(plan) {
  const map = $("map");
  desks.clear();
  showAbout(null);
  for (const row of plan) {
    const element = make("button", "desk", row.name);
    element.type = "button";
    element.tabIndex = -1;
    element.dataset.desk = row.id;
    desks.set(row.id, { ...row, element, column: 0, line: 0, text: "", doc: undefined, finding: null });
    drawDesk(row.id, undefined);
  }
  document.body.dataset.desks = plan.length > MANY ? "many" : "few";
  map.ariaLabel = fill(words.map_aloud, { n: number(plan.length) });
  map.replaceChildren(...[...desks.values()].map((desk) => desk.element));
  if (plan.length) map.firstChild.tabIndex = 0;
  else map.append(make("p", "none", words.no_desks));
  $("legend").replaceChildren(...Object.keys(words.status).map((status) => countOf(status, make("b", ""))));
  drawCounts(undefined);
  arrange();
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
  const text = [`${desk.name}: ${words.status[status]}`, reason, ...wrong, ...more]
    .map((part) => sentence(part).replace(/\.$/, "")).join(". ");
  if (text === desk.text) return;
  Object.assign(desk, { text, reason, more, status, fault: fault === reason ? "" : fault });
  setData(desk.element, "wrong", desk.finding ? "finding" : fault ? "fault" : "");
  setData(desk.element, "status", status);
  setData(desk.element, "shape", STATUS_SHAPE[status]);
  setData(desk.element, "said", words.status[status]);
  desk.element.ariaLabel = text;
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
  if (desk) goTo(desk);
}

// What the phone and the headset say, as far as they are known.
function moreOf({ phone, in_call, rings, muted, docked, missed }) {
  const headset = words.rings[rings] || words.in_call[in_call];
  const parts = [words.phone[phone], headset, words.docked[docked], words.muted[muted]];
  if (missed) parts.push(fill(words.missed, { n: number(missed) }));
  return parts.filter(Boolean);
}

export function drawCounts(doc) {
  for (const item of $("legend").children) {
    setFigure(item.querySelector("b"), number(doc?.[item.dataset.status]), words.nothing_said);
  }
}

// ---- where each desk stands ----

// Puts every desk where the plan says, or in lines where it says nothing or there is no room.
function arrange() {
  const map = $("map");
  if (!desks.size) return;
  const all = [...desks.values()];
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const tight = getComputedStyle(map).overflowY === "auto"; // as high as the window leaves it
  const room = map.getBoundingClientRect();
  const width = Math.floor(room.width);
  const height = tight ? Math.floor(room.height) : Infinity;
  const { columns, lines } = mapped(all, width) || flowed(all, width, height, all.length <= MANY);
  const gap = width / columns > 60 ? 8 : width / columns > 30 ? 3 : 2;
  const share = (whole, count) => Math.max(TILE_LEAST, Math.floor((whole - gap * (count - 1)) / count));
  const wide = Math.min(share(width, columns), TILE_MOST.width * rem);
  const high = Math.min(tight ? share(height, lines) : wide * 0.9, TILE_MOST.height * rem);
  map.style.gap = gap + "px";
  map.style.gridTemplateColumns = `repeat(${columns}, ${wide}px)`;
  map.style.gridTemplateRows = `repeat(${lines}, ${high}px)`;
  map.style.setProperty("--shape-size", Math.round(Math.min(wide * 0.55, high * 0.3 + 4, 2.75 * rem)) + "px");
  setData(map, "tiles", tileSize(wide / rem, high / rem));
  for (const desk of all) {
    desk.element.style.gridColumn = desk.column + 1;
    desk.element.style.gridRow = desk.line + 1;
  }
  showAbout(about);
}

// What has room on a tile of so many rem: shape, name and word; shape and name; the shape alone.
function tileSize(wide, high) {
  if (wide >= 6 && high >= 5.5) return "big";
  return wide >= 2.2 && high >= 2.6 ? "middle" : "small";
}

// ---- asking a desk ----

// The nearest desk that way: straight on before aside.
function neighbour(from, [x, y]) {
  let best = null;
  let least = Infinity;
  for (const desk of desks.values()) {
    const [right, down] = [desk.column - from.column, desk.line - from.line];
    const on = right * x + down * y;
    const far = on + 3 * (Math.abs(right * y) + Math.abs(down * x));
    if (on > 0 && far < least) [best, least] = [desk, far];
  }
  return best;
}

function goTo(desk) {
  for (const other of desks.values()) if (other.element.tabIndex === 0) other.element.tabIndex = -1;
  desk.element.tabIndex = 0;
  desk.element.focus();
  showAbout(desk);
}

function showAbout(desk) {
  about = desk || null;
  const box = $("about");
  box.hidden = !about;
  if (!about) return;
  const title = make("p", "", shape(STATUS_SHAPE[desk.status]), make("b", "", desk.name));
  title.append(" ", words.status[desk.status]);
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
  map.addEventListener("focusout", () => showAbout(null));
  document.addEventListener("pointerover", (event) => {
    if ($("about").contains(event.target)) return;
    showAbout(deskOf(event.target) || deskOf(document.activeElement));
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && showAbout(null));
  document.addEventListener("scroll", () => showAbout(about), { capture: true, passive: true });
  new ResizeObserver(arrange).observe(map);
}
