"""A Raspberry Pi as a board, from what is plugged in at its USB to what the broker is told."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boards import usb as listing
from simulator.board import free_port
from tests.brokers import HOST, Broker
from tests.forks import finished
from tests.house import Ear
from tests.test_commands import Command, one_line, running, set_pin
from tests.test_hid import device
from tests.usb import KEYBOARD, Usb

JABRA, POLY = device("jabra")["descriptor"], device("poly")["descriptor"]
BUSY, IDLE = bytes((2, 3, 0)), bytes((2, 0, 0))  # JABRA: hook and line busy, and neither
OFF_HOOK = bytes((8, 2))  # POLY: its hook alone tells of a call, once it has been off for 2.5 s
DESKS = 16


@pytest.fixture
def usb(tmp_path: Path) -> Iterator[Usb]:
    usb = Usb(tmp_path)
    yield usb
    usb.close()


def site(folder: Path, broker: Broker | None = None, **more: Any) -> str:
    """Sixteen desks at one Raspberry Pi: a headset at USB each, and at the first a handset by contact."""
    inputs: list[dict[str, Any]] = [
        {"desk": f"d{number}", "headset": {"by": "usb", "port": f"1-1.{number}"}} for number in range(1, 17)
    ]
    inputs[0]["phone"] = {"by": "contact", "pin": "GPIO4"}
    inputs[0] |= more
    tables: dict[str, Any] = {
        "site": {"id": "example"},
        "desk": [{"id": f"d{number}"} for number in range(1, DESKS + 1)],
        "board": [{"id": "pi", "definition": "raspberry-pi", "inputs": inputs}],
    }
    if broker:
        tables["broker"] = {"host": HOST, "port": broker.port, "keepalive_s": 4}
    path = folder / "site.json"
    path.write_text(json.dumps(tables))
    return str(path)


def headset(ear: Ear, number: int) -> dict[str, Any]:
    """What was last said of the headset of desk d1, d2, …"""
    return ear.latest.get(f"board/pi/input/{number - 1}/headset", {})


def test_sixteen_headsets_at_one_computer(tmp_path: Path, usb: Usb, broker: Broker, ear: Ear) -> None:
    control = f"{HOST}:{free_port()}"
    args = ("station", "pi", "--site", site(tmp_path, broker), "--pins", "memory", "--control", control)
    every = range(1, DESKS + 1)

    def told(number: int, **fields: object) -> bool:
        return fields.items() <= headset(ear, number).items()

    with running(tmp_path, *args, "--sys", str(usb.root), "--dev", str(usb.dev)) as station:
        station.wait(
            "nothing is plugged in", lambda: all(told(n, why="unplugged", in_call=None) for n in every)
        )

        # A headset at every desk: known to be there, and nothing of calls yet.
        devices = {number: usb.plug(f"1-1.{number}", JABRA) for number in every}
        station.wait("all are plugged in", lambda: all(told(n, why=None, in_call=None) for n in every))
        devices[3].report(BUSY)
        station.wait("a call at one desk", lambda: told(3, in_call=True, why=None))
        for number in every:
            devices[number].report(IDLE)
        station.wait("no call at any", lambda: all(told(n, in_call=False) for n in every))

        # Another headset in the same socket is at the same desk; one moved to another socket is at that one's.
        devices.pop(3).unplug()
        devices.pop(4).unplug()
        station.wait("both are gone", lambda: all(told(n, why="unplugged", in_call=None) for n in (3, 4)))
        devices[3] = usb.plug("1-1.3", POLY, ids="047F:C056", name="Poly Blackwire 3220")
        devices[3].report(OFF_HOOK)
        station.wait("a call at the same desk", lambda: told(3, in_call=True, why=None))
        assert told(4, why="unplugged", in_call=None)
        assert all(told(number, in_call=False, why=None) for number in every if number not in (3, 4))

        # The pins are read beside them.
        assert set_pin(control, "GPIO4", "0") == "ok"
        phone = "board/pi/input/0/phone"
        station.wait("the handset is lifted", lambda: ear.latest.get(phone, {}).get("state") == "talking")

        assert modes_of_nodes(station, usb) == [os.O_RDONLY] * 15
        assert station.ctrl_c() == 130
        assert station.text() == "link down: stopped\n"


def modes_of_nodes(station: Command, usb: Usb) -> list[int]:
    """How the station's process has opened each node: for reading (0), writing (1), both (2)."""
    folder = Path("/proc", str(station.process.pid))
    names = [link.name for link in (folder / "fd").iterdir() if os.readlink(link).startswith(str(usb.dev))]
    flags = [re.search(r"^flags:\t(\d+)$", (folder / "fdinfo" / name).read_text(), re.M) for name in names]
    return [int(found[1], 8) & os.O_ACCMODE for found in flags if found]


