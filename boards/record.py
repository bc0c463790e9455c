"""`callfloor board record`: what a desk's pins do, recorded by its board, as a file that the tests can play.

The board looks at the pins as often as it reads them and tells every change with its time; what it says of the
desk meanwhile stands in the file as what must be said, so that a fault in the field becomes a test.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import floorplan
from boards import trace, trying
from boards.ear import CommandError, Ear
from firmware import inputs
from firmware.countries import COUNTRIES

ANSWER_S = 5.0  # a board that is there has answered by then
END_S = 5.0  # and told its last this long after the end
MOST_S = 60

MOMENT_MS = 50  # a board that was held up says a thing so much later, or earlier

HEAD = 5  # lines of a trace before the first remark of ours that may be missing
RAW, ANSWER = "board/+/raw", "board/+/answer"
Fields = dict[str, Any]

RecordError = CommandError  # nothing can be recorded; the text says why and what to try


@dataclass(frozen=True)
class Column:
    """One column of a trace, and how it comes of a pin's level."""

    name: str
    pin: str
    text: Callable[[int], str]


@dataclass(frozen=True)
class Place:
    """Where a desk is plugged in. `entry` is its input as in board.json, without what cannot be recorded."""

    site: str
    desk: str
    board: str
    number: int
    entry: Fields
    times: dict[str, int]
    left_out: str  # what is not recorded, and why; or empty

    @property
    def columns(self) -> list[Column]:
        """In the order of a trace's columns."""
        phone, headset = self.entry.get("phone", {}), self.entry.get("headset", {})
        active, hook_active = headset.get("active"), phone.get("active")
        rows = [
            (
                "hook",
                phone.get("pin") if phone.get("by") == "contact" else None,
                _contact(hook_active),
            ),
            ("ring", phone.get("ring"), _contact(phone.get("ring_active", hook_active))),
            (
                "volts",
                phone.get("pin") if phone.get("by") == "line" else None,
                _volts(phone.get("divider", 100)),
            ),
            ("lamp", headset.get("pin"), _contact(active)),
            ("dock", headset.get("dock"), _contact(headset.get("dock_active", active))),
        ]
        return [Column(name, pin, text) for name, pin, text in rows if pin]


def _contact(active: str | None) -> Callable[[int], str]:
    return lambda level: str(int(level == (active == "high")))


def _volts(divider: float) -> Callable[[int], str]:
    def text(millivolts: int) -> str:
        for part_mv in (0, 0.01):  # what was read is whole, and so has to be what is played
            volts = f"{(millivolts + part_mv) * divider / 1000:.6g}"
            if int(float(volts) * 1000 / divider) == millivolts:
                break
        return volts

    return text


def run(
    plan: floorplan.Plan, desk: str, seconds: int, out: Path | None, address: tuple[str, int] | None
) -> None:
    """The command: records, then writes or prints the trace. Raises RecordError, SiteError."""
    where = place(plan, desk)
    broker = trying.broker_of(plan, address)
    if out:
        may_be_written(out)
    text = written(
        where, record(where, broker, seconds, lambda words: print(words, file=sys.stderr, flush=True))
    )
    if not out:
        print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecordError(f"--out {out}: {error.strerror}") from error
    print(f"written to {out}", file=sys.stderr)


def may_be_written(out: Path) -> None:
    """Before anything is recorded that could then be kept nowhere. Raises RecordError."""
    where = out if out.exists() else out.parent
    if out.is_dir() or not out.parent.is_dir() or not os.access(where, os.W_OK):
        raise RecordError(f"--out {out}: nothing can be written there; name a file in a folder of yours")


def place(plan: floorplan.Plan, desk: str) -> Place:
    """Where that desk is plugged in. Raises RecordError where nothing of it can be recorded."""
    if desk not in (row.id for row in plan.desk):
        names = [row.id for row in plan.desk]
        raise RecordError(f"no desk '{desk}' in the site file{floorplan.meant(desk, names)}")
    by_url = any(row.phone for row in plan.desk if row.id == desk)
    for board in plan.board:
        for number, found in enumerate(board.inputs):
            if found.desk != desk:
                continue
            entry = {
                name: part.model_dump(exclude_none=True)
                for name, part in (("phone", found.phone), ("headset", found.headset))
                if part and part.by != "usb"
            }
            left_out = "its phone tells by itself, by its action URLs" if by_url else ""
            if found.headset and found.headset.by == "usb":
                left_out = "its headset is read by USB, which has no pins" + (
                    f"; {left_out}" if by_url else ""
                )
            if not entry:
                why = left_out or "nothing is plugged in there"
                raise RecordError(
                    f"desk '{desk}': {why}; what can be recorded are contacts and a line's voltage"
                )
            times = floorplan.line_times(plan.phones)
            return Place(plan.site.id, desk, board.id, number, entry, times, left_out)
    if by_url:
        raise RecordError(
            f"desk '{desk}': its phone tells by itself, by its action URLs, and no board reads it; "
            "what can be recorded are contacts and a line's voltage at a board"
        )
    raise RecordError(f"desk '{desk}' is plugged in at no board: no [[board]] has it among its inputs")


