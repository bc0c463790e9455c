"""Who one is, in a real browser: logging in, one-time links, screens without anybody, and who may do what."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import floorplan
from gateway.people import passwords
from gateway.people.audit import DID
from gateway.people.http import STATUSES
from gateway.people.people import People
from gateway.people.rights import ROLES, Who
from gateway.web.news import News
from gateway.web.page import app
from gateway.web.wall_page import Screens, routes

from .languages import words_of
from .test_page import CHROMIUM, CHROMIUM_ARGS, TWO_FRAMES
from .test_wall_page import Floor

CONSOLE = Who("console", "tests", "admin")
PASSWORD = "three odd words"
QUICK = PasswordHasher(1, 64, 1)  # what a hash costs is not the question here
HASH = QUICK.hash(PASSWORD)
HOST = "floor.local"  # as it is in a house: plain http by a name, which browsers trust less than this computer


PLAIN = "Opener-Policy"  # a header that browsers do not heed by plain http, and say so


class House(Floor):
    """A page with people; `folder` holds their file. At the port of the one before, whose files browsers have still."""

    port = 0

    def __init__(self, folder: Path) -> None:
        self.later_h = 0.0  # that people's clock is ahead
        self.people = People(floorplan.People(path=folder / "people.db"), lambda: time.time() + self.later_h * 3600)
        super().__init__()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listening.getsockname()[1]
        self.news = News()
        self.screens = Screens(self.site, lambda wall: dict(self.should[wall]), self.first_beat)
        self.screens.say("gateway", {"state": "ready", "boot": self.boot})
        routers = [routes(self.site, self.screens)]
        page = app(
            self.site, self.news, self.health, self.picture, routers=routers, draw=self.draw, people=self.people
        )
        self.server = uvicorn.Server(uvicorn.Config(files_kept(page), log_level="warning", lifespan="off"))
        ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self.thread.start()
        assert ready.wait(10)

    def join(self, name: str, role: str) -> str:
        """Somebody new; the name."""
        self.people.join(self.people.invite(CONSOLE, role).secret, name, HASH)
        return name

    def token(self, name: str, role: str) -> str:
        return self.people.add_token(CONSOLE, name, role, 30).secret

    def end_token(self, name: str) -> None:
        self.people.remove_token(CONSOLE, name)


def files_kept(page: ASGIApp) -> ASGIApp:
    """The same page, whose files a browser asks for once: that is most of what it costs to open one here."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"].startswith("/static/"):
                others = [(name, value) for name, value in message["headers"] if name != b"cache-control"]
                message["headers"] = [*others, (b"cache-control", b"max-age=600")]
            await send(message)

        await page(scope, receive, send_on)

    return answer


SIZE: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: QUICK)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        rules = f"--host-resolver-rules=MAP {HOST} 127.0.0.1"
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*CHROMIUM_ARGS, rules],
            ignore_default_args=["--disable-back-forward-cache"],  # as people have it
        )
        started.new_context(viewport=SIZE)
        yield started
        started.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    here = House(tmp_path)
    House.port = here.port
    yield here
    here.stop()
    here.people.close()


@contextlib.contextmanager
def opened(
    browser: Browser, expected: str = "40[1349]|422|429", own: bool = False, **more: Any
) -> Iterator[Page]:
    """A window of nobody yet; what it complains of must match `expected`: refusals, as they come.

    It has what browsers keep of the window before, and no cookie; unless it shall have its `own`, or there is one.
    """
    kept = browser.contexts[0]
    own = own or bool(more) or bool(kept.pages)
    context = browser.new_context(viewport=SIZE, **more) if own else kept
    context.clear_cookies()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
    finally:
        for one in context.pages:
            one.close()
        if own:
            context.close()
    assert [text for text in complaints if not re.search(f"{expected}|{PLAIN}", text)] == []


def come_in(page: Page, house: House, name: str, path: str = "/") -> None:
    """As somebody who has logged in before; what the form does is shown where it is tried."""
    person = house.people.person(name)
    assert person
    _, cookie = house.people.sessions.begin("person", person.key, person.generation)
    page.context.add_cookies([{"name": "callfloor", "value": cookie, "url": house.address, "httpOnly": True}])
    page.goto(house.address + path)


