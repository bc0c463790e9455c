"""A wall that shows something else than it should is told of after ten seconds, and nothing else ever is."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import floorplan
from firmware import contract, scene, scene_load, values
from firmware.panels import colours
from gateway.lights import Light
from gateway.queues import events
from gateway.service import Gateway, since_long_ago
from gateway.shown import ALARM_AFTER_S, UNRIGHT_AFTER_S, WRONG, Alarms, Replaced, Should, differences, words
from tests.brokers import free_port
from tests.house import Ear, House
from wallboard.mirror import Mirrored, mirror_png

START_S = 200_000.0
FRIDAY_NOON_S = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()


class Rig:
    """A gateway on an event loop, its clocks and its boards' words in our hands."""

    def __init__(self, folder: Path, walls: int = 1, **wall: Any) -> None:
        row = {"board": "b", "panel": {"kind": "memory"}, "pages": [{"queue": "norsk"}], **wall}
        self.now_s = START_S
        self.gateway = Gateway(floorplan.check({
            "site": {"id": "house", "time_zone": "UTC", "clock": "trusted"},
            "queue": [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}],
            "board": [{"id": "b"}, *({"id": f"b{number}"} for number in range(1, walls))],
            "wall": [{"id": "w", **row}, *({**row, "id": f"w{n}", "board": f"b{n}"} for n in range(1, walls))],
        }, "test", folder), lambda: self.now_s)  # fmt: skip
        self.gateway.book._wall = lambda: FRIDAY_NOON_S + self.now_s - START_S
        self.gateway.floor.hear_broker("", self.now_s)
        self.gateway._hear_source("asterisk", events.Waiting("norsk", ()))
        self.gateway._hear_source("asterisk", events.Back())
        self.scene = self.gateway.walls.scenes["w"].message["id"]
        self.word: dict[str, Any] = {}
        self.calls = 0
        self.sent: list[tuple[str, dict[str, Any]]] = []
        says = self.gateway.says
        publish = says._send

        def send(pattern: str, ids: tuple[object, ...], payload: bytes) -> None:
            self.sent.append((contract.topic("house", pattern, *ids), json.loads(payload) if payload else {}))
            publish(pattern, ids, payload)

        says._send = send  # type: ignore[method-assign]
        self.gateway._look_at_walls()
        self.gateway._say_changes()

    def hear(self, topic: str, fields: dict[str, Any], retained: bool = False, board: str = "b") -> None:
        pattern = topic if topic.startswith("board/") else f"board/+/{topic}"
        ids = (board, "0") if "panel" in pattern else (board,)
        self.gateway._hear(contract.topic("house", pattern, *ids), contract.encode(pattern, fields), retained)

    def shows(self, retained: bool = False, board: str = "b", **more: Any) -> None:
        """What the wall says that it shows; what is left out is as it should be."""
        self.word = {
            "scene": self.scene, "message": None, "values_seq": self.gateway.walls.seq, "fresh": True,
            "age_s": None, "percent": self.gateway.walls.lights.now["w"].percent, "trouble": None, **more,
        }  # fmt: skip
        self.hear("panel/+/shown", self.word, retained, board)

    def call(self) -> None:
        """One more waits: the values change."""
        self.calls += 1
        self.gateway._hear_source(
            "asterisk", events.Joined("norsk", self.calls, self.now_s, b"%d" % self.calls)
        )

    def later(self, seconds: float, healthy: bool = True) -> None:
        """So much later, as a gateway goes through it; the board gives its signs of life."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s = min(self.now_s + 0.5, end_s)
            if healthy and self.now_s % 5 == 0:
                self.hear("health", {
                    "boot": "b1", "heap_free": None, "wifi_dbm": None, "uptime_s": 1, "reconnects": 0, "lag_ms": 0,
                    "poll_us": None, "read_us": None, "dropped": 0,
                })  # fmt: skip
            self.gateway.floor.check_boards(self.now_s)
            self.gateway._look_at_walls()
            self.said()

    def well(self, seconds: float) -> None:
        """So much later, the wall being as it should all the time; it tells every five seconds."""
        for _ in range(int(seconds // 5)):
            self.later(5)
            self.shows()
            assert self.wrong() == (None, False)

    def said(self) -> dict[str, Any]:
        """What is said of the wall now."""
        self.gateway._say_changes()
        assert self.gateway.news.said["floor"]["walls_wrong"] == len(self.gateway.walls.alarms.on)
        return dict(self.gateway.news.said["wall/w"])

    def wrong(self) -> tuple[str | None, bool]:
        """What differs, and whether it is an alarm."""
        said = self.said()
        return said["wrong"], said["alarm"]


@pytest.fixture
def rig(tmp_path: Path) -> Callable[..., None]:
    """Runs something with a rig on an event loop: rig(check, hours=[…])."""

    def run(check: Callable[[Rig], None], **wall: Any) -> None:
        async def main() -> None:
            rig = Rig(tmp_path, **wall)
            try:
                check(rig)
            finally:
                assert rig.gateway.book.store
                rig.gateway.book.store.close()

        asyncio.run(main())

    return run


Run = Callable[..., None]


def mirror(rig: Rig) -> bytes:
    """The page's picture of the wall now."""
    shown = rig.gateway.wall_now("w")
    assert shown
    return mirror_png(shown)


