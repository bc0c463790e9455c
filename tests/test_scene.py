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

from firmware import age, digits, scene, scene_load, test_picture
from firmware.values import Numbers
from tests import pythons
from wallboard.numbers import words

ROOT = Path(__file__).parent.parent
SEED = random.SystemRandom().randrange(10**6)
INK = {0: ".", 1: "#", 2: "c", 3: "a", 4: "r", 9: "w", 10: "C", 11: "A", 12: "R"}  # dim: a capital, or w


def fields_of(*pages: list[Any], dwell_ms: int = 8000) -> dict[str, Any]:
    """A scene message of pages whose strips stand in their operations."""
    strips: list[Any] = []
    return {
        "id": "12345678",
        "v": scene_load.FORM,
        "of": "abcd",
        "dwell_ms": dwell_ms,
        "pages": [_placed(page, strips) for page in pages],
        "strips": strips,
    }


def message_of(ops: list[Any], place: str = "page") -> dict[str, Any]:
    strips: list[Any] = []
    placed = _placed(ops, strips)
    fields = {"id": "87654321", "boot": "b1", "until_s": 10**6, "place": place}
    return fields | {"ops": placed, "strips": strips}


def _placed(ops: list[Any], strips: list[Any]) -> list[Any]:
    return [[_place(member, strips) for member in op] if isinstance(op, list) else op for op in ops]


def _place(member: Any, strips: list[Any]) -> Any:
    if isinstance(member, list) and len(member) == 3:
        strips.append(member)
        return len(strips) - 1
    return member


