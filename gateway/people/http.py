"""People over HTTP: logging in and out, one-time links, accounts, tokens and the audit list.

The gate has looked already whether whoever asks may; here it is only done. Every refusal is
`{"kind": one word, "words": …}`, and repeats nothing of what was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

import floorplan
from gateway.people import audit
from gateway.people.gate import is_https
from gateway.people.guesses import Guesses, place_of
from gateway.people.passwords import LEAST, MOST, Busy, Passwords, wrong_with
from gateway.people.people import (
    NAME_MOST,
    TOKEN_DAYS_MOST,
    New,
    People,
    PeopleError,
    Refused,
    checked_name,
    key_of,
)
from gateway.people.rights import OF_PEOPLE, RIGHTS, ROLES, Who
from gateway.people.sessions import DESK_COOKIE, Desk, Session, set_cookie, set_desk_cookie
from gateway.web import intake
from gateway.web.documented import refusal
from gateway.web.intake import TooLong, TooSlow, Whole, body_of

BODY_BYTES = 4096
ROWS_MOST = 500  # of the audit list, in one answer
BUSY_WAIT_S = 2  # how long one passwords' turn takes that cannot wait
STATUSES = {
    "wrong": 401,
    "login": 401,
    "right": 403,
    "gone": 404,
    "late": 408,
    "taken": 409,
    "last": 409,
    "many": 409,
    "outlives": 409,
    "long": 413,
    "type": 415,
    "body": 422,
    "asked": 422,
    "name": 422,
    "password": 422,
    "role": 422,
    "days": 422,
    "slow": 429,
    "trouble": 503,
}
WRONG = "the name or the password is not right"


class Asked(BaseModel):
    """What somebody sends."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


TEXT, NONE = {"type": "string"}, {"type": "null"}


def _either(*shapes: dict[str, Any]) -> ConfigDict:
    """A body of several shapes, for OpenAPI: the keys of one, and no others."""
    one_of = [{"type": "object", "additionalProperties": False, **shape} for shape in shapes]
    return ConfigDict(json_schema_extra=lambda schema: (schema.clear(), schema.update(anyOf=one_of))[0])


# As `people.checked_name` has it, but that the letters are of one script, and that those that stand for others (ŀ, ﬃ)
# are counted as these.
A_NAME: dict[str, Any] = {
    "minLength": 1, "maxLength": NAME_MOST, "pattern": r"^[\p{L}\p{Nd}][\p{L}\p{Nd}._-]*$"
}  # fmt: skip


class Login(Asked):
    """By name and password, or by a token."""

    model_config = _either(
        {"properties": {"name": TEXT, "password": TEXT, "token": NONE}, "required": ["name", "password"]},
        {"properties": {"token": TEXT, "name": NONE, "password": NONE}, "required": ["token"]},
    )

    name: StrictStr | None = None
    password: StrictStr | None = None
    token: StrictStr | None = None


class Joining(Asked):
    """What a one-time link is used with. `name` may be left out where the link is for a new password."""

    model_config = ConfigDict(json_schema_extra={"required": ["token", "name", "password"]})

    token: StrictStr
    name: StrictStr = Field("", json_schema_extra=A_NAME)
    password: StrictStr = Field(json_schema_extra={"minLength": LEAST, "maxLength": MOST})


class NewPassword(Asked):
    """Another password."""

    old: StrictStr
    new: StrictStr = Field(json_schema_extra={"minLength": LEAST, "maxLength": MOST})


class Inviting(Asked):
    """A link to make: to an account with `role`, or to a new password for `name`, whose role stays."""

    model_config = _either(
        {"properties": {"role": {"enum": list(OF_PEOPLE)}, "name": NONE}, "required": ["role"]},
        {"properties": {"role": TEXT, "name": TEXT}, "required": ["name"]},
    )

    role: StrictStr = ""
    name: StrictStr | None = None


