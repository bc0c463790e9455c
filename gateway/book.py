"""What the queues count, brought to the store: what was kept is given back at the start, and batches go out.

The figures run on a monotonic clock, the store on the calendar; this file alone knows both. Until
the machine's clock is to be believed the totals wait here, and the page says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from floorplan import Plan
from gateway import walltime
from gateway.days import QUARTER_S, Calendar
from gateway.floor import Floor
from gateway.queues.figures import Ledger, QueueFigures
from gateway.queues.totals import LONGEST, Totals
from gateway.store import SALT_BYTES, Batch, KeptMessage, Store, StoreError

log = logging.getLogger(__name__)

COMMIT_S = 0.25  # calls that ended are committed within this
SEEN_S = 15.0  # and the time seen, where nothing happens, this often: it spares the card
WAIT_S = 3.0  # at the start: the gateway before us may have been killed a moment ago, and not have gone yet
AGAIN_S = 5.0  # a store that failed is tried again after this
GAPS_S = 60.0  # gaps are looked up this often, and the clock: one that goes on grows on the page
FORGET_S = 3600.0  # what is too old is thrown away this often
WAITED_S = 24 * 3600.0  # one who waited longer ago than this is not there any more
ASK_S = 2.0  # whether the clock may be believed is asked this often, until it may
COUNTS_MOST = 10_000  # counts of a queue that wait one by one; beyond that they are added up
FOLDS_S = (60.0, 900.0, 86_400.0)  # by the minute, for hours; by the quarter, for days; by the day

# (queue, call, key, since) of who waited, marks by queue, the salt, what stood on the walls
Reminder = tuple[list[tuple[str, int, bytes, float]], dict[str, str], bytes, list[KeptMessage]]


@dataclass(frozen=True, slots=True)
class State:
    """How the keeping goes: `kept`, `waits` for the clock, or `failed`; and why, in words."""

    state: str
    reason: str = ""


class Book:
    """Keeps the figures of one floor. `changed` is called when `state` or `day` has changed.

    `clock` is the gateway's monotonic clock, `wall` epoch seconds.
    """

    def __init__(
        self,
        plan: Plan,
        floor: Floor,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
        changed: Callable[[], None] = lambda: None,
    ):
        self.calendar = Calendar(plan.site.time_zone, plan.site.day_begins, plan.site.hours)
        self.state = State("waits", "not started")
        self.day: date | None = None  # whose totals the figures show; None: nobody knows the day
        self.store: Store | None = None
        self.doubt = ""  # why the clock is to be believed no more, though it was; empty: it is
        self.gaps: dict[str, list[dict[str, Any]]] = {}  # queue → today's stretches that nobody saw
        self.marks: Callable[[], dict[str, str]] = dict  # queue → what its source wants kept with the counts
        # What supervisors tell on the walls, where that has changed; None: it has not.
        self.messages: Callable[[], list[KeptMessage] | None] = lambda: None
        # Told what stood on the walls by a file that could not be read at the start.
        self.found_messages: Callable[[list[KeptMessage]], None] = lambda kept: None
        self._plan = plan
        self._floor = floor
        self._clock = clock
        self._wall = wall
        self._changed = changed
        self._batch = Batch()
        self._stirred = asyncio.Event()
        self._waiters: list[asyncio.Future[None]] = []
        self._forgot_s = self._asked_s = float("-inf")
        self._gaps_s = float("-inf")  # when the gaps were last looked up
        self._doubted_s = float("-inf")  # when the clock that was believed was last looked at
        self._sure = False  # the clock is to be believed
        self._steps = walltime.Steps()
        self._offset_s = 0.0  # wall less monotonic, when it was first believed
        # Who waited, marks, salt and messages, as they stood in the file when this gateway started.
        self._reminder: Reminder = [], {}, secrets.token_bytes(SALT_BYTES), []
        self._gone: list[tuple[str, QueueFigures]] = []  # queues that went before the clock was to be believed
        # Who waits in a file that could not be read at the start, or in a queue that went while nobody looked.
        self._strangers: list[tuple[str, int]] = []
        self._one_by_one = asyncio.Lock()  # commits
        self._writer = ThreadPoolExecutor(1, "store")  # a card may take its time; one commit after another
        self._open()

    # The start -------------------------------------------------------------------

    def _open(self) -> None:
        """Opens the store, and gives the figures their day so far. What fails here is said, not raised.

        To begin without the file would cost much: who waits in it would not be known again.
        """
        now_s, wall_s = self._clock(), self._wall()
        try:
            self.store, self._reminder = self._opened(WAIT_S)
            rows = self._reminder[0]
            self._strangers = [(queue, call) for queue, call, _, _ in rows if queue not in self._floor.queues]
        except StoreError as error:
            self._fail(error)
        try:
            self._believe(self._why_not(wall_s), now_s, wall_s)
            if self._sure:
                today = self.calendar.day(wall_s)
                self._begin_day(today, wall_s - now_s, self._kept_of(today))
        except StoreError as error:
            self._fail(error)

    def _opened(self, wait_s: float = 0.0) -> tuple[Store, Reminder]:
        """The store and what stands in it. Raises StoreError."""
        assert self._plan.history.path
        store = Store(self._plan.history.path, self.calendar, self._plan.history, wait_s)
        try:
            return store, (store.waiting(), store.marks(), store.salt(), store.messages())
        except StoreError:
            store.close()
            raise

    async def _open_late(self) -> None:
        """The file could not be used at the start; perhaps it can now. Raises StoreError.

        Who waits in it came before this start, and nobody saw their end.
        """
        self.store, (rows, _, _, messages) = await self._off_the_loop(self._opened)
        self.found_messages(messages)
        self._strangers = [(queue, call) for queue, call, _, _ in rows]
        self._sure, self.day, self._asked_s = False, None, float("-inf")  # held against this file, once more
        self._say(State("waits", "the file of totals can be used again"))

    def remembered(self) -> list[tuple[str, int, bytes, float]]:
        """(queue, call, key, since_s) of all who waited when the gateway was last here."""
        now_s, wall_s = self._clock(), self._wall()
        return [
            (queue, call, key, now_s - min(max(0.0, wall_s - since), WAITED_S))
            for queue, call, key, since in self._reminder[0]
            if queue in self._floor.queues
        ]

    def marks_and_salt(self) -> tuple[dict[str, str], bytes]:
        """What each queue's source wants to be reminded of, and what makes its keys; made up where nothing is kept."""
        return self._reminder[1:3]

    def kept_messages(self) -> list[KeptMessage]:
        """What stood on the walls when the gateway was last here, the oldest first; some may be over."""
        return self._reminder[3]

    # Another plan ----------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def day_of(self, queues: Collection[str]) -> AsyncIterator[dict[str, Totals]]:
        """What is kept of this day of queues that begin to be counted: for `follow`, nothing is committed meanwhile.

        Raises StoreError.
        """
        async with self._one_by_one:
            if self.day is None or not self.store:
                yield {}
                return
            yield cast(dict[str, Totals], await self._off_the_loop(self._days_kept, self.store, self.day, queues))

    @staticmethod
    def _days_kept(store: Store, day: date, queues: Collection[str]) -> dict[str, Totals]:
        return {name: store.day(name, day) for name in queues}

    def follow(self, plan: Plan, floor: Floor, kept: Mapping[str, Totals]) -> None:
        """Counts the queues of another floor from now on; those in `kept` begin, with what is kept of their day."""
        offset_s = self._wall() - self._clock()
        if self._sure:
            self._gather(offset_s)  # of queues that are no more, too
        else:  # what they have counted waits for the clock
            self._batch.marks |= self.marks()
            self._gone += [(name, old.figures) for name, old in self._floor.queues.items()
                           if floor.queues.get(name) is not old]  # fmt: skip
        if plan.site.hours != self._plan.site.hours:
            site = plan.site
            self.calendar = Calendar(site.time_zone, site.day_begins, site.hours)
            if self.store:
                self.store.calendar = self.calendar
        self._plan, self._floor = plan, floor
        self.gaps = {name: gaps for name, gaps in self.gaps.items() if name in floor.queues}
        if self.day is not None:
            for name in kept:
                self._begin_queue(name, self.calendar.day_bounds(self.day)[0], offset_s, kept[name])

    # While it runs ---------------------------------------------------------------

    def stir(self) -> None:
        """Something has been counted."""
        self._stirred.set()

    async def saved(self) -> None:
        """Returns when all that was counted before this call is committed; at once where nothing can be.

        Raises StoreError where the store refuses it.
        """
        if self.state.state == "waits" or not self.store:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self.stir()
        await waiter

    async def kept(self) -> bool:
        """As `saved`, but says whether it is committed: False where it cannot be at the moment."""
        try:
            await self.saved()
        except StoreError:
            return False
        return self.state.state == "kept"

    async def run(self) -> None:
        """Commits until cancelled."""
        while True:
            self._stirred.clear()
            await asyncio.shield(asyncio.create_task(self.commit()))  # cancelled: `close` waits for its end
            failed = self.state.state == "failed"
            await asyncio.sleep(AGAIN_S if failed else COMMIT_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rest_s()):
                    await self._stirred.wait()

    def _rest_s(self) -> float:
        """Until the time seen is due, and never past the end of a quarter."""
        wall_s = self._wall()
        return max(0.0, min(SEEN_S - COMMIT_S, self.calendar.quarter(wall_s) + QUARTER_S - wall_s))

    async def commit(self) -> None:
        """Brings everything counted so far to the store. What it refuses is kept for the next time."""
        async with self._one_by_one:
            now_s, wall_s = self._clock(), self._wall()
            waiters, self._waiters = self._waiters, []
            error: Exception | None = StoreError("the gateway ends")
            try:
                await self._keep(now_s, wall_s)
                error = None
            except StoreError as refused:
                error = refused
                self._fail(refused)
            except Exception as broken:
                error = broken
                raise
            finally:
                self._fold()
                for waiter in waiters:
                    if not waiter.done():
                        waiter.set_exception(error) if error else waiter.set_result(None)

    async def close(self) -> None:
        """One last commit. Nothing may be counted after it."""
        try:
            await self.commit()
        finally:
            if self.store:
                await self._off_the_loop(self.store.close)
                self.store = None
            self._writer.shutdown()

    async def _off_the_loop(self, work: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, *args)

    async def _keep(self, now_s: float, wall_s: float) -> None:
        """Everything that has to be before a commit, and the commit. Raises StoreError."""
        for queue in self._floor.queues.values():
            queue.figures.tick(now_s)
        if not self._sure:
            if self.state.state == "waits" and now_s - self._asked_s < ASK_S:
                return
            self._asked_s = now_s
            self._believe(await self._off_the_loop(self._why_not, wall_s), now_s, wall_s)
            if not self._sure:
                return
        if self._strangers and self.store:
            await self._off_the_loop(self.store.commit, self._farewell(wall_s))
            self._strangers = []
        today = self.calendar.day(wall_s)
        if today != self.day:
            self._begin_day(today, wall_s - now_s, await self._off_the_loop(self._kept_of, today))
        self._look_at_clock(now_s, wall_s)
        if self.store:
            await self._write(self.store, wall_s, wall_s - now_s)
            await self._tidy(self.store, now_s, wall_s)
        else:
            await self._open_late()

    def _look_at_clock(self, now_s: float, wall_s: float) -> None:
        """Whether the clock that was believed still may be: asked of nobody but itself, so that no disk is in the way.

        A time service that lost its network for hours has set it once all the same.
        """
        if now_s - self._doubted_s < GAPS_S:
            return
        self._doubted_s = now_s
        doubt = walltime.why_not("trusted", wall_s, None) or self._steps.look(now_s, wall_s)
        if doubt != self.doubt:
            self.doubt = doubt
            self._changed()

    async def _write(self, store: Store, wall_s: float, offset_s: float) -> None:
        self._gather(offset_s)
        batch, self._batch = self._batch, Batch()
        batch.at_s = wall_s
        try:
            await self._off_the_loop(store.commit, batch)
        except Exception:
            self._batch = merged(batch, self._batch)
            raise
        self._say(State("kept"))

    async def _tidy(self, store: Store, now_s: float, wall_s: float) -> None:
        """What is due now and then. Where it fails, what has been committed still is."""
        try:
            if now_s - self._forgot_s > FORGET_S:
                self._forgot_s = now_s
                # A clock that has jumped ahead meanwhile throws nothing away.
                await self._off_the_loop(store.forget, min(wall_s, now_s + self._offset_s))
            if now_s - self._gaps_s >= GAPS_S:
                self._gaps_s = now_s
                self.gaps = await self._off_the_loop(self._gaps_of, store, wall_s)
                self._changed()
        except StoreError as error:
            self._fail(error)

    def _farewell(self, wall_s: float) -> Batch:
        """Who waits in the file and is no more to be found."""
        batch = Batch(went=self._strangers, at_s=wall_s)
        for queue, _ in self._strangers:
            put(batch, queue, self.calendar.quarter(wall_s), "vanished", 1)
        return batch

    def _gather(self, offset_s: float) -> None:
        """What the ledgers hold, by queue and quarter, into the batch. `offset_s`: wall less monotonic."""
        batch = Batch(marks=self.marks(), messages=self.messages())
        gone, self._gone = self._gone, []
        for name, figures in [*gone, *self._figures()]:
            ledger = figures.ledger
            if ledger is None:
                continue
            figures.ledger = Ledger()
            for at_s, what, amount in ledger.counts:
                put(batch, name, self.calendar.quarter(at_s + offset_s), what, amount)
            for call, (key, since_s) in ledger.came.items():
                batch.came.append((name, call, key, since_s + offset_s))
            batch.went += [(name, call) for call in ledger.went]
            if figures.lacks:
                batch.untold |= {key: figures.lacks for key in batch.counts if key[0] == name}
        self._batch = merged(self._batch, batch)

    def _figures(self) -> Iterator[tuple[str, QueueFigures]]:
        return ((name, queue.figures) for name, queue in self._floor.queues.items())

    # The clock and the day -------------------------------------------------------

    def _why_not(self, wall_s: float) -> str:
        """Why the clock is not to be believed; empty: it is. Reads the disk."""
        newest_s = self.store.newest_s() if self.store else None
        return walltime.why_not(self._plan.site.clock, wall_s, newest_s)

    def _believe(self, why_not: str, now_s: float, wall_s: float) -> None:
        if why_not:
            self._say(State("waits", why_not))
            return
        self._sure, self._offset_s = True, wall_s - now_s
        if self.state.state == "waits":
            self._say(State("kept"))

    def _kept_of(self, day: date) -> dict[str, Totals]:
        """What the store has of a day. Reads the disk."""
        return {name: self.store.day(name, day) if self.store else Totals() for name in self._floor.queues}

    def _begin_day(self, today: date, offset_s: float, kept: dict[str, Totals]) -> None:
        """The figures count this day from here on: what is kept of it, and what is not committed yet."""
        begins_s, _ = self.calendar.day_bounds(today)
        for name in self._floor.queues:  # one may have come since `kept` was read
            self._begin_queue(name, begins_s, offset_s, kept.get(name) or Totals())
        self.day = today
        self._changed()

    def _begin_queue(self, name: str, begins_s: float, offset_s: float, totals: Totals) -> None:
        queue = self._floor.queues[name]
        for (where, quarter), amounts in self._batch.counts.items():
            if where == name and quarter >= begins_s:
                for what, amount in amounts.items():
                    totals.add(what, amount)
        for figures in [*(figures for of, figures in self._gone if of == name), queue.figures]:
            for at_s, what, amount in figures.ledger.counts if figures.ledger else ():
                if at_s + offset_s >= begins_s:
                    totals.add(what, amount)
        queue.figures.begin_day(begins_s - offset_s, totals)
        self._floor.touched.queues.add(name)

    def _fold(self) -> None:
        """Counts that wait for the clock or the file are added up, the longer the coarser: memory has an end."""
        for _, figures in [*self._gone, *self._figures()]:
            ledger = figures.ledger
            if ledger and len(ledger.counts) > COUNTS_MOST:
                for fold_s in FOLDS_S:
                    ledger.counts = folded(ledger.counts, fold_s)
                    if len(ledger.counts) <= COUNTS_MOST / 2:
                        break

    def _fail(self, error: StoreError) -> None:
        self._say(State("failed", str(error)))

    def _say(self, state: State) -> None:
        if state != self.state:
            if state.reason:
                log.warning("history: %s", state.reason)
            self.state = state
            self._changed()

    # What the page is told -------------------------------------------------------

    def _gaps_of(self, store: Store, wall_s: float) -> dict[str, list[dict[str, Any]]]:
        assert self.day
        begins_s, _ = self.calendar.day_bounds(self.day)
        iso = self.calendar.iso
        return {
            name: [
                # A gap of seconds ends a minute later: "between 03:45 and 03:46".
                {"from": iso(from_s)[11:16], "to": iso(max(to_s, from_s + 60))[11:16], "unseen_s": round(unseen_s)}
                for from_s, to_s, unseen_s in store.gaps(name, begins_s, wall_s)
            ]
            for name in self._floor.queues
        }

    def calendar_s(self) -> float | None:
        """Epoch seconds by this computer's clock; None while nobody knows whether it is right."""
        return self._wall() if self._sure else None

    def is_open(self) -> bool | None:
        """Whether the house is open now; None while nobody knows the time."""
        return self.calendar.is_open(self._wall()) if self.day else None


