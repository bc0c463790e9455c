"""The browser as a wall: it draws what a board draws, to the pixel, and believes no more than a board does."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import itertools
import json
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import floorplan
from firmware import contract, scene, scene_load, values
from firmware.panels import colours
from gateway.web import wall_page
from gateway.web.news import News
from gateway.web.page import app
from gateway.web.wall_page import Screens, routes
from wallboard import numbers
from wallboard.compile import compile

from .conftest import until
from .house import House
from .proxy import proxy
from .test_page import Served
from .test_scene import INK, any_case, fields_of, message_of, spoilt

SEED = random.SystemRandom().randrange(10**6)
NOW_S = 5000  # the gateway's clock when a test begins


def plan() -> floorplan.Plan:
    def wall(name: str, title: str, queue: str, w: int, h: int) -> dict[str, Any]:
        panel = {"kind": "browser", "size": [w, h]}
        return {"id": name, "name": title, "panel": panel, "pages": [{"queue": queue}]}

    tables = {
        "site": {"id": "skien", "name": "Skien"},
        "queue": [
            {"id": "polski", "name": "Polski", "pbx": "pl-in"},
            {"id": "arabi", "name": "العربية", "pbx": "ar-in"},
        ],
        "desk": [{"id": "a1"}],
        "wall": [wall("north", "North", "polski", 64, 32), wall("south", "South", "arabi", 128, 64)],
    }
    return floorplan.check(tables, "test", Path("/"))


class Floor(Served):
    """What walls hear, said by hand; a beat only when asked for, and one at the start of a stream."""

    def __init__(self) -> None:
        self.boot = "b1"
        self.seq = 0
        self.zero_s = time.monotonic() - NOW_S
        self.proves = True  # whether the beat at a stream's start stands behind the values
        self.figures: dict[str, Any] = {}
        self.streams = 0  # that have begun
        self.page: str | None = None  # another one of the page's files
        self.should: dict[str, dict[str, Any]] = {}
        for wall in plan().wall:
            message = compile(wall, plan()).message
            self.should[wall.id] = {"scene": message, "light": {"percent": 100}, "message": None}
        super().__init__(plan())

    def now_s(self) -> int:
        return int(time.monotonic() - self.zero_s)

    def start(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listening.getsockname()[1]
        self.news = News()
        self.screens = Screens(self.site, lambda wall: dict(self.should[wall]), self.first_beat)
        if self.page:
            newer = {wall.id: wall_page.about(wall, self.site, self.page) for wall in self.site.wall}
            self.screens._about = {
                name: b"event: wall\ndata: " + json.dumps(told).encode() + b"\n\n" for name, told in newer.items()
            }
        self.screens.say("gateway", {"state": "ready", "boot": self.boot})
        router = routes(self.site, self.screens)
        page = app(self.site, self.news, self.health, self.picture, routers=[router], draw=self.draw)
        self.server = uvicorn.Server(uvicorn.Config(page, log_level="warning", lifespan="off"))
        ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self.thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        self.on_loop(self.screens.close)
        super().stop()

    def again(self, boot: str) -> None:
        """Another start of the gateway, at the same port."""
        self.stop()
        self.boot, self.seq = boot, 0
        self.start()

    def a_beat(self) -> dict[str, Any]:
        return {"boot": self.boot, "now_s": self.now_s(), "values_seq": self.seq if self.proves else self.seq + 1}

    def first_beat(self) -> dict[str, Any]:
        self.streams += 1
        return self.a_beat()

    def beat(self) -> None:
        self.on_loop(lambda: self.screens.say("beat", self.a_beat()))

    def tell(self, **told: str) -> None:
        """New values: words by the number's name with `_` for its dot; the others are unknown."""
        order = numbers.order(self.site)
        self.seq += 1
        words = [told.get(name.replace(".", "_"), "?") for name in order]
        n = " ".join([numbers.base_36(self.now_s()), *words])
        self.figures = {"of": numbers.of(order), "seq": self.seq, "n": n}
        fields = {"boot": self.boot, **self.figures}
        self.on_loop(lambda: self.screens.say("values", fields))

    def change(self, wall: str, **parts: Any) -> None:
        """Another scene, light or message of a wall."""
        self.should[wall] |= parts
        self.on_loop(lambda: self.screens.look(wall))

    def picture_of(
        self, wall: str, clock_s: int | None = None, age_s: int | None = None, message: Any = None
    ) -> scene.Picture:
        """What a board would draw of it."""
        w, h = next(row.panel.size for row in self.site.wall if row.id == wall)
        loaded = scene_load.load(self.should[wall]["scene"], w, h)
        told = message and scene_load.load_message(message, w, h, 0)
        known = values.read(self.figures) if self.figures else None
        picture = scene.Picture(w, h)
        scene.draw(picture, loaded, known, clock_s and clock_s * 1000, 0, age_s, told)
        return picture


