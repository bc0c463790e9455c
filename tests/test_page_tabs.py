"""A page that nobody looks at: it tells of alarms all the same, and leaves the browser's connections to the others."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import until
from .test_page import Served, desk, opened, plan, tile

# As in a real background tab, which no browser without a screen has: no frames, and `hidden` says so.
HIDE = """() => {
    window.frames_in_sight = window.requestAnimationFrame;
    window.requestAnimationFrame = () => 1;
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOW = """() => {
    window.requestAnimationFrame = window.frames_in_sight;
    delete document.hidden;
    document.dispatchEvent(new Event("visibilitychange"));
}"""
AWAY = {
    "kind": "broker-away", "of": "broker", "about": "", "level": "bad", "for_s": 3, "what": "x", "todo": "y",
    "facts": {}, "acked": None, "number": 3,
}  # fmt: skip
STREAMS_MOST = 4  # of one browser's pages; it has six connections


@pytest.fixture
def served() -> Iterator[Served]:
    page = Served(plan())
    page.say({f"desk/a{n}": desk("free") for n in range(8)})
    yield page
    page.stop()


def test_a_page_out_of_sight_tells_of_an_alarm_in_its_title_and_icon(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        expect(tile(page, "a1")).to_have_attribute("data-status", "free")
        page.evaluate("() => { window.requestAnimationFrame = () => 1; }")  # asked for, and then it goes out of sight
        served.say({"desk/a1": desk("talking")})
        page.wait_for_function(
            "import('/static/stream.js').then(({ said }) => said.get('desk/a1').status === 'talking')"
        )
        page.evaluate(HIDE)
        expect(tile(page, "a1")).to_have_attribute("data-status", "talking")
        served.say({"alarm/broker-away": AWAY})
        expect(page).to_have_title(re.compile("^▲ 1 · "))
        expect(page.locator("link[rel=icon]")).to_have_attribute("href", "static/favicon-bad.svg")
        expect(page.locator("#alarms-new-bad")).not_to_be_empty()


def test_many_tabs_leave_the_browser_connections_and_go_on_when_they_are_looked_at(
    browser: Browser, served: Served
) -> None:
    context = browser.new_context()
    pages: list[Page] = []
    try:
        for _ in range(6):
            if pages:
                pages[-1].evaluate(HIDE)
            pages.append(context.new_page())
            pages[-1].goto(served.address)
            expect(tile(pages[-1], "a1")).to_have_attribute("data-status", "free")
        first, second, third, *_ = pages
        until(lambda: served.news.listeners == STREAMS_MOST, "four streams")
        expect(first).to_have_title("OLD · Skien")  # it says so meanwhile
        expect(second).to_have_title("OLD · Skien")
        expect(third).to_have_title("– waiting · Skien")
        served.say({"desk/a1": desk("ringing")})
        assert tile(first, "a1").get_attribute("data-status") == "free"
        first.evaluate(SHOW)
        expect(tile(first, "a1")).to_have_attribute("data-status", "ringing")
        expect(first.locator("body")).to_have_attribute("data-news", "live")
        expect(third).to_have_title("OLD · Skien")  # whom nobody has looked at for longest
        until(lambda: served.news.listeners == STREAMS_MOST, "four streams")
        pages[5].goto("about:blank")  # one less: the next has room again
        expect(third).to_have_title("– waiting · Skien")
        expect(second).to_have_title("OLD · Skien")
        until(lambda: served.news.listeners == STREAMS_MOST, "four streams")
    finally:
        context.close()


def test_what_stood_in_an_event_that_could_not_be_read_is_asked_for_anew(browser: Browser, served: Served) -> None:
    with opened(browser, served.address, expected="an event cannot be read") as page:
        expect(tile(page, "a1")).to_have_attribute("data-status", "free")
        page.evaluate("""() => {
            const { parse } = JSON;
            JSON.parse = (text) => {
                if (!text.includes("ringing")) return parse(text);
                JSON.parse = parse;
                throw new SyntaxError("cut off");
            };
        }""")
        served.say({"desk/a1": desk("ringing")})
        expect(tile(page, "a1")).to_have_attribute("data-status", "ringing")
        expect(page.locator("body")).to_have_attribute("data-news", "live")


def test_one_is_not_said_as_many_and_numbers_are_written_as_here(browser: Browser, served: Served) -> None:
    ask = """import('/static/words/words.js').then(({ fill, words }) => [0, 1, 2, 1200].map((n) => [
        fill(words.refused, { n }), fill(words.screen.free, { n }),
        fill(words.did_what["{name}: {role}, {n} days"], { name: "a", role: "b", n: String(n) }),
        fill(words.target, { share: "80 %", n })]))"""
    served.say({"floor": {"free": 8, "boards_lost": 0, "refused": 1}})
    with opened(browser, served.address, locale="nb-NO") as page:
        expect(page.locator("#boards-sum")).to_contain_text("1 melding avvist")
        none, one, two, many = page.evaluate(ask)
    assert one[:3] == ["1 melding avvist", "1 plass ledig", "a: b, 1 dag"]
    assert two[:3] == ["2 meldinger avvist", "2 plasser ledige", "a: b, 2 dager"]
    assert none[:2] == ["0 meldinger avvist", "0 plasser ledige"]
    assert re.search("1[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]200 s$", many[3])
