"""What boards exist: a page of data each in definitions/*.toml, read and checked here."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import floorplan
from boards import chip as chips
from boards import definition_wrong, kinds
from firmware.panels import ws2812

PAGES = Path(__file__).with_name("definitions")

# Who has a pin that is no input, and what is said of it.
Taker = Literal[
    "console out", "console in", "console out, on many images", "console in, on many images", "radio", "ethernet",
    "psram", "usb", "lamp", "button", "supply", "spi", "i2c", "hat",
]  # fmt: skip
TAKEN: dict[Taker, str] = {
    "console out": "it is the console's output",
    "console in": "it is the console's input",
    "console out, on many images": "it is the console's output on many images",
    "console in, on many images": "it is the console's input on many images",
    "radio": "it is the radio's",
    "ethernet": "it is the network chip's",
    "psram": "it is the memory's, on modules with PSRAM",
    "usb": "it is the USB socket's",
    "lamp": "it is the board's own lamp",
    "button": "it is the board's own button",
    "supply": "it measures the board's own supply",
    "spi": "it is SPI's, which measures voltages and drives panels",
    "i2c": "it has a fixed pull-up of 1.8 kOhm, for I2C",
    "hat": "it is asked at the start what board sits on top",
}


class DefinitionError(Exception):
    """A board's page that cannot be used, or a board wired against its page; the text says where."""


class Table(BaseModel):
    """One table of a page: unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Spi(Table):
    """One of its buses for panels, and the pins that it takes."""

    sck: tuple[str, ...]  # where its clock may be; the first is the usual one
    mosi: tuple[str, ...]
    cs: str | None = None  # its own chip-select; none: any pin
    miso: str | None = None  # nothing comes back from a panel, but the pin is taken
    adc: tuple[str, ...] = ()  # voltages that are measured by its chip-select
    bytes_most: int | None = None  # in one transfer


class Way(Table):
    """One network chip."""

    def pins(self) -> dict[str, str]:
        """What hangs at which pin."""
        return {key: pin for key, pin in self.model_dump().items() if isinstance(pin, str)}


class W5500(Way):
    """A network chip on SPI: the bus's number, and the chip's pins."""

    spi: int
    sck: str
    mosi: str
    miso: str
    cs: str
    reset: str
    interrupt: str  # it says here that something came


class Lan8720(Way):
    """A network chip at the ESP32's own Ethernet: the pins that can be chosen, and its address."""

    mdc: str
    mdio: str
    power: str
    clock: str  # goes out there
    address: int


class Wired(Table):
    """Network chips that the firmware has to bring up, by the word in the site file."""

    w5500: W5500 | None = None
    lan8720: Lan8720 | None = None

    def ways(self) -> dict[str, W5500 | Lan8720]:
        """Those that are there."""
        return {name: way for name, way in (("w5500", self.w5500), ("lan8720", self.lan8720)) if way is not None}


class Flash(Table):
    """How MicroPython's image gets onto a kind of board."""

    by: Literal["uf2", "esptool"]
    image: str = Field(pattern=r"^[A-Za-z0-9_]+$")  # MicroPython's own name of it, as its files begin: RPI_PICO_W
    offset: int | None = None  # esptool: where in the flash memory it begins
    steps: str  # what a person does to get the board to take one: "hold BOOTSEL while plugging it in"


