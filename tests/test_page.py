"""The supervisor's page in a real browser, from a real web server, with news driven by hand."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import os
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import APIRouter
from PIL import Image, ImageChops
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect, sync_playwright

import floorplan
from firmware import contract
from gateway import trend
from gateway.web import news as gateway_news
from gateway.web import queue_day_http
from gateway.web.news import News
from gateway.web.page import app

from .conftest import until
from .proxy import proxy

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"  # laid out

REASONS = {
    "free": "the handset is down",
    "ringing": "the ring line pulses",
    "talking": "the handset is lifted",
    "held": "the call is on hold",
    "away": "the headset lies in its cradle",
    "unknown": "the phone is unplugged",
    "lost": "board pico-a is silent",
}
UNKNOWN_QUEUE = {field[0].rstrip("?"): None for field in contract.BY_TOPIC["queue/+/now"].fields}
QUEUE = {
    "waiting": 2, "oldest_wait_s": 5, "worst_wait_s": 412, "free": 3, "ringing": 1, "talking": 4, "away": 7,
    "desks_needed": 7, "desks_present": 8, "joined": 1240, "answered": 1194, "abandoned": 44, "timed_out": 6,
    "left_by_key": 9, "left": 0, "vanished": 0, "asa_s": 14, "aht_s": 192, "occupancy_pct": 87,
    "abandon_rate_pct": 3, "service_level_pct": 83, "reason": "",
}  # fmt: skip


def desk(status: str) -> dict[str, Any]:
    return {
        "status": status, "reason": REASONS[status], "phone": "idle", "in_call": None, "muted": None,
        "docked": False, "missed": 0,
    }  # fmt: skip


def plan(desks: int = 8, columns: int = 4, walls: int = 2, boards: int = 2) -> floorplan.Plan:
    tables = {
        "site": {"id": "skien", "name": "Skien"},
        "broker": {"host": "10.1.2.3", "user": "gw", "secret_file": "secrets/broker"},
        "queue": [
            {"id": "polski", "name": "Polski", "pbx": "pl-in"},
            {"id": "arabi", "name": "العربية", "pbx": "ar-in", "target": {"within_s": 30, "share": 0.9}},
        ],
        "desk": [
            {
                "id": f"a{n}",
                "name": f"A{n}",
                "extension": f"Local/{1000 + n}@agents",
                "at": [n % columns, n // columns],
            }
            for n in range(desks)
        ],
        "board": [
            {"id": f"pico-{n}", "secret_file": "secrets/board", "inputs": [{"desk": f"a{n}"}]}
            for n in range(boards)
        ],
        "wall": [
            {
                "id": f"wall-{n}",
                "name": f"Wall {n}",
                "board": "pico-0",
                "panel": {"kind": "memory", "size": [32, 16]},
                "pages": [{"queue": "polski"}],
            }
            for n in range(walls)
        ],
    }
    return floorplan.check(tables, "test", Path("/"))


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 16), colour).save(out, "PNG")
    return out.getvalue()


class Served:
    """A page on a port of its own, in a thread of its own; `say` and `on_loop` reach into it."""

    def __init__(self, site: floorplan.Plan) -> None:
        self.site = site
        self.port = 0
        self.pictures = {wall.id: png("navy") for wall in site.wall}
        self.drawn = 0
        self.missing: str | None = None
        self.day_of: Callable[[str, date | None], dict[str, Any]] = self.nothing_kept
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listening.getsockname()[1]
        self.news = News()
        days = queue_day_http.routes(self.a_day)
        page = app(self.site, self.news, self.health, self.picture, routers=[days, *self.routers()], draw=self.draw)
        self.server = uvicorn.Server(uvicorn.Config(page, log_level="warning", lifespan="off"))
        ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self.thread.start()
        assert ready.wait(10)

    async def _serve(self, ready: threading.Event) -> None:
        self.loop = asyncio.get_running_loop()
        ready.set()
        await self.server.serve(sockets=[self.listening])

    def routers(self) -> list[APIRouter]:
        """Further addresses of the page."""
        return []

    def health(self) -> tuple[bool, dict[str, Any]]:
        return (False, {"missing": self.missing}) if self.missing else (True, {"desks": len(self.site.desk)})

    def a_day(self, queue: str, day: date | None) -> dict[str, Any]:
        return self.day_of(queue, day)

    def nothing_kept(self, queue: str, day: date | None) -> dict[str, Any]:
        return {**trend.day(None, self.site, queue, day or date(2026, 3, 29)), "today": "2026-03-29"}

    def picture(self, wall: str) -> bytes | None:
        return self.pictures.get(wall)

    def draw(self, picture: bytes) -> bytes:
        self.drawn += 1
        return picture

    def on_loop(self, work: Callable[[], Any]) -> Any:
        done: Future[Any] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except Exception as error:
                done.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        return done.result(10)

    def say(self, documents: dict[str, dict[str, Any]]) -> None:
        def say_all() -> None:
            for path, doc in documents.items():
                self.news.say(path, doc)

        self.on_loop(say_all)

    def stop(self) -> None:
        """As a gateway stops: its pages are let go first, or the server would wait for them."""
        self.on_loop(self.news.close)
        self.server.should_exit = True
        self.thread.join(10)
        assert not self.thread.is_alive(), "the server still waits for its pages"
        self.listening.close()

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(self.address + path, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that waits up to 10 s for what is expected of a page."""
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield started
        _free.pop(started, None)
        started.close()


