"""The technician's bench: what is plugged in, what goes onto it, and whether it is wired right."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # what is being done, bytes done, bytes in all


class BenchError(Exception):
    """A board, port, drive or image that cannot be worked with; the text says what, where and what to try."""


def silent(what: str, done: int, whole: int) -> None:
    """A Progress for nobody."""
