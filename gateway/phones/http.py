"""The address that IP phones call: one token for the site, the phone known by its MAC, three words taken.

Most phones GET an address with `event` and `mac` in it; Poly phones POST XML. Whatever else is sent, callers'
numbers above all, is dropped here, and no answer repeats any of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from gateway.phones import poly
from gateway.phones.phones import Phones, Refusal
from gateway.phones.vendors import EVENTS, event_of, mac_of
from gateway.web import intake
from gateway.web.intake import TooLong, TooSlow, body_of

QUERY_BYTES = 4096  # phones keep addresses of up to 511 characters, and fill in variables
FIELDS_MOST = 64

GOOD = "ok\n"
# After a GET a Mitel phone wants an XML object, or shows an error: this one does nothing (its "NoOp").
GOOD_MITEL = '<AastraIPPhoneExecute><ExecuteItem URI=""/></AastraIPPhoneExecute>\n'

STATUSES = {
    400: "It cannot be read: no event, no MAC address, or one that is none",
    403: "The token in the address is not the site's",
    404: "No desk of the site file has a phone with this MAC address",
    408: f"The message did not arrive within {intake.READ_S:.0f} s",
    413: f"The message is longer than {poly.BODY_BYTES} bytes",
    414: f"The address is longer than {QUERY_BYTES} bytes",
    429: "The phone calls without end",
}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {"text/plain": {}}} for status, words in STATUSES.items()
}


def routes(phones: Phones, token: str, clock: Callable[[], float]) -> APIRouter:
    """`/phone/{token}` for these phones: GET with `event` and `mac`, or POST of a Poly phone's XML."""
    secret = token.encode()
    router = APIRouter(tags=["phones"])

    async def answer(given: str, request: Request, said: str) -> Response:
        try:
            if not hmac.compare_digest(secret, given.encode("utf-8", "replace")):
                words = "this address does not fit: `callfloor phone urls` prints the right one"
                raise Refusal("token", 403, words)
            if request.method == "POST":
                mac, event, call = _posted(await _body(request))
            else:
                mac, event, call = _asked(said, request.scope["query_string"])
            phones.hear(mac, event, clock(), call)
        except Refusal as no:
            phones.refuse(no, clock())
            return PlainTextResponse(no.words + "\n", no.status)
        if phones.vendor(mac) == "mitel":
            return Response(GOOD_MITEL, media_type="text/xml")
        return PlainTextResponse(GOOD)

    @router.get(
        "/phone/{token}", response_class=PlainTextResponse, responses=DOCUMENTED, summary="A phone tells"
    )
    async def asked(token: str, request: Request) -> Response:
        """What an IP phone does: `?event=off_hook&mac=0015651234ab`. Other fields are dropped."""
        return await answer(token, request, "")

    @router.get("/phone/{token}/{said:path}", include_in_schema=False)
    async def asked_by_path(token: str, said: str, request: Request) -> Response:
        return await answer(token, request, said)  # Grandstream's guide writes: ADDRESS/mac=$mac&…

    @router.post("/phone/{token}/", include_in_schema=False)
    @router.post(
        "/phone/{token}", response_class=PlainTextResponse, responses=DOCUMENTED, summary="A Poly phone tells"
    )
    async def posted(token: str, request: Request) -> Response:
        """What a Poly phone does, as XML. Only its MAC address, the event and the call's reference are read."""
        return await answer(token, request, "")

    return router


def _asked(said: str, query: bytes) -> tuple[str, str, str]:
    """(MAC, event, "") of an address; everything else in it is gone after this."""
    if len(said) + len(query) > QUERY_BYTES:
        raise Refusal("long", 414, f"the address is longer than {QUERY_BYTES} bytes")
    try:
        fields = parse_qsl(f"{said}&{query.decode('latin-1')}", max_num_fields=FIELDS_MOST)
    except ValueError:
        raise Refusal("rubbish", 400, f"the address has more than {FIELDS_MOST} fields") from None
    wanted: dict[str, set[str]] = {"mac": set(), "event": set()}
    for name, value in fields:
        key = name.lower().removeprefix("amp;")  # of a file in which & was escaped twice
        if key in wanted:
            wanted[key].add(unquote(value))  # and of a phone that escapes what was escaped
    mac = _only(wanted["mac"], "mac", "")
    digits = mac_of(mac)
    if digits is None:
        if mac.startswith("$"):
            words = (
                "the phone has not filled in its variable: write the MAC address itself into its action URL"
            )
        else:
            words = "the address has a mac= that is no MAC address of twelve hexadecimal digits"
        raise Refusal("rubbish", 400, words)
    event = event_of(_only(wanted["event"], "event", digits))
    if event is None:
        raise Refusal("rubbish", 400, f"the address has an event= that is not known; known are: {', '.join(EVENTS)}",
                      digits)  # fmt: skip
    return digits, event, ""


def _only(values: set[str], name: str, mac: str) -> str:
    if len(values) != 1:
        what = "more than one" if values else "no"
        raise Refusal("rubbish", 400, f"the address has {what} {name}=: ?event=off_hook&mac=…", mac)
    return values.pop()


def _posted(body: bytes) -> tuple[str, str, str]:
    try:
        return poly.read(body)
    except poly.PolyError as error:
        raise Refusal("rubbish", 400, str(error), error.mac) from error


async def _body(request: Request) -> bytes:
    """The message itself, never more of it than is allowed."""
    try:
        return await body_of(request, poly.BODY_BYTES)
    except TooLong:
        raise Refusal("long", 413, f"the message is longer than {poly.BODY_BYTES} bytes") from None
    except TooSlow as error:
        raise Refusal("long", 408, f"the message did not arrive within {intake.READ_S:.0f} s") from error
