// Where each desk stands on the map, in px from its corner: on the house's drawing, on the plan's columns and rows,
// or in lines where those have no room. A desk has `at` (column and row, or null) and is given `place`.

export const TILE_LEAST = 22; // px: with the gap what a pointer needs
export const FINGER = 44; // px: and a finger
const TILE_MOST = { width: 14, height: 10.5 }; // rem
const AISLE = 0.5; // of a tile: columns and rows where nobody sits
const LABEL = 1.35; // rem: a line with the names of rooms
const PAD = 4; // px: from a room's edge to its desks
const FEW = 24;

// `space`: width, height (Infinity: the page scrolls), rem, phone. → { kind, height, least, rooms, drawing }.
// `kind` is "drawn", "mapped" or "lines"; `least` the smallest tile; rooms and drawing have places of their own.
export function place(all, rooms, drawing, space) {
  return drawn(all, drawing, space) || mapped(all, rooms, space) || lines(all, space);
}

// ---- on the drawing ----

function drawn(all, drawing, space) {
  const on = drawing ? all.filter((desk) => drawing.at.has(desk.id)) : [];
  if (!on.length) return null;
  const others = all.filter((desk) => !drawing.at.has(desk.id));
  const least = space.phone ? FINGER : TILE_LEAST;
  const aside = { wide: 3 * space.rem, high: 2.6 * space.rem, gap: 4 };
  const below = others.length ? linesOf(others.length, space.width, aside) * (aside.high + aside.gap) + 8 : 0;
  const wide = Math.min(space.width, (space.height - below) * drawing.ratio);
  const high = wide / drawing.ratio;
  if (wide < space.width / 4) return null; // the others leave it nothing
  const left = (space.width - wide) / 2;
  const top = Number.isFinite(space.height) ? Math.max(0, (space.height - high - below) / 2) : 0;
  for (const desk of on) {
    const [x, y, w, h] = drawing.at.get(desk.id);
    desk.place = around(left + (x + w / 2) * wide, top + (y + h / 2) * high, {
      wide: within(w * wide, least, TILE_MOST.width * space.rem),
      high: within(h * high, least, TILE_MOST.height * space.rem),
    });
  }
  if (touching(on)) return null;
  inLines(others, 0, top + high + 8, space.width, aside);
  const smallest = (side) => Math.min(...all.map((desk) => desk.place[side]));
  return {
    kind: "drawn",
    height: top + high + below,
    least: { wide: smallest("wide"), high: smallest("high") },
    rooms: [],
    drawing: { x: left, y: top, wide, high },
  };
}

function within(number, least, most) {
  return Math.max(least, Math.min(most, number));
}

function around(x, y, { wide, high }) {
  return { x: x - wide / 2, y: y - high / 2, wide, high };
}

// Whether two tiles lie on each other by more than a line.
function touching(desks) {
  const order = desks.map((desk) => desk.place).sort((a, b) => a.x - b.x);
  return order.some((one, n) => {
    for (let k = n + 1; k < order.length && order[k].x < one.x + one.wide - 1; k += 1) {
      const other = order[k];
      if (other.y < one.y + one.high - 1 && one.y < other.y + other.high - 1) return true;
    }
    return false;
  });
}

// ---- on columns and rows ----

function mapped(all, rooms, space) {
  const taken = new Map(); // two desks at one place: the first has it
  for (const desk of all) if (desk.at && !taken.has(String(desk.at))) taken.set(String(desk.at), desk);
  const placed = [...taken.values()];
  if (!placed.length) return null;
  const here = new Set(placed);
  const others = all.filter((desk) => !here.has(desk));
  const across = tracks(placed.map((desk) => desk.at[0]), rooms.map((room) => [room.at[0], room.size[0]]));
  const down = tracks(placed.map((desk) => desk.at[1]), rooms.map((room) => [room.at[1], room.size[1]]));
  if (across.weights.length > 500 || down.weights.length > 2 * all.length + 500) return null;

  const gap = space.width / across.sum > 60 ? 8 : space.width / across.sum > 30 ? 3 : 2;
  const pad = rooms.length ? PAD : 0;
  const share = (whole, count, sum) => (whole - gap * (count - 1)) / sum;
  const wide = Math.min(share(space.width - 2 * pad, across.weights.length, across.sum), TILE_MOST.width * space.rem);
  if (wide < (space.phone ? FINGER : TILE_LEAST)) return null;
  const more = others.length ? linesOf(others.length, space.width, { wide, gap }) : 0;
  const tops = new Set(rooms.map((room) => room.at[1] - down.first)); // a line for names above each of these rows
  const label = LABEL * space.rem + pad;
  const free = space.height - tops.size * label - 2 * pad - (more ? gap : 0);
  const fitting = Number.isFinite(free) ? share(free, down.weights.length + more, down.sum + more) : wide * 0.9;
  const high = within(fitting, TILE_LEAST, TILE_MOST.height * space.rem);

  const xs = edges(across.weights, wide, gap, () => 0);
  const ys = edges(down.weights, high, gap, (row) => (tops.has(row) ? label : 0));
  const left = Math.max(pad, (space.width - xs.end) / 2);
  const height = ys.end + (more ? gap + more * (high + gap) : 0) + 2 * pad;
  const top = pad + (Number.isFinite(space.height) ? Math.max(0, (space.height - height) / 2) : 0);
  for (const desk of placed) {
    const [x, y] = [xs.begins[desk.at[0] - across.first], ys.begins[desk.at[1] - down.first]];
    desk.place = { x: left + x, y: top + y, wide, high };
  }
  inLines(others, left, top + ys.end + 2 * gap, space.width - left, { wide, high, gap });
  const areas = rooms.map((room) => {
    const [from, to] = [room.at[0] - across.first, room.at[0] - across.first + room.size[0] - 1];
    const [first, last] = [room.at[1] - down.first, room.at[1] - down.first + room.size[1] - 1];
    return {
      name: room.name,
      x: left + xs.begins[from] - pad,
      y: top + ys.begins[first] - label,
      wide: xs.ends[to] - xs.begins[from] + 2 * pad,
      high: ys.ends[last] - ys.begins[first] + label + Math.min(pad, gap),
    };
  });
  return { kind: "mapped", height: top + height - pad, least: { wide, high }, rooms: areas, drawing: null };
}

