"""Inputs: what a reading says as a number, a device that breaks, and the pace of the loop. On both Pythons."""

import asyncio
from hashlib import sha256

from firmware import contract
from firmware.clock import now_ms, sleep_ms
from firmware.inputs import HEADSET_FROM, SAMPLE_MS, SENSES, STATES, WHY, Inputs
from firmware.pins_memory import Pins

TIMES = {"pulse_ms": 70, "flash_ms": 200, "hangup_ms": 250, "burst_ms": 40, "ring_gap_ms": 6000}
CONTACTS = {
    "phone": {"by": "contact", "pin": "GP2", "ring": "GP3", "active": "low"},
    "headset": {"by": "contact", "pin": "GP4", "dock": "GP5", "active": "low", "dock_active": "high"},
}
LINE = {"phone": {"by": "line", "pin": "GP26", "active": "low"}}


class BreakablePins(Pins):
    """A converter that fails while `broken`."""

    broken = False

    def millivolts(self, name):
        read = Pins.millivolts(self, name)

        def measured():
            if self.broken:
                raise OSError(5)
            return read()

        return measured


async def lived(inputs, changed, until, within_ms):
    """Runs the inputs until `until()`."""
    task = asyncio.create_task(inputs.run(changed))
    end_ms = now_ms() + within_ms
    while not until() and now_ms() < end_ms:
        await sleep_ms(5)
    task.cancel()
    assert until(), "not within %d ms" % within_ms


def test_each_reading_is_a_number_of_its_own_that_says_all_the_contract_asks_for():
    seen = set()
    for what in range(HEADSET_FROM + 3 ** len(SENSES) * len(WHY)):
        pattern, fields = Inputs.message(what)
        fields.update({"seq": 1, "boot": "b", "age_ms": 0})
        payload = contract.encode(pattern, fields)
        for name, _, _ in contract.fields_of(pattern):
            assert name.rstrip("?") in fields
        seen.add(int.from_bytes(sha256(payload).digest()[:6], "big"))  # the texts are more than a small heap holds
    assert len(seen) == what + 1 == len(STATES) * len(WHY) + 729 * len(WHY)
    assert what < 2**14  # an outbox has room for so much


def test_contacts_and_a_line_are_told_with_all_that_is_known():
    pins = Pins({})
    inputs = Inputs([{}, CONTACTS, LINE], pins, TIMES)
    pins.line("GP26 0.08V")  # 8 V on the line
    pins.line("GP5 1")
    told = {}

    def changed(number, what, since_ms):
        pattern, fields = inputs.message(what)
        told[number, pattern.split("/")[-1]] = fields

    def all_told():
        return len(told) == 3 and told[1, "headset"]["in_call"] is not None

    asyncio.run(lived(inputs, changed, all_told, 3000))
    assert told[1, "phone"] == {"state": "idle", "why": None}
    assert told[2, "phone"] == {"state": "talking", "why": None}
    headset = told[1, "headset"]
    assert headset["docked"] is True and headset["in_call"] is False
    for name in ("link", "muted", "worn", "why"):
        assert headset[name] is None
    assert sorted([(number, inputs.message(what)[0]) for number, what, _ in inputs.readings()]) == [
        (1, "board/+/input/+/headset"),
        (1, "board/+/input/+/phone"),
        (2, "board/+/input/+/phone"),
    ]
    assert pins.raw() == {"GP2": 1, "GP3": 1, "GP4": 1, "GP5": 1, "GP26": 80}


def test_a_device_that_breaks_is_told_once_and_the_others_go_on():
    pins = BreakablePins({})
    inputs = Inputs([LINE, CONTACTS], pins, TIMES)
    pins.line("GP26 0.48V")
    told = []
    turns_ms = []

    def changed(number, what, since_ms):
        fields = inputs.message(what)[1]
        if "state" in fields:
            told.append((number, fields["state"], fields["why"]))
            turns_ms.append(since_ms)

    async def live():
        await lived(inputs, changed, lambda: len(told) == 2, 3000)
        pins.broken = True
        await lived(inputs, changed, lambda: len(told) == 3, 1000)
        pins.line("GP2 0")
        await lived(inputs, changed, lambda: len(told) == 4, 1000)
        await sleep_ms(1100)  # it is tried again, in vain
        readings = [inputs.message(row[1])[1] for row in inputs.readings() if row[0] == 0]
        assert readings == [{"state": "unknown", "why": "broken"}]
        pins.broken = False
        pins.line("GP26 0.08V")
        await lived(inputs, changed, lambda: len(told) == 5, 4000)

    asyncio.run(live())
    assert sorted(told[:2]) == [(0, "idle", None), (1, "idle", None)]
    assert told[2:] == [(0, "unknown", "broken"), (1, "talking", None), (0, "talking", None)]
    assert turns_ms[4] > turns_ms[2] + 1000  # what was while it was broken, nobody knows


def test_devices_are_told_whole_steps_and_pins_are_read_unevenly():
    pins = Pins({})
    inputs = Inputs([{"phone": {"by": "contact", "pin": "GP2", "active": "low"}}], pins, TIMES)
    polls = []

    class Witness:
        def poll(self, at_ms):
            polls.append((at_ms, now_ms()))

        def hear(self, number, message, at_ms, since_ms):
            pass

    inputs.recorder = Witness()  # type: ignore[assignment]
    asyncio.run(lived(inputs, lambda *told: None, lambda: len(polls) == 60, 10000))
    steps = [polls[number + 1][0] - polls[number][0] for number in range(len(polls) - 1)]
    assert [step for step in steps if step % SAMPLE_MS] == []
    assert min(steps) == SAMPLE_MS
    late = [read_ms - at_ms for at_ms, read_ms in polls]
    assert min(late) >= 0
    assert max(late) - min(late) >= 5
    health = inputs.health()
    assert health["poll_us"] >= 9500 and health["read_us"] > 0, health
    assert 0 <= health["lag_ms"] < 10000
