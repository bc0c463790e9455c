"""The simulated PBX: it speaks as the recorded one did, and the real client counts what it counted."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.queues import asterisk, events
from gateway.queues.totals import Totals
from simulator import manager as ami_server
from simulator.pbx import Counts, Pbx
from tests.ami_feed import blocks, recording
from tests.test_ami import QUEUES, Trace, connected, until

AGENTS = [f"Local/{number}@agents/n" for number in range(1001, 1007)]


def small_pbx(seed: int = 1) -> Pbx:
    """Two queues; every agent serves the first, every second one the other too."""
    pbx = Pbx("callfloor", "secret", seed)
    for queue in QUEUES:
        pbx.add_queue(queue)
    for number, agent in enumerate(AGENTS):
        pbx.add_member("norsk", agent)
        if number % 2:
            pbx.add_member("polski", agent)
    return pbx


@contextlib.asynccontextmanager
async def opened(pbx: Pbx) -> AsyncIterator[int]:
    """Its AMI, open for as long as the block lasts; gives the port."""
    port = await pbx.open()
    try:
        yield port
    finally:
        await pbx.close()


class Client:
    """Somebody at the AMI who says raw lines and reads raw blocks."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, **fields: str) -> str:
        """Sends one action; what comes next, as text."""
        lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
        self.writer.write("".join([*lines, "\r\n"]).encode())
        return await self.block()

    async def block(self) -> str:
        return (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)).decode()

    async def log_in(self) -> None:
        answer = await self.ask(Action="Login", Username="callfloor", Secret="secret")
        assert "Authentication accepted" in answer


