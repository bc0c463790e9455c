"""What is kept for good: how much was counted in each queue, by quarters of an hour and by days, in SQLite.

One file a site, one writer; readers are other connections, in other threads or programs. A batch is
one transaction, on the disk when `commit` returns: a gateway that is killed has either all of a batch
or nothing of it. A file that is not ours, or of a newer version than this, is left as it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import this_computer
from gateway.days import QUARTER_S, Calendar
from gateway.queues.totals import COUNTED, LONGEST, Totals

APPLICATION = 0x43464C52  # "CFLR": says in the file's head whose it is
VERSION = 1  # of the tables; a total more in COUNTED needs no other, its column is added
BUSY_S = 2.0  # how long another program that holds the file is waited for
WAL_BYTES = 4 * 2**20  # what the log beside the file shrinks to again
WAITING_S = 24 * 3600  # one who has waited so long is not there any more
UNSEEN_S = 20.0  # so much of a quarter may be unseen before it is a gap
SALT_BYTES = 16

TRY = {
    sqlite3.SQLITE_NOTADB: "this is no file of ours: move it away, or name another as path in [history]",
    sqlite3.SQLITE_CORRUPT: "it is damaged: stop the gateway, move it and its -wal away and keep them; "
    "`sqlite3 FILE .recover` saves what can be read",
    sqlite3.SQLITE_FULL: "the disk is full: make room there",
    sqlite3.SQLITE_READONLY: "it may not be written: give it and its folder to the user that runs the gateway",
    sqlite3.SQLITE_PERM: "it may not be used: give it and its folder to the user that runs the gateway",
    sqlite3.SQLITE_CANTOPEN: "is its folder there, and may this user read and write in it?",
    sqlite3.SQLITE_BUSY: "another program holds it: close that one",
    sqlite3.SQLITE_LOCKED: "another program holds it: close that one",
    sqlite3.SQLITE_CONSTRAINT: "a count is not a number: that is a mistake of a source or of ours, report it",
    sqlite3.SQLITE_IOERR: "the disk does not do what it should: is it full, or failing? `dmesg` may tell",
}


class StoreError(Exception):
    """The file of totals cannot be used now; the text says what, where and what to try."""


class Keep(Protocol):
    """How long things are kept; floorplan.History is one."""

    @property
    def quarters_days(self) -> int: ...
    @property
    def days_days(self) -> int: ...


class KeptMessage(NamedTuple):
    """What supervisors tell on the walls; nothing of who wrote it."""

    id: str
    text: str
    walls: tuple[str, ...]
    from_s: float  # epoch seconds, as until_s
    until_s: float


@dataclass(slots=True)
class Batch:
    """What is committed together. Of a call in both `came` and `went` nothing is left.

    A call is a number of its queue: two sources may use the same one.
    """

    # (queue, where its quarter begins) → a name of COUNTED → how much more; the longest, for those of LONGEST
    counts: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)
    # who waits now: queue, call, key, since; and who of them waits no longer: queue, call
    came: list[tuple[str, int, bytes, float]] = field(default_factory=list)
    went: list[tuple[str, int]] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)  # queue → its source's own state
    messages: list[KeptMessage] | None = None  # all that stand now; None: as before
    # queue, quarter → names of COUNTED that its source could not tell then
    untold: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    at_s: float = 0.0


class Reader:
    """What stands in the file of totals. Each method reads what is there now. Raises StoreError.

    Made by `read`; a Store is one too.
    """

    def __init__(self, path: Path, calendar: Calendar, db: sqlite3.Connection):
        self.path = path
        self.calendar = calendar
        self._db = db
        with _in_words(path, "be read"):
            self._names = [name for name in COUNTED if name in _columns(db, "days")]

    def quarters(self, queue: str, from_s: float, to_s: float) -> list[tuple[int, Totals]]:
        """(begin, totals) of each quarter that begins from `from_s` until before `to_s` and has a row."""
        rows = self._rows("quarters", "start", "start >= ? AND start < ?", (queue, from_s, to_s))
        return [(int(start), totals) for start, totals, _ in rows]

    def days(self, queue: str, first: dt.date, last: dt.date) -> list[tuple[dt.date, Totals]]:
        """(date, totals) of each day from `first` to `last` that has a row."""
        return [(date, totals) for date, totals, _ in self.days_seen(queue, first, last)]

    def days_seen(self, queue: str, first: dt.date, last: dt.date) -> list[tuple[dt.date, Totals, float]]:
        """(date, totals, seconds seen inside opening hours), as `days`."""
        between = (queue, first.isoformat(), last.isoformat())
        rows = self._rows("days", "day", "day >= ? AND day <= ?", between)
        return [(dt.date.fromisoformat(day), totals, seen_s) for day, totals, seen_s in rows]

    def day(self, queue: str, date: dt.date) -> Totals:
        """A day's totals; all 0 where it has no row."""
        return next((totals for _, totals in self.days(queue, date, date)), Totals())

    def totals(self, queue: str, from_s: float, to_s: float) -> Totals:
        """The totals of all quarters from `from_s` until before `to_s` together."""
        together = Totals()
        for _, totals in self.quarters(queue, from_s, to_s):
            for name in COUNTED:
                together.add(name, getattr(totals, name))
            together.untold |= totals.untold
        return together

    def gaps(self, queue: str, from_s: float, to_s: float) -> list[tuple[float, float, float]]:
        """(from_s, to_s, unseen seconds): when the queue could not be seen though the house was open.

        In quarters; neighbours are one gap. Before the file's first commit there is none, and of the
        quarter that `to_s` is in, only what has gone by is looked at.
        """
        kept = self._kept("from_s")
        if kept is None:
            return []
        from_s = max(self.calendar.quarter(from_s), float(kept))
        seen = {start: totals.seen_s for start, totals in self.quarters(queue, from_s - QUARTER_S, to_s)}
        gaps: list[tuple[float, float, float]] = []
        for start in range(self.calendar.quarter(from_s), int(to_s) + 1, QUARTER_S):
            begin, end = max(start, from_s), min(start + QUARTER_S, to_s)
            unseen_s = self.calendar.open_s(begin, end) - seen.get(start, 0.0)
            if unseen_s <= UNSEEN_S:
                continue
            if gaps and gaps[-1][1] == begin:
                begin, _, before_s = gaps.pop()
                unseen_s += before_s
            gaps.append((begin, end, unseen_s))
        return gaps

    def waiting(self) -> list[tuple[str, int, bytes, float]]:
        """(queue, call, key, since) of who waits, the longest first."""
        return self._all("SELECT queue, call, key, since FROM waiting ORDER BY since, queue, call")

    def marks(self) -> dict[str, str]:
        """queue → the mark that was committed last."""
        return dict(self._all("SELECT queue, mark FROM sources WHERE mark IS NOT NULL"))

    def messages(self) -> list[KeptMessage]:
        """What stood on the walls at the newest commit, the oldest first."""
        rows = self._all("SELECT id, said, walls, from_s, until_s FROM messages ORDER BY from_s, id")
        return [KeptMessage(row[0], row[1], tuple(row[2].split()), row[3], row[4]) for row in rows]

    def newest_s(self) -> float | None:
        """`at_s` of the newest commit; None before the first."""
        newest_s = self._kept("newest_s")
        return None if newest_s is None else float(newest_s)

    def begun_s(self) -> float | None:
        """`at_s` of the file's first commit; None before it. What was before is nobody's gap."""
        begun_s = self._kept("begun_s")
        return None if begun_s is None else float(begun_s)

    def salt(self) -> bytes:
        """16 random bytes made with the file, for making keys of calls unreadable."""
        salt = self._kept("salt")
        if not isinstance(salt, bytes):
            raise StoreError(f"{self.path}: its salt is missing; {TRY[sqlite3.SQLITE_CORRUPT]}")
        return salt

    def queues(self) -> list[str]:
        """The queues that anything is kept of."""
        return [name for (name,) in self._all("SELECT DISTINCT queue FROM days ORDER BY queue")]

    def first_quarter(self, queue: str) -> int | None:
        """Where the oldest quarter kept of a queue begins."""
        start = self._one("SELECT min(start) FROM quarters WHERE queue = ?", (queue,))
        return None if start is None else int(start)

    def first_day(self, queue: str) -> dt.date | None:
        """The oldest day kept of a queue."""
        day = self._one("SELECT min(day) FROM days WHERE queue = ?", (queue,))
        return None if day is None else dt.date.fromisoformat(day)

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    def _rows(
        self, table: str, key: str, where: str, values: tuple[object, ...]
    ) -> list[tuple[Any, Totals, float]]:
        """(key, totals, seconds seen inside opening hours) of a queue's rows, in order."""
        open_seen = "open_seen_s" if table == "days" else "0.0"
        rows = self._all(
            f"SELECT {key}, {open_seen}, untold, {', '.join(self._names)} FROM {table} "
            f"WHERE queue = ? AND {where} ORDER BY {key}",
            values,
        )
        return [
            (row[0], Totals(**dict(zip(self._names, row[3:], strict=True)), untold=_names_of(row[2])), row[1])
            for row in rows
        ]

    def _all(self, select: str, values: tuple[object, ...] = ()) -> list[Any]:
        with _in_words(self.path, "be read"):
            return self._db.execute(select, values).fetchall()

    def _one(self, select: str, values: tuple[object, ...]) -> Any:
        """The first value of the first row; None without one."""
        rows = self._all(select, values)
        return rows[0][0] if rows else None

    def _kept(self, name: str) -> Any:
        return self._one("SELECT value FROM kept WHERE name = ?", (name,))


