"""A Raspberry Pi as a board: the firmware's station, with the lights that only a Pi can drive."""

from __future__ import annotations

import asyncio
from typing import Any

from firmware import start
from firmware.station import Station
from wallboard import drivers


def run(settings: dict[str, Any]) -> None:
    """Runs the board that `settings` (a board.json) describes, until Ctrl-C."""
    panels = [drivers.open(entry) for entry in settings["panels"]]
    asyncio.run(Station(settings, start.hello(settings, panels), start.open_pins(settings), panels).run())
