"""Images of MicroPython: whether one fits a kind of board, and how it gets there: a boot drive, or esptool."""

from __future__ import annotations

import re
from pathlib import Path

from boards.bench import BenchError, esp, uf2
from boards.bench.esp import esptool
from boards.bench.uf2 import Drive, copy_uf2, drive_at, drives, the_drive, unmounted
from boards.definition import Definition

__all__ = ["Drive", "check", "copy_uf2", "drive_at", "drives", "ending", "esptool", "kind", "the_drive", "unmounted"]


def ending(page: Definition) -> str:
    """How the files of a board's images end. Raises BenchError for one that takes none."""
    if page.flash is None:
        raise BenchError(f"{page.name}: no image goes onto it")
    return ".uf2" if page.flash.by == "uf2" else ".bin"


def kind(path: Path) -> str | None:
    """MicroPython's name of the boards that an image is for, where its file still has the name that it came with.

    RPI_PICO_W of RPI_PICO_W-20251209-v1.27.0.uf2, ESP32_GENERIC of ESP32_GENERIC-SPIRAM-20251209-v1.27.0.bin.
    """
    named = re.fullmatch(r"([A-Za-z0-9_]+)(-[A-Za-z0-9_]+)?-\d{8}-.+", path.stem)
    return named and named[1]


def check(path: Path, page: Definition) -> int:
    """Looks through a file: whole, and for the chip of this kind of board. Returns its bytes. Raises BenchError."""
    if page.flash is None:
        raise BenchError(f"{page.name}: no image goes onto it")
    if page.flash.by == "uf2":
        return uf2.check(path, page.chip)
    return esp.check(path, page.chip, page.flash.offset or 0)
