"""The drawing of a floor that a site brings, over HTTP: as its file is now."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Collection
from pathlib import Path

from fastapi import APIRouter, Header, Response
from fastapi.responses import PlainTextResponse

from floorplan import Plan, SiteError
from gateway.web import packed
from gateway.web.floor_plan import FloorPlan, read

log = logging.getLogger(__name__)


class Drawing:
    """A site's drawing as its file is now; one that cannot be used any more stays as it was."""

    def __init__(self, path: Path, desks: Collection[str]) -> None:
        self._path = path
        self._desks = frozenset(desks)
        self._seen: tuple[int, int] | None = None  # the file's time and size
        self._plan: FloorPlan | None = None
        self._why = ""
        self._busy = asyncio.Lock()

    async def now(self) -> tuple[FloorPlan | None, str]:
        """(the drawing, why there is none)."""
        async with self._busy:
            await asyncio.to_thread(self._look)
        return self._plan, self._why

    def _look(self) -> None:
        try:
            told = os.stat(self._path)
            seen = (told.st_mtime_ns, told.st_size)
            if seen == self._seen:
                return
            self._seen = seen
            self._plan, self._why = read(self._path, self._desks), ""
        except (OSError, SiteError) as error:
            if str(error) != self._why:
                self._why = str(error)
                log.warning("the floor plan cannot be used, the page goes on without a new one: %s", error)


# Opened by itself it is a page: one that may do nothing.
ALONE = "default-src 'none'; img-src data:; frame-ancestors 'none'; sandbox"
NONE = "the site file names no floor plan: [site] floor_plan"
FAILED = "the floor plan cannot be used; `callfloor up --check` says why"


def routes(plan: Plan) -> APIRouter:
    """`/api/floor-plan.svg` of a site."""
    router = APIRouter()
    path = plan.site.floor_plan
    drawing = Drawing(path, [desk.id for desk in plan.desk]) if path else None

    @router.get(
        "/api/floor-plan.svg",
        response_class=Response,
        responses={
            200: {
                "description": "The drawing, cleaned; `data-desk` names the desk that an element is",
                "content": {"image/svg+xml": {"example": '<svg viewBox="0 0 9 5"><rect data-desk="a1"/></svg>'}},
            },
            304: {"description": "The drawing you have is the one there is"},
            404: {"description": "The site has none", "content": {"text/plain": {"example": NONE}}},
            503: {"description": "It cannot be used", "content": {"text/plain": {"example": FAILED}}},
        },
    )
    async def floor_plan(if_none_match: str | None = Header(None)) -> Response:
        """The site's own drawing of its floor."""
        if drawing is None:
            return PlainTextResponse(NONE, 404)
        found, _ = await drawing.now()
        if found is None:
            return PlainTextResponse(FAILED, 503)
        tag = f'"{found.tag}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag, "Content-Security-Policy": ALONE}
        if packed.has(tag, if_none_match):
            return Response(None, 304, headers)
        return Response(found.svg, 200, headers, "image/svg+xml")

    return router
