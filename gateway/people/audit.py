"""What the audit list may say: one word for each thing that is done, and what that word means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.csv_line import csv_line

# What was done → what it means, with what stands beside it. No message's text, no password, no token, no address of
# a computer: docs/people.md says why.
DID: dict[str, str] = {
    "login": "logged in, by a password or by a token; all of an hour are counted in one row",
    "logout": "logged out; all of an hour are counted in one row",
    "login-refused": "a wrong password, token or link was given; all of an hour are counted in one row",
    "invited": "made a one-time link; for which role, or for whose new password",
    "invitation-withdrawn": "made an open one-time link worthless",
    "joined": "used a one-time link and has an account now; its role",
    "password": "changed their password, or used a link to a new one; all of an hour are counted in one row",
    "role": "gave somebody another role",
    "removed": "removed somebody's account",
    "token-made": "made an API token; its role and its days",
    "token-ended": "removed an API token",
    "message-sent": "sent a message to walls; which, and for how many minutes",
    "message-taken-back": "took a message back from walls",
    "alarm-acknowledged": "sees to an alarm; which, and of one at a desk only the kind",
    "alarm-reopened": "does not see to an alarm any more; the same",
    "board-commanded": "had a board do something: show who it is, begin anew, record its pins, show a test picture",
    "board-made": "gave a board a new password, and wrote its board.json",
    "board-rotated": "gave a board that is in use a new password",
    "board-revoked": "shut a board out",
    "board-replaced": "gave a board's desks to another, or to a new one from the box",
    "broker-set-up": "wrote the broker's files anew",
    "floor-reloaded": "had the running gateway take up the changed site file; how much of it changed",
    "desk-forgotten": "cleared what a desk that is no more, or stands elsewhere, had left at the broker",
}
COUNTED = ("login", "logout", "login-refused", "password")  # what somebody can do without end: one row an hour
FIRST_TO_GO = ("login", "logout", "login-refused")  # of too many rows
WHAT_MOST = 200  # letters
NOBODY = "nobody known"


class Row(NamedTuple):
    """One line of the list; `at` in epoch seconds."""

    id: int
    at: float
    who: str
    did: str
    what: str


def words(what: str) -> str:
    """As one short line that can be printed anywhere."""
    line = "".join(letter if letter.isprintable() else " " for letter in what)
    return line if len(line) <= WHAT_MOST else line[: WHAT_MOST - 1] + "…"


PIECE = 500  # rows read at a time: whoever reads slowly holds nobody up


def table(rows: Callable[[int | None, int], list[Row]]) -> Iterator[str]:
    """All rows as CSV, the newest first; `rows` gives those with a smaller id, so many at most. Times are UTC.

    Raises at once what `rows` does.
    """
    first = rows(None, PIECE)

    def pieces() -> Iterator[str]:
        yield csv_line(Row._fields)
        piece = first
        while piece:
            yield "".join(csv_line((row.id, _utc(row.at), row.who, row.did, row.what)) for row in piece)
            piece = rows(piece[-1].id, PIECE)

    return pieces()


def _utc(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="seconds")
