"""Who may open the page: people, one-time links, tokens and the audit list, in one SQLite file of mode 600.

The command line writes in it too, while the gateway runs: what it changes holds there within a second. What is
secret in it stands there as a hash, but for the key that signs cookies.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import os
import secrets
import sqlite3
import stat
import threading
import time
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import floorplan
import this_computer
from gateway.people import audit
from gateway.people.audit import COUNTED, DID, FIRST_TO_GO, NOBODY, Row
from gateway.people.rights import OF_PEOPLE, ROLES, Who
from gateway.people.sessions import AT_MOST_S, Session, Sessions

log = logging.getLogger(__name__)

APPLICATION = 0x43465045  # "CFPE": says in the file's head whose it is
VERSION = 2
MADE_BY = 2  # the version from which on it is known who made a token
BUSY_S = 5.0  # how long another program that writes is waited for
HOUR_S, DAY_S = 3600, 24 * 3600
FIRST_LINK_S = DAY_S
LINK_S = 7 * DAY_S
TOKEN_DAYS_MOST = 400
ENDED_TOKEN_S = 30 * DAY_S  # a token that is over is still listed for so long
SECRET_BITS = 128
NAME_MOST = 32
ADDRESSES = ("invitations",)  # /api/people/… that are nobody
UNSEEN = "\u115f\u1160"  # letters that nobody sees; NFKC makes one of these of U+3164 and U+FFA0
ALIKE = ("LATIN", "CYRILLIC", "GREEK")
PEOPLE_MOST, LINKS_MOST, TOKENS_MOST = 500, 100, 200
LOGOUTS_MOST = 50  # remembered of one person or token
AUDIT_MOST = 100_000  # rows
AUDIT_LOOK = 500  # after so many new ones it is looked what is too many or too old
NOTES_MOST = 1000  # waiting to be written
SEEN_EVERY_S = 600.0

TRY = {
    sqlite3.SQLITE_NOTADB: "this is no file of ours: move it away, or name another as path in [people]",
    sqlite3.SQLITE_CORRUPT: "it is damaged: stop the gateway and put a copy of it back, or move it away and begin "
    "anew",
    sqlite3.SQLITE_FULL: "the disk is full: make room there",
    sqlite3.SQLITE_READONLY: "it may not be written: give it and its folder to the user that runs the gateway",
    sqlite3.SQLITE_CANTOPEN: "is its folder there, and may this user read and write in it?",
    sqlite3.SQLITE_BUSY: "another program holds it: close that one",
    sqlite3.SQLITE_IOERR: "the disk does not do what it should: is it full, or failing? `dmesg` may tell",
}

TABLES = (
    "people (key TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, password TEXT NOT NULL, "
    "generation INTEGER NOT NULL, since REAL NOT NULL, seen REAL)",
    # `first`: the link that a start prints while there is no admin
    "invitations (id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, role TEXT NOT NULL, person TEXT, "
    "ends REAL NOT NULL, made_by TEXT NOT NULL, first INTEGER NOT NULL)",
    "tokens (id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, "
    "role TEXT NOT NULL, generation INTEGER NOT NULL, ends REAL NOT NULL, seen REAL, made_by TEXT NOT NULL DEFAULT '')",
    # sessions that were logged out of and whose cookies could still be believed
    "logouts (session TEXT PRIMARY KEY, whose TEXT NOT NULL, until REAL NOT NULL)",
    "audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, who TEXT NOT NULL, did TEXT NOT NULL, "
    "what TEXT NOT NULL, times INTEGER NOT NULL)",
    "kept (name TEXT PRIMARY KEY, value NOT NULL)",
)
INDEXES = (
    "audit_at ON audit (at)",
    "audit_who ON audit (who, at)",
)

Done = TypeVar("Done")


class PeopleError(Exception):
    """The file of people cannot be used now; the text says what, where and what to try."""


class Refused(Exception):
    """It was not done, and nothing has changed. `kind`: one word, for programs."""

    def __init__(self, kind: str, words: str):
        super().__init__(words)
        self.kind = kind


class Person(NamedTuple):
    """Somebody with a password; `key` is the name as it is found by. Times are epoch seconds."""

    key: str
    name: str
    role: str
    generation: int
    since: float
    seen: float | None


class Token(NamedTuple):
    """A machine, or a screen that nobody sits at."""

    id: str
    name: str
    role: str
    generation: int
    ends: float
    seen: float | None


class Invitation(NamedTuple):
    """A one-time link: to an account, or to a new password of `person`."""

    id: str
    role: str
    person: str | None
    ends: float


class New(NamedTuple):
    """A link or token that was just made. Its secret is told this once; only its hash is kept."""

    id: str
    secret: str
    ends: float


class _Known(NamedTuple):
    """All that is looked at with each request, as it stands in the file."""

    people: dict[str, Person]
    passwords: dict[str, str]
    tokens: dict[bytes, Token]
    tokens_by_id: dict[str, Token]
    logouts: frozenset[str]


class People:
    """The file of people, which is made where there is none. May be used from any thread.

    What only looks is quick and may be called on an event loop; what changes something waits for the disk. `by` is
    who does it, for the audit list. Raises PeopleError, and Refused where it says so.
    """

    def __init__(self, settings: floorplan.People, clock: Callable[[], float] = time.time) -> None:
        assert settings.path
        self.path = settings.path
        self._clock = clock
        self._audit_s = settings.audit_days * DAY_S
        self._lock = threading.RLock()  # of the connection that writes
        self._looking = threading.Lock()  # of the one that looks
        self._notes: deque[tuple[float, str, str, str]] = deque(maxlen=NOTES_MOST)
        self._seen: dict[tuple[str, str], float] = {}
        self._not_looked = AUDIT_LOOK  # new rows of the audit list since it was last looked through
        self._writer = ThreadPoolExecutor(1, "people")
        with self._in_words("be opened"):
            self._db = _open(self.path)
        self._eye = _connect(self.path)
        self._version: int | None = None
        self._was: _Known | None = None
        self.sessions = Sessions(self._kept("key"), settings.session_h * HOUR_S, clock)
        self._known()

    def close(self) -> None:
        """Writes what is not yet written, and lets go of the file."""
        self._writer.shutdown(wait=True)
        try:
            self._write_notes()
        finally:
            with self._lock, self._looking:
                self._db.close()
                self._eye.close()

    def __enter__(self) -> People:
        return self

    def __exit__(self, *why: object) -> None:
        self.close()

    # Looking -----------------------------------------------------------------

    def nobody(self) -> bool:
        """True while there is no admin: then a start prints a link for the first one."""
        return not any(person.role == "admin" for person in self._known().people.values())

    def people(self) -> list[Person]:
        """Everybody, by name."""
        return [person for _, person in sorted(self._known().people.items())]

    def person(self, name: str) -> Person | None:
        """Somebody by name, however it is written."""
        return self._known().people.get(key_of(name))

    def password(self, name: str) -> str | None:
        """What is kept of somebody's password; None where there is nobody of that name."""
        return self._known().passwords.get(key_of(name))

    def tokens(self) -> list[Token]:
        """All tokens, by name; those that ended lately too."""
        return sorted(self._known().tokens_by_id.values(), key=lambda token: token.name)

    def whose(self, secret: str) -> Token | None:
        """The token with this secret, while it holds."""
        token = self._known().tokens.get(_hash(secret))
        return token if token and token.ends > self._clock() else None

    def invitations(self) -> list[Invitation]:
        """The links that are open, those that end first first."""
        rows = self._all("SELECT id, role, person, ends FROM invitations WHERE ends > ? ORDER BY ends", self._clock())
        return [Invitation(*row) for row in rows]

    def invited(self, secret: str) -> Invitation | None:
        """The open link with this secret."""
        row = self._all("SELECT id, role, person, ends FROM invitations WHERE hash = ? AND ends > ?",
                        _hash(secret), self._clock())  # fmt: skip
        return Invitation(*row[0]) if row else None

    def who_is(self, session: Session) -> Who | None:
        """Who that is now; None where the session has ended."""
        known, now_s = self._known(), self._clock()
        if session.id in known.logouts:
            return None
        if session.kind == "token":
            token = known.tokens_by_id.get(session.key)
            if token and token.generation == session.generation and token.ends > now_s:
                return Who("token", token.name, token.role)
            return None
        person = known.people.get(session.key)
        if person and person.generation == session.generation and now_s - session.made <= AT_MOST_S:
            return Who("person", person.name, person.role)
        return None

    def session_of(self, secret: str) -> Session | None:
        """What a request with a token is, without a cookie: it ends with the token."""
        token = self.whose(secret)
        now_s = self._clock()
        return Session("token", token.id, token.generation, int(now_s), "", now_s) if token else None

    def lasts_s(self, session: Session) -> float:
        """For how long a browser should keep its cookie."""
        if session.kind == "person":
            return min(self.sessions.session_s, session.made + AT_MOST_S - self._clock())
        token = self._known().tokens_by_id.get(session.key)
        return token.ends - self._clock() if token else 0

    def audit(self, before: int | None = None, limit: int = 100) -> list[Row]:
        """What was done, the newest first; `before`: only rows with a smaller id."""
        rows = self._all(
            "SELECT id, at, who, did, what, times FROM audit WHERE id < ? AND at >= ? ORDER BY id DESC LIMIT ?",
            2**62 if before is None else before, self._clock() - self._audit_s, limit,
        )  # fmt: skip
        return [Row(id, at, who, did, _counted(what, times)) for id, at, who, did, what, times in rows]

    # Links -------------------------------------------------------------------

    def first_link(self, base: str = "") -> str:
        """A one-time link that makes an admin, at the page's address `base`; the one of the start before ends."""
        with self._writing() as db:
            db.execute("DELETE FROM invitations WHERE first")
            secret, ends = _secret(), self._clock() + FIRST_LINK_S
            db.execute("INSERT INTO invitations VALUES (?, ?, 'admin', NULL, ?, '', 1)", (_id(), _hash(secret), ends))
        return f"{base}/join#{secret}"

    def invite(self, by: Who, role: str, name: str | None = None) -> New:
        """A link to an account of that role, or where `name` is given to a new password for somebody who is there.

        Raises Refused: role, gone, many.
        """
        if name is None:
            _check_role(role, OF_PEOPLE)
        with self._writing() as db:
            person = None if name is None else _person(db, name)
            db.execute("DELETE FROM invitations WHERE ends <= ?", (self._clock(),))
            (there,) = db.execute("SELECT count(*) FROM invitations").fetchone()
            if there >= LINKS_MOST:
                raise Refused("many", f"{LINKS_MOST} one-time links are open: withdraw some")
            new = New(_id(), _secret(), min(self._clock() + LINK_S, _ends(db, by)))
            key, role, what = (person.key, person.role, f"a new password for {person.name}") if person else (
                None, role, role)  # fmt: skip
            db.execute("INSERT INTO invitations VALUES (?, ?, ?, ?, ?, ?, 0)",
                       (new.id, _hash(new.secret), role, key, new.ends, str(by)))  # fmt: skip
            self._note(db, str(by), "invited", what)
        return new

    def withdraw(self, by: Who, id: str) -> None:
        """Makes an open link worthless. Raises Refused: gone."""
        with self._writing() as db:
            row = db.execute("DELETE FROM invitations WHERE id = ? RETURNING role, person", (id,)).fetchone()
            if not row:
                raise Refused("gone", "there is no such link: it may have been used, or be over")
            self._note(db, str(by), "invitation-withdrawn", f"a new password for {row[1]}" if row[1] else row[0])

    def join(self, secret: str, name: str, password: str) -> Person:
        """Uses a link: an account, or a new password and the end of all sessions. `password` is its hash.

        Raises Refused: gone, taken, name, many.
        """
        with self._writing() as db:
            row = db.execute(
                "DELETE FROM invitations WHERE hash = ? AND ends > ? RETURNING role, person, first",
                (_hash(secret), self._clock()),
            ).fetchone()
            if not row:
                raise Refused("gone", "this link has been used, or is over: ask for another")
            role, key, first = row
            if key is not None:
                person = _person(db, key)
                if name and key_of(name) != key:
                    raise Refused("name", "this link is for the password of somebody else")
                db.execute("UPDATE people SET password = ?, generation = generation + 1 WHERE key = ?", (password, key))
                self._note(db, f"person {person.name}", "password", "by a one-time link")
            else:
                name = checked_name(name)
                (there,) = db.execute("SELECT count(*) FROM people").fetchone()
                if there >= PEOPLE_MOST:
                    raise Refused("many", f"there are {PEOPLE_MOST} accounts already: remove some")
                try:
                    db.execute("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, NULL)",
                               (key := key_of(name), name, role, password, _generation(), self._clock()))  # fmt: skip
                except sqlite3.IntegrityError:
                    raise Refused("taken", "somebody has that name already: take another") from None
                self._note(db, f"person {name}", "joined", role + (" (the first)" if first else ""))
                if role == "admin":
                    db.execute("DELETE FROM invitations WHERE first")
            return _person(db, key)

    # People ------------------------------------------------------------------

    def set_role(self, by: Who, name: str, role: str) -> None:
        """Gives somebody another role; their sessions end, and the links and tokens they made. Raises Refused.

        Tokens of the role `wall` stay: screens go on, whoever has put them up.
        """
        _check_role(role, OF_PEOPLE)
        with self._writing() as db:
            person = _person(db, name)
            if person.role == role:
                return
            _not_the_last(db, person)
            db.execute("UPDATE people SET role = ?, generation = generation + 1 WHERE key = ?", (role, person.key))
            db.execute("UPDATE invitations SET role = ? WHERE person = ?", (role, person.key))
            self._end_all_by(db, by, _made_by(person))
            if role == "admin":
                db.execute("DELETE FROM invitations WHERE first")
            self._note(db, str(by), "role", f"{person.name}: {person.role} → {role}")

    def remove(self, by: Who, name: str) -> None:
        """Removes somebody; their sessions end, their links, and links and tokens that they made, as in `set_role`.

        Raises Refused: gone, last.
        """
        with self._writing() as db:
            person = _person(db, name)
            _not_the_last(db, person)
            db.execute("DELETE FROM people WHERE key = ?", (person.key,))
            db.execute("DELETE FROM invitations WHERE person = ?", (person.key,))
            self._end_all_by(db, by, _made_by(person))
            db.execute("DELETE FROM logouts WHERE whose = ?", (f"person {person.key}",))
            self._note(db, str(by), "removed", f"{person.name}, {person.role}")

    def set_password(self, by: Who, name: str, password: str, old: str) -> Person:
        """Keeps another hash of somebody's password; their sessions end.

        `old` is the hash that was compared with what they gave. Raises Refused: gone, also where it is another now.
        """
        with self._writing() as db:
            person = _person(db, name)
            done = db.execute(
                "UPDATE people SET password = ?, generation = generation + 1 WHERE key = ? AND password = ?",
                (password, person.key, old),
            ).rowcount
            if not done:
                raise Refused("gone", "the password has been changed meanwhile")
            db.execute("DELETE FROM invitations WHERE person = ?", (person.key,))
            self._note(db, str(by), "password", "")
            return _person(db, name)

    # Tokens ------------------------------------------------------------------

    def add_token(self, by: Who, name: str, role: str, days: int) -> New:
        """A token for a machine. One that a token makes ends with that at the latest, unless it is of the role `wall`.

        Raises Refused: name, role, days, outlives, taken, many.
        """
        name = checked_name(name)
        _check_role(role, ROLES)
        if not 1 <= days <= TOKEN_DAYS_MOST:
            raise Refused("days", f"a token is for 1 to {TOKEN_DAYS_MOST} days: it always ends")
        now_s = self._clock()
        new = New(_id(), f"cf_{_secret()}", now_s + days * DAY_S)
        with self._writing() as db:
            if role != "wall" and new.ends > _ends(db, by):
                raise Refused("outlives", "a token lasts no longer than the one that makes it")
            db.execute("DELETE FROM tokens WHERE key = ? AND ends <= ?", (key_of(name), now_s))
            (there,) = db.execute("SELECT count(*) FROM tokens").fetchone()
            if there >= TOKENS_MOST:
                raise Refused("many", f"there are {TOKENS_MOST} tokens already: remove some")
            try:
                db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)",
                           (new.id, _hash(new.secret), key_of(name), name, role, _generation(), new.ends,
                            str(by)))  # fmt: skip
            except sqlite3.IntegrityError:
                raise Refused("taken", "there is a token of that name: remove it first, or take another name") from None
            self._note(db, str(by), "token-made", f"{name}: {role}, {days} days")
        return new

    def remove_token(self, by: Who, id: str) -> None:
        """Ends a token, by its id or its name, and the sessions that began with it. Raises Refused: gone."""
        with self._writing() as db:
            row = db.execute("SELECT id, name, role FROM tokens WHERE id = ? OR key = ? ORDER BY id = ? DESC",
                             (id, key_of(id), id)).fetchone()  # fmt: skip
            if not row:
                raise Refused("gone", "there is no such token")
            self._end_token(db, by, *row)

    def _end_token(self, db: sqlite3.Connection, by: Who, id: str, name: str, role: str) -> None:
        db.execute("DELETE FROM tokens WHERE id = ?", (id,))
        db.execute("DELETE FROM logouts WHERE whose = ?", (f"token {id}",))
        self._note(db, str(by), "token-ended", f"{name}: {role}")
        self._end_all_by(db, by, str(Who("token", name, role)))

    def _end_all_by(self, db: sqlite3.Connection, by: Who, maker: str) -> None:
        """Ends what somebody made who may make no more: else they come back by it. Screens on walls go on."""
        db.execute("DELETE FROM invitations WHERE made_by = ?", (maker,))
        made = "SELECT id, name, role FROM tokens WHERE made_by = ? AND role <> 'wall'"
        for row in db.execute(made, (maker,)).fetchall():
            self._end_token(db, by, *row)

    # Sessions ----------------------------------------------------------------

    def log_out(self, session: Session) -> None:
        """Ends one browser's session: copies of its cookie too. A person with too many ends all sessions of theirs.

        Of a token's the oldest is forgotten instead: else one screen could put out all the others.
        """
        whose, now_s = f"{session.kind} {session.key}", self._clock()
        with self._writing() as db:
            person = self.who_is(session)
            if not session.id or not person:
                return
            db.execute("DELETE FROM logouts WHERE until <= ?", (now_s,))
            (there,) = db.execute("SELECT count(*) FROM logouts WHERE whose = ?", (whose,)).fetchone()
            if there >= LOGOUTS_MOST and session.kind == "person":
                db.execute("DELETE FROM logouts WHERE whose = ?", (whose,))
                db.execute("UPDATE people SET generation = generation + 1 WHERE key = ?", (session.key,))
            else:
                oldest = "SELECT rowid FROM logouts WHERE whose = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?"
                db.execute(f"DELETE FROM logouts WHERE rowid IN ({oldest})", (whose, LOGOUTS_MOST - 1))
                until = now_s + max(self.lasts_s(session), AT_MOST_S)
                db.execute("INSERT OR IGNORE INTO logouts VALUES (?, ?, ?)", (session.id, whose, until))
            self._note(db, str(person), "logout", "")

    def saw(self, session: Session) -> None:
        """Somebody is here: written down by and by."""
        known, now_s = (session.kind, session.key), self._clock()
        if abs(now_s - self._seen.get(known, -math.inf)) < SEEN_EVERY_S:
            return
        if len(self._seen) >= PEOPLE_MOST + TOKENS_MOST:
            self._seen.clear()
        self._seen[known] = now_s
        table, column = ("people", "key") if session.kind == "person" else ("tokens", "id")
        self._later(partial(self._execute, f"UPDATE {table} SET seen = ? WHERE {column} = ?", (now_s, session.key)))

    # The audit list ----------------------------------------------------------

    def note(self, who: Who | None, did: str, what: str = "") -> None:
        """Puts down that something was done, one of DID. Returns at once; it is written in a moment."""
        self._put_down(str(who) if who else NOBODY, did, what)

    def note_refused(self, name: str) -> None:
        """Puts down that somebody could not log in; all of an hour in one row.

        Of a name that is nobody's no letter is kept: it may be a password that was typed in the wrong field.
        """
        person = self.person(name) if name else None
        self._put_down(NOBODY, "login-refused", f"as {person.name}" if person else "")

    def _put_down(self, who: str, did: str, what: str) -> None:
        if did not in DID:
            raise ValueError(f"'{did}' is no word of the audit list")
        self._notes.append((self._clock(), who, did, what))
        self._later(self._write_notes)

    def _write_notes(self) -> None:
        if not self._notes:
            return
        with self._writing() as db:
            notes = list(self._notes)
            for at, who, did, what in notes:
                self._note(db, who, did, what, at)
        for _ in notes:
            self._notes.popleft()

    def _note(self, db: sqlite3.Connection, who: str, did: str, what: str, at: float | None = None) -> None:
        """Adds a row in the midst of a transaction."""
        assert did in DID
        at = self._clock() if at is None else at
        who, what = audit.words(who), audit.words(what)
        if did in COUNTED:
            row = db.execute(
                "SELECT id FROM audit WHERE did = ? AND who = ? AND what = ? AND at BETWEEN ? AND ? ORDER BY id DESC",
                (did, who, what, at - HOUR_S, at),
            ).fetchone()
            if row:
                db.execute("UPDATE audit SET times = times + 1 WHERE id = ?", row)
                return
        db.execute("INSERT INTO audit (at, who, did, what, times) VALUES (?, ?, ?, ?, 1)",
                   (at, who, did, what))  # fmt: skip
        self._not_looked += 1
        if self._not_looked >= AUDIT_LOOK:
            self._not_looked = 0
            self._forget(db)

    def tidy(self) -> None:
        """What was kept for long enough goes, though nobody does anything: to be called now and then."""
        self._later(self._tidy)

    def _tidy(self) -> None:
        with self._writing() as db:
            self._forget(db)

    def _forget(self, db: sqlite3.Connection) -> None:
        """What was kept for long enough goes. Of too many rows the oldest logins go, and then the oldest of whoever has
        most: nobody pushes out what others did.
        """
        now_s = self._clock()
        db.execute("DELETE FROM audit WHERE at < ?", (now_s - self._audit_s,))
        db.execute("DELETE FROM invitations WHERE ends <= ?", (now_s,))
        db.execute("DELETE FROM tokens WHERE ends <= ?", (now_s - ENDED_TOKEN_S,))
        db.execute("DELETE FROM logouts WHERE until <= ?", (now_s,))
        (there,) = db.execute("SELECT count(*) FROM audit").fetchone()
        if there > AUDIT_MOST:
            marks = ", ".join("?" * len(FIRST_TO_GO))
            there -= db.execute(
                f"DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE did IN ({marks}) ORDER BY id LIMIT ?)",
                (*FIRST_TO_GO, there - AUDIT_MOST),
            ).rowcount
        while there > AUDIT_MOST:
            counts = "SELECT who, count(*) FROM audit GROUP BY who ORDER BY count(*) DESC LIMIT 2"
            (most, rows), *rest = db.execute(counts).fetchall()
            spare = max(rows - sum(others for _, others in rest), 100)
            there -= db.execute(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE who = ? ORDER BY id LIMIT ?)",
                (most, min(there - AUDIT_MOST, spare)),
            ).rowcount

    # The file ----------------------------------------------------------------

    def _known(self) -> _Known:
        """What stands in the file now; read again only when somebody has written in it."""
        with self._looking, self._in_words("be read"):
            (version,) = self._eye.execute("PRAGMA data_version").fetchone()
            if self._was is None or version != self._version:
                self._was, self._version = _read(self._eye), version
            return self._was

    def _all(self, select: str, *values: object) -> list[Any]:
        with self._looking, self._in_words("be read"):
            return self._eye.execute(select, values).fetchall()

    def _kept(self, name: str) -> Any:
        return self._all("SELECT value FROM kept WHERE name = ?", name)[0][0]

    def _execute(self, statement: str, values: Sequence[object]) -> None:
        with self._writing() as db:
            db.execute(statement, values)

    def _later(self, do: Callable[[], None]) -> None:
        """Writes in the thread that writes; where that fails it is logged, and notes wait for the next time."""

        def done() -> None:
            try:
                do()
            except PeopleError as error:
                log.warning("%s", error)

        with contextlib.suppress(RuntimeError):  # closed: what is noted then is written by `close`
            self._writer.submit(done)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing. What is raised inside is raised."""
        with self._lock, self._in_words("be written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _in_words(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            advice = TRY.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "stop the gateway and look at the file")
            raise PeopleError(f"{self.path}: cannot {doing} ({error}); {advice}") from error
        except OSError as error:
            advice = TRY[sqlite3.SQLITE_CANTOPEN]
            raise PeopleError(f"{self.path}: cannot {doing} ({error.strerror}); {advice}") from error


def checked_name(name: str) -> str:
    """A name as it is shown. Raises Refused."""
    name = unicodedata.normalize("NFKC", name)
    if len({script for script in map(_alike, name) if script}) > 1:
        raise Refused("name", "the letters of a name are of one script: some of these look alike and are not")
    if not 1 <= len(name) <= NAME_MOST or not all(map(_may_be_in_a_name, name)) or not _is_letter(name[0]):
        raise Refused(
            "name",
            f"a name has 1 to {NAME_MOST} plain letters, digits, dots, dashes or underscores, and begins with a "
            "letter or digit",
        )
    if key_of(name) in ADDRESSES:
        raise Refused("name", "the page has an address of that name: take another")
    return name


def key_of(name: str) -> str:
    """A name as it is found by: however its letters are made, large or small."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _is_letter(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "L" or unicodedata.category(letter) == "Nd"


