"""`callfloor board list`: what is plugged in is found and asked politely, and goes on as it was."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serial.tools import list_ports

from boards.bench import BenchError, bundle, listing, made, plugged, uf2
from boards.bench import port as serial_port
from boards.bench.port import Board
from simulator.plugged import Foreign, Plugged
from tests.conftest import until
from tests.pythons import ROOT
from tests.test_flash import ports

COUNTS = b"import time\nprint('begun')\nn = 0\nwhile True:\n n += 1\n print('at', n)\n time.sleep_ms(50)\n"
SECRET = "a password that stays where it is"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Plugged]:
    with Plugged(tmp_path / "flash", link=tmp_path / "ttyACM0") as board:
        yield board


def carries(board: Plugged, site: str = "example", name: str = "row-a") -> None:
    """A board.json, as one that was made before has it."""
    told = {"site": site, "board": name, "broker": {"password": SECRET}, "wifi": {"ssid": "f", "password": SECRET}}
    (board.flash / "board.json").write_text(json.dumps(told))


def one(found: list[plugged.Found]) -> plugged.Found:
    assert len(found) == 1, found
    return found[0]


def test_a_blank_board_and_one_of_ours(board: Plugged) -> None:
    blank = one(plugged.found(ports=[board.port]))
    assert (blank.site, blank.board, blank.firmware, blank.wrong) == (None, None, "", "")
    assert blank.about and blank.about.chip == board.chip.hex() and blank.kind == ("simulated",)
    carries(board)
    files = bundle.firmware(6)
    for path, data in files.items():
        (board.flash / path).parent.mkdir(parents=True, exist_ok=True)
        (board.flash / path).write_bytes(data)
    ours = one(plugged.found(ports=[board.port]))
    assert (ours.site, ours.board, ours.firmware) == ("example", "row-a", bundle.firmware_hash(files))
    assert listing.same(ours) is True
    (board.flash / "firmware" / "clock.mpy").write_bytes(b"older")
    older = one(plugged.found(ports=[board.port]))
    assert older.firmware != ours.firmware and listing.same(older) is False
    assert "not ours of today" in "\n".join(listing.lines([older], listing.Known(None, {})))


def test_a_board_at_work_is_at_work_again(board: Plugged) -> None:
    (board.flash / "main.py").write_bytes(COUNTS)
    board.pull()
    board.plug()
    with Board(board.port):
        pass  # it runs
    found = one(plugged.found(ports=[board.port]))
    assert found.ran and found.about
    import serial

    with serial.serial_for_url(board.port, timeout=0.05) as port:
        heard, end = b"", time.monotonic() + 10
        while b"at 2" not in heard:
            assert time.monotonic() < end, heard
            heard += port.read(100)


def test_a_chip_without_a_number_of_its_own_is_nobody(tmp_path: Path) -> None:
    for number in (bytes(8), b"\xff" * 8):
        with Plugged(tmp_path / number.hex(), chip=number) as board:
            found = one(plugged.found(ports=[board.port]))
        assert found.about and found.about.chip == ""


def test_no_probe_says_nothing_to_anybody(board: Plugged, monkeypatch: pytest.MonkeyPatch) -> None:
    with Foreign() as other:
        monkeypatch.setattr(list_ports, "comports", ports((other.port, "2e8a:0005")))
        found = one(plugged.found(probe=False))
        assert found.about is None and "pico-w" in found.kind and found.where == "1-1.1"
        assert other.heard == b""


def test_only_boards_are_asked(board: Plugged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another device at USB is listed and hears nothing; a stranger behind a common chip is left as it was."""
    with Foreign() as scale, Foreign(answer=lambda line: b"ok\n") as printer:
        rows = ((scale.port, "dead:beef"), (printer.port, "1a86:7523"), (board.port, "2e8a:0005"))
        monkeypatch.setattr(list_ports, "comports", ports(*rows))
        found = {row.port: row for row in plugged.found(patience_s=3)}
        assert scale.heard == b"" and found[scale.port].about is None
        assert b"\x03" not in printer.heard and b"\x01" not in printer.heard
        assert "a 3D printer answers there" in found[printer.port].wrong and found[printer.port].kind == ()
        assert found[board.port].about
        told = listing.lines(list(found.values()), listing.Known(None, {}))
        assert len(told) >= 4 and "no board that we know" in told[1] and "nobody yet" in "\n".join(told)


