"""What is kept for good: nothing lost, nothing doubled, whatever ends the writer; and errors that help."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import store as store_module
from gateway.days import DAY, QUARTER_S, Calendar
from gateway.queues.totals import COUNTED, LONGEST, Totals
from gateway.store import Batch, Reader, Store, StoreError, read
from tests import store_writer
from tests.pythons import ROOT
from tests.store_writer import CALENDAR, Keep

OSLO = Calendar("Europe/Oslo")
KEEP = Keep()
NOON = dt.datetime.fromisoformat("2026-06-01T12:00+02:00").timestamp()
ENDS_SQL = " + ".join(store_writer.ENDS)
KILLS = 200
LANES = 2  # writers at a time
KILLS_A_FILE = 25


@contextlib.contextmanager
def opened(path: Path, calendar: Calendar = OSLO, keep: Keep = KEEP) -> Iterator[Store]:
    store = Store(path, calendar, keep)
    try:
        yield store
    finally:
        store.close()


def counts(queue: str, at_s: float, **amounts: float) -> dict[tuple[str, int], dict[str, float]]:
    return {(queue, OSLO.quarter(at_s)): amounts}


# What is committed comes back -----------------------------------------------------


def test_totals_come_back_by_quarter_and_by_day(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        store.commit(
            Batch(
                counts("en", NOON, joined=2, answered=1, answered_wait_s=7.5, longest_wait_s=7.5), at_s=NOON
            )
        )
        store.commit(Batch(counts("en", NOON + 60, joined=1, left=1, longest_wait_s=3), at_s=NOON + 60))
        store.commit(
            Batch(counts("en", NOON + 120, left=-1, answered=1, longest_wait_s=9.5), at_s=NOON + 120)
        )
        store.commit(Batch(counts("en", NOON + 900, joined=5), at_s=NOON + 900))
        store.commit(Batch(counts("no", NOON, joined=7), at_s=NOON + 901))
    with opened(tmp_path / "a.db") as store:
        first = Totals(joined=3, answered=2, left=0, answered_wait_s=7.5, longest_wait_s=9.5)
        assert store.quarters("en", NOON, NOON + 901) == [(NOON, first), (NOON + 900, Totals(joined=5))]
        assert store.quarters("en", NOON, NOON + 900) == [(NOON, first)]
        whole = Totals(joined=8, answered=2, answered_wait_s=7.5, longest_wait_s=9.5)
        date = dt.date(2026, 6, 1)
        assert store.totals("en", NOON, NOON + 901) == store.day("en", date) == whole
        assert store.days("no", date, date) == [(date, Totals(joined=7))]
        assert store.day("no", date + DAY) == Totals()
        assert store.newest_s() == NOON + 901
        assert store.queues() == ["en", "no"]


def test_a_call_that_waits_over_midnight_is_joined_on_one_day_and_answered_on_the_other(
    tmp_path: Path,
) -> None:
    midnight = dt.datetime.fromisoformat("2026-06-02T00:00+02:00").timestamp()
    with opened(tmp_path / "a.db") as store:
        store.commit(Batch(counts("en", midnight - 0.5, joined=1), at_s=midnight))
        store.commit(Batch(counts("en", midnight + 0.5, answered=1), at_s=midnight + 1))
        assert store.day("en", dt.date(2026, 6, 1)) == Totals(joined=1)
        assert store.day("en", dt.date(2026, 6, 2)) == Totals(answered=1)


def test_whole_numbers_stay_whole(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        store.commit(Batch(counts("en", NOON, joined=1.0, answered_within=True, talk_s=3)))
        totals = store.day("en", dt.date(2026, 6, 1))
        assert [type(value) for value in (totals.joined, totals.answered_within)] == [int, int]
        assert totals.talk_s == 3.0


def test_who_waits(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        store.commit(Batch(came=[("en", 1, b"one", 50.0), ("en", 2, b"", 40.0), ("no", 3, b"three", 60.0)]))
        went = [("en", 1), ("en", 4), ("en", 99), ("en", 3), ("nobody", 2)]
        store.commit(Batch(came=[("en", 4, b"four", 70.0)], went=went))
        store.commit(Batch(came=[("en", 2, b"two", 40.0), ("no", 2, b"", 80.0)]))
        waits = [("en", 2, b"two", 40.0), ("no", 3, b"three", 60.0), ("no", 2, b"", 80.0)]
        assert store.waiting() == waits
    with opened(tmp_path / "a.db") as store:
        assert store.waiting() == waits


def test_marks_are_the_last_said(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        store.commit(Batch(marks={"en": "1", "no": ""}))
        store.commit(Batch(marks={"en": "2"}))
    with opened(tmp_path / "a.db") as store:
        assert store.marks() == {"en": "2", "no": ""}


def test_what_was_not_told_for_a_while_is_unknown_of_that_quarter_and_that_day_only(tmp_path: Path) -> None:
    first, then = Calendar("Europe/Oslo").quarter(NOON), Calendar("Europe/Oslo").quarter(NOON) + 900
    with opened(tmp_path / "a.db") as store:
        for quarter, names in ((first, {"left", "talk_s"}), (first, {"joined"}), (then, set()), (then + 86400, set())):
            untold = {("en", quarter): frozenset(names)} if names else {}
            store.commit(Batch({("en", quarter): {"answered": 1}}, untold=untold, at_s=quarter))
        told = [row.untold for _, row in store.quarters("en", 0, 2**40)]
        assert told == [{"left", "talk_s", "joined"}, set(), set()]
        days = [row.untold for _, row in store.days("en", dt.date(2000, 1, 1), dt.date(2100, 1, 1))]
        assert days == [{"left", "talk_s", "joined"}, set()]
        assert store.totals("en", 0, 2**40).untold == {"left", "talk_s", "joined"}


def test_an_empty_batch_says_when_it_was(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        assert store.newest_s() is None
        store.commit(Batch(at_s=NOON))
        assert store.newest_s() == NOON


def test_the_salt_is_made_once_for_each_file(tmp_path: Path) -> None:
    salts = []
    for name in ("a.db", "b.db", "a.db"):
        with opened(tmp_path / name) as store:
            salts.append(store.salt())
    assert len(salts[0]) == 16
    assert salts[0] == salts[2] != salts[1]


def test_a_name_that_nobody_counts_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store, pytest.raises(ValueError, match="joinde"):
        store.commit(Batch(counts("en", NOON, joinde=1)))


events = st.lists(
    st.tuples(
        st.sampled_from(("en", "no")),
        st.floats(NOON - 2 * 86400, NOON + 2 * 86400),
        st.sampled_from(COUNTED),
        st.integers(0, 50),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(events, st.lists(st.integers(0, 30), max_size=4))
def test_however_it_is_cut_into_batches_days_are_the_sum_of_their_quarters(
    events: list[tuple[str, float, str, int]], cuts: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder) / "a.db") as store:
        edges = [0, *sorted(cuts), len(events)]
        for begin, end in itertools.pairwise(edges):
            batch = Batch()
            for queue, at_s, name, amount in events[begin:end]:
                amounts = batch.counts.setdefault((queue, OSLO.quarter(at_s)), {})
                before = amounts.get(name, 0)
                amounts[name] = max(before, amount) if name in LONGEST else before + amount
            store.commit(batch)
        for queue in ("en", "no"):
            date = dt.date(2026, 5, 29)
            while date < dt.date(2026, 6, 5):
                from_s, to_s = OSLO.day_bounds(date)
                expected = Totals()
                for where, at_s, name, amount in events:
                    if where == queue and from_s <= at_s < to_s:
                        expected.add(name, amount)
                assert store.day(queue, date) == store.totals(queue, from_s, to_s) == expected
                date += DAY


# Killed at any moment -------------------------------------------------------------


def truth(n: int) -> tuple[dict[str, Totals], list[int]]:
    """(totals of each queue, who waits) after batch n, counted call by call."""
    totals = {queue: Totals(seen_s=(n + 1) * store_writer.STEP_S) for queue in store_writer.QUEUES}
    waiting = []
    for call in (call for number in range(n + 1) for call in store_writer.calls(number)):
        here = totals[call.queue]
        here.joined += 1
        if call.ended > n:
            waiting.append(call.number)
        elif call.corrected and call.ended < n:
            here.answered += 1
            here.answered_wait_s += call.wait_s
        else:
            here.add(call.how, 1)
    return totals, waiting


def check_against_truth(reader: Reader) -> int:
    """Compares all that is in a file with the truth of its newest batch, which is returned."""
    n = int(reader.marks().get(store_writer.QUEUES[0], -1))
    totals, waiting = truth(n)
    for queue in store_writer.QUEUES if n >= 0 else ():
        assert reader.totals(queue, 0, float("inf")) == totals[queue]
        days = Totals()
        for _, day in reader.days(queue, dt.date.min, dt.date.max):
            for name in COUNTED:
                days.add(name, getattr(day, name))
        assert days == totals[queue]
    assert sorted(call for _, call, _, _ in reader.waiting()) == waiting
    assert reader.newest_s() == (store_writer.at_s(n) if n >= 0 else None)
    return n


# In one statement, which sees one state of the file: who came less who went less who waits.
UNEXPLAINED = " UNION ALL ".join(
    f"SELECT coalesce(sum(joined - ({ENDS_SQL})), 0) - (SELECT count(*) FROM waiting) FROM {table}"
    for table in ("quarters", "days")
)


def watch(path: Path, for_s: float) -> None:
    """Looks at a file while it is written: at every moment the sums are right."""
    end_s = time.monotonic() + for_s
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        while time.monotonic() < end_s:
            assert db.execute(UNEXPLAINED).fetchall() == [(0,), (0,)]
            time.sleep(0.004)
    finally:
        db.close()


class Nursery:
    """The program that starts the writers, one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.store_writer"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def kill_one(self, path: Path, chance: random.Random) -> tuple[int | None, int | None]:
        """Starts a writer, kills it at a random moment: (the last batch it began, the last it had done)."""
        assert self._process.stdin
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        said: dict[str, int] = {}
        self._listen("pid", said)
        try:
            if chance.random() < 0.25:
                time.sleep(chance.uniform(0, 0.02))  # while it makes the file, or repairs it
            else:
                self._listen("about", said)
                watch(path, chance.uniform(0, 0.05))
        finally:
            os.kill(said["pid"], signal.SIGKILL)
        self._listen("ended", said)
        assert said["ended"] == -signal.SIGKILL, "it ended by itself"
        return said.get("about"), said.get("done")

    def _listen(self, until: str, said: dict[str, int]) -> None:
        """Reads until a word has been said; each word's newest number."""
        assert self._process.stdout
        while until not in said:
            line = self._process.stdout.readline()
            assert line, "the nursery has ended"
            word, number = line.split()
            said[word] = int(number)

    def close(self) -> None:
        self._process.communicate()


