"""Asterisk 18 to 22 and FreePBX: events as each writes them, through the real parser and adapter.

Asterisk 22.10 has been met and recorded (tests/data/ami). The blocks of the others are written here, in the
shape that docs.asterisk.org gives for each version and `queue show` prints on FreePBX.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.queues import events
from gateway.queues.ami import Blocks
from gateway.queues.translate import HEAR, OF_MEMBERS, Adapter, extension_key
from tests.ami_feed import blocks, recording

EARLY = 0  # one without the headers that came later, at the latest in 16
VERSIONS = [EARLY, 16, 18, 20, 21, 22]

CALLER = """Channel: PJSIP/trunk-00000012
ChannelState: 6
ChannelStateDesc: Up
CallerIDNum: 22334455
CallerIDName: Somebody
ConnectedLineNum: <unknown>
ConnectedLineName: <unknown>
Language: en
AccountCode:
Context: ext-queues
Exten: 800
Priority: 44
Uniqueid: 1700000000.18
Linkedid: 1700000000.18"""


def member(
    name: str, interface: str, state_interface: str, status: int, version: int, paused: int = 0
) -> str:
    """A member's event. 16 still had `Reason` beside `PausedReason`."""
    lines = [
        f"Event: {name}", "Privilege: agent,all", "Queue: 800", "MemberName: Extension 2001",
        f"Interface: {interface}", f"StateInterface: {state_interface}", "Membership: static", "Penalty: 0",
        "CallsTaken: 3", "LastCall: 1700000000",
        *(["LastPause: 0", "LoginTime: 1699990000"] if version else []),
        *(["InCall: 0"] if version else []),
        f"Status: {status}", f"Paused: {paused}", "PausedReason: Lunch", "Ringinuse: 1",
        *(["Wrapuptime: 0"] if version else []),
        *(["Reason: Lunch"] if version == 16 else []),
    ]  # fmt: skip
    return "\n".join(lines)


def hear(adapter: Adapter, *texts: str, ends: str = "\r\n", now: float = 1000.0) -> list[events.Event]:
    """Blocks as text, through the parser of a live link."""
    stream = "".join(text + "\n\n" for text in texts).replace("\n", ends).encode()
    told: list[events.Event] = []
    for block in Blocks(frozenset(HEAR)).feed(stream):
        told += adapter.event(block, now)
    return told


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", sorted(OF_MEMBERS - {"QueueMember", "QueueMemberRemoved"}))
@pytest.mark.parametrize(
    ("interface", "state_interface", "extension"),
    [
        ("Local/2001@from-queue/n", "hint:2001@ext-local", "Local/2001@from-queue"),  # FreePBX
        ("Local/1001@agents/n", "Custom:agent1001", "Local/1001@agents"),
        ("PJSIP/1001", "PJSIP/1001", "PJSIP/1001"),
        ("SIP/kiosk", "hint:kiosk@desks", "SIP/kiosk"),
    ],
)
def test_a_members_state(
    version: int, name: str, interface: str, state_interface: str, extension: str
) -> None:
    adapter = Adapter({"800": "help"})
    said = member(name, interface, state_interface, 6, version)
    assert hear(adapter, said) == [events.Member("help", extension, "ringing", False, state_interface)]
    assert hear(adapter, said) == []  # nothing new
    paused = member(name, interface, state_interface, 2, version, paused=1)
    assert hear(adapter, paused) == [events.Member("help", extension, "busy", True, state_interface)]
    gone = member("QueueMemberRemoved", interface, state_interface, 2, version)
    assert hear(adapter, gone) == [events.MemberGone("help", extension)]
    assert extension_key(interface) == extension_key(extension) == extension


