"""`callfloor board flash`: from a blank board to a working desk, whatever is cut off in between.

The boards are the real MicroPython behind a port with a cable that can be pulled; the broker is mosquitto as
`callfloor broker setup` makes it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import random
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

import floorplan
from boards import definition
from boards.bench import BenchError, choose, flash, made, making, plugged, proof
from boards.bench import image as images
from boards.bench import port as serial_port
from boards.bench.making import Asked
from boards.bench.port import About
from boards.bench.proof import Proof
from boards.bench.show import Show
from boards.ear import Ear
from firmware import contract, rotate
from floorplan import SiteError
from gateway.broker import accounts
from gateway.broker import boards as board_accounts
from gateway.broker.boards import Giver
from gateway.people.people import People
from simulator.board import free_port
from simulator.plugged import Foreign, Plugged
from simulator.rom_loader import RomLoader
from tests.boards_broker import BoardsBroker
from tests.conftest import until
from tests.images import esp_image, uf2_image
from tests.pythons import ROOT

WHOLE = 70_000  # bytes that go over the cable the first time, about


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardsBroker]:
    with BoardsBroker(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Plugged]:
    with Plugged(tmp_path / "flash", link=tmp_path / "ttyACM0") as board:
        yield board


@pytest.fixture(autouse=True)
def forgotten(house: BoardsBroker) -> None:
    made.file_of(house.site).unlink(missing_ok=True)


def asked(board: Plugged, name: str | None = "row-a", **more: Any) -> Asked:
    return dataclasses.replace(Asked(board=name, ports=(str(board._link or board.port),), yes=True), **more)


def make(house: BoardsBroker, words: Asked, giver: Giver | None = None) -> flash.Done:
    """As the command does; what became of the one board."""
    assert making.by_site(house.plan, house.site, giver or Giver(house.plan), words) == 0
    return words.done[-1]


def on_board(board: Plugged, path: str) -> bytes:
    return (board.flash / path).read_bytes()


def record(house: BoardsBroker) -> dict[str, made.Made]:
    return made.read(made.file_of(house.site))


def noted(house: BoardsBroker) -> list[str]:
    """The boards made that stand in the audit list."""
    with People(house.plan.people) as people:
        return [row.what for row in people.audit(200) if row.did == "board-made"]


# The whole way --------------------------------------------------------------------


def test_from_blank_to_a_working_desk_and_again(house: BoardsBroker, board: Plugged) -> None:
    old = house.password("row-a")
    done = house.callfloor("flash", "row-a", "--port", board.port)
    assert done.returncode == 0, done.stderr
    assert f"board 'row-a' (desk d-row-a) at {board.port} is made" in done.stdout
    assert "its hello came after" in done.stderr
    until(lambda: house.state("row-a") == "ready", "it is at work")
    new = json.loads(on_board(board, "board.json"))["broker"]["password"]
    assert new == house.password("row-a") != old
    assert new not in done.stdout + done.stderr
    assert house.lets_in("row-a", new) and not house.lets_in("row-a", old)
    row = record(house)["row-a"]
    assert row.chip == board.chip.hex() and row.proved and row.firmware in done.stderr
    assert new not in made.file_of(house.site).read_text()

    assert noted(house) == ["row-a"]
    before = {path: path.stat().st_mtime_ns for path in board.flash.rglob("*") if path.is_file()}
    again = house.callfloor("flash", "row-a", "--port", board.port, "--json")
    told = json.loads(again.stdout)
    assert (again.returncode, told["sent"], told["removed"], told["password"]) == (0, 0, 0, "kept"), again.stderr
    assert {path: path.stat().st_mtime_ns for path in board.flash.rglob("*") if path.is_file()} == before
    assert house.password("row-a") == new and record(house)["row-a"] == row
    assert noted(house) == ["row-a"]  # nothing was done, and nothing is noted


def test_a_dry_run_changes_nothing(house: BoardsBroker, board: Plugged, capsys: pytest.CaptureFixture[str]) -> None:
    old = house.password("row-a")
    done = make(house, asked(board, dry=True))
    assert done.dry and done.sent > 30 and done.password == "new"
    assert not list(board.flash.rglob("*")) and not record(house)
    assert house.password("row-a") == old and not (house.secret("row-a").with_name("row-a.next")).exists()
    assert "nothing was changed" in capsys.readouterr().out


# Cut off ----------------------------------------------------------------------------


def test_a_cable_pulled_at_any_moment_and_the_same_command_again(house: BoardsBroker, tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    middle = [dice.randrange(400, WHOLE) for _ in range(3)]
    cuts = [dice.randrange(1, 400), *middle, dice.randrange(WHOLE, WHOLE + 4000)]
    for number, cut in enumerate(cuts):
        print("cut after", cut)
        with Plugged(tmp_path / str(number), link=tmp_path / f"tty{number}") as board:
            before = house.password("row-a")
            board.cut_after(cut)
            words = asked(board, patience_s=5)
            try:
                make(house, words)
            except BenchError as error:
                assert "the same command" in str(error) or "try again" in str(error), error
            kept = house.password("row-a")
            assert house.lets_in("row-a", kept)  # whatever it is, it opens the broker
            on = board.flash / "board.json"
            if not on.exists():
                assert kept == before  # an older board of that name works on
            board.pull()
            board._cut_at = None
            board.plug()
            done = make(house, asked(board))
            assert done.hello_s is not None
            told = json.loads(on_board(board, "board.json"))
            assert told["broker"]["password"] == house.password("row-a")
            assert record(house)["row-a"].chip == board.chip.hex()
            assert not (house.secret("row-a").with_name("row-a.next")).exists()


@pytest.mark.parametrize("dies", ["before the account", "before our own file"])
def test_the_computer_dies_and_the_same_command_again(
    dies: str, house: BoardsBroker, board: Plugged, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = house.password("row-a")
    with monkeypatch.context() as patch, pytest.raises(SiteError, match="the power goes"):
        def gone(*_: object) -> None:
            raise SiteError("the power goes")

        if dies == "before the account":
            patch.setattr(board_accounts, "taken", gone)
        else:
            patch.setattr(board_accounts, "_write", _but_for(house.secret("row-a"), board_accounts._write, gone))
        make(house, asked(board))
    new = json.loads(on_board(board, "board.json"))["broker"]["password"]
    assert house.password("row-a") == old
    until(lambda: house.lets_in("row-a", old) is (dies == "before the account"), "the old one as it should be")
    done = make(house, asked(board))
    assert (done.sent, done.password) == (0, "kept")  # nothing goes over the cable again
    assert house.password("row-a") == new and house.lets_in("row-a", new) and not house.lets_in("row-a", old)


def _but_for(path: Path, write: Callable[[Path, str], None], fail: Callable[[], None]) -> Callable[[Path, str], None]:
    def written(to: Path, text: str) -> None:
        if to == path:
            fail()
        write(to, text)

    return written


# Its password -------------------------------------------------------------------------


def told_with(house: BoardsBroker, password: str) -> bytes:
    return json.dumps(floorplan.board_json(house.plan, "row-b", {"kind": "memory"}, password)).encode()


def test_who_keeps_a_password_and_who_gets_a_new_one(house: BoardsBroker) -> None:
    plan, pins, now = house.plan, {"kind": "memory"}, house.password("row-b")

    def kept(told: bytes | None, rotated: bytes | None = None) -> bool:
        return board_accounts.hand(plan, "row-b", pins, told, rotated, try_only=True).kept

    mine = told_with(house, now)
    assert kept(mine)
    assert not kept(None) and not kept(b"") and not kept(b"[1]") and not kept(mine[:-1]) and not kept(b"\xff{")
    assert not kept(told_with(house, "0" * 32))  # nobody's
    other = json.loads(mine) | {"times": {}}
    assert not kept(json.dumps(other).encode())  # the plan has changed since
    # One whose password was changed where it stands: board.json has the first, the file `password` the last.
    first, nonce = "f" * 32, "n" * 32
    last = rotate.next_of(first, nonce)
    file = f"{last}\n{first}\n{nonce}\n{rotate.mark_of(first)}\n".encode()
    assert not kept(told_with(house, first), file)
    board_accounts._write(house.secret("row-b"), last + "\n")
    try:
        assert kept(told_with(house, first), file)
        assert not kept(told_with(house, first), None)
        assert not kept(told_with(house, first), file.replace(b"n", b"m"))
    finally:
        board_accounts._write(house.secret("row-b"), now + "\n")
    assert not (house.secret("row-b").with_name("row-b.next")).exists()


def test_a_board_that_was_shut_out_gets_a_new_password(house: BoardsBroker, board: Plugged) -> None:
    make(house, asked(board, wait=False))
    stolen = house.password("row-a")
    assert board_accounts.revoke(house.plan, "row-a").good
    done = make(house, asked(board))
    assert done.password == "new"
    assert house.password("row-a") != stolen and not house.lets_in("row-a", stolen)


def test_an_account_that_is_missing_comes_back(house: BoardsBroker, board: Plugged) -> None:
    make(house, asked(board, wait=False))
    accounts.remove(house.plan, "row-a")
    accounts.reload(house.plan)
    done = make(house, asked(board))
    assert (done.sent, done.password) == (0, "kept") and done.hello_s is not None


def test_two_commands_for_one_board(house: BoardsBroker) -> None:
    first = board_accounts.hand(house.plan, "row-b", {"kind": "memory"}, None, None)
    second = board_accounts.hand(house.plan, "row-b", {"kind": "memory"}, None, None)
    with pytest.raises(SiteError, match="another command has given it a password meanwhile"):
        board_accounts.taken(house.plan, "row-b", first)
    board_accounts.taken(house.plan, "row-b", second)
    assert house.password("row-b") == second.password


# Which board, which desk ----------------------------------------------------------------


def test_a_board_that_is_another_one_is_asked_for(house: BoardsBroker, board: Plugged) -> None:
    make(house, asked(board, wait=False))
    with pytest.raises(BenchError, match=r"this is board 'row-a' \(desk d-row-a\) already, and stays it; .* --yes"):
        make(house, asked(board, "row-b", yes=False))
    assert json.loads(on_board(board, "board.json"))["board"] == "row-a"
    until(lambda: house.state("row-a") == "ready", "it works again")
    assert make(house, asked(board, "row-b")).board == "row-b"
    assert json.loads(on_board(board, "board.json"))["board"] == "row-b"


def test_somebody_at_a_terminal_is_asked(house: BoardsBroker, board: Plugged) -> None:
    """The question is seen, whatever bars are drawn there, and the answer counts; a handset need not be lifted."""
    make(house, asked(board, wait=False))
    words = ["board", "provision", "row-b", "--port", board.port, "--site", str(house.site)]
    said, status = at_a_terminal(words, {b"Make it 'row-b' (desk d-row-b)? [y/N]": b"n\n"})
    assert status == 1 and b"this is board 'row-a' (desk d-row-a) already, and stays it" in said
    said, status = at_a_terminal(words, {b"[y/N]": b"y\n", b"lift the handset of desk d-row-b": b"\n"})
    assert status == 0 and b"nothing was seen; later: callfloor board check --desk d-row-b" in said, said
    assert json.loads(on_board(board, "board.json"))["board"] == "row-b"


def at_a_terminal(words: list[str], keys: dict[bytes, bytes]) -> tuple[bytes, int]:
    """(what it showed, its exit status) of a command at a terminal; `keys` are pressed once those words are there."""
    ours, theirs = os.openpty()
    waits = dict(keys)
    command = [sys.executable, "-m", "callfloor", *words]
    env = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        said, end = b"", time.monotonic() + 40
        try:
            while time.monotonic() < end:
                if select.select([ours], [], [], 0.1)[0]:
                    try:
                        said += os.read(ours, 4096)
                    except OSError:  # it has ended
                        break
                for shown in [shown for shown in waits if shown in said]:
                    os.write(ours, waits.pop(shown))
            assert not waits, said
            return said, process.wait(5)
        finally:
            process.kill()
            os.close(ours)


def test_the_next_one_and_the_one_of_a_desk(house: BoardsBroker, board: Plugged, tmp_path: Path) -> None:
    hello = {name for name in ("row-a", "row-b") if house.ear.latest.get(f"board/{name}/hello")}
    names = choose.to_make(house.plan, {}, hello)
    assert names == [name for name in ("row-a", "row-b") if name not in hello]
    assert make(house, asked(board, None, desk="d-row-b")).board == "row-b"
    assert make(house, asked(board, None, next=True)).board == "row-b"  # it is that one already
    with Plugged(tmp_path / "new") as other:
        until(lambda: {"row-a", "row-b"} <= {key.split("/")[1] for key in house.ear.latest if "hello" in key}, "both")
        with pytest.raises(BenchError, match="every board of the plan was made already"):
            make(house, asked(other, None, next=True))
    with pytest.raises(SiteError, match="no desk 'd-row-c' in the site file; did you mean"):
        make(house, asked(board, None, desk="d-row-c"))
    with pytest.raises(BenchError, match="which board"):
        make(house, asked(board, "row-a", next=True))


def ports(*rows: tuple[str, str]) -> Callable[[], list[ListPortInfo]]:
    """What the system says of its ports: (device, USB id)."""

    def told() -> list[ListPortInfo]:
        found = []
        for number, (device, ids) in enumerate(rows):
            info = ListPortInfo(device)
            info.vid, info.pid = (int(part, 16) for part in ids.split(":"))
            info.location = f"1-1.{number + 1}:1.0"
            found.append(info)
        return found

    return told


def test_the_only_board_is_meant_and_of_several_none(
    house: BoardsBroker, board: Plugged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pico = "2e8a:0005"
    monkeypatch.setattr(list_ports, "comports", ports((board.port, pico), ("/dev/ttyUSB7", "dead:beef")))
    assert choose.the_one((), None, 5).port == board.port
    with Plugged(tmp_path / "two") as other, Foreign(answer=lambda line: b"echo:Unknown command\n") as printer:
        rows = ((board.port, pico), (printer.port, "1a86:7523"))
        monkeypatch.setattr(list_ports, "comports", ports(*rows))
        assert choose.the_one((), None, 5).port == board.port  # the printer is none
        monkeypatch.setattr(list_ports, "comports", ports(*rows, (other.port, pico)))
        with pytest.raises(BenchError) as told:
            choose.the_one((), None, 5)
        assert "2 boards are plugged in; name one with --port, or --all" in str(told.value)
        words = str(told.value).split()
        assert board.port in words and other.port in words and printer.port not in words
        assert b"\x03" not in printer.heard
    monkeypatch.setattr(list_ports, "comports", ports())
    with pytest.raises(BenchError, match="no board is plugged in that we know"):
        choose.the_one((), None, 5)


def test_another_chip_than_planned_is_refused(house: BoardsBroker, board: Plugged, tmp_path: Path) -> None:
    site = tmp_path / "site.json"
    tables = json.loads(house.site.read_text())
    tables["board"][0] |= {"definition": "pico-w", "wifi": {"ssid": "floor"}}
    tables["broker"] |= {"boards_host": "10.0.0.2"}
    site.write_text(json.dumps(tables))
    plan = floorplan.read(site)
    with pytest.raises(BenchError, match=r"this is a .*linux.*, and board 'row-a' is planned as a Raspberry Pi Pico W"):
        making.by_site(plan, site, Giver(plan), asked(board, wait=False))
    assert not list(board.flash.rglob("*"))
    aim = flash.target(plan, "row-a")
    two = About((1, 28, 0), "Raspberry Pi Pico 2 W with RP2350", "rp2", 6, "aa", 1)
    with pytest.raises(BenchError, match=r"this is a Raspberry Pi Pico 2 W .*planned as a Raspberry Pi Pico W"):
        flash._right_chip(aim, two, plugged.Found("/dev/ttyACM0"))
    flash._right_chip(aim, two._replace(machine="Raspberry Pi Pico W with RP2040"), plugged.Found("/dev/ttyACM0"))


# The proof ----------------------------------------------------------------------------


def test_with_the_broker_down_a_board_is_started_all_the_same(house: BoardsBroker, board: Plugged) -> None:
    """It has all its files; what is down for the technician need not be down for the board."""
    def boot() -> str | None:
        return house.ear.latest.get("board/row-a/hello", {}).get("boot")

    before = boot()
    with pytest.raises(BenchError, match="'row-a' has all its files and was started; its hello: no broker at"):
        make(house, asked(board, mqtt=("127.0.0.1", free_port())))
    until(lambda: boot() != before, "it is at work")
    assert not record(house)["row-a"].proved


NO_RADIO = b"""
STA_IF = 0
class WLAN:
 def __init__(self, kind): pass
 def isconnected(self): return False
 def active(self, *on):
  if on: raise OSError(5)
 def status(self, what): raise OSError(5)
