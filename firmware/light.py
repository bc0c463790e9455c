"""How bright a panel is by a light sensor: from millivolts to per cent, without a flicker."""

SAMPLE_MS = 1000
SHARE = 8  # a sample counts for an eighth: somebody who walks past changes nothing
STEP = 6  # per cent: less than that is not followed, but to the very ends


class Light:
    """A sensor by its entry in board.json: `dark_mv`, `bright_mv` and, in per cent, `least` and `most`.

    `dark_mv` may be the larger one: it is so where the sensor stands at the other end of its divider.
    """

    def __init__(self, entry: dict):
        self.dark_mv, self.bright_mv = entry["dark_mv"], entry["bright_mv"]
        self.least, self.most = entry["least"], entry["most"]
        self.percent = self.most  # until the first sample
        self._mv: int | None = None  # smoothed, times SHARE
        self._next_ms = 0

    def take(self, mv: int, now_ms: int) -> int:
        """What the sensor measures now; how bright the panel should be. More than a sample a second is left out."""
        if self._mv is not None and now_ms < self._next_ms:
            return self.percent
        self._next_ms = now_ms + SAMPLE_MS
        first = self._mv is None
        before = mv * SHARE if self._mv is None else self._mv
        self._mv = before + mv - before // SHARE
        wanted = self._wanted(self._mv // SHARE)
        if first or abs(wanted - self.percent) >= STEP or wanted in (self.least, self.most):
            self.percent = wanted
        return self.percent

    def _wanted(self, mv):
        span = self.bright_mv - self.dark_mv
        if not span:
            return self.most
        wanted = self.least + (self.most - self.least) * (mv - self.dark_mv) // span
        return max(self.least, min(self.most, wanted))
