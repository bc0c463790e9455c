"""USB headsets by hidraw: found by their sockets, read without being written to, whatever is pulled and plugged."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware import hid, pins_hidraw
from firmware.pins_hidraw import Headsets, Source
from firmware.usb_headset import FLOOD_REPORTS
from tests.usb import JABRA, KEYBOARD, OFF, ON, Usb

FLOOD = ("flood",)
GONE = ("unplugged",)
PLUGGED = ("plugged", JABRA)
RUBBISH = bytes.fromhex("050b 0905 a101")  # ends inside a collection


class Clock:
    """Milliseconds, set by hand."""

    ms = 5

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def usb(tmp_path: Path) -> Iterator[Usb]:
    usb = Usb(tmp_path)
    yield usb
    usb.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def headsets(usb: Usb, clock: Clock) -> Iterator[Headsets]:
    opened: list[Source] = []
    found = Headsets(str(usb.root), str(usb.dev), clock)
    at = found.at

    def remember(port: str) -> Source:
        opened.append(at(port))
        return opened[-1]

    found.at = remember  # type: ignore[method-assign]
    yield found
    for source in opened:
        source.close()


def later(source: Source, clock: Clock, ms: int = 1000) -> list[Any]:
    """What a source says at its next look."""
    clock.ms += ms
    return list(source.read())


def test_a_headset_is_read_from_when_it_is_plugged_in_until_it_is_pulled_out(
    usb: Usb, headsets: Headsets, clock: Clock
) -> None:
    source = headsets.at("1-1.2")
    assert source.read() == [GONE]
    assert later(source, clock) == []  # said once
    headset = usb.plug("1-1.2")
    headset.report(ON)
    assert later(source, clock, 10) == []  # between two looks
    assert later(source, clock) == [PLUGGED, ("report", ON)]
    assert later(source, clock, 10) == []
    headset.report(OFF, ON)
    assert later(source, clock, 10) == [("report", OFF), ("report", ON)]
    headset.report(OFF)
    headset.unplug()
    assert later(source, clock, 10) == [("report", OFF), GONE]  # what it said last is heard
    assert later(source, clock) == []


def test_a_read_error_is_a_headset_that_was_pulled_out(usb: Usb, headsets: Headsets, clock: Clock) -> None:
    headset = usb.plug("1-1.2")
    headset.path.unlink()
    headset.path.symlink_to("/proc/self/mem")  # a read there gives EIO, as of a hidraw that has gone
    with pytest.raises(OSError, match="Input/output"), headset.path.open("rb", buffering=0) as file:
        file.read(1)
    source = headsets.at("1-1.2")
    assert source.read() == [PLUGGED, GONE]
    assert later(source, clock, 10) == []
    assert not [fd for fd in os.listdir("/proc/self/fd") if link(fd).endswith("/mem")]


def test_a_desk_is_a_socket_and_not_a_device(usb: Usb, headsets: Headsets, clock: Clock) -> None:
    left, right = headsets.at("1-1.2"), headsets.at("1-1.3")
    jabra, poly = usb.plug("1-1.2"), usb.plug("1-1.3", ids="047F:02EE")
    assert (left.read(), right.read()) == ([PLUGGED], [PLUGGED])
    jabra.unplug()
    poly.unplug()
    poly, jabra = usb.plug("1-1.2", ids="047F:02EE"), usb.plug("1-1.3")
    clock.ms += 1000
    assert (left.read(), right.read()) == ([GONE, PLUGGED], [GONE, PLUGGED])
    poly.report(ON)
    assert (left.read(), right.read()) == ([("report", ON)], [])


def test_another_device_under_the_same_name_is_another_device(
    usb: Usb, headsets: Headsets, clock: Clock
) -> None:
    """Pulled and plugged within a second, hidraw0 is hidraw0 again; the kernel's count tells them apart."""
    source = headsets.at("1-1.2")
    usb.plug("1-1.2", node="hidraw0").unplug()
    first = usb.plug("1-1.2", node="hidraw0")
    assert source.read() == [PLUGGED]
    held = os.open(first.path, os.O_RDWR)  # its reader sees no end, and has to look
    first.unplug()
    usb.plug("1-1.2", RUBBISH, node="hidraw0")
    assert later(source, clock) == [GONE, ("plugged", RUBBISH)]
    os.close(held)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("1-1.2", "a"), ("1-1", None), ("1-1.2.1", None), ("1-12", None), ("2-1.2", "b"), ("3-1.2", "like a"),
        ("usb-0000:00:14.0-1.4", "c"), ("usb-0000:00:14.0-1.40", None),
        ("2-7.1", "virtual"), ("9-7.1", "virtual"), ("2-7", None), ("1-7.10", None),
        ("usb-0000:01:00.0-7.1", "virtual"), ("desk seven", "named"), ("desk", None),
    ],
)  # fmt: skip
def test_where_a_port_is(asked: str, found: str | None, usb: Usb, headsets: Headsets) -> None:
    devices = {
        "a": usb.plug("1-1.2"),
        "b": usb.plug("2-1.2"),  # as many sockets from another bus
        "c": usb.plug("1-1.4"),
        "virtual": usb.virtual("usb-0000:01:00.0-7.1/input3"),
        "named": usb.virtual("desk seven"),
        "like a": usb.virtual("usb-0000:01:00.0-1.2/input0"),  # what surely is there comes before it
    }
    source = headsets.at(asked)
    source.read()
    heard = [name for name, device in devices.items() if device.report(ON) and source.read()]
    assert heard == ([found] if found else [])


