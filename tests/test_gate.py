"""The gate before the page: every address is in its table, and there is no way round."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message

import floorplan
from gateway.people import gate, hosts, sessions
from gateway.people.gate import TABLE, Gate
from gateway.people.people import People
from gateway.people.rights import ROLES
from gateway.phones import http as phones_http
from gateway.phones.phones import Phones
from gateway.queues import push_http
from gateway.web import (
    alarms_http,
    boards_http,
    floor_plan_http,
    messages_http,
    metrics_http,
    privacy_http,
    queue_day_http,
    shells,
)
from tests import certificates
from tests.conftest import until
from tests.gated import CONSOLE, HOST, PASSWORD, Answer, Gated, Stream, add, gated, plan, served

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    with gated(plan(tmp_path_factory.mktemp("gate"))) as one:
        for role in ROLES:
            if role != "wall":
                add(one.people, role, role)
        yield one


# ---- the table ----


def every(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    """(method, address) of all that is served, in whatever it is wrapped."""
    for route in routes:
        if isinstance(route, Route | APIRoute):
            yield from ((method, route.path) for method in route.methods or ())
        elif isinstance(route, Mount):
            yield "GET", f"{route.path}/{{file:path}}"
        else:
            included = getattr(route, "original_router", None)
            assert included is not None, f"what is this? {route!r}"
            yield from every(included.routes)


def test_every_address_of_the_whole_page_is_in_the_table_and_no_other(tmp_path: Path) -> None:
    site = plan(tmp_path)
    told: Any = None

    async def kept() -> bool:
        return True

    async def saved() -> None:
        return None

    routers = [
        push_http.routes({}, {}, saved),
        phones_http.routes(Phones(site, lambda *_: None, time.monotonic), "token", time.monotonic),
        messages_http.routes(told, lambda: ({}, None, 0.0), kept),
        alarms_http.routes(told, time.monotonic, str, list, messages_http.unnoted),
        boards_http.routes(told, messages_http.unnoted),
        boards_http.live_routes(site, told, told, messages_http.unnoted),
        privacy_http.routes(site, None),
        metrics_http.routes(told),
        queue_day_http.routes(told),
        floor_plan_http.routes(site),
    ]
    one = Gated(site, routers)
    served_here = {row for row in every(one.app.routes) if row[0] != "HEAD"}
    one.people.close()
    assert len(served_here) > 35 and ("POST", "/api/messages") in served_here
    assert served_here - TABLE.keys() == set(), "an address without a right"
    assert TABLE.keys() - served_here == set(), "a right without an address"


def filled(address: str) -> str:
    return address.replace("{file:path}", "page.css").replace("{said:path}", "x").replace("{", "").replace("}", "")


def test_two_rows_that_fit_one_address_need_the_same() -> None:
    for (method, address), needs in TABLE.items():
        scope = {"type": "http", "method": method, "path": filled(address), "headers": []}
        assert gate._needs(scope) == (needs, None), (method, address)


def test_every_role_may_what_its_rights_say_and_nothing_else(house: Gated) -> None:
    """Each address of the table as nobody and as each role, asked for real."""
    tokens = {role: house.token(role) for role in ROLES}
    looked = 0
    for (method, address), needs in TABLE.items():
        if needs == "own" or address == "/api/events" or (address.endswith("/events") and method == "GET"):
            continue  # the first have tests of their own, streams are below
        path = filled(address).replace("/walls/wall.png", "/walls/north.png").replace("/wall/wall", "/wall/north")
        answer = house.ask(method, path, {} if method != "GET" else None)
        if needs == "anybody":
            assert (answer.status != 403 and (method, path, answer.status) not in (("GET", path, 401),)) or (
                path == "/api/session"), (method, path, answer)  # fmt: skip
        else:
            assert (answer.status, answer.kind) == (401, "login"), (method, path, answer)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for role, rights in ROLES.items():
            if needs == "anybody":
                continue
            answer = house.ask(method, path, {} if method != "GET" else None, Authorization=f"Bearer {tokens[role]}")
            refused = answer.status == 403 and answer.kind == "right"
            assert refused is not (needs == "login" or needs in rights) or path == "/api/session/password", (
                role, method, path, answer)  # fmt: skip
            looked += 1
    assert looked > 90


# ---- no way round ----

ROUND = [
    "//api/plan", "/api//plan", "/api/plan/", "/API/plan", "/api/Plan", "/./api/plan", "/api/./plan",
    "/static/../api/plan", "/static/..%2fapi/plan", "/static/%2e%2e/api/plan", "/api%2fplan", "/%2fapi/plan",
    "/api/plan%00", "/api/plan%0a", "/api/plan%2f", "/api\\plan", "/api%5cplan", "/api/plan;x", "/api/plan%20",
    "/static/..%5c..%5cpeople.py", "/static//etc/passwd", "/static/%2e%2e/people.py", "/login/../api/plan",
    "/wall/../api/plan", "/wall/%2e%2e/api/plan", "/wall/..", "/healthz/", "/healthz/../api/plan", "/docs", "/redoc",
    "/openapi.json/", "/static/../../people.py", "/phonex/api/plan", "/api/queuesx/a", "http://127.0.0.1/api/plan/",
    "/api/plan/%2e", "/api/%70lan/..", "*", "/.", "/..", "/api/session/../plan", "/phone/../api/plan",
    "/phone/x/../../api/plan", "/api/queues/../plan", "/api/queues/%2e%2e/plan",
]  # fmt: skip


@pytest.mark.parametrize("path", ROUND)
def test_no_other_way_of_writing_an_address_leads_to_it(house: Gated, path: str) -> None:
    token = house.token("admin")
    for method, headers in itertools.product(("GET", "HEAD", "POST"), ({}, {"Authorization": f"Bearer {token}"})):
        answer = house.ask(method, path, **headers)
        assert answer.status in (400, 404, 405, 422), (method, path, answer)
        assert b"desks" not in answer.body and b"sqlite" not in answer.body


def test_other_methods_are_refused_and_head_needs_what_get_needs(house: Gated) -> None:
    viewer = f"Bearer {house.token('viewer')}"
    for method in ("OPTIONS", "TRACE", "PROPFIND", "PUT", "PATCH", "DELETE"):
        assert house.ask(method, "/api/plan").status == 405
        assert house.ask(method, "/api/plan", Authorization=viewer).status == 405
    for method in ("get", "GETT", "CONNECT"):
        assert house.ask(method, "/api/plan").status in (400, 404, 405)
    for path in ("/api/plan", "/api/now", "/api/history.csv", "/api/events"):
        assert house.ask("HEAD", path).status == 401
    for path in ("/api/audit", "/api/people"):
        assert house.ask("HEAD", path).status == 401
        assert house.ask("HEAD", path, Authorization=viewer).status == 403
    assert house.ask("POST", "/api/plan", {}, Authorization=viewer, X_HTTP_Method_Override="GET").status == 405


def test_head_of_what_is_the_same_for_everybody_is_get_without_its_body(house: Gated) -> None:
    viewer = f"Bearer {house.token('viewer')}"
    shells_here = [address.replace("{queue}", "polski") for address in shells.SHELLS]
    for path in (*shells_here, "/wall", "/wall/north", "/healthz", "/api/plan", "/static/look.css"):
        got, head = (house.ask(method, path, Authorization=viewer) for method in ("GET", "HEAD"))
        same = got.headers.keys() - {"date"}
        assert (got.status, head.status, head.body) == (200, 200, b""), path
        assert {name: head.headers.get(name) for name in same} == {name: got.headers[name] for name in same}, path


def test_of_what_the_api_answers_a_browser_keeps_nothing(house: Gated) -> None:
    admin = f"Bearer {house.token('admin')}"
    for path in ("/api/now", "/api/people", "/api/audit", "/api/audit.csv", "/api/history.csv", "/api/session"):
        assert house.ask("GET", path, Authorization=admin).headers["cache-control"] == "no-store", path
    for path in ("/", "/api/plan", "/static/look.css"):  # asked for anew each time, and sent only where it is another
        assert house.ask("GET", path, Authorization=admin).headers["cache-control"] == "no-cache", path


def test_headers_that_rewrite_an_address_change_nothing(house: Gated) -> None:
    for header in ("X_Original_URL", "X_Rewrite_URL", "X_Forwarded_Prefix", "X_Forwarded_Path", "X_Original_URI"):
        assert house.ask("GET", "/api/plan", **{header: "/login"}).status == 401
        assert house.ask("GET", "/login", **{header: "/api/plan"}).body.startswith(b"<!doctype html>")


def asked(app: Gate, scope: dict[str, Any]) -> list[Message]:
    """What an application says to one scope."""
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(app(scope, receive, send))
    return said


def test_a_websocket_and_what_nobody_knows_are_refused(tmp_path: Path) -> None:
    called = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        called.append(scope["type"])

    with People(plan(tmp_path).people) as people:
        app = Gate(inner, people)
        socket_ = {"type": "websocket", "path": "/api/plan", "headers": []}
        assert asked(app, socket_) == [{"type": "websocket.close", "code": 1008}]
        assert asked(app, {"type": "http3", "method": "GET", "path": "/login", "headers": []}) == []
        assert asked(app, {"type": "lifespan"}) == []
        at_root = {"type": "http", "method": "GET", "path": "/login", "headers": [], "root_path": "/elsewhere"}
        assert asked(app, at_root)[0]["status"] == 404
    assert called == ["lifespan"]


def test_a_websocket_is_refused_by_the_real_server(house: Gated) -> None:
    answer = house.ask(
        "GET", "/api/events", Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Version="13",
        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
    )  # fmt: skip
    assert answer.status in (401, 403)


# ---- who ----


def test_addresses_with_tokens_of_their_own_are_left_to_them(tmp_path: Path) -> None:
    seen: list[tuple[str, Any]] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["path"], scope["state"]["who"]))

    with People(plan(tmp_path).people) as people:
        for method, path in (
            ("POST", "/api/queues/polski"), ("GET", "/phone/x"), ("POST", "/phone/x/"),
            ("GET", "/phone/x/mac=1&a=//b/.."),
        ):  # fmt: skip
            headers = [(b"origin", EVIL.encode()), (b"authorization", b"Bearer its own")]
            asked(Gate(inner, people), {"type": "http", "method": method, "path": path, "headers": headers})
    assert [who for _, who in seen] == [None] * 4


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer cf_" + "0" * 32, "bearer x", "Bearer cf_\xe9", "Bearer " + "x" * 5000],
)
def test_a_wrong_token_is_refused_even_beside_a_good_cookie(house: Gated, header: str) -> None:
    cookie = house.log_in("viewer")
    assert house.ask("GET", "/api/plan", cookie=cookie).status == 200
    assert house.ask("GET", "/api/plan", cookie=cookie, Authorization=header).status == 401
    assert house.ask("GET", "/api/session", cookie=cookie, Authorization=header).status == 401
    assert house.ask("GET", "/healthz", Authorization=header).status == 401, "a program learns that its token is none"


def test_two_tokens_are_none_and_a_proxys_own_password_is_none_of_ours(house: Gated) -> None:
    token = house.token("viewer")
    assert house.ask("GET", "/api/plan", Authorization=f"bEARER  {token}").status == 200
    assert house.ask("GET", "/api/plan", Authorization="Basic dXNlcjpwYXNz").status == 401
    cookie = house.log_in("viewer")
    assert house.ask("GET", "/api/plan", cookie=cookie, Authorization="Basic dXNlcjpwYXNz").status == 200
    with contextlib.closing(http.client.HTTPConnection(HOST, house.port, timeout=10)) as connection:
        connection.putrequest("GET", "/api/plan")
        for _ in range(2):
            connection.putheader("Authorization", f"Bearer {token}")
        connection.endheaders()
        assert connection.getresponse().status == 401


def test_healthz_tells_nobody_more_than_up(house: Gated) -> None:
    assert house.ask("GET", "/healthz").told == {"up": True}
    assert house.ask("GET", "/healthz", Authorization=f"Bearer {house.token('wall')}").told == {"up": True}
    assert house.ask("GET", "/healthz", Authorization=f"Bearer {house.token('viewer')}").told["broker"] == "ready"


def test_refusals_have_the_safe_headers_and_say_nothing_of_what_was_asked(house: Gated) -> None:
    answer = house.ask("GET", "/api/nothing<script>")
    assert (answer.status, answer.kind) == (404, "gone") and b"script" not in answer.body
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_whoever_may_not_is_not_told_which_walls_there_are(house: Gated) -> None:
    for path in ("/wall", "/wall/north", "/wall/nowhere"):
        answer = house.ask("GET", path)
        assert answer.status == 200 and b"north" not in answer.body, path
    assert house.ask("GET", "/wall/nowhere", Authorization=f"Bearer {house.token('wall')}").status == 404


# ---- pages of somebody else ----


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "", "Sec_Fetch_Site": "same-origin"}, 204),
        ({"Sec_Fetch_Site": "same-origin"}, 204),
        ({}, 204),  # the Origin of ours alone
        ({"Origin": ""}, 403),
        ({"Origin": EVIL}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": EVIL, "Sec_Fetch_Site": "same-origin"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "", "Sec_Fetch_Site": "none"}, 403),
        ({"Origin": "", "Sec_Fetch_Site": "same-origin, cross-site"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "ftp://{host}"}, 403),
        ({"Origin": "http://{host}.evil.example"}, 403),
        ({"Origin": "https://{host}"}, 204),  # a proxy speaks TLS for us and does not say so
    ],
)
def test_nothing_is_changed_for_a_page_of_somebody_else(house: Gated, headers: dict[str, str], status: int) -> None:
    host = f"{HOST}:{house.port}"
    sent = {name: value.format(host=host) for name, value in headers.items()}
    cookie = house.log_in("supervisor")
    answer = house.ask("DELETE", "/api/session", cookie=cookie, **sent)
    assert answer.status == status
    assert house.ask("GET", "/api/session", cookie=cookie).status == (401 if status == 204 else 200)
    if status == 403:
        assert answer.kind == "origin"


def test_nobody_is_logged_in_from_a_page_of_somebody_else(house: Gated) -> None:
    """Without a cookie, too: else somebody works under another's name and does not know."""
    good = {"name": "viewer", "password": PASSWORD}
    assert house.ask("POST", "/api/session", good, Origin=EVIL).status == 403
    assert house.ask("POST", "/api/session", good, Sec_Fetch_Site="cross-site").status == 403
    assert house.ask("POST", "/api/session", good, cookie="callfloor=old", Origin="").status == 403
    assert house.ask("POST", "/api/session", good).status == 204, "a program"
    form = house.ask("POST", "/api/session", json.dumps(good).encode(), Content_Type="text/plain")
    assert form.status == 415


