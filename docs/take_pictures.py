"""Takes the README's pictures from the running product: `python docs/take_pictures.py` in the tree's .venv."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
BUSY_S = 40  # until the example floor looks like an ordinary afternoon
LIGHT_PX = 6
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip


def main() -> None:
    """Runs the example floor for a minute, and photographs its page and a wall."""
    sys.path.insert(0, str(ROOT))
    from wallboard.picture import png, read_ppm

    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "callfloor", "up", "--web", "127.0.0.1:0"]
        env = os.environ | {"TMPDIR": folder}
        with subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE) as floor:
            try:
                assert floor.stdout
                link = next(line for line in floor.stdout if line.startswith("first login")).split()[2]
                time.sleep(BUSY_S)
                wall = next(Path(folder).glob("callfloor-*/wall-south.ppm"))
                (PICTURES / "wall.png").write_bytes(png(read_ppm(wall.read_bytes()), LIGHT_PX))
                _photograph(link, PICTURES / "page.png")
            finally:
                floor.terminate()
    print(re.sub(r"^", "wrote ", "\n".join(str(path.relative_to(ROOT)) for path in PICTURES.glob("*.png")), flags=re.M))


def _photograph(link: str, path: Path) -> None:
    """Comes in by the first start's link, as its user does."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        tab = browser.new_page(viewport={"width": 1920, "height": 1080})
        tab.goto(link)
        tab.locator("input[autocomplete=username]").fill("lead")
        tab.locator("input[autocomplete=new-password]").fill("nine lives of a cat")
        tab.keyboard.press("Enter")
        tab.wait_for_selector(".desk[data-status]")
        tab.wait_for_timeout(2500)
        tab.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main()
