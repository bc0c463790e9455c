"""Walls in alarm and walls that are off, on the supervisor's page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.shown import WRONG, words

from .test_page import QUEUE, Served, chromium, desk, opened, plan


def wall(kind: str | None = None, why: str = "", for_s: int = 12, **more: Any) -> dict[str, Any]:
    """What is said of a wall: all is well, or this is an alarm."""
    reason, todo = words(kind, why) if kind else ("", "")
    return {
        "scene": "s1", "message": None, "percent": 100, "off_until": "", "shown": "s1", "shown_message": None,
        "shown_percent": 100, "values_seq": 4, "fresh": kind is None, "wrong": kind,
        "for_s": for_s if kind else None, "alarm": kind is not None, "reason": reason, "todo": todo, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def served() -> Iterator[Served]:
    page = Served(plan(walls=7))
    page.say({f"desk/a{n}": {**desk("free"), "fault": "", "rings": None} for n in range(8)})
    page.say({"queue/polski": QUEUE, "queue/arabi": QUEUE})
    page.say({f"wall/wall-{n}": wall() for n in range(7)})
    yield page
    page.stop()


def lines(page: Page) -> Any:
    return page.locator("#wall-alarms-list li")


def card(page: Page, number: int) -> Any:
    return page.locator(f"[data-wall=wall-{number}]")


def test_a_wall_in_alarm_is_told_with_what_to_do_and_its_picture_is_marked(
    browser: Browser, served: Served
) -> None:
    with opened(browser, served.address) as page:
        expect(card(page, 1)).to_contain_text("fresh")
        expect(page.locator("#wall-alarms")).to_be_hidden()
        served.say({"wall/wall-1": wall("trouble", "PAGE 2 OP 3: NO STRIP 7", 12, fresh=True)})
        expect(page.locator("#wall-alarms-sum")).to_have_text("Walls that do not show what they should: 1")
        expect(lines(page)).to_have_text(re.compile(
            r"^Wall 1It cannot show what it should: PAGE 2 OP 3: NO STRIP 7\. Does it not know this kind of scene, "
            r"update its board; else look at its entry in the site file\. for 1[2-9] s$"))  # fmt: skip
        expect(lines(page).locator(".for")).to_have_text(re.compile(r"for 1[4-9] s"))  # it ticks
        expect(card(page, 1)).to_have_attribute("data-alarm", "true")
        expect(card(page, 1).locator(".over")).to_have_text("not as on the wall")
        expect(card(page, 1).locator(".shape")).to_have_attribute("data-shape", "triangle")
        expect(card(page, 0)).to_have_attribute("data-alarm", "false")
        expect(card(page, 0).locator(".over")).to_be_hidden()

        served.say({"wall/wall-1": wall()})
        expect(page.locator("#wall-alarms")).to_be_hidden()
        expect(card(page, 1)).to_have_attribute("data-alarm", "false")


def test_what_differs_for_less_than_an_alarm_makes_no_list(browser: Browser, served: Served) -> None:
    served.say({"wall/wall-0": wall("scene", alarm=False, todo="", for_s=4)})
    with opened(browser, served.address) as page:
        expect(card(page, 0)).to_contain_text("the wall shows another scene than it should")
        expect(card(page, 0).locator(".over")).to_have_text("not as on the wall")
        expect(page.locator("#wall-alarms")).to_be_hidden()


def test_a_boards_own_words_turn_no_others_round(browser: Browser, served: Served) -> None:
    served.say({"wall/wall-1": wall("trouble", "\u202eevil\u2066", 12)})
    with opened(browser, served.address) as page:
        for words in (lines(page).locator(".what"), card(page, 1).locator(".reason")):
            expect(words).to_contain_text("evil")
            assert words.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"


def test_a_house_full_of_alarms_is_a_few_lines_and_a_number(browser: Browser, served: Served) -> None:
    served.say({f"wall/wall-{n}": wall("old" if n % 2 else "values", for_s=60 + n) for n in range(7)})
    with opened(browser, served.address) as page:
        expect(lines(page)).to_have_count(4)
        more = page.locator("#wall-alarms-more")
        expect(more).to_have_text("3 more")
        more.click()
        expect(lines(page)).to_have_count(7)
        expect(page.locator("#wall-alarms .todo")).to_have_count(2)  # once for all that are mended alike
        expect(more).to_have_text("fewer")
        lines(page).last.get_by_role("button").click()  # leads to the wall
        expect(card(page, 0)).to_be_in_viewport()


def test_a_wall_that_is_off_as_planned_says_until_when(browser: Browser, served: Served) -> None:
    far = wall(percent=0, shown_percent=0, off_until="2031-02-03T07:00:00+01:00", fresh=False)
    served.say({"wall/wall-0": far, "wall/wall-1": {**far, "off_until": ""}})
    served.say({"wall/wall-2": {**far, "shown_percent": 20, "fresh": False}})
    with opened(browser, served.address) as page:
        expect(card(page, 0).locator(".over")).to_have_text("off until Mon 07:00")
        expect(card(page, 0)).to_contain_text("off")
        expect(card(page, 0).locator(".shape")).to_have_attribute("data-shape", "dash")
        expect(card(page, 1).locator(".over")).to_have_text("off")
        expect(card(page, 2)).to_contain_text("old")  # it shines: it says how old it is
        expect(page.locator("#wall-alarms")).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "texts", "off"),
    [
        (
            "nb-NO",
            ("Tavler som ikke viser det de skal: 1", "Tavlen viser et annet bilde"),
            "av til man. 07:00",
        ),
        ("sv-SE", ("Tavlor som inte visar det de ska: 1", "Tavlan visar en annan bild"), "av till mån 07:00"),
    ],
)
def test_it_speaks_the_readers_language(
    browser: Browser, served: Served, locale: str, texts: tuple[str, ...], off: str
) -> None:
    served.say({"wall/wall-0": wall(percent=0, shown_percent=0, off_until="2031-02-03T07:00:00+01:00")})
    served.say({"wall/wall-1": wall("scene")})
    with opened(browser, served.address, locale=locale) as page:
        for text in texts:
            expect(page.locator("#wall-alarms")).to_contain_text(text)
        expect(page.locator("#wall-alarms")).not_to_contain_text(re.compile("gateway again|the wall|for 1"))
        expect(card(page, 0).locator(".over")).to_have_text(off)
        told = page.evaluate("import('/static/told.js').then(module => module.TOLD)")
    sentences = {sentence for row in WRONG.values() for sentence in row} - {"{why}"}
    for language in ("nb", "sv"):
        assert not sentences - told[language].keys(), language


def test_a_wall_takes_its_alarm_with_it_when_the_site_file_loses_it(browser: Browser, served: Served) -> None:
    served.say({"wall/wall-0": wall("lost", "board pico-0 has been silent for 20 s or more")})
    with opened(browser, served.address) as page:
        expect(lines(page)).to_contain_text("Board pico-0 has been silent for 20 s or more.")
        served.on_loop(lambda: served.news.forget("wall/wall-0"))
        expect(page.locator("#wall-alarms")).to_be_hidden()
        expect(card(page, 0)).to_contain_text("unknown")
