"""What staff are told of what is sensed, for how long and for whom, over HTTP: from the settings that hold here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

import floorplan
from gateway.alarms.standing import ENDED_S
from gateway.broker.setup import is_loopback
from gateway.messages import MINUTES_MOST
from gateway.people.people import LINK_S, TOKEN_DAYS_MOST, People, PeopleError
from gateway.people.rights import ROLES
from gateway.people.sessions import AT_MOST_S, DESK_S
from gateway.store import WAITING_S
from gateway.truth import RULES

HOUR_S, DAY_S = 3600, 24 * 3600

# By the main city of its time zone: which country's duties come first.
COUNTRIES: dict[str, Literal["no", "se"]] = {"Europe/Oslo": "no", "Arctic/Longyearbyen": "no", "Europe/Stockholm": "se"}

Sense = Literal[
    "phone-contact", "phone-ring", "phone-line", "headset-contact", "headset-dock", "headset-usb", "ip-phone"
]


class House(BaseModel):
    """Which floor it is."""

    name: str
    country: Literal["no", "se"] | None = Field(description="by the site's time zone; null: neither")
    desks: int
    walls: int
    queues: int


class Sensed(BaseModel):
    """One thing that is sensed, and at how many desks."""

    sense: Sense
    desks: int


class PhoneSystem(BaseModel):
    """What is heard from the phone system and from other sources."""

    asterisk: bool
    queues: int = Field(description="of which it tells")
    desks: int = Field(description="whose state it tells: those with an extension or a device in the site file")
    seating: Literal["fixed", "login"] = Field(description="login: an extension is at the desk where it is logged in")
    sources: int = Field(description="web sources, that tell of their own queues alone")


class Finding(BaseModel):
    """When a desk and the phone system are said not to fit."""

    kind: str
    after_s: int


class Kept(BaseModel):
    """How long each thing is kept at the longest."""

    quarters_days: int = Field(description="totals of queues by quarter of an hour")
    days_days: int = Field(description="and by day")
    waiting_h: int = Field(description="that a call waits, under a number that names nobody; ends with the wait")
    message_h: int = Field(description="the longest that a message on walls stands, and is kept")
    alarms_h: int = Field(description="alarms that ended; in memory alone")
    audit_days: int = Field(description="who changed what")
    session_h: int = Field(description="a login, since somebody was last seen")
    session_days: int = Field(description="a login, at most")
    link_days: int = Field(description="an invitation")
    token_days: int = Field(description="a token of a machine, at most")
    browser_days: int = Field(description="the mark in a browser where somebody has logged in")


class Role(BaseModel):
    """Who has a role, how many of them, and what it may see and do."""

    role: str
    rights: list[str]
    people: int
    tokens: int


class Ways(BaseModel):
    """How it travels."""

    page_tls: bool = Field(description="the page is https")
    broker_tls: bool = Field(description="boards and the gateway speak TLS")
    broker_here: bool = Field(description="the broker is on the gateway's own computer")
    pbx_tls: bool | None = Field(description="the phone system's link; null: there is none")


class Privacy(BaseModel):
    """All of it. No name of anybody stands here."""

    site: House
    sensed: list[Sensed] = Field(description="what no desk has is left out")
    bare_desks: int = Field(description="at which nothing is sensed")
    light_walls: int = Field(description="walls that sense how bright the room is")
    phone_system: PhoneSystem
    findings: list[Finding]
    kept: Kept
    roles: list[Role] = Field(description="of those that somebody has; empty: the page asks nobody who they are")
    ways: Ways


class Trouble(BaseModel):
    """Why there is no answer."""

    kind: str
    words: str


def routes(plan: floorplan.Plan, people: People | None) -> APIRouter:
    """`GET /api/privacy` of this plan, with how many people have each role now."""
    router = APIRouter(tags=["privacy"])

    @router.get(
        "/api/privacy", response_model=Privacy, summary="What is sensed, why, for how long, and for whom",
        responses={503: {"model": Trouble, "description": "The accounts cannot be read"}},
    )  # fmt: skip
    def what_is_sensed() -> Privacy | JSONResponse:
        """What the page `/privacy` is filled from, for staff to read: all of it from the settings that hold now."""
        try:
            return told(plan, people)
        except PeopleError:
            words = "who has which role cannot be read at the moment: try again"
            return JSONResponse({"kind": "trouble", "words": words}, 503)

    return router


def told(plan: floorplan.Plan, people: People | None) -> Privacy:
    """What there is to tell of a site. Raises PeopleError."""
    senses = senses_of(plan)
    counts = Counter(sense for of_desk in senses.values() for sense in of_desk)
    settings = plan.pbx.asterisk
    by_phone_system = len([queue for queue in plan.queue if queue.pbx])
    return Privacy(
        site=House(
            name=plan.site.name or plan.site.id, country=COUNTRIES.get(plan.site.time_zone), desks=len(plan.desk),
            walls=len(plan.wall), queues=len(plan.queue),
        ),
        sensed=[Sensed(sense=sense, desks=counts[sense]) for sense in _ORDER if counts[sense]],
        bare_desks=len(plan.desk) - len(senses),
        light_walls=sum(wall.light is not None for wall in plan.wall),
        phone_system=PhoneSystem(
            asterisk=settings is not None, queues=by_phone_system,
            desks=sum(bool(desk.extension or desk.device) for desk in plan.desk) if by_phone_system else 0,
            seating=plan.site.seating, sources=len(plan.source),
        ),
        findings=[
            Finding(kind=rule.kind, after_s=getattr(plan.truth, rule.setting))
            for rule in RULES if rule.kind not in plan.truth.off
        ],
        kept=Kept(
            quarters_days=plan.history.quarters_days, days_days=plan.history.days_days, waiting_h=WAITING_S // HOUR_S,
            message_h=MINUTES_MOST // 60, alarms_h=int(ENDED_S / HOUR_S), audit_days=plan.people.audit_days,
            session_h=plan.people.session_h, session_days=AT_MOST_S // DAY_S, link_days=LINK_S // DAY_S,
            token_days=TOKEN_DAYS_MOST, browser_days=DESK_S // DAY_S,
        ),
        roles=list(_roles(people)) if people else [],
        ways=Ways(
            page_tls=(plan.page.url or "").startswith("https:") or plan.page.cert_file is not None,
            broker_tls=bool(plan.broker and plan.broker.tls),
            broker_here=is_loopback(plan.broker.host) if plan.broker else True,
            pbx_tls=settings.tls if settings else None,
        ),
    )  # fmt: skip


_ORDER: tuple[Sense, ...] = (
    "phone-contact", "phone-ring", "phone-line", "headset-contact", "headset-dock", "headset-usb", "ip-phone"
)  # fmt: skip


def senses_of(plan: floorplan.Plan) -> dict[str, set[Sense]]:
    """What is sensed at each desk; a desk at which nothing is, is left out."""
    found: dict[str, set[Sense]] = {}
    for board in plan.board:
        for place in board.inputs:
            found.setdefault(place.desk, set()).update(_of_place(place))
    for desk in plan.desk:
        if desk.phone:
            found.setdefault(desk.id, set()).add("ip-phone")
    return {desk: senses for desk, senses in found.items() if senses}


def _of_place(place: floorplan.BoardInput) -> Iterator[Sense]:
    phone, headset = place.phone, place.headset
    if phone:
        yield "phone-line" if phone.by == "line" else "phone-contact"
        if phone.ring:
            yield "phone-ring"
    if headset and headset.by == "usb":
        yield "headset-usb"
    elif headset:
        if headset.pin:
            yield "headset-contact"
        if headset.dock:
            yield "headset-dock"


def _roles(people: People) -> Iterator[Role]:
    """The roles that somebody has, in the order of the table of roles."""
    persons = Counter(person.role for person in people.people())
    tokens = Counter(token.role for token in people.tokens() if token.ends > time.time())
    for role, rights in ROLES.items():
        if persons[role] or tokens[role]:
            yield Role(role=role, rights=sorted(rights), people=persons[role], tokens=tokens[role])
