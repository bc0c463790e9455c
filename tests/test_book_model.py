"""The whole way of a call, from the phone system's words to the file, against a slow count of the same calls.

A random schedule: callers come and go, the link breaks, the phone system is restarted, the gateway is killed or
ended or finds its file held, the disk refuses, the clock is not believed or is put right, a day and summer time
begin and end. A real gateway and a real file; only the networks are ours.
"""

import asyncio
import contextlib
import datetime as dt
import fcntl
import functools
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import floorplan
from gateway import book, service, walltime
from gateway.book import Book
from gateway.days import QUARTER_S
from gateway.queues.totals import Totals
from gateway.queues.translate import GRACE_S

QUEUES = ("norsk", "polski")
ENDS = ("answered", "abandoned", "left", "vanished")
OSLO = ZoneInfo("Europe/Oslo")
# An ordinary evening, and the ones before summer time begins and ends.
STARTS = [dt.datetime(2026, month, day, 22, 50, tzinfo=OSLO).timestamp()
          for month, day in ((3, 28), (5, 5), (10, 24))]  # fmt: skip
LONGEST_S = 20 * 3600.0  # a schedule; shorter than anybody is waited for


@dataclass
class Stay:
    """One caller as the gateway ought to have counted it."""

    uid: str
    queue: str
    key: bytes  # by which it stands in the file
    came_s: float  # all on the wall's clock
    end: str = ""
    end_s: float = 0.0


class Truth:
    """The slow count: a list of stays, in the gateway's memory and in the file."""

    def __init__(self) -> None:
        self.memory: list[Stay] = []
        self.file: list[Stay] = []
        self.known: dict[str, Stay] = {}  # who waits, as far as the gateway can know
        self.going: dict[str, tuple[str, float]] = {}  # of them, who has gone: how, and when
        self.left: dict[str, Stay] = {}  # gone in a way that a late answer may correct
        self.strangers: list[Stay] = []  # who waits in a file that could not be read
        self.key: Callable[[str], bytes] = str.encode  # what the gateway makes of a uid

    def come(self, uid: str, queue: str, at_s: float) -> None:
        self.known[uid] = Stay(uid, queue, self.key(uid), at_s)
        self.memory.append(self.known[uid])

    def end(self, uid: str, end: str, at_s: float) -> None:
        self.going.pop(uid, None)
        stay = self.known.pop(uid, None)
        if stay:
            stay.end, stay.end_s = end, at_s
            if end in ("left", "vanished") and uid == stay.uid:
                self.left[uid] = stay

    def due(self, now_s: float) -> None:
        for uid, (how, gone_s) in list(self.going.items()):
            if now_s >= gone_s + GRACE_S:
                self.end(uid, how, gone_s if how == "left" else now_s)

    def link_lost(self, now_s: float) -> None:
        for uid in list(self.going):
            self.end(uid, "vanished", now_s)

    def listed(self, waiting: dict[str, tuple[str, int]], now_s: float) -> None:
        for uid in self.known.keys() - waiting.keys() - self.going.keys():
            self.going[uid] = "vanished", now_s
        for uid, (queue, wait_s) in waiting.items():
            if uid not in self.known:
                self.come(uid, queue, now_s - wait_s)

    def commit(self, now_s: float) -> None:
        for stay in self.strangers:
            stay.end, stay.end_s = "vanished", now_s
        self.strangers = []
        self.file = [replace(stay) for stay in self.memory]

    def restart(self, key: Callable[[str], bytes], held: bool) -> None:
        """Nothing is left but the file; `held`: not even that."""
        self.key = key
        self.left = {}
        self.memory = [replace(stay) for stay in self.file]
        waiting = [stay for stay in self.memory if not stay.end]
        self.going = {}
        # Keys of a gateway that could not open the file at its start fit no other one: these are strangers too.
        names = [stay.uid if stay.key == key(stay.uid) else f"was {stay.uid}" for stay in waiting]
        self.known = {} if held else dict(zip(names, waiting, strict=True))
        self.strangers = waiting if held else []


