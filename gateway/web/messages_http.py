"""Supervisors' messages over HTTP: look at one as each wall would show it, send it, see what stands, take it back.

Who may ask is the gate's business, and that no page from another address sends through a supervisor's browser.
The audit list says who sent to which walls, and took back; not what it said.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

import floorplan
from firmware import values
from gateway.messages import (
    MINUTES_MOST,
    STANDING_MOST,
    Messages,
    NotSent,
    On,
    Sent,
    look_alike,
    not_shown,
    warned,
)
from gateway.people.rights import Who
from gateway.web import intake
from gateway.web.documented import refusal
from gateway.web.intake import Pace, TooLong, TooSlow, Whole, body_of
from wallboard.message import Composed, MessageUnseen, NotShown, preview_png

BODY_BYTES = 32 * 1024  # a thousand walls by name among it
WALLS_MOST = 1000
PICTURES_MOST = 12  # in one preview; walls that look alike share one
LOOKED_PER_S, SENT_PER_S = 2, 1  # messages that one supervisor looks at, and sends
AT_ONCE = 20
DRAWN_MOST = 5  # to look at that are or wait to be drawn, one after the other; and as many to send
LOOKED_MOST = 2  # of these by one supervisor
WHO_MOST = 1000  # whose paces are remembered

# (scene messages by wall, the numbers, the gateway's clock): what a preview is drawn over.
Now = tuple[Mapping[str, Mapping[str, Any]], values.Numbers | None, float]

Note = Callable[[Who | None, str, str], None]  # who, what they did, to what: for the audit list

# As `floorplan.message_text` has it, for OpenAPI: no signs that are none, and one letter at least that is no blank.
NO_SIGN = r"\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\ue000-\uf8ff"
BLANK = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
TEXT_PATTERN = f"^[^{NO_SIGN}]*[^{NO_SIGN}{BLANK}][^{NO_SIGN}]*$"


class Written(BaseModel):
    """A message as a supervisor writes it."""

    model_config = ConfigDict(extra="forbid")

    text: StrictStr = Field(
        max_length=4 * floorplan.MESSAGE_TEXT_MOST, description="shown as one line, with single blanks",
        json_schema_extra={"minLength": 1, "maxLength": floorplan.MESSAGE_TEXT_MOST, "pattern": TEXT_PATTERN},
    )  # fmt: skip
    walls: list[StrictStr] = Field([], max_length=WALLS_MOST, description="ids; none: all walls")


class Sending(Written):
    """A message to send."""

    minutes: Whole = Field(
        description="for how long it stands; it ends by itself then",
        json_schema_extra={"minimum": 1, "maximum": MINUTES_MOST},
    )


class Standing(BaseModel):
    """A message that stands."""

    id: str
    text: str
    walls: list[str] = Field(description="none: all walls")
    left_s: int = Field(description="seconds until it ends")
    on: list[str] = Field(description="the walls that show it now: a newer one may hide it")


class NewlySent(Standing):
    """A message that was sent a moment ago."""

    kept: bool = Field(description="false: it stands, but a restart of the gateway would end it")


class Other(BaseModel):
    """A message of the site file that some walls show now."""

    kind: str
    text: str
    on: list[str]


class All(BaseModel):
    """What stands, the oldest first, and what of the site file is shown."""

    standing: list[Standing]
    others: list[Other]


class Trouble(BaseModel):
    """What the author should know, or why the message cannot be sent."""

    kind: str = Field(
        description="one word, for programs: missing, slow, turned, long, text, wall, minutes, many, unkept"
    )
    words: str
    more: str = Field("", description="the letters, or the seconds")


class Looks(BaseModel):
    """What walls that are alike would show."""

    walls: list[str]
    png: str | None = Field(description="their lights, in base64; null: it cannot be shown, or was not drawn")
    moves: bool = Field(description="the text moves: the picture is one moment of it")
    warnings: list[Trouble]
    can: bool = Field(description="false: there is no room for it on these walls")


class Preview(BaseModel):
    """What walls would show, before it is sent."""

    looks: list[Looks]


class Refusal(Trouble):
    """Why it was not done."""


Asked = TypeVar("Asked", bound=Written)


class _Refused(Exception):
    def __init__(self, status: int, kind: str, words: str):
        super().__init__(words)
        self.status, self.kind = status, kind


STATUSES = {
    404: "There is no such message",
    408: f"It did not arrive within {intake.READ_S:.0f} s",
    409: f"{STANDING_MOST} messages stand already",
    413: f"It is longer than {BODY_BYTES} bytes",
    415: "It is not sent as `application/json`",
    422: "It cannot be sent like this: why, in words",
    429: "Too many requests",
}
HEADERS = {429: {"Retry-After": "1"}}


UNKEPT = "it is taken back, but that cannot be kept at the moment: a restart of the gateway would bring it back"


def unnoted(who: Who | None, did: str, what: str) -> None:
    """For a page without an audit list."""


def routes(
    messages: Messages, now: Callable[[], Now], kept: Callable[[], Awaitable[bool]], note: Note = unnoted
) -> APIRouter:
    """`/api/messages` for these messages; `now` is asked on the event loop, and what it gives is drawn in a thread.

    `kept` returns when all that was sent or taken back so far is kept; False: it is not. `note` is told who sent and
    took back.
    """
    router = APIRouter(tags=["messages"])
    looking, sending = _Paces(LOOKED_PER_S), _Paces(SENT_PER_S)
    to_look, to_send = asyncio.Semaphore(DRAWN_MOST), asyncio.Semaphore(DRAWN_MOST)
    looked: Counter[str] = Counter()  # that are or wait to be drawn, by who asked

    async def composed(text: str, walls: tuple[str, ...]) -> On:
        """What these walls draw. Raises NotSent where there is nothing to be seen on any."""
        on = await messages.in_thread(messages.on, text, walls)
        if all(isinstance(one, MessageUnseen) for one in on.values()):
            raise not_shown(on)
        return on

    def refused(no: _Refused) -> JSONResponse:
        return JSONResponse(Refusal(kind=no.kind, words=str(no)).model_dump(), no.status, HEADERS.get(no.status))

    @router.get("/api/messages", summary="What stands")
    async def what_stands() -> All:
        """What supervisors have sent, and what the walls show of the site file."""
        return All.model_validate(messages.document())

    @router.post(
        "/api/messages", status_code=201, response_model=NewlySent, summary="Send a message",
        responses=_documented(408, 409, 413, 415, 422, 429), openapi_extra=_request_body(Sending),
    )  # fmt: skip
    async def send(request: Request) -> Response:
        """Shows a text on walls for so many minutes, before all that the site file says."""
        try:
            asked = await _read(request, Sending, sending)
            try:
                text, walls = messages.read(asked.text, asked.walls)
                async with _place(to_send):
                    on = await composed(text, walls)
                sent = messages.send(text, walls, asked.minutes, on)
            except NotSent as no:
                raise _Refused(409 if no.kind == "many" else 422, no.kind, str(no)) from no
        except _Refused as no:
            return refused(no)
        note(_who(request), "message-sent", f"{_walls(walls)}, {asked.minutes} min")
        told = _told(messages, sent)
        return JSONResponse({**told, "kept": await kept()}, 201)

    @router.delete(
        "/api/messages/{id}", status_code=204, response_class=Response, summary="Take a message back",
        responses=_documented(404) | {200: refusal(Trouble, "Taken back, but not for good")},
    )  # fmt: skip
    async def take_back(id: str, request: Request) -> Response:
        """Ends a message that a supervisor has sent; however much others ask for, this is always done."""
        try:
            on = [row["walls"] for row in messages.document()["standing"] if row["id"] == id]
            if not messages.take_back(id):
                raise _Refused(404, "gone", "there is no such message: it may be over")
        except _Refused as no:
            return refused(no)
        note(_who(request), "message-taken-back", ", ".join(_walls(walls) for walls in on))
        if not await kept():
            return JSONResponse(Trouble(kind="unkept", words=UNKEPT).model_dump(), 200)
        return Response(None, 204)

    @router.post(
        "/api/messages/preview", response_model=Preview, summary="Look at a message before it is sent",
        responses=_documented(408, 413, 415, 422, 429), openapi_extra=_request_body(Written),
    )  # fmt: skip
    async def preview(request: Request) -> Response:
        """What each wall would show, drawn by the wall's own code, and what the author should know."""
        try:
            asked = await _read(request, Written, looking)
            try:
                text, walls = messages.read(asked.text, asked.walls)
                async with _one_of(looked, str(_who(request))), _place(to_look):
                    on = await composed(text, walls)
                    looks = await messages.in_thread(_looks, messages, on, now())
            except NotSent as no:
                raise _Refused(422, no.kind, str(no)) from no
        except _Refused as no:
            return refused(no)
        return JSONResponse(Preview(looks=looks).model_dump())

    return router