// The columns or the rows from the first to the last that is used: `weights` is 1 where somebody sits.
function tracks(used, spans) {
  const first = used.concat(spans.map(([from]) => from)).reduce((a, b) => Math.min(a, b));
  const last = used.concat(spans.map(([from, count]) => from + count - 1)).reduce((a, b) => Math.max(a, b));
  if (last - first > 20_000) return { first, weights: new Array(20_001), sum: Infinity };
  const weights = new Array(last - first + 1).fill(AISLE);
  for (const number of used) weights[number - first] = 1;
  return { first, weights, sum: weights.reduce((a, b) => a + b) };
}

// Where each of them begins and ends; `before` is what stands in front of one.
function edges(weights, size, gap, before) {
  const [begins, ends] = [[], []];
  let at = 0;
  weights.forEach((weight, n) => {
    at += before(n);
    begins.push(at);
    ends.push(at + weight * size);
    at += weight * size + gap;
  });
  return { begins, ends, end: at - gap };
}

// ---- in lines ----

// On a phone what is wrong comes first; else by row and column.
function lines(all, space) {
  const at = (desk) => desk.at || [1e9, 1e9];
  const order = [...all].sort((a, b) =>
    (space.phone ? a.rank - b.rank : 0) || at(a)[1] - at(b)[1] || at(a)[0] - at(b)[0]);
  const big = order.length <= FEW;
  const gap = space.phone || big ? 4 : 2;
  const least = space.phone ? FINGER : TILE_LEAST;
  const most = Math.floor((space.width + gap) / (least + gap));
  const even = space.phone
    ? big ? 4 : most
    : space.height === Infinity
      ? Math.floor(space.width / (big ? 84 : 30))
      : Math.ceil(Math.sqrt((order.length * space.width) / space.height / 1.3));
  const columns = Math.max(1, Math.min(even, most, space.phone ? Infinity : order.length));
  const count = Math.ceil(order.length / columns) || 1;
  const wide = Math.min((space.width - gap * (columns - 1)) / columns, TILE_MOST.width * space.rem);
  const fitting = space.height === Infinity ? wide * 0.9 : (space.height - gap * (count - 1)) / count;
  const high = within(fitting, space.phone ? FINGER : TILE_LEAST, TILE_MOST.height * space.rem);
  const height = count * (high + gap) - gap;
  const left = space.phone ? 0 : (space.width - columns * (wide + gap) + gap) / 2;
  const top = Number.isFinite(space.height) ? Math.max(0, (space.height - height) / 2) : 0;
  order.forEach((desk, n) => {
    const [column, line] = [n % columns, Math.floor(n / columns)];
    desk.place = { x: left + column * (wide + gap), y: top + line * (high + gap), wide, high };
  });
  return { kind: "lines", height: top + height, least: { wide, high }, rooms: [], drawing: null, order };
}

function columnsIn(width, { wide, gap }) {
  return Math.max(1, Math.floor((width + gap) / (wide + gap)));
}

function linesOf(count, width, tile) {
  return Math.ceil(count / columnsIn(width, tile));
}

function inLines(desks, x, y, width, { wide, high, gap }) {
  const columns = columnsIn(width, { wide, gap });
  desks.forEach((desk, n) => {
    desk.place = {
      x: x + (n % columns) * (wide + gap), y: y + Math.floor(n / columns) * (high + gap), wide, high,
    };
  });
}
