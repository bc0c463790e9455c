"""What walls say that they show, held against what they should: since when they differ, and which are in alarm.

It makes no noise: a wall has ten seconds for each change, a board that starts anew has its time to be heard,
and nothing is the matter with a wall that is off as planned.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.lights import Light

ALARM_AFTER_S = 10.0  # so long one thing may differ
UNRIGHT_AFTER_S = 30.0  # so long a wall may be wrong at all: one board's start after the other is no start

Verdict = tuple[str, str]  # what is the matter, what to do

# What may differ → words for it, the worst first. {why}: the presence's or the wall's own words.
WRONG: dict[str, Verdict] = {
    "lost": ("{why}", "look at the board's power and its network"),
    "silent": (
        "its board is there, and has not said what the wall shows",
        "take the board's power away for a moment; does that not help, read its log",
    ),
    "trouble": (
        "it cannot show what it should: {why}",
        "does it not know this kind of scene, update its board; else look at its entry in the site file",
    ),
    "scene": (
        "the wall shows another scene than it should",
        "start the gateway again, it sends the scene anew; does that not help, somebody else writes to its topic",
    ),
    "old": (
        "the wall waits for a beat to prove its figures",
        "its board is there but hears no beat: look at its network and at the broker's rules for it",
    ),
    "values": (
        "the figures on the wall stand still",
        "take the board's power away for a moment; does that not help, look at the broker's rules for it",
    ),
    "message": (
        "the wall does not show the message it should, or one that is over",
        "send the message again, or take it back; does that not help, take the board's power away for a moment",
    ),
    "dark": (
        "the wall is off and should be on",
        "take the board's power away for a moment; does that not help, somebody else writes to its topic",
    ),
    "lit": (
        "the wall is on and should be off",
        "take the board's power away for a moment; does that not help, somebody else writes to its topic",
    ),
    "dim": (
        "the wall is not as bright as it should be",
        "look at its light sensor, if it has one; does that not help, take the board's power away for a moment",
    ),
}


class Should(NamedTuple):
    """What one wall should show."""

    scene: str
    message: str | None
    light: Light


def differences(
    should: Should, shown: Mapping[str, Any] | None, presence: tuple[str, str], behind_s: float | None
) -> dict[str, str]:
    """What differs, by the names of WRONG and in their order, each with its `why`; {} : nothing that is known.

    shown: the fields of `board/+/panel/+/shown`, None before the first. presence: of its board.
    behind_s: how long ago the values it shows were replaced; -1: they are not this gateway's; None: not at all.
    """
    state, why = presence
    off = should.light.percent == 0
    if state != "ready":
        return {"lost": why} if state == "lost" and not off else {}
    if shown is None:
        return {} if off else {"silent": ""}
    percent = shown.get("percent")
    percent = 100 if percent is None else percent
    if off:
        return {} if percent == 0 else {"lit": ""} if shown["fresh"] else {"old": ""}
    found = {
        "trouble": bool(shown.get("trouble")),
        "scene": shown["scene"] != should.scene,
        "old": not shown["fresh"],
        "values": behind_s is not None and not 0 <= behind_s <= ALARM_AFTER_S,  # it tells every 5 s
        "message": shown.get("message") != should.message,
        "dark": percent == 0,
        "dim": percent != 0 and not should.light.least <= percent <= should.light.percent,
    }
    return {kind: shown.get("trouble") or "" for kind, so in found.items() if so}


def words(kind: str, why: str) -> Verdict:
    """(what is the matter, what to do) in words of at most 160 letters each."""
    what, todo = WRONG[kind]
    return what.replace("{why}", why)[:160], todo


class Replaced:
    """When each `seq` of the values was replaced by the next, to the second, for as long as it matters."""

    def __init__(self) -> None:
        self._rows: deque[tuple[int, int]] = deque(maxlen=int(2 * ALARM_AFTER_S))  # second, newest seq in it

    def add(self, seq: int, now_s: float) -> None:
        """These values are the present ones from now on."""
        if self._rows and self._rows[-1][0] == int(now_s):
            self._rows.pop()
        self._rows.append((int(now_s), seq))

    def ago_s(self, seq: int | None, now_s: float) -> float | None:
        """How long ago values were replaced; -1: they never were this gateway's; None: they are the present ones."""
        newest = self._rows[-1][1] if self._rows else 0
        if seq is None or seq > newest:
            return -1
        for second, known in self._rows:
            if known > seq:
                return max(now_s - second - 1, 0)  # at the end of that second, at the latest
        return None


class Alarms:
    """Since when walls differ, and how; and which have done so for too long."""

    def __init__(self) -> None:
        self.on: set[str] = set()
        self._since: dict[str, dict[str, float]] = {}  # wall → what differs, or "" for anything → since when
        self._wrong: dict[str, tuple[float, float]] = {}  # wall that is right: for how long it was wrong, until when

    def see(
        self, wall: str, kinds: Mapping[str, str], now_s: float, known_s: Mapping[str, float]
    ) -> float | None:
        """Takes what differs now; since when something has, None: nothing does.

        A wall that is right pays back what it was wrong, second by second: one that is wrong for most of the time
        is an alarm, too. known_s: since when, for what that is known of better than by looking now.
        """
        before = self._since.get(wall, {})
        if not kinds:
            if before:
                del self._since[wall]
                self._wrong[wall] = min(now_s - before[""], UNRIGHT_AFTER_S), now_s
            self.on.discard(wall)
            return None
        wrong_s, right_s = self._wrong.pop(wall, (0.0, now_s))
        begun_s = min(now_s - wrong_s + (now_s - right_s), now_s)
        since = {kind: before.get(kind, known_s.get(kind, now_s)) for kind in kinds}
        since[""] = min(before.get("", begun_s), *since.values())
        self._since[wall] = since
        (self.on.add if self._late(since, now_s) else self.on.discard)(wall)
        return since[""]

    def forget(self, wall: str) -> None:
        """There is no such wall any more, or it hangs elsewhere."""
        self._since.pop(wall, None)
        self._wrong.pop(wall, None)
        self.on.discard(wall)

    def due(self, now_s: float) -> set[str]:
        """The walls that are in alarm from now on, and have not been looked at since."""
        return {
            wall for wall, since in self._since.items() if wall not in self.on and self._late(since, now_s)
        }

    @staticmethod
    def _late(since: Mapping[str, float], now_s: float) -> bool:
        if now_s - since[""] > UNRIGHT_AFTER_S:
            return True
        return any(now_s - since_s > ALARM_AFTER_S for kind, since_s in since.items() if kind)
