"""The book in trouble: no file, a bad file, a disk that stalls, clocks that jump, an end in the middle of a commit."""

import asyncio
import contextlib
import datetime as dt
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import walltime
from gateway.queues import events
from gateway.queues.totals import Totals
from gateway.store import Batch, Store, StoreError
from tests.test_book import NOON_S, House

DAY_S = 86_400.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def end() -> None:
        for before in houses:
            if before.book.store:
                before.book.store.close()  # as a kill would: nothing is committed
                before.book.store = None

    def make(**options: Any) -> House:
        end()
        houses.append(House(tmp_path, **options))
        return houses[-1]

    yield make
    end()


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Another gateway writes in the file."""
    lock = os.open(f"{path}-lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def read_only(here: House, on: bool) -> None:
    """What a disk remounted read-only does."""
    assert here.book.store
    here.book.store._db.execute(f"PRAGMA query_only = {int(on)}")


# ---- no file ----


def test_without_a_file_memory_has_an_end_and_days_begin(tmp_path: Path, house: Callable[..., House]) -> None:
    with held(tmp_path / "house.db"):
        here = house()
        assert here.book.state.state == "failed" and "another gateway" in here.book.state.reason
        for number in range(20_000):
            here.call(number, 0.2)
            if number % 1000 == 0:
                here.commit()
        ledger = here.figures.ledger
        assert ledger is None or len(ledger.counts) < 20_000
        here.later(DAY_S)
        here.call(30_000, 1.0)
        here.commit()
        assert here.figures.totals.joined == 1
        assert here.book.day == dt.date(2026, 11, 21)


def test_a_file_that_comes_free_later_gets_all_of_it(tmp_path: Path, house: Callable[..., House]) -> None:
    """As when the gateway before this one takes a moment to end. Who waited in the file is gone unseen."""
    first = house()
    first.call(1, 5.0)
    first.call(2, None)
    first.call(3, None)
    first.close()
    with held(tmp_path / "house.db"):
        here = house(wall_s=first.wall_s + 60)
        here.call(2, None)  # another one, under a number that stands in the file
        here.call(7, 9.0)
        here.commit()
        assert here.book.state.state == "failed"
    for _ in range(3):
        here.commit()
    assert here.book.state.state == "kept" and here.book.store
    assert (here.kept().joined, here.kept().answered, here.kept().vanished) == (5, 2, 2)
    ((queue, call, key, since),) = here.book.store.waiting()
    assert (queue, call, key) == ("norsk", 2, b"k2") and since == pytest.approx(first.wall_s + 60)
    assert (here.figures.totals.joined, here.figures.totals.answered) == (5, 2)
    here.close()
    again = house(wall_s=here.wall_s + 1)
    assert [(call, key) for _, call, key, _ in again.rows] == [(2, b"k2")]


@pytest.mark.parametrize("table", ["days", "waiting", "sources", "kept"])
def test_damage_that_only_reading_finds_stops_no_figure(
    tmp_path: Path, house: Callable[..., House], table: str
) -> None:
    first = house()
    first.call(1, 5.0)
    first.close()
    path = tmp_path / "house.db"
    with sqlite3.connect(path) as db:
        [page] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        [size] = db.execute("PRAGMA page_size").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    here = house(wall_s=first.wall_s + 60)
    here.call(9, 1.0)
    here.commit()
    assert here.figures.totals.answered == 1
    assert here.book.state.state == "failed" and "damaged" in here.book.state.reason


# ---- a disk that fails ----


def test_a_disk_that_fails_for_long_takes_no_memory_without_end(house: Callable[..., House]) -> None:
    here = house()
    read_only(here, True)
    for number in range(300):
        here.call(number, None)
        here.commit()
        here.later(1.0)
        here.hear(events.Answered("norsk", number, here.mono_s, "SIP/1"))
    batch = here.book._batch
    assert len(batch.came) + len(batch.went) < 10
    read_only(here, False)
    here.commit()
    assert here.book.store
    assert (here.kept().joined, here.kept().answered, here.book.store.waiting()) == (300, 300, [])


def test_a_day_whose_totals_cannot_be_read_begins_once_they_can(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = house(wall_s=dt.datetime(2026, 11, 20, 22, 59, 50, tzinfo=dt.UTC).timestamp())  # 23:59:50 in Oslo
    here.call(1, 5.0)
    here.commit()
    here.later(20.0)
    here.call(2, 5.0)
    with monkeypatch.context() as bad:
        bad.setattr(Store, "day", refuse)
        here.commit()
        assert here.book.state.state == "failed"
    here.call(3, 5.0)
    here.commit()
    assert (here.figures.totals.joined, here.figures.totals.answered) == (2, 2)
    assert here.book.day == dt.date(2026, 11, 21)
    assert here.kept().joined == 3


def refuse(*_: object) -> Any:
    raise StoreError("house.db: cannot be read (disk I/O error)")


def test_what_is_kept_is_kept_whatever_fails_behind_it(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The totals are committed; only old ones cannot be thrown away. Who waits for the commit need not know."""
    monkeypatch.setattr(Store, "forget", refuse)
    monkeypatch.setattr(Store, "gaps", refuse)

    async def run() -> None:
        here = house()
        here.call(1, 2.0)
        saved = asyncio.create_task(here.book.saved())
        await asyncio.sleep(0)
        await here.book.commit()
        await saved
        assert here.kept().answered == 1
        assert here.book.state.state == "failed"

    asyncio.run(run())


