"""The queues on the supervisor's page, in a real browser: figures, sources, what is kept, three languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import floorplan
from firmware import contract
from gateway.queues.totals import SERVICE_LEVEL

from .languages import words_of
from .test_page import QUEUE, TWO_FRAMES, UNKNOWN_QUEUE, Served, card, opened

NAMES = {
    "norsk": "Norsk", "svenska": "Svenska", "english": "English", "polski": "Polski", "romana": "Română",
    "lietuviu": "Lietuvių", "arabi": "العربية",
}  # fmt: skip
FORMULAS = tuple(SERVICE_LEVEL)
SURGE = {
    **QUEUE, "waiting": 1234, "oldest_wait_s": 7325, "worst_wait_s": 8000, "desks_needed": 140,
    "desks_present": 120, "joined": 12345, "answered": 11111, "left": 17, "vanished": 3,
}  # fmt: skip
ONE_GAP = [{"from": "02:00", "to": "02:30", "unseen_s": 540}]
GAPS = [
    *ONE_GAP,
    {"from": "04:15", "to": "04:30", "unseen_s": 40},
    {"from": "07:00", "to": "07:45", "unseen_s": 2040},
]
KEPT = {"state": "kept", "reason": "", "since": "04:00", "day": "2026-03-29", "open": True}


def house(queues: int = 7) -> floorplan.Plan:
    """Seven queues, of which a web chat and a call-back come from sources that push, over every formula."""
    of = [
        {"id": name, "name": shown, "target": {"formula": FORMULAS[n % 5]}, "pbx": name}
        for n, (name, shown) in enumerate(NAMES.items())
    ]
    for row, kind in ((of[1], "chat"), (of[2], "callback")):
        row |= {"kind": kind, "source": f"{kind}-source"}
        del row["pbx"]
    tables = {
        "site": {"id": "skien", "name": "Skien"},
        "source": [{"id": f"{kind}-source", "secret_file": "secret"} for kind in ("chat", "callback")],
        "queue": of[:queues],
        "desk": [{"id": f"a{n}", "at": [n % 31, n // 31]} for n in range(465 if queues == 7 else 8)],
        "board": [{"id": "pico-0"}],
        "wall": [
            {"id": "wall-0", "board": "pico-0", "panel": {"kind": "memory"}, "pages": [{"queue": "norsk"}]}
        ],
    }
    return floorplan.check(tables, "test", Path("/"))


@pytest.fixture
def served() -> Iterator[Served]:
    page = Served(house(3))
    yield page
    page.stop()


@pytest.fixture
def full() -> Iterator[Served]:
    page = Served(house())
    yield page
    page.stop()


def row(page: Page, queue: str, term: str) -> Locator:
    """The line of today's list that is called `term`."""
    here = card(page, queue).locator(".today div")
    return here.filter(has=page.get_by_text(term, exact=True))


# ---- figures ----


def test_every_figure_of_the_contract_is_on_the_card(browser: Browser, served: Served) -> None:
    """Each field of queue/+/now is changed alone, and the card is then another."""
    names = [name.rstrip("?") for name, kind, _ in contract.fields_of("queue/+/now") if kind == contract.INT]
    assert set(names) | {"reason"} == set(QUEUE)
    still = {**QUEUE, "oldest_wait_s": 0, "waiting": 0}  # so that nothing ticks
    served.say({"queue/norsk": still})
    with opened(browser, served.address) as page:
        here = card(page, "norsk")
        expect(row(page, "norsk", "came")).to_contain_text("1,240")
        before = here.inner_text()
        for name in names:
            served.say({"queue/norsk": {**still, name: 61}})
            expect(here, f"{name} is shown").not_to_have_text(before, use_inner_text=True)
            served.say({"queue/norsk": still})
            expect(here).to_have_text(before, use_inner_text=True)


