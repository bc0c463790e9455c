// One board, in a dialog: how it is, what is wrong and what to do, what hangs on it, and what it can be asked to do.
// Made when it is asked for.

import { kilobytes, setMark, stateOf } from "./boards.js";
import { tryWires } from "./board_check.js";
import { of } from "./board_words.js";
import { make, setData, setText, shape } from "../dom.js";
import { goToDesk, nameOf } from "../floor/floor.js";
import { callAs, may } from "../people/session.js";
import { gatewayNow } from "../stream.js";
import { nameOf as nameOfWall } from "../walls/walls.js";
import { fill, moment, number, sentence, span, told, words } from "../words/words.js";

// Opens it. `now` gives {id, definition, desks, doc} as it is known now, undefined once there is no such board: then it
// closes. `closed` is called when nobody looks any more. Returns what draws it anew.
export function openDetails(now, closed) {
  const { id } = now();
  const title = make("h2", "", id);
  title.id = "board-title";
  const [mark, state] = [shape("question"), make("b", "")];
  const [why, wrong] = [make("p", "why", ""), make("ul", "board-wrong")];
  const [facts, plugged] = [make("dl", "board-facts"), make("div", "")];
  const said = make("p", "said", "");
  said.role = "status";
  const close = button(words.close, () => box.close());
  close.autofocus = true;
  const check = make("div", "board-check");
  check.hidden = true;
  const box = make("dialog", "board", make("div", "title", title, make("p", "board-state", mark, state), close), why,
    wrong, ...(may("bench") ? [deeds(now, said, check), said, check] : []), facts, plugged);
  box.id = "board";
  box.setAttribute("aria-labelledby", title.id);
  let leave = () => {};
  check.addEventListener("begun", (event) => (leave = event.detail));
  box.addEventListener("close", () => {
    leave();
    box.remove();
    closed();
  });
  document.body.append(box);
  box.showModal();

  let asking = false;
  let pluggedShown = "";
  async function ask() {
    if (asking) return;
    asking = true;
    const [status, all] = await callAs("GET", `api/boards/${encodeURIComponent(id)}`);
    asking = false;
    if (status !== 200) return setText(said, refusal(status, all, id));
    drawFacts(facts, all, now()?.doc);
    const names = [...all.desks.map(({ desk }) => nameOf(desk)), ...all.walls.map(nameOfWall)];
    const shown = JSON.stringify([all.desks, all.walls, names]);
    if (shown === pluggedShown) return; // its buttons stay, with the keyboard's focus
    pluggedShown = shown;
    drawPlugged(plugged, all, box);
  }

  return () => {
    const board = now();
    if (!board) return box.close();
    const { state: is, why: reason, wrong: kinds } = stateOf(board.doc);
    setData(box, "state", is);
    setData(box, "wrong", String(kinds.length > 0));
    setMark(mark, is, kinds);
    setText(state, words.board_state[is]);
    setText(why, is === "ready" || !reason ? "" : `${sentence(reason)}.`);
    const lines = kinds.map((kind) => wrongLine(kind, board));
    if (is === "lost") lines.push(todo(board.doc.floods ? of.floods_todo : of.lost_todo));
    wrong.replaceChildren(...lines);
    ask();
  };
}

