"""A technician's laptop runs Windows or macOS too: the commands for boards without what only POSIX has.

One process plays such a computer: termios, fcntl, pty, tty, grp, pwd, resource and gpiozero cannot be imported by our
code (pyserial and asyncio, as they are on Linux, need some and get them), and os lacks what Windows' os lacks.
A stand-in for Windows' msvcrt locks real files.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import floorplan
import this_computer
from gateway.broker import accounts
from simulator.plugged import Plugged
from tests.brokers import HOST
from tests.command_table import commands
from tests.pythons import ROOT

ONLY_POSIX = {"termios", "fcntl", "pty", "tty", "grp", "pwd", "resource", "gpiozero", "lgpio", "posix", "readline"}

ELSEWHERE = f"""
import builtins, os, signal, socket, sys, types
ONLY_POSIX = {sorted(ONLY_POSIX)!r}
HERE = {str(ROOT)!r}
import asyncio, subprocess, tempfile, shutil, multiprocessing, getpass, uuid  # Python's own, as they are here
import serial, serial.tools.list_ports, psutil, rich.console, typer
import fcntl as _real
stood_in = types.ModuleType("msvcrt")
stood_in.LK_NBLCK, stood_in.LK_UNLCK = 2, 0
def locking(file, mode, count):
    try:
        _real.lockf(file, _real.LOCK_EX | _real.LOCK_NB, count, 0, os.SEEK_CUR)
    except BlockingIOError as error:
        raise PermissionError(13, "Permission denied") from error
stood_in.locking = locking
sys.modules["msvcrt"] = stood_in
def ours(where):
    return where.startswith(HERE) and "site-packages" not in where  # a .venv may stand in the tree
