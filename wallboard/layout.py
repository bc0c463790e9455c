"""Where things stand: queues in areas beside and below each other, larger or smaller by the areas' size.

What is shown and how large follows from the size alone, never from the names or the figures of the day.
A wall's own figures are laid out by cells, so that any figure has its room before it comes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import floorplan
from firmware import scene, scene_load
from wallboard import type as types

Op = list[Any]

CELL = 6  # columns of a figure's cell, the last one empty
FIGURE = 7  # rows of a figure
CODE_ROWS = 7  # of a code in place of a name
CODE_WIDTH = 11  # columns of two letters, the widest
GAP = 2  # columns between what stands beside each other
COLUMNS_GAP = 6  # columns between queues that stand beside each other, a line of dots in their middle
WIDE, WIDE_GAP = 384, 12  # from so many columns on, between larger figures
BLINK_S = 10  # a wait that has turned red blinks so long, at 1 Hz
SHORT = 30  # columns for a name of which the end may be cut
LOOSEST = (4, 36)  # columns to spare between a queue's figures, with a neighbour and without: more, and they seem his
OPS = 5  # operations of a queue, and one for each line between columns
MOST = 12  # queues on one page

# The rows that labels are set in, largest first: rows of a capital in them, and the columns of the longest
# of the names Norsk, Svenska, English, Polski, Română, Lietuvių, Русский and العربية.
LABELS = {
    65: (45, 215), 52: (36, 172), 39: (27, 129), 27: (21, 126), 26: (18, 86), 18: (14, 84), 13: (9, 43), 9: (7, 42),
}  # fmt: skip
BANDS = ((160, 26), (96, 18), (64, 13), (48, 9))  # a panel's rows → rows of its band for messages, from there on

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
    """How one queue is set: its arrangement, rows of its label, and how many times its size each figure is."""

    style: str  # one of STYLES
    label: int  # 0: only a code
    waiting: int
    wait: int
    wait_cells: int
    free: int  # 0: not shown


class Page(NamedTuple):
    """How the queues of one page stand: so many beside and below each other, all in one form."""

    columns: int
    rows: int
    w: int  # of one queue's area
    h: int
    gap: int  # columns between two areas
    form: Form

    def place(self, number: int) -> tuple[int, int]:
        """x and y of a queue's area; they are filled from the top, column after column."""
        column, row = divmod(number, self.rows)
        return column * (self.w + self.gap), row * self.h


class Area(NamedTuple):
    """Where one queue is drawn, and how."""

    form: Form
    x: int
    y: int
    w: int
    h: int
    label: types.Strip
    base: int  # rows from a label's top to the line that its letters stand on
    queue: floorplan.Queue
    free_cells: int
    blink_s: int


