"""New passwords for boards where they stand: on a real broker, whatever is killed at whatever point."""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from boards import command
from firmware.rotate import mark_of, next_of
from gateway.broker import boards as board_accounts
from gateway.broker import setup as house_broker
from tests.boards_broker import BOARDS, BoardsBroker
from tests.brokers import HOST, free_port
from tests.conftest import until
from tests.pythons import PYTHONS, ROOT, run
from tests.test_commands import running

STEPS = board_accounts.STEPS


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardsBroker]:
    with BoardsBroker(tmp_path_factory.mktemp("house")) as house:
        house.up("row-a", "row-b")
        yield house


def rotate(house: BoardsBroker, *names: str) -> list[board_accounts.Told]:
    return list(board_accounts.rotate_all(house.plan, names))


def is_whole(house: BoardsBroker, name: str, old: str) -> None:
    """Host, broker and board agree on one new password, and nothing of the way there is left."""
    new = house.password(name)
    assert re.fullmatch("[0-9a-f]{32}", new) and new != old
    assert house.secret(name).stat().st_mode & 0o777 == 0o600
    assert not house.secret(name).with_name(f"{name}.next").exists()
    assert house.lets_in(name, new) and not house.lets_in(name, old)
    assert new in (house.told(name).parent / "password").read_text()


def test_a_board_gets_a_new_password_where_it_stands(house: BoardsBroker) -> None:
    old, before = house.password("row-a"), house.let_in("row-a")
    done = house.callfloor("rotate", "row-a")
    assert (done.returncode, done.stdout) == (0, "board 'row-a' has a new password, and is back with it\n"), done
    is_whole(house, "row-a", old)
    assert house.let_in("row-a") == before + 1 and house.state("row-a") == "ready"
    house.kill("row-a")
    house.start("row-a")
    house.ready("row-a", before + 1)  # it has not forgotten: board.json still says the first
    assert len(set(house.client_ids("row-a"))) == 1
    said = b"".join(topic.encode() + payload for topic, payload, _ in house.ear.heard)
    commands = [payload for topic, payload, _ in house.ear.heard if topic == "board/row-a/command"]
    nonce = json.loads(commands[0])["nonce"]
    new = house.password("row-a")
    assert hashlib.sha256(f"callfloor rotate:{old}:{nonce}".encode()).hexdigest()[:32] == new
    for secret in (old, new, json.loads(house.told("row-a").read_text())["broker"]["password"]):
        assert secret.encode() not in said and secret not in done.stdout + done.stderr


@pytest.mark.parametrize("python", PYTHONS)
def test_a_file_of_passwords_that_is_damaged_is_as_good_as_none(python: str, tmp_path: Path) -> None:
    """Whatever is left of it: the board keeps the password of its board.json."""
    old, nonce = "1" * 32, "2" * 32
    whole = f"{next_of(old, nonce)}\n{old}\n{nonce}\n{mark_of(old)}\n"
    damaged = ["", "\n" * 4, f"\n\n\n{mark_of(old)}\n", whole[1:], whole[:40], whole.replace("2", "3"), whole * 2]
    code = (
        "import json, sys\nfrom firmware import rotate\nfile = sys.argv[1] + '/password'\n"
        "for text in json.load(open(sys.argv[1] + '/texts')):\n"
        "    with open(file, 'w') as out:\n        out.write(text)\n"
        f"    told = {{'keep': sys.argv[1], 'broker': {{'password': '{old}'}}}}\n    rotate.take(told)\n"
        "    try:\n        open(file).close()\n        told['file'] = True\n    except OSError:\n        pass\n"
        "    print(json.dumps(told))\n"
    )
    (tmp_path / "try.py").write_text(code)
    (tmp_path / "texts").write_text(json.dumps([*damaged, whole]))
    said = run(python, str(tmp_path / "try.py"), str(tmp_path))
    *found, last = [json.loads(line) for line in said.splitlines()]
    assert found == [{"keep": str(tmp_path), "broker": {"password": old}}] * len(damaged)
    assert last["broker"] == {"password": next_of(old, nonce), "next": old} and last["file"]


def test_all_of_them_and_those_that_are_not_there(house: BoardsBroker) -> None:
    old = {name: house.password(name) for name in ("row-a", "row-b")}
    house.kill("row-b")
    until(lambda: house.state("row-b") == "lost", "row-b's will")
    done = house.callfloor("rotate", "--all")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "board 'row-a' has a new password, and is back with it",
        "board 'row-b' is not there: its password stays as it is",
    ]
    is_whole(house, "row-a", old["row-a"])
    assert house.password("row-b") == old["row-b"]
    before = house.let_in("row-b")
    house.start("row-b")
    house.ready("row-b", before)


@pytest.mark.parametrize("step", STEPS)
def test_the_host_is_killed(step: str, house: BoardsBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any point: the board works on, after a restart of it too, and the same command finishes it."""
    old = house.password("row-a")
    kill_host(house, step)
    before = house.let_in("row-a")
    house.kill("row-a")
    house.start("row-a")
    house.ready("row-a", before)
    if step == "reloaded":
        monkeypatch.setattr(board_accounts, "ASK_S", 0.1)  # it has the new one, and is thrown out no more
    told = rotate(house, "row-a")
    assert all(row.good for row in told), told
    is_whole(house, "row-a", old)
    house.ready("row-a")


@pytest.mark.parametrize("step", ["answered", "account"])
def test_setup_comes_between(step: str, house: BoardsBroker) -> None:
    """The host is killed, and then the certificate's renewal runs setup: the board is in, and `rotate` finishes."""
    old, before = house.password("row-a"), house.let_in("row-a")
    kill_host(house, step)
    house_broker.setup(house.plan, house.site, getpass.getuser())
    assert (house.password("row-a") == old) == (step == "answered"), "the password that the account has is kept"
    if step == "account":
        house.ready("row-a", before)  # thrown out, and back with the new one
        is_whole(house, "row-a", old)
    told = rotate(house, "row-a")
    assert all(row.good for row in told), told
    is_whole(house, "row-a", old)
    house.ready("row-a", before)


def kill_host(house: BoardsBroker, step: str) -> None:
    """Begins to rotate row-a, and dies as soon as `step` is done."""
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nimport floorplan\n"
        "from gateway.broker import boards as board_accounts\n"
        f"def step(done):\n    if done == {step!r}: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"list(board_accounts.rotate_all(floorplan.read(Path({str(house.site)!r})), ['row-a'], step=step))\n"
    )
    died = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=20, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


