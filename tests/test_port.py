"""One board at one port: opened politely, asked, given back; and in words what cannot be worked with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import serial
from serial.tools import list_ports, list_ports_common

from boards.bench import BenchError, port
from boards.bench.port import Blank, Board, Busy, Foreign, Gone, NoRights, NoSuchPort, Silent
from simulator.plugged import Foreign as Stranger
from simulator.plugged import Plugged
from tests.conftest import until

RUNS = "import time\nprint('started')\nwhile True: time.sleep_ms(5)\n"


@pytest.mark.parametrize("tcp", [False, True], ids=["pty", "socket"])
def test_a_board_is_asked(tmp_path: Path, tcp: bool) -> None:
    with Plugged(tmp_path / "flash", chip=b"\xe6\x61", tcp=tcp) as plugged, Board(plugged.port) as board:
        about = board.about()
        assert about.version >= (1, 24) and about.mpy == 6 and about.chip == "e661" and about.platform == "linux"
        assert about.machine and about.free > 10_000
        assert board.run("print('å\\r\\n', 6 * 7)") == "å\n 42\n"
        assert board.read("nothing") is None and board.sums() == {}
        board.run("import os\nos.mkdir('a b')\nwith open('a b/c\\'d', 'wb') as f: f.write(bytes(range(256)) * 5)")
        assert board.read("a b/c'd") == bytes(range(256)) * 5
        assert list(board.sums()) == ["a b/c'd"] and board.sums(["x", "a"]) == {}
        with pytest.raises(BenchError, match=r"on the board: ZeroDivisionError: divide by zero$"):
            board.run("1 / 0")
        assert board.run("print(1)") == "1\n", "and it goes on"


def test_a_board_is_given_back_as_it_was_found(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as plugged:
        with Board(plugged.port) as board:
            assert not board.ran
            board.run("import builtins; builtins.kept = 1")
        with Board(plugged.port) as board:
            assert board.run("print(kept)") == "1\n", "nobody restarted what waited at its prompt"
        (plugged.flash / "main.py").write_text(RUNS)
        with Board(plugged.port) as board:
            board.restart()
            assert any("started" in line for line in board.lines(5))
        starts = plugged.starts
        with Board(plugged.port) as board:
            assert board.ran
            assert board.run("print(2)") == "2\n"
        until(lambda: plugged.starts == starts + 1, "it runs again")
        with pytest.raises(KeyboardInterrupt), Board(plugged.port) as board:  # in the middle of something that lasts
            board.begin("import time\nwhile True: time.sleep_ms(5)")
            raise KeyboardInterrupt
        until(lambda: plugged.starts == starts + 2, "it runs again")
        with Board(plugged.port) as board:
            assert board.ran


def test_what_prints_without_end_is_stopped(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as plugged:
        with Board(plugged.port) as board:
            with pytest.raises(BenchError, match="prints without end"):
                board.run("while True: print('x' * 200)")
            with pytest.raises(Silent, match="has said nothing for 0 s"):
                board.run("print('almost'); import time; time.sleep(60)", timeout_s=0.3)
            assert board.run("print(3)") == "3\n"
        (plugged.flash / "main.py").write_text("while True: print('x' * 200)")
        with Board(plugged.port) as board:
            board.restart()
        with Board(plugged.port) as board:
            assert board.ran and board.run("print(4)") == "4\n"


KEEPS = "import micropython, time\nmicropython.kbd_intr(-1)\nwhile True:\n time.sleep_ms(50)\n "
CATCHES = (
    "import sys, time\nwhile True:\n try:\n  print('hello there')\n  time.sleep_ms(20)\n"
    " except BaseException as e: sys.print_exception(e)\n"
)
PROMPTS = CATCHES.replace("hello there", "hello there\\n>>> ")
UNSTOPPED = {
    "silent": (KEEPS + "pass\n", Silent, r"nothing answers .*BOOTSEL held .*--image FILE"),
    "talking": (KEEPS + "print('hello there')\n", Foreign, "does not stop for Ctrl-C; it says 'hello there"),
    "catching": (CATCHES, Foreign, r"does not stop for Ctrl-C; .*BOOTSEL held .*--image FILE"),
    "prompting": (PROMPTS, Foreign, "does not stop for Ctrl-C"),
}


@pytest.mark.parametrize("who", UNSTOPPED)
def test_a_program_that_keeps_ctrl_c_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(port, "AGAIN_S", 0.1)
    program, kind, words = UNSTOPPED[who]
    (tmp_path / "flash").mkdir()
    (tmp_path / "flash" / "main.py").write_text(program)
    with Plugged(tmp_path / "flash") as plugged:
        started = time.monotonic()
        with pytest.raises(kind, match=words):
            Board(plugged.port, patience_s=0.3)
        assert time.monotonic() - started < 8


def test_files_that_cannot_be_read_are_said_in_words(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash", blocks=32) as plugged, Board(plugged.port) as board:
        board.run("import os\nos.mkdir('board.json')")
        with pytest.raises(BenchError, match=r"board\.json \(OSError 21\): .*move it away: `mpremote fs rm -r :board"):
            board.read("board.json")
        board.run("os.umount('/')")
        with pytest.raises(BenchError, match=r"\(OSError 19\): its flash memory has no file system.* Unplug it and"):
            board.read("board.json")


def test_who_is_not_to_be_stopped_is_not(tmp_path: Path) -> None:
    """An adapter of nobody in particular: a board at its prompt is asked, whatever else hears an Enter."""
    with Plugged(tmp_path / "flash") as plugged, Board(plugged.port, stop=False) as board:
        assert board.run("print(1)") == "1\n"
    with Stranger() as machine:
        with pytest.raises(port.Unasked, match="nothing answers to Enter"):
            Board(machine.port, stop=False)
        assert machine.heard == b"\x02\r"


def test_a_receiver_left_alone_is_found_again(tmp_path: Path) -> None:
    """What a pulled cable leaves: a program that waits for bytes that never come."""
    with Plugged(tmp_path / "flash") as plugged:
        with Board(plugged.port) as board:
            board.begin("import sys\nsys.stdin.buffer.read(4096)")
            plugged.pull(power=False)
        plugged.plug()
        with Board(plugged.port) as board:
            assert board.run("print(5)") == "5\n"


STRANGERS: dict[str, tuple[Callable[[bytes], bytes], bytes, type[BenchError], str]] = {
    "printer": (lambda line: b"ok\n", b"", Foreign, "a 3D printer answers there"),
    "warm printer": (lambda line: b"ok T:20 /0 B:20 /0\r\n", b"", Foreign, "a 3D printer answers there"),
    "talking printer": (lambda line: b"ok\n", b"echo:busy: processing\n", Foreign, "a 3D printer answers there"),
    "modem": (lambda line: b"ERROR\r\n" if line else b"", b"", Foreign, "a modem answers there"),
    "console": (lambda line: b"raspberrypi login: ", b"", Foreign, "a computer's console"),
    "shell": (lambda line: b"pi@pi:~$ ", b"", Foreign, "a computer's shell"),
    "satellites": (lambda line: b"", b"$GPGGA,123519,4807.038,N*47\r\n", Foreign, "a satellite receiver"),
    "circuitpython": (
        lambda line: b"Adafruit CircuitPython 9.1.0 on 2024-07-10; Pico\r\n>>> ", b"", Foreign, "CircuitPython, which"
    ),
    "blank esp32": (lambda line: b"", b"invalid header: 0xffffffff\r\n", Blank, "a chip without an image"),
    "noise": (lambda line: b"", b"\xff\x00\x1b[2J\xfe\x9b\n" * 40, Foreign, "no MicroPython"),
    "nobody": (lambda line: b"", b"", Silent, "nothing answers there"),
}  # fmt: skip


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_is_left_as_it_is(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "AGAIN_S", 0.2)
    answer, chatter, kind, words = STRANGERS[who]
    with Stranger(answer, chatter, every_s=0.1) as stranger:
        with pytest.raises(kind, match=words) as error:
            Board(stranger.port, patience_s=0.2)
        assert str(error.value).isprintable() and len(str(error.value)) < 500
        known = who not in ("noise", "nobody")
        assert stranger.heard.strip(b"\x03") in ((b"\x02\r", b"") if known else (b"\x02\r",)), "hardly a word"
        assert not known or b"\x03" not in stranger.heard
        assert len(stranger.heard) < 8


def test_a_port_of_another_program_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "OPEN_S", 0.2)
    holds = "import serial, sys\np = serial.Serial(sys.argv[1], exclusive=True)\nprint('has it', flush=True)\ninput()"
    with Stranger() as device:
        command = [sys.executable, "-c", holds, device.port]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdin and other.stdout and other.stdout.readline()
            with pytest.raises(Busy, match=rf"busy: python\S* \(process {other.pid}\) has it open"):
                Board(device.port)
            other.stdin.close()
        assert device.heard == b""


def test_two_of_us_do_not_share_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "OPEN_S", 0.2)
    with Plugged(tmp_path / "flash") as plugged, Board(plugged.port) as board:
        with pytest.raises(Busy, match="another program has it open"):
            Board(plugged.port)
        assert board.run("print(1)") == "1\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/dev/ttyACM7", "no such port; did you mean '/dev/ttyACM1'"),
        ("/dev/nothing-like-it", "no such port; there is /dev/ttyACM1, /dev/ttyUSB0. Is the cable in"),
        ("socket://127.0.0.1:9", "nobody is there .*is the address right"),
        ("telepathy://x", "no kind of port that is known here"),
        ("/", "cannot be opened as a serial port"),
        (__file__, "this is no serial port"),
    ],
)
def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    there = [list_ports_common.ListPortInfo(each) for each in ("/dev/ttyACM1", "/dev/ttyUSB0")]
    monkeypatch.setattr(list_ports, "comports", lambda: there)
    with pytest.raises(NoSuchPort, match=words):
        Board(name)


def test_a_port_that_we_may_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who is not root asks, where the port is for root and the group dialout, as Debian makes it."""
    import grp

    with Stranger() as device:
        os.chown(device.port, 0, grp.getgrnam("dialout").gr_gid)
        Path(device.port).chmod(0o660)
        wrong = port._why_not(device.port, _error_of(device.port))
    assert isinstance(wrong, NoRights)
    assert str(wrong) == (
        f"{device.port}: we may not open it; the group 'dialout' may: `sudo usermod -aG dialout $USER`, "
        "then log out and in again"
    )


