"""The trend on a queue's card and the queue's own page, in a real browser, from a real file of totals."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import math
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

import floorplan
from gateway import trend
from gateway.days import Calendar
from gateway.queues.totals import percent_met
from gateway.store import Batch, Store
from gateway.web import page_plan

from .conftest import until
from .test_page import QUEUE, Served, card, opened
from .test_page_queues import KEPT, NAMES

TODAY = dt.date(2026, 11, 18)
NOW_S = dt.datetime(2026, 11, 18, 13, 40, tzinfo=dt.UTC).timestamp()  # 14:40 there
GOOD = {"light": (0x00, 0x71, 0x9A), "dark": (0x00, 0xC8, 0xFF)}  # --good of look.css
HISTORY = {"history": {**KEPT, "day": TODAY.isoformat(), "since": "00:00"}}
PLOTS = ("calls", "level", "waits", "desks")


def house(folder: Path) -> floorplan.Plan:
    """Seven queues above 465 desks."""
    tables = {
        "site": {"id": "skien", "name": "Skien", "time_zone": "Europe/Oslo"},
        "queue": [{"id": name, "name": shown, "pbx": name} for name, shown in NAMES.items()],
        "desk": [{"id": f"a{n}", "at": [n % 31, n // 31]} for n in range(465)],
    }
    return floorplan.check(tables, "test", folder)


def fill(site: floorplan.Plan) -> None:
    """Last week's day, yesterday and today until 14:40; at half past eight nobody saw the first queue."""
    assert site.history.path
    calendar = Calendar("Europe/Oslo")
    with contextlib.closing(Store(site.history.path, calendar, site.history)) as store:
        store.commit(Batch(at_s=calendar.day_bounds(TODAY - dt.timedelta(days=8))[0]))
        for ago in (7, 1, 0):
            begins_s, ends_s = calendar.day_bounds(TODAY - dt.timedelta(days=ago))
            ends_s = min(ends_s, int(NOW_S))
            counts = {}
            for start in range(begins_s, ends_s, 900):
                hour = (start - begins_s) / 3600
                came = 2 + int(10 * max(0.0, math.sin((hour - 5) / 15 * math.pi))) + ago
                row = {"joined": came, "answered": came - 1, "answered_within": came - 2, "abandoned": 1,
                       "answered_wait_s": 11.0 * (came - 1), "completed": came - 1, "talk_s": 190.0 * (came - 1),
                       "longest_wait_s": 20 + 5.0 * came, "handling_s": 2700.0, "available_s": 900.0,
                       "seen_s": min(900.0, NOW_S - start)}  # fmt: skip
                for queue in NAMES:
                    if (queue, ago, hour) != ("norsk", 0, 8.5):
                        counts[queue, start] = {name: float(amount) for name, amount in row.items()}
            store.commit(Batch(counts, at_s=float(ends_s)))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> floorplan.Plan:
    made = house(tmp_path_factory.mktemp("day"))
    fill(made)
    return made


@pytest.fixture(scope="module")
def served(site: floorplan.Plan) -> Iterator[Served]:
    page = Served(site)
    page.day_of = trend.days_of(site, lambda: TODAY)
    page.say({f"queue/{name}": QUEUE for name in NAMES} | HISTORY)
    yield page
    page.stop()


@contextlib.contextmanager
def day_page(
    browser: Browser, address: str, path: str = "/queues/norsk", expected: str = "", **more: Any
) -> Iterator[Page]:
    """A queue's page, as soon as it shows a day; what it complains of must match `expected`."""
    context = browser.new_context(**{"viewport": {"width": 1920, "height": 1080}, "locale": "en-GB", **more})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address + path)
    try:
        yield page
    finally:
        context.close()
    assert [text for text in complaints if not (expected and re.search(expected, text))] == []


def has_colour(canvas: Locator, colour: tuple[int, int, int]) -> bool:
    """Whether so much of it has just this colour as a line needs."""
    if not canvas.is_visible():
        return False
    picture = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
    return sum(count for count, dot in picture.getcolors(1 << 24) or [] if dot == colour) > 20


def column(site: floorplan.Plan, queue: str, name: str, which: str = "this") -> list[Any]:
    values: list[Any] = trend.day(site.history.path, site, queue, TODAY)["days"][which]["quarters"][name]
    return values


# ---- the card ----