# ---- logging in ----


def test_nobody_sees_the_page_and_whoever_logs_in_comes_back_to_it(browser: Browser, house: House) -> None:
    house.join("Shift", "supervisor")
    house.join("reader", "viewer")
    house.say({"messages": {"standing": [], "others": []}})
    with opened(browser) as page:
        page.goto(house.address)
        page.wait_for_url("**/login*")
        name, password = page.get_by_label("Name"), page.get_by_label("Password")
        expect(name).to_be_focused()
        assert (name.get_attribute("autocomplete"), password.get_attribute("autocomplete")) == (
            "username", "current-password")  # fmt: skip
        page.keyboard.type("shift")
        page.keyboard.press("Tab")
        page.keyboard.type("a wrong one")
        page.keyboard.press("Enter")
        alert = page.get_by_role("alert")
        expect(alert).to_have_text("The name or the password is wrong.")
        expect(password).to_be_focused()
        expect(password).to_have_value("")

        page.keyboard.type(PASSWORD)
        page.get_by_role("button", name="Show").click()
        expect(password).to_have_attribute("type", "text")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(house.address + "/")
        me = page.get_by_role("button", name="Shift supervisor")
        expect(me).to_be_visible()
        expect(page.get_by_role("button", name="Messages")).to_be_visible()
        me.press("Enter")
        expect(page.locator("#me-menu a").first).to_be_focused()
        expect(page.get_by_role("button", name="Change password")).to_be_visible()
        expect(page.get_by_role("link", name="Who may do what")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(me).to_be_focused()
        assert page.context.cookies()[0]["httpOnly"] and page.evaluate("document.cookie") == ""

        me.click()
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login*")
        expect(page.get_by_text("You are logged out.")).to_be_visible()
        page.goto(house.address)
        page.wait_for_url("**/login*")
        page.get_by_label("Name").fill("reader")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="reader viewer")).to_be_visible()
        expect(page.locator(".desk")).to_have_count(1)
        expect(page.locator("#messages-open")).to_be_hidden()
        page.goto(house.address + "/people")
        expect(page.get_by_role("alert")).to_have_text("Only an admin sees who may do what.")
        expect(page.locator("#people-main")).to_be_hidden()


