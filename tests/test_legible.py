"""From how far a wall is read: minutes of arc, who cannot read what, and what to drop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import floorplan
from tests.test_compile import LANGUAGES, plan_of
from wallboard import legible
from wallboard.compile import compile


def said(
    size: tuple[int, int], queues: int = 1, page: dict[str, Any] | None = None, long: bool = False, **wall: Any
) -> list[str]:
    """What is said of a wall with so many queues on one page, without the place; of `long` numbers only if asked."""
    names = list(LANGUAGES.values())[:queues]
    pages = [{"queues": [f"q{n}" for n in range(queues)], **(page or {})}]
    plan = plan_of(size, *names, pages=pages, wall=wall)
    told = [line.removeprefix("[[wall]] north, page 1: ") for line in compile(plan.wall[0], plan).warnings]
    return [line for line in told if long or not line.startswith("longer numbers")]


@pytest.mark.parametrize(
    ("rows", "pitch_mm", "minutes", "metres"),
    [  # the heights a sign needs, by ISO 9241-3's angles: 20' at 10 m are 58 mm, 16' are 47, 10' are 29
        (29, 2, 20, 10),
        (47, 1, 16, 10),
        (29, 1, 10, 10),
        (87, 1, 20, 15),
        (58, 2, 20, 20),
        (7, 4, 16, 6.0),  # 7 rows at P4: 6 m with ease, 9.6 m at most
        (7, 4, 10, 9.6),
        (21, 5, 16, 22.6),
    ],
)
def test_angles_are_those_of_the_published_tables(rows: int, pitch_mm: float, minutes: float, metres: float) -> None:
    assert legible.arcmin(rows, pitch_mm, metres) == pytest.approx(minutes, rel=0.02)
    assert legible.reach_m(rows, pitch_mm, minutes) == pytest.approx(metres, rel=0.02)
    assert legible.arcmin(rows, pitch_mm, legible.reach_m(rows, pitch_mm, minutes)) == pytest.approx(minutes)


def test_who_cannot_read_what_and_how_near_they_must_come() -> None:
    assert said((64, 32), pitch_mm=4, seen_from_m=15) == [
        "nobody at 15 m can read the name 'Norsk', the oldest wait and the free desks (7 lights of 4 mm, 6.4′): "
        "they must come to 9.6 m, or 6.0 m to read with ease",
        "so that all of it is read from 15 m: a panel of 64x32 at P10 would do",
    ]


def test_what_only_good_eyes_read_is_told_too() -> None:
    assert said((64, 32), pitch_mm=5, seen_from_m=9) == [
        "at 9 m only good eyes read the name 'Norsk', the oldest wait and the free desks (7 lights of 5 mm, 13.4′); "
        "up to 7.5 m is easy",
        "so that all of it is read from 9 m: a panel of 64x32 at P6 would do",
    ]
    assert said((64, 32), pitch_mm=5, seen_from_m=7.5) == []


def test_what_to_drop_is_said_and_helps() -> None:
    """Whoever does what the wall says has a wall of which nothing is hard to read any more."""
    hard = said((128, 64), 4, pitch_mm=4, seen_from_m=8)
    assert hard[-1] == (
        "so that all of it is read from 8 m: drop 3 of 4 queues a page or a panel of 128x64 at P6 would do"
    )
    assert said((128, 64), 1, pitch_mm=4, seen_from_m=8) == []
    assert said((128, 64), 4, pitch_mm=6, seen_from_m=8) == []


@pytest.mark.parametrize("size", [(64, 32), (128, 32), (64, 64), (96, 48), (128, 64), (192, 32), (256, 64), (256, 128)])
@pytest.mark.parametrize("queues", [1, 2, 3, 4])
def test_every_panel_that_is_named_would_do(size: tuple[int, int], queues: int) -> None:
    for pitch_mm, seen_from_m in ((3, 12), (4, 8), (5, 20)):
        lines = said(size, queues, pitch_mm=pitch_mm, seen_from_m=seen_from_m)
        advice = next((line for line in lines if line.startswith("so that")), "")
        named = re.search(r"a panel of (\d+)x(\d+) at P([\d.]+) would do(, for good eyes)?", advice)
        if named:
            better = said((int(named[1]), int(named[2])), queues, pitch_mm=float(named[3]), seen_from_m=seen_from_m)
            assert not any("nobody" in line or "turns" in line for line in better), (advice, better)
            assert bool(named[4]) or not any("only good eyes" in line for line in better), (advice, better)
        dropped = re.search(r"drop (\d+) of (\d+) queues a page( and the free desks)?", advice)
        if dropped and "for good eyes" not in advice:
            fewer = int(dropped[2]) - int(dropped[1])
            rest = {"free_desks": not dropped[3]}
            assert said(size, fewer, rest, pitch_mm=pitch_mm, seen_from_m=seen_from_m) == [], advice
        if "drop the free desks" in advice and "for good eyes" not in advice:
            assert said(size, queues, {"free_desks": False}, pitch_mm=pitch_mm, seen_from_m=seen_from_m) == [], advice


def test_from_which_number_on_it_is_too_small_is_told() -> None:
    """138 in two cells at three times its size is drawn at twice, 1000 at once: the eye gets that."""
    assert said((64, 32), long=True, pitch_mm=5, seen_from_m=20)[-2] == (
        "longer numbers are smaller: the waiting callers from 100 on 12.0′, from 1000 on 6.0′"
    )
    assert not [line for line in said((64, 32), long=True, pitch_mm=5, seen_from_m=7) if "longer" in line]


def test_without_pitch_or_distance_that_is_told_where_lights_are_real() -> None:
    words = "nobody can say from how far it is read"
    assert said((64, 32)) == []
    assert words in said((64, 32), pitch_mm=4)[0]
    assert words in said((64, 32), seen_from_m=4)[0]
    chain = {"kind": "max7219", "modules": [4, 1], "bus": "spi0"}
    assert any(words in line for line in said((32, 8), panel=chain))
    assert not any(words in line for line in said((32, 8), panel=chain, pitch_mm=4, seen_from_m=5))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pitch_mm = 0", "wall[1].pitch_mm: is 1 or more"),
        ("seen_from_m = 500", "wall[1].seen_from_m: is 200 or less"),
        ('languages = ["norsk"]', "a language is written as two or three small letters"),
        ('messages = "top"', 'wall[1].messages: is "page" or "band"'),
        ("blnk = false", "unknown key; did you mean 'blink'?"),
    ],
)
def test_what_is_wrong_in_a_wall_is_said_in_words(tmp_path: Path, line: str, words: str) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        f'site = {{ id = "s" }}\n[[board]]\nid = "b"\n[[wall]]\nid = "north"\nboard = "b"\n{line}\n'
        'panel = { kind = "memory" }\npages = [ { queue = "a" } ]\n',
        encoding="utf-8",
    )
    with pytest.raises(floorplan.SiteError) as error:
        floorplan.read(site)
    assert words in str(error.value)


@pytest.mark.parametrize("code", ['""', '"NORD"', '"A B"'])
def test_a_code_is_one_to_three_letters(tmp_path: Path, code: str) -> None:
    site = tmp_path / "site.toml"
    site.write_text(f'site = {{ id = "s" }}\n[[queue]]\nid = "a"\nname = "A"\npbx = "a"\ncode = {code}\n')
    with pytest.raises(floorplan.SiteError, match="one to three letters"):
        floorplan.read(site)
