// What the page says: every text in one table, and how numbers and times are written.

// A number in a text is {n}; other names in braces are filled likewise.
export const WORDS = {
  en: {
    page_title: "{waiting} waiting · {site}",
    page_title_old: "OLD · {site}",
    live: "live",
    connecting: "connecting …",
    not_live: "not live",
    no_news_yet: "No news from the gateway yet.",
    no_news: "No news for {n} s: what you see may be old.",
    broken: "The gateway does not answer: what you see may be old. Trying again.",
    queues: "Queues",
    floor: "Floor",
    walls: "Walls",
    boards: "Boards",
    board: "Board",
    state: "State",
    uptime: "Up for",
    heap: "Heap free",
    unknown_value: "–",
    unknown_aloud: "unknown",
    map_aloud: "{n} desks; the arrow keys go from desk to desk",
    nothing_said: "the gateway has said nothing about it yet",
    no_desks: "The site file names no desks.",
    no_queues: "The site file names no queues.",
    no_walls: "The site file names no walls.",
    status: {
      free: "free", ringing: "ringing", talking: "talking", held: "held",
      away: "away", unknown: "unknown", lost: "lost",
    },
    phone: {
      idle: "handset down", ringing: "phone ringing", talking: "handset lifted",
      held: "call on hold", unknown: "phone unknown",
    },
    in_call: { true: "headset in a call", false: "headset in no call" },
    muted: { true: "muted", false: "not muted" },
    docked: { true: "headset in its cradle", false: "headset out of its cradle" },
    missed: "{n} readings never came",
    waiting: "waiting",
    oldest: "longest wait",
    over_target: "more than half of the target",
    far_over_target: "over target",
    under_target: "under target",
    none_answered: "none answered yet",
    no_calls: "no calls yet",
    answered: "answered",
    abandoned: "abandoned",
    asa: "mean wait",
    service_level: "service level",
    service_level_none: "service level: no calls yet",
    target: "target {share} in {n} s",
    formula: { "answered-within-of-offered": "answered within {n} s, of all offered" },
    formula_why: "formula: {formula}",
    fresh: { true: "fresh", false: "old" },
    no_picture: "no picture",
    wall_aloud: "What the wall {name} shows",
    board_state: { ready: "ready", lost: "lost", unknown: "unknown" },
    boards_lost: "{n} of {all} lost",
    boards_ready: "all {all} ready",
    boards_more: "reconnects {reconnects} · loop held up {lag_ms} ms · dropped {dropped}",
    refused: "{n} messages refused",
    desks_of: "desks: {desks}",
    links: { pbx: "phone system", broker: "broker" },
    link_state: { ready: "ready", away: "away", lost: "lost", unknown: "unknown" },
    link_trouble: "The {link} is {state}: {reason}",
    span: { d: "{n} d", h: "{n} h", min: "{n} min", s: "{n} s" },
    kilobytes: "{n} KB",
  },
};
export const language = "en";
export const words = WORDS[language];
const wholeNumber = new Intl.NumberFormat(language);
const percentage = new Intl.NumberFormat(language, { style: "percent" });

// A text with the names in braces filled in.
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Null, unknown, stays null.
export function number(value) {
  return value === null || value === undefined ? null : wholeNumber.format(value);
}

// 47 is 0:47, 3725 is 1:02:05.
export function clock(seconds) {
  if (seconds === null || seconds === undefined) return null;
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const tail = ":" + two(Math.floor(seconds) % 60);
  return minutes < 60 ? minutes + tail : Math.floor(minutes / 60) + ":" + two(minutes % 60) + tail;
}

// 3725 is 1 h 2 min: two units at most.
export function span(seconds) {
  const say = (unit, n) => fill(words.span[unit], { n: Math.floor(n) });
  if (seconds < 60) return say("s", seconds);
  if (seconds < 3600) return say("min", seconds / 60);
  if (seconds < 86400) return `${say("h", seconds / 3600)} ${say("min", (seconds / 60) % 60)}`;
  return `${say("d", seconds / 86400)} ${say("h", (seconds / 3600) % 24)}`;
}

export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// 0.8 is 80 %.
export function percent(share) {
  return percentage.format(share);
}