@pytest.fixture
def floor() -> Iterator[Floor]:
    served = Floor()
    yield served
    served.stop()


@contextlib.contextmanager
def opened(
    browser: Browser, address: str, width: int = 1280, height: int = 720, expected: str = "", **more: Any
) -> Iterator[Page]:
    """A wall in a window of that size; what it complains of must match `expected`."""
    context = browser.new_context(viewport={"width": width, "height": height}, **more)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    try:
        yield page
    finally:
        context.close()
    assert [text for text in complaints if not (expected and re.search(expected, text))] == []


MIDDLES = """([w, h]) => {
  const canvas = document.getElementById("lights");
  if (canvas.width % w) return "";
  const dot = canvas.width / w;
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    const at = 4 * ((Math.floor((y + 0.5) * dot)) * canvas.width + Math.floor((x + 0.5) * dot));
    text += String.fromCharCode(data[at], data[at + 1], data[at + 2]);
  }
  return btoa(text);
}"""


def lights(page: Page, size: tuple[int, int]) -> bytes:
    """Red, green and blue in the middle of each light on the page."""
    return base64.b64decode(page.evaluate(MIDDLES, list(size)))


def shows(page: Page, *pictures: scene.Picture, percent: int = 100, within_s: float = 5) -> None:
    """Waits until the page's lights are one of these pictures."""
    size = pictures[0].w, pictures[0].h
    wanted = [colours.rgb(bytes(picture.pixels), percent) for picture in pictures]
    end = time.monotonic() + within_s
    while True:
        seen = lights(page, size)
        if seen in wanted:
            return
        if time.monotonic() > end:
            drawn = ["".join("#" if any(seen[3 * (y * size[0] + x) :][:3]) else "." for x in range(size[0]))
                     for y in range(size[1])]  # fmt: skip
            rows = rows_of(bytes(pictures[0].pixels), size[0])
            raise AssertionError("the page:\n" + "\n".join(drawn) + "\nexpected:\n" + rows)
        time.sleep(0.02)


def comes(page: Page, words: str) -> None:
    """Waits until that is true on the page."""
    until(lambda: page.evaluate(words), words)


def rows_of(pixels: bytes, w: int) -> str:
    letters = "".join(INK.get(pixel, "?") for pixel in pixels)
    return "\n".join(letters[start : start + w] for start in range(0, len(letters), w))


# One drawing in every wall.

DRAW = """async (cases) => {
  const { load, loadMessage } = await import("/static/wall/wall_load.js");
  const { read } = await import("/static/wall/wall_values.js");
  const { changesIn, draw, Picture } = await import("/static/wall/wall_scene.js");
  const about = await new Promise((done) => {
    const source = new EventSource("/wall/north/events");
    source.addEventListener("wall", (event) => { source.close(); done(JSON.parse(event.data)); });
  });
  return cases.map(({ size: [w, h], fields, values, message, clock_ms, tick_ms, age_s }) => {
    let scene, told, numbers;
    try {
      scene = fields && load(fields, w, h, about.form);
      told = message && loadMessage(message, w, h, 700);
      numbers = values && read(values);
    } catch (error) {
      return ["error: " + error.message, 0];
    }
    const picture = new Picture(w, h, about.digits);
    draw(picture, scene, numbers, clock_ms, tick_ms, age_s, told);
    const due_ms = changesIn(scene, numbers, clock_ms, tick_ms, w, told);
    return [btoa(String.fromCharCode(...picture.pixels)), due_ms];
  });
}"""


