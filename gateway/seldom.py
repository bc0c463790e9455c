"""A log that does not repeat itself: the same words once a minute, however often they are said."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY_S = 60.0
KNOWN_MOST = 100  # different words remembered; beyond that all are forgotten, and may be said anew


class Seldom(logging.Filter):
    """Lets a record through once in EVERY_S, and says with the next how many were left out.

    For the web server, which warns of every request that is no HTTP, and anybody may send those.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[
            str, tuple[float, int]
        ] = {}  # words → when last let through, how many left out since

    def filter(self, record: logging.LogRecord) -> bool:
        words, now_s = record.getMessage(), self._clock()
        at_s, left_out = self._said.get(words, (float("-inf"), 0))
        if now_s - at_s < EVERY_S:
            self._said[words] = at_s, left_out + 1
            return False
        if len(self._said) >= KNOWN_MOST:
            self._said.clear()
        self._said[words] = now_s, 0
        if left_out:
            record.msg, record.args = f"{words} (and {left_out} times before)", ()
        return True
