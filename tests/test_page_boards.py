"""The boards on the page: many in little room, one in its dialog, and its wires live, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from playwright.sync_api import Browser, Locator, Page, expect

from firmware import inputs
from gateway import board_health
from gateway.board_check import Checks
from gateway.people.people import People
from gateway.presence import Board
from gateway.web import boards_http
from tests.conftest import until
from tests.house import House
from tests.languages import LANGUAGES, words_of
from tests.someone import headers, token
from tests.test_board_check import WATCHED
from tests.test_board_health import HEALTH, HELLO
from tests.test_page import QUEUE, Served, opened, plan

WELL: dict[str, Any] = {
    "state": "ready", "reason": "", "definition": "simulated", "python": "MicroPython", "firmware": "0123456789abcdef",
    "current": True, "uptime_s": 7260, "heap_free": 81920, "wifi_dbm": -60, "reconnects": 1, "lag_ms": 4, "dropped": 0,
    "wrong": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as house:
        house.start_gateway()
        house.start_board("row-a")
        house.wait("the board is there", lambda: house.now("board/row-a").get("uptime_s") is not None, 40)
        yield house


def row(page: Page, board: str) -> Locator:
    return page.locator(f"#board-rows tr[data-board={board}]")


# ---- many of them ----


def test_of_many_boards_only_what_is_wrong_is_shown_until_somebody_asks(browser: Browser) -> None:
    served = Served(plan(desks=120, columns=12, boards=120))
    try:
        served.say({f"board/pico-{n}": WELL for n in range(120)})
        with opened(browser, served.address) as page:
            total, rows = page.locator("#boards-sum"), page.locator("#board-rows tr:visible")
            expect(total).to_have_text("all 120 ready")
            expect(page.locator("#board-table")).to_be_hidden()  # calm

            served.say({f"board/pico-{n}": {**WELL, "wrong": ["behind"]} for n in range(20)})
            served.say({"board/pico-99": {**WELL, "wrong": ["hung", "weak-wifi"]}})
            why = "board pico-70 is cut off or without power, says the broker"
            served.say({"board/pico-70": {**WELL, "state": "lost", "reason": why}})
            expect(total).to_have_text("1 of 120 lost · 20 with other firmware · 1 to look at")
            expect(rows).to_have_count(6)
            expect(rows.nth(0)).to_have_text(re.compile(f"^pico-70.*lost{why}"))
            expect(rows.nth(1)).to_contain_text("hung · weak Wi-Fi")
            expect(rows.nth(1).locator(".shape")).to_have_attribute("data-shape", "triangle")  # not by colour alone
            expect(rows.nth(2)).to_contain_text("other firmware")

            more = page.get_by_role("button", name="Show all 120")
            expect(more).to_have_attribute("aria-expanded", "false")
            more.press("Enter")
            expect(rows).to_have_count(120)
            expect(rows.nth(119)).to_contain_text("pico-119")
            row(page, "pico-42").get_by_role("button").focus()
            page.get_by_role("button", name="Show fewer").evaluate("button => button.click()")
            expect(rows).to_have_count(7)  # where somebody stands does not go
            expect(row(page, "pico-42").get_by_role("button")).to_be_focused()
    finally:
        served.stop()


def test_on_a_crowded_screen_three_wrong_boards_are_in_sight_and_no_part_lies_on_another(browser: Browser) -> None:
    site = plan(desks=465, columns=31, walls=3, boards=117)
    site = site.model_copy(update={"queue": tuple(
        site.queue[0].model_copy(update={"id": f"q{n}", "name": f"Queue {n}"}) for n in range(7)
    )})  # fmt: skip
    served = Served(site)
    try:
        served.say({f"queue/q{n}": QUEUE for n in range(7)})
        served.say({f"board/pico-{n}": {**WELL, "state": "lost", "reason": "silent for 21 s"} for n in range(9)})
        served.say({f"alarm/{kind}.q{n}": {
            "kind": kind, "of": "queue", "about": f"q{n}", "level": "bad", "number": n, "for_s": 60,
            "what": "It is so.", "todo": "Look there.", "facts": {}, "acked": None,
        } for kind in ("long-wait", "queue-unknown", "service-level") for n in range(3)})  # fmt: skip
        with opened(browser, served.address) as page:
            expect(page.locator("#alarms-list .alarm:visible")).to_have_count(9)
            expect(page.locator("#board-rows tr:visible")).to_have_count(6)
            table, third = (page.locator("#board-table" + row).bounding_box() for row in ("", " tbody tr:nth-child(3)"))
            assert third and table and third["y"] + third["height"] <= table["y"] + table["height"] <= 1080
            parts = page.locator("main > section").evaluate_all("""sections => sections.flatMap((section) =>
              [...section.querySelectorAll(".queue, .wall h3, .desk")].map((e) => e.getBoundingClientRect())
                .concat(section.getBoundingClientRect()).map(({ bottom, height }) => [section.id, bottom, height]))""")
            bottoms = {name: bottom for name, bottom, _ in parts}
            lying = [part for part in parts if part[0] in ("queues", "floor") and part[1] > bottoms[part[0]] + 1]
            assert not lying and bottoms["boards"] <= 1080
    finally:
        served.stop()


# ---- one of them ----


def test_a_board_tells_how_it_is_shows_itself_and_is_restarted_after_a_question(browser: Browser, house: House) -> None:
    login = headers(token(house.plan, "technician"))
    with opened(browser, house.web, extra_http_headers=login) as page:
        opener = row(page, "row-a").get_by_role("button", name="row-a")
        opener.press("Enter")
        box = page.get_by_role("dialog", name="row-a")
        expect(box).to_contain_text("ready")
        for fact, value in (
            ("Kind", "simulated"), ("Firmware", r"[0-9a-f]{8}, as this gateway brings it"),
            ("Up for", r".* s, since .*"), ("Started by", "whoever runs it"), ("Heap free", r"\d+ KB"),
            ("Last heard", r"\d+ s ago"),
        ):  # fmt: skip
            expect(box.locator("dl div", has_text=fact).locator("dd").first).to_have_text(re.compile(f"^{value}$"))
        expect(box.get_by_role("row", name="A1")).to_have_text(
            "A1hook GP2ring line GP3headset’s indicator GP4headset’s cradle GP5"
        )
        said = box.get_by_role("status").first
        box.get_by_role("button", name="Identify").press("Enter")
        expect(said).to_have_text("row-a: its light blinks and its walls show the test picture, for 15 s.")

        restart = box.get_by_role("button", name="Restart …")
        restart.press("Enter")
        expect(box).to_contain_text("Restart row-a? It begins as if its power were cut")
        expect(box.get_by_role("button", name="Cancel")).to_be_focused()  # not what restarts
        page.keyboard.press("Escape")
        expect(box.get_by_role("button", name="Cancel")).to_be_hidden()
        expect(restart).to_be_focused()
        restart.click()
        box.get_by_role("button", name="Restart it").click()
        expect(said).to_have_text("row-a did not do it: this board is a program: start it again where it runs")
        with People(house.plan.people) as people:
            until(lambda: people.audit(limit=1)[0].what == "row-a: restart", "it is in the audit list")
            assert [told.what for told in people.audit(limit=2)] == ["row-a: restart", "row-a: identify"]

        box.get_by_role("button", name="A2").click()
        expect(page.locator("[data-desk=a2]")).to_be_focused()
        opener.click()
        page.keyboard.press("Escape")
        expect(box).to_have_count(0)
        expect(opener).to_be_focused()


def test_whoever_only_sees_the_page_sees_a_board_and_cannot_have_it_do_anything(browser: Browser, house: House) -> None:
    login = headers(token(house.plan, "viewer"))
    with opened(browser, house.web, extra_http_headers=login) as page:
        row(page, "row-b").get_by_role("button").click()
        box = page.get_by_role("dialog", name="row-b")
        expect(box).to_contain_text(re.compile(r"No word from board row-b yet\.|Board row-b has been silent for"))
        expect(box.get_by_role("row", name="B1")).to_be_visible()
        names = [name for name in box.get_by_role("button").all_inner_texts() if not re.fullmatch(r"B\d", name)]
        assert names == ["Close"]


def test_wires_are_tried_live_on_a_phone_in_norwegian(browser: Browser, house: House) -> None:
    login = headers(token(house.plan, "technician"))
    how = {"width": 390, "height": 844, "locale": "nb-NO", "extra_http_headers": login}
    with opened(browser, house.web, **how) as page:  # type: ignore[arg-type]
        row(page, "row-a").get_by_role("button").click()
        box = page.get_by_role("dialog", name="row-a")
        box.get_by_role("button", name="Prøv ledningene").click()
        wires, said = box.get_by_role("table", name="Ledningene, direkte"), box.locator(".board-check [role=status]")
        hook = wires.get_by_role("row", name="A1 · gaffel")
        expect(hook).to_have_text("A1 · gaffelGP2åpenIngenting ennå")
        expect(wires.locator("tbody tr")).to_have_count(16)
        house.pin("row-a", "GP2", 0)
        expect(hook).to_have_text("A1 · gaffelGP2sluttetendringer: 1Den endrer seg: ledningen er der.")
        expect(said).to_have_text("A1 · gaffel: Den endrer seg: ledningen er der.")
        inputs_say = box.get_by_role("list", name="Hva kortet sier").locator("li", has_text="A1:")
        expect(inputs_say).to_contain_text("røret er løftet")
        house.pin("row-a", "GP18", 0)  # where a wire may sit by mistake
        expect(box).to_contain_text(
            "Rørte seg, og hører ikke til noen ledning som prøves her: GP18 (ikke noe i anleggsfilen)."
        )

        box.get_by_role("combobox", name="Plass").select_option("A2")
        expect(wires.locator("tbody tr")).to_have_count(4)
        house.pin("row-a", "GP6", 0)
        expect(wires.get_by_role("row", name="gaffel")).to_contain_text("sluttet")
        fits = "box => box.scrollWidth <= box.clientWidth && box.offsetLeft + box.offsetWidth <= innerWidth"
        assert box.evaluate(fits)

        page.keyboard.press("Escape")  # it is over, and can be begun anew at once
        row(page, "row-a").get_by_role("button").click()
        box.get_by_role("button", name="Prøv ledningene").click()
        expect(hook).to_contain_text("sluttetIngenting ennå")
        house.kill("row-a")
        expect(said).to_have_text("Kortet forteller ikke noe lenger: har det mistet strømmen eller nettverket?")
        expect(box.get_by_role("button", name="En gang til")).to_be_focused()
        expect(box).to_contain_text("Kortet row-a er avskåret eller uten strøm, sier brokeren.")
        expect(box).to_contain_text("Se på strømmen og nettverket.")


# ---- one of them, while all around it changes ----


class Told(Served):
    """A page whose boards tell all that is known of them, as they would themselves."""

    heap = 90_000

    def routers(self) -> list[APIRouter]:
        return [boards_http.live_routes(self.site, self.about, Checks(None, None, None), lambda *told: None)]  # type: ignore[arg-type]

    def about(self, name: str) -> dict[str, Any]:
        known = Board(name, heard_s=1.0, hello=HELLO, health={**HEALTH, "heap_free": self.heap})
        return board_health.details(known, self.site, ("ready", ""), 3.0, None)

    def says(self, name: str, **fields: Any) -> None:
        self.heap -= 1024
        self.say({f"board/{name}": {**WELL, "heap_free": self.heap, **fields}})


def test_an_open_board_goes_on_through_its_words_and_another_site_file(browser: Browser) -> None:
    served = Told(plan())
    try:
        served.says("pico-0")
        with opened(browser, served.address) as page:
            row(page, "pico-0").get_by_role("button").click()
            box = page.get_by_role("dialog", name="pico-0")
            expect(box.locator(".board-state")).to_have_text("ready")
            expect(box.get_by_role("link")).to_have_text(["Wall 0", "Wall 1"])  # by their names
            desk = box.get_by_role("button", name="A0")
            desk.focus()
            for _ in range(2):
                served.says("pico-0")
                expect(box.locator("dl")).to_contain_text(f"{round(served.heap / 1024)} KB")
            expect(desk).to_be_focused()

            def read_anew(change: Callable[[dict[str, Any]], None]) -> None:
                plan = json.loads(served.get("/api/plan")[2])
                change(plan)
                page.unroute_all()
                page.route("**/api/plan", lambda route: route.fulfill(json=plan))
                served.say({"plan": {"digest": str(served.heap)}})
                served.heap -= 1024

            read_anew(lambda plan: plan["site"].update(name="Porsgrunn"))
            expect(page.locator("#site")).to_have_text("Porsgrunn")
            expect(box.locator(".board-state")).to_have_text("ready")
            served.says("pico-0", state="lost", reason="board pico-0 floods", floods=True)
            expect(box.locator(".board-state")).to_have_text("lost")
            expect(box.locator(".board-wrong")).to_contain_text("so much that nobody listens to it")
            served.says("pico-0", state="lost", reason="board pico-0 has been silent for 20 s or more", floods=False)
            expect(box.locator(".board-wrong")).to_contain_text("Look at its power and its network.")
            read_anew(lambda plan: plan["boards"].pop(0))
            expect(box).to_have_count(0)
            row(page, "pico-1").get_by_role("button").click()
            expect(page.get_by_role("dialog", name="pico-1")).to_be_visible()
    finally:
        served.stop()


# ---- words ----


def test_each_language_has_words_for_all_that_the_gateway_and_boards_say(browser: Browser, house: House) -> None:
    with opened(browser, house.web, extra_http_headers=house.login) as page:
        asked = """language => import(`/static/words/board_words_${language}.js`).then((file) => file[language])"""
        of = {language: page.evaluate(asked, language) for language in LANGUAGES}
        words = words_of(page)
    kinds = {*board_health.KINDS, *board_health.OF_FILES}
    for language in LANGUAGES:
        told = of[language]
        assert set(words[language]["board_wrong"]) == set(told["wrong"]) == kinds
        assert set(told["refused"]) == {*boards_http.STATUSES, "gone", "lost"}
        assert set(told["found"]) == set(WATCHED)
        assert set(told["why"]) == set(inputs.WHY) - {None}
        assert set(told["restarts"]) == {"pwron", "wdt", "soft", "hard", "deepsleep", "started"}
        assert set(told["done"]) == set(boards_http.DO)
        assert set(told["wire"]) == {"hook", "ring", "line", "lamp", "dock", "usb"}
        told["answers"] = {}  # English needs none
        assert shape_of(told) == shape_of({**of["en"], "answers": {}}), language


def shape_of(table: Any) -> Any:
    """Its keys, and which names each text has filled in."""
    if isinstance(table, dict):
        return {key: shape_of(inside) for key, inside in table.items()}
    return sorted(set(re.findall(r"{\w+}", table)))
