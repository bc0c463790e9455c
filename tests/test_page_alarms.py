"""The list of what is wrong, on the supervisor's page in a real browser: real alarms, of signs said by hand."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from playwright.sync_api import Browser, Locator, Page, expect

import floorplan
from gateway import walltime
from gateway.alarms.kinds import KINDS, OF_FLOOR
from gateway.alarms.signs import Fact, Sign
from gateway.alarms.standing import Alarms
from gateway.days import Calendar
from gateway.floor import NOT_HEARD
from gateway.shown import WRONG, words
from gateway.store import Store, StoreError
from gateway.web import alarms_http
from gateway.web.news import News

from .conftest import until
from .gated import CONSOLE, Gated, gated
from .gated import plan as gated_plan
from .languages import words_of
from .test_page import QUEUE, Served, desk, opened, plan, tile

AT_ONCE = floorplan.Alarms(
    long_wait_s=0, service_level_s=0, queue_unknown_s=0, board_lost_s=0, source_away_s=0, broker_away_s=0,
    clock_unset_s=0, history_failed_s=0, hold_s=0,
)  # fmt: skip
SILENT = "board {} has been silent for 20 s or more"
LONG = Sign("long-wait", "polski", facts={"wait_s": 312, "limit_s": 20, "waiting": 4})
LEVEL = Sign(
    "service-level", "polski", facts={"level_pct": 62, "target_pct": 80, "within_s": 20, "calls": 1410}
)
BROKER = Sign("broker-away", facts={"reason": "no answer at port 1883"})
RINGS = Sign(
    "empty-desk-rings", "a3", facts={"desk": "the headset lies in its cradle", "pbx": "a call rings there"}
)
OFF_HOOK = Sign(
    "off-hook-no-call", "a1", facts={"desk": "the handset is lifted", "pbx": "no call, ready for one"}
)


def clock() -> float:
    """The gateway's clock."""
    return time.monotonic() + 100_000


def lost(board: str, **more: Fact) -> Sign:
    return Sign(
        "board-lost", board, facts={"reason": SILENT.format(board), "desks": 4, "busy": 0, "many": False, **more}
    )


def wrong_wall(name: str, kind: str, why: str = "") -> Sign:
    reason, todo = words(kind, why)
    return Sign("wall-wrong", name, facts={"wrong": kind, "reason": reason, "todo": todo})


def ago(sign: Sign, seconds: float) -> Sign:
    """It has been so for so long."""
    return sign._replace(since_s=clock() - seconds)


class Wrong:
    """Real alarms for a page: what is so now is said by `so`, and all of it is an alarm at once."""

    def __init__(self) -> None:
        self.alarms = Alarms(AT_ONCE)
        self.news: News

    def router(self, note: Any = lambda *_: None) -> APIRouter:
        return alarms_http.routes(self.alarms, clock, lambda at_s: None, self.tell, note)

    def so(self, *signs: Sign) -> None:
        """This is what is wrong now, and nothing else; to be called on the page's loop."""
        self.tell(self.alarms.look(signs, clock()))

    def tell(self, names: Any) -> None:
        for name in names:
            document = self.alarms.document(name, clock())
            if document:
                self.news.say(f"alarm/{name}", document)
                self.alarms.told(name)
            else:
                self.news.forget(f"alarm/{name}")


class Alarmed(Served):
    """A page with alarms."""

    def start(self) -> None:
        self.wrong = Wrong()
        super().start()
        self.wrong.news = self.news

    def routers(self) -> list[APIRouter]:
        return [self.wrong.router()]

    def so(self, *signs: Sign) -> None:
        self.on_loop(lambda: self.wrong.so(*signs))


def alarmed(site: floorplan.Plan) -> Alarmed:
    page = Alarmed(site)
    page.say({f"desk/{row.id}": {**desk("free"), "fault": "", "rings": None} for row in site.desk})
    page.say({"queue/polski": QUEUE, "queue/arabi": QUEUE})
    return page


@pytest.fixture
def served() -> Iterator[Alarmed]:
    page = alarmed(plan(walls=3, boards=3))
    yield page
    page.stop()


def of_kind(page: Page, kind: str) -> Locator:
    return page.locator(f"#alarms-open [data-kind={kind}]")


