"""Pins of a microcontroller, by MicroPython's `machine`."""

from machine import Pin

from firmware.clock import forget


def number(name: str) -> int:
    """The chip's number in a pin's name: 4 of GP4, 33 of IO33."""
    return int("".join([letter for letter in name if letter.isdigit()]))


class Pins:
    """Inputs with the chip's own pull-up: a contact to ground makes them 0. Some measure a voltage."""

    def __init__(self, settings: dict):
        self.levels = {}  # of each pin that something reads, the function that does
        self._lamp = settings.get("lamp", "LED")  # its name, and once it was wanted what lights it, or None

    def contact(self, name: str, active_low: bool):
        """A function that tells whether the contact at a pin is made. Raises StartError."""
        try:
            pin = Pin(number(name), Pin.IN, Pin.PULL_UP if active_low else Pin.PULL_DOWN)
        except ValueError as error:
            raise unusable(name, "it cannot be an input: %s" % error)
        level = self.levels[name] = pin.value
        if active_low:
            return lambda: not level()
        return lambda: bool(level())

    def millivolts(self, name: str):
        """A function that measures the voltage at a pin, 0 to 3300 mV. Raises StartError."""
        from machine import ADC

        try:
            adc = ADC(Pin(number(name)))
            if hasattr(ADC, "ATTN_11DB"):  # an ESP32 measures 1 V at most, unless it is told to divide
                adc.atten(ADC.ATTN_11DB)
        except ValueError as error:
            raise unusable(name, "no voltage can be measured there: %s" % error)
        self.levels[name] = _by_microvolts(adc) if hasattr(adc, "read_uv") else _by_steps(adc)
        return self.levels[name]

    def level(self, name: str) -> int:
        """What a pin shows now: 0 or 1, or millivolts. Raises KeyError for one that nothing reads."""
        return self.levels[name]()

    def raw(self) -> dict:
        """`level` of every pin that something reads."""
        return {name: level() for name, level in self.levels.items()}

    def led(self, on: bool) -> None:
        """The board's own lamp; nothing where there is none."""
        if type(self._lamp) is str:
            from firmware import lamp

            try:
                self._lamp = lamp.opened(self._lamp)
            except (ValueError, TypeError, ImportError, OSError):  # the last: a Pico W's lamp hangs on its radio
                self._lamp = None
            forget("lamp")
        if self._lamp:
            self._lamp(on)

    async def run(self) -> None:
        """Nothing to serve."""


def _by_microvolts(adc):
    """On an ESP32: corrected by what its maker has measured of the chip."""
    return lambda: adc.read_uv() // 1000


def _by_steps(adc):
    return lambda: adc.read_u16() * 3300 // 65535


def unusable(name, why):
    from firmware.start import StartError

    return StartError(
        "pin %s: %s; `callfloor up --check` holds the site file against the board's page" % (name, why)
    )