def test_a_login_leads_nowhere_but_to_our_own_pages_and_there_are_words_for_all(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    ways = {
        "people": "/people", "privacy": "/privacy", "wall": "/wall", "wall/north": "/wall/north", "": "/",
        "//evil.test": "/",
        "https://evil.test/": "/", "/\\evil.test": "/", "javascript:alert(1)": "/", "wall/../../x": "/",
        "data:text/html,x": "/", "people\n": "/", "login": "/", "people?x#y": "/", "wall/a.b": "/", "//": "/",
    }  # fmt: skip
    with opened(browser) as page:
        page.goto(house.address + "/login#back=//evil.test/people&why=__proto__")
        asked = """(ways) => import("/static/people/session.js").then(({ wayBack }) =>
            ways.map((back) => wayBack(new URLSearchParams({ back })).href))"""
        assert page.evaluate(asked, list(ways)) == [house.address + path for path in ways.values()]
        expect(page.locator("#why")).to_be_hidden()
        refused = """(kinds) => import("/static/people/passwords.js").then(({ refusal }) =>
            kinds.map((kind) => refusal(422, { kind })))"""
        odd = page.evaluate(refused, ["constructor", "__proto__", "toString"])
        assert odd == ["It was not done. Load the page again, and try again."] * 3
        page.get_by_label("Name").fill("boss")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(house.address + "/")
        words = words_of(page)
    elsewhere = {"wrong", "login", "slow"}  # said where it happens
    programs = {"late", "long", "type", "body", "asked"}  # no page of ours asks like that
    for table in words.values():
        assert set(table["did"]) == set(DID)
        assert set(table["role"]) == set(table["role_means"]) == set(ROLES)
        assert set(STATUSES) - elsewhere - programs <= set(table["people_refused"])


def test_too_many_tries_wait_second_by_second(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    with opened(browser, own=True) as page:
        page.clock.install()
        page.goto(house.address + "/login")
        send, said = page.get_by_role("button", name="Log in"), page.get_by_role("alert")
        page.get_by_label("Name").fill("boss")
        for _ in range(30):
            page.get_by_label("Password").fill("a wrong one")
            with page.expect_response("**/api/session") as answer:
                send.click()
            if answer.value.status == 429:
                break
        expect(said).to_contain_text("Too many tries. It can be tried again in")
        expect(send).to_be_disabled()
        wait_s = answer.value.json()["wait_s"]
        expect(said).to_contain_text(f" {wait_s} s")
        page.clock.fast_forward(1000)
        expect(said).to_contain_text(f" {wait_s - 1} s")
        page.clock.fast_forward(wait_s * 1000)
        expect(send).to_be_enabled()
        expect(said).to_be_empty()


def test_a_session_that_ends_goes_to_the_login_and_a_gateway_that_is_away_does_not(
    browser: Browser, house: House
) -> None:
    house.join("boss", "admin")
    house.join("reader", "viewer")
    with opened(browser, expected="401|ERR_") as page:
        come_in(page, house, "reader")
        expect(page.locator("body[data-news=live] .desk")).to_have_count(1)
        with page.expect_event("requestfailed", lambda request: request.url.endswith("/api/session")):
            house.stop()
        expect(page.locator("body[data-news=old]")).to_be_visible()
        assert page.url == house.address + "/"
        house.start()
        expect(page.locator("body[data-news=live]")).to_be_visible()
        expect(page.get_by_role("button", name="reader viewer")).to_be_visible()

        house.people.set_role(CONSOLE, "reader", "supervisor")
        began = time.monotonic()
        page.wait_for_url("**/login*")
        assert time.monotonic() - began < 5
        expect(page.get_by_text("You are logged out here, or have not been seen for long.")).to_be_visible()


def test_a_stream_that_is_ended_for_another_cookie_is_no_news_to_whoever_looks_on(
    browser: Browser, house: House
) -> None:
    house.join("reader", "viewer")
    with opened(browser, expected="ERR_", own=True) as page:
        page.clock.install()
        page.route("**/walls/*.png", lambda route: route.abort())  # which would bring a new cookie, too
        come_in(page, house, "reader")
        expect(page.locator("body[data-news=live] .desk")).to_have_count(1)
        page.evaluate("""() => {
            window.seen = [];
            new MutationObserver(() => seen.push(document.body.dataset.news))
                .observe(document.body, { attributeFilter: ["data-news"] });
        }""")
        page.clock.fast_forward(4000)
        (cookie,) = page.context.cookies()
        with page.expect_response(re.compile(r"/api/events(\?|$)")):
            house.later_h = 6.5
        house.say({"desk/a1": {"status": "free", "reason": ""}})
        expect(page.locator("[data-desk=a1]")).to_have_attribute("data-status", "free")
        assert page.evaluate("seen") == []
        assert page.context.cookies()[0]["value"] != cookie["value"]

        page.clock.fast_forward(4000)
        page.route(re.compile(r"/api/events(\?|$)"), lambda route: route.abort())
        house.later_h = 13.0
        expect(page.locator("body[data-news=old]")).to_be_visible()


def test_whoever_logs_out_leaves_nothing_in_this_browser_and_whoever_logs_in_is_in_all_windows(
    browser: Browser, house: House
) -> None:
    house.join("boss", "admin")
    with opened(browser) as page:
        page.add_init_script("""addEventListener("pageshow", ({ persisted }) => {
            if (persisted) sessionStorage.back = document.querySelector(".desk").checkVisibility();
        })""")
        come_in(page, house, "boss")
        expect(page.locator(".desk")).to_have_count(1)
        other = page.context.new_page()
        other.goto(house.address + "/people")
        expect(other.locator("#people-list li")).to_have_count(1)
        page.bring_to_front()
        page.get_by_role("button", name="boss admin").click()
        page.get_by_role("link", name="Who may do what").click()
        page.get_by_role("button", name="boss admin").click()
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login*")
        page.go_back()
        page.wait_for_url("**/login*")
        expect(page.get_by_label("Name")).to_be_focused()
        assert page.evaluate("sessionStorage.back") == "false", "what the browser kept is not to be seen"

        other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        other.wait_for_url("**/login*")
        page.get_by_label("Name").fill("boss")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="boss admin")).to_be_visible()
        other.evaluate("dispatchEvent(new Event('focus'))")
        other.wait_for_url(house.address + "/people")


