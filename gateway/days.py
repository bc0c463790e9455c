"""The site's calendar: which quarter of an hour and which day a moment is in, and when the house is open.

Pure: epoch seconds in, epoch seconds and dates out. All rules of a time zone are zoneinfo's. A time
of day that is there twice on a date (summer time ends) is the first of the two; one that is not there
at all (it begins) is the moment of the change. So days follow each other without a hole, whatever the
clocks do, and have 23, 24 or 25 hours; in a few places others.
"""

from __future__ import annotations

import datetime as dt
import functools
from zoneinfo import ZoneInfo

QUARTER_S = 900  # every zone is off UTC by whole quarters of an hour: Nepal 5:45, Lord Howe 10:30 and 11
DAY = dt.timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # as floorplan.DAYS, in date.weekday's order
REMEMBERED = 512  # dates whose opening hours are kept at hand


class Calendar:
    """Time zone, day's boundary and opening hours of one site, as its site file writes them.

    `hours`: lines like "mon-fri 08:00-20:00", each for the dates of those weekdays; none: always open.
    Lines may overlap. "sat-mon" is saturday, sunday, monday.
    """

    def __init__(self, zone: str, day_begins: str = "00:00", hours: tuple[str, ...] = ()):
        self.zone = ZoneInfo(zone)
        self._day_begins_min = _minutes(day_begins)
        self._hours = [_line(line) for line in hours]
        self._begins = functools.lru_cache(REMEMBERED)(self._find_begin)
        self._open_on = functools.lru_cache(REMEMBERED)(self._find_open)

    def quarter(self, at_s: float) -> int:
        """Where the 15 minutes begin that `at_s` is in."""
        return int(at_s // QUARTER_S) * QUARTER_S

    def day(self, at_s: float) -> dt.date:
        """Which day `at_s` belongs to: before day_begins it is still the day before."""
        date = self._local(at_s).date()
        while at_s < self._begins(date):
            date -= DAY
        while at_s >= self._begins(date + DAY):
            date += DAY
        return date

    def day_bounds(self, date: dt.date) -> tuple[int, int]:
        """(from_s, to_s) of a day; to_s is the next day's from_s."""
        return self._begins(date), self._begins(date + DAY)

    def next_day_s(self, at_s: float) -> int:
        """When the day that `at_s` belongs to is over."""
        return self._begins(self.day(at_s) + DAY)

    def is_open(self, at_s: float) -> bool:
        """Whether the house is open; it is no more where its hours end."""
        if not self._hours:
            return True
        return any(begin <= at_s < end for begin, end in self._open_on(self._local(at_s).date()))

    def opens_s(self, at_s: float) -> int | None:
        """When the house opens next, where it is closed at `at_s`; None where it never does."""
        date = self._local(at_s).date()
        for _ in range(9):  # hours are the same every week, but for the days on which clocks change
            for begin, end in self._open_on(date):
                if end > max(begin, at_s):
                    return begin
            date += DAY
        return None

    def open_s(self, from_s: float, to_s: float) -> float:
        """How many seconds from `from_s` until `to_s` the house is open."""
        if not self._hours or to_s <= from_s:
            return max(0.0, to_s - from_s)
        total_s, date, last = 0.0, self._local(from_s).date(), self._local(to_s).date()
        while date <= last:
            for begin, end in self._open_on(date):
                total_s += max(0.0, min(end, to_s) - max(begin, from_s))
            date += DAY
        return total_s

    def iso(self, at_s: float) -> str:
        """`at_s` as people read it here: 2026-10-25T02:15:00+01:00."""
        return self._local(at_s).isoformat(timespec="seconds")

    def clock(self, at_s: float) -> str:
        """What the clocks on the wall show at `at_s`: 02:15."""
        return f"{self._local(at_s):%H:%M}"

    def _local(self, at_s: float) -> dt.datetime:
        return dt.datetime.fromtimestamp(at_s, self.zone)

    def _find_begin(self, date: dt.date) -> int:
        return self._when(date, self._day_begins_min)

    def _find_open(self, date: dt.date) -> list[tuple[int, int]]:
        """The stretches of a date in which the house is open, in order, none touching another."""
        lines = sorted(
            (self._when(date, begins_min), self._when(date, ends_min))
            for weekdays, begins_min, ends_min in self._hours
            if date.weekday() in weekdays
        )
        stretches: list[tuple[int, int]] = []
        for begin, end in lines:
            if stretches and begin <= stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], max(stretches[-1][1], end))
            else:
                stretches.append((begin, end))
        return stretches

    def _when(self, date: dt.date, minutes: int) -> int:
        """The first moment at which the clocks on the wall show this time of this date, or a later one."""
        wall = dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=minutes)
        first = int(wall.replace(tzinfo=self.zone).timestamp())
        second = int(wall.replace(tzinfo=self.zone, fold=1).timestamp())
        if first <= second:
            return first
        # The clocks jump over it: `second` is before the jump, `first` is after it.
        quarters = range(second, first, QUARTER_S)
        return next((at_s for at_s in quarters if self._local(at_s).replace(tzinfo=None) >= wall), first)


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _line(text: str) -> tuple[frozenset[int], int, int]:
    """(weekdays, begins, ends) of "mon-fri 08:00-20:00"; times in minutes."""
    weekdays, times = text.split(" ")
    first, _, last = weekdays.partition("-")
    begin = WEEKDAYS.index(first)
    count = (WEEKDAYS.index(last or first) - begin) % 7 + 1
    begins, ends = times.split("-")
    return frozenset((begin + n) % 7 for n in range(count)), _minutes(begins), _minutes(ends)
