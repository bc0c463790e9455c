"""One queue's day, over HTTP: by quarters of an hour, with the day before and the same weekday a week before."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from gateway.store import StoreError
from gateway.web import packed
from gateway.web.asked import NOT_AS_ASKED, Day

Counts = list[int | None]
Amounts = list[float | None]


class Quarters(BaseModel):
    """Columns, a value a quarter of an hour, in the order of `clock`; null is unknown."""

    joined: Counts = Field(description="callers who came")
    answered: Counts
    abandoned: Counts = Field(description="hung up; and timed out, where the source cannot tell the two apart")
    timed_out: Counts
    service_level: Amounts = Field(description="0 to 1, by the queue's own formula")
    asa_s: Amounts = Field(description="mean wait of the answered")
    longest_wait_s: Amounts
    desks_present: Amounts = Field(description="on average: free, ringing or talking")
    desks_needed: Counts = Field(description="by Erlang C, for the queue's target")
    unseen_s: Counts = Field(description="how long the queue could not be seen though the house was open")


class Total(BaseModel):
    """All of a day, as far as it has been counted; null is unknown."""

    joined: int | None
    answered: int | None
    abandoned: int | None
    timed_out: int | None
    left_by_key: int | None
    left: int | None
    vanished: int | None
    longest_wait_s: float | None
    asa_s: float | None
    aht_s: float | None
    occupancy: float | None
    abandon_rate: float | None
    service_level: float | None


class OneDay(BaseModel):
    """One day of a queue."""

    date: dt.date
    total: Total
    quarters: Quarters


class Days(BaseModel):
    """The day that was asked for, and those behind it."""

    this: OneDay
    day_before: OneDay
    week_before: OneDay


class Running(BaseModel):
    """The quarter that was under way when it was last counted."""

    quarter: int = Field(description="its place in `clock`")
    share: float = Field(description="how much of it had gone by, 0 to 1")


class Gap(BaseModel):
    """A stretch in which the queue was not seen."""

    from_: str = Field(alias="from", description="as the clock showed it")
    to: str
    unseen_s: int


class QueueDay(BaseModel):
    """A queue's day."""

    queue: str
    date: dt.date
    today: dt.date | None = Field(description="the site's day now; null while nobody knows the time")
    begins: str = Field(description="in the site's own time")
    ends: str
    counted_until: str | None = Field(description="of any day: when something was last written")
    running: Running | None = Field(description="null where the day is over, or has not begun")
    clock: list[str] = Field(description="the times at which its quarters begin; of the others days' too")
    days: Days
    gaps: list[Gap]


def _quarters(*joined: int | None) -> dict[str, Any]:
    """Columns of a few quarters, for the example."""
    rest = {"answered": 4, "abandoned": 1, "timed_out": 0, "service_level": 0.8, "asa_s": 11.5, "longest_wait_s": 41.0,
            "desks_present": 6.3, "desks_needed": 5, "unseen_s": 0}  # fmt: skip
    columns = {name: [None if came is None else value for came in joined] for name, value in rest.items()}
    return {"joined": list(joined), **columns}


_TOTAL = {
    "joined": 412, "answered": 398, "abandoned": 11, "timed_out": 1, "left_by_key": 2, "left": 0, "vanished": 0,
    "longest_wait_s": 140.5, "asa_s": 9.2, "aht_s": 181.3, "occupancy": 0.71, "abandon_rate": 0.0221,
    "service_level": 0.8632,
}  # fmt: skip
EXAMPLE = {
    "queue": "polski", "date": "2026-11-02", "today": "2026-11-02",
    "begins": "2026-11-02T00:00:00+01:00", "ends": "2026-11-03T00:00:00+01:00",
    "counted_until": "2026-11-02T00:20:00+01:00", "running": {"quarter": 1, "share": 0.333},
    "clock": ["00:00", "00:15", "00:30"],
    "days": {
        "this": {"date": "2026-11-02", "total": _TOTAL, "quarters": _quarters(5, 2, None)},
        "day_before": {"date": "2026-11-01", "total": _TOTAL, "quarters": _quarters(6, 5, 4)},
        "week_before": {"date": "2026-10-26", "total": _TOTAL, "quarters": _quarters(7, 5, 6)},
    },
    "gaps": [{"from": "02:00", "to": "02:30", "unseen_s": 540}],
}  # fmt: skip


def routes(day_of: Callable[[str, dt.date | None], dict[str, Any]]) -> APIRouter:
    """`/api/queues/{queue}/day`; `day_of` is what `trend.days_of` gives, asked in a thread."""
    router = APIRouter()

    @router.get(
        "/api/queues/{queue}/day",
        response_model=QueueDay,
        responses={
            200: {"content": {"application/json": {"example": EXAMPLE}}},
            404: {
                "description": "No such queue, or nothing is kept of it",
                "content": {"text/plain": {"example": "there is no queue 'polsk'; there is norsk, polski"}},
            },
            422: NOT_AS_ASKED,
        },
    )
    def queue_day(
        request: Request,
        queue: str,
        date: Annotated[Day | None, Query(description="a day of the site's own calendar; left out: today")] = None,
    ) -> Response:
        """A queue's day by quarters of an hour, with the day before and the same weekday a week before."""
        try:
            day = json.dumps(day_of(queue, date), ensure_ascii=False, allow_nan=False).encode()
        except StoreError as error:
            return PlainTextResponse(str(error), 404)
        return packed.respond(packed.body(day), "application/json", request.headers)

    return router
