"""How a panel hangs is found in three answers: for every way it may hang, whatever the site file said before."""

from __future__ import annotations

import random
import re
import tomllib
import types
from pathlib import Path
from typing import Any

import pytest

import floorplan
from firmware import scene, test_picture
from firmware.panels import max7219, ws2812
from tests import decoders
from wallboard import calibrate
from wallboard.calibrate import Setting

SEED = random.SystemRandom().randrange(10**6)


def chain_of(columns: int, rows: int, **more: Any) -> floorplan.Panel:
    return floorplan.Panel(
        kind="max7219", modules=(columns, rows), size=(8 * columns, 8 * rows), bus="spi0", **more
    )


def matrix_of(w: int, h: int, columns: int = 1, rows: int = 1, **more: Any) -> floorplan.Panel:
    return floorplan.Panel(
        kind="ws2812", size=(w, h), modules=(columns, rows), bus="spi0", most_ma=60000, **more
    )


PANELS = [
    chain_of(1, 1),
    chain_of(4, 1),
    chain_of(1, 3),
    chain_of(4, 2),
    chain_of(3, 3),
    chain_of(16, 2),
    chain_of(16, 8),
    matrix_of(8, 8),
    matrix_of(32, 8),
    matrix_of(8, 32),
    matrix_of(16, 16),
    matrix_of(9, 8),
    matrix_of(32, 32, 2, 2),
    matrix_of(32, 8, 4, 1),
    matrix_of(24, 16, 3, 2),
    matrix_of(64, 8, 2, 1),
    matrix_of(32, 8, 1, 8),  # strips
]


def named(panel: floorplan.Panel) -> str:
    columns, rows = panel.modules or (1, 1)
    return f"{panel.kind}-{panel.size[0]}x{panel.size[1]}-{columns}x{rows}"


def photographed(panel: floorplan.Panel, written: Setting, true: Setting) -> list[str]:
    """What a wall that hangs in the true way shows, in calibrate's letters, its board told what is written.

    The picture goes through the real driver to a model of the chips.
    """
    sent: list[bytes] = []
    bus = types.SimpleNamespace(send=lambda data: sent.append(bytes(data)))
    entry = panel.model_dump(mode="json") | written._asdict()
    picture = scene.Picture(*panel.size)
    columns, rows = panel.modules or (1, 1)
    if panel.kind == "max7219":
        chain = decoders.Chain(columns, rows, true.chain, true.turn, true.mirrored)
        test_picture.show(max7219.Max7219Panel(entry, bus), picture, 100, test_picture.CALIBRATION)
        for data in sent:
            chain.take(data)
        return ["".join(".#"[light] for light in row) for row in chain.lights()]
    test_picture.show(ws2812.Ws2812Panel(entry, bus), picture, 100, test_picture.CALIBRATION)
    (bits,) = decoders.bits_of(decoders.pulses(sent, ws2812.HZ))
    seen = decoders.matrix(
        decoders.lights_of(bits, true.colours), panel.size, (columns, rows), true.chain, true.lights
    )
    letters = {(0, 0, 0): ".", (255, 255, 255): "o", (255, 0, 0): "R", (0, 255, 0): "G", (0, 0, 255): "B"}
    return ["".join(letters[light] for light in row) for row in seen]


@pytest.mark.parametrize("panel", PANELS, ids=named)
def test_the_wall_looks_as_it_is_worked_out_whatever_was_written_before(panel: floorplan.Panel) -> None:
    """Of the ways of each panel a few, every written one with every true one being many thousands."""
    print("seed", SEED)
    dice = random.Random(SEED)
    ways = calibrate.settings(panel)
    for true in dice.sample(ways, min(len(ways), 6)):
        assert photographed(panel, dice.choice(ways), true) == calibrate.seen(panel, true), true


