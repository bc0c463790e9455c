"""When a wall's number is amber or red: thresholds that have to hold before the colour changes.

Numbers and the time go in, levels come out: 0 nothing, 1 amber, 2 red, as in `firmware/values.py`.
A number rises to a level only after it has been beyond its threshold for `for_s`, and falls from it only
after it has been `back` on the good side of it for `hold_s`: so a queue that sways about a threshold does
not flicker. What is unknown has no level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from floorplan import Plan, Queue

NEVER = float("inf")


class Rule(NamedTuple):
    """The thresholds of one number: amber and red from there on, upwards or, `low`, downwards."""

    amber: int
    red: int
    low: bool
    for_s: float
    hold_s: float
    back: int

    def beyond(self, threshold: int, number: int) -> bool:
        """Whether a number is on the bad side of a threshold; the threshold itself is."""
        return number <= threshold if self.low else number >= threshold

    def near(self, threshold: int, number: int) -> bool:
        """Whether it is not yet `back` on the good side; 0 always is, where few are good."""
        return self.beyond(threshold + self.back if self.low else max(threshold - self.back, 1), number)


class Latch:
    """One threshold of one number: on or off, and since when the number has asked for the other."""

    def __init__(self) -> None:
        self.on = False
        self._since_s: float | None = None

    def see(self, asks: bool, now_s: float, for_s: float) -> float:
        """Turns where `asks`, for the other state, has held for so long; when to look again."""
        if not asks:
            self._since_s = None
            return NEVER
        since_s = self._since_s = now_s if self._since_s is None else self._since_s
        if now_s - since_s < for_s:
            return since_s + for_s
        self.on, self._since_s = not self.on, None
        return NEVER

    def drop(self) -> None:
        """Off at once."""
        self.on, self._since_s = False, None


class Level:
    """The level of one number that stands until it is another: who waits, desks that are free."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.level = 0
        self._latches = (Latch(), Latch())

    def see(self, number: int | None, now_s: float) -> float:
        """Takes the number as it is from now on; when to look again, should it stay so."""
        due_s = NEVER
        for latch, threshold in zip(self._latches, (self.rule.amber, self.rule.red), strict=True):
            if number is None:
                latch.drop()
            elif latch.on:
                asks = not self.rule.near(threshold, number)
                due_s = min(due_s, latch.see(asks, now_s, self.rule.hold_s))
            else:
                asks = self.rule.beyond(threshold, number)
                due_s = min(due_s, latch.see(asks, now_s, self.rule.for_s))
        self.level = _level(self._latches)
        return due_s


class WaitLevel:
    """The level of the oldest caller's wait, which is a moment: the wait grows by itself.

    A wall turns its timer amber and red by itself, at once, so no level is told for that. One is where the
    wait has just been longer, and the wall would flicker: when the oldest caller is answered and the next
    has waited a little less. It lasts while that one would be back at the threshold within `hold_s`, or half
    of the threshold where that is less, and for no longer than `hold_s`. Where nobody waits there is none.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.level = 0
        self._since_s: int | None = None  # since when somebody waits, as last told
        self._beyond_s = [-NEVER, -NEVER]  # when the wait was last known to be beyond amber, and beyond red

    def see(self, since_s: int | None, now_s: float) -> float:
        """Takes since when somebody waits, -1: nobody; when to look again."""
        before_s, waits_s = _waited_s(self._since_s, now_s), _waited_s(since_s, now_s)
        self._since_s = since_s
        self.level, due_s = 0, NEVER
        for number, threshold in enumerate((self.rule.amber, self.rule.red)):
            if before_s >= threshold:
                self._beyond_s[number] = now_s
            if waits_s < threshold - min(self.rule.hold_s, threshold // 2):
                self._beyond_s[number] = -NEVER
            until_s = self._beyond_s[number] + self.rule.hold_s
            if waits_s < threshold and now_s < until_s:
                self.level, due_s = number + 1, min(due_s, until_s)
        return due_s


class Levels:
    """The levels of all numbers that have thresholds, by the numbers' names: `polski.waiting`."""

    def __init__(self, plan: Plan, names: Iterable[str]) -> None:
        queues = {queue.id: queue for queue in plan.queue}
        self._levels: dict[str, Level | WaitLevel] = {}
        for name in names:
            queue, what = name.rsplit(".", 1)
            rule = RULES[what](queues[queue])
            if rule:
                self._levels[name] = (WaitLevel if what == "wait" else Level)(rule)
        self._due_s = dict.fromkeys(self._levels, NEVER)
        self.due_s = NEVER  # when to look again, should no number change

    def take_over(self, before: Levels) -> None:
        """Goes on where the levels of another plan stand, number by number; one with other thresholds begins anew."""
        for name, level in before._levels.items():
            if name in self._levels and self._levels[name].rule == level.rule:
                self._levels[name], self._due_s[name] = level, before._due_s[name]
        self.due_s = min(self._due_s.values(), default=NEVER)

    def of(self, name: str) -> int:
        """The level of a number now; 0 for one without thresholds."""
        level = self._levels.get(name)
        return level.level if level else 0

    def see(self, names: Iterable[str], numbers: Mapping[str, int | None], now_s: float) -> bool:
        """Takes these numbers as they are now; True when the level of one of them changed."""
        changed = False
        for name in names:
            level = self._levels.get(name)
            if level:
                before = level.level
                self._due_s[name] = level.see(numbers[name], now_s)
                changed |= level.level != before
        self.due_s = min(self._due_s.values(), default=NEVER)
        return changed

    def due(self, now_s: float) -> list[str]:
        """The numbers whose level may change now though they themselves have not."""
        if now_s < self.due_s:
            return []
        return [name for name, due_s in self._due_s.items() if due_s <= now_s]


def _waited_s(since_s: int | None, now_s: float) -> int:
    """How long somebody has waited; -1: nobody, or nobody knows."""
    return -1 if since_s is None or since_s < 0 else int(now_s) - since_s


def _level(latches: tuple[Latch, Latch]) -> int:
    amber, red = latches
    return 2 if red.on else 1 if amber.on else 0


def _waiting(queue: Queue) -> Rule | None:
    levels = queue.levels
    if levels.waiting is None:
        return None
    return Rule(*levels.waiting, False, levels.for_s, levels.hold_s, levels.back)


def _free(queue: Queue) -> Rule | None:
    """`free_below = [2, 1]`: amber with one free desk, red with none. A queue may have no more desks than that:

    `back` would then never be reached, so that only `hold_s` counts.
    """
    levels = queue.levels
    if levels.free_below is None:
        return None
    amber, red = levels.free_below
    return Rule(amber - 1, red - 1, True, levels.for_s, levels.hold_s, 0)


def _wait(queue: Queue) -> Rule:
    return Rule(queue.target.amber_from_s, queue.target.red_from_s, False, 0, queue.levels.hold_s, 0)


# The thresholds of each number a queue has, by wallboard/numbers.py's names.
RULES: dict[str, Callable[[Queue], Rule | None]] = {"waiting": _waiting, "wait": _wait, "free": _free}
