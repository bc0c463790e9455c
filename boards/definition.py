"""What boards exist: a page of data each in definitions/*.toml, read and checked here."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

import floorplan
from boards import kinds
from firmware.panels import ws2812

PAGES = Path(__file__).with_name("definitions")


class DefinitionError(Exception):
    """A board's page that cannot be used, or a board wired against its page; the text says where."""


class Spi(BaseModel):
    """One of its buses for panels, and the pins that it takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sck: tuple[str, ...]  # where its clock may be; the first is the usual one
    mosi: tuple[str, ...]
    cs: str | None = None  # its own chip-select; none: any pin
    miso: str | None = None  # nothing comes back from a panel, but the pin is taken
    adc: tuple[str, ...] = ()  # voltages that are measured by its chip-select
    bytes_most: int | None = None  # in one transfer


class Flash(BaseModel):
    """How MicroPython's image gets onto a kind of board."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["uf2", "esptool"]
    chip: Literal["rp2040", "rp2350", "esp32", "esp32s3"]
    image: str  # MicroPython's own name of it, as its files begin: RPI_PICO_W
    offset: int | None = None  # esptool: where in the flash memory it begins
    steps: str  # what a person does to get the board to take one: "hold BOOTSEL while plugging it in"


class Definition(BaseModel):
    """One kind of board. Adding one is adding a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str  # as printed on the box
    runs: Literal["micropython", "cpython"]
    pins: tuple[str, ...]  # that may be an input with a pull-up
    adc: tuple[str, ...] = ()  # that measure a voltage: a phone by line
    usb: bool = False  # headsets can be plugged in at its USB
    spi: dict[str, Spi] = {}  # its buses for panels, by the name in the site file
    inputs_most: int  # desks that it reads a hundred times a second
    avoid: dict[str, str] = {}  # pins better left alone, and why
    flash: Flash | None = None  # none: nothing is flashed, it runs an operating system or is not there
    usb_ids: tuple[str, ...] = ()  # as it may show at a USB port, "2e8a:0005"; in lower case
    machine: str | None = None  # how MicroPython names it: the beginning of sys.implementation._machine
    proven: Literal["decoder", "interpreter", "emulator", "hardware"]


def names() -> list[str]:
    """The ids a site file may give as `definition`."""
    return sorted(path.stem for path in PAGES.glob("*.toml"))


def read(name: str) -> Definition:
    """The page of one kind of board. Raises DefinitionError."""
    path = PAGES / f"{name}.toml"
    if not path.exists():
        hint = floorplan.meant(name, names()) or f"; there is {', '.join(names())}"
        raise DefinitionError(f"no board definition '{name}'{hint}")
    try:
        return Definition.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise DefinitionError(f"{path.name}: {error}") from error


def check(plan: floorplan.Plan) -> list[str]:
    """What is wrong with the boards of a plan, a line each; empty: every pin is one its board has."""
    return [
        f"board {board.id}: {line}"
        for board in plan.board
        for line in wrong_with(board, plan.walls_of(board.id))
    ]


def wrong_with(board: floorplan.Board, walls: Sequence[floorplan.Wall] = ()) -> list[str]:
    """What is wrong with one board and the walls that hang on it, a line each."""
    try:
        page = read(board.definition)
    except DefinitionError as error:
        return [str(error)]
    wrong: list[str] = []
    if len(board.inputs) > page.inputs_most:
        wrong.append(
            f"{len(board.inputs)} inputs; {_a(page)} reads {page.inputs_most} at most: "
            "give the others to a second board"
        )
    for place in board.inputs:
        wrong += [f"desk '{place.desk}' {line}" for line in _wrong_input(page, place)]
    for wall in walls:
        wrong += [f"wall '{wall.id}': {line}" for line in _wrong_panel(page, wall.panel)]
        if wall.light and wall.light.pin not in page.adc:
            there = (
                f"a voltage is measured at {', '.join(page.adc)}" if page.adc else f"{_a(page)} measures none"
            )
            wrong.append(f"wall '{wall.id}': light at {wall.light.pin}: {there}")
    return wrong + _taken_twice(page, board, walls)


def _wrong_input(page: Definition, place: floorplan.BoardInput) -> list[str]:
    wrong = []
    if place.headset and place.headset.by == "usb" and not page.usb:
        wrong.append(
            f"headset: {_a(page)} reads no headset by USB; a Raspberry Pi does, or its contacts are read"
        )
    for key, pin in place.pins():
        by_line = key == "phone.pin" and place.phone is not None and place.phone.by == "line"
        if by_line and not page.adc:
            wrong.append(f"{key} at {pin}: {_a(page)} measures no line's voltage; a Pico W does")
        elif pin in page.avoid:
            wrong.append(f"{key} at {pin}: {page.avoid[pin]}")
        elif by_line and pin not in page.adc:
            wrong.append(f"{key} at {pin}: {_a(page)} measures a line's voltage at {', '.join(page.adc)}")
        elif not by_line and pin in page.adc and pin not in page.pins:
            wrong.append(f"{key} at {pin}: a contact needs a pull-up, and {_a(page)} has none there")
        elif not by_line and pin not in page.pins:
            wrong.append(f"{key}: {_a(page)} has no pin {pin}")
    return wrong


def _wrong_panel(page: Definition, panel: floorplan.Panel) -> list[str]:
    runs = kinds.panels()[panel.kind].runs
    if page.runs not in runs:
        return [
            f"a panel of kind '{panel.kind}' is for a board that runs {' or '.join(runs)}, like a Raspberry Pi"
        ]
    if panel.bus is None or panel.bus.startswith("file:"):
        return []
    bus = page.spi.get(panel.bus)
    if bus is None:
        there = f"it has {', '.join(page.spi)}" if page.spi else "it has none"
        return [
            f'{_a(page)} has no bus {panel.bus}; {there}. To try the panel without one: bus = "file:wall.spi"'
        ]
    wrong = []
    for key, pin, pins in (("sck", panel.sck, bus.sck), ("mosi", panel.mosi, bus.mosi)):
        if pin and pin not in pins:
            wrong.append(f"{key} at {pin}: {panel.bus} has it at {' or '.join(pins)}")
    if bus.cs and panel.cs:
        wrong.append(f"cs at {panel.cs}: {panel.bus} has its own, {bus.cs}; leave cs out")
    if panel.kind == "max7219" and not bus.cs and not panel.cs:
        wrong.append(f'the chain needs a chip-select, a pin of its own: cs = "{page.pins[0]}"')
    if panel.cs in page.avoid:
        wrong.append(f"cs at {panel.cs}: {page.avoid[panel.cs]}")
    elif panel.cs and not bus.cs and panel.cs not in page.pins:
        wrong.append(f"cs: {_a(page)} has no pin {panel.cs}")
    lights = panel.size[0] * panel.size[1]
    if panel.kind == "ws2812" and bus.bytes_most and ws2812.size(lights) > bus.bytes_most:
        most = (bus.bytes_most - ws2812.size(0)) // ws2812.LIGHT
        wrong.append(f"{lights} lights; {panel.bus} of {_a(page)} sends at most {most} at once")
    return wrong


def _taken_twice(page: Definition, board: floorplan.Board, walls: Sequence[floorplan.Wall]) -> list[str]:
    """Pins and buses that a panel shares with what it cannot."""
    wrong: list[str] = []
    taken = {pin: f"{key} of desk '{place.desk}'" for place in board.inputs for key, pin in place.pins()}
    for wall in walls:
        if wall.light and wall.light.pin in taken:
            wrong.append(
                f"wall '{wall.id}': light at {wall.light.pin} is taken: it is {taken[wall.light.pin]}"
            )
        elif wall.light:
            taken[wall.light.pin] = f"light of wall '{wall.id}'"
    files: dict[str, str] = {}
    for wall in walls:
        for path in {wall.panel.bus or "", str(wall.panel.path or "")} - {""}:
            if (path.startswith("file:") or wall.panel.path) and path in files:
                wrong.append(f"wall '{wall.id}': {path} is written by wall '{files[path]}' already: give another name")
            files.setdefault(path, wall.id)
    wires: dict[str, tuple[str, str, tuple[str, str]]] = {}  # bus → the wall that has it, its kind, its pins
    for wall in walls:
        panel = wall.panel
        bus = page.spi.get(panel.bus or "")
        if bus is None:
            continue
        sck, mosi = panel.sck or bus.sck[0], panel.mosi or bus.mosi[0]
        own = [("cs", panel.cs or bus.cs)] if panel.kind == "max7219" else []
        wire = (panel.bus or "").partition(".")[0]
        if wire not in wires:
            own += [("sck", sck), ("mosi", mosi), ("miso", bus.miso)]
        elif "ws2812" in (panel.kind, wires[wire][1]):
            wrong.append(
                f"wall '{wall.id}': {panel.bus} goes to wall '{wires[wire][0]}' too, and WS2812 lights hear all "
                "that is sent there: give them a bus of their own"
            )
        elif wires[wire][2] != (sck, mosi):
            wrong.append(
                f"wall '{wall.id}': {panel.bus} has its clock and data at {' and '.join(wires[wire][2])} for "
                f"wall '{wires[wire][0]}': give the same sck and mosi here"
            )
        wires.setdefault(wire, (wall.id, panel.kind, (sck, mosi)))
        for key, pin in own:
            if pin and pin in taken:
                wrong.append(f"wall '{wall.id}': {key} at {pin} is taken: it is {taken[pin]}")
            elif pin:
                taken[pin] = f"{key} of wall '{wall.id}'"
        for adc, user in taken.items():
            if adc in page.adc and any(
                adc in row.adc for name, row in page.spi.items() if _hears(panel, wire, name)
            ):
                wrong.append(f"wall '{wall.id}': {panel.bus} measures {adc}, {user}: take another bus")
    return wrong


def _hears(panel: floorplan.Panel, wire: str, bus: str) -> bool:
    """Whether a panel hears what is sent on a bus: WS2812 lights have no chip-select."""
    return bus == panel.bus or (panel.kind == "ws2812" and bus.partition(".")[0] == wire)


def _a(page: Definition) -> str:
    return f"{'an' if page.name[0] in 'AEIOU' else 'a'} {page.name}"
