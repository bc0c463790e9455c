"""Kill -9, 200 times, of a whole gateway under load: no call that was kept is lost or doubled.

Broker, phone system and file are real and live through it all; only the gateway dies. While it is
dead nothing happens at the phone system, so that everything that happened can be accounted for.
Several houses side by side, each with a phone system and a file of its own: most of a gateway's short life
is waiting.
"""

import asyncio
import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import floorplan
from gateway.days import Calendar
from gateway.queues.totals import Totals
from gateway.store import StoreError, read
from simulator.pbx import Pbx
from tests.brokers import HOST, Broker, free_port, mosquitto

KILLS = int(os.environ.get("KILLS", "200"))  # in all houses together
HOUSES = 4
QUEUES = ("norsk", "polski")
MEMBERS = 200
CALLS_S = 150.0  # calls a second
LIFE_S = (0.7, 1.6)  # of traffic's own time, from joining to the end of the wait: longer than a commit takes
SESSIONS_S = (0.3, 0.6, 0.9, 1.2)  # a gateway lives at most so long once it has read the list
ENDS = ("answered", "abandoned", "timed_out", "left_by_key", "left", "vanished")


@dataclass
class Traffic:
    """Callers of one phone system, driven by a clock that stands still while nobody listens."""

    pbx: Pbx
    dice: random.Random
    now_s: float = 0.0
    next_s: float = 0.0
    due: list[tuple[float, str, int]] = field(default_factory=list)  # when, what, call
    uids: dict[int, tuple[str, str]] = field(default_factory=dict)  # call → queue, Uniqueid
    ended: list[int] = field(default_factory=list)  # whose wait has ended, in order

    def step(self, seconds: float, come: bool = True) -> None:
        """Lives through so much of its own time."""
        until_s = self.now_s + seconds
        while True:
            events = [self.next_s] if come else []
            events += [row[0] for row in self.due]
            if not events or min(events) > until_s:
                break
            self.now_s = min(events)
            if come and self.now_s == self.next_s:
                self._join()
            for row in [row for row in self.due if row[0] <= self.now_s]:
                self.due.remove(row)
                self._act(*row[1:])
        self.now_s = until_s
        self.next_s = max(self.next_s, until_s) if not come else self.next_s

    def _join(self) -> None:
        queue = self.dice.choice(QUEUES)
        call = self.pbx.join(queue)
        self.uids[call] = queue, self.pbx._calls[call].uid
        what = self.dice.choices(("answer", "hang_up", "leave_by_key"), (7, 3, 1))[0]
        self.due.append((self.now_s + self.dice.uniform(*LIFE_S), what, call))
        self.next_s = self.now_s + self.dice.expovariate(CALLS_S)

    def _act(self, what: str, call: int) -> None:
        if what == "answer":
            queue = self.uids[call][0]
            self.pbx.ring(call, self.pbx.idle_members(queue)[0])
            self.due.append((self.now_s + self.dice.uniform(0.1, 1.0), "end", call))
        getattr(self.pbx, {"end": "hang_up"}.get(what, what))(call)
        if what != "end":
            self.ended.append(call)


