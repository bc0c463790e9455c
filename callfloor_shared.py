"""What several commands share: options, the audit list, and words of the command line as values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from floorplan import Plan, SiteError

SiteFile = Annotated[Path, typer.Option("--site", help="The site file.")]


def noted(plan: Plan, did: str, what: str) -> None:
    """Puts a command of ours into the audit list of its site; a floor that is only tried out keeps none."""
    from gateway.people import commands as people_commands

    if plan.broker:
        people_commands.note(plan, did, what)


@contextlib.contextmanager
def noted_if_done(plan: Plan, did: str, what: str) -> Iterator[list[bool]]:
    """The same for one that changes an account: also where it is changed, and then something else goes wrong.

    Whoever did what was to be done appends True to what is given.
    """
    before = _accounts(plan)
    done: list[bool] = []
    try:
        yield done
    finally:
        if any(done) or _accounts(plan) != before:
            noted(plan, did, what)


def _accounts(plan: Plan) -> bytes:
    """All accounts at the broker, where it is ours."""
    from gateway.broker.accounts import PASSWORDS

    with contextlib.suppress(OSError):
        return (plan.broker.folder / PASSWORDS).read_bytes() if plan.broker and plan.broker.folder else b""
    return b""


def control_of(plan: Plan, board: str) -> str | None:
    return next((row.control for row in plan.board if row.id == board), None)


def address(text: str, option: str) -> tuple[str, int]:
    """(host, port) of HOST:PORT. Raises SiteError naming the option."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        usual = {"--web": 8080, "--mqtt": 1883, "--control": 9001}[option]
        raise SiteError(f"{option}: '{text}' is not HOST:PORT, like 127.0.0.1:{usual}")
    return host.strip("[]"), int(port)


def day(text: str | None, option: str) -> date | None:
    """The day of 2026-11-22; None without one. Raises SiteError naming the option."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date() if text is not None else None
    except ValueError as error:
        raise SiteError(f"{option}: '{text}' is no date; a date is written 2026-11-22") from error