def test_the_mirror_of_an_old_wall_is_its_last_numbers_dimmed_and_an_age_that_goes_on(rig: Run) -> None:
    def drawn(rig: Rig, told: values.Numbers | None, clock_s: float | None, age_s: int | None) -> bytes:
        """What the wall's own code draws of that, as colours."""
        picture = scene.Picture(64, 32)
        message = rig.gateway.walls.scenes["w"].message
        clock_ms = None if clock_s is None else int(clock_s) * 1000
        scene.draw(picture, scene_load.load(message, 64, 32), told, clock_ms, 0, age_s)
        return colours.rgb(bytes(picture.pixels))

    def pixels(rig: Rig) -> bytes:
        with Image.open(io.BytesIO(mirror(rig))) as image:
            return image.convert("RGB").tobytes()

    def check(rig: Rig) -> None:
        assert pixels(rig) == drawn(rig, None, None, -1), "it has said nothing yet"
        rig.call()
        rig.shows()
        rig.later(3)
        told = values.read(rig.gateway.walls.values(rig.now_s))
        assert pixels(rig) == drawn(rig, told, rig.now_s, None)
        rig.shows(fresh=False, age_s=0)
        rig.said()
        old_s = rig.now_s
        for seconds in (0, 1, 15, 3600):
            rig.now_s = old_s + seconds
            assert pixels(rig) == drawn(rig, told, old_s, seconds), seconds
            assert rig.gateway.walls.verdict("w", rig.gateway.floor, rig.now_s)["shown_age_s"] == seconds
            rig.call()  # and the floor goes on
            rig.said()
        rig.shows(fresh=False, values_seq=None)  # started anew
        assert pixels(rig) == drawn(rig, None, None, -1)
        assert rig.said()["shown_age_s"] is None
        rig.shows()
        assert rig.said()["shown_age_s"] is None
        assert pixels(rig) == drawn(rig, values.read(rig.gateway.walls.values(rig.now_s)), rig.now_s, None)

    rig(check)


def test_a_wall_that_is_wrong_most_of_the_time_is_an_alarm(rig: Run) -> None:
    def alarms(rig: Rig, wrong_s: float, right_s: float, rounds: int) -> int:
        rig.shows()
        rig.well(30)
        seen = 0
        for _ in range(rounds):
            rig.shows(scene="deadbeef")
            rig.later(wrong_s)
            seen += rig.wrong()[1]
            rig.shows()
            assert rig.wrong() == (None, False)
            rig.later(right_s)
        return seen

    def check(rig: Rig) -> None:
        assert alarms(rig, 9.5, 0.5, rounds=10) == 10 - 3, "after thirty seconds, and a bit for those it was right"
        assert alarms(rig, 0.5, 4.5, rounds=40) == 0, "changes, one after the other"

    rig(check)


def test_for_how_long_is_said_anew_while_it_lasts(rig: Run) -> None:
    def check(rig: Rig) -> None:
        rig.shows()
        rig.shows(trouble="TOO LARGE")
        for _ in range(100):
            rig.later(1)
            told = [row["for_s"] for topic, row in rig.sent if topic.endswith("/wall/w/now")]
            assert told[-1] is not None and rig.now_s - START_S - told[-1] <= contract.BEAT_S + 0.5
        assert len(told) < 30, "and no more often"

    rig(check)