@contextlib.contextmanager
def read(path: Path, calendar: Calendar) -> Iterator[Reader]:
    """The file of totals, for reading only, whether or not a gateway writes in it. Raises StoreError."""
    if not path.is_file():
        raise StoreError(f"{path}: there is no such file; the gateway makes it when it is started")
    with _in_words(path, "be read"):
        db = _connect(f"{path.absolute().as_uri()}?mode=ro")
    try:
        with _in_words(path, "be read"):
            if _is_new(path, db):
                raise StoreError(f"{path}: it holds nothing yet; the gateway fills it when it is started")
        yield Reader(path, calendar, db)
    finally:
        db.close()


def look(path: Path) -> None:
    """Raises StoreError where totals cannot be kept, as far as it shows without making or changing a file."""
    with _in_words(path, "be read"):
        if not path.parent.is_dir():
            raise StoreError(
                f"{path}: there is no folder {path.parent}; make it, or name another in [history]"
            )
        if not path.exists():
            return
        if not path.is_file():
            raise StoreError(f'{path}: this is no file; name one: [history] path = "totals.db"')
        # SQLite makes files beside the first reader of a WAL, but not where it may take the file as it is.
        alone = "" if Path(f"{path}-shm").exists() else "&immutable=1"
        with contextlib.closing(_connect(f"{path.absolute().as_uri()}?mode=ro{alone}")) as db:
            _is_new(path, db)