class World:
    """A phone system, a gateway, their clocks, and the truth."""

    def __init__(self, folder: Path, start_s: float, day_begins: str, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.start_s = folder, start_s
        self.mono_s, self.offset_s = 200_000.0, start_s - 200_000.0
        self.stepped = self.refuses = False
        self.clock_set = True
        self.waiting: dict[
            str, tuple[str, float]
        ] = {}  # at the phone system, by its own clock: uid → queue, since
        self.uids = (f"u{number}" for number in itertools.count())
        self.lists = itertools.count(1)
        self.truth = Truth()
        self.held = contextlib.ExitStack()
        self.link = False
        (folder / "secret").write_text("a secret")
        self.plan = floorplan.check({
            "site": {"id": "house", "time_zone": "Europe/Oslo", "day_begins": day_begins},
            "pbx": {"asterisk": {"host": "127.0.0.1", "user": "u", "secret_file": "secret"}},
            "queue": [{"id": queue, "name": queue, "pbx": queue} for queue in QUEUES],
        }, "test", folder)  # fmt: skip
        patch.setattr(book, "WAIT_S", 0.0)  # whoever holds the file here holds it on: waiting changes nothing
        patch.setattr(walltime, "look", lambda: walltime.Seen(self.clock_set, "chronyd"))
        patch.setattr(service, "Book", functools.partial(Book, wall=lambda: self.wall_s))
        self.start()

    @property
    def wall_s(self) -> float:
        return self.mono_s + self.offset_s

    # What happens ----------------------------------------------------------------

    def start(self) -> None:
        self.gateway = service.Gateway(self.plan, lambda: self.mono_s)
        assert self.gateway.asterisk
        self.pbx = self.gateway.asterisk
        self.refuses = self.link = False
        self.truth.restart(self.pbx.adapter._key, self.gateway.book.store is None)
        self.link_up()

    def say(self, name: str, uid: str = "", queue: str = "", **more: str) -> None:
        if self.link:
            self.pbx._hear({"Event": name, "Uniqueid": uid, "Queue": queue, **more})

    def link_up(self, uptime_s: float = 1e6) -> None:
        if self.link:
            return
        self.link = True
        self.say("FullyBooted", Uptime=str(int(uptime_s)))
        number = f"callfloor-{next(self.lists)}"
        waits = {uid: (queue, int(self.mono_s - since_s)) for uid, (queue, since_s) in self.waiting.items()}
        for queue in QUEUES:
            self.say("QueueParams", queue=queue, ActionID=number)
            for uid, (where, wait_s) in waits.items():
                if where == queue:
                    self.say("QueueEntry", uid, queue, ActionID=number, Wait=str(wait_s))
        self.say("QueueStatusComplete", ActionID=number)
        self.truth.listed(waits, self.wall_s)

    def link_down(self) -> None:
        if self.link:
            self.link = False
            self.pbx._lose("is gone")
            self.truth.link_lost(self.wall_s)

    def pbx_restart(self) -> None:
        self.link_down()
        self.waiting.clear()

    def come(self, queue: str) -> None:
        uid = next(self.uids)
        self.waiting[uid] = queue, self.mono_s
        self.say("QueueCallerJoin", uid, queue)
        if self.link:
            self.truth.come(uid, queue, self.wall_s)

    def go(self, which: int, how: str) -> None:
        if not self.waiting:
            return
        uid = list(self.waiting)[which % len(self.waiting)]
        queue, since_s = self.waiting.pop(uid)
        hold = str(int(self.mono_s - since_s))
        if how == "abandoned":
            self.say("QueueCallerAbandon", uid, queue, HoldTime=hold)
        self.say("QueueCallerLeave", uid, queue)
        if how == "answered":
            self.say("AgentConnect", uid, queue, Interface="SIP/1", HoldTime=hold)
        if self.link and how == "left":
            self.truth.going[uid] = how, self.wall_s
        elif self.link:
            self.truth.end(uid, how, self.wall_s)

    def answer_late(self, which: int) -> None:
        """A slow link: one who has been taken to have left was answered after all."""
        if self.link and self.truth.left:
            uid = list(self.truth.left)[which % len(self.truth.left)]
            stay = self.truth.left.pop(uid)
            self.say("AgentConnect", uid, stay.queue, Interface="SIP/1", HoldTime="1")
            stay.end, stay.end_s = "answered", self.wall_s

    def later(self, seconds: float) -> None:
        self.mono_s = min(self.mono_s + seconds, 200_000.0 + LONGEST_S)
        if self.link:
            self.truth.due(self.wall_s)
            self.pbx._hand_on(self.pbx.adapter.due(self.mono_s))

    def step(self, seconds: float) -> None:
        """Somebody sets the clock, or the network does."""
        self.offset_s += seconds
        self.stepped = True
        # Who has gone is waited for by a clock that nobody sets.
        self.truth.going = {uid: (how, gone_s + seconds) for uid, (how, gone_s) in self.truth.going.items()}

    def refuse(self, on: bool) -> None:
        """The disk is remounted read-only, or is well again."""
        store = self.gateway.book.store
        if store:
            self.refuses = on
            store._db.execute(f"PRAGMA query_only = {int(on)}")

    async def commit(self) -> None:
        await self.gateway.book.commit()
        book = self.gateway.book
        if book.state.state == "kept":
            assert not self.refuses and self.clock_set | book._sure
            self.truth.commit(self.wall_s)
            self.check()

    def kill(self) -> None:
        store = self.gateway.book.store
        self.gateway.book._writer.shutdown()
        if store:
            store.close()

    async def end(self) -> None:
        await self.gateway.book.close()
        if self.gateway.book.state.state == "kept":
            self.truth.commit(self.wall_s)

    def hold(self) -> None:
        """Somebody else has the file for a while."""
        lock = os.open(self.folder / "house.db-lock", os.O_CREAT | os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.held.callback(os.close, lock)

    # What is held against what ------------------------------------------------------

    def check(self) -> None:
        book = self.gateway.book
        store = book.store
        assert store and book.day
        waits = sorted((row[0], row[2]) for row in store.waiting())
        mine = [stay for stay in self.truth.file if not stay.end]
        assert waits == sorted((stay.queue, stay.key) for stay in mine)
        for queue in QUEUES:
            stays = [stay for stay in self.truth.file if stay.queue == queue]
            everything = store.totals(queue, 0, 2**40)
            assert counts(everything) == tally(stays)
            if self.stepped:
                continue
            for start, totals in store.quarters(queue, 0, 2**40):
                assert counts(totals) == tally(stays, start, start + QUARTER_S), start
            from_s, to_s = book.calendar.day_bounds(book.day)
            assert counts(store.day(queue, book.day)) == tally(stays, from_s, to_s)
            figures = self.gateway.floor.queues[queue].figures
            if not self.truth.strangers:
                assert counts(figures.totals) == tally(stays, from_s, to_s)
            if self.link:
                here = self.truth.known.keys() - self.truth.going.keys()
                since = [stay.came_s for uid in here if (stay := self.truth.known[uid]).queue == queue]
                assert figures.waiting == len(since)
                oldest_s = figures.oldest_since_s
                waited_s = None if oldest_s is None else self.mono_s - oldest_s
                assert waited_s == (pytest.approx(self.wall_s - min(since), abs=1e-4) if since else None)


def counts(totals: Totals) -> dict[str, float]:
    """What is counted of callers, zeros left out."""
    return {name: getattr(totals, name) for name in ("joined", *ENDS) if getattr(totals, name)}


def tally(stays: list[Stay], from_s: float = 0, to_s: float = 2**40) -> dict[str, float]:
    """The same, counted afresh."""
    came = ["joined" for stay in stays if from_s <= stay.came_s < to_s]
    ends = [stay.end for stay in stays if stay.end and from_s <= stay.end_s < to_s]
    return dict(Counter(came + ends))


async def act(world: World, what: str, how: float, which: int) -> None:
    """One thing that happens. `how`: 0 to 1."""
    if what == "come":
        world.come(QUEUES[which % 2])
    elif what in ("answered", "abandoned", "left"):
        world.go(which, what)
    elif what == "answered late":
        world.answer_late(which)
    elif what == "soon":
        world.later(how)
    elif what == "later":
        world.later(how * 1500)
    elif what == "hours":
        world.later(how * 8 * 3600)
    elif what == "commit":
        await world.commit()
    elif what == "cut":
        world.link_down()
    elif what == "linked":
        world.link_up()
    elif what == "pbx restarted":
        world.pbx_restart()
        world.link_up(0)
    elif what == "disk":
        world.refuse(how < 0.5)
    elif what == "file free":
        world.held.close()
        await world.commit()
        await world.commit()
    elif what == "clock set":
        world.clock_set = True
    elif what == "step":
        world.step(how * 6 - 3)
    else:
        await restart(world, what)


async def restart(world: World, what: str) -> None:
    """The gateway ends, in one way or another, and begins anew."""
    if what == "ended":
        await world.end()
    else:
        world.kill()
    world.held.close()
    if what == "killed, file held":
        world.hold()
    if what == "killed, clock lost":
        world.clock_set = False
    world.start()


WHAT = st.sampled_from(
    ["come"] * 6 + ["answered"] * 3 + ["abandoned", "left", "answered late"] * 2 + ["soon"] * 4 + ["later"] * 2
    + ["hours"] * 2 + ["commit"] * 6 + ["cut", "linked", "linked", "pbx restarted", "disk", "disk", "clock set", "step"]
    + ["ended"] + ["killed"] * 3 + ["killed, file held", "killed, clock lost", "file free", "file free"]
)  # fmt: skip
SCHEDULE = st.lists(st.tuples(WHAT, st.floats(0, 1), st.integers(0, 20)), max_size=80)


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@example(start_s=STARTS[0], day_begins="00:00", schedule=[
    ("come", 0.0, 0), ("left", 0.0, 0), ("step", 0.0, 0), ("soon", 1.0, 0), ("commit", 0.0, 0),
])  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(start_s=st.sampled_from(STARTS), day_begins=st.sampled_from(["00:00", "02:30"]), schedule=SCHEDULE)
def test_every_call_is_counted_once_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory,
    patch: pytest.MonkeyPatch,
    start_s: float,
    day_begins: str,
    schedule: list[tuple[str, float, int]],
) -> None:
    async def main() -> None:
        world = World(tmp_path_factory.mktemp("house"), start_s, day_begins, patch)
        try:
            for what, how, which in schedule:
                await act(world, what, how, which)
            await settle(world)
        finally:
            world.held.close()
            world.kill()

    asyncio.run(main())


async def settle(world: World) -> None:
    """All is well again, everybody is served, and everything adds up."""
    world.held.close()
    world.refuse(False)
    world.clock_set = True
    world.link_up()
    while world.waiting:
        world.go(0, "answered")
    world.mono_s += 10
    world.truth.due(world.wall_s)
    world.pbx._hand_on(world.pbx.adapter.due(world.mono_s))
    for _ in range(3):
        await world.commit()
    assert world.gateway.book.state.state == "kept"
    assert world.gateway.book.store
    for queue in QUEUES:
        row: Any = world.gateway.book.store.totals(queue, 0, 2**40)
        assert row.joined == sum(getattr(row, end) for end in ENDS)
    assert world.gateway.book.store.waiting() == []
