"""Reads a scene from its message, checked and decoded once. A microcontroller forgets this file afterwards.

A scene is what `board/+/panel/+/scene` carries: pages of operations.

    ["strip", x, y, w, h, colour, base64]       a picture of 1 bit a pixel, rows padded to bytes
    ["fill", x, y, w, h, colour]                a rectangle
    ["number", x, y, cells, scale, colour, name, amber_from, red_from]
    ["timer", x, y, cells, scale, colour, name, amber_from_s, red_from_s]


What they mean on a wall: `firmware/scene.py`.
"""

from binascii import a2b_base64

from firmware.scene import BLACK, RED, Figure, Label, Scene

MAX_PAGES = 16
MAX_OPS = 64

# What follows an operation's name, and the limits of what is a whole number.
_OPS = {
    "strip": "x y w h colour bits",
    "fill": "x y w h colour",
    "number": "x y cells scale colour name from from",
    "timer": "x y cells scale colour name from from",
}
_LIMITS = {
    "x": (-512, 512),
    "y": (-256, 256),
    "w": (1, 512),
    "h": (1, 256),
    "cells": (1, 16),
    "scale": (1, 4),
    "colour": (BLACK, RED),
}


class SceneError(ValueError):
    """A scene that cannot be drawn; the text names the page, the operation and what is wrong."""


def load(fields: dict) -> Scene:
    """A scene message, checked and decoded once. Raises SceneError."""
    dwell_ms, pages = fields["dwell_ms"], fields["pages"]
    if type(dwell_ms) is not int or not 1000 <= dwell_ms <= 600000:
        raise SceneError("a page stays for 1000 to 600000 ms, not %s" % str(dwell_ms)[:20])
    if type(pages) is not list or not 1 <= len(pages) <= MAX_PAGES:
        raise SceneError("a scene has 1 to %d pages" % MAX_PAGES)
    return Scene(fields["id"], dwell_ms, [_load_page(i + 1, pages[i]) for i in range(len(pages))])


def _load_page(number, ops):
    if type(ops) is not list or len(ops) > MAX_OPS:
        raise SceneError("page %d: not a list of at most %d operations" % (number, MAX_OPS))
    page = []
    for op in ops:
        where = "page %d, operation %d" % (number, len(page) + 1)
        kind = op[0] if type(op) is list and op and type(op[0]) is str else ""
        if kind not in _OPS:
            raise SceneError("%s: not a list that begins with strip, fill, number or timer" % where)
        page.append(_load_op(where + " (" + kind + ")", kind, op))
    return page


def _load_op(where, kind, op):
    rows = _OPS[kind].split()
    if len(op) != len(rows) + 1:
        raise SceneError("%s: has %d members, not %d" % (where, len(op), len(rows) + 1))
    for row, value in zip(rows, op[1:]):
        wrong = _wrong_in(row, value)
        if wrong:
            raise SceneError(where + ": " + wrong)
    x, y, w, h, colour = op[1:6]
    if kind == "fill":
        return Label(x, y, w, h, colour, None)
    if kind == "strip":
        return Label(x, y, w, h, colour, _bits(where, w, h, op[6]))
    cells, scale, colour, name, amber, red = op[3:]
    return Figure(x, y, cells * 6 * scale, 7 * scale, colour, kind == "timer", name, cells, scale, amber, red)


def _wrong_in(row, value):
    if row == "name":
        return None if type(value) is str and 0 < len(value) <= 64 else "a name is 1 to 64 characters"
    if row == "bits":
        return None if type(value) is str else "its picture is not text"
    if row == "from":
        return None if value is None or type(value) is int else "a level is a whole number or null"
    low, high = _LIMITS[row]
    if type(value) is int and low <= value <= high:
        return None
    return "%s is not a whole number from %d to %d" % (row, low, high)


def _bits(where, w, h, text):
    size = (w + 7) // 8 * h
    try:
        bits = a2b_base64(text)
    except ValueError:
        bits = b""
    if len(bits) != size or len(text) != (size + 2) // 3 * 4:
        raise SceneError(
            "%s: its picture is not base64 of %d bytes, for %d x %d pixels" % (where, size, w, h)
        )
    return bits
