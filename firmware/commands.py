"""What a board does when it is told to: one table, loaded only when the first command comes."""

import asyncio

from firmware.clock import sleep_ms

BLINK_MS = 250
RAW_MS = 200

_running = {}  # what was started last, by its name: a task nobody holds may be collected


def obey(station, fields: dict) -> None:
    """Starts a command and answers it on the board's `answer` topic."""
    seconds = fields["seconds"] or 10
    done, words = COMMANDS[fields["do"]](station, seconds)
    answer = {"id": fields["id"], "done": done, "words": words}
    station.link.state("board/+/answer", (station.link.board,), answer)


def identify(station, seconds):
    _running["identify"] = asyncio.create_task(_blink(station, seconds))
    return test(station, seconds)


def test(station, seconds):
    if station.wall:
        station.wall.test(seconds * 1000)
    return True, "for %d s" % seconds


def restart(station, seconds):
    try:
        from machine import reset
    except ImportError:
        return False, "this board is a program: start it again where it runs"
    _running["restart"] = asyncio.create_task(_reset(station, reset))
    return True, "in a second"


def raw(station, seconds):
    if not station.pins:
        return False, "this board reads no pins"
    _running["raw"] = asyncio.create_task(_raw(station, seconds))
    return True, "for %d s" % seconds


async def _blink(station, seconds):
    if not station.pins:
        return
    for step in range(seconds * 1000 // BLINK_MS):
        station.pins.led(step % 2 == 0)
        await sleep_ms(BLINK_MS)
    station.pins.led(False)


async def _reset(station, reset):
    await sleep_ms(1000)
    await station.link.client.close()
    reset()


async def _raw(station, seconds):
    for _ in range(seconds * 1000 // RAW_MS):
        station.link.state("board/+/raw", (station.link.board,), {"pins": station.pins.raw()})
        await sleep_ms(RAW_MS)


COMMANDS = {"identify": identify, "restart": restart, "test": test, "raw": raw}
