"""Which wire is wrong, in words: a guided test of a desk's wires. Levels and what the board says come in, words go out.

No broker and no clock in here: boards/bench/check.py brings the board's own time with each level. Whatever is
concluded stands in one table, WORDS, by the pattern that was seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import floorplan
from firmware import debounce, headset, line, phone

BOUNCE_MS = {"hook": 500, "dock": 1000}  # a hand is done by then, bounce and all: who goes on longer is loose
CLUSTERS = 4  # nobody lifts a handset so often in one step
STILL_MS = debounce.STILL_MS  # a contact that has held so long has made up its mind
SURE_MS = 400  # a step is over when what it asks for has been so for so long
REST_MS = 3000  # so long nothing is touched
TOGETHER_MS = 30  # two pins that change within this, each time, are one
SETTLE_MS = 1000  # after Enter, on top of the board's own times
PULSES = phone.SIGHTINGS
FULL_MV = 3200  # the converter shows no more
SOME_MV = 30  # less is noise
USUAL_V = 48
RING_V = line.SWING_DV / 10
LIFTED_V, DEAD_V, MOST_V = line.LIFTED_DV / 10, line.FAULT_DV / 10, 60
EVENTS = 4000  # of one pin in one step

NAMES = {
    "hook": "hook", "ring": "ring line", "line": "line", "lamp": "headset's indicator", "dock": "headset's cradle",
}  # fmt: skip
KEYS = {"hook": "active", "ring": "ring_active", "lamp": "active", "dock": "dock_active"}  # in the site file


class Wire(NamedTuple):
    """One wire of a desk. `made` is the pin's level while the contact is made; `divider` is for a line."""

    desk: str
    number: int  # of its input at the board
    what: str  # of NAMES
    pin: str
    made: int = 0
    divider: float = 100.0

    def __str__(self) -> str:
        return f"{NAMES[self.what]} of desk {self.desk}"


class Step(NamedTuple):
    """One thing that a technician does. `shows` says what each kind of wire must show then."""

    name: str
    do: str
    shows: Mapping[str, str]  # kind of wire → made, open or pulses
    says: Mapping[str, Any]  # kind of wire → what the board concludes


MADE, OPEN, PULSED = "made", "open", "pulses"
PHONE = ("hook", "line", "ring")
STEPS = (
    Step("rest", "touch nothing for 3 s: handset down, headset in its cradle, no call", {}, {}),
    Step("lift", "lift the handset", {"hook": MADE, "line": MADE}, dict.fromkeys(PHONE, "talking")),
    Step("down", "put the handset down", {"hook": OPEN, "line": OPEN}, dict.fromkeys(PHONE, "idle")),
    Step("ring", "have it called from another phone and let it ring: do not lift it",
         {"ring": PULSED, "line": PULSED}, dict.fromkeys(PHONE, "ringing")),
    Step("out", "take the headset out of its cradle", {"dock": OPEN}, {"dock": False}),
    Step("call", "take a call with the headset: its indicator lights", {"lamp": MADE}, {"lamp": True}),
    Step("end", "end that call", {"lamp": OPEN}, {"lamp": False}),
    Step("back", "put the headset back", {"dock": MADE}, {"dock": True}),
)  # fmt: skip
TRIED_BY = {"hook": ("lift", "down"), "line": ("lift", "down", "ring"), "ring": ("ring",), "lamp": ("call", "end"),
            "dock": ("out", "back")}  # fmt: skip

