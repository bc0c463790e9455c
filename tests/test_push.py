"""Sources that push: what they say counts once, whatever is lost, repeated, wrong or restarted."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import floorplan
from gateway.queues import events, push, push_body
from gateway.queues.figures import Ledger, QueueFigures
from gateway.queues.push import OtherShape, Push, PushError, decode, parse_push_topic, push_topic
from gateway.queues.totals import COUNTED, LONGEST

START_S = 100_000.0
SOURCE = floorplan.Source(id="webchat", secret_file=Path("unused"), silent_s=60)
SECRET = "Kari+4791234567"  # stands for whatever somebody may put into a message


class Gateway:
    """A source, the figures it feeds, and what is kept of them; it may be killed at any moment."""

    def __init__(self, *queues: str) -> None:
        self.queues = queues or ("chat",)
        self.now_s = START_S
        self.totals = {queue: dict.fromkeys(COUNTED, 0.0) for queue in self.queues}
        self.rows: dict[int, tuple[str, int, bytes, float]] = {}
        self.marks: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        """The gateway starts, or starts again after it was killed: what was not kept is gone."""
        self.told: list[events.Event] = []
        self.figures = {queue: QueueFigures(keep=True) for queue in self.queues}
        self.push = Push(SOURCE, self.queues, self._tell, lambda: self.now_s, b"salt")
        self.push.remember_waiting(self.rows.values())
        for queue, mark in self.marks.items():
            self.push.remember(queue, mark)
        for queue, figures in self.figures.items():
            figures.remember(
                (call, since_s) for where, call, _, since_s in self.rows.values() if where == queue
            )

    def _tell(self, event: events.Event) -> None:
        self.told.append(event)
        for queue, figures in self.figures.items():
            if getattr(event, "queue", queue) == queue:
                figures.apply(event, self.now_s)

    def commit(self) -> None:
        """Everything counted so far, and the marks of this moment, in one piece."""
        for queue, figures in self.figures.items():
            ledger, figures.ledger = figures.ledger, Ledger()
            assert ledger
            for _, name, amount in ledger.counts:
                before = self.totals[queue][name]
                self.totals[queue][name] = max(before, amount) if name in LONGEST else before + amount
            self.rows |= {call: (queue, call, key, since) for call, (key, since) in ledger.came.items()}
            for call in ledger.went:
                del self.rows[call]
            mark = self.push.take_mark(queue)
            if mark:
                self.marks[queue] = mark

    def hear(self, body: object, queue: str = "chat") -> None:
        self.push.hear(queue, body)

    def events(self, *happened: dict[str, Any]) -> None:
        self.hear({"events": list(happened)})

    def says(self, **figures: Any) -> None:
        self.hear({"figures": figures})

    @property
    def chat(self) -> QueueFigures:
        return self.figures["chat"]

    def counted(self) -> dict[str, float]:
        """What is kept of chat, what is 0 left out."""
        self.commit()
        ours = ("seen_s", "handling_s", "available_s")
        return {name: amount for name, amount in self.totals["chat"].items() if amount and name not in ours}


def joined(call: str, **more: Any) -> dict[str, Any]:
    return {"event": "joined", "call": call, **more}


def ended(word: str, call: str, **more: Any) -> dict[str, Any]:
    return {"event": word, "call": call, **more}


# ---- by what happens ----


def test_every_event_is_counted_as_what_it_is() -> None:
    house = Gateway()
    house.events(*[joined(call) for call in "abcdef"])
    assert (house.chat.waiting, house.chat.oldest_since_s, house.chat.reason) == (6, START_S, "")
    house.now_s += 10
    house.events(
        ended("answered", "a"), ended("abandoned", "b"), ended("timed_out", "c"), ended("left_by_key", "d"),
        ended("left", "e", age_s=4),
    )  # fmt: skip
    house.now_s += 300
    house.events(ended("completed", "a", talk_s=290))
    assert house.chat.waiting == 1
    assert house.counted() == {
        "joined": 6, "answered": 1, "answered_within": 1, "answered_wait_s": 10, "abandoned": 1, "timed_out": 1,
        "lost_within": 2, "left_by_key": 1, "left": 1, "completed": 1, "talk_s": 290, "longest_wait_s": 10,
    }  # fmt: skip
    assert house.push.ignored == 0


def test_what_is_said_again_changes_nothing() -> None:
    house = Gateway()
    first = [joined("a"), joined("b"), ended("answered", "a")]
    second = [ended("completed", "a", talk_s=5), ended("abandoned", "b")]
    house.events(*first)
    before = list(house.told)
    house.events(*first)
    assert house.told == before
    assert house.push.ignored == 3
    house.events(*second)
    counted = house.counted()
    for again in (first, second, [*first, *second], [joined("a")], [joined("b")]):
        house.now_s += 100
        house.events(*again)
    assert house.counted() == counted
    assert house.chat.waiting == 0


def test_a_join_overtaken_by_its_end_waits_for_nobody() -> None:
    house = Gateway()
    house.events(ended("abandoned", "a"))
    house.events(joined("a"))
    assert (house.chat.waiting, house.push.ignored, house.counted()) == (0, 2, {})


def test_the_end_of_a_stranger_counts_where_it_says_how_long_it_waited() -> None:
    house = Gateway()
    for _ in range(2):
        house.events(ended("answered", "a", waited_s=30, age_s=5), ended("completed", "zz", talk_s=3))
    assert house.counted() == {"joined": 1, "answered": 1, "answered_wait_s": 30, "longest_wait_s": 30}
    came = next(event for event in house.told if isinstance(event, events.Joined))
    assert came.at_s == START_S - 35


def test_an_age_puts_events_back_in_time_and_never_before_their_beginning() -> None:
    house = Gateway()
    house.events(joined("a", age_s=50), joined("b", age_s=1))
    assert house.chat.oldest_since_s == START_S - 50
    house.events(ended("answered", "a", age_s=20), ended("answered", "b", age_s=9))
    assert house.counted()["answered_wait_s"] == 30


def test_a_list_of_who_waits_settles_it() -> None:
    house = Gateway()
    house.events(joined("a"), joined("b"), joined("c"), ended("answered", "c"))
    house.now_s += 5
    here = [{"call": "b"}, {"call": "new", "age_s": 60}, {"call": "c"}]
    house.hear({"events": [], "waiting": here})
    assert house.chat.waiting == 2
    assert house.chat.oldest_since_s == START_S + 5 - 60
    assert house.counted() == {"joined": 4, "answered": 1, "answered_within": 1, "vanished": 1}
    house.events(joined("a"), ended("abandoned", "a"))
    assert house.counted()["joined"] == 4


def test_who_has_waited_for_a_day_is_not_there_any_more() -> None:
    house = Gateway()
    house.events(joined("a"))
    house.now_s += push_body.DAY_S + 1
    house.push.due(house.now_s)
    house.events()
    assert house.chat.waiting == 0
    assert house.counted()["vanished"] == 1


# ---- by its figures ----


def test_growth_is_counted_and_the_first_word_is_where_it_begins() -> None:
    house = Gateway()
    house.says(
        waiting=3, oldest_wait_s=41, joined=120, answered=100, answered_wait_s=1400.5, longest_wait_s=500
    )
    assert (house.chat.waiting, house.chat.oldest_since_s) == (3, START_S - 41)
    assert house.counted() == {}
    house.says(waiting=0, joined=125, answered=108, answered_wait_s=1450.25, longest_wait_s=500)
    assert house.counted() == {"joined": 5, "answered": 8, "answered_wait_s": 49.75}
    house.says(waiting=0, joined=125, answered=108, answered_wait_s=1450.25, longest_wait_s=77)
    assert house.counted() == {"joined": 5, "answered": 8, "answered_wait_s": 49.75, "longest_wait_s": 77}
    assert house.chat.oldest_since_s is None


def test_smaller_than_before_is_a_new_beginning() -> None:
    house = Gateway()
    house.says(waiting=0, joined=120, answered=100, abandoned=2)
    house.says(waiting=1, joined=4, answered=3, abandoned=2)
    assert house.counted() == {"joined": 4, "answered": 3, "abandoned": 2}
    house.says(waiting=1, joined=5, answered=3, abandoned=2)
    assert house.counted()["joined"] == 5


def test_what_a_source_tells_no_more_after_a_new_beginning_makes_no_second_one() -> None:
    house = Gateway()
    house.says(waiting=0, joined=100, answered=90)
    house.says(waiting=0, joined=3)
    house.says(waiting=0, joined=4, answered=2)
    assert house.counted() == {"joined": 4}


def test_a_run_says_when_the_counters_begin_anew() -> None:
    house = Gateway()
    house.says(waiting=0, joined=5, run="one")
    house.says(waiting=0, joined=7, run="two")  # has caught up already
    assert house.counted() == {"joined": 7}
    house.says(waiting=0, joined=6, run="two")  # come late
    house.says(waiting=0, joined=9, run="one")  # come very late
    house.says(waiting=0, joined=7, run="two")
    assert house.counted() == {"joined": 7}
    assert house.push.ignored == 1


def test_an_old_message_that_comes_once_more_is_no_new_beginning() -> None:
    house = Gateway()
    for count in (10, 11, 12):
        house.says(waiting=0, joined=count)
    house.says(waiting=0, joined=11)
    house.says(waiting=0, joined=12)
    house.says(waiting=0, joined=13)
    assert house.counted() == {"joined": 3}
    assert house.push.ignored == 1


def test_what_is_not_told_is_unknown_and_comes_back_without_being_counted_twice() -> None:
    house = Gateway()
    house.says(waiting=0, joined=10, answered=10, abandoned=0)
    house.says(waiting=0, joined=12, answered=None)
    assert house.chat.count("joined") == 2
    assert house.chat.count("answered") is None
    assert house.chat.service_level is None
    house.says(waiting=0, joined=12, answered=11, abandoned=0)
    assert house.chat.count("answered") == 1
    house.says(waiting=0, joined=12, answered=11, abandoned=0, left=30)  # told for the first time
    assert house.counted() == {"joined": 2, "answered": 1}


# ---- silence, and who tells what ----


def test_a_counter_that_is_told_from_now_on_says_nothing_of_the_day_so_far() -> None:
    """Answered within X s of the last minute, over the answered of all day, would be a false service level."""
    house = Gateway()
    house.says(waiting=0, joined=100, answered=90, abandoned=2)
    house.says(waiting=0, joined=200, answered=180, abandoned=4)
    house.says(waiting=0, joined=210, answered=190, abandoned=4, answered_within=10, answered_wait_s=50.0)
    house.says(waiting=0, joined=220, answered=200, abandoned=4, answered_within=19, answered_wait_s=99.0)
    assert house.chat.count("answered") == 110
    assert house.chat.service_level is house.chat.rate("asa_s") is None
    house.chat.begin_day(house.now_s + 1)
    house.now_s += 2
    house.says(waiting=0, joined=230, answered=210, abandoned=4, answered_within=28, answered_wait_s=149.0)
    assert [house.chat.service_level, house.chat.rate("asa_s")] == [0.9, 5.0]


def test_silence_makes_figures_unknown_until_the_next_word() -> None:
    house = Gateway()
    house.events(joined("a"))
    house.now_s += 59
    house.push.due(house.now_s)
    assert house.chat.waiting == 1
    house.now_s += 1
    for _ in range(3):
        house.push.due(house.now_s)
    assert house.chat.waiting is None
    assert house.chat.reason == "'webchat' has said nothing for 60 s: is it running, does its token fit?"
    for kind in (events.Missing, events.Away):  # the queue, and the source: it has no other
        assert sum(isinstance(event, kind) for event in house.told) == 1
    house.events()
    assert (house.chat.waiting, house.chat.reason) == (1, "")
    house.now_s += 60
    house.push.due(house.now_s)
    house.events(ended("answered", "a"))
    assert (house.chat.waiting, house.counted()["answered"]) == (0, 1)


def test_a_queue_that_is_told_makes_no_other_one_known() -> None:
    house = Gateway("chat", "callback")
    house.now_s += 60
    house.push.due(house.now_s)
    assert house.chat.reason == "'webchat' has said nothing so far: is it running, does its token fit?"
    house.says(waiting=2)
    assert house.chat.waiting == 2
    assert house.figures["callback"].waiting is None
    assert "nothing of this queue yet" in house.figures["callback"].reason
    house.hear({"events": []}, "callback")
    assert house.figures["callback"].waiting == 0


def test_a_queue_keeps_to_its_shape_until_a_restart() -> None:
    house = Gateway()
    house.events(joined("a"))
    with pytest.raises(OtherShape, match="'events' so far"):
        house.says(waiting=7, joined=9)
    assert house.chat.waiting == 1
    house.commit()
    house.start()
    house.says(waiting=7, joined=9)
    assert house.chat.waiting == 7
    house.commit()
    assert house.rows == {}
    house.start()
    house.events(joined("b"))
    assert house.chat.waiting == 1
    assert house.counted() == {"joined": 2, "vanished": 1}


def test_a_refused_message_is_no_sign_of_life_and_nothing_of_it_counts() -> None:
    house = Gateway()
    house.events()
    house.now_s += 59
    with pytest.raises(PushError):
        house.events(joined("a"), joined("b", age_s=-1))
    house.now_s += 1
    house.push.due(house.now_s)
    assert house.chat.waiting is None
    assert house.counted() == {}


# ---- restarts ----


class Chat:
    """A web chat: counts by itself, and tells over a bad network until it is told that it was kept."""

    def __init__(self, dice: random.Random, house: Gateway) -> None:
        self.dice = dice
        self.house = house
        self.truth = dict.fromkeys(COUNTED, 0.0)
        self.names = (f"c{number}" for number in itertools.count())
        self.waiting: dict[str, float] = {}
        self.talking: dict[str, float] = {}
        self.untold: list[tuple[float, dict[str, Any]]] = []

    def step(self) -> None:
        self.house.now_s += self.dice.expovariate(0.5)
        now_s = self.house.now_s
        what = self.dice.random()
        if what < 0.4 or not (self.waiting or self.talking):
            call = next(self.names)
            self.waiting[call] = now_s
            self._count("joined", 1)
            self._happened(joined(call))
        elif self.waiting and (what < 0.8 or not self.talking):
            call = self.dice.choice(list(self.waiting))
            waited_s = now_s - self.waiting.pop(call)
            word = self.dice.choice(["answered"] * 4 + ["abandoned", "timed_out", "left", "left_by_key"])
            self._count(word, 1)
            self.truth["longest_wait_s"] = max(self.truth["longest_wait_s"], waited_s)
            if word == "answered":
                self.talking[call] = now_s
                self._count("answered_wait_s", waited_s)
                self._count("answered_within", waited_s <= 20)
            elif word in ("abandoned", "timed_out"):
                self._count("lost_within", waited_s <= 20)
                self._count("lost_short", waited_s <= 5)
            self._happened(ended(word, call))
        else:
            call = self.dice.choice(list(self.talking))
            talk_s = now_s - self.talking.pop(call)
            self._count("completed", 1)
            self._count("talk_s", talk_s)
            self._happened(ended("completed", call, talk_s=talk_s))

    def _count(self, name: str, amount: float) -> None:
        self.truth[name] += amount

    def _happened(self, event: dict[str, Any]) -> None:
        self.untold.append((self.house.now_s, event))

    def tell(self, lossy: bool = True) -> None:
        """One message. It may be lost on the way, the gateway may be killed before or after it is kept."""
        some = self.untold[: self.dice.randint(0, 6)] if lossy else self.untold
        fate = self.dice.random() if lossy else 1
        if fate < 0.1:
            return  # never arrives
        self.house.events(*[event | {"age_s": self.house.now_s - at_s} for at_s, event in some])
        if fate < 0.2:
            self.house.start()  # killed before it was kept
        elif fate < 0.3:
            self.house.commit()
            self.house.start()  # kept, and killed before it could say so
        elif fate < 0.4:
            self.house.commit()  # kept, and the answer is lost
        else:
            self.house.commit()
            del self.untold[: len(some)]


def same(kept: dict[str, float], truth: dict[str, float]) -> None:
    for name in COUNTED:
        if name not in ("seen_s", "handling_s", "available_s"):
            assert kept[name] == pytest.approx(truth[name], abs=1e-4), name


def rolled() -> random.Random:
    """Dice that are others each time; the seed stands in what the test prints."""
    seed = random.SystemRandom().randrange(10**9)
    print("seed", seed)
    return random.Random(seed)


@pytest.mark.parametrize("once", range(8))
def test_events_are_neither_lost_nor_doubled_whenever_the_gateway_is_killed(once: int) -> None:
    dice = rolled()
    house = Gateway()
    chat = Chat(dice, house)
    for _ in range(1500):
        chat.step()
        house.push.due(house.now_s)
        while dice.random() < 0.5:
            chat.tell()
    chat.tell(lossy=False)
    same(house.totals["chat"], chat.truth)
    assert house.chat.waiting == len(chat.waiting)
    assert house.chat.oldest_since_s == pytest.approx(min(chat.waiting.values(), default=None), abs=1e-4)
    assert len(house.rows) == len(chat.waiting)
    assert max(len(mark) for mark in house.marks.values()) < 30_000


@pytest.mark.parametrize("runs", [False, True])
@pytest.mark.parametrize("once", range(4))
def test_figures_are_neither_lost_nor_doubled_whoever_is_restarted(once: int, runs: bool) -> None:
    dice = rolled()
    house = Gateway()
    chat = Chat(dice, house)
    counters = [name for name in push_body.COUNTERS if name != "longest_wait_s"]
    said: list[dict[str, Any]] = []
    began, run, since_began = dict(chat.truth), 0, 0

    def figures() -> dict[str, Any]:
        told = {name: chat.truth[name] - began[name] for name in counters}
        whole: dict[str, Any] = {
            name: told[name] if name.endswith("_s") else int(told[name]) for name in told
        }
        return {"waiting": len(chat.waiting), **whole, **({"run": f"run {run}"} if runs else {})}

    house.says(**figures())
    house.commit()
    for _ in range(1500):
        chat.step()
        since_began += 1
        # Without a word for its runs a source is known to begin anew by counters that are smaller: it may
        # not do so twice before they have grown, and old messages are known for as long as we run only.
        if dice.random() < 0.03 and (runs or since_began > 30):
            house.says(**figures())
            house.commit()
            began, run, since_began = dict(chat.truth), run + 1, 0
            said = said if runs else []
        fate = dice.random()
        if fate < 0.5 or not since_began:
            said = [*said[-3:], figures()]
            house.says(**said[-1])
        elif fate < 0.6 and said:
            house.says(**dice.choice(said))  # comes late, once more
        if fate < 0.3:
            house.commit()
        if 0.25 < fate < 0.35:
            house.start()
            said = said if runs else []
    house.says(**figures())
    house.commit()
    for name in counters:
        assert house.totals["chat"][name] == pytest.approx(chat.truth[name], abs=1e-3), name
    assert house.chat.waiting == len(chat.waiting)


def test_a_mark_that_cannot_be_read_is_as_good_as_none() -> None:
    for mark in (
        "",
        "{",
        "[]",
        "null",
        '{"counters":5}',
        '{"talking":5,"over":[]}',
        '{"talking":"?","over":"x"}',
    ):
        house = Gateway()
        house.marks = {"chat": mark, "no-such-queue": "{}"}
        house.start()
        house.says(waiting=1, joined=5)
        house.says(waiting=1, joined=6)
        assert house.counted() == {"joined": 1}, mark


def test_callers_of_two_sources_have_different_numbers() -> None:
    told: list[events.Event] = []
    for name in ("webchat", "bot"):
        source = Push(SOURCE.model_copy(update={"id": name}), {name}, told.append, lambda: START_S)
        source.hear(name, {"events": [joined(f"c{number}") for number in range(100)]})
    calls = [event.call for event in told if isinstance(event, events.Joined)]
    assert len(set(calls)) == 200
    assert max(calls) < 2**63  # the store's
    keys = [event.key for event in told if isinstance(event, events.Joined)]
    assert len(set(keys)) == 200


def test_nobody_can_read_who_it_was() -> None:
    house = Gateway()
    house.events(joined(SECRET), ended("answered", SECRET))
    house.commit()
    seen = repr((house.told, house.rows, house.marks, vars(house.push)))
    assert SECRET not in seen
    other = Push(SOURCE, {"chat"}, house.told.append, lambda: START_S, b"another house")
    other.hear("chat", {"events": [joined(SECRET)]})
    keys = {event.key for event in house.told if isinstance(event, events.Joined)}
    assert len(keys) == 2


def test_everything_that_grows_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "CALLERS", 50)
    monkeypatch.setattr(push, "KNOWN", 20)
    house = Gateway()
    calls = [f"c{number}" for number in range(400)]
    for call in calls:
        house.events(joined(call))
    assert house.chat.waiting == 50
    house.events(*[ended("answered", call) for call in calls], *[ended("left", f"x{n}") for n in range(400)])
    house.commit()
    assert len(house.marks["chat"]) < 2 * (20 * push.KEY_BYTES * 4 / 3 + 40)
    house.now_s += push_body.DAY_S + 1
    house.push.due(house.now_s)
    house.commit()
    assert len(house.marks["chat"]) < 20 * push.KEY_BYTES * 4 / 3 + 80
    house.now_s += push.AGAIN_S + 1
    house.push.due(house.now_s)
    house.events(joined("last"), ended("left", "last"))
    house.commit()
    assert len(house.marks["chat"]) < 50


# ---- bad input ----

NAN = float("nan")
CALLS = [joined("a")] * 1001
BAD: list[tuple[object, str]] = [
    (None, "the message: is not an object with 'figures' or 'events' in it"),
    ([], "the message: is not an object with 'figures' or 'events' in it"),
    (SECRET, "the message: is not an object with 'figures' or 'events' in it"),
    ({}, "the message: has to hold either 'figures' or 'events'"),
    ({SECRET: 1}, "the message: has to hold either 'figures' or 'events'"),
    ({"figures": {"waiting": 0}, "events": []}, "the message: has to hold either 'figures' or 'events'"),
    (
        {"figures": {"waiting": 0}, SECRET: 1},
        "the message: holds a key that is none of these; there are figures",
    ),
    ({"figures": []}, "figures: is not an object"),
    ({"figures": {}}, "figures.waiting: is missing"),
    ({"figures": {"waiting": None}}, "figures.waiting: is not a whole number"),
    ({"figures": {"waiting": SECRET}}, "figures.waiting: is not a whole number"),
    ({"figures": {"waiting": "3"}}, "figures.waiting: is not a whole number"),
    ({"figures": {"waiting": True}}, "figures.waiting: is not a whole number"),
    ({"figures": {"waiting": 1.5}}, "figures.waiting: is not a whole number"),
    ({"figures": {"waiting": -1}}, "figures.waiting: is less than 0"),
    ({"figures": {"waiting": 100_001}}, "figures.waiting: is more than 100000"),
    ({"figures": {"waiting": 10**400}}, "figures.waiting: is more than 100000"),
    ({"figures": {"waiting": 1, "oldest_wait_s": 86_401}}, "figures.oldest_wait_s: is more than 86400"),
    ({"figures": {"waiting": 0, "oldest_wait_s": 3}}, "figures: 'oldest_wait_s' is more than 0, but nobody"),
    ({"figures": {"waiting": 0, "joined": 10**9 + 1}}, "figures.joined: is more than 1000000000"),
    ({"figures": {"waiting": 0, "completed": 1, "talk_s": NAN}}, "figures.talk_s: is not a number"),
    ({"figures": {"waiting": 0, "completed": 1, "talk_s": -0.1}}, "figures.talk_s: is less than 0"),
    ({"figures": {"waiting": 0, "completed": 1, "talk_s": 10**400}}, "figures.talk_s: is not a number"),
    ({"figures": {"waiting": 0, "talk_s": 3}}, "figures: 'talk_s' is told without 'completed'"),
    (
        {"figures": {"waiting": 0, "completed": 0, "talk_s": 3}},
        "figures: 'talk_s' is more than 0, but 'completed'",
    ),
    (
        {"figures": {"waiting": 0, "answered": 3, "answered_within": 4}},
        "figures: 'answered_within' is more than",
    ),
    (
        {"figures": {"waiting": 0, "timed_out": 9, "lost_short": 1}},
        "figures: 'lost_short' is told without 'aband",
    ),
    (
        {"figures": {"waiting": 0, "abandoned": 1, "timed_out": 1, "lost_within": 3}},
        "figures: 'lost_within' is more than 'abandoned' and 'timed_out', which it is part of",
    ),
    (
        {"figures": {"waiting": 0, "anwsered": 1}},
        "figures: holds a key that is none of these; did you mean 'answered'?",
    ),
    (
        {"figures": {"waiting": 0, SECRET: 1}},
        "figures: holds a key that is none of these; there are waiting, old",
    ),
    ({"figures": {"waiting": 0, "run": SECRET * 9}}, "figures.run: is longer than 64 characters"),
    ({"events": None}, "events: is not a list"),
    ({"events": {"event": "joined"}}, "events: is not a list"),
    ({"events": CALLS}, "events: holds more than 1000"),
    ({"events": [SECRET]}, "events[0]: is not an object"),
    ({"events": [joined("a"), {}]}, "events[1]: has no 'event': one of joined, answered, abandoned"),
    (
        {"events": [{"event": SECRET, "call": "a"}]},
        "events[0]: has an 'event' that is none of 'joined', 'answered'",
    ),
    (
        {"events": [{"event": None, "call": "a"}]},
        "events[0]: has an 'event' that is none of 'joined', 'answered'",
    ),
    ({"events": [{"event": "joined"}]}, "events[0].call: is missing"),
    ({"events": [joined("")]}, "events[0].call: is not 1 to 64 characters of ASCII"),
    ({"events": [joined(SECRET * 5)]}, "events[0].call: is longer than 64 characters"),
    ({"events": [joined(f"{SECRET}\n")]}, "events[0].call: is not 1 to 64 characters of ASCII"),
    ({"events": [joined(f"{SECRET}ø")]}, "events[0].call: is not 1 to 64 characters of ASCII"),
    ({"events": [joined("\ud800")]}, "events[0].call: is not text"),
    ({"events": [joined(4791234567)]}, "events[0].call: is not text"),  # type: ignore[arg-type]
    ({"events": [joined("a", age_s=-1)]}, "events[0].age_s: is less than 0"),
    ({"events": [joined("a", age_s=86_401)]}, "events[0].age_s: is more than 86400"),
    ({"events": [joined("a", age_s=SECRET)]}, "events[0].age_s: is not a number"),
    (
        {"events": [joined("a", name=SECRET)]},
        "events[0]: holds a key that is none of these; there are event, call",
    ),
    (
        {"events": [ended("left", "a", waitd_s=1)]},
        "events[0]: holds a key that is none of these; did you mean 'wai",
    ),
    ({"events": [ended("completed", "a")]}, "events[0].talk_s: is missing"),
    ({"events": [], "waiting": [{"call": SECRET, "age_s": "x"}]}, "waiting[0].age_s: is not a number"),
    (
        {"events": [], "waiting": [{"call": "a", SECRET: 1}]},
        "waiting[0]: holds a key that is none of these; there",
    ),
    ({"events": [{"event": "joined"}] * 7}, "events[4].call: is missing; the message: and 2 more"),
]


@pytest.mark.parametrize(("body", "words"), BAD, ids=range(len(BAD)))
def test_what_is_wrong_is_named_with_its_place_and_never_repeated(body: object, words: str) -> None:
    house = Gateway()
    with pytest.raises(PushError) as caught:
        house.hear(body)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "4791234567" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert house.told == []
    assert house.counted() == {}


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"\xff{}", b"[" * 60_000, b'{"figures":{"waiting":NaN}}', b"1" * 5000, "{}".encode("utf-16")],
)
def test_what_is_no_json_is_said_to_be_none(payload: bytes) -> None:
    with pytest.raises(PushError, match=r"^the message: is not JSON in UTF-8$"):
        decode(payload)


def test_a_message_is_bounded() -> None:
    assert decode(b'"' + b"x" * (push_body.BODY_BYTES - 2) + b'"') == "x" * (push_body.BODY_BYTES - 2)
    with pytest.raises(PushError, match="is longer than 65536 bytes"):
        decode(b'"' + b"x" * (push_body.BODY_BYTES - 1) + b'"')
    whole = {"events": [joined(f"{number:064}", age_s=1) for number in range(600)]}
    assert len(json.dumps(whole)) < push_body.BODY_BYTES


def test_a_queue_of_somebody_else_is_refused() -> None:
    with pytest.raises(PushError, match="not one of 'webchat' in the site file"):
        Gateway().hear({"events": []}, SECRET.lower())


KEYS = st.sampled_from(
    ["figures", "events", "event", "call", "age_s", "waiting", "joined", "talk_s", "run", SECRET, "completed"]
)
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.just(SECRET),
    st.sampled_from(["joined", "answered"]),
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5))
)
EVENT = st.fixed_dictionaries(
    {"event": st.sampled_from(["joined", "answered", "left", SECRET])},
    optional={"call": LEAVES, "age_s": LEAVES, "waited_s": LEAVES, SECRET: LEAVES},
)
NEARLY = st.one_of(
    ANYTHING,
    st.fixed_dictionaries({"events": st.lists(st.one_of(EVENT, ANYTHING), max_size=4)}),
    st.fixed_dictionaries({"figures": st.dictionaries(st.sampled_from(push_body.COUNTERS), LEAVES)}),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NEARLY)
def test_nothing_else_is_raised_and_nothing_repeated_whatever_is_said(body: object) -> None:
    house = Gateway()
    try:
        house.hear(body)
    except PushError as error:
        assert SECRET not in str(error) and "Kari" not in repr(error.problems)
        assert house.told == []
    assert SECRET not in repr((house.told, vars(house.push)))


# ---- topics ----


def test_a_topic_says_whose_word_it_is_and_of_which_queue() -> None:
    assert push_topic("skien", "webchat", "chat") == "callfloor/1/skien/source/webchat/queue/chat"
    assert parse_push_topic(push_topic("skien", "webchat", "chat")) == ("webchat", "chat")
    for topic in ("", "callfloor/1/skien/values", "callfloor/2/skien/source/a/queue/b", "x/1/s/source/a/queue/b",
                  "callfloor/1/s/source/a/queue", "callfloor/1/s/source/a/queue/b/c", "callfloor/1/s/source/a/queue/B",
                  "callfloor/1/s/source//queue/b", "callfloor/1/s/board/a/queue/b"):  # fmt: skip
        assert parse_push_topic(topic) is None, topic
