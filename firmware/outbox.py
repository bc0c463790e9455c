"""Readings that wait for the broker, in order, oldest given up first when there are too many."""


class Outbox:
    """What one input has to say. A reading stays until the broker has acknowledged it.

    Holds at most `limit` readings; `dropped` counts the oldest that had to go. The gap this
    leaves in `seq` tells the gateway.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.seq = 0
        self.dropped = 0
        self._rows = []  # [pattern, fields, since_ms, packet id or None while it is not on its way]

    def put(self, pattern: str, fields: dict, since_ms: int) -> None:
        """Takes a reading; its `seq` is counted here, its age only when it goes out."""
        self.seq += 1
        fields["seq"] = self.seq
        if len(self._rows) == self.limit:
            self._rows.pop(0)
            self.dropped += 1
        self._rows.append([pattern, fields, since_ms, None])

    def next(self):
        """The oldest reading that is not on its way, or None."""
        for row in self._rows:
            if row[3] is None:
                return row
        return None

    def acknowledged(self, packet_id: int) -> None:
        """The broker has it: it need not be kept any longer."""
        for place, row in enumerate(self._rows):
            if row[3] == packet_id:
                self._rows.pop(place)
                return

    def link_lost(self) -> None:
        """Nothing is on its way any more: what was not acknowledged goes out again, in order."""
        for row in self._rows:
            row[3] = None

    def __len__(self):
        return len(self._rows)
