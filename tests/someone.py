"""Whoever a test is at the page: a token of a role, made in the file of people before or while the gateway runs."""

from __future__ import annotations

import itertools
import json
import re
import urllib.request

import floorplan
from gateway.people.people import People
from gateway.people.rights import Who

CONSOLE = Who("console", "tests", "admin")
_numbers = itertools.count(1)


def token(plan: floorplan.Plan, role: str = "admin") -> str:
    """A token of that role at the page of this site."""
    with People(plan.people) as people:
        return people.add_token(CONSOLE, f"{role}-{next(_numbers)}", role, 1).secret


def headers(token: str) -> dict[str, str]:
    """What a program sends with each request, and a browser of a test too."""
    return {"Authorization": f"Bearer {token}"}


def first(printed: str) -> dict[str, str]:
    """Takes the link that a first start has printed, as a person would; what a browser sends with each request then."""
    link = re.search(r"^first login (\S+)/join#(\S+)$", printed, re.M)
    assert link, printed
    body = json.dumps({"token": link[2], "name": "lead", "password": "nine lives of a cat"}).encode()
    request = urllib.request.Request(f"{link[1]}/api/join", body, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return {"Cookie": str(answer.headers["set-cookie"]).partition(";")[0]}