# What was seen → (what is wrong, what to do). {other} is another pin, {whose} what the site file has there.
WORDS = {
    "ok": ("as it should be", ""),
    "untried": ("not tried", ""),
    "changed": ("it changes; which way round it is wired is not known",
                "`callfloor board check` without --seconds asks for each step, and knows"),
    "unseen": ("did not change in this time, so nothing is known of it", "let somebody use the desk meanwhile"),
    "by-usb": ("its headset is read by USB, which has no pins", "`callfloor board usb` lists what is plugged in"),
    "not-read": ("the board does not read {pin}: its board.json is not made of this site file",
                 "callfloor board provision {board}"),
    "unread": ("{pin} cannot be read{why}", "look at the converter or chip behind {pin}"),
    "open": ("nothing changes at {pin}, nor at any other pin: it stays open",
             "hold {pin} to GND at the board: if it changes then, the wire is broken or out of its terminal, or the "
             "switch does not switch; if not, it sits at another pin{free}"),
    "closed": ("{pin} is made all the time: its two wires touch, or the switch's other contact is wired",
               "take the wire off {pin}: if it opens then, the fault is in the cable or at the switch"),
    "elsewhere": ("{other} changed, {pin} did not: the wire of desk {desk}'s {what} sits on {other}, {whose}",
                  "move it from {other} to {pin}, or write {other} in the site file"),
    "swapped": ("{pin} and {other} are swapped: what should be the {name} is the {whose_name}",
                "swap the two wires, or the two pins in the site file"),
    "inverted": ("{pin} changes the wrong way round: it is {wrong} while it should be {right}",
                 'write {key} = "{value}"{besides}, or wire the switch\'s other contact'),
    "chatters": ("{pin} makes and breaks again and again: a loose contact",
                 "press each terminal of this wire in turn, and see when it stops"),
    "slipped": ("{pin} changed and went back by itself: the contact does not hold",
                "look whether the switch is pressed all the way, and at its terminals"),
    "bridge": ("{pin} and {other} move together: a bridge between this wire and the {whose_name}",
               "look for solder, a stray strand or a wrong row between {pin} and {other}{alone}"),
    "dead": ("{pin} shows {mv} mV: no line. It is unplugged, the isolated side has no power, or this wire is open",
             "measure the line with a meter, then the isolated side's 3.3 V; the line's two wires may be either way"),
    "full": ("{pin} shows {mv} mV, as much as it can: TAKE THE WIRE OFF {pin} NOW",
             "the divider or the amplifier is wrong: build it anew by docs/wiring, and measure before it is joined"),
    "divider": ("{pin} makes {volts} V of the line on the hook with divider = {divider}; {usual} V is usual",
                "measure the line with a meter: where it has {usual} V, divider = {better} ({factor} times as much)"),
    "line-stays": ("{pin} stays at {volts} V while the handset is lifted: this is another phone's line",
                   "look which phone's lifting changes it"),
    "line-low": ("{pin} shows {volts} V before anything is lifted: another phone on this line is lifted, or the "
                 "divider is wrong", "measure the line with a meter, everything put down"),
    "line-high": ("{pin} falls to {volts} V only: a lifted handset leaves 4 to 18 V",
                  "measure the line with a meter; write the divider that it makes"),
    "line-gone": ("{pin} falls to {volts} V when the handset is lifted: less than 3 V is no line",
                  "measure the line with a meter; write the divider that it makes"),
    "no-ring": ("no ring is seen at {pin}, nor at any other pin", "if the phone did ring: look at the opto's "
                "side of the line, at its polarity, and at the wire to {pin}"),
    "line-no-ring": ("no ring is seen at {pin}: it swings by {swing} V, and a ring by {ring} V or more",
                     "if the phone did ring: the amplifier's C1 is too large, or the ring too weak; measure it in AC "
                     "volts"),
    "weak-ring": ("{pin} moves with the ring, but too seldom or too short for the board to call it ringing",
                  "let it ring longer; look at the opto's resistor; {times}"),
    "hook-first": ("{pin} moves with the ring; whether the board calls it a ring shows when the hook is right",
                   "mend the hook first, and check again"),
    "ring-at-hook": ("the ring shows at {pin}, which is the hook: each ring looks like a lifted handset",
                     "the capacitor across the hook's opto is gone, open or too small: docs/wiring/phone-contact.md"),
    "not-said": ("{pin} changes as it should, but the board said {said} after this: {do}",
                 "give it more time at each step; {times}"),
}  # fmt: skip


class Finding(NamedTuple):
    """What is known of one wire. `ok` None: nothing is."""

    desk: str
    what: str
    pin: str
    ok: bool | None
    pattern: str  # of WORDS
    words: str
    mend: str
    other: str = ""  # a pin that has to do with it


