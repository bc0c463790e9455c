"""Boards from the page: all that is known of one, commands to it over the broker, and its wires tried live."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from floorplan import Plan
from gateway.board_check import AT_ONCE as CHECKS_AT_ONCE
from gateway.board_check import FOR_S, Checks, NotChecked
from gateway.people.rights import Who
from gateway.web.documented import refusal
from gateway.web.intake import Pace

ANSWER_S = 5.0  # a board that is there has answered by then
PER_S, AT_ONCE = 2, 10  # commands, of all who reach the page
WAITING_MOST = 50

Note = Callable[[Who | None, str, str], None]
Say = Callable[[str, dict[str, Any]], bool]  # a command to a board; False: the broker is away
About = Callable[[str], dict[str, Any]]  # a board of the plan → fields of Details

# What may be asked → the fields of `board/+/command`.
DO: dict[str, dict[str, Any]] = {
    "identify": {"do": "identify", "seconds": 15},
    "restart": {"do": "restart"},
}
STATUSES = {"busy": 409, "wires": 409, "refused": 409, "often": 429}  # of checks that do not begin


class Answer(BaseModel):
    """What the board says of it."""

    done: bool = Field(description="false: it refused", examples=[True])
    words: str = Field(examples=["for 15 s"])


class Refusal(BaseModel):
    """Why it was not done."""

    kind: str = Field(examples=["gone"])
    words: str = Field(examples=["there is no such board in the site file"])


class Wire(BaseModel):
    """One wire of a desk; `usb` is a headset's socket."""

    what: Literal["hook", "ring", "line", "lamp", "dock", "usb"]
    pin: str = Field(examples=["GP2"])


class Plugged(BaseModel):
    """A desk at a board."""

    desk: str = Field(examples=["a1"])
    wires: list[Wire]


class Details(BaseModel):
    """All that is known of a board. What it has not said is null; `age` and times are seconds."""

    id: str = Field(examples=["row-a"])
    made_as: str = Field(description="its kind in the site file", examples=["pico-w"])
    definition: str | None = Field(description="its kind, as it says itself", examples=["pico-w"])
    state: Literal["ready", "lost", "unknown"]
    reason: str = Field(description="why it is not ready", examples=[""])
    floods: bool = Field(description="it says so much that it is not listened to")
    wrong: list[str] = Field(description="what is wrong with it, by kind: docs/boards-live.md", examples=[["behind"]])
    python: str | None = Field(examples=["micropython 1.28 on rp2"])
    firmware: str | None = Field(description="hash of the firmware it runs", examples=["78b6832f2dc67c36"])
    current: bool | None = Field(description="that is the firmware which this gateway would put on it")
    ours: list[str] = Field(description="hashes of that: as source, and as bytecode", examples=[["78b6832f2dc67c36"]])
    restart: str | None = Field(description="why it started", examples=["pwron"])
    uptime_s: int | None = Field(examples=[86400])
    heap_free: int | None = Field(description="bytes", examples=[81920])
    wifi_dbm: int | None = Field(description="null where there is a wire", examples=[-61])
    reconnects: int | None = Field(description="to the broker, since it started", examples=[0])
    lag_ms: int | None = Field(description="the longest its loop was held up lately", examples=[4])
    dropped: int | None = Field(description="readings lost while the broker was away", examples=[0])
    poll_us: int | None = Field(description="from one reading of its inputs to the next", examples=[10000])
    read_us: int | None = Field(description="that one reading takes", examples=[350])
    heard_s: int | None = Field(description="since its last word", examples=[3])
    desks: list[Plugged]
    walls: list[str] = Field(examples=[["north"]])


class Commands:
    """Commands under way, each known by its id."""

    def __init__(self, boards: Iterable[str], say: Say) -> None:
        self.boards = frozenset(boards)
        self._say = say
        self._waiting: dict[tuple[str, str], asyncio.Future[Answer]] = {}

    def serve(self, boards: Iterable[str]) -> None:
        """These boards, and no others, from now on."""
        self.boards = frozenset(boards)

    def hear(self, board: str, fields: dict[str, Any] | None) -> None:
        """A board's answer; to nothing that we have asked: it is another's."""
        waiting = self._waiting.get((board, fields["id"])) if fields else None
        if fields and waiting and not waiting.done():
            waiting.set_result(Answer(done=fields["done"], words=fields["words"]))

    def full(self) -> bool:
        """True while too many are awaited."""
        return len(self._waiting) >= WAITING_MOST

    async def ask(self, board: str, command: dict[str, Any], name: str = "") -> Answer:
        """Has a board do something; `name` is the command's id. Raises TimeoutError where no answer comes in time."""
        name = name or secrets.token_hex(4)
        answer = self._waiting[board, name] = asyncio.get_running_loop().create_future()
        try:
            if not self._say(board, {**command, "id": name}):
                raise TimeoutError
            return await asyncio.wait_for(answer, ANSWER_S)
        finally:
            del self._waiting[board, name]


