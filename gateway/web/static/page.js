// The page: draws what /api/plan says there is, and what /api/events says about it.
// Documents come by path (`desk/a1`, `queue/polski`); each path has one function that draws it.

import { alarmsNow, allowAlarms, buildAlarms, drawAlarm, listenToAlarms, tickAlarms } from "./alarms/alarms.js";
import { buildBoards, drawBoard, sumBoards } from "./boards/boards.js";
import { $, make, putWords, setData, setText, shape, soon } from "./dom.js";
import { drawFinding } from "./floor/findings.js";
import { buildFloor, drawCounts, drawDesk, listenToFloor } from "./floor/floor.js";
import { drawHistory } from "./queues/history.js";
import { drawMe, listenToMe } from "./people/me.js";
import { allowMessages, buildMessages, drawMessages, listenToMessages, tickMessages } from "./messages/messages.js";
import { buildQueues, drawGaps, drawQueue, drawTrends, tickQueues } from "./queues/queues.js";
import { address, may, needWho, session } from "./people/session.js";
import { follow, mend, said, state } from "./stream.js";
import { buildWalls, drawWall, tickWalls, wallsChanged } from "./walls/walls.js";
import { fill, number, told, words } from "./words/words.js";

const TICK_MS = 250;
const PLAN_AGAIN_MS = 5000; // where it did not come
const KINDS = ["asterisk", "push", "broker"]; // in the header, in this order

const DRAW = {
  __proto__: null,
  desk: drawDesk,
  alarm: drawAlarm,
  finding: drawFinding,
  queue: drawQueue,
  wall: drawWall,
  board: drawBoard,
  floor: (_, doc) => drawCounts(doc),
  messages: (_, doc) => drawMessages(doc),
  history: (id, doc) => (id ? drawGaps(id, doc) : drawKept(doc)),
  plan: readPlan, // the site file is another one
  source: drawLinks,
  broker: drawLinks,
};

const changed = new Set(); // paths to draw anew
let plan = null;
let planText = "";
let planDue = true; // it has not come since the stream last started
let planAsked = 0; // when, on this page's clock
let warned = ""; // the warning that stands
let linksDrawn = "";

function hear(paths) {
  if (paths.length) soon(draw);
  for (const path of paths) changed.add(path);
  tick();
}

// Who is here, and what that one may. Nobody: then the page goes to /login; the gateway away: all stays as it is.
async function readWho() {
  await needWho();
  drawMe();
  allowAlarms();
  allowMessages();
  if (session() && !may("see")) location.replace(address("wall")); // a screen that was let in for walls alone
}

