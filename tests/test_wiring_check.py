"""`callfloor board check`: every way to wire a desk wrongly is named, in made-up floors and on a real board."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from boards.bench import BenchError, check, wiring
from boards.bench.wiring import Finding, Interview
from firmware import inputs, pins_memory
from tests import forks, pythons
from tests.house import Ear, House

TIMES = floorplan.line_times(floorplan.Phones())
PLAN = (
    {"desk": "a1", "phone": {"by": "contact", "pin": "GP2", "ring": "GP3"},
     "headset": {"by": "contact", "pin": "GP4", "dock": "GP5"}},
    {"desk": "a2", "phone": {"by": "contact", "pin": "GP6", "ring": "GP7"}},
    {"desk": "a3", "phone": {"by": "line", "pin": "GP26"}},
)  # fmt: skip
MADE, OPEN = 0.0, 3.3
Level = Callable[["Floor"], float]  # what makes a pin's voltage


class Floor:
    """Three desks, their wires, and the firmware's own logic reading them by a clock of ours."""

    def __init__(self, *changes: tuple[int, str, dict[str, Any]]) -> None:
        tables = json.loads(json.dumps(PLAN))
        for number, part, more in changes:
            tables[number][part] |= more
        self.board = floorplan.Board.model_validate({"id": "row", "inputs": tables})
        self.ms = 0
        self.says = True  # what the firmware concludes is told
        self.at: dict[int, str] = {}  # ms → what is done at desk a1 then, though nobody asks for it
        self.on: set[str] = {"a1 dock"}  # a1 hook: lifted; a1 ring: it rings; a1 lamp; a1 dock: it lies in it
        self.pins: dict[str, Level] = {}
        self._volts: dict[str, float] = {}
        for wire in wiring.wires_of(self.board):
            self.pins[wire.pin] = self.made(f"{wire.desk} {wire.what}", wire.made)
        self.pins["GP26"] = self.line("a3")
        self._memory = pins_memory.Pins({})
        self._inputs = inputs.Inputs([floorplan._input_json(place) for place in self.board.inputs],
                                     self._memory, TIMES)  # fmt: skip

    def made(self, name: str, level: int = 0) -> Level:
        """A contact; a ring makes it 25 times a second, one second of four."""

        def volts(floor: Floor) -> float:
            on = name in floor.on
            if name.endswith("ring"):
                on = on and floor.ms % 4000 < 1000 and floor.ms % 40 < 20
            return OPEN if on == bool(level) else MADE

        return volts

    def line(self, desk: str, divider: float = 100.0) -> Level:
        """A line of 48 V, 8 V lifted, with a ring of 75 V rms."""

        def volts(floor: Floor) -> float:
            if f"{desk} hook" in floor.on:
                return 8 / divider
            ring = 75 * math.sqrt(2) * math.sin(floor.ms / 1000 * 2 * math.pi * 23)
            rings = f"{desk} ring" in floor.on and floor.ms % 4000 < 1000
            return min(3.3, abs(48 + ring * rings) / divider)

        return volts

    def run(self, interview: Interview, for_ms: int) -> None:
        for _ in range(for_ms // 10):
            self.ms += 10
            if self.ms in self.at:
                self.deed("a1", self.at[self.ms])
            levels = {}
            for pin, level in self.pins.items():
                volts = level(self)
                if volts == self._volts.get(pin):
                    continue  # a board tells changes alone
                self._volts[pin] = volts
                if pin in self._memory.levels:
                    self._memory.line(f"{pin} {volts:.4f}V")
                    levels[pin] = self._memory.level(pin)
                else:
                    levels[pin] = int(volts > pins_memory.HIGH_V)  # something of somebody else's
            interview.levels(self.ms, levels)
            for row in self._inputs._rows:
                if self._inputs._sample(row, self.ms) and self.says:
                    pattern, fields = self._inputs.message(self._inputs._reading(row)[0])
                    interview.said(row[4], pattern.rsplit("/", 1)[1], fields)
            interview.told(self.ms)

    def deed(self, desk: str, step: str) -> None:
        """What a technician does at that step."""
        hook, ring, lamp, dock = (f"{desk} {what}" for what in ("hook", "ring", "lamp", "dock"))
        self.on -= {ring}
        self.on = (self.on | {"lift": {hook}, "ring": {ring}, "call": {lamp}, "back": {dock}}.get(step, set())) - {
            "down": {hook}, "out": {dock}, "end": {lamp}}.get(step, set())  # fmt: skip

    def checked(self, desk: str | None = None, skip: str = "") -> dict[str, Finding]:
        """The whole interview, by a technician who waits for three seconds and then presses Enter."""
        interview = Interview("row", wiring.wires_of(self.board, desk), wiring.wires_of(self.board), ["GP8"], TIMES)
        self.run(interview, 500)
        while interview.step:
            who, step = interview.asks().split(":")[0].split()[1], interview.step.name
            interview.begin()
            self.run(interview, 200)
            self.deed(who, step)
            for _ in range(40):
                if interview.met():
                    break
                self.run(interview, 100)
            interview.end(skipped=step == skip)
        return {f"{row.desk} {row.what}": row for row in interview.result()}


def wrong(found: dict[str, Finding]) -> dict[str, str]:
    return {name: row.pattern for name, row in found.items() if row.ok is not True}


def test_a_floor_that_is_right_is_said_to_be_right() -> None:
    found = Floor().checked()
    assert list(found) == ["a1 hook", "a1 ring", "a1 lamp", "a1 dock", "a2 hook", "a2 ring", "a3 line"]
    assert wrong(found) == {}


def swap(one: str, other: str) -> Callable[[Floor], None]:
    def change(floor: Floor) -> None:
        floor.pins[one], floor.pins[other] = floor.pins[other], floor.pins[one]

    return change


def put(pin: str, level: Level) -> Callable[[Floor], None]:
    return lambda floor: floor.pins.update({pin: level})


def upside_down(pin: str) -> Callable[[Floor], None]:
    def change(floor: Floor) -> None:
        before = floor.pins[pin]
        floor.pins[pin] = lambda floor: OPEN - before(floor)

    return change


def moved(pin: str, to: str) -> Callable[[Floor], None]:
    def change(floor: Floor) -> None:
        floor.pins[to] = floor.pins[pin]
        floor.pins[pin] = lambda floor: OPEN

    return change


def joined(one: str, other: str) -> Callable[[Floor], None]:
    """A bridge: whichever is made makes both."""

    def change(floor: Floor) -> None:
        first, second = floor.pins[one], floor.pins[other]
        floor.pins[one] = floor.pins[other] = lambda floor: min(first(floor), second(floor))

    return change


def loose(pin: str, seed: int) -> Callable[[Floor], None]:
    def change(floor: Floor) -> None:
        dice, before = random.Random(seed), floor.pins[pin]
        floor.pins[pin] = lambda floor: OPEN if dice.random() < 0.3 else before(floor)

    return change


def leaks(pin: str, ring: str) -> Callable[[Floor], None]:
    """The ring passes by the capacitor that should carry it past the hook."""

    def change(floor: Floor) -> None:
        hook, rings = floor.pins[pin], floor.pins[ring]
        floor.pins[pin] = lambda floor: min(hook(floor), rings(floor))

    return change


FAULTS: list[tuple[str, Callable[[Floor], None], dict[str, str], str]] = [
    ("the hook's wire is off", put("GP2", lambda _: OPEN), {"a1 hook": "open"},
     "nothing changes at GP2, nor at any other pin: it stays open"),
    ("the hook is short", put("GP2", lambda _: MADE), {"a1 hook": "closed", "a1 ring": "hook-first"},
     "GP2 is made all the time"),
    ("the hook's wire sits on the next desk's pin", swap("GP2", "GP6"), {"a1 hook": "swapped", "a2 hook": "swapped"},
     "GP2 and GP6 are swapped: what should be the hook of desk a1 is the hook of desk a2"),
    ("hook and ring of a desk are swapped", swap("GP2", "GP3"), {"a1 hook": "swapped", "a1 ring": "swapped"},
     "GP2 and GP3 are swapped: what should be the hook of desk a1 is the ring line of desk a1"),
    ("two desks are swapped altogether", lambda floor: [swap("GP2", "GP6")(floor), swap("GP3", "GP7")(floor)][0],
     {"a1 hook": "swapped", "a1 ring": "swapped", "a2 hook": "swapped", "a2 ring": "swapped"},
     "GP3 and GP7 are swapped: what should be the ring line of desk a1 is the ring line of desk a2"),
    ("the hook sits on a pin that the plan does not have", moved("GP2", "GP22"), {"a1 hook": "elsewhere"},
     "GP22 changed, GP2 did not: the wire of desk a1's hook sits on GP22, which the site file gives to nothing"),
    ("the hook is wired the other way round", upside_down("GP2"), {"a1 hook": "inverted", "a1 ring": "hook-first"},
     "GP2 changes the wrong way round: it is open while it should be made"),
    ("the cradle is wired the other way round", upside_down("GP5"), {"a1 dock": "inverted"},
     "GP5 changes the wrong way round"),
    ("the indicator is wired the other way round", upside_down("GP4"), {"a1 lamp": "inverted"},
     "GP4 changes the wrong way round"),
    ("the ring is wired the other way round", upside_down("GP3"), {"a1 ring": "inverted"},
     "GP3 changes the wrong way round: it is made while it should be open"),
    ("the hook is loose", loose("GP2", 7), {"a1 hook": "chatters"},
     "GP2 makes and breaks again and again: a loose contact"),
    ("the cradle is loose", loose("GP5", 8), {"a1 dock": "chatters"}, "GP5 makes and breaks"),
    ("a hook and the next desk's ring are bridged", joined("GP2", "GP7"), {"a1 hook": "bridge", "a2 ring": "bridge"},
     "GP2 and GP7 move together: a bridge between this wire and the ring line of desk a2"),
    ("no ring", put("GP3", lambda _: OPEN), {"a1 ring": "no-ring"}, "no ring is seen at GP3, nor at any other pin"),
    ("a ring of single spikes", lambda floor: floor.pins.update(
        {"GP3": lambda floor: MADE if "a1 ring" in floor.on and floor.ms % 1500 == 0 else OPEN}),
     {"a1 ring": "weak-ring"}, "GP3 moves with the ring, but too seldom"),
    ("the ring shows at the hook", leaks("GP2", "GP3"), {"a1 hook": "ring-at-hook"},
     "the ring shows at GP2, which is the hook"),
    ("no line", put("GP26", lambda _: 0.0), {"a3 line": "dead"}, "GP26 shows 0 mV: no line"),
    ("too much for the converter", put("GP26", lambda _: 3.3), {"a3 line": "full"}, "TAKE THE WIRE OFF GP26 NOW"),
    ("another phone's line", lambda floor: put("GP26", floor.line("a9"))(floor), {"a3 line": "line-stays"},
     "GP26 stays at 48 V while the handset is lifted"),
    ("a divider of ten times as much", lambda floor: put("GP26", floor.line("a3", 1000))(floor),
     {"a3 line": "divider"}, "GP26 makes 4.8 V of the line on the hook with divider = 100; 48 V is usual"),
    ("a divider of a third", lambda floor: put("GP26", floor.line("a3", 33))(floor),
     {"a3 line": "divider"}, "GP26 makes 146 V of the line on the hook"),
    ("the ring is filtered away", lambda floor: floor.pins.update(
        {"GP26": lambda floor: 0.08 if "a3 hook" in floor.on else 0.48}), {"a3 line": "line-no-ring"},
     "no ring is seen at GP26: it swings by 0 V"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "patterns", "words"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_wrong_wire_is_named(fault: Callable[[Floor], object], patterns: dict[str, str], words: str) -> None:
    floor = Floor()
    fault(floor)
    found = floor.checked()
    told = wrong(found)
    assert told == patterns
    assert any(words in row.words for row in found.values()), told
    assert all(row.mend for row in found.values() if row.ok is False)


CONTACTS = [f"GP{number}" for number in range(2, 8)]


@pytest.mark.parametrize("one", CONTACTS[:-1])
def test_no_two_wires_that_touch_are_said_to_be_right(one: str) -> None:
    for other in CONTACTS[CONTACTS.index(one) + 1 :]:
        floor = Floor()
        joined(one, other)(floor)
        assert {row.pin for row in floor.checked().values() if row.ok is False} & {one, other}, other


@pytest.mark.parametrize(("one", "other"), [("GP4", "GP5"), ("GP2", "GP4"), ("GP3", "GP5")])
def test_any_two_wires_of_a_desk_that_are_swapped_are_named(one: str, other: str) -> None:
    floor = Floor()
    swap(one, other)(floor)
    found = floor.checked("a1").values()
    assert {row.pin: row.pattern for row in found if row.ok is False} == {one: "swapped", other: "swapped"}


def test_whoever_puts_the_handset_down_while_nothing_is_to_be_touched_has_no_loose_contact() -> None:
    floor = Floor()
    floor.on.add("a1 hook")
    before = floor.pins["GP2"]
    floor.pins["GP2"] = lambda floor: OPEN - before(floor) if floor.ms in (1010, 1030, 1050) else before(floor)
    floor.at[1000] = "down"
    assert wrong(floor.checked("a1")) == {}


def test_every_pattern_has_a_fault_that_shows_it_or_stands_here() -> None:
    shown = {pattern for row in FAULTS for pattern in row[2].values()}
    elsewhere = {"ok", "untried", "unseen", "changed", "by-usb", "not-read", "unread", "slipped", "not-said",
                 "line-low", "line-high", "line-gone"}  # fmt: skip
    assert shown | elsewhere == set(wiring.WORDS)


def test_the_divider_that_is_right_is_reckoned() -> None:
    floor = Floor((2, "phone", {"divider": 10.0}))
    row = floor.checked("a3")["a3 line"]
    assert row.pattern == "divider"
    assert "divider = 100 (10 times as much)" in row.mend


@pytest.mark.parametrize(("down", "lifted", "pattern"), [
    (0.12, 0.12, "line-low"), (0.48, 0.26, "line-high"), (0.48, 0.012, "line-gone"),
])  # fmt: skip
def test_a_voltage_out_of_its_range_is_named(down: float, lifted: float, pattern: str) -> None:
    floor = Floor()
    floor.pins["GP26"] = lambda floor: lifted if "a3 hook" in floor.on else down
    assert wrong(floor.checked("a3")) == {"a3 line": pattern}


def test_a_board_that_does_not_conclude_what_is_seen_is_named() -> None:
    floor = Floor()
    floor.says = False
    found = floor.checked("a2", skip="ring")
    assert found["a2 hook"].words == (
        "GP6 changes as it should, but the board said nothing of the phone after this: lift the handset"
    )


def test_what_slips_back_is_named() -> None:
    floor = Floor()
    lifted_ms: list[int] = []

    def slips(floor: Floor) -> float:
        if "a1 hook" not in floor.on:
            return OPEN
        lifted_ms.append(floor.ms)
        return MADE if floor.ms - lifted_ms[0] < 400 else OPEN

    floor.pins["GP2"] = slips
    assert wrong(floor.checked("a1"))["a1 hook"] == "slipped"


def test_active_high_is_right_where_the_site_file_says_so_and_the_words_keep_the_ring() -> None:
    floor = Floor((0, "phone", {"active": "high", "ring_active": "low"}))
    assert wrong(floor.checked("a1")) == {}
    floor = Floor()
    upside_down("GP2")(floor)
    mend = floor.checked("a1")["a1 hook"].mend
    assert 'write active = "high" (and ring_active = "low", if the ring line is right as it is)' in mend


def test_what_is_skipped_is_not_tried_and_other_people_are_not_blamed() -> None:
    floor = Floor()
    found = floor.checked("a1", skip="ring")
    assert wrong(found) == {"a1 ring": "untried"}
    assert found["a1 ring"].ok is None
    floor = Floor()
    floor.pins["GP2"] = lambda _: OPEN
    before = floor.pins["GP6"]
    floor.pins["GP6"] = lambda floor: MADE if "a1 hook" in floor.on or floor.ms > 6000 else before(floor)
    assert wrong(floor.checked("a1"))["a1 hook"] == "open", "a2 lifted at the same time, and did not put down"


def test_a_colleague_who_does_the_same_a_moment_later_is_no_bridge_and_no_swap() -> None:
    floor = Floor()
    lifted_ms: list[int] = []

    def follows(floor: Floor) -> float:
        if ("a1 hook" in floor.on) != (len(lifted_ms) % 2 == 1):
            lifted_ms.append(floor.ms)
        late = bool(lifted_ms) and floor.ms - lifted_ms[-1] < 100
        return MADE if (len(lifted_ms) % 2 == 1) != late else OPEN

    floor.pins["GP6"] = follows
    assert wrong(floor.checked("a1")) == {}
    floor = Floor()
    floor.pins["GP6"] = lambda _: OPEN
    before = floor.pins["GP2"]
    floor.pins["GP2"] = lambda floor: MADE if "a2 hook" in floor.on else before(floor)
    assert wrong(floor.checked())["a2 hook"] == "open", "GP2 was found right: whoever moves it now is at work"


def test_watched_without_a_word() -> None:
    floor = Floor()
    loose("GP6", 3)(floor)
    interview = Interview("row", wiring.wires_of(floor.board), wiring.wires_of(floor.board), [], TIMES)
    floor.run(interview, 500)
    interview.begin()
    for desk, step in (("a1", "lift"), ("a2", "lift"), ("a1", "down"), ("a3", "lift"), ("a3", "down")):
        floor.deed(desk, step)
        floor.run(interview, 1500)
    found = {f"{row.desk} {row.what}": row.pattern for row in interview.watched()}
    assert found == {
        "a1 hook": "changed", "a1 ring": "unseen", "a1 lamp": "unseen", "a1 dock": "unseen", "a2 hook": "chatters",
        "a2 ring": "unseen", "a3 line": "ok",
    }  # fmt: skip


def test_a_pin_that_cannot_be_read_or_is_not_read_is_said() -> None:
    wires = wiring.wires_of(Floor().board, "a3")
    interview = Interview("row", wires, wires, [], TIMES)
    interview.levels(0, {"GP26": None})
    interview.said(2, "phone", {"state": "unknown", "why": "broken"})
    assert [row.words for row in interview.watched()] == ["GP26 cannot be read (broken)"]
    interview = Interview("row", wires, wires, [], TIMES)
    interview.not_read(["GP2"])
    assert interview.step is None
    assert [row.mend for row in interview.result()] == ["callfloor board provision row"]


# On a real board ------------------------------------------------------------------------


DEEDS = {"lift": ("hook", 0), "down": ("hook", 1), "out": ("dock", 1), "back": ("dock", 0), "call": ("lamp", 0),
         "end": ("lamp", 1)}  # fmt: skip


@contextlib.contextmanager
def at_a_terminal(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """(the process, our end of its terminal)."""
    ours, its = pty.openpty()
    process = subprocess.Popen(command, cwd=pythons.ROOT, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait(5)
        os.close(ours)


def read_up_to(terminal: int, words: str, within_s: float = 20) -> str:
    said, end = b"", time.monotonic() + within_s
    while words.encode() not in said:
        assert time.monotonic() < end, said.decode()
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 4096)
    return said.decode()


class Technician:
    """Does at the pins what is asked, by `wired`: which pin each of its wires really sits on; then presses Enter."""

    def __init__(self, house: House, wired: dict[str, str]) -> None:
        self._house = house
        self._wired = wired
        self.told: list[str] = []
        self._enter = False

    def tell(self, words: str) -> None:
        self.told.append(words)
        step = next((step.name for step in wiring.STEPS if words == f"Desk a1: {step.do}"), None)
        if step is None:
            return
        if step == "ring":
            self._ring()
        elif step in DEEDS:
            wire, level = DEEDS[step]
            self._house.pin("row-a", self._wired[wire], level)
        self._asked_s = time.monotonic()
        self._enter = "touch nothing" not in words

    def _ring(self) -> None:
        for _ in range(10):
            for level in (0, 1):
                self._house.pin("row-a", self._wired["ring"], level)
                time.sleep(0.02)

    def ask(self) -> str | None:
        if self._enter and time.monotonic() - self._asked_s > 0.25:
            self._enter = False
            return "\n"
        return None


def test_a_real_board_with_a_wire_one_pin_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "REST_MS", 500)
    monkeypatch.setattr(wiring, "SETTLE_MS", 200)
    with House(tmp_path) as house:
        ear = Ear(house.broker)
        house.start_board("row-a")
        house.pin("row-a", "GP5", 0)  # a1's headset lies in its cradle
        house.wait("a1 is idle", lambda: ear.latest.get("board/row-a/input/0/phone", {}).get("state") == "idle", 20)
        ear.close()
        man = Technician(house, {"hook": "GP18", "ring": "GP3", "lamp": "GP4", "dock": "GP5"})
        board = check.place_of(house.plan, None, "a1")
        interview = check.interview_of(house.plan, board, "a1")
        wires = check.Wires(house.plan, "row-a", [wire.pin for wire in interview.wires], interview.free, None)
        wires.begin(interview)
        interview.not_read(wires.pins)
        check.guided(wires, interview, man.ask, man.tell)
        wires.close()
        found = {row.what: (row.pattern, row.words) for row in interview.result()}
        assert {what: row[0] for what, row in found.items()} == {
            "hook": "elsewhere", "ring": "ok", "lamp": "ok", "dock": "ok",
        }, man.told  # fmt: skip
        assert found["hook"][1] == (
            "GP18 changed, GP2 did not: the wire of desk a1's hook sits on GP18, which the site file gives to nothing"
        )
        assert "    GP18 1 → 0 (nothing in the site file)" in man.told
        assert "    the board: headset of desk a1 in a call, taken out" in man.told

        command = ["board", "check", "--desk", "a2", "--site", str(house.site)]
        with forks.piped(*command, "--seconds", "2", "--json") as (process, out, err):
            assert err.readline().startswith("watched for 2 s")
            house.pin("row-a", "GP6", 0)
            live = {err.readline() for _ in range(2)}
            assert live == {"    GP6 1 → 0 (hook of desk a2, made)\n", "    the board: phone of desk a2 talking\n"}
            house.pin("row-a", "GP6", 1)
            told = json.load(out)
            assert process.wait(10) == 1  # for three of its wires did not change
        assert (told["board"], told["ok"]) == ("row-a", False)
        assert [row["pattern"] for row in told["findings"]] == ["changed", "unseen", "unseen", "unseen"]

        with at_a_terminal([sys.executable, "-m", "callfloor", *command]) as (guided, terminal):
            said = read_up_to(terminal, "touch nothing for 3 s")
            os.write(terminal, b"s\n")
            said += read_up_to(terminal, "Desk a2: lift the handset")
            house.pin("row-a", "GP6", 0)
            said += read_up_to(terminal, "Desk a2: put the handset down")
            guided.send_signal(signal.SIGINT)
            said += read_up_to(terminal, "GP9: not tried")
            assert guided.wait(10) == 130, said
        assert "GP6: not tried" in said
        assert "Fatal" not in said
        assert "Traceback" not in said


def test_what_cannot_be_checked_is_said(tmp_path: Path) -> None:
    plan = floorplan.check({
        "site": {"id": "s"}, "desk": [{"id": "a1"}, {"id": "a2"}, {"id": "a3"}],
        "board": [{"id": "b", "inputs": [{"desk": "a1", "phone": {"by": "contact", "pin": "GP2"}}]},
                  {"id": "c", "definition": "raspberry-pi",
                   "inputs": [{"desk": "a2", "headset": {"by": "usb", "port": "1-1.2"}}]}],
    }, "test", tmp_path)  # fmt: skip
    for board, desk, words in (
        (None, None, "name a board, or --desk DESK; there is b, c"),
        ("bb", None, "no board 'bb' in the site file; did you mean 'b'"),
        (None, "a3", "desk 'a3' is plugged in at no board"),
        ("c", "a1", "desk 'a1' is at board 'b', not 'c'"),
        (None, "a2", "no pin of a board reads anything there"),
    ):
        with pytest.raises(BenchError, match=words):
            check.run(plan, board, desk, 1.0, None)
    with pytest.raises(BenchError, match="at a terminal"):
        check.run(plan, "b", None, None, None)


def test_the_page_explains_every_pattern() -> None:
    page = (pythons.ROOT / "docs" / "check-wiring.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(word.strip("` ") for row in rows for word in row.split(",")) == sorted(wiring.WORDS)
    assert f"within {wiring.TOGETHER_MS} ms" in page
    assert f"touch nothing for {wiring.REST_MS // 1000} seconds" in page
