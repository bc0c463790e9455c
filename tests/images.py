"""Images of MicroPython as their makers build them, small and of our own bytes: UF2 for RP2, .bin for ESP32."""

from __future__ import annotations

import hashlib
import random
import struct

from boards.bench import esp, uf2

RP2_FLASH = 0x10000000


def uf2_block(
    data: bytes, number: int, of: int, family: int, flags: int = uf2.FAMILY, address: int = RP2_FLASH
) -> bytes:
    head = struct.pack(
        "<8I", uf2.FIRST, uf2.SECOND, flags, address + 256 * number, len(data), number, of, family
    )
    return (head + data).ljust(uf2.BLOCK - 4, b"\0") + struct.pack("<I", uf2.LAST)


def uf2_image(chip: str = "rp2040", blocks: int = 600, seed: int = 1) -> bytes:
    """A whole UF2 file; for an RP2350 with the block before it that its fault E10 asks for."""
    some = random.Random(seed)
    family = uf2.FAMILIES[chip]
    body = b"".join(uf2_block(some.randbytes(256), number, blocks, family) for number in range(blocks))
    if chip == "rp2350":
        ignored = uf2_block(b"\xef" * 256, 0, 2, uf2.IGNORED, flags=0xA000, address=0x10FFFF00)
        return ignored + body
    return body


def info(board: str) -> bytes:
    """INFO_UF2.TXT as it stands on a boot drive."""
    return f"UF2 Bootloader v1.0\r\nModel: Raspberry Pi {board}\r\nBoard-ID: {board}\r\n".encode()


def esp_program(chip: str, parts: list[bytes], hashed: bool = True) -> bytes:
    """One program in Espressif's format: a header, its parts, a checksum and the sum of it all."""
    number, _ = esp.CHIPS[chip]
    head = struct.pack(
        "<BBBBIB3sHBHHIB", esp.MAGIC, len(parts), 2, 0x20, 0x40080000, 0xEE, bytes(3), number, 0, 0, 99, 0, hashed
    )
    body = b"".join(
        struct.pack("<II", 0x3FFF0000 + 0x10000 * index, len(part)) + part for index, part in enumerate(parts)
    )
    checksum = 0xEF
    for byte in b"".join(parts):
        checksum ^= byte
    image = head + body
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    return image + (hashlib.sha256(image).digest() if hashed else b"")


def esp_image(chip: str = "esp32", size: int = 40_000, seed: int = 1, offset: int | None = None) -> bytes:
    """A whole .bin as it is written from `offset` on: the bootloader, the partition table, MicroPython."""
    some = random.Random(seed)
    begins = {"esp32": 0x1000, "esp32s3": 0}[chip] if offset is None else offset
    table = b"".join(
        b"\xaa\x50" + struct.pack("<BBII16sI", kind, sub, at, length, name, 0)
        for kind, sub, at, length, name in (
            (1, 2, 0x9000, 0x6000, b"nvs"),
            (0, 0, 0x10000, 0x1F0000, b"factory"),
            (1, 0x81, 0x200000, 0x200000, b"vfs"),
        )
    )
    image = esp_program(chip, [some.randbytes(1000), some.randbytes(64)]).ljust(esp.TABLE_AT - begins, b"\xff")
    image = (image + table).ljust(0x10000 - begins, b"\xff")
    return image + esp_program(chip, [some.randbytes(size), bytes(size), some.randbytes(100)])
