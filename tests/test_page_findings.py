"""Desks where something does not fit, and sensors that tell nothing, on the supervisor's page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from gateway import desk as desks
from gateway import floor
from gateway.phones import phones, states
from gateway.truth import PBX_WORDS, PHONE_WORDS, RULES, URL_WORDS

from .languages import words_of
from .test_page import QUEUE, Served, desk, opened, plan, tile

CHATTERS = desks.PHONE_WHY["chatter"]
BOTH = {"desk": "the handset is on its hook, the headset lies in its cradle", "pbx": "a call rings there"}


def finding(kind: str, for_s: int = 12, **more: Any) -> dict[str, Any]:
    todo = next((rule.todo for rule in RULES if rule.kind == kind), "Do something.")
    return {"kind": kind, "for_s": for_s, **BOTH, "todo": todo, **more}


@pytest.fixture
def served() -> Iterator[Served]:
    page = Served(plan())
    page.say({f"desk/a{n}": {**desk("free"), "fault": "", "rings": None} for n in range(8)})
    page.say({"queue/polski": QUEUE, "queue/arabi": QUEUE})
    yield page
    page.stop()


def test_what_does_not_fit_is_marked_at_its_desk_in_words_of_both_sides(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        expect(page.locator("[data-wrong=finding], [data-wrong=fault]")).to_have_count(0)
        served.say({"finding/a3": finding("empty-desk-rings", 12)})
        expect(tile(page, "a3")).to_have_attribute("data-wrong", "finding")
        expect(tile(page, "a3")).to_have_attribute("aria-label", re.compile("A call rings, and the headset lies"))
        tile(page, "a3").hover()
        about = page.locator("#about")
        expect(about).to_contain_text("Nobody is there for this call")
        expect(about).to_contain_text(f"Desk: {BOTH['desk']} · Phone system: {BOTH['pbx']}")
        served.on_loop(lambda: served.news.forget("finding/a3"))
        expect(tile(page, "a3")).to_have_attribute("data-wrong", "")
        expect(tile(page, "a3")).not_to_have_attribute("aria-label", re.compile("A call rings"))


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


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("nb-NO", "Det ringer, og hodesettet står i holderen."),
        ("sv-SE", "Det ringer, och headsetet står i hållaren."),
    ],
)
def test_a_desk_speaks_the_readers_language(browser: Browser, served: Served, locale: str, words: str) -> None:
    free = {**desk("free"), "reason": "nothing says otherwise", "fault": "", "rings": None}
    silent = "board row-a has been silent for 20 s or more"
    lost = {**desk("lost"), "reason": silent, "fault": CHATTERS, "rings": None}
    served.say({"finding/a3": finding("empty-desk-rings"), "desk/a3": free, "desk/a2": lost})
    with opened(browser, served.address, locale=locale) as page:
        tile(page, "a3").hover()
        expect(page.locator("#about")).to_contain_text(words)
        expect(page.locator("#about")).not_to_contain_text(re.compile("handset|cradle|call"))
        tile(page, "a2").hover()
        expect(page.locator("#about")).to_contain_text("row-a")
        expect(page.locator("#about")).to_contain_text("20 s")
        expect(page.locator("#about")).not_to_contain_text(re.compile("board|silent|contact"))


def test_a_kind_that_the_page_does_not_know_is_told_in_the_gateways_words(browser: Browser, served: Served) -> None:
    served.say({"finding/a3": finding("something-new")})
    with opened(browser, served.address) as page:
        tile(page, "a3").hover()
        expect(page.locator("#about")).to_contain_text(f"{BOTH['desk']} · {BOTH['pbx']}Do something.")


def sentences() -> set[str]:
    """Every sentence about a desk that the gateway has in a table."""
    rows = {reason for _, _, reason in desks.RULES} - {"{dark}", "{lost}", "{fault}", "{untied}"}
    ip = (states.NOT_HEARD, states.SILENT, states.POLLS_NO_MORE, phones.FLOODS, phones.RUBBISH)
    whys = {*desks.PHONE_WHY.values(), *desks.HEADSET_WHY.values()}
    both = {*PHONE_WORDS.values(), *URL_WORDS.values(), *PBX_WORDS.values()}
    return {*rows, *whys, *ip, *both, floor.NOBODY, floor.CROWDED, floor.PBX_AWAY}


def test_every_sentence_about_a_desk_is_there_in_every_language(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        told, words = words_of(page, "told"), words_of(page)
    for language in ("nb", "sv"):
        assert not sentences() - told[language].keys(), language
        for text, other in told[language].items():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", other)), text
    assert told["nb"].keys() == told["sv"].keys()
    assert {kind: row["todo"] for kind, row in words["en"]["finding"].items()} == {r.kind: r.todo for r in RULES}
