"""A board's way from a blank chip to a working desk: image, firmware, board.json, restart, proof, record.

Every step looks first at what is there already: so the same command again puts right whatever was cut off, and
does nothing where all is well.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import floorplan
from boards import definition, record
from boards.bench import BenchError, bundle, files, image, made, plugged
from boards.bench.identify import place
from boards.bench.plugged import Found
from boards.bench.port import About, Blank, Board, Foreign, NoSuchPort, Silent, TooOld
from boards.bench.proof import Proof, by_console
from boards.bench.show import Show
from boards.definition import Definition
from floorplan import Broker, Plan, SiteError

if TYPE_CHECKING:
    from boards.bench.mirror import Mirror

LEAST = (1, 24)  # an older MicroPython gets a new image
PROOF = 6  # times the patience with a silent port: from a start to the hello
AGAIN_S = 30.0  # a chip with a new image makes its file system before it answers
LOOK_S = 0.1

_one_drive = threading.Lock()  # where it cannot be told which drive becomes which port, one goes after the other


Pins = dict[str, Any]  # what board.json says of its pins


class Handed(Protocol):
    """A board.json for a board, and whether that has it already: gateway/broker/boards.py."""

    @property
    def text(self) -> bytes: ...
    @property
    def kept(self) -> bool: ...


class Giver(Protocol):
    """Where a board.json comes from, and what is done when the board has it."""

    def hand(self, board: str, pins: Pins, told: bytes | None, rotated: bytes | None, dry: bool) -> Handed: ...
    def taken(self, board: str, handed: Any) -> str: ...


class Target(NamedTuple):
    """What a board is to become."""

    site: str
    board: str
    definition: str
    page: Definition
    pins: Pins
    where: str  # desks a1, a2
    wifi: str | None
    debug: bool
    asked: record.Place | None  # the desk whose pin proves it


@dataclass(frozen=True)
class How:
    """What is to be done, and with what; the same for many boards."""

    giver: Giver
    book: Path | None  # the record of boards made; None: none is kept
    broker: Broker | None  # where the hello is waited for; None: the board's own words are the proof
    image: Path | None = None  # put on, whatever is there
    mirror: Path | None = None  # None: the usual folder
    with_image: bool = True  # `provision` puts none on
    wait: bool = True  # for the proof
    pin: Callable[[Proof, record.Place], str | None] | None = None  # asks the technician; None: nobody is there
    sure: Callable[[str], bool] = field(default=lambda question: False)
    dry: bool = False
    patience_s: float = 10.0
    plan: Plan | None = None  # whose boards are known by name


class Done(NamedTuple):
    """What became of one board."""

    board: str
    port: str
    definition: str
    chip: str = ""
    micropython: str = ""
    image: bool = False  # it was put on
    firmware: str = ""
    sent: int = 0  # files
    sent_bytes: int = 0
    kept: int = 0
    removed: int = 0
    password: str = ""  # new, kept, or "" where it has none
    hello_s: float | None = None  # None: not waited for
    pin: str | None = None
    seconds: float = 0.0
    dry: bool = False
    wrong: str = ""  # why it failed


def target(plan: Plan, board: str, desk: str | None = None) -> Target:
    """What a board of the plan is to become. Raises BenchError, SiteError."""
    row = next((row for row in plan.board if row.id == board), None)
    if row is None:
        raise SiteError(f"no board '{board}' in the site file{floorplan.meant(board, [row.id for row in plan.board])}")
    if wrong := definition.wrong_with(row, plan.walls_of(board)):
        raise SiteError("\n".join(f"board {board}: {line}" for line in wrong))
    page = definition.read(row.definition)
    if page.runs != "micropython":
        raise BenchError(
            f"board '{board}' is a {page.name}, a computer of its own: nothing is flashed; docs/raspberry-pi.md"
        )
    simulated = page.flash is None
    asked = None
    for entry in row.inputs:
        if desk in (None, entry.desk):
            with contextlib.suppress(record.RecordError):
                asked = asked or record.place(plan, entry.desk)
    wifi = row.wifi.ssid if row.wifi and not simulated else None
    pins, where = definition.pins(row), place(plan, board)
    return Target(plan.site.id, board, row.definition, page, pins, where, wifi, row.debug, asked)


def told_target(told: Mapping[str, Any], path: Path) -> Target:
    """The same of a board.json that was written before. Raises BenchError."""
    try:
        name, site, board = str(told["definition"]), str(told["site"]), str(told["board"])
        page = definition.read(name)
        wifi = told["wifi"]["ssid"] if "wifi" in told else None
        return Target(site, board, name, page, dict(told["pins"]), f"site {site}", wifi, bool(told.get("debug")), None)
    except (KeyError, TypeError, ValueError) as error:
        raise BenchError(f"{path}: is no board.json, '{error}' is missing: `callfloor board json` writes it") from error


class Told:
    """A Giver of files that `callfloor board json` wrote, for a laptop without the site file."""

    def __init__(self, files: Mapping[str, Mapping[str, Any]]) -> None:
        self._files = files

    def hand(self, board: str, pins: Pins, told: bytes | None, rotated: bytes | None, dry: bool) -> Handed:
        wanted = self._files[board]
        with contextlib.suppress(ValueError, RecursionError):
            if told and json.loads(told) == wanted:
                return _Handed(told, True)
        return _Handed(json.dumps(wanted, separators=(",", ":")).encode(), False)

    def taken(self, board: str, handed: Handed) -> str:
        return ""


class _Handed(NamedTuple):
    text: bytes
    kept: bool


# The way --------------------------------------------------------------------------


def flash(aim: Target, at: Found, how: How, show: Show) -> Done:
    """Makes the board at a port, or at a boot drive, that one of the plan. Raises BenchError, SiteError.

    The order is that of gateway/broker/boards.py: hand: the board has its board.json before the broker has its
    password. It is in the record as soon as it carries its name, so that no other becomes the same by --next.
    """
    began = time.monotonic()
    show.step("board")
    with contextlib.ExitStack() as stack:
        board, clean = _open(at, aim, how, show)
        if board:
            stack.enter_context(board)
            _right_chip(aim, board.about(), at)
            _nobody_else(aim, board, how, show)
        show.said(f"{_what(board, aim, at)} becomes {aim.board} ({aim.where})")

        show.step("image")
        new_image = _image_for(aim, board, how, show, stack)
        if how.dry and new_image:
            show.said(f"would put {new_image.name} on, and then everything else")
            return Done(aim.board, at.named, aim.definition, image=True, seconds=_since(began), dry=True)
        if new_image:
            if board:
                at = _into_loader(board, aim, at)
                board.close()
            at = _put_on(new_image, aim, at, how, show, erase=not (board or clean))
            board = stack.enter_context(_again(at, how))
            _right_chip(aim, board.about(), at)
        assert board
        about = board.about()
        version = ".".join(str(part) for part in about.version[:3])
        show.said(f"MicroPython {version} is {'on it now' if new_image else 'there'}")

        show.step("files")
        handed = how.giver.hand(
            aim.board, aim.pins, board.read("board.json"), board.read("password"), how.dry
        )
        wanted = _wanted(aim, about, handed, how)
        name = bundle.firmware_hash(wanted)
        sent = files.bring(board, wanted, show.progress, how.dry)
        show.said(_sent_words(sent, how.dry))
        done = Done(
            aim.board, board.port, aim.definition, about.chip, version, bool(new_image), name, len(sent.written),
            sent.sent_bytes, len(sent.kept), len(sent.removed), "kept" if handed.kept else "new", dry=how.dry,
        )  # fmt: skip
        if how.dry:
            return done._replace(seconds=_since(began))
        if words := how.giver.taken(aim.board, handed):
            show.also(words)
        _note(aim, at, done, how, proved=False)
        done = _started(aim, board, done, how, show)
        _note(aim, at, done, how, proved=done.hello_s is not None)
    return done._replace(seconds=_since(began))


def _started(aim: Target, board: Board, done: Done, how: How, show: Show) -> Done:
    """Restart and proof."""
    with contextlib.ExitStack() as stack:
        show.step("start")
        proof = None
        try:
            if how.wait and how.broker:
                proof = stack.enter_context(Proof(how.broker, aim.site, aim.board))
        except (BenchError, SiteError) as error:
            raise BenchError(f"board '{aim.board}' has all its files and was started; its hello: {error}") from error
        finally:
            board.restart()  # with the broker down, too
        if not how.wait:
            show.said("started; nobody waits for its hello")
            return done
        wait_s = how.patience_s * PROOF
        if proof is None:
            took_s = by_console(board, aim.board, wait_s, aim.wifi, aim.debug)
            show.said(f"it has reached its broker after {took_s:.1f} s, it says")
            return done._replace(hello_s=round(took_s, 2))
        took_s = proof.hello(board, done.firmware, wait_s, aim.wifi, aim.debug)
        show.said(f"its hello came after {took_s:.1f} s, with firmware {done.firmware}")
        done = done._replace(hello_s=round(took_s, 2))
        if how.pin and aim.asked:
            show.step("pin")
            show.also(f"lift the handset of desk {aim.asked.desk} (Enter: not now)")
            pin = how.pin(proof, aim.asked)
            later = f"nothing was seen; later: callfloor board check --desk {aim.asked.desk}"
            show.said(f"seen: {pin}" if pin else later)
            done = done._replace(pin=pin)
    return done


# Which board it is ------------------------------------------------------------------


def _open(at: Found, aim: Target, how: How, show: Show) -> tuple[Board | None, bool]:
    """(the board at a port, stopped; None where it needs an image first, whether its memory is blank then).

    Raises BenchError.
    """
    if not at.port or (at.drive and _shown(at.drive)):
        return None, True
    try:
        board = Board(at.port, how.patience_s)
    except (Blank, Silent, Foreign, NoSuchPort) as error:
        by = aim.page.flash.by if how.with_image and aim.page.flash else None
        if how.image and by == "uf2" and _shows_drive(aim, at):
            return None, True
        if isinstance(error, Blank) and by:
            return None, True
        if isinstance(error, Silent) and by == "esptool":
            return None, False
        if not (isinstance(error, Foreign) and how.image and by == "esptool"):
            raise  # an RP2 without an image shows its drive
        show.quiet()
        if not how.sure(f"{error}\nPut {how.image.name} on it all the same?"):
            raise
        return None, False
    try:
        board.usable()
    except TooOld:
        known = board.about().machine.startswith(aim.page.machine or "?")
        if not (how.with_image and aim.page.flash and known):
            board.close()
            raise
    except BaseException:
        board.close()
        raise
    return board, True


def _right_chip(aim: Target, about: About, at: Found) -> None:
    """Raises BenchError where it is another kind of board than was planned."""
    kinds = plugged.kinds_of(about)
    if aim.definition in kinds or aim.page.flash is None or not aim.page.machine:
        return
    said = about.machine or about.platform
    what = " or ".join(definition.read(kind).name for kind in kinds if kind != "simulated")
    raise BenchError(
        f"{at.named}: this is a {what or 'board that we do not know'} ({said}), and board '{aim.board}' is planned as "
        f"a {aim.page.name} (definition = \"{aim.definition}\"): plug in one of those, or change the plan"
    )


def _nobody_else(aim: Target, board: Board, how: How, show: Show) -> None:
    """Raises BenchError where it is another board already, and nobody says that this one is meant."""
    site, name = plugged.who(board)
    if not name or (site, name) == (aim.site, aim.board):
        return
    whose = f"board '{name}'" if site == aim.site else f"board '{name}' of site '{site}'"
    if how.plan and site == aim.site and any(row.id == name for row in how.plan.board):
        whose += f" ({place(how.plan, name)})"
    show.quiet()
    if not how.dry and not how.sure(f"{board.port}: this is {whose} already. Make it '{aim.board}' ({aim.where})?"):
        raise BenchError(
            f"{board.port}: this is {whose} already, and stays it; to make it '{aim.board}' all the same: --yes"
        )


def _what(board: Board | None, aim: Target, at: Found) -> str:
    if board is None:
        return f"{at.named}: a {aim.page.name} without MicroPython"
    about = board.about()
    return f"{board.port}: {about.machine or about.platform}" + (f", chip {about.chip}," if about.chip else "")


# The image --------------------------------------------------------------------------


def _image_for(
    aim: Target, board: Board | None, how: How, show: Show, stack: contextlib.ExitStack
) -> Path | None:
    """The image that it needs, the mirror's as a copy of our own; None: what is there will do. Raises BenchError."""
    if not how.with_image:
        if board is None:
            raise BenchError(f"no MicroPython is on it: `callfloor board flash {aim.board}` puts an image on, too")
        return None
    if board and not how.image and board.about().version[:2] >= LEAST:
        return None
    if aim.page.flash is None:
        raise BenchError(f"board '{aim.board}' is a {aim.page.name}: no image goes onto it; leave --image out")
    if path := how.image:
        _right_image(path, aim, how, show)
    else:
        path = _mirror(how).image(aim.page, into=Path(stack.enter_context(tempfile.TemporaryDirectory())))
    image.check(path, aim.page)  # before the board is touched
    return path


