"""What a board says, taken apart for people and terminals: no letter of it can do there what only we may."""

from __future__ import annotations

from typing import Any

from firmware import contract


def plain(text: str) -> str:
    """The text with every letter that moves, colours, turns or hides others written out, like `\\x9b`."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def parse(topic: str, payload: bytes | bytearray) -> tuple[str, tuple[str, ...], dict[str, Any] | None]:
    """`contract.parse` of a board's message, its texts readable; they may be longer for it. Raises ContractError."""
    pattern, ids, fields = contract.parse(topic, payload)
    if fields:
        fields = {name: plain(told) if type(told) is str else told for name, told in fields.items()}
    return pattern, ids, fields