class Role(Asked):
    """Another role."""

    role: StrictStr = Field(json_schema_extra={"enum": list(OF_PEOPLE)})


class Making(Asked):
    """A token to make."""

    name: StrictStr = Field(
        description="letters, digits, dots, dashes, underscores; it begins with a letter or digit",
        json_schema_extra=A_NAME,
    )
    role: StrictStr = Field(json_schema_extra={"enum": list(ROLES)})
    days: Whole = Field(
        description="it always ends", json_schema_extra={"minimum": 1, "maximum": TOKEN_DAYS_MOST}
    )


class Me(BaseModel):
    """Whoever asks."""

    name: str
    kind: str = Field(description="person or token")
    role: str
    rights: list[str]


class ListedPerson(BaseModel):
    """Somebody with a password. Times are epoch seconds."""

    name: str
    role: str
    since: float
    seen: float | None = Field(description="within ten minutes")


class ListedLink(BaseModel):
    """A one-time link that is open."""

    id: str
    role: str
    name: str | None = Field(description="for whose new password; null: for an account")
    ends: float


class ListedToken(BaseModel):
    """A token; it is listed for 30 days after it has ended."""

    id: str
    name: str
    role: str
    ends: float
    seen: float | None


class Everybody(BaseModel):
    """Who there is."""

    people: list[ListedPerson]
    invitations: list[ListedLink]
    tokens: list[ListedToken]


class Made(BaseModel):
    """What was just made. The token is told this once."""

    id: str
    token: str
    ends: float


class Did(BaseModel):
    """One line of the audit list."""

    id: int
    at: float
    who: str
    did: str = Field(description="one word: docs/people.md has them all")
    what: str


class Audit(BaseModel):
    """The audit list, the newest first."""

    rows: list[Did]


class Refusal(BaseModel):
    """Why it was not done."""

    kind: str = Field(description=f"one word, for programs: {', '.join(STATUSES)}")
    words: str
    wait_s: int | None = Field(None, description="with slow: for how long to wait")


Kind = TypeVar("Kind", bound=Asked)


class Slow(Refused):
    """Too many guesses: it was not even tried."""

    def __init__(self, wait_s: int):
        super().__init__("slow", f"too many tries: the next one is in {wait_s} s")
        self.wait_s = wait_s


