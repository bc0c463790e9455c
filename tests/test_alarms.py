"""Alarms: what becomes one and when it goes, who sees to it, and that one cause does not make a hundred of them."""

from __future__ import annotations

import asyncio
import json
import time
import tomllib
import typing
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import floorplan
from gateway import walltime
from gateway.alarms import standing
from gateway.alarms.kinds import KINDS, OF_FLOOR
from gateway.alarms.signs import Sign, _service_level
from gateway.alarms.standing import Alarms
from gateway.days import Calendar
from gateway.floor import Queue
from gateway.queues import events
from gateway.queues.figures import QueueFigures
from gateway.service import Gateway, queue_figures
from gateway.store import Batch, Store, StoreError
from gateway.truth import KINDS as OF_DESKS

STEP_S = 0.5  # how often the gateway looks
START_S = 200_000.0
LOST = Sign("board-lost", "row-a", facts={"reason": "no power"})
UNSEEN = Sign("board-lost", "row-a", None)


# What stands ------------------------------------------------------------------------------------------


class Watch:
    """Alarms whose time goes by as we say, looked at as often as in the gateway."""

    def __init__(self, **times: Any) -> None:
        self.alarms = Alarms(floorplan.Alarms(**times))
        self.now_s = START_S

    def see(self, *signs: Sign, for_s: float = STEP_S) -> set[str]:
        """All that is so for so long; the ids of which another thing is to be said."""
        changed = set()
        for _ in range(round(for_s / STEP_S)):
            changed |= self.alarms.look(signs, self.now_s)
            self.now_s += STEP_S
        return changed

    @property
    def standing(self) -> list[str]:
        return self.alarms.all()

    def document(self, name: str) -> dict[str, Any]:
        found = self.alarms.document(name, self.now_s)
        assert found
        return found


def test_what_stays_is_an_alarm_and_what_passes_is_none() -> None:
    watch = Watch(board_lost_s=10)
    assert watch.see(LOST, for_s=10) == set()
    assert watch.standing == []
    watch.see(for_s=10)
    assert watch.see(LOST, for_s=10) == set(), "its time begins anew"
    assert watch.see(LOST) == {"board-lost.row-a"}
    told = watch.document("board-lost.row-a")
    assert (told["for_s"], told["of"], told["about"], told["level"]) == (10, "board", "row-a", "bad")
    assert told["what"] == "No power."
    assert watch.see(LOST, for_s=60) == set(), "said once"


def test_what_is_so_for_most_of_the_time_is_an_alarm_too_and_what_is_not_is_none() -> None:
    watch = Watch(board_lost_s=10)
    watch.see(LOST, for_s=8)
    watch.see(for_s=2)
    watch.see(LOST, for_s=4)
    assert watch.standing == [], "it was so for 8 s, has paid 2 s back, and is so for 4 s"
    watch.see(LOST)
    assert watch.standing == ["board-lost.row-a"]
    other = Watch(board_lost_s=10)
    for _ in range(50):
        other.see(LOST, for_s=8)
        other.see(for_s=9)
        assert other.standing == [] and not other.alarms.ended
    assert not other.alarms._rows, "nothing is left of it"


def test_an_alarm_that_comes_and_goes_is_one_alarm() -> None:
    watch = Watch(board_lost_s=1)
    watch.see(LOST, for_s=2)
    for _ in range(20):
        assert watch.see(for_s=9) == set()
        assert watch.see(LOST, for_s=1) == set()
    assert watch.document("board-lost.row-a")["for_s"] > 100
    assert watch.see(for_s=10.5) == {"board-lost.row-a"}
    assert watch.standing == []
    assert len(watch.alarms.ended) == 1