"""


def test_a_radio_that_does_not_work(
    house: BoardsBroker, board: Plugged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are on it, and that is said; why there is no hello, too."""
    monkeypatch.setattr(plugged, "CHIPLESS", ())
    page = definition.read("pico-w")
    monkeypatch.setattr(plugged, "pages", lambda: {"pico-w": page.model_copy(update={"machine": "linux"})})
    monkeypatch.setattr(flash, "PROOF", 0.5)
    (board.flash / "network.py").write_bytes(NO_RADIO)
    told = floorplan.board_json(house.plan, "row-b", {"kind": "memory"}) | {"definition": "pico-w"}
    told["broker"]["host"] = "192.0.2.1"  # where nobody is
    file = tmp_path / "board.json"
    file.write_text(json.dumps(told | {"wifi": {"ssid": "floor", "password": "x" * 8}}))
    assert making.by_files(file, asked(board, None, wait=False)) == 0
    with pytest.raises(BenchError) as error:
        making.by_files(file, asked(board, None, patience_s=4))
    assert "board 'row-b' has all its files, but has not reached its broker after" in str(error.value)
    assert "it has not joined the Wi-Fi 'floor', its radio refuses: '[Errno 5] EIO'. Unplug it" in str(error.value)


class Broken:
    """A board whose program ends at once."""

    port = "/dev/ttyACM0"

    def heard(self, seconds: float) -> bytes:
        return b"Traceback (most recent call last):\r\n  File \"x.py\"\r\nValueError: no\r\n"


