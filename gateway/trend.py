"""One queue's day by quarters of an hour, beside the day before it and the same weekday a week before.

All of it comes from the file of totals. What is unknown is None, never 0: nothing was written, the source cannot
tell, or nothing happened that a rate could be of.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from floorplan import Plan, Queue
from gateway import erlang, export, store
from gateway.days import QUARTER_S, Calendar
from gateway.queues.figures import RECENT_LEAST_S
from gateway.queues.totals import AHT, COUNTED, RATES, SERVICE_LEVEL, Totals, rounded_down
from gateway.store import Reader, StoreError

BESIDE = {"this": 0, "day_before": 1, "week_before": 7}  # name → how many days before the one that is asked for
COUNTS = ("joined", "answered", "abandoned", "timed_out", "left_by_key", "left", "vanished")
BY_QUARTER = ("joined", "answered", "abandoned", "timed_out", "service_level", "asa_s", "longest_wait_s")
OF_DAY = (*COUNTS, "longest_wait_s", *RATES, "service_level")
FRESH_S = 20.0
KNOWN_MOST = 64  # days of queues at hand, some 50 KB each
FIRST, LAST = dt.date(1970, 1, 9), dt.date(2900, 1, 1)  # no clock of a gateway has stood outside of these

Figure = float | int | None


def day(path: Path | None, plan: Plan, queue: str, date: dt.date) -> dict[str, Any]:
    """The figures of a queue on a day of the site's own calendar, as `Day` in gateway/web/queue_day_http.py has them.

    Quarters of the other days are those with the same time on the clock: where a day has no such quarter, or a
    second one, because clocks were changed, it is None. Without a path nothing is known. Raises StoreError.
    """
    row = next((row for row in plan.queue if row.id == queue), None)
    if row is None:
        raise StoreError(f"there is no queue '{queue}'; there is {', '.join(row.id for row in plan.queue) or 'none'}")
    if not FIRST <= date <= LAST:
        raise StoreError(f"nothing is kept of {date}")
    calendar = Calendar(plan.site.time_zone, plan.site.day_begins, plan.site.hours)
    begins_s, ends_s = calendar.day_bounds(date)
    clocks = _clocks(calendar, date)
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(store.read(path, calendar)) if path else None
        newest_s = reader.newest_s() if reader else None
        days = {
            name: _column(reader, calendar, row, date - dt.timedelta(days=ago), clocks)
            for name, ago in BESIDE.items()
        }
        return {
            "queue": queue,
            "date": date.isoformat(),
            "begins": calendar.iso(begins_s),
            "ends": calendar.iso(ends_s),
            "counted_until": None if newest_s is None else calendar.iso(newest_s),
            "running": _running(clocks.values(), newest_s),
            "clock": [clock for clock, _ in clocks],
            "days": days,
            "gaps": _gaps(reader, calendar, queue, begins_s, ends_s, newest_s),
        }


def _clocks(calendar: Calendar, date: dt.date) -> dict[tuple[str, int], int]:
    """(what the clocks on the wall show, for the how manieth time that day) → where that quarter begins."""
    clocks: dict[tuple[str, int], int] = {}
    for start in range(*calendar.day_bounds(date), QUARTER_S):
        clock = calendar.clock(start)
        clocks[clock, int((clock, 0) in clocks)] = start
    return clocks


def _running(starts: Iterable[int], newest_s: float | None) -> dict[str, Any] | None:
    """The quarter that was under way at the newest commit: which of the day, and how much of it had gone by."""
    for number, start in enumerate(starts):
        if newest_s is not None and start <= newest_s < start + QUARTER_S:
            return {"quarter": number, "share": round((newest_s - start) / QUARTER_S, 3)}
    return None


def _column(
    reader: Reader | None, calendar: Calendar, queue: Queue, date: dt.date, clocks: Iterable[tuple[str, int]]
) -> dict[str, Any]:
    """One day's figures: of all of it, and of the quarters at these times of the clock."""
    kept = {row.from_s: row for row in export.BY["quarter"](reader, queue.id, date, date)} if reader else {}
    together = _whole(reader, queue, date) or _together(row.totals for row in kept.values() if row.totals)
    own = _clocks(calendar, date)
    rows = [kept.get(own.get(clock, -1)) for clock in clocks]
    columns: dict[str, list[Figure]] = {name: [] for name in (*BY_QUARTER, "desks_present", "desks_needed", "unseen_s")}
    for row in rows:
        totals = row.totals if row else None
        for name in BY_QUARTER:
            columns[name].append(_figure(queue, name, totals))
        columns["desks_present"].append(_present(totals) if totals else None)
        columns["desks_needed"].append(_needed(queue, totals, AHT.value(together)) if totals else None)
        columns["unseen_s"].append(round(max(0.0, row.due_s - row.seen_s)) if row else None)
    known = together if kept or together.seen_s else None
    total = {name: _figure(queue, name, known) for name in OF_DAY}
    return {"date": date.isoformat(), "total": total, "quarters": columns}


