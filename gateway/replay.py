"""A recording of Asterisk's manager interface, read as the live stream is: what each queue's figures were.

Time is the events' own (`Timestamp`), so a day takes seconds. Where the recording has no times, only
the order of things is known, and waits are Asterisk's own whole seconds.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from floorplan import Target
from gateway.queues import events
from gateway.queues.ami import Block, Blocks
from gateway.queues.events import Event
from gateway.queues.figures import QueueFigures
from gateway.queues.totals import COUNTED, LONGEST, RATES, SERVICE_LEVEL, Totals
from gateway.queues.translate import FORGET_S, HEARD, OF_MEMBERS, UNTOLD, Adapter

CHUNK = 1 << 20  # read at a time
NOTHING_BYTES = 64 << 20  # so much without a single event, and it is no recording
JUMP_S = 1.0  # times that go back by more than this: somebody set the PBX's clock
STEP_S = 0.001  # from one event to the next, where the recording has no times

# What says nothing of callers, or that the source is away: a recording is always there.
PASSED_OVER = frozenset({events.Away, events.Back, events.Missing, events.Member, events.MemberGone})


class ReplayError(Exception):
    """A recording that cannot be read; the text says why and what to try."""


# Reading -------------------------------------------------------------------------


class Recording:
    """A file's bytes, unpacked where it is a gzip. `broken` says why they end too early."""

    def __init__(self, file: BinaryIO):
        self.broken = ""
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        first = self._file.read(CHUNK)
        packed = first.startswith(b"\x1f\x8b")
        return self._unpacked(first) if packed else self._plain(first)

    def _plain(self, data: bytes) -> Iterator[bytes]:
        while data:
            yield data
            data = self._file.read(CHUNK)

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        unpack = zlib.decompressobj(wbits=31)
        try:
            while data:
                yield unpack.decompress(data, CHUNK)
                data = unpack.unconsumed_tail
                if unpack.eof:  # a file of several, one behind the other
                    data = unpack.unused_data.lstrip(b"\0") or self._file.read(CHUNK).lstrip(b"\0")
                    unpack = zlib.decompressobj(wbits=31)
                    if not data:
                        return
                data = data or self._file.read(CHUNK)
            self.broken = "the gzip is cut off"
        except zlib.error:
            self.broken = "the gzip is damaged"


class Clock:
    """The recording's time, made steady: set back or set far ahead, it goes on from where it was."""

    def __init__(self) -> None:
        self.now = 0.0
        self.began: float | None = None  # None: there has been no time yet
        self.jumps = 0
        self._shift = 0.0

    def hear(self, text: str) -> float:
        """The time now, by an event's Timestamp; a senseless one changes nothing."""
        try:
            stamp = float(text)
        except ValueError:
            return self.now
        if not 0 < stamp < 1e11:
            return self.now
        at = stamp + self._shift
        if self.began is None:
            self.began = self.now = at
        elif at < self.now - JUMP_S or at > self.now + FORGET_S:
            self.jumps += 1
            self._shift += self.now - at
        elif at > self.now:
            self.now = at
        return self.now

    @property
    def passed_s(self) -> float:
        """How long the recording is, so far."""
        return self.now - self.began if self.began is not None else 0.0


# Counting ------------------------------------------------------------------------


@dataclass
class Stretch:
    """One queue over some time: where it stood at the end of it, and what was counted in it."""

    waiting: int
    oldest_wait_s: float
    totals: Totals


