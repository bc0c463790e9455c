"""What a wall will look like, before anything is bought or hung: `callfloor wall preview`.

Drawn by the wall's own code from the site file, with figures as on a busy or a quiet day.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

import floorplan
from firmware import scene, scene_load
from firmware.panels import colours
from firmware.panels.max7219 import Max7219Panel
from firmware.values import Numbers
from wallboard import look, numbers, picture
from wallboard.compile import Compiled, compile
from wallboard.picture import Frame

AT_S = 1_000_000  # the gateway's clock in a preview; whole, so that what blinks is on
OLD_S = 180

# Callers waiting, the oldest one's wait as a share of what was promised, free desks; queue after queue.
BUSY = ((12, 1.3, 3), (3, 0.35, 0), (27, 37.7, 11), (4, 0.6, 1), (0, None, 8), (138, 400.0, 0))
QUIET = ((0, None, 8), (1, 0.25, 5), (0, None, 11))
FIGURES = ("busy", "quiet", "old", "off")


def run(plan: floorplan.Plan, wall: str | None, png: Path | None, at: str | None, page: int | None,
        figures: str, language: str | None, as_json: bool = False) -> None:  # fmt: skip
    """Shows a wall, or all of them: in the terminal, as a PNG file, or as a folder of them. Raises SiteError."""
    if figures not in FIGURES:
        raise floorplan.SiteError(f"--figures: '{figures}' is none of {', '.join(FIGURES)}")
    distance_m = distance(at) if at is not None else None
    if distance_m and png is None:
        raise floorplan.SiteError("--at: a terminal's squares are no lights; add --png FILE")
    walls = [_wall(plan, wall)] if wall else list(plan.wall)
    if not walls:
        raise floorplan.SiteError("the site file has no [[wall]]")
    folder = png if png and not wall and (png.is_dir() or not png.suffix) else None
    if png and not folder and len(walls) > 1:
        raise floorplan.SiteError(f"--png: '{png}' is one file for {len(walls)} walls: add --wall, or name a folder")
    if png and not folder and png.suffix.lower() != ".png":
        raise floorplan.SiteError(f"--png: '{png}' is no name of a picture: write {png.with_suffix('.png')}")
    told = []
    for row in walls:
        compiled, frames = draw(_in(row, language, plan), plan, figures)
        path = folder / f"{row.id}.png" if folder else png
        told.append({"wall": row.id, "size": list(row.panel.size), "pages": len(frames),
                     "warnings": list(compiled.warnings), "file": str(path) if path else None})  # fmt: skip
        for line in [] if as_json else compiled.warnings:
            print(f"warning: {line}", file=sys.stderr)
        frames = _chosen(frames, page, row)
        if path:
            _write(path, look.png(image(row, frames, distance_m)))
        if as_json:
            continue
        if path is None:
            _print(row, frames)
        else:
            print(f"wrote {path}: wall '{row.id}', {_said(row, frames, distance_m)}")
    if as_json:
        print(json.dumps(told))


def draw(wall: floorplan.Wall, plan: floorplan.Plan, figures: str = "busy") -> tuple[Compiled, list[Frame]]:
    """A wall's scene and each of its pages, with figures of one of FIGURES."""
    compiled = compile(wall, plan)
    w, h = wall.panel.size
    loaded = scene_load.load(compiled.message, w, h)
    known = example(plan, QUIET if figures == "quiet" else BUSY)
    frames = []
    for number in range(len(loaded.pages)):
        shown = scene.Picture(w, h)
        if figures != "off":
            age_s = OLD_S if figures == "old" else None
            scene.draw(shown, loaded, known, AT_S * 1000, number * loaded.dwell_ms, age_s)
        frames.append(_of_one_colour(shown) if wall.panel.kind == "max7219" else picture.frame_of(shown))
    return compiled, frames


def example(plan: floorplan.Plan, rows: tuple[tuple[int, float | None, int], ...] = BUSY) -> Numbers:
    """Numbers as walls hear them, each queue with the next of `rows`."""
    order = numbers.order(plan)
    queues = {queue.id: queue for queue in plan.queue}
    ids = list(dict.fromkeys(name.rsplit(".", 1)[0] for name in order))
    values: list[int] = []
    levels: list[int] = []
    for name in order:
        queue_id, what = name.rsplit(".", 1)
        waiting, share, free = rows[ids.index(queue_id) % len(rows)]
        queue = queues[queue_id]
        wait_s = -1 if share is None else int(share * queue.target.within_s)
        value = {"waiting": waiting, "wait": wait_s, "free": free}[what]
        values.append(value)
        levels.append(_level(queue, what, value))
    return Numbers(numbers.of(order), AT_S, values, levels)