def wires_of(board: floorplan.Board, desk: str | None = None) -> list[Wire]:
    """The wires of a board's desks, or of one of them, in the order of the site file."""
    found = []
    for number, place in enumerate(board.inputs):
        if desk not in (None, place.desk):
            continue
        by, base = place.phone, place.headset
        rows: list[tuple[str, str | None, str | None]] = []
        if by and by.by == "line":
            found.append(Wire(place.desk, number, "line", by.pin, divider=by.divider or 100))
        elif by:
            rows += [("hook", by.pin, by.active), ("ring", by.ring, by.ring_active or by.active)]
        if base:
            rows += [("lamp", base.pin, base.active), ("dock", base.dock, base.dock_active or base.active)]
        found += [Wire(place.desk, number, what, pin, int(active == "high")) for what, pin, active in rows if pin]
    return found


# What one pin did in one step ---------------------------------------------------------


class Track:
    """One pin's levels in one step."""

    def __init__(self, start: int | None) -> None:
        self.start = start
        self.end = start
        self.events: deque[tuple[int, int | None]] = deque(maxlen=EVENTS)

    def add(self, ms: int, level: int | None) -> None:
        if level != self.end:
            self.events.append((ms, level))
            self.end = level

    @property
    def clusters(self) -> list[tuple[int, int, int]]:
        """(first ms, last ms, how many changes) of changes with no rest between them."""
        rows: list[tuple[int, int, int]] = []
        for ms, _ in self.events:
            if rows and ms - rows[-1][1] < STILL_MS:
                rows[-1] = (rows[-1][0], ms, rows[-1][2] + 1)
            else:
                rows.append((ms, ms, 1))
        return rows

    @property
    def unread(self) -> bool:
        return self.end is None

    @property
    def moved(self) -> bool:
        """Whether it ends elsewhere than it began; a voltage counts by a fifth and more."""
        if self.start is None or self.end is None or self.start == self.end:
            return False
        if max(self.start, self.end) <= 1:
            return True
        return abs(self.end - self.start) > max(SOME_MV, max(self.start, self.end) / 5)

    @property
    def swing(self) -> int:
        levels = [level for _, level in self.events if level is not None]
        return max(levels) - min(levels) if levels else 0

    def together(self, other: Track) -> bool:
        """Whether the other changes whenever this one does, and to the same."""
        pairs = list(zip(self.clusters, other.clusters, strict=False))
        return len(self.clusters) == len(other.clusters) and self.end == other.end and all(
            abs(mine[0] - theirs[0]) <= TOGETHER_MS and abs(mine[1] - theirs[1]) <= TOGETHER_MS
            for mine, theirs in pairs
        )  # fmt: skip

    def loose(self, bounce_ms: int, untouched: bool = False) -> bool:
        """Whether no hand does this, or nobody's hand was there: but one may still put a handset down."""
        rows = self.clusters
        blips = sum(count % 2 == 0 for _, _, count in rows)  # over at once, and as before
        if untouched and (blips > 1 or len(rows) > 2):
            return True
        return len(rows) >= CLUSTERS or any(last - first > bounce_ms and count > 2 for first, last, count in rows)


# The interview ------------------------------------------------------------------------