def test_who_sees_to_an_alarm_does_so_until_it_ends_and_another_one_is_another() -> None:
    watch = Watch(board_lost_s=1, hold_s=0)
    assert not watch.alarms.acknowledge("board-lost.row-a", "lead", "", watch.now_s)
    watch.see(LOST, for_s=0.5)
    assert not watch.alarms.acknowledge("board-lost.row-a", "lead", "", watch.now_s), "it is none yet"
    watch.see(LOST, for_s=2)
    first = watch.document("board-lost.row-a")["number"]
    assert watch.alarms.acknowledge("board-lost.row-a", "lead", "A fuse.", watch.now_s, first)
    watch.see(LOST, for_s=30)
    assert watch.document("board-lost.row-a")["acked"] == {"by": "lead", "note": "A fuse.", "for_s": 30}
    watch.see()
    watch.see(LOST, for_s=2)
    assert watch.document("board-lost.row-a")["acked"] is None
    assert [one.acked and one.acked.note for one in watch.alarms.ended] == ["A fuse."]
    assert not watch.alarms.reopen("board-lost.row-a")
    assert not watch.alarms.acknowledge("board-lost.row-a", "lead", "", watch.now_s, first), "that one is over"
    second = watch.document("board-lost.row-a")["number"]
    assert watch.alarms.acknowledge("board-lost.row-a", "lead", "", watch.now_s, second)
    assert watch.alarms.reopen("board-lost.row-a")
    assert watch.document("board-lost.row-a")["acked"] is None


def test_what_nobody_can_see_neither_begins_nor_ends_an_alarm_for_a_while() -> None:
    watch = Watch(board_lost_s=1)
    assert watch.see(UNSEEN, for_s=100) == set()
    watch.see(LOST, for_s=0.5)
    watch.see(UNSEEN, for_s=60)
    assert watch.see(LOST, for_s=1) == set(), "nothing is left of what might have become one"
    watch.see(LOST, for_s=10)
    watch.alarms.acknowledge("board-lost.row-a", "lead", "A fuse.", watch.now_s)
    assert watch.see(UNSEEN) == {"board-lost.row-a"}
    assert watch.document("board-lost.row-a")["facts"]["unseen"] is True
    watch.see(UNSEEN, for_s=50)
    assert watch.see(LOST) == {"board-lost.row-a"}
    told = watch.document("board-lost.row-a")
    assert "unseen" not in told["facts"]
    assert told["acked"]["by"] == "lead", "it is the same one"
    soon = UNSEEN._replace(soon=True)
    for unseen in (UNSEEN, soon):
        watch.see(unseen, for_s=50)
    assert watch.standing, "the minute begins when somebody is about to see it"
    assert watch.see(UNSEEN, for_s=61) == {"board-lost.row-a"}
    assert watch.standing == []


def test_what_is_known_of_an_alarm_is_said_anew_with_the_beat_and_only_then() -> None:
    watch = Watch(long_wait_s=0)
    waits = [Sign("long-wait", f"q{n}", facts={"wait_s": 30, "limit_s": 20, "waiting": 1}) for n in range(150)]
    for name in watch.see(*waits):
        watch.alarms.told(name)
    assert watch.alarms.again() == []
    assert watch.see(*(sign._replace(facts={**sign.facts, "wait_s": 31}) for sign in waits)) == set()
    for many in (100, 50, 0):
        again = watch.alarms.again()
        assert len(again) == many
        assert all("31 s" in watch.document(name)["what"] for name in again)
        assert watch.alarms.again() == again, "who asks takes no news from the pages"
        for name in again:
            watch.alarms.told(name)


def test_alarms_of_one_level_have_an_end_and_take_no_place_from_the_other() -> None:
    watch = Watch(long_wait_s=0)
    crowd = [Sign("off-hook-no-call", f"d{n}", facts={"desk": "", "pbx": ""}) for n in range(1500)]
    changed = watch.see(*crowd)
    assert len(changed) == len(watch.standing) == 1000
    assert watch.see(*crowd, Sign("broker-away", since_s=START_S - 60, facts={"reason": "x"})) == {"broker-away"}
    assert watch.standing[0] == "broker-away", "bad before warn"
    watch.see()
    assert watch.see(*crowd[500:])
    assert len(watch.alarms.ended) == standing.ENDED_MOST


def test_what_ended_is_remembered_for_a_day() -> None:
    watch = Watch(board_lost_s=1, hold_s=0)
    watch.see(LOST, for_s=2)
    watch.see()
    watch.now_s += 24 * 3600 - 10
    watch.see()
    assert len(watch.alarms.ended) == 1
    watch.now_s += 20
    watch.see()
    assert not watch.alarms.ended


