"""Circuits as SVG: symbols of IEC 60617 on a grid, text as text, on paper of its own that suits any page."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from docs.circuit import OPTOS, Circuit, Name, Part, Point

STEP = 20  # pixels to a step of the grid
STYLE = """\
text { font: 13px "DejaVu Sans", Verdana, sans-serif; fill: #111 }
.small { font-size: 11px }
.ref { font-weight: bold }
.note { font-style: italic; fill: #333 }
path, rect, circle { stroke: #111; stroke-width: 1.6; fill: none; stroke-linejoin: round }
.solid { fill: #111 }
.body { fill: #fff }
.case { fill: #fff }
.paper { fill: #fff; stroke: #999; stroke-width: 1 }
.field { fill: #fff4e2; stroke: none }
.safe { fill: #eaf3ff; stroke: none }
.barrier { stroke: #b00020; stroke-width: 2.4; stroke-dasharray: 9 6 }
.isolated { fill: #b00020; font-weight: bold }
.cable { stroke-width: 4 }
.over { paint-order: stroke; stroke: #fff; stroke-width: 6px }"""


def number(value: float) -> str:
    """A coordinate as short as it can be, the same on every computer."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


def path(commands: str, kind: str = "") -> str:
    return f'<path{_class(kind)} d="{commands}"/>'


def words(x: float, y: float, text: str, anchor: str = "middle", kind: str = "") -> str:
    return f'<text{_class(kind)} x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str = "body") -> str:
    return f'<rect{_class(kind)} x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"/>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


# What stands in the middle of a part with two legs: drawn level, around 0,0; legs end `reach` from there.
def _resistor() -> str:
    return box(-16, -6, 32, 12)


def _capacitor() -> str:
    return path("M-3,-11V11M3,-11V11")


def _diode() -> str:
    return path("M-7,-8V8L7,0Z", "solid") + path("M7,-8V8")


def _zener() -> str:
    return path("M-7,-8V8L7,0Z", "solid") + path("M3,-8H7V8H11")


def _varistor() -> str:
    return box(-16, -6, 32, 12) + path("M-20,12H-14L12,-12")


def _fuse() -> str:
    return box(-16, -6, 32, 12) + path("M-16,0H16")


def _switch() -> str:
    return (
        '<circle class="body" cx="-12" cy="0" r="2.5"/><circle class="body" cx="12" cy="0" r="2.5"/>'
        + path("M-10,-1L12,-10")
    )


def _reed() -> str:
    return '<rect class="body" x="-24" y="-11" width="48" height="22" rx="11"/>' + path(
        "M-24,0H-14L10,-7M24,0H8"
    )


def _cable() -> str:
    return ""


SYMBOLS: dict[str, tuple[Callable[[], str], float]] = {  # kind → (drawing, reach)
    "resistor": (_resistor, 16),
    "capacitor": (_capacitor, 3),
    "diode": (_diode, 7),
    "zener": (_zener, 7),
    "varistor": (_varistor, 16),
    "fuse": (_fuse, 16),
    "switch": (_switch, 14.5),
    "reed": (_reed, 24),
    "cable": (_cable, 0),
}


def svg(circuit: Circuit, title: str, values: dict[str, str], sides: tuple[str, str] | None) -> str:
    """The whole picture. `values`: what stands beside each part's name; `sides`: left and right of a barrier."""
    left, top, right, bottom = _edges(circuit, values)
    width, height = right - left, bottom - top
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{number(width)}" height="{number(height)}" '
        f'viewBox="{number(left)} {number(top)} {number(width)} {number(height)}">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        box(left + 0.5, top + 0.5, width - 1, height - 1, "paper"),
    ]
    if circuit.barriers and sides:
        lines += _grounds(circuit, sides, (left, top, right, bottom))
    lines += [_wire(wire) for wire in circuit.wires]
    for part in circuit.parts:
        lines += _drawn(part)
    for x, upper, lower in circuit.barriers:
        lines.append(path(f"M{number(x * STEP)},{number(upper * STEP)}V{number(lower * STEP)}", "barrier"))
    lines += [
        f'<circle class="solid" cx="{number(x * STEP)}" cy="{number(y * STEP)}" r="3"/>'
        for x, y in circuit.dots()
    ]
    for part in circuit.parts:
        lines += _label(part, values[part.ref])
    for name in circuit.names:
        lines += _name(name)
    lines += [
        words(name.at[0] * STEP, name.at[1] * STEP, name.text, "start", "note") for name in circuit.texts
    ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _edges(circuit: Circuit, values: dict[str, str]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the paper, in pixels."""
    points = [at for _, at in circuit.ends()] + [at for wire in circuit.wires for at in wire]
    points += [corner for part in circuit.parts for corner in part.corners]
    points += [(x, y) for x, upper, lower in circuit.barriers for y in (upper, lower)]
    xs = [x * STEP for x, _ in points]
    ys = [y * STEP for _, y in points]
    for part in circuit.parts:
        if part.kind in SYMBOLS and _side(part) in ("left", "right"):
            reach = 30 + 8.2 * max(len(part.ref), len(values[part.ref]))
            xs.append(part.corners[0][0] * STEP + (reach if _side(part) == "right" else -reach))
    for name in circuit.names:
        reach = 8.2 * len(name.text) + 24
        if name.kind == "outside":
            xs.append(name.at[0] * STEP - reach)
        if name.kind == "board":
            xs.append(name.at[0] * STEP + reach)
    for name in circuit.texts:
        xs += [name.at[0] * STEP, name.at[0] * STEP + 7.6 * len(name.text)]
        ys.append(name.at[1] * STEP)
    above = 3.2 if circuit.barriers else 1.6
    return math.floor(min(xs) - 16), math.floor(min(ys) - above * STEP), math.ceil(max(xs) + 16), max(ys) + 36


def _grounds(circuit: Circuit, sides: tuple[str, str], edges: tuple[float, float, float, float]) -> list[str]:
    """What lies on either side of the barrier, said and tinted."""
    left, top, right, bottom = edges
    x = circuit.barriers[0][0] * STEP
    return [
        box(left + 1, top + 1, x - left - 1, bottom - top - 2, "field"),
        box(x, top + 1, right - x - 1, bottom - top - 2, "safe"),
        words(left + 14, top + 20, sides[0], "start", "note"),
        words(right - 14, top + 20, sides[1], "end", "note"),
        words(x, top + 20, "isolated", kind="isolated"),
    ]


def _wire(wire: list[Point]) -> str:
    return path("M" + "L".join(f"{number(x * STEP)},{number(y * STEP)}" for x, y in wire))


def _drawn(part: Part) -> list[str]:
    if part.kind in SYMBOLS:
        return _two_legged(part)
    return _opto(part) if part.kind in OPTOS else _box(part)


def _two_legged(part: Part) -> list[str]:
    (x1, y1), (x2, y2) = ((x * STEP, y * STEP) for x, y in part.corners)
    length = abs(x2 - x1) + abs(y2 - y1)
    turn = (0 if x2 > x1 else 180) if y1 == y2 else (90 if y2 > y1 else 270)
    draw, reach = SYMBOLS[part.kind]
    kind = "cable" if part.kind == "cable" else ""
    legs = path(f"M{number(-length / 2)},0H{number(-reach)}M{number(reach)},0H{number(length / 2)}", kind)
    place = f"translate({number((x1 + x2) / 2)} {number((y1 + y2) / 2)})" + (
        f" rotate({turn})" if turn else ""
    )
    return [f'<g transform="{place}">{legs}{draw()}</g>']


def _label(part: Part, value: str) -> list[str]:
    """Name and value of a part, where they are in nobody's way."""
    (x1, y1), (x2, y2) = ((x * STEP, y * STEP) for x, y in part.corners)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    if part.kind == "box":
        y += 6 * (_has_pins(part, "above") - _has_pins(part, "below"))
        return [words(x, y - 4, part.ref, kind="ref over"), words(x, y + 13, value, kind="over")]
    if part.kind in OPTOS:
        return [words(x1 + 74, y1 - 37, part.ref, "end", "ref"), words(x1 + 74, y1 - 23, value, "end")]
    side = _side(part)
    if side in ("above", "below"):
        return [_in_line(x, y - 16 if side == "above" else y + 26, part.ref, value)]
    away = 30 if part.kind == "reed" else 18
    x, anchor = (x + away, "start") if side == "right" else (x - away, "end")
    return [words(x, y - 3, part.ref, anchor, "ref"), words(x, y + 12, value, anchor)]


def _side(part: Part) -> str:
    """Where a part with two legs has its label."""
    return part.label or ("above" if part.corners[0][1] == part.corners[1][1] else "right")


def _has_pins(part: Part, where: str) -> bool:
    """Whether a box has pins at its upper or its lower edge."""
    (_, upper), (_, lower) = part.corners
    return any(y < upper if where == "above" else y > lower for _, y in part.pins.values())


def _in_line(x: float, y: float, ref: str, value: str) -> str:
    """Name and value in one line."""
    return (
        f'<text x="{number(x)}" y="{number(y)}" text-anchor="middle">'
        f'<tspan class="ref">{escape(ref)}</tspan> {escape(value)}</text>'
    )


def _opto(part: Part) -> list[str]:
    x, y = part.corners[0][0] * STEP, part.corners[0][1] * STEP
    lines = [box(x + 20, y - 18, 80, 76, "case")]
    leds = [(34, False)] if part.kind == "opto" else [(32, False), (50, True)]
    for dx, upwards in leds:
        at = x + dx
        base, bar, tip = (26, 14, -12) if upwards else (14, 26, 12)
        lines.append(path(f"M{number(at - 7)},{number(y + base)}h14l-7,{tip}z", "solid"))
        lines.append(path(f"M{number(at - 7)},{number(y + bar)}h14"))
        lines.append(path(f"M{number(at)},{number(y)}v14m0,12v14"))
    last = leds[-1][0]
    lines.append(path(f"M{number(x)},{number(y)}h{last}M{number(x)},{number(y + 40)}h{last}"))
    for dy in (16, 25):
        lines.append(path(f"M{number(x + last + 11)},{number(y + dy)}h11m-4,-3l4,3l-4,3"))
    base_x = x + 86
    lines += [
        path(f"M{number(base_x)},{number(y + 9)}v22"),
        path(f"M{number(base_x)},{number(y + 15)}l10,-9V{number(y)}H{number(x + 120)}"),
        path(f"M{number(base_x)},{number(y + 25)}l10,9V{number(y + 40)}H{number(x + 120)}"),
        path(f"M{number(base_x + 10)},{number(y + 34)}l-7,-2l4,-4z", "solid"),
    ]
    return lines


def _box(part: Part) -> list[str]:
    (x1, y1), (x2, y2) = ((x * STEP, y * STEP) for x, y in part.corners)
    lines = [box(x1, y1, x2 - x1, y2 - y1, "case")]
    for pin, (px, py) in part.pins.items():
        x, y = px * STEP, py * STEP
        if x1 <= x <= x2:
            edge, inwards = (y1, 14) if y < y1 else (y2, -6)
            lines.append(path(f"M{number(x)},{number(y)}V{number(edge)}"))
            lines.append(words(x, edge + inwards, pin, "middle", "small"))
        else:
            edge, inwards, anchor = (x1, 5, "start") if x < x1 else (x2, -5, "end")
            lines.append(path(f"M{number(x)},{number(y)}H{number(edge)}"))
            lines.append(words(edge + inwards, y + 4, pin, anchor, "small"))
    return lines


def _name(name: Name) -> list[str]:
    x, y = name.at[0] * STEP, name.at[1] * STEP
    ring = f'<circle class="body" cx="{number(x)}" cy="{number(y)}" r="4"/>'
    if name.kind == "outside":
        return [ring, words(x - 10, y + 4, name.text, "end")]
    if name.kind == "board":
        return [ring, words(x + 10, y + 4, name.text, "start", "ref")]
    if name.kind == "supply":
        return [path(f"M{number(x)},{number(y)}v-8m-8,0h16"), words(x, y - 13, name.text)]
    return [
        path(f"M{number(x)},{number(y)}v6m-10,0h20m-16,4h12m-8,4h4"),
        words(x, y + 29, name.text, kind="small"),
    ]
