"""What a wall shows, drawn here by the wall's own code: for the page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from firmware import scene, scene_load, values
from wallboard.picture import png


def mirror_png(size: tuple[int, int], message: Mapping[str, Any], numbers: values.Numbers | None,
               clock_s: float, age_s: int | None) -> bytes:  # fmt: skip
    """A wall of `size` lights as PNG: its scene message, the values, the gateway's clock, its age.

    Pages turn with this computer's clock, not the board's, so the mirror may be a page ahead.
    """
    picture = scene.Picture(*size)
    tick_ms = time.monotonic_ns() // 1_000_000
    shown = scene_load.load(dict(message), *size)
    scene.draw(picture, shown, numbers, int(clock_s * 1000), tick_ms, age_s)
    return png(picture, scale=1, look="plain")  # the page makes round lights of it