@pytest.fixture
def served() -> Iterator[Served]:
    page = Served(plan())
    yield page
    page.stop()


@pytest.fixture
def crowded() -> Iterator[Served]:
    page = Served(plan(desks=465, columns=31))
    yield page
    page.stop()


# What a test does to a window that would stay on it: then it is nobody's after that test.
STAYS = {
    "page": ("add_init_script", "emulate_media", "expose_binding", "expose_function", "on", "route",
             "set_extra_http_headers"),
    "context": ("add_cookies", "add_init_script", "expose_binding", "expose_function", "grant_permissions",
                "new_cdp_session", "new_page", "on", "route", "set_extra_http_headers", "set_offline"),
}  # fmt: skip
_free: dict[Browser, Page] = {}  # a window of each browser that nobody uses: a new one costs as much as the page itself


@contextlib.contextmanager
def opened(
    browser: Browser, address: str, width: int = 1920, height: int = 1080, expected: str = "", clock: bool = False,
    **more: Any,
) -> Iterator[Page]:  # fmt: skip
    """The page, live, in a window of that size; what it complains of must match `expected`.

    `clock`: its time is `page.clock`, which a test can put forward. A window without anything of its own is one that
    a test before has used, empty again.
    """
    plain = not clock and not more
    page = _free.pop(browser, None) if plain else None
    if page is None:
        page = browser.new_context(viewport={"width": width, "height": height}, **more).new_page()
    else:
        page.set_viewport_size({"width": width, "height": height})
    complaints: list[str] = []

    def complain(what: ConsoleMessage | Error) -> None:
        complaints.append(what.text if isinstance(what, ConsoleMessage) else str(what))

    page.on("console", complain)
    page.on("pageerror", complain)
    if clock:
        page.clock.install()
    touched = _watched(page) if plain else [True]
    emptied = False
    page.goto(address)
    expect(page.locator("body[data-news=live] .desk").first).to_be_visible()
    try:
        yield page
        emptied = not touched and _emptied(page)
    finally:
        if emptied:
            page.remove_listener("console", complain)
            page.remove_listener("pageerror", complain)
            _free.setdefault(browser, page)
        if _free.get(browser) is not page:
            page.context.close()
    assert [text for text in complaints if not (expected and re.search(expected, text))] == []


def _watched(page: Page) -> list[bool]:
    """Holds something as soon as a test has done what STAYS."""
    touched: list[bool] = []

    def watched(does: Callable[..., Any]) -> Callable[..., Any]:
        def do(*args: Any, **named: Any) -> Any:
            touched.append(True)
            return does(*args, **named)

        return do

    for what, names in ((page, STAYS["page"]), (page.context, STAYS["context"])):
        for name in names:
            setattr(what, name, watched(getattr(type(what), name).__get__(what)))
    return touched


def _emptied(page: Page) -> bool:
    """Leaves nothing in a window of whoever was there; False where that cannot be."""
    try:
        if len(page.context.pages) != 1:
            return False
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.context.clear_cookies()
        page.mouse.move(0, 0)
        page.goto("about:blank")
        return True
    except Error:
        return False