def test_the_trend_says_and_draws_todays_calls_beside_yesterdays(
    browser: Browser, served: Served, site: floorplan.Plan
) -> None:
    by_now = {}
    for which, ago in trend.BESIDE.items():
        counts = column(site, "svenska", "joined", which)
        by_now[which] = sum(counts[:58]) + (counts[58] if ago == 0 else round(counts[58] * 2 / 3))  # 14:40
    assert len(set(by_now.values())) == 3
    with opened(browser, served.address, color_scheme="light") as page:
        here = card(page, "svenska").locator(".trend")
        expect(here.locator("b")).to_have_text([str(count) for count in by_now.values()])
        expect(here.locator("li span")).to_have_text(["today", "yesterday", "a week ago"])
        picture = here.get_by_role("img")
        expect(picture).to_have_attribute("aria-label", (
            f"Calls by quarters of an hour. came today: {by_now['this']}; had come by this time yesterday: "
            f"{by_now['day_before']}; had come by this time on the same day a week ago: {by_now['week_before']}."
        ))  # fmt: skip
        canvas = here.locator("canvas")
        until(lambda: has_colour(canvas, GOOD["light"]), "dark lines on light")
        page.emulate_media(color_scheme="dark")
        until(lambda: has_colour(canvas, GOOD["dark"]), "light lines on dark")
        page.evaluate("document.documentElement.dataset.theme = 'light'")
        until(lambda: has_colour(canvas, GOOD["light"]), "dark lines on light")


def test_plots_come_after_the_page_and_only_where_totals_are_kept(browser: Browser, site: floorplan.Plan) -> None:
    page_of = Served(site)
    page_of.day_of = trend.days_of(site, lambda: TODAY)
    page_of.say({f"queue/{name}": QUEUE for name in NAMES} | {"history": {**KEPT, "state": "off"}})
    asked: list[str] = []
    try:
        with opened(browser, page_of.address) as page:
            page.on("request", lambda request: asked.append(request.url.removeprefix(page_of.address)))
            page_of.say({"history": {**KEPT, "state": "off", "open": False}})
            expect(page.get_by_text("closed now")).to_be_visible()
            assert not [url for url in asked if "/lib/" in url or "/day" in url]
            expect(card(page, "norsk").locator(".trend")).to_be_hidden()
            page_of.say(HISTORY)
            expect(page.locator(".trend canvas")).to_have_count(7)
            days = [url for url in asked if url.endswith("/day")]
            assert days == [f"/api/queues/{name}/day" for name in NAMES]
            assert len([url for url in asked if url.endswith(".min.js")]) == 1
    finally:
        page_of.stop()


@pytest.mark.parametrize("locale", ["en-GB", "sv-SE"])
def test_seven_whole_cards_stand_above_465_desks(browser: Browser, served: Served, locale: str) -> None:
    with opened(browser, served.address, locale=locale) as page:
        expect(page.locator(".trend canvas")).to_have_count(7)
        for part in ("html", "#queue-cards", "#map"):
            size = page.locator(part).evaluate("e => [e.scrollHeight, e.clientHeight]")
            assert size[0] <= size[1] + 1, part  # each of them is rounded for itself
        inside = """card => {
          const [own, all] = [card, card.closest("section")].map((e) => e.getBoundingClientRect());
          return own.bottom <= all.bottom &&
            card.scrollHeight <= card.clientHeight && card.scrollWidth <= card.clientWidth;
        }"""
        assert page.locator(".queue").evaluate_all(f"cards => cards.map({inside})") == [True] * 7
        # What a glance needs is all seen; the day's list is on the queue's own page.
        here = card(page, "norsk")
        for part in (".big .figure >> nth=1", ".counts b >> nth=0", ".desks b", ".level .target", ".level .bar"):
            expect(here.locator(part)).to_be_visible()
        expect(here.locator(".today")).to_be_hidden()


