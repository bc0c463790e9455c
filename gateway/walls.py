"""What walls draw: a scene and a light for each, and one message of numbers for all of them."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from firmware.contract import BEAT_S
from firmware.values import Numbers, read
from floorplan import Plan
from gateway.floor import Floor, Queue, panels_of
from gateway.levels import Levels
from gateway.lights import Lights
from gateway.shown import ALARM_AFTER_S, WRONG, Alarms, Replaced, Should, differences, words
from wallboard import numbers
from wallboard.compile import Compiled, compile
from wallboard.mirror import Mirrored

log = logging.getLogger(__name__)

FOR_MOST = 100  # walls of which it is said anew for how long they have been wrong, at a time

# The numbers of a queue that walls draw, by wallboard/numbers.py's names. A wait is told as the moment
# since when somebody waits, and goes out as seconds; -1: nobody does. None: unknown.
NUMBERS: dict[str, Callable[[Queue], int | None]] = {
    "waiting": lambda queue: queue.figures.waiting,
    "wait": lambda queue: (
        int(queue.figures.oldest_since_s) if queue.figures.oldest_since_s is not None else -1
    ),
    "free": lambda queue: queue.counts["free"] if queue.desks_known else None,
}


class Last(NamedTuple):
    """What a wall last said, and what else was so then."""

    shown: Mapping[str, Any] | None
    fresh: bool
    at_s: float
    numbers: Numbers

    def age_s(self, now_s: float) -> int | None:
        """How old its figures are by now, by what it said; None: it did not say."""
        said_s = (self.shown or {}).get("age_s")
        return None if said_s is None else said_s + int(now_s - self.at_s)


class Walls:
    """All walls of a site. Scenes are compiled once, from the site file.

    `message` gives the fields of the `board/+/panel/+/message` that a wall should show now, or None;
    `watching` how many browsers show a wall that has no board.
    """

    def __init__(self, plan: Plan, calendar_s: float | None = None) -> None:
        self.scenes: dict[str, Compiled] = {wall.id: compile(wall, plan) for wall in plan.wall}
        self.panels = panels_of(plan)
        self.sizes = {wall.id: wall.panel.size for wall in plan.wall}
        self.message: Callable[[str], Mapping[str, Any] | None] = lambda wall: None
        self.watching: Callable[[str], int] = lambda wall: 0
        self.seq = 0
        self.lights = Lights(plan, calendar_s)
        self.alarms = Alarms()
        self._order = numbers.order(plan)
        self._of = numbers.of(self._order)
        self._known: dict[str, int | None] = dict.fromkeys(self._order)
        self._drawn: dict[str, list[str]] = {}  # queue → the names of its numbers
        for name in self._order:
            self._drawn.setdefault(name.rsplit(".", 1)[0], []).append(name)
        self._levels = Levels(plan, self._order)
        self._replaced = Replaced()
        self._ready_s: dict[str, float] = {}  # wall → since when its board is there
        self._behind: set[str] = set()  # walls whose values stand still, as last looked at
        self._last: dict[str, Last] = {}
        self._numbers: tuple[int, Numbers] | None = None  # the present ones, and their seq
        self._for_s: dict[str, float] = {}  # walls that are wrong: when it was said for how long
        for wall_id, scene in self.scenes.items():
            for warning in scene.warnings:
                log.warning("wall %s: %s", wall_id, warning)

    def take_over(self, before: Walls, now_s: float) -> None:
        """Goes on where the walls of another plan stand: numbers, levels, and since when which wall is wrong."""
        self._known |= {name: number for name, number in before._known.items() if name in self._known}
        self._levels.take_over(before._levels)
        self.alarms, self._replaced = before.alarms, before._replaced
        stay = {wall for wall, panel in before.panels.items() if self.panels.get(wall) == panel}
        for wall in before.scenes.keys() - stay:
            self.alarms.forget(wall)
        self._ready_s = {wall: at_s for wall, at_s in before._ready_s.items() if wall in stay}
        self._for_s = {wall: at_s for wall, at_s in before._for_s.items() if wall in stay}
        self._last = {wall: last for wall, last in before._last.items() if wall in stay}
        self._behind = before._behind & stay
        self.seq = before.seq
        self._count(self._of != before._of, now_s)

    # The numbers: nothing here is done wall by wall ------------------------------------

    def refresh(self, queues: Iterable[str], floor: Floor, now_s: float) -> bool:
        """Takes the numbers of these queues; True when one of them or its level changed, `seq` counted up."""
        changed = not self.seq
        touched = [name for queue in queues for name in self._drawn.get(queue, ())]
        for name in touched:
            queue, what = name.rsplit(".", 1)
            number = number_of(floor.queues[queue], what)
            changed |= number != self._known[name]
            self._known[name] = number
        return self._count(self._levels.see(touched, self._known, now_s) or changed, now_s)

    def look(self, now_s: float) -> bool:
        """Looks for levels that change with time alone; True when one did, `seq` counted up."""
        return self._count(self._levels.see(self._levels.due(now_s), self._known, now_s), now_s)

    def _count(self, changed: bool, now_s: float) -> bool:
        if changed:
            self.seq += 1
            self._replaced.add(self.seq, now_s)
        return changed

    def values(self, now_s: float) -> dict[str, Any]:
        """The fields of `values`, but for the gateway's boot."""
        at_s = int(now_s)
        told = ((_told(name, number, at_s), self._levels.of(name)) for name, number in self._known.items())
        return {"of": self._of, "seq": self.seq, "n": numbers.words(at_s, told)}

    # What they say that they show ------------------------------------------------------

    def verdict(self, wall: str, floor: Floor, now_s: float) -> dict[str, Any]:
        """The fields of `wall/+/now`: what it should show beside what it says it shows."""
        shown = floor.shown.get(wall)
        fresh = self.is_fresh(wall, floor, now_s)
        last = self._hear(wall, shown, fresh, now_s)
        if wall not in self.panels:
            return self._of_browsers(wall)
        should, state, why = self._should(wall), *floor.wall_presence(wall, now_s)
        ready_s = self._ready_s.setdefault(wall, now_s)
        if state != "ready":
            del self._ready_s[wall]
        behind_s = self._behind_s(shown, now_s)
        kinds = differences(should, shown, (state, why), behind_s)
        known_s = {"values": max(now_s - behind_s, ready_s)} if behind_s is not None and behind_s > 0 else {}
        since_s = self.alarms.see(wall, kinds, now_s, known_s)
        (self._behind.add if "values" in kinds else self._behind.discard)(wall)
        self._for_s.pop(wall, None)
        if kinds:
            self._for_s[wall] = now_s
        kind = next((kind for kind in WRONG if kind in kinds), None)
        reason, todo = words(kind, kinds[kind]) if kind else (why or _not_said(shown), "")
        alarm = wall in self.alarms.on
        return {
            **self._told_of(should),
            **{name: (shown or {}).get(key) for name, key in SAYS.items()},
            "shown_age_s": None if fresh or not last.shown else last.age_s(now_s),
            "fresh": fresh,
            "wrong": kind,
            "for_s": None if since_s is None else int(now_s - since_s),
            "alarm": alarm,
            "reason": reason[:160],
            "todo": todo if alarm else "",
        }

    def due(self, floor: Floor, now_s: float) -> set[str]:
        """The walls of which another thing is to be said by now, though nothing was heard of them."""
        behind = {
            wall
            for wall, shown in floor.shown.items()
            if wall not in self._behind and (self._behind_s(shown, now_s) or 0) > ALARM_AFTER_S
        }
        first = itertools.islice(self._for_s.items(), FOR_MOST)  # the longest ago
        return behind | self.alarms.due(now_s) | {wall for wall, said_s in first if now_s - said_s >= BEAT_S}

    def is_fresh(self, wall: str, floor: Floor, now_s: float) -> bool:
        """Whether a wall says that its figures are proved, in the scene it should show; and its board is there."""
        if wall not in self.panels:
            return self.watching(wall) > 0
        shown = floor.shown.get(wall, {})
        ready = floor.wall_presence(wall, now_s)[0] == "ready"
        return ready and bool(shown.get("fresh")) and shown.get("scene") == self.scenes[wall].message["id"]

    def is_off(self, wall: str, floor: Floor) -> bool:
        """Whether a wall is dark, as planned; one that says it shines is not."""
        shines = (floor.shown.get(wall) or {}).get("percent")
        return self.lights.now[wall].percent == 0 and not shines

    def mirrored(self, wall: str, floor: Floor, now_s: float) -> Mirrored | None:
        """What a page draws of a wall; None when there is no such wall."""
        if wall not in self.scenes:
            return None
        size, scene = self.sizes[wall], self.scenes[wall].message
        if self.is_off(wall, floor):
            return Mirrored(size, scene, off=True)
        at = Mirrored(size, scene, self.message(wall), at_s=int(now_s))
        fresh = self.is_fresh(wall, floor, now_s)
        if fresh:
            return at._replace(numbers=self._read(now_s), clock_s=int(now_s))
        last = self._hear(wall, floor.shown.get(wall), fresh, now_s)
        shown = last.shown or {}
        if shown.get("values_seq") is None:
            return at._replace(age_s=-1)
        age_s, proved = last.age_s(now_s), shown["fresh"] or shown.get("age_s") is not None
        return at._replace(
            numbers=last.numbers,
            clock_s=int(last.at_s) if proved else None,  # it stands still, as the wall's
            age_s=-1 if age_s is None else age_s,
        )

    def _hear(self, wall: str, shown: Mapping[str, Any] | None, fresh: bool, now_s: float) -> Last:
        """Takes what a wall says, and keeps when it said so and what the numbers were: an old wall shows them on."""
        last = self._last.get(wall)
        if last is None or last.shown is not shown or last.fresh != fresh:
            last = self._last[wall] = Last(shown, fresh, now_s, self._read(now_s))
        return last

    def _read(self, now_s: float) -> Numbers:
        """The present numbers as a wall has them; a wait counts on from when they were read."""
        if self._numbers is None or self._numbers[0] != self.seq:
            self._numbers = self.seq, read(self.values(now_s))
        return self._numbers[1]

    def _should(self, wall: str) -> Should:
        message = self.message(wall)
        return Should(
            str(self.scenes[wall].message["id"]),
            str(message["id"]) if message else None,
            self.lights.now[wall],
        )

    def _behind_s(self, shown: Mapping[str, Any] | None, now_s: float) -> float | None:
        return self._replaced.ago_s(shown["values_seq"], now_s) if shown else None

    def _told_of(self, should: Should) -> dict[str, Any]:
        light = should.light
        return {"scene": should.scene, "message": should.message, "percent": light.percent,
                "off_until": light.off_until}  # fmt: skip

    def _of_browsers(self, wall: str) -> dict[str, Any]:
        """A wall without a board: a browser draws what it is sent, and says nothing of it."""
        watching = self.watching(wall)
        return {
            **self._told_of(self._should(wall)), "fresh": watching > 0, "alarm": False, "todo": "",
            "reason": f"browsers that show it: {watching}" if watching else "no browser shows it",
        }  # fmt: skip


# What a wall says, as `wall/+/now` calls it → as `board/+/panel/+/shown` does.
SAYS = {
    "shown": "scene",
    "shown_message": "message",
    "shown_percent": "percent",
    "values_seq": "values_seq",
}


def number_of(queue: Queue, name: str) -> int | None:
    """One of NUMBERS for a queue; None is unknown."""
    return NUMBERS[name](queue) if queue.figures.known else None


def _told(name: str, number: int | None, at_s: int) -> int | None:
    """A number as it travels: a wait in seconds."""
    if number is None or number < 0 or not name.endswith(".wait"):
        return number
    return max(at_s - number, 0)


def _not_said(shown: Mapping[str, Any] | None) -> str:
    return "" if shown else "the wall has not said yet what it shows"
