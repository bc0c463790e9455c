"""Pictures of walls for pages: drawn one after the other beside the event loop, and never for long together."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

APART_S = 0.4  # a wall is drawn at most this often, however many pages look at it
RESTS = 3  # after each picture, times as long as it took: all walls together take a quarter of a core


class Picture(NamedTuple):
    """A picture that was drawn."""

    png: bytes
    tag: str  # of its content
    shown: Any  # what it was drawn of
    drawn_s: float  # when, on the loop's clock


class Pictures:
    """The last picture of each wall. All of it belongs to one event loop, but for `draw`.

    `now` says what a wall shows now, None where nothing: called on the loop, it must be quick. `draw` makes a PNG
    of that in a thread; where two are equal, it is not drawn again.
    """

    def __init__(self, now: Callable[[str], Any], draw: Callable[[Any], bytes]) -> None:
        self._now = now
        self._draw = draw
        self._last: dict[str, Picture] = {}
        self._coming: dict[str, asyncio.Task[Picture | None]] = {}  # one a wall: all who ask wait for the same
        self._turn = asyncio.Lock()
        self._rests_until_s = 0.0

    async def of(self, wall: str) -> Picture | None:
        """What a wall shows, or did a moment ago; None where it shows nothing."""
        shown = self._now(wall)
        if shown is None:
            return None
        last = self._last.get(wall)
        if last and (last.shown == shown or asyncio.get_running_loop().time() - last.drawn_s < APART_S):
            return last
        if wall not in self._coming:
            self._coming[wall] = asyncio.create_task(self._drawn(wall))
        return await asyncio.shield(self._coming[wall])

    async def _drawn(self, wall: str) -> Picture | None:
        loop = asyncio.get_running_loop()
        try:
            async with self._turn:
                await asyncio.sleep(max(0.0, self._rests_until_s - loop.time()))
                shown = self._now(wall)  # as it is by now
                if shown is None:
                    return None
                png, took_s = await asyncio.to_thread(self._timed, shown)
                self._rests_until_s = loop.time() + RESTS * took_s
            tag = f'"{hashlib.blake2s(png, digest_size=8).hexdigest()}"'
            self._last[wall] = Picture(png, tag, shown, loop.time())
            return self._last[wall]
        finally:
            del self._coming[wall]

    def _timed(self, shown: Any) -> tuple[bytes, float]:
        """(PNG, seconds of a core that it took)."""
        begun_s = time.thread_time()
        return self._draw(shown), time.thread_time() - begun_s