def test_a_token_needs_no_origin(house: Gated) -> None:
    bearer = f"Bearer {house.token('admin')}"
    sent = {"role": "viewer"}
    assert house.ask("POST", "/api/people/invitations", sent, Authorization=bearer, Origin=EVIL).status == 201


def test_the_address_of_the_site_file_is_ours_behind_a_proxy_that_changes_the_host(tmp_path: Path) -> None:
    site = plan(tmp_path, url="https://Floor.example/calls")
    with gated(site) as house:
        add(house.people, "lead", "viewer")
        answer = house.ask("POST", "/api/session", {"name": "lead", "password": PASSWORD},
                           Origin="https://floor.example")  # fmt: skip
        assert answer.status == 204 and answer.headers["set-cookie"].endswith("; Secure")
        for origin, status in (("https://floor.example.evil", 403), ("https://floor.example", 204)):
            assert house.ask("DELETE", "/api/session", cookie=answer.cookie, Origin=origin).status == status


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        (None, True), ("127.0.0.1:8080", True), ("10.0.0.3", True), ("[::1]:8080", True), ("[fe80::1]", True),
        ("localhost:8080", True), ("a.localhost", True), ("floor", True), ("Floor.local:8080", True),
        (f"{socket.gethostname()}:1", True), ("evil.example", False), ("evil.example:8080", False),
        ("127.0.0.1.evil.example", False), ("evil.example.", False), ("floor.example", True), ("FLOOR.example.", True),
        ("desk.floor.example", False), ("a.calls.example", True), ("a.b.calls.example", False),
        ("calls.example", False), ("", False), ("a, b", False), ("evil.example/.local", False), ("local", True),
        ("evil.example@localhost", False), ("[::1].evil.example", False), ("::1.evil.example", False),
    ],
)  # fmt: skip
def test_a_name_that_somebody_else_can_have_is_not_believed(tmp_path: Path, host: str | None, ours: bool) -> None:
    certificates.authority(tmp_path, "ca")
    certificates.certificate(tmp_path, "page", "ca", "DNS:floor.example,DNS:*.calls.example")
    page = floorplan.WebPage(cert_file=tmp_path / "page.pem", key_file=tmp_path / "page.key")
    assert hosts.is_ours(host, hosts.names(page)) is ours