def status(version: int) -> list[str]:
    """What QueueStatus lists of FreePBX's queue 800: its default queue goes first."""
    later = "\nLastPause: 0\nLoginTime: 1699990000\nInCall: 0" if version else ""
    return [
        "Response: Success\nActionID: callfloor-3\nEventList: start\nMessage: Queue status will follow",
        "Event: QueueParams\nQueue: default\nMax: 0\nStrategy: ringall\nCalls: 0\nHoldtime: 0\nTalkTime: 0\n"
        "Completed: 0\nAbandoned: 0\nServiceLevel: 0\nServicelevelPerf: 0.0\n"
        + ("ServicelevelPerf2: 0.0\n" if version else "") + "Weight: 0\nActionID: callfloor-3",
        "Event: QueueParams\nQueue: 800\nMax: 0\nStrategy: ringall\nCalls: 1\nHoldtime: 4\nTalkTime: 60\n"
        "Completed: 9\nAbandoned: 1\nServiceLevel: 60\nServicelevelPerf: 100.0\nWeight: 0\nActionID: callfloor-3",
        "Event: QueueMember\nQueue: 800\nName: Extension 2001\nLocation: Local/2001@from-queue/n\n"
        "StateInterface: hint:2001@ext-local\nMembership: static\nPenalty: 0\nCallsTaken: 9\nLastCall: 0" + later
        + "\nStatus: 1\nPaused: 0\nPausedReason:\nWrapuptime: 0\nActionID: callfloor-3",
        "Event: QueueEntry\nQueue: 800\nPosition: 1\nChannel: PJSIP/trunk-00000012\nUniqueid: 1700000000.18\n"
        "CallerIDNum: 22334455\nCallerIDName: Somebody\nConnectedLineNum: unknown\n"
        "ConnectedLineName: unknown\nWait: 40\nPriority: 0\nActionID: callfloor-3",
        "Event: QueueStatusComplete\nActionID: callfloor-3\nEventList: Complete\nListItems: 4",
    ]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_and_a_call(version: int) -> None:
    adapter = Adapter({"800": "help"}, bytes(16))
    told = hear(adapter, *status(version))
    joined = told[0]
    assert isinstance(joined, events.Joined) and (joined.call, joined.at_s) == (1, 960.0)
    assert told[1:] == [
        events.Waiting("help", ((1, 960.0),)),
        events.Member("help", "Local/2001@from-queue", "idle", False, "hint:2001@ext-local"),
        events.Back(),
    ]
    answer = (
        f"{CALLER}\nDestChannel: Local/2001@from-queue-00000003;1\nDestUniqueid: 1700000041.20\nQueue: 800"
    )
    agent = "Interface: Local/2001@from-queue/n\nMemberName: Extension 2001"
    told = hear(
        adapter,
        f"Event: QueueCallerLeave\nPrivilege: agent,all\n{CALLER}\nQueue: 800\nCount: 0\nPosition: 1",
        f"Event: AgentConnect\nPrivilege: agent,all\n{answer}\nHoldTime: 41\nRingTime: 3\n{agent}",
        now=1001.0,
    )
    assert told == [
        events.Gone("help", 1, 1001.0),
        events.Answered("help", 1, 1001.0, "Local/2001@from-queue", 41.0),
    ]
    ended = f"Event: AgentComplete\n{answer}\n{agent}\nHoldTime: 41\nTalkTime: 75\nReason: transfer"
    assert hear(adapter, ended, now=1076.0) == [events.Completed("help", 1, 1076.0, 75.0)]


@pytest.mark.parametrize("banner", ["5.0.2", "7.0.3", "8.0.0", "9.0.0", "10.0.0", "11.0.0", "12.1"])
def test_any_number_may_stand_in_the_greeting(banner: str) -> None:
    parser = Blocks()
    assert parser.feed(f"Asterisk Call Manager/{banner}\r\n".encode()) == []
    assert parser.banner == f"Asterisk Call Manager/{banner}"


def test_the_blocks_here_are_in_the_shape_of_the_recorded_ones() -> None:
    """For 22, which has been met: the same headers in the same order."""
    recorded = {block.get("Event"): list(block) for block in blocks(recording("agent-events.txt"))}
    ours = member("QueueMemberStatus", "PJSIP/1", "PJSIP/1", 1, 22)
    headers = [name for name in recorded["QueueMemberStatus"] if name not in ("Timestamp", "SystemName")]
    assert re.findall(r"^(\w+):", ours, re.M) == headers
    for text in status(22)[3:5]:
        name = text.split("\n")[0].removeprefix("Event: ")
        assert set(re.findall(r"^(\w+):", text, re.M)) == set(recorded[name])


def test_the_page_says_how_a_desk_names_each_kind_of_member() -> None:
    page = (Path(__file__).parent.parent / "docs" / "pbx" / "asterisk.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `[^`]*\((\S+?)(?: from [^)]*)?\)[^`]*`[^|]*\| `([^`]+)` \|", page, re.M)
    assert len(rows) == 3
    for printed, extension in rows:
        assert extension_key(printed) == extension