def test_headsets_beside_the_pins_of_gpiozero(tmp_path: Path, usb: Usb, broker: Broker, ear: Ear) -> None:
    usb.plug("1-1.2", JABRA).report(BUSY)
    args = ("station", "pi", "--site", site(tmp_path, broker), "--sys", str(usb.root), "--dev", str(usb.dev))
    with running(tmp_path, *args, env={"GPIOZERO_PIN_FACTORY": "mock"}) as station:
        station.wait("the headset is in a call", lambda: headset(ear, 2).get("in_call") is True)
        phone = "board/pi/input/0/phone"
        station.wait("the handset lies", lambda: ear.latest.get(phone, {}).get("state") == "idle")
        assert station.ctrl_c() == 130


def test_a_node_that_cannot_be_opened_is_said_in_one_line(
    tmp_path: Path, usb: Usb, broker: Broker, ear: Ear
) -> None:
    """A link around in a circle stands for it: it cannot be opened by anybody, not even by root."""
    closed = usb.plug("1-1.2")
    closed.path.unlink()
    closed.path.symlink_to(closed.path)
    args = ("station", "pi", "--site", site(tmp_path, broker), "--sys", str(usb.root), "--dev", str(usb.dev))
    control = f"{HOST}:{free_port()}"
    with running(tmp_path, *args, "--pins", "memory", "--control", control) as station:
        station.wait("it is said to be broken", lambda: headset(ear, 2).get("why") == "broken")
        seen = ear.latest["board/pi/health"]["uptime_s"]
        station.wait("more looks", lambda: ear.latest["board/pi/health"]["uptime_s"] >= seen + 2)
        [line] = station.text().splitlines()
        assert line.startswith(f"headset at USB port 1-1.2: {closed.path} cannot be opened: ")


def test_a_computer_without_the_chip_it_is_told_of_says_so(tmp_path: Path) -> None:
    done = finished("station", "pi", "--site", site(tmp_path), "--chip", "63")
    one_line(done, r"/dev/gpiochip63: .*ls -l /dev/gpiochip|--chip needs gpiozero and lgpio")


def test_a_voltage_is_measured_by_gpiozero_down_to_its_spi(tmp_path: Path, broker: Broker, ear: Ear) -> None:
    """gpiozero's SPI that is not there shifts in zeros: a line without voltage is one without a plug."""
    where = site(tmp_path, broker, phone={"by": "line", "pin": "ADC0"})
    with running(tmp_path, "station", "pi", "--site", where, env={"GPIOZERO_PIN_FACTORY": "mock"}) as station:
        phone = "board/pi/input/0/phone"
        station.wait("it has no plug", lambda: ear.latest.get(phone, {}).get("why") == "unplugged")
        assert ear.latest[phone]["state"] == "unknown"
        assert station.ctrl_c() == 130


def test_the_technician_sees_what_is_plugged_in_where(usb: Usb) -> None:
    usb.plug("1-1.2", KEYBOARD, interface=0)
    usb.plug("1-1.2", interface=3)
    usb.plug("1-1.4", KEYBOARD, ids="046D:C31C", name="USB Keyboard")
    usb.virtual("usb-0000:01:00.0-7/input0")
    usb.plug("1-1.10", bytes.fromhex("050b 0905 a101"), name="odd\x1b[2J")
    done = finished("board", "usb", "--sys", str(usb.root), "--dev", str(usb.dev))
    assert done.returncode == 0, done.stderr
    assert [re.split(r"  +", line) for line in done.stdout.splitlines()] == [
        ["port", "product", "id", "node", "what it is"],
        ["1-1.2", "Jabra Link 380", "0b0e:0348", f"{usb.dev}/hidraw0", "no telephony"],
        ["1-1.2", "Jabra Link 380", "0b0e:0348", f"{usb.dev}/hidraw1", "tells of calls, is read here"],
        ["1-1.4", "USB Keyboard", "046d:c31c", f"{usb.dev}/hidraw2", "no telephony"],
        ["1-1.10", "odd?[2J", "0b0e:0348", f"{usb.dev}/hidraw4", "cannot be understood, is read here"],
        [
            "usb-0000:01:00.0-7",
            "virtual headset",
            "0b0e:0348",
            f"{usb.dev}/hidraw3",
            "tells of calls, is read here",
        ],
    ]


def test_the_technician_is_told_what_opens_a_closed_headset(
    usb: Usb, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb.plug("1-1.2")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    lines = listing.listing(str(usb.root), str(usb.dev))
    assert lines[1].endswith("tells of calls, and may not be read")
    assert "callfloor udev | sudo tee /etc/udev/rules.d/70-callfloor.rules" in lines[-1]


def test_a_computer_with_nothing_plugged_in_says_so(tmp_path: Path) -> None:
    assert "nothing that speaks HID" in finished("board", "usb", "--sys", str(tmp_path)).stdout
