"""Every page and dialog as a machine looks at it: axe-core, WCAG 2.2 AA and best practice, light and dark; and keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.house import House
from tests.test_page import QUEUE, REASONS, Served, desk, opened, plan

OPTIONS: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
}
AXE = Axe()
COLOURS: dict[str, Any] = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, "resultTypes": ["violations"],
}  # fmt: skip
ALARMS: dict[str, dict[str, Any]] = {
    "alarm/long-wait.polski": {
        "kind": "long-wait", "of": "queue", "about": "polski", "level": "bad", "for_s": 312,
        "what": "Somebody has waited for 332 s, and 20 s are promised.", "todo": "Bring desks into this queue.",
        "facts": {"wait_s": 332, "limit_s": 20, "waiting": 4}, "acked": None,
    },
    "alarm/wall-wrong.wall-0": {
        "kind": "wall-wrong", "of": "wall", "about": "wall-0", "level": "warn", "for_s": 40, "what": "It is old.",
        "todo": "Look at its board.", "facts": {}, "acked": {"by": "desk-lead", "note": "On it.", "for_s": 12},
    },
}  # fmt: skip
BOARD = {
    "state": "ready", "reason": "", "definition": "simulated", "python": "MicroPython", "firmware": "0123456789abcdef",
    "current": True, "uptime_s": 7260, "heap_free": 81920, "wifi_dbm": -60, "reconnects": 1, "lag_ms": 4, "dropped": 0,
    "wrong": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as house:
        house.start_gateway()
        house.wait("the page is there", lambda: house.get("/api/plan")[0] == 200, 30)
        yield house


def looked_at(page: Page, where: str) -> None:
    """No violations; in the dark, which differs by its colours alone, these are looked at anew."""
    schemes: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...] = (("light", OPTIONS), ("dark", COLOURS))
    for scheme, options in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = AXE.run(page, options=options).response["violations"]
        told = [
            (one["id"], one["help"], node["target"], " ".join(node["failureSummary"].split()))
            for one in found
            for node in one["nodes"]
        ]
        assert told == [], f"{where}, {scheme}: {json.dumps(told, indent=2, ensure_ascii=False)}"


def said(desks: int) -> dict[str, dict[str, Any]]:
    """A floor on which much happens, and some of it is wrong."""
    statuses = list(REASONS)
    return {
        **{f"desk/a{n}": desk(statuses[n % len(statuses)]) for n in range(desks)},
        "queue/polski": {**QUEUE, "oldest_wait_s": 332}, "queue/arabi": QUEUE,
        "board/pico-0": BOARD,
        "board/pico-1": {**BOARD, "state": "lost", "reason": "silent for 21 s", "wrong": ["lost"]},
        "messages": {"standing": [], "others": []},
        "wall/wall-0": {"scene": "s1", "shown": "s0", "values_seq": 4, "fresh": False, "reason": "no beat for 25 s"},
        "finding/a2": {"kind": "off-hook-no-call", "for_s": 60, "desk": "lifted", "pbx": "no call", "todo": "look"},
        **ALARMS,
    }  # fmt: skip


# ---- what a machine sees ----


@pytest.mark.parametrize(("desks", "columns", "width"), [(14, 7, 1920), (465, 31, 1920), (14, 7, 390)])
def test_the_page_with_much_that_is_wrong(browser: Browser, desks: int, columns: int, width: int) -> None:
    served = Served(plan(desks=desks, columns=columns))
    try:
        served.say(said(desks))
        with opened(browser, served.address, width=width) as page:
            expect(page.locator("#alarms-open li").first).to_be_visible()
            looked_at(page, f"{desks} desks at {width}")
    finally:
        served.stop()


def test_the_dialogs_of_the_page(browser: Browser, house: House) -> None:
    with opened(browser, house.web, extra_http_headers=house.login) as page:
        looked_at(page, "the page")
        page.get_by_role("button", name="Messages").click()
        expect(page.get_by_role("dialog", name="Messages")).to_be_visible()
        page.get_by_label("New message").fill("Fire drill")
        looked_at(page, "messages")
        page.keyboard.press("Escape")
        more = page.locator("#boards-all:visible")
        if more.count():
            more.click()
        page.locator("#board-rows button").first.click()
        expect(page.locator("dialog[open]")).to_be_visible()
        looked_at(page, "a board")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        page.locator("#alarms-ended").click()
        expect(page.locator("dialog[open]")).to_be_visible()
        looked_at(page, "alarms that are over")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        page.get_by_role("button", name="What the words mean").click()
        expect(page.locator("dialog[open]")).to_be_visible()
        looked_at(page, "what the words mean")


@pytest.mark.parametrize(
    ("address", "shown"),
    [("/people", "main, #people"), ("/privacy", "main h2"), ("/queues/norsk", "main h1, main h2"), ("/wall", "li")],
)
def test_the_other_pages(browser: Browser, house: House, address: str, shown: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, extra_http_headers=house.login)
    page = context.new_page()
    page.goto(house.web + address)
    expect(page.locator(shown).first).to_be_visible()
    looked_at(page, address)
    context.close()


@pytest.mark.parametrize("address", ["/login", "/join#0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"])
def test_the_pages_before_one_is_in(browser: Browser, house: House, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(house.web + address)
    expect(page.locator("form:visible").first).to_be_visible()
    looked_at(page, address)
    context.close()


# ---- keys alone ----


def test_every_part_of_the_page_is_reached_and_left_with_keys_and_seen(browser: Browser, house: House) -> None:
    """Tab from the first thing to the last: each has a name and a mark that it is where one is; nothing holds one."""
    with opened(browser, house.web, extra_http_headers=house.login) as page:
        been: list[str] = []
        for _ in range(120):
            page.keyboard.press("Tab")
            where = page.evaluate(
                """() => {
                  const here = document.activeElement;
                  if (!here || here === document.body) return null;
                  const look = getComputedStyle(here), box = here.getBoundingClientRect();
                  const marked = (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2)
                    || look.boxShadow !== "none";
                  const part = here.closest("section, header, footer, dialog");
                  return [part ? part.id || part.tagName : "", here.id || here.className || here.tagName, marked,
                          box.width >= 24 && box.height >= 24 || here.tagName === "A",
                          [box.width, box.height, here.outerHTML.slice(0, 120)]];
                }"""
            )
            if where is None:
                break
            part, name, marked, big, size = where
            assert marked, f"one does not see that one is at {name} in {part}"
            assert big, f"{name} in {part} ({size}) is smaller than 24 pixels"
            been.append(part)
        else:
            pytest.fail(f"there is no end: {been[-20:]}")
        order = list(dict.fromkeys(been))
        assert {"HEADER", "alarms", "floor", "walls", "boards"} <= set(order), order
        assert order.index("alarms") < order.index("floor") < order.index("walls") < order.index("boards")


def test_a_dialog_takes_the_keys_and_gives_them_back(browser: Browser, house: House) -> None:
    with opened(browser, house.web, extra_http_headers=house.login) as page:
        opener = page.locator("#messages-open")
        opener.focus()
        page.keyboard.press("Enter")
        here = page.get_by_role("dialog", name="Messages")
        expect(here).to_be_visible()
        for _ in range(30):
            page.keyboard.press("Tab")
            assert page.evaluate("""() => document.activeElement === document.body
                || document.querySelector('dialog[open]').contains(document.activeElement)""")
        page.keyboard.press("Escape")
        expect(here).to_be_hidden()
        expect(opener).to_be_focused()
