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


class Moving(list):
    """A page on which something moves."""


class Own(list):
    """A page in the wall's own words: true however old the figures are, so that it is never dimmed."""


_glyphs = [{} for _ in range(9)]  # by scale: figures as strips, by letter


class Picture:
    """What a panel shows. A pixel is a colour or a colour + DIM; `row` gives them on both Pythons.

    `pixels` is how they are kept, a byte each on CPython, half a byte on MicroPython: good for
    telling whether a picture is another one.
    """

    def __init__(self, w: int, h: int):
        self.w, self.h = w, h
        self.old = False  # whether what was drawn last is dim and says its age
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
        row = bytearray(self.w)  # no list on the way: that would be eight times as large
        for x in range(self.w):
            row[x] = self._lights.pixel(x, y)
        return bytes(row)

    def write(self, x: int, y: int, text: str, scale: int, colour: int) -> None:
        """Writes figures, each in a cell of 6 x 7 pixels times `scale`."""
        self._ink[1] = colour
        strips, blit, two = _glyphs[scale], self._lights.blit, self._two
        for at in range(len(text)):  # a letter that a loop hands out stays in a board's memory for ever
            letter = text[at : at + 1]
            strip = strips.get(letter)
            if strip is None:
                strip = digits.scaled(letter, scale), 5 * scale, 7 * scale, framebuf.MONO_HLSB
                strips[letter] = strip
            blit(strip, x, y, 255, two)
            x += 6 * scale


def draw(picture: Picture, scene, numbers, clock_ms, tick_ms: int, age_s, message=None) -> None:
    """Draws what the wall should show now: the picture is whole after it, nothing of the last one stays.

    scene is None before the first one. numbers: `values.Numbers`, or None before the first. clock_ms: the
    gateway's clock, standing still while the figures are old; None: not known. tick_ms: the board's
    own milliseconds, which turn the pages and move what moves. age_s: None while the figures are proved;
    else how long ago they were, -1 for never. message: what people are told beside it, or None.
    """
    picture.fill(0, 0, picture.w, picture.h, BLACK)
    picture.old = False
    if scene is None:
        from firmware import age

        age.ask(picture)
        return
    if numbers is not None and numbers.of != scene.of:
        numbers = None  # of another order: no figure is the one this scene means
    page, moved_ms, _ = turn(scene, message, tick_ms, picture.w)
    spoken = type(page) is Own  # words of the wall, or to people: they are as true as ever
    if spoken:
        message = None
    elif message and not message.band:
        spoken = page is message.ops
    place = None
    if age_s is not None and not spoken:
        from firmware import age

        place = age.place(page, picture.w, _rows(picture, message), age_s)
    picture.old = place is not None
    _draw_page(picture, page, numbers, clock_ms, moved_ms, place)
    if place:
        age.draw(picture, page, place)
    if message and message.band:
        _draw_page(picture, message.ops, numbers, clock_ms, tick_ms - message.since_ms, None)


def _rows(picture, message):
    """How many rows a page has for itself: those above a message's band."""
    h = picture.h
    if message and message.band:
        for op in message.ops:
            if op.y >= 8:
                h = min(h, op.y)
    return h


def turn(scene, message, tick_ms, w) -> tuple:
    """(operations of the page whose turn it is, since how many ms, for how many more).

    A message's page comes first when it comes, and again after each page if it has priority, else after all.
    A page stays until all that moves on it has passed; one that has no other after it stays for ever.
    """
    pages = scene.pages
    if message and not message.band:
        tick_ms -= message.since_ms
        pages = [message.ops] + scene.pages
        if message.priority:
            pages = [page for row in scene.pages for page in (message.ops, row)]
    if len(pages) == 1:
        return pages[0], tick_ms, REST_MS
    stays_ms = [_stay_ms(page, scene.dwell_ms, w) for page in pages]
    at_ms = tick_ms % sum(stays_ms)
    place = 0
    while at_ms >= stays_ms[place]:
        at_ms -= stays_ms[place]
        place += 1
    return pages[place], at_ms, stays_ms[place] - at_ms


