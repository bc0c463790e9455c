"""USB headsets as they report themselves: played from their reports, on both Pythons, and flooded with rubbish."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import contract, hid, usb_headset
from firmware.usb_headset import UsbHeadset
from tests import pythons
from tests.test_hid import BYTES, DEVICES, REAL, damaged, device, driven

ANSWERS = {"yes": True, "no": False}
JABRA = device("jabra")["descriptor"]
POLY = device("poly")["descriptor"]


def steps_of(lines: str, descriptor: bytes) -> tuple[list[list[Any]], int]:
    """What the source says and when, and when the session ends."""
    steps: list[list[Any]] = []
    for line in lines.strip().splitlines():
        ms, _, what = line.partition(" ")
        what = what.strip()
        if what == "end":
            return steps, int(ms)
        if what == "plugged":
            steps.append([int(ms), what, descriptor.hex()])
        elif what == "unplugged":
            steps.append([int(ms), what, None])
        else:
            steps.append([int(ms), "report", what.replace(" ", "")])
    raise AssertionError("a session has an end")


def changes_of(lines: str) -> list[list[Any]]:
    """[ms, since_ms, what is known by name] of each line that a session must lead to."""
    changes = []
    for line in lines.strip().splitlines():
        ms, since, since_ms, *known = line.split()
        assert since == "since"
        names = dict(word.split("=") for word in known)
        changes.append(
            [int(ms), int(since_ms), {name: ANSWERS.get(word, word) for name, word in names.items()}]
        )
    return changes


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_sessions_of_real_headsets(python: str, tmp_path: Path) -> None:
    sessions: list[tuple[str, dict[str, Any], bytes]] = []
    for name in DEVICES:
        page = device(name)
        sessions += [(name, session, page["descriptor"]) for session in page["session"]]
    jobs = []
    for _, session, descriptor in sessions:
        steps, end_ms = steps_of(session["steps"], descriptor)
        jobs.append({"descriptor": descriptor.hex(), "reports": [], "steps": steps, "end_ms": end_ms})
    for (name, session, _), done in zip(sessions, driven(python, jobs, tmp_path), strict=True):
        assert done["said"] == changes_of(session["must"]), f"{name}: {session['what']}"


class Source:
    """A socket at which things happen; it can be read and nothing else."""

    __slots__ = ("news",)

    def __init__(self) -> None:
        self.news: list[tuple[Any, ...]] = []

    def read(self) -> list[tuple[Any, ...]]:
        now, self.news = self.news[:32], self.news[32:]
        return now


class Desk:
    """A headset, sampled every 10 ms."""

    def __init__(self, descriptor: bytes = JABRA) -> None:
        self.source = Source()
        self.headset = UsbHeadset(self.source)
        self.now_ms = 0
        self.said: list[tuple[int, dict[str, Any]]] = []
        if descriptor:
            self.says(("plugged", descriptor))

    def says(self, *items: tuple[Any, ...]) -> Desk:
        self.source.news += items
        return self.waits(10)

    def reports(self, *lines: str) -> Desk:
        return self.says(*[("report", bytes.fromhex(line)) for line in lines])

    def waits(self, ms: int) -> Desk:
        for _ in range(ms // 10):
            if self.headset.sample(self.now_ms):
                self.said.append((self.headset.since_ms, self.known()))
            self.now_ms += 10
        return self

    def known(self) -> dict[str, Any]:
        names = ("link", "in_call", "ringing", "muted", "docked", "worn", "why")
        values = {name: getattr(self.headset, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


NOTHING: dict[str, Any] = {}


def headset_of(*fields: str) -> bytes:
    """A descriptor of one telephony collection without report ids; each of `fields` is hex."""
    return bytes.fromhex("05 0B 09 05 A1 01 15 00 25 01 75 01 95 01" + "".join(fields) + "C0")


def test_nothing_is_claimed_of_what_is_not_declared() -> None:
    desk = Desk(headset_of("09 21 81 02")).reports("01", "00").waits(5000)
    assert desk.said == []
    assert Desk(headset_of("09 20 91 22", "09 2A 91 22")).reports("03").waits(5000).said == []  # outputs


def test_a_toggle_says_nothing_until_something_says_what_it_toggles() -> None:
    mute_key, mute_state = "85 01 09 2F 81 06", "85 02 09 2F 81 22"
    desk = Desk(headset_of(mute_key, mute_state)).reports("01 01", "01 00").waits(500)
    assert desk.known() == NOTHING
    assert desk.reports("02 01").known() == {"muted": True}
    assert desk.reports("01 01").known() == {"muted": False}
    assert desk.reports("01 00").waits(100).reports("01 01").known() == {"muted": True}
    assert desk.waits(100).reports("01 01").known() == {"muted": True}  # held down
    assert desk.reports("02 00").known() == {"muted": False}


def test_a_press_that_comes_twice_within_50_ms_is_one() -> None:
    desk = Desk(headset_of("85 01 09 2F 81 06", "85 02 09 2F 81 22")).reports("02 00").waits(200)
    desk.reports("01 01").reports("01 00").waits(20).reports("01 01").reports("01 00")
    assert desk.known() == {"muted": True}
    desk.waits(100).reports("01 01").reports("01 00").waits(40).reports("01 01", "01 00")  # 60 ms later
    assert desk.known() == {"muted": True}


def test_an_on_off_pair_says_what_happened_and_a_mute_ends_with_its_call() -> None:
    pair = "15 FF 75 02 09 2F 81 26 09 97 81 22"  # mute: -1 off, +1 on; line busy a state of two bits
    desk = Desk(headset_of(pair))
    assert desk.reports("04").known() == {"in_call": True}
    assert desk.reports("05").known() == {"in_call": True, "muted": True}
    assert desk.reports("04").waits(100).known() == {"in_call": True, "muted": True}
    assert desk.reports("07").known() == {"in_call": True, "muted": False}
    assert desk.reports("05").reports("00").known() == {"in_call": False}


def test_a_mute_that_is_a_state_outlasts_its_call() -> None:
    desk = Desk(headset_of("09 97 81 22", "09 2F 81 22")).reports("03").reports("02")
    assert desk.known() == {"in_call": False, "muted": True}


def test_a_ringer_that_is_an_input_tells_of_ringing() -> None:
    desk = Desk(headset_of("09 9E 81 22")).reports("01").reports("00")
    assert [known for _, known in desk.said] == [{"ringing": True}, {"ringing": False}]


def test_hook_blips_are_no_calls_however_many() -> None:
    desk = Desk(POLY)
    for _ in range(20):
        desk.reports("08 02").waits(1990).reports("08 00").waits(500)
    assert [known for _, known in desk.said] == [{"in_call": False}]


def test_calls_that_end_between_two_samples_leave_the_mute_unknown() -> None:
    desk = Desk(headset_of("09 97 81 22", "15 FF 75 02 09 2F 81 26")).reports("01").reports("03")
    assert desk.known() == {"in_call": True, "muted": True}
    assert desk.reports("00", "01").known() == {"in_call": True}


def test_a_descriptor_that_cannot_be_understood_is_rubbish_and_another_headset_is_not() -> None:
    desk = Desk(JABRA[:-1]).reports("02 03 00").waits(5000)
    assert desk.said == [(0, {"why": "rubbish"})]
    assert desk.headset.words == "byte 117: the descriptor ends inside a collection"
    assert desk.says(("plugged", JABRA)).reports("02 03 00").known() == {"in_call": True}


def test_a_keyboard_is_no_headset_and_a_headset_without_telephony_to_read_tells_nothing() -> None:
    keyboard = bytes.fromhex("05 01 09 06 A1 01 05 07 19 E0 29 E7 15 00 25 01 75 01 95 08 81 02 C0")
    desk = Desk(keyboard).reports("02").waits(3000)
    assert desk.said == [(0, {"why": "unplugged"})]
    assert "no telephony" in desk.headset.words
    assert Desk(headset_of("09 00 81 02")).reports("01").waits(3000).said == []


def test_reports_shorter_than_promised_are_rubbish_until_one_fits() -> None:
    desk = Desk().reports("02 03 00")
    desk.reports("02").reports("02 00").waits(100)
    assert desk.known() == {"in_call": True}  # two may be a mishap
    desk.reports("02").waits(5000).reports("02")
    assert desk.known() == {"why": "rubbish"}
    desk.reports("01 00 00").waits(100)
    assert desk.known() == {"why": "rubbish"}
    assert desk.reports("02 00 00").known() == {"in_call": False}
    assert len(desk.said) == 3


def test_unplugged_forbidden_and_broken_are_said_once() -> None:
    desk = Desk(b"").waits(100)
    assert desk.said == []
    desk.says(("unplugged",)).says(("unplugged",)).waits(1000)
    desk.says(("failed", "forbidden", "no right to read it")).waits(1000)
    assert desk.headset.words == "no right to read it"
    desk.says(("failed", "broken", "input/output error")).reports("02 03 00").waits(1000)
    desk.says(("plugged", JABRA)).waits(1000)
    said = [known for _, known in desk.said]
    assert said == [{"why": "unplugged"}, {"why": "forbidden"}, {"why": "broken"}, NOTHING]


def flood(desk: Desk, ms: int, each_10_ms: int) -> None:
    for turn in range(ms // 10):
        desk.reports(*["02 03 00" if (turn + n) % 2 else "02 00 00" for n in range(each_10_ms)])


def test_a_flood_is_said_once_and_ends_by_itself() -> None:
    desk = Desk().reports("02 00 00").waits(1000)
    flood(desk, 5000, 4)
    assert desk.said[-1][1] == {"why": "flood"}
    before = len(desk.said)
    flood(desk, 20000, 4)
    assert len(desk.said) == before
    assert desk.reports("02 03 00").waits(1900).known() == {"why": "flood"}
    assert desk.waits(200).known() == {"in_call": True}  # nothing was thrown away: its last word holds
    assert len(desk.said) == before + 1


def test_a_hand_on_a_volume_wheel_is_no_flood() -> None:
    desk = Desk()
    for _ in range(300):
        desk.reports("01 01", "01 00").waits(20)
    assert desk.said == []


def test_a_flood_that_the_source_saw_leaves_nothing_known() -> None:
    desk = Desk().reports("02 03 00").says(("flood",)).waits(1000)
    assert desk.known() == {"why": "flood"}
    desk.says(("flood",)).waits(1990)
    assert desk.known() == {"why": "flood"}
    assert desk.waits(100).known() == NOTHING
    assert desk.reports("02 03 00").known() == {"in_call": True}
    assert desk.says(("flood",)).says(("plugged", JABRA)).known() == NOTHING  # or it begins anew


ITEMS = st.one_of(
    st.tuples(st.just("plugged"), st.sampled_from(REAL) | damaged() | BYTES),
    st.tuples(st.just("report"), st.binary(max_size=20) | st.sampled_from([bytes([n, n]) for n in range(9)])),
    st.just(("unplugged",)),
    st.just(("flood",)),
    st.tuples(st.just("failed"), st.sampled_from(["forbidden", "broken"]), st.text(max_size=5)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3000), st.lists(ITEMS, max_size=5)), max_size=20))
def test_whatever_comes_the_answer_is_one_that_may_be_sent(
    story: list[tuple[int, list[tuple[Any, ...]]]],
) -> None:
    desk = Desk(b"")
    for ms, items in story:
        before = desk.known(), len(desk.said)
        desk.says(*items).waits(ms)
        if desk.known() != before[0]:
            assert len(desk.said) > before[1]
        if "why" in desk.known():
            assert set(desk.known()) == {"why"}
        assert 0 <= desk.headset.since_ms <= desk.now_ms
        fields = {
            name: getattr(desk.headset, name) for name in ("link", "in_call", "ringing", "muted", "why")
        }
        contract.encode(
            "board/+/input/+/headset",
            {**fields, "seq": 1, "boot": "b", "age_ms": desk.now_ms - desk.headset.since_ms},
        )


def names(module: Any) -> Iterator[str]:
    """Every name, attribute and module that a file uses."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def test_a_headset_is_never_written_to() -> None:
    """There is no way out: of its source the logic uses `read`, and it opens nothing itself."""
    assert {node.attr for node in uses_of("_source", usb_headset)} == {"read"}
    doors = {"write", "send", "ioctl", "open", "os", "socket", "fcntl", "set_report", "feature"}
    assert doors.isdisjoint(names(usb_headset))
    assert doors.isdisjoint(names(hid))
    assert not hasattr(Desk().source, "write")


def uses_of(name: str, module: Any) -> Iterator[ast.Attribute]:
    """What is taken from `self.name`."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == name
        ):
            yield node
