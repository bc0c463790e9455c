"""What may be an alarm: everything on the floor that is not as it should be at this moment, however short a time.

A sign is what is so now. gateway/alarms/standing.py makes alarms of what stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import floorplan
from gateway.book import Book
from gateway.floor import ASTERISK, NOT_HEARD, Floor, Queue
from gateway.queues.totals import lost, percent_met

Fact = int | str | bool
MANY_LEAST = 3  # so many boards lost at once, and a quarter of all, have one cause


class Sign(NamedTuple):
    """Something that is wrong at `about` now. `is_so` None: nobody can see at the moment whether it is."""

    kind: str
    about: str = ""
    is_so: bool | None = True
    since_s: float | None = None  # on the gateway's clock, where that is known better than by looking
    facts: Mapping[str, Fact] = {}  # nobody writes to it
    soon: bool = False  # nobody can see it yet, and within seconds somebody will

    @property
    def id(self) -> str:
        """Of the alarm that may come of it."""
        return f"{self.kind}.{self.about}" if self.about else self.kind


def signs(
    settings: floorplan.Alarms, floor: Floor, book: Book, walls: Mapping[str, Mapping[str, Any]], now_s: float
) -> Iterator[Sign]:
    """All there is now, or may be. `walls`: what is said of each, as `wall/+/now`."""
    is_open = book.is_open() is not False
    for name, queue in floor.queues.items():
        yield _queue_unknown(name, queue, floor)
        yield _long_wait(name, queue, now_s)
        if is_open:  # nobody can mend a day that is over
            yield _service_level(name, queue, settings.least_calls)
    yield from _boards_and_desks(settings, floor, now_s)
    yield from _walls(settings, floor, walls, now_s)
    yield from _sources(floor)
    if floor.broker_away:
        yield Sign("broker-away", facts={"reason": floor.broker_away})
    wrong = book.state.reason if book.state.state == "waits" else book.doubt
    if wrong:
        yield Sign("clock-unset", facts={"reason": wrong})
    if book.state.state == "failed":
        yield Sign("history-failed", facts={"reason": book.state.reason})


def _queue_unknown(name: str, queue: Queue, floor: Floor) -> Sign:
    """A queue that is unknown by itself: its source is there, and knows no such queue, or tells nothing of it."""
    figures = queue.figures
    if figures.known:
        return Sign("queue-unknown", name, False)
    source = next((row.source for row in floor.plan.queue if row.id == name), "") or ASTERISK
    if floor.sources.get(source) or figures.waits:
        return Sign("queue-unknown", name, None)
    return Sign("queue-unknown", name, facts={"reason": figures.reason})


def _long_wait(name: str, queue: Queue, now_s: float) -> Sign:
    figures = queue.figures
    limit_s, since_s = figures.target.red_from_s, figures.oldest_since_s
    if not figures.known or (since_s is None and figures.waiting != 0):
        return Sign("long-wait", name, None)
    if since_s is None or now_s - since_s < limit_s:
        return Sign("long-wait", name, False)
    facts = {"wait_s": int(now_s - since_s), "limit_s": limit_s, "waiting": figures.waiting or 0}
    return Sign("long-wait", name, True, since_s + limit_s, facts)


def _service_level(name: str, queue: Queue, least: int) -> Sign:
    figures = queue.figures
    level, target, totals = figures.service_level, figures.target, figures.totals
    calls = int(totals.answered + lost(totals))
    if level is None:
        return Sign("service-level", name, None if not figures.known else False)
    facts = {
        "level_pct": percent_met(level), "target_pct": round(target.share * 100), "within_s": target.within_s,
        "calls": calls,
    }  # fmt: skip
    return Sign("service-level", name, level < target.share and calls >= least, None, facts)


def _boards_and_desks(settings: floorplan.Alarms, floor: Floor, now_s: float) -> Iterator[Sign]:
    """A call under a lost board is told with that board."""
    busy: Counter[str | None] = Counter()
    for desk, found in floor.truth.findings.items():
        board = floor.desks[desk].board
        told_with_board = board is not None and "board-lost" not in settings.off
        if found.kind == "board-lost-under-busy-desk" and told_with_board:
            busy[board] += 1
        else:
            yield Sign(found.kind, desk, True, found.since_s, {"desk": found.desk, "pbx": found.pbx})
    for desk, blind in floor.truth.blind.items():
        yield Sign(blind.finding.kind, desk, None)
    yield from _boards(floor, busy, now_s)


def _boards(floor: Floor, busy: Counter[str | None], now_s: float) -> Iterator[Sign]:
    presence = {name: floor.presence(name, now_s) for name in floor.boards}
    states = Counter(state for state, _ in presence.values())
    lost_dark = states["lost"] - sum(board.floods for board in floor.boards.values())
    many = lost_dark >= max(MANY_LEAST, len(presence) / 4)
    for name, (state, why) in presence.items():
        if state == "unknown":
            yield Sign("board-lost", name, None, soon=not floor.broker_away)
        elif state == "lost":
            desks, walls, floods = len(floor.desks_of(name)), len(floor.plan.walls_of(name)), floor.boards[name].floods
            facts: dict[str, Fact] = {"reason": why, "desks": desks, "walls": walls, "busy": busy[name]}
            yield Sign("board-lost", name, facts=facts | {"many": many and not floods, "floods": floods})


def _walls(
    settings: floorplan.Alarms, floor: Floor, said: Mapping[str, Mapping[str, Any]], now_s: float
) -> Iterator[Sign]:
    """A wall has had its time already, in gateway/shown.py; one whose board is lost is told with that board."""
    told_with_board = "board-lost" not in settings.off
    for wall in floor.plan.wall:
        fields = said.get(f"wall/{wall.id}", {})
        wrong = fields.get("wrong")
        if wrong == "lost" and told_with_board:
            continue
        if fields.get("alarm"):
            facts = {"wrong": wrong or "", "reason": fields["reason"], "todo": fields["todo"]}
            yield Sign("wall-wrong", wall.id, True, now_s - (fields.get("for_s") or 0), facts)
        elif wrong:  # it has its time to get it right: what stood before a broker's return stands on
            yield Sign("wall-wrong", wall.id, None)
        elif wall.board and floor.wall_presence(wall.id, now_s)[0] == "unknown":
            heard_soon = not floor.broker_away and floor.presence(wall.board, now_s)[0] == "unknown"
            yield Sign("wall-wrong", wall.id, None, soon=heard_soon)


def _sources(floor: Floor) -> Iterator[Sign]:
    """One that pushes has its own time to say a first word; the phone system is asked."""
    for name, away in floor.sources.items():
        kind = "asterisk" if name == ASTERISK else "push"
        if away and not (kind == "push" and away == NOT_HEARD):
            yield Sign("source-away", name, facts={"source": kind, "reason": away})
