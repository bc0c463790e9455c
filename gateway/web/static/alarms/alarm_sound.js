// The tone of a new alarm: short, of two notes, and never longer however many come at once. Only where asked for.

const NOTES = [[660, 0], [880, 0.16]]; // Hz, after how many seconds
const LONG_S = 0.15;
const LOUD = 0.25;
const APART_MS = 3000; // what comes sooner after a tone has been heard with it

let audio = null;
let sounded = -Infinity;

// Whether this browser lets the page sound now: most do so only after a key or a click in it.
export async function ready() {
  audio = audio ?? new AudioContext();
  if (audio.state === "suspended") {
    await Promise.race([audio.resume(), new Promise((done) => setTimeout(done, 500))]);
  }
  return audio.state === "running";
}

// True once it has sounded, or had just before.
export async function sound() {
  if (!(await ready())) return false;
  if (performance.now() - sounded < APART_MS) return true;
  sounded = performance.now();
  for (const [hertz, after_s] of NOTES) note(hertz, audio.currentTime + after_s);
  return true;
}

function note(hertz, at_s) {
  const [voice, level] = [audio.createOscillator(), audio.createGain()];
  voice.frequency.value = hertz;
  level.gain.setValueAtTime(0, at_s);
  level.gain.linearRampToValueAtTime(LOUD, at_s + 0.02);
  level.gain.exponentialRampToValueAtTime(0.001, at_s + LONG_S); // no click at its end
  voice.connect(level).connect(audio.destination);
  voice.start(at_s);
  voice.stop(at_s + LONG_S);
}
