"""A drawing that a site brings: what is left of it after cleaning, what is refused, and what a browser makes of it."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, expect

import floorplan
from floorplan import SiteError
from gateway.web import floor_plan, floor_plan_http
from gateway.web.floor_plan import clean

from .test_page import Served, desk, opened, plan, png, tile

ROOT = Path(__file__).parent.parent
OFFICE = ROOT / "examples" / "floor-plan" / "office.toml"
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 50">'
INKSCAPE = 'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
PNG = "data:image/png;base64," + base64.b64encode(png("navy")).decode()


def cleaned(inside: str, *desks: str, head: str = HEAD) -> str:
    return clean(f"{head}{inside}</svg>".encode(), "plan.svg", desks).svg.decode()


def refused(inside: str, head: str = HEAD) -> str:
    with pytest.raises(SiteError) as error:
        cleaned(inside, "a1", head=head)
    return str(error.value)


# ---- what is taken ----


def test_what_draws_is_kept_and_what_describes_is_left_out() -> None:
    svg = cleaned(
        f'<title>Plan by somebody</title><metadata><x xmlns="urn:x">who</x></metadata><!-- a note --><style/>'
        f'<g {INKSCAPE} inkscape:label="Walls" '
        'style="fill:none;stroke:#000 !important;-inkscape-stroke:none;filter:url(#f)">'
        f'<path d="M0 0 L10 10" class="wall" data-x="1" transform="translate(1,2) rotate(45)"/></g>'
        '<filter id="f"><feFlood/></filter>'
        f'<linearGradient id="grey"><stop offset="0" style="stop-color:#ccc"/></linearGradient>'
        f'<rect id="table" width="5" height="5" fill="url(#grey)"/><use xlink:href="#table" x="9"/>'
        f'<text x="1" y="9">Tür &amp; Tor <tspan font-weight="bold">&lt;1&gt;</tspan></text>'
        f'<image width="3" height="3" xlink:href="{PNG}"/>'
    )
    root = ET.fromstring(svg)
    names = [element.tag.partition("}")[2] for element in root.iter()]
    assert names == ["svg", "g", "path", "linearGradient", "stop", "rect", "use", "text", "tspan", "image"]
    group, path, text = root[0], root[0][0], root.find(".//{*}text")
    assert group.attrib == {"fill": "none", "stroke": "#000"}
    assert path.attrib == {"d": "M0 0 L10 10", "transform": "translate(1,2) rotate(45)"}
    assert text is not None and "".join(text.itertext()) == "Tür & Tor <1>"
    assert [element.get("id") for element in root.iter() if element.get("id")] == ["grey", "table"]
    assert root.find("{*}use").get("href") == "#table"  # type: ignore[union-attr]
    for word in ("style", "somebody", "who", "note", "class", "data-x", "inkscape", "filter"):
        assert word not in svg


def test_a_desk_is_found_by_its_id_or_by_its_label_in_inkscape() -> None:
    found = clean((
        f'{HEAD}<rect id="desk-a1"/><rect id="A2"/><rect {INKSCAPE} id="rect77" inkscape:label="Desk-a3"/>'
        '<rect id="a1"/><defs><rect id="desk-a4"/></defs><rect id="desk-a9"/><rect id="r"/></svg>'
    ).encode(), "plan.svg", ["a1", "a2", "a3", "a4"])  # fmt: skip
    told = [element.get("data-desk") for element in ET.fromstring(found.svg).findall(".//{*}rect")]
    assert told == ["a1", "a2", "a3", None, None, None, None]  # `desk-a1` rather than `a1`, and nothing in <defs>
    assert (set(found.desks), list(found.strange)) == ({"a1", "a2", "a3"}, ["desk-a9"])


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ('width="200mm" height="100mm"', "0 0 755.906 377.953"),
        ('width="640" height="320px"', "0 0 640 320"),
        ('viewBox=" -5,-5 80 40 " width="100%" height="100%"', "-5 -5 80 40"),
    ],
)
def test_how_large_it_is(size: str, box: str) -> None:
    root = ET.fromstring(cleaned("<g/>", head=f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'))
    assert root.get("viewBox") == box
    assert f"{root.get('width')} {root.get('height')}" == " ".join(box.split()[2:])


# ---- what is refused ----


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("\n<script>alert(1)</script>", "plan.svg:2: <script> a floor plan runs nothing: delete it"),
        ('<x xmlns="urn:x"><script/></x>', "<script>"),
        ('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>', "<script>"),
        ('\n\n<rect onload="x()"/>', "plan.svg:3: onload: a floor plan runs nothing"),
        ('<rect ONCLICK="x()"/>', "ONCLICK"),
        ('<a href="#x"/>', "<a> is a link"),
        ("<foreignObject/>", "in Inkscape: Text > Convert to Text"),
        ("<animate/>", "moves"),
        ("<blink/>", "<blink> is not known here"),
        ("<style>rect{fill:red}</style>", "<style> is a style sheet"),
        ('<style>@import "http://x";</style>', "<style> is a style sheet"),
        ("<?xml-stylesheet href='x.css'?>", "asks for a style sheet"),
        ('<use href="http://x/y.svg#a"/>', "href: takes something from elsewhere"),
        ('<use xlink:href="javascript:x()"/>', "href: takes something from elsewhere"),
        ('<image href="scan.png"/>', "Extensions > Images > Embed"),
        ('<image href="data:image/svg+xml;base64,PHN2Zz4="/>', "neither PNG nor JPEG"),
        ('<rect fill="url(http://x)"/>', "fill: takes something from elsewhere"),
        ('<rect style="fill:URL( //x )"/>', "fill: takes something from elsewhere"),
        ('<rect style="cursor:url(http://x)"/>', "cursor: takes something from elsewhere"),
        ('<rect fill="u\\72l(http://x)"/>', "fill: cannot be written like this"),
        ('<rect fill="image-set(x)"/>', "fill: cannot be written like this"),
        ('<rect fill="url(#a) url(//x)"/>', "fill: takes something from elsewhere"),
        ("<g>" * 60 + "</g>" * 60, "groups lie in each other more than 40 deep"),
        ("<g/>" * 20_001, "more than 20000 objects"),
        ('<g id="a"><use href="#a"/></g>', "draws itself"),
        ('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>', "draws itself"),
        ('<pattern id="a"><rect fill="url(#a)"/></pattern>', "draws itself"),
        ("<g>", "plan.svg:1: is no SVG (mismatched tag)"),
        ("&nbsp;", "is no SVG (undefined entity)"),
    ],
)
def test_what_is_refused_says_what_where_and_what_to_do(inside: str, words: str) -> None:
    told = refused(inside)
    assert re.match(r"plan\.svg:\d+: ", told)
    assert words in told


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ('<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>', "declares entities"),
        ('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "declares entities"),
        ('<html xmlns="http://www.w3.org/1999/xhtml"/>', "<html> is no SVG"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', "does not say how large it is"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 x"/>', "viewBox: is four numbers"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 nan 1"/>', "of no size that could be drawn"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 900"/>', "twenty times as long"),
        ("<svg/>", "is no SVG"),
        ("", "is no SVG (no element found)"),
        ("PK\x03\x04", "is no SVG"),
    ],
)
def test_what_is_no_drawing_of_a_floor_is_refused(before: str, words: str) -> None:
    whole = before if before[:5] in ("<html", "<svg ", "<svg/", "", "PK\x03\x04") else f"{before}{HEAD}</svg>"
    with pytest.raises(SiteError, match=re.escape(words)):
        clean(whole.encode(), "plan.svg", [])


@pytest.mark.parametrize("encoding", ["ansi", "hex", "windows-1252", "UTF-16", "utf-8"])
def test_whatever_encoding_it_says_it_has_it_is_read_as_what_it_is(encoding: str) -> None:
    whole = f'<?xml version="1.0" encoding="{encoding}"?>{HEAD}<text x="1" y="1">Tür</text></svg>'
    assert "Tür".encode() in clean(whole.encode(), "plan.svg", []).svg


def test_a_doctype_alone_does_no_harm() -> None:
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert "DOCTYPE" not in cleaned("<g/>", head=doctype + HEAD)
    assert "&nbsp; is no letter of XML" in refused("<text>a&nbsp;b</text>", head=doctype + HEAD)


def test_clones_of_clones_are_counted_as_what_they_draw() -> None:
    rows = '<g id="g0"><rect/></g>' + "".join(
        f'<g id="g{n}">' + f'<use href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, 9)
    )
    assert "draws more than 100000 objects" in refused(rows)
    assert cleaned(rows[: rows.index('<g id="g4">')]).count("<use") == 30


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([
    "<rect ", "<g ", "<use ", "<script ", "<style>", "</style>", "<![CDATA[", "]]>", "/>", ">", "</g>", "<text>",
    "</text>", 'href="', "xlink:href='", 'style="', 'fill="', "url(", "#a", "//x)", "javascript:",
    "data:image/png;base64,AA", '"', "'", ";", ":", ")", "&#106;", "&lt;", "&amp;", "onload=", " id='a' ", "\\75",
    "<!--", "-->", "<?x ", "?>", "x:", "\n",
]), max_size=24))  # fmt: skip
def test_whatever_is_written_what_comes_out_draws_and_does_nothing_else(parts: list[str]) -> None:
    try:
        svg = cleaned("".join(parts), "a1")
    except SiteError:
        return
    for element in ET.fromstring(svg).iter():
        assert element.tag.partition("}")[2] in floor_plan.KNOWN
        for name, value in element.attrib.items():
            assert name in floor_plan.LOOK | floor_plan.PLACE | {"id", "href", "data-desk"}
            assert "url(" not in value.replace("url(#", "").replace("url('#", "").replace('url("#', "").lower()
            assert "script" not in value.lower() and "\\" not in value
            assert name != "href" or value.startswith(("#", "data:image/png;base64,"))


# ---- in the site file ----


def site(tmp_path: Path, svg: str, more: str = "") -> Path:
    (tmp_path / "plan.svg").write_text(svg, encoding="utf-8")
    file = tmp_path / "site.toml"
    file.write_text(
        '[site]\nid = "hall"\nfloor_plan = "plan.svg"\n' + more
        + "".join(f'[[desk]]\nid = "a{n}"\n' for n in range(1, 4)), encoding="utf-8",
    )  # fmt: skip
    return file


def check(file: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "callfloor", "up", str(file), "--check"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_up_check_says_what_is_wrong_with_the_drawing_and_who_is_not_on_it(tmp_path: Path) -> None:
    code, told = check(site(tmp_path, f"{HEAD}\n<script/></svg>"))
    assert code != 0 and f"{tmp_path / 'plan.svg'}:2: <script> a floor plan runs nothing" in told
    code, told = check(site(tmp_path, f'{HEAD}<rect id="desk-a1"/><rect id="desk-a33"/></svg>'))
    assert code == 0
    assert "not on it, so below it on the page: a2, a3;" in told
    assert "desk-a33: there is no such desk; did you mean 'a3'?" in told


def test_the_site_file_says_which_rooms_and_which_drawing(tmp_path: Path) -> None:
    read = floorplan.read(site(tmp_path, HEAD + "</svg>", '[[room]]\nname = "North"\nat = [0, 0]\nsize = [8, 3]\n'))
    assert read.site.floor_plan == tmp_path / "plan.svg"
    assert read.room == (floorplan.Room(name="North", at=(0, 0), size=(8, 3)),)
    assert floor_plan.check(read)[0] == []
    (tmp_path / "plan.svg").unlink()
    assert "plan.svg: cannot be read (No such file" in floor_plan.check(read)[0][0]
    for written, words in (
        ('[[room]]\nname = "N"\nat = [0, 0]\nsize = [0, 3]\n', "room[1].size[1]: is 1 or more"),
        ('[[room]]\nname = ""\nat = [0, 0]\nsize = [1, 3]\n', "room[1].name: is text of 1 or more letters"),
        ('[[room]]\nat = [0, 0]\nsize = [1, 3]\n', "room[1].name: is missing"),
    ):
        with pytest.raises(SiteError, match=re.escape(words)):
            floorplan.read(site(tmp_path, HEAD, written))
    (tmp_path / "site.toml").write_text('[site]\nid = "x"\nfloor_plan = "plan.pdf"\n', encoding="utf-8")
    with pytest.raises(SiteError, match=r"site\.floor_plan: is a drawing saved as Plain SVG"):
        floorplan.read(tmp_path / "site.toml")


# ---- served ----


class Drawn(Served):
    """A page with the floor's drawing."""

    def routers(self) -> list[APIRouter]:
        return [floor_plan_http.routes(self.site)]


