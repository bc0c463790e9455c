"""From the site file to a scene, and what its author should know, in words.

A page of the site file becomes one page of the scene or, where not all of it fits or names are shown in
several languages, several that take turns.
"""

from __future__ import annotations

import base64
import hashlib
import json
import string
from typing import Any, NamedTuple

import floorplan
from firmware import contract, scene_load
from wallboard import bidi, layout, legible, numbers
from wallboard import type as types
from wallboard.layout import Area, Op

SCENE = "board/+/panel/+/scene"


class Compiled(NamedTuple):
    """A wall's scene, the values it draws, and what does not fit or had to be cut."""

    message: dict[str, Any]  # the fields of board/+/panel/+/scene
    numbers: list[str]  # by name, those it draws
    warnings: list[str]
    band: tuple[int, int] | None = None  # y and rows that all pages leave free for messages


class _Work(NamedTuple):
    """What is compiled: a wall, with what is the same on all of its pages."""

    wall: floorplan.Wall
    plan: floorplan.Plan
    w: int
    h: int  # the rows that pages have
    free_cells: int
    warnings: list[str]

    @property
    def blink_s(self) -> int:
        return layout.BLINK_S if self.wall.blink else 0


def compile(wall: floorplan.Wall, plan: floorplan.Plan) -> Compiled:
    """The scene of one wall. Never fails: what does not fit is left out or cut, and said in `warnings`."""
    w, h = wall.panel.size
    band = layout.band_for(h) if wall.messages == "band" else None
    work = _Work(wall, plan, w, layout.above_band(h, band), 3 if len(plan.desk) > 99 else 2, _told_of(wall, plan, band))
    pages: list[list[Op]] = []
    for number, page in enumerate(wall.pages, 1):
        where = f"[[wall]] {wall.id}, page {number}"
        for turn in _turns(work, page, where):
            if not _fits(wall, plan, [*pages, turn]):
                work.warnings.append(f"{where}: not all of it is shown: {_limit()}; take queues off this wall")
                break
            pages.append(turn)
    names = {op[6]: None for page in pages for op in reversed(page) if op[0] in ("n", "t")}
    return Compiled(_message(wall, plan, pages or [[]]), list(names), list(dict.fromkeys(work.warnings)), band)


def _told_of(wall: floorplan.Wall, plan: floorplan.Plan, band: tuple[int, int] | None) -> list[str]:
    """What is to be said of a wall as a whole."""
    where = f"[[wall]] {wall.id}"
    told = []
    measured = (wall.pitch_mm is not None) + (wall.seen_from_m is not None)
    if measured == 1 or (measured == 0 and wall.panel.kind in floorplan.WIRED):
        told.append(
            f"{where}: nobody can say from how far it is read: give pitch_mm, from light to light, and seen_from_m, "
            "how far away its readers stand"
        )
    if wall.messages == "band" and band is None:
        told.append(f"{where}: {wall.panel.size[1]} rows have no room for a band: messages take a page of their own")
    shown = {name for page in wall.pages for name in page.shown()}
    spoken = {language for queue in plan.queue if queue.id in shown for language in queue.names}
    unspoken = [language for language in wall.languages if language not in spoken]
    alone = unspoken == list(wall.languages) and unspoken[0] not in plan.site.languages if unspoken else False
    if len(unspoken) > 1 or alone:  # else one is that of `name`
        told.append(f"{where}: none of its queues has a name in {', '.join(unspoken)}; they show their `name`")
    return told


# As a message.


def _message(wall: floorplan.Wall, plan: floorplan.Plan, pages: list[list[Op]]) -> dict[str, Any]:
    """Pages as they travel: each strip once, strips and numbers by their places."""
    order = numbers.order(plan)
    strips: dict[tuple[int, int, bytes], int] = {}
    for page in pages:
        for op in page:
            if op[0] == "s":
                strips.setdefault(op[4][:3], len(strips))
    rest = {
        "v": scene_load.FORM,
        "of": numbers.of(order),
        "dwell_ms": wall.dwell_s * 1000,
        "strips": [[w, h, base64.b64encode(bits).decode()] for w, h, bits in strips],
        "pages": [[_placed(op, strips, order) for op in page] for page in pages],
    }
    return {"id": hashlib.sha256(json.dumps(rest).encode()).hexdigest()[:8], **rest}