def drawn_here(case: dict[str, Any]) -> tuple[str, int]:
    """What CPython makes of a case, in the words of DRAW."""
    w, h = case["size"]
    try:
        loaded = case["fields"] and scene_load.load(case["fields"], w, h)
        told = case["message"] and scene_load.load_message(case["message"], w, h, 700)
        known = case["values"] and values.read(case["values"])
    except (scene_load.SceneError, contract.ContractError) as error:
        return f"error: {error}", 0
    picture = scene.Picture(w, h)
    scene.draw(picture, loaded, known, case["clock_ms"], case["tick_ms"], case["age_s"], told)
    due_ms = scene.changes_in_ms(loaded, known, case["clock_ms"], case["tick_ms"], w, told)
    return base64.b64encode(picture.pixels).decode(), due_ms


def test_a_browser_draws_what_a_board_draws_to_the_pixel(browser: Browser, floor: Floor) -> None:
    print("seed", SEED)
    dice = random.Random(SEED)
    cases = [any_case(dice) for _ in range(540)]
    more = [case for case in (any_case(dice) for _ in range(100)) if case["fields"] and any(case["fields"]["pages"])]
    cases += [spoilt(dice, case) for case in more]
    with opened(browser, f"{floor.address}/wall", expected="404") as page:
        seen = [tuple(row) for row in page.evaluate(DRAW, cases)]
    assert len(set(seen)) > len(cases) // 2, "the cases are too much alike to prove anything"
    assert any(text.startswith("error") for text, _ in seen)
    for case, (text, due_ms) in zip(cases, seen, strict=True):
        wanted, wanted_ms = drawn_here(case)
        if text != wanted and not text.startswith("error") and not wanted.startswith("error"):
            both = [rows_of(base64.b64decode(picture), case["size"][0]) for picture in (text, wanted)]
            raise AssertionError(f"{SEED} {case}\nthe browser:\n{both[0]}\nCPython:\n{both[1]}")
        assert (text, due_ms) == (wanted, wanted_ms), (SEED, case)


FRESH = """async ([runs, beat_s, proof_ms]) => {
  const { Values } = await import("/static/wall/wall_values.js");
  return runs.map((steps) => {
    const values = new Values(beat_s, proof_ms);
    return steps.map(([kind, fields, at_ms]) => {
      if (kind === "values") values.takeValues(fields, at_ms);
      if (kind === "beat") values.takeBeat(fields, at_ms);
      if (kind === "gateway") values.takeGateway(fields, at_ms);
      return [values.age(at_ms), values.clock(at_ms), values.local(9, "b1")];
    });
  });
}"""


