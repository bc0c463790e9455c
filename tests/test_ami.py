"""The AMI parser, what may be sent, and a real PBX's recorded stream through the real client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

import floorplan
from gateway.queues import ami, asterisk, events
from gateway.queues.ami import ACTIONS, BLOCK_LINES, KEEP, LINE_BYTES, Blocks
from gateway.queues.asterisk import Adapter, Asterisk, extension_key
from gateway.queues.figures import QueueFigures
from tests.ami_feed import AT_ONCE, DATA, Feed, Talk, blocks, recording, serving

STREAMS = ("agent-events.txt", "all-events.txt.gz")
QUEUES = {"norsk": "no", "polski": "pl"}  # their names at the PBX, and ours
KEPT = set(KEEP.values())

# The parser ------------------------------------------------------------------------


def kept(block: dict[str, str]) -> dict[str, str]:
    """What may be kept of a block, worked out the slow way."""
    names = {name.lower(): name for name in (KEPT if "Response" in block else KEPT - {"Message"})}
    return {names[name.lower()]: value for name, value in block.items() if name.lower() in names}


@pytest.mark.parametrize("name", STREAMS)
def test_the_parser_reads_a_recording_as_a_slow_one_does(name: str) -> None:
    expected = [kept(block) for block in blocks(recording(name))]
    parser = Blocks()
    assert parser.feed(recording(name)) == [block for block in expected if block]
    assert parser.banner == "Asterisk Call Manager/11.0.0"
    assert parser.long_lines == parser.long_blocks == 0


@trying(deadline=None)
@given(st.lists(st.integers(1, 4000), min_size=1, max_size=40))
def test_it_does_not_matter_where_a_read_ends(sizes: list[int]) -> None:
    stream = recording("agent-events.txt")[:30_000]
    parser, read, place = Blocks(), [], 0
    for size in sizes:
        read += parser.feed(stream[place : place + size])
        place += size
    read += parser.feed(stream[place:])
    assert read == Blocks().feed(stream)


LINES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"", b"\r", b"Event: QueueCallerJoin", b"Queue: norsk", b"Uniqueid:", b": x", b"Queue"]),
    st.integers(1, 3).map(lambda times: b"Queue: " + b"x" * LINE_BYTES * times),
)


@trying(deadline=None)
@given(st.lists(st.lists(LINES, max_size=20).map(b"\r\n".join), max_size=10))
def test_rubbish_never_raises_and_never_piles_up(reads: list[bytes]) -> None:
    parser, adapter = Blocks(), Adapter(QUEUES)
    for data in reads:
        for block in parser.feed(data):
            assert set(block) <= KEPT
            assert all(len(value) <= ami.VALUE_BYTES for value in block.values())
            adapter.event(block, 1.0)
        assert len(parser._rest) <= LINE_BYTES


HEADERS = st.dictionaries(st.sampled_from(sorted(KEPT)), st.text(max_size=20), max_size=10)


@trying(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(asterisk.Adapter.event.__globals__["HEAR"])), HEADERS),
                max_size=60))  # fmt: skip
def test_no_event_with_wrong_or_missing_headers_raises(said: list[tuple[str, dict[str, str]]]) -> None:
    adapter = Adapter({"norsk": "no", "": "empty"})
    figures = {"no": QueueFigures(), "empty": QueueFigures()}
    for now, (name, headers) in enumerate(said):
        for event in adapter.event({**headers, "Event": name}, float(now)) + adapter.due(float(now)):
            apply(event, figures)
    for queue in figures.values():
        totals = queue.totals
        ended = totals.answered + totals.abandoned + totals.left + totals.vanished
        assert totals.joined == ended + len(queue._since) + len(queue._gone)


def test_a_line_of_10_mb_is_thrown_away_and_the_next_block_is_read() -> None:
    parser = Blocks()
    read = parser.feed(b"Event: One\r\nQueue: a\r\nCallerIDName: ")
    for _ in range(160):
        read += parser.feed(b"x" * 65_536)
        assert len(parser._rest) <= LINE_BYTES
    read += parser.feed(b"\r\nUniqueid: 1\r\n\r\nEvent: Two\r\n\r\n")
    assert read == [{"Event": "One", "Queue": "a", "Uniqueid": "1"}, {"Event": "Two"}]
    assert parser.long_lines == 1


def test_a_block_without_end_is_thrown_away_and_the_next_is_read() -> None:
    parser = Blocks()
    endless = b"Event: One\r\n" + b"Variable: x=1\r\n" * (BLOCK_LINES + 1)
    assert parser.feed(endless + b"\r\nEvent: Two\r\n\r\n") == [{"Event": "Two"}]
    assert parser.long_blocks == 1


def test_headers_in_other_letters_twice_or_without_blanks() -> None:
    stream = b"event:AgentConnect\nQUEUE:  norsk \nQueue: other\nHoldtime: 3\nMessage: no\n\n"
    assert Blocks().feed(stream) == [{"Event": "AgentConnect", "Queue": "norsk", "HoldTime": "3"}]


# What may be sent ------------------------------------------------------------------


def test_only_actions_that_change_nothing_may_leave() -> None:
    assert isinstance(ACTIONS, frozenset)
    assert {"Challenge", "Login", "Logoff", "Ping", "QueueStatus", "QueueSummary"} == ACTIONS
    for action in ("QueueReset", "QueueWithdrawCaller", "BridgeKick", "ping", "Ping\r\nAction: QueueReset"):
        with pytest.raises(ValueError, match="not on the list"):
            ami.encode(action, {})


@trying(deadline=None)
@given(st.sampled_from(sorted(ACTIONS)), st.sampled_from(sorted(ami.FIELDS)), st.text(max_size=30))
def test_no_value_can_carry_a_second_line(action: str, field: str, value: str) -> None:
    try:
        data = ami.encode(action, {field: value})
    except ValueError as error:
        assert not value or value.isspace() or value not in str(error)  # it may be the secret
        return
    assert data == f"Action: {action}\r\n{field}: {value}\r\n\r\n".encode()
    assert len(data.decode().splitlines()) == 3


def test_no_other_field_may_leave() -> None:
    with pytest.raises(ValueError, match="'Queue' is not on the list"):
        ami.encode("QueueStatus", {"Queue": "norsk"})


def test_the_page_for_technicians_lists_the_same_actions_and_headers() -> None:
    page = (Path(__file__).parent.parent / "docs" / "pbx" / "asterisk.md").read_text(encoding="utf-8")
    sent, kept_table = (page.split(f"## {title}\n")[1].split("\n## ")[0] for title in
                        ("What the gateway sends", "What it keeps of what it hears"))  # fmt: skip
    assert set(re.findall(r"^\| `(\w+)` \|", sent, re.M)) == ACTIONS
    rows = re.findall(r"^\| (`.*?`) \|", kept_table, re.M)
    assert {name.strip("`") for row in rows for name in row.split(", ")} == KEPT


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Local/1001@agents/n", "Local/1001@agents"),
        ("Local/1001@agents", "Local/1001@agents"),
        (" local/1001@from-queue/nj ", "local/1001@from-queue"),
        ("PJSIP/1001", "PJSIP/1001"),
        ("SIP/kiosk", "SIP/kiosk"),
    ],
)
def test_an_extension_is_the_same_with_and_without_its_options(text: str, key: str) -> None:
    assert extension_key(text) == key


# The recording ---------------------------------------------------------------------

Step = tuple[int, int, int]  # waiting, joined, answered


def true_steps(name: str) -> dict[str, list[Step]]:
    """What each queue went through, by the PBX's own Count headers."""
    steps: dict[str, list[Step]] = {queue: [(0, 0, 0)] for queue in QUEUES.values()}
    for block in blocks(recording(name)):
        kind = block.get("Event")
        if kind not in ("QueueCallerJoin", "QueueCallerLeave", "AgentConnect"):
            continue
        row = steps[QUEUES[block["Queue"]]]
        waiting, joined, answered = row[-1]
        if kind == "AgentConnect":
            row.append((waiting, joined, answered + 1))
        else:
            row.append((int(block["Count"]), joined + (kind == "QueueCallerJoin"), answered))
    return steps


