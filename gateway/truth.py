"""The floor against the phone system: where a desk and the PBX tell different stories for too long.

A desk's readings, the PBX's word and the time in; findings out. Pure: no network and no clock.
docs/findings.md says what each finding means, and to whom.

A rule looks at both sides. What is not known on either, because a sensor is missing or faulty, the
board or the broker or the phone system is away, or nobody is tied to the desk, is no evidence of
anything: no rule holds. Both sides have to tell the same two stories for the rule's whole time, so
that one of them may be a moment late with a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import floorplan
from gateway.desk import Desk, seen

BLIND_S = 60.0  # so long a finding is remembered whose sides are out of sight: as long as an alarm stands unseen


@dataclass(frozen=True, slots=True)
class Sides:
    """What both sides say of a desk. None is unknown, or not there."""

    phone: str | None = None  # idle, ringing, talking, held; or unknown: there, and tells nothing
    phone_by: str = ""  # contact, line, url
    headset_by: str = ""  # contact, usb
    in_call: bool | None = None
    docked: bool | None = None
    lost: str = ""  # why the board that reads all this is lost, in words
    talked: bool = False  # when it was last heard
    pbx: str | None = None  # idle, busy, ringing, held, unavailable
    asked: bool = False  # the phone system can be asked about this desk
    paused: bool = False
    open: bool = True  # the house, by its opening hours


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a desk and the phone system cannot both be right."""

    kind: str  # as `desk/+/finding` calls it; its time in [truth] is called the same
    holds: Callable[[Sides], bool]
    todo: str

    @property
    def setting(self) -> str:
        """The name of its time in [truth]."""
        return self.kind.replace("-", "_") + "_s"


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not fit at one desk."""

    kind: str
    since_s: float  # since both sides tell it, on the gateway's clock
    desk: str  # what the desk's sensors say, in words
    pbx: str  # what the phone system says
    todo: str  # what to do


def _rings_in_an_empty_chair(s: Sides) -> bool:
    nothing_lifted = s.phone in (None, "idle", "ringing") and not s.in_call
    return s.pbx == "ringing" and s.docked is True and nothing_lifted


def _offers_an_empty_chair(s: Sides) -> bool:
    nothing_lifted = s.phone in (None, "idle") and not s.in_call
    return s.pbx == "idle" and not s.paused and s.docked is True and nothing_lifted and s.open


def _only_the_handset_is_up(s: Sides) -> bool:
    return s.pbx == "idle" and s.phone == "talking" and not s.in_call


def _talks_past_the_pbx(s: Sides) -> bool:
    return s.pbx == "idle" and (s.in_call is True or s.phone == "held")


def _nobody_is_in_the_call(s: Sides) -> bool:
    """A hook contact sees only the handset, so a headset must say no too; a line sees every call at its phone.

    On hold nobody has to hold anything: who goes to ask a colleague puts the handset down.
    """
    headset_rests = s.in_call is False or (s.docked is True and not s.in_call)
    sees_all = s.phone_by in ("line", "url") and not s.headset_by
    return s.pbx == "busy" and s.phone == "idle" and (headset_rests or sees_all)


def _call_out_of_sight(s: Sides) -> bool:
    return bool(s.lost) and (s.pbx in ("busy", "held") or (s.talked and not s.asked))


# The first that holds; no two do at the same time.
RULES: tuple[Rule, ...] = (
    Rule("empty-desk-rings", _rings_in_an_empty_chair,
         "Nobody is there for this call: answer it, or pause the desk at the phone system."),
    Rule("available-but-docked", _offers_an_empty_chair,
         "Pause the desk or log it out at the phone system, or calls will ring where nobody is; "
         "is somebody there, take the headset out of its cradle."),
    Rule("off-hook-no-call", _only_the_handset_is_up,
         "Put the handset back on its hook, or end the call at the phone: no call can come through like this."),
    Rule("lifted-nothing-at-pbx", _talks_past_the_pbx,
         "Ask what the call is: it does not go through the phone system, or the site file ties the desk "
         "to the wrong extension or device."),
    Rule("call-nothing-lifted", _nobody_is_in_the_call,
         "Look whether anybody talks there: if not, end the call at the phone system; if so, check the desk's "
         "extension and its sensors."),
    Rule("board-lost-under-busy-desk", _call_out_of_sight,
         "The call goes on, only unseen: look at the board's power and its network."),
)  # fmt: skip
KINDS = tuple(rule.kind for rule in RULES)

PHONE_WORDS = {
    "idle": "the handset is on its hook",
    "ringing": "the phone rings",
    "talking": "the handset is lifted",
    "held": "the phone holds a call",
}
URL_WORDS = {  # an IP phone may be in a call by its headset or speaker
    "idle": "its phone says: on its hook, no call",
    "talking": "its phone says: lifted, or in a call",
}
PBX_WORDS = {
    "idle": "no call, ready for one",
    "ringing": "a call rings there",
    "busy": "in a call",
    "held": "a call is on hold",
    "unavailable": "its phone cannot be reached",
}


@dataclass(slots=True)
class Differs:
    """A rule that holds at a desk now, perhaps not for long enough yet."""

    rule: Rule
    since_s: float


@dataclass(frozen=True, slots=True)
class Blind:
    """A finding that is none just now, only because a side of it is out of sight."""

    finding: Finding
    sides: Sides  # as they were last seen
    until_s: float


class Truth:
    """The findings of one floor. `look` at every change of a desk, `due` a few times a second."""

    def __init__(self, settings: floorplan.Truth) -> None:
        self.findings: dict[str, Finding] = {}  # by desk
        self.blind: dict[str, Blind] = {}  # by desk: seen again as it was, it has stood all the while
        self.open = True  # the house, by its opening hours: nobody has to sit at a desk outside of them
        self._hold_s = float(settings.hold_s)
        self._rules = [rule for rule in RULES if rule.kind not in settings.off]
        self._after_s = {rule.kind: float(getattr(settings, rule.setting)) for rule in RULES}
        self._sides: dict[str, Sides] = {}  # as last looked at
        self._differs: dict[str, Differs] = {}  # desks at which a rule holds
        self._ends_s: dict[str, float] = {}  # desks that fit again: when that is believed
        self._due_s: dict[str, float] = {}  # when time alone changes something at a desk

    def look(self, name: str, desk: Desk, now_s: float) -> bool:
        """Something may have changed at a desk. Returns whether its finding did."""
        before, now = self._sides.get(name), sides(desk, self.open)
        if now == before:
            return self._settle(name, now_s)
        self._sides[name] = now
        rule = next((rule for rule in self._rules if rule.holds(now)), None)
        differs = self._differs.get(name)
        if rule is None:
            self._differs.pop(name, None)
        elif differs is None or differs.rule is not rule:
            self._differs[name] = Differs(rule, now_s)
        self._see_again(name, now, now_s)
        finding = self.findings.get(name)
        if finding and (rule is None or rule.kind != finding.kind):
            blind = before is not None and _blinder(before, now)
            if before and blind:
                self.blind[name] = Blind(finding, before, now_s + BLIND_S)
            self._ends_s[name] = now_s if blind else self._ends_s.get(name, now_s + self._hold_s)
        return self._settle(name, now_s)

    def _see_again(self, name: str, now: Sides, now_s: float) -> None:
        """What was out of sight at a desk may be seen again: is it as it was, its finding goes on."""
        blind = self.blind.get(name)
        if blind is None or (_blinder(blind.sides, now) and now_s < blind.until_s):
            return
        del self.blind[name]
        differs = self._differs.get(name)
        if differs and differs.rule.kind == blind.finding.kind and now_s < blind.until_s:
            differs.since_s = blind.finding.since_s

    def take_over(self, before: Truth, desks: Iterable[str]) -> None:
        """These desks are as they were under another plan: what did not fit there has not fitted since then."""
        self.open = before.open
        for name in desks:
            self._sides[name] = before._sides[name]
            if name in before._due_s:
                self._due_s[name] = before._due_s[name]
            if name in before._differs and before._differs[name].rule in self._rules:
                self._differs[name] = before._differs[name]
            if name in before.blind and before.blind[name].finding.kind in {rule.kind for rule in self._rules}:
                self.blind[name] = before.blind[name]
            if name in before.findings and before.findings[name].kind in {rule.kind for rule in self._rules}:
                self.findings[name] = before.findings[name]
                if name in before._ends_s or name not in self._differs:
                    self._ends_s[name] = before._ends_s.get(name, 0.0)

    def due(self, now_s: float) -> set[str]:
        """What time alone has decided: the desks whose finding has begun or ended."""
        for name in [name for name, blind in self.blind.items() if blind.until_s <= now_s]:
            del self.blind[name]
        late = [name for name, due_s in self._due_s.items() if due_s <= now_s]
        return {name for name in late if self._settle(name, now_s)}

    def _settle(self, name: str, now_s: float) -> bool:
        """Lets a desk's finding begin, go on or end, as the time has come."""
        before = finding = self.findings.get(name)
        differs = self._differs.get(name)
        if finding and differs and differs.rule.kind == finding.kind:
            differs.since_s = finding.since_s
            self._ends_s.pop(name, None)
            finding = _found(differs, self._sides[name])
        elif finding and now_s >= self._ends_s[name]:
            finding = None
        if differs and now_s >= differs.since_s + self._after_s[differs.rule.kind]:
            finding = _found(differs, self._sides[name])
        if finding:
            self.findings[name] = finding
        else:
            self.findings.pop(name, None)
        if finding is None or (differs and differs.rule.kind == finding.kind):
            self._ends_s.pop(name, None)
        self._due_s.pop(name, None)
        due_s = self._next_s(name)
        if due_s is not None:
            self._due_s[name] = due_s
        return finding != before

    def _next_s(self, name: str) -> float | None:
        """When time alone changes something at a desk; None: never."""
        times = [self._ends_s[name]] if name in self._ends_s else []
        differs, finding = self._differs.get(name), self.findings.get(name)
        if differs and (finding is None or finding.kind != differs.rule.kind):
            times.append(differs.since_s + self._after_s[differs.rule.kind])
        return min(times, default=None)


