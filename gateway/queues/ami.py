"""Asterisk's manager interface (AMI): bytes into blocks, a login, and the few actions that may be sent.

A block is what AMI calls an event or a response: lines of `Name: value`, ended by an empty one.
What people must not be known by is dropped here, while a block is being read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import time
from collections.abc import Callable
from typing import cast

# All that may ever leave the gateway. A login with no write rights at all may still reset queues
# and throw callers out (`QueueReset`, `QueueWithdrawCaller`, `BridgeKick` need no authority in
# app_queue.c), so the lock is on this side.
ACTIONS = frozenset({"Challenge", "Login", "Logoff", "Ping", "QueueStatus", "QueueSummary"})
FIELDS = frozenset({"ActionID", "AuthType", "Key", "Secret", "Username"})

MINE = "callfloor-"  # how the ids of our own actions begin

# The headers that are kept, in lower case, and what they are called from here on. Callers' numbers
# and names, channels (they hold numbers), members' names and pause reasons are not among them.
KEEP = {
    b"event": "Event",
    b"response": "Response",
    b"message": "Message",  # of responses only
    b"actionid": "ActionID",
    b"challenge": "Challenge",
    b"timestamp": "Timestamp",  # the PBX's clock: for recordings
    b"queue": "Queue",
    b"uniqueid": "Uniqueid",
    b"interface": "Interface",  # a member, in events
    b"location": "Location",  # the same, in lists
    b"status": "Status",
    b"paused": "Paused",
    b"holdtime": "HoldTime",  # whole seconds
    b"talktime": "TalkTime",  # whole seconds
    b"wait": "Wait",  # whole seconds
    b"callers": "Callers",
}

LINE_BYTES = 8192  # a longer line is thrown away, the rest of its block stands
VALUE_BYTES = 256  # a longer value of a kept header is thrown away; Asterisk's own are under 150
BLOCK_LINES = 1000  # a longer block is thrown away up to the next empty line; Asterisk's have 40

BANNER_S = 1.0  # Asterisk says who it is before this
ANSWER_S = 5.0  # every answer comes within this, or there is nobody

Block = dict[str, str]


class LinkError(Exception):
    """The link cannot be had or is no more; the text says what and what to try."""


class Blocks:
    """Bytes in, blocks out. Holds at most a line and the kept headers of one block; never raises."""

    def __init__(self) -> None:
        self.banner = ""  # what Asterisk called itself
        self.long_lines = 0  # lines and values that were too long
        self.long_blocks = 0
        self._rest = b""  # a line that has not ended yet
        self._skipping = False  # in the middle of a line that is too long
        self._block: Block = {}
        self._lines = 0

    def feed(self, data: bytes) -> list[Block]:
        """The blocks that are complete now. `data` may end anywhere."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if lines and self._skipping:
            del lines[0]
            self._skipping = False
        blocks = []
        for line in lines:
            if line and line != b"\r":
                self._read(line)
            elif self._lines:
                block = self._end()
                if block:
                    blocks.append(block)
        if self._skipping or len(self._rest) > LINE_BYTES:
            self.long_lines += not self._skipping
            self._skipping = True
            self._rest = b""
        return blocks

    def _read(self, line: bytes) -> None:
        if not self._lines and not self.banner and line.startswith(b"Asterisk Call Manager"):
            self.banner = line[:80].decode("ascii", "replace").strip()
            return  # no empty line follows it
        self._lines += 1
        if len(line) > LINE_BYTES:
            self.long_lines += 1
            return
        header, _, value = line.partition(b":")
        name = KEEP.get(header.lower())
        if name is None or name in self._block:
            return
        value = value.strip()
        if len(value) > VALUE_BYTES:
            self.long_lines += 1
            return
        self._block[name] = value.decode("utf-8", "replace")

    def _end(self) -> Block:
        block, lines = self._block, self._lines
        self._block, self._lines = {}, 0
        if lines > BLOCK_LINES:
            self.long_blocks += 1
            return {}
        if "Response" not in block:
            block.pop("Message", None)  # an event's own words could hold anything
        return block