def logged() -> list[list[str]]:
    """The rows of Asterisk's own log."""
    return [line.split("|") for line in (DATA / "queue_log.txt").read_text().splitlines()]


def logged_counts() -> dict[str, Counter[str]]:
    """How often each thing stands in the log, by our queues' ids."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in logged():
        if row[2] in QUEUES:
            counts[QUEUES[row[2]]][row[4]] += 1
    return counts


def apply(event: events.Event, figures: dict[str, QueueFigures]) -> None:
    """As the floor hands events on."""
    for queue, row in figures.items():
        if getattr(event, "queue", queue) == queue:
            row.apply(event)


class Trace:
    """Takes events as the floor does, and keeps each step the figures made."""

    def __init__(self) -> None:
        self.figures = {queue: QueueFigures() for queue in QUEUES.values()}
        self.steps: dict[str, list[Step]] = {queue: [] for queue in QUEUES.values()}
        self.told: list[events.Event] = []

    def __call__(self, event: events.Event) -> None:
        self.told.append(event)
        apply(event, self.figures)
        for queue, row in self.figures.items():
            if not row.known:
                continue
            step = (row.waiting, row.joined, row.answered)
            assert step[0] is not None and step[1] is not None and step[2] is not None
            if not self.steps[queue] or self.steps[queue][-1] != step:
                self.steps[queue].append(step)  # type: ignore[arg-type]

    @property
    def away(self) -> str:
        """Why the source is away; empty while it is there."""
        last = [event for event in self.told if isinstance(event, events.Away | events.Back)][-1:]
        return last[0].reason if last and isinstance(last[0], events.Away) else ""

    def all_left(self) -> bool:
        """True once every leave of the recording is decided: the grace runs in real time."""
        keys = sum(count["EXITWITHKEY"] for count in logged_counts().values())
        return sum(row.totals.left for row in self.figures.values()) == keys

    def check_against_the_log(self) -> None:
        """Everything counted is what Asterisk's own log says, and in its order."""
        for queue, count in logged_counts().items():
            totals = self.figures[queue].totals
            assert totals.joined == count["ENTERQUEUE"]
            assert totals.answered == count["CONNECT"]
            assert totals.abandoned == count["ABANDON"] + count["EXITWITHTIMEOUT"]
            assert totals.left == count["EXITWITHKEY"]
            assert totals.vanished == 0
        ours = [(event.queue, "ENTERQUEUE" if isinstance(event, events.Joined) else "CONNECT")
                for event in self.told if isinstance(event, events.Joined | events.Answered)]  # fmt: skip
        theirs = [(QUEUES[row[2]], row[4]) for row in logged() if row[4] in ("ENTERQUEUE", "CONNECT")]
        for queue in QUEUES.values():
            assert [row for row in ours if row[0] == queue] == [row for row in theirs if row[0] == queue]

    def check_the_waits(self) -> None:
        """Mean wait: within what the log's whole seconds allow."""
        for name, queue in QUEUES.items():
            waits = [int(row[5]) for row in logged() if row[2] == name and row[4] == "CONNECT"]
            asa = self.figures[queue].asa_s
            assert asa is not None and abs(asa - sum(waits) / len(waits)) < 0.5


