"""A changed site file taken up by the gateway that runs: what differs, in words, and what becomes of each part.

`take_up` is the whole of it: parts are made anew of the new plan, and what lives is handed over. The link to the phone
system stays, and with it everybody who waits; figures of queues that stay go on; so do desks that are plugged in as
they were. What is moved is asked for again. What cannot change while all this runs stays as it was, and is said:
RESTART.

`callfloor reload` asks for it by `gateway/command` at the broker, which neither boards nor sources may say; SIGHUP does
the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

import floorplan
from firmware import contract
from floorplan import Board, Desk, Plan, Queue, SiteError, Wall
from gateway.broker.authority import AuthorityError
from gateway.floor import ASTERISK, Floor, panels_of, same_queue
from gateway.messages import Messages
from gateway.people.rights import Who
from gateway.phones.phones import Phones
from gateway.queues.push import Push, told_by
from gateway.queues.totals import Totals
from gateway.store import StoreError
from gateway.walls import Walls

if TYPE_CHECKING:
    from gateway.service import Gateway

COMMAND, ANSWER = "gateway/command", "gateway/answer"
ROWS = 10  # lines in one part of an answer
LINES_MOST = 2000
LINE_BYTES = 1400  # of a line, as it travels

log = logging.getLogger(__name__)

Line = tuple[str, str]  # change, restart, board or wrong; and the words

# Parts of a site file that the gateway reads once, at its start.
RESTART: dict[str, str] = {
    "broker": "where the broker is and who we are there",
    "page": "the page's certificate and its proxies",
    "people": "where accounts are kept",
    "history": "where totals are kept, and for how long",
    "pbx": "the phone system's address and login",
}
RESTART_OF_SITE = ("time_zone", "day_begins", "clock", "seating")


class Again(NamedTuple):
    """How the site file is read once more: which file that is, and what reads it, given the plan that runs."""

    path: Path
    read: Callable[[Plan], Plan]  # raises SiteError


class Page:
    """The page that is served now: another one after a reload, while streams of the one before go on."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Refused(Exception):
    """A reload that was not done; nothing is changed."""


class Difference(NamedTuple):
    """What a site file changes: `lines` for people, and the plan that can run at once."""

    lines: list[Line]
    plan: Plan


# What becomes of each part ------------------------------------------------------------------------


async def take_up(gateway: Gateway, plan: Plan) -> None:
    """Has the gateway run by another plan from now on. Raises SiteError, StoreError: then nothing is changed."""
    # Made while all goes on as before: it may take a second, and may fail.
    walls: Walls = await asyncio.to_thread(Walls, plan, gateway.book.calendar_s())  # scenes are compiled anew
    messages: Messages = gateway.messages_of(plan, walls)
    await messages.prepare(gateway.messages)  # or walls would be without them for a moment
    pushes: dict[str, Push] = gateway.pushes_of(plan)
    phones: Phones = gateway.phones_of(plan)
    page = gateway.app(plan, pushes, phones, messages)  # addresses of sources, phones and walls, with their secrets
    fresh = _queues_that_begin(gateway.plan, plan)
    async with gateway.book.day_of(fresh) as kept:
        _take_up(gateway, plan, Parts(walls, messages, pushes, phones, page), kept)


class Parts(NamedTuple):
    """What is made anew of another plan."""

    walls: Walls
    messages: Messages
    pushes: dict[str, Push]
    phones: Phones
    page: ASGIApp


