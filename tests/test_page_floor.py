"""The map of the floor on the page: rooms, aisles, a filter by status, a phone with what is wrong first, contrast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import floorplan

from .conftest import until
from .test_page import Served, desk, opened, plan, tile

ROOMS = (
    floorplan.Room(name="North", at=(0, 0), size=(4, 2)),
    floorplan.Room(name="قاعة", at=(5, 0), size=(4, 2)),
    floorplan.Room(name="Corner", at=(7, 0), size=(2, 1)),  # in the one before
    floorplan.Room(name="Kitchen", at=(0, 3), size=(9, 2)),
)
COUNTS = {"free": 1, "ringing": 0, "talking": 6, "held": 0, "away": 0, "unknown": 0, "lost": 1}
BOX = "e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; }"


def hall() -> floorplan.Plan:
    """Two rooms of two rows with an aisle between them, and a kitchen where nobody sits."""
    at = [(x, y) for y in (0, 1) for x in (0, 1, 2, 3, 5, 6, 7, 8)]
    site = plan(desks=17)
    placed = tuple(row.model_copy(update={"at": where}) for row, where in zip(site.desk, [*at, None], strict=True))
    return site.model_copy(update={"desk": placed, "room": ROOMS})


@pytest.fixture(scope="module")
def hall_page() -> Iterator[Served]:
    page = Served(hall())
    page.say({f"desk/a{n}": desk("talking") for n in range(17)} | {"floor": COUNTS})
    yield page
    page.stop()


@pytest.fixture(scope="module")
def many() -> Iterator[Served]:
    """465 desks in four rooms, one of them lost, one that does not fit."""
    site = plan(desks=465, columns=31)
    rooms = tuple(floorplan.Room(name=f"Wing {y // 4}", at=(0, y), size=(31, 4)) for y in range(0, 15, 4))
    page = Served(site.model_copy(update={"room": rooms}))
    page.say({f"desk/a{n}": desk("talking") for n in range(465)})
    page.say({"desk/a300": desk("lost"), "desk/a70": desk("unknown"), "desk/a9": desk("free")})
    page.say({"finding/a412": {"kind": "empty-desk-rings", "for_s": 9, "desk": "x", "pbx": "y", "todo": "z"}})
    yield page
    page.stop()


def boxes(page: Page, what: str) -> list[list[float]]:
    found: list[list[float]] = page.eval_on_selector_all(what, f"all => all.map({BOX})")
    return found


def inside(inner: list[float], outer: list[float]) -> bool:
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def apart(one: list[float], other: list[float]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_rooms_lie_behind_their_desks_with_their_names(browser: Browser, hall_page: Served) -> None:
    with opened(browser, hall_page.address) as page:
        assert page.locator(".room span").all_inner_texts() == [room.name for room in ROOMS]
        north, arabic, corner, kitchen = boxes(page, ".room")
        desks = boxes(page, ".desk")
        for n, box in enumerate(desks[:16]):
            assert inside(box, north if n % 8 < 4 else arabic), n
            assert inside(box, corner) == (n in (6, 7)), n
            assert apart(box, kitchen)
        assert apart(north, arabic) and apart(arabic, kitchen) and inside(corner, arabic)
        for words in boxes(page, ".room span"):
            assert all(apart(words, box) for box in desks)
        assert desks[16][1] >= kitchen[3], "who has no place stands below"
        wide = desks[0][2] - desks[0][0]
        aisle = desks[4][0] - desks[3][2]
        assert wide / 2 <= aisle < wide, "an aisle is narrower than a desk"
        assert page.locator("html").evaluate("e => e.scrollHeight <= e.clientHeight + 1")

        tile(page, "a6").hover()
        expect(page.locator("#about")).to_contain_text("A6 talking · Corner")
        assert (tile(page, "a6").get_attribute("aria-label") or "").endswith("Corner")
        assert (tile(page, "a4").get_attribute("aria-label") or "").endswith("قاعة")
        tile(page, "a3").focus()
        for key, name in (("ArrowRight", "a4"), ("ArrowDown", "a12"), ("ArrowLeft", "a11")):  # over the aisle
            page.keyboard.press(key)
            expect(tile(page, name)).to_be_focused()


def test_465_desks_in_rooms_fit_on_one_screen(browser: Browser, many: Served) -> None:
    with opened(browser, many.address) as page:
        expect(page.locator("#map[data-kind=mapped]")).to_be_visible()
        desks = boxes(page, ".desk")
        assert len({(x, y) for x, y, _, _ in desks}) == 465
        assert all(inside(box, [0, 0, 1920, 1080]) for box in desks)
        assert min(min(right - x, bottom - y) for x, y, right, bottom in desks) >= 22
        rooms = boxes(page, ".room")
        assert all(apart(one, other) for n, one in enumerate(rooms) for other in rooms[:n])
        assert all(sum(inside(box, room) for room in rooms) == 1 for box in desks)
        page.set_viewport_size({"width": 1600, "height": 900})
        page.set_viewport_size({"width": 1920, "height": 1080})
        expect(page.locator("#map")).to_be_visible()
        until(lambda: boxes(page, ".desk") == desks, "all is as before the window was smaller")


def test_only_the_statuses_that_are_asked_for(browser: Browser, hall_page: Served) -> None:
    hall_page.say({"desk/a2": desk("lost"), "desk/a5": desk("free")})
    with opened(browser, hall_page.address) as page:
        lost = page.get_by_role("button", name="1 lost")
        before = boxes(page, ".desk")
        lost.focus()
        page.keyboard.press("Enter")
        expect(lost).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".desk[data-off=true]")).to_have_count(16)
        expect(tile(page, "a2")).to_have_css("opacity", "1")
        expect(tile(page, "a3")).to_have_css("opacity", "0.15")
        assert boxes(page, ".desk") == before, "on a map nobody moves"
        page.get_by_role("button", name="1 free").click()
        expect(page.locator(".desk[data-off=true]")).to_have_count(15)
        hall_page.say({"desk/a3": desk("free")})
        expect(tile(page, "a3")).to_have_css("opacity", "1")
        expect(page.locator(".desk[tabindex='0']")).to_have_count(1)
        lost.click()
        page.get_by_role("button", name="1 free").click()
        expect(page.locator(".desk[data-off=true]")).to_have_count(0)
    hall_page.say({"desk/a2": desk("talking"), "desk/a3": desk("talking"), "desk/a5": desk("talking")})


def names(page: Page) -> list[Any]:
    """Desks as the eye goes: by line, then across."""
    found: list[Any] = page.eval_on_selector_all(
        ".desk:not([hidden])",
        """all => all.map(e => [e.getBoundingClientRect(), e.dataset.desk])
          .sort(([a], [b]) => a.top - b.top || a.left - b.left).map(([, name]) => name)""",
    )
    return found


def test_on_a_phone_what_is_wrong_comes_first_and_a_finger_can_hit_it(
    browser: Browser, many: Served
) -> None:
    with opened(browser, many.address, 390, 844, has_touch=True) as page:
        expect(page.locator("#map[data-kind=lines]")).to_be_visible()
        expect(tile(page, "a300")).to_have_attribute("data-status", "lost")
        first = page.locator(".desk").first  # read aloud in that order, too
        expect(first).to_have_attribute("data-desk", "a412")
        assert names(page)[:5] == ["a412", "a300", "a70", "a0", "a1"]
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        for x, y, right, bottom in boxes(page, ".desk"):
            assert x >= 0 and right <= 390
            assert right - x >= 44 and bottom - y >= 44

        # Nobody is moved under a finger: only when it has gone on.
        tile(page, "a5").tap()
        expect(page.locator("#about")).to_contain_text("A5")
        many.say({"desk/a100": desk("lost")})
        expect(tile(page, "a100")).to_have_attribute("data-status", "lost")
        assert names(page)[:3] == ["a412", "a300", "a70"]
        tile(page, "a5").evaluate("e => e.blur()")
        expect(page.locator(".desk").nth(1)).to_have_attribute("data-desk", "a100")
        assert names(page)[:4] == ["a412", "a100", "a300", "a70"]

        # A status is a short list.
        page.locator("#legend [data-status=free] button").tap()
        assert names(page) == ["a9"]
        page.locator("#legend [data-status=free] button").tap()
        page.locator("#legend [data-status=held] button").tap()
        expect(page.locator("#map .none")).to_have_text("No desk just now.")
        many.say({"desk/a11": desk("held")})
        expect(tile(page, "a11")).to_be_visible()
        assert names(page) == ["a11"]
        expect(page.locator("#map .none")).to_have_count(0)
        expect(page.locator(".desk[tabindex='0']:visible")).to_have_count(1)
    many.say({"desk/a11": desk("talking"), "desk/a100": desk("talking")})


LUMINANCE = """(element) => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const own = getComputedStyle(element);
  const [one, other] = [light(own.color), light(own.backgroundColor)];
  const mark = light(getComputedStyle(element, "::before").color);
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  return [ratio(one, other), ratio(mark, other)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_words_on_every_tile_can_be_read(browser: Browser, hall_page: Served, scheme: str) -> None:
    statuses = list(COUNTS)
    hall_page.say({f"desk/a{n}": desk(status) for n, status in enumerate(statuses)})
    with opened(browser, hall_page.address, color_scheme=scheme, reduced_motion="reduce") as page:
        for n, status in enumerate(statuses):
            expect(tile(page, f"a{n}")).to_have_attribute("data-status", status)
            text, mark = tile(page, f"a{n}").evaluate(LUMINANCE)
            assert text >= 4.5, (status, text)
            assert mark >= 3, (status, mark)
    hall_page.say({f"desk/a{n}": desk("talking") for n in range(7)})
