"""From a text to a strip of light: one bit a pixel, as boards draw it, in any of the wall's languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from wallboard import arabic, bidi, faces, letters
from wallboard.faces import Face, Ink


class Strip(NamedTuple):
    """A picture of one bit a pixel: rows padded to bytes, leftmost bit first (MONO_HLSB)."""

    w: int
    h: int
    bits: bytes
    missing: tuple[str, ...] = ()  # letters that nobody has: boxes in the picture
    base: int = 0  # rows above the base line, on which strips stand beside each other
    cap: int = 0  # rows of a capital letter, or of an alef: from how far it can be read
    scale: int = 1  # how many times enlarged
    rtl: bool = False  # its text runs from the right

    def rows(self) -> list[str]:
        """The picture as text, `#` being light."""
        stride = (self.w + 7) // 8
        lines = []
        for y in range(self.h):
            line = "".join(f"{byte:08b}" for byte in self.bits[y * stride : (y + 1) * stride])
            lines.append(line[: self.w].replace("0", ".").replace("1", "#"))
        return lines


_Draw = Callable[[str], Ink | None]  # Arabic words, joined and in the order of the wall


class _Setting(NamedTuple):
    """How a line may be set: the face of Latin and Cyrillic letters, and what draws Arabic ones."""

    face: Face
    scale: int
    arabic: _Draw | None  # None: boxes


class _Line(NamedTuple):
    """A line that was set: what stands where, and the letters that nobody had."""

    parts: list[tuple[int, Ink]]
    missing: list[str]

    @property
    def above(self) -> int:
        """Rows that are used above the base line."""
        return max((ink.above for _, ink in self.parts), default=0)

    @property
    def below(self) -> int:
        return max((len(ink.rows) - ink.above for _, ink in self.parts), default=0)


def strip_of(text: str, height: int) -> Strip:
    """`text` in one line of at most `height` rows, in the face and the size that fill them best.

    Its columns are cropped to what is lit, its rows are not: texts of one face stand on one line.
    A letter that no face has in so few rows is a box and stands in `missing`, by its number where it
    cannot be printed. Blanks of every kind are blanks; signs without a picture of their own (joiners,
    marks of direction) have none here. Raises ValueError for less than 7 rows.
    """
    return strips_of((text,), height)[0]


def strips_of(lines: Sequence[str], height: int) -> tuple[Strip, ...]:
    """The lines of one text, as `strip_of` sets one: which way each runs the whole text says (UAX #9, L2)."""
    if height < letters.CAPITALS:
        raise ValueError(f"letters need {letters.CAPITALS} rows, not {height}")
    return _strips_of(tuple(lines), height, faces.folders())


@lru_cache(maxsize=512)
def _strips_of(lines: tuple[str, ...], height: int, _folders: str | None) -> tuple[Strip, ...]:
    """Kept, as walls are compiled again and again: for as long as the fonts are the same."""
    shown = bidi.lines([arabic.joined(unicodedata.normalize("NFC", line)) for line in lines])
    rtl = bidi.is_rtl(" ".join(lines))
    return tuple(_strip(line, height, rtl) for line in shown)


def _strip(shown: str, height: int, rtl: bool) -> Strip:
    pieces = PIECES.findall("".join(letter for letter in shown if not _is_unseen(letter)))
    setting, line = _best(pieces, height)
    face, scale = setting.face, setting.scale
    base = max(line.above, min(face.above * scale, height - line.below))
    h = base + max(line.below, min(face.below * scale, height - base))
    rows = _drawn(line, base, h)
    missing = tuple(dict.fromkeys(_name(letter) for letter in line.missing))
    cap = _cap(pieces, setting)
    return Strip(len(rows[0]), h, _packed(rows), missing, base, cap, scale, rtl)


def icon(drawn: str, scale: int = 1) -> Strip:
    """A picture drawn as rows of `#` and `.`, enlarged."""
    rows = Ink(tuple(drawn.split()), 0).enlarged(scale).rows
    return Strip(len(rows[0]), len(rows), _packed(rows), (), len(rows), len(rows), scale)


def has(letter: str, height: int = letters.CAPITALS) -> bool:
    """True where somebody has that letter in so many rows."""
    return not strip_of(letter, height).missing


def advice() -> str | None:
    """What to install where fonts are missing, in one sentence; None where all are there."""
    lacking = faces.lacking()
    if not lacking:
        return None
    if broken := faces.broken():
        return (
            f"fonts for walls cannot be read, so that letters are boxes: {', '.join(map(str, broken))}; "
            f"install them anew, then start Callfloor again: sudo apt install --reinstall {' '.join(lacking)}"
        )
    return (
        "fonts for walls are not installed, so that letters are boxes, or plainer than they could be; "
        f"install them, then start Callfloor again: sudo apt install {' '.join(lacking)}"
    )


# What a line is made of.

ARABIC = "[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]+"
PIECES = re.compile(f"{ARABIC}|.", re.DOTALL)  # Arabic words in one, other letters one by one


def _is_arabic(piece: str) -> bool:
    return re.match(ARABIC, piece) is not None


def _is_unseen(letter: str) -> bool:
    """True for signs that say how others are drawn and have no picture themselves."""
    return unicodedata.category(letter) == "Cf" or "\ufe00" <= letter <= "\ufe0f" or letter == "\u034f"


def _name(letter: str) -> str:
    """A letter nobody has, as a warning can print it."""
    plain = unicodedata.normalize("NFKC", letter) if _is_arabic(letter) else letter
    lonely = unicodedata.category(letter)[0] == "M"
    return plain if plain.isprintable() and not lonely else f"U+{ord(letter):04X}"


# How it is set.


def _best(pieces: list[str], height: int) -> tuple[_Setting, _Line]:
    """The setting that lacks fewest letters, the first of several.

    Where Arabic and other letters share the rows, it is the one whose smaller letters are largest.
    """
    mixed = len({_is_arabic(piece) for piece in pieces if not piece.isspace()}) == 2
    done = []
    for face, scale in _in_order(pieces, height):
        done.append(_set(pieces, face, scale, height))
        if not mixed and not done[-1][1].missing:
            break
    return max(done, key=lambda one: (-len(one[1].missing), _cap(pieces, one[0]) if mixed else 0))


def _in_order(pieces: list[str], height: int) -> list[tuple[Face, int]]:
    """Faces, first those that lack fewest of the letters that are not Arabic."""
    wanted = {piece for piece in pieces if not piece.isspace() and not _is_arabic(piece)}
    return sorted(_sizes(height), key=lambda size: sum(not faces.has(size[0], letter) for letter in wanted))


def _sizes(height: int) -> list[tuple[Face, int]]:
    """The faces that fit a height, and how many times enlarged; who fills most of it is first."""
    fitting = [face for face in faces.WESTERN if face.rows <= height and faces.has(face, "H")]
    sizes = [(face, height // face.rows if face.scales else 1) for face in fitting]
    return sorted(sizes, key=lambda size: -size[0].rows * size[1])


def _set(pieces: list[str], face: Face, scale: int, height: int) -> tuple[_Setting, _Line]:
    """The line with its other letters in that face, and Arabic as large as fits beside them."""
    below = face.below * scale
    boxed = faces.box(face.cap * scale)

    def other(letter: str) -> Ink:
        ink = faces.glyph(face, letter)
        return (
            ink.enlarged(scale)
            if ink
            else _elsewhere(letter, height - below, below, faces.folders()) or boxed
        )

    words = {piece for piece in pieces if _is_arabic(piece)}
    inks = {piece: [other(piece)] for piece in pieces if piece not in words and not piece.isspace()}
    used = _Line([(0, ink[0]) for ink in inks.values()], [])
    for draw in _arabic_ways(height) if words else []:
        drawn = {
            word: [whole] if (whole := draw(word)) else [draw(one) or other(one) for one in word]
            for word in words
        }
        line = _Line([*used.parts, *((0, ink) for word in drawn.values() for ink in word)], [])
        if line.above + line.below <= height:
            return _Setting(face, scale, draw), _placed(pieces, inks | drawn, face, scale, boxed)
    inks |= {word: [boxed] * len(word) for word in words}
    return _Setting(face, scale, None), _placed(pieces, inks, face, scale, boxed)


def _placed(pieces: list[str], inks: dict[str, list[Ink]], face: Face, scale: int, boxed: Ink) -> _Line:
    """Pieces beside each other; where the box itself stands for a letter, that is missing."""
    line = _Line([], [])
    x = 0
    for piece in pieces:
        if piece.isspace():
            x += (face.space + face.gap) * scale
            continue
        for place, ink in enumerate(inks[piece]):
            if ink is boxed and piece[place] not in line.missing:
                line.missing.append(piece[place])
            line.parts.append((x, ink))
            x += ink.w + face.gap * scale
    return line


@lru_cache(maxsize=4096)
def _elsewhere(letter: str, above: int, below: int, _folders: str | None) -> Ink | None:
    """A letter in the largest face that has it and needs no more rows than those."""
    height = above + below
    last = [(faces.ANY, scale) for scale in range(height // faces.ANY.rows, 0, -1)]
    for face, scale in _sizes(height) + last:
        if ink := faces.glyph(face, letter):
            large = ink.enlarged(scale)
            if large.above <= above and len(large.rows) - large.above <= below:
                return large
    return None


def _arabic_ways(height: int) -> list[_Draw]:
    """What may draw Arabic here, the largest first; the last one is for few rows and moves it up into them."""
    ways: list[_Draw] = [
        partial(faces.arabic, size=size) for size in reversed(faces.ARABIC_SIZES) if size <= height
    ]
    ways += [partial(faces.in_cells, face) for face in faces.ARABIC_CELLS if face.rows <= height]
    ways.append(partial(_moved_up, height=height))
    return [draw for draw in ways if draw(arabic.ALEF)]


def _moved_up(text: str, height: int) -> Ink | None:
    """The smallest Arabic, with no more below the line than figures leave room for."""
    ink = faces.arabic(text, faces.ARABIC_SIZES[0])
    if ink is None or len(ink.rows) > height:
        return ink
    return Ink(ink.rows, max(ink.above, len(ink.rows) - max(height - letters.CAPITALS, 0)))


# As a picture.


def _cap(pieces: list[str], setting: _Setting) -> int:
    """Rows of the least tall of a line's capitals, an alef being one."""
    caps = [setting.face.cap * setting.scale]
    if setting.arabic and (alef := setting.arabic(arabic.ALEF)):
        caps.append(alef.above)
        if all(piece.isspace() or _is_arabic(piece) for piece in pieces):
            caps.pop(0)
    return min(caps)


def _drawn(line: _Line, base: int, h: int) -> list[str]:
    """The rows of a line, cropped to what is lit in it from left to right; one dark column for nothing."""
    if not line.parts:
        return ["."] * h
    left = line.parts[0][0]
    right = max(x + ink.w for x, ink in line.parts)
    rows = [bytearray(b"." * (right - left)) for _ in range(h)]
    for x, ink in line.parts:
        for y, row in enumerate(ink.rows, base - ink.above):
            rows[y][x - left : x - left + ink.w] = row.encode()
    return [row.decode() for row in rows]


BITS = str.maketrans(".#", "01")


def _packed(rows: Sequence[str]) -> bytes:
    stride = (len(rows[0]) + 7) // 8
    return b"".join(
        int(row.ljust(stride * 8, ".").translate(BITS), 2).to_bytes(stride, "big") for row in rows
    )
