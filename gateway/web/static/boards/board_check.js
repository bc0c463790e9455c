// A board's wires tried live, in its dialog: the level of each, what its inputs say, and what is found.
// Whoever stands at the desk lifts, rings and docks, and sees here whether it comes through.

import { of } from "./board_words.js";
import { make, setText, shape } from "../dom.js";
import { nameOf as deskName } from "../floor/floor.js";
import { address, toLogin } from "../people/session.js";
import { fill, number, words } from "../words/words.js";

const SECOND_MS = 1000;
const AGAIN_MS = 1000; // after our own last one, of which the gateway may not know yet that nobody listens
const MARK = { true: "dot", false: "cross", null: "dash" };
const SEEN = ["changed", "ok"]; // patterns that say: this wire is there

// Puts it into `box`, and begins. `refusal` has the words for what is refused.
export function tryWires(board, box, refusal) {
  const desk = chooser(board.desks);
  const again = button(of.check.again, begin);
  const [left, said] = [make("span", "label", ""), make("p", "said", "")];
  said.role = "status";
  const [rows, others, inputs] = [make("tbody", ""), make("p", "label", ""), make("ul", "board-inputs")];
  inputs.ariaLabel = of.check.inputs;
  const head = make("thead", "", make("tr", "", ...["wire", "pin", "level", "found"].map((name) => {
    const cell = make("th", "", of.check[name]);
    cell.scope = "col";
    return cell;
  })));
  const table = make("table", "", head, rows);
  table.ariaLabel = of.check.title;
  box.replaceChildren(make("h3", "", of.check.title), make("p", "label", of.check.how),
    make("div", "buttons", desk.element, again, left), said, table, others, inputs);
  box.tabIndex = -1;
  box.ariaLabel = of.check.title;
  box.role = "group";

  let stop = null; // of the one that goes on
  let timer = 0;
  let seen = nothing();
  desk.element.addEventListener("change", draw);
  begin();

  function draw() {
    drawRows(rows, seen, desk);
    drawOthers(others, seen);
    drawInputs(inputs, [...seen.said.values()].filter((row) => desk.has(row.desk)));
  }

  async function begin() {
    stop?.abort();
    clearInterval(timer);
    const mine = (stop = new AbortController());
    box.dispatchEvent(new CustomEvent("begun", { detail: () => {
      mine.abort();
      clearInterval(timer);
    } }));
    again.hidden = true;
    setText(left, "");
    setText(said, of.check.asked);
    seen = nothing();
    const path = `api/boards/${encodeURIComponent(board.id)}/check`;
    let [status, refused] = await listen(path, mine.signal, hear);
    if (refused?.kind === "busy") {
      await new Promise((go) => setTimeout(go, AGAIN_MS));
      if (!mine.signal.aborted) [status, refused] = await listen(path, mine.signal, hear);
    }
    if (mine.signal.aborted) return;
    clearInterval(timer);
    again.hidden = false;
    setText(left, "");
    if (status === 401) toLogin("ended");
    setText(said, status === 200 ? of.check.end[seen.end] ?? of.check.end.lost : refusal(status, refused, board.id));
    if (!box.contains(document.activeElement)) again.focus();

    function hear(kind, fields) {
      if (mine.signal.aborted) return;
      if (kind === "all") {
        Object.assign(seen, fields, { said: new Map(fields.said.map((row) => [row.desk + " " + row.what, row])) });
        count(fields.for_s - fields.ms / SECOND_MS);
        setText(said, of.check.begun);
      } else if (kind === "levels") Object.assign(seen.levels, fields.levels);
      else if (kind === "said") seen.said.set(fields.desk + " " + fields.what, fields);
      else if (kind === "found") tellNew(fields.found);
      else if (kind === "end") seen.end = fields.why;
      draw();
    }

    // What is found of a wire for the first time is said aloud.
    function tellNew(found) {
      const before = new Map(seen.found.map((row) => [row.desk + row.what, row.pattern]));
      const news = found.filter((row) => desk.has(row.desk) && row.pattern !== "unseen"
        && before.get(row.desk + row.what) !== row.pattern);
      seen.found = found;
      if (news.length) setText(said, news.map((row) => `${nameOf(row, desk.many)}: ${foundWords(row)}`).join(" "));
    }
  }

  function count(seconds) {
    const end = performance.now() + seconds * SECOND_MS;
    const tick = () => setText(left, fill(of.check.left, {
      n: number(Math.max(0, Math.ceil((end - performance.now()) / SECOND_MS))),
    }));
    clearInterval(timer);
    timer = setInterval(tick, SECOND_MS);
    tick();
  }
}