@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_without_any_network(name: str) -> None:
    adapter, trace, doubts = Adapter(QUEUES), Trace(), 0
    now = 0.0
    for block in Blocks().feed(recording(name)):
        now = float(block.get("Timestamp", now))
        for event in [*adapter.due(now), *adapter.event(block, now)]:
            trace(event)
        doubts += adapter.doubt and "QueueSummary" in block.get("Event", "")
    for event in adapter.due(now + 1):
        trace(event)
    assert trace.steps == true_steps(name)
    assert doubts == 0  # every summary in it agrees with what was counted
    trace.check_against_the_log()
    trace.check_the_waits()
    talks = [event.talk_s for event in trace.told if isinstance(event, events.Completed)]
    complete = [block for block in blocks(recording(name)) if block.get("Event") == "AgentComplete"]
    assert talks == [float(block["TalkTime"]) for block in complete]


def test_a_recording_cut_at_every_list_gives_the_same_figures() -> None:
    """The link breaks at each list, and the list after it is what the next link begins with."""
    adapter, trace = Adapter(QUEUES), Trace()
    now, cuts = 0.0, 0
    for block in Blocks().feed(recording("agent-events.txt")):
        now = float(block.get("Timestamp", now))
        if block.get("Message") == "Queue status will follow" and trace.told:
            cuts += 1
            for event in adapter.lost("cut", now):
                trace(event)
            assert trace.figures["no"].waiting is None
        for event in [*adapter.event(block, now), *adapter.due(now)]:
            trace(event)
    for event in adapter.due(now + 1):
        trace(event)
    assert cuts == 5
    assert {queue: row[-1] for queue, row in trace.steps.items()} == \
        {queue: row[-1] for queue, row in true_steps("agent-events.txt").items()}  # fmt: skip
    trace.check_against_the_log()