def test_what_is_behind_an_adapter_is_not_stopped(board: Plugged, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a printer. A port that was named, or whose USB serial is in our record, is another matter."""
    monkeypatch.setattr(serial_port, "AGAIN_S", 0.2)
    (board.flash / "main.py").write_bytes(COUNTS)
    board.pull()
    board.plug()
    with Board(board.port):
        pass  # it runs
    with Foreign() as machine:
        monkeypatch.setattr(list_ports, "comports", ports((machine.port, "10c4:ea60"), (board.port, "1a86:7523")))
        watcher = listing.Watcher([], True, 0.5)
        found, _ = watcher.look()
        assert [row.about for row in found] == [None, None] and all("esp32" in row.kind for row in found)
        assert machine.heard == b"\x02\r"
        assert "nothing answers to Enter" in "\n".join(listing.lines(found, listing.Known(None, {})))
        monkeypatch.setattr(listing, "AGAIN_S", 0)
        assert watcher.look() == ([], []) and machine.heard == b"\x02\r", "nor opened again and again"
        row = plugged.seen([board.port])[0]._replace(serial="0001")
        assert one(list(plugged.asked([row]))).about is None
        assert one(list(plugged.asked([row], made={"0001"}))).about
        assert one(plugged.found(ports=[board.port])).about


def test_what_is_new_to_us(board: Plugged) -> None:
    row = made.Made(chip=board.chip.hex(), definition="simulated", firmware="f", image="1", when="2026-11-22T00:00:00Z")
    among = listing.Known(None, {"row-a": row})
    blank = one(plugged.found(ports=[board.port]))
    assert listing.new(blank, among) == "nobody yet; it was made 'row-a' before"
    assert listing.new(blank, listing.Known(None, {})) == "nobody yet"
    assert listing.new(blank._replace(site="", board=""), among) == "a board.json that cannot be read"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"site": {}, "board": "\\u001b[2J"}', "\x00" * 100])
def test_a_board_json_of_any_kind(text: str, board: Plugged) -> None:
    (board.flash / "board.json").write_text(text)
    found = one(plugged.found(ports=[board.port]))
    assert found.about and found.site is not None and "\x1b" not in repr(found.board)
    assert listing.lines([found], listing.Known(None, {}))


def test_a_boot_drive_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uf2, "drives", lambda: [uf2.Drive(tmp_path, "RPI-RP2"), uf2.Drive(tmp_path, "FOREIGN")])
    monkeypatch.setattr(list_ports, "comports", ports())
    found = one(plugged.found())
    assert found.drive == tmp_path and "pico-w" in found.kind and "pico-2-w" not in found.kind
    assert "waits for an image" in "\n".join(listing.lines([found], listing.Known(None, {})))


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    found = one(plugged.found(ports=[str(tmp_path / "ttyACM7")]))
    assert "no such port" in found.wrong


def test_the_command_prints_no_secret_and_watches(board: Plugged) -> None:
    carries(board)
    link = str(board._link)
    command = [sys.executable, "-m", "callfloor", "board", "list", "--json"]
    with Plugged(board.flash.parent / "other", link=board.flash.parent / "ttyACM1") as other:
        other.pull()
        with subprocess.Popen(
            [*command, "--watch", "--port", link, "--port", str(other._link)], cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as watching:  # fmt: skip
            try:
                assert watching.stdout
                told: list[dict[str, Any]] = [json.loads(watching.stdout.readline())]
                other.plug()
                told.append(json.loads(watching.stdout.readline()))
                other.pull()
                told.append(json.loads(watching.stdout.readline()))
                until(lambda: watching.poll() is None, "it watches on")
            finally:
                watching.kill()
    assert [(row["what"], row["port"], row["board"]) for row in told] == [
        ("came", link, "row-a"), ("came", str(other._link), None), ("went", str(other._link), None),
    ]  # fmt: skip
    assert SECRET not in json.dumps(told)


def test_the_record_of_boards_made(tmp_path: Path) -> None:
    path = made.file_of(tmp_path / "skien.toml")
    assert path.name == "skien.bench.json" and made.read(path) == {}
    row = made.Made(chip="aa", definition="pico-w", firmware="f" * 16, image="1.28.0", when=made.now())
    made.note(path, "a", row)
    made.note(path, "b", row.model_copy(update={"when": "2099-01-01T00:00:00Z"}))
    assert made.read(path)["a"] == row and made.board_of("aa", made.read(path)) is None  # which?
    assert made.board_of("", made.read(path)) is None
    assert made.forget(path, "b") and not made.forget(path, "b") and made.board_of("aa", made.read(path)) == "a"
    for text in ("", "[]", '{"boards": {"a": 7}}', "\xff", "[" * 10_000):
        path.write_text(text, encoding="latin-1")
        with pytest.raises(BenchError, match="is no record of boards made"):
            made.read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(BenchError, match="record of boards made"):
        made.note(path, "a", row)