really = builtins.__import__
def imports(name, globals=None, locals=None, fromlist=(), level=0):
    where = (globals or {{}}).get("__file__") or ""
    if not level and name.partition(".")[0] in ONLY_POSIX and (ours(where) or not where):
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return really(name, globals, locals, fromlist, level)
builtins.__import__ = imports
import importlib
real_import_module = importlib.import_module
def import_module(name, package=None):
    if name.partition(".")[0] in ONLY_POSIX:
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return real_import_module(name, package)
importlib.import_module = import_module
for name in ("geteuid", "getuid", "getegid", "getgid", "getgroups", "fork", "forkpty", "chown", "lchown", "fchown",
             "fchmod", "O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "O_NONBLOCK", "mkfifo",
             "uname", "ttyname", "setsid", "getpgid", "setpgid", "killpg", "openpty", "ST_RDONLY"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGALRM", "SIGKILL", "SIGUSR1", "setitimer", "alarm"):
    if hasattr(signal, name):
        delattr(signal, name)
if hasattr(socket, "AF_UNIX"):
    del socket.AF_UNIX
sys.path.insert(0, HERE)
"""


def elsewhere(program: str, *words: str, env: dict[str, str] | None = None, within_s: float = 100,
              ) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """A program in a process that is not on POSIX, with a console that knows 256 letters."""
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE + program, *words], cwd=ROOT, capture_output=True, timeout=within_s,
        check=False, text=True, encoding="cp1252", errors="replace",
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "USERNAME": "technician"} | (env or {}),
    )  # fmt: skip


def test_the_stand_in_is_without_what_it_should_be() -> None:
    """Or nothing of the rest means anything."""
    done = elsewhere("""
import this_computer
print(this_computer.POSIX, this_computer.FOLDER, this_computer.is_root(), this_computer.user_id())
for name in ("fcntl", "pwd", "termios"):
    try:
        exec(compile(f"import {name}", HERE + "/x.py", "exec"), {"__file__": HERE + "/x.py"})
        print("is there:", name)
    except ImportError:
        pass
""")
    assert (done.stdout, done.stderr) == ("False 0 False 0\n", "")


def test_every_board_command_has_its_help_there() -> None:
    names = [" ".join(command.words) for command in commands() if command.words[0] == "board"]
    assert len(names) > 15
    program = """
import contextlib, io, callfloor
for name in sys.argv[1:]:
    out = io.StringIO()
    sys.argv = ["callfloor", *name.split(), "--help"]
    try:
        with contextlib.redirect_stdout(out):
            callfloor.main()
    except SystemExit as end:
        print(name, end.code, "Usage" in out.getvalue())
"""
    done = elsewhere(program, *names)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [f"{name} 0 True" for name in names]


ENDING = [
    ["board", "list", "--no-probe", "--json"], ["board", "usb", "--json"], ["udev"], ["doctor"], ["doctor", "--json"],
    ["up", "--check"], ["board", "json", "row-a", "--site", "SITE", "--out", "OUT", "--pins", "memory"],
    ["board", "flash", "row-a", "--site", "SITE", "--port", "socket://127.0.0.1:9"],
    ["board", "watch", "row-a", "--site", "SITE"], ["board", "revoke", "row-a", "--site", "SITE"],
]  # fmt: skip


def test_commands_end_there_as_they_do_here(tmp_path: Path) -> None:
    site = tmp_path / "site.json"
    site.write_text(json.dumps({
        "site": {"id": "x", "name": "\u0142\u3042"}, "broker": {"host": HOST, "port": 9}, "desk": [{"id": "a1"}],
        "board": [{"id": "row-a", "definition": "simulated",
                   "inputs": [{"desk": "a1", "phone": {"by": "contact", "pin": "GP2"}}]}],
    }))  # fmt: skip
    named = {"SITE": str(site), "OUT": str(tmp_path / "board.json")}
    program = """
import json, callfloor
for words in json.loads(sys.argv[1]):
    sys.argv = ["callfloor", *words]
    try:
        callfloor.main()
    except SystemExit as end:
        print(f"{' '.join(words)}: ended {end.code}", file=sys.stderr)
"""
    lines = [[named.get(word, word) for word in words] for words in ENDING]
    done = elsewhere(program, json.dumps(lines), env={"HOME": str(tmp_path)})
    assert "Traceback" not in done.stderr and "of ours broke" not in done.stderr, done.stderr
    for words in lines:
        assert {f"{' '.join(words)}: ended {status}" for status in (0, 1)} & {*done.stderr.splitlines()}, done.stderr
    assert json.loads((tmp_path / "board.json").read_text())["board"] == "row-a"


def test_locks_hold_there_and_nobody_is_kept_from_reading(tmp_path: Path) -> None:
    program = """
import this_computer, subprocess, time
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
print(this_computer.lock(file), flush=True)
sys.stdin.readline()
"""
    path = tmp_path / "file"
    path.write_text("what is in it")
    with subprocess.Popen([sys.executable, "-c", ELSEWHERE + program, str(path)], cwd=ROOT, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as first:  # fmt: skip
        assert first.stdin and first.stdout
        assert first.stdout.readline() == "True\n"
        assert elsewhere(program, str(path)).stdout == "False\n"
        assert path.read_text() == "what is in it"
        first.stdin.close()
    assert elsewhere(program, str(path)).stdout == "True\n"


def test_a_lock_here_is_one_too(tmp_path: Path) -> None:
    opened = [os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT) for _ in range(2)]
    assert this_computer.lock(opened[0])
    assert not this_computer.lock(opened[1])
    os.close(opened[0])
    assert this_computer.lock(opened[1])
    os.close(opened[1])
    folders = [this_computer.opened_to_lock(tmp_path) for _ in range(2)]
    assert [this_computer.lock(folder) for folder in folders] == [True, False]
    for folder in folders:
        os.close(folder)


# The flash path -------------------------------------------------------------------


def test_a_board_is_flashed_from_there(tmp_path: Path) -> None:
    """Onto a pretend board at socket://, from files that `board json` wrote; and again, when nothing is sent."""
    site = tmp_path / "site.json"
    site.write_text(json.dumps({
        "site": {"id": "x"}, "broker": {"host": HOST, "port": 9}, "desk": [{"id": "a1"}],
        "board": [{"id": "row-a", "definition": "simulated",
                   "inputs": [{"desk": "a1", "phone": {"by": "contact", "pin": "GP2"}}]}],
    }))  # fmt: skip
    program = "import callfloor; sys.argv[0] = 'callfloor'; callfloor.main()"
    with Plugged(tmp_path / "flash", tcp=True) as board:
        port = board.port
        words = ["board", "flash", "row-a", "--site", str(site), "--port", port, "--no-wait", "--yes", "--json"]
        home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
        done = elsewhere(program, *words, env=home)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["sent"] > 10
        again = elsewhere(program, *words, env=home)
        assert again.returncode == 0, again.stdout + again.stderr
        assert json.loads(again.stdout)["sent"] == 0
        listed = elsewhere(program, "board", "list", "--port", port, "--json", env=home)
        (row,) = [row for row in json.loads(listed.stdout) if row["port"] == port]
        assert (row["site"], row["board"]) == ("x", "row-a")


# What is written -------------------------------------------------------------------


def modules_of_boards() -> Iterator[Path]:
    """Our modules that a `board` command, or the way to one, may load, wherever in them the import stands."""
    seen: set[Path] = set()
    todo = [ROOT / "callfloor.py", ROOT / "callfloor_board.py"]
    ways = {"callfloor.py"}  # of the front door only what it loads itself: `up` and `sim` are no commands for boards
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        yield path
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body if path.name in ways else ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            for name in names:
                part = ROOT.joinpath(*name.split("."))
                todo += [file for file in (part.with_suffix(".py"), part / "__init__.py") if file.exists()]


def test_no_module_of_the_board_commands_imports_what_only_posix_has_at_its_top() -> None:
    paths = list(modules_of_boards())
    assert {"accounts.py", "boards.py", "port.py", "flash.py", "people.py"} <= {path.name for path in paths}
    for path in paths:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [])  # fmt: skip
            for name in names:
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                assert name.partition(".")[0] not in ONLY_POSIX, f"{where} imports {name}"


def test_the_dependencies_are_to_be_had_there() -> None:
    """What only Linux has is marked so in pyproject.toml."""
    import tomllib

    rows = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    for row in rows:
        if row.split(">")[0].strip() in ("gpiozero", "lgpio", "adafruit-lgpio"):
            assert "sys_platform == 'linux'" in row
        if row.startswith("uvloop"):
            assert "sys_platform != 'win32'" in row


def test_a_running_broker_is_found_without_linux_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS: there a new password has to reach it, too."""
    conf, pid = tmp_path / accounts.CONF, tmp_path / accounts.PID
    pid.parent.mkdir()
    conf.touch()
    plan = floorplan.check({"site": {"id": "x"}, "broker": {"host": HOST, "folder": str(tmp_path)}}, "site", tmp_path)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} is read"))
    sleeps = [sys.executable, "-c", "input()"]
    for name, found in ((conf, True), (tmp_path / "other.conf", False)):
        with subprocess.Popen(["mosquitto", *sleeps[1:], "-c", str(name)], executable=sleeps[0],
                              stdin=subprocess.PIPE) as process:  # fmt: skip
            pid.write_text(str(process.pid))
            assert accounts.running(plan) == (process.pid if found else None)
            process.communicate(b"\n")
    assert accounts.running(plan) is None