def kill_many(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Kills writers of one file after another; how often each kind of moment was met."""
    with contextlib.closing(Nursery()) as nursery:
        return kill_with(nursery, folder, kills, seed)


def kill_with(nursery: Nursery, folder: Path, kills: int, seed: int) -> Counter[str]:
    chance, met, n, path = random.Random(seed), Counter[str](), -1, folder
    for kill in range(kills):
        if kill % KILLS_A_FILE == 0:
            path, n = folder / f"{seed}-{kill}.db", -1
        about, done = nursery.kill_one(path, chance)
        if n < 0 or chance.random() < 0.5:
            with opened(path, CALENDAR) as store:
                kept = check_against_truth(store)
        else:  # leaves it to the next writer to clean up
            with read(path, CALENDAR) as reader:
                kept = check_against_truth(reader)
        committed = n if done is None else done
        assert kept in (committed, about if about is not None else n), f"seed {seed}, kill {kill}"
        moment = "before the first" if about is None else "between two" if about == done else "inside"
        met[moment if moment != "inside" else "kept" if kept == about else "not kept"] += 1
        n = kept
        if (kill + 1) % KILLS_A_FILE == 0:
            db = sqlite3.connect(path)
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            db.close()
    return met


def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seeds {seed} to {seed + LANES - 1}")
    with ThreadPoolExecutor(LANES) as lanes:
        met = sum(
            lanes.map(lambda lane: kill_many(tmp_path, KILLS // LANES, seed + lane), range(LANES)),
            Counter[str](),
        )
    print(dict(met))
    assert met.total() == KILLS
    assert met["kept"] + met["not kept"] > KILLS // 4, "the kills met no commit under way"


# Refused in words, and left as it was ---------------------------------------------


def test_there_is_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path):
        with pytest.raises(StoreError, match=r"a\.db: another gateway writes in it; end that one"):
            Store(path, OSLO, KEEP)
        with read(path, OSLO) as reader:
            assert reader.newest_s() is None
    with opened(path) as store:
        store.commit(Batch(at_s=1))


def test_a_writer_that_has_not_quite_gone_yet_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    before = Store(path, OSLO, KEEP)
    with ThreadPoolExecutor(1) as other:
        opening = other.submit(lambda: Store(path, OSLO, KEEP, wait_s=5).close())
        with pytest.raises(TimeoutError):
            opening.result(0.1)  # it does not give up at once
        before.close()
        opening.result(5)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        store.commit(Batch(at_s=1))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600, "a.db-lock": 0o600}


def test_every_commit_is_on_the_disk_before_it_returns(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def of_something_else(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE recipes (name); INSERT INTO recipes VALUES ('rømmegrøt')")


def of_a_newer_version(path: Path) -> None:
    with opened(path) as store:
        store.commit(Batch(counts("en", NOON, joined=1)))
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 7")


def of_text(path: Path) -> None:
    path.write_text("Not a database, but somebody's letter, and a long one. " * 40)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (of_something_else, "a database of something else; name another file as path in [history]"),
        (of_a_newer_version, "written by a newer version of this program (7, this knows 1)"),
        (of_text, "no file of ours: move it away"),
    ],
)
def test_a_file_that_is_not_ours_is_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    path = tmp_path / "a.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(StoreError) as written:
        Store(path, OSLO, KEEP)
    with pytest.raises(StoreError) as readable, read(path, OSLO):
        pass
    for error in (written, readable):
        assert str(error.value).startswith(f"{path}: ")
        assert words in str(error.value)
    assert path.read_bytes() == before


def test_no_folder_and_a_folder_in_its_place(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "a.db", tmp_path):
        with pytest.raises(StoreError, match="is its folder there"):
            Store(path, OSLO, KEEP)
        with pytest.raises(StoreError, match="there is no such file"), read(path, OSLO):
            pass


def test_nothing_to_read_yet(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"), read(tmp_path / "a.db", OSLO):
        pass
    (tmp_path / "a.db").touch()
    with pytest.raises(StoreError, match="holds nothing yet"), read(tmp_path / "a.db", OSLO):
        pass
    assert (tmp_path / "a.db").read_bytes() == b""


def test_an_empty_file_is_taken_as_new(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    with opened(tmp_path / "a.db") as store:
        store.commit(Batch(counts("en", NOON, joined=1), at_s=NOON))
        assert store.day("en", dt.date(2026, 6, 1)).joined == 1


def test_a_path_with_signs_that_mean_something_in_an_address(tmp_path: Path) -> None:
    path = tmp_path / "50% of #1? ja.db"
    with opened(path) as store:
        store.commit(Batch(at_s=5))
    with read(path, OSLO) as reader:
        assert reader.newest_s() == 5
    assert path.exists()


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as store:
        for n in range(200):
            store.commit(Batch(counts("en", NOON + n * 900, joined=1)))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    damaged = path.read_bytes()
    with pytest.raises(StoreError, match="it is damaged: stop the gateway"), opened(path) as store:
        store.totals("en", 0, NOON * 2)
    assert path.read_bytes() == damaged


def test_a_file_from_before_a_total_was_counted_gets_its_column(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as store:
        store.commit(Batch(counts("en", NOON, joined=3, lost_short=2), at_s=NOON))
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(
            "ALTER TABLE quarters DROP COLUMN lost_short; ALTER TABLE days DROP COLUMN lost_short;"
            "ALTER TABLE days DROP COLUMN talk_s"
        )
    with read(path, OSLO) as reader:
        assert reader.day("en", dt.date(2026, 6, 1)).joined == 3
    with opened(path) as store:
        store.commit(Batch(counts("en", NOON, joined=1, lost_short=1, talk_s=4.5), at_s=NOON))
        expected = Totals(joined=4, lost_short=1, talk_s=4.5)
        assert store.day("en", dt.date(2026, 6, 1)) == store.totals("en", NOON, NOON + 1) == expected


def test_a_batch_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    batch = Batch(counts("en", NOON, joined=1) | counts("no", NOON, talk_s=float("nan")), at_s=NOON)
    with opened(tmp_path / "a.db") as store:
        with pytest.raises(StoreError, match="a count is not a number"):
            store.commit(batch)
        assert store.totals("en", 0, NOON * 2) == Totals()
        batch.counts["no", int(NOON)]["talk_s"] = 2.0
        store.commit(batch)
        assert store.totals("en", 0, NOON * 2) == store.day("en", OSLO.day(NOON)) == Totals(joined=1)


def test_held_by_another_program_a_commit_fails_and_counts_once_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "BUSY_S", 0.05)
    batch = Batch(counts("en", NOON, joined=1), came=[("en", 1, b"k", NOON)], at_s=NOON)
    with opened(tmp_path / "a.db") as store, contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            with pytest.raises(StoreError, match="another program holds it: close that one"):
                store.commit(batch)
        other.rollback()
        assert store.newest_s() is None
        store.commit(batch)
        assert store.day("en", dt.date(2026, 6, 1)) == Totals(joined=1)


def test_a_full_database_says_so(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        store.commit(batch := Batch(counts("en", NOON, joined=1), at_s=NOON))
        store._db.execute("PRAGMA max_page_count = 1")
        full = Batch({(f"q{n}", int(NOON)): {"joined": 1} for n in range(200)}, at_s=NOON + 1)
        with pytest.raises(StoreError, match="the disk is full: make room there"):
            store.commit(full)
        assert store.queues() == ["en"]
        assert store.newest_s() == batch.at_s
        store._db.execute("PRAGMA max_page_count = 100000")
        store.commit(full)
        assert store.day("q7", dt.date(2026, 6, 1)) == Totals(joined=1)
        assert store.day("en", dt.date(2026, 6, 1)) == Totals(joined=1)


# The system itself refuses to write on, at every size of the log in turn; then it does not any more.
NO_ROOM = """
import resource, sys
from pathlib import Path
from gateway.store import Store, StoreError
from tests import store_writer as load

path = Path(sys.argv[1])
store = Store(path, load.CALENDAR, load.Keep())
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
n = refused = 0
while refused < 300:
    wal = Path(f"{path}-wal").stat().st_size if n else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal + refused * 61 % 4200 if refused % 3 else 32768, hard))
    try:
        store.commit(load.batch(n))
        n += 1
    except StoreError as error:
        refused += 1
        assert "the disk" in str(error), error
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    if refused % 2 or n == 0:
        store.commit(load.batch(n))
        n += 1
