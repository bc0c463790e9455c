"""What a check finds, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from floorplan import Broker, Plan

GOOD, NOTE, WARNING, WRONG, UNKNOWN = "good", "note", "warning", "wrong", "unknown"
# note: nothing to see, or nothing to do about it. unknown: it could not be looked at.
LEVELS = (WRONG, UNKNOWN, WARNING, NOTE, GOOD)  # the worst first


class Finding(NamedTuple):
    """One thing that is as it should be, or is not."""

    level: str
    words: str
    mend: str = ""  # the command that mends it, or what to do
    check: str = ""  # which check found it, and
    why: str = ""  # why that matters: put in by whoever runs the checks


def good(words: str) -> Finding:
    return Finding(GOOD, words)


def note(words: str, mend: str = "") -> Finding:
    return Finding(NOTE, words, mend)


def warning(words: str, mend: str) -> Finding:
    return Finding(WARNING, words, mend)


def wrong(words: str, mend: str) -> Finding:
    return Finding(WRONG, words, mend)


def unknown(words: str, mend: str = "") -> Finding:
    return Finding(UNKNOWN, words, mend)


@dataclass
class Heard:
    """What was said at the broker while we listened: topics from the site on, the latest fields of each."""

    said: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = field(default_factory=dict)  # by pattern and ids
    seconds: float = 0.0
    trouble: str = "nobody has listened"  # why nothing was heard; empty: we were let in

    def get(self, pattern: str, *ids: str) -> dict[str, Any] | None:
        return self.said.get((pattern, ids))

    def ids(self, pattern: str) -> list[str]:
        """Whose messages of that pattern were heard."""
        return sorted(ids[0] for heard, ids in self.said if heard == pattern)


@dataclass
class Patient:
    """What is looked at. Without a site file, this computer alone."""

    site: Path | None = None
    plan: Plan | None = None
    web: tuple[str, int] = ("127.0.0.1", 8080)  # where the page is served
    listen_s: float = 6.0
    mirror: Path | None = None
    broker: Broker | None = None  # the site file's, or the only one for trying
    heard: Heard = field(default_factory=Heard)
    root: Path = Path("/")  # where /sys, /proc and /dev are

    @property
    def file(self) -> str:
        """The site file as a command names it."""
        return str(self.site) if self.site else "SITE.toml"


class Check(NamedTuple):
    """One row of the table. `run` looks, and yields what it finds; nothing where it does not apply."""

    name: str
    why: str
    run: Callable[[Patient], Iterable[Finding]]
    needs: str = ""  # "": nothing; "plan": a site file that can be read; "heard": and the broker
