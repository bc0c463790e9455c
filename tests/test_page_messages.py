"""Messages on the supervisor's page, in a real browser, from a real gateway: written, looked at, sent, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.house import House
from tests.test_messages import ask

from .test_page import chromium, opened

NOBODYS = "\U00013000"  # a letter that no font of ours has


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    def change(tables: dict[str, Any]) -> None:
        tables["message"] = [{"kind": "default", "text": "Velkommen", "walls": ["south"]}]

    with House(tmp_path_factory.mktemp("house"), change) as house:
        house.start_gateway()
        house.wait("the page is there", lambda: house.get("/api/messages")[0] == 200, 30)
        yield house


@pytest.fixture(autouse=True)
def _nothing_stands(house: House) -> Iterator[None]:
    yield
    for row in ask(house, "GET", "/api/messages")[1]["standing"]:
        assert ask(house, "DELETE", f"/api/messages/{row['id']}")[0] == 204


def dialog(page: Page) -> Locator:
    """The messages, opened."""
    page.get_by_role("button", name="Messages").click()
    here = page.get_by_role("dialog", name="Messages")
    expect(here).to_be_visible()
    return here


def lit(canvas: Locator) -> int:
    """How many pixels of a picture shine."""
    return int(canvas.evaluate("""canvas => {
        const pen = canvas.getContext("2d");
        const bytes = pen.getImageData(0, 0, canvas.width, canvas.height).data;
        return bytes.filter((value, place) => place % 4 < 3 && value > 100).length;
    }"""))  # fmt: skip


def test_a_message_is_looked_at_then_sent_then_taken_back(browser: Browser, house: House) -> None:
    with opened(browser, house.web, extra_http_headers=house.login) as page:
        here = dialog(page)
        send, look = here.get_by_role("button", name="Send"), here.get_by_role("button", name="Preview")
        text = here.get_by_label("New message")
        expect(text).to_be_focused()
        expect(here).to_contain_text("write no names and no numbers of callers")
        expect(here.get_by_label("For how many minutes")).to_have_value("15")
        text.fill("Fire drill")
        expect(send).to_be_disabled()

        look.click()
        looks = here.get_by_role("img")
        expect(looks).to_have_count(2)
        sizes = [canvas.evaluate("canvas => [canvas.width, canvas.height]") for canvas in looks.all()]
        assert sizes == [[256, 128], [512, 256]], "each wall's own lights"
        assert all(lit(canvas) > 500 for canvas in looks.all())
        expect(send).to_be_enabled()

        text.fill("Fire drill!")
        expect(send).to_be_disabled()
        expect(looks).to_have_count(0)
        here.get_by_label("North").check()
        look.click()
        expect(looks).to_have_count(1)
        expect(send).to_be_enabled()
        here.get_by_label("South").check()
        expect(send).to_be_disabled()
        here.get_by_label("South").uncheck()
        look.click()
        expect(send).to_be_enabled()
        assert ask(house, "GET", "/api/messages")[1]["standing"] == [], "nothing is sent by looking"
        here.get_by_label("For how many minutes").fill("20")
        send.click()

        row = here.get_by_role("listitem").filter(has_text="Fire drill!")
        expect(row).to_contain_text("North")
        expect(row).to_contain_text("20 min left")
        expect(text).to_have_value("")
        expect(send).to_be_disabled()
        standing = ask(house, "GET", "/api/messages")[1]["standing"]
        assert [(row["text"], row["walls"], row["on"]) for row in standing] == [("Fire drill!", ["north"], ["north"])]
        assert 1190 < standing[0]["left_s"] <= 1200
        expect(page.locator("#messages-open")).to_have_text("Messages · 1")
        expect(here.get_by_role("listitem").filter(has_text="Velkommen")).to_contain_text("when there is no other")

        here.get_by_role("button", name="Take back: Fire drill!").click()
        expect(row).to_have_count(0)
        expect(here.get_by_role("status")).to_have_text("Taken back.")
        assert ask(house, "GET", "/api/messages")[1]["standing"] == []


def test_the_author_is_told_before_it_is_sent(browser: Browser, house: House) -> None:
    with opened(browser, house.web, extra_http_headers=house.login, expected="422") as page:
        here = dialog(page)
        text, look = here.get_by_label("New message"), here.get_by_role("button", name="Preview")
        send, said = here.get_by_role("button", name="Send"), here.get_by_role("status")
        look.click()
        expect(said).to_have_text("Write a message, in letters.")
        expect(send).to_be_disabled()
        text.fill(NOBODYS + " " + "and so on " * 18)
        look.click()
        expect(here.locator("figure").first).to_contain_text(f"No font here has {NOBODYS}: a box stands there.")
        expect(here.locator("figure").first).to_contain_text("s to pass: few will read its end")
        expect(here.locator("figure").first).to_contain_text("the text moves across the wall")
        expect(said).to_contain_text("Read the warnings")
        here.get_by_label("For how many minutes").fill("1000")
        send.click()
        expect(said).to_have_text("Say for how many minutes: a whole number from 1 to 720.")
        text.fill("x" * 300)
        expect(text).to_have_value("x" * 200)
        expect(here.locator("#message-count")).to_have_text("200 of 200")
        assert ask(house, "GET", "/api/messages")[1]["standing"] == []


def test_keys_alone_are_enough(browser: Browser, house: House) -> None:
    with opened(browser, house.web, extra_http_headers=house.login) as page:
        opener = page.locator("#messages-open")
        opener.focus()
        page.keyboard.press("Enter")
        here = page.get_by_role("dialog", name="Messages")
        page.keyboard.type("Møte")
        reached = []
        for _ in range(5):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.value"))
        assert reached == ["message-all", "north", "south", "message-minutes", "message-look"]
        here.get_by_role("button", name="Preview").focus()
        page.keyboard.press("Space")
        expect(here.get_by_role("button", name="Send")).to_be_enabled()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        row = here.get_by_role("listitem").filter(has_text="Møte")
        expect(row).to_contain_text("all walls")
        expect(here.get_by_label("New message")).to_be_focused()
        page.keyboard.press("Escape")
        expect(here).to_be_hidden()
        expect(opener).to_be_focused()


def test_what_others_do_shows_at_once_and_every_page_reads_the_same(browser: Browser, house: House) -> None:
    with opened(browser, house.web, extra_http_headers=house.login) as page:
        here = dialog(page)
        _, older = ask(house, "POST", "/api/messages", {"text": "Older", "walls": [], "minutes": 5})
        rows = here.get_by_role("listitem")
        expect(rows.filter(has_text="Older")).to_contain_text("5 min left")
        ask(house, "POST", "/api/messages", {"text": "اجتماع", "walls": [], "minutes": 5})
        expect(rows.filter(has_text="Older")).to_contain_text("not shown now")
        expect(rows.filter(has_text="اجتماع").locator("b")).to_have_attribute("dir", "auto")
        ask(house, "DELETE", f"/api/messages/{older['id']}")
        expect(rows.filter(has_text="Older")).to_have_count(0)


def test_it_fits_a_small_screen_and_speaks_the_readers_language(browser: Browser, house: House) -> None:
    with opened(browser, house.web, width=320, height=568, locale="sv-SE", extra_http_headers=house.login) as page:
        page.locator("#messages-open").click()
        here = page.get_by_role("dialog", name="Meddelanden")
        here.locator("textarea").fill("Ett längre meddelande, med ett ooooooooooooooooooooooooooooooooooooord")
        here.get_by_role("button", name="Förhandsgranska").click()
        send = here.get_by_role("button", name="Skicka")
        expect(send).to_be_enabled()
        box = here.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 320 and box["height"] <= 568
        assert here.evaluate("box => box.scrollWidth <= box.clientWidth"), "nothing sticks out"
        send.click()
        expect(here.get_by_role("listitem").filter(has_text="Ett längre")).to_contain_text("15 min")
        assert here.evaluate("box => box.scrollWidth <= box.clientWidth")
        expect(here).not_to_contain_text("{")
        for control in here.locator("button, input, textarea").all():
            size = control.bounding_box()
            assert size and size["height"] >= 16 and size["width"] >= 16


def test_the_author_is_told_where_it_cannot_be_kept(browser: Browser, tmp_path: Path) -> None:
    with House(tmp_path) as house:
        path = house.plan.history.path
        assert path
        path.write_text("a shopping list")
        house.start_gateway()
        house.wait("the page is there", lambda: house.get("/api/messages")[0] == 200, 30)
        with opened(browser, house.web, extra_http_headers=house.login) as page:
            here = dialog(page)
            here.get_by_label("New message").fill("Fire drill")
            here.get_by_role("button", name="Preview").click()
            here.get_by_role("button", name="Send").click()
            said = here.get_by_role("status")
            expect(said).to_have_text("Sent. It cannot be kept at the moment: a restart of the gateway would end it.")
            here.get_by_role("button", name="Take back: Fire drill").click()
            expect(said).to_contain_text("Taken back. That cannot be kept at the moment")
