"""What panels would show of what is sent to them: models of the chips, which know nothing of the drivers.

A transfer is what goes over SPI in one piece, under one chip-select.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

Grid = list[list[int]]
CORNERS = [f"{v}-{h}" for v in ("top", "bottom") for h in ("left", "right")]
CHAINS = [
    f"{corner} {along}{snake}"
    for corner in CORNERS
    for along in ("rows", "columns")
    for snake in ("", " snake")
]


def transfers(path: Path) -> tuple[int, int, list[bytes]]:
    """(clock in Hz, phase, transfers) in the file of a bus that is a file."""
    head, *lines = path.read_text().splitlines()
    found = re.fullmatch(r"(\d+) Hz, phase ([01])", head)
    assert found, head
    return int(found[1]), int(found[2]), [bytes.fromhex(line) for line in lines]


def walk(columns: int, rows: int, words: str) -> list[tuple[int, int]]:
    """(x, y) of the places as somebody would walk them who begins at that corner."""
    lines = [[(x, y) for x in range(columns)] for y in range(rows)]
    corner, along, *snake = words.split()
    if "bottom" in corner:
        lines.reverse()
    if "right" in corner:
        lines = [line[::-1] for line in lines]
    if along == "columns":
        lines = [list(line) for line in zip(*lines, strict=True)]
    if snake:
        lines = [line[::-1] if number % 2 else line for number, line in enumerate(lines)]
    return [place for line in lines for place in line]


class Max7219:
    """One chip: a shift register of 16 bits, and what it took over when its LOAD rose. As after power on."""

    def __init__(self) -> None:
        self.shift = [0] * 16
        self.registers = {**dict.fromkeys(range(1, 9), 0), 9: 0, 10: 0, 11: 0, 12: 0, 15: 0}

    def clock(self, bit: int) -> int:
        """A rising edge of the clock; what comes out behind."""
        self.shift.append(bit)
        return self.shift.pop(0)

    def load(self) -> None:
        """LOAD rises: D11 to D8 name the register, D7 to D0 are for it; 0 is none."""
        address = int("".join(map(str, self.shift[4:8])), 2)
        if address in self.registers:
            self.registers[address] = int("".join(map(str, self.shift[8:])), 2)
        else:
            assert address == 0, f"there is no register {address}"

    def lit(self) -> Grid:
        """What it lights, row 1 above, bit 7 left."""
        off = [[0] * 8 for _ in range(8)]
        if self.registers[15]:
            return [[1] * 8 for _ in range(8)]  # display test
        if not self.registers[12]:
            return off  # shut down
        assert self.registers[9] == 0, "rows are not digits"
        rows = [[self.registers[row] >> 7 - bit & 1 for bit in range(8)] for row in range(1, 9)]
        return rows[: self.registers[11] + 1] + off[self.registers[11] + 1 :]


class Chain:
    """Modules at one wire, and how they hang and stand in the wall."""

    def __init__(self, columns: int, rows: int, chain: str, turn: int, mirrored: bool) -> None:
        self.chips = [Max7219() for _ in range(columns * rows)]
        self.places = walk(columns, rows, chain)
        self.columns, self.rows = columns, rows
        self.turn, self.mirrored = turn, mirrored

    def take(self, data: bytes) -> None:
        """One transfer: each bit to the first chip, from each to the next, then LOAD."""
        assert len(data) == 2 * len(self.chips), "a word for each"
        for byte in data:
            for place in range(7, -1, -1):
                bit = byte >> place & 1
                for chip in self.chips:
                    bit = chip.clock(bit)
        for chip in self.chips:
            chip.load()

    def lights(self) -> Grid:
        """What people see."""
        wall = [[0] * (8 * self.columns) for _ in range(8 * self.rows)]
        for chip, (column, row) in zip(self.chips, self.places, strict=True):
            seen = chip.lit()
            if self.mirrored:
                seen = [line[::-1] for line in seen]
            for _ in range(self.turn // 90):  # clockwise
                seen = [list(line) for line in zip(*seen[::-1], strict=True)]
            for y, line in enumerate(seen):
                wall[8 * row + y][8 * column : 8 * column + 8] = line
        return wall

    def intensities(self) -> set[int]:
        """Register 10 of all, as many as differ."""
        return {chip.registers[10] for chip in self.chips}


# WS2812B: high and low of a bit in ns, each 150 ns more or less; and the silence that ends a picture.
WITHIN = {0: ((250, 550), (700, 1000)), 1: ((650, 950), (300, 600))}
RESET_NS = 280_000


def pulses(data: Iterable[bytes], hz: int, before: int = 0, between: int = 0) -> Iterator[tuple[int, float]]:
    """The wire of some transfers as (level, ns): at a level before, and at another between, for 1 ms each."""
    pause = str(between) * (hz // 1000)
    bits = pause.join("".join(f"{byte:08b}" for byte in piece) for piece in data)
    for run in re.findall("0+|1+", str(before) * (hz // 1000) + bits):
        yield int(run[0]), len(run) * 1e9 / hz


def bits_of(wire: Iterable[tuple[int, float]]) -> list[list[int]]:
    """The bits of each picture, by the lengths of pulses; fails where a light could misread one."""
    pictures: list[list[int]] = []
    ready = False  # there was a silence since the wire was last at a level of its own
    high = 0.0
    for level, ns in wire:
        if level:
            high = ns
            if ns > 100_000:  # no bit: the wire stands high
                ready = False
            continue
        if high and ready:
            for bit, ((least, most), (low, long)) in WITHIN.items():
                if least <= high <= most and (low <= ns <= long or ns >= RESET_NS):
                    pictures[-1].append(bit)
                    break
            else:
                raise AssertionError(f"high for {high:.0f} ns and low for {ns:.0f} is no bit")
        if ns >= RESET_NS:
            ready = True
            if not pictures or pictures[-1]:
                pictures.append([])
    return [picture for picture in pictures if picture]


def lights_of(bits: list[int], colours: str) -> list[tuple[int, int, int]]:
    """(red, green, blue) duty of each light on the wire; `colours`: the order in which it hears them."""
    assert len(bits) % 24 == 0
    found = []
    for at in range(0, len(bits), 24):
        three = [int("".join(map(str, bits[at + part : at + part + 8])), 2) for part in (0, 8, 16)]
        by_name = dict(zip(colours, three, strict=True))
        found.append((by_name["r"], by_name["g"], by_name["b"]))
    return found


def matrix(
    lights: list[tuple[int, int, int]],
    size: tuple[int, int],
    modules: tuple[int, int],
    chain: str,
    order: str,
) -> list[list[tuple[int, int, int]]]:
    """What people see of a wire's lights: rows of colours."""
    w, h = size[0] // modules[0], size[1] // modules[1]
    assert len(lights) == size[0] * size[1]
    wall = [[(-1, -1, -1)] * size[0] for _ in range(size[1])]
    following = iter(lights)
    for column, row in walk(*modules, chain):
        for x, y in walk(w, h, order):
            wall[row * h + y][column * w + x] = next(following)
    return wall
