"""The board's clock, its waits and its memory for code, the same on both Pythons."""

import asyncio
import sys

import firmware

try:  # MicroPython
    from time import ticks_diff, ticks_ms  # type: ignore[attr-defined]

    sleep_ms = asyncio.sleep_ms  # type: ignore[attr-defined]
    _wait_for_ms = asyncio.wait_for_ms  # type: ignore[attr-defined]
except ImportError:  # CPython
    from time import monotonic_ns

    def ticks_ms():
        return monotonic_ns() // 1000000

    def ticks_diff(end, start):
        return end - start

    async def sleep_ms(ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    async def _wait_for_ms(waiting, ms):
        return await asyncio.wait_for(waiting, ms / 1000)


_last = ticks_ms()
_total_ms = 0


def now_ms() -> int:
    """Milliseconds since the start; never wraps, as long as somebody asks once in six days.

    A chip's own counter wraps after 12 days (rp2, esp32: 30 bits), so its steps are added up here.
    """
    global _last, _total_ms
    tick = ticks_ms()
    _total_ms += ticks_diff(tick, _last)
    _last = tick
    return _total_ms


async def wait_ms(event: asyncio.Event, ms: int) -> None:
    """Until the event is set, or so many milliseconds; then it is clear again."""
    try:
        await _wait_for_ms(event.wait(), ms)
    except asyncio.TimeoutError:
        pass
    event.clear()


def forget(name: str) -> None:
    """Frees the memory of a file of the firmware that has done its work; importing it loads it again.

    A microcontroller has little room; CPython keeps what it has loaded.
    """
    if sys.implementation.name == "micropython":
        delattr(firmware, name)
        del sys.modules["firmware." + name]
