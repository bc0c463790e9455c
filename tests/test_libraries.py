"""What the firmware takes from micropython-lib: named with versions, and what it does there: a board's last words."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import callfloor_board
from boards.bench import BenchError, bundle
from boards.bench.log import FILES
from boards.bench.port import Board
from firmware import debug
from simulator.board import free_port
from simulator.plugged import Plugged
from tests.pythons import ROOT, environment, interpreter
from tests.test_imports import FROM_PACKAGES, files_of, imports, tree_of

FIRMWARE = ROOT / "firmware"
IN_IMAGES = {"neopixel"}  # frozen into every image for rp2 and esp32 by ports/*/boards/manifest.py


def pinned() -> dict[str, str]:
    """The packages of firmware/package.json and their versions."""
    told = json.loads((FIRMWARE / "package.json").read_text())
    assert set(told) == {"urls", "deps"} and told["urls"] == []
    return dict(told["deps"])


def test_the_packages_are_those_that_the_firmware_imports() -> None:
    imported = {
        module
        for path in files_of("firmware")
        for _, module, _ in imports(tree_of(path))
        if module in FROM_PACKAGES.get(path.name, set())
    }
    assert imported == set().union(*FROM_PACKAGES.values()) == set(pinned()) | IN_IMAGES
    for version in pinned().values():
        assert len(version.split(".")) == 3 and version.replace(".", "").isdigit()


def test_a_frozen_build_asks_for_the_same() -> None:
    asked: list[tuple[str, Any]] = []
    names = {
        "include": lambda path: asked.append(("include", path)),
        "require": lambda name: asked.append(("require", name)),
    }
    exec(compile((FIRMWARE / "manifest.py").read_text(), "manifest.py", "exec"), names)
    assert asked[0] == ("include", "$(PORT_DIR)/boards/manifest.py")
    assert [name for kind, name in asked[1:] if kind == "require"] == ["ssl", *sorted(pinned())]
    needs = {module for path in files_of("firmware") for _, module, _ in imports(tree_of(path))}
    assert "ssl" in needs  # a board's own manifest has it, whose place this one takes; the port's has not


def test_neither_file_goes_onto_a_board() -> None:
    for mpy in (0, bundle.MPY):
        names = {Path(path).stem for path in bundle.firmware(mpy) if path.startswith("firmware/")}
        assert {"debug", "lamp"} <= names and not {"manifest", "package"} & names


def test_nothing_but_the_switch_loads_them() -> None:
    """Neither file is imported at the top of another: a board without the switch never has it in its memory."""
    for path in files_of("firmware"):
        for node in ast.walk(ast.Module(tree_of(path).body, [])):
            if isinstance(node, ast.ImportFrom) and node.module == "firmware":
                names = {alias.name for alias in node.names} & {"debug", "lamp"}
                assert not names or node.col_offset > 0, path.name


# A board that is looked into ---------------------------------------------------------


def board_json(folder: Path, **more: Any) -> Path:
    told = {
        "site": "s", "board": "row-a", "definition": "simulated",
        "broker": {"host": "127.0.0.1", "port": free_port(), "keepalive_s": 4}, "pins": {"kind": "memory"},
        "times": {"hangup_ms": 250, "burst_ms": 300, "ring_gap_ms": 3000},
        "inputs": [{"phone": {"by": "contact", "pin": "GP4"}}], "panels": [], **more,
    }  # fmt: skip
    path = folder / "board.json"
    path.write_text(json.dumps(told))
    return path


def run(python: str, path: Path, until: str) -> str:
    """Runs a board until it says that; what it said."""
    child = subprocess.Popen(
        [interpreter(python), "-m", "firmware.main", str(path)], env=environment() | {"PYTHONUNBUFFERED": "1"},
        cwd=path.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = ""
    assert child.stdout
    try:
        while until not in said:
            line = child.stdout.readline()
            assert line, said
            said += line
        return said
    finally:
        child.kill()
        child.wait(10)
        child.stdout.close()


def test_its_words_are_kept_and_its_work_goes_on(tmp_path: Path) -> None:
    path = board_json(tmp_path, debug=True)
    for _ in range(2):  # each start adds to what was there
        assert "debug: no prompt" in run("cpython", path, "link down: ")  # CPython has no prompt to give
    lines = (tmp_path / debug.NEW).read_text().splitlines()
    assert [line.partition(" ms ")[2] for line in lines if "begins" in line] == [
        "INFO begins: row-a, reset: unknown"
    ] * 2
    assert any("ms INFO link down: 127.0.0.1:" in line for line in lines)
    assert not (tmp_path / debug.OLD).exists()


def test_without_the_switch_nothing_is_kept(tmp_path: Path) -> None:
    run("cpython", board_json(tmp_path), "link down: ")
    assert [each.name for each in tmp_path.iterdir()] == ["board.json"]


def test_a_board_without_the_packages_says_so_and_works(tmp_path: Path) -> None:
    """The real interpreter has no `logging`, as a board has none that was made without the switch."""
    said = run("micropython", board_json(tmp_path, debug=True), "link down: ")
    assert said.startswith("debug: no module named 'logging': `callfloor board provision` brings it\n")


def test_an_error_is_kept_with_its_traceback_and_a_start_that_fails_with_its_words(tmp_path: Path) -> None:
    path = board_json(tmp_path, debug=True, panels=[{"kind": "none such", "size": [8, 8]}])
    done = subprocess.run(
        [sys.executable, "-m", "firmware.main", str(path)], env=environment(), cwd=tmp_path,
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    kept = (tmp_path / debug.NEW).read_text()
    assert done.returncode == 1
    assert "Traceback" in done.stdout + done.stderr
    assert "ms ERROR " in kept and "Traceback (most recent call last)" in kept and "none such" in kept
    path = board_json(tmp_path, debug=True, pins={"kind": "wrong"})
    done = subprocess.run(
        [sys.executable, "-m", "firmware.main", str(path)], env=environment(), cwd=tmp_path,
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stderr == "pins of kind 'wrong': it is machine, gpiozero or memory\n"
    assert "INFO pins of kind 'wrong': it is machine" in (tmp_path / debug.NEW).read_text()


FILLS = """
import os, sys
from firmware import debug
debug.begin({"board": "row-a", "why": "wdt"}, sys.argv[1])
for number in range(600):
    print("word", number, "x" * (number % 90))
    size = [os.stat(sys.argv[1] + "/" + name)[6] for name in (debug.NEW, debug.OLD) if name in os.listdir(sys.argv[1])]
    assert max(size) <= debug.MOST, size
