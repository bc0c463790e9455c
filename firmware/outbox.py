"""Readings that wait for the broker, in order, oldest given up first when there are too many."""

from struct import calcsize, pack_into, unpack_from

ROW = "<BHI"  # where it is, kind and value; packet id; the low bits of since_ms
SIZE = calcsize(ROW)
WAITS, UNDER_WAY, GONE = 0x00, 0x40, 0x80
WHERE, WHAT = 0xC0, 0x3F
LOW = 0xFFFFFFFF


class Outbox:
    """What one input has to say. A reading stays until the broker has acknowledged it.

    Holds `limit` readings in bytes taken once, so that a long outage takes no more memory than
    a quiet day. `dropped` counts the oldest that had to go; the gap this leaves in `seq` tells
    the gateway. What a reading says is a number from 0 to 63, its reader's business.
    """

    def __init__(self, limit: int):
        self.seq = 0  # of the newest; those before it count down
        self.dropped = 0
        self._limit = limit
        self._rows = bytearray(limit * SIZE)
        self._count = 0

    def __len__(self):
        return self._count

    def put(self, what: int, since_ms: int) -> None:
        """Takes a reading; its `seq` is counted here, its age only when it goes out.

        `since_ms` is no more than 2**31 ms ago.
        """
        if self._count == self._limit:
            self._count -= 1
            self.dropped += 1
        self.seq += 1
        self._count += 1
        pack_into(ROW, self._rows, self._place(self.seq), WAITS | what, 0, since_ms & LOW)

    def next(self, now_ms: int):
        """(what, seq, age_ms) of the oldest reading that is not on its way, or None."""
        for seq in self._seqs():
            state, _, since_ms = unpack_from(ROW, self._rows, self._place(seq))
            if state & WHERE == WAITS:
                return state & WHAT, seq, (now_ms - since_ms) & LOW
        return None

    def sent(self, seq: int, packet_id: int) -> None:
        """A reading is on its way."""
        place = self._place(seq)
        if seq in self._seqs():
            pack_into("<BH", self._rows, place, UNDER_WAY | self._rows[place] & WHAT, packet_id)

    def acknowledged(self, packet_id: int) -> None:
        """The broker has it: it need not be kept any longer."""
        for seq in self._seqs():
            place = self._place(seq)
            state, its_id, _ = unpack_from(ROW, self._rows, place)
            if state & WHERE == UNDER_WAY and its_id == packet_id:
                self._rows[place] = GONE
                break
        while self._count and self._rows[self._place(self.seq - self._count + 1)] == GONE:
            self._count -= 1

    def link_lost(self) -> None:
        """Nothing is on its way any more: what was not acknowledged goes out again, in order."""
        for seq in self._seqs():
            place = self._place(seq)
            if self._rows[place] & WHERE == UNDER_WAY:
                self._rows[place] &= WHAT

    def _seqs(self):
        return range(self.seq - self._count + 1, self.seq + 1)

    def _place(self, seq):
        return seq % self._limit * SIZE
