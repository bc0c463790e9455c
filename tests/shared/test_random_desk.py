"""Desks that nobody planned: whatever bounces, hums or comes late, the states are those that happened.

Random calls of random rhythms, played with a poll that is never on time. Runs on both Pythons.
"""

import math
import os
import random

from firmware.countries import COUNTRIES
from firmware.headset import Headset
from firmware.line import Line
from firmware.phone import Phone

RUNS = 30  # of each, with new seeds each time
RING_END_MS = 7500  # silence after which a ringing is over for certain
REST_MS = 700  # between two things that happen


class Desk:
    """What happens at a desk: `happens` are (ms, hook, ring, lamp) in order, `must` the states they mean."""

    def __init__(self, dice, times):
        self.dice = dice
        self.times = times
        self.now_ms = 0
        self.happens = [(0, 0, 0, 0)]
        self.must = []

    def wait(self, least_ms, most_ms=None):
        self.now_ms += least_ms if most_ms is None else self.dice(least_ms, most_ms)

    def set(self, hook=None, ring=None, lamp=None, bounces=True):
        """Changes levels; a contact bounces for up to 15 ms and is then what it is."""
        before = self.happens[-1][1:]
        after = tuple([new if new is not None else old for new, old in zip((hook, ring, lamp), before)])
        end_ms = self.now_ms + (self.dice(0, 15) if bounces else 0)
        while self.now_ms < end_ms:
            self.happens.append((self.now_ms,) + after)
            self.now_ms += self.dice(1, 4)
            self.happens.append((self.now_ms,) + before)
            self.now_ms += self.dice(1, 4)
        self.now_ms = max(self.now_ms, end_ms)
        self.happens.append((self.now_ms,) + after)

    def says(self, state):
        if not self.must or self.must[-1] != state:
            self.must.append(state)

    def put_down(self):
        self.set(hook=0)
        self.wait(self.times["hangup_ms"] + REST_MS)
        self.says("idle")

    def rings(self, hz, answered):
        """A ringing in any rhythm; `answered` in a ring or between two, or given up."""
        rings_ms = self.dice(400, 2000)
        pause_ms = self.dice(200, 5000)
        for _ in range(self.dice(3, 5)):
            self.set(ring=hz, bounces=False)
            self.wait(rings_ms)
            self.set(ring=0, bounces=False)
            self.wait(pause_ms)
        self.says("ringing")
        if answered:
            if self.dice(0, 1):
                self.set(ring=hz, bounces=False)
                self.wait(rings_ms * 2 // 3)
                self.set(hook=1, ring=0)
            else:
                self.set(hook=1)
            self.says("talking")
        else:
            self.wait(RING_END_MS)
            self.says("idle")

    def talks(self, dials):
        """A call with recalls in it, and perhaps a number dialled with pulses."""
        self.set(hook=1)
        self.says("talking")
        self.wait(REST_MS, 3000)
        for _ in range(self.dice(0, 3) if dials else 0):
            for _ in range(self.dice(1, 10)):
                self.set(hook=0)
                self.wait(self.times["pulse_ms"] - 25)
                self.set(hook=1)
                self.wait(40)
            self.wait(600)
        for _ in range(self.dice(0, 3)):
            self.set(hook=0)
            self.wait(self.dice(self.times["pulse_ms"], self.times["flash_ms"]) - 30)
            self.set(hook=1)
            self.wait(REST_MS, 2000)

    def blinks(self, period_ms, lit_ms, times):
        for _ in range(times):
            self.set(lamp=1)
            self.wait(lit_ms)
            self.set(lamp=0, bounces=False)
            self.wait(period_ms - lit_ms)


def polls(desk, dice, least_ms, most_ms):
    """(ms, hook, ring, lamp, since when these) of every reading of the desk, at times as they come."""
    place = now_ms = 0
    while now_ms < desk.now_ms:
        while place + 1 < len(desk.happens) and desk.happens[place + 1][0] <= now_ms:
            place += 1
        from_ms, hook, ring, lamp = desk.happens[place]
        yield now_ms, hook, ring, lamp, from_ms
        now_ms += dice(least_ms, most_ms)


def seeded(seed):
    """dice(least, most): a whole number from one to the other."""
    random.seed(seed)
    return lambda least, most: random.randrange(least, most + 1)


def wave(hz, ms):
    return math.sin(2 * math.pi * hz * ms / 1000)


def seeds():
    """So many new ones each time; a failure names its own."""
    first = int.from_bytes(os.urandom(3), "little")
    print("seed", first)
    return range(first, first + RUNS)


def calls(dice, times, dials):
    """A morning of a phone."""
    desk = Desk(dice, times)
    hz = dice(16, 60)
    desk.wait(times["hangup_ms"] + REST_MS)
    desk.says("idle")
    for _ in range(dice(2, 4)):
        what = dice(0, 2)
        if what:
            desk.rings(hz, answered=what == 2)
        if what != 1:
            desk.talks(dials)
            desk.put_down()
    return desk


def test_a_phone_by_contact():
    for seed in seeds():
        dice = seeded(seed)
        times = COUNTRIES[("NO", "SE", "DE", "UK", "US")[dice(0, 4)]]
        slowest_ms = dice(10, 40)
        # The make of a pulse is 40 ms, 15 of which may bounce: a board that reads rarely may miss it.
        desk = calls(dice, times, dials=slowest_ms <= 15)
        phone = Phone(times)
        said = []
        for ms, hook, ring, _, from_ms in polls(desk, dice, 5, slowest_ms):
            if phone.sample(bool(hook), bool(ring) and wave(ring, ms - from_ms) > 0, ms):
                said.append(phone.state)
        assert said == desk.must, (seed, slowest_ms, said, desk.must)


def test_a_phone_by_its_line():
    for seed in seeds():
        dice = seeded(seed)
        times = COUNTRIES[("NO", "SE", "DE", "UK", "US")[dice(0, 4)]]
        slowest_ms = dice(10, 40)
        desk = calls(dice, times, dials=slowest_ms <= 15)
        lifted_v, ring_v, hum_v, hum_hz = dice(5, 14), dice(40, 90), dice(0, 8), 50 + 10 * dice(0, 1)
        line = Line(100)
        phone = Phone(times)
        said = []
        for ms, hook, ring, _, from_ms in polls(desk, dice, 5, slowest_ms):
            volts = lifted_v + wave(hum_hz, ms) if hook else 48 + 1.4 * hum_v * wave(hum_hz, ms)
            if ring:
                volts += 1.414 * ring_v * wave(ring, ms - from_ms)
            lifted, rings = line.sample(int(abs(volts) * 10), ms)
            if phone.sample(lifted, rings, ms):
                said.append(phone.state)
        assert said == desk.must, (seed, slowest_ms, said, desk.must)


def test_an_indicator():
    for seed in seeds():
        dice = seeded(seed)
        slowest_ms = (11, 40)[dice(0, 1)]
        least_ms = 20 if slowest_ms == 11 else 130  # the shortest light that cannot be missed
        desk = Desk(dice, {})
        desk.wait(4500)
        must = [(False, None), (False, False)]
        for _ in range(3):
            period_ms = dice(334, 3333)
            part_ms = max(period_ms // 10 + 1, least_ms)
            lit_ms = dice(part_ms, min(period_ms - part_ms, 1100))  # a first light of more is a call so far
            desk.blinks(period_ms, lit_ms, dice(3, 8))
            must.append((False, True))
            if dice(0, 1):
                desk.set(lamp=1)
                desk.wait(6000, 20000)
                desk.set(lamp=0)
                must += [(True, False), (False, False)]
            else:
                must.append((False, False))
            desk.wait(4500)
        headset = Headset(True, False)
        said = []
        for ms, _, _, lamp, _ in polls(desk, dice, 5, slowest_ms):
            if headset.sample(bool(lamp), False, ms):
                said.append((headset.in_call, headset.ringing))
        assert said == must, (seed, slowest_ms, said, must)
