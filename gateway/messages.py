"""Which message each wall shows now: of the highest kind that applies, the newest.

Supervisors send some; the rest stand in the site file. Each wall is told until when it may show one, and
ends it by itself then, whatever has become of the gateway. What has no end of its own is told for ten
minutes, again and again.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import floorplan
from floorplan import Plan, WallMessage
from gateway.days import QUARTER_S, Calendar
from gateway.store import KeptMessage
from wallboard.message import SLOW_S, Composed, NotShown, compose

KINDS = ("priority", "business-hour", "scheduled", "condition", "default")  # the highest first
BY_CLOCK = ("business-hour", "scheduled")
STANDING_MOST = 20  # of supervisors' messages
MINUTES_MOST = 720
LEASE_S = 600  # a message without an end of its own is told for so long
RENEW_S = 300  # and told again when no more than this is left
FOR_S = 5  # so long a condition holds before its message comes, unless the site file says otherwise
HOLD_S = 30  # and so long it does not hold before it goes
BEGUN_MOST_S = 9 * 24 * 3600  # hours are the same every week: what they have not begun by then, they never do
LONG_AGO_S = -math.inf  # when something began that never does
JOINT = " · "  # between languages

log = logging.getLogger(__name__)

Figure = Callable[[str, str], int | None]  # (queue, one of CONDITION_FIGURES) → the number; None: unknown
Bands = Mapping[str, tuple[int, int] | None]  # wall → first row and rows that it keeps free for messages
On = Mapping[str, Composed | NotShown]  # wall → what it draws of a text, or why it cannot
Done = TypeVar("Done")


class NotSent(ValueError):
    """A message that cannot be sent; `kind` is for the page's own words."""

    def __init__(self, kind: str, words: str):
        super().__init__(words)
        self.kind = kind


class Warned(NamedTuple):
    """What an author should know of a message on some walls, before it is sent."""

    kind: str  # missing, slow, long
    words: str
    more: str  # the letters, or the seconds


class Applies(NamedTuple):
    """A message that applies now."""

    rank: int  # its place in KINDS
    begun_s: float
    order: int  # among those that began together, the last one written is the newest
    key: str
    until_s: float


@dataclass(frozen=True, slots=True)
class Sent:
    """What a supervisor has sent. Times on the gateway's clock."""

    id: str
    text: str
    walls: tuple[str, ...]
    begun_s: float
    until_s: float


class Rule:
    """A message of the site file, and whether it applies."""

    def __init__(self, message: WallMessage, plan: Plan):
        self.message = message
        self.key = message.model_dump_json()  # what is the same of two plans' rules
        self.hours = plan.site.hours if message.kind == "business-hour" else message.at
        self._calendar = Calendar(plan.site.time_zone, hours=self.hours)
        self._applied = False
        self._other_since_s: float | None = None  # since when a condition is not as `_applied` says
        self._begun_s = 0.0
        self._until_s = 0.0

    def look(self, now_s: float, wall_s: float | None, figure: Figure) -> tuple[float, float] | None:
        """(when it began, until when it may be shown) on the gateway's clock; None while it does not apply."""
        before, self._applied = self._applied, self._look(now_s, wall_s, figure)
        if not self._applied:
            return None
        if not before:
            self._begun_s, self._until_s = self._began_s(now_s, wall_s), 0.0
        if self._until_s - now_s <= RENEW_S:
            self._until_s = self._ends_s(now_s, wall_s)
        return self._begun_s, self._until_s

    def _look(self, now_s: float, wall_s: float | None, figure: Figure) -> bool:
        if self.message.condition:
            return self._condition(now_s, figure)
        return self._by_clock(wall_s)

    def _condition(self, now_s: float, figure: Figure) -> bool:
        """Whether it holds, or has held a moment ago; an unknown number holds nothing."""
        goes_by = self.message.condition
        assert goes_by
        number = figure(goes_by.queue, goes_by.figure)
        holds = number is not None and floorplan.SIGNS[goes_by.sign](number, goes_by.number)
        if holds == self._applied:
            self._other_since_s = None
            return holds
        if self._other_since_s is None:
            self._other_since_s = now_s
        left_out, said = (FOR_S, self.message.for_s) if holds else (HOLD_S, self.message.hold_s)
        if now_s - self._other_since_s < (left_out if said is None else said):
            return self._applied
        self._other_since_s = None
        return holds

    def _by_clock(self, wall_s: float | None) -> bool:
        """Whether it applies at a time of this computer's clock; changes on full quarters of an hour only."""
        if self.message.kind == "default":
            return True
        if wall_s is None:  # a computer that does not know the time shows nothing by it
            return False
        if not self._by_hours(wall_s):
            return False
        day = self._calendar.day(wall_s)
        first, last = self.message.from_day, self.message.to_day
        return not (first and day < first) and not (last and day > last)

    def _by_hours(self, wall_s: float) -> bool:
        return self._calendar.is_open(wall_s) == (self.message.when != "closed")

    def _began_s(self, now_s: float, wall_s: float | None) -> float:
        """When it began: of days and hours the later, the same however often the gateway is started."""
        if self.message.kind not in BY_CLOCK or wall_s is None:
            return now_s
        first = self.message.from_day
        begun_s = max(self._hours_began_s(wall_s), self._calendar.day_bounds(first)[0] if first else LONG_AGO_S)
        return now_s - (wall_s - begun_s)

    def _hours_began_s(self, wall_s: float) -> float:
        if self.message.kind == "scheduled" and not self.message.at:
            return LONG_AGO_S
        begun = self._calendar.quarter(wall_s)
        while wall_s - begun < BEGUN_MOST_S:
            if not self._by_hours(begun - QUARTER_S):
                return begun
            begun -= QUARTER_S
        return LONG_AGO_S

    def _ends_s(self, now_s: float, wall_s: float | None) -> float:
        if wall_s is not None and self.message.kind in BY_CLOCK:
            quarter = self._calendar.quarter(wall_s) + QUARTER_S
            if quarter - wall_s < LEASE_S and not self._by_clock(quarter):
                return now_s + quarter - wall_s
        return now_s + LEASE_S


