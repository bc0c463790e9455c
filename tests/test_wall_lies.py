"""A wall does not lie: not by what a broker kept, not by what has no room, not after its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware import scene, wall
from firmware.clock import now_ms
from firmware.panels.memory import MemoryPanel
from tests import pythons
from tests.brokers import Broker
from tests.house import Ear, House
from tests.walls import WallBoard, running, scene_of

FIGURE = ["n", 2, 2, 2, 2, 1, 0]


@pytest.fixture
def board(tmp_path: Path, broker: Broker, ear: Ear, micropython: str) -> Iterator[WallBoard]:
    with running("micropython", tmp_path, broker, ear, keep=True) as board:
        board.say_scene(scene_of([FIGURE]))
        board.say_values("c", 100)
        board.wait("it is fresh", lambda: board.shown.get("scene") and board.shown["fresh"])
        yield board


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_a_beat_that_a_broker_kept_proves_nothing(
    python: str, tmp_path: Path, broker: Broker, ear: Ear, micropython: str
) -> None:
    told = scene_of([FIGURE])
    board = WallBoard(python, tmp_path, broker, ear)
    board.say("beat", {"boot": "b1", "now_s": 100, "values_seq": 1}, True)
    board.say("values", {"boot": "b1", "of": "abcd", "seq": 1, "n": "2s c"}, True)
    board.say_scene(told, True)
    ear.latest.pop("board/wall/health", None)
    with board:
        board.wait("it has heard all there is", lambda: board.shown.get("scene") == told["id"])
        board.wait("and lives on", lambda: "board/wall/health" in ear.latest)
        assert board.shown["values_seq"] == 1
        assert not any(row["fresh"] for row in ear.all("board/wall/panel/0/shown"))
        board.say("beat", {"boot": "b1", "now_s": 101, "values_seq": 1})
        board.wait("a live one does", lambda: board.shown["fresh"])


def test_a_scene_that_is_taken_back_is_gone(board: WallBoard) -> None:
    board.say_scene(b"")
    board.wait("it asks for one", lambda: board.shown["scene"] is None)
    board.wait("with a question mark", lambda: board.rows()[0].startswith("####....####"))
    told = scene_of([FIGURE, ["f", 50, 20, 8, 8, 3]])
    board.say_scene(told)
    board.wait("the next one is drawn", lambda: board.shown["scene"] == told["id"])
    assert "Traceback" not in board.said()


def test_what_comes_under_a_name_too_long_costs_no_link(board: WallBoard) -> None:
    board.say("board/wall/panel/" + "x" * 300 + "/scene", b"x" * 3000)
    told = scene_of([FIGURE, ["f", 50, 20, 8, 8, 3]])
    board.say_scene(told)
    board.wait("it goes on", lambda: board.shown["scene"] == told["id"])
    assert "link down" not in board.said()


@pytest.mark.parametrize("word", ["z" * 3900, "-5", "1_0", "1.5"])
def test_a_number_that_is_none_is_refused_by_both(
    word: str, tmp_path: Path, broker: Broker, ear: Ear
) -> None:
    with running("cpython", tmp_path, broker, ear) as board:
        board.say_scene(scene_of([FIGURE]))
        board.say("values", {"boot": "b1", "of": "abcd", "seq": 1, "n": "2s " + word})
        board.wait("it says so", lambda: "is no number" in str(board.shown.get("trouble")))
        board.say_values("c", 100)
        board.wait("it lives", lambda: board.shown["fresh"] and board.shown["trouble"] is None)


class Said:
    """What a wall asks of its link."""

    board = "wall"
    on_refused = on_topic = None

    def __init__(self) -> None:
        self.client = self
        self.shown: list[dict[str, Any]] = []

    def subscribe(self, topic: str, qos: int) -> None:
        pass

    def topic(self, *parts: object) -> str:
        return ""

    def state(self, pattern: str, ids: tuple[object, ...], fields: dict[str, Any]) -> None:
        self.shown.append(fields)


def test_without_memory_to_draw_a_wall_is_dark_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shortage itself is made: no interpreter can be brought to run out of memory at one place each time."""
    link = Said()
    panel = MemoryPanel({"size": [16, 8]})
    here = wall.Wall([panel], link, {"panels": [{}]}, None)
    lights = here.lights[0]
    lights.picture.fill(0, 0, 16, 8, scene.WHITE)
    panel.show(lights.picture)

    def no_room(*_: object) -> None:
        raise MemoryError

    at_ms = now_ms()
    with monkeypatch.context() as short:
        short.setattr(scene, "draw", no_room)
        here._draw(lights, at_ms)
        assert not any(panel.pixels)
        assert "no memory" in link.shown[-1]["trouble"]
        with pytest.raises(MemoryError):
            here._draw(lights, at_ms + wall.FULL_MS + 1)
    here._draw(lights, at_ms)
    assert link.shown[-1]["trouble"] is None
    assert any(panel.pixels)
    here.dark()
    assert not any(panel.pixels)


def test_what_is_no_walls_any_more_is_taken_from_its_board(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        ear = Ear(house.broker)
        gone = ("board/row-a/panel/0/scene", "board/wall-south/panel/1/light", "board/old/panel/0/message")
        for topic in gone:
            ear.say(topic, b'{"v": 1}', True)
        house.start_gateway()
        for topic in gone:
            house.wait(f"{topic} is cleared", lambda topic=topic: {} in ear.all(topic), 30)  # type: ignore[misc]
        house.wait("what is a wall's stays", lambda: ear.latest.get("board/wall-south/panel/0/scene"), 10)
        ear.close()