def _right_image(path: Path, aim: Target, how: How, show: Show) -> None:
    """Raises BenchError for an image whose name is another board's, of the same chip perhaps, where nobody wants it."""
    assert aim.page.flash
    kind = image.kind(path)
    if kind in (None, aim.page.flash.image):
        return
    words = f"{path.name} is MicroPython for {kind}, and a {aim.page.name} takes {aim.page.flash.image}"
    show.quiet()
    if not how.sure(f"{words}. Put it on all the same?"):
        raise BenchError(f"{words}; to put it on all the same: --yes")


def _mirror(how: How) -> Mirror:
    from boards.bench.mirror import Mirror, default_folder

    return Mirror(how.mirror or default_folder())


def _into_loader(board: Board, aim: Target, at: Found) -> Found:
    """An RP2 goes into its boot drive; an ESP32 is led into its loader by esptool."""
    assert aim.page.flash
    if aim.page.flash.by == "uf2":
        board.bootloader()
    return at


def _put_on(path: Path, aim: Target, at: Found, how: How, show: Show, erase: bool) -> Found:
    """The image goes on, and the board has a port again. Raises BenchError.

    erase: something else ran there; what it has left would not be a file system to MicroPython.
    """
    assert aim.page.flash
    if aim.page.flash.by == "esptool":
        image.esptool(aim.page, at.port, path, show.progress, erase)
        return at
    with contextlib.ExitStack() as stack:
        if not at.where:
            stack.enter_context(_one_drive)
        drive = _drive_of(aim, at, how)
        before = {row.port for row in plugged.seen()}
        if not image.copy_uf2(path, drive, show.progress):
            show.also(f"{drive} is still there after all was copied: unplug the board and plug it in again")
        return _port_again(aim, at, before, how)


