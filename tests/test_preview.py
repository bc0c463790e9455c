"""`callfloor wall preview`: what is drawn is what a wall would show, and what an eye makes out of it from afar."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from PIL import Image

import floorplan
from firmware import scene
from tests.forks import finished
from tests.test_compile import LANGUAGES, plan_of
from wallboard import look, preview
from wallboard.picture import Frame, plain

ROOT = Path(__file__).resolve().parent.parent
SITE = """
[site]
id = "s"

[[queue]]
id = "norsk"
name = "Norsk"
pbx = "norsk"
names = { ar = "النرويجية" }

[[queue]]
id = "polski"
name = "Polski"
pbx = "polski"
code = "PL"
names = { ar = "البولندية" }
levels = { waiting = [2, 3] }

[[board]]
id = "b"

[[wall]]
id = "north"
board = "b"
panel = { kind = "memory", size = [64, 32] }
pitch_mm = 5
seen_from_m = 15
pages = [ { queue = "norsk" }, { queue = "polski" } ]

[[wall]]
id = "south"
board = "b"
panel = { kind = "max7219", modules = [4, 1], bus = "spi0" }
pages = [ { queue = "polski" } ]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(SITE, encoding="utf-8")
    return path


def callfloor(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return finished(*map(str, words))


def said(site: Path, **others: object) -> str:
    """What the preview refuses to do, in words."""
    told = {"wall": None, "png": None, "at": None, "page": None, "figures": "busy", "language": None}
    with pytest.raises(floorplan.SiteError) as error:
        preview.run(floorplan.read(site), **(told | others))  # type: ignore[arg-type]
    return str(error.value)


# From near by.


def test_a_light_is_round_in_its_colour_and_pitch_true() -> None:
    plan = plan_of((64, 32), "Polski", wall={"pitch_mm": 5, "seen_from_m": 5})
    _, (frame,) = preview.draw(plan.wall[0], plan)
    image = look.lights(frame, 5)
    assert image.size == (640, 320)
    for at in range(0, len(frame.rgb), 3):
        y, x = divmod(at // 3, 64)
        colour = tuple(frame.rgb[at : at + 3])
        middle = image.getpixel((x * 10 + 5, y * 10 + 5))
        assert isinstance(middle, tuple)
        if any(colour):
            assert all(0 <= seen - meant <= 160 for seen, meant in zip(middle, colour, strict=True)), (x, y, middle)
            assert sum(middle) > 1.3 * sum(image.getpixel((x * 10, y * 10)))  # type: ignore[arg-type]
        else:
            assert max(middle) < 60


def test_the_pages_of_a_wall_are_one_tall_picture(site: Path, tmp_path: Path) -> None:
    plan = floorplan.read(site)
    for page, pages in ((None, 2), (2, 1)):
        path = tmp_path / "new folder" / "north.png"
        preview.run(plan, "north", path, None, page, "busy", None)
        assert Image.open(io.BytesIO(path.read_bytes())).size == (640, 320 * pages + 8 * (pages - 1))


def test_figures_are_of_a_busy_or_a_quiet_day_old_or_off(site: Path) -> None:
    plan = floorplan.read(site)
    shown = {figures: preview.draw(plan.wall[0], plan, figures)[1][1] for figures in preview.FIGURES}
    assert not any(shown["off"].rgb)
    assert len({frame.rgb for frame in shown.values()}) == 4
    colours = {name: {frame.rgb[at : at + 3] for at in range(0, len(frame.rgb), 3)} for name, frame in shown.items()}
    assert scene.RGB[scene.RED] in colours["busy"]  # three wait, and three is red there
    assert colours["quiet"] <= {scene.RGB[colour] for colour in (scene.BLACK, scene.WHITE, scene.CYAN)}
    dim = bytes(part * 35 // 100 for part in scene.RGB[scene.WHITE])
    assert dim in colours["old"] and dim not in colours["busy"]


def test_a_chain_of_max7219_has_one_colour_and_dark_figures_in_a_lit_block(site: Path) -> None:
    plan = floorplan.read(site)
    _, frames = preview.draw(plan.wall[1], plan)
    red = scene.RGB[scene.RED]
    for frame in frames:
        assert {frame.rgb[at : at + 3] for at in range(0, len(frame.rgb), 3)} == {b"\0\0\0", red}
    block = [frames[0].rgb[at : at + 3] == red for at in range(0, len(frames[0].rgb), 3)]
    assert block[7 * 32 :] == [False] * 26 + [True] * 6  # the block's lower edge, where a white figure has nothing
    assert [block[y * 32 + 27 : y * 32 + 32] for y in range(7)] == [
        [row & 16 >> x == 0 for x in range(5)] for row in (30, 1, 1, 14, 1, 1, 30)
    ]  # and a 3 that is dark in it


def test_names_in_one_language(site: Path) -> None:
    plan = floorplan.read(site)
    arabic = preview._in(plan.wall[0], "ar", plan)
    left, right = (preview.draw(wall, plan)[1][0].rgb[: 3 * 64 * 7] for wall in (plan.wall[0], arabic))
    assert left != right
    lit = [x for x in range(64) if any(right[(y * 64 + x) * 3] for y in range(7))]
    assert max(lit) == 63 and min(lit) > 8


# From afar.


def stripes(columns: int) -> Frame:
    """A panel of stripes so many lights wide."""
    row = b"".join((b"\xff" if x // columns % 2 else b"\0") * 3 for x in range(96))
    return Frame(96, 32, row * 32)


def contrast(image: Image.Image) -> float:
    """Of the stripes in the middle of a picture, 0 to 1, as light."""
    w, h = image.size
    middle = image.convert("L").crop((w // 3, h // 2, w * 2 // 3, h // 2 + 1)).tobytes()
    row = [(pixel / 255) ** 2.2 for pixel in middle]
    return float((max(row) - min(row)) / (max(row) + min(row) + 1e-9))


def test_all_distances_have_the_same_scale() -> None:
    edge = look.from_afar(Frame(1, 1, b"\0\0\0"), 1, 200).width - 0
    widths = [look.from_afar(stripes(1), 4, distance_m).width - edge for distance_m in (10, 20, 40)]
    assert widths[0] == pytest.approx(2 * widths[1], abs=2) == pytest.approx(4 * widths[2], abs=4)
    assert widths[0] / look.ARCMIN_PX == pytest.approx(96 * 4 / 10 * 3.4377, rel=0.01)  # mrad in minutes of arc


@pytest.mark.parametrize(
    ("minutes", "least", "most"),
    [(6.4, 0.6, 1.0), (3.2, 0.03, 0.25), (1.6, 0.0, 0.08)],
)
def test_an_eye_of_20_32_resolves_strokes_of_1_6_minutes(minutes: float, least: float, most: float) -> None:
    """Stripes are `minutes` from one to the next; such an eye sees them from 3.2 on."""
    distance_m = 2 * 4 / 1000 * 3437.75 / minutes
    assert least <= contrast(look.from_afar(stripes(1), 4, distance_m)) <= most


@pytest.mark.parametrize("distance_m", [3, 5, 15, 60])
@pytest.mark.parametrize("colour", [scene.WHITE, scene.CYAN, scene.AMBER, scene.RED])
def test_colours_stay_what_they_are_from_afar(distance_m: float, colour: int) -> None:
    image = look.from_afar(Frame(24, 24, scene.RGB[colour] * 576), 4, distance_m)
    middle = image.resize((9, 9), Image.Resampling.BOX).getpixel((4, 4))
    assert isinstance(middle, tuple)
    brightest = max(middle)
    assert brightest > 150
    assert [part * 255 / brightest for part in middle] == pytest.approx(list(scene.RGB[colour]), abs=10)


def test_what_is_too_near_is_told(site: Path) -> None:
    frame = stripes(1)
    with pytest.raises(ValueError, match=r"fills all that one sees: \d\.\d m or more"):
        look.from_afar(frame, 4, 0.5)


# The command.


def test_the_command_writes_a_picture_and_says_what_cannot_be_read(site: Path, tmp_path: Path) -> None:
    path = tmp_path / "north.png"
    done = callfloor("wall", "preview", site, "--wall", "north", "--png", path, "--at", "15m", "--page", "1")
    assert done.returncode == 0, done.stderr
    assert "nobody at 15 m can read" in done.stderr
    assert f"wrote {path}: wall 'north', 1 page, as an eye of 20/32 sees it from 15 m" in done.stdout
    assert Image.open(io.BytesIO(path.read_bytes())).format == "PNG"


def test_without_a_file_it_is_drawn_in_the_terminal(site: Path) -> None:
    done = callfloor("wall", "preview", site, "--wall", "north")
    plan = floorplan.read(site)
    for frame in preview.draw(plan.wall[0], plan)[1]:
        assert plain(frame) in done.stdout
    assert "░" in done.stdout  # figures in a red block can be read without colours


def test_without_a_wall_all_go_to_a_folder(site: Path, tmp_path: Path) -> None:
    preview.run(floorplan.read(site), None, tmp_path / "walls", None, None, "quiet", None)
    assert sorted(path.name for path in (tmp_path / "walls").iterdir()) == ["north.png", "south.png"]


def test_the_check_of_a_site_file_says_the_same_of_its_walls(site: Path) -> None:
    done = callfloor("up", site, "--check")
    assert f"{site}: warning: [[wall]] north, page 1: nobody at 15 m can read" in done.stderr
    assert f"{site}: warning: [[wall]] south: nobody can say from how far it is read" in done.stderr


def test_what_is_asked_wrongly_is_said_in_words(site: Path, tmp_path: Path) -> None:
    png = tmp_path / "a.png"
    assert said(site, wall="nort") == (
        "--wall: no wall 'nort' in the site file; it has north, south; did you mean 'north'?"
    )
    assert said(site, wall="north", at="far", png=png) == "--at: 'far' is no distance from 0.5m to 200m, like 15m"
    assert "0.5m to 200m" in said(site, wall="north", at="900m", png=png)
    assert "add --png" in said(site, wall="north", at="15m")
    assert "give it pitch_mm" in said(site, wall="south", at="15m", png=png)
    assert "has pages 1 to 2, no page 3" in said(site, wall="north", page=3)
    assert said(site, figures="bsy") == "--figures: 'bsy' is none of busy, quiet, old, off"
    assert said(site, language="pl") == "--language: no queue has a name in 'pl'; there is ar"
    assert "one file for 2 walls" in said(site, png=png)
    assert "cannot be written" in said(site, wall="north", png=site / "a.png")
    assert "m or more" in said(site, wall="north", png=png, at="0.5m")
    assert not png.exists()


@pytest.mark.parametrize("distance", ["15m", "15 m", "15", "15.0m"])
def test_a_distance_is_written_with_or_without_its_m(distance: str) -> None:
    assert preview.distance(distance) == 15


def test_all_languages_at_all_usual_sizes_and_distances_are_drawn() -> None:
    for size in ((32, 8), (64, 32), (128, 64), (256, 64)):
        plan = plan_of(size, *LANGUAGES.values(), wall={"pitch_mm": 4, "seen_from_m": 10})
        _, frames = preview.draw(plan.wall[0], plan)
        for distance_m in (10, 20):
            image = look.from_afar(frames[0], 4, distance_m)
            assert max(image.convert("L").tobytes()) > 60


def test_a_picture_without_an_ending_is_refused(site: Path, tmp_path: Path) -> None:
    words = said(site, wall="north", png=tmp_path / "noending")
    assert words == f"--png: '{tmp_path / 'noending'}' is no name of a picture: write {tmp_path / 'noending.png'}"
