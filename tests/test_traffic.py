"""The simulated traffic: chance as it should be, Erlang's formula met, the same figures on both sides of the AMI."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import random
import re
import statistics
import subprocess
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import floorplan
from floorplan import SiteError, Target
from gateway import erlang
from gateway.queues import events
from gateway.queues.ami import Blocks
from gateway.queues.figures import QueueFigures
from gateway.queues.translate import GRACE_S, Adapter
from simulator.arrivals import Arrivals
from simulator.bulk import Bulk
from simulator.day import Day
from simulator.floor import SimulatedFloor, share_out
from simulator.pbx import Pbx
from simulator.resize import lines, resize
from simulator.truth import FORMULAS, Truth
from simulator.virtual import VirtualLoop
from tests.ami_feed import blocks
from tests.forks import finished

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
BEGAN_S = 1_770_000_000.0  # a Monday, 02:40 UTC
HOUR_S = 3600


@pytest.fixture
def seed() -> int:
    """Another one each time; the same again by putting the printed one here."""
    drawn = random.randrange(2**32)
    print("seed", drawn)
    return drawn


def plan_of(queues: list[str], desks: int, **simulator: Any) -> floorplan.Plan:
    """A site of nothing but queues, desks and a simulator."""
    tables = {
        "site": {"id": "test"},
        "queue": [{"id": queue, "name": queue, "pbx": queue} for queue in queues],
        "simulator": simulator,
    }
    return floorplan.check(resize(tables, desks), "the test", Path())


def chi_square_bounds(freedom: int) -> tuple[float, float]:
    """Where a chi-square is with a chance of all but one in a million (Wilson and Hilferty's approximation)."""
    spread = 2 / (9 * freedom)
    low, high = (freedom * max(0.0, 1 - spread + z * math.sqrt(spread)) ** 3 for z in (-4.9, 4.9))
    return low, high


# Virtual time ----------------------------------------------------------------------


def test_virtual_time_runs_timers_in_order_each_at_its_own_time() -> None:
    async def live() -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def sleeper(name: str, *naps: float) -> None:
            for nap in naps:
                await asyncio.sleep(nap)
                seen.append((name, asyncio.get_running_loop().time()))

        await asyncio.gather(sleeper("a", 5, 86_400), sleeper("b", 3, 3, 0.5))
        return seen

    began = time.monotonic()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(live()) == [("b", 3), ("a", 5), ("b", 6), ("b", 6.5), ("a", 86_405)]
        with pytest.raises(RuntimeError, match="nothing more will happen"):
            runner.run(asyncio.Event().wait())
    assert time.monotonic() - began < 2


# Arrivals --------------------------------------------------------------------------

BY_HOUR = [0, 0, 0, 0, 1, 2, 4, 9, 16, 19, 19, 18, 16, 17, 17, 16, 14, 12, 10, 8, 6, 4, 2, 1]


@pytest.mark.parametrize(("by_hour", "times"), [(BY_HOUR, 3), ([1] * 24, 1)])
def test_callers_come_as_a_poisson_process_whose_rate_goes_with_the_hour_and_with_surges(
    by_hour: list[int], times: int, seed: int
) -> None:
    surges = [{"queue": "a", "from_h": 100, "to_h": 124, "times": times}] if times > 1 else []
    settings = floorplan.Simulator.model_validate({
        "queue": {"a": {"calls_per_hour": 120, "by_hour": by_hour}},
        "surges": [*surges, {"queue": "b", "from_h": 0, "to_h": 999, "times": 9}],
    })  # fmt: skip
    midnight = 1_769_990_400  # UTC
    arrivals = Arrivals(settings, "a", "UTC", midnight, random.Random(seed))
    bin_s, bins = 360, 40 * 240  # 40 days
    came = [0] * bins
    at_s = float(midnight)
    while (at_s := arrivals.after(at_s)) < midnight + bins * bin_s:
        came[int((at_s - midnight) // bin_s)] += 1
    hours = [place * bin_s // HOUR_S for place in range(bins)]

    def expected(hour: int) -> float:
        surge = times if 100 <= hour < 124 else 1
        return 120 * by_hour[hour % 24] / (sum(by_hour) / 24) * surge * bin_s / HOUR_S

    mean = [expected(hour) for hour in hours]
    assert not any(n for n, mu in zip(came, mean, strict=True) if mu == 0)
    # As many as there should be in every hour of the day, and in the surge.
    for group_of in ([hour % 24 for hour in hours], [int(100 <= hour < 124) for hour in hours]):
        groups = [[0.0, 0.0] for _ in range(24)]
        for group, n, mu in zip(group_of, came, mean, strict=True):
            groups[group][0] += n
            groups[group][1] += mu
        pairs = [(n, mu) for n, mu in groups if mu]
        distance = sum((n - mu) ** 2 / mu for n, mu in pairs)
        assert distance < chi_square_bounds(len(pairs))[1], (distance, pairs)
    # As scattered as chance is: neither on a clock nor in clumps. (Bins with at least five expected.)
    full = [(n, mu) for n, mu in zip(came, mean, strict=True) if mu >= 5]
    low, high = chi_square_bounds(len(full))
    assert low < sum((n - mu) ** 2 / mu for n, mu in full) < high
    # And what came in one bin says nothing of the next.
    off = [(n - mu) / math.sqrt(mu) for n, mu in full]
    assert abs(sum(a * b for a, b in itertools.pairwise(off))) < 4.9 * math.sqrt(len(off))


def test_the_hours_are_those_of_the_sites_clock_in_summer_too() -> None:
    only_eight = [0.0] * 24
    only_eight[8] = 1
    settings = floorplan.Simulator.model_validate({"calls_per_minute": 1, "by_hour": only_eight})
    arrivals = Arrivals(settings, "a", "Europe/Oslo", 0, random.Random(1))
    winter, summer = "2026-01-09T07:00+00:00", "2026-07-08T06:00+00:00"  # eight in Oslo
    for eight in (datetime.fromisoformat(text).timestamp() for text in (winter, summer)):
        assert arrivals.per_s(eight - 1) == arrivals.per_s(eight + HOUR_S) == 0
        assert arrivals.per_s(eight) == arrivals.per_s(eight + HOUR_S - 1) == pytest.approx(24 / 60)


# Erlang's formula ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls_per_hour", "aht_s", "desks", "hours"), [(200, 180, 13, 12), (40, 300, 5, 50)]
)
def test_a_settled_queue_waits_as_long_as_erlang_says(
    calls_per_hour: float, aht_s: float, desks: int, hours: float, seed: int
) -> None:
    """Many days of their own seeds are independent of each other, so their spread tells the error of their mean."""
    days, warm_h = 25, 1.5
    plan = plan_of(
        ["a"], desks, calls_per_minute=calls_per_hour / 60, talk_s=aht_s, patience_s=math.inf, react_s=0,
        wrap_up_s=0, ring_no_answer=0, pauses_per_hour=0,
    )  # fmt: skip
    load = calls_per_hour / HOUR_S * aht_s
    found: dict[str, list[float]] = {"asa_s": [], "service_level": []}
    for number in range(days):
        with Day(plan, seed + number, BEGAN_S, record=False) as day:
            day.live(warm_h * HOUR_S)
            warm = day.mark()
            day.live(hours * HOUR_S)
            row = day.figures(warm)["a"]
            for name, values in found.items():
                values.append(row[name] or 0.0)
    level = erlang.service_level(load, desks, 20, aht_s)
    truth = {"asa_s": erlang.asa_s(load, desks, aht_s), "service_level": level}
    for name, values in found.items():
        mean, error = statistics.mean(values), statistics.stdev(values) / math.sqrt(days)
        print(f"{name}: Erlang {truth[name]:.4f}, simulated {mean:.4f} ± {error:.4f}")
        assert error < 0.15 * mean  # else it would show nothing
        assert abs(mean - truth[name]) < 6.3 * error  # Student's t, 24 degrees: one in 1.5 million


# Both sides of the AMI -------------------------------------------------------------


class Listening:
    """The gateway's way of hearing: bytes → blocks → events → figures, at the events' own times."""

    def __init__(self, queues: list[str]) -> None:
        self.blocks = Blocks()
        self.adapter = Adapter({queue: queue for queue in queues})
        self.figures = {queue: QueueFigures() for queue in queues}
        self.now_s = 0.0

    def hear(self, stream: bytes, until_s: float) -> None:
        """All of a piece of the stream, and the time up to its end."""
        for block in self.blocks.feed(stream):
            self.now_s = float(block.get("Timestamp", self.now_s))
            self._tell(self.adapter.due(self.now_s))
            self._tell(self.adapter.event(block, self.now_s))
        self.now_s = until_s
        self._tell(self.adapter.due(until_s + GRACE_S))

    def _tell(self, told: list[events.Event]) -> None:
        for event in told:
            if isinstance(event, events.Away | events.Back):
                for figures in self.figures.values():
                    figures.apply(event, self.now_s)
            else:
                self.figures[event.queue].apply(event, self.now_s)


def together(day: Day, queues: list[str], hours: float) -> Iterator[tuple[float, bytes]]:
    """Lives a day ten minutes at a time and holds both sides against each other; (hours lived, what was said)."""
    gateway = Listening(queues)
    for step in range(1, round(hours * 6) + 1):
        said = day.live(600)
        gateway.hear(said, BEGAN_S + step * 600)
        truth = day.figures()
        for queue, figures in gateway.figures.items():
            row, totals = truth[queue], figures.totals
            ours = (
                figures.waiting, totals.joined, totals.answered, totals.abandoned, totals.left,
                figures.worst_wait_s(gateway.now_s), figures.rate("asa_s"), figures.service_level, totals.vanished,
            )  # fmt: skip
            longest = max(row["longest_wait_s"] or 0, row["oldest_wait_s"] or 0)
            lost = (row["abandoned"] or 0) + (row["timed_out"] or 0)
            theirs = (
                row["waiting"], row["joined"], row["answered"], lost, row["left_by_key"],
                longest, row["asa_s"], row["service_level"], 0,
            )  # fmt: skip
            for mine, yours in zip(ours, theirs, strict=True):
                same = mine is None if yours is None else mine == pytest.approx(yours, abs=1e-5)
                assert same, (step, queue, ours, theirs)
            ended = (row["answered"] or 0) + lost + (row["left_by_key"] or 0)
            assert row["joined"] == ended + (row["waiting"] or 0)  # nobody is lost, nobody is two
        yield step / 6, said


def test_the_help_line_goes_over_two_hours_and_125_more_desks_bring_it_back() -> None:
    plan = floorplan.read(EXAMPLES / "help-line.toml")
    assert plan.simulator and plan.simulator.seed is not None
    oldest: dict[float, float] = {}
    asa: dict[int, float] = {}  # by the hour of the day
    with Day(plan, plan.simulator.seed, BEGAN_S) as day:
        mark = day.mark()
        for hours, _ in together(day, ["help"], 18):
            oldest[hours] = day.figures()["help"]["oldest_wait_s"] or 0.0
            if hours == int(hours):
                asa[int(hours)] = day.figures(mark)["help"]["asa_s"] or 0.0
                mark = day.mark()
        assert [len(queue.members) for queue in day.pbx._queues.values()] == [165]
    print("mean wait of the answered, by hour:", {hour: round(seconds) for hour, seconds in asa.items()})
    (joins,) = plan.simulator.joins
    assert (joins.at_h, joins.desks) == (12, 125)
    before = [seconds for hours, seconds in oldest.items() if hours <= 6]
    assert max(before) < 120 and max(asa[hour] for hour in range(1, 7)) < 30  # seconds
    assert max(oldest.values()) > 7200 and max(oldest, key=lambda hours: oldest[hours]) == 12
    assert asa[12] > 7200  # who was answered in the hour before noon had waited so long
    settled = [asa[hour] for hour in range(15, 19)]
    assert 14 < statistics.mean(settled) < 28, settled


EVERYTHING = {
    "calls_per_minute": 8, "talk_s": 60, "patience_s": 45, "react_s": 3, "wrap_up_s": 4, "timeout_s": 55,
    "keys": 0.3, "transfers": 0.1, "ring_no_answer": 0.06, "pauses_per_hour": 4, "pause_s": 120,
    "surges": [{"queue": "polsk", "from_h": 1, "to_h": 2, "times": 3}],
    "joins": [{"queue": "polsk", "at_h": 1.5, "desks": 6}],
    "queue": {"norsk": {"calls_per_hour": 700, "by_hour": [*range(1, 25)]}},
}  # fmt: skip


def test_everything_happens_and_counts_once_on_both_sides(seed: int) -> None:
    queues = ["norsk", "polsk", "arabisk"]
    plan = plan_of(queues, 27, **EVERYTHING)
    with Day(plan, seed, BEGAN_S) as day:
        said = b"".join(said for _, said in together(day, queues, 5))
        truth = day.figures()
        counts = day.pbx.counts
    stream = blocks(said)
    assert stream[0] == {"Response": "Success", "ActionID": "1", "Message": "Authentication accepted"}
    assert "QueueParams" in [block.get("Event") for block in stream[:5]]
    happened = Counter(block.get("Event") for block in stream)

    def total(name: str) -> int:
        return sum(int(row[name] or 0) for row in truth.values())

    for name in ("abandoned", "timed_out", "left_by_key"):
        assert total(name) > 30, name
    # One event for each thing that happened, by the stream's own words.
    assert happened["QueueCallerJoin"] == total("joined")
    assert happened["AgentConnect"] == total("answered")
    assert happened["QueueCallerAbandon"] == total("abandoned") + total("timed_out")
    assert happened["AgentComplete"] == sum(row.completed for row in counts.values())
    # A transferred caller is the same one in another queue, right after leaving the first.
    joins = [(b["Uniqueid"], b["Queue"]) for b in stream if b.get("Event") == "QueueCallerJoin"]
    sent_on = [
        (before["Uniqueid"], before["Queue"], after["Queue"])
        for before, _, after in zip(stream, stream[1:], stream[2:], strict=False)
        if before.get("Reason") == "transfer" and after.get("Uniqueid") == before["Uniqueid"]
    ]
    assert len(sent_on) == len(joins) - len({uid for uid, _ in joins})
    assert all(first != second for _, first, second in sent_on)
    assert_share(len(sent_on), happened["AgentComplete"], 0.1)
    # Some who would not have been answered hang up before that.
    assert_share(happened["AgentRingNoAnswer"], happened["AgentCalled"], 0.06, but=0.03)
    # A break: the wish for one a quarter of an hour after the last, the end of a call, and two minutes.
    paused = sum(block.get("Paused") == "1" for block in stream if block.get("Event") == "QueueMemberPause")
    desk_s = (21 * 5 + 6 * 3.5) * HOUR_S
    least, most = desk_s / (900 + 60 + 120), desk_s / (900 + 120)
    assert least - 5 * math.sqrt(least) < paused < most + 5 * math.sqrt(most)
    assert_desks_do_one_thing_at_a_time(stream)


def assert_share(part: int, whole: int, share: float, but: float = 0.0) -> None:
    """`part` of `whole` is what chance makes of `share`, five standard deviations and `but` allowed."""
    assert abs(part / whole - share) < 5 * math.sqrt(share * (1 - share) / whole) + but, (part, whole)


def assert_desks_do_one_thing_at_a_time(stream: list[dict[str, str]]) -> None:
    """Nobody is rung on a break or in a call; who is connected has been rung; only who talks ends a call."""
    state: dict[str, str] = {}
    changes = {
        "AgentCalled": ("free", "rings"), "AgentConnect": ("rings", "talks"), "AgentComplete": ("talks", "free"),
        "AgentRingNoAnswer": ("rings", "free"),
    }  # fmt: skip
    for block in stream:
        name, desk = block.get("Event", ""), block.get("Interface", "")
        if name == "QueueMemberPause":
            before, after = ("free", "away") if block["Paused"] == "1" else ("away", "free")
        elif name in changes:
            before, after = changes[name]
        elif name == "QueueMemberStatus" and block["Status"] == "1" and state.get(desk) == "rings":
            before, after = "rings", "free"  # the caller hung up
        else:
            continue
        assert state.get(desk, "free") == before, block
        state[desk] = after
    assert set(state.values()) >= {"free", "talks"} or len(state) > 10


def test_the_same_seed_is_the_same_day(seed: int) -> None:
    def said(seed: int) -> bytes:
        with Day(plan_of(["norsk", "polsk", "arabisk"], 12, **EVERYTHING), seed, BEGAN_S) as day:
            return day.live(600)

    assert said(seed) == said(seed) != said(seed + 1)


def test_as_many_calls_as_were_asked_for_all_of_them_to_their_end(seed: int) -> None:
    many = Bulk(3000, seed)
    pieces = list(many)
    assert pieces[0].startswith(b"Asterisk Call Manager/")
    assert all(piece.endswith(b"\r\n\r\n") for piece in pieces)
    stream = blocks(b"".join(pieces))
    joins = [block["Uniqueid"] for block in stream if block.get("Event") == "QueueCallerJoin"]
    assert len(set(joins)) == 3000
    assert sum(int(row["joined"] or 0) for row in many.figures.values()) == len(joins)
    assert not any(row["waiting"] for row in many.figures.values())
    happened = Counter(block.get("Event") for block in stream)
    assert happened["AgentConnect"] == happened["AgentComplete"]
    assert happened["QueueCallerLeave"] == len(joins)


# What it says of itself ------------------------------------------------------------


def test_the_truth_counts_by_the_published_example() -> None:
    """ICMI's example of five service levels (2002): 1000 answered, 860 of them in time; 60 abandoned."""
    worked = {
        "ended-within-of-offered": 0.830, "answered-within-of-answered": 0.860,
        "answered-within-of-offered": 0.811, "answered-within-of-offered-early-abandons-ignored": 0.827,
        "answered-within-of-offered-short-abandons-met": 0.821,
    }  # fmt: skip
    assert set(worked) == set(FORMULAS)
    for formula, level in worked.items():
        truth = Truth(Target.model_validate({"within_s": 20, "short_abandon_s": 5, "formula": formula}))
        assert truth.figures()["service_level"] is None and truth.figures()["asa_s"] is None
        truth.waits["answered"] = array("d", [20.0] * 860 + [90.0] * 140)
        truth.waits["abandoned"] = array("d", [5.0] * 10 + [19.0] * 10 + [21.0] * 30)
        truth.waits["timed_out"] = array("d", [300.0] * 10)
        figures = truth.figures()
        assert figures["service_level"] == pytest.approx(level, abs=0.0005), formula
        assert figures["asa_s"] == pytest.approx(29.8) and figures["longest_wait_s"] == 300


def callfloor(*args: str) -> subprocess.CompletedProcess[str]:
    return finished(*args, within_s=60)


def test_sim_day_and_replay_agree(tmp_path: Path, seed: int) -> None:
    out = str(tmp_path / "day.gz")
    options = ("--json", "--every", "1800")
    lived = callfloor("sim", "day", "examples/reference-house.toml", "--hours", "6.5", "--out", out,
                      "--seed", str(seed), *options)  # fmt: skip
    assert lived.returncode == 0, lived.stderr
    heard = callfloor("replay", out, *options)
    assert heard.returncode == 0, heard.stderr
    ours, theirs = ([json.loads(line) for line in text.splitlines()] for text in (lived.stdout, heard.stdout))
    truth, document = ours.pop(), theirs.pop()
    assert len(ours) == 13 * 7
    told = {(row["until_s"], row["queue"]): row for row in theirs}
    assert len(told) >= 13 * 7 - 14  # a queue is not there for the one before its first caller
    for row in ours:
        heard_of = told.get((row["until_s"], row["queue"]))
        assert agree(row, heard_of) if heard_of else row["answered"] == 0, (row, heard_of)
    assert set(document["queues"]) == set(truth["queues"])
    for queue, row in truth["queues"].items():
        found = document["queues"][queue]
        assert found["abandoned"] == row["abandoned"] + row["timed_out"]  # AMI cannot tell the two apart
        same = ("joined", "answered", "waiting", "asa_s", "longest_wait_s", "service_level")
        assert agree({name: row[name] for name in same}, {name: found[name] for name in same}), (row, found)
    assert truth["seed"] == seed


def agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The same, but for how the last printed digit of seconds was rounded."""
    return one.keys() == other.keys() and all(
        other[name]
        == (pytest.approx(value, abs=0.0011) if name.endswith("_s") and value is not None else value)
        for name, value in one.items()
    )


def test_sim_day_in_words(tmp_path: Path) -> None:
    done = callfloor("sim", "day", "examples/help-line.toml", "--hours", "1", "--out", "-")
    assert done.stdout.startswith("Asterisk Call Manager/") and "\nQueue: help\n" in done.stdout.replace(
        "\r", ""
    )
    assert re.search(r"^help +\d+ +\d+ +\d+ +0 +0 .* %$", done.stderr, re.M), done.stderr
    assert "The same again: --seed 1\n" in done.stderr
    done = callfloor("sim", "day", "examples/help-line.toml", "--hours", "1", "--out", str(tmp_path))
    assert done.returncode == 1 and f"--out {tmp_path}: cannot be written" in done.stderr
    site = tmp_path / "site.toml"
    site.write_text('[site]\nid = "x"\n')
    done = callfloor("sim", "day", str(site))
    assert done.returncode == 1 and "nobody could call" in done.stderr


# Site files ------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "desks", "queues"), [("reference-house", 465, 7), ("help-line", 165, 1)])
def test_the_example_houses_are_as_large_as_they_say(name: str, desks: int, queues: int) -> None:
    path = EXAMPLES / f"{name}.toml"
    plan = floorplan.read(path)
    assert (len(plan.desk), len(plan.queue)) == (desks, queues)
    assert sum(len(board.inputs) for board in plan.board) == desks
    assert plan.simulator and share_out(desks, [queue.id for queue in plan.queue], plan.simulator)[0]
    written = lines(resize(floorplan.tables_in(path), desks))
    assert path.read_text(encoding="utf-8").endswith(written), f"python -m simulator.resize {path} {desks}"
    done = callfloor("up", str(path), "--check")
    assert done.returncode == 0 and f"{desks} desks" in done.stdout, done.stderr


def test_settings_of_a_queue_stand_before_the_general_ones_and_survive_a_copy() -> None:
    plan = plan_of(["a", "b"], 2, talk_s=100, patience_s=math.inf, keys=0.5,
                   queue={"b": {"calls_per_hour": 30, "talk_s": 7}})  # fmt: skip
    copy = floorplan.check(
        json.loads(json.dumps(plan.model_dump(mode="json", exclude_none=True))), "", Path()
    )
    for simulator in (plan.simulator, copy.simulator):
        assert simulator
        a, b = simulator.of("a"), simulator.of("b")
        assert (a.calls_per_minute, a.talk_s, a.patience_s, a.keys) == (14, 100, math.inf, 0.5)
        assert (b.calls_per_minute, b.talk_s, b.patience_s, b.keys) == (0.5, 7, math.inf, 0.5)


@pytest.mark.parametrize(
    ("simulator", "words"),
    [
        ({"by_hour": [1] * 23}, "24 weights"), ({"by_hour": [0] * 24}, "not all of them 0"),
        ({"by_hour": [-1] + [1] * 23}, "24 weights"), ({"by_hour": [math.nan] * 24}, "24 weights"),
        ({"keys": 1.5}, "simulator.keys"), ({"queue": {"a": {"talks": 3}}}, "simulator.queue.a.talks: unknown key"),
        ({"talk_s": math.nan}, "simulator.talk_s"), ({"surges": [{"queue": "a", "from_h": 1}]}, "surges[1].to_h"),
        ({"surges": [{"queue": "a", "from_h": 2, "to_h": 1, "times": 2}]}, "ends later than it begins"),
        ({"patiense_s": 4}, "did you mean 'patience_s'?"),
    ],
)  # fmt: skip
def test_a_simulator_that_cannot_be_is_refused_in_words(simulator: dict[str, Any], words: str) -> None:
    with pytest.raises(SiteError) as refused:
        plan_of(["a"], 1, **simulator)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "simulator",
    [
        {"queue": {"polks": {"desks": 3}}},
        {"surges": [{"queue": "polks", "from_h": 0, "to_h": 1, "times": 2}]},
        {"joins": [{"queue": "polks", "at_h": 0, "desks": 1}]},
    ],
)
def test_a_queue_that_is_not_there_is_named(simulator: dict[str, Any]) -> None:
    with pytest.raises(SiteError, match="polks"):
        Day(plan_of(["polsk"], 4, **simulator), 1, BEGAN_S)


def test_desks_are_shared_out() -> None:
    simulator = floorplan.Simulator.model_validate({
        "queue": {"a": {"desks": 30}, "b": {"desks": 10}}, "joins": [{"queue": "a", "at_h": 1, "desks": 40}],
    })  # fmt: skip
    assert share_out(100, ["a", "b", "c", "d"], simulator) == ({"a": 30, "b": 10, "c": 10, "d": 10}, [40])
    assert share_out(40, ["a", "b"], simulator) == (
        {"a": 15, "b": 5},
        [20],
    )  # too few: everybody the same share
    assert share_out(7, ["a", "b", "c"], floorplan.Simulator()) == ({"a": 3, "b": 2, "c": 2}, [])


# The same floor in real time -------------------------------------------------------


@contextlib.asynccontextmanager
async def control_port() -> AsyncIterator[tuple[int, list[str]]]:
    """Where hands set pins: its port, and what they did, in order."""
    did: list[str] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            did.append(line.decode().strip())
            writer.write(b"ok\n")
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1]), did
    finally:
        server.close()


def test_in_real_time_hands_lift_and_put_down_what_rings() -> None:
    async def live() -> tuple[list[str], Pbx]:
        async with control_port() as (port, did):
            tables = resize({
                "site": {"id": "test"}, "queue": [{"id": "a", "name": "A", "pbx": "a"}],
                "simulator": {"calls_per_minute": 600, "talk_s": 0.1, "react_s": 0.2, "wrap_up_s": 0,
                              "ring_no_answer": 0, "pauses_per_hour": 3600, "pause_s": 0.1},
            }, 1)  # fmt: skip
            tables["board"][0]["control"] = f"127.0.0.1:{port}"
            pbx = Pbx("callfloor", "secret", 1)
            pbx.add_queue("a")
            floor = SimulatedFloor(floorplan.check(tables, "the test", Path()), pbx, 1)
            life = asyncio.create_task(floor.run())
            async with asyncio.timeout(20):
                while pbx.counts["a"].completed < 2 or "GP5 0" not in did:
                    await asyncio.sleep(0.01)
            life.cancel()
            await asyncio.wait([life])
            return did, pbx

    did, pbx = asyncio.run(live())
    hook = [step for step in did if step.startswith("GP2 ")]  # 0: lifted
    assert hook[:4] == ["GP2 0", "GP2 1", "GP2 0", "GP2 1"]
    assert did.index("GP3 0") < did.index("GP2 0") < did.index("GP2 1")  # it rang before
    assert pbx.counts["a"].answered >= 2
    lifted, down = did.index("GP2 0"), did.index("GP2 1")
    assert {"GP4 0", "GP4 1"} <= set(did[did.index("GP3 0") - 1 : lifted + 1])  # the headset's lamp blinked
    lamp = [step for step in did[lifted : down + 2] if step.startswith("GP4 ")]
    assert lamp[0] == "GP4 0" and lamp[-1] == "GP4 1"  # and was lit while it was in the call
    assert "GP4 1" not in did[lifted:down]


def test_a_forgotten_pause_lets_calls_ring_where_nobody_is(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    missed: list[int] = []

    def miss(call: int) -> bool:
        missed.append(call)
        return no_answer(call)

    with Day(plan_of(["a"], 3, calls_per_minute=6, ring_no_answer=0, react_s=1, pauses_per_hour=30, pause_s=60,
                     forgotten_pauses=1), seed, BEGAN_S) as day:  # fmt: skip
        no_answer = day.pbx.no_answer
        monkeypatch.setattr(day.pbx, "pause", lambda *_: pytest.fail("the phone system was told"))
        monkeypatch.setattr(day.pbx, "no_answer", miss)
        day.live(3600)
        assert day.pbx.counts["a"].answered > 50
    assert len(missed) > 10


def test_an_error_in_the_middle_of_the_day_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(queue: str) -> int:
        raise ZeroDivisionError(queue)

    with Day(plan_of(["a"], 1), 1, BEGAN_S) as day:
        monkeypatch.setattr(day.pbx, "join", broken)
        with pytest.raises(ZeroDivisionError):
            day.live(600)
