"""From how far a wall can be read, and what to drop where that is not far enough.

What the eye sees is an angle: rows of light times their pitch, over the distance, in minutes of arc.
ISO 9241-3 asks for 16 at least and prefers 20 to 22; 10 can still be read where light and contrast are good.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import floorplan
from firmware import scene
from wallboard import layout
from wallboard import type as types
from wallboard.layout import Op

PREFERRED = 20.0  # minutes of arc
LEAST = 16.0
HARDLY = 10.0  # below it nobody reads
PITCHES_MM = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0)  # of panels that are sold
SIZES = ((64, 32), (128, 32), (96, 48), (128, 64), (192, 64), (256, 64), (256, 128))

NAMES = {"waiting": "the waiting callers", "wait": "the oldest wait", "free": "the free desks"}


class Sight(NamedTuple):
    """Something on a wall, and how tall it is."""

    what: str
    rows: int  # of a figure, or of a capital letter


def arcmin(rows: int, pitch_mm: float, distance_m: float) -> float:
    """How tall so many rows of light look from there, in minutes of arc."""
    return math.degrees(2 * math.atan(rows * pitch_mm / 2000 / distance_m)) * 60


def reach_m(rows: int, pitch_mm: float, minutes: float) -> float:
    """The distance from which so many rows look as tall as that."""
    return rows * pitch_mm / 2000 / math.tan(math.radians(minutes / 120))


def sights(page: list[Op]) -> Iterator[Sight]:
    """The figures of one page, each kind once, as small as it is there."""
    least: dict[str, int] = {}
    for op in reversed(page):  # the first queue's are drawn last
        if op[0] in ("n", "t"):
            kind = op[6].rsplit(".", 1)[1]
            least[kind] = min(least.get(kind, 999), layout.FIGURE * op[4])
    return (Sight(NAMES.get(kind, kind), rows) for kind, rows in least.items())


def words(wall: floorplan.Wall, seen: list[Sight]) -> list[str]:
    """What is hard to read on a wall from where it is seen, and what nobody can; the smallest first."""
    if wall.pitch_mm is None or wall.seen_from_m is None:
        return []
    lines = []
    for rows in sorted({sight.rows for sight in seen}):
        minutes = arcmin(rows, wall.pitch_mm, wall.seen_from_m)
        if minutes >= LEAST:
            continue
        what = _and(dict.fromkeys(sight.what for sight in seen if sight.rows == rows))
        size = f"{rows} lights of {wall.pitch_mm:g} mm, {minutes:.1f}′"
        good, most = (_metres(reach_m(rows, wall.pitch_mm, limit)) for limit in (LEAST, HARDLY))
        if minutes < HARDLY:
            lines.append(
                f"nobody at {wall.seen_from_m:g} m can read {what} ({size}): they must come to {most}, "
                f"or {good} to read with ease"
            )
        else:
            lines.append(f"at {wall.seen_from_m:g} m only good eyes read {what} ({size}); up to {good} is easy")
    return lines


def shrinking(wall: floorplan.Wall, pages: list[list[Op]]) -> list[str]:
    """From which number on the waiting callers are drawn too small to be read from where the wall is seen."""
    if wall.pitch_mm is None or wall.seen_from_m is None:
        return []
    waiting = [op for page in pages for op in page if op[0] == "n" and op[6].endswith(".waiting")]
    least = min(((op[3], op[4]) for op in waiting), key=lambda figure: figure[1], default=None)
    if least is None:
        return []
    cells, scale = least
    before, steps = arcmin(layout.FIGURE * scale, wall.pitch_mm, wall.seen_from_m), []
    for figures in range(cells + 1, 5):
        smaller = scene.number_words(10 ** (figures - 1), cells, scale)[1]
        minutes = arcmin(layout.FIGURE * smaller, wall.pitch_mm, wall.seen_from_m)
        if minutes < min(LEAST, before):
            steps.append(f"from 1{'0' * (figures - 1)} on {minutes:.1f}′")
            before = minutes
    return [f"longer numbers are smaller: the waiting callers {', '.join(steps)}"] if steps else []


class Wanted(NamedTuple):
    """What a page is to show."""

    names: tuple[str, ...]
    queues: int
    free_cells: int
    free: bool


def advice(wall: floorplan.Wall, wanted: Wanted) -> str:
    """What to do so that everything on a page can be read; empty where nothing is known.

    What is left out is asked for first, then another panel; 16 minutes are wanted, else 10.
    """
    if wall.pitch_mm is None or wall.seen_from_m is None:
        return ""
    for minutes in (LEAST, HARDLY):
        rows = next(n for n in range(1, 9999) if arcmin(n, wall.pitch_mm, wall.seen_from_m) >= minutes)
        ways = list(_droppings(wall.panel.size, wanted, rows))[:2]
        if panel := _panel(wall, wanted, minutes):
            ways.append(f"a panel of {panel} would do")
        if ways:
            return " or ".join(ways) + ("" if minutes == LEAST else ", for good eyes")
    return f"no panel that is sold shows {_many(wanted.queues)} so far: hang it nearer"


def _droppings(size: tuple[int, int], wanted: Wanted, rows: int) -> Iterator[str]:
    """What to leave out of a page so that the rest is so many rows tall, in words."""
    if wanted.free and _shows(size, wanted._replace(free=False)) >= rows:
        yield "drop the free desks (free_desks = false)"
    for fewer in range(wanted.queues - 1, 0, -1):
        for free in (True, False) if wanted.free else (False,):
            if _shows(size, wanted._replace(queues=fewer, free=free)) >= rows:
                also = "" if free == wanted.free else " and the free desks"
                yield f"drop {wanted.queues - fewer} of {wanted.queues} queues a page{also}"
                return


def _panel(wall: floorplan.Wall, wanted: Wanted, minutes: float) -> str | None:
    """The smallest panel that shows all of it, as `128x64 at P5`: of the same size, else of another."""
    assert wall.pitch_mm and wall.seen_from_m
    pitches = [pitch for pitch in PITCHES_MM if pitch > wall.pitch_mm]
    choices = [(wall.panel.size, pitch) for pitch in pitches]
    choices += [(size, pitch) for size in SIZES for pitch in (wall.pitch_mm, *pitches)]
    choices.sort(key=lambda choice: choice[0][0] * choice[0][1] * choice[1] ** 2)
    for size, pitch in choices:
        rows = _shows(size, wanted)
        if rows and arcmin(rows, pitch, wall.seen_from_m) >= minutes:
            return f"{size[0]}x{size[1]} at P{pitch:g}"
    return None


@lru_cache(maxsize=512)
def _shows(size: tuple[int, int], wanted: Wanted) -> int:
    """Rows of the smallest figure or name on a page; 0 where not all of it is shown in full at once."""
    if layout.most_on_a_page(*size, wanted.free_cells, wanted.free) < wanted.queues:
        return 0
    page = layout.page_for(*size, wanted.queues, wanted.free_cells, wanted.free)
    if page is None or not page.form.label or (wanted.free and not page.form.free):
        return 0
    form, room = page.form, layout.label_room(page.form, page.w, wanted.free_cells)
    sizes = [rows for rows in layout.LABELS if rows <= form.label]
    cap = next((cap for cap, wide in (_set(wanted.names, rows) for rows in sizes) if wide <= room), 0)
    return min(cap, layout.FIGURE * min(form.waiting, form.wait, form.free or form.wait))


@lru_cache(maxsize=512)
def _set(names: tuple[str, ...], rows: int) -> tuple[int, int]:
    """Rows of the least tall capital, and columns of the widest of these names."""
    strips = [types.strip_of(name, rows) for name in names]
    return min(strip.cap for strip in strips), max(strip.w for strip in strips)


def _and(parts: dict[str, None]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _many(queues: int) -> str:
    return "one queue" if queues == 1 else f"{queues} queues"


def _metres(distance_m: float) -> str:
    return f"{distance_m:.1f} m" if distance_m < 10 else f"{distance_m:.0f} m"
