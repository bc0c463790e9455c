"""A whole floor that is not there: callers, a PBX, and people whose hands are at real boards' pins."""

from __future__ import annotations

import asyncio
import random

import floorplan
from floorplan import Plan, SiteError
from simulator.hands import Hands
from simulator.pbx import Pbx
from simulator.people import Habits, Person

RING_LIMIT_S = 12  # after this the PBX tries somebody else
LOOK_S = 0.05  # the PBX looks for a free member this often while somebody waits


class SimulatedFloor:
    """Runs the people and the callers of one plan against one PBX, until cancelled."""

    def __init__(self, plan: Plan, pbx: Pbx, seed: int) -> None:
        self.plan = plan
        self.pbx = pbx
        self.habits = Habits(plan.simulator or floorplan.Simulator(), seed)
        self.hands = {
            board.id: Hands(board.control) for board in plan.board if board.control and board.inputs
        }
        self.people: dict[str, Person] = {}  # by extension
        self._jobs: set[asyncio.Task[None]] = set()
        self._calls_at: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Everybody comes to work; callers call."""
        self._seat()
        jobs = [self._start(hands.run()) for hands in self.hands.values()]
        jobs += [self._start(self._callers(queue.id, queue.pbx)) for queue in self.plan.queue]
        jobs += [self._start(self._distribute(queue.pbx)) for queue in self.plan.queue]
        try:
            await asyncio.gather(*jobs)
        finally:
            for job in self._jobs:
                job.cancel()

    def _seat(self) -> None:
        """One person a desk that has an extension; desks serve the queues in turn."""
        extension = {desk.id: desk.extension for desk in self.plan.desk}
        places = [(board.id, place) for board in self.plan.board for place in board.inputs if board.control]
        for number, (board, place) in enumerate(places):
            name = extension[place.desk]
            if name and self.plan.queue:
                self.people[name] = Person(place, name, self.hands[board])
                self.pbx.add_member(self.plan.queue[number % len(self.plan.queue)].pbx, name)

    async def _callers(self, queue_id: str, queue: str) -> None:
        while True:
            await asyncio.sleep(self.habits.next_call_s())
            call = self.pbx.join(queue)
            self._start(self._patience(queue, call))

    async def _patience(self, queue: str, call: int) -> None:
        await asyncio.sleep(self.habits.patience_s())
        if call in self.pbx.waiting(queue):
            self.pbx.hang_up(call)

    async def _distribute(self, queue: str) -> None:
        """The PBX's part: the caller who has waited longest gets the member who has been idle longest."""
        while True:
            await asyncio.sleep(LOOK_S)
            idle = [name for name in self.pbx.idle_members(queue) if self.people[name].here]
            for call, name in zip(self._unrung(queue), idle, strict=False):
                self._calls_at[call] = self._start(self._take(queue, call, self.people[name]))

    def _unrung(self, queue: str) -> list[int]:
        return [call for call in self.pbx.waiting(queue) if call not in self._calls_at]

    async def _take(self, queue: str, call: int, person: Person) -> None:
        """One call at one desk, from the first ring to the handset back on its hook."""
        self.pbx.ring(call, person.extension)
        person.ring()
        try:
            answered = await self._answer(queue, call, person)
        finally:
            person.quiet()
            self._calls_at.pop(call, None)
        if not answered:
            return
        await asyncio.sleep(self.habits.talk_s())
        self.pbx.hang_up(call)
        person.put_down()
        if self.habits.leaves():
            await self._break(person)
        else:
            await self._wrap_up(person)

    async def _answer(self, queue: str, call: int, person: Person) -> bool:
        slow = RING_LIMIT_S if self.habits.misses_it() else self.habits.react_s()
        end = asyncio.get_running_loop().time() + min(slow, RING_LIMIT_S)
        while asyncio.get_running_loop().time() < end:
            if call not in self.pbx.waiting(queue):
                return False  # the caller gave up
            await asyncio.sleep(LOOK_S)
        if call not in self.pbx.waiting(queue):
            return False
        if slow >= RING_LIMIT_S:
            self.pbx.no_answer(call)
            return False
        person.lift()
        self.pbx.answer(call)
        return True

    async def _wrap_up(self, person: Person) -> None:
        """A word written down, a sip of water: no call comes meanwhile."""
        person.here = False
        await asyncio.sleep(self.habits.wrap_up_s())
        person.here = True

    async def _break(self, person: Person) -> None:
        self.pbx.pause(person.extension, True)
        person.dock()
        await asyncio.sleep(self.habits.break_s())
        person.put_on()
        self.pbx.pause(person.extension, False)

    def _start(self, work) -> asyncio.Task[None]:  # type: ignore[no-untyped-def]
        job: asyncio.Task[None] = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job


async def run(plan: Plan) -> None:
    """The PBX on the site file's own AMI address, and the people. Raises SiteError without one."""
    settings = plan.pbx.asterisk
    if settings is None:
        raise SiteError("[pbx.asterisk]: is missing; the simulated PBX listens where it says")
    given = plan.simulator.seed if plan.simulator else None
    seed = random.randrange(2**32) if given is None else given
    print(f"simulator: seed {seed}", flush=True)
    pbx = Pbx(settings.user, floorplan.secret(settings.secret_file) or "", seed=seed)
    for queue in plan.queue:
        pbx.add_queue(queue.pbx)
    floor = SimulatedFloor(plan, pbx, seed)
    await asyncio.gather(pbx.serve(settings.host, settings.port), floor.run())
