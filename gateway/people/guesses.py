"""Slows down who guesses at passwords, each where they are, and locks nobody out whom somebody else guesses at.

A browser in which a name has logged in is known for that name, by a signed cookie that it keeps:

    one name in such a browser    10 at once, then one in 120 s: 10 + 86400 / 120 = 730 guesses a day

What others do, even at the same address, takes none of it. Everybody else is known by their address alone:

    one address                   20 at once, then one in 120 s: 20 + 86400 / 120 = 740 guesses a day
    one name from one address      5 at once, then one in 60 s, and never more than the address has
    one name from all addresses   30, then one in 600 s; beyond that each address has one guess at it in 600 s:
                                   1 + 144 a day
    all names from all addresses 200, then one in 30 s; beyond that the same holds for all names

A password that is none of the commonest is not found by 740 guesses a day: there are more than 10^14 of ten small
letters.

Right passwords cost time as well: of one name 30 at once, then one in 20 s. A token that logs in: 60 at once, then one
in 10 s. One link that is tried in vain: 20 at once, then one in 30 s.

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


DESK = Budget(10, 120)  # one name in a browser where it has logged in
ADDRESS = Budget(20, 120)
HERE = Budget(5, 60)  # one name from one address
NAME = Budget(30, 600)
ALL = Budget(200, 30)
STRANGER = Budget(1, 600)  # one name from one address, while its name, or all names, have used up theirs
TOKENS = Budget(20, 30)
LINK = Budget(20, 30)
RIGHT = Budget(30, 20)
TOKEN_LOGINS = Budget(60, 10)


class Guess:
    """One password that somebody gives. Where `wait_s` is 0 it may be tried, and is counted as wrong until told."""

    def __init__(self, wait_s: int, whose: str = "", taken: tuple[tuple[_Table, bytes, float], ...] = (),
                 told: Callable[[], None] = lambda: None) -> None:  # fmt: skip
        self.wait_s = wait_s
        self.whose = whose  # of all that wait for their turn: at this desk, or at this place
        self._taken, self._told = taken, told

    def right(self) -> None:
        """It was right: the name begins anew here, and nothing of it counts for others."""
        self.untried()
        self._told()

    def untried(self) -> None:
        """It was neither right nor wrong: nobody had the time to look."""
        for table, key, added_s in self._taken:
            table.give_back(key, added_s)
        self._taken = ()


class Guesses:
    """Who has guessed wrong, and how long they have to wait. In memory alone: a restart forgives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = _Table(DESK, clock)
        self._address = _Table(ADDRESS, clock)
        self._here = _Table(HERE, clock)
        self._stranger = _Table(STRANGER, clock)
        self._name = _Table(NAME, clock)
        self._all = _Table(ALL, clock)
        self._tokens = _Table(TOKENS, clock)
        self._link = _Table(LINK, clock)
        self._right = _Table(RIGHT, clock)
        self._token_logins = _Table(TOKEN_LOGINS, clock)

    def guess(self, name: str, address: str, desk: str | None = None) -> Guess:
        """What somebody may who gives a password for `name`; `desk`: the browser, where that name has logged in."""
        place, name_ = place_of(address), _key(name)
        wait_s = self._right.wait_s(name_)
        if desk is not None:
            key = _key(desk, name)
            asked = [(self._desk, key)]
            wait_s = max(wait_s, self._desk.wait_s(key))
        else:
            key = _key(place, name)
            asked = [(self._address, _key(place)), (self._name, name_), (self._all, b""), (self._here, key),
                     (self._stranger, key)]  # fmt: skip
            wait_s = max(wait_s, self._address.wait_s(_key(place)), self._here.wait_s(key))
            if self._name.wait_s(name_) or self._all.wait_s(b""):
                wait_s = max(wait_s, self._stranger.wait_s(key))
        if wait_s:
            return Guess(math.ceil(wait_s))

        def right() -> None:
            for table in (self._desk, self._here, self._stranger):
                table.forget(key)
            self._right.take(name_)

        whose = name if desk is not None else f"at {place}"
        return Guess(0, whose, tuple((table, one, table.take(one)) for table, one in asked), right)

    def wrong_token(self, address: str) -> int:
        """A token or link that is none came from there: how long to wait, in seconds; 0: not yet."""
        return self._tokens.try_(_key(place_of(address)))

    def link(self, id: str) -> int:
        """An open link is tried: how long to wait, in seconds; 0: it may be."""
        return self._link.try_(_key(id))

    def token_login(self, id: str) -> int:
        """A browser logs in by a token: how long to wait, in seconds; 0: it may."""
        return self._token_logins.try_(_key(id))


class _Table:
    """What is left of a budget, by key: when each will be whole again. A key that is not there has all of it."""

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self._budget, self._clock = budget, clock
        self._whole_s: OrderedDict[bytes, float] = OrderedDict()

    def wait_s(self, key: bytes) -> float:
        """How long until there is one; 0: there is."""
        most, every_s = self._budget
        return max(0.0, self._whole_s.get(key, -math.inf) - self._clock() - (most - 1) * every_s)

    def take(self, key: bytes) -> float:
        """One less, and never less than none: what that was, in seconds."""
        most, every_s = self._budget
        now_s = self._clock()
        was_s = max(self._whole_s.pop(key, now_s), now_s)
        self._whole_s[key] = min(was_s + every_s, now_s + most * every_s)
        added_s = self._whole_s[key] - was_s
        if len(self._whole_s) > ROWS_MOST:
            self._tidy(now_s)
        return added_s

    def try_(self, key: bytes) -> int:
        """Takes one where there is one, and 0; else how long until there is, in whole seconds."""
        wait_s = self.wait_s(key)
        if not wait_s:
            self.take(key)
        return math.ceil(wait_s)

    def give_back(self, key: bytes, added_s: float) -> None:
        """As if it had not been taken."""
        if key in self._whole_s:
            self._whole_s[key] -= added_s

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
