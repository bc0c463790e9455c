"""Whether a wall's numbers may be believed. Runs on both Pythons."""

from firmware.contract import ContractError
from firmware.values import Values, read


def values(seq, boot="b1", n=""):
    return {"boot": boot, "of": "abcd", "seq": seq, "n": "0 " + n}


def beat(seq, now_s, boot="b1"):
    return {"boot": boot, "now_s": now_s, "values_seq": seq}


def fresh(wall, now_ms):
    return wall.age_s(now_ms) is None


def test_a_retained_value_is_old_until_a_beat_proves_it():
    wall = Values()
    wall.take_values(values(7, n="3"), 0)
    assert wall.age_s(1000) == -1
    assert wall.clock_ms(1000) is None
    wall.take_beat(beat(7, 500), 2000)
    assert fresh(wall, 2000)


def test_three_missed_beats_make_it_old_with_its_age_and_its_waits_stop():
    wall = Values()
    wall.take_values(values(1), 0)
    wall.take_beat(beat(1, 100), 0)
    assert fresh(wall, 15400)
    assert wall.clock_ms(12000) == 112000
    assert wall.age_s(16000) == 16
    assert wall.clock_ms(16000) == 115500
    assert wall.clock_ms(60000) == 115500
    wall.take_beat(beat(1, 170), 70000)
    assert fresh(wall, 70000)
    assert wall.clock_ms(71000) == 171000


def test_the_gateways_will_makes_it_old_at_once():
    wall = Values()
    wall.take_values(values(1), 0)
    wall.take_beat(beat(1, 100), 0)
    wall.take_gateway({"state": "lost", "boot": "b1"}, 2000)
    assert wall.age_s(2000) == 2
    assert wall.clock_ms(2000) == wall.clock_ms(9000) == 101999
    wall.take_beat(beat(1, 105), 5000)
    assert fresh(wall, 5000)


def test_a_will_that_comes_after_the_beats_have_failed_moves_no_wait():
    wall = Values()
    wall.take_values(values(1), 0)
    wall.take_beat(beat(1, 100), 0)
    assert wall.clock_ms(20000) == 115500
    wall.take_gateway({"state": "lost", "boot": "b1"}, 20000)
    assert wall.clock_ms(21000) == 115500
    assert wall.age_s(21000) == 21


def test_a_late_will_of_an_earlier_gateway_does_not_count():
    wall = Values()
    wall.take_values(values(1, "b2"), 0)
    wall.take_beat(beat(1, 100, "b2"), 0)
    wall.take_gateway({"state": "lost", "boot": "b1"}, 500)
    assert fresh(wall, 1000)


def test_a_beat_that_speaks_of_newer_values_proves_nothing():
    wall = Values()
    wall.take_values(values(4), 0)
    wall.take_beat(beat(5, 100), 0)
    assert wall.age_s(0) == -1
    wall.take_values(values(5), 100)
    assert fresh(wall, 100)


def test_a_new_gateway_does_not_vouch_for_the_old_ones_values():
    wall = Values()
    wall.take_values(values(9, "b1"), 0)
    wall.take_beat(beat(9, 100, "b1"), 0)
    wall.take_beat(beat(1, 5, "b2"), 14000)
    assert wall.age_s(16000) == 16
    wall.take_values(values(1, "b2"), 16000)
    assert fresh(wall, 16000)
    assert wall.clock_ms(16000) == 7000


def test_older_values_of_the_same_start_are_old_until_newer_ones_come():
    wall = Values()
    wall.take_values(values(7), 0)
    wall.take_beat(beat(7, 100), 0)
    assert fresh(wall, 0)
    wall.take_values(values(2), 1000)  # a broker that was started anew kept them
    assert wall.age_s(1000) == -1
    wall.take_beat(beat(7, 105), 5000)
    assert not fresh(wall, 5000)
    wall.take_values(values(7), 6000)
    assert fresh(wall, 6000)


def test_numbers_travel_as_words():
    numbers = read(values(1, n="0 z 10+c!- ? -"))
    assert (numbers.of, numbers.at_s) == ("abcd", 0)
    assert numbers.values == [0, 35, 36, 12, -1, None, -1]
    assert numbers.levels == [0, 0, 0, 1, 2, 0, 0]
    assert read({"of": "", "n": "2s 1"}).at_s == 100


def test_words_that_are_no_numbers_are_refused():
    for word in ("+", "!!1", "1.5", "--", "å", "7?", "1-"):
        try:
            read(values(1, n="1 " + word))
        except ContractError as error:
            assert "is no number" in str(error)
            continue
        raise AssertionError(word + " was taken")


def test_numbers_that_nobody_says_the_time_of_are_refused():
    for n in ("", "?", "+"):
        try:
            read({"of": "abcd", "n": n})
        except ContractError:
            continue
        raise AssertionError(n + " was taken")
