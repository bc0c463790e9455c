"""Alarms over HTTP: which stand, which are over, as CSV too; and that somebody sees to one, with a note.

The audit list says who acknowledged which, and nothing of the note; of an alarm at a desk it keeps only the kind, for
a desk is somebody. Alarms themselves are in memory alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from gateway.alarms import standing
from gateway.alarms.kinds import KINDS, Level, Of
from gateway.alarms.standing import NOTE_MOST, Alarms, Ended
from gateway.csv_line import csv_line
from gateway.people import audit
from gateway.people.rights import Who
from gateway.web import intake
from gateway.web.documented import refusal
from gateway.web.intake import Pace, TooLong, TooSlow, body_of

BODY_BYTES = 4096
PER_S, AT_ONCE = 50, 300  # acknowledgements, of all who reach the page: "all" of a kind comes one by one
COLUMNS = ("kind", "of", "about", "level", "began", "ended", "for_s", "what", "acknowledged_by", "note")

Note = Callable[[Who | None, str, str], None]  # who, what they did, to what: for the audit list
TimeOf = Callable[[float], str | None]  # the gateway's clock → the site's own time; None: nobody knows it


class Acked(BaseModel):
    """Somebody sees to it."""

    by: str = Field(description="a login name, or the name of a token", examples=["desk-lead"])
    note: str = Field(examples=["The carrier knows."])
    for_s: int = Field(description="so many seconds ago", examples=[40])


class Alarm(BaseModel):
    """An alarm that stands, as `/api/events` tells it under `alarm/{id}`."""

    id: str = Field(examples=["long-wait.polski"])
    kind: str = Field(description=", ".join(KINDS), examples=["long-wait"])
    of: Of = Field(description="what it belongs to", examples=["queue"])
    about: str = Field(description="its id; empty where there is only one", examples=["polski"])
    level: Level = Field(description="bad comes first", examples=["bad"])
    number: int = Field(description="of this time that it is so; the next time has another", examples=[7340012])
    for_s: int = Field(description="so many seconds it has been so", examples=[312])
    what: str = Field(examples=["Somebody has waited for 332 s, and 20 s are promised."])
    todo: str = Field(examples=["Bring desks into this queue."])
    facts: dict[str, int | bool | str] = Field(examples=[{"wait_s": 332, "limit_s": 20, "waiting": 4}])
    acked: Acked | None


class Over(BaseModel):
    """An alarm that is over."""

    id: str
    kind: str
    of: Of
    about: str
    level: Level
    what: str = Field(description="the last that was said of it")
    facts: dict[str, int | bool | str]
    for_s: int = Field(description="so many seconds it was so")
    ended_s: int = Field(description="so many seconds ago it ended")
    began: str | None = Field(description="by the site's clock; null: nobody knows the time")
    ended: str | None
    acked: Acked | None


class AllAlarms(BaseModel):
    """What is wrong now, bad before warn and the oldest first, and what was within a day, the last one first."""

    standing: list[Alarm]
    ended: list[Over]


class Acknowledgement(BaseModel):
    """That somebody sees to an alarm."""

    model_config = ConfigDict(extra="forbid")

    note: StrictStr = Field(
        "", max_length=NOTE_MOST, examples=["The carrier knows."],
        description="what is done about it, or why nothing is",
    )  # fmt: skip
    number: StrictInt | None = Field(
        None, examples=[7340012],
        description="as in the alarm's document: it is meant for this time alone; null: for whatever stands",
    )  # fmt: skip


class NotDone(BaseModel):
    """Why it was not done."""

    kind: Literal["gone", "slow", "long", "type", "note", "body", "often"]
    words: str


STATUSES = {
    404: "There is no such alarm, or it is over",
    409: "That alarm is over; another one stands meanwhile",
    408: f"It did not arrive within {intake.READ_S:.0f} s",
    413: f"It is longer than {BODY_BYTES} bytes",
    415: "It is not sent as `application/json`",
    422: "It cannot be noted like this: why, in words",
    429: "Too many requests",
}
GONE = (404, "gone", "there is no such alarm: it may be over")
ANOTHER = (409, "gone", "that alarm is over: the one that stands now is another")


class _No(Exception):
    """It is not done: status, kind, words."""


def routes(
    alarms: Alarms,
    clock: Callable[[], float],
    time_of: TimeOf,
    changed: Callable[[Iterable[str]], object],
    note: Note,
) -> APIRouter:
    """`/api/alarms` for these alarms; `changed` hears whose acknowledgement did, `note` who did it."""
    router = APIRouter(tags=["alarms"])
    pace = Pace(PER_S, AT_ONCE)

    def _ended_for(who: Who | None) -> list[Ended]:
        """What has ended, the oldest first, as far as it is for whoever asks; without a gate all is for all."""
        return [one for one in alarms.ended if who is None or who.may("tend") or one.kind.of != "desk"]

    @router.get("/api/alarms", summary="What is wrong, and what was")
    async def what_is_wrong(request: Request) -> AllAlarms:
        """Alarms that stand now, and those that ended within the last 24 hours, since the gateway started.

        Those at desks that have ended are told to who has the right `tend`: they are a day of somebody's.
        """
        now_s = clock()
        there = [{"id": name, **(alarms.document(name, now_s) or {})} for name in alarms.all()]
        over = [_over(one, now_s, time_of) for one in reversed(_ended_for(_who(request)))]
        return AllAlarms.model_validate({"standing": there, "ended": over})

    @router.get(
        "/api/alarms.csv", response_class=Response, summary="The same as a table",
        responses={200: {"description": "One line an alarm, the oldest first", "content": {"text/csv": {}}}},
    )  # fmt: skip
    async def as_a_table(request: Request) -> Response:
        """Alarms of the last 24 hours and those that stand; a cell without a word is unknown, or not yet so.

        Of those at desks that have ended the same holds as in `/api/alarms`.
        """
        headers = {"Content-Disposition": 'attachment; filename="alarms.csv"'}
        return Response("".join(_table(alarms, _ended_for(_who(request)), clock(), time_of)), 200, headers, "text/csv")

    @router.post(
        "/api/alarms/{id}/acknowledgement", response_model=Alarm, summary="Somebody sees to an alarm",
        responses=_documented(404, 408, 409, 413, 415, 422, 429), openapi_extra=_request_body(),
    )  # fmt: skip
    async def acknowledge(id: str, request: Request) -> Response:
        """The alarm stays on the list, quiet, until it ends; another of the same kind is another alarm.

        Done once more it gets another note.
        """
        try:
            if not pace.may():
                raise _No(429, "often", "too many at once: try again in a moment")
            written = await _read(request)
            who = _who(request)
            now_s = clock()
            if not alarms.acknowledge(id, who.name if who else "", written.note, now_s, written.number):
                raise _No(*(ANOTHER if alarms.standing(id) else GONE))
        except _No as no:
            return _refused(no)
        changed((id,))
        note(who, "alarm-acknowledged", _for_the_list(id))
        return JSONResponse({"id": id, **(alarms.document(id, now_s) or {})})

    @router.delete(
        "/api/alarms/{id}/acknowledgement", status_code=204, response_class=Response,
        summary="Nobody sees to it after all", responses=_documented(404),
    )  # fmt: skip
    async def reopen(id: str, request: Request) -> Response:
        """Takes an acknowledgement back, whoever gave it: the alarm is as it was when it came."""
        if alarms.standing(id) is None:
            return _refused(_No(*GONE))
        if alarms.reopen(id):
            changed((id,))
            note(_who(request), "alarm-reopened", _for_the_list(id))
        return Response(None, 204)

    return router


def _who(request: Request) -> Who | None:
    """Whoever asks, as the gate knows them; None where there is no gate."""
    return getattr(request.state, "who", None)


def _refused(no: _No) -> JSONResponse:
    status, kind, words = no.args
    headers = {"Retry-After": "1"} if status == 429 else None
    return JSONResponse(NotDone(kind=kind, words=words).model_dump(), status, headers)


def _for_the_list(name: str) -> str:
    """As the audit list has it for 90 days: not which desk."""
    kind = KINDS[name.partition(".")[0]]
    return kind.kind if kind.of == "desk" else name


async def _read(request: Request) -> Acknowledgement:
    """What was sent, its note as one line that can be shown anywhere. Raises _No."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _No(415, "type", "send it with the header 'Content-Type: application/json'")
    try:
        written = Acknowledgement.model_validate_json(await body_of(request, BODY_BYTES))
    except TooLong:
        raise _No(413, "long", f"it is longer than {BODY_BYTES} bytes") from None
    except TooSlow as error:
        raise _No(408, "slow", f"it did not arrive within {intake.READ_S:.0f} s") from error
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]["loc"]
        if where == ("note",):
            raise _No(422, "note", f"note is a text of at most {NOTE_MOST} letters") from None
        raise _No(422, "body", 'it is JSON: {"note": "…"}') from None
    return written.model_copy(update={"note": audit.words(written.note).strip()})