@pytest.fixture(scope="module")
def office() -> Iterator[Drawn]:
    page = Drawn(floorplan.read(OFFICE))
    yield page
    page.stop()


def test_the_drawing_is_served_as_its_file_is_now_and_stays_where_that_is_broken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "plan.svg"
    page = Drawn(floorplan.read(site(tmp_path, f'{HEAD}<rect id="a1"/></svg>')))
    try:
        status, headers, body = page.get("/api/floor-plan.svg")
        assert (status, headers["content-type"]) == (200, "image/svg+xml")
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert b'data-desk="a1"' in body
        assert page.get("/api/floor-plan.svg", {"If-None-Match": f'W/{headers["etag"]}'})[0] == 304
        file.write_text(f'{HEAD}<circle id="a2"/></svg>', encoding="utf-8")
        os.utime(file, (1, 1))
        status, again, body = page.get("/api/floor-plan.svg", {"If-None-Match": headers["etag"]})
        assert (status, b'<circle data-desk="a2"/>' in body) == (200, True)
        assert again["etag"] != headers["etag"]
        file.write_text(f"{HEAD}<script/></svg>", encoding="utf-8")
        assert page.get("/api/floor-plan.svg")[2] == body
        assert "<script>" in caplog.text
    finally:
        page.stop()
    page.start()  # as after a restart
    try:
        status, _, words = page.get("/api/floor-plan.svg")
        assert (status, words.decode()) == (503, floor_plan_http.FAILED)
    finally:
        page.stop()
    none = Drawn(plan())
    try:
        assert none.get("/api/floor-plan.svg")[::2] == (404, floor_plan_http.NONE.encode())
    finally:
        none.stop()


