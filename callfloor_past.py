"""A past for a floor that is not there: its people live a day of last week, yesterday and today so far in virtual time.

What they counted goes into the file of totals before the gateway opens it, so that the plots of a floor for trying
have something behind them. Only a simulated floor can have such a past, and only a file that is new.
"""

from __future__ import annotations

import contextlib
import datetime as dt

from floorplan import Plan, SiteError
from gateway.book import put
from gateway.days import QUARTER_S, Calendar
from gateway.floor import untold
from gateway.store import Batch, Store
from simulator.day import Day

DAYS_AGO = (7, 1, 0)  # what a day is looked at beside
CALLS_MOST = 100_000  # a day
STEP_S = 60  # how often it is looked who talks
SEED = 465

# How a wait ended, as the simulated phone system calls it → the name of Totals that its AMI lets a gateway tell.
ENDS = {"answered": "answered", "abandoned": "abandoned", "timed_out": "abandoned", "left": "left"}


def write(plan: Plan, now_s: float) -> bool:
    """Fills a plan's file of totals with DAYS_AGO, until `now_s` (epoch seconds).

    A file that is there already is left as it is, and the answer is False. Raises SiteError for a floor that is no
    simulated one, or has too many calls for this to be quick; StoreError.
    """
    path = plan.history.path
    if not plan.simulator:
        raise SiteError("--past: the site file has no [simulator]; a real floor's past is its own")
    if calls_a_day(plan) > CALLS_MOST:
        raise SiteError(f"--past: {calls_a_day(plan):.0f} calls a day take too long to live, more than {CALLS_MOST} do")
    if path is None or path.exists():
        return False
    calendar = Calendar(plan.site.time_zone, plan.site.day_begins, plan.site.hours)
    today = calendar.day(now_s)
    with contextlib.closing(Store(path, calendar, plan.history)) as kept:
        for ago in DAYS_AGO:
            begins_s, ends_s = calendar.day_bounds(today - dt.timedelta(days=ago))
            ends_s = min(ends_s, int(now_s))
            if ends_s > begins_s:
                kept.commit(lived(plan, begins_s, ends_s, SEED + ago))
    return True


def calls_a_day(plan: Plan) -> float:
    """How many calls come to all queues of a simulated floor in a day, on average."""
    assert plan.simulator
    an_hour = 60 * plan.simulator.calls_per_minute
    named = (plan.simulator.queue.get(queue.id) for queue in plan.queue if queue.pbx)
    return 24 * sum(own.calls_per_hour if own and own.calls_per_hour else an_hour for own in named)


def lived(plan: Plan, begins_s: int, ends_s: int, seed: int) -> Batch:
    """What is counted on this floor from a quarter of an hour on until `ends_s`. The same seed is the same life."""
    batch = Batch(at_s=float(ends_s))
    named = {queue.pbx: queue for queue in plan.queue if queue.pbx}
    quarter = begins_s

    def count(name: str, what: str, amount: float = 1) -> None:
        put(batch, named[name].id, quarter, what, amount)

    def ended(name: str, how: str, waited_s: float) -> None:
        target = named[name].target
        count(name, ENDS[how])
        count(name, "longest_wait_s", waited_s)
        if how == "answered":
            count(name, "answered_wait_s", waited_s)
            count(name, "answered_within", waited_s <= target.within_s)
        elif how != "left":
            count(name, "lost_within", waited_s <= target.within_s)
            count(name, "lost_short", waited_s <= target.short_abandon_s)

    with Day(plan, seed, begins_s, record=False) as day:
        day.pbx.ended = ended
        before = dict.fromkeys(named, (0, 0))
        for quarter in range(begins_s, ends_s, QUARTER_S):
            length_s = min(QUARTER_S, ends_s - quarter)
            for begun_s in range(0, length_s, STEP_S):
                step_s = min(STEP_S, length_s - begun_s)
                day.live(step_s)
                for name in named:
                    count(name, "handling_s", day.pbx.busy_members(name) * step_s)
                    count(name, "available_s", len(day.pbx.idle_members(name)) * step_s)
            for name, queue in named.items():
                counts = day.pbx.counts[name]
                joined, completed = counts.joined, counts.completed
                count(name, "joined", joined - before[name][0])
                count(name, "completed", completed - before[name][1])
                count(name, "talk_s", (completed - before[name][1]) * _talk_s(plan, queue.id))
                count(name, "seen_s", length_s)
                before[name] = joined, completed
        for name in named:  # nobody sees what becomes of these
            count(name, "vanished", len(day.pbx.waiting(name)))
    lacks = {queue.id: untold(queue) for queue in named.values()}
    batch.untold |= {key: lacks[key[0]] for key in batch.counts}
    return batch


def _talk_s(plan: Plan, queue: str) -> float:
    assert plan.simulator
    own = plan.simulator.queue.get(queue)
    return own.talk_s if own and own.talk_s else plan.simulator.talk_s