function button(text, act, className = "") {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

// ---- how it is ----

function wrongLine(kind, { id, doc, definition }) {
  const { what, todo: then } = of.wrong[kind] ?? { what: kind, todo: "" };
  const values = {
    board: id, is: doc.definition, should: definition, heap: doc.heap_free === null ? "" : kilobytes(doc.heap_free),
    dbm: number(doc.wifi_dbm), ms: number(doc.lag_ms),
  };
  return make("li", "", shape("triangle"), make("b", "", fill(what, values)), " ", fill(then, values));
}

function todo(text) {
  return make("li", "", shape("dash"), text);
}

function drawFacts(list, all, doc) {
  const ready = all.state === "ready";
  const ago = doc ? Math.max(0, (gatewayNow() ?? doc.said_ms) - doc.said_ms) / 1000 : 0;
  const rows = [
    [of.kind, all.definition ?? all.made_as],
    [of.firmware, firmwareOf(all)],
    [of.python, all.python],
    [of.up, ready && all.uptime_s !== null
      && fill(of.up_since, { span: span(all.uptime_s), at: moment(Date.now() / 1000 - all.uptime_s - ago) })],
    [of.restart, all.restart && (of.restarts[all.restart] ?? all.restart)],
    [of.heap, ready && all.heap_free !== null && kilobytes(all.heap_free)],
    [of.wifi, ready && wifiOf(all)],
    [of.reconnects, ready && number(all.reconnects)],
    [of.lag, ready && all.lag_ms !== null && fill(of.ms, { n: number(all.lag_ms) })],
    [of.reads, ready && all.poll_us !== null
      && fill(of.reads_every, { every: number(Math.round(all.poll_us / 1000)), takes: number(all.read_us) })],
    [of.dropped, ready && number(all.dropped)],
    [of.heard, all.heard_s === null ? of.heard_never : fill(of.heard_ago, { span: span(all.heard_s) })],
  ];
  list.replaceChildren(...rows.filter(([, told]) => told).map(([name, value]) =>
    make("div", "", make("dt", "", name), make("dd", "", value))));
}

function wifiOf({ wifi_dbm, uptime_s }) {
  if (wifi_dbm !== null) return fill(of.dbm, { n: number(wifi_dbm) });
  return uptime_s === null ? null : of.wired;
}

function firmwareOf({ firmware, current }) {
  if (!firmware) return null;
  return fill(of.firmware_is[String(current)], { hash: firmware.slice(0, 8) });
}

// ---- what hangs on it ----

function drawPlugged(box, { desks, walls }, dialog) {
  const rows = desks.map(({ desk, wires }) => {
    const go = button(nameOf(desk) ?? desk, () => {
      dialog.addEventListener("close", () => goToDesk(desk), { once: true }); // after what gives the focus back
      dialog.close();
    }, "quiet");
    go.dir = "auto";
    const name = make("th", "", go);
    name.scope = "row";
    const parts = wires.map(({ what, pin }) => make("span", "wire", `${of.wire[what] ?? what} `, make("b", "", pin)));
    return make("tr", "", name, make("td", "", ...parts));
  });
  const links = walls.map((id) => {
    const link = make("a", "", nameOfWall(id));
    link.href = `wall/${id}`;
    link.dir = "auto";
    return make("li", "", link);
  });
  const table = make("table", "", make("tbody", "", ...rows));
  table.ariaLabel = of.desks;
  box.replaceChildren(
    ...(rows.length ? [make("h3", "", of.desks), table] : []),
    ...(links.length ? [make("h3", "", of.walls), make("ul", "board-walls", ...links)] : []),
    ...(rows.length || links.length ? [] : [make("p", "none", of.nothing)]),
  );
}

// ---- what it can be asked to do ----

function deeds(now, said, check) {
  const board = now();
  const question = make("div", "question");
  question.hidden = true;
  const identify = button(of.identify, () => ask(board.id, "identify", said, identify));
  identify.title = of.identify_title;
  const restart = button(of.restart_do, () => {
    question.hidden = false;
    no.focus();
  });
  const yes = button(of.restart_yes, () => {
    question.hidden = true;
    restart.focus();
    ask(board.id, "restart", said, restart);
  }, "bad");
  const no = button(words.cancel, () => {
    question.hidden = true;
    restart.focus();
  });
  question.append(make("p", "", fill(of.restart_sure, { board: board.id })), make("div", "buttons", yes, no));
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // the dialog stays
    no.click();
  });
  const wires = board.desks.length ? [wiresButton(now, check)] : [];
  return make("div", "board-deeds", make("div", "buttons", identify, ...wires, restart), question);
}

function wiresButton(now, check) {
  const opener = button(of.check.open, () => {
    check.hidden = false;
    opener.hidden = true;
    tryWires(now(), check, refusal);
  });
  return opener;
}

async function ask(board, what, said, pressed) {
  if (pressed.ariaBusy === "true") return;
  pressed.ariaBusy = "true";
  setText(said, fill(of.asked, { board }));
  const [status, answer] = await callAs("POST", `api/boards/${encodeURIComponent(board)}/${what}`);
  pressed.ariaBusy = "false";
  if (status !== 200) return setText(said, refusal(status, answer, board));
  if (answer?.done !== false) return setText(said, fill(of.done[what], { board }));
  const why = Object.hasOwn(of.answers, answer.words) ? of.answers[answer.words] : answer.words;
  setText(said, fill(of.not_done, { board, words: why }));
}

// By the kinds of gateway/web/boards_http.py.
export function refusal(status, answer, board) {
  if (!status) return words.no_answer;
  const text = of.refused[answer?.kind] ?? words.people_refused[answer?.kind] ?? words.people_refused.other;
  return fill(text, { board, words: told(answer?.words ?? "") });
}
