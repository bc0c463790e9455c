"""`callfloor board check`: the wires of a board's desks tried where they hang, over the broker, with a technician.

The board tells its raw levels for a minute at a time, and is asked again for as long as this goes on. What is
concluded of them is decided in boards/bench/wiring.py.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import floorplan
from boards import trying
from boards.bench import BenchError, wiring
from boards.bench.wiring import Finding, Interview
from boards.ear import CommandError, Ear

LOOK_S = 0.1
RAW_S = 60  # a recording is at most so long
AGAIN_S = 50
SILENT_S = 6.0  # a board that records tells something every 0.2 s
STEP_S = 900.0  # somebody who has not come back by then has gone
LINES = 60  # of what is seen live, in one step
ANSWER_S = 5.0
PINS_LETTERS = 128  # in a command
END = ""  # of what is typed

Levels = tuple[int, dict[str, int | None]]  # ms, the pins that are told
Tell = Callable[[str], object]
Ask = Callable[[], str | None]  # what was typed, or None: nothing yet


# What the board tells -----------------------------------------------------------------


class Wires:
    """A board's raw levels and what it says of its inputs, without end. Raises CommandError, SiteError."""

    def __init__(
        self, plan: floorplan.Plan, board: str, pins: list[str], free: list[str], address: tuple[str, int] | None
    ) -> None:
        topics = [f"board/{board}/{what}" for what in ("raw", "answer", "input/+/phone", "input/+/headset")]
        self.pins: set[str] = set()  # those that the board reads
        self._board = board
        # What it is asked for, until it obeys: all, and what a wire may sit on by mistake; all that it reads, for one
        # with older firmware; these pins, for one with so many that no message holds them.
        self._asks = [*([as_free(free)] if free else []), None, " ".join(pins)]
        self._name = ""
        self._seq = 0
        self._offset_ms: int | None = None
        self._asked_s = self._heard_s = 0.0
        self._began_s = time.monotonic()
        self._ear = Ear(trying.broker_of(plan, address), plan.site.id, topics)

    def close(self) -> None:
        self._ear.close()

    def begin(self, interview: Interview) -> None:
        """Until the board has told its levels for the first time."""
        self._ask()
        until_s = time.monotonic() + ANSWER_S
        while not self.pins:
            self.bring(interview, LOOK_S)
            if not self.pins and time.monotonic() > until_s:
                raise CommandError(
                    f"board '{self._board}' does not answer; is it on the page as ready, and may the broker's user of "
                    "the site file write to it?"
                )

    def bring(self, interview: Interview, seconds: float) -> list[str]:
        """What came within so long goes to the interview; words of what is new."""
        news: list[str] = []
        for said in self._ear.all(seconds):
            fields = said.fields
            if not fields:
                continue
            if said.pattern.startswith("board/+/input/"):
                words = interview.said(int(said.ids[1]), said.pattern.rsplit("/", 1)[1], fields)
                news += [words] if words else []
            elif fields["id"] == self._name and not said.retained:
                if said.pattern == "board/+/answer":
                    self._answered(fields)
                else:
                    news += self._raw(interview, fields)
        if self.pins and time.monotonic() - self._asked_s > AGAIN_S:
            self._ask()
        if self.pins and time.monotonic() - self._heard_s > SILENT_S:
            raise CommandError(f"board '{self._board}' tells nothing any more; has it lost its power or the network?")
        return news

    def _ask(self) -> None:
        self._name, self._offset_ms, self._seq = os.urandom(4).hex(), None, 0
        self._asked_s = self._heard_s = time.monotonic()
        self._ear.say("board/+/command", self._board, id=self._name, do="raw", seconds=RAW_S,
                      pins=self._asks[0])  # fmt: skip

    def _answered(self, fields: dict[str, Any]) -> None:
        if fields["done"]:
            return
        self._asks.pop(0)
        if not self._asks:
            raise CommandError(f"board '{self._board}' says: {fields['words']}")
        self._ask()

    def _raw(self, interview: Interview, fields: dict[str, Any]) -> list[str]:
        self._heard_s = time.monotonic()
        if self._offset_ms is None:
            self._offset_ms = int((self._heard_s - self._began_s) * 1000) - fields["until_ms"]
        self.pins = set(fields["pins"])
        news = []
        for ms, levels in changes(fields):
            news += interview.levels(ms + self._offset_ms, levels)
        interview.told(fields["until_ms"] + self._offset_ms)
        return news


