"""A panel whose lights are a file: each new picture is written to it, as PPM (P6)."""

import os
from hashlib import sha256

from firmware.panels import colours


class FilePanel:
    """Writes to `path`, all or nothing: whoever reads it never sees half a picture."""

    def __init__(self, entry: dict):
        self.width, self.height = entry["size"]
        self.path = entry["path"]
        self._written = (b"", 0)

    def show(self, picture, percent: int = 100) -> None:
        """Writes the picture where it is another one than the last. Raises OSError."""
        seen = (sha256(picture.pixels).digest(), percent)  # 32 bytes, where a copy would be 4 KB
        if seen == self._written:
            return
        with open(self.path + ".new", "wb") as file:
            self.write(file, picture, percent)
        os.rename(self.path + ".new", self.path)
        self._written = seen

    def write(self, file, picture, percent: int) -> None:
        """Writes one picture, a row at a time."""
        file.write(b"P6 %d %d 255\n" % (picture.w, picture.h))
        for y in range(picture.h):
            file.write(colours.rgb(picture.row(y), percent))