def tile(page: Page, name: str) -> Locator:
    return page.locator(f"[data-desk={name}]")


def card(page: Page, name: str) -> Locator:
    return page.locator(f"[data-queue={name}]")


def seconds_in(text: str) -> int:
    found = re.search(r"(\d+):(\d\d)", text)
    assert found, f"no time in {text!r}"
    return int(found[1]) * 60 + int(found[2])


# ---- the floor ----


def test_a_desk_says_its_status_in_a_word_and_the_reason_to_whoever_asks(
    browser: Browser, served: Served
) -> None:
    statuses = dict(zip([f"a{n}" for n in range(7)], REASONS, strict=True))
    served.say({f"desk/{name}": desk(status) for name, status in statuses.items()})
    with opened(browser, served.address, has_touch=True) as page:
        about = page.locator("#about")
        for name, status in statuses.items():
            here = tile(page, name)
            expect(here).to_have_attribute("data-status", status)
            label = here.get_attribute("aria-label") or ""
            for words in (name.upper(), status, REASONS[status][1:], "Headset out of its cradle"):
                assert words in label
            word = here.evaluate("tile => getComputedStyle(tile, '::after').content")
            assert word == f'"{status}"'

        here = tile(page, "a1")
        here.hover()
        expect(about).to_contain_text("The ring line pulses")
        served.say({"desk/a1": desk("talking")})
        expect(about).to_contain_text("The handset is lifted")
        page.mouse.move(5, 5)
        expect(about).to_be_hidden()
        tile(page, "a6").focus()
        expect(about).to_contain_text("Board pico-a is silent")
        page.keyboard.press("Escape")
        expect(about).to_be_hidden()
        tile(page, "a4").tap()
        expect(about).to_contain_text("The headset lies in its cradle")

        # A desk nobody has spoken of is unknown, not free.
        expect(tile(page, "a7")).to_have_attribute("data-status", "unknown")
        served.on_loop(lambda: served.news.forget("desk/a1"))
        expect(tile(page, "a1")).to_have_attribute("data-status", "unknown")


