"""The pages of boards: each can be read, and a plan is held against them."""

from pathlib import Path
from typing import Any

import pytest

import floorplan
from boards import definition
from callfloor_board import board_json
from tests.house import EXAMPLE


@pytest.mark.parametrize("name", definition.names())
def test_every_page_can_be_read_and_no_pin_is_both_good_and_to_be_avoided(name: str) -> None:
    page = definition.read(name)
    assert len(set(page.pins)) == len(page.pins) >= page.inputs_most
    assert not {*page.pins, *page.adc} & set(page.avoid)
    first = (definition.PAGES / f"{name}.toml").read_text().splitlines()[0]
    assert first.startswith("# ")  # the bench note


def plan(board: str, *inputs: dict[str, Any]) -> floorplan.Plan:
    tables = {
        "site": {"id": "s"},
        "desk": [{"id": f"a{number}"} for number in range(len(inputs))],
        "board": [{"id": "b", "definition": board, "inputs": [
            {"desk": f"a{number}", **place} for number, place in enumerate(inputs)
        ]}],
    }  # fmt: skip
    return floorplan.check(tables, "test", Path())


def ring_at(pin: str, hook: str = "GP4") -> dict[str, Any]:
    return {"phone": {"by": "contact", "pin": hook, "ring": pin}}


def line_at(pin: str) -> dict[str, Any]:
    return {"phone": {"by": "line", "pin": pin}}


USB = {"headset": {"by": "usb", "port": "1-1.2"}}


@pytest.mark.parametrize(
    ("board", "place", "words"),
    [
        ("picoo-w", ring_at("GP5"), "no board definition 'picoo-w'; did you mean 'pico-w'?"),
        ("pico-w", ring_at("GP99"), "board b: desk 'a0' phone.ring: a Raspberry Pi Pico W has no pin GP99"),
        ("pico-w", ring_at("GP1"), "desk 'a0' phone.ring at GP1: it is the console's input"),
        (
            "pico-w",
            line_at("GP4"),
            "phone.pin at GP4: a Raspberry Pi Pico W measures a line's voltage at GP26, GP27, GP28",
        ),
        (
            "pico-w",
            USB,
            "desk 'a0' headset: a Raspberry Pi Pico W reads no headset by USB; a Raspberry Pi does",
        ),
        ("esp32", line_at("IO25"), "phone.pin at IO25: an ESP32 measures no line's voltage; a Pico W does"),
        ("esp32", ring_at("IO12", "IO4"), "phone.ring at IO12: it is read at the start"),
        (
            "esp32",
            ring_at("IO34", "IO4"),
            "phone.ring at IO34: it has no pull-up, which a contact needs",
        ),
    ],
)
def test_what_a_board_cannot_do_is_said(board: str, place: dict[str, Any], words: str) -> None:
    assert words in "\n".join(definition.check(plan(board, place)))


@pytest.mark.parametrize("board", definition.names())
def test_a_page_says_how_many_desks_its_board_reads(board: str) -> None:
    page = definition.read(board)
    assert len(page.pins) >= page.inputs_most  # a contact each
    desks = [{"phone": {"by": "contact", "pin": pin}} for pin in page.pins]
    assert definition.check(plan(board, *desks[: page.inputs_most])) == []
    one_more = desks[: page.inputs_most] + desks[page.inputs_most :][:1]
    if len(one_more) > page.inputs_most:
        (line,) = definition.check(plan(board, *one_more))
        assert line.startswith(f"board b: {page.inputs_most + 1} inputs; ")
        assert f"{page.name} reads {page.inputs_most} at most" in line


@pytest.mark.parametrize(
    ("board", "places"),
    [
        ("pico-w", (line_at("GP26"), line_at("GP27"), line_at("GP28"), ring_at("GP5"))),
        ("esp32", (ring_at("IO33", "IO4"),)),
        ("raspberry-pi", (USB, {"headset": {"by": "usb", "port": "1-1.3"}})),
    ],
)
def test_what_a_board_can_do_is_good(board: str, places: tuple[dict[str, Any], ...]) -> None:
    assert definition.check(plan(board, *places)) == []


def test_the_shipped_floors_are_wired_right() -> None:
    assert definition.check(floorplan.read(EXAMPLE)) == []
    real = Path(floorplan.__file__).parent / "examples" / "skien.toml"
    assert definition.check(floorplan.read(real)) == []


def test_a_board_that_is_wired_wrong_is_told_nothing(tmp_path: Path) -> None:
    """Its board.json would only make it say so itself, where nobody looks."""
    site = tmp_path / "site.toml"
    site.write_text(
        '[site]\nid = "s"\n[broker]\nhost = "10.0.0.2"\n[[desk]]\nid = "a1"\n[[board]]\nid = "b"\n'
        'definition = "pico-w"\ninputs = [ { desk = "a1", phone = { by = "line", pin = "GP4" } } ]\n'
    )
    with pytest.raises(floorplan.SiteError, match=r"board b: desk 'a1' phone\.pin at GP4: a Raspberry Pi Pico W"):
        board_json(site, "b")
