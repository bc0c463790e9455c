"""The book: figures out to a real file and back in again, over days, restarts, bad clocks and bad disks."""

import asyncio
import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import floorplan
from gateway import walltime
from gateway.book import Book
from gateway.floor import ASTERISK, Floor
from gateway.queues import events
from gateway.queues.totals import Totals
from gateway.store import StoreError

NOON_S = dt.datetime(2026, 11, 20, 12, 5, tzinfo=dt.UTC).timestamp()


class House:
    """A floor with a book, and both clocks in our hands."""

    def __init__(self, folder: Path, wall_s: float = NOON_S, mono_s: float = 5000.0, **site: Any) -> None:
        self.mono_s, self.wall_s = mono_s, wall_s
        self.plan = floorplan.check({
            "site": {"id": "house", "time_zone": "Europe/Oslo", **site},
            "queue": [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}],
        }, "test", folder)  # fmt: skip
        self.floor = Floor(self.plan, mono_s, keep=True)
        self.book = Book(self.plan, self.floor, lambda: self.mono_s, lambda: self.wall_s)
        self.figures = self.floor.queues["norsk"].figures
        self.rows = self.book.remembered()
        self.figures.remember((call, since) for _, call, _, since in self.rows)
        self.hear(events.Waiting("norsk", tuple((call, since) for _, call, _, since in self.rows)))
        self.hear(events.Back())

    def hear(self, event: events.Event) -> None:
        self.floor.hear_source(ASTERISK, event, self.mono_s)

    def later(self, seconds: float) -> None:
        self.mono_s += seconds
        self.wall_s += seconds

    def call(self, number: int, waits_s: float | None) -> None:
        """A caller comes, and is answered after so long; None: waits on."""
        self.hear(events.Joined("norsk", number, self.mono_s, b"k%d" % number))
        if waits_s is not None:
            self.later(waits_s)
            self.hear(events.Answered("norsk", number, self.mono_s, "SIP/1"))

    def commit(self) -> None:
        asyncio.run(self.book.commit())

    def close(self) -> None:
        asyncio.run(self.book.close())

    def kept(self) -> Totals:
        """All quarters together."""
        assert self.book.store
        return self.book.store.totals("norsk", 0, 2**40)


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., House]:
    houses: list[House] = []

    def make(**options: Any) -> House:
        for before in houses:
            if before.book.store:
                before.book.store.close()  # as a kill would: nothing is committed
                before.book.store = None
        houses.append(House(tmp_path, **options))
        return houses[-1]

    return make


def test_a_restart_gives_the_day_back(house: Callable[..., House]) -> None:
    first = house()
    first.call(1, 10.0)
    first.call(2, None)
    first.commit()
    first.call(3, 1.0)  # never committed
    again = house(wall_s=first.wall_s + 60, mono_s=77.0)
    assert (again.figures.totals.joined, again.figures.totals.answered) == (2, 1)
    assert again.figures.rate("asa_s") == 10.0
    assert [(call, key) for _, call, key, _ in again.rows] == [(2, b"k2")]
    assert again.figures.waiting == 1
    assert again.figures.oldest_since_s == pytest.approx(77.0 - 61.0)
    again.hear(events.Answered("norsk", 2, again.mono_s, "SIP/1"))
    again.close()
    third = house(wall_s=again.wall_s + 5)
    assert (third.figures.totals.joined, third.figures.totals.answered, third.rows) == (2, 2, [])


def test_nothing_is_added_twice_when_the_disk_refuses_for_a_while(house: Callable[..., House]) -> None:
    """The same batch, and what came meanwhile, once the disk is back."""
    here = house()
    here.call(1, 5.0)
    here.commit()
    store = here.book.store
    assert store
    store._db.execute("PRAGMA query_only = 1")  # what a disk remounted read-only does
    here.call(2, 5.0)
    here.commit()
    assert here.book.state.state == "failed" and "what" not in here.book.state.reason
    here.call(3, None)
    here.commit()
    store._db.execute("PRAGMA query_only = 0")
    here.commit()
    assert here.book.state.state == "kept"
    assert (here.kept().joined, here.kept().answered) == (3, 2)
    assert [call for _, call, _, _ in store.waiting()] == [3]
    assert here.figures.totals.joined == 3


def test_midnight_begins_a_day_and_keeps_the_one_before(house: Callable[..., House]) -> None:
    here = house(wall_s=dt.datetime(2026, 11, 20, 22, 59, 50, tzinfo=dt.UTC).timestamp())  # 23:59:50 in Oslo
    here.call(1, 5.0)
    here.call(2, None)
    here.commit()
    here.later(20.0)
    here.hear(events.Answered("norsk", 2, here.mono_s, "SIP/1"))  # read before anybody looked at the clock
    here.commit()
    assert (here.figures.totals.joined, here.figures.totals.answered) == (0, 1)
    assert here.figures.totals.longest_wait_s == 20.0
    store = here.book.store
    assert store
    old, new = (store.day("norsk", dt.date(2026, 11, day)) for day in (20, 21))
    assert (old.joined, old.answered, new.joined, new.answered) == (2, 1, 0, 1)


