"""What the data of a panel with a clock go through: the chip's SPI, or a file. Loaded when there is such a panel."""


def open(entry: dict, hz: int, phase: int):
    """The bus of one panel: `send(data)` is one transfer, alone under the chip-select if there is one.

    phase: 0, the clock's first edge takes a bit; 1, its second. Raises StartError.
    """
    if entry["bus"].startswith("file:"):
        from firmware.panels.bus_file import FileBus

        return FileBus(entry, hz, phase)
    from firmware.panels.bus_machine import MachineBus

    return MachineBus(entry, hz, phase)
