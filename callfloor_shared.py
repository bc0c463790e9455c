"""What several commands share: options, the audit list, and words of the command line as values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from site_error import SiteError

if TYPE_CHECKING:
    from floorplan import Plan


def flag(*names: str, **more: Any) -> Any:
    """An option that is there or is not: nothing is written behind it, and --help shows nothing there."""
    return typer.Option(*names, metavar="", **more)


SiteFile = Annotated[Path, typer.Option("--site", help="The site file.")]
AsJson = Annotated[bool, flag("--json", help="As JSON, for programs.")]
Mqtt = Annotated[str | None, typer.Option("--mqtt", help="The broker, HOST:PORT, where it is not the site file's.")]
DryRun = Annotated[bool, flag("--dry-run", help="Say what would be done, and do nothing.")]


def read_site(path: Path) -> Plan:
    """The site file. Raises SiteError. What reads it is loaded only now: a tab and a --help have no use for it."""
    import floorplan

    return floorplan.read(path)


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


def site_first(site: Path, name: str) -> Path:
    """The site file of `… SITE NAME`. Raises SiteError where it is the other way round."""
    if not site.exists() and Path(name).is_file():
        raise SiteError(f"the site file comes first: {name} {site}")
    return site


def day(text: str | None, option: str) -> date | None:
    """The day of 2026-11-22; None without one. Raises SiteError naming the option."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date() if text is not None else None
    except ValueError as error:
        raise SiteError(f"{option}: '{text}' is no date; a date is written 2026-11-22") from error
