"""The commands that are parts of a floor, each by itself, as somebody at a terminal starts and ends it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from firmware import contract
from simulator.board import free_port
from tests import someone
from tests.brokers import HOST, Broker
from tests.conftest import until
from tests.forks import finished
from tests.house import DIRECT, EXAMPLE, Ear
from tests.pythons import ROOT
from tests.test_up import children, gone_within
from wallboard.compile import compile
from wallboard.picture import Frame, read_ppm

SECRET = "not much of a secret"
PI = Path("/proc/device-tree/model").exists()  # a computer that may have GPIO pins


class Command:
    """`callfloor …`, running in a group of its own, as a terminal starts it."""

    def __init__(self, log: Path, args: tuple[str, ...], env: dict[str, str], python: str) -> None:
        self._log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [python, "-m", "callfloor", *args], cwd=ROOT, env=os.environ | env, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def text(self) -> str:
        """All that it has said so far, errors among it."""
        return self._log.read_text()

    def wait(self, what: str, holds: Callable[[], object], within_s: float = 10) -> None:
        """Until `holds()`; fails with what the command said where it does not come, or the command ends."""

        def held() -> object:
            met = holds()  # first: what it said before it ended counts
            assert met or self.process.poll() is None, f"ended before '{what}': {self.text()}"
            return met

        try:
            until(held, what, within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from error

    def ctrl_c(self, alone: bool = False) -> int:
        """Interrupts it, as Ctrl-C does, or as `kill -INT` does (`alone`); its exit status."""
        started = children(self.process.pid)
        (os.kill if alone else os.killpg)(self.process.pid, signal.SIGINT)
        status = self.process.wait(10)
        assert gone_within(started, 5), started
        return status


@contextlib.contextmanager
def running(folder: Path, *args: str, env: dict[str, str] | None = None,
            python: str = sys.executable) -> Iterator[Command]:  # fmt: skip
    """A command that runs meanwhile; what is left of it in the end is killed."""
    command = Command(folder / "said.log", args, env or {}, python)
    try:
        yield command
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(command.process.pid, signal.SIGKILL)
        command.process.wait(10)


def site(
    folder: Path, broker: Broker | None = None, change: Callable[[dict[str, Any]], None] | None = None
) -> Path:
    """The example floor as a site file of its own; `change` gets its tables."""
    tables = floorplan.tables_in(EXAMPLE)
    if broker:
        tables["broker"] = {"host": HOST, "port": broker.port, "keepalive_s": 4}
    if change:
        change(tables)
    path = folder / "site.json"
    path.write_text(json.dumps(tables))
    return path


def set_pin(control: str, pin: str, level: str) -> str:
    """The answer of a board's control port to one line."""
    host, port = control.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as sock:
        sock.sendall(f"{pin} {level}\n".encode())
        return sock.makefile().readline().strip()


def state(ear: Ear, topic: str) -> object:
    return ear.latest.get(topic, {}).get("state")


def hook_is_seen(command: Command, ear: Ear, control: str) -> None:
    """A handset lifted at the pin arrives as a reading of the board that said hello."""
    command.wait("the board is ready", lambda: state(ear, "board/row-a/state") == "ready")
    phone = "board/row-a/input/0/phone"
    command.wait("its phone is idle", lambda: state(ear, phone) == "idle")
    assert set_pin(control, "GP2", "0") == "ok"
    command.wait("its phone talks", lambda: state(ear, phone) == "talking")
    assert ear.latest[phone]["boot"] == ear.latest["board/row-a/hello"]["boot"]


def is_lost(command: Command, ear: Ear) -> None:
    """The broker says the will of this very start."""
    until(lambda: state(ear, "board/row-a/state") == "lost", "the board's will", 5)
    assert ear.latest["board/row-a/state"]["boot"] == ear.latest["board/row-a/hello"]["boot"]
    assert "Traceback" not in command.text()


@pytest.mark.parametrize("alone", [False, True], ids=["ctrl-c", "kill -INT"])
def test_sim_board_is_one_board_on_the_real_interpreter(
    alone: bool, tmp_path: Path, broker: Broker, ear: Ear
) -> None:
    control = f"{HOST}:{free_port()}"
    where = str(site(tmp_path, broker))
    with running(tmp_path, "sim", "board", "row-a", "--site", where, "--control", control) as command:
        hook_is_seen(command, ear, control)
        assert re.fullmatch(rf"board row-a: process \d+, pins at {control}\n", command.text())
        assert ear.latest["board/row-a/hello"]["python"].startswith("micropython")
        assert command.ctrl_c(alone) == 0
        is_lost(command, ear)


