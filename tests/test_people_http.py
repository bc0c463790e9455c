"""People over HTTP, asked for real: logging in and out, links, accounts and tokens, and rubbish of all kinds."""

from __future__ import annotations

import csv
import http.client
import random
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher

from gateway.people import audit
from gateway.people.gate import TABLE
from gateway.people.guesses import RIGHT, TOKEN_LOGINS
from gateway.people.http import BODY_BYTES, STATUSES
from tests.conftest import until
from tests.gated import CONSOLE, HOST, PASSWORD, Answer, Gated, add, gated, plan

NEW = "another three words"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    with gated(plan(tmp_path_factory.mktemp("people"))) as one:
        add(one.people, "boss", "admin")
        yield one


@pytest.fixture
def house(shared: Gated) -> Gated:
    """With nobody but `boss`, and no tokens or links."""
    for person in shared.people.people():
        if person.name != "boss":
            shared.people.remove(CONSOLE, person.name)
    for token in shared.people.tokens():
        shared.people.remove_token(CONSOLE, token.id)
    for link in shared.people.invitations():
        shared.people.withdraw(CONSOLE, link.id)
    return shared


def log_in(house: Gated, name: str, password: str = PASSWORD, **headers: str) -> Answer:
    return house.ask("POST", "/api/session", {"name": name, "password": password}, **headers)


def test_logging_in_and_out(house: Gated) -> None:
    add(house.people, "Lead", "supervisor")
    assert house.ask("GET", "/api/session").kind == "login"
    answer = log_in(house, "LEAD")
    assert (answer.status, answer.body) == (204, b"")
    parts = set(answer.headers["set-cookie"].split("; ")[1:])
    assert parts == {"Path=/", f"Max-Age={12 * 3600}", "HttpOnly", "SameSite=Strict"}
    assert answer.headers["cache-control"] == "no-store"
    assert house.ask("GET", "/api/session", cookie=answer.cookie).told == {
        "name": "Lead", "kind": "person", "role": "supervisor", "rights": ["walls", "see", "say", "tend"],
    }  # fmt: skip
    until(lambda: (house.people.person("lead") or CONSOLE).seen, "they were seen")  # type: ignore[union-attr]
    out = house.ask("DELETE", "/api/session", cookie=answer.cookie)
    assert out.status == 204 and out.headers["set-cookie"].startswith("callfloor=; Path=/; Max-Age=0")
    assert house.ask("GET", "/api/session", cookie=answer.cookie).status == 401, "a copy of it is dead, too"
    assert house.ask("DELETE", "/api/session").status == 204, "whoever is out may go out"


@pytest.mark.parametrize(("name", "password"), [("boss", "wrong password"), ("nobody", PASSWORD), ("", "")])
def test_who_is_not_let_in_is_not_told_whether_the_name_is_there(house: Gated, name: str, password: str) -> None:
    answer = log_in(house, name, password)
    assert (answer.status, answer.told) == (401, {"kind": "wrong", "words": "the name or the password is not right"})
    assert "set-cookie" not in answer.headers


def test_waiting_tells_nothing_of_a_name_either(tmp_path: Any) -> None:
    """However a name is written it is one: that is so of names that are nobody's, too."""
    with gated(plan(tmp_path)) as house:
        add(house.people, "lead", "viewer")
        for name in ("lead", "nobody"):
            told = [log_in(house, written, "wrong password").status for written in [name] * 5 + [name.upper()]]
            assert told == [401] * 5 + [429], name


def test_guesses_are_slowed_down_and_the_one_guessed_at_is_not(tmp_path: Any) -> None:
    with gated(plan(tmp_path)) as house:
        add(house.people, "lead", "supervisor")
        desk = log_in(house, "lead").desk
        told = [log_in(house, "lead", f"wrong password {n}") for n in range(7)]
        assert [answer.status for answer in told] == [401] * 5 + [429] * 2
        assert told[-1].kind == "slow" and 50 < told[-1].told["wait_s"] <= 60
        assert told[-1].headers["retry-after"] == str(told[-1].told["wait_s"])
        assert log_in(house, "lead").status == 429, "the right one, too: else it would tell"
        for name in ("n0", "n1", "n2"):
            add(house.people, name, "viewer")
            assert [log_in(house, name, "wrong password").status for _ in range(5)] == [401] * 5
        assert log_in(house, "n3", "wrong password").status == 429, "the whole address has to wait"
        hers = house.ask("POST", "/api/session", {"name": "LEAD", "password": PASSWORD}, desk)
        assert hers.status == 204, "at her own desk, at that address, she gets in"
        change = {"old": "x", "new": NEW}
        wrong = [house.ask("PUT", "/api/session/password", change, hers.cookie).status for _ in range(12)]
        assert wrong == [401] * 10 + [429] * 2, "whoever sits down at an open page guesses no faster"


