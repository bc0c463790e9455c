"""`callfloor sim day`: where its stream goes, and its figures in the words of `callfloor replay`."""

from __future__ import annotations

import contextlib
import gzip
import json
import sys
from collections.abc import Iterator
from typing import TextIO

from floorplan import Plan, SiteError
from simulator.day import Figures, Write, live

COLUMNS = ("joined", "answered", "abandoned", "timed_out", "left_by_key", "waiting", "asa_s", "longest_wait_s",
           "service_level")  # fmt: skip
ALONG = ("waiting", "oldest_wait_s", "answered", "asa_s", "service_level")  # of each stretch
PLACES = {"service_level": 4}  # decimals; of seconds three


def run(plan: Plan, hours: float, out: str | None, seed: int | None, every_s: float | None,
        as_json: bool) -> None:  # fmt: skip
    """Lives a day and prints what really happened. Raises SiteError where the stream cannot be written."""
    to = sys.stderr if out == "-" else sys.stdout

    def tell(until_s: float, figures: Figures) -> None:
        for queue, row in sorted(figures.items()):
            _say_stretch(until_s, queue, {name: _rounded(name, row[name]) for name in ALONG}, as_json, to)

    with _written(out) as stream:
        figures, seed = live(plan, hours, seed, stream, every_s, tell)
    rows = {
        queue: {name: _rounded(name, row[name]) for name in COLUMNS} for queue, row in sorted(figures.items())
    }
    if as_json:
        print(json.dumps({"queues": rows, "seed": seed}), file=to)
    else:
        print(f"{_table(rows)}\nThe same again: --seed {seed}", file=to)


@contextlib.contextmanager
def _written(path: str | None) -> Iterator[Write | None]:
    """How to write where a stream goes: a file, compressed if it ends in .gz; `-` is the output."""
    try:
        with contextlib.ExitStack() as open_files:
            if path is None:
                yield None
            elif path == "-":
                yield sys.stdout.buffer.write
            else:
                file = open_files.enter_context(open(path, "wb"))
                packs = path.endswith(".gz")
                yield (
                    open_files.enter_context(gzip.GzipFile("", "wb", 1, file, mtime=0)).write
                    if packs
                    else file.write
                )
    except OSError as error:
        if path is None or isinstance(error, BrokenPipeError):  # it is what is printed
            raise
        raise SiteError(f"--out {path}: cannot be written ({error.strerror})") from error


def _say_stretch(until_s: float, queue: str, row: dict[str, int | float | None], as_json: bool,
                 to: TextIO) -> None:  # fmt: skip
    if as_json:
        print(json.dumps({"until_s": until_s, "queue": queue, **row}), file=to)
        return
    minutes, seconds = divmod(round(until_s), 60)
    words = [f"waiting {row['waiting']}", f"oldest {_cell('oldest_wait_s', row['oldest_wait_s'])} s",
             f"answered {row['answered']}", f"ASA {_cell('asa_s', row['asa_s'])} s",
             f"service level {_cell('service_level', row['service_level'])}"]  # fmt: skip
    print(f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}  {queue}: {', '.join(words)}", file=to)


def _table(rows: Figures) -> str:
    lines = [["queue", *COLUMNS]]
    lines += [[queue, *(_cell(name, row[name]) for name in COLUMNS)] for queue, row in rows.items()]
    wide = [max(len(line[place]) for line in lines) for place in range(len(COLUMNS) + 1)]
    return "\n".join(
        line[0].ljust(wide[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(line[1:], wide[1:], strict=True))
        for line in lines
    )


def _rounded(name: str, value: float | None) -> float | None:
    return round(value, PLACES.get(name, 3)) if isinstance(value, float) else value


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name == "service_level":
        return f"{value * 100:.1f} %"
    return f"{value:.1f}" if name.endswith("_s") else str(value)