def test_a_page_that_leads_its_own_name_here_gets_nothing(house: Gated) -> None:
    """DNS rebinding: its browser takes us for that page, and says so."""
    sent = {"Host": "evil.example", "Sec_Fetch_Site": "same-origin"}
    good = {"name": "viewer", "password": PASSWORD}
    for origin in ("https://evil.example", "http://evil.example", ""):
        answer = house.ask("POST", "/api/session", good, Origin=origin, **sent)
        assert (answer.status, answer.kind) == (421, "host") and "[page] url" in answer.told["words"]
    for path in ("/", "/login", "/healthz", "/static/page.css"):
        assert house.ask("GET", path, Host="evil.example").status == 421
    assert house.ask("POST", "/api/queues/polski", b"", Host="evil.example").status == 404, "that has its own token"


def test_with_an_address_in_the_site_file_no_other_name_changes_anything(tmp_path: Path) -> None:
    good = {"name": "lead", "password": PASSWORD}
    with gated(plan(tmp_path, url="http://floor.example")) as house:
        add(house.people, "lead", "viewer")
        for host, origin, status in (
            ("floor.example", "http://floor.example", 204), ("behind.example", "http://floor.example", 204),
            ("evil.example", "http://evil.example", 403), ("evil.example", "", 403), ("floor", "http://floor", 204),
        ):  # fmt: skip
            sent = {"Host": host, "Origin": origin, "Sec_Fetch_Site": "same-origin"}
            assert house.ask("POST", "/api/session", good, **sent).status == status, (host, origin)


