"""The board's clock and its memory for code, the same on both Pythons."""

try:  # MicroPython
    from asyncio import sleep_ms as sleep_ms  # type: ignore[attr-defined]  # noqa: PLC0414
    from time import ticks_diff, ticks_ms, ticks_us  # type: ignore[attr-defined]
except ImportError:  # CPython
    import asyncio
    from time import monotonic_ns

    def ticks_ms():
        return monotonic_ns() // 1000000

    def ticks_us():
        return monotonic_ns() // 1000

    def ticks_diff(end, start):
        return end - start

    async def sleep_ms(wait_ms: int) -> None:
        await asyncio.sleep(wait_ms / 1000)


class Uptime:
    """Milliseconds since the start, from a counter that wraps: its steps are added up."""

    def __init__(self, tick: int, diff):
        self._last = tick
        self._diff = diff  # of two ticks, the later one first
        self._total_ms = 0

    def at(self, tick: int) -> int:
        """So many at this tick; never wraps, as long as somebody asks twice in a turn of the counter."""
        self._total_ms += self._diff(tick, self._last)
        self._last = tick
        return self._total_ms


_uptime = Uptime(ticks_ms(), ticks_diff)


def now_ms() -> int:
    """Milliseconds since the start; never wraps, as long as somebody asks once in six days.

    A chip's own counter wraps after 12 days (rp2, esp32: 30 bits), so its steps are added up.
    """
    return _uptime.at(ticks_ms())


now_us = ticks_us  # a count of microseconds that begins again and again: for `since_us` alone


def since_us(start: int) -> int:
    """Microseconds since that count, no more than some minutes ago."""
    return ticks_diff(ticks_us(), start)


def forget(name: str) -> None:
    """Frees the memory of a file of the firmware that has done its work; importing it loads it again.

    A microcontroller has little room; CPython keeps what it has loaded.
    """
    import sys

    if sys.implementation.name == "micropython" and "firmware." + name in sys.modules:
        delattr(sys.modules["firmware"], name)
        del sys.modules["firmware." + name]
