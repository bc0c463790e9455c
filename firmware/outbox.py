"""Readings that wait for the broker, in order, oldest given up first when there are too many."""

from struct import pack_into, unpack_from

ROW = "<HI"  # where it is and what it says; the low bits of since_ms
SIZE = 6
UNDER_WAY, GONE, WHAT = 0x4000, 0x8000, 0x3FFF  # neither under way nor gone: it waits
LOW = 0xFFFFFFFF


class Outbox:
    """What one input has to say. A reading stays until the broker has acknowledged it.

    Holds `limit` readings in bytes taken once, so that a long outage takes no more memory than
    a quiet day. `dropped` counts the oldest that had to go; the gap this leaves in `seq` tells
    the gateway. What a reading says is a number below 2**14, its reader's business.
    """

    def __init__(self, limit: int):
        self.seq = 0  # of the newest; those before it count down
        self.dropped = 0
        self._limit = limit
        self._rows = bytearray(limit * SIZE)
        self._count = 0
        self._sent = {}  # packet id → seq of what is on its way

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
        pack_into(ROW, self._rows, self._place(self.seq), what, since_ms & LOW)

    def next(self, now_ms: int):
        """(what, seq, age_ms) of the oldest reading that is not on its way, or None."""
        for seq in self._seqs():
            state, since_ms = unpack_from(ROW, self._rows, self._place(seq))
            if state <= WHAT:
                return state, seq, (now_ms - since_ms) & LOW
        return None

    def sent(self, seq: int, packet_id: int) -> None:
        """A reading is on its way."""
        if seq in self._seqs():
            self._mark(seq, UNDER_WAY)
            self._sent[packet_id] = seq

    def acknowledged(self, packet_id: int) -> None:
        """The broker has it: it need not be kept any longer."""
        seq = self._sent.pop(packet_id, None)
        if seq in self._seqs():  # else it fell out meanwhile
            self._mark(seq, GONE)
        if not self._sent:
            self._sent = {}  # one that is emptied keeps its room
        while self._count and self._state(self.seq - self._count + 1) & GONE:
            self._count -= 1

    def link_lost(self) -> None:
        """Nothing is on its way any more: what was not acknowledged goes out again, in order."""
        self._sent = {}
        for seq in self._seqs():
            if self._state(seq) & UNDER_WAY:
                self._mark(seq, 0)

    def _mark(self, seq, where):
        pack_into("<H", self._rows, self._place(seq), where | self._state(seq) & WHAT)

    def _state(self, seq):
        return unpack_from("<H", self._rows, self._place(seq))[0]

    def _seqs(self):
        return range(self.seq - self._count + 1, self.seq + 1)

    def _place(self, seq):
        return seq % self._limit * SIZE
