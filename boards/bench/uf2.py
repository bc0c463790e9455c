"""MicroPython onto an RP2040 or RP2350: its boot drive is found, the UF2 file checked, copied, and the drive watched.

The drive is no disk: what arrives is written to the flash memory block by block, and when the last one is there the
chip starts anew and the drive is gone. A drive that goes then has done its work; one that goes before was pulled.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

import this_computer
from boards.bench import BenchError, Progress, silent

# The format: microsoft/uf2, README.md. The marks stand at the beginning and the end of every block.
BLOCK = 512
FIRST, SECOND, LAST = 0x0A324655, 0x9E5D5157, 0x0AB16F30
NOT_FLASH, FAMILY = 0x0001, 0x2000  # flags: not for the flash memory; the chip is named
PAYLOAD = 256  # all that the boot code of these chips takes in a block: RP2040 datasheet, 2.8.4.2

# uf2families.json. The third is a block that goes before an RP2350's image because of its fault E10, and is not
# written: picotool, elf2uf2.cpp.
FAMILIES = {"rp2040": 0xE48BFF56, "rp2350": 0xE48BFF59}
IGNORED = 0xE48BFF57
NAMED = {
    0xE48BFF56: "an RP2040",
    0xE48BFF57: "an RP2350",
    0xE48BFF59: "an RP2350",
    0xE48BFF5A: "an RP2350's other cores (RISC-V)",
    0xE48BFF5B: "an RP2350's unguarded side",
    0x1C5F21B0: "an ESP32",
    0xC47E5767: "an ESP32-S3",
    0xBFDD4EEE: "an ESP32-S2",
    0xADA52840: "an nRF52840",
    0x68ED2B88: "a SAMD21",
    0x55114460: "a SAMD51",
}

INFO = "INFO_UF2.TXT"  # on every such drive: Board-ID says what it is
IDS = {"RPI-RP2": "rp2040", "RP2350": "rp2350"}  # the drive's label says the same
NAMES = {"rp2040": "RP2040", "rp2350": "RP2350"}
LABELS = Path("/dev/disk/by-label")

MOST_BYTES = 32 * 2**20
CHUNK = 64 * 1024  # is on the drive before the next one goes: so at the end at most one block is in doubt
GONE_S = 6.0  # the drive is gone so long after the last block; a Pico needs less than one
LOOK_S = 0.05


class Drive(NamedTuple):
    """A board's boot drive."""

    path: Path  # where it is mounted
    board: str  # the Board-ID of its INFO_UF2.TXT: RPI-RP2, RP2350

    @property
    def chip(self) -> str | None:
        """rp2040 or rp2350; None: of another maker."""
        return IDS.get(self.board)


def drives() -> list[Drive]:
    """The boot drives that are mounted on this computer, whoever made them."""
    found = []
    for part in psutil.disk_partitions(all=False):
        with contextlib.suppress(BenchError):
            found.append(drive_at(Path(part.mountpoint)))
    return sorted(found)


def drive_at(path: Path) -> Drive:
    """The boot drive at a path. Raises BenchError where there is none."""
    try:
        with (path / INFO).open("rb") as file:
            text = file.read(4096).decode("ascii", "replace")
    except FileNotFoundError:
        there = "has no INFO_UF2.TXT" if path.is_dir() else "is not there"
        raise BenchError(f"{path} is no board's boot drive: it {there}") from None
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}") from error
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() == "board-id":
            return Drive(path, value.strip())
    raise BenchError(f"{path / INFO} names no Board-ID: this is no board's boot drive")


def the_drive(chip: str, steps: str, path: Path | None = None, labels: Path = LABELS) -> Drive:
    """The one drive of a chip, rp2040 or rp2350, or the one at a path. Raises BenchError saying what to do."""
    if path is not None:
        drive = drive_at(path)
        if drive.chip != chip:
            raise BenchError(f"{path} is the boot drive of another board: it says {drive.board}, not {_label(chip)}")
        return drive
    there = [drive for drive in drives() if drive.chip == chip]
    if len(there) == 1:
        return there[0]
    if there:
        several = ", ".join(str(drive.path) for drive in there)
        raise BenchError(f"{len(there)} boards show their boot drive ({several}): say which, --drive {there[0].path}")
    if commands := unmounted([chip], labels):
        raise BenchError(
            "the board shows its boot drive, and nobody has mounted it: "
            f"{' or '.join(commands)}; then the same command again"
        )
    raise BenchError(f"no board shows its boot drive {_label(chip)}: {steps}, then the same command again")


def unmounted(chips: Sequence[str] = tuple(FAMILIES), labels: Path = LABELS) -> list[str]:
    """Commands that mount what boot drives Linux sees and nobody has mounted; [] where there are none."""
    mounted = {os.path.realpath(part.device) for part in psutil.disk_partitions(all=False)}
    commands = []
    for chip in chips:
        link = labels / _label(chip)
        device = os.path.realpath(link)
        if link.exists() and device not in mounted:
            ours = f"sudo mount -o uid={this_computer.user_id()} {device} /mnt, and --drive /mnt"
            commands += [f"udisksctl mount -b {device}", ours]
    return commands


def _label(chip: str) -> str:
    return next(label for label, of in IDS.items() if of == chip)


