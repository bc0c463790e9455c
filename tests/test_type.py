"""Letters: every one that a label may hold, in pixels, and a visible box for the others."""

from __future__ import annotations

import base64
import itertools
import random
import string
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import digits
from wallboard import faces, letters
from wallboard import type as types

LATIN = string.ascii_letters + string.digits + "!?.,:;()/+-&%"
CYRILLIC = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя"
ARABIC = "".join(chr(code) for code in (*range(0x621, 0x63B), *range(0x641, 0x64B))) + "لالألإلآ،؟٠١٢٣٤٥٦٧٨٩"
LANGUAGES = {
    "Norwegian": LATIN + "æøåÆØÅ",
    "Swedish": LATIN + "äöåÄÖÅé",
    "English": LATIN,
    "Polish": LATIN + "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ",
    "Romanian": LATIN + "ăâîșțĂÂÎȘȚ",
    "Lithuanian": LATIN + "ąčęėįšųūžĄČĘĖĮŠŲŪŽ",
    "Russian": string.digits + CYRILLIC,
}
SEED = int(time.time())
OURS = "".join(chr(code) for code in range(32, 127)) + "æøåÆØÅäöÄÖ"
HEIGHTS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 24, 26, 27, 30, 36, 40, 64)
SHOWN = Path(__file__).parent / "data" / "strips.txt"


@pytest.fixture(autouse=True)
def _fonts_are_here() -> None:
    assert types.advice() is None, types.advice()


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLFLOOR_FONTS", "")


def shows(strip: types.Strip, expected: str) -> None:
    drawn = "\n".join(strip.rows())
    assert strip.rows() == expected.split(), f"drawn:\n{drawn}\nexpected:\n" + "\n".join(expected.split())
    assert (strip.w, strip.h) == (len(strip.rows()[0]), len(strip.rows()))


def may_look_alike(one: str, other: str, strip: types.Strip) -> bool:
    """A figure and a letter that only their place tells apart; a capital and what is above or below it
    have no room in seven rows of ours."""
    accented = len(unicodedata.normalize("NFD", one)) == 2 or (one in "ЦцЩщ" and strip.h < 9)
    ours = strip.cap == 7 * strip.scale
    return {one, other} in ({"0", "O"}, {"0", "О"}, {"3", "З"}) or (
        ours and accented and one.lower() == other.lower()
    )


def pictures() -> list[tuple[str, str]]:
    """A line that says the rows and the text, and the picture."""
    blocks = SHOWN.read_text(encoding="utf-8").strip().split("\n\n")
    return [(title, picture) for title, _, picture in (block.partition("\n") for block in blocks)]


@pytest.mark.parametrize(("title", "picture"), pictures(), ids=[title for title, _ in pictures()])
def test_each_language_at_the_sizes_of_walls(title: str, picture: str) -> None:
    height, _, text = title.partition(" ")
    shows(types.strip_of(text, int(height)), picture)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_its_letters_whole_and_each_unlike_the_others(language: str) -> None:
    for height in HEIGHTS:
        drawn: dict[tuple[str, ...], str] = {}
        for letter in LANGUAGES[language]:
            strip = types.strip_of(letter, height)
            assert strip.missing == (), (letter, height)
            assert strip.h <= height, (letter, height)
            assert strip.cap <= strip.base <= strip.h, (letter, height)
            rows = tuple(strip.rows())
            other = drawn.setdefault(rows, letter)
            assert other == letter or may_look_alike(letter, other, strip), (other, letter, height)


def test_arabic_letters_are_there_from_nine_rows_on() -> None:
    for height in HEIGHTS[2:]:
        for letter in ARABIC:
            strip = types.strip_of(letter, height)
            assert strip.missing == (), (letter, height)
            assert strip.h <= height, (letter, height)
            assert strip.rtl or letter.isdigit() or letter == "،"


@pytest.mark.parametrize(
    ("one", "other"), ["AR", "HM", "MW", "HN", "68", "38", "56", "B8", "иu", "ео", "Зэ", "гт", "пл", "ın"]
)
def test_letters_that_are_confused_differ_by_three_pixels_and_more(one: str, other: str) -> None:
    """Two pixels are what 6 and 8 differ by in the smallest of the fonts, and what is misread."""
    for height in (9, 13, 16, 18, 20):
        first, second = (types.strip_of(letter, height).rows() for letter in (one, other))
        apart = sum(
            a != b
            for row, another in zip(first, second, strict=True)
            for a, b in itertools.zip_longest(row, another, fillvalue=".")
        )
        assert apart > 2, (one, other, height)


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
    assert types.strip_of("NÅ", 8).rows() == [*strip.rows(), "." * 11]
    with pytest.raises(ValueError, match="letters need 7 rows, not 6"):
        types.strip_of("N", 6)


