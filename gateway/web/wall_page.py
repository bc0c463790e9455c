"""The browser as a wall: its page at /wall/{wall}, and the messages a wall hears, as one stream of events."""

from __future__ import annotations

import asyncio
import html
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse

import floorplan
from firmware import contract, digits, scene, scene_load, values
from gateway.people.gate import lets
from gateway.web import packed
from gateway.web.page import FILES, NOT_AS_ASKED, page_plan
from wallboard import numbers

APART_S = 0.05  # values go out no faster than this; the last ones of what changes in between do
EVENTS_WAITING = 64  # more than three seconds of the busiest floor; then a screen starts over
SCREENS_AT_MOST = 500  # of all walls together
SEEN_S = values.PROOF_MS / 1000  # so long it is believed that a screen shows what it said it does, as its figures are

Fields = Mapping[str, Any]
Line = asyncio.Queue[bytes | None]  # one screen's events; None: take the whole instead
Screen = Annotated[str, Query(max_length=16, description="A word by which a stream's screen is known again")]

# What a screen hears, by the event's name: messages of the contract. Each wall has its own of OF_WALL.
OF_WALL = {
    "scene": "board/+/panel/+/scene",
    "light": "board/+/panel/+/light",
    "message": "board/+/panel/+/message",
}
OF_ALL = {"gateway": "gateway/state", "values": "values", "beat": "beat"}
PATTERNS = OF_WALL | OF_ALL