def lines(page: Page) -> Locator:
    return page.locator("#alarms-open .alarm")


def take(page: Page, what: str | re.Pattern[str], note: str = "") -> None:
    """Acknowledges, as with a keyboard."""
    page.get_by_role("button", name=what).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.keyboard.type(note)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


# ---- what is wrong ----


def test_where_nothing_is_wrong_that_is_said_and_no_more(browser: Browser, served: Alarmed) -> None:
    with opened(browser, served.address) as page:
        expect(page.locator("#alarms")).to_contain_text("Nothing is wrong.")
        expect(lines(page)).to_have_count(0)
        expect(page).to_have_title("4 waiting · Skien")
        expect(page.locator("link[rel=icon]")).to_have_attribute("href", "static/favicon.svg")


def test_an_alarm_says_what_where_for_how_long_and_what_to_do(browser: Browser, served: Alarmed) -> None:
    with opened(browser, served.address) as page:
        served.so(ago(LONG, 8))
        here = of_kind(page, "long-wait")
        expect(here.locator("h3")).to_have_text("urgent: Somebody waits too long")
        expect(here.locator(".todo").first).to_contain_text("Bring desks into this queue")
        expect(lines(page).locator("p")).to_have_text(
            re.compile(r"^Polski 5:12, and 0:20 is the limit; 4 waiting\.\s+for \d+ s$"))  # fmt: skip
        expect(lines(page).locator(".for")).to_have_text(re.compile("for 1[0-9] s"))  # it ticks
        expect(page.locator("#alarms-calm")).to_be_hidden()

        # The tab tells it too, by its title and by an icon that is there.
        expect(page).to_have_title("▲ 1 · 4 waiting · Skien")
        icon = page.locator("link[rel=icon]").get_attribute("href") or ""
        assert served.get("/" + icon)[0] == 200 and icon != "static/favicon.svg"

        page.get_by_role("button", name="Polski", exact=True).click()
        expect(page.locator("[data-queue=polski]")).to_be_focused()
        served.so()
        expect(page.locator("#alarms")).to_contain_text("Nothing is wrong.")
        expect(page).to_have_title("4 waiting · Skien")


def test_each_name_leads_to_what_it_belongs_to(browser: Browser, served: Alarmed) -> None:
    served.so(RINGS, lost("pico-1"), wrong_wall("wall-1", "scene"), BROKER)
    with opened(browser, served.address, 390, 844) as page:
        for name, place in (
            ("A3", "[data-desk=a3]"),
            ("pico-1", "[data-board=pico-1]"),
            ("Wall 1", "[data-wall=wall-1]"),
        ):
            page.locator("#alarms").get_by_role("button", name=name, exact=True).click()
            expect(page.locator(f"main {place}")).to_be_focused()
            expect(page.locator(f"main {place}")).to_be_in_viewport()
        expect(of_kind(page, "broker-away").locator(".name")).to_have_count(0)  # it has no place on the page


