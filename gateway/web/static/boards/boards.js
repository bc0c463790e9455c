// The boards: one row each, what is wrong first. Of many only that is shown, until somebody asks for all of them.

import { $, make, setData, setFigure, setText, shape } from "../dom.js";
import { fill, number, span, told, words } from "../words/words.js";

const SHAPE = { ready: "dot", lost: "cross", unknown: "question" };
const FEW = 6; // so many are always shown; of more, at most as many as have something the matter

const boards = new Map(); // by id: the plan's row, its place in the plan, what it said, the elements that change
let all = false; // all rows are shown
let floorDoc; // what was said of the floor last
let opened = null; // {id, draw()} of the board whose details are open

export function buildBoards(plan) {
  boards.clear();
  plan.forEach((row, order) => {
    boards.set(row.id, { ...row, ...line(row), order, doc: undefined });
    drawBoard(row.id, undefined);
  });
  $("board-rows").replaceChildren(...[...boards.values()].map((board) => board.element));
  $("boards-all").onclick = () => {
    all = !all;
    sumBoards(floorDoc);
  };
  sumBoards(floorDoc);
  if (opened && !boards.has(opened.id)) opened.draw(); // which closes it
}

function line({ id, definition }) {
  const [mark, state, reason] = [shape("question"), make("b", ""), make("span", "reason")];
  const [uptime, heap] = [make("td", "number"), make("td", "number")];
  const opener = make("button", "quiet", id);
  opener.type = "button";
  opener.setAttribute("aria-haspopup", "dialog");
  opener.addEventListener("click", () => openBoard(id));
  const name = make("th", "", opener, make("span", "reason", definition));
  name.scope = "row";
  const element = make("tr", "", name, make("td", "", mark, state, reason), uptime, heap);
  element.dataset.board = id;
  return { element, opener, mark, state, reason, uptime, heap };
}

export function drawBoard(id, doc) {
  const board = boards.get(id);
  if (!board) return;
  board.doc = doc;
  const { state, why, wrong } = stateOf(doc);
  // The last figures of a board that is away are not its figures now.
  const figures = state === "ready" ? doc : {};
  const heap = figures.heap_free ?? null;
  const uptime = figures.uptime_s ?? null;
  setData(board.element, "state", state);
  setData(board.element, "wrong", String(wrong.length > 0));
  setMark(board.mark, state, wrong);
  setText(board.state, words.board_state[state]);
  setText(board.reason, [why, ...wrong.map((kind) => words.board_wrong[kind] ?? kind)].filter(Boolean).join(" · "));
  setFigure(board.uptime, uptime === null ? null : span(uptime), why);
  setFigure(board.heap, heap === null ? null : kilobytes(heap), why);
  if (opened?.id === id) opened.draw();
}

// What a board's document says: its state, why it is not ready, in words, and the kinds of what is wrong with it.
export function stateOf(doc) {
  const state = words.board_state[doc?.state] ? doc.state : "unknown";
  return { state, why: doc ? told(doc.reason) : words.nothing_said, wrong: doc?.wrong ?? [] };
}

export function setMark(mark, state, wrong) {
  setData(mark, "shape", state === "ready" && wrong.length ? "triangle" : SHAPE[state]);
}

// ---- many of them ----

const RANK = { lost: 0, unknown: 1, ready: 4 };
const looks = ({ doc }) => doc?.wrong?.some((kind) => kind !== "behind") ?? false;
const behind = ({ doc }) => doc?.wrong?.includes("behind") ?? false;
const rank = (board) => (looks(board) ? 2 : behind(board) ? 3 : RANK[board.element.dataset.state]);

// After boards have changed: what is wrong stands first, and how many are lost stands above.
export function sumBoards(floor) {
  floorDoc = floor;
  const rows = $("board-rows");
  const order = [...boards.values()].sort((a, b) => rank(a) - rank(b) || a.order - b.order);
  const before = rows.contains(document.activeElement) && document.activeElement;
  const folded = !all && order.length > FEW;
  let shown = 0;
  order.forEach((board, place) => {
    if (rows.children[place] !== board.element) rows.insertBefore(board.element, rows.children[place]);
    const held = before && board.element.contains(before); // else whoever stands there would be nowhere
    board.element.hidden = folded && !held && (rank(board) === RANK.ready || place >= FEW);
    shown += board.element.hidden ? 0 : 1;
  });
  if (before) before.focus({ preventScroll: true }); // which a row that is moved has lost
  setData($("boards"), "folded", String(folded));
  $("board-table").hidden = shown === 0;
  foldButton(order.length);
  sayHow(order, floor);
}

function foldButton(many) {
  const button = $("boards-all");
  button.hidden = many <= FEW;
  button.ariaExpanded = String(all);
  setText(button, all ? words.boards_fewer : fill(words.boards_all, { n: number(many) }));
}

function sayHow(order, floor) {
  const of = (is) => order.filter(is).length;
  const counts = {
    boards_lost: of((board) => rank(board) === RANK.lost),
    boards_unknown: of((board) => rank(board) === RANK.unknown),
    boards_behind: of(behind),
    boards_look: of(looks),
  };
  const values = { all: number(order.length) };
  const parts = Object.keys(counts).filter((name) => counts[name])
    .map((name) => fill(words[name], { ...values, n: counts[name] }));
  if (order.length && !counts.boards_lost && !counts.boards_unknown) parts.unshift(fill(words.boards_ready, values));
  if (floor?.refused) parts.push(fill(words.refused, { n: floor.refused }));
  setText($("boards-sum"), parts.join(" · "));
  setData($("boards-sum"), "lost", String(counts.boards_lost > 0));
}

// Has a board's row shown, where it is folded away.
export function showBoard(id) {
  if (!boards.get(id)?.element.hidden) return;
  all = true;
  sumBoards(floorDoc);
}

// ---- one of them ----

// Its details, which are loaded when they are asked for first.
async function openBoard(id) {
  if (opened) return;
  opened = { id, draw: () => {} };
  try {
    const { openDetails } = await import("./board.js");
    opened.draw = openDetails(() => boards.get(id), () => {
      opened = null;
      boards.get(id)?.opener.focus();
    });
    opened.draw();
  } catch (error) {
    console.warn("the board's details did not come", error);
    opened = null;
  }
}

export function kilobytes(bytes) {
  return fill(words.kilobytes, { n: number(Math.round(bytes / 1024)) });
}
