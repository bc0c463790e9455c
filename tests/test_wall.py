"""A wall's board: what it says when something is wrong, what it keeps, how evenly it moves, how bright it is.

Real boards on a real interpreter, a real broker; the tests are their gateway.
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware import lasting, safe, scene, scene_load, values, words
from firmware.light import STEP, Light
from tests import pythons
from tests.brokers import Broker
from tests.house import Ear
from tests.walls import WallBoard, running, scene_of
from wallboard import letters

ROOT = Path(__file__).parent.parent
SEED = random.SystemRandom().randrange(10**6)
BLOCK = ["f", 0, 0, 20, 10, 2]
FIGURE = ["n", 40, 10, 2, 1, 1, 0]


@pytest.fixture
def wall(tmp_path: Path, broker: Broker, ear: Ear, micropython: str) -> Iterator[WallBoard]:
    """A board of 128x64 that draws a fresh scene."""
    with running("micropython", tmp_path, broker, ear, size=(128, 64)) as wall:
        show(wall, scene_of([BLOCK, FIGURE]))
        yield wall


def show(wall: WallBoard, fields: dict[str, Any], retain: bool = False) -> None:
    """Says a scene and values, and waits for them on the wall."""
    wall.say_scene(fields, retain)
    wall.say_values("c", 100)
    wall.wait("it is drawn", lambda: wall.shown.get("scene") == fields["id"] and wall.shown["fresh"])


# Reading a wall's own words back, letter by letter.


def trimmed(cell: list[str]) -> tuple[str, ...]:
    """Seven rows of a letter, moved to the left of its cell."""
    left = min((row.find("#") for row in cell if "#" in row), default=0)
    return tuple(row[left:].ljust(5, ".") for row in cell)


SHAPES = {
    trimmed([row[:5] for row in rows[:7]]): name
    for name, rows in letters.LETTERS.items()
    if name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-?:.%/+()'= "
}


def read(rows: list[str]) -> str:
    """The words on a picture, lines joined by blanks; ink of any colour counts."""
    rows = ["".join("." if ink == "." else "#" for ink in row) for row in rows]
    lit = [(x, y) for y, row in enumerate(rows) for x, ink in enumerate(row) if ink == "#"]
    assert lit
    height = max(y for _, y in lit) - min(y for _, y in lit) + 1
    for scale in (4, 3, 2, 1):
        if (height + scale) % (8 * scale):
            continue
        lines = [
            _line(rows, top, scale)
            for top in range(min(y for _, y in lit), max(y for _, y in lit), 8 * scale)
        ]
        if all(lines):
            return " ".join(line for line in lines if line)
    return ""


def _line(rows: list[str], top: int, scale: int) -> str:
    """A line of letters that begins anywhere; "" where these are none."""
    rows = rows[top : top + 7 * scale : scale]
    for left in range(6 * scale):
        cells = [
            [row[x : x + 5 * scale : scale] for row in rows] for x in range(left, len(rows[0]), 6 * scale)
        ]
        text = "".join(SHAPES.get(trimmed(cell), "~") for cell in cells).strip()
        if text and "~" not in text and not any("#" in row[:left] for row in rows):
            return text
    return ""


def said_on(wall: WallBoard, word: str) -> str:
    """What the wall says in its own words, once that word is among them."""
    seen: list[str] = []

    def there() -> bool:
        rows = wall.rows()
        if rows and not {"c", "r", "a"} & set("".join(rows)):
            seen.append(read(rows))
        return bool(seen) and word in seen[-1]

    wall.wait(f"it says {word}", there)
    return seen[-1]


# Trouble.

BAD: list[tuple[str, bytes, str]] = [
    ("panel/0/scene", b"", ""),
    ("panel/0/scene", json.dumps(scene_of([["s", 0, 0, 1, 7]])).encode(), "there is no strip 7"),
    ("panel/0/scene", json.dumps(scene_of([BLOCK], v=3)).encode(), "a scene of version 3"),
    ("panel/0/scene", json.dumps(scene_of([["n", 120, 0, 2, 1, 1, 0]])).encode(), "its figures do not lie on 128 x 64"),
    ("panel/0/scene", json.dumps(scene_of([["t", 0, 9, 4, 1, 1, 0, 1, 2, 11]])).encode(), "blink_s"),
    ("panel/0/scene", json.dumps(scene_of([BLOCK])).encode()[:-9], "not JSON"),
    ("panel/0/scene", b" " * 17000 + b"{}", "17002 bytes"),
    ("panel/0/scene", b"x" * 30000, "30000 bytes are more than this board can hold"),
    ("panel/0/message", b'{"id": 7}', "'id' is not text"),
    ("panel/0/light", b'{"percent": 101}', "'percent' is not between 0 and 100"),
]  # fmt: skip


def test_what_cannot_be_used_is_refused_in_words_and_the_last_good_scene_goes_on(wall: WallBoard) -> None:
    good = wall.shown["scene"]
    before = wall.ear.latest["board/wall/state"]["boot"]
    for topic, payload, why in BAD[1:]:
        kind = topic.rsplit("/", 1)[1]
        wall.say("board/wall/" + topic, payload)
        wall.wait(f"trouble: {why}", lambda why=why: why in str(wall.shown.get("trouble")))  # type: ignore[misc]
        assert wall.shown["trouble"].startswith(f"{kind} refused: ")
        assert (wall.shown["scene"], wall.shown["fresh"]) == (good, True)
        # A next good one ends it.
        if kind == "scene":
            wall.say_scene(scene_of([BLOCK, FIGURE]))
        elif kind == "message":
            wall.say("board/wall/panel/0/message", b"")
        else:
            wall.say("board/wall/panel/0/light", {"percent": 100})
        wall.wait("it is over", lambda: wall.shown["trouble"] is None)
    wall.say("values", b'{"boot": "b1", "of": "abcd", "seq": 9, "n": "0 1 %"}')
    wall.wait("values", lambda: wall.shown["trouble"] == "values refused: '%' is no number")
    wall.say_values("c", 101)
    wall.wait("it is over", lambda: wall.shown["trouble"] is None)
    assert wall.ear.latest["board/wall/state"] == {"state": "ready", "boot": before}
    assert "link down" not in wall.said()


def test_trouble_takes_turns_with_the_scene_in_words_that_can_be_read(wall: WallBoard) -> None:
    wall.say("board/wall/panel/0/scene", BAD[1][1])
    told = said_on(wall, "REFUSED")
    assert told == "SCENE REFUSED: PAGE 1 OPERATION 1 (S): THERE IS NO STRIP 7"
    assert wall.shown["trouble"].upper().replace(",", "") == told
    wall.wait("the scene goes on", lambda: wall.rows()[5][:21] == "c" * 20 + ".")
    said_on(wall, "REFUSED")
    wall.say_scene(scene_of([["f", 0, 0, 8, 8, 3]]))
    wall.wait("it is over", lambda: "".join(wall.rows()).count("a") == 64)


def test_without_a_good_scene_the_words_stay(
    tmp_path: Path, broker: Broker, ear: Ear, micropython: str
) -> None:
    with running("micropython", tmp_path, broker, ear) as wall:
        wall.say_scene(BAD[2][1])
        assert said_on(wall, "VERSION").startswith("SCENE REFUSED:")
        assert wall.shown["scene"] is None and not wall.shown["fresh"]


# What outlives a restart.


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_the_last_scene_is_drawn_until_the_gateway_sends_one_and_nothing_on_it_believed(
    python: str, tmp_path: Path, broker: Broker, ear: Ear, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("micropython")
    first, second = scene_of([BLOCK, FIGURE]), scene_of([["f", 0, 0, 9, 9, 3]])
    with running(python, tmp_path, broker, ear, size=(128, 64), keep=True) as wall:
        show(wall, first)
        kept = wall.keep / "scene-0"
        wall.wait("it is kept", kept.exists)
        written = kept.stat().st_ino
        show(wall, first)
        show(wall, second)  # at most once an hour: it waits
        assert kept.stat().st_ino == written
        wall.kill()
        wall.path.unlink()
        wall.start()
        wall.wait_ready()
        wall.say_values("c", 200)  # the broker has nothing to draw, the values are fresh
        wall.wait(
            "the first one, old", lambda: wall.shown.get("scene") == first["id"] and not wall.shown["fresh"]
        )
        rows = wall.rows()
        assert rows[2][2:20] == "d" * 18, "dim"
        assert rows[63][:9] == "####....#", "in a dashed frame"
        assert "".join(row[40:52] for row in rows[10:17]).strip("d.") == ""
        assert rows[13][47:51] == "dddd", "a dash for a figure nobody knows"
        show(wall, second)
        wall.wait("it is drawn", lambda: wall.rows()[5][:10] == "a" * 9 + ".")
        wall.wait("it is kept, once since the start", lambda: kept.stat().st_ino != written)
        assert sorted(path.name for path in wall.keep.iterdir()) == ["scene-0", "starts"]


@pytest.mark.parametrize("how", ["cut off", "of another version", "of another size", "rubbish", "empty"])
def test_a_kept_scene_that_is_of_no_use_is_ignored_with_a_line(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print("seed", SEED)
    board = Panels(tmp_path, (64, 32))
    board.say(scene_of([BLOCK]))
    path = tmp_path / "scene-0"
    whole = path.read_bytes()
    assert Panels(tmp_path, (64, 32)).lights[0].scene.pages == board.lights[0].scene.pages
    if how == "of another version":
        path.write_bytes(whole.replace(b"scene 1 ", b"scene 2 ", 1))
    elif how == "cut off":
        path.write_bytes(whole[: random.Random(SEED).randrange(1, len(whole))])
    elif how == "rubbish":
        path.write_bytes(random.Random(SEED).randbytes(300))
    elif how == "empty":
        path.write_bytes(b"")
    capsys.readouterr()
    after = Panels(tmp_path, (64, 40) if how == "of another size" else (64, 32))
    assert after.lights[0].scene is None
    assert "is not used" in capsys.readouterr().out


class Link:
    """What a wall says, for tests of what it does hour by hour."""

    board = "wall"

    class client:
        host, port = "127.0.0.1", 1

    def __init__(self) -> None:
        self.asked = 0
        self.payload = b""
        self.on_refused = None

    def state(self, *_: object) -> None:
        """Nobody listens."""


class Panels:
    """A wall's board without a loop: its hours are the test's."""

    def __init__(self, folder: Path, size: tuple[int, int] = (64, 32), at_ms: int = 0) -> None:
        from firmware.wall import Lights

        panel = type("Panel", (), {"width": size[0], "height": size[1]})()
        self.keep = str(folder)
        self.lights: list[Any] = [Lights(0, panel)]
        self.link = Link()
        self.safe: str | None = None
        self.since_ms: int | None = None
        self.look_ms = at_ms
        safe.begin(self, at_ms)

    def ask(self) -> None:
        """What the broker keeps is wanted once more."""
        self.link.asked += 1

    def say(self, fields: dict[str, Any], at_ms: int = 0) -> None:
        """A scene comes, and the loop has its turn."""
        from firmware import news

        self.link.payload = json.dumps(fields).encode()
        news.take(self, "board/+/panel/+/scene", ("wall", "0"), fields, at_ms)
        self.turn(at_ms)

    def turn(self, at_ms: int) -> None:
        """As the loop does."""
        if at_ms >= self.look_ms:
            lasting.look(self, at_ms)


def test_flash_is_written_once_an_hour_at_most_and_the_newest_stays(tmp_path: Path) -> None:
    board = Panels(tmp_path)
    path = tmp_path / "scene-0"
    writes = []
    seen = None
    scenes = [scene_of([["f", 0, 0, 1 + n, 1, 1]]) for n in range(10)]
    for minute in range(300):
        if minute % 7 == 0:
            board.say(scenes[minute // 7 % 10 if minute < 200 else 3], minute * 60000)
        board.turn(minute * 60000 + 30000)
        now = path.stat().st_ino if path.exists() else None
        if now != seen:
            writes.append(minute)
        seen = now
    assert writes[0] == 0
    assert 3 <= len(writes) <= 5
    assert all(later - before >= 60 for before, later in itertools.pairwise(writes)), writes
    assert scenes[3]["id"].encode() in path.read_bytes()


def test_a_board_that_starts_again_and_again_shows_its_name_for_ten_minutes(tmp_path: Path) -> None:
    Panels(tmp_path).say(scene_of([BLOCK]))  # the first start that does not last
    assert (Panels(tmp_path).safe, Panels(tmp_path).safe) == (None, None)
    board = Panels(tmp_path)
    board.turn(0)
    assert board.safe and board.lights[0].scene is None
    assert all(type(page) is scene.Own for page in board.lights[0].turns.pages)
    board.turn(599_000)
    assert board.safe
    before = board.link.asked
    board.turn(600_000)
    assert not board.safe
    assert (before, board.link.asked) == (0, 1)
    assert board.lights[0].scene and board.lights[0].old
    assert Panels(tmp_path).safe, "one more that did not last"
    board.turn(661_000)
    assert Panels(tmp_path).safe is None, "it has drawn for a minute"


def test_starts_that_last_and_restarts_that_were_wanted_do_not_count(tmp_path: Path) -> None:
    for _ in range(5):
        board = Panels(tmp_path)
        assert not board.safe
        board.turn(60_000)
    for _ in range(5):
        board = Panels(tmp_path)
        assert not board.safe
        lasting.begin_anew(board, 5000)
    assert list(tmp_path.iterdir()) == []


def test_a_reboot_loop_of_a_real_board_ends_with_its_name_and_a_command_ends_that(
    tmp_path: Path, broker: Broker, ear: Ear, micropython: str
) -> None:
    drawn = scene_of([BLOCK, FIGURE])
    wall = WallBoard("micropython", tmp_path, broker, ear, size=(128, 64), keep=True)
    try:
        for _ in range(3):
            wall.start()
            wall.wait_ready()
            show(wall, drawn, retain=True)
            wall.kill()
        wall.path.unlink()
        wall.start()
        wall.wait_ready()
        assert said_on(wall, "WALL").startswith("WALL ")
        wall.wait("it says so", lambda: "again and again" in str(wall.shown.get("trouble")))
        wall.say_values("c", 300)
        wall.say_scene(drawn, True)
        wall.say("board/wall/command", {"id": "c1", "do": "identify", "seconds": 1})
        wall.wait("it obeys", lambda: ear.latest.get("board/wall/answer", {}).get("id") == "c1")
        assert wall.shown["scene"] is None
        wall.say("board/wall/command", {"id": "c2", "do": "restart"})
        wall.wait("it draws again", lambda: wall.shown["scene"] == drawn["id"] and not wall.shown["trouble"])
        assert ear.latest["board/wall/answer"]["done"] is True
        wall.say_values("d", 301)
        wall.wait("it is fresh", lambda: wall.shown["fresh"])
    finally:
        wall.kill()


# What moves.


def test_what_moves_moves_evenly_while_values_come(tmp_path: Path, micropython: str) -> None:
    """Its place follows from the time alone, and no light of its way is left out but where the machine was late."""
    told = scene_of(
        [["m", 7, 4, 0, 27], ["n", 0, 0, 1, 1, 1, 0]], strips=[[8, 1, "gA=="]]
    )  # one light, in a strip of 8
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(told))
    driver = str(ROOT / "tests" / "wall_driver.py")
    journal = json.loads(pythons.run("micropython", driver, str(path), "4", heap="400k").splitlines()[-1])
    assert len(journal) > 4 * 27
    for drawn_for, _, lit in journal:
        at = 64 - drawn_for * 27 // 1000 % 72
        assert lit == ([at] if 0 <= at < 64 else []), drawn_for
    steps = [then - before for (before, *_), (then, *_) in itertools.pairwise(journal[5:])]
    late = [shown - drawn_for for drawn_for, shown, _ in journal]
    print("longest between two pictures", max(steps), "ms; longest to be shown", max(late), "ms")
    assert sorted(steps)[len(steps) * 3 // 4] <= 39, "a light at 27 a second takes 37 ms"  # the rest: a busy machine


def test_a_message_ends_when_it_should_with_the_gateway_dead(
    wall: WallBoard,
) -> None:
    strip = [[200, 7, "A" * 232 + "AA=="]]
    end_s = 104
    name = wall.say_message([["m", 0, 1, 0, 27]], end_s, place="page", strips=strip)
    took = wall.wait("it is told at once", lambda: wall.shown.get("message") == name)
    assert took < 1
    wall.say_beat(100)
    # From here on the gateway is dead: no beat, no word.
    took = wall.wait("it has ended", lambda: wall.shown.get("message") is None)
    assert 2 < took < 6, took
    assert wall.shown["fresh"], "the last beat still stands"


def test_shown_is_told_at_once_but_of_values_every_five_seconds_only(wall: WallBoard, ear: Ear) -> None:
    topic = "board/wall/panel/0/shown"
    count = len(ear.all(topic))
    for n in range(30):
        wall.say_values(str(n % 10), 100)
    wall.wait("the last of them", lambda: wall.shown["values_seq"] == 31)  # there was one before
    assert len(ear.all(topic)) - count <= 3
    for percent in (40, 0, 70):
        wall.say("board/wall/panel/0/light", {"percent": percent})
        assert wall.wait(f"{percent} %", lambda percent=percent: wall.shown["percent"] == percent) < 4  # type: ignore[misc]
    second = scene_of([["f", 0, 0, 9, 9, 3]])
    wall.say_scene(second)
    assert wall.wait("the scene", lambda: wall.shown["scene"] == second["id"]) < 4
    wall.say("gateway/state", {"state": "lost", "boot": "b1"})
    assert wall.wait("it is old", lambda: not wall.shown["fresh"]) < 4


# How bright.


def light(**other: int) -> Light:
    return Light({"pin": "GP26", "dark_mv": 200, "bright_mv": 2500, "least": 20, "most": 100, **other})


def test_steady_light_with_hum_never_flickers() -> None:
    print("seed", SEED)
    dice = random.Random(SEED)
    for mv in range(0, 3300, 50):
        sensor = light()
        seen = [
            sensor.take(max(0, mv + dice.randint(-60, 60)), second * 1000) for second in range(600)
        ]  # 60 mV: 2 % of the range to either side, as lamps on the mains do
        changes = sum(before != then for before, then in itertools.pairwise(seen[60:]))
        assert changes <= 1, (mv, seen[60:])


@pytest.mark.parametrize("ends", [{}, {"dark_mv": 2500, "bright_mv": 200}])
def test_a_lamp_switched_on_or_off_is_followed_to_the_very_end_in_one_direction(ends: dict[str, int]) -> None:
    dark, bright = ends.get("dark_mv", 200), ends.get("bright_mv", 2500)
    sensor = light(**ends)
    assert sensor.take(dark, 0) == 20
    for mv, least_first in ((bright, True), (dark, False)):
        began = 1000 if least_first else 101_000
        seen = [sensor.take(mv, began + second * 1000) for second in range(100)]
        assert seen == sorted(seen, reverse=not least_first)
        assert seen[-1] == (100 if least_first else 20)
        assert seen[2] != seen[-1], "not at once"
        assert all(abs(then - before) < 15 for before, then in itertools.pairwise(seen))


def test_a_shadow_for_a_moment_changes_little() -> None:
    sensor = light()
    sensor.take(1500, 0)
    before = sensor.take(1500, 1000)
    assert abs(sensor.take(200, 2000) - before) <= 2 * STEP
    assert sensor.take(0, 2100) == sensor.percent, "ten times a second is once a second"


def test_a_boards_sensor_dims_its_panel_below_what_the_gateway_says(
    tmp_path: Path, broker: Broker, ear: Ear, micropython: str
) -> None:
    from simulator.board import free_port
    from tests.test_commands import set_pin

    control = f"127.0.0.1:{free_port()}"
    entry = {"pin": "GP26", "dark_mv": 200, "bright_mv": 2500, "least": 30, "most": 90}
    wall = WallBoard("micropython", tmp_path, broker, ear, light=entry)
    wall.settings(wall.told | {"pins": {"kind": "memory", "control": control}})
    with wall:
        wall.wait_ready()
        wall.wait("it is dark", lambda: wall.shown.get("percent") == 30)
        assert set_pin(control, "GP26", "3.0V") == "ok"
        wall.say_values("1", 100)
        wall.say_scene(scene_of([BLOCK]))
        wall.wait("it is brighter", lambda: wall.shown["percent"] > 40, 15)
        wall.say("board/wall/panel/0/light", {"percent": 10})
        wall.wait("no more than it may", lambda: wall.shown["percent"] == 10)
        wall.say("board/wall/panel/0/light", {"percent": 0})
        wall.wait("off is off", lambda: wall.shown["percent"] == 0 and wall.shown["fresh"])


# Its own letters.


def test_the_letters_are_those_that_labels_are_set_in() -> None:
    for letter in words.NAMES:
        rows = [f"{row:08b}".replace("0", ".").replace("1", "#") for row in words.glyph(letter)]
        assert all(row.endswith("...") for row in rows), letter
        assert trimmed([row[:5] for row in rows]) == trimmed([row[:5] for row in letters.LETTERS[letter][:7]])
        assert not any("#" in row for row in letters.LETTERS[letter][7:]), letter


def pages_of(text: str, w: int, h: int) -> list[list[str]]:
    """The text's pages as rows of ink."""
    shown = []
    for page in words.pages(text, w, h):
        picture = scene.Picture(w, h)
        scene.draw(picture, scene.Scene("", "", 1000, [page]), None, None, 0, -1)
        shown.append(["".join(".#"[min(1, ink)] for ink in picture.row(y)) for y in range(h)])
    return shown


