"""An AMI stream of as many calls as wanted, and what really happened in them: for benchmarks and tests.

    many = Bulk(280_000, seed=1)
    for piece in many:
        ...                      # bytes, from the banner on; a piece ends with a block
    many.figures                 # by queue: joined, answered, abandoned, timed_out, left_by_key, …

A house of seven queues and 465 desks at 6 calls a second, with all that can happen to a call.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import floorplan
from simulator.day import Day, Figures
from simulator.resize import resize

QUEUES = ("arabisk", "engelsk", "litauisk", "norsk", "polsk", "rumensk", "russisk")
DESKS = 465
CALLS_PER_S = 6.0  # all queues together
BEGINS_S = 1_770_000_000.0  # Unix time of the first event
PIECE_S = 30.0
SIMULATOR: dict[str, Any] = {
    "calls_per_minute": CALLS_PER_S * 60 / len(QUEUES), "talk_s": 58, "react_s": 3, "wrap_up_s": 5,
    "patience_s": 90, "timeout_s": 25, "keys": 0.15, "transfers": 0.04, "ring_no_answer": 0.02,
    "pauses_per_hour": 1, "pause_s": 240,
}  # fmt: skip


def house() -> floorplan.Plan:
    """The house that calls."""
    tables = {
        "site": {"id": "bulk"},
        "queue": [{"id": queue, "name": queue.title(), "pbx": queue} for queue in QUEUES],
        "simulator": SIMULATOR,
    }
    return floorplan.check(resize(tables, DESKS), "the house", Path())


class Bulk:
    """The stream of exactly `calls` callers, who may be transferred and then join once more. Read it once."""

    def __init__(self, calls: int, seed: int = 1) -> None:
        self.figures: Figures = {}  # complete when the stream has been read to its end
        self._calls = calls
        self._seed = seed

    def __iter__(self) -> Iterator[bytes]:
        with Day(house(), self._seed, BEGINS_S, calls=self._calls) as day:
            while not day.floor.over:
                yield day.live(PIECE_S)
            self.figures = day.figures()
