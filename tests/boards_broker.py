"""The broker of a house as `callfloor broker setup` makes it, with TLS, and boards at it that are someone.

with BoardsBroker(tmp_path) as house:
    house.provision("row-a")            # row-a/board.json
    house.start("row-a")
    house.state("row-a")                # "ready", "lost" or None
"""

import contextlib
import getpass
import json
import os
import re
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

import floorplan
from boards import login
from firmware import contract
from gateway.broker import accounts
from gateway.broker import boards as board_accounts
from gateway.broker import setup as house_broker
from tests.brokers import HOST, free_port, program
from tests.conftest import until
from tests.forks import finished
from tests.pythons import ROOT, command, environment

BOARDS = ("row-a", "row-b")


class BoardsBroker:
    """Two boards of one input each. `folder` has the site file, the secrets, and what boards keep."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.site = folder / "site.json"
        broker = {
            "host": HOST, "port": self.port, "keepalive_s": 4, "user": "gateway_", "secret_file": "secrets/mqtt",
            "boards_folder": "secrets/boards", "tls": True, "ca_file": "broker/ca.pem",
        }  # fmt: skip
        tables = {
            "site": {"id": "example"}, "broker": broker, "desk": [{"id": f"d-{name}"} for name in BOARDS],
            "board": [
                {"id": name, "definition": "simulated",
                 "inputs": [{"desk": f"d-{name}", "phone": {"by": "contact", "pin": "GP2"}}]} for name in BOARDS
            ],
        }  # fmt: skip
        self.site.write_text(json.dumps(tables))
        self.plan = floorplan.read(self.site)
        self.boards: dict[str, subprocess.Popen[bytes]] = {}
        self._open = contextlib.ExitStack()
        self._broker: subprocess.Popen[bytes] | None = None
        self.ear: Ear

    def __enter__(self) -> "BoardsBroker":
        house_broker.setup(self.plan, self.site, getpass.getuser())
        self.start_broker()
        self.ear = Ear(self.plan)
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.boards.values():
            process.kill()
            process.wait(5)
        self.ear.close()
        self.kill_broker()

    def start_broker(self) -> None:
        conf = self.folder / "broker" / accounts.CONF
        with (self.folder / "broker.log").open("ab") as log:
            self._broker = subprocess.Popen([program(), "-v", "-c", str(conf)], stdout=log, stderr=log)

        def listens() -> bool:
            with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
                return accounts.running(self.plan) is not None
            return False

        until(listens, "the broker listens")

    def kill_broker(self) -> None:
        if self._broker:
            self._broker.kill()
            self._broker.wait(5)
            self._broker = None

    # Boards ---------------------------------------------------------------------

    def callfloor(self, *args: str, within_s: float = 30) -> subprocess.CompletedProcess[str]:
        """`callfloor board …` with this site file."""
        return finished("board", *args, "--site", str(self.site), within_s=within_s)

    def told(self, name: str) -> Path:
        """The board.json; on a chip it would lie in the folder that the board keeps things in."""
        return self.folder / name / "board.json"

    def provision(self, name: str) -> None:
        board_accounts.provision(self.plan, name, {"kind": "memory"}, self.told(name))

    def start(self, name: str, driver: tuple[str, ...] = ("-m", "firmware.main")) -> None:
        """The board, on the real interpreter; as a chip does, it keeps things beside its board.json."""
        path = self.told(name)
        settings = json.loads(path.read_text())
        path.write_text(json.dumps(settings | {"keep": str(path.parent)}))
        with (self.folder / f"{name}.log").open("ab") as log:
            self.boards[name] = subprocess.Popen(
                command("micropython", *driver, str(path), heap="192k"), env=environment(),
                stdin=subprocess.DEVNULL, cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """As a power cut does."""
        process = self.boards.pop(name)
        process.kill()
        process.wait(5)

    def up(self, *names: str) -> None:
        """Provisioned, started and ready."""
        for name in names:
            self.provision(name)  # as `callfloor board json` does
            self.start(name)
        for name in names:
            self.ready(name)

    def ready(self, name: str, after: int = 0, within_s: float = 15) -> None:
        """Until it has been let in more than `after` times and is there."""

        def there() -> bool:
            return self.state(name) == "ready" and self.let_in(name) > after

        try:
            until(there, f"{name} is ready", within_s)
        except AssertionError as error:
            said = (self.folder / f"{name}.log").read_text()[-1500:]
            raise AssertionError(f"{error}\n{said}") from error

    def let_in(self, name: str) -> int:
        """How often the broker has let it in so far."""
        return len(self.client_ids(name))

    def client_ids(self, name: str) -> list[str]:
        """Under which client ids the broker has let it in."""
        return re.findall(rf" as (example-{name}-[0-9a-f]{{12}}) \(p2", self.said())

    def said(self) -> str:
        """What the broker has."""
        return (self.folder / "broker.log").read_text()

    def state(self, name: str) -> str | None:
        return self.ear.latest.get(f"board/{name}/state", {}).get("state")

    def secret(self, name: str) -> Path:
        return self.folder / "secrets" / "boards" / name

    def password(self, name: str) -> str:
        return self.secret(name).read_text().strip()

    def lets_in(self, user: str, password: str) -> bool:
        """Whether the broker lets somebody in by that name and password."""
        with contextlib.closing(Visitor(self.plan, user, password)) as visitor:
            return visitor.let_in


class Visitor:
    """Somebody with a name and a password, at the broker with TLS. `heard`: (topic, payload)."""

    def __init__(self, plan: floorplan.Plan, user: str, password: str, client_id: str = "") -> None:
        assert plan.broker
        self.heard: list[tuple[str, bytes]] = []
        self.let_in = False
        self.there = False
        self._granted: set[int] = set()  # it may be answered before we know what it was called
        client_id = client_id or f"visitor-{os.urandom(4).hex()}"
        self.client = client = paho.Client(CallbackAPIVersion.VERSION2, client_id, reconnect_on_failure=False)
        answered = threading.Event()

        def connected(_client: object, _user: object, _flags: object, code: Any, _more: object) -> None:
            self.let_in = self.there = not code.is_failure
            answered.set()

        def gone(*_: object) -> None:
            self.there = False

        client.tls_set_context(login.context(plan.broker))
        client.username_pw_set(user, password)
        client.on_connect, client.on_disconnect = connected, gone
        client.on_message = lambda _c, _u, message: self.heard.append((message.topic, bytes(message.payload)))
        client.on_subscribe = lambda _c, _u, mid, _codes, _more: self._granted.add(mid)
        client.connect(plan.broker.host, plan.broker.port)
        client.loop_start()
        assert answered.wait(5), "the broker does not answer"

    def subscribe(self, *topics: str) -> None:
        """And waits for the broker's answer."""
        for topic in topics:
            mid = self.client.subscribe(topic, 1)[1]
            until(lambda mid=mid: mid in self._granted, "a subscription", 5)  # type: ignore[misc]

    def say(self, topic: str, payload: bytes) -> None:
        """Retained, and on its way when this returns."""
        self.client.publish(topic, payload, 1, True).wait_for_publish(5)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Ear:
    """What is said of the site, as the gateway hears it."""

    def __init__(self, plan: floorplan.Plan) -> None:
        assert plan.broker
        self.latest: dict[str, dict[str, Any]] = {}
        self.heard: list[tuple[str, bytes, bool]] = []
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2)
        login.log_in(client, plan.broker)
        client.on_connect = lambda client, *_: client.subscribe(contract.topic(plan.site.id, "#"), 1)
        client.on_message = self._hear
        client.connect(plan.broker.host, plan.broker.port)
        client.loop_start()

    def _hear(self, _client: object, _user: object, message: paho.MQTTMessage) -> None:
        topic = message.topic.split("/", 3)[3]
        self.heard.append((topic, bytes(message.payload), message.retain))
        with contextlib.suppress(ValueError):
            self.latest[topic] = json.loads(message.payload) if message.payload else {}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