@dataclass
class Recording:
    """What came of one recording, in order."""

    messages: list[Fields] = field(default_factory=list)
    ended: bool = False  # the last message is among them


def record(
    where: Place, broker: floorplan.Broker, seconds: int, tell: Callable[[str], None] = lambda words: None
) -> Recording:
    """Has the board record that desk for so long. Raises RecordError."""
    name = os.urandom(4).hex()
    pins = " ".join(column.pin for column in where.columns)
    with Ear(broker, where.site, [f"board/{where.board}/{what}" for what in ("raw", "answer")]) as ear:
        ear.say("board/+/command", where.board, id=name, do="raw", seconds=seconds, input=where.number, pins=pins)
        return _collected(where, ear, name, seconds, tell)


def _collected(where: Place, ear: Ear, name: str, seconds: int, tell: Callable[[str], None]) -> Recording:
    found = Recording()
    until_s = time.monotonic() + ANSWER_S
    answered = False
    while not found.ended:
        said = ear.hear(max(0.0, until_s - time.monotonic()))
        if said is None:
            break
        fields = said.fields
        if not fields or said.retained or fields["id"] != name:
            continue  # somebody else's
        if said.pattern == ANSWER and not fields["done"]:
            raise RecordError(f"board '{where.board}' says: {fields['words']}")
        if not answered:
            answered = True
            until_s = time.monotonic() + seconds + END_S
            tell(
                f"board '{where.board}' records desk '{where.desk}' for {seconds} s: lift, ring, dock, as it should be"
            )
        if said.pattern == RAW:
            found.messages.append(fields)
            found.ended = fields["last"]
    if not found.messages:
        raise RecordError(
            f"board '{where.board}' does not answer; is it on the page as ready, and may "
            "the broker's user of the site file write to it?"
        )
    return found


# The trace --------------------------------------------------------------------------


@dataclass
class Levels:
    """Levels of all pins, from `ms` on; `before` are comment lines."""

    ms: int
    pins: dict[str, int | None]
    before: tuple[str, ...] = ()


def levels(recording: Recording) -> list[Levels]:
    """Every change in order, and where messages were lost a comment; the times start with the first message."""
    rows: list[Levels] = []
    first = recording.messages[0]
    start_ms, next_seq, told_ms, thinned = first["ms"], 0, 0, 0
    for message in recording.messages:
        at_ms = message["ms"] - start_ms
        words = []
        if message["seq"] != next_seq:
            count = message["seq"] - next_seq
            words = [f"lost: {count} message{'s' if count > 1 else ''} of the board's, "
                     f"from {told_ms} to {at_ms} ms; what happened there is not in here"]  # fmt: skip
        if message["thinned"] > thinned:
            words.append(
                f"thinned out: {message['thinned'] - thinned} changes by {at_ms} ms found no room at the board"
            )
            thinned = message["thinned"]
        pins = dict(message["pins"])
        if words or not rows or pins != rows[-1].pins:
            rows.append(Levels(at_ms, dict(pins), tuple(words)))
        names = sorted(pins)
        for ms, number, level in _threes(message["rows"]):
            if number == len(names):
                continue  # no pin: the board was held up
            if rows[-1].ms != ms - start_ms:
                rows.append(Levels(ms - start_ms, dict(rows[-1].pins)))
            rows[-1].pins[names[number]] = level
        next_seq, told_ms = message["seq"] + 1, message["until_ms"] - start_ms
    end = () if recording.ended else (f"lost: the end of the recording, from {told_ms} ms on",)
    return [*rows, Levels(max(told_ms, rows[-1].ms + inputs.SAMPLE_MS), {}, end)]


def steps(recording: Recording, end_ms: int) -> list[int]:
    """How long it was from each reading of the pins to the next, in ms; empty where that was always the same."""
    start_ms = recording.messages[0]["ms"]
    held_up = {
        ms - start_ms - gap: gap
        for message in recording.messages
        for ms, number, gap in _threes(message["rows"])
        if number == len(message["pins"]) and gap is not None
    }
    found, at_ms = [], 0
    while held_up and at_ms < end_ms:
        found.append(held_up.get(at_ms, inputs.SAMPLE_MS))
        at_ms += found[-1]
    return found


def _threes(flat: list[Any]) -> Iterator[tuple[int, int, int | None]]:
    """(ms, place of the pin, level) of every change in a message."""
    return zip(flat[0::3], flat[1::3], flat[2::3], strict=False)


