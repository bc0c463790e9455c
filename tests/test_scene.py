"""What a wall draws: the same on both Pythons, clear at every level, and old when it is old."""

from __future__ import annotations

import base64
import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from firmware import digits, scene, scene_load, test_picture
from tests import pythons

ROOT = Path(__file__).parent.parent
SEED = random.SystemRandom().randrange(10**6)
INK = {0: ".", 1: "#", 2: "c", 3: "a", 4: "r", 9: "w", 10: "C", 11: "A", 12: "R"}  # dim: a capital, or w


def fields_of(*pages: list[Any], dwell_ms: int = 8000) -> dict[str, Any]:
    return {"id": "12345678", "dwell_ms": dwell_ms, "pages": list(pages)}


def strip(x: int, y: int, colour: int, *rows: str) -> list[Any]:
    """A strip drawn in the test."""
    width = (len(rows[0]) + 7) // 8 * 8
    bits = b"".join(
        int(row.ljust(width, ".").replace("#", "1").replace(".", "0"), 2).to_bytes(width // 8, "big")
        for row in rows
    )
    return ["strip", x, y, len(rows[0]), len(rows), colour, base64.b64encode(bits).decode()]


def rows_of(picture: scene.Picture) -> list[str]:
    letters = "".join(INK[pixel] for pixel in picture.pixels)
    return [letters[start : start + picture.w] for start in range(0, len(letters), picture.w)]


def drawn(
    size: tuple[int, int],
    ops: list[Any] | None,
    numbers: dict[str, int | None] | None = None,
    now_s: int | None = 1000,
    age_s: int | None = None,
) -> list[str]:
    """One page, as text."""
    picture = scene.Picture(*size)
    loaded = None if ops is None else scene_load.load(fields_of(ops))
    scene.draw(picture, loaded, numbers or {}, now_s, 0, age_s)
    return rows_of(picture)


def shows(rows: list[str], expected: str) -> None:
    wanted = expected.split()
    assert rows == wanted, "drawn:\n" + "\n".join(rows) + "\nexpected:\n" + "\n".join(wanted)


def number(value: int | None, cells: int = 2, amber: int | None = None, red: int | None = None) -> list[str]:
    return drawn((cells * 6 + 1, 10), [["number", 1, 1, cells, 1, 2, "n", amber, red]], {"n": value})


# Strips, fills and their edges.


def test_a_strip_is_drawn_over_what_is_there_and_its_dark_bits_change_nothing() -> None:
    rows = drawn((10, 3), [["fill", 0, 1, 10, 2, 4], strip(0, 0, 1, "##.", ".##"), strip(6, 1, 0, "#.#")])
    shows(rows, "##........ r##rrr.r.r rrrrrrrrrr")


def test_what_lies_outside_the_panel_is_left_out() -> None:
    square = ("####", "#..#", "#..#", "####")
    ops = [
        strip(-2, -1, 1, *square),
        strip(6, 2, 2, *square),
        ["fill", -3, 3, 5, 9, 3],
        ["fill", 500, 0, 9, 9, 4],
    ]
    shows(drawn((8, 4), ops), ".#...... .#...... ##....cc aa....c.")


# Numbers.


def test_a_number_stands_at_the_right_of_its_cells() -> None:
    shows(
        number(7),
        """
        .............
        .......ccccc.
        ...........c.
        ...........c.
        ..........c..
        ..........c..
        .........c...
        .........c...
        .............
        .............
        """,
    )


def test_amber_is_underlined_and_red_is_white_on_a_block() -> None:
    shows(
        number(7, amber=7, red=8),
        """
        .............
        .......aaaaa.
        ...........a.
        ...........a.
        ..........a..
        ..........a..
        .........a...
        .........a...
        .............
        .......aaaaa.
        """,
    )
    shows(
        number(8, amber=7, red=8),
        """
        ......rrrrrrr
        ......rr###rr
        ......r#rrr#r
        ......r#rrr#r
        ......rr###rr
        ......r#rrr#r
        ......r#rrr#r
        ......rr###rr
        ......rrrrrrr
        .............
        """,
    )
    assert all(set("".join(row)) <= {".", "c"} for row in number(6, amber=7, red=8))


def test_without_room_for_a_line_amber_has_a_bar() -> None:
    rows = drawn((12, 8), [["number", 0, 0, 2, 1, 2, "n", 1, None]], {"n": 1})
    shows(rows, "....a...a... ....a..aa... " + "....a...a... " * 4 + "....a..aaa.. ....a.......")


def test_an_unknown_number_is_a_dash_and_has_no_level() -> None:
    assert number(None, amber=0, red=0) == number(None)
    assert number(None)[4] == ".......ccccc."
    assert drawn((13, 9), [["number", 1, 1, 2, 1, 2, "nobody", None, None]]) == number(None)[:9]


@pytest.mark.parametrize(
    ("value", "cells", "scale", "text", "at_scale"),
    [
        (0, 1, 1, "0", 1),
        (99, 2, 3, "99", 3),
        (100, 2, 3, "100", 2),
        (1000, 2, 3, "1000", 1),
        (100, 2, 1, "9+", 1),
        (1234567, 2, 3, "9+", 3),
        (10, 1, 1, "+", 1),
        (-5, 2, 1, "-5", 1),
        (-100, 2, 1, "?", 1),
    ],
)
def test_a_number_too_big_is_smaller_or_says_so(
    value: int, cells: int, scale: int, text: str, at_scale: int
) -> None:
    assert scene.number_words(value, cells, scale) == (text, at_scale)


def test_a_number_too_big_stays_in_its_cells() -> None:
    for value in (100, 1000, 10**6):
        rows = drawn((60, 30), [["number", 10, 4, 2, 3, 1, "n", None, None]], {"n": value})
        lit = [(x, y) for y, row in enumerate(rows) for x, ink in enumerate(row) if ink != "."]
        assert lit
        assert all(10 <= x < 46 and 4 <= y < 25 for x, y in lit)


# Waits.


@pytest.mark.parametrize(
    ("seconds", "cells", "text"),
    [
        (0, 5, "0:00"),
        (59, 5, "0:59"),
        (60, 5, "1:00"),
        (3599, 5, "59:59"),
        (3600, 5, "1h00"),
        (8045, 5, "2h14"),
        (43500, 5, "12h05"),
        (360000, 5, "100h"),
        (10**9, 5, "999h+"),
        (599, 4, "9:59"),
        (600, 4, "10m"),
        (3599, 4, "59m"),
        (3600, 4, "1h00"),
        (36000, 4, "10h"),
        (24, 3, "24s"),
        (90, 3, "1m"),
        (7300, 3, "2h"),
        (10**6, 3, "9h+"),
        (None, 4, "–"),
    ],
)
def test_a_wait_in_words(seconds: int | None, cells: int, text: str) -> None:
    assert scene.wait_words(seconds, cells) == text


def test_a_wait_ticks_without_new_values() -> None:
    ops = [["timer", 0, 1, 4, 1, 2, "q.since", 30, 60]]

    def at(now_s: int | None, since: int | None = 1000) -> list[str]:
        return drawn((24, 10), ops, {"q.since": since}, now_s)

    assert at(1024) != at(1025)
    assert at(1024) == drawn(
        (24, 10), [["timer", 0, 1, 4, 1, 2, "q.since", None, None]], {"q.since": 976}, 1000
    )
    assert "a" in "".join(at(1030))
    assert "a" not in "".join(at(1029))
    assert "r" in "".join(at(1060))
    assert at(990) == at(1000), "a clock that is a little behind shows 0:00"
    assert at(1024, -1) == at(1000), "nobody waits"
    assert at(None) == at(1024, None) == at(None, -1)
    assert at(None)[4] == "..................ccccc."


def test_pages_turn_with_the_boards_own_clock() -> None:
    loaded = scene_load.load(fields_of([["fill", 0, 0, 8, 8, 1]], [["fill", 0, 0, 8, 8, 2]], dwell_ms=3000))
    seen = []
    for tick_ms in (0, 2999, 3000, 5999, 6000):
        picture = scene.Picture(8, 8)
        scene.draw(picture, loaded, {}, None, tick_ms, None)
        seen.append(picture.pixels[0])
    assert seen == [1, 1, 2, 2, 1]


def test_when_the_picture_changes_by_itself() -> None:
    timer = ["timer", 0, 0, 4, 1, 2, "q.since", None, None]
    still = ["fill", 0, 0, 8, 8, 1]
    turning = scene_load.load(fields_of([timer], [still], dwell_ms=3000))
    assert scene.changes_in_ms(turning, 50, 1000, 250) == 750
    assert scene.changes_in_ms(turning, 50, 2900, 250) == 100
    assert scene.changes_in_ms(turning, 50, 3500, 250) == 2500
    assert scene.changes_in_ms(turning, None, 1000, 0) == 2000
    assert scene.changes_in_ms(scene_load.load(fields_of([timer])), 50, 0, 999) == 1
    assert scene.changes_in_ms(scene_load.load(fields_of([still])), 50, 0) == scene.REST_MS
    assert scene.changes_in_ms(None, 50, 0) == scene.REST_MS


# How old it is.


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (-1, "?"),
        (0, "? 0s"),
        (59, "? 59s"),
        (60, "? 1m"),
        (3599, "? 59m"),
        (7200, "? 2h"),
        (10**6, "? 11d"),
        (10**8, "?"),
    ],
)
def test_an_age_in_words(age_s: int, words: str) -> None:
    assert scene.age_words(age_s) == words


