"""The wiring pages: drawn as listed, isolated as drawn, and their values hold when calculated anew."""

from __future__ import annotations

import math
import re
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

import floorplan
from boards import definition, kinds
from docs import circuit, draw
from tests.circuits import Net, value

ROOT = Path(__file__).parent.parent
WIRING = ROOT / "docs" / "wiring"
INPUTS = kinds.inputs()
CIRCUITS = [
    pytest.param(row, id=f"{name}: {row.id}") for name, page in INPUTS.items() for row in page.circuit
]
PICTURES = sorted(WIRING.glob("*.svg"))
PEAK_V = 57 + 105 * math.sqrt(2)  # the highest a line can be: fed with 57 V, rung with 105 V rms
SVG = "{http://www.w3.org/2000/svg}"


# What is written is what the pages say.


def test_every_file_is_what_the_generator_makes() -> None:
    assert draw.wrong() == [], "run `make docs`"


def test_check_tells_an_old_file_and_one_that_is_nobodys(tmp_path: Path) -> None:
    assert draw.main(["--check"], tmp_path) == 1
    assert draw.main([], tmp_path) == 0
    assert draw.main(["--check"], tmp_path) == 0
    (tmp_path / "wiring" / "ring.svg").write_text("<svg/>")
    (tmp_path / "wiring" / "gone.md").write_text("a page whose input is no more")
    assert draw.wrong(tmp_path) == ["wiring/gone.md", "wiring/ring.svg"]
    assert draw.main([], tmp_path) == 0
    assert not (tmp_path / "wiring" / "gone.md").exists()


@pytest.mark.parametrize("name", INPUTS)
def test_a_page_shows_its_mark_its_pictures_and_the_rules(name: str) -> None:
    text = (WIRING / f"{name}.md").read_text(encoding="utf-8")
    assert f"**Proven:** `{INPUTS[name].proven}`" in text
    assert "Behind a PBX or an ATA only" in text
    for row in INPUTS[name].circuit:
        assert f"]({row.id}.svg)" in text
    assert "meter" in text.partition("## Check before")[2]
    index = (WIRING / "README.md").read_text(encoding="utf-8")
    assert f"]({name}.md)" in index
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_circuits_have_names_of_their_own() -> None:
    names = [row.id for page in INPUTS.values() for row in page.circuit]
    assert len(set(names)) == len(names) == len(PICTURES)


@pytest.mark.parametrize("name", INPUTS)
def test_the_lines_for_the_site_file_are_right(name: str) -> None:
    tables = tomllib.loads('[site]\nid = "s"\n' + INPUTS[name].site)
    plan = floorplan.check(tables, name, Path())
    assert definition.check(plan) == []
    told = [place.model_dump()[INPUTS[name].of] for board in plan.board for place in board.inputs]
    told += [desk.model_dump()["phone"] for desk in plan.desk if desk.phone]
    assert [row["by"] for row in told] == [INPUTS[name].by]


# What is drawn.


@pytest.mark.parametrize("row", CIRCUITS)
def test_every_part_is_drawn_and_listed(row: kinds.Circuit) -> None:
    assert sorted(circuit.read(row.draw).refs()) == sorted(ref for part in row.part for ref in part.refs)
    picture = ElementTree.fromstring((WIRING / f"{row.id}.svg").read_bytes())
    texts = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    words = " ".join(texts)
    for part in row.part:
        assert part.value in words
        assert all(ref in words.split() for ref in part.refs)
    assert not [tag for tag in ("script", "image", "foreignObject") if list(picture.iter(SVG + tag))]


@pytest.mark.parametrize("row", CIRCUITS)
def test_nothing_drawn_hangs_in_the_air(row: kinds.Circuit) -> None:
    drawing = circuit.read(row.draw)
    assert [net for net in drawing.nets() if sum(len(points) for points in net.values()) < 2] == []
    ends = {at for _, at in drawing.ends()}
    for wire in drawing.wires:
        for at in (wire[0], wire[-1]):
            others = [other for other in drawing.wires if other is not wire]
            touched = any(circuit.between(one, at, two) for other in others for one, two in pairwise(other))
            assert at in ends or touched, f"a wire ends at {at}, where nothing is"


@pytest.mark.parametrize("row", CIRCUITS)
def test_nothing_that_conducts_crosses_the_barrier(row: kinds.Circuit) -> None:
    drawing = circuit.read(row.draw)
    outside = any(name.kind == "outside" for name in drawing.names)
    assert bool(drawing.barriers) == outside, "whoever comes from outside is isolated"
    if not outside:
        return
    ((x, _, _),) = drawing.barriers
    for net in drawing.nets():
        sides = {at[0] < x for points in net.values() for at in points}
        assert len(sides) == 1, f"joined across the barrier: {', '.join(net)}"
    for wire in drawing.wires:
        assert len({at[0] < x for at in wire}) == 1
    across = {part.ref for part in drawing.parts if part.corners[0][0] < x < part.corners[1][0]}
    tested = {ref: part.rated["tested"] for part in row.part for ref in part.refs if "tested" in part.rated}
    assert across == set(tested) and min(tested.values()) >= 3000
    for name in drawing.names:
        assert (name.at[0] < x) == (name.kind == "outside" or name.text.startswith("ISO")), name


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path="/usr/bin/chromium")
        yield chromium
        chromium.close()


