// The numbers a wall draws, and whether they may be believed: as firmware/values.py, whose rules these are.

const LEVELS = "+!"; // before a number: amber, red

// The numbers of a `values` message: when the waits were taken, and lists by a number's place. null is unknown, -1 a
// wait of nobody. Throws.
export function read(fields) {
  const [values, levels] = [[], []];
  for (const told of fields.n.replace(/[+!]/g, " $&").split(/\s+/).filter(Boolean)) {
    const level = LEVELS.indexOf(told[0]) + 1;
    const word = level ? told.slice(1) : told;
    if (!/^([0-9a-z]{1,6}|[?-])$/.test(word)) throw new Error(`'${told.slice(0, 8)}' is no number`);
    values.push(word === "?" ? null : word === "-" ? -1 : parseInt(word, 36));
    levels.push(level);
  }
  if (!values.length || values[0] === null || values[0] < 0) throw new Error("nobody says when the waits were taken");
  return { of: fields.of, at_s: values.shift(), values, levels: levels.slice(1) };
}

// Old until a beat of the same gateway start names their `seq` or an older one. Proof lasts for three beats;
// the gateway's last word ends it at once, and so does a sleep of this machine. Times are this page's ms.
export class Values {
  constructor(beat_s, proof_ms) {
    this.numbers = null;
    this.seq = null;
    this.boot = null;
    this.beat_ms = beat_s * 1000;
    this.proof_ms = proof_ms;
    this.beat = null; // the last one: { fields, came_ms }
    this.proved_ms = null; // when a beat last stood behind the numbers
    this.zero_ms = 0; // this page's time at the gateway's second 0, by that beat
    this.doubted_ms = null; // since when they are not believed, whatever was proved before
  }

  takeValues(fields, now_ms) {
    this.numbers = read(fields);
    if (this.boot !== fields.boot || fields.seq < this.seq) this.proved_ms = null; // a broker that kept older ones
    this.boot = fields.boot;
    this.seq = fields.seq;
    this.prove(now_ms);
  }

  // A beat that was made at `came_ms`, which may be a while before now.
  takeBeat(fields, came_ms, now_ms = came_ms) {
    this.beat = { fields, came_ms };
    this.prove(now_ms);
  }

  takeGateway(fields, now_ms) {
    if (fields.state === "lost" && (!this.beat || fields.boot === this.beat.fields.boot)) this.doubt(now_ms);
  }

  // Nothing is believed until there is a new beat.
  doubt(now_ms) {
    this.doubted_ms = now_ms;
    this.beat = null;
  }

  prove(now_ms) {
    if (!this.beat) return;
    const { fields, came_ms } = this.beat;
    if (now_ms - came_ms > this.beat_ms || fields.boot !== this.boot || this.seq < fields.values_seq) return;
    this.proved_ms = came_ms;
    this.zero_ms = came_ms - fields.now_s * 1000;
    this.doubted_ms = null;
  }

  // null while fresh, else whole seconds since the last proof, -1 where there was none.
  age(now_ms) {
    if (this.proved_ms === null) return -1;
    return now_ms <= this.oldFrom() ? null : Math.floor((now_ms - this.proved_ms) / 1000);
  }

  // The gateway's clock in ms, which stands still from when the numbers turned old; null if never proved.
  clock(now_ms) {
    return this.proved_ms === null ? null : Math.floor(Math.min(now_ms, this.oldFrom()) - this.zero_ms);
  }

  // When that second of the gateway's clock is, on this page's own; null for another gateway's.
  local(clock_s, boot) {
    if (!this.beat || this.beat.fields.boot !== boot) return null;
    return this.beat.came_ms + (clock_s - this.beat.fields.now_s) * 1000;
  }

  oldFrom() {
    const old_ms = this.proved_ms + this.proof_ms;
    return this.doubted_ms === null ? old_ms : Math.min(old_ms, this.doubted_ms - 1);
  }
}
