"""Pictures to try lights with. Loaded when a technician asks for one."""

from firmware import scene

CALIBRATION = 1  # the command's `picture`: how does the panel hang?


def show(panel, picture: scene.Picture, percent: int = 100, which=None) -> None:
    """Shows one of them on a panel; lights that are off come on for it. Raises OSError."""
    cell = getattr(panel, "cell", None)
    if which == CALIBRATION and cell:
        draw_chain(picture, cell[0], cell[1], panel.kind)
        panel.show(picture, percent or 100, True)
    else:
        draw(picture)
        panel.show(picture, percent or 100)


def draw(picture: scene.Picture) -> None:
    """A picture to try lights with: a frame at the very edge, every colour, the figures."""
    w, h = picture.w, picture.h
    for colour in (scene.WHITE, scene.CYAN, scene.AMBER, scene.RED):
        left = w * (colour - 1) // 4
        picture.fill(left, 0, w * colour // 4 - left, h, colour)
    picture.fill(1, 1, w - 2, h // 2 - 1, scene.BLACK)
    if h >= scene.FRAMED:
        picture.write(2, h // 4 - 3, "0123456789"[: (w - 2) // 6], 1, scene.WHITE)


def draw_chain(picture: scene.Picture, w: int, h: int, kind: str) -> None:
    """What shows how modules of w x h lights hang: by the chain, as if it went like one reads.

    max7219: each has the last digit of its number, the first a bar above it. ws2812: the first has a worm of
    lights: one with its first colour, two with its second, three with its third, white ones, and two at least
    where the second line may begin; each other one has as many white ones as its number, if it has so many.
    """
    picture.fill(0, 0, picture.w, picture.h, scene.BLACK)
    columns = picture.w // w
    for number in range(columns * (picture.h // h)):
        left, top = number % columns * w, number // columns * h
        if kind == "max7219":
            picture.fill(left, top, 0 if number else 4, 1, scene.WHITE)
            picture.write(left + 2, top + 1, str((number + 1) % 10), 1, scene.WHITE)
            continue
        places = list(range(number + 1 if number else max(min(w, h) + 2, 6)))
        if not number:
            places += [max(w, h), max(w, h) + 1]
        for place in places:
            colour = scene.WHITE
            if not number and place < 6:
                colour = (scene.RED, scene.AMBER, scene.AMBER, scene.CYAN, scene.CYAN, scene.CYAN)[place]
            if place < w * h:
                picture.fill(left + place % w, top + place // w, 1, 1, colour)
