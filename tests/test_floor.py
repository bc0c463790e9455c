"""The floor's memory: readings, wills, silence and the PBX's word, joined into one status a desk."""

from pathlib import Path
from typing import Any

import pytest

import floorplan
from firmware import contract
from gateway.desk import HEADSET_WHY, PHONE_WHY, Desk, conclude, faults
from gateway.faults import Faults
from gateway.floor import Floor
from gateway.queues import events

PHONE = "board/+/input/+/phone"
HEADSET = "board/+/input/+/headset"
STATE = "board/+/state"
PLAN = {
    "site": {"id": "house"},
    "pbx": {"asterisk": {"host": "127.0.0.1", "user": "x", "secret_file": "x"}},
    "queue": [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}, {"id": "polski", "name": "Polski", "pbx": "polski"}],
    "desk": [
        {"id": "a1", "extension": "Local/1001@agents"},
        {"id": "a2", "extension": "Local/1002@agents"},
        {"id": "c1", "extension": "SIP/3"},
    ],
    "board": [{"id": "row-a", "inputs": [
        {"desk": "a1", "phone": {"by": "contact", "pin": "GP2"}, "headset": {"by": "contact", "pin": "GP5"}},
        {"desk": "a2", "phone": {"by": "contact", "pin": "GP3"}},
    ]}],
}  # fmt: skip


