"""The page on security: each line of it names a test, and there is a test by that name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PEOPLE = ("guest on the Wi-Fi", "curious colleague", "thief with a board", "bad file from the net",
          "hostile phone system")  # fmt: skip


def rows() -> list[list[str]]:
    """The cells of every row of its tables, without their heads."""
    lines = [line for line in TEXT.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]


def those_there_are() -> set[str]:
    return {
        node.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_line_names_tests_and_there_are_such_tests() -> None:
    lines = [row for row in rows() if row[-1] != "shown by"]
    assert len(lines) >= 20
    assert [row for row in lines if not re.search("`test_", row[-1])] == []
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert named - those_there_are() == set()


@pytest.mark.parametrize("who", PEOPLE)
def test_everybody_who_could_want_something_has_a_part(who: str) -> None:
    assert re.search(rf"^## .*{who}", TEXT, re.M)


def test_it_is_one_page() -> None:
    assert len(TEXT.splitlines()) < 140
