"""Draws the pictures of docs/walls.md by the walls' own code: `python -m docs.draw_walls` in the tree's .venv."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

import floorplan
from wallboard import look, preview

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
SMALLER = 2  # times: a page of a document is not wide
NEAR = ("tiny", "module", "floor", "languages", "long")
AFAR_M = (5, 10, 15)


def main() -> None:
    """Draws the walls of examples/walls.toml from near by, and one of them from several distances."""
    plan = floorplan.read(ROOT / "examples" / "walls.toml")
    walls = {wall.id: wall for wall in plan.wall}
    for name in NEAR:
        frames = preview.draw(walls[name], plan)[1]
        _write(f"wall-{name}.png", preview.image(walls[name], frames, None))
    first = preview.draw(walls["floor"], plan)[1][:1]
    _write("wall-from-afar.png", look.tall([preview.image(walls["floor"], first, metres) for metres in AFAR_M]))


def _write(name: str, image: Image.Image) -> None:
    (PICTURES / name).write_bytes(look.png(image.reduce(SMALLER)))
    print(f"wrote docs/pictures/{name}")


if __name__ == "__main__":
    main()
