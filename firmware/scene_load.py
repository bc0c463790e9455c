"""Reads a scene or a message from what came, checked and decoded once. A microcontroller forgets this file.

A scene is what `board/+/panel/+/scene` carries: strips, and pages of operations that name them by their place.

    strips: [[w, h, base64], …]                 pictures of 1 bit a pixel, rows padded to bytes
    ["s", x, y, colour, strip]                  such a picture
    ["f", x, y, w, h, colour]                   a rectangle
    ["n", x, y, cells, scale, colour, number]   a number, by its place among the values
    ["t", x, y, cells, scale, colour, number, amber_from_s, red_from_s, blink_s]   a wait
    ["m", y, colour, strip, px_s]               a strip that moves; px_s below 0: to the right

A message, `board/+/panel/+/message`, has one page of them. What they mean on a wall: `firmware/scene.py`.
"""

from binascii import a2b_base64

from firmware.scene import BLACK, RED, Figure, Label, Message, Mover, Moving, Scene

FORM = 2  # of scenes: another number is another language
MAX_PAGES = 16
MAX_OPS = 64
MAX_STRIPS = 64
MAX_BLINK_S = 10  # at 1 Hz (firmware/scene.py): three flashes a second is where seizures begin (WCAG 2.3.1)

# What follows an operation's letter, and the limits of what is a whole number.
_OPS = {
    "s": "x y colour strip",
    "f": "x y w h colour",
    "n": "x y cells scale colour number",
    "t": "x y cells scale colour number from from blink_s",
    "m": "y colour strip px_s",
}
_LIMITS = {
    "x": (-512, 512),
    "y": (-256, 256),
    "w": (1, 512),
    "h": (1, 256),
    "cells": (1, 16),
    "scale": (1, 8),
    "colour": (BLACK, RED),
    "number": (0, 511),
    "blink_s": (0, MAX_BLINK_S),
}
WIDEST = 4096  # a strip that moves


class SceneError(ValueError):
    """A scene that cannot be drawn; the text names the page, the operation and what is wrong."""


def load(fields: dict, w: int, h: int) -> Scene:
    """A scene message for a panel of w x h, checked and decoded once. Raises SceneError."""
    if fields["v"] != FORM:
        raise SceneError("a scene of version %d; this board draws %d" % (fields["v"], FORM))
    dwell_ms, pages = fields["dwell_ms"], fields["pages"]
    if not 1000 <= dwell_ms <= 600000:
        raise SceneError("a page stays for 1000 to 600000 ms, not %d" % dwell_ms)
    if not 1 <= len(pages) <= MAX_PAGES:
        raise SceneError("a scene has 1 to %d pages" % MAX_PAGES)
    strips = _strips(fields["strips"])
    loaded = []
    for page in pages:
        loaded.append(_page("page %d" % (len(loaded) + 1), page, strips, w, h))
    return Scene(fields["id"], fields["of"], dwell_ms, loaded)


def load_message(fields: dict, w: int, h: int, since_ms: int) -> Message:
    """A message for a panel of w x h that came at `since_ms`. Raises SceneError."""
    ops = _page("message", fields["ops"], _strips(fields["strips"]), w, h)
    return Message(fields["id"], fields["place"] == "priority", fields["place"] == "band", ops, since_ms)


def _strips(rows):
    strips = []
    for row in rows:
        where = "strip %d" % len(strips)
        if type(row) is not list or len(row) != 3 or type(row[2]) is not str:
            raise SceneError(where + ": is not [w, h, base64]")
        w, h, text = row
        if type(w) is not int or not 1 <= w <= WIDEST or type(h) is not int or not 1 <= h <= 256:
            raise SceneError(where + ": no picture is that wide or high")
        strips.append((w, h, _bits(where, w, h, text)))
    if len(strips) > MAX_STRIPS:
        raise SceneError("a scene has at most %d strips" % MAX_STRIPS)
    return strips


def _page(where, ops, strips, w, h):
    if type(ops) is not list or len(ops) > MAX_OPS:
        raise SceneError("%s: not a list of at most %d operations" % (where, MAX_OPS))
    page = []
    for op in ops:
        here = "%s, operation %d" % (where, len(page) + 1)
        kind = op[0] if type(op) is list and op and type(op[0]) is str else ""
        if kind not in _OPS:
            raise SceneError(here + ": not a list that begins with s, f, n, t or m")
        page.append(_op(here + " (" + kind + ")", kind, op, strips, w, h))
    return Moving(page) if any(type(op) is Mover for op in page) else page


def _op(where, kind, op, strips, w, h):
    rows = _OPS[kind].split()
    if len(op) != len(rows) + 1:
        raise SceneError("%s: has %d members, not %d" % (where, len(op), len(rows) + 1))
    for row, value in zip(rows, op[1:]):
        wrong = wrong_in(row, value, len(strips))
        if wrong:
            raise SceneError(where + ": " + wrong)
    if kind == "f":
        return Label(op[1], op[2], op[3], op[4], op[5], None)
    if kind == "s":
        wide, high, bits = strips[op[4]]
        return Label(op[1], op[2], wide, high, op[3], bits)
    if kind == "m":
        wide, high, bits = strips[op[3]]
        return Mover(op[1], wide, high, op[2], bits, op[4])
    x, y, cells, scale, colour, number = op[1:7]
    if kind == "t" and cells < 3:
        raise SceneError(where + ": a wait takes 3 cells or more")
    amber, red, blink_s = op[7:] if kind == "t" else (None, None, 0)
    if x < 0 or y < 0 or x + (cells * 6 - 1) * scale > w or y + 7 * scale > h:
        raise SceneError("%s: its figures do not lie on %d x %d" % (where, w, h))
    return Figure(
        x, y, cells * 6 * scale, 7 * scale, colour, kind == "t", number, cells, scale, amber, red, blink_s
    )


def wrong_in(row, value, strips):
    if row == "from" and value is None:
        return None
    if type(value) is not int:
        return "%s is not a whole number" % row
    if row == "from":
        return None
    if row == "strip":
        return None if 0 <= value < strips else "there is no strip %d" % value
    if row == "px_s":
        return None if 24 <= abs(value) <= 30 else "it moves 24 to 30 pixels a second, not %d" % value
    low, high = _LIMITS[row]
    if low <= value <= high:
        return None
    return "%s is not a whole number from %d to %d" % (row, low, high)


def _bits(where, w, h, text):
    size = (w + 7) // 8 * h
    try:
        bits = a2b_base64(text)
    except ValueError:
        bits = b""
    if len(bits) != size or len(text) != (size + 2) // 3 * 4:
        raise SceneError("%s: is not base64 of %d bytes, for %d x %d pixels" % (where, size, w, h))
    return bits
