"""How old a wall's figures are, and where that is said so that the fewest of them are hidden."""

from firmware.scene import BLACK, FRAMED, WHITE, Figure, Label, Mover


def ask(picture) -> None:
    """What a wall shows that has nothing to draw yet: a question mark in the middle."""
    w, h = picture.w, picture.h
    text, scale, _, _, _ = place([], w, h, -1)
    draw(picture, [], (text, scale, (w - 5 * scale) // 2, (h - 7 * scale) // 2, h))


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


def place(page, w, h, age_s):
    """(text, scale, x, y, h) of the age on a page of w x h: where it hides the fewest figures, as large as it can be.

    What it would hide in part is not drawn at all (`covers`). Under FRAMED rows it stands at the right.
    """
    text = words(age_s)
    if len(text) * 6 - 1 > w:
        text = "?"
    fewest, best = 0, None
    scale = 1 + (h >= 24) + (h >= 96) + (h >= 192) + (h >= 24 and text == "?")
    while scale:
        wide, high = (len(text) * 6 - 1) * scale, 7 * scale
        x, y = w - wide, h - high
        corners = ((x, y // 2),) if h < FRAMED else ((max(x - 2, 0), y - 2), (2, y - 2), (max(x - 2, 0), 2), (2, 2))
        for x, y in corners if scale == 1 or wide <= w - 4 else ():
            here = text, scale, x, y, h
            hidden = 0
            for op in page:
                if covers(w, here, op):
                    hidden += 9 if type(op) is Figure else 1
            if best is None or hidden < fewest:
                fewest, best = hidden, here
        scale -= 1
    return best


def covers(w, place, op):
    """True where the age would hide some of a figure or a label; fills and whole pictures may lose some."""
    text, scale, x, y, h = place
    if _is_large(op, w, h):
        return False
    return touches(op, x - 2, y - 1, (len(text) * 6 - 1) * scale + 4, 7 * scale + 2)


def touches(op, x, y, w, h):
    """True where something of an operation may lie in that rectangle; a figure's block and line belong to it."""
    if type(op) is Mover:
        return op.y < y + h and op.y + op.h > y
    more = op.scale + 1 if type(op) is Figure else 0
    return op.x - more < x + w and op.x + op.w + more > x and op.y - more < y + h and op.y + op.h + more > y


def draw(picture, page, place):
    """The age, bright on black, and where there is room a dashed frame, with gaps for what stands at its edges."""
    text, scale, x, y, h = place
    w = picture.w
    if h >= FRAMED:
        there = []
        for op in page:
            if _at_the_edge(op, w, h) and not _is_large(op, w, h) and not covers(w, place, op):
                there.append(op)
        for left in range(0, w, 8):
            long = min(4, w - left)
            _dash(picture, there, left, 0, long, 1)
            _dash(picture, there, left, h - 1, long, 1)
        for top in range(0, h, 8):
            long = min(4, h - top)
            _dash(picture, there, 0, top, 1, long)
            _dash(picture, there, w - 1, top, 1, long)
    picture.fill(x - 2, y - 1, (len(text) * 6 - 1) * scale + 4, 7 * scale + 2, BLACK)
    picture.write(x, y, text, scale, WHITE)


def _is_large(op, w, h):
    return type(op) is Label and (op.bits is None or op.w * op.h * 2 > w * h)


def _at_the_edge(op, w, h):
    return (
        touches(op, 0, 0, w, 1)
        or touches(op, 0, h - 1, w, 1)
        or touches(op, 0, 0, 1, h)
        or touches(op, w - 1, 0, 1, h)
    )


def _dash(picture, there, x, y, w, h):
    for op in there:
        if touches(op, x, y, w, h):
            return
    picture.fill(x, y, w, h, WHITE)
