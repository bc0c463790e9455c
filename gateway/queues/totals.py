"""What is counted of a queue, and every figure that comes of it: names, formulas, and who defines them so.

The same formulas serve the live queue, a quarter of an hour of last year, and a recording.
`docs/figures.md` explains this table to people, and a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

LONGEST = frozenset({"longest_wait_s"})  # of these the larger one is kept; all others are added up


@dataclass(slots=True)
class Totals:
    """What has been counted in some stretch of time. What somebody waits for the end of is in `joined` only."""

    joined: int = 0  # callers who came
    answered: int = 0  # connected to a member
    answered_within: int = 0  # of them, within the target's time
    answered_wait_s: float = 0.0  # of them, all waits together
    abandoned: int = 0  # hung up; and timed out, where the source cannot tell
    timed_out: int = 0  # the phone system gave up
    lost_within: int = 0  # abandoned or timed out within the target's time
    lost_short: int = 0  # abandoned or timed out within the target's short_abandon_s
    left_by_key: int = 0  # pressed a key
    left: int = 0  # went elsewhere, and the source cannot tell how
    vanished: int = 0  # gone unseen: the link was away
    completed: int = 0  # conversations that ended
    talk_s: float = 0.0  # of them, all together, held time too
    longest_wait_s: float = 0.0  # of anybody who waited and whose end was seen
    handling_s: float = 0.0  # desks ringing or talking, all together
    available_s: float = 0.0  # desks free, all together
    seen_s: float = 0.0  # how long we could see this queue
    untold: frozenset[str] = frozenset()  # names of the above that the source could not tell all the while

    def add(self, name: str, amount: float) -> None:
        """Counts `amount` more of one field; the larger of the two where the field is one of LONGEST."""
        before = getattr(self, name)
        setattr(self, name, max(before, amount) if name in LONGEST else before + amount)


# Every name that can be counted. Files keep `untold` by places in it: append to it, and move nothing.
COUNTED = tuple(field.name for field in fields(Totals) if field.name != "untold")


@dataclass(frozen=True, slots=True)
class Formula:
    """How one figure comes of the totals. `needs`: what has to be counted for it; else it is unknown."""

    words: str
    source: str
    needs: tuple[str, ...]
    of: Callable[[Totals], float | None]

    def value(self, totals: Totals, untold: frozenset[str] = frozenset()) -> float | None:
        """The figure; None where nothing happened yet, or where the source could not tell what it needs."""
        return None if (untold | totals.untold).intersection(self.needs) else self.of(totals)


def _share(part: float, whole: float) -> float | None:
    """No calls: None, neither 100 % nor 0."""
    return part / whole if whole > 0 else None


def lost(totals: Totals) -> int:
    """Who gave up or was given up on: one number, because not every source can tell the two apart."""
    return totals.abandoned + totals.timed_out


def _offered(totals: Totals) -> int:
    return totals.answered + lost(totals)


_ENDS = ("answered", "answered_within", "abandoned")

# One is chosen per queue by target.formula in the site file. X is target.within_s, itself included.
# "Abandoned" means both who hung up and who timed out.
SERVICE_LEVEL = {
    "ended-within-of-offered": Formula(
        "answered or abandoned within X s, of all answered and abandoned",
        "Asterisk's ServicelevelPerf2 since ASTERISK-26559; the first of ICMI's five (2002)",
        (*_ENDS, "lost_within"),
        lambda t: _share(t.answered_within + t.lost_within, _offered(t)),
    ),
    "answered-within-of-answered": Formula(
        "answered within X s, of all answered",
        "Asterisk's ServicelevelPerf; the second of ICMI's five (2002)",
        ("answered", "answered_within"),
        lambda t: _share(t.answered_within, t.answered),
    ),
    "answered-within-of-offered": Formula(
        "answered within X s, of all answered and abandoned",
        "the third of ICMI's five (2002); who left by a key is in neither",
        _ENDS,
        lambda t: _share(t.answered_within, _offered(t)),
    ),
    "answered-within-of-offered-early-abandons-ignored": Formula(
        "answered within X s, of all answered and of those who were abandoned after X s",
        "the fourth of ICMI's five (2002)",
        (*_ENDS, "lost_within"),
        lambda t: _share(t.answered_within, _offered(t) - t.lost_within),
    ),
    "answered-within-of-offered-short-abandons-met": Formula(
        "answered within X s or abandoned within short_abandon_s, of all answered and abandoned",
        "the fifth of ICMI's five (2002)",
        (*_ENDS, "lost_short"),
        lambda t: _share(t.answered_within + t.lost_short, _offered(t)),
    ),
}

ASA = Formula(
    "average speed of answer: mean wait of the answered calls, in the queue and ringing, in seconds",
    "as Avaya counts it; others leave out the ringing, or count who abandoned",
    ("answered", "answered_wait_s"),
    lambda t: _share(t.answered_wait_s, t.answered),
)
AHT = Formula(
    "average handling time: mean length of the conversations that ended, held time included, in seconds",
    "as Genesys counts it, without the work after a call, which no phone system tells us",
    ("completed", "talk_s"),
    lambda t: _share(t.talk_s, t.completed),
)
OCCUPANCY = Formula(
    "time of desks ringing and talking, of their time ringing, talking and free",
    "handling of handling and available, the usual definition; desks that are away are in neither",
    ("handling_s", "available_s"),
    lambda t: _share(t.handling_s, t.handling_s + t.available_s),
)
ABANDON_RATE = Formula(
    "abandoned or timed out after short_abandon_s, of these and the answered",
    "the usual definition, without those who hung up at once",
    ("answered", "abandoned", "lost_short"),
    lambda t: _share(lost(t) - t.lost_short, _offered(t) - t.lost_short),
)
RATES = {"asa_s": ASA, "aht_s": AHT, "occupancy": OCCUPANCY, "abandon_rate": ABANDON_RATE}


def rounded_down(share: float, digits: int) -> float:
    """A share that is held against a promise, with so many digits: 0.79996 is no 0.8."""
    return math.floor(share * 10.0**digits + 1e-9) / 10.0**digits  # 0.29 * 100 is 28.999…


def percent_met(share: float) -> int:
    """A share as whole percent, rounded down: 79.6 % must not look like a promise of 80 that is kept."""
    return round(100 * rounded_down(share, 2))
