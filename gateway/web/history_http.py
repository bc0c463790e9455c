"""What was, over HTTP: totals of each queue by quarter of an hour or by day, as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from gateway.store import StoreError
from gateway.web.asked import NOT_AS_ASKED, Day

BACKWARDS = "from is after to: the first day comes first"


def nothing_kept(**asked: object) -> Iterator[str]:
    """The history of a page that has none."""
    raise StoreError("nothing is kept here")


def routes(site: str, history: Callable[..., Iterator[str]]) -> APIRouter:
    """`/api/history.csv`; `history` is `export.rows` of this site's file, asked in a thread."""
    router = APIRouter()

    @router.get(
        "/api/history.csv",
        response_class=Response,
        responses={
            200: {"description": "One line an interval of one queue", "content": {"text/csv": {}}},
            404: {"description": "Nothing is kept, or not of that queue", "content": {"text/plain": {}}},
            422: NOT_AS_ASKED,
        },
    )
    def what_was(
        by: Literal["quarter", "day"] = "day",
        first: Annotated[Day | None, Query(alias="from")] = None,
        last: Annotated[Day | None, Query(alias="to")] = None,
        queue: str | None = None,
    ) -> Response:
        """Totals of each queue by quarter of an hour or by day, from and to a day of the site's own calendar."""
        if first and last and first > last:
            return PlainTextResponse(BACKWARDS, 422)
        try:
            lines = history(by=by, first=first, last=last, queue=queue)
        except StoreError as error:
            return PlainTextResponse(str(error), 404)
        name = f"{site}-{by}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(lines, media_type="text/csv", headers=headers)

    return router
