"""What a chip's pins can do: a page of data each in chips/*.toml. Boards' pages are held against it."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from boards import kinds
from firmware import line

PAGES = Path(__file__).with_name("chips")
LISTS = ("gpio", "input_only", "no_pull", "adc1", "adc2", "flash")  # written as numbers and ranges: "0-21"


class ChipError(Exception):
    """A chip's page that cannot be used; the text says where."""


class Measures(BaseModel):
    """What its converter sees at the range that the firmware takes, in millivolts; the worst of the datasheet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_mv: int  # less than that looks like this
    to_mv: int
    error_mv: int

    def lines(self) -> bool:
        """Whether a telephone line can be read by it: docs/wiring/phone-line.md has the sums."""
        unplugged_mv, lifted_mv, highest_mv = _line_mv()
        apart = self.error_mv < unplugged_mv < lifted_mv - self.error_mv
        return apart and self.from_mv < unplugged_mv and self.to_mv >= highest_mv


@functools.cache
def _line_mv() -> tuple[float, float, float]:
    """At the ADC: below the first a line is unplugged, the least of a lifted handset, the highest there is."""
    (circuit,) = kinds.inputs()["phone-line"].circuit
    sums = {row.id: result for row, result, _ in kinds.results(circuit)}
    unplugged = line.FAULT_DV / 10 / sums["divider"]
    return unplugged * 1000, sums["offhook"] * 1000, sums["at_adc"] * 1000


class PullDown(BaseModel):
    """A pull-down of the chip's own that does not do what it should."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    erratum: str
    trap: str
    most_ohm: int  # a resistor to ground that does it


class Chip(BaseModel):
    """One chip. Its pins' names are those of its boards, with a prefix: GP4, IO33, GPIO17."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    prefix: str
    gpio: tuple[str, ...]  # all that there are
    input_only: tuple[str, ...] = ()
    no_pull: tuple[str, ...] = ()  # with neither a pull-up nor a pull-down
    adc1: tuple[str, ...] = ()  # that measure a voltage
    adc2: tuple[str, ...] = ()  # that do while Wi-Fi is off, and so never
    flash: tuple[str, ...] = ()  # wired to its own memory
    spi: tuple[int, ...] = ()  # its buses, as MicroPython counts them; none: the kernel of the system has them
    strapping: dict[str, str] = {}  # read at the start: what a level does there
    measures: Measures | None = None
    pull_down: PullDown | None = None
    sources: tuple[str, ...]  # where all this is written

    @model_validator(mode="before")
    @classmethod
    def _with_prefix(cls, written: Any) -> Any:
        prefix = str(written.get("prefix", ""))
        lists = {key: [prefix + number for number in _numbers(written[key])] for key in LISTS if key in written}
        straps = {prefix + number: words for number, words in written.get("strapping", {}).items()}
        return {**written, **lists, "strapping": straps}

    @model_validator(mode="after")
    def _pins_that_it_has(self) -> Chip:
        for key in (*LISTS, "strapping"):
            pins = getattr(self, key)
            if lacking := [pin for pin in pins if pin not in self.gpio]:
                raise ValueError(f"{key} names {lacking[0]}, which gpio does not")
            if len(set(pins)) < len(pins):
                raise ValueError(f"{key} names a pin twice")
        return self

    def is_pin(self, text: str) -> bool:
        """Whether a name is that of a pin, be it there or not."""
        return re.fullmatch(f"{self.prefix}[0-9]+", text) is not None


def _numbers(ranges: Any) -> list[str]:
    found: list[str] = []
    for part in ranges:
        first, _, last = part.partition("-")
        found += [str(number) for number in range(int(first), int(last or first) + 1)]
    return found


def names() -> list[str]:
    """The ids a board's page may give as `chip`."""
    return sorted(path.stem for path in PAGES.glob("*.toml"))


def read(name: str) -> Chip:
    """The page of one chip. Raises ChipError."""
    path = PAGES / f"{name}.toml"
    if not path.exists():
        raise ChipError(f"no chip '{name}'; there is {', '.join(names())}")
    return _read(path, path.stat().st_mtime_ns)


@functools.cache
def _read(path: Path, changed_ns: int) -> Chip:
    try:
        return Chip.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError, ValueError) as error:
        raise ChipError(f"chips/{path.name}: {error}") from error