def test_words_are_whole_on_panels_of_every_size() -> None:
    print("seed", SEED)
    dice = random.Random(SEED)
    parts = [
        *"ABCDEFG",
        "SCENE",
        "REFUSED:",
        "PAGE",
        "12",
        "OPERATION",
        "(S):",
        "NO",
        "STRIP",
        "7",
        "VERSION",
    ]
    sizes = [(32, 16), (64, 16), (64, 32), (96, 32), (128, 64), (200, 40)]
    for _ in range(30):
        w, h = dice.choice(sizes)
        text = "X " + " ".join(dice.choices(parts, k=dice.randint(1, 16))) + " H"
        if any(type(page[0]) is scene.Mover for page in words.pages(text, w, h)):
            assert w < 6 * 9, "where the longest word has no room"
            continue
        assert " ".join(read(rows) for rows in pages_of(text, w, h)) == text, (w, h)


def test_where_no_word_fits_words_move_until_all_is_read() -> None:
    for w, h in ((8, 8), (16, 16), (32, 8)):
        [page] = words.pages("SCENE REFUSED", w, h)
        [strip] = page
        turns = scene.Scene("", "", 1000, [page, scene.Own()])
        long_ms = (w + strip.w) * 1000 // words.SPEED_PX_S
        seen = []
        for tick_ms in range(0, long_ms, 5):
            picture = scene.Picture(w, h)
            scene.draw(picture, turns, None, None, tick_ms, -1)
            seen.append([picture.row(y)[w - 1] for y in range(strip.y, strip.y + 7)])
        columns = [column for column, _ in itertools.groupby(seen)]
        drawn = ["".join(" #"[column[y] > 0] for column in columns) for y in range(7)]
        assert "".join(drawn).count("#") > 100, "all of it comes by at the right"
        assert scene.turn(turns, None, long_ms - 1, w)[0] is page
        assert scene.turn(turns, None, long_ms, w)[0] is not page