def test_nothing_of_the_disk_is_waited_for_on_the_loop(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = house(wall_s=dt.datetime(2026, 11, 20, 22, 59, 50, tzinfo=dt.UTC).timestamp())
    here.commit()
    used: set[int] = set()
    rows = Store._all

    def seen(self: Store, *asked: Any) -> Any:
        used.add(threading.get_ident())
        return rows(self, *asked)

    monkeypatch.setattr(Store, "_all", seen)
    here.later(20.0)
    here.commit()
    assert here.book.day == dt.date(2026, 11, 21)
    assert used and threading.get_ident() not in used


# ---- the end ----


@pytest.mark.parametrize("fails", [False, True])
def test_an_end_in_the_middle_of_a_commit_loses_nothing(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    commit = Store.commit
    writing, go = threading.Event(), threading.Event()

    def slow(self: Store, batch: Batch) -> None:
        writing.set()
        assert go.wait(10)
        if fails and not tried:
            tried.append(1)
            raise StoreError("house.db: cannot be written")
        commit(self, batch)

    tried: list[int] = []

    async def run() -> None:
        here = house()
        here.call(1, 5.0)
        monkeypatch.setattr(Store, "commit", slow)
        running = asyncio.create_task(here.book.run())
        await asyncio.to_thread(writing.wait, 10)
        here.call(2, 5.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        closing = asyncio.create_task(here.book.close())
        await asyncio.sleep(0)
        go.set()
        await asyncio.wait_for(closing, 10)

    asyncio.run(run())
    assert house(wall_s=NOON_S + 60).kept().answered == 2


def test_what_nobody_expected_keeps_what_was_counted_and_says_so(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")

    async def run() -> None:
        here = house()
        here.call(1, 2.0)
        with monkeypatch.context() as bad:
            bad.setattr(Store, "commit", broken)
            saved = asyncio.create_task(here.book.saved())
            await asyncio.sleep(0)
            with pytest.raises(OverflowError):
                await here.book.commit()
            with pytest.raises(OverflowError):
                await asyncio.wait_for(saved, 1)
        await here.book.close()

    asyncio.run(run())
    assert house(wall_s=NOON_S + 60).kept().answered == 1


# ---- the clock ----


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> list[walltime.Seen]:
    """A computer whose clock has not been set yet, until the list is emptied."""
    seen = [walltime.Seen(synchronised=False, service="systemd-timesyncd")]
    good = walltime.Seen(synchronised=True, service="systemd-timesyncd")
    monkeypatch.setattr(walltime, "look", lambda: seen[0] if seen else good)
    return seen


def test_a_disk_that_fails_while_the_clock_is_waited_for_makes_no_clock_right(
    house: Callable[..., House], unset: list[walltime.Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = house(wall_s=NOON_S - 180 * DAY_S)
    here.call(1, 5.0)
    with monkeypatch.context() as bad:
        bad.setattr(Store, "newest_s", refuse)
        here.later(5.0)
        here.commit()
    for _ in range(3):
        here.later(5.0)
        here.commit()
        assert here.kept() == Totals()
    assert here.book.state.state == "waits"
    unset.clear()
    here.wall_s = NOON_S
    here.later(5.0)
    here.commit()
    assert here.kept().joined == 1 and here.book.state.state == "kept"


def test_weeks_without_the_right_time_take_no_memory_without_end(
    house: Callable[..., House], unset: list[walltime.Seen]
) -> None:
    """A house without internet, whose time service never gets an answer."""
    here = house()
    for number in range(30 * 24 * 60):
        here.call(number, 1.0)
        here.later(59.0)
        if number % 60 == 0:
            here.commit()
    ledger = here.figures.ledger
    assert ledger and len(ledger.counts) < 11_000
    unset.clear()
    here.later(10)
    here.commit()
    assert (here.kept().joined, here.kept().answered) == (43_200, 43_200)
    assert here.book.store
    days = here.book.store.days("norsk", dt.date(2026, 11, 1), dt.date(2027, 1, 31))
    assert len(days) in (30, 31)


def test_a_clock_that_jumps_years_ahead_throws_nothing_away(house: Callable[..., House]) -> None:
    here = house()
    here.call(1, 1.0)
    here.commit()
    here.wall_s += 10 * 365 * DAY_S
    here.later(3700)
    here.commit()
    here.wall_s -= 10 * 365 * DAY_S
    here.later(1)
    here.commit()
    assert here.kept().joined == 1
    assert here.figures.totals.joined == 1