@dataclass
class Replay:
    """Goes through one recording. `every_s`: `told(end, stretches)` is called for each such stretch."""

    target: Target
    every_s: float | None = None
    told: Callable[[float, dict[str, Stretch]], None] = lambda _end, _stretches: None
    blocks: Blocks = field(default_factory=lambda: Blocks(HEARD - OF_MEMBERS))
    queues: dict[str, QueueFigures] = field(default_factory=dict)  # by the PBX's name
    clock: Clock = field(default_factory=Clock)
    heard: int = 0  # blocks that were looked at
    timed: bool = True  # it has times
    notes: list[str] = field(default_factory=list)  # what has to be said about it, in words
    adapter: Adapter = field(default_factory=lambda: Adapter(None))
    _before: dict[str, Totals] = field(default_factory=dict)  # at the end of the last stretch
    _next_s: float = 0.0  # where this stretch ends

    def run(self, recording: Recording) -> None:
        """Reads it to its end. Raises ReplayError for what is no recording."""
        size = 0
        for data in recording:
            if not size:
                self._begin(data)
            size += len(data)
            for block in self.blocks.feed(data):
                self._hear(block)
            if size > NOTHING_BYTES and self._nothing:
                break
        if self._nothing:
            why = recording.broken or "there is no event in it"
            raise ReplayError(f"is no recording of Asterisk's manager interface: {why}")
        self._end(recording.broken)

    @property
    def _nothing(self) -> bool:
        return not (self.heard or self.blocks.unheard or self.blocks.banner)

    def _begin(self, data: bytes) -> None:
        """What comes before the first time belongs to that time: a list has none of its own."""
        found = re.search(rb"(?i)\ntimestamp: *([0-9.]+)", data)
        self.timed = self.adapter.timed = found is not None
        if found:
            self.clock.hear(found[1].decode())
        else:
            self.notes.append(
                "it has no times (timestampevents = yes in manager.conf): waits are whole seconds"
            )
        self._next_s = self.clock.now + (self.every_s or 0.0)

    def _hear(self, block: Block) -> None:
        self.heard += 1
        if self.timed:
            stamp = block.get("Timestamp")
            now = self.clock.hear(stamp) if stamp else self.clock.now
            if self.every_s and now >= self._next_s:
                self._stretches(now)
        else:
            now = self.clock.now = self.clock.now + STEP_S
        self._take(self.adapter.due(now))
        self._take(self.adapter.event(block, now))
        if "Banner" in block or block.get("Message") == "Authentication accepted":
            self._take(self.adapter.cut(now))

    def _take(self, told: list[Event]) -> None:
        for event in told:
            if type(event) in PASSED_OVER:
                continue
            name: str = event.queue  # type: ignore[union-attr]  # all others have one
            queue = self.queues.get(name)
            if queue is None:
                queue = self.queues[name] = QueueFigures(self.target, UNTOLD)
                queue.apply(events.Back())
            queue.apply(event)

    def _stretches(self, now: float) -> None:
        assert self.every_s
        while now >= self._next_s:
            self._take(self.adapter.due(self._next_s))
            self._stretch(self._next_s)
            self._next_s += self.every_s

    def _stretch(self, end: float) -> None:
        stretches = {}
        for name, queue in self.queues.items():
            since = queue.oldest_since_s
            oldest_s = end - since if since is not None else 0.0
            stretches[name] = Stretch(
                queue.waiting or 0, oldest_s, _less(queue.totals, self._before.get(name))
            )
            self._before[name] = Totals(**asdict(queue.totals))
        self.told(end - (self.clock.began or 0.0), stretches)

    def _end(self, broken: str) -> None:
        now = self.clock.now
        if self.blocks.unfinished and not broken:
            broken = "it ends in the middle of a block"
        if broken:
            self.notes.append(f"{broken}: what comes before has been counted")
            self._take(self.adapter.lost("", now))  # what decided the last ones may have been cut off
        if self.every_s and self.timed and now > self._next_s - self.every_s:
            self._stretch(now)
        self._take(self.adapter.finish(now))
        if self.clock.jumps:
            times = "once" if self.clock.jumps == 1 else f"{self.clock.jumps} times"
            self.notes.append(f"its clock was set {times}: waits then are Asterisk's own")
        if not self.queues:
            self.notes.append("there is no queue in it: was it recorded with read = agent?")

    def thrown_away(self) -> dict[str, int]:
        """What was not used, by why."""
        return {
            "other_events": self.blocks.unheard,
            "half_events": self.adapter.dropped["half"],
            "long_lines": self.blocks.long_lines,
            "long_blocks": self.blocks.long_blocks,
            "queues_too_many": self.adapter.dropped["queue"],
            "calls_too_many": self.adapter.dropped["full"],
        }


def _less(totals: Totals, before: Totals | None) -> Totals:
    """What has been counted since; of LONGEST, all of it."""
    before = before or Totals()
    names = (name for name in COUNTED if name not in LONGEST)
    return Totals(**{name: getattr(totals, name) - getattr(before, name) for name in names})


# Saying --------------------------------------------------------------------------

COUNTS = ("joined", "answered", "abandoned", "timed_out", "left_by_key", "left", "vanished")
COLUMNS = (*COUNTS, "waiting", "asa_s", "longest_wait_s", "aht_s", "service_level")