def _whole(reader: Reader | None, queue: Queue, date: dt.date) -> Totals | None:
    """What is kept of the day as a whole, which is for longer than its quarters."""
    days = export.BY["day"](reader, queue.id, date, date) if reader else ()
    return next((row.totals for row in days if row.totals), None)


def _together(rows: Iterable[Totals]) -> Totals:
    together = Totals()
    for row in rows:
        for name in COUNTED:
            together.add(name, getattr(row, name))
        together.untold |= row.untold
    return together


def _figure(queue: Queue, name: str, totals: Totals | None) -> Figure:
    """A count, a rate, or the service level by the queue's own formula."""
    if totals is None:
        return None
    formula = SERVICE_LEVEL[queue.target.formula] if name == "service_level" else RATES.get(name)
    if formula is None:
        value = None if name in totals.untold else getattr(totals, name)
        return round(value, 3) if isinstance(value, float) else value
    figure = formula.value(totals)
    if figure is None:
        return None
    if name == "service_level":
        return rounded_down(figure, 6)
    return round(figure, 3 if name.endswith("_s") else 6)  # the page rounds them once, as it does those of now


def _present(totals: Totals) -> float | None:
    """How many desks there were on average: free, ringing or talking, over the time that the queue was seen."""
    desks_s = totals.handling_s + totals.available_s
    unseen = totals.seen_s <= 0 or (desks_s == 0 and totals.answered > 0)  # somebody must have answered them
    return None if unseen else round(desks_s / totals.seen_s, 1)


def _needed(queue: Queue, totals: Totals, day_aht_s: float | None) -> int | None:
    """How many desks the target needed, by Erlang C; where no conversation ended, with the day's mean."""
    aht_s = AHT.value(totals) or day_aht_s
    if totals.seen_s < RECENT_LEAST_S or "joined" in totals.untold or not aht_s:
        return None
    with contextlib.suppress(ValueError):  # no floor can have so many calls: its source is wrong
        target = queue.target
        return erlang.desks_needed(totals.joined / totals.seen_s, aht_s, target.within_s, target.share)
    return None


def _gaps(
    reader: Reader | None, calendar: Calendar, queue: str, begins_s: int, ends_s: int, newest_s: float | None
) -> list[dict[str, Any]]:
    """When the queue could not be seen that day though the house was open, as `history/{queue}` says it of today."""
    if reader is None or newest_s is None or newest_s <= begins_s:
        return []
    return [
        {"from": calendar.clock(from_s), "to": calendar.clock(max(to_s, from_s + 60)), "unseen_s": round(unseen_s)}
        for from_s, to_s, unseen_s in reader.gaps(queue, begins_s, min(ends_s, newest_s))
    ]


def days_of(
    plan: Plan, today: Callable[[], dt.date | None], clock: Callable[[], float] = time.monotonic
) -> Callable[[str, dt.date | None], dict[str, Any]]:
    """`day` of a plan's own file; without a date it is today.

    It may be FRESH_S old: each page asks for each queue, and all pages want the same.
    """
    known: dict[tuple[str, dt.date], tuple[float, dict[str, Any]]] = {}

    def day_of(queue: str, date: dt.date | None) -> dict[str, Any]:
        now = today()
        asked = date or now
        if asked is None:
            raise StoreError("nobody knows yet which day it is: this computer's clock is not set; name one as ?date=")
        read_s, told = known.get((queue, asked), (float("-inf"), {}))
        if clock() - read_s > FRESH_S:
            read_s, told = clock(), day(plan.history.path, plan, queue, asked)
            if len(known) >= KNOWN_MOST:
                known.clear()
            known[queue, asked] = read_s, told
        return {**told, "today": now and now.isoformat()}

    return day_of
