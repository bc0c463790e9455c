"""Slows down who guesses at passwords, each where they are, and locks nobody out whom somebody else guesses at.

    one address                   20 at once, then one in 120 s: 20 + 86400 / 120 = 740 guesses a day
    one name from one address      5 at once, then one in 60 s, and never more than the address has
    one name from all addresses   30, then one in 600 s; beyond that an address where this name has not logged in
                                   since the gateway was started has one guess in 600 s: 1 + 144 a day
    all names from all addresses 200, then one in 30 s; beyond that the same holds for all names

So the owner of a name that is guessed at always has a guess left, wherever they are: what others do takes none of it.
At their own desk they notice nothing. A password that is none of the commonest is not found by 740 guesses a day:
there are more than 10^14 of ten small letters.

A token or a link has 128 bits: nobody guesses it, and the right one is always let in. Wrong ones, 20 at once, then one
in 30 s from one address, are told to wait, so that nobody tries for long.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

ROWS_MOST = 4096  # of each table; with more those that were used longest ago are forgotten


class Budget(NamedTuple):
    """`most` at once, and after that one in `every_s`."""

    most: int
    every_s: float

    @property
    def a_day(self) -> float:
        """How many somebody has in the first day."""
        return self.most + 24 * 3600 / self.every_s


ADDRESS = Budget(20, 120)
HERE = Budget(5, 60)  # one name from one address
NAME = Budget(30, 600)
ALL = Budget(200, 30)
STRANGER = Budget(1, 600)  # one name from one address, while its name, or all names, have used up theirs
TOKENS = Budget(20, 30)


class Guesses:
    """Who has guessed wrong, and how long they have to wait. In memory alone: a restart forgives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = _Table(ADDRESS, clock)
        self._here = _Table(HERE, clock)
        self._stranger = _Table(STRANGER, clock)
        self._name = _Table(NAME, clock)
        self._all = _Table(ALL, clock)
        self._tokens = _Table(TOKENS, clock)
        self._known: OrderedDict[bytes, None] = OrderedDict()  # names at addresses where they have logged in

    def wait_s(self, name: str, address: str) -> int:
        """0: it may be tried, and is counted as wrong until `right` is told; else how long to wait, in seconds."""
        place = place_of(address)
        address_, here, name_, all_ = _key(place), _key(place, name), _key(name), b""
        wait_s = max(self._address.wait_s(address_), self._here.wait_s(here))
        if self.is_stranger(name, address) and (self._name.wait_s(name_) or self._all.wait_s(all_)):
            wait_s = max(wait_s, self._stranger.wait_s(here))
        if wait_s:
            return math.ceil(wait_s)
        self._address.take(address_)
        self._name.take(name_)
        self._all.take(all_)
        for table in (self._here, self._stranger):
            table.take(here)
        return 0

    def right(self, name: str, address: str) -> None:
        """It was right: the name begins anew here, and nothing of it counts for others."""
        here = _key(place_of(address), name)
        self.untried(name, address)
        self._here.forget(here)
        self._stranger.forget(here)
        self._known[here] = None
        self._known.move_to_end(here)
        if len(self._known) > ROWS_MOST:
            self._known.popitem(last=False)

    def untried(self, name: str, address: str) -> None:
        """It was neither right nor wrong: nobody had the time to look."""
        place = place_of(address)
        for table, key in (
            (self._address, _key(place)), (self._name, _key(name)), (self._all, b""),
            (self._here, _key(place, name)), (self._stranger, _key(place, name)),
        ):  # fmt: skip
            table.give_back(key)

    def is_stranger(self, name: str, address: str) -> bool:
        """Whether this name has not logged in there since the gateway was started."""
        return _key(place_of(address), name) not in self._known

    def wrong_token(self, address: str) -> int:
        """A token or link that is none came from there: how long to wait, in seconds; 0: not yet."""
        key = _key(place_of(address))
        wait_s = self._tokens.wait_s(key)
        if not wait_s:
            self._tokens.take(key)
        return math.ceil(wait_s)


class _Table:
    """What is left of a budget, by key: when each will be whole again. A key that is not there has all of it."""

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self._budget, self._clock = budget, clock
        self._whole_s: OrderedDict[bytes, float] = OrderedDict()

    def wait_s(self, key: bytes) -> float:
        """How long until there is one; 0: there is."""
        most, every_s = self._budget
        return max(0.0, self._whole_s.get(key, -math.inf) - self._clock() - (most - 1) * every_s)

    def take(self, key: bytes) -> None:
        """One less; never less than none."""
        most, every_s = self._budget
        now_s = self._clock()
        whole_s = max(self._whole_s.pop(key, now_s), now_s) + every_s
        self._whole_s[key] = min(whole_s, now_s + most * every_s)
        if len(self._whole_s) > ROWS_MOST:
            self._tidy(now_s)

    def give_back(self, key: bytes) -> None:
        """As if it had not been taken."""
        if key in self._whole_s:
            self._whole_s[key] -= self._budget.every_s

    def forget(self, key: bytes) -> None:
        """All of it again."""
        self._whole_s.pop(key, None)

    def _tidy(self, now_s: float) -> None:
        for key in [key for key, whole_s in self._whole_s.items() if whole_s <= now_s]:
            del self._whole_s[key]
        while len(self._whole_s) > ROWS_MOST * 7 // 8:  # not to look through all of them for the very next one
            self._whole_s.popitem(last=False)


def place_of(address: str) -> str:
    """Whose address it is: of IPv6 everybody has 2^64, and an IPv4 address may be written as one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def _key(*parts: str) -> bytes:
    """Short, however long a name somebody sends; and what was typed, maybe a password, is not kept."""
    seen = hashlib.blake2b(digest_size=12)
    for part in parts:
        seen.update(part.encode("utf-8", "replace") + b"\0")
    return seen.digest()
