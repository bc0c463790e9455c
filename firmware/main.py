"""Starts a board: `import firmware.main`, by hand once, by the board itself ever after.

`firmware/` and one `board.json` beside it are all that a board needs. On a microcontroller
the first start leaves a one-line main.py there, so that power is all it takes from then on.
"""

import asyncio
import gc
import sys
import time

import firmware.mqtt  # the largest first, while there is room to compile it
import firmware.station  # and all it needs, before what is only needed to start it
from firmware.clock import forget


def made(path):
    """The station that a board.json describes, or None. What is needed only for this is forgotten again."""
    from firmware import start

    station = start.station(path)
    forget("start")
    return station


def begin_again():
    """A chip resets after five seconds; a program ends, and whoever started it starts it again."""
    try:
        from machine import reset
    except ImportError:
        sys.exit(1)
    time.sleep(5)
    reset()


if hasattr(gc, "threshold"):  # MicroPython: what stays is not scattered between what does not
    gc.threshold(8192)
try:
    board = made(sys.argv[1] if len(sys.argv) > 1 else "board.json")
    del made
    if board:
        asyncio.run(board.run())
    else:
        begin_again()
except KeyboardInterrupt:
    forget("debug")  # what is printed at a prompt are not the board's last words
except Exception as error:  # the last door: say it, and begin again
    firmware.mqtt.tell_error(error)
    begin_again()
