"""Is a board there? Its own word, its will and its silence, held against each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from firmware import contract

SILENT_PERIODS = 2  # a board silent for so many of its health periods is lost, whatever its will says


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
