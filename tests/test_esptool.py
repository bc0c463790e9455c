"""The real esptool against an ESP32's loader at a pseudo-terminal: what it writes, and what is said when it cannot."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from boards import definition
from boards.bench import BenchError, esp
from simulator.rom_loader import Flash, Frames, RomLoader, framed, unescaped
from tests.images import esp_image, esp_program

VFS = 0x200000  # where the board's files begin


ESP32 = definition.read("esp32")
S3 = definition.read("esp32-s3")


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """esptool tries once where it would try for eight seconds."""
    settings = tmp_path / "esptool.cfg"
    settings.write_text("[esptool]\nconnect_attempts = 1\nreset_delay = 0.01\nsync_timeout = 0.02\n")
    monkeypatch.setenv("ESPTOOL_CFGFILE", str(settings))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "ESP32_GENERIC-20260101-v1.28.0.bin"
    path.write_bytes(esp_image())
    return path


@pytest.mark.parametrize(("kind", "board"), [("esp32", ESP32), ("esp32s3", S3)])
def test_an_image_is_written_and_the_files_behind_it_stay(
    tmp_path: Path, kind: str, board: definition.Definition
) -> None:
    assert board.flash and board.flash.offset is not None
    whole = esp_image(kind)
    path = tmp_path / "image.bin"
    path.write_bytes(whole)
    said: list[tuple[str, int, int]] = []
    with RomLoader(kind) as rom:
        rom.flash.write(0x10000, bytes(8192))  # an older image
        rom.flash.write(VFS, b"password")
        esp.esptool(board, rom.port, path, lambda *done: said.append(done))
        at = board.flash.offset
        assert rom.flash.bytes[at : at + len(whole)] == whole
        assert rom.flash.bytes[VFS : VFS + 8] == b"password"
    written = [done for what, done, _ in said if what == "writing the image"]
    assert written == sorted(written) and len(written) > 2 and written[-1] == len(whole)
    assert [what for what, _, _ in said][-1] == "reading it back"


def test_a_chip_that_ran_something_else_is_erased_first_be_it_behind_a_network_port(image: Path) -> None:
    with RomLoader(tcp=True) as rom:
        assert rom.port.startswith("socket://")
        rom.flash.write(VFS, b"another firmware's files")
        esp.esptool(ESP32, rom.port, image, erase=True)
        assert rom.flash.bytes[VFS : VFS + 64] == b"\xff" * 64
        assert rom.flash.bytes[0x1000 : 0x1000 + image.stat().st_size] == image.read_bytes()


def test_a_board_whose_button_nobody_holds(image: Path, impatient: None) -> None:
    with RomLoader(silent=True) as rom, pytest.raises(BenchError) as told:
        esp.esptool(ESP32, rom.port, image)
    assert str(told.value) == (
        f"nothing at {rom.port} takes an image: hold BOOT, press EN, let BOOT go; then the same command again"
    )
    assert rom.flash.written == 0


def test_another_chip_is_left_alone(image: Path) -> None:
    with RomLoader("esp32s3") as rom, pytest.raises(BenchError) as told:
        esp.esptool(ESP32, rom.port, image)
    assert str(told.value) == f"the chip at {rom.port} is an ESP32-S3, and this is no {ESP32.name}, which has an ESP32"
    assert rom.flash.written == 0


def test_a_worn_out_cell_is_noticed(image: Path) -> None:
    with RomLoader(flash=Flash(stuck=0x10100)) as rom, pytest.raises(BenchError, match="is not what was written"):
        esp.esptool(ESP32, rom.port, image)


def test_a_cable_pulled_half_way_and_the_same_again(image: Path, tmp_path: Path, impatient: None) -> None:
    flash = Flash()
    port = tmp_path / "ttyUSB0"
    with RomLoader(flash=flash, cut=70_000, link=port), pytest.raises(BenchError) as told:
        esp.esptool(ESP32, str(port), image)
    assert f"the cable at {port} was pulled or is loose after " in str(told.value)
    assert "the same command again" in str(told.value)
    assert flash.written < image.stat().st_size
    with RomLoader(flash=flash, link=port):
        esp.esptool(ESP32, str(port), image)
    assert flash.bytes[0x1000 : 0x1000 + image.stat().st_size] == image.read_bytes()


def test_a_port_that_another_program_has(image: Path) -> None:
    with RomLoader() as rom:
        taken = os.open(rom.port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(taken, fcntl.LOCK_EX)
        try:
            with pytest.raises(BenchError) as told:
                esp.esptool(ESP32, rom.port, image)
        finally:
            os.close(taken)
    assert str(told.value).startswith(f"another program has {rom.port}: ")


def test_a_port_that_is_not_there(image: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="ttyUSB9 is not there"):
        esp.esptool(ESP32, str(tmp_path / "ttyUSB9"), image)


def test_a_flash_memory_that_is_too_small(image: Path) -> None:
    image.write_bytes(esp_image(size=150_000))
    with RomLoader(flash=Flash(256 * 1024)) as rom, pytest.raises(BenchError) as told:
        esp.esptool(ESP32, rom.port, image)
    assert str(told.value) == f"the flash memory of the chip at {rom.port} is too small for the image"
    assert rom.flash.written == 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda image: b"<!DOCTYPE html>" + image, "is no image of MicroPython for an ESP32"),
        (lambda image: b"", "is no image of MicroPython for an ESP32"),
        (lambda image: image[:-1], "is not whole"),
        (lambda image: image[:30_000], "is not whole"),
        (lambda image: image[: len(image) // 2], "is not whole"),
        (lambda image: image[:-500] + b"?" + image[-499:], "the sum in it is not the sum of its bytes"),
        (lambda image: image[:40] + b"?" + image[41:], "the sum in it is not the sum of its bytes"),
        (lambda image: esp_program("esp32", [b"app" * 20_000]), "it has no partition table"),
        (lambda image: esp_image("esp32s3"), "is for an ESP32-S3, and this board has an ESP32"),
        (lambda image: image[:12] + b"\x05" + image[13:], "is for an ESP32-C3, and this board has an ESP32"),
    ],
)
def test_a_spoiled_image_is_refused_before_a_byte_is_sent(
    image: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    image.write_bytes(spoil(image.read_bytes()))
    with pytest.raises(BenchError) as told:
        esp.esptool(ESP32, "/dev/nothing-is-opened", image)
    assert words in str(told.value)


def test_frames_carry_every_byte() -> None:
    every = bytes(range(256)) * 3 + b"\xdb\xdc\xdb\xdd\xc0\xc0"
    frames = Frames()
    assert [frame for byte in framed(every) for frame in frames.feed(bytes([byte]))] == [every]
    assert unescaped(framed(every)[1:-1]) == every
