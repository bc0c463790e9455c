"""A PBX that is a recording: feeds a captured AMI stream over TCP, in its own time or faster.

    feed = Feed(recording("agent-events.txt"), speed=50)
    async with serving(feed.talk) as port:

It lets everybody in, because the recording does, and answers Ping; everything else that a client
asks it only keeps, in `heard`. Every connection gets the stream from its beginning and stays open
after its end. `python -m tests.ami_feed --speed 1 --port 5038` serves it by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import re
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "ami"
AT_ONCE = float("inf")


def recording(name: str) -> bytes:
    """One stream of tests/data/ami."""
    data = (DATA / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def blocks(stream: bytes) -> list[dict[str, str]]:
    """The blocks of a well-formed stream, all headers kept. Deliberately not the product's parser."""
    text = stream.decode().removeprefix("Asterisk Call Manager/11.0.0\r\n")
    pieces = [piece for piece in text.split("\r\n\r\n") if piece]
    return [dict(re.findall(r"^([^:]+): ?(.*?)\r?$", piece, re.M)) for piece in pieces]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@contextlib.asynccontextmanager
async def serving(talk: Talk, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback that holds `talk` with everybody; gives its port, and ends all talks."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            talks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks)


class Feed:
    """Feeds one stream to everybody who connects. `speed`: 1 is as it was recorded, AT_ONCE is one write."""

    def __init__(self, stream: bytes, speed: float = AT_ONCE):
        self.heard = b""  # what clients sent
        self.fed = asyncio.Event()  # the stream has been sent to its end, once
        self._stream = stream
        self._speed = speed

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: feeds it, and listens, until the other end hangs up."""
        feeding = asyncio.create_task(self._feed(writer))
        try:
            await self._listen(reader, writer)
        finally:
            feeding.cancel()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        action = b""
        while line := await reader.readline():
            self.heard += line
            action += line
            if line.strip():
                continue
            if b"Action: Ping\r\n" in action:
                number = b"".join(re.findall(rb"ActionID: .*\r\n", action))
                writer.write(b"Response: Success\r\n" + number + b"Ping: Pong\r\n\r\n")
            action = b""

    async def _feed(self, writer: asyncio.StreamWriter) -> None:
        if self._speed == AT_ONCE:
            writer.write(self._stream)
        else:
            loop = asyncio.get_running_loop()
            began, first = loop.time(), None
            for block in self._stream.split(b"\r\n\r\n")[:-1]:
                stamp = re.search(rb"^Timestamp: ([0-9.]+)", block, re.M)
                if stamp:
                    first = first or float(stamp[1])
                    due = began + (float(stamp[1]) - first) / self._speed
                    if due > loop.time():
                        await asyncio.sleep(due - loop.time())
                writer.write(block + b"\r\n\r\n")
                await writer.drain()
        self.fed.set()


async def main() -> None:
    """Serves a recording until stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("name", nargs="?", default="agent-events.txt")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    async with serving(Feed(recording(options.name), options.speed).talk, options.port) as port:
        print(f"127.0.0.1:{port}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