def test_a_browser_is_known_for_the_names_that_logged_in_there_and_no_other(tmp_path: Any) -> None:
    with gated(plan(tmp_path)) as house:
        for name in ("reader", "lead"):
            add(house.people, name, "supervisor")
        reader = log_in(house, "reader").desk
        sessions = house.people.sessions
        one = sessions.desk(reader.partition("=")[2])
        assert one and one.knows("reader") and not one.knows("lead")
        both = house.ask("POST", "/api/session", {"name": "lead", "password": PASSWORD}, reader).desk
        two = sessions.desk(both.partition("=")[2])
        assert two and two.id == one.id and two.knows("reader") and two.knows("lead")
        cookie = sessions.known(two, "n0")
        for number in range(1, 8):
            cookie = sessions.known(sessions.desk(cookie), f"n{number}")
        full = sessions.desk(cookie)
        assert full and len(full.names) == 8 and not full.knows("lead") and full.knows("n0")
        forged = reader[:-2] + ("AA" if not reader.endswith("AA") else "BB")
        assert sessions.desk(forged.partition("=")[2]) is None
        assert sessions.desk(log_in(house, "reader").cookie.partition("=")[2]) is None, "a session is none"
        assert sessions.read(reader.partition("=")[2]) is None, "and opens nothing"
        told = [house.ask("POST", "/api/session", {"name": "lead", "password": "wrong password"}, reader).status
                for _ in range(6)]  # fmt: skip
        assert told == [401] * 5 + [429], "with hers she has no more guesses at others"


def test_right_passwords_without_end_keep_nobody_else_out(tmp_path: Any) -> None:
    """One who may see the page logs in with her own password, from many windows at once."""
    with gated(plan(tmp_path)) as house:
        add(house.people, "lead", "supervisor")
        slow = PasswordHasher(time_cost=2, memory_cost=64 * 1024, parallelism=1).hash(PASSWORD)
        house.people.join(house.people.invite(CONSOLE, "viewer").secret, "reader", slow)
        lead, reader = log_in(house, "lead").desk, log_in(house, "reader").desk
        told: list[int] = []

        def again() -> None:
            body = {"name": "reader", "password": PASSWORD}
            told.extend(house.ask("POST", "/api/session", body, reader).status for _ in range(4))

        threads = [threading.Thread(target=again) for _ in range(16)]
        for thread in threads:
            thread.start()
        hers = {"name": "lead", "password": PASSWORD}
        mine = [house.ask("POST", "/api/session", hers, lead).status for _ in range(5)]
        for thread in threads:
            thread.join()
        assert mine == [204] * 5
        assert set(told) == {204, 429} and told.count(204) < RIGHT.most


def test_a_link_can_be_tried_in_vain_so_often_and_no_more(tmp_path: Any) -> None:
    with gated(plan(tmp_path)) as house:
        add(house.people, "lead", "viewer")
        link = house.people.invite(CONSOLE, "viewer").secret
        other = house.people.invite(CONSOLE, "", "lead").secret
        names = [house.ask("POST", "/api/join", {"token": link, "name": name, "password": "x"}).status
                 for name in ["lead", "nobody"] * 11]  # fmt: skip
        assert names == [409, 422] * 10 + [429] * 2, "it does not tell without end which names there are"
        house.people.join = None  # type: ignore[method-assign,assignment]  # nothing is hashed for it
        sent = {"token": other, "name": "somebody", "password": NEW}
        assert house.ask("POST", "/api/join", sent).kind == "name"
        assert house.people.invited(other)


def test_one_token_logs_in_at_a_pace(tmp_path: Any) -> None:
    with gated(plan(tmp_path)) as house:
        mine, other = house.token("wall"), house.token("wall")
        told = [house.ask("POST", "/api/session", {"token": mine}).status for _ in range(TOKEN_LOGINS.most + 2)]
        assert told == [204] * TOKEN_LOGINS.most + [429] * 2
        assert house.ask("POST", "/api/session", {"token": other}).status == 204


