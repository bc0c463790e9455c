"""Readings that wait for the broker. Runs on both Pythons."""

from firmware.outbox import Outbox


def fill(outbox, count):
    for number in range(count):
        outbox.put(number % 4, 1000 + number)


def seqs_sent(outbox):
    """Sends everything, each under its own packet id; what went out, in order."""
    sent = []
    while outbox.next(5000):
        seq = outbox.next(5000)[1]
        outbox.sent(seq, 100 + seq)
        sent.append(seq)
    return sent


def test_a_reading_comes_out_as_it_went_in():
    outbox = Outbox(64)
    outbox.put(21, 2**40)
    assert outbox.next(2**40 + 7) == (21, 1, 7)
    assert outbox.next(2**40 + 2**31) == (21, 1, 2**31)


def test_what_a_reading_says_is_a_number_of_14_bits_wherever_it_is():
    outbox = Outbox(2)
    for what in (0, 255, 256, 2**14 - 1):
        outbox.put(what, 0)
        seq = outbox.seq
        assert outbox.next(0)[:2] == (what, seq)
        outbox.sent(seq, 65535)
        assert outbox.next(0) is None
        outbox.link_lost()
        assert outbox.next(0)[:2] == (what, seq)
        outbox.sent(seq, 1)
        outbox.acknowledged(65535)  # of the link before
        assert len(outbox) == 1
        outbox.acknowledged(1)
        assert len(outbox) == 0


def test_readings_go_out_in_order_and_stay_until_acknowledged():
    outbox = Outbox(64)
    fill(outbox, 3)
    assert seqs_sent(outbox) == [1, 2, 3]
    assert len(outbox) == 3
    outbox.acknowledged(102)
    outbox.link_lost()
    assert seqs_sent(outbox) == [1, 3]
    outbox.acknowledged(101)
    outbox.acknowledged(103)
    outbox.acknowledged(103)
    assert len(outbox) == 0
    assert outbox.next(0) is None


def test_a_full_outbox_gives_up_the_oldest_and_counts_it():
    outbox = Outbox(64)
    fill(outbox, 70)
    assert outbox.dropped == 6
    assert seqs_sent(outbox) == list(range(7, 71))


def test_it_goes_round_for_ever():
    outbox = Outbox(4)
    for round in range(50):
        fill(outbox, 3)
        sent = seqs_sent(outbox)
        assert sent == [3 * round + 1, 3 * round + 2, 3 * round + 3]
        for seq in sent:
            outbox.acknowledged(100 + seq)
        assert len(outbox) == 0


def test_a_reading_that_fell_out_while_it_was_on_its_way_disturbs_no_other():
    outbox = Outbox(2)
    fill(outbox, 2)
    outbox.sent(1, 7)
    outbox.put(0, 0)  # the first falls out
    outbox.acknowledged(7)
    assert seqs_sent(outbox) == [2, 3]
