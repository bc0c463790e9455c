"""`callfloor person`, `token` and `audit`: they work on the file of people, whether or not the gateway runs.

A link or a token is printed once, alone, on standard output; all else that is said of it goes to the error output.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import floorplan
import this_computer
from floorplan import Plan, SiteError
from gateway.people.people import People, PeopleError, Refused
from gateway.people.rights import Who

ROWS = 500  # of the audit list at a time


def console() -> Who:
    """Whoever types, as the audit list names them."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user without a name
        name = str(this_computer.user_id())
    return Who("console", name, "admin")


@contextlib.contextmanager
def opened(plan: Plan, dry_run: bool = False) -> Iterator[People]:
    """The file of people of this site, for a dry run a copy; what is refused becomes a line on the error output."""
    try:
        with _copied(plan) if dry_run else contextlib.nullcontext(plan.people) as settings, People(settings) as people:
            yield people
    except Refused as no:
        raise SiteError(str(no)) from no


@contextlib.contextmanager
def _copied(plan: Plan) -> Iterator[floorplan.People]:
    """Where a copy of the file of people is, until the end of this. Raises PeopleError."""
    path = plan.people.path
    assert path
    with tempfile.TemporaryDirectory(prefix="callfloor-copy-") as folder:
        copy = Path(folder) / "people.db"
        if path.exists():
            copy.touch(mode=0o600)
            alone = "" if Path(f"{path}-shm").exists() else "&immutable=1"  # or SQLite makes files beside it
            try:
                with (
                    contextlib.closing(
                        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)
                    ) as there,
                    contextlib.closing(sqlite3.connect(copy)) as here,
                ):
                    there.backup(here)
            except sqlite3.Error as error:
                raise PeopleError(f"{path}: cannot be read ({error}); is it a file of ours?") from error
        elif not path.parent.is_dir():
            raise PeopleError(f"{path}: there is no folder {path.parent}; make it, or name another in [people]")
        yield plan.people.model_copy(update={"path": copy})


def note(plan: Plan, did: str, what: str) -> None:
    """Puts down what a command of ours has done; where that cannot be, says so: it is done all the same."""
    try:
        with People(plan.people) as people:
            people.note(console(), did, what)
    except PeopleError as error:
        _say(f"done, but it is not in the audit list: {error}")


def invite(plan: Plan, role: str | None, name: str | None, base: str | None, dry_run: bool = False) -> None:
    """Prints a one-time link: to an account (of a viewer, where no role is given), or to a new password for `name`."""
    if name is not None and role is not None:
        raise SiteError("a link to a new password changes no role: give --role or --name, not both")
    if base is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", base):
        raise SiteError("--base is the page as people open it: https://floor.example")
    with opened(plan, dry_run) as people:
        new = people.invite(console(), role or "viewer", name)
    if dry_run:
        link = f"a new password for '{name}'" if name else f"an account with the role {role or 'viewer'}"
        print(f"would print a one-time link to {link}, until {_at(plan, new.ends)}")
        return
    whose = f"&{quote(name)}" if name else ""
    print(f"{(base or plan.page.url or _here(plan)).rstrip('/')}/join#{new.secret}{whose}")
    if not base and not plan.page.url:
        _say("this is the page's address without --web, on this computer; for another give --base, or set [page] url")
    _say(f"works once, until {_at(plan, new.ends)}; give it to nobody else")


def list_people(plan: Plan, as_json: bool = False) -> None:
    """Prints who there is, and which links are open."""
    with opened(plan) as people:
        if as_json:
            there = [
                {"name": one.name, "role": one.role, "since": _iso(plan, one.since), "seen": _iso(plan, one.seen)}
                for one in people.people()
            ]
            links = [
                {"id": link.id, "role": link.role, "person": link.person, "until": _iso(plan, link.ends)}
                for link in people.invitations()
            ]
            print(json.dumps({"people": there, "links": links}))
            return
        for one in people.people():
            print(f"{one.name}  {one.role}  since {_at(plan, one.since)}  {_seen(plan, one.seen)}")
        for link in people.invitations():
            for_whom = f"a new password for {link.person}" if link.person else link.role
            print(f"link {link.id}  {for_whom}  until {_at(plan, link.ends)}")


def remove(plan: Plan, name: str, dry_run: bool = False) -> None:
    """Removes an account; its sessions end at once."""
    with opened(plan, dry_run) as people:
        people.remove(console(), name)
    if dry_run:
        print(f"would remove '{name}'")
    else:
        _say(f"'{name}' is removed")


def add_token(plan: Plan, name: str, role: str, days: int, dry_run: bool = False) -> None:
    """Prints a new token."""
    with opened(plan, dry_run) as people:
        new = people.add_token(console(), name, role, days)
    if dry_run:
        print(f"would print a new token: '{name}' may do what a {role} may, until {_at(plan, new.ends)}")
        return
    print(new.secret)
    _say(f"'{name}' may do what a {role} may, until {_at(plan, new.ends)}; the token is not shown again")


def list_tokens(plan: Plan, as_json: bool = False) -> None:
    """Prints which tokens there are; none of them itself."""
    with opened(plan) as people:
        if as_json:
            rows = [
                {"name": token.name, "role": token.role, "until": _iso(plan, token.ends),
                 "seen": _iso(plan, token.seen)} for token in people.tokens()
            ]  # fmt: skip
            print(json.dumps(rows))
            return
        now_s = datetime.now().timestamp()
        for token in people.tokens():
            ends = f"until {_at(plan, token.ends)}" if token.ends > now_s else f"ended {_at(plan, token.ends)}"
            print(f"{token.name}  {token.role}  {ends}  {_seen(plan, token.seen)}")


def remove_token(plan: Plan, name: str, dry_run: bool = False) -> None:
    """Ends a token, by its name; screens that logged in with it are logged out."""
    with opened(plan, dry_run) as people:
        people.remove_token(console(), name)
    if dry_run:
        print(f"would end the token '{name}'")
        return
    _say(f"'{name}' has ended")


def audit(plan: Plan, most: int, as_json: bool) -> None:
    """Prints what was changed and by whom, the newest last."""
    with opened(plan) as people:
        rows = people.audit(limit=min(most, ROWS))
        while rows and len(rows) < most and (more := people.audit(rows[-1].id, min(ROWS, most - len(rows)))):
            rows += more
    if not rows and not as_json:
        _say("nothing has been changed yet")
    for row in reversed(rows):
        if as_json:
            print(json.dumps(row._asdict()))
        else:
            print("  ".join(filter(None, (_at(plan, row.at, "%Y-%m-%d %H:%M:%S"), row.who, row.did, row.what))))


def _here(plan: Plan) -> str:
    """Where the page is, as far as the site file says."""
    return f"{'https' if plan.page.cert_file else 'http'}://127.0.0.1:8080"


def _at(plan: Plan, at_s: float, form: str = "%Y-%m-%d %H:%M") -> str:
    zone = ZoneInfo(plan.site.time_zone) if plan.site.time_zone else None
    return datetime.fromtimestamp(at_s, zone).strftime(form)


def _iso(plan: Plan, at_s: float | None) -> str | None:
    """2026-11-22T14:05:00+01:00, for programs."""
    if at_s is None:
        return None
    zone = ZoneInfo(plan.site.time_zone) if plan.site.time_zone else None
    return datetime.fromtimestamp(at_s, zone).astimezone(zone).isoformat(timespec="seconds")


def _seen(plan: Plan, seen_s: float | None) -> str:
    return f"seen {_at(plan, seen_s)}" if seen_s else "never seen"


def _say(words: str) -> None:
    print(words, file=sys.stderr)
