"""The numbers a wall draws, and whether they may be believed."""

from collections import namedtuple

from firmware.contract import BEAT_S, BEATS_MISSED, ContractError

PROOF_MS = (BEATS_MISSED * BEAT_S * 1000) + 500  # half a second for the last beat's way here

LEVELS = ("", "+", "!")  # before a number: nothing, amber, red

Numbers = namedtuple("Numbers", "of at_s values levels")  # lists, by a number's place; None: unknown


def read(fields: dict) -> Numbers:
    """The numbers in a `values` message; -1 is a wait of nobody. Raises ContractError.

    `n` is a word a number: to the base 36, after + or ! where it is amber or red; `?` unknown, `-` nobody waits.
    """
    values, levels = [], []
    for told in fields["n"].split():
        level = LEVELS.index(told[0]) if told[0] in "+!" else 0
        word = told[1:] if level else told
        try:
            values.append(None if word == "?" else -1 if word == "-" else int(word, 36))
        except ValueError:
            raise ContractError("values: '%s' is no number" % told[:8])
        levels.append(level)
    return Numbers(fields["of"], fields["at_s"], values, levels)


def word_of(value, level: int) -> str:
    """What `read` reads: the word of one number, or -1, or None."""
    if value is None:
        return "?"
    if value < 0:
        return LEVELS[level] + "-"
    word = ""
    while value or not word:
        value, digit = divmod(value, 36)
        word = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + word
    return LEVELS[level] + word


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
        if self.boot != fields["boot"]:
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
