"""What differs between Linux, macOS and Windows, in one place: locks, whose a file is, and how one is opened.

Nothing else of ours imports fcntl, pwd, grp or resource at its top: so all commands for boards run everywhere.
"""

from __future__ import annotations

import contextlib
import getpass
import importlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

POSIX = hasattr(os, "geteuid")
NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # for os.open: what is a link is not opened
FOLDER = getattr(os, "O_DIRECTORY", 0)  # and nothing but a folder
NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # and a pipe keeps nobody waiting
FAR = 2**30  # Windows lets nobody read what is locked: so what is locked there lies behind all that is in a file
AGAIN_S = 0.02


def lock(file: int, wait: bool = False) -> bool:
    """Whether nobody else has locked this open file; if so we have, until it is closed, however we end.

    wait: until nobody has. Raises OSError where this disk knows no locks.
    """
    while not _locked(file):
        if not wait:
            return False
        time.sleep(AGAIN_S)
    return True


def opened_to_lock(folder: Path) -> int:
    """A folder, open to be locked; on Windows a file in it. Raises OSError."""
    if FOLDER:
        return os.open(folder, os.O_RDONLY | FOLDER)
    return os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)


def _locked(file: int) -> bool:
    fcntl = _module("fcntl")
    if fcntl:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
    windows = importlib.import_module("msvcrt")
    here = os.lseek(file, 0, os.SEEK_CUR)
    try:
        os.lseek(file, FAR, os.SEEK_SET)
        with contextlib.suppress(PermissionError):
            windows.locking(file, windows.LK_NBLCK, 1)
            return True
        return False
    finally:
        os.lseek(file, here, os.SEEK_SET)


def _module(name: str) -> Any:
    """One of Python's modules that is not everywhere; None where it is not."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def user_id() -> int:
    """Who we are, as a file's st_uid has it. On Windows all files say 0, and so do we."""
    return os.geteuid() if POSIX else 0


def ourselves() -> tuple[int, int]:
    """(user, group) of what we make."""
    return (os.geteuid(), os.getegid()) if POSIX else (0, 0)


def is_root() -> bool:
    """Whether we may give files to others. On Windows nobody does."""
    return POSIX and os.geteuid() == 0


def user_name() -> str:
    """What this computer calls us; a number where we have no name."""
    pwd = _module("pwd")
    try:
        return str(pwd.getpwuid(os.geteuid()).pw_name) if pwd and POSIX else getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(user_id())


def give(path: Path | int, owner: tuple[int, int] | None) -> None:
    """Makes a file or folder another's, never what a link leads to. None, or Windows: it stays as it is."""
    if owner and POSIX:
        if isinstance(path, int):
            os.fchown(path, *owner)
        else:
            os.chown(path, *owner, follow_symlinks=False)


def close_to_others(file: int, mode: int = 0o600) -> None:
    """The mode of an open file; on Windows a folder's rights hold for all in it."""
    if POSIX:
        os.fchmod(file, mode)


def keep(folder: Path) -> None:
    """What was renamed in a folder is so after a power cut, too; Windows does that by itself."""
    if FOLDER:
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def micropython() -> str | None:
    """The MicroPython that was installed with us, or one on the path; None where there is none."""
    beside = Path(sys.executable).with_name("micropython")
    return str(beside) if beside.exists() else shutil.which("micropython")
