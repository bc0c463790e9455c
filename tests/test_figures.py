"""A queue's figures, held against a slow count of the same events and against worked examples."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorplan import Target
from gateway.queues import events, figures
from gateway.queues.figures import SERVICE_LEVEL, QueueFigures

LIVE = ("waiting", "oldest_since_s", "joined", "answered", "abandoned", "left", "asa_s", "service_level_pct")


def known(target: Target | None = None) -> QueueFigures:
    """Figures of a source that is there."""
    queue = QueueFigures(target)
    queue.apply(events.Waiting("q", ()))
    queue.apply(events.Back())
    return queue


def test_nothing_is_known_before_the_source_is_there() -> None:
    queue = QueueFigures()
    assert not queue.known and queue.reason
    assert [getattr(queue, name) for name in LIVE] == [None] * len(LIVE)


def test_no_calls_are_neither_0_nor_100_per_cent() -> None:
    queue = known()
    assert (queue.waiting, queue.joined, queue.answered, queue.abandoned, queue.left) == (0, 0, 0, 0, 0)
    assert queue.oldest_since_s is queue.asa_s is queue.service_level_pct is None


def test_away_takes_every_figure_and_back_returns_the_counts() -> None:
    queue = known()
    queue.apply(events.Joined("q", 1, 10.0))
    queue.apply(events.Joined("q", 2, 11.0))
    queue.apply(events.Answered("q", 1, 14.0, "SIP/1"))
    queue.apply(events.Away("the cable"))
    assert queue.reason == "the cable"
    assert [getattr(queue, name) for name in LIVE] == [None] * len(LIVE)
    queue.apply(events.Waiting("q", ((2, 11.0), (3, 12.0))))
    assert not queue.known
    queue.apply(events.Back())
    assert queue.reason == ""
    assert (queue.waiting, queue.oldest_since_s, queue.joined, queue.answered) == (2, 11.0, 3, 1)


def test_a_queue_the_source_does_not_have_stays_unknown_when_the_others_are_back() -> None:
    queue = QueueFigures()
    queue.apply(events.Missing("q", "no such queue"))
    queue.apply(events.Back())
    assert queue.waiting is None and queue.reason == "no such queue"
    queue.apply(events.Waiting("q", ()))
    assert queue.waiting == 0 and queue.reason == ""


def test_the_worked_example_of_the_service_level() -> None:
    """1000 answered, 860 of them within 20 s, 60 abandoned: 81.1 % (ICMI's third formula)."""
    queue = known(Target(within_s=20))
    for call in range(1060):
        queue.apply(events.Joined("q", call, 0.0))
        if call < 1000:
            queue.apply(events.Answered("q", call, 20.0 if call < 860 else 20.5, "SIP/1"))
        else:
            queue.apply(events.Abandoned("q", call, 9.0))
    assert queue.service_level_pct == 81
    assert queue.formula.of(queue.totals) == pytest.approx(860 / 1060)
    assert queue.asa_s == pytest.approx((860 * 20 + 140 * 20.5) / 1000)


def test_the_wait_the_source_measured_counts_before_ours() -> None:
    queue = known(Target(within_s=20))
    queue.apply(events.Joined("q", 1, 0.0))
    queue.apply(events.Answered("q", 1, 0.1, "SIP/1", waited_s=30.0))
    assert (queue.asa_s, queue.service_level_pct) == (30.0, 0)


def test_every_formula_the_site_file_knows_is_here_with_its_source() -> None:
    assert set(get_args(Target.model_fields["formula"].annotation)) == set(SERVICE_LEVEL)
    for formula in (*SERVICE_LEVEL.values(), figures.ASA):
        assert formula.words and formula.source
        assert formula.of(figures.Totals()) is None


CALL = st.integers(0, 7)
AT = st.floats(0, 100)
WAITING = st.dictionaries(CALL, AT, max_size=5).map(lambda calls: tuple(calls.items()))
EVENT = st.one_of(
    st.builds(events.Joined, st.just("q"), CALL, AT),
    st.builds(events.Gone, st.just("q"), CALL, AT),
    st.builds(events.Answered, st.just("q"), CALL, AT, st.just("SIP/1")),
    st.builds(events.Abandoned, st.just("q"), CALL, AT),
    st.builds(events.Left, st.just("q"), CALL, AT),
    st.builds(events.Vanished, st.just("q"), CALL, AT),
    st.builds(events.Waiting, st.just("q"), WAITING),
)
ENDS = {events.Answered: "answered", events.Abandoned: "abandoned", events.Left: "left",
        events.Vanished: "vanished"}  # fmt: skip


@dataclass
class Row:
    """One caller of the slow count."""

    call: int
    state: str
    since: float


class Slow:
    """The same rules with nothing but a table of calls, counted afresh every time."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def find(self, call: int, *states: str) -> Row | None:
        return next((row for row in reversed(self.rows) if row.call == call and row.state in states), None)

    def wait(self, call: int, since: float) -> None:
        gone = self.find(call, "gone")
        if gone:
            gone.state, gone.since = "waiting", since
        elif not self.find(call, "waiting"):
            self.rows.append(Row(call, "waiting", since))

    def apply(self, event: events.Event) -> None:
        if isinstance(event, events.Joined):
            self.wait(event.call, event.at_s)
        elif isinstance(event, events.Waiting):
            for row in self.rows:
                if row.state == "waiting" and row.call not in dict(event.calls):
                    row.state = "gone"
            for call, since in event.calls:
                self.wait(call, since)
        elif isinstance(event, events.Gone):
            self.move(self.find(event.call, "waiting"), "gone")
        elif isinstance(event, events.Answered | events.Abandoned | events.Left | events.Vanished):
            ended = self.find(event.call, "waiting", "gone") or self.find(event.call, "left", "vanished")
            self.move(ended, ENDS[type(event)])

    def move(self, row: Row | None, state: str) -> None:
        if row:
            row.state = state

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENT, max_size=60))
def test_any_order_of_events_gives_what_a_slow_count_gives(said: list[events.Event]) -> None:
    queue, slow = known(), Slow()
    for event in said:
        queue.apply(event)
        slow.apply(event)
        since = [row.since for row in slow.rows if row.state == "waiting"]
        assert queue.waiting == len(since)
        assert queue.oldest_since_s == (min(since) if since else None)
        assert queue.joined == len(slow.rows)
        assert queue.answered == slow.count("answered")
        assert queue.abandoned == slow.count("abandoned")
        assert queue.left == slow.count("left")
        assert queue.totals.vanished == slow.count("vanished")


def test_the_oldest_is_found_without_looking_through_all() -> None:
    """50,000 callers served first come first, one who waits on for ever: seconds if it were a search."""
    began = time.process_time()
    queue = known()
    queue.apply(events.Joined("q", -1, 0.0))
    for call in range(50_000):
        queue.apply(events.Joined("q", call, 1.0 + call))
    for call in range(50_000):
        queue.apply(events.Answered("q", call, 60_000.0, "SIP/1"))
        assert queue.oldest_since_s == 0.0
        assert queue.waiting == 50_000 - call
    for call in range(50_000, 100_000):
        queue.apply(events.Joined("q", call, 60_000.0))
        queue.apply(events.Answered("q", call, 60_001.0, "SIP/1"))
    assert len(queue._oldest) < 100  # of the 100,000 who were there, none is kept
    queue.apply(events.Answered("q", -1, 60_002.0, "SIP/1"))
    assert queue.oldest_since_s is None
    assert time.process_time() - began < 5


def test_who_has_waited_for_a_day_is_forgotten() -> None:
    queue = known()
    queue.apply(events.Joined("q", 1, 0.0))
    queue.apply(events.Joined("q", 2, 86_000.0))
    queue.apply(events.Joined("q", 3, 90_000.0))
    assert (queue.waiting, queue.oldest_since_s, queue.totals.vanished) == (2, 86_000.0, 1)


def test_it_holds_no_more_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "CALLS", 50)
    queue = known()
    for call in range(1000):
        queue.apply(events.Joined("q", call, float(call)))
        if call % 2:
            queue.apply(events.Gone("q", call, float(call)))
    assert len(queue._since) <= 50 and len(queue._gone) <= 50 and len(queue._oldest) < 200
    assert queue.joined == 1000 == len(queue._since) + len(queue._gone) + queue.totals.vanished
    for call in range(2000, 5000):
        queue.apply(events.Joined("q", call, float(call)))
    assert len(queue._ended) <= figures.ENDED
