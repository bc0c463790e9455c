"""A small house for tests: a real mosquitto, a gateway process, boards on real interpreters, a PBX in our hands.

with House(tmp_path) as house:
    house.start_all()
    house.pin("row-a", "GP2", 0)
    house.wait("a1 talks", lambda: house.now("desk/a1")["status"] == "talking")
"""

import asyncio
import contextlib
import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

import floorplan
from gateway.broker import setup as house_broker
from gateway.broker.rights import GATEWAY
from simulator import board as simulated
from simulator.pbx import Pbx
from tests import forks, someone
from tests.brokers import HOST, Broker, free_port, mosquitto, program

EXAMPLE = Path(floorplan.__file__).with_name("simulator") / "example.toml"


DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # past any proxy


class House:
    """The example floor without its people: whoever tests is the people."""

    forked = True  # its gateway is started by `tests/forks.py`, not in full

    def __init__(self, folder: Path, change: Callable[[dict[str, Any]], None] = lambda tables: None) -> None:
        self.folder = folder
        self.web = f"http://{HOST}:{free_port()}"
        self.processes: dict[str, subprocess.Popen[bytes] | forks.Forked] = {}
        self.broker: Broker
        self._change = change
        self._open: contextlib.ExitStack = contextlib.ExitStack()
        self._pins: dict[str, socket.socket] = {}

    def __enter__(self) -> Self:
        self.broker = self._open.enter_context(mosquitto(self.folder))
        self.plan = self._plan()
        self.site = self.folder / "site.json"
        self.site.write_text(json.dumps(self.plan.model_dump(mode="json", exclude_none=True)))
        self.login = someone.headers(someone.token(self.plan))
        self.pbx = self._open.enter_context(running_pbx(self.plan))
        return self

    def __exit__(self, *error: object) -> None:
        for name in list(self.processes):
            self.stop(name)
        for sock in self._pins.values():
            sock.close()
        self._open.close()

    def _plan(self) -> floorplan.Plan:
        secret = self.folder / "ami-secret"
        secret.write_text("not much of a secret")
        tables = floorplan.tables_in(EXAMPLE)
        del tables["simulator"]
        tables["broker"] = self._broker_table()
        tables["pbx"] = {"asterisk": {
            "host": HOST, "port": free_port(), "user": "callfloor", "secret_file": str(secret),
        }}  # fmt: skip
        for board in tables["board"]:
            board["control"] = f"{HOST}:{free_port()}"
        self._change(tables)
        return floorplan.check(tables, "the test's house", self.folder)

    def _broker_table(self) -> dict[str, Any]:
        return {"host": HOST, "port": self.broker.port, "keepalive_s": 4}

    # Processes -------------------------------------------------------------------

    def start_all(self, within_s: float = 30) -> None:
        """Gateway and every board; returns when the gateway calls the floor up."""
        for board in self.plan.board:
            self.start_board(board.id)
        self.start_gateway()
        self.wait("the floor is up", lambda: self.get("/healthz")[0] == 200, within_s)
        self.wait("every board is heard", lambda: all(
            self.now(f"board/{board.id}").get("state") == "ready" for board in self.plan.board
        ), within_s)  # fmt: skip

    def start_gateway(self) -> None:
        """The product in service: `callfloor up` with a site file that names broker, PBX and boards."""
        args = ["up", str(self.site), "--web", self.web.removeprefix("http://")]
        if self.forked:
            with (self.folder / "gateway.log").open("ab") as log:
                self.processes["gateway"] = forks.start(*args, out=log, env=simulated.environment())
        else:
            self._start("gateway", [sys.executable, "-m", "callfloor", *args])

    def start_board(self, board: str, heap: str = simulated.HEAP, broker_port: int | None = None) -> None:
        """One board on the real interpreter; `broker_port` leads its link through a test's proxy."""
        control = next(row.control for row in self.plan.board if row.id == board)
        told = simulated.write_board_json(self.plan, board, control, self.folder)
        if broker_port:
            settings = json.loads(told.read_text())
            settings["broker"]["port"] = broker_port
            told.write_text(json.dumps(settings))
        self._start(board, simulated.command(told, heap))

    def _start(self, name: str, command: list[str]) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            command, env=simulated.environment(), cwd=simulated.CODE, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        log.close()

    def kill(self, name: str) -> None:
        """As a power cut would: SIGKILL."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(10)
        sock = self._pins.pop(name, None)
        if sock:
            sock.close()

    def stop(self, name: str) -> None:
        """Politely: SIGTERM."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    # Hands and eyes ------------------------------------------------------------------

    def pin(self, board: str, pin: str, level: int | str) -> str:
        """Sets a pin, or asks for it with "?"; the board's answer."""
        if board not in self._pins:
            control = next(row.control for row in self.plan.board if row.id == board)
            assert control
            host, port = control.rsplit(":", 1)
            self.wait(f"{board} opens its control port", lambda: _open(host, int(port)), 10)
            self._pins[board] = socket.create_connection((host, int(port)), timeout=5)
            self._pins[board].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = self._pins[board]
        sock.sendall(f"{pin} {level}\n".encode())
        return sock.makefile().readline().strip()

    def now(self, path: str) -> dict[str, Any]:
        """What the page is told under a path, like `desk/a1`; {} while nothing is."""
        status, document = self.get("/api/now")
        return dict(document.get(path) or {}) if status == 200 else {}

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """(status, JSON) of a page's address; (0, {}) while nobody answers there."""
        try:
            with DIRECT.open(urllib.request.Request(self.web + path, headers=self.login), timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, {}
        except (OSError, ValueError):
            return 0, {}

    def picture(self, wall: str) -> bytes:
        """The bytes of the picture that the wall's board last wrote; empty before the first."""
        path = next(row.panel.path for row in self.plan.wall if row.id == wall)
        assert path
        return path.read_bytes() if path.exists() else b""

    def wait(self, what: str, holds: Callable[[], object], within_s: float = 10) -> float:
        """Seconds until `holds()`; AssertionError with everybody's last words when it does not come."""
        started = time.monotonic()
        while time.monotonic() - started < within_s:
            if holds():
                return time.monotonic() - started
            time.sleep(0.02)
        raise AssertionError(f"not within {within_s} s: {what}\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of every process's log."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1200:]}" for log in logs)


