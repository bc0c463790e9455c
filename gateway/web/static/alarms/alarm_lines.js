// The elements of the list of alarms: one for each kind, and a line for each alarm in it.

import { make, setText, shape } from "../dom.js";
import { fill, span, words } from "../words/words.js";

const PLACES = ["desk", "queue", "wall", "board"]; // what has a place on the page to go to

// All alarms of one kind. `wink` draws the eye to it, for ten seconds.
export function groupOf(kind) {
  const [level, title, todo, list] = [make("span", "aloud"), make("span", ""), make("p", "todo"), make("ul", "")];
  const fold = button("quiet", "fold", kind, "");
  const takeAll = button("tend", "takeAll", kind, words.alarm.take_all);
  list.id = `alarms-of-${kind}`;
  fold.setAttribute("aria-controls", list.id);
  const mark = make("span", "mark", shape("triangle"));
  const head = make("h3", "", mark, level, " ", title);
  head.dir = "auto";
  const element = make("li", "alarms-of", head, make("div", "buttons", fold, takeAll), todo, list);
  element.dataset.kind = kind;
  const wink = () => {
    mark.classList.remove("new");
    void mark.offsetWidth; // begins anew where it still goes on
    mark.classList.add("new");
  };
  return { element, level, title, todo, list, fold, takeAll, wink };
}

function button(className, what, value, text) {
  const element = make("button", className, text);
  element.type = "button";
  element.dataset[what] = value;
  return element;
}

// To what it belongs: pressed where that stands on this page.
function nameTag({ id, of, name }) {
  if (!name) return make("span", "");
  if (!PLACES.includes(of)) return make("b", "", name);
  const element = button("quiet name", "goto", id, name);
  element.dir = "auto";
  return element;
}

// A line of an alarm that nobody sees to yet.
export function lineOf({ id, title, ...alarm }) {
  const name = nameTag({ id, ...alarm });
  const [more, todo, length] = [make("span", "more"), make("span", "todo"), make("span", "label for")];
  more.dir = "auto"; // a board's own words may be in it: whichever way they run, the rest of the line does not
  const take = button("tend", "take", id, words.alarm.take);
  take.ariaLabel = fill(words.alarm.take_of, { what: title, name: alarm.name });
  const element = make("li", "alarm", make("p", "", name, " ", more, " ", todo, " ", length), take);
  element.dataset.alarm = id;
  const draw = (now, withTodo) => {
    setText(more, now.facts.unseen ? [now.more, words.alarm.unseen].filter(Boolean).join(" ") : now.more);
    setText(todo, withTodo ? now.todo : "");
  };
  return { element, length, draw };
}

// One that somebody sees to: quiet, with who and the note.
export function seenLineOf({ id, title, acked, ...alarm }) {
  const [length, ago, note] = [make("span", "label for"), make("span", "label ago"), make("q", "note")];
  note.dir = "auto";
  const back = button("quiet tend", "reopen", id, words.alarm.reopen);
  back.ariaLabel = fill(words.alarm.reopen_of, { what: title, name: alarm.name });
  const what = make("span", "more", title);
  const told = make("p", "", nameTag({ id, ...alarm }), " ", what, " ", length, make("br"), ago, " ", note);
  const element = make("li", "alarm", told, back);
  element.dataset.alarm = id;
  const draw = (now) => {
    setText(what, now.title);
    setText(note, now.acked.note);
    note.hidden = !now.acked.note;
  };
  return { element, length, ago, draw };
}

// For how long it stands, and since when somebody sees to it. `now`: the gateway's clock in ms.
export function tickLine({ line, since, acked }, now) {
  const length = (from) => span(Math.max(0, Math.floor((now - from) / 1000)));
  setText(line.length, fill(words.finding_for, { span: length(since) }));
  if (!line.ago) return;
  const text = acked.by ? words.alarm.seen_by : words.alarm.seen_by_nobody;
  setText(line.ago, fill(text, { name: acked.by, span: length(acked.since) }));
}

// Puts elements into a list in this order, and touches only what stands elsewhere.
export function put(list, elements) {
  const focused = list.contains(document.activeElement) && document.activeElement;
  elements.forEach((element, place) => {
    if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
  });
  while (list.children.length > elements.length) list.lastChild.remove();
  if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true }); // which moving has lost
}
