"""What is plugged in at this computer: serial ports and boot drives, and what answers there when it is asked politely.

Asked is only a port whose USB id is that of a board we know, or one that was named. A board that runs a program is
stopped for it, and begins again afterwards; whatever is no MicroPython is left as it was. Behind an adapter that is in
printers and machines as well (CP210x, CH340, FTDI) nothing is stopped, unless it was named or we made a board there.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from serial.tools import list_ports

from boards import definition, readable
from boards.bench import BenchError, uf2
from boards.bench.port import About, Blank, Board, Foreign, Silent, TooOld
from boards.definition import Definition

ANYBODYS = ("10c4:", "1a86:", "0403:")  # vendors of adapters that are in devices of any kind: CP210x, CH340, FTDI
AT_ONCE = 16  # ports that are asked at the same time
CHIPLESS = ("linux", "darwin", "win32")  # sys.platform of a MicroPython that is a program

# Which site and board it is, without any secret.
WHO = """
import json
def w():
 try:
  with open("board.json") as f: d = json.load(f)
  return str(d["site"]), str(d["board"])
 except OSError: return None
 except Exception: return "", ""
print(repr(w()))
"""

# What its firmware is called: firmware/start.py: firmware_hash.
HASH = """
import os, hashlib, binascii, gc
gc.collect()
def l(p):
 try: return [p + n for n in os.listdir("firmware/" + p) if n.endswith(".py") or n.endswith(".mpy")]
 except OSError: return []
def h():
 n = sorted(l("") + l("panels/"))
 t = hashlib.sha256()
 for m in n:
  t.update(m.encode())
  with open("firmware/" + m, "rb") as f:
   while 1:
    b = f.read(512)
    if not b: break
    t.update(b)
 return binascii.hexlify(t.digest()).decode()[:16] if n else ""
