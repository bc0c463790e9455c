"""What each wall itself says it shows, beside its mirror and large, on the supervisor's page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from gateway.shown import words

from .conftest import until
from .test_page import Served, middle_of, opened, plan, png

GAP = "\N{NO-BREAK SPACE}"


def wall(kind: str | None = None, for_s: int = 12, **more: Any) -> dict[str, Any]:
    """What is said of a wall: all is well, or this is wrong."""
    reason, todo = words(kind, "") if kind else ("", "")
    return {
        "scene": "s1", "message": None, "percent": 80, "off_until": "", "shown": "s1", "shown_message": None,
        "shown_percent": 80, "values_seq": 4, "shown_age_s": None, "fresh": kind != "old", "wrong": kind,
        "for_s": for_s if kind else None, "alarm": kind is not None, "reason": reason, "todo": todo, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    page = Served(plan())
    yield page
    page.stop()


def says(page: Page, number: int = 0) -> Locator:
    """The lines that say what a wall says."""
    return page.locator(f"[data-wall=wall-{number}]").get_by_role("list").get_by_role("listitem")


def wrong(page: Page) -> list[str]:
    """Which of them are marked."""
    lines = page.locator("[data-wall=wall-0] .says [data-right=false]")
    return [str(line.get_attribute("data-what")) for line in lines.all()]


def test_a_wall_says_what_it_shows_and_what_differs_is_marked(browser: Browser, served: Served) -> None:
    served.say({"wall/wall-0": wall()})
    with opened(browser, served.address) as page:
        expect(says(page)).to_have_text(["the scene it should show", "figures proved", "80% bright", "no message"])
        assert wrong(page) == []

        served.say({"messages": {"standing": [
            {"id": "m", "text": "Fire drill", "walls": ["wall-0"], "left_s": 60, "on": ["wall-0"]},
        ], "others": []}})  # fmt: skip
        served.say({"wall/wall-0": wall(message="m1", shown_message="m1")})
        expect(says(page).last).to_have_text("message: Fire drill")
        served.say({"wall/wall-0": wall("message", message="m1")})
        expect(says(page).last).to_have_text("its message is not on it")
        assert wrong(page) == ["message"]
        served.say({"wall/wall-0": wall("message", shown_message="m0")})
        expect(says(page).last).to_have_text("another message than it should show")

        served.say({"wall/wall-0": wall("scene", shown="s0")})
        expect(says(page).first).to_have_text("another scene than it should show")
        assert wrong(page) == ["scene"]
        served.say({"wall/wall-0": wall("dim", shown_percent=20)})
        expect(says(page).nth(2)).to_have_text("20% bright, it should be 80%")
        served.say({"wall/wall-0": wall("dark", shown_percent=0)})
        expect(says(page).nth(2)).to_have_text("its lights are off, it should be 80%")
        served.say({"wall/wall-0": wall("lit", percent=0)})
        expect(says(page).nth(2)).to_have_text("80% bright, it should be off")
        assert wrong(page) == ["light"]

        # Off as planned it proves nothing, and need not; a wall that has said nothing is not spoken for.
        served.say({"wall/wall-0": wall(percent=0, shown_percent=0, fresh=False)})
        expect(says(page)).to_have_text(["the scene it should show", "its lights are off", "no message"])
        served.say({"wall/wall-0": wall("silent", shown=None, shown_percent=None, fresh=False)})
        expect(says(page)).to_have_count(0)
        expect(page.locator("[data-wall=wall-0]")).to_contain_text("has not said what the wall shows")


def test_the_age_of_old_figures_counts_on(browser: Browser, served: Served) -> None:
    with opened(browser, served.address) as page:
        figures = says(page).nth(1)
        served.say({"wall/wall-0": wall("old", shown_age_s=3597)})
        expect(figures).to_have_text("figures 59 min old")
        expect(figures).to_have_text("figures 1 h 0 min old")  # nothing more was said of it
        assert wrong(page) == ["figures"]
        served.say({"wall/wall-0": wall("old", shown_age_s=None)})
        expect(figures).to_have_text("nothing proves its figures")


def test_a_wall_is_large_on_asking(browser: Browser, served: Served) -> None:
    served.pictures = {"wall-0": png("#00c8ff"), "wall-1": png("#ffbe00")}
    served.say({"wall/wall-0": wall(), "wall/wall-1": wall("values", for_s=130)})
    with opened(browser, served.address) as page:
        button = page.get_by_role("button", name="Wall 1, large")
        button.focus()
        page.keyboard.press("Enter")
        large = page.get_by_role("dialog", name="Wall 1")
        expect(large.get_by_role("status")).to_have_text(
            "The figures on the wall stand still, for 2 min. Take the board's power away for a moment; does that not "
            "help, look at the broker's rules for it.")  # fmt: skip
        expect(large.get_by_role("listitem")).to_contain_text(["the scene it should show", "figures proved"])
        canvas = large.get_by_role("img", name="What the wall Wall 1 shows")
        middle = """async canvas => {
            const copy = new OffscreenCanvas(32, 16), pen = copy.getContext("2d", { willReadFrequently: true });
            pen.drawImage(canvas, 0, 0, 32, 16);
            const [red, green, blue, alpha] = pen.getImageData(16, 8, 1, 1).data;
            return alpha < 100 ? [] : [red, green, blue];
        }"""
        until(lambda: canvas.evaluate(middle) == [255, 190, 0], "it is drawn")
        box = canvas.bounding_box()
        assert box and box["width"] > 1500

        served.pictures["wall-1"] = png("navy")
        served.say({"wall/wall-1": wall()})
        until(lambda: canvas.evaluate(middle) == [0, 0, 128], "it is live")
        expect(large.get_by_role("status")).to_have_text("")
        assert middle_of(page, "wall-1") == [0, 0, 128], "and so is the small one"

        page.keyboard.press("Escape")
        expect(large).to_have_count(0)
        expect(button).to_be_focused()
        page.get_by_role("button", name="Wall 0, large").click()
        expect(page.get_by_role("dialog", name="Wall 0")).to_be_visible()
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "lines"),
    [
        ("nb-NO", ["bildet den skal vise", "tallene er 1 t 2 min gamle", f"80{GAP}% lysstyrke", "ingen melding"]),
        ("sv-SE", ["bilden den ska visa", "siffrorna är 1 h 2 min gamla", f"80{GAP}% ljusstyrka", "inget meddelande"]),
    ],
)  # fmt: skip
def test_it_speaks_the_readers_language_and_fits_a_phone(
    browser: Browser, served: Served, locale: str, lines: list[str]
) -> None:
    served.say({"wall/wall-0": wall("old", shown_age_s=3725)})
    with opened(browser, served.address, width=320, height=568, locale=locale) as page:
        expect(says(page)).to_have_text(lines)
        page.locator("[data-wall=wall-0] .enlarge").click()
        box = page.locator("#wall-large").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 320 and box["height"] <= 568
        assert page.locator("#wall-large").evaluate("box => box.scrollWidth <= box.clientWidth")
        expect(page.locator("#wall-large")).not_to_contain_text("{")