def _told(messages: Messages, sent: Sent) -> dict[str, Any]:
    return next((row for row in messages.document()["standing"] if row["id"] == sent.id), {})


def _who(request: Request) -> Who | None:
    """Whoever asks, as the gate knows them; None where there is no gate."""
    return getattr(request.state, "who", None)


def _walls(walls: Sequence[str]) -> str:
    return " ".join(walls) or "all walls"


def _looks(messages: Messages, on: On, now: Now) -> list[Looks]:
    """What each group of like walls shows of a text."""
    looks: list[Looks] = []
    for group in look_alike(on, lambda wall: (messages.size(wall), _look(on[wall]))):
        composed = on[group[0]]
        if isinstance(composed, NotShown):
            why = Trouble(kind=composed.kind, words=str(composed))
            looks.append(Looks(walls=group, png=None, moves=False, warnings=[why], can=False))
            continue
        drawn = None
        if len(looks) < PICTURES_MOST:
            scenes, numbers, clock_s = now
            png = preview_png(composed, scenes[group[0]], messages.size(group[0]), numbers, clock_s)
            drawn = base64.b64encode(png).decode()
        told = [Trouble(kind=row.kind, words=row.words, more=row.more) for row in warned(composed)]
        moves = composed.passes_s is not None
        looks.append(Looks(walls=group, png=drawn, moves=moves, warnings=told, can=True))
    return looks