class Interview:
    """One desk after the other, one step after the other; the steps that no wire shows are left out.

    `free` are pins that nothing reads; `times` are floorplan.line_times. `watched` instead: nobody is asked, and all
    that was seen is judged as a whole.
    """

    def __init__(
        self, board: str, wires: Sequence[Wire], others: Sequence[Wire], free: Sequence[str], times: Mapping[str, int]
    ) -> None:
        self.wires = list(wires)
        self.findings: list[Finding] = []
        self._board = board
        self._owners = {wire.pin: wire for wire in (*others, *wires)}
        # Those first that are beside a wire.
        self.free = sorted(free, key=lambda pin: min(_apart(wire, pin) for wire in self.wires))
        self._times = times
        self.now: dict[str, int | None] = {}  # pin → level
        self._said: dict[tuple[int, str], dict[str, Any]] = {}
        self._heard: set[tuple[int, str]] = set()  # states that were said in this step
        self._tracks: dict[str, dict[str, Track]] = {}  # step → pin → what it did
        self._otherwise: dict[tuple[str, str], str] = {}  # what, step → what the board said instead, if it did
        self._began_ms = self._ms = 0
        self._held_ms: int | None = None  # since when this step's end is there
        self._todo = [
            (desk, step)
            for desk in dict.fromkeys(wire.desk for wire in wires)
            for step in STEPS
            if step.name == "rest" or any(w.desk == desk and w.what in step.shows for w in wires)
        ]

    # What comes in

    def levels(self, ms: int, levels: Mapping[str, int | None]) -> list[str]:
        """All pins at a time; words for those that are something else than before."""
        news = []
        for pin, level in levels.items():
            if self.now.get(pin, ...) != level:
                if words := self._words_of_change(pin, level):
                    news.append(words)
                self.now[pin] = level
            if self._todo:
                self._track(pin, level).add(ms, level)
        return news

    def told(self, ms: int) -> None:
        """The board has told everything up to here."""
        self._ms = ms

    def said(self, number: int, what: str, fields: dict[str, Any]) -> str:
        """A reading of the board's; words for it where it is of a desk under test."""
        before = self._said.get((number, what))
        self._said[number, what] = fields
        if what == "phone":
            self._heard.add((number, fields["state"]))
        desk = next((wire.desk for wire in self.wires if wire.number == number), None)
        if desk is None or before == fields:
            return ""
        return f"    the board: {what} of desk {desk} {spoken(what, fields)}"

    def _track(self, pin: str, level: int | None) -> Track:
        tracks = self._tracks.setdefault(self._todo[0][1].name, {})
        if pin not in tracks:
            tracks[pin] = Track(level)
        return tracks[pin]

    def _words_of_change(self, pin: str, level: int | None) -> str:
        if pin not in self.now:
            return ""
        owner, before = self._owners.get(pin), self.now[pin]
        whose = str(owner) if owner else "nothing in the site file"
        if level is None or before is None:
            return f"    {pin} {'cannot be read' if level is None else f'is read again: {level}'} ({whose})"
        if owner and owner.what == "line":
            if abs(level - before) < max(SOME_MV, before / 5):
                return ""
            return f"    {pin} {before} → {level} mV, {_volts(owner, level)} V ({whose})"
        state = "" if not owner else ", made" if level == owner.made else ", open"
        return f"    {pin} {before} → {level} ({whose}{state})"

    # The steps

    @property
    def step(self) -> Step | None:
        return self._todo[0][1] if self._todo else None

    def asks(self) -> str:
        """What is to be done now."""
        desk, step = self._todo[0]
        return f"Desk {desk}: {step.do}"

    def begin(self) -> None:
        """The step begins with the levels that are there."""
        self._began_ms, self._held_ms = self._ms, None
        self._heard.clear()
        if self._todo:  # else the board reads none of these wires
            self._tracks[self._todo[0][1].name] = {pin: Track(level) for pin, level in self.now.items()}

    @property
    def settle_ms(self) -> int:
        """So long after the deed the board may still be thinking."""
        if self._todo[0][1].name in ("call", "end", "out", "back"):
            return SETTLE_MS + headset.STEADY_MS
        return SETTLE_MS + max(self._times["hangup_ms"], self._times["burst_ms"])

    def met(self) -> bool:
        """Whether there is nothing more to wait for in this step."""
        desk, step = self._todo[0]
        if step.name == "rest":
            return self._ms - self._began_ms >= REST_MS
        wires = [wire for wire in self.wires if wire.desk == desk and wire.what in step.shows]
        if not all(self._shows(wire, step) and self._says(wire, step) for wire in wires):
            self._held_ms = None
            return False
        if self._held_ms is None:
            self._held_ms = self._ms
        return self._ms - self._held_ms >= SURE_MS

    def end(self, skipped: bool = False) -> list[Finding]:
        """The step is over: what is known now of wires that need no other step. Goes on to the next step."""
        desk, step = self._todo[0]
        if skipped:
            self._tracks.pop(step.name, None)
        for wire in self.wires:
            if wire.desk == desk and wire.what in step.shows:
                self._otherwise[wire.what, step.name] = "" if self._says(wire, step) else self._spoken(wire)
        done = [
            self._judge(wire)
            for wire in self.wires
            if wire.desk == desk and self._last_step(wire) == step.name
        ]
        if step.name == "ring":
            done = _with(done, self._ring_at_hook(desk))
        if len(self._todo) == 1 or self._todo[1][0] != desk:
            done = _with(done, self._bridged(desk, _with(self.findings, done)))
        self.findings = _with(self.findings, done)
        self._todo.pop(0)
        if self._todo and self._todo[0][0] != desk:
            self._tracks = {}
        return done

    def _last_step(self, wire: Wire) -> str:
        names = [step.name for step in STEPS if wire.what in step.shows]
        return names[-1]

    def result(self) -> list[Finding]:
        """All wires in the order of the site file, swapped pairs found; those not reached are untried."""
        known = {(row.desk, row.what): row for row in self.findings}
        rows = [known.get((wire.desk, wire.what)) or self._finding(wire, "untried", None) for wire in self.wires]
        return [self._swapped(row, rows) for row in rows]

    # What it means

    def _shows(self, wire: Wire, step: Step) -> bool:
        track = self._tracks.get(step.name, {}).get(wire.pin)
        if track is None or track.end is None:
            return False
        wanted = step.shows[wire.what]
        if wire.what == "line":
            if wanted == PULSED:
                return track.swing * wire.divider / 1000 >= RING_V
            return (DEAD_V <= _v(wire, track.end) < LIFTED_V) is (wanted == MADE)
        if wanted == PULSED:
            return len(track.events) >= PULSES
        return (track.end == wire.made) is (wanted == MADE)

    def _says(self, wire: Wire, step: Step) -> bool:
        wanted = step.says[wire.what]
        if wire.what in PHONE:
            state = self._said.get((wire.number, "phone"), {}).get("state")
            return state == wanted or (wanted == "ringing" and (wire.number, "ringing") in self._heard)
        told = self._said.get((wire.number, "headset"), {})
        return told.get("in_call" if wire.what == "lamp" else "docked") is wanted

    def _judge(self, wire: Wire) -> Finding:
        """One wire, by all steps that have to do with it."""
        tracks = [(step, track) for step in STEPS if step.name in TRIED_BY[wire.what] or step.name == "rest"
                  if (track := self._tracks.get(step.name, {}).get(wire.pin))]  # fmt: skip
        tried = [(step, track) for step, track in tracks if step.name != "rest"]
        if not tried:
            return self._finding(wire, "untried", None)
        if any(track.unread for _, track in tracks):
            return self._finding(wire, "unread", False, why=self._why(wire))
        if wire.what == "line":
            return self._judge_line(wire, {step.name: track for step, track in tracks})
        if wire.what == "ring":
            return self._judge_ring(wire, tracks[0][1], tried[0][1])
        why = self._said.get((wire.number, "phone" if wire.what == "hook" else "headset"), {}).get("why")
        if wire.what == "lamp":
            loose = why == "chatter" and any(len(track.events) > 2 for _, track in tried)
        else:
            loose = any(track.loose(BOUNCE_MS[wire.what], untouched=step.name == "rest") for step, track in tracks)
        if loose:
            return self._finding(wire, "chatters", False)
        right = all(track.end == self._level(wire, step) for step, track in tried)
        if not any(track.moved for _, track in tried) and not (right and self._moved_before(wire)):
            return self._judge_still(wire, tried)
        if right:
            for step, _ in tried:
                if said := self._otherwise.get((wire.what, step.name)):
                    return self._finding(wire, "not-said", False, said=said, do=step.do)
            return self._finding(wire, "ok", True)
        if all(track.moved and track.end != self._level(wire, step) for step, track in tried):
            return self._finding(wire, "inverted", False)
        return self._finding(wire, "slipped", False)

    def _level(self, wire: Wire, step: Step) -> int:
        return wire.made if step.shows[wire.what] == MADE else 1 - wire.made

    def _moved_before(self, wire: Wire) -> bool:
        """An indicator may have been lit by the step before: by taking the headset out."""
        return wire.what == "lamp" and any(
            track.moved for tracks in self._tracks.values() if (track := tracks.get(wire.pin))
        )

    def _judge_still(self, wire: Wire, tried: list[tuple[Step, Track]]) -> Finding:
        if other := self._moved_instead(wire, [step for step, _ in tried]):
            return self._finding(wire, "elsewhere", False, other)
        slipped = any(track.events for _, track in tried)
        if slipped:
            return self._finding(wire, "slipped", False)
        return self._finding(wire, "closed" if tried[0][1].end == wire.made else "open", False)

    def _moved_instead(self, wire: Wire, steps: list[Step]) -> str:
        """Another pin that moved in each of the steps: the desk's own first, then the same kind at other desks."""
        found = [
            pin
            for pin in self.now
            if pin != wire.pin
            and all((track := self._tracks[step.name].get(pin)) and track.moved for step in steps)
            and not self._is_known_good(pin)
        ]
        return min(found, key=lambda pin: self._far(wire, pin), default="")

    def _far(self, wire: Wire, pin: str) -> tuple[bool, bool, int]:
        """How unlikely it is that a wire was put there by mistake."""
        owner = self._owners.get(pin)
        return (owner is None or owner.desk != wire.desk, owner is not None and owner.what != wire.what,
                _apart(wire, pin))  # fmt: skip

    def _is_known_good(self, pin: str) -> bool:
        return any(row.pin == pin and row.ok for row in self.findings)

    def _bridged(self, desk: str, known: list[Finding]) -> list[Finding]:
        """Wires of a desk that are right by themselves, and with which another pin goes in all of its steps."""
        right = {row.what for row in known if row.desk == desk and row.ok}
        return [
            self._finding(wire, "bridge", False, other)
            for wire in self.wires
            if wire.desk == desk and wire.what in right and (other := self._always_with(wire))
        ]

    def _always_with(self, wire: Wire) -> str:
        """The nearest such pin: once is chance, so they went together twice and more."""
        tracks = list(self._tracks.values())
        found = []
        for pin in self.now:
            owner = self._owners.get(pin)
            if pin == wire.pin or "line" in (wire.what, owner.what if owner else ""):
                continue
            pairs = [(mine, other) for both in tracks if (mine := both.get(wire.pin)) and (other := both.get(pin))]
            if sum(len(mine.events) for mine, _ in pairs) > 1 and all(mine.together(other) for mine, other in pairs):
                found.append(pin)
        return min(found, key=lambda pin: self._far(wire, pin), default="")

    def _judge_ring(self, wire: Wire, before: Track, track: Track) -> Finding:
        if len(track.events) >= PULSES:
            if before.start == wire.made:
                return self._finding(wire, "inverted", False)
            disturbed = any(self._pulsed(pin) for pin, owner in self._owners.items()
                            if owner.desk == wire.desk and owner.what == "hook")  # fmt: skip
            if disturbed or (wire.number, "ringing") in self._heard:
                return self._finding(wire, "ok", True)
            if any(row.ok is not True for row in self.findings if row.desk == wire.desk and row.what == "hook"):
                return self._finding(wire, "hook-first", None)
            return self._finding(wire, "weak-ring", False)
        pulsed = [
            pin
            for pin, other in self._tracks["ring"].items()
            if pin != wire.pin and self._pulsed(pin) and other.swing <= 1 and not self._is_known_good(pin)
        ]
        if pulsed:
            return self._finding(wire, "elsewhere", False, min(pulsed, key=lambda pin: self._far(wire, pin)))
        return self._finding(wire, "closed" if track.end == wire.made else "no-ring", False)

    def _pulsed(self, pin: str) -> bool:
        track = self._tracks.get("ring", {}).get(pin)
        return track is not None and len(track.events) >= PULSES

    def _ring_at_hook(self, desk: str) -> list[Finding]:
        """The hook, if it was right, and moves with the ring."""
        rows = [row for row in self.findings if row.desk == desk and row.what == "hook" and row.ok]
        wires = [wire for wire in self.wires if wire.desk == desk and wire.what == "hook"]
        return [self._finding(wire, "ring-at-hook", False) for wire in wires if rows and self._pulsed(wire.pin)]

    def _judge_line(self, wire: Wire, tracks: dict[str, Track]) -> Finding:
        down = tracks["lift"].start if "lift" in tracks else tracks["rest"].end if "rest" in tracks else None
        lifted = tracks["lift"].end if "lift" in tracks else None
        if down is None:
            down = tracks["down"].end if "down" in tracks else tracks["ring"].start
        assert down is not None
        if down >= FULL_MV:
            return self._finding(wire, "full", False, mv=down)
        if _v(wire, down) < DEAD_V and (down < SOME_MV or lifted is None or not tracks["lift"].moved):
            return self._finding(wire, "dead", False, mv=down)
        fell = lifted is not None and lifted < down and tracks["lift"].moved
        if _v(wire, down) > MOST_V or (_v(wire, down) < LIFTED_V and fell):
            factor = USUAL_V / _v(wire, down)
            return self._finding(wire, "divider", False, volts=_volts(wire, down), divider=f"{wire.divider:g}",
                                 usual=USUAL_V, better=f"{wire.divider * factor:.3g}",
                                 factor=f"{factor:.2g}")  # fmt: skip
        if lifted is not None and not fell:
            if other := self._moved_instead(wire, [step for step in STEPS if step.name in ("lift", "down")
                                                   and step.name in tracks]):  # fmt: skip
                return self._finding(wire, "elsewhere", False, other)
            low = _v(wire, down) < LIFTED_V
            return self._finding(wire, "line-low" if low else "line-stays", False, volts=_volts(wire, down))
        if lifted is not None and not DEAD_V <= _v(wire, lifted) < LIFTED_V:
            pattern = "line-gone" if _v(wire, lifted) < DEAD_V else "line-high"
            return self._finding(wire, pattern, False, volts=_volts(wire, lifted))
        if "ring" in tracks:
            swing = tracks["ring"].swing * wire.divider / 1000
            if swing < RING_V / 2:  # half of it, folded, is a ring too
                return self._finding(wire, "line-no-ring", False, swing=f"{swing:.0f}", ring=f"{RING_V:.0f}")
            if (wire.number, "ringing") not in self._heard:
                return self._finding(wire, "weak-ring", False)
        if lifted is None and "ring" not in tracks:
            return self._finding(wire, "untried", None)
        return self._finding(wire, "ok", True)

    def _swapped(self, row: Finding, rows: list[Finding]) -> Finding:
        """Two wires, each at the other's pin, are one fault."""
        if row.pattern == "elsewhere":
            for other in rows:
                if other.pattern == "elsewhere" and other.pin == row.other and other.other == row.pin:
                    wire = next(wire for wire in self.wires if wire.pin == row.pin)
                    return self._finding(wire, "swapped", False, row.other)
        return row

    # All at once, nobody asked

    def watched(self) -> list[Finding]:
        """What can be said of the wires when they were only watched, through the step `rest`."""
        rows = []
        gone = {row.pin: row for row in self.findings if row.pattern == "not-read"}
        for wire in self.wires:
            track = self._tracks.get("rest", {}).get(wire.pin)
            what = "phone" if wire.what in PHONE else "headset"
            why = self._said.get((wire.number, what), {}).get("why")
            if wire.pin in gone:
                rows.append(gone[wire.pin])
            elif track is None or track.unread:
                rows.append(self._finding(wire, "unread", False, why=self._why(wire)))
            elif wire.what == "line":
                rows.append(self._watched_line(wire, track))
            elif self._chattered(wire, track, why):
                rows.append(self._finding(wire, "chatters", False))
            elif why is not None and track.events:
                rows.append(self._finding(wire, "not-said", False, said=self._spoken(wire), do="it was watched"))
            else:
                rows.append(self._finding(wire, "changed" if track.events else "unseen", None))
        return rows

    @staticmethod
    def _chattered(wire: Wire, track: Track, why: str | None) -> bool:
        """A bell's and a lamp's contact may come and go for long: of theirs the board judges."""
        if wire.what in BOUNCE_MS:
            return any(last - first > debounce.CHATTER_MS for first, last, _ in track.clusters)
        return wire.what == "lamp" and why == "chatter" and len(track.events) > 2

    def _watched_line(self, wire: Wire, track: Track) -> Finding:
        levels = [track.start, *(level for _, level in track.events)]
        mv = [level for level in levels if level is not None]
        if max(mv) >= FULL_MV:
            return self._finding(wire, "full", False, mv=max(mv))
        if _v(wire, max(mv)) < DEAD_V:
            return self._finding(wire, "dead", False, mv=max(mv))
        seen = {_v(wire, level) < LIFTED_V for level in mv}
        return self._finding(wire, "ok" if len(seen) == 2 else "unseen", len(seen) == 2 or None)

    # Words

    def _why(self, wire: Wire) -> str:
        why = self._said.get((wire.number, "phone" if wire.what in PHONE else "headset"), {}).get("why")
        return f" ({why})" if why else ""

    def _spoken(self, wire: Wire) -> str:
        what = "phone" if wire.what in PHONE else "headset"
        fields = self._said.get((wire.number, what))
        return f"{what} {spoken(what, fields)}" if fields else f"nothing of the {what}"

    def _finding(self, wire: Wire, pattern: str, ok: bool | None, other: str = "", **more: object) -> Finding:
        owner = self._owners.get(other)
        wrong, right = ("made", "open") if wire.what == "ring" else ("open", "made")
        turned = {"active": "low" if wire.made else "high"}
        keeps = ""
        if pattern == "inverted" and wire.what in ("hook", "lamp"):
            second, key = ("ring", "ring_active") if wire.what == "hook" else ("dock", "dock_active")
            if any(w.desk == wire.desk and w.what == second for w in self.wires):
                keeps = f' (and {key} = "{"high" if wire.made else "low"}", if the {NAMES[second]} is right as it is)'
        near = sorted((pin for pin in self.free if pin not in self.now), key=lambda pin: _apart(wire, pin))[:4]
        alone = ""
        if wire.what == "ring" and owner and owner.what == "ring":
            alone = "; where one call rings both phones, have this one called alone and try again"
        fields = {
            "pin": wire.pin, "desk": wire.desk, "what": NAMES[wire.what], "board": self._board, "other": other,
            "whose": f"which the site file gives to {owner}" if owner else "which the site file gives to nothing",
            "whose_name": str(owner) if owner else f"wire at {other}", "name": str(wire),
            "wrong": wrong, "right": right, "key": KEYS.get(wire.what, ""), "value": turned["active"],
            "alone": alone, "besides": keeps, "free": f": {', '.join(near)} are read by nothing" if near else "",
            "times": f"[phones] says a ring lasts {self._times['burst_ms']} ms and more, and hanging up "
                     f"{self._times['hangup_ms']} ms",
        } | more  # fmt: skip
        words, mend = WORDS[pattern]
        return Finding(wire.desk, wire.what, wire.pin, ok, pattern,
                       words.format(**fields), mend.format(**fields), other)  # fmt: skip

    def not_read(self, pins: Iterable[str]) -> None:
        """The board reads these pins only: the wires at others are not tried."""
        there = set(pins)
        gone = [wire for wire in self.wires if wire.pin not in there]
        self.findings += [self._finding(wire, "not-read", False) for wire in gone]
        left = [wire for wire in self.wires if wire.pin in there]
        self._todo = [
            (desk, step)
            for desk, step in self._todo
            if any(w.desk == desk and (step.name == "rest" or w.what in step.shows) for w in left)
        ]


