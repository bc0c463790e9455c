"""From the site file to a scene, and what its author should know, in words.

A page of the site file becomes one page of the scene or, where not all of it fits, several that take turns.
"""

from __future__ import annotations

import base64
import hashlib
import json
import string
from typing import Any, NamedTuple

import floorplan
from firmware import contract, scene_load
from wallboard import layout, numbers
from wallboard import type as types
from wallboard.layout import Area, Form, Op

SCENE = "board/+/panel/+/scene"


class Compiled(NamedTuple):
    """A wall's scene, the values it draws, and what does not fit or had to be cut."""

    message: dict[str, Any]  # the fields of board/+/panel/+/scene
    numbers: list[str]  # by name, those it draws
    warnings: list[str]


def compile(wall: floorplan.Wall, plan: floorplan.Plan) -> Compiled:
    """The scene of one wall. Never fails: what does not fit is left out or cut, and said in `warnings`."""
    warnings: list[str] = []
    pages: list[list[Op]] = []
    for number, page in enumerate(wall.pages, 1):
        where = f"[[wall]] {wall.id}, page {number}"
        for turn in _turns(wall, plan, page, where, warnings):
            if not _fits(wall, plan, [*pages, turn]):
                warnings.append(f"{where}: not all of it is shown: {_limit()}; take queues off this wall")
                break
            pages.append(turn)
    names = {op[6]: None for page in pages for op in page if op[0] in ("n", "t")}
    return Compiled(_message(wall, plan, pages or [[]]), list(names), list(dict.fromkeys(warnings)))


def _message(wall: floorplan.Wall, plan: floorplan.Plan, pages: list[list[Op]]) -> dict[str, Any]:
    """Pages as they travel: each strip once, strips and numbers by their places."""
    order = numbers.order(plan)
    strips: dict[types.Strip, int] = {}
    for page in pages:
        for op in page:
            if op[0] == "s":
                strips.setdefault(op[4], len(strips))
    rest = {
        "v": scene_load.FORM,
        "of": numbers.of(order),
        "dwell_ms": wall.dwell_s * 1000,
        "strips": [[strip.w, strip.h, base64.b64encode(strip.bits).decode()] for strip in strips],
        "pages": [[_placed(op, strips, order) for op in page] for page in pages],
    }
    return {"id": hashlib.sha256(json.dumps(rest).encode()).hexdigest()[:8], **rest}


def _placed(op: Op, strips: dict[types.Strip, int], order: list[str]) -> Op:
    if op[0] == "s":
        return [*op[:4], strips[op[4]]]
    if op[0] in ("n", "t"):
        return [*op[:6], order.index(op[6]), *op[7:]]
    return op


def _fits(wall: floorplan.Wall, plan: floorplan.Plan, pages: list[list[Op]]) -> bool:
    message = _message(wall, plan, pages)
    if len(pages) > scene_load.MAX_PAGES or len(message["strips"]) > scene_load.MAX_STRIPS:
        return False
    encoded: bytes = contract.encode(SCENE, message)
    return len(encoded) <= int(contract.BY_TOPIC[SCENE].size)


def _limit() -> str:
    return f"a wall has at most {scene_load.MAX_PAGES} pages and {contract.BY_TOPIC[SCENE].size} bytes"