# ---- in a browser ----


def test_desks_stand_where_the_drawing_has_them(browser: Browser, office: Drawn) -> None:
    office.say({f"desk/a{n}": desk("talking") for n in range(1, 13)})
    with opened(browser, office.address) as page:
        expect(page.locator("#map[data-kind=drawn]")).to_be_visible()
        drawing = page.locator("#drawing")
        assert drawing.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1600
        box, floor = drawing.bounding_box(), page.locator("#map").bounding_box()
        assert box and floor
        assert box["width"] / box["height"] == pytest.approx(16 / 9, rel=0.01)
        scale = box["width"] / 1600
        wanted = {}
        for shape in ET.fromstring((OFFICE.parent / "plan.svg").read_text(encoding="utf-8")).findall(".//{*}rect"):
            if shape.get("id") != "desk-b1":  # that one is turned
                x, y, w, h = (float(shape.get(key, "")) for key in ("x", "y", "width", "height"))
                wanted[shape.get("id", "").removeprefix("desk-")] = (x + w / 2, y + h / 2)
        wanted |= {"b1": (1380, 300), "b2": (820, 720)}  # as their groups are moved
        assert len(wanted) == 14
        for name, (x, y) in wanted.items():
            at = tile(page, name).bounding_box()
            assert at
            assert at["x"] + at["width"] / 2 == pytest.approx(box["x"] + x * scale, abs=1.5), name
            assert at["y"] + at["height"] / 2 == pytest.approx(box["y"] + y * scale, abs=1.5), name
        tile(page, "a1").focus()
        for key, name in (("ArrowRight", "a2"), ("ArrowDown", "a4"), ("ArrowRight", "a7")):
            page.keyboard.press(key)
            expect(tile(page, name)).to_be_focused()
        expect(page.locator("#about")).to_contain_text("A7 talking · Phones")
        page.keyboard.press("Escape")

        # Too small for it: columns and rows, with the rooms of the site file, and the page says why.
        page.set_viewport_size({"width": 640, "height": 844})
        expect(drawing).to_be_visible()
        page.set_viewport_size({"width": 390, "height": 844})
        expect(drawing).to_be_hidden()
        expect(page.locator("#map-note")).to_have_text("The floor plan is shown where the window has room for it.")


def test_desks_that_are_not_on_the_drawing_stand_below_it(browser: Browser, tmp_path: Path) -> None:
    page_of = Drawn(floorplan.read(site(tmp_path, f'{HEAD}<rect id="a1" x="40" y="20" width="20" height="9"/></svg>')))
    try:
        with opened(browser, page_of.address) as page:
            expect(page.locator("#map[data-kind=drawn]")).to_be_visible()
            drawing = page.locator("#drawing").bounding_box()
            boxes = [tile(page, name).bounding_box() for name in ("a1", "a2", "a3")]
            assert drawing and all(boxes)
            bottom = drawing["y"] + drawing["height"]
            assert [bool(box and box["y"] >= bottom) for box in boxes] == [False, True, True]
            assert page.locator("html").evaluate("e => e.scrollHeight <= e.clientHeight + 1")
    finally:
        page_of.stop()
