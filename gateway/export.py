"""What is kept of the queues as CSV, one line an interval of one queue, a line at a time.

What is unknown is an empty cell, never 0: no row was written, the source cannot tell, or nothing
happened that a rate could be of. Read by pieces, so that a slow reader never holds up the writer.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from floorplan import Plan, Queue
from gateway import store
from gateway.days import DAY, QUARTER_S, Calendar
from gateway.queues.totals import COUNTED, RATES, SERVICE_LEVEL, Totals, rounded_down
from gateway.store import Reader, StoreError

AMOUNTS = tuple(name for name in COUNTED if name != "seen_s")  # `unseen_s` says it more plainly
COLUMNS = ("queue", "begins", "ends", "open_s", "unseen_s", *AMOUNTS, *RATES, "service_level", "formula")
TEXTS = ("queue", "begins", "ends", "formula")  # not numbers


@dataclass(frozen=True, slots=True)
class Interval:
    """One line: `totals` None where nothing was written. `seen_s` is what was seen of `open_s`, and of
    `due_s`, which leaves out what was before the file."""

    from_s: int
    to_s: int
    open_s: float
    due_s: float
    seen_s: float
    totals: Totals | None


def rows(
    path: Path,
    plan: Plan,
    by: str = "quarter",
    first: dt.date | None = None,
    last: dt.date | None = None,
    queue: str | None = None,
) -> Iterator[str]:
    """The lines, the header first, each with its line end, of the site's days `first` to `last`.

    `by` is one of BY. Without dates: all that is kept. Nothing is said of the time after the newest
    commit. Without `queue`: the plan's queues in its order, then those that are only in the file; these
    have no target any more, and so no service level. Raises StoreError at once; reading may raise it
    later too.
    """
    calendar = Calendar(plan.site.time_zone, plan.site.day_begins, plan.site.hours)
    planned = {row.id: row for row in plan.queue}
    if by not in BY:
        raise StoreError(f"totals are kept by {' and by '.join(BY)}, not by '{by}'")
    if first and last and first > last:
        raise StoreError(f"from {first} to {last} there is no day: the first is the later one; swap them")
    names = list(planned)
    if queue is None or queue in planned or path.exists():
        with store.read(path, calendar) as reader:
            names += [name for name in reader.queues() if name not in planned]
    if queue is not None and queue not in names:
        raise StoreError(f"there is no queue '{queue}'; there is {', '.join(names) or 'none'}")

    def lines() -> Iterator[str]:
        yield _csv(COLUMNS)
        with store.read(path, calendar) as reader:
            for name in names if queue is None else [queue]:
                for interval in BY[by](reader, name, first, last):
                    yield _csv(_cells(calendar, name, planned.get(name), interval))

    return lines()


def objects(lines: Iterable[str]) -> Iterator[dict[str, str | float | None]]:
    """The same rows by their columns' names: what is unknown is None, what counts a number."""
    begun = iter(lines)
    names = next(begun).rstrip("\n").split(",")
    for line in begun:
        cells = zip(names, line.rstrip("\n").split(","), strict=True)
        yield {name: cell if name in TEXTS else json.loads(cell) if cell else None for name, cell in cells}


def _quarters(reader: Reader, queue: str, first: dt.date | None, last: dt.date | None) -> Iterator[Interval]:
    """The quarters of a queue, read day by day."""
    calendar, oldest, newest_s = reader.calendar, reader.first_quarter(queue), reader.newest_s()
    if oldest is None or newest_s is None:
        return
    begun_s = reader.begun_s() or 0.0
    date = max(first or dt.date.min, calendar.day(oldest))
    while date <= min(last or dt.date.max, calendar.day(newest_s)):
        from_s, to_s = calendar.day_bounds(date)
        kept = dict(reader.quarters(queue, from_s, to_s))
        for start in range(max(from_s, oldest), to_s, QUARTER_S):
            totals = kept.get(start)
            if totals or start < newest_s:
                end = min(start + QUARTER_S, newest_s)
                open_s, due_s = calendar.open_s(start, end), calendar.open_s(max(start, begun_s), end)
                seen_s = totals.seen_s if totals else 0.0
                yield Interval(start, start + QUARTER_S, open_s, due_s, seen_s, totals)
        date += DAY


def _days(reader: Reader, queue: str, first: dt.date | None, last: dt.date | None) -> Iterator[Interval]:
    """The days of a queue."""
    calendar, oldest, newest_s = reader.calendar, reader.first_day(queue), reader.newest_s()
    if oldest is None or newest_s is None:
        return
    begun_s = reader.begun_s() or 0.0
    date, last = max(first or dt.date.min, oldest), min(last or dt.date.max, calendar.day(newest_s))
    kept = {day: (totals, seen_s) for day, totals, seen_s in reader.days_seen(queue, date, last)}
    while date <= last:
        from_s, to_s = calendar.day_bounds(date)
        totals, seen_s = kept.get(date, (None, 0.0))
        if totals or from_s < newest_s:
            end = min(to_s, newest_s)
            open_s, due_s = calendar.open_s(from_s, end), calendar.open_s(max(from_s, begun_s), end)
            yield Interval(from_s, to_s, open_s, due_s, seen_s, totals)
        date += DAY


BY: dict[str, Callable[[Reader, str, dt.date | None, dt.date | None], Iterator[Interval]]] = {
    "quarter": _quarters,
    "day": _days,
}


def _cells(calendar: Calendar, name: str, queue: Queue | None, interval: Interval) -> Iterable[str]:
    """One line's cells, in the order of COLUMNS."""
    totals = interval.totals
    unseen_s = max(0.0, interval.due_s - interval.seen_s)
    yield from (name, calendar.iso(interval.from_s), calendar.iso(interval.to_s))
    yield from (f"{interval.open_s:.0f}", f"{unseen_s:.0f}")
    for column in AMOUNTS:
        yield _cell(column, getattr(totals, column) if totals and column not in totals.untold else None)
    for column, formula in RATES.items():
        yield _cell(column, formula.value(totals) if totals else None)
    level = SERVICE_LEVEL[queue.target.formula] if queue else None
    yield _cell("service_level", level.value(totals) if level and totals else None)
    yield queue.target.formula if queue else ""


def _cell(column: str, value: float | None) -> str:
    """Seconds to the tenth, shares to the hundredth of a per cent, counts whole."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if column == "service_level":
        value = rounded_down(value, 4)
    return f"{value:.1f}" if column.endswith("_s") else f"{value:.4f}"


def _csv(cells: Iterable[str]) -> str:
    """None of our cells holds what would have to be quoted: ids, numbers, times."""
    return ",".join(cells) + "\n"
