"""Draws a wall: labels that came as pictures, numbers by name, waits that tick, and how old it all is.

A scene is pages of operations, drawn in their order; `firmware/scene_load.py` reads it from its message.
x and y may lie outside the panel: what does not fit on it is not drawn. A number stands at the right
of its cells, each 6 x 7 pixels times `scale`. `name` is one of the numbers in `values`; a timer's is a
`.since`: it counts from then to now, and -1 there means that nobody waits: 0:00. From `amber_from` on
it is amber and underlined, from `red_from` on white on a red block; null: never. The same file draws
on MicroPython and on CPython.
"""

from collections import namedtuple

from firmware import digits

try:
    import framebuf

    KIND = framebuf.GS4_HMSB  # half a byte a pixel: a board has little room
except ImportError:
    from firmware import slowbuf as framebuf

    KIND = framebuf.GS8

BLACK, WHITE, CYAN, AMBER, RED = range(5)
DIM = 8  # added to a colour: the same at 35 %. Dim means old, and nothing else is dim

# Chosen for three kinds of colour blindness: the least distance of two levels is 31 (CIE76) for
# deuteranopes, where red, amber and green have 8. Each level has a shape beside its colour all the same.
RGB = (b"\x00\x00\x00", b"\xff\xff\xff", b"\x00\xc8\xff", b"\xff\xbe\x00", b"\xff\x00\x28")

FRAMED = 16  # rows from which on a panel has room for a frame
REST_MS = 60000  # look again then, where nothing on a page moves by itself

Scene = namedtuple("Scene", "id dwell_ms pages")
Label = namedtuple("Label", "x y w h colour bits")  # bits is None for a fill
Figure = namedtuple("Figure", "x y w h colour ticks name cells scale amber red")


