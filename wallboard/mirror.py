"""What a wall shows, drawn here by the wall's own code: for the page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from firmware import scene, scene_load, values
from wallboard.picture import png


def mirror_png(size: tuple[int, int], fields: Mapping[str, Any], numbers: values.Numbers | None,
               clock_s: float, age_s: int | None, message: Mapping[str, Any] | None = None,
               off: bool = False) -> bytes:  # fmt: skip
    """A wall of `size` lights as PNG: the fields of its scene, the values, the gateway's clock, its age.

    message: the fields of the message that is shown now. off: it is dark, as planned.
    Pages turn and texts move with this computer's clock, not the board's: the mirror may be a page ahead.
    """
    picture = scene.Picture(*size)
    if not off:
        tick_ms = time.monotonic_ns() // 1_000_000
        told = scene_load.load_message(dict(message), *size, 0) if message else None
        shown = scene_load.load(dict(fields), *size)
        scene.draw(picture, shown, numbers, int(clock_s * 1000), tick_ms, age_s, told)
    return png(picture, scale=1, look="plain")  # the page makes round lights of it