def test_what_is_urgent_comes_first_and_the_oldest_of_a_kind(browser: Browser, served: Alarmed) -> None:
    served.so(
        ago(LEVEL, 4000), ago(OFF_HOOK, 700), ago(OFF_HOOK._replace(about="a2"), 900), ago(lost("pico-1"), 5),
        ago(wrong_wall("wall-0", "dim"), 9000), ago(RINGS, 2), ago(LONG, 60),
    )  # fmt: skip
    with opened(browser, served.address) as page:
        kinds = page.locator("#alarms-open > li")
        expect(kinds).to_have_count(6)
        assert [kinds.nth(n).get_attribute("data-kind") for n in range(6)] == [
            "long-wait", "empty-desk-rings", "board-lost", "service-level", "off-hook-no-call", "wall-wrong",
        ]  # fmt: skip
        expect(of_kind(page, "off-hook-no-call").locator("h3")).to_contain_text(": 2")
        expect(of_kind(page, "off-hook-no-call").locator(".name")).to_have_text(["A2", "A1"])


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (390, 844)])
def test_a_house_full_of_alarms_is_a_short_list(browser: Browser, width: int, height: int) -> None:
    crowded = alarmed(plan(desks=465, columns=31, boards=40))
    try:
        off_hook = [ago(OFF_HOOK._replace(about=f"a{20 * n}"), 600 - n) for n in range(20)]
        crowded.so(*[lost(f"pico-{n}", many=True, busy=n) for n in range(14)], *off_hook)
        with opened(browser, crowded.address, width, height) as page:
            boards = of_kind(page, "board-lost")
            expect(boards.locator("h3")).to_have_text("urgent: Board lost: 14")
            expect(boards).to_contain_text("So many at once have one cause")
            expect(lines(page)).to_have_count(0)
            box = page.locator("#alarms").bounding_box()
            assert box and box["height"] < 0.5 * height and box["x"] + box["width"] <= width
            assert page.evaluate("document.documentElement.scrollWidth") == width
            fold = boards.get_by_role("button", name="show all")
            expect(fold).to_have_attribute("aria-expanded", "false")
            fold.click()
            expect(lines(page)).to_have_count(14)
            expect(page.locator("[data-alarm='board-lost.pico-0']")).not_to_contain_text("in a call")
            expect(page.locator("[data-alarm='board-lost.pico-3']")).to_contain_text("; in a call there, unseen: 3.")
            expect(boards.locator("[aria-expanded]")).to_have_attribute("aria-expanded", "true")
            if width > 390:  # it scrolls in its own place; a phone scrolls as a whole
                box = page.locator("#alarms").bounding_box()
                assert box and box["height"] < 0.6 * height
            boards.get_by_role("button", name="fold").click()
            expect(lines(page)).to_have_count(0)
    finally:
        crowded.stop()


def test_what_is_mended_in_other_ways_says_so_on_each_line(browser: Browser, served: Alarmed) -> None:
    served.so(
        wrong_wall("wall-0", "scene"),
        wrong_wall("wall-1", "trouble", "\u202eevil\u2066"),
        wrong_wall("wall-2", "scene"),
    )
    with opened(browser, served.address) as page:
        here = of_kind(page, "wall-wrong")
        expect(here.locator("> .todo")).to_have_text("")
        expect(here.locator(".alarm .todo")).to_have_count(3)
        expect(here).to_contain_text("The wall shows another scene than it should.")
        expect(here).to_contain_text("Does it not know this kind of scene, update its board")
        theirs = here.locator("[data-alarm='wall-wrong.wall-1'] .more")
        expect(theirs).to_contain_text("evil")
        assert theirs.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"
        served.so(wrong_wall("wall-0", "scene"), wrong_wall("wall-2", "scene"))
        expect(here.locator("> .todo")).to_contain_text("Start the gateway again")  # once for both


def test_a_length_said_anew_goes_on_and_who_stands_in_the_list_stays_there(
    browser: Browser, served: Alarmed
) -> None:
    served.so(ago(OFF_HOOK, 100), ago(OFF_HOOK._replace(about="a2"), 90))
    with opened(browser, served.address) as page:
        there = page.locator("[data-alarm='off-hook-no-call.a2']")
        expect(there.locator(".for")).to_have_text("for 1 min")
        there.get_by_role("button", name="A2", exact=True).focus()
        page.evaluate("line => { window.line = line }", there.element_handle())
        served.so(ago(OFF_HOOK, 100), ago(OFF_HOOK._replace(about="a2"), 90), RINGS, ago(LONG, 4000))
        expect(lines(page)).to_have_count(4)
        expect(there.get_by_role("button", name="A2", exact=True)).to_be_focused()
        expect(of_kind(page, "long-wait").locator(".for")).to_have_text("for 1 h 6 min")
        served.on_loop(lambda: served.wrong.tell(served.wrong.alarms.all()))  # as with each beat
        served.so(ago(OFF_HOOK, 100), ago(OFF_HOOK._replace(about="a2"), 90), ago(LONG, 4000))
        expect(lines(page)).to_have_count(3)
        assert there.evaluate(
            "line => line === window.line"
        )  # the same one: what is being pressed is not taken away
        page.keyboard.press("Enter")
        expect(tile(page, "a2")).to_be_focused()


def test_what_nobody_can_see_now_is_told_as_the_last_that_was_seen(browser: Browser, served: Alarmed) -> None:
    served.so(lost("pico-1"))
    with opened(browser, served.address) as page:
        expect(lines(page)).not_to_contain_text("the last that was seen")
        served.so(Sign("board-lost", "pico-1", None))
        expect(lines(page)).to_contain_text("This is the last that was seen of it.")


