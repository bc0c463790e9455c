// The privacy page: what is sensed, why, for how long and for whom, from the settings that hold; for staff, on paper.

import { $, make, setText } from "../dom.js";
import { drawMe, listenToMe } from "../people/me.js";
import { refusal } from "../people/passwords.js";
import { callAs, may, needWho } from "../people/session.js";
import { fill, language, locales, number, span, words } from "../words/words.js";

const AGAIN_MS = 5000; // where no answer came
const BLANKS = { basis: 3, impact: 2, discussed: 2 }; // lines to write on; one for all others
const COUNTRIES = ["no", "se"]; // the site's own comes first

const text = (await import(`../words/privacy_${language}.js`))[language];

async function start() {
  const known = await needWho();
  if (!known) return setTimeout(start, AGAIN_MS, tell(words.no_answer));
  drawMe();
  if (!may("see")) return tell(text.no_right);
  const [status, told] = await callAs("GET", "api/privacy");
  if (status === 0 || status === 503) return setTimeout(start, AGAIN_MS, tell(refusal(status, told)));
  if (status !== 200) return tell(refusal(status, told));
  tell("");
  draw(told);
}

function tell(told) {
  setText($("told"), told);
  $("told").hidden = told === "";
}

function draw(told) {
  const { site } = told;
  const date = new Intl.DateTimeFormat(locales, { dateStyle: "long" }).format(new Date());
  const title = make("h1", "", text.title);
  const sub = make("p", "label", fill(text.sub, { site: site.name, date }));
  sub.dir = "auto";
  const hint = make("p", "label screen", text.hint);
  const first = COUNTRIES.includes(site.country) ? site.country : COUNTRIES[0];
  const countries = [first, ...COUNTRIES.filter((name) => name !== first)];
  $("sheet").replaceChildren(
    make("div", "top", title, sub, hint),
    part("short", list(text.short_rows.map((row) => fill(row, { alarms_h: number(told.kept.alarms_h) })))),
    part("sensed", ...sensed(told)),
    part("why", list(text.why_rows)),
    part("made", list(text.made_rows), ...findings(told.findings)),
    part("kept", kept(told.kept), paragraph(text.trace), paragraph(text.backups)),
    part("who", ...seenBy(told.roles)),
    part("where", list([...text.where_rows, ...ways(told.ways)])),
    part("absent", list(text.absent_rows)),
    part("duties", paragraph(text.duties_hint), ...["both", ...countries].map(duties)),
    part("rights", list(text.rights_rows.map(
      (row) => fill(row, { authorities: countries.map((name) => text.authority[name]).join(text.joint) })))),
    part("blanks", ...Object.entries(text.blank).filter(([name]) => name !== "broker" || !told.ways.broker_here).map(blank)),
  );
  $("print").hidden = false;
}

function part(name, ...inside) {
  const title = make("h2", "", text[name]);
  title.id = `${name}-title`;
  const section = make("section", name, title, ...inside);
  section.setAttribute("aria-labelledby", title.id);
  return section;
}

function list(rows) {
  return make("ul", "bullets", ...rows.map((row) => make("li", "", row)));
}

function paragraph(row) {
  return make("p", "", row);
}

// Cells that are numbers stand to the right; the first of a row names it.
function table(columns, rows) {
  const head = make("tr", "", ...columns.map((column) => {
    const cell = make("th", "", column);
    cell.scope = "col";
    return cell;
  }));
  const body = rows.map((row) => make("tr", "", ...row.map((value, n) => {
    const cell = make(n ? "td" : "th", "", typeof value === "number" ? number(value) : value);
    if (n === 0) cell.scope = "row";
    if (typeof value === "number") {
      cell.classList.add("number");
      head.children[n].classList.add("number");
    }
    return cell;
  })));
  return make("div", "wide", make("table", "", make("thead", "", head), make("tbody", "", ...body)));
}

// ---- the parts that are filled from the settings ----

function sensed({ site, sensed: senses, bare_desks: bare, light_walls: light, phone_system: told }) {
  const rows = senses.map(({ sense, desks }) => [text.sense[sense][0], desks, text.sense[sense][1]]);
  const all = number(site.desks);
  const more = [bare ? fill(text.bare, { n: number(bare), all }) : fill(text.all_sensed, { all })];
  if (light) more.push(fill(text.light_walls, { n: number(light) }));
  if (told.asterisk) {
    const counts = { queues: number(told.queues), desks: number(told.desks) };
    more.push(`${fill(text.phone_system, counts)} ${told.desks ? text.seating[told.seating] : ""}`.trim());
  } else more.push(text.no_phone_system);
  if (told.sources) more.push(fill(text.sources, { n: number(told.sources) }));
  return [...(rows.length ? [table(text.sensed_columns, rows)] : []), list(more)];
}

function findings(rows) {
  if (!rows.length) return [paragraph(text.findings_none)];
  return [
    paragraph(text.findings),
    list(rows.map(({ kind, after_s }) => fill(text.finding[kind], { span: span(after_s) }))),
  ];
}

function kept(told) {
  const counts = Object.fromEntries(Object.entries(told).map(([name, count]) => [name, number(count)]));
  return table(text.kept_columns,
    Object.values(text.kept_rows).map(([what, long, where]) => [what, fill(long, counts), text[where]]));
}

function seenBy(roles) {
  const rows = roles.map(({ role, rights, people, tokens }) => [
    words.role[role] ?? role, people, tokens,
    Object.keys(text.right).filter((right) => rights.includes(right)).map((right) => text.right[right]).join("; "),
  ]);
  const there = rows.length ? table(text.who_columns, rows) : paragraph(text.who_none);
  return [there, list([text.who_walls, text.who_computer])];
}

function ways({ page_tls, broker_tls, broker_here, pbx_tls }) {
  const one = (pair, safe) => pair[safe ? 0 : 1];
  const rows = [one(text.way.page, page_tls)];
  rows.push(!broker_tls && broker_here ? text.way.broker_here : one(text.way.broker, broker_tls));
  if (!broker_here) rows.push(text.way.broker_away);
  if (pbx_tls !== null) rows.push(one(text.way.pbx, pbx_tls));
  return rows;
}

function duties(country) {
  const { name, rows } = text.country[country];
  const list = make("dl", "", ...rows.flatMap(([law, duty]) => [make("dt", "", law), make("dd", "", duty)]));
  const box = make("div", "country", make("h3", "", name), list);
  box.dataset.country = country;
  return box;
}

// A line to write on, on the screen or by hand.
function blank([name, label]) {
  const field = make("textarea", "");
  field.id = `blank-${name}`;
  field.rows = BLANKS[name] ?? 1;
  field.dir = "auto";
  field.autocomplete = "off";
  const above = make("label", "", label);
  above.htmlFor = field.id;
  const rules = make("span", "rules", ...Array.from({ length: field.rows }, () => make("i", ""))); // on paper alone
  rules.ariaHidden = "true";
  return make("div", "blank", above, make("div", "written", field, rules));
}

document.title = `${text.title} · Callfloor`;
document.documentElement.lang = language;
setText($("home"), words.people.home);
setText($("print"), text.print);
$("sheet").replaceChildren(make("p", "none", text.reading));
$("print").addEventListener("click", () => print());
listenToMe();
start();