def test_one_token_takes_only_so_many_streams_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "AT_ONCE", 3)
    with gated(plan(tmp_path)) as house:
        mine, other = ({"Authorization": f"Bearer {house.token('wall')}"} for _ in range(2))
        open_ = [Stream(house, "/wall/north/events", **mine) for _ in range(3)]
        assert [stream.answer.status for stream in open_] == [200] * 3
        no = house.ask("POST", "/wall/north/events", b"", **mine)
        assert (no.status, no.kind, no.headers["retry-after"]) == (429, "slow", str(no.told["wait_s"]))
        assert house.ask("POST", "/wall/north/events", b"", **other).status == 204
        open_.pop().close()
        until(lambda: house.ask("POST", "/wall/north/events", b"", **mine).status == 204, "there is room again")
        for stream in open_:
            stream.close()


def test_what_a_proxy_says_is_believed_of_those_in_the_site_file_alone(tmp_path: Path) -> None:
    said = {"X_Forwarded_Proto": "https", "X_Forwarded_For": "203.0.113.9"}
    good = {"name": "lead", "password": PASSWORD}
    for proxies, believed in ((["10.9.9.9"], False), ([HOST], True)):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        with gated(plan(folder, proxies=proxies)) as house:
            add(house.people, "lead", "viewer")
            answer = house.ask("POST", "/api/session", good, **said)
            assert answer.headers["set-cookie"].endswith("; Secure") is believed
            wrong = [house.ask("POST", "/api/session", {"token": "x"}, X_Forwarded_For=f"203.0.113.{n}").status
                     for n in range(22)]  # fmt: skip
            assert (429 in wrong) is not believed, "where everybody is one address they share its guesses"