def routes(
    people: People,
    page: floorplan.WebPage | None = None,
    guesses: Guesses | None = None,
    passwords: Passwords | None = None,
) -> APIRouter:
    """All addresses of people, behind a gate. `page` says whether the page is https where it is opened."""
    page = page or floorplan.WebPage()
    guesses = guesses or Guesses()
    passwords = passwords or Passwords()
    router = APIRouter(tags=["people"], route_class=_Route)

    def logged_in(request: Request, session: Session, cookie: str) -> Response:
        secure = is_https(request.scope, page)
        response = Response(None, 204, {"Set-Cookie": set_cookie(cookie, people.lasts_s(session), secure)})
        if session.kind == "person":  # the next password of that name is known to come from a desk of theirs
            known = people.sessions.known(desk_of(request), session.key)
            response.headers.append("Set-Cookie", set_desk_cookie(known, secure))
        return response

    def desk_of(request: Request) -> Desk | None:
        cookie = request.cookies.get(DESK_COOKIE)
        return people.sessions.desk(cookie) if cookie else None

    def wrong_token(request: Request) -> None:
        people.note_refused("")
        if wait_s := guesses.wrong_token(_address(request)):
            raise Slow(wait_s)

    async def check(request: Request, name: str, password: str, desk: str | None) -> str:
        """The hash of somebody's password, which this is; `desk`: where they have logged in. Raises Refused."""
        kept = people.password(name)
        # The name is counted whether or not there is one: else guesses would tell which names there are.
        guess = guesses.guess(key_of(name), _address(request), desk)
        if guess.wait_s:
            raise Slow(guess.wait_s)
        try:
            right = await passwords.right(password, kept, guess.whose, stranger=desk is None)
        except Busy:
            guess.untried()
            raise
        if not right or kept is None:
            people.note_refused(name)
            raise Refused("wrong", WRONG)
        guess.right()
        return kept

    @router.get("/api/session", summary="Who am I?", responses=_documented("login"))
    async def who_am_i(request: Request) -> Me:
        """The name, the role and what it may do."""
        who = _who(request)
        return Me(name=who.name, kind=who.kind, role=who.role, rights=[right for right in RIGHTS if who.may(right)])

    @router.post(
        "/api/session", status_code=204, response_class=Response, summary="Log in",
        responses=_reads("wrong", "slow"), openapi_extra=_takes(Login),
    )  # fmt: skip
    async def log_in(request: Request) -> Response:
        """By a name and a password, or by a token: then the session ends with the token."""
        asked = await _read(request, Login)
        by_token = asked.token is not None
        if by_token == (asked.name is not None) or by_token == (asked.password is not None):
            raise Refused("body", 'it is {"name": "…", "password": "…"}, or {"token": "…"}')
        if asked.token is not None:
            token = people.whose(asked.token)
            if not token:
                wrong_token(request)
                raise Refused("wrong", "this token is none, or has ended")
            if wait_s := guesses.token_login(token.id):
                raise Slow(wait_s)
            session, cookie = people.sessions.begin("token", token.id, token.generation)
        else:
            assert asked.name is not None and asked.password is not None
            desk = desk_of(request)
            known = desk.id if desk and desk.knows(key_of(asked.name)) else None
            kept = await check(request, asked.name, asked.password, known)
            person = people.person(asked.name)
            if not person or people.password(asked.name) != kept:  # removed or changed meanwhile
                raise Refused("wrong", WRONG)
            session, cookie = people.sessions.begin("person", person.key, person.generation)
        people.note(people.who_is(session), "login")
        people.saw(session)
        return logged_in(request, session, cookie)

    @router.delete("/api/session", status_code=204, response_class=Response, summary="Log out")
    async def log_out(request: Request) -> Response:
        """Ends this browser's session, and copies of its cookie."""
        session = request.state.session
        if session and session.id:
            await asyncio.to_thread(people.log_out, session)
        return Response(None, 204, {"Set-Cookie": set_cookie("", 0, is_https(request.scope, page))})

    @router.put(
        "/api/session/password", status_code=204, response_class=Response, summary="Another password",
        responses=_reads("wrong", "right", "password", "slow"), openapi_extra=_takes(NewPassword),
    )  # fmt: skip
    async def change_password(request: Request) -> Response:
        """Changes one's own password; all other sessions of theirs end."""
        who = _who(request)
        if who.kind != "person":
            raise Refused("right", "a token has no password")
        asked = await _read(request, NewPassword)
        if words := wrong_with(asked.new, who.name):
            raise Refused("password", words)
        if asked.new == asked.old:
            raise Refused("password", "that is the password until now: take another")
        session: Session = request.state.session
        kept = await check(request, who.name, asked.old, session.id)  # they have logged in here
        hashed = await passwords.hashed(asked.new, f"new for {session.key}")
        person = await asyncio.to_thread(people.set_password, who, who.name, hashed, kept)
        return logged_in(request, *people.sessions.begin("person", person.key, person.generation))

    @router.post(
        "/api/join", status_code=204, response_class=Response, summary="Use a one-time link",
        responses=_reads("gone", "taken", "name", "slow"), openapi_extra=_takes(Joining),
    )  # fmt: skip
    async def join(request: Request) -> Response:
        """Makes an account, or a new password, and logs in. The link is worthless then."""
        asked = await _read(request, Joining)
        link = people.invited(asked.token)
        if link is None:
            wrong_token(request)
            raise Refused("gone", "this link has been used, or is over: ask for another")
        if wait_s := guesses.link(link.id):  # else it tells without end which names there are
            raise Slow(wait_s)
        if link.person is not None and asked.name and key_of(asked.name) != link.person:
            raise Refused("name", "this link is for the password of somebody else")
        name = link.person if link.person is not None else checked_name(asked.name)
        if link.person is None and people.person(name):
            raise Refused("taken", "somebody has that name already: take another")
        if words := wrong_with(asked.password, name):
            raise Refused("password", words)
        hashed = await passwords.hashed(asked.password, f"at {place_of(_address(request))}")
        person = await asyncio.to_thread(people.join, asked.token, asked.name, hashed)
        return logged_in(request, *people.sessions.begin("person", person.key, person.generation))

    router.include_router(_others(people))
    return router


