"""Boards on both Pythons and a Raspberry Pi, at a real broker with real certificates: the right one, and no other."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import floorplan
from simulator import board as simulated
from tests.brokers import HOST, Broker, free_port, mosquitto
from tests.certificates import authority, certificate
from tests.conftest import until
from tests.forks import finished
from tests.pythons import PYTHONS, command, environment
from tests.test_commands import running

OLD, ENDED = "20200101000000Z", "20240101000000Z"
LATER, LATEST = "20360101000000Z", "20360401000000Z"
NAME = "IP:127.0.0.1"
LET_IN = " as example-row-a (p2"  # mosquitto's words


class Brokers(NamedTuple):
    """One mosquitto, with a listener for each certificate; `right` is that of the first."""

    folder: Path
    right: Broker
    ports: dict[str, int]


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    folder = tmp_path_factory.mktemp("brokers")
    for name in ("ca", "other"):
        authority(folder, name, (OLD, "20500101000000Z"))
    certificate(folder, "right", "ca", NAME)
    certificate(folder, "renamed", "ca", "DNS:broker.example")
    certificate(folder, "strange", "other", NAME)
    certificate(folder, "ended", "ca", NAME, dates=(OLD, ENDED))
    certificate(folder, "early", "ca", NAME, dates=(LATER, LATEST))
    ports = {name: free_port() for name in ("renamed", "strange", "ended", "early", "plain")}
    lines = ["allow_anonymous true", f"certfile {folder}/right.pem", f"keyfile {folder}/right.key"]
    for name, port in ports.items():
        lines.append(f"listener {port} {HOST}")
        if name != "plain":
            lines += [f"certfile {folder}/{name}.pem", f"keyfile {folder}/{name}.key"]
    with mosquitto(folder, lines) as broker:
        yield Brokers(folder, broker, ports | {"right": broker.port})


def told(folder: Path, port: int, ca: Path | None) -> Path:
    """A board.json, as the site file makes it."""
    broker: dict[str, Any] = {"host": HOST, "port": port, "keepalive_s": 4}
    if ca:
        broker |= {"tls": True, "ca_file": str(ca)}
    board = {"id": "row-a", "definition": "simulated", "inputs": [{"desk": "a1"}]}
    tables = {"site": {"id": "example"}, "broker": broker, "board": [board], "desk": [{"id": "a1"}]}
    return simulated.write_board_json(floorplan.check(tables, "test", folder), "row-a", None, folder)


@contextlib.contextmanager
def board(python: str, board_json: Path) -> Iterator[Path]:
    """A board that runs meanwhile; the file that holds what it says."""
    args = ("-u", "-m") if python == "cpython" else ("-m",)
    log = board_json.with_suffix(".log")
    with log.open("w") as out:
        process = subprocess.Popen(command(python, *args, "firmware.main", str(board_json), heap="192k"),
                                   env=environment(), stdout=out, stderr=out)  # fmt: skip
    try:
        yield log
    except AssertionError as error:
        raise AssertionError(log.read_text()) from error
    finally:
        process.kill()
        process.wait(5)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("listener", "ca", "words"), [
    ("renamed", "ca", "refused: it is not for '127.0.0.1': [broker] boards_host has to be a name"),
    ("right", "other", "refused: somebody else signed it: is [broker] ca_file of this broker?"),
    ("strange", "ca", "refused: somebody else signed it: is [broker] ca_file of this broker?"),
    ("ended", "ca", "refused: it has ended: renew it"),
    ("early", "ca", "refused: it begins later than today: is this computer's clock right?"),
    ("plain", "ca", "TLS was broken off at the start: is [broker] port the one"),
    ("right", None, "the connection was broken off at the start: does that port want TLS"),
])  # fmt: skip
def test_a_broker_that_is_not_ours_is_refused_in_words(
    python: str, listener: str, ca: str | None, words: str, brokers: Brokers, tmp_path: Path
) -> None:
    before = brokers.right.log.read_text().count("New client connected")
    path = told(tmp_path, brokers.ports[listener], brokers.folder / f"{ca}.pem" if ca else None)
    with board(python, path) as log:
        until(lambda: words in log.read_text(), words)
    assert brokers.right.log.read_text().count("New client connected") == before, "nobody got in"



@pytest.mark.parametrize("python", PYTHONS)
def test_the_right_broker_lets_a_board_in(python: str, brokers: Brokers, tmp_path: Path) -> None:
    log, before = brokers.right.log, brokers.right.log.read_text().count(LET_IN)
    path = told(tmp_path, brokers.ports["right"], brokers.folder / "ca.pem")
    with board(python, path):
        until(lambda: log.read_text().count(LET_IN) > before, "the board is at the broker")


def test_a_raspberry_pi_with_a_board_json_alone(brokers: Brokers, tmp_path: Path) -> None:
    """It needs no site file, which would have everybody's secrets; and it takes its own from other users."""
    log, before = brokers.right.log, brokers.right.log.read_text().count(LET_IN)
    path = told(tmp_path, brokers.ports["right"], brokers.folder / "ca.pem")
    path.chmod(0o644)
    args = ("station", "--told", str(path), "--pins", "memory", "--control", f"{HOST}:{free_port()}")
    with running(tmp_path, *args) as station:
        station.wait("it is at the broker", lambda: log.read_text().count(LET_IN) > before)
        assert path.stat().st_mode & 0o777 == 0o600
    path = told(tmp_path, brokers.ports["renamed"], brokers.folder / "ca.pem")
    with running(tmp_path, *args) as station:
        station.wait("it is refused", lambda: "it is not for '127.0.0.1'" in station.text())


def test_a_raspberry_pi_says_what_it_must_be_told(tmp_path: Path) -> None:
    (tmp_path / "board.json").write_text("{}")
    for args, words in (
        ((), "give BOARD and --site SITE.toml, or --told board.json"),
        (("--told", str(tmp_path / "board.json")), "'site' is missing"),
        (("--told", str(tmp_path / "none.json")), "No such file"),
    ):
        said = finished("station", *args)
        assert said.returncode == 1 and words in said.stderr, said
        assert len(said.stderr.splitlines()) == 1, said.stderr
