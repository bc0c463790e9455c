"""Boot drives on real small file systems: full, read-only, pulled. Mounting takes root, or a namespace of one's own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.images import info


def read_only(place: Path) -> None:
    _run("mount", "-o", "remount,ro", str(place))


def bigger(place: Path) -> None:
    """Room was made."""
    _run("mount", "-o", "remount,size=8m", str(place))


def unplug(place: Path) -> None:
    """Gone from one moment to the next, whoever has files open there."""
    _run("umount", "-l", str(place))


@contextlib.contextmanager
def plugged(place: Path, size: str = "2m", board: str = "RPI-RP2") -> Iterator[Path]:
    """A drive of that size for a while; it may be unplugged in between."""
    place.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place))
    try:
        (place / "INFO_UF2.TXT").write_bytes(info(board))
        yield place
    finally:
        if os.path.ismount(place):
            unplug(place)


@contextlib.contextmanager
def disk(file: Path) -> Iterator[str]:
    """A disk with an empty file system, /dev/loopN, which is given; nobody has mounted it."""
    file.write_bytes(bytes(1 << 20))
    _run("mkfs.ext2", "-q", str(file))
    device = _run("losetup", "--find", "--show", str(file)).strip()
    try:
        yield device
    finally:
        _run("losetup", "--detach", device)


@contextlib.contextmanager
def mounted_disk(device: str, place: Path, board: str = "RPI-RP2") -> Iterator[None]:
    """That disk as a board's boot drive."""
    place.mkdir()
    _run("mount", device, str(place))
    try:
        (place / "INFO_UF2.TXT").write_bytes(info(board))
        yield
    finally:
        _run("umount", str(place))


def _run(*words: str) -> str:
    told = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    assert told.returncode == 0, f"{' '.join(words)}: {told.stderr}"
    return told.stdout