def test_a_station_reads_a_desk_and_draws_a_wall(tmp_path: Path, broker: Broker, ear: Ear) -> None:
    control = f"{HOST}:{free_port()}"
    picture = tmp_path / "wall.ppm"

    def wall_at_the_desk_board(tables: dict[str, Any]) -> None:
        tables["wall"] = [tables["wall"][1] | {"board": "row-a"}]
        tables["wall"][0]["panel"]["path"] = str(picture)

    where = site(tmp_path, broker, wall_at_the_desk_board)
    plan = floorplan.read(where)
    scene = compile(plan.wall[0], plan).message
    shown = "board/row-a/panel/0/shown"

    def say(pattern: str, *ids: str | int, **fields: object) -> None:
        path = contract.topic("", pattern, *ids).split("/", 3)[3]
        ear.say(path, contract.encode(pattern, fields), contract.BY_TOPIC[pattern].retained)

    def drawn_with(waiting: int, seq: int) -> Frame:
        """The wall's picture once a beat has proved so many waiting."""
        say("values", boot="test", of=scene["of"], seq=seq, n=f"2s {waiting} - 1 0 - 1")
        say("beat", boot="test", now_s=100, values_seq=seq)
        command.wait(
            "the wall shows it fresh",
            lambda: (
                ear.latest.get(shown, {}).get("values_seq") == seq
                and ear.latest[shown]["fresh"]
                and ear.latest[shown]["scene"] == scene["id"]
            ),
        )
        return read_ppm(picture.read_bytes())

    args = ("station", "row-a", "--site", str(where), "--pins", "memory", "--control", control)
    with running(tmp_path, *args) as command:
        hook_is_seen(command, ear, control)
        assert ear.latest["board/row-a/hello"]["panels"] == "128x64"
        command.wait("it has drawn", picture.exists)
        unproved = read_ppm(picture.read_bytes())
        say("board/+/panel/+/scene", "row-a", 0, **scene)
        say("gateway/state", state="ready", boot="test")
        three, seven, again = drawn_with(3, 1), drawn_with(7, 2), drawn_with(3, 3)
        assert (three.w, three.h) == (128, 64)
        assert three.rgb == again.rgb
        assert len({unproved.rgb, three.rgb, seven.rgb}) == 3
        say("gateway/state", state="lost", boot="test")
        command.wait("the figures are old", lambda: not ear.latest[shown]["fresh"])
        command.wait("and look it", lambda: read_ppm(picture.read_bytes()).rgb != three.rgb)
        assert command.ctrl_c() == 130
        is_lost(command, ear)


def test_a_station_keeps_its_walls_scene_and_a_stop_somebody_wanted_is_no_crash(
    tmp_path: Path, broker: Broker, ear: Ear
) -> None:
    where = site(tmp_path, broker)
    plan = floorplan.read(where)
    scene = compile(plan.wall[1], plan).message
    topic = contract.topic("", "board/+/panel/+/scene", "wall-south", 0).split("/", 3)[3]
    ear.say(topic, contract.encode("board/+/panel/+/scene", scene), True)
    keep = tmp_path / "state" / "wall-south"
    args = ("station", "wall-south", "--site", str(where), "--pins", "memory", "--keep", str(keep))
    for end in (signal.SIGTERM, signal.SIGINT):
        ear.latest.pop("board/wall-south/health", None)
        with running(tmp_path, *args) as command:
            command.wait("it has begun", lambda: "board/wall-south/health" in ear.latest)
            command.wait("its scene is kept", (keep / "scene-0").exists)
            assert (keep / "starts").read_text() == "1"
            command.process.send_signal(end)
            assert command.process.wait(10) == (0 if end == signal.SIGTERM else 130)
        assert [path.name for path in keep.iterdir()] == ["scene-0"], "nothing is counted"


def test_sim_floor_is_a_pbx_with_calls(tmp_path: Path) -> None:
    port = free_port()

    def with_a_pbx(tables: dict[str, Any]) -> None:
        (tmp_path / "ami").write_text(SECRET)
        ami = {"host": HOST, "port": port, "user": "callfloor", "secret_file": str(tmp_path / "ami")}
        tables["pbx"] = {"asterisk": ami}
        tables["simulator"]["calls_per_minute"] = 600

    with running(tmp_path, "sim", "floor", str(site(tmp_path, change=with_a_pbx))) as command:
        command.wait("it says its seed", lambda: re.search(r"^simulator: seed \d+$", command.text(), re.M))
        command.wait("it listens", lambda: _listens(port))
        assert "Message: Authentication failed" in _ami(port, "wrong", "Response: ")
        said = _ami(port, SECRET, "Event: QueueCallerJoin")
        assert said.startswith("Asterisk Call Manager/")
        assert "Response: Success" in said
        assert re.search(r"^Queue: (norsk|polski)\r?$", said, re.M)
        assert command.ctrl_c() == 130
        assert "Traceback" not in command.text()
        assert not _listens(port)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _ami(port: int, secret: str, awaited: str) -> str:
    """All that the PBX says to one who logs in, up to the end of the first message with `awaited` in it."""
    with socket.create_connection((HOST, port), timeout=10) as sock, sock.makefile(newline="") as lines:
        login = f"Action: Login\r\nUsername: callfloor\r\nSecret: {secret}\r\nEvents: on\r\n\r\n"
        sock.sendall(login.encode())
        end = time.monotonic() + 10
        said = ""
        for line in lines:
            said += line
            assert time.monotonic() < end, said
            if not line.strip() and awaited in said:
                return said
    raise AssertionError(f"ended without '{awaited}': {said}")


