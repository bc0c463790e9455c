"""The gate before the whole page: who may ask for what, in one table. What is not in it is refused, whoever asks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import floorplan
from gateway.people import hosts
from gateway.people.people import People, PeopleError
from gateway.people.rights import Right, Who
from gateway.people.sessions import COOKIE, SAFE_COOKIE, Session, cookie_name, set_cookie

# "anybody": without logging in. "login": whoever is logged in. "own": the address asks for a token of its own, and the
# gate looks at nothing but the address.
Needs = Right | Literal["anybody", "login", "own"]

# (method, address) → what it needs. `{x}` is one part of an address, `{x:path}` all that is left. HEAD needs
# what GET needs; only pages, files, the plan and /healthz answer it, the others with 405.
TABLE: dict[tuple[str, str], Needs] = {
    ("GET", "/"): "anybody",  # the shells: they hold nothing of the floor
    ("GET", "/login"): "anybody",
    ("GET", "/join"): "anybody",
    ("GET", "/people"): "anybody",
    ("GET", "/privacy"): "anybody",
    ("GET", "/queues/{queue}"): "anybody",
    ("GET", "/wall/{wall}"): "anybody",
    ("GET", "/favicon.ico"): "anybody",
    ("GET", "/static/{file:path}"): "anybody",
    ("GET", "/healthz"): "anybody",  # of the floor only to who may see it
    ("GET", "/api/session"): "anybody",
    ("POST", "/api/session"): "anybody",
    ("DELETE", "/api/session"): "anybody",
    ("PUT", "/api/session/password"): "login",
    ("POST", "/api/join"): "anybody",
    ("GET", "/wall"): "anybody",
    ("GET", "/wall/{wall}/events"): "walls",
    ("POST", "/wall/{wall}/events"): "walls",
    ("GET", "/walls/{wall}.png"): "walls",
    ("GET", "/openapi.json"): "see",
    ("GET", "/metrics"): "see",
    ("GET", "/api/plan"): "see",
    ("GET", "/api/floor-plan.svg"): "see",
    ("GET", "/api/now"): "see",
    ("GET", "/api/events"): "see",
    ("GET", "/api/history.csv"): "see",
    ("GET", "/api/alarms"): "see",
    ("GET", "/api/alarms.csv"): "see",
    ("POST", "/api/alarms/{id}/acknowledgement"): "tend",
    ("DELETE", "/api/alarms/{id}/acknowledgement"): "tend",
    ("GET", "/api/privacy"): "see",
    ("GET", "/api/queues/{queue}/day"): "see",
    ("GET", "/api/messages"): "see",
    ("POST", "/api/messages"): "say",
    ("POST", "/api/messages/preview"): "say",
    ("DELETE", "/api/messages/{id}"): "say",
    ("GET", "/api/boards/{board}"): "see",
    ("GET", "/api/boards/{board}/check"): "bench",
    ("POST", "/api/boards/{board}/{do}"): "bench",
    ("GET", "/api/people"): "people",
    ("PATCH", "/api/people/{name}"): "people",
    ("DELETE", "/api/people/{name}"): "people",
    ("POST", "/api/people/invitations"): "people",
    ("DELETE", "/api/people/invitations/{id}"): "people",
    ("POST", "/api/tokens"): "people",
    ("DELETE", "/api/tokens/{id}"): "people",
    ("GET", "/api/audit"): "people",
    ("GET", "/api/audit.csv"): "people",
    ("POST", "/api/queues/{queue}"): "own",
    ("GET", "/phone/{token}"): "own",
    ("POST", "/phone/{token}"): "own",
    ("POST", "/phone/{token}/"): "own",
    ("GET", "/phone/{token}/{said:path}"): "own",
}
SAFE = ("GET", "HEAD", "OPTIONS")
LOOK_S = 1.0  # how often it is looked whether those whose answers are still under way may still have them
# A stream is the only sign of life of some pages. It is ended at half a session, so that the browser comes back for
# another, and gets another cookie with it.
COME_BACK_PART = 2
AT_ONCE = 50  # answers under way to one person, or by one token: streams of screens among them
OFTEN_WAIT_S = 5

LOGIN = (401, "login", "log in first")
ENDED = (401, "login", "this token is none, or has ended")
NO_SUCH = (404, "gone", "there is nothing at this address")
OTHER_METHOD = (405, "method", "this cannot be done with this address")
ORIGIN = (403, "origin", "this is done from the page itself: a browser must say so (Origin, or Sec-Fetch-Site)")
HOST = (421, "host", "the page is not known by this name: set [page] url in the site file to what people open")
OFTEN = (429, "slow", f"{AT_ONCE} requests of yours are under way already: close some, or log in with another token")
TROUBLE = (503, "trouble", "who you are cannot be looked up at the moment: try again")


class _Answer(NamedTuple):
    """One answer under way to somebody who is logged in."""

    session: Session
    needs: Needs
    task: asyncio.Task[Any]


class Gate:
    """Lets through who may, and says who it is: `request.state.who`, a Who or None, and `request.state.session`."""

    def __init__(self, inner: ASGIApp, people: People, page: floorplan.WebPage | None = None) -> None:
        page = page or floorplan.WebPage()
        self._inner = inner
        self._people = people
        self._page = page
        self._ours = _origin(page.url) if page.url else None
        self._names = hosts.names(page)
        self._under_way: set[_Answer] = set()
        self._ended: set[asyncio.Task[Any]] = set()
        self._fresh: dict[str, Session] = {}  # of sessions with answers under way: as its newest cookie says
        self._looking: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._ask(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: refused
        # anything else we do not speak

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        needs, no = _needs(scope)
        scope = {**scope, "state": {**scope.get("state", {}), "who": None, "session": None}}
        if no:
            await _refuse(send, no, scope["path"])
        elif needs == "own":
            await self._inner(scope, receive, send)
        elif not self._ours and not hosts.is_ours(_header(scope, b"host"), self._names):
            await _refuse(send, HOST)
        else:
            assert needs
            try:
                who, session, no = self._look(scope, needs)
            except PeopleError:
                who, session, no = None, None, TROUBLE
            if no:
                await _refuse(send, no)
                return
            scope["state"] |= {"who": who, "session": session}
            if session is None:
                await self._inner(scope, receive, send)
            else:
                await self._answer(scope, receive, send, session, needs)

    def _look(self, scope: Scope, needs: Needs) -> tuple[Who | None, Session | None, tuple[int, str, str] | None]:
        """(who, session, why not)."""
        bearer = _bearer(scope)
        session = self._people.session_of(bearer) if bearer is not None else self._of_cookie(scope)
        who = self._people.who_is(session) if session else None
        if bearer is not None and who is None:
            return None, None, ENDED
        if bearer is None and scope["method"] not in SAFE and not self._from_here(scope):
            return None, None, ORIGIN
        if needs == "anybody":
            return who, session if who else None, None
        if who is None:
            return None, None, LOGIN
        if not _may(who, needs):
            return None, None, (403, "right", f"{who.role} is no role that may do this")
        return who, session, None

    def _of_cookie(self, scope: Scope) -> Session | None:
        """The first of ours among the cookies whose session has not ended."""
        for cookie in _cookies(scope, cookie_name(is_https(scope, self._page))):
            session = self._people.sessions.read(cookie)
            if session and self._people.who_is(session):
                return session
        return None

    def _from_here(self, scope: Scope) -> bool:
        """Whether what changes something was asked by a page of ours.

        A browser tells where it was asked from, and no page can make it lie. A program need not, and has no cookie.
        """
        site, origin = _header(scope, b"sec-fetch-site"), _header(scope, b"origin")
        if site is None and origin is None:
            return not any(True for name in (COOKIE, SAFE_COOKIE) for _ in _cookies(scope, name))
        if site is not None and site != "same-origin":
            return False
        return self._is_ours(scope, origin)

    def _is_ours(self, scope: Scope, origin: str | None) -> bool:
        """Whether that origin is the page: not that it is called like it, for a name may lead anywhere tomorrow."""
        if self._ours and origin == self._ours:
            return True
        host = _header(scope, b"host")
        if not hosts.is_ours(host, self._names):
            return False
        if origin is None:
            return True
        scheme, _, place = origin.partition("://")
        # Where a proxy speaks TLS for us and does not say so, https is asked of what we take for http.
        return place == host and scheme in ("https", scope.get("scheme", "http"))

    # Answers that take long --------------------------------------------------

    async def _answer(self, scope: Scope, receive: Receive, send: Send, session: Session, needs: Needs) -> None:
        """Answers; and stops in the midst of it when the session ends."""
        begun = over = False

        async def send_on(message: Message) -> None:
            nonlocal begun, over
            if message["type"] == "http.response.start":
                begun = True
                self._renew(scope, session, message)
            over = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        of = session.kind, session.key
        if sum((one.session.kind, one.session.key) == of for one in self._under_way) >= AT_ONCE:
            await _refuse(send, OFTEN)
            return
        task = asyncio.current_task()
        assert task
        answer = _Answer(session, needs, task)
        self._under_way.add(answer)
        self._people.saw(session)
        self._look_soon()
        try:
            await self._inner(scope, receive, send_on)
        except asyncio.CancelledError:
            if task not in self._ended:
                raise
            task.uncancel()
            if not begun:
                await _refuse(send, LOGIN)
            elif not over:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._under_way.discard(answer)
            self._ended.discard(task)

    def _renew(self, scope: Scope, session: Session, message: Message) -> None:
        """Somebody who is still here gets a new cookie now and then; not where the answer sets one itself."""
        headers = message.get("headers", ())
        if not session.id or any(name.lower() == b"set-cookie" for name, _ in headers):
            return
        with contextlib.suppress(PeopleError):
            if self._people.sessions.is_due(session) and self._people.who_is(session):
                cookie = self._people.sessions.cookie(session)
                self._fresh[session.id] = self._people.sessions.read(cookie) or session
                header = set_cookie(cookie, self._people.lasts_s(session), is_https(scope, self._page))
                message["headers"] = [*headers, (b"set-cookie", header.encode())]

    def _look_soon(self) -> None:
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look_at_all)

    def _look_at_all(self) -> None:
        """Ends every answer whose session has ended, or that may not be given any more."""
        self._looking = None
        for answer in self._under_way:
            if answer.task not in self._ended and not self._still(answer):
                self._ended.add(answer.task)
                answer.task.cancel()
        there = {answer.session.id for answer in self._under_way}
        for id in self._fresh.keys() - there:
            del self._fresh[id]
        if self._under_way:
            self._look_soon()

    def _still(self, answer: _Answer) -> bool:
        try:
            who = self._people.who_is(answer.session)
        except PeopleError:
            return True  # nobody is thrown out because a disk is slow; nobody new comes in either
        if who is None or not _may(who, answer.needs):
            return False
        newest = self._fresh.get(answer.session.id, answer.session)
        return not newest.id or not self._people.sessions.is_due(newest, COME_BACK_PART)


# The table -----------------------------------------------------------------------


def _may(who: Who, needs: Needs) -> bool:
    return needs in ("anybody", "login") or who.may(cast(Right, needs))


def _pattern(address: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+(?::path)?\})", address)
    one, rest = "[^/]*[^/.][^/]*", ".*"
    written = [(rest if ":path" in part else one) if part.startswith("{") else re.escape(part) for part in parts]
    return re.compile("".join(written), re.DOTALL)


_ADDRESSES = {address: _pattern(address) for _, address in TABLE}
_METHODS = {at: {method: needs for (method, address), needs in TABLE.items() if address == at} for at in _ADDRESSES}
_ODD = re.compile(r"//|/\.\.?(/|$)|[\x00-\x1f\x7f\\]")  # in an address as it is read
_ODD_RAW = re.compile(rb"%2f|%5c|%00|//|/(\.|%2e){1,2}(/|$)", re.IGNORECASE)  # and as it came


def _needs(scope: Scope) -> tuple[Needs | None, tuple[int, str, str] | None]:
    """(what an address needs, why it is refused)."""
    path, method = scope["path"], "GET" if scope["method"] == "HEAD" else scope["method"]
    fits = _methods(path)
    if not fits or scope.get("root_path"):
        return None, NO_SUCH
    raw = scope.get("raw_path") or b""
    own = "own" in fits.values()  # what phones put into it is theirs
    if not own and (_ODD.search(path) or _ODD_RAW.search(raw)):
        return None, NO_SUCH
    return (fits[method], None) if method in fits else (None, OTHER_METHOD)


def _methods(path: str) -> dict[str, Needs]:
    """What can be done with an address, and what that needs.

    Of two that fit, one that is written out goes before one that has a blank in its place.
    """
    fits = [address for address, pattern in _ADDRESSES.items() if pattern.fullmatch(path)]
    whole = sorted((address for address in fits if ":path" not in address), key=lambda address: address.count("{"))
    rest = [address for address in fits if ":path" in address]
    return {method: needs for address in [*rest, *whole[:1]] for method, needs in _METHODS[address].items()}


# What is in a request ------------------------------------------------------------


def _header(scope: Scope, name: bytes) -> str | None:
    """The one of that name; of several none of them is believed, and it fits nothing."""
    found = [value for key, value in scope["headers"] if key == name]
    return ", ".join(value.decode("latin-1") for value in found) if found else None


def _bearer(scope: Scope) -> str | None:
    """The token in `Authorization: Bearer`; None where there is none. What a proxy asks for itself is none of ours."""
    given = _header(scope, b"authorization")
    scheme, _, token = (given or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _cookies(scope: Scope, wanted: str) -> Iterable[str]:
    for key, value in scope["headers"]:
        if key == b"cookie":
            for part in value.decode("latin-1").split(";"):
                name, _, cookie = part.strip().partition("=")
                if name == wanted:
                    yield cookie


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def lets(request: Request, right: Right) -> bool:
    """Whether whoever asks has a right; where there is no gate everybody has all."""
    state = request.scope.get("state", {})
    return "who" not in state or (state["who"] is not None and state["who"].may(right))


def is_https(scope: Scope, page: floorplan.WebPage) -> bool:
    """Whether the browser has the page by https: then a cookie is never sent without."""
    return scope.get("scheme") == "https" or (page.url or "").startswith("https:")


async def _refuse(send: Send, no: tuple[int, str, str], path: str = "") -> None:
    status, kind, words = no
    told: dict[str, Any] = {"kind": kind, "words": words}
    if status == OFTEN[0]:
        told["wait_s"] = OFTEN_WAIT_S
    body = json.dumps(told).encode()
    headers = [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]  # fmt: skip
    if status == OFTEN[0]:
        headers.append((b"retry-after", str(OFTEN_WAIT_S).encode()))
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="callfloor"'))
    if status == OTHER_METHOD[0]:
        headers.append((b"allow", ", ".join(_methods(path)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