def test_an_alarm_that_is_over_was_so_until_it_was_over_and_not_until_that_was_believed() -> None:
    watch = Watch(board_lost_s=1, hold_s=60)
    watch.see(LOST, for_s=20)
    watch.see(for_s=61)
    watch.see(LOST, for_s=20)
    watch.see(UNSEEN, for_s=61)
    assert [one.ended_s - one.since_s for one in watch.alarms.ended] == [20, 20]


def test_a_sentence_has_one_end() -> None:
    ends = {"...": "so.", "?": "so?", "!": "so!", "…": "so…", "": "so.", ".": "so."}
    for end, told in ends.items():
        what, _ = standing.words(KINDS["source-away"], {"reason": f"so{end}"})
        assert what == f"Nothing is known of its queues: {told}"


def test_what_is_switched_off_or_is_no_more_ends_at_once() -> None:
    watch = Watch(board_lost_s=0)
    waits = Sign("long-wait", "polski", facts={"wait_s": 90, "limit_s": 20, "waiting": 1}, since_s=START_S - 70)
    watch.see(LOST, waits)
    assert watch.alarms.forget("queue", "row-a", watch.now_s) == set()
    assert watch.alarms.forget("board", "row-a", watch.now_s) == {"board-lost.row-a"}
    watch.alarms.follow(floorplan.Alarms(off=("long-wait",), hold_s=600))
    assert watch.see(LOST, waits) == {"long-wait.polski"}
    assert watch.standing == []


def test_what_does_not_fit_at_a_desk_has_had_its_hold_in_truth() -> None:
    watch = Watch(hold_s=60, board_lost_s=0)
    watch.see(LOST, Sign("off-hook-no-call", "a1", facts={"desk": "", "pbx": ""}))
    assert watch.see() == {"off-hook-no-call.a1"}
    assert watch.see(for_s=59) == set()
    assert watch.see(for_s=2) == {"board-lost.row-a"}


def test_every_kind_has_its_settings_and_no_setting_is_without_its_kind() -> None:
    off = typing.get_args(typing.get_args(floorplan.Alarms.model_fields["off"].annotation)[0])
    assert set(off) == set(OF_FLOOR)
    assert set(KINDS) == {*OF_FLOOR, *OF_DESKS}
    times = {name for name in floorplan.Alarms.model_fields if name.endswith("_s")} - {"hold_s"}
    assert times == {KINDS[kind].setting for kind in OF_FLOOR} - {"wall_wrong_s"}, "a wall has its time in shown.py"


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=30))
@settings(max_examples=200, deadline=None)
def test_an_alarm_began_after_its_time_and_ended_after_its_hold(stretches: list[tuple[bool, int]]) -> None:
    watch = Watch(board_lost_s=5)
    so_for = not_for = 0  # looks in a row
    owes = 0  # looks at which it was so, less those at which it was not
    stood = was = False
    for is_so, looks in stretches:
        for _ in range(looks):
            so_for, not_for = (so_for + 1, 0) if is_so else (0, not_for + 1)
            owes = 0 if stood else max(0, owes + (1 if was else -1))  # what it was since the last look
            watch.see(*([LOST] if is_so else []))
            stands = bool(watch.standing)
            if stands and not stood:
                assert is_so and owes * STEP_S == 5
            if stood and not stands:
                assert (not_for - 1) * STEP_S == 10
            if so_for * STEP_S > 5 or not_for * STEP_S > 10:
                assert stands == is_so
            stood, was = stands, is_so


# What is seen on the floor --------------------------------------------------------------------------------


