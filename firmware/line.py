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
LIFTED_DV, ON_HOOK_DV = 200, 206  # likewise
FALL_DV = 30  # a lifted line falls at once; one whose plug is out sinks with the bell's 1 uF, 2 V a second
RISE_DV = 15  # in two readings: a line that has just come back, and is not where it will be
STEADY_DV, STEADY_MS = 10, 10000  # what sinks is not so steady for so long: it falls 0.3 V a second
LOWS = 8  # so many low readings one after the other are a lifted handset: fewer are the troughs of a ring
SWING_DV = 600  # from trough to crest: 21 Vrms, so that 25 Vrms are found at any phase and 20 Vrms never are
FOLDED_SWING_DV = 300  # where the trough is at zero the rectifier has folded the wave, and shows half of it
ZERO_DV = 150
HUM_MS = 200  # what falls to nothing twice within this is hum that an open line picks up,
HUM_DV = 300  # unless it goes so high in between: that is a ring
RING_ONLY_DV = 650  # no line has so much but by its ring
RING_HOLD_MS = 100  # so long after such a crest its troughs are no lifted handset


class Line:
    """One line. It must be read every 10 ms; better at uneven times around that, or a wave may keep step with them.

    `divider` is how many volts on the line are one at the ADC.
    """

    def __init__(self, divider: float):
        self._scale = int(divider * 1024 / 100)  # millivolts at the ADC to tenths of a volt, times 1024
        self._hook: bool | None = None  # the class it was in last, but for the moments without a voltage
        self._dead = False
        self._lows = 0  # low readings of a line on the hook, one after the other
        self._hums = False
        self._fell_ms = -HUM_MS  # when it fell to nothing last
        self._before_dv = -1  # the reading before this one; none yet
        self._slow_dv = 0  # the most that the line had in the last tenths of a second
        self._low_dv = self._low_ms = 0  # where a low line is about, and since when
        self._crest_dv = self._trough_dv = 0  # how far it went since it last turned
        self._rises = False
        self._loud_ms = -RING_HOLD_MS  # when it last had what only a ring has

    def sample(self, millivolts: int, now_ms: int) -> tuple:
        """(hook, ring) of one reading: hook as in Phone; ring is True where a ring's wave turns."""
        now_dv = millivolts * self._scale >> 10
        if self._before_dv < 0:
            self._before_dv = self._slow_dv = self._crest_dv = self._trough_dv = now_dv
        if now_dv >= HUM_DV:
            self._hums = False
            self._fell_ms = now_ms - HUM_MS
        elif now_dv < FAULT_DV <= self._before_dv:
            self._hums = now_ms - self._fell_ms < HUM_MS
            self._fell_ms = now_ms
        # Two readings together: mains hum and the zero of a reversal are over by the next one.
        mean_dv = (now_dv + self._before_dv) >> 1
        self._before_dv = now_dv
        if now_dv > RING_ONLY_DV:
            self._loud_ms = now_ms
        hook = self._class(mean_dv, now_ms)
        if not 0 < self._lows < LOWS:
            self._slow_dv += (mean_dv - self._slow_dv) >> (1 if mean_dv > self._slow_dv else 4)
        return hook, self._turns(now_dv)

    def _class(self, dv, now_ms):
        loud = now_ms - self._loud_ms < RING_HOLD_MS
        self._dead = not loud and dv < (FAULT_BACK_DV if self._dead else FAULT_DV)
        if self._dead:
            if self._slow_dv < FAULT_BACK_DV:
                self._hook = None
            return None
        if self._hums and not loud and now_ms - self._fell_ms < HUM_MS:
            return None
        if loud or dv >= (ON_HOOK_DV if self._hook else LIFTED_DV):
            self._hook = False
            self._lows = 0
        elif self._hook is False:
            self._lows += 1
            if self._lows < LOWS or not (self._slow_dv - dv >= FALL_DV or self._is_steady(dv, now_ms)):
                return None  # not for certain on the hook any more, nor lifted
            self._hook = True
        elif dv - self._slow_dv < RISE_DV:
            self._hook = True
        return self._hook

    def _is_steady(self, dv, now_ms):
        """Whether a low line has been where it is for longer than one that sinks."""
        if self._lows == LOWS or abs(dv - self._low_dv) > STEADY_DV:
            self._low_dv = dv
            self._low_ms = now_ms
        return now_ms - self._low_ms >= STEADY_MS

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