// What there is may differ after the gateway was away: asked for at each start of the stream.
async function readPlan() {
  planDue = true;
  planAsked = performance.now();
  try {
    const answer = await fetch("api/plan", { signal: AbortSignal.timeout(PLAN_AGAIN_MS) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    planDue = false;
    if (text === planText) return;
    const next = JSON.parse(text);
    if (plan && plan.page !== next.page) location.reload(); // the gateway brought a newer page
    [plan, planText] = [next, text];
    build();
  } catch (error) {
    console.warn("the plan did not come; it is asked for again", error);
  }
}

function start() {
  if (!session()) readWho();
  readPlan();
}

function build() {
  setText($("site"), plan.site.name);
  attempt("the floor", () => buildFloor(plan));
  attempt("alarms", () => buildAlarms(plan));
  attempt("queues", () => buildQueues(plan.queues));
  attempt("walls", () => buildWalls(plan.walls));
  attempt("messages", () => buildMessages(plan.walls));
  attempt("boards", () => buildBoards(plan.boards));
  for (const path of said.keys()) changed.add(path);
  attempt("history", () => drawKept(said.get("history")));
  draw();
}

// One part that cannot be drawn takes no other with it.
function attempt(what, work) {
  try {
    work();
  } catch (error) {
    console.error(`${what} cannot be drawn`, error);
  }
}

function drawKept(doc) {
  drawHistory(doc);
  drawTrends(plan.plots, doc);
}

function draw() {
  const paths = [...changed];
  changed.clear();
  if (!plan) return;
  for (const path of paths) {
    const [kind, id] = path.split("/", 2);
    attempt(path, () => DRAW[kind]?.(id, said.get(path)));
  }
  if (paths.some((path) => path.startsWith("queue/") || path === "values")) attempt("walls", wallsChanged);
  if (paths.some((path) => path.startsWith("board/") || path === "floor")) {
    attempt("boards", () => sumBoards(said.get("floor")));
  }
}

function tick() {
  const news = state();
  const why = !news.heard ? words.no_news_yet : news.silent || news.resting ? words.no_news : words.broken;
  setData(document.body, "news", news.old ? "old" : news.heard ? "live" : "none");
  setText($("live-words"), news.old ? words.not_live : news.heard ? words.live : words.connecting);
  warn(news.old ? why : "", number(Math.round(news.age_ms / 1000)));
  mend();
  if (planDue && !news.old && performance.now() - planAsked > PLAN_AGAIN_MS) readPlan();
  if (!plan) return;
  drawTitle(news.old);
  if (news.old) return; // nothing ticks that may be old
  tickQueues();
  tickAlarms();
  tickMessages();
  if (!document.hidden) tickWalls();
}

// The words are said aloud once; the seconds in them count on in silence.
function warn(text, seconds) {
  const box = $("old");
  if (text !== warned) {
    warned = text;
    const [before, after] = text.split("{n}");
    const count = make("span", "", "");
    count.ariaLive = "off";
    box.replaceChildren(before, ...(after === undefined ? [] : [count, after]));
    box.hidden = text === "";
  }
  const count = box.querySelector("span");
  if (count) setText(count, seconds);
}

// The sources of queues and the broker: quiet while they are there, in words while they are not.
function drawLinks() {
  const rows = [...said.keys()].filter((path) => path === "broker" || path.startsWith("source/")).map(linkOf);
  rows.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.id < b.id ? -1 : 1));
  if (JSON.stringify(rows) === linksDrawn) return;
  linksDrawn = JSON.stringify(rows);
  const pushes = rows.filter((row) => row.ready && row.kind === "push");
  const folded = pushes.length > 1 ? pushes : []; // many that are there are one line
  const items = rows.filter((row) => !folded.includes(row)).map((row) => {
    const item = make("li", "", shape(row.ready ? "dot" : "triangle"), `${row.link} ${row.state}`);
    item.dataset.ready = row.ready;
    item.title = told(row.reason);
    return item;
  });
  if (folded.length) {
    const item = make("li", "", shape("dot"), fill(words.links_ready, { n: number(folded.length) }));
    item.title = folded.map((row) => row.id).join("\n");
    items.push(item);
  }
  $("links").replaceChildren(...items);
}

function linkOf(path) {
  const { state: is, reason, kind: written } = said.get(path);
  const id = path.split("/", 2)[1];
  const kind = id === undefined ? path : written in words.links ? written : "push";
  const link = fill(words.links[kind], { id });
  return { id, kind, link, state: words.link_state[is] || is, reason, ready: is === "ready" };
}

// What the browser's tab tells of this page: who waits, and in words and in its icon how much is wrong.
function drawTitle(old) {
  const site = plan.site.name;
  const counts = plan.queues.map((queue) => said.get("queue/" + queue.id)?.waiting ?? null);
  const known = counts.length > 0 && !counts.includes(null);
  const waiting = known ? number(counts.reduce((sum, count) => sum + count, 0)) : words.unknown_value;
  const { n, level } = alarmsNow();
  const alarms = n && !old ? fill(words.page_title_alarms, { n: number(n) }) : "";
  const text = alarms + fill(old ? words.page_title_old : words.page_title, { site, waiting });
  if (document.title !== text) document.title = text;
  const icon = document.querySelector("link[rel=icon]");
  const file = `static/favicon${level && !old ? "-" + level : ""}.svg`;
  if (icon.getAttribute("href") !== file) icon.setAttribute("href", file);
}

// ---- start ----

putWords();
listenToMe();
listenToFloor();
listenToAlarms();
listenToMessages();
follow(start, hear, readWho);
readWho();
setInterval(tick, TICK_MS);
document.addEventListener("visibilitychange", tick);
tick();
