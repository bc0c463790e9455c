"""A wall's own words: what is wrong, or who it is, in letters it has itself. Loaded when needed, and forgotten.

The letters are those of `wallboard/letters.py`; a test compares the two.
"""

from firmware import digits
from firmware.scene import WHITE, Label, Mover, Own, Scene

NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ()'="  # and those of digits.py
ROWS = (
    b"\x70\x88\x88\x88\xf8\x88\x88"  # A
    b"\xf0\x88\x88\xf0\x88\x88\xf0"  # B
    b"\x70\x88\x80\x80\x80\x88\x70"  # C
    b"\xf0\x88\x88\x88\x88\x88\xf0"  # D
    b"\xf8\x80\x80\xf0\x80\x80\xf8"  # E
    b"\xf8\x80\x80\xf0\x80\x80\x80"  # F
    b"\x70\x88\x80\xb8\x88\x88\x70"  # G
    b"\x88\x88\x88\xf8\x88\x88\x88"  # H
    b"\x70\x20\x20\x20\x20\x20\x70"  # I
    b"\x38\x10\x10\x10\x10\x90\x60"  # J
    b"\x88\x90\xa0\xc0\xa0\x90\x88"  # K
    b"\x80\x80\x80\x80\x80\x80\xf8"  # L
    b"\x88\xd8\xa8\xa8\x88\x88\x88"  # M
    b"\x88\xc8\xc8\xa8\x98\x98\x88"  # N
    b"\x70\x88\x88\x88\x88\x88\x70"  # O
    b"\xf0\x88\x88\xf0\x80\x80\x80"  # P
    b"\x70\x88\x88\x88\xa8\x90\x68"  # Q
    b"\xf0\x88\x88\xf0\xa0\x90\x88"  # R
    b"\x78\x80\x80\x70\x08\x08\xf0"  # S
    b"\xf8\x20\x20\x20\x20\x20\x20"  # T
    b"\x88\x88\x88\x88\x88\x88\x70"  # U
    b"\x88\x88\x88\x50\x50\x50\x20"  # V
    b"\x88\x88\x88\xa8\xa8\xd8\x88"  # W
    b"\x88\x88\x50\x20\x50\x88\x88"  # X
    b"\x88\x88\x50\x50\x20\x20\x20"  # Y
    b"\xf8\x08\x10\x20\x40\x80\xf8"  # Z
    b"\x10\x20\x40\x40\x40\x20\x10"  # (
    b"\x40\x20\x10\x10\x10\x20\x40"  # )
    b"\x20\x20\x20\x00\x00\x00\x00"  # '
    b"\x00\x00\xf8\x00\xf8\x00\x00"  # =
)
LARGEST = 4
OWN_MS = 5000  # how long such a page stays where there is no scene to say so
LINE = 8  # rows from one line to the next, times the scale
SPEED_PX_S = 27  # where there is room for no more than a word, words move


def turns(scene, text: str, picture) -> Scene:
    """What takes turns: the text after each page of the scene, or the text alone where there is none."""
    more = pages(text, picture.w, picture.h)
    if scene is None:
        return Scene("", "", OWN_MS, more)
    return Scene(scene.id, scene.of, scene.dwell_ms, [page for row in scene.pages for page in [row] + more])


def pages(text: str, w: int, h: int) -> list:
    """The text as pages for a panel of w x h, as large as all of it goes on one; several, or moving, if none.

    A new line in it begins a new line. Commas have no letter and are left out; what else has none is a "?".
    """
    text = text.upper().replace(",", "")
    for scale in range(LARGEST, 0, -1):
        lines = _wrapped(text, (w + scale) // (6 * scale))
        most = (h + scale) // (LINE * scale)
        if lines and len(lines) <= most:
            return [_page(lines, scale, w, h)]
    if not lines or most < 2:
        bits = _bits(text.replace("\n", " "), 1)
        return [Own([Mover((h - 7) // 2, len(text) * 6, 7, WHITE, bits, SPEED_PX_S)])]
    return [_page(lines[first : first + most], 1, w, h) for first in range(0, len(lines), most)]


def _wrapped(text, columns):
    """Its lines, no word broken; [] where a word is too long for a line."""
    lines = []
    for row in text.split("\n"):
        line = ""
        for word in row.split():
            if len(word) > columns:
                return []
            if line and len(line) + 1 + len(word) > columns:
                lines.append(line)
                line = word
            else:
                line = line + " " + word if line else word
        lines.append(line)
    return lines


def _page(lines, scale, w, h):
    """Lines below each other, in the middle of the panel."""
    page = Own()
    y = (h - (len(lines) * LINE - 1) * scale) // 2
    for line in lines:
        wide = (len(line) * 6 - 1) * scale
        if line:
            page.append(Label((w - wide) // 2, y, wide, 7 * scale, WHITE, _bits(line, scale)))
        y += LINE * scale
    return page


def glyph(letter: str) -> bytes:
    """The seven rows of a letter, as digits.glyph gives them."""
    at = NAMES.find(letter)
    if at >= 0:
        return ROWS[at * 7 : at * 7 + 7]
    return digits.glyph(letter if letter in digits.NAMES else "?")


def _bits(line, scale):
    """A line as a picture, each letter six columns times `scale`, the empty ones behind the last left out."""
    wide = ((len(line) * 6 - 1) * scale + 7) // 8
    bits = b""
    glyphs = [glyph(line[at : at + 1]) for at in range(len(line))]  # see is_id in firmware/contract.py
    for y in range(7):
        row = bytearray(wide)
        for place, rows in enumerate(glyphs):
            for x in range(5 * scale):
                if rows[y] & 0x80 >> x // scale:
                    at = place * 6 * scale + x
                    row[at >> 3] |= 0x80 >> (at & 7)
        bits += bytes(row) * scale
    return bits
