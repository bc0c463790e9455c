"""What does not fit, and sensors that tell nothing, on the supervisor's page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway import desk as desks
from gateway import floor
from gateway.phones import phones, states
from gateway.truth import KINDS, PBX_WORDS, PHONE_WORDS, RULES, URL_WORDS

from .test_page import QUEUE, Served, chromium, desk, opened, plan, tile

CHATTERS = desks.PHONE_WHY["chatter"]
BOTH = {"desk": "the handset is on its hook, the headset lies in its cradle", "pbx": "a call rings there"}


def finding(kind: str, for_s: int = 12, **more: Any) -> dict[str, Any]:
    todo = next((rule.todo for rule in RULES if rule.kind == kind), "Do something.")
    return {"kind": kind, "for_s": for_s, **BOTH, "todo": todo, **more}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def served() -> Iterator[Served]:
    page = Served(plan())
    page.say({f"desk/a{n}": {**desk("free"), "fault": "", "rings": None} for n in range(8)})
    page.say({"queue/polski": QUEUE, "queue/arabi": QUEUE})
    yield page
    page.stop()


def lines(page: Page) -> Any:
    return page.locator("#findings-list li")


def test_where_all_fits_there_is_no_list_and_no_room_for_one(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        expect(page.locator("#findings")).to_be_hidden()
        assert page.locator("#findings").bounding_box() is None
        expect(page.locator("[data-wrong=finding], [data-wrong=fault]")).to_have_count(0)


def test_what_does_not_fit_is_told_with_what_to_do_and_for_how_long(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        served.say({"finding/a3": finding("empty-desk-rings", 12)})
        expect(page.locator("#findings-sum")).to_have_text("What does not fit: 1")
        expect(lines(page)).to_have_text(re.compile(
            r"^A3A call rings, and the headset lies in its cradle\. Nobody is there for this call: answer it, or pause "
            r"the desk at the phone system\. for 1[2-9] s$"))  # fmt: skip
        expect(lines(page).locator(".for")).to_have_text(re.compile(r"for 1[4-9] s"))  # it ticks
        expect(tile(page, "a3")).to_have_attribute("data-wrong", "finding")
        expect(tile(page, "a3")).to_have_attribute("aria-label", re.compile("A call rings, and the headset lies"))

        lines(page).get_by_role("button").click()  # leads to the desk, with the words of both sides
        expect(tile(page, "a3")).to_be_focused()
        about = page.locator("#about")
        expect(about).to_contain_text("Nobody is there for this call")
        expect(about).to_contain_text(f"Desk: {BOTH['desk']} · Phone system: {BOTH['pbx']}")

        served.on_loop(lambda: served.news.forget("finding/a3"))
        expect(page.locator("#findings")).to_be_hidden()
        expect(tile(page, "a3")).to_have_attribute("data-wrong", "")
        expect(tile(page, "a3")).not_to_have_attribute("aria-label", re.compile("A call rings"))


def test_a_length_said_anew_goes_on_and_never_back(browser: Browser, served: Served) -> None:
    served.say({"finding/a1": finding("off-hook-no-call", 100)})
    with opened(browser, served.address) as page:
        expect(lines(page).locator(".for")).to_have_text("for 1 min")
        served.say({"finding/a1": finding("off-hook-no-call", 119)})
        served.say({"finding/a1": finding("off-hook-no-call", 3725)})
        expect(lines(page).locator(".for")).to_have_text("for 1 h 2 min")


def test_a_fault_of_a_sensor_stands_at_its_desk(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        served.say({"desk/a2": {**desk("free"), "fault": CHATTERS, "rings": None}})
        expect(tile(page, "a2")).to_have_attribute("data-wrong", "fault")
        expect(tile(page, "a2")).to_have_attribute("data-status", "free")
        tile(page, "a2").hover()
        expect(page.locator("#about .wrong")).to_have_text("The hook contact chatters: look at its wiring")
        # Where it is the reason itself it is not said twice.
        served.say({"desk/a2": {**desk("unknown"), "reason": CHATTERS, "fault": CHATTERS, "rings": None}})
        expect(page.locator("#about")).to_contain_text("The hook contact chatters")
        expect(page.locator("#about .wrong")).to_have_count(0)
        served.say({"desk/a2": {**desk("ringing"), "fault": "", "rings": True}})
        expect(page.locator("#about")).to_contain_text("headset ringing")
        expect(tile(page, "a2")).to_have_attribute("data-wrong", "")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080), (390, 844)])
def test_twenty_findings_on_465_desks_are_a_short_list_and_a_number(
    browser: Browser, width: int, height: int
) -> None:
    crowded = Served(plan(desks=465, columns=31))
    try:
        crowded.say({f"desk/a{n}": {**desk("free"), "fault": "", "rings": None} for n in range(465)})
        crowded.say({f"finding/a{n * 20}": finding(KINDS[n % 6], 600 - n) for n in range(20)})
        with opened(browser, crowded.address, width, height) as page:
            expect(page.locator("#findings-sum")).to_have_text("What does not fit: 20")
            expect(lines(page)).to_have_count(4)
            # A caller waits there: first, the longest before the others; what to do is said once for all of them.
            expect(lines(page).get_by_role("button")).to_have_text(["A0", "A120", "A240", "A360"])
            expect(lines(page).locator(".todo")).to_have_count(1)
            expect(page.locator(".desk[data-wrong=finding]")).to_have_count(20)
            box = page.locator("#findings").bounding_box()
            assert box and box["height"] < 0.42 * height and box["x"] + box["width"] <= width
            assert page.evaluate("document.documentElement.scrollWidth") == width
            more = page.locator("#findings-more")
            expect(more).to_have_text("16 more")
            expect(more).to_have_attribute("aria-expanded", "false")
            more.click()
            expect(lines(page)).to_have_count(20)
            expect(lines(page).locator(".todo")).to_have_count(6)
            expect(more).to_have_attribute("aria-expanded", "true")
            box = page.locator("#findings").bounding_box()
            assert box and box["height"] < 0.5 * height  # it scrolls in its own place
            more.click()
            expect(lines(page)).to_have_count(4)
    finally:
        crowded.stop()


def test_who_stands_in_the_list_with_the_keyboard_stays_there(browser: Browser, served: Served) -> None:
    served.say({"finding/a1": finding("off-hook-no-call"), "finding/a2": finding("off-hook-no-call", 5)})
    with opened(browser, served.address) as page:
        there = page.locator("[data-goto=a2]")
        there.focus()
        served.say({"finding/a5": finding("empty-desk-rings", 9)})
        expect(lines(page)).to_have_count(3)
        expect(there).to_be_focused()
        page.keyboard.press("Enter")
        expect(tile(page, "a2")).to_be_focused()


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("nb-NO", ("Det som ikke stemmer: 1", "Det ringer, og hodesettet står i holderen.", "i 1")),
        ("sv-SE", ("Det som inte stämmer: 1", "Det ringer, och headsetet står i hållaren.", "i 1")),
    ],
)
def test_the_list_speaks_the_readers_language(
    browser: Browser, served: Served, locale: str, words: tuple[str, ...]
) -> None:
    free = {**desk("free"), "reason": "nothing says otherwise", "fault": "", "rings": None}
    silent = "board row-a has been silent for 20 s or more"
    lost = {**desk("lost"), "reason": silent, "fault": CHATTERS, "rings": None}
    served.say({"finding/a3": finding("empty-desk-rings"), "desk/a3": free, "desk/a2": lost})
    with opened(browser, served.address, locale=locale) as page:
        for text in words:
            expect(page.locator("#findings")).to_contain_text(text)
        tile(page, "a3").hover()
        expect(page.locator("#about")).not_to_contain_text(re.compile("handset|cradle|call"))
        tile(page, "a2").hover()
        expect(page.locator("#about")).to_contain_text("row-a")
        expect(page.locator("#about")).to_contain_text("20 s")
        expect(page.locator("#about")).not_to_contain_text(re.compile("board|silent|contact"))


def test_a_kind_that_the_page_does_not_know_is_told_in_the_gateways_words(browser: Browser, served: Served) -> None:
    served.say({"finding/a3": finding("something-new")})
    with opened(browser, served.address) as page:
        expect(lines(page)).to_contain_text(f"A3{BOTH['desk']} · {BOTH['pbx']} Do something.")


def sentences() -> set[str]:
    """Every sentence about a desk that the gateway has in a table."""
    rows = {reason for _, _, reason in desks.RULES} - {"{dark}", "{lost}", "{fault}", "{untied}"}
    ip = (states.NOT_HEARD, states.SILENT, states.POLLS_NO_MORE, phones.FLOODS, phones.RUBBISH)
    whys = {*desks.PHONE_WHY.values(), *desks.HEADSET_WHY.values()}
    both = {*PHONE_WORDS.values(), *URL_WORDS.values(), *PBX_WORDS.values()}
    return {*rows, *whys, *ip, *both, floor.NOBODY, floor.CROWDED, floor.PBX_AWAY}


def test_every_sentence_about_a_desk_is_there_in_every_language(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        told = page.evaluate("import('/static/told.js').then(module => module.TOLD)")
        words = page.evaluate("import('/static/words.js').then(module => module.WORDS)")
    for language in ("nb", "sv"):
        assert not sentences() - told[language].keys(), language
        for text, other in told[language].items():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", other)), text
    assert told["nb"].keys() == told["sv"].keys()
    assert {kind: row["todo"] for kind, row in words["en"]["finding"].items()} == {r.kind: r.todo for r in RULES}
