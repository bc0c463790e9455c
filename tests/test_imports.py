"""Who may import whom, and what a board's code may import at all."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Data flows one way, and so do imports. Each part may import itself and these.
MAY_IMPORT = {
    "firmware": set(),
    "this_computer": set(),
    "site_error": set(),
    "floorplan_desks": {"site_error"},
    "floorplan": {"firmware", "floorplan_desks", "site_error", "this_computer"},
    "boards": {"firmware", "floorplan", "this_computer"},
    "wallboard": {"firmware", "floorplan", "this_computer"},
    "simulator": {"firmware", "floorplan", "this_computer"},
    "gateway": {"firmware", "floorplan", "floorplan_desks", "boards", "wallboard", "this_computer"},
    "callfloor_up": {
        "firmware", "floorplan", "boards", "wallboard", "simulator", "gateway", "callfloor_past", "this_computer",
    },
    "callfloor_past": {"floorplan", "simulator", "gateway"},
    "callfloor_shared": {"floorplan", "gateway", "site_error"},
    "callfloor_board": {
        "firmware", "floorplan", "boards", "simulator", "gateway",
        "callfloor_complete", "callfloor_shared", "site_error", "this_computer",
    },
    "callfloor_errors": set(),
    "callfloor_complete": set(),
    "callfloor": {
        "firmware", "floorplan", "boards", "wallboard", "simulator", "gateway",
        "callfloor_board", "callfloor_complete", "callfloor_errors", "callfloor_shared", "callfloor_up",
        "site_error", "this_computer",
    },
}

# What only a chip has, and its modules by that name here have not.
ON_CHIPS = {"machine", "network"}
# Files of the firmware that only CPython runs, and what they may import beyond MicroPython's modules.
ON_A_PI = {"pins_gpiozero.py": {"gpiozero", "lgpio", "tempfile", "warnings"}}
# What images or packages bring: tests/test_libraries.py holds firmware/package.json and manifest.py against it.
FROM_PACKAGES = {"debug.py": {"logging", "aiorepl"}, "lamp.py": {"neopixel"}}


def files_of(part: str) -> list[Path]:
    path = ROOT / part
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def imports(tree: ast.AST) -> Iterator[tuple[int, str, list[str]]]:
    """(line, module, names taken from it) of every import in a tree, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, []
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or ""), [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                yield node.lineno, str(node.args[0].value), []


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def without_fallbacks(tree: ast.Module) -> ast.Module:
    """The tree without what stands under `except ImportError:`, which is for the other Python."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type and ast.unparse(node.type) == "ImportError":
            node.body = [ast.Pass()]
    return tree


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_what_it_may(part: str) -> None:
    for path in files_of(part):
        for line, module, _ in imports(tree_of(path)):
            whole = module.partition(".")[0]
            if whole in MAY_IMPORT and whole != part:
                assert whole in MAY_IMPORT[part], f"{path.relative_to(ROOT)}:{line}: {part} imports {module}"
            assert whole not in ("tests", "benchmarks"), f"{path.relative_to(ROOT)}:{line}: {module}"


def test_every_part_is_under_the_rule_and_in_the_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "docs"}
    modules = {path.stem for path in ROOT.glob("*.py")}
    assert packages | modules <= set(MAY_IMPORT)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = project["tool"]["hatch"]["build"]["only-include"]
    assert {name.removesuffix(".py") for name in packed} == set(MAY_IMPORT)


def test_firmware_imports_only_what_micropython_has(micropython: str) -> None:
    statements = set()
    for path in files_of("firmware"):
        allowed = ON_CHIPS | ON_A_PI.get(path.name, set()) | FROM_PACKAGES.get(path.name, set())
        for line, module, names in imports(without_fallbacks(tree_of(path))):
            assert not module.startswith("."), f"{path.relative_to(ROOT)}:{line}: relative imports"
            if module.partition(".")[0] not in allowed | {"firmware"}:
                statements.add(f"from {module} import {', '.join(names)}" if names else f"import {module}")
    assert "import asyncio" in statements
    tries = "".join(
        f"try:\n    {statement}\nexcept ImportError as error:\n    print({statement!r}, error)\n"
        for statement in sorted(statements)
    )
    done = subprocess.run([micropython, "-c", tries], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == ""


def test_micropython_can_read_all_of_the_firmware(micropython: str) -> None:
    files = [str(path) for path in files_of("firmware")]
    compiles = "import sys\nfor path in sys.argv[1:]: compile(open(path).read(), path, 'exec'); print(path)"
    command = [micropython, "-c", compiles, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.split() == files, done.stderr
