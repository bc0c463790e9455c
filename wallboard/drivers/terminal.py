"""A wall drawn in the terminal, always at the same place."""

from __future__ import annotations

import sys
from typing import Any

from firmware.panels import colours
from firmware.scene import Picture
from wallboard import picture as pictures


class TerminalPanel:
    """Draws at the top of the screen, where the picture is another one than the last."""

    def __init__(self, entry: dict[str, Any]):
        self.width, self.height = entry["size"]
        self._drawn = b""

    def show(self, picture: Picture, percent: int = 100) -> None:
        """Draws the picture; what stands below it on the screen stays. Raises OSError."""
        rgb = colours.rgb(bytes(picture.pixels), percent)
        if rgb == self._drawn:
            return
        # Cursor kept, home, drawn, cursor back.
        frame = pictures.Frame(picture.w, picture.h, rgb)
        sys.stdout.write("\x1b7\x1b[H" + pictures.terminal(frame) + "\x1b8")
        sys.stdout.flush()
        self._drawn = rgb
