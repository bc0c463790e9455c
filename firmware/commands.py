"""What a board does when it is told to: one table, loaded only when the first command comes."""

import asyncio

from firmware.clock import forget, sleep_ms

BLINK_MS = 250

tasks = {}  # what was started last, by its name: a task nobody holds may be collected


def obey(station, fields: dict) -> None:
    """Starts a command and answers it on the board's `answer` topic."""
    done, words = COMMANDS[fields["do"]](station, fields["seconds"] or 10, fields)
    told = {"id": fields["id"], "done": done, "words": words[:128]}
    station.link.state("board/+/answer", (station.link.board,), told)


def identify(station, seconds, fields):
    tasks["identify"] = asyncio.create_task(_blink(station, seconds))
    return test(station, seconds, fields)


def test(station, seconds, fields):
    if station.wall:
        station.wall.test(seconds * 1000, fields["picture"])
    return True, "for %d s" % seconds


def restart(station, seconds, fields):
    done = station.wall and station.wall.begin_anew()
    try:
        from machine import reset
    except ImportError:
        if done:
            return True, "it draws again what it is told"
        return False, "this board is a program: start it again where it runs"
    tasks["restart"] = asyncio.create_task(_reset(station, reset))
    return True, "in a second"


def raw(station, seconds, fields):
    if not station.inputs:
        return False, "this board reads no pins"
    from firmware import recorder

    return recorder.begin(station, seconds, fields)


def rotate(station, seconds, fields):
    from firmware import rotate

    told = rotate.obey(station.link, fields["nonce"])
    forget("rotate")
    return told


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


COMMANDS = {"identify": identify, "restart": restart, "test": test, "raw": raw, "rotate": rotate}
