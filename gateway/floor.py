"""The floor's memory: what boards read and what the PBX says, joined desk by desk.

Readings, events and the time go in; `touched` collects what may have changed until somebody
takes it. Nothing here talks to a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import floorplan
from firmware import contract
from firmware.inputs import HEADSET, PHONE
from floorplan import BoardInput, Plan
from gateway.desk import HEADSET_WHY, PHONE_WHY, Desk, conclude, why_words
from gateway.presence import Board
from gateway.queues import events
from gateway.queues.figures import QueueFigures
from gateway.queues.translate import UNTOLD, extension_key
from gateway.seating import Seats
from gateway.truth import Truth

ASTERISK = "asterisk"  # the source that is no [[source]]
NOT_HEARD = "nothing has been heard of it yet"

# Why nobody is known to sit at a desk, in a house without fixed seats.
NOBODY = "nobody is logged in at this desk"
CROWDED = "more than one is logged in at this desk, or at two desks: who sits here is not known"
PBX_AWAY = "the phone system is away: who sits here is not known"

# Where a desk's status, or a PBX state where no desk is tied, counts in a queue.
PLACE = {
    "free": "free",
    "idle": "free",
    "ringing": "ringing",
    "talking": "talking",
    "held": "talking",
    "busy": "talking",
}


@dataclass(slots=True)
class Place:
    """One input of one board: what was last read there."""

    desk: str
    senses: frozenset[str] = frozenset()  # kinds of reading that the site file expects here
    told: bool = True  # False: until its next start the board reads here what was somebody else's
    boot: str | None = None
    live: bool = False  # something of this boot was read as it happened, not found retained
    top: int = 0  # the highest seq seen of this boot
    seq: dict[str, int] = field(default_factory=dict)  # the last of each kind of reading


class Queue:
    """One queue: its callers' figures, and its members counted by what their desks do."""

    def __init__(self, figures: QueueFigures):
        self.figures = figures
        self.members: dict[str, events.Member] = {}
        self.desks_known = False  # the counts below mean something: the broker is there
        self.counts = {"free": 0, "ringing": 0, "talking": 0, "away": 0}
        self._counted: dict[str, str] = {}  # extension → where it is counted

    def count(self, extension: str, place: str | None) -> None:
        """Moves one member to another count; None takes it out."""
        before = self._counted.pop(extension, None)
        if before:
            self.counts[before] -= 1
        if place:
            self._counted[extension] = place
            self.counts[place] += 1


@dataclass
class Touched:
    """Ids of what may have changed since this was last taken."""

    desks: set[str] = field(default_factory=set)
    boards: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)
    walls: set[str] = field(default_factory=set)
    findings: set[str] = field(default_factory=set)  # by desk