def _placed(op: Op, strips: dict[tuple[int, int, bytes], int], order: list[str]) -> Op:
    if op[0] == "s":
        return [*op[:4], strips[op[4][:3]]]
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


# A page of the site file, as the pages that show it.


def _turns(work: _Work, page: floorplan.Page, where: str) -> list[list[Op]]:
    """One page of the site file, as the pages that show it, and what is to be said of it."""
    shown = page.shown()
    queues = {queue.id: queue for queue in work.plan.queue}
    most = layout.most_on_a_page(work.w, work.h, work.free_cells, page.free_desks)
    turns = -(-len(shown) // most)
    size = f"{work.w}x{work.h}"
    if turns > 1:
        work.warnings.append(f"{where} has {len(shown)} queues, but {size} holds {most}: they take {turns} turns")
    pages: list[list[Op]] = []
    seen: list[legible.Sight] = []
    for turn in range(turns):
        names = shown[len(shown) * turn // turns : len(shown) * (turn + 1) // turns]
        group = [queues[name] for name in names]
        stand = layout.page_for(work.w, work.h, len(group), work.free_cells, page.free_desks)
        if stand is None:
            pages += _small(work, group[0], where, seen)
        else:
            if page.free_desks and not stand.form.free:
                work.warnings.append(f"{where}: {size} has no room for free desks")
            pages += _pages(work, stand, group, where, seen)
    for turned in pages:
        seen += legible.sights(turned)
    hard = legible.words(work.wall, seen)
    work.warnings.extend(f"{where}: {line}" for line in [*hard, *legible.shrinking(work.wall, pages)])
    said = {_name(queues[name], language) for name in shown for language in work.wall.languages or ("",)}
    wanted = legible.Wanted(tuple(sorted(said)), len(shown), work.free_cells, page.free_desks)
    if hard and (todo := legible.advice(work.wall, wanted)):
        work.warnings.append(f"{where}: so that all of it is read from {work.wall.seen_from_m:g} m: {todo}")
    return pages


def _pages(
    work: _Work, stand: layout.Page, group: list[floorplan.Queue], where: str, seen: list[legible.Sight]
) -> list[list[Op]]:
    """Queues on one page, in each language in which their labels differ."""
    form, wide = stand.form, layout.spread(stand, work.free_cells)
    room = layout.label_room(form, stand.w, work.free_cells)
    if form.label:
        said = [[_name(queue, language) for queue in group] for language in work.wall.languages or ("",)]
        said = [list(names) for names in dict.fromkeys(map(tuple, said))]
        labels, base = _labels(said, form.label, room, where, work.warnings)
        seen.append(legible.Sight(_called(said), min(label.cap for row in labels for label in row)))
    else:
        labels, base = [[_code(work, queue, room, where) for queue in group]], layout.CODE_ROWS
        seen.append(legible.Sight("the codes" if len(group) > 1 else "the code", layout.CODE_ROWS))
    pages = []
    for row in labels:
        ops: list[Op] = []
        for number, (queue, label) in enumerate(zip(group, row, strict=True)):
            place = stand.place(number)
            area = Area(form, *place, wide, stand.h, label, base, queue, work.free_cells, work.blink_s)
            ops += layout.queue_ops(area)
        # Whoever stands above is drawn last: where rows are short, a red block lies behind names and amber lines.
        pages.append([*layout.lines(stand, work.h), *reversed(ops)])
    return pages


def _small(work: _Work, queue: floorplan.Queue, where: str, seen: list[legible.Sight]) -> list[list[Op]]:
    """A queue on a wall too small for all of its figures at once."""
    size = f"{work.w}x{work.h}"
    if not layout.holds_code(work.w):
        work.warnings.append(f"{where}: {size} has room for the number of waiting callers only")
        if len({name for page in work.wall.pages for name in page.shown()}) > 1:
            work.warnings.append(
                f"[[wall]] {work.wall.id}: on {size} nobody can tell which queue it is: one queue a wall"
            )
        return [layout.figure_page(work.w, work.h, queue)]
    work.warnings.append(f"{where}: on {size}, waiting and oldest wait take turns; free desks have no room")
    code = _code(work, queue, layout.code_room(work.w), where)
    seen.append(legible.Sight("the code", layout.CODE_ROWS))
    return layout.code_pages(work.w, work.h, code, queue, work.blink_s)


# Labels.


def _name(queue: floorplan.Queue, language: str) -> str:
    return queue.names.get(language, queue.name)


def _called(said: list[list[str]]) -> str:
    names = {name for names in said for name in names}
    return "the names" if len(names) > 1 else f"the name '{names.pop()}'"


def _labels(
    said: list[list[str]], most: int, room: int, where: str, warnings: list[str]
) -> tuple[list[list[types.Strip]], int]:
    """Names as strips at most `room` columns wide, all in letters of one size, and their base line."""
    names = [name for row in said for name in row]
    for name in names:
        missing = types.strip_of(name, most).missing
        if missing:
            letters = ", ".join(f"'{letter}'" for letter in missing)
            ends = f"s for {letters} of '{name}'; they are shown as boxes"
            if len(missing) == 1:
                ends = f" for {letters} of '{name}'; it is shown as a box"
            warnings.append(f"{where}: no letter{ends}")
        if missing and (todo := types.advice()):
            warnings.append(todo)
    sizes = [rows for rows in layout.LABELS if rows <= most] or [most]
    size = next((rows for rows in sizes if _widest(names, rows) <= room), sizes[-1])
    for name in names:
        wide = types.strip_of(name, most).w
        if size < most and wide > room and _widest([name], sizes[-1]) <= room:
            warnings.append(f"{where}: '{name}' is {wide} pixels wide, {room} fit: names get small letters")
    base = (most - size) // 2 + types.strip_of("H", size).base
    return [[_trimmed(_cut(name, size, room, where, warnings)) for name in row] for row in said], base


def _widest(names: list[str], rows: int) -> int:
    return max(types.strip_of(name, rows).w for name in names)


def _cut(name: str, rows: int, room: int, where: str, warnings: list[str]) -> types.Strip:
    """A name as a strip at most `room` columns wide: as much of it as fits."""
    strip, short = types.strip_of(name, rows), name
    if strip.w <= room:
        return strip
    too_wide = f"{where}: '{name}' is {strip.w} pixels wide, {room} fit"
    while strip.w > room:
        short = short[:-1].rstrip()
        strip = types.strip_of(short, rows)
    warnings.append(f"{too_wide}: it is shown as '{short}'; shorten it")
    return strip


def _trimmed(strip: types.Strip) -> types.Strip:
    """The same without dark rows above and below: they would only make the scene larger."""
    stride = (strip.w + 7) // 8
    rows = [strip.bits[y * stride : (y + 1) * stride] for y in range(strip.h)]
    lit = [y for y, row in enumerate(rows) if any(row)] or [0]
    kept = b"".join(rows[lit[0] : lit[-1] + 1])
    return strip._replace(h=lit[-1] + 1 - lit[0], bits=kept, base=strip.base - lit[0])


def _code(work: _Work, queue: floorplan.Queue, room: int, where: str) -> types.Strip:
    """A queue's few letters as a strip, its own or made up."""
    code = queue.code or _codes(work.plan)[queue.id]
    if not queue.code:
        work.warnings.append(f"{where}: '{queue.name}' is shown as '{code}'; give the queue a code of your own")
    return _trimmed(_cut(code, layout.CODE_ROWS, room, where, work.warnings))


def _codes(plan: floorplan.Plan) -> dict[str, str]:
    """Two letters for each queue without its own, of its name or else its id, no two alike while there are such."""
    codes: dict[str, str] = {}
    taken = {queue.code for queue in plan.queue}
    signs = string.digits + string.ascii_uppercase
    for queue in plan.queue:
        if queue.code:
            continue
        letters = [letter for letter in queue.name.upper() if letter.isalnum() and types.has(letter)]
        if len(letters) < 2 or bidi.is_rtl(queue.name):  # the first two of most Arabic names are the article
            letters = [letter for letter in (queue.id + "xx").upper() if letter.isalnum()]
        tries = [letters[0] + letter for letter in letters[1:]]
        tries += [letters[0] + letter for letter in signs[1:]]
        tries += [one + other for one in signs for other in signs]
        codes[queue.id] = next((code for code in tries if code not in taken), tries[0])
        taken.add(codes[queue.id])
    return codes
