"""The wires of a board tried live, for the page: its raw levels, what its inputs say, and what is found of each wire.

boards/bench/wiring.py concludes, and boards/bench/check.py does the same at a terminal. Whoever listens gets events:
`all` of it first, and again where some were missed; then `levels`, `said` and `found` as they change; `end` with why.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from boards.bench import BenchError, check, wiring
from floorplan import Plan

FOR_S = 60  # as long as a board tells its levels
SILENT_S = 6.0  # a board that records tells something every 0.2 s
JUDGE_S = 0.5  # so often, at most, it is looked what the levels mean
OTHERS_S = 3.0  # a recording that somebody else has begun was heard so short ago: it still goes on
UNHEARD_S = 15.0  # a check that is never listened to is over so long after its time
AT_ONCE = 8  # boards
EVENTS_WAITING = 64
INPUTS_MOST = 64  # of a board, of which the last words are kept

READINGS = {"board/+/input/+/phone": "phone", "board/+/input/+/headset": "headset"}
RAW = "board/+/raw"
STATE = "board/+/state"
NO_NEWS = ("seq", "boot", "age_ms")  # in a reading

Ask = Callable[[str, dict[str, Any], str], Awaitable[Any]]  # a board, a command, its id → the answer
Say = Callable[[str, dict[str, Any]], bool]  # a command that nobody waits for
IsTold = Callable[[str, int], bool]  # False: this start of the board reads at that input what the site file had there


class NotChecked(Exception):
    """Why a check does not begin: `kind`, one word for the page, and words."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class Checks:
    """Those that are under way, at most one a board, and what inputs have said last."""

    def __init__(self, ask: Ask, say: Say, is_told: IsTold) -> None:
        self._ask = ask
        self._say = say
        self._is_told = is_told
        self._under_way: dict[str, Check] = {}
        self._readings: dict[tuple[str, int, str], dict[str, Any]] = {}
        self._ended: dict[str, tuple[str, ...]] = {}  # board → our last recording, and the one by which we ended it
        self._others_s: dict[str, float] = {}  # board → when it last told somebody else its levels
        self._closed = False

    def hear(self, pattern: str, ids: tuple[str, ...], fields: dict[str, Any] | None, retained: bool) -> None:
        """A message of a board of the site file."""
        if fields is None:
            return
        board = ids[0]
        if pattern in READINGS:
            number = int(ids[1]) if ids[1].isdigit() else INPUTS_MOST
            if number < INPUTS_MOST and self._is_told(board, number):
                self._readings[board, number, READINGS[pattern]] = fields
                if board in self._under_way:
                    self._under_way[board].said(number, READINGS[pattern], fields)
        elif pattern == RAW and not retained:
            self._hear_raw(board, fields)
        elif pattern == STATE and fields["state"] == "lost" and board in self._under_way:
            self._under_way[board].lost(fields["boot"])

    def _hear_raw(self, board: str, fields: dict[str, Any]) -> None:
        mine = self._under_way.get(board)
        if mine and fields["id"] == mine.id:
            mine.raw(fields)
        elif fields["id"] not in self._ended.get(board, ()):
            self._others_s[board] = float("-inf") if fields["last"] else _now_s()
            if mine and mine.has_begun:  # a board makes one recording at a time
                mine.end("taken")

    def serve(self, boards: frozenset[str]) -> None:
        """These boards, and no others, from now on; what the site file has otherwise now has said nothing yet."""
        self._readings = {
            (board, number, what): fields for (board, number, what), fields in self._readings.items()
            if board in boards and self._is_told(board, number)
        }  # fmt: skip
        self._others_s = {board: at_s for board, at_s in self._others_s.items() if board in boards}
        self._ended = {board: name for board, name in self._ended.items() if board in boards}

    async def begin(self, plan: Plan, board: str, desk: str | None = None) -> Check:
        """Has a board of the plan tell its levels. Raises NotChecked, and TimeoutError where it does not answer."""
        if board in self._under_way or _now_s() - self._others_s.get(board, -OTHERS_S) < OTHERS_S:
            raise NotChecked("busy", f"the wires of board '{board}' are being tried already: wait until that is over")
        if self._closed or len(self._under_way) >= AT_ONCE:
            raise NotChecked("often", f"the wires of {AT_ONCE} boards are being tried already: wait for one of them")
        try:
            made = Check(plan, board, desk, self._release)
        except BenchError as error:
            raise NotChecked("wires", str(error)) from error
        for (where, number, what), fields in self._readings.items():
            if where == board:
                made.said(number, what, fields)
        self._under_way[board] = made
        try:
            for pins in made.asks:
                answer = await self._ask(board, {"do": "raw", "seconds": FOR_S, "pins": pins}, made.id)
                if answer.done:
                    return made
            raise NotChecked("refused", f"board '{board}' says: {answer.words}")
        except BaseException:
            self._release(made, False)
            raise

    def close(self) -> None:
        """Ends all of them, so that a web server can stop without waiting for them."""
        self._closed = True
        for one in list(self._under_way.values()):
            one.end("stopped")

    def _release(self, one: Check, goes_on: bool) -> None:
        """Nobody listens any more; where the board still tells, it is told to make an end."""
        if self._under_way.get(one.board) is not one:
            return
        del self._under_way[one.board]
        name = secrets.token_hex(4)
        self._ended[one.board] = one.id, name
        if goes_on:
            self._say(one.board, {"id": name, "do": "raw", "seconds": 1, "pins": one.a_pin})


