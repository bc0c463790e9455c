"""Pins of a microcontroller, by MicroPython's `machine`."""

from machine import Pin


def number(name: str) -> int:
    """The chip's number in a pin's name: 4 of GP4, 33 of IO33."""
    return int("".join([letter for letter in name if letter.isdigit()]))


class Pins:
    """Inputs with the chip's own pull-up: a contact to ground makes them 0."""

    def __init__(self, settings: dict):
        self._pins = {}
        try:
            self._led = Pin("LED", Pin.OUT)
        except (ValueError, TypeError):  # boards without a lamp of that name
            self._led = None

    def contact(self, name: str, active_low: bool):
        """A function that tells whether the contact at a pin is made."""
        pin = Pin(number(name), Pin.IN, Pin.PULL_UP if active_low else Pin.PULL_DOWN)
        self._pins[name] = pin
        if active_low:
            return lambda: not pin.value()
        return lambda: bool(pin.value())

    def raw(self) -> dict:
        """Levels by pin, 0 or 1."""
        return {name: pin.value() for name, pin in self._pins.items()}

    def led(self, on: bool) -> None:
        """The board's own lamp."""
        if self._led:
            self._led.value(on)

    async def run(self) -> None:
        """Nothing to serve."""
