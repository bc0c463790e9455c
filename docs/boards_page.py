"""docs/boards.md: which boards there are and what each of their pins is good for, from boards/definitions and chips."""

from __future__ import annotations

from pathlib import Path

from boards import definition
from boards.definition import Definition

PAGE = Path(__file__).with_name("boards.md")

HEAD = """\
# Boards

<!-- Written by `make docs` from boards/definitions/ and boards/chips/: change it there. -->

Which boards there are, how each gets its image, and what may hang at each of its pins. `callfloor up --check` holds a
site file against these pages, pin by pin. **3.3 V only, on every pin of every board:** 5 V, a headset's wire or a
phone line's at a pin ends the board, or somebody's safety. How desks are wired: [wiring](wiring/README.md); panels:
[panels](panels.md); what the marks mean: [proven](proven.md).

A **contact** joins its pin with GND; the chip's own pull-up holds it high otherwise. **Voltage** is a light sensor's,
and a telephone line's where the board reads lines.

{index}
"""

INDEX = (
    "| board | in the site file | chip | desks | telephone lines | network | image by | proven |\n" + "| --- " * 8 + "|"
)
BY = {"uf2": "its USB drive", "esptool": "esptool"}


def page() -> str:
    """The whole page. Raises DefinitionError."""
    boards = {name: definition.read(name) for name in definition.names() if name != "simulated"}
    rows = [_index_row(name, board) for name, board in boards.items()]
    text = HEAD.format(index="\n".join([INDEX, *rows]))
    return text + "".join(_section(name, board) for name, board in boards.items())


def _index_row(name: str, board: Definition) -> str:
    by = BY[board.flash.by] if board.flash else "Raspberry Pi OS"
    lines = "yes" if board.lines else "no"
    return (
        f"| [{board.name}](#{_anchor(board)}) | `{name}` | {board.made_of.name} | {board.inputs_most} | {lines} "
        f"| {_network(board)} | {by} | `{board.proven}` |"
    )


def _network(board: Definition) -> str:
    ways = ["Wi-Fi"] if board.wifi else []
    ways += [f'`wired = "{name}"`' for name in board.wired.ways()]
    return ", ".join(ways) or "the system's"


def _anchor(board: Definition) -> str:
    return board.name.lower().replace(" ", "-")


def _section(name: str, board: Definition) -> str:
    """One board: its bench note, how it is flashed, its pins, where that is written."""
    note = " ".join(
        line.removeprefix("#").strip()
        for line in (definition.PAGES / f"{name}.toml").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    )
    told = [
        "",
        f"## {board.name}",
        "",
        f'`definition = "{name}"`, {board.made_of.name}. {note}',
        "",
        *_facts(board),
        "",
        *_pins(board),
        "",
        f"Written in: {'; '.join([*board.sources, *board.made_of.sources])}.",
    ]
    return "\n".join(told) + "\n"


def _facts(board: Definition) -> list[str]:
    flash = board.flash
    rows = []
    if flash:
        how = "copied onto the drive that appears" if flash.by == "uf2" else "written by esptool"
        offset = "" if flash.offset is None else f", at {flash.offset:#x}"
        rows += [
            ("image", f"MicroPython's `{flash.image}`, {how}{offset}"),
            ("to get it to take one", flash.steps),
        ]
    if board.usb_ids:
        rows.append(("at USB it is", ", ".join(f"`{usb_id}`" for usb_id in board.usb_ids)))
    if board.machine:
        rows.append(("MicroPython calls it", f"`{board.machine}`"))
    rows += [(f'pins of `wired = "{name}"`', _wires(way)) for name, way in board.wired.ways().items()]
    if board.flash:
        rows.append(("lamp that `identify` blinks", _lamp(board)))
    if pull_down := board.made_of.pull_down:
        words = f"{pull_down.trap}; {pull_down.most_ohm / 1000:g} kΩ or less from the pin to GND mends it"
        rows.append((pull_down.erratum, f'with `active = "high"` {words}'))
    if not rows:
        return []
    return ["| | |", "| --- | --- |", *(f"| {what} | {words} |" for what, words in rows)]


def _wires(way: definition.W5500 | definition.Lan8720) -> str:
    return ", ".join(f"{key} {value}" for key, value in way.model_dump().items())


def _lamp(board: Definition) -> str:
    if board.lamp is None:
        return "none"
    kind, _, pins = board.lamp.partition(" ")
    return f"a WS2812 at {' or '.join(pins.split())}" if kind == "rgb" else f"`{board.lamp}`"


def _pins(board: Definition) -> list[str]:
    """What each is good for; where another board's are the same, only which."""
    lines = [*(_header(board) if board.header else _list(board)), *_off_the_header(board)]
    if board.like and lines == _pins(other := definition.read(board.like)):
        return [f"Its pins are those of the [{other.name}](#{_anchor(other)}), each good for the same."]
    return lines


def _header(board: Definition) -> list[str]:
    """The header as it is seen from above: its two rows of pins beside each other."""
    numbered = list(enumerate(board.header, 1))
    if board.runs == "cpython":  # a Raspberry Pi's: odd numbers in one row, even ones in the other
        left, right = numbered[::2], numbered[1::2]
    else:  # a Pico's: down on one side, up on the other
        half = len(numbered) // 2
        left, right = numbered[:half], numbered[half:][::-1]
    lines = ["| good for | pin | | | pin | good for |", "| --- | ---: | ---: | :--- | :--- | --- |"]
    for (number, pin), (other, opposite) in zip(left, right, strict=True):
        lines.append(
            f"| {_use(board, pin)} | **{pin}** | {number} | {other} | **{opposite}** | {_use(board, opposite)} |"
        )
    return lines


def _list(board: Definition) -> list[str]:
    """The pins in the order of their numbers; the board is printed with them."""
    lines = ["| pin | good for |", "| --- | --- |"]
    pins = [pin for pin in board.made_of.gpio if pin not in board.absent]
    return lines + [f"| **{pin}** | {_use(board, pin)} |" for pin in pins]


def _use(board: Definition, pin: str) -> str:
    """What may hang there, or why nothing may."""
    if not board.made_of.is_pin(pin):
        return ""
    good = ["contact"] if pin in board.pins else []
    good += ["voltage"] if pin in board.adc else []
    roles = _roles(board, pin)
    if not good and pin not in board.avoid:
        return "nothing: it has no pull-up, and measures nothing that can be used"
    if not good:
        return "; ".join([f"nothing: {board.avoid[pin]}", *roles])
    only = [] if "contact" in good else ["no contact: it has no pull-up"]
    trap = [board.trap[pin]] if pin in board.trap else []
    return "; ".join([", ".join(good), *only, *roles, *trap])


def _roles(board: Definition, pin: str) -> list[str]:
    """What buses for panels make of it."""
    found: dict[str, list[str]] = {}
    for name, bus in board.spi.items():
        for role, pins in (("clock", bus.sck), ("data", bus.mosi), ("select", (bus.cs,)), ("taken", (bus.miso,))):
            if pin in pins:
                found.setdefault(role, []).append(name)
    return [f"{role} of {' and '.join(names)}" for role, names in found.items()]


def _off_the_header(board: Definition) -> list[str]:
    if not board.header:
        return []
    off = [pin for pin in board.made_of.gpio if pin not in board.header and pin not in board.absent]
    return ["", f"Not on the header: {'; '.join(f'{pin}: {board.avoid[pin]}' for pin in off)}."] if off else []
