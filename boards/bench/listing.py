"""`callfloor board list`: what is plugged in, what it runs, which board it is, and what is new to us."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from boards import definition
from boards.bench import bundle, image, plugged
from boards.bench import made as records
from boards.bench.identify import place
from boards.bench.made import Made
from boards.bench.plugged import Found
from boards.bench.show import table
from floorplan import Plan

if TYPE_CHECKING:
    from rich.table import Table

HEADINGS = ("port", "at", "what it is", "runs", "board")
LOOK_S = 0.7
AGAIN_S = 3.0  # a port that could not be asked is asked again, no sooner


class Known(NamedTuple):
    """What we know of boards beside what they say: the plan, and the record of boards made."""

    plan: Plan | None
    made: Mapping[str, Made]


def known(plan: Plan | None, site: Path | None) -> Known:
    """Raises BenchError."""
    return Known(plan, records.read(records.file_of(site)) if site else {})


def row(one: Found, among: Known) -> dict[str, Any]:
    """One of them for programs."""
    about, news = one.about, new(one, among)
    return {
        "port": one.port or None, "drive": str(one.drive) if one.drive else None, "usb": one.usb, "serial": one.serial,
        "at": one.where, "kind": list(one.kind), "machine": about.machine if about else None,
        "micropython": ".".join(map(str, about.version[:3])) if about else None, "chip": about.chip if about else None,
        "firmware": one.firmware or None, "same": same(one), "site": one.site, "board": one.board,
        "where": _where(one, among), "new": news, "wrong": one.wrong or None,
    }  # fmt: skip


def same(one: Found) -> bool | None:
    """Whether it runs the firmware that we would put onto it; None: none of ours."""
    if not one.firmware or one.about is None:
        return None
    return bundle.firmware_hash(bundle.firmware(one.about.mpy)) == one.firmware


def new(one: Found, among: Known) -> str:
    """What is new to us about it; empty: nothing is, or nobody can say."""
    if one.about is None:
        return "a blank chip" if one.blank else ""
    if one.site is None:
        old = records.board_of(one.about.chip, dict(among.made))
        return f"nobody yet; it was made '{old}' before" if old else "nobody yet"
    if not one.board:
        return "a board.json that cannot be read"
    if among.plan is None:
        return ""
    if one.site != among.plan.site.id:
        return f"of another site, '{one.site}'"
    if all(board.id != one.board for board in among.plan.board):
        return "not in the site file"
    before = among.made.get(one.board)
    if before and before.chip and before.chip != one.about.chip:
        return "another chip than we made it of"
    return ""


def cells(one: Found, among: Known) -> tuple[str, ...]:
    """One of them for people: a row under HEADINGS."""
    if one.about:
        what = one.about.machine or one.about.platform
        runs = "MicroPython " + ".".join(map(str, one.about.version[:3]))
        there = same(one)
        if there is not None:
            runs += f", firmware {one.firmware}" + ("" if there else ", not ours of today")
    else:
        what = " or ".join(definition.read(kind).name for kind in one.kind) or "no board that we know"
        runs = "a boot drive: waits for an image" if one.drive else shortly(one.wrong, one.port)
    who = [word for word in (one.board, _where(one, among), new(one, among)) if word]
    return one.named, one.where, what, runs, ", ".join(who)


def shortly(wrong: str, port: str) -> str:
    """The beginning of what is wrong with a board at a port; the port's name stands before it already."""
    return re.split(r"[;.] |\n", wrong.removeprefix(f"{port}: "))[0]


def _where(one: Found, among: Known) -> str:
    plan = among.plan
    mine = plan and one.site == plan.site.id and any(board.id == one.board for board in plan.board)
    return place(plan, one.board) if plan and mine and one.board else ""


def lines(rows: Sequence[Found], among: Known) -> list[str]:
    """All of them for people."""
    told = table([HEADINGS, *(cells(one, among) for one in rows)]) if rows else ["no board is plugged in that we know"]
    mount = image.unmounted()
    return told + [f"a boot drive that nobody has mounted: {command}" for command in mount]


