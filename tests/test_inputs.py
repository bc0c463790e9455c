"""A chip's pins by MicroPython's `machine`, and what a board says when its pins or its board.json cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware import contract, inputs, start
from firmware.start import StartError
from gateway.desk import HEADSET_WHY, PHONE_WHY
from tests import pythons

# What a chip has and this interpreter has not: pins whose levels and voltages stand in LEVELS.
MACHINE = """
LEVELS = {}

class Pin:
    IN, OUT, PULL_UP, PULL_DOWN = 1, 2, 4, 8

    def __init__(self, name, mode=None, pull=None):
        if name == "LED" or (type(name) is int and name > 47):
            raise ValueError("invalid pin")
        if mode == self.IN and %(no_pull)s and name >= 34 and pull:
            raise ValueError("pins 34~39 do not have pull resistors")
        self.name = name
        self.pull = pull
        LEVELS.setdefault(name, 1 if pull == self.PULL_UP else 0)

    def value(self):
        return LEVELS[self.name]

class ADC:
    def __init__(self, pin):
        if pin.name not in %(adc)s:
            raise ValueError("Pin doesn't have ADC capabilities")
        self.pin = pin
"""
RP2 = (
    MACHINE % {"no_pull": False, "adc": (26, 27, 28)}
    + """
    def read_u16(self):
        return LEVELS[self.pin.name] * 65535 // 3300
"""
)
ESP32 = (
    MACHINE % {"no_pull": True, "adc": tuple(range(32, 40))}
    + """
    ATTN_11DB = 3
    full_scale = False

    def atten(self, how):
        self.full_scale = how == self.ATTN_11DB

    def read_uv(self):
        return (LEVELS[self.pin.name] if self.full_scale else min(LEVELS[self.pin.name], 950)) * 1000 + 7
"""
)

PROGRAM = """
import json, machine
from firmware.pins_machine import Pins
from firmware.start import StartError
pins = Pins({})
hook, dock = pins.contact("%(low)s", True), pins.contact("%(high)s", False)
volts = pins.millivolts("%(adc)s")
print(json.dumps([hook(), dock(), volts(), pins.raw()]))
machine.LEVELS.update({%(levels)s})
print(json.dumps([hook(), dock(), volts(), pins.raw(), pins.level("%(adc)s")]))
for make in (lambda: pins.millivolts("%(low)s"), lambda: pins.contact("%(no_pull)s", True)):
    try:
        make()
        print(json.dumps(None))
    except StartError as error:
        print(json.dumps(str(error)))
"""


@pytest.mark.parametrize(
    ("chip", "names"),
    [
        (
            RP2,
            {"low": "GP4", "high": "GP5", "adc": "GP26", "no_pull": "GP99", "levels": "4: 0, 5: 1, 26: 516"},
        ),
        (
            ESP32,
            {"low": "IO4", "high": "IO5", "adc": "IO34", "no_pull": "IO35", "levels": "4: 0, 5: 1, 34: 1516"},
        ),
    ],
    ids=["rp2", "esp32"],
)
def test_a_chips_pins_are_read_by_level_and_by_voltage(
    chip: str, names: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "machine.py").write_text(chip)
    printed = pythons.run("micropython", "-c", PROGRAM % names, path=(tmp_path,)).splitlines()
    before, after, no_adc, no_pin = [json.loads(line) for line in printed]
    low, high, adc = names["low"], names["high"], names["adc"]
    assert before == [False, False, 0, {low: 1, high: 0, adc: 0}]
    millivolts = after[2]
    assert abs(millivolts - int(names["levels"].split()[-1])) <= 1
    assert after == [True, True, millivolts, {low: 0, high: 1, adc: millivolts}, millivolts]
    assert no_adc.startswith(f"pin {low}: no voltage can be measured there: ")
    assert no_pin.startswith(f"pin {names['no_pull']}: it cannot be an input: ")


def test_a_board_json_from_before_there_were_lines_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    path.write_text(json.dumps({"site": "s", "board": "b", "broker": {}, "inputs": [], "panels": []}))
    with pytest.raises(StartError, match="'times' is missing"):
        start.read(str(path))


def test_every_reading_that_counts_as_a_number_is_one_of_the_contract_and_none_is_missing() -> None:
    told: dict[str, set[tuple[object, ...]]] = {inputs.PHONE: set(), inputs.HEADSET: set()}
    more = {"seq": 1, "boot": "x", "age_ms": 0}
    for what in range(inputs.HEADSET_FROM + 3 ** len(inputs.SENSES) * len(inputs.WHY)):
        pattern, fields = inputs.Inputs.message(what)
        contract.check(pattern, contract.fields_of(pattern), fields | more)
        told[pattern].add(tuple(sorted(fields.items(), key=str)))
    rows = {name.rstrip("?"): kind for name, kind, _ in contract.fields_of(inputs.PHONE)}
    assert set(inputs.STATES) == set(rows["state"])
    assert set(inputs.WHY) == {None, *rows["why"]}
    assert set(PHONE_WHY) == set(HEADSET_WHY) == set(rows["why"])  # the gateway has a sentence for each
    flags = {name.rstrip("?") for name, kind, _ in contract.fields_of(inputs.HEADSET) if kind == contract.FLAG}
    assert set(inputs.SENSES) == flags
    assert len(told[inputs.PHONE]) == len(inputs.STATES) * len(inputs.WHY)
    assert len(told[inputs.HEADSET]) == 3 ** len(flags) * len(inputs.WHY)