def page_for(w: int, h: int, queues: int, free_cells: int, free: bool = True) -> Page | None:
    """How so many queues stand on w x h; None where not all of one's figures fit beside each other at once.

    Without `free`, free desks are left out.
    """
    best: Page | None = None
    gap = WIDE_GAP if w >= WIDE else COLUMNS_GAP
    for columns in range(1, queues + 1):
        rows = -(-queues // columns)
        if columns > 1 and rows * (columns - 1) >= queues:
            continue  # a column would be empty
        if OPS * queues + columns - 1 > scene_load.MAX_OPS:
            break
        wide, high = (w - gap * (columns - 1)) // columns, h // rows
        form = form_for(wide, high, free_cells, free)
        if form and (best is None or FORMS.index(form) < FORMS.index(best.form)):
            best = Page(columns, rows, wide, high, gap, form)
    if best and not free:
        best = best._replace(form=best.form._replace(free=0))
    return best


@lru_cache(maxsize=4096)
def form_for(w: int, h: int, free_cells: int, free: bool = True) -> Form | None:
    """The first of FORMS that fits an area; without `free`, one whose free desks will be left out."""
    for form in FORMS:
        wide, high = _needs(form if free else form._replace(free=0), free_cells)
        if w >= wide and h >= high:
            return form
    return None


def most_on_a_page(w: int, h: int, free_cells: int, free: bool = True) -> int:
    """How many queues a page holds with everything shown and the waiting twice its size or more; at least 1."""
    most = 1
    for queues in range(2, MOST + 1):
        page = page_for(w, h, queues, free_cells, free)
        if page and page.form.label >= min(LABELS) and page.form.waiting > 1 and (page.form.free or not free):
            most = queues
    return most


def band_for(h: int) -> tuple[int, int] | None:
    """(y, rows) of the band for messages at the bottom of a panel; None where it is too low for one."""
    rows = next((rows for least, rows in BANDS if h >= least), None)
    return (h - rows, rows) if rows else None


def above_band(h: int, band: tuple[int, int] | None) -> int:
    """The rows left for figures."""
    return band[0] - 1 if band else h


def label_room(form: Form, w: int, free_cells: int) -> int:
    """How wide a label may be in an area of w columns."""
    return w - GAP - _line(form, free_cells) if form.style == "in line" else w


def spread(page: Page, free_cells: int) -> int:
    """How many columns of its area the figures of a queue are spread over."""
    if page.form.style == "in line":
        return page.w
    return min(page.w, STYLES[page.form.style][0](page.form, free_cells)[0] + LOOSEST[page.columns == 1])


def holds_code(w: int) -> bool:
    """True where two letters and three figures fit beside each other."""
    return w >= CODE_WIDTH + GAP + _span(3, 1)


def code_room(w: int) -> int:
    """How wide a code may be on a wall that holds a code and a figure."""
    return w - GAP - _span(3, 1)


def queue_ops(area: Area) -> list[Op]:
    """What one queue's area shows."""
    return STYLES[area.form.style][1](area)


def lines(page: Page, h: int) -> list[Op]:
    """Lines of dots between queues that stand beside each other: whose a figure is must be plain from afar."""
    dots = types.icon(" ".join("#..."[y % 4] for y in range(h)))
    middles = [page.place(page.rows * column)[0] - page.gap // 2 for column in range(1, page.columns)]
    return [_strip(x, 0, dots) for x in middles]


def code_pages(w: int, h: int, code: types.Strip, queue: floorplan.Queue, blink_s: int) -> list[list[Op]]:
    """Two pages for a wall that holds a code and a figure: the waiting, then the wait."""
    x, y = w - _span(3, 1), _middle(0, h, 1)
    label = _strip(0, y, code)
    return [[label, _waiting(x, y, 3, 1, queue)], [label, _wait(x, y, 3, 1, queue, blink_s)]]


def figure_page(w: int, h: int, queue: floorplan.Queue) -> list[Op]:
    """The page of a wall that holds no more than the number of those who wait."""
    sizes = (scale for scale in (4, 3, 2) if _span(2, scale) <= w and FIGURE * scale + _line_below(scale) <= h)
    scale = next(sizes, 1)
    cells = min((w + scale) // (CELL * scale), 3)
    return [_waiting(0, _middle(0, h, scale), cells, scale, queue)]


# Operations as firmware/scene_load.py reads them, but for strips and numbers: here they are the strip itself and
# the number's name, and wallboard/compile.py puts their places there.


def _strip(x: int, y: int, strip: types.Strip) -> Op:
    return ["s", x, y, scene.WHITE, strip]


def _label(area: Area, top: int, room: int) -> Op:
    """A label on its line; what is written from the right stands at the right of its room."""
    strip = area.label
    y = min(top + area.base - strip.base, top + max(area.form.label, CODE_ROWS) - strip.h)
    return _strip(area.x + (max(room - strip.w, 0) if strip.rtl else 0), max(y, area.y), strip)


def _waiting(x: int, y: int, cells: int, scale: int, queue: floorplan.Queue) -> Op:
    return ["n", x, y, cells, scale, scene.WHITE, queue.id + ".waiting"]


def _wait(x: int, y: int, cells: int, scale: int, queue: floorplan.Queue, blink_s: int) -> Op:
    """The oldest wait: amber at half of what the queue promises, red at all of it."""
    target = queue.target
    return [
        "t", x, y, cells, scale, scene.CYAN, queue.id + ".wait", target.amber_from_s, target.red_from_s, blink_s
    ]  # fmt: skip


def _free(right: int, y: int, area: Area) -> list[Op]:
    """A headset and the free desks, up to the column `right`; nothing where they are not shown."""
    scale, cells = area.form.free, area.free_cells
    if not scale:
        return []
    icon = types.icon(FREE, scale)
    x = right - _span(cells, scale)
    number = ["n", x, y, cells, scale, scene.WHITE, area.queue.id + ".free"]
    return [_strip(x - GAP * scale - icon.w, y, icon), number]


def _span(cells: int, scale: int) -> int:
    """Columns of that many cells, without the empty one at the end."""
    return (cells * CELL - 1) * scale


def _free_span(form: Form, cells: int) -> int:
    return (9 + GAP) * form.free + _span(cells, form.free) if form.free else 0


def _between(*scales: int) -> int:
    """Columns between two figures: red's block reaches around each."""
    return 2 * max(*scales, GAP)


def _before_icon(form: Form) -> int:
    """Columns between a wait and the headset, which no block surrounds."""
    return _between(form.wait, form.free) - 1


def _edge(scale: int) -> int:
    """Rows that red's block reaches beyond a figure (firmware/scene.py)."""
    return (scale + 1) // 2


def _line_below(scale: int) -> int:
    """Rows below a figure that amber's line takes, and the dark ones before it (firmware/scene.py)."""
    return 2 * ((scale + 2) // 3)


def _apart(above: int, below: int) -> int:
    """Rows between two figures, each red or amber: their blocks do not touch."""
    return max(_line_below(above), _edge(above) + 1) + _edge(below)


def _middle(y: int, h: int, scale: int) -> int:
    """Where a figure begins that stands in the middle of h rows, together with the line below an amber one."""
    return y + (max(h - FIGURE * scale - _line_below(scale), 0) + 1) // 2


# Arrangements: what each needs, and how it stands. Each leaves room for amber's line below each figure, and for
# red's block below and beside it; above it the block may reach behind a label, never as far as the line that its
# letters stand on. Where rows are short it may also lie behind the amber line of the queue above.


def _needs(form: Form, free_cells: int) -> tuple[int, int]:
    """Columns and rows of the smallest area for a form."""
    wide, high = STYLES[form.style][0](form, free_cells)
    if form.label and form.style != "in line":
        wide = max(wide, LABELS[form.label][1] if form.label > min(LABELS) else SHORT)
    return wide, high


def _line(form: Form, free_cells: int) -> int:
    """Columns of all figures in one line."""
    wide = _span(2, form.waiting) + _between(form.waiting, form.wait) + _span(form.wait_cells, form.wait)
    return wide + (_before_icon(form) + _free_span(form, free_cells) if form.free else 0)


def _beside_rows(form: Form) -> int:
    """Rows of the figures: the waiting at the left; at the right the wait, with the free desks below it."""
    right = FIGURE * form.wait + (_apart(form.wait, form.free) + FIGURE * form.free if form.free else 0)
    return max(FIGURE * form.waiting, right)


def _beside_needs(form: Form, free_cells: int) -> tuple[int, int]:
    wait = _between(form.waiting, form.wait) + _span(form.wait_cells, form.wait) + 1
    right = max(wait, _edge(form.waiting) + 1 + _free_span(form, free_cells))
    return _span(2, form.waiting) + right, form.label + _beside_rows(form) + _line_below(form.waiting)


def _beside(area: Area) -> list[Op]:
    """The label above; the waiting at the left, at the right the wait and below it the free desks."""
    form, queue = area.form, area.queue
    rows, spare = _beside_rows(form), area.h - _beside_needs(form, area.free_cells)[1]
    gap = min(spare, _edge(form.waiting) + 1)
    top = area.y + (spare - gap) // 2
    begin = top + form.label + gap
    bottom = begin + rows
    below = _apart(form.wait, form.free) + FIGURE * form.free if form.free else 0
    loose = rows - FIGURE * form.wait - below
    wait_y = begin + (min(loose, _edge(form.wait) + 1) if form.free else loose // 2)
    right = area.x + area.w
    return [
        _label(area, top, area.w),
        _waiting(area.x, bottom - FIGURE * form.waiting, 2, form.waiting, queue),
        _wait(right - _span(form.wait_cells, form.wait) - 1, wait_y, form.wait_cells, form.wait, queue, area.blink_s),
        *_free(right, bottom - FIGURE * form.free, area),
    ]


def _stacked_needs(form: Form, free_cells: int) -> tuple[int, int]:
    first = _span(2, form.waiting) + (_between(form.waiting) + _free_span(form, free_cells) if form.free else 0)
    figures = FIGURE * form.waiting + _apart(form.waiting, form.wait) + FIGURE * form.wait
    return max(first, _span(form.wait_cells, form.wait) + 1), form.label + figures + _line_below(form.wait)


def _close_needs(form: Form, free_cells: int) -> tuple[int, int]:
    """One row less: a red block touches the one below it."""
    wide, high = _stacked_needs(form, free_cells)
    return wide, high - 1


def _stacked(area: Area) -> list[Op]:
    """The label above, below it the waiting with the free desks at the right, then the wait."""
    form, queue = area.form, area.queue
    spare = area.h - STYLES[form.style][0](form, area.free_cells)[1]
    top = area.y + spare // 4
    wait_y = area.y + area.h - FIGURE * form.wait - _line_below(form.wait) - spare // 5
    waiting_y = top + form.label + (spare - spare // 4 - spare // 5 + 1) // 2
    right = area.x + area.w
    return [
        _label(area, top, area.w),
        _waiting(area.x, waiting_y, 2, form.waiting, queue),
        _wait(area.x + 1, wait_y, form.wait_cells, form.wait, queue, area.blink_s),
        *_free(right, waiting_y + FIGURE * (form.waiting - form.free), area),
    ]


def _banner_needs(form: Form, free_cells: int) -> tuple[int, int]:
    return _line(form, free_cells), form.label + FIGURE * form.waiting + _line_below(form.waiting)


def _banner(area: Area) -> list[Op]:
    """The label above, the figures in one line below it."""
    form = area.form
    spare = area.h - _banner_needs(form, area.free_cells)[1]
    gap = min(spare, max(_edge(form.waiting) + 1, spare // 3))
    top = area.y + (spare - gap) // 2
    line = area._replace(y=top + form.label + gap, h=FIGURE * form.waiting)
    return [_label(area, top, area.w), *_figures(line, area.x)]


def _in_line_needs(form: Form, free_cells: int) -> tuple[int, int]:
    label = LABELS[form.label][1] if form.label else CODE_WIDTH
    below = _line_below(form.waiting) if form.waiting > 1 else 1  # panels have eight rows: there the line touches
    return label + GAP + _line(form, free_cells), max(form.label, FIGURE * form.waiting + below)


def _in_line(area: Area) -> list[Op]:
    """Label, waiting, wait, free desks, in one line from the left to the right."""
    rows = area.form.label or CODE_ROWS
    top = area.y + max(area.h - rows, 0) // 2
    if not area.form.label:
        top = _middle(area.y, area.h, area.form.waiting) + (FIGURE * area.form.waiting - CODE_ROWS) // 2
    room = label_room(area.form, area.w, area.free_cells)
    return [_label(area, top, room), *_figures(area, area.x + area.w - _line(area.form, area.free_cells))]


def _figures(area: Area, left: int) -> list[Op]:
    """The figures of an area in one line, from `left` to its right end; they stand on one line."""
    form, queue = area.form, area.queue
    right = area.x + area.w
    bottom = _middle(area.y, area.h, form.waiting) + FIGURE * form.waiting

    def y(scale: int) -> int:
        return bottom - FIGURE * (form.waiting + scale) // 2 if form.waiting != scale else bottom - FIGURE * scale

    wait_right = right - (_free_span(form, area.free_cells) + _before_icon(form) if form.free else 0)
    wait_x = wait_right - _span(form.wait_cells, form.wait)
    if not form.free and form.style == "banner":
        wait_x -= 1
    return [
        _waiting(left, y(form.waiting), 2, form.waiting, queue),
        _wait(wait_x, y(form.wait), form.wait_cells, form.wait, queue, area.blink_s),
        *_free(right, y(form.free), area),
    ]


Needs = Callable[[Form, int], tuple[int, int]]
STYLES: dict[str, tuple[Needs, Callable[[Area], list[Op]]]] = {
    "beside": (_beside_needs, _beside),
    "stacked": (_stacked_needs, _stacked),
    "close": (_close_needs, _stacked),
    "banner": (_banner_needs, _banner),
    "in line": (_in_line_needs, _in_line),
}

# The best first: the waiting as large as can be, then the wait, then all the rest.
FORMS = tuple(
    Form(*row)
    for row in (
        # style, then rows of the label, then how large: waiting, wait and its cells, free desks
        ("beside", 65, 8, 8, 5, 6),
        ("banner", 52, 8, 8, 5, 6),
        ("beside", 52, 8, 6, 5, 6),
        ("banner", 39, 8, 6, 5, 4),
        ("beside", 39, 8, 4, 5, 4),
        ("beside", 39, 6, 6, 5, 4),
        ("beside", 39, 6, 4, 5, 4),
        ("beside", 26, 6, 4, 5, 3),
        ("banner", 26, 6, 4, 5, 3),
        ("beside", 39, 4, 4, 5, 4),
        ("beside", 26, 4, 3, 5, 3),
        ("banner", 26, 4, 3, 5, 3),
        ("beside", 26, 4, 2, 5, 2),
        ("beside", 18, 4, 2, 5, 2),
        ("banner", 18, 4, 2, 5, 2),
        ("stacked", 18, 4, 2, 5, 1),
        ("stacked", 13, 4, 2, 5, 1),
        ("banner", 9, 3, 3, 5, 2),
        ("banner", 9, 3, 2, 5, 1),
        ("beside", 13, 3, 2, 4, 1),
        ("stacked", 13, 3, 2, 5, 1),
        ("stacked", 9, 3, 2, 5, 1),
        ("beside", 9, 3, 1, 4, 1),
        ("stacked", 9, 3, 1, 5, 1),
        ("in line", 13, 2, 2, 5, 2),
        ("in line", 13, 2, 2, 5, 1),
        ("in line", 13, 2, 1, 5, 1),
        ("in line", 9, 2, 1, 5, 1),
        ("stacked", 9, 2, 1, 5, 0),
        ("in line", 9, 2, 1, 4, 0),
        ("close", 7, 2, 1, 5, 0),
        ("in line", 0, 2, 1, 5, 1),
        ("in line", 0, 2, 1, 4, 0),
        ("in line", 9, 1, 1, 5, 1),
        ("in line", 0, 1, 1, 5, 1),
        ("in line", 0, 1, 1, 5, 0),
    )
)
