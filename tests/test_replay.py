"""`callfloor replay`, the real command: recordings of every kind, held against the PBX's own log."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import random
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import floorplan
from gateway import replay
from gateway.queues.totals import SERVICE_LEVEL
from simulator.day import Day
from tests.ami_feed import DATA, blocks, recording
from tests.forks import finished

ROOT = Path(__file__).parent.parent
STREAMS = ("agent-events.txt", "all-events.txt.gz")
KEYS = {"joined", "answered", "abandoned", "timed_out", "left_by_key", "left", "vanished", "waiting", "asa_s",
        "longest_wait_s", "aht_s", "service_level"}  # fmt: skip
LOGIN = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n"


def command(*args: object, stdin: bytes = b"", code: int = 0) -> tuple[str, str]:
    """What the command prints and complains of. It ends with `code`, and never with a traceback."""
    done = finished("replay", *map(str, args), typed=stdin, within_s=60)
    said, complained = done.stdout, done.stderr
    assert done.returncode == code, complained
    assert "Traceback" not in complained
    return said, complained


def figures(stream: bytes, limit: int = 20, formula: str = "answered-within-of-offered") -> dict[str, Any]:
    """The document of one recording, as the command makes it, in this process."""
    run = replay.Replay(replay.target(limit, formula))
    run.run(replay.Recording(io.BytesIO(stream)))
    return replay.document(run)


# The PBX's own log -----------------------------------------------------------------

ENDS = {  # what ends a wait in queue_log → where its whole seconds stand
    "CONNECT": 5,
    "ABANDON": 7,
    "EXITWITHTIMEOUT": 7,
    "EXITWITHKEY": 8,
}


@dataclass
class Logged:
    """One queue of queue_log.txt."""

    joined: int = 0
    waits: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in ENDS})

    @property
    def lost(self) -> list[int]:
        return self.waits["ABANDON"] + self.waits["EXITWITHTIMEOUT"]


def log() -> dict[str, Logged]:
    queues: dict[str, Logged] = {}
    for line in (DATA / "queue_log.txt").read_text().splitlines():
        row = line.split("|")
        if row[2] == "NONE":
            continue
        queue = queues.setdefault(row[2], Logged())
        queue.joined += row[4] == "ENTERQUEUE"
        if row[4] in ENDS:
            queue.waits[row[4]].append(int(row[ENDS[row[4]]]))
    return queues


# By hand: (answered, answered within X, lost, lost within X, lost within 5 s) → the level.
BY_HAND: dict[str, Callable[[int, int, int, int, int], float]] = {
    "ended-within-of-offered": lambda a, ax, b, bx, b5: (ax + bx) / (a + b),
    "answered-within-of-answered": lambda a, ax, b, bx, b5: ax / a,
    "answered-within-of-offered": lambda a, ax, b, bx, b5: ax / (a + b),
    "answered-within-of-offered-early-abandons-ignored": lambda a, ax, b, bx, b5: ax / (a + b - bx),
    "answered-within-of-offered-short-abandons-met": lambda a, ax, b, bx, b5: (ax + b5) / (a + b),
}


def within(waits: list[int], limit: int) -> tuple[int, int]:
    """Least and most who waited no longer: a logged wait is less than a second off."""
    return sum(wait < limit for wait in waits), sum(wait <= limit for wait in waits)


@pytest.mark.parametrize("name", STREAMS)
def test_the_figures_are_those_of_the_pbx_own_log(name: str) -> None:
    said = json.loads(command(DATA / name, "--json")[0])
    assert set(said["queues"]) == set(log()) and said["calls"] == 142
    assert (said["formula"], said["within_s"], said["notes"]) == ("answered-within-of-offered", 20, [])
    for queue, true in log().items():
        row = said["queues"][queue]
        assert set(row) == KEYS
        assert row["joined"] == true.joined
        assert row["answered"] == len(true.waits["CONNECT"])
        assert row["abandoned"] == len(true.lost)
        assert row["timed_out"] is row["left_by_key"] is None  # the stream cannot tell
        assert row["left"] == len(true.waits["EXITWITHKEY"])
        assert row["vanished"] == row["waiting"] == 0
        assert abs(row["asa_s"] - sum(true.waits["CONNECT"]) / len(true.waits["CONNECT"])) < 0.5
        assert abs(row["longest_wait_s"] - max(itertools.chain(*true.waits.values()))) <= 1
        talks = [int(block["TalkTime"]) for block in blocks(recording(name))
                 if (block.get("Event"), block.get("Queue")) == ("AgentComplete", queue)]  # fmt: skip
        assert row["aht_s"] == pytest.approx(sum(talks) / len(talks), abs=0.001)


def test_the_log_and_the_formulas_are_all_there() -> None:
    """What the two tests around this one rely on."""
    assert {queue: true.joined for queue, true in log().items()} == {"norsk": 71, "polski": 71}
    assert set(BY_HAND) == set(SERVICE_LEVEL)


@pytest.mark.parametrize("limit", [5, 20])
@pytest.mark.parametrize("formula", BY_HAND)
def test_the_service_level_by_each_formula(formula: str, limit: int) -> None:
    said = figures(recording("agent-events.txt"), limit, formula)
    assert (said["formula"], said["within_s"]) == (formula, limit)
    for queue, true in log().items():
        answered, lost = true.waits["CONNECT"], true.lost
        possible = [
            BY_HAND[formula](len(answered), *rest)
            for rest in itertools.product(
                within(answered, limit), [len(lost)], within(lost, limit), within(lost, 5)
            )
        ]
        level = said["queues"][queue]["service_level"]
        assert min(possible) - 0.0001 <= level <= max(possible) + 0.0001
        assert 0 < level < 1 and round(level, 4) == level


def test_the_command_takes_the_formula_and_the_time() -> None:
    formula = "answered-within-of-answered"
    said = json.loads(command(DATA / "agent-events.txt", "--json", "--formula", formula, "--within", 7)[0])
    assert said == figures(recording("agent-events.txt"), 7, formula)


def test_the_table_says_the_same_and_nobodys_name() -> None:
    said, complained = command(DATA / "all-events.txt.gz")
    head, *rows = (re.split(r"  +", line) for line in said.splitlines())
    assert {*head} == {"queue", *KEYS} and [row[0] for row in rows] == ["norsk", "polski"]
    cells = dict(zip(head, rows[0], strict=True))
    assert cells["timed_out"] == cells["left_by_key"] == "–"
    assert (cells["joined"], cells["answered"], cells["service_level"]) == ("71", "45", "64.2 %")
    private = re.compile(
        r"CallerID|ConnectedLine|MemberName|^Name$|Reason$|Channel$|Uniqueid|Linkedid|Interface"
    )
    names = {value for block in blocks(recording("all-events.txt.gz")) for name, value in block.items()
             if private.search(name) and len(value) > 3}  # fmt: skip
    everything = said + complained + command(DATA / "all-events.txt.gz", "--json", "--every", 20)[0]
    assert len(names) > 500 and [name for name in names if name in everything] == ["agent", "caller"][:0]


def test_every_stretch_says_how_it_stood_and_they_add_up() -> None:
    stream = recording("agent-events.txt")
    lines = [
        json.loads(line) for line in command("-", "--json", "--every", "30", stdin=stream)[0].splitlines()
    ]
    stretches, said = lines[:-1], lines[-1]
    marks = [block for block in blocks(stream) if "Timestamp" in block]
    began = float(marks[0]["Timestamp"])
    for queue, row in said["queues"].items():
        mine = [line for line in stretches if line["queue"] == queue]
        assert [line["until_s"] for line in mine][:-1] == [30, 60, 90, 120]
        assert sum(line["answered"] for line in mine) == row["answered"]
        waits = sum(line["asa_s"] * line["answered"] for line in mine if line["answered"])
        assert waits / row["answered"] == pytest.approx(row["asa_s"], abs=0.01)
        for line in mine:
            counts = [int(block["Count"]) for block in marks if block.get("Queue") == queue and "Count" in block
                      and float(block["Timestamp"]) < began + line["until_s"]]  # fmt: skip
            assert line["waiting"] == counts[-1] and (line["oldest_wait_s"] > 0) == (counts[-1] > 0)
    said_in_words = command("-", "--every", "60", stdin=stream)[0]
    assert re.search(r"^00:01:00  norsk: waiting 4, oldest \d+\.\d s, answered 19, ASA ", said_in_words, re.M)


# Kinds of files --------------------------------------------------------------------


def test_a_file_is_taken_for_what_is_in_it(tmp_path: Path) -> None:
    plain, packed = recording("agent-events.txt"), tmp_path / "packed.txt"
    half = len(plain) // 2
    packed.write_bytes(gzip.compress(plain[:half]) + gzip.compress(plain[half:]) + bytes(512))
    (tmp_path / "plain.gz").write_bytes(plain)
    expected = figures(plain)
    assert json.loads(command(packed, "--json")[0]) == expected
    assert json.loads(command(tmp_path / "plain.gz", "--json")[0]) == expected
    assert json.loads(command("-", "--json", stdin=gzip.compress(plain))[0]) == expected


def test_line_ends_and_a_line_of_10_mb_change_nothing() -> None:
    stream = recording("agent-events.txt")
    expected = figures(stream)
    assert json.loads(command("-", "--json", stdin=stream.replace(b"\r\n", b"\n"))[0]) == expected
    cut = stream.index(b"Event: QueueCallerJoin")
    huge = b"Event: Newchannel\r\nChannel: " + b"y" * 10_000_000 + b"\r\nQueue: norsk\r\n\r\n"
    said = json.loads(command("-", "--json", stdin=stream[:cut] + huge + stream[cut:])[0])
    assert said["queues"] == expected["queues"] and said["thrown_away"]["long_lines"] == 1


def test_times_that_are_not_there_are_said_and_the_pbx_own_seconds_count() -> None:
    stream = re.sub(rb"Timestamp: .*\r\n", b"", recording("agent-events.txt"))
    said, complained = command("-", "--json", "--every", "10", stdin=stream)
    assert "it has no times (timestampevents = yes" in complained and "--every says nothing" in complained
    found = json.loads(said)
    assert found["seconds"] is None
    for queue, true in log().items():
        row = found["queues"][queue]
        assert (row["joined"], row["answered"]) == (true.joined, len(true.waits["CONNECT"]))
        assert (row["abandoned"], row["left"]) == (len(true.lost), len(true.waits["EXITWITHKEY"]))
        assert row["asa_s"] == pytest.approx(sum(true.waits["CONNECT"]) / row["answered"], abs=0.001)
        answered_within = sum(wait <= 20 for wait in true.waits["CONNECT"])
        assert row["service_level"] == round(answered_within / (row["answered"] + row["abandoned"]), 4)


def doubled(stream: bytes) -> bytes:
    """The same again with other calls, the PBX's clock set back to where it was at first."""
    return stream + stream.replace(b"Uniqueid: rig-", b"Uniqueid: second-")


