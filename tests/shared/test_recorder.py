"""A recording tells every change, in messages that fit, and counts what it had no room for. On both Pythons."""

import random
import time

from firmware import contract, pins_memory
from firmware.recorder import ROWS, Recorder, as_contacts, fits

SWITCHES = ["GP2", "GP3", "GP4", "GP5"]


class Pins:
    """Levels that a test sets; a pin without one cannot be read."""

    def __init__(self, levels):
        self.levels = levels

    def level(self, name):
        level = self.levels[name]
        if level is None:
            raise OSError(5)
        return level


def take(recorder, told):
    """One message, held against the contract; what it tells goes to `told`, ms → levels."""
    fields = recorder.message()
    fields.update({"boot": "b" * 8, "id": "i" * 16, "seq": 9999})
    payload = contract.encode("board/+/raw", fields)
    fields = contract.parse("callfloor/1/s/board/b/raw", payload)[2]
    now = dict(fields["pins"])
    rows = fields["rows"]
    told.setdefault(fields["ms"], dict(now))
    names = sorted(now)
    for at in range(0, len(rows), 3):
        ms, place, level = rows[at : at + 3]
        if place < len(names):
            now[names[place]] = level
            told[ms] = dict(now)
    told["now"] = now
    return fields


def test_what_is_told_is_what_happened():
    seed = time.time_ns() % 2**30 if hasattr(time, "time_ns") else 1
    print("seed", seed)
    random.seed(seed)
    pins = Pins({"GP2": 1, "GP3": 1, "GP26": 480, "GP27": 0})
    recorder = Recorder(pins, list(pins.levels), None, 20)
    told, happened = {}, {}
    for step in range(2000):
        ms = 10 * step
        if random.getrandbits(3) == 0:
            pins.levels[["GP2", "GP3"][random.getrandbits(1)]] = random.getrandbits(1)
        if random.getrandbits(1):
            pins.levels["GP26"] = random.choice((None, random.getrandbits(11), 3300))
        recorder.poll(5000 + ms)
        if not happened or happened[max(happened)] != pins.levels:
            happened[ms] = dict(pins.levels)
        if recorder.waits() > 40 or random.getrandbits(5) == 0:
            take(recorder, told)
    recorder.poll(5000 + 20000)
    while not take(recorder, told)["last"]:
        pass
    assert recorder.thinned == 0
    now = told.pop("now")
    assert now == pins.levels
    for ms in sorted(happened):
        assert told[ms] == happened[ms], ms
    changes = []
    for ms in sorted(told):
        if not changes or changes[-1] != told[ms]:
            changes.append(told[ms])
    assert changes == [happened[ms] for ms in sorted(happened)]


def test_what_finds_no_room_is_counted_and_told_later():
    pins = Pins({"GP2": 1, "GP26": 100})
    recorder = Recorder(pins, list(pins.levels), None, 60)
    told = {}
    for step in range(ROWS + 50):
        pins.levels["GP26"] = 100 + step
        pins.levels["GP2"] = step % 40 // 20
        recorder.poll(10 * step)
    assert recorder.waits() < ROWS  # a voltage leaves room for switches
    thinned = recorder.thinned
    assert thinned > 50
    while recorder.waits():
        assert take(recorder, told)["thinned"] == thinned
    recorder.poll(10 * step + 10)  # what is there now is told, whatever was missed
    take(recorder, told)
    assert told["now"] == {"GP2": pins.levels["GP2"], "GP26": pins.levels["GP26"]}


def test_a_board_that_was_held_up_says_so():
    pins = Pins({"GP2": 1})
    recorder = Recorder(pins, ["GP2"], None, 60)
    for at_ms in (0, 10, 20, 150, 160):
        recorder.poll(at_ms)
    pins.levels["GP2"] = 0
    recorder.poll(170)
    assert take(recorder, {})["rows"] == [150, 1, 130, 170, 0, 0]


def test_the_longest_message_fits():
    names = ["GPIO%d" % number for number in range(10, 27)]
    assert fits(names)
    assert not fits(["GPIO%d" % number for number in range(10, 74)])
    pins = Pins(dict.fromkeys(names, 30000))
    recorder = Recorder(pins, names, 63, 60)
    recorder.poll(1000)
    senses = ("link", "in_call", "ringing", "muted", "docked", "worn")
    fields = dict.fromkeys(senses, False)
    fields["why"] = "forbidden"  # type: ignore[assignment]
    for step in range(60):
        for _ in range(2):
            recorder.hear(63, ("board/+/input/+/headset", fields), 61000, -(2**31))
        for name in names:
            pins.levels[name] = 30000 + step
        recorder.poll(60900 + step)
        take(recorder, {})
    assert recorder.thinned > 0


def test_pins_that_nothing_reads_are_taken_as_contacts_and_let_go():
    pins = pins_memory.Pins({})
    pins.contact("GP2", True)
    names = ["GP2"]
    opened = as_contacts(pins, ["GP3", "GP2", "GP4"] + ["GPIO%d" % number for number in range(60)], names)
    assert names[:3] == ["GP2", "GP3", "GP4"]
    assert fits(names)
    assert len(names) > 20
    recorder = Recorder(pins, names, None, 60)
    recorder.opened = opened
    recorder.poll(1000)
    assert pins.line("GP3 0") == "ok"
    recorder.poll(1010)
    assert take(recorder, {})["rows"] == [10, sorted(names).index("GP3"), 0]
    recorder.end()
    assert pins.raw() == {"GP2": 1}
    assert as_contacts(UnusablePins({}), ["GP3", "GP4"], names[:1]) == ["GP4"]


class UnusablePins(pins_memory.Pins):
    def contact(self, name, active_low):
        if name == "GP3":
            raise ValueError("invalid pin")
        return super().contact(name, active_low)


def test_only_the_input_that_was_asked_for_is_told():
    pins = Pins({"GP2": 1})
    recorder = Recorder(pins, ["GP2"], 1, 60)
    idle = ("board/+/input/+/phone", {"state": "idle", "why": None})
    recorder.hear(1, idle, 5000, 2000)  # as it begins
    recorder.poll(5004)
    recorder.hear(0, idle, 5004, 5004)
    recorder.hear(1, ("board/+/input/+/phone", {"state": "talking", "why": None}), 5044, 5024)
    assert take(recorder, {})["said"] == [
        [0, 1, "phone", {"state": "idle"}, -3000],
        [40, 1, "phone", {"state": "talking"}, 20],
    ]
