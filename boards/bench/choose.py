"""Which board of the plan a plugged board becomes: the one that was named, the one it is already, or the next.

The next one is the first of the plan, in its order, that was not made yet: it is not in the record of boards made,
and has never said hello at the broker.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import floorplan
from boards import definition
from boards.bench import BenchError, flash, image, plugged
from boards.bench.flash import Target
from boards.bench.identify import place
from boards.bench.listing import shortly
from boards.bench.made import Made, board_of
from boards.bench.plugged import Found
from boards.bench.show import table
from boards.ear import Ear
from floorplan import Broker, Plan, SiteError

QUIET_S = 0.5  # what the broker keeps has come by then
MOST_S = 10.0


class Row(NamedTuple):
    """One plugged board, and what it is to become."""

    at: Found
    aim: Target | None  # None: it is left as it is
    why: str  # in a few words


def said_hello(broker: Broker, site: str) -> set[str]:
    """The boards that have said hello at the broker, ever. Raises CommandError, SiteError."""
    found = set()
    end = time.monotonic() + MOST_S
    with Ear(broker, site, ["board/+/hello"]) as ear:
        while time.monotonic() < end and (said := ear.hear(QUIET_S)):
            if said.fields:
                found.add(said.ids[0])
    return found


def board_of_desk(plan: Plan, desk: str) -> str:
    """Where a desk is plugged in. Raises SiteError."""
    for board in plan.board:
        if any(entry.desk == desk for entry in board.inputs):
            return board.id
    names = [row.id for row in plan.desk]
    if desk in names:
        raise SiteError(f"desk '{desk}' is plugged in at no board: no [[board]] has it among its inputs")
    raise SiteError(f"no desk '{desk}' in the site file{floorplan.meant(desk, names)}")


def to_make(plan: Plan, rows: Mapping[str, Made], there: set[str]) -> list[str]:
    """The boards of the plan that were not made yet, in its order: those that run MicroPython."""
    pages = plugged.pages()
    return [
        board.id for board in plan.board
        if board.definition in pages and board.id not in rows and board.id not in there
    ]  # fmt: skip


def next_for(plan: Plan, names: Sequence[str], at: Found) -> str:
    """The next of these boards that a plugged one can become. Raises BenchError."""
    kinds = {board.id: board.definition for board in plan.board}
    for name in names:
        if not at.kind or kinds[name] in at.kind:
            return name
    if not names:
        raise BenchError("every board of the plan was made already; a board by its name makes one anew")
    what = " or ".join(definition.read(kind).name for kind in at.kind)
    wanted = " or ".join(sorted({definition.read(kinds[name]).name for name in names}))
    raise BenchError(f"{at.named}: this is a {what}, and what the plan still needs is: {wanted}")


def the_one(ports: Sequence[str], drive: Path | None, patience_s: float) -> Found:
    """The one plugged board that is meant. Raises BenchError where there is none, or more than one."""
    if len(ports) > 1:
        raise BenchError("one board has one --port; --all takes several")
    if drive:
        at = plugged.seen(ports)[0] if ports else Found(where=plugged.where_of(drive), kind=plugged.at_drive(drive))
        return at._replace(drive=drive, blank=True)
    if ports:
        return plugged.seen(ports)[0]
    rows = [row for row in plugged.seen() if row.kind]
    if len(rows) > 1:
        rows = [row for row in plugged.asked(rows, patience_s=patience_s) if row.kind]
    if len(rows) == 1:
        return rows[0]
    if not rows:
        mount = image.unmounted()
        hint = f"; a boot drive is there that nobody has mounted: {mount[0]}" if mount else ""
        raise BenchError(
            f"no board is plugged in that we know{hint}. Is the cable one that carries data? "
            "`callfloor board list` shows what there is, --port names a port"
        )
    lines = table([(row.named, row.where, ", ".join(row.kind), row.board or "") for row in rows])
    raise BenchError("\n".join([f"{len(rows)} boards are plugged in; name one with --port, or --all:", *lines]))


def every(
    plan: Plan,
    found: Sequence[Found],
    made: Mapping[str, Made],
    there: set[str],
    sure: bool = False,
    named: bool = False,
) -> list[Row]:
    """Which plugged board becomes which of the plan.

    A board that carries a board.json of this site stays who it is, and so does a chip that we made before. Any other
    gets the next one, in the order of `found`. sure: also one that is a board of another site. named: the ports were
    named, so what is silent there is a blank board.
    """
    ids = {board.id for board in plan.board}
    taken: dict[str, str] = {}
    rows: dict[int, Row] = {}

    def give(number: int, board: str, why: str) -> None:
        if board in taken:
            twin = f"it says that it is '{board}' like the one at {taken[board]}: flash it by its name, alone"
            rows[number] = Row(found[number], None, twin)
            return
        taken[board] = found[number].named
        try:
            rows[number] = Row(found[number], flash.target(plan, board), why)
        except (BenchError, SiteError) as error:
            rows[number] = Row(found[number], None, str(error))

    for number, at in enumerate(found):
        known = board_of(at.about.chip, dict(made)) if at.about else None
        if at.wrong and not at.blank and not (at.silent and named):
            rows[number] = Row(at, None, at.wrong)
        elif not at.kind and not named:
            rows[number] = Row(at, None, "no board that we know")
        elif at.site == plan.site.id and at.board in ids:
            give(number, at.board or "", "it is already")
        elif at.site and at.board and not sure:
            rows[number] = Row(at, None, f"it is board '{at.board}' of site '{at.site}'; --yes makes it one of ours")
        elif known in ids and not at.site:
            give(number, known or "", "its chip was before")
    left = [name for name in to_make(plan, made, there) if name not in taken]
    for number, at in enumerate(found):
        if number in rows:
            continue
        try:
            name = next_for(plan, left, at)
        except BenchError as error:
            rows[number] = Row(at, None, str(error))
            continue
        left.remove(name)
        give(number, name, "new")
    return [rows[number] for number in range(len(found))]


def words_of(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """The table of them, as lines."""
    cells = [("port", "is", "becomes", "")]
    for row in rows:
        is_now = row.at.board if row.at.board else row.at.about.machine if row.at.about else "no MicroPython"
        where = f"{row.aim.board} ({place(plan, row.aim.board)})" if row.aim else "-"
        cells.append((row.at.named, is_now or "", where, row.why if row.aim else shortly(row.why, row.at.named)))
    return table(cells)
