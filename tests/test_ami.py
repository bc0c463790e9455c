"""The AMI parser, what may be sent, and a real PBX's recorded stream through the real client."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import hashlib
import itertools
import logging
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
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
    names = {name.lower(): name for name in (KEPT - ami.OF_RESPONSES if "Event" in block else KEPT)}
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
    parser, place = Blocks(), 0
    read: list[ami.Block] = []
    for size in sizes:
        read += parser.feed(stream[place : place + size])
        place += size
    read += parser.feed(stream[place:])
    assert read == Blocks().feed(stream)


def slowly(stream: bytes, heard: frozenset[str] | None) -> list[dict[str, str]]:
    """What a reader makes of a stream that knows nothing but lines."""
    read: list[dict[str, str]] = []
    block: dict[str, str] = {}
    banner = False
    for line in stream.split(b"\n")[:-1]:
        name, _, value = line.decode("utf-8", "replace").partition(":")
        header = KEEP.get(name.lower().encode())
        if line.startswith(b"Asterisk Call Manager/"):
            block = {}
            read += [{"Banner": ""}] if banner else []
            banner = True
        elif line in (b"", b"\r"):
            wanted = heard is None or "Event" not in block or block["Event"] in heard
            if block and wanted:
                read.append({key: value for key, value in block.items()
                             if "Event" not in block or key not in ami.OF_RESPONSES})  # fmt: skip
            block = {}
        elif header and header not in block and len(value.strip()) <= ami.VALUE_LENGTH:
            block[header] = value.strip()
    return read


HEADER = st.sampled_from([b"Queue", b"Uniqueid", b"HoldTime", b"Status", b"Channel", b"Message", b"Response"])
VALUE = st.sampled_from([b"", b"1", b"norsk", b"\xc3\xb8l", b"\xff", b" a: b ", b"x" * 300, b"c" * 3000])
BLOCK = st.tuples(
    st.sampled_from([b"Event: QueueCallerJoin", b"Event: Hangup", b"Event:FullyBooted", b"Response: Success",
                     b"Asterisk Call Manager/7.0.3", b"Asterisk Call Manager/7.0.3\nEvent: Hangup"]),
    st.lists(st.tuples(HEADER, VALUE).map(lambda header: b"%s: %s" % header), max_size=6),
).map(lambda block: b"\n".join([block[0], *block[1]]))  # fmt: skip
SESSION = st.tuples(st.lists(BLOCK, max_size=8), st.sampled_from([b"\r\n", b"\n"])).map(
    lambda session: b"".join(block + b"\n\n" for block in session[0]).replace(b"\n", session[1])
)
CUT = st.tuples(SESSION, st.integers(0, 400)).map(lambda session: session[0][: -session[1] or None])
STREAM = st.tuples(st.lists(st.one_of(SESSION, CUT), max_size=4).map(b"".join), st.booleans()).map(
    lambda stream: (
        re.sub(rb"(?m)^\w+:", lambda header: header[0].lower(), stream[0]) if stream[1] else stream[0]
    )
)
HEARD_TWO = frozenset({"QueueCallerJoin", "FullyBooted"})


@example(
    b"Event: Hangup\nQueue: a\n\nEvent: QueueCallerJoin\nQueue: b\n\nEvent: Hangup\r\n\r\n", HEARD_TWO, [99]
)
@example(
    b"Event: Hangup\r\nChannel: Local/\r\nAsterisk Call Manager/7.0.3\r\nResponse: Success\r\n\r\n",
    HEARD_TWO,
    [99],
)
@trying(deadline=None, max_examples=150)
@given(
    STREAM,
    st.sampled_from([None, HEARD_TWO]),
    st.lists(st.integers(1, 300), min_size=1, max_size=5),
)
def test_blocks_taken_whole_are_what_a_reader_of_lines_sees(
    stream: bytes, heard: frozenset[str] | None, sizes: list[int]
) -> None:
    expected = slowly(stream + b"\n\n", heard)
    for pieces in ([len(stream)], sizes):
        parser, place = Blocks(heard), 0
        read: list[ami.Block] = []
        for asked in itertools.cycle(pieces or [1]):
            size = max(asked, len(stream) // 1000)  # a long one by single bytes takes a minute
            read += parser.feed(stream[place : place + size])
            place += size
            if place >= len(stream):
                break
        read += parser.feed(b"\n\n")
        assert [{"Banner": ""} if "Banner" in block else block for block in read] == expected


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
def test_a_block_is_told_as_soon_as_it_is_complete(ends: bytes) -> None:
    """Also behind one that is too long to wait for, and a line at a time."""
    parser = Blocks()
    long = [b"Event: Long", *([b"Variable: " + b"v" * 90] * 200), b"Queue: a", b""]
    short = [b"Asterisk Call Manager/9.0.0", b"Event: Short", b"Queue: b", b""]
    read: list[ami.Block] = []
    for line in [*short, *long, *long, *short]:
        told = parser.feed(line + ends)
        assert bool(told) == (line == b"" or (line == short[0] and bool(read)))
        read += told
    names = [block.get("Event", "greeted") for block in read]
    assert names == ["Short", "Long", "Long", "greeted", "Short"] and not parser.unfinished


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
            assert set(block) <= KEPT | {"Banner"}
            assert all(len(value) <= ami.VALUE_LENGTH for value in block.values())
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
    endless = b"Event: One\r\nQueue: a\r\n" + b"Variable: x=1\r\n" * (BLOCK_LINES + 1)
    assert parser.feed(endless + b"\r\nEvent: Two\r\n\r\n") == [{"Event": "Two"}]
    assert parser.long_blocks == 1


def test_headers_in_other_letters_twice_or_without_blanks() -> None:
    stream = b"event:AgentConnect\nQUEUE:  norsk \nQueue: other\nHoldtime: 3\nMessage: no\n\n"
    assert Blocks().feed(stream) == [{"Event": "AgentConnect", "Queue": "norsk", "HoldTime": "3"}]


# What may be sent ------------------------------------------------------------------

GATEWAY = Path(ami.__file__).parent.parent


def calls_of(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a tree, with the last word of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).split(".")[-1], node


def test_encode_is_the_only_way_to_the_pbx() -> None:
    """One place writes to the transport, and what it writes has just come out of `encode`."""
    writers = []
    for path in sorted((GATEWAY / "queues").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for name, call in calls_of(function):
                if name in {
                    "write",
                    "writelines",
                    "write_eof",
                    "sendall",
                    "sendto",
                    "sendfile",
                    "sock_sendall",
                }:
                    writers.append((path.name, function.name, ast.unparse(call)))
                    made = [ast.unparse(node.value) for node in ast.walk(function)
                            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "data"]  # fmt: skip
    assert writers == [("ami.py", "send", "self._transport.write(data)")]
    assert made == ["encode(action, {'ActionID': number, **fields})"]


def test_every_action_that_is_sent_is_written_in_the_code() -> None:
    """The first word of send and ask is a literal on the list, the names of fields too; nobody else has a Link."""
    sent = set()
    for path in sorted(GATEWAY.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        if path.parent.name != "queues":
            taken = [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                     and node.module == "gateway.queues.ami" for alias in node.names]  # fmt: skip
            assert not {"Link", "connect", "encode"} & set(taken) and "queues import ami" not in text
            continue
        for name, call in calls_of(tree):
            if name not in ("send", "ask") or path.name not in ("ami.py", "asked.py", "asterisk.py"):
                continue
            if ast.unparse(call) == "self.send(action, **fields)":
                continue  # ask hands on what it was given
            action = call.args[0]
            assert isinstance(action, ast.Constant) and action.value in ACTIONS
            assert {keyword.arg for keyword in call.keywords} <= ami.FIELDS
            sent.add(action.value)
    assert sent == ACTIONS


@pytest.mark.parametrize("name", ["ACTIONS", "FIELDS"])
def test_nothing_can_be_put_on_the_list(name: str) -> None:
    listed = getattr(ami, name)
    for verb in ("add", "update", "remove", "clear"):
        assert not hasattr(listed, verb)
    tree = ast.parse(Path(ami.__file__).read_text(encoding="utf-8"))
    targets = [ast.unparse(target) for node in ast.walk(tree) if isinstance(node, ast.Assign)
               for target in node.targets]  # fmt: skip
    assert targets.count(name) == 1
    for path in GATEWAY.rglob("*.py"):
        assert f"ami.{name} =" not in path.read_text(encoding="utf-8")


INJECTED = "x\r\nAction: QueueReset\r\n\r\nAction: Ping"


@pytest.mark.parametrize(
    ("user", "secret"),
    [(INJECTED, "secret"), ("callfloor", INJECTED), ("a\nb", "s"), ("\u2028Action: QueueReset", "s"),
     ("callfloor\0", "s"), ("x" * 5000, "s")],
)  # fmt: skip
@pytest.mark.parametrize("challenge", [b"Response: Success\r\nChallenge: 7\r\n\r\n",
                                       b"Response: Error\r\nMessage: no\r\n\r\n"])  # fmt: skip
def test_a_user_or_secret_from_the_site_file_cannot_bring_an_action_along(
    user: str, secret: str, challenge: bytes
) -> None:
    """Through the real client and a socket: what arrives there is only what is on the list."""
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(BANNER)
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(challenge)
        while line := await reader.readline():
            heard.append(line)

    async def run() -> None:
        trace = Trace()
        async with serving(talk) as port:
            where = settings(port, user)
            task = asyncio.create_task(Asterisk(where, secret, QUEUES, trace).run())
            done = lambda: "characters that end a line" in trace.away or b"Login" in b"".join(heard)  # noqa: E731
            await until(done, "an end to the login", 5)
            await asyncio.sleep(0.05)
            task.cancel()

    asyncio.run(run())
    said = b"".join(heard)
    assert b"QueueReset" not in said
    actions = re.findall(rb"^Action: (.*)\r$", said, re.M)
    assert actions and set(actions) <= {action.encode() for action in ACTIONS}
    assert len(re.findall(rb"(?m)^Action:", said)) == said.count(b"\r\n\r\n")


def test_what_the_pbx_says_brings_no_action_along_either() -> None:
    """A challenge is the only thing of the PBX's that goes back to it: as a digest."""
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(BANNER)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"Response: Success\r\nChallenge: 7\rAction: QueueReset\r\n\r\n")
        heard.append(await reader.readuntil(b"\r\n\r\n"))

    async def run() -> None:
        async with serving(talk) as port, connected(port, Trace()):
            await until(lambda: heard, "the login", 5)

    asyncio.run(run())
    assert re.fullmatch(
        rb"Action: Login\r\nActionID: callfloor-2\r\nAuthType: MD5\r\nUsername: callfloor\r\n"
        rb"Key: [0-9a-f]{32}\r\n\r\n",
        heard[0],
    )


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
            assert row.waiting is not None
            step = (row.waiting, row.totals.joined, row.totals.answered)
            if not self.steps[queue] or self.steps[queue][-1] != step:
                self.steps[queue].append(step)

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
            asa = self.figures[queue].rate("asa_s")
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