def _turns(
    wall: floorplan.Wall, plan: floorplan.Plan, page: floorplan.Page, where: str, warnings: list[str]
) -> list[list[Op]]:
    """One page of the site file, as the pages that show it."""
    w, h = wall.panel.size
    shown = page.shown()
    if not shown:
        warnings.append(f'{where} names no queue: write queue = "…" or queues = […]')
        return []
    queues = {queue.id: queue for queue in plan.queue}
    free_cells = 3 if len(plan.desk) > 99 else 2
    most = layout.most_on_a_page(w, h, free_cells)
    turns = -(-len(shown) // most)
    if turns > 1:
        warnings.append(f"{where} has {len(shown)} queues, but {w}x{h} holds {most}: they take {turns} turns")
    pages: list[list[Op]] = []
    for turn in range(turns):
        names = shown[len(shown) * turn // turns : len(shown) * (turn + 1) // turns]
        group = [queues[name] for name in names]
        form = layout.form_for(w, h // len(group), free_cells)
        if form is None:
            pages += _small(w, h, group[0], plan, where, warnings)
        else:
            pages.append(_page(w, h, form, group, plan, free_cells, where, warnings))
    return pages


def _page(
    w: int,
    h: int,
    form: Form,
    group: list[floorplan.Queue],
    plan: floorplan.Plan,
    free_cells: int,
    where: str,
    warnings: list[str],
) -> list[Op]:
    """Queues below each other, all in the same form."""
    if not form.free:
        warnings.append(f"{where}: {w}x{h} has no room for free desks")
    height = h // len(group)
    room = layout.label_room(form, w, free_cells)
    ops: list[Op] = []
    for row, queue in enumerate(group):
        code = None if form.label else _code(queue, plan, where, warnings)
        label = code or _label(form, queue.name, room, where, warnings)
        ops += form.arrange(Area(form, row * height, w, height, label, queue, free_cells))
    return ops


def _small(
    w: int, h: int, queue: floorplan.Queue, plan: floorplan.Plan, where: str, warnings: list[str]
) -> list[list[Op]]:
    """A queue on a wall too small for all of its figures at once."""
    if not layout.holds_code(w):
        warnings.append(f"{where}: {w}x{h} has room for the number of waiting callers only")
        return [layout.figure_page(w, h, queue)]
    warnings.append(f"{where}: on {w}x{h}, waiting and oldest wait take turns; free desks have no room")
    return layout.code_pages(w, h, _code(queue, plan, where, warnings), queue)


def _label(form: Form, name: str, room: int, where: str, warnings: list[str]) -> types.Strip:
    """A queue's name as a strip at most `room` pixels wide."""
    strip = types.strip_of(name, layout.LABEL * form.label)
    for letter in strip.missing:
        warnings.append(f"{where}: no letter for '{letter}' of '{name}'; it is shown as a box")
    too_wide = f"{where}: '{name}' is {strip.w} pixels wide, {room} fit"
    if strip.w > room and form.label > 1:
        warnings.append(f"{too_wide}: it gets small letters")
        strip = types.strip_of(name, layout.LABEL)
        too_wide = f"{where}: '{name}' is {strip.w} pixels wide, {room} fit"
    if strip.w > room:
        while strip.w > room:
            name = name[:-1].rstrip()
            strip = types.strip_of(name, layout.LABEL)
        warnings.append(f"{too_wide}: it is shown as '{name}'; shorten it")
    return strip


def _code(queue: floorplan.Queue, plan: floorplan.Plan, where: str, warnings: list[str]) -> types.Strip:
    """A queue's two letters as a strip."""
    code = _codes(plan)[queue.id]
    warnings.append(f"{where}: '{queue.name}' is shown as '{code}'")
    return types.strip_of(code, layout.FIGURE)


def _codes(plan: floorplan.Plan) -> dict[str, str]:
    """Two letters for each queue, of its name or else of its id, no two alike while there are such."""
    codes: dict[str, str] = {}
    signs = string.digits + string.ascii_uppercase
    for queue in plan.queue:
        letters = [letter for letter in queue.name.upper() if letter.isalnum() and types.has(letter)]
        if len(letters) < 2:
            letters = [letter for letter in (queue.id + "xx").upper() if letter.isalnum()]
        tries = [letters[0] + letter for letter in letters[1:]]
        tries += [letters[0] + letter for letter in signs[1:]]
        tries += [one + other for one in signs for other in signs]
        codes[queue.id] = next((code for code in tries if code not in codes.values()), tries[0])
    return codes