def test_no_label_lies_on_another_or_off_the_paper(browser: Browser) -> None:
    page = browser.new_page()
    for picture in PICTURES:
        page.goto(picture.as_uri())
        boxes = page.evaluate(
            "[...document.querySelectorAll('text')].map(t => {"
            " const b = t.getBBox(); return [t.textContent, b.x, b.y + 1, b.x + b.width, b.y + b.height - 1] })"
        )
        left, top, width, height = (
            float(part) for part in page.evaluate("document.documentElement.getAttribute('viewBox')").split()
        )
        for number, (text, x1, y1, x2, y2) in enumerate(boxes):
            inside = left < x1 and x2 < left + width and top < y1 and y2 < top + height
            assert inside, f"{picture.name}: '{text}' is off the paper"
            for other, x3, y3, x4, y4 in boxes[number + 1 :]:
                apart = x2 <= x3 or x4 <= x1 or y2 <= y3 or y4 <= y1
                assert apart, f"{picture.name}: '{text}' lies on '{other}'"
    page.close()


# What is calculated: here anew, by the nodes of the drawing. The limits are those of the parts' makers.


@pytest.mark.parametrize("row", CIRCUITS)
def test_the_sums_on_the_page_keep_their_limits(row: kinds.Circuit) -> None:
    for line, result, most in kinds.results(row):
        assert result > 0, line.what
        assert line.at_least is None or result >= line.at_least
        assert most is None or result <= most


@pytest.mark.parametrize(
    ("page", "joined"),
    [
        (
            "phone-line-pi",
            {
                "GPIO11 (SCLK)": "U2.INA", "U2.OUTA": "U1.CLK", "GPIO10 (MOSI)": "U2.INB", "U2.OUTB": "U1.DIN",
                "GPIO8 (CE0)": "U2.INC", "U2.OUTC": "U1.CS", "U1.DOUT": "U2.IND", "U2.OUTD": "GPIO9 (MISO)",
                "U1.VDD": "U4.OUT", "U1.VREF": "ISO 3V3", "U2.VCC2": "ISO 3V3", "U2.VCC1": "3V3",
                "U1.CH1-CH7": "ISO 0V", "U3.+VIN": "5V", "U3.-VIN": "GND", "U4.IN": "U3.+VOUT",
                "U4.GND": "U3.-VOUT", "U1.AGND": "U3.-VOUT", "U2.GND2": "ISO 0V", "U2.GND1": "GND",
            },
        ),
        (
            "phone-line",
            {
                "U1.VDD1": "U4.OUT", "U1.VDD2": "3V3", "U1.SHTDN": "U1.GND1", "U1.GND1": "U3.-VOUT",
                "U1.GND2": "GND", "U2.VDD": "3V3", "U2.VSS": "GND", "U3.+VIN": "VBUS (5 V)", "U3.-VIN": "GND",
                "U4.IN": "U3.+VOUT", "U4.GND": "ISO 0V",
            },
        ),
    ],
)  # fmt: skip
def test_supplies_and_the_way_to_the_pi_are_joined_right(page: str, joined: dict[str, str]) -> None:
    nets = circuit.read(INPUTS[page].circuit[0].draw).nets()
    apart = {"3V3", "GND", "ISO 3V3", "ISO 0V"}
    for one, other in joined.items():
        (net,) = [net for net in nets if one in net]
        assert other in net, f"{one} goes to {', '.join(net)}"
        assert len(apart & set(net)) <= 1


def rated(page: str, name: str, ref: str) -> dict[str, float]:
    row = next(row for row in INPUTS[page].circuit if row.id == name)
    return next(part.rated for part in row.part if ref in part.refs)


