"""How evenly a board of eight desks reads its pins while its link is busy, by its own figures in `health`.

A real board on the real interpreter, a real broker: eight phones with their ring lines and eight headsets,
handsets lifted and put down all the time, every pin recorded meanwhile. The yardstick is the same interpreter
with nothing to do but to wait 10 ms again and again, at the same time on the same machine.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.__main__ import Figure, at_most
from benchmarks.eight import HEAP, HOOKS, LAMPS, eight_desks
from firmware import inputs
from simulator import board as simulated
from tests.house import Ear, House

SECONDS = 12
TURN_S = 0.65  # what moves more often than every second is taken for broken
WARM_S = 3  # the first health tells of the start, too

EMPTY = """
import asyncio, time
late = []
async def wait(count):
    before = time.ticks_us()
    for _ in range(count):
        await asyncio.sleep_ms(%d)
        now = time.ticks_us()
        late.append(time.ticks_diff(now, before))
        before = now
asyncio.run(wait(%d))
print(sum(late) // len(late), max(late))
"""


def poll(folder: Path) -> Iterator[Figure]:
    """Mean time between two readings, mean time of one, and the longest the loop was held up."""
    with House(folder, eight_desks) as house:
        ear = Ear(house.broker)
        house.start_board("row-a", heap=HEAP)
        house.wait("it says how it is", lambda: ear.all("board/row-a/health"), 30)
        time.sleep(WARM_S)
        empty = _empty_loop()
        told = _busy(house, ear)
        mean_us, worst_us = (int(word) for word in empty.communicate(timeout=60)[0].split())
        ear.close()
    yardstick = (
        f"an empty loop of {inputs.SAMPLE_MS} ms: {mean_us / 1000:.1f} ms, worst {worst_us / 1000:.0f} ms"
    )
    period_ms = sum(row["poll_us"] for row in told) / len(told) / 1000
    read_ms = sum(row["read_us"] for row in told) / len(told) / 1000
    lag_ms = max(row["lag_ms"] for row in told)
    yield at_most("8 desks, link busy: from one reading to the next", period_ms, "ms", 11, yardstick)
    yield at_most("8 desks, link busy: one reading of all pins", read_ms, "ms", 2, yardstick)
    yield at_most("8 desks, link busy: held up at worst", lag_ms, "ms", 100, yardstick)


def _empty_loop() -> subprocess.Popen[str]:
    interpreter = simulated.command(Path("unused"), HEAP)[:3]
    program = EMPTY % (inputs.SAMPLE_MS, SECONDS * 1000 // inputs.SAMPLE_MS)
    return subprocess.Popen([*interpreter, "-c", program], stdout=subprocess.PIPE, text=True)


def _busy(house: House, ear: Ear) -> list[dict[str, Any]]:
    """What the board told of its health while handsets were lifted, put down, and all of it was recorded."""
    first = len(ear.all("board/row-a/health")) + 1  # the next one still tells of the time before
    ear.say("board/row-a/command", json.dumps({"id": "bench", "do": "raw", "seconds": SECONDS + 5}).encode())
    end_s = time.monotonic() + SECONDS
    turn = 0
    while time.monotonic() < end_s:
        turn += 1
        for pin in (HOOKS, LAMPS)[turn % 2]:
            house.pin("row-a", pin, turn // 2 % 2)
        time.sleep(TURN_S)
    told = ear.all("board/row-a/health")[first:]
    assert len(told) > 2, len(told)
    assert len(ear.all("board/row-a/raw")) > 2 * SECONDS
    assert len([topic for topic, _, _ in ear.heard if "/input/" in topic]) > SECONDS * len(HOOKS)
    return told
