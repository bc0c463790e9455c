"""A headset base at its contacts, as levels over time. Runs on both Pythons."""

from firmware.headset import Headset

STEP_MS = 10


def play(headset, levels):
    now_ms = 0
    changes = []
    for ms, lit, docked in levels:
        end_ms = now_ms + ms
        while now_ms < end_ms:
            if headset.sample(lit, docked, now_ms):
                changes.append((headset.in_call, headset.docked, headset.since_ms))
            now_ms += STEP_MS
    return changes


def test_a_steady_lamp_is_a_call_dated_from_when_it_went_on():
    changes = play(Headset(True, False), [(1000, False, False), (2000, True, False), (500, False, False)])
    assert changes == [(False, None, 0), (True, None, 1000), (False, None, 3000)]


def test_a_blinking_lamp_is_no_call():
    blinks = [(500, True, False), (500, False, False)] * 10
    assert [change[0] for change in play(Headset(True, False), blinks)] == [False]


def test_a_missing_sensor_is_never_false():
    headset = Headset(False, True)
    changes = play(headset, [(1000, False, False), (1000, True, True)])
    assert [change[:2] for change in changes] == [(None, False), (None, True)]
    assert Headset(False, False).docked is None
