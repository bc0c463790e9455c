// The walls: what each should show, light by light, and beside it in words what the wall itself says it shows.

import { $, make, setData, setText, shape } from "../dom.js";
import { said } from "../stream.js";
import { putSays, saysOf } from "./wall_says.js";
import { fill, language, told, words } from "../words/words.js";

const APART_MS = 500; // a picture after a change, at most this often
const EVERY_MS = 1000; // and this often anyway: waits tick on it, its pages turn
const AGAIN_MS = 5000; // where there was none
const FRESH_SHAPE = { true: "dot", false: "triangle", unknown: "question" };

const walls = new Map(); // by id: the plan's row, the elements that change, when it was last asked for
let large = null; // the wall that is shown large, on asking: its id, and what draws it

export function buildWalls(plan) {
  walls.clear();
  for (const row of plan) {
    walls.set(row.id, { ...row, ...card(row), busy: false, changed: true, asked: -Infinity });
    drawWall(row.id, undefined);
  }
  const cards = [...walls.values()].map((wall) => wall.element);
  $("wall-cards").dataset.many = plan.length > 2;
  $("wall-cards").replaceChildren(...(cards.length ? cards : [make("p", "none", words.no_walls)]));
}

export function nameOf(id) {
  return walls.get(id)?.name ?? id;
}

function card({ id, name, size }) {
  const canvas = make("canvas", "");
  [canvas.width, canvas.height] = size;
  canvas.role = "img";
  canvas.ariaLabel = fill(words.wall_aloud, { name });
  const link = make("a", "", name); // the wall by itself, as large as the screen
  link.href = `wall/${id}`;
  const title = make("h3", "", link);
  title.dir = "auto";
  const [none, mark] = [make("p", "none", words.no_picture), shape("question")];
  const [state, reason, over] = [make("b", ""), make("span", "reason"), make("p", "over", "")];
  const [says, enlarge] = [make("ul", "says"), make("button", "enlarge", make("span", "", words.wall_large))];
  says.ariaLabel = fill(words.wall_says, { name });
  enlarge.type = "button";
  enlarge.ariaLabel = fill(words.wall_large_of, { name });
  enlarge.setAttribute("aria-haspopup", "dialog");
  enlarge.addEventListener("click", () => enlargeWall(id));
  reason.dir = "auto"; // a board's own words are in it
  const element = make("article", "wall", make("div", "picture", canvas, none, over, enlarge),
    make("div", "words", title, make("p", "", make("span", "marked", mark, state), reason), says));
  element.dataset.wall = id;
  return { element, canvas, none, mark, state, reason, over, says };
}

export function drawWall(id, doc) {
  const wall = walls.get(id);
  if (!wall) return;
  const off = doc?.percent === 0 && !doc.shown_percent;
  const fresh = doc ? String(doc.fresh || off) : "unknown";
  setData(wall.element, "fresh", fresh);
  setData(wall.mark, "shape", doc?.alarm ? "triangle" : off ? "dash" : FRESH_SHAPE[fresh]);
  setData(wall.element, "alarm", String(Boolean(doc?.alarm)));
  setData(wall.element, "off", String(off));
  const wrong = doc?.wrong && doc.wrong !== "old" && fresh === "true"; // its figures are fresh, and yet it is not right
  setText(wall.state, wrong ? words.wall_wrong : off ? words.wall_off : doc ? words.fresh[fresh] : words.status.unknown);
  setText(wall.reason, doc ? told(doc.reason) : words.nothing_said);
  setText(wall.over, doc?.wrong ? words.wall_differs : off ? offWords(doc.off_until) : "");
  drawSays(wall, doc);
  wall.changed = true;
}

// "off until 07:00", with the day where that is not within a day; by the clocks of the site.
function offWords(until) {
  if (!until) return words.wall_off;
  const [day, time] = [until.slice(0, 10), until.slice(11, 16)];
  const soon = new Date(until) - Date.now() < 24 * 3600_000;
  const weekday = new Date(`${day}T12:00`).toLocaleDateString(language, { weekday: "short" });
  return fill(words.wall_off_until, { time: soon ? time : `${weekday} ${time}` });
}

function drawSays(wall, doc) {
  const says = saysOf(wall.id, doc);
  putSays(wall.says, says);
  if (large?.id === wall.id) large.draw(doc, says, wall.element.dataset.fresh);
}

// A wall that is asked for, large; it goes with its button when the site file loses it.
async function enlargeWall(id) {
  const { openLarge } = await import("./wall_large.js");
  const wall = walls.get(id);
  if (!wall || large) return;
  large = openLarge(wall, () => {
    large = null;
  });
  drawSays(wall, said.get(`wall/${id}`));
  if (!wall.busy) look(wall, performance.now());
}

// Something changed that may stand on any wall.
export function wallsChanged() {
  for (const wall of walls.values()) wall.changed = true;
}

export function tickWalls() {
  const now = performance.now();
  for (const wall of walls.values()) {
    drawSays(wall, said.get(`wall/${wall.id}`)); // ages tick on
    const every = wall.none.hidden ? EVERY_MS : AGAIN_MS;
    if (!wall.busy && now - wall.asked >= (wall.changed ? APART_MS : every)) look(wall, now);
  }
}

async function look(wall, now) {
  Object.assign(wall, { busy: true, changed: false, asked: now });
  const picture = await fetched(`walls/${wall.id}.png`);
  wall.busy = false;
  for (const shown of large?.id === wall.id ? [wall, large] : [wall]) {
    shown.none.hidden = picture !== null;
    if (picture) light(shown, picture);
    else shown.canvas.getContext("2d").clearRect(0, 0, shown.canvas.width, shown.canvas.height);
  }
  picture?.close();
}

// The picture, or null: none is shown as none, never as the last one.
async function fetched(path) {
  try {
    const answer = await fetch(path, { cache: "no-cache", signal: AbortSignal.timeout(AGAIN_MS) });
    return answer.ok ? await createImageBitmap(await answer.blob()) : null;
  } catch {
    return null;
  }
}

// A picture of one pixel a light is drawn as round lights; a bigger one as it is.
function light({ canvas, size }, picture) {
  const raw = picture.width === size[0];
  const dot = raw ? Math.max(3, Math.ceil((canvas.clientWidth * devicePixelRatio) / picture.width)) : 1;
  const [width, height] = [picture.width * dot, picture.height * dot];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.globalCompositeOperation = "copy";
  pen.drawImage(picture, 0, 0, width, height);
  if (!raw) return;
  pen.globalCompositeOperation = "destination-in";
  pen.fillStyle = pen.createPattern(roundDot(dot), "repeat");
  pen.fillRect(0, 0, width, height);
}

function roundDot(size) {
  const dot = new OffscreenCanvas(size, size);
  const pen = dot.getContext("2d");
  pen.arc(size / 2, size / 2, size * 0.46, 0, 2 * Math.PI);
  pen.fill();
  return dot;
}
