// New alarms are told: to screen readers once, by a tone to those who asked for it.

import { $, make } from "../dom.js";
import { fill, number, words } from "../words/words.js";

const KEY = "callfloor.sound"; // whether this browser sounds
const READY = ["pointerdown", "keydown"]; // after which browsers let a page sound

let on = false;

export function buildAloud() {
  on = stored() === "on";
  const button = $("alarms-sound");
  button.ariaPressed = String(on);
  button.addEventListener("click", () => turn(!on));
  for (const event of READY) document.addEventListener(event, () => on && unlock(), { once: true });
}

// Of one kind together: a switch that dies takes many boards with it.
export function tellAloud(fresh) {
  const texts = { bad: [], warn: [] };
  for (const rows of Map.groupBy(fresh, (alarm) => alarm.kind).values()) {
    const [{ level, title, name }] = rows;
    const text = rows.length > 1 ? fill(words.alarm.several, { what: title, n: number(rows.length) })
      : [name, title].filter(Boolean).join(": ");
    (texts[level] ?? texts.warn).push(fill(words.alarm.new, { text }));
  }
  for (const [level, said] of Object.entries(texts)) {
    if (said.length) $(`alarms-new-${level}`).replaceChildren(make("p", "", said.join(" ")));
  }
  if (on && texts.bad.length) chime();
}

async function turn(next) {
  on = next;
  $("alarms-sound").ariaPressed = String(on);
  store(on ? "on" : "off");
  if (on) chime(); // so that one hears what it will be
  else hint("");
}

async function chime() {
  const { sound } = await import("./alarm_sound.js");
  hint((await sound()) ? "" : words.alarm.sound_waits);
}

async function unlock() {
  const { ready } = await import("./alarm_sound.js");
  if (await ready()) hint("");
}

function hint(text) {
  $("alarms-said").textContent = text;
}

// A browser may keep nothing for a page; then it forgets this with the page.
function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function store(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // it holds as long as the page is open
  }
}
