"""A telephone line by its voltage: what an ADC reads in, hook and ring out. Only boards that have one load this.

The line comes through a bridge rectifier and a divider, so a reading is the amount of the voltage, and a ring
rides on it: 48 V with 75 Vrms at 25 Hz is anything from 0 to 154 V. Classes, in volts:

    under 3     nothing there: unplugged, or taken away for a moment
    3 to 20     lifted, if it fell there: a set of 180 to 300 ohm at 20 to 60 mA leaves 4 to 18 V
    over 20     on the hook: 24 or 48 V
    15-70 Hz of 25 Vrms and more: ringing

All voltages in here are in tenths of a volt and whole, because a float is garbage on a board.
"""

FAULT_DV, FAULT_BACK_DV = 30, 33  # and what must be crossed to come back
LIFTED_DV, ON_HOOK_DV = 200, 220  # likewise
FALL_DV = 30  # a lifted line falls at once; one whose plug is out sinks with the bell's 1 uF, 2 V a second
LOWS = 8  # so many low readings one after the other are a lifted handset: fewer are the troughs of a ring
SWING_DV = 600  # from trough to crest: 21 Vrms, so that 25 Vrms are found at any phase and 20 Vrms never are
FOLDED_SWING_DV = 300  # where the trough is at zero the rectifier has folded the wave, and shows half of it
ZERO_DV = 150
RING_ONLY_DV = 650  # no line has so much but by its ring
RING_HOLD_MS = 100  # so long after such a crest its troughs are no lifted handset


class Line:
    """One line. It must be read every 10 ms; better at uneven times around that, or a wave may keep step with them.

    `divider` is how many volts on the line are one at the ADC.
    """

    def __init__(self, divider: float):
        self._scale = int(divider * 1024 / 100)  # millivolts at the ADC to tenths of a volt, times 1024
        self._hook: bool | None = None  # the class it was in last, but for the moments without a voltage
        self._dead = True
        self._lows = 0  # low readings of a line on the hook, one after the other
        self._before_dv = -1  # the reading before this one; none yet
        self._slow_dv = 0  # what the line had in the last tenths of a second
        self._crest_dv = self._trough_dv = 0  # how far it went since it last turned
        self._rises = False
        self._loud_ms = -RING_HOLD_MS  # when it last had what only a ring has

    def sample(self, millivolts: int, now_ms: int) -> tuple:
        """(hook, ring) of one reading: hook as in Phone; ring is True where a ring's wave turns."""
        now_dv = millivolts * self._scale >> 10
        if self._before_dv < 0:
            self._before_dv = self._slow_dv = self._crest_dv = self._trough_dv = now_dv
        # Two readings together: mains hum and the zero of a reversal are over by the next one.
        mean_dv = (now_dv + self._before_dv) >> 1
        self._before_dv = now_dv
        if now_dv > RING_ONLY_DV:
            self._loud_ms = now_ms
        hook = self._class(mean_dv, now_ms)
        self._slow_dv += (mean_dv - self._slow_dv) >> 4
        return hook, self._turns(now_dv)

    def _class(self, dv, now_ms):
        loud = now_ms - self._loud_ms < RING_HOLD_MS
        self._dead = not loud and dv < (FAULT_BACK_DV if self._dead else FAULT_DV)
        if self._dead:
            if self._slow_dv < FAULT_BACK_DV:
                self._hook = None
            return None
        if loud or dv >= (LIFTED_DV if self._hook is False else ON_HOOK_DV):
            self._hook = False
            self._lows = 0
        elif self._hook is False:
            self._lows += 1
            if self._lows < LOWS or self._slow_dv - dv < FALL_DV:
                return None  # not for certain on the hook any more, nor lifted
            self._hook = True
        else:
            self._hook = True
        return self._hook

    def _turns(self, dv):
        """Whether the voltage has come so far back from its last crest or trough that this is a swing."""
        self._crest_dv = max(self._crest_dv, dv)
        self._trough_dv = min(self._trough_dv, dv)
        far = self._crest_dv - dv if self._rises else dv - self._trough_dv
        if far < (FOLDED_SWING_DV if self._trough_dv < ZERO_DV else SWING_DV):
            return False
        self._rises = not self._rises
        self._crest_dv = self._trough_dv = dv
        return True