def _take_up(gateway: Gateway, plan: Plan, parts: Parts, kept: Mapping[str, Totals]) -> None:
    """All at once: nothing waits here, so nobody sees the floor half changed."""
    before, now_s = gateway.plan, gateway.clock()
    walls, messages, pushes, phones, page = parts

    # What could fail comes first: up to here the gateway has nothing of it.
    floor = Floor(plan, now_s, gateway.touched, keep=True)
    asked = floor.take_over(gateway.floor, now_s)
    phones.take_over(gateway.phones)
    walls.take_over(gateway.walls, now_s)
    messages.take_over(gateway.messages)

    # Who waits in a queue that goes has vanished; that is told to the floor before, and kept.
    if gateway.asterisk:
        gateway.asterisk.serve(plan.pbx_queues)  # the link stays
    serve = {source.id: (source, told_by(plan, source.id)) for source in plan.source}
    for name, push in gateway.pushes.items():
        push.leave(push.queues - serve.get(name, (push.source, set()))[1])
    gateway.book.follow(plan, floor, kept)
    for name, push in (gateway.pushes | pushes).items():
        push.follow(*serve.get(name, (push.source, set())))

    old_panels, old_messages = gateway.walls.panels, gateway.messages
    gateway.plan, gateway.floor, gateway.walls, gateway.pushes, gateway.phones = plan, floor, walls, pushes, phones
    gateway.messages = messages
    old_messages.end()
    gateway.alarms.follow(plan.alarms)
    floor.count_members()  # the floor before has counted those who left queues
    gateway.talk_of_messages()
    gateway.screens.follow(plan)  # browsers that show a wall stay, and hear what is another thing now
    walls.watching = gateway.screens.watching
    gateway.commands.serve(board.id for board in plan.board)
    gateway.checks.serve(gateway.commands.boards)
    gateway.page.app = page
    for what in ("desk", "queue", "wall", "board"):
        for name in _ids(before, what) - _ids(plan, what):
            gateway.forget(what, name)
    for name in _sources(before) - _sources(plan):
        gateway.forget("source", name)
    for panel in set(old_panels.values()) - set(walls.panels.values()):
        for pattern in OF_PANELS:
            gateway.says.say(pattern, panel, None)
    gateway.say_walls()
    gateway.say_values()
    gateway.news.say("plan", {"digest": _hash(plan.model_dump_json().encode())})  # pages read /api/plan anew
    gateway.touched()
    moved = {wall for wall, panel in walls.panels.items() if old_panels.get(wall) != panel}
    if asked or moved:
        gateway.line.ask_again()  # what boards have said last stands at the broker


OF_PANELS = ("board/+/panel/+/scene", "board/+/panel/+/message", "board/+/panel/+/light")


def _queues_that_begin(before: Plan, plan: Plan) -> list[str]:
    """Queues whose figures are not handed over: new ones, and those that come from elsewhere now."""
    were = {queue.id: queue for queue in before.queue}
    return [queue.id for queue in plan.queue if queue.id not in were or not same_queue(queue, were[queue.id])]


def _ids(plan: Plan, what: str) -> set[str]:
    return {row.id for row in getattr(plan, what)}


def _sources(plan: Plan) -> set[str]:
    """Everybody who tells of queues."""
    pbx = {ASTERISK} if plan.pbx.asterisk or plan.pbx_queues else set()
    return pbx | _ids(plan, "source")


# What differs, in words ---------------------------------------------------------------------------


def difference(before: Plan, file: Plan) -> Difference:
    """What a site file changes in the floor that runs by `before`. Raises Refused where no reload can do it."""
    if file.site.id != before.site.id:
        raise Refused(f"[site] id was '{before.site.id}' and is '{file.site.id}': that is another house; start it anew")
    if file.site.seating != before.site.seating:
        raise Refused(f'[site] seating is "{file.site.seating}" now: that needs a restart of the gateway')
    lines: list[Line] = []
    kept: dict[str, Any] = {}
    for part, words in RESTART.items():
        if getattr(file, part) != getattr(before, part):
            kept[part] = getattr(before, part)
            keys = ", ".join(_changed_keys(getattr(before, part), getattr(file, part)))
            lines.append(("restart", f"[{part}] {keys}: {words}"))
    site = {key: getattr(before.site, key) for key in RESTART_OF_SITE if _differ(file.site, before.site, key)}
    lines += [("restart", f"[site] {key}") for key in site]
    plan = file.model_copy(update={**kept, "site": file.site.model_copy(update=site)})
    lines += [("change", words) for words in _changes(before, plan)]
    lines += [("board", words) for words in _boards(before, plan)]
    if before.simulator and plan.simulator:
        lines += _simulated(before, plan)
    return Difference(lines, plan)


def _simulated(before: Plan, plan: Plan) -> Iterator[Line]:
    """What stands still in a simulated floor until its next start."""
    for what in ("board", "queue"):
        if new := sorted(_ids(plan, what) - _ids(before, what)):
            yield "restart", f"{what} {', '.join(new)}: simulated from the next `callfloor up` on"
    if before.simulator != plan.simulator:
        yield "restart", "[simulator]: its people and callers"


def _changes(before: Plan, plan: Plan) -> Iterator[str]:
    """What is another thing at once."""
    yield from _rows("queue", before.queue, plan.queue, _queue)
    yield from _desks(before, plan)
    yield from _rows("wall", before.wall, plan.wall, _wall)
    yield from _panels(before, plan)
    yield from _rows("source", before.source, plan.source, _keys)
    for what in ("site", "truth", "alarms", "phones"):
        if keys := _changed_keys(getattr(before, what), getattr(plan, what)):
            yield f"[{what}] changed: {', '.join(keys)}"
    if before.room != plan.room:
        yield f"rooms changed: there were {len(before.room)}, and are {len(plan.room)}"
    if before.message != plan.message:
        yield f"messages of the site file changed: there were {len(before.message)}, and are {len(plan.message)}"