def test_the_arrow_keys_go_from_desk_to_desk(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        assert page.locator(".desk[tabindex='0']").count() == 1  # the whole floor is one stop for Tab
        tile(page, "a0").focus()
        for key, name in (("ArrowRight", "a1"), ("ArrowDown", "a5"), ("ArrowLeft", "a4"), ("ArrowUp", "a0")):
            page.keyboard.press(key)
            expect(tile(page, name)).to_be_focused()
        page.keyboard.press("ArrowUp")  # the edge
        expect(tile(page, "a0")).to_be_focused()


def test_465_desks_fit_on_one_screen_and_each_status_has_a_shape_of_its_own(
    browser: Browser, crowded: Served
) -> None:
    statuses = itertools.cycle(REASONS)
    crowded.say({f"desk/a{n}": desk(next(statuses)) for n in range(465)})
    with opened(browser, crowded.address, reduced_motion="reduce") as page:
        expect(page.locator(".desk[data-status=lost]")).to_have_count(66)
        boxes = page.eval_on_selector_all(
            ".desk",
            "tiles => tiles.map(tile => tile.getBoundingClientRect()).map(b => [b.x, b.y, b.right, b.bottom])",
        )
        assert len({(x, y) for x, y, _, _ in boxes}) == 465
        assert all(0 <= x < right <= 1920 and 0 <= y < bottom <= 1080 for x, y, right, bottom in boxes)
        # The plan's columns and rows, kept.
        assert boxes[31][0] == boxes[0][0] and boxes[31][1] > boxes[0][1]

        # Seen without any colour, as ink on the tile, no two look alike.
        sight = page.context.new_cdp_session(page)
        sight.send("Emulation.setEmulatedVisionDeficiency", {"type": "achromatopsia"})
        shapes = {status: ink_of(tile(page, f"a{n}")) for n, status in enumerate(REASONS)}
        for (one, left), (other, right) in itertools.combinations(shapes.items(), 2):
            inked = min(dots(left), dots(right))
            assert inked > 20, f"{one} or {other} shows nothing"
            differs = dots(ImageChops.difference(left, right))
            assert differs > inked / 2, f"{one} and {other} look alike: {differs} of {inked} dots"


def ink_of(here: Locator) -> Image.Image:
    """Where a tile's inside differs from its ground: white; else black."""
    grey = Image.open(io.BytesIO(here.screenshot())).convert("L")
    inside = grey.crop((4, 4, grey.width - 4, grey.height - 4))
    ground = inside.getpixel((0, 0))
    assert isinstance(ground, int)
    return inside.point(lambda level: 255 if abs(level - ground) > 50 else 0)


def dots(ink: Image.Image) -> int:
    return ink.histogram()[255]


def test_one_change_touches_one_desk(browser: Browser, crowded: Served) -> None:
    crowded.say({f"desk/a{n}": desk("free") for n in range(465)})
    with opened(browser, crowded.address) as page:
        expect(page.locator(".desk[data-status=free]")).to_have_count(465)
        page.evaluate(
            """() => {
              window.touched = new Set();
              window.added = 0;
              const map = document.getElementById("map");
              new MutationObserver((records) => records.forEach((record) => {
                touched.add(record.target.dataset?.desk);
                added += record.addedNodes.length;
              })).observe(map, { attributes: true, childList: true, subtree: true });
            }"""
        )
        crowded.say({"desk/a77": desk("ringing")})
        expect(tile(page, "a77")).to_have_attribute("data-status", "ringing")
        assert page.evaluate("[...touched]") == ["a77"]
        assert page.evaluate("added") == 0

        crowded.say({f"desk/a{n}": desk("lost") for n in range(465)})
        expect(page.locator(".desk[data-status=lost]")).to_have_count(465)
        assert page.evaluate("added") == 0


def test_the_legend_counts_what_the_floor_says(browser: Browser, served: Served) -> None:
    counts = {status: number for number, status in enumerate(REASONS, 11)}
    served.say({f"desk/a{n}": desk(status) for n, status in enumerate(REASONS)})
    with opened(browser, served.address) as page:
        expect(page.locator("#legend [data-status=free]")).to_contain_text("–")
        served.say({"floor": {**counts, "boards_lost": 1, "refused": 3}})
        for n, (status, number) in enumerate(counts.items()):
            row = page.locator(f"#legend [data-status={status}]")
            expect(row).to_have_text(f"{number}{status}")
            # The legend is the key to the map: the same shape.
            shape = tile(page, f"a{n}").get_attribute("data-shape") or ""
            expect(row.locator(".shape")).to_have_attribute("data-shape", shape)
        expect(page.locator("#boards-sum")).to_contain_text("3 messages refused")


# ---- the queues ----


def test_a_queue_shows_its_figures_beside_its_promise(browser: Browser, served: Served) -> None:
    served.say({"queue/polski": QUEUE})
    with opened(browser, served.address) as page:
        here = card(page, "polski")
        for words in (
            "Polski", "2waiting", "3free", "1ringing", "4talking", "7away", "83%", "target 80% in 20 s",
            "answered within 20 s, of all answered and abandoned", "answered1,194", "abandoned44", "mean wait0:14",
        ):  # fmt: skip
            expect(here).to_contain_text(words)
        expect(here.get_by_title("formula: answered-within-of-offered")).to_be_visible()
        expect(card(page, "arabi")).to_contain_text("target 90% in 30 s")
        assert card(page, "arabi").locator("h3").evaluate("name => getComputedStyle(name).direction") == "rtl"
        served.say({"queue/arabi": {**QUEUE, "waiting": 3}})
        expect(page).to_have_title("5 waiting · Skien")


def test_a_wait_counts_on_from_when_it_was_said(browser: Browser, served: Served) -> None:
    served.say({"queue/polski": QUEUE})
    said_s = time.monotonic()

    def off_s(page: Page) -> float:
        shown_s = seconds_in(card(page, "polski").locator(".big .figure").nth(1).inner_text())
        return shown_s - (QUEUE_WAIT_S + time.monotonic() - said_s)

    QUEUE_WAIT_S = 5
    with opened(browser, served.address) as page:
        expect(card(page, "polski")).to_contain_text("0:07")
        assert -1.5 < off_s(page) < 0.5
        expect(card(page, "polski")).to_contain_text("0:09")
        assert -1.5 < off_s(page) < 0.5
        # Said seconds ago, and still right on a page that is opened only now.
        with opened(browser, served.address) as late:
            expect(card(late, "polski")).to_contain_text(re.compile(r"0:(09|1\d)"))
            assert -1.5 < off_s(late) < 0.5
        served.say({"queue/polski": {**QUEUE, "waiting": 0, "oldest_wait_s": 0}})
        expect(card(page, "polski")).to_contain_text("0:00")


def test_a_wait_over_the_promise_is_told_by_shape_too(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        here = card(page, "polski").locator(".big .marked")
        for wait_s, level in ((5, "calm"), (15, "warn"), (25, "bad"), (0, "calm")):
            served.say({"queue/polski": {**QUEUE, "oldest_wait_s": wait_s, "service_level_pct": 71}})
            expect(here).to_have_attribute("data-level", level)
            expect(here.locator(".shape")).to_be_visible(visible=level != "calm")
        expect(card(page, "polski").locator(".level .marked .shape")).to_be_visible()


def test_what_is_not_known_is_a_dash_with_its_reason(browser: Browser, served: Served) -> None:
    served.say({"queue/polski": {**QUEUE, "service_level_pct": None, "asa_s": None, "answered": 0}})
    with opened(browser, served.address) as page:
        here = card(page, "polski")
        expect(here.locator(".level")).to_contain_text("–unknownservice level: none ended yet")
        expect(here.locator(".level .figure")).not_to_contain_text(re.compile("[0-9]"))
        expect(here.get_by_title("none answered yet")).to_have_text("–unknown")
        served.say({"queue/polski": {**UNKNOWN_QUEUE, "reason": "the phone system is away"}})
        expect(here.locator(".big .figure").first).to_have_text("–unknown")
        expect(here.locator(".figure.unknown")).to_have_count(3)
        expect(here.locator(".counts b.unknown")).to_have_count(4)
        expect(here.locator("dd.unknown:visible")).to_have_count(10)
        expect(here.locator(".reason")).to_have_text("the phone system is away")
        expect(page).to_have_title("– waiting · Skien")
        served.say({"queue/polski": QUEUE})
        expect(here.locator(".unknown")).to_have_count(0)


# ---- walls and boards ----


def middle_of(page: Page, wall: str) -> list[int]:
    """Red, green and blue of a light in the middle of a wall's picture."""
    colour: list[int] = page.locator(f"[data-wall={wall}] canvas").evaluate(
        """canvas => {
          const dot = canvas.width / 32;
          const [x, y] = [16.5 * dot, 8.5 * dot];
          const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
          copy.drawImage(canvas, -Math.floor(x), -Math.floor(y));
          return [...copy.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        }"""
    )
    return colour


def test_a_wall_is_mirrored_with_what_it_says_of_itself(browser: Browser, served: Served) -> None:
    shown = {"scene": "s1", "shown": "s1", "values_seq": 4, "fresh": True, "reason": "shows what it should"}
    served.pictures = {"wall-0": png("#00c8ff")}  # and none of the other
    served.say({"wall/wall-0": shown})
    with opened(browser, served.address, expected="404") as page:
        here = page.locator("[data-wall=wall-0]")
        expect(here).to_contain_text("Wall 0freshshows what it should")
        until(lambda: middle_of(page, "wall-0") == [0, 200, 255], "the wall is cyan")
        served.pictures["wall-0"] = png("#ffbe00")
        until(lambda: middle_of(page, "wall-0") == [255, 190, 0], "the wall is amber")
        expect(page.locator("[data-wall=wall-1]")).to_contain_text("no picture")

        served.say({"wall/wall-0": {**shown, "fresh": False, "reason": "no beat for 25 s"}})
        expect(here).to_contain_text("oldno beat for 25 s")
        expect(here.locator(".shape")).to_have_attribute("data-shape", "triangle")
        assert here.locator(".picture").evaluate("box => getComputedStyle(box).borderStyle") == "dashed"
        # A picture that cannot be had any more is not shown once more.
        del served.pictures["wall-0"]
        expect(here.locator(".none")).to_be_visible()
        assert middle_of(page, "wall-0") == [0, 0, 0]


def test_a_lost_board_stands_first_and_its_last_figures_are_gone(browser: Browser, served: Served) -> None:
    ready = {
        "state": "ready", "reason": "", "definition": "pico-w", "python": "MicroPython", "uptime_s": 7260,
        "heap_free": 81920, "reconnects": 1, "lag_ms": 4, "dropped": 0,
    }  # fmt: skip
    served.say({"board/pico-0": ready, "board/pico-1": ready})
    with opened(browser, served.address) as page:
        rows = page.locator("#board-rows tr")
        expect(page.locator("#boards-sum")).to_have_text("all 2 ready")
        expect(rows.first).to_contain_text("pico-0")
        expect(rows.first).to_contain_text("2 h 1 min80 KB")
        served.say({"board/pico-1": {**ready, "state": "lost", "reason": "silent for 21 s"}})
        expect(rows.first).to_contain_text("pico-1simulatedlostsilent for 21 s")
        expect(rows.first.locator(".number")).to_have_text(["–unknown", "–unknown"])
        expect(page.locator("#boards-sum")).to_have_text("1 of 2 lost")


# ---- sizes ----


def test_the_demo_floor_needs_no_scrolling_on_a_big_screen(browser: Browser, served: Served) -> None:
    served.say({"queue/polski": QUEUE, "queue/arabi": {**QUEUE, "oldest_wait_s": 4000}})
    with opened(browser, served.address) as page:
        # Heights of text are no whole pixels; the two are rounded each for itself.
        size = "e => [e.scrollWidth <= e.clientWidth, e.scrollHeight <= e.clientHeight + 1]"
        for part in ("html", "#queue-cards", "#map", "#wall-cards", "#board-table"):
            assert page.locator(part).evaluate(size) == [True, True], part


@pytest.mark.parametrize("desks", [8, 465])
def test_a_phone_shows_it_all_without_scrolling_sideways(browser: Browser, desks: int) -> None:
    page_of = Served(plan(desks=desks, columns=4 if desks == 8 else 31))
    try:
        page_of.say({"queue/polski": {**QUEUE, "oldest_wait_s": 4000}})
        with opened(browser, page_of.address, 390, 844) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            last = tile(page, f"a{desks - 1}").bounding_box()
            assert last is not None and last["x"] + last["width"] <= 390
            assert last["width"] >= 22 and last["height"] >= 22
    finally:
        page_of.stop()


def test_who_asks_for_less_motion_gets_none(browser: Browser, served: Served) -> None:
    served.say({"desk/a0": desk("ringing")})
    moving = "tile => getComputedStyle(tile, '::before').animationName"
    for wish, motion in (("no-preference", "ring"), ("reduce", "none")):
        with opened(browser, served.address, reduced_motion=wish) as page:
            assert tile(page, "a0").evaluate(moving) == motion


# ---- the page never lies ----


def test_a_silent_stream_and_a_slow_one_look_old_and_nothing_ticks(browser: Browser, served: Served) -> None:
    served.say({"queue/polski": QUEUE, "desk/a0": desk("free")})
    with (
        proxy("127.0.0.1", served.port) as link,
        opened(browser, f"http://127.0.0.1:{link.port}", expected="ERR_", clock=True) as page,
    ):
        live = page.locator("#live")
        expect(live).to_have_text("live")
        served.say({"desk/a0": desk("ringing")})
        expect(tile(page, "a0")).to_have_attribute("data-status", "ringing")
        page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)  # the page's own time is ours from here on
        link.silence()
        served.say({"desk/a0": desk("talking")})
        page.clock.run_for(9_000)  # beats come every 5 s: two may be late
        expect(live).to_have_text("live")
        page.clock.run_for(2_500)
        expect(page.locator("#old")).to_have_text(re.compile(r"No news for 1[23] s: what you see may be old\."))
        expect(live).to_have_text("not live")
        expect(page).to_have_title("OLD · Skien")
        expect(page.locator("main")).to_have_css("filter", re.compile(r"grayscale\(1\)"))
        wait = card(page, "polski").locator(".big .marked")
        stopped_at = wait.inner_text()

        # What arrives now was said long ago: it is shown, and is still old.
        link.mend()

        def talks() -> bool:
            page.clock.run_for(50)
            return tile(page, "a0").get_attribute("data-status") == "talking"

        until(talks, "it comes")
        expect(live).to_have_text("not live")
        page.clock.run_for(1_100)
        expect(live).to_have_text("not live")
        assert wait.inner_text() == stopped_at

        page.clock.resume()
        link.reset()
        expect(live).to_have_text("live")
        expect(page.locator("#old")).to_be_hidden()
        expect(wait).not_to_have_text(stopped_at)


def test_a_gateway_that_comes_back_is_seen_without_a_reload(browser: Browser, served: Served) -> None:
    served.say({"desk/a0": desk("free"), "desk/a1": desk("talking")})
    with opened(browser, served.address, expected="ERR_") as page:
        page.evaluate("window.sameDocument = true")
        expect(tile(page, "a1")).to_have_attribute("data-status", "talking")
        served.stop()
        expect(page.locator("#old")).to_have_text(re.compile("The gateway does not answer"))
        expect(page.locator("#live")).to_have_text("not live")
        served.site = plan(desks=9)
        served.start()
        served.say({"desk/a0": desk("ringing"), "desk/a8": desk("held")})
        expect(page.locator("#live")).to_have_text("live", timeout=10_000)
        expect(tile(page, "a0")).to_have_attribute("data-status", "ringing")
        expect(tile(page, "a8")).to_have_attribute("data-status", "held")
        expect(tile(page, "a1")).to_have_attribute("data-status", "unknown")  # not the last word of before
        assert page.evaluate("window.sameDocument") is True


def test_a_page_that_is_refused_tries_again(
    browser: Browser, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_news, "LISTENERS_AT_MOST", 0)
    status, headers, words = served.get("/api/events")
    assert (status, headers["retry-after"]) == (503, "10")
    assert b"too many pages" in words
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.address)
    expect(page.locator("#old")).to_be_visible()
    monkeypatch.undo()
    expect(page.locator("#live")).to_have_text("live")
    expect(tile(page, "a0")).to_be_visible()
    context.close()


