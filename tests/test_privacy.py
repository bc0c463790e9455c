"""The privacy page: filled from the settings that hold, in three languages, and good on paper."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pypdfium2  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Browser, Page, expect

import floorplan
from gateway.people.people import People
from gateway.people.rights import RIGHTS
from gateway.truth import KINDS
from gateway.web import privacy_http
from gateway.web.page import app as page_app
from tests import gated
from tests.gated import CONSOLE, Gated

ROOT = Path(__file__).parent.parent
STATIC = ROOT / "gateway" / "web" / "static"
A4 = (595, 842)  # points
LANGUAGES = {"en": "en-GB", "nb": "nb-NO", "sv": "sv-SE"}


def plan(folder: Path, **more: Any) -> floorplan.Plan:
    """A floor where each way of sensing is at another number of desks."""
    (folder / "token").write_text("a token of sixteen letters")
    hook = {"by": "contact", "pin": "GP2", "ring": "GP3"}
    inputs = [
        {"desk": "a0", "phone": hook, "headset": {"by": "contact", "pin": "GP4", "dock": "GP5"}},
        {"desk": "a1", "phone": {**hook, "pin": "GP6", "ring": "GP7"}, "headset": {"by": "contact", "dock": "GP8"}},
        {"desk": "a2", "phone": {"by": "contact", "pin": "GP9"}},
    ]
    tables: dict[str, Any] = {
        "site": {"id": "skien", "name": "Skien <b>", "time_zone": "Europe/Stockholm", "seating": "login"},
        "broker": {"host": "10.1.2.3", "tls": True, "ca_file": "token"},
        "people": {"path": str(folder / "people.db"), "audit_days": 45, "session_h": 9},
        "history": {"quarters_days": 77, "days_days": 1234},
        "phones": {"secret_file": "token"},
        "pbx": {"asterisk": {"host": "10.1.2.4", "user": "callfloor", "secret_file": "token"}},
        "source": [{"id": "web", "secret_file": "token"}],
        "truth": {"empty_desk_rings_s": 9, "off": ["available-but-docked"]},
        "queue": [
            {"id": "polski", "name": "Polski", "pbx": "pl"}, {"id": "norsk", "name": "Norsk", "pbx": "no"},
            {"id": "chat", "name": "Chat", "source": "web"},
        ],
        "desk": [
            *({"id": f"a{n}", "device": f"PJSIP/{n}"} for n in range(4)),
            {"id": "a4", "phone": {"by": "url", "vendor": "snom", "mac": "00:04:13:00:00:01"}},
            *({"id": f"a{n}"} for n in range(5, 8)),
        ],
        "board": [{"id": "b", "definition": "pico-w", "inputs": inputs},
                  {"id": "pi", "definition": "raspberry-pi",
                   "inputs": [{"desk": "a3", "headset": {"by": "usb", "port": "1-1.2"}}]}],
        "wall": [{"id": "north", "panel": {"kind": "browser"}, "pages": [{"queue": "polski"}]}],
        **more,
    }  # fmt: skip
    return floorplan.check(tables, "test", folder)


def test_what_is_sensed_is_counted_from_the_site_file(tmp_path: Path) -> None:
    told = privacy_http.told(plan(tmp_path), None).model_dump()
    assert {row["sense"]: row["desks"] for row in told["sensed"]} == {
        "phone-contact": 3, "phone-ring": 2, "headset-contact": 1, "headset-dock": 2, "headset-usb": 1, "ip-phone": 1,
    }  # fmt: skip
    assert told["bare_desks"] == 3
    assert told["phone_system"] == {"asterisk": True, "queues": 2, "desks": 4, "seating": "login", "sources": 1}
    times = {row["kind"]: row["after_s"] for row in told["findings"]}
    assert times.keys() == set(KINDS) - {"available-but-docked"}
    assert times["empty-desk-rings"] == 9
    assert told["kept"]["quarters_days"] == 77 and told["kept"]["days_days"] == 1234
    assert told["kept"]["audit_days"] == 45 and told["kept"]["session_h"] == 9
    assert told["ways"] == {"page_tls": False, "broker_tls": True, "broker_here": False, "pbx_tls": False}
    assert told["site"]["country"] == "se"
    assert told["roles"] == []


def test_a_line_read_by_its_voltage_and_a_house_without_anything(tmp_path: Path) -> None:
    line = {"desk": "a0", "phone": {"by": "line", "pin": "GP26"}}
    bare = {"site": {"id": "skien"}, "board": [{"id": "b", "definition": "pico-w", "inputs": [line]}],
            "pbx": {}, "source": [], "queue": [], "wall": [], "desk": [{"id": "a0"}]}  # fmt: skip
    told = privacy_http.told(plan(tmp_path, **bare), None).model_dump()
    assert told["sensed"] == [{"sense": "phone-line", "desks": 1}]
    assert told["phone_system"] == {"asterisk": False, "queues": 0, "desks": 0, "seating": "fixed", "sources": 0}
    assert told["ways"]["pbx_tls"] is None and told["site"]["country"] is None


def test_nothing_stands_there_that_names_anybody(tmp_path: Path) -> None:
    site = plan(tmp_path)
    with People(site.people) as people:
        gated.add(people, "desk-lead", "supervisor")
        gated.add(people, "other-lead", "supervisor")
        gated.add(people, "boss", "admin")
        people.add_token(CONSOLE, "lobby-screen", "wall", 1)
        told = privacy_http.told(site, people)
    assert [(row.role, row.people, row.tokens) for row in told.roles] == [
        ("wall", 0, 1), ("supervisor", 2, 0), ("admin", 1, 0),
    ]  # fmt: skip
    text = told.model_dump_json()
    for name in ("desk-lead", "boss", "lobby", "PJSIP", "10.1.2", "0004", "secret", "callfloor"):
        assert name not in text


# ---- the page ----


class Here(NamedTuple):
    """A served floor, and tokens that open it."""

    address: str
    gated: Gated
    viewer: str
    screen: str


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("house")
    site = plan(folder)
    with People(site.people) as people:
        gated.add(people, "desk-lead", "supervisor")
    one = Gated(site)
    one.app = page_app(
        site, one.news, lambda: (True, {}), lambda wall: None,
        routers=[privacy_http.routes(site, one.people)], people=one.people,
    )  # fmt: skip
    try:
        with gated.served(one.app, site.page) as port:
            one.port = port
            yield Here(f"http://127.0.0.1:{port}", one, one.token("viewer", "v"), one.token("wall", "w"))
    finally:
        one.people.close()


def opened(browser: Browser, here: Here, token: str = "", path: str = "/privacy", **how: Any) -> Page:
    headers = {"Authorization": f"Bearer {token or here.viewer}"}
    page = browser.new_context(**{"locale": "en-GB", "extra_http_headers": headers, **how}).new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(here.address + path)
    return page


def test_who_may_see_the_page_may_ask_and_nobody_else(here: Here) -> None:
    assert here.gated.ask("GET", "/api/privacy").status == 401
    assert here.gated.ask("GET", "/api/privacy", Authorization=f"Bearer {here.screen}").status == 403
    answer = here.gated.ask("GET", "/api/privacy", Authorization=f"Bearer {here.viewer}")
    assert answer.status == 200
    assert answer.told == privacy_http.told(here.gated.site, here.gated.people).model_dump()
    request = urllib.request.Request(here.address + "/privacy")
    with urllib.request.urlopen(request, timeout=10) as shell:
        assert b"skien" not in shell.read().lower(), "the shell holds nothing of the floor"


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_what_the_settings_say_in_the_readers_language(browser: Browser, here: Here, language: str) -> None:
    table = tables()[language]
    page = opened(browser, here, locale=LANGUAGES[language])
    sheet = page.locator("#sheet")
    expect(page.get_by_role("heading", level=1)).to_have_text(table["title"])
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(sheet).to_contain_text("Skien <b>")
    rows = {name: cells for name, *cells in sheet.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.textContent))")}  # fmt: skip
    assert rows[table["sense"]["phone-contact"][0]] == ["3", table["sense"]["phone-contact"][1]]
    assert table["sense"]["phone-line"][0] not in rows, "what no desk has is not told of"
    assert rows[table["kept_rows"]["quarters"][0]][0].startswith("77 ")
    assert re.sub(r"\D", "", rows[table["kept_rows"]["days"][0]][0]) == "1234"
    assert rows[table["kept_rows"]["audit"][0]][0].startswith("45 ")
    expect(sheet).to_contain_text(table["seating"]["login"])
    expect(sheet).to_contain_text(table["finding"]["empty-desk-rings"].replace("{span}", "9 s"))
    expect(sheet).not_to_contain_text(table["finding"]["available-but-docked"].partition("{")[0])
    expect(sheet).to_contain_text(table["way"]["broker"][0])
    duties = page.locator(".duties").inner_text()
    for law in ("Art. 35", "§ 9-1", "§ 9-2", "2018:218", "§ 11", "§ 19", "Datatilsynet", "IMY"):
        assert law in duties
    # A Swedish house: its own duties come before Norway's.
    countries = page.locator(".country").evaluate_all("boxes => boxes.map(box => box.dataset.country)")
    assert countries == ["both", "se", "no"]
    left = re.findall(r"\{\w+\}|undefined|null", sheet.inner_text())
    assert left == []
    page.context.close()


def test_it_prints_on_a4_in_light_with_its_blanks_and_nothing_cut(
    browser: Browser, here: Here, tmp_path: Path
) -> None:
    page = opened(browser, here, locale="nb-NO", color_scheme="dark", viewport={"width": 390, "height": 844})
    table = tables()["nb"]
    page.get_by_label(table["blank"]["contact"]).fill("Tillitsvalgt på rom 4")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")  # chosen: not only as the computer is
    data = page.pdf(prefer_css_page_size=True)
    pdf = pypdfium2.PdfDocument(data)
    pages = [pdf[number] for number in range(len(pdf))]
    texts = [one.get_textpage().get_text_bounded() for one in pages]
    assert 2 <= len(pages) <= 4
    assert all(abs(one.get_width() - A4[0]) < 2 and abs(one.get_height() - A4[1]) < 2 for one in pages)
    whole = " ".join(" ".join(texts).split())
    law = table["country"]["no"]["rows"][2][0]
    for words in (table["title"], law, "Tillitsvalgt på rom 4", *table["blank"].values()):
        assert words in whole, words
    for words in (table["hint"], table["print"]):
        assert words not in whole, f"only on the screen: {words}"
    for number, one in enumerate(pages, 1):
        assert f"{number} / {len(pages)}" in texts[number - 1]
        picture = one.render(scale=1).to_pil().convert("L")
        light, dark = picture.histogram()[255], sum(picture.histogram()[:100])
        assert light > 0.7 * picture.width * picture.height, "ink on white, not a dark screen"
        assert dark > 1000
        margin = picture.crop((0, 0, 40, picture.height)), picture.crop((picture.width - 40, 0, picture.width, 800))
        assert all(part.getextrema() == (255, 255) for part in margin), "nothing stands in the margins"
    for one in pages:
        one.close()
    pdf.close()
    page.context.close()


def test_a_phone_shows_it_whole_and_a_screen_of_walls_is_told_why_not(browser: Browser, here: Here) -> None:
    page = opened(browser, here, viewport={"width": 320, "height": 568})
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    wide = page.locator("#sheet *").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().right > innerWidth).map(one => one.outerHTML)"
    )
    assert wide == []
    assert page.get_by_role("textbox").count() == len(tables()["en"]["blank"])
    page.get_by_label("Legal basis").focus()
    page.context.close()

    page = opened(browser, here, here.screen)
    expect(page.get_by_role("alert")).to_have_text(tables()["en"]["no_right"])
    page.context.close()


# ---- the words ----


_TABLES: dict[str, Any] = {}


def tables() -> dict[str, Any]:
    """The page's words by language, as a browser reads them."""
    if not _TABLES:
        for language in LANGUAGES:
            text = (STATIC / "words" / f"privacy_{language}.js").read_text(encoding="utf-8")
            body = re.sub(r"^//.*$", "", text, flags=re.MULTILINE)
            body = re.sub(r"export const \w+ = ", "", body).strip().rstrip(";")
            _TABLES[language] = json.loads(as_json(body))
    return _TABLES


