"""A Raspberry Pi's pins by gpiozero's own pins that are not there, down to the bits an MCP3008 is asked with."""

from __future__ import annotations

import gc
import importlib.util
import os
import random
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from firmware import pins_gpiozero
from firmware.pins_gpiozero import Pins
from firmware.start import StartError

CE0, CE1 = "GPIO8", "GPIO7"
STEP_MV = 3300 / 1024


class Wire(MockPin):  # type: ignore[misc]
    """A pin whose other end hears of each change."""

    def _set_state(self, value: bool) -> None:
        super()._set_state(value)
        for heard in getattr(self, "heard", ()):
            heard()


class Mcp3008:
    """The chip, from its data sheet (Microchip DS21295, 5.0 and figure 5-1), listening to the four wires.

    CS low selects it. It takes DIN in as CLK rises: zeros until the start bit, then SGL/DIFF, D2, D1, D0, and a
    clock to sample in. It changes DOUT as CLK falls: the null bit on the fifth clock after the start bit's,
    then ten bits of the result, highest first.
    """

    def __init__(self, factory: MockFactory, select: str) -> None:
        self.volts = [0.0] * 8
        self.asked: list[tuple[int, int]] = []  # (SGL/DIFF, channel) of each conversion
        self._cs, self._clk, self._din, self._dout = (
            factory.pin(name) for name in (select, "GPIO11", "GPIO10", "GPIO9")
        )
        self._selected = self._high = False
        self._bits: list[int] | None = None  # taken in since the start bit
        self._out: list[int] = []
        for pin, hears in ((self._cs, self._on_select), (self._clk, self._on_clock)):
            pin.heard = [*getattr(pin, "heard", ()), hears]

    def _on_select(self) -> None:
        selected = not self._cs.state
        if selected and not self._selected:
            assert not self._clk.state, "mode 0,0: the clock idles low"
            self._bits, self._out = None, []
        self._selected = selected

    def _on_clock(self) -> None:
        was, self._high = self._high, bool(self._clk.state)
        if not self._selected or was == self._high:
            return
        if self._high:
            self._rises(int(self._din.state))
        elif self._bits is not None and len(self._bits) >= 5:
            (self._dout.drive_high if self._out and self._out.pop(0) else self._dout.drive_low)()

    def _rises(self, din: int) -> None:
        if self._bits is None:
            self._bits = [] if din else None
            return
        self._bits.append(din)
        if len(self._bits) == 5:
            single, *channel, _ = self._bits
            number = channel[0] * 4 + channel[1] * 2 + channel[2]
            self.asked.append((single, number))
            code = max(0, min(1023, int(1024 * self.volts[number] / 3.3)))
            self._out = [0] + [code >> place & 1 for place in range(9, -1, -1)]


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    """A Raspberry Pi 3 with nothing on its header."""
    before = gpiozero.Device.pin_factory
    factory = gpiozero.Device.pin_factory = MockFactory(pin_class=Wire)
    yield factory
    factory.reset()
    gpiozero.Device.pin_factory = before


def test_a_contact_is_made_when_its_pin_is_where_the_site_file_says(factory: MockFactory) -> None:
    pins = Pins({})
    low, high = pins.contact("GPIO17", True), pins.contact("GPIO27", False)
    gc.collect()  # gpiozero gives back what nobody holds
    assert (factory.pin("GPIO17").pull, factory.pin("GPIO27").pull) == ("up", "down")
    assert (low(), high()) == (False, False)
    assert pins.raw() == {"GPIO17": 1, "GPIO27": 0}
    factory.pin("GPIO17").drive_low()
    factory.pin("GPIO27").drive_high()
    assert (low(), high()) == (True, True)
    assert pins.raw() == {"GPIO17": 0, "GPIO27": 1}
    assert pins.level("GPIO17") == 0
    with pytest.raises(StartError, match="GPIO17 cannot be read"):
        pins.contact("GPIO17", True)
    pins.levels.pop("GPIO17")  # a recording is over
    assert pins.contact("GPIO17", True)() is False  # opened anew, it is pulled up


