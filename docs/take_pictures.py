"""Takes the pictures of README and docs from the running product: `make pictures`, in the tree's .venv.

Two floors are run one after the other, each with a past behind it: the example, and a house of seven queues.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
BUSY_S = 40  # until a floor looks like an ordinary afternoon
LIGHT_PX = 6
CROWD = re.compile("^([2-9]|[1-9][0-9])$")  # so many wait in a picture
SLOW_MS = 120_000  # many boards on a small computer
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip

DESK, LAPTOP, PHONE = (1920, 1080), (1366, 900), (390, 844)


class Floor(NamedTuple):
    """A floor that runs: its folder, the link that lets somebody in once, and its process."""

    folder: Path
    link: str
    pid: int

    def board(self, name: str) -> int:
        """The process of a board."""
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            if f"{name}.json" in Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
        raise LookupError(f"no process of the board {name}")


def _ready(page: Page, _: Floor) -> None:
    """All is drawn, and somebody waits."""
    page.wait_for_selector(".desk[data-status]:not([data-status=unknown])")
    page.wait_for_selector(".queue .uplot")
    waiting = page.locator(".queue .big .figure").first
    for _again in range(20):
        expect(waiting).to_have_text(CROWD, timeout=SLOW_MS)
        page.wait_for_timeout(1500)  # each wall has drawn its picture by then
        if CROWD.match(waiting.inner_text()):
            return


def _house(page: Page, _: Floor) -> None:
    page.wait_for_selector(".desk[data-status=talking]")
    page.wait_for_timeout(90_000)


def _busy(page: Page, floor: Floor) -> None:
    """With the board's own picture of a wall, of the same moment."""
    from wallboard.picture import png, read_ppm

    _ready(page, floor)
    wall = next(floor.folder.glob("callfloor-*/wall-south.ppm"))
    (PICTURES / "wall.png").write_bytes(png(read_ppm(wall.read_bytes()), LIGHT_PX))


def _desk_asked(page: Page, floor: Floor) -> None:
    _ready(page, floor)
    page.locator(".desk").nth(2).focus()


def _board_asked(page: Page, floor: Floor) -> None:
    _ready(page, floor)
    page.locator("[data-board] button").first.click()
    page.wait_for_selector("dialog[open]")
    page.wait_for_timeout(1500)


def _alarms(page: Page, floor: Floor) -> None:
    """Two boards hang: one that reads desks, one that draws a wall."""
    hung = [floor.board(name) for name in ("row-b", "wall-south")]
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    try:
        expect(page.locator("[data-kind=board-lost] .alarm")).to_have_count(len(hung), timeout=SLOW_MS)
        page.wait_for_timeout(2000)
    finally:
        for pid in hung:
            os.kill(pid, signal.SIGCONT)


def _message(page: Page, floor: Floor) -> None:
    _ready(page, floor)
    page.locator("#messages-open").click()
    page.locator("#message-text").fill("Fire drill at 14:30. Leave your headset in its cradle.")
    page.locator("#message-look").click()
    page.wait_for_selector("#message-looks canvas")
    page.wait_for_timeout(500)


def _day(page: Page, _: Floor) -> None:
    page.wait_for_selector(".uplot")
    page.wait_for_timeout(800)


def _privacy(page: Page, _: Floor) -> None:
    page.wait_for_selector("main section")
    page.wait_for_timeout(500)


class Picture(NamedTuple):
    """One picture: where, how large, in which scheme and language, and what is done first."""

    name: str
    path: str
    size: tuple[int, int]
    scheme: str
    language: str
    prepare: Callable[[Page, Floor], None]


OF_EXAMPLE = (
    Picture("page", "", DESK, "dark", "en-GB", _busy),
    Picture("page-light", "", DESK, "light", "nb", _desk_asked),
    Picture("queue-day", "queues/norsk", LAPTOP, "light", "en-GB", _day),
    Picture("phone", "", PHONE, "dark", "sv", _ready),
    Picture("message", "", LAPTOP, "dark", "en-GB", _message),
    Picture("board", "", LAPTOP, "dark", "en-GB", _board_asked),
    Picture("alarms", "", LAPTOP, "light", "en-GB", _alarms),
    Picture("privacy", "privacy", LAPTOP, "light", "en-GB", _privacy),
)
HOUSE = ROOT / "examples" / "reference-house.toml"
HOUSE_DESKS = 96  # so many boards a small computer can be
OF_HOUSE = (Picture("house", "", DESK, "dark", "nb", _house),)


def main() -> None:
    """Runs the floors, and photographs them."""
    sys.path.insert(0, str(ROOT))
    wanted = set(sys.argv[1:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        for site, pictures in ((None, OF_EXAMPLE), (HOUSE, OF_HOUSE)):
            asked = [one for one in pictures if not wanted or one.name in wanted]
            if not asked:
                continue
            with _floor(site) as floor:
                time.sleep(BUSY_S)
                _photograph(browser, floor, asked)
        browser.close()


@contextlib.contextmanager
def _floor(site: Path | None) -> Iterator[Floor]:
    """A floor that runs with a past behind it: the example, or a house that is called at night too.

    As many call as HOUSE_DESKS can take: a fifth of those who call all of its desks.
    """
    with tempfile.TemporaryDirectory() as made:
        told = []
        if site:
            here = Path(made) / site.name
            flat = re.sub(r"by_hour = \[[^]]*\]", f"by_hour = {[1] * 24}", site.read_text())
            here.write_text(re.sub(r"(?<=calls_per_hour = )\d+", lambda calls: str(int(calls[0]) // 5), flat))
            told = [str(here), "--desks", str(HOUSE_DESKS)]
        command = [sys.executable, "-m", "callfloor", "up", *told, "--past", "--web", "127.0.0.1:0"]
        with subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"TMPDIR": made}, text=True, stdout=subprocess.PIPE
        ) as floor:
            try:
                assert floor.stdout
                link = next(line for line in floor.stdout if line.startswith("first login")).split()[2]
                yield Floor(Path(made), link, floor.pid)
            finally:
                floor.terminate()


def _photograph(browser: Browser, floor: Floor, pictures: list[Picture]) -> None:
    """Comes in by the first start's link, as its user does, and takes one picture after the other."""
    base = floor.link.partition("/join")[0]
    first = browser.new_context()
    first.set_default_timeout(SLOW_MS)
    door = first.new_page()
    door.goto(floor.link)
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
        context.set_default_timeout(SLOW_MS)
        page = context.new_page()
        page.goto(f"{base}/{one.path}")
        one.prepare(page, floor)
        page.screenshot(path=PICTURES / f"{one.name}.png")
        context.close()
        print(f"wrote docs/pictures/{one.name}.png", flush=True)
    first.close()


if __name__ == "__main__":
    main()