def test_by_https_the_cookie_is_one_that_no_other_host_can_set(tmp_path: Any) -> None:
    with gated(plan(tmp_path, url="https://floor.example")) as house:
        add(house.people, "lead", "viewer")
        session = log_in(house, "lead").cookie
        name, _, value = session.partition("=")
        assert name == "__Host-callfloor"
        assert house.ask("GET", "/api/session", cookie=session).status == 200
        assert house.ask("GET", "/api/session", cookie=f"callfloor={value}").status == 401


def test_wrong_tokens_and_links_are_slowed_down_and_right_ones_are_not(tmp_path: Any) -> None:
    with gated(plan(tmp_path)) as house:
        told = [house.ask("POST", "/api/session", {"token": f"cf_{n:032x}"}).status for n in range(12)]
        told += [house.ask("POST", "/api/join", {"token": "x", "name": "a", "password": NEW}).status for _ in range(12)]
        assert told == [401] * 12 + [404] * 8 + [429] * 4
        assert house.ask("POST", "/api/session", {"token": house.token("wall")}).status == 204
        until(lambda: house.did("login-refused") == ["nobody known: 24 times"], "all are counted")


def test_passwords_asked_for_at_once_do_not_hold_the_page_up(house: Gated) -> None:
    """More than can wait are sent away, and the page answers all the while."""
    answers: list[Answer] = []

    def guess(name: str) -> None:
        answers.append(log_in(house, name, "wrong password"))

    threads = [threading.Thread(target=guess, args=(f"flood-{number}",)) for number in range(24)]
    for thread in threads:
        thread.start()
    quick = 0
    while any(thread.is_alive() for thread in threads):
        quick += house.ask("GET", "/healthz").status == 200
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} <= {401, 429} and quick > 5
    assert all(answer.told["wait_s"] >= 1 for answer in answers if answer.status == 429)
    assert any(answer.status == 429 for answer in answers)


def test_another_password_ends_all_other_sessions(house: Gated) -> None:
    add(house.people, "lead", "viewer")
    here, there = house.log_in("lead"), house.log_in("lead")
    change = {"old": PASSWORD, "new": NEW}
    assert house.ask("PUT", "/api/session/password", {**change, "new": "short"}, here).kind == "password"
    assert house.ask("PUT", "/api/session/password", {**change, "old": "wrong password"}, here).kind == "wrong"
    assert house.ask("PUT", "/api/session/password", {"old": PASSWORD, "new": PASSWORD}, here).kind == "password"
    answer = house.ask("PUT", "/api/session/password", change, here)
    assert answer.status == 204
    for cookie, status in ((here, 401), (there, 401), (answer.cookie, 200)):
        assert house.ask("GET", "/api/session", cookie=cookie).status == status
    assert log_in(house, "lead").status == 401 and log_in(house, "lead", NEW).status == 204
    token = f"Bearer {house.token('viewer')}"
    assert house.ask("PUT", "/api/session/password", change, Authorization=token).kind == "right"


def test_a_link_makes_one_account(house: Gated) -> None:
    boss = house.log_in("boss")
    made = house.ask("POST", "/api/people/invitations", {"role": "technician"}, boss)
    assert made.status == 201 and set(made.told) == {"id", "token", "ends"}
    sent = {"token": made.told["token"], "name": "Bench", "password": NEW}
    for change, kind in (
        ({"name": "boss"}, "taken"), ({"name": "a b"}, "name"), ({"name": ""}, "name"),
        ({"password": "short"}, "password"), ({"password": "Password123"}, "password"),
        ({"name": "long-enough", "password": "LONG-ENOUGH"}, "password"),
    ):  # fmt: skip
        answer = house.ask("POST", "/api/join", sent | change)
        assert (answer.status, answer.kind) == (STATUSES[kind], kind), change
    answer = house.ask("POST", "/api/join", sent)
    assert answer.status == 204
    assert house.ask("GET", "/api/session", cookie=answer.cookie).told["rights"] == ["walls", "see", "tend", "bench"]
    assert house.ask("POST", "/api/join", sent | {"name": "second"}).kind == "gone"
    assert house.ask("DELETE", f"/api/people/invitations/{made.told['id']}", None, boss).kind == "gone"
    assert log_in(house, "bench", NEW).status == 204


