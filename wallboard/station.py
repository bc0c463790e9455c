"""A Raspberry Pi as a board: the firmware's station, with the lights and the headsets that only a computer can have."""

from __future__ import annotations

import asyncio
from typing import Any

from firmware import start
from firmware.pins_hidraw import headsets_for
from firmware.station import Station
from wallboard import drivers


def run(settings: dict[str, Any]) -> None:
    """Runs the board that `settings` (a board.json) describes, until Ctrl-C."""
    panels = [drivers.open(entry) for entry in settings["panels"]]
    asyncio.run(Station(settings, start.hello(settings, panels), open_pins(settings), panels).run())


def open_pins(settings: dict[str, Any]) -> Any:
    """The board's pins; those that are not there (memory) read this computer's headsets all the same."""
    pins = start.open_pins(settings)
    if pins is not None and settings["pins"]["kind"] == "memory":
        pins.usb = headsets_for(settings["pins"]).at
    return pins
