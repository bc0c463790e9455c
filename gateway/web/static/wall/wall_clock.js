// This page's clock: it goes on while the machine sleeps, and tells when it has slept.

const STEP_MS = 2000; // the wall clock is ahead by more than this: the machine slept, or was set
const GAP_MS = 7000; // nobody asked for so long, with a beat due every 5 s: it slept, or the page stood still

let ticked = performance.now(); // stands still in a sleep on some systems
let dated = Date.now();
let slept_ms = 0;
let woken = () => {};

// Calls this as soon as a sleep is noticed.
export function whenWoken(call) {
  woken = call;
}

// Whole ms since this page was opened.
export function now() {
  const [tick, date] = [performance.now(), Date.now()];
  const missed = date - dated - (tick - ticked);
  const slept = missed > STEP_MS || tick - ticked > GAP_MS;
  [ticked, dated] = [tick, date];
  if (missed > STEP_MS) slept_ms += missed;
  if (slept) woken();
  return Math.floor(tick + slept_ms);
}
