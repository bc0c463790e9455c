"""How old a wall's figures are, drawn over them. A microcontroller has this file only while they are old."""

from firmware.scene import BLACK, FRAMED, WHITE, Label, Mover


def ask(picture) -> None:
    """What a wall shows that has nothing to draw yet: a question mark in the middle."""
    text, scale, _, _ = place(picture, -1)
    draw(picture, text, scale, (picture.w - 5 * scale) // 2, (picture.h - 7 * scale) // 2)


def words(age_s: int) -> str:
    """How old figures are: "? 45s", "? 3m", "? 2h", "? 3d"; "?" where nobody knows, or after 99 days."""
    if not 0 <= age_s < 100 * 86400:
        return "?"
    if age_s < 60:
        return "? %ds" % age_s
    if age_s < 3600:
        return "? %dm" % (age_s // 60)
    if age_s < 2 * 86400:
        return "? %dh" % (age_s // 3600)
    return "? %dd" % (age_s // 86400)


def place(picture, age_s):
    """(text, scale, x, y) of the age: right below, in figures that are read from as far as the others."""
    text = words(age_s)
    if len(text) * 6 - 1 > picture.w:
        text = "?"
    h = picture.h
    scale = 1 + (h >= 24) + (h >= 96) + (h >= 192) + (h >= 24 and text == "?")
    while scale > 1 and (len(text) * 6 - 1) * scale > picture.w - 4:
        scale -= 1
    x = picture.w - (len(text) * 6 - 1) * scale
    if h < FRAMED:
        return text, scale, x, (h - 7) // 2
    return text, scale, max(x - 2, 0), h - 7 * scale - 2


def covers(picture, place, op):
    """True where the age would hide some of a figure or a label; fills and whole pictures may lose some."""
    x, y = place[2:]
    if type(op) is Mover:
        return op.y + op.h >= y
    if type(op) is Label and (op.bits is None or op.w * op.h * 2 > picture.w * picture.h):
        return False
    return op.y + op.h >= y and op.x + op.w >= x


def draw(picture, text, scale, x, y):
    """The age, bright on black, and a dashed frame where there is room for one."""
    w, h = picture.w, picture.h
    picture.fill(x - 1, y - 1, w, h, BLACK)
    if h >= FRAMED:
        for left in range(0, w, 8):
            picture.fill(left, 0, 4, 1, WHITE)
            picture.fill(left, h - 1, 4, 1, WHITE)
        for top in range(0, h, 8):
            picture.fill(0, top, 1, 4, WHITE)
            picture.fill(w - 1, top, 1, 4, WHITE)
    picture.write(x, y, text, scale, WHITE)
