"""A panel with no lights: it keeps the last picture, for whoever wants to look."""


class MemoryPanel:
    """Shows nothing. `pixels` is what it was last given, all dark at 0 percent; `shows` counts."""

    def __init__(self, entry: dict):
        self.width, self.height = entry["size"]
        self.pixels = bytearray(self.width * self.height)  # once and for ever: later there may be no such piece
        self.percent = 100
        self.shows = 0

    def show(self, picture, percent: int = 100) -> None:
        """Keeps the picture."""
        for y in range(picture.h):
            self.pixels[y * picture.w : (y + 1) * picture.w] = picture.row(y) if percent else bytes(picture.w)
        self.percent = percent
        self.shows += 1
