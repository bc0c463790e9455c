"""A floor in virtual time: the AMI stream that somebody would have heard, and what really happened."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from floorplan import Plan, SiteError
from simulator.floor import SimulatedFloor
from simulator.manager import Recorder
from simulator.pbx import Pbx
from simulator.truth import Truth
from simulator.virtual import VirtualLoop

PIECE_S = 600.0  # virtual seconds between two writes of the stream

Figures = dict[str, dict[str, int | float | None]]  # the PBX's name of a queue → name → figure
Write = Callable[[bytes], object]
Marks = dict[str, dict[str, int]]


class Day:
    """Lives the floor of a plan from `begins_s` (Unix time) on, as far as it is told to.

    `calls`: so many callers come, and no more. `record`: False where nobody wants the stream.
    A context manager, and closed after it. Raises SiteError where the plan's names do not agree.
    """

    def __init__(self, plan: Plan, seed: int, begins_s: float, calls: int | None = None, record: bool = True):
        self.pbx = Pbx("simulator", secrets.token_hex(16), seed, clock=self._now)
        self.truth = {name: Truth(queue.target) for queue in plan.queue if (name := queue.pbx)}
        self.pbx.ended = lambda queue, how, waited_s: self.truth[queue].ended(how, waited_s)
        for name in self.truth:
            self.pbx.add_queue(name)
        self.floor = SimulatedFloor(plan, self.pbx, seed, boards=False, calls=calls)
        self._begins_s = begins_s
        self._runner = asyncio.Runner(loop_factory=VirtualLoop)
        self._loop = self._runner.get_loop()
        self._life = self._loop.create_task(self.floor.run())
        self._recorder: Recorder | None = None
        self.live(0)  # everybody takes their place
        if record:
            self._recorder = Recorder(self.pbx.manager)

    def __enter__(self) -> Day:
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.close()  # which ends the floor

    def live(self, seconds: float) -> bytes:
        """Lives on for so long and returns what was said meanwhile; at first banner, login and list too."""
        self._runner.run(self._wait(seconds))
        if not self._recorder:
            return b""
        self._recorder.ping()
        return self._recorder.take()

    def _now(self) -> float:
        return self._begins_s + self._loop.time()

    async def _wait(self, seconds: float) -> None:
        await asyncio.wait([self._life], timeout=seconds)
        if self._life.done():
            self._life.result()  # an error ends it, nothing else does

    def mark(self) -> Marks:
        """Where every queue stands, to look at what comes after."""
        return {name: truth.mark() for name, truth in self.truth.items()}

    def figures(self, since: Marks | None = None) -> Figures:
        """What really happened, from the beginning or from a mark on.

        `joined` has all who ever came; `waiting` and `oldest_wait_s` are those of now, who are in no other.
        """
        return {
            name: {"joined": self.pbx.counts[name].joined}
            | truth.figures(since[name] if since else None)
            | {"waiting": len(self.pbx.waiting(name)), "oldest_wait_s": self.pbx.oldest_wait_s(name)}
            for name, truth in self.truth.items()
        }


def live(plan: Plan, hours: float, seed: int | None, out: Write | None, every_s: float | None,
         told: Callable[[float, Figures], None]) -> tuple[Figures, int]:  # fmt: skip
    """Lives so many hours that end at the last midnight or before; `out` is given the stream.

    `told(until_s, figures)` hears of each stretch of `every_s`. Returns what really happened, and the
    seed that does it again. Raises SiteError where nobody could call.
    """
    if not plan.pbx_queues:
        raise SiteError('[[queue]]: none has a pbx = "its name there"; nobody could call')
    if seed is None:
        seed = plan.simulator.seed if plan.simulator else None
    if seed is None:
        seed = random.randrange(2**32)
    end_s, step_s, lived_s = hours * 3600, every_s or PIECE_S, 0.0
    with Day(plan, seed, begin(plan, hours), record=out is not None) as day:
        while lived_s < end_s:
            before, seconds = day.mark(), min(step_s, end_s - lived_s)
            said = day.live(seconds)
            lived_s += seconds
            if out:
                out(said)
            if every_s:
                told(lived_s, day.figures(before))
        return day.figures(), seed


def begin(plan: Plan, hours: float) -> float:
    """The Unix time of a midnight at the site, early enough for so many hours to be over by today's."""
    midnight = datetime.now(ZoneInfo(plan.site.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - timedelta(days=-(-hours // 24))).timestamp()
