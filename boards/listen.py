"""`callfloor broker listen`: what is said at the broker, a line for each message, as it comes.

With the site file's login, or with the one of a `callfloor up` on this machine. What sources push is never printed:
it holds their own ids of callers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from boards import readable, trying
from boards.ear import Ear
from firmware import contract
from floorplan import Broker, Plan, SiteError

FOREVER_S = 3600.0

Said = tuple[str, bytes]  # topic, payload


def run(plan: Plan | None, address: tuple[str, int] | None, topic: str, as_json: bool = False) -> None:
    """The command: prints until it is interrupted. Raises CommandError, SiteError."""
    for said in heard(trying.broker_of(plan, address), plan.site.id if plan else "+", topic):
        print(as_object(*said) if as_json else line(*said), flush=True)


def line(topic: str, payload: bytes) -> str:
    """A message for a terminal, its topic from the site on. No letter of it can do there what only we may."""
    text = payload.decode(errors="backslashreplace") or "(cleared)"
    return readable.plain(f"{topic.split('/', 3)[-1]} {text}")


def as_object(topic: str, payload: bytes) -> str:
    """The same as JSON; `said` is null where a topic was cleared, and text where it is no JSON."""
    text = payload.decode(errors="backslashreplace")
    try:
        said = json.loads(text) if text else None
    except (ValueError, RecursionError):
        said = text
    return json.dumps({"topic": topic.split("/", 3)[-1], "said": said})


def heard(broker: Broker, site: str, topic: str) -> Iterator[Said]:
    """(topic, payload) of what is said under a topic of that site, without end. Raises CommandError, SiteError."""
    with Ear(broker, site, [topic]) as ear:
        while True:
            message = ear.next(FOREVER_S)
            if message and message.topic.split("/")[3:4] != ["source"]:
                yield message.topic, message.payload


def checked(topic: str) -> str:
    """A topic of the contract, with or without wildcards, as `--topic` gives it. Raises SiteError."""
    parts = topic.split("/")
    whole = all(part in ("+", "#") or not set(part) & set("+#") for part in parts) and "#" not in parts[:-1]
    if not topic or not whole or parts[0] == contract.ROOT.split("/")[0] or not topic.isprintable():
        raise SiteError(
            f"--topic: '{topic}' is no topic as docs/contract.md has them, like board/# or desk/+/now"
        )
    return topic
