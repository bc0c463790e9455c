"""The audit list: who changed what, in a small table of words; nothing secret or personal, and with an end."""

from __future__ import annotations

import csv
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from gateway.alarms.signs import Sign
from gateway.alarms.standing import Alarms
from gateway.csv_line import csv_line
from gateway.people import audit
from gateway.people import people as module
from gateway.people.audit import DID, WHAT_MOST
from gateway.people.gate import TABLE
from gateway.people.people import People
from gateway.people.rights import Who
from gateway.web import alarms_http, messages_http
from tests.conftest import until
from tests.gated import CONSOLE, HASHED, PASSWORD, Clock, add, gated, plan
from tests.test_messages import Told
from tests.test_messages import site as messages_site

DAY_S = 24 * 3600
LEAD = Who("person", "lead", "supervisor")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(tmp_path: Path, clock: Clock) -> Iterator[People]:
    with People(plan(tmp_path).people, clock) as people:
        yield people


def written(people: People) -> list[str]:
    """All rows as text, the oldest first, once all is written."""
    until(lambda: not people._notes, "all is written")
    return [f"{row.who} {row.did} {row.what}".strip() for row in reversed(people.audit(limit=500))]


def test_every_change_is_in_the_list_with_who_did_it(tmp_path: Path) -> None:
    """All that the table of addresses can change, asked for real; a change that leaves no row fails here."""
    told = Told(messages_site())
    scenes: dict[str, dict[str, Any]] = {}

    async def kept() -> bool:
        return True

    def note(who: Who | None, did: str, what: str) -> None:
        house.people.note(who, did, what)

    alarms = Alarms(floorplan.Alarms(broker_away_s=0))
    alarms.look([Sign("broker-away", facts={"reason": "it does not answer"})], 5.0)
    routers = [
        messages_http.routes(told.messages, lambda: (scenes, None, 0.0), kept, note),
        alarms_http.routes(alarms, lambda: 6.0, lambda at_s: None, list, note),
    ]
    with gated(plan(tmp_path), routers) as house:
        link = house.people.first_link().partition("#")[2]
        boss = house.ask("POST", "/api/join", {"token": link, "name": "boss", "password": PASSWORD}).cookie

        def did(method: str, address: str, body: Any = None, cookie: str = "", **parts: str) -> Any:
            seen.add((method, address))
            answer = house.ask(method, address.format(**parts), body, cookie or boss)
            assert answer.status in (200, 201, 204), answer
            return answer.told if answer.body else answer

        seen = {("POST", "/api/join")}
        made = did("POST", "/api/people/invitations", {"role": "viewer"})
        did("DELETE", "/api/people/invitations/{id}", id=made["id"])
        made = did("POST", "/api/people/invitations", {"role": "supervisor"})
        house.people.join(made["token"], "lead", HASHED)
        did("PATCH", "/api/people/{name}", {"role": "admin"}, name="lead")
        made = did("POST", "/api/tokens", {"name": "lobby", "role": "wall", "days": 9})
        screen = did("POST", "/api/session", {"token": made["token"]}).cookie
        did("POST", "/wall/{wall}/events", b"", screen, wall="north")
        did("DELETE", "/api/session", None, screen)
        did("DELETE", "/api/tokens/{id}", id=made["id"])
        did("DELETE", "/api/people/{name}", name="lead")
        sent = did("POST", "/api/messages", {"text": "Fire drill", "walls": ["north"], "minutes": 15})
        assert sent["text"] == "Fire drill"
        did("DELETE", "/api/messages/{id}", id=sent["id"])
        did("POST", "/api/alarms/{id}/acknowledgement", {"note": "A secret of mine"}, id="broker-away")
        did("DELETE", "/api/alarms/{id}/acknowledgement", id="broker-away")
        boss = did("PUT", "/api/session/password", {"old": PASSWORD, "new": PASSWORD + "!"}).cookie
        did("DELETE", "/api/session")
        assert house.ask("POST", "/api/session", {"name": "boss", "password": "wrong password"}).status == 401

        changing = {row for row, needs in TABLE.items() if row[0] != "GET" and needs != "own"}
        changing -= {("POST", "/api/messages/preview")}
        changing -= {("POST", "/api/boards/{board}/{do}")}  # with a real board, in test_boards_http
        assert changing == seen, "an address that changes something is not tried here"
        assert written(house.people) == [
            "person boss joined admin (the first)",
            "person boss invited viewer",
            "person boss invitation-withdrawn viewer",
            "person boss invited supervisor",
            "person lead joined supervisor",
            "person boss role lead: supervisor → admin",
            "person boss token-made lobby: wall, 9 days",
            "token lobby login",
            "token lobby logout",
            "person boss token-ended lobby: wall",
            "person boss removed lead, admin",
            "person boss message-sent north, 15 min",
            "person boss message-taken-back north",
            "person boss alarm-acknowledged broker-away",
            "person boss alarm-reopened broker-away",
            "person boss password",
            "person boss logout",
            "nobody known login-refused as boss",
        ]
        everything = json.dumps(written(house.people))
        for secret in (PASSWORD, "Fire", "A secret of mine", link, made["token"], "127.0.0.1", boss):
            assert secret not in everything


