"""How a panel's modules hang and stand, found out by showing one picture and asking three times what is seen.

The board shows the picture by the chain, as if it hung in the plainest way (firmware/test_picture.py); what
people would see of it in each other way is worked out here, and each answer leaves the ways that fit.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import floorplan
from firmware import scene, test_picture
from firmware.panels.order import PLAIN, path

CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")
CHAINS = [f"{corner} {along}" for corner in CORNERS for along in ("rows", "columns")]
CHAINS += [f"{chain} snake" for chain in CHAINS]  # of those that are the same, the plainest comes first
COLOURS = ("grb", "rgb", "brg", "rbg", "gbr", "bgr")
NAMES = {"r": "red", "g": "green", "b": "blue"}

WIDE = 100  # columns of a terminal that drawings stand beside each other in

View = list[str]  # what is seen, rows of lights: # lit, R G B in a colour, o white, . dark


class Setting(NamedTuple):
    """One way in which a panel may hang, in the words of the site file."""

    chain: str = PLAIN
    turn: int = 0
    mirrored: bool = False
    lights: str = PLAIN
    colours: str = "grb"


class Question(NamedTuple):
    """What a technician is asked, and drawings to choose from."""

    words: str
    drawings: tuple[str, ...]


def settings(panel: floorplan.Panel) -> list[Setting]:
    """Every way in which it may hang that can be told from the others."""
    chains = _different(*_modules(panel))
    if panel.kind == "max7219":
        return [Setting(chain, turn, mirrored)
                for chain, turn, mirrored in itertools.product(chains, (0, 90, 180, 270), (False, True))]  # fmt: skip
    return [Setting(chain, lights=lights, colours=colours)
            for chain, lights, colours in itertools.product(chains, _different(*_cell(panel)), COLOURS)]  # fmt: skip


def _different(columns: int, rows: int) -> list[str]:
    """The chains through a grid that are not the same with other words."""
    ways: dict[tuple[int, ...], str] = {}
    for words in CHAINS:
        ways.setdefault(_path(columns, rows, words), words)
    return list(ways.values())


def _modules(panel: floorplan.Panel) -> tuple[int, int]:
    return panel.modules or (1, 1)


def _cell(panel: floorplan.Panel) -> tuple[int, int]:
    """Columns and rows of lights in one module."""
    columns, rows = _modules(panel)
    return panel.size[0] // columns, panel.size[1] // rows


def seen(panel: floorplan.Panel, setting: Setting) -> View:
    """What people see of the picture where the panel hangs like that."""
    (columns, _), (w, h) = _modules(panel), _cell(panel)
    wall = [["."] * panel.size[0] for _ in range(panel.size[1])]
    for number, place in enumerate(_path(*_modules(panel), setting.chain)):
        for y, row in enumerate(_module(panel, setting, number)):
            at = place % columns * w
            wall[place // columns * h + y][at : at + w] = row
    return ["".join(row) for row in wall]


def _module(panel: floorplan.Panel, setting: Setting, number: int) -> list[list[str]]:
    """What is seen of one module, from 0 in the order of the wire, however it is turned, mirrored or wired."""
    columns, (w, h) = _modules(panel)[0], _cell(panel)
    first, second, third = list(setting.colours.upper())
    letters = {
        scene.BLACK: ".", scene.RED: first, scene.AMBER: second, scene.CYAN: third,
        scene.WHITE: "#" if panel.kind == "max7219" else "o",
    }  # fmt: skip
    left, top = number % columns * w, number // columns * h
    shown = _shown(panel.kind, *panel.size, w, h)[top : top + h]
    module = [[letters[pixel] for pixel in row[left : left + w]] for row in shown]
    if setting.mirrored:
        module = [row[::-1] for row in module]
    for _ in range(setting.turn // 90):
        module = [list(row) for row in zip(*module[::-1], strict=True)]
    wired = [["."] * w for _ in range(h)]
    for light, place in enumerate(_path(w, h, setting.lights)):
        wired[place // w][place % w] = module[light // w][light % w]
    return wired


@functools.lru_cache
def _shown(kind: str, w: int, h: int, module_w: int, module_h: int) -> list[bytes]:
    """The rows of the picture, as its board draws it."""
    picture = scene.Picture(w, h)
    test_picture.draw_chain(picture, module_w, module_h, kind)
    return [bytes(picture.row(y)) for y in range(h)]


@functools.lru_cache
def _path(columns: int, rows: int, words: str) -> tuple[int, ...]:
    return tuple(path(columns, rows, words))


# What is asked ----------------------------------------------------------------------


def _first(panel: floorplan.Panel, setting: Setting) -> str:
    """Where in the panel the first module is."""
    return _grid(panel, setting, lambda number: "1" if number == 0 else ".")


def _stands(panel: floorplan.Panel, setting: Setting) -> str:
    """What is seen of the first module."""
    return "\n".join(" ".join(row) for row in _module(panel, setting, 0))


def _numbers(panel: floorplan.Panel, setting: Setting) -> str:
    """The number of each module, as far as it can be read."""
    if panel.kind == "max7219":
        return _grid(panel, setting, lambda number: str((number + 1) % 10))
    w, h = _cell(panel)
    return _grid(panel, setting, lambda number: str(min(number + 1, w * h)))


def _grid(panel: floorplan.Panel, setting: Setting, text: Callable[[int], str]) -> str:
    columns, rows = _modules(panel)
    cells = [""] * (columns * rows)
    for number, place in enumerate(_path(columns, rows, setting.chain)):
        cells[place] = f"{text(number):>2}"
    return "\n".join(" ".join(cells[row * columns : (row + 1) * columns]) for row in range(rows))


def _colours(panel: floorplan.Panel, setting: Setting) -> str:
    one, two, three = (NAMES[name] for name in setting.colours)
    return f"one {one}, two {two}, three {three}"


def _corner(panel: floorplan.Panel, setting: Setting) -> str:
    return setting.lights.split()[0].replace("-", " ")


Look = tuple[str, Callable[[floorplan.Panel, Setting], str]]

CHAIN_LOOKS: tuple[Look, ...] = (
    ("In which module is the 1 with a bar beside its head?", _first),
    ("How does that module look?", _stands),
    ("How do the numbers follow each other? (Of those above 9, the last digit is shown.)", _numbers),
)
MATRIX_LOOKS: tuple[Look, ...] = (
    ("A single light, two and three have a colour. Which?", _colours),
    ("In which corner is the single one?", _corner),
    ("How do the lights go on from there? (o is white.)", _stands),
)
MATRICES_LOOKS: tuple[Look, ...] = (
    MATRIX_LOOKS[0],
    ("How does the matrix with the colours look? (o is white.)", _stands),
    ("How many lights are white in each matrix? (1 is the one with the colours.)", _numbers),
)


def looks(panel: floorplan.Panel) -> tuple[Look, ...]:
    """Up to three things to look at, one after the other."""
    if panel.kind == "max7219":
        return CHAIN_LOOKS
    return MATRIX_LOOKS if _modules(panel) == (1, 1) else MATRICES_LOOKS


class Search:
    """The ways that are left, and the next question."""

    def __init__(self, panel: floorplan.Panel):
        self.left = settings(panel)
        self._panel = panel
        self._looks = iter(looks(panel))
        self._groups: list[list[Setting]] = []

    def ask(self) -> Question | None:
        """The next question; None when there is none left: whatever is in `left` looks alike."""
        for words, look in self._looks:
            groups: dict[str, list[Setting]] = {}
            for setting in self.left:
                groups.setdefault(look(self._panel, setting), []).append(setting)
            if len(groups) > 1:
                self._groups = list(groups.values())
                return Question(words, tuple(groups))
        return None

    def answer(self, number: int) -> None:
        """Drawing `number` of the last question, from 0, is what is seen."""
        self.left = self._groups[number]


# The command ------------------------------------------------------------------------


def wall_of(plan: floorplan.Plan, name: str) -> floorplan.Wall:
    """The wall of that id. Raises SiteError."""
    walls = {wall.id: wall for wall in plan.wall}
    if name not in walls:
        raise floorplan.SiteError(f"no wall '{name}' in the site file{floorplan.meant(name, walls)}")
    return walls[name]


def interview(
    panel: floorplan.Panel,
    show: Callable[[], object],
    hear: Callable[[str], str],
    tell: Callable[[str], object],
) -> str | None:
    """Asks until one way is left, and returns the line for the site file; None where nothing fits what is seen.

    show: has the board show the picture again; it goes by itself after a minute. hear: asks for a line.
    """
    search = Search(panel)
    while question := search.ask():
        tell(f"\n{question.words}\n\n{side_by_side(question.drawings)}\n")
        while True:
            show()
            said = hear(f"1 to {len(question.drawings)}; 0: none of them; Enter: show it again").strip()
            if said == "0":
                return None
            if said.isdigit() and int(said) <= len(question.drawings):
                search.answer(int(said) - 1)
                break
    if len(search.left) > 1:
        tell(f"{len(search.left)} ways look the same from here on, and this is one of them; the others are:")
        for setting in search.left[1:]:
            tell(line(panel, setting))
    return line(panel, search.left[0])


def side_by_side(drawings: Sequence[str], wide: int = WIDE) -> str:
    """Numbered drawings, as many in a row as there is room for."""
    boxes = []
    for number, drawing in enumerate(drawings, 1):
        rows = drawing.splitlines()
        if len(rows) == 1:
            boxes.append([f"{number}: {rows[0]}"])
        else:
            boxes.append([f"{number}:", *rows])
    width = max(len(row) for box in boxes for row in box) + 4
    each = max(1, wide // width)
    lines = [line for at in range(0, len(boxes), each) for line in _abreast(boxes[at : at + each], width)]
    return "\n".join(lines).rstrip()


def _abreast(boxes: list[list[str]], width: int) -> Iterator[str]:
    for rows in itertools.zip_longest(*boxes, fillvalue=""):
        yield "".join(row.ljust(width) for row in rows).rstrip()
    if any(len(box) > 1 for box in boxes):
        yield ""


def line(panel: floorplan.Panel, setting: Setting) -> str:
    """The wall's line for the site file, with what was found out."""
    told = panel.model_dump(mode="json", exclude_defaults=True)
    if panel.kind == "max7219":
        del told["size"]
    told |= {
        key: value
        for key, value in setting._asdict().items()
        if panel.kind in floorplan.OF_KINDS[key]
        and (key in ("chain", "lights", "colours") or value or key in told)
    }
    if _modules(panel) == (1, 1):
        told.pop("chain")
    return f"panel = {{ {', '.join(f'{key} = {json.dumps(value)}' for key, value in told.items())} }}"
