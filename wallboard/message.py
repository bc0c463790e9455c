"""From a text to what a wall draws of it: standing in letters as large as fit, else moving in one line.

On a wall that keeps rows free for messages they stand there, over every page; on others they are a page of
their own. So a message never lies over a figure.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from firmware import contract, scene, scene_load, values
from wallboard import bidi
from wallboard import type as types
from wallboard.layout import Op
from wallboard.picture import png
from wallboard.type import Strip

TOPIC = "board/+/panel/+/message"
COLUMNS_MOST = 3000  # of a text that moves
AIM_BYTES = 2048  # of a message: letters are made smaller for it
BYTES_MOST = 6144  # what the smallest board has room for
LINES_MOST = 8  # strips of a message
SLOW_S = 30  # who has to wait longer for the end of a text does not
LETTERS_SEEN = 8  # of a moving text, at once: fewer cannot be read
HEIGHTS = (63, 54, 45, 40, 36, 32, 27, 24, 20, 18, 16, 15, 13, 12, 10, 9, 8, 7)  # rows of a line, worth a try
FRAMED = 24  # rows from which on a priority message has a frame
LED_PX = 4  # a light in a preview


class Composed(NamedTuple):
    """What a wall draws of a text, and what its author should know."""

    id: str  # hash of the rest of what is drawn
    place: str  # band, page, priority
    strips: tuple[tuple[int, int, str], ...]  # as they travel
    ops: tuple[tuple[Any, ...], ...]
    missing: tuple[str, ...]  # letters that nobody has: boxes
    passes_s: int | None  # how long a moving text takes; None: it stands still
    turned: tuple[str, ...] = ()  # numbers that stand the other way round, as Arabic is written: 12-345 as 345-12

    def fields(self, boot: str, until_s: int) -> dict[str, Any]:
        """The fields of `board/+/panel/+/message`."""
        return {
            "id": self.id, "boot": boot, "until_s": until_s, "place": self.place,
            "strips": [list(strip) for strip in self.strips], "ops": [list(op) for op in self.ops],
        }  # fmt: skip


class NotShown(ValueError):
    """A text that a wall cannot show; `kind` is one word, for programs."""

    kind = ""


class MessageTooLong(NotShown):
    """A text that the wall has no room for, in letters however small."""

    kind = "long"


class MessageUnseen(NotShown):
    """A text of which no light would shine: signs that have no picture."""

    kind = "text"


@lru_cache(maxsize=512)
def compose(text: str, size: tuple[int, int], band: tuple[int, int] | None, priority: bool) -> Composed:
    """A text for a wall of `size` lights; `band`: first row and rows that its pages leave free, if any.

    `priority` is amber in a band; elsewhere it has a frame of amber and a page after each page.
    A long text takes a good part of a second, so not on an event loop. Raises NotShown.
    """
    w, h = size
    if band:
        colour = scene.AMBER if priority else scene.WHITE
        ways = _in_a_line(text, w, *band, colour)
    else:
        ways = _on_a_page(text, w, h, priority)
    place = "band" if band else "priority" if priority else "page"
    smallest = None
    for ops in ways:
        if not any(any(part.bits) for op in ops for part in op if isinstance(part, Strip)):
            raise MessageUnseen("nothing of the text can be seen: write it anew, in letters")
        smallest = _composed(text, place, ops, w)
        if _bytes(smallest) <= AIM_BYTES:
            return smallest
    if smallest is None or _bytes(smallest) > BYTES_MOST:
        raise MessageTooLong(f"the text is too long for a wall of {w}x{h}: shorten it")
    return smallest


def _composed(text: str, place: str, ops: list[Op], w: int) -> Composed:
    strips: dict[Strip, int] = {}
    placed, passes_s = [], None
    for op in ops:
        strip, at = next((part for part in op if isinstance(part, Strip)), None), 0
        if strip:
            at = strips.setdefault(strip, len(strips))
            if op[0] == "m":
                passes_s = (w + strip.w) // abs(op[4]) + 1
        placed.append(tuple(at if strip and part is strip else part for part in op))
    drawn = tuple((strip.w, strip.h, base64.b64encode(strip.bits).decode()) for strip in strips)
    rest = [place, drawn, placed]
    missing = dict.fromkeys(letter for strip in strips for letter in strip.missing)
    named = hashlib.sha256(json.dumps(rest).encode()).hexdigest()[:8]
    return Composed(named, place, drawn, tuple(placed), tuple(missing), passes_s, tuple(bidi.turned(text)))


def _bytes(composed: Composed) -> int:
    return len(contract.encode(TOPIC, composed.fields("00000000", 2**31 - 1)))


# Ways to set a text, the best first: operations with strips in them.


def _on_a_page(text: str, w: int, h: int, priority: bool) -> Iterator[list[Op]]:
    edge = (1 + (h >= 48)) if priority and h >= FRAMED and w >= 2 * FRAMED else 0
    frame = _frame(w, h, edge)
    inside = 2 * edge and 2 * edge + 2
    room_w, room_h = w - inside, h - inside
    for height in HEIGHTS:
        if height <= room_h and (height >= 9 or room_h < 9):
            lines = _wrapped(text, height, room_w, room_h)
            if lines:
                yield frame + _centred(lines, w, h)
    for height in HEIGHTS:
        if height <= min(room_h, max(w * 2 // LETTERS_SEEN, 9)) and _may_move(text, height):
            strip = types.strip_of(text, height)
            if strip.w <= COLUMNS_MOST:
                yield [*_framed_rows(w, h, edge), _mover((h - strip.h) // 2, scene.WHITE, strip)]


def _in_a_line(text: str, w: int, y: int, h: int, colour: int) -> Iterator[list[Op]]:
    """In a band: standing still where it fits in letters not much smaller than the band, else moving."""
    heights = [height for height in HEIGHTS if height <= h and _may_move(text, height)]
    strips = [types.strip_of(text, height) for height in heights]
    for strip in strips:
        if strip.w <= w and strip.h * 3 >= min(h, heights[0]) * 2:
            yield [["s", (w - strip.w) // 2, y + (h - strip.h) // 2, colour, strip]]
    for strip in strips:
        if strip.w <= COLUMNS_MOST:
            yield [_mover(y + (h - strip.h) // 2, colour, strip)]


def _may_move(text: str, height: int) -> bool:
    """False where the strip would be too large even in the narrowest letters: it need not be drawn to see that."""
    columns = len(text) * height // 4
    return height <= 9 or (columns <= COLUMNS_MOST and columns * height // 6 <= AIM_BYTES)


def _mover(y: int, colour: int, strip: Strip) -> Op:
    """To the left, Arabic to the right; small letters slowly: 4 to 5 letters a second are read well."""
    px_s = 24 if strip.h <= 9 else 30
    return ["m", y, colour, strip, -px_s if strip.rtl else px_s]


def _wrapped(text: str, height: int, w: int, h: int) -> list[Strip] | None:
    """The text in lines of that height; None where they do not fit."""
    words = text.split()
    most = min(LINES_MOST, h // height)
    if len(text) * height > 8 * w * most:  # no letters are so narrow: they need not be drawn to see that
        return None
    widths = [_width(word, height) for word in words]
    if sum(widths) > w * most or max(widths) > w:
        return None
    lines: list[str] = []
    while words and len(lines) < most:
        for many in range(len(words), 0, -1):
            if sum(widths[:many]) + many - 1 <= w:
                line = " ".join(words[:many])
                if _width(line, height) <= w:
                    break
        lines.append(line)
        words, widths = words[many:], widths[many:]
    strips = list(types.strips_of(lines, height))  # of one text: which way a line runs all of it says
    return None if words or max(strip.w for strip in strips) > w else strips


@lru_cache(maxsize=4096)
def _width(line: str, height: int) -> int:
    return types.strip_of(line, height).w


def _centred(lines: list[Strip], w: int, h: int) -> list[Op]:
    spare = h - sum(line.h for line in lines)
    gap = min(spare // (len(lines) + 1), 3)
    y = (spare - gap * (len(lines) - 1)) // 2
    ops: list[Op] = []
    for line in lines:
        ops.append(["s", (w - line.w) // 2, y, scene.WHITE, line])
        y += line.h + gap
    return ops


def _frame(w: int, h: int, edge: int) -> list[Op]:
    """Amber around a priority message; nothing where there is no edge."""
    sides: list[Op] = [["f", x, 0, edge, h, scene.AMBER] for x in (0, w - edge)]
    return _framed_rows(w, h, edge) + sides if edge else []


def _framed_rows(w: int, h: int, edge: int) -> list[Op]:
    """The same above and below only: what moves would run through the sides."""
    return [["f", 0, y, w, edge, scene.AMBER] for y in (0, h - edge)] if edge else []


# To look at, before it is sent.


def preview_png(
    composed: Composed, shown: Mapping[str, Any], size: tuple[int, int], numbers: values.Numbers | None, clock_s: float
) -> bytes:
    """The wall with that message, drawn by the wall's own code: `shown` is its scene message.

    A text that moves is shown as it is when its first letters have reached the other end.
    """
    w, h = size
    loaded = scene_load.load(dict(shown), w, h)
    message = scene_load.load_message(composed.fields("00000000", 0), w, h, 0)
    movers = [op for op in message.ops if isinstance(op, scene.Mover)]
    tick_ms = w * 1000 // abs(movers[0].px_s) if movers else 0
    picture = scene.Picture(w, h)
    scene.draw(picture, loaded, numbers, int(clock_s * 1000), tick_ms, None, message)
    return png(picture, LED_PX)