def _over(one: Ended, now_s: float, time_of: TimeOf) -> dict[str, Any]:
    kind, acked = one.kind, one.acked
    return {
        "id": f"{kind.kind}.{one.about}" if one.about else kind.kind,
        "kind": kind.kind, "of": kind.of, "about": one.about, "level": kind.level,
        "what": standing.words(kind, one.facts)[0], "facts": one.facts,
        "for_s": max(0, int(one.ended_s - one.since_s)), "ended_s": max(0, int(now_s - one.ended_s)),
        "began": time_of(one.since_s), "ended": time_of(one.ended_s),
        "acked": acked and {"by": acked.by, "note": acked.note, "for_s": max(0, int(now_s - acked.at_s))},
    }  # fmt: skip


def _table(alarms: Alarms, ended: Iterable[Ended], now_s: float, time_of: TimeOf) -> Iterator[str]:
    yield csv_line(COLUMNS)
    for one in ended:
        yield csv_line(_cells(_over(one, now_s, time_of)))
    for name in alarms.all():
        row = alarms.document(name, now_s) or {}
        yield csv_line(_cells({**row, "began": time_of(now_s - row["for_s"]), "ended": None}))


def _cells(row: dict[str, Any]) -> Iterator[object]:
    acked = row["acked"] or {"by": "", "note": ""}
    told = {**row, "acknowledged_by": acked["by"], "note": acked["note"]}
    return (told[name] for name in COLUMNS)


# Documented ----------------------------------------------------------------------


def _documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: refusal(NotDone, STATUSES[status]) for status in statuses}


def _request_body() -> dict[str, Any]:
    """The note, for OpenAPI: it is read by hand, so that it cannot be too long."""
    return {
        "requestBody": {
            "required": True,
            "description": f"At most {BODY_BYTES} bytes",
            "content": {"application/json": {"schema": Acknowledgement.model_json_schema()}},
        }
    }
