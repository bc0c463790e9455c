"""What open pages cost at the house's busiest pace, and what a first view of the page weighs and takes.

A real mosquitto, the gateway as a process of its own, 465 desks on 117 boards that change 600 times a second, and
seven queues. The pages that listen are connections that take the stream packed, as a browser does; some of them
unpack it and look for one desk. The first view is a real Chromium's, with a processor six times as slow.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import statistics
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import uvloop
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, CDPSession, sync_playwright

from benchmarks.__main__ import Figure, at_most
from firmware import contract
from tests import someone
from tests.house import House
from tests.test_page import CHROMIUM, CHROMIUM_ARGS

DESKS, INPUTS, QUEUES = 465, 4, 7
BUSY_PER_S = 600
STEP_S = 0.02  # so often some of them are sent
PAGES = 200
A_TOKEN = 40  # pages at most with one login: the gate lets nobody have many more at once
A_PLACE = 20  # and from one address
LOOKS = 10  # so many of the pages unpack what they hear, and look for the probe
WARM_S, COUNT_S = 2.0, 8.0
PROBE = DESKS - 1  # this desk changes by itself, and is looked for
PROBE_S = 0.15  # so often: events are 50 ms apart, so none of its changes is skipped
SLOW = 6  # times slower than this computer
VIEWS = 5
EMPTY = "/empty"
BOOT = "bench"


def pages(folder: Path) -> Iterator[Figure]:
    """CPU, delay and bytes with PAGES open pages beside one; bytes and times of a first view beside an empty page's."""
    seed = random.randrange(2**32)
    with Busy(folder) as house:
        house.start_gateway()
        house.wait("the gateway listens", lambda: house.now("broker").get("state") == "ready", 20)
        floor = Floor(house, random.Random(seed))
        house.wait("every desk is known", lambda: house.now("floor").get("free") == DESKS, 40)
        yield from _first_view(house)
        floor.begin()
        tokens = [someone.token(house.plan) for _ in range(PAGES // A_TOKEN)]
        one, many = _cost(house, floor, tokens, 1), _cost(house, floor, tokens, PAGES)
        floor.end()
    beside = f"one page {{}}; {many['per_s']:.0f} changes/s heard, seed {seed}"
    name = f"{PAGES} pages at {BUSY_PER_S} messages/s"
    yield at_most(f"{name}, gateway", many["cpu"], "% of a core", 80, beside.format(f"{one['cpu']:.1f} %"))
    yield at_most(f"{name}, p50", many["p50"], "ms", 150, beside.format(f"{one['p50']:.0f} ms"))
    yield at_most(f"{name}, p99", many["p99"], "ms", 500, beside.format(f"{one['p99']:.0f} ms"))
    plain = f"{one['plain']:.0f} unpacked"
    yield at_most(f"{name}, to each page", many["bytes"], "KB/s", 30, f"{plain}; {beside.format(round(one['bytes']))}")


class Busy(House):
    """A house of 465 desks, its gateway a process as in service. Its boards are ours to speak for."""

    forked = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _large)


def _large(tables: dict[str, Any]) -> None:
    """Makes the example floor a large one: no wall, many desks."""
    tables["wall"] = []
    names = itertools.cycle(("Norsk", "العربية", "Polski", "Русский", "Română", "Lietuvių", "English"))
    tables["queue"] = [{"id": f"q{n}", "name": next(names), "pbx": f"q{n}"} for n in range(QUEUES)]
    tables["desk"] = [
        {"id": f"d{n}", "name": f"D{n}", "extension": f"Local/{1000 + n}@agents", "at": [n % 31, n // 31]}
        for n in range(DESKS)
    ]
    tables["board"] = [
        {"id": f"b{number}", "inputs": [
            {"desk": f"d{n}", "phone": {"by": "contact", "pin": f"GP{2 + n - first}"}}
            for n in range(first, min(first + INPUTS, DESKS))
        ]}
        for number, first in enumerate(range(0, DESKS, INPUTS))
    ]  # fmt: skip


class Floor:
    """What all boards of that house say."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self.probed: list[float] = []  # when the probe was said to talk
        self._site = house.plan.site.id
        self._dice = dice
        self._seq = [0] * DESKS
        self._talks = [False] * DESKS
        self._busy, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.connect(house.broker.host, house.broker.port)
        self._client.loop_start()
        self._boards = [board.id for board in house.plan.board]
        for board in self._boards:
            self._board(board)
        for desk in range(DESKS):
            self._say(desk, False)
        self._thread.start()

    def _board(self, name: str) -> None:
        self._send("board/+/state", (name,), state="ready", boot=BOOT)
        self._send("board/+/hello", (name,), boot=BOOT, definition="bench", firmware="bench", python="bench",
                   inputs="phone", panels="", health_s=contract.HEALTH_S, restart="")  # fmt: skip

    def _health(self, name: str) -> None:
        self._send("board/+/health", (name,), boot=BOOT, heap_free=90_000, wifi_dbm=-60, uptime_s=9, reconnects=0,
                   lag_ms=3, poll_us=900, read_us=90, dropped=0)  # fmt: skip

    def _say(self, desk: int, talks: bool) -> None:
        self._seq[desk] += 1
        self._talks[desk] = talks
        where = f"b{desk // INPUTS}", str(desk % INPUTS)
        state = "talking" if talks else "idle"
        self._send("board/+/input/+/phone", where, state=state, why=None, seq=self._seq[desk], boot=BOOT, age_ms=0)

    def _send(self, pattern: str, ids: tuple[str, ...], **fields: Any) -> None:
        row = contract.BY_TOPIC[pattern]
        payload = contract.encode(pattern, fields)
        self._client.publish(contract.topic(self._site, pattern, *ids), payload, row.qos, row.retained)

    def begin(self) -> None:
        """From now on it is busy."""
        self._busy.set()

    def end(self) -> None:
        """All is still."""
        self._over.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _live(self) -> None:
        began_s, sent, probe_s, health_s = 0.0, 0, 0.0, 0.0
        while not self._over.wait(STEP_S):
            now_s = time.perf_counter()
            if now_s - health_s >= contract.HEALTH_S:
                health_s = now_s
                for board in self._boards:
                    self._health(board)
            if not self._busy.is_set():
                began_s = now_s
                continue
            while sent < (now_s - began_s) * BUSY_PER_S:
                desk = self._dice.randrange(PROBE)
                self._say(desk, not self._talks[desk])
                sent += 1
            if now_s - probe_s >= PROBE_S:
                probe_s = now_s
                if not self._talks[PROBE]:
                    self.probed.append(time.perf_counter())
                self._say(PROBE, not self._talks[PROBE])


def _cost(house: House, floor: Floor, tokens: list[str], count: int) -> dict[str, float]:
    """What so many open pages cost: CPU in percent of a core, delay in ms, KB a second to each of them."""
    listeners = Listeners(house, tokens, count)
    thread = threading.Thread(target=uvloop.run, args=(listeners.run(),))
    thread.start()
    house.wait("every page is open", lambda: listeners.open == count, 30)
    time.sleep(WARM_S)
    process = house.processes["gateway"].pid
    heard, plain, cpu_s, began_s = listeners.bytes, listeners.plain, _cpu_s(process), time.perf_counter()
    time.sleep(COUNT_S)
    ended_s = time.perf_counter()
    took_s, cpu_s = ended_s - began_s, _cpu_s(process) - cpu_s
    heard, plain = listeners.bytes - heard, listeners.plain - plain
    listeners.over.set()
    thread.join(30)
    delays_ms = _delays_ms(floor.probed, listeners.seen, began_s, ended_s)
    looking = min(count, LOOKS)
    return {
        "cpu": cpu_s / took_s * 100, "p50": statistics.median(delays_ms),
        "p99": delays_ms[int(len(delays_ms) * 0.99) - 1], "bytes": heard / took_s / count / 1000,
        "plain": plain / took_s / looking / 1000, "per_s": listeners.documents / listeners.open_s / looking,
    }  # fmt: skip


def _delays_ms(said: list[float], seen: list[list[float]], began_s: float, ended_s: float) -> list[float]:
    """From each word of the probe until each page that looks for it has it, the shortest first."""
    found: list[float] = []
    for at_s in said:
        if began_s <= at_s < ended_s - 1:
            found += [min(one for one in page if one >= at_s) - at_s for page in seen if page[-1] >= at_s]
    if len(found) < len(seen) * COUNT_S:
        raise AssertionError(f"the probe was seen {len(found)} times by {len(seen)} pages")
    return sorted(seconds * 1000 for seconds in found)


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Listeners:
    """So many open pages, as the network sees them."""

    def __init__(self, house: House, tokens: list[str], count: int) -> None:
        self.open, self.open_s = 0, 0.0
        self.bytes = self.plain = self.documents = 0  # heard by all; unpacked by those that look
        self.seen: list[list[float]] = []  # of each page that looks: when the probe talks
        self.over = asyncio.Event()
        self._host, port = house.web.removeprefix("http://").split(":")
        self._port, self._tokens, self._count = int(port), tokens, count

    async def run(self) -> None:
        """Listens until `over`."""
        self.over = _Told(asyncio.get_running_loop())
        began_s = time.perf_counter()
        step = max(1, self._count // LOOKS)
        listening = [asyncio.create_task(self._listen(n, n % step == 0)) for n in range(self._count)]
        await self.over.wait()
        self.open_s = time.perf_counter() - began_s
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)

    async def _listen(self, number: int, looks: bool) -> None:
        place = f"127.0.0.{2 + number // A_PLACE}"
        reader, writer = await asyncio.open_connection(self._host, self._port, local_addr=(place, 0))
        token = self._tokens[number // A_TOKEN]
        writer.write(f"GET /api/events HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAccept-Encoding: gzip\r\n"
                     f"Authorization: Bearer {token}\r\n\r\n".encode())  # fmt: skip
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head or b"content-encoding: gzip" not in head.lower():
            raise AssertionError(head.decode())
        self.open += 1
        if looks:
            await self._look(reader)
        while part := await reader.read(1 << 16):
            self.bytes += len(part)

    async def _look(self, reader: asyncio.StreamReader) -> None:
        unpacking, seen = zlib.decompressobj(31), list[float]()
        self.seen.append(seen)
        talks = b'"desk/d%d":{"status":"talking"' % PROBE
        while size := int(await reader.readline(), 16):
            part = await reader.readexactly(size + 2)
            self.bytes += size + 7
            event = unpacking.decompress(part[:-2])
            self.plain += len(event)
            self.documents += event.count(b'"said_ms"')
            if talks in event:
                seen.append(time.perf_counter())


class _Told(asyncio.Event):
    """An event that another thread may set."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._of = loop

    def set(self) -> None:
        self._of.call_soon_threadsafe(super().set)


# ---- the first view ----


def _first_view(house: House) -> Iterator[Figure]:
    """Bytes over the wire until all stands there, and times on a slow processor, the median of VIEWS."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        empty = [_view(browser, house, house.web + EMPTY, "p") for _ in range(VIEWS)]
        desks = f".desk[data-status=free] >> nth={DESKS - 1}"
        full = [_view(browser, house, house.web + "/", desks) for _ in range(VIEWS)]
        browser.close()
    for name, what, unit, limit in (
        ("bytes", "page, first view", "KB", 150),
        ("paint", f"page, first paint {SLOW}x slower", "ms", 1500),
        ("drawn", f"page, {DESKS} desks drawn", "ms", 6000),
    ):
        mine, least = (statistics.median(view[name] for view in views) for views in (full, empty))
        yield at_most(what, mine, unit, limit, f"an empty page {least:.1f}; of {VIEWS} views, in English")


def _view(browser: Browser, house: House, address: str, whole: str) -> dict[str, float]:
    """One first view of a browser that has never been here."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, extra_http_headers=house.login, locale="en")
    page = context.new_page()
    if address.endswith(EMPTY):  # only here: what goes through a route of ours is no stream any more
        page.route("**" + EMPTY, lambda route: route.fulfill(body="<!doctype html><p>.", content_type="text/html"))
    tools = context.new_cdp_session(page)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
    weighed = _weigh(tools)
    page.goto(address)
    page.locator(whole).wait_for()
    drawn_ms = page.evaluate("performance.now()")
    paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
    paint_ms = page.wait_for_function(paint).json_value()
    context.close()
    return {"bytes": sum(weighed.values()) / 1000, "paint": paint_ms, "drawn": drawn_ms}


def _weigh(tools: CDPSession) -> dict[str, float]:
    """Bytes by request, with their heads, as they came so far: a stream too, that never ends."""
    weighed: dict[str, float] = {}

    def add(told: dict[str, Any]) -> None:
        weighed[told["requestId"]] = weighed.get(told["requestId"], 0) + told["encodedDataLength"]

    def whole(told: dict[str, Any]) -> None:
        weighed[told["requestId"]] = told["encodedDataLength"]

    tools.on("Network.responseReceived", lambda told: add({**told, **told["response"]}))
    tools.on("Network.dataReceived", add)
    tools.on("Network.loadingFinished", whole)
    tools.send("Network.enable")
    return weighed