def _others(people: People) -> APIRouter:
    """What admins do: accounts, links, tokens and the audit list."""
    router = APIRouter(tags=["people"], route_class=_Route)

    @router.get("/api/people", summary="Who there is")
    async def everybody() -> Everybody:
        """Accounts, open links and tokens; no secret of any."""
        return Everybody(
            people=[ListedPerson(name=one.name, role=one.role, since=one.since, seen=one.seen)
                    for one in people.people()],
            invitations=[ListedLink(id=one.id, role=one.role, name=_name(people, one.person), ends=one.ends)
                         for one in people.invitations()],
            tokens=[ListedToken(id=one.id, name=one.name, role=one.role, ends=one.ends, seen=one.seen)
                    for one in people.tokens()],
        )  # fmt: skip

    @router.post(
        "/api/people/invitations", status_code=201, response_model=Made, summary="Make a one-time link",
        responses=_reads("gone", "many", "role"), openapi_extra=_takes(Inviting),
    )  # fmt: skip
    async def invite(request: Request) -> Response:
        """It is the page's address with `/join#` and the token; it ends after 7 days."""
        asked = await _read(request, Inviting)
        return _made(await asyncio.to_thread(people.invite, _who(request), asked.role, asked.name))

    @router.delete(
        "/api/people/invitations/{id}", status_code=204, response_class=Response, summary="Withdraw a link",
        responses=_documented("gone"),
    )  # fmt: skip
    async def withdraw(id: str, request: Request) -> Response:
        """The link is worthless then."""
        await asyncio.to_thread(people.withdraw, _who(request), id)
        return Response(None, 204)

    @router.patch(
        "/api/people/{name}", status_code=204, response_class=Response, summary="Give another role",
        responses=_reads("gone", "last", "role"), openapi_extra=_takes(Role),
    )  # fmt: skip
    async def set_role(name: str, request: Request) -> Response:
        """Their sessions end: they log in anew."""
        asked = await _read(request, Role)
        await asyncio.to_thread(people.set_role, _who(request), name, asked.role)
        return Response(None, 204)

    @router.delete(
        "/api/people/{name}", status_code=204, response_class=Response, summary="Remove an account",
        responses=_documented("gone", "last"),
    )  # fmt: skip
    async def remove(name: str, request: Request) -> Response:
        """Their sessions end at once."""
        await asyncio.to_thread(people.remove, _who(request), name)
        return Response(None, 204)

    @router.post(
        "/api/tokens", status_code=201, response_model=Made, summary="Make a token",
        responses=_reads("taken", "many", "outlives", "name", "role", "days"), openapi_extra=_takes(Making),
    )  # fmt: skip
    async def make_token(request: Request) -> Response:
        """For a machine, or a screen that nobody sits at. It is sent as `Authorization: Bearer TOKEN`."""
        asked = await _read(request, Making)
        return _made(await asyncio.to_thread(people.add_token, _who(request), asked.name, asked.role, asked.days))

    @router.delete(
        "/api/tokens/{id}", status_code=204, response_class=Response, summary="Remove a token",
        responses=_documented("gone"),
    )  # fmt: skip
    async def remove_token(id: str, request: Request) -> Response:
        """What was logged in with it is logged out."""
        await asyncio.to_thread(people.remove_token, _who(request), id)
        return Response(None, 204)

    @router.get("/api/audit", summary="What was changed, and by whom")
    async def what_was_done(
        before: Annotated[int | None, Query(ge=1, le=2**62, description="only rows with a smaller id")] = None,
        limit: Annotated[int, Query(ge=1, le=ROWS_MOST)] = 100,
    ) -> Audit:
        """The newest first."""
        rows = await asyncio.to_thread(people.audit, before, limit)
        return Audit(rows=[Did(**row._asdict()) for row in rows])

    @router.get(
        "/api/audit.csv", response_class=Response, summary="The same as a table",
        responses={200: {"description": "One line each, the newest first", "content": {"text/csv": {}}}},
    )  # fmt: skip
    def as_a_table() -> Response:
        """All of the audit list; times are UTC."""
        headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
        return StreamingResponse(audit.table(people.audit), media_type="text/csv", headers=headers)

    return router


