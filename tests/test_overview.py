"""The overview names functions; each of them exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OVERVIEW = (ROOT / "docs/overview.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)(?:: ([\w.]+))?`", OVERVIEW)))
IN_THE_BROWSER = sorted(set(re.findall(r"`([\w/]+\.js)(?:: (\w+))?`", OVERVIEW)))


def test_the_overview_names_many() -> None:
    assert len(NAMED) > 25


@pytest.mark.parametrize(("file", "name"), NAMED, ids=": ".join)
def test_what_the_overview_names_exists(file: str, name: str) -> None:
    here: ast.AST = ast.parse((ROOT / file).read_text())
    for part in name.split(".") if name else ():
        found = {row.name: row for row in ast.iter_child_nodes(here) if isinstance(row, Defined)}
        assert part in found, f"{file} has no {name}"
        here = found[part]


@pytest.mark.parametrize(("file", "name"), IN_THE_BROWSER, ids=": ".join)
def test_what_it_names_in_the_browser_exists(file: str, name: str) -> None:
    assert re.search(rf"^(export )?(function|const) {name}", (ROOT / file).read_text(), re.M), f"{file} has no {name}"


Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
