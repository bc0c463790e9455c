"""Pins of a Raspberry Pi, by gpiozero.

Polled like every other board's, `bounce_time` unused on purpose: it means something else on
each of gpiozero's pin factories, and debouncing is ours.
"""

import sys
import warnings

from firmware.start import StartError


class Pins:
    """Names as printed on the header's drawings: GPIO17. Raises StartError where there are no pins."""

    def __init__(self, settings: dict):
        self._pins = {}
        self._open = _way_to_the_pins()

    def contact(self, name: str, active_low: bool):
        """A function that tells whether the contact at a pin is made. Raises StartError."""
        try:
            device = self._open(name, pull_up=active_low)
        except Exception as error:  # gpiozero's, lgpio's, the system's: no common kind
            raise StartError("pin %s cannot be read (%s); a Raspberry Pi has GPIO2 to GPIO27, and each "
                             "may be in use by one program" % (name, error))  # fmt: skip
        self._pins[name] = (device, active_low)
        return lambda: device.is_active

    def raw(self) -> dict:
        """Levels by pin, 0 or 1, as on the wire."""
        return {name: int(device.is_active != low) for name, (device, low) in self._pins.items()}

    def led(self, on: bool) -> None:
        """A Pi's own lamp belongs to its system."""

    async def run(self) -> None:
        """Nothing to serve."""


def _way_to_the_pins():
    """gpiozero's InputDevice, its way to the pins found. What it tried in vain is said in one line."""
    tried = []
    try:
        with warnings.catch_warnings(record=True) as tried:
            warnings.simplefilter("always")
            from gpiozero import Device, InputDevice

            Device.ensure_pin_factory()
    except Exception as error:  # not installed, no pins, not allowed: each of its ways has its own kinds
        why = tried[0].message if tried else error  # the first it tried is the one a Raspberry Pi has
        raise StartError("no GPIO pins here (%s); a Raspberry Pi has them, for members of its group gpio. "
                         "Elsewhere try --pins memory --control 127.0.0.1:9001" % why)  # fmt: skip
    for vain in tried:
        print("gpiozero:", vain.message, file=sys.stderr)
    return InputDevice
