"""A desk phone at its wires: hook and ring line in, idle, ringing or talking out."""

from firmware.debounce import Debounce

LIFT_MS = 20  # contact bounce of a hook switch is over by then (15 ms)
DEAD_MS = 2000  # a PBX takes the line away for 250 to 900 ms where the other end hung up; longer is a plug
PULSE_GAP_MS = 80  # an opto is dark for less than 67 ms between two waves of 15 Hz: more ends the burst
SIGHTINGS = 4  # a bell lights the opto again and again; a line that is reversed or put down does so twice
STUCK_MS = 10000  # no PBX rings for more than 3 s without a pause: an opto wired to DC, or mains hum


class Phone:
    """The state of one phone. No pins and no clock in here: readings and the time come in.

    `times` are those of firmware/countries.py; a phone's own `hangup_ms` goes before them.
    `why` says why a state is unknown, in a word of the contract; `since_ms` is when the state began.
    """

    def __init__(self, times: dict, hangup_ms: int | None = None):
        self.state = "unknown"
        self.why: str | None = None
        self.since_ms = 0
        # Every break that is shorter than hanging up is a dial pulse, a recall or a flash: the call goes on.
        self._hook = Debounce(LIFT_MS, hangup_ms or times["hangup_ms"])
        self._times = times
        self._dead_ms = None  # since when nothing is readable
        self._burst_ms = None  # where the present burst of the ring line began
        self._sightings = 0  # how often it was seen lit
        self._pulse_ms = 0  # when last
        self._rings_ms = None  # where the present ringing began
        self._stuck_ms = None  # where the light that is no ringing began
        self._quiet_ms = 0  # when the ring line was last lit before it went quiet

    def sample(self, hook: bool | None, ring: bool, now_ms: int) -> bool:
        """Takes one reading; True when the state changed, or why it is unknown.

        `hook`: True lifted, False on the hook, None: the line's voltage is that of neither.
        """
        self._hear(ring, now_ms)
        if hook is None:
            return self._dead(now_ms)
        self._dead_ms = None
        self._hook.sample(hook, now_ms)
        if self._hook.chatters:
            return self._say("unknown", self._hook.since_ms, "chatter")
        if self._hook.level is None:
            return False  # nothing has held still so far
        if self._hook.level:
            self._rings_ms = None  # and what rang before the handset is put down belongs to this call
            return self._say("talking", self._hook.since_ms)
        if self._stuck_ms is not None:
            return self._say("unknown", max(self._stuck_ms, self._hook.since_ms), "broken")
        if self._rings_ms is None and self._rings():
            self._rings_ms = self._burst_ms
        if self._rings_ms is not None:
            return self._say("ringing", self._rings_ms)
        return self._say("idle", max(self._quiet_ms, self._hook.since_ms))

    def _dead(self, now_ms):
        if self._dead_ms is None:
            self._dead_ms = now_ms
        self._hook.interrupt()
        if now_ms - self._dead_ms < DEAD_MS:
            return False
        self._hook.forget()
        self._rings_ms = self._burst_ms = None
        return self._say("unknown", self._dead_ms, "unplugged")

    def _hear(self, ring, now_ms):
        """Follows the ring line, whatever the hook does: an opto is dark between waves, and between rings."""
        if ring:
            if self._burst_ms is None:
                self._burst_ms = now_ms
                self._sightings = 0
            self._sightings += 1
            self._pulse_ms = now_ms
            if now_ms - self._burst_ms >= STUCK_MS:
                self._stuck_ms = self._burst_ms
                self._rings_ms = None
            return
        dark_ms = now_ms - self._pulse_ms
        if dark_ms > PULSE_GAP_MS:
            self._burst_ms = None
        if dark_ms > self._times["ring_gap_ms"] and (self._rings_ms is not None or self._stuck_ms is not None):
            self._rings_ms = self._stuck_ms = None
            self._quiet_ms = self._pulse_ms

    def _rings(self):
        """Whether the present burst is a bell's, and began after the handset was put down."""
        return (
            self._burst_ms is not None
            and self._sightings >= SIGHTINGS
            and self._pulse_ms - self._burst_ms >= self._times["burst_ms"]
            and self._burst_ms >= self._hook.since_ms
        )

    def _say(self, state, since_ms, why=None):
        if state == self.state and why == self.why:
            return False
        self.state = state
        self.why = why
        self.since_ms = since_ms
        return True