def run(
    plan: Plan | None, site: Path | None, ports: Sequence[str], probe: bool, as_json: bool, patience_s: float
) -> None:
    """The command. Raises BenchError."""
    among = known(plan, site)
    rows = plugged.found(probe, ports or None, patience_s, records.serials(among.made))
    print(json.dumps([row(one, among) for one in rows]) if as_json else "\n".join(lines(rows, among)))


# Live ---------------------------------------------------------------------------------


class Watcher:
    """What is plugged in, looked at again and again; whoever came is asked once."""

    def __init__(self, ports: Sequence[str], probe: bool, patience_s: float, made: Collection[str] = ()) -> None:
        """`made`: USB serials of boards we made."""
        self._ports, self._probe, self._patience_s, self._made = list(ports), probe, patience_s, made
        self.rows: dict[str, Found] = {}
        self._asked_s: dict[str, float] = {}

    def look(self) -> tuple[list[Found], list[Found]]:
        """(who came, who went) since the last look."""
        now = {one.named: one for one in self._seen()}
        went = [one for name, one in self.rows.items() if name not in now or _is_another(one, now[name])]
        for one in went:
            del self.rows[one.named]
        came = [one for name, one in now.items() if name not in self.rows]
        again = [
            one for one in self.rows.values()
            if one.wrong and not one.about and self._asked_s.get(one.named, 0) + AGAIN_S < time.monotonic()
            and one.kind and self._probe and not (one.silent and plugged.anybodys(one))  # opening resets some
        ]  # fmt: skip
        named = self._ports
        asks = [*came, *again]
        told = list(plugged.asked(asks, named, self._patience_s, self._made)) if self._probe else asks
        for one in told:
            self.rows[one.named] = one
            self._asked_s[one.named] = time.monotonic()
        return told[: len(came)], went

    def _seen(self) -> list[Found]:
        rows = plugged.seen(self._ports or None)
        gone = {name for name in self._ports if "://" not in name and not Path(name).exists() and name.startswith("/")}
        return [one for one in rows if one.port not in gone]


def _is_another(before: Found, now: Found) -> bool:
    return (before.usb, before.serial, before.where) != (now.usb, now.serial, now.where)


def watch(
    plan: Plan | None, site: Path | None, ports: Sequence[str], probe: bool, as_json: bool, patience_s: float
) -> None:
    """The command with --watch, until Ctrl-C: a live table at a terminal, else a line when something comes or goes."""
    from rich.console import Console
    from rich.live import Live

    among, console = known(plan, site), Console(emoji=False)
    watcher = Watcher(ports, probe, patience_s, records.serials(among.made))
    if as_json or not console.is_terminal:
        _follow(watcher, among, lambda what, one: print(_told(what, one, among, as_json), flush=True))
        return
    with Live(_table(watcher, among), console=console, auto_refresh=False) as live:

        def show(what: str, one: Found) -> None:
            live.console.print(_told(what, one, among, False), markup=False, highlight=False)
            live.update(_table(watcher, among), refresh=True)

        _follow(watcher, among, show)


def _follow(watcher: Watcher, among: Known, tell: Callable[[str, Found], None]) -> None:
    while True:
        came, went = watcher.look()
        for one in went:
            tell("went", one)
        for one in came:
            tell("came", one)
        time.sleep(LOOK_S)


def _told(what: str, one: Found, among: Known, as_json: bool) -> str:
    if as_json:
        return json.dumps({"what": what} | row(one, among))
    return f"{time.strftime('%H:%M:%S')}  {what}  {'  '.join(cell for cell in cells(one, among) if cell)}"


def _table(watcher: Watcher, among: Known) -> Table:
    from rich.table import Table
    from rich.text import Text

    told = Table(*HEADINGS)
    for one in sorted(watcher.rows.values(), key=plugged.place):
        told.add_row(*(Text(cell) for cell in cells(one, among)))
    return told
