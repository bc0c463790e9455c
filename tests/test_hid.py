"""Report descriptors of real headsets, bytes of no kind at all, and what the parser costs."""

from __future__ import annotations

import contextlib
import json
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware import hid
from tests import pythons

DATA = Path(__file__).parent / "data" / "hid"
DEVICES = sorted(path.stem for path in DATA.glob("*.toml"))
FAMILIES = {"Jabra", "Poly/Plantronics", "EPOS/Sennheiser", "Yealink", "Logitech"}


def device(name: str) -> dict[str, Any]:
    """One of the data files, its `descriptor` as bytes and its `fields` as rows."""
    page = tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))
    lines = [line.partition("#")[0] for line in page["descriptor"].splitlines()]
    page["descriptor"] = bytes.fromhex("".join(lines))
    page["fields"] = [field_of(line) for line in page["fields"].split("\n") if line]
    return page


def field_of(line: str) -> list[Any]:
    """[report, bit, size, usage or None for a key array, what its values say] of a line."""
    report, bit, size, usage, says = line.split()
    return [int(report), int(bit), int(size), None if usage == "keys" else int(usage, 16), says]


def driven(python: str, jobs: list[dict[str, Any]], tmp_path: Path) -> list[dict[str, Any]]:
    """What the driver says of each job on that Python."""
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps(jobs), encoding="utf-8")
    said = pythons.run(python, "tests/hid_driver.py", str(path))
    return [json.loads(line) for line in said.splitlines()]


def test_the_families_are_there_and_say_where_they_come_from() -> None:
    pages = [device(name) for name in DEVICES]
    assert {page["family"] for page in pages} >= FAMILIES
    for page in pages:
        assert page["source"], page["device"]
        assert page["missing"], page["device"]
        assert type(page["complete"]) is bool
        assert page["session"], page["device"]


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_the_fields_of_real_headsets(python: str, tmp_path: Path) -> None:
    pages = [device(name) for name in DEVICES]
    jobs = [
        {"descriptor": page["descriptor"].hex(), "reports": [], "steps": [], "end_ms": 0} for page in pages
    ]
    for name, page, done in zip(DEVICES, pages, driven(python, jobs, tmp_path), strict=True):
        assert done["fields"] == page["fields"], name


# Any bytes, and bytes that are nearly a descriptor.

