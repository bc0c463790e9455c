"""Old figures on real walls: dim and whole, most of them still there, the age beside them, messages as ever."""

from __future__ import annotations

import pytest

from firmware import scene, scene_load
from firmware.age import covers, place
from firmware.values import Numbers
from tests.test_compile import compiled
from wallboard import message as messages

AGE_S = 200
BRIGHT = set(range(1, scene.DIM))
NAMES = ("Norsk", "Polski", "Русский", "العربية")
STAY = {  # of the figures of a page so many are still there, dim
    ((64, 32), 1): 2, ((64, 64), 2): 5, ((96, 32), 1): 2, ((128, 32), 2): 4, ((128, 64), 1): 2, ((128, 64), 2): 4,
    ((128, 64), 4): 9, ((256, 64), 4): 9,
}  # fmt: skip


def shown(size: tuple[int, int], queues: int) -> tuple[scene.Picture, list[object]]:
    """The first page with old figures, and its operations."""
    loaded = scene_load.load(compiled(size, *NAMES[:queues]).message, *size)
    numbers = Numbers(loaded.of, 1000, [18, 24, 6] * queues, [0] * 3 * queues)
    picture = scene.Picture(*size)
    scene.draw(picture, loaded, numbers, 1_000_000, 0, AGE_S)
    return picture, loaded.pages[0]


@pytest.mark.parametrize(("size", "queues"), STAY)
def test_most_figures_stay_dim_and_whole(size: tuple[int, int], queues: int) -> None:
    picture, page = shown(size, queues)
    rows = [picture.row(y) for y in range(picture.h)]
    age = place(page, *size, AGE_S)
    there = [op for op in page if isinstance(op, scene.Figure) and not covers(size[0], age, op)]
    assert len(there) >= STAY[size, queues], (len(there), [op for op in page if isinstance(op, scene.Figure)])
    for op in there:
        inks = {ink for row in rows[op.y : op.y + op.h] for ink in row[op.x : op.x + op.w]}
        assert inks & {ink + scene.DIM for ink in BRIGHT}, "it is there"
        assert not inks & BRIGHT, "and nothing bright lies over it"
    assert any(ink in BRIGHT for row in rows for ink in row), "the age"


@pytest.mark.parametrize("size", [(32, 8), (64, 8), (32, 16), (64, 16), (96, 16)])
def test_a_low_wall_shows_its_age_and_no_half_a_figure(size: tuple[int, int]) -> None:
    picture, page = shown(size, 1)
    age = place(page, *size, AGE_S)
    text, scale, x, y, _ = age
    alone = scene.Picture(*size)
    alone.write(x, y, text, scale, scene.WHITE)
    end = x + (len(text) * 6 - 1) * scale
    for row in range(7 * scale):
        assert picture.row(y + row)[x:end] == alone.row(y + row)[x:end]
    assert picture.old


def test_what_people_are_told_is_no_older_for_that() -> None:
    size = (128, 64)
    for band in ((48, 16), None):
        told = messages.compose("Fire drill at 14:00 in hall B", size, band, True)
        loaded = scene_load.load_message(told.fields("b1", 10**6), *size, 0)
        picture, fresh = scene.Picture(*size), scene.Picture(*size)
        scene.draw(picture, scene.Scene("", "", 8000, [[]]), None, None, 0, AGE_S, loaded)
        scene.draw(fresh, scene.Scene("", "", 8000, [[]]), None, None, 0, None, loaded)
        assert picture.old == bool(band), "its page is not old, what stands above a band is"
        top = band[0] if band else 0
        assert [picture.row(y) for y in range(top, 64)] == [fresh.row(y) for y in range(top, 64)]