def test_old_figures_are_dim_with_a_dashed_frame_and_their_age() -> None:
    rows = drawn(
        (48, 20),
        [strip(2, 2, 2, "####", "####"), ["number", 3, 3, 2, 1, 1, "n", None, 1]],
        {"n": 5},
        age_s=75,
    )
    shows(
        rows,
        """
        ####....####....####....####....####....####...#
        #..............................................#
        #.CCCC..RRRRRRR................................#
        #.CCCC..RwwwwwR................................#
        ........RwRRRRR.................................
        ........RwwwwRR.................................
        ........RRRRRwR.................................
        ........RRRRRwR.................................
        #.......RRRRRwR................................#
        #.......RwwwwRR................................#
        #.......RRRRRRR................................#
        #.......................###..........#.........#
        .......................#...#........##..........
        ...........................#.........#...####...
        ..........................#..........#...#.#.#..
        .........................#...........#...#.#.#..
        #....................................#...#.#.#.#
        #........................#..........###..#.#.#.#
        #..............................................#
        ####....####....####....####....####....####...#
        """,
    )


def test_on_eight_rows_the_age_takes_the_place_of_the_figures() -> None:
    code = strip(0, 0, 1, *["####.####"] * 7)
    rows = drawn((32, 8), [code, ["number", 14, 0, 3, 1, 1, "n", None, None]], {"n": 88}, age_s=45)
    shows(
        rows,
        """
        ....###...........#..#####......
        ...#...#.........##..#..........
        .......#........#.#..####...####
        ......#........#..#......#.#....
        .....#.........#####.....#..###.
        ..................#......#.....#
        .....#............#..####..####.
        ................................
        """,
    )