# ---- over HTTP ----


def test_a_part_that_cannot_be_built_takes_no_other_with_it(browser: Browser, served: Served) -> None:
    site = json.loads(served.get("/api/plan")[2])
    served.say({"queue/polski": QUEUE, "desk/a1": desk("free"), "board/pico-0": {"state": "ready"}})
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.route("**/api/plan", lambda route: route.fulfill(json={**site, "walls": None}))
    page.goto(served.address)
    expect(card(page, "polski")).to_contain_text("waiting")
    expect(tile(page, "a1")).to_have_attribute("data-status", "free")
    expect(page.locator("#board-rows tr")).to_have_count(2)
    expect(page.locator("body")).to_have_attribute("data-news", "live")
    told = [text.split(" cannot be drawn")[0] for text in errors]
    assert "walls" in told and set(told) <= {"walls", "messages", "alarms"}
    context.close()


def test_the_plan_tells_no_secrets_and_no_extensions(served: Served) -> None:
    status, _, body = served.get("/api/plan")
    told = json.loads(body)
    assert status == 200
    assert told["site"] == {"id": "skien", "name": "Skien", "languages": ["en"]}
    assert told["desks"][5] == {"id": "a5", "name": "A5", "at": [1, 1]}
    assert told["queues"][0] == {
        "id": "polski",
        "name": "Polski",
        "kind": "voice",
        "target": {
            "within_s": 20,
            "share": 0.8,
            "formula": "answered-within-of-offered",
            "short_abandon_s": 5,
        },
        "amber_from_s": 10,
        "red_from_s": 20,
    }
    assert told["walls"][0] == {"id": "wall-0", "name": "Wall 0", "size": [32, 16]}
    assert told["boards"][1] == {"id": "pico-1", "definition": "simulated", "desks": ["a1"]}
    for secret in (b"Local/", b"agents", b"secret", b"10.1.2.3", b"pl-in"):
        assert secret not in body


