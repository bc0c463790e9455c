"""A foreign board, Debian's MicroPython of 2017 for the micro:bit, emulated: refused politely, and it works on."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator

import pytest
import serial

from boards.bench.port import Board, TooOld

IMAGE = "/usr/share/firmware-microbit-micropython/firmware.hex"


@pytest.fixture
def microbit() -> Iterator[str]:
    """The port of a micro:bit."""
    command = ["qemu-system-arm", "-M", "microbit", "-device", f"loader,file={IMAGE}",
               "-display", "none", "-serial", "pty", "-monitor", "none"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            found = re.search(r"(/dev/pts/\d+)", said)
            assert found, said
            yield found[1]
        finally:
            process.kill()


def typed(port: str, line: bytes, until: bytes) -> bytes:
    """What it answers to a line from somebody's keyboard, which QEMU passes on a letter at a time."""
    with serial.Serial(port, timeout=0.1) as keyboard:
        keyboard.write(line)
        heard, end = b"", time.monotonic() + 20
        while until not in heard:
            assert time.monotonic() < end, heard
            heard += keyboard.read(100)
    return heard


def test_a_microbit_is_refused_and_works_on(microbit: str) -> None:
    typed(microbit, b"\r", b">>> ")
    typed(microbit, b"kept = 6 * 7\r", b">>> ")
    started = time.monotonic()
    with pytest.raises(TooOld, match=r"MicroPython 1\.9\.2 for micro:bit .* too old or too small .*nothing was chang"):
        Board(microbit)
    assert time.monotonic() - started < 15
    assert b"42" in typed(microbit, b"kept\r", b"42")
    typed(microbit, b"\x01", b"raw REPL; CTRL-B to exit\r\n>")
    with pytest.raises(TooOld):
        Board(microbit)
    typed(microbit, b"\r", b">>> ")  # at its friendly prompt
