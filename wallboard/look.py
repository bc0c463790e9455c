"""How a wall looks: as lights from near by, and as an eye at a distance makes it out."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageChops, ImageFilter

from wallboard.picture import Frame, dots

PX_MM = 2  # pixels of a picture to a millimetre of the wall, so that walls can be compared
LIGHT_PX = 8  # a light of a wall whose pitch nobody has given
ARCMIN_PX = 6  # pixels to a minute of arc: the same at all distances, so that pictures can be compared
WIDEST_PX = 8000

# A light is round and its lens about two thirds of the pitch across; it lights its surroundings a little.
LENS = 0.68
GLOW = 0.22
UNLIT = (14, 14, 15)
GROUND = (4, 4, 5)
BETWEEN = (70, 70, 72)  # what stands between two pages of a wall

# What an eye resolves, in minutes of arc: 1.6 is a visual acuity of 20/32 (0.63), which most readers have with
# their glasses on; such an eye reads letters of 8 minutes just so. The picture is blurred by a Gaussian with 0.8
# times that as its standard deviation: then those letters are just so readable on a screen, where they are large.
EYE_ARCMIN = 1.6
BLUR = 0.8


def lights(frame: Frame, pitch_mm: float | None = None) -> Image.Image:
    """A wall from near by, its lights round and in their colours, PX_MM pixels to the millimetre."""
    px = round(pitch_mm * PX_MM) if pitch_mm else LIGHT_PX
    return _lights(frame, max(min(px, WIDEST_PX // max(frame.w, frame.h)), 3))


def from_afar(frame: Frame, pitch_mm: float, distance_m: float) -> Image.Image:
    """What an eye with EYE_ARCMIN makes out from there, ARCMIN_PX pixels to the minute of arc.

    Raises ValueError where the wall would be wider than WIDEST_PX: so near, it fills the whole sight.
    """
    light_px = pitch_mm / distance_m / 1000 * 3437.75 * ARCMIN_PX  # minutes of arc in a radian
    size = round(frame.w * light_px), round(frame.h * light_px)
    if max(size) > WIDEST_PX:
        least = distance_m * max(size) / WIDEST_PX
        raise ValueError(f"so near, it fills all that one sees: {least:.1f} m or more")
    px = 8 if frame.w * frame.h < 40_000 else 4
    near = _lights(frame, px, near=False).point(_to_light)
    edge = max(round(4 * EYE_ARCMIN * ARCMIN_PX), 8)
    far = Image.new("RGB", (size[0] + 2 * edge, size[1] + 2 * edge), (0, 0, 0))
    mixed = near.resize((max(size[0], 1), max(size[1], 1)), Image.Resampling.BOX)
    far.paste(_brightened(mixed), (edge, edge))
    for _ in range(2):  # Pillow's is a Gaussian only nearly; twice it is one
        far = far.filter(ImageFilter.GaussianBlur(BLUR * EYE_ARCMIN * ARCMIN_PX / 2**0.5))
    return _brightened(far).point(_to_screen)


def tall(pictures: list[Image.Image]) -> Image.Image:
    """Several pictures below each other, as one."""
    gap = LIGHT_PX
    w = max(picture.width for picture in pictures)
    h = sum(picture.height for picture in pictures) + gap * (len(pictures) - 1)
    whole = Image.new("RGB", (w, h), BETWEEN)
    y = 0
    for picture in pictures:
        whole.paste(picture, (0, y))
        y += picture.height + gap
    return whole


def png(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _lights(frame: Frame, px: int, near: bool = True) -> Image.Image:
    """Round lights, px pixels from one to the next; from near by one sees those that are not lit, and a glow."""
    size = frame.w * px, frame.h * px
    colours = Image.frombytes("RGB", (frame.w, frame.h), frame.rgb)
    if near:
        colours.paste(UNLIT, mask=colours.convert("L").point(lambda level: 0 if level else 255))
    ground = Image.new("RGB", size, GROUND if near else 0)
    shown = Image.composite(colours.resize(size, Image.Resampling.NEAREST), ground, dots(frame.w, frame.h, px, LENS))
    if not near:
        return shown
    glow = shown.filter(ImageFilter.GaussianBlur(px * 0.55)).point(lambda level: int(level * GLOW * 2))
    return ImageChops.screen(shown, glow)


# Light adds up as light, not as the numbers of a screen: level → light and back, as 8 bits.


@lru_cache(maxsize=1)
def _light_table() -> tuple[int, ...]:
    return tuple(round(255 * (level / 255) ** 2.2) for level in range(256))


def _to_light(level: int) -> float:
    return _light_table()[int(level)]


def _to_screen(light: int) -> float:
    return float(255 * (light / 255) ** (1 / 2.2))


def _brightened(image: Image.Image) -> Image.Image:
    """The same with its brightest light as bright as can be, as an eye that has got used to it sees it."""
    brightest = max(high for _, high in image.getextrema())  # type: ignore[misc]
    return image.point(lambda light: light * 255 / brightest) if brightest else image
