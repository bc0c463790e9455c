"""A circuit as text: parts, wires and names at the points of a grid, and what is joined with what.

A line is one thing; points are `x,y` in steps of the grid, y grows downwards:

    R1 resistor 4,2 10,2              a part with two legs, its first leg first (a diode's is the anode)
    R2 resistor 6,2 6,6 left          its label stands left of it; else right, above, below
    U1 opto 12,2                      LED and transistor, the LED's upper leg at that point; acopto: two LEDs
    U2 box 12,2 18,8 L1:VIN R3:OUT    any other part: corners, then side, step along it, and the pin's name
    wire 0,2 4,2 4,6                  joins what it touches with an end or a corner
    outside 0,2 line a                a wire from outside comes in here
    board 24,2 GP4                    this goes to the board's pin
    ground 6,8 GND                    all of one name, here and at the board, are joined
    supply 6,0 3V3
    barrier 15 0 9                    nothing that conducts crosses x = 15 between y = 0 and 9
    text 3,1 words                    only words
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

Point = tuple[float, float]

TWO_LEGGED = ("resistor", "capacitor", "diode", "zener", "varistor", "fuse", "reed", "switch", "cable")
OPTOS = ("opto", "acopto")  # one LED; two, for AC
OPTO_PINS = ("A", "K", "C", "E")
OPTO_AT: tuple[Point, ...] = ((0, 0), (0, 2), (6, 0), (6, 2))  # where those pins are, from the first
LABEL_SIDES = ("left", "right", "above", "below")
SIDES = {"L": (-1, 0), "R": (1, 0), "T": (0, -1), "B": (0, 1)}


class CircuitError(Exception):
    """A line that cannot be drawn; the text says which and why."""


@dataclass(frozen=True)
class Part:
    """One part: its kind, the corners it was placed with, and where each pin is."""

    ref: str
    kind: str
    corners: tuple[Point, ...]
    pins: dict[str, Point]
    label: str = ""  # on which side its label stands; empty: where such parts have it


@dataclass(frozen=True)
class Name:
    """A name at a point: what comes from outside, what goes to the board, a ground or a supply."""

    kind: str
    at: Point
    text: str


@dataclass
class Circuit:
    """What stands in a text."""

    parts: list[Part] = field(default_factory=list)
    wires: list[list[Point]] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    texts: list[Name] = field(default_factory=list)
    barriers: list[tuple[float, float, float]] = field(default_factory=list)

    def refs(self) -> list[str]:
        """The parts' names, in the order they stand."""
        return [part.ref for part in self.parts]

    def ends(self) -> list[tuple[str, Point]]:
        """Every pin as `R1.1` and every name, with its point."""
        pins = [(f"{part.ref}.{pin}", at) for part in self.parts for pin, at in part.pins.items()]
        return pins + [(name.text, name.at) for name in self.names]

    def nets(self) -> list[dict[str, list[Point]]]:
        """What is joined: for each net its pins and names, each with its points."""
        points = {at for _, at in self.ends()} | {at for wire in self.wires for at in wire}
        group = {at: at for at in points}

        def root(at: Point) -> Point:
            while group[at] != at:
                at = group[at]
            return at

        for wire in self.wires:
            for first, second in pairwise(wire):
                for at in points:
                    if between(first, at, second):
                        group[root(at)] = root(first)
        by_name: dict[str, Point] = {}
        for name in self.names:
            if name.kind != "outside":
                group[root(name.at)] = root(by_name.setdefault(name.text, name.at))
        nets: dict[Point, dict[str, list[Point]]] = {}
        for end, at in self.ends():
            nets.setdefault(root(at), {}).setdefault(end, []).append(at)
        return list(nets.values())

    def dots(self) -> list[Point]:
        """Where three or more conductors meet."""
        count: dict[Point, int] = {}
        for _, at in self.ends():
            count[at] = count.get(at, 0) + 1
        for wire in self.wires:
            for at in (wire[0], wire[-1]):
                count[at] = count.get(at, 0) + 1
        for at in count:
            for wire in self.wires:
                inside = at in wire[1:-1] or any(
                    between(first, at, second) and at not in (first, second)
                    for first, second in pairwise(wire)
                )
                count[at] += 2 * inside
        return sorted(at for at, conductors in count.items() if conductors >= 3)


def between(first: Point, at: Point, second: Point) -> bool:
    """Whether a point lies on a level or an upright line."""
    level = first[1] == at[1] == second[1] and min(first[0], second[0]) <= at[0] <= max(first[0], second[0])
    upright = first[0] == at[0] == second[0] and min(first[1], second[1]) <= at[1] <= max(first[1], second[1])
    return level or upright


def read(text: str) -> Circuit:
    """The circuit in a text. Raises CircuitError."""
    circuit = Circuit()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            _read_line(circuit, words)
        except (ValueError, KeyError, IndexError) as error:
            raise CircuitError(f"line {number}: {line.strip()}: {error}") from error
    return circuit


def _read_line(circuit: Circuit, words: list[str]) -> None:
    first, *rest = words
    if first == "wire":
        wire = [_point(word) for word in rest]
        for one, other in pairwise(wire):
            if one[0] != other[0] and one[1] != other[1]:
                raise ValueError("a wire is level or upright")
        circuit.wires.append(wire)
    elif first in ("outside", "board", "ground", "supply"):
        circuit.names.append(Name(first, _point(rest[0]), " ".join(rest[1:])))
    elif first == "text":
        circuit.texts.append(Name(first, _point(rest[0]), " ".join(rest[1:])))
    elif first == "barrier":
        x, top, bottom = (float(word) for word in rest)
        circuit.barriers.append((x, top, bottom))
    elif first in circuit.refs():
        raise ValueError(f"{first} stands there already")
    else:
        circuit.parts.append(_part(first, *rest))


def _part(ref: str, kind: str, *rest: str) -> Part:
    if kind in TWO_LEGGED:
        start, end = _point(rest[0]), _point(rest[1])
        label = rest[2] if len(rest) > 2 else ""
        if label and label not in LABEL_SIDES:
            raise ValueError(f"a label stands {', '.join(LABEL_SIDES)}")
        return Part(ref, kind, (start, end), {"1": start, "2": end}, label)
    if kind in OPTOS:
        x, y = _point(rest[0])
        pins = {pin: (x + dx, y + dy) for pin, (dx, dy) in zip(OPTO_PINS, OPTO_AT, strict=True)}
        return Part(ref, kind, ((x, y), (x + 6, y + 2)), pins)
    if kind != "box":
        raise ValueError(f"no part is drawn as '{kind}'; there is {', '.join((*TWO_LEGGED, *OPTOS))}, box")
    corner, opposite = _point(rest[0]), _point(rest[1])
    pins = {}
    for word in rest[2:]:
        place, _, pin = word.partition(":")
        side, step = place[0], float(place[1:])
        dx, dy = SIDES[side]
        x = corner[0] + step if dy else (corner if dx < 0 else opposite)[0] + dx
        y = corner[1] + step if dx else (corner if dy < 0 else opposite)[1] + dy
        if pin in pins:
            raise ValueError(f"two pins are called {pin}")
        pins[pin] = (x, y)
    return Part(ref, kind, (corner, opposite), pins)


def _point(word: str) -> Point:
    x, y = word.split(",")
    return float(x), float(y)