# Over TCP --------------------------------------------------------------------------


def settings(port: int, user: str = "callfloor") -> floorplan.Asterisk:
    return floorplan.Asterisk(host="127.0.0.1", port=port, user=user, secret_file=Path("unused"))


@contextlib.asynccontextmanager
async def connected(port: int, trace: Trace, secret: str = "secret") -> AsyncIterator[Asterisk]:
    """The real client, for as long as the block lasts."""
    source = Asterisk(settings(port), secret, QUEUES, trace)
    task = asyncio.create_task(source.run())
    try:
        yield source
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(met: object, what: str, within_s: float = 10) -> None:
    """Returns as soon as `met()` is true; fails with `what` after `within_s`."""
    assert callable(met)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not met():
                await asyncio.sleep(0.005)
    assert met(), f"not within {within_s:g} s: {what}"


@pytest.mark.parametrize("speed", [50, AT_ONCE])
@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_over_tcp_is_followed_at_every_step(name: str, speed: float) -> None:
    async def run() -> tuple[Trace, bytes]:
        feed, trace = Feed(recording(name), speed), Trace()
        async with serving(feed.talk) as port, connected(port, trace):
            await asyncio.wait_for(feed.fed.wait(), 20)
            await until(trace.all_left, "all leaves")
            assert trace.away == ""
        return trace, feed.heard

    trace, heard = asyncio.run(run())
    assert trace.steps == true_steps(name)
    trace.check_against_the_log()
    trace.check_the_waits()  # even in fast motion: the PBX's own seconds count then
    assert set(re.findall(rb"Action: (.*)\r\n", heard)) <= {action.encode() for action in ACTIONS}


@pytest.mark.parametrize("answer", [
    b"",
    b"Response: Success\r\nActionID: callfloor-1\r\n\r\n",
    b"Response: Error\r\nActionID: callfloor-1\r\nMessage: Invalid/unknown command\r\n\r\n",
])  # fmt: skip
def test_a_recording_that_waits_until_it_is_spoken_to(answer: bytes) -> None:
    """No banner first, and at best a clumsy answer to the challenge."""
    stream = recording("agent-events.txt")
    script = [(b"\r\n\r\n", answer), (b"\r\n\r\n", stream)] if answer else [(b"\r\n\r\n", stream)]

    async def run() -> Trace:
        trace = Trace()
        async with serving(scripted(script, False)) as port, connected(port, trace):
            await until(trace.all_left, "all leaves")
        return trace

    assert asyncio.run(run()).steps == true_steps("agent-events.txt")