class House:
    """A gateway that serves nothing, its clock in our hands. To be used on an event loop."""

    def __init__(self, folder: Path, **tables: Any) -> None:
        (folder / "token").write_text("a token of sixteen letters")
        self.now_s = START_S
        self.gateway = Gateway(floorplan.check({
            "site": {"id": "house", "clock": "trusted"}, "history": {"path": str(folder / "history.db")},
            "pbx": {"asterisk": {"host": "127.0.0.1", "user": "x", "secret_file": "token"}},
            "queue": [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}],
            "board": [{"id": "row-a", "inputs": [{"desk": "a1", "phone": {"by": "contact", "pin": "GP2"}}]}],
            "desk": [{"id": "a1", "extension": "Local/1001@agents"}],
            **tables,
        }, "test", folder), lambda: self.now_s)  # fmt: skip
        self.boards = [board.id for board in self.gateway.plan.board]
        self.seq = 0
        self.silent: set[str] = set()
        self.gateway.floor.hear_broker("", self.now_s)
        self.hear(events.Waiting("norsk", ()))
        self.hear(events.Back())
        self.later(1)

    def hear(self, event: events.Event) -> None:
        self.gateway._hear_source("asterisk", event)

    def board(self, board: str, pattern: str, *ids: str, **fields: Any) -> None:
        self.gateway.floor.hear_board(pattern, (board, *ids), fields, False, self.now_s)

    def later(self, seconds: float) -> None:
        """Time goes by; boards that are there say so."""
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            for name in self.boards:
                if name not in self.silent and not self.gateway.floor.broker_away:
                    self.board(name, "board/+/state", state="ready", boot="b1")
            self.look()
            if self.now_s % 5 == 0:  # with the beat
                self.gateway.say_alarms(self.gateway.alarms.again())

    def look(self) -> None:
        """As the gateway does twice a second."""
        gateway = self.gateway
        gateway.floor.check_boards(self.now_s)
        gateway.floor.check_truth(self.now_s)
        gateway._look_at_walls()
        gateway._look_at_alarms()
        gateway._say_changes()

    @property
    def alarms(self) -> dict[str, dict[str, Any]]:
        """What the page is told, by id."""
        said = self.gateway.news.said
        return {path.removeprefix("alarm/"): said[path] for path in said if path.startswith("alarm/")}


Run = Callable[..., None]
WALL = {"id": "north", "board": "row-b", "panel": {"kind": "memory", "size": [64, 32]}, "pages": [{"queue": "norsk"}]}


@pytest.fixture
def on_a_loop(tmp_path: Path) -> Iterator[Run]:
    """Runs something with a house on an event loop."""

    def run(what: Callable[[House], Coroutine[Any, Any, None] | None], **tables: Any) -> None:
        async def main() -> None:
            house = House(tmp_path, **tables)
            try:
                more = what(house)
                if more:
                    await more
            finally:
                if house.gateway.book.store:
                    house.gateway.book.store.close()

        asyncio.run(main())

    yield run


