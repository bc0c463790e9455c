"""When callers come: a Poisson process whose rate goes with the hour of the day and with surges."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from floorplan import Simulator

HOUR_S = 3600


class Arrivals:
    """The callers of one queue. Times are Unix times; `began_s`: from when surges are reckoned."""

    def __init__(self, settings: Simulator, queue: str, time_zone: str, began_s: float, dice: random.Random):
        own = settings.of(queue)
        mean = sum(own.by_hour) / 24
        self._weights = [weight / mean for weight in own.by_hour] or [1.0] * 24
        self._mean_per_s = own.calls_per_minute / 60
        self._surges = [
            (began_s + row.from_h * HOUR_S, began_s + row.to_h * HOUR_S, row.times)
            for row in settings.surges if row.queue == queue
        ]  # fmt: skip
        self._peak_per_s = self._mean_per_s * max(self._weights)
        self._peak_per_s *= math.prod(max(1.0, times) for _, _, times in self._surges)
        self._hour = _hour_in(ZoneInfo(time_zone))
        self._dice = dice

    def per_s(self, at_s: float) -> float:
        """How many callers a second are to be expected at a moment."""
        rate = self._mean_per_s * self._weights[self._hour(at_s)]
        for from_s, to_s, times in self._surges:
            if from_s <= at_s < to_s:
                rate *= times
        return rate

    def after(self, now_s: float) -> float:
        """When the next caller comes.

        By thinning (Lewis and Shedler, 1979): callers come at the highest rate there ever is, and each is
        real with the chance that its moment's rate has to that one.
        """
        at_s = now_s + self._dice.expovariate(self._peak_per_s)
        while self._dice.random() * self._peak_per_s >= self.per_s(at_s):
            at_s += self._dice.expovariate(self._peak_per_s)
        return at_s


def _hour_in(zone: ZoneInfo) -> Callable[[float], int]:
    """The hour of the day of a Unix time. Zones differ from UTC by whole quarters: looked up once for each."""
    known: dict[int, int] = {}

    def hour(at_s: float) -> int:
        quarter = int(at_s // 900)
        if quarter not in known:
            known.clear()
            known[quarter] = datetime.fromtimestamp(at_s, zone).hour
        return known[quarter]

    return hour
