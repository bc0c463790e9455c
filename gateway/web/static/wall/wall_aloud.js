// What a wall shows, in words, for those who hear a page: by queue, in the order of its pages.

import { waited } from "./wall_scene.js";
import { clock, fill, span, words } from "../words/words.js";

// `told` says of each number whose it is and what: ["Polski", "waiting"].
export function aloud({ name, numbers: told }, { scene, numbers, clock_ms, age_s, percent, message }) {
  const { screen } = words;
  if (percent === 0) return fill(screen.off, { name });
  const known = scene && numbers && numbers.of === scene.of ? numbers : null;
  const queues = new Map(); // by name: its figures in words
  const read = scene ? scene.pages.flatMap((page) => [...page].reverse()) : []; // what stands above is drawn last
  for (const op of read) {
    if (op.is !== "figure" || !told[op.number]) continue;
    const [queue, what] = told[op.number];
    const value = op.ticks ? clock(waited(op, known, clock_ms)) : known?.values[op.number];
    if (!queues.has(queue)) queues.set(queue, new Set());
    queues.get(queue).add(fill(screen[what], { n: value ?? words.unknown_aloud }));
  }
  const parts = [...queues].map(([queue, figures]) => `${queue}: ${[...figures].join(", ")}`);
  if (message) parts.push(screen.message);
  if (age_s !== null) parts.unshift(age_s < 0 ? screen.unproved : fill(screen.old, { span: span(age_s) }));
  return `${name}. ${parts.join(". ")}`;
}
