"""The overview names functions; each of them exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)(?:: ([\w.]+))?`", (ROOT / "docs/overview.md").read_text())))


def test_the_overview_names_many() -> None:
    assert len(NAMED) > 25


@pytest.mark.parametrize(("file", "name"), NAMED, ids=": ".join)
def test_what_the_overview_names_exists(file: str, name: str) -> None:
    here: ast.AST = ast.parse((ROOT / file).read_text())
    for part in name.split(".") if name else ():
        found = {row.name: row for row in ast.iter_child_nodes(here) if isinstance(row, Defined)}
        assert part in found, f"{file} has no {name}"
        here = found[part]


Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
