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
from gateway.queues.figures import QueueFigures
from gateway.queues.totals import COUNTED, RATES, SERVICE_LEVEL, Totals


def live(queue: QueueFigures) -> list[float | None]:
    """Every figure there is."""
    counts = [queue.count(name) for name in COUNTED]
    rates = [queue.rate(name) for name in RATES]
    return [queue.waiting, queue.oldest_since_s, queue.worst_wait_s(0.0), queue.service_level, *counts, *rates]



def known(target: Target | None = None) -> QueueFigures:
    """Figures of a source that is there."""
    queue = QueueFigures(target)
    queue.apply(events.Waiting("q", ()))
    queue.apply(events.Back())
    return queue


def test_nothing_is_known_before_the_source_is_there() -> None:
    queue = QueueFigures()
    assert not queue.known and queue.reason
    assert set(live(queue)) == {None}


def test_no_calls_are_neither_0_nor_100_per_cent() -> None:
    queue = known()
    assert queue.waiting == 0 and {queue.count(name) for name in COUNTED} == {0}
    assert queue.oldest_since_s is queue.service_level is None and {queue.rate(name) for name in RATES} == {None}


def test_away_takes_every_figure_and_back_returns_the_counts() -> None:
    queue = known()
    queue.apply(events.Joined("q", 1, 10.0))
    queue.apply(events.Joined("q", 2, 11.0))
    queue.apply(events.Answered("q", 1, 14.0, "SIP/1"))
    queue.apply(events.Away("the cable"))
    assert queue.reason == "the cable"
    assert set(live(queue)) == {None}
    queue.apply(events.Waiting("q", ((2, 11.0), (3, 12.0))))
    assert not queue.known
    queue.apply(events.Back())
    assert queue.reason == ""
    assert (queue.waiting, queue.oldest_since_s) == (2, 11.0)
    assert (queue.count("joined"), queue.count("answered")) == (3, 1)


def test_a_queue_the_source_does_not_have_stays_unknown_when_the_others_are_back() -> None:
    queue = QueueFigures()
    queue.apply(events.Missing("q", "no such queue"))
    queue.apply(events.Back())
    assert queue.waiting is None and queue.reason == "no such queue"
    queue.apply(events.Waiting("q", ()))
    assert queue.waiting == 0 and queue.reason == ""


WORKED = {  # ICMI 2002: 1000 answered, 860 of them within 20 s; 60 abandoned, 20 within 20 s, 10 within 5 s
    "ended-within-of-offered": 0.830,
    "answered-within-of-answered": 0.860,
    "answered-within-of-offered": 0.811,
    "answered-within-of-offered-early-abandons-ignored": 0.827,
    "answered-within-of-offered-short-abandons-met": 0.821,
}


@pytest.mark.parametrize("formula", WORKED)
def test_the_worked_example_of_the_service_level(formula: str) -> None:
    """X itself is within X; a time-out counts as an abandon does."""
    queue = known(Target.model_validate({"within_s": 20, "formula": formula, "short_abandon_s": 5}))
    for call in range(1060):
        queue.apply(events.Joined("q", call, 0.0))
        if call < 1000:
            queue.apply(events.Answered("q", call, 20.0 if call < 860 else 20.5, "SIP/1"))
        else:
            waited_s = 5.0 if call < 1010 else 20.0 if call < 1020 else 20.1
            end = events.Abandoned if call % 2 else events.TimedOut
            queue.apply(end("q", call, waited_s))
    assert queue.service_level == pytest.approx(WORKED[formula], abs=0.0005)
    assert queue.rate("asa_s") == pytest.approx((860 * 20 + 140 * 20.5) / 1000)
    assert queue.rate("abandon_rate") == pytest.approx(50 / 1050)
    assert (queue.count("abandoned"), queue.count("timed_out")) == (30, 30)


def test_what_a_source_cannot_tell_is_unknown_and_so_is_what_hangs_on_it() -> None:
    queue = QueueFigures(untold=("timed_out", "left_by_key", "answered_within"))
    queue.apply(events.Back())
    queue.apply(events.Joined("q", 1, 0.0))
    queue.apply(events.Answered("q", 1, 9.0, "SIP/1"))
    assert queue.count("timed_out") is queue.count("left_by_key") is queue.service_level is None
    assert (queue.count("answered"), queue.rate("asa_s")) == (1, 9.0)


def test_the_worst_wait_is_kept_when_the_oldest_wait_falls() -> None:
    queue = known()
    queue.apply(events.Joined("q", 1, 0.0))
    queue.apply(events.Joined("q", 2, 50.0))
    assert queue.worst_wait_s(60.0) == 60.0
    queue.apply(events.LeftByKey("q", 1, 70.0))
    assert (queue.worst_wait_s(71.0), queue.oldest_since_s) == (70.0, 50.0)
    assert queue.worst_wait_s(125.0) == 75.0