def sides(desk: Desk, is_open: bool = True) -> Sides:
    """Both sides of a desk as they can be relied on: what is out of sight is unknown."""
    talked = desk.phone in ("talking", "held") or bool(desk.in_call)
    desk = seen(desk)
    if desk.dark:
        return Sides()
    told = Sides(
        pbx=None if desk.member == "unknown" else desk.member,
        paused=desk.paused,
        asked=desk.asked,
        open=is_open,
    )
    if desk.lost:
        return replace(told, lost=desk.lost, talked=talked)
    return replace(
        told, phone=desk.phone, phone_by=desk.phone_by, headset_by=desk.headset_by,
        in_call=desk.in_call, docked=desk.docked,
    )  # fmt: skip


def _blinder(before: Sides, now: Sides) -> bool:
    """Something that was known is known no more: nothing may rest on it, not even for a moment."""
    if now.lost and not before.lost:
        return True
    known: list[tuple[object, object]] = [(before.pbx, now.pbx)]
    if not before.lost:
        known += [(before.in_call, now.in_call), (before.docked, now.docked)]
        known += [(_told(before.phone), _told(now.phone))]
    return any(was is not None and still is None for was, still in known)


def _told(phone: str | None) -> str | None:
    return None if phone == "unknown" else phone


def _found(differs: Differs, now: Sides) -> Finding:
    return Finding(differs.rule.kind, differs.since_s, _desk_words(now), _pbx_words(now), differs.rule.todo)


def _desk_words(now: Sides) -> str:
    if now.lost:
        return now.lost
    headset = {True: "the headset is in a call", False: "the headset is in no call", None: ""}[now.in_call]
    cradle = "the headset lies in its cradle" if now.docked else ""
    table = PHONE_WORDS | URL_WORDS if now.phone_by == "url" else PHONE_WORDS
    words = (table.get(now.phone or "", ""), headset, cradle)
    return ", ".join(word for word in words if word)


def _pbx_words(now: Sides) -> str:
    if now.pbx is None:
        return "nothing is asked of it here"
    if now.paused and now.pbx == "idle":
        return "no call, paused"
    return PBX_WORDS[now.pbx]
