"""Commands of `callfloor` that start at once: a process each, forked off one that has loaded what they import.

    done = finished("up", "site.json", "--check")         # like subprocess.run: returncode, stdout, stderr
    gateway = start("up", "site.json", out=log)           # like subprocess.Popen: pid, poll, wait, kill

Each has arguments, folder, environment, standard streams and an exit status of its own, and is ended by
signals as any other. What it does not have is a command line in /proc, and no pytest for a parent: where that
is the question, or that Python itself starts, a test starts it in full.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from tests.pythons import ROOT

MOST_BYTES = 1_000_000  # of one request
_server: tuple[int, subprocess.Popen[bytes], socket.socket] | None = None  # and whose it is


class Forked:
    """A command that runs."""

    def __init__(self, args: Sequence[str], told: int) -> None:
        self.args = ["callfloor", *args]
        self.returncode: int | None = None
        self._told = os.fdopen(told, "rb", buffering=0)  # lines: its process id, its exit status
        self.pid = int(self._line())

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            piece = self._told.read(1)
            assert piece, "what forks our commands has died"
            line += piece
        return line

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._line())
            self._told.close()
        return self.returncode

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    *args: str, out: IO[Any] | int, err: IO[Any] | int | None = None, stdin: IO[Any] | None = None,
    env: Mapping[str, str] | None = None, new_session: bool = False,
) -> Forked:  # fmt: skip
    """`python -m callfloor ARGS` in the tree's folder; its errors go where its output goes, if nowhere else."""
    request = {"args": args, "env": dict(os.environ if env is None else env), "new_session": new_session}
    told, tell = os.pipe()
    out_fd = out if isinstance(out, int) else out.fileno()
    err_fd = out_fd if err is None else err if isinstance(err, int) else err.fileno()
    with open(os.devnull, "rb") as nothing:
        in_fd = (stdin or nothing).fileno()
        socket.send_fds(_at_hand(), [json.dumps(request).encode()], [in_fd, out_fd, err_fd, tell])
    os.close(tell)
    return Forked(args, told)


def finished(
    *args: str, env: Mapping[str, str] | None = None, typed: bytes = b"", within_s: float = 30
) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, and all that it said. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        stdin.write(typed)
        stdin.seek(0)
        process = start(*args, out=out, err=err, stdin=stdin, env=env)
        try:
            status = process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(process.args, status, *said)


@contextlib.contextmanager
def piped(*args: str) -> Iterator[tuple[Forked, IO[str], IO[str]]]:
    """A command and what it says and complains of, as it does; it is gone afterwards."""
    with contextlib.ExitStack() as files:
        ends = [os.pipe() for _ in range(2)]
        out, err = (files.enter_context(open(ours, encoding="utf-8")) for ours, _ in ends)
        process = start(*args, out=ends[0][1], err=ends[1][1])
        for _, its in ends:
            os.close(its)
        try:
            yield process, out, err
        finally:
            process.kill()
            process.wait(10)


def _at_hand() -> socket.socket:
    """The way to what forks, which is started with the first command and ends with us."""
    global _server
    if not _server or _server[0] != os.getpid():
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.forks", str(theirs.fileno())]
            process = subprocess.Popen(
                command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
            )
        _server = os.getpid(), process, ours
        atexit.register(_end)
    return _server[2]


def _end() -> None:
    if _server and _server[0] == os.getpid():
        _server[2].close()
        _server[1].wait(10)


# What forks -------------------------------------------------------------------


def _serve(asked: socket.socket) -> None:
    """Forks whatever is asked for, and tells how each has ended, until nobody can ask any more."""
    running: dict[int, int] = {}  # process id → where its end is told
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([asked.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, 1000)
            _bury(running)
        if asked.fileno() not in ready:
            continue
        request, fds, _, _ = socket.recv_fds(asked, MOST_BYTES, 4)
        if not request:
            return
        child = os.fork()
        if child == 0:
            _become(json.loads(request), fds[:3])
        os.write(fds[3], f"{child}\n".encode())
        running[child] = fds[3]
        for fd in fds[:3]:
            os.close(fd)


def _bury(running: dict[int, int]) -> None:
    while running:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        os.write(running[child], f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os.close(running.pop(child))


def _become(request: dict[str, Any], fds: list[int]) -> None:
    """The command, in place of us; does not return."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
        os.closerange(3, 256)
        if request["new_session"]:
            os.setsid()
        os.environ.clear()
        os.environ.update(request["env"])
        time.tzset()
        at_once = bool(os.environ.get("PYTHONUNBUFFERED"))
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, "rb", closefd=False)), encoding="utf-8")
        sys.stdout = _stream(1, "strict", at_once)
        sys.stderr = _stream(2, "backslashreplace", True)
        sys.argv = ["callfloor", *request["args"]]
        status = _run()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _stream(fd: int, errors: str, at_once: bool) -> io.TextIOWrapper:
    """Where print() writes; `at_once`: each piece by itself."""
    binary = io.BufferedWriter(io.FileIO(fd, "wb", closefd=False))
    return io.TextIOWrapper(binary, encoding="utf-8", errors=errors, line_buffering=at_once)


def _run() -> int:
    """As `python -m callfloor` does it, to the exit status."""
    status = 0
    try:
        runpy.run_module("callfloor", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or 120
    return status


def _load() -> None:
    """What the commands import, each only when it is called."""
    from typer import rich_utils  # noqa: F401

    import callfloor  # noqa: F401
    import callfloor_up  # noqa: F401
    from boards import command, definition, record  # noqa: F401
    from boards.bench import bundle
    from gateway import erlang, export, first_run, messages, reload_command, replay, service, store  # noqa: F401
    from gateway.broker import accounts, authority, boards, check, setup, trial  # noqa: F401
    from gateway.people import commands, people  # noqa: F401
    from simulator import board, day, floor, pbx  # noqa: F401
    from wallboard import compile, preview  # noqa: F401

    bundle.brought()  # a gateway asks which firmware is its own: compiled once, for all of them
    gc.freeze()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