def test_todays_figures_stand_in_a_list(browser: Browser, served: Served) -> None:
    served.say({"queue/norsk": {**QUEUE, "left": 17, "vanished": 2}})
    with opened(browser, served.address) as page:
        for term, value in {
            "came": "1,240", "answered": "1,194", "abandoned": "44", "timed out": "6", "left by key": "9",
            "elsewhere": "17", "gone unseen": "2", "mean wait": "0:14", "worst wait": "6:52",
            "mean call": "3:12", "abandon rate": "3%", "occupancy": "87%",
        }.items():  # fmt: skip
            expect(row(page, "norsk", term).locator("dd")).to_have_text(value)
        expect(card(page, "norsk").get_by_title("abandoned after 5 s, of these")).to_have_text("abandon rate")
        # Nobody gone in a rare way is no line at all.
        served.say({"queue/norsk": QUEUE})
        for term in ("elsewhere", "gone unseen"):
            expect(row(page, "norsk", term)).to_be_hidden()


TICKED = re.compile("^1:(4[3-9]|5[0-9])$")  # 1:40, and at least three seconds on


def test_the_worst_wait_is_never_less_than_the_longest_beside_it(browser: Browser, served: Served) -> None:
    """The gateway says both every five seconds; in between the longest ticks, and is the worst of the day."""
    served.say({"queue/norsk": {**QUEUE, "waiting": 1, "oldest_wait_s": 100, "worst_wait_s": 100}})
    with opened(browser, served.address) as page:
        expect(card(page, "norsk").locator(".big .figure").nth(1)).to_have_text(TICKED)
        expect(row(page, "norsk", "worst wait").locator("dd")).to_have_text(TICKED)


def test_what_a_source_cannot_tell_is_a_dash_that_says_so(browser: Browser, served: Served) -> None:
    rates = ("asa_s", "aht_s", "occupancy_pct", "abandon_rate_pct", "service_level_pct")
    untold = ("timed_out", "left_by_key", "left", "vanished", "joined", "worst_wait_s", "desks_needed")
    served.say({"queue/norsk": {**QUEUE, **dict.fromkeys((*rates, *untold))}})
    with opened(browser, served.address) as page:
        here = card(page, "norsk")
        for term, why in {
            "came": "its source cannot tell",
            "timed out": "its source cannot tell",
            "left by key": "its source cannot tell",
            "elsewhere": "its source cannot tell",
            "gone unseen": "its source cannot tell",
            "worst wait": "its source cannot tell",
            "mean wait": "none answered yet",
            "mean call": "no conversation has ended yet",
            "abandon rate": "no calls yet",
            "occupancy": "no time of desks has been counted yet",
        }.items():
            told = row(page, "norsk", term).locator("dd")
            expect(told).to_have_text("–unknown")
            expect(told).to_have_attribute("title", re.compile(why))
        expect(here.locator(".desks")).to_have_text("–unknowndesks needed")
        expect(here.locator(".desks b")).to_have_attribute("title", re.compile("last half hour"))
        # 1194 were answered, so it is not that there were no calls.
        expect(here.locator(".level b")).to_have_attribute("title", "its source cannot tell")
        expect(here.locator(".level")).not_to_contain_text("no call has ended yet")
        expect(row(page, "norsk", "answered").locator("dd")).to_have_text("1,194")

        served.say({"queue/norsk": {**QUEUE, **dict.fromkeys(("free", "ringing", "talking", "away"))}})
        expect(here.locator(".counts b").first).to_have_attribute("title", re.compile("the broker is away"))
        served.say({"queue/norsk": {**QUEUE, "desks_present": None}})
        expect(here.locator(".desks b")).to_have_attribute("title", re.compile("the broker is away"))
        # A whole queue that is away says its reason once, above, and each dash says it too.
        served.say({"queue/norsk": {**UNKNOWN_QUEUE, "reason": "no answer at port 5038"}})
        expect(here.locator(".reason")).to_have_text("no answer at port 5038")
        expect(here.locator("dd:visible")).to_have_text(["–unknown"] * 10)
        expect(here.locator("dd[title='no answer at port 5038']:visible")).to_have_count(10)