def _rows(what: str, before: Iterable[Any], after: Iterable[Any], words: Callable[[Any, Any], str]) -> Iterator[str]:
    """New, gone and changed rows of one kind."""
    old, new = {row.id: row for row in before}, {row.id: row for row in after}
    yield from (f"{what} '{name}' gone" for name in old if name not in new)
    yield from (f"{what} '{name}' new" for name in new if name not in old)
    yield from (f"{what} '{name}': {words(old[name], row)}" for name, row in new.items() if old.get(name, row) != row)


def _keys(before: BaseModel, after: BaseModel) -> str:
    return f"{', '.join(_changed_keys(before, after))} changed"


def _queue(before: Queue, after: Queue) -> str:
    moves = (before.pbx, before.source) != (after.pbx, after.source)
    came = f"comes from {_from(after)} in place of {_from(before)}: who waits there is another one" if moves else ""
    keys = [key for key in _changed_keys(before, after) if key not in ("pbx", "source")]
    return "; ".join(filter(None, (came, f"{', '.join(keys)} changed" if keys else "")))


def _from(queue: Queue) -> str:
    return f"source '{queue.source}'" if queue.source else f"the phone system's '{queue.pbx}'"


def _wall(before: Wall, after: Wall) -> str:
    moves = f"moves from board {before.board} to {after.board}" if before.board != after.board else ""
    keys = [key for key in _changed_keys(before, after) if key != "board"]
    return "; ".join(filter(None, (moves, f"{', '.join(keys)} changed" if keys else "")))


def _panels(before: Plan, plan: Plan) -> Iterator[str]:
    """Walls that are another panel of their board, because one before them in the file came or went."""
    old, new = panels_of(before), panels_of(plan)
    for wall, (board, number) in new.items():
        if wall in old and old[wall][0] == board and old[wall][1] != number:
            yield f"wall '{wall}': is panel {number} of board {board} in place of {old[wall][1]}"


def _desks(before: Plan, plan: Plan) -> Iterator[str]:
    """Desks, and where each is plugged in."""
    old, new = _places(before), _places(plan)
    rows = {desk.id: desk for desk in before.desk}, {desk.id: desk for desk in plan.desk}
    for name in rows[0].keys() - rows[1].keys():
        yield f"desk {name} gone{_at(' from ', old.get(name))}"
    for name, desk in rows[1].items():
        if name not in rows[0]:
            yield f"desk {name} new{_at(' at ', new.get(name))}"
            continue
        words = []
        was, now = old.get(name), new.get(name)
        if (was and was[:2]) != (now and now[:2]):
            words.append(f"moves{_at(' from ', was) or ' from no board'}{_at(' to ', now) or ' to no board'}")
        elif was and now and was[2] != now[2]:
            words.append(f"is wired otherwise{_at(' at ', now)}")
        words += _of_desk(rows[0][name], desk)
        if words:
            yield f"desk {name} {'; '.join(words)}"


def _of_desk(before: Desk, after: Desk) -> Iterator[str]:
    for key in _changed_keys(before, after):
        was, now = getattr(before, key), getattr(after, key)
        if key == "phone":
            yield "its phone tells by itself" if now else "its phone tells no more by itself"
        else:
            yield f"{key} was {was or 'none'} and is {now or 'none'}"


def _places(plan: Plan) -> dict[str, tuple[str, int, Any]]:
    """Desk → board, input and how it is wired there."""
    return {
        place.desk: (board.id, number, place) for board in plan.board for number, place in enumerate(board.inputs)
    }


def _at(word: str, place: tuple[str, int, Any] | None) -> str:
    return f"{word}board {place[0]} input {place[1]}" if place else ""


def _boards(before: Plan, plan: Plan) -> Iterator[str]:
    """Boards that have to be told what they read and draw: their board.json is another one."""
    old = {board.id: board for board in before.board}
    for board in plan.board:
        if board.id not in old:
            yield f"board {board.id} is new: `callfloor board flash`, or `board json` for a Raspberry Pi, makes it"
        elif _told(before, old[board.id]) != _told(plan, board):
            yield f"board {board.id} is to be told: `callfloor board provision`, or `board json` for a Raspberry Pi"
    for name in old.keys() - _ids(plan, "board"):
        yield f"board {name} gone: `callfloor board revoke {name}` shuts it out"