@pytest.mark.parametrize(
    "size", [(8, 8), (32, 8), (16, 16), (64, 32), (128, 64), (512, 256), (8, 256), (512, 8)]
)
def test_old_is_never_taken_for_fresh(size: tuple[int, int]) -> None:
    w, h = size
    ops = [["fill", 0, 0, w, h, 3], ["number", 0, 0, 2, 1, 1, "n", None, None]]
    for age_s in (-1, 0, 16, 3600, 10**7):
        ink = "".join(drawn(size, ops, {"n": 12}, age_s=age_s))
        assert not set(ink) & set("car"), "something that is not the age is bright"
        assert "#" in ink
        if h < 16:
            continue
        rows = drawn(size, ops, {"n": 12}, age_s=age_s)
        dashes = [x % 8 < 4 for x in range(w - 1)]
        assert [ink == "#" for ink in rows[0][:-1]] == [ink == "#" for ink in rows[-1][:-1]] == dashes


def test_a_figure_is_whole_or_gone_while_the_age_is_shown() -> None:
    """Under any place of the age: the dim pixels of a number are all there, or none."""
    whole = "".join(drawn((64, 32), [["number", 0, 0, 2, 3, 1, "n", None, None]], {"n": 88})).count("#")
    for x, y in itertools.product(range(0, 60, 3), range(0, 30, 3)):
        # Inside the panel, as a compiler would place it, clear of the frame.
        if x < 1 or y < 1 or x + 36 > 63 or y + 21 > 31:
            continue
        rows = drawn((64, 32), [["number", x, y, 2, 3, 1, "n", None, None]], {"n": 88}, age_s=45)
        assert "".join(rows).count("w") in (0, whole), (x, y)


def test_a_wall_without_a_scene_asks_for_one() -> None:
    shows(
        drawn((16, 16), None),
        """
        ####....####...#
        #..............#
        #..............#
        #..............#
        ......###.......
        .....#...#......
        .........#......
        ........#.......
        #......#.......#
        #..............#
        #......#.......#
        #..............#
        ................
        ................
        ................
        ####....####....
        """,
    )


def test_nothing_of_the_last_picture_stays() -> None:
    picture = scene.Picture(16, 16)
    picture.fill(0, 0, 16, 16, scene.RED)
    scene.draw(picture, scene_load.load(fields_of([])), {}, 0, 0, None)
    assert not any(picture.pixels)


def test_the_test_picture_lights_every_edge_and_every_colour() -> None:
    for size in ((32, 8), (64, 32), (128, 64)):
        picture = scene.Picture(*size)
        test_picture.draw(picture)
        rows = rows_of(picture)
        edge = rows[0] + rows[-1] + "".join(row[0] + row[-1] for row in rows)
        assert "." not in edge
        assert set("".join(rows)) == set(".#car")


