// The boards: one row each, what is wrong first.

import { $, make, setData, setFigure, setText, shape } from "./dom.js";
import { callAs, may } from "./session.js";
import { fill, number, span, told, words } from "./words.js";

const SHAPE = { ready: "dot", lost: "cross", unknown: "question" };

const boards = new Map(); // by id: the plan's row, its place in the plan, the elements that change

export function buildBoards(plan) {
  boards.clear();
  plan.forEach((row, order) => {
    boards.set(row.id, { ...row, ...line(row), order });
    drawBoard(row.id, undefined);
  });
  $("board-rows").replaceChildren(...[...boards.values()].map((board) => board.element));
  sumBoards(undefined);
}

function line({ id, definition, desks }) {
  const [mark, state, reason] = [shape("question"), make("b", ""), make("span", "reason")];
  const [uptime, heap] = [make("td", "number"), make("td", "number")];
  const name = make("th", "", id, make("span", "reason", definition));
  name.scope = "row";
  name.title = desks.length ? fill(words.desks_of, { desks: desks.join(" ") }) : "";
  const element = make("tr", "", name, make("td", "", mark, state, reason, identifier(id)), uptime, heap);
  element.dataset.board = id;
  return { element, mark, state, reason, uptime, heap };
}

// Who may have boards do something has a button for it; the gateway asks again.
export function allowBoards() {
  setData($("boards"), "bench", String(may("bench")));
}

function identifier(id) {
  const button = make("button", "bench", words.identify);
  button.type = "button";
  button.title = words.identify_title;
  button.ariaLabel = fill(words.identify_of, { board: id });
  button.addEventListener("click", () => identify(id, button));
  return button;
}

async function identify(board, button) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  setText($("boards-said"), fill(words.identify_asked, { board }));
  const [status, answer] = await callAs("POST", `api/boards/${encodeURIComponent(board)}/identify`);
  button.ariaBusy = "false";
  setText($("boards-said"), fill(outcome(status, answer), { board, words: told(answer?.words ?? "") }));
}

function outcome(status, answer) {
  if (!status) return words.no_answer;
  if (status === 200) return answer?.done === false ? words.identify_not : words.identify_done;
  return words.identify_refused[answer?.kind] ?? words.people_refused[answer?.kind] ?? words.people_refused.other;
}

export function drawBoard(id, doc) {
  const board = boards.get(id);
  if (!board) return;
  const state = words.board_state[doc?.state] ? doc.state : "unknown";
  const why = doc ? doc.reason : words.nothing_said;
  // The last figures of a board that is away are not its figures now.
  const figures = state === "ready" ? doc : {};
  const heap = figures.heap_free ?? null;
  const uptime = figures.uptime_s ?? null;
  setData(board.element, "state", state);
  setData(board.mark, "shape", SHAPE[state]);
  setText(board.state, words.board_state[state]);
  setText(board.reason, why);
  setFigure(board.uptime, uptime === null ? null : span(uptime), why);
  setFigure(board.heap, heap === null ? null : kilobytes(heap), why);
  board.element.title = uptime === null ? "" : fill(words.boards_more, doc);
}

// After boards have changed: what is wrong stands first, and how many are lost stands above.
export function sumBoards(floor) {
  const rows = $("board-rows");
  const wrong = ({ element }) => (element.dataset.state === "ready" ? 1 : 0);
  const order = [...boards.values()].sort((a, b) => wrong(a) - wrong(b) || a.order - b.order);
  const before = rows.contains(document.activeElement) && document.activeElement;
  order.forEach((board, place) => {
    if (rows.children[place] !== board.element) rows.insertBefore(board.element, rows.children[place]);
  });
  if (before) before.focus({ preventScroll: true }); // which a row that is moved has lost
  const lost = order.filter((board) => board.element.dataset.state === "lost").length;
  const calm = order.every((board) => board.element.dataset.state === "ready");
  const all = number(order.length);
  const parts = [];
  if (lost) parts.push(fill(words.boards_lost, { n: number(lost), all }));
  if (calm && order.length) parts.push(fill(words.boards_ready, { all }));
  if (floor?.refused) parts.push(fill(words.refused, { n: number(floor.refused) }));
  setText($("boards-sum"), parts.join(" · "));
  setData($("boards-sum"), "lost", String(lost > 0));
}

function kilobytes(bytes) {
  return fill(words.kilobytes, { n: number(Math.round(bytes / 1024)) });
}
