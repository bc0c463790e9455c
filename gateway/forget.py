"""`callfloor desk forget`: clears what desks that are no more have left at the broker, where it would stand for ever.

A gateway takes back what it says of a desk when a reload takes the desk away; what is left is of a desk that went while
no gateway ran, and of inputs at which nothing is plugged in any more.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import floorplan
from boards.ear import ANSWER_S, CommandError, Ear, Message
from firmware import contract
from firmware.inputs import HEADSET, PHONE
from floorplan import Broker, Plan, SiteError
from gateway import reload_command

OF_DESKS = ("desk/+/now", "desk/+/finding")
GATEWAY = "gateway/state"
MARK = "gateway/answer"  # said by us and to us: what the broker keeps has come before it
AGAIN_S = 0.5  # a broker with much to send may drop a mark


class Left(NamedTuple):
    """Something that the broker keeps and nobody needs."""

    pattern: str
    ids: tuple[str, ...]

    @property
    def words(self) -> str:
        """Its topic, and what it was."""
        topic = contract.topic("", self.pattern, *self.ids).split("/", 3)[3]
        if self.pattern in OF_DESKS:
            return f"{topic}: of desk '{self.ids[0]}', which is not in the site file"
        return f"{topic}: of an input at which no desk of the site file is read so"


def run(site: Path, desk: str | None, dry_run: bool, as_json: bool, noted: Callable[[Plan, str, str], None]) -> None:
    """Clears what one desk has left, or, `desk` being None, all that is left. Raises SiteError, CommandError."""
    plan = floorplan.read(site)
    if desk is not None:
        _may_forget(plan, desk)
    if plan.broker is None:
        raise SiteError("the site file names no broker; one for trying forgets all as `callfloor up` ends")
    with Ear(plan.broker, plan.site.id, [MARK]) as ear:
        _taken_up(site, plan, plan.broker, ear)
        left = _left(plan, ear, desk)
        if not dry_run:
            for row in left:
                ear.clear(row.pattern, *row.ids)
            _until_marked(ear)
    if as_json:
        topics = [contract.topic(plan.site.id, row.pattern, *row.ids) for row in left]
        print(json.dumps({"cleared": [] if dry_run else topics, "left": topics if dry_run else []}))
    for row in () if as_json else left:
        print(f"{'would clear' if dry_run else 'cleared'} {row.words}")
    if not left and not as_json:
        print(f"nothing of desk '{desk}' stands at the broker" if desk else "nothing is left at the broker")
    if left and not dry_run:
        noted(plan, "desk-forgotten", desk or f"all: {len(left)} topics")


def _taken_up(site: Path, plan: Plan, broker: Broker, ear: Ear) -> None:
    """A gateway that runs by an older plan would lose what it still needs. Raises CommandError where one does."""
    if not any(b'"ready"' in message.payload for message in _kept(ear, GATEWAY)):
        return
    if reload_command.look(site, plan, broker).of("change"):
        raise CommandError(f"the gateway runs by another plan than {site} has now: `callfloor reload {site}` first")


def _may_forget(plan: Plan, desk: str) -> None:
    """Raises SiteError for a desk that is there, and for what is no desk's name."""
    if not contract.is_id(desk):
        raise SiteError(f"'{desk}' is no desk's id: 1 to 32 of a-z, 0-9 and -")
    if desk not in {row.id for row in plan.desk}:
        return
    board = next((row.id for row in plan.board for place in row.inputs if place.desk == desk), None)
    where = f"at board '{board}'" if board else "in the site file"
    raise SiteError(
        f"desk '{desk}' is there, {where}, and what the broker keeps of it is so; take it out of the site file and "
        "`callfloor reload` first. Of a desk that was moved, --all clears the input it was at"
    )


def _left(plan: Plan, ear: Ear, desk: str | None) -> list[Left]:
    """What the broker keeps and the site file does not know: of one desk, or all of it."""
    desks = {desk.id for desk in plan.desk}
    read = {
        (pattern, board.id, str(number))
        for board in plan.board
        for number, place in enumerate(board.inputs)
        for pattern, sensor in ((PHONE, place.phone), (HEADSET, place.headset))
        if sensor
    }
    left = set()
    for topic in [pattern.replace("+", desk) for pattern in OF_DESKS] if desk else [*OF_DESKS, PHONE, HEADSET]:
        for message in _kept(ear, topic):
            pattern, ids = contract.pattern_of(message.topic)  # by topic alone: another version may have left it
            if pattern and not (ids[0] in desks if pattern in OF_DESKS else (pattern, *ids) in read):
                left.add(Left(pattern, ids))
    return sorted(left)


def _kept(ear: Ear, topic: str) -> list[Message]:
    """What the broker keeps there: one pattern at a time, or it would drop what is more than its queue holds."""
    ear.listen([topic], qos=0)
    return _until_marked(ear)


def _until_marked(ear: Ear) -> list[Message]:
    """What the broker has kept and sent before a mark of our own. Raises CommandError."""
    name = os.urandom(4).hex()
    kept: list[Message] = []
    again_s = time.monotonic()
    until_s = again_s + ANSWER_S
    while (now_s := time.monotonic()) < until_s:
        if now_s >= again_s:
            ear.say(MARK, id=name, done=True, part=0, last=True, file="", digest="", rows=[])
            again_s = now_s + AGAIN_S
        message = ear.next(AGAIN_S)
        if message and message.topic.endswith(f"/{MARK}"):
            if name in message.payload.decode(errors="replace"):
                return kept
        elif message and (message.retained or not message.payload):  # kept, or cleared by us
            until_s = time.monotonic() + ANSWER_S
            if message.payload:
                kept.append(message)
    raise CommandError("the broker does not let us write to gateway/answer: is [broker] user the gateway's?")