# Safe for eyes.

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB: as published with the paper.
MACHADO = {
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}
# sRGB to XYZ and XYZ to CIELAB, D65 (IEC 61966-2-1, CIE 15).
XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE_POINT = (0.95047, 1.0, 1.08883)


def times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(rgb: bytes, eye: str) -> tuple[float, float, float]:
    """A colour as an eye sees it, in CIELAB."""
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb]
    seen = [min(1.0, max(0.0, part)) for part in times(MACHADO[eye], linear)]
    x, y, z = (
        part ** (1 / 3) if part > (6 / 29) ** 3 else part / 3 / (6 / 29) ** 2 + 4 / 29
        for part in (a / b for a, b in zip(times(XYZ, seen), WHITE_POINT, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("eye", MACHADO)
def test_levels_are_told_apart_by_every_eye(eye: str) -> None:
    """CIE76 between cyan, amber and red: at least 25 for any eye; a deutan's amber and red are nearest, 31."""
    colours = {"cyan": scene.RGB[scene.CYAN], "amber": scene.RGB[scene.AMBER], "red": scene.RGB[scene.RED]}
    apart = {
        (one, other): math.dist(lab(colours[one], eye), lab(colours[other], eye))
        for one, other in itertools.combinations(colours, 2)
    }
    print(eye, {pair: round(value, 1) for pair, value in apart.items()})
    assert min(apart.values()) >= 25, apart


def test_no_light_blinks_faster_than_once_a_second_nor_longer_than_ten() -> None:
    """A minute of a page on which every wait turns amber and red, each change of each light counted."""
    ops = [["t", 2 + 40 * n, 2, 5, 1, 2, n, 5, 10 + 7 * n, 10] for n in range(3)]
    loaded = scene_load.load(scene_of(ops), 128, 16)
    numbers = values.read({"n": "0 0 0 0", "of": "abcd"})
    filled: dict[int, list[int]] = {
        n: [] for n in range(3)
    }  # when the block of each wait was filled or emptied
    was = [False] * 3
    for tick_ms in range(0, 60_000, 50):
        picture = scene.Picture(128, 16)
        scene.draw(picture, loaded, numbers, tick_ms, tick_ms, None)
        rows = [picture.row(y) for y in range(16)]
        for n in range(3):
            block = [ink for row in rows[1:11] for ink in row[40 * n : 40 * n + 34]]
            now = block.count(scene.RED) > 100
            if now != was[n]:
                filled[n].append(tick_ms)
                was[n] = now
    for n, moments in filled.items():
        assert len(moments) == 1 + 2 * 10, "on, and then off and on ten times"
        assert moments[0] == (10 + 7 * n) * 1000
        assert moments[-1] - moments[0] <= 10_000
        assert all(then - before >= 500 for before, then in itertools.pairwise(moments)), (
            "1 Hz, half of it lit"
        )
        assert was[n], "then steady"


def test_longer_blinking_is_refused() -> None:
    with pytest.raises(scene_load.SceneError, match="blink_s is not a whole number from 0 to 10"):
        scene_load.load(scene_of([["t", 0, 0, 5, 1, 2, 0, 5, 10, 11]]), 128, 16)