class Floor:
    """Everything the gateway knows about one site. `now_s` is the gateway's monotonic clock."""

    def __init__(
        self, plan: Plan, now_s: float, changed: Callable[[], None] = lambda: None, keep: bool = False
    ):
        self.plan = plan
        self.touched = Touched()
        self.sources = dict.fromkeys(_sources(plan), NOT_HEARD)  # why each is away; empty: it is there
        self.refused = 0
        self.boards_lost = 0
        self.boards = {board.id: Board(board.id, asked_s=now_s) for board in plan.board}
        self.desks = {desk.id: Desk(desk.id) for desk in plan.desk}
        self.status: dict[str, tuple[str, str]] = {}  # desk → its status and reason
        self.queues = {queue.id: Queue(QueueFigures(queue.target, untold(queue), keep)) for queue in plan.queue}
        self.shown: dict[str, dict[str, Any]] = {}  # wall → what it says it shows
        self.by_status = dict.fromkeys(contract.STATUS, 0)
        self.truth = Truth(plan.truth)
        self._changed = changed
        self._places: dict[str, dict[str, Place]] = {}  # board → input → what is plugged in there
        self._panels = panels_of(plan)
        self._served = set(plan.pbx_queues.values())  # queues whose members the phone system tells
        self._desk_of: dict[str, str] = {}  # extension → desk
        self._queues_of: dict[str, dict[str, None]] = {}  # extension → queues it serves, last heard of last
        self._extension_of: dict[str, str] = {}  # desk → extension
        self._presence: dict[str, tuple[str, str]] = {}  # board → (state, why) as last looked up
        self._seats = _seats(plan)  # None: every desk has its extension
        self.broker_away = "the broker has not answered yet"
        self._bind(now_s)

    def _bind(self, now_s: float) -> None:
        for board in self.plan.board:
            self._places[board.id] = {
                str(number): Place(place.desk, frozenset(_senses(place)))
                for number, place in enumerate(board.inputs)
            }
            for place in board.inputs:
                desk = self.desks[place.desk]
                desk.board = board.id
                desk.phone_by = place.phone.by if place.phone else ""
                desk.headset_by = place.headset.by if place.headset else ""
        for row in self.plan.desk:
            self.desks[row.id].asked = bool(row.extension or row.device)
            if row.phone:
                self.desks[row.id].phone_by = row.phone.by
            if row.extension:
                key = extension_key(row.extension)
                self._desk_of[key] = row.id
                self._extension_of[row.id] = key
        for name in self.desks:
            self._hear_word(name, now_s)
        self.touched.findings |= set(self.desks)  # what an earlier start has left at the broker is over
        self.check_boards(now_s)
        self.touched.queues |= set(self.queues)

    # After another plan ------------------------------------------------------------

    def take_over(self, before: Floor, now_s: float) -> set[str]:
        """Goes on where the floor of another plan stands. Once, before anything else is heard.

        Boards and queues that are still there go on as they are, with all their figures; so do desks that are
        plugged in where they were. Returns the others: their readings have to be asked for.
        """
        self.refused, self.broker_away = before.refused, before.broker_away
        self.sources |= {name: away for name, away in before.sources.items() if name in self.sources}
        self.boards |= {name: board for name, board in before.boards.items() if name in self.boards}
        for name in self.boards.keys() & before.boards.keys():
            self.boards[name].goes_by(before.plan)
            for number, place in self._places[name].items():
                place.told = self.desks[place.desk].told = self.boards[name].is_told(self.plan, False, int(number))
        self._take_queues(before, now_s)
        phones = [{desk.id: desk.phone for desk in floor.plan.desk} for floor in (before, self)]
        both = {name for name, phone in phones[1].items() if phones[0].get(name, False) == phone}
        stay = {name for name in both if self._take_desk(name, before)}
        self.shown = {
            name: said for name, said in before.shown.items()
            if self._panels.get(name) == before._panels.get(name) and self._is_told(name)
        }  # fmt: skip
        self.truth.take_over(before.truth, stay)
        self._presence, self.boards_lost = {}, 0
        self.check_boards(now_s)
        for name in self.desks:
            self._hear_word(name, now_s)
        self.count_members()
        for what in ("desks", "boards", "queues"):
            getattr(self.touched, what).update(getattr(self, what))
        self.touched.walls |= {wall.id for wall in self.plan.wall}
        self.touched.findings |= set(self.desks)
        return set(self.desks) - stay

    def _take_queues(self, before: Floor, now_s: float) -> None:
        """Queues with who waits there and who serves them; one that is new at a source that is there waits for it."""
        were = {queue.id: queue for queue in before.plan.queue}
        for queue in self.plan.queue:
            if queue.id in were and same_queue(queue, were[queue.id]):
                kept = self.queues[queue.id] = before.queues[queue.id]
                kept.figures.promise(queue.target)
                continue
            figures, source = self.queues[queue.id].figures, queue.source or ASTERISK
            self.queues[queue.id].desks_known = not self.broker_away and queue.id in self._served
            if not self.sources.get(source, NOT_HEARD):
                figures.apply(events.Missing(queue.id, "nothing has been heard of this queue yet", waits=True), now_s)
                figures.apply(events.Back(), now_s)
        for extension, names in before._queues_of.items():
            serves = {name: None for name in names if extension in self.queues.get(name, NO_QUEUE).members}
            if serves:
                self._queues_of[extension] = serves
            for name in serves if self._seats else ():
                assert self._seats
                self._seat(self._seats.sit(extension, name, self.queues[name].members[extension].device), now_s)

    def _take_desk(self, name: str, before: Floor) -> bool:
        """What is known of a desk, where it is plugged in as it was; whether it is."""
        where, was = self._plugged(name), before._plugged(name)
        desk, old = self.desks[name], before.desks[name]
        if (where and _wires(where)) != (was and _wires(was)):
            if desk.phone_by == "url":  # it tells by itself, wherever the rest is plugged in
                for field_ in OF_PHONE:
                    setattr(desk, field_, getattr(old, field_))
            return False
        if where and was:
            self._places[where[0]][where[1]] = was[2]
        for field_ in OF_SENSORS:
            setattr(desk, field_, getattr(old, field_))
        return True

    def _plugged(self, name: str) -> tuple[str, str, Place] | None:
        """(board, input, what is there) of a desk; None where no board reads it."""
        board = self.desks[name].board
        places = self._places[board] if board else {}
        return next(((board, number, place) for number, place in places.items() if board and place.desk == name), None)

    # From the boards -------------------------------------------------------------

    def hear_board(self, pattern: str, ids: tuple[str, ...], fields: dict[str, Any] | None, retained: bool,
                   now_s: float) -> None:  # fmt: skip
        """One message of a board, already checked against the contract; fields None: cleared."""
        board = self.boards.get(ids[0])
        if board is None or fields is None:
            return  # a board that is not in the site file, or a topic cleared
        if not retained and not (pattern == "board/+/state" and fields["state"] == "lost"):
            board.heard_s = now_s  # a will is the broker's word, not the board's
        if pattern == "board/+/state":
            board.state = fields
        elif pattern == "board/+/hello":
            board.hello = fields
        elif pattern == "board/+/health":
            board.health = fields
        elif pattern == "board/+/panel/+/shown":
            self._hear_shown(board.id, int(ids[1]) if ids[1].isdigit() else -1, fields)
        elif pattern in READINGS:
            self._hear_reading(pattern, board.id, ids[1], fields, retained, now_s)
        self._touch("boards", board.id)
        self.check_boards(now_s, (board.id,))

    def _hear_reading(
        self, pattern: str, board: str, number: str, fields: dict[str, Any], retained: bool, now_s: float
    ) -> None:
        place = self._places[board].get(number)
        if place is None or pattern not in place.senses:
            return  # nothing is plugged in there, or a sensor that was taken away left this behind
        desk, known = self.desks[place.desk], self.boards[board]
        if not place.told:
            if known.wired and known.wired.boot in (fields["boot"], known.boot if retained else ""):
                return
            place.told = desk.told = True
        if place.boot != fields["boot"]:
            if retained and place.live:
                return  # of an earlier start
            place.boot, place.top, place.seq, place.live = fields["boot"], 0, {}, False
            _forget_readings(desk, place.senses)
        if fields["seq"] <= place.seq.get(pattern, 0):
            return  # sent again after a broken link: already counted
        place.seq[pattern] = fields["seq"]
        if place.live and fields["seq"] > place.top:
            desk.missed = min(desk.missed + fields["seq"] - place.top - 1, contract.LONG)
        place.live |= not retained  # what came before the first live word is nobody's loss
        place.top = max(place.top, fields["seq"])
        desk.heard = True
        if pattern == PHONE:
            desk.phone = fields["state"]
            desk.phone_why = why_words(PHONE_WHY, fields.get("why"), board)
        else:
            desk.in_call, desk.muted, desk.docked = fields["in_call"], fields["muted"], fields["docked"]
            desk.rings = fields.get("ringing")
            desk.headset_why = why_words(HEADSET_WHY, fields.get("why"), board)
        self._conclude(desk.id, now_s)

    def hear_phone(self, desk: str, state: str, muted: bool | None, why: str, now_s: float) -> None:
        """What a desk's IP phone says of itself: `state` as in `board/+/input/+/phone`.

        `why`: in words, why it is unknown; `muted`: None where it does not say.
        """
        known = self.desks[desk]
        known.phone, known.phone_muted, known.phone_why = state, muted, why if state == "unknown" else ""
        self._conclude(desk, now_s)

    def _hear_shown(self, board: str, number: int, fields: dict[str, Any]) -> None:
        walls = self.plan.walls_of(board)
        if 0 <= number < len(walls) and self._is_told(walls[number].id):
            self.shown[walls[number].id] = fields
            self._touch("walls", walls[number].id)

    def check_boards(self, now_s: float, only: tuple[str, ...] | None = None) -> None:
        """Looks who has been silent for too long; call it twice a second without `only`."""
        for name in only or self.boards:
            state, why = self.presence(name, now_s)
            if self._presence.get(name) == (state, why):
                continue
            self.boards_lost += (state == "lost") - (self._presence.get(name, ("", ""))[0] == "lost")
            self._presence[name] = (state, why)
            self._touch("boards", name)
            for wall in self.plan.walls_of(name):
                self._touch("walls", wall.id)
            for place in self._places[name].values():
                desk = self.desks[place.desk]
                desk.lost = why if state == "lost" else ""
                desk.dark = why if state == "unknown" else ""
                self._conclude(place.desk, now_s)

    def presence(self, board: str, now_s: float) -> tuple[str, str]:
        """("ready" | "lost" | "unknown", why) of a board now."""
        if self.broker_away:
            return "unknown", self.broker_away
        return self.boards[board].presence(now_s)

    def desks_of(self, board: str) -> list[str]:
        """The desks that are plugged in at a board."""
        return [place.desk for place in self._places[board].values()]

    def wall_presence(self, wall: str, now_s: float) -> tuple[str, str]:
        """The same of the board of a wall, which may not be told of it yet."""
        board = self._panels[wall][0]
        state, why = self.presence(board, now_s)
        if state == "ready" and not self._is_told(wall):
            return "unknown", f"board {board} is not told yet what it draws here"
        return state, why

    def reads_as_told(self, board: str, number: int) -> bool:
        """False where a board has no such input, or reads there what the site file had there before."""
        place = self._places[board].get(str(number))
        return place is not None and place.told

    def _is_told(self, wall: str) -> bool:
        if wall not in self._panels:
            return True
        board, number = self._panels[wall]
        return self.boards[board].is_told(self.plan, True, number)

    def hear_broker(self, away: str, now_s: float) -> None:
        """The broker is away, and why; or, empty, it is back: every board has its time to be heard."""
        self.broker_away = away
        for name, queue in self.queues.items():
            queue.desks_known = not away and name in self._served
            self._touch("queues", name)
        for board in self.boards.values():
            board.heard_s = None
            board.asked_s = now_s
        self.check_boards(now_s)

    def hear_flood(self, board: str, floods: bool, now_s: float) -> None:
        """A board floods, and is not listened to; or no more, and it has its time to be heard."""
        if board in self.boards:
            known = self.boards[board]
            known.floods, known.heard_s, known.asked_s = floods, None, now_s
            self._touch("boards", board)
            self.check_boards(now_s, (board,))

    def doubt(self) -> None:
        """What was heard last may not be the last that was said: what the broker keeps is newer, if it differs."""
        for places in self._places.values():
            for place in places.values():
                place.live = False

    # From the sources of queues ----------------------------------------------------

    def hear_source(self, source: str, event: events.Event, now_s: float) -> None:
        """One event of the phone system (ASTERISK), or of a [[source]] by its id."""
        if isinstance(event, events.Away | events.Back):
            self.sources[source] = event.reason if isinstance(event, events.Away) else ""
            for queue in self.plan.queue:
                if (queue.source or ASTERISK) == source:
                    self._hear_queue(queue.id, event, now_s)
            if self._seats and source == ASTERISK:
                for desk in self.desks:
                    self._hear_word(desk, now_s)
        elif isinstance(event, events.Member):
            self.queues[event.queue].members[event.extension] = event
            serves = self._queues_of.setdefault(event.extension, {})
            serves.pop(event.queue, None)
            serves[event.queue] = None
            if self._seats:
                self._seat(self._seats.sit(event.extension, event.queue, event.device), now_s)
            self._member_changed(event.extension, now_s)
        elif isinstance(event, events.MemberGone):
            self._forget_member(event.queue, event.extension, now_s)
        else:
            self._hear_queue(event.queue, event, now_s)

    def _hear_queue(self, name: str, event: events.Event, now_s: float) -> None:
        queue = self.queues[name]
        if isinstance(event, events.Away):
            for extension in list(queue.members):
                self._forget_member(name, extension, now_s)
        queue.figures.apply(event, now_s)
        self._touch("queues", name)

    def staff(self, names: Iterable[str], now_s: float) -> None:
        """Tells the figures of these queues how many desks handle calls, and how many could."""
        for name in names:
            queue = self.queues[name]
            handling = queue.counts["ringing"] + queue.counts["talking"]
            queue.figures.staff(handling if queue.desks_known else None, queue.counts["free"], now_s)

    def _forget_member(self, name: str, extension: str, now_s: float) -> None:
        queue = self.queues[name]
        queue.members.pop(extension, None)
        queue.count(extension, None)
        serves = self._queues_of.get(extension, {})
        serves.pop(name, None)
        if not serves:
            self._queues_of.pop(extension, None)
        self._touch("queues", name)
        if self._seats:
            self._seat(self._seats.leave(extension, name), now_s)
        self._member_changed(extension, now_s)

    def _seat(self, desks: set[str], now_s: float) -> None:
        """Ties these desks to who sits there now."""
        assert self._seats
        moved = [self._extension_of.pop(desk) for desk in desks if desk in self._extension_of]
        for extension in moved:
            del self._desk_of[extension]
        for desk in desks:
            now = self._seats.who(desk)
            if now:
                self._desk_of[now], self._extension_of[desk] = desk, now
        for desk in desks:
            self._hear_word(desk, now_s)
        for extension in moved:
            self._count_member(extension)

    def _member_changed(self, extension: str, now_s: float) -> None:
        desk = self._desk_of.get(extension)
        if desk:
            self._hear_word(desk, now_s)
        self._count_member(extension)

    def _hear_word(self, name: str, now_s: float) -> None:
        """The PBX's word about a desk, as it is now; what was heard last holds for all queues."""
        desk, extension = self.desks[name], self._extension_of.get(name, "")
        words = [self.queues[queue].members[extension] for queue in self._queues_of.get(extension, ())]
        desk.member = words[-1].state if words else None
        desk.paused = bool(words) and all(word.paused for word in words)
        if self._seats and desk.asked:
            away = self.sources.get(ASTERISK, NOT_HEARD)
            why = PBX_AWAY if away else CROWDED if self._seats.crowded(name) else NOBODY
            desk.untied = "" if extension else why
        self._conclude(name, now_s)

    def count_members(self) -> None:
        """Counts every member anew."""
        for extension in self._queues_of:
            self._count_member(extension)

    def _count_member(self, extension: str) -> None:
        """Counts a member where its desk's status, or the PBX's word, puts it."""
        desk = self._desk_of.get(extension)
        for name in self._queues_of.get(extension, ()):
            member = self.queues[name].members[extension]
            state = self.status[desk][0] if desk else member.state
            place = PLACE.get(state, "away")
            if place == "free" and member.paused:
                place = "away"
            self.queues[name].count(extension, place)
            self._touch("queues", name)

    # The conclusion --------------------------------------------------------------

    def _conclude(self, name: str, now_s: float) -> None:
        before = self.status.get(name)
        now = conclude(self.desks[name])
        self._touch("desks", name)
        if self.truth.look(name, self.desks[name], now_s):
            self._touch("findings", name)
        if now == before:
            return
        self.status[name] = now
        if before:
            self.by_status[before[0]] -= 1
        self.by_status[now[0]] += 1
        if name in self._extension_of:
            self._count_member(self._extension_of[name])

    def check_truth(self, now_s: float, is_open: bool = True) -> None:
        """Looks what no longer fits, or fits again; call it twice a second. `is_open`: by the opening hours."""
        changed = self.truth.due(now_s)
        if is_open != self.truth.open:
            self.truth.open = is_open
            changed |= {name for name, desk in self.desks.items() if self.truth.look(name, desk, now_s)}
        for name in changed:
            self._touch("findings", name)

    def _touch(self, what: str, name: str) -> None:
        getattr(self.touched, what).add(name)
        self._changed()

    def take_touched(self) -> Touched:
        """What may have changed since the last call."""
        taken, self.touched = self.touched, Touched()
        return taken


