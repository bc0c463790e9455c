"""How the way of a board from blank to desk is shown: steps with their times, and a bar for what takes long.

Bars only at a terminal; elsewhere a line a step. All of it goes to the error output: the result goes to the other.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from boards import readable

NAME = 10  # letters of a step's name


class Show:
    """One board's way, shown to nobody."""

    def step(self, name: str) -> None:
        """A step begins."""

    def said(self, words: str) -> None:
        """How it ended."""

    def also(self, words: str) -> None:
        """A line besides."""

    def progress(self, what: str, done: int, whole: int) -> None:
        """How far something is that takes long: a Progress."""

    def quiet(self) -> None:
        """No bar from now on, until the next step: somebody is asked something."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """The end."""


class Steps(Show):
    """A line a step, as it ends; at a terminal a bar below while it lasts."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
        self._bars = _bars(self._console) if self._console.is_terminal else None
        self._task: TaskID | None = None
        self._name, self._began_s = "", 0.0

    def step(self, name: str) -> None:
        self._drop()
        self._name, self._began_s = name, time.monotonic()
        if self._bars:
            self._bars.start()
            self._task = self._bars.add_task(name, total=None, what="")

    def said(self, words: str) -> None:
        self._drop()
        took_s = time.monotonic() - self._began_s
        self._console.print(f"{self._name:<{NAME}} {words}  ({took_s:.1f} s)", markup=False)

    def also(self, words: str) -> None:
        self._drop()
        self._console.print(f"{'':<{NAME}} {words}", markup=False)

    def progress(self, what: str, done: int, whole: int) -> None:
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=done, total=whole, what=_short(what))

    def quiet(self) -> None:
        self._drop()

    def _drop(self) -> None:
        if self._bars and self._task is not None:
            self._bars.remove_task(self._task)
            self._bars.stop()
            self._task = None

    def __exit__(self, *_: object) -> None:
        self._drop()


class Many:
    """Several boards at once: a bar each at a terminal, else a line as each board's steps end. A context manager."""

    def __init__(self, names: Mapping[str, str], console: Console | None = None) -> None:
        """`names`: board → what stands before its bar or lines."""
        self._console = console or Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
        self._bars = _bars(self._console) if self._console.is_terminal else None
        self._lock = threading.Lock()
        self._names = names

    def one(self, board: str) -> Show:
        """What shows one of them, from any thread."""
        name = self._names[board]
        return _Bar(self._bars, name) if self._bars else _Line(self._console, name, self._lock)

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()


class _Bar(Show):
    def __init__(self, bars: Progress, name: str) -> None:
        self._bars, self._name = bars, name
        self._task = bars.add_task(name, total=1, what="waits")

    def step(self, name: str) -> None:
        self._bars.update(self._task, completed=0, total=1, what=name)

    def progress(self, what: str, done: int, whole: int) -> None:
        self._bars.update(self._task, completed=done, total=max(1, whole), what=_short(what))

    def __exit__(self, kind: object, *_: object) -> None:
        self._bars.update(self._task, completed=0 if kind else 1, total=1, what="failed" if kind else "done")


class _Line(Show):
    def __init__(self, console: Console, name: str, lock: threading.Lock) -> None:
        self._console, self._who, self._lock = console, name, lock
        self._name = ""

    def step(self, name: str) -> None:
        self._name = name

    def said(self, words: str) -> None:
        with self._lock:
            self._console.print(f"{self._who}  {self._name:<{NAME}} {words}", markup=False)

    def also(self, words: str) -> None:
        self.said(words)


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows as lines, their columns below each other."""
    rows = [tuple(readable.plain(cell) for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def at_terminal() -> bool:
    """Somebody sits there who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()


def _bars(console: Console) -> Progress:
    text, what = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[what]}", markup=False)
    return Progress(text, BarColumn(), what, TimeElapsedColumn(), console=console, transient=True)


def _short(what: str) -> str:
    return what.rpartition("/")[2][:32]