def check(path: Path, chip: str) -> int:
    """Looks through a whole UF2 file before any of it is sent. Returns its bytes.

    chip: rp2040 or rp2350. Raises BenchError: no UF2, cut off, not whole, or made for another chip.
    """
    _checked(_read(path), path.name, chip)
    return path.stat().st_size


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BenchError(f"{path} is too big for an image: {path.stat().st_size:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise BenchError(f"the image {path}: {error.strerror or error}") from error


def _checked(image: bytes, name: str, chip: str) -> None:
    again = "download it again"
    if struct.unpack_from("<II", image.ljust(8, b"\0")) != (FIRST, SECOND):
        raise BenchError(f"{name} is no UF2 image, it begins with {image[:12]!r}: {again}")
    if len(image) % BLOCK:
        raise BenchError(f"{name} is cut off: {len(image):,} bytes are no whole number of blocks of {BLOCK}; {again}")
    numbers: set[int] = set()
    whole = 0
    for at in range(0, len(image), BLOCK):
        first, second, flags, address, size, number, blocks, family = struct.unpack_from("<8I", image, at)
        (last,) = struct.unpack_from("<I", image, at + BLOCK - 4)
        place = f"{name}, block {at // BLOCK}"
        if (first, second, last) != (FIRST, SECOND, LAST):
            raise BenchError(f"{place}: it is damaged, its marks are not UF2's; {again}")
        if flags & NOT_FLASH:
            continue
        if not flags & FAMILY:
            raise BenchError(f"{place}: it does not say for which chip it is; take MicroPython's own image")
        if family == IGNORED and chip == "rp2350" and at == 0:
            continue
        if family != FAMILIES[chip]:
            made_for = NAMED.get(family, f"another chip (family {family:#010x})")
            raise BenchError(f"{name} is for {made_for}, and this board has an {NAMES[chip]}")
        if size != PAYLOAD or address % PAYLOAD:
            raise BenchError(f"{place}: {size} bytes for {address:#x}; an {NAMES[chip]} takes {PAYLOAD} at a time")
        whole = whole or blocks
        if blocks != whole or number >= whole or number in numbers:
            raise BenchError(f"{place}: it is number {number} of {blocks}, which cannot be; {again}")
        numbers.add(number)
    if len(numbers) != whole or not whole:
        raise BenchError(f"{name} is not whole: {len(numbers)} of its {whole} blocks are there; {again}")


def copy_uf2(image: Path, drive: Path, progress: Progress = silent, gone_s: float = GONE_S) -> bool:
    """Copies an image to a boot drive. True: the drive went away after the last block, as it does when all is well.

    False: all is written, and the drive is still there after gone_s. Raises BenchError: the image is not for that
    board, or the drive is full, may not be written to, or went away too early.
    """
    where = drive_at(drive)
    if where.chip is None:
        raise BenchError(f"{drive}: a board '{where.board}' is none that Callfloor knows")
    data = _read(image)
    _checked(data, image.name, where.chip)
    _room(drive, len(data))
    target = drive / image.name
    try:
        file = open(target, "wb", buffering=0)  # noqa: SIM115
    except OSError as error:
        raise _trouble(error, where, 0, len(data)) from error
    done = 0
    try:
        progress("copying the image", 0, len(data))
        while done < len(data):
            left = len(data) - done
            size = min(CHUNK, left - BLOCK) if left > BLOCK else left  # the last block goes alone
            _write(file.fileno(), data[done : done + size])
            if done + size < len(data) and not (drive / INFO).exists():
                raise OSError(errno.ENODEV, "the drive is gone")
            done += size
            progress("copying the image", done, len(data))
    except OSError as error:
        if done + BLOCK >= len(data) and _is_gone(drive):
            progress("copying the image", len(data), len(data))
            return True  # it took the last block and started anew before it said so
        _drop(target)
        raise _trouble(error, where, done, len(data)) from error
    finally:
        with contextlib.suppress(OSError):  # all is written; the drive may be gone
            file.close()
    deadline = time.monotonic() + gone_s
    while not _is_gone(drive):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)
    return True


def _room(drive: Path, size: int) -> None:
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(drive).free
        if free < size:
            raise BenchError(
                f"{drive} is full: {free:,} bytes are free and the image has {size:,}; "
                "a boot drive is always empty, so is this one? Unplug the board and show the drive again"
            )


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    os.fsync(file)


def _is_gone(drive: Path) -> bool:
    try:
        (drive / INFO).stat()
    except OSError:
        return True
    return False


def _drop(target: Path) -> None:
    with contextlib.suppress(OSError):
        target.unlink()


def _trouble(error: OSError, drive: Drive, done: int, whole: int) -> BenchError:
    again = "unplug the board, show its boot drive again, then the same command again"
    so_far = f"after {done:,} of {whole:,} bytes"
    if _is_gone(drive.path):
        words = f"went away {so_far}, its cable was pulled or is loose; the board is not harmed: {again}"
    elif error.errno == errno.ENOSPC:
        words = f"is full {so_far}: {again}"
    elif error.errno == errno.EROFS:
        words = f"is mounted read-only: unmount it, {again}"
    elif error.errno in (errno.EACCES, errno.EPERM):
        ours = f"udisksctl mount, or mount -o uid={this_computer.user_id()}"
        words = f"may not be written to by you: mount it as yourself, {ours}"
    else:
        words = f"{so_far}: {error.strerror or error}; {again}"
    return BenchError(f"{drive.path} {words}")