def as_free(pins: list[str]) -> str:
    """Pins for the command `raw` that nothing reads, as many as it has room for: those first that stand first."""
    words = "+"
    for pin in pins:
        if len(words) + 1 + len(pin) <= PINS_LETTERS:
            words += f" {pin}"
    return words


def changes(fields: dict[str, Any]) -> Iterator[Levels]:
    """The levels as a message of `board/+/raw` begins, then each change."""
    yield fields["ms"], fields["pins"]
    names, flat = sorted(fields["pins"]), fields["rows"]
    for ms, place, level in zip(flat[0::3], flat[1::3], flat[2::3], strict=False):
        if 0 <= place < len(names):
            yield ms, {names[place]: level}


# The technician -----------------------------------------------------------------------


def guided(wires: Wires, interview: Interview, ask: Ask, tell: Tell) -> None:
    """Step by step, until all are done. Raises KeyboardInterrupt where the technician has had enough."""
    while interview.step:
        tell(interview.asks())
        interview.begin()
        skipped = _one_step(wires, interview, ask, tell)
        for finding in interview.end(skipped):
            tell(written(finding))


def _one_step(wires: Wires, interview: Interview, ask: Ask, tell: Tell) -> bool:
    """Whether it was skipped."""
    began_s = time.monotonic()
    entered_s: float | None = None
    shown = 0
    while not interview.met():
        for words in wires.bring(interview, LOOK_S):
            shown += 1
            if shown <= LINES:
                tell(words if shown < LINES else "    … and more")
        said = ask()
        if said is not None and said.strip().lower() in ("s", "skip"):
            return True
        if said is not None and entered_s is None:
            entered_s = time.monotonic()
        if entered_s is not None and (time.monotonic() - entered_s) * 1000 > interview.settle_ms:
            return False
        if time.monotonic() - began_s > STEP_S:
            return True
    return False


def watched(wires: Wires, interview: Interview, seconds: float, tell: Tell) -> list[Finding]:
    """Nobody is asked: what was seen in so long."""
    until_s = time.monotonic() + seconds
    interview.begin()
    shown = 0
    while (left_s := until_s - time.monotonic()) > 0:
        for words in wires.bring(interview, min(LOOK_S, left_s)):
            shown += 1
            if shown <= 10 * LINES:
                tell(words if shown < 10 * LINES else "    … and more")
    return interview.watched()


def keys() -> Ask:
    """What is typed, line by line; the end of the input is as Ctrl-C."""
    typed: queue.Queue[str] = queue.Queue()
    file = sys.stdin.fileno()

    def read() -> None:
        while data := os.read(file, 1024):  # past sys.stdin's lock, which nobody could take at the end of the program
            typed.put(data.decode(errors="replace"))
        typed.put(END)

    threading.Thread(target=read, daemon=True).start()

    def ask() -> str | None:
        try:
            line = typed.get_nowait()
        except queue.Empty:
            return None
        if line == END:
            raise KeyboardInterrupt
        return line

    return ask


# The command --------------------------------------------------------------------------


def place_of(plan: floorplan.Plan, board: str | None, desk: str | None) -> floorplan.Board:
    """The board to be checked. Raises BenchError."""
    boards = {row.id: row for row in plan.board}
    if desk is not None:
        if desk not in (row.id for row in plan.desk):
            raise BenchError(f"no desk '{desk}' in the site file{floorplan.meant(desk, [d.id for d in plan.desk])}")
        found = [row for row in plan.board if any(place.desk == desk for place in row.inputs)]
        if not found:
            raise BenchError(f"desk '{desk}' is plugged in at no board: no [[board]] has it among its inputs")
        if board not in (None, found[0].id):
            raise BenchError(f"desk '{desk}' is at board '{found[0].id}', not '{board}': name one of the two")
        return found[0]
    reading = [row.id for row in plan.board if row.inputs]
    if board is None and len(reading) == 1:
        board = reading[0]
    if board is None:
        raise BenchError(f"board check: name a board, or --desk DESK; there is {', '.join(reading[:20]) or 'none'}")
    if board not in boards:
        raise BenchError(f"no board '{board}' in the site file{floorplan.meant(board, boards)}")
    return boards[board]