def test_a_word_that_is_none_is_a_mistake_and_every_word_has_its_meaning(people: People) -> None:
    with pytest.raises(ValueError, match="dismissed"):
        people.note(LEAD, "dismissed")
    page = (Path(__file__).parent.parent / "docs" / "people.md").read_text(encoding="utf-8")
    for did, words in DID.items():
        assert f"| `{did}` | {words} |" in page


def test_refused_logins_of_an_hour_are_one_row_a_name_and_a_name_that_is_nobodys_is_not_kept(
    people: People, clock: Clock
) -> None:
    add(people, "lead", "viewer")
    for hour in range(2):
        for number in range(40):
            people.note_refused("LEAD")
            people.note_refused(f"my-secret-{number}")
        until(lambda: not people._notes, "all is written")
        clock.now_s += 3601 * (1 - hour)
    rows = [row for row in written(people) if "refused" in row]
    assert rows == [
        "nobody known login-refused as lead: 40 times", "nobody known login-refused 40 times",
    ] * 2  # fmt: skip


def test_what_is_put_down_is_one_short_line(people: People) -> None:
    people.note(LEAD, "message-sent", "a\nb\x1b[31m\u202e" + "x" * 1000)
    until(people.audit, "written")
    (row,) = people.audit()
    assert row.what.startswith("a b [31m x") and len(row.what) == WHAT_MOST and row.what.endswith("…")
    assert audit.words("Åse → admin") == "Åse → admin"


@pytest.mark.parametrize("parted_at", [",", ";", "\t"])
def test_a_table_holds_no_formula_however_a_spreadsheet_parts_its_cells(parted_at: str) -> None:
    written = ("=1+1", "to all; =1+1", "a;-2\t@x", " +47", "x;\"=1+1", "y\n=1+1", "＝1+1")
    for text in written:
        line = csv_line((7, text, None))
        for cells in csv.reader(line.splitlines(keepends=True), delimiter=parted_at):
            for cell in cells:
                assert not cell.strip('"\n ').startswith(("=", "+", "-", "@", "＝")), (line, cell)
    harmless = ("1", "Åse → admin", "16:40-17:00", "tel. +47; a-b", "a=b")
    assert csv_line(harmless) == ",".join(harmless) + "\n", "what is none is as it was"


def test_rows_are_kept_for_their_days(people: People, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AUDIT_LOOK", 1)
    people.note(LEAD, "message-sent", "old")
    until(people.audit, "written")
    clock.now_s += 90 * DAY_S - 1
    people.note(LEAD, "message-sent", "new")
    assert len(written(people)) == 2
    clock.now_s += 2
    people.note(LEAD, "message-sent", "newest")
    assert written(people) == ["person lead message-sent new", "person lead message-sent newest"]


def test_there_are_so_many_rows_and_nobody_pushes_out_what_others_did(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AUDIT_LOOK", 10)
    monkeypatch.setattr(module, "AUDIT_MOST", 200)
    people.note(LEAD, "message-sent", "what somebody wants to be forgotten")
    busy = Who("person", "busy", "supervisor")
    for number in range(1000):
        people.note(busy, "message-sent", f"{number}")
        if number % 200 == 0:
            until(lambda: not people._notes, "all is written")
    rows = written(people)
    assert 150 < len(people.audit(limit=1000)) <= 210
    assert rows[0] == "person lead message-sent what somebody wants to be forgotten"
    assert rows[-1] == "person busy message-sent 999"


def test_nobody_washes_out_what_they_did_by_logging_in_and_out(
    people: People, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AUDIT_LOOK", 10)
    monkeypatch.setattr(module, "AUDIT_MOST", 60)
    people.note(LEAD, "message-sent", "what she wants to be forgotten")
    for _ in range(100):
        for did in ("login", "logout", "password"):
            people.note(LEAD, did)
    assert written(people)[1:] == [f"person lead {did} 100 times" for did in ("login", "logout", "password")]
    for number in range(200):
        clock.now_s += 3601
        people.note(LEAD, "login")
        if number % 20 == 0:
            until(lambda: not people._notes, "all is written")
    rows = written(people)
    assert len(rows) <= 70 and rows[0] == "person lead message-sent what she wants to be forgotten"
    assert rows[-1] == "person lead login"


def test_pages_of_the_list_follow_each_other(people: People) -> None:
    for number in range(25):
        people.note(LEAD, "message-sent", str(number))
    until(lambda: len(people.audit(limit=100)) == 25, "written")
    seen: list[str] = []
    before = None
    while rows := people.audit(before, 10):
        seen += [row.what for row in rows]
        before = rows[-1].id
    assert seen == [str(number) for number in reversed(range(25))]


def test_what_cannot_be_written_now_is_written_later(people: People, tmp_path: Path, clock: Clock) -> None:
    with people._lock:
        people._db.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(tmp_path / "people.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun_s = time.monotonic()
    people.note(LEAD, "message-sent", "one")
    assert time.monotonic() - begun_s < 0.04, "whoever notes does not wait"
    people._writer.submit(lambda: None).result()
    assert people.audit() == []
    other.execute("ROLLBACK")
    other.close()
    people.note(LEAD, "message-sent", "two")
    assert written(people) == ["person lead message-sent one", "person lead message-sent two"]
    people.note(CONSOLE, "board-revoked", "pico-7")
    people.close()
    with People(plan(tmp_path).people, clock) as again:
        assert written(again)[-1] == "console tests board-revoked pico-7"