def test_a_call_over_midnight_counts_once_each_day_at_its_time() -> None:
    """It joins on one day and is answered on the next; what comes late belongs to the day it happened."""
    queue = QueueFigures(keep=True)
    queue.apply(events.Back())
    queue.apply(events.Joined("q", 1, 90.0))
    queue.apply(events.Joined("q", 2, 95.0))
    queue.begin_day(100.0)
    queue.apply(events.Abandoned("q", 2, 99.9))  # read a moment after midnight
    queue.apply(events.Answered("q", 1, 130.0, "SIP/1"))
    assert (queue.count("joined"), queue.count("answered"), queue.count("abandoned")) == (0, 1, 0)
    assert queue.waiting == 0 and queue.ledger
    kept = [(name, at_s, amount) for at_s, name, amount in queue.ledger.counts if name in ENDS.values()]
    assert kept == [("abandoned", 99.9, 1), ("answered", 130.0, 1)]
    assert [at_s for at_s, name, _ in queue.ledger.counts if name == "joined"] == [90.0, 95.0]


def test_who_waited_over_a_restart_is_counted_once() -> None:
    queue = QueueFigures(keep=True)
    queue.remember([(7, 40.0), (8, 50.0)])
    queue.apply(events.Waiting("q", ((7, 40.0), (9, 60.0))))
    queue.apply(events.Back())
    assert (queue.waiting, queue.oldest_since_s, queue.count("joined")) == (2, 40.0, 1)
    queue.apply(events.Vanished("q", 8, 61.0))
    queue.apply(events.Answered("q", 7, 62.0, "SIP/1"))
    queue.apply(events.Answered("q", 9, 63.0, "SIP/1"))
    assert (queue.count("answered"), queue.totals.vanished) == (2, 1)
    assert queue.ledger and (queue.ledger.came, queue.ledger.went) == ({}, [8, 7])


def test_the_last_half_hour_forgets_what_came_before() -> None:
    queue = known()
    queue.apply(events.Back(), 0.0)
    assert queue.recent(200.0) is None  # too little seen
    for call in range(600):
        at_s = 10.0 * call
        queue.tick(at_s)
        queue.apply(events.Joined("q", call, at_s))
        queue.apply(events.Answered("q", call, at_s, "SIP/1"))
        queue.apply(events.Completed("q", call, at_s, 100.0 if at_s < 3000 else 200.0))
    arrivals, mean_s = queue.recent(6000.0) or (0, 0)
    assert arrivals == pytest.approx(0.1, rel=0.01) and mean_s == 200.0
    queue.apply(events.Away("gone"), 6001.0)
    queue.apply(events.Back(), 9000.0)
    assert queue.recent(9010.0) is None  # the hole is not half an hour without calls


def test_occupancy_and_the_time_seen_stop_where_nothing_is_known() -> None:
    queue = QueueFigures()
    queue.apply(events.Waiting("q", ()), 0.0)
    queue.apply(events.Back(), 10.0)
    queue.staff(3, 1, 10.0)
    queue.staff(1, 3, 20.0)
    queue.apply(events.Away("gone"), 40.0)
    queue.tick(99.0)
    queue.apply(events.Back(), 100.0)
    assert queue.rate("occupancy") == pytest.approx((3 * 10 + 20) / (4 * 10 + 4 * 20))
    assert queue.count("seen_s") == 30.0


def test_a_source_that_counts_by_itself_is_taken_at_its_word() -> None:
    queue = QueueFigures(keep=True)
    queue.apply(events.Back())
    told = events.Counted("q", 10.0, 3, 4.0, {"joined": 5, "answered": 2, "answered_wait_s": 30.0},
                          frozenset({"joined", "answered", "answered_wait_s"}))  # fmt: skip
    queue.apply(told)
    queue.apply(told)
    assert (queue.waiting, queue.oldest_since_s, queue.count("joined")) == (3, 4.0, 10)
    assert queue.rate("asa_s") == 15.0
    assert queue.count("abandoned") is queue.service_level is queue.worst_wait_s(20.0) is None


def test_the_wait_the_source_measured_counts_before_ours() -> None:
    queue = known(Target(within_s=20))
    queue.apply(events.Joined("q", 1, 0.0))
    queue.apply(events.Answered("q", 1, 0.1, "SIP/1", waited_s=30.0))
    assert (queue.rate("asa_s"), queue.service_level) == (30.0, 0)


def test_every_formula_the_site_file_knows_is_here_with_its_source() -> None:
    assert set(get_args(Target.model_fields["formula"].annotation)) == set(SERVICE_LEVEL)
    for formula in (*SERVICE_LEVEL.values(), *RATES.values()):
        assert formula.words and formula.source and set(formula.needs) <= set(COUNTED)
        assert formula.of(Totals()) is None


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
            ended = self.find(event.call, "waiting", "gone") or self.last_stay(event.call)
            self.move(ended, ENDS[type(event)])

    def last_stay(self, call: int) -> Row | None:
        """The newest stay under that number, where its end may still be corrected."""
        newest = next((row for row in reversed(self.rows) if row.call == call), None)
        return newest if newest and newest.state in ("left", "vanished") else None

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
        assert queue.totals.joined == len(slow.rows)
        assert queue.totals.answered == slow.count("answered")
        assert queue.totals.abandoned == slow.count("abandoned")
        assert queue.totals.left == slow.count("left")
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
    assert queue.totals.joined == 1000 == len(queue._since) + len(queue._gone) + queue.totals.vanished
    for call in range(2000, 5000):
        queue.apply(events.Joined("q", call, float(call)))
    assert len(queue._ended) <= figures.ENDED
