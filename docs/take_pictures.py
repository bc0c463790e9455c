"""Takes the pictures of README and docs from the running product: `make pictures`, in the tree's .venv.

Two floors are run one after the other, each with a past behind it: the example, and a house of 465 desks.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
BUSY_S = 40  # until a floor looks like an ordinary afternoon
LIGHT_PX = 6
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip

DESK, LAPTOP, PHONE = (1920, 1080), (1366, 900), (390, 844)


def _ready(page: Page) -> None:
    page.wait_for_selector(".desk[data-status]:not([data-status=unknown])")
    page.wait_for_selector(".queue .uplot")
    page.wait_for_timeout(2500)  # each wall has drawn its picture by then


def _desk_asked(page: Page) -> None:
    _ready(page)
    page.locator(".desk").nth(2).focus()


def _board_asked(page: Page) -> None:
    _ready(page)
    page.locator("[data-board] button").first.click()
    page.wait_for_selector("dialog[open]")
    page.wait_for_timeout(1500)


def _message(page: Page) -> None:
    _ready(page)
    page.locator("#messages-open").click()
    page.locator("#message-text").fill("Fire drill at 14:30. Leave your headset in its cradle.")
    page.locator("#message-look").click()
    page.wait_for_selector("#message-looks canvas")
    page.wait_for_timeout(500)


def _day(page: Page) -> None:
    page.wait_for_selector(".uplot")
    page.wait_for_timeout(800)


def _privacy(page: Page) -> None:
    page.wait_for_selector("main section")
    page.wait_for_timeout(500)


class Picture(NamedTuple):
    """One picture: where, how large, in which scheme and language, and what is done first."""

    name: str
    path: str
    size: tuple[int, int]
    scheme: str
    language: str
    prepare: Callable[[Page], None]


OF_EXAMPLE = (
    Picture("page", "", DESK, "dark", "en", _ready),
    Picture("page-light", "", DESK, "light", "nb", _desk_asked),
    Picture("queue-day", "queues/norsk", LAPTOP, "light", "en", _day),
    Picture("phone", "", PHONE, "dark", "sv", _ready),
    Picture("message", "", LAPTOP, "dark", "en", _message),
    Picture("board", "", LAPTOP, "dark", "en", _board_asked),
    Picture("privacy", "privacy", LAPTOP, "light", "en", _privacy),
)
OF_HOUSE = (Picture("house", "", DESK, "dark", "nb", _ready),)


def main() -> None:
    """Runs the floors, and photographs them."""
    sys.path.insert(0, str(ROOT))
    from wallboard.picture import png, read_ppm

    wanted = set(sys.argv[1:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        for site, pictures in (((), OF_EXAMPLE), (("examples/reference-house.toml",), OF_HOUSE)):
            if wanted and not wanted & {picture.name for picture in pictures}:
                continue
            with _floor(*site) as (folder, link):
                time.sleep(BUSY_S)
                if not site:
                    wall = next(folder.glob("callfloor-*/wall-south.ppm"))
                    (PICTURES / "wall.png").write_bytes(png(read_ppm(wall.read_bytes()), LIGHT_PX))
                _photograph(browser, link, [one for one in pictures if not wanted or one.name in wanted])
        browser.close()


@contextlib.contextmanager
def _floor(*site: str) -> Iterator[tuple[Path, str]]:
    """A floor that runs, with its folder and the link that lets somebody in once."""
    with tempfile.TemporaryDirectory() as made:
        past = () if site else ("--past",)
        command = [sys.executable, "-m", "callfloor", "up", *site, *past, "--web", "127.0.0.1:0"]
        with subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"TMPDIR": made}, text=True, stdout=subprocess.PIPE
        ) as floor:
            try:
                assert floor.stdout
                link = next(line for line in floor.stdout if line.startswith("first login")).split()[2]
                yield Path(made), link
            finally:
                floor.terminate()


def _photograph(browser: Browser, link: str, pictures: list[Picture]) -> None:
    """Comes in by the first start's link, as its user does, and takes one picture after the other."""
    base = link.partition("/join")[0]
    first = browser.new_context()
    door = first.new_page()
    door.goto(link)
    door.locator("input[autocomplete=username]").fill("lead")
    door.locator("input[autocomplete=new-password]").fill("nine lives of a cat")
    door.keyboard.press("Enter")
    door.wait_for_selector(".desk[data-status]")
    login = first.storage_state()
    for one in pictures:
        width, height = one.size
        context = browser.new_context(
            storage_state=login, viewport={"width": width, "height": height}, locale=one.language,
            color_scheme="light" if one.scheme == "light" else "dark",
        )  # fmt: skip
        page = context.new_page()
        page.goto(f"{base}/{one.path}")
        one.prepare(page)
        page.screenshot(path=PICTURES / f"{one.name}.png")
        context.close()
        print(f"wrote docs/pictures/{one.name}.png", flush=True)
    first.close()


if __name__ == "__main__":
    main()
