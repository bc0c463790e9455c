"""How a board is, as the page tells it: its last figures, the firmware it runs, and what is wrong with it, by kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import floorplan
from boards.bench import wiring
from boards.bench.bundle import Brought
from floorplan import Plan
from gateway.presence import Board

LOW_BYTES = 16_000  # of a board's heap: less, and a scene or a burst of readings may find no room
WEAK_DBM = -75  # Wi-Fi below this loses messages
LAG_MS = 500  # so long a board's loop was held up: rings and dial pulses are missed
HUNG_S = 86_400  # so long after it the page tells that a watchdog had to start a board anew

FIGURES = ("uptime_s", "heap_free", "wifi_dbm", "reconnects", "lag_ms", "dropped")

# What may be wrong with a board that is there, the worst first. The page has the words, and what to do.
KINDS: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {  # by its hello and its health
    "hung": lambda hello, health: hello.get("restart") == "wdt" and health.get("boot") == hello["boot"]
    and health["uptime_s"] < HUNG_S,
    "low-heap": lambda _, health: _below(health.get("heap_free"), LOW_BYTES),
    "weak-wifi": lambda _, health: _below(health.get("wifi_dbm"), WEAK_DBM),
    "held-up": lambda _, health: health.get("lag_ms", 0) > LAG_MS,
}
OF_FILES = ("other-board", "untold", "behind")  # held against the site file and our own firmware, and told first


def document(board: Board, plan: Plan, presence: tuple[str, str], brought: Brought | None) -> dict[str, Any]:
    """`board/{id}` for the page. `presence` is (ready | lost | unknown, why in words).

    `current`: whether it runs the firmware that this gateway would put on it; null where that is not known, as it is
    while `brought` is None.
    """
    state, reason = presence
    told = board.hello
    return {
        "state": state, "reason": reason, "floods": board.floods,
        "definition": told.get("definition"), "python": told.get("python"),
        "firmware": told.get("firmware"), "current": _is_ours(told, brought),
        **{key: board.health.get(key) for key in FIGURES},
        "wrong": wrong(board, plan, brought) if state == "ready" else [],
    }  # fmt: skip


def wrong(board: Board, plan: Plan, brought: Brought | None) -> list[str]:
    """What is wrong with a board that is there: of OF_FILES and KINDS."""
    found = []
    if board.hello:
        if board.hello["definition"] != written(plan, board.id).definition:
            found.append("other-board")
        elif not board.is_wired_as(plan):
            found.append("untold")
        elif _is_ours(board.hello, brought) is False:
            found.append("behind")
    return found + [kind for kind, is_so in KINDS.items() if is_so(board.hello, board.health)]


def details(board: Board, plan: Plan, presence: tuple[str, str], now_s: float,
            brought: Brought | None) -> dict[str, Any]:  # fmt: skip
    """All that is known of a board, for whoever asks for this one: fields of `boards_http.Details`."""
    row = written(plan, board.id)
    return {
        "id": board.id, "made_as": row.definition, **document(board, plan, presence, brought),
        "restart": board.hello.get("restart"), "poll_us": board.health.get("poll_us"),
        "read_us": board.health.get("read_us"), "ours": sorted(brought.hashes) if brought else [],
        "heard_s": None if board.heard_s is None else max(0, int(now_s - board.heard_s)),
        "desks": [
            {"desk": place.desk, "wires": [
                *({"what": wire.what, "pin": wire.pin} for wire in wiring.wires_of(row, place.desk)),
                *({"what": found.what, "pin": found.pin} for found in wiring.by_usb(row, place.desk)),
            ]}
            for place in row.inputs
        ],
        "walls": [wall.id for wall in plan.walls_of(board.id)],
    }  # fmt: skip


def written(plan: Plan, name: str) -> floorplan.Board:
    """The board as the site file has it."""
    return next(row for row in plan.board if row.id == name)


def _is_ours(hello: dict[str, Any], brought: Brought | None) -> bool | None:
    return brought.has(hello["firmware"]) if hello and brought else None


def _below(figure: int | None, least: int) -> bool:
    return figure is not None and figure < least