def test_the_day_begins_where_the_site_says(house: Callable[..., House]) -> None:
    here = house(wall_s=dt.datetime(2026, 11, 20, 2, 58, tzinfo=dt.UTC).timestamp(), day_begins="04:00")
    here.call(1, 1.0)
    here.commit()
    here.later(180)
    here.commit()
    assert here.figures.totals.joined == 0
    store = here.book.store
    assert store and store.day("norsk", dt.date(2026, 11, 19)).joined == 1


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> list[walltime.Seen]:
    """A computer whose clock has not been set yet, until the list is emptied."""
    seen = [walltime.Seen(synchronised=False, service="systemd-timesyncd")]
    good = walltime.Seen(synchronised=True, service="systemd-timesyncd")
    monkeypatch.setattr(walltime, "look", lambda: seen[0] if seen else good)
    return seen


def test_totals_wait_for_the_clock_and_go_where_they_belong(
    house: Callable[..., House], unset: list[walltime.Seen]
) -> None:
    """A Pi after a power cut believes it is half a year ago."""
    here = house(wall_s=NOON_S - 180 * 86400)
    here.call(1, 5.0)
    here.call(2, None)
    here.commit()
    assert here.book.state.state == "waits" and "timesyncd" in here.book.state.reason
    assert here.figures.waiting == 1 and here.figures.totals.answered == 1  # live all the while
    assert here.kept() == Totals()
    here.later(600)
    here.wall_s = NOON_S
    unset.clear()
    here.commit()
    assert here.book.state.state == "kept"
    store = here.book.store
    assert store
    day = store.day("norsk", dt.date(2026, 11, 20))
    assert (day.joined, day.answered) == (2, 1) == (here.figures.totals.joined, here.figures.totals.answered)
    [(start, _)] = [row for row in store.quarters("norsk", 0, 2**40) if row[1].joined]
    assert start == here.book.calendar.quarter(NOON_S - 605)


def test_waiting_for_the_clock_takes_no_memory_without_end(
    house: Callable[..., House], unset: list[walltime.Seen]
) -> None:
    here = house(wall_s=NOON_S - 180 * 86400)
    for number in range(30_000):
        here.call(number, 0.1)
        if number % 1000 == 0:
            here.commit()
    ledger = here.figures.ledger
    assert ledger and len(ledger.counts) < 25_000
    here.wall_s = NOON_S
    unset.clear()
    here.later(10)
    here.commit()
    assert (here.kept().joined, here.kept().answered) == (30_000, 30_000)


def test_a_clock_behind_the_file_is_not_believed_even_if_trusted(house: Callable[..., House]) -> None:
    first = house()
    first.call(1, 1.0)
    first.commit()
    again = house(wall_s=first.wall_s - 3600, clock="trusted")
    again.call(9, 1.0)
    again.commit()
    assert again.book.state.state == "waits" and "set the clock" in again.book.state.reason
    assert again.kept().joined == 1


def test_the_time_the_gateway_was_away_is_a_gap(house: Callable[..., House]) -> None:
    first = house(wall_s=dt.datetime(2026, 11, 20, 8, 0, tzinfo=dt.UTC).timestamp())
    for _ in range(30):
        first.commit()
        first.later(30)
    first.commit()  # 08:15
    again = house(wall_s=first.wall_s + 40 * 60)
    for _ in range(20):
        again.commit()
        again.later(30)
    again.later(60)
    again.commit()
    assert again.book.gaps == {"norsk": [{"from": "09:15", "to": "10:00", "unseen_s": 2400}]}


def test_a_file_that_cannot_be_used_stops_no_figure(tmp_path: Path, house: Callable[..., House]) -> None:
    (tmp_path / "house.db").write_text("a shopping list")
    here = house()
    assert here.book.state.state == "failed" and "no file of ours" in here.book.state.reason
    here.call(1, 3.0)
    here.commit()
    assert here.figures.totals.answered == 1
    assert (tmp_path / "house.db").read_text() == "a shopping list"
    asyncio.run(asyncio.wait_for(here.book.saved(), 1))


def test_saved_waits_for_the_commit_and_says_when_there_was_none(house: Callable[..., House]) -> None:
    async def run() -> None:
        here = house()
        running = asyncio.create_task(here.book.run())
        here.call(1, 2.0)
        await asyncio.wait_for(here.book.saved(), 5)
        assert here.kept().answered == 1
        assert here.book.store
        here.book.store._db.execute("PRAGMA query_only = 1")
        here.call(2, 2.0)
        with pytest.raises(StoreError):
            await asyncio.wait_for(here.book.saved(), 5)
        running.cancel()

    asyncio.run(run())


def test_the_file_can_be_moved_away_and_the_gateway_started(tmp_path: Path, house: Callable[..., House]) -> None:
    first = house()
    first.call(1, 1.0)
    first.close()
    shutil.move(tmp_path / "house.db", tmp_path / "old.db")
    assert house().figures.totals.joined == 0