@contextlib.asynccontextmanager
async def client(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.readline() == b"Asterisk Call Manager/11.0.0\r\n"
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


# It speaks as the recorded one did -------------------------------------------------


def live(pbx: Pbx) -> None:
    """A bit of everything that can happen."""
    answered, rung, abandoned, keyed, waits = (pbx.join("norsk") for _ in range(5))
    pbx.ring(answered, AGENTS[0])
    pbx.answer(answered)
    pbx.hang_up(answered, "agent")
    pbx.ring(rung, AGENTS[0])
    pbx.no_answer(rung)
    pbx.ring(abandoned, AGENTS[1])
    pbx.hang_up(abandoned)
    pbx.leave_by_key(keyed)
    pbx.pause(AGENTS[2], True)
    assert pbx.waiting("norsk") == [rung, waits]


def shapes(stream: list[dict[str, str]]) -> dict[str, set[tuple[str, ...]]]:
    """The headers of each kind of block, in order. What an event ends with is often left out."""
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for block in stream:
        kind = block.get("Event") or block["Response"] + " " + block.get("Message", "")
        found[kind].add(tuple(block))
    return found


def test_its_blocks_have_the_headers_of_a_real_one_in_their_order() -> None:
    async def run() -> bytes:
        pbx = small_pbx()
        async with opened(pbx) as port, client(port) as at:
            await at.log_in()
            live(pbx)
            for action in ("QueueStatus", "QueueSummary", "Logoff"):
                at.writer.write(f"Action: {action}\r\nActionID: {action}\r\n\r\n".encode())
            stream = await asyncio.wait_for(at.reader.read(), 5)
        assert isinstance(stream, bytes)
        return stream

    ours, real = shapes(blocks(asyncio.run(run()))), shapes(blocks(recording("agent-events.txt")))
    del real["Success Authentication accepted"]
    ours.pop("QueueMemberAdded", None)
    assert set(ours) == set(real)
    for kind, headers in ours.items():
        assert headers <= real[kind], kind


def test_things_come_in_the_order_a_real_one_says_them() -> None:
    async def run() -> list[tuple[str, str]]:
        pbx = small_pbx()
        async with opened(pbx) as port, client(port) as at:
            await at.log_in()
            live(pbx)
            at.writer.write(b"Action: Logoff\r\n\r\n")
            stream = blocks(await asyncio.wait_for(at.reader.read(), 5))
        calls: dict[str, int] = {}
        return [(str(calls.setdefault(block.get("Uniqueid", ""), len(calls))), block["Event"])
                for block in stream if "Event" in block and "Member" not in block["Event"]]  # fmt: skip

    said = asyncio.run(run())
    by_call = defaultdict(list)
    for call, name in said:
        by_call[call].append(name.removeprefix("QueueCaller").removeprefix("Agent"))
    assert list(by_call.values()) == [
        ["Join", "Called", "Leave", "Connect", "Complete"],
        ["Join", "Called", "RingNoAnswer"],
        ["Join", "Called", "Abandon", "Leave"],
        ["Join", "Leave"],
        ["Join"],
    ]


def test_its_callers_are_obviously_nobody() -> None:
    async def run() -> str:
        pbx = small_pbx()
        async with opened(pbx) as port, client(port) as at:
            await at.log_in()
            live(pbx)
            at.writer.write(b"Action: QueueStatus\r\n\r\nAction: Logoff\r\n\r\n")
            text = (await asyncio.wait_for(at.reader.read(), 5)).decode()
        assert isinstance(text, str)
        return text

    numbers = re.findall(r"(?:CallerIDNum|ConnectedLineNum): (.*)\r", asyncio.run(run()))
    assert len(set(numbers)) == 5
    assert all(re.fullmatch(r"\+47000\d{5}", number) for number in numbers)


def test_a_verb_that_comes_too_late_does_nothing() -> None:
    pbx = small_pbx()
    call = pbx.join("polski")
    with pytest.raises(ValueError, match="not a member of polski"):
        pbx.ring(call, AGENTS[0])
    assert pbx.ring(call, AGENTS[1]) and not pbx.ring(call, AGENTS[3])
    assert AGENTS[1] not in pbx.idle_members("norsk")
    assert pbx.waiting("polski") == [call]  # who rings still waits
    assert pbx.hang_up(call) and not pbx.answer(call) and not pbx.hang_up(call) and not pbx.no_answer(call)
    assert pbx.state(call) == "ended" and AGENTS[1] in pbx.idle_members("norsk")
    assert pbx.pause(AGENTS[1], True) and not pbx.pause(AGENTS[1], True)
    assert AGENTS[1] not in pbx.idle_members("polski")
    assert not pbx.ring(pbx.join("polski"), AGENTS[1])
    counts = pbx.counts["polski"]
    assert (counts.joined, counts.answered, counts.abandoned) == (2, 0, 1)


# Who may come in -------------------------------------------------------------------


def test_nobody_gets_in_without_the_secret() -> None:
    key = hashlib.md5(b"secret").hexdigest()  # as if the challenge were empty

    async def run() -> None:
        pbx = small_pbx()
        async with opened(pbx) as port:
            for fields in (
                {"Username": "callfloor", "Secret": "wrong"},
                {"Username": "callfloor", "Secret": ""},
                {"Username": "callfloor"},
                {"Username": "other", "Secret": "secret"},
                {"Username": "callfloor", "AuthType": "MD5", "Key": key},
                {"Username": "callfloor", "AuthType": "MD5"},
            ):
                async with client(port) as at:
                    answer = await at.ask(Action="Login", ActionID="7", **fields)
                    assert answer == "Response: Error\r\nActionID: 7\r\nMessage: Authentication failed\r\n\r\n"
                    assert await at.reader.read() == b""
            async with client(port) as at:
                assert "Permission denied" in await at.ask(Action="QueueStatus")
                pbx.join("norsk")
                challenge = await at.ask(Action="Challenge", AuthType="MD5")
                text = challenge.split("Challenge: ")[1].strip() + "secret"
                right = hashlib.md5(text.encode()).hexdigest()
                answer = await at.ask(Action="Login", Username="callfloor", AuthType="md5", Key=right)
                assert "Authentication accepted" in answer
                assert "Invalid/unknown command" in await at.ask(Action="QueueReset")

    asyncio.run(run())
    with pytest.raises(ValueError, match="secret"):
        Pbx("callfloor", "")


@pytest.mark.parametrize("md5", [True, False])
def test_the_client_logs_in_with_a_challenge_or_where_there_is_none_without(md5: bool) -> None:
    async def run() -> str:
        pbx, trace = small_pbx(), Trace()
        pbx.manager.md5 = md5
        async with opened(pbx) as port:
            async with connected(port, trace):
                await until(lambda: trace.figures["no"].known, "the first list")
            async with connected(port, trace, secret="wrong"):
                await until(lambda: "refuses" in trace.away, "words about the login")
        return trace.away

    assert "refuses the user 'callfloor' (Authentication failed)" in asyncio.run(run())


def test_who_does_not_read_does_not_log_in_or_sends_rubbish_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ami_server, "LOGIN_S", 0.2)
    monkeypatch.setattr(ami_server, "BEHIND_BYTES", 20_000)
    monkeypatch.setattr(ami_server, "LISTENERS", 3)

    async def run() -> None:
        pbx = small_pbx()
        async with opened(pbx) as port:
            async with client(port) as idle:
                assert await asyncio.wait_for(idle.reader.read(), 5) == b""
            for rubbish in (b"x" * 5000, b"A: b\r\n" * 500):
                async with client(port) as at:
                    at.writer.write(rubbish)
                    with contextlib.suppress(ConnectionError):
                        assert await asyncio.wait_for(at.reader.read(), 5) == b""
            async with client(port) as dead, client(port) as alive:
                await dead.log_in()
                await alive.log_in()
                assert isinstance(dead.writer.transport, asyncio.Transport)
                dead.writer.transport.pause_reading()
                before, calls = pbx.manager.dropped, 0
                while pbx.manager.dropped == before and calls < 100_000:
                    calls += 1
                    pbx.leave_by_key(pbx.join("norsk"))
                    await alive.block()
                    await alive.block()
                assert len(pbx.manager.listeners) == 1
                pbx.join("norsk")
                assert "QueueCallerJoin" in await alive.block()
            async with client(port), client(port), client(port):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()

    asyncio.run(run())


