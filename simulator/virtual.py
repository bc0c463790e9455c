"""An event loop that lives faster than life: where nothing is ready, its clock jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors


class _Jumps(selectors.DefaultSelector):
    """Never waits: what asyncio asks it to wait is added to the clock."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is ready and no timer runs: in virtual time nothing more will happen")
        if timeout > 0:
            self.now_s += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers run in their order, each at its own time, with no pause between. For timers only: no network,
    no threads. `asyncio.Runner(loop_factory=VirtualLoop)` runs it."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._jumps.now_s