class Screens:
    """Which browsers show which wall, and what they are told: each event encoded once, and only if somebody hears.

    An open stream proves nothing: a browser that is stuck, or whose cable was pulled, has one for minutes. It shows
    the wall while it says so, after each beat that proved its figures. `should` gives the fields of each of OF_WALL
    that a wall should show now, None for no message; `beat` those of a beat made now; `changed` is told of a wall
    that has another number of browsers than before.
    All of it belongs to one event loop.
    """

    def __init__(
        self,
        plan: floorplan.Plan,
        should: Callable[[str], Mapping[str, Fields | None]],
        beat: Callable[[], Fields],
        changed: Callable[[str], None] = lambda wall: None,
    ) -> None:
        self._should = should
        self._beat = beat
        self._changed = changed
        page = page_plan(plan).page
        self._about = {wall.id: _event("wall", json.dumps(about(wall, plan, page)).encode()) for wall in plan.wall}
        self._lines: dict[str, dict[Line, str]] = {wall.id: {} for wall in plan.wall}  # and whose it is
        self._seen_s: dict[str, dict[str, float]] = {wall.id: {} for wall in plan.wall}  # screens: when it said so
        self._watching: dict[str, int] = {}  # as last told
        self._sent: dict[str, dict[str, tuple[Fields | None, bytes]]] = {}  # of watched walls: the last events
        self._said: dict[str, Fields] = {}  # of OF_ALL, the last but for beats
        self._events: dict[str, bytes] = {}  # the same as they go out, once somebody has heard them
        self._next: asyncio.Handle | None = None  # values that are due
        self._sent_s = float("-inf")  # when values last went out, on the loop's clock
        self._closed = False

    def follow(self, plan: floorplan.Plan) -> None:
        """Other walls from now on. Screens of those that are gone are let go; where a wall differs they hear all."""
        page = page_plan(plan).page
        before, self._about = self._about, {
            wall.id: _event("wall", json.dumps(about(wall, plan, page)).encode()) for wall in plan.wall
        }  # fmt: skip
        for wall in self._about:
            self._lines.setdefault(wall, {})
            self._seen_s.setdefault(wall, {})
        for wall in before:
            if self._about.get(wall) != before[wall]:
                for line in self._lines[wall]:
                    _start_over(line)
            if wall not in self._about:
                self._sent.pop(wall, None)

    def watching(self, wall: str) -> int:
        """How many browsers show a wall now, its figures fresh."""
        now_s = time.monotonic()
        return sum(now_s - seen_s <= SEEN_S for seen_s in self._seen_s[wall].values())

    def seen(self, wall: str, screen: str) -> None:
        """A screen says that it shows this wall, and fresh; one that has no stream is not heard."""
        if screen and screen in self._lines[wall].values():
            self._seen_s[wall][screen] = time.monotonic()
            self._count(wall)

    def _count(self, wall: str) -> None:
        watching = self.watching(wall)
        if watching != self._watching.get(wall, 0) and wall in self._about:
            self._watching[wall] = watching
            self._changed(wall)

    @property
    def open(self) -> int:
        """How many browsers have a stream, of all walls."""
        return sum(map(len, self._lines.values()))

    def full(self) -> bool:
        """True while no more may listen."""
        return self._closed or self.open >= SCREENS_AT_MOST

    def say(self, kind: str, fields: Fields) -> None:
        """Something of OF_ALL, to every screen. Raises ContractError once somebody hears it."""
        if kind != "beat":
            self._said[kind] = fields
            self._events.pop(kind, None)
        else:
            for wall in self._seen_s:
                self._count(wall)  # silence makes no noise
        if self._closed or not self._sent:
            return
        if kind != "values":
            self._tell_all(_encoded(kind, fields))
        elif self._next is None:
            loop = asyncio.get_running_loop()
            due_s = self._sent_s + APART_S
            soon = due_s <= loop.time()
            self._next = loop.call_soon(self._say_values) if soon else loop.call_at(due_s, self._say_values)

    def look(self, wall: str) -> None:
        """What this wall should show may be something else now: its screens hear what differs."""
        if wall not in self._sent or self._closed:
            return
        before = self._sent[wall]
        self._sent[wall] = self._kept(wall)
        for kind, (_, event) in self._sent[wall].items():
            if event is not before[kind][1]:
                for line in self._lines[wall]:
                    _put(line, event)

    async def listen(self, wall: str, screen: str = "") -> AsyncGenerator[bytes, None]:
        """Server-sent events for one browser that shows `wall`: all there is with a beat, then what changes.

        `screen` is the word by which `seen` knows it.
        One that is too slow is given all there is in place of what it missed.
        """
        line: Line = asyncio.Queue(EVENTS_WAITING)
        line.put_nowait(None)
        self._lines[wall][line] = screen
        try:
            while True:
                event = await line.get()
                if self._closed or wall not in self._about:
                    yield self._lost()
                    return
                if event is None:
                    _empty(line)  # the whole holds all of it
                    event = self._all(wall)
                yield event
        finally:
            del self._lines[wall][line]
            self._seen_s[wall].pop(screen, None)
            if not self._lines[wall]:
                self._sent.pop(wall, None)
            self._count(wall)

    def close(self) -> None:
        """Tells every screen that the gateway goes, and ends its stream."""
        self._closed = True
        if self._next is not None:
            self._next.cancel()
        for lines in self._lines.values():
            for line in lines:
                _start_over(line)

    def _kept(self, wall: str) -> dict[str, tuple[Fields | None, bytes]]:
        """What the wall should show now, as fields and as events; what is as it was is not encoded again."""
        before = self._sent.get(wall, {})
        now = {}
        for kind, fields in self._should(wall).items():
            same = kind in before and before[kind][0] == fields
            now[kind] = before[kind] if same else (fields, _encoded(kind, fields))
        return now

    def _all(self, wall: str) -> bytes:
        self._sent[wall] = self._kept(wall)
        parts = [self._about[wall], *(event for _, event in self._sent[wall].values())]
        parts += [self._event_of(kind) for kind in self._said]
        return b"".join([*parts, _encoded("beat", self._beat())])

    def _event_of(self, kind: str) -> bytes:
        if kind not in self._events:
            self._events[kind] = _encoded(kind, self._said[kind])
        return self._events[kind]

    def _say_values(self) -> None:
        self._next = None
        self._sent_s = asyncio.get_running_loop().time()
        self._tell_all(self._event_of("values"))

    def _tell_all(self, event: bytes) -> None:
        for wall in self._sent:
            for line in self._lines[wall]:
                _put(line, event)

    def _lost(self) -> bytes:
        """The gateway's last word, as its will is to a board."""
        if "gateway" not in self._said:
            return b""
        return _encoded("gateway", {**self._said["gateway"], "state": "lost"})