def strip(x: int, y: int, colour: int, *rows: str) -> list[Any]:
    """A strip drawn in the test."""
    width = (len(rows[0]) + 7) // 8 * 8
    bits = b"".join(
        int(row.ljust(width, ".").replace("#", "1").replace(".", "0"), 2).to_bytes(width // 8, "big")
        for row in rows
    )
    return ["s", x, y, colour, [len(rows[0]), len(rows), base64.b64encode(bits).decode()]]


def numbers(*values: int | None, level: int = 0, at_s: int = 1000) -> Numbers:
    return Numbers("abcd", at_s, list(values), [level] * len(values))


def rows_of(picture: scene.Picture) -> list[str]:
    letters = "".join(INK[pixel] for pixel in picture.pixels)
    return [letters[start : start + picture.w] for start in range(0, len(letters), picture.w)]


def drawn(
    size: tuple[int, int],
    ops: list[Any] | None,
    known: Numbers | None = None,
    clock_s: float | None = 1000,
    age_s: int | None = None,
) -> list[str]:
    """One page, as text."""
    picture = scene.Picture(*size)
    loaded = None if ops is None else scene_load.load(fields_of(ops), *size)
    clock_ms = None if clock_s is None else int(clock_s * 1000)
    scene.draw(picture, loaded, known, clock_ms, 0, age_s)
    return rows_of(picture)


def shows(rows: list[str], expected: str) -> None:
    wanted = expected.split()
    assert rows == wanted, "drawn:\n" + "\n".join(rows) + "\nexpected:\n" + "\n".join(wanted)


def number(value: int | None, cells: int = 2, level: int = 0) -> list[str]:
    return drawn((cells * 6 + 1, 10), [["n", 1, 1, cells, 1, 2, 0]], numbers(value, level=level))


# Strips, fills and their edges.


def test_a_strip_is_drawn_over_what_is_there_and_its_dark_bits_change_nothing() -> None:
    rows = drawn((10, 3), [["f", 0, 1, 10, 2, 4], strip(0, 0, 1, "##.", ".##"), strip(6, 1, 0, "#.#")])
    shows(rows, "##........ r##rrr.r.r rrrrrrrrrr")


def test_what_lies_outside_the_panel_is_left_out() -> None:
    square = ("####", "#..#", "#..#", "####")
    ops = [
        strip(-2, -1, 1, *square),
        strip(6, 2, 2, *square),
        ["f", -3, 3, 5, 9, 3],
        ["f", 500, 0, 9, 9, 4],
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
        number(7, level=1),
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
        number(8, level=2),
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
    assert all(set("".join(row)) <= {".", "c"} for row in number(6))


def test_on_the_last_rows_amber_is_underlined_all_the_same() -> None:
    for rows in (7, 8):
        picture = drawn((12, rows), [["n", 0, 0, 2, 1, 2, 0]], numbers(1, level=1))
        one = ["........a...", ".......aa...", *["........a..."] * (rows - 4), ".......aaa..", "......aaaaa."]
        shows(picture, " ".join(one if rows == 8 else [*one[:5], "........a...", one[-1]]))


def test_an_unknown_number_is_a_dash_and_has_no_level() -> None:
    assert number(None, level=1) == number(None, level=2) == number(None)
    assert number(None)[4] == ".......ccccc."
    nobody = [["n", 1, 1, 2, 1, 2, 7]]
    assert drawn((13, 9), nobody) == drawn((13, 9), nobody, numbers(1)) == number(None)[:9]


def test_numbers_of_another_order_are_unknown() -> None:
    ops = [["n", 1, 1, 2, 1, 2, 0], ["t", 14, 1, 4, 1, 2, 0, 1, 2, 10]]
    others = numbers(5, level=2)._replace(of="dcba")
    assert drawn((40, 10), ops, others) == drawn((40, 10), ops, numbers(None))


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
        rows = drawn((60, 30), [["n", 10, 4, 2, 3, 1, 0]], numbers(value))
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
    ops = [["t", 0, 1, 4, 1, 2, 0, 30, 60, 0]]

    def at(clock_s: float | None, wait_s: int | None = 0, level: int = 0) -> list[str]:
        return drawn((24, 10), ops, numbers(wait_s, level=level), clock_s)

    assert at(1024) != at(1025)
    assert at(1024) == drawn((24, 10), [["t", 0, 1, 4, 1, 2, 0, None, None, 0]], numbers(24))
    assert "a" in "".join(at(1030))
    assert "a" not in "".join(at(1029))
    assert "r" in "".join(at(1060))
    assert at(990) == at(1000), "a clock that is a little behind shows 0:00"
    assert at(1024, -1) == at(1000), "nobody waits"
    assert at(None) == at(1024, None) == at(None, -1)
    assert at(None)[4] == "..................ccccc."
    assert at(1010, level=1) != at(1010), "a level that came with it counts too"
    assert "r" in "".join(at(1060, level=1))
    assert "r" in "".join(at(1010, level=2))


def test_a_wait_that_has_turned_red_blinks_once_a_second_and_its_figure_stays() -> None:
    def at(clock_s: float, blink_s: int = 3) -> list[str]:
        return drawn((26, 12), [["t", 1, 2, 4, 1, 2, 0, None, 60, blink_s]], numbers(0), clock_s)

    block = at(1060, blink_s=0)
    for clock_s in (1060, 1060.499, 1061.2, 1063, 1063.6, 1100.7):
        rows = at(clock_s)
        assert ("rr#" in "".join(rows)) and "".join(rows).count("r") > 150, clock_s
    for clock_s in (1060.5, 1061.999, 1062.7):
        rows = at(clock_s)
        assert rows[1] == block[1], "a frame stays"
        assert 0 < "".join(rows).count("r") < 70, clock_s
        assert [row.replace("r", ".") for row in rows] == [row.replace("r", ".") for row in at(int(clock_s))]


def test_pages_turn_with_the_boards_own_clock() -> None:
    loaded = scene_load.load(fields_of([["f", 0, 0, 8, 8, 1]], [["f", 0, 0, 8, 8, 2]], dwell_ms=3000), 8, 8)
    seen = []
    for tick_ms in (0, 2999, 3000, 5999, 6000):
        picture = scene.Picture(8, 8)
        scene.draw(picture, loaded, None, None, tick_ms, None)
        seen.append(picture.pixels[0])
    assert seen == [1, 1, 2, 2, 1]


def test_when_the_picture_changes_by_itself() -> None:
    timer = ["t", 0, 0, 4, 1, 2, 0, None, 60, 10]
    still = ["f", 0, 0, 8, 8, 1]

    def due(loaded: Any, clock_ms: int | None, tick_ms: int, wait_s: int = 0) -> int:
        return scene.changes_in_ms(loaded, numbers(wait_s, at_s=50), clock_ms, tick_ms, 30)

    turning = scene_load.load(fields_of([timer], [still], dwell_ms=3000), 30, 8)
    assert due(turning, 50250, 1000) == 750
    assert due(turning, 50250, 2900) == 100
    assert due(turning, 50250, 3500) == 2500
    assert due(turning, None, 1000) == 2000
    assert due(scene_load.load(fields_of([timer]), 30, 8), 50999, 0) == 1
    assert due(scene_load.load(fields_of([timer]), 30, 8), 50100, 0, wait_s=60) == 400, "it blinks"
    assert due(scene_load.load(fields_of([still]), 30, 8), 50000, 0) == scene.REST_MS
    assert due(None, 50000, 0) == scene.REST_MS


# What people are told.


def shown_at(message: Any, *times_ms: int, pages: int = 2, w: int = 16) -> list[str]:
    """Which colour stands at the left of the upper row, and which below, at these times."""
    page = [[["f", 0, 0, w, 1, 1 + n]] for n in range(pages)]
    loaded = scene_load.load(fields_of(*page, dwell_ms=1000), w, 8)
    seen = []
    for tick_ms in times_ms:
        picture = scene.Picture(w, 8)
        scene.draw(picture, loaded, None, None, tick_ms, None, message)
        seen.append(INK[picture.row(0)[0]] + INK[picture.row(7)[0]])
    return seen


def test_a_message_is_one_more_page_or_comes_after_every_page_or_stands_below_all() -> None:
    ops = [["f", 0, 7, 16, 1, 4]]

    def told(place: str) -> Any:
        return scene_load.load_message(message_of(ops, place), 16, 8, 500)

    times_ms = (500, 1499, 1500, 2500, 3500, 4500)
    assert shown_at(told("page"), *times_ms) == [".r", ".r", "#.", "c.", ".r", "#."]
    assert shown_at(told("priority"), *times_ms) == [".r", ".r", "#.", ".r", "c.", ".r"]
    assert shown_at(told("band"), 0, 999, 1000) == ["#r", "#r", "cr"]


def test_what_moves_goes_once_across_and_its_page_stays_as_long() -> None:
    bar = ["m", 7, 4, [4, 1, "8A=="], 25]  # four lights, 40 ms a light
    told = scene_load.load_message(message_of([bar]), 16, 8, 0)
    lit = []
    for tick_ms in range(0, 2000, 40):
        picture = scene.Picture(16, 8)
        loaded = scene_load.load(fields_of([["f", 0, 0, 1, 1, 1]], dwell_ms=1000), 16, 8)
        scene.draw(picture, loaded, None, None, tick_ms, None, told)
        lit.append([x for x in range(16) if picture.row(7)[x] == 4])
        if tick_ms < 1000:
            assert scene.changes_in_ms(loaded, None, None, tick_ms, 16, told) == 40
    assert lit[:21] == [[x for x in range(16 - n, 20 - n) if 0 <= x < 16] for n in range(21)]
    assert lit[21:25] == [[x for x in range(16 - n, 20 - n) if 0 <= x < 16] for n in range(1, 5)], (
        "a page stays as long as the others"
    )
    assert lit[25:] == [[]] * 25


def test_what_moves_to_the_right_comes_from_the_left() -> None:
    told = scene_load.load_message(message_of([["m", 0, 4, [4, 1, "8A=="], -25]], "band"), 16, 8, 0)
    loaded = scene_load.load(fields_of([]), 16, 8)
    for n in range(21):
        picture = scene.Picture(16, 8)
        scene.draw(picture, loaded, None, None, n * 40, None, told)
        assert [x for x in range(16) if picture.row(0)[x]] == [x for x in range(n - 4, n) if 0 <= x < 16]


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
    assert age.words(age_s) == words


def test_old_figures_are_dim_with_a_dashed_frame_and_their_age() -> None:
    rows = drawn(
        (48, 20),
        [strip(2, 2, 2, "####", "####"), ["n", 3, 3, 2, 1, 1, 0]],
        numbers(5, level=2),
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
        #.......RRRRRRR.................................
        #.......................###..........#..........
        .......................#...#........##..........
        ...........................#.........#...####...
        ..........................#..........#...#.#.#..
        .........................#...........#...#.#.#..
        #....................................#...#.#.#..
        #........................#..........###..#.#.#..
        #...............................................
        ####....####....####....####....####....####...#
        """,
    )


def test_on_eight_rows_the_age_takes_the_place_of_the_figures() -> None:
    code = strip(0, 0, 1, *["####.####"] * 7)
    rows = drawn((32, 8), [code, ["n", 14, 0, 3, 1, 1, 0]], numbers(88), age_s=45)
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
    ops = [["f", 0, 0, w, h, 3], ["n", 0, 0, 1, 1, 1, 0]]
    for age_s in (-1, 0, 16, 3600, 10**7):
        ink = "".join(drawn(size, ops, numbers(12), age_s=age_s))
        assert not set(ink) & set("car"), "something that is not the age is bright"
        assert "#" in ink
        if h < 16:
            continue
        rows = drawn(size, ops, numbers(12), age_s=age_s)
        dashes = [x for x in range(w - 1) if x % 8 < 4]
        assert [x for x in range(w - 1) if rows[-1][x] == "#"] == dashes
        lit = [x for x in range(w - 1) if rows[0][x] == "#"]
        assert lit in (dashes, [x for x in dashes if x >= 8]), "a gap for the figure, and nowhere else"


def test_a_figure_is_whole_or_gone_while_the_age_is_shown() -> None:
    """Under any place of the age: the dim pixels of a number are all there, or none."""
    whole = "".join(drawn((64, 32), [["n", 0, 0, 2, 3, 1, 0]], numbers(88))).count("#")
    for x, y in itertools.product(range(0, 60, 3), range(0, 30, 3)):
        # Inside the panel, as a compiler would place it, clear of the frame.
        if x < 1 or y < 1 or x + 36 > 63 or y + 21 > 31:
            continue
        rows = drawn((64, 32), [["n", x, y, 2, 3, 1, 0]], numbers(88), age_s=45)
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
    scene.draw(picture, scene_load.load(fields_of([]), 16, 16), None, 0, 0, None)
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
    ("f", "page 1, operation 2: not a list that begins with"),
    (["paint", 1], "page 1, operation 2: not a list that begins with"),
    ([["f"]], "page 1, operation 2: not a list that begins with"),
    ([], "page 1, operation 2: not a list that begins with"),
    (["f", 0, 0, 8, 8], "page 1, operation 2 (f): has 5 members, not 6"),
    (["f", 0, 0, 0, 8, 1], "page 1, operation 2 (f): w is not a whole number from 1 to 512"),
    (["f", 0.5, 0, 8, 8, 1], "page 1, operation 2 (f): x is not a whole number"),
    (["f", 0, 257, 8, 8, 1], "page 1, operation 2 (f): y is not a whole number from -256 to 256"),
    (["f", 0, 0, 8, True, 1], "page 1, operation 2 (f): h is not a whole number"),
    (["f", 0, 0, 8, 8, 9], "page 1, operation 2 (f): colour is not a whole number from 0 to 4"),
    (["s", 0, 0, 1, 0], "(s): there is no strip 0"),
    (["s", 0, 0, 1, [9, 2, "AAAA"]], "strip 0: is not base64 of 4 bytes, for 9 x 2 pixels"),
    (["s", 0, 0, 1, [8, 3, "AAAAA==="]], "strip 0: is not base64 of 3 bytes"),
    (["s", 0, 0, 1, [8, 3, "AA*A"]], "strip 0: is not base64 of 3 bytes"),
    (["s", 0, 0, 1, [8, 3, "AA\nAA"]], "strip 0: is not base64 of 3 bytes"),
    (["s", 0, 0, 1, [8, 3, "ÅÅÅÅ"]], "strip 0: is not base64 of 3 bytes"),
    (["s", 0, 0, 1, [8, 3, None]], "strip 0: is not [w, h, base64]"),
    (["s", 0, 0, 1, [4097, 1, "AAAA"]], "strip 0: no picture is that wide or high"),
    (["n", 0, 0, 2, 9, 1, 0], "(n): scale is not a whole number from 1 to 8"),
    (["n", 0, 0, 0, 1, 1, 0], "(n): cells is not a whole number from 1 to 16"),
    (["n", 0, 0, 2, 1, 1, -1], "(n): number is not a whole number from 0 to 511"),
    (["n", 0, 0, 2, 1, 1, "norsk"], "(n): number is not a whole number"),
    (["n", 50, 0, 3, 1, 1, 0], "(n): its figures do not lie on 64 x 32"),
    (["n", 0, 26, 1, 1, 1, 0], "(n): its figures do not lie on 64 x 32"),
    (["n", -1, 0, 1, 1, 1, 0], "(n): its figures do not lie on 64 x 32"),
    (["t", 0, 0, 2, 1, 1, 0, "5", None, 0], "(t): from is not a whole number"),
    (["t", 0, 0, 4, 1, 1, 0, 1, 2.5, 0], "(t): from is not a whole number"),
    (["t", 0, 0, 4, 1, 1, 0, 1, 2, 11], "(t): blink_s is not a whole number from 0 to 10"),
    (["m", 0, 1, [8, 1, "AA=="], 31], "(m): it moves 24 to 30 pixels a second, not 31"),
    (["m", 0, 1, [8, 1, "AA=="], 0], "(m): it moves 24 to 30 pixels a second, not 0"),
    (["m", 0, 1, 3, 25], "(m): there is no strip 3"),
]


@pytest.mark.parametrize(("op", "words"), WRONG)
def test_a_wrong_operation_is_refused_by_its_place(op: Any, words: str) -> None:
    with pytest.raises(scene_load.SceneError, match=re.escape(words)):
        scene_load.load(fields_of([["f", 0, 0, 8, 8, 1], op]), 64, 32)


def test_a_scene_too_large_or_of_another_version_is_refused() -> None:
    fill = ["f", 0, 0, 8, 8, 1]
    scene_load.load(fields_of(*[[fill] * 64] * 16), 64, 32)
    with pytest.raises(scene_load.SceneError, match="page 2: not a list of at most 64 operations"):
        scene_load.load(fields_of([fill], [fill] * 65), 64, 32)
    for count in (0, 17):
        with pytest.raises(scene_load.SceneError, match="1 to 16 pages"):
            scene_load.load(fields_of(*[[]] * count), 64, 32)
    for dwell_ms in (0, 999, 600001):
        with pytest.raises(scene_load.SceneError, match="1000 to 600000 ms"):
            scene_load.load(fields_of([], dwell_ms=dwell_ms), 64, 32)
    with pytest.raises(scene_load.SceneError, match="page 1: not a list"):
        scene_load.load(fields_of([]) | {"pages": ["f"]}, 64, 32)
    with pytest.raises(scene_load.SceneError, match="version 1; this board draws 2"):
        scene_load.load(fields_of([]) | {"v": 1}, 64, 32)
    with pytest.raises(scene_load.SceneError, match="at most 64 strips"):
        scene_load.load(fields_of(*[[strip(0, 0, 1, "#")] * 33] * 2), 64, 32)


# One drawing on both Pythons.


def any_op(dice: random.Random, w: int, h: int) -> list[Any]:
    x, y = dice.randint(-20, w + 5), dice.randint(-20, h + 5)
    kind = dice.choice(("s", "f", "n", "t", "m"))
    colour = dice.randint(0, 4)
    if kind == "f":
        return [kind, x, y, dice.randint(1, w), dice.randint(1, h), colour]
    if kind in ("s", "m"):
        width, height = dice.randint(1, 80), dice.randint(1, 30)
        bits = dice.randbytes((width + 7) // 8 * height)  # what stands behind a row's end is drawn by nobody
        picture = [width, height, base64.b64encode(bits).decode()]
        if kind == "m":
            return [kind, y, colour, picture, dice.choice((-1, 1)) * dice.randint(24, 30)]
        return [kind, x, y, colour, picture]
    scale = dice.randint(1, min(8, w // 6, h // 7))
    cells = dice.randint(1, min(6, w // (6 * scale)))
    x, y = dice.randint(0, w - (cells * 6 - 1) * scale), dice.randint(0, h - 7 * scale)
    if kind == "t" and cells < 3:
        kind = "n"
    figure = [kind, x, y, cells, scale, dice.randint(1, 4), dice.randint(0, 6)]
    levels = [dice.choice((None, 0, 5, 60, 4000)) for _ in range(2)]
    return figure if kind == "n" else [*figure, *levels, dice.randint(0, 10)]


def any_case(dice: random.Random) -> dict[str, Any]:
    w, h = dice.choice(((8, 8), (32, 8), (33, 17), (64, 32), (128, 64), (200, 40)))
    pages: list[list[Any]] = [[] for _ in range(dice.randint(1, 3))]
    for page in pages:
        page += [any_op(dice, w, h) for _ in range(dice.randint(0, 8))]
    place = dice.choice((None, "band", "page", "priority"))
    known = [(dice.choice((None, -1, 0, 7, 42, 999, 10**9)), dice.randint(0, 2)) for _ in range(6)]
    values = {
        "of": dice.choice(("abcd", "abcd", "abcd", "dcba")),
        "n": words(4000, known),
    }
    return {
        "size": [w, h],
        "fields": dice.choice((None, *[fields_of(*pages, dwell_ms=dice.randint(1000, 9000))] * 15)),
        "values": dice.choice((None, values, values, values, values)),
        "message": place and message_of([any_op(dice, w, h) for _ in range(dice.randint(0, 4))], place),
        "clock_ms": dice.choice((None, 0, 50_000, dice.randint(3_990_000, 4_100_000), 400_000_000)),
        "tick_ms": dice.randint(700, 100000),
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
    cases = [any_case(dice) for _ in range(520)]
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


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_larger_figures_are_the_same_figures(scale: int) -> None:
    for letter in digits.NAMES:
        small, large = scene.Picture(5, 7), scene.Picture(5 * scale, 7 * scale)
        small.write(0, 0, letter, 1, scene.WHITE)
        large.write(0, 0, letter, scale, scene.WHITE)
        for y, x in itertools.product(range(7 * scale), range(5 * scale)):
            assert large.row(y)[x] == small.row(y // scale)[x // scale]
