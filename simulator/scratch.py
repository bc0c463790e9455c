"""A folder for what is there only while a command runs; those that were left by commands that were killed go away."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import this_computer


@contextlib.contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A folder for us alone, until the end of this. It is locked for as long, so nobody takes it for a leftover."""
    if not this_computer.FOLDER:  # Windows locks no folders, and tidies up what is temporary by itself
        with tempfile.TemporaryDirectory(prefix=prefix) as name:
            yield Path(name)
        return
    _tidy(prefix)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        held = _locked(folder)
        if held is not None and folder.exists():
            break
        if held is not None:
            os.close(held)  # somebody tidied up before it was locked
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _tidy(prefix: str) -> None:
    """Removes the folders of this user that nobody has locked."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        held = _locked(folder)
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _locked(folder: Path) -> int | None:
    """The folder, open and locked; None where it is not ours, is gone, or another has locked it."""
    try:
        held = os.open(folder, os.O_RDONLY | this_computer.FOLDER | this_computer.NO_LINK)
    except OSError:
        return None
    try:
        if os.fstat(held).st_uid == this_computer.user_id() and this_computer.lock(held):
            return held
    except OSError:
        pass
    os.close(held)
    return None
