"""A panel with no lights: it keeps the last picture, for whoever wants to look."""


class MemoryPanel:
    """Shows nothing. `pixels` is what it was last given; `shows` counts."""

    def __init__(self, entry: dict):
        self.width, self.height = entry["size"]
        self.pixels = bytes(self.width * self.height)
        self.shows = 0

    def show(self, picture) -> None:
        """Keeps the picture."""
        self.pixels = b"".join([picture.row(y) for y in range(picture.h)])
        self.shows += 1