def test_a_wall_that_shows_what_it_should_is_never_told_of(rig: Run) -> None:
    def check(rig: Rig) -> None:
        assert rig.wrong() == (None, False)  # nothing is known of its board yet
        for number in range(60):
            rig.call()
            rig.later(0.5)
            if number % 10 == 9:
                rig.shows()  # every five seconds, as boards do
            assert rig.wrong() == (None, False)
        said = rig.said()
        assert (said["scene"], said["shown"], said["fresh"], said["for_s"]) == (
            rig.scene,
            rig.scene,
            True,
            None,
        )
        assert (said["reason"], said["todo"]) == ("", "")

    rig(check)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("scene", {"scene": "00000000"}),
        ("scene", {"scene": None}),
        ("trouble", {"scene": "00000000", "trouble": "PAGE 2 OP 3: NO STRIP 7"}),
        ("trouble", {"trouble": "restarts again and again"}),
        ("old", {"fresh": False, "age_s": 12}),
        ("message", {"message": "feedbeef"}),
        ("dark", {"percent": 0}),
        ("dim", {"percent": 30}),
    ],
)
def test_what_differs_for_more_than_ten_seconds_is_an_alarm_until_it_is_right(
    rig: Run, kind: str, word: dict[str, Any]
) -> None:
    def check(rig: Rig) -> None:
        rig.shows()
        rig.later(5)
        rig.shows(**word)
        assert rig.wrong() == (kind, False)
        rig.later(ALARM_AFTER_S)
        assert rig.wrong() == (kind, False)
        assert rig.said()["todo"] == ""
        rig.later(0.5)
        said = rig.said()
        assert (said["wrong"], said["alarm"], said["for_s"]) == (kind, True, 10)
        assert (said["reason"], said["todo"]) == words(kind, word.get("trouble", ""))
        assert word.get("trouble", "") in said["reason"]
        assert rig.gateway.news.said["floor"]["walls_wrong"] == 1
        rig.shows()
        assert rig.wrong() == (None, False)
        assert rig.gateway.news.said["floor"]["walls_wrong"] == 0

    rig(check)


def test_figures_that_stand_still_are_an_alarm_though_the_wall_says_nothing(rig: Run) -> None:
    def check(rig: Rig) -> None:
        rig.shows()
        rig.later(60)
        assert rig.wrong() == (None, False)  # nothing has changed: its values are the present ones
        rig.call()
        rig.later(ALARM_AFTER_S)
        assert rig.wrong() == (None, False)
        rig.later(2)
        assert rig.wrong() == ("values", True)
        rig.shows()
        assert rig.wrong() == (None, False)

    rig(check)


def test_values_of_another_gateway_are_not_these(rig: Run) -> None:
    def check(rig: Rig) -> None:
        rig.shows(values_seq=5000)
        assert rig.wrong() == ("values", False)
        rig.later(ALARM_AFTER_S + 0.5)
        assert rig.wrong() == ("values", True)

    rig(check)


def test_a_board_that_starts_anew_has_its_time(rig: Run) -> None:
    """Eight seconds away, then up to five until a beat: none of it is worth a word."""

    def check(rig: Rig) -> None:
        rig.hear("hello", {
            "boot": "b1", "definition": "d", "firmware": "f", "python": "p", "inputs": "", "panels": "memory:64x32",
            "health_s": 10, "restart": "",
        })  # fmt: skip
        rig.shows()
        for _ in range(3):
            rig.call()
            rig.well(60)
            rig.hear("state", {"state": "lost", "boot": "b1"})
            assert rig.wrong() == ("lost", False)
            rig.later(8, healthy=False)
            rig.call()  # and the values go on
            assert rig.wrong() == ("lost", False)
            rig.hear("state", {"state": "ready", "boot": "b1"})
            rig.shows(scene=None, values_seq=None, fresh=False, percent=None)
            rig.later(1)
            rig.shows(fresh=False)
            rig.later(4)
            assert rig.wrong() == ("old", False)
            rig.shows()
            assert rig.wrong() == (None, False)

    rig(check)