def any_step(dice: random.Random, at_ms: int) -> tuple[str, dict[str, Any], int]:
    boot, seq = dice.choice(("b1", "b1", "b2")), dice.randint(1, 4)
    return dice.choice((
        ("values", {"boot": boot, "of": "abcd", "seq": seq, "n": "0"}, at_ms),
        ("beat", {"boot": boot, "now_s": at_ms // 1000 + 70, "values_seq": seq}, at_ms),
        ("gateway", {"boot": boot, "state": dice.choice(("ready", "lost"))}, at_ms),
        ("nothing", {}, at_ms),
    ))  # fmt: skip


def test_a_browser_believes_what_a_board_believes(browser: Browser, floor: Floor) -> None:
    print("seed", SEED)
    dice = random.Random(SEED)
    runs = []
    for _ in range(200):
        times = itertools.accumulate(dice.choice((3, 700, 2500, 4999, 9000)) for _ in range(25))
        runs.append([any_step(dice, at_ms) for at_ms in times])
    fresh = 0
    with opened(browser, f"{floor.address}/wall") as page:
        seen = page.evaluate(FRESH, [runs, contract.BEAT_S, values.PROOF_MS])
    for run, told_of in zip(runs, seen, strict=True):
        board = values.Values()
        take = {"values": board.take_values, "beat": board.take_beat, "gateway": board.take_gateway}
        for (kind, fields, at_ms), told in zip(run, told_of, strict=True):
            if kind in take:
                take[kind](fields, at_ms)
            assert told == [board.age_s(at_ms), board.clock_ms(at_ms), board.local_ms(9, "b1")], (SEED, run)
            fresh += told[0] is None
    assert 200 < fresh < 4700, "the runs prove something of both"


def test_words_that_are_no_numbers_are_refused_as_by_a_board(browser: Browser, floor: Floor) -> None:
    case = any_case(random.Random(1)) | {"message": None, "fields": None}
    words = ("+", "!!1", "1.5", "--", "å", "7?")
    cases = [case | {"values": {"of": "abcd", "n": "0 1 " + word}} for word in words]
    with opened(browser, f"{floor.address}/wall") as page:
        seen = [text for text, _ in page.evaluate(DRAW, cases)]
    for case, text in zip(cases, seen, strict=True):
        assert text.replace("error: ", "error: values: ") == drawn_here(case)[0]


# A wall in a browser.


def test_a_wall_shows_its_figures_and_its_wait_ticks_by_itself(browser: Browser, floor: Floor) -> None:
    floor.tell(polski_waiting="7", polski_wait="2", polski_free="+3")
    with opened(browser, f"{floor.address}/wall/north") as page:
        first_s = floor.now_s()
        shows(page, *[floor.picture_of("north", first_s + n) for n in range(6)])
        seen: list[bytes] = []
        while len(set(seen)) < 3 and floor.now_s() <= first_s + 12:
            seen.append(lights(page, (64, 32)))
        should = [floor.picture_of("north", clock_s) for clock_s in range(first_s, floor.now_s() + 2)]
        at = [[colours.rgb(bytes(picture.pixels)) for picture in should].index(picture) for picture in seen]
        assert at == sorted(at) and len(set(at)) >= 3, "each second, one after the other"
        assert page.locator("#trouble").is_hidden()
        expect(page).to_have_title("North · Skien")
        floor.tell(polski_waiting="!c", polski_wait="-", polski_free="2")
        shows(page, floor.picture_of("north", floor.now_s()))


def test_what_is_read_aloud_is_what_it_shows(browser: Browser, floor: Floor) -> None:
    floor.tell(arabi_waiting="7", arabi_wait="-", arabi_free="?")
    with opened(browser, f"{floor.address}/wall/south", locale="nb-NO") as page:
        canvas = page.get_by_role("img")
        expect(canvas).to_have_attribute(
            "aria-label", "South. العربية: 7 venter, lengste ventetid 0:00, ukjent plasser ledige", timeout=12_000
        )
        assert page.evaluate("document.documentElement.lang") == "nb"


def test_figures_are_old_until_a_beat_proves_them_and_after_three_missed(browser: Browser, floor: Floor) -> None:
    floor.tell(polski_waiting="7", polski_wait="o", polski_free="3")
    floor.proves = False
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(f"{floor.address}/wall/north")
    shows(page, floor.picture_of("north", None, -1))
    floor.proves = True
    floor.beat()
    proved_s = floor.now_s()
    shows(page, floor.picture_of("north", proved_s), floor.picture_of("north", proved_s + 1))
    floor.proves = False
    page.clock.run_for(14_000)
    assert page.locator("#screen").get_attribute("data-fresh") == "true"
    page.clock.run_for(4_000)  # three beats and half a second are over
    stopped = [proved_s + 15, proved_s + 16]
    shows(page, *[floor.picture_of("north", clock_s, age_s) for clock_s in stopped for age_s in range(17, 23)])
    page.clock.run_for(120_000)
    shows(page, *[floor.picture_of("north", clock_s, 125) for clock_s in stopped])
    context.close()


def test_after_a_sleep_nothing_is_fresh_until_a_new_beat(browser: Browser, floor: Floor) -> None:
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="3")
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(f"{floor.address}/wall/north")
    shows(page, floor.picture_of("north", floor.now_s()))
    floor.proves = False
    page.clock.fast_forward(9_000)  # the lid was closed, and no more than one beat missed
    shows(page, *[floor.picture_of("north", floor.now_s(), age_s) for age_s in range(9, 14)])
    floor.proves = True
    floor.beat()
    shows(page, floor.picture_of("north", floor.now_s()))
    page.clock.fast_forward(8 * 3600_000)  # a new stream begins with a beat of its own
    page.clock.run_for(3_000)
    shows(page, floor.picture_of("north", floor.now_s()))
    context.close()


def test_what_an_old_stream_held_back_over_a_sleep_proves_nothing(browser: Browser, floor: Floor) -> None:
    """The machine sleeps between a beat's coming and its being looked at; the new stream's own beat proves nothing."""
    sleeps = """(() => {
      const dated = Date.now;
      let slept_ms = 0;
      Date.now = () => dated() + slept_ms;
      window.EventSource = class extends EventSource {
        addEventListener(kind, call) {
          super.addEventListener(kind, (event) => {
            if (window.sleepAt === kind) [window.sleepAt, slept_ms] = ["", slept_ms + 20_000];
            call(event);
          });
        }
      };
    })()"""
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="3")
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(sleeps)
    page.goto(f"{floor.address}/wall/north")
    shows(page, floor.picture_of("north", floor.now_s()))
    page.evaluate("window.sleepAt = 'beat'")
    floor.screens._beat = lambda: {**floor.first_beat(), "values_seq": floor.seq + 1}
    floor.beat()
    until(lambda: floor.streams == 2, "a new stream")
    page.wait_for_function("document.getElementById('screen').dataset.fresh === 'false'", timeout=5_000)
    shows(page, *[floor.picture_of("north", floor.now_s(), age_s) for age_s in range(20, 26)])
    context.close()