def _open(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


class SafeHouse(House):
    """A house as it should be: everybody at its broker has a name and a password, and speaks TLS."""

    def __enter__(self) -> Self:
        self.plan = self._plan()
        self.site = self.folder / "site.json"
        self.site.write_text(json.dumps(self.plan.model_dump(mode="json", exclude_none=True)))
        house_broker.setup(self.plan, self.site, getpass.getuser())
        self.login = someone.headers(someone.token(self.plan))
        assert self.plan.broker and self.plan.broker.folder
        self._start("mosquitto", [program(), "-c", str(self.plan.broker.folder / "mosquitto.conf")])
        self.pbx = self._open.enter_context(running_pbx(self.plan))
        return self

    def _broker_table(self) -> dict[str, Any]:
        return {
            "host": HOST, "port": free_port(), "tls": True, "ca_file": "broker/ca.pem", "user": GATEWAY,
            "secret_file": "secrets/mqtt", "boards_folder": "secrets/boards", "keepalive_s": 4,
        }  # fmt: skip


class RunningPbx:
    """The simulated PBX on a loop of its own; verbs are called from the test's thread."""

    def __init__(self, pbx: Pbx, loop: asyncio.AbstractEventLoop) -> None:
        self.pbx = pbx
        self._loop = loop

    def __getattr__(self, verb: str) -> Any:
        def call(*args: Any) -> Any:
            async def run() -> Any:
                return getattr(self.pbx, verb)(*args)

            return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

        return call


@contextlib.contextmanager
def running_pbx(plan: floorplan.Plan) -> Iterator[RunningPbx]:
    """The PBX of a plan, at its AMI address, every desk a member of every queue."""
    settings = plan.pbx.asterisk
    assert settings
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    pbx = RunningPbx(Pbx(settings.user, floorplan.secret(settings.secret_file) or "", seed=1), loop)
    for queue in plan.queue:
        pbx.add_queue(queue.pbx)
        for desk in plan.desk:
            pbx.add_member(queue.pbx, desk.extension)
    serving = asyncio.run_coroutine_threadsafe(pbx.pbx.serve(settings.host, settings.port), loop)
    try:
        yield pbx
    finally:
        serving.cancel()
        asyncio.run_coroutine_threadsafe(pbx.pbx.close(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


class Ear:
    """Everything the broker says under `callfloor/`, newest by topic, and in order."""

    def __init__(self, broker: Broker) -> None:
        self.latest: dict[str, dict[str, Any]] = {}
        self.heard: list[tuple[str, dict[str, Any], bool]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"ear-{os.urandom(3).hex()}")
        self._client.on_connect = lambda client, *_: client.subscribe("callfloor/#", 1)
        self._client.on_message = self._hear
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()

    def _hear(self, client: object, user: object, message: paho.MQTTMessage) -> None:
        topic = message.topic.split("/", 3)[3]
        try:
            fields = json.loads(message.payload) if message.payload else {}
        except ValueError:
            return  # rubbish that a test sends to others
        self.latest[topic] = fields
        self.heard.append((topic, fields, message.retain))

    def all(self, topic: str) -> list[dict[str, Any]]:
        """Every message heard on a topic, in order."""
        return [fields for name, fields, _ in list(self.heard) if name == topic]

    def say(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publishes anything, as anybody could on this open broker."""
        self._client.publish(f"callfloor/1/example/{topic}", payload, 1, retain)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