def test_a_lost_board_is_an_alarm_and_so_is_one_that_starts_for_ever(rig: Run) -> None:
    def check(rig: Rig) -> None:
        rig.shows()
        rig.later(5)
        rig.later(19, healthy=False)
        assert rig.wrong() == (None, False)
        rig.later(12, healthy=False)
        said = rig.said()
        assert (said["wrong"], said["alarm"]) == ("lost", True)
        assert said["reason"] == "board b has been silent for 20 s or more"
        rig.shows()
        assert rig.wrong() == (None, False)
        rig.well(30)
        begun_s = rig.now_s
        while rig.now_s - begun_s <= UNRIGHT_AFTER_S:
            assert not rig.said()["alarm"]
            rig.shows(fresh=False)
            rig.later(4)
            rig.shows(scene="00000000")
            rig.later(4)
        assert rig.said()["alarm"]

    rig(check)


def test_nothing_is_told_while_the_broker_is_away_or_has_just_come_back(rig: Run) -> None:
    def check(rig: Rig) -> None:
        rig.shows()
        rig.later(5)
        rig.gateway.floor.hear_broker("the broker is away", rig.now_s)
        for _ in range(60):
            rig.later(1, healthy=False)
            rig.call()
            assert rig.wrong() == (None, False)
        assert rig.said()["reason"] == "the broker is away"
        rig.gateway.floor.hear_broker("", rig.now_s)
        rig.shows(retained=True, values_seq=2)  # as it stood at the broker
        assert rig.wrong() == (None, False)
        rig.hear("health", {
            "boot": "b1", "heap_free": None, "wifi_dbm": None, "uptime_s": 1, "reconnects": 0, "lag_ms": 0,
            "poll_us": None, "read_us": None, "dropped": 0,
        })  # fmt: skip
        assert rig.wrong() == ("values", False)  # its next word is on its way
        rig.later(3)
        rig.shows()
        assert rig.wrong() == (None, False)

    rig(check)


def test_a_board_that_says_nothing_of_its_wall_is_told_of(rig: Run) -> None:
    def check(rig: Rig) -> None:
        rig.later(5)
        assert rig.wrong() == ("silent", False)
        rig.later(11)
        assert rig.wrong() == ("silent", True)
        rig.shows()
        assert rig.wrong() == (None, False)

    rig(check)


def test_a_wall_that_is_off_as_planned_is_dark_and_no_alarm(rig: Run) -> None:
    """Friday, open until 12:30."""

    def check(rig: Rig) -> None:
        rig.shows()
        light = contract.topic("house", "board/+/panel/+/light", "b", 0)
        dark = mirror(rig)
        rig.well(1795)
        rig.later(5)
        assert (light, {"percent": 0}) in rig.sent
        assert rig.said()["percent"] == 0
        assert rig.wrong() == ("lit", False)
        rig.later(11)
        assert rig.wrong() == ("lit", True)  # it should be off, and is not
        assert mirror(rig) != black()
        rig.shows(percent=0)
        assert rig.wrong() == (None, False)
        assert rig.said()["off_until"] == "2026-11-23T07:00:00+00:00"
        assert mirror(rig) == black() != dark

        rig.later(60, healthy=False)  # its power is cut for the night, too
        said = rig.said()
        assert (said["wrong"], said["alarm"]) == (None, False)
        assert "silent" in said["reason"]

    def black() -> bytes:
        return mirror_png(Mirrored((64, 32), {}, off=True))

    rig(check, hours=["mon-fri 07:00-12:30"], brightness=70)


def test_when_it_goes_on_again_it_has_its_time_too(rig: Run) -> None:
    def check(rig: Rig) -> None:
        rig.shows(percent=0)
        assert rig.said()["off_until"] == "2026-11-20T12:15:00+00:00"
        assert rig.wrong() == (None, False)
        rig.well(895)
        rig.later(8)
        assert rig.wrong() == ("dark", False)
        rig.shows()
        assert rig.wrong() == (None, False)

    rig(check, hours=["fri 12:15-13:00"])


def test_with_a_sensor_any_light_from_least_to_most_is_right(rig: Run) -> None:
    def check(rig: Rig) -> None:
        for percent, wrong in ((100, None), (10, None), (55, None), (9, "dim"), (0, "dark")):
            rig.shows(percent=percent)
            assert rig.wrong()[0] == wrong, percent

    rig(check, light={"pin": "GP26"})


