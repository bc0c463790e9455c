"""Which numbers walls may draw, and in which order they travel: from the site file alone."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable

import floorplan

PER_QUEUE = ("waiting", "wait", "free")  # callers, the oldest one's seconds, free desks


def order(plan: floorplan.Plan) -> list[str]:
    """The names of all numbers some wall may draw, `polski.wait`, in the order in which they travel."""
    shown = {name for wall in plan.wall for page in wall.pages for name in page.shown()}
    return [f"{queue.id}.{what}" for queue in plan.queue if queue.id in shown for what in PER_QUEUE]


def words(at_s: int, numbers: Iterable[tuple[int | None, int]]) -> str:
    """What `firmware/values.py: read` reads: when the waits were taken, then each number and its level, 0 to 2.

    A number is None, unknown, or -1, a wait of nobody, or 0 and more.
    """
    told = [base_36(at_s), *(("", "+", "!")[level] + _word(number) for number, level in numbers)]
    return " ".join(told).replace(" +", "+").replace(" !", "!")


def _word(number: int | None) -> str:
    return "?" if number is None else "-" if number < 0 else base_36(number)


def base_36(number: int) -> str:
    """A whole number of 0 or more, as `int(text, 36)` reads it."""
    word = ""
    while number or not word:
        number, digit = divmod(number, 36)
        word = (string.digits + string.ascii_lowercase)[digit] + word
    return word


def of(names: list[str]) -> str:
    """Four hexadecimal digits that name an order, for scenes and values to agree on."""
    return hashlib.sha256(" ".join(names).encode()).hexdigest()[:4]
