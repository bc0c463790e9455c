"""A board that is looked into: a prompt at its USB while it works, and its last words kept in its flash.

Loaded only where board.json has `debug`. `logging` is micropython-lib's, and the standard library's on CPython;
`aiorepl` is micropython-lib's. Why these: docs/decisions/board-libraries.md.
"""

import asyncio
import builtins
import logging
import os
import sys

import firmware.mqtt
from firmware.clock import now_ms, sleep_ms

NEW, OLD = "log.txt", "log.old.txt"
MOST = 8192  # bytes of each of the two
WORDS_MOST = 2048  # bytes of one entry: a traceback may be long
CTRL_C = 3


class Kept(logging.Handler):
    """Appends to one of two files; when the first is full it becomes the second. A full flash is no error."""

    def __init__(self, folder: str):
        logging.Handler.__init__(self)
        self._new, self._old = folder + "/" + NEW, folder + "/" + OLD

    def emit(self, record):
        words = "%d ms %s" % (now_ms(), self.format(record))
        try:
            self._keep(words.encode()[: WORDS_MOST - 1] + b"\n")
        except OSError:
            pass

    def _keep(self, entry):
        try:
            size = os.stat(self._new)[6]
        except OSError:
            size = 0
        if size + len(entry) > MOST:
            try:
                os.remove(self._old)
            except OSError:
                pass
            os.rename(self._new, self._old)
        with open(self._new, "ab") as file:  # closed each time: what a power cut comes after is there
            file.write(entry)


def begin(settings: dict, folder: str) -> None:
    """Keeps what is printed from now on, and each error with its traceback."""
    log = logging.getLogger("board")
    log.setLevel(logging.INFO)
    log.propagate = False  # CPython: nobody else hears of it
    kept = Kept(folder)
    kept.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log.addHandler(kept)
    printed, told = builtins.print, firmware.mqtt.tell_error

    def say(*words, **more):
        if __name__ in sys.modules:  # main.py forgets this file when somebody takes the board's prompt
            log.info("%s", " ".join([str(word) for word in words]))
        printed(*words, **more)

    def tell_error(error):
        log.exception("%s", type(error).__name__, exc_info=error)
        told(error)

    builtins.print = say
    firmware.mqtt.tell_error = tell_error
    log.info("%s", "begins: %s, reset: %s" % (settings["board"], settings.get("why", "unknown")))


async def talk(station) -> None:
    """A prompt beside the work; `station` is the board. Ctrl-C and Ctrl-D end the work, as Ctrl-C does on any board."""
    try:
        import aiorepl
        import micropython
    except ImportError as error:
        print("debug: no prompt:", error)
        return
    execute = aiorepl.execute

    def stop():
        raise KeyboardInterrupt

    async def interruptible(code, names, stream):
        result = await execute(code, names, stream)
        micropython.kbd_intr(CTRL_C)  # aiorepl takes Ctrl-C for itself, and `callfloor board` could not get in
        return result

    aiorepl.execute = interruptible
    asyncio.new_event_loop = stop  # what aiorepl does at Ctrl-D; it would leave a board that neither works nor answers
    task = asyncio.create_task(aiorepl.task({"station": station, "asyncio": asyncio}))
    try:
        await sleep_ms(100)
        micropython.kbd_intr(CTRL_C)
        await task
    except Exception as error:  # no prompt is worth the work
        firmware.mqtt.tell_error(error)
    finally:
        task.cancel()
