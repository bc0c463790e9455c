"""The tests in tests/shared once more, from the same files, on a real MicroPython."""

from __future__ import annotations

import ast
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = ROOT / "tests" / "shared"


def cases() -> list[tuple[str, str]]:
    """(file, function) of every shared test."""
    return [
        (path.name, node.name)
        for path in sorted(SHARED.glob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@cache
def said(micropython: str, file: str) -> str:
    """What the runner printed for one file."""
    done = subprocess.run(
        [micropython, str(SHARED / "run.py"), str(SHARED / file)],
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(("file", "test"), cases())
def test_on_micropython(micropython: str, file: str, test: str) -> None:
    output = said(micropython, file)
    if f"ok {test}\n" in output:
        return
    about = output.partition(f"failed {test}\n")[2] or output
    pytest.fail(f"on MicroPython:\n{about.partition(chr(10) + 'ok ')[0]}", pytrace=False)