class Caught(logging.Handler):
    """Every line any logger writes."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    root, caught = logging.getLogger(), Caught()
    level = root.level
    root.addHandler(caught)
    root.setLevel(logging.DEBUG)
    yield caught.lines
    root.removeHandler(caught)
    root.setLevel(level)


def secrets_of(stream: bytes) -> set[str]:
    """Every caller's number and name, member's name, channel, pause reason and call id in a stream."""
    private = re.compile(r"CallerID|ConnectedLine|MemberName|^Name$|Reason$|Channel$|Uniqueid|Linkedid")
    return {value for block in blocks(stream) for name, value in block.items()
            if private.search(name) and len(value) > 3 and value not in ("agent", "caller")}  # fmt: skip


def test_nobodys_name_leaves_the_adapter(log_lines: list[str]) -> None:
    async def run() -> Trace:
        feed, trace = Feed(recording("all-events.txt.gz")), Trace()
        async with serving(feed.talk) as port, connected(port, trace):
            await asyncio.wait_for(feed.fed.wait(), 20)
            await until(trace.all_left, "all leaves")
        return trace

    trace = asyncio.run(run())
    names = secrets_of(recording("all-events.txt.gz"))
    assert {"Lunsj", "Agent 1007", "Kunde 0", "+4771924865", "rig-1795292413.1"} <= names
    text = "\n".join([*map(repr, trace.told), *log_lines])
    assert "Local/1001@agents" in text  # what a desk is tied by
    assert len(trace.told) > 500 and [name for name in names if name in text] == []


# One call at a time ----------------------------------------------------------------


class Line:
    """An adapter at work: says events to it at chosen times."""

    def __init__(self, queues: dict[str, str] | None = None) -> None:
        self.adapter = Adapter(queues or QUEUES)
        self.trace = Trace()
        self.now = 1000.0
        self.lists()

    def say(self, name: str, uid: str = "", queue: str = "norsk", **more: str) -> list[events.Event]:
        block = {"Event": name, "Queue": queue, **({"Uniqueid": uid} if uid else {}), **more}
        return self._hand_on(self.adapter.event(block, self.now))

    def lists(self, *uids: str, wait: int = 5, number: str = "callfloor-1") -> list[events.Event]:
        """A whole list: who waits at norsk; polski is empty."""
        told = self.say("QueueParams", ActionID=number)
        for uid in uids:
            told += self.say("QueueEntry", uid, Wait=str(wait), ActionID=number)
        told += self.say("QueueParams", queue="polski", ActionID=number)
        return told + self.say("QueueStatusComplete", ActionID=number)

    def later(self, seconds: float) -> list[events.Event]:
        self.now += seconds
        return self._hand_on(self.adapter.due(self.now))

    def cut(self) -> None:
        self._hand_on(self.adapter.lost("cut", self.now))

    def _hand_on(self, told: list[events.Event]) -> list[events.Event]:
        for event in told:
            self.trace(event)
        return told

    @property
    def totals(self) -> tuple[int, int, int, int, int]:
        row = self.trace.figures["no"].totals
        return row.joined, row.answered, row.abandoned, row.left, row.vanished


def test_a_key_press_is_a_leave_with_nothing_behind_it() -> None:
    line = Line()
    line.say("QueueCallerJoin", "u1")
    line.later(7)
    assert line.say("QueueCallerLeave", "u1") == [events.Gone("no", 1, 1007.0)]
    assert line.trace.figures["no"].waiting == 0
    assert line.later(0.125) == []
    assert line.later(0.125) == [events.Left("no", 1, 1007.25)]
    assert line.totals == (1, 0, 0, 1, 0)


def test_an_answer_that_a_slow_link_held_back_corrects_the_leave() -> None:
    line = Line()
    line.say("QueueCallerJoin", "u1")
    line.say("QueueCallerLeave", "u1")
    line.later(2)
    assert line.totals == (1, 0, 0, 1, 0)
    told = line.say("AgentConnect", "u1", Interface="Local/1001@agents/n", HoldTime="2")
    assert told == [events.Answered("no", 1, 1002.0, "Local/1001@agents", 2.0)]
    assert line.totals == (1, 1, 0, 0, 0)


def test_the_same_caller_in_two_queues_counts_once_in_each() -> None:
    line = Line()
    line.say("QueueCallerJoin", "u1")
    line.say("QueueCallerLeave", "u1")
    line.say("QueueCallerJoin", "u1", "polski")  # pressed a key that leads to the other queue
    assert line.totals == (1, 0, 0, 1, 0)
    line.say("QueueCallerLeave", "u1", "polski")
    line.say("AgentConnect", "u1", "polski", Interface="SIP/7", HoldTime="0")
    line.later(1)
    assert line.totals == (1, 0, 0, 1, 0)
    polski = line.trace.figures["pl"]
    assert (polski.joined, polski.answered, polski.left, polski.waiting) == (1, 1, 0, 0)
    line.say("QueueCallerJoin", "u1")  # and back again, after the talk
    line.later(1)
    assert line.totals == (2, 0, 0, 1, 0) and line.trace.figures["no"].waiting == 1


def test_events_that_come_behind_a_newer_list_are_not_counted_twice() -> None:
    line = Line()
    line.say("QueueCallerJoin", "u1")
    line.lists("u2")  # u1 has been answered and u2 has joined; the events are still on their way
    assert line.trace.figures["no"].waiting == 1
    line.say("QueueCallerLeave", "u1")
    line.say("AgentConnect", "u1", Interface="SIP/7", HoldTime="0")
    assert line.say("QueueCallerJoin", "u2") == []
    line.later(1)
    assert line.totals == (2, 1, 0, 0, 0) and line.trace.figures["no"].waiting == 1


def test_who_is_known_is_not_counted_again_after_a_break() -> None:
    line = Line()
    for uid in ("u1", "u2", "u3"):
        line.say("QueueCallerJoin", uid)
    line.cut()
    assert line.trace.figures["no"].waiting is None and line.trace.figures["no"].joined is None
    line.now += 60
    told = line.lists("u2", "u4", wait=50)  # u1 and u3 have gone, nobody saw why; u4 is new
    assert told == [
        events.Waiting("no", ((2, 1000.0), (4, 1010.0))),
        events.Waiting("pl", ()),
        events.Back(),
    ]
    line.later(1)
    assert line.totals == (4, 0, 0, 0, 2)
    assert line.trace.figures["no"].oldest_since_s == 1000.0


def test_a_call_is_answered_in_the_moment_the_link_breaks() -> None:
    line = Line()
    line.say("QueueCallerJoin", "u1")
    line.say("QueueCallerLeave", "u1")
    line.cut()
    line.lists()
    line.later(1)
    assert line.totals == (1, 0, 0, 0, 1)  # not "left by a key": that would be a guess


def test_ends_of_callers_whose_beginning_nobody_saw() -> None:
    line = Line()
    line.say("QueueCallerLeave", "u1")
    told = line.say("AgentConnect", "u1", Interface="SIP/7", HoldTime="30")
    assert told == [events.Joined("no", 1, 970.0), events.Answered("no", 1, 1000.0, "SIP/7", 30.0)]
    line.say("AgentConnect", "u1", Interface="SIP/7", HoldTime="30")  # said twice
    line.say("QueueCallerAbandon", "u2", HoldTime="4")
    line.say("QueueCallerLeave", "u2")
    line.say("QueueCallerAbandon", "u3")  # half an event
    line.later(1)
    assert line.totals == (2, 1, 1, 0, 0)


def test_a_list_somebody_else_asked_for_does_as_well_as_ours() -> None:
    line = Line()
    line.cut()
    assert line.lists("u1", number="a2")[-1] == events.Back()
    part = line.say("QueueParams", ActionID="a9") + line.say("QueueStatusComplete", ActionID="a9")
    assert part == [events.Waiting("no", ())]  # of one queue only: nothing is said of the other


def test_two_lists_at_once_are_told_apart_by_their_number() -> None:
    line = Line()
    line.say("QueueParams", ActionID="callfloor-7")
    line.say("QueueParams", ActionID="b")
    line.say("QueueEntry", "u1", Wait="1", ActionID="callfloor-7")
    line.say("QueueParams", queue="polski", ActionID="callfloor-7")
    line.say("QueueEntry", "u2", Wait="2", ActionID="b")
    assert line.say("QueueStatusComplete", ActionID="callfloor-7")[0] == events.Waiting("no", ((1, 999.0),))
    assert line.say("QueueStatusComplete", ActionID="b")[0] == events.Waiting("no", ((2, 998.0),))


def test_a_queue_the_pbx_does_not_have_says_what_was_meant() -> None:
    line = Line({"polsky": "pl", "NORSK": "no"})
    told = [event for event in line.trace.told if isinstance(event, events.Missing)]
    assert told == [events.Missing("pl", "the PBX has no queue 'polsky': did you mean 'polski'?")]
    row = line.trace.figures["pl"]
    assert row.waiting is None and "did you mean" in row.reason
    assert line.trace.figures["no"].known  # the PBX does not mind capitals
    line.say("QueueCallerJoin", "u1", "polsky")  # a queue from a database appears with its first caller
    assert line.trace.figures["pl"].waiting == 1


def test_members_are_told_once_and_gone_when_a_list_lacks_them() -> None:
    line = Line()
    ring = {"Interface": "Local/1@agents/n", "MemberName": "Kari", "Status": "6", "Paused": "0"}
    assert line.say("QueueMemberStatus", **ring) == [events.Member("no", "Local/1@agents", "ringing", False)]
    assert line.say("QueueMemberStatus", **ring) == []
    told = line.say("QueueMemberPause", **{**ring, "Status": "8", "Paused": "1"})
    assert told == [events.Member("no", "Local/1@agents", "held", True)]
    assert events.MemberGone("no", "Local/1@agents") in line.lists()
    line.say("QueueMemberAdded", **ring)
    assert line.say("QueueMemberRemoved", **ring) == [events.MemberGone("no", "Local/1@agents")]
    assert line.say("QueueMemberStatus", queue="another", **ring) == []
    assert line.adapter.dropped["queue"] == 1


def test_everything_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.queues import figures, translate

    for module in (translate, figures):
        monkeypatch.setattr(module, "CALLS", 100)
    monkeypatch.setattr(translate, "MEMBERS", 50)
    monkeypatch.setattr(translate, "DECIDED", 10)
    line = Line()
    for number in range(500):
        line.later(0.01)
        line.say("QueueCallerJoin", f"w{number}")
        line.say("QueueMemberAdded", Interface=f"SIP/{number}", Status="1")
        line.say("QueueParams", ActionID=f"never-ended-{number}")
    for number in range(500):
        line.say("QueueCallerJoin", f"t{number}")
        line.say("QueueCallerLeave", f"t{number}")
        line.say("AgentConnect", f"t{number}", Interface=f"SIP/{number}", HoldTime="0")
    adapter = line.adapter
    assert len(adapter._visits) <= 100 and len(adapter._talks) == 100 and len(adapter._talks_of) == 100
    assert len(adapter._members) == 50 and len(adapter._lists) <= 4 and len(adapter._decided) == 10
    assert line.trace.figures["no"].waiting == len(adapter._visits) == adapter._count["no"]
    line.later(25 * 3600)
    assert not adapter._visits and not adapter._talks and not adapter._talks_of
    assert line.trace.figures["no"].waiting == 0
    joined, answered, _, _, vanished = line.totals
    assert (joined, answered + vanished) == (1000, 1000)


def test_a_pbx_that_lets_us_in_but_tells_us_nothing_is_not_believed() -> None:
    line = Line()
    assert line.trace.figures["no"].known
    for _ in range(2):  # the list shows callers, no event ever does
        line.say("QueueSummary", Callers="3")
        assert line.adapter.doubt
        line.lists()
    assert line.adapter.unheard == 2
    line.adapter.deaf = True
    line.cut()
    line.lists("u1")
    assert line.trace.figures["no"].waiting is None
    line.say("QueueCallerJoin", "u2")
    assert line.adapter.doubt
    line.lists("u1", "u2")
    assert line.trace.figures["no"].waiting == 2


# A link and its troubles -----------------------------------------------------------

Script = list[tuple[bytes, bytes]]  # what is waited for, and what is said then


def scripted(script: Script, then_close: bool) -> Talk:
    """A server that says what the script says, and nothing else."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for wait_for, say in script:
            if wait_for:
                await reader.readuntil(wait_for)
            writer.write(say)
            await writer.drain()
        if then_close:
            writer.close()
        else:
            await reader.read()

    return talk


