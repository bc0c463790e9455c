"""Which alarms stand: signs and the time in, alarms out, each with its beginning, its end and who has seen to it.

Pure: no network and no clock. A sign that stays long enough is an alarm; one that has been away for long enough is
none any more. What is not one yet and is over pays back, second by second, what it was wrong: a board that is lost
for most of the time is an alarm, too. While nobody can see whether it is still so, an alarm stands on for a while,
and none begins: a broker that is away for a moment neither ends what there is nor begins it anew. Nothing of this is
kept on any disk: what is wrong at a desk is about whoever sits there.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import floorplan
from gateway.alarms.kinds import KINDS, Kind
from gateway.alarms.signs import Fact, Sign

MOST = {"bad": 1000, "warn": 1000}  # alarms of a level, those to come among them; what comes beyond is not taken
ENDED_MOST = 1000  # ended ones that are remembered
ENDED_S = 24 * 3600.0  # and for how long
NOTE_MOST = 200  # letters
AGAIN_MOST = 100  # alarms whose facts are said anew with one beat
WORDS_MOST = 400  # letters of a sentence: the phone system's or a board's own words may be in it


@dataclass(frozen=True, slots=True)
class Acked:
    """Somebody sees to it."""

    by: str  # a login name, or a token's
    note: str
    at_s: float


class Ended(NamedTuple):
    """An alarm that is over. Times are seconds on the gateway's clock."""

    kind: Kind
    about: str
    facts: dict[str, Fact]
    since_s: float
    ended_s: float
    acked: Acked | None


@dataclass(slots=True)
class Row:
    """One thing that is wrong: an alarm once it `stands`."""

    kind: Kind
    sign: Sign  # as it was last seen
    since_s: float
    number: int  # of this time that it is so: the next time has another
    stands: bool = False
    over_s: float | None = None  # since when it is so no more
    unseen_s: float | None = None  # since when nobody can see it
    acked: Acked | None = None
    said: tuple[object, ...] = ()  # what was last said of it that may change while it stands

    @property
    def facts(self) -> dict[str, Fact]:
        """What is known of it; `unseen` where that is the last that was, and nobody can see it now."""
        return {**self.sign.facts, **({"unseen": True} if self.unseen_s is not None else {})}


