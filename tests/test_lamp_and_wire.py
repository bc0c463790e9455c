"""A board's lamp and its network chip, on the real interpreter; `machine`, `network` and `neopixel` are stand-ins.

They take what the chips' own modules take and nothing else: ports/esp32/network_lan.c, extmod/network_wiznet5k.c.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import floorplan
from boards import definition
from tests.pythons import run
from tests.test_definitions import plan

MACHINE = """
said = []
class Pin:
    IN, OUT, PULL_UP, PULL_DOWN = 1, 3, 4, 5
    def __init__(self, id, mode=None, pull=None, value=None):
        if id == "LED" and not has_led: raise ValueError("unknown named pin")
        if type(id) is not int and id != "LED": raise TypeError("a pin is a number")
        self.id = id
    def value(self, level=None):
        if level is None: return 1
        said.append("%s %d" % (self.id, level))
    def __repr__(self): return "Pin(%s)" % self.id
has_led = True
class SPI:
    def __init__(self, id, baudrate, *, sck, mosi, miso): self.told = (id, baudrate, sck, mosi, miso)
    def __repr__(self): return "SPI%r" % (self.told,)
"""
NETWORK = """
from machine import said
PHY_LAN8720 = 4
fails = 1
class LAN:
    def __init__(self, id=None, *, phy_addr, phy_type, mdc=None, mdio=None, reset=None, power=None, spi=None, cs=None,
                 int=None, ref_clk_mode=-1, ref_clk=None):
        said.append("LAN addr=%s type=%s mdc=%r mdio=%r power=%r clk=%r %s" % (phy_addr, phy_type, mdc, mdio, power,
                                                                              ref_clk, ref_clk_mode))
        self.up = False
    def active(self, up=None):
        global fails
        if up is None: return self.up
        if fails:
            fails -= 1
            raise OSError("ethernet enable failed")
        self.up = True
    def isconnected(self): return self.up
    def ifconfig(self): return ("10.0.0.7", "", "", "")
class WIZNET5K:
    def __init__(self, *pins):
        if len(pins) not in takes: raise TypeError("function takes %d positional arguments" % max(takes))
        said.append("WIZNET5K %r" % (pins,))
        self.up, self.looks = False, 0
    def active(self, up=None):
        if up is None: return self.up
        said.append("up, DHCP begins")
        self.up = up
    def isconnected(self):  # the server answers after some looks
        self.looks += self.up
        return self.looks > answers
    def ifconfig(self, how=None):
        if how: said.append("stands still for 10 s")
        return ("10.0.0.8", "", "", "")
    def ipconfig(self, *, dhcp4):
        said.append("DHCP again")
        self.looks = answers
takes = (0, 3, 4)
answers = 3
"""
NEOPIXEL = """
from machine import said
class NeoPixel:
    def __init__(self, pin, n): self.pin, self.lights = pin, [None] * n
    def __setitem__(self, at, colour): self.lights[at] = colour
    def write(self): said.append("%s %s" % (self.pin.id, self.lights))
"""

BLINKS = """
import json, sys
import machine
from firmware.pins_machine import Pins
told = json.loads(%r)
machine.has_led = %r
pins = Pins(told)
before = list(machine.said)
pins.led(True); pins.led(False); pins.led(True)
print(json.dumps([before, machine.said, "firmware.lamp" in sys.modules]))
"""
JOINS = """
import asyncio, json
import machine, network
network.takes = %r
network.answers = %d
from firmware import net
net.CHECK_MS, net.JOIN_MS = 10, 60
told = json.loads(%r)
async def go():
    task = asyncio.create_task(net.WAYS[%r](told))
    await asyncio.sleep(0.1)
    address = net.address()
    task.cancel()
    print(json.dumps([machine.said, address]))
asyncio.run(go())
"""


@pytest.fixture
def shims(tmp_path: Path) -> Path:
    for name, text in (("machine", MACHINE), ("network", NETWORK), ("neopixel", NEOPIXEL)):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def said(shims: Path, program: str) -> Any:
    return json.loads(run("micropython", "-c", program, path=(shims,)).splitlines()[-1])


ON, OFF = "[(16, 16, 16)]", "[(0, 0, 0)]"


@pytest.mark.parametrize(
    ("board", "has_led", "blinks"),
    [
        ("pico-w", True, ["LED 1", "LED 0", "LED 1"]),
        ("w5500-evb-pico", False, ["25 1", "25 0", "25 1"]),
        ("esp32-s3", False, [f"{pin} {level}" for level in (ON, OFF, ON) for pin in (38, 48)]),
        ("esp32", False, []),
    ],
)
def test_the_boards_own_lamp_is_blinked_and_taken_only_when_it_is_wanted(
    board: str, has_led: bool, blinks: list[str], shims: Path
) -> None:
    told = json.dumps(definition.told(plan(board).board[0]))
    before, after, loaded = said(shims, BLINKS % (told, has_led))
    assert (before, after, loaded) == ([], blinks, False)


def wire(board: str, way: str) -> str:
    made = plan(board, wired=way)
    return json.dumps(floorplan.board_json(made, "b", definition.told(made.board[0]))[way])


def test_a_lan8720_is_brought_up_with_its_boards_pins_and_again_where_that_failed(shims: Path) -> None:
    told, address = said(shims, JOINS % ((0, 3, 4), 0, wire("esp32-poe", "lan8720"), "lan8720"))
    assert told == ["LAN addr=0 type=4 mdc=Pin(23) mdio=Pin(18) power=Pin(12) clk=Pin(17) 3"]
    assert address == "10.0.0.7"


@pytest.mark.parametrize(
    ("takes", "board_json", "pins"),
    [
        ((0, 3, 4), None, "(SPI(0, 2000000, Pin(18), Pin(19), Pin(16)), Pin(17), Pin(20), Pin(21))"),
        ((3,), None, "(SPI(0, 2000000, Pin(18), Pin(19), Pin(16)), Pin(17), Pin(20))"),  # an older image
        ((0, 3, 4), "{}", "()"),  # a board.json of before its pins were in it
    ],
)
def test_a_w5500_is_brought_up_with_its_boards_pins(
    takes: tuple[int, ...], board_json: str | None, pins: str, shims: Path
) -> None:
    told, address = said(shims, JOINS % (takes, 3, board_json or wire("w5500-evb-pico", "w5500"), "w5500"))
    assert told == [f"WIZNET5K {pins}", "up, DHCP begins"] and address == "10.0.0.8"


def test_a_w5500_without_a_cable_at_the_start_never_stands_still_and_asks_again(shims: Path) -> None:
    told, address = said(shims, JOINS % ((0, 3, 4), 99, wire("w5500-evb-pico", "w5500"), "w5500"))
    assert told[1:] == ["up, DHCP begins", "DHCP again"] and address == "10.0.0.8"