def test_a_queue_that_is_unknown_by_itself_is_told_and_not_beside_its_source(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        house.hear(events.Missing("norsk", "the phone system has no queue 'norsk'"))
        house.later(59)
        assert house.alarms == {}
        house.later(2)
        assert house.alarms["queue-unknown.norsk"]["facts"] == {"reason": "the phone system has no queue 'norsk'"}
        house.hear(events.Away("it does not answer"))
        house.later(70)
        assert set(house.alarms) == {"source-away.asterisk"}
        house.hear(events.Back())
        house.hear(events.Waiting("norsk", ()))
        house.later(70)
        house.hear(events.Missing("norsk", "it has its time", waits=True))
        house.later(100)
        assert house.alarms == {}

    on_a_loop(check)


def test_calls_under_a_lost_board_are_told_with_that_board(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        house.board("row-a", "board/+/hello", boot="b1", health_s=10, definition="x")
        house.hear(events.Member("norsk", "Local/1001@agents", "busy", False, ""))
        house.later(5)
        house.silent = {"row-a"}
        house.later(60)
        assert {name: told["facts"]["busy"] for name, told in house.alarms.items()} == {"board-lost.row-a": 1}
        house.gateway.alarms.follow(house.gateway.plan.alarms.model_copy(update={"off": ("board-lost",)}))
        object.__setattr__(house.gateway.plan, "alarms", house.gateway.alarms._settings)
        house.later(2)
        assert set(house.alarms) == {"board-lost-under-busy-desk.a1"}

    on_a_loop(check)


def test_what_stands_at_a_desk_outlives_a_moment_in_which_nobody_sees_it(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        house.board("row-a", "board/+/hello", boot="b1", health_s=10, definition="pico2_w_4desk")
        member = events.Member("norsk", "Local/1001@agents", "idle", False, "")
        house.hear(member)
        house.board("row-a", "board/+/input/+/phone", "0", state="talking", seq=1, boot="b1", age_ms=0)
        house.later(35)
        house.gateway.alarms.acknowledge("off-hook-no-call.a1", "lead", "known", house.now_s)

        def is_the_same() -> None:
            told = house.alarms["off-hook-no-call.a1"]
            assert told["acked"] and "unseen" not in told["facts"]
            assert not house.gateway.alarms.ended

        house.gateway.floor.hear_broker("it does not answer", house.now_s)
        house.later(2)
        assert house.alarms["off-hook-no-call.a1"]["facts"]["unseen"]
        house.gateway.floor.hear_broker("", house.now_s)
        house.later(2)
        is_the_same()
        house.hear(events.Away("it restarts"))
        house.later(5)
        for event in (events.Waiting("norsk", ()), events.Back(), member):
            house.hear(event)
        house.later(2)
        is_the_same()
        house.gateway.floor.hear_broker("it does not answer", house.now_s)
        house.later(61)
        assert set(house.alarms) == {"broker-away"}

    on_a_loop(check)


def test_a_board_that_floods_is_told_so_and_its_power_is_not_blamed(on_a_loop: Run) -> None:
    names = [f"row-{n}" for n in range(4)]

    def check(house: House) -> None:
        for name in names:
            house.gateway.floor.hear_flood(name, True, house.now_s)
        house.later(11)
        told = house.alarms["board-lost.row-1"]
        assert told["what"] == "Board row-1 floods: `callfloor board revoke row-1` shuts it out."
        assert "so much that nobody listens" in told["todo"] and "power" not in told["todo"]
        assert (told["facts"]["floods"], told["facts"]["many"]) == (True, False)
        assert house.gateway.news.said["board/row-1"]["floods"] is True
        for name in names:
            house.gateway.floor.hear_flood(name, False, house.now_s)
        house.silent = set(names)
        house.later(60)
        told = house.alarms["board-lost.row-1"]
        assert (told["facts"]["floods"], told["facts"]["many"]) == (False, True)
        assert "the network switch that they share" in told["todo"]

    on_a_loop(check, board=[{"id": name} for name in names], desk=[])


def test_a_wall_that_is_wrong_outlives_a_broker_that_is_started_anew(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        def shows_another_for(seconds: int) -> None:
            for _ in range(seconds // 5):
                if not house.gateway.floor.broker_away:
                    house.board("row-b", "board/+/panel/+/shown", "0", boot="b1", scene="deadbeef", fresh=True,
                                values_seq=house.gateway.walls.seq, message=None, percent=100, trouble="")  # fmt: skip
                house.later(5)

        shows_another_for(25)
        house.gateway.alarms.acknowledge("wall-wrong.north", "lead", "known", house.now_s)
        for away in ("it does not answer", ""):
            house.gateway.floor.hear_broker(away, house.now_s)
            shows_another_for(5 if away else 30)
        assert house.alarms["wall-wrong.north"]["acked"], "it is the same one"
        assert not house.gateway.alarms.ended

    on_a_loop(check, board=[{"id": "row-a"}, {"id": "row-b"}], desk=[], wall=[WALL])


def test_a_source_that_pushes_over_a_broker_that_is_away_is_no_alarm_beside_it(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        gateway, word = house.gateway, json.dumps({"figures": {"waiting": 0}}).encode()

        def later(seconds: float) -> None:
            for _ in range(round(seconds)):
                gateway.pushes["web"].due(house.now_s)
                house.later(1)

        gateway._broker_back()
        gateway._hear_push("web", "chat", "t", word)
        later(1)
        gateway._broker_away("the MQTT broker is away: 1")
        later(100)
        assert set(house.alarms) == {"broker-away"}
        assert gateway.floor.queues["chat"].figures.reason == "the MQTT broker is away: 1"
        gateway._broker_back()
        later(55)
        assert house.alarms == {}, "it has its time to be heard"
        later(100)
        assert set(house.alarms) == {"source-away.web"}
        gateway._hear_push("web", "chat", "t", word)
        later(20)
        assert house.alarms == {}

        gateway.pushes["web"].hear("chat", json.loads(word))  # over HTTP: the broker is none of its ways
        gateway._broker_away("the MQTT broker is away: 1")
        later(100)
        assert set(house.alarms) == {"broker-away", "source-away.web"}

    queues = [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}, {"id": "chat", "name": "C", "source": "web"}]
    on_a_loop(check, source=[{"id": "web", "secret_file": "token"}], queue=queues)


def test_a_long_wait_is_told_with_who_waits_and_counts_from_the_promise(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        house.hear(events.Joined("norsk", 1, house.now_s, b"k"))
        house.later(79.5)
        assert house.alarms == {}
        house.later(0.5)
        told = house.alarms["long-wait.norsk"]
        assert (told["for_s"], told["facts"]) == (60, {"wait_s": 80, "limit_s": 20, "waiting": 1})
        assert told["what"] == "Somebody has waited for 80 s, and 20 s are promised."
        assert house.gateway.news.said["floor"]["alarms"] == 1
        house.hear(events.Joined("norsk", 2, house.now_s, b"l"))
        house.later(8)
        house.hear(events.Answered("norsk", 1, house.now_s, "SIP/1"))
        house.later(30)
        assert house.alarms["long-wait.norsk"]["for_s"] > 90, "another one has waited too long before it was over"
        house.hear(events.Away("gone"))
        house.later(4)
        assert "long-wait.norsk" in house.alarms
        house.later(2)
        assert "long-wait.norsk" not in house.alarms, "nobody knows who waits"

    on_a_loop(check)


def test_a_service_level_under_its_target_is_told_once_there_are_calls_enough(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        for call in range(30):
            house.hear(events.Joined("norsk", call, house.now_s, b"%d" % call))
            house.later(0 if call % 2 else 21)
            house.hear(events.Answered("norsk", call, house.now_s, "SIP/1"))
            house.look()
            assert not house.alarms
        house.later(121)
        told = house.alarms["service-level.norsk"]
        assert told["facts"] == {"level_pct": 50, "target_pct": 80, "within_s": 20, "calls": 30}
        assert told["level"] == "warn"
        for call in range(30, 80):
            house.hear(events.Joined("norsk", call, house.now_s, b"%d" % call))
            house.hear(events.Answered("norsk", call, house.now_s, "SIP/1"))
        house.later(299)
        assert house.alarms
        house.later(2)
        assert not house.alarms

    on_a_loop(check)


@pytest.mark.parametrize(("within", "calls", "percent"), [(29, 100, 29), (57, 100, 57), (58, 100, 58), (199, 250, 79)])
def test_a_service_level_is_rounded_down_on_its_card_and_in_its_alarm(within: int, calls: int, percent: int) -> None:
    queue = Queue(QueueFigures(floorplan.Target()))
    queue.figures.apply(events.Back(), START_S)
    queue.figures.totals.answered, queue.figures.totals.answered_within = calls, within
    assert queue_figures(queue, START_S)["service_level_pct"] == percent
    assert _service_level("norsk", queue, 20).facts["level_pct"] == percent


def test_a_switch_that_dies_is_one_alarm_a_board_and_none_beside(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        assert house.gateway.news.said["wall/north"]["wrong"] == "silent"
        house.silent = set(house.boards)
        house.later(60)
        assert set(house.alarms) == {f"board-lost.{name}" for name in house.boards}
        facts = {name: told["facts"] for name, told in house.alarms.items()}
        assert all(row["many"] for row in facts.values())
        assert (facts["board-lost.row-a"]["desks"], facts["board-lost.row-b"]["walls"]) == (1, 1)
        house.silent = set()
        house.later(11)
        assert not any(name.startswith("board-lost") for name in house.alarms)

    more = [{"id": f"row-{n}", "inputs": []} for n in range(40)]
    boards = [
        {"id": "row-a", "inputs": [{"desk": "a1", "phone": {"by": "contact", "pin": "GP2"}}]},
        {"id": "row-b"}, *more,
    ]  # fmt: skip
    on_a_loop(check, board=boards, wall=[WALL])


def test_a_broker_that_is_away_for_a_moment_neither_ends_what_stands_nor_begins_it_anew(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        house.silent = {"row-a"}
        house.later(35)
        assert set(house.alarms) == {"board-lost.row-a"}
        house.gateway.alarms.acknowledge("board-lost.row-a", "lead", "", house.now_s)
        house.gateway.floor.hear_broker("it does not answer", house.now_s)
        house.later(15)
        assert set(house.alarms) == {"board-lost.row-a", "broker-away"}
        house.gateway.floor.hear_broker("", house.now_s)
        house.later(40)
        assert set(house.alarms) == {"board-lost.row-a"}
        assert house.alarms["board-lost.row-a"]["acked"]
        house.gateway.floor.hear_broker("it does not answer", house.now_s)
        house.later(45)
        house.gateway.floor.hear_broker("", house.now_s)
        house.later(40)  # the board has 20 s to be heard, and is not
        assert house.alarms["board-lost.row-a"]["acked"], "it is the same one still"
        house.gateway.floor.hear_broker("it does not answer", house.now_s)
        house.later(70)
        assert set(house.alarms) == {"broker-away"}, "after so long nobody knows"

    on_a_loop(check)


def test_the_gateway_looks_by_itself(on_a_loop: Run) -> None:
    async def check(house: House) -> None:
        house.gateway.floor.hear_broker("it does not answer", house.now_s)
        watching = asyncio.create_task(house.gateway._watch())
        async with asyncio.timeout(10):
            while not house.alarms:
                await asyncio.sleep(0.02)
        watching.cancel()
        assert set(house.alarms) == {"broker-away"}

    on_a_loop(check, alarms={"broker_away_s": 0})


def test_a_source_that_is_away_is_told_and_one_that_pushes_has_its_own_time(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        house.hear(events.Away("it does not answer"))
        house.later(16)
        assert {name: told["facts"]["source"] for name, told in house.alarms.items()} == {
            "source-away.asterisk": "asterisk"
        }
        assert "it does not answer" in house.alarms["source-away.asterisk"]["what"]
        house.later(100)
        assert len(house.alarms) == 1, "nothing has been heard of the other yet"
        house.gateway._hear_source("web", events.Away("'web' has said nothing so far"))
        house.later(16)
        assert house.alarms["source-away.web"]["facts"]["source"] == "push"

    source = [{"id": "web", "secret_file": "token", "silent_s": 3600}]
    queues = [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}, {"id": "chat", "name": "C", "source": "web"}]
    on_a_loop(check, source=source, queue=queues)


def test_what_does_not_fit_at_a_desk_is_an_alarm_by_its_own_time(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        house.board("row-a", "board/+/hello", boot="b1", health_s=10, definition="pico2_w_4desk")
        house.hear(events.Member("norsk", "Local/1001@agents", "idle", False, ""))
        house.board("row-a", "board/+/input/+/phone", "0", state="talking", seq=1, boot="b1", age_ms=0)
        house.later(29)
        assert house.alarms == {}
        house.later(2)
        told = house.alarms["off-hook-no-call.a1"]
        assert (told["of"], told["about"], told["for_s"]) == ("desk", "a1", 30)
        assert told["facts"]["desk"] == "the handset is lifted"
        house.board("row-a", "board/+/input/+/phone", "0", state="idle", seq=2, boot="b1", age_ms=0)
        house.later(3)
        assert house.alarms == {}

    on_a_loop(check)


def test_a_wall_that_is_wrong_is_told_and_one_without_a_board_with_its_board(on_a_loop: Run) -> None:
    def check(house: House) -> None:
        house.later(15)
        assert house.alarms["wall-wrong.north"]["facts"]["wrong"] == "silent"
        assert house.alarms["wall-wrong.north"]["what"].startswith("Its board is there, and has not said")
        house.silent = {"row-b"}
        house.later(60)
        assert set(house.alarms) == {"board-lost.row-b"}
        house.gateway.alarms.follow(house.gateway.plan.alarms.model_copy(update={"off": ("board-lost",)}))
        object.__setattr__(house.gateway.plan, "alarms", house.gateway.alarms._settings)
        house.later(10)
        assert house.alarms["wall-wrong.north"]["facts"]["wrong"] == "lost"

    on_a_loop(check, board=[{"id": "row-b"}], wall=[WALL])


def test_a_clock_that_cannot_be_right_is_told(on_a_loop: Run, tmp_path: Path) -> None:
    def check(house: House) -> None:
        house.later(117)
        assert house.alarms == {}
        house.later(4)
        assert "but totals are kept until" in house.alarms["clock-unset"]["what"]
        assert house.alarms["clock-unset"]["about"] == ""

    store = Store(tmp_path / "history.db", Calendar("Europe/Oslo"), floorplan.History())
    store.commit(Batch(at_s=time.time() + 86_400))
    store.close()
    on_a_loop(check)


def test_a_clock_that_is_set_back_while_all_runs_is_told(on_a_loop: Run) -> None:
    async def check(house: House) -> None:
        book, offset_s = house.gateway.book, time.time() - house.now_s
        book._wall = lambda: house.now_s + offset_s
        await book.commit()
        assert book.store and book.state.state == "kept"
        house.later(130)
        assert house.alarms == {}
        offset_s -= 86_400
        await book.commit()
        house.later(125)
        assert "set back by 86400 s" in house.alarms["clock-unset"]["what"]
        house.later(800)
        await book.commit()
        assert house.alarms, "it is told for a quarter of an hour"
        house.later(100)
        await book.commit()
        house.later(10)
        assert house.alarms == {}

    on_a_loop(check)


def test_a_clock_is_looked_at_though_nothing_can_be_written_and_a_lost_time_service_is_no_matter(
    on_a_loop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(batch: Batch) -> None:
        raise StoreError("the disk is full")

    async def check(house: House) -> None:
        book, offset_s = house.gateway.book, time.time() - house.now_s
        book._wall = lambda: house.now_s + offset_s
        object.__setattr__(book._plan.site, "clock", "auto")
        monkeypatch.setattr(walltime, "look", lambda: walltime.Seen(False, "chronyd"))  # it set the clock once
        await book.commit()
        assert book.store and book.state.state == "kept"
        book.store.commit = fails  # type: ignore[method-assign]
        offset_s += 3600
        house.later(61)
        await book.commit()
        assert "set forward by 3600 s" in book.doubt
        for _ in range(16):
            house.later(60)
            await book.commit()
        assert (book.state.state, book.doubt) == ("failed", "")

    on_a_loop(check)


def test_totals_that_cannot_be_kept_are_told(on_a_loop: Run, tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"no file of totals, and long enough to be seen as such" * 100)

    def check(house: House) -> None:
        house.later(11)
        told = house.alarms["history-failed"]
        assert (told["of"], told["about"], told["level"]) == ("history", "", "bad")
        assert "{" not in told["what"] + told["todo"]

    on_a_loop(check)


# What is written of them --------------------------------------------------------------------------------


def test_the_page_of_alarms_has_each_kind_as_it_is_and_each_setting() -> None:
    page = (Path(floorplan.__file__).parent / "docs" / "alarms.md").read_text(encoding="utf-8")
    times = floorplan.Alarms()
    for kind in KINDS.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{kind.kind}` | {kind.of} |"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[2] == kind.level
        assert cells[4] == f"{getattr(times, kind.setting, 0):.0f} s"
        assert cells[5] == f"{kind.hold_s:.0f} s"
    example = tomllib.loads(page.partition("```toml")[2].partition("```")[0])["alarms"]
    assert set(example) == set(floorplan.Alarms.model_fields)
    assert floorplan.Alarms(**example).off == ("service-level",)
    for name, value in times.model_dump(exclude={"hold_s", "off"}).items():
        assert example[name] == value
