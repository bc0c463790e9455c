"""What boards exist: a page of data each in definitions/*.toml, read and checked here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

import floorplan

PAGES = Path(__file__).with_name("definitions")


class DefinitionError(Exception):
    """A board's page that cannot be used, or a board wired against its page; the text says where."""


class Definition(BaseModel):
    """One kind of board. Adding one is adding a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str  # as printed on the box
    runs: Literal["micropython", "cpython"]
    pins: tuple[str, ...]  # that may be an input with a pull-up
    adc: tuple[str, ...] = ()  # that measure a voltage: a phone by line
    usb: bool = False  # headsets can be plugged in at its USB
    inputs_most: int  # desks that it reads a hundred times a second
    avoid: dict[str, str] = {}  # pins better left alone, and why
    proven: Literal["decoder", "interpreter", "emulator", "hardware"]


def names() -> list[str]:
    """The ids a site file may give as `definition`."""
    return sorted(path.stem for path in PAGES.glob("*.toml"))


def read(name: str) -> Definition:
    """The page of one kind of board. Raises DefinitionError."""
    path = PAGES / f"{name}.toml"
    if not path.exists():
        hint = floorplan.meant(name, names()) or f"; there is {', '.join(names())}"
        raise DefinitionError(f"no board definition '{name}'{hint}")
    try:
        return Definition.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise DefinitionError(f"{path.name}: {error}") from error


def check(plan: floorplan.Plan) -> list[str]:
    """What is wrong with the boards of a plan, a line each; empty: every pin is one its board has."""
    return [f"board {board.id}: {line}" for board in plan.board for line in wrong_with(board)]


def wrong_with(board: floorplan.Board) -> list[str]:
    """What is wrong with one board, a line each."""
    try:
        page = read(board.definition)
    except DefinitionError as error:
        return [str(error)]
    wrong: list[str] = []
    if len(board.inputs) > page.inputs_most:
        wrong.append(
            f"{len(board.inputs)} inputs; {_a(page)} reads {page.inputs_most} at most: "
            "give the others to a second board"
        )
    for place in board.inputs:
        wrong += [f"desk '{place.desk}' {line}" for line in _wrong_input(page, place)]
    return wrong


def _wrong_input(page: Definition, place: floorplan.BoardInput) -> list[str]:
    wrong = []
    if place.headset and place.headset.by == "usb" and not page.usb:
        wrong.append(
            f"headset: {_a(page)} reads no headset by USB; a Raspberry Pi does, or its contacts are read"
        )
    for key, pin in place.pins():
        by_line = key == "phone.pin" and place.phone is not None and place.phone.by == "line"
        if by_line and not page.adc:
            wrong.append(f"{key} at {pin}: {_a(page)} measures no line's voltage; a Pico W does")
        elif pin in page.avoid:
            wrong.append(f"{key} at {pin}: {page.avoid[pin]}")
        elif by_line and pin not in page.adc:
            wrong.append(f"{key} at {pin}: {_a(page)} measures a line's voltage at {', '.join(page.adc)}")
        elif not by_line and pin in page.adc and pin not in page.pins:
            wrong.append(f"{key} at {pin}: a contact needs a pull-up, and {_a(page)} has none there")
        elif not by_line and pin not in page.pins:
            wrong.append(f"{key}: {_a(page)} has no pin {pin}")
    return wrong


def _a(page: Definition) -> str:
    return f"{'an' if page.name[0] in 'AEIOU' else 'a'} {page.name}"
