"""`callfloor person`, `token` and `audit`: they work on the file of people, whether or not the gateway runs.

A link or a token is printed once, alone, on standard output; all else that is said of it goes to the error output.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from floorplan import Plan, SiteError
from gateway.people.people import People, PeopleError, Refused
from gateway.people.rights import Who

ROWS = 500  # of the audit list at a time


def console() -> Who:
    """Whoever types, as the audit list names them."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        name = str(os.getuid())
    return Who("console", name, "admin")


@contextlib.contextmanager
def opened(plan: Plan) -> Iterator[People]:
    """The file of people of this site; what is refused becomes a line on the error output."""
    try:
        with People(plan.people) as people:
            yield people
    except Refused as no:
        raise SiteError(str(no)) from no


def note(plan: Plan, did: str, what: str) -> None:
    """Puts down what a command of ours has done; where that cannot be, says so: it is done all the same."""
    try:
        with People(plan.people) as people:
            people.note(console(), did, what)
    except PeopleError as error:
        _say(f"done, but it is not in the audit list: {error}")


def invite(plan: Plan, role: str | None, name: str | None, base: str | None) -> None:
    """Prints a one-time link: to an account (of a viewer, where no role is given), or to a new password for `name`."""
    if name is not None and role is not None:
        raise SiteError("a link to a new password changes no role: give --role or --name, not both")
    if base is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", base):
        raise SiteError("--base is the page as people open it: https://floor.example")
    with opened(plan) as people:
        new = people.invite(console(), role or "viewer", name)
    whose = f"&{quote(name)}" if name else ""
    print(f"{(base or plan.page.url or _here(plan)).rstrip('/')}/join#{new.secret}{whose}")
    if not base and not plan.page.url:
        _say("this is the page's address without --web, on this computer; for another give --base, or set [page] url")
    _say(f"works once, until {_at(plan, new.ends)}; give it to nobody else")


def list_people(plan: Plan) -> None:
    """Prints who there is, and which links are open."""
    with opened(plan) as people:
        for one in people.people():
            print(f"{one.name}  {one.role}  since {_at(plan, one.since)}  {_seen(plan, one.seen)}")
        for link in people.invitations():
            for_whom = f"a new password for {link.person}" if link.person else link.role
            print(f"link {link.id}  {for_whom}  until {_at(plan, link.ends)}")


def remove(plan: Plan, name: str) -> None:
    """Removes an account; its sessions end at once."""
    with opened(plan) as people:
        people.remove(console(), name)
    _say(f"'{name}' is removed")


def add_token(plan: Plan, name: str, role: str, days: int) -> None:
    """Prints a new token."""
    with opened(plan) as people:
        new = people.add_token(console(), name, role, days)
    print(new.secret)
    _say(f"'{name}' may do what a {role} may, until {_at(plan, new.ends)}; the token is not shown again")


def list_tokens(plan: Plan) -> None:
    """Prints which tokens there are; none of them itself."""
    with opened(plan) as people:
        now_s = datetime.now().timestamp()
        for token in people.tokens():
            ends = f"until {_at(plan, token.ends)}" if token.ends > now_s else f"ended {_at(plan, token.ends)}"
            print(f"{token.name}  {token.role}  {ends}  {_seen(plan, token.seen)}")


def remove_token(plan: Plan, name: str) -> None:
    """Ends a token, by its name; screens that logged in with it are logged out."""
    with opened(plan) as people:
        people.remove_token(console(), name)
    _say(f"'{name}' has ended")


def audit(plan: Plan, most: int, as_json: bool) -> None:
    """Prints what was changed and by whom, the newest last."""
    with opened(plan) as people:
        rows = people.audit(limit=min(most, ROWS))
        while rows and len(rows) < most and (more := people.audit(rows[-1].id, min(ROWS, most - len(rows)))):
            rows += more
    for row in reversed(rows):
        if as_json:
            print(json.dumps(row._asdict(), ensure_ascii=False))
        else:
            print("  ".join(filter(None, (_at(plan, row.at, "%Y-%m-%d %H:%M:%S"), row.who, row.did, row.what))))


def _here(plan: Plan) -> str:
    """Where the page is, as far as the site file says."""
    return f"{'https' if plan.page.cert_file else 'http'}://127.0.0.1:8080"


def _at(plan: Plan, at_s: float, form: str = "%Y-%m-%d %H:%M") -> str:
    zone = ZoneInfo(plan.site.time_zone) if plan.site.time_zone else None
    return datetime.fromtimestamp(at_s, zone).strftime(form)


def _seen(plan: Plan, seen_s: float | None) -> str:
    return f"seen {_at(plan, seen_s)}" if seen_s else "never seen"


def _say(words: str) -> None:
    print(words, file=sys.stderr)
