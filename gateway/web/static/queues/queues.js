// The queues: one card each, its waits counting on between two words from the gateway.

import { $, make, setData, setFigure, setText, shape } from "../dom.js";
import { countOf } from "../floor/floor.js";
import { address } from "../people/session.js";
import { gatewayNow } from "../stream.js";
import { buildToday, drawToday, drawUnseen, drawWorst, offerMeanings } from "./today.js";
import { clock, fill, number, percent, words } from "../words/words.js";

const MANY = 4; // more of them stand across the page
const DESKS = ["free", "ringing", "talking", "away"];
const LATE_WORDS = { calm: "", warn: words.over_target, bad: words.far_over_target };
const SAME_CALLER_MS = 1500; // a wait that starts this near the one shown is that one, rounded

let trends = ""; // which are followed

const queues = new Map(); // by id: the plan's row, the elements that change, the wait

export function buildQueues(plan) {
  queues.clear();
  trends = "";
  document.body.dataset.queues = plan.length > MANY ? "many" : "few";
  for (const row of plan) {
    queues.set(row.id, { ...row, ...card(row), since: null, wait_s: null });
    drawQueue(row.id, undefined);
  }
  const cards = [...queues.values()].map((queue) => queue.element);
  $("queue-cards").replaceChildren(...(cards.length ? cards : [make("p", "none", words.no_queues)]));
  offerMeanings($("meanings"), plan.map((row) => row.target));
}

// Today's calls beside yesterday's, where totals are kept: when the page has been drawn, and has nothing to do.
export function drawTrends(plots, history) {
  const asked = history && history.state !== "off" && history.day ? `${history.day} ${plots}` : "";
  if (asked === trends) return;
  trends = asked;
  const followed = asked ? [...queues.values()] : [];
  for (const { trend } of queues.values()) trend.hidden = !asked; // its place is kept free: nothing jumps later
  const later = window.requestIdleCallback ?? ((work) => setTimeout(work, 200));
  later(async () => {
    const { follow } = await import("./trend.js");
    if (asked === trends) follow(followed.map(({ id, trend }) => ({ id, place: trend })), plots);
  });
}

function card({ id, name, kind, target }) {
  const counts = Object.fromEntries(DESKS.map((status) => [status, make("b", "")]));
  const [waiting, oldest, level] = [make("b", "figure"), make("b", "figure"), make("b", "figure")];
  const [late, under] = [make("span", "aloud"), make("span", "aloud")];
  const levelLabel = make("span", "label");
  const promise = fill(words.target, { share: percent(target.share), n: target.within_s });
  const aimLabel = make("span", "label target", promise);
  const [bar, aim, reason] = [make("i", "share"), make("i", "aim"), make("p", "reason")];
  const link = make("a", "", name);
  link.href = address(`queues/${id}`);
  link.title = words.queue_day;
  const title = make("h3", "", link);
  title.dir = "auto";
  title.id = "queue-" + id;
  const head = make("div", "head", title);
  if (words.kind[kind]) head.append(make("span", "kind", words.kind[kind]));
  const [desks, desksLabel, few] = [make("b", ""), make("span", "label"), make("span", "aloud")];
  desksLabel.title = words.desks_meaning;
  const today = buildToday(target);
  const trend = make("div", "trend");
  trend.hidden = true;
  aim.style.left = target.share * 100 + "%";
  const formula = words.formula[target.formula] || target.formula;
  const how = make("p", "label", fill(formula, { n: target.within_s, short: target.short_abandon_s }));
  how.title = fill(words.formula_why, target);
  levelLabel.title = words.level_meaning;
  const element = make("article", "queue", head, reason,
    make("div", "big", waiting, make("span", "label", words.waiting)),
    make("div", "big", make("span", "marked", shape("triangle"), oldest, late),
      make("span", "label", words.oldest)),
    make("ul", "counts", ...DESKS.map((status) => countOf(status, counts[status]))),
    make("p", "desks", make("span", "marked", shape("triangle"), desks, few), desksLabel),
    make("div", "level",
      make("p", "", make("span", "marked", shape("triangle"), level, under), levelLabel, aimLabel),
      make("div", "bar", bar, aim), how),
    trend, today.list, today.gaps);
  element.addEventListener("click", ({ target: pressed }) => {
    if (!pressed.closest("a, summary, details") && getSelection().isCollapsed) link.click(); // a big target
  });
  element.setAttribute("aria-labelledby", title.id);
  element.dataset.queue = id;
  return {
    element, reason, counts, waiting, oldest, late, level, levelLabel, under, bar,
    desks, desksLabel, few, today, trend,
  };
}

