"""The doctor at a house that is well, and at houses where something is wrong: what it says, and what it costs."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import floorplan
from boards import ear, trying
from callfloor import app
from firmware import contract, start
from gateway.broker.rights import GATEWAY, TRYING
from gateway.broker.trial import OwnBroker, new_passwords
from gateway.doctor import checks, files, floor, machine, others
from gateway.doctor.finding import GOOD, NOTE, UNKNOWN, WARNING, WRONG, Check, Finding, Heard, Patient, good
from simulator.board import free_port
from tests import rights
from tests.brokers import HOST
from tests.house import EXAMPLE, SafeHouse
from tests.pythons import ROOT
from tests.test_broker import Client, RunningBroker
from tests.test_trying import place

__all__ = ["place"]  # a fixture


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SafeHouse]:
    with SafeHouse(tmp_path_factory.mktemp("house")) as house:
        house.start_all()
        yield house


Found = list[dict[str, str]]


def examined(house: SafeHouse, site: Path, listen_s: float) -> tuple[int, Found]:
    """(exit status, what is found) of a house by a site file."""
    host, port = house.web.removeprefix("http://").split(":")
    patient = Patient(site, floorplan.read(site), (host, int(port)), listen_s)
    found = checks.examine(patient)
    return checks.status(found, False), [row._asdict() for row in found]


def doctor(*args: str) -> tuple[int, Found]:
    """(exit status, what it found) of `callfloor doctor --json …`, in this process, which is quicker."""
    done = CliRunner().invoke(app, ["doctor", "--json", *args])
    return done.exit_code, json.loads(done.stdout)["findings"]


def of(found: Found, check: str, *levels: str) -> list[str]:
    return [row["words"] for row in found if row["check"] == check and (not levels or row["level"] in levels)]


def changed(house: SafeHouse, name: str, change: Any) -> Path:
    """Another site file of the same house."""
    tables = json.loads(house.site.read_text())
    change(tables)
    path = house.folder / name
    path.write_text(json.dumps(tables))
    return path


# A running house -----------------------------------------------------------------


def test_a_house_that_is_well_is_called_so(house: SafeHouse) -> None:
    house.wait("walls have proved what they show", lambda: all(
        house.now(f"wall/{wall.id}").get("wrong", "?") is None for wall in house.plan.wall if wall.board
    ), 20)  # fmt: skip
    status, found = examined(house, house.site, 3)
    assert (status, [row for row in found if row["level"] in (WRONG, UNKNOWN)]) == (0, [])
    for check in ("broker", "broker settings", "pbx", "page", "gateway", "boards", "walls", "databases", "secrets"):
        assert of(found, check, GOOD), check
    assert not [row for row in found if row["check"] in ("gateway", "boards", "walls") and row["level"] != GOOD]
    assert "4 of 4 boards are there and well" in of(found, "boards")
    assert any("who has no name is refused" in words for words in of(found, "broker"))
    assert "it runs with this site file as it is" in of(found, "gateway")


def test_what_the_broker_keeps_is_heard_however_short_it_listens(house: SafeHouse) -> None:
    assert house.plan.broker
    heard = others.listen(house.plan.broker, house.plan.site.id, 0)
    assert heard.trouble == ""
    assert heard.get("gateway/state") and heard.ids("board/+/state") == sorted(board.id for board in house.plan.board)
    assert CliRunner().invoke(app, ["doctor", "--listen", "0"]).exit_code == 2


def test_what_has_changed_is_seen_and_named_with_what_mends_it(house: SafeHouse) -> None:
    """A site file newer than the gateway, a queue that the phone system lacks, a lost board and one never seen."""
    (house.folder / "in-its-box").write_text("a password")
    (house.folder / "in-its-box").chmod(0o600)

    def change(tables: dict[str, Any]) -> None:
        gone = tables["desk"].pop()["id"]
        for board in tables["board"]:
            board["inputs"] = [row for row in board["inputs"] if row["desk"] != gone]
        tables["desk"].append({"id": "new-desk"})
        tables["queue"][0]["pbx"] = "no-such-queue"
        tables["queue"].append({"id": "new-queue", "name": "New", "pbx": "new-queue"})
        tables["board"][0]["inputs"][0]["phone"]["pin"] = "GP22"
        tables["history"]["days_days"] = 99
        tables["board"].append({"id": "in-its-box", "definition": "simulated", "secret_file": "in-its-box"})

    path, before = house.site, house.site.read_bytes()
    house.kill("row-b")
    house.wait("its will is out", lambda: house.now("board/row-b").get("state") == "lost", 15)
    changed(house, house.site.name, change)
    try:
        status, found = examined(house, path, 1)
    finally:
        house.site.write_bytes(before)
    assert status == 1
    mends = {row["words"]: row["mend"] for row in found}
    older, boards, later, left = of(found, "gateway", WARNING)
    assert "older site file" in older and "desk new-desk new" in older and "queue 'new-queue' new" in older
    assert "comes from the phone system's 'no-such-queue'" in older
    assert mends[older] == f"callfloor reload {path}"
    assert "is to be told" in boards and "days_days" in later
    assert "not in the site file are still told of" in left and "callfloor desk forget" in mends[left]
    assert "it runs with this site file as it is" not in of(found, "gateway")
    queue, new = of(found, "pbx", WRONG)
    assert "no-such-queue" in queue and "polski" in queue and "'new-queue'" in new
    assert of(found, "boards", WRONG) == ["board 'row-b' is lost"]
    assert mends["board 'in-its-box' has never been seen"] == f"callfloor board flash in-its-box --site {path}"


def test_a_wrong_password_and_an_open_secret(house: SafeHouse, tmp_path: Path) -> None:
    secret = tmp_path / "open"
    secret.write_text("certainly not the password\n")
    secret.chmod(0o644)
    (tmp_path / "open-too").write_text("what a link leads to\n")
    (tmp_path / "open-too").chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to("open-too")

    def change(tables: dict[str, Any]) -> None:
        tables["broker"]["secret_file"] = str(secret)
        tables["phones"] = {"secret_file": str(link)}

    path = changed(house, "open.json", change)
    status, found = examined(house, path, 1)
    assert status == 1
    assert sorted(of(found, "secrets", WRONG)) == [
        f"others on this computer can read {link}", f"others on this computer could read {secret}; now it is mode 600",
    ]  # fmt: skip
    assert secret.stat().st_mode & 0o777 == 0o600
    assert not [words for words in of(found, "site file") if str(tmp_path) in words], "it is told once"
    (refused,) = of(found, "broker", WRONG)
    assert "refuses" in refused
    for check in ("gateway", "boards", "walls"):
        assert of(found, check) == of(found, check, UNKNOWN) == ["nothing was heard at the broker"]


def test_a_trial_floor_is_looked_at_as_any_other(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site file names no broker: the one of the only `callfloor up` is listened to, if it is this floor's."""
    monkeypatch.setattr(floor, "ASK_S", 0.3)
    site = place / "site.json"
    site.write_text(json.dumps({
        "site": {"id": "s"}, "desk": [{"id": "a1"}], "board": [{"id": "b1", "definition": "simulated"}],
    }))  # fmt: skip

    def found_now() -> Found:
        patient = Patient(site, floorplan.read(site), (HOST, free_port()), 0.3)
        return [row._asdict() for row in checks.examine(patient)]

    running = RunningBroker(OwnBroker(place / "broker", "s", new_passwords(["b1"]), ["b1"]))
    running.start()
    try:
        with trying.kept(HOST, running.port, running.users[TRYING]):
            assert "were not looked at" in of(found_now(), "broker", NOTE)[0], "another floor's"
            gateway = Client(running, GATEWAY)
            for topic, fields in (("gateway/state", {"state": "ready", "boot": "12345678"}),
                                  ("board/+/state", {"state": "lost", "boot": "12345678"})):  # fmt: skip
                full = contract.topic("s", topic, *(["b1"] if "+" in topic else []))
                gateway.publish(full, contract.encode(topic, fields))
            found = found_now()
            assert of(found, "boards", WRONG) == ["board 'b1' is lost"]
            (silence,) = of(found, "gateway", WARNING)
            assert "no gateway of site 's' answers" in silence
            gateway.leave()
        assert "were not looked at" in of(found_now(), "broker", NOTE)[0], "none runs"
    finally:
        running.stop()


