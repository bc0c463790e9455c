"""`make bench`: what the product must keep, each figure beside a yardstick taken in the same run.

Prints a table and writes bench.json: `{"name", "value", "unit", "must", "ok", "yardstick"}` a figure.
Nothing here is a test: these figures depend on the machine, the yardstick says on which.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured figure. `must` is its limit in words, `yardstick` what it stands beside."""

    name: str
    value: float
    unit: str
    must: str
    ok: bool
    yardstick: str


def at_most(name: str, value: float, unit: str, limit: float, yardstick: str) -> Figure:
    """A figure that must not exceed its limit."""
    return Figure(name, round(value, 1), unit, f"at most {limit:g}", value <= limit, yardstick)


def at_least(name: str, value: float, unit: str, limit: float, yardstick: str) -> Figure:
    """A figure that must reach its limit."""
    return Figure(name, round(value, 1), unit, f"at least {limit:g}", value >= limit, yardstick)


def main() -> int:
    """Runs all benchmarks, or those named. Exit status 1 when a figure misses its limit."""
    from benchmarks.bench import bench
    from benchmarks.call_path import call_path
    from benchmarks.heap import heap
    from benchmarks.pages import pages
    from benchmarks.poll import poll
    from benchmarks.queues import queues
    from benchmarks.walls import walls

    benchmarks: dict[str, Callable[[Path], Iterator[Figure]]] = {
        "heap": heap,
        "bench": bench,
        "poll": poll,
        "call-path": call_path,
        "queues": queues,
        "walls": walls,
        "pages": pages,
    }
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(benchmarks)}; none: all")
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    args = parser.parse_args()
    unknown = set(args.names) - set(benchmarks)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there is {', '.join(benchmarks)}")
    figures: list[Figure] = []
    console = Console()
    for name in args.names or benchmarks:
        with tempfile.TemporaryDirectory(prefix="callfloor-bench-") as folder, console.status(name):
            figures += benchmarks[name](Path(folder))
    args.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
    console.print(_table(figures))
    return 0 if all(figure.ok for figure in figures) else 1


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "measured", "must be", "beside")
    for figure in figures:
        colour = "green" if figure.ok else "red"
        measured = f"[{colour}]{figure.value:g} {figure.unit}[/]"
        table.add_row(figure.name, measured, f"{figure.must} {figure.unit}", figure.yardstick)
    return table


if __name__ == "__main__":
    sys.exit(main())
