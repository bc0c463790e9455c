"""A board that is not there: the real firmware in a real MicroPython, its pins on a control port."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import firmware
import floorplan
from floorplan import Plan
from simulator.scratch import scratch
from this_computer import micropython

HEAP = "192k"  # objects of 64 bits take twice a chip's room: this stands for the 200 KB of a Pico W
CODE = Path(firmware.__file__ or "").resolve().parent.parent


def write_board_json(plan: Plan, board: str, control: str | None, folder: Path) -> Path:
    """What the board is told, as a file only we can read: it holds the board's password."""
    pins: dict[str, Any] = {"kind": "memory"}
    if control:
        pins["control"] = control
    path = folder / f"{board}.json"
    path.touch(mode=0o600)
    told = floorplan.board_json(plan, board, pins)
    for key in ("wifi", "w5500", "lan8720", "debug"):  # this computer is on the network already, and has no prompt
        told.pop(key, None)
    path.write_text(json.dumps(told))
    return path


def command(board_json: Path, heap: str = HEAP) -> list[str]:
    """How to start it: on MicroPython, else the same firmware on the Python that runs us."""
    interpreter = micropython()
    if interpreter:
        return [interpreter, "-X", f"heapsize={heap}", "-m", "firmware.main", str(board_json)]
    return [sys.executable, "-m", "firmware.main", str(board_json)]


def environment() -> dict[str, str]:
    """So that either Python finds the firmware that was installed."""
    return os.environ | {"MICROPYPATH": f"{CODE}:.frozen", "PYTHONPATH": str(CODE), "PYTHONUNBUFFERED": "1"}


_given: set[int] = set()  # ports this process has handed out, nobody listening there yet


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on at this moment, and that was not handed out before.

    Below the range that the system hands out for outgoing connections: in that range, a client
    that knocks before its server listens may connect to itself and keep the server out.
    """
    while True:
        port = random.randrange(20000, 30000)
        if port in _given:
            continue
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind((host, port))
            _given.add(port)
            return port


def run(plan: Plan, board: str, control: str | None, heap: str) -> int:
    """Runs one board until it ends or we are told to; its board.json goes away with it."""
    with scratch("callfloor-board-") as folder:
        told = write_board_json(plan, board, control, folder)
        child = subprocess.Popen(command(told, heap), env=environment(), stdin=subprocess.DEVNULL)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        pins = f"pins at {control}" if control and json.loads(told.read_text())["inputs"] else "no pins to set"
        print(f"board {board}: process {child.pid}, {pins}", flush=True)
        try:
            return abs(child.wait())
        except KeyboardInterrupt:
            child.terminate()  # Ctrl-C at a terminal reached it too; a signal to us alone did not
            child.wait()
            return 0