def _stay_ms(page, dwell_ms, w):
    if type(page) is list:  # nothing moves
        return dwell_ms
    for op in page:
        if type(op) is Mover:
            dwell_ms = max(dwell_ms, (w + op.w) * 1000 // abs(op.px_s))
    return dwell_ms


def changes_in_ms(scene, numbers, clock_ms, tick_ms: int, w: int, message=None) -> int:
    """In how many ms the picture changes by itself: a wait ticks, a page turns, something moves or blinks.

    At most REST_MS. Arguments as for draw(); w: the picture's width.
    """
    if scene is None:
        return REST_MS
    page, moved_ms, due_ms = turn(scene, message, tick_ms, w)
    due_ms = _page_changes_in_ms(page, numbers, clock_ms, moved_ms, min(due_ms, REST_MS))
    if message and message.band:
        moved_ms = tick_ms - message.since_ms
        due_ms = _page_changes_in_ms(message.ops, numbers, clock_ms, moved_ms, due_ms)
    return max(due_ms, 1)


def _page_changes_in_ms(page, numbers, clock_ms, moved_ms, due_ms):
    for op in page:
        if type(op) is Mover:
            px_s = abs(op.px_s)
            due_ms = min(due_ms, -((moved_ms * px_s // 1000 + 1) * -1000 // px_s) - moved_ms)
        elif type(op) is Figure and op.ticks and clock_ms is not None:
            due_ms = min(due_ms, 1000 - clock_ms % 1000)
            if _blinks(op, _waited_s(op, numbers, clock_ms)):
                due_ms = min(due_ms, BLINK_MS - clock_ms % BLINK_MS)
    return due_ms


def _draw_page(picture, page, numbers, clock_ms, moved_ms, place):
    """place: where the age will stand, or None while the figures are proved."""
    if not place:
        for op in page:
            _draw_op(picture, op, numbers, clock_ms, moved_ms, 0)
        return
    from firmware import age

    for op in page:
        if not age.covers(picture.w, place, op):  # a figure is whole or it is not there
            _draw_op(picture, op, numbers, clock_ms, moved_ms, DIM)


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
                blink = _blinks(op, value) and clock_ms // BLINK_MS % 2 == 1
            elif op.amber is not None and value >= op.amber and not level:
                level = 1
    else:
        text, scale = number_words(value, op.cells, scale)
    w = len(text) * 6 * scale
    x = op.x + op.w - w
    colour = op.colour
    if not level or value is None:
        pass
    elif level == 2:
        edge = (op.scale + 1) // 2
        left, top, wide, high = x - edge, op.y - edge, w - op.scale + 2 * edge, op.h + 2 * edge
        picture.fill(left, top, wide, high, RED | dim)
        if blink:  # a frame for half a second; the figure never goes
            picture.fill(left + edge, top + edge, wide - 2 * edge, high - 2 * edge, BLACK)
        colour = WHITE
    else:
        edge = (op.scale + 2) // 3
        picture.fill(x, min(op.y + op.h + edge, picture.h - edge), w - scale, edge, AMBER | dim)
        colour = AMBER
    picture.write(x, op.y + (op.h - 7 * scale) // 2, text, scale, colour | dim)


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
    smaller = scale
    while smaller:
        if len(text) * smaller <= cells * scale:
            return text, smaller
        smaller -= 1
    return ("9" * (cells - 1) + "+" if value > 0 else "?"), scale


def wait_words(seconds, cells: int) -> str:
    """A wait as 0:24, 59:59, 1h05, 12h05; in few cells 24s, 12m, 12h; "–" for None.

    2:14 is always minutes and seconds; a wait of hours has its h.
    """
    if seconds is None:
        return "–"
    minutes = seconds // 60
    if minutes < 60:
        text = "%d:%02d" % (minutes, seconds % 60)
        if len(text) > cells:
            text = "%dm" % minutes if minutes else "%ds" % seconds
    else:
        text = "%dh%02d" % (minutes // 60, minutes % 60)
        if len(text) > cells:
            text = "%dh" % (minutes // 60)
    return text if len(text) <= cells else "9" * (cells - 2) + "h+"
