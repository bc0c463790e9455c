// The alarms of the last day that are over, asked for when somebody wants to see them.

import { nameOf, wordsOf } from "./alarm_words.js";
import { refusal } from "./alarms.js";
import { make, shape } from "../dom.js";
import { callAs, may } from "../people/session.js";
import { fill, moment, number, span, words } from "../words/words.js";

const SHOWN_MOST = 200; // the CSV has all

export async function showEnded() {
  const box = make("dialog", "");
  const title = make("h2", "", words.alarm.ended);
  title.id = "alarms-ended-title";
  box.setAttribute("aria-labelledby", title.id);
  const close = make("button", "", words.close);
  close.type = "button";
  close.addEventListener("click", () => box.close());
  const csv = make("a", "", words.alarm.csv);
  csv.href = "api/alarms.csv";
  csv.download = "";
  const told = make("div", "ended", make("p", "none", words.alarm.ended_wait));
  told.role = "status";
  const kept = [words.alarm.ended_kept, ...(may("tend") ? [] : [words.alarm.ended_no_desks])].join(" ");
  box.append(make("div", "title", title, close), told, make("p", "label", kept, " ", csv));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  const [status, answer] = await callAs("GET", "api/alarms");
  const rows = status === 200 ? answer.ended : null;
  told.replaceChildren(...(rows === null ? [make("p", "refused", refusal(status, answer))] : listOf(rows)));
}

function listOf(rows) {
  if (!rows.length) return [make("p", "none", words.alarm.ended_none)];
  const list = make("ul", "", ...rows.slice(0, SHOWN_MOST).map(lineOf));
  const more = rows.length - SHOWN_MOST;
  return more > 0 ? [list, make("p", "label", fill(words.alarm.more, { n: number(more) }))] : [list];
}

function lineOf(row) {
  const { title, more } = wordsOf(row);
  const name = make("b", "", nameOf(row));
  name.dir = "auto";
  const level = make("span", "aloud", words.alarm.level[row.level] ?? row.level);
  const line = make("li", "alarm", make("p", "", shape("triangle"), level, " ", name, " ", title, make("br")));
  const about = make("span", "label", `${when(row)} · ${fill(words.alarm.lasted, { span: span(row.for_s) })}`);
  const known = make("span", "more", more);
  known.dir = "auto";
  line.firstChild.append(about, ...(more ? [make("br"), known] : []), ...seenTo(row.acked));
  line.dataset.level = row.level;
  return line;
}

// By the site's clock; where nobody knows the time, how long ago.
function when({ began, ended_s }) {
  if (began) return moment(Date.parse(began) / 1000);
  return fill(words.alarm.ended_ago, { span: span(ended_s) });
}

function seenTo(acked) {
  if (!acked) return [];
  const note = make("q", "note", acked.note);
  note.dir = "auto";
  const by = acked.by ? fill(words.alarm.seen_then, { name: acked.by }) : words.alarm.seen_then_nobody;
  return [make("br"), make("span", "label", by), ...(acked.note ? [" ", note] : [])];
}
