"""UF2 images and boot drives: what is refused unwritten, and drives that are full, read-only or pulled."""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boards.bench import BenchError, uf2
from tests import drives
from tests.images import uf2_block, uf2_image

Bytes = Callable[[bytes], bytes]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "RPI_PICO_W-20260101-v1.28.0.uf2"
    path.write_bytes(uf2_image())
    return path


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Path]:
    with drives.plugged(tmp_path / "drive") as place:
        yield place


def renumbered(image: bytes, at: int, number: int) -> bytes:
    return image[: at * 512 + 20] + struct.pack("<I", number) + image[at * 512 + 24 :]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda image: b"", "is no UF2 image"),
        (lambda image: b"<!DOCTYPE html>".ljust(512), "is no UF2 image, it begins with b'<!DOCTYPE ht"),
        (lambda image: image[:-1], "is cut off"),
        (lambda image: image[:512], "is not whole: 1 of its 600 blocks are there"),
        (lambda image: image[:-512], "is not whole: 599 of its 600 blocks are there"),
        (lambda image: image[512:], "is not whole: 599 of its 600 blocks are there"),
        (lambda image: image + image[-512:], "block 600: it is number 599 of 600, which cannot be"),
        (lambda image: renumbered(image, 7, 600), "block 7: it is number 600 of 600, which cannot be"),
        (lambda image: renumbered(image, 7, 6), "block 7: it is number 6 of 600, which cannot be"),
        (lambda image: image[:1020] + bytes(4) + image[1024:], "block 1: it is damaged"),
        (lambda image: image[:1024] + bytes(512) + image[1536:], "block 2: it is damaged"),
        (lambda image: uf2_image("rp2350"), "is for an RP2350, and this board has an RP2040"),
        (lambda image: uf2_block(b"\0" * 256, 0, 1, 0xC47E5767), "is for an ESP32-S3, and this board has an RP2040"),
        (lambda image: uf2_block(b"\0" * 256, 0, 1, 0x12345678), "is for another chip (family 0x12345678)"),
        (lambda image: uf2_block(b"\0" * 256, 0, 1, 0, flags=0), "does not say for which chip it is"),
        (lambda image: uf2_block(b"\0" * 400, 0, 1, uf2.FAMILIES["rp2040"]), "takes 256 at a time"),
        (lambda image: uf2_block(b"\0" * 256, 0, 1, 0, flags=uf2.NOT_FLASH), "is not whole"),
    ],
)  # fmt: skip
def test_a_spoiled_image_is_refused_unwritten(image: Path, tmp_path: Path, spoil: Bytes, words: str) -> None:
    image.write_bytes(spoil(image.read_bytes()))
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / uf2.INFO).write_text("Board-ID: RPI-RP2\r\n")
    with pytest.raises(BenchError) as told:
        uf2.copy_uf2(image, drive)
    assert words in str(told.value)
    assert image.name in str(told.value)
    assert [path.name for path in drive.iterdir()] == [uf2.INFO]


def test_an_rp2350_takes_its_own_with_the_block_that_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "RPI_PICO2_W-20260101-v1.28.0.uf2"
    path.write_bytes(uf2_image("rp2350"))
    with drives.plugged(tmp_path / "drive", board="RP2350") as drive:
        assert uf2.copy_uf2(path, drive, gone_s=0) is False
        assert (drive / path.name).read_bytes() == path.read_bytes()
        path.write_bytes(uf2_image("rp2040"))
        with pytest.raises(BenchError, match="is for an RP2040, and this board has an RP2350"):
            uf2.copy_uf2(path, drive)


def test_a_drive_that_takes_it_all_and_goes(image: Path, drive: Path) -> None:
    said: list[int] = []
    size = image.stat().st_size

    def progress(what: str, done: int, whole: int) -> None:
        assert whole == size
        said.append(done)
        if done == size:
            assert (drive / image.name).read_bytes() == image.read_bytes()
            threading.Timer(0.1, drives.unplug, [drive]).start()

    assert uf2.copy_uf2(image, drive, progress) is True
    assert said == sorted(set(said)) and said[0] == 0 and said[-1] == size and len(said) > 4


def test_a_drive_that_takes_it_all_and_stays(image: Path, drive: Path) -> None:
    assert uf2.copy_uf2(image, drive, gone_s=0.1) is False
    assert (drive / image.name).read_bytes() == image.read_bytes()