def figures(queue: QueueFigures) -> dict[str, float | None]:
    """The COLUMNS of one queue; None for what is not known."""
    values: dict[str, float | None] = {name: queue.count(name) for name in COUNTS}
    values["waiting"] = queue.waiting
    values["asa_s"] = queue.rate("asa_s")
    values["longest_wait_s"] = queue.count("longest_wait_s")
    values["aht_s"] = queue.rate("aht_s")
    values["service_level"] = queue.service_level
    return {name: _rounded(values[name], 4 if name == "service_level" else 3) for name in COLUMNS}


def _rounded(value: float | None, digits: int) -> float | None:
    return round(value, digits) if isinstance(value, float) else value


def document(replay: Replay) -> dict[str, Any]:
    """Everything a replay found, for --json."""
    return {
        "queues": {name: figures(queue) for name, queue in sorted(replay.queues.items())},
        "formula": replay.target.formula,
        "within_s": replay.target.within_s,
        "calls": sum(queue.totals.joined for queue in replay.queues.values()),
        "events": replay.heard + replay.blocks.unheard,
        "seconds": round(replay.clock.passed_s, 3) if replay.timed else None,
        "thrown_away": replay.thrown_away(),
        "notes": replay.notes,
    }


def table(replay: Replay) -> str:
    """The same for people: a line a queue."""
    rows = [["queue", *COLUMNS]]
    for name, queue in sorted(replay.queues.items()):
        values = figures(queue)
        rows.append([_printable(name), *(_cell(column, values[column]) for column in COLUMNS)])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) if place else cell.ljust(width)
                  for place, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    )  # fmt: skip


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return "–"
    if column == "service_level":
        return f"{value * 100:.1f} %"
    return f"{value:.1f}" if column.endswith("_s") else str(value)


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _stretch_line(end_s: float, name: str, row: dict[str, float | None]) -> str:
    minutes, seconds = divmod(round(end_s), 60)
    words = [f"waiting {row['waiting']}", f"oldest {_cell('oldest_wait_s', row['oldest_wait_s'])} s",
             f"answered {row['answered']}", f"ASA {_cell('asa_s', row['asa_s'])} s",
             f"service level {_cell('service_level', row['service_level'])}"]  # fmt: skip
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}  {_printable(name)}: {', '.join(words)}"


def target(within_s: int, formula: str) -> Target:
    """What service level is held against. Raises ReplayError for a formula that is none."""
    if formula not in SERVICE_LEVEL:
        close = difflib.get_close_matches(formula, SERVICE_LEVEL, n=1, cutoff=0.3)
        meant = f"did you mean {close[0]}? " if close else ""
        raise ReplayError(f"--formula: there is no '{formula}'; {meant}there is {', '.join(SERVICE_LEVEL)}")
    return Target.model_validate({"within_s": within_s, "formula": formula})


def run(path: str, within_s: int, formula: str, every_s: float | None, as_json: bool) -> None:
    """Replays the file at `path` (`-`: standard input) and prints what it found. Raises ReplayError."""
    wanted = target(within_s, formula)

    def tell(end_s: float, stretches: dict[str, Stretch]) -> None:
        for name, stretch in sorted(stretches.items()):
            row: dict[str, float | None] = {
                "waiting": stretch.waiting,
                "oldest_wait_s": round(stretch.oldest_wait_s, 3),
                "answered": stretch.totals.answered,
                "asa_s": _rounded(RATES["asa_s"].value(stretch.totals, UNTOLD), 3),
                "service_level": _rounded(SERVICE_LEVEL[formula].value(stretch.totals, UNTOLD), 4),
            }
            line = {"until_s": round(end_s, 3), "queue": name, **row}
            print(json.dumps(line) if as_json else _stretch_line(end_s, name, row))

    replay = Replay(wanted, every_s, tell)
    try:
        if path == "-":
            replay.run(Recording(sys.stdin.buffer))
        else:
            with open(path, "rb") as file:
                replay.run(Recording(file))
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read ({error.strerror}): is the path right?") from error
    except ReplayError as error:
        raise ReplayError(f"{path}: {error}") from None
    if every_s and not replay.timed:
        replay.notes.append("--every says nothing where there are no times")
    for note in replay.notes:
        print(f"callfloor: {path}: {note}", file=sys.stderr)
    print(json.dumps(document(replay)) if as_json else table(replay))