@pytest.mark.parametrize("point", ["before", "half", "written"])
def test_the_boards_power_goes(point: str, house: BoardsBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is the old one or the new one; it gets in with either, and the same command finishes it."""
    old = house.password("row-b")
    house.kill("row-b")
    until(lambda: house.state("row-b") == "lost", "row-b's will")
    before = house.let_in("row-b")
    house.start("row-b", driver=("tests/rotate_driver.py", point))
    house.ready("row-b", before)
    monkeypatch.setattr(command, "ANSWER_S", 0.6)
    (told,) = rotate(house, "row-b")
    monkeypatch.undo()
    assert not told.good and "does not answer" in told.words and "stays as it is" in told.words
    assert house.boards["row-b"].wait(5) == -signal.SIGKILL
    assert house.password("row-b") == old
    house.start("row-b")
    house.ready("row-b", before + 1)
    (told,) = rotate(house, "row-b")
    assert told.good, told
    is_whole(house, "row-b", old)


def test_the_broker_is_killed_with_half_the_boards_done(house: BoardsBroker) -> None:
    """Its file of accounts is what counts; a board that was told already comes back with what that says."""
    old = house.password("row-a")
    for told in board_accounts.rotate_all(house.plan, ["row-a", "row-b"]):
        assert told.good == ("row-a" in told.words), told
        house.kill_broker()
    before = {name: house.let_in(name) for name in BOARDS}
    house.start_broker()
    for name in BOARDS:
        house.ready(name, before[name], 30)
    is_whole(house, "row-a", old)


def test_a_board_that_has_another_password_than_the_host_keeps_it(house: BoardsBroker) -> None:
    """An old backup of the host's files must not lock a board out."""
    old, before = house.password("row-a"), house.let_in("row-a")
    house.kill("row-a")
    until(lambda: house.state("row-a") == "lost", "the broker says so")  # or it would be taken for there too soon
    house.start("row-a")  # one that lost its broker a moment ago would wait long before it comes back
    house.ready("row-a", before)
    house.secret("row-a").write_text("0" * 32 + "\n")
    (told,) = rotate(house, "row-a")
    house.secret("row-a").write_text(old + "\n")
    assert not told.good and "has another password than" in told.words
    assert house.lets_in("row-a", old)
    (told,) = rotate(house, "row-a")
    assert told.good, told


def test_a_new_board_json_goes_before_what_the_board_kept(house: BoardsBroker) -> None:
    """And the rotation after it begins with that."""
    old, kept = house.password("row-b"), house.told("row-b").parent / "password"
    assert kept.exists()
    house.provision("row-b")
    before = house.let_in("row-b")
    house.kill("row-b")
    house.start("row-b")
    house.ready("row-b", before)
    assert not kept.exists() and not house.lets_in("row-b", old)
    old = house.password("row-b")
    assert rotate(house, "row-b")[0].good
    is_whole(house, "row-b", old)


def test_a_raspberry_pi_keeps_its_own_and_refuses_where_it_cannot(house: BoardsBroker, tmp_path: Path) -> None:
    house.kill("row-b")
    until(lambda: house.state("row-b") == "lost", "row-b's will")
    house.provision("row-b")
    old, keep = house.password("row-b"), tmp_path / "keep"
    args = ("station", "--told", str(house.told("row-b")), "--pins", "memory", "--control", f"{HOST}:{free_port()}")
    with running(tmp_path, *args) as station:
        station.wait("it is there", lambda: house.state("row-b") == "ready")
        (told,) = rotate(house, "row-b")
        assert told == (
            "board 'row-b' says: this board has no folder to keep a password in: start it with --keep FOLDER: "
            "its password stays as it is", False,
        )  # fmt: skip
    until(lambda: house.state("row-b") == "lost", "row-b's will")
    for turn in range(2):
        with running(tmp_path, *args, "--keep", str(keep)) as station:
            station.wait("it is there", lambda: house.state("row-b") == "ready")
            if turn == 0:
                assert rotate(house, "row-b")[0].good
                assert (keep / "password").stat().st_mode & 0o777 == 0o600
                assert keep.stat().st_mode & 0o777 == 0o700
        until(lambda: house.state("row-b") == "lost", "row-b's will")
    assert house.password("row-b") != old
    (keep / "password").replace(house.told("row-b").parent / "password")
    before = house.let_in("row-b")
    house.start("row-b")
    house.ready("row-b", before)


def test_what_cannot_be_rotated_is_said(house: BoardsBroker) -> None:
    for args, words in (
        (("row-x",), "no board 'row-x' in the site file; did you mean 'row-"),
        ((), "name one board, or --all"),
    ):
        said = house.callfloor("rotate", *args)
        assert said.returncode == 1 and words in said.stderr and len(said.stderr.splitlines()) == 1, said