def test_a_message_that_comes_and_goes_is_followed(rig: Run) -> None:
    def check(rig: Rig) -> None:
        fields = {
            "id": "feedbeef", "boot": rig.gateway.boot, "until_s": int(START_S) + 600, "place": "page",
            "strips": [], "ops": [["f", 0, 0, 64, 32, 4]],
        }  # fmt: skip
        rig.shows()
        quiet = mirror(rig)
        rig.gateway.walls.message = lambda wall: fields
        rig.gateway.wall_changed("w")
        assert rig.wrong() == ("message", False)
        rig.shows(message="feedbeef")
        said = rig.said()
        assert (said["wrong"], said["message"], said["shown_message"]) == (None, "feedbeef", "feedbeef")
        fields["place"] = "band"
        assert mirror(rig) != quiet  # it is on the mirror, too
        rig.gateway.walls.message = lambda wall: None
        rig.gateway.wall_changed("w")
        rig.later(9)
        assert rig.wrong() == ("message", False)
        rig.shows()
        assert rig.wrong() == (None, False)

    rig(check)


def test_what_is_said_holds_the_contract_whatever_boards_say(rig: Run) -> None:
    """Words of any length and kind, in any order, from a source of chance that is printed."""
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)

    def check(rig: Rig) -> None:
        for _ in range(300):
            rig.shows(
                scene=chance.choice([None, "", rig.scene, "x" * 8]),
                message=chance.choice([None, "", "y" * 8]),
                values_seq=chance.choice([None, 0, 1, rig.gateway.walls.seq, contract.LONG]),
                fresh=chance.random() < 0.7,
                percent=chance.choice([None, 0, 1, 100]),
                trouble=chance.choice([None, "", '"' * 30, "{why}{n}", "é" * 10]),
            )
            rig.later(chance.choice([0.5, 5, 12]))
            contract.encode("wall/+/now", rig.said())

    rig(check)


def test_one_change_of_values_costs_the_same_with_two_hundred_walls(tmp_path: Path) -> None:
    def calls(walls: int) -> tuple[int, int]:
        """(functions called, messages sent) by the gateway for ten changes of a value."""

        async def main() -> tuple[int, int]:
            rig = Rig(tmp_path / str(walls), walls=walls)
            for number in range(walls):
                rig.shows(board=f"b{number}" if number else "b")
            rig.gateway._say_changes()
            rig.call()
            rig.gateway._say_changes()
            count = 0

            def counted(frame: object, event: str, arg: object) -> None:
                nonlocal count
                count += event in ("call", "c_call")

            rig.sent.clear()
            sys.setprofile(counted)
            try:
                for _ in range(10):
                    rig.now_s += 0.01
                    rig.call()
                    rig.gateway._say_changes()
            finally:
                sys.setprofile(None)
            values = [topic for topic, _ in rig.sent if topic.endswith("/values")]
            assert len(values) == 10
            assert rig.gateway.book.store
            rig.gateway.book.store.close()
            return count, len(rig.sent)

        (tmp_path / str(walls)).mkdir()
        return asyncio.run(main())

    assert calls(1) == calls(200)


# ---- the parts by themselves ----


def test_what_differs_has_words_that_fit_and_the_worst_is_first() -> None:
    should = Should("right", "told", Light(80, 20, ""))
    assert list(WRONG) == [
        "lost", "silent", "trouble", "scene", "old", "values", "message", "dark", "lit", "dim"
    ]  # fmt: skip
    wrong = {
        "scene": "other", "message": None, "values_seq": 3, "fresh": False, "percent": 0, "trouble": "TOO LARGE",
    }  # fmt: skip
    found = differences(should, wrong, ("ready", ""), 11.0)
    assert list(found) == ["trouble", "scene", "old", "values", "message", "dark"]
    assert differences(should, wrong, ("lost", "gone"), 11.0) == {"lost": "gone"}
    assert differences(should, wrong, ("unknown", "who knows"), 11.0) == {}
    kinds = dict(
        contract.fields_of("wall/+/now")[n][:2] for n in range(len(contract.fields_of("wall/+/now")))
    )
    assert kinds["wrong?"] == tuple(WRONG)
    for kind in WRONG:
        what, todo = words(kind, "w" * 500)
        assert what and len(what) <= 160 and 0 < len(todo) <= 160