def line_at_adc(page: str, volts: float) -> float:
    """Volts at the ADC for volts on the line, the way the drawing has it."""
    if page == "phone-line-pi":
        net = Net(page, "line-voltage-pi")
        net.source("line 1, wire a", "line 1, wire b", volts)
        net.amplifier("U5.IN+", "U5.IN-", "U5.OUT", "ISO 0V")
        return net.solve().volts("U1.CH0", "U1.AGND")
    front = Net(page, "line-voltage")
    front.source("wire a", "wire b", volts)
    seen = front.solve().volts("U1.VIN", "U1.GND1")
    assert (
        seen <= 2.5
    )  # where an AMC1311 clips; it is linear to 2 V, and holds up to 2.1 V with a line at its highest
    back = Net(page, "line-voltage")
    for pin, share in (("U1.OUTP", 0.5), ("U1.OUTN", -0.5)):
        back.source(pin, "GND", 1.44 + share * seen)  # the AMC1311's middle, its gain of 1
    back.amplifier("U2.IN+", "U2.IN-", "U2.OUT", "GND")
    return back.solve().volts("GP26", "GND")


@pytest.mark.parametrize("page", ["phone-line", "phone-line-pi"])
@pytest.mark.parametrize("turned", [1, -1], ids=["", "turned"])
def test_a_lines_voltage_comes_out_divided_whatever_its_polarity(page: str, turned: int) -> None:
    for volts in (6, 48, PEAK_V):
        at_adc = line_at_adc(page, turned * volts)
        assert at_adc * 100 == pytest.approx(volts - 2 * 0.4, rel=0.02)
    assert line_at_adc(page, turned * PEAK_V) <= 3.0
    told = tomllib.loads(INPUTS[page].site)["board"][0]["inputs"][0]["phone"]["divider"]
    assert (48 - 0.8) / line_at_adc(page, 48) == pytest.approx(told, rel=0.001)
    assert line_at_adc(page, 0) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("page", "name"), [("phone-line", "line-voltage"), ("phone-line-pi", "line-voltage-pi")]
)
def test_the_line_hardly_feels_it_and_no_part_is_asked_too_much(page: str, name: str) -> None:
    prefix = "line 1, " if page == "phone-line-pi" else ""
    clamp = rated(page, name, "RV1")["clamp"]
    net = Net(page, name)
    net.source(f"{prefix}wire a", f"{prefix}wire b", clamp)
    if page == "phone-line-pi":
        net.amplifier("U5.IN+", "U5.IN-", "U5.OUT", "ISO 0V")
    net.solve()
    for ref in ("R1", "R2", "R3", "R4"):
        volts = abs(net.volts(f"{ref}.1", f"{ref}.2"))
        assert volts <= 0.6 * rated(page, name, ref)["volts"]
        assert volts**2 / 4.7e6 <= 0.1 * rated(page, name, ref)["watts"]
        assert volts / 4.7e6 <= 25e-6
    assert rated(page, name, "RV1")["volts"] >= PEAK_V


def test_the_opto_in_the_line_lights_with_a_current_and_stays_dark_while_it_rings() -> None:
    most, least = rated("phone-contact", "hook-line", "U1"), 0.020
    for drop, amperes in ((1.1, 0.060), (most["forward"], least)):
        net = Net("phone-contact", "hook-line")
        net.source("U1.A", "U1.K", drop)
        net.current("on to the phone, wire a", "from the PBX, wire a", amperes)
        net.solve()
        led = amperes - net.volts("R1.1", "R1.2") / listed("hook-line", "R1")
        assert 0.008 <= led <= most["led"]
    collector = led * most["ctr"]
    board = Net("phone-contact", "hook-line")
    board.source("3V3", "GND", 3.3)
    board.join("3V3", "GP4", 30e3)  # the strongest pull-up of a chip
    board.current("U1.C", "U1.E", collector)
    assert (
        board.solve().volts("GP4", "GND") < 0
    )  # it could draw lower than ground: the transistor is closed for good
    for hertz in (20, 25, 50):
        ringing = Net("phone-contact", "hook-line", at_hz=hertz)
        ringing.current("on to the phone, wire a", "from the PBX, wire a", 0.026 * math.sqrt(2))
        assert ringing.solve().volts("U1.A", "U1.K") <= 0.9
    broken = Net("phone-contact", "hook-line")
    broken.current("on to the phone, wire a", "from the PBX, wire a", 0.060)
    volts = broken.solve().volts("C1.1", "C1.2")
    assert volts <= 0.8 * rated("phone-contact", "hook-line", "C1")["volts"]
    assert volts * 0.060 <= rated("phone-contact", "hook-line", "R1")["watts"]


def listed(name: str, ref: str) -> float:
    """The value of a part of the phone's contacts."""
    row = next(row for row in INPUTS["phone-contact"].circuit if row.id == name)
    return value(next(part.value for part in row.part if ref in part.refs))


