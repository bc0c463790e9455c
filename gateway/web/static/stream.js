// The event stream: the last document on every path, and how old the news is.
// The gateway says something every 5 s; silence, a broken stream and a slow one all look old.

const OLD_AFTER_MS = 12000;
const SILENT_MS = 15000; // a stream that says nothing for so long is given up, slow links counted in
const AGAIN_MS = 1000; // a broken one is opened anew this much later, up to twice that
const LIVED_MS = 3000; // one that has gone on for so long is opened anew at once: the gateway ends them now and then
const DRIFT = 0.001; // how far two machines' clocks may drift apart, as a share of time

export const said = new Map(); // path: the last document

let source = null;
let onOpen = null;
let onChange = null;
let onBroken = null;
let due = 0; // when this stream is given up for a new one; this and those below on this page's clock
let opened = 0; // when it was asked for
let broken = false;
let base = null; // this page's clock less the gateway's; null until something was said
let compared = false; // whether this stream has said anything, so that base is of it
let lastId = ""; // of the last event: which start of the gateway said it, and when
let lastAt = 0; // the gateway's clock then
let lastHeard = 0; // this page's clock then; 0: nothing heard yet
let resting = false; // closed while nobody looks, for pages that are looked at
let lastDate = 0; // and the wall clock, which goes on while the machine sleeps

// A browser keeps at most six connections to one gateway, and each stream is one. So a page out of sight lets go of its
// own when so many others in this browser were opened or looked at since it was; it goes on as soon as it is looked at.
const NEWER_MOST = 3; // four streams, and room for what pages ask for
const me = Math.random().toString(36).slice(2);
const newer = new Set(); // pages that were opened or looked at since this one was
const pages = new BroadcastChannel("callfloor.stream");
let left = false; // this page is being closed, or put away by the browser

// It comes into sight, or goes out of it: either way nobody looked at another page later.
function lookedAt() {
  if (left) return;
  newer.clear();
  pages.postMessage({ id: me, here: true });
  rest();
}

function leave() {
  left = true;
  pages.postMessage({ id: me, here: false });
}

function comeBack() {
  left = false;
  lookedAt();
}

pages.onmessage = ({ data: { id, here } }) => {
  if (here) newer.add(id);
  else newer.delete(id);
  if (source) rest();
};

function rest() {
  const rests = document.hidden && newer.size > NEWER_MOST;
  if (rests === resting) return;
  resting = rests;
  if (rests) source.close();
  else open();
  onChange([]);
}

// Keeps a stream open: `started` is called at each start of it, `changed` with the paths that differ, `failed` where it
// broke or was refused, which nobody can tell from here.
export function follow(started, changed, failed) {
  [onOpen, onChange, onBroken] = [started, changed, failed];
  open();
  lookedAt();
  document.addEventListener("visibilitychange", lookedAt);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", comeBack);
}

function open() {
  source?.close();
  opened = performance.now();
  due = opened + SILENT_MS;
  compared = false;
  // Only what was said since, where the gateway still knows that; else it says the whole.
  source = new EventSource(`api/events${lastId && `?after=${encodeURIComponent(lastId)}`}`);
  source.onopen = () => onOpen();
  source.onerror = again;
  source.onmessage = (event) => hear(event, false);
  source.addEventListener("whole", (event) => hear(event, true));
}

function again() {
  source.close(); // left alone, some browsers try again and some do not
  if (!broken && compared && performance.now() - opened > LIVED_MS) return open();
  due = performance.now() + AGAIN_MS * (1 + Math.random()); // not all pages at once
  broken = true;
  onChange([]);
  onBroken();
}

function hear(event, isWhole) {
  const documents = read(event.data);
  if (documents === null) return again(); // whose `?after=` asks for what was in this one
  const now = performance.now();
  const at = Number(event.lastEventId.split("-")[1]);
  // What was sent long ago must not look new. The first event was made after it was asked for;
  // one that came quicker tells the gateway's clock better.
  base = compared ? Math.min(base + (now - lastHeard) * DRIFT, now - at) : opened - at;
  compared = true;
  [lastId, lastAt] = [event.lastEventId, at];
  lastHeard = now;
  lastDate = Date.now();
  due = now + SILENT_MS;
  broken = false;
  const gone = isWhole ? [...said.keys()].filter((path) => !(path in documents)) : [];
  for (const path of gone) documents[path] = null;
  for (const [path, doc] of Object.entries(documents)) {
    if (doc === null) said.delete(path);
    else said.set(path, doc);
  }
  onChange(Object.keys(documents));
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    console.warn("an event cannot be read", error);
    return null;
  }
}

// Opens the stream anew where it is broken, or where the browser would wait for ever on a dead link.
export function mend() {
  if (!resting && performance.now() >= due) open();
}

// How it stands: `age_ms` of the news since it was sent, not since it came; `old`; `resting` while nobody looks;
// `heard` anything at all.
export function state() {
  const age_ms = newsAge();
  const silent = age_ms > OLD_AFTER_MS;
  return { age_ms, silent, resting, old: silent || broken || resting, heard: lastHeard > 0 };
}

function newsAge() {
  if (base === null) return performance.now() - lastHeard;
  return Math.max(gatewayNow() - lastAt, Date.now() - lastDate);
}

// The gateway's clock now, in ms, as near as this stream tells; null before it has said anything.
export function gatewayNow() {
  return base === null ? null : performance.now() - base;
}
