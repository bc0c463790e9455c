"""`callfloor init` as somebody types it: a real PBX's manager interface, wrong passwords, wrong ports, Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import floorplan
from callfloor import app
from gateway import first_run
from simulator.pbx import Pbx
from tests import forks
from tests.brokers import HOST, Broker, free_port
from tests.conftest import until
from tests.house import Ear

SECRET = "a secret of the phone system"
TWIN = "Norsk"  # but for its capitals a queue that is there already
QUEUES = ("norsk", "Polski Ø", "køen \"2\"")


@pytest.fixture(scope="module")
def pbx() -> Iterator[int]:
    """An Asterisk with three queues, at this port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    there = Pbx("callfloor", SECRET, seed=1)
    for name in (*QUEUES, TWIN):
        there.add_queue(name)
        for number in (1001, 1002):
            there.add_member(name, f"PJSIP/{number}")
    port = asyncio.run_coroutine_threadsafe(there.open(HOST), loop).result(5)
    yield port
    asyncio.run_coroutine_threadsafe(there.close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@contextlib.contextmanager
def ssh_server() -> Iterator[int]:
    """Something that speaks first, and is no Asterisk."""
    with socket.create_server((HOST, 0)) as server:
        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    sock, _ = server.accept()
                    with sock:
                        sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                        sock.recv(1000)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def init(*args: object, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["init", *map(str, args)], input=typed)


def scripted(folder: Path, port: int, *more: str) -> Result:
    secret = folder.parent / "given"
    secret.write_text(SECRET + "\n")
    return init(
        folder, "--yes", "--site-name", "Ørje Nord", "--time-zone", "Europe/Oslo", "--languages", "nb,en",
        "--pbx", f"{HOST}:{port}", "--pbx-secret-file", secret, *more,
    )  # fmt: skip


def test_a_script_gets_a_file_that_is_right(pbx: int, tmp_path: Path) -> None:
    folder = tmp_path / "house"
    done = scripted(folder, pbx)
    assert done.exit_code == 0, done.output
    assert "4 queues (norsk, Polski Ø, køen \"2\", Norsk), 2 members (asked by QueueStatus)" in done.stdout
    assert "queue 'Norsk' is left out: it differs from another one in capitals only" in done.stdout
    assert [line.split("#")[0].split()[:2] for line in done.stdout.splitlines()[-3:]] == [
        ["callfloor", "up"], ["callfloor", "up"], ["callfloor", "reload"],
    ]  # fmt: skip
    plan = floorplan.read(folder / "site.toml")
    assert (plan.site.id, plan.site.name, plan.site.languages) == ("orje-nord", "Ørje Nord", ("nb", "en"))
    assert [queue.id for queue in plan.queue] == ["norsk", "polski-o", "koen-2"]
    assert [queue.pbx for queue in plan.queue] == list(QUEUES)
    assert (plan.desk, plan.board, plan.broker) == ((), (), None)
    assert "#d1,,PJSIP/1001," in (folder / "desks.csv").read_text()
    secret = folder / "secrets" / "ami"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == (SECRET + "\n", 0o600)
    assert secret.parent.stat().st_mode & 0o777 == 0o700
    assert SECRET not in (folder / "site.toml").read_text() + done.output
    checked = CliRunner().invoke(app, ["up", str(folder / "site.toml"), "--check"])
    assert (checked.exit_code, checked.stderr) == (0, "")

    (folder / "site.toml").write_text("mine")
    again = scripted(folder, pbx)
    assert "site.toml" in str(again.exception) and "nothing is overwritten" in str(again.exception)
    assert (folder / "site.toml").read_text() == "mine"


def test_whoever_answers_wrongly_is_asked_again(pbx: int, tmp_path: Path) -> None:
    with ssh_server() as ssh:
        typed = [
            "Skien", "Europe/Olso", "Europe/Oslo", "nb, de", "nb,en",
            f"{HOST}:{free_port()}", "callfloor", SECRET,  # nobody there
            f"{HOST}:{ssh}", "callfloor", SECRET,  # no Asterisk
            f"{HOST}:{pbx}", "callfloor", "wrong",
            f"{HOST}:{pbx}", "callfloor", SECRET,
            "yes", "trying",
        ]  # fmt: skip
        done = init(tmp_path, typed="\n".join(typed) + "\n")
    assert done.exit_code == 0, done.output
    for words in (
        "no such time zone; did you mean 'Europe/Oslo'?", "'de' is none of en, nb, sv", "cannot be reached",
        "does not answer as an Asterisk manager: is the port right", "refuses the user 'callfloor'",
        "is one of trying, here, there",
    ):  # fmt: skip
        assert words in done.stdout, words
    assert len(floorplan.read(tmp_path / "site.toml").queue) == 3
    assert SECRET not in done.stdout


def test_a_script_that_is_wrong_writes_nothing(pbx: int, tmp_path: Path) -> None:
    folder = tmp_path / "house"
    for name, text in (("wrong", "wrong\n"), ("two", "of\ntwo lines\n"), ("empty", "\n")):
        (tmp_path / name).write_text(text)
    given = sorted(tmp_path.iterdir())
    for more, words in (
        ((), "refuses the user 'callfloor'"), (("--time-zone", "Oslo"), "no such time zone"),
        (("--broker", "mine"), "refuses the user"), (("--languages", "de"), "'de' is none of"),
        (("--pbx", "x:y"), "is HOST or HOST:PORT"), (("--pbx-secret-file", tmp_path / "no"), "cannot be read"),
        (("--pbx-secret-file", tmp_path / "two"), f"{tmp_path / 'two'}: a secret is one line"),
        (("--pbx-secret-file", tmp_path / "empty"), f"{tmp_path / 'empty'}: a secret is one line"),
    ):  # fmt: skip
        done = init(folder, "--yes", "--pbx", f"{HOST}:{pbx}", "--pbx-secret-file", tmp_path / "wrong", *more)
        assert done.exit_code == 1 and words in str(done.exception), (more, done.exception)
    assert not folder.exists() and sorted(tmp_path.iterdir()) == given
    assert init(folder, "--yes", "--dry-run").exit_code == 0 and not folder.exists()


def test_a_broker_elsewhere_and_one_here(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("of the broker\n")
    done = init(tmp_path / "a", "--yes", "--broker", "there", "--broker-host", "10.0.0.9", "--broker-user", "floor",
                "--broker-secret-file", tmp_path / "given")  # fmt: skip
    assert done.exit_code == 0, done.output
    broker = floorplan.read(tmp_path / "a" / "site.toml").broker
    assert broker and (broker.host, broker.port, broker.user) == ("10.0.0.9", 1883, "floor")
    assert floorplan.secret(broker.secret_file) == "of the broker"
    done = init(tmp_path / "b", "--yes", "--broker", "here", "--broker-host", "10.0.0.2", "--broker-port", free_port())
    assert done.exit_code == 0, done.output
    site = tmp_path / "b" / "site.toml"
    checked = CliRunner().invoke(app, ["up", str(site), "--check"])
    assert (checked.exit_code, checked.stderr) == (0, ""), checked.exception
    assert (tmp_path / "b" / "broker" / "mosquitto.conf").exists()


@pytest.mark.parametrize("answers", [0, 1, 3])
def test_ctrl_c_leaves_nothing_half(tmp_path: Path, answers: int) -> None:
    folder = tmp_path / "house"
    (typed, typing), (told, tell) = os.pipe(), os.pipe()
    with open(typed, "rb") as stdin, open(tell, "wb") as out, open(typing, "wb") as keys, open(told, "rb") as screen:
        process = forks.start("init", str(folder), out=out, stdin=stdin)
        out.close()
        keys.write(b"\n" * answers)
        keys.flush()
        said = b""
        while said.count(b"]: ") <= answers:  # up to the next question
            said += os.read(screen.fileno(), 1000) or pytest.fail(said.decode())
        while process.poll() is None:  # one that comes just before it reads would wait for the answer
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
        assert process.returncode in (1, 130, -signal.SIGINT)  # the last: one more came while it ended
    assert not list(tmp_path.iterdir())


def test_what_it_writes_runs_and_its_desks_come_with_a_reload(
    pbx: int, broker: Broker, ear: Ear, tmp_path: Path
) -> None:
    folder = tmp_path / "house"
    done = scripted(folder, pbx, "--broker", "there", "--broker-host", HOST, "--broker-port", str(broker.port))
    assert done.exit_code == 0, done.output
    site, log = str(folder / "site.toml"), tmp_path / "up.log"
    with log.open("wb") as out:
        floor = forks.start("up", site, "--web", f"{HOST}:{free_port()}", out=out)
    try:
        until(lambda: floor.poll() is not None or "beat" in ear.latest, "the gateway is there", 30)
        assert floor.poll() is None, log.read_text()
        with (folder / "desks.csv").open("a") as table:
            table.write("a1,Window,PJSIP/1001,0,0,,,,,,\n")
        done = CliRunner().invoke(app, ["reload", site, "--yes"])
        assert (done.exit_code, done.stderr) == (0, ""), done.exception
        assert done.stdout.splitlines() == [
            "changes at once:", "  desk a1 new", "done: the floor runs by the file as it is now"
        ]  # fmt: skip
    finally:
        floor.send_signal(signal.SIGINT)
        floor.wait(20)


def test_ids_made_of_names() -> None:
    assert first_run.id_of("Åsgård & Søn: 24/7", "x") == "asgard-son-24-7"
    assert first_run.id_of("العربية", "queue") == "queue"
    assert first_run.id_of("norsk", "x", frozenset({"norsk", "norsk-2"})) == "norsk-3"
    zone, how = first_run.local_zone()
    assert floorplan.Site(id="x", time_zone=zone) and how