BYTES = st.binary(max_size=300)
REAL = [device(name)["descriptor"] for name in DEVICES]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real descriptor after up to eight bytes were changed, taken out or put in."""
    descriptor = bytearray(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(descriptor) - 1))
        descriptor[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(descriptor)


@st.composite
def item_soup(draw: st.DrawFn) -> bytes:
    """Well-formed items that belong together by nothing, with numbers that lie."""
    soup = bytearray(bytes.fromhex("05 0B 09 05 A1 01") if draw(st.booleans()) else b"")
    for _ in range(draw(st.integers(0, 40))):
        size = draw(st.sampled_from((0, 1, 2, 4)))
        prefix = draw(st.integers(0, 63)) << 2 | (0, 1, 2, 0, 3)[size]
        if prefix != 0xFE:
            soup += bytes([prefix]) + draw(st.binary(min_size=size, max_size=size))
    return bytes(soup + b"\xc0" if draw(st.booleans()) else soup)


@settings(max_examples=300, deadline=None)
@given(BYTES | damaged() | item_soup(), st.lists(st.binary(max_size=70), max_size=4))
@example(bytes.fromhex("FE"), [])
@example(bytes.fromhex("FE FF"), [b""])
@example(bytes.fromhex("C0"), [])
@example(bytes.fromhex("B4"), [])
@example(bytes.fromhex("85 00"), [])
def test_no_input_crashes_it(descriptor: bytes, reports: list[bytes]) -> None:
    try:
        fields = hid.parse(descriptor)
    except hid.HidError as error:
        assert "byte" in str(error)
        return
    known = hid.layout(fields)
    for report in [*reports, *(bytes([number]) + bytes(64) for number in known.reports)]:
        values = hid.read(known, report)
        assert values is None or all(
            usage in hid.KNOWN and says in (hid.ABSOLUTE, hid.PAIR, hid.TOGGLE) and type(value) is int
            for usage, says, value in values
        )


def test_what_is_wrong_is_said_with_its_byte() -> None:
    for wrong, words in (
        ("05", "byte 0: the descriptor ends inside an item"),
        ("05 0B 26 FF", "byte 2: the descriptor ends inside an item"),
        ("05 0B FE 03 00 01", "byte 2: the descriptor ends inside an item"),
        ("05 0B 09 05 A1 01", "byte 6: the descriptor ends inside a collection"),
        ("05 0B C0", "byte 2: the end of a collection that never began"),
        ("05 0B B4", "byte 2: a pop without a push"),
        ("85 00", "byte 0: report id 0 is not between 1 and 255"),
        ("86 00 01", "byte 0: report id 256 is not between 1 and 255"),
        ("75 01 97 00 00 00 80 81 02", "byte 7: a report of 2147483648 bits, at most 131072"),
        ("00" * 4097, "4097 bytes of descriptor, at most 4096"),
    ):
        with pytest.raises(hid.HidError) as raised:
            hid.parse(bytes.fromhex(wrong))
        assert str(raised.value) == words


# Descriptors whose fields are known before they are written.


def item(tag: int, value: int, signed: bool = False) -> bytes:
    """A short item with as few bytes of data as its value needs."""
    for code, size in ((0, 0), (1, 1), (2, 2), (3, 4)):
        low, high = (-(1 << 8 * size - 1), 1 << 8 * size - 1) if signed and size else (0, 1 << 8 * size)
        if low <= value < high:
            return bytes([tag | code]) + value.to_bytes(size, "little", signed=signed)
    raise AssertionError(value)


USAGES = st.sampled_from([usage for usage in hid.KNOWN if usage >> 16 == hid.TELEPHONY])
STRANGERS = st.sampled_from((0x0B002B, 0x0B0070, 0x0C00E9, 0xFF300020, 0x080020))


@st.composite
def planned(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int, int, int, str, int, int]], bool]:
    """A descriptor, the known controls in it as (report, bit, size, usage, says, low, high), and whether it has ids."""
    ids = draw(st.booleans())
    places: dict[int, int] = {}
    expected: list[tuple[int, int, int, int, str, int, int]] = []
    bytes_ = bytearray(item(0x04, 0x0B) + item(0x08, 5) + item(0xA0, 1))
    used: set[tuple[int, int]] = set()
    for _ in range(draw(st.integers(1, 6))):
        report = draw(st.integers(1, 5)) if ids else 0
        size = draw(st.integers(1, 9))
        low, high = draw(st.sampled_from(((0, 1), (-1, 1), (0, (1 << size) - 1))))
        relative, preferred = draw(st.booleans()), draw(st.booleans())
        usages = draw(st.lists(USAGES | STRANGERS, min_size=1, max_size=5, unique=True))
        usages = [usage for usage in usages if (report, usage) not in used] or [0x0C00E9]
        used |= {(report, usage) for usage in usages}
        output = draw(st.integers(0, 3)) == 0
        if draw(st.booleans()):  # what a push saves, a pop brings back
            bytes_ += item(0xA4, 0) + item(0x74, 31) + item(0x94, 7) + item(0x04, 0x0C) + item(0xB4, 0)
        if ids:
            bytes_ += item(0x84, report)
        bytes_ += item(0x14, low, signed=True) + item(0x24, high, signed=low < 0)
        if draw(st.booleans()):
            bytes_ += bytes.fromhex("FE 02 F0 AA BB")  # a long item, which means nothing
        if {usage >> 16 for usage in usages} == {0x0B} and draw(st.booleans()):
            bytes_ += item(0x04, draw(st.sampled_from((0x09, 0x0C, 0x0B))))  # whatever the page is now
            bytes_ += b"".join(item(0x08, usage & 0xFFFF) for usage in usages) + item(0x04, 0x0B)
        else:
            for usage in usages:
                bytes_ += bytes([0x0B]) + usage.to_bytes(4, "little")  # with its own page
        flags = 0x02 | (0x04 if relative else 0) | (0 if preferred else 0x20)
        bytes_ += item(0x74, size) + item(0x94, len(usages)) + item(0x90 if output else 0x80, flags)
        if output:
            continue
        says = "absolute" if not relative else "pair" if low < 0 and not preferred else "toggle"
        for place, usage in enumerate(usages):
            if usage in hid.KNOWN:
                bit = places.get(report, 0) + place * size
                expected.append((report, bit, size, usage, says, low, high))
        places[report] = places.get(report, 0) + size * len(usages)
    return bytes(bytes_ + b"\xc0"), expected, ids


@settings(max_examples=300, deadline=None)
@given(planned(), st.data())
def test_fields_are_where_they_were_put(
    plan: tuple[bytes, list[tuple[int, int, int, int, str, int, int]], bool], data: st.DataObject
) -> None:
    descriptor, expected, ids = plan
    known = hid.layout(hid.parse(descriptor))
    for report in {row[0] for row in expected}:
        rows = [row for row in expected if row[0] == report]
        bits = max(row[1] + row[2] for row in rows)
        sent, meant = 0, []
        for _, bit, size, usage, says, low, high in rows:
            lowest, highest = (-(1 << size - 1), (1 << size - 1) - 1) if low < 0 else (0, (1 << size) - 1)
            value = data.draw(st.integers(lowest, highest))
            sent |= (value & (1 << size) - 1) << bit
            meant.append((usage, says, max(low, min(high, value)) if low < high else value))
        body = sent.to_bytes((bits + 7) // 8, "little")
        whole = bytes([report]) + body if ids else body
        assert sorted(hid.read(known, whole)) == sorted(meant)
        assert sorted(hid.read(known, whole + b"\xff" * 3)) == sorted(meant)
        assert hid.read(known, whole[:-1]) is None


# Work, in steps: lines of Python that are run.


def steps(work: Callable[[], object]) -> int:
    """How many lines of firmware/hid.py `work` runs."""
    counted = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal counted
        if not frame.f_code.co_filename.endswith("hid.py"):
            return None
        counted += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


def understood(descriptor: bytes) -> None:
    with contextlib.suppress(hid.HidError):
        hid.layout(hid.parse(descriptor))


LIES = [
    "05 0B 09 05 A1 01 75 01 97 00 00 00 80 09 20 81 02 C0",  # 2**31 hook switches
    "05 0B 09 05 A1 01 75 01 97 00 00 01 00 09 20 81 02 C0",  # 65536 of them: allowed, and still one control
    "05 0B 09 05 A1 01 75 01 95 01 1B 00 00 0B 00 2B FF FF 0B 00 81 02 C0",  # all usages of a page
    "05 0B 09 05 A1 01 75 08 97 FF 3F 00 00 17 00 00 00 80 27 FF FF FF 7F 1B 00 00 0B 00 2B FF FF 0B 00 81 00 C0",
    "77 FF FF FF FF 97 FF FF FF FF 81 02",
    "75 00 97 FF FF FF FF 81 02",  # nothing, many times
]


@pytest.mark.parametrize("lie", LIES)
def test_a_number_that_lies_costs_nothing(lie: str) -> None:
    assert steps(lambda: understood(bytes.fromhex(lie))) < 600


@settings(max_examples=60, deadline=None)
@given(BYTES | damaged() | item_soup())
def test_work_grows_with_the_length_alone(descriptor: bytes) -> None:
    assert steps(lambda: understood(descriptor)) <= 400 + 60 * len(descriptor)


@pytest.mark.parametrize(
    "brick", ["09 20", "09 20 81 02", "19 20 29 2F", "A4", "A9 01 A9 00", "85 01 09 20 81 02"]
)
def test_the_longest_descriptors_cost_what_their_length_allows(brick: str) -> None:
    head = bytes.fromhex("05 0B 09 05 A1 01 15 00 25 01 75 01 95 01")
    many = (hid.DESCRIPTOR_MOST - len(head) - 3) // len(bytes.fromhex(brick))
    descriptor = head + bytes.fromhex(brick) * many + bytes.fromhex("81 02 C0")
    assert steps(lambda: understood(descriptor)) <= 400 + 60 * len(descriptor)
    known = hid.layout(hid.parse(descriptor))
    for number in known.reports:
        # The report itself is long; what is read of it is not.
        report = bytes([number]) + bytes(2048)
        assert steps(partial(hid.read, known, report)) < 3000


def test_the_longest_reports_cost_no_more() -> None:
    known = hid.layout(hid.parse(bytes.fromhex(LIES[1])))
    assert hid.read(known, bytes(8192)) == [(hid.HOOK, hid.ABSOLUTE, 0)]
    assert hid.read(known, bytes(8191) + b"\x80") == [(hid.HOOK, hid.ABSOLUTE, 1)]
    assert steps(lambda: hid.read(known, bytes(8192))) < 60
    keys = hid.layout(hid.parse(bytes.fromhex(LIES[3])))
    assert steps(lambda: hid.read(keys, bytes(16383))) < 1500