def _drive_of(aim: Target, at: Found, how: How) -> Path:
    """Where an RP2 shows its drive that was sent there. Raises BenchError."""
    assert aim.page.flash
    end = time.monotonic() + how.patience_s * 2
    while at.drive and not _shown(at.drive) and time.monotonic() < end:
        time.sleep(LOOK_S)
    if at.drive:
        return image.the_drive(aim.page.chip, aim.page.flash.steps, at.drive).path
    while True:
        shown = [drive for drive in image.drives() if drive.chip == aim.page.chip]
        here = [drive.path for drive in shown if at.where and plugged.where_of(drive.path) == at.where]
        if here:
            return here[0]
        if (shown and not at.where) or time.monotonic() > end:
            return image.the_drive(aim.page.chip, aim.page.flash.steps).path
        time.sleep(LOOK_S)


def _shows_drive(aim: Target, at: Found) -> bool:
    """An RP2 whose port is of no use is at its drive all the same: its BOOTSEL button was held."""
    drives = [drive.path for drive in image.drives() if drive.chip == aim.page.chip]
    return any(not at.where or plugged.where_of(drive) == at.where for drive in drives)


def _shown(drive: Path) -> bool:
    with contextlib.suppress(BenchError):
        image.drive_at(drive)
        return True
    return False


