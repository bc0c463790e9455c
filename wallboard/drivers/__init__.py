"""The panels a Linux computer can have: those of every board, and some that only it can drive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from firmware import panels
from firmware.scene import Picture


class Panel(Protocol):
    """What shows pictures."""

    width: int
    height: int

    def show(self, picture: Picture, percent: int = 100) -> None:
        """Shows the picture. May raise OSError."""


def _file(entry: dict[str, Any]) -> Panel:
    from wallboard.drivers.file import panel

    return panel(entry)


def _terminal(entry: dict[str, Any]) -> Panel:
    from wallboard.drivers.terminal import TerminalPanel

    return TerminalPanel(entry)


DRIVERS: dict[str, Callable[[dict[str, Any]], Panel]] = {
    **panels.PANELS,
    "file": _file,
    "terminal": _terminal,
}


def open(entry: dict[str, Any]) -> Panel:
    """The panel for one entry of board.json. Raises ValueError for a kind that nobody has here."""
    panel: Panel = panels.open(entry, DRIVERS)
    return panel
