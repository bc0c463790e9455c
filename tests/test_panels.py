"""Panels: what they are given is what can be read off them, to the pixel and all at once."""

from __future__ import annotations

import io
import random
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from firmware import panels, scene
from tests import pythons
from wallboard import drivers
from wallboard import picture as pictures

ROOT = Path(__file__).parent.parent
SEED = random.SystemRandom().randrange(10**6)
PIXELS = (0, 1, 2, 3, 4, 9, 10, 11, 12)  # what a scene draws: colours, and the same dimmed

# Red, green, blue by pixel, written out here by hand: a third of full light, and a little more, when dim.
COLOURS = {
    0: (0, 0, 0),
    1: (255, 255, 255),
    2: (0, 200, 255),
    3: (255, 190, 0),
    4: (255, 0, 40),
    9: (89, 89, 89),
    10: (0, 70, 89),
    11: (89, 66, 0),
    12: (89, 0, 14),
}


def any_picture(w: int, h: int, seed: int = SEED) -> scene.Picture:
    picture = scene.Picture(w, h)
    picture.pixels[:] = bytes(random.Random(seed).choices(PIXELS, k=w * h))
    return picture


def colours_of(picture: scene.Picture) -> list[tuple[int, int, int]]:
    return [COLOURS[pixel] for pixel in picture.pixels]


def ppm_of(data: bytes) -> tuple[tuple[int, int], list[tuple[int, ...]]]:
    """Size and colours of a PPM, by Pillow."""
    image = Image.open(io.BytesIO(data))
    assert image.format == "PPM"
    rgb = image.convert("RGB").tobytes()
    return image.size, [tuple(rgb[at : at + 3]) for at in range(0, len(rgb), 3)]


