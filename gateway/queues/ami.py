"""Asterisk's manager interface (AMI): bytes into blocks, a login, and the few actions that may be sent.

A block is what AMI calls an event or a response: lines of `Name: value`, ended by an empty one.
What people must not be known by is dropped here, while a block is being read.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import ipaddress
import os
import re
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
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
    b"stateinterface": "StateInterface",  # its device: where it sits, in a house without fixed seats
    b"status": "Status",
    b"paused": "Paused",
    b"holdtime": "HoldTime",  # whole seconds
    b"talktime": "TalkTime",  # whole seconds
    b"wait": "Wait",  # whole seconds
    b"callers": "Callers",
    b"uptime": "Uptime",  # whole seconds, of FullyBooted
}
OF_RESPONSES = frozenset({"Response", "Message", "Challenge"})  # in an event these could hold anything

LINE_BYTES = 8192  # a longer line is thrown away, the rest of its block stands
VALUE_LENGTH = 256  # a longer value of a kept header is thrown away; Asterisk's own are under 150
BLOCK_LINES = 1000  # a longer block is thrown away up to the next empty line; Asterisk's have 40
USUAL_BYTES = 2 * BLOCK_LINES  # a block of no more cannot have too many lines, nor too long ones

GREETING = b"Asterisk Call Manager/"

# What a PBX says when it refuses, by manager.c and app_queue.c. Anything else is not repeated: it could hold a secret,
# a caller's number, or a text for the page.
REFUSALS = ("Authentication failed", "Authentication Required", "Permission denied", "Must specify AuthType",
            "Invalid/unknown command", "Unable to send challenge")  # fmt: skip
NO_REASON = "for no reason that we know"

BANNER_S = 1.0  # Asterisk says who it is before this
ANSWER_S = 5.0  # every answer comes within this, or there is nobody

Block = dict[str, str]


class LinkError(Exception):
    """The link cannot be had or is no more; the text says what and what to try."""


class LoginRefused(LinkError):
    """The PBX does not let us in: asking again soon would look like an attack."""


def why_refused(answer: Block) -> str:
    """Why the PBX refuses, in words of ours."""
    said = answer.get("Message", "").casefold()
    return next((words for words in REFUSALS if said.startswith(words.casefold())), NO_REASON)


class Blocks:
    """Bytes in, blocks out. Holds at most a line and the kept headers of one block; never raises.

    `heard`: the names of the events that anybody wants, all others are only counted; None: all. A
    second greeting, which a recording of two sessions has in its middle, is a block `{"Banner": ...}`.

    Most of a stream are short events with the same line ends throughout, in Asterisk's own spelling:
    these are taken out of it whole. Everything else, rubbish and headers in other letters included,
    is read line by line.
    """

    def __init__(self, heard: frozenset[str] | None = None) -> None:
        self.banner = ""  # what Asterisk called itself
        self.long_lines = 0  # lines and values that were too long
        self.long_blocks = 0
        self.unheard = 0  # events that nobody wants
        self._heard: frozenset[bytes] | None = None
        if heard is not None:
            self._heard = frozenset(name.encode() for name in heard)
        self._rest = b""  # the beginning of a block; or of a line, inside of one
        self._skipping = False  # in the middle of a line that is too long
        self._block: Block = {}  # of the block that is being read line by line
        self._lines = 0  # of it, so far

    @property
    def unfinished(self) -> bool:
        """True in the middle of a block."""
        return bool(self._rest or self._lines or self._skipping)

    def feed(self, data: bytes) -> list[Block]:
        """The blocks that are complete now. `data` may end anywhere."""
        data = self._rest + data
        self._rest = b""
        blocks: list[Block] = []
        if self._lines or self._skipping:
            end = _block_end(data, self._skipping)
            blocks += self._by_lines(data[:end])
            data = data[end:]
        if not self._lines and data.startswith(GREETING):
            end = data.find(b"\n") + 1  # no empty line follows it that could be waited for
            blocks += self._by_lines(data[:end])
            data = data[end:]
        end = max(data.rfind(b"\n\n") + 2, data.rfind(b"\n\r\n") + 3)  # behind the last empty line
        if end > 2:
            blocks += self._whole(data[:end])
            data = data[end:]
        if len(data) > LINE_BYTES:
            blocks += self._by_lines(data)
        elif data:
            self._rest = data
        return blocks

    # Block by block --------------------------------------------------------------

    def _whole(self, data: bytes) -> list[Block]:
        """Blocks, all of them complete."""
        if b"\n" + GREETING in data:
            return self._by_lines(data)
        if b"\r" not in data:
            line_end = b"\n"
        elif data.count(b"\r\n") == data.count(b"\n"):
            line_end = b"\r\n"
        else:
            return self._by_lines(data)
        heard = self._heard
        blocks: list[Block] = []
        for piece in data.split(line_end + line_end):
            if not piece:
                continue
            if not piece.startswith(b"Event: "):
                blocks += self._by_lines(piece + line_end + line_end)
                continue
            end = piece.find(line_end)
            name = piece[7:end] if end > 0 else piece[7:]
            if heard is not None and name not in heard:
                self.unheard += 1
                continue
            block = self._usual(name, piece)
            if block is None:
                blocks += self._by_lines(piece + line_end + line_end)
            else:
                blocks.append(block)
        return blocks

    def _usual(self, name: bytes, piece: bytes) -> Block | None:
        """An event out of its text; None where it has to be read line by line."""
        if len(piece) > USUAL_BYTES:
            return None
        found = _HEADERS(piece)
        found.reverse()  # of two of the same name the first one counts
        block = {_SPELLED[header]: str(value, "utf-8", "replace").strip() for header, value in found}
        block["Event"] = str(name, "utf-8", "replace").strip()
        if not found or max(map(len, block.values())) > VALUE_LENGTH:
            return None
        return block

    # Line by line ----------------------------------------------------------------

    def _by_lines(self, data: bytes) -> list[Block]:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if lines and self._skipping:
            del lines[0]
            self._skipping = False
        blocks: list[Block] = []
        for line in lines:
            if line.startswith(GREETING):
                self._end()  # what a session broke off with
                again = bool(self.banner)
                self.banner = line[:80].decode("ascii", "replace").strip()
                blocks += [{"Banner": self.banner}] if again else []
            elif line and line != b"\r":
                self._read(line)
            elif self._lines:
                block = self._end()
                if block:
                    blocks.append(block)
        if self._skipping or len(self._rest) > LINE_BYTES:
            self.long_lines += not self._skipping
            self._lines += not self._skipping
            self._skipping = True
            self._rest = b""
        return blocks

    def _read(self, line: bytes) -> None:
        self._lines += 1
        if len(line) > LINE_BYTES:
            self.long_lines += 1
            return
        header, _, value = line.partition(b":")
        name = KEEP.get(header.lower())
        if name is None or name in self._block:
            return
        text = value.decode("utf-8", "replace").strip()
        if len(text) > VALUE_LENGTH:
            self.long_lines += 1
            return
        self._block[name] = text

    def _end(self) -> Block:
        block, lines = self._block, self._lines
        self._block, self._lines = {}, 0
        if lines > BLOCK_LINES:
            self.long_blocks += 1
            return {}
        if "Event" not in block:
            return block
        if self._heard is not None and block["Event"].encode() not in self._heard:
            self.unheard += 1
            return {}
        return {name: value for name, value in block.items() if name not in OF_RESPONSES}


# How Asterisk spells the headers that are kept of an event, behind its first line.
_SPELLED = {name.encode(): name for name in KEEP.values() if name not in OF_RESPONSES | {"Event"}}
_SPELLED[b"Holdtime"] = "HoldTime"  # in QueueParams
_HEADERS = re.compile(rb"\n(%s):([^\n]*)" % b"|".join(_SPELLED)).findall
_EMPTY_LINE = re.compile(rb"(?:^|\n)\r?\n")
_EMPTY_LINE_BEHIND = re.compile(rb"\n\r?\n")


def _block_end(data: bytes, in_a_line: bool) -> int:
    """Where the block ends that has begun before `data`; all of `data` where it does not end there."""
    found = (_EMPTY_LINE_BEHIND if in_a_line else _EMPTY_LINE).search(data)
    return found.end() if found else len(data)


def encode(action: str, fields: dict[str, str]) -> bytes:
    """One action as bytes. Raises ValueError for anything that must not leave the gateway."""
    if action not in ACTIONS:
        raise ValueError(f"the action '{action}' is not on the list of what may be sent to the PBX")
    for name, value in fields.items():
        if name not in FIELDS:
            raise ValueError(f"the field '{name}' is not on the list of what may be sent to the PBX")
        if not value.isprintable() or len(value) > VALUE_LENGTH:
            raise ValueError(f"the field '{name}' is too long, or holds characters that end a line")
    lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode()


class Link(asyncio.Protocol):
    """One connection. What arrives goes to `hear`, in order, as it arrives; see Blocks for `heard`."""

    def __init__(
        self,
        hear: Callable[[Block], None],
        clock: Callable[[], float] = time.monotonic,
        heard: frozenset[str] | None = None,
    ):
        self.blocks = Blocks(heard)
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
            return "does not answer as an Asterisk manager: is the port right, is tls = true missing?"
        return "closed the connection at the login: may this address connect (permit in manager.conf)?"

    # What we do.

    def silence(self) -> str:
        """What to say of one that does not answer the login."""
        return "did not answer the login" if self.blocks.banner else self._closed()

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
        try:
            self.send(action, **fields)
            async with asyncio.timeout(ANSWER_S):
                return await self._question
        except TimeoutError:
            raise LinkError(self.silence()) from None
        finally:
            self._question = None

    @property
    def on_this_machine(self) -> bool:
        """Whether the other end is: nobody is in between."""
        peer = self._transport.get_extra_info("peername") if self._transport else None
        try:
            return ipaddress.ip_address(peer[0] if peer else "").is_loopback
        except ValueError:
            return False

    async def log_in(self, user: str, secret: str, plain: bool = False) -> None:
        """Logs in: by MD5 challenge. `plain`: with the secret itself, where no challenge is offered.

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
        elif plain:
            answer = await self.ask("Login", Username=user, Secret=secret)
        else:
            raise LoginRefused(
                "offers no challenge, so the secret would cross the network: set tls = true, or plain_login = true"
            )
        if answer["Response"] != "Success":
            raise LoginRefused(
                f"refuses the user '{user}' ({why_refused(answer)}): check [{user}] in its manager.conf and the "
                "secret_file"
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


async def connect(
    host: str,
    port: int,
    hear: Callable[[Block], None],
    clock: Callable[[], float] = time.monotonic,
    heard: frozenset[str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Link:
    """A link to the AMI at `host` and `port`; see Blocks for `heard`. Raises LinkError where nobody answers."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(ANSWER_S):
            _, link = await loop.create_connection(lambda: Link(hear, clock, heard), host, port, ssl=tls)
    except TimeoutError:
        raise LinkError(silence(tls)) from None
    except ssl.SSLError as error:
        raise LinkError(_tls_words(error)) from None
    except OSError as error:
        if tls and error.errno in (None, errno.ECONNRESET):
            raise LinkError("agrees on no TLS: is this its TLS port, and at least TLS 1.2?") from None
        words = _words(error)
        raise LinkError(f"cannot be reached ({words}): is it running, is AMI enabled there?") from None
    return link


def silence(tls: ssl.SSLContext | None) -> str:
    """What to say of one that is not reached in time."""
    words = "does not agree on TLS" if tls else "does not answer"
    return f"{words}: is there a firewall, are address and port right?"


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """What a PBX has to prove: its name, by the word of `ca_file` or of whom this computer trusts.

    Raises LinkError where the file cannot be used. It is read anew for every link, being renewed now and then.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        words = "holds no certificate in PEM" if isinstance(error, ssl.SSLError) else _words(error)
        name = ca_file.name if ca_file else ""
        raise LinkError(f"cannot be asked: ca_file '{name}' {words}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _words(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or "no such host"
    return os.strerror(error.errno)


# What is the matter with a certificate, by OpenSSL's number (x509_vfy.h).
_CERTIFICATE = {
    9: "a certificate that is not valid yet: are both clocks right?",
    10: "a certificate that has run out: renew it there",
    62: "a certificate for another name: write host as the certificate has it",
    64: "a certificate for another address: write host as the certificate has it",
}


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        unknown = "a certificate nobody here trusts: put its authority's certificate into ca_file"
        return f"has {_CERTIFICATE.get(error.verify_code, unknown)}"
    if error.reason in ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"):
        return "speaks only TLS older than 1.2: renew its Asterisk and OpenSSL"
    return "does not speak TLS on this port: is it tlsbindaddr's (5039)? else set tls = false"