def test_what_is_now_says_how_long_ago_it_was_said(served: Served) -> None:
    served.say({"desk/a0": desk("held"), "queue/polski": QUEUE})
    status, _, body = served.get("/api/now")
    now = json.loads(body)
    assert status == 200
    assert 0 <= now["queue/polski"].pop("age_ms") < 5000
    assert now["queue/polski"] == QUEUE
    assert now["desk/a0"]["status"] == "held"


def test_health_says_what_is_missing(served: Served) -> None:
    status, _, body = served.get("/healthz")
    assert (status, json.loads(body)) == (200, {"up": True, "desks": 8})
    served.missing = "no broker at 127.0.0.1:1883"
    status, _, body = served.get("/healthz")
    assert (status, json.loads(body)) == (503, {"up": False, "missing": "no broker at 127.0.0.1:1883"})


def test_every_answer_carries_the_safe_headers_and_nothing_comes_from_elsewhere(served: Served) -> None:
    files = ("/", "/static/page.js", "/static/page.css", "/static/favicon.svg")
    for path in (*files, "/api/plan", "/healthz", "/openapi.json", "/none"):
        _, headers, body = served.get(path)
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert headers["cache-control"] in ("no-cache", "no-store"), path
        assert not re.search(rb"https?://(?!www\.w3\.org)", body), path
    assert served.get("/docs")[0] == 404
    paths = json.loads(served.get("/openapi.json")[2])["paths"]
    known = {"/api/plan", "/api/now", "/api/events", "/api/history.csv", "/walls/{wall}.png", "/healthz"}
    known.add("/api/queues/{queue}/day")  # one of Served's routers
    assert known == set(paths)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("from=yesterday", "from is a day, written as 2026-03-29"),
        ("to=2026-02-30", "to is a day, written as 2026-03-29"),
        ("by=week", "by is quarter or day"),
        ("by=%3Cscript%3E&from=1&to=", "by is quarter or day; from is a day"),
        ("from=2026-03-30&to=2026-03-29", "from is after to: the first day comes first"),
    ],
)
def test_totals_asked_for_wrongly_say_how_to_ask(served: Served, asked: str, words: str) -> None:
    status, headers, body = served.get("/api/history.csv?" + asked)
    assert (status, headers["content-type"].split(";")[0]) == (422, "text/plain")
    assert words in body.decode()
    for given in re.findall(r"=([^&]+)", asked):
        assert given not in body.decode() or given in ("quarter", "day")
    told = json.loads(served.get("/openapi.json")[2])
    asking = told["paths"]["/api/history.csv"]["get"]
    assert set(asking["responses"]) == {"200", "404", "422"}
    assert set(asking["responses"]["422"]["content"]) == {"text/plain"}
    assert "HTTPValidationError" not in json.dumps(told)


