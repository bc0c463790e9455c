"""From a text to a strip of light: one bit a pixel, as boards draw it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from wallboard import letters

Rows = letters.Rows


class Strip(NamedTuple):
    """A picture of one bit a pixel: rows padded to bytes, leftmost bit first (MONO_HLSB)."""

    w: int
    h: int
    bits: bytes
    missing: tuple[str, ...]  # letters that nobody has: boxes in the picture

    def rows(self) -> list[str]:
        """The picture as text, `#` being light."""
        stride = (self.w + 7) // 8
        lines = []
        for y in range(self.h):
            line = "".join(f"{byte:08b}" for byte in self.bits[y * stride : (y + 1) * stride])
            lines.append(line[: self.w].replace("0", ".").replace("1", "#"))
        return lines


# Who may have a letter, asked in this order; each gives its rows, nine of them, or None.
FACES: tuple[Callable[[str], Rows | None], ...] = (letters.LETTERS.get,)


def strip_of(text: str, height: int) -> Strip:
    """`text` in one line, in the largest whole multiple of its letters that `height` rows hold.

    From 9 rows on letters may reach below the line; 7 and 8 rows hold capitals and figures.
    A letter that nobody has is a box and stands in `missing`. Raises ValueError for less than
    7 rows, and for a text that reaches below the line where there is no room for that.
    """
    scale, rows_in = _fit(height)
    glyphs, missing = _glyphs(unicodedata.normalize("NFC", text))
    rows = [".".join(parts) for parts in zip(*glyphs, strict=True)] if glyphs else [""] * letters.ROWS
    if any("#" in row for row in rows[rows_in:]):
        raise ValueError(f"'{text}' reaches below the line: it needs {letters.ROWS} rows, not {height}")
    large = [_wider(row, scale) for row in rows[:rows_in] for _ in range(scale)]
    return Strip(max(len(large[0]), 1), len(large), _packed(large), missing)


def icon(drawn: str, scale: int = 1) -> Strip:
    """A picture drawn as rows of `#` and `.`, enlarged."""
    rows = [_wider(row, scale) for row in drawn.split() for _ in range(scale)]
    return Strip(len(rows[0]), len(rows), _packed(rows), ())


def has(letter: str) -> bool:
    """True where somebody has that letter."""
    return any(face(letter) for face in FACES)


def _fit(height: int) -> tuple[int, int]:
    """(scale, rows of a letter) for that height."""
    if height >= letters.ROWS:
        return height // letters.ROWS, letters.ROWS
    if height >= letters.CAPITALS:
        return 1, letters.CAPITALS
    raise ValueError(f"letters need {letters.CAPITALS} rows, not {height}")


def _glyphs(text: str) -> tuple[list[Rows], tuple[str, ...]]:
    glyphs, missing = [], []
    for letter in text:
        rows = next((rows for face in FACES if (rows := face(letter))), None)
        if rows is None and letter not in missing:
            missing.append(letter)
        glyphs.append(rows or letters.BOX)
    return glyphs, tuple(missing)


def _wider(row: str, scale: int) -> str:
    return "".join(pixel * scale for pixel in row)


def _packed(rows: list[str]) -> bytes:
    stride = max(len(rows[0]) + 7, 8) // 8
    bits = b""
    for row in rows:
        line = row.ljust(stride * 8, ".").replace(".", "0").replace("#", "1")
        bits += int(line, 2).to_bytes(stride, "big")
    return bits
