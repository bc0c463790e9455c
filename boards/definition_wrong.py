"""What is wrong with a board's page: pins that its chip lacks, that cannot be used so, or that are used twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boards.chip import Chip
    from boards.definition import Definition, Spi

# What stands beside pins on a header.
POWER = {"GND", "AGND", "3V3", "3V3_EN", "5V", "VSYS", "VBUS", "ADC_VREF", "RUN"}
# Whose chips' boot code takes such an image.
IMAGES = {"uf2": ("rp2040", "rp2350"), "esptool": ("esp32", "esp32s3")}


def wrong(page: Definition) -> list[str]:
    """A line each; empty: a page that can be believed. Raises chip.ChipError for a chip nobody knows."""
    made_of = page.made_of
    named = list(_named(page, made_of))
    found = [
        f"{where} {pin}: {made_of.name} has no such pin"
        for where, pin in named
        if made_of.is_pin(pin) and pin not in made_of.gpio
    ]
    found += [
        f"{where} {pin}: a pin of {made_of.name} is written like {made_of.gpio[-1]}"
        for where in ("pins", "taken", "trap", "absent")
        for pin in getattr(page, where)
        if not made_of.is_pin(pin) and pin not in page.adc
    ]
    found += [
        f"header {pin}: that is neither a pin of {made_of.name} nor one of {', '.join(sorted(POWER))}"
        for pin in page.header
        if not made_of.is_pin(pin) and pin not in POWER
    ]
    found += [line for pin in page.pins if (line := _no_contact(page, made_of, pin))]
    found += [line for pin in page.adc if (line := _no_voltage(page, made_of, pin))]
    for where, pin in _outputs(page):
        if pin in made_of.input_only:
            found.append(f"{where} {pin}: it is an input only")
        elif not made_of.is_pin(pin):
            found.append(f"{where} {pin}: that is no pin of {made_of.name}")
    return found + _twice(page) + _buses(page, made_of) + _whole(page, made_of)


def _named(page: Definition, made_of: Chip) -> Iterator[tuple[str, str]]:
    """Every pin of the page, and where it stands."""
    for where in ("pins", "adc", "taken", "trap", "absent", "header"):
        yield from ((where, pin) for pin in getattr(page, where))
    yield from _outputs(page)


def _outputs(page: Definition) -> Iterator[tuple[str, str]]:
    """Pins that the board drives."""
    for name, bus in page.spi.items():
        yield from ((f"{name}.{key}", pin) for key, pin in _wires(bus))
    yield from (("lamp", pin) for pin in page.lamp_pins)
    for name, way in page.wired.ways().items():
        yield from ((f"{name}.{key}", pin) for key, pin in way.pins().items())


def _wires(bus: Spi) -> Iterator[tuple[str, str]]:
    yield from ((key, pin) for key in ("sck", "mosi") for pin in getattr(bus, key))
    yield from ((key, pin) for key in ("cs", "miso") if (pin := getattr(bus, key)))


def _no_contact(page: Definition, made_of: Chip, pin: str) -> str | None:
    if pin in page.avoid:
        return f"pins {pin}: {page.avoid[pin]}"
    if pin in made_of.no_pull:
        return f"pins {pin}: it has no pull-up, which a contact needs"
    return None


def _no_voltage(page: Definition, made_of: Chip, pin: str) -> str | None:
    if not made_of.is_pin(pin):
        return None if page.runs == "cpython" else f"adc {pin}: that is no pin of {made_of.name}"
    if pin in made_of.adc2 and page.wifi:
        return f"adc {pin}: it is of the second converter, which is the radio's while Wi-Fi is on"
    if pin not in made_of.adc1 + made_of.adc2:
        return f"adc {pin}: {made_of.name} measures nothing there"
    return f"adc {pin}: {page.avoid[pin]}" if pin in page.avoid else None


def _twice(page: Definition) -> list[str]:
    found = []
    for where in ("pins", "adc", "absent", "usb_ids"):
        found += _repeated(where, getattr(page, where))
    for name, bus in page.spi.items():
        found += _repeated(name, [pin for _, pin in _wires(bus)])
    own = [*page.lamp_pins, *(pin for way in page.wired.ways().values() for pin in way.pins().values())]
    found += _repeated("lamp and wired", own)
    found += [f"taken {pin}: lamp or wired says so already" for pin in page.taken if pin in own]
    found += [
        f"header {pin}: it is at pin {page.position(pin)} already"
        for pin in sorted({pin for pin in page.header if page.header.count(pin) > 1 and pin[-1].isdigit()} - {"3V3"})
    ]
    found += [f"absent {pin}: {where} has it" for pin in page.absent for where in ("pins", "adc", "taken", "header")
              if pin in getattr(page, where)]  # fmt: skip
    return found + [
        f"trap {pin}: it is none of the pins" for pin in page.trap if pin not in page.pins + page.adc
    ]


def _repeated(where: str, row: Iterable[str]) -> list[str]:
    row = list(row)
    return [f"{where} {pin}: it is there twice" for pin in sorted({pin for pin in row if row.count(pin) > 1})]


def _buses(page: Definition, made_of: Chip) -> list[str]:
    """A bus is one that the chip has, goes to panels or to a network chip, and takes only pins that are free."""
    found = []
    if made_of.spi:
        named = {f"spi{number}" for number in made_of.spi}
        found += [f"{name}: {made_of.name} has {', '.join(sorted(named))}" for name in page.spi if name not in named]
        if chip := page.wired.w5500:
            name = f"spi{chip.spi}"
            if name not in named:
                found.append(f"w5500.spi {chip.spi}: {made_of.name} has {', '.join(sorted(named))}")
            if name in page.spi:
                found.append(f"{name}: it is the W5500's")
    return found + [
        f"{name}.{key} {pin}: {page.avoid.get(pin, 'it is none of the pins')}"
        for name, bus in page.spi.items()
        for key, pin in _wires(bus)
        if pin not in page.pins and page.takers.get(pin) != "spi"
    ]


def _whole(page: Definition, made_of: Chip) -> list[str]:
    """Nothing is left unsaid: each of the chip's pins, its image, its header."""
    said = {*page.pins, *page.adc, *page.avoid, *page.absent, *made_of.no_pull}
    found = [f"{pin}: the page does not say what it is for" for pin in made_of.gpio if pin not in said]
    led_out = [pin for pin in (*page.pins, *page.adc) if made_of.is_pin(pin)]
    if page.header:
        found += [f"{pin}: the header has it nowhere" for pin in led_out if pin not in page.header]
    if page.flash and page.chip not in IMAGES[page.flash.by]:
        found.append(f"flash.by {page.flash.by}: {made_of.name} takes no such image")
    if page.flash and (page.flash.offset is None) != (page.flash.by == "uf2"):
        found.append("flash.offset: esptool asks for it, and nobody else")
    if page.inputs_most > len(page.pins):
        found.append(f"inputs_most is {page.inputs_most}, and there are {len(page.pins)} pins")
    return found
