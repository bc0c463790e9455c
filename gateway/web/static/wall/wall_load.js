// Reads a scene or a message from what came, checked and decoded once: as firmware/scene_load.py.

const MAX_PAGES = 16;
const MAX_OPS = 64;
const MAX_STRIPS = 64;
const WIDEST = 4096; // a strip that moves

// What follows an operation's letter, and the limits of what is a whole number.
const OPS = {
  s: "x y colour strip",
  f: "x y w h colour",
  n: "x y cells scale colour number",
  t: "x y cells scale colour number from from blink_s",
  m: "y colour strip px_s",
};
const LIMITS = {
  x: [-512, 512], y: [-256, 256], w: [1, 512], h: [1, 256], cells: [1, 16], scale: [1, 8],
  colour: [0, 4], number: [0, 511], blink_s: [0, 10],
};

// A scene message for a wall of w x h, in the language `form`. Throws an Error that says where and what is wrong.
export function load(fields, w, h, form) {
  const { v, dwell_ms, pages } = fields;
  if (v !== form) throw new Error(`a scene of version ${v}; this board draws ${form}`);
  if (!(dwell_ms >= 1000 && dwell_ms <= 600000)) {
    throw new Error(`a page stays for 1000 to 600000 ms, not ${dwell_ms}`);
  }
  if (!(pages.length >= 1 && pages.length <= MAX_PAGES)) throw new Error(`a scene has 1 to ${MAX_PAGES} pages`);
  const strips = readStrips(fields.strips);
  const loaded = pages.map((page, n) => readPage(`page ${n + 1}`, page, strips, w, h));
  return { id: fields.id, of: fields.of, dwell_ms, pages: loaded };
}

// A message that came at `since_ms`. Throws likewise.
export function loadMessage(fields, w, h, since_ms) {
  const ops = readPage("message", fields.ops, readStrips(fields.strips), w, h);
  return { id: fields.id, priority: fields.place === "priority", band: fields.place === "band", ops, since_ms };
}

function readStrips(rows) {
  const strips = rows.map((row, n) => {
    const where = `strip ${n}`;
    if (!Array.isArray(row) || row.length !== 3 || typeof row[2] !== "string") {
      throw new Error(`${where}: is not [w, h, base64]`);
    }
    const [w, h, text] = row;
    if (!whole(w) || w < 1 || w > WIDEST || !whole(h) || h < 1 || h > 256) {
      throw new Error(`${where}: no picture is that wide or high`);
    }
    return { w, h, bits: readBits(where, w, h, text) };
  });
  if (strips.length > MAX_STRIPS) throw new Error(`a scene has at most ${MAX_STRIPS} strips`);
  return strips;
}

function readPage(where, ops, strips, w, h) {
  if (!Array.isArray(ops) || ops.length > MAX_OPS) {
    throw new Error(`${where}: not a list of at most ${MAX_OPS} operations`);
  }
  return ops.map((op, n) => {
    const here = `${where}, operation ${n + 1}`;
    const kind = Array.isArray(op) && typeof op[0] === "string" ? op[0] : "";
    if (!Object.keys(OPS).includes(kind)) throw new Error(`${here}: not a list that begins with s, f, n, t or m`);
    return readOp(`${here} (${kind})`, kind, op, strips, w, h);
  });
}

function readOp(where, kind, op, strips, w, h) {
  const rows = OPS[kind].split(" ");
  if (op.length !== rows.length + 1) {
    throw new Error(`${where}: has ${op.length} members, not ${rows.length + 1}`);
  }
  rows.forEach((row, n) => {
    const wrong = wrongIn(row, op[n + 1], strips.length);
    if (wrong) throw new Error(`${where}: ${wrong}`);
  });
  if (kind === "f") return { is: "label", x: op[1], y: op[2], w: op[3], h: op[4], colour: op[5], bits: null };
  if (kind === "s") return { is: "label", x: op[1], y: op[2], colour: op[3], ...strips[op[4]] };
  if (kind === "m") return { is: "mover", y: op[1], colour: op[2], ...strips[op[3]], px_s: op[4] };
  const [, x, y, cells, scale, colour, number, amber = null, red = null, blink_s = 0] = op;
  if (kind === "t" && cells < 3) throw new Error(`${where}: a wait takes 3 cells or more`);
  if (x < 0 || y < 0 || x + (cells * 6 - 1) * scale > w || y + 7 * scale > h) {
    throw new Error(`${where}: its figures do not lie on ${w} x ${h}`);
  }
  return {
    is: "figure", x, y, w: cells * 6 * scale, h: 7 * scale, colour, ticks: kind === "t", number, cells, scale,
    amber, red, blink_s,
  };
}

function whole(value) {
  return Number.isInteger(value);
}

function wrongIn(row, value, strips) {
  if (row === "from" && value === null) return "";
  if (!whole(value)) return `${row} is not a whole number`;
  if (row === "from") return "";
  if (row === "strip") return value >= 0 && value < strips ? "" : `there is no strip ${value}`;
  if (row === "px_s") {
    const fits = Math.abs(value) >= 24 && Math.abs(value) <= 30;
    return fits ? "" : `it moves 24 to 30 pixels a second, not ${value}`;
  }
  const [low, high] = LIMITS[row];
  return value >= low && value <= high ? "" : `${row} is not a whole number from ${low} to ${high}`;
}

function readBits(where, w, h, text) {
  const size = Math.ceil(w / 8) * h;
  const bits = /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length === Math.ceil(size / 3) * 4 ? decoded(text) : "";
  if (bits.length !== size) {
    throw new Error(`${where}: is not base64 of ${size} bytes, for ${w} x ${h} pixels`);
  }
  return Uint8Array.from(bits, (letter) => letter.charCodeAt(0));
}

function decoded(text) {
  try {
    return atob(text);
  } catch {
    return "";
  }
}
