"""Every kind of alarm: one table of what it belongs to, how bad it is, when it goes, and its words.

After how long one comes is the site file's to say: `floorplan.Alarms`, and of what does not fit at a desk
`floorplan.Truth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway import truth

Of = Literal["queue", "desk", "board", "wall", "source", "broker", "clock", "history"]
Level = Literal["bad", "warn"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of alarm. `what` and `todo` are sentences; a name in braces stands for one of an alarm's facts."""

    kind: str
    of: Of
    level: Level  # bad: people are waiting, or nobody sees them any more
    hold_s: float  # it must be over for so long before the alarm goes
    unseen_s: float  # so long an alarm stands while nobody can see whether it is still so
    what: str
    todo: str
    instead: tuple[tuple[str, str], ...] = ()  # a fact, and what to do where it is so

    @property
    def setting(self) -> str:
        """The name of its time in [alarms]; those by desk have theirs in [truth]."""
        return self.kind.replace("-", "_") + "_s"

    def then(self, facts: Mapping[str, object]) -> str:
        """What to do where these are the facts."""
        return next((todo for fact, todo in self.instead if facts.get(fact)), self.todo)


# A hold is long where the thing itself is slow. Unseen: as long as a broker that was started anew and its boards need.
_OF_FLOOR = (
    Kind("long-wait", "queue", "bad", 15.0, 5.0,
         "Somebody has waited for {wait_s} s, and {limit_s} s are promised.",
         "Bring desks into this queue: ask who is away or paused, and who serves other queues only."),
    Kind("service-level", "queue", "warn", 300.0, 60.0,
         "Today {level_pct} % were answered in {within_s} s, and {target_pct} % are promised ({calls} calls).",
         "More desks are needed while calls come as they do: see what is needed beside what is there."),
    Kind("queue-unknown", "queue", "bad", 10.0, 60.0,
         "Nothing is known of this queue: {reason}.",
         "Look whether the site file calls it as its source does, and whether that source tells of it."),
    Kind("board-lost", "board", "bad", 10.0, 60.0,
         "{reason}.",
         "Look at the board's power and its network.",
         (("floods", "It says so much that nobody listens to it: start it anew. If it floods again, or if this is not "
                     "it, shut it out."),
          ("many", "So many at once have one cause: look at the power and the network switch that they share."))),
    Kind("wall-wrong", "wall", "warn", 5.0, 60.0, "{reason}.", "{todo}."),
    Kind("source-away", "source", "bad", 10.0, 0.0,
         "Nothing is known of its queues: {reason}.",
         "Look whether it runs and can be reached from this computer, and whether its login is still the same."),
    Kind("broker-away", "broker", "bad", 5.0, 0.0,
         "Nothing is heard of desks and walls: {reason}.",
         "Look whether the broker runs, and at the network between it and this computer."),
    Kind("clock-unset", "clock", "warn", 5.0, 0.0,
         "This computer's clock cannot be believed: {reason}.",
         "Figures run on, but totals hang on the time: let this computer reach a time server, or set its clock."),
    Kind("history-failed", "history", "bad", 5.0, 0.0,
         "Totals are not kept: {reason}.",
         "Look at the disk of this computer: is it full, may the file be written? What is counted waits meanwhile."),
)  # fmt: skip

# What does not fit at a desk: gateway/truth.py finds it, has its times, and its words of what to do.
_LEVELS: dict[str, Level] = {"empty-desk-rings": "bad"}  # a caller hears it ring, and nobody is there
_DESK_WHAT = {
    "empty-desk-rings": "A call rings, and the headset lies in its cradle.",
    "available-but-docked": "Ready for calls, and the headset lies in its cradle.",
    "off-hook-no-call": "The phone is lifted, and there is no call at the phone system.",
    "lifted-nothing-at-pbx": "Somebody talks, and the phone system knows of no call.",
    "call-nothing-lifted": "In a call at the phone system, and nothing is lifted.",
    "board-lost-under-busy-desk": "In a call, and its board is lost.",
}
_OF_DESKS = tuple(
    Kind(rule.kind, "desk", _LEVELS.get(rule.kind, "warn"), 0.0, 60.0, _DESK_WHAT[rule.kind], rule.todo)
    for rule in truth.RULES
)

KINDS: dict[str, Kind] = {row.kind: row for row in (*_OF_FLOOR, *_OF_DESKS)}
OF_FLOOR = tuple(row.kind for row in _OF_FLOOR)