def test_a_card_leads_to_its_queues_day(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        card(page, "polski").locator(".counts").click()
        expect(page).to_have_url(f"{served.address}/queues/polski")
        expect(page.get_by_role("heading", name="Polski", level=1)).to_be_visible()
        page.get_by_role("link", name="To the floor").press("Enter")
        href = card(page, "arabi").get_by_role("link").get_attribute("href")
        assert href == f"{served.address}/queues/arabi"


# ---- the queue's own page ----


def named(weekday: str, date: str) -> re.Pattern[str]:
    """A day as British English writes it: some browsers put a comma after its name, some none."""
    return re.compile(f"^{weekday},? {date}$")


def cells(page: Page, table: str, title: str) -> Locator:
    return page.locator(f"{table} tr").filter(has=page.locator("th", has_text=title)).locator("td")


def test_a_day_is_told_in_sums_and_by_quarters(browser: Browser, served: Served, site: floorplan.Plan) -> None:
    with day_page(browser, served.address) as page:
        expect(page.locator("#date-title")).to_have_text(named("Wednesday", "18 November 2026"))
        expect(page.locator("#counted")).to_have_text("counted until 14:40")
        sums = [sum(n for n in column(site, "norsk", "joined", which) if n is not None) for which in trend.BESIDE]
        expect(cells(page, "#sum-table", "came")).to_have_text([f"{count:,}" for count in sums])
        expect(cells(page, "#sum-table", "service level")).to_have_text([f"{percent_met(level)}%" for level in (
            trend.day(site.history.path, site, "norsk", TODAY)["days"][which]["total"]["service_level"]
            for which in trend.BESIDE
        )])  # fmt: skip
        level = page.locator("#sum-table th", has_text="service level")
        expect(level).to_contain_text("answered within 20 s, of all answered and abandoned")
        expect(level).to_contain_text("target 80% in 20 s")

        rows = page.locator("#quarter-table tbody tr")
        expect(rows).to_have_count(59)  # until 14:30, which is still under way
        came = column(site, "norsk", "joined")[36]
        expect(cells(page, "#quarter-table", "09:00")).to_have_text([
            str(came), str(came - 1), "1", "0", f"{percent_met((came - 2) / came)}%", "0:11", "1:05", "4",
            str(column(site, "norsk", "desks_needed")[36]),
        ])  # fmt: skip
        expect(rows.last).to_contain_text("14:30still under way")
        expect(cells(page, "#quarter-table", "08:30")).to_have_text(["–"] * 9)
        expect(rows.nth(34)).to_contain_text("15 min not seen")
        expect(page.locator("#gaps")).to_have_text("Not counted: 15 min between 08:30 and 08:45")
        href = page.locator("#csv").get_attribute("href")
        assert href == f"{served.address}/api/history.csv?by=quarter&from=2026-11-18&to=2026-11-18&queue=norsk"


def test_four_plots_say_what_is_under_the_pointer(browser: Browser, served: Served, site: floorplan.Plan) -> None:
    with day_page(browser, served.address, color_scheme="dark") as page:
        for name in PLOTS:
            canvas = page.locator(f"#canvas-{name} canvas")
            until(partial(has_colour, canvas, GOOD["dark"]), f"{name} is drawn")
        expect(page.locator("#key-level")).to_contain_text("target80%")
        expect(page.locator("#key-desks li span")).to_have_text(["desks present", "desks needed"])
        over = page.locator("#canvas-calls .u-over")
        box = over.bounding_box()
        assert box
        over.hover(position={"x": box["width"] * 36.1 / 96, "y": box["height"] / 2})
        expect(page.locator("#key-calls .time")).to_have_text("09:00")
        expect(page.locator("#key-calls b")).to_have_text(
            [str(column(site, "norsk", "joined", which)[36]) for which in trend.BESIDE]
        )
        expect(page.locator("#key-waits b").first).to_have_text("0:11")  # and the others say the same quarter
        page.mouse.move(5, 5)
        expect(page.locator("#key-calls .time")).to_be_empty()


def test_other_days_are_reached_by_arrows_by_date_and_by_the_way_back(browser: Browser, served: Served) -> None:
    with day_page(browser, served.address) as page:
        title = page.locator("#date-title")
        expect(title).to_have_text(named("Wednesday", "18 November 2026"))
        after, today = (page.get_by_role("button", name=name) for name in ("Day after ›", "Today"))
        expect(after).to_be_disabled()
        expect(today).to_be_disabled()
        page.get_by_role("button", name="‹ Day before").press("Enter")
        expect(title).to_have_text(named("Tuesday", "17 November 2026"))
        expect(page.locator("#counted")).to_be_empty()
        expect(page.locator("#quarter-table tbody tr")).to_have_count(96)
        expect(after).to_be_enabled()
        page.get_by_label("Day", exact=True).fill("2026-11-11")
        expect(title).to_have_text(named("Wednesday", "11 November 2026"))
        expect(page).to_have_url(f"{served.address}/queues/norsk?date=2026-11-11")
        page.go_back()
        expect(title).to_have_text(named("Tuesday", "17 November 2026"))
        today.click()
        expect(title).to_have_text(named("Wednesday", "18 November 2026"))
    with day_page(browser, served.address, "/queues/norsk?date=2026-11-03") as page:  # nothing is kept of it
        expect(page.locator("#date-title")).to_have_text(named("Tuesday", "3 November 2026"))
        expect(cells(page, "#sum-table", "came")).to_have_text(["–"] * 3)


def test_a_date_that_is_typed_is_one_step_and_the_one_that_was_meant(browser: Browser, served: Served) -> None:
    with day_page(browser, served.address, locale="en-US") as page:
        expect(page.locator("#date-title")).to_have_text("Wednesday, November 18, 2026")
        before = page.evaluate("history.length")
        page.get_by_label("Day", exact=True).focus()
        page.keyboard.type("11112026", delay=60)
        expect(page.locator("#date-title")).to_have_text("Wednesday, November 11, 2026")
        assert page.evaluate("history.length") == before + 1
        page.go_back()
        expect(page.get_by_label("Day", exact=True)).to_have_value("2026-11-18")
        page.keyboard.press("Tab")
        expect(page.locator("#date-title")).to_have_text("Wednesday, November 18, 2026")


@pytest.mark.parametrize("date", ["foo", "2026-02-30", "1969-01-01"])
def test_an_address_of_no_day_leads_to_today_and_says_so(browser: Browser, served: Served, date: str) -> None:
    with day_page(browser, served.address, f"/queues/norsk?date={date}", expected="404|422") as page:
        expect(page.locator("#date-title")).to_have_text(named("Wednesday", "18 November 2026"))
        expect(page.get_by_role("alert")).to_have_text("Nothing is kept of that day.")
        expect(page).to_have_url(f"{served.address}/queues/norsk")


def test_a_day_that_has_not_begun_is_said_to_be_one(browser: Browser, served: Served) -> None:
    with day_page(browser, served.address, "/queues/norsk?date=2027-01-01") as page:
        expect(page.get_by_role("alert")).to_have_text("That day has not begun.")


def test_what_had_come_by_then_is_unknown_where_none_of_it_was_seen(browser: Browser, served: Served) -> None:
    ask = """(asked) => import('/static/queues/trend.js').then(({ until }) =>
        asked.map(([counts, running]) => until(counts, running)))"""
    half = {"quarter": 3, "share": 0.5}
    with day_page(browser, served.address) as page:
        assert page.evaluate(ask, [
            [[None, None, None, None, 7], half], [[1, None, 2, 4, 7], half], [[None, 5, 6], None], [[None] * 5, None],
        ]) == [None, 5, 11, None]  # fmt: skip


def test_a_page_left_open_loads_itself_again_when_the_gateway_brings_a_newer_one(
    browser: Browser, served: Served
) -> None:
    with day_page(browser, served.address) as page:
        expect(page.locator("#day")).to_be_visible()
        page.evaluate("document.body.dataset.here = 'before'")
        page.get_by_role("button", name="‹ Day before").click()
        expect(page.locator("#date-title")).to_have_text(named("Tuesday", "17 November 2026"))
        expect(page.locator("[data-here]")).to_have_count(1)
        page.route("**/api/plan", lambda route: route.fulfill(json={**route.fetch().json(), "page": "newer"}), times=1)
        page.get_by_role("button", name="‹ Day before").click()
        expect(page.locator("#date-title")).to_have_text(named("Monday", "16 November 2026"))
        expect(page.locator("[data-here]")).to_have_count(0)


def test_a_phone_shows_the_day_without_scrolling_sideways(browser: Browser, served: Served) -> None:
    with day_page(browser, served.address, viewport={"width": 390, "height": 844}, locale="nb-NO") as page:
        expect(page.locator("#plots canvas")).to_have_count(4)
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_gateway_without_plots_says_so_and_shows_the_table(
    browser: Browser, site: floorplan.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_plan, "PLOTS", "lib/not-there.js")
    page_of = Served(site)
    page_of.day_of = trend.days_of(site, lambda: TODAY)
    page_of.say({f"queue/{name}": QUEUE for name in NAMES} | HISTORY)
    try:
        with day_page(browser, page_of.address) as page:
            expect(page.locator("#no-plots")).to_contain_text("installed without what draws plots")
            expect(page.locator("#quarter-table tbody tr")).to_have_count(59)
            expect(page.locator("#plots section:visible")).to_have_count(0)
        with opened(browser, page_of.address) as page:
            expect(card(page, "norsk").locator(".trend .key")).to_be_visible()
            expect(card(page, "norsk").locator(".trend .plot")).to_be_hidden()
    finally:
        page_of.stop()


def test_a_queue_that_is_not_there_is_said_to_be_none(browser: Browser, served: Served) -> None:
    with day_page(browser, served.address, "/queues/polsk") as page:
        expect(page.get_by_role("alert")).to_contain_text("There is no such queue.")
        expect(page.locator("#day")).to_be_hidden()
