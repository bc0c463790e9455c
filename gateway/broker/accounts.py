"""Who may log in at the broker of a house: its password file as data, and the running broker told of a change.

    accounts.put(plan, "pico-a", password)     # or {user: password, …} with put_all
    accounts.remove(plan, "pico-a")            # its live connection ends with the reload, within 50 ms
    accounts.reload(plan)

Raises AccountsError, whose text says what to try. The broker keeps no password, only its hash.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import this_computer
from floorplan import Plan
from gateway.broker import mosquitto

PASSWORDS, CONF, LOCK = "passwords", "mosquitto.conf", "lock"  # files in the broker's folder
KEPT = "kept"  # a folder there for what mosquitto itself writes
PID = f"{KEPT}/mosquitto.pid"
WAIT_S = 10.0  # for another command that is changing accounts
USER = r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}"  # a user's name: no ':', which ends it there, and no wildcard


class AccountsError(Exception):
    """The broker's accounts cannot be changed, or it cannot be told; the text says why and what to try."""


def put(plan: Plan, user: str, password: str) -> None:
    """From the next reload on, `user` logs in with this password alone."""
    put_all(plan, {user: password})


def put_all(plan: Plan, passwords: Mapping[str, str]) -> None:
    """The same for several users, all or nothing. Who has this password already is left as it is."""
    for user in passwords:
        if not re.fullmatch(USER, user):
            raise AccountsError(f"'{user}' cannot be a user of the broker; a user is of letters, digits and _ . @ -")

    def change(rows: dict[str, str]) -> None:
        for user, password in passwords.items():
            if not mosquitto.is_of(rows.get(user, ""), password):
                rows[user] = mosquitto.hashed(password)

    _change(folder_of(plan), change)


def remove(plan: Plan, user: str) -> bool:
    """From the next reload on, nobody logs in as `user`, and who is logged in is out. False: there was no such user."""
    return user in keep_only(plan, lambda name: name != user)


def keep_only(plan: Plan, wanted: Callable[[str], bool]) -> list[str]:
    """Removes all users whose name is not wanted; returns them."""
    removed: list[str] = []

    def change(rows: dict[str, str]) -> None:
        removed.extend(user for user in rows if not wanted(user))
        for user in removed:
            del rows[user]

    _change(folder_of(plan), change)
    return removed


def users(plan: Plan) -> list[str]:
    """Who has an account."""
    return list(_rows(folder_of(plan) / PASSWORDS))


def has(plan: Plan, user: str, password: str) -> bool:
    """Whether this is what `user` logs in with, from the last reload on or from the next."""
    return mosquitto.is_of(_rows(folder_of(plan) / PASSWORDS).get(user, ""), password)


def reload(plan: Plan) -> bool:
    """Has the running broker read its accounts and rights again. False: none of ours runs on this computer."""
    pid = running(plan)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise AccountsError(f"the broker (process {pid}) belongs to another user; try the same with sudo") from error
    return True


def running(plan: Plan) -> int | None:
    """The process id of the broker that runs with this folder's settings; None: there is none.

    A pid file may be older than the last power cut: only a process that was started with our settings is believed.
    """
    folder = folder_of(plan)
    try:
        pid = int((folder / PID).read_text(encoding="ascii"))
    except PermissionError as error:
        raise AccountsError(f"{folder / PID}: {error.strerror}; try the same with sudo") from error
    except (OSError, ValueError):
        return None
    if not this_computer.POSIX:  # there is no signal there that it could be told by
        return None
    import psutil

    started_in = Path("/")
    try:
        process = psutil.Process(pid)
        arguments = process.cmdline()
        with contextlib.suppress(psutil.AccessDenied):  # another user's: then the path has to be whole
            started_in = Path(process.cwd())
    except psutil.AccessDenied as error:
        raise AccountsError(f"process {pid} cannot be looked at; try the same with sudo") from error
    except psutil.Error:
        return None
    is_mosquitto = [os.path.basename(word) for word in arguments[:1]] == ["mosquitto"]
    named = [(started_in / word).resolve() for word in arguments[1:] if word]
    return pid if is_mosquitto and (folder / CONF).resolve() in named else None


def folder_of(plan: Plan) -> Path:
    """Where the broker's files are. Raises AccountsError where the site file names no broker of its own."""
    if plan.broker is None or plan.broker.folder is None:
        raise AccountsError(
            "the site file names no broker: `callfloor up` has one of its own then, for trying. For real boards add "
            "[broker] and run `callfloor broker setup`; docs/broker.md says how"
        )
    return plan.broker.folder


def _change(folder: Path, change: Callable[[dict[str, str]], None]) -> None:
    """Changes the password file, one command at a time, as a whole or not at all."""
    path = folder / PASSWORDS
    try:
        with _alone(folder):
            rows = _rows(path)
            before = dict(rows)
            change(rows)
            if rows != before:
                write_whole(path, "".join(f"{user}:{text}\n" for user, text in rows.items()))
    except FileNotFoundError as error:
        raise AccountsError(_nothing_here(error)) from error
    except PermissionError as error:
        raise AccountsError(f"{error.filename}: {error.strerror}; try the same with sudo") from error
    except OSError as error:
        raise AccountsError(f"{path}: cannot be changed ({error.strerror})") from error


def _nothing_here(error: FileNotFoundError) -> str:
    return (
        f"{error.filename}: there is no broker of ours on this computer; on the broker's computer, with the same site "
        "file, `callfloor broker setup` makes its files; docs/broker.md"
    )


def _rows(path: Path) -> dict[str, str]:
    """User → hash, in the file's order."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise AccountsError(_nothing_here(error)) from error
    except PermissionError as error:
        raise AccountsError(f"{path}: {error.strerror}; try the same with sudo") from error
    rows = (line.partition(":") for line in lines if ":" in line)
    return {user: text for user, _, text in rows}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one command at a time changes the accounts; the lock goes away with whoever holds it."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | this_computer.NO_LINK, 0o600)
    try:
        end = time.monotonic() + WAIT_S
        while not this_computer.lock(lock):
            if time.monotonic() > end:
                raise AccountsError(
                    f"another command has been changing the broker's accounts for {WAIT_S:.0f} s; does one hang?"
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(lock)


def write_whole(path: Path, text: str, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Writes a file so that it is the old one or the new one at any moment, also after a power cut.

    owner: (user, group) it belongs to; None: whose the old one was.
    """
    if owner is None and path.exists():
        told = path.stat()
        owner = told.st_uid, told.st_gid
    file, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # of mode 600
    try:
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            if owner != this_computer.ourselves():
                this_computer.give(file, owner)
            this_computer.close_to_others(file, mode)
            os.fsync(file)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    this_computer.keep(path.parent)
