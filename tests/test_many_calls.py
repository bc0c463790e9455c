"""280,000 calls, as fast as they come, through a whole gateway: source, figures, store, MQTT; none lost or doubled.

That many were on one line of the house we measure against. The phone system's own count is the truth. It lives
through a tenth of them; the same then happens nine times more to calls of other times and names, for to make
them all would take as long as to count them.
"""

import asyncio
import itertools
import json
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateway.days import Calendar
from gateway.queues.totals import Totals
from gateway.store import read
from simulator.bulk import QUEUES, Bulk
from tests.ami_feed import serving
from tests.brokers import free_port
from tests.house import Ear, House

CALLS = int(os.environ.get("CALLS", "280000"))
PARTS = 10
TIMES = b"17700"  # what every time and every call's name of one part begins with: 100,000 s
WITHIN_S = 30 + CALLS / 500
ENDS = ("answered", "abandoned", "timed_out", "left_by_key", "left", "vanished")


def seven_queues(tables: dict[str, Any]) -> None:
    """The house of Bulk: its queues, and no desk, board or wall."""
    for what in ("queue", "desk", "board", "wall"):
        tables[what] = []
    tables["queue"] = [{"id": name, "name": name, "pbx": name} for name in QUEUES]


class Again:
    """A stream of calls, and the same `PARTS` times over, each time later and with names of its own."""

    def __init__(self, bulk: Bulk) -> None:
        self.bulk = bulk

    def __iter__(self) -> Iterator[bytes]:
        first = []
        for piece in self.bulk:
            first.append(piece)
            yield piece
        events = first[0].index(b"Timestamp: " + TIMES)  # before them, a login and its lists
        first[0] = first[0][first[0].rindex(b"\r\n\r\nEvent:", 0, events) + 4 :]
        for part in range(1, PARTS):
            for piece in first:
                for before in (b": ", b"sim-"):  # times, and names of calls
                    piece = piece.replace(before + TIMES, b"%s%d" % (before, int(TIMES) + part))  # noqa: PLW2901
                yield piece

    def truth(self) -> dict[str, dict[str, Any]]:
        """By queue: what the phone system counted in all parts together."""
        return {
            name: {what: told * PARTS if type(told) is int else told for what, told in row.items()}
            for name, row in self.bulk.figures.items()
        }


class Flood:
    """A phone system that writes as fast as it is read. It lets everybody in, as a recording does."""

    def __init__(self, bulk: Again, port: int) -> None:
        self.done = threading.Event()
        self._bulk = bulk
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(port)), daemon=True)
        self._ended = threading.Event()
        self._thread.start()

    async def _serve(self, port: int) -> None:
        async with serving(self._talk, port):
            await asyncio.to_thread(self._ended.wait)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening = asyncio.create_task(self._answer(reader, writer))
        try:
            with ThreadPoolExecutor(1) as another:  # it lives on an event loop of its own
                pieces = iter(self._bulk)
                while piece := await asyncio.get_running_loop().run_in_executor(another, next, pieces, b""):
                    writer.write(piece)
                    await writer.drain()
            self.done.set()
            await listening
        finally:
            listening.cancel()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pings only; a list would have to be one of this very moment."""
        action = b""
        while line := await reader.readline():
            action = line if line.startswith(b"Action:") else action
            if line.startswith(b"ActionID:") and b"Ping" in action:
                writer.write(b"Response: Success\r\n" + line + b"Ping: Pong\r\n\r\n")

    def close(self) -> None:
        self._ended.set()
        self._thread.join(10)


@pytest.mark.timeout(600)
def test_every_call_of_a_big_day_is_counted_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    print(f"SEED={seed}")
    bulk = Again(Bulk(CALLS // PARTS, seed))
    with House(tmp_path, seven_queues) as house:
        tables = json.loads(house.site.read_text())
        tables["pbx"]["asterisk"]["port"] = port = free_port()  # not the house's own phone system
        house.site.write_text(json.dumps(tables))
        ear = Ear(house.broker)
        flood = Flood(bulk, port)
        try:
            house.start_gateway()
            house.wait("everything is written", flood.done.is_set, WITHIN_S)
            truth = bulk.truth()
            house.wait("the broker has the last figures", lambda: all(
                agrees(ear.latest.get(f"queue/{name}/now", {}), truth[name]) for name in QUEUES
            ), 60)  # fmt: skip
            house.wait("and so has the file", lambda: all(
                agrees(as_said(row), truth[name]) for name, row in kept(house).items()
            ), 30)  # fmt: skip
            for name in QUEUES:
                never_less(ear.all(f"queue/{name}/now"))
        finally:
            house.stop("gateway")
            flood.close()
            ear.close()
        for name, row in kept(house).items():
            assert row.joined == sum(getattr(row, end) for end in ENDS), name
            assert row.vanished == 0
            assert row.answered_wait_s / row.answered == pytest.approx(truth[name]["asa_s"], abs=1.0)
        assert sum(row["joined"] or 0 for row in truth.values()) >= CALLS  # transfers join once more


def agrees(said: dict[str, Any], truth: dict[str, Any]) -> bool:
    """Whether counts are what really happened. AMI calls a time-out an abandon, and a key a leave."""
    return (
        said.get("joined") == truth["joined"]
        and said.get("answered") == truth["answered"]
        and said.get("abandoned") == truth["abandoned"] + truth["timed_out"]
        and said.get("left") == truth["left_by_key"]
        and said.get("waiting") == 0
    )


def as_said(row: Totals) -> dict[str, Any]:
    """All that is kept of a queue, as MQTT would say it."""
    waiting = row.joined - sum(getattr(row, end) for end in ENDS)
    return {"joined": row.joined, "answered": row.answered, "abandoned": row.abandoned, "left": row.left,
            "waiting": waiting}  # fmt: skip


def kept(house: House) -> dict[str, Totals]:
    """All quarters of every queue together."""
    assert house.plan.history.path
    with read(house.plan.history.path, Calendar(house.plan.site.time_zone)) as reader:
        return {name: reader.totals(name, 0, 2**40) for name in QUEUES}


def never_less(said: list[dict[str, Any]]) -> None:
    """Counters only grow; `left` may be corrected by an answer that comes late."""
    for before, after in itertools.pairwise(said):
        for what in ("joined", "answered", "abandoned"):
            if before.get(what) is not None and after.get(what) is not None:
                assert after[what] >= before[what], json.dumps([before, after])