# The real client counts what it counted --------------------------------------------


class Life:
    """Random things happening at a PBX."""

    def __init__(self, pbx: Pbx, chance: random.Random) -> None:
        self.pbx = pbx
        self.chance = chance
        self.calls: list[int] = []

    def step(self) -> None:
        pbx, chance = self.pbx, self.chance
        queue = chance.choice(list(QUEUES))
        self.calls = [call for call in self.calls if pbx.state(call) != "ended"]
        if not self.calls or (len(self.calls) < 15 and chance.random() < 0.3):
            self.calls.append(pbx.join(queue))
            return
        call = chance.choice(self.calls)
        state = pbx.state(call)
        if state == "waiting" and chance.random() < 0.6:
            idle = pbx.idle_members("polski")
            if idle:
                pbx.ring(call, chance.choice(idle))
        elif state == "ringing" and chance.random() < 0.7:
            chance.choice((pbx.answer, pbx.answer, pbx.no_answer))(call)
        elif state != "talking" and chance.random() < 0.3:
            pbx.leave_by_key(call)
        else:
            pbx.hang_up(call)
        if chance.random() < 0.05:
            pbx.pause(chance.choice(AGENTS), chance.random() < 0.3)


@pytest.fixture
def chance() -> random.Random:
    seed = random.randrange(2**32)
    print("seed", seed)
    return random.Random(seed)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No long pauses between two links, and a summary twice a second."""
    monkeypatch.setattr(asterisk, "AGAIN_S", (0.02, 0.1))
    monkeypatch.setattr(asterisk, "CHECK_S", 0.5)
    monkeypatch.setattr(asterisk, "TICK_S", 0.02)
    yield


def ends(counts: Counts | Totals) -> list[int]:
    """How many calls ended in each way that events tell of."""
    return [counts.answered, counts.abandoned, counts.left]


def free_members(trace: Trace) -> set[tuple[str, str]]:
    """Who could take a call, by what was told: (queue, extension). Who is not told of is not free."""
    told: dict[tuple[str, str], events.Member] = {}
    for event in trace.told:
        if isinstance(event, events.Member):
            told[event.queue, event.extension] = event
        elif isinstance(event, events.MemberGone):
            del told[event.queue, event.extension]
        elif isinstance(event, events.Away):
            told.clear()
    assert len(told) in (0, 9)  # all or none
    return {key for key, member in told.items() if member.state == "idle" and not member.paused}


def truly_free(pbx: Pbx) -> set[tuple[str, str]]:
    """The same, by the PBX's own word."""
    return {(queue, agent.removesuffix("/n")) for name, queue in QUEUES.items() for agent in pbx.idle_members(name)}


def test_a_long_day_is_counted_as_it_was(chance: random.Random, quick: None) -> None:
    async def run() -> tuple[Pbx, Trace]:
        pbx, trace = small_pbx(), Trace()
        life = Life(pbx, chance)
        for _ in range(50):
            life.step()
        early = {queue: counts.joined - len(pbx.waiting(queue)) for queue, counts in pbx.counts.items()}
        before = {queue: ends(counts) for queue, counts in pbx.counts.items()}
        async with opened(pbx) as port, connected(port, trace):
            await until(lambda: trace.figures["no"].known, "the first list")
            for _ in range(4000):
                life.step()
                if chance.random() < 0.05:
                    await asyncio.sleep(0)

            def same() -> bool:
                for name, queue in QUEUES.items():
                    counts, totals = pbx.counts[name], trace.figures[queue].totals
                    since = [now - then for now, then in zip(ends(counts), before[name], strict=True)]
                    if ends(totals) != since:
                        return False
                    if totals.joined != counts.joined - early[name]:
                        return False
                    if trace.figures[queue].waiting != len(pbx.waiting(name)):
                        return False
                return True

            await until(same, "the same counts on both sides", 5)
            assert free_members(trace) == truly_free(pbx)
            assert trace.away == ""
            assert not any(row.totals.vanished for row in trace.figures.values())
        return pbx, trace

    pbx, _ = asyncio.run(run())
    assert all(counts.completed > 50 for counts in pbx.counts.values())


