"""What a source of queues tells the floor: callers by number, members by extension, and whether it is there.

A caller is an integer that the source makes up; who it is never gets this far. `queue` is an id
of the site file. Every `_s` is in seconds, every `at_s` and `since_s` on the gateway's own
monotonic clock.

    Joined → (Gone) → Answered → Completed
                    → Abandoned, TimedOut, LeftByKey, Left
                    → Vanished

`Gone` comes at once, because the caller waits no longer; what became of the caller may follow a
moment later. `Answered` and `Abandoned` may even follow a `Left` or a `Vanished` and then
correct it: a link can be slow. A caller who waits again is a new number.

A source that cannot tell one end from another says the wider one: Asterisk's manager interface
says `Abandoned` for a time-out and `Left` for a key. What it cannot tell is then unknown
(`QueueFigures(untold=...)`), never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

# What the phone system says of one member of a queue.
MEMBER_STATES = ("unknown", "idle", "busy", "ringing", "held", "unavailable")


@dataclass(frozen=True, slots=True)
class Joined:
    """A caller waits.

    `key` is the source's own word for this stay, made unreadable: given back to the source after a
    restart of ours (`remember`), so that who waits all the while is counted once. Empty: it has none.
    """

    queue: str
    call: int
    at_s: float  # earlier than now, where the caller was found already waiting
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Gone:
    """A caller waits no longer; Answered, Abandoned, Left or Vanished follows."""

    queue: str
    call: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A caller was connected to a member."""

    queue: str
    call: int
    at_s: float
    extension: str
    waited_s: float | None = None  # None: from Joined until now


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A caller hung up; or the phone system gave up, where the source cannot tell the two apart."""

    queue: str
    call: int
    at_s: float
    waited_s: float | None = None  # None: from Joined until now


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The phone system gave up on a caller."""

    queue: str
    call: int
    at_s: float
    waited_s: float | None = None  # None: from Joined until now


@dataclass(frozen=True, slots=True)
class LeftByKey:
    """A caller pressed a key and went on elsewhere."""

    queue: str
    call: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Left:
    """A caller went on elsewhere, by a key or by the dial plan: neither answered nor abandoned."""

    queue: str
    call: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Vanished:
    """A caller waits no longer and nobody saw why: the link was away. Nothing is guessed."""

    queue: str
    call: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Completed:
    """An answered call has ended."""

    queue: str
    call: int
    at_s: float
    talk_s: float


@dataclass(frozen=True, slots=True)
class Member:
    """How one member of a queue is: one of MEMBER_STATES, and whether calls may come."""

    queue: str
    extension: str
    state: str
    paused: bool
    device: str = ""  # whose state that is, where the member is reached by another name; empty: its own


@dataclass(frozen=True, slots=True)
class MemberGone:
    """Somebody is no longer a member of a queue."""

    queue: str
    extension: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """All who wait in a queue, each as (call, since_s): replaces what was known of it."""

    queue: str
    calls: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A source that counts by itself says where it stands, in place of single callers.

    `counts` is what has been added since it last said so, by the names of `figures.Totals`; a name
    that is not among `tells` is one it does not say now; one of `lacks` it has not said before, so that
    what happened until now is not among the counts.
    """

    queue: str
    at_s: float
    waiting: int | None
    oldest_since_s: float | None  # None: nobody waits, or unknown
    counts: dict[str, float]
    tells: frozenset[str]
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Missing:
    """The source has no such queue: its figures are unknown until a Waiting for it comes."""

    queue: str
    reason: str  # what is the matter and what to try, at most 160 characters
    waits: bool = False  # it has its time still to be told of: nothing is wrong yet


@dataclass(frozen=True, slots=True)
class Away:
    """The source is unknown from now on, and so are its members."""

    reason: str  # what is the matter and what to try, at most 160 characters


@dataclass(frozen=True, slots=True)
class Back:
    """Everything the source knows has been told: figures hold again."""


Event = (
    Joined | Gone | Answered | Abandoned | TimedOut | LeftByKey | Left | Vanished | Completed
    | Member | MemberGone | Waiting | Counted | Missing | Away | Back
)  # fmt: skip

REASON_LENGTH = 160  # as long as a reason may be in firmware/contract.py


def reason(words: str) -> str:
    """`words` made fit for one line of at most REASON_LENGTH printable characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in words)
    return plain if len(plain) <= REASON_LENGTH else plain[: REASON_LENGTH - 1] + "…"
