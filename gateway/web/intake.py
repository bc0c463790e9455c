"""What every address shares that others call: how often somebody may come, and how much they may bring."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator, StrictInt
from starlette.requests import ClientDisconnect, Request

READ_S = 10.0  # a message that has not arrived by then does not


def _whole(number: object) -> object:
    return int(number) if isinstance(number, float) and number.is_integer() else number


Whole = Annotated[StrictInt, BeforeValidator(_whole)]  # to JSON, 15.0 is a whole number


class TooLong(Exception):
    """The message is longer than is allowed."""


class TooSlow(Exception):
    """The message did not arrive in time, or whoever sent it has gone."""


class Pace:
    """How often somebody may come: `per_s` on average, `most` at once."""

    def __init__(self, per_s: float, most: int, clock: Callable[[], float] = time.monotonic):
        self._per_s, self._most, self._clock = per_s, most, clock
        self._left: float = most
        self._at_s = clock()

    def may(self) -> bool:
        """Whether this one is still within it."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at_s) * self._per_s)
        self._at_s = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def body_of(request: Request, most_bytes: int) -> bytes:
    """A message, never more of it than is allowed. Raises TooLong, TooSlow."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 9 or int(length) > most_bytes:
        raise TooLong
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for part in request.stream():
                body += part
                if len(body) > most_bytes:
                    raise TooLong
    except (TimeoutError, ClientDisconnect) as error:
        raise TooSlow from error
    return bytes(body)
