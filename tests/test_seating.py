"""Seating by login: a member belongs to the desk of its device, and nobody to the wrong one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import floorplan
from floorplan import device_key
from gateway.floor import ASTERISK, CROWDED, NOBODY, PBX_AWAY, Floor
from gateway.queues import events
from gateway.queues.ami import Blocks
from gateway.queues.translate import Adapter
from gateway.seating import Seats
from simulator.floor import SimulatedFloor
from simulator.manager import encode
from simulator.pbx import Pbx

RECORDED = Path(__file__).parent / "data" / "ami" / "agent-events.txt"
QUEUES = {"norsk": "norsk", "polski": "polski"}


def plan(devices: dict[str, str]) -> floorplan.Plan:
    """A house without fixed seats: desk → device. Desk a1 is read by a board, the others by nothing."""
    return floorplan.check({
        "site": {"id": "house", "seating": "login"},
        "pbx": {"asterisk": {"host": "127.0.0.1", "user": "x", "secret_file": "x"}},
        "queue": [{"id": name, "name": name, "pbx": name} for name in QUEUES],
        "desk": [{"id": desk, "device": device} for desk, device in devices.items()] + [{"id": "bare"}],
        "board": [{"id": "row-a", "inputs": [
            {"desk": "a1", "phone": {"by": "contact", "pin": "GP2"}, "headset": {"by": "contact", "dock": "GP5"}},
        ]}],
    }, "test", Path())  # fmt: skip


class House:
    """A floor, and members who log in and out."""

    def __init__(self, devices: dict[str, str] | None = None) -> None:
        self.now_s = 1000.0
        self.floor = Floor(plan(devices or {"a1": "PJSIP/desk-1", "a2": "PJSIP/desk-2", "a3": "PJSIP/desk-3"}), 1000.0)
        self.floor.hear_broker("", self.now_s)
        self.board("board/+/state", state="ready", boot="b1")
        self.board("board/+/input/+/phone", "0", state="idle", seq=1, boot="b1", age_ms=0)
        self.floor.hear_source(ASTERISK, events.Back(), self.now_s)

    def board(self, pattern: str, *ids: str, **fields: object) -> None:
        self.floor.hear_board(pattern, ("row-a", *ids), fields, False, self.now_s)

    def is_at(self, member: str, device: str, state: str = "idle", paused: bool = False, queue: str = "norsk") -> None:
        self.floor.hear_source(ASTERISK, events.Member(queue, member, state, paused, device), self.now_s)

    def leaves(self, member: str, queue: str = "norsk") -> None:
        self.floor.hear_source(ASTERISK, events.MemberGone(queue, member), self.now_s)

    def word(self, desk: str) -> str | None:
        return self.floor.desks[desk].member

    def why(self, desk: str) -> tuple[str, str]:
        return self.floor.status[desk]


@pytest.fixture
def house() -> House:
    return House()


def test_who_logs_in_brings_the_phone_systems_word_to_the_desk(house: House) -> None:
    assert house.why("a1") == ("unknown", NOBODY)
    house.is_at("Local/1007@agents", "PJSIP/desk-1")
    assert (house.word("a1"), house.why("a1")[0]) == ("idle", "free")
    house.is_at("Local/1007@agents", "PJSIP/desk-1", "ringing")
    assert house.why("a1") == ("ringing", "the phone system rings it")
    house.leaves("Local/1007@agents")
    assert (house.word("a1"), house.why("a1")) == (None, ("unknown", NOBODY))


def test_a_device_without_another_name_is_its_own_member(house: House) -> None:
    house.is_at("PJSIP/desk-2", "", "busy")
    assert house.why("a2") == ("talking", "the phone system says: in a call")


def test_who_moves_is_untied_here_and_tied_there_at_once(house: House) -> None:
    house.is_at("Local/1007@agents", "PJSIP/desk-1", paused=True)
    assert house.why("a1") == ("away", "paused at the phone system")
    house.is_at("Local/1007@agents", "pjsip/Desk-2", "busy")
    assert (house.word("a1"), house.word("a2")) == (None, "busy")
    assert not house.floor.desks["a1"].paused
    assert house.floor.queues["norsk"].counts == {"free": 0, "ringing": 0, "talking": 1, "away": 0}


def test_two_at_one_device_are_tied_to_no_desk_until_one_is_gone(house: House) -> None:
    house.is_at("Local/1007@agents", "PJSIP/desk-1", "busy")
    house.is_at("Local/1008@agents", "PJSIP/desk-1", "busy", paused=True)
    assert (house.word("a1"), house.why("a1")) == (None, ("unknown", CROWDED))
    assert house.floor.queues["norsk"].counts == {"free": 0, "ringing": 0, "talking": 2, "away": 0}
    house.leaves("Local/1007@agents")
    assert (house.word("a1"), house.floor.desks["a1"].paused) == ("busy", True)


def test_who_is_tied_no_more_counts_by_the_phone_systems_word_again(house: House) -> None:
    house.board("board/+/input/+/phone", "0", state="talking", seq=2, boot="b1", age_ms=0)
    house.is_at("Local/1007@agents", "PJSIP/desk-1")
    assert house.floor.queues["norsk"].counts["talking"] == 1  # by the hook
    house.is_at("Local/1008@agents", "PJSIP/desk-1", queue="polski")
    assert house.floor.queues["norsk"].counts == {"free": 1, "ringing": 0, "talking": 0, "away": 0}


def test_one_at_two_devices_is_tied_to_neither_until_one_is_left(house: House) -> None:
    house.is_at("Local/1007@agents", "PJSIP/desk-1")
    house.is_at("Local/1007@agents", "PJSIP/desk-2", queue="polski")
    assert (house.word("a1"), house.word("a2")) == (None, None)
    assert house.why("a2")[1] == CROWDED
    house.is_at("Local/1007@agents", "PJSIP/desk-2")  # the word of the other queue has come, too
    assert (house.word("a1"), house.word("a2")) == (None, "idle")
    assert house.why("a1")[1] == NOBODY


def test_without_a_tie_nothing_is_ever_found(house: House) -> None:
    """The handset is up, the headset lies in its cradle, the board is lost: there is no other side."""
    dock = {"link": None, "in_call": None, "ringing": None, "muted": None, "docked": True, "worn": None}
    house.board("board/+/input/+/headset", "0", **dock, seq=2, boot="b1", age_ms=0)
    house.board("board/+/input/+/phone", "0", state="talking", seq=3, boot="b1", age_ms=0)
    for step in range(4000):
        house.now_s += 0.5
        if step == 1000:
            house.is_at("Local/1007@agents", "PJSIP/elsewhere")
        if step == 2000:
            house.is_at("Local/1008@agents", "PJSIP/desk-1", "ringing")
            house.is_at("Local/1009@agents", "PJSIP/desk-1", "ringing")
        if step < 3000 and step % 10 == 0:
            house.board("board/+/health", boot="b1")
        house.floor.check_boards(house.now_s)
        house.floor.check_truth(house.now_s)
        assert not house.floor.truth.findings
    assert house.why("a1")[0] == "lost"


def test_a_phone_system_that_is_away_unties_everybody_and_says_so(house: House) -> None:
    house.is_at("Local/1007@agents", "PJSIP/desk-1", "busy")
    house.floor.hear_source(ASTERISK, events.Away("no answer"), house.now_s)
    assert (house.word("a1"), house.why("a1")) == (None, ("unknown", PBX_AWAY))
    house.is_at("Local/1007@agents", "PJSIP/desk-2", "busy")
    house.floor.hear_source(ASTERISK, events.Back(), house.now_s)
    assert (house.why("a1")[1], house.word("a2")) == (NOBODY, "busy")


def test_a_desk_without_a_device_is_never_tied_and_asks_for_nobody(house: House) -> None:
    assert house.why("bare") == ("unknown", "no board reads it, and the phone system says nothing about it")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("PJSIP/desk-12", "pjsip/Desk-12", True),
        ("PJSIP/desk-12/n", " PJSIP/desk-12 ", True),
        ("PJSIP/desk-12", "PJSIP/desk-1", False),
        ("SIP/desk-12", "PJSIP/desk-12", False),
        ("hint:12@desks", "hint:12@desks", True),
    ],
)
def test_a_device_may_be_written_in_several_ways(one: str, other: str, same: bool) -> None:
    assert (device_key(one) == device_key(other)) == same


DEVICES = ["PJSIP/desk-1", "PJSIP/desk-2", "PJSIP/desk-3", "PJSIP/elsewhere"]
STEPS = st.lists(
    st.tuples(st.sampled_from("pqrs"), st.sampled_from(["norsk", "polski"]), st.sampled_from([*DEVICES, None])),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_ties_are_what_one_would_find_by_asking_everybody(steps: list[tuple[str, str, str | None]]) -> None:
    seats = Seats({device: f"a{n}" for n, device in enumerate(DEVICES[:3], 1)})
    at: dict[tuple[str, str], str] = {}
    ties: dict[str, str | None] = dict.fromkeys(("a1", "a2", "a3"))
    for member, queue, device in steps:
        if device:
            at[member, queue] = device
            changed = seats.sit(member, queue, device)
        else:
            at.pop((member, queue), None)
            changed = seats.leave(member, queue)
        for n, here in enumerate(DEVICES[:3], 1):
            members = {who for (who, _), where in at.items() if where == here}
            plain = [who for who in members if {where for (other, _), where in at.items() if other == who} == {here}]
            tie = plain[0] if len(members) == len(plain) == 1 else None
            assert seats.who(f"a{n}") == tie
            assert seats.crowded(f"a{n}") == (tie is None and bool(members))
            if ties[f"a{n}"] != tie:
                assert f"a{n}" in changed, "a desk is told of every change of its tie"
            ties[f"a{n}"] = tie
    for member, queue in list(at):
        seats.leave(member, queue)
    assert not seats._at and not any(seats._here.values())


def test_a_recorded_phone_system_ties_its_members_to_desks() -> None:
    """Asterisk 22: members are Local/1001@agents, their devices Custom:agent1001."""
    adapter = Adapter(QUEUES, timed=False)
    floor = Floor(plan({f"a{n}": f"Custom:agent{1000 + n}" for n in range(1, 13)}), 0.0)
    floor.hear_broker("", 0.0)
    states: dict[str, set[str | None]] = {}
    blocks = Blocks()
    for block in blocks.feed(RECORDED.read_bytes()):
        for event in adapter.event(block, 0.0):
            floor.hear_source(ASTERISK, event, 0.0)
            if isinstance(event, events.Member):
                assert event.device == f"Custom:agent{event.extension[6:10]}"
                desk = f"a{int(event.extension[6:10]) - 1000}"
                assert floor.desks[desk].member == event.state
                states.setdefault(desk, set()).add(event.state)
    assert len(states) >= 8
    assert set().union(*states.values()) >= {"idle", "ringing", "busy"}


def test_simulated_people_sit_at_devices(tmp_path: Path) -> None:
    """In a house without fixed seats each logs in with a number of their own, at the device of a desk."""
    site = plan({f"a{n}": f"PJSIP/desk-{n}" for n in range(1, 9)})
    pbx = Pbx("callfloor", "secret", seed=1)
    for queue in QUEUES:
        pbx.add_queue(queue)
    people = SimulatedFloor(site, pbx, 1, boards=False)._at_desks()
    assert {person.device for person in people} == {f"PJSIP/desk-{n}" for n in range(1, 9)}
    assert not {person.extension for person in people} & {person.device for person in people}
    random.Random(3).shuffle(people)
    floor = Floor(site, 0.0)
    adapter = Adapter(QUEUES)
    for place, person in enumerate(people):
        pbx.add_member(list(QUEUES)[place % 2], person.extension, person.device)
    end: list[tuple[str, object]] = [("Event", "QueueStatusComplete")]
    listed = b"".join(encode([*block, ("ActionID", "callfloor-1")]) for block in [*pbx._status(), end])
    for block in Blocks().feed(listed):
        for event in adapter.event(block, 1.0):
            floor.hear_source(ASTERISK, event, 1.0)
    assert {desk: floor.desks[desk].member for desk in floor.desks if desk != "bare"} == {
        f"a{n}": "idle" for n in range(1, 9)
    }