def test_two_virtual_devices_that_a_port_may_mean_are_asked_about(
    usb: Usb, headsets: Headsets, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    usb.virtual("usb-0000:01:00.0-1.2/input0")
    other = usb.virtual("usb-0000:02:00.0-1.2/input0")
    source, exact = headsets.at("1-1.2"), headsets.at("usb-0000:02:00.0-1.2")
    assert (source.read(), exact.read()) == ([], [PLUGGED])
    clock.ms += 1000
    [(failed, why, words)] = source.read()
    assert (failed, why) == ("failed", "broken")
    assert "usb-0000:01:00.0-1.2 or usb-0000:02:00.0-1.2" in words
    other.unplug()
    assert later(source, clock) == [PLUGGED]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_of_several_nodes_the_one_that_tells_of_calls_is_read(
    usb: Usb, headsets: Headsets, clock: Clock
) -> None:
    only_mute = JABRA.replace(bytes.fromhex("0920 0997"), bytes.fromhex("0924 0950"))  # redial, speed dial
    usb.plug("1-1.2", KEYBOARD, interface=0)
    source = headsets.at("1-1.2")
    assert source.read() == [GONE]  # a keyboard is no headset
    usb.plug("1-1.2", RUBBISH, interface=1)
    assert later(source, clock) == [("plugged", RUBBISH)]
    usb.plug("1-1.2", only_mute, interface=2)
    assert later(source, clock) == [GONE, ("plugged", only_mute)]
    last = usb.plug("1-1.2", JABRA, interface=4)
    assert later(source, clock) == [GONE, PLUGGED]
    second = usb.plug("1-1.2", JABRA, interface=3)
    assert later(source, clock) == [GONE, PLUGGED]
    last.report(ON)
    assert later(source, clock, 10) == []
    second.report(ON)
    assert later(source, clock, 10) == [("report", ON)]


def test_it_is_never_opened_for_writing(usb: Usb, headsets: Headsets) -> None:
    headset = usb.plug("1-1.2")
    headsets.at("1-1.2").read()
    [fd] = [fd for fd in open_files(usb.dev) if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDWR]
    assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    assert not os.get_inheritable(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(fd, b"\x02\x01")
    assert headset.path.exists()


def open_files(folder: Path) -> list[int]:
    """The descriptors of this process that lead into a folder."""
    return [int(name) for name in os.listdir("/proc/self/fd") if link(name).startswith(str(folder))]


def link(name: str) -> str:
    """Where one of this process's descriptors leads; empty for that of the list itself, gone by now."""
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        return ""


@contextlib.contextmanager
def as_somebody() -> Iterator[None]:
    """As one whom the kernel refuses what a file's mode does: root becomes nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_what_may_not_be_read_says_what_mends_it_once(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # in a folder that others may enter
        usb = Usb(Path(folder))
        headset = usb.plug("1-1.2")
        headset.path.chmod(0o000)
        source = Headsets(str(usb.root), str(usb.dev), clock).at("1-1.2")
        with as_somebody():
            assert source.read() == []  # udev may be a moment behind the kernel
            [(failed, why, words)] = later(source, clock)
            assert (failed, why) == ("failed", "forbidden")
            assert "callfloor udev | sudo tee /etc/udev/rules.d/70-callfloor.rules && sudo udevadm" in words
            for _ in range(5):
                assert later(source, clock) == []
        assert capsys.readouterr().err == f"headset at USB port 1-1.2: {words}\n"
        headset.path.chmod(0o444)
        with as_somebody():
            assert later(source, clock) == [PLUGGED]
        source.close()
        usb.close()


def test_a_node_that_is_not_there_is_said(usb: Usb, headsets: Headsets, clock: Clock) -> None:
    """As in a container that has /sys and not /dev."""
    headset = usb.plug("1-1.2")
    headset.path.unlink()
    source = headsets.at("1-1.2")
    assert source.read() == []
    assert later(source, clock) == [
        ("failed", "broken", f"{headset.path} cannot be opened: No such file or directory")
    ]
    assert later(source, clock) == []


def test_a_flood_is_thrown_away_while_it_lasts(usb: Usb, headsets: Headsets, clock: Clock) -> None:
    headset = usb.plug("1-1.2")
    source = headsets.at("1-1.2")
    assert source.read() == [PLUGGED]
    said: list[Any] = []
    for _ in range(410):  # four seconds with three reports each 10 ms
        headset.report(ON, OFF, ON)
        said += later(source, clock, 10)
    first = said.index(FLOOD)
    assert said[:first] == [("report", ON), ("report", OFF), ("report", ON)] * (FLOOD_REPORTS // 3) + [
        ("report", ON),
        ("report", OFF),
    ]
    assert said[first:] == [FLOOD] * 5  # at once, and each second while it lasts
    headset.report(*[ON] * 10)  # the last of it
    calm = [item for _ in range(300) for item in later(source, clock, 10)]
    assert calm[-1] == PLUGGED  # it begins anew: what was lost is not known
    assert calm[:-1] in ([], [FLOOD])
    headset.report(OFF)
    assert later(source, clock, 10) == [("report", OFF)]


def test_a_burst_that_the_kernel_cannot_hold_is_a_flood(usb: Usb, headsets: Headsets, clock: Clock) -> None:
    headset = usb.plug("1-1.2")
    source = headsets.at("1-1.2")
    source.read()
    assert headset.report(*itertools.repeat(ON, 1000)) == pins_hidraw.KERNEL_KEEPS
    first, second = later(source, clock, 10), later(source, clock, 10)
    assert first == [("report", ON)] * pins_hidraw.REPORTS_A_POLL
    assert second == [("report", ON)] * 31 + [FLOOD]


def test_a_long_report_and_an_empty_second_do_no_harm(usb: Usb, headsets: Headsets, clock: Clock) -> None:
    headset = usb.plug("1-1.2")
    source = headsets.at("1-1.2")
    headset.report(b"\x05" * 4000)
    assert source.read() == [PLUGGED, ("report", b"\x05" * 4000)]
    assert later(source, clock, 5000) == []


def test_a_descriptor_without_end_is_read_as_far_as_it_may_be_long(usb: Usb, headsets: Headsets) -> None:
    usb.plug("1-1.2", JABRA * 2000)
    [(_, descriptor)] = headsets.at("1-1.2").read()
    assert len(descriptor) == hid.DESCRIPTOR_MOST + 1  # so long that its reader sees it is too long


def test_a_computer_without_hidraw_has_no_headsets(tmp_path: Path) -> None:
    assert Headsets(str(tmp_path), str(tmp_path)).at("1-1.2").read() == [GONE]


AFTER = {
    "": ("plugged", "unplugged"),
    "plugged": ("report", "unplugged", "flood"),
    "flood": ("flood", "plugged", "unplugged"),
    "unplugged": ("plugged",),
}


def test_pulling_and_plugging_at_any_moment(usb: Usb, headsets: Headsets, clock: Clock) -> None:
    """Four sockets, thousands of hands: never more than 32 at once, and always told in an order that can be."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    hand = random.Random(seed)
    ports = ("1-1.1", "1-1.2", "1-1.2.4", "2-1.1")
    sources = {port: headsets.at(port) for port in ports}
    there: dict[str, Any] = {}
    state: dict[str, str] = dict.fromkeys(ports, "")
    for _ in range(1500):
        port = hand.choice(ports)
        action = hand.random()
        if port not in there and action < 0.4:
            there[port] = usb.plug(port)
        elif port in there and action < 0.2:
            there.pop(port).unplug()
        elif port in there:
            there[port].report(*[ON] * hand.choice((1, 1, 1, 50)))
        clock.ms += hand.choice((0, 10, 10, 400, 1000))
        for name, source in sources.items():
            news = source.read()
            assert len(news) <= 32
            for what, *_ in news:
                assert what in AFTER[state[name]]
                state[name] = what if what != "report" else state[name]
    clock.ms += 5000
    for name, source in sources.items():
        news = [item for _ in range(20) for item in source.read()]
        last = [what for what, *_ in news if what != "report"]
        ends = last[-1] if last else state[name]
        assert ends in (("plugged", "flood") if name in there else ("unplugged",))


def test_sixteen_headsets_cost_little(usb: Usb, headsets: Headsets, clock: Clock) -> None:
    """A hundred polls a second of sixteen desks, looks included, leave nearly all of the second."""
    sources = [headsets.at(f"1-1.{number}") for number in range(1, 17)]
    for number in range(1, 17):
        usb.plug(f"1-1.{number}")
    assert [source.read() for source in sources] == [[PLUGGED]] * 16
    began = time.process_time()
    for _ in range(100):
        clock.ms += 10
        for source in sources:
            assert source.read() == []
    took = time.process_time() - began
    print(f"a second of sixteen headsets: {took * 1000:.1f} ms")
    assert took < 0.3
