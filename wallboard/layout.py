"""Where things stand: one queue in an area as wide as the wall, larger or smaller by the area's size.

What is shown and how large follows from the size alone, never from the names or the figures of the day.
A wall's own figures are laid out by cells, so that any figure has its room before it comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import floorplan
from firmware import scene
from wallboard import type as types

Op = list[Any]

CELL = 6  # columns of a figure's cell, the last one empty
FIGURE = 7  # rows of a figure
LABEL = 9  # rows of a label
CODE_WIDTH = 11  # columns of two letters, the widest
GAP = 2  # columns between what stands beside each other
BLINK_S = 10  # a wait that has turned red blinks so long, at 1 Hz
MOST_ROWS = 12  # queues on one page: five operations each, of the 64 a page may have

# A headset: desks that are free.
FREE = """
..#####..
.#.....#.
.#.....#.
###...###
###...###
###...#..
....##...
"""


class Form(NamedTuple):
    """How one queue is set in an area of at least `w` x `h`: how many times its size each thing is drawn."""

    w: int
    h: int
    arrange: Callable[[Area], list[Op]]
    label: int  # 0: only a code of two letters
    waiting: int
    wait: int
    wait_cells: int
    free: int  # 0: not shown


class Area(NamedTuple):
    """Where one queue is drawn, and how."""

    form: Form
    y: int
    w: int
    h: int
    label: types.Strip
    queue: floorplan.Queue
    free_cells: int


def form_for(w: int, h: int, free_cells: int) -> Form | None:
    """The first of FORMS that fits an area; None where the area is too small for a queue's figures at once."""
    for form in FORMS:
        more = (free_cells - 2) * CELL * form.free if form.arrange in (_in_line, _banner) else 0
        if w >= form.w + more and h >= form.h:
            return form
    return None


