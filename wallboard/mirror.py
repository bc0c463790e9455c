"""What a wall shows, drawn here by the wall's own code: for the page."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

from PIL import Image

from firmware import scene, scene_load, values
from firmware.panels import colours


class Mirrored(NamedTuple):
    """All that a picture of a wall depends on: where two are equal, so are their pictures."""

    size: tuple[int, int]  # columns and rows of lights
    scene: Mapping[str, Any]  # fields of the scene, and of the message that is shown now
    message: Mapping[str, Any] | None = None
    numbers: values.Numbers | None = None  # None: no figure is known
    clock_s: int | None = None  # the gateway's clock, at which waits stand; None: no wait is known
    age_s: int | None = None  # None: the figures are proved; else how old they are, -1: nobody knows
    at_s: int = 0  # a clock that turns pages and moves texts; the board's is another: it may be a page ahead
    off: bool = False  # dark, as planned


def mirror_png(wall: Mirrored) -> bytes:
    """A wall as PNG, a pixel a light. May run in any thread; takes 1 ms for 128 x 64 lights, 3 for 512 x 256."""
    picture = scene.Picture(*wall.size)
    if not wall.off:
        told = scene_load.load_message(dict(wall.message), *wall.size, 0) if wall.message else None
        shown = scene_load.load(dict(wall.scene), *wall.size)
        clock_ms = None if wall.clock_s is None else wall.clock_s * 1000
        scene.draw(picture, shown, wall.numbers, clock_ms, wall.at_s * 1000, wall.age_s, told)
    image = Image.frombytes("P", wall.size, bytes(picture.pixels))
    image.putpalette(_PALETTE)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


_PALETTE = colours.rgb(bytes(range(2 * scene.DIM)))