def test_too_few_desks_are_told_by_word_shape_and_colour(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        here = card(page, "norsk").locator(".desks")
        for needed, words, short in (
            (14, "12too fewof 14 desks needed", True),
            (12, "12desks, 12 needed", False),
            (0, "12desks, 0 needed", False),
        ):
            served.say({"queue/norsk": {**QUEUE, "desks_needed": needed, "desks_present": 12}})
            expect(here).to_have_text(words)
            expect(here.locator(".shape")).to_be_visible(visible=short)
            colour = here.locator(".marked").evaluate("mark => getComputedStyle(mark).color")
            assert (colour == "rgb(125, 82, 0)") == short
        expect(here.get_by_title("Erlang C")).to_be_visible()


def test_the_page_says_by_which_formula_a_service_level_is_counted(browser: Browser, full: Served) -> None:
    with opened(browser, full.address) as page:
        for name, formula in zip(NAMES, FORMULAS, strict=False):
            words = SERVICE_LEVEL[formula].words.replace("X", "20").replace("short_abandon_s", "5 s")
            expect(card(page, name).get_by_title(f"formula: {formula}")).to_have_text(words)
            expect(card(page, name).locator(".level")).to_contain_text(words)


def test_a_queue_that_is_no_voice_says_its_kind(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        expect(card(page, "norsk").locator(".kind")).to_have_count(0)
        expect(card(page, "svenska").locator(".kind")).to_have_text("chat")
        expect(card(page, "english").locator(".kind")).to_have_text("callback")


# ---- sources ----


def test_each_source_that_is_away_says_why(browser: Browser, served: Served) -> None:
    def source(reason: str, kind: str = "push") -> dict[str, Any]:
        return {"state": "away" if reason else "ready", "reason": reason, "kind": kind}

    served.say({
        "broker": {"state": "ready", "reason": ""},
        "source/callback-source": source(""),
        "source/asterisk": source("", "asterisk"),
        "source/chat-source": source(""),
    })  # fmt: skip
    with opened(browser, served.address) as page:
        links = page.locator("#links li")
        expect(links).to_have_text(["phone system ready", "broker ready", "2 sources ready"])
        served.say({"source/chat-source": source("has said nothing for 75 s")})
        served.say({"source/asterisk": source("no answer at port 5038", "asterisk")})
        expect(links).to_have_text(
            ["phone system away", "source callback-source ready", "source chat-source away", "broker ready"]
        )
        away = page.locator("#links [data-ready=false]")
        expect(away.first).to_have_attribute("title", "no answer at port 5038")
        expect(away.last).to_have_attribute("title", "has said nothing for 75 s")
        served.say({"source/asterisk": source("", "asterisk"), "source/chat-source": source("")})
        expect(away).to_have_count(0)


# ---- what is kept ----


def test_the_page_says_since_when_totals_count_and_where_none_are_kept(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        kept = page.locator("#kept")
        expect(kept.locator("a")).to_have_count(0)  # nobody has said that there is anything
        served.say({"history": KEPT})
        expect(kept).to_contain_text("today, from 04:00")
        served.say({"history": {**KEPT, "state": "off", "open": None}})
        expect(kept).to_contain_text("totals are not kept")
        expect(kept.locator("a")).to_have_count(0)


def test_a_closed_house_says_so_quietly(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        for state, closed in ((False, True), (True, False), (None, False)):
            served.say({"history": {**KEPT, "open": state}})
            expect(page.locator("#kept")).to_contain_text("today, from 04:00")
            expect(page.get_by_text("closed now")).to_have_count(int(closed))


def test_the_totals_are_one_click_away(browser: Browser, served: Served) -> None:
    served.say({"history": KEPT})
    with opened(browser, served.address) as page:
        links = page.locator("#kept a")
        expect(links).to_have_text(["today's quarters", "days"])
        assert links.evaluate_all("links => links.map(link => link.href)") == [
            f"{served.address}/api/history.csv?by={by}" for by in ("quarter&from=2026-03-29", "day")
        ]
        served.say({"history": {**KEPT, "day": None}})  # while nobody knows which day it is
        expect(links).to_have_text(["days"])


def test_what_was_not_seen_is_told_on_the_card(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        gaps = card(page, "norsk").locator(".gaps")
        expect(gaps).to_be_hidden()
        served.say({"history/norsk": {"gaps": ONE_GAP}, "history/svenska": {"gaps": []}})
        expect(gaps).to_have_text("Not counted: 9 min between 02:00 and 02:30")
        served.say({"history/norsk": {"gaps": GAPS}})
        expect(gaps.locator("summary")).to_have_text("Not counted: 43 min in 3 pieces")
        lines = [
            "9 min between 02:00 and 02:30", "40 s between 04:15 and 04:30", "34 min between 07:00 and 07:45",
        ]  # fmt: skip
        expect(gaps.locator("summary")).to_have_attribute("title", "\n".join(lines))
        expect(gaps.locator("li").first).to_be_hidden()
        gaps.locator("summary").focus()  # and for those who cannot hover
        page.keyboard.press("Enter")
        expect(gaps.locator("li")).to_have_text(lines)
        expect(gaps.locator("li").first).to_be_visible()
        expect(card(page, "svenska").locator(".gaps")).to_be_hidden()
        served.say({"history/norsk": {"gaps": []}})
        expect(gaps).to_be_hidden()


# ---- languages ----


def flat(words: dict[str, Any], before: str = "") -> dict[str, str]:
    """Every text by its path: `status.free`."""
    texts: dict[str, str] = {}
    for name, text in words.items():
        texts |= flat(text, f"{before}{name}.") if isinstance(text, dict) else {before + name: text}
    return texts


def test_what_the_words_mean_is_told_without_a_mouse_too(browser: Browser, served: Served) -> None:
    with opened(browser, served.address, 390, 844) as page:
        opener = page.get_by_role("button", name="What the words mean")
        opener.focus()
        page.keyboard.press("Enter")
        box = page.get_by_role("dialog", name="What the words mean")
        terms = box.locator("dl > div")
        on_cards = page.locator(".queue").first.locator(".today dt")
        for word in on_cards.all_text_contents():
            expect(terms.filter(has=page.locator("dt", has_text=re.compile(f"^{word}$")))).to_have_count(1)
        needed = terms.filter(has_text="desks needed")
        expect(needed).to_contain_text("by Erlang C")
        expect(needed).to_contain_text("– too little has been seen in the last half hour")
        expect(box).not_to_contain_text("{")
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()


def test_every_text_is_there_in_three_languages(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        words = words_of(page)
    texts = {language: flat(table) for language, table in words.items()}
    assert set(texts) == {"en", "nb", "sv"}
    for language in ("nb", "sv"):
        assert set(texts[language]) == set(texts["en"])
        for name in texts["en"]:
            filled_in = [set(re.findall(r"\{\w+\}", texts[of][name])) for of in ("en", language)]
            assert texts[language][name].strip() and filled_in[0] == filled_in[1], f"{name} in {language}"
        assert len([name for name, text in texts["en"].items() if text != texts[language][name]]) > 120
    # What is counted is named once, in totals.py; the page says it in the same words.
    assert words["en"]["formula"] == {
        name: formula.words.replace("X s", "{n} s").replace("short_abandon_s", "{short} s")
        for name, formula in SERVICE_LEVEL.items()
    }


@pytest.mark.parametrize(
    ("asked", "language", "words"),
    [
        ("nb-NO", "nb", ("Køer", "1 240", "83 %", "mål 80 % på 20 s", "stengt nå", "tilbakeringing")),
        ("nn-NO", "nb", ("Køer",)),
        ("sv-SE", "sv", ("Köer", "1 240", "83 %", "mål 80 % på 20 s", "stängt nu", "återuppringning")),
        ("en-GB", "en", ("Queues", "1,240", "83%", "target 80% in 20 s", "closed now", "callback")),
        ("pl-PL", "en", ("Queues",)),
    ],
)
def test_the_page_speaks_the_readers_language(
    browser: Browser, served: Served, asked: str, language: str, words: tuple[str, ...]
) -> None:
    served.say({"queue/norsk": QUEUE, "history": {**KEPT, "open": False}})
    with opened(browser, served.address, locale=asked) as page:
        assert page.evaluate("document.documentElement.lang") == language
        for text in words:
            expect(page.locator("#queues")).to_contain_text(
                text.replace(" ", "\u00a0") if text[0].isdigit() else text
            )


# ---- sizes ----

# Everything in a card whose right edge is outside the card, or outside the window.
STICKING_OUT = """() => [...document.querySelectorAll(".queue")].flatMap((queue) => {
  const right = Math.min(queue.getBoundingClientRect().right, innerWidth);
  return [...queue.querySelectorAll("*")]
    .filter((part) => !part.closest(".aloud") && part.getBoundingClientRect().right > right + 0.5)
    .map((part) => queue.dataset.queue + ": " + (part.className || part.tagName) + " " + part.textContent);
})"""


def test_two_queues_are_seen_whole_on_a_laptops_screen(browser: Browser) -> None:
    """1280x800, with waits, rates and the longest formula: neither card is cut off, and nothing has to be scrolled."""
    site = house(2)
    target = site.queue[0].target.model_copy(update={"formula": FORMULAS[-1]})
    rows = tuple(queue.model_copy(update={"target": target}) for queue in site.queue)
    served = Served(site.model_copy(update={"queue": rows}))
    try:
        served.say({f"queue/{queue.id}": {**QUEUE, "oldest_wait_s": 400} for queue in rows})
        for language in ("en-GB", "nb-NO", "sv-SE"):
            with opened(browser, served.address, 1280, 800, locale=language) as page:
                for queue in rows:
                    expect(card(page, queue.id).locator(".today dd").first).to_be_visible()
                bottoms = page.eval_on_selector_all(".queue", "all => all.map(e => e.getBoundingClientRect().bottom)")
                assert len(bottoms) == 2 and max(bottoms) <= 800
                size = page.locator("#queue-cards").evaluate("e => [e.scrollHeight, e.clientHeight]")
                assert size[0] <= size[1], language
    finally:
        served.stop()


def worst(page_of: Served) -> dict[str, Any]:
    """Every card at its widest: thousands waiting for hours, gaps, reasons."""
    documents: dict[str, Any] = {"history": {**KEPT, "state": "failed", "reason": "x" * 60, "open": False}}
    for n, queue in enumerate(page_of.site.queue):
        documents[f"queue/{queue.id}"] = {**SURGE, "waiting": (99, 999, 1234)[n % 3]}
        documents[f"history/{queue.id}"] = {"gaps": GAPS[: n % 4]}
    documents["queue/polski"] = {**UNKNOWN_QUEUE, "reason": "y" * 60}
    for source in ("chat-source", "callback-source"):
        documents[f"source/{source}"] = {"state": "away", "reason": "z" * 60, "kind": "push"}
    return documents


@pytest.mark.parametrize("language", ["en-GB", "nb-NO", "sv-SE"])
def test_seven_queues_at_their_worst_fit_a_phone_and_every_card(
    browser: Browser, full: Served, language: str
) -> None:
    full.say(worst(full))
    with opened(browser, full.address, 390, 844, locale=language) as page:
        expect(page.locator(".queue[data-long=both]")).to_have_count(4)
        expect(page.locator(".queue[data-long=wait]")).to_have_count(2)
        for width, height in ((390, 844), (768, 1024), (1280, 800), (1920, 1080), (3840, 2160)):
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(TWO_FRAMES)
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate(STICKING_OUT) == [], f"{width} wide"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1366, 768), (1024, 768)])
def test_where_not_all_is_seen_at_once_what_is_wrong_comes_first(
    browser: Browser, full: Served, width: int, height: int
) -> None:
    with opened(browser, full.address, width, height) as page:
        expect(page.locator(".queue")).to_have_count(7)
        boxes = [page.locator(part).bounding_box() for part in ("#alarms", "#queues", "#floor", "#boards")]
        tops = [box["y"] for box in boxes if box]
        assert len(tops) == 4 and tops == sorted(tops)


def test_seven_queues_and_465_desks_are_seen_at_once(browser: Browser, full: Served) -> None:
    full.say({f"queue/{name}": QUEUE for name in NAMES} | {"history": KEPT, "history/norsk": {"gaps": GAPS}})
    full.say(
        {"queue/polski": {**UNKNOWN_QUEUE, "reason": "the phone system is away: 10.0.0.5 cannot be reached"}}
    )
    with opened(browser, full.address) as page:
        expect(card(page, "norsk").locator(".gaps")).to_be_visible()
        for part in ("html", "#queue-cards", "#map"):
            size = page.locator(part).evaluate("e => [e.scrollHeight, e.clientHeight]")
            assert size[0] <= size[1], part