@pytest.mark.parametrize(
    ("debug", "more"), [(True, "; `callfloor board log /dev/ttyACM0` shows more"), (False, "")]
)
def test_only_a_board_that_keeps_its_words_is_asked_for_more(
    debug: bool, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "GRACE_S", 0.0)
    with pytest.raises(BenchError) as error:
        proof.by_console(Broken(), "row-a", 5, None, debug)  # type: ignore[arg-type]
    assert str(error.value) == f"board 'row-a': its program ended: ValueError: no{more}"


class NoAccount(Giver):
    """The board has its password, and the broker never hears of it."""

    def taken(self, board: str, handed: board_accounts.Handed) -> str:
        return ""


def test_a_password_that_the_broker_does_not_know(house: BoardsBroker, board: Plugged) -> None:
    with pytest.raises(BenchError, match="board 'row-a' is not let in: the broker refused the user or password"):
        make(house, asked(board), NoAccount(house.plan))
    assert not record(house)["row-a"].proved
    assert make(house, asked(board)).hello_s is not None
    assert record(house)["row-a"].proved


class Quiet:
    """A cable over which nothing is said."""

    def heard(self, seconds: float) -> bytes:
        return b""


def test_an_older_board_of_that_name_proves_nothing(house: BoardsBroker) -> None:
    """It says hello again when it comes back to the broker; what counts is the hello of a new start."""
    plan = house.plan
    assert plan.broker
    fields = board_accounts.NOBODY | {"firmware": "f" * 16, "health_s": 5}
    said = functools.partial(contract.encode, "board/+/hello")
    topic = contract.topic("example", "board/+/hello", "row-b")
    with Ear(plan.broker, "example", ["beat"]) as mouth:
        mouth.say("board/+/hello", "row-b", **fields, boot="a" * 8)
        until(lambda: house.ear.latest.get("board/row-b/hello", {}).get("boot") == "a" * 8, "the old one")
        with Proof(plan.broker, "example", "row-b") as waiting:
            again = threading.Timer(0.2, house.ear._client.publish, (topic, said(fields | {"boot": "a" * 8}), 1, True))
            new = threading.Timer(1.0, house.ear._client.publish, (topic, said(fields | {"boot": "b" * 8}), 1, True))
            again.start()
            new.start()
            try:
                assert waiting.hello(Quiet(), "f" * 16, 10, None) > 0.6  # type: ignore[arg-type]
                with pytest.raises(BenchError, match=r"says hello with other firmware, f{16} in place of 0{16}"):
                    mouth.say("board/+/hello", "row-b", **fields, boot="c" * 8)
                    waiting.hello(Quiet(), "0" * 16, 10, None)  # type: ignore[arg-type]
            finally:
                again.join()
                new.join()