class Check:
    """One of them. `id` is the command's by which the board tells its levels."""

    def __init__(self, plan: Plan, board: str, desk: str | None, release: Callable[[Check, bool], None]) -> None:
        self.id = secrets.token_hex(4)
        self.board = board
        self._row = check.place_of(plan, board, desk)
        self._desk = desk
        self._interview = check.interview_of(plan, self._row, desk)
        free, pins = self._interview.free, [wire.pin for wire in self._interview.wires]
        # What it is asked for, until it obeys, as boards/bench/check.py asks: all, and what a wire may sit on by
        # mistake; all that it reads; these pins.
        self.asks = [*([check.as_free(free)] if free else []), None, " ".join(pins)]
        self.has_begun = False
        self._release = release
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(EVENTS_WAITING)
        self._ms = 0
        self._boot = ""
        self._levels: dict[str, int | None] = {}
        self._changes: dict[str, int] = {}  # pin → how often it has changed
        self._said: dict[tuple[str, str], dict[str, Any]] = {}
        self._found: list[dict[str, Any]] = []
        self._judged_s = self._heard_s = _now_s()
        self.why = ""  # it has ended, and why
        self._unheard = asyncio.get_running_loop().call_later(FOR_S + UNHEARD_S, self._leave)

    @property
    def a_pin(self) -> str:
        """One that the board reads."""
        return next((wire.pin for wire in self._interview.wires if wire.pin in self._levels), "") or self.asks[-1] or ""

    # What the board tells

    def raw(self, fields: dict[str, Any]) -> None:
        """Levels of this recording, and each change since the last message."""
        self._heard_s, self._ms, self._boot = _now_s(), fields["until_ms"], fields["boot"]
        changed: dict[str, list[int | None]] = {}
        for ms, levels in check.changes(fields):
            self._interview.levels(ms, levels)
            for pin, level in levels.items():
                if pin not in self._levels or self._levels[pin] != level:
                    self._changes[pin] = self._changes.get(pin, -1) + 1
                    self._levels[pin] = level
                    changed[pin] = [level, self._changes[pin]]
        self._interview.told(self._ms)
        if not self.has_begun:
            self.has_begun = True
            self._interview.begin()
            self._interview.not_read(self._levels)
            self._found = self._judge()
            self._tell("all", None)
        elif changed:
            self._tell("levels", {"ms": self._ms, "levels": changed})
        if _now_s() - self._judged_s >= JUDGE_S or fields["last"]:
            self._look()
        if fields["last"]:
            self.end("over")

    def said(self, number: int, what: str, fields: dict[str, Any]) -> None:
        """A reading of one of the board's inputs."""
        self._interview.said(number, what, fields)
        desk = self._row.inputs[number].desk if number < len(self._row.inputs) else None
        if desk is None or self._desk not in (None, desk):
            return
        told = {key: value for key, value in fields.items() if key not in NO_NEWS and value is not None}
        if self._said.get((desk, what)) != told:
            self._said[desk, what] = told
            if self.has_begun:
                self._tell("said", self._spoken(desk, what))

    def lost(self, boot: str) -> None:
        """The will of a start of the board: it is gone, if that is the start that tells its levels."""
        if boot == self._boot:
            self.end("lost")

    def end(self, why: str) -> None:
        """Why: over, lost, taken (somebody else asked the board), stopped (the gateway)."""
        if not self.why:
            self.why = why
            self._tell("end", {"why": why})

    # What is made of it

    def _look(self) -> None:
        self._judged_s, found = _now_s(), self._judge()
        if found != self._found:
            self._found = found
            self._tell("found", {"found": found})

    def _judge(self) -> list[dict[str, Any]]:
        return [row._asdict() for row in self._interview.watched() + wiring.by_usb(self._row, self._desk)]

    def _all(self) -> dict[str, Any]:
        wires = [
            {"desk": wire.desk, "what": wire.what, "pin": wire.pin, "made": wire.made, "divider": wire.divider}
            for wire in self._interview.wires
        ]
        owners = [{"desk": wire.desk, "what": wire.what, "pin": wire.pin} for wire in wiring.wires_of(self._row)]
        levels = {pin: [level, self._changes[pin]] for pin, level in self._levels.items()}
        said = [self._spoken(desk, what) for desk, what in self._said]
        return {"board": self.board, "for_s": FOR_S, "ms": self._ms, "wires": wires, "owners": owners, "levels": levels,
                "said": said, "found": self._found}  # fmt: skip

    def _spoken(self, desk: str, what: str) -> dict[str, Any]:
        fields = self._said[desk, what]
        return {"desk": desk, "what": what, "fields": fields, "words": wiring.spoken(what, fields)}

    # Whoever listens

    def _tell(self, kind: str, fields: Any) -> None:
        if self._events.full():  # too slow: all there is, in place of what waits
            while not self._events.empty():
                self._events.get_nowait()
            self._events.put_nowait(("all", None))
        if kind != "all" or self._events.empty():
            self._events.put_nowait((kind, fields))

    async def listen(self) -> AsyncGenerator[bytes, None]:
        """Server-sent events, until it is over or nobody listens any more."""
        try:
            kind = ""
            while kind != "end":
                kind, fields = await self._next()
                yield _event(kind, self._all() if kind == "all" else fields)
        finally:
            self._leave()

    async def _next(self) -> tuple[str, Any]:
        while self._events.empty():
            left_s = self._heard_s + SILENT_S - _now_s()
            if left_s <= 0:
                self.end("lost")
                break
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self._events.get(), left_s)
        return self._events.get_nowait()

    def _leave(self) -> None:
        self._unheard.cancel()
        self._release(self, self.why in ("", "stopped"))


def _event(kind: str, fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps(fields, separators=(",", ":")).encode())


def _now_s() -> float:
    return asyncio.get_running_loop().time()