print("æ" * 9000)
"""


def test_they_never_take_more_than_two_files_of_8_kb(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLS, str(tmp_path)], env=environment(), cwd=tmp_path,
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sizes = [(tmp_path / name).stat().st_size for name in FILES]
    assert all(0 < size <= debug.MOST == 8192 for size in sizes) and sum(sizes) > debug.MOST
    entries = b"".join((tmp_path / name).read_bytes() for name in FILES).splitlines(keepends=True)
    kept = [entry.decode("utf-8", "replace") for entry in entries]
    numbers = [int(line.split()[4]) for line in kept if " INFO word " in line]
    assert numbers == list(range(numbers[0], 600))  # the latest, and none is missing between them
    assert kept[-1].count("æ") > 900 and len(entries[-1]) <= debug.WORDS_MOST


def test_a_full_flash_stops_no_board(tmp_path: Path) -> None:
    os.symlink("/dev/full", tmp_path / debug.NEW)
    said = run("cpython", board_json(tmp_path, debug=True), "link down: ")
    assert "Traceback" not in said


# And read off it ---------------------------------------------------------------------


def log(*words: str) -> str:
    """What `callfloor board log` prints. Raises BenchError."""
    told = CliRunner().invoke(callfloor_board.app, ["log", *words])
    if told.exception:
        raise told.exception
    return told.stdout


def test_a_board_that_begins_again_and_again_tells_why(tmp_path: Path) -> None:
    assert FILES == (debug.OLD, debug.NEW)
    with Plugged(tmp_path / "flash") as board:
        with pytest.raises(BenchError, match=r"kept no words.*debug = true"):
            log(board.port)
        (board.flash / debug.OLD).write_text("1 ms INFO begins: row-a, reset: wdt\n")
        (board.flash / debug.NEW).write_bytes(b"900 ms ERROR \x1b[2JMemoryError \xff\n5 ms INFO link down\n")
        first, second, third = log(board.port).splitlines()
        assert first == "1 ms INFO begins: row-a, reset: wdt" and third == "5 ms INFO link down"
        assert "MemoryError" in second and "\x1b" not in second
        assert json.loads(log(board.port, "--json")) == {"port": board.port, "lines": [first, second, third]}


# As much of logging as firmware/debug.py uses, and a prompt that only waits: the packages themselves are nowhere here.
LOGGING = """
INFO, ERROR = 20, 40
class Record: pass
class Handler:
    def __init__(self): self.form = None
    def setFormatter(self, form): self.form = form
    def format(self, record): return self.form % {"levelname": record.levelname, "message": record.message}
def Formatter(form): return form
class Logger:
    def __init__(self): self.handlers = []
    def setLevel(self, level): pass
    def addHandler(self, handler): self.handlers.append(handler)
    def log(self, level, text, *args):
        record = Record()
        record.levelname, record.message = level, text % args
        for handler in self.handlers: handler.emit(record)
    def info(self, text, *args): self.log("INFO", text, *args)
    def exception(self, text, *args, exc_info=None): self.log("ERROR", text, *args)
logger = Logger()
def getLogger(name): return logger
"""
AIOREPL = """
import asyncio, micropython, sys
async def execute(code, names, stream): micropython.kbd_intr(-1)
async def task(names):
    micropython.kbd_intr(-1)
    await execute("", names, None)
    print("at the prompt", sorted(names))
    await asyncio.sleep(1000)
"""


def test_the_bench_gets_in_and_what_it_does_there_is_nobodys_last_words(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as board:
        files = bundle.firmware(bundle.MPY) | {"lib/logging.py": LOGGING.encode(), "lib/aiorepl.py": AIOREPL.encode()}
        for path, content in (files | {"board.json": board_json(tmp_path, debug=True).read_bytes()}).items():
            (board.flash / path).parent.mkdir(parents=True, exist_ok=True)
            (board.flash / path).write_bytes(content)
        with Board(board.port) as bench:
            bench.restart()
            heard: list[str] = []
            for line in bench.lines(20):
                heard.append(line)
                if any("link down" in each for each in heard) and any("at the prompt" in each for each in heard):
                    break
        assert "at the prompt ['asyncio', 'station']" in "\n".join(heard)
        with Board(board.port) as bench:  # Ctrl-C ends it, although the prompt has taken that for itself
            assert bench.about().mpy == bundle.MPY and bench.ran
            kept = bench.read(debug.NEW)
            assert bench.read(debug.NEW) == kept and kept
        assert b"INFO begins: row-a" in kept and b"INFO link down: " in kept and b"at the prompt" in kept
