"""A desk phone at its wires, as levels over time. Runs on both Pythons."""

from firmware.phone import Phone

STEP_MS = 5


def play(levels, phone=None):
    """(state, since_ms, announced at ms) changes of a phone that sees (ms, off_hook, ring) one after the other."""
    phone = phone or Phone(hangup_ms=250)
    now_ms = 0
    changes = []
    for ms, off_hook, ring in levels:
        end_ms = now_ms + ms
        while now_ms < end_ms:
            if phone.sample(off_hook, ring, now_ms):
                changes.append((phone.state, phone.since_ms, now_ms))
            now_ms += STEP_MS
    return changes


def states(levels):
    return [change[0] for change in play(levels)]


def pulses(ms, hz=25):
    """A ring line behind an opto: light and dark by the half wave."""
    half_ms = 500 // hz
    return [(half_ms, False, step % 2 == 0) for step in range(ms // half_ms)]


def test_nothing_is_known_before_the_hook_has_settled():
    phone = Phone()
    assert phone.state == "unknown"
    phone.sample(False, False, 0)
    assert phone.state == "unknown"


def test_lifted_counts_after_20_ms_and_is_dated_from_the_edge():
    assert play([(1000, False, False), (1000, True, False)]) == [("idle", 0, 250), ("talking", 1000, 1020)]


def test_bouncing_contacts_are_one_lift():
    bounces = [(5, True, False), (5, False, False)] * 6
    assert states([(1000, False, False)] + bounces + [(500, True, False)]) == ["idle", "talking"]


def test_a_flash_is_not_hanging_up():
    for flash_ms in (70, 100, 125, 245):
        assert states([(500, True, False), (flash_ms, False, False), (500, True, False)]) == ["talking"]


def test_hanging_up_is_dated_from_the_moment_the_handset_went_down():
    assert play([(500, True, False), (1000, False, False)])[-1] == ("idle", 500, 750)


def test_ring_pulses_are_one_ringing_through_the_pauses_of_every_country():
    for on_ms, off_ms in ((1000, 4000), (1000, 5000), (400, 200), (2000, 4000)):
        cadence = (pulses(on_ms) + [(off_ms, False, False)]) * 3
        assert states([(500, False, False)] + cadence) == ["idle", "ringing"], (on_ms, off_ms)


def test_ringing_ends_when_the_line_has_been_silent_longer_than_any_pause():
    changes = play([(500, False, False)] + pulses(1000) + [(10000, False, False)])
    assert [change[0] for change in changes] == ["idle", "ringing", "idle"]
    announced_ms = changes[-1][2]
    assert 1500 + 6000 - 60 <= announced_ms <= 1500 + 6000 + 60
    assert 1400 <= changes[-1][1] <= 1500  # dated from the last ring


def test_a_spike_on_the_line_does_not_ring():
    assert states([(500, False, False), (15, False, True), (3000, False, False)]) == ["idle"]
    spikes = [(10, False, True), (990, False, False)] * 5
    assert states([(500, False, False)] + spikes) == ["idle"]


def test_answering_ends_the_ringing_at_once():
    levels = [(500, False, False)] + pulses(1000) + [(200, True, False), (1000, False, False)]
    assert states(levels) == ["idle", "ringing", "talking", "idle"]
