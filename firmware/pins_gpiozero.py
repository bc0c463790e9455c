"""Pins of a Raspberry Pi: contacts by gpiozero, voltages by an MCP3008, headsets at its USB.

Polled like every other board's, `bounce_time` unused on purpose: it means something else on
each of gpiozero's pin factories, and debouncing is ours.
"""

import os
import sys
import tempfile
import warnings

from firmware.pins_hidraw import headsets_for
from firmware.start import StartError

# Up to two MCP3008: ADC0 to ADC7 at SPI's CE0, ADC8 to ADC15 at CE1.
CHANNELS = 8
ADCS = ["ADC%d" % number for number in range(2 * CHANNELS)]
# Its code is 1024 * Vin / Vref (data sheet DS21295, 4.2), and Vref is the Pi's 3.3 V.
REFERENCE_MV = 3300
STEPS = 1024


class Pins:
    """Names as printed on the header's drawings: GPIO17; ADC3 at an MCP3008. gpiozero is only
    looked for where a desk has a pin: headsets at USB need none."""  # fmt: skip

    def __init__(self, settings: dict):
        self._settings = settings
        self.levels: dict = {}  # of each pin that something reads, the function that does; it holds the device, too:
        # gpiozero gives back the pin of one that nobody holds
        self._gpiozero = None
        self.usb = headsets_for(settings).at  # the source of a UsbHeadset, by its port
        self._has = "a Raspberry Pi has GPIO2 to GPIO27"
        self._slow = False  # it was said that there is no hardware SPI

    def contact(self, name: str, active_low: bool):
        """A function that tells whether the contact at a pin is made. Raises StartError."""
        gpiozero = self._open()
        try:
            device = gpiozero.InputDevice(name, pull_up=active_low)
        except Exception as error:  # gpiozero's, lgpio's, the system's: no common kind
            raise StartError("pin %s cannot be read (%s); %s, and each may be in use by one program"
                             % (name, error, self._has))  # fmt: skip
        pin = device.pin  # asked by itself: a quarter of the time of device.is_active
        self.levels[name] = lambda device=device: int(bool(pin.state))
        high = not active_low
        return lambda: bool(pin.state) == high

    def millivolts(self, name: str):
        """A function that tells the voltage at an MCP3008's input, in millivolts. Raises StartError."""
        if name not in ADCS:
            raise StartError("%s measures no voltage: an MCP3008 does, whose inputs are ADC0 to ADC7; "
                             "those of a second one, at CE1, are ADC8 to ADC15" % name)  # fmt: skip
        gpiozero = self._open()
        chip, channel = divmod(ADCS.index(name), CHANNELS)
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                device = gpiozero.MCP3008(channel=channel, device=chip)
                device.raw_value  # noqa: B018  asked now, so that what is wrong is said at the start
        except Exception as error:
            raise StartError(
                "%s cannot be read (%s); `sudo raspi-config nonint do_spi 0` turns SPI on, for "
                "members of its group spi, and GPIO7 to GPIO11 are then SPI's alone" % (name, error)
            )
        if said and not self._slow:
            self._slow = True
            print("gpiozero: %s; %s is read by software, which is too slow for more than a few lines: `sudo "
                  "raspi-config nonint do_spi 0` mends it" % (said[0].message, name), file=sys.stderr)  # fmt: skip
        self.levels[name] = lambda: device.raw_value * REFERENCE_MV // STEPS
        return self.levels[name]

    def level(self, name: str) -> int:
        """What a pin shows now: 0 or 1, or millivolts. Raises KeyError for one that nothing reads."""
        return self.levels[name]()

    def raw(self) -> dict:
        """`level` of every pin that something reads."""
        return {name: level() for name, level in self.levels.items()}

    def led(self, on: bool) -> None:
        """A Pi's own lamp belongs to its system."""

    async def run(self) -> None:
        """Nothing to serve."""

    def _open(self):
        """gpiozero, its way to the pins found. Raises StartError."""
        if not self._gpiozero:
            chip = self._settings.get("chip")
            with_no_trace_of_lgpio()
            if chip is not None:
                self._has = "/dev/gpiochip%s has GPIO0, GPIO1 and so on, one for each line" % chip
            self._gpiozero = the_pis() if chip is None else lines_of(chip)
        return self._gpiozero


def the_pis():
    """gpiozero, its way to a Raspberry Pi's pins found. What it tried in vain is said in one line."""
    tried = []
    try:
        with warnings.catch_warnings(record=True) as tried:
            warnings.simplefilter("always")
            import gpiozero

            gpiozero.Device.ensure_pin_factory()
    except Exception as error:  # not installed, no pins, not allowed: each of its ways has its own kinds
        why = tried[0].message if tried else error  # the first it tried is the one a Raspberry Pi has
        raise StartError("no GPIO pins here (%s); a Raspberry Pi has them, for members of its group gpio. "
                         "Another Linux computer's chip of them is named: --chip 0. "
                         "Elsewhere try --pins memory --control 127.0.0.1:9001" % why)  # fmt: skip
    for vain in tried:
        print("gpiozero:", vain.message, file=sys.stderr)
    return gpiozero


def lines_of(chip: int):
    """gpiozero on any Linux computer's /dev/gpiochip: GPIO5 is its line 5. Raises StartError.

    gpiozero's LGPIOFactory takes the names of pins from the model of the Raspberry Pi, and refuses to
    work on anything else (PinUnknownPi); given the lines of the chip instead, it works everywhere.
    """
    try:
        import gpiozero
        import lgpio
        from gpiozero.pins.lgpio import LGPIOFactory

        factory = LGPIOFactory(chip=chip)
        lines = lgpio.gpio_get_chip_info(factory._handle)[1]
    except ImportError as error:
        raise StartError("--chip needs gpiozero and lgpio, and there is %s: `pip install gpiozero lgpio` beside "
                         "callfloor" % error)  # fmt: skip
    except Exception as error:  # lgpio's
        raise StartError("/dev/gpiochip%s: %s; `ls -l /dev/gpiochip*` shows which there are, and the group "
                         "that may use them" % (chip, str(error).strip("'")))  # fmt: skip
    factory._info = board_with(lines)
    gpiozero.Device.pin_factory = factory
    return gpiozero


def board_with(lines: int):
    """What gpiozero wants to know of a computer, for one whose pins are called GPIO0, GPIO1, …"""
    from gpiozero.pins import BoardInfo, HeaderInfo, PinInfo

    pins = {}
    for number in range(lines):
        name = "GPIO%d" % number
        names = frozenset((name, number, str(number)))
        pins[number] = PinInfo(number, name, names, "", number + 1, 1, frozenset(("gpio",)))
    facts = dict.fromkeys(BoardInfo._fields)
    facts["headers"] = {"chip": HeaderInfo("chip", lines, 1, pins)}
    return BoardInfo(**facts)


def with_no_trace_of_lgpio() -> None:
    """Imports lgpio, where there is one, in a folder of its own.

    It leaves a pipe, .lgd-nfy0, in the folder it is imported in; and where it may not write there, as in
    that of a system's service, it fails, and gpiozero finds no pins.
    """
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.chdir(folder)
            import lgpio  # noqa: F401
        except Exception:  # gpiozero says what there is to say
            pass
        finally:
            os.chdir(here)
