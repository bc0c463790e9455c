"""A board's own lamp. Loaded when somebody wants to see which board it is."""

from machine import Pin

from firmware.pins_machine import number

DIM = (16, 16, 16)  # of 255: these lights stand on a desk


def opened(told: str):
    """A function that lights it or not. `told`: LED, GP25, or `rgb IO38 IO48`, a WS2812 at either pin.

    Raises ValueError, TypeError or ImportError for a lamp that this board has not.
    """
    if not told.startswith("rgb "):
        return Pin("LED" if told == "LED" else number(told), Pin.OUT).value
    from neopixel import NeoPixel

    lights = [NeoPixel(Pin(number(name), Pin.OUT), 1) for name in told.split()[1:]]

    def light(on):
        for one in lights:
            one[0] = DIM if on else (0, 0, 0)
            one.write()

    return light
