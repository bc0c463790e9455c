"""Hands at the pins of simulated boards: one connection a board, kept while the board lives."""

from __future__ import annotations

import asyncio
import contextlib

PAUSE_S = 0.5


class Hands:
    """Sets pins at one control port. What was set is set again when the board comes back."""

    def __init__(self, control: str) -> None:
        self._host, port = control.rsplit(":", 1)
        self._port = int(port)
        self._levels: dict[str, int] = {}
        self._writer: asyncio.StreamWriter | None = None

    def set(self, pin: str, level: int) -> None:
        """0 makes the contact (drawn to ground), 1 lets it go."""
        self._levels[pin] = level
        if self._writer:
            self._writer.write(f"{pin} {level}\n".encode())

    async def run(self) -> None:
        """Stays connected until cancelled."""
        while True:
            with contextlib.suppress(OSError):
                reader, self._writer = await asyncio.open_connection(self._host, self._port)
                try:
                    for pin, level in self._levels.items():
                        self._writer.write(f"{pin} {level}\n".encode())
                    while await reader.readline():  # answers; an end means that the board is gone
                        pass
                finally:
                    self._writer.close()
                    self._writer = None
            await asyncio.sleep(PAUSE_S)
