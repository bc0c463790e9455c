"""The same simulated floor with another number of desks: for `callfloor up --desks N`.

`python -m simulator.resize SITE.toml N` prints N desks and their boards as lines for a site file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import floorplan

DESKS_A_BOARD = 4
FIRST_PIN = 2  # GP0 and GP1 are a chip's console
COLUMNS = 31  # 465 desks make a map of 31 by 15


def resize(tables: dict[str, Any], desks: int) -> dict[str, Any]:
    """Site-file tables with so many desks on simulated boards of four; walls and queues stay."""
    hung = {wall["board"] for wall in tables.get("wall", [])}
    columns = DESKS_A_BOARD if desks <= 2 * DESKS_A_BOARD else COLUMNS
    boards = [board for board in tables.get("board", []) if board["id"] in hung]
    for board in boards:
        board["inputs"] = []
    rows = [
        {"id": f"row-{start // DESKS_A_BOARD + 1}", "inputs": [
            _input(number - start, number) for number in range(start, min(start + DESKS_A_BOARD, desks))
        ]}
        for start in range(0, desks, DESKS_A_BOARD)
    ]  # fmt: skip
    return tables | {
        "board": rows + boards,
        "desk": [
            {"id": f"d{number + 1}", "name": str(number + 1), "extension": f"Local/{1001 + number}@agents",
             "at": [number % columns, number // columns]}
            for number in range(desks)
        ],
    }  # fmt: skip


def _input(place: int, number: int) -> dict[str, Any]:
    pin = FIRST_PIN + 4 * place
    return {
        "desk": f"d{number + 1}",
        "phone": {"by": "contact", "pin": f"GP{pin}", "ring": f"GP{pin + 1}"},
        "headset": {"by": "contact", "pin": f"GP{pin + 2}", "dock": f"GP{pin + 3}"},
    }


def lines(tables: dict[str, Any]) -> str:
    """The desks and boards of site-file tables as TOML, one a line."""
    return "".join(
        f"{name} = [\n{''.join(f'  {_toml(row)},{chr(10)}' for row in tables[name])}]\n"
        for name in ("desk", "board")
    )


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(lines(resize(floorplan.tables_in(Path(sys.argv[1])), int(sys.argv[2]))))