class Clock:
    """A floor and the time it is told."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.floor = Floor(floorplan.check(PLAN, "test", Path()), self.now_s)
        self.floor.hear_broker("", self.now_s)
        self.boot = "b1"
        self.seq = 0

    def board(self, pattern: str, *ids: str, retained: bool = False, **fields: Any) -> None:
        self.floor.hear_board(pattern, ("row-a", *ids), fields, retained, self.now_s)

    def ready(self, retained: bool = False) -> None:
        self.board(STATE, retained=retained, state="ready", boot=self.boot)
        self.board("board/+/hello", retained=retained, boot=self.boot, health_s=10)

    def phone(self, number: int, state: str, seq: int | None = None, retained: bool = False) -> None:
        self.seq = self.seq + 1 if seq is None else seq
        self.board(PHONE, str(number), retained=retained, state=state, seq=self.seq, boot=self.boot, age_ms=0)

    def later(self, seconds: float) -> None:
        self.now_s += seconds
        self.floor.check_boards(self.now_s)

    def status(self, desk: str) -> str:
        return self.floor.status[desk][0]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_retained_reading_is_no_sign_of_life(clock: Clock) -> None:
    clock.ready(retained=True)
    clock.phone(0, "idle", retained=True)
    assert clock.status("a1") == "unknown"
    clock.ready()
    assert clock.status("a1") == "free"


def test_silence_for_two_health_periods_is_loss_and_a_word_ends_it(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "idle")
    clock.later(20)
    assert clock.status("a1") == "free"
    clock.later(0.5)
    assert clock.status("a1") == "lost"
    assert "silent" in clock.floor.status["a1"][1]
    assert clock.floor.boards_lost == 1
    clock.board("board/+/health", boot="b1")
    assert clock.status("a1") == "free"
    assert clock.floor.boards_lost == 0


def test_a_will_counts_at_once_but_not_one_of_an_earlier_start(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "idle")
    clock.board(STATE, state="lost", boot="b0")
    assert clock.status("a1") == "free"
    clock.board(STATE, state="lost", boot="b1")
    assert clock.status("a1") == "lost"
    clock.boot = "b2"
    clock.ready()
    assert clock.status("a1") == "free"


def test_a_broker_that_is_away_makes_the_site_unknown_not_lost_and_not_empty(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "idle")
    clock.floor.hear_broker("the broker is away", clock.now_s)
    assert clock.status("a1") == "unknown"
    assert clock.floor.status["a1"][1] == "the broker is away"
    clock.later(1000)
    clock.floor.hear_broker("", clock.now_s)
    clock.ready()
    assert clock.status("a1") == "free"


def test_gaps_in_seq_are_counted_and_repeats_are_not(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "idle", seq=1)
    clock.phone(0, "talking", seq=2)
    clock.phone(0, "idle", seq=2)  # sent again after a broken link
    assert clock.status("a1") == "talking"
    clock.phone(0, "idle", seq=6)
    assert clock.floor.desks["a1"].missed == 3
    clock.boot = "b2"
    clock.ready()
    clock.phone(0, "talking", seq=1)
    assert clock.status("a1") == "talking"
    assert clock.floor.desks["a1"].missed == 3


def test_two_retained_readings_in_any_order_miss_nothing(clock: Clock) -> None:
    clock.ready()
    clock.board(
        HEADSET, "0", retained=True, in_call=False, muted=None, docked=True, seq=9, boot="b1", age_ms=0
    )
    clock.phone(0, "talking", seq=5, retained=True)
    assert clock.status("a1") == "talking"
    assert clock.floor.desks["a1"].missed == 0
    clock.phone(0, "idle", seq=10)
    assert clock.floor.desks["a1"].missed == 0


def test_a_restarted_gateway_counts_no_loss_for_what_it_finds_retained(clock: Clock) -> None:
    for first, then in ((2, 102), (102, 2)):
        clock = Clock()
        clock.ready()
        for seq in (first, then):
            if seq == 2:
                clock.board(
                    HEADSET, "0", retained=True, in_call=False, muted=None, docked=True, seq=2, boot="b1", age_ms=0
                )
            else:
                clock.phone(0, "idle", seq=102, retained=True)
        clock.phone(0, "talking", seq=103)
        assert clock.status("a1") == "talking"
        assert clock.floor.desks["a1"].missed == 0
        clock.phone(0, "idle", seq=106)
        assert clock.floor.desks["a1"].missed == 2


def test_a_sensor_that_was_taken_away_decides_nothing(clock: Clock) -> None:
    clock.ready()
    clock.phone(1, "idle")
    clock.board(HEADSET, "1", retained=True, in_call=None, muted=None, docked=True, seq=1, boot="b0", age_ms=0)
    assert clock.status("a2") == "free"


def test_a_retained_reading_of_an_earlier_start_does_not_undo_a_live_one(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "talking", seq=1)
    clock.board(HEADSET, "0", retained=True, in_call=None, muted=None, docked=True, seq=9, boot="b0", age_ms=0)
    assert clock.status("a1") == "talking"
    assert clock.floor.desks["a1"].docked is None


def test_a_reading_of_a_place_without_a_desk_or_of_a_strange_board_changes_nothing(clock: Clock) -> None:
    clock.ready()
    clock.phone(7, "talking")
    clock.floor.hear_board(STATE, ("stranger",), {"state": "ready", "boot": "x"}, False, clock.now_s)
    assert clock.floor.by_status["talking"] == 0


def member(queue: str, extension: str, state: str = "idle", paused: bool = False) -> events.Member:
    return events.Member(queue, extension, state, paused)


def test_members_are_counted_by_what_their_desks_do(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "idle", seq=1)
    clock.phone(1, "idle", seq=1)
    for extension in ("Local/1001@agents", "Local/1002@agents", "SIP/3", "SIP/nobodys-desk"):
        clock.floor.hear_source("asterisk", member("norsk", extension), clock.now_s)
    counts = clock.floor.queues["norsk"].counts
    assert counts == {"free": 4, "ringing": 0, "talking": 0, "away": 0}
    clock.phone(0, "talking", seq=2)
    clock.floor.hear_source("asterisk", member("norsk", "SIP/nobodys-desk", "busy"), clock.now_s)
    assert counts == {"free": 2, "ringing": 0, "talking": 2, "away": 0}
    clock.floor.hear_source("asterisk", member("norsk", "Local/1002@agents", paused=True), clock.now_s)
    assert clock.status("a2") == "away"
    assert counts == {"free": 1, "ringing": 0, "talking": 2, "away": 1}
    clock.floor.hear_source("asterisk", events.MemberGone("norsk", "SIP/nobodys-desk"), clock.now_s)
    assert counts == {"free": 1, "ringing": 0, "talking": 1, "away": 1}
    clock.later(30)
    assert counts == {"free": 1, "ringing": 0, "talking": 0, "away": 2}  # row-a is lost; c1 has no board


def test_a_pause_in_one_of_two_queues_leaves_the_desk_to_the_other(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "idle")
    clock.floor.hear_source("asterisk", member("norsk", "Local/1001@agents", paused=True), clock.now_s)
    clock.floor.hear_source("asterisk", member("polski", "Local/1001@agents"), clock.now_s)
    assert clock.status("a1") == "free"
    assert clock.floor.queues["norsk"].counts["away"] == 1
    assert clock.floor.queues["polski"].counts["free"] == 1


def test_a_pbx_that_is_away_takes_its_word_back(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "idle")
    clock.floor.hear_source("asterisk", member("norsk", "Local/1001@agents", "busy"), clock.now_s)
    assert clock.status("a1") == "talking"
    clock.floor.hear_source("asterisk", events.Away("the phone system is away"), clock.now_s)
    assert clock.status("a1") == "free"
    assert not clock.floor.queues["norsk"].figures.known
    assert clock.floor.queues["norsk"].counts == {"free": 0, "ringing": 0, "talking": 0, "away": 0}


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ({"lost": "cut off", "phone": "talking"}, "lost"),
        ({"dark": "broker away", "lost": "cut off"}, "unknown"),
        ({"board": "row-a"}, "unknown"),
        ({"board": "row-a", "phone": "talking", "member": "held"}, "held"),
        ({"board": "row-a", "phone": "talking", "member": "ringing"}, "talking"),
        ({"board": "row-a", "phone": "idle", "in_call": True}, "talking"),
        ({"board": "row-a", "phone": "ringing", "member": "idle"}, "ringing"),
        ({"board": "row-a", "phone": "idle", "member": "ringing"}, "ringing"),
        ({"board": "row-a", "phone": "idle", "docked": True}, "away"),
        ({"board": "row-a", "phone": "idle", "docked": False}, "free"),
        ({"board": "row-a", "phone": "unknown"}, "unknown"),
        ({"board": "row-a", "phone": "idle", "rings": True}, "ringing"),
        ({"board": "row-a", "phone": "unknown", "phone_why": "it chatters"}, "unknown"),
        ({"board": "row-a", "phone": "unknown", "phone_why": "it chatters", "member": "idle"}, "unknown"),
        ({"board": "row-a", "phone": "unknown", "phone_why": "it chatters", "member": "busy"}, "talking"),
        ({"board": "row-a", "phone": "unknown", "phone_why": "it chatters", "docked": False}, "unknown"),
        ({"board": "row-a", "phone": "unknown", "phone_why": "it chatters", "docked": True}, "away"),
        ({"board": "row-a", "phone": "unknown", "phone_why": "it chatters", "in_call": False}, "free"),
        ({"board": "row-a", "phone": "unknown", "in_call": True}, "talking"),
        ({"board": "row-a", "phone": "idle", "headset_why": "it floods"}, "free"),
        ({"board": "row-a", "heard": True, "headset_why": "it floods"}, "unknown"),
        ({"board": "row-a", "heard": True, "member": "idle"}, "unknown"),
        ({"phone_by": "url"}, "unknown"),
        ({"phone_by": "url", "phone": "idle"}, "free"),
        ({"phone_by": "url", "phone": "talking", "board": "row-a", "lost": "cut off", "docked": True}, "talking"),
        ({"phone_by": "url", "phone": "idle", "board": "row-a", "lost": "cut off", "in_call": True}, "free"),
        ({"phone_by": "url", "board": "row-a", "lost": "cut off"}, "lost"),
        ({"phone_by": "url", "phone": "idle", "board": "row-a", "dark": "broker away"}, "unknown"),
        ({"phone": "idle", "board": "row-a", "untied": "nobody is here"}, "unknown"),
        ({"phone": "talking", "board": "row-a", "untied": "nobody is here"}, "talking"),
        ({"member": "idle"}, "free"),
        ({"member": "unavailable"}, "away"),
        ({}, "unknown"),
    ],
)
def test_a_desk_is_concluded_from_what_is_known(known: dict[str, Any], status: str) -> None:
    concluded, reason = conclude(Desk("a1", **known))
    assert concluded == status
    assert reason
    assert "{" not in reason


def headset(clock: Clock, why: str | None = None, **known: bool) -> None:
    clock.seq += 1
    names = ("link", "in_call", "ringing", "muted", "docked", "worn")
    fields: dict[str, Any] = {name: known.get(name) for name in names}
    clock.board(HEADSET, "0", **fields, why=why, seq=clock.seq, boot=clock.boot, age_ms=0)


def test_a_sensor_that_tells_nothing_says_why_and_the_other_one_goes_on(clock: Clock) -> None:
    clock.ready()
    clock.phone(0, "idle")
    headset(clock, why="flood")
    assert clock.floor.status["a1"] == ("free", "handset down, nobody rings")
    assert faults(clock.floor.desks["a1"]) == [HEADSET_WHY["flood"]]
    clock.seq += 1
    clock.board(PHONE, "0", state="unknown", why="chatter", seq=clock.seq, boot="b1", age_ms=0)
    assert clock.floor.status["a1"] == ("unknown", f"{PHONE_WHY['chatter']}; {HEADSET_WHY['flood']}")
    headset(clock, in_call=True)
    assert clock.status("a1") == "talking"
    assert faults(clock.floor.desks["a1"]) == [PHONE_WHY["chatter"]]
    clock.phone(0, "idle")
    assert faults(clock.floor.desks["a1"]) == []


def test_every_why_of_the_contract_has_its_words(clock: Clock) -> None:
    (whys,) = [kind for name, kind, _ in contract.fields_of(PHONE) if name == "why?"]
    assert set(whys) == set(PHONE_WHY) == set(HEADSET_WHY)
    clock.ready()
    for why in whys:
        headset(clock, why=why)
        (said,) = faults(clock.floor.desks["a1"])
        assert len(said) <= 79 and "{" not in said  # two of them have room in one message
        assert clock.floor.status["a1"] == ("unknown", said)


def test_a_headset_that_rings_makes_the_desk_ring(clock: Clock) -> None:
    clock.ready()
    headset(clock, in_call=False, ringing=True)
    assert clock.floor.status["a1"] == ("ringing", "the headset rings")


def test_a_phone_that_tells_by_itself_is_heard_without_a_board(clock: Clock) -> None:
    clock.floor.hear_phone("c1", "talking", True, "", clock.now_s)
    assert clock.floor.status["c1"] == ("talking", "the handset is lifted")
    assert clock.floor.desks["c1"].phone_muted is True
    clock.floor.hear_phone("c1", "unknown", None, "nothing heard of it for 4 h", clock.now_s)
    assert clock.floor.status["c1"] == ("unknown", "nothing heard of it for 4 h")
    assert clock.floor.desks["c1"].phone_muted is None
    clock.floor.hear_phone("c1", "idle", None, "of no meaning", clock.now_s)
    assert (clock.status("c1"), faults(clock.floor.desks["c1"])) == ("free", [])


def test_what_is_heard_last_of_a_member_holds_whatever_other_queues_say(clock: Clock) -> None:
    """Asterisk tells of a device queue by queue; one of them is late."""
    for state in ("ringing", "busy", "idle", "ringing"):
        for queue in ("norsk", "polski"):
            clock.floor.hear_source("asterisk", member(queue, "SIP/3", state), clock.now_s)
            assert clock.floor.desks["c1"].member == state


def test_a_fault_is_logged_once_when_it_begins_and_once_when_it_is_over() -> None:
    said: list[str] = []
    known = Faults(lambda text, *values: said.append(text % values))
    for step in range(6000):  # ten minutes of a contact that chatters, with a word of it ten times a second
        known.hear("a1", ["the hook contact chatters"] if step % 20 < 13 else [], step / 10)
        known.due(step / 10)
    assert said == ["desk a1: the hook contact chatters"]
    known.hear("a1", ["the hook contact chatters", "the headset floods"], 600.0)
    known.hear("a2", ["the hook contact chatters"], 600.0)
    assert said[1:] == ["desk a1: the headset floods", "desk a2: the hook contact chatters"]
    known.hear("a1", [], 610.0)
    known.due(669.0)
    assert len(said) == 3
    known.due(670.5)
    assert sorted(said[3:]) == [
        "desk a1 is well again, after 10 s: the headset floods",
        "desk a1 is well again, after 610 s: the hook contact chatters",
    ]
    known.hear("a1", ["the hook contact chatters"], 700.0)
    assert len(said) == 6
