"""SPI of a Raspberry Pi, or of any Linux computer with a /dev/spidev, by lgpio."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Protocol

from firmware.start import StartError

BUFSIZ = Path("/sys/module/spidev/parameters/bufsiz")
USUAL = 4096  # bytes in one transfer, where nobody has said otherwise (drivers/spi/spidev.c)


class Bus(Protocol):
    """What a panel's data go through."""

    def send(self, data: bytes | bytearray) -> None:
        """One transfer, alone under the chip-select. Raises OSError."""


class SpidevBus:
    """`bus` is spi0.1: /dev/spidev0.1. Opened when it is needed: without it, the desks of a board go on.

    Its errors are short, because what a panel says of its trouble is.
    """

    def __init__(self, entry: dict[str, Any], hz: int, phase: int):
        bus, dot, channel = entry["bus"].removeprefix("spi").partition(".")
        if not dot:
            raise StartError(
                f"panel at {entry['bus']}: here its bus is written with its chip-select, spi{bus}.0"
            )
        self._bus, self._channel = int(bus), int(channel)
        self._hz, self._phase = hz, phase
        self._lgpio: Any = None
        self._handle: int | None = None

    def send(self, data: bytes | bytearray) -> None:
        """One transfer, in one piece. Raises OSError that says what to try."""
        most = bytes_most()
        if len(data) > most:  # the kernel would refuse it; two pieces would be two pictures
            raise OSError(
                f"write spidev.bufsiz={_room_for(len(data))} in /boot/firmware/cmdline.txt: {len(data)} bytes a "
                f"picture, not {most}"
            )
        lgpio = self._lgpio = self._lgpio or _lgpio()
        try:
            if self._handle is None:
                self._handle = lgpio.spi_open(self._bus, self._channel, self._hz, self._phase)
            lgpio.spi_write(self._handle, data)
        except lgpio.error as error:
            self._close()
            raise OSError(
                f"/dev/spidev{self._bus}.{self._channel}: {str(error).strip(chr(39))}; is SPI on (raspi-config), and "
                "you in its group spi?"
            ) from error

    def _close(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(self._lgpio.error):
                self._lgpio.spi_close(self._handle)
        self._handle = None


def bytes_most() -> int:
    """How many bytes this computer sends in one transfer."""
    try:
        return int(BUFSIZ.read_text())
    except (OSError, ValueError):
        return USUAL


def _room_for(size: int) -> int:
    """The next power of two."""
    return 1 << (size - 1).bit_length()


def _lgpio() -> Any:
    from firmware.pins_gpiozero import with_no_trace_of_lgpio

    with_no_trace_of_lgpio()
    try:
        import lgpio
    except ImportError as error:
        raise OSError(f"there is {error}: `pip install lgpio` beside callfloor") from error
    return lgpio
