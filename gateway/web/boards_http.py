"""Commands to boards from the page: asked by who has the right, sent over the broker, the board's answer awaited."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from gateway.people.rights import Who
from gateway.web.intake import Pace

ANSWER_S = 5.0  # a board that is there has answered by then
PER_S, AT_ONCE = 2, 10  # commands, of all who reach the page
WAITING_MOST = 50

Note = Callable[[Who | None, str, str], None]
Say = Callable[[str, dict[str, Any]], bool]  # a command to a board; False: the broker is away

# What may be asked → the fields of `board/+/command`.
DO: dict[str, dict[str, Any]] = {
    "identify": {"do": "identify", "seconds": 15},
    "restart": {"do": "restart"},
}


class Answer(BaseModel):
    """What the board says of it."""

    done: bool = Field(description="false: it refused")
    words: str


class Refusal(BaseModel):
    """Why it was not done."""

    kind: str
    words: str


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

    async def ask(self, board: str, command: dict[str, Any]) -> Answer:
        """Has a board do something. Raises TimeoutError where no answer comes in time."""
        name = secrets.token_hex(4)
        answer = self._waiting[board, name] = asyncio.get_running_loop().create_future()
        try:
            if not self._say(board, {**command, "id": name}):
                raise TimeoutError
            return await asyncio.wait_for(answer, ANSWER_S)
        finally:
            del self._waiting[board, name]


def routes(commands: Commands, note: Note) -> APIRouter:
    """`POST /api/boards/{board}/{do}`; `note` is told who had which board do what."""
    router = APIRouter(tags=["boards"])
    pace = Pace(PER_S, AT_ONCE)

    def refuse(status: int, kind: str, words: str) -> JSONResponse:
        return JSONResponse(Refusal(kind=kind, words=words).model_dump(), status)

    @router.post(
        "/api/boards/{board}/{do}", response_model=Answer, summary="Have a board do something",
        responses={
            404: {"model": Refusal, "description": "No such board in the site file"},
            422: {"description": "Nothing that can be asked", "content": {"text/plain": {}}},
            429: {"model": Refusal, "description": "Too many at once"},
            504: {"model": Refusal, "description": f"It has not answered within {ANSWER_S:.0f} s"},
        },
    )  # fmt: skip
    async def have_it_do(board: str, do: Literal["identify", "restart"], request: Request) -> Any:
        """identify: its light blinks, its walls show the test picture, 15 s. restart: as if its power were cut."""
        if board not in commands.boards:
            return refuse(404, "gone", "there is no such board in the site file")
        if commands.full() or not pace.may():
            return refuse(429, "often", "too many commands at once: try again in a moment")
        note(getattr(request.state, "who", None), "board-commanded", f"{board}: {do}")
        try:
            return await commands.ask(board, DO[do])
        except TimeoutError:
            return refuse(504, "lost", f"board '{board}' does not answer: it, or the broker, is away")

    return router
