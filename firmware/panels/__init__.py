"""The lights a board can have, by the kind that its board.json names; each is loaded only when used.

A panel is made from its entry there, `{"kind", "size": [w, h], …}`, and has `width`, `height` and
`show(picture, percent=100)`; 0 percent is dark. One with `cell`, the size of its modules, can also show a picture as
if it hung in the plainest way, `show(picture, percent, True)`: so it is found out how it does hang.
"""

PANELS: dict = {"file": "FilePanel", "max7219": "Max7219Panel", "memory": "MemoryPanel", "ws2812": "Ws2812Panel"}


def open(entry: dict, kinds: dict = PANELS):
    """The panel for one entry of board.json. Raises ValueError for a kind that nobody has here.

    A kind of PANELS is a class in the file of its name here; one that has a clock is sent its data over a bus.
    """
    kind = entry["kind"]
    if kind not in kinds:
        raise ValueError("no panel of kind '%s' here; there is %s" % (kind, ", ".join(sorted(kinds))))
    name = kinds[kind]
    if type(name) is not str:
        return name(entry)
    file = __import__("firmware.panels." + kind, None, None, (name,))
    panel = getattr(file, name)
    if not hasattr(file, "HZ"):
        return panel(entry)
    from firmware.panels import bus

    return panel(entry, bus.open(entry, file.HZ, file.PHASE))