def refuse(status: int, kind: str, words: str) -> JSONResponse:
    """A Refusal."""
    return JSONResponse(Refusal(kind=kind, words=words).model_dump(), status)


def gone() -> JSONResponse:
    """Of a board that the site file does not have."""
    return refuse(404, "gone", "there is no such board in the site file")


def lost(board: str) -> JSONResponse:
    """Of one that does not answer."""
    return refuse(504, "lost", f"board '{board}' does not answer: it, or the broker, is away")


GONE: dict[int | str, dict[str, Any]] = {404: refusal(Refusal, "No such board in the site file")}
OFTEN: dict[int | str, dict[str, Any]] = {429: refusal(Refusal, "Too many at once")}
LOST: dict[int | str, dict[str, Any]] = {
    504: refusal(Refusal, f"It has not answered within {ANSWER_S:.0f} s")
}
NOT_AS_ASKED: dict[int | str, dict[str, Any]] = {
    422: {"description": "Nothing that can be asked", "content": {"text/plain": {}}}
}


def routes(commands: Commands, note: Note) -> APIRouter:
    """`POST /api/boards/{board}/{do}`; `note` is told who had which board do what."""
    router = APIRouter(tags=["boards"])
    pace = Pace(PER_S, AT_ONCE)

    @router.post(
        "/api/boards/{board}/{do}", response_model=Answer, summary="Have a board do something",
        responses={**GONE, **NOT_AS_ASKED, **OFTEN, **LOST},
    )  # fmt: skip
    async def have_it_do(board: str, do: Literal["identify", "restart"], request: Request) -> Any:
        """identify: its light blinks, its walls show the test picture, 15 s. restart: as if its power were cut."""
        if board not in commands.boards:
            return gone()
        if commands.full() or not pace.may():
            return refuse(429, "often", "too many commands at once: try again in a moment")
        note(getattr(request.state, "who", None), "board-commanded", f"{board}: {do}")
        try:
            return await commands.ask(board, DO[do])
        except TimeoutError:
            return lost(board)

    return router


def live_routes(plan: Plan, about: About, checks: Checks, note: Note) -> APIRouter:
    """`GET /api/boards/{board}` and `GET /api/boards/{board}/check`, of the boards of a plan."""
    router = APIRouter(tags=["boards"])
    boards = {board.id: [place.desk for place in board.inputs] for board in plan.board}
    pace = Pace(PER_S, AT_ONCE)

    @router.get("/api/boards/{board}", response_model=Details, summary="All that is known of a board", responses=GONE)
    async def what_is_known(board: str) -> Any:
        """How it is, what it runs, what hangs on it, and what is wrong with it."""
        return about(board) if board in boards else gone()

    @router.get(
        "/api/boards/{board}/check", summary="Try a board's wires live", response_class=StreamingResponse,
        responses={
            200: {"description": f"Server-sent events, for {FOR_S} s at most", "content": {"text/event-stream": {}}},
            404: refusal(Refusal, "No such board in the site file, or no such desk at it"),
            409: refusal(Refusal, "It has no wires to try, they are being tried, or it refuses"),
            **NOT_AS_ASKED,
            429: refusal(Refusal, f"Too many at once: {CHECKS_AT_ONCE} boards at most"),
            **LOST,
        },
    )  # fmt: skip
    async def its_wires_live(
        board: str, request: Request, desk: Annotated[str | None, Query(max_length=64)] = None
    ) -> Any:
        """Its raw levels, what its inputs say, and what is found of each wire; of one `desk`, or of all at the board.

        It is over when whoever asked leaves. Nobody else can try this board's wires meanwhile.
        """
        if board not in boards:
            return gone()
        if desk is not None and desk not in boards[board]:
            return refuse(404, "gone", "there is no such desk at this board in the site file")
        if not pace.may():
            return refuse(429, "often", "too many at once: try again in a moment")
        note(getattr(request.state, "who", None), "board-commanded", f"{board}: check")
        try:
            begun = await checks.begin(plan, board, desk)
        except NotChecked as why:
            return refuse(STATUSES[why.kind], why.kind, str(why))
        except TimeoutError:
            return lost(board)
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(begun.listen(), media_type="text/event-stream", headers=headers)

    return router