def as_json(body: str) -> str:
    """A table of plain words as JSON: its keys in quotation marks, no comma before a bracket that closes."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', body)
    for n in range(0, len(parts), 2):
        parts[n] = re.sub(r"(\w+):", r'"\1":', parts[n])
    return re.sub(r",(\s*[}\]])", r"\1", "".join(parts))


def shape(value: Any) -> Any:
    """A table without its words: keys, lengths, and the names in braces."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return sorted(re.findall(r"\{\w+\}", value))


def test_each_language_has_all_of_it_and_what_the_gateway_may_say() -> None:
    english, *others = tables().values()
    assert all(shape(other) == shape(english) for other in others)
    schema = privacy_http.Privacy.model_json_schema()
    assert english["sense"].keys() == set(schema["$defs"]["Sensed"]["properties"]["sense"]["enum"])
    assert english["finding"].keys() == set(KINDS)
    assert english["right"].keys() == RIGHTS.keys()
    asked = set(re.findall(r"\{(\w+)\}", json.dumps(english["kept_rows"])))
    assert asked <= schema["$defs"]["Kept"]["properties"].keys()
    assert schema["$defs"]["Kept"]["properties"].keys() == asked, "each time of the settings is told"


def test_its_own_page_says_what_the_program_keeps() -> None:
    """docs/privacy.md has each thing that the sheet has a line for."""
    text = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    for row, _, _ in tables()["en"]["kept_rows"].values():
        assert f"| {row} |" in text