def said_by_board(recording: Recording) -> tuple[dict[str, str], list[trace.Said]]:
    """({what: state} as it was when the recording began, what the board said of the time from then on)."""
    start_ms = recording.messages[0]["ms"]
    begins: dict[str, str] = {}
    now: dict[str, tuple[str, str | None]] = {}
    said: list[trace.Said] = []
    begun: set[str] = set()
    for message in recording.messages:
        for ms, _, kind, fields, since_ms in message["said"]:
            why = fields.get("why")
            for what, state in _states(kind, fields):
                new = (state, why if state == "unknown" else None)
                if kind not in begun or since_ms < start_ms:
                    begins[what] = state  # or it was seen only now how it was
                elif new != now[what] and (state != now[what][0] or new[1]):
                    said.append((ms - start_ms, what, state, since_ms - start_ms, new[1]))
                now[what] = new
            begun.add(kind)
    return begins, said


def _states(kind: str, fields: Fields) -> list[tuple[str, str]]:
    """(what, state) of a reading, in a trace's words."""
    if kind == "phone":
        return [("phone", fields["state"])]
    return [(name, trace.STATES[fields.get(name)]) for name in trace.FIELDS]


def is_like(by_board: trace.Said, played: trace.Said) -> bool:
    """The same, but for a moment."""
    (ms, *said, since_ms, why), (other_ms, *other, other_since_ms, other_why) = by_board, played
    far_ms = max(abs(ms - other_ms), abs(since_ms - other_since_ms))
    return said == other and why == other_why and far_ms <= MOMENT_MS


def held_against(recording: Recording, played: list[trace.Said]) -> tuple[list[trace.Said], list[str]]:
    """(what the board said and, before it, what one must say who begins here; in words where that is not `played`)."""
    begins, by_board = said_by_board(recording)
    like = {row: next((other for other in played if is_like(row, other)), None) for row in by_board}
    alone = [row for row in played if row not in like.values()]
    first_ms = {row[1]: row[0] for row in reversed(by_board)}
    settling = [row for row in alone if row[0] < first_ms.get(row[1], row[0] + 1)]
    settled = {row[1]: row[2] for row in settling}
    words = [
        f"  {what} was {begins[what]} to the board as it began, and is {state} by these levels"
        for what, state in settled.items()
        if begins.get(what, state) != state
    ]
    words += [f"  only the board said: {trace.written([row])}" for row, other in like.items() if not other]
    words += [f"  only by these levels: {trace.written([row])}" for row in alone if row not in settling]
    return sorted([*settling, *by_board], key=lambda row: row[0]), words


def written(where: Place, recording: Recording) -> str:
    """The recording as a trace.

    `must` is what the board said, and before it what one must say who knows nothing of what was before. Where
    the levels give that when they are played, it stands there to the hundredth; where not, remarks say so.
    """
    rows = levels(recording)
    for poll_ms in ([], steps(recording, rows[-1].ms)):
        lines = _lines(where, rows, poll_ms)
        played = trace.play(trace.read("\n".join(lines)))
        said, words = held_against(recording, played)
        if not words:
            said = played
            break
    else:
        words.insert(0, "The board did not say what these levels give when they are played:")
    return (
        "\n".join(
            [*lines[:HEAD], *(f"# {line}" for line in words), *lines[HEAD:], "must", trace.written(said)]
        )
        + "\n"
    )


def _lines(where: Place, rows: list[Levels], poll_ms: list[int]) -> list[str]:
    """The trace down to its last row."""
    country = next((name for name, times in COUNTRIES.items() if times == where.times), None)
    lines = [
        f"# Desk {where.desk} of {where.site}, recorded for {rows[-1].ms / 1000:.0f} s by its board {where.board}.",
        f"# input {json.dumps(where.entry)}",
        f"# times {country or json.dumps(where.times)}",
        "# What stands under `must` is what the firmware said.",
        "# Where that was wrong, correct it by hand: then this file is the test of what is to be mended.",
    ]
    lines += [f"# Not recorded: {where.left_out}."] * bool(where.left_out)
    lines += ["# poll_ms " + " ".join(map(str, poll_ms))] * bool(poll_ms)
    lines.append(" ".join(["ms", *(column.name for column in where.columns)]))
    unread: set[str] = set()
    for row in rows:
        dark = {column.name for column in where.columns if row.pins and row.pins[column.pin] is None}
        lines += [f"# {line}" for line in row.before]
        lines += [f"# {name} cannot be read from {row.ms} ms on" for name in sorted(dark - unread)]
        lines += [f"# {name} is read again from {row.ms} ms on" for name in sorted(unread - dark) if row.pins]
        unread = dark if row.pins else unread
        cells = ((column, row.pins.get(column.pin)) for column in where.columns)
        lines.append(
            " ".join(
                [str(row.ms), *("-" if level is None else column.text(level) for column, level in cells)]
            )
        )
    return lines