# ---- one-time links ----


def test_a_link_makes_an_account_once_and_leaves_the_address_bar_at_once(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    secret = house.people.invite(CONSOLE, "technician").secret
    with opened(browser) as page:
        page.goto(f"{house.address}/join#{secret}")
        expect(page.get_by_label("Name")).to_be_focused()
        assert page.url == f"{house.address}/join"
        assert secret not in page.content()
        password = page.get_by_label("Password")
        assert password.get_attribute("autocomplete") == "new-password"
        expect(page.get_by_text("10 letters or more")).to_be_visible()
        said, send = page.locator("#said"), page.get_by_role("button", name="Begin")
        for name, word, why in (
            ("BOSS", PASSWORD, "Somebody has that name already."),
            ("a b", PASSWORD, "Choose another name"),
            ("tech", "password123", "Choose another password"),
            ("tech", "short", "Choose another password"),
        ):
            page.get_by_label("Name").fill(name)
            password.fill(word)
            send.click()
            expect(said).to_contain_text(why)
        page.reload()
        page.get_by_label("Name").fill("tech")
        password.fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(house.address + "/")
        expect(page.get_by_role("button", name="tech technician")).to_be_visible()

        page.goto(f"{house.address}/join#{secret}")
        page.get_by_label("Name").fill("other")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("#over")).to_contain_text("This link was used, or is over")
        expect(page.get_by_label("Name")).to_be_hidden()
        assert page.evaluate("history.state") is None
        assert house.people.person("other") is None


