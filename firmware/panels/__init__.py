"""The lights a board can have, by the kind that its board.json names; each is loaded only when used.

A panel is made from its entry there, `{"kind", "size": [w, h], …}`, and has `width`, `height`
and `show(picture)`.
"""

from firmware import scene


def _file(entry):
    from firmware.panels.file import FilePanel

    return FilePanel(entry)


def _memory(entry):
    from firmware.panels.memory import MemoryPanel

    return MemoryPanel(entry)


PANELS = {"file": _file, "memory": _memory}


def open(entry: dict, kinds: dict = PANELS):
    """The panel for one entry of board.json. Raises ValueError for a kind that nobody has here."""
    kind = entry["kind"]
    if kind not in kinds:
        raise ValueError("no panel of kind '%s' here; there is %s" % (kind, ", ".join(sorted(kinds))))
    return kinds[kind](entry)


def _table():
    """Three bytes a colour: red, green, blue; the dim ones DIM further on, at 35 %."""
    table = bytearray(3 * 2 * scene.DIM)
    for colour, parts in enumerate(scene.RGB):
        for place, part in enumerate(parts):
            table[3 * colour + place] = part
            table[3 * (colour + scene.DIM) + place] = part * 35 // 100
    return bytes(table)


_colours = _table()


def rgb(pixels: bytes) -> bytes:
    """Palette pixels as three bytes each: red, green, blue."""
    lights = bytearray(3 * len(pixels))
    for place, pixel in enumerate(pixels):
        lights[3 * place : 3 * place + 3] = _colours[3 * pixel : 3 * pixel + 3]
    return bytes(lights)
