"""What is claimed: every kind a site file accepts has its page and its mark, and nothing claims hardware."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import floorplan
from boards import definition, kinds
from docs import draw
from firmware import panels
from wallboard import drivers

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "proven.md").read_text(encoding="utf-8")


def accepted(model: type[floorplan.Table], field: str) -> set[str]:
    """The words that a site file may write there."""
    return set(get_args(model.model_fields[field].annotation))


def marked() -> list[kinds.Input | kinds.Panel]:
    """Every page of an input or a panel."""
    return [*kinds.inputs().values(), *kinds.panels().values()]


def test_every_input_a_site_file_accepts_has_a_page_and_no_page_is_of_another() -> None:
    told = {(page.of, page.by) for page in kinds.inputs().values()}
    phones = accepted(floorplan.PhoneInput, "by") | accepted(floorplan.DeskPhone, "by")
    assert told == {("phone", by) for by in phones} | {
        ("headset", by) for by in accepted(floorplan.HeadsetInput, "by")
    }


def test_an_input_has_a_page_for_each_python_that_reads_it() -> None:
    runs: dict[tuple[str, str], set[str]] = {}
    for page in kinds.inputs().values():
        runs.setdefault((page.of, page.by), set()).update(page.runs)
    both = {"micropython", "cpython"}
    assert runs == {
        ("phone", "contact"): both,
        ("phone", "line"): both,
        ("phone", "url"): {"cpython"},
        ("headset", "contact"): both,
        ("headset", "usb"): {"cpython"},
    }


def test_every_panel_a_site_file_accepts_has_a_page_and_runs_where_it_says() -> None:
    pages = kinds.panels()
    assert {page.kind for page in pages.values()} == set(pages) == accepted(floorplan.Panel, "kind")
    assert {name for name, page in pages.items() if "micropython" in page.runs} == set(panels.PANELS)
    assert {name for name, page in pages.items() if "cpython" in page.runs} == set(drivers.DRIVERS)


def test_the_table_has_a_line_with_its_mark_and_a_sentence_for_each() -> None:
    wanted = [(board.name, board.proven) for board in map(definition.read, definition.names())]
    wanted += [(page.name, page.proven) for page in marked()]
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if "|" in line
    ]
    for name, mark in wanted:
        (row,) = [row for row in rows if row[0].removeprefix("[").partition("]")[0] == name]
        assert row[2] == f"`{mark}`"
        assert len(row[3]) > 30 and row[3].endswith(".")


def test_nothing_claims_hardware() -> None:
    for board in map(definition.read, definition.names()):
        assert board.proven != "hardware", f"{board.name}: who tried it, and where is that written?"
    for page in marked():
        assert page.proven != "hardware", f"{page.name}: who tried it, and where is that written?"
    assert re.findall(r"^\|.*`hardware`.*$", PAGE, re.MULTILINE) == [
        f"| `hardware` | {kinds.PROVEN['hardware']} |"
    ]


def test_a_mark_nobody_knows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (kinds.PANELS / "file.toml").read_text(encoding="utf-8")
    (tmp_path / "file.toml").write_text(text.replace('"interpreter"', '"surely"'))
    monkeypatch.setattr(kinds, "PANELS", tmp_path)
    with pytest.raises(kinds.PageError, match=r"file\.toml: .*\nproven\n.*'hardware'"):
        kinds.panels()


def test_each_mark_is_explained_where_it_is_shown() -> None:
    for mark, words in kinds.PROVEN.items():
        assert f"| `{mark}` | {words} |" in PAGE
    assert set(kinds.PROVEN) == set(get_args(definition.Definition.model_fields["proven"].annotation))
    assert "proven.md" in draw.pages()
