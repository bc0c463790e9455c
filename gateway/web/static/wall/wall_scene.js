// Draws a wall into palette pixels: as firmware/scene.py, to the pixel; a test holds the two together.
// What a scene is and how it looks is told there. Figures (`digits`) come from the gateway.

export const [BLACK, WHITE, , AMBER, RED] = [0, 1, 2, 3, 4];
export const DIM = 8; // added to a colour: the same at 35 %
const FRAMED = 16; // rows from which on there is room for a frame
const REST_MS = 60000;
const BLINK_MS = 500;

export class Picture {
  constructor(w, h, digits) {
    [this.w, this.h, this.digits] = [w, h, digits];
    this.pixels = new Uint8Array(w * h);
  }

  fill(x, y, w, h, colour) {
    const [left, right] = [Math.max(x, 0), Math.min(x + w, this.w)];
    if (left >= right) return;
    for (let row = Math.max(y, 0); row < Math.min(y + h, this.h); row++) {
      this.pixels.fill(colour, row * this.w + left, row * this.w + right);
    }
  }

  strip(x, y, w, h, bits, colour) {
    const stride = Math.ceil(w / 8);
    const [first, last] = [Math.max(-x, 0), Math.min(w, this.w - x)];
    for (let row = Math.max(-y, 0); row < Math.min(h, this.h - y); row++) {
      for (let column = first; column < last; column++) {
        if (bits[row * stride + (column >> 3)] & (0x80 >> (column & 7))) {
          this.pixels[(y + row) * this.w + x + column] = colour;
        }
      }
    }
  }

  write(x, y, text, scale, colour) {
    for (const letter of text) {
      (this.digits[letter] || []).forEach((bits, row) => {
        for (let column = 0; column < 5; column++) {
          if (bits & (0x80 >> column)) this.fill(x + column * scale, y + row * scale, scale, scale, colour);
        }
      });
      x += 6 * scale;
    }
  }
}

// Arguments as in firmware/scene.py; `blinks` is false for those who asked for less motion.
export function draw(picture, scene, numbers, clock_ms, tick_ms, age_s, message = null, blinks = true) {
  picture.fill(0, 0, picture.w, picture.h, BLACK);
  if (!scene) {
    const { text, scale, h } = agePlace([], picture.w, picture.h, -1);
    const [x, y] = [Math.floor((picture.w - 5 * scale) / 2), Math.floor((picture.h - 7 * scale) / 2)];
    drawAge(picture, [], { text, scale, x, y, h });
    return;
  }
  const known = numbers && numbers.of === scene.of ? numbers : null;
  const { page, moved_ms } = turn(scene, message, tick_ms, picture.w);
  const spoken = message && page === message.ops; // words to people are as true as ever
  const band = message?.band ? message.ops : [];
  const rows = Math.min(picture.h, ...band.map((op) => op.y).filter((y) => y >= 8));
  const age = age_s === null || spoken ? null : agePlace(page, picture.w, rows, age_s);
  const now = { numbers: known, clock_ms, age, blinks };
  drawPage(picture, page, moved_ms, now);
  if (age) drawAge(picture, page, age);
  drawPage(picture, band, tick_ms - message?.since_ms, { ...now, age: null });
}

// The page whose turn it is, since how many ms, and for how many more.
function turn({ pages, dwell_ms }, message, tick_ms, w) {
  if (message && !message.band) {
    tick_ms -= message.since_ms;
    pages = message.priority ? pages.flatMap((page) => [message.ops, page]) : [message.ops, ...pages];
  }
  if (pages.length === 1) return { page: pages[0], moved_ms: tick_ms, due_ms: REST_MS };
  const stays = pages.map((page) => stay(page, dwell_ms, w));
  let at_ms = modulo(tick_ms, stays.reduce((sum, ms) => sum + ms));
  let place = 0;
  while (at_ms >= stays[place]) at_ms -= stays[place++];
  return { page: pages[place], moved_ms: at_ms, due_ms: stays[place] - at_ms };
}

function stay(page, dwell_ms, w) {
  const across = page.filter((op) => op.is === "mover").map((op) => Math.floor(((w + op.w) * 1000) / Math.abs(op.px_s)));
  return Math.max(dwell_ms, ...across);
}

