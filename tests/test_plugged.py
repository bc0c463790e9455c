"""The boards that are not there behave as boards: the real mpremote works with them, and a cable can be pulled."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import serial

from simulator.plugged import UART, Plugged
from tests.conftest import until

COUNTS = "import time\nprint('started')\nwhile True:\n time.sleep_ms(5)\n"
BLOCKS = 212  # 848 KB, as a Pico W has


@pytest.fixture(params=["folder", "littlefs", "tcp"])
def plugged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Plugged]:
    blocks = BLOCKS if request.param == "littlefs" else None
    with Plugged(tmp_path / "flash", blocks=blocks, tcp=request.param == "tcp") as board:
        yield board


def mpremote(board: Plugged, *words: str) -> str:
    """What the real mpremote says, from several commands at once: one start of it takes long enough."""
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", board.port, *words],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def talk(board: Plugged, *lines: bytes, until: bytes, within_s: float = 10) -> bytes:
    """Sends lines as a terminal does, and gives all that comes up to those words."""
    with serial.serial_for_url(board.port, timeout=0.05) as port:
        for line in lines:
            port.write(line)
        heard, end = b"", time.monotonic() + within_s
        while until not in heard:
            assert time.monotonic() < end, heard
            heard += port.read(max(1, port.in_waiting))
    return heard


def test_the_real_mpremote_finds_a_board(plugged: Plugged, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(COUNTS)
    (tmp_path / "part" / "deep").mkdir(parents=True)
    (tmp_path / "part" / "deep" / "a.bin").write_bytes(bytes(range(256)) * 9)
    said = mpremote(
        plugged,
        "fs", "cp", str(tmp_path / "main.py"), ":main.py", "+",
        "fs", "cp", "-r", str(tmp_path / "part"), ":", "+",
        "fs", "ls", "+", "fs", "sha256sum", "part/deep/a.bin", "+",
        "exec", "import os; print(os.listdir(), 1 + 1)", "+",
        "soft-reset", "+", "eval", "'deep' in __import__('os').listdir('part')",
    )  # fmt: skip
    assert "main.py" in said and "] 2\n" in said and said.endswith("True\n")
    again = talk(plugged, b"\x03\x02", b"\x04", until=b"started")
    assert b"MPY: soft reboot" in again
    assert b"KeyboardInterrupt" in talk(plugged, b"\x03", until=b">>> ")


def test_a_soft_reset_at_the_raw_prompt_stays_there_and_starts_nothing(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as board:
        (board.flash / "main.py").write_text("print('started')\n")
        (board.flash / "boot.py").write_text("print('booted')\n")
        talk(board, b"\x03\x02\r", b"\x01", b"x = 5\x04", until=b"OK\x04\x04>")
        after = talk(board, b"\x04", until=b"to exit\r\n>")
        assert after == b"OK\r\nMPY: soft reboot\r\nbooted\nraw REPL; CTRL-B to exit\r\n>"
        assert b"OK1001" in talk(board, b"print(1000 + 1)\x04", until=b"\x04>")
        assert b"NameError" in talk(board, b"x\x04", until=b"\x04>")
        assert b"booted\nstarted\n" in talk(board, b"\x02", b"\x04", until=b"started\n")


def test_a_reset_of_the_chip_runs_main_again(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash", chip=b"\x01\x02") as board:
        (board.flash / "main.py").write_text("import machine\nprint('chip', machine.unique_id())\n")
        heard = talk(board, b"\x03\x02\r\x01", b"import machine\nmachine.reset()\x04", until=b"chip")
        assert b"soft reboot" not in heard
        starts = board.starts
        (board.flash / "main.py").write_text("import sys\nsys.exit()\n")  # as a board: again and again
        talk(board, b"\x02\x04", until=b"soft reboot\r\nMPY")
        assert board.starts > starts + 1


def test_a_program_may_keep_ctrl_c_for_itself(tmp_path: Path) -> None:
    keeps = b"import micropython, sys\nmicropython.kbd_intr(-1)\nprint('ready')\nprint(sys.stdin.buffer.read(2))\n"
    with Plugged(tmp_path / "flash") as board:
        talk(board, b"\x03\x02\r\x01", keeps + b"\x04", until=b"ready\n")
        assert b"b'\\x03\\x03'" in talk(board, b"\x03", b"\x03", until=b"\x04>")


def test_a_pulled_cable_ends_the_board_or_only_its_port(tmp_path: Path) -> None:
    link = tmp_path / "ttyACM0"
    with Plugged(tmp_path / "flash", link=link) as board:
        talk(board, b"\x03\x02\r\x01a = 1\x04", until=b"OK\x04\x04>")
        (board.flash / "main.py").write_text(COUNTS)
        board.pull(power=False)
        assert not link.exists() and not Path(board.port).exists()
        board.plug()
        assert b"OK1\n" in talk(board, b"print(a)\x04", until=b"\x04>")
        with serial.Serial(str(link), timeout=5) as port:
            board.pull()
            with pytest.raises((serial.SerialException, OSError)):
                while True:
                    port.write(b"x")
                    port.read(10)
        board.plug()
        assert b"started" in talk(board, until=b"started"), "power came back"
        board.cut_after(10)
        before = board.passed
        with pytest.raises((serial.SerialException, OSError)), serial.Serial(board.port, timeout=1) as port:
            while True:
                port.write(b"0123")
                port.read(10)
        until(lambda: not board.plugged(), "it is out")
        assert board.passed == before + 10


def test_a_uart_loses_what_comes_too_early(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash", wire=UART) as board:
        talk(board, b"\x03\x02\r\x01", b"import time; print('ready'); time.sleep(.5)\x04", until=b"ready")
        with serial.Serial(board.port, timeout=1) as port:
            port.write(b"#" * 1000)
            until(lambda: board.lost, "it is told", 5)
        until(lambda: board.lost == 1000 - 256, "just what it holds is left")


def test_a_flash_memory_can_be_full(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash", blocks=16) as board:
        full = b"open('big', 'wb').write(bytes(80000))\x04"
        assert b"OSError: 28" in talk(board, b"\x03\x02\r\x01", full, until=b"\x04>").replace(b"[Errno 28]", b"28")


def test_no_board_outlives_its_owner(tmp_path: Path) -> None:
    """Killed with no time to tidy up. A cable that is pulled and plugged in meanwhile ends no board: it runs on."""
    owner = (
        "import sys, threading; from pathlib import Path; from simulator.plugged import Plugged\n"
        "board = Plugged(Path(sys.argv[1])); board.plug()\n"
        "board.pull(power=False); board.plug(); print(board._process.pid, flush=True); input()"
    )
    (tmp_path / "main.py").write_text("import time\nopen('begun', 'w').close()\nwhile True: time.sleep_ms(5)\n")
    command = [sys.executable, "-c", owner, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        inside = psutil.Process(int(running.stdout.readline()))
        until((tmp_path / "begun").exists, "its program runs")
        assert inside.is_running()
        running.kill()
        running.wait()
        until(lambda: not inside.is_running() or inside.status() == psutil.STATUS_ZOMBIE, "it is gone", 5)


def test_a_bench_of_boards_is_a_command(tmp_path: Path) -> None:
    words = ["sim", "bench", "--boards", "3", "--tcp", "--folder", str(tmp_path)]
    with subprocess.Popen([sys.executable, "callfloor.py", *words], stdout=subprocess.PIPE, text=True) as bench:
        assert bench.stdout
        ports = [bench.stdout.readline().split() for _ in range(3)]
        inside = psutil.Process(bench.pid).children()
        assert len(inside) == 3
        for url, flash in ports:
            with serial.serial_for_url(url, timeout=5) as port:
                port.write(b"\x03\x02\r")
                assert b">>>" in port.read_until(b">>> ")
            assert Path(flash).is_dir()
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(10) == 0
        until(lambda: not any(process.is_running() for process in inside), "no board is left")
