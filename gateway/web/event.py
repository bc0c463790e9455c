"""One server-sent event as bytes: encoded once for all who listen, and packed once for those who take it packed.

A packed stream is one gzip member without an end. Each event in it is a block that stands alone (RFC 1951: after a
full flush nothing before is referred to), so the same bytes go to everybody, whenever each began to listen.
"""

from __future__ import annotations

import zlib

BEGIN = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no time, no name, unknown system
LEVEL = 6
WINDOW = -15  # 32 KB, and no header of its own


class Event:
    """One event; `packed` is made when somebody first wants it."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._packed = b""

    @property
    def packed(self) -> bytes:
        """The event as a block of a packed stream."""
        if not self._packed:
            packing = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW)
            self._packed = packing.compress(self.plain) + packing.flush(zlib.Z_FULL_FLUSH)
        return self._packed