SALT = b"sixteen bytes: x"


def key(uid: str) -> bytes:
    """What a caller is known by outside of the adapter."""
    return hashlib.blake2b(uid.encode(), key=SALT, digest_size=16).digest()


class Line:
    """An adapter at work: says events to it at chosen times. `remembered`: as Adapter.remember takes it."""

    def __init__(
        self, queues: dict[str, str] | None = None, remembered: Sequence[tuple[str, int, bytes, float]] = ()
    ) -> None:
        self.adapter = Adapter(queues or QUEUES, SALT)
        self.adapter.remember(remembered)
        self.trace = Trace()
        for queue, row in self.trace.figures.items():
            row.remember([(call, since) for name, call, _, since in remembered if name == queue])
        self.now = 1000.0
        if not remembered:
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
    assert line.later(0.125) == [events.Left("no", 1, 1007.0)]  # when it left, not when that was clear
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
    assert (polski.totals.joined, polski.totals.answered, polski.totals.left) == (1, 1, 0)
    assert polski.waiting == 0
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
    assert line.trace.figures["no"].waiting is None and line.trace.figures["no"].count("joined") is None
    line.now += 60
    told = line.lists("u2", "u4", wait=59)  # u1 and u3 have gone, nobody saw why; u4 is new
    assert told == [
        events.Joined("no", 4, 1001.0, key("u4")),
        events.Waiting("no", ((2, 1000.0), (4, 1001.0))),
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


def complete(line: Line, uid: str, hold: int, talk: int) -> list[events.Event]:
    return line.say("AgentComplete", uid, Interface="SIP/7", HoldTime=str(hold), TalkTime=str(talk))


def test_who_was_answered_while_the_link_was_away_is_known_when_the_talk_ends() -> None:
    """One waited before it broke, one came and was answered within; each counts once, at the time it happened."""
    line = Line()
    line.say("QueueCallerJoin", "u1")
    line.later(1)
    line.cut()
    line.later(60)  # u1 is answered after 20 s; u2 joins at 1030 and is answered at 1035
    line.lists()
    line.later(1)
    assert line.totals == (1, 0, 0, 0, 1)
    line.later(38)  # now it is 1100
    told = complete(line, "u1", hold=20, talk=80)
    assert told == [events.Answered("no", 1, 1020.0, "SIP/7", 20.0), events.Completed("no", 1, 1100.0, 80.0)]
    told = complete(line, "u2", hold=5, talk=65)
    assert told == [
        events.Joined("no", 2, 1030.0, key("u2")),
        events.Answered("no", 2, 1035.0, "SIP/7", 5.0),
        events.Completed("no", 2, 1100.0, 65.0),
    ]
    assert line.totals == (2, 2, 0, 0, 0)
    for hold, talk in ((5, 65), (5, 64)):  # said twice, or nearly so
        complete(line, "u2", hold, talk)
    assert line.totals == (2, 2, 0, 0, 0) and line.trace.figures["no"].waiting == 0


def test_a_talk_that_began_before_this_start_counts_as_a_talk_only() -> None:
    """Whether its answer was counted then, nobody knows here: once is right, twice would be wrong."""
    line = Line(remembered=[("no", 5, key("u5"), 990.0)])
    line.lists()
    line.later(1)
    line.later(29)
    assert complete(line, "u4", hold=10, talk=31)[0] == events.Completed("no", 0, 1030.0, 31.0)
    assert line.totals == (0, 0, 0, 0, 1)
    complete(line, "u5", hold=12, talk=28)  # but this one waited when we were last here
    assert line.totals == (0, 1, 0, 0, 0)


def test_ends_of_callers_whose_beginning_nobody_saw() -> None:
    line = Line()
    line.say("QueueCallerLeave", "u1")
    told = line.say("AgentConnect", "u1", Interface="SIP/7", HoldTime="30")
    assert told == [events.Joined("no", 1, 970.0, key("u1")), events.Answered("no", 1, 1000.0, "SIP/7", 30.0)]
    line.later(0.01)
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
    line.say("QueueEntry", "u2", Wait="9", ActionID="b")
    assert line.say("QueueStatusComplete", ActionID="callfloor-7")[1] == events.Waiting("no", ((1, 999.0),))
    assert line.say("QueueStatusComplete", ActionID="b")[1] == events.Waiting("no", ((2, 991.0),))


def test_a_queue_the_pbx_does_not_have_says_what_was_meant() -> None:
    line = Line({"polsky": "pl", "NORSK": "no"})
    told = [event for event in line.trace.told if isinstance(event, events.Missing)]
    assert told == [events.Missing("pl", "the PBX has no queue 'polsky': did you mean 'polski'?")]
    row = line.trace.figures["pl"]
    assert row.waiting is None and "did you mean" in row.reason
    assert line.trace.figures["no"].known  # the PBX does not mind capitals
    line.say("QueueCallerJoin", "u1", "polsky")  # a queue from a database appears with its first caller
    assert line.trace.figures["pl"].waiting == 1


def test_who_is_found_waiting_is_told_as_joined_with_a_key_first() -> None:
    line = Line()
    told = line.lists("u1", wait=40)
    assert told[:2] == [events.Joined("no", 1, 960.0, key("u1")), events.Waiting("no", ((1, 960.0),))]
    assert line.say("QueueCallerJoin", "u2") == [events.Joined("no", 2, 1000.0, key("u2"))]
    assert line.totals[0] == 2


REMEMBERED = [("no", 41, key("u1"), 990.5), ("no", 57, key("u2"), 995.0), ("pl", 58, key("u3"), 996.0)]


def test_calls_over_a_restart_of_ours_count_once() -> None:
    line = Line(remembered=REMEMBERED)
    line.say("QueueCallerJoin", "u4")  # before the first list
    told = line.lists("u1", "u4", wait=9)
    assert told[0] == events.Waiting("no", ((41, 990.5), (59, 1000.0)))  # its own time, and a new number
    assert line.later(0.25) == [events.Vanished("no", 57, 1000.25), events.Vanished("pl", 58, 1000.25)]
    line.say("QueueCallerLeave", "u1")
    assert line.say("AgentConnect", "u1", Interface="SIP/7", HoldTime="9") == \
        [events.Answered("no", 41, 1000.25, "SIP/7", 9.75)]  # fmt: skip
    line.say("QueueCallerAbandon", "u4", HoldTime="0")
    line.later(1)
    assert line.totals == (1, 1, 1, 0, 1)  # u1 and u2 joined in the life before


@pytest.mark.parametrize("name", ["AgentConnect", "QueueCallerAbandon"])
def test_an_end_right_behind_the_first_list_belongs_to_who_was_remembered(name: str) -> None:
    line = Line(remembered=REMEMBERED)
    line.lists("u2", wait=5)
    line.later(0.2)
    told = line.say(name, "u1", HoldTime="10", Interface="SIP/7")
    assert [type(event) for event in told] == [
        events.Answered if name == "AgentConnect" else events.Abandoned
    ]
    line.later(1)
    assert line.totals[0] == line.totals[4] == 0 and line.totals[1] + line.totals[2] == 1


def test_keys_are_the_same_with_the_same_salt_and_say_nothing_with_another() -> None:
    salted = [Adapter(QUEUES, salt)._key("rig-1795292413.1") for salt in (SALT, SALT, bytes(16), b"", b"")]
    assert salted[0] == salted[1] == key("rig-1795292413.1") and len(salted[0]) == 16
    assert len(set(salted)) == 4  # without a salt each run has its own


def test_one_caller_remembered_in_two_queues_is_let_go_in_the_older() -> None:
    line = Line(remembered=[("no", 7, key("u1"), 980.0), ("pl", 8, key("u1"), 990.0)])
    line.say("QueueCallerLeave", "u1", "polski")
    line.say("AgentConnect", "u1", "polski", Interface="SIP/7", HoldTime="10")
    line.lists()
    line.later(1)
    assert line.totals == (0, 0, 0, 0, 1)
    assert line.trace.figures["pl"].totals.answered == 1 and line.trace.figures["pl"].totals.joined == 0


def test_whoever_was_remembered_in_a_queue_that_is_no_more_is_forgotten() -> None:
    line = Line(remembered=[("se", 9, key("u1"), 980.0)])
    assert [event for event in line.lists() if not isinstance(event, events.Waiting)] == [events.Back()]
    assert line.say("QueueCallerJoin", "u5")[-1] == events.Joined("no", 10, 1000.0, key("u5"))


def test_who_joins_the_same_queue_again_while_the_link_is_away_counts_twice() -> None:
    """The dial plan sends a caller who timed out back into the queue: the list shows a short wait."""
    for remembered in (False, True):
        line = Line(remembered=[("no", 1, key("u1"), 900.0)] if remembered else ())
        line.now = 900.0
        if not remembered:
            line.say("QueueCallerJoin", "u1")
            line.cut()
        line.now = 1000.0
        told = line.lists("u1", wait=12)
        assert told[:2] == [events.Vanished("no", 1, 1000.0), events.Joined("no", 2, 988.0, key("u1"))]
        line.later(1)
        assert line.totals == (1 if remembered else 2, 0, 0, 0, 1)
        assert line.trace.figures["no"].waiting == 1


def test_who_joins_again_before_the_list_after_a_break_counts_twice() -> None:
    line = Line()
    line.say("QueueCallerJoin", "u1")
    line.cut()
    line.say("QueueCallerJoin", "u1")
    line.lists("u1", wait=0)
    line.later(1)
    assert line.totals == (2, 0, 0, 0, 1)


def test_round_and_round_with_one_uniqueid() -> None:
    """norsk, a time-out, norsk again, answered, sent on to polski, answered, back to norsk, a key."""
    line = Line()
    for turn in range(3):
        line.say("QueueCallerJoin", "u1")
        line.later(30)
        if turn == 0:
            line.say("QueueCallerAbandon", "u1", HoldTime="30")
            line.say("QueueCallerLeave", "u1")
            continue
        line.say("QueueCallerLeave", "u1")
        if turn == 2:
            break
        line.say("AgentConnect", "u1", Interface="SIP/7", HoldTime="30")
        line.later(60)
        assert line.say("AgentComplete", "u1", Interface="SIP/7", TalkTime="60")
        line.say("QueueCallerJoin", "u1", "polski")
        line.later(5)
        line.say("QueueCallerLeave", "u1", "polski")
        line.say("AgentConnect", "u1", "polski", Interface="SIP/7", HoldTime="5")
        line.later(10)
        assert line.say("AgentComplete", "u1", "polski", Interface="SIP/7", TalkTime="10")
    line.later(1)
    assert line.totals == (3, 1, 1, 1, 0)
    polski = line.trace.figures["pl"].totals
    assert (polski.joined, polski.answered, polski.completed, polski.talk_s) == (1, 1, 1, 10)


def test_who_joined_unseen_is_not_taken_for_somebody_else() -> None:
    line = Line()
    line.say("QueueCallerJoin", "u1")
    line.cut()
    line.later(1)
    line.lists("u1", "u2", wait=1)
    line.say("AgentConnect", "u3", Interface="SIP/7", HoldTime="1")  # right behind the list
    line.later(1)
    assert line.totals == (3, 1, 0, 0, 0) and line.trace.figures["no"].waiting == 2


@pytest.mark.parametrize("listed", [False, True])
def test_an_attended_transfer_into_a_queue_counts_once(listed: bool) -> None:
    """Asterisk swaps the Uniqueids of the two channels while the caller waits."""
    line = Line()
    line.later(2)
    line.say("QueueCallerJoin", "other")
    line.later(3)
    line.say("QueueCallerJoin", "consultation")
    line.later(7)
    line.say("QueueCallerJoin", "last")
    line.later(0.5)
    if listed:
        line.say("QueueParams", ActionID="callfloor-2")
        for uid, wait in (("other", "10"), ("caller", "7"), ("last", "0")):
            line.say("QueueEntry", uid, Wait=wait, ActionID="callfloor-2")
        line.say("QueueParams", queue="polski", ActionID="callfloor-2")
        line.say("QueueStatusComplete", ActionID="callfloor-2")
        assert line.trace.figures["no"].waiting == 3
    line.say("QueueCallerLeave", "caller")
    told = line.say("AgentConnect", "caller", Interface="SIP/7", HoldTime="7")
    assert told == [events.Answered("no", 2, 1012.5, "SIP/7", 7.5)]
    line.later(1)
    assert line.totals == (3, 1, 0, 0, 0) and line.trace.figures["no"].waiting == 2


def test_the_end_of_a_conversation_that_began_unseen_counts_for_the_mean_and_once() -> None:
    line = Line()
    ended = {"Interface": "SIP/7", "HoldTime": "5", "TalkTime": "80"}
    assert line.say("AgentComplete", "u1", **ended) == [events.Completed("no", 0, 1000.0, 80.0)]
    assert line.say("AgentComplete", "u1", **ended) == []  # said twice
    assert line.say("AgentComplete", "u2", Interface="SIP/7") == []  # half an event
    line.say("QueueCallerJoin", "u3")
    line.say("AgentConnect", "u3", Interface="SIP/7", HoldTime="0")
    assert line.say("AgentComplete", "u4", **ended) == [events.Completed("no", 0, 1000.0, 80.0)]
    line.later(20)
    nameless = line.say("AgentComplete", Interface="SIP/7", TalkTime="20")  # the caller hung up first
    assert nameless == [events.Completed("no", 1, 1020.0, 20.0)]
    row = line.trace.figures["no"]
    assert (row.totals.completed, row.totals.talk_s, row.totals.joined) == (3, 180, 1)


def test_an_end_said_twice_within_the_same_second_counts_once() -> None:
    line = Line()
    for name in ("AgentConnect", "QueueCallerAbandon"):
        line.say("QueueCallerJoin", name)
        for _ in range(2):
            line.say(name, name, Interface="SIP/7", HoldTime="0")
            line.later(0.01)
    assert line.totals == (2, 1, 1, 0, 0)


def test_who_waited_before_the_pbx_started_waits_no_longer() -> None:
    line = Line()
    line.say("QueueCallerJoin", "rig-1.7")
    line.later(20)
    line.say("QueueCallerJoin", "rig-20.1")
    line.later(1)
    line.say("FullyBooted", Uptime="15")
    assert line.adapter.doubt
    line.later(0.25)
    assert line.totals == (2, 0, 0, 0, 1) and line.trace.figures["no"].waiting == 1
    line.say("FullyBooted", Uptime="90000")  # as every login is told
    line.later(0.25)
    assert line.totals == (2, 0, 0, 0, 1)


def test_every_queue_there_is_by_its_own_name() -> None:
    from gateway.queues import translate

    adapter = Adapter(None)
    told = []
    for number in range(translate.NAMES + 50):
        block = {"Event": "QueueCallerJoin", "Queue": f"Kø {number}", "Uniqueid": f"u{number}"}
        told += adapter.event(block, 1.0)
    joined = [event.queue for event in told if isinstance(event, events.Joined)]
    assert joined == [f"Kø {number}" for number in range(translate.NAMES)]
    assert adapter.dropped["queue"] == 50
    end = {"Event": "QueueCallerAbandon", "Queue": "KØ 3", "Uniqueid": "u3", "HoldTime": "1"}
    (told_last,) = adapter.event(end, 2.0)
    assert (
        isinstance(told_last, events.Abandoned) and told_last.queue == "Kø 3"
    )  # the PBX does not mind capitals


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
    for module, name, seconds in ((ami, "ANSWER_S", 1.0), (asterisk, "ANSWER_S", 1.0),
                                  (asterisk, "QUIET_S", 1.1), (asterisk, "TICK_S", 0.02)):  # fmt: skip
        monkeypatch.setattr(module, name, seconds)
    monkeypatch.setattr(asterisk, "AGAIN_S", (60.0, 60.0))

    async def run() -> Trace:
        trace = Trace()
        async with serving(scripted(script, then_close)) as port, connected(port, trace):
            await until(lambda: words in trace.away, f"away because it {words}", 15)
        return trace

    trace = asyncio.run(run())
    assert len(trace.away) <= events.REASON_LENGTH
    assert "secret" not in trace.away.replace("secret_file", "")
    assert trace.figures["no"].waiting is None


def test_who_waited_before_a_restart_of_ours_is_known_to_the_real_client() -> None:
    listed = (
        b"Event: QueueParams\r\nQueue: norsk\r\nActionID: callfloor-1\r\n\r\n"
        b"Event: QueueEntry\r\nQueue: norsk\r\nUniqueid: u1\r\nWait: 30\r\nActionID: callfloor-1\r\n\r\n"
        b"Event: QueueStatusComplete\r\nActionID: callfloor-1\r\n\r\n"
    )
    script: Script = [(b"", BANNER + ACCEPTED), (b"ActionID: callfloor-1\r\n\r\n", listed)]
    trace = Trace()

    async def run() -> None:
        since = time.monotonic() - 30.25
        remembered = [("no", 7, key("u1"), since), ("no", 8, key("u2"), since)]
        async with serving(scripted(script, False)) as port:
            source = Asterisk(settings(port), "s", QUEUES, trace, salt=SALT, remembered=remembered)
            task = asyncio.create_task(source.run())
            await until(lambda: any(isinstance(event, events.Vanished) for event in trace.told), "an end")
            task.cancel()
        assert events.Waiting("no", ((7, since),)) in trace.told

    asyncio.run(run())
    assert [event.call for event in trace.told if isinstance(event, events.Vanished)] == [8]
    assert not any(isinstance(event, events.Joined) for event in trace.told)


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