// In how many ms the picture changes by itself, at most REST_MS.
export function changesIn(scene, numbers, clock_ms, tick_ms, w, message = null) {
  if (!scene) return REST_MS;
  const { page, moved_ms, due_ms } = turn(scene, message, tick_ms, w);
  let soonest = pageChangesIn(page, numbers, clock_ms, moved_ms, Math.min(due_ms, REST_MS));
  if (message?.band) {
    soonest = pageChangesIn(message.ops, numbers, clock_ms, tick_ms - message.since_ms, soonest);
  }
  return Math.max(soonest, 1);
}

function pageChangesIn(page, numbers, clock_ms, moved_ms, due_ms) {
  for (const op of page) {
    if (op.is === "mover") {
      const px_s = Math.abs(op.px_s);
      const next_ms = Math.ceil(((Math.floor((moved_ms * px_s) / 1000) + 1) * 1000) / px_s);
      due_ms = Math.min(due_ms, next_ms - moved_ms);
    } else if (op.ticks && clock_ms !== null) {
      due_ms = Math.min(due_ms, 1000 - modulo(clock_ms, 1000));
      if (blinksNow(op, waited(op, numbers, clock_ms))) {
        due_ms = Math.min(due_ms, BLINK_MS - modulo(clock_ms, BLINK_MS));
      }
    }
  }
  return due_ms;
}

function drawPage(picture, page, moved_ms, now) {
  for (const op of page) {
    if (!now.age || !covers(picture.w, now.age, op)) drawOp(picture, op, moved_ms, now);
  }
}

function drawOp(picture, op, moved_ms, now) {
  const dim = now.age ? DIM : 0;
  const colour = op.colour && op.colour | dim;
  if (op.is === "figure") {
    drawFigure(picture, op, now, dim);
  } else if (op.is === "mover") {
    const at = modulo(Math.floor((moved_ms * Math.abs(op.px_s)) / 1000), picture.w + op.w);
    picture.strip(op.px_s > 0 ? picture.w - at : at - op.w, op.y, op.w, op.h, op.bits, colour);
  } else if (op.bits === null) {
    picture.fill(op.x, op.y, op.w, op.h, colour);
  } else {
    picture.strip(op.x, op.y, op.w, op.h, op.bits, colour);
  }
}

function drawFigure(picture, op, { numbers, clock_ms, blinks }, dim) {
  const known = numbers && op.number < numbers.values.length;
  let value = known ? numbers.values[op.number] : null;
  let level = known ? numbers.levels[op.number] : 0;
  let [text, scale, blink] = ["", op.scale, false];
  if (op.ticks) {
    value = waited(op, numbers, clock_ms);
    text = waitWords(value, op.cells);
    if (value !== null) {
      if (op.red !== null && value >= op.red) level = 2;
      else if (op.amber !== null && value >= op.amber && !level) level = 1;
      blink = blinks && blinksNow(op, value) && Math.floor(clock_ms / BLINK_MS) % 2 === 1;
    }
  } else {
    [text, scale] = numberWords(value, op.cells, scale);
  }
  if (value === null) level = 0;
  const w = text.length * 6 * scale;
  const x = op.x + op.w - w;
  const y = op.y + Math.floor((op.h - 7 * scale) / 2);
  const edge = (op.scale + 1) >> 1;
  let colour = op.colour;
  if (level === 2) {
    const [left, top, wide, high] = [x - edge, op.y - edge, w - op.scale + 2 * edge, op.h + 2 * edge];
    picture.fill(left, top, wide, high, RED | dim);
    if (blink) picture.fill(left + edge, top + edge, wide - 2 * edge, high - 2 * edge, BLACK);
    colour = WHITE;
  } else if (level === 1) {
    const line = Math.floor((op.scale + 2) / 3);
    picture.fill(x, Math.min(op.y + op.h + line, picture.h - line), w - scale, line, AMBER | dim);
    colour = AMBER;
  }
  picture.write(x, y, text, scale, colour | dim);
}

// How long the oldest caller has waited by now; 0 where nobody waits; null: unknown.
export function waited(op, numbers, clock_ms) {
  if (!numbers || clock_ms === null || op.number >= numbers.values.length) return null;
  const wait_s = numbers.values[op.number];
  if (wait_s === null) return null;
  return wait_s < 0 ? 0 : Math.max(wait_s + Math.floor(clock_ms / 1000) - numbers.at_s, 0);
}