@pytest.mark.parametrize("how", [("station", "--pins", "memory"), ("sim", "board")])
def test_a_taken_control_port_is_said_in_one_line(how: tuple[str, ...], tmp_path: Path) -> None:
    command, options = (how[:2], ()) if how[0] == "sim" else (how[:1], how[1:])
    with socket.create_server((HOST, 0)) as taken:
        control = f"{HOST}:{taken.getsockname()[1]}"
        done = finished(*command, "row-a", "--site", str(site(tmp_path)), *options, "--control", control)
    one_line(
        done, rf"control port {control} cannot be opened \(.*(EADDRINUSE|in use).*\); .*--control {HOST}:9001"
    )


@pytest.mark.parametrize("given", [{"GPIOZERO_PIN_FACTORY": "nowhere"}, *([] if PI else [{}])])
def test_a_station_without_gpio_says_so_in_one_line(given: dict[str, str], tmp_path: Path) -> None:
    done = finished("station", "row-a", "--site", str(site(tmp_path)), env=given)
    one_line(done, r"no GPIO pins here \(.+\); a Raspberry Pi has them.* try --pins memory")


def test_a_station_names_a_pin_that_a_raspberry_pi_lacks(tmp_path: Path) -> None:
    done = finished("station", "row-a", "--site", str(site(tmp_path)), env={"GPIOZERO_PIN_FACTORY": "mock"})
    one_line(done, r"pin GP2 cannot be read \(.+\); a Raspberry Pi has GPIO2 to GPIO27")


def one_line(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == 1, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert re.search(words, done.stderr), done.stderr


def test_a_station_reads_its_pins_by_gpiozero(tmp_path: Path, broker: Broker, ear: Ear) -> None:
    """On gpiozero's own pins that are not there, all of them pulled up: handsets on their hooks."""

    def header_names(tables: dict[str, Any]) -> None:
        tables["board"] = json.loads(json.dumps(tables["board"]).replace('"GP', '"GPIO'))

    where = str(site(tmp_path, broker, header_names))
    env = {"GPIOZERO_PIN_FACTORY": "mock"}
    with running(tmp_path, "station", "row-a", "--site", where, env=env) as command:
        for number in range(4):
            phone = f"board/row-a/input/{number}/phone"
            command.wait(f"{phone} is idle", lambda phone=phone: state(ear, phone) == "idle")  # type: ignore[misc]
        assert command.ctrl_c() == 130
        is_lost(command, ear)


def test_without_a_micropython_the_boards_run_on_cpython_and_the_start_says_so(tmp_path: Path) -> None:
    """As on a Raspberry Pi, for which there is none: no interpreter beside this Python, none on the PATH."""
    folder = tmp_path / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    path = [part for part in os.environ["PATH"].split(":") if not Path(part, "micropython").exists()]
    env = {"PATH": ":".join(path), "TMPDIR": str(tmp_path)}
    with running(
        tmp_path, "up", "--web", f"{HOST}:0", env=env, python=str(folder / "bin" / "python")
    ) as floor:
        floor.wait("it is up", lambda: re.search("^up after", floor.text(), re.M), 40)
        assert re.search(
            "^boards      4, running firmware/ on CPython, for want of a MicroPython", floor.text(), re.M
        )
        page = re.search(r"^page +(http://\S+)$", floor.text(), re.M)
        assert page, floor.text()
        login = someone.first(floor.text())

        def boards() -> dict[str, Any]:
            with DIRECT.open(urllib.request.Request(page[1] + "api/now", headers=login), timeout=5) as answer:
                now = json.load(answer)
            return {path: told for path, told in now.items() if path.startswith("board/")}

        floor.wait("every board is ready", lambda: [
            told["state"] for told in boards().values()
        ] == ["ready"] * 4)  # fmt: skip
        commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in children(floor.process.pid)]
        on_cpython = [
            text for text in commands if text.startswith(f"{folder}/bin/python\0-m\0firmware.main\0")
        ]
        assert len(on_cpython) == 4, commands
        floor.wait("a wall is drawn", lambda: re.search("^wall ", floor.text(), re.M))
        assert floor.ctrl_c() == 0
