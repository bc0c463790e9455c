// The queues: one card each, its waits counting on between two words from the gateway.

import { $, make, setData, setFigure, setText, shape } from "./dom.js";
import { countOf } from "./floor.js";
import { gatewayNow } from "./stream.js";
import { clock, fill, number, percent, words } from "./words.js";

const MANY = 4; // more of them stand across the page
const DESKS = ["free", "ringing", "talking", "away"];
const CALLS = ["answered", "abandoned", "asa"];
const LATE_WORDS = { calm: "", warn: words.over_target, bad: words.far_over_target };
const SAME_CALLER_MS = 1500; // a wait that starts this near the one shown is that one, rounded

const queues = new Map(); // by id: the plan's row, the elements that change, the wait

export function buildQueues(plan) {
  queues.clear();
  document.body.dataset.queues = plan.length > MANY ? "many" : "few";
  for (const row of plan) {
    queues.set(row.id, { ...row, ...card(row), since: null, wait_s: null });
    drawQueue(row.id, undefined);
  }
  const cards = [...queues.values()].map((queue) => queue.element);
  $("queue-cards").replaceChildren(...(cards.length ? cards : [make("p", "none", words.no_queues)]));
}

function card({ id, name, target }) {
  const counts = Object.fromEntries(DESKS.map((status) => [status, make("b", "")]));
  const calls = Object.fromEntries(CALLS.map((what) => [what, make("dd", "")]));
  const [waiting, oldest, level] = [make("b", "figure"), make("b", "figure"), make("b", "figure")];
  const [late, under] = [make("span", "aloud"), make("span", "aloud")];
  const levelLabel = make("span", "label");
  const promise = fill(words.target, { share: percent(target.share), n: target.within_s });
  const aimLabel = make("span", "label target", promise);
  const [bar, aim, reason] = [make("i", "share"), make("i", "aim"), make("p", "reason")];
  const title = make("h3", "", name);
  title.dir = "auto";
  title.id = "queue-" + id;
  aim.style.left = target.share * 100 + "%";
  const formula = words.formula[target.formula] || target.formula;
  const how = make("p", "label", fill(formula, { n: target.within_s }));
  how.title = fill(words.formula_why, target);
  const element = make("article", "queue", title,
    make("div", "big", waiting, make("span", "label", words.waiting)),
    make("div", "big", make("span", "marked", shape("triangle"), oldest, late),
      make("span", "label", words.oldest)),
    make("ul", "counts", ...DESKS.map((status) => countOf(status, counts[status]))),
    make("div", "level",
      make("p", "", make("span", "marked", shape("triangle"), level, under), levelLabel, aimLabel),
      make("div", "bar", bar, aim), how),
    make("dl", "", ...CALLS.map((what) => make("div", "", make("dt", "", words[what]), calls[what]))),
    reason);
  element.setAttribute("aria-labelledby", title.id);
  element.dataset.queue = id;
  return { element, counts, calls, waiting, oldest, late, level, levelLabel, under, bar, reason };
}

export function drawQueue(id, doc) {
  const queue = queues.get(id);
  if (!queue) return;
  const why = doc ? doc.reason : words.nothing_said;
  setFigure(queue.waiting, number(doc?.waiting), why);
  for (const status of DESKS) setFigure(queue.counts[status], number(doc?.[status]), why);
  setFigure(queue.calls.answered, number(doc?.answered), why);
  setFigure(queue.calls.abandoned, number(doc?.abandoned), why);
  setFigure(queue.calls.asa, clock(doc?.asa_s), why || words.none_answered);
  drawLevel(queue, doc?.service_level_pct ?? null, why);
  queue.why = why;
  queue.since = sinceOf(queue, doc);
  queue.wait_s = doc?.oldest_wait_s ?? null;
  setText(queue.reason, why);
  tickQueue(queue);
}

function drawLevel(queue, level, why) {
  const under = level !== null && level < queue.target.share * 100;
  setFigure(queue.level, level === null ? null : percent(level / 100), why || words.no_calls);
  setText(queue.levelLabel, level === null && !why ? words.service_level_none : words.service_level);
  setText(queue.under, under ? words.under_target : "");
  setData(queue.level.parentElement, "level", under ? "warn" : "calm");
  queue.bar.style.width = (level ?? 0) + "%";
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

function tickQueue(queue) {
  const now = gatewayNow();
  const ticks = queue.since !== null && now !== null;
  const wait_s = ticks ? Math.max(0, Math.floor((now - queue.since) / 1000)) : queue.wait_s;
  const level = wait_s >= queue.red_from_s ? "bad" : wait_s >= queue.amber_from_s ? "warn" : "calm";
  setFigure(queue.oldest, clock(wait_s), queue.why);
  setText(queue.late, LATE_WORDS[level]);
  setData(queue.oldest.parentElement, "level", level);
}
