"""The floor against the phone system: stories of both sides, and what must be found in them."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import floorplan
from firmware import contract
from gateway.desk import HEADSET_WHY, Desk, conclude
from gateway.floor import Floor
from gateway.queues import events
from gateway.service import Gateway
from gateway.truth import KINDS, PBX_WORDS, RULES, Sides, Truth, sides

TRACES = sorted((Path(__file__).parent / "truth").glob("*.txt"))
STEP_S = 0.5  # how often the gateway looks
START_S = 5000.0
NOTHING = {name.rstrip("?"): None for name, _, _ in contract.fields_of("board/+/input/+/headset")}
BY = {"contact": {"pin": "GP2"}, "line": {"pin": "GP26"}, "usb": {"port": "1-1.2"}}


def plan_of(desk: dict[str, str], truth: dict[str, Any]) -> floorplan.Plan:
    """A house of one desk."""
    row: dict[str, Any] = {"id": "a1"}
    if desk.get("extension") != "no":
        row["extension"] = "Local/1001@agents"
    place: dict[str, Any] = {"desk": "a1"}
    phone, headset = desk.get("phone", "contact"), desk.get("headset", "contact")
    if phone != "none":
        place["phone"] = {"by": phone, **BY[phone]}
    if headset == "contact":
        place["headset"] = {"by": "contact", "pin": "GP5", "dock": "GP6"}
    elif headset != "none":
        place["headset"] = {"by": headset, **BY[headset]}
    return floorplan.check({
        "site": {"id": "house"}, "truth": truth,
        "pbx": {"asterisk": {"host": "127.0.0.1", "user": "x", "secret_file": "x"}},
        "queue": [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}],
        "desk": [row], "board": [{"id": "row-a", "inputs": [place]}],
    }, "trace", Path())  # fmt: skip


class Player:
    """A floor of one desk, and the words of a trace."""

    def __init__(self, plan: floorplan.Plan) -> None:
        self.now_s = START_S
        self.floor = Floor(plan, START_S)
        self.floor.hear_broker("", START_S)
        self.lost = False
        self.open = True
        self.seq = 0
        self.headset = dict(NOTHING)
        self.member = ("idle", False)
        self.back()

    def board(self, pattern: str, *ids: str, **fields: Any) -> None:
        self.floor.hear_board(pattern, ("row-a", *ids), fields, False, self.now_s)

    def back(self) -> None:
        self.lost = False
        self.board("board/+/state", state="ready", boot="b1")
        self.board("board/+/hello", boot="b1", health_s=10)

    def reading(self, pattern: str, **fields: Any) -> None:
        self.seq += 1
        self.board(pattern, "0", **fields, seq=self.seq, boot="b1", age_ms=0)

    def say(self, what: str, value: str) -> None:
        if what == "phone":
            self.reading("board/+/input/+/phone", state=value, why="unplugged" if value == "unknown" else None)
        elif what in ("docked", "in_call"):
            self.headset[what] = {"true": True, "false": False, "none": None}[value]
            told = {name: self.headset[name] for name in self.headset if name not in ("seq", "boot", "age_ms")}
            self.reading("board/+/input/+/headset", **told)
        elif what == "pbx":
            self.pbx(value)
        elif what == "board":
            if value == "lost":
                self.lost = True
                self.board("board/+/state", state="lost", boot="b1")
            else:
                self.back()
        elif what == "broker":
            self.floor.hear_broker("the broker is away" if value == "away" else "", self.now_s)
            if value == "back":
                self.back()
        elif what == "house":
            self.open = value == "open"
        else:
            raise ValueError(f"no trace says '{what}'")

    def pbx(self, value: str) -> None:
        if value in ("gone", "away"):
            gone = events.MemberGone("norsk", "Local/1001@agents")
            self.floor.hear_source("asterisk", gone if value == "gone" else events.Away("away"), self.now_s)
            return
        state, paused = self.member
        self.member = (state, value == "paused") if value in ("paused", "unpaused") else (value, paused)
        member = events.Member("norsk", "Local/1001@agents", *self.member)
        self.floor.hear_source("asterisk", member, self.now_s)

    def look(self) -> None:
        if not self.lost and self.now_s % 5 == 0:
            self.board("board/+/health", boot="b1")
        self.floor.check_boards(self.now_s)
        self.floor.check_truth(self.now_s, self.open)


def read(path: Path) -> tuple[dict[str, str], dict[str, Any], list[tuple[float, str, str]], list[str]]:
    """(desk, truth, what is said, what must be found) of a trace."""
    desk: dict[str, str] = {}
    truth: dict[str, Any] = {}
    said: list[tuple[float, str, str]] = []
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ") and first.endswith("."), "the first line is a sentence"
    where = lines.index("must")
    for line in lines[:where]:
        if line.startswith("# desk "):
            desk |= dict(word.split("=") for word in line.split()[2:])
        elif line.startswith("# truth "):
            given = dict(word.split("=") for word in line.split()[2:])
            truth |= {name: int(value) for name, value in given.items() if name != "off"}
            truth |= {"off": given["off"].split(",")} if "off" in given else {}
        elif line != "s what value":
            at, what, *value = line.split()
            said.append((float(at), what, value[0] if value else ""))
    return desk, truth, said, lines[where + 1 :]


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_story_of_both_sides_is_told_as_it_must_be(path: Path) -> None:
    desk, truth, said, must = read(path)
    player = Player(plan_of(desk, truth))
    found: list[str] = []
    kind = None
    (end_s,) = [at for at, what, _ in said if what == "end"]
    for step in range(int(end_s / STEP_S) + 1):
        at = step * STEP_S
        player.now_s = START_S + at
        for when, what, value in said:
            if when == at and what != "end":
                player.say(what, value)
        player.look()
        finding = player.floor.truth.findings.get("a1")
        now = finding.kind if finding else None
        if now != kind:
            found += [f"{at} ends"] if kind else []
            found += [f"{at} begins {now}"] if now else []
        kind = now
        if finding:
            assert finding.desk and finding.pbx and finding.todo
            assert finding.since_s <= player.now_s
    assert found == must


def test_every_rule_has_stories_in_which_it_is_found_and_in_which_it_is_not() -> None:
    for kind in KINDS:
        mine = [read(path)[3] for path in TRACES if path.stem.startswith(kind)]
        assert sum(any(f"begins {kind}" in line for line in must) for must in mine) >= 1, kind
        assert sum(not must for must in mine) >= 2, kind


def test_a_finding_says_how_long_and_what_both_sides_say() -> None:
    player = Player(plan_of({}, {}))
    for what, value in (("phone", "idle"), ("docked", "true"), ("pbx", "ringing")):
        player.say(what, value)
    player.now_s += 8
    player.look()
    finding = player.floor.truth.findings["a1"]
    assert finding.since_s == START_S
    assert finding.desk == "the handset is on its hook, the headset lies in its cradle"
    assert finding.pbx == "a call rings there"
    assert "a1" in player.floor.take_touched().findings


def test_a_finding_that_goes_on_after_a_moment_has_stood_all_the_while() -> None:
    player = Player(plan_of({}, {}))
    for what, value in (("phone", "idle"), ("docked", "true"), ("pbx", "ringing")):
        player.say(what, value)
    for after_s, state in ((8, "ringing"), (10, "idle"), (11, "ringing"), (30, "ringing")):
        player.now_s = START_S + after_s
        player.say("pbx", state)
        player.look()
        assert player.floor.truth.findings["a1"].since_s == START_S


MAYBE = st.sampled_from([True, False, None])
SIDES = st.builds(
    Sides,
    phone=st.sampled_from([None, "idle", "ringing", "talking", "held", "unknown"]),
    phone_by=st.sampled_from(["", "contact", "line", "url"]),
    headset_by=st.sampled_from(["", "contact", "usb"]),
    in_call=MAYBE,
    docked=MAYBE,
    pbx=st.sampled_from([None, *PBX_WORDS]),
    asked=st.booleans(),
    paused=st.booleans(),
    open=st.booleans(),
)


@settings(max_examples=500, deadline=None)
@given(SIDES)
def test_no_two_rules_hold_at_once_and_none_without_two_sides(both: Sides) -> None:
    held = [rule.kind for rule in RULES if rule.holds(both)]
    assert len(held) <= 1
    if held:
        assert both.pbx is not None
        assert {both.phone, both.in_call, both.docked} - {None, "unknown"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_what_to_do_has_room_in_the_contract(rule: Any) -> None:
    assert 20 < len(rule.todo) <= 160
    fields = {"kind": rule.kind, "for_s": 1, "desk": "ж" * 160, "pbx": "ж" * 160, "todo": "ж" * 160}
    assert contract.encode("desk/+/finding", fields)


def test_the_site_files_words_are_the_rules_words() -> None:
    assert {rule.setting for rule in RULES} <= floorplan.Truth.model_fields.keys()
    assert floorplan.Truth(off=KINDS).off == KINDS
    with pytest.raises(floorplan.SiteError, match=r'truth\.off\[1\].*did you mean .empty-desk-rings'):
        plan_of({}, {"off": ["empty-desk-ring"]})
    with pytest.raises(floorplan.SiteError, match=r"truth\.empty_desk_rings_s: is 2 or more"):
        plan_of({}, {"empty_desk_rings_s": 1})


def test_a_sensor_that_floods_costs_no_memory_and_finds_nothing() -> None:
    """A dock contact that chatters ten times a second for ten minutes, at a desk that is available."""
    player = Player(plan_of({}, {}))
    player.say("phone", "idle")
    player.say("pbx", "idle")
    for step in range(6000):
        player.now_s = START_S + step / 10
        player.say("docked", "true" if step % 2 else "false")
        if step % 5 == 0:
            player.look()
        assert not player.floor.truth.findings
    truth = player.floor.truth
    assert max(len(kept) for kept in (truth._differs, truth._due_s, truth._ends_s, truth._sides)) <= 1


def test_a_house_of_4650_desks_is_looked_at_in_no_time() -> None:
    """Half a second between two looks: all desks wait for their two minutes at once, and all are found at once."""
    dice = random.Random(4650)
    truth = Truth(floorplan.Truth())
    desks = [Desk(f"a{n}", board="b", heard=True, phone="idle", docked=True, member="idle") for n in range(4650)]
    for desk in desks:
        truth.look(desk.id, desk, dice.random())
    began_s = time.process_time()
    for step in range(40):
        assert not truth.due(1 + step)
    spent_s = time.process_time() - began_s
    assert spent_s / 40 < 0.02
    began_s = time.process_time()
    assert len(truth.due(121.0)) == 4650
    assert time.process_time() - began_s < 0.5
    assert not truth.due(121.5)


def test_what_is_out_of_sight_is_unknown() -> None:
    desk = Desk("a1", board="b", heard=True, phone="talking", in_call=True, docked=False, member="unknown")
    assert sides(desk).pbx is None
    desk.lost = "board b is cut off"
    assert (sides(desk).phone, sides(desk).in_call, sides(desk).docked) == (None, None, None)
    desk.phone_by = "url"  # it tells by itself: only the headset is out of sight
    assert (sides(desk).phone, sides(desk).in_call, sides(desk).lost) == ("talking", None, "")
    desk.dark = "the broker is away"
    assert sides(desk) == Sides()


class House:
    """A gateway that serves nothing, its clock in our hands, and what it would publish."""

    def __init__(self, folder: Path, boards: int = 1) -> None:
        (folder / "ami").write_text("a secret")
        tables: dict[str, Any] = {
            "site": {"id": "house"},
            "pbx": {"asterisk": {"host": "127.0.0.1", "user": "x", "secret_file": "ami"}},
            "queue": [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}],
            "desk": [{"id": f"a{n}", "extension": f"SIP/{n}"} for n in range(boards)],
            "board": [{"id": f"b{n}", "inputs": [
                {"desk": f"a{n}", "headset": {"by": "contact", "pin": "GP4", "dock": "GP5"}},
            ]} for n in range(boards)],
        }  # fmt: skip
        self.now_s = 200_000.0
        self.gateway = Gateway(floorplan.check(tables, "test", folder), lambda: self.now_s)
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.gateway.line.publish = self.publish  # type: ignore[method-assign]
        self.gateway.floor.hear_broker("", self.now_s)
        self.gateway._hear_source("asterisk", events.Waiting("norsk", ()))
        self.gateway._hear_source("asterisk", events.Back())

    def publish(self, topic: str, payload: bytes, retain: bool, qos: int) -> None:
        pattern, ids, fields = contract.parse(topic, payload)
        if pattern == "desk/+/finding":
            assert retain and fields is not None
            self.published.append((ids[0], fields))

    def hear(self, number: int, pattern: str, **fields: Any) -> None:
        topic = contract.topic("house", pattern.replace("+", f"b{number}", 1), 0)
        self.gateway._hear(topic, contract.encode(pattern, fields), False)

    def dock(self, number: int, seq: int = 1, why: str | None = None) -> None:
        self.hear(number, "board/+/state", state="ready", boot="x")
        self.hear(number, "board/+/input/+/headset", docked=None if why else True, why=why, seq=seq, boot="x", age_ms=0)

    def say(self) -> dict[str, dict[str, Any]]:
        self.gateway.floor.check_truth(self.now_s)
        self.gateway._say_changes()
        return self.gateway.news.said


def on_a_loop(folder: Path, what: Callable[[House], None], boards: int = 1) -> None:
    """Runs something with a house on an event loop."""

    async def main() -> None:
        house = House(folder, boards)
        try:
            what(house)
        finally:
            assert house.gateway.book.store
            house.gateway.book.store.close()

    asyncio.run(main())


def test_a_finding_is_published_said_anew_with_each_beat_and_taken_back(tmp_path: Path) -> None:
    none = {"kind": None, "for_s": None, "desk": "", "pbx": "", "todo": ""}
    def check(house: House) -> None:
        house.say()
        assert house.published == [("a0", none)]  # whatever an earlier gateway has left there
        house.dock(0)
        house.gateway._hear_source("asterisk", events.Member("norsk", "SIP/0", "ringing", False))
        assert "finding/a0" not in house.say()
        house.now_s += 8
        said = house.say()["finding/a0"]
        assert (said["kind"], said["for_s"], said["pbx"]) == ("empty-desk-rings", 8, "a call rings there")
        assert house.published[1:] == [("a0", said)]
        assert house.say()["floor"]["findings"] == 1
        house.now_s += 5
        house.gateway._say_standing()
        assert house.published[-1][1]["for_s"] == 13
        house.gateway._hear_source("asterisk", events.Member("norsk", "SIP/0", "ringing", True))
        house.gateway._hear_source("asterisk", events.MemberGone("norsk", "SIP/0"))
        assert "finding/a0" not in house.say()
        assert house.published[-1] == ("a0", none)
        assert house.say()["floor"]["findings"] == 0

    on_a_loop(tmp_path, check)


def test_a_house_full_of_findings_says_no_more_with_a_beat_than_it_must(tmp_path: Path) -> None:
    def check(house: House) -> None:
        for number in range(300):
            house.dock(number)
            house.gateway._hear_source("asterisk", events.Member("norsk", f"SIP/{number}", "ringing", False))
        house.now_s += 8
        assert house.say()["floor"]["findings"] == 300
        house.published.clear()
        house.now_s += 5
        house.gateway._say_standing()
        assert len(house.published) == 100

    on_a_loop(tmp_path, check, 300)


def test_a_fault_is_on_the_page_and_in_the_log_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def check(house: House) -> None:
        for seq in range(1, 400):
            house.dock(0, seq, "flood" if seq % 3 else None)
            house.now_s += 0.1
            said = house.say()["desk/a0"]
        assert said["status"] == "away" and said["fault"] == ""
        house.dock(0, 400, "flood")
        said = house.say()["desk/a0"]
        assert said["status"] == "unknown"
        assert said["reason"] == said["fault"] == HEADSET_WHY["flood"]
        assert [record.getMessage() for record in caplog.records if "a0" in record.getMessage()] == [
            f"desk a0: {HEADSET_WHY['flood']}"
        ]

    with caplog.at_level(logging.INFO):
        on_a_loop(tmp_path, check)


def test_an_ip_phone_in_a_call_is_not_said_to_be_a_handset() -> None:
    """It may be in its call by headset or speaker: what a supervisor reads must be so all the same."""
    for by, words in (("url", "its phone says: lifted, or in a call"), ("contact", "the handset is lifted")):
        truth = Truth(floorplan.Truth())
        desk = Desk("a1", phone_by=by, phone="talking", member="idle", asked=True)
        truth.look("a1", desk, 0.0)
        assert truth.due(30.0) == {"a1"}
        assert (truth.findings["a1"].kind, truth.findings["a1"].desk) == ("off-hook-no-call", words)
    assert conclude(Desk("a1", phone_by="url", phone="talking")) == ("talking", "its phone is lifted, or in a call")
