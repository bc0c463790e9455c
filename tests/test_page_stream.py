"""How the page is heard and what it weighs: the stream gone on with and packed, files packed and not sent twice."""

from __future__ import annotations

import gzip
import http.client
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from starlette.datastructures import Headers

from gateway.web import packed
from gateway.web.shells import FILES

from .proxy import proxy
from .test_news import id_of, read
from .test_page import Served, desk, opened, plan, tile

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
FIRST_VIEW_MOST = 150_000  # bytes over the wire


@pytest.fixture
def served() -> Iterator[Served]:
    page = Served(plan())
    yield page
    page.stop()


class Ear:
    """One listener, over a connection of its own; unpacks what comes packed, as it comes."""

    def __init__(self, page_of: Served, path: str = "/api/events", headers: dict[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", page_of.port, timeout=10)
        self._connection.request("GET", path, headers=headers or {})
        self.answer = self._connection.getresponse()
        self._unpacking = zlib.decompressobj(31) if self.answer.headers["content-encoding"] == "gzip" else None
        self._heard = b""
        self.came = 0  # bytes

    def event(self) -> bytes:
        """The next event."""
        while b"\n\n" not in self._heard:
            part = self.answer.read1(65536)
            assert part, "the stream has ended"
            self.came += len(part)
            self._heard += self._unpacking.decompress(part) if self._unpacking else part
        event, _, self._heard = self._heard.partition(b"\n\n")
        return event + b"\n\n"

    def close(self) -> None:
        self._connection.close()


def first(page_of: Served, path: str = "/api/events", headers: dict[str, str] | None = None) -> bytes:
    """The first event of a new listener."""
    ear = Ear(page_of, path, headers)
    try:
        return ear.event()
    finally:
        ear.close()


# ---- the stream ----


def test_a_stream_is_gone_on_with_by_header_or_by_address_and_the_header_is_newer(served: Served) -> None:
    served.say({f"desk/a{n}": desk("free") for n in range(8)})
    served.say({"desk/a1": desk("ringing")})
    old = id_of(first(served))
    served.say({"desk/a2": desk("talking")})
    served.on_loop(lambda: served.news.forget("desk/a3"))
    for event in (first(served, f"/api/events?after={old}"), first(served, headers={"Last-Event-ID": old})):
        name, _, documents = read(event)
        assert name == "message" and documents["desk/a2"]["status"] == "talking" and documents["desk/a3"] is None
    new = id_of(first(served))
    served.say({"desk/a4": desk("held")})
    # A browser that comes back by itself asks for the address it had, and says in the header what it heard last.
    name, _, documents = read(first(served, f"/api/events?after={old}", {"Last-Event-ID": new}))
    assert name == "message" and documents["desk/a4"]["status"] == "held"
    assert len(first(served, f"/api/events?after={new}")) < len(first(served)) / 2
    for path, headers in (
        ("/api/events?after=nothing-of-ours", {}), ("/api/events", {"Last-Event-ID": "17"}),
        (f"/api/events?after={old}", {"Last-Event-ID": "another-1"}),
    ):  # fmt: skip
        assert read(first(served, path, headers))[0] == "whole"


def test_a_page_whose_line_breaks_hears_what_it_missed_and_no_more(browser: Browser, served: Served) -> None:
    served.say({f"desk/a{n}": desk("free") for n in range(8)})
    asked: list[str] = []
    with (
        proxy("127.0.0.1", served.port) as link,
        opened(browser, f"http://127.0.0.1:{link.port}", expected="ERR_") as page,
    ):
        page.on("request", lambda request: asked.append(request.url) if "/api/events" in request.url else None)
        expect(tile(page, "a3")).to_have_attribute("data-status", "free")
        served.say({"desk/a1": desk("ringing")})
        expect(tile(page, "a1")).to_have_attribute("data-status", "ringing")
        page.evaluate("import('/static/stream.js').then(({ said }) => { said.set('mark/1', {}); })")
        link.reset()
        served.say({"desk/a2": desk("talking")})
        served.on_loop(lambda: served.news.forget("desk/a3"))
        expect(tile(page, "a2")).to_have_attribute("data-status", "talking")
        expect(tile(page, "a3")).to_have_attribute("data-status", "unknown")
        expect(tile(page, "a1")).to_have_attribute("data-status", "ringing")
        expect(page.locator("#live")).to_have_text("live")
        assert asked and re.search(r"/api/events\?after=[0-9a-f]{8}-\d+$", asked[-1]), asked
        # Not the whole: it would have taken away what the gateway never said.
        assert page.evaluate("import('/static/stream.js').then(({ said }) => said.has('mark/1'))")


def test_a_packed_stream_says_the_same_as_it_goes_and_everybody_hears_the_same_bytes(served: Served) -> None:
    served.say({f"desk/a{n}": desk("free") for n in range(8)})
    plain, packs, late = Ear(served), Ear(served, headers=GZIP), None
    try:
        assert plain.answer.headers["content-encoding"] is None
        assert packs.answer.headers["content-encoding"] == "gzip" and packs.answer.headers["vary"] == "Accept-Encoding"
        assert read(packs.event())[2] == read(plain.event())[2]
        assert packs.came < plain.came / 2
        for status in ("ringing", "talking", "held"):
            served.say({f"desk/a{n}": desk(status) for n in range(8)})
            late = late or Ear(served, headers=GZIP)  # begins in the midst of it
            event = packs.event()  # at once, though the stream goes on
            assert event == plain.event() and read(event)[2]["desk/a7"]["status"] == status
        assert late is not None and read(late.event())[0] == "whole"
        served.say({"desk/a1": desk("away")})
        event = packs.event()
        assert event == plain.event()
        while (heard := late.event()) != event:  # what was on its way when it began
            assert read(heard)[2].keys() <= {f"desk/a{n}" for n in range(8)}
    finally:
        for ear in (plain, packs, late):
            if ear:
                ear.close()


# ---- files ----


def test_files_come_packed_with_a_tag_and_are_not_sent_twice(served: Served) -> None:
    for path, media_type in (("/", "text/html"), ("/static/page.js", "text/javascript"),
                             ("/static/look.css", "text/css"), ("/favicon.ico", "image/svg+xml")):  # fmt: skip
        status, headers, plain = served.get(path)
        assert status == 200 and headers["content-type"].startswith(media_type)
        assert "content-encoding" not in headers and headers["vary"] == "Accept-Encoding"
        status, told, body = served.get(path, GZIP)
        assert status == 200 and told["content-encoding"] == "gzip" and gzip.decompress(body) == plain
        assert len(body) < len(plain) and told["etag"] != headers["etag"]
        assert told["cache-control"] == "no-cache" and told["x-content-type-options"] == "nosniff"
        for asked, tag in (({}, headers["etag"]), (GZIP, told["etag"]), (GZIP, f'"x", W/{told["etag"]}')):
            assert served.get(path, {**asked, "If-None-Match": tag})[::2] == (304, b"")
        assert served.get(path, {**GZIP, "If-None-Match": headers["etag"]})[0] == 200
        assert served.get(path, {"If-None-Match": "*"})[::2] == (304, b"")
        for no in ("br, gzip;q=0", "gzip;q=0.0", "gzip ; Q=0.000, br", "x-gzip"):
            assert "content-encoding" not in served.get(path, {"Accept-Encoding": no})[1], no
        assert "content-encoding" in served.get(path, {"Accept-Encoding": "br;q=0, gzip;q=0.01"})[1]
    assert served.get("/static/none.js", GZIP)[0] == 404
    assert served.get("/static/..%2fshells.py", GZIP)[0] == 404
    status, told, body = served.get("/api/plan", GZIP)
    assert told["content-encoding"] == "gzip" and gzip.decompress(body) == served.get("/api/plan")[2]
    assert served.get("/api/plan", {**GZIP, "If-None-Match": told["etag"]})[0] == 304


def test_a_file_that_was_written_anew_is_sent_anew(tmp_path: Path) -> None:
    path = tmp_path / "page.js"
    path.write_text("const a = 1;")
    one = packed.answer(path, Headers(GZIP))
    assert packed.answer(path, Headers({**GZIP, "if-none-match": one.headers["etag"]})).status_code == 304
    path.write_text("const b = 22;")
    two = packed.answer(path, Headers({**GZIP, "if-none-match": one.headers["etag"]}))
    assert two.status_code == 200 and gzip.decompress(bytes(two.body)) == b"const b = 22;"


def test_a_first_view_of_a_large_house_is_light_and_in_one_language(browser: Browser) -> None:
    page_of = Served(plan(desks=465, columns=31, boards=117))
    try:
        page_of.say({f"desk/a{n}": desk("free") for n in range(465)})
        weighed: dict[str, float] = {}
        asked: list[str] = []

        def add(told: dict[str, Any]) -> None:
            more = told.get("response", told)["encodedDataLength"]
            weighed[told["requestId"]] = weighed.get(told["requestId"], 0) + more

        context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="nb-NO")
        page = context.new_page()
        tools = context.new_cdp_session(page)
        page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
        for event in ("Network.responseReceived", "Network.dataReceived"):
            tools.on(event, add)
        tools.send("Network.enable")
        page.goto(page_of.address)
        expect(page.locator(".desk[data-status=free]")).to_have_count(465)
        page.wait_for_load_state("load")
        total = sum(weighed.values())
        context.close()
    finally:
        page_of.stop()
    named = {"words_nb.js", "told_nb.js", "page.js", "look.css", "first.js"}
    assert named <= set(asked) and not [name for name in asked if re.search(r"_(en|sv)\.js$", name)]
    sizes = {path.name: path.stat().st_size for path in FILES.rglob("*")}
    assert sum(sizes[name] for name in named) / 3 < total < FIRST_VIEW_MOST
