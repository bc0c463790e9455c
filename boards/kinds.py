"""What kinds of input and panel exist: a page of data each in inputs/*.toml and panels/*.toml, checked here.

A page of an input says how it is wired: parts with their values, the sums that show they fit, the circuit
as text (docs/circuit.py draws it), and what a meter shows when it is right.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

INPUTS = Path(__file__).with_name("inputs")
PANELS = Path(__file__).with_name("panels")

Proven = Literal["decoder", "interpreter", "emulator", "hardware"]
PROVEN: dict[Proven, str] = {
    "decoder": "What goes over the wires was checked by a program that reads it independently, bit by bit. "
    "Neither the chip nor the device was there.",
    "interpreter": "The real firmware ran on the real interpreter (MicroPython on a PC, or CPython), "
    "its pins set by a program. No chip and no device was there.",
    "emulator": "The real firmware ran on an emulated chip, with that chip's pins and converters. "
    "No device was there.",
    "hardware": "It ran on the real board with the real device at its pins.",
}

RATED: dict[str, tuple[str, str]] = {  # key of `rated` → words before and the unit
    "watts": ("", "W"),
    "volts": ("", "V"),
    "amps": ("", "A"),
    "clamp": ("clamps at", "V"),
    "led": ("LED at most", "A"),
    "forward": ("LED drops at most", "V"),
    "ctr": ("passes on at least", "%"),
    "input": ("input up to", "V"),
    "tested": ("isolation tested with", "V"),
}
PREFIX = {"p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6}


class PageError(Exception):
    """A page that cannot be used; the text says which and where."""


class Table(BaseModel):
    """One table of a page: unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(Table):
    """One line of a parts list; parts that are alike share it."""

    refs: tuple[str, ...]  # their names in the drawing
    what: str
    value: str  # as it stands in the drawing: "4.7 MΩ", or a type
    rated: dict[str, float] = {}  # keys of RATED
    note: str = ""

    def quantity(self) -> float | None:
        """The value in ohms, farads, volts, amperes; None for a type."""
        found = re.fullmatch(r"([0-9.]+) ([pnµmkM]?)(Ω|F|V|A)", self.value)
        return float(found[1]) * PREFIX[found[2]] if found else None

    def ratings(self) -> str:
        """What it must bear, in words."""
        rows = [(*RATED[key], value) for key, value in self.rated.items()]
        return ", ".join(f"{words} {_plain(value, unit)}".strip() for words, unit, value in rows)


class Sum(Table):
    """One line of arithmetic with the parts' values, and what must come out."""

    id: str
    what: str
    sum: str  # R1, R1.watts, results of sums above, numbers, + - * / **, sqrt(), log(), pi
    unit: str = ""
    at_least: float | None = None
    at_most: float | str | None = None  # a sum of its own where it is text


class Circuit(Table):
    """One circuit of a page, and its parts."""

    id: str
    title: str
    words: tuple[str, ...] = ()
    part: tuple[Part, ...]
    sum: tuple[Sum, ...] = ()
    sides: tuple[str, str] | None = None  # what stands left and right of the barrier
    draw: str  # docs/circuit.py

    def values(self) -> dict[str, str]:
        """What stands beside each part in the drawing."""
        return {ref: part.value for part in self.part for ref in part.refs}


class Check(Table):
    """One step with the meter."""

    do: str
    expect: str


class Input(Table):
    """One way to read a phone or a headset. Adding one is adding a file, and the code that reads it."""

    name: str
    of: Literal["phone", "headset"]
    by: Literal["contact", "line", "url", "usb"]  # as in the site file
    tells: tuple[str, ...]
    runs: tuple[Literal["micropython", "cpython"], ...]
    proven: Proven
    how: str  # what was proved, how, and what was not
    site: str  # lines of a site file
    isolation: tuple[str, ...] = ()  # besides the rules that hold for all
    circuit: tuple[Circuit, ...]
    check: tuple[Check, ...]
    shows: tuple[str, ...]  # what the board should say then
    unknown: tuple[str, ...] = ()  # what nobody could tell us


class Panel(Table):
    """One kind of panel that a site file may name."""

    name: str
    kind: str  # as in the site file
    runs: tuple[Literal["micropython", "cpython", "browser"], ...]  # browser: /wall/{wall}
    proven: Proven
    how: str


Page = TypeVar("Page", bound=Table)


def inputs() -> dict[str, Input]:
    """Every input's page by the name of its file. Raises PageError."""
    return {path.stem: _read(path, Input) for path in sorted(INPUTS.glob("*.toml"))}


def panels() -> dict[str, Panel]:
    """Every panel's page by the name of its file. Raises PageError."""
    return {path.stem: _read(path, Panel) for path in sorted(PANELS.glob("*.toml"))}


def _read(path: Path, kind: type[Page]) -> Page:
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise PageError(f"{path.name}: {error}") from error


def results(circuit: Circuit) -> list[tuple[Sum, float, float | None]]:
    """Each sum of a circuit with its result and its upper limit. Raises PageError for one outside its limits."""
    known: dict[str, float] = {"pi": math.pi}
    for part in circuit.part:
        for ref in part.refs:
            known |= {f"{ref}.{key}": value for key, value in part.rated.items()}
            if (quantity := part.quantity()) is not None:
                known[ref] = quantity
    found = []
    for row in circuit.sum:
        known[row.id] = result = evaluate(row.sum, known)
        most = evaluate(row.at_most, known) if isinstance(row.at_most, str) else row.at_most
        if (row.at_least is not None and result < row.at_least) or (most is not None and result > most):
            limit = f"at least {row.at_least:g}" if most is None or result <= most else f"at most {most:g}"
            raise PageError(f"{circuit.id}: {row.what} is {result:.4g} {row.unit}, and must be {limit}")
        found.append((row, result, most))
    return found


OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[[float], float]] = {"sqrt": math.sqrt, "log": math.log}


def evaluate(text: str, known: Mapping[str, float]) -> float:
    """A sum's result. Raises PageError for anything but numbers, known names and arithmetic."""

    def of(node: Any) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](of(node.left), of(node.right))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FUNCTIONS and len(node.args) == 1:
            return FUNCTIONS[ast.unparse(node.func)](of(node.args[0]))
        if (name := ast.unparse(node)) in known:
            return known[name]
        raise PageError(f"sum '{text}': '{name}' is no value of a part and no sum above")

    return of(ast.parse(text, mode="eval").body)


def in_words(value: float, unit: str) -> str:
    """A result as people write it: 2.07 V, 11 µA, 52.7 mA."""
    if unit not in ("V", "A", "W", "Ω", "s", "Hz"):
        return f"{_short(value)} {unit}".strip()
    for prefix, factor in reversed(PREFIX.items()):
        if abs(value) >= factor * 0.9995 and not (prefix == "" and unit == ""):
            return f"{_short(value / factor)} {prefix}{unit}"
    return f"{_short(value)} {unit}"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _plain(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value * 100:g} %"
    return f"{value * 1000:g} mA" if unit == "A" and value < 1 else f"{value:g} {unit}"