def _look(composed: Composed | NotShown) -> Composed | str:
    return str(composed) if isinstance(composed, NotShown) else composed


# What is asked -------------------------------------------------------------------


class _Paces:
    """A pace of each who asks: nobody uses up another's."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._paces: OrderedDict[str, Pace] = OrderedDict()

    def may(self, who: str) -> bool:
        """Whether this one is still within theirs."""
        pace = self._paces.pop(who, None) or Pace(self._per_s, AT_ONCE)
        self._paces[who] = pace
        if len(self._paces) > WHO_MOST:
            self._paces.popitem(last=False)
        return pace.may()


@contextlib.asynccontextmanager
async def _one_of(looked: Counter[str], who: str) -> AsyncIterator[None]:
    """One of what somebody has drawn to look at. Raises _Refused where they wait for too many already."""
    if looked[who] >= LOOKED_MOST:
        raise _Refused(429, "often", "messages of yours are being drawn: try again in a moment")
    looked[who] += 1
    try:
        yield
    finally:
        looked[who] -= 1
        if not looked[who]:
            del looked[who]


@contextlib.asynccontextmanager
async def _place(places: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of those who wait for a drawing. Raises _Refused where there are too many already."""
    if places.locked():
        raise _Refused(429, "often", "too many messages are being drawn: try again in a moment")
    async with places:
        yield


async def _read(request: Request, kind: type[Asked], paces: _Paces) -> Asked:
    """What was asked, checked. Raises _Refused."""
    if not paces.may(str(_who(request))):
        raise _Refused(429, "often", "too many requests at once: try again in a moment")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused(415, "type", "send it with the header 'Content-Type: application/json'")
    try:
        return kind.model_validate_json(await body_of(request, BODY_BYTES))
    except TooLong:
        raise _Refused(413, "long", f"it is longer than {BODY_BYTES} bytes") from None
    except TooSlow as error:
        raise _Refused(408, "slow", f"it did not arrive within {intake.READ_S:.0f} s") from error
    except ValidationError as error:
        raise _Refused(422, *_wrong(error)) from None


def _wrong(error: ValidationError) -> tuple[str, str]:
    """(kind, words) of what does not fit; nothing of it is repeated."""
    problem = error.errors(include_input=False, include_url=False)[0]
    where = str(problem["loc"][0]) if problem["loc"] else ""
    words = {
        "text": f"text is a text of at most {floorplan.MESSAGE_TEXT_MOST} letters",
        "walls": 'walls is a list of ids of walls: ["north"]',
        "minutes": f"minutes is a whole number from 1 to {MINUTES_MOST}: a message always ends",
    }
    kind = {"walls": "wall"}.get(where, where)
    if where == "text" and problem["type"] == "string_too_long":
        kind = "long"
    if where not in words:
        return "body", 'it is JSON: {"text": "…", "walls": ["north"], "minutes": 15}'
    return kind, words[where]


# Documented ----------------------------------------------------------------------


def _documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: refusal(Refusal, STATUSES[status]) for status in statuses}


def _request_body(kind: type[Written]) -> dict[str, Any]:
    """The message, for OpenAPI: it is read by hand, so that it cannot be too long."""
    return {
        "requestBody": {
            "required": True,
            "description": f"At most {BODY_BYTES} bytes",
            "content": {"application/json": {"schema": kind.model_json_schema()}},
        }
    }
