"""A headset base at its contacts, as levels over time. Runs on both Pythons. More of it: tests/traces."""

from firmware.headset import BLINK_MOST_MS, OFF_MS, STEADY_MS, Headset

STEP_MS = 10


def play(headset, levels, now_ms=0):
    """(in_call, ringing, docked, since_ms, said at ms) of every change; `levels` are (ms, lit, docked)."""
    changes = []
    for ms, lit, docked in levels:
        end_ms = now_ms + ms
        while now_ms < end_ms:
            if headset.sample(lit, docked, now_ms):
                changes.append((headset.in_call, headset.ringing, headset.docked, headset.since_ms, now_ms))
            now_ms += STEP_MS
    return changes


def test_a_steady_lamp_is_a_call_dated_from_when_it_went_on():
    changes = play(Headset(True, False), [(5000, False, False), (2000, True, False), (500, False, False)])
    assert changes == [
        (False, None, None, 0, OFF_MS),
        (False, False, None, 0, BLINK_MOST_MS + STEP_MS),
        (True, False, None, 5000, 5000 + STEADY_MS),
        (False, False, None, 7000, 7000 + OFF_MS),
    ]


def test_no_call_is_known_before_no_ringing_is():
    headset = Headset(True, False)
    play(headset, [(1000, False, False)])
    assert (headset.in_call, headset.ringing) == (False, None)


def test_every_blink_from_a_third_of_a_hertz_to_three_is_ringing():
    for period_ms in (333, 500, 1000, 2000, 3333):
        for tenth in (1, 2, 5, 8, 9):
            lit_ms = period_ms * tenth // 10
            if lit_ms >= STEADY_MS:
                continue  # a call until its first dark: tests/traces/lamp-slow-long-lights.txt
            blinks = [(lit_ms, True, False), (period_ms - lit_ms, False, False)] * 6
            changes = play(Headset(True, False), [(4000, False, False)] + blinks)
            known = [change[:2] for change in changes]
            assert known == [(False, None), (False, False), (False, True)], (period_ms, tenth)
            assert changes[2][3] == 4000


def test_a_missing_sensor_is_never_false():
    headset = Headset(False, True)
    changes = play(headset, [(1000, False, False), (1000, True, True)])
    assert [change[:3] for change in changes] == [(None, None, False), (None, None, True)]
    headset = Headset(False, False)
    assert play(headset, [(5000, True, True)]) == []
    assert (headset.docked, headset.why) == (None, None)


def test_a_lamp_that_chatters_is_unknown_and_says_why_once():
    headset = Headset(True, True)
    chatter = [(40, True, True), (40, False, True)] * 100
    changes = play(headset, [(4000, False, True)] + chatter)
    assert [change[:3] for change in changes][-1] == (None, None, True)
    assert len([change for change in changes if change[3] >= 4000]) == 1
    assert headset.why == "chatter"
    play(headset, [(9000, False, True)], now_ms=12000)
    assert (headset.in_call, headset.ringing) == (False, False)
    assert not headset.why