def test_where_there_is_no_room_below_the_line_letters_move_up() -> None:
    shows(
        types.strip_of("gjųĄ", 7),
        """
        .####...#.#...#..###.
        #...#.....#...#.#...#
        #...#..##.#...#.#...#
        #...#...#.#...#.#####
        .####...#..####.#...#
        ....#...#....#.....#.
        .###..##.....##....##
        """,
    )
    assert types.strip_of("gjų", 8).missing == types.strip_of("gjų", 7).missing == ()


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_more_rows_make_larger_letters(scale: int) -> None:
    small = types.strip_of("Polski gj", 9).rows()
    large = types.strip_of("Polski gj", 9 * scale + 8)
    assert (large.w, large.h, large.scale) == (len(small[0]) * scale, 9 * scale, scale)
    assert (large.base, large.cap) == (7 * scale, 7 * scale)
    assert large.rows() == ["".join(ink * scale for ink in row) for row in small for _ in range(scale)]


def test_at_nine_and_eighteen_rows_the_letters_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("Norsk", "Łódź", "Știri", "Ėjų", "Русский щит", "24:05")
    strips = [types.strip_of(name, height) for name in names for height in (7, 9, 18, 27)]
    monkeypatch.setenv("CALLFLOOR_FONTS", "")
    assert strips == [types.strip_of(name, height) for name in names for height in (7, 9, 18, 27)]


@pytest.mark.usefixtures("no_fonts")
def test_every_letter_of_ours_is_there_and_like_no_other() -> None:
    assert types.strip_of(OURS, 9).missing == ()
    alike = {
        one + other
        for one, other in itertools.combinations(letters.LETTERS, 2)
        if letters.LETTERS[one] == letters.LETTERS[other]
    }
    assert alike == {"0O"}, "those are told apart by where they stand"
    for letter, rows in letters.LETTERS.items():
        assert len(rows) == 9, letter
        assert 1 <= len(rows[0]) <= 5, letter
        assert all(len(row) == len(rows[0]) and set(row) <= {"#", "."} for row in rows), letter


def test_capitals_stand_on_the_line_and_reach_its_top() -> None:
    for letter in string.ascii_uppercase + "ÆØÅÄÖĄĆĘŁŃÓŚŹŻĂÂÎȘȚČĖĮŠŲŪŽ" + CYRILLIC[:33]:
        rows = letters.glyph(letter)
        assert rows
        assert "#" in rows[0], letter
        assert "#" in rows[6], letter
        assert ("#" in rows[7] + rows[8]) == (letter in "ĄĘĮŲȘȚДЦЩ"), letter


def test_figures_are_those_of_the_wall_and_all_of_one_width() -> None:
    for figure in string.digits:
        rows = types.strip_of(figure, 7).rows()
        stored = [f"{row:08b}"[:5].replace("0", ".").replace("1", "#") for row in digits.glyph(figure)]
        assert rows == stored


def test_a_letter_nobody_has_is_a_box_and_is_told() -> None:
    strip = types.strip_of("aжあжع", 9)
    assert strip.missing == ("あ",)
    strip = types.strip_of("a\U0001f600b\U0001f600", 9)
    assert strip.missing == ("\U0001f600",)
    assert strip.w == 5 * 4 + 3
    box = [row[6:11] for row in strip.rows()]
    assert box == ["#####", *["#...#"] * 5, "#####", ".....", "....."]
    assert not types.has("あ")
    assert types.has("あ", 16)
    assert types.has("å")


@pytest.mark.usefixtures("no_fonts")
def test_without_fonts_there_are_our_letters_and_boxes_and_what_to_install() -> None:
    assert types.strip_of("Ы3 عربي", 13).missing == ("ي", "ب", "ر", "ع")
    assert types.strip_of("Žąsis, Łódź, Țară, Ёж", 13).missing == ()
    shows(
        types.strip_of("あ.", 13),
        """
        #####...
        #...#...
        #...#...
        #...#...
        #...#...
        #...#.##
        #####.##
        ........
        ........
        """,
    )
    assert types.strip_of("あ", 13).h == 9, "of a face that is not there not even the size"
    assert (types.advice() or "").endswith(": sudo apt install xfonts-base fonts-noto-core fonts-unifont")


def test_another_folder_of_fonts_and_a_font_that_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path(faces.FOLDERS[0], "6x13.pcf.gz")
    (tmp_path / "6x13.pcf.gz").write_bytes(real.read_bytes())
    (tmp_path / "9x15B.pcf.gz").write_bytes(real.read_bytes()[:5000])
    (tmp_path / "unifont.otf").write_bytes(b"no font")
    before = types.strip_of("Łódź", 13)
    monkeypatch.setenv("CALLFLOOR_FONTS", f"/nowhere:{tmp_path}")
    assert types.strip_of("Łódź", 13) == before
    assert types.strip_of("Łódź", 16) == before, "the face for 15 rows is broken: the next one serves"
    assert types.strip_of("あ", 16).missing == ("あ",)
    assert (types.advice() or "").endswith(": sudo apt install --reinstall fonts-noto-core fonts-unifont")


