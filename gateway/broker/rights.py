"""Who may say and read what at the broker: the one place for it, for the broker of a house and the one for trying.

Every user of a broker is one of these: the gateway, a board by its id, a source by its id, or, at the broker for
trying alone, whoever tries the product on this machine. Nobody without a name gets in.

    rights.board("skien", "a1").write     ("callfloor/1/skien/board/a1/state", …)
    rights.mosquitto("skien", {GATEWAY: rights.gateway("skien")})     the text of mosquitto's acl_file
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from boards.trying import USER
from firmware import contract

GATEWAY = "gateway_"  # the gateway's user where the site file names none: not an id, so no board can be called that
TRYING = USER  # who tries the product, at the broker for trying alone

ALL_BOARDS_READ = ("beat", "values", "gateway/state")  # beside all that is under their own name
PUSHED = "source/+/queue/#"  # what a source says; it holds its own ids of callers
HIDDEN = "source/#"  # for the gateway alone
ANY_USER = "%u"  # in a pattern of mosquitto's: the name of whoever asks
PLACES = 64  # inputs and panels of one board, 0 to 63, as in the contract's `command`


class May(NamedTuple):
    """What one user may do, as topic filters. `never` goes before the other two, for writing and for reading."""

    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def gateway(site: str) -> May:
    """Everything of its site."""
    everything = (contract.topic(site, "#"),)
    return May(everything, everything)


def board(site: str, name: str) -> May:
    """What the contract has boards say and hear, under its own name; of others only what all boards read.

    It does not read what it says: whoever steals it has no queue at the broker that he could fill himself.
    """
    own = [row for row in contract.MESSAGES if row.topic.startswith("board/")]
    said, told = (
        tuple(contract.topic(site, row.topic, name) for row in own if row.sender == sender)
        for sender in ("board", "gateway")
    )
    return May(said, (*(contract.topic(site, topic) for topic in ALL_BOARDS_READ), *told))


def source(site: str, name: str) -> May:
    """It pushes its queues, and reads nothing."""
    a_boards = (contract.topic(site, topic, name) for topic in ("board/+/#", *ALL_BOARDS_READ))
    return May((contract.topic(site, PUSHED, name),), (), tuple(a_boards))


def trying(site: str) -> May:
    """At the broker for trying: reads all but what sources push; commands boards, which are all of this machine, and
    the gateway (`callfloor reload`)."""
    never = (contract.topic("+", HIDDEN), contract.topic(site, "board/+/#", TRYING))
    said = tuple(contract.topic(site, topic) for topic in ("board/+/command", "gateway/command"))
    return May(said, ("callfloor/#",), never)


def mosquitto(site: str, others: Mapping[str, May]) -> str:
    """mosquitto's `acl_file`: `others` are all users who are no boards, each with what it may.

    A board needs no line of its own: its rights are patterns with the name it logged in by. They would hold for the
    others as well; what is `never` theirs is denied, which mosquitto looks at first. What boards write is written
    out by number: with a `+` there, one board could leave retained messages without end. mosquitto goes through the
    patterns in their order, so what is asked most stands first.
    """
    lines = []
    for user, may in others.items():
        lines.append(f"user {user}")
        lines += [f"topic deny {topic}" for topic in may.never]
        lines += [f"topic write {topic}" for topic in may.write]
        lines += [f"topic read {topic}" for topic in may.read]
        lines.append("")
    any_board = board(site, ANY_USER)
    lines += [f"pattern read {topic}" for topic in any_board.read]
    lines += [f"pattern write {topic}" for topic in any_board.write if "+" not in topic]
    numbered = [topic for topic in any_board.write if "+" in topic]
    lines += [f"pattern write {topic.replace('+', str(place))}" for place in range(PLACES) for topic in numbered]
    return "\n".join(lines) + "\n"
