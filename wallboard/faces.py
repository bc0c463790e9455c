"""The faces that a wall's letters come from: our own, and fonts that Debian installs.

Fonts are opened when the first letter of theirs is needed, and drawn without grey, without joining or
turning round of their own: wallboard/arabic.py and wallboard/bidi.py do that, whatever is installed.
Which face is good for what, and whose it is: docs/type.md.
"""

from __future__ import annotations

import gzip
import io
import os
import unicodedata
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wallboard import letters

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FOLDERS = (  # where Debian has them; CALLFLOOR_FONTS names others, separated like those of PATH
    "/usr/share/fonts/X11/misc",
    "/usr/share/fonts/truetype/noto",
    "/usr/share/fonts/opentype/unifont",
)
ENDINGS = (".pcf.gz", ".pcf", ".bdf", ".ttf", ".otf")
PACKAGES = {"xfonts-base": "6x13", "fonts-noto-core": "NotoSansArabic-Regular", "fonts-unifont": "unifont"}
NOBODY = "\uffff"  # no font has it: what is drawn for it stands for letters that are not there


class Face(NamedTuple):
    """Letters of one size. Rows and columns are pixels, before they are enlarged."""

    name: str  # of its file; "" is our own
    above: int  # rows above the base line, with accents
    below: int
    cap: int  # rows of a capital letter
    gap: int = 1  # columns between letters
    space: int = letters.SPACE  # columns of a blank, beside the gaps around it
    scales: bool = False  # good when enlarged

    @property
    def rows(self) -> int:
        return self.above + self.below


class Ink(NamedTuple):
    """Something drawn, without empty columns beside it; `above` of its rows are above the base line."""

    rows: tuple[str, ...]  # of "#" and "."
    above: int

    @property
    def w(self) -> int:
        return len(self.rows[0])

    def enlarged(self, scale: int) -> Ink:
        if scale == 1:
            return self
        wide = ("".join(pixel * scale for pixel in row) for row in self.rows)
        return Ink(tuple(row for row in wide for _ in range(scale)), self.above * scale)


# For Latin and Cyrillic letters: what fills most of a height is taken, of two the first. Ours are drawn for
# nine rows; the others are for taller ones, and for letters that ours lack. 6x13 rather than the bold one,
# whose m and ш are solid; 9x15 bold for its strokes of two pixels; 9x18 has no larger capitals than that.
WESTERN = (
    Face("", 7, 2, 7, scales=True),
    Face("", 7, 1, 7),
    Face("", 7, 0, 7),
    Face("5x7", 6, 1, 6),
    Face("5x8", 7, 1, 6),
    Face("6x9", 7, 2, 6),
    Face("6x10", 8, 2, 7),
    Face("6x12", 10, 2, 7),
    Face("6x13", 11, 2, 9, scales=True),
    Face("9x15B", 12, 3, 10, gap=2, scales=True),
    Face("10x20", 16, 4, 13, gap=2, space=4, scales=True),
)
DOTTED = 7  # rows of a capital from which on there is room for dots of two pixels
ANY = Face("unifont", 14, 2, 10, space=4, scales=True)  # nearly every letter there is, in thin strokes

ARABIC = "NotoSansArabic-Regular"
ARABIC_BOLD = "NotoSansArabic-Bold"
BOLD_FROM = 13  # pixels from which on bold Arabic has open loops
ARABIC_SIZES = (*range(7, 32), *range(32, 64, 2), *range(64, 129, 4))  # pixels; under 7 its dots run together
ASKED = 16  # pixels at which a font is asked for a letter: it has it at each size or at none
ARABIC_CELLS = (*WESTERN[:-3:-1], ANY)  # where those are not installed


def glyph(face: Face, letter: str) -> Ink | None:
    """A letter of a face; None where it has none."""
    if not face.name:
        rows = letters.glyph(letter, face.rows)
        return None if rows is None else Ink(rows, face.above)
    if letter in ".:" and face.cap >= DOTTED:
        return _dots(letter, face.cap)
    return _ink(face.name, face.rows, letter) if has(face, letter) else None


def _dots(sign: str, cap: int) -> Ink:
    """A full stop or a colon in dots of two pixels: the fonts' own are crosses."""
    low = (cap * 3 + 3) // 4
    rows = ["##", "##", *[".."] * (low - 4), "##", "##"] if sign == ":" else ["##"] * 2
    return Ink(tuple(rows), len(rows))


