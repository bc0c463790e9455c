"""The colours of pixels, for panels that want them as red, green and blue."""

from firmware import scene


def _table():
    """Three bytes a colour: red, green, blue; the dim ones DIM further on, at 35 %."""
    table = bytearray(3 * 2 * scene.DIM)
    for colour, parts in enumerate(scene.RGB):
        for place, part in enumerate(parts):
            table[3 * colour + place] = part
            table[3 * (colour + scene.DIM) + place] = part * 35 // 100
    return bytes(table)


_colours = _table()


def rgb(pixels: bytes, percent: int = 100) -> bytes:
    """Palette pixels as three bytes each: red, green, blue."""
    lights = bytearray(3 * len(pixels))
    for place, pixel in enumerate(pixels):
        lights[3 * place : 3 * place + 3] = _colours[3 * pixel : 3 * pixel + 3]
    return bytes(lights) if percent == 100 else bytes([part * percent // 100 for part in lights])
