"""A Raspberry Pi as a board: the firmware's station, with the lights and the headsets that only a computer can have."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

from firmware import start
from firmware.pins_hidraw import headsets_for
from firmware.station import Station
from floorplan import SiteError
from wallboard import drivers


def run(settings: dict[str, Any], keep: Path | None = None) -> None:
    """Runs the board that `settings` (a board.json) describes, until Ctrl-C or SIGTERM.

    `keep` is a folder for the last scene of its panels, made if it is not there. Raises SiteError.
    """
    panels = [drivers.open(entry) for entry in settings["panels"]]
    if keep and panels:
        try:
            keep.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SiteError(f"--keep: {keep} cannot be made ({error.strerror}); name a folder of yours") from error
        settings["keep"] = str(keep)
    station = Station(settings, start.hello(settings, panels), open_pins(settings), panels)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_until_told(station))


async def _until_told(station: Station) -> None:
    """SIGTERM ends it as Ctrl-C does: a stop that somebody wanted is no crash."""
    running = asyncio.ensure_future(station.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    await running


def open_pins(settings: dict[str, Any]) -> Any:
    """The board's pins; those that are not there (memory) read this computer's headsets all the same."""
    pins = start.open_pins(settings)
    if pins is not None and settings["pins"]["kind"] == "memory":
        pins.usb = headsets_for(settings["pins"]).at
    return pins
