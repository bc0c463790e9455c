"""Matrices of WS2812 lights at the data wire of an SPI bus, as much light as their supply can give.

A bit for a light is three bits of SPI at 2.4 MHz: 100 is a zero, high for 0.42 us, and 110 is a one, high for
0.83 us (data sheet of the WS2812B: 0.4 and 0.8 us, each 0.15 us more or less). Low for 280 us ends a picture,
and each begins with it too: whatever level the wire had before, its first light hears its first bit.
"""

from firmware import scene
from firmware.panels.order import PLAIN, path

HZ = 2400000
PHASE = 1  # with 0, a Pico's SPI pauses between two bytes (PL022, Motorola format), and no bit keeps its length
REST = 100  # bytes of silence before and after: 333 us
LIGHT = 9  # bytes of a light: 24 bits, three for each

GAMMA = 2.2
LEAST = 10  # percent: below it, 8 bits leave neither colours nor dim ones
IDLE_MA = 1  # what a dark light takes, more than most do
STEPS = 255

# In the picture that finds out the order of the colours, these are the bytes of a light one by one.
PLAIN_RGB = (b"\x00\x00\x00", b"\xff\xff\xff", b"\x00\x00\xff", b"\x00\xff\x00", b"\xff\x00\x00")


def size(lights: int) -> int:
    """Bytes of a picture in one transfer."""
    return 2 * REST + LIGHT * lights


class Ws2812Panel:
    """`modules` columns and rows of matrices hang at the wire by `chain`, in each the lights by `lights`."""

    def __init__(self, entry: dict, bus):
        self.kind = "ws2812"
        self.width, self.height = entry["size"]
        columns, rows = self.modules = entry.get("modules") or (1, 1)
        self.cell = (self.width // columns, self.height // rows)
        self._most_ma = entry["most_ma"]
        self._channel_ma = entry.get("channel_ma") or 20
        self._colours = entry.get("colours") or "grb"
        self._bus = bus
        self._order = self._of(entry)
        count = self.width * self.height
        self._pixels = bytearray(count)
        self._data = bytearray(size(count))

    def _of(self, entry):
        """Where in the picture the lights are, in the order of the wire."""
        columns, rows = self.modules
        w, h = self.cell
        lights = path(w, h, entry.get("lights") or PLAIN)
        order = path(self.width, self.height, PLAIN)  # as long
        at = 0
        for module in path(columns, rows, entry.get("chain") or PLAIN):
            first = module // columns * h * self.width + module % columns * w
            for place in lights:
                order[at] = first + place // w * self.width + place % w
                at += 1
        return order

    def show(self, picture, percent: int = 100, plain: bool = False) -> None:
        """Shows the picture; percent 0: off. plain: as if the wire went like one reads. Raises OSError."""
        counts = [0] * (2 * scene.DIM)
        pixels = self._pixels
        for y in range(self.height):
            row = picture.row(y)
            pixels[y * self.width : (y + 1) * self.width] = row
            for pixel in range(len(counts)):
                counts[pixel] += row.count(bytes((pixel,)))
        codes = self._codes(counts, percent, plain)
        data, at = self._data, REST
        for place in self._of({}) if plain else self._order:
            data[at : at + LIGHT] = codes[pixels[place]]
            at += LIGHT
        self._bus.send(data)

    def _codes(self, counts, percent, plain):
        """What is sent for each pixel that is there."""
        duties = {}
        lit = active = 0  # channels that are on, and their duties together
        for pixel in range(len(counts)):
            if counts[pixel]:
                rgb = (PLAIN_RGB if plain else scene.RGB)[pixel & 7]
                share = percent and max(percent, LEAST) * (35 if pixel & scene.DIM else 100) / 10000
                parts = [_duty(part, share) for part in rgb]
                duties[pixel] = parts if plain else [parts["rgb".index(name)] for name in self._colours]
                lit += counts[pixel] * (3 - parts.count(0))
                active += counts[pixel] * sum(parts)
        most = max((self._most_ma - IDLE_MA * len(self._pixels)) * STEPS // self._channel_ma, lit)
        codes = {}
        for pixel in duties:
            parts = duties[pixel]
            if active > most:  # all fainter alike, and none dark: that would be another picture
                parts = [duty and 1 + (duty - 1) * (most - lit) // (active - lit) for duty in parts]
            codes[pixel] = b"".join([_spread(duty) for duty in parts])
        return codes


def _duty(part, share):
    """How long of 255 a channel is on, for one of an RGB colour."""
    return max(1, int(STEPS * (part * share / 255) ** GAMMA + 0.5)) if part and share else 0


def _spread(byte):
    """The three bytes of SPI for one."""
    bits = 0
    for place in range(7, -1, -1):
        bits = bits << 3 | (6 if byte >> place & 1 else 4)
    return bits.to_bytes(3, "big")