def test_breaks_restarts_and_an_hour_away_never_count_anybody_twice(
    chance: random.Random, quick: None,
) -> None:  # fmt: skip
    async def run() -> None:
        pbx, trace = small_pbx(), Trace()
        life = Life(pbx, chance)
        async with opened(pbx) as port:

            def in_step() -> bool:
                theirs = [len(pbx.waiting(name)) for name in QUEUES]
                return [row.waiting for row in trace.figures.values()] == theirs

            async with connected(port, trace):
                for round_ in range(12):
                    await until(in_step, "the same callers on both sides")
                    for _ in range(chance.randrange(200)):
                        life.step()
                    what = chance.choice(("break", "restart", "gone"))
                    if what == "break":
                        pbx.manager.drop_all()
                    elif what == "restart":
                        pbx.restart()
                    else:
                        await pbx.close()
                        await until(lambda: trace.away != "", "it says that the PBX is away")
                        assert all(row.waiting is None for row in trace.figures.values())
                    for _ in range(chance.randrange(200)):
                        life.step()  # nobody hears these
                    if what == "gone":
                        await pbx.open(port=port)
                    print(round_, what)
                await until(in_step, "the same callers on both sides")
                await until(lambda: not any(row._gone for row in trace.figures.values()), "all is decided")
                await until(lambda: free_members(trace) == truly_free(pbx), "the same members are free")
            for name, queue in QUEUES.items():
                counts, totals = pbx.counts[name], trace.figures[queue].totals
                waiting = len(pbx.waiting(name))
                ended = totals.answered + totals.abandoned + totals.left + totals.vanished
                assert totals.joined == ended + waiting
                assert totals.joined <= counts.joined
                assert totals.answered <= counts.answered
                assert totals.abandoned <= counts.abandoned
                assert totals.left <= counts.left

    asyncio.run(run())


def test_what_no_event_told_is_found_by_the_next_check(chance: random.Random, quick: None) -> None:
    """A PBX that lost a caller without a word: the summary differs, a list is asked for, and it is right."""
    async def run() -> None:
        pbx, trace = small_pbx(), Trace()
        async with opened(pbx) as port, connected(port, trace):
            await until(lambda: trace.figures["no"].known, "the first list")
            lost, _ = pbx.join("norsk"), pbx.join("norsk")
            await until(lambda: trace.figures["no"].waiting == 2, "both callers")
            del pbx._queues["norsk"].calls[lost]
            await until(lambda: trace.figures["no"].waiting == 1, "the check has found it", 5)
            await until(lambda: trace.figures["no"].totals.vanished == 1, "it is not called an abandon")
            assert trace.away == ""

    asyncio.run(run())


def test_a_pbx_without_read_agent_is_found_out(quick: None) -> None:
    async def run() -> None:
        pbx, trace = small_pbx(), Trace()
        pbx.manager.read_agent = False
        async with opened(pbx) as port, connected(port, trace):
            await until(lambda: trace.figures["no"].known, "the first list")
            while "set read = agent in manager.conf" not in trace.away:
                pbx.join("norsk")
                await asyncio.sleep(0.2)
            await asyncio.sleep(1)  # it logs in again and again, for the rights come with the login
            assert trace.away
            pbx.manager.read_agent = True
            while not trace.figures["pl"].known:  # an event that is heard, and then a list
                pbx.join("polski")
                await asyncio.sleep(0.2)
            for name, queue in QUEUES.items():
                assert trace.figures[queue].waiting == len(pbx.waiting(name))

    asyncio.run(asyncio.wait_for(run(), 20))


def test_the_same_reason_is_said_once(quick: None) -> None:
    async def run() -> Trace:
        pbx, trace = small_pbx(), Trace()
        async with opened(pbx) as port, connected(port, trace):
            await until(lambda: trace.figures["no"].known, "the first list")
            await pbx.close()
            await until(lambda: "cannot be reached" in trace.away, "it says so")
            await asyncio.sleep(0.5)  # many tries
        return trace

    trace = asyncio.run(run())
    reasons = [event.reason for event in trace.told if isinstance(event, events.Away)]
    assert len(reasons) == len(set(reasons)) == 3  # being called, closed the connection, cannot be reached


def test_a_link_that_stops_reading_and_writing_is_noticed(
    quick: None, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(asterisk, "QUIET_S", 0.4)
    monkeypatch.setattr(asterisk, "ANSWER_S", 0.3)
    monkeypatch.setattr(asterisk, "CHECK_S", 60.0)

    async def run() -> None:
        pbx, trace = small_pbx(), Trace()
        async with opened(pbx) as port, connected(port, trace):
            await until(lambda: trace.figures["no"].known, "the first list")
            told = len(trace.told)
            await asyncio.sleep(1.5)  # pings are answered all this time
            assert len(trace.told) == told
            for listener in pbx.manager.listeners:
                assert listener._transport
                listener._transport.pause_reading()
            await until(lambda: "has been silent for" in trace.away, "it says so", 3)
            await until(lambda: trace.figures["no"].known, "a new link", 3)

    asyncio.run(run())