def put(batch: Batch, queue: str, quarter: int, what: str, amount: float) -> None:
    """One more count into a batch."""
    amounts = batch.counts.setdefault((queue, quarter), {})
    before = amounts.get(what, 0.0)
    amounts[what] = max(before, amount) if what in LONGEST else before + amount


def folded(counts: list[tuple[float, str, float]], fold_s: float) -> list[tuple[float, str, float]]:
    """Counts of a ledger added up by stretches of time, each at the beginning of its own."""
    sums: dict[tuple[float, str], float] = {}
    for at_s, what, amount in counts:
        key = (at_s // fold_s * fold_s, what)
        before = sums.get(key, 0.0)
        sums[key] = max(before, amount) if what in LONGEST else before + amount
    return [(at_s, what, amount) for (at_s, what), amount in sums.items()]


def merged(first: Batch, then: Batch) -> Batch:
    """Two batches as one, the first of them first; of who came in one and went in the other nothing is left."""
    for (queue, quarter), amounts in then.counts.items():
        for what, amount in amounts.items():
            put(first, queue, quarter, what, amount)
    both = {(queue, call) for queue, call, _, _ in first.came}.intersection(then.went)
    first.came = [row for row in first.came if row[:2] not in both] + then.came
    first.went += [row for row in then.went if row not in both]
    first.marks |= then.marks
    if then.messages is not None:
        first.messages = then.messages
    for key, names in then.untold.items():
        first.untold[key] = first.untold.get(key, frozenset()) | names
    return first
