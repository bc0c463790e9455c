"""Chains of MAX7219, each with 8 x 8 lights of one colour, over SPI.

There is no colour and no dim light there. A red block is lit and what stands in it is dark; where figures are
old, the whole chain is as faint as it can be, and on a panel too low for a frame their age stands dark in a
lit block.
"""

from firmware.clock import now_ms
from firmware.panels.order import PLAIN, path
from firmware.scene import DIM, FRAMED, RED

HZ = 1000000  # the chip takes 10 MHz (data sheet 19-4452, fCLK); a ribbon cable from module to module does not
PHASE = 0  # it takes a bit when the clock rises
AGAIN_MS = 3000  # a module that was without power is told all again; a wall is drawn each second

# Its registers (data sheet, table 2). 1 to 8 are the rows.
DECODE, INTENSITY, ROWS, ON, TEST = 9, 10, 11, 12, 15


class Max7219Panel:
    """`modules` columns and rows of modules; `chain`, `turn` and `mirrored` are how they hang and stand.

    Unturned, a module's row 1 is the uppermost and its bit 7 the leftmost. Turned, that is clockwise.
    """

    def __init__(self, entry: dict, bus):
        columns, rows = self.modules = entry["modules"]
        self.width, self.height = 8 * columns, 8 * rows
        self.kind = "max7219"
        self.cell = (8, 8)
        self._bus = bus
        self._lit = bytearray(self.width * self.height)
        self._words = bytearray(2 * columns * rows)  # one for each module; the last one's goes first
        self._places = self._of(entry)
        self._level: int | None = None  # intensity; -1: off; None: has to be told
        self._told_ms = 0

    def _of(self, entry):
        """(where each module's first bit is, the step to the next bit, the step to the next row)."""
        turn = entry.get("turn") or 0
        bit, row = (1, 0), (0, 1)  # steps in x and y
        for _ in range(turn // 90):
            bit, row = (-bit[1], bit[0]), (-row[1], row[0])
        if entry.get("mirrored"):
            bit = (-bit[0], -bit[1])
        first = 0
        for x, y in (bit, row):
            first += (7 if x < 0 else 0) + (7 * self.width if y < 0 else 0)
        columns, rows = self.modules
        firsts = []
        for place in path(columns, rows, entry.get("chain") or PLAIN):
            firsts.append(place // columns * 8 * self.width + place % columns * 8 + first)
        return firsts, bit[0] + bit[1] * self.width, row[0] + row[1] * self.width

    def show(self, picture, percent: int = 100, plain: bool = False) -> None:
        """Shows the picture; percent 0: off. plain: as if the chain were like one reads. Raises OSError."""
        at_ms = now_ms()
        if at_ms - self._told_ms >= AGAIN_MS:
            self._level = None
        old = self._light(picture)
        level = -1 if percent == 0 else 0 if old else max(0, percent * percent * 16 // 10000 - 1)
        told, self._level = self._level, None  # if the bus fails, all is told again
        if told is None:
            self._tell(TEST, 0)
            self._tell(DECODE, 0)
            self._tell(ROWS, 7)
        if level < 0:
            if told != level:
                self._tell(ON, 0)
        else:
            self._tell_rows(self._of({}) if plain else self._places)
            if told != level:
                self._tell(INTENSITY, level)
                self._tell(ON, 1)
        if told is None:
            self._told_ms = at_ms
        self._level = level

    def _tell(self, register, value):
        words = self._words
        for at in range(0, len(words), 2):
            words[at] = register
            words[at + 1] = value
        self._bus.send(words)

    def _tell_rows(self, places):
        firsts, bit, step = places
        words, lit = self._words, self._lit
        for row in range(8):
            at = len(words)
            for first in firsts:
                place = first + row * step
                byte = 0
                for _ in range(8):
                    byte = byte << 1 | lit[place]
                    place += bit
                at -= 2
                words[at] = row + 1
                words[at + 1] = byte
            self._bus.send(words)

    def _light(self, picture):
        """Which lights are lit, in `_lit`; True where the figures are old."""
        lit, w = self._lit, self.width
        old = picture.old
        bright = w  # the leftmost column with something that is not old
        for y in range(self.height):
            row = picture.row(y)
            at = y * w
            inside = 0  # from here on it may be in a red block; -1: it is not
            reds = False
            for x in range(w):
                pixel = row[x]
                if pixel & DIM:
                    old = True
                elif pixel and x < bright:
                    bright = x
                pixel &= 7
                lit[at + x] = pixel and 1
                if pixel == RED:
                    if inside >= 0:
                        for between in range(inside, x):
                            lit[at + between] = 0
                    inside, reds = x + 1, True
                elif not pixel:
                    inside, reds = -1, False
            if reds:  # the block goes on beyond the edge
                for between in range(inside, w):
                    lit[at + between] = 0
        if old and self.height < FRAMED:
            for at in range(max(bright - 1, 0), w):
                for place in range(at, len(lit), w):
                    lit[place] ^= 1
        return old
