// The dialog in which somebody says that he sees to an alarm, or to all of a kind, with a note for the others.

import { refusal } from "./alarms.js";
import { $, make, setText } from "../dom.js";
import { callAs } from "../people/session.js";
import { fill, number, words } from "../words/words.js";

const NOTE_MOST = 200; // as in gateway/alarms/standing.py
const NAMED_MOST = 8;
const AGAIN_MS = 1100; // after an answer that there are too many at once
const TRIES = 5;

// rows: alarms of one kind, as alarms.js has them. Each is seen to as the one it is now: `number` tells it from a later one.
export function askForNote(rows) {
  if (!rows.length) return;
  const opener = document.activeElement;
  let taken = false;
  const box = make("dialog", "narrow");
  const title = make("h2", "", words.alarm.take);
  title.id = "alarm-note-title";
  box.setAttribute("aria-labelledby", title.id);
  const field = make("textarea", "");
  Object.assign(field, { id: "alarm-note", rows: 2, maxLength: NOTE_MOST, autofocus: true });
  field.setAttribute("aria-describedby", "alarm-note-hint");
  const label = make("label", "", words.alarm.note);
  label.htmlFor = field.id;
  const hint = make("p", "label", words.alarm.note_hint);
  hint.id = "alarm-note-hint";
  const refused = make("p", "refused", "");
  refused.role = "alert";
  const [send, cancel] = [make("button", "main", words.alarm.take), make("button", "", words.cancel)];
  cancel.type = "button";
  const form = make("form", "stack", title, aboutOf(rows), label, field, hint, refused,
    make("div", "buttons", send, cancel));
  form.noValidate = true;
  cancel.addEventListener("click", () => box.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    const no = await sendAll(rows, field.value.trim());
    send.disabled = false;
    setText(refused, no);
    taken = !no;
    if (taken) box.close();
  });
  box.append(form);
  box.addEventListener("close", () => {
    box.remove();
    if (taken || !opener.isConnected) $("alarms-title").focus(); // what was pressed is no more
  });
  document.body.append(box);
  box.showModal();
}

function aboutOf(rows) {
  const names = rows.map((row) => row.name).filter(Boolean);
  const about = make("p", "", `${rows[0].title}${names.length ? ": " : ""}`);
  names.slice(0, NAMED_MOST).forEach((name, place) => about.append(place ? ", " : "", make("bdi", "", name)));
  if (names.length > NAMED_MOST) about.append(", ", fill(words.alarm.more, { n: number(names.length - NAMED_MOST) }));
  return about;
}

// One after the other; the words of what hindered it, "" when all are done. One that is over meanwhile hinders nothing.
async function sendAll(rows, note) {
  for (const { id, number } of rows) {
    const [status, answer] = await sendOne(id, { note, number });
    if (status !== 200 && !([404, 409].includes(status) && rows.length > 1)) return refusal(status, answer);
  }
  return "";
}

async function sendOne(id, acknowledgement) {
  for (let tries = 1; ; tries += 1) {
    const told = await callAs("POST", `api/alarms/${encodeURIComponent(id)}/acknowledgement`, acknowledgement);
    if (told[0] !== 429 || tries === TRIES) return told;
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}
