// Where each desk stands: on the plan's columns and rows, or in lines where those have no room.
// A desk has `at` (column and row, or null) from the plan, and is given `column` and `line` from 0.

export const TILE_LEAST = 22; // px: a finger's least, with the gap

// Columns and lines with each desk at its place, the others below in lines; null where that has no room.
export function mapped(all, width) {
  const taken = new Map(); // two desks at one place: the first has it
  for (const desk of all) if (desk.at && !taken.has(String(desk.at))) taken.set(String(desk.at), desk);
  const placed = [...taken.values()];
  if (!placed.length) return null;
  const [left, right] = ends(placed.map((desk) => desk.at[0]));
  const [top, bottom] = ends(placed.map((desk) => desk.at[1]));
  const columns = right - left + 1;
  const lines = bottom - top + 1;
  if (columns * (TILE_LEAST + 2) > width || lines > 2 * all.length) return null;
  for (const desk of placed) [desk.column, desk.line] = [desk.at[0] - left, desk.at[1] - top];
  const here = new Set(placed);
  const others = all.filter((desk) => !here.has(desk));
  others.forEach((desk, n) => {
    [desk.column, desk.line] = [n % columns, lines + Math.floor(n / columns)];
  });
  return { columns, lines: lines + Math.ceil(others.length / columns) };
}

function ends(numbers) {
  return [Math.min(...numbers), Math.max(...numbers)];
}

// All in lines, by row and column, as many columns as look even in that room; `big` ones where there are few.
export function flowed(all, width, height, big) {
  const at = (desk) => desk.at || [1e9, 1e9];
  const order = [...all].sort((a, b) => at(a)[1] - at(b)[1] || at(a)[0] - at(b)[0]);
  const most = Math.floor(width / (TILE_LEAST + 2));
  const even = height === Infinity
    ? Math.floor(width / (big ? 84 : 30))
    : Math.ceil(Math.sqrt((all.length * width) / height / 1.3));
  const columns = Math.max(1, Math.min(even, most, all.length));
  order.forEach((desk, n) => {
    [desk.column, desk.line] = [n % columns, Math.floor(n / columns)];
  });
  return { columns, lines: Math.ceil(all.length / columns) };
}
