"""The lights a board can have, by the kind that its board.json names; each is loaded only when used.

A panel is made from its entry there, `{"kind", "size": [w, h], …}`, and has `width`, `height` and
`show(picture, percent=100)`; 0 percent is dark. One with `cell`, the size of its modules, can also show a picture as
if it hung in the plainest way, `show(picture, percent, True)`: so it is found out how it does hang.
"""

from firmware import scene


def _file(entry):
    from firmware.panels.file import FilePanel

    return FilePanel(entry)


def _max7219(entry):
    from firmware.panels import max7219

    return max7219.Max7219Panel(entry, bus(entry, max7219.HZ, max7219.PHASE))


def _memory(entry):
    from firmware.panels.memory import MemoryPanel

    return MemoryPanel(entry)


def _ws2812(entry):
    from firmware.panels import ws2812

    return ws2812.Ws2812Panel(entry, bus(entry, ws2812.HZ, ws2812.PHASE))


PANELS = {"file": _file, "max7219": _max7219, "memory": _memory, "ws2812": _ws2812}


def open(entry: dict, kinds: dict = PANELS):
    """The panel for one entry of board.json. Raises ValueError for a kind that nobody has here."""
    kind = entry["kind"]
    if kind not in kinds:
        raise ValueError("no panel of kind '%s' here; there is %s" % (kind, ", ".join(sorted(kinds))))
    return kinds[kind](entry)


def bus(entry: dict, hz: int, phase: int):
    """What a panel's data go through: `send(data)` is one transfer, alone under the chip-select if there is one.

    phase: 0, the clock's first edge takes a bit; 1, its second. Raises StartError.
    """
    if entry["bus"].startswith("file:"):
        from firmware.panels.bus_file import FileBus

        return FileBus(entry, hz, phase)
    from firmware.panels.bus_machine import MachineBus

    return MachineBus(entry, hz, phase)


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