class _Route(APIRoute):
    """Turns what is refused into an answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own, with that around it."""
        inner = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await inner(request)
            except Refused as no:
                response = _refusal(no)
            except Busy:
                response = _refusal(Slow(BUSY_WAIT_S))
            except RequestValidationError:
                response = _refusal(Refused("asked", "it cannot be asked like this: numbers are 1 and more"))
            except PeopleError:
                words = "the file of people cannot be used at the moment: `callfloor up --check` says why"
                response = _refusal(Refused("trouble", words))
            return response

        return answer


def _refusal(no: Refused) -> JSONResponse:
    told: dict[str, Any] = {"kind": no.kind, "words": str(no)}
    headers = {}
    if isinstance(no, Slow):
        told["wait_s"] = no.wait_s
        headers["Retry-After"] = str(no.wait_s)
    if no.kind == "login":
        headers["WWW-Authenticate"] = 'Bearer realm="callfloor"'
    return JSONResponse(told, STATUSES[no.kind], headers)


def _made(new: New) -> JSONResponse:
    return JSONResponse(Made(id=new.id, token=new.secret, ends=new.ends).model_dump(), 201)


def _who(request: Request) -> Who:
    """Whoever asks. Raises Refused: login."""
    who = request.state.who
    if not isinstance(who, Who):
        raise Refused("login", "log in first")
    return who


def _name(people: People, key: str | None) -> str | None:
    person = people.person(key) if key is not None else None
    return person.name if person else key


def _address(request: Request) -> str:
    """Where a request comes from; behind a reverse proxy of the site file, as that says."""
    return request.client.host if request.client else ""


async def _read(request: Request, kind: type[Kind]) -> Kind:
    """What was sent, checked. Raises Refused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("type", "send it with the header 'Content-Type: application/json'")
    try:
        return kind.model_validate_json(await body_of(request, BODY_BYTES))
    except TooLong:
        raise Refused("long", f"it is longer than {BODY_BYTES} bytes") from None
    except TooSlow:
        raise Refused("late", f"it did not arrive within {intake.READ_S:.0f} s") from None
    except ValidationError:
        raise Refused("body", f"it is JSON, an object with {', '.join(kind.model_fields)}") from None


# Documented ----------------------------------------------------------------------


def _documented(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Every refusal, for OpenAPI: these and those that every address has."""
    by_status: dict[int, list[str]] = {}
    for kind in dict.fromkeys((*kinds, "trouble")):
        by_status.setdefault(STATUSES[kind], []).append(kind)
    return {status: refusal(Refusal, " or ".join(of)) for status, of in sorted(by_status.items())}


def _reads(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """The same of an address that takes a body."""
    return _documented("late", "long", "type", "body", *kinds)


def _takes(kind: type[Asked]) -> dict[str, Any]:
    """The body, for OpenAPI: it is read by hand, so that it cannot be too long."""
    return {
        "requestBody": {
            "required": True,
            "description": f"At most {BODY_BYTES} bytes",
            "content": {"application/json": {"schema": kind.model_json_schema()}},
        }
    }
