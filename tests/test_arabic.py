"""Arabic joins and runs from the right: against two other programs, on strings nobody chose."""

from __future__ import annotations

import random
import time

import arabic_reshaper
import bidi as bidi_in_rust
import pytest
from bidi import algorithm as bidi_in_python

from wallboard import arabic, bidi

SEED = int(time.time())
STRINGS = 20_000

ARABIC = "".join(chr(code) for code in (*range(0x621, 0x63B), *range(0x640, 0x64B)))
MORE = "پچژکگی"  # of Persian and Urdu
VOWELS = "\u064b\u064e\u0650\u0651\u0652"
OTHERS = " -1:aÅЖ"

RIGHT = "ابتلمعאב"
LEFT = "Abcżж"
FIGURES = "0123456789٠١٢"
SIGNS = "   :./,-+<>«»%№#!?&،…؟\u0308"
BRACKETS = "()[]{}"

# The ligature of a holy name is the reshaper's one that we do not draw: only some fonts have it.
RESHAPER = arabic_reshaper.ArabicReshaper({"delete_harakat": True, "ARABIC LIGATURE ALLAH": False})


@pytest.fixture
def dice() -> random.Random:
    print("seed", SEED)
    return random.Random(SEED)


def test_letters_join_as_arabic_reshaper_joins_them(dice: random.Random) -> None:
    for _ in range(STRINGS):
        text = "".join(dice.choices(ARABIC * 2 + MORE + VOWELS + OTHERS, k=dice.randint(1, 16)))
        assert arabic.joined(text) == RESHAPER.reshape(text), ascii(text)


def test_the_order_is_that_of_python_bidi(dice: random.Random) -> None:
    """Its Rust part pairs brackets but turns none round: which way they point is not compared."""
    alike = str.maketrans(")]}>»", "([{<«")
    for _ in range(STRINGS):
        text = "".join(dice.choices(RIGHT + LEFT + FIGURES + SIGNS + BRACKETS, k=dice.randint(1, 20)))
        ordered = bidi_in_rust.get_display(text)
        assert bidi.shown(text).translate(alike) == ordered.translate(alike), ascii(text)


def test_signs_are_turned_round_as_by_python_bidi(dice: random.Random) -> None:
    """Its Python part turns signs round but pairs no brackets: they are left out."""
    for _ in range(STRINGS):
        text = "".join(dice.choices(RIGHT + LEFT + FIGURES + SIGNS, k=dice.randint(1, 20)))
        assert bidi.shown(text) == bidi_in_python.get_display(text), ascii(text)


@pytest.mark.parametrize(
    ("read", "on_the_wall"),
    [
        ("خدمة 24:05", "24:05 ةمدخ"),
        ("المبيعات (VIP) 3", "3 (VIP) تاعيبملا"),
        ("Kø 2: المبيعات 7", "Kø 2: 7 تاعيبملا"),
        ("دعم 08:00–16:00", "16:00–08:00 معد"),
        ("[ع] 100%", "%100 [ع]"),
        ("\u2067ع\u2069 a\u202e", "a ع"),
        ("", ""),
    ],
)
def test_labels_in_two_directions(read: str, on_the_wall: str) -> None:
    assert bidi.shown(read) == on_the_wall


def test_which_way_a_line_runs_the_whole_text_says() -> None:
    """UAX #9 finds the levels of a paragraph before it is broken into lines."""
    assert bidi.lines(["Stengt ·", "مغلق", "12-13"]) == ["Stengt ·", "قلغم", "13-12"]
    assert bidi.lines(["اتصل", "12-345", "Room 5"]) == ["لصتا", "345-12", "Room 5"]
    assert bidi.lines(["12-345"]) == ["12-345"]


def test_lines_hold_what_one_line_holds(dice: random.Random) -> None:
    """A text in words or in one line: the same letters, turned round the same."""
    for _ in range(2000):
        letters = RIGHT + LEFT + FIGURES + SIGNS.strip()
        words = ["".join(dice.choices(letters, k=dice.randint(1, 6))) for _ in range(4)]
        assert sorted("".join(bidi.lines(words))) == sorted(bidi.shown(" ".join(words)).replace(" ", ""))


def test_numbers_that_arabic_turns_are_named() -> None:
    assert bidi.turned("اتصل بالرقم 12-345 الآن") == ["12-345"]
    assert bidi.turned("مغلق 12–13, 5-5") == ["12–13"]
    assert bidi.turned("Ring 12-345") == bidi.turned("مغلق 14:30") == []


def test_who_runs_from_the_right() -> None:
    assert [bidi.is_rtl(text) for text in ("12 العربية", "Kø العربية", "12:30", "")] == [
        True,
        False,
        False,
        False,
    ]


def test_a_joiner_joins_and_a_non_joiner_parts() -> None:
    alone, start = "\ufe91", "\ufe8f"  # beh at the start of a word, and by itself
    assert arabic.joined("ب\u200d") == alone + "\u200d"
    assert arabic.joined("ب\u200cب") == start + "\u200c" + start
