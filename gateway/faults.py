"""Sensors that tell nothing, in the log: once when it begins and once when it is over, however often it flickers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WELL_S = 60.0  # a fault is over when it has been away for so long
KNOWN_MOST = 10_000  # further ones are not logged


@dataclass(slots=True)
class Known:
    """A fault that has been logged."""

    since_s: float
    well_s: float | None = None  # since when it is away; None: it is there


class Faults:
    """The faults of one floor. `warn` takes a text with %s and its values, as logging does."""

    def __init__(self, warn: Callable[..., None]) -> None:
        self._warn = warn
        self._known: dict[str, dict[str, Known]] = {}  # desk → words → when
        self._count = 0

    def hear(self, desk: str, faults: Sequence[str], now_s: float) -> None:
        """All that is wrong with a desk's sensors now, in words."""
        if not faults and desk not in self._known:
            return
        known = self._known.setdefault(desk, {})
        for words, fault in known.items():
            if words not in faults:
                fault.well_s = fault.well_s or now_s
        for words in faults:
            if words in known:
                known[words].well_s = None
            elif self._count < KNOWN_MOST:
                known[words] = Known(now_s)
                self._count += 1
                self._warn("desk %s: %s", desk, words)

    def due(self, now_s: float) -> None:
        """Call it a few times a second: says which faults are over."""
        for desk, known in list(self._known.items()):
            for words, fault in list(known.items()):
                if fault.well_s is not None and now_s - fault.well_s >= WELL_S:
                    del known[words]
                    self._count -= 1
                    self._warn("desk %s is well again, after %d s: %s", desk, fault.well_s - fault.since_s, words)
            if not known:
                del self._known[desk]
