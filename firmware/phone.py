"""A desk phone at its wires: hook and ring line in, idle, ringing or talking out."""

from firmware.debounce import Debounce

LIFT_MS = 20  # contact bounce of a hook switch is over by then
BURST_MS = 40  # two half waves of 25 Hz: shorter is a spike on the line
BURST_GAP_MS = 100  # an opto is dark between half waves (20 ms at 25 Hz) without the ring being over
RING_GAP_MS = 6000  # the longest silence between two rings in Europe is 5 s: it belongs to the ringing


class Phone:
    """The state of one phone. No pins and no clock in here: readings and the time come in.

    `hangup_ms` must exceed the longest flash of the house: an on-hook shorter than that is
    a recall, not the end of a call (70-125 ms in the EU, up to 1250 ms in the US).
    """

    def __init__(self, hangup_ms: int = 250):
        self.state = "unknown"
        self.since_ms = 0
        self._hook = Debounce(LIFT_MS, hangup_ms)
        self._burst_ms = None  # where the present burst of the ring line began
        self._pulse_ms = None  # when the ring line was last seen active
        self._rings_ms = None  # where the present ringing began

    def sample(self, off_hook: bool, ring: bool, now_ms: int) -> bool:
        """Takes one reading of hook and ring line; True when the state changed."""
        if self._hook.sample(off_hook, now_ms):
            self._rings_ms = self._burst_ms = None
            return self._say("talking" if self._hook.level else "idle", self._hook.since_ms)
        if self._hook.level is not False:
            return False  # lifted, or nothing known yet: the ring line means nothing
        if ring:
            self._pulse(now_ms)
        if self._rings_ms is None:
            return False
        if now_ms - self._pulse_ms > RING_GAP_MS:
            self._rings_ms = None
            return self._say("idle", self._pulse_ms)
        return self._say("ringing", self._rings_ms)

    def _pulse(self, now_ms):
        if self._burst_ms is None or now_ms - self._pulse_ms > BURST_GAP_MS:
            self._burst_ms = now_ms
        elif now_ms - self._burst_ms >= BURST_MS and self._rings_ms is None:
            self._rings_ms = self._burst_ms
        self._pulse_ms = now_ms

    def _say(self, state, since_ms):
        if state == self.state:
            return False
        self.state = state
        self.since_ms = since_ms
        return True
