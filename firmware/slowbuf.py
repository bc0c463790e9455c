"""MicroPython's framebuf for Pythons that have none: only what firmware/scene.py uses of it."""

GS8 = 6
MONO_HLSB = 3


class FrameBuffer:
    """Pixels of one byte each in `buffer`, row by row. What falls outside is left out."""

    def __init__(self, buffer: bytearray, width: int, height: int, kind: int):
        if kind != GS8:
            raise ValueError("only GS8 can be drawn on")
        self.buffer, self.width, self.height = buffer, width, height

    def fill_rect(self, x: int, y: int, w: int, h: int, colour: int) -> None:
        """Fills a rectangle."""
        left, right = max(x, 0), min(x + w, self.width)
        if left >= right:
            return
        line = bytes((colour,)) * (right - left)
        for row in range(max(y, 0), min(y + h, self.height)):
            start = row * self.width
            self.buffer[start + left : start + right] = line

    def pixel(self, x: int, y: int) -> int:
        """The colour at a place inside."""
        return self.buffer[y * self.width + x]

    def blit(self, picture: tuple, x: int, y: int, key: int, palette: "FrameBuffer") -> None:
        """Draws a MONO_HLSB picture `(bits, w, h, kind)` in the palette's two colours, `key` left out."""
        bits, w, h, kind = picture
        if kind != MONO_HLSB:
            raise ValueError("only MONO_HLSB pictures can be drawn")
        stride = (w + 7) // 8
        colours = palette.buffer
        columns = range(max(-x, 0), min(w, self.width - x))
        for row in range(max(-y, 0), min(h, self.height - y)):
            line = int.from_bytes(bits[row * stride : (row + 1) * stride], "big")
            start = (y + row) * self.width + x
            for column in columns:
                colour = colours[line >> stride * 8 - 1 - column & 1]
                if colour != key:
                    self.buffer[start + column] = colour