def encode(action: str, fields: dict[str, str]) -> bytes:
    """One action as bytes. Raises ValueError for anything that must not leave the gateway."""
    if action not in ACTIONS:
        raise ValueError(f"the action '{action}' is not on the list of what may be sent to the PBX")
    for name, value in fields.items():
        if name not in FIELDS:
            raise ValueError(f"the field '{name}' is not on the list of what may be sent to the PBX")
        if not value.isprintable() or len(value) > VALUE_BYTES:
            raise ValueError(f"the field '{name}' is too long, or holds characters that end a line")
    lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode()


class Link(asyncio.Protocol):
    """One connection. Everything that arrives goes to `hear`, in order, as it arrives."""

    def __init__(self, hear: Callable[[Block], None], clock: Callable[[], float] = time.monotonic):
        self.blocks = Blocks()
        self.heard_s = clock()  # when anything last arrived
        self.accepted = False  # logged in
        self.greeted = asyncio.Event()
        self.ended = asyncio.Event()
        self._hear = hear
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._question: asyncio.Future[Block] | None = None
        self._number = 0

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        self.heard_s = self._clock()
        for block in self.blocks.feed(data):
            if "Response" in block:
                self._answered(block)
            self._hear(block)
        if self.blocks.banner:
            self.greeted.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.ended.set()
        if self._question and not self._question.done():
            self._question.set_exception(LinkError(self._closed()))

    def _answered(self, block: Block) -> None:
        self.accepted |= block.get("Message") == "Authentication accepted"
        if self._question and not self._question.done():
            self._question.set_result(block)  # some answer a login without its ActionID

    def _closed(self) -> str:
        if not self.blocks.banner:
            return "does not answer as an Asterisk manager: is the port right, is it stuck?"
        return "closed the connection at the login: may this address connect (permit in manager.conf)?"

    # What we do.

    def send(self, action: str, **fields: str) -> str:
        """Sends one of ACTIONS and returns its id; what it answers goes to `hear`."""
        self._number += 1
        number = f"{MINE}{self._number}"
        data = encode(action, {"ActionID": number, **fields})
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)
        return number

    async def ask(self, action: str, **fields: str) -> Block:
        """The answer to one action of the login, where nothing else is under way. Raises LinkError."""
        if self.ended.is_set():
            raise LinkError(self._closed())
        self._question = asyncio.get_running_loop().create_future()
        self.send(action, **fields)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._question
        except TimeoutError:
            words = "did not answer the login" if self.blocks.banner else self._closed()
            raise LinkError(words) from None
        finally:
            self._question = None

    async def log_in(self, user: str, secret: str) -> None:
        """Logs in: by MD5 challenge, or with the plain secret where no challenge is offered.

        Raises LinkError when it is refused, not answered, or what answers is no AMI.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BANNER_S):
                await self.greeted.wait()
        if self.accepted:
            return  # a recording, which was let in long ago
        answer = await self.ask("Challenge", AuthType="MD5")
        if self.accepted:
            return
        if challenge := answer.get("Challenge"):
            key = hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()
            answer = await self.ask("Login", AuthType="MD5", Username=user, Key=key)
        else:
            answer = await self.ask("Login", Username=user, Secret=secret)
        if answer["Response"] != "Success":
            words = answer.get("Message", "no reason given")
            raise LinkError(
                f"refuses the user '{user}' ({words}): check [{user}] in its manager.conf and the secret_file"
            )
        self.accepted = True

    def close(self) -> None:
        """Says goodbye and hangs up, without waiting for anybody."""
        if self._transport and not self._transport.is_closing():
            self.send("Logoff")
            if self._transport.get_write_buffer_size():
                self._transport.abort()  # it takes nothing any more: there is nobody to wait for
            else:
                self._transport.close()
        self.ended.set()


async def connect(host: str, port: int, hear: Callable[[Block], None],
                  clock: Callable[[], float] = time.monotonic) -> Link:  # fmt: skip
    """A link to the AMI at `host` and `port`. Raises LinkError where nobody answers."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(ANSWER_S):
            _, link = await loop.create_connection(lambda: Link(hear, clock), host, port)
    except TimeoutError:
        raise LinkError("does not answer: is there a firewall, is the address right?") from None
    except OSError as error:
        words = _words(error)
        raise LinkError(f"cannot be reached ({words}): is it running, is AMI enabled there?") from None
    return link


def _words(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or "no such host"
    return os.strerror(error.errno)
