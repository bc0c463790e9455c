"""A Raspberry Pi as a board: the firmware's station, with the lights and the headsets that only a computer can have."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from pathlib import Path
from typing import Any

import floorplan
from firmware import start
from firmware.pins_hidraw import headsets_for
from firmware.station import Station
from floorplan import SiteError
from wallboard import drivers


def told(path: Path) -> dict[str, Any]:
    """What a board.json says: all that a board has to know, and no other board's secrets. Raises SiteError."""
    try:
        floorplan.ours_alone(path)
        return start.check(json.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise SiteError(f"{path}: cannot be read ({error.strerror}); `callfloor board json` writes it") from error
    except (ValueError, TypeError, start.StartError) as error:
        raise SiteError(f"{path}: is not what `callfloor board json` writes ({error})") from error


def run(settings: dict[str, Any], keep: Path | None = None) -> None:
    """Runs the board that `settings` (a board.json) describes, until Ctrl-C or SIGTERM.

    `keep` is a folder for the last scene of its panels and for its next password, made if it is not there. Raises
    SiteError.
    """
    panels = [drivers.open(entry) for entry in settings["panels"]]
    if keep:
        try:
            keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SiteError(f"--keep: {keep} cannot be made ({error.strerror}); name a folder of yours") from error
        settings["keep"] = str(keep)
    start.begin(settings, None)
    station = Station(settings, start.hello(settings, panels), open_pins(settings), panels)
    start.take(station.link, settings)
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
