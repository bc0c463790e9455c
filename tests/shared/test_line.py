"""A telephone line by its voltage, as waves over time. Runs on both Pythons. More of it: tests/traces."""

import math

from firmware.countries import COUNTRIES
from firmware.inputs import SAMPLE_MS, SHIFTS_MS
from firmware.line import Line
from firmware.phone import Phone


def read(line, volts, readings=20, from_ms=0):
    """What a steady voltage is in the end."""
    for step in range(readings):
        hook, ring = line.sample(int(volts * 10), from_ms + 10 * step)
        assert not ring or not step
    return hook


def states(levels):
    """What a phone on that line is said to be; `levels` are (ms, V DC, Vrms, Hz, where the wave begins)."""
    line = Line(100)
    phone = Phone(COUNTRIES["NO"])
    said = []
    now_ms = start_ms = late_ms = 0
    for ms, dc, rms, hz, begins in levels:
        while now_ms < start_ms + ms:
            turn = 2 * math.pi * (hz * (now_ms + late_ms - start_ms) / 1000 + begins)
            volts = dc + rms * math.sqrt(2) * math.sin(turn)
            hook, ring = line.sample(int(abs(volts) * 10), now_ms)
            if phone.sample(hook, ring, now_ms):
                said.append(phone.state)
            now_ms += SAMPLE_MS
            late_ms = (late_ms + 3) % SHIFTS_MS  # as inputs.py reads: even readings keep step with a wave
        start_ms += ms
    return said


def test_the_three_classes_of_a_steady_line():
    for hook, amounts in ((None, (0, 2.5)), (True, (3.5, 8, 19)), (False, (23, 48, 57))):
        for volts in amounts:
            assert read(Line(100), volts) is hook, volts


def test_a_voltage_on_the_border_stays_what_it_was():
    line = Line(100)
    assert read(line, 48) is False
    assert read(line, 20.5, from_ms=1000) is False
    assert read(line, 15, from_ms=2000) is True
    assert read(line, 20.5, from_ms=3000) is True
    assert read(line, 3.1, from_ms=4000) is True
    assert read(line, 2, 200, from_ms=5000) is None
    assert read(line, 3.1, from_ms=8000) is None


def test_the_divider_may_be_any():
    for divider in (1, 47.5, 220):
        line = Line(divider)
        hook = None
        for step in range(20):
            hook, _ = line.sample(int(24000 / divider), 10 * step)
        assert hook is False, divider


def test_every_bell_rings_from_25_volts_on_and_lifts_nothing():
    for dc, rms in ((48, 25.5), (48, 75), (57, 90), (24, 45), (0, 50)):
        for hz in (15, 16.7, 20, 25, 33.3, 50, 60, 70):
            for eighth in range(0, 8, 3):
                rings = [(600, 48, 0, 0, 0), (1200, dc, rms, hz, eighth / 8), (500, 48, 0, 0, 0)]
                assert states(rings) == ["idle", "ringing"], (dc, rms, hz, eighth)


def test_hum_neither_rings_nor_lifts():
    for dc, rms, hz in ((48, 20, 25), (48, 20, 50), (48, 10, 60), (24, 3, 50), (24, 3, 60), (57, 20, 70)):
        for eighth in range(0, 8, 3):
            assert states([(3000, dc, rms, hz, eighth / 8)]) == ["idle"], (dc, rms, hz, eighth)


def test_a_lifted_line_that_hums_stays_lifted():
    for dc, rms in ((8, 2), (6, 1), (15, 2)):
        assert states([(600, 48, 0, 0, 0), (5000, dc, rms, 50, 0.2)]) == ["idle", "talking"], (dc, rms)


def test_a_line_that_sinks_is_not_lifted():
    sinks = [(100, 48 * 0.99**tenth, 0, 0, 0) for tenth in range(250)]
    assert states([(600, 48, 0, 0, 0)] + sinks) == ["idle", "unknown"]