def test_a_link_for_a_new_password_asks_for_no_name(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    house.join("رنا-1", "viewer")
    with opened(browser) as admin, opened(browser) as page:
        come_in(admin, house, "boss", "/people")
        admin.get_by_role("button", name="New password: رنا-1").click()
        admin.get_by_role("button", name="Make the link").click()
        link = admin.get_by_label("Link", exact=True).input_value()
        page.goto(link)
        expect(page.get_by_label("Name")).to_have_value("رنا-1")
        assert page.get_by_label("Name").get_attribute("readonly") is not None
        expect(page.get_by_role("textbox", name="Password")).to_be_focused()
        page.keyboard.type("another three words")
        page.get_by_role("button", name="Take this password").click()
        page.wait_for_url(house.address + "/")
        expect(page.get_by_role("button", name="رنا-1 viewer")).to_be_visible()


def test_a_password_is_changed_by_whoever_knows_it(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    with opened(browser) as page:
        come_in(page, house, "boss")
        page.get_by_role("button", name="boss admin").click()
        page.get_by_role("button", name="Change password").click()
        box = page.get_by_role("dialog", name="Change password")
        old, new = box.get_by_label("The password until now"), box.get_by_label("The new password")
        expect(old).to_be_focused()
        for was, will, why in (
            ("not this one", "another three words", "The password until now is wrong."),
            (PASSWORD, "boss", "Choose another password"),
        ):
            old.fill(was)
            new.fill(will)
            page.keyboard.press("Enter")
            expect(box.get_by_role("status")).to_contain_text(why)
        new.fill("another three words")
        page.keyboard.press("Enter")
        expect(box).to_contain_text("The password is changed.")
        page.keyboard.press("Escape")
        expect(box).to_have_count(0)
        page.reload()
        expect(page.get_by_role("button", name="boss admin")).to_be_visible()


# ---- screens ----


def test_a_screen_comes_in_by_the_link_with_its_token_and_is_shut_out_when_that_ends(
    browser: Browser, house: House
) -> None:
    secret = house.token("lobby", "wall")
    shut = "#shut:not([hidden])"
    with opened(browser, own=True) as page:
        page.clock.install()
        page.goto(f"{house.address}/wall/north")
        expect(page.locator(shut)).to_contain_text("This screen is not let in")
        expect(page.locator(shut)).to_contain_text("It has no token.")
        assert page.title() == "Wall", "it is told nothing of the floor"
        page.goto(f"{house.address}/wall/north#token={secret}")
        expect(page).to_have_title("North · Skien")
        assert page.url == f"{house.address}/wall/north"
        expect(page.locator(shut)).to_have_count(0)

        page.goto(house.address + "/wall")
        expect(page.get_by_role("link")).to_have_text(["North", "South"])
        page.goto(house.address)  # the page itself is not for a screen
        page.wait_for_url("**/wall")
        page.get_by_role("link", name="South").click()
        expect(page).to_have_title("South · Skien")

        house.end_token("lobby")
        expect(page.locator(shut)).to_contain_text("This screen is not let in")
        page.goto(f"{house.address}/wall/south#token={secret}")
        expect(page.locator(shut)).to_contain_text("Its token is over, or was ended.")

        # It asks again, but guesses no more; whoever gives it another token, in another window, has it come back.
        tries: list[str] = []
        page.on("request", lambda request: tries.append(f"{request.method} {urlsplit(request.url).path}"))
        with page.expect_response("**/api/session"):
            page.clock.fast_forward(31_000)
        other = page.context.new_page()
        other.goto(f"{house.address}/wall#token={house.token('lobby-2', 'wall')}")
        expect(other.get_by_role("link")).to_have_text(["North", "South"])
        page.bring_to_front()
        page.clock.fast_forward(31_000)
        expect(page).to_have_title("South · Skien")
        expect(page.locator(shut)).to_have_count(0)
        assert "GET /api/session" in tries and "POST /api/session" not in tries


def test_a_screen_that_finds_no_gateway_waits_for_it_with_its_token(browser: Browser, house: House) -> None:
    secret = house.token("lobby", "wall")
    with opened(browser, expected="401|ERR_") as page:
        page.route("**/api/session", lambda route: route.abort())
        page.goto(f"{house.address}/wall/north#token={secret}")
        expect(page.locator("#trouble")).to_have_text("No news from the gateway yet.")
        expect(page.locator("#shut")).to_be_hidden()
        page.unroute("**/api/session")
        expect(page).to_have_title("North · Skien")


def test_a_link_with_a_token_takes_nobodys_login_away(browser: Browser, house: House) -> None:
    house.join("Shift", "supervisor")
    secret = house.token("lobby", "wall")
    asked = "fetch('/api/session').then((answer) => answer.json()).then(({ kind, name }) => `${kind} ${name}`)"
    with opened(browser) as page:
        come_in(page, house, "Shift")
        evil = page.context.new_page()
        link = f"{house.address}/wall/north#token={secret}"
        evil.goto(f"data:text/html,<a target=_blank rel=opener href='{link.replace('#', '%23')}'>x</a>")
        with page.context.expect_page() as opening:
            evil.locator("a").click()
        wall = opening.value
        shut = wall.locator("#shut")
        expect(shut).to_contain_text("Shift is logged in here")
        expect(wall.get_by_role("button", name="Stay Shift")).to_be_focused()
        wall.evaluate("dispatchEvent(new Event('online'))")
        assert wall.evaluate(asked) == "person Shift"
        wall.keyboard.press("Enter")
        expect(wall).to_have_title("North · Skien")
        expect(shut).to_be_hidden()
        assert wall.evaluate(asked) == "person Shift"

        wall.goto(f"{house.address}/wall/south#token=cf_{'0' * 32}")
        wall.get_by_role("button", name="Let the screen in").click()
        expect(shut).to_contain_text("Its token is over, or was ended.")
        assert wall.evaluate(asked) == "person Shift"
        wall.goto(f"{house.address}/wall#token={secret}")
        wall.get_by_role("button", name="Let the screen in, and log Shift out here").click()
        expect(shut).to_be_hidden()
        assert wall.evaluate(asked) == "token lobby"
        wall.get_by_role("link", name="North").click()
        expect(wall).to_have_title("North · Skien")


# ---- who may do what ----


def test_an_admin_invites_and_withdraws_changes_roles_and_removes(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    house.join("reader", "viewer")
    with opened(browser) as page:
        come_in(page, house, "boss", "/people")
        people, links = page.locator("#people-list"), page.locator("#invitations-list")
        boss, reader = people.get_by_role("listitem").first, people.get_by_role("listitem").last
        expect(boss).to_contain_text("this is you")
        expect(links).to_have_text("None is open.")

        page.get_by_label("For somebody new, as").select_option("supervisor")
        page.get_by_role("button", name="Make a link").click()
        made = page.get_by_role("dialog", name="A one-time link")
        link = made.get_by_label("Link", exact=True).input_value()
        assert re.fullmatch(re.escape(house.address) + "/join#[0-9a-f]{32}", link)
        made.get_by_role("button", name="Copy: Link").click()
        expect(made.get_by_role("status")).to_have_text("Copied.")
        made.get_by_role("button", name="I have it").click()
        expect(made).to_be_hidden()
        expect(page.locator("#made-parts *")).to_have_count(0)
        page.get_by_label("Name of the machine").focus()
        page.keyboard.press("Control+V")
        assert page.get_by_label("Name of the machine").input_value() == link[:64]
        expect(links).to_contain_text("supervisor")
        links.get_by_role("button", name="Withdraw: supervisor").click()
        expect(links).to_have_text("None is open.")
        assert house.people.invited(link.partition("#")[2]) is None

        reader.get_by_role("button", name="Change role").click()
        sure = page.locator("#sure")
        sure.get_by_label("Role").select_option("technician")
        sure.get_by_role("button", name="Change role").click()
        expect(reader).to_contain_text("technician")

        reader.get_by_role("button", name="Remove").click()
        expect(sure).to_contain_text("Remove reader?")
        expect(sure.get_by_role("button", name="Cancel")).to_be_focused()
        page.keyboard.press("Enter")
        expect(sure).to_be_hidden()
        assert house.people.person("reader")
        reader.get_by_role("button", name="Remove").click()
        sure.get_by_role("button", name="Remove").click()
        expect(people.get_by_role("listitem")).to_have_count(1)
        assert house.people.person("reader") is None

        for act in ("Remove", "Change role"):
            boss.get_by_role("button", name=act).click()
            if act == "Change role":
                sure.get_by_label("Role").select_option("viewer")
            sure.get_by_role("button", name=act).click()
            expect(sure.get_by_role("alert")).to_have_text(
                "This is the last admin: make somebody else an admin first."
            )
            page.keyboard.press("Escape")
        assert house.people.people()[0].role == "admin"


def test_an_admin_makes_tokens_and_the_link_of_a_screen(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    with opened(browser) as page:
        come_in(page, house, "boss", "/people")
        tokens = page.locator("#tokens-list")
        name, make = page.get_by_label("Name of the machine"), page.get_by_role("button", name="Make a token")
        for written, days, why in (("", "30", "Choose another name"), ("x", "500", "a whole number from 1 to 400")):
            name.fill(written)
            page.get_by_label("Days").fill(days)
            make.click()
            expect(page.locator("#token-said")).to_contain_text(why)
        name.fill("lobby")
        page.get_by_label("Days").fill("30")
        make.click()
        made = page.get_by_role("dialog", name="The token of lobby")
        secret = made.get_by_label("Token", exact=True).input_value()
        token = house.people.whose(secret)
        assert token and (token.name, token.role) == ("lobby", "wall")
        link = made.get_by_role("textbox", name="Link for the screen")
        expect(link).to_have_value(f"{house.address}/wall/north#token={secret}")
        made.get_by_label("Wall").select_option("South")
        expect(link).to_have_value(f"{house.address}/wall/south#token={secret}")
        page.keyboard.press("Escape")
        expect(page.locator("#made-parts *")).to_have_count(0)
        expect(tokens).to_contain_text("lobby")
        expect(tokens).to_contain_text(re.compile("ends in (30 d 0|29 d 23) h"))

        tokens.get_by_role("button", name="End: lobby").click()
        page.locator("#sure").get_by_role("button", name="End").click()
        expect(tokens).to_have_text("There are none.")
        assert house.people.whose(secret) is None


def test_the_audit_list_is_told_in_words_the_newest_first_and_more_on_asking(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    for number in range(40):
        house.people.note(Who("person", "boss", "admin"), "message-sent", f"wall-{number}, 15 min")
    house.people.note(CONSOLE, "board-revoked", "<img src=x onerror=alert(1)>")
    house.people.note(None, "login-refused", "")
    with opened(browser, locale="nb-NO") as page:
        come_in(page, house, "boss", "/people")
        rows = page.locator("#audit-rows tr")
        expect(rows).to_have_count(30)
        expect(rows.nth(0)).to_contain_text("ingen kjent")
        expect(rows.nth(1)).to_contain_text("stengte et kort ute")
        expect(rows.nth(1)).to_contain_text("<img src=x onerror=alert(1)>")
        assert page.locator("#audit-rows img").count() == 0
        expect(rows.nth(2)).to_contain_text("wall-39")
        page.get_by_role("button", name="Vis eldre").click()
        expect(rows).to_have_count(44)
        expect(rows.nth(41)).to_contain_text("wall-0,")
        expect(rows.nth(42)).to_contain_text("brukte en engangslenke og har en konto nåadministrator")
        expect(page.get_by_role("button", name="Vis eldre")).to_be_hidden()
        assert page.evaluate("document.documentElement.lang") == "nb"


# ---- all of them ----


def test_they_fit_each_screen(browser: Browser, house: House) -> None:
    house.join("boss", "admin")
    house.join("w" * 32, "technician")
    secret = house.token("t" * 32, "wall")
    invited = house.people.invite(CONSOLE, "viewer").secret
    house.people.invite(CONSOLE, "viewer", "w" * 32)

    def fits(what: str) -> None:
        for width in (1280, 700, 320):
            page.set_viewport_size({"width": width, "height": 700})
            page.evaluate(TWO_FRAMES)  # until the floor is laid out for it
            seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth, document.body.innerText]")
            assert seen[0] <= seen[1], (what, width)
            assert not re.search(r"\{\w+\}|undefined", seen[2]), what

    with opened(browser, locale="nb-NO") as page:
        for path in ("/login", "/join", f"/join#{invited}", "/wall/north", "/wall"):
            page.goto(house.address + path)
            expect(page.locator("#shut h1" if "wall" in path else "h1:not(:empty)").first).to_be_visible()
            fits(path)
        page.goto(f"{house.address}/wall/north#token={secret}")  # takes the one of another screen
        expect(page).to_have_title("North · Skien")
        come_in(page, house, "boss")
        expect(page.locator("#messages-open")).to_be_visible()
        fits("/")
        page.goto(f"{house.address}/wall/north#token={secret}")
        expect(page.locator("#shut button").first).to_be_visible()
        fits("asked")
        page.goto(house.address + "/people")
        expect(page.locator("#people-list li")).to_have_count(2)
        expect(page.locator("#audit-rows tr").first).to_be_visible()
        fits("people")
        for button in ("#me-open", "#people-list button >> nth=0", "#people-list button >> nth=4"):
            page.locator(button).click()
            fits(button)
            page.keyboard.press("Escape")
        page.locator("#token-name").fill("lobby")
        page.locator("#token button").click()
        expect(page.locator("#made")).to_be_visible()
        assert page.locator("#made").evaluate("box => box.scrollWidth <= box.clientWidth")
        fits("made")