def test_sixteen_lines_at_two_mcp3008_are_measured(factory: MockFactory) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    hand = random.Random(seed)
    chips = Mcp3008(factory, CE0), Mcp3008(factory, CE1)
    pins = Pins({})
    read = [pins.millivolts(f"ADC{number}") for number in range(16)]
    for chip in chips:
        chip.asked.clear()
    for _ in range(20):
        for chip in chips:
            chip.volts = [hand.uniform(0, 3.3) for _ in range(8)]
        for number, millivolts in enumerate(read):
            true_mv = chips[number // 8].volts[number % 8] * 1000
            assert 0 <= true_mv - millivolts() < STEP_MV + 1
    for chip in chips:
        assert chip.asked == [(1, channel) for channel in range(8)] * 20  # single-ended, each once


@pytest.mark.parametrize(("volts", "millivolts"), [(0, 0), (0.0033, 3), (1.65, 1650), (3.3, 3296), (9, 3296)])
def test_the_ends_of_the_scale(volts: float, millivolts: int, factory: MockFactory) -> None:
    chip = Mcp3008(factory, CE1)
    pins = Pins({})
    read = pins.millivolts("ADC13")
    chip.volts[5] = volts
    assert read() == pins.level("ADC13") == pins.raw()["ADC13"] == millivolts


def test_a_chip_that_is_not_there_measures_nothing(factory: MockFactory) -> None:
    assert Pins({}).millivolts("ADC0")() == 0


class Bus:
    """Hardware SPI that answers at once: what is left is our own work and gpiozero's."""

    bits_per_word = 8

    def __init__(self, **pins: Any) -> None:
        """Anything: gpiozero names pins and factory."""

    def transfer(self, data: list[int]) -> list[int]:
        assert len(data) == 3
        return [0, 2, 0]

    def close(self) -> None:
        """Nothing to close."""


def test_sixteen_desks_are_read_in_a_fraction_of_a_poll(
    factory: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On top comes the wire's time, 24 bits at 500 kHz for each voltage: 0.8 ms for sixteen."""
    monkeypatch.setattr(factory, "_get_spi_class", lambda shared, hardware: Bus)
    pins = Pins({})
    voltages = [pins.millivolts(f"ADC{number}") for number in range(16)]
    contacts = [pins.contact(f"GPIO{number}", True) for number in range(12, 28)]
    assert {read() for read in voltages} == {1650}
    took_ms = []
    for _ in range(20):
        began = time.perf_counter()
        for read in (*voltages, *contacts):
            read()
        took_ms.append((time.perf_counter() - began) * 1000)
    print(f"sixteen voltages and sixteen contacts: {min(took_ms):.2f} ms")
    assert min(took_ms) < 3


class NoSpi:
    """SPI that the kernel has not been told to have."""

    def __init__(self, **pins: Any) -> None:
        raise OSError("can not open SPI device")


def test_without_hardware_spi_it_is_read_by_software_and_that_is_said_once(
    factory: MockFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    software = factory._get_spi_class
    monkeypatch.setattr(
        factory, "_get_spi_class", lambda shared, hardware: NoSpi if hardware else software(shared, hardware)
    )
    chip = Mcp3008(factory, CE0)
    pins = Pins({})
    reads = [pins.millivolts("ADC0"), pins.millivolts("ADC1")]
    [said] = capsys.readouterr().err.splitlines()
    assert "can not open SPI device" in said
    assert "sudo raspi-config nonint do_spi 0" in said
    chip.volts = [1.0, 2.0, 0, 0, 0, 0, 0, 0]
    assert [read() // 100 for read in reads] == [9, 19]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda pins: pins.contact("GPIO99", True), r"pin GPIO99 cannot be read \(.*not a valid pin"),
        (
            lambda pins: [pins.contact("GPIO4", True) for _ in "ab"],
            r"pin GPIO4 .*already in use.*one program",
        ),
        (lambda pins: pins.contact("GPIO2", False), r"pin GPIO2 cannot be read \(.*fixed pull"),
        (lambda pins: pins.millivolts("GPIO4"), "GPIO4 measures no voltage.*MCP3008.*ADC0 to ADC7"),
        (lambda pins: pins.millivolts("ADC16"), "ADC16 measures no voltage"),
        (
            lambda pins: (pins.contact("GPIO10", True), pins.millivolts("ADC1")),
            r"ADC1 cannot be read \(.*GPIO10 is already in use.*do_spi 0.*GPIO7 to GPIO11",
        ),
        (
            lambda pins: (pins.millivolts("ADC9"), pins.contact("GPIO7", True)),
            "pin GPIO7 cannot be read .*already in use",
        ),
    ],
)
def test_a_pin_that_cannot_be_had_is_said(ask: Any, words: str, factory: MockFactory) -> None:
    with pytest.raises(StartError, match=words):
        ask(Pins({}))


def test_without_gpiozero_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(StartError, match=r"no GPIO pins here \(.*gpiozero.*--pins memory"):
        Pins({}).contact("GPIO4", True)
    with pytest.raises(StartError, match=r"--chip needs gpiozero and lgpio.*pip install"):
        Pins({"chip": 0}).contact("GPIO4", True)


def test_headsets_need_no_pins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A computer without GPIO can be the board of headsets."""
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    pins = Pins({"sys": str(tmp_path), "dev": str(tmp_path)})
    assert pins.usb("1-1.2").read() == [("unplugged",)]
    assert pins.raw() == {}


def test_a_chip_that_is_not_there_is_said() -> None:
    there = importlib.util.find_spec("lgpio") is not None
    words = r"/dev/gpiochip63: .*ls -l /dev/gpiochip" if there else "--chip needs gpiozero and lgpio"
    with pytest.raises(StartError, match=words):
        Pins({"chip": 63}).contact("GPIO4", True)


def test_lines_of_any_computers_chip_are_named_by_their_numbers(factory: MockFactory) -> None:
    """gpiozero itself finds them in the description that it is given instead of a Raspberry Pi's."""
    factory._info = pins_gpiozero.board_with(12)
    pins = Pins({})
    contact = pins.contact("GPIO3", True)
    assert factory.pin("GPIO3").pull == "up"
    factory.pin("GPIO3").drive_low()
    assert contact()
    chip = Mcp3008(factory, CE1)
    chip.volts[0] = 1.65
    assert pins.millivolts("ADC8")() == 1650
    with pytest.raises(StartError, match="GPIO12"):
        pins.contact("GPIO12", True)


class Lgpio(types.ModuleType):
    """What gpiozero's LGPIOFactory asks of lgpio, for a computer with one chip of eight lines and one MCP3008."""

    SET_PULL_NONE, SET_PULL_UP, SET_PULL_DOWN = 128, 32, 64
    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3

    class error(Exception):
        """As the real one is called."""

    def __init__(self) -> None:
        super().__init__("lgpio")
        self.claimed: dict[int, int] = {}  # line → flags
        self.low: set[int] = set()

    def gpiochip_open(self, chip: int) -> int:
        assert chip == 2
        return 7

    def gpiochip_close(self, handle: int) -> None:
        """Nothing to close."""

    def gpio_get_chip_info(self, handle: int) -> list[Any]:
        return [0, 8, "gpiochip2", "gpio-sim.0-node0"]

    def gpio_claim_input(self, handle: int, line: int, flags: int = 0) -> int:
        assert handle == 7
        assert 0 <= line < 8
        self.claimed[line] = flags
        return 0

    def gpio_claim_output(self, handle: int, line: int) -> int:
        raise AssertionError("nothing is driven")

    def gpio_free(self, handle: int, line: int) -> int:
        del self.claimed[line]
        return 0

    def gpio_get_mode(self, handle: int, line: int) -> int:
        return self.claimed[line]

    def gpio_read(self, handle: int, line: int) -> int:
        if self.claimed[line] == self.SET_PULL_UP:
            return int(line not in self.low)
        raise AssertionError("no pull-up")

    def spi_open(self, port: int, device: int, baud: int, flags: int) -> int:
        if (port, device) != (0, 0):
            raise self.error("can not open SPI device")
        assert baud <= 1_350_000  # the data sheet's most at 2.7 V
        return 9

    def spi_xfer(self, handle: int, data: list[int]) -> tuple[int, bytearray]:
        assert handle == 9
        assert list(data) == [1, 0x80 | 3 << 4, 0]  # figure 6-1: start; single-ended, channel 3
        return 3, bytearray((0xFF, 0b11111010, 0))  # ones where nothing is driven, the null bit, 10 0000 0000

    def spi_close(self, handle: int) -> None:
        """Nothing to close."""


def test_any_computers_chip_by_gpiozeros_own_lgpio_factory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lgpio = Lgpio()
    monkeypatch.setitem(sys.modules, "lgpio", lgpio)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    pins = Pins({"chip": 2})
    contact = pins.contact("GPIO5", True)
    assert not contact()
    lgpio.low.add(5)
    assert contact()
    assert lgpio.claimed == {5: lgpio.SET_PULL_UP}
    with pytest.raises(StartError, match=r"pin GPIO8 .*/dev/gpiochip2 has GPIO0, GPIO1 and so on"):
        pins.contact("GPIO8", True)
    assert pins.millivolts("ADC3")() == 0x200 * 3300 // 1024
    assert pins.raw() == {"GPIO5": 0, "ADC3": 1650}
    assert capsys.readouterr().err == ""
    with pytest.raises(StartError, match=r"ADC8 cannot be read \(GPIO11 is not a valid pin name\).*do_spi 0"):
        pins.millivolts("ADC8")  # there is no second chip at its SPI, and no line to do it by software
    gpiozero.Device.pin_factory.close()
    gpiozero.Device.pin_factory._reservations.clear()


def test_lgpio_leaves_nothing_where_it_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does at its import what lgpio 0.2 does: it makes a pipe in the folder it is in."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "lgpio.py").write_text("import os\nos.mkfifo('.lgd-nfy0')\nmade = True\n")
    (tmp_path / "here").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.delitem(sys.modules, "lgpio", raising=False)
    monkeypatch.chdir(tmp_path / "here")
    pins_gpiozero.with_no_trace_of_lgpio()
    assert sys.modules["lgpio"].made
    monkeypatch.delitem(sys.modules, "lgpio")
    assert os.getcwd() == str(tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []
