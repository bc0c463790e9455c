"""Alarms over HTTP, behind the gate: who sees them, who may see to one, and what is left of that afterwards."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import floorplan
from gateway.alarms.signs import Sign
from gateway.alarms.standing import Alarms
from gateway.people.rights import Who
from gateway.web import alarms_http

from .conftest import until
from .gated import Gated, add, gated, plan

START_S = 5000.0
POLSKI = Sign("long-wait", "polski", facts={"wait_s": 90, "limit_s": 20, "waiting": 2})
DESK = Sign("off-hook-no-call", "a1", facts={"desk": "the handset is lifted", "pbx": "no call"})
BROKER = Sign("broker-away", facts={"reason": "it does not answer"})
SEEN_TO = "/api/alarms/{}/acknowledgement"


class Floor:
    """Alarms behind a real gate, their time in our hands."""

    def __init__(self, folder: Path) -> None:
        self.now_s = START_S
        self.alarms = Alarms(floorplan.Alarms(long_wait_s=0, broker_away_s=0, hold_s=0))
        self.changed: list[str] = []
        self.site = plan(folder)
        self.house: Gated

    def see(self, *signs: Sign) -> None:
        self.alarms.look(signs, self.now_s)


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    one = Floor(tmp_path)

    def note(who: Who | None, did: str, what: str) -> None:
        one.house.people.note(who, did, what)

    router = alarms_http.routes(
        one.alarms, lambda: one.now_s, lambda at_s: f"second {at_s - START_S:.0f}", one.changed.extend, note
    )  # fmt: skip
    with gated(one.site, [router]) as one.house:
        yield one


def test_alarms_are_seen_by_who_sees_the_page_and_seen_to_by_who_may(floor: Floor) -> None:
    floor.see(POLSKI)
    house = floor.house
    assert house.ask("GET", "/api/alarms").status == 401
    for role, may in {"wall": False, "viewer": False, "supervisor": True, "technician": True, "admin": True}.items():
        token = {"Authorization": f"Bearer {house.token(role)}"}
        assert house.ask("GET", "/api/alarms", **token).status == (403 if role == "wall" else 200)
        assert house.ask("GET", "/api/alarms.csv", **token).status == (403 if role == "wall" else 200)
        for method, status in (("POST", 200), ("DELETE", 204)):
            body = {"note": "x"} if method == "POST" else None
            answer = house.ask(method, SEEN_TO.format("long-wait.polski"), body, **token)
            assert answer.status == (status if may else 403), (role, method)


def test_somebody_sees_to_an_alarm_and_does_not_after_all(floor: Floor) -> None:
    floor.see(BROKER, POLSKI, DESK)
    house = floor.house
    add(house.people, "lead", "supervisor")
    lead = house.log_in("lead")
    floor.now_s += 40
    note = "  The carrier knows.\nCall 8\u202e back\x07 "
    told = house.ask("POST", SEEN_TO.format("broker-away"), {"note": note}, lead).told
    assert told["acked"] == {"by": "lead", "note": "The carrier knows. Call 8  back", "for_s": 0}
    assert floor.changed == ["broker-away"]
    floor.now_s += 5
    standing = house.ask("GET", "/api/alarms", cookie=lead).told["standing"]
    assert [(row["id"], row["for_s"], row["acked"] and row["acked"]["for_s"]) for row in standing] == [
        ("broker-away", 45, 5), ("long-wait.polski", 45, None), ("off-hook-no-call.a1", 45, None),
    ]  # fmt: skip
    again = house.ask("POST", SEEN_TO.format("broker-away"), {}, lead).told
    assert again["acked"]["note"] == "", "a note can be taken back"
    for _ in range(2):
        assert house.ask("DELETE", SEEN_TO.format("broker-away"), cookie=lead).status == 204
    assert floor.changed == ["broker-away"] * 3, "the second time nothing is done"
    assert all(row["acked"] is None for row in house.ask("GET", "/api/alarms", cookie=lead).told["standing"])


def test_the_audit_list_says_who_saw_to_what_but_neither_the_note_nor_the_desk(
    floor: Floor, tmp_path: Path
) -> None:
    floor.see(POLSKI, DESK)
    house = floor.house
    add(house.people, "lead", "supervisor")
    lead = house.log_in("lead")
    for name in ("long-wait.polski", "off-hook-no-call.a1"):
        assert house.ask("POST", SEEN_TO.format(name), {"note": "on her break"}, lead).status == 200
    assert house.ask("DELETE", SEEN_TO.format("off-hook-no-call.a1"), cookie=lead).status == 204
    until(lambda: not house.people._notes, "all is written")
    assert house.did("alarm-acknowledged") == ["person lead: off-hook-no-call", "person lead: long-wait.polski"]
    assert house.did("alarm-reopened") == ["person lead: off-hook-no-call"]
    assert not any(b"on her break" in file.read_bytes() for file in tmp_path.glob("people.db*"))


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        ({"note": "x" * 201}, {}, 422, "note"),
        ({"note": 5}, {}, 422, "note"),
        ({"note": "x", "more": 1}, {}, 422, "body"),
        (b"no JSON", {"Content_Type": "application/json"}, 422, "body"),
        (b"{}", {"Content_Type": "text/plain"}, 415, "type"),
        ({"note": "x" * 5000}, {}, 413, "long"),
    ],
)
def test_what_cannot_be_noted_is_refused_in_words(
    floor: Floor, body: object, headers: dict[str, str], status: int, kind: str
) -> None:
    floor.see(POLSKI)
    headers = {**headers, "Authorization": f"Bearer {floor.house.token('supervisor')}"}
    answer = floor.house.ask("POST", SEEN_TO.format("long-wait.polski"), body, **headers)
    assert (answer.status, answer.kind) == (status, kind)
    assert "xxx" not in answer.told["words"]
    assert floor.changed == []


def test_who_sees_to_an_alarm_that_is_over_does_not_see_to_the_next_one(floor: Floor) -> None:
    headers = {"Authorization": f"Bearer {floor.house.token('supervisor')}"}
    floor.see(POLSKI)
    (first,) = floor.house.ask("GET", "/api/alarms", **headers).told["standing"]
    floor.see()
    floor.see(POLSKI)
    address = SEEN_TO.format("long-wait.polski")
    late = floor.house.ask("POST", address, {"note": "x", "number": first["number"]}, **headers)
    assert (late.status, late.kind) == (409, "gone")
    (second,) = floor.house.ask("GET", "/api/alarms", **headers).told["standing"]
    assert second["acked"] is None
    assert floor.house.ask("POST", address, {"number": second["number"]}, **headers).status == 200


def test_what_was_wrong_at_desks_is_told_to_who_sees_to_alarms_alone(floor: Floor) -> None:
    floor.see(POLSKI, DESK)
    floor.see()
    for role, ids in {
        "viewer": ["long-wait"], "supervisor": ["long-wait", "off-hook-no-call"],
        "technician": ["long-wait", "off-hook-no-call"],
    }.items():  # fmt: skip
        headers = {"Authorization": f"Bearer {floor.house.token(role)}"}
        over = floor.house.ask("GET", "/api/alarms", **headers).told["ended"]
        rows = csv.DictReader(floor.house.ask("GET", "/api/alarms.csv", **headers).body.decode().splitlines())
        assert sorted(row["kind"] for row in over) == sorted(row["kind"] for row in rows) == ids, role


def test_an_alarm_that_is_over_is_gone(floor: Floor) -> None:
    headers = {"Authorization": f"Bearer {floor.house.token('supervisor')}"}
    floor.see(POLSKI)
    floor.see()
    for name in ("long-wait.polski", "long-wait", "nothing", "nothing.at.all", "%2e%2e"):
        for method in ("POST", "DELETE"):
            answer = floor.house.ask(method, SEEN_TO.format(name), {} if method == "POST" else None, **headers)
            assert (answer.status, answer.kind) == (404, "gone"), (name, method)


def test_too_many_at_once_are_refused_and_a_moment_later_not(floor: Floor) -> None:
    floor.see(POLSKI)
    headers = {"Authorization": f"Bearer {floor.house.token('supervisor')}"}
    answers = [floor.house.ask("POST", SEEN_TO.format("long-wait.polski"), {}, **headers) for _ in range(600)]
    refused = [answer for answer in answers if answer.status != 200]
    assert {answer.status for answer in refused} == {429}
    assert refused[0].kind == "often"
    assert refused[0].headers["retry-after"] == "1"


def test_what_was_is_told_with_its_times_the_last_one_first_and_as_a_table(floor: Floor) -> None:
    house = floor.house
    floor.see(BROKER, POLSKI)
    assert floor.alarms.acknowledge("broker-away", "lead", '=HYPERLINK("x", "y");=1+1', floor.now_s)
    floor.now_s += 10
    floor.see(POLSKI)
    floor.now_s += 20
    floor.see(DESK)
    floor.now_s += 5
    headers = {"Authorization": f"Bearer {house.token('viewer')}"}
    over = house.ask("GET", "/api/alarms", **headers).told["ended"]
    assert [(row["id"], row["for_s"], row["ended_s"], row["began"], row["ended"]) for row in over] == [
        ("long-wait.polski", 30, 5, "second 0", "second 30"), ("broker-away", 10, 25, "second 0", "second 10"),
    ]  # fmt: skip
    assert over[1]["acked"] == {"by": "lead", "note": '=HYPERLINK("x", "y");=1+1', "for_s": 35}
    answer = house.ask("GET", "/api/alarms.csv", **headers)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "alarms.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(answer.body.decode().splitlines()))
    assert [(row["kind"], row["about"], row["began"], row["ended"], row["note"]) for row in rows] == [
        ("broker-away", "", "second 0", "second 10", "'=HYPERLINK(\"x\", \"y\");'=1+1"),
        ("long-wait", "polski", "second 0", "second 30", ""),
        ("off-hook-no-call", "a1", "second 30", "", ""),
    ]  # fmt: skip


def test_the_description_of_the_addresses_fits_what_they_answer(floor: Floor) -> None:
    floor.see(POLSKI)
    headers = {"Authorization": f"Bearer {floor.house.token('viewer')}"}
    paths = floor.house.ask("GET", "/openapi.json", **headers).told["paths"]
    seen_to = paths["/api/alarms/{id}/acknowledgement"]
    assert set(seen_to["post"]["responses"]) >= {"200", "404", "408", "409", "413", "415", "422", "429"}
    told = floor.house.ask("GET", "/api/alarms", **headers).told
    schemas = floor.house.ask("GET", "/openapi.json", **headers).told["components"]["schemas"]
    assert set(told["standing"][0]) == set(schemas["Alarm"]["properties"])
    assert json.dumps(schemas["Alarm"]["properties"]["facts"]["examples"])