def test_two_sessions_one_after_the_other_and_a_clock_that_was_set_back() -> None:
    stream = recording("agent-events.txt")
    once = figures(stream)
    said, complained = command("-", "--json", stdin=doubled(stream))
    twice = json.loads(said)
    assert "its clock was set once" in complained
    for queue, row in once["queues"].items():
        again = twice["queues"][queue]
        for name in ("joined", "answered", "abandoned", "left"):
            assert again[name] == 2 * row[name]
        assert again["asa_s"] == pytest.approx(row["asa_s"], abs=0.05)
        assert again["vanished"] == 0


# Pieces of a recording -------------------------------------------------------------

Stays = dict[str, set[str]]  # queue → Uniqueids


def seen(piece: bytes, *names: str) -> Stays:
    """Whom some events are about."""
    stays: Stays = {"norsk": set(), "polski": set()}
    for block in blocks(piece):
        if block.get("Event") in names and "Uniqueid" in block:
            stays[block["Queue"]].add(block["Uniqueid"])
    return stays


def check_a_piece(piece: bytes, said: dict[str, Any]) -> None:
    """Each stay that shows in the piece at all counts once, each end as what it was."""
    stays = seen(piece, "QueueCallerJoin", "AgentConnect", "QueueCallerAbandon", "QueueEntry")
    answered, abandoned = seen(piece, "AgentConnect"), seen(piece, "QueueCallerAbandon")
    for queue, row in said["queues"].items():
        assert row["joined"] == len(stays[queue])
        assert row["answered"] == len(answered[queue]) and row["abandoned"] == len(abandoned[queue])
        ends = row["answered"] + row["abandoned"] + row["left"] + row["vanished"]
        assert row["joined"] == ends + row["waiting"]