def test_a_walls_picture_is_drawn_once_for_many_pages(served: Served) -> None:
    served.pictures = {"wall-0": png("red")}
    status, headers, body = served.get("/walls/wall-0.png")
    assert (status, headers["content-type"], body) == (200, "image/png", png("red"))
    for _ in range(5):
        assert served.get("/walls/wall-0.png", {"If-None-Match": f'"x", W/{headers["etag"]}'})[0] == 304
    assert served.drawn == 1, "it has not changed"
    status, _, words = served.get("/walls/none.png")
    assert (status, words) == (404, b"no such wall in the site file; there are: wall-0, wall-1")
    status, _, words = served.get("/walls/wall-1.png")
    assert (status, words) == (404, b"wall 'wall-1' has no picture yet")


def test_a_listener_that_does_not_read_costs_little_and_catches_up(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real connection whose far end has stopped reading, with an event for every word."""
    monkeypatch.setattr(gateway_news, "APART_S", 0)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(10)
    slow.connect(("127.0.0.1", served.port))
    slow.sendall(b"GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n")
    until(lambda: served.on_loop(lambda: served.news.listeners) == 1, "the page listens")
    filler = "x" * 40_000
    for number in range(400):
        served.say({"floor": {"number": number, "filler": filler}})
    assert served.on_loop(lambda: served.news.resyncs) >= 1
    (line,) = served.on_loop(lambda: list(served.news._lines))
    assert line.qsize() <= gateway_news.EVENTS_WAITING

    seen = b""
    while b'"number":399' not in seen:
        seen = seen[-60_000:] + slow.recv(1 << 20)
    slow.close()
    until(lambda: served.on_loop(lambda: served.news.listeners) == 0, "nobody listens")
