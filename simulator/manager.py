"""The AMI of the simulated phone system: lets one user in, answers what it is asked, hands events on."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence

Row = tuple[str, object]

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
LINE_BYTES = 1024  # Asterisk's own limit
ACTION_LINES = 128  # likewise
LISTENERS = 32  # connections at a time
BEHIND_BYTES = 1 << 20  # a listener that leaves more than this unread is dropped
LOGIN_S = 30.0  # a listener that has not logged in by then is dropped


def text(rows: Sequence[Row]) -> str:
    """Some lines of a block as they go over the wire."""
    return "".join([f"{name}: {value}\r\n" for name, value in rows])


def encode(rows: Sequence[Row]) -> bytes:
    """One block as it goes over the wire."""
    return (text(rows) + "\r\n").encode()


class Manager:
    """Serves AMI. `status` and `summary` give the blocks of QueueStatus and QueueSummary."""

    def __init__(self, user: str, secret: str, status: Callable[[], list[list[Row]]],
                 summary: Callable[[], list[list[Row]]], clock: Callable[[], float] = time.time):  # fmt: skip
        if not secret:
            raise ValueError("the simulated PBX needs a secret: an empty one would let everybody in")
        self.user = user
        self.secret = secret
        self.clock = clock
        self.md5 = True  # False: it knows no challenge, as some old managers
        self.read_agent = True  # False: its user hears no events, as without read = agent
        self.lists = {
            "queuestatus": ("Queue status will follow", "QueueStatusComplete", status),
            "queuesummary": ("Queue summary will follow", "QueueSummaryComplete", summary),
        }
        self.dropped = 0  # listeners that did not read, did not log in, or sent rubbish
        self.listeners: set[Listener] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listens; the port is what port 0 became."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Listener(self), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listens no more, and drops everybody."""
        if self._server:
            self._server.close()
            self.drop_all()
            await self._server.wait_closed()
            self._server = None

    def drop_all(self) -> None:
        """Cuts every connection, without a word."""
        for listener in list(self.listeners):
            listener.abort()

    def tell(self, lines: str) -> None:
        """Hands one event to everybody who is logged in."""
        if self.listeners and self.read_agent:
            data = (lines + "\r\n").encode()
            for listener in list(self.listeners):
                if listener.logged_in:
                    listener.write(data)


class Listener(asyncio.Protocol):
    """One connection to the AMI."""

    def __init__(self, manager: Manager):
        self.logged_in = False
        self._manager = manager
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._action: dict[str, str] = {}
        self._lines = 0
        self._challenge = ""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._manager.listeners) >= LISTENERS:
            self.drop()
            return
        self._manager.listeners.add(self)
        self._deadline = asyncio.get_running_loop().call_later(LOGIN_S, self.drop)
        self.write(BANNER)

    def connection_lost(self, error: Exception | None) -> None:
        self._manager.listeners.discard(self)
        if self._deadline:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            text = line.strip().decode("utf-8", "replace")
            if text:
                name, _, value = text.partition(":")
                self._action[name.strip().lower()] = value.strip()
                self._lines += 1
            elif self._action:
                action, self._action, self._lines = self._action, {}, 0
                self._do(action)
        if len(self._rest) > LINE_BYTES or self._lines > ACTION_LINES:
            self.drop()

    def write(self, data: bytes) -> None:
        """Sends, unless the other end has stopped reading: then it is dropped."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > BEHIND_BYTES:
            self.drop()

    def drop(self) -> None:
        """Cuts a connection that misbehaves."""
        self._manager.dropped += 1
        self.abort()

    def abort(self) -> None:
        """Cuts the connection."""
        self._manager.listeners.discard(self)
        if self._transport:
            self._transport.abort()

    # Actions ---------------------------------------------------------------------

    def _do(self, action: dict[str, str]) -> None:
        name = action.get("action", "").lower()
        if name == "challenge":
            self._offer(action)
        elif name == "login":
            self._log_in(action)
        elif name == "logoff":
            self._reply(action, "Goodbye", [("Message", "Thanks for all the fish.")])
            if self._transport:
                self._transport.close()
        elif not self.logged_in:
            self._reply(action, "Error", [("Message", "Permission denied")])
        elif name == "ping":
            self._reply(action, "Success", [("Ping", "Pong"), ("Timestamp", f"{self._manager.clock():.6f}")])
        elif name in self._manager.lists:
            self._list(action, *self._manager.lists[name])
        else:
            self._reply(action, "Error", [("Message", "Invalid/unknown command")])

    def _reply(self, action: dict[str, str], response: str, rows: Sequence[Row]) -> None:
        self.write(encode([("Response", response), *_number(action), *rows]))

    def _offer(self, action: dict[str, str]) -> None:
        if self._manager.md5 and action.get("authtype", "").lower() == "md5":
            self._challenge = str(secrets.randbelow(10**9))
            self._reply(action, "Success", [("Challenge", self._challenge)])
        else:
            self._reply(action, "Error", [("Message", "Must specify AuthType")])

    def _log_in(self, action: dict[str, str]) -> None:
        manager = self._manager
        if action.get("authtype", "").lower() == "md5":
            text = (self._challenge + manager.secret).encode()
            right = hashlib.md5(text, usedforsecurity=False).hexdigest() if self._challenge else ""
            given = action.get("key", "")
        else:
            right, given = manager.secret, action.get("secret", "")
        self._challenge = ""
        known = action.get("username") == manager.user
        if right and known and hmac.compare_digest(right.encode(), given.encode()):
            self.logged_in = True
            if self._deadline:
                self._deadline.cancel()
            self._reply(action, "Success", [("Message", "Authentication accepted")])
            return
        self._reply(action, "Error", [("Message", "Authentication failed")])
        if self._transport:
            self._transport.close()

    def _list(self, action: dict[str, str], words: str, end: str,
              rows: Callable[[], list[list[Row]]]) -> None:  # fmt: skip
        wanted = action.get("queue", "").casefold()
        blocks = [block for block in rows() if wanted in ("", str(block[1][1]).casefold())]
        number = _number(action)
        self._reply(action, "Success", [("EventList", "start"), ("Message", words)])
        ending: list[Row] = [("Event", end), *number, ("EventList", "Complete"), ("ListItems", len(blocks))]
        self.write(b"".join(encode([*block, *number]) for block in blocks) + encode(ending))


class Recorder(Listener):
    """Somebody who logged in with read = agent, asked for a list and the time, and writes down all that is said."""

    def __init__(self, manager: Manager):
        super().__init__(manager)
        self._pieces: list[bytes] = []
        self.logged_in = True
        manager.listeners.add(self)
        self.write(BANNER)
        self._reply({"actionid": "1"}, "Success", [("Message", "Authentication accepted")])
        self.data_received(b"Action: QueueStatus\r\nActionID: 2\r\n\r\n")
        self.ping()

    def write(self, data: bytes) -> None:
        """Keeps it until it is taken."""
        self._pieces.append(data)

    def ping(self) -> None:
        """Has the time written down: of a stretch in which nothing happens, too, one sees how long it was."""
        self.data_received(b"Action: Ping\r\nActionID: 3\r\n\r\n")

    def take(self) -> bytes:
        """What has been said since this was last asked."""
        said = b"".join(self._pieces)
        self._pieces.clear()
        return said


def _number(action: dict[str, str]) -> list[Row]:
    return [("ActionID", action["actionid"])] if action.get("actionid") else []
