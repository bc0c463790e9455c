"""The supervisor's page put together: its files, what is now, what was, and whatever else has an address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Response

import floorplan
from gateway.people import http as people_http
from gateway.people.gate import Gate
from gateway.people.people import People
from gateway.web import asked, history_http, live_http, openapi, shells
from gateway.web.asked import NOT_AS_ASKED
from gateway.web.history_http import nothing_kept
from gateway.web.live_http import Health
from gateway.web.news import News
from gateway.web.page_plan import PagePlan, page_plan
from gateway.web.pictures import Pictures
from gateway.web.safe import SafeHeaders
from gateway.web.shells import FILES
from wallboard.mirror import mirror_png

__all__ = ["FILES", "NOT_AS_ASKED", "PagePlan", "SafeHeaders", "app", "page_plan"]


def app(
    plan: floorplan.Plan,
    news: News,
    health: Health,
    wall_now: Callable[[str], Any],
    history: Callable[..., Iterator[str]] = nothing_kept,
    routers: Iterable[APIRouter] = (),
    draw: Callable[[Any], bytes] = mirror_png,
    people: People | None = None,
) -> FastAPI:
    """The page of one site.

    `health` says whether the floor is up and adds to what `/healthz` answers, in words;
    `wall_now` says what a wall by that id shows now, None while it shows nothing.
    Both are called on the event loop and must be quick; `draw` makes a PNG of the latter, in a thread.
    `history` is `export.rows` of this site's file, asked in a thread; `routers` are further addresses.
    `people` are who may ask for what, at the gate before all of it; without them everybody may everything.
    """
    page = FastAPI(
        title="Callfloor",
        summary="One call floor: desks, queues, walls and boards, as they are now.",
        version="1",
        docs_url=None,  # those pages load their scripts from elsewhere; /openapi.json stays
        redoc_url=None,
    )
    if people:
        page.add_middleware(Gate, people=people, page=plan.page)
    page.add_middleware(SafeHeaders)  # around the gate: what is refused has them too
    asked.say_how(page)
    pictures = Pictures(wall_now, draw)
    for router in (
        shells.routes(),
        live_http.routes(page_plan(plan), news, health),
        live_http.pictures({wall.id for wall in plan.wall}, pictures),
        history_http.routes(plan.site.id, history),
        *routers,
        people_http.routes(people, plan.page) if people else _open_to_all(),
    ):
        page.include_router(router)
    shells.mount(page)
    openapi.describe(page, people is not None, ids_of(plan))
    return page


def ids_of(plan: floorplan.Plan) -> dict[str, list[str]]:
    """What an address may name, for the examples in /openapi.json."""
    return {
        "wall": [wall.id for wall in plan.wall],
        "queue": [queue.id for queue in plan.queue],
        "board": [board.id for board in plan.board],
        "desk": [desk.id for desk in plan.desk],
    }


def _open_to_all() -> APIRouter:
    """What a page without people says of who is logged in: nobody has to."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/session")
    async def nobody() -> Response:
        return Response(None, 204)

    return router
