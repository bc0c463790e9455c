"""A wall's picture for people's screens: colours, a PNG that looks like lights, lines in a terminal."""

from __future__ import annotations

import io
import re
from typing import NamedTuple

from PIL import Image, ImageDraw

from firmware.panels import colours
from firmware.scene import Picture

LED_PX = 8  # a light and its gap, in a PNG, unless said otherwise


class Frame(NamedTuple):
    """A picture in full colours: three bytes a pixel, red, green and blue, row by row."""

    w: int
    h: int
    rgb: bytes


def frame_of(picture: Picture) -> Frame:
    """The colours of what a board draws."""
    return Frame(picture.w, picture.h, colours.rgb(bytes(picture.pixels)))


def read_ppm(data: bytes) -> Frame:
    """The picture a board wrote (a P6 PPM). Raises ValueError for anything else, or half of one."""
    head = re.match(rb"P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s", data)
    if head is None:
        raise ValueError("not a PPM picture (P6, 255 levels)")
    w, h = int(head[1]), int(head[2])
    rgb = data[head.end() :]
    if len(rgb) != w * h * 3:
        raise ValueError(f"a PPM picture of {w}x{h} has {w * h * 3} bytes of colour, not {len(rgb)}")
    return Frame(w, h, rgb)


def png(shown: Picture | Frame, scale: int = LED_PX, look: str = "led") -> bytes:
    """A PNG, `scale` pixels to a light: round lights on black (`led`) or plain squares (`plain`)."""
    frame = frame_of(shown) if isinstance(shown, Picture) else shown
    image = Image.frombytes("RGB", (frame.w, frame.h), frame.rgb)
    image = image.resize((frame.w * scale, frame.h * scale), Image.Resampling.NEAREST)
    if look == "led":
        image = Image.composite(image, Image.new("RGB", image.size), dots(frame.w, frame.h, scale))
    elif look != "plain":
        raise ValueError(f"a picture looks 'led' or 'plain', not '{look}'")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def dots(w: int, h: int, px: int, part: float = 0.88) -> Image.Image:
    """Where light falls: a round dot in each cell of px pixels, so large a part of it; its edge is soft."""
    fine = 8
    dot = Image.new("L", (px * fine, px * fine))
    margin = px * fine * (1 - part) / 2
    ImageDraw.Draw(dot).ellipse((margin, margin, px * fine - 1 - margin, px * fine - 1 - margin), fill=255)
    dot = dot.resize((px, px), Image.Resampling.BOX)
    row = Image.new("L", (w * px, px))
    for x in range(w):
        row.paste(dot, (x * px, 0))
    mask = Image.new("L", (w * px, h * px))
    for y in range(h):
        mask.paste(row, (0, y * px))
    return mask


def terminal(shown: Picture | Frame) -> str:
    """The picture as lines for a terminal: two rows of lights in each, in 24-bit colours."""
    frame = frame_of(shown) if isinstance(shown, Picture) else shown
    rows = [frame.rgb[y * frame.w * 3 : (y + 1) * frame.w * 3] for y in range(frame.h)]
    if frame.h % 2:
        rows.append(bytes(frame.w * 3))
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        line, before = "", b""
        for at in range(0, len(upper), 3):
            pair = upper[at : at + 3] + lower[at : at + 3]
            if pair != before:
                line += "\x1b[38;2;{};{};{}m\x1b[48;2;{};{};{}m".format(*pair)
                before = pair
            line += "▀"
        lines.append(line + "\x1b[0m\n")
    return "".join(lines)


def plain(shown: Picture | Frame) -> str:
    """The picture as lines without colours, two rows of lights in each: for a log or a pipe. Red is grey."""
    frame = frame_of(shown) if isinstance(shown, Picture) else shown
    lit = [frame.rgb[at + 1] > 0 for at in range(0, len(frame.rgb), 3)] + [False] * frame.w
    red = [frame.rgb[at] > 0 for at in range(0, len(frame.rgb), 3)] + [False] * frame.w
    lines = []
    for start in range(0, frame.h * frame.w, 2 * frame.w):
        line = ""
        for upper in range(start, start + frame.w):
            lower = upper + frame.w
            sign = " ▄▀█"[2 * lit[upper] + lit[lower]]
            line += "░" if sign == " " and (red[upper] or red[lower]) else sign
        lines.append(line.rstrip() + "\n")
    return "".join(lines)
