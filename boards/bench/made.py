"""The record of boards made: SITE.bench.json beside the site file, a row for each board of the plan. No secrets.

`flash` writes it, `--next` and `--all` take from it which board of the plan comes next, `list` what is new to us.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

import this_computer
from boards.bench import BenchError

MOST_BYTES = 4 * 2**20  # 5000 boards have 1.5


class Made(BaseModel):
    """One board that was made."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    chip: str  # its unique id in hex, "" where it has none
    definition: str
    firmware: str  # 16 hex digits, as it says hello
    image: str  # the MicroPython that runs on it: 1.28.0
    serial: str = ""  # of its USB port, "" where it has none
    when: str  # as 2026-11-22T14:00:00Z
    proved: bool = False  # it has said hello


def file_of(site: Path) -> Path:
    """Where the record of that site file is."""
    return site.with_name(site.stem + ".bench.json")


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(path: Path) -> dict[str, Made]:
    """Board → how it was made; empty where none was yet. Raises BenchError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too long")
        rows: Any = json.loads(path.read_text(encoding="utf-8"))
        return {str(board): Made.model_validate(row) for board, row in rows["boards"].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BenchError(f"{path}: the record of boards made cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        why = str(error).splitlines()[0]
        raise BenchError(
            f"{path}: is no record of boards made ({why}); move it away: `board flash` begins a new one, and boards "
            "that say hello are known by the broker"
        ) from error


def note(path: Path, board: str, made: Made) -> None:
    """Writes one row, whoever else writes others at the same moment. Raises BenchError."""
    try:
        with _alone(path):
            rows = read(path)
            rows[board] = made
            _write(path, rows)
    except OSError as error:
        raise BenchError(f"{path}: the record of boards made cannot be written ({error.strerror or error})") from error


def forget(path: Path, board: str) -> bool:
    """Removes one row; whether there was one. Raises BenchError."""
    try:
        if not path.exists():
            return False
        with _alone(path):
            rows = read(path)
            there = rows.pop(board, None) is not None
            if there:
                _write(path, rows)
            return there
    except OSError as error:
        raise BenchError(f"{path}: the record of boards made cannot be written ({error.strerror or error})") from error


def serials(rows: Mapping[str, Made]) -> set[str]:
    """The USB serials of the boards that were made; many have none, or that of a whole batch."""
    return {row.serial for row in rows.values() if row.serial}


def board_of(chip: str, rows: dict[str, Made]) -> str | None:
    """Which board was made of that chip; None: none, or several. Some makers give all their chips one number."""
    there = [board for board, row in rows.items() if chip and row.chip == chip]
    return there[0] if len(there) == 1 else None


def _write(path: Path, rows: dict[str, Made]) -> None:
    """The old file or the new one at any moment; it stays whose it was."""
    owner = None
    with contextlib.suppress(OSError):
        told = (path if path.exists() else path.parent).stat()
        owner = (told.st_uid, told.st_gid) if this_computer.is_root() else None
    file, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(file, "w", encoding="utf-8") as out:
            json.dump({"boards": {board: row.model_dump() for board, row in rows.items()}}, out, indent=1)
            out.write("\n")
            out.flush()
            this_computer.give(file, owner)
            this_computer.close_to_others(file, 0o644)
            os.fsync(file)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    this_computer.keep(path.parent)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One command, and one thread of it, at a time."""
    lock = this_computer.opened_to_lock(path.resolve().parent)
    try:
        this_computer.lock(lock, wait=True)
        yield
    finally:
        os.close(lock)
