"""What there is and what is now, over HTTP: the plan, the last word on everything, the stream, health, pictures."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.people.gate import lets
from gateway.web import packed
from gateway.web.asked import NOT_AS_ASKED
from gateway.web.news import News
from gateway.web.page_plan import PagePlan
from gateway.web.pictures import Pictures

Health = Callable[[], tuple[bool, dict[str, Any]]]


class Up(BaseModel):
    """Whether the floor is up; more of it to who may see the page."""

    model_config = ConfigDict(extra="allow")

    up: bool
    broker: str = Field("", description="ready, or why it is away")
    sources: dict[str, str] = Field({}, description="the same of the PBX and of each source that pushes")
    history: str = Field("", description="kept, or why it is not")
    boards_unheard: int = 0


def routes(plan: PagePlan, news: News, health: Health) -> APIRouter:
    """`/api/plan`, `/api/now`, `/api/events`, `/healthz`."""
    router = APIRouter()
    whole_plan = packed.body(plan.model_dump_json().encode())

    @router.head("/api/plan", include_in_schema=False)
    @router.get(
        "/api/plan", response_model=PagePlan, responses={304: {"description": "The plan you have is the one there is"}}
    )
    async def what_there_is(request: Request) -> Response:
        """What there is and does not change: desks, queues, walls and boards by name."""
        return packed.respond(whole_plan, "application/json", request.headers)

    @router.get("/api/now")
    async def what_is_now() -> dict[str, dict[str, Any]]:
        """The last word on everything, by path: `desk/a1`, `queue/polski`, `wall/north`, `floor`.

        `age_ms` is how long ago it was said: a wait counts on from there.
        """
        return news.now()

    @router.get(
        "/api/events",
        response_class=StreamingResponse,
        responses={
            200: {"description": "Server-sent events", "content": {"text/event-stream": {}}},
            503: {"description": "Too many pages are open", "content": {"text/plain": {}}},
        },
    )
    async def what_changes(request: Request, after: str = "", last_event_id: str = Header("")) -> Response:
        """What changes, as it changes: an event `whole`, then objects of documents by path.

        Whoever was here before says the id of the last event, by the header Last-Event-ID or by `after`, and is
        told in place of the whole what was said and forgotten since; the whole where that is not known any more.
        """
        if news.full():
            words = "too many pages are open, or the gateway is stopping; try again in a moment"
            return PlainTextResponse(words, 503, {"Retry-After": "10"})
        headers = {"X-Accel-Buffering": "no", "Vary": "Accept-Encoding"}
        packs = packed.takes_packed(request.headers)
        if packs:
            headers["Content-Encoding"] = "gzip"
        events = news.listen(last_event_id or after, packs)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    @router.head("/healthz", include_in_schema=False)
    @router.get(
        "/healthz", response_model=Up,
        responses={503: {"model": Up, "description": "Something is missing; the answer says what"}},
    )  # fmt: skip
    async def healthz(request: Request) -> JSONResponse:
        """200 while the floor is up, 503 while it is not; what is missing, in words, to who may see the page."""
        up, more = health()
        told = {"up": up, **more} if lets(request, "see") else {"up": up}
        return JSONResponse(told, 200 if up else 503, {"Cache-Control": "no-store"})

    return router


def pictures(walls: Collection[str], pictures: Pictures) -> APIRouter:
    """`/walls/{wall}.png` of these walls."""
    router = APIRouter()

    @router.get(
        "/walls/{wall}.png",
        response_class=Response,
        responses={
            200: {"description": "What the wall shows", "content": {"image/png": {}}},
            304: {"description": "The picture you have is the one it shows"},
            404: {"description": "No such wall, or no picture yet", "content": {"text/plain": {}}},
            422: NOT_AS_ASKED,
        },
    )
    async def wall_picture(wall: str, if_none_match: str | None = Header(None)) -> Response:
        """What a wall shows now."""
        if wall not in walls:
            there_are = ", ".join(sorted(walls)) or "none"
            return PlainTextResponse(f"no such wall in the site file; there are: {there_are}", 404)
        picture = await pictures.of(wall)
        if picture is None:
            return PlainTextResponse(f"wall '{wall}' has no picture yet", 404)
        headers = {"Cache-Control": "no-cache", "ETag": picture.tag}
        if packed.has(picture.tag, if_none_match):
            return Response(None, 304, headers)
        return Response(picture.png, 200, headers, "image/png")

    return router