def test_without_the_site_file(house: BoardsBroker, board: Plugged, tmp_path: Path) -> None:
    """On a laptop with the board.json files alone the board's own words are the proof."""
    folder = tmp_path / "told"
    before = {name: house.password(name) for name in ("row-a", "row-b")}
    assert len(board_accounts.write_all(house.plan, folder)) == 2
    assert before == {name: house.password(name) for name in ("row-a", "row-b")}  # nobody is shut out by it
    words = asked(board, "row-b")
    assert making.by_files(folder, words) == 0
    assert words.done[0].hello_s is not None
    until(lambda: house.state("row-b") == "ready", "it is at work")
    assert making.by_files(folder / "row-b.json", again := asked(board, None)) == 0
    assert again.done[0].sent == 0
    with pytest.raises(BenchError, match="has 2 boards; name one: row-a, row-b"):
        making.by_files(folder, asked(board, None))


def test_a_broker_that_is_not_there_in_the_boards_words(house: BoardsBroker, board: Plugged, tmp_path: Path) -> None:
    told = floorplan.board_json(house.plan, "row-b", {"kind": "memory"})
    told["broker"]["port"] = free_port()
    file = tmp_path / "board.json"
    file.write_text(json.dumps(told))
    with pytest.raises(BenchError, match=r"board 'row-b' is not let in: .*nothing listens there"):
        making.by_files(file, asked(board, None))
    file.write_text("{}")
    with pytest.raises(BenchError, match=r"is no board\.json"):
        making.by_files(file, asked(board, None))


