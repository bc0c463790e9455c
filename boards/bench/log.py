"""The last words of a board with `debug = true`, read off its flash: what it said before it began again and again."""

from __future__ import annotations

from boards.bench import BenchError
from boards.bench.port import Board
from boards.readable import plain

FILES = ("log.old.txt", "log.txt")  # as firmware/debug.py names them, the older first


def last_words(port: str) -> list[str]:
    """What it has kept, a line each, the oldest first. The board works on afterwards. Raises BenchError."""
    with Board(port) as board:
        kept = [text for name in FILES if (text := board.read(name)) is not None]
    if not kept:
        raise BenchError(
            f"{port}: this board has kept no words. A board does with debug = true at its [[board]] in the site file: "
            "write that, give it to the board with `callfloor board provision`, let it run, and ask again"
        )
    return [plain(line) for text in kept for line in text.decode("utf-8", "replace").splitlines()]
