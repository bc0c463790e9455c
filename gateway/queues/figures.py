"""A queue's figures: events in, numbers out. Every formula is ours, named, and says where it comes from.

Pure: no clock, no network. An unknown figure is None, never the last one.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from floorplan import Target
from gateway.queues import events
from gateway.queues.events import Event

CALLS = 100_000  # callers kept at a time, those who wait and those just gone each; the oldest fall out
FORGET_S = 24 * 3600  # one who has waited so long is not there any more
ENDED = 1024  # ends kept for a while, should a slow link correct them


@dataclass(slots=True)
class Totals:
    """What has been counted since counting began. Always: joined = the others + those who wait."""

    joined: int = 0
    answered: int = 0
    answered_within: int = 0  # of them, within the target's time
    answered_wait_s: float = 0.0  # of them, all waits together
    abandoned: int = 0
    left: int = 0
    vanished: int = 0


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Formula:
    """How one figure comes from the totals. No calls: None, neither 100 % nor 0."""

    words: str
    source: str
    of: Callable[[Totals], float | None]


ASA = Formula(
    "mean wait of the answered calls, in queue and ringing, in seconds",
    "average speed of answer as Avaya counts it; others leave out the ringing, or count the abandoned",
    lambda totals: _share(totals.answered_wait_s, totals.answered),
)

# One is chosen per queue by target.formula in the site file. X is target.within_s, itself included.
SERVICE_LEVEL = {
    "answered-within-of-offered": Formula(
        "answered within X s, of all answered and abandoned",
        "the third of the usual service-level formulas (ICMI, 2002): who left by a key is in neither",
        lambda totals: _share(totals.answered_within, totals.answered + totals.abandoned),
    ),
}


class QueueFigures:
    """The figures of one queue.

    They are known between Back and Away, unless the source has no such queue. An event costs
    O(log n) at most.
    """

    def __init__(self, target: Target | None = None):
        self.target = target or Target()
        self.formula = SERVICE_LEVEL[self.target.formula]
        self.totals = Totals()
        self.reason = ""  # why the figures are unknown; empty: they are known
        self._away = "nothing has been heard of this queue yet"
        self._missing = ""
        self._say()
        self._since: dict[int, float] = {}  # who waits → since when
        self._oldest: list[tuple[float, int]] = []  # the same as a heap; those who are gone are still in it
        self._gone: OrderedDict[int, float] = OrderedDict()  # who waits no longer, why will follow
        self._ended: OrderedDict[int, tuple[str, float]] = OrderedDict()  # call → which total, since when

    # Figures ---------------------------------------------------------------------

    @property
    def known(self) -> bool:
        """False while the source, or this queue at it, is away."""
        return not self.reason

    @property
    def waiting(self) -> int | None:
        """Callers not yet connected; one who rings at a desk still waits."""
        return len(self._since) if self.known else None

    @property
    def oldest_since_s(self) -> float | None:
        """Since when the longest of those still waiting has waited; None where nobody waits."""
        while self._oldest and self._since.get(self._oldest[0][1]) != self._oldest[0][0]:
            heapq.heappop(self._oldest)
        return self._oldest[0][0] if self._oldest and self.known else None

    @property
    def joined(self) -> int | None:
        """Callers since counting began."""
        return self.totals.joined if self.known else None

    @property
    def answered(self) -> int | None:
        """Of them, connected to a member."""
        return self.totals.answered if self.known else None

    @property
    def abandoned(self) -> int | None:
        """Of them, gone before that: hung up or timed out, as far as the source can tell."""
        return self.totals.abandoned if self.known else None

    @property
    def left(self) -> int | None:
        """Of them, gone elsewhere by a key or by the dial plan."""
        return self.totals.left if self.known else None

    @property
    def asa_s(self) -> float | None:
        """See ASA."""
        return ASA.of(self.totals) if self.known else None

    @property
    def service_level_pct(self) -> int | None:
        """The target's own formula in per cent, rounded; see SERVICE_LEVEL."""
        share = self.formula.of(self.totals) if self.known else None
        return None if share is None else round(share * 100)

    # Events ----------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Takes one event of this queue or of its source. The end of a caller never heard of is ignored."""
        apply = APPLY.get(type(event))
        if apply:
            apply(self, event)

    def _apply_joined(self, event: events.Joined) -> None:
        while self._oldest and event.at_s - self._oldest[0][0] > FORGET_S:
            self._forget_oldest()
        self._wait(event.call, event.at_s)

    def _apply_gone(self, event: events.Gone) -> None:
        since = self._since.pop(event.call, None)
        if since is not None:
            self._go(event.call, since)

    def _apply_answered(self, event: events.Answered) -> None:
        since = self._end(event.call)
        if since is None:
            return
        waited_s = event.at_s - since if event.waited_s is None else event.waited_s
        self.totals.answered += 1
        self.totals.answered_wait_s += waited_s
        self.totals.answered_within += waited_s <= self.target.within_s

    def _apply_abandoned(self, event: events.Abandoned) -> None:
        if self._end(event.call) is not None:
            self.totals.abandoned += 1

    def _apply_left(self, event: events.Left) -> None:
        self._end_unseen(event.call, "left")

    def _apply_vanished(self, event: events.Vanished) -> None:
        self._end_unseen(event.call, "vanished")

    def _apply_waiting(self, event: events.Waiting) -> None:
        here = dict(event.calls)
        for call in [call for call in self._since if call not in here]:
            self._go(call, self._since.pop(call))
        for call, since in here.items():
            if call not in self._since:
                self._wait(call, since)
        self._missing = ""
        self._say()

    def _apply_missing(self, event: events.Missing) -> None:
        self._missing = event.reason
        self._say()

    def _apply_away(self, event: events.Away) -> None:
        self._away = event.reason or "the source is away"
        self._say()

    def _apply_back(self, event: events.Back) -> None:
        self._away = ""
        self._say()

    def _say(self) -> None:
        self.reason = self._away or self._missing

    # Callers ---------------------------------------------------------------------

    def _wait(self, call: int, since: float) -> None:
        if call in self._since:
            return
        if self._gone.pop(call, None) is None:
            self.totals.joined += 1
        self._since[call] = since
        heapq.heappush(self._oldest, (since, call))
        if len(self._oldest) > 2 * len(self._since) + 64:
            self._oldest = [(since, call) for call, since in self._since.items()]
            heapq.heapify(self._oldest)
        while len(self._since) > CALLS:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        since, call = heapq.heappop(self._oldest)
        if self._since.get(call) == since:
            self._end_unseen(call, "vanished")

    def _go(self, call: int, since: float) -> None:
        self._gone[call] = since
        if len(self._gone) > CALLS:
            self._end_unseen(next(iter(self._gone)), "vanished")

    def _end(self, call: int) -> float | None:
        """Since when a caller waited whose stay ends here; None for nobody we know."""
        since = self._since.pop(call, None)
        if since is None:
            since = self._gone.pop(call, None)
        if since is None and call in self._ended:
            total, since = self._ended.pop(call)
            setattr(self.totals, total, getattr(self.totals, total) - 1)
        return since

    def _end_unseen(self, call: int, total: str) -> None:
        since = self._end(call)
        if since is None:
            return
        setattr(self.totals, total, getattr(self.totals, total) + 1)
        self._ended[call] = (total, since)
        if len(self._ended) > ENDED:
            self._ended.popitem(last=False)


APPLY: dict[type, Callable[..., None]] = {
    events.Joined: QueueFigures._apply_joined,
    events.Gone: QueueFigures._apply_gone,
    events.Answered: QueueFigures._apply_answered,
    events.Abandoned: QueueFigures._apply_abandoned,
    events.Left: QueueFigures._apply_left,
    events.Vanished: QueueFigures._apply_vanished,
    events.Waiting: QueueFigures._apply_waiting,
    events.Missing: QueueFigures._apply_missing,
    events.Away: QueueFigures._apply_away,
    events.Back: QueueFigures._apply_back,
}
