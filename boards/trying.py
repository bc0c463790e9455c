"""The login at a broker for trying, where only the user who runs `callfloor up` can read it.

A file for each `callfloor up`, its name the broker's address, in a folder of that user's alone. It is locked for
as long as that one runs: so those that were left behind are known, and removed.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import this_computer
from floorplan import Broker, Plan, SiteError

USER = "trying_"  # no id, so no board and no source can be called that


def broker_of(plan: Plan | None, address: tuple[str, int] | None) -> Broker:
    """The broker of the site file, at another address where one is given; or the one for trying that is there, or, with
    no address, the only one.

    Raises SiteError where there is none that we can log in to.
    """
    if plan and plan.broker:
        return plan.broker.model_copy(update={"host": address[0], "port": address[1]} if address else {})
    if not address:
        if broker := only_login():
            return broker
        raise SiteError(
            f"{'the site file names no broker' if plan else 'no site file, and no address'}, and there is no "
            "`callfloor up` of yours, or more than one: give it an address for its own, --mqtt 127.0.0.1:1883, and the "
            "same here"
        )
    if broker := login_at(*address):
        return broker
    raise SiteError(
        f"no login of yours for a broker at {address[0]}:{address[1]}: `callfloor up` keeps one while it runs, for the "
        "user who runs it. Be that user, and give both the same --mqtt; a broker of your own belongs in the site "
        "file, under [broker]"
    )


def login_at(host: str, port: int) -> Broker | None:
    """Who may try things at the broker of a `callfloor up` of ours, if one runs there. Raises SiteError."""
    name = _name(host, port)
    for folder in _folders() if name else ():
        if _is_ours(folder) and (folder / name).is_file():
            return Broker(host=host, port=port, user=USER, secret_file=folder / name)
    return None


def only_login() -> Broker | None:
    """The login at the one broker for trying that runs; None where there is none, or more than one."""
    found = []
    for folder in _folders():
        for path in sorted(folder.iterdir()) if _is_ours(folder) else ():
            with contextlib.suppress(OSError):
                file = os.open(path, os.O_RDONLY | this_computer.NO_LINK)
                try:
                    if not this_computer.lock(file):  # it runs
                        found.append(path.name.rpartition(":"))
                finally:
                    os.close(file)
    if len(found) != 1 or not found[0][2].isdigit():
        return None
    return login_at(found[0][0], int(found[0][2]))


@contextlib.contextmanager
def kept(host: str, port: int, password: str) -> Iterator[Path]:
    """Keeps the login until the end of this, and removes what others have left who were killed. Raises SiteError."""
    folder = _folders()[0]
    with _alone_in(folder):
        _tidy(folder)
        path = folder / _name(host, port)
        path.unlink(missing_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        this_computer.lock(file)
        os.write(file, f"{password}\n".encode())
    try:
        yield path
    finally:
        with contextlib.suppress(OSError, SiteError), _alone_in(folder):
            path.unlink(missing_ok=True)
            folder.rmdir()  # the last one does
        os.close(file)


def _name(host: str, port: int) -> str:
    """A login's file; empty where no broker for trying can be: this password goes to nobody else."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return ""
    return f"{address}:{port}" if address.is_loopback else ""


def _folders() -> list[Path]:
    """Where logins may be, first where a new one is kept."""
    folders = [Path(tempfile.gettempdir()) / f"callfloor-{this_computer.user_id()}"]
    if run := os.environ.get("XDG_RUNTIME_DIR"):
        with contextlib.suppress(OSError):
            if os.stat(run).st_uid == this_computer.user_id():  # after `su` it may be that of somebody else
                folders.insert(0, Path(run) / "callfloor")
    return folders


def _is_ours(folder: Path) -> bool:
    """Whether it is there. Raises SiteError where it is not a folder of ours alone: somebody made it before us."""
    try:
        told = folder.lstat()
    except FileNotFoundError:
        return False
    lent = stat.S_IMODE(told.st_mode) & 0o077 if this_computer.POSIX else 0  # on Windows all of it is a user's own
    if stat.S_ISDIR(told.st_mode) and told.st_uid == this_computer.user_id() and not lent:
        return True
    raise SiteError(
        f"{folder}: this is not a folder that you alone can open (yours, mode 700), and a password would go there; "
        "look whose it is, and remove it"
    )


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """The folder, made if need be, and nobody else at work in it."""
    while True:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if not _is_ours(folder):
            continue
        opened = os.open(folder, os.O_RDONLY | this_computer.FOLDER | this_computer.NO_LINK)
        try:
            this_computer.lock(opened, wait=True)
            if (
                _is_ours(folder) and folder.lstat().st_ino == os.fstat(opened).st_ino
            ):  # else it was removed meanwhile
                yield
                return
        finally:
            os.close(opened)


def _tidy(folder: Path) -> None:
    """Removes the logins of those that run no more."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # no file of ours: let it lie
            file = os.open(path, os.O_RDONLY | this_computer.NO_LINK)
            try:
                if this_computer.lock(file):
                    path.unlink()
            finally:
                os.close(file)
