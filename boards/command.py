"""A command to boards, from the bench: sent over the broker, their answers awaited."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import floorplan
from boards import trying
from boards.ear import CommandError, Ear

__all__ = ["Answer", "CommandError", "tell", "tell_all"]

ANSWER_S = 5.0  # a board that is there has answered by then


class Answer(NamedTuple):
    """What became of a command at one board."""

    done: bool
    words: str


def tell(plan: floorplan.Plan, board: str, command: dict[str, Any], address: tuple[str, int] | None) -> str:
    """Has a board do something (fields of its `command`), and returns its answer. Raises CommandError, SiteError.

    address: the broker's, where it is not the site file's; with no [broker] in it, that of a `callfloor up` of ours.
    """
    answer = tell_all(plan, [board], command, address)[board]
    if not answer.done:
        raise CommandError(answer.words)
    return answer.words


def tell_all(
    plan: floorplan.Plan, boards: Sequence[str], command: dict[str, Any], address: tuple[str, int] | None
) -> dict[str, Answer]:
    """The same for several at once: what became of it at each, in their order. Raises CommandError, SiteError."""
    name = os.urandom(4).hex()
    heard: dict[str, Answer] = {}
    topics = [f"board/{board}/answer" for board in boards]
    with Ear(trying.broker_of(plan, address), plan.site.id, topics) as ear:
        for board in boards:
            ear.say("board/+/command", board, **command, id=name)
        until_s = time.monotonic() + ANSWER_S
        while len(heard) < len(boards) and (said := ear.hear(max(0.0, until_s - time.monotonic()))):
            if said.fields and said.fields["id"] == name and not said.retained:
                heard[said.ids[0]] = _answer(said.ids[0], said.fields)
    silent = {board: Answer(False, f"board '{board}' does not answer; is it on the page as ready, and may the "
                                   "broker's user of the site file write to it?") for board in boards}  # fmt: skip
    return silent | heard


def _answer(board: str, fields: dict[str, Any]) -> Answer:
    words = fields["words"]
    return Answer(fields["done"], words if fields["done"] else f"board '{board}' says: {words}")