function button(text, act) {
  const element = make("button", "", text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

const nothing = () => ({ wires: [], owners: [], levels: {}, said: new Map(), found: [], end: "" });

// Which desk at the board is shown; the first is all of them.
function chooser(desks) {
  const select = make("select", "", ...["", ...desks].map((desk) => {
    const option = make("option", "", desk ? deskName(desk) ?? desk : of.check.all_desks);
    option.value = desk;
    return option;
  }));
  const element = make("label", "", `${of.check.desk} `, select);
  element.hidden = desks.length < 2;
  return {
    element,
    get many() {
      return desks.length > 1 && !select.value;
    },
    has: (desk) => !select.value || select.value === desk,
  };
}

// ---- what is seen ----

function drawRows(body, { wires, levels, found }, desk) {
  const findings = new Map(found.map((row) => [row.desk + row.what, row]));
  const byUsb = found.filter((row) => row.what === "usb"); // which have no pins
  body.replaceChildren(...[...wires, ...byUsb].filter((wire) => desk.has(wire.desk)).map((wire) => {
    const finding = findings.get(wire.desk + wire.what);
    const name = make("th", "", nameOf(wire, desk.many));
    name.scope = "row";
    const row = make("tr", "", name, make("td", "", wire.pin), make("td", "", ...levelOf(wire, levels[wire.pin])),
      make("td", "", ...(finding ? verdict(finding) : [])));
    row.dataset.ok = String(finding ? finding.ok : null);
    row.dataset.seen = String(finding !== undefined && SEEN.includes(finding.pattern));
    return row;
  }));
}

function nameOf({ desk, what }, many) {
  return many ? `${deskName(desk) ?? desk} · ${of.wire[what] ?? what}` : of.wire[what] ?? what;
}

// The level in words, and how often it has changed.
function levelOf(wire, told) {
  if (!told) return [];
  const [level, changes] = told;
  const times = changes ? [make("span", "reason", fill(of.check.changes, { n: number(changes) }))] : [];
  if (level === null) return [of.check.unread, ...times];
  if (wire.what === "line") return [fill(of.check.volts, { n: number(Math.round(level * wire.divider) / 1000) })];
  return [make("b", "", level === wire.made ? of.check.made : of.check.open_now), ...times];
}

function verdict(finding) {
  const mark = shape(SEEN.includes(finding.pattern) ? "dot" : MARK[String(finding.ok)]);
  const then = finding.ok === false ? todoOf(finding) : "";
  return [mark, make("b", "", foundWords(finding)), ...(then ? [make("span", "reason", then)] : [])];
}

function foundWords(finding) {
  return fill(of.found[finding.pattern]?.what ?? finding.words, finding);
}

function todoOf(finding) {
  return fill(of.found[finding.pattern]?.todo ?? finding.mend, finding);
}

// Pins that moved and belong to no wire that is tried: perhaps a wire sits there.
function drawOthers(line, { wires, owners, levels }) {
  const ours = new Set(wires.map((wire) => wire.pin));
  const whose = new Map(owners.map((wire) => [wire.pin, nameOf(wire, true)]));
  const moved = Object.entries(levels).filter(([pin, [, changes]]) => changes > 0 && !ours.has(pin));
  const told = moved.map(([pin]) => `${pin} (${whose.get(pin) ?? of.check.nobodys})`);
  setText(line, told.length ? fill(of.check.others, { pins: told.join(", ") }) : "");
}

// ---- what the inputs say ----

function drawInputs(list, readings) {
  const desks = [...new Set(readings.map((row) => row.desk))];
  list.replaceChildren(...desks.map((desk) => make("li", "", make("span", "label", `${fill(of.check.says, { desk: deskName(desk) ?? desk })} `),
    readings.filter((row) => row.desk === desk).map(spoken).join(" · "))));
}

function spoken({ what, fields }) {
  const why = fields.why ? ` (${of.why[fields.why] ?? fields.why})` : "";
  if (what === "phone") return (words.phone[fields.state] ?? fields.state) + why;
  const parts = ["in_call", "rings", "muted", "docked"].map((name) =>
    words[name][String(fields[name === "rings" ? "ringing" : name])]).filter(Boolean);
  return (parts.join(", ") || of.check.headset_unknown) + why;
}

// ---- the stream ----

// Server-sent events, by fetch: a refusal has a status and words. Returns [status, what was refused].
async function listen(path, signal, hear) {
  try {
    const answer = await fetch(address(path), { signal, headers: { Accept: "text/event-stream" } });
    if (!answer.ok) return [answer.status, await answer.json().catch(() => null)];
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return [200, null];
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const [kind, data] = event.split("\n", 2);
        hear(kind.slice("event: ".length), JSON.parse(data.slice("data: ".length)));
      }
    }
  } catch (error) {
    if (!signal.aborted) console.warn("the wires cannot be tried", error);
    return [0, null];
  }
}