def most_on_a_page(w: int, h: int, free_cells: int) -> int:
    """How many queues a page holds with everything shown and the waiting twice its size or more; at least 1."""
    most = 1
    for rows in range(2, MOST_ROWS + 1):
        form = form_for(w, h // rows, free_cells)
        if form and form.label and form.free and form.waiting > 1:
            most = rows
    return most


def label_room(form: Form, w: int, free_cells: int) -> int:
    """How wide a label may be."""
    if form.arrange is not _in_line:
        return w
    figures = _span(2, form.waiting) + 2 * GAP + _span(form.wait_cells, form.wait)
    return w - figures - GAP - (_free_span(form, free_cells) + 2 * GAP if form.free else 0)


def holds_code(w: int) -> bool:
    """True where two letters and three figures fit beside each other."""
    return w >= CODE_WIDTH + GAP + _span(3, 1)


def code_pages(w: int, h: int, code: types.Strip, queue: floorplan.Queue) -> list[list[Op]]:
    """Two pages for a wall that holds a code and a figure: the waiting, then the wait."""
    x, y = w - _span(3, 1), (h - FIGURE) // 2
    label = _strip(0, y, code)
    return [[label, _waiting(x, y, 3, 1, queue)], [label, _wait(x, y, 3, 1, queue)]]


def figure_page(w: int, h: int, queue: floorplan.Queue) -> list[Op]:
    """The page of a wall that holds no more than the number of those who wait."""
    scale = next((scale for scale in (4, 3, 2) if _span(2, scale) <= w and FIGURE * scale <= h), 1)
    cells = min((w + scale) // (CELL * scale), 3)
    return [_waiting(0, (h - FIGURE * scale) // 2, cells, scale, queue)]


# Operations as firmware/scene_load.py reads them, but for strips and numbers: here they are the strip itself and
# the number's name, and wallboard/compile.py puts their places there.


def _strip(x: int, y: int, strip: types.Strip) -> Op:
    return ["s", x, y, scene.WHITE, strip]


def _waiting(x: int, y: int, cells: int, scale: int, queue: floorplan.Queue) -> Op:
    return ["n", x, y, cells, scale, scene.WHITE, queue.id + ".waiting"]


def _wait(x: int, y: int, cells: int, scale: int, queue: floorplan.Queue) -> Op:
    """The oldest wait: amber at half of what the queue promises, red at all of it."""
    target = queue.target
    return [
        "t", x, y, cells, scale, scene.CYAN, queue.id + ".wait", target.amber_from_s, target.red_from_s, BLINK_S
    ]  # fmt: skip


def _free(right: int, y: int, area: Area) -> list[Op]:
    """A headset and the free desks, up to the column `right`."""
    scale, cells = area.form.free, area.free_cells
    icon = types.icon(FREE, scale)
    x = right - _span(cells, scale)
    number = ["n", x, y, cells, scale, scene.WHITE, area.queue.id + ".free"]
    return [_strip(x - GAP - icon.w, y, icon), number]


def _span(cells: int, scale: int) -> int:
    """Columns of that many cells, without the empty one at the end."""
    return (cells * CELL - 1) * scale


def _free_span(form: Form, cells: int) -> int:
    return types.icon(FREE, form.free).w + GAP + _span(cells, form.free)


# Arrangements. Each leaves a row for amber's line, and one around red's block.


def _beside(area: Area) -> list[Op]:
    """The label above; the waiting at the left, at the right the wait and below it the free desks."""
    form = area.form
    top = area.y + (area.h - form.h) // 2
    bottom = top + form.h
    wait_x = area.w - _span(form.wait_cells, form.wait) - 1
    return [
        _strip(0, top, area.label),
        _waiting(0, bottom - FIGURE * form.waiting, 2, form.waiting, area.queue),
        _wait(wait_x, top + LABEL * form.label + 2, form.wait_cells, form.wait, area.queue),
        *_free(area.w, bottom - FIGURE * form.free, area),
    ]


def _below(area: Area) -> list[Op]:
    """The label above, the waiting below it, then the wait and, at the right, the free desks."""
    form = area.form
    top = area.y + (area.h - form.h) // 2
    label_h = LABEL * form.label
    spare = form.h - label_h - FIGURE * (form.waiting + form.wait)
    wait_y = top + form.h - FIGURE * form.wait - min(spare - 1, 2)
    waiting_y = (top + label_h + wait_y - FIGURE * form.waiting) // 2
    ops = [
        _strip(0, top, area.label),
        _waiting(0, waiting_y, 2, form.waiting, area.queue),
        _wait(0, wait_y, form.wait_cells, form.wait, area.queue),
    ]
    return ops + _free(area.w, wait_y, area) if form.free else ops


def _in_line(area: Area) -> list[Op]:
    """Label, waiting, wait, free desks, in one line from the left to the right."""
    return [_strip(0, _middle(area, 1), area.label), *_figures(area)]


def _banner(area: Area) -> list[Op]:
    """The label above, the figures in one line below it."""
    top = area.y + (area.h - area.form.h) // 2
    line = area._replace(y=top + LABEL + 1, h=area.form.h - LABEL - 1)
    return [_strip(0, top, area.label), *_figures(line)]


def _figures(area: Area) -> list[Op]:
    form = area.form
    right = area.w
    ops: list[Op] = []
    if form.free:
        ops = _free(right, _middle(area, form.free), area)
        right -= _free_span(form, area.free_cells) + 2 * GAP
    wait_x = right - _span(form.wait_cells, form.wait)
    waiting_x = wait_x - 2 * GAP - _span(2, form.waiting)
    return [
        _waiting(waiting_x, _middle(area, form.waiting), 2, form.waiting, area.queue),
        _wait(wait_x, _middle(area, form.wait), form.wait_cells, form.wait, area.queue),
        *ops,
    ]


def _middle(area: Area, scale: int) -> int:
    return area.y + (area.h - FIGURE * scale) // 2


FORMS = (  # w, h, arrangement, then how large: label, waiting, wait and its cells, free desks
    Form(120, 56, _beside, 2, 4, 2, 5, 2),
    Form(122, 31, _banner, 1, 3, 2, 5, 1),
    Form(64, 49, _below, 1, 4, 1, 5, 1),
    Form(64, 31, _beside, 1, 3, 1, 4, 1),
    Form(192, 18, _in_line, 1, 2, 2, 5, 2),
    Form(120, 14, _in_line, 1, 2, 1, 5, 1),
    Form(96, 14, _in_line, 1, 2, 1, 4, 0),
    Form(32, 32, _below, 1, 2, 1, 5, 0),
    Form(62, 14, _in_line, 0, 2, 1, 4, 0),
    Form(108, 11, _in_line, 1, 1, 1, 5, 1),
    Form(84, 8, _in_line, 0, 1, 1, 5, 1),
    Form(58, 8, _in_line, 0, 1, 1, 5, 0),
)
