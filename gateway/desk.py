"""What is going on at one desk: readings and the PBX's word in, one status and its reason out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(slots=True)
class Desk:
    """All that is known about one desk. None is unknown."""

    id: str
    board: str | None = None  # the board it is plugged in at
    phone_by: str = ""  # what reads its phone: contact, line, url; empty: nothing does
    headset_by: str = ""  # what reads its headset: contact, usb
    lost: str = ""  # why its board is lost, in words; empty while it is there
    dark: str = ""  # why nothing can be known of its board, in words
    heard: bool = False  # this start of its board has said something of it
    told: bool = True  # False: its board still reads for somebody else what is plugged in here
    phone: str | None = None  # idle, ringing, talking, held, unknown
    phone_why: str = ""  # why it is unknown, in words
    phone_muted: bool | None = None  # as an IP phone says
    in_call: bool | None = None
    rings: bool | None = None  # the headset
    muted: bool | None = None
    docked: bool | None = None
    headset_why: str = ""  # why the headset tells nothing, in words
    member: str | None = None  # the PBX's word: idle, busy, ringing, held, unavailable, unknown
    paused: bool = False  # in every queue it serves
    asked: bool = False  # the phone system can be asked about this desk: it has an extension or a device
    untied: str = ""  # seating by login: why nobody is known to sit here, in words
    missed: int = 0  # readings that never came


# Why a sensor that is there tells nothing, by the words of firmware/contract.py; {board} is where it is.
PHONE_WHY = {
    "unplugged": "the phone's line is dead: unplugged?",
    "chatter": "the hook contact chatters: look at its wiring",
    "flood": "the phone reports faster than it should",
    "rubbish": "the phone says what cannot be",
    "forbidden": "board {board} may not read the phone: its log says what to run there",
    "broken": "reading the phone fails: the log of board {board} says why",
}
HEADSET_WHY = {
    "unplugged": "no headset answers: unplugged?",
    "chatter": "the headset's contact chatters: look at its wiring",
    "flood": "the headset reports faster than it should: plug it in anew",
    "rubbish": "the headset's descriptor cannot be true: it is not read",
    "forbidden": "board {board} may not read the headset: run `callfloor udev` there",
    "broken": "reading the headset fails: plug it in anew",
}

Rule = tuple[Callable[[Desk], object], str, str]

# The first row that holds is the conclusion. What a sensor sees at the desk comes before
# what the PBX says, because people look up at the wall from the desk.
RULES: tuple[Rule, ...] = (
    (lambda d: d.dark, "unknown", "{dark}"),
    (lambda d: d.lost, "lost", "{lost}"),
    (lambda d: d.board and not d.told and _tells_nothing(d), "unknown",
     "board {board} is not told yet what it reads here"),
    (lambda d: d.board and not d.heard and _tells_nothing(d), "unknown",
     "no word from board {board} about this desk yet"),
    (lambda d: _talks(d) and d.member == "held", "held", "the phone system says: on hold"),
    (lambda d: d.phone == "held", "held", "the phone is on hold"),
    (lambda d: d.phone == "talking" and d.phone_by == "url", "talking", "its phone is lifted, or in a call"),
    (lambda d: d.phone == "talking", "talking", "the handset is lifted"),
    (lambda d: d.in_call, "talking", "the headset is in a call"),
    (lambda d: d.phone == "ringing", "ringing", "the phone rings"),
    (lambda d: d.rings, "ringing", "the headset rings"),
    (lambda d: d.member == "ringing", "ringing", "the phone system rings it"),
    (lambda d: d.member == "held", "held", "the phone system says: on hold"),
    (lambda d: d.member == "busy", "talking", "the phone system says: in a call"),
    (lambda d: d.paused, "away", "paused at the phone system"),
    (lambda d: d.docked, "away", "the headset lies in its cradle"),
    (lambda d: d.member == "unavailable", "away", "the phone system cannot reach its phone"),
    (lambda d: faults(d) and not _one_tells(d), "unknown", "{fault}"),
    (lambda d: d.untied, "unknown", "{untied}"),
    (lambda d: d.phone == "unknown" and not _one_tells(d), "unknown",
     "its phone has told nothing yet"),
    (lambda d: d.board and _tells_nothing(d), "unknown", "its sensors have told nothing yet"),
    (lambda d: d.phone_by == "url" and _tells_nothing(d) and d.member in (None, "unknown"), "unknown",
     "its phone has told nothing yet"),
    (lambda d: not d.board and d.phone is None and d.member in (None, "unknown"), "unknown",
     "no board reads it, and the phone system says nothing about it"),
    (lambda d: d.phone == "idle", "free", "handset down, nobody rings"),
    (lambda d: d.in_call is False, "free", "the headset is in no call"),
    (lambda d: True, "free", "nothing says otherwise"),
)  # fmt: skip


def _talks(desk: Desk) -> bool:
    return desk.phone == "talking" or bool(desk.in_call)


def _tells_nothing(desk: Desk) -> bool:
    return desk.phone is None and desk.in_call is None and desk.rings is None and desk.docked is None


def _one_tells(desk: Desk) -> bool:
    """One sensor that sees calls is well, whatever the other is."""
    return desk.phone not in (None, "unknown") or desk.in_call is not None


def conclude(desk: Desk) -> tuple[str, str]:
    """(status, reason in words) of a desk, by the first of RULES that holds."""
    desk = seen(desk)
    for holds, status, reason in RULES:
        if holds(desk):
            words = {"dark": desk.dark, "lost": desk.lost, "board": desk.board, "untied": desk.untied}
            return status, reason.format(fault="; ".join(faults(desk)), **words)
    raise AssertionError("the last rule always holds")


def seen(desk: Desk) -> Desk:
    """The desk without its board where that is lost, and its phone tells by itself."""
    if not desk.lost or desk.phone_by != "url" or desk.phone is None:
        return desk
    return replace(
        desk, board=None, lost="", in_call=None, rings=None, muted=None, docked=None, headset_why=desk.lost
    )


def faults(desk: Desk) -> list[str]:
    """Which of its sensors tell nothing though they are there, in words; none of those that are out of sight."""
    if desk.dark or desk.lost:
        return []
    return [why for why in (desk.phone_why, desk.headset_why) if why]


def why_words(table: dict[str, str], why: str | None, board: str | None) -> str:
    """Why a sensor tells nothing, in words: `table` is PHONE_WHY or HEADSET_WHY. Empty: it tells."""
    return table[why].format(board=board) if why else ""
