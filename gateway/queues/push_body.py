"""What a source that pushes may say of one queue: the two shapes of its message, checked.

The models are the documentation too: OpenAPI and docs/contract.md are made of them. What is
refused is named by its place; nothing that stands in a message is ever repeated, because it may
be somebody's name or number.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

BODY_BYTES = 65_536  # one message, over HTTP and MQTT alike
EVENTS = 1000  # in one message
CALLERS_MOST = 100_000
COUNT_MOST = 1_000_000_000
SUM_MOST_S = 1e12
DAY_S = 86_400  # who has waited longer is not there any more
WORD_LENGTH = 64
PROBLEMS = 5  # named at a time


class PushError(Exception):
    """A message that is not taken. The text says where and what, and holds nothing of the message.

    `problems`: (place in the message, what is wrong there); an empty place is the whole message.
    """

    def __init__(self, *problems: tuple[str, str]):
        self.problems = problems
        super().__init__("; ".join(f"{place or 'the message'}: {words}" for place, words in problems))


class OtherShape(PushError):
    """The queue is told in the other of the two shapes."""


# The models ----------------------------------------------------------------------

Count = Annotated[int, Field(ge=0, le=COUNT_MOST)]
Callers = Annotated[int, Field(ge=0, le=CALLERS_MOST)]
Sum = Annotated[float, Field(ge=0, le=SUM_MOST_S, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0, le=DAY_S, allow_inf_nan=False)]
Word = Annotated[str, Field(max_length=WORD_LENGTH, pattern=r"^[ -~]+$")]
Call = Annotated[
    Word,
    Field(
        description="the source's own id of this caller, 1 to 64 characters of ASCII, used once and never "
        "again; it is made unreadable at once and kept nowhere",
    ),
]
Age = Annotated[Wait, Field(description="so many seconds ago", examples=[0])]
Waited = Annotated[
    Wait | None,
    Field(
        description="how long the caller waited; left out or null: from `joined` until now. With it the "
        "event counts even where `joined` was never heard"
    ),
]


class Part(BaseModel):
    """One object of a message: other keys, and numbers written as text, are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Figures(Part):
    """Where a queue stands. The counters count up from whenever the source began to count.

    What is left out or null is not told, and figures that need it are unknown.
    """

    waiting: Callers = Field(description="callers who wait now", examples=[3])
    oldest_wait_s: Wait | None = Field(None, description="how long the longest of them has waited")
    joined: Count | None = Field(None, description="callers who came")
    answered: Count | None = Field(None, description="callers who were answered")
    answered_within: Count | None = Field(None, description="of them, within the queue's target.within_s")
    answered_wait_s: Sum | None = Field(None, description="their waits, all together")
    abandoned: Count | None = Field(
        None, description="callers who gave up; those who timed out too, where you cannot tell"
    )
    timed_out: Count | None = Field(None, description="callers the source gave up on; not in `abandoned`")
    lost_within: Count | None = Field(
        None, description="abandoned or timed out within the queue's target.within_s"
    )
    lost_short: Count | None = Field(
        None, description="abandoned or timed out within the queue's target.short_abandon_s"
    )
    left_by_key: Count | None = Field(None, description="callers who chose something else instead of waiting")
    left: Count | None = Field(None, description="callers who went elsewhere in another way")
    completed: Count | None = Field(None, description="conversations that ended")
    talk_s: Sum | None = Field(None, description="their length, all together")
    longest_wait_s: Wait | None = Field(
        None, description="the longest wait so far that has ended; no counter: it may fall"
    )

    run: Word | None = Field(
        None,
        description="another word whenever the counters begin anew: when the source was started. Left out: "
        "a counter that is smaller than before says so, and one that has caught up already is missed",
        examples=["2026-03-02T08:00"],
    )

    @model_validator(mode="after")
    def _adds_up(self) -> Figures:
        for part, whole in PART_OF.items():
            if getattr(self, part) is None:
                continue
            names = [name for name in whole if getattr(self, name) is not None]
            if whole[0] not in names:
                raise ValueError(f"'{part}' is told without '{whole[0]}', which it is part of: tell both")
            most = sum(getattr(self, name) for name in names)
            if part.endswith("_s"):
                if not most and getattr(self, part):
                    raise ValueError(f"'{part}' is more than 0, but '{whole[0]}' is 0")
            elif getattr(self, part) > most:
                raise ValueError(
                    f"'{part}' is more than {' and '.join(map(repr, names))}, which it is part of"
                )
        if not self.waiting and self.oldest_wait_s:
            raise ValueError("'oldest_wait_s' is more than 0, but nobody is 'waiting'")
        return self


# What is part of what, for the check above: the first has to be told.
PART_OF = {
    "answered_within": ("answered",),
    "answered_wait_s": ("answered",),
    "lost_within": ("abandoned", "timed_out"),
    "lost_short": ("abandoned", "timed_out"),
    "talk_s": ("completed",),
}
COUNTERS = tuple(name for name in Figures.model_fields if name not in ("waiting", "oldest_wait_s", "run"))


class Joined(Part):
    """A caller waits from now on."""

    event: Literal["joined"]
    call: Call
    age_s: Age = 0


class Answered(Part):
    """A caller is answered. By whom is not asked for."""

    event: Literal["answered"]
    call: Call
    age_s: Age = 0
    waited_s: Waited = None


class Ended(Part):
    """A caller waits no longer.

    abandoned: gave up. timed_out: the source gave up. left_by_key: chose something else. left: otherwise.
    """

    event: Literal["abandoned", "timed_out", "left_by_key", "left"]
    call: Call
    age_s: Age = 0
    waited_s: Waited = None


