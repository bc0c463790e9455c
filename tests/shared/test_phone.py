"""A desk phone at its wires, as levels over time. Runs on both Pythons. More of it: tests/traces."""

from firmware.countries import COUNTRIES
from firmware.phone import DEAD_MS, STUCK_MS, Phone

STEP_MS = 5
EU = COUNTRIES["NO"]


def play(levels, phone=None):
    """(state, since_ms, announced at ms) changes of a phone that sees (ms, hook, ring) one after the other."""
    phone = phone or Phone(EU)
    now_ms = 0
    changes = []
    for ms, hook, ring in levels:
        end_ms = now_ms + ms
        while now_ms < end_ms:
            if phone.sample(hook, ring, now_ms):
                changes.append((phone.state, phone.since_ms, now_ms))
            now_ms += STEP_MS
    return changes


def states(levels, phone=None):
    return [change[0] for change in play(levels, phone)]


def pulses(ms, hz=25):
    """A ring line behind an opto: light and dark by the half wave."""
    half_ms = 500 // hz
    return [(half_ms, False, step % 2 == 0) for step in range(ms // half_ms)]


def test_nothing_is_known_before_the_hook_has_settled():
    phone = Phone(EU)
    assert (phone.state, phone.why) == ("unknown", None)
    assert not phone.sample(False, False, 0)
    assert phone.state == "unknown"


def test_lifted_counts_after_20_ms_and_is_dated_from_the_edge():
    assert play([(1000, False, False), (1000, True, False)]) == [("idle", 0, 250), ("talking", 1000, 1020)]


def test_every_break_up_to_the_longest_flash_of_a_country_is_part_of_the_call():
    for country in COUNTRIES:
        times = COUNTRIES[country]
        for break_ms in (times["pulse_ms"], times["flash_ms"], times["hangup_ms"] - STEP_MS):
            flash = [(500, True, False), (break_ms, False, False), (500, True, False)]
            assert states(flash, Phone(times)) == ["talking"], (country, break_ms)
        ends = [(500, True, False), (times["hangup_ms"] + 2 * STEP_MS, False, False)]
        assert play(ends, Phone(times))[-1] == ("idle", 500, 500 + times["hangup_ms"]), country


def test_a_phones_own_hangup_goes_before_the_countrys():
    assert play([(500, True, False), (1000, False, False)], Phone(EU, 700))[-1] == ("idle", 500, 1200)


def test_ring_pulses_are_one_ringing_through_the_pauses_of_every_country():
    for on_ms, off_ms in ((1000, 4000), (1000, 5000), (400, 200), (2000, 4000), (380, 260)):
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


def test_what_rang_before_the_handset_was_put_down_does_not_ring_after():
    talks = [(900, True, False), (100, True, True), (5000, False, False)]
    assert states([(500, False, False)] + pulses(1000) + talks) == ["idle", "ringing", "talking", "idle"]


def test_a_light_without_a_pause_is_no_ringing_and_is_said_once():
    phone = Phone(EU)
    changes = play([(500, False, False), (90000, False, True)], phone)
    assert [change[0] for change in changes] == ["idle", "ringing", "unknown"]
    assert abs(changes[2][2] - 500 - STUCK_MS) <= STEP_MS
    assert phone.why == "broken"
    assert not phone.sample(False, True, 91000)
    assert phone.sample(False, False, 98000)  # dark for longer than any pause
    assert phone.state == "idle" and not phone.why


def test_a_light_that_stays_does_not_hide_the_hook():
    levels = [(500, False, False), (20000, False, True), (3000, True, True), (3000, False, True)]
    assert states(levels) == ["idle", "ringing", "unknown", "talking", "unknown"]


def test_a_dead_line_is_unplugged_only_when_no_pbx_would_keep_it_dead_so_long():
    phone = Phone(EU)
    away = [(500, True, False), (DEAD_MS - 100, None, False), (500, True, False)]
    assert states(away, phone) == ["talking"]
    phone = Phone(EU)
    assert play([(500, True, False), (9000, None, False)], phone)[1:] == [("unknown", 500, 500 + DEAD_MS)]
    assert phone.why == "unplugged"


def test_a_plug_that_comes_back_is_read_from_the_beginning():
    on_hook = (500, False, False)
    levels = [on_hook, (5000, None, False), (100, True, False), (100, None, False), on_hook]
    assert states(levels) == ["idle", "unknown", "talking", "idle"]


def test_chatter_is_said_once_and_is_over_when_the_contact_holds_still():
    phone = Phone(EU)
    chatter = [(15, True, False), (15, False, False)] * 2000
    assert states([(500, False, False)] + chatter, phone) == ["idle", "unknown"]
    assert phone.why == "chatter"
    assert phone.since_ms == 500
    began_ms = 60500
    while phone.state == "unknown":
        phone.sample(False, False, began_ms)
        began_ms += STEP_MS
        assert began_ms < 66000
    assert phone.state == "idle" and not phone.why
    assert began_ms >= 63000


def test_why_changes_are_said():
    phone = Phone(EU)
    chatter = [(15, True, False), (15, False, False)] * 100
    assert states(chatter + [(3000, None, False)], phone) == ["unknown", "unknown"]
    assert phone.why == "unplugged"