# Scenes that are wrong.

WRONG: list[tuple[Any, str]] = [
    ("fill", "page 1, operation 2: not a list that begins with"),
    (["paint", 1], "page 1, operation 2: not a list that begins with"),
    ([["fill"]], "page 1, operation 2: not a list that begins with"),
    ([], "page 1, operation 2: not a list that begins with"),
    (["fill", 0, 0, 8, 8], "page 1, operation 2 (fill): has 5 members, not 6"),
    (["fill", 0, 0, 0, 8, 1], "page 1, operation 2 (fill): w is not a whole number from 1 to 512"),
    (["fill", 0.5, 0, 8, 8, 1], "page 1, operation 2 (fill): x is not a whole number"),
    (["fill", 0, 257, 8, 8, 1], "page 1, operation 2 (fill): y is not a whole number from -256 to 256"),
    (["fill", 0, 0, 8, True, 1], "page 1, operation 2 (fill): h is not a whole number"),
    (["fill", 0, 0, 8, 8, 9], "page 1, operation 2 (fill): colour is not a whole number from 0 to 4"),
    (
        ["strip", 0, 0, 9, 2, 1, "AAAA"],
        "page 1, operation 2 (strip): its picture is not base64 of 4 bytes, for 9 x 2 pixels",
    ),
    (["strip", 0, 0, 8, 3, 1, "AAAAA==="], "(strip): its picture is not base64 of 3 bytes"),
    (["strip", 0, 0, 8, 3, 1, "AA*A"], "(strip): its picture is not base64 of 3 bytes"),
    (["strip", 0, 0, 8, 3, 1, "AA\nAA"], "(strip): its picture is not base64 of 3 bytes"),
    (["strip", 0, 0, 8, 3, 1, "ÅÅÅÅ"], "(strip): its picture is not base64 of 3 bytes"),
    (["strip", 0, 0, 8, 3, 1, None], "(strip): its picture is not text"),
    (
        ["strip", 0, 0, 513, 1, 1, "AAAA"],
        "page 1, operation 2 (strip): w is not a whole number from 1 to 512",
    ),
    (["number", 0, 0, 2, 5, 1, "n", None, None], "(number): scale is not a whole number from 1 to 4"),
    (["number", 0, 0, 0, 1, 1, "n", None, None], "(number): cells is not a whole number from 1 to 16"),
    (["number", 0, 0, 2, 1, 1, "", None, None], "(number): a name is 1 to 64 characters"),
    (["number", 0, 0, 2, 1, 1, "n" * 65, None, None], "(number): a name is 1 to 64 characters"),
    (["number", 0, 0, 2, 1, 1, 7, None, None], "(number): a name is 1 to 64 characters"),
    (["timer", 0, 0, 2, 1, 1, "n", "5", None], "(timer): a level is a whole number or null"),
    (["timer", 0, 0, 4, 1, 1, "n", 1, 2.5], "(timer): a level is a whole number or null"),
]


@pytest.mark.parametrize(("op", "words"), WRONG)
def test_a_wrong_operation_is_refused_by_its_place(op: Any, words: str) -> None:
    with pytest.raises(scene_load.SceneError, match=re.escape(words)):
        scene_load.load(fields_of([["fill", 0, 0, 8, 8, 1], op]))


def test_a_scene_too_large_is_refused() -> None:
    fill = ["fill", 0, 0, 8, 8, 1]
    scene_load.load(fields_of(*[[fill] * 64] * 16))
    with pytest.raises(scene_load.SceneError, match="page 2: not a list of at most 64 operations"):
        scene_load.load(fields_of([fill], [fill] * 65))
    for count in (0, 17):
        with pytest.raises(scene_load.SceneError, match="1 to 16 pages"):
            scene_load.load(fields_of(*[[]] * count))
    for dwell_ms in (0, 999, 600001):
        with pytest.raises(scene_load.SceneError, match="1000 to 600000 ms"):
            scene_load.load(fields_of([], dwell_ms=dwell_ms))
    with pytest.raises(scene_load.SceneError, match="page 1: not a list"):
        scene_load.load(fields_of("fill"))  # type: ignore[arg-type]


# One drawing on both Pythons.

NAMES = ("a", "b.waiting", "c.since", "nobody")