def test_when_values_were_replaced_is_known_for_as_long_as_it_matters() -> None:
    replaced = Replaced()
    assert replaced.ago_s(1, 5.0) == -1
    for seq in range(1, 1001):  # forty a second for 25 seconds
        replaced.add(seq, 100 + seq / 40)
    assert replaced.ago_s(1000, 126.0) is None
    assert replaced.ago_s(1001, 126.0) == replaced.ago_s(None, 126.0) == -1
    for seq in range(600, 999):
        really_s = 126.0 - (100 + (seq + 1) / 40)
        ago_s = replaced.ago_s(seq, 126.0)
        assert (ago_s is not None and really_s - 1 <= ago_s <= really_s) or ago_s == 0
    long_ago = replaced.ago_s(1, 126.0)
    assert long_ago and long_ago > ALARM_AFTER_S
    assert replaced.ago_s(999, 9999.0) == pytest.approx(9999 - 126)


def test_each_wall_has_its_own_time() -> None:
    alarms = Alarms()
    alarms.see("a", {"scene": ""}, 0.0, {})
    alarms.see("b", {"scene": ""}, 6.0, {})
    assert alarms.due(10.0) == set()
    assert alarms.due(10.1) == {"a"}
    alarms.see("a", {"scene": ""}, 10.1, {})
    assert (alarms.on, alarms.due(10.2)) == ({"a"}, set())
    assert alarms.due(16.1) == {"b"}
    alarms.see("b", {}, 16.1, {})
    assert (alarms.on, alarms.due(99.0)) == ({"a"}, set())


# ---- a real board on a real broker ----


def test_a_board_that_somebody_else_gives_a_scene_is_told_of_until_it_is_right(tmp_path: Path) -> None:
    """The gateway runs in this process, on a clock that can be put forward; the board is a MicroPython of its own."""

    async def main() -> None:
        ahead_s = 0.0
        with House(tmp_path) as house:
            ear = Ear(house.broker)
            gateway = Gateway(house.plan, lambda: since_long_ago() + ahead_s)
            running = asyncio.create_task(gateway.run("127.0.0.1", free_port()))
            house.start_board("wall-north")

            async def until(what: str, holds: Callable[[], object], within_s: float = 15) -> None:
                end_s = asyncio.get_running_loop().time() + within_s
                while not holds():
                    assert not running.done(), running
                    assert asyncio.get_running_loop().time() < end_s, (
                        f"{what}: {said()}\n{house.last_words()}"
                    )
                    await asyncio.sleep(0.02)

            def said() -> dict[str, Any]:
                return ear.latest.get("wall/north/now", {})

            try:
                await until("north is right", lambda: said().get("fresh") and said()["wrong"] is None)
                right = gateway.walls.scenes["north"].message
                other = {**right, "id": "deadbeef", "dwell_ms": 9000}
                payload = contract.encode("board/+/panel/+/scene", other)
                ear.say("board/wall-north/panel/0/scene", payload, retain=True)
                await until("it is seen", lambda: said()["wrong"] == "scene")
                assert (said()["shown"], said()["alarm"]) == ("deadbeef", False)
                ahead_s += ALARM_AFTER_S
                await until("it is an alarm", lambda: said()["alarm"])
                await until("it counts", lambda: ear.latest["floor/now"]["walls_wrong"] == 1)
                payload = contract.encode("board/+/panel/+/scene", right)
                ear.say("board/wall-north/panel/0/scene", payload, retain=True)
                await until("it is right again", lambda: said()["wrong"] is None)
                await until("it is counted", lambda: ear.latest["floor/now"]["walls_wrong"] == 0)

                broken = {**right, "id": "badbad00", "pages": [[["s", 0, 0, 1, 63]]]}
                payload = contract.encode("board/+/panel/+/scene", broken)
                ear.say("board/wall-north/panel/0/scene", payload, retain=True)
                await until("the board refuses it", lambda: said()["wrong"] == "trouble")
                assert "strip" in said()["reason"].lower()
            finally:
                signal.raise_signal(signal.SIGTERM)
                await running
                ear.close()

    asyncio.run(main())