def test_only_a_page_that_shows_it_fresh_is_counted(browser: Browser, floor: Floor) -> None:
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="3")

    def watching() -> int:
        return int(floor.on_loop(lambda: floor.screens.watching("north")))

    with socket.create_connection(("127.0.0.1", floor.port)) as dead:
        dead.sendall(b"GET /wall/north/events?screen=dead HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: floor.streams == 1, "a stream of somebody who reads nothing")
        assert watching() == 0
        with opened(browser, f"{floor.address}/wall/north"):
            until(lambda: watching() == 1, "the page says that it shows it")
        until(lambda: watching() == 0, "it is closed")
        floor.proves = False
        with opened(browser, f"{floor.address}/wall/north") as page:
            shows(page, floor.picture_of("north", None, -1))
            assert watching() == 0, "it shows old figures"
            floor.proves = True
            floor.beat()
            until(lambda: watching() == 1, "it shows them fresh")


def test_a_gateway_that_is_killed_is_old_at_once(browser: Browser, floor: Floor) -> None:
    """No last word comes: all that ends is the stream."""
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="3")
    with (
        proxy("127.0.0.1", floor.port) as link,
        opened(browser, f"http://127.0.0.1:{link.port}/wall/north", expected="ERR_") as page,
    ):
        shows(page, floor.picture_of("north", floor.now_s()))
        floor.screens._beat = lambda: {**floor.a_beat(), "values_seq": floor.seq + 1}
        link.reset()
        shows(page, *[floor.picture_of("north", floor.now_s(), age_s) for age_s in range(5)], within_s=2)


def test_a_beat_that_was_long_on_its_way_proves_nothing(browser: Browser, floor: Floor) -> None:
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="3")
    floor.proves = False
    with opened(browser, f"{floor.address}/wall/north") as page:
        shows(page, floor.picture_of("north", None, -1))
        floor.proves = True
        floor.zero_s += 8  # the same as if its beats took 8 s
        floor.beat()
        floor.change("north", light={"percent": 50})
        shows(page, floor.picture_of("north", None, -1), percent=50)
        floor.zero_s -= 8
        floor.beat()
        shows(page, floor.picture_of("north", floor.now_s()), percent=50)

        # Where it is not the way but a clock that was set, a new stream finds out.
        assert floor.streams == 1
        floor.zero_s += 3600
        for _ in range(3):
            floor.beat()
        until(lambda: floor.streams == 2, "a new stream")
        for percent in (60, 70, 80, 90):
            floor.beat()
            floor.change("north", light={"percent": percent})
            shows(page, floor.picture_of("north", floor.now_s()), percent=percent)
        page.wait_for_timeout(1100)
        assert floor.streams == 2, "and is good"


def test_a_gateway_that_goes_is_old_at_once_and_fresh_when_it_is_back(browser: Browser, floor: Floor) -> None:
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="3")
    with opened(browser, f"{floor.address}/wall/north", expected="ERR_") as page:
        page.evaluate("window.sameDocument = true")
        shows(page, floor.picture_of("north", floor.now_s()))
        floor.stop()
        shows(page, *[floor.picture_of("north", floor.now_s(), age_s) for age_s in range(5)], within_s=1)
        floor.boot, floor.seq = "b2", 0
        floor.start()
        floor.tell(polski_waiting="5", polski_wait="-", polski_free="?")
        shows(page, floor.picture_of("north", floor.now_s()), within_s=10)
        assert page.evaluate("window.sameDocument") is True


def test_a_newer_page_is_loaded(browser: Browser, floor: Floor) -> None:
    with opened(browser, f"{floor.address}/wall/north", expected="ERR_") as page:
        shows(page, floor.picture_of("north", None, -1))
        floor.page = "another"
        with page.expect_navigation(timeout=10_000):
            floor.again("b2")
        floor.tell(polski_waiting="1", polski_wait="-", polski_free="?")
        shows(page, floor.picture_of("north", floor.now_s()))


