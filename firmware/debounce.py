"""A contact that counts once it has held still: time and level in, level out."""


class Debounce:
    """A level believed after it held for `on_ms` (active) or `off_ms` (not).

    `level` is None until the first level has held; `since_ms` is when the believed level
    began, not when it was believed.
    """

    def __init__(self, on_ms: int, off_ms: int):
        self.on_ms = on_ms
        self.off_ms = off_ms
        self.level: bool | None = None
        self.since_ms = 0
        self._raw: bool | None = None
        self._raw_since_ms = 0

    def sample(self, raw: bool, now_ms: int) -> bool:
        """Takes one reading; True when the believed level changed."""
        if raw != self._raw:
            self._raw = raw
            self._raw_since_ms = now_ms
        if raw == self.level or now_ms - self._raw_since_ms < (self.on_ms if raw else self.off_ms):
            return False
        self.level = raw
        self.since_ms = self._raw_since_ms
        return True
