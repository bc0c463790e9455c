"""Erlang C: how long callers wait at so many desks, and how many desks a promise needs.

A. K. Erlang, 1917. `load` is arrivals a second × seconds a call, in erlang: desks busy at a time.
It holds for a queue that has settled: callers come at random (Poisson), calls are about
exponentially long, nobody hangs up, and every desk takes every call of the queue. People do hang
up, so a real queue waits a little less: the answer errs on the safe side.

At or above its load a queue never settles: service level 0, waits without end. Without load
nobody comes, so nobody waits, even at no desk.
Every function raises ValueError for what cannot be: a negative or infinite load, half a desk.
"""

from __future__ import annotations

import math

LOAD_MOST = 100_000.0  # erlang; more is a mistake in the input, not a floor
DESKS_MOST = 1_000_000


def chance_of_waiting(load: float, desks: int) -> float:
    """The share of callers who find no desk free, 0 to 1."""
    _check(load, desks)
    if load == 0:
        return 0.0
    if desks <= load:
        return 1.0
    return _waiting(_blocking(load, desks), load, desks)


def service_level(load: float, desks: int, within_s: float, aht_s: float) -> float:
    """The share of callers answered within so many seconds, 0 to 1."""
    _check_times(within_s, aht_s)
    chance = chance_of_waiting(load, desks)
    if load and desks <= load:
        return 0.0
    return 1 - chance * math.exp(-(desks - load) * within_s / aht_s)


def asa_s(load: float, desks: int, aht_s: float) -> float:
    """The mean wait of all callers in seconds, of those who do not wait too: average speed of answer."""
    _check_times(0, aht_s)
    chance = chance_of_waiting(load, desks)
    if load == 0:
        return 0.0
    return chance * aht_s / (desks - load) if desks > load else math.inf


def queue_length(load: float, desks: int) -> float:
    """How many callers wait, on average."""
    chance = chance_of_waiting(load, desks)
    if load == 0:
        return 0.0
    return chance * load / (desks - load) if desks > load else math.inf


def occupancy(load: float, desks: int) -> float:
    """The share of their time that desks are busy, 0 to 1."""
    _check(load, desks)
    return min(1.0, load / desks) if desks else float(load > 0)


def desks_needed(arrivals_per_s: float, aht_s: float, within_s: float, share: float) -> int:
    """The fewest desks with which `share` (above 0, at most 1) of the callers are answered within so long."""
    _check_times(within_s, aht_s)
    if not 0 < share <= 1:
        raise ValueError(f"share {share} is not above 0 and at most 1")
    load = arrivals_per_s * aht_s
    desks = math.floor(load) + 1 if 0 <= load <= LOAD_MOST else 1  # _check says what is wrong
    _check(load, desks)
    if load == 0:
        return 0
    blocking = _blocking(load, desks)
    while 1 - _waiting(blocking, load, desks) * math.exp(-(desks - load) * within_s / aht_s) < share:
        desks += 1
        blocking = load * blocking / (desks + load * blocking)
    return desks


def _blocking(load: float, desks: int) -> float:
    """Erlang B, one desk after the other: no factorials, nothing that overflows."""
    blocking = 1.0
    for desk in range(1, desks + 1):
        blocking = load * blocking / (desk + load * blocking)
    return blocking


def _waiting(blocking: float, load: float, desks: int) -> float:
    """Erlang C from Erlang B, where desks > load."""
    return blocking / (1 - load / desks * (1 - blocking))


def _check(load: float, desks: int) -> None:
    if not 0 <= load <= LOAD_MOST:
        raise ValueError(f"a load of {load} erlang is not between 0 and {LOAD_MOST:.0f}")
    if type(desks) is not int or not 0 <= desks <= DESKS_MOST:
        raise ValueError(f"{desks} desks is not a whole number between 0 and {DESKS_MOST}")


def _check_times(within_s: float, aht_s: float) -> None:
    if not 0 <= within_s < math.inf:
        raise ValueError(f"within {within_s} s is not a time")
    if not 0 < aht_s < math.inf:
        raise ValueError(f"calls of {aht_s} s are not possible")
