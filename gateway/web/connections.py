"""Connections to the page: how many there may be, and how long one may keep us waiting for a request.

uvicorn's own clock starts after a first request, and asyncio gives a handshake of TLS a minute: whoever opens
connections and says nothing would have them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.people.guesses import place_of
from gateway.web import intake

log = logging.getLogger(__name__)

HEAD_S = 10.0  # a request has begun, and all that stands before its body has come, by then; a handshake too
BODY_S = intake.READ_S + 2.0  # and its body by then; most addresses say so themselves before it
CLOSE_S = 2.0  # for a goodbye in TLS that nobody answers
ALL_MOST = 2000  # more than all open pages and walls that are let in
PLACE_MOST = 200  # of one address; a browser has six
OTHERS_FILES = (
    200  # open files beside connections: the broker, the phone system, the database, what is served
)
FILES_MOST = 65_536  # more than we ever need, where there would be no bound
PAUSE_S = 0.1  # when the system has no more to give


class Patient(HttpToolsProtocol):
    """One connection: closed when it owes us a whole request for too long."""

    left: Callable[[], None] = staticmethod(lambda: None)  # called once it is gone
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(HEAD_S)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:
            self._wait(HEAD_S)

    def on_headers_complete(self) -> None:
        self._wait(BODY_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._timer is None and self.cycle.response_complete and not self.transport.is_closing():
            self._wait(HEAD_S)  # the keep-alive's clock is stopped by a single byte

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)
        self.left()

    def _wait(self, seconds: float) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None


class Room:
    """How many connections there may be: `most` in all, `of_one` from one address, unless it is a proxy's."""

    def __init__(self, most: int, of_one: int = PLACE_MOST, proxies: Iterable[str] = ()) -> None:
        self._most, self._of_one = most, of_one
        self._proxies = [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]
        self._there: Counter[str] = Counter()
        self._count = 0

    def enter(self, address: str) -> bool:
        """Whether one more from that address may come in; if so, `leave` it later."""
        place = place_of(address)
        if self._count >= self._most or (self._there[place] >= self._of_one and not self._is_proxy(address)):
            if not self._there[place]:
                del self._there[place]
            return False
        self._there[place] += 1
        self._count += 1
        return True

    def leave(self, address: str) -> None:
        place = place_of(address)
        self._count -= 1
        self._there[place] -= 1
        if not self._there[place]:
            del self._there[place]

    def _is_proxy(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(ip in proxy for proxy in self._proxies)


class Door:
    """Takes connections from listening sockets, and lets in those for whom there is room."""

    def __init__(self, sockets: Sequence[socket.socket], room: Room, tls: ssl.SSLContext | None,
                 protocol: Callable[[], Patient]) -> None:  # fmt: skip
        self._sockets, self._room, self._tls, self._protocol = sockets, room, tls, protocol
        self._jobs = {asyncio.create_task(self._take(sock)) for sock in sockets}

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(listening)
            except OSError as error:  # no more open files, or it was gone already
                log.warning("no connection to the page can be taken: %s", error.strerror)
                await asyncio.sleep(PAUSE_S)
                continue
            if not self._room.enter(address[0]):
                log.warning("a connection to the page is refused: there are too many")
                sock.close()
                continue
            job = asyncio.create_task(self._let_in(sock, address[0]))
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)

    async def _let_in(self, sock: socket.socket, address: str) -> None:
        protocol = self._protocol()
        wait: dict[str, Any] = {}
        if self._tls:
            wait = {"ssl": self._tls, "ssl_handshake_timeout": HEAD_S, "ssl_shutdown_timeout": CLOSE_S}
        there = False
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            protocol.left = lambda: self._room.leave(address)
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, sock, **wait)
            there = True
        except OSError:
            pass  # no TLS, too slow, or gone: nobody we know
        finally:
            if not there and protocol.transport is None:
                self._room.leave(address)
                sock.close()

    def close(self) -> None:
        for job in self._jobs:
            job.cancel()
        for sock in self._sockets:
            sock.close()

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._jobs, return_exceptions=True)


class Server(uvicorn.Server):
    """uvicorn, with a Door of ours."""

    def __init__(self, config: uvicorn.Config, room: Room) -> None:
        super().__init__(config)
        self._room = room

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        config = self.config
        try:
            listening = sockets or listen(config.host, config.port, config.backlog)
        except OSError as error:
            log.error("%s", error)
            sys.exit(STARTUP_FAILURE)
        for sock in listening:
            sock.setblocking(False)
        state, tell = self.server_state, self.lifespan.state

        def protocol() -> Patient:
            return Patient(config, state, tell)

        self.servers = [Door(listening, self._room, config.ssl, protocol)]  # type: ignore[list-item]
        self._log_started_message(listening)
        self.started = True


def listen(host: str, port: int, backlog: int) -> list[socket.socket]:
    """A listening socket for each address of a host. Raises OSError."""
    found = dict.fromkeys(
        (family, address)
        for family, _, _, _, address in socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    )
    sockets: list[socket.socket] = []
    with contextlib.ExitStack() as undo:
        for family, address in found:
            sock = socket.socket(family, socket.SOCK_STREAM)
            undo.callback(sock.close)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
            sock.listen(backlog)
            sockets.append(sock)
        undo.pop_all()
    return sockets


def room_for(proxies: Iterable[str]) -> Room:
    """Room for as many connections as this process may have files open, raised to what it may have."""
    import resource  # a gateway is no Windows computer; what it imports may be read on one

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MOST if hard == resource.RLIM_INFINITY else min(hard, FILES_MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    files = FILES_MOST if soft == resource.RLIM_INFINITY else soft
    return Room(max(min(ALL_MOST, files - OTHERS_FILES), OTHERS_FILES // 2), PLACE_MOST, proxies)
