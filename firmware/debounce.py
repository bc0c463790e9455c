"""A contact that counts once it has held still, and is not believed while it chatters: time and level in, level out."""

GAP_MS = 100  # of a longer time between two readings only so much counts: nobody knows what happened in it
CHATTER_MS = 2000  # so long without holding still is chatter: the longest dialled digit is over in 1.3 s
STILL_MS = 200  # a hand or a dial rests for so long: between two digits it is 250 ms and more
BLINK_STILL_MS = 100  # a lamp that blinks three times a second rests for 167 ms
FLAPS = 8  # so many believed changes, less one a second, are no hand's: chatter too
CALM_MS = 3000  # chatter is over when the contact has held still for so long: longer than any hanging up


class Debounce:
    """A level believed after it held for `on_ms` (active) or `off_ms` (not).

    `level` is None until the first level has held, and while the contact `chatters`;
    `since_ms` is when the believed level or the chatter began, not when it was believed.
    What `blinks` may change as often as it likes, as long as it rests in between;
    `restless_ms` is since when it has not, or None.
    """

    def __init__(self, on_ms: int, off_ms: int, blinks: bool = False):
        self.on_ms = on_ms
        self.off_ms = off_ms
        self.level: bool | None = None
        self.chatters = False
        self.since_ms = 0
        self._blinks = blinks
        self._flaps_ms = 0  # when the last of them is forgotten
        self._raw: bool | None = None
        self._edge_ms = 0  # when the raw level became what it is
        self._held_ms = 0  # for so long it was seen to be so
        self._last_ms = 0
        self.restless_ms: int | None = None  # since when it has not held still

    def sample(self, raw: bool, now_ms: int) -> bool:
        """Takes one reading; True when the believed level changed, or chatter began."""
        gap_ms = now_ms - self._last_ms
        self._last_ms = now_ms
        if gap_ms > GAP_MS:
            self.restless_ms = None
        if raw != self._raw:
            if self.restless_ms is None:
                self.restless_ms = now_ms
            self._raw = raw
            self._edge_ms = now_ms
            self._held_ms = 0
        else:
            self._held_ms += min(gap_ms, GAP_MS)
        if self.chatters:
            if self._held_ms < CALM_MS:
                return False
            self.chatters = False
        elif self._held_ms >= (BLINK_STILL_MS if self._blinks else STILL_MS):
            self.restless_ms = None
        elif self.restless_ms is not None and now_ms - self.restless_ms >= CHATTER_MS:
            return self._chatter(self.restless_ms)
        if raw == self.level or self._held_ms < (self.on_ms if raw else self.off_ms):
            return False
        if not self._blinks and self._too_often(now_ms):
            return self._chatter(self._edge_ms)
        self.level = raw
        self.since_ms = self._edge_ms
        return True

    def forget(self) -> None:
        """Nothing can be read, or it is believed no more: what was seen so far holds no level."""
        self.level = None
        self.interrupt()

    def interrupt(self) -> None:
        """A moment without a reading: the level that was about to be believed has not held."""
        self._raw = None
        self.restless_ms = None

    def _chatter(self, since_ms):
        self.chatters = True
        self.level = None
        self.since_ms = since_ms
        self._flaps_ms = 0
        return True

    def _too_often(self, now_ms):
        """Counts a believed change; one is forgotten with every second."""
        self._flaps_ms = max(self._flaps_ms, now_ms) + 1000
        return self._flaps_ms - now_ms > FLAPS * 1000
