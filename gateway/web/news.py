"""Who hears what changed: the last word on every path, and one event, encoded once, for all who listen."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from firmware import contract
from gateway.web.event import BEGIN, Event

BEAT_S = contract.BEAT_S  # a page that hears nothing for two of them and a bit calls itself old
APART_S = 0.05  # events come no faster than this; what changes in between goes out together
EVENTS_WAITING = 64  # more than three seconds of the busiest floor; then a listener starts over
LISTENERS_AT_MOST = 1000  # open pages
FORGOTTEN_MOST = 1000  # paths that are no more, kept for those who come back
ID_LETTERS = 64  # of an event; what is longer is none of ours

RETRY = b"retry: 1000\n"

Document = Mapping[str, Any]
Line = asyncio.Queue[Event | None]  # one listener's events; None: take the whole instead


class News:
    """What the gateway says to pages: documents by path, such as `desk/a1`, `queue/polski`, `floor`.

    All of it belongs to one event loop; only before that runs may `say` be called from elsewhere.
    The number of paths is the caller's: it says what its site file names and no more.
    """

    def __init__(self, boot: str = "") -> None:
        """`boot` is of this start alone: an id of another start is not gone on from."""
        self.boot = boot or secrets.token_hex(4)
        self.said: dict[str, dict[str, Any]] = {}
        self.events = 0  # sent since the start, each to every listener
        self.resyncs = 0  # listeners that fell behind and started over
        self._said_ms: dict[str, int] = {}  # when, on this machine's monotonic clock
        self._forgotten_ms: dict[str, int] = {}  # when, of what is no more; the oldest first
        self._resumes_from_ms = 0  # what was forgotten up to then is known no more
        self._parts: dict[str, bytes] = {}  # each document as it stands in an event
        self._changed: dict[str, None] = {}  # paths for the next event, in order
        self._lines: set[Line] = set()
        self._whole: tuple[float, Event] | None = None  # when it was made, and the event
        self._next: asyncio.Handle | None = None  # the next event, where one is due
        self._beat: asyncio.Handle | None = None
        self._sent_s = 0.0  # when the last event went out, on the loop's clock
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._lines)

    def full(self) -> bool:
        """True while no more may listen."""
        return self._closed or len(self._lines) >= LISTENERS_AT_MOST

    def say(self, path: str, document: Document) -> None:
        """Keep this as the last word on `path`; where it differs from the one before, all hear of it.

        A page counts on from `said_ms`, which is added here: this clock's ms, as behind the dash of an event's id.
        Raises TypeError or ValueError for a document that is not JSON.
        """
        if self.said.get(path) == document:
            return
        kept, said_ms = dict(document), _now_ms()
        self._parts[path] = _part(path, {**kept, "said_ms": said_ms})
        self.said[path], self._said_ms[path] = kept, said_ms
        self._forgotten_ms.pop(path, None)
        self._tell(path)

    def forget(self, path: str) -> None:
        """There is no such thing any more; pages are told null."""
        if self.said.pop(path, None) is not None:
            del self._parts[path], self._said_ms[path]
            self._forgotten_ms[path] = _now_ms()
            if len(self._forgotten_ms) > FORGOTTEN_MOST:
                oldest = next(iter(self._forgotten_ms))
                self._resumes_from_ms = self._forgotten_ms.pop(oldest) + 1
            self._tell(path)

    def now(self) -> dict[str, dict[str, Any]]:
        """The last word on every path, each with `age_ms`: how long ago it was said."""
        now_ms = _now_ms()
        return {path: {**doc, "age_ms": now_ms - self._said_ms[path]} for path, doc in self.said.items()}

    async def listen(self, after: str = "", packed: bool = False) -> AsyncIterator[bytes]:
        """Server-sent events: one `whole`, then changes as they come, and an empty one as a beat.

        Data is a JSON object of documents by path, null for a forgotten one. `after` is the id of the last
        event that was heard: then the first is but what was said and forgotten since, where that is known.
        A listener that is too slow is given the whole again in place of what it missed. `packed`: as gzip.
        """
        line: Line = asyncio.Queue(EVENTS_WAITING)
        line.put_nowait(self._since(after))
        self._lines.add(line)
        begin = BEGIN
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._send_beat)
        try:
            while True:
                event = await line.get()
                if self._closed:
                    return
                if event is None:
                    _empty(line)  # the whole holds all of it
                    event = self._all()
                if packed:
                    yield begin + event.packed
                    begin = b""
                else:
                    yield event.plain
        finally:
            self._lines.discard(line)

    def close(self) -> None:
        """End every listener, so that a web server can stop without waiting for its pages."""
        self._closed = True
        for timer in (self._next, self._beat):
            if timer is not None:
                timer.cancel()
        for line in self._lines:
            _start_over(line)

    def _tell(self, path: str) -> None:
        self._whole = None
        if self._closed or not self._lines:
            return
        self._changed[path] = None
        if self._next is None:
            loop = asyncio.get_running_loop()
            due_s = self._sent_s + APART_S
            soon = due_s <= loop.time()
            self._next = loop.call_soon(self._send) if soon else loop.call_at(due_s, self._send)

    def _send(self) -> None:
        self._next = None
        self._sent_s = asyncio.get_running_loop().time()
        parts = [self._parts.get(path) or _part(path, None) for path in self._changed]
        self._changed.clear()
        event = self._event(parts)
        self.events += 1
        for line in self._lines:
            if line.full():
                self.resyncs += 1
                _start_over(line)
            else:
                line.put_nowait(event)

    def _send_beat(self) -> None:
        self._beat = None
        if self._lines:
            self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._send_beat)
            if self._next is None:  # else the changes that are due are the beat
                self._send()

    def _all(self) -> Event:
        """The whole as an event; made once for all who come within a moment."""
        now_s = time.monotonic()
        if self._whole is None or now_s - self._whole[0] > APART_S:
            self._whole = now_s, self._event(list(self._parts.values()), RETRY + b"event: whole\n")
        return self._whole[1]

    def _since(self, after: str) -> Event | None:
        """What was said since an event of ours, which may say again what was in it; None: take the whole."""
        boot, _, at = after[:ID_LETTERS].partition("-")
        if boot != self.boot or not (at.isascii() and at.isdecimal()):
            return None
        if not self._resumes_from_ms <= int(at) <= _now_ms():
            return None
        parts = [self._parts[path] for path, said_ms in self._said_ms.items() if said_ms >= int(at)]
        gone = [_part(path, None) for path, at_ms in self._forgotten_ms.items() if at_ms >= int(at)]
        return self._event(parts + gone, RETRY)

    def _event(self, parts: list[bytes], before: bytes = b"") -> Event:
        return Event(b"%bid: %b-%d\ndata: {%b}\n\n" % (before, self.boot.encode(), _now_ms(), b",".join(parts)))


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _part(path: str, document: Document | None) -> bytes:
    words = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{json.dumps(path)}:{words}".encode()


def _empty(line: Line) -> None:
    while not line.empty():
        line.get_nowait()


def _start_over(line: Line) -> None:
    _empty(line)
    line.put_nowait(None)
