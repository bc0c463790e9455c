"""The page behind its gate, from a real web server, for tests that ask it as anybody could."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from argon2 import PasswordHasher
from fastapi import APIRouter
from starlette.types import ASGIApp

import floorplan
from gateway.people.people import People, Person
from gateway.people.rights import Who
from gateway.service import web_config
from gateway.web import connections, page
from gateway.web.news import News
from gateway.web.wall_page import Screens
from gateway.web.wall_page import routes as wall_routes
from tests.conftest import until

HOST = "127.0.0.1"
CONSOLE = Who("console", "tests", "admin")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # checked as any other, and made at once
PASSWORD = "three words apart"
HASHED = QUICK.hash(PASSWORD)


class Clock:
    """Time that goes by when we say so."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Answer(NamedTuple):
    """What came back; header names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes
    desk: str = ""  # the cookie of a browser that is known for a name now, as it is sent back

    @property
    def told(self) -> Any:
        """The JSON in it."""
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The one word of a refusal."""
        return str(self.told["kind"])

    @property
    def cookie(self) -> str:
        """The cookie it sets, as it is sent back."""
        return self.headers["set-cookie"].partition(";")[0]


def plan(folder: Path, **of_page: Any) -> floorplan.Plan:
    tables = {
        "site": {"id": "skien", "name": "Skien"},
        "page": of_page,
        "people": {"path": str(folder / "people.db")},
        "queue": [{"id": "polski", "name": "Polski", "pbx": "pl"}],
        "desk": [{"id": "a1"}],
        "wall": [{"id": "north", "panel": {"kind": "browser"}, "pages": [{"queue": "polski"}]}],
    }
    return floorplan.check(tables, "test", folder)


def add(people: People, name: str, role: str) -> Person:
    """Somebody whose password is PASSWORD."""
    return people.join(people.invite(CONSOLE, role).secret, name, HASHED)


class Gated:
    """A page behind its gate on a port of its own; `people` is its file."""

    def __init__(self, site: floorplan.Plan, routers: list[APIRouter] | None = None) -> None:
        self.site = site
        self.people = People(site.people)
        self.news = News()
        self.screens = Screens(site, lambda wall: {}, lambda: {"boot": "00000000", "now_s": 1, "values_seq": 0})
        self.app = page.app(
            site, self.news, lambda: (True, {"broker": "ready"}), lambda wall: None,
            routers=[wall_routes(site, self.screens), *(routers or [])], people=self.people,
        )  # fmt: skip
        self.port = 0

    def ask(self, method: str, path: str, body: Any = None, cookie: str = "", **headers: str) -> Answer:
        """One request. `body` is sent as JSON unless it is bytes; a browser's Origin goes with every cookie."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie:
            sent = {"Cookie": cookie, "Origin": f"http://{HOST}:{self.port}", **sent}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent = {"Content-Type": "application/json", **sent}
        connection = http.client.HTTPConnection(HOST, self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name: value for name, value in sent.items() if value})
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in reversed(answer.getheaders())}  # of two the first
            cookies = answer.headers.get_all("set-cookie") or []
            desks = [cookie.partition(";")[0] for cookie in cookies if cookie.startswith("callfloor_desk=")]
            return Answer(answer.status, told, answer.read(), "".join(desks))

    def log_in(self, name: str, password: str = PASSWORD) -> str:
        """The cookie of somebody who logs in."""
        answer = self.ask("POST", "/api/session", {"name": name, "password": password})
        assert answer.status == 204, answer
        return answer.cookie

    def token(self, role: str, name: str = "") -> str:
        """A token of that role."""
        return self.people.add_token(CONSOLE, name or f"t-{len(self.people.tokens())}", role, 1).secret

    def did(self, word: str) -> list[str]:
        """What the audit list says of that word, the newest first."""
        return [f"{row.who}: {row.what}" for row in self.people.audit() if row.did == word]


class Stream:
    """One open stream of events, read in a thread; `ended` once the server has ended it."""

    def __init__(self, gated: Gated, path: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection(HOST, gated.port, timeout=30)
        self._connection.request("GET", path, headers=headers)
        self.answer = self._connection.getresponse()
        self.heard = b""
        self.ended = False
        self.whole = False  # ended as a stream should, not torn off
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while part := self.answer.read1(4096):
                self.heard += part
            self.whole = True
        self.ended = True

    def close(self) -> None:
        """Goes away, as a browser does."""
        with contextlib.suppress(OSError):
            if self._connection.sock:
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._connection.close()


@contextlib.contextmanager
def served(
    app: ASGIApp, settings: floorplan.WebPage, close: Callable[[], None] = lambda: None,
    room: connections.Room | None = None,
) -> Iterator[int]:  # fmt: skip
    """Serves it as the gateway does; the port."""
    with contextlib.closing(socket.create_server((HOST, 0))) as listening:
        room = room or connections.room_for(settings.proxies)
        server = connections.Server(web_config(app, settings, HOST, 0), room)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started, "the web server is there")
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            close()
            thread.join(10)
            assert not thread.is_alive()


@contextlib.contextmanager
def gated(
    site: floorplan.Plan, routers: list[APIRouter] | None = None, room: connections.Room | None = None
) -> Iterator[Gated]:
    """A page behind its gate, served."""
    one = Gated(site, routers)
    try:
        with served(one.app, site.page, room=room) as port:
            one.port = port
            yield one
    finally:
        one.people.close()