class Store(Reader):
    """The one writer of a file of totals, which is made where there is none.

    To be used by one thread at a time. What fails leaves the file as it was: the same batch can be
    committed again. Raises StoreError; where another writes in it, after `wait_s`.
    """

    def __init__(self, path: Path, calendar: Calendar, keep: Keep, wait_s: float = 0.0):
        self._keep = keep
        self._lock = _claim(path, wait_s)
        try:
            with _in_words(path, "be opened"):
                db = _open(path)
            super().__init__(path, calendar, db)
        except BaseException:
            os.close(self._lock)
            raise

    def commit(self, batch: Batch) -> None:
        """Puts a batch on the disk. Raises StoreError, and then nothing of it has been kept."""
        quarters, days = [], []
        for (queue, quarter), amounts in batch.counts.items():
            if unknown := amounts.keys() - set(COUNTED):
                raise ValueError(f"nothing is counted by the name of {', '.join(sorted(unknown))}")
            untold = _bits(batch.untold.get((queue, quarter), ()))
            row = [untold, *(amounts.get(name, 0) for name in COUNTED)]
            open_seen_s = amounts.get("seen_s", 0.0) if self.calendar.is_open(quarter) else 0.0
            quarters.append((queue, quarter, *row))
            days.append((queue, self.calendar.day(quarter).isoformat(), open_seen_s, *row))
        with self._transaction("be written") as db:
            db.executemany(ADD_QUARTER, quarters)
            db.executemany(ADD_DAY, days)
            db.executemany(
                "INSERT OR REPLACE INTO waiting (queue, call, key, since) VALUES (?, ?, ?, ?)", batch.came
            )
            db.executemany("DELETE FROM waiting WHERE queue = ? AND call = ?", batch.went)
            db.executemany(SET_MARK, batch.marks.items())
            if batch.messages is not None:
                db.execute("DELETE FROM messages")
                rows = [(row.id, row.text, " ".join(row.walls), *row[3:]) for row in batch.messages]
                db.executemany("INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?)", rows)
            for begun in ("from_s", "begun_s"):
                db.execute("INSERT OR IGNORE INTO kept (name, value) VALUES (?, ?)", (begun, batch.at_s))
            db.execute("INSERT OR REPLACE INTO kept (name, value) VALUES ('newest_s', ?)", (batch.at_s,))

    def forget(self, now_s: float) -> int:
        """Deletes what has been kept for long enough; how many rows. Only for a `now_s` that is believed."""
        first = self.calendar.day(now_s) - dt.timedelta(days=self._keep.quarters_days)
        quarters_from_s = self.calendar.day_bounds(first)[0]  # no day is kept by half
        first_day = self.calendar.day(now_s) - dt.timedelta(days=self._keep.days_days)
        with self._transaction("be written") as db:
            gone = db.execute("DELETE FROM quarters WHERE start < ?", (quarters_from_s,)).rowcount
            gone += db.execute("DELETE FROM days WHERE day < ?", (first_day.isoformat(),)).rowcount
            gone += db.execute("DELETE FROM waiting WHERE since < ?", (now_s - WAITING_S,)).rowcount
            gone += db.execute("DELETE FROM messages WHERE until_s < ?", (now_s,)).rowcount
            db.execute("UPDATE kept SET value = max(value, ?) WHERE name = 'from_s'", (quarters_from_s,))
        return gone

    def close(self) -> None:
        """Lets go of the file; another may write in it then."""
        super().close()
        os.close(self._lock)

    @contextlib.contextmanager
    def _transaction(self, doing: str) -> Iterator[sqlite3.Connection]:
        with _in_words(self.path, doing), _transaction(self._db):
            yield self._db


