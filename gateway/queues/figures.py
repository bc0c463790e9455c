"""A queue's figures: events and the time in, numbers out.

Pure: no clock, no network, no file. An unknown figure is None, never the last one. What is to be
kept for good stands in `ledger` until somebody takes it.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from floorplan import Target
from gateway.queues import events
from gateway.queues.events import Event
from gateway.queues.totals import COUNTED, RATES, SERVICE_LEVEL, Totals

CALLS = 100_000  # callers kept at a time, those who wait and those just gone each; the oldest fall out
FORGET_S = 24 * 3600  # one who has waited so long is not there any more
ENDED = 1024  # ends kept for a while, should a slow link correct them
BY_US = frozenset({"seen_s", "handling_s", "available_s"})  # counted here, whatever the source tells
RECENT_MIN = 30  # the last half hour, minute by minute
RECENT_LEAST_S = 300.0  # seen for less than this, the last half hour says nothing


@dataclass(slots=True)
class Ledger:
    """What happened since it was last taken, for whoever keeps it for good."""

    counts: list[tuple[float, str, float]] = field(default_factory=list)  # at_s, one of COUNTED, how much
    came: dict[int, tuple[bytes, float]] = field(default_factory=dict)  # call → key, since_s: waits now
    went: list[int] = field(default_factory=list)  # calls that came before, and wait no longer


@dataclass(slots=True)
class Minute:
    """One minute of the last half hour."""

    number: int  # at_s // 60
    joined: int = 0
    completed: int = 0
    talk_s: float = 0.0


class QueueFigures:
    """The figures of one queue.

    They are known between Back and Away, unless the source has no such queue. An event costs
    O(log n) at most. `untold`: names of Totals that the source cannot tell; their figures are None.
    `keep`: whether a ledger is kept, which somebody then has to take.
    """

    def __init__(self, target: Target | None = None, untold: Iterable[str] = (), keep: bool = False):
        self.target = target or Target()
        self.untold = frozenset(untold)  # what the source does not tell now
        self.lacks = self.untold  # what it has not told long enough to be counted; of the day: totals.untold
        self.formula = SERVICE_LEVEL[self.target.formula]
        self.totals = Totals(untold=self.lacks)  # of this day
        self.ledger: Ledger | None = Ledger() if keep else None
        self.reason = ""  # why the figures are unknown; empty: they are known
        self._day_s = float("-inf")  # what happened before belongs to another day
        self._away = "nothing has been heard of this queue yet"
        self._missing = ""
        self.waits = False  # unknown, and it has its time still to be told of
        self._say()
        self._seen_s: float | None = None  # until when it has been seen; None: it is not seen now
        self._known_s = float("-inf")  # since when it has been, without a break
        self._staff: tuple[int, int] | None = None  # desks handling calls, desks available; None: unknown
        self._staff_s = 0.0  # since when
        self._told: events.Counted | None = None  # what a source that counts by itself said last
        self._minutes: deque[Minute] = deque(maxlen=RECENT_MIN + 1)
        self._since: dict[int, float] = {}  # who waits → since when
        self._oldest: list[tuple[float, int]] = []  # the same as a heap; those who are gone are still in it
        self._gone: OrderedDict[int, float] = OrderedDict()  # who waits no longer, why will follow
        # call → which total, when, since when it waited
        self._ended: OrderedDict[int, tuple[str, float, float]] = OrderedDict()

    # Figures ---------------------------------------------------------------------

    @property
    def known(self) -> bool:
        """False while the source, or this queue at it, is away."""
        return not self.reason

    @property
    def waiting(self) -> int | None:
        """Callers not yet connected; one who rings at a desk still waits."""
        if not self.known:
            return None
        return self._told.waiting if self._told else len(self._since)

    @property
    def oldest_since_s(self) -> float | None:
        """Since when the longest of those still waiting has waited; None where nobody waits."""
        while self._oldest and self._since.get(self._oldest[0][1]) != self._oldest[0][0]:
            heapq.heappop(self._oldest)
        if not self.known:
            return None
        if self._told:
            return self._told.oldest_since_s
        return self._oldest[0][0] if self._oldest else None

    def count(self, name: str) -> float | None:
        """One of COUNTED, today; None where it is unknown or the source cannot tell."""
        unknown = not self.known or name in self.untold or name in self.totals.untold
        return None if unknown else getattr(self.totals, name)

    def rate(self, name: str) -> float | None:
        """One of RATES, today."""
        return RATES[name].value(self.totals, self.untold) if self.known else None

    @property
    def service_level(self) -> float | None:
        """The target's own formula, 0 to 1; see SERVICE_LEVEL."""
        return self.formula.value(self.totals, self.untold) if self.known else None

    def worst_wait_s(self, now_s: float) -> float | None:
        """The longest anybody has waited today, those who still wait included."""
        longest, since = self.count("longest_wait_s"), self.oldest_since_s
        return longest if longest is None or since is None else max(longest, now_s - since)

    def recent(self, now_s: float) -> tuple[float, float] | None:
        """(arrivals a second, mean conversation in seconds) of the last half hour; None: too little seen.

        Where nobody has ended a conversation in that time, today's mean stands in; one of 0 s says nothing.
        """
        if not self.known or not self._minutes:
            return None
        first = max(self._minutes[0].number, int(now_s // 60) - RECENT_MIN)
        seen_s = now_s - max(first * 60, self._known_s)
        minutes = [minute for minute in self._minutes if minute.number >= first]
        completed = sum(minute.completed for minute in minutes)
        talk_s = sum(minute.talk_s for minute in minutes)
        mean_s = talk_s / completed if completed else self.rate("aht_s")
        if seen_s < RECENT_LEAST_S or not mean_s:
            return None
        return sum(minute.joined for minute in minutes) / seen_s, mean_s

    def promise(self, target: Target) -> None:
        """Another target from now on; what has been counted by the one before stays as it is."""
        self.target = target
        self.formula = SERVICE_LEVEL[target.formula]

    # Days and restarts -----------------------------------------------------------

    def begin_day(self, at_s: float, totals: Totals | None = None) -> None:
        """From `at_s` on is another day; `totals`: what has been kept of it already."""
        self._day_s = at_s
        self.totals = totals or Totals()
        self._lack(self.lacks)

    def remember(self, waiting: Iterable[tuple[int, float]]) -> None:
        """Those (call, since_s) who waited when we were last here: they have been counted."""
        for call, since in waiting:
            self._since[call] = since
            heapq.heappush(self._oldest, (since, call))

    def tick(self, now_s: float) -> None:
        """Counts the time that has gone by; call it now and then, and where an interval ends."""
        if self._seen_s is not None:
            self._add("seen_s", now_s - self._seen_s, self._seen_s)
            self._seen_s = now_s
            self._minute(now_s)
        self._count_staff(now_s)

    def staff(self, handling: int | None, available: int, now_s: float) -> None:
        """So many desks of this queue handle calls, so many could, from now on. None: unknown."""
        self._count_staff(now_s)
        self._staff = None if handling is None or not self.known else (handling, available)

    def _count_staff(self, now_s: float) -> None:
        if self._staff:
            passed_s = now_s - self._staff_s
            self._add("handling_s", self._staff[0] * passed_s, self._staff_s)
            self._add("available_s", self._staff[1] * passed_s, self._staff_s)
        self._staff_s = now_s

    # Events ----------------------------------------------------------------------

    def apply(self, event: Event, now_s: float | None = None) -> None:
        """Takes one event of this queue or of its source. The end of a caller never heard of is ignored.

        `now_s` is needed for events that have no time of their own: Back, Away, Missing, Waiting.
        """
        apply = APPLY.get(type(event))
        if apply:
            apply(self, event)
            if now_s is not None:
                self._see(now_s)

    def _see(self, now_s: float) -> None:
        """The time seen begins and ends with the figures being known."""
        if self.known and self._seen_s is None:
            self._seen_s = self._known_s = now_s
            self._minutes.clear()
            self._minute(now_s)
        elif not self.known and self._seen_s is not None:
            self._add("seen_s", now_s - self._seen_s, self._seen_s)
            self._seen_s = None
            self.staff(None, 0, now_s)

    def _apply_joined(self, event: events.Joined) -> None:
        while self._oldest and event.at_s - self._oldest[0][0] > FORGET_S:
            self._forget_oldest(event.at_s)
        self._wait(event.call, event.at_s, event.key)

    def _apply_gone(self, event: events.Gone) -> None:
        since = self._since.pop(event.call, None)
        if since is not None:
            self._go(event.call, since, event.at_s)

    def _apply_answered(self, event: events.Answered) -> None:
        since = self._end(event.call)
        if since is None:
            return
        waited_s = event.at_s - since if event.waited_s is None else event.waited_s
        self._add("answered", 1, event.at_s)
        self._add("answered_wait_s", waited_s, event.at_s)
        self._add("answered_within", waited_s <= self.target.within_s, event.at_s)
        self._add("longest_wait_s", waited_s, event.at_s)

    def _apply_lost(self, event: events.Abandoned | events.TimedOut) -> None:
        since = self._end(event.call)
        if since is None:
            return
        waited_s = event.at_s - since if event.waited_s is None else event.waited_s
        self._add("abandoned" if isinstance(event, events.Abandoned) else "timed_out", 1, event.at_s)
        self._add("lost_within", waited_s <= self.target.within_s, event.at_s)
        self._add("lost_short", waited_s <= self.target.short_abandon_s, event.at_s)
        self._add("longest_wait_s", waited_s, event.at_s)

    def _apply_left(self, event: events.Left | events.LeftByKey) -> None:
        name = "left" if isinstance(event, events.Left) else "left_by_key"
        since = self._end_unseen(event.call, name, event.at_s)
        if since is not None:
            self._add("longest_wait_s", event.at_s - since, event.at_s)

    def _apply_vanished(self, event: events.Vanished) -> None:
        self._end_unseen(event.call, "vanished", event.at_s)

    def _apply_completed(self, event: events.Completed) -> None:
        self._add("completed", 1, event.at_s)
        self._add("talk_s", event.talk_s, event.at_s)
        minute = self._minute(event.at_s)
        minute.completed += 1
        minute.talk_s += event.talk_s

    def _apply_waiting(self, event: events.Waiting) -> None:
        here = dict(event.calls)
        for call in [call for call in self._since if call not in here]:
            since = self._since.pop(call)
            self._go(call, since, since)
        for call, since in here.items():
            if call not in self._since:
                self._wait(call, since, b"")
        self._missing = ""
        self._say()

    def _apply_counted(self, event: events.Counted) -> None:
        self._told = event
        self.untold = frozenset(COUNTED) - event.tells
        self._lack(event.lacks)
        for name, amount in event.counts.items():
            self._add(name, amount, event.at_s)
        minute = self._minute(event.at_s)
        minute.joined += int(event.counts.get("joined", 0))
        minute.completed += int(event.counts.get("completed", 0))
        minute.talk_s += event.counts.get("talk_s", 0.0)
        self._missing = ""
        self._say()

    def _lack(self, names: frozenset[str]) -> None:
        """What is not counted is unknown all day, where something else has been counted without it."""
        self.lacks = names
        counted = any(getattr(self.totals, name) for name in COUNTED if name not in BY_US)
        self.totals.untold = self.totals.untold | names if counted else names

    def _apply_missing(self, event: events.Missing) -> None:
        self._missing, self.waits = event.reason, event.waits
        self._say()

    def _apply_away(self, event: events.Away) -> None:
        self._away = event.reason or "the source is away"
        self._told = None
        self._say()

    def _apply_back(self, event: events.Back) -> None:
        self._away = ""
        self._say()

    def _say(self) -> None:
        self.reason = self._away or self._missing

    # Counting --------------------------------------------------------------------

    def _add(self, name: str, amount: float, at_s: float) -> None:
        if not amount:
            return
        if at_s >= self._day_s:
            self.totals.add(name, amount)
        if self.ledger:
            self.ledger.counts.append((at_s, name, amount))

    def _minute(self, at_s: float) -> Minute:
        """The minute of the last half hour that `at_s` is in; the newest for what comes late."""
        number = int(at_s // 60)
        if not self._minutes or self._minutes[-1].number < number:
            self._minutes.append(Minute(number))
        return self._minutes[-1]

    # Callers ---------------------------------------------------------------------

    def _wait(self, call: int, since: float, key: bytes) -> None:
        if call in self._since:
            return
        if self._gone.pop(call, None) is None:
            self._ended.pop(call, None)  # another stay under that number: the end of the last one stands
            self._add("joined", 1, since)
            self._minute(since).joined += 1
            if self.ledger:
                self.ledger.came[call] = (key, since)
        self._since[call] = since
        heapq.heappush(self._oldest, (since, call))
        if len(self._oldest) > 2 * len(self._since) + 64:
            self._oldest = [(since, call) for call, since in self._since.items()]
            heapq.heapify(self._oldest)
        while len(self._since) > CALLS:
            self._forget_oldest(since)

    def _forget_oldest(self, at_s: float) -> None:
        since, call = heapq.heappop(self._oldest)
        if self._since.get(call) == since:
            self._end_unseen(call, "vanished", at_s)

    def _go(self, call: int, since: float, at_s: float) -> None:
        self._gone[call] = since
        if len(self._gone) > CALLS:
            self._end_unseen(next(iter(self._gone)), "vanished", at_s)

    def _end(self, call: int) -> float | None:
        """Since when a caller waited whose stay ends here; None for nobody we know."""
        since = self._since.pop(call, None)
        if since is None:
            since = self._gone.pop(call, None)
        if since is not None and self.ledger and self.ledger.came.pop(call, None) is None:
            self.ledger.went.append(call)
        if since is None and call in self._ended:
            total, at_s, since = self._ended.pop(call)
            self._add(total, -1, at_s)
        return since

    def _end_unseen(self, call: int, total: str, at_s: float) -> float | None:
        since = self._end(call)
        if since is None:
            return None
        self._add(total, 1, at_s)
        self._ended[call] = (total, at_s, since)
        if len(self._ended) > ENDED:
            self._ended.popitem(last=False)
        return since


APPLY: dict[type, Callable[..., None]] = {
    events.Joined: QueueFigures._apply_joined,
    events.Gone: QueueFigures._apply_gone,
    events.Answered: QueueFigures._apply_answered,
    events.Abandoned: QueueFigures._apply_lost,
    events.TimedOut: QueueFigures._apply_lost,
    events.LeftByKey: QueueFigures._apply_left,
    events.Left: QueueFigures._apply_left,
    events.Vanished: QueueFigures._apply_vanished,
    events.Completed: QueueFigures._apply_completed,
    events.Waiting: QueueFigures._apply_waiting,
    events.Counted: QueueFigures._apply_counted,
    events.Missing: QueueFigures._apply_missing,
    events.Away: QueueFigures._apply_away,
    events.Back: QueueFigures._apply_back,
}