def test_a_word_is_not_mixed_from_two_faces() -> None:
    whole = types.strip_of("Għaqda", 9)
    assert whole.missing == ()
    first = next(face for face in faces.WESTERN if faces.has(face, "ħ") and face.rows == 9)
    ink = faces.glyph(first, "G")
    assert ink
    drawn = [row[: ink.w] for row in whole.rows()]
    top = whole.base - ink.above
    assert drawn[top : top + len(ink.rows)] == list(ink.rows)
    assert drawn != [row[:5] for row in types.strip_of("G", 9).rows()]


def test_names_of_one_size_stand_on_one_line() -> None:
    for height in (9, 13, 16, 18, 20):
        bases = {
            types.strip_of(text, height).base for text in ("Norsk", "ågj", "Łąka", "Русский", "24:05", "")
        }
        assert len(bases) == 1, height


def test_a_letter_with_a_loose_accent_is_the_letter() -> None:
    assert types.strip_of(unicodedata.normalize("NFD", "Åsgård"), 9) == types.strip_of("Åsgård", 9)


def test_signs_that_are_no_letters_are_defined() -> None:
    plain = types.strip_of("Kø 2", 9)
    assert types.strip_of(" \u200bKø\u00a02\ufeff\u200e\u00ad\n", 9) == plain
    assert types.strip_of("Kø\t2", 9) == plain
    assert types.strip_of("a\x07\ud800\u0489\ue000", 20).missing == ("U+0007", "U+D800", "U+0489", "U+E000")
    assert types.strip_of("عَرَبِيّ", 16) == types.strip_of("عربي", 16), "vowel signs are left out"


def test_no_text_is_an_empty_strip() -> None:
    strip = types.strip_of("", 9)
    assert (strip.w, strip.h, strip.bits) == (1, 9, bytes(9))
    assert types.strip_of(" \u200b", 9) == strip


def test_eight_names_are_few_bytes() -> None:
    names = ("Norsk", "Svenska", "English", "Polski", "Română", "Lietuvių", "Русский", "العربية")
    strips = [types.strip_of(name, 9) for name in names]
    assert not any(strip.missing for strip in strips)
    assert sum(len(base64.b64encode(strip.bits)) for strip in strips) <= 580
    assert max(strip.w for strip in strips) <= 44


@settings(deadline=None)
@given(st.text(st.characters(), max_size=12), st.integers(7, 40))
def test_any_text_is_a_picture_that_fits(text: str, height: int) -> None:
    fits(types.strip_of(text, height), text, height)


def test_lines_of_many_scripts_are_pictures_that_fit() -> None:
    print("seed", SEED)
    dice = random.Random(SEED)
    for _ in range(25):
        kinds = ((0x20, 0x250), (0x400, 0x460), (0x600, 0x700), (0x20, 0x3000))
        text = "".join(chr(dice.randrange(*dice.choice(kinds))) for _ in range(30))
        height = dice.randint(7, 64)
        fits(types.strip_of(text, height), text, height)


def fits(strip: types.Strip, text: str, height: int) -> None:
    assert 7 <= strip.h <= height
    assert 0 < strip.base <= strip.h
    assert len(strip.bits) == (strip.w + 7) // 8 * strip.h
    assert " ".join(strip.missing).isprintable()
    assert (
        strip.w == 1
        or "1" in text
        or {"#"} <= {row[0] for row in strip.rows()} & {row[-1] for row in strip.rows()}
    )


def test_an_icon_is_what_is_drawn() -> None:
    shows(types.icon("#.#\n.#.", 2), "##..## ##..## ..##.. ..##..")


def test_a_font_that_cannot_be_read_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "6x13.pcf.gz").write_bytes(b"no font")
    (tmp_path / "unifont.otf").write_bytes(b"")
    monkeypatch.setenv("CALLFLOOR_FONTS", str(tmp_path))
    words = types.advice() or ""
    assert str(tmp_path / "6x13.pcf.gz") in words
    assert str(tmp_path / "unifont.otf") in words
    assert words.endswith("sudo apt install --reinstall xfonts-base fonts-noto-core fonts-unifont")


def test_the_lines_of_one_text_run_as_the_whole_of_it() -> None:
    """In one line 12-345 after Arabic stands as 345-12, and so it does where it is a line by itself."""
    arabic, number = types.strips_of(["اتصل بالرقم", "12-345"], 15)
    assert arabic == types.strip_of("اتصل بالرقم", 15)
    assert number.bits == types.strip_of("345-12", 15).bits != types.strip_of("12-345", 15).bits