class Completed(Part):
    """A conversation has ended."""

    event: Literal["completed"]
    call: Call
    age_s: Age = 0
    talk_s: Wait = Field(description="how long it was, held time included")


class Waits(Part):
    """One who waits now."""

    call: Call
    age_s: Age = 0


AnEvent = Annotated[Joined | Answered | Ended | Completed, Field(discriminator="event")]


class FiguresBody(Part):
    """A queue by its figures: said every few seconds, the same counters ever growing."""

    figures: Figures


class EventsBody(Part):
    """A queue by what happens in it. An empty list is a sign of life."""

    events: list[AnEvent] = Field(
        max_length=EVENTS, description="what happened since the last message, oldest first"
    )
    waiting: list[Waits] | None = Field(
        None,
        max_length=EVENTS,
        description="all who wait after these events, where the source knows: whoever else was taken to be "
        "waiting is gone, whoever is new joins. For a source that has just started, or was cut off",
    )


Body = FiguresBody | EventsBody
SHAPES: dict[str, type[FiguresBody] | type[EventsBody]] = {"figures": FiguresBody, "events": EventsBody}

EXAMPLES: dict[str, dict[str, Any]] = {
    "figures": {
        "figures": {
            "waiting": 3,
            "oldest_wait_s": 41,
            "joined": 120,
            "answered": 100,
            "answered_within": 90,
            "answered_wait_s": 1400.5,
            "abandoned": 5,
            "timed_out": 0,
            "left_by_key": 1,
        }
    },
    "events": {
        "events": [
            {"event": "joined", "call": "7f3a", "age_s": 12},
            {"event": "answered", "call": "7f3a"},
        ]
    },
    "alive": {"events": []},
}


# Reading -------------------------------------------------------------------------


def decode(payload: bytes) -> object:
    """What a message says, not checked yet. Raises PushError where it is too long, or no JSON in UTF-8."""
    if len(payload) > BODY_BYTES:
        raise PushError(("", f"is longer than {BODY_BYTES} bytes: send fewer events at a time"))
    try:
        return json.loads(payload.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):  # no UTF-8, no JSON, a number without end, brackets without end
        raise PushError(("", "is not JSON in UTF-8")) from None


def _no_number(name: str) -> None:
    raise ValueError(name)


def read(body: object) -> Body:
    """A decoded message, checked as a whole. Raises PushError."""
    if not isinstance(body, dict):
        raise PushError(("", "is not an object with 'figures' or 'events' in it"))
    shapes = [name for name in SHAPES if name in body]
    if len(shapes) != 1:
        raise PushError(("", "has to hold either 'figures' or 'events'"))
    try:
        return SHAPES[shapes[0]].model_validate(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        more = [("", f"and {len(problems) - PROBLEMS} more")] if len(problems) > PROBLEMS else []
        first = [_problem(shapes[0], problem) for problem in problems[:PROBLEMS]]
        raise PushError(*first, *more) from None


def _problem(shape: str, problem: Mapping[str, Any]) -> tuple[str, str]:
    """(place, words) of what pydantic found, in words of our own: its own may repeat what it read."""
    kind, limits = problem["type"], problem.get("ctx", {})
    place = tuple(problem["loc"])
    if kind == "extra_forbidden":  # the last part of its place is the sender's own word
        known = _keys_at(shape, place[:-1])
        meant = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"did you mean '{meant[0]}'?" if meant else f"there are {', '.join(known)}"
        return _place(place[:-1]), f"holds a key that is none of these; {hint}"
    words = WORDS.get(kind, "is not as docs/pbx/push.md says")
    return _place(place), words.format(**{name: _shown(limit) for name, limit in limits.items()})


# What is wrong, by pydantic's name for it. What stands in {} comes from the models above.
WORDS = {
    "missing": "is missing",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "finite_number": "is not a number",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "string_type": "is not text",
    "string_unicode": "is not text",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "is not 1 to 64 characters of ASCII",
    "list_type": "is not a list",
    "too_long": "holds more than {max_length}",
    "model_type": "is not an object",
    "model_attributes_type": "is not an object",
    "union_tag_invalid": "has an 'event' that is none of {expected_tags}",
    "union_tag_not_found": "has no 'event': one of joined, answered, abandoned, timed_out, left_by_key, left, "
    "completed",
    "literal_error": "is none of {expected}",
    "value_error": "{error}",  # raised above, of the models' own words
}


def _shown(limit: object) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _place(location: tuple[int | str, ...]) -> str:
    """`events[3].call`, counted from 0 as in the message itself."""
    words = ""
    for number, part in enumerate(location):
        if isinstance(part, int):
            words += f"[{part}]"
        elif number != 2 or part not in _TAGS:  # pydantic puts in which event it took it for
            words += ("." if words else "") + part
    return words


def _keys_at(shape: str, location: tuple[int | str, ...]) -> list[str]:
    """The keys that an object at that place may have."""
    if not location:
        return list(SHAPES[shape].model_fields)
    if location[0] == "events":
        return list(_TAGS[str(location[2])].model_fields)
    there: dict[str, type[Part]] = {"figures": Figures, "waiting": Waits}
    return list(there[str(location[0])].model_fields)


# The events by their words.
_EVENTS: tuple[type[Part], ...] = (Joined, Answered, Ended, Completed)
_TAGS = {word: model for model in _EVENTS for word in get_args(model.model_fields["event"].annotation)}
