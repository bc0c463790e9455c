// What is said of one alarm, in the reader's language: made here from its kind and its facts, not from English.

import { clock, fill, number, percent, sentence, told, words } from "../words/words.js";

const FINDING = "desk"; // what does not fit at a desk has its words with the findings
const NAME = /\{(\w+)\}/g;

let names = new Map(); // what stands in the plan, by "queue/polski"

export function nameAlarms(plan) {
  names = new Map([
    ...plan.queues.map((row) => [`queue/${row.id}`, row.name]),
    ...plan.desks.map((row) => [`desk/${row.id}`, row.name]),
    ...plan.walls.map((row) => [`wall/${row.id}`, row.name]),
  ]);
}

// To what it belongs; "" where there is only one of it.
export function nameOf({ of, about, facts }) {
  if (of === "source") return facts.source === "asterisk" ? "" : fill(words.links.push, { id: about });
  return names.get(`${of}/${about}`) ?? about;
}

// {title, more, todo}: what is wrong, in a few words that are the same for all of its kind; what is known of this
// one, "" where the title has said it all; what to do. A kind that this page does not know is told as the gateway does.
export function wordsOf(alarm) {
  if (alarm.of === FINDING && words.finding[alarm.kind]) {
    const { what, todo } = words.finding[alarm.kind];
    return { title: what.replace(/\.$/, ""), more: "", todo };
  }
  const known = words.alarm.kind[alarm.kind];
  if (!known) return { title: alarm.kind, more: told(alarm.what), todo: told(alarm.todo) };
  const facts = factsOf(alarm.facts);
  const full = (text) => (namesIn(text).every((name) => name in facts) ? fill(text, facts) : null);
  const more = full((alarm.facts.busy && known.more_busy) || known.more) ?? told(alarm.what);
  const todo = full(alarm.facts.floods ? known.todo_floods : alarm.facts.many ? known.todo_many : known.todo) ?? told(alarm.todo);
  return { title: alarm.facts.source === "push" ? known.title_push : known.title, more: sentence(more).replace(/([?!…])\.$/, "$1"), todo };
}

function namesIn(text) {
  return [...text.matchAll(NAME)].map(([, name]) => name);
}

// wait_s is a time, level_pct a share; what is text is one of the gateway's sentences.
function factsOf(facts) {
  const said = {};
  for (const [name, fact] of Object.entries(facts)) {
    if (typeof fact === "string") said[name] = told(fact);
    else if (name === "within_s") said[name] = number(fact);
    else if (name.endsWith("_s")) said[name] = clock(fact);
    else if (name.endsWith("_pct")) said[name] = percent(fact / 100);
    else said[name] = number(Number(fact));
  }
  if ("todo" in said) said.todo = sentence(said.todo).replace(/\.?$/, ".");
  return said;
}