class Alarms:
    """The alarms of one floor. `look` twice a second."""

    def __init__(self, settings: floorplan.Alarms) -> None:
        self.ended: deque[Ended] = deque(maxlen=ENDED_MOST)  # the oldest first
        self._settings = settings
        self._rows: dict[str, Row] = {}
        self._levels: Counter[str] = Counter()  # of all rows
        self._numbers = itertools.count(secrets.randbelow(2**40))  # no page takes one of an earlier start for its own

    # Coming and going ------------------------------------------------------------------

    def look(self, signs: Iterable[Sign], now_s: float) -> set[str]:
        """Takes all there is now. Returns the ids of which another thing is to be said: some may be over."""
        seen = {sign.id: sign for sign in signs if sign.is_so is not False and sign.kind not in self._settings.off}
        changed = {name for name, sign in seen.items() if self._see(name, sign, now_s)}
        changed |= {name for name in [*self._rows] if name not in seen and self._miss(name, now_s)}
        while self.ended and now_s - self.ended[0].ended_s > ENDED_S:
            self.ended.popleft()
        return changed

    def _see(self, name: str, sign: Sign, now_s: float) -> bool:
        """It is so, or nobody knows. Returns whether another thing is to be said of it."""
        row = self._rows.get(name)
        if sign.is_so is None:
            return row is not None and self._lose_sight(name, row, now_s, sign.soon)
        if row is None:
            row = self._begin(name, sign, now_s)
            if row is None:
                return False
        was_unseen = row.unseen_s is not None
        if row.over_s is not None and not row.stands:  # what it was right meanwhile is paid back
            row.since_s += 2 * (now_s - row.over_s)
        row.sign, row.over_s, row.unseen_s = sign, None, None
        if row.stands:
            return was_unseen
        row.stands = now_s - row.since_s >= self._after_s(row.kind)
        return row.stands

    def _begin(self, name: str, sign: Sign, now_s: float) -> Row | None:
        kind = KINDS[sign.kind]
        if self._levels[kind.level] >= MOST[kind.level]:
            return None
        self._levels[kind.level] += 1
        since_s = now_s if sign.since_s is None else min(sign.since_s, now_s)
        self._rows[name] = Row(kind, sign, since_s, next(self._numbers))
        return self._rows[name]

    def _lose_sight(self, name: str, row: Row, now_s: float, soon: bool) -> bool:
        begins = row.unseen_s is None
        if row.unseen_s is None or soon:
            row.unseen_s = now_s
        if row.stands and now_s - row.unseen_s < row.kind.unseen_s:
            return begins
        return self._end(name, row, now_s)

    def _miss(self, name: str, now_s: float) -> bool:
        """It is so no more."""
        row = self._rows[name]
        row.unseen_s = None
        if row.over_s is None:
            row.over_s = now_s
        right_s = now_s - row.over_s
        paid = row.sign.since_s is not None or right_s >= row.over_s - row.since_s
        is_off = row.kind.kind in self._settings.off
        if not is_off and (right_s < self._hold_s(row.kind) if row.stands else not paid):
            return False
        return self._end(name, row, now_s)

    def _end(self, name: str, row: Row, now_s: float) -> bool:
        """Whether an alarm has ended, and not only what might have become one."""
        del self._rows[name]
        self._levels[row.kind.level] -= 1
        if row.stands:
            until_s = next((at_s for at_s in (row.over_s, row.unseen_s) if at_s is not None), now_s)
            self.ended.append(Ended(row.kind, row.sign.about, row.facts, row.since_s, until_s, row.acked))
        return row.stands

    def _after_s(self, kind: Kind) -> float:
        return float(getattr(self._settings, kind.setting, 0))

    def _hold_s(self, kind: Kind) -> float:
        told = kind.of == "desk" or self._settings.hold_s is None  # a finding has had its hold in [truth]
        return kind.hold_s if told else float(self._settings.hold_s or 0)

    def follow(self, settings: floorplan.Alarms) -> None:
        """Goes by another site file from now on; what is no alarm there ends with the next look."""
        self._settings = settings

    def forget(self, of: str, about: str, now_s: float) -> set[str]:
        """There is no such thing any more: the ids of its alarms, which are over."""
        gone = [name for name, row in self._rows.items() if (row.kind.of, row.sign.about) == (of, about)]
        return {name for name in gone if self._end(name, self._rows[name], now_s)}

    # Seen to -----------------------------------------------------------------------------

    def acknowledge(self, name: str, by: str, note: str, now_s: float, number: int | None = None) -> bool:
        """Somebody sees to an alarm, until it ends; False: it does not stand, or is another than that `number`."""
        row = self.standing(name)
        if row is None or number not in (None, row.number):
            return False
        row.acked = Acked(by, note, now_s)
        return True

    def reopen(self, name: str) -> bool:
        """Nobody sees to it after all; False: nobody did."""
        row = self.standing(name)
        if row is None or row.acked is None:
            return False
        row.acked = None
        return True

    # Told ----------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many stand."""
        return sum(row.stands for row in self._rows.values())

    def standing(self, name: str) -> Row | None:
        """An alarm that stands; None: it does not."""
        row = self._rows.get(name)
        return row if row and row.stands else None

    def all(self) -> list[str]:
        """The ids of all that stand: bad before warn, and the oldest first."""
        rows = [(row.kind.level, row.since_s, name) for name, row in self._rows.items() if row.stands]
        return [name for _, _, name in sorted(rows)]

    def document(self, name: str, now_s: float) -> dict[str, Any] | None:
        """What a page is told of an alarm, as docs/alarms.md says; None: it does not stand."""
        row = self.standing(name)
        if row is None:
            return None
        what, todo = words(row.kind, row.facts)
        acked = row.acked
        return {
            "kind": row.kind.kind, "of": row.kind.of, "about": row.sign.about, "level": row.kind.level,
            "number": row.number, "for_s": max(0, int(now_s - row.since_s)), "what": what, "todo": todo,
            "facts": row.facts,
            "acked": acked and {"by": acked.by, "note": acked.note, "for_s": max(0, int(now_s - acked.at_s))},
        }  # fmt: skip

    def told(self, name: str) -> None:
        """All pages have been told what there is of an alarm now."""
        row = self.standing(name)
        if row:
            row.said = _may_change(row)

    def again(self) -> list[str]:
        """Alarms of which something else is known than was last said, as many as are said with one beat."""
        other = (name for name, row in self._rows.items() if row.stands and row.said != _may_change(row))
        return list(itertools.islice(other, AGAIN_MOST))


def _may_change(row: Row) -> tuple[object, ...]:
    return tuple(row.facts.items())


def words(kind: Kind, facts: dict[str, Fact]) -> tuple[str, str]:
    """(what is wrong, what to do) as sentences."""
    return _sentence(kind.what, facts), _sentence(kind.then(facts), facts)


def _sentence(text: str, facts: dict[str, Fact]) -> str:
    for name, fact in facts.items():
        text = text.replace("{" + name + "}", str(fact).rstrip("."))
    text = re.sub(r"([?!…])\.", r"\1", text)  # what is filled in may end by itself
    return (text[:1].upper() + text[1:])[:WORDS_MOST]
