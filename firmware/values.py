"""The numbers a wall draws, and whether they may be believed."""

from collections import namedtuple

from firmware.contract import BEAT_S, BEATS_MISSED, ContractError

PROOF_MS = (BEATS_MISSED * BEAT_S * 1000) + 500  # half a second for the last beat's way here

Numbers = namedtuple("Numbers", "of at_s values levels")  # lists, by a number's place; None: unknown


def read(fields: dict) -> Numbers:
    """The numbers in a `values` message; -1 is a wait of nobody. Raises ContractError.

    `n` is words to the base 36: when the waits were taken, then the numbers. Before one stands + where it is amber,
    ! where it is red, and no blank then; `?` is unknown, `-` nobody waits. wallboard/numbers.py writes it.
    """
    values, levels = [], []
    for told in fields["n"].replace("+", " +").replace("!", " !").split():
        level = "+!".find(told[:1]) + 1
        word = told[1:] if level else told
        values.append(None if word == "?" else -1 if word == "-" else _number(word, told))
        levels.append(level)
    if not values or values[0] is None or values[0] < 0:
        raise ContractError("values: nobody says when the waits were taken")
    return Numbers(fields["of"], values.pop(0), values, levels[1:])


def _number(word, told):
    right = 0 < len(word) <= 6
    for letter in word.encode()[:7]:
        right = right and (48 <= letter <= 57 or 97 <= letter <= 122)
    if not right:
        raise ContractError("values: '%s' is no number" % told[:8])
    return int(word, 36)


class Values:
    """Values are old until a beat of the same gateway start names their `seq` or an older one.

    Proof lasts for three beats. The gateway's will ends it at once. Times are the board's
    own milliseconds; `clock_ms` turns them into the gateway's for ticking waits.
    """

    def __init__(self):
        self.numbers = None  # the present Numbers
        self.boot = None
        self.seq = None
        self._beat = None  # (fields, when it came)
        self._proved_ms: int | None = None  # when a beat last stood behind the numbers
        self._zero_ms = 0  # the board's time at the gateway's second 0, by that beat
        self._doubted_ms: int | None = None  # when the gateway's will came, if it has since

    def take_values(self, fields: dict, now_ms: int) -> None:
        """New numbers, perhaps retained ones from long ago. Raises ContractError."""
        self.numbers = read(fields)
        if self.boot != fields["boot"] or fields["seq"] < self.seq:  # of a broker that kept older ones
            self._proved_ms = None
        self.boot = fields["boot"]
        self.seq = fields["seq"]
        self._prove(now_ms)

    def take_beat(self, fields: dict, now_ms: int) -> None:
        """The gateway says now, and which numbers are the present ones."""
        self._beat = (fields, now_ms)
        self._prove(now_ms)

    def take_gateway(self, fields: dict, now_ms: int) -> None:
        """The gateway is ready, or its will says that it is lost."""
        if fields["state"] == "lost" and (self._beat is None or fields["boot"] == self._beat[0]["boot"]):
            self._doubted_ms = now_ms
            self._beat = None

    def _prove(self, now_ms):
        if self._beat is None:
            return
        beat, came_ms = self._beat
        if now_ms - came_ms > BEAT_S * 1000 or beat["boot"] != self.boot or self.seq < beat["values_seq"]:
            return
        self._proved_ms = came_ms
        self._zero_ms = came_ms - beat["now_s"] * 1000
        self._doubted_ms = None

    def age_s(self, now_ms: int):
        """None while fresh, else whole seconds since the last proof, -1 when there was none."""
        if self._proved_ms is None:
            return -1
        if now_ms <= self._old_from_ms():
            return None
        return (now_ms - self._proved_ms) // 1000

    def clock_ms(self, now_ms: int):
        """The gateway's clock in ms; it stands still from when the numbers turned old; None if never proved."""
        if self._proved_ms is None:
            return None
        return min(now_ms, self._old_from_ms()) - self._zero_ms

    def local_ms(self, clock_s: int, boot: str):
        """When that second of the gateway's clock is, on the board's own; None for another gateway's."""
        if self._beat is None or self._beat[0]["boot"] != boot:
            return None
        return self._beat[1] + (clock_s - self._beat[0]["now_s"]) * 1000

    def _old_from_ms(self):
        old_ms = (self._proved_ms or 0) + PROOF_MS
        return old_ms if self._doubted_ms is None else min(old_ms, self._doubted_ms - 1)
