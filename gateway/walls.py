"""What walls draw: a scene for each, and one message of numbers for all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from firmware import values
from floorplan import Plan
from gateway.floor import Floor, Queue
from wallboard import numbers
from wallboard.compile import Compiled, compile

log = logging.getLogger(__name__)

# The numbers of a queue that walls draw, by wallboard/numbers.py's names. A wait is told as the moment
# since when somebody waits, and goes out as seconds; -1: nobody does. None: unknown.
NUMBERS: dict[str, Callable[[Queue], int | None]] = {
    "waiting": lambda queue: queue.figures.waiting,
    "wait": lambda queue: (
        int(queue.figures.oldest_since_s) if queue.figures.oldest_since_s is not None else -1
    ),
    "free": lambda queue: queue.counts["free"] if queue.desks_known else None,
}


class Walls:
    """All walls of a site. Scenes are compiled once, from the site file."""

    def __init__(self, plan: Plan) -> None:
        self.scenes: dict[str, Compiled] = {wall.id: compile(wall, plan) for wall in plan.wall}
        self.panels: dict[str, tuple[str, int]] = {}  # wall → its board and panel there
        for board in plan.board:
            for number, wall in enumerate(plan.walls_of(board.id)):
                self.panels[wall.id] = (board.id, number)
        self.seq = 0
        self._order = numbers.order(plan)
        self._of = numbers.of(self._order)
        self._known: dict[str, int | None] = dict.fromkeys(self._order)
        for wall_id, scene in self.scenes.items():
            for warning in scene.warnings:
                log.warning("wall %s: %s", wall_id, warning)

    def refresh(self, queues: set[str], floor: Floor) -> bool:
        """Takes the numbers of these queues; True when one of them changed, `seq` counted up."""
        before = dict(self._known)
        for name in queues:
            for what in numbers.PER_QUEUE:
                if f"{name}.{what}" in self._known:
                    self._known[f"{name}.{what}"] = number_of(floor.queues[name], what)
        if self._known == before and self.seq:
            return False
        self.seq += 1
        return True

    def values(self, now_s: float) -> dict[str, Any]:
        """The fields of `values`, but for the gateway's boot."""
        at_s = int(now_s)
        words = [values.word_of(_told(name, number, at_s), 0) for name, number in self._known.items()]
        return {"of": self._of, "seq": self.seq, "at_s": at_s, "n": " ".join(words)}

    def verdict(self, wall: str, floor: Floor, now_s: float) -> dict[str, Any]:
        """The fields of `wall/+/now`: what it should show beside what it says it shows."""
        scene = str(self.scenes[wall].message["id"])
        shown = floor.shown.get(wall, {})
        state, why = floor.presence(self.panels[wall][0], now_s)
        fresh = bool(shown.get("fresh")) and state == "ready" and shown.get("scene") == scene
        return {
            "scene": scene,
            "shown": shown.get("scene"),
            "values_seq": shown.get("values_seq"),
            "fresh": fresh,
            "reason": "" if fresh else _why_not(shown, scene, state, why)[:160],
        }


def _why_not(shown: dict[str, Any], scene: str, state: str, why: str) -> str:
    if state != "ready":
        return why
    if not shown:
        return "the wall has not said yet what it shows"
    if shown.get("scene") != scene:
        return "the wall shows another scene than it should"
    return "the wall waits for a beat to prove its figures"


def number_of(queue: Queue, name: str) -> int | None:
    """One of NUMBERS for a queue; None is unknown."""
    return NUMBERS[name](queue) if queue.figures.known else None


def _told(name: str, number: int | None, at_s: int) -> int | None:
    """A number as it travels: a wait in seconds."""
    if number is None or number < 0 or not name.endswith(".wait"):
        return number
    return max(at_s - number, 0)