class Definition(Table):
    """One kind of board. Adding one is adding a file."""

    name: str  # as printed on the box
    chip: str  # its page in chips/
    like: str | None = None  # the page whose keys this one has, but for those that it gives itself
    runs: Literal["micropython", "cpython"]
    pins: tuple[str, ...]  # that may be an input with a pull-up
    adc: tuple[str, ...] = ()  # that measure a voltage: a light sensor's, and a line's where `lines` is true
    usb: bool = False  # headsets can be plugged in at its USB
    spi: dict[str, Spi] = {}  # its buses for panels, by the name in the site file
    inputs_most: int  # desks that it reads a hundred times a second
    wifi: bool = False  # it has a radio that the firmware brings up
    wired: Wired = Wired()
    lamp: str | None = None  # the firmware blinks it: "LED", "GP25", "rgb IO38 IO48" (WS2812, at either)
    taken: dict[str, Taker] = {}  # pins that are no inputs, and whose they are, but for `lamp` and `wired`: `takers`
    trap: dict[str, str] = {}  # pins that are, and what to mind there
    absent: tuple[str, ...] = ()  # pins of the chip that the board does not lead out
    header: tuple[str, ...] = ()  # what is at its pins 1, 2, 3 …; empty: the board is printed with the pins' names
    flash: Flash | None = None  # none: nothing is flashed, it runs an operating system or is not there
    usb_ids: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")], ...] = ()  # as it shows at a USB port
    machine: str | None = None  # how MicroPython names it: sys.implementation._machine begins with that
    proven: Literal["decoder", "interpreter", "emulator", "hardware"]
    sources: tuple[str, ...] = ()  # where all this is written

    @property
    def made_of(self) -> chips.Chip:
        """Its chip. Raises chip.ChipError."""
        return chips.read(self.chip)

    @property
    def takers(self) -> dict[str, Taker]:
        """Pins that are no inputs, and whose they are."""
        found: dict[str, Taker] = dict.fromkeys(self.lamp_pins, "lamp")
        for way in self.wired.ways().values():
            found |= dict.fromkeys(way.pins().values(), "ethernet")
        return found | self.taken

    @property
    def lamp_pins(self) -> list[str]:
        """The pins of its lamp; none where that hangs at the radio."""
        return [word for word in (self.lamp or "").split() if word not in ("LED", "rgb")]

    @property
    def avoid(self) -> dict[str, str]:
        """Pins better left alone, and why."""
        made_of = self.made_of
        found = dict.fromkeys(made_of.flash, "it is the flash memory's")
        found |= {pin: f"it is read at the start: {words}" for pin, words in made_of.strapping.items()}
        found |= {pin: TAKEN[taker] for pin, taker in self.takers.items()}
        return found

    @property
    def lines(self) -> bool:
        """Whether it reads telephone lines by their voltage."""
        measures = self.made_of.measures
        return bool(self.adc) and (measures is None or measures.lines())  # none: by MCP3008, which is good enough

    def position(self, pin: str) -> int | None:
        """Which pin of the header it is, counted from 1; None where the header has no numbers for us."""
        return self.header.index(pin) + 1 if pin in self.header else None


def names() -> list[str]:
    """The ids a site file may give as `definition`."""
    return sorted(path.stem for path in PAGES.glob("*.toml"))


def read(name: str) -> Definition:
    """The page of one kind of board. Raises DefinitionError."""
    path = PAGES / f"{name}.toml"
    if not path.exists():
        hint = floorplan.meant(name, names()) or f"; there is {', '.join(names())}"
        raise DefinitionError(f"no board definition '{name}'{hint}")
    return _read(path, path.stat().st_mtime_ns)


@functools.cache
def _read(path: Path, changed_ns: int) -> Definition:
    try:
        page = Definition.model_validate(_tables(path))
        wrong = definition_wrong.wrong(page)
    except (ValidationError, tomllib.TOMLDecodeError, chips.ChipError, OSError) as error:
        raise DefinitionError(f"{path.name}: {error}") from error
    if wrong:
        raise DefinitionError("\n".join(f"{path.name}: {line}" for line in wrong))
    return page


