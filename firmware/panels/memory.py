"""A panel with no lights: it keeps the last picture, for whoever wants to look."""

from firmware.scene import Picture


class MemoryPanel:
    """Shows nothing. `pixels` is what it was last given, all dark at 0 percent; `shows` counts."""

    def __init__(self, entry: dict):
        self.width, self.height = entry["size"]
        self.pixels = Picture(self.width, self.height).pixels  # now: later there may be no such piece
        self.percent = 100
        self.shows = 0

    def show(self, picture, percent: int = 100) -> None:
        """Keeps the picture."""
        self.pixels[:] = picture.pixels
        for at in range(0 if percent else len(self.pixels)):
            self.pixels[at] = 0
        self.percent = percent
        self.shows += 1