@dataclass(frozen=True, slots=True)
class Showing:
    """What one wall shows."""

    kind: str
    key: str
    text: str
    until_s: float
    composed: Composed


class Messages:
    """The messages of all walls.

    `bands`: None where a message is a page of its own. `clock` is the gateway's, `wall_clock` epoch seconds or
    None while they are not known; `figure` tells numbers of queues. `changed` is called when a
    supervisor has sent a message or taken one back, and when one has been composed: `run` does that in a
    thread, once each, and no wall shows one before.
    """

    def __init__(
        self,
        plan: Plan,
        bands: Bands,
        figure: Figure,
        clock: Callable[[], float],
        wall_clock: Callable[[], float | None],
        changed: Callable[[], None] = lambda: None,
    ):
        self.showing: dict[str, Showing | None] = dict.fromkeys(wall.id for wall in plan.wall)
        self._walls = {wall.id: wall for wall in plan.wall}
        self._bands = bands
        self._figure = figure
        self._clock = clock
        self._wall_clock = wall_clock
        self._changed = changed
        self._rules = [Rule(message, plan) for message in plan.message]
        self._sent: dict[str, Sent] = {}
        self._kept: list[KeptMessage] = []  # of before this start, until the time is known
        self._dirty = False  # not kept yet
        self._applied: tuple[Applies, ...] = ()
        self._first: list[str] = []  # keys of what applies, of the site file, and cannot be shown yet
        self._composed: dict[str, On] = {}  # by key; of the site file's for good: who composes waits long
        self._thread = ThreadPoolExecutor(1, "messages")  # one alone: more of them would starve the event loop
        self._stirred = asyncio.Event()
        self._ended = False
        self.version = 0  # counts up with what supervisors have sent, and what walls show

    async def prepare(self, before: Messages) -> None:
        """Composes all that will be shown after `take_over`, while the messages of another plan are in charge.

        What was composed there holds where no wall looks otherwise.
        """
        self._thread = before._thread
        rules = {rule.key: rule for rule in before._rules}
        self._rules = [self._same_rule(rule, rules.get(rule.key)) for rule in self._rules]
        self._sent = self._still_here(before._sent)
        looks = {wall: self._looks(wall) for wall in self._walls}
        if looks == {wall: before._looks(wall) for wall in before._walls}:
            orders = {rule.key: str(order) for order, rule in enumerate(before._rules)}
            keys = {str(order): orders.get(rule.key, "") for order, rule in enumerate(self._rules)}
            keys |= {id: id for id in self._sent}
            self._composed = {ours: before._composed[key] for ours, key in keys.items() if key in before._composed}
        await self.compose_all()

    def take_over(self, before: Messages) -> None:
        """Goes on where the messages of another plan stand, with what supervisors have sent. Once, after `prepare`."""
        prepared = self._sent
        # The same dict: whoever is just sending one to the messages before sends it to us.
        self._sent, still_here = before._sent, self._still_here(before._sent)
        self._kept, self._dirty = before._kept, before._dirty or still_here != before._sent
        self._sent.clear()
        self._sent.update(still_here)
        for id in prepared.keys() - still_here.keys():  # taken back, or over, meanwhile
            self._composed.pop(id, None)
        self.version = before.version + 1

    def _still_here(self, sent: Mapping[str, Sent]) -> dict[str, Sent]:
        """Messages on those of their walls that there are; one that would be on none is left out."""
        here = {id: replace(one, walls=tuple(wall for wall in one.walls if wall in self._walls))
                for id, one in sent.items()}  # fmt: skip
        return {id: one for id, one in here.items() if one.walls or not sent[id].walls}

    def _same_rule(self, ours: Rule, theirs: Rule | None) -> Rule:
        return theirs if theirs and theirs.hours == ours.hours else ours

    def _looks(self, wall: str) -> tuple[Any, ...]:
        """All that what is composed for a wall hangs on."""
        row = self._walls[wall]
        return row.panel.size, row.languages, self._bands.get(wall)

    def end(self) -> None:
        """Lets `run` return: others are in charge."""
        self._ended = True
        self._stirred.set()

    # What is shown ---------------------------------------------------------------

    def due(self) -> list[str]:
        """Looks at clock and figures; the walls whose message has changed since the last look."""
        now_s, wall_s = self._clock(), self._wall_clock()
        if self._kept and wall_s is not None:
            self._take_kept(now_s, wall_s)
        for sent in [sent for sent in self._sent.values() if sent.until_s <= now_s]:
            self._drop(sent.id)
        all_ = list(self._applies(now_s, wall_s))
        lacking = [row for row in all_ if row.key not in self._composed]
        self._first = [row.key for row in lacking if row.rank]
        if lacking:
            self._stirred.set()
        applies = tuple(row for row in all_ if row.key in self._composed)
        if applies == self._applied:
            return []
        self._applied = applies
        best = sorted(applies, key=lambda row: (row.rank, -row.begun_s, -row.order))
        changed = []
        for wall, before in self.showing.items():
            self.showing[wall] = next(filter(None, (self._on(row, wall) for row in best)), None)
            if self.showing[wall] != before:
                changed.append(wall)
        self.version += bool(changed)
        return changed

    def now(self, wall: str) -> str | None:
        """The id of the message that a wall should show; None: none."""
        showing = self.showing[wall]
        return showing.composed.id if showing and showing.until_s > self._clock() else None

    def fields(self, wall: str, boot: str) -> dict[str, Any] | None:
        """The fields of `board/+/panel/+/message`; None: none."""
        showing = self.showing[wall]
        return showing.composed.fields(boot, int(showing.until_s)) if showing else None

    def _applies(self, now_s: float, wall_s: float | None) -> Iterable[Applies]:
        for order, sent in enumerate(self._sent.values()):
            yield Applies(0, sent.begun_s, order, sent.id, sent.until_s)
        for order, rule in enumerate(self._rules):
            told = rule.look(now_s, wall_s, self._figure)
            if told:
                yield Applies(KINDS.index(rule.message.kind), told[0], order, str(order), told[1])

    def _on(self, row: Applies, wall: str) -> Showing | None:
        """What one message is on one wall; None where it is not for it, or, as was said, cannot be shown."""
        composed = self._composed[row.key].get(wall)
        if not isinstance(composed, Composed):
            return None
        if row.rank:
            rule = self._rules[row.order].message
            text = text_on(rule, self._walls[wall])
        else:
            text = self._sent[row.key].text
        return Showing(KINDS[row.rank], row.key, text, row.until_s, composed)

    # From a text to lights: a long one takes a good part of a second ------------------

    async def run(self) -> None:
        """Composes what is there to be shown, until cancelled or ended."""
        while not self._ended:
            self._stirred.clear()
            await self.compose_all()
            await self._stirred.wait()

    async def compose_all(self) -> None:
        """Composes what is not yet: what applies now, then all else, so that it can come at once."""
        while True:
            keys = (*self._sent, *self._first, *map(str, range(len(self._rules))))
            key = next((key for key in keys if key not in self._composed), None)
            if key is None:
                return
            sent = self._sent.get(key)
            if sent:
                on = await self.in_thread(self.on, sent.text, sent.walls)
            else:
                on = await self.in_thread(_on, self._rules[int(key)].message, self._walls.values(), self._bands)
                for words in _said(int(key), on):
                    log.warning("%s", words)
            if not sent or key in self._sent:  # not taken back meanwhile
                self._composed[key] = on
                self._changed()

    async def in_thread(self, work: Callable[..., Done], *args: Any) -> Done:
        """What takes long, after all that was asked before."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def on(self, text: str, walls: Iterable[str]) -> On:
        """A supervisor's text on these walls, none of them: on all."""
        named = list(walls)
        chosen = [self._walls[wall] for wall in named if wall in self._walls] if named else self._walls.values()
        return composed_on([(wall, text) for wall in chosen], self._bands, True)

    def size(self, wall: str) -> tuple[int, int]:
        """A wall's columns and rows of lights."""
        return self._walls[wall].panel.size

    # Supervisors -----------------------------------------------------------------

    def send(self, text: str, walls: Iterable[str], minutes: int, on: On | None = None) -> Sent:
        """A supervisor's message on these walls, none of them: on all; `on`: as it has been composed for them.

        Raises NotSent.
        """
        if len(self._sent) >= STANDING_MOST:
            raise NotSent("many", f"{STANDING_MOST} messages stand already: take one back first")
        if not 1 <= minutes <= MINUTES_MOST:
            raise NotSent("minutes", f"a message stands for 1 to {MINUTES_MOST} minutes: say for how many")
        line, named = self.read(text, walls)
        on = self.on(line, named) if on is None else on
        if not any(isinstance(composed, Composed) for composed in on.values()):
            raise not_shown(on)
        now_s = self._clock()
        sent = Sent(secrets.token_hex(4), line, named, now_s, now_s + minutes * 60)
        self._sent[sent.id] = sent
        self._composed[sent.id] = on
        self._touched()
        self._changed()
        return sent

    def take_back(self, id: str) -> bool:
        """Ends a supervisor's message; False where there is none of that id."""
        if id not in self._sent:
            return False
        self._drop(id)
        self._changed()
        return True

    def read(self, text: str, walls: Iterable[str]) -> tuple[str, tuple[str, ...]]:
        """A text and its walls as they are sent. Raises NotSent."""
        try:
            line = floorplan.message_text(text)
        except ValueError as error:
            raise NotSent("long" if len(text) > floorplan.MESSAGE_TEXT_MOST else "text", str(error)) from error
        named = tuple(dict.fromkeys(walls))
        for wall in named:
            if wall not in self._walls:
                words = f"there is no such wall{floorplan.meant(wall, self._walls)}"
                raise NotSent("wall", words)
        if not self._walls:
            raise NotSent("wall", "the site file names no walls")
        return line, named

    def standing(self) -> list[Sent]:
        """What supervisors have sent and is not over, the oldest first."""
        now_s = self._clock()
        return [sent for sent in self._sent.values() if sent.until_s > now_s]

    def document(self) -> dict[str, Any]:
        """For the page: what stands, with the seconds left, and what of the site file is on which walls."""
        now_s = self._clock()
        on: dict[tuple[str, str, str], list[str]] = {}
        for wall, showing in self.showing.items():
            if showing:
                on.setdefault((showing.kind, showing.key, showing.text), []).append(wall)
        return {
            "standing": [
                {
                    "id": sent.id, "text": sent.text, "walls": list(sent.walls),
                    "left_s": math.ceil(sent.until_s - now_s), "on": on.get((KINDS[0], sent.id, sent.text), []),
                }
                for sent in self.standing()
            ],
            "others": [
                {"kind": kind, "text": text, "on": walls} for (kind, _, text), walls in on.items() if kind != KINDS[0]
            ],
        }  # fmt: skip

    # Kept over a restart -----------------------------------------------------------

    def remember(self, kept: list[KeptMessage]) -> None:
        """What stood when the gateway was last here; taken up again as soon as the time is known.

        Until then nothing is kept anew: what stands in the file stays there.
        """
        self._kept = kept

    def take_changes(self) -> list[KeptMessage] | None:
        """All that is to be kept; None where it is as it was when this was last asked."""
        wall_s = self._wall_clock()
        if not self._dirty or wall_s is None or self._kept:
            return None
        self._dirty = False
        ahead_s = wall_s - self._clock()
        return [
            KeptMessage(sent.id, sent.text, sent.walls, sent.begun_s + ahead_s, sent.until_s + ahead_s)
            for sent in self._sent.values()
        ]

    def _take_kept(self, now_s: float, wall_s: float) -> None:
        again = {}
        for row in self._kept:
            left_s = min(row.until_s - wall_s, MINUTES_MOST * 60)
            walls = tuple(wall for wall in row.walls if wall in self._walls)
            if left_s > 0 and (walls or not row.walls):
                begun_s = now_s - max(0.0, wall_s - row.from_s)
                again[row.id] = Sent(row.id, row.text, walls, begun_s, now_s + left_s)
        self._kept = []
        self._sent = again | self._sent
        self._touched()

    def _drop(self, id: str) -> None:
        del self._sent[id]
        self._composed.pop(id, None)
        self._touched()

    def _touched(self) -> None:
        self._dirty = True
        self.version += 1


