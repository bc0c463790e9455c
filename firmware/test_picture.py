"""A picture to try lights with. Loaded when a technician asks for it."""

from firmware import scene


def draw(picture: scene.Picture) -> None:
    """A picture to try lights with: a frame at the very edge, every colour, the figures."""
    w, h = picture.w, picture.h
    for colour in (scene.WHITE, scene.CYAN, scene.AMBER, scene.RED):
        left = w * (colour - 1) // 4
        picture.fill(left, 0, w * colour // 4 - left, h, colour)
    picture.fill(1, 1, w - 2, h // 2 - 1, scene.BLACK)
    if h >= scene.FRAMED:
        picture.write(2, h // 4 - 3, "0123456789"[: (w - 2) // 6], 1, scene.WHITE)