def image(wall: floorplan.Wall, frames: Iterable[Frame], distance_m: float | None) -> Image.Image:
    """Pages as one tall picture: from near by, or as seen from a distance. Raises SiteError."""
    if distance_m is None:
        return look.tall([look.lights(frame, wall.pitch_mm) for frame in frames])
    if wall.pitch_mm is None:
        raise floorplan.SiteError(
            f"--at: how large wall '{wall.id}' is, nobody has said: give it pitch_mm, from light to light"
        )
    try:
        return look.tall([look.from_afar(frame, wall.pitch_mm, distance_m) for frame in frames])
    except ValueError as error:
        raise floorplan.SiteError(f"--at: wall '{wall.id}': {error}") from error


def distance(text: str) -> float:
    """Metres in `15m`, `15 m` or `15`. Raises SiteError."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,2})?) ?m?", text.strip())
    metres = float(found[1]) if found else 0.0
    if not 0.5 <= metres <= 200:
        raise floorplan.SiteError(f"--at: '{text}' is no distance from 0.5m to 200m, like 15m")
    return metres


class _NoBus:
    """Where a chain that is not there hears nothing."""

    def send(self, words: bytes) -> None:
        pass


def _of_one_colour(shown: scene.Picture) -> Frame:
    """What a chain of MAX7219 makes of a picture; most of them are red."""
    chain = Max7219Panel({"modules": [shown.w // 8, shown.h // 8]}, _NoBus())
    chain.show(shown)
    old = any(pixel & scene.DIM for y in range(shown.h) for pixel in shown.row(y))
    lit = bytes(scene.RED + (scene.DIM if old else 0) if light else scene.BLACK for light in chain._lit)
    return Frame(shown.w, shown.h, colours.rgb(lit))


def _level(queue: floorplan.Queue, what: str, value: int) -> int:
    """0, amber 1 or red 2, after it has held long enough."""
    if what == "waiting" and queue.levels.waiting:
        return sum(value >= limit for limit in queue.levels.waiting)
    if what == "free" and queue.levels.free_below:
        return sum(value < limit for limit in queue.levels.free_below)
    return 0


def _wall(plan: floorplan.Plan, name: str) -> floorplan.Wall:
    walls = {wall.id: wall for wall in plan.wall}
    if name not in walls:
        others = f"it has {', '.join(walls) or 'none'}{floorplan.meant(name, walls)}"
        raise floorplan.SiteError(f"--wall: no wall '{name}' in the site file; {others}")
    return walls[name]


def _in(wall: floorplan.Wall, language: str | None, plan: floorplan.Plan) -> floorplan.Wall:
    """The wall with names in that language alone. Raises SiteError where no queue has one."""
    if language is None:
        return wall
    spoken = sorted({spoken for queue in plan.queue for spoken in queue.names})
    if language not in spoken:
        has = f"there is {', '.join(spoken)}" if spoken else 'write names = { nb = "…" } to a [[queue]]'
        raise floorplan.SiteError(f"--language: no queue has a name in '{language}'; {has}")
    return wall.model_copy(update={"languages": (language,)})


def _chosen(frames: list[Frame], page: int | None, wall: floorplan.Wall) -> list[Frame]:
    if page is None:
        return frames
    if not 1 <= page <= len(frames):
        raise floorplan.SiteError(f"--page: wall '{wall.id}' has pages 1 to {len(frames)}, no page {page}")
    return [frames[page - 1]]


def _print(wall: floorplan.Wall, frames: list[Frame]) -> None:
    live = sys.stdout.isatty()
    for number, frame in enumerate(frames, 1):
        print(f"wall {wall.id}, {frame.w} x {frame.h} lights, page {number} of {len(frames)}")
        print(picture.terminal(frame) if live else picture.plain(frame))


def _said(wall: floorplan.Wall, frames: list[Frame], distance_m: float | None) -> str:
    pages = "1 page" if len(frames) == 1 else f"{len(frames)} pages"
    if distance_m is None:
        size = f"{look.PX_MM} pixels to the millimetre" if wall.pitch_mm else "its pitch_mm unknown"
        return f"{pages}, {size}"
    return f"{pages}, as an eye of 20/32 sees it from {distance_m:g} m, {look.ARCMIN_PX} pixels to the minute of arc"


def _write(path: Path, data: bytes) -> None:
    try:
        if path.parent != Path():
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise floorplan.SiteError(f"--png: {path} cannot be written ({error.strerror}); is the path right?") from error