def _tables(path: Path) -> dict[str, Any]:
    """What a page says, with what the page says that it is like; one step, no more."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    if "like" in tables:
        return tomllib.loads(path.with_name(f"{tables['like']}.toml").read_text(encoding="utf-8")) | tables
    return tables


def told(board: floorplan.Board, kind: str = "machine") -> dict[str, Any]:
    """What floorplan.board_json takes as `pins` for a board: where its pins, lamp and network chip are.

    Raises DefinitionError for a kind of board that is not there.
    """
    found: dict[str, Any] = {"kind": kind}
    if kind != "machine":
        return found
    page = read(board.definition)
    if page.lamp:
        found["lamp"] = page.lamp
    if board.wired and (way := page.wired.ways().get(board.wired)):
        pins = {key: _number(value) for key, value in way.model_dump().items()}
        found["wired"] = pins
    return found


def pins(board: floorplan.Board) -> dict[str, Any]:
    """The same for what it is: a chip, a Raspberry Pi, or a board that is not there. Raises DefinitionError."""
    page = read(board.definition)
    if page.runs == "cpython":
        return told(board, "gpiozero")
    if page.flash:
        return told(board)
    return told(board, "memory") | ({"control": board.control} if board.control else {})


def _number(value: str | int) -> int:
    return value if isinstance(value, int) else int("".join(letter for letter in value if letter.isdigit()))


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
    wrong = _wrong_network(page, board)
    if board.debug and page.runs != "micropython":
        wrong.append("debug: is for microcontrollers; what a Raspberry Pi says is in its journal")
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
        if line := _wrong_line(page, pin) if by_line else _wrong_contact(page, pin):
            wrong.append(key + line)
    return wrong


def _wrong_line(page: Definition, pin: str) -> str | None:
    """What is wrong with a line's voltage at a pin."""
    if not page.lines:
        measures = page.made_of.measures
        why = (
            f" (its converter sees {measures.from_mv} to {measures.to_mv} mV and may be {measures.error_mv} mV wrong)"
            if page.adc and measures else ""
        )  # fmt: skip
        return f" at {pin}: {_a(page)} measures no line's voltage; a Pico W does{why}"
    if pin in page.avoid:
        return f" at {pin}: {page.avoid[pin]}"
    if pin not in page.adc:
        return f" at {pin}: {_a(page)} measures a line's voltage at {', '.join(page.adc)}"
    return None


def _wrong_contact(page: Definition, pin: str) -> str | None:
    """What is wrong with a contact at a pin."""
    if pin in page.avoid:
        return f" at {pin}: {page.avoid[pin]}"
    if pin in page.made_of.no_pull:
        return f" at {pin}: it has no pull-up, which a contact needs"
    if pin in page.pins:
        return None
    if pin in page.adc:
        return f" at {pin}: a contact needs a pull-up, and {_a(page)} has none there"
    return f": {_a(page)} has no pin {pin}"


def _wrong_network(page: Definition, board: floorplan.Board) -> list[str]:
    """What is wrong with a board's way to the network; one without an image to flash is on it already."""
    if page.flash is None:
        return []
    ways = page.wired.ways()
    if board.wired and board.wired not in ways:
        has = f"has {' and '.join(ways)}" if ways else "has no network chip"
        return [f'wired = "{board.wired}": {_a(page)} {has}']
    if board.wifi and not page.wifi:
        hint = f'; it has a network socket: wired = "{next(iter(ways))}"' if ways else ""
        return [f"wifi: {_a(page)} has no radio{hint}"]
    return []


def careful(plan: floorplan.Plan) -> list[str]:
    """What is right by the pages and wants care all the same, a line each."""
    found: list[str] = []
    for board in plan.board:
        try:
            page = read(board.definition)
        except DefinitionError:
            continue
        for place in board.inputs:
            at = f"board {board.id}: desk '{place.desk}'"
            found += [f"{at} {key} at {pin}: {page.trap[pin]}" for key, pin in place.pins() if pin in page.trap]
            if pull_down := page.made_of.pull_down:
                found += [
                    f'{at} {key} at {pin} is active "high": {pull_down.trap} ({pull_down.erratum}). Wire the contact '
                    f"to ground, or put {pull_down.most_ohm / 1000:g} kΩ or less between pin and ground"
                    for key, pin in _high(place)
                ]
    return found


def _high(place: floorplan.BoardInput) -> list[tuple[str, str]]:
    """The contacts of a place that are made to 3.3 V: the chip's own pull-down holds their pins low otherwise."""
    levels: dict[str, str] = {}
    if (phone := place.phone) and phone.by == "contact":
        levels |= {"phone.pin": phone.active, "phone.ring": phone.ring_active or phone.active}
    if (headset := place.headset) and headset.by == "contact":
        levels |= {"headset.pin": headset.active, "headset.dock": headset.dock_active or headset.active}
    return [(key, pin) for key, pin in place.pins() if levels.get(key) == "high"]


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
    elif panel.cs in page.made_of.input_only:
        wrong.append(f"cs at {panel.cs}: it is an input only, and a chip-select goes out")
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
