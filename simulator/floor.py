"""A whole floor that is not there: callers, a PBX, and people whose hands are at real boards' pins.

Everything that happens is a timer on the event loop. The same code therefore lives in real time,
with boards, and faster than life on a virtual loop (`simulator/virtual.py`), without.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import floorplan
from floorplan import Plan, Simulator, SiteError
from simulator.arrivals import HOUR_S, Arrivals
from simulator.hands import Hands
from simulator.pbx import Pbx
from simulator.people import Habits, Person

WAITING = 50_000  # more callers than this wait in no queue: who comes then hears that it is busy


class SimulatedFloor:
    """Runs the people and the callers of one plan against one PBX, until cancelled.

    `boards`: whether people set the pins of boards; else every desk with an extension is staffed.
    `calls`: so many callers come, and no more.
    """

    def __init__(self, plan: Plan, pbx: Pbx, seed: int, boards: bool = True, calls: int | None = None):
        self.plan = plan
        self.pbx = pbx
        self.settings = plan.simulator or Simulator()
        self.queues = list(plan.pbx_queues)  # by their names at the PBX
        self.people: dict[str, Person] = {}  # by extension
        self.hands: list[Hands] = []
        self.dice = random.Random(seed)
        self._check_names()
        self._to_come = calls
        self._boards = boards
        self._habits = {
            name: Habits(self.settings.of(queue), self.dice) for name, queue in plan.pbx_queues.items()
        }
        self._free: dict[str, OrderedDict[str, Person]] = {name: OrderedDict() for name in self.queues}
        self._waiting: dict[str, list[int]] = {name: [] for name in self.queues}  # heaps, some have left
        self._patience: dict[int, asyncio.TimerHandle] = {}  # by call: when it ends
        self._reaching: dict[int, tuple[asyncio.TimerHandle, Person]] = {}  # by call: who rings

    async def run(self) -> None:
        """Everybody comes to work; callers call."""
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        began_s = self.pbx.clock()
        self._seat()
        for queue, ours in self.plan.pbx_queues.items():
            zone = self.plan.site.time_zone
            self._expect(queue, Arrivals(self.settings, ours, zone, began_s, self.dice))
        try:
            await asyncio.gather(self._failed, *(hands.run() for hands in self.hands))
        finally:
            self._failed.cancel()  # timers that are still to come do nothing

    @property
    def over(self) -> bool:
        """Whether as many have called as were to call, and all of them have ended."""
        return self._to_come == 0 and not self.pbx.calls

    def _check_names(self) -> None:
        unknown = self.settings.named() - {queue.id for queue in self.plan.queue}
        if unknown:
            raise SiteError(f"[simulator] names the queue '{min(unknown)}', but there is no such [[queue]]")

    # Desks -----------------------------------------------------------------------

    def _seat(self) -> None:
        """One person a desk that has an extension; those who join later wait at home."""
        people = self._at_boards() if self._boards else self._at_desks()
        self.people = {person.extension: person for person in people}
        theirs = {ours: name for name, ours in self.plan.pbx_queues.items()}
        starts, joins = share_out(len(people), list(theirs), self.settings)
        for queue, number in starts.items():
            for _ in range(number):
                self._come(theirs[queue], people.pop(0))
        for row, number in zip(self.settings.joins, joins, strict=True):
            late, people = people[:number], people[number:]
            self._later(row.at_h * HOUR_S, self._come_all, theirs[row.queue], late)

    def _at_desks(self) -> list[Person]:
        return [Person(desk, name, None, None, device) for desk, (name, device) in self._members().items()]

    def _members(self) -> dict[str, tuple[str, str]]:
        """Desk → (member, device) of everybody who works: where seats are not fixed, they log in by a number."""
        if self.plan.site.seating == "fixed":
            return {desk.id: (desk.extension, "") for desk in self.plan.desk if desk.extension}
        devices = [(desk.id, desk.device) for desk in self.plan.desk if desk.device]
        return {desk: (f"Local/{1001 + n}@agents", device) for n, (desk, device) in enumerate(devices)}

    def _at_boards(self) -> list[Person]:
        members = self._members()
        people = []
        for board in self.plan.board:
            if board.control and board.inputs:
                hands = Hands(board.control)
                self.hands.append(hands)
                for place in board.inputs:
                    if place.desk in members:
                        name, device = members[place.desk]
                        people.append(Person(place.desk, name, place, hands, device))
        return people

    def _come_all(self, queue: str, people: list[Person]) -> None:
        for person in people:
            self._come(queue, person)

    def _come(self, queue: str, person: Person) -> None:
        person.queue = queue
        self.pbx.add_member(queue, person.extension, person.device)
        self._expect_break(person)
        self._be_free(person)

    def _be_free(self, person: Person) -> None:
        """A desk can be rung again, unless its person has waited for this to take a break."""
        person.busy = False
        if person.break_due:
            self._break(person)
            return
        self._free[person.queue][person.extension] = person
        self._look(person.queue)

    def _expect_break(self, person: Person) -> None:
        next_s = self._habits[person.queue].next_break_s()
        if next_s < float("inf"):
            self._later(next_s, self._wish_break, person)

    def _wish_break(self, person: Person) -> None:
        if person.busy:
            person.break_due = True
        else:
            del self._free[person.queue][person.extension]
            self._break(person)

    def _break(self, person: Person) -> None:
        person.break_due = False
        if self._habits[person.queue].forgets_to_pause():
            self._slip_away(person)
            return
        person.busy = True
        self.pbx.pause(person.extension, True)
        person.dock()
        self._later(self._habits[person.queue].break_s(), self._end_break, person)

    def _end_break(self, person: Person) -> None:
        person.put_on()
        self.pbx.pause(person.extension, False)
        self._expect_break(person)
        self._be_free(person)

    def _slip_away(self, person: Person) -> None:
        """A break that the phone system is not told of: calls ring at an empty desk."""
        person.away = True
        person.dock()
        self._later(self._habits[person.queue].break_s(), self._come_back, person)
        self._be_free(person)

    def _come_back(self, person: Person) -> None:
        person.away = False
        person.put_on()
        self._expect_break(person)

    # Callers ---------------------------------------------------------------------

    def _expect(self, queue: str, arrivals: Arrivals) -> None:
        now_s = self.pbx.clock()
        self._later(arrivals.after(now_s) - now_s, self._arrive, queue, arrivals)

    def _arrive(self, queue: str, arrivals: Arrivals) -> None:
        if self._to_come == 0:
            return
        if self._to_come:
            self._to_come -= 1
        if len(self._waiting[queue]) < WAITING:
            self._queue_up(queue, self.pbx.join(queue))
        self._expect(queue, arrivals)

    def _queue_up(self, queue: str, call: int) -> None:
        habits = self._habits[queue]
        patience_s = habits.patience_s()
        if habits.timeout_s < patience_s:
            self._patience[call] = self._later(habits.timeout_s, self._give_up, call, self.pbx.time_out)
        elif patience_s < float("inf"):
            gives_up = self.pbx.leave_by_key if habits.presses_a_key() else self.pbx.hang_up
            self._patience[call] = self._later(patience_s, self._give_up, call, gives_up)
        heapq.heappush(self._waiting[queue], call)
        self._look(queue)

    def _give_up(self, call: int, gives_up: Callable[[int], bool]) -> None:
        del self._patience[call]
        gives_up(call)
        if call in self._reaching:
            hand, person = self._reaching.pop(call)
            hand.cancel()
            person.quiet()
            self._be_free(person)

    # One call at one desk, from the first ring to the handset back on its hook ----------

    def _look(self, queue: str) -> None:
        """The caller who has waited longest gets the member who has been free longest."""
        free, waiting = self._free[queue], self._waiting[queue]
        while free and waiting:
            call = heapq.heappop(waiting)
            if self.pbx.state(call) == "waiting":
                self._ring(call, free.popitem(last=False)[1])

    def _ring(self, call: int, person: Person) -> None:
        person.busy = True
        self.pbx.ring(call, person.extension)
        person.ring()
        habits = self._habits[person.queue]
        react_s = habits.react_s()
        if person.away or habits.misses_it() or react_s >= self.settings.ring_s:
            hand = self._later(self.settings.ring_s, self._miss, call, person)
        else:
            hand = self._later(react_s, self._lift, call, person)
        self._reaching[call] = hand, person

    def _miss(self, call: int, person: Person) -> None:
        del self._reaching[call]
        person.quiet()
        if self.pbx.no_answer(call):
            heapq.heappush(self._waiting[person.queue], call)  # in front again, where it was
        self._be_free(person)

    def _lift(self, call: int, person: Person) -> None:
        del self._reaching[call]
        if call in self._patience:
            self._patience.pop(call).cancel()
        if not self.pbx.answer(call):  # the phone system was restarted meanwhile
            person.quiet()
            self._be_free(person)
            return
        person.lift()
        self._later(self._habits[person.queue].talk_s(), self._end_call, call, person)

    def _end_call(self, call: int, person: Person) -> None:
        others = [queue for queue in self.queues if queue != person.queue]
        if others and self._habits[person.queue].passes_it_on():
            queue = self.dice.choice(others)
            again = self.pbx.transfer(call, queue)
            if again:
                self._queue_up(queue, again)
        else:
            self.pbx.hang_up(call)
        person.put_down()
        self._later(self._habits[person.queue].wrap_up_s(), self._be_free, person)

    # Time ------------------------------------------------------------------------

    def _later(self, seconds: float, do: Callable[..., None], *what: Any) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, self._do, do, what)

    def _do(self, do: Callable[..., None], what: tuple[Any, ...]) -> None:
        """An error ends the floor; the event loop alone would only print it."""
        if self._failed.done():
            return
        try:
            do(*what)
        except Exception as error:
            self._failed.set_exception(error)


def share_out(desks: int, queues: list[str], settings: Simulator) -> tuple[dict[str, int], list[int]]:
    """How many desks serve each queue from the start, and how many come with each row of `joins`.

    Where more are asked for than there are, everybody gets the same share of it.
    """
    asked = {queue: own.desks for queue, own in settings.queue.items() if own.desks is not None}
    late = [row.desks for row in settings.joins]
    wanted = sum(asked.values()) + sum(late)
    if wanted > desks:
        asked = {queue: number * desks // wanted for queue, number in asked.items()}
        late = [number * desks // wanted for number in late]
    rest = desks - sum(asked.values()) - sum(late)
    open_to_all = [queue for queue in queues if queue not in asked]
    for place, queue in enumerate(open_to_all):
        asked[queue] = (rest - place + len(open_to_all) - 1) // len(open_to_all)
    return {queue: asked[queue] for queue in queues}, late


async def run(plan: Plan) -> None:
    """The PBX on the site file's own AMI address, and the people. Raises SiteError without one."""
    settings = plan.pbx.asterisk
    if settings is None:
        raise SiteError("[pbx.asterisk]: is missing; the simulated PBX listens where it says")
    given = plan.simulator.seed if plan.simulator else None
    seed = random.randrange(2**32) if given is None else given
    print(f"simulator: seed {seed}", flush=True)
    pbx = Pbx(settings.user, floorplan.secret(settings.secret_file) or "", seed=seed)
    for queue in plan.pbx_queues:
        pbx.add_queue(queue)
    floor = SimulatedFloor(plan, pbx, seed)
    await asyncio.gather(pbx.serve(settings.host, settings.port), floor.run())