def _wires(plugged: tuple[str, str, Place]) -> tuple[Any, ...]:
    board, number, place = plugged
    return board, number, place.senses, place.told


# What is known of a desk by its own sensors.
OF_PHONE = ("phone", "phone_why", "phone_muted")
OF_SENSORS = ("heard", *OF_PHONE, "in_call", "rings", "muted", "docked", "headset_why", "missed")
NO_QUEUE = Queue(QueueFigures())


def panels_of(plan: Plan) -> dict[str, tuple[str, int]]:
    """Wall → its board and panel there."""
    return {wall.id: (board.id, number) for board in plan.board for number, wall in enumerate(plan.walls_of(board.id))}


def same_queue(one: floorplan.Queue, other: floorplan.Queue) -> bool:
    """Whether the same callers wait there: another name for people, or another target, makes no other queue."""
    return one.source == other.source and (one.pbx or "").casefold() == (other.pbx or "").casefold()


def untold(queue: floorplan.Queue) -> frozenset[str]:
    """What the source of a queue cannot tell, by the names of Totals."""
    return frozenset() if queue.source else UNTOLD


def _sources(plan: Plan) -> list[str]:
    pbx = [ASTERISK] if plan.pbx.asterisk or any(queue.pbx for queue in plan.queue) else []
    return [*pbx, *(source.id for source in plan.source)]


def _seats(plan: Plan) -> Seats | None:
    if plan.site.seating == "fixed":
        return None
    return Seats({desk.device: desk.id for desk in plan.desk if desk.device})


def _forget_readings(desk: Desk, senses: frozenset[str]) -> None:
    """A board has started anew: what it read before is no longer so."""
    desk.heard = False
    if PHONE in senses:
        desk.phone, desk.phone_why = None, ""
    desk.in_call = desk.rings = desk.muted = desk.docked = None
    desk.headset_why = ""


def _senses(place: BoardInput) -> list[str]:
    sensors = {PHONE: place.phone, HEADSET: place.headset}
    return [pattern for pattern, sensor in sensors.items() if sensor]


READINGS = (PHONE, HEADSET)
