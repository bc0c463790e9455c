"""What a reader chooses for a browser, language and light or dark, and how numbers and times are written there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.web.shells import FILES

from .languages import LANGUAGES
from .test_page import Served, opened, plan

GROUND = {"dark": "rgb(10, 15, 20)", "light": "rgb(238, 242, 245)"}  # --ground of look.css


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    page = Served(plan())
    yield page
    page.stop()


def choose(page: Page, field: str, option: str) -> None:
    page.locator("#me-open").click()
    page.locator("#me-menu").get_by_label(field).select_option(option)


def test_who_chooses_a_language_has_it_at_once_and_on_every_page(browser: Browser, served: Served) -> None:
    with opened(browser, served.address, locale="en-GB") as page:
        choose(page, "Language", "Svenska")
        expect(page.locator("#queues-title")).to_have_text("Köer")
        expect(page.locator("html")).to_have_attribute("lang", "sv")
        expect(page.locator("body[data-news=live] .desk").first).to_be_visible()
        page.goto(served.address + "/login")
        expect(page.get_by_role("heading")).to_have_text("Logga in")
        page.get_by_label("Språk").select_option("Norsk")
        expect(page.get_by_role("heading")).to_have_text("Logg inn")
        page.goto(served.address)
        expect(page.locator("#queues-title")).to_have_text("Køer")
        page.evaluate("localStorage.setItem('callfloor-language', '../people')")
        page.reload()
        expect(page.locator("#queues-title")).to_have_text("Queues")  # no such language: as the browser asks


def test_light_and_dark_are_as_the_computer_or_as_chosen_in_every_window(browser: Browser, served: Served) -> None:
    body = "body"
    with opened(browser, served.address, color_scheme="light") as page:
        expect(page.locator(body)).to_have_css("background-color", GROUND["light"])
        page.emulate_media(color_scheme="dark")
        expect(page.locator(body)).to_have_css("background-color", GROUND["dark"])
        other = page.context.new_page()
        other.goto(served.address + "/login")
        expect(other.get_by_label("Colours")).to_have_value("")
        choose(page, "Colours", "light")
        expect(page.locator(body)).to_have_css("background-color", GROUND["light"])
        expect(other.locator(body)).to_have_css("background-color", GROUND["light"])  # without being loaded again
        other.reload()
        expect(other.get_by_label("Colours")).to_have_value("light")
        other.close()
        page.locator("#me-menu").get_by_label("Colours").select_option("as the computer")
        expect(page.locator(body)).to_have_css("background-color", GROUND["dark"])
        assert page.evaluate("localStorage.length") == 0


def test_what_was_chosen_is_there_before_any_module_has_come(browser: Browser, served: Served) -> None:
    """The first paint waits for first.js and no module: where none ever comes, all is in its colours all the same."""
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(served.address + "/favicon.ico")
    page.evaluate("localStorage.setItem('callfloor-theme', 'dark'), localStorage.setItem('callfloor-language', 'nb')")
    page.route(re.compile(r"/(page|words)\.js$"), lambda route: route.abort())
    page.goto(served.address)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == GROUND["dark"]
    assert page.evaluate("document.documentElement.lang") == "nb"
    assert page.evaluate("document.querySelector('#queues-title').textContent") == ""
    context.close()


def test_every_page_of_ours_has_first_js_before_its_modules() -> None:
    shells = sorted(FILES.glob("*.html"))
    assert len(shells) >= 5
    for path in shells:
        scripts = re.findall(r"<script([^>]*)>", path.read_text(encoding="utf-8"))
        assert re.search(r'src="(\.\./)?static/first\.js"$', scripts[0]) and "module" not in scripts[0], path.name


def test_a_browser_that_keeps_nothing_and_asks_oddly_has_the_page_too(browser: Browser, served: Served) -> None:
    odd = """
        Object.defineProperty(window, "localStorage", { get() { throw new Error("refused"); } });
        Object.defineProperty(navigator, "languages", { get: () => ["en-US@posix", "C", "sv"] });
    """
    context = browser.new_context(color_scheme="light")
    context.add_init_script(odd)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(served.address)
    expect(page.locator("body[data-news=live] .desk").first).to_be_visible()
    expect(page.locator("#queues-title")).to_have_text("Queues")
    choose(page, "Colours", "dark")
    expect(page.locator("body")).to_have_css("background-color", GROUND["dark"])
    context.close()
    assert not wrong


def test_the_menu_is_for_the_keyboard_too(browser: Browser, served: Served) -> None:
    with opened(browser, served.address, locale="nb-NO") as page:
        menu, opener = page.locator("#me-menu"), page.locator("#me-open")
        opener.focus()
        page.keyboard.press("Enter")
        expect(menu.locator("a, select").first).to_be_focused()
        links = menu.locator("li:has(a)").count()
        for field in ("Språk", "Farger"):
            for _ in range(links if field == "Språk" else 1):
                page.keyboard.press("Tab")
            expect(menu.get_by_label(field)).to_be_focused()
        expect(menu.get_by_label("Farger")).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(menu.get_by_label("Farger")).to_have_value("light")
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(opener).to_be_focused()


def test_the_choices_fit_a_phone(browser: Browser, served: Served) -> None:
    for path, language in zip(("/login", "/join", "/login"), LANGUAGES, strict=True):
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale=language)
        page = context.new_page()
        page.goto(served.address + path)
        boxes = [select.bounding_box() for select in page.locator("#choices select:visible").all()]
        expect(page.locator("#choices select")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, language
        assert all(box and box["height"] >= 24 and box["x"] + box["width"] <= 390 for box in boxes)
        context.close()


# As written there: a space that does not break stands before the percent sign and between the thousands.
WRITTEN = {
    "nb-NO": ["12\u00a0345", "83\u00a0%", "22. nov. 2026, 17:41"],
    "sv-SE": ["12\u00a0345", "83\u00a0%", "22 nov. 2026 17:41"],
    "en-GB": ["12,345", "83%", "22 Nov 2026, 17:41"],
    "en-US": ["12,345", "83%", "Nov 22, 2026, 5:41 PM"],
}


def test_numbers_and_times_are_written_as_where_the_reader_is(browser: Browser, served: Served) -> None:
    ask = """import('/static/words/words.js').then(({ number, percent, moment, clock }) =>
        [number(12345), percent(0.83), moment(Date.UTC(2026, 10, 22, 16, 41) / 1000), clock(3725), number(null)])"""
    for locale, written in WRITTEN.items():
        context = browser.new_context(locale=locale, timezone_id="Europe/Oslo")
        page = context.new_page()
        page.goto(served.address + "/login")
        told = [text and text.replace("\u202f", " ") for text in page.evaluate(ask)]  # older browsers have it so
        assert told == [*written, "1:02:05", None], locale
        context.close()
