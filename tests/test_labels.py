"""Labels for boards: a browser and a reader of PDF draw them, somebody else's decoder reads their codes back."""

from __future__ import annotations

import io
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
import zxingcpp
from PIL import Image

import floorplan
from boards.bench import BenchError, labels
from floorplan import Plan, SiteError
from tests.test_page import chromium

DOTS_PER_MM = 4  # 100 a inch: what the poorest printer does
URL = "https://floor.example/skien"


def plan_of(boards: int, desks: int = 2, **more: Any) -> Plan:
    names = [[f"a{board * desks + number}" for number in range(desks)] for board in range(boards)]
    tables = {
        "site": {"id": "skien"},
        "broker": {"user": "gateway_", "secret_file": "s", "boards_folder": "b"},
        "desk": [{"id": desk} for row in names for desk in row],
        "board": [
            {"id": f"pico-{number}", "wifi": {"ssid": "floor-and-its-name", "secret_file": "w"}, "inputs": [
                {"desk": desk, "phone": {"by": "contact", "pin": f"GP{at}"}} for at, desk in enumerate(row)
            ]} for number, row in enumerate(names)
        ],
    } | more  # fmt: skip
    return floorplan.check(json.loads(json.dumps(tables)), "site", Path())


def codes(picture: Image.Image) -> list[str]:
    """What is read off a sheet, from its upper left corner on."""
    found = zxingcpp.read_barcodes(picture.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    places = [(round(one.position.top_left.y, -1), one.position.top_left.x, one.text) for one in found]
    return [text for _, _, text in sorted(places)]


def pages(path: Path) -> list[tuple[Image.Image, str]]:
    """Each page of a PDF: as a picture, and its text."""
    with pypdfium2.PdfDocument(path) as document:
        return [
            (page.render(scale=DOTS_PER_MM * 25.4 / 72).to_pil(), page.get_textpage().get_text_bounded())
            for page in document
        ]


def drawn(path: Path) -> Image.Image:
    """A sheet of SVG as a browser draws it."""
    wide, high = (round(side * DOTS_PER_MM) for side in labels.SHEET)
    svg = re.sub(r'width="[\d.]+mm" height="[\d.]+mm"', f'width="{wide}" height="{high}"', path.read_text(), count=1)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": wide, "height": high})
        page.set_content(f'<body style="margin:0">{svg}</body>')
        ends = page.evaluate("[...document.querySelectorAll('text')].map((text) => text.getBoundingClientRect().right)")
        assert len(ends) >= 24 and max(ends) <= wide
        return Image.open(io.BytesIO(page.screenshot()))


def test_every_code_of_30_labels_is_read_back(tmp_path: Path) -> None:
    plan = plan_of(30, page={"url": URL})
    wanted = [f"{URL}/?board=pico-{number}#boards" for number in range(30)]
    (pdf,) = labels.write(plan, [], tmp_path / "labels.pdf")
    read = pages(pdf)
    assert [codes(picture) for picture, _ in read] == [wanted[:24], wanted[24:]]
    for number in (0, 23):
        assert re.search(rf"\ba{2 * number} a{2 * number + 1}\b", read[0][1]) and f"pico-{number}" in read[0][1]
    sheets = labels.write(plan, [], tmp_path / "labels.svg")
    assert [path.name for path in sheets] == ["labels.svg", "labels-2.svg"]
    assert codes(drawn(sheets[0])) == wanted[:24]
    assert pdf.stat().st_size < 60_000


def test_without_a_page_the_code_names_site_and_board(tmp_path: Path) -> None:
    (pdf,) = labels.write(plan_of(2), ["pico-1"], tmp_path / "one.pdf")
    ((picture, text),) = pages(pdf)
    assert codes(picture) == ["callfloor:skien/pico-1"]
    data = pdf.read_bytes()  # its table is right: some readers need it, others make their own
    places = [int(place) for place in re.findall(rb"^(\d{10}) 00000 n", data, re.M)]
    assert [data[place:].split(b" ")[0] for place in places] == [b"%d" % number for number in range(1, len(places) + 1)]
    assert data[int(data.split()[-2]) :].startswith(b"xref\n")
    assert "pico-0" not in text and "skien" in text


@pytest.mark.parametrize("desks", [0, 1, 4, 8, 40])
def test_letters_stay_on_their_label(desks: int) -> None:
    """However many desks and however long their ids: as large as there is room, and no letter outside."""
    names = tuple(f"desk-with-a-long-name-{number:03}"[: 4 + 7 * (desks % 5)] for number in range(desks))
    one = labels.Label(names, "b" * 32, "s" * 32, "callfloor:" + "s" * 32 + "/" + "b" * 32)
    texts = [shape for shape in labels.draw(one, 0, 0) if isinstance(shape, labels.Text)]
    boxes = [shape for shape in labels.draw(one, 0, 0) if isinstance(shape, labels.Box)]
    for text in texts:
        assert text.x + labels.width(text.text) * text.height <= labels.LABEL[0]
        assert text.x >= max(box.x + box.wide for box in boxes)
        assert text.height <= text.y + 0.01 and text.y <= labels.LABEL[1]
    rows = sorted({(text.y, text.height) for text in texts})
    for (above, _), (below, height) in itertools.pairwise(rows):
        assert below - height * 0.75 >= above


def test_a_usual_desk_is_in_the_largest_letters() -> None:
    shapes = labels.draw(labels.Label(("a12",), "pico-a", "skien", "x"), 0, 0)
    first = next(shape for shape in shapes if isinstance(shape, labels.Text))
    assert (first.text, first.height) == ("a12", labels.LARGEST)


def test_no_secret_and_no_network_is_on_a_label(tmp_path: Path) -> None:
    text = labels.write(plan_of(3, page={"url": URL}), [], tmp_path / "l.svg")[0].read_text()
    assert "floor-and-its-name" not in text and "gateway_" not in text


def test_what_cannot_be_printed(tmp_path: Path) -> None:
    plan = plan_of(1)
    with pytest.raises(BenchError, match=r"labels are written as \.svg or \.pdf"):
        labels.write(plan, [], tmp_path / "labels.png")
    with pytest.raises(SiteError, match="no board 'pico-9' in the site file; did you mean 'pico-0'"):
        labels.write(plan, ["pico-9"], tmp_path / "labels.svg")
    with pytest.raises(BenchError, match="cannot be written"):
        labels.write(plan, [], tmp_path / "no" / "labels.svg")
    with pytest.raises(BenchError, match="has no board"):
        labels.write(plan_of(0), [], tmp_path / "labels.svg")