def _port_again(aim: Target, at: Found, before: set[str], how: How) -> Found:
    """The port of a board that has just got its image: at the same place, or one that was not there before."""
    end = time.monotonic() + max(AGAIN_S, how.patience_s * 2)
    while time.monotonic() < end:
        if at.port and not at.where:  # it was named
            if "://" in at.port or Path(at.port).exists() or at.port in {row.port for row in plugged.seen()}:
                return at._replace(drive=None)
            time.sleep(LOOK_S)
            continue
        for row in plugged.seen():
            new = row.port not in before and aim.definition in row.kind
            if row.port and (row.where == at.where if at.where else new):
                return row
        time.sleep(LOOK_S)
    raise BenchError(
        f"board '{aim.board}': the image is on it, but no port came after {how.patience_s * 2:.0f} s; is the cable one "
        "that carries data? Unplug it, plug it in, and give the same command again"
    )


def _again(at: Found, how: How) -> Board:
    """The board that has just got its image, as soon as it answers. Raises BenchError."""
    end = time.monotonic() + max(AGAIN_S, how.patience_s * 3)
    while True:
        try:
            return Board(at.port, how.patience_s)
        except Foreign:
            raise
        except BenchError:
            if time.monotonic() > end:
                raise
        time.sleep(LOOK_S)


