"""What a page may know of the site file, and what does not change while the gateway runs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

import floorplan
from gateway.web.shells import FILES, files_hash

PLOTS = "lib/uPlot.iife.min.js"  # deploy/uplot.py brings it


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


class PlanRoom(BaseModel):
    """A part of the floor; `at` is its first column and row, `size` how many of them."""

    name: str
    at: tuple[int, int]
    size: tuple[int, int]


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
    """What does not change while the gateway runs; `page` changes when the page's own files do.

    `floor_plan`: there is a drawing of the floor at /api/floor-plan.svg. `plots`: this gateway was installed with
    what draws them.
    """

    page: str
    plots: bool
    site: PlanSite
    floor_plan: bool
    rooms: tuple[PlanRoom, ...]
    desks: tuple[PlanDesk, ...]
    queues: tuple[PlanQueue, ...]
    walls: tuple[PlanWall, ...]
    boards: tuple[PlanBoard, ...]


def page_plan(plan: floorplan.Plan) -> PagePlan:
    """What a page may know of the site file: no secrets, no extensions, no addresses."""
    return PagePlan(
        page=files_hash(),
        plots=(FILES / PLOTS).is_file(),
        site=PlanSite(id=plan.site.id, name=plan.site.name or plan.site.id, languages=plan.site.languages),
        floor_plan=plan.site.floor_plan is not None,
        rooms=tuple(PlanRoom(name=room.name, at=room.at, size=room.size) for room in plan.room),
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
