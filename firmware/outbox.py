"""Readings that wait for the broker, in order, oldest given up first when there are too many."""

from struct import calcsize, pack_into, unpack_from

ROW = "<BBBHIq"  # where it is, kind, value, packet id, seq, since_ms
SIZE = calcsize(ROW)
WAITS, UNDER_WAY, GONE = 0, 1, 2


class Outbox:
    """What one input has to say. A reading stays until the broker has acknowledged it.

    Holds `limit` readings in bytes taken once, so that a long outage takes no more memory than
    a quiet day. `dropped` counts the oldest that had to go; the gap this leaves in `seq` tells
    the gateway. What a kind and a value (0 to 255 each) mean is the reader's business.
    """

    def __init__(self, limit: int):
        self.seq = 0
        self.dropped = 0
        self._limit = limit
        self._rows = bytearray(limit * SIZE)
        self._first = 0
        self._count = 0

    def __len__(self):
        return self._count

    def put(self, kind: int, value: int, since_ms: int) -> None:
        """Takes a reading; its `seq` is counted here, its age only when it goes out."""
        self.seq += 1
        if self._count == self._limit:
            self._first = (self._first + 1) % self._limit
            self._count -= 1
            self.dropped += 1
        pack_into(ROW, self._rows, self._place(self._count), WAITS, kind, value, 0, self.seq, since_ms)
        self._count += 1

    def next(self):
        """(kind, value, seq, since_ms) of the oldest reading that is not on its way, or None."""
        for number in range(self._count):
            where, kind, value, _, seq, since_ms = unpack_from(ROW, self._rows, self._place(number))
            if where == WAITS:
                return kind, value, seq, since_ms
        return None

    def sent(self, seq: int, packet_id: int) -> None:
        """A reading is on its way."""
        self._mark(4, seq, UNDER_WAY, packet_id)

    def acknowledged(self, packet_id: int) -> None:
        """The broker has it: it need not be kept any longer."""
        self._mark(3, packet_id, GONE, 0)
        while self._count and self._rows[self._place(0)] == GONE:
            self._first = (self._first + 1) % self._limit
            self._count -= 1

    def link_lost(self) -> None:
        """Nothing is on its way any more: what was not acknowledged goes out again, in order."""
        for number in range(self._count):
            place = self._place(number)
            if self._rows[place] == UNDER_WAY:
                self._rows[place] = WAITS

    def _place(self, number):
        return (self._first + number) % self._limit * SIZE

    def _mark(self, column, wanted, where, packet_id):
        """Puts the row with that packet id (column 3) or seq (column 4) somewhere else."""
        for number in range(self._count):
            place = self._place(number)
            row = unpack_from(ROW, self._rows, place)
            if row[column] == wanted and row[0] != GONE and (column == 4 or row[0] == UNDER_WAY):
                pack_into(ROW, self._rows, place, where, row[1], row[2], packet_id, row[4], row[5])
                return