@pytest.mark.parametrize("hertz", [16.7, 20, 25, 50])
def test_the_rings_opto_sees_a_weak_ring_and_bears_a_strong_one(hertz: float) -> None:
    led = rated("phone-contact", "ring", "U1")

    def peak(rms: float) -> tuple[float, Net]:
        net = Net("phone-contact", "ring", at_hz=hertz)
        net.source("wire a", "wire b", rms * math.sqrt(2) - 0.7 - 15 - led["forward"])
        net.join("D1.1", "D1.2")
        net.join("D2.1", "D2.2")
        net.join("U1.A", "U1.K")
        net.solve()
        return net.volts("R1.1", "R1.2") / listed("ring", "R1"), net

    weak, _ = peak(40)
    assert weak * led["ctr"] >= 1.5 * 3.3 / 30e3 * min(1, hertz / 20)
    strong, net = peak(105 + (15 + 0.7 + led["forward"]) / math.sqrt(2))
    assert strong <= 0.5 * led["led"]
    assert (net.volts("R1.1", "R1.2") / math.sqrt(2)) ** 2 / listed("ring", "R1") <= 0.5 * rated(
        "phone-contact", "ring", "R1"
    )["watts"]
    assert rated("phone-contact", "ring", "C1")["volts"] >= PEAK_V / 0.6


def test_the_indicators_opto_bears_what_is_accepted_and_a_wrong_polarity() -> None:
    led = rated("headset-contact", "indicator", "U1")

    def amperes(volts: float, drop: float) -> float:
        net = Net("headset-contact", "indicator")
        net.source("indicator, tip (+)", "indicator, sleeve (-)", volts)
        net.source("U1.A", "U1.K", drop)
        return net.solve().volts("R1.1", "R1.2") / 1000

    assert amperes(12, 1.0) <= 0.5 * led["led"]
    assert amperes(12, 1.0) ** 2 * 1000 <= 0.5 * rated("headset-contact", "indicator", "R1")["watts"]
    board = Net("headset-contact", "indicator")
    board.source("3V3", "GND", 3.3)
    board.join("3V3", "GP6", 30e3)
    board.current("U1.C", "U1.E", amperes(3, led["forward"]) * led["ctr"] / 3)
    assert board.solve().volts("GP6", "GND") < 0
    turned = Net("headset-contact", "indicator")
    turned.source("indicator, tip (+)", "indicator, sleeve (-)", -12)
    assert turned.solve().volts("U1.A", "U1.K") >= -1  # an LED bears 6 V backwards


@pytest.mark.parametrize(
    ("page", "name", "pin"),
    [
        ("phone-contact", "hook-switch", "GP4"),
        ("headset-dock", "reed", "GP7"),
    ],
)
def test_a_made_contact_is_0_and_an_open_one_1(page: str, name: str, pin: str) -> None:
    for made, low, high in ((True, 0, 0.4), (False, 3.2, 3.3)):
        net = Net(page, name)
        net.source("3V3", "GND", 3.3)
        net.join("3V3", pin, 30e3)
        net.join("S1.1", "S1.2", 1 if made else 1e9)
        assert low <= net.solve().volts(pin, "GND") <= high


# What is refused.


def changed(page: str, old: str, new: str) -> kinds.Circuit:
    text = (kinds.INPUTS / f"{page}.toml").read_text(encoding="utf-8")
    assert old in text
    return kinds.Input.model_validate(tomllib.loads(text.replace(old, new))).circuit[0]


@pytest.mark.parametrize(
    ("page", "old", "new", "words"),
    [
        ("phone-line", "127 kΩ", "270 kΩ", "volts on the line for one at U1 is .*, and must be at least 145"),
        ("phone-line-pi", "191 kΩ", "330 kΩ", "`divider` is .* must be at least 98"),
        ("phone-line", "clamp = 455", "clamp = 900", "a surge; .* must be at most"),
        (
            "headset-contact",
            'value = "1 kΩ"\nrated = { watts = 0.5 }',
            'value = "100 Ω"\nrated = { watts = 0.5 }',
            "12 V",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named(page: str, old: str, new: str, words: str) -> None:
    with pytest.raises(kinds.PageError, match=words):
        kinds.results(changed(page, old, new))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("R1 resistr 0,0 2,0", "line 1: .*no part is drawn as 'resistr'"),
        ("wire 0,0 2,2", "line 1: .*level or upright"),
        ("R1 resistor 0,0 2,0\nR1 resistor 0,2 2,2", "line 2: .*R1 stands there already"),
        ("R1 resistor 0,0", "line 1"),
        ("U1 box 0,0 2,2 X1:A", "line 1"),
    ],
)
def test_a_line_that_cannot_be_drawn_is_named(line: str, words: str) -> None:
    with pytest.raises(circuit.CircuitError, match=words):
        circuit.read(line)


@pytest.mark.parametrize("text", ["R9 + 1", "__import__('os')", "R1.real", "[1][0]", "'a' * 9"])
def test_a_sum_is_arithmetic_and_nothing_else(text: str) -> None:
    with pytest.raises(kinds.PageError, match="is no value of a part"):
        kinds.evaluate(text, {"R1": 1.0})
