"""For an image of one's own, with micropython-lib's packages frozen in: they take no flash then and less memory.

    make -C ports/rp2 BOARD=RPI_PICO_W FROZEN_MANIFEST=/path/to/firmware/manifest.py

Such a manifest stands in the place of the board's own (ports/rp2/boards/RPI_PICO_W/manifest.py), so what the firmware
needs of that is here too. The versions are those of the micropython-lib that such a build brings;
firmware/package.json pins those that `callfloor board flash` puts onto a board. The firmware itself is not frozen: it
changes more often than an image, a board tells its version by the files' hash, and `callfloor board provision` sends
only what has changed.
"""
# ruff: noqa: F821  names that MicroPython's build gives
# mypy: ignore-errors

include("$(PORT_DIR)/boards/manifest.py")  # what every image has: asyncio, neopixel
require("ssl")  # a board's own manifest has it; the port's for rp2 has not, and TLS to the broker needs it
require("aiorepl")
require("logging")