# The files --------------------------------------------------------------------------


def _wanted(aim: Target, about: About, handed: Handed, how: How) -> dict[str, bytes]:
    """Path → content of all that is to be on it. Raises BenchError."""
    wanted = dict(bundle.firmware(about.mpy))
    if aim.debug:
        wanted |= _debug_packages(how, about.mpy)
    return wanted | {"board.json": handed.text}


def _debug_packages(how: How, mpy: int) -> dict[str, bytes]:
    """What a board with `debug = true` has besides: the packages that firmware/package.json names."""
    from boards.bench.mirror import pinned

    return _mirror(how).packages(pinned(), mpy)


def _sent_words(sent: files.Sent, dry: bool) -> str:
    if not sent.written and not sent.removed:
        return f"all {len(sent.kept)} are there already, nothing {'would be' if dry else 'was'} sent"
    would = "would send" if dry else "sent"
    gone = f", {len(sent.removed)} removed" if sent.removed else ""
    return f"{would} {len(sent.written)} ({sent.sent_bytes / 1024:.1f} KB), {len(sent.kept)} were there{gone}"


def _note(aim: Target, at: Found, done: Done, how: How, proved: bool) -> None:
    if how.book is None:
        return
    row = made.Made(
        chip=done.chip, definition=aim.definition, firmware=done.firmware, image=done.micropython,
        serial=at.serial, when=made.now(), proved=proved,
    )  # fmt: skip
    before = made.read(how.book).get(aim.board)
    again = before and row == before.model_copy(update={"when": row.when, "proved": proved})
    if not (before and again and before.proved >= proved):
        made.note(how.book, aim.board, row)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
