"""Readings that wait for the broker. Runs on both Pythons."""

from firmware.outbox import Outbox

PHONE = "board/+/input/+/phone"


def fill(outbox, count):
    for number in range(count):
        outbox.put(PHONE, {"state": "idle", "n": number}, number)


def seqs_sent(outbox):
    """Sends everything, each under its own packet id; what went out, in order."""
    sent = []
    while outbox.next():
        row = outbox.next()
        row[3] = 100 + row[1]["seq"]
        sent.append(row[1]["seq"])
    return sent


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
    assert outbox.next() is None


def test_a_full_outbox_gives_up_the_oldest_and_counts_it():
    outbox = Outbox(64)
    fill(outbox, 70)
    assert outbox.dropped == 6
    assert seqs_sent(outbox) == list(range(7, 71))
