"""A TCP proxy that breaks the connections through it: silence, resets, single bytes, delay.

    with proxy(broker.host, broker.port) as link:
        ... connect to link.host, link.port ...
        link.silence()     # half open: nothing passes, nothing is read, nobody is told
        link.mend()        # and on again, what was held back first

It runs in a thread with a loop of its own; every method may be called from any thread.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
PIECE = 4096
BUFFER = 16384  # small, so that a silent link fills soon


class Proxy:
    """Passes bytes between whoever connects to `port` and the server. One fault at a time."""

    def __init__(self, host: str, port: int) -> None:
        self.host = HOST
        self.port = 0
        self.connections = 0  # since the start
        self.open = 0  # now
        self._server = (host, port)
        self._loop = asyncio.new_event_loop()
        self._up = asyncio.Event()  # what the client says passes
        self._down = asyncio.Event()  # what the server says passes
        self._delay_s = 0.0
        self._piece = PIECE
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def silence(self, up: bool = True, down: bool = True) -> None:
        """Half open: from now nothing is read from the client (up) nor the server (down).

        New connections are let in, to the same silence.
        """

        def hold() -> None:
            for way, held in ((self._up, up), (self._down, down)):
                if held:
                    way.clear()

        self._do(hold)

    def byte_by_byte(self) -> None:
        """Every byte in a packet of its own."""
        self._do(lambda: setattr(self, "_piece", 1))

    def delay(self, delay_s: float) -> None:
        """Every byte so much later, each way; the rate stays."""
        self._do(lambda: setattr(self, "_delay_s", delay_s))

    def mend(self) -> None:
        """No fault any more. What a silence held back goes on first."""

        def healthy() -> None:
            self._piece = PIECE
            self._delay_s = 0.0
            self._up.set()
            self._down.set()

        self._do(healthy)

    def reset(self) -> None:
        """Every connection is reset (RST) on both sides; new ones are welcome."""

        def cut() -> None:
            for pair in self._pairs:
                for sock in pair:
                    with contextlib.suppress(OSError):
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for task in self._tasks:
                task.cancel()

        self._do(cut)

    def _do(self, change: Callable[[], None]) -> None:
        """Runs it in the proxy's loop, and returns when it is done."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(change)
        self._loop.call_soon_threadsafe(done.set)
        assert done.wait(5)

    def start(self) -> None:
        self._up.set()
        self._down.set()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listener.bind((HOST, 0))
        listener.listen(100)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._listening = self._loop.create_task(self._listen(listener))
        self._thread.start()

    def stop(self) -> None:
        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)
        self._thread.join(5)
        self._loop.close()

    async def _listen(self, listener: socket.socket) -> None:
        with listener:
            while True:
                client, _ = await self._loop.sock_accept(listener)
                self.connections += 1
                task = self._loop.create_task(self._serve(client))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket) -> None:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        pair = (client, server)
        self._pairs.add(pair)
        self.open += 1
        try:
            for sock in pair:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._up.wait()
            await self._loop.sock_connect(server, self._server)
            ways = [
                self._loop.create_task(self._pass(client, server, self._up)),
                self._loop.create_task(self._pass(server, client, self._down)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        except OSError:
            pass
        finally:
            self.open -= 1
            self._pairs.discard(pair)
            for sock in pair:
                sock.close()

    async def _pass(self, source: socket.socket, sink: socket.socket, passing: asyncio.Event) -> None:
        """One way, until the source ends or either breaks. A delay keeps its own line of what is due."""
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)
        sending = self._loop.create_task(self._send(line, sink, passing))
        try:
            data = b"-"
            while data and not sending.done():
                await passing.wait()
                data = await self._loop.sock_recv(source, self._piece)
                await passing.wait()
                await line.put((self._loop.time() + self._delay_s, data))
            await sending
        except OSError:
            pass
        finally:
            sending.cancel()

    async def _send(
        self, line: "asyncio.Queue[tuple[float, bytes]]", sink: socket.socket, passing: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = await line.get()
                await asyncio.sleep(due - self._loop.time())
                await passing.wait()
                if not data:
                    return
                await self._loop.sock_sendall(sink, data)
                if self._piece == 1:
                    await asyncio.sleep(0.0002)  # else the other side finds several at once


@contextlib.contextmanager
def proxy(host: str, port: int) -> Iterator[Proxy]:
    """A running proxy to that server, on a free loopback port."""
    link = Proxy(host, port)
    link.start()
    try:
        yield link
    finally:
        link.stop()
