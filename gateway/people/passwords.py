"""Passwords: which are taken, and argon2id, one at a time, in a thread of its own."""

from __future__ import annotations

import asyncio
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 10, 256  # letters. NIST SP 800-63B: long rather than mixed, and none that is tried first
WAITING_MOST = 12  # for the one thread: 3 s of waiting on a desk computer
STRANGERS_MOST = 8  # of these, for names in browsers where they have not logged in
EACH_MOST = 2  # of these, of one name in browsers that know it, or of one place
SAME_MOST = 3  # "1212121212": fewer different letters than this are tried first

# The commonest of ten letters and more, in small letters, and what is nearest at hand here.
COMMON = frozenset(re.split(r"\s+", """
0000000000 0123456789 0987654321 1111111111 1122334455 1212121212 1234512345 12345678910 123456789a 1234567890
1234567891 123456789q 1234554321 1231231231 1231231234 123qwe123qwe 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc
9876543210 abc1234567 abcd123456 abcd1234567 abcdefg123 abcdefghij abcdefghijk access1234 admin12345 admin123456
administrator asdfasdfasdf asdfghjkl1 asdfghjkl123 asdfghjkl; asdfghjklo azertyuiop basketball callcenter callcentre
callfloor1 callfloor12 callfloor123 changeme12 changeme123 charlie123 computer12 computer123 dispatcher football12
football123 helloworld iloveyou12 iloveyou123 internet12 letmein123 letmein1234 liverpool1 liverpool12 manchester
microsoft1 monkey1234 operator12 operator123 passord123 passord1234 password10 password11 password12 password123
password1234 password12345 password123456 password2024 password2025 password2026 passwordpassword password01
password!! password!123 p@ssw0rd123 p@ssword123 princess12 princess123 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedcrfv qwer123456
qwerasdfzxcv qwert12345 qwerty1234 qwerty12345 qwerty123456 qwertyqwerty qwertyuiop qwertyuiop1 qwertyuiop123
qwertyuiop[] raspberry1 raspberrypi secret1234 sommer2024 sommer2025 sommer2026 starwars12 summer2024 summer2025
summer2026 sunshine12 sunshine123 superman12 superman123 supervisor supervisor1 supervisor123 technician telefon123
telephone1 test123456 test1234567 testtest12 testtest123 trustno1trustno1 unknown123 velkommen1 velkommen123
wallboard1 welcome123 welcome1234 welcome2024 welcome2025 welcome2026 whatever12 winter2024 winter2025 winter2026
zaq12wsxcde3 zxcvbnm123 zxcvbnmasd
""".strip()))


class Busy(Exception):
    """Too many passwords wait to be looked at."""


def wrong_with(password: str, name: str) -> str | None:
    """Why this cannot be somebody's password, in words; None where it can. No letters of any kind are asked for."""
    password = _one_form(password)
    if len(password) < LEAST:
        return f"a password has {LEAST} letters or more: three words that do not belong together are easy to keep"
    if len(password) > MOST:
        return f"a password has {MOST} letters at most"
    low = password.casefold()
    if low == _one_form(name).casefold():
        return "the password is the name: take another"
    if low in COMMON or len(set(low)) < SAME_MOST:
        return "that password is one of the first that anybody tries: take another"
    return None


class Passwords:
    """Makes and checks hashes. The memory and the processor of a small computer bear one at a time (64 MiB each)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()  # argon2id; the library's defaults are RFC 9106's second choice
        self._thread = ThreadPoolExecutor(1, "passwords")
        self._waiting: Counter[str] = Counter()  # by whose they are
        self._nobodys: Future[Any] | None = None

    async def hashed(self, password: str, whose: str = "") -> str:
        """What is kept of a password. `whose`: all that is asked by one. Raises Busy."""
        return str(await self._in_turn(whose, WAITING_MOST, self._hasher.hash, _one_form(password)))

    async def right(self, password: str, kept: str | None, whose: str = "", stranger: bool = True) -> bool:
        """Whether this is the password; False, after as long a time, where none is kept. Raises Busy."""
        if self._nobodys is None:  # what a name that is not there is compared with
            self._nobodys = self._thread.submit(self._hasher.hash, secrets.token_hex(16))
        nobodys = str(await asyncio.shield(asyncio.wrap_future(self._nobodys)))
        most = STRANGERS_MOST if stranger else WAITING_MOST
        same = await self._in_turn(whose, most, self._same, kept or nobodys, _one_form(password))
        return bool(same) and kept is not None

    def close(self) -> None:
        """Ends the thread once what it does is done."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _same(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, whose: str, most: int, do: Callable[..., Any], *given: str) -> Any:
        if self._waiting.total() >= most or (whose and self._waiting[whose] >= EACH_MOST):
            raise Busy
        self._waiting[whose] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, do, *given)
        finally:
            self._waiting[whose] -= 1
            if not self._waiting[whose]:
                del self._waiting[whose]


def _one_form(text: str) -> str:
    """However a keyboard made the letters, they are the same (NIST SP 800-63B: normalised)."""
    return unicodedata.normalize("NFKC", text)