function blinksNow(op, waited_s) {
  return waited_s !== null && op.red !== null && waited_s >= op.red && waited_s - op.red < op.blink_s;
}

function numberWords(value, cells, scale) {
  if (value === null) return ["–", scale];
  const text = String(value);
  for (let smaller = scale; smaller > 0; smaller--) {
    if (text.length * smaller <= cells * scale) return [text, smaller];
  }
  return [value > 0 ? "9".repeat(cells - 1) + "+" : "?", scale];
}

function waitWords(seconds, cells) {
  if (seconds === null) return "–";
  const two = (n) => String(n).padStart(2, "0");
  const [hours, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const forms = hours ? [`${hours}h${two(m)}`, `${hours}h`] : m ? [`${m}:${two(s)}`, `${m}m`] : [`0:${two(s)}`, `${s}s`];
  return forms.find((text) => text.length <= cells) || "9".repeat(Math.max(cells - 2, 0)) + "h+";
}

function ageWords(age_s) {
  if (age_s < 0 || age_s >= 100 * 86400) return "?";
  if (age_s < 60) return `? ${age_s}s`;
  if (age_s < 3600) return `? ${Math.floor(age_s / 60)}m`;
  if (age_s < 2 * 86400) return `? ${Math.floor(age_s / 3600)}h`;
  return `? ${Math.floor(age_s / 86400)}d`;
}

// Where the age hides the fewest figures, as large as it can be.
function agePlace(page, w, h, age_s) {
  let text = ageWords(age_s);
  if (text.length * 6 - 1 > w) text = "?";
  let [fewest, best] = [Infinity, null];
  for (let scale = 1 + (h >= 24) + (h >= 96) + (h >= 192) + (h >= 24 && text === "?"); scale > 0; scale--) {
    const wide = (text.length * 6 - 1) * scale;
    if (scale > 1 && wide > w - 4) continue;
    const [right, low] = [Math.max(w - wide - 2, 0), h - 7 * scale - 2];
    const corners = h < FRAMED ? [[w - wide, Math.floor((h - 7 * scale) / 2)]] : [[right, low], [2, low], [right, 2], [2, 2]];
    for (const [x, y] of corners) {
      const here = { text, scale, x, y, h };
      let hidden = 0;
      for (const op of page) if (covers(w, here, op)) hidden += op.is === "figure" ? 9 : 1;
      if (hidden < fewest) [fewest, best] = [hidden, here];
    }
  }
  return best;
}

const isLarge = (op, w, h) => op.is === "label" && (op.bits === null || op.w * op.h * 2 > w * h);

function covers(w, { text, scale, x, y, h }, op) {
  return !isLarge(op, w, h) && touches(op, x - 2, y - 1, (text.length * 6 - 1) * scale + 4, 7 * scale + 2);
}

function touches(op, x, y, w, h) {
  if (op.is === "mover") return op.y < y + h && op.y + op.h > y;
  const more = op.is === "figure" ? op.scale + 1 : 0;
  return op.x - more < x + w && op.x + op.w + more > x && op.y - more < y + h && op.y + op.h + more > y;
}

function drawAge(picture, page, age) {
  const { text, scale, x, y, h } = age;
  const { w } = picture;
  if (h >= FRAMED) {
    const there = page.filter((op) => !isLarge(op, w, h) && !covers(w, age, op));
    const dash = (...at) => there.some((op) => touches(op, ...at)) || picture.fill(...at, WHITE);
    for (let left = 0; left < w; left += 8) {
      const long = Math.min(4, w - left);
      dash(left, 0, long, 1);
      dash(left, h - 1, long, 1);
    }
    for (let top = 0; top < h; top += 8) {
      const long = Math.min(4, h - top);
      dash(0, top, 1, long);
      dash(w - 1, top, 1, long);
    }
  }
  picture.fill(x - 2, y - 1, (text.length * 6 - 1) * scale + 4, 7 * scale + 2, BLACK);
  picture.write(x, y, text, scale, WHITE);
}

function modulo(n, by) {
  return n - Math.floor(n / by) * by;
}