def has(face: Face, letter: str) -> bool:
    """True where that face has that letter."""
    if not face.name:
        return letters.glyph(letter, face.rows) is not None
    return _has(face.name, face.rows, letter)


def arabic(text: str, size: int) -> Ink | None:
    """Joined letters, `size` pixels an em, in the order of the wall; None where a letter is not there."""
    for name in (ARABIC_BOLD, ARABIC) if size >= BOLD_FROM else (ARABIC, ARABIC_BOLD):
        if all(_has(name, ASKED, letter) for letter in text):
            return _ink(name, size, text)
    return None


def in_cells(face: Face, text: str) -> Ink | None:
    """Joined letters in a face whose letters are all of one width: they join at the cells' edges."""
    if all(has(face, letter) for letter in text):
        return _ink(face.name, face.rows, text)
    return None


def box(cap: int) -> Ink:
    """What stands for a letter that nobody has, as tall as a capital."""
    stroke = max(cap // letters.CAPITALS, 1)
    w = max(round(cap * letters.COLUMNS / letters.CAPITALS), 3 * stroke)
    side = "#" * stroke + "." * (w - 2 * stroke) + "#" * stroke
    return Ink((*["#" * w] * stroke, *[side] * (cap - 2 * stroke), *["#" * w] * stroke), cap)


def lacking() -> list[str]:
    """The Debian packages whose fonts are not here, or cannot be read."""
    return [package for package, name in PACKAGES.items() if (path := _path(name)) is None or _is_broken(path)]


def broken() -> list[Path]:
    """The files of fonts that are here and cannot be read."""
    return [path for name in PACKAGES.values() if (path := _path(name)) and _is_broken(path)]


def _is_broken(path: Path) -> bool:
    sizes = [ASKED, *(face.rows for face in WESTERN if path.name.startswith(face.name + ".") and face.name)]
    return all(_font(path, size) is None for size in sizes)  # those of cells open at their own size only


def folders() -> str | None:
    """Where to look for fonts; None for where Debian has them, empty for none at all."""
    return os.environ.get("CALLFLOOR_FONTS")


def _path(name: str) -> Path | None:
    return _found(name, folders())


@lru_cache(maxsize=256)
def _found(name: str, places: str | None) -> Path | None:
    """Where the file of a font is."""
    for folder in FOLDERS if places is None else filter(None, places.split(os.pathsep)):
        for ending in ENDINGS:
            path = Path(folder, name + ending)
            if path.is_file():
                return path
    return None


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> FreeTypeFont | None:
    """An opened font; None where it cannot be read."""
    from PIL import ImageFont

    try:  # by its bytes: by its name Pillow would look for another file of that name where it cannot read one
        return ImageFont.truetype(io.BytesIO(_bytes(path)), size, layout_engine=ImageFont.Layout.BASIC)
    except (OSError, EOFError, ValueError, zlib.error):
        return None


@lru_cache(maxsize=16)
def _bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _has(name: str, size: int, letter: str) -> bool:
    """True where a font has a picture of that letter."""
    if unicodedata.category(letter)[0] in "CM":  # no letter, or a mark that nothing carries
        return False
    ink = _ink(name, size, letter)
    return ink is not None and ink != _ink(name, size, NOBODY)


def _ink(name: str, size: int, text: str) -> Ink | None:
    path = _path(name)
    return _drawn(path, size, text) if path else None


@lru_cache(maxsize=8192)
def _drawn(path: Path, size: int, text: str) -> Ink | None:
    """A text in a font; None where nothing is to be seen."""
    from PIL import Image, ImageDraw

    font = _font(path, size)
    if font is None:
        return None
    w, h, base = 2 * size + int(font.getlength(text)) + 2 * size, 4 * size, 2 * size
    image = Image.new("L", (w, h))
    pen = ImageDraw.Draw(image)
    pen.fontmode = "1"
    pen.text((2 * size, base), text, fill=255, font=font, anchor="ls")
    area = image.getbbox()
    if area is None:
        return None
    left, top, right, bottom = area
    pixels = image.tobytes().translate(b"." + b"#" * 255).decode("ascii")
    rows = [pixels[y * w + left : y * w + right] for y in range(top, bottom)]
    return Ink(tuple(rows), base - top)