store.close()
print(n - 1)
"""


def test_a_disk_without_room_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    command = [sys.executable, "-c", NO_ROOM, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with read(path, CALENDAR) as reader:
        assert check_against_truth(reader) == int(done.stdout)
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# Root may write anywhere; so the process gives up all that root may do beyond its files' modes.
NO_RIGHTS = """
import ctypes, os, sys
from pathlib import Path
from gateway.store import Batch, Store, StoreError
from tests import store_writer as load

path = Path(sys.argv[1])
head = (ctypes.c_uint32 * 2)(0x20080522, 0)
assert ctypes.CDLL(None).capset(head, (ctypes.c_uint32 * 6)()) == 0
os.chmod(path, int(sys.argv[2], 8))
os.chmod(path.parent, int(sys.argv[3], 8))
try:
    Store(path, load.CALENDAR, load.Keep()).commit(Batch(at_s=9))
except StoreError as error:
    print(error)
finally:
    os.chmod(path.parent, 0o700)
"""


@pytest.mark.parametrize(
    ("file", "folder", "words"),
    [
        ("600", "500", "may this user read and write"),
        ("400", "700", "may not be written"),
        ("000", "700", "may this user read and write"),
    ],
)
def test_without_the_right_to_write(tmp_path: Path, file: str, folder: str, words: str) -> None:
    path = tmp_path / "kept" / "a.db"
    path.parent.mkdir(mode=0o700)
    with opened(path) as store:
        store.commit(Batch(counts("en", NOON, joined=1), at_s=NOON))
    (path.parent / "a.db-lock").unlink()
    command = [sys.executable, "-c", NO_RIGHTS, str(path), file, folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{path}: ")
    assert words in done.stdout
    path.chmod(0o600)
    with opened(path) as store:
        assert store.newest_s() == NOON
        assert store.day("en", dt.date(2026, 6, 1)) == Totals(joined=1)


# Read while it is written ---------------------------------------------------------


def test_readers_in_other_threads_see_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path, CALENDAR) as store:
        store.commit(store_writer.batch(0))
        with ThreadPoolExecutor(2) as readers:
            watching = [readers.submit(watch, path, 0.5) for _ in range(2)]
            n = 0
            while not all(watched.done() for watched in watching):
                n += 1
                store.commit(store_writer.batch(n))
        for watched in watching:
            watched.result()
        with read(path, CALENDAR) as reader:
            assert check_against_truth(reader) == n > 10


def test_the_log_beside_the_file_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path, CALENDAR) as store, read(path, OSLO) as reader:
        largest = 0
        for n in range(1500):
            store.commit(store_writer.batch(n))
            if n % 100 == 0:
                reader.quarters("norsk", 0, NOON * 2)
                largest = max(largest, os.path.getsize(f"{path}-wal"))
    assert 0 < largest < 2 * store_module.WAL_BYTES


# Gaps -----------------------------------------------------------------------------


def seen(store: Store, at_s: float, seen_s: float = QUARTER_S) -> None:
    store.commit(Batch(counts("en", at_s, seen_s=seen_s), at_s=at_s + seen_s))


def test_the_time_away_is_a_gap(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        store.commit(Batch(at_s=NOON))
        for n in range(3):
            seen(store, NOON + n * 900)
        seen(store, NOON + 3 * 900, 400)  # then it was away
        seen(store, NOON + 6 * 900, 850)  # and came back
        seen(store, NOON + 7 * 900, 885)
        seen(store, NOON + 8 * 900, 100)
        to_s = NOON + 8 * 900 + 110
        gap = (NOON + 3 * 900, NOON + 7 * 900, 500 + 900 + 900 + 50)
        assert store.gaps("en", NOON - 86400, to_s) == [gap]
        assert store.gaps("en", NOON + 5 * 900 + 100, to_s) == [(NOON + 5 * 900, gap[1], 950)]
        assert store.gaps("en", NOON, NOON + 4 * 900) == [(gap[0], NOON + 4 * 900, 500)]
        assert store.gaps("en", NOON, NOON + 5 * 900 + 60) == [(gap[0], NOON + 5 * 900 + 60, 500 + 900 + 60)]
        assert store.gaps("en", to_s, NOON) == []
        assert store.gaps("no", NOON, NOON + 1800) == [(NOON, NOON + 1800, 1800)]


def test_before_the_first_commit_there_is_no_gap(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        assert store.gaps("en", 0, NOON) == []
        # A caller was found who has waited since an hour ago.
        store.commit(Batch(counts("en", NOON - 3600, joined=1), at_s=NOON + 400))
        store.commit(Batch(counts("en", NOON, seen_s=500), at_s=NOON + 900))
        assert store.gaps("en", NOON - 86400, NOON + 900) == []
        assert store.gaps("en", NOON - 86400, NOON + 1800) == [(NOON + 900, NOON + 1800, 900)]


def test_a_closed_house_has_no_gaps(tmp_path: Path) -> None:
    calendar = Calendar("Europe/Oslo", hours=("mon-fri 08:00-20:00",))
    with opened(tmp_path / "a.db", calendar) as store:
        monday = dt.datetime.fromisoformat("2026-06-01T00:00+02:00").timestamp()
        store.commit(Batch(at_s=monday))
        whole = store.gaps("en", monday, monday + 7 * 86400)
        assert whole == [
            (monday + day * 86400 + 8 * 3600, monday + day * 86400 + 20 * 3600, 12 * 3600) for day in range(5)
        ]


def test_a_gap_over_the_hour_that_is_there_twice(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        from_s, to_s = OSLO.day_bounds(dt.date(2026, 10, 25))
        store.commit(Batch(at_s=from_s))
        assert store.gaps("en", from_s, to_s) == [(from_s, to_s, 25 * 3600)]


# Retention ------------------------------------------------------------------------


def test_what_is_too_old_is_forgotten(tmp_path: Path) -> None:
    keep = Keep(quarters_days=10, days_days=30)
    with opened(tmp_path / "a.db", keep=keep) as store:
        sizes = set()
        for day in range(100):
            at_s = NOON + day * 86400
            came = [("en", day, b"k", at_s)]
            for hour in range(0, 24, 6):
                store.commit(Batch(counts("en", at_s + hour * 3600, joined=1), came, at_s=at_s))
            store.forget(at_s)
            if day >= 60:
                rows = [
                    store._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                    for table in ("quarters", "days", "waiting")
                ]
                sizes.add(tuple(rows))
        assert sizes == {(4 * 11 + 2, 32, 2)}  # 18:00 to 06:00 are of the days that follow; the first is kept whole
        assert store.forget(at_s) == 0
        assert store.quarters("en", 0, NOON * 2)[0][0] == at_s - (10 * 24 + 12) * 3600
        assert store.days("en", dt.date.min, dt.date.max)[0][0] == OSLO.day(at_s) - 30 * DAY
        assert store.forget(at_s + 86400) == 4 + 1 + 1
        assert store.gaps("en", 0, at_s)[0][0] == at_s - (9 * 24 + 12) * 3600
        assert store.forget(at_s + 400 * 86400) > 0
        assert not store.queues() + store.waiting() + store.quarters("en", 0, NOON * 2)
        assert len(store.salt()) == 16
