// A wall in a browser: it hears what a wall's board hears, and draws and doubts as a board does (firmware/wall.py).

import { $, setText } from "../dom.js";
import { now, whenWoken } from "./wall_clock.js";
import { enter, isShut, look, takeToken } from "./wall_door.js";
import { aloud } from "./wall_aloud.js";
import { Lights } from "./wall_lights.js";
import { load, loadMessage } from "./wall_load.js";
import { changesIn, draw, Picture } from "./wall_scene.js";
import { follow, mend, open, shown } from "./wall_stream.js";
import { Values } from "./wall_values.js";
import { fill, words } from "../words/words.js";

const STALE_MS = 1000; // an age is redrawn this often, and no message outlives its end by more
const OLD_PERCENT = 20; // lights that are off by plan come on so bright when the figures are old
const LOOK_MS = 1000; // so often it is looked after the stream, and after a sleep of this machine
const ALOUD_MS = 5000; // what is read aloud changes no more often
const HINT_MS = 6000;
const STILL_MS = 3000; // so long after it was moved the mouse is hidden
const SOON_MS = 50; // what is due by then waits for the screen's next picture, not for a timer

const screen = $("screen");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const refused = new Map(); // kind: why the last that came cannot be used
let about = null; // what the gateway says of this wall: its size, its colours, its figures
let values = null;
let picture = null;
let lights = null;
let scene = null; // the last good one
let told = null; // the last good message, with its fields boot and until_s
let percent = null;
let next_ms = 0; // when it is drawn again
let framed = false; // the screen's next picture is asked for
let timer = 0;
let said_ms = -Infinity;
let awake = null; // what keeps the screen on
let stillAt = 0;

const HEAR = {
  wall: takeAbout,
  scene: (fields) => {
    scene = load(fields, picture.w, picture.h, about.form);
  },
  light: (fields) => {
    percent = fields.percent;
  },
  message: takeMessage,
  gateway: (fields, at_ms) => values.takeGateway(fields, at_ms),
  values: (fields, at_ms) => values.takeValues(fields, at_ms),
  beat: takeBeat,
};

function hear(kind, fields, at_ms) {
  if (kind !== "wall" && !about) return;
  try {
    HEAR[kind](fields, at_ms);
    refused.delete(kind);
  } catch (error) {
    console.warn(`${kind} refused`, error); // the last good one stays
    refused.set(kind, error.message);
  }
  complain();
  drawSoon();
}

function takeAbout(fields) {
  if (about && about.page !== fields.page) location.reload(); // the gateway brought a newer page
  const [w, h] = fields.size;
  const same = picture && picture.w === w && picture.h === h;
  about = fields;
  document.title = `${about.name} · ${about.site}`;
  if (!values) values = new Values(about.beat_s, about.proof_ms);
  if (same) return;
  [scene, told] = [null, null];
  picture = new Picture(w, h, about.digits);
  lights = new Lights($("lights"), w, h, about.colours);
  fitted.unobserve(screen);
  fitted.observe(screen);
}

function takeBeat(fields, made_ms) {
  values.takeBeat(fields, made_ms, now());
  if (scene && values.age(now()) === null && !document.hidden) shown();
}

function takeMessage(fields, at_ms) {
  if (!fields) {
    told = null;
    return;
  }
  const since_ms = told?.message.id === fields.id ? told.message.since_ms : at_ms; // the same goes on where it was
  const message = loadMessage(fields, picture.w, picture.h, since_ms);
  told = { message, boot: fields.boot, until_s: fields.until_s, until_ms: null };
}

// What people are told now; null from its end on, and before it is known when that is.
function messageNow(at_ms) {
  if (!told) return null;
  if (told.until_ms === null) told.until_ms = values.local(told.until_s, told.boot);
  return told.until_ms === null || at_ms >= told.until_ms ? null : told.message;
}

