"""A board of eight desks at contacts, each a phone with its ring line and a headset: all pins of a Pico W."""

from __future__ import annotations

from typing import Any

HEAP = "192k"  # stands for the 200 KB that a Pico W has free: objects of 64 bits take twice a chip's room
PINS = [f"GP{number}" for number in (*range(2, 23), 26, 27, 28)]
HOOKS, RINGS, LAMPS = PINS[0::3], PINS[1::3], PINS[2::3]
DESKS: list[tuple[str, ...]] = list(zip(HOOKS, RINGS, LAMPS, strict=True))


def eight_desks(tables: dict[str, Any]) -> None:
    """Makes the example floor's eight desks one board's, row-a."""
    tables["board"] = [board for board in tables["board"] if board["id"] != "row-b"]
    tables["board"][0]["inputs"] = [
        {
            "desk": desk["id"],
            "phone": {"by": "contact", "pin": hook, "ring": ring},
            "headset": {"by": "contact", "pin": lamp},
        }
        for desk, (hook, ring, lamp) in zip(tables["desk"], DESKS, strict=True)
    ]
