"""Messages on the supervisor's page, in a real browser, from a real gateway: written, looked at, sent, taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from floorplan import WebPage
from gateway.messages import Messages
from gateway.web import messages_http
from gateway.web.news import News
from gateway.web.page import app as page_app
from tests.gated import served
from tests.house import House
from tests.test_messages import ask

from .test_page import opened, plan

NOBODYS = "\U00013000"  # a letter that no font of ours has


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


def done(page: Page) -> Locator:
    """What became of what was sent or taken back."""
    return page.locator("#messages-done")


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
        minutes = here.get_by_label("For how many minutes")
        expect(minutes).to_have_value("15")
        expect(minutes).to_have_accessible_description(re.compile(r"^until \d\d:\d\d"))
        minutes.fill("0")
        expect(minutes).to_have_accessible_description("")
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
        expect(row).to_contain_text("20 min left, until ")
        expect(text).to_have_value("")
        expect(send).to_be_disabled()
        standing = ask(house, "GET", "/api/messages")[1]["standing"]
        assert [(row["text"], row["walls"], row["on"]) for row in standing] == [("Fire drill!", ["north"], ["north"])]
        assert 1190 < standing[0]["left_s"] <= 1200
        expect(page.locator("#messages-open")).to_have_text("Messages · 1")
        expect(here.get_by_role("listitem").filter(has_text="Velkommen")).to_contain_text("when there is no other")

        here.get_by_role("button", name="Take back: Fire drill!", exact=True).click()
        expect(row).to_have_count(0)
        expect(done(page)).to_have_text("Taken back.")
        assert ask(house, "GET", "/api/messages")[1]["standing"] == []


def test_the_author_is_told_before_it_is_sent(browser: Browser, house: House) -> None:
    with opened(browser, house.web, extra_http_headers=house.login, expected="422") as page:
        here = dialog(page)
        text, look = here.get_by_label("New message"), here.get_by_role("button", name="Preview")
        send, said = here.get_by_role("button", name="Send"), here.locator("#message-said")
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


def test_what_was_just_done_can_be_undone(browser: Browser, house: House) -> None:
    def stands() -> list[tuple[str, list[str]]]:
        return [(row["text"], row["walls"]) for row in ask(house, "GET", "/api/messages")[1]["standing"]]

    with opened(browser, house.web, extra_http_headers=house.login) as page:
        here = dialog(page)
        text, undo = here.get_by_label("New message"), here.locator("#message-undo")
        rows = here.get_by_role("listitem").filter(has_text="Brann")
        expect(undo).to_be_hidden()
        text.fill("Brannøvelse")
        here.get_by_label("South").check()
        here.get_by_label("For how many minutes").fill("7")
        here.get_by_role("button", name="Preview").click()
        here.get_by_role("button", name="Send").click()
        expect(done(page)).to_have_text("Sent.")
        expect(undo).to_have_accessible_name("Undo: Take back: Brannøvelse")

        # Taken back, it can be written otherwise: it stands in the form again.
        page.keyboard.press("Shift+Tab")
        if undo.evaluate("button => button !== document.activeElement"):  # what stands scrolls, and is a stop, too
            undo.focus()
        page.keyboard.press("Enter")
        expect(done(page)).to_have_text("Taken back.")
        expect(rows).to_have_count(0)
        expect(text).to_have_value("Brannøvelse")
        expect(text).to_be_focused()
        expect(here.get_by_label("South")).to_be_checked()
        expect(here.get_by_label("all walls")).not_to_be_checked()
        assert stands() == []

        # And that too is undone: it stands for what was left, to the minute.
        expect(undo).to_have_accessible_name("Undo: Send again: Brannøvelse")
        undo.click()
        expect(done(page)).to_have_text("Sent.")
        expect(rows).to_contain_text("7 min left, until")
        assert stands() == [("Brannøvelse", ["south"])]

        # What somebody else has sent is taken back with the same way back; writing meanwhile is not disturbed.
        ask(house, "POST", "/api/messages", {"text": "Brann slukket", "walls": [], "minutes": 90})
        text.fill("Something else")
        here.get_by_role("button", name="Take back: Brann slukket", exact=True).click()
        expect(rows).to_have_count(1)
        undo.click()
        expect(rows.filter(has_text="slukket")).to_contain_text("1 h 30 min left")
        expect(text).to_have_value("Something else")
        expect(done(page)).to_have_text("Sent.")
        assert stands() == [("Brannøvelse", ["south"]), ("Brann slukket", [])]

        here.get_by_role("button", name="Close").click()
        dialog(page)
        expect(undo).to_be_hidden()
        expect(done(page)).to_have_text("")


def test_what_is_over_is_not_undone(browser: Browser, tmp_path: Path) -> None:
    now_s = 1000.0
    messages = Messages(plan(), dict.fromkeys(("wall-0", "wall-1")), lambda *_: None, lambda: now_s, lambda: None)
    messages.send("Soon over", [], 1)
    now_s += 55

    async def kept() -> bool:
        return True

    news = News()
    news.say("messages", messages.document())
    app = page_app(plan(), news, lambda: (True, {}), lambda _: None,
                   routers=[messages_http.routes(messages, lambda: ({}, None, now_s), kept)])  # fmt: skip
    with served(app, WebPage(), news.close) as port, opened(
        browser, f"http://127.0.0.1:{port}", expected="404"  # walls have no pictures
    ) as page:  # fmt: skip
        here = dialog(page)
        here.get_by_role("button", name="Take back: Soon over", exact=True).click()
        undo = here.get_by_role("button", name="Undo: Send again: Soon over")
        expect(undo).to_be_visible()
        undo.focus()
        expect(undo).to_be_hidden()
        expect(here.get_by_label("New message")).to_be_focused()


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
        with opened(browser, house.web, extra_http_headers=house.login, expected="404") as page:
            here = dialog(page)
            here.get_by_label("New message").fill("Fire drill")
            here.get_by_role("button", name="Preview").click()
            here.get_by_role("button", name="Send").click()
            said = done(page)
            expect(said).to_have_text("Sent. It cannot be kept at the moment: a restart of the gateway would end it.")
            here.get_by_role("button", name="Take back: Fire drill", exact=True).click()
            expect(said).to_contain_text("Taken back. That cannot be kept at the moment")