def test_brightness_is_the_gateways_and_off_is_black_but_never_while_old(browser: Browser, floor: Floor) -> None:
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="!3")
    with opened(browser, f"{floor.address}/wall/north", expected="ERR_") as page:
        picture = floor.picture_of("north", floor.now_s())
        shows(page, picture)
        floor.change("north", light={"percent": 30})
        shows(page, picture, percent=30)
        floor.change("north", light={"percent": 0})
        shows(page, scene.Picture(64, 32))
        floor.stop()
        old = [floor.picture_of("north", floor.now_s(), age_s) for age_s in range(4)]
        shows(page, *old, percent=20)
        floor.start()


def test_a_message_is_shown_until_it_ends_whatever_becomes_of_the_gateway(browser: Browser, floor: Floor) -> None:
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="3")
    with opened(browser, f"{floor.address}/wall/north") as page:
        plain = floor.picture_of("north", floor.now_s())
        shows(page, plain)
        told = message_of([["f", 0, 31, 64, 1, 3]], "band") | {"boot": "b1", "until_s": floor.now_s() + 3}
        floor.change("north", message=told)
        shows(page, floor.picture_of("north", floor.now_s(), message=told))
        end_s = floor.now_s() + 3
        shows(page, plain, within_s=6)
        assert floor.now_s() >= end_s - 1
        others = told | {"boot": "b0", "id": "00000001", "until_s": floor.now_s() + 100}
        floor.change("north", message=others)  # of a clock nobody knows here
        floor.change("north", light={"percent": 50})
        shows(page, plain, percent=50)
        floor.change("north", message=told | {"until_s": floor.now_s() + 100}, light={"percent": 100})
        shows(page, floor.picture_of("north", floor.now_s(), message=told))
        floor.change("north", message=None)
        shows(page, plain)


def test_what_cannot_be_drawn_is_told_below_the_lights_and_the_last_good_scene_goes_on(
    browser: Browser, floor: Floor
) -> None:
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="3")
    with opened(browser, f"{floor.address}/wall/north", expected="scene refused") as page:
        picture = floor.picture_of("north", floor.now_s())
        shows(page, picture)
        good = floor.should["north"]["scene"]
        floor.change("north", scene=fields_of([["n", 60, 0, 2, 1, 1, 0]]))
        trouble = page.locator("#trouble")
        expect(trouble).to_have_text("scene refused: page 1, operation 1 (n): its figures do not lie on 64 x 32")
        shows(page, picture)
        lit, words = page.locator("#lights").bounding_box(), trouble.bounding_box()
        assert lit and words and lit["y"] + lit["height"] <= words["y"]
        floor.change("north", scene=good)
        expect(trouble).to_be_hidden()


def test_what_moves_moves_by_itself_at_its_speed(browser: Browser, floor: Floor) -> None:
    bar = [8, 1, base64.b64encode(b"\xff").decode()]
    floor.change("north", scene=fields_of([["m", 5, 1, bar, 25]]))
    floor.tell()
    with opened(browser, f"{floor.address}/wall/north") as page:
        until(lambda: any(lights(page, (64, 32))), "it is seen")
        left = """() => {
          const canvas = document.getElementById("lights"), dot = canvas.width / 64;
          const copy = new OffscreenCanvas(canvas.width, 1).getContext("2d", { willReadFrequently: true });
          copy.drawImage(canvas, 0, -Math.floor(5.5 * dot));
          const row = copy.getImageData(0, 0, canvas.width, 1).data;
          const at = [...Array(64).keys()].filter((x) => row[4 * Math.floor((x + 0.5) * dot)]);
          return [performance.now(), at.length === 8 ? at[0] : null];
        }"""
        seen: list[tuple[float, int]] = []
        while not seen or seen[-1][0] - seen[0][0] < 1000:
            at_ms, x = page.evaluate(left)
            if x is None or (seen and x > seen[-1][1]):
                seen.clear()
            if x is not None:
                seen.append((at_ms, x))
        moved = seen[0][1] - seen[-1][1]
        assert abs(moved - 25 * (seen[-1][0] - seen[0][0]) / 1000) < 3
        assert len({x for _, x in seen}) > 12, "light by light, not in jumps"


