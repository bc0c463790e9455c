"""Who may do what at the page: one table of roles, and whoever it is that asks."""

from __future__ import annotations

from typing import Literal, NamedTuple

Right = Literal["walls", "see", "say", "tend", "bench", "people"]

RIGHTS: dict[Right, str] = {
    "walls": "what walls show",
    "see": "the page, its figures and its history",
    "say": "messages on walls",
    "tend": "alarms: that somebody sees to one, and a note; those at desks that are over",
    "bench": "commands to boards: identify, restart; live, what a board reads at its desks: hook, headset",
    "people": "who may do what, and the audit list",
}

ROLES: dict[str, frozenset[Right]] = {
    "wall": frozenset({"walls"}),  # for tokens alone: a screen that nobody sits at
    "viewer": frozenset({"walls", "see"}),
    "supervisor": frozenset({"walls", "see", "say", "tend"}),
    "technician": frozenset({"walls", "see", "tend", "bench"}),
    "admin": frozenset({"walls", "see", "say", "tend", "bench", "people"}),
}
OF_PEOPLE = tuple(role for role in ROLES if role != "wall")


class Who(NamedTuple):
    """Whoever asks: somebody who logged in, a token of a machine, or the command line of this computer.

    `name` is a login name or a token's; no more is known of anybody.
    """

    kind: Literal["person", "token", "console"]
    name: str
    role: str

    def may(self, right: Right) -> bool:
        """Whether this one has the right now."""
        return right in ROLES.get(self.role, frozenset())

    def __str__(self) -> str:
        """As the audit list names them: `person desk-lead`, `token lobby`."""
        return f"{self.kind} {self.name}"
