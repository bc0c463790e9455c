"""The proof that a board works: its hello at the broker, then one pin that changes as the technician lifts a handset.

Where a hello does not come, the board's own words at its cable say why; where there is no broker at hand, they are
the proof.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from boards import record
from boards.bench import BenchError
from boards.bench.port import Board
from boards.ear import Ear
from boards.readable import plain
from floorplan import Broker

LOOK_S = 0.1
OLD_S = 0.5  # what the broker keeps has come by then
TIMES = 3  # so often a board may be refused: the broker may just be reading the new password
GRACE_S = 3.0  # an error may have cost a part alone, and the hello comes all the same
PIN_S = 60
STEP_MV = 50  # a line's voltage that changes by less is noise: a handset makes it 390 of them
KEPT = 20  # lines of the board's own
MOST = 1 << 16  # bytes of one line

ANSWERED = ("refused the user or password", "certificate is refused", "does not speak MQTT")  # so the network is there
FINAL = (*ANSWERED, "nothing listens there")
UP = "link up"
Fields = Mapping[str, Any]


class Proof:
    """An ear for one board at the broker; begun before the board is, so that nothing is missed. A context manager."""

    def __init__(self, broker: Broker, site: str, board: str) -> None:
        """Raises CommandError, SiteError."""
        self._site, self._board = site, board
        self._where = f"{broker.host}:{broker.port}"
        self.ear = Ear(broker, site, [f"board/{board}/{what}" for what in ("hello", "raw", "answer")])
        self._old: str | None = None  # the boot of its last start
        for said in self._said(OLD_S, until_hello=True):
            self._old = said["boot"]

    def _said(self, seconds: float, until_hello: bool = False) -> Iterator[Fields]:
        end = time.monotonic() + seconds
        while said := self.ear.hear(max(0.0, end - time.monotonic())):
            if said.pattern == "board/+/hello" and said.fields:
                yield said.fields
                if until_hello:
                    return

    def hello(self, port: Board, firmware: str, wait_s: float, wifi: str | None, debug: bool = False) -> float:
        """Waits for the hello of the start that begins now, with this firmware; after how many seconds it came.

        wifi: the network that it joins. debug: it keeps its last words. Raises BenchError with the board's own words.
        """
        began, console = time.monotonic(), Console(port, wifi, debug)
        while time.monotonic() < began + wait_s:
            console.read(LOOK_S)
            for said in self._said(0):
                if said["boot"] == self._old:
                    continue
                if said["firmware"] != firmware:
                    raise BenchError(
                        f"board '{self._board}' says hello with other firmware, {said['firmware']} in place of "
                        f"{firmware}: is there another board of that name?"
                    )
                return time.monotonic() - began
            console.judge(self._board)
        raise BenchError(
            f"board '{self._board}' has all its files, but has not said hello at the broker at {self._where} "
            f"after {wait_s:.0f} s; "
            + console.why()
        )

    def pin(self, where: record.Place, skip: Callable[[], bool]) -> str | None:
        """Which of a desk's pins changes first; None where somebody skips it, or a minute is over.

        Raises BenchError where the board does not look at its pins.
        """
        name = os.urandom(4).hex()
        columns = {column.pin: column.name for column in where.columns}
        self.ear.say("board/+/command", where.board, id=name, do="raw", seconds=PIN_S, input=where.number,
                     pins=" ".join(columns))  # fmt: skip
        levels: dict[str, int | None] = {}
        end = time.monotonic() + PIN_S + record.END_S
        while time.monotonic() < end and not skip():
            said = self.ear.hear(LOOK_S)
            if said is None or not said.fields or said.retained or said.fields.get("id") != name:
                continue
            if said.pattern == record.ANSWER and not said.fields["done"]:
                raise BenchError(f"board '{where.board}' says: {said.fields['words']}")
            if said.pattern == record.RAW:
                for pin, level in changes(said.fields):
                    before = levels.setdefault(pin, level)
                    least = STEP_MV if columns.get(pin) == "volts" else 1
                    if before is not None and level is not None and abs(level - before) >= least:
                        return pin
                if said.fields["last"]:
                    break
        return None

    def close(self) -> None:
        self.ear.close()

    def __enter__(self) -> Proof:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def changes(message: Fields) -> Iterator[tuple[str, int | None]]:
    """(pin, level) of all that a message of a recording tells, in order."""
    yield from sorted(message["pins"].items())
    names = sorted(message["pins"])
    rows = message["rows"]
    for at in range(0, len(rows) - 2, 3):
        if rows[at + 1] < len(names):
            yield names[rows[at + 1]], rows[at + 2]


def by_console(port: Board, board: str, wait_s: float, wifi: str | None, debug: bool = False) -> float:
    """The same where no broker is at hand: the board says itself that it has reached one. Raises BenchError."""
    began, console = time.monotonic(), Console(port, wifi, debug)
    while time.monotonic() < began + wait_s:
        console.read(LOOK_S)
        if console.up:
            return time.monotonic() - began
        console.judge(board)
    raise BenchError(
        f"board '{board}' has all its files, but has not reached its broker after {wait_s:.0f} s; " + console.why()
    )


class Console:
    """What a board prints at its cable, and what that means."""

    def __init__(self, port: Board, wifi: str | None, debug: bool) -> None:
        self._port, self._wifi, self._debug = port, wifi, debug
        self.lines: list[str] = []  # the last ones
        self.up = False  # it has reached its broker
        self._joined = wifi is None
        self._down: list[str] = []  # why it has no link, each time
        self._in_trace, self._broke, self._broke_s = False, "", 0.0  # the end of a traceback, and when it came
        self._rest = b""  # of a line that is not whole yet

    def read(self, seconds: float) -> None:
        """What it says in so long. Raises Gone where the cable was pulled."""
        self._rest = (self._rest + self._port.heard(seconds))[-MOST:]
        *whole, self._rest = self._rest.split(b"\n")
        for line in whole:
            self._hear(plain(line.strip(b"\r").decode("utf-8", "replace"))[:1000])

    def _hear(self, line: str) -> None:
        self.lines = [*self.lines[-KEPT:], line]
        self.up = self.up or line.startswith(UP)
        if line.startswith("link down: "):
            self._down = [*self._down[-TIMES:], line.removeprefix("link down: ")]
        if re.match(r"wifi: \d+\.", line) or any(part in line for part in ANSWERED):
            self._joined = True
        if line.startswith("Traceback"):
            self._in_trace = True
        elif self._in_trace and not line.startswith(" "):
            self._in_trace, self._broke, self._broke_s = False, line, time.monotonic()

    def judge(self, board: str) -> None:
        """Raises BenchError as soon as what it says will not change by waiting."""
        if self._broke and time.monotonic() > self._broke_s + GRACE_S:
            more = f"; `callfloor board log {self._port.port}` shows more" if self._debug else ""
            raise BenchError(f"board '{board}': its program ended: {self._broke}{more}")
        wrong = next((line for line in self.lines if line.startswith("board.json")), None)
        if wrong:
            raise BenchError(f"board '{board}' says: {wrong}")
        last = self._down[-TIMES:]
        if self._joined and len(last) == TIMES and len(set(last)) == 1 and any(part in last[0] for part in FINAL):
            raise BenchError(f"board '{board}' is not let in: {last[0]}")

    def why(self) -> str:
        """Why it has no link, as far as it says."""
        if not self._joined:
            said = [line.removeprefix("wifi: ") for line in self.lines if line.startswith("wifi: ")]
            if said:
                return (
                    f"it has not joined the Wi-Fi '{self._wifi}', its radio refuses: '{said[-1]}'. Unplug it, plug it "
                    "in and give the same command again; if it stays so, with another board"
                )
            return (
                f"it has not joined the Wi-Fi '{self._wifi}': is the password right ([[board]] wifi), is the "
                "network on 2.4 GHz and within reach?"
            )
        if self._down:
            return f"it says: {self._down[-1]}"
        if self.lines:
            return f"the last it said: '{self.lines[-1][:200]}'"
        return "it says nothing at its cable either: press its RESET button, and give the same command again"

