"""What walls draw: a scene for each, and one message of numbers for all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from floorplan import Plan
from gateway.floor import Floor, Queue
from wallboard.compile import Compiled, compile

log = logging.getLogger(__name__)

# The numbers a wall may name after its queue's id. A `.since` is a time on the beat's clock:
# the board counts the seconds up from it, so a wait ticks without a message; -1: nobody waits.
NUMBERS: dict[str, Callable[[Queue], int | None]] = {
    "waiting": lambda queue: queue.figures.waiting,
    "since": lambda queue: (
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
        self.numbers: dict[str, int | None] = {}
        self._drawn: dict[str, list[str]] = {}  # queue → the numbers of it that some wall draws
        for wall_id, scene in self.scenes.items():
            for warning in scene.warnings:
                log.warning("wall %s: %s", wall_id, warning)
            for name in scene.numbers:
                queue = name.rsplit(".", 1)[0]
                if name not in self._drawn.setdefault(queue, []):
                    self._drawn[queue].append(name)

    def refresh(self, queues: set[str], floor: Floor) -> bool:
        """Takes the numbers of these queues; True when one of them changed, `seq` counted up."""
        before = dict(self.numbers)
        for name in queues:
            for number in self._drawn.get(name, ()):
                self.numbers[number] = number_of(floor.queues[name], number.rsplit(".", 1)[1])
        if self.numbers == before and self.seq:
            return False
        self.seq += 1
        return True

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
