"""The udev rule, tried on devices as udev sees them: who may read what."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from boards import udev
from floorplan import SiteError
from tests.forks import finished
from tests.test_commands import one_line

Parents = list[dict[str, str]]  # a device and all above it, each by the keys that a rule can ask for


def headset(vendor: str, protocol: str = "00", driver: str = "hid-generic") -> Parents:
    """A hidraw node as udev walks up from it."""
    return [
        {"SUBSYSTEM": "hidraw", "KERNELS": "hidraw0"},
        {"KERNELS": f"0003:{vendor}:0348.0001", "SUBSYSTEMS": "hid", "DRIVERS": driver},
        {
            "KERNELS": "1-1.2:1.3",
            "SUBSYSTEMS": "usb",
            "DRIVERS": "usbhid",
            "ATTRS{bInterfaceProtocol}": protocol,
        },
        {"KERNELS": "1-1.2", "SUBSYSTEMS": "usb", "DRIVERS": "usb", "ATTRS{idVendor}": vendor.lower()},
    ]


def virtual(vendor: str) -> Parents:
    """One of /dev/uhid: no USB above it."""
    return headset(vendor)[:2]


def given(rules: str, parents: Parents, action: str = "add") -> dict[str, str]:
    """What udev would set, by udev(7): a plain key is the device's own, one in the plural form has to hold, with
    all others of its rule, at one and the same device on the way up; `|` parts alternatives."""  # fmt: skip
    done: dict[str, str] = {}
    skip_to = None
    for line in rules.splitlines():
        tokens = re.findall(r'([A-Z]+(?:\{\w+\})?)(==|!=|=)"([^"]*)"', line)
        if not tokens or line.startswith("#"):
            continue
        assigned = {key: value for key, how, value in tokens if how == "="}
        if skip_to:
            skip_to = None if assigned.get("LABEL") == skip_to else skip_to
            continue
        asked = [token for token in tokens if token[1] != "="]
        own = [token for token in asked if token[0] in ("ACTION", "SUBSYSTEM")]
        above = [token for token in asked if token not in own]
        here = {"ACTION": action, "SUBSYSTEM": parents[0]["SUBSYSTEM"]}
        if not all(holds(token, here) for token in own):
            continue
        if above and not any(all(holds(token, parent) for token in above) for parent in parents):
            continue
        skip_to = assigned.get("GOTO")
        done |= {key: value for key, value in assigned.items() if key in ("GROUP", "MODE")}
    assert skip_to is None
    return done


def holds(token: tuple[str, str, str], facts: dict[str, str]) -> bool:
    key, how, pattern = token
    if key not in facts:
        return False
    met = any(fnmatchcase(facts[key], each) for each in pattern.split("|"))
    return met if how == "==" else not met


READ_ONLY = {"GROUP": "plugdev", "MODE": "0640"}


@pytest.mark.parametrize("vendor", ["0B0E", "047F", "1395", "6993", "046D", "03F0"])
def test_headsets_of_each_maker_may_be_read_and_not_written(vendor: str) -> None:
    rules = udev.rules("plugdev", [])
    for device in (headset(vendor), virtual(vendor)):
        assert given(rules, device) == READ_ONLY
        assert given(rules, device, "change") == READ_ONLY  # what `udevadm trigger` says
        assert given(rules, device, "remove") == {}


@pytest.mark.parametrize(
    "device",
    [
        headset("046D", protocol="01"),  # a keyboard that a BIOS can use
        headset("046D", protocol="02"),  # a mouse
        headset("046D", driver="logitech-hidpp-device"),  # behind a shared receiver
        headset("046D", driver="logitech-djreceiver"),
        headset("1234"),
        [{"SUBSYSTEM": "input", "KERNELS": "event3"}, *headset("0B0E")[1:]],
    ],
)
def test_anything_else_stays_as_it_is(device: Parents) -> None:
    assert given(udev.rules("plugdev", []), device) == {}


def test_another_maker_and_another_group() -> None:
    done = finished("udev", "--vendor", "0x1234", "--vendor", "0b0e", "--group", "desks")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("0B0E") == 1
    assert given(done.stdout, headset("1234")) == {"GROUP": "desks", "MODE": "0640"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--vendor", "jabra"), "--vendor: 'jabra' is not four hexadecimal digits"),
        (("--group", 'x", RUN+="y'), "--group: .* is no group's name"),
    ],
)
def test_what_is_no_vendor_and_no_group_is_said(args: tuple[str, ...], words: str) -> None:
    one_line(finished("udev", *args), words)


def test_every_maker_has_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    text: Any = udev.rules("plugdev", [])
    for vendor, name in udev.VENDORS.items():
        assert f'# {name}\nKERNELS=="0003:{vendor.upper()}:' in text
    with pytest.raises(SiteError):
        udev.rules("", [])