@pytest.mark.parametrize(("wish", "blinks"), [("no-preference", True), ("reduce", False)])
def test_who_asks_for_less_motion_sees_no_blinking(browser: Browser, floor: Floor, wish: Any, blinks: bool) -> None:
    timer = ["t", 2, 2, 4, 1, 2, 1, None, 0, 10]
    floor.change("north", scene=fields_of([timer]) | {"of": numbers.of(numbers.order(floor.site))})
    floor.tell(polski_wait="0")
    with opened(browser, f"{floor.address}/wall/north", reduced_motion=wish) as page:
        until(lambda: any(lights(page, (64, 32))), "it is seen")
        reds = []
        end = time.monotonic() + 2
        while time.monotonic() < end:
            rgb = lights(page, (64, 32))
            reds.append(sum(rgb[at : at + 3] == scene.RGB[scene.RED] for at in range(0, len(rgb), 3)))
        assert (min(reds) < max(reds) / 2) is blinks


# On the screen.


@pytest.mark.parametrize(
    ("width", "height", "ratio", "dot"),
    [(1920, 1080, 1, 30), (3840, 2160, 1, 60), (1080, 1920, 1, 16), (390, 844, 3, 18), (1280, 720, 1.5, 30)],
)
def test_lights_are_round_and_whole_pixels_on_any_screen(
    browser: Browser, floor: Floor, width: int, height: int, ratio: float, dot: int
) -> None:
    floor.tell(polski_waiting="7", polski_wait="-", polski_free="!3")
    address = f"{floor.address}/wall/north"
    with opened(browser, address, width, height, device_scale_factor=ratio) as page:
        picture = floor.picture_of("north", floor.now_s())
        shows(page, picture)
        assert page.locator("#hint").is_hidden(), "it is full already"
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    assert shot.size == (width * ratio, height * ratio)
    left, top = (shot.width - 64 * dot) // 2, (shot.height - 32 * dot) // 2
    assert min(left, top) >= 0 and (left < 64 or top < 32), "as large as whole pixels allow"
    wanted = colours.rgb(bytes(picture.pixels))
    corner = int(dot * 0.1)
    for at in range(64 * 32):
        x, y = left + at % 64 * dot, top + at // 64 * dot
        assert shot.getpixel((x + dot // 2, y + dot // 2)) == tuple(wanted[3 * at : 3 * at + 3]), (at, dot)
        assert shot.getpixel((x + corner, y + corner)) == (0, 0, 0), "round"
    assert shot.crop((0, 0, shot.width, max(top, 1))).getcolors() is not None
    lit = shot.point(lambda level: 255 if level else 0).convert("L").getbbox()
    assert lit and lit[0] >= left and lit[1] >= top and lit[2] <= left + 64 * dot and lit[3] <= top + 32 * dot


def test_a_key_or_a_click_makes_it_full_and_the_hint_and_the_mouse_go_away(browser: Browser, floor: Floor) -> None:
    floor.tell()
    wakes = """(() => {
      const asked = navigator.wakeLock.request.bind(navigator.wakeLock);
      navigator.wakeLock.request = async (kind) => { window.awake = await asked(kind); return window.awake; };
    })()"""
    context = browser.new_context(viewport={"width": 800, "height": 600}, screen={"width": 1920, "height": 1080})
    page = context.new_page()
    page.add_init_script(wakes)
    page.clock.install()
    page.goto(f"{floor.address}/wall/north")
    hint = page.locator("#hint")
    expect(hint).to_have_text("F or a click: full screen")
    comes(page, "window.awake && !window.awake.released")
    page.keyboard.press("f")
    comes(page, "document.fullscreenElement !== null")
    expect(hint).to_be_hidden()
    page.keyboard.press("f")
    comes(page, "document.fullscreenElement === null")
    expect(hint).to_be_visible()
    page.mouse.click(300, 300)
    comes(page, "document.fullscreenElement !== null")
    assert page.evaluate("getComputedStyle(document.body).cursor") != "none"
    page.clock.run_for(6_500)  # a hand that is still
    comes(page, "getComputedStyle(document.body).cursor === 'none'")
    page.mouse.move(100, 100)
    comes(page, "getComputedStyle(document.body).cursor !== 'none'")
    context.close()


def test_a_wrong_name_gets_a_page_with_the_right_ones(browser: Browser, floor: Floor) -> None:
    with opened(browser, f"{floor.address}/wall/nort%3Cb%3Eh", expected="404") as page:
        expect(page.locator("h1")).to_have_text("There is no wall 'nort<b>h'.")
        expect(page.get_by_role("link")).to_have_text(["North", "South"])
        page.get_by_role("link", name="South").click()
        expect(page).to_have_title("South · Skien")
    status, headers, _ = floor.get("/wall/none/events")
    assert (status, headers["content-type"].split(";")[0]) == (404, "text/plain")
    assert floor.get("/wall")[0] == 200
    for path in ("/wall", "/wall/north", "/wall/none", "/static/wall/wall.js"):
        _, headers, body = floor.get(path)
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert b"style=" not in body and b"onclick" not in body and b"http://" not in body, path


def test_a_wall_that_is_taken_out_of_the_site_file_says_so(browser: Browser, floor: Floor) -> None:
    with opened(browser, f"{floor.address}/wall/south", expected="ERR_|404") as page:
        shows(page, floor.picture_of("south", None, -1))
        floor.stop()
        floor.site = floor.site.model_copy(update={"wall": floor.site.wall[:1]})
        floor.start()
        expect(page.locator("h1")).to_have_text("There is no wall 'south'.", timeout=10_000)


def test_a_screen_that_is_refused_tries_again(
    browser: Browser, floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall_page, "SCREENS_AT_MOST", 0)
    status, headers, words = floor.get("/wall/north/events")
    assert (status, headers["retry-after"]) == (503, "10")
    assert b"too many screens" in words
    floor.tell(polski_waiting="4", polski_wait="-", polski_free="?")
    with opened(browser, f"{floor.address}/wall/north", expected="503") as page:
        expect(page.locator("#trouble")).to_have_text("No news from the gateway yet.")
        monkeypatch.undo()
        shows(page, floor.picture_of("north", floor.now_s()), within_s=8)
        expect(page.locator("#trouble")).to_be_hidden()


# In a house.


def test_a_wall_without_a_board_shows_a_caller_and_the_gateway_knows_who_watches(
    browser: Browser, tmp_path: Path
) -> None:
    def only_browsers(tables: dict[str, Any]) -> None:
        tables["board"] = []
        tables["desk"] = tables["desk"][:1]
        panel = {"kind": "browser", "size": [128, 64]}
        tables["wall"] = [{"id": "lobby", "name": "Lobby", "panel": panel, "pages": [{"queue": "norsk"}]}]

    with House(tmp_path, only_browsers) as house:
        house.start_all()
        house.wait("nobody watches", lambda: "no browser" in house.now("wall/lobby").get("reason", ""))
        context = browser.new_context(extra_http_headers=house.login)
        page = context.new_page()
        page.goto(f"{house.web}/wall/lobby")
        house.wait("one watches", lambda: house.now("wall/lobby").get("reason") == "browsers that show it: 1")
        label = page.get_by_role("img")
        expect(label).to_have_attribute("aria-label", re.compile(r"^Lobby\. Norsk: 0 waiting"), timeout=12_000)
        house.pbx.join("norsk")
        expect(label).to_have_attribute("aria-label", re.compile(r"Norsk: 1 waiting, longest wait 0:0"), timeout=12_000)
        assert page.locator("#screen").get_attribute("data-fresh") == "true"
        context.close()
        house.wait("it knows", lambda: "no browser" in house.now("wall/lobby").get("reason", ""))


@pytest.mark.parametrize(
    ("wall", "words"),
    [
        ({"panel": {"kind": "browser"}, "board": "row-a"}, "kind 'browser' is at no board: leave board out"),
        ({"panel": {"kind": "memory"}}, "kind 'memory' hangs on a board: board ="),
        ({"panel": {"kind": "browser", "bus": "spi0"}}, "bus is for a panel of kind max7219 or ws2812"),
    ],
)
def test_a_wall_is_at_a_board_or_in_browsers(wall: dict[str, Any], words: str) -> None:
    tables = {
        "site": {"id": "skien"},
        "queue": [{"id": "polski", "name": "Polski", "pbx": "pl-in"}],
        "board": [{"id": "row-a", "definition": "simulated"}],
        "wall": [{"id": "north", "pages": [{"queue": "polski"}], **wall}],
    }
    with pytest.raises(floorplan.SiteError, match=re.escape(words)):
        floorplan.check(tables, "test", Path("/"))