# ---- what is under way ----


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The gate looks often; what this gives waits until it has looked once more, from beginning to end."""
    looks = itertools.count(1)
    done = [0]
    look = Gate._look_at_all

    def counted(self: Gate) -> None:
        look(self)
        done[0] = next(looks)

    def looked() -> None:
        before = done[0]
        until(lambda: done[0] >= before + 2, "it has looked")

    monkeypatch.setattr(gate, "LOOK_S", 0.1)
    monkeypatch.setattr(Gate, "_look_at_all", counted)
    return looked


def streams(house: Gated, **headers: str) -> list[Stream]:
    both = [Stream(house, path, **headers) for path in ("/api/events", "/wall/north/events")]
    for stream in both:
        assert stream.answer.status == 200
        until(lambda stream=stream: stream.heard, "the stream tells")  # type: ignore[misc]
    return both


def test_a_stream_ends_when_its_session_does(tmp_path: Path) -> None:
    """Each way of ending one, at the gate's own pace; somebody else's streams go on."""
    with gated(plan(tmp_path)) as house:
        for name in ("out", "changed", "removed", "other", "forgot"):
            add(house.people, name, "supervisor")
        cookies = {name: house.log_in(name) for name in ("out", "changed", "removed", "other", "forgot")}
        tokens = {name: house.token("viewer", name) for name in ("by-hand", "screen")}
        screen = house.ask("POST", "/api/session", {"token": tokens["screen"]}).cookie
        open_ = {name: streams(house, Cookie=cookie) for name, cookie in cookies.items()}
        open_["by-hand"] = streams(house, Authorization=f"Bearer {tokens['by-hand']}")
        open_["screen"] = streams(house, Cookie=screen)
        second = house.log_in("out")
        open_["out again"] = streams(house, Cookie=second)

        begun_s = time.monotonic()
        assert house.ask("DELETE", "/api/session", cookie=cookies["out"]).status == 204
        house.people.set_role(CONSOLE, "changed", "viewer")
        with People(house.site.people) as elsewhere:  # as the command line does, in a program of its own
            elsewhere.remove(CONSOLE, "removed")
            for name in tokens:
                elsewhere.remove_token(CONSOLE, name)
            elsewhere.join(elsewhere.invite(CONSOLE, "", "forgot").secret, "", "another hash")
        gone = [stream for name in ("out", "changed", "removed", "forgot", *tokens) for stream in open_[name]]
        until(lambda: all(stream.ended for stream in gone), "the streams end", 5)
        assert time.monotonic() - begun_s < 5
        assert all(stream.whole for stream in gone), "a browser asks again at once, and is told to log in"
        for name in ("other", "out again"):
            assert not any(stream.ended for stream in open_[name])
        for cookie in (*(cookies[name] for name in ("out", "changed", "removed", "forgot")), screen):
            assert house.ask("GET", "/api/session", cookie=cookie).status == 401
        for stream in itertools.chain(*open_.values()):
            stream.close()


def test_a_stream_ends_with_its_token_and_comes_back_for_a_new_cookie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, brief: Callable[[], None]
) -> None:
    now = [time.time()]
    clock = lambda: now[0]  # noqa: E731
    monkeypatch.setattr("tests.gated.People", lambda settings: People(settings, clock))
    with gated(plan(tmp_path)) as house:
        add(house.people, "lead", "viewer")
        cookie = house.log_in("lead")
        token = house.token("viewer")
        bearer = streams(house, Authorization=f"Bearer {token}")
        alone = streams(house, Cookie=cookie)
        now[0] += 5 * 3600  # of twelve
        brief()
        assert not any(stream.ended for stream in (*bearer, *alone))
        now[0] += 1.1 * 3600
        until(lambda: all(stream.ended for stream in alone), "it comes back for another cookie")
        assert not any(stream.ended for stream in bearer)
        answer = house.ask("GET", "/api/session", cookie=cookie)
        assert answer.status == 200 and answer.cookie != cookie
        again = streams(house, Cookie=answer.cookie)
        for _ in range(4):  # the page asks for pictures meanwhile
            now[0] += 3 * 3600
            answer = house.ask("GET", "/api/session", cookie=answer.cookie)
            assert answer.cookie
        brief()
        assert not any(stream.ended for stream in again)
        now[0] += 12 * 3600
        until(lambda: all(stream.ended for stream in (*bearer, *again)), "the token has ended, the person is gone")
        assert house.ask("GET", "/api/session", cookie=answer.cookie).status == 401
        for stream in (*bearer, *alone, *again):
            stream.close()


def test_a_body_that_is_still_coming_does_nothing_for_somebody_who_is_removed(
    tmp_path: Path, brief: Callable[[], None]
) -> None:
    with gated(plan(tmp_path)) as house:
        add(house.people, "boss", "admin")
        add(house.people, "fired", "admin")
        cookie = house.log_in("fired")
        body = json.dumps({"name": "backdoor", "role": "admin", "days": 400}).encode()
        head = (
            f"POST /api/tokens HTTP/1.1\r\nHost: {HOST}:{house.port}\r\nOrigin: http://{HOST}:{house.port}\r\n"
            f"Cookie: {cookie}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection((HOST, house.port), 10) as line:
            line.sendall(head.encode() + body[:10])
            brief()  # it looks while there is something under way alone: the request has come in
            house.people.remove(CONSOLE, "fired")
            told = line.recv(65536)
            assert told.startswith(b"HTTP/1.1 401"), told
            with contextlib.suppress(OSError):
                line.sendall(body[10:])
        assert house.ask("GET", "/healthz").status in (200, 503)  # what came before it has been read
        assert house.people.tokens() == []


@pytest.mark.usefixtures("brief")
def test_what_a_stream_holds_is_let_go_and_other_cancels_are_left_alone(tmp_path: Path) -> None:
    """The one who listens is told to stop, in `finally`, as when a browser goes."""
    let_go: list[str] = []
    app = FastAPI()

    @app.get("/api/events")
    async def events() -> StreamingResponse:
        async def tell() -> AsyncIterator[bytes]:
            try:
                yield b"data: 1\n\n"
                await asyncio.sleep(60)
            finally:
                let_go.append("finally")

        return StreamingResponse(tell(), media_type="text/event-stream")

    site = plan(tmp_path)
    house = Gated(site)
    guarded = Gate(app, house.people)
    with served(guarded, site.page) as port:
        house.port = port
        token = house.token("viewer")
        stream = Stream(house, "/api/events", Authorization=f"Bearer {token}")
        until(lambda: stream.heard, "it tells")
        house.people.remove_token(CONSOLE, house.people.tokens()[0].id)
        until(lambda: let_go and stream.ended, "it is let go")
        assert not guarded._under_way and not guarded._ended
        token = house.token("viewer", "second")
        gone = Stream(house, "/api/events", Authorization=f"Bearer {token}")
        until(lambda: gone.heard, "it tells")
        gone.close()
        until(lambda: len(let_go) == 2 and not guarded._under_way, "a browser that goes is let go, too")
        stream.close()
    house.people.close()


def test_what_the_file_of_people_cannot_tell_opens_nothing(tmp_path: Path) -> None:
    with gated(plan(tmp_path)) as house:
        add(house.people, "lead", "admin")
        cookie = house.log_in("lead")
        house.people._eye.close()
        for sent in ({"cookie": cookie}, {"Authorization": "Bearer cf_x"}):
            answer: Answer = house.ask("GET", "/api/plan", **sent)
            assert (answer.status, answer.kind) == (503, "trouble")
        assert house.ask("GET", "/login").status == 200


def test_cookies_are_renewed_while_somebody_is_here_and_not_by_others(tmp_path: Path, monkeypatch: Any) -> None:
    now = [time.time()]
    monkeypatch.setattr("tests.gated.People", lambda settings: People(settings, lambda: now[0]))
    with gated(plan(tmp_path)) as house:
        add(house.people, "lead", "viewer")
        cookie = first = house.log_in("lead")
        assert "set-cookie" not in house.ask("GET", "/api/plan", cookie=cookie).headers
        for _ in range(29):
            now[0] += 11.9 * 3600
            answer = house.ask("GET", "/api/plan", cookie=cookie)
            assert answer.status == 200
            cookie = answer.cookie
            now[0] += 11.9 * 3600
            answer = house.ask("GET", "/healthz", cookie=cookie)
            assert "broker" in answer.told
            cookie = answer.cookie
        assert house.ask("GET", "/api/plan", cookie=first).status == 401, "unseen for too long"
        now[0] += sessions.AT_MOST_S - 29 * 2 * 11.9 * 3600 + 1
        assert house.ask("GET", "/api/plan", cookie=cookie).status == 401, "thirty days, however busy"
        assert house.ask("GET", "/api/plan", cookie=house.log_in("lead")).status == 200


def test_the_site_file_has_nothing_that_opens_the_gate() -> None:
    """No setting of the page or of people makes an address free."""
    assert set(floorplan.WebPage.model_fields) == {"cert_file", "key_file", "proxies", "url", "plain"}
    assert set(floorplan.People.model_fields) == {"path", "session_h", "audit_days"}