def text_on(message: WallMessage, wall: floorplan.Wall) -> str:
    """A message in a wall's languages, in their order; else in no language, else in all of them."""
    chosen = [message.texts[language] for language in wall.languages if language in message.texts]
    return JOINT.join(chosen) or message.text or JOINT.join(message.texts.values())


def composed_on(texts: Iterable[tuple[floorplan.Wall, str]], bands: Bands, priority: bool) -> On:
    """What walls draw of these texts."""
    on: dict[str, Composed | NotShown] = {}
    for wall, text in texts:
        try:
            on[wall.id] = compose(text, wall.panel.size, bands.get(wall.id), priority)
        except NotShown as error:
            on[wall.id] = error
    return on


def not_shown(on: On) -> NotSent:
    """Why no wall can show a text: what the first of them says."""
    why = next(why for why in on.values() if isinstance(why, NotShown))
    return NotSent(why.kind, str(why))


def warned(composed: Composed) -> list[Warned]:
    """What the author of a message should know."""
    found = []
    if composed.missing:
        letters = " ".join(composed.missing)
        found.append(Warned("missing", f"no letter for {letters}: shown as a box", letters))
    if composed.passes_s and composed.passes_s > SLOW_S:
        seconds = str(composed.passes_s)
        found.append(Warned("slow", f"it takes {seconds} s to pass: shorten it", seconds))
    if composed.turned:
        found.append(
            Warned(
                "turned",
                f"{' and '.join(composed.turned)}: its parts stand from right to left, as Arabic is read; "
                "where it is one number, leave the hyphen out",
                " ".join(composed.turned),
            )
        )
    return found


