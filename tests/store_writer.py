"""Writers of a file of totals that are there to be killed, one after another: `python -m tests.store_writer`.

For each path on its input it starts one as a process of its own, says "pid N", and "ended STATUS" when
that one has been killed. A writer's load is always the same: what batch n holds follows from n alone.
It says "about n" before it commits batch n and "done n" after it, and goes on where the file ends.
"""

from __future__ import annotations

import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from gateway.days import Calendar
from gateway.store import Batch, Store

QUEUES = ("norsk", "english", "polski")
ENDS = ("answered", "abandoned", "timed_out", "left_by_key", "left", "vanished")
BEGIN_S = 1_792_882_800  # 2026-10-25 00:00 in Oslo: the night that has an hour more
STEP_S = 37.5  # from one batch to the next
LONGEST_WAIT = 6  # batches
CALENDAR = Calendar("Europe/Oslo", hours=("mon-sun 06:00-23:00",))


@dataclass(frozen=True)
class Keep:
    """Long enough for any test of it."""

    quarters_days: int = 4000
    days_days: int = 4000


@dataclass(frozen=True)
class Call:
    """One call: came with batch `came`, ended with batch `ended`; `corrected`: one later it is `answered`."""

    number: int
    queue: str
    came: int
    ended: int
    how: str
    corrected: bool

    @property
    def wait_s(self) -> float:
        return (self.ended - self.came) * STEP_S


def calls(n: int) -> list[Call]:
    """The calls that come with batch n."""
    if n < 0:
        return []
    chance = random.Random(n)
    return [
        Call(
            n * 10 + k, chance.choice(QUEUES), n, n + chance.randint(0, LONGEST_WAIT),
            how := chance.choice(ENDS), how == "left" and chance.random() < 0.5,
        )
        for k in range(chance.randint(0, 4))
    ]  # fmt: skip


def at_s(n: int) -> float:
    """When batch n was."""
    return BEGIN_S + n * STEP_S


def batch(n: int) -> Batch:
    """What is committed as batch n."""
    made = Batch(at_s=at_s(n), marks={QUEUES[0]: str(n)})

    def count(queue: str, when: int, name: str, amount: float) -> None:
        amounts = made.counts.setdefault((queue, CALENDAR.quarter(at_s(when))), {})
        amounts[name] = amounts.get(name, 0.0) + amount

    for call in calls(n):
        count(call.queue, n, "joined", 1)
        made.came.append((call.queue, call.number, b"key %d" % call.number, at_s(n)))
    for call in (call for before in range(LONGEST_WAIT + 2) for call in calls(n - before)):
        if call.ended == n:
            made.went.append((call.queue, call.number))
            count(call.queue, n, call.how, 1)
        elif call.corrected and call.ended + 1 == n:
            count(call.queue, call.ended, call.how, -1)
            count(call.queue, n, "answered", 1)
            count(call.queue, n, "answered_wait_s", call.wait_s)
    for queue in QUEUES:
        count(queue, n, "seen_s", STEP_S)
    return made


def write(path: Path) -> NoReturn:
    """Commits batch after batch."""
    store = Store(path, CALENDAR, Keep())
    n = int(store.marks().get(QUEUES[0], -1))
    while True:
        n += 1
        say(b"about", n)
        store.commit(batch(n))
        say(b"done", n)
        if n % 50 == 0:
            store.forget(at_s(n))


def say(word: bytes, number: int) -> None:
    os.write(1, b"%s %d\n" % (word, number))


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            write(Path(line.rstrip("\n")))
        say(b"pid", child)
        _, status = os.waitpid(child, 0)
        say(b"ended", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