# The file panel.


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_a_board_writes_ppm(python: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if python == "micropython":
        request.getfixturevalue("micropython")
    print("seed", SEED)
    picture = any_picture(33, 9)
    (tmp_path / "pixels").write_bytes(picture.pixels)
    (tmp_path / "entry").write_text(
        '{"kind": "file", "size": [33, 9], "path": "%s"}' % (tmp_path / "wall.ppm")
    )
    pythons.run(
        python, str(ROOT / "tests" / "panels_driver.py"), str(tmp_path / "entry"), str(tmp_path / "pixels")
    )
    assert ppm_of((tmp_path / "wall.ppm").read_bytes()) == ((33, 9), colours_of(picture))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entry", "pixels", "wall.ppm"]


@pytest.mark.parametrize("ending", ["ppm", "png"])
def test_only_another_picture_is_written(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"wall.{ending}"
    panel = drivers.open({"kind": "file", "size": [16, 8], "path": str(path)})
    picture = any_picture(16, 8)
    panel.show(picture)
    first = path.stat().st_ino
    panel.show(any_picture(16, 8))
    assert path.stat().st_ino == first
    before = path.read_bytes()
    picture.pixels[77] ^= 1
    panel.show(picture)
    assert path.read_bytes() != before


def test_a_reader_never_sees_half_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "wall.ppm"
    panel = drivers.open({"kind": "file", "size": [128, 64], "path": str(path)})
    shown = [any_picture(128, 64, seed) for seed in range(2)]
    wanted = {pictures.frame_of(picture).rgb for picture in shown}
    panel.show(shown[0])
    ended = threading.Event()

    def write() -> None:
        for turn in range(150):
            panel.show(shown[turn % 2])
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not ended.is_set():
        seen.add(pictures.read_ppm(path.read_bytes()).rgb)
    writer.join()
    assert seen <= wanted
    assert len(seen) == 2


def test_screens_are_as_bright_as_they_should_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print("seed", SEED)
    ppm, png = (drivers.open({"kind": "file", "size": [16, 8], "path": str(tmp_path / f"wall.{ending}")})
                for ending in ("ppm", "png"))  # fmt: skip
    terminal = drivers.open({"kind": "terminal", "size": [16, 8]})
    picture = any_picture(16, 8)
    for percent in (100, 40, 0, 100):
        wanted = [tuple(part * percent // 100 for part in colour) for colour in colours_of(picture)]
        capsys.readouterr()
        for panel in (ppm, png, terminal):
            panel.show(picture, percent)
        assert ppm_of((tmp_path / "wall.ppm").read_bytes()) == ((16, 8), wanted)
        said = capsys.readouterr().out
        assert [light for row in lights_of(said[5 : said.rindex("\n") + 1]) for light in row] == wanted
        image = Image.open(tmp_path / "wall.png")
        pitch = image.width // 16
        for n, colour in enumerate(wanted):
            assert image.getpixel((n % 16 * pitch + pitch // 2, n // 16 * pitch + pitch // 2)) == colour


def test_a_path_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    panel = drivers.open({"kind": "file", "size": [16, 8], "path": str(folder / "wall.ppm")})
    picture = any_picture(16, 8)
    with pytest.raises(OSError, match="later"):
        panel.show(picture)
    folder.mkdir()
    panel.show(picture)
    assert ppm_of((folder / "wall.ppm").read_bytes()) == ((16, 8), colours_of(picture))


def test_a_png_looks_like_lights(tmp_path: Path) -> None:
    print("seed", SEED)
    path = tmp_path / "wall.PNG"
    picture = any_picture(20, 10)
    drivers.open({"kind": "file", "size": [20, 10], "path": str(path)}).show(picture)
    image = Image.open(path)
    assert image.format == "PNG"
    pitch = image.width // 20
    assert image.size == (20 * pitch, 10 * pitch)
    for n, colour in enumerate(colours_of(picture)):
        left, top = n % 20 * pitch, n // 20 * pitch
        assert image.getpixel((left + pitch // 2, top + pitch // 2)) == colour
        corner = image.getpixel((left, top))
        assert isinstance(corner, tuple)
        assert max(corner) < 40, "dark between the lights"


# The others.


def test_the_memory_panel_keeps_what_it_was_given() -> None:
    panel: Any = panels.open({"kind": "memory", "size": [32, 8], "path": None})
    assert (panel.width, panel.height, panel.shows) == (32, 8, 0)
    picture = any_picture(32, 8)
    panel.show(picture)
    kept = bytes(picture.pixels)
    picture.fill(0, 0, 32, 8, scene.RED)
    assert (panel.pixels, panel.shows, panel.percent) == (kept, 1, 100)
    panel.show(picture, 0)
    assert not any(panel.pixels)


def lights_of(text: str) -> list[list[tuple[int, ...]]]:
    """What a terminal would show of half blocks: rows of colours, read back from its codes."""
    rows: list[list[tuple[int, ...]]] = []
    for line in text.splitlines():
        upper: list[tuple[int, ...]] = []
        lower: list[tuple[int, ...]] = []
        ink = paper = (0, 0, 0)
        for code, block in re.findall("\x1b\\[([0-9;]*)m|(▀)", line):
            numbers = [int(part) for part in code.split(";") if part]
            if block:
                upper.append(ink)
                lower.append(paper)
            elif numbers[:2] == [38, 2]:
                ink = (numbers[2], numbers[3], numbers[4])
            elif numbers[:2] == [48, 2]:
                paper = (numbers[2], numbers[3], numbers[4])
            else:
                assert numbers == [0]
        assert line.endswith("\x1b[0m"), "colours must not run into the next line"
        rows += [upper, lower]
    return rows


@pytest.mark.parametrize("height", [8, 9])
def test_a_terminal_shows_every_light(height: int) -> None:
    print("seed", SEED)
    picture = any_picture(21, height)
    lights = lights_of(pictures.terminal(picture))
    colours = colours_of(picture) + [(0, 0, 0)] * (21 * (height % 2))
    assert [light for row in lights for light in row] == colours
    assert {len(row) for row in lights} == {21}


def test_the_terminal_panel_draws_only_another_picture(capsys: pytest.CaptureFixture[str]) -> None:
    panel = drivers.open({"kind": "terminal", "size": [16, 8], "path": None})
    picture = any_picture(16, 8)
    panel.show(picture)
    said = capsys.readouterr().out
    assert [light for row in lights_of(said[5 : said.rindex("\n") + 1]) for light in row] == colours_of(
        picture
    )
    panel.show(any_picture(16, 8))
    assert capsys.readouterr().out == ""


def test_a_picture_that_a_board_wrote_is_read_back(tmp_path: Path) -> None:
    picture = any_picture(128, 64)
    path = tmp_path / "wall.ppm"
    drivers.open({"kind": "file", "size": [128, 64], "path": str(path)}).show(picture)
    frame = pictures.read_ppm(path.read_bytes())
    assert frame == pictures.frame_of(picture)
    assert pictures.terminal(frame) == pictures.terminal(picture)
    assert pictures.png(frame) == pictures.png(picture)


@pytest.mark.parametrize(
    "data", [b"", b"P5 1 1 255\n0", b"P6 2 2 255\n" + b"0" * 11, b"P6 2 2 255\n" + b"0" * 13]
)
def test_what_is_no_ppm_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="PPM"):
        pictures.read_ppm(data)


def test_plain_pictures_are_squares() -> None:
    picture = any_picture(5, 3)
    image = Image.open(io.BytesIO(pictures.png(picture, 4, "plain")))
    assert image.size == (20, 12)
    for x in range(20):
        for y in range(12):
            assert image.getpixel((x, y)) == COLOURS[picture.pixels[y // 4 * 5 + x // 4]]
    with pytest.raises(ValueError, match="'led' or 'plain', not 'round'"):
        pictures.png(picture, 4, "round")


def test_an_unknown_kind_says_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"no panel of kind 'hub75' here; there is file, max7219, memory, ws2812$"):
        panels.open({"kind": "hub75", "size": [64, 32]})
    with pytest.raises(ValueError, match=r"there is file, max7219, memory, terminal, ws2812$"):
        drivers.open({"kind": "hub75", "size": [64, 32]})
