"""An ESP32's or ESP32-S3's loader at a pseudo-terminal, as the real esptool meets it: for tests, and to try things.

It speaks Espressif's documented serial protocol ("Serial Protocol" of esptool's manual): frames between 0xC0, a
request of direction, command, size and checksum, an answer with a value and a status. The helper that esptool sends
into the chip's memory is received and not run; what it would answer is answered here. The flash memory is like a
real one: erased it is all ones, and writing only makes zeros. Linux only.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from simulator.plugged import HELD, Device, End

FRAME = 0xC0
SECTOR = 4096
SPI_ID = 0x40EF  # a common maker and kind of flash memory; its size follows, as a power of two
BAD_MESSAGE, FAILED, BAD_SUM = 5, 6, 7  # why the loader refuses

# What the chips show in registers that esptool reads: technical reference manuals, and esptool's own tables.
DETECT, UART_DIVIDER = 0x40001000, {"esp32": 0x3FF40014, "esp32s3": 0x60000014}
DETECTED = {"esp32": 0x00F01D83, "esp32s3": 9}
CHIP_ID = {"esp32s3": 9}  # an ESP32's loader does not know the question
XTAL_DIVIDER = 347  # 40 MHz at 115200 baud


class Spi(NamedTuple):
    """Where the unit is that talks to the flash memory: its command, address, second user and first data word."""

    command: int
    address: int
    user2: int
    data: int


SPI = {
    "esp32": Spi(0x3FF42000, 0x3FF42004, 0x3FF42024, 0x3FF42080),
    "esp32s3": Spi(0x60002000, 0x60002004, 0x60002020, 0x60002058),
}


class Refused(Exception):
    """What a loader answers with a reason, a number."""

    def __init__(self, reason: int) -> None:
        super().__init__(f"refused: {reason}")
        self.reason = reason


class Flash:
    """A flash memory: bytes, all 0xFF when new."""

    def __init__(self, size: int = 4 * 2**20, stuck: int | None = None) -> None:
        self.bytes = bytearray(b"\xff" * size)
        self.stuck = stuck  # the address of a cell that is worn out and reads as 0
        self.written = 0

    def erase(self, at: int, size: int) -> None:
        begin, end = at // SECTOR * SECTOR, -(-(at + size) // SECTOR) * SECTOR
        if end > len(self.bytes):
            raise Refused(FAILED)
        self.bytes[begin:end] = b"\xff" * (end - begin)

    def write(self, at: int, data: bytes) -> None:
        if at + len(data) > len(self.bytes):
            raise Refused(FAILED)
        old = int.from_bytes(self.bytes[at : at + len(data)], "little")
        self.bytes[at : at + len(data)] = (old & int.from_bytes(data, "little")).to_bytes(len(data), "little")
        if self.stuck is not None and at <= self.stuck < at + len(data):
            self.bytes[self.stuck] = 0
        self.written += len(data)


class Chip:
    """What the loader does with a request. All of a chip but its wire."""

    def __init__(self, kind: str, flash: Flash) -> None:
        self.kind = kind
        self.flash = flash
        self.helper = False  # esptool's helper is running: it answers a little differently
        self.heard: list[str] = []  # names of the commands that came
        self._registers = {DETECT: DETECTED[kind], UART_DIVIDER[kind]: XTAL_DIVIDER}
        self._memory = 0
        self._at = self._erased = self._end = self._next = 0
        self._unpack: Callable[[bytes], bytes] = bytes

    def answer(self, request: bytes) -> list[bytes]:
        """The frames that answer a request; none for what is no request."""
        if len(request) < 8 or request[0] != 0:
            return []
        _, op, size, checksum = struct.unpack_from("<BBHI", request)
        data = request[8:]
        name, take = COMMANDS.get(op, (hex(op), Chip._unknown))
        self.heard.append(name)
        value, more = 0, b""
        try:
            if len(data) != size:
                raise Refused(BAD_MESSAGE)
            if name.endswith("_DATA") and _sum(data[16:]) != checksum & 0xFF:
                raise Refused(BAD_SUM)
            value, more = take(self, data)
            status = b"\0\0"
        except Refused as refused:
            status = bytes((1, refused.reason))
        except (struct.error, zlib.error):
            status = bytes((1, BAD_MESSAGE))
        helper = self.helper
        frames = [struct.pack("<BBHI", 1, op, len(more) + (2 if helper else 4), value) + more + status]
        frames[0] += b"" if helper else b"\0\0"
        if name == "SYNC":
            frames *= 8  # as the loaders do
        if name == "MEM_END" and self._memory and struct.unpack("<II", data)[1]:
            self.helper = True
            frames.append(b"OHAI")
        return frames

    def _unknown(self, data: bytes) -> tuple[int, bytes]:
        raise Refused(BAD_MESSAGE)

    def _sync(self, data: bytes) -> tuple[int, bytes]:
        return 0 if self.helper else 0x20120707, b""

    def _well(self, data: bytes) -> tuple[int, bytes]:
        return 0, b""

    def _read_register(self, data: bytes) -> tuple[int, bytes]:
        (address,) = struct.unpack("<I", data)
        return self._registers.get(address, 0), b""

    def _write_register(self, data: bytes) -> tuple[int, bytes]:
        for address, value, mask, _ in struct.iter_unpack("<IIII", data):
            self._registers[address] = self._registers.get(address, 0) & ~mask | value & mask
            if address == SPI[self.kind].command and value:
                self._ask_flash()
        return 0, b""

    def _ask_flash(self) -> None:
        """A command to the flash memory itself: only its name is ever asked for."""
        spi = SPI[self.kind]
        command = self._registers.get(spi.user2, 0) & 0xFF
        size = len(self.flash.bytes).bit_length() - 1
        self._registers[spi.data] = SPI_ID | size << 16 if command == 0x9F else 0
        self._registers[spi.command] = 0

    def _security(self, data: bytes) -> tuple[int, bytes]:
        if self.kind not in CHIP_ID:
            raise Refused(BAD_MESSAGE)
        return 0, struct.pack("<IB7sII", 0, 0, bytes(7), CHIP_ID[self.kind], 0)

    def _memory_begin(self, data: bytes) -> tuple[int, bytes]:
        self._end, _, _, _ = struct.unpack("<IIII", data)
        self._memory = self._next = 0
        return 0, b""

    def _memory_data(self, data: bytes) -> tuple[int, bytes]:
        self._memory += len(self._block(data))
        if self._memory > self._end:
            raise Refused(FAILED)
        return 0, b""

    def _begin(self, data: bytes, unpack: Callable[[bytes], bytes]) -> tuple[int, bytes]:
        size, _, _, at = struct.unpack_from("<IIII", data)
        self._at = self._erased = at
        self._end = at + size
        self._next = 0
        self._unpack = unpack
        if not self.helper:  # which erases as it goes
            self.flash.erase(at, size)
            self._erased = self._end
        return 0, b""

    def _flash_begin(self, data: bytes) -> tuple[int, bytes]:
        return self._begin(data, bytes)

    def _deflated_begin(self, data: bytes) -> tuple[int, bytes]:
        return self._begin(data, zlib.decompressobj().decompress)

    def _block(self, data: bytes) -> bytes:
        size, number, _, _ = struct.unpack_from("<IIII", data)
        if size != len(data) - 16 or number not in (self._next, self._next - 1):
            raise Refused(BAD_MESSAGE)
        again = number == self._next - 1
        self._next = number + 1
        return b"" if again else data[16:]

    def _flash_data(self, data: bytes) -> tuple[int, bytes]:
        plain = self._unpack(self._block(data))[: max(0, self._end - self._at)]
        while self._at + len(plain) > self._erased:
            self.flash.erase(self._erased, 1)
            self._erased = self._erased // SECTOR * SECTOR + SECTOR
        self.flash.write(self._at, plain)
        self._at += len(plain)
        return 0, b""

    def _md5(self, data: bytes) -> tuple[int, bytes]:
        at, size, _, _ = struct.unpack("<IIII", data)
        digest = hashlib.md5(self.flash.bytes[at : at + size])
        return 0, digest.digest() if self.helper else digest.hexdigest().encode()

    def _erase_flash(self, data: bytes) -> tuple[int, bytes]:
        if not self.helper:
            raise Refused(BAD_MESSAGE)
        self.flash.erase(0, len(self.flash.bytes))
        return 0, b""

    def _erase_region(self, data: bytes) -> tuple[int, bytes]:
        if not self.helper:
            raise Refused(BAD_MESSAGE)
        self.flash.erase(*struct.unpack("<II", data))
        return 0, b""


COMMANDS: dict[int, tuple[str, Callable[[Chip, bytes], tuple[int, bytes]]]] = {
    0x02: ("FLASH_BEGIN", Chip._flash_begin),
    0x03: ("FLASH_DATA", Chip._flash_data),
    0x04: ("FLASH_END", Chip._well),
    0x05: ("MEM_BEGIN", Chip._memory_begin),
    0x06: ("MEM_END", Chip._well),
    0x07: ("MEM_DATA", Chip._memory_data),
    0x08: ("SYNC", Chip._sync),
    0x09: ("WRITE_REG", Chip._write_register),
    0x0A: ("READ_REG", Chip._read_register),
    0x0B: ("SPI_SET_PARAMS", Chip._well),
    0x0D: ("SPI_ATTACH", Chip._well),
    0x0F: ("CHANGE_BAUDRATE", Chip._well),
    0x10: ("FLASH_DEFL_BEGIN", Chip._deflated_begin),
    0x11: ("FLASH_DEFL_DATA", Chip._flash_data),
    0x12: ("FLASH_DEFL_END", Chip._well),
    0x13: ("SPI_FLASH_MD5", Chip._md5),
    0x14: ("GET_SECURITY_INFO", Chip._security),
    0xD0: ("ERASE_FLASH", Chip._erase_flash),
    0xD1: ("ERASE_REGION", Chip._erase_region),
}


class RomLoader(Device):
    """A chip that waits for an image at `port`, or at `link`; a context manager, as its cable is pulled at the end.

    kind: esp32 or esp32s3. silent: it hears nothing, as a board without its button held. cut: its cable is pulled
    once so many bytes are in the flash memory.
    """

    def __init__(
        self,
        kind: str = "esp32",
        flash: Flash | None = None,
        silent: bool = False,
        cut: int | None = None,
        tcp: bool = False,
        link: Path | None = None,
    ) -> None:
        super().__init__(tcp, link)
        self._kind = kind
        self.flash = flash or Flash()
        self._silent = silent
        self._cut = cut
        self._begin()

    def _begin(self) -> None:
        self.chip = Chip(self._kind, self.flash)
        self._frames = Frames()
        self._answers = b""

    def _turn(self, end: End) -> None:
        if end.fileno() not in self._wait(end, [], not self._answers, bool(self._answers), 1.0):
            return
        if self._answers:
            sent = end.write(self._answers)
            self._passes(self._answers[:sent])
            self._answers = self._answers[sent:]
            return
        for request in self._frames.feed(self._passes(end.read(HELD))):
            if not self._silent:
                self._answers += b"".join(framed(frame) for frame in self.chip.answer(request))
        if self._cut is not None and self.flash.written >= self._cut:
            self.cut_after(0)
            self._stopping = True


class Frames:
    """Bytes of a wire into what stands between two 0xC0."""

    MOST = 128 * 1024

    def __init__(self) -> None:
        self._inside: bytearray | None = None

    def feed(self, data: bytes) -> list[bytes]:
        whole = []
        for byte in data:
            if byte == FRAME:
                if self._inside:
                    whole.append(unescaped(self._inside))
                    self._inside = None
                else:
                    self._inside = bytearray()
            elif self._inside is not None:
                self._inside.append(byte)
                if len(self._inside) > self.MOST:
                    self._inside = None
        return whole


def framed(data: bytes) -> bytes:
    """A frame as it goes over the wire."""
    return b"\xc0" + data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def unescaped(data: bytes | bytearray) -> bytes:
    """What a frame carries."""
    return bytes(data).replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")


def _sum(data: bytes) -> int:
    """The loader's checksum: all bytes and 0xEF, by exclusive or."""
    total = 0xEF
    for byte in data:
        total ^= byte
    return total