def test_a_handset_that_is_lifted_is_seen(house: BoardsBroker, board: Plugged, tmp_path: Path) -> None:
    """The technician is a control port; the question and the answer are the real ones."""
    import socket

    tables = json.loads(house.site.read_text())
    port = free_port()
    tables["board"][0]["control"] = f"127.0.0.1:{port}"
    site = house.folder / "with-control.json"
    site.write_text(json.dumps(tables))
    plan = floorplan.read(site)

    def lifted(seen_at: Any, where: Any) -> str | None:
        def lift() -> None:
            end = time.monotonic() + 10
            with socket.create_connection(("127.0.0.1", port), 5) as control:
                level = 0
                while not seen.is_set() and time.monotonic() < end:
                    control.sendall(f"GP2 {level}\n".encode())
                    level = 1 - level
                    seen.wait(0.3)

        seen = threading.Event()
        thread = threading.Thread(target=lift)
        thread.start()
        try:
            return str(seen_at.pin(where, lambda: False))
        finally:
            seen.set()
            thread.join()

    giver = Giver(plan)
    words = asked(board)
    how = dataclasses.replace(making._how(words, giver, None, plan.broker, plan), pin=lifted)
    at = choose.the_one(words.ports, None, 10)
    assert flash.flash(flash.target(plan, "row-a"), at, how, Show()).pin == "GP2"


