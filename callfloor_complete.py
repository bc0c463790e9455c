"""What the tab key offers: boards, desks, walls and queues of the site file that is named on the same line.

It is read as text, not checked: a tab has to be quick, and a site file that is being written may be half done.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

MOST_BYTES = 4 * 2**20
ENDS = (".toml", ".json")  # how a site file's name ends


def boards(ctx: typer.Context, args: list[str], incomplete: str) -> list[str]:
    """Ids of boards."""
    return _ids("board", ctx, args, incomplete)


def desks(ctx: typer.Context, args: list[str], incomplete: str) -> list[str]:
    """Ids of desks."""
    return _ids("desk", ctx, args, incomplete)


def walls(ctx: typer.Context, args: list[str], incomplete: str) -> list[str]:
    """Ids of walls."""
    return _ids("wall", ctx, args, incomplete)


def queues(ctx: typer.Context, args: list[str], incomplete: str) -> list[str]:
    """Ids of queues."""
    return _ids("queue", ctx, args, incomplete)


def _ids(table: str, ctx: typer.Context, args: list[str], incomplete: str) -> list[str]:
    site = ctx.params.get("site") or _named([*args, *_line()])
    try:
        found = _in_file(Path(str(site)), table) if site else []
    except (OSError, ValueError, RecursionError):
        return []
    taken = {str(value) for value in ctx.params.get(table + "s") or ()}
    return [name for name in dict.fromkeys(found) if name.startswith(incomplete) and name not in taken]


def _line() -> list[str]:
    """All words of the command line, also those behind the cursor, as the shell hands them over."""
    text = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed yet
        return text.split()


def _named(words: list[str]) -> str | None:
    """The site file among words: what follows --site, or what looks like one."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word == "--site" and after:
            return after
        if word.startswith("--site="):
            return word.removeprefix("--site=")
    return next((word for word in words if word.endswith(ENDS) and os.path.isfile(word)), None)


def _in_file(path: Path, table: str) -> Iterable[str]:
    path = path.expanduser()
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        return []
    text = path.read_text(encoding="utf-8")
    tables = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    rows = tables.get(table)
    rows = rows if isinstance(rows, list) else []
    found = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    if table in ("desk", "board") and isinstance(tables.get("desks"), str):
        found += _column(path.parent / tables["desks"], table)
    return found


def _column(path: Path, table: str) -> list[str]:
    """The desks or boards in a plan that is a CSV file."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return []
    rows: list[dict[str, Any]] = list(csv.DictReader(lines, delimiter=";" if ";" in lines[0] else ","))
    names = ("id", "desk") if table == "desk" else ("board",)
    return [str(row[name]).strip() for row in rows for name in names if row.get(name)]