def test_a_board_that_starts_before_the_last_block_is_acknowledged(
    image: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Linux says then: fsync of the last block ends with an input/output error. All others are there."""
    real = os.fsync

    def fsync(file: int) -> None:
        if os.fstat(file).st_size == image.stat().st_size:
            drives.unplug(drive)
            raise OSError(5, "Input/output error")
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    assert uf2.copy_uf2(image, drive) is True


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_cable_pulled_in_between_and_the_same_again(image: Path, tmp_path: Path, blocks: int) -> None:
    size = image.stat().st_size
    place = tmp_path / "drive"

    def progress(what: str, done: int, whole: int) -> None:
        if done >= blocks * uf2.CHUNK and os.path.ismount(place):
            drives.unplug(place)

    with drives.plugged(place), pytest.raises(BenchError) as told:
        uf2.copy_uf2(image, place, progress)
    assert str(told.value) == (
        f"{place} went away after {blocks * uf2.CHUNK:,} of {size:,} bytes, its cable was pulled or is loose; the "
        "board is not harmed: unplug the board, show its boot drive again, then the same command again"
    )
    place.rmdir()
    with drives.plugged(place):
        uf2.copy_uf2(image, place, gone_s=0)
        assert (place / image.name).read_bytes() == image.read_bytes()


def test_a_drive_that_is_full(image: Path, tmp_path: Path) -> None:
    with drives.plugged(tmp_path / "drive", size="64k") as drive, pytest.raises(BenchError) as told:
        uf2.copy_uf2(image, drive)
    assert f"{drive} is full: " in str(told.value)


def test_a_drive_that_fills_up_on_the_way(image: Path, drive: Path) -> None:
    size = image.stat().st_size

    def progress(what: str, done: int, whole: int) -> None:
        with contextlib.suppress(OSError):
            (drive / "something else").write_bytes(bytes(4 << 20))

    with pytest.raises(BenchError) as told:
        uf2.copy_uf2(image, drive, progress)
    assert f"{drive} is full after " in str(told.value) and f" of {size:,} bytes: unplug the board" in str(told.value)
    assert not (drive / image.name).exists()


def test_a_drive_that_is_read_only(image: Path, drive: Path) -> None:
    drives.read_only(drive)
    with pytest.raises(BenchError) as told:
        uf2.copy_uf2(image, drive)
    assert f"{drive} is mounted read-only: unmount it, unplug the board" in str(told.value)


@pytest.mark.parametrize("board", ["RPI-RP2", "RP2350"])
def test_drives_are_found_by_what_they_say(tmp_path: Path, board: str) -> None:
    chip = uf2.IDS[board]
    labels = tmp_path / "by-label"
    labels.mkdir()
    place = tmp_path / "media"
    with drives.disk(tmp_path / "disk") as device:
        assert uf2.unmounted(labels=labels) == []
        (labels / board).symlink_to(device)
        with pytest.raises(BenchError) as told:
            uf2.the_drive(chip, "hold BOOTSEL while plugging it in", labels=labels)
        assert f"nobody has mounted it: udisksctl mount -b {device} or sudo mount" in str(told.value)
        with drives.mounted_disk(device, place, board):
            assert uf2.Drive(place, board) in uf2.drives()
            assert uf2.the_drive(chip, "", labels=labels) == (place, board)
            assert uf2.unmounted(labels=labels) == []
            other = next(name for name in uf2.FAMILIES if name != chip)
            with pytest.raises(BenchError, match=f"of another board: it says {board}, not "):
                uf2.the_drive(other, "", place)


def test_no_drive_at_all(tmp_path: Path) -> None:
    with pytest.raises(BenchError) as told:
        uf2.the_drive("rp2040", "hold BOOTSEL while plugging it in", labels=tmp_path)
    assert str(told.value) == (
        "no board shows its boot drive RPI-RP2: hold BOOTSEL while plugging it in, then the same command again"
    )


def test_what_is_no_boot_drive(image: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    for place, words in ((stick, "it has no INFO_UF2.TXT"), (tmp_path / "nothing", "it is not there")):
        with pytest.raises(BenchError, match=words):
            uf2.copy_uf2(image, place)
    (stick / uf2.INFO).write_bytes(b"\xff\xfe\0nothing of use")
    with pytest.raises(BenchError, match="names no Board-ID"):
        uf2.copy_uf2(image, stick)
    (stick / uf2.INFO).write_text("UF2 Bootloader v3.6.0\nBoard-ID: SAMD21G18A-Feather-v0\n")
    with pytest.raises(BenchError, match="a board 'SAMD21G18A-Feather-v0' is none that Callfloor knows"):
        uf2.copy_uf2(image, stick)


def test_looking_through_a_whole_image_is_quick(tmp_path: Path) -> None:
    path = tmp_path / "image.uf2"
    path.write_bytes(uf2_image(blocks=8000))
    began = time.process_time()
    assert uf2.check(path, "rp2040") == 8000 * 512
    assert time.process_time() - began < 0.5
