"""Sources that push over HTTP: one path, a token each, an answer once what was said is kept.

An answer never repeats anything of what was sent. Without a fitting token nothing can be learned
here, not even which queues there are.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, TypeAdapter

from gateway.queues.push import OtherShape, Push, PushError
from gateway.queues.push_body import BODY_BYTES, EXAMPLES, Body, decode
from gateway.web import intake
from gateway.web.documented import refusal
from gateway.web.intake import Pace, TooLong, TooSlow, body_of

POSTS_PER_S = 50  # of one source, on average
POSTS_AT_ONCE = 100  # and so many more for a moment

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """One thing that is wrong with a message."""

    place: str = Field(description="where: `events[3].call`, counted from 0; empty: the whole message")
    words: str = Field(description="what is wrong there")


class Refusal(BaseModel):
    """Why a message was not taken. Nothing of it was."""

    words: str = Field(description="what is the matter and what to try")
    problems: list[Problem] = Field([], description="with 409 and 422: where")


class _Refused(Exception):
    """An answer other than 204."""

    def __init__(self, status: int, words: str, problems: tuple[tuple[str, str], ...] = ()):
        self.status = status
        self.body = Refusal(
            words=words, problems=[Problem(place=place, words=what) for place, what in problems]
        )


BEARER = HTTPBearer(auto_error=False, description="The one line in the source's `secret_file`")
HEADERS = {
    401: {"WWW-Authenticate": 'Bearer realm="callfloor"'},
    429: {"Retry-After": "1"},
    503: {"Retry-After": "5"},
}
STATUSES = {
    401: "No token, or one that fits no source",
    403: "The queue is told by somebody else",
    404: "No such queue in the site file",
    408: f"The message did not arrive within {intake.READ_S:.0f} s",
    409: "The queue is told in the other shape so far",
    413: f"The message is longer than {BODY_BYTES} bytes",
    415: "The message is not sent as `application/json`",
    422: "The message is not as it should be: where, and what is wrong",
    429: f"More than {POSTS_PER_S} messages a second from one source: say more in one",
    503: "What was said cannot be kept at the moment: send it again, it will count once",
}
WORDS = """\
Tells one queue: by its figures, or by what happens in it.

204 means that it is kept: it may be forgotten. After any other answer, or none, it may be sent again, and still
counts once. One message after the other: a message overtaken by the next may be ignored.
"""


def routes(
    sources: Mapping[str, Push],
    tokens: Mapping[str, str],
    saved: Callable[[], Awaitable[None]],
    refused: Callable[[str, str], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> APIRouter:
    """`POST /api/queues/{queue}` for these sources; `tokens` by source.

    `saved` returns when all that was told so far is kept, and raises where it cannot be. `refused` is told
    of every refusal, as (who, why), for a log that does not repeat itself; nothing of a message is in it.
    Raises ValueError for a source without a token, or two with the same.
    """
    secrets = {source: tokens.get(source, "").encode() for source in sources}
    if not all(secrets.values()) or len(set(secrets.values())) < len(secrets):
        raise ValueError("every [[source]] needs a token of its own, in its secret_file")
    paces = {source: Pace(POSTS_PER_S, POSTS_AT_ONCE, clock) for source in sources}
    router = APIRouter(tags=["push"])

    @router.post(
        "/api/queues/{queue}",
        status_code=204,
        response_class=Response,
        summary="Tell a queue",
        description=WORDS,
        responses=_documented(),
        openapi_extra={"requestBody": _request_body()},
    )
    async def tell_a_queue(
        queue: str,
        request: Request,
        token: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    ) -> Response:
        source = None
        try:
            source = _whose(token, secrets)
            if not paces[source].may():
                raise _Refused(429, f"more than {POSTS_PER_S} messages a second: say more in one message")
            push = _push_of(queue, source, sources)
            payload = await _payload(request)
            _hear(push, queue, payload)
            await _keep(saved)
        except _Refused as no:
            if refused:
                refused(f"source {source}" if source else "a source", no.body.words)
            return JSONResponse(no.body.model_dump(), no.status, HEADERS.get(no.status))
        return Response(None, 204)

    return router


def _whose(token: HTTPAuthorizationCredentials | None, secrets: Mapping[str, bytes]) -> str:
    """Which source has that token. Every one is compared, and as long as any other."""
    given = token.credentials.encode("utf-8", "surrogateescape") if token else b""
    found = [source for source, secret in secrets.items() if hmac.compare_digest(secret, given)]
    if not found:
        words = "the header 'Authorization: Bearer TOKEN' is missing, or the token fits no source"
        raise _Refused(401, f"{words}: it is the line in the source's secret_file")
    return found[0]


def _push_of(queue: str, source: str, sources: Mapping[str, Push]) -> Push:
    owner = next((name for name, push in sources.items() if queue in push.queues), None)
    if owner is None:
        raise _Refused(
            404,
            f"no queue of that id is told by a [[source]]; '{source}' may tell {_queues(sources[source])}",
        )
    if owner != source:
        raise _Refused(
            403, f"another source tells that queue; '{source}' may tell {_queues(sources[source])}"
        )
    return sources[source]


def _queues(push: Push) -> str:
    return ", ".join(sorted(push.queues)) or "none: set source in a [[queue]] of the site file"


async def _payload(request: Request) -> bytes:
    """The message itself, never more of it than is allowed."""
    kind, _, charset = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json" or charset.strip() not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise _Refused(415, "send the message with the header 'Content-Type: application/json', in UTF-8")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise _Refused(415, "send the message without a Content-Encoding")
    try:
        return await body_of(request, BODY_BYTES)
    except TooLong:
        raise _Refused(
            413, f"the message is longer than {BODY_BYTES} bytes: send fewer events at a time"
        ) from None
    except TooSlow as error:
        raise _Refused(408, f"the message did not arrive within {intake.READ_S:.0f} s") from error


def _hear(push: Push, queue: str, payload: bytes) -> None:
    try:
        push.hear(queue, decode(payload))
    except PushError as error:
        status = 409 if isinstance(error, OtherShape) else 422
        raise _Refused(status, str(error), error.problems) from None


async def _keep(saved: Callable[[], Awaitable[None]]) -> None:
    try:
        await saved()
    except Exception as error:
        log.warning("what a source said cannot be kept: %s", error)
        raise _Refused(
            503, "what was said cannot be kept at the moment: send it again, it will count once"
        ) from error


# Documented ----------------------------------------------------------------------


def _documented() -> dict[int | str, dict[str, Any]]:
    """Every answer, for OpenAPI."""
    answers: dict[int | str, dict[str, Any]] = {204: {"description": "Kept"}}
    for status, words in STATUSES.items():
        answers[status] = refusal(Refusal, words)
        if status in HEADERS:
            answers[status]["headers"] = {
                name: {"schema": {"type": "string"}, "example": value}
                for name, value in HEADERS[status].items()
            }
    return answers


def _request_body() -> dict[str, Any]:
    """The message, for OpenAPI: its schema in one piece, because it is read by hand and not by FastAPI."""
    schema = TypeAdapter(Body).json_schema()
    parts = schema.pop("$defs")
    return {
        "required": True,
        "description": f"One of two shapes, at most {BODY_BYTES} bytes",
        "content": {
            "application/json": {
                "schema": _in_one_piece(schema, parts),
                "examples": {name: {"value": value} for name, value in EXAMPLES.items()},
            }
        },
    }


def _in_one_piece(schema: Any, parts: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_in_one_piece(part, parts) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _in_one_piece(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {
        name: _in_one_piece(part, parts)
        for name, part in schema.items()
        if name != "discriminator"  # it points to parts by name
    }
