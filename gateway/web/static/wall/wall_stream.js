// What the gateway says to this wall, kept open for ever: messages of the contract, by their kind.

import { now } from "./wall_clock.js";

const KINDS = ["wall", "scene", "light", "message", "gateway", "values", "beat"];
const SILENT_MS = 15000; // a stream that says nothing for so long is given up: three beats
const AGAIN_MS = 1000; // a broken one is opened anew after this, then twice that, and so on
const AGAIN_MOST_MS = 15000;
const LATE_MS = 2000; // a beat is as late as this on a good link, what is cut off its second counted in
const TOO_LATE_MS = 5000;
const TOO_LATE_MOST = 3; // so many such in a row: perhaps it is the clocks, which a new stream compares anew
const DRIFT = 0.001; // how far two machines' clocks may drift apart, as a share of time

let path = "";
let hear = null;
let lost = null;
let asked = null;
let source = null;
let screen = ""; // the word by which the gateway knows this stream again
let opened = 0;
let due = 0; // when this stream is given up for a new one
let tries = 0; // that have failed in a row
let base = null; // this page's clock less the gateway's; null before its first beat
let heard = 0;
let tooLate = 0;

// Calls `each` with the kind, the fields and, for a beat, when it was made on this page's clock; `broken` as soon as
// the stream is: most often the gateway is gone. `after` is called then, too: it finds out whether this screen is
// let in.
export function follow(from, each, broken, after) {
  [path, hear, lost, asked] = [from, each, broken, after];
  open();
}

export function open() {
  source?.close();
  opened = now();
  due = opened + SILENT_MS;
  [base, tooLate] = [null, 0];
  screen = Math.random().toString(36).slice(2, 14);
  const mine = new EventSource(`${path}?screen=${screen}`);
  source = mine;
  mine.onerror = () => {
    mine.close(); // left alone, some browsers try again and some do not
    const pause_ms = Math.min(AGAIN_MS * 2 ** tries++, AGAIN_MOST_MS);
    due = now() + pause_ms * (0.5 + Math.random() / 2); // not all screens at once
    lost();
    asked();
    stillThere();
  };
  for (const kind of KINDS) mine.addEventListener(kind, (event) => take(mine, kind, JSON.parse(event.data)));
}

function take(from, kind, fields) {
  const now_ms = now(); // which may find that the machine slept, and open a new stream
  if (from !== source || now_ms >= due) return; // given up: what it held back proves nothing
  due = now_ms + SILENT_MS;
  tries = 0;
  hear(kind, fields, kind === "beat" ? made(fields.now_s * 1000, now_ms) : now_ms);
}

// When a beat was made, on this page's clock: what was sent long ago must not look new. The first was made after it
// was asked for; one that came quicker tells the gateway's clock better.
function made(at_ms, now_ms) {
  base = base === null ? opened - at_ms : Math.min(base + (now_ms - heard) * DRIFT, now_ms - at_ms);
  heard = now_ms;
  const late_ms = now_ms - at_ms - base;
  tooLate = late_ms > TOO_LATE_MS ? tooLate + 1 : 0;
  if (tooLate >= TOO_LATE_MOST) due = now_ms;
  return late_ms > LATE_MS ? now_ms - late_ms : now_ms;
}

// Says that this screen shows the wall: only that counts, a stream may be open for long with nobody at its end.
export function shown() {
  fetch(`${path}?screen=${screen}`, { method: "POST" }).catch(() => {}); // the next beat is the next chance
}

// Opens the stream anew where it is due: call it every second or so.
export function mend() {
  if (now() >= due) open();
}

// A wall that is not in the site file any more: its page says so, and which there are.
async function stillThere() {
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (answer.status === 404) location.reload();
  } catch {
    // the gateway is away
  }
}
