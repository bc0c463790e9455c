"""What really happened in each queue, by the calls' own true times: for others to be held against.

Deliberately not the gateway's arithmetic: every single wait is kept, and counted afterwards.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from floorplan import Target

Waits = dict[str, "array[float]"]  # how the wait ended → each wait in seconds


def _upto(waits: array[float], seconds: float) -> int:
    return sum(wait <= seconds for wait in waits)


def _lost_upto(waits: Waits, seconds: float) -> int:
    return _upto(waits["abandoned"], seconds) + _upto(waits["timed_out"], seconds)


def _offered(waits: Waits) -> int:
    return sum(len(waits[how]) for how in ("answered", "abandoned", "timed_out"))


# The five formulas of the site file: (waits, X, short) → (part, whole).
FORMULAS: dict[str, Callable[[Waits, float, float], tuple[int, int]]] = {
    "ended-within-of-offered": lambda waits, x, short: (
        _upto(waits["answered"], x) + _lost_upto(waits, x), _offered(waits)),
    "answered-within-of-answered": lambda waits, x, short: (
        _upto(waits["answered"], x), len(waits["answered"])),
    "answered-within-of-offered": lambda waits, x, short: (
        _upto(waits["answered"], x), _offered(waits)),
    "answered-within-of-offered-early-abandons-ignored": lambda waits, x, short: (
        _upto(waits["answered"], x), _offered(waits) - _lost_upto(waits, x)),
    "answered-within-of-offered-short-abandons-met": lambda waits, x, short: (
        _upto(waits["answered"], x) + _lost_upto(waits, short), _offered(waits)),
}  # fmt: skip


class Truth:
    """One queue. `ended` wants (how, seconds waited) of every caller who waits no longer."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.waits: Waits = {how: array("d") for how in ("answered", "abandoned", "timed_out", "left")}

    def ended(self, how: str, waited_s: float) -> None:
        """One caller waits no longer; `how` is a key of `waits`."""
        self.waits[how].append(waited_s)

    def mark(self) -> dict[str, int]:
        """Where it stands, to look at what comes after."""
        return {how: len(waits) for how, waits in self.waits.items()}

    def figures(self, since: dict[str, int] | None = None) -> dict[str, int | float | None]:
        """All figures, from the beginning or from a mark on; a mean or a share of nothing is None.

        Only who waits no longer is in them.
        """
        waits = {how: each[(since or {}).get(how, 0) :] for how, each in self.waits.items()}
        answered = waits["answered"]
        part, whole = FORMULAS[self.target.formula](waits, self.target.within_s, self.target.short_abandon_s)
        return {
            "answered": len(answered),
            "abandoned": len(waits["abandoned"]),
            "timed_out": len(waits["timed_out"]),
            "left_by_key": len(waits["left"]),
            "asa_s": sum(answered) / len(answered) if answered else None,
            "longest_wait_s": max((max(each) for each in waits.values() if each), default=0.0),
            "service_level": part / whole if whole else None,
        }