def test_a_recording_that_begins_in_the_middle_of_calls() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    stream = recording("agent-events.txt")
    starts = [found.start() for found in re.finditer(rb"Event: (QueueCaller|Agent)", stream)]  # not in a list
    for start in dice.sample(starts, 50):
        piece = stream[start:]
        check_a_piece(piece, figures(piece))


def test_a_recording_that_is_cut_off_in_the_middle_of_a_block() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    stream = recording("agent-events.txt")
    for place in (dice.randrange(20_000, len(stream)) for _ in range(3)):
        end = stream.rindex(b"\r\n\r\n", 0, place) + 4
        if place - end < 2:
            continue
        said, complained = command("-", "--json", stdin=stream[:place])
        assert "it ends in the middle of a block: what comes before has been counted" in complained
        check_a_piece(stream[:end], json.loads(said))


def test_a_gzip_that_is_cut_off_or_damaged() -> None:
    packed = (DATA / "all-events.txt.gz").read_bytes()
    cut = packed[: len(packed) // 2]
    readable = zlib.decompressobj(wbits=31).decompress(cut)
    said, complained = command("-", "--json", stdin=cut)
    assert "the gzip is cut off: what comes before has been counted" in complained
    check_a_piece(readable[: readable.rindex(b"\r\n\r\n") + 4], json.loads(said))
    damaged = packed[:60_000] + bytes(100) + packed[60_100:]
    assert "the gzip is damaged: what comes before" in command("-", "--json", stdin=damaged)[1]


def event(name: str, at_s: float, uid: str = "", **more: object) -> bytes:
    """One event of the queue norsk, as short as can be."""
    who = f"Uniqueid: {uid}\r\n" if uid else ""
    rest = "".join(f"{header}: {value}\r\n" for header, value in more.items())
    return f"Event: {name}\r\nTimestamp: {at_s:.6f}\r\n{who}Queue: norsk\r\n{rest}\r\n".encode()


BEFORE = b"".join([
    event("QueueCallerJoin", 1000.0, "rig-1000.1"),
    event("QueueCallerJoin", 1004.0, "rig-1004.3"),
    event("QueueCallerJoin", 1005.0, "rig-1005.5"),
    event("QueueCallerLeave", 1009.0, "rig-1000.1"),
    event("AgentConnect", 1009.002, "rig-1000.1", Interface="SIP/1", HoldTime=9),
])  # fmt: skip
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nTimestamp: 1030.0\r\nUptime: 4\r\n\r\n"
AFTER = b"".join([
    event("QueueCallerJoin", 1031.0, "rig-1030.1"),
    event("AgentConnect", 1036.0, "rig-1030.1", Interface="SIP/1", HoldTime=5),
    event("QueueCallerJoin", 1037.0, "rig-1037.3"),
    event("AgentComplete", 1050.0, "rig-1030.1", Interface="SIP/1", HoldTime=5, TalkTime=14),
])  # fmt: skip


@pytest.mark.parametrize("between", [LOGIN, BOOTED, LOGIN + BOOTED, LOGIN[LOGIN.index(b"Response") :]])
def test_a_pbx_that_restarts_loses_its_callers(between: bytes) -> None:
    row = figures(LOGIN + BEFORE + between + AFTER)["queues"]["norsk"]
    counts = [row[name] for name in ("joined", "answered", "abandoned", "left", "vanished", "waiting")]
    assert counts == [5, 2, 0, 0, 2, 1]
    assert (row["asa_s"], row["aht_s"]) == (pytest.approx(7.001, abs=0.001), 14)


@pytest.mark.parametrize(("rest", "left"), [(b"", 1), (b"Event: Agent", 0)])
def test_a_leave_at_the_very_end_is_one_unless_its_answer_may_have_been_cut_off(
    rest: bytes, left: int
) -> None:
    stream = LOGIN + BEFORE + event("QueueCallerLeave", 1030.0, "rig-1004.3") + rest
    row = figures(stream)["queues"]["norsk"]
    assert [row[name] for name in ("joined", "answered", "left", "vanished", "waiting")] == [
        3,
        1,
        left,
        1 - left,
        1,
    ]
    assert row["longest_wait_s"] == (26 if left else 9.002)


def test_who_still_waits_in_the_next_session_counts_once() -> None:
    """The link broke, not the PBX: one is listed again, one ends without a list, one is never seen again."""
    listed = b"".join(
        f"Event: {name}\r\nQueue: norsk\r\nActionID: 7\r\n{rest}\r\n".encode()
        for name, rest in [("QueueParams", ""), ("QueueEntry", "Uniqueid: rig-1005.5\r\nWait: 31\r\n"),
                           ("QueueStatusComplete", "")]
    )  # fmt: skip
    again = LOGIN + event("QueueCallerJoin", 1036.0, "rig-1036.9") + listed
    ends = event("AgentConnect", 1040.0, "rig-1004.3", HoldTime=36) + event(
        "QueueCallerLeave", 1041, "rig-1005.5"
    )
    row = figures(LOGIN + BEFORE + again + ends)["queues"]["norsk"]
    counts = [row[name] for name in ("joined", "answered", "abandoned", "left", "vanished", "waiting")]
    assert counts == [4, 2, 0, 1, 1, 0]
    assert row["longest_wait_s"] == 36


# What is no recording --------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no recording of Asterisk's manager interface: there is no event in it"),
        (b"\x89PNG\r\n\x1a\n" + random.Random(5).randbytes(200_000), "is no recording"),
        (b"date,queue,joined\n" * 1000, "is no recording"),
        (b"\x1f\x8bnot really", "is no recording"),
        (None, "cannot be read (No such file or directory): is the path right?"),
        (Path(), "cannot be read (Is a directory)"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_one_line(
    content: bytes | Path | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "recording"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    said, complained = command(path, code=1)
    assert said == "" and complained.startswith(f"callfloor: {path}: ") and words in complained
    assert complained.count("\n") == 1


def test_a_formula_that_is_none_names_those_that_are() -> None:
    said, complained = command(DATA / "agent-events.txt", "--formula", "answered-of-offered", code=1)
    assert said == "" and complained.count("\n") == 1
    assert "did you mean answered-within-of-offered?" in complained
    assert all(formula in complained for formula in SERVICE_LEVEL)


def test_a_recording_without_a_queue_says_what_may_be_missing() -> None:
    said, complained = command("-", stdin=LOGIN + b"Event: Hangup\r\nChannel: x\r\n\r\n")
    assert "there is no queue in it: was it recorded with read = agent?" in complained
    assert said.split() == ["queue", *replay.COLUMNS]


# By the simulator's own count ------------------------------------------------------


def test_some_hours_of_the_example_floor_are_what_the_simulator_counted() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    plan = floorplan.read(ROOT / "simulator" / "example.toml")
    with Day(plan, seed, 1_790_000_000.0, calls=1500) as day:
        stream = b"".join(day.live(600) for _ in range(18))
        true = day.figures()
    said = figures(stream)
    for queue, row in true.items():
        ours = said["queues"][queue]
        assert ours["joined"] == row["joined"] and ours["answered"] == row["answered"]
        assert ours["abandoned"] == (row["abandoned"] or 0) + (row["timed_out"] or 0)
        assert ours["left"] == row["left_by_key"]
        for name in ("asa_s", "longest_wait_s", "service_level"):
            assert ours[name] == pytest.approx(row[name], abs=0.002)
    assert said["calls"] == 1500 or said["seconds"] > 10_000


# The recording's own clock ---------------------------------------------------------


def test_a_clock_goes_on_from_where_it_was() -> None:
    clock = replay.Clock()
    assert [clock.hear(text) for text in ("100.5", "101", "100.9", "nonsense", "nan", "-3", "1e300")] == \
        [100.5, 101, 101, 101, 101, 101, 101]  # fmt: skip
    assert (clock.hear("40"), clock.hear("45"), clock.jumps) == (101, 106, 1)
    assert (clock.hear("1000045"), clock.hear("1000046"), clock.jumps) == (106, 107, 2)
    assert clock.passed_s == 6.5