def interview_of(plan: floorplan.Plan, board: floorplan.Board, desk: str | None) -> Interview:
    """Of one desk, or of all at a board. Raises BenchError where there are no wires to try."""
    wires = wiring.wires_of(board, desk)
    if not wires:
        by_url = any(row.phone for row in plan.desk if row.id == desk)
        where = f"desk '{desk}'" if desk else f"board '{board.id}'"
        more = "; its phone tells by itself, by its action URLs" if by_url else ""
        raise BenchError(f"{where}: no pin of a board reads anything there{more}")
    return Interview(board.id, wires, wiring.wires_of(board), free_pins(plan, board), floorplan.line_times(plan.phones))


def free_pins(plan: floorplan.Plan, board: floorplan.Board) -> list[str]:
    """Pins that could be an input and that nothing uses, as far as the board's page is known."""
    from boards import definition

    try:
        page = definition.read(board.definition)
    except definition.DefinitionError:
        return []
    used = {pin for place in board.inputs for _, pin in place.pins()}
    for wall in plan.walls_of(board.id):
        used |= {pin for pin in (wall.panel.sck, wall.panel.mosi, wall.panel.cs) if pin}
        used |= {wall.light.pin} if wall.light else set()
        bus = page.spi.get(wall.panel.bus or "")
        used |= {pin for pin in (bus.sck[0], bus.mosi[0], bus.cs, bus.miso) if pin} if bus else set()
    return [pin for pin in page.pins if pin not in used and pin not in page.avoid]


def run(
    plan: floorplan.Plan, board: str | None, desk: str | None, seconds: float | None,
    address: tuple[str, int] | None, as_json: bool = False, ask: Ask | None = None,
    begun: Callable[[], object] = lambda: None,
) -> int:  # fmt: skip
    """The command; its exit status. Raises BenchError, CommandError, SiteError.

    seconds: nobody is asked, all is watched for so long. as_json: the findings alone on standard output. begun: is
    called when the board tells its levels.
    """
    row = place_of(plan, board, desk)
    interview = interview_of(plan, row, desk)
    if seconds is None and ask is None:
        if not sys.stdin.isatty():
            raise BenchError("board check asks at a terminal, step by step; without one it watches: --seconds 30")
        ask = keys()

    def tell(words: str) -> None:
        print(words, file=sys.stderr if as_json else sys.stdout, flush=True)

    stopped = False
    wires = Wires(plan, row.id, [wire.pin for wire in interview.wires], interview.free, address)
    try:
        wires.begin(interview)
        begun()
        interview.not_read(wires.pins)
        if seconds is None and ask:
            tell("Enter: that is done, though nothing is seen. s Enter: skip this. Ctrl-C: end here.")
            guided(wires, interview, ask, tell)
        else:
            tell(f"watched for {seconds:g} s: let somebody lift, ring and dock meanwhile")
            findings = watched(wires, interview, seconds or 0, tell)
    except KeyboardInterrupt:
        stopped = True
    except CommandError as error:
        if not interview.findings:
            raise
        tell(f"{error}; this is what was found until then:")
        stopped = True
    finally:
        wires.close()
    if seconds is None or stopped:
        findings = interview.result()
    findings += wiring.by_usb(row, desk)
    if as_json:
        rows = [finding._asdict() for finding in findings]
        print(json.dumps({"board": row.id, "ok": _status(findings, stopped, seconds) == 0, "findings": rows}, indent=1))
    else:
        tell("\n" + "\n".join(listed(findings)))
    return _status(findings, stopped, seconds)


def _status(findings: list[Finding], stopped: bool, seconds: float | None) -> int:
    """1: something is wrong, or nothing is known of a wire that was watched; 130: ended before all was tried."""
    if any(row.ok is False for row in findings):
        return 1
    if stopped:
        return 130
    return int(seconds is not None and any(row.pattern == "unseen" for row in findings))


def listed(findings: list[Finding]) -> list[str]:
    """All findings as a list for people, desk by desk."""
    lines = []
    for desk in dict.fromkeys(row.desk for row in findings):
        rows = [row for row in findings if row.desk == desk]
        good = all(row.ok for row in rows)
        lines.append(f"desk {desk}: {'ok' if good else ''}".rstrip())
        lines += [] if good else [written(row) for row in rows]
    return lines


def written(row: Finding) -> str:
    """One finding: a line, and another for what to do."""
    mark = {True: "ok   ", False: "WRONG", None: "?    "}[row.ok]
    name = wiring.NAMES.get(row.what, "headset")
    text = f"  {mark} {name} at {row.pin}: {row.words}"
    return f"{text}\n        → {row.mend}" if row.mend and row.ok is not True else text