def by_usb(board: floorplan.Board, desk: str | None = None) -> list[Finding]:
    """The headsets that no pin tells of."""
    words, mend = WORDS["by-usb"]
    return [
        Finding(place.desk, "usb", place.headset.port or "", None, "by-usb", words, mend)
        for place in board.inputs
        if desk in (None, place.desk) and place.headset and place.headset.by == "usb"
    ]


def spoken(what: str, fields: Mapping[str, Any]) -> str:
    """A reading in words: talking; in call, docked; unknown (chatter)."""
    why = f" ({fields['why']})" if fields.get("why") else ""
    if what == "phone":
        return f"{fields['state']}{why}"
    pairs = (("in_call", "in a call", "no call"), ("ringing", "rings", ""), ("muted", "muted", ""),
             ("docked", "docked", "taken out"), ("worn", "worn", ""), ("link", "", "no link"))  # fmt: skip
    told = [yes if fields[name] else no for name, yes, no in pairs if fields.get(name) is not None]
    return (", ".join(word for word in told if word) or "unknown") + why


def _with(rows: list[Finding], newer: list[Finding]) -> list[Finding]:
    """What was found of each wire last."""
    new = {(row.desk, row.what) for row in newer}
    return [row for row in rows if (row.desk, row.what) not in new] + newer


def _v(wire: Wire, millivolts: int) -> float:
    return millivolts * wire.divider / 1000


def _volts(wire: Wire, millivolts: int) -> str:
    return f"{_v(wire, millivolts):.3g}"


def _apart(wire: Wire, pin: str) -> int:
    """How far a pin is from where a wire should be, by their numbers."""
    return abs(_number(pin) - _number(wire.pin))


def _number(pin: str) -> int:
    return int("".join(letter for letter in pin if letter.isdigit()) or 0)