def _may_be_in_a_name(letter: str) -> bool:
    return letter in "._-" or (_is_letter(letter) and letter not in UNSEEN)


def _alike(letter: str) -> str:
    """The script of a letter, of those that have letters which look alike; else nothing."""
    script = unicodedata.name(letter, "").partition(" ")[0]
    return script if script in ALIKE else ""


def _check_role(role: str, roles: Iterable[str]) -> None:
    if role not in roles:
        raise Refused("role", f"a role is one of: {', '.join(roles)}")


def _secret() -> str:
    return secrets.token_hex(SECRET_BITS // 8)


def _id() -> str:
    return secrets.token_hex(4)


def _generation() -> int:
    """Where generations begin: somebody new by an old name is not who the old cookies were for."""
    return secrets.randbelow(2**40)


def _hash(secret: str) -> bytes:
    """128 bits of chance need no slow hash: nobody guesses them."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _counted(what: str, times: int) -> str:
    return what if times == 1 else f"{what + ': ' if what else ''}{times} times"


PERSON = "key, name, role, generation, since, seen"


def _person(db: sqlite3.Connection, name: str) -> Person:
    row = db.execute(f"SELECT {PERSON} FROM people WHERE key = ?", (key_of(name),)).fetchone()
    if not row:
        raise Refused("gone", "there is nobody of that name")
    return Person(*row)


def _made_by(person: Person) -> str:
    """As the links name them that somebody made: who loses a right keeps none by a link to themselves."""
    return str(Who("person", person.name, person.role))


def _ends(db: sqlite3.Connection, by: Who) -> float:
    """When whoever makes something ends: what a token has made does not outlive it."""
    if by.kind != "token":
        return math.inf
    row = db.execute("SELECT ends FROM tokens WHERE key = ?", (key_of(by.name),)).fetchone()
    return float(row[0]) if row else 0.0


def _not_the_last(db: sqlite3.Connection, person: Person) -> None:
    (admins,) = db.execute("SELECT count(*) FROM people WHERE role = 'admin'").fetchone()
    if person.role == "admin" and admins == 1:
        raise Refused("last", "this is the last admin: make somebody else one first")


def _read(db: sqlite3.Connection) -> _Known:
    db.execute("BEGIN")
    try:
        people = {row[0]: Person(*row) for row in db.execute(f"SELECT {PERSON} FROM people")}
        passwords = dict(db.execute("SELECT key, password FROM people").fetchall())
        rows = db.execute("SELECT hash, id, name, role, generation, ends, seen FROM tokens").fetchall()
        logouts = frozenset(row[0] for row in db.execute("SELECT session FROM logouts"))
    finally:
        db.execute("COMMIT")
    tokens = {row[0]: Token(*row[1:]) for row in rows}
    return _Known(people, passwords, tokens, {token.id: token for token in tokens.values()}, logouts)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    db.execute("PRAGMA secure_delete = ON")  # the hash of a password that was changed is gone from the disk
    return db


def _open(path: Path) -> sqlite3.Connection:
    """A connection that writes; the file and its tables are made where they are missing."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if this_computer.is_root():  # a command with sudo: the gateway has to write in it, too
            folder = path.parent.stat()
            this_computer.give(path, (folder.st_uid, folder.st_gid))
    elif this_computer.POSIX and path.stat().st_mode & 0o077:
        _take_from_others(path)
    db = _connect(path)
    try:
        version_of(path, db)
        if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise PeopleError(f"{path}: this disk cannot do what is needed (WAL); put it on one of this computer")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")
        was = version_of(path, db)
        for table in TABLES:
            db.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        if 0 < was < MADE_BY:
            db.execute("ALTER TABLE tokens ADD COLUMN made_by TEXT NOT NULL DEFAULT ''")
        for index in INDEXES:
            db.execute(f"CREATE INDEX IF NOT EXISTS {index}")
        db.execute("INSERT OR IGNORE INTO kept VALUES ('key', ?)", (secrets.token_bytes(32),))
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _take_from_others(path: Path) -> None:
    """Makes a file of ours one of mode 600, and says so; one that is not ours is left as it is."""
    with contextlib.closing(_connect(path)) as db:
        version_of(path, db)
    mode = stat.S_IMODE(path.stat().st_mode)
    for name in ("", "-wal", "-shm"):  # SQLite gives what it makes beside the file the same mode
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + name).chmod(0o600)
    log.warning(
        "%s: others could get at it (mode %o) until now; it is for its user alone from now on. Who has a copy has the "
        "hashes of passwords and the key that signs cookies",
        path, mode,
    )  # fmt: skip


def version_of(path: Path, db: sqlite3.Connection) -> int:
    """By which version of this program it was written; 0: it is empty. Raises PeopleError where it is not ours."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (application, version, tables) == (0, 0, 0):
        return 0
    if application != APPLICATION:
        raise PeopleError(f"{path}: this is a database of something else; name another file as path in [people]")
    if version > VERSION:
        raise PeopleError(
            f"{path}: it was written by a newer version of this program ({version}, this knows {VERSION}); run that "
            "one, or name another file as path in [people]"
        )
    return int(version)