@pytest.mark.parametrize("panel", PANELS, ids=named)
def test_three_answers_leave_the_one_way_it_hangs(panel: floorplan.Panel) -> None:
    ways = calibrate.settings(panel)
    print("seed", SEED)
    for true in ways[SEED % 7 :: max(1, len(ways) // 16)]:
        search = calibrate.Search(panel)
        looks = [look(panel, true) for _, look in calibrate.looks(panel)]
        asked = 0
        while question := search.ask():
            asked += 1
            assert len(set(question.drawings)) == len(question.drawings) <= 16
            (number,) = [n for n, drawing in enumerate(question.drawings) if drawing in looks]
            search.answer(number)
        assert asked <= 3
        assert search.left == [true]


@pytest.mark.parametrize("panel", PANELS, ids=named)
def test_every_way_is_another_one_and_none_is_left_out(panel: floorplan.Panel) -> None:
    """Two of them never show all pictures alike, and each that a site file can say is like one of them."""
    columns, rows = panel.modules or (1, 1)
    w, h = panel.size[0] // columns, panel.size[1] // rows
    ways = calibrate.settings(panel)

    def key(way: Setting) -> tuple[Any, ...]:
        orders = (tuple(decoders.walk(columns, rows, way.chain)), tuple(decoders.walk(w, h, way.lights)))
        return (orders[0], way.turn, way.mirrored) if panel.kind == "max7219" else (*orders, way.colours)

    keys = {key(way) for way in ways}
    assert len(keys) == len(ways)
    dice = random.Random(SEED)
    print("seed", SEED)
    for _ in range(100):
        any_way = Setting(
            dice.choice(decoders.CHAINS), dice.choice((0, 90, 180, 270)), dice.choice((False, True)),
            dice.choice(decoders.CHAINS), "".join(dice.sample("rgb", 3)),
        )  # fmt: skip
        assert key(any_way) in keys


@pytest.mark.parametrize("panel", PANELS, ids=named)
def test_the_line_for_the_site_file_says_what_was_found(panel: floorplan.Panel) -> None:
    dice = random.Random(SEED)
    print("seed", SEED)
    true = dice.choice(calibrate.settings(panel))
    read = floorplan.Panel.model_validate(tomllib.loads(calibrate.line(panel, true))["panel"])
    assert Setting(read.chain, read.turn, read.mirrored, read.lights, read.colours) == true
    kept = read.model_copy(update={key: getattr(panel, key) for key in Setting._fields})
    assert kept == panel


def answers(panel: floorplan.Panel, true: Setting, *first: str) -> tuple[str | None, list[str], int]:
    """(line found, all that was said, how often the picture was shown) with a technician who looks well."""
    said: list[str] = []
    shows = [0]
    looks = [tidy(look(panel, true)) for _, look in calibrate.looks(panel)]
    queue = list(first)

    def show() -> None:
        shows[0] += 1

    def hear(words: str) -> str:
        if queue:
            return queue.pop(0)
        drawings = said[-1].split("\n\n", 1)[1]
        for number in range(1, 17):
            if tidy(one(drawings, number)) in looks:
                return str(number)
        raise AssertionError(f"nothing fits in\n{drawings}")

    return calibrate.interview(panel, show, hear, said.append), said, shows[0]


def tidy(drawing: str) -> str:
    return "\n".join(line.strip() for line in drawing.strip().splitlines())


def one(drawings: str, number: int) -> str:
    """What stands under a number, cut out of all of them."""
    rows = drawings.splitlines()
    for y, row in enumerate(rows):
        if (found := re.search(rf"(?:^|\s){number}:", row)) is None:
            continue
        left = found.end() - len(f"{number}:")
        following = re.search(r"\s{2,}\d+:", row[found.end() :])
        right = found.end() + following.end() - len(following[0].strip()) if following else None
        cut = [rows[y][found.end() : right]]
        for below in rows[y + 1 :]:
            if not below.strip() or re.match(r"\s*\d+:", below):
                break
            cut.append(below[left:right])
        return "\n".join(cut)
    raise AssertionError(f"no {number} in\n{drawings}")


@pytest.mark.parametrize(
    "panel", [chain_of(4, 1), chain_of(4, 2), matrix_of(16, 8), matrix_of(32, 16, 2, 2)], ids=named
)
def test_a_technician_reads_drawings_and_types_numbers(panel: floorplan.Panel) -> None:
    print("seed", SEED)
    true = random.Random(SEED).choice(calibrate.settings(panel))
    found, said, shows = answers(panel, true, "", "nine", "99")
    assert found == calibrate.line(panel, true), said
    assert len(said) <= 3
    assert shows == len(said) + 3  # again after each thing that was no answer
    assert max(len(line) for words in said for line in words.splitlines()) <= 130


def test_where_nothing_fits_nothing_is_found() -> None:
    found, said, _ = answers(chain_of(4, 1), Setting(), "0")
    assert found is None and len(said) == 1


def test_ways_that_cannot_be_told_apart_are_all_named() -> None:
    """Six lights in each module and nine modules: some show as many."""
    panel = matrix_of(9, 8, 9, 8)  # each light a module
    said: list[str] = []
    found = calibrate.interview(panel, lambda: None, lambda words: "1", said.append)
    left = [line for line in said if line.startswith("panel = ")]
    assert found is not None and found not in left
    assert left and re.search(rf"^{len(left) + 1} ways look the same", "\n".join(said), re.MULTILINE)


def test_a_wall_that_is_not_there_is_named() -> None:
    plan = floorplan.read(Path(floorplan.__file__).parent / "examples" / "skien.toml")
    name = plan.wall[0].id
    assert calibrate.wall_of(plan, name) is plan.wall[0]
    with pytest.raises(
        floorplan.SiteError, match=f"no wall '{name}x' in the site file; did you mean '{name}'"
    ):
        calibrate.wall_of(plan, name + "x")