export function drawQueue(id, doc) {
  const queue = queues.get(id);
  if (!queue) return;
  const why = doc ? doc.reason : words.nothing_said;
  setFigure(queue.waiting, number(doc?.waiting), why || words.untold);
  for (const status of DESKS) {
    setFigure(queue.counts[status], number(doc?.[status]), why || words.desks_unknown);
  }
  drawToday(queue.today, doc, why);
  drawDesksNeeded(queue, doc?.desks_present ?? null, doc?.desks_needed ?? null, why);
  drawLevel(queue, doc?.service_level_pct ?? null, why, Boolean(doc?.answered));
  queue.why = why || words.untold;
  queue.crowd = doc?.waiting ?? 0;
  queue.since = sinceOf(queue, doc);
  queue.wait_s = doc?.oldest_wait_s ?? null;
  queue.worst_s = doc?.worst_wait_s ?? null;
  setText(queue.reason, why);
  tickQueue(queue);
}

// Desks there beside desks needed, both or neither.
function drawDesksNeeded(queue, present, needed, why) {
  const known = present !== null && needed !== null;
  const short = known && present < needed;
  const label = !known ? words.desks_needed : short ? words.desks_short : words.desks_enough;
  setFigure(queue.desks, known ? number(present) : null,
    why || (present === null ? words.desks_unknown : words.desks_none));
  setText(queue.desksLabel, fill(label, { n: short ? needed : present, needed }));
  setText(queue.few, short ? words.desks_too_few : "");
  setData(queue.desks.parentElement, "level", short ? "warn" : "calm");
}

// Where some have been answered and there is no service level, its source cannot tell.
function drawLevel(queue, level, why, answered) {
  const under = level !== null && level < queue.target.share * 100;
  const none = level === null && !why && !answered;
  setFigure(queue.level, level === null ? null : percent(level / 100), why || (none ? words.no_calls : words.untold));
  setText(queue.levelLabel, none ? words.service_level_none : words.service_level);
  setText(queue.under, under ? words.under_target : "");
  setData(queue.level.parentElement, "level", under ? "warn" : "calm");
  queue.bar.style.width = (level ?? 0) + "%";
}

export function drawGaps(id, doc) {
  const queue = queues.get(id);
  if (queue) drawUnseen(queue.today, doc?.gaps ?? []);
}

// When the oldest caller came, on the gateway's clock; null while nobody waits or nobody knows.
function sinceOf(queue, doc) {
  if (!doc?.waiting || (doc.oldest_wait_s ?? null) === null) return null;
  const since = doc.said_ms - doc.oldest_wait_s * 1000;
  const same = queue.since !== null && Math.abs(since - queue.since) < SAME_CALLER_MS;
  return same ? Math.min(since, queue.since) : since;
}

export function tickQueues() {
  for (const queue of queues.values()) tickQueue(queue);
}

// Which of the two big figures has to be smaller to fit beside the other.
function longOf(wait_s, crowd) {
  if (crowd >= 1000 || (crowd >= 100 && wait_s >= 3600)) return "both";
  return wait_s >= 3600 ? "wait" : "none";
}

function tickQueue(queue) {
  const now = gatewayNow();
  const ticks = queue.since !== null && now !== null;
  const wait_s = ticks ? Math.max(0, Math.floor((now - queue.since) / 1000)) : queue.wait_s;
  const level = wait_s >= queue.red_from_s ? "bad" : wait_s >= queue.amber_from_s ? "warn" : "calm";
  setFigure(queue.oldest, clock(wait_s), queue.why);
  drawWorst(queue.today, queue.worst_s === null ? null : Math.max(queue.worst_s, wait_s ?? 0), queue.why);
  setData(queue.element, "long", longOf(wait_s, queue.crowd));
  setText(queue.late, LATE_WORDS[level]);
  setData(queue.oldest.parentElement, "level", level);
}