def warnings(plan: Plan, bands: Bands) -> list[str]:
    """What the author of the site file should know of its messages."""
    return [
        line for order, message in enumerate(plan.message) for line in _said(order, _on(message, plan.wall, bands))
    ]


def _on(message: WallMessage, walls: Iterable[floorplan.Wall], bands: Bands) -> On:
    """A message of the site file on the walls that it is for."""
    its = [wall for wall in walls if not message.walls or wall.id in message.walls]
    return composed_on([(wall, text_on(message, wall)) for wall in its], bands, False)


def _said(order: int, on: On) -> list[str]:
    """What the author of a message of the site file should know; `order` is its place there, from 0."""
    found: dict[str, list[str]] = {}
    for wall, composed in on.items():
        known = [row.words for row in warned(composed)] if isinstance(composed, Composed) else [str(composed)]
        for line in known:
            found.setdefault(f"[[message]] {order + 1}: {line}", []).append(wall)
    return [f"{line} (wall {', '.join(walls[:5])}{', …' if walls[5:] else ''})" for line, walls in found.items()]


def look_alike(walls: Iterable[str], key: Callable[[str], Any]) -> list[list[str]]:
    """Walls grouped by what is the same of them, in order."""
    groups: dict[Any, list[str]] = {}
    for wall in walls:
        groups.setdefault(key(wall), []).append(wall)
    return list(groups.values())
