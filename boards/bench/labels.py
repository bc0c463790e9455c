"""Labels for boards, 24 on a sheet of A4: the desks in large letters, the board, the site, and a code for a phone.

As SVG, a file a sheet, or as PDF; both are lines and letters, sharp at any size. No secret is in them.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import segno

import floorplan
from boards.bench import BenchError
from floorplan import Plan, SiteError

# All in mm, from the sheet's upper left corner. The sheet is the common one of 3 x 8 labels of 63.5 x 33.9.
SHEET = (210.0, 297.0)
COLUMNS, ROWS = 3, 8
LABEL = (63.5, 33.9)
FIRST, NEXT = (7.2, 12.9), (66.0, 33.9)
EDGE = 2.5
CODE = 27.0  # side of a code with its white rim
RIM = 4  # modules around a code that have to be white
LARGEST, SMALLEST, SMALL = 9.0, 1.8, 3.0  # heights of letters
LINE = 1.15  # from one line to the next, in heights
LINES_HIGH = 17.0  # for the desks
POINT = 72 / 25.4

# Helvetica Bold's letters that are in an id, in thousandths of its height.
NARROW = {"i": 278, "j": 278, "l": 278, "f": 333, "t": 333, "-": 333, "r": 389, "z": 500, "m": 889, "w": 778,
          " ": 278, ".": 278}  # fmt: skip
WIDE = 611  # b d g h n o p q u; the others have less


class Text(NamedTuple):
    """Letters, from the left end of their line."""

    x: float
    y: float
    height: float
    text: str


class Box(NamedTuple):
    """A black one."""

    x: float
    y: float
    wide: float
    high: float


class Label(NamedTuple):
    """What is on one."""

    places: tuple[str, ...]  # desks, or walls, or nothing
    board: str
    site: str
    code: str  # what a phone reads


Drawn = Text | Box


def label(plan: Plan, board: str) -> Label:
    """The label of one board. Raises SiteError."""
    row = next((row for row in plan.board if row.id == board), None)
    if row is None:
        raise SiteError(f"no board '{board}' in the site file{floorplan.meant(board, [row.id for row in plan.board])}")
    desks = tuple(entry.desk for entry in row.inputs)
    places = desks or tuple(wall.id for wall in plan.walls_of(board))
    url = plan.page.url
    code = f"{url.rstrip('/')}/?board={board}#boards" if url else f"callfloor:{plan.site.id}/{board}"
    return Label(places, board, plan.site.id, code)


def write(plan: Plan, boards: Sequence[str], out: Path, dry: bool = False) -> list[Path]:
    """Writes the labels of these boards, all where there are none; the files. Raises BenchError, SiteError.

    dry: nothing is written, and what would be refused is.
    """
    names = list(dict.fromkeys(boards)) or [board.id for board in plan.board]
    if not names:
        raise BenchError("the site file has no board: there is nothing to print")
    sheets = [list(drawn) for drawn in _sheets([label(plan, name) for name in names])]
    if out.suffix.lower() == ".pdf":
        files = {out: pdf(sheets)}
    elif out.suffix.lower() == ".svg":
        later = [out.with_name(f"{out.stem}-{number}{out.suffix}") for number in range(2, len(sheets) + 1)]
        files = {path: svg(sheet).encode() for path, sheet in zip([out, *later], sheets, strict=True)}
    else:
        raise BenchError(f"--out {out}: labels are written as .svg or .pdf")
    for path, data in files.items():
        if not dry:
            _write(path, data)
        elif path.is_dir() or not os.access(path.parent, os.W_OK):
            raise BenchError(f"{path}: cannot be written; name a file in a folder of yours")
    return list(files)


def _sheets(labels: Sequence[Label]) -> Iterator[Iterator[Drawn]]:
    per_sheet = COLUMNS * ROWS
    for begin in range(0, len(labels), per_sheet):
        yield _sheet(labels[begin : begin + per_sheet])


def _sheet(labels: Sequence[Label]) -> Iterator[Drawn]:
    for number, one in enumerate(labels):
        x = FIRST[0] + NEXT[0] * (number % COLUMNS)
        y = FIRST[1] + NEXT[1] * (number // COLUMNS)
        yield from draw(one, x, y)


def draw(one: Label, x: float, y: float) -> Iterator[Drawn]:
    """One label, its upper left corner there."""
    yield from code(one.code, x + EDGE - 1, y + (LABEL[1] - CODE) / 2, CODE)
    left, room = x + EDGE + CODE, LABEL[0] - CODE - 2 * EDGE
    height, lines = fitted(one.places or (one.board,), room, LINES_HIGH)
    base = y + EDGE
    for number, line in enumerate(lines):
        yield Text(left, base + height * (number * LINE + 0.95), height, line)
    bottom = y + LABEL[1] - EDGE
    for number, line in enumerate((one.site, one.board)):
        small, (text, *_) = fitted((line,), room, SMALL)
        yield Text(left, bottom - number * SMALL * LINE * 1.2, small, text)


def fitted(words: Sequence[str], room: float, high: float) -> tuple[float, list[str]]:
    """(height, lines) of words as large as they fit into a space; what does not fit at all ends in dots."""
    height = min(LARGEST, high)
    while True:
        lines = _wrapped(words, room / height)
        if len(lines) * height * LINE <= high * LINE and all(width(line) * height <= room for line in lines):
            return height, lines
        if height <= SMALLEST:
            break
        height = max(SMALLEST, height - 0.2)
    most = max(1, int(high / height / LINE))
    lines, cut = lines[:most], len(lines) > most
    return height, [
        _cut(line, room / height, cut and number == most - 1) for number, line in enumerate(lines)
    ]


def _cut(line: str, room: float, more: bool) -> str:
    """So much of a line as there is room for; dots where there is more of it, or more lines."""
    dots = "..." if more else ""
    while len(line) > 1 and width(line + dots) > room:
        line, dots = line[:-1], "..."
    return line + dots


def _wrapped(words: Sequence[str], room: float) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and width(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def width(text: str) -> float:
    """How wide it is, in heights of its letters."""
    return sum(NARROW.get(letter, 556 if letter in "aceksvxy0123456789" else WIDE) for letter in text) / 1000


def code(text: str, x: float, y: float, side: float) -> Iterator[Box]:
    """A QR code as boxes, a row of dark modules each. Raises BenchError where it does not fit into one."""
    try:
        matrix = segno.make(text, error="m", micro=False).matrix
    except segno.encoder.DataOverflowError as error:
        raise BenchError(f"[page] url is too long for a label: {text[:60]}…") from error
    size = side / (len(matrix) + 2 * RIM)
    for row, modules in enumerate(matrix):
        begin = 0
        while begin < len(modules):
            end = begin
            while end < len(modules) and modules[end]:
                end += 1
            if end > begin:
                yield Box(x + (begin + RIM) * size, y + (row + RIM) * size, (end - begin) * size, size)
            begin = end + 1


# The two kinds of files ---------------------------------------------------------------


def svg(sheet: Sequence[Drawn]) -> str:
    """One sheet."""
    wide, high = SHEET
    texts = [
        f'<text x="{one.x:.2f}" y="{one.y:.2f}" font-size="{one.height:.2f}" '
        f'textLength="{width(one.text) * one.height:.2f}" lengthAdjust="spacingAndGlyphs">{escape(one.text)}</text>'
        for one in sheet
        if isinstance(one, Text)
    ]
    boxes = (one for one in sheet if isinstance(one, Box))
    path = "".join(f"M{one.x:.3f} {one.y:.3f}h{one.wide:.3f}v{one.high:.3f}h{-one.wide:.3f}z" for one in boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:g}mm" height="{high:g}mm" '
        f'viewBox="0 0 {wide:g} {high:g}" shape-rendering="crispEdges">\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<path d="{path}"/>\n'
        '<g font-family="Helvetica, Arial, Liberation Sans, sans-serif" font-weight="bold">\n'
        + "\n".join(texts)
        + "\n</g>\n</svg>\n"
    )


def pdf(sheets: Sequence[Sequence[Drawn]]) -> bytes:
    """All sheets, a page each; the letters are the Helvetica that every reader of PDF has."""
    wide, high = (round(side * POINT, 2) for side in SHEET)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(sheets)))
    parts: list[bytes] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(sheets)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
    ]
    for number, sheet in enumerate(sheets):
        page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {wide} {high}]/Resources<</Font<</F1 3 0 R>>>>"
        parts.append(f"{page}/Contents {5 + 2 * number} 0 R>>".encode())
        drawn = zlib.compress("\n".join(_operators(sheet)).encode("ascii"), 9)
        parts.append(f"<</Filter/FlateDecode/Length {len(drawn)}>>stream\n".encode() + drawn + b"\nendstream")
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + part + b"\nendobj\n"
    begin = len(out)
    out += f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    return bytes(out + f"trailer\n<</Size {len(parts) + 1}/Root 1 0 R>>\nstartxref\n{begin}\n%%EOF\n".encode())


def _operators(sheet: Sequence[Drawn]) -> Iterator[str]:
    """What draws one sheet. PDF counts upwards from the lower left corner, in points."""
    high = SHEET[1]
    for one in sheet:
        if isinstance(one, Box):
            y = (high - one.y - one.high) * POINT
            yield f"{one.x * POINT:.3f} {y:.3f} {one.wide * POINT:.3f} {one.high * POINT:.3f} re"
    yield "f"
    for one in sheet:
        if isinstance(one, Text):
            text = one.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            size, x, y = one.height * POINT, one.x * POINT, (high - one.y) * POINT
            yield f"BT /F1 {size:.2f} Tf {x:.2f} {y:.2f} Td ({text}) Tj ET"


def _write(path: Path, data: bytes) -> None:
    """The whole file or none."""
    aside = path.with_name(f".{path.name}.new")
    try:
        aside.write_bytes(data)
        os.replace(aside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise BenchError(f"{path}: cannot be written ({error.strerror}); name a file in a folder of yours") from error
