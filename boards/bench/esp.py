"""MicroPython onto an ESP32: its image is looked through, and esptool, a program of its own, writes and verifies it.

What is outside the image's own bytes stays: the board's files, password and kept scene live behind it, so that a new
image alone costs none of them. A chip that ran something else before is erased first: MicroPython does not touch
what it finds there and cannot read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import re
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from boards.bench import BenchError, Progress, silent
from boards.definition import Definition

# The image: Espressif, esp-idf's "App Image Format" and "Partition Tables".
MAGIC = 0xE9
HEADER, SEGMENT, ENTRY, HASH = 24, 8, 32, 32
CHIPS = {"esp32": (0, "ESP32"), "esp32s3": (9, "ESP32-S3")}
CHIP_NAMES = {0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6", 16: "ESP32-H2"}
TABLE_AT = 0x8000  # of the flash memory: what lies where
TABLE_MARK = b"\xaa\x50"
APP = 0

MOST_BYTES = 32 * 2**20
BAUD = 460800  # once its helper runs on the chip; a port that is no cable takes what it takes
QUIET_S = 180.0  # esptool says nothing while a whole chip is erased, two minutes at the longest
KEPT_LINES = 200

# What esptool says when it fails, and what that means. First come, first served.
PULLED = "the cable at {port} was pulled or is loose after {done:,} of {whole:,} bytes: plug it in, {steps}; {again}"
NOISY = "the line to {port} is disturbed after {done:,} of {whole:,} bytes: another cable or USB port; {again}"
DEAF = "nothing at {port} takes an image: {steps}; {again}"
UNLIKE = (
    "what {port} reads back is not what was written: take another cable or USB port and do it again; "
    "if it stays so, the chip's flash memory is worn out"
)
TROUBLE = (
    (r"This chip is ([\w-]+), not ([\w-]+)", "the chip at {port} is an {0}, and this is no {page}, which has an {1}"),
    (r"Permission denied|Access is denied", "you may not use {port}, or another program has it; {rights}"),
    (r"exclusively lock|Errno (?:11|16)\b|busy \(", "another program has {port}: close it; {again}"),
    (r"Could not open", "{port} is not there: is the cable in? `callfloor board list` shows what is"),
    (r"MD5 of file does not match|flash region is empty", UNLIKE),
    (r"error occurred: .*(?:[Ss]ecure|[Ee]ncrypt)", "the chip at {port} is locked to its maker's images"),
    (r"(?:will not|doesn't|does not) fit", "the flash memory of the chip at {port} is too small for the image"),
    (r"Lost connection|disconnected|ClearCommError|Input/output error|Errno (?:5|6|19)\b|write timeout", PULLED),
    (r"returned no data|[Ss]erialException|device not configured|No more data", PULLED),
    (r"Wrong boot mode|No serial data received|Failed to connect", DEAF),
    (r"no sync reply|Failed to start stub", DEAF),
    (r"serial noise|Invalid head of packet|content transfer stopped|Corrupt|checksum", NOISY),
    (r"Response doesn't match|Timed out|Failed to write|result was", NOISY),
)


def check(path: Path, chip: str, offset: int) -> int:
    """Looks through a whole image: for this chip, and all of it there. Returns its bytes.

    chip: esp32 or esp32s3; offset: where in the flash memory it begins. Raises BenchError.
    """
    try:
        size = path.stat().st_size
        image = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise BenchError(f"the image {path}: {error.strerror or error}") from error
    if size > MOST_BYTES:
        raise BenchError(f"{path} is too big for an image: {size:,} bytes")
    name = path.name
    number, chip_name = CHIPS[chip]
    if image[:1] != bytes([MAGIC]) or len(image) < HEADER:
        begins = repr(image[:12])
        raise BenchError(f"{name} is no image of MicroPython for an ESP32, it begins with {begins}: download it again")
    (made_for,) = struct.unpack_from("<H", image, 12)
    if made_for != number:
        other = CHIP_NAMES.get(made_for, f"unknown chip ({made_for})")
        raise BenchError(f"{name} is for an {other}, and this board has an {chip_name}")
    try:
        for at in _apps(image, offset):
            _whole(image, at)
    except (IndexError, struct.error, ValueError) as error:
        raise BenchError(f"{name} is not whole: {error}; download it again") from error
    return size


def _apps(image: bytes, offset: int) -> Iterator[int]:
    """Where in the file its programs begin: the bootloader, and what the partition table names and the file holds."""
    yield 0
    at = TABLE_AT - offset
    if image[at : at + 2] != TABLE_MARK:
        raise ValueError("it has no partition table (a file that ends in .app-bin has none; take the one in .bin)")
    begins = []
    while image[at : at + 2] == TABLE_MARK:
        kind, _, begin = struct.unpack_from("<BBI", image, at + 2)
        if kind == APP:
            begins.append(begin - offset)
        at += ENTRY
    if not begins or begins[0] >= len(image):
        raise ValueError("it ends before MicroPython begins")
    yield begins[0]


def _whole(image: bytes, at: int) -> None:
    """A program with all its parts, and the sum at its end. Raises ValueError, struct.error."""
    magic, parts = struct.unpack_from("<BB", image, at)
    if magic != MAGIC:
        raise ValueError(f"no program begins at {at:#x}")
    hashed = image[at + HEADER - 1]
    end = at + HEADER
    for _ in range(parts):
        (length,) = struct.unpack_from("<I", image, end + 4)
        end += SEGMENT + length
    end += 16 - (end - at) % 16  # filled up to 16 bytes; the last of them is a checksum
    if end + (HASH if hashed else 0) > len(image):
        raise ValueError(f"it has {len(image):,} bytes and needs {end + (HASH if hashed else 0):,}")
    if hashed and hashlib.sha256(image[at:end]).digest() != image[end : end + HASH]:
        raise ValueError("the sum in it is not the sum of its bytes")


def esptool(
    page: Definition, port: str, image: Path, progress: Progress = silent, erase: bool = False, baud: int = BAUD
) -> None:
    """Writes an image to an ESP32 and reads back its sum. Raises BenchError in words for a technician.

    port: a path, COM3, or a URL of pyserial. erase: the whole chip first, the board's files too.
    """
    if page.flash is None or page.flash.by != "esptool" or page.flash.offset is None:
        raise BenchError(f"{page.name}: its page does not say that esptool writes it")
    whole = check(image, page.chip, page.flash.offset)
    words = ["--chip", page.chip, "--port", port, "--before", "default-reset", "--after", "hard-reset"]
    words += ["--baud", str(115200 if "://" in port else baud), "write-flash"]
    words += ["--erase-all"] if erase else []
    words += [hex(page.flash.offset), str(image)]
    progress("reaching the chip", 0, whole)
    said: list[str] = []
    done = 0
    for line in _run(words, said):
        percent = re.search(r"\bWriting at .*?(\d+(?:\.\d+)?) ?%", line)
        if percent:
            done = min(whole, int(whole * float(percent[1]) / 100))
            progress("writing the image", done, whole)
        elif "Erasing flash memory" in line:
            progress("erasing the chip", 0, whole)
        elif "Verifying" in line:
            progress("reading it back", whole, whole)
    if said and said[-1] == "":
        return
    raise _trouble("\n".join(said), page, port, done, whole)


def _run(words: list[str], said: list[str]) -> Iterator[str]:
    """esptool's lines as they come, the latest kept in `said`; an empty one at its end: it went well."""
    plain = {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "400"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-P", "-m", "esptool", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | plain,
    )  # fmt: skip
    assert process.stdout is not None
    read: queue.Queue[bytes] = queue.Queue()
    reader = threading.Thread(target=_pump, args=(process.stdout, read), daemon=True)
    reader.start()
    try:
        rest = b""
        while chunk := read.get(timeout=QUIET_S):
            *lines, rest = re.split(rb"[\r\n]+", rest + chunk)
            for line in lines:
                text = line.decode("utf-8", "replace").strip()
                if text:
                    said[:] = [*said[1 - KEPT_LINES :], text]
                    yield text
        said += [text] if (text := rest.decode("utf-8", "replace").strip()) else []
        if process.wait(timeout=QUIET_S) == 0:
            said.append("")
    except (queue.Empty, subprocess.TimeoutExpired):
        said.append(f"no sign of life for {QUIET_S:g} s: Timed out")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def _pump(pipe: IO[bytes], into: queue.Queue[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while chunk := os.read(pipe.fileno(), 4096):
            into.put(chunk)
    into.put(b"")


def _trouble(said: str, page: Definition, port: str, done: int, whole: int) -> BenchError:
    assert page.flash is not None
    rights = (
        "on Linux: sudo usermod -aG dialout $USER, then log in again"
        if sys.platform.startswith("linux")
        else "close what may have it: a terminal, an editor for boards"
    )
    again = "then the same command again"
    for pattern, words in TROUBLE:
        if found := re.search(pattern, said):
            told = words.format(
                *found.groups(),
                port=port, page=page.name, steps=page.flash.steps, rights=rights, done=done, whole=whole, again=again,
            )  # fmt: skip
            return BenchError(told)
    if "No module named esptool" in said:
        return BenchError("esptool is not installed beside Callfloor: pipx inject callfloor esptool")
    last = re.findall(r"(?:fatal error occurred: )?(.+)", said)[-1:] or ["it ended without a word"]
    return BenchError(f"esptool could not write {port}: {last[0]}")
