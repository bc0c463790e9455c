"""A drawn circuit calculated by its nodes, from the drawing and the parts list alone: DC and one frequency of AC."""

from __future__ import annotations

import itertools
import math
import re

from boards import kinds
from docs import circuit

FACTORS = {"n": 1e-9, "µ": 1e-6, "k": 1e3, "M": 1e6, "": 1.0}
DROP_V = 0.4  # of a small-signal diode at a few microamperes


def value(text: str) -> float:
    """4.7 MΩ → 4700000."""
    found = re.fullmatch(r"([\d.]+) ([nµkM]?)[ΩFVA]", text)
    assert found, text
    return float(found[1]) * FACTORS[found[2]]


class Net:
    """A circuit of a page with what a test puts on it; then `solve` and `volts`."""

    def __init__(self, page: str, name: str, at_hz: float = 0) -> None:
        row = next(row for row in kinds.inputs()[page].circuit if row.id == name)
        drawing = circuit.read(row.draw)
        nodes = drawing.nets()
        self._node = {end: number for number, net in enumerate(nodes) for end in net}
        self._size = len(nodes)
        self._ways: list[tuple[int, int, complex]] = []  # from, to, siemens
        self._sources: list[tuple[int, int, complex]] = []  # plus, minus, volts
        self._currents: list[tuple[int, int, complex]] = []  # out of, into, amperes
        self._amplifiers: list[tuple[int, int, int, int]] = []  # in+, in-, out, ground
        self._diodes: list[tuple[int, int]] = []
        self._solved: list[complex] = []
        values = {ref: part.value for part in row.part for ref in part.refs}
        for part in drawing.parts:
            legs = [self._node[f"{part.ref}.{pin}"] for pin in part.pins]
            if part.kind == "resistor":
                self._ways.append((legs[0], legs[1], 1 / value(values[part.ref])))
            elif part.kind == "capacitor" and at_hz:
                self._ways.append((legs[0], legs[1], 2j * math.pi * at_hz * value(values[part.ref])))
            elif part.kind == "fuse":
                self.join(f"{part.ref}.1", f"{part.ref}.2")
            elif part.kind == "diode":
                self._diodes.append((legs[0], legs[1]))

    def source(self, plus: str, minus: str, volts: float) -> None:
        self._sources.append((self._node[plus], self._node[minus], volts))

    def join(self, one: str, other: str, ohms: float = 1e-3) -> None:
        self._ways.append((self._node[one], self._node[other], 1 / ohms))

    def current(self, out_of: str, into: str, amperes: float) -> None:
        """So much flows into the circuit at one place and comes out at another."""
        self._currents.append((self._node[out_of], self._node[into], amperes))

    def amplifier(self, plus: str, minus: str, out: str, ground: str) -> None:
        """An ideal one: its output is whatever makes its inputs equal."""
        plus_at, minus_at, out_at, ground_at = (self._node[end] for end in (plus, minus, out, ground))
        self._amplifiers.append((plus_at, minus_at, out_at, ground_at))

    def volts(self, one: str, other: str) -> float:
        """Between two pins or names; the size of it where it is AC."""
        found = self._solved[self._node[one]] - self._solved[self._node[other]]
        return found.real if abs(found.imag) < 1e-12 else abs(found)

    def solve(self) -> Net:
        """Tries which diodes conduct until all agree."""
        for conducts in itertools.product((False, True), repeat=len(self._diodes)):
            on = [diode for diode, yes in zip(self._diodes, conducts, strict=True) if yes]
            try:
                self._solved, through = self._try(on)
            except ZeroDivisionError:  # all diodes of a bridge at once: no such thing
                continue
            forwards = all(amperes.real >= -1e-12 for amperes in through)
            blocks = all(
                (self._solved[anode] - self._solved[cathode]).real <= DROP_V + 1e-9
                for (anode, cathode), yes in zip(self._diodes, conducts, strict=True)
                if not yes
            )
            if forwards and blocks:
                return self
        raise AssertionError("no state of the diodes fits")

    def _try(self, on: list[tuple[int, int]]) -> tuple[list[complex], list[complex]]:
        """The voltage of every node, and the current through each diode of those that conduct."""
        sources = [*self._sources, *((anode, cathode, DROP_V) for anode, cathode in on)]
        size = self._size + len(sources) + len(self._amplifiers)
        rows = [[0j] * (size + 1) for _ in range(size)]
        for node in range(self._size):
            rows[node][node] += 1e-13  # so that what hangs in the air has a voltage
        for one, other, siemens in self._ways:
            rows[one][one] += siemens
            rows[other][other] += siemens
            rows[one][other] -= siemens
            rows[other][one] -= siemens
        for out_of, into, amperes in self._currents:
            rows[out_of][size] -= amperes
            rows[into][size] += amperes
        for number, (plus, minus, volts) in enumerate(sources, self._size):
            rows[plus][number] += 1
            rows[minus][number] -= 1
            rows[number][plus] += 1
            rows[number][minus] -= 1
            rows[number][size] = complex(volts)
        for number, (plus, minus, out, ground) in enumerate(self._amplifiers, self._size + len(sources)):
            rows[out][number] += 1
            rows[ground][number] -= 1
            rows[number][plus] += 1
            rows[number][minus] -= 1
        found = eliminated(rows)
        first = self._size + len(self._sources)
        return found[: self._size], found[first : first + len(on)]


def eliminated(rows: list[list[complex]]) -> list[complex]:
    """The unknowns of a system of equations (Gauss), each row ending with its right side."""
    size = len(rows)
    for column in range(size):
        best = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[best] = rows[best], rows[column]
        for row in range(size):
            if row != column and rows[row][column]:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [
                    mine - factor * theirs for mine, theirs in zip(rows[row], rows[column], strict=True)
                ]
    return [rows[row][size] / rows[row][row] for row in range(size)]