def test_a_kind_that_the_page_does_not_know_is_told_in_the_gateways_words(
    browser: Browser, served: Alarmed
) -> None:
    strange = {
        "kind": "something-new", "of": "wall", "about": "wall-0", "level": "warn", "for_s": 3, "what": "It hums.",
        "todo": "Listen.", "facts": {}, "acked": None,
    }  # fmt: skip
    served.say({"alarm/something-new.wall-0": strange})
    with opened(browser, served.address) as page:
        expect(page.locator("#alarms-open")).to_contain_text(re.compile(r"Listen\..*Wall 0 It hums\.", re.S))


# ---- somebody sees to it ----


def test_an_acknowledged_alarm_is_quiet_until_it_is_over(browser: Browser, served: Alarmed) -> None:
    served.so(LONG, lost("pico-1"))
    note = "<b>Lines</b> are mended at noon"
    with opened(browser, served.address) as page, opened(browser, served.address, locale="nb-NO") as other:
        take(page, re.compile("^Acknowledge: Polski"), note)
        expect(page.locator("#alarms-title")).to_be_focused()  # what was pressed is gone
        for here in (page, other):
            expect(of_kind(here, "long-wait")).to_have_count(0)
            expect(here.locator("#alarms-seen .alarm")).to_contain_text(note)
            expect(here.locator("#alarms-open > li")).to_have_count(1)
        expect(page).to_have_title("▲ 1 · 4 waiting · Skien")
        expect(page.locator("#alarms-seen")).to_contain_text(
            re.compile(r"Polski Somebody waits too long\s+for \d+ s\s*\d+ s ago")
        )
        served.so(LONG)
        expect(page.locator("#alarms-calm")).to_have_text("Nothing else is wrong.")

        page.get_by_role("button", name=re.compile("^Reopen: Polski")).click()
        expect(of_kind(other, "long-wait")).to_have_count(1)
        expect(page.locator("#alarms-seen-part")).to_be_hidden()
        take(page, re.compile("^Acknowledge: Polski"))
        expect(page.locator("#alarms-seen .note")).to_be_hidden()
        served.so()
        expect(page.locator("#alarms")).to_contain_text("Nothing is wrong.")
        served.so(LONG)  # another one
        expect(of_kind(page, "long-wait")).to_have_count(1)