BANNER = b"Asterisk Call Manager/9.0.0\r\n"
ACCEPTED = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"  # no ActionID
EMPTY_LIST = b"Event: QueueStatusComplete\r\nEventList: Complete\r\n\r\n"

TROUBLES: dict[str, tuple[Script, bool, str]] = {
    "refused": (
        [(b"", BANNER), (b"\r\n\r\n", b"Response: Error\r\nMessage: Must specify AuthType\r\n\r\n"),
         (b"\r\n\r\n", b"Response: Error\r\nMessage: Authentication failed\r\n\r\n")], True,
        "refuses the user 'callfloor' (Authentication failed): check [callfloor] in its manager.conf"),
    "another service": ([(b"", b"SSH-2.0-OpenSSH_9.2\r\n")], True, "does not answer as an Asterisk manager"),
    "a door that shuts": ([(b"", BANNER), (b"\r\n\r\n", b"")], True, "may this address connect"),
    "silent at the login": ([(b"", BANNER)], False, "did not answer the login"),
    "no app_queue": (
        [(b"", BANNER + ACCEPTED),
         (b"ActionID: callfloor-1\r\n\r\n", b"Response: Error\r\nActionID: callfloor-1\r\n"
                                            b"Message: Invalid/unknown command\r\n\r\n")], False,
        "does not list its queues (Invalid/unknown command): is app_queue loaded"),
    "no list": ([(b"", BANNER + ACCEPTED)], False, "does not list its queues in time"),
    "hangs up": ([(b"", BANNER + ACCEPTED + EMPTY_LIST)], True, "closed the connection"),
    "silent": ([(b"", BANNER + ACCEPTED + EMPTY_LIST)], False, "has been silent for"),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_trouble_says_what_is_the_matter(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, then_close, words = TROUBLES[trouble]
    for module, name, seconds in ((ami, "ANSWER_S", 0.3), (asterisk, "ANSWER_S", 0.3),
                                  (asterisk, "QUIET_S", 0.4), (asterisk, "TICK_S", 0.02)):  # fmt: skip
        monkeypatch.setattr(module, name, seconds)
    monkeypatch.setattr(asterisk, "AGAIN_S", (60.0, 60.0))

    async def run() -> Trace:
        trace = Trace()
        async with serving(scripted(script, then_close)) as port, connected(port, trace):
            await until(lambda: words in trace.away, f"away because it {words}", 5)
        return trace

    trace = asyncio.run(run())
    assert len(trace.away) <= events.REASON_LENGTH
    assert "secret" not in trace.away.replace("secret_file", "")
    assert trace.figures["no"].waiting is None


def test_nobody_there_and_no_such_host() -> None:
    async def run(host: str, port: int) -> str:
        trace = Trace()
        where = floorplan.Asterisk(host=host, port=port, user="u", secret_file=Path("unused"))
        task = asyncio.create_task(Asterisk(where, "s", QUEUES, trace).run())
        await until(lambda: "cannot be reached" in trace.away, "words about it")
        task.cancel()
        return trace.away

    with contextlib.closing(__import__("socket").socket()) as free:
        free.bind(("127.0.0.1", 0))
        away = asyncio.run(run("127.0.0.1", free.getsockname()[1]))
    assert "(Connection refused): is it running, is AMI enabled there?" in away


def test_a_link_that_delivers_byte_by_byte_with_a_line_of_10_mb_in_it() -> None:
    """Half events, a huge line and odd pieces at a link of its own: the figures are still right."""
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    stream = recording("agent-events.txt")
    cut = stream.index(b"Event: QueueCallerJoin")
    huge = b"Event: Newchannel\r\nChannel: " + b"y" * 10_000_000 + b"\r\nQueue: norsk\r\n\r\n"
    stream = stream[:cut] + huge + stream[cut:]

    async def run() -> Trace:
        trace, done = Trace(), asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            place = 0
            while place < len(stream):
                step = chance.choice((1, 7, 100, 3000, 1_000_000))
                writer.write(stream[place : place + step])
                await writer.drain()
                place += step
            done.set()
            await reader.read()

        async with serving(talk) as port, connected(port, trace):
            await asyncio.wait_for(done.wait(), 30)
            await until(trace.all_left, "all leaves")
        return trace

    trace = asyncio.run(run())
    assert trace.steps == true_steps("agent-events.txt")
    trace.check_against_the_log()
