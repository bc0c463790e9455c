"""The panels a Linux computer can have: those of every board, and some that only it can drive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from firmware import panels
from firmware.panels import bus as files
from firmware.scene import Picture
from wallboard.drivers.spi import Bus, SpidevBus


class Panel(Protocol):
    """What shows pictures."""

    width: int
    height: int

    def show(self, picture: Picture, percent: int = 100) -> None:
        """Shows the picture; 0 percent is dark. May raise OSError."""


def _file(entry: dict[str, Any]) -> Panel:
    from wallboard.drivers.file import panel

    return panel(entry)


def _max7219(entry: dict[str, Any]) -> Panel:
    from firmware.panels import max7219

    return max7219.Max7219Panel(entry, bus(entry, max7219.HZ, max7219.PHASE))


def _terminal(entry: dict[str, Any]) -> Panel:
    from wallboard.drivers.terminal import TerminalPanel

    return TerminalPanel(entry)


def _ws2812(entry: dict[str, Any]) -> Panel:
    from firmware.panels import ws2812

    return ws2812.Ws2812Panel(entry, bus(entry, ws2812.HZ, ws2812.PHASE))


DRIVERS: dict[str, Callable[[dict[str, Any]], Panel]] = {
    **panels.PANELS,
    "file": _file,
    "max7219": _max7219,
    "terminal": _terminal,
    "ws2812": _ws2812,
}


def open(entry: dict[str, Any]) -> Panel:
    """The panel for one entry of board.json. Raises ValueError for a kind that nobody has here."""
    panel: Panel = panels.open(entry, DRIVERS)
    return panel


def bus(entry: dict[str, Any], hz: int, phase: int) -> Bus:
    """What a panel's data go through: a file, or this computer's SPI."""
    if entry["bus"].startswith("file:"):
        opened: Bus = files.open(entry, hz, phase)
        return opened
    return SpidevBus(entry, hz, phase)