def _told(plan: Plan, board: Board) -> tuple[Any, ...]:
    """All that a board is told of the plan, but for what a restart brings."""
    inputs = [(place.phone, place.headset) for place in board.inputs]
    walls = [(wall.panel, wall.light) for wall in plan.walls_of(board.id)]
    rest = board.model_dump(exclude={"inputs", "control", "secret_file"})
    return inputs, walls, rest, floorplan.line_times(plan.phones)


def _changed_keys(before: Any, after: Any) -> list[str]:
    if before is None or after is None:
        return ["all of it"] if before != after else []
    return [key for key in type(after).model_fields if _differ(before, after, key)]


def _differ(before: Any, after: Any, key: str) -> bool:
    return bool(getattr(before, key) != getattr(after, key))


# Asked for ----------------------------------------------------------------------------------------


class Reloads:
    """Reloads of one gateway, one at a time."""

    def __init__(self, gateway: Gateway, again: Again | None) -> None:
        self._gateway = gateway
        self._again = again
        self._busy = asyncio.Lock()
        self._jobs: set[asyncio.Task[None]] = set()

    def hear(self, topic: str, payload: bytes) -> None:
        """One `gateway/command`; what cannot be read is nobody's."""
        try:
            _, _, fields = contract.parse(topic, payload)
        except contract.ContractError as error:
            log.warning("%s", error)
            return
        if fields and not len(self._jobs) > 3:
            self._start(self._answer(fields))

    def by_signal(self) -> None:
        """SIGHUP: what `ExecReload` of a service sends."""
        self._start(self._by_signal())

    def _start(self, job: Any) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _by_signal(self) -> None:
        lines, done, _ = await self._do("reload", None)
        for kind, words in lines:
            (log.info if done else log.error)("reload: %s: %s", kind, words)
        if done:
            self._note(None, lines, ", by SIGHUP")

    def _note(self, who: Who | None, lines: list[Line], how: str = "") -> None:
        """For the audit list of the floor that runs: the file may name another one, which needs a restart."""
        changes = sum(kind == "change" for kind, _ in lines)
        if changes and self._gateway.people:
            self._gateway.people.note(who, "floor-reloaded", f"{changes} changes{how}")

    async def _answer(self, fields: dict[str, Any]) -> None:
        lines, done, seen = await self._do(fields["do"], fields.get("seen"))
        if done and fields["do"] == "reload":
            self._note(Who("console", fields["who"], "admin") if fields.get("who") else None, lines)
        parts = [lines[at : at + ROWS] for at in range(0, min(len(lines), LINES_MOST), ROWS)] or [[]]
        file = str(self._again.path) if self._again else ""
        for number, part in enumerate(parts):
            self._gateway.says.send(ANSWER, (), {
                "id": fields["id"], "done": done, "part": number, "last": number == len(parts) - 1,
                "file": file[-200:], "digest": seen, "rows": [[kind, _fitting(words)] for kind, words in part],
            })  # fmt: skip

    async def _do(self, what: str, seen: str | None) -> tuple[list[Line], bool, str]:
        """(lines, whether it was done, the digest of what was read)."""
        async with self._busy:
            digest = ""
            try:
                if self._again is None:
                    raise Refused("this gateway was not told which file it runs; start it anew")
                began_s = time.monotonic()
                digest = await asyncio.to_thread(digest_of, self._again.path)
                if seen is not None and seen != digest:
                    raise Refused(f"{self._again.path} has been changed since it was looked at; look again")
                file = await asyncio.to_thread(self._again.read, self._gateway.plan)
                lines, plan = difference(self._gateway.plan, file)
                if what == "reload" and plan != self._gateway.plan:
                    await take_up(self._gateway, plan)
                    log.info("the site file is taken up, in %.2f s", time.monotonic() - began_s)
                return lines, True, digest
            except (Refused, SiteError, StoreError, AuthorityError, OSError) as error:
                return [("wrong", line) for line in str(error).splitlines()], False, digest
            except Exception:
                log.exception("the site file could not be taken up")
                return [("wrong", "a fault of the gateway's own: its log says where")], False, digest


def _fitting(words: str) -> str:
    while len(json.dumps(words)) > LINE_BYTES:
        words = words[: len(words) * 9 // 10 - 1] + "…"
    return words


def digest_of(path: Path) -> str:
    """What stands in a site file, and in the table of desks that it names, as 16 letters. Raises SiteError."""
    texts = []
    for file in (path, *floorplan.named_in(path)):
        try:
            texts.append(floorplan.text_of(file, floorplan.SITE_BYTES))
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise SiteError(f"{file}: cannot be read ({why}); is desks = right, in {path}?") from error
    return _hash("\0".join(texts).encode())


def _hash(data: bytes) -> str:
    return hashlib.blake2s(data, digest_size=8).hexdigest()
