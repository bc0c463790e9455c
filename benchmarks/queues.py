"""How fast a recording is replayed: from bytes to figures, the same code that follows a live Asterisk.

The stream is made beforehand by the simulated phone system, some 20,000 calls as a login with
`read = agent` hears them. The yardsticks are the parser alone, on the same bytes, and the least that any
parser has to do: cutting them into blocks.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import floorplan
from benchmarks.__main__ import Figure, at_least
from gateway.queues.ami import Blocks
from gateway.queues.translate import HEARD, OF_MEMBERS
from gateway.replay import CHUNK, Recording, Replay
from simulator.day import Day

CALLS = 20_000
LEAST_PER_S = 3000  # 280,000 calls, a big house's year, in a minute and a half
TIMES = 5  # the best of so many counts: others may use this machine
EXAMPLE = Path(__file__).parent.parent / "simulator" / "example.toml"
BEGINS_S = 1_790_000_000.0
HOUR_S = 3600.0


def queues(folder: Path) -> Iterator[Figure]:
    """Calls a second of a replay, and of the parser alone."""
    seed = random.randrange(2**32)
    stream, calls = _stream(seed)
    replayed: list[Replay] = []

    def replay() -> None:
        replayed.append(Replay(floorplan.Target()))
        replayed[-1].run(Recording(io.BytesIO(stream)))

    def parse() -> None:
        blocks = Blocks(HEARD - OF_MEMBERS)
        for place in range(0, len(stream), CHUNK):
            blocks.feed(stream[place : place + CHUNK])

    per_s = calls / _best_s(replay)
    bare = calls / _best_s(parse)
    split = calls / _best_s(lambda: stream.split(b"\r\n\r\n"))
    for run in replayed:
        found = sum(queue.totals.joined for queue in run.queues.values())
        if found != calls:
            raise AssertionError(f"{found} of {calls} calls; seed {seed}")
    yardstick = (
        f"bare parser {bare:,.0f}, split alone {split:,.0f}; {len(stream) / calls:.0f} B/call, seed {seed}"
    )
    yield at_least("replay of a recording", per_s, "calls/s", LEAST_PER_S, yardstick)


def _stream(seed: int) -> tuple[bytes, int]:
    """(what was said, how many calls it was)."""
    plan = floorplan.read(EXAMPLE)
    said: list[bytes] = []
    with Day(plan, seed, BEGINS_S, calls=CALLS) as day:
        while sum(row["joined"] or 0 for row in day.figures().values()) < CALLS and len(said) < 100:
            said.append(day.live(HOUR_S))
        said.append(day.live(HOUR_S))  # until the last have gone
        calls = sum(row["joined"] or 0 for row in day.figures().values())
    return b"".join(said), int(calls)


def _best_s(work: Callable[[], object]) -> float:
    taken_s = []
    for _ in range(TIMES):
        started = time.perf_counter()
        work()
        taken_s.append(time.perf_counter() - started)
    return min(taken_s)
