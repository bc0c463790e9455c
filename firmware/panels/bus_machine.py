"""SPI of a microcontroller, by MicroPython's `machine`: outputs only."""

from machine import SPI, Pin

from firmware.pins_machine import number

_open = {}  # a bus may have several panels, each with a chip-select of its own


class MachineBus:
    """`bus` is spi0; `sck` and `mosi` where they are not the chip's usual pins, `cs` where there is one."""

    def __init__(self, entry: dict, hz: int, phase: int):
        name = entry["bus"]
        try:
            if name not in _open:
                pins = {key: Pin(number(entry[key])) for key in ("sck", "mosi") if entry.get(key)}
                # Nothing comes back. Left out, an ESP32 would take its usual pin for that, whatever hangs there.
                _open[name] = SPI(number(name), baudrate=hz, polarity=0, phase=phase, miso=None, **pins)
            self._write = _open[name].write
            self._cs = Pin(number(entry["cs"]), Pin.OUT, value=1) if entry.get("cs") else None
        except ValueError as error:
            from firmware.start import StartError

            raise StartError(
                "panel at %s: %s; `callfloor up --check` holds the site file against the board's page"
                % (name, error)
            )

    def send(self, data) -> None:
        """One transfer, in one piece."""
        if not self._cs:
            self._write(data)
            return
        self._cs(0)
        try:
            self._write(data)
        finally:
            self._cs(1)