function drawNow(at_ms) {
  const [age_s, clock_ms, numbers] = [values.age(at_ms), values.clock(at_ms), values.numbers];
  const message = messageNow(at_ms);
  const off = percent === 0 && age_s === null;
  const bright = percent === 0 && !off ? OLD_PERCENT : percent ?? 100; // dark would hide that something is wrong
  draw(picture, scene, numbers, clock_ms, at_ms, age_s, message, !calm.matches);
  lights.show(picture, bright);
  screen.dataset.fresh = age_s === null;
  screen.dataset.percent = bright;
  if (at_ms - said_ms >= ALOUD_MS) {
    said_ms = at_ms;
    const label = aloud(about, { scene, numbers, clock_ms, age_s, percent: bright, message });
    if ($("lights").getAttribute("aria-label") !== label) $("lights").setAttribute("aria-label", label);
  }
  const ticks_ms = age_s === null ? clock_ms : null; // else it stands still
  next_ms = at_ms + Math.min(STALE_MS, changesIn(scene, numbers, ticks_ms, at_ms, picture.w, message));
}

// Draws at once on news, and whenever something on the wall moves.
function drawSoon() {
  next_ms = 0;
  ask();
}

function ask() {
  if (framed || !picture) return;
  clearTimeout(timer);
  const wait_ms = next_ms - now();
  if (wait_ms > SOON_MS) {
    timer = setTimeout(ask, wait_ms - SOON_MS / 2);
    return;
  }
  framed = true;
  requestAnimationFrame(() => {
    framed = false;
    const at_ms = now();
    if (at_ms >= next_ms) drawNow(at_ms);
    ask();
  });
}

function complain() {
  const lines = [...refused].map(([kind, why]) => fill(words.screen.refused, { kind, why }));
  if (!about) lines.push(words.no_news_yet);
  setText($("trouble"), lines.join("; "));
  $("trouble").hidden = lines.length === 0;
}

const fitted = new ResizeObserver(([entry]) => {
  const { width, height } = entry.contentRect;
  const exact = entry.devicePixelContentBoxSize?.[0];
  lights.fit(pixels(width, exact?.inlineSize), pixels(height, exact?.blockSize), devicePixelRatio);
  drawNow(now()); // at once: a canvas of another size is empty
});

// So many of the screen's own pixels: as the browser says it, where that can be; some zoom without saying.
function pixels(length, exact) {
  const about = length * devicePixelRatio;
  return Math.abs(exact - about) < 1 ? exact : Math.floor(about);
}

// ---- the screen: full, on, and without a mouse ----

function isFull() {
  return Boolean(document.fullscreenElement || document.webkitFullscreenElement) || innerHeight >= window.screen.height;
}

async function toggleFull() {
  stayAwake();
  const page = document.documentElement;
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await (page.requestFullscreen || page.webkitRequestFullscreen)?.call(page);
  } catch {
    // not allowed here: it stays as it is
  }
  moved();
}

async function stayAwake() {
  if (document.hidden || (awake && !awake.released)) return;
  try {
    awake = (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    awake = null; // the computer saves its battery, or the page is not served safely
  }
}

function moved() {
  stillAt = now() + STILL_MS;
  document.body.classList.remove("still");
  hint();
}

function hint() {
  setText($("hint"), words.screen.hint);
  $("hint").hidden = isFull();
}

function lookAfter() {
  const at_ms = now();
  if (!isShut()) mend();
  stayAwake();
  if (at_ms >= stillAt) {
    document.body.classList.add("still");
    $("hint").hidden = true;
  }
}

document.addEventListener("click", toggleFull);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "f" || event.key === "F" || event.key === "Enter") toggleFull(); // a remote control has Enter
});
document.addEventListener("mousemove", moved);
document.addEventListener("visibilitychange", lookAfter);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // as it was long ago
});
window.addEventListener("online", () => (isShut() ? look() : open()));
document.addEventListener("fullscreenchange", moved);
calm.addEventListener("change", drawSoon);

// Nothing is fresh until a new beat.
function doubt() {
  values?.doubt(now());
  drawSoon();
}

whenWoken(() => {
  doubt();
  if (!isShut()) open();
});
takeToken(open);
moved();
stillAt = now() + HINT_MS;
stayAwake();
setTimeout(complain, LOOK_MS);
enter().then(() => {
  follow(`${location.pathname.split("/").pop()}/events`, hear, doubt, look);
  setInterval(lookAfter, LOOK_MS);
});
