"""What a board's inputs have to say to the broker, each in order. A board without inputs never loads this file."""

from firmware import contract
from firmware.clock import now_ms
from firmware.outbox import Outbox


class Readings:
    """An outbox for each of a board's `inputs`, emptied over its `link`."""

    def __init__(self, link, inputs, count: int):
        self._link = link
        self._inputs = inputs
        self._outboxes = [Outbox(contract.OUTBOX_READINGS) for _ in range(count)]

    def changed(self, number: int, what: int, since_ms: int) -> None:
        """A reading of one input, to be delivered in order, however long the link is away."""
        self._outboxes[number].put(what, max(since_ms, now_ms() - contract.LONG))  # idle for a month is idle
        self._link.work = True

    async def send_one(self) -> bool:
        """Sends the first that waits; False where none does. Raises OSError, ContractError."""
        for number, outbox in enumerate(self._outboxes):
            row = outbox.next(now_ms())
            if row:
                what, seq, age_ms = row
                pattern, fields = self._inputs.message(what)
                fields["seq"] = seq
                fields["boot"] = self._link.boot
                fields["age_ms"] = min(age_ms, contract.LONG)
                try:
                    packet_id = await self._link.publish(pattern, (self._link.board, number), fields)
                except contract.ContractError:
                    outbox.sent(seq, 0)  # out of the way of those behind it
                    raise
                outbox.sent(seq, packet_id)
                return True
        return False

    def say_again(self) -> None:
        """Every state once more, with its true age."""
        free = [not len(outbox) for outbox in self._outboxes]
        for number, what, since_ms in self._inputs.readings():
            if free[number]:  # else the newest of what waits says it
                self.changed(number, what, since_ms)

    def on_ack(self, packet_id: int) -> None:
        """The broker has that message."""
        for outbox in self._outboxes:
            outbox.acknowledged(packet_id)

    def lost(self) -> None:
        """What is on its way goes again."""
        for outbox in self._outboxes:
            outbox.link_lost()

    def dropped(self) -> int:
        """How many fell out of a full outbox."""
        return sum([outbox.dropped for outbox in self._outboxes])