def _bits(names: Iterable[str]) -> int:
    """Names of COUNTED as one number, a bit each by its place there."""
    return sum(1 << COUNTED.index(name) for name in names)


def _names_of(bits: int) -> frozenset[str]:
    return frozenset(name for place, name in enumerate(COUNTED) if bits >> place & 1)


def _add_up(table: str, keys: tuple[str, ...], names: tuple[str, ...]) -> str:
    """The statement that adds one row's amounts to what there is."""
    how = {"untold": "{0} | excluded.{0}", **dict.fromkeys(LONGEST, "max({0}, excluded.{0})")}
    sums = (f"{name} = " + how.get(name, "{0} + excluded.{0}").format(name) for name in names)
    columns = (*keys, *names)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
        f"ON CONFLICT DO UPDATE SET {', '.join(sums)}"
    )


ADD_QUARTER = _add_up("quarters", ("queue", "start"), ("untold", *COUNTED))
ADD_DAY = _add_up("days", ("queue", "day"), ("open_seen_s", "untold", *COUNTED))
SET_MARK = (
    "INSERT INTO sources (queue, mark) VALUES (?, ?) ON CONFLICT (queue) DO UPDATE SET mark = excluded.mark"
)

# The columns of COUNTED are added to the first two by `_make`.
TABLES = (
    "quarters (queue TEXT, start INTEGER, untold INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (queue, start)) "
    "WITHOUT ROWID",
    "days (queue TEXT, day TEXT, open_seen_s REAL NOT NULL DEFAULT 0, "
    "untold INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (queue, day)) WITHOUT ROWID",
    "waiting (queue TEXT, call INTEGER, key BLOB NOT NULL, since REAL NOT NULL, PRIMARY KEY (queue, call)) "
    "WITHOUT ROWID",
    "sources (queue TEXT PRIMARY KEY, mark TEXT) WITHOUT ROWID",
    "kept (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    "messages (id TEXT PRIMARY KEY, said TEXT NOT NULL, walls TEXT NOT NULL, from_s REAL NOT NULL, "
    "until_s REAL NOT NULL) WITHOUT ROWID",
)


def _open(path: Path) -> sqlite3.Connection:
    """A connection that writes; the file and its tables are made where they are missing."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = _connect(path.absolute().as_uri())
    try:
        new = _is_new(path, db)
        if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise StoreError(
                f"{path}: this disk cannot do what is needed (WAL); put it on one of this computer"
            )
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        with _transaction(db):
            _make(db, new)
    except BaseException:
        db.close()
        raise
    return db


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _is_new(path: Path, db: sqlite3.Connection) -> bool:
    """Whether the file holds nothing yet. Raises StoreError for one that is not ours to touch."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (application, version, tables) == (0, 0, 0):
        return True
    if application != APPLICATION:
        raise StoreError(
            f"{path}: this is a database of something else; name another file as path in [history]"
        )
    if version > VERSION:
        raise StoreError(
            f"{path}: it was written by a newer version of this program ({version}, this knows {VERSION}); "
            "run that one, or name another file as path in [history]"
        )
    return False


def _make(db: sqlite3.Connection, new: bool) -> None:
    """Makes the tables and columns that are missing."""
    for table in TABLES:
        db.execute(f"CREATE TABLE IF NOT EXISTS {table}")
    for table in ("quarters", "days"):
        there = _columns(db, table)
        for name in COUNTED:
            if name not in there:
                kind = "INTEGER" if isinstance(getattr(Totals(), name), int) else "REAL"
                db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind} NOT NULL DEFAULT 0")
    if new:
        salt = secrets.token_bytes(SALT_BYTES)
        db.execute("INSERT INTO kept (name, value) VALUES ('salt', ?)", (salt,))
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {VERSION}")


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


def _claim(path: Path, wait_s: float) -> int:
    """Makes this the only writer, until what is returned is closed or the program ends, however it ends."""
    try:
        lock = os.open(f"{path}-lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be opened ({error.strerror}); {TRY[sqlite3.SQLITE_CANTOPEN]}"
        ) from error
    end_s = time.monotonic() + wait_s
    while not this_computer.lock(lock):
        if time.monotonic() >= end_s:
            os.close(lock)
            raise StoreError(f"{path}: another gateway writes in it; end that one")
        time.sleep(0.02)
    return lock


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # SQLite may have done it by itself
            db.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _in_words(path: Path, doing: str) -> Iterator[None]:
    """Turns what SQLite and the system say into a StoreError with what to try."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it tells kinds of the same apart
        advice = TRY.get(code, "stop the gateway and look at the file with `sqlite3`")
        raise StoreError(f"{path}: cannot {doing} ({error}); {advice}") from error
    except OSError as error:
        raise StoreError(
            f"{path}: cannot {doing} ({error.strerror}); {TRY[sqlite3.SQLITE_CANTOPEN]}"
        ) from error
