"""The figures of a wall: our own letters of 5x7 pixels.

Any two of the ten digits differ in at least 5 pixels, so that 6 and 8 stay apart from far away.
They are drawn below; a board keeps only the bytes, seven a letter, and a test compares the two.
"""

# 0     1     2     3     4     5     6     7
# .###. ..#.. .###. ####. ...#. ##### ..##. #####
# #...# .##.. #...# ....# ..##. #.... .#... ....#
# #...# ..#.. ....# ....# .#.#. ####. #.... ....#
# #...# ..#.. ...#. .###. #..#. ....# ####. ...#.
# #...# ..#.. ..#.. ....# ##### ....# #...# ...#.
# #...# ..#.. .#... ....# ...#. ....# #...# ..#..
# .###. .###. ##### ####. ...#. ####. .###. ..#..
#
# 8     9     -     –     ?     :     .     %
# .###. .###. ..... ..... .###. ..... ..... ##..#
# #...# #...# ..... ..... #...# ..#.. ..... ##.#.
# #...# #...# ..... ..... ....# ..#.. ..... ...#.
# .###. .#### .###. ##### ...#. ..... ..... ..#..
# #...# ....# ..... ..... ..#.. ..#.. ..... .#...
# #...# ...#. ..... ..... ..... ..#.. .##.. .#.##
# .###. .##.. ..... ..... ..#.. ..... .##.. #..##
#
# /     +     s     m     h     d
# ....# ..... ..... ..... #.... ....#
# ...#. ..#.. ..... ..... #.... ....#
# ...#. ..#.. .#### ####. ####. .####
# ..#.. ##### #.... #.#.# #...# #...#
# .#... ..#.. .###. #.#.# #...# #...#
# .#... ..#.. ....# #.#.# #...# #...#
# #.... ..... ####. #.#.# #...# .####

NAMES = "0123456789-–?:.%/+smhd "
ROWS = (
    b"\x70\x88\x88\x88\x88\x88\x70"  # 0
    b"\x20\x60\x20\x20\x20\x20\x70"  # 1
    b"\x70\x88\x08\x10\x20\x40\xf8"  # 2
    b"\xf0\x08\x08\x70\x08\x08\xf0"  # 3
    b"\x10\x30\x50\x90\xf8\x10\x10"  # 4
    b"\xf8\x80\xf0\x08\x08\x08\xf0"  # 5
    b"\x30\x40\x80\xf0\x88\x88\x70"  # 6
    b"\xf8\x08\x08\x10\x10\x20\x20"  # 7
    b"\x70\x88\x88\x70\x88\x88\x70"  # 8
    b"\x70\x88\x88\x78\x08\x10\x60"  # 9
    b"\x00\x00\x00\x70\x00\x00\x00"  # -
    b"\x00\x00\x00\xf8\x00\x00\x00"  # –
    b"\x70\x88\x08\x10\x20\x00\x20"  # ?
    b"\x00\x20\x20\x00\x20\x20\x00"  # :
    b"\x00\x00\x00\x00\x00\x60\x60"  # .
    b"\xc8\xd0\x10\x20\x40\x58\x98"  # %
    b"\x08\x10\x10\x20\x40\x40\x80"  # /
    b"\x00\x20\x20\xf8\x20\x20\x00"  # +
    b"\x00\x00\x78\x80\x70\x08\xf0"  # s
    b"\x00\x00\xf0\xa8\xa8\xa8\xa8"  # m
    b"\x80\x80\xf0\x88\x88\x88\x88"  # h
    b"\x08\x08\x78\x88\x88\x88\x78"  # d
    b"\0\0\0\0\0\0\0"  # the blank
)


def glyph(letter: str) -> bytes:
    """The seven rows of one of NAMES, a byte each, its five pixels leftmost bit first."""
    at = NAMES.index(letter) * 7
    return ROWS[at : at + 7]


def scaled(letter: str, scale: int) -> bytes:
    """One of NAMES as a strip of 5 x 7 pixels times `scale`: rows padded to bytes, leftmost bit first."""
    wide = (5 * scale + 7) // 8
    rows = b""
    for row in glyph(letter):
        bits = 0
        for column in range(5):
            bits <<= scale
            if row & 0x80 >> column:
                bits |= (1 << scale) - 1
        rows += (bits << wide * 8 - 5 * scale).to_bytes(wide, "big") * scale
    return rows