print(repr(h()))
"""


class Found(NamedTuple):
    """One board, or something at a port that may be one."""

    port: str = ""  # "": it shows a boot drive
    drive: Path | None = None
    usb: str = ""  # 2e8a:0005; "" where the port is not at USB, or was only named
    serial: str = ""  # of its USB port
    where: str = ""  # its place at this computer's USB: 1-1.2
    kind: tuple[str, ...] = ()  # definitions that it may be
    about: About | None = None  # None: nobody asked, or no MicroPython answers
    firmware: str = ""  # 16 hex digits; "": none of ours
    site: str | None = None  # of its board.json; None: it has none; "": one that nobody can read
    board: str | None = None
    ran: bool = False  # a program ran there when it was asked
    wrong: str = ""  # why it could not be asked, in words
    blank: bool = False  # a chip without an image, or with one that is too old
    silent: bool = False  # nothing answers: a blank chip may be so, and much else

    @property
    def named(self) -> str:
        """As a person names it."""
        return self.port or str(self.drive)


def found(
    probe: bool = True, ports: Sequence[str] | None = None, patience_s: float = 10.0, made: Collection[str] = ()
) -> list[Found]:
    """All that is plugged in, by its place at USB; with `ports` these alone, whatever their USB ids. See `asked`."""
    return list(asked(seen(ports), ports or (), patience_s, made)) if probe else seen(ports)


def seen(ports: Sequence[str] | None = None) -> list[Found]:
    """The same without a word to anybody. Ports that are not at USB are left out, unless they are named."""
    by_ids = _by_ids()
    there: dict[str, Found] = {}
    for info in list_ports.comports():
        if info.vid is None and info.device not in (ports or ()):
            continue
        usb = f"{info.vid:04x}:{info.pid:04x}" if info.vid is not None else ""
        where = (info.location or "").partition(":")[0]
        text = readable.plain(info.serial_number or "")[:64]
        there[info.device] = Found(info.device, None, usb, text, where, tuple(by_ids.get(usb, ())))
    if ports is not None:
        if "" in ports:
            raise BenchError("--port: is empty; name one, like COM3, /dev/ttyACM0 or socket://HOST:PORT")
        return [there.get(os.path.realpath(name), there.get(name, Found()))._replace(port=name) for name in ports]
    shown = [
        Found("", drive.path, where=where_of(drive.path), kind=_by_chip(drive.chip), blank=True)
        for drive in uf2.drives()
        if drive.chip
    ]
    return sorted([*there.values(), *shown], key=place)


def asked(
    rows: Sequence[Found], named: Sequence[str] = (), patience_s: float = 10.0, made: Collection[str] = ()
) -> Iterator[Found]:
    """The same rows, in their order, with what those say that may be asked. `made`: USB serials of boards we made."""

    def one(row: Found) -> Found:
        ours = row.port in named or (row.serial and row.serial in made)
        may = row.port and (row.kind or row.port in named)
        return ask(row, patience_s, stop=bool(ours) or not anybodys(row)) if may else row

    if rows:
        with ThreadPoolExecutor(min(AT_ONCE, len(rows))) as pool:
            yield from pool.map(one, rows)


def anybodys(row: Found) -> bool:
    """It is behind an adapter that says nothing of what is behind it."""
    return row.usb.startswith(ANYBODYS)


def ask(row: Found, patience_s: float = 10.0, stop: bool = True) -> Found:
    """What the board at a port says of itself. Never raises BenchError: it stands in `wrong`."""
    try:
        with Board(row.port, patience_s, stop) as board:
            return told(board, row)
    except BenchError as error:
        kind = () if isinstance(error, Foreign) else row.kind
        return row._replace(
            wrong=str(error), kind=kind, blank=isinstance(error, Blank), silent=isinstance(error, Silent)
        )


def told(board: Board, row: Found) -> Found:
    """The same of a board that is open already. Raises BenchError."""
    about = board.about()
    row = row._replace(about=about, ran=board.ran, kind=kinds_of(about))
    try:
        board.usable()
    except TooOld as error:
        return row._replace(wrong=str(error), blank=bool(row.kind))
    if board.ran:
        board.fresh()  # what ran there has left little memory
    site, name = who(board)
    return row._replace(firmware=str(_said(board, HASH))[:16], site=site, board=name)


def who(board: Board) -> tuple[str | None, str | None]:
    """(site, board) of its board.json; None where it has none, "" where nobody can read it. Raises BenchError."""
    told = _said(board, WHO)
    if not told:
        return None, None
    try:
        site, name = told
    except (ValueError, TypeError):
        return "", ""
    return readable.plain(str(site))[:32], readable.plain(str(name))[:32]


def _said(board: Board, code: str) -> Any:
    """The value that it prints. Raises BenchError."""
    said = board.run(code, 60).strip().splitlines()
    try:
        return ast.literal_eval(said[-1])
    except (ValueError, SyntaxError, TypeError, IndexError) as error:
        raise BenchError(f"{board.port}: what the board says came damaged over the line; try another cable") from error


def kinds_of(about: About) -> tuple[str, ...]:
    """Definitions that a board may be which says this of itself; the pretend board only where there is no chip."""
    if about.platform in CHIPLESS:
        return ("simulated",)
    rows = ((name, page.machine) for name, page in pages().items())
    return tuple(name for name, machine in rows if machine and about.machine.startswith(machine))


def pages() -> dict[str, Definition]:
    """The definitions whose boards run MicroPython."""
    read = {name: definition.read(name) for name in definition.names()}
    return {name: page for name, page in read.items() if page.runs == "micropython"}


def place(row: Found) -> tuple[bool, list[tuple[int, str]], str]:
    """By its place at USB, 1-1.10 behind 1-1.9; what has none comes last."""
    parts = re.findall(r"\d+|\D+", row.where)
    return not row.where, [(int(part), "") if part.isdigit() else (1 << 30, part) for part in parts], row.named


def where_of(drive: Path) -> str:
    """A boot drive's place at USB; "" where the system does not say."""
    with contextlib.suppress(OSError, StopIteration):
        device = next(part.device for part in psutil.disk_partitions(all=False) if part.mountpoint == str(drive))
        path = os.path.realpath(f"/sys/class/block/{os.path.basename(device)}")
        places = re.findall(r"/(\d+-\d+(?:\.\d+)*)(?=/)", path)
        return places[-1] if places else ""
    return ""


def at_drive(drive: Path) -> tuple[str, ...]:
    """Definitions that a board may be which shows this boot drive. Raises BenchError where it is none."""
    return _by_chip(uf2.drive_at(drive).chip)


def _by_ids() -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for name, page in pages().items():
        for ids in page.usb_ids:
            rows.setdefault(ids, []).append(name)
    return rows


def _by_chip(chip: str | None) -> tuple[str, ...]:
    return tuple(name for name, page in pages().items() if page.flash and page.chip == chip)
