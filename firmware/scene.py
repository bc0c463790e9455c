"""Draws a wall: labels that came as pictures, numbers, waits that tick, messages, and how old it all is.

A scene is pages of operations, drawn in their order; `firmware/scene_load.py` reads it from its message.
x and y may lie outside the panel: what does not fit on it is not drawn. A number stands at the right
of its cells, each 6 x 7 pixels times `scale`; it is one of the numbers in `values`, by its place. A timer's
is a wait: it counts on from when it was taken, and -1 means that nobody waits: 0:00. From `amber` on it is
amber and underlined, from `red` on white on a red block, which blinks for its first `blink_s`; null: never.
A number has the level that came with it. The same file draws on MicroPython and on CPython.
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

BLINK_MS = 500  # a blinking block is on for so long, then as long a frame: 1 Hz

Scene = namedtuple("Scene", "id of dwell_ms pages")
Message = namedtuple("Message", "id priority band ops since_ms")  # what people are told; since when, on tick_ms
Label = namedtuple("Label", "x y w h colour bits")  # bits is None for a fill
Figure = namedtuple("Figure", "x y w h colour ticks number cells scale amber red blink_s")
Mover = namedtuple("Mover", "y w h colour bits px_s")  # a strip that crosses the whole width, again and again

_glyphs = {}  # figures as strips, by letter and scale: at most 4 of each letter in digits.py


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
            bits = _glyphs.get((letter, scale))
            if bits is None:
                bits = _glyphs[letter, scale] = digits.scaled(letter, scale)
            self.strip(x, y, 5 * scale, 7 * scale, bits, colour)
            x += 6 * scale


def draw(picture: Picture, scene, numbers, clock_ms, tick_ms: int, age_s, message=None) -> None:
    """Draws what the wall should show now: the picture is whole after it, nothing of the last one stays.

    scene is None before the first one. numbers: `values.Numbers`, or None before the first. clock_ms: the
    gateway's clock, standing still while the figures are old; None: not known. tick_ms: the board's
    own milliseconds, which turn the pages and move what moves. age_s: None while the figures are proved;
    else how long ago they were, -1 for never. message: what people are told beside it, or None.
    """
    picture.fill(0, 0, picture.w, picture.h, BLACK)
    if scene is None:
        text, scale, _, _ = _age_place(picture, -1)
        _draw_age(picture, text, scale, (picture.w - 5 * scale) // 2, (picture.h - 7 * scale) // 2)
        return
    page = turn(scene, message, tick_ms, picture.w)[0]
    if message and message.band:
        page = page + message.ops
        moved_ms = tick_ms - message.since_ms
    else:
        moved_ms = turn(scene, message, tick_ms, picture.w)[1]
    if numbers is not None and numbers.of != scene.of:
        numbers = None  # of another order: no figure is the one this scene means
    if age_s is None:
        for op in page:
            _draw_op(picture, op, numbers, clock_ms, moved_ms, 0)
        return
    age = _age_place(picture, age_s)
    for op in page:
        if not _covers(picture, age, op):  # a figure is whole or it is not there
            _draw_op(picture, op, numbers, clock_ms, moved_ms, DIM)
    _draw_age(picture, *age)


def turn(scene, message, tick_ms, w) -> tuple:
    """(operations of the page whose turn it is, since how many ms, for how many more).

    A message's page comes first when it comes, and again after each page if it has priority, else after all.
    """
    pages = scene.pages
    if message is None or message.band:
        at_ms = tick_ms % (scene.dwell_ms * len(pages))
        return pages[at_ms // scene.dwell_ms], at_ms % scene.dwell_ms, scene.dwell_ms - at_ms % scene.dwell_ms
    long_ms = scene.dwell_ms
    for op in message.ops:
        if type(op) is Mover:  # it stays until all of it has passed
            long_ms = max(long_ms, (w + op.w) * 1000 // abs(op.px_s))
    every = 1 if message.priority else len(pages)
    group_ms = long_ms + every * scene.dwell_ms
    group, at_ms = divmod((tick_ms - message.since_ms) % (group_ms * (len(pages) // every)), group_ms)
    if at_ms < long_ms:
        return message.ops, at_ms, long_ms - at_ms
    page, at_ms = divmod(at_ms - long_ms, scene.dwell_ms)
    return pages[group * every + page], at_ms, scene.dwell_ms - at_ms


def changes_in_ms(scene, numbers, clock_ms, tick_ms: int, w: int, message=None) -> int:
    """In how many ms the picture changes by itself: a wait ticks, a page turns, something moves or blinks.

    At most REST_MS. Arguments as for draw(); w: the picture's width.
    """
    if scene is None:
        return REST_MS
    page, moved_ms, due_ms = turn(scene, message, tick_ms, w)
    if message and message.band:
        page, moved_ms = page + message.ops, tick_ms - message.since_ms
    due_ms = min(due_ms if len(scene.pages) > 1 or (message and not message.band) else REST_MS, REST_MS)
    for op in page:
        if type(op) is Mover:
            px_s = abs(op.px_s)
            due_ms = min(due_ms, -((moved_ms * px_s // 1000 + 1) * -1000 // px_s) - moved_ms)
        elif type(op) is Figure and op.ticks and clock_ms is not None:
            due_ms = min(due_ms, 1000 - clock_ms % 1000)
            if _blinks(op, _waited_s(op, numbers, clock_ms)):
                due_ms = min(due_ms, BLINK_MS - clock_ms % BLINK_MS)
    return max(due_ms, 1)


def _draw_op(picture, op, numbers, clock_ms, moved_ms, dim):
    if type(op) is Figure:
        _draw_figure(picture, op, numbers, clock_ms, dim)
        return
    colour = op.colour and op.colour | dim
    if type(op) is Mover:
        at = moved_ms * abs(op.px_s) // 1000 % (picture.w + op.w)
        picture.strip(picture.w - at if op.px_s > 0 else at - op.w, op.y, op.w, op.h, op.bits, colour)
    elif op.bits is None:
        picture.fill(op.x, op.y, op.w, op.h, colour)
    else:
        picture.strip(op.x, op.y, op.w, op.h, op.bits, colour)


def _draw_figure(picture, op, numbers, clock_ms, dim):
    value, level = None, 0
    if numbers is not None and op.number < len(numbers.values):
        value, level = numbers.values[op.number], numbers.levels[op.number]
    scale = op.scale
    blink = False
    if op.ticks:
        value = _waited_s(op, numbers, clock_ms)
        text = wait_words(value, op.cells)
        if value is not None:
            if op.red is not None and value >= op.red:
                level = 2
            elif op.amber is not None and value >= op.amber and not level:
                level = 1
            blink = _blinks(op, value) and clock_ms // BLINK_MS % 2 == 1
    else:
        text, scale = number_words(value, op.cells, scale)
    w = len(text) * 6 * scale
    x = op.x + op.w - w
    y = op.y + (op.h - 7 * scale) // 2
    edge = (op.scale + 1) // 2
    colour = op.colour
    if value is None:
        level = 0
    if level == 2:
        left, top, wide, high = x - edge, op.y - edge, w - scale + 2 * edge, op.h + 2 * edge
        picture.fill(left, top, wide, high, RED | dim)
        if blink:  # a frame for half a second; the figure never goes
            picture.fill(left + edge, top + edge, wide - 2 * edge, high - 2 * edge, BLACK)
        colour = WHITE
    elif level == 1:
        if op.y + op.h + edge < picture.h:
            picture.fill(x, op.y + op.h + edge, w - scale, op.scale, AMBER | dim)
        else:  # no room for a line below: a bar before it
            picture.fill(x - 2 * scale, op.y - edge, scale, op.h + 2 * edge, AMBER | dim)
        colour = AMBER
    picture.write(x, y, text, scale, colour | dim)


def _waited_s(op, numbers, clock_ms):
    """How long the oldest caller has waited by now; 0 where nobody waits; None: unknown."""
    if numbers is None or clock_ms is None or op.number >= len(numbers.values):
        return None
    wait_s = numbers.values[op.number]
    if wait_s is None:
        return None
    return 0 if wait_s < 0 else max(wait_s + clock_ms // 1000 - numbers.at_s, 0)


def _blinks(op, waited_s):
    return waited_s is not None and op.red is not None and 0 <= waited_s - op.red < op.blink_s


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
    if type(op) is Mover:
        return op.y + op.h >= y
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
