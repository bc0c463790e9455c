"""Letters: every one that a label may hold, in pixels, and a visible box for the others."""

from __future__ import annotations

import itertools
import string
import unicodedata

import pytest

from firmware import digits
from wallboard import letters
from wallboard import type as types

OURS = "".join(chr(code) for code in range(32, 127)) + "æøåÆØÅäöÄÖ"


def shows(strip: types.Strip, expected: str) -> None:
    assert strip.rows() == expected.split(), "drawn:\n" + "\n".join(strip.rows())
    assert (strip.w, strip.h) == (len(strip.rows()[0]), len(strip.rows()))


def test_a_name_in_letters() -> None:
    shows(
        types.strip_of("Kjøp 2", 9),
        """
        #...#...#..................###.
        #..#......................#...#
        #.#....##..###..####..........#
        ##......#.#..##.#...#........#.
        #.#.....#.#.#.#.#...#.......#..
        #..#....#.##..#.#...#......#...
        #...#...#..###..####......#####
        ........#.......#..............
        ......##........#..............
        """,
    )


def test_capitals_and_figures_need_seven_rows() -> None:
    strip = types.strip_of("NÅ", 7)
    shows(
        strip,
        """
        #...#..###.
        ##..#..#.#.
        ##..#..###.
        #.#.#.#...#
        #..##.#####
        #..##.#...#
        #...#.#...#
        """,
    )
    assert types.strip_of("NÅ", 8) == strip


def test_what_reaches_below_the_line_needs_nine_rows() -> None:
    for text in ("gul", "Å,", "_"):
        with pytest.raises(ValueError, match=f"'{text}' reaches below the line: it needs 9 rows, not 8"):
            types.strip_of(text, 8)
    with pytest.raises(ValueError, match="letters need 7 rows, not 6"):
        types.strip_of("N", 6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_more_rows_make_larger_letters(scale: int) -> None:
    small = types.strip_of("Polski gj", 9).rows()
    large = types.strip_of("Polski gj", 9 * scale + 8)
    assert (large.w, large.h) == (len(small[0]) * scale, 9 * scale)
    assert large.rows() == ["".join(ink * scale for ink in row) for row in small for _ in range(scale)]


def test_every_letter_of_ours_is_there_and_like_no_other() -> None:
    assert types.strip_of(OURS, 9).missing == ()
    alike = [
        (one, other)
        for one, other in itertools.combinations(OURS, 2)
        if letters.LETTERS[one] == letters.LETTERS[other]
    ]
    assert alike == [("0", "O")], "those two are told apart by where they stand"
    for letter, rows in letters.LETTERS.items():
        assert len(rows) == 9, letter
        assert 1 <= len(rows[0]) <= 5, letter
        assert all(len(row) == len(rows[0]) and set(row) <= {"#", "."} for row in rows), letter


def test_capitals_stand_on_the_line_and_reach_its_top() -> None:
    for letter in string.ascii_uppercase + "ÆØÅÄÖ":
        rows = letters.LETTERS[letter]
        assert "#" in rows[0], letter
        assert "#" in rows[6], letter
        assert "#" not in rows[7] + rows[8], letter


def test_figures_are_those_of_the_wall_and_all_of_one_width() -> None:
    for figure in string.digits:
        rows = types.strip_of(figure, 7).rows()
        stored = [f"{row:08b}"[:5].replace("0", ".").replace("1", "#") for row in digits.glyph(figure)]
        assert rows == stored


def test_a_letter_nobody_has_is_a_box_and_is_told() -> None:
    strip = types.strip_of("aЖųЖ", 9)
    assert strip.missing == ("Ж", "ų")
    assert strip.w == 5 * 4 + 3
    box = [row[6:11] for row in strip.rows()]
    assert box == ["#####", *["#...#"] * 5, "#####", ".....", "....."]
    assert not types.has("Ж")
    assert types.has("å")


def test_a_letter_with_a_loose_accent_is_the_letter() -> None:
    assert types.strip_of(unicodedata.normalize("NFD", "Åsgård"), 9) == types.strip_of("Åsgård", 9)


def test_no_text_is_an_empty_strip() -> None:
    strip = types.strip_of("", 9)
    assert (strip.w, strip.h, strip.bits) == (1, 9, bytes(9))


def test_an_icon_is_what_is_drawn() -> None:
    shows(types.icon("#.#\n.#.", 2), "##..## ##..## ..##.. ..##..")