def _error_of(name: str) -> Exception:
    """What pyserial says to a user who is nobody; these tests may run as root, who may do all."""
    asks = "import os, sys, serial\nif not os.getuid(): os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    asks += "try: serial.Serial(sys.argv[1])\nexcept OSError as error: print(error.errno, error)"
    done = subprocess.run([sys.executable, "-c", asks, name], capture_output=True, text=True, timeout=20, check=True)
    number, _, text = done.stdout.strip().partition(" ")
    error: Exception = serial.SerialException(int(number), text)
    return error


def test_a_board_gone_in_the_middle(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as plugged, Board(plugged.port) as board:
        plugged.cut_after(60)
        with pytest.raises(Gone, match="was the cable pulled"):
            board.run("import time\nfor n in range(100): print(n); time.sleep_ms(10)")
        with pytest.raises(Gone):
            board.run("print(1)")


def test_a_board_goes_into_its_boot_drive(tmp_path: Path) -> None:
    gone: list[bool] = []
    with Plugged(tmp_path / "flash", in_bootloader=lambda: gone.append(True)) as plugged:
        with Board(plugged.port) as board:
            board.bootloader()
        until(lambda: gone and not plugged.plugged(), "its port is gone")


def test_a_board_that_has_no_boot_drive(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as plugged, Board(plugged.port) as board:
        board.run("import sys; del sys.modules['machine'].__class__.bootloader")
        with pytest.raises(BenchError, match=r"does not go into its boot drive by itself .*hold its BOOTSEL"):
            board.bootloader()
        assert board.run("print(1)") == "1\n"