# Images ---------------------------------------------------------------------------------


def uf2(path: Path, chip: str = "rp2040") -> Path:
    path.write_bytes(uf2_image(chip, 40))
    return path


def test_an_image_goes_on_by_the_boot_drive(
    house: BoardsBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running board is sent to its drive, which takes the image and goes; then all else follows at its port."""
    monkeypatch.setattr(plugged, "CHIPLESS", ())  # the interpreter says what it is called: that is a Pico W here
    page = definition.read("pico-w")
    monkeypatch.setattr(plugged, "pages", lambda: {"pico-w": page.model_copy(update={"machine": "linux"})})
    image, drive, port = uf2(tmp_path / "image.uf2"), tmp_path / "RPI-RP2", tmp_path / "ttyACM0"
    came: list[bytes] = []

    def in_bootloader() -> None:
        drive.mkdir()
        (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n")
        target = drive / image.name
        until(lambda: target.exists() and target.stat().st_size == image.stat().st_size, "the image", 20)
        came.append(target.read_bytes())
        (drive / "INFO_UF2.TXT").unlink()  # the drive is gone
        pico.plug()

    told = floorplan.board_json(house.plan, "row-b", {"kind": "memory"}) | {"definition": "pico-w"}
    file = tmp_path / "board.json"
    file.write_text(json.dumps(told))
    with Plugged(tmp_path / "flash", link=port, in_bootloader=in_bootloader) as pico:
        words = asked(pico, None, image=image, drive=drive)
        assert making.by_files(file, words) == 0
        assert came == [image.read_bytes()] and words.done[0].image and words.done[0].hello_s is not None
        with pytest.raises(BenchError, match="is for an RP2350, and this board has an RP2040"):
            making.by_files(file, asked(pico, None, image=uf2(tmp_path / "two.uf2", "rp2350")))
        until(lambda: house.state("row-b") == "ready", "it works on")


def test_a_pico_that_lets_nobody_in_gets_its_image_at_its_drive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOOTSEL was held: whatever its port says, or that it is gone, the image goes on; without one it is said."""
    monkeypatch.setattr(images, "drives", lambda: [images.Drive(tmp_path, "RPI-RP2")])
    aim = flash.told_target({"definition": "pico-w", "site": "s", "board": "b", "pins": {}}, tmp_path)
    monkeypatch.setattr(serial_port, "AGAIN_S", 0.05)
    how = flash.How(flash.Told({}), None, None, image=tmp_path / "any.uf2", patience_s=0.1)
    with Foreign() as silent, Foreign(chatter=b"tick\n", every_s=0.02) as talking:
        for port in (silent.port, talking.port, str(tmp_path / "ttyACM7")):
            at = plugged.Found(port)
            assert flash._open(at, aim, how, Show()) == (None, True)
            with pytest.raises(BenchError, match=r"nothing answers|what talks there|no such port"):
                flash._open(at, aim, dataclasses.replace(how, image=None), Show())
        with pytest.raises(BenchError):  # the drive is that of another board
            flash._open(at._replace(where="1-1.4"), aim, how, Show())


def test_an_esp32_gets_its_image_by_esptool(
    house: BoardsBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real esptool at a loader that answers as the chip's own; behind it comes a board, at the same port."""
    monkeypatch.setattr(plugged, "CHIPLESS", ())
    page = definition.read("esp32")
    monkeypatch.setattr(plugged, "pages", lambda: {"esp32": page.model_copy(update={"machine": "linux"})})
    image, port, real = tmp_path / "image.bin", tmp_path / "ttyUSB0", images.esptool
    image.write_bytes(esp_image("esp32"))
    told = floorplan.board_json(house.plan, "row-b", {"kind": "memory"}) | {"definition": "esp32"}
    file = tmp_path / "board.json"
    file.write_text(json.dumps(told))
    board = Plugged(tmp_path / "flash", link=port)
    with RomLoader("esp32", link=port) as rom, contextlib.closing(board):
        rom.flash.write(0x200000, b"what another firmware has left")

        def esptool(*args: Any) -> None:
            real(*args)
            assert rom.flash.bytes[0x1000 : 0x1000 + image.stat().st_size] == image.read_bytes()
            assert set(rom.flash.bytes[0x200000:0x200020]) == {0xFF}  # or MicroPython could make no file system there
            rom.close()
            board.plug()

        monkeypatch.setattr(images, "esptool", esptool)
        words = Asked(board="row-b", ports=(str(port),), image=image, patience_s=1)
        assert making.by_files(file, words) == 0
        assert words.done[0].image and words.done[0].hello_s is not None


def test_nothing_is_put_onto_a_board_that_needs_nothing(house: BoardsBroker, board: Plugged, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="is a simulated board: no image goes onto it"):
        make(house, asked(board, image=uf2(tmp_path / "image.uf2")))


def test_a_stranger_is_left_alone(house: BoardsBroker) -> None:
    with Foreign(answer=lambda line: b"ok\n") as printer, pytest.raises(BenchError, match="a 3D printer answers there"):
        make(house, asked(printer, patience_s=3))  # type: ignore[arg-type]
    assert b"\x01" not in printer.heard and b"\x03" not in printer.heard