# What does not answer -----------------------------------------------------------


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A port where somebody answers, and says nothing."""
    with socket.create_server((HOST, 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for sock in taken:
            sock.close()


@contextlib.contextmanager
def flooding(begin: bytes, piece: bytes, most_bytes: int) -> Iterator[tuple[int, list[int]]]:
    """(port, bytes that were taken) of who answers the first call with these, however much that is."""
    sent = [0]
    with socket.create_server((HOST, 0)) as server:

        def talk() -> None:
            with contextlib.suppress(OSError), server.accept()[0] as sock:
                sock.recv(65536)
                sock.sendall(begin)
                while piece and sent[0] < most_bytes:
                    sent[0] += sock.send(piece)

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield server.getsockname()[1], sent
        thread.join(10)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [(b"HTTP/1.0 200 OK\r\n\r\n", b"[" * 65536), (b"HTTP/1.0 200 OK\r\n\r\n[1]", b""), (b"SSH-2.0-x\r\n", b"")],
)
def test_somebody_elses_web_server_is_read_no_further_than_ours(begin: bytes, piece: bytes) -> None:
    most_bytes = 64 * 2**20
    with flooding(begin, piece, most_bytes) as (port, sent):
        (found,) = others.page(Patient(web=(HOST, port)))
    assert (found.level, found.words) == (WRONG, f"http://{HOST}:{port}/healthz answers as no page of ours does")
    assert sent[0] < most_bytes / 2, "what the system's buffers hold, and no more"


def elsewhere(folder: Path, port: int) -> Path:
    """The example floor with a broker and a phone system at that port."""
    tables = floorplan.tables_in(EXAMPLE)
    del tables["simulator"]
    (folder / "ami").write_text("not much of a secret")
    (folder / "ami").chmod(0o600)
    tables["broker"] = {"host": HOST, "port": port}
    tables["pbx"] = {"asterisk": {"host": HOST, "port": port, "user": "callfloor", "secret_file": "ami"}}
    path = folder / "site.json"
    path.write_text(json.dumps(tables))
    return path


def test_who_hangs_does_not_hang_the_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((ear, "ANSWER_S"), (others, "WAIT_S"), (others, "ASK_S")):
        monkeypatch.setattr(module, name, 0.5)
    with silent() as port:
        site = elsewhere(tmp_path, port)
        began_s = time.monotonic()
        found = checks.examine(Patient(site, floorplan.read(site), (HOST, port), 0.5))
        took_s = time.monotonic() - began_s
    wrong = {row.check for row in found if row.level == WRONG}
    assert wrong >= {"broker", "pbx", "page"}
    assert took_s < 5
    (words,) = [row.words for row in found if row.check == "pbx"]
    assert "does not answer as an Asterisk manager" in words


def test_a_broker_that_hangs_in_its_tls_is_named_and_so_is_what_was_not_seen(
    house: SafeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()  # paho waits a minute for TLS, and then leaves its socket open
    monkeypatch.setattr(others, "listen", lambda *_: end.wait(20))
    monkeypatch.setattr(others, "WAIT_S", 0.3)
    monkeypatch.setattr(checks, "ANSWER_S", 0.3)
    with silent() as port:
        site = changed(house, "hangs.json", lambda tables: tables["broker"].update(port=port))
        status, found = examined(house, site, 0.1)
    end.set()
    assert status == 1
    assert of(found, "broker") == [f"{HOST}:{port} takes the call, and then says nothing: no TLS within 0 s"]
    for check in ("gateway", "boards", "walls"):
        assert of(found, check) == of(found, check, UNKNOWN) != []


def test_tls_that_is_not_there_is_one_finding_in_words(house: SafeHouse) -> None:
    port = house.plan.pbx.asterisk.port if house.plan.pbx.asterisk else 0
    site = changed(house, "plain.json", lambda tables: tables["broker"].update(port=port))
    plan = floorplan.read(site)
    assert plan.broker
    (found,) = others.broker(Patient(site, plan, broker=plan.broker, heard=Heard(trouble="the same once more")))
    assert (found.level, found.words) == (WRONG, f"there is no TLS at {HOST}:{port}; is port 8883 meant?")


def test_for_people_the_worst_comes_first_with_why_and_what_mends_it(tmp_path: Path) -> None:
    port = free_port()
    args = ["doctor", "--site", str(elsewhere(tmp_path, port)), "--web", f"{HOST}:{port}"]
    done = CliRunner().invoke(app, args)
    lines = done.stdout.splitlines()
    assert (done.exit_code, done.stderr) == (1, "")
    for check in ("broker", "pbx", "page"):
        (at,) = [number for number, line in enumerate(lines) if line.startswith(f"WRONG    {check}: ")]
        assert f"{HOST}:{port}" in lines[at]
        assert lines[at + 1].startswith("         why: ") and lines[at + 2].startswith("         try: ")
        assert at < next(number for number, line in enumerate(lines) if line.startswith("good "))
    assert lines[-1].startswith("3 wrong, 3 unknown, ")


@pytest.mark.parametrize(("text", "status"), [(None, 2), ("[site]\nid = 'x'\nunknown = 1\n", 1), ("\0\xff", 1)])
def test_a_site_file_that_is_not_there_is_2_and_a_wrong_one_is_1(
    text: str | None, status: int, tmp_path: Path
) -> None:
    path = tmp_path / "site.toml"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    ended, found = doctor("--site", str(path))
    assert ended == status
    assert str(path) in of(found, "site file")[0]
    assert of(found, "python", GOOD), "this computer is looked at all the same"


def test_without_a_site_file_it_looks_at_this_computer() -> None:
    status, found = doctor()
    assert status == 0
    assert {row["check"] for row in found} >= {"python", "memory", "disk", "clock", "tools", "ports"}
    assert not {row["check"] for row in found} & {"broker", "pbx", "gateway", "boards"}


def test_strict_makes_wrong_of_warnings_and_what_broke_is_2() -> None:
    assert checks.status([Finding(GOOD, ""), Finding(WARNING, "")], False) == 0
    assert checks.status([Finding(GOOD, ""), Finding(WARNING, "")], True) == 1
    assert checks.status([Finding(UNKNOWN, ""), Finding(NOTE, "")], False) == 2
    assert checks.status([Finding(UNKNOWN, ""), Finding(WRONG, "")], False) == 1


def test_a_check_that_breaks_or_hangs_leaves_the_others_and_what_it_has_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()

    def broken(_: Patient) -> list[Finding]:
        raise ValueError("this is a test")

    def hangs(_: Patient) -> Iterator[Finding]:
        yield good("in time")
        end.wait(30)
        yield good("too late")

    rows = (Check("a", "", broken), Check("b", "", hangs), Check("c", "it matters", lambda _: [good("fine")]))
    monkeypatch.setattr(checks, "CHECKS", rows)
    began_s = time.monotonic()
    found = checks.examine(Patient(), limit_s=0.3)
    assert time.monotonic() - began_s < 3
    end.set()
    assert [(row.check, row.level) for row in found] == [("a", UNKNOWN), ("b", GOOD), ("b", UNKNOWN), ("c", GOOD)]
    assert "this is a test" in found[0].words and found[1].words == "in time" and found[3].why == "it matters"


# Single checks ---------------------------------------------------------------------


def pi(root: Path, heat: str = "47000", throttled: str = "0") -> list[Finding]:
    for name, text in (
        ("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0"),
        ("sys/class/thermal/thermal_zone0/temp", heat),
        ("sys/devices/platform/soc/soc:firmware/get_throttled", throttled),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return list(machine.raspberry_pi(Patient(root=root)))


def test_a_raspberry_pi_that_is_hot_or_has_low_voltage_says_so(tmp_path: Path) -> None:
    assert [row.level for row in pi(tmp_path)] == [GOOD]
    assert [row.level for row in pi(tmp_path, "76500")] == [WARNING]
    assert [row.level for row in pi(tmp_path, "81200")] == [WRONG]
    assert [row.level for row in pi(tmp_path, throttled="50000")] == [GOOD, WARNING]
    assert [row.level for row in pi(tmp_path, throttled="50005")] == [GOOD, WRONG]
    assert list(machine.raspberry_pi(Patient(root=tmp_path / "elsewhere"))) == []


def test_brokers_settings_that_lose_messages_are_named() -> None:
    kept = "persistence true\nallow_anonymous false\nmax_queued_messages 20000\nset_tcp_nodelay true\n"
    assert [row.level for row in others._settings(kept, "s")] == [GOOD]
    assert [row.level for row in others._settings(kept + "per_listener_settings true\n", "s")] == [WRONG]
    mend = "callfloor broker setup s, then: sudo systemctl restart callfloor-broker"
    found = list(others._settings("# persistence true\nallow_anonymous true\nmax_queued_messages 100\n", "s"))
    assert [(row.level, row.mend) for row in found] == [(WARNING, mend)] * 4
    assert "max_queued_messages is 100" in found[2].words


def test_a_damaged_database_is_wrong_and_looking_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "totals.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (x TEXT)")
        db.executemany("INSERT INTO t VALUES (?)", [("some text that fills a page or two",)] * 500)
        db.commit()
    assert files._database("history", path).level == GOOD
    data = bytearray(path.read_bytes())
    data[4096 : 4096 + 300] = bytes(range(50)) * 6
    path.write_bytes(data)
    found = files._database("history", path)
    assert found.level == WRONG and f"mv {path}" in found.mend
    assert path.read_bytes() == data and os.listdir(tmp_path) == ["totals.db"]


def test_a_full_disk_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert machine._disk(tmp_path).level == GOOD
    monkeypatch.setattr(machine, "DISK_MB", (1, 10**9))
    assert machine._disk(tmp_path).level == WARNING
    monkeypatch.setattr(machine, "DISK_MB", (10**9, 10**9))
    assert machine._disk(tmp_path).level == WRONG


def test_a_port_that_is_not_ours_to_open_names_its_group(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch()
    rights.forbidden(port)
    program = f"from gateway.doctor import machine\nfor row in machine.may_use(['{port}']): print(row.level, row.mend)"
    done = subprocess.run(rights.command(sys.executable, "-c", program), cwd=ROOT, capture_output=True, text=True,
                          timeout=20, check=False)  # fmt: skip
    assert done.stdout.startswith("wrong sudo usermod -aG "), done
    assert next(iter(machine.may_use([str(tmp_path)]))).level == GOOD


def heard(**fields: Any) -> Patient:
    plan = floorplan.check({
        "site": {"id": "example"}, "board": [{"id": "b", "definition": "simulated"}], "desk": [],
    }, "test", Path())  # fmt: skip
    hello = {"definition": "simulated", "firmware": start.firmware_hash(), "restart": "started"}
    health = {"heap_free": 100_000, "wifi_dbm": -60, "uptime_s": 9, "lag_ms": 9, "dropped": 0}
    said: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {
        ("board/+/state", ("b",)): {"state": "ready"},
        ("board/+/hello", ("b",)): hello | {key: fields[key] for key in hello if key in fields},
        ("board/+/health", ("b",)): health | {key: fields[key] for key in health if key in fields},
    }
    return Patient(Path("site.toml"), plan, heard=Heard(said, 6, ""))


@pytest.mark.parametrize(
    ("fields", "level", "words", "mend"),
    [
        ({}, GOOD, "1 of 1 boards", ""),
        ({"firmware": "0123456789abcdef"}, WARNING, "other firmware", "callfloor board provision b"),
        ({"definition": "pico-w"}, WRONG, "is a pico-w", "callfloor board flash b"),
        ({"restart": "wdt"}, WARNING, "hung", "callfloor board watch b"),
        ({"heap_free": 4000}, WARNING, "4000 bytes", "give some"),
        ({"wifi_dbm": -83}, WARNING, "-83 dBm", "move it"),
        ({"wifi_dbm": None, "heap_free": None}, GOOD, "1 of 1 boards", ""),
        ({"lag_ms": 2000}, WARNING, "2000 ms", "watch"),
        ({"dropped": 3}, WARNING, "3 readings", "watch"),
    ],
)
def test_what_a_board_says_of_itself(fields: dict[str, Any], level: str, words: str, mend: str) -> None:
    (found,) = floor.boards(heard(**fields))
    assert found.level == level
    assert words in found.words and mend in found.mend


def test_every_check_says_why_it_matters_and_is_documented() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    for check in checks.CHECKS:
        assert check.why
        assert f"| {check.name} |" in page, check.name
