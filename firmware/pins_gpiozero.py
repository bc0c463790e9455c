"""Pins of a Raspberry Pi, by gpiozero.

Polled like every other board's, `bounce_time` unused on purpose: it means something else on
each of gpiozero's pin factories, and debouncing is ours.
"""

from gpiozero import InputDevice


class Pins:
    """Names as printed on the header's drawings: GPIO17."""

    def __init__(self, settings: dict):
        self._pins = {}

    def contact(self, name: str, active_low: bool):
        """A function that tells whether the contact at a pin is made."""
        device = InputDevice(name, pull_up=active_low)
        self._pins[name] = (device, active_low)
        return lambda: device.is_active

    def raw(self) -> dict:
        """Levels by pin, 0 or 1, as on the wire."""
        return {name: int(device.is_active != low) for name, (device, low) in self._pins.items()}

    def led(self, on: bool) -> None:
        """A Pi's own lamp belongs to its system."""

    async def run(self) -> None:
        """Nothing to serve."""
