"""The pages of boards: each can be read, and a plan is held against them."""

from pathlib import Path

import pytest

import floorplan
from boards import definition
from tests.house import EXAMPLE


@pytest.mark.parametrize("name", definition.names())
def test_every_page_can_be_read_and_no_pin_is_both_good_and_to_be_avoided(name: str) -> None:
    page = definition.read(name)
    assert len(set(page.pins)) == len(page.pins) > 10
    assert not set(page.pins) & set(page.avoid)
    first = (definition.PAGES / f"{name}.toml").read_text().splitlines()[0]
    assert first.startswith("# ")  # the bench note


def plan(board: str, pin: str) -> floorplan.Plan:
    tables = {
        "site": {"id": "s"},
        "desk": [{"id": "a1"}],
        "board": [{"id": "b", "definition": board, "inputs": [
            {"desk": "a1", "phone": {"by": "contact", "pin": "GP4", "ring": pin}},
        ]}],
    }  # fmt: skip
    return floorplan.check(tables, "test", Path())


@pytest.mark.parametrize(
    ("board", "pin", "words"),
    [
        ("picoo-w", "GP5", "no board definition 'picoo-w'; did you mean 'pico-w'?"),
        ("pico-w", "GP99", "input 0 phone.ring: a Raspberry Pi Pico W has no pin GP99"),
        ("pico-w", "GP1", "input 0 phone.ring at GP1: it is the console's input"),
    ],
)
def test_what_a_board_cannot_do_is_said(board: str, pin: str, words: str) -> None:
    assert words in "\n".join(definition.check(plan(board, pin)))


def test_the_shipped_floors_are_wired_right() -> None:
    assert definition.check(plan("pico-w", "GP5")) == []
    assert definition.check(floorplan.read(EXAMPLE)) == []
    real = Path(floorplan.__file__).parent / "examples" / "skien.toml"
    assert definition.check(floorplan.read(real)) == []