def test_many_are_acknowledged_together_and_one_that_is_over_says_so(
    browser: Browser, served: Alarmed
) -> None:
    served.so(*[OFF_HOOK._replace(about=f"a{n}") for n in range(8)], RINGS)
    with opened(browser, served.address, expected="409") as page:
        take(page, "Acknowledge all", "a fire drill")
        expect(page.locator("#alarms-seen-title")).to_have_text("Somebody sees to these: 8")
        expect(page.locator("#alarms-seen .alarm")).to_have_count(0)  # folded, until somebody asks
        page.locator("#alarms-seen-fold").click()
        expect(page.locator("#alarms-seen .alarm")).to_have_count(8)
        page.get_by_role("button", name=re.compile("^Acknowledge: A3")).click()
        box = page.get_by_role("dialog")
        box.get_by_role("textbox").fill("x" * 300)
        assert len(box.get_by_role("textbox").input_value()) == 200
        served.so()
        served.so(RINGS)  # another one: the note is not about it
        box.get_by_role("button", name="Acknowledge").click()
        expect(box.get_by_role("alert")).to_have_text("It is over already.")
        expect(of_kind(page, "empty-desk-rings")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(box).to_have_count(0)
        expect(page.locator("#alarms-title")).to_be_focused()  # what was pressed is no more


def test_of_more_than_a_hundred_the_rest_is_a_number(browser: Browser, served: Alarmed) -> None:
    served.so(*[OFF_HOOK._replace(about=f"d{n}") for n in range(112)])
    with opened(browser, served.address) as page:
        page.locator("#alarms-open").get_by_role("button", name="show all").click()
        expect(lines(page)).to_have_count(100)
        expect(page.locator("#alarms-open li").last).to_have_text("12 more")


def test_only_who_may_sees_to_alarms_and_the_page_and_the_list_name_them(
    browser: Browser, tmp_path: Path
) -> None:
    wrong = Wrong()
    told: list[tuple[str, str, str]] = []
    router = wrong.router(lambda who, did, what: told.append((who.name, did, what)))
    with gated(gated_plan(tmp_path), [router]) as house:
        wrong.news = house.news
        wrong.so(LONG, RINGS._replace(about="a1"))
        with opened(browser, address(house), expected="404", **somebody(house, "viewer", "eye")) as page:
            expect(lines(page)).to_have_count(2)
            expect(page.get_by_role("button", name=re.compile("^Acknowledge"))).to_have_count(0)
            page.get_by_role("button", name="Ended ones").click()
            expect(page.get_by_role("dialog")).to_contain_text("Those at desks are shown to who sees to alarms.")
        with opened(
            browser, address(house), expected="404", **somebody(house, "supervisor", "desk-lead")
        ) as page:
            take(page, re.compile("^Acknowledge: Polski"), "on my way")
            expect(page.locator("#alarms-seen")).to_contain_text(
                re.compile(r"desk-lead, \d+ s ago .*on my way")
            )
        assert told == [("desk-lead", "alarm-acknowledged", "long-wait.polski")]


def address(house: Gated) -> str:
    return f"http://127.0.0.1:{house.port}"


def somebody(house: Gated, role: str, name: str) -> dict[str, Any]:
    token = house.people.add_token(CONSOLE, name, role, 1).secret
    return {"extra_http_headers": {"Authorization": f"Bearer {token}"}}


# ---- those that are over ----


def test_the_last_days_alarms_are_shown_on_asking(browser: Browser, served: Alarmed) -> None:
    served.so(ago(LONG, 300), ago(lost("pico-1"), 90), ago(RINGS, 50))
    with opened(browser, served.address) as page:
        take(page, re.compile("^Acknowledge: pico-1"), "a new fuse")
        served.so(ago(LONG, 300))
        opener = page.get_by_role("button", name="Ended ones")
        opener.focus()
        page.keyboard.press("Enter")
        box = page.get_by_role("dialog", name="Alarms of the last 24 hours that are over")
        expect(box.locator(".alarm")).to_have_count(2)
        expect(box).to_contain_text(re.compile(r"A3 A call rings.*lasted 5\d s", re.S))
        expect(box).to_contain_text(
            re.compile(r"pico-1 Board lost.*lasted 1 min.*somebody saw to it.*a new fuse", re.S)
        )
        status, headers, body = served.get("/" + (box.get_by_role("link").get_attribute("href") or ""))
        assert status == 200 and headers["content-type"].startswith("text/csv") and b"a new fuse" in body
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()


# ---- told aloud ----

EARS = """() => {
  window.heard = [];
  for (const level of ["warn", "bad"]) {
    const region = document.getElementById(`alarms-new-${level}`);
    const hear = () => heard.push(`${region.ariaLive}: ${region.textContent}`);
    new MutationObserver(hear).observe(region, { childList: true });
  }
}"""
COUNT_TONES = """
  window.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
"""


def test_new_alarms_are_read_out_once_and_what_stood_before_is_not(browser: Browser, served: Alarmed) -> None:
    served.so(LEVEL)
    with opened(browser, served.address) as page:
        expect(lines(page)).to_have_count(1)
        page.evaluate(EARS)
        served.so(LEVEL, RINGS)
        expect(lines(page)).to_have_count(2)
        served.so(LEVEL, RINGS, *[lost(f"pico-{n}") for n in range(3)])
        expect(lines(page)).to_have_count(5)
        served.on_loop(lambda: served.wrong.tell(served.wrong.alarms.all()))  # as with each beat
        served.so(OFF_HOOK)
        expect(of_kind(page, "off-hook-no-call")).to_have_count(1)
        expect(lines(page)).to_have_count(1)
        assert page.evaluate("heard") == [
            "assertive: New: A3: A call rings, and the headset lies in its cradle.",
            "assertive: New: Board lost: 3.",
            "polite: New: A1: The phone is lifted, and there is no call at the phone system.",
        ]


def test_it_sounds_where_that_is_asked_for_and_for_new_urgent_ones_alone(
    browser: Browser, served: Alarmed
) -> None:
    with opened(browser, served.address, clock=True) as page:
        page.add_init_script(COUNT_TONES)
        page.reload()
        switch = page.get_by_role("button", name="Sound")
        expect(switch).to_have_attribute("aria-pressed", "false")
        served.so(RINGS)
        expect(lines(page)).to_have_count(1)
        assert page.evaluate("tones") == 0
        switch.click()
        expect(switch).to_have_attribute("aria-pressed", "true")
        until(lambda: page.evaluate("tones") == 2, "what it will sound like: one tone of two notes")
        page.clock.fast_forward(4000)
        served.so(RINGS, OFF_HOOK)  # no urgent one
        expect(lines(page)).to_have_count(2)
        assert page.evaluate("new Promise(done => setTimeout(() => done(tones), 50))") == 2
        page.clock.fast_forward(4000)
        served.so(RINGS, OFF_HOOK, *[lost(f"pico-{n}") for n in range(3)])
        until(lambda: page.evaluate("tones") == 4, "it sounds")
        expect(lines(page)).to_have_count(5)
        page.reload()  # kept in this browser; what stands already is no news
        expect(switch).to_have_attribute("aria-pressed", "true")
        expect(lines(page)).to_have_count(5)
        page.locator("#alarms-title").click()
        served.so(RINGS, OFF_HOOK, LONG)
        until(lambda: page.evaluate("tones") == 2, "it sounds")
        switch.click()
        expect(switch).to_have_attribute("aria-pressed", "false")
        assert page.evaluate("localStorage.getItem('callfloor.sound')") == "off"


# ---- languages ----


TEXTS = {
    "nb-NO": (
        "Brokeren er borte", "Noen venter for lenge", "5:12, og 0:20 er grensen; 4 venter.", "62 % innen 20 s",
        "1 410 samtaler", "Tavlen viser et annet bilde enn den skal.", "Kortet pico-1 har vært stille i 20 s",
    ),
    "sv-SE": (
        "Brokern är borta", "Någon väntar för länge", "5:12, och 0:20 är gränsen; 4 väntar.", "62 % inom 20 s",
        "1 410 samtal", "Tavlan visar en annan bild än den ska.", "Kortet pico-1 har varit tyst i 20 s",
    ),
}  # fmt: skip


@pytest.mark.parametrize("locale", TEXTS)
def test_the_list_speaks_the_readers_language(browser: Browser, served: Alarmed, locale: str) -> None:
    served.so(
        LONG,
        LEVEL,
        lost("pico-1"),
        wrong_wall("wall-0", "scene"),
        RINGS,
        BROKER._replace(facts={"reason": "5038"}),
    )
    with opened(browser, served.address, locale=locale) as page:
        expect(lines(page)).to_have_count(6)
        shown = re.sub(r"\s", " ", page.locator("#alarms").inner_text())
        for text in TEXTS[locale]:
            assert text in shown, (text, shown)
        assert not re.search(r"\b(the|board|wall|is|waits?|and|Acknowledge)\b", shown), shown


def reasons(folder: Path) -> Iterator[str]:
    """What the gateway says of brokers, phone systems, clocks and disks: where it can be had, from what says it."""
    now_s = walltime.EARLIEST_S + 1e7
    yield walltime.why_not("trusted", 0, None)
    yield walltime.why_not("trusted", now_s, now_s + 86_400)
    yield walltime.why_not("", now_s, None, walltime.Seen(False, "chronyd"))
    for wall_s in (1000.0, -1000.0):
        steps = walltime.Steps()
        steps.look(0.0, 5000.0)
        yield steps.look(60.0, 5060.0 + wall_s)
    store = Store(folder / "totals.db", Calendar("Europe/Oslo"), floorplan.History())
    try:
        Store(folder / "totals.db", Calendar("Europe/Oslo"), floorplan.History())
    except StoreError as error:
        yield str(error)
    store.close()
    yield NOT_HEARD
    yield "the MQTT broker at 10.1.2.3:8883 is away: 5038"
    yield "Asterisk at 10.1.2.3:5038 cannot be reached (111): is it running, is AMI enabled there?"
    yield "Asterisk at 10.1.2.3:5038 closed the connection: is it restarting?"
    yield "'chat' has said nothing for 75 s: is it running, does its token fit?"


def test_why_something_is_away_is_told_in_the_readers_language(
    browser: Browser, served: Alarmed, tmp_path: Path
) -> None:
    texts = list(reasons(tmp_path))
    for locale in TEXTS:
        with opened(browser, served.address, locale=locale) as page:
            asked = "texts => import('/static/words/words.js').then((words) => texts.map(words.told))"
            told = dict(zip(texts, page.evaluate(asked, texts), strict=True))
        english = re.compile(r"\b(the|is|by|been|and|of)\b")
        left = [words for words in told.values() if english.search(words.replace(str(tmp_path), ""))]
        assert not left, (locale, left)


def test_there_are_words_for_every_kind_and_of_what_is_known_of_it(browser: Browser, served: Alarmed) -> None:
    with opened(browser, served.address) as page:
        tables, told = words_of(page), words_of(page, "told")
    known = {
        "long-wait": LONG, "service-level": LEVEL, "queue-unknown": BROKER, "board-lost": lost("x"),
        "wall-wrong": wrong_wall("x", "dim"),
        "source-away": BROKER, "broker-away": BROKER, "clock-unset": BROKER, "history-failed": BROKER,
    }  # fmt: skip
    for language, table in tables.items():
        assert set(table["alarm"]["kind"]) == set(OF_FLOOR), language
        assert set(OF_FLOOR) | set(table["finding"]) == set(KINDS)
        for kind, row in table["alarm"]["kind"].items():
            assert set(re.findall(r"\{(\w+)\}", " ".join(row.values()))) <= set(known[kind].facts), (
                language,
                kind,
            )
    sentences = {sentence for row in WRONG.values() for sentence in row} - {"{why}"}
    for language in ("nb", "sv"):
        assert not sentences - told[language].keys(), language


# ---- the walls' own cards ----


def wall(kind: str | None = None, why: str = "", for_s: int = 12, **more: Any) -> dict[str, Any]:
    """What is said of a wall: all is well, or this is an alarm."""
    reason, todo = words(kind, why) if kind else ("", "")
    return {
        "scene": "s1", "message": None, "percent": 100, "off_until": "", "shown": "s1", "shown_message": None,
        "shown_percent": 100, "values_seq": 4, "fresh": kind is None, "wrong": kind,
        "for_s": for_s if kind else None, "alarm": kind is not None, "reason": reason, "todo": todo, **more,
    }  # fmt: skip


def card(page: Page, number: int) -> Any:
    return page.locator(f"[data-wall=wall-{number}]")


def test_a_wall_in_alarm_is_marked_at_its_picture(browser: Browser, served: Alarmed) -> None:
    served.say({"wall/wall-0": wall("scene", alarm=False, todo="", for_s=4), "wall/wall-2": wall()})
    with opened(browser, served.address) as page:
        expect(card(page, 0)).to_contain_text("the wall shows another scene than it should")
        expect(card(page, 0).locator(".over")).to_have_text("not as on the wall")
        served.say({"wall/wall-1": wall("trouble", "PAGE 2 OP 3: NO STRIP 7", 12, fresh=True)})
        expect(card(page, 1)).to_have_attribute("data-alarm", "true")
        expect(card(page, 1).locator(".over")).to_have_text("not as on the wall")
        expect(card(page, 1).locator(".shape").first).to_have_attribute("data-shape", "triangle")
        expect(card(page, 2)).to_have_attribute("data-alarm", "false")
        expect(card(page, 2).locator(".over")).to_be_hidden()
        served.say({"wall/wall-1": wall()})
        expect(card(page, 1)).to_have_attribute("data-alarm", "false")


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en-GB", "off until Mon 07:00"), ("nb-NO", "av til man. 07:00"), ("sv-SE", "av till mån 07:00")],
)
def test_a_wall_that_is_off_as_planned_says_until_when(
    browser: Browser, served: Alarmed, locale: str, text: str
) -> None:
    far = wall(percent=0, shown_percent=0, off_until="2031-02-03T07:00:00+01:00", fresh=False)
    served.say({"wall/wall-0": far, "wall/wall-1": {**far, "off_until": ""}})
    with opened(browser, served.address, locale=locale) as page:
        expect(card(page, 0).locator(".over")).to_have_text(text)
        expect(card(page, 0).locator(".shape").first).to_have_attribute("data-shape", "dash")
        expect(card(page, 1).locator(".over")).to_have_text(text.split(maxsplit=1)[0])
