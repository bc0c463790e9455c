"""The supervisor's page: its files, what there is, what changes, and each wall's picture, over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import floorplan
from gateway.people import http as people_http
from gateway.people.gate import Gate, lets
from gateway.people.people import People
from gateway.store import StoreError
from gateway.web.news import News
from gateway.web.pictures import Pictures
from wallboard.mirror import mirror_png

FILES = Path(__file__).parent / "static"

# Nothing from elsewhere, nothing inline, in nobody's frame; files are asked for anew each time.
CONTENT_POLICY = (
    b"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)
SAFE_HEADERS = (
    (b"content-security-policy", CONTENT_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)


# How what is asked in an address is written; what was asked instead is not repeated.
ASKED = {
    "by": "by is quarter or day",
    "from": "from is a day, written as 2026-03-29",
    "to": "to is a day, written as 2026-03-29",
}
BACKWARDS = "from is after to: the first day comes first"
NOT_AS_ASKED: dict[str, Any] = {
    "description": "Asked otherwise than it can be: how, in words",
    "content": {"text/plain": {}},
}


class PlanSite(BaseModel):
    """The house."""

    id: str
    name: str
    languages: tuple[str, ...]


class PlanDesk(BaseModel):
    """One desk; `at` is its column and row on the map, null where it has none."""

    id: str
    name: str
    at: tuple[int, int] | None


class PlanQueue(BaseModel):
    """One queue and what it promises."""

    id: str
    name: str
    kind: Literal["voice", "chat", "callback"]
    target: floorplan.Target
    amber_from_s: int
    red_from_s: int


class PlanWall(BaseModel):
    """One wall; `size` is its columns and rows of lights."""

    id: str
    name: str
    size: tuple[int, int]


class PlanBoard(BaseModel):
    """One board and the desks plugged into it."""

    id: str
    definition: str
    desks: tuple[str, ...]


class PagePlan(BaseModel):
    """What does not change while the gateway runs; `page` changes when the page's own files do."""

    page: str
    site: PlanSite
    desks: tuple[PlanDesk, ...]
    queues: tuple[PlanQueue, ...]
    walls: tuple[PlanWall, ...]
    boards: tuple[PlanBoard, ...]


def nothing_kept(**asked: object) -> Iterator[str]:
    """The history of a page that has none."""
    raise StoreError("nothing is kept here")


def app(
    plan: floorplan.Plan,
    news: News,
    health: Callable[[], tuple[bool, dict[str, Any]]],
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
    unchanging = page_plan(plan)
    walls = {wall.id for wall in plan.wall}
    pictures = Pictures(wall_now, draw)

    @page.exception_handler(RequestValidationError)
    async def not_as_asked(request: Request, error: RequestValidationError) -> PlainTextResponse:
        names = dict.fromkeys(str(problem["loc"][-1]) for problem in error.errors())
        words = [ASKED[name] for name in names if name in ASKED]
        return PlainTextResponse("; ".join(words) or "this cannot be asked like this", 422)

    @page.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(FILES / "index.html")

    @page.get("/login", include_in_schema=False)
    async def login_page() -> FileResponse:
        return FileResponse(FILES / "login.html")

    @page.get("/join", include_in_schema=False)
    async def join_page() -> FileResponse:
        return FileResponse(FILES / "join.html")

    @page.get("/people", include_in_schema=False)
    async def people_page() -> FileResponse:
        return FileResponse(FILES / "people.html")

    @page.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> FileResponse:
        return FileResponse(FILES / "favicon.svg")

    @page.get("/api/plan")
    async def what_there_is() -> PagePlan:
        """What there is and does not change: desks, queues, walls and boards by name."""
        return unchanging

    @page.get("/api/now")
    async def what_is_now() -> dict[str, dict[str, Any]]:
        """The last word on everything, by path: `desk/a1`, `queue/polski`, `wall/north`, `floor`.

        `age_ms` is how long ago it was said: a wait counts on from there.
        """
        return news.now()

    @page.get(
        "/api/events",
        response_class=StreamingResponse,
        responses={
            200: {"description": "Server-sent events", "content": {"text/event-stream": {}}},
            503: {"description": "Too many pages are open", "content": {"text/plain": {}}},
        },
    )
    async def what_changes() -> Response:
        """What changes, as it changes: an event `whole`, then objects of documents by path."""
        if news.full():
            words = "too many pages are open, or the gateway is stopping; try again in a moment"
            return PlainTextResponse(words, 503, {"Retry-After": "10"})
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(news.listen(), media_type="text/event-stream", headers=headers)

    @page.get(
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
        if if_none_match == picture.tag:
            return Response(None, 304, headers)
        return Response(picture.png, 200, headers, "image/png")

    @page.get("/healthz", responses={503: {"description": "Something is missing; the answer says what"}})
    async def healthz(request: Request) -> JSONResponse:
        """200 while the floor is up, 503 while it is not; what is missing, in words, to who may see the page."""
        up, more = health()
        told = {"up": up, **more} if lets(request, "see") else {"up": up}
        return JSONResponse(told, 200 if up else 503, {"Cache-Control": "no-store"})

    @page.get(
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
        first: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
        queue: str | None = None,
    ) -> Response:
        """Totals of each queue by quarter of an hour or by day, from and to a day of the site's own calendar."""
        if first and last and first > last:
            return PlainTextResponse(BACKWARDS, 422)
        try:
            lines = history(by=by, first=first, last=last, queue=queue)
        except StoreError as error:
            return PlainTextResponse(str(error), 404)
        name = f"{plan.site.id}-{by}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(lines, media_type="text/csv", headers=headers)

    for router in routers:
        page.include_router(router)

    if people:
        page.include_router(people_http.routes(people, plan.page))
    else:

        @page.get("/api/session", include_in_schema=False)
        async def open_to_all() -> Response:
            """Nobody has to log in here: this page was made without people."""
            return Response(None, 204)

    page.mount("/static", StaticFiles(directory=FILES), "static")
    return page


def page_plan(plan: floorplan.Plan) -> PagePlan:
    """What a page may know of the site file: no secrets, no extensions, no addresses."""
    return PagePlan(
        page=_files_hash(),
        site=PlanSite(id=plan.site.id, name=plan.site.name or plan.site.id, languages=plan.site.languages),
        desks=tuple(PlanDesk(id=desk.id, name=desk.name or desk.id, at=desk.at) for desk in plan.desk),
        queues=tuple(
            PlanQueue(
                id=queue.id,
                name=queue.name,
                kind=queue.kind,
                target=queue.target,
                amber_from_s=queue.target.amber_from_s,
                red_from_s=queue.target.red_from_s,
            )
            for queue in plan.queue
        ),
        walls=tuple(
            PlanWall(id=wall.id, name=wall.name or wall.id, size=wall.panel.size) for wall in plan.wall
        ),
        boards=tuple(
            PlanBoard(
                id=board.id,
                definition=board.definition,
                desks=tuple(place.desk for place in board.inputs),
            )
            for board in plan.board
        ),
    )


def _files_hash() -> str:
    seen = hashlib.blake2s(digest_size=8)
    for path in sorted(path for path in FILES.rglob("*") if path.is_file()):
        seen.update(path.read_bytes())
    return seen.hexdigest()


class SafeHeaders:
    """Puts the safe headers on every answer that does not say otherwise."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                added = [header for header in SAFE_HEADERS if header[0] not in given]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self.inner(scope, receive, send_safely)
