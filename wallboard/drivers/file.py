"""The `file` panel where there is Pillow: a path that ends in .png gets a picture of lights, others PPM."""

from __future__ import annotations

from typing import IO, Any

from firmware.panels import colours
from firmware.panels.file import FilePanel
from firmware.scene import Picture
from wallboard import picture as pictures


class PngPanel(FilePanel):
    """Writes PNG, all or nothing, as FilePanel writes PPM."""

    def write(self, file: IO[bytes], picture: Picture, percent: int) -> None:
        """Writes one picture."""
        rgb = colours.rgb(bytes(picture.pixels), percent)
        file.write(pictures.png(pictures.Frame(picture.w, picture.h, rgb)))


def panel(entry: dict[str, Any]) -> FilePanel:
    """The one that suits the ending of the path."""
    return PngPanel(entry) if entry["path"].lower().endswith(".png") else FilePanel(entry)