def routes(plan: floorplan.Plan, screens: Screens) -> APIRouter:
    """The pages and streams of all walls."""
    router = APIRouter()
    walls = {wall.id: wall.name or wall.id for wall in plan.wall}


    def no_such_wall() -> Response:
        there_are = ", ".join(sorted(walls)) or "none"
        return PlainTextResponse(f"no such wall in the site file; there are: {there_are}", 404)

    @router.head("/wall", include_in_schema=False)
    @router.get("/wall", include_in_schema=False)
    async def which(request: Request) -> HTMLResponse:
        told = walls if lets(request, "walls") else None
        return HTMLResponse(_list_page(told, "Which wall?", "", "wall/"))

    @router.head("/wall/{wall}", include_in_schema=False)
    @router.get("/wall/{wall}", include_in_schema=False)
    async def wall_page(wall: str, request: Request) -> Response:
        if wall not in walls and lets(request, "walls"):  # else it is told as little as of one that is there
            return HTMLResponse(_list_page(walls, f"There is no wall '{wall[:40]}'.", "../", ""), 404)
        return packed.answer(FILES / "wall.html", request.headers)

    @router.get(
        "/wall/{wall}/events",
        response_class=StreamingResponse,
        responses={
            200: {"description": "Server-sent events", "content": {"text/event-stream": {}}},
            404: {"description": "No such wall", "content": {"text/plain": {}}},
            422: NOT_AS_ASKED,
            503: {"description": "Too many screens are open", "content": {"text/plain": {}}},
        },
    )
    async def what_a_wall_hears(wall: str, screen: Screen = "") -> Response:
        """All that a wall hears, as messages of the contract; then each as it comes, and a beat every 5 s."""
        if wall not in walls:
            return no_such_wall()
        if screens.full():
            words = "too many screens are open, or the gateway is stopping; try again in a moment"
            return PlainTextResponse(words, 503, {"Retry-After": "10"})
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(screens.listen(wall, screen), media_type="text/event-stream", headers=headers)

    @router.post(
        "/wall/{wall}/events",
        status_code=204,
        response_class=Response,
        responses={404: {"description": "No such wall", "content": {"text/plain": {}}}, 422: NOT_AS_ASKED},
    )
    async def what_a_browser_shows(wall: str, screen: Screen = "") -> Response:
        """A browser that has a stream, opened with the same `screen`, says that its figures are fresh: at each beat."""
        if wall not in walls:
            return no_such_wall()
        screens.seen(wall, screen)
        return Response(None, 204)

    return router


def about(wall: floorplan.Wall, plan: floorplan.Plan, page: str) -> dict[str, Any]:
    """What a screen has to know that a board has in its own files: its size, its colours, its figures.

    `page` changes when the page's own files do; `numbers` says what each of the values is, in words.
    """
    queues = {queue.id: queue.name for queue in plan.queue}
    told = [name.rsplit(".", 1) for name in numbers.order(plan)]
    return {
        "page": page,
        "site": plan.site.name or plan.site.id,
        "name": wall.name or wall.id,
        "size": list(wall.panel.size),
        "form": scene_load.FORM,
        "beat_s": contract.BEAT_S,
        "proof_ms": values.PROOF_MS,
        "colours": [list(colour) for colour in scene.RGB],
        "digits": {letter: list(digits.glyph(letter)) for letter in digits.NAMES},
        "numbers": [[queues[queue], what] for queue, what in told],
    }


def _encoded(kind: str, fields: Fields | None) -> bytes:
    """A message of the contract as an event. Raises ContractError."""
    return _event(kind, b"null" if fields is None else contract.encode(PATTERNS[kind], fields))


def _event(kind: str, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def _put(line: Line, event: bytes) -> None:
    if line.full():
        _start_over(line)
    else:
        line.put_nowait(event)


def _empty(line: Line) -> None:
    while not line.empty():
        line.get_nowait()


def _start_over(line: Line) -> None:
    _empty(line)
    line.put_nowait(None)


def _list_page(walls: Mapping[str, str] | None, words: str, root: str, folder: str) -> str:
    """The walls there are, as links; it looks again by itself, for a screen whose wall is named anew.

    `walls` is None for a screen that is not let in: it is told why, and nothing of the floor.
    `root` and `folder` lead from the page's address to the page's files and to the walls.
    """
    told = "" if walls is None else f"""
  <main>
  <h1>{html.escape(words)}</h1>
  <p>{"The walls of this floor:" if walls else "The site file names no walls."}</p>
  <ul>
{_links(walls, folder)}
  </ul>
  </main>"""
    return f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Walls</title>
  <link rel="icon" type="image/svg+xml" href="{root}static/favicon.svg">
  <link rel="stylesheet" href="{root}static/wall/wall.css">
  <script type="module" src="{root}static/wall/wall_list.js"></script>
</head>
<body class="list">
  <section id="shut" role="alert"{"" if walls is None else " hidden"}></section>{told}
</body>
</html>
"""


def _links(walls: Mapping[str, str], folder: str) -> str:
    return "\n".join(
        f'    <li><a href="{folder}{html.escape(name)}" dir="auto">{html.escape(title)}</a></li>'
        for name, title in walls.items()
    )