def test_a_link_is_used_once_by_two_who_ask_at_the_same_moment(house: Gated) -> None:
    secret = house.people.invite(CONSOLE, "viewer").secret
    told: list[int] = []

    def join(name: str) -> None:
        told.append(house.ask("POST", "/api/join", {"token": secret, "name": name, "password": NEW}).status)

    threads = [threading.Thread(target=join, args=(f"twin-{n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [204, 404]
    assert len(house.people.people()) == 2


def test_a_new_password_by_a_link(house: Gated) -> None:
    add(house.people, "lead", "supervisor")
    cookie, boss = house.log_in("lead"), house.log_in("boss")
    made = house.ask("POST", "/api/people/invitations", {"role": "", "name": "LEAD"}, boss).told
    assert house.ask("GET", "/api/people", cookie=boss).told["invitations"] == [
        {"id": made["id"], "role": "supervisor", "name": "lead", "ends": made["ends"]}
    ]
    answer = house.ask("POST", "/api/join", {"token": made["token"], "name": "", "password": NEW})
    assert answer.status == 204
    assert house.ask("GET", "/api/session", cookie=answer.cookie).told["role"] == "supervisor"
    assert house.ask("GET", "/api/session", cookie=cookie).status == 401
    assert house.ask("POST", "/api/people/invitations", {"role": "", "name": "nobody"}, boss).kind == "gone"


def test_roles_change_at_once_and_the_last_admin_stays(house: Gated) -> None:
    add(house.people, "Åse", "viewer")
    boss, lead = house.log_in("boss"), house.log_in("Åse")
    path = "/api/people/%C3%85se"
    assert house.ask("GET", "/api/people", cookie=lead).kind == "right"
    assert house.ask("PATCH", path, {"role": "wall"}, boss).kind == "role"
    assert house.ask("PATCH", path, {"role": "admin"}, boss).status == 204
    assert house.ask("GET", "/api/session", cookie=lead).status == 401, "they log in anew"
    lead = house.log_in("åse")
    assert house.ask("GET", "/api/people", cookie=lead).status == 200
    assert house.ask("DELETE", "/api/people/boss", None, lead).status == 204
    assert house.ask("GET", "/api/session", cookie=boss).status == 401
    assert (house.ask("DELETE", path, None, lead).status, house.ask("DELETE", path, None, lead).kind) == (409, "last")
    assert house.ask("PATCH", path, {"role": "viewer"}, lead).kind == "last"
    assert house.ask("DELETE", "/api/people/nobody", None, lead).kind == "gone"
    add(house.people, "boss", "admin")


def test_a_token_opens_what_its_role_may_and_a_browser_by_a_cookie_that_dies_with_it(house: Gated) -> None:
    boss = house.log_in("boss")
    made = house.ask("POST", "/api/tokens", {"name": "lobby", "role": "wall", "days": 30}, boss)
    assert made.status == 201
    secret, id = made.told["token"], made.told["id"]
    bearer = f"Bearer {secret}"
    assert house.ask("GET", "/api/session", Authorization=bearer).told == {
        "name": "lobby", "kind": "token", "role": "wall", "rights": ["walls"],
    }  # fmt: skip
    screen = house.ask("POST", "/api/session", {"token": secret})
    assert screen.status == 204
    (age,) = (part[8:] for part in screen.headers["set-cookie"].split("; ") if part.startswith("Max-Age="))
    assert 29.9 * 86400 < int(age) <= 30 * 86400
    assert house.ask("POST", "/wall/north/events", b"", screen.cookie).status == 204
    assert house.ask("GET", "/api/plan", cookie=screen.cookie).kind == "right"
    listed = house.ask("GET", "/api/people", cookie=boss)
    assert [(row["id"], row["name"], row["role"]) for row in listed.told["tokens"]] == [(id, "lobby", "wall")]
    assert secret not in (listed.body + house.ask("GET", "/api/audit", cookie=boss).body).decode()
    again = house.ask("POST", "/api/tokens", {"name": "LOBBY", "role": "viewer", "days": 1}, boss)
    assert again.kind == "taken"
    assert house.ask("DELETE", f"/api/tokens/{id}", None, boss).status == 204
    assert house.ask("GET", "/api/session", cookie=screen.cookie).status == 401
    assert house.ask("GET", "/api/session", Authorization=bearer).status == 401
    assert house.ask("POST", "/api/session", {"token": secret}).kind == "wrong"
    assert house.ask("DELETE", f"/api/tokens/{id}", None, boss).kind == "gone"


def test_what_is_listed_has_times_and_roles_and_no_secret(house: Gated) -> None:
    link = house.people.invite(CONSOLE, "viewer")
    token = house.token("viewer", "export")
    cookie = house.log_in("boss")
    answer = house.ask("GET", "/api/people", cookie=cookie)
    told = answer.told
    assert [list(row) for row in told["people"]] == [["name", "role", "since", "seen"]]
    assert [list(row) for row in told["invitations"]] == [["id", "role", "name", "ends"]]
    assert [list(row) for row in told["tokens"]] == [["id", "name", "role", "ends", "seen"]]
    for secret in (link.secret, token, "argon2", cookie.partition("=")[2]):
        assert secret not in answer.body.decode()


# ---- rubbish ----

BODIES: list[bytes] = [
    b"", b"null", b"[]", b"{}", b"0", b'"x"', b"{", b'{"name":}', b"\xff\xfe", b"\x00" * 50, b"[" * 2000,
    b'{"a":' * 500 + b"1" + b"}" * 500, b'{"name": "\\ud800", "password": "\\udfff"}', b"NaN", b"1e999",
    b'{"name": null, "password": null}', b'{"name": 5, "password": true}', b'{"name": ["boss"], "password": {}}',
    b'{"token": 5}', b'{"token": ""}', b'{"token": "x", "name": "boss"}', b'{"token": "x", "password": "y"}',
    b'{"name": "nobody"}', b'{"password": "x"}', b'{"name": "boss", "password": "x", "role": "admin"}',
    b'{"token": "\xc3\xa9", "name": "a", "password": "\xf0\x9f\x92\xa9"}', b'{"old": 1, "new": []}', b'{"old": "x"}',
    b'{"role": 1}', b'{"role": "admin", "generation": 1}', b'{"role": "admin", "name": 7}', b'{"days": 1}',
    b'{"name": "x", "role": "wall", "days": "9"}', b'{"name": "x", "role": "wall", "days": 1.5}',
    b'{"name": "x", "role": "wall", "days": 1e400}', b'{"name": "x", "role": "wall", "days": 99999999999999999999999}',
    b'{"name": "x", "role": "wall", "days": true}', b'{"name": "\\u0000", "role": "wall", "days": 3}',
    b'{"name": "x", "role": "w", "days": -3}', b'{"__proto__": {}}', b'{"role": ""}',
    b'{"role": "\'; DROP TABLE people"}',
]  # fmt: skip
TAKING = [row for row in TABLE if row[0] in ("POST", "PUT", "PATCH") and row[1].startswith(("/api/session", "/api/join",
          "/api/people", "/api/tokens"))]  # fmt: skip


def test_rubbish_is_refused_in_words_and_changes_nothing(house: Gated) -> None:
    """As an admin, so that nothing but the address itself stands in the way."""
    boss = {"Authorization": f"Bearer {house.token('admin', 'fuzz')}"}
    before = house.people.people(), house.people.tokens()
    assert len(TAKING) == 6
    for method, address in TAKING:
        path = address.replace("{name}", "boss")
        for body in BODIES:
            answer = house.ask(method, path, body, Content_Type="application/json", **boss)
            assert 400 <= answer.status < 500, (method, path, body, answer)
            assert answer.told["words"] and answer.kind in STATUSES
            assert "boss" not in answer.told["words"] and "DROP" not in answer.told["words"]
        for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = house.ask(method, path, b'{"token": "x"}', Content_Type=kind, **boss)
            assert answer.status in (403, 415), (method, path, kind, answer)
        for length in (BODY_BYTES + 1, 10 * 2**20):
            with_one = long_one(house, method, path, length, boss)
            assert with_one in (403, 413), (method, path, length, with_one)
    assert [person._replace(seen=None) for person in house.people.people()] == [
        person._replace(seen=None) for person in before[0]
    ]
    assert [token.id for token in house.people.tokens()] == [token.id for token in before[1]]
    assert house.people.invitations() == []


def long_one(house: Gated, method: str, path: str, length: int, headers: dict[str, str]) -> int:
    """The answer to a long body, sent in parts and without a Content-Length until it is refused."""
    connection = http.client.HTTPConnection(HOST, house.port, timeout=20)
    part = b'{"token": "' + b"x" * 65536
    sent = (part[: min(len(part), length - at)] for at in range(0, length, len(part)))
    try:
        connection.request(method, path, sent, {"Content-Type": "application/json", **headers}, encode_chunked=True)
    except (BrokenPipeError, ConnectionResetError):
        return 413  # it would not hear more
    try:
        return connection.getresponse().status
    except (ConnectionResetError, http.client.RemoteDisconnected):
        return 413
    finally:
        connection.close()


def test_odd_names_and_numbers_in_addresses_are_refused_in_words(house: Gated) -> None:
    boss = {"Authorization": f"Bearer {house.token('admin', 'odd')}"}
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    odd = ["%00", "%0a", "%ff", "%F0%9F%92%A9", "a" * 3000, "%22", "'%20OR%201=1", "%c3%28", "-1", "%2527", "{name}"]
    odd += ["".join(f"%{chance.randrange(1, 256):02x}" for _ in range(8)) for _ in range(20)]
    for text in odd:
        for path in ("/api/people/", "/api/tokens/", "/api/people/invitations/"):
            answer = house.ask("DELETE", path + text, None, **boss)
            assert answer.status == 404 and answer.kind == "gone", (path, text, answer)
        assert house.ask("PATCH", f"/api/people/{text}", {"role": "viewer"}, **boss).status == 404
    for query in ("before=x", "before=0", "before=-1", "before=99999999999999999999", "limit=0", "limit=501",
                  "limit=1e2", "limit=", "before=1&before=x"):  # fmt: skip
        answer = house.ask("GET", f"/api/audit?{query}", **boss)
        assert (answer.status, answer.kind) == (422, "asked"), query
    assert house.ask("GET", f"/api/audit?before={2**62}&limit=1&more=x", **boss).status == 200


def test_odd_cookies_are_nobodys(house: Gated) -> None:
    good = house.log_in("boss")
    for cookie in (
        "callfloor=", "callfloor", "callfloor==", "callfloor=x; callfloor=y", ";" * 500, "callfloor=" + "A" * 5000,
        "callfloor=\xe9", good.replace("=", "%3D", 1), good + "x", "Callfloor=" + good.partition("=")[2], f"x{good}",
    ):  # fmt: skip
        assert house.ask("GET", "/api/session", cookie=cookie).status == 401, cookie
    assert house.ask("GET", "/api/session", cookie=f"a=b; callfloor=old; {good}; c=d").status == 200


def test_the_file_being_held_by_somebody_else_is_said_in_words(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.people.people.BUSY_S", 0.2)
    with gated(plan(tmp_path)) as house:
        token = {"Authorization": f"Bearer {house.token('admin')}"}
        until(lambda: not house.people._notes, "all is written")
        with house.people._lock:
            house.people._db.execute("PRAGMA busy_timeout = 100")
        other = sqlite3.connect(tmp_path / "people.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = house.ask("POST", "/api/people/invitations", {"role": "viewer"}, **token)
        assert (answer.status, answer.kind) == (503, "trouble") and str(tmp_path) not in answer.body.decode()
        assert house.ask("GET", "/api/people", **token).status == 200
        other.execute("ROLLBACK")
        other.close()
        assert house.ask("POST", "/api/people/invitations", {"role": "viewer"}, **token).status == 201


def test_openapi_tells_of_all_of_it(house: Gated) -> None:
    token = f"Bearer {house.token('viewer', 'reader')}"
    told = house.ask("GET", "/openapi.json", Authorization=token).told["paths"]
    for method, address in TABLE:
        if address.startswith(("/api/people", "/api/tokens", "/api/session", "/api/join", "/api/audit")):
            assert told[address][method.lower()]["summary"], address


def test_the_audit_list_is_a_table_too_and_never_a_formula(tmp_path: Any) -> None:
    """More than is read at a time, each once, the newest first; only to who may see the list."""
    with gated(plan(tmp_path)) as house:
        for number in range(audit.PIECE + 5):
            house.people.note(CONSOLE, "board-commanded", f"=row-{number}")
        until(lambda: len(house.people.audit(None, 500)) == 500, "they are written")
        admin = house.token("admin")
        answer = house.ask("GET", "/api/audit.csv", Authorization=f"Bearer {admin}")
        assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, "text/csv")
        rows = list(csv.DictReader(answer.body.decode().splitlines()))
        done = [row for row in rows if row["did"] == "board-commanded"]
        assert [row["what"] for row in done] == [f"'=row-{number}" for number in reversed(range(audit.PIECE + 5))]
        assert (done[0]["who"], done[0]["at"][-6:]) == ("console tests", "+00:00")
        viewer = house.token("viewer")
        assert house.ask("GET", "/api/audit.csv", Authorization=f"Bearer {viewer}").status == 403
        assert house.ask("PUT", "/api/messages", Authorization=f"Bearer {viewer}").headers["allow"] == "GET, POST"