class Picture:
    """What a panel shows. A pixel is a colour or a colour + DIM; `row` gives them on both Pythons.

    `pixels` is how they are kept, a byte each on CPython, half a byte on MicroPython: good for
    telling whether a picture is another one.
    """

    def __init__(self, w: int, h: int):
        self.w, self.h = w, h
        self.pixels = bytearray(w * h if KIND == framebuf.GS8 else (w + 1) // 2 * h)
        self._lights = framebuf.FrameBuffer(self.pixels, w, h, KIND)
        self._ink = bytearray((255, 0))  # 255 is no colour: the unlit bits of a strip
        self._two = framebuf.FrameBuffer(self._ink, 2, 1, framebuf.GS8)

    def fill(self, x: int, y: int, w: int, h: int, colour: int) -> None:
        """Fills a rectangle, as much of it as lies in the picture."""
        self._lights.fill_rect(x, y, w, h, colour)

    def strip(self, x: int, y: int, w: int, h: int, bits: bytes, colour: int) -> None:
        """Draws the lit bits of a strip, rows padded to bytes, leftmost bit first."""
        self._ink[1] = colour
        self._lights.blit((bits, w, h, framebuf.MONO_HLSB), x, y, 255, self._two)

    def row(self, y: int) -> bytes:
        """The pixels of a row, a byte each."""
        return bytes([self._lights.pixel(x, y) for x in range(self.w)])

    def write(self, x: int, y: int, text: str, scale: int, colour: int) -> None:
        """Writes figures, each in a cell of 6 x 7 pixels times `scale`."""
        for letter in text:
            top = y
            for row in digits.glyph(letter):
                for column in range(5):
                    if row & 0x80 >> column:
                        self._lights.fill_rect(x + column * scale, top, scale, scale, colour)
                top += scale
            x += 6 * scale


def draw(picture: Picture, scene, numbers: dict, now_s, tick_ms: int, age_s) -> None:
    """Draws what the wall should show now: the picture is whole after it, nothing of the last one stays.

    scene is None before the first one. numbers: name to whole number or None, unknown. now_s: the
    gateway's clock, standing still while the figures are old; None: not known. tick_ms: the board's
    own milliseconds, which turn the pages. age_s: None while the figures are proved; else how long ago
    they were, -1 for never.
    """
    picture.fill(0, 0, picture.w, picture.h, BLACK)
    if scene is None:
        text, scale, _, _ = _age_place(picture, -1)
        _draw_age(picture, text, scale, (picture.w - 5 * scale) // 2, (picture.h - 7 * scale) // 2)
        return
    page = scene.pages[tick_ms // scene.dwell_ms % len(scene.pages)]
    if age_s is None:
        for op in page:
            _draw_op(picture, op, numbers, now_s, 0)
        return
    age = _age_place(picture, age_s)
    for op in page:
        if not _covers(picture, age, op):  # a figure is whole or it is not there
            _draw_op(picture, op, numbers, now_s, DIM)
    _draw_age(picture, *age)


def changes_in_ms(scene, now_s, tick_ms: int, into_ms: int = 0) -> int:
    """In how many ms the picture changes by itself: a wait ticks or a page turns. At most REST_MS.

    now_s and tick_ms as for draw(); into_ms: how far the gateway's clock is into its second, 0 to 999.
    """
    if scene is None:
        return REST_MS
    turn_ms = scene.dwell_ms - tick_ms % scene.dwell_ms
    page = scene.pages[tick_ms // scene.dwell_ms % len(scene.pages)]
    due_ms = turn_ms if len(scene.pages) > 1 else REST_MS
    for op in page:
        if now_s is not None and type(op) is Figure and op.ticks:
            return min(due_ms, 1000 - into_ms)
    return min(due_ms, REST_MS)


def _draw_op(picture, op, numbers, now_s, dim):
    if type(op) is Figure:
        _draw_figure(picture, op, numbers.get(op.name), now_s, dim)
    elif op.bits is None:
        picture.fill(op.x, op.y, op.w, op.h, op.colour and op.colour | dim)
    else:
        picture.strip(op.x, op.y, op.w, op.h, op.bits, op.colour and op.colour | dim)


def _draw_figure(picture, op, value, now_s, dim):
    scale = op.scale
    if op.ticks:
        value = None if value is None or now_s is None else waited_s(value, now_s)
        text = wait_words(value, op.cells)
    else:
        text, scale = number_words(value, op.cells, scale)
    w = len(text) * 6 * scale
    x = op.x + op.w - w
    y = op.y + (op.h - 7 * scale) // 2
    edge = (op.scale + 1) // 2
    colour = op.colour
    if value is not None and op.red is not None and value >= op.red:
        picture.fill(x - edge, op.y - edge, w - scale + 2 * edge, op.h + 2 * edge, RED | dim)
        colour = WHITE
    elif value is not None and op.amber is not None and value >= op.amber:
        if op.y + op.h + edge < picture.h:
            picture.fill(x, op.y + op.h + edge, w - scale, op.scale, AMBER | dim)
        else:  # no room for a line below: a bar before it
            picture.fill(x - 2 * scale, op.y - edge, scale, op.h + 2 * edge, AMBER | dim)
        colour = AMBER
    picture.write(x, y, text, scale, colour | dim)


def waited_s(since: int, now_s: int) -> int:
    """How long the oldest caller has waited; 0 for a since of -1: nobody waits."""
    return 0 if since < 0 else max(int(now_s) - since, 0)


def number_words(value, cells: int, scale: int) -> tuple:
    """(text, scale) of a number in so many cells: as it is, else smaller, else "9+": more than 9."""
    if value is None:
        return "–", scale
    text = str(value)
    for smaller in range(scale, 0, -1):
        if len(text) * smaller <= cells * scale:
            return text, smaller
    return ("9" * (cells - 1) + "+" if value > 0 else "?"), scale


def wait_words(seconds, cells: int) -> str:
    """A wait as 0:24, 59:59, 1h05, 12h05; in few cells 24s, 12m, 12h; "–" for None.

    2:14 is always minutes and seconds; a wait of hours has its h.
    """
    if seconds is None:
        return "–"
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    if hours:
        forms = ("%dh%02d" % (hours, m), "%dh" % hours)
    elif minutes:
        forms = ("%d:%02d" % (minutes, s), "%dm" % minutes)
    else:
        forms = ("0:%02d" % s, "%ds" % s)
    for text in forms:
        if len(text) <= cells:
            return text
    return "9" * (cells - 2) + "h+"


def age_words(age_s: int) -> str:
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


def _age_place(picture, age_s):
    """(text, scale, x, y) of the age: right below, in figures that are read from as far as the others."""
    text = age_words(age_s)
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


def _covers(picture, age, op):
    """True where the age would hide some of a figure or a label; fills and whole pictures may lose some."""
    x, y = age[2:]
    if type(op) is Label and (op.bits is None or op.w * op.h * 2 > picture.w * picture.h):
        return False
    return op.y + op.h >= y and op.x + op.w >= x


def _draw_age(picture, text, scale, x, y):
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
