"""Is a board there? Its own word, its will and its silence, held against each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from firmware import contract
from floorplan import Plan

SILENT_PERIODS = 2  # a board silent for so many of its health periods is lost, whatever its will says


class Wired(NamedTuple):
    """What one start of a board goes by: its inputs and its panels, each whose and how it is wired."""

    boot: str
    inputs: list[tuple[str, Any]]
    panels: list[tuple[str, Any]]


@dataclass(slots=True)
class Board:
    """What one board has said of itself. Times are seconds on the gateway's clock."""

    id: str
    asked_s: float = 0.0  # since when we wait for a word: the gateway's start, or the link's return
    heard_s: float | None = None  # its last live message
    state: dict[str, Any] | None = None  # `board/+/state`, perhaps a will
    hello: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)
    floods: bool = False  # it says so much that it is not listened to
    wired: Wired | None = None  # what it has read by since before the site file was another one

    @property
    def boot(self) -> str:
        """Its start that is known; empty: none is."""
        return str(self.hello.get("boot") or (self.state or {}).get("boot") or "")

    def goes_by(self, plan: Plan) -> None:
        """The plan becomes another one: until its next start the board goes by what it was told of this one."""
        if self.boot and (self.wired is None or self.wired.boot != self.boot):
            self.wired = Wired(self.boot, *_wired(plan, self.id))

    def is_told(self, plan: Plan, panel: bool, number: int) -> bool:
        """False where this start of it reads an input, or draws on a panel, that was somebody else's."""
        if self.wired is None or self.wired.boot != self.boot:
            return True
        old, new = self.wired.panels if panel else self.wired.inputs, _wired(plan, self.id)[panel]
        if number >= len(old):
            return False
        return old[number][0] == new[number][0] or old[number][1] == new[number][1]

    def is_wired_as(self, plan: Plan) -> bool:
        """False where this start of it reads or draws otherwise than the plan has it: it is to be told."""
        if self.wired is None or self.wired.boot != self.boot:
            return True
        inputs, panels = _wired(plan, self.id)
        return [how for _, how in self.wired.inputs + self.wired.panels] == [how for _, how in inputs + panels]

    def presence(self, now_s: float) -> tuple[str, str]:
        """("ready" | "lost" | "unknown", why in words).

        A will counts only for the start it belongs to; a retained `ready` is a state without
        a time, so it proves nothing: a live message must follow within two health periods.
        """
        if self.floods:
            return "lost", f"board {self.id} floods: `callfloor board revoke {self.id}` shuts it out"
        # No board of ours promises less; a longer one would be there for an hour after it is gone.
        patience_s = float(SILENT_PERIODS * min(self.hello.get("health_s", contract.HEALTH_S), contract.HEALTH_S))
        if self.state and self.state["state"] == "lost":
            boot = self.hello.get("boot")
            if boot is None or boot == self.state["boot"]:
                return "lost", f"board {self.id} is cut off or without power, says the broker"
        since_s = self.asked_s if self.heard_s is None else self.heard_s
        silent_s = now_s - since_s
        if silent_s > patience_s:
            return "lost", f"board {self.id} has been silent for {patience_s:.0f} s or more"
        if self.heard_s is None:
            return "unknown", f"no word from board {self.id} yet"
        return "ready", ""


def _wired(plan: Plan, board: str) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    inputs = next((row.inputs for row in plan.board if row.id == board), ())
    return (
        [(place.desk, (place.phone, place.headset)) for place in inputs],
        [(wall.id, (wall.panel, wall.light)) for wall in plan.walls_of(board)],
    )
