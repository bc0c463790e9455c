"""What is going on at one desk: readings and the PBX's word in, one status and its reason out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Desk:
    """All that is known about one desk. None is unknown."""

    id: str
    board: str | None = None  # the board it is plugged in at
    lost: str = ""  # why its board is lost, in words; empty while it is there
    dark: str = ""  # why nothing can be known of its board, in words
    phone: str | None = None  # idle, ringing, talking, held, unknown
    in_call: bool | None = None
    muted: bool | None = None
    docked: bool | None = None
    member: str | None = None  # the PBX's word: idle, busy, ringing, held, unavailable, unknown
    paused: bool = False  # in every queue it serves
    missed: int = 0  # readings that never came


Rule = tuple[Callable[[Desk], object], str, str]

# The first row that holds is the conclusion. What a sensor sees at the desk comes before
# what the PBX says, because people look up at the wall from the desk.
RULES: tuple[Rule, ...] = (
    (lambda d: d.dark, "unknown", "{dark}"),
    (lambda d: d.lost, "lost", "{lost}"),
    (lambda d: d.board and d.phone is None and d.in_call is None and d.docked is None, "unknown",
     "no word from board {board} about this desk yet"),
    (lambda d: _talks(d) and d.member == "held", "held", "the phone system says: on hold"),
    (lambda d: d.phone == "held", "held", "the phone is on hold"),
    (lambda d: d.phone == "talking", "talking", "the handset is lifted"),
    (lambda d: d.in_call, "talking", "the headset is in a call"),
    (lambda d: d.phone == "ringing", "ringing", "the phone rings"),
    (lambda d: d.member == "ringing", "ringing", "the phone system rings it"),
    (lambda d: d.member == "held", "held", "the phone system says: on hold"),
    (lambda d: d.member == "busy", "talking", "the phone system says: in a call"),
    (lambda d: d.paused, "away", "paused at the phone system"),
    (lambda d: d.docked, "away", "the headset lies in its cradle"),
    (lambda d: d.member == "unavailable", "away", "the phone system cannot reach its phone"),
    (lambda d: d.phone == "unknown", "unknown", "the phone line reads nothing: unplugged?"),
    (lambda d: not d.board and d.member in (None, "unknown"), "unknown",
     "no board reads it, and the phone system says nothing about it"),
    (lambda d: d.phone == "idle", "free", "handset down, nobody rings"),
    (lambda d: d.in_call is False, "free", "the headset is in no call"),
    (lambda d: True, "free", "nothing says otherwise"),
)  # fmt: skip


def _talks(desk: Desk) -> bool:
    return desk.phone == "talking" or bool(desk.in_call)


def conclude(desk: Desk) -> tuple[str, str]:
    """(status, reason in words) of a desk, by the first of RULES that holds."""
    for holds, status, reason in RULES:
        if holds(desk):
            return status, reason.format(dark=desk.dark, lost=desk.lost, board=desk.board)
    raise AssertionError("the last rule always holds")
