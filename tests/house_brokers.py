"""A broker of a house as `callfloor broker setup` makes it, for tests: real mosquitto, TLS, loopback.

house = HouseBroker(tmp_path, boards=("a1", "a2"), sources=("chat",))
house.setup(); house.start(); ...; house.stop()
"""

from __future__ import annotations

import getpass
import json
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

import floorplan
from boards import login
from floorplan import Plan
from gateway.broker import accounts
from gateway.broker import setup as house_broker
from tests.brokers import free_port, program
from tests.conftest import until


class HouseBroker:
    """One site file with its broker's folder, and the mosquitto that runs of it."""

    def __init__(
        self, folder: Path, boards: tuple[str, ...] = ("a1", "a2"), sources: tuple[str, ...] = (), **broker: Any
    ) -> None:
        self.home = folder
        self.site = folder / "site.json"
        self.tables: dict[str, Any] = {
            "site": {"id": "skien"},
            "broker": {
                "host": "localhost", "port": free_port(), "user": "gateway_", "secret_file": "secrets/mqtt",
                "boards_folder": "secrets/boards", "tls": True, "ca_file": "broker/ca.pem",
            } | broker,
            "board": [{"id": name} for name in boards],
            "source": [{"id": name, "secret_file": f"secrets/{name}"} for name in sources],
        }  # fmt: skip
        self.proc: subprocess.Popen[bytes] | None = None
        self.write()

    def write(self, **broker: Any) -> None:
        """The site file anew, with these changes to [broker]; None takes a key away."""
        told = self.tables["broker"] | broker
        self.tables["broker"] = {key: value for key, value in told.items() if value is not None}
        self.site.write_text(json.dumps(self.tables))

    @property
    def plan(self) -> Plan:
        return floorplan.read(self.site)

    @property
    def folder(self) -> Path:
        return accounts.folder_of(self.plan)

    def setup(self) -> list[str]:
        return house_broker.setup(self.plan, self.site, getpass.getuser())

    def start(self) -> None:
        """Starts mosquitto, and returns when it listens."""
        with (self.home / "mosquitto.log").open("ab") as log:
            conf = str(self.folder / accounts.CONF)
            self.proc = subprocess.Popen([program(), "-c", conf], stdout=log, stderr=log)
        until(self._listens, f"mosquitto listens; {(self.home / 'mosquitto.log').read_text()[-500:]}")

    def _listens(self) -> bool:
        assert self.proc
        assert self.proc.poll() is None, (self.home / "mosquitto.log").read_text()[-800:]
        broker = self.plan.broker
        assert broker
        try:
            socket.create_connection((broker.host, broker.port), 1).close()
        except OSError:
            return False
        return (self.folder / accounts.PID).exists()

    def stop(self) -> None:
        if self.proc:
            self.proc.terminate()
            self.proc.wait(10)
            self.proc = None

    def password(self, board: str) -> str:
        row = next(row for row in self.plan.board if row.id == board)
        return floorplan.secret(floorplan.board_secret_file(self.plan, row)) or ""

    def client(self, user: str, password: str, name: str = "") -> Guest:
        return Guest(self.plan, user, password, name)

    def gateway(self) -> Guest:
        assert self.plan.broker
        return Guest(self.plan, "gateway_", floorplan.secret(self.plan.broker.secret_file) or "")


class Guest:
    """A client that comes once: `code` is the broker's answer, None if it hung up; `heard` what it was told."""

    def __init__(self, plan: Plan, user: str, password: str, name: str = "") -> None:
        broker = plan.broker
        assert broker
        self.code: int | None = None
        self.ended = threading.Event()
        self.heard: dict[str, bytes] = {}
        answered = threading.Event()
        self.paho = client = paho.Client(CallbackAPIVersion.VERSION2, name, reconnect_on_failure=False)
        client.username_pw_set(user, password)
        if broker.tls:
            client.tls_set_context(login.context(broker))

        def connected(_c: object, _u: object, _f: object, code: Any, _p: object) -> None:
            self.code = int(code.value)
            answered.set()

        def ended(*_: object) -> None:
            self.ended.set()
            answered.set()

        client.on_connect, client.on_disconnect = connected, ended
        client.on_message = lambda _c, _u, message: self.heard.update({message.topic: bytes(message.payload)})
        client.connect(broker.host, broker.port)
        client.loop_start()
        assert answered.wait(10)

    @property
    def is_in(self) -> bool:
        return self.code == 0 and not self.ended.is_set()

    def say(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.paho.publish(topic, payload, 1, retain).wait_for_publish(10)

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()