class Forks:
    """Gateways that are started in a moment, and killed at once."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.gateway_forks", HOST]
        self.server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
        )

    def start(self, plan: floorplan.Plan, port: int) -> int:
        """The process id of a new gateway of that house."""
        assert self.server.stdin and self.server.stdout and plan.history.path
        self.server.stdin.write(f"{port} {plan.history.path.with_name('site.json')}\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def end(self) -> None:
        assert self.server.stdin and self.server.stdout
        self.server.stdin.close()
        self.server.wait(10)
        self.server.stdout.close()


@pytest.fixture
def seed() -> int:
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    print(f"SEED={seed}")
    return seed


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with mosquitto(tmp_path) as broker:
        yield broker


def house(folder: Path, broker: Broker) -> floorplan.Plan:
    """One of several houses at a broker: its site file, and its history beside it."""
    folder.mkdir()
    (folder / "secret").write_text("ami\n")
    plan = floorplan.check({
        "site": {"id": folder.name, "time_zone": "Europe/Oslo"},
        "broker": {"host": broker.host, "port": broker.port},
        "pbx": {"asterisk": {"host": HOST, "port": free_port(), "user": "u", "secret_file": "secret"}},
        "queue": [{"id": name, "name": name, "pbx": name} for name in QUEUES],
    }, "test", folder)  # fmt: skip
    (folder / "site.json").write_text(plan.model_dump_json(exclude_none=True))
    return plan


def kept(plan: floorplan.Plan) -> tuple[dict[str, Totals], dict[str, set[bytes]], bytes]:
    """(all totals by queue, keys of who waits, the salt) as the file has them now."""
    assert plan.history.path
    with read(plan.history.path, Calendar("Europe/Oslo")) as reader:
        totals = {name: reader.totals(name, 0, 2**40) for name in QUEUES}
        rows = reader.waiting()
        return totals, {name: {key for queue, _, key, _ in rows if queue == name} for name in QUEUES}, reader.salt()


async def until(holds: object, what: str, within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.002)


@pytest.mark.timeout(400)
def test_two_hundred_kills_under_load(broker: Broker, tmp_path: Path, seed: int) -> None:
    forks = Forks()

    async def all_houses() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(HOUSES):
                plan = house(tmp_path / f"house-{number}", broker)
                kills = len(range(number, KILLS, HOUSES))
                group.create_task(kill_and_count(plan, forks, random.Random(f"{seed} {number}"), kills))

    try:
        asyncio.run(all_houses())
    finally:
        forks.end()


async def kill_and_count(plan: floorplan.Plan, forks: Forks, dice: random.Random, kills: int) -> None:
    settings = plan.pbx.asterisk
    assert settings and plan.history.path
    pbx = Pbx("u", "ami", seed=1)
    for queue in QUEUES:
        pbx.add_queue(queue)
        for number in range(MEMBERS):
            pbx.add_member(queue, f"Local/{number}@agents")
    lists = 0
    words, end, rows = pbx.manager.lists["queuestatus"]

    def listed() -> list[object]:
        nonlocal lists
        lists += 1
        return rows()  # type: ignore[return-value]

    pbx.manager.lists["queuestatus"] = (words, end, listed)  # type: ignore[assignment]
    traffic = Traffic(pbx, dice)
    await pbx.open(settings.host, settings.port)
    web = free_port()
    never_kept, early, seen_before = 0, 0, {name: set[bytes]() for name in QUEUES}
    before = {name: Totals() for name in QUEUES}
    try:
        for _ in range(kills):
            ended_before, lists_before = len(traffic.ended), lists
            gateway = forks.start(plan, web)
            if dice.random() < 0.1:  # before it has come to anything
                await asyncio.sleep(dice.uniform(0, 0.15))
            else:
                await until(lambda: lists > lists_before, "the gateway asks for the list")  # noqa: B023
                left_s = dice.uniform(0, dice.choice(SESSIONS_S))
                while left_s > 0:
                    began_s = time.monotonic()
                    await asyncio.sleep(0.005)
                    passed_s = min(time.monotonic() - began_s, left_s)
                    traffic.step(passed_s)
                    left_s -= passed_s
            os.kill(gateway, signal.SIGKILL)
            await until(lambda: not pbx.manager.listeners, "the phone system sees it die")
            if not plan.history.path.exists():
                early += 1
                continue
            try:
                totals, keys, salt = kept(plan)
            except StoreError as error:  # there is a file, but no gateway has lived to put anything in it
                assert "it holds nothing yet" in str(error) and not any(row.joined for row in before.values())
                early += 1
                continue
            for name in QUEUES:
                row = totals[name]
                assert row.joined == sum(getattr(row, end) for end in ENDS) + len(keys[name])
                assert row.joined <= pbx.counts[name].joined
                assert row.answered <= pbx.counts[name].answered
                for what in ("joined", "answered", "abandoned"):
                    assert getattr(row, what) >= getattr(before[name], what)
            never_kept += sum(
                digest(salt, traffic.uids[call][1]) not in seen_before[traffic.uids[call][0]]
                for call in traffic.ended[ended_before:]
            )
            before, seen_before = totals, keys
        await settle(plan, forks, web, pbx, traffic)
    finally:
        await pbx.close()
    missing = account(plan, pbx, never_kept)
    print(f"{kills} kills, {early} of them before there was a file; {len(traffic.uids)} calls, {missing} never "
          f"committed, of {never_kept} that came and went between two commits")  # fmt: skip


async def settle(plan: floorplan.Plan, forks: Forks, web: int, pbx: Pbx, traffic: Traffic) -> None:
    """One more gateway, left in peace until everybody has been served."""
    gateway = forks.start(plan, web)
    try:
        await until(lambda: pbx.manager.listeners, "the last gateway")
        for _ in range(400):
            traffic.step(0.01, come=False)
            await asyncio.sleep(0.005)
        assert not traffic.due
        await until(lambda: not any(kept(plan)[1].values()), "nobody waits in the file")
    finally:
        os.kill(gateway, signal.SIGKILL)


def account(plan: floorplan.Plan, pbx: Pbx, never_kept: int) -> int:
    """The file against what really happened. How many calls are not in it at all."""
    totals, _, _ = kept(plan)
    missing = 0
    for name in QUEUES:
        truth, row = pbx.counts[name], totals[name]
        missing += truth.joined - row.joined
        assert row.joined == sum(getattr(row, end) for end in ENDS)
        unseen = row.vanished + truth.joined - row.joined
        for what in ("answered", "abandoned", "left"):
            assert 0 <= getattr(truth, what) - getattr(row, what) <= unseen
        assert row.answered > 0.2 * truth.answered  # much was read and committed before a kill
    assert 0 <= missing <= never_kept
    assert plan.history.path
    with sqlite3.connect(plan.history.path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return missing


def digest(salt: bytes, uid: str) -> bytes:
    """A call's key in the file: see `events.Joined.key`."""
    return hashlib.blake2b(uid.encode(), key=salt, digest_size=16).digest()