def any_op(dice: random.Random, w: int, h: int) -> list[Any]:
    x, y = dice.randint(-20, w + 5), dice.randint(-20, h + 5)
    kind = dice.choice(("strip", "fill", "number", "timer"))
    if kind == "fill":
        return [kind, x, y, dice.randint(1, w), dice.randint(1, h), dice.randint(0, 4)]
    if kind == "strip":
        width, height = dice.randint(1, 80), dice.randint(1, 30)
        bits = dice.randbytes((width + 7) // 8 * height)  # what stands behind a row's end is drawn by nobody
        return [kind, x, y, width, height, dice.randint(0, 4), base64.b64encode(bits).decode()]
    levels = [dice.choice((None, 0, 5, 60, 4000)) for _ in range(2)]
    cells, scale, colour = dice.randint(3, 6), dice.randint(1, 4), dice.randint(1, 4)
    return [kind, x, y, cells, scale, colour, dice.choice(NAMES), *levels]


def any_case(dice: random.Random) -> dict[str, Any]:
    w, h = dice.choice(((8, 8), (32, 8), (33, 17), (64, 32), (128, 64), (200, 40)))
    pages: list[list[Any]] = [[] for _ in range(dice.randint(1, 3))]
    for page in pages:
        page += [any_op(dice, w, h) for _ in range(dice.randint(0, 8))]
    return {
        "size": [w, h],
        "fields": dice.choice((None, *[fields_of(*pages, dwell_ms=dice.randint(1000, 9000))] * 15)),
        "numbers": {name: dice.choice((None, 0, 7, 42, 999, -3, 10**9)) for name in NAMES[:3]},
        "now_s": dice.choice((None, 0, 50, 5000, 400000, 2**31 - 1)),
        "tick_ms": dice.randint(0, 100000),
        "age_s": dice.choice((None, None, None, -1, 0, 59, 3000, 10**6, 10**8)),
    }


def spoilt(dice: random.Random, case: dict[str, Any]) -> dict[str, Any]:
    """The case with one member of one operation made something else."""
    op = next(op for op in dice.choice([page for page in case["fields"]["pages"] if page]))
    op[dice.randrange(len(op))] = dice.choice((None, -1, 513, "text", "AA=A", [], {}, True, 10**12))
    return case


@pytest.mark.usefixtures("micropython")
def test_both_pythons_draw_the_same_to_the_pixel(tmp_path: Path) -> None:
    print("seed", SEED)
    dice = random.Random(SEED)
    cases = [any_case(dice) for _ in range(240)]
    with_ops = [
        case
        for case in (any_case(dice) for _ in range(120))
        if case["fields"] and any(case["fields"]["pages"])
    ]
    cases += [spoilt(dice, case) for case in with_ops]
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases), encoding="utf-8")
    driver = str(ROOT / "tests" / "scene_driver.py")
    drawn_by = {
        name: pythons.run(name, driver, str(path), heap="8m").splitlines()
        for name in ("cpython", "micropython")
    }
    assert len(drawn_by["cpython"]) == len(cases)
    assert len(set(drawn_by["cpython"])) > len(cases) // 2, "the cases are too much alike to prove anything"
    for case, one, other in zip(cases, drawn_by["cpython"], drawn_by["micropython"], strict=True):
        assert one == other, (SEED, case)


# The figures.


def test_figures_are_stored_as_they_are_drawn() -> None:
    text = (ROOT / "firmware" / "digits.py").read_text(encoding="utf-8")
    lines = [line[2:] for line in text.splitlines() if line.startswith("#")]
    told = {}
    for top in range(0, len(lines), 9):
        for left in range(0, len(lines[top]), 6):
            told[lines[top][left]] = [line[left : left + 5] for line in lines[top + 1 : top + 8]]
    assert set(told) == set(digits.NAMES) - {" "}
    for letter, rows in told.items():
        stored = [f"{row:08b}".replace("0", ".").replace("1", "#") for row in digits.glyph(letter)]
        assert stored == [row + "..." for row in rows], letter


def test_no_two_digits_are_easily_mistaken() -> None:
    bits = {digit: int.from_bytes(digits.glyph(digit), "big") for digit in "0123456789"}
    apart = {(a, b): (bits[a] ^ bits[b]).bit_count() for a, b in itertools.combinations(bits, 2)}
    assert min(apart.values()) >= 5, apart


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_larger_figures_are_the_same_figures(scale: int) -> None:
    for letter in digits.NAMES:
        small, large = scene.Picture(5, 7), scene.Picture(5 * scale, 7 * scale)
        small.write(0, 0, letter, 1, scene.WHITE)
        large.write(0, 0, letter, scale, scene.WHITE)
        for y, x in itertools.product(range(7 * scale), range(5 * scale)):
            assert large.row(y)[x] == small.row(y // scale)[x // scale]
