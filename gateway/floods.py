"""Which board says more than a board ever has to say: a broken or stolen one, that would drown all others."""

from __future__ import annotations

from typing import NamedTuple

from firmware import contract

PER_S = 200  # messages; a board of many inputs says fifty, for a moment
AT_ONCE = contract.OUTBOX_READINGS * 64  # what a board with all its inputs has kept while its link was away
QUIET_S = 2.0  # a flood is over when it has been no flood for so long
AGAIN_S = 10.0  # what was drowned is asked for at most this often
KNOWN_MOST = 1000  # boards counted one by one between two looks; further ones are nobody's flood


class Change(NamedTuple):
    """What a look found."""

    begun: list[str]
    ended: list[str]
    ask: bool  # a flood is over: what others said meanwhile may be lost


class Floods:
    """Counts the messages of boards. Times are seconds on the gateway's clock."""

    def __init__(self, now_s: float) -> None:
        self._looked_s = now_s
        self._counts: dict[str, int] = {}  # since the last look
        self._above: dict[str, float] = {}  # messages beyond PER_S that are not forgiven yet
        self._on: dict[str, float] = {}  # board → since when its flood is no flood; infinity: it is one
        self._asked_s = float("-inf")
        self._ask = False

    def hear(self, board: str) -> bool:
        """Counts one message; whether it is to be listened to."""
        if board in self._counts or len(self._counts) < KNOWN_MOST:
            self._counts[board] = self._counts.get(board, 0) + 1
        return board not in self._on

    def look(self, now_s: float) -> Change:
        """Call it about twice a second."""
        passed_s, self._looked_s = max(now_s - self._looked_s, 0.001), now_s
        counts, self._counts = self._counts, {}
        change = Change([], [], False)
        for board in counts.keys() | self._above.keys() | self._on.keys():
            beyond = counts.get(board, 0) - PER_S * passed_s
            above = min(max(self._above.pop(board, 0.0) + beyond, 0.0), AT_ONCE + PER_S)
            if above:
                self._above[board] = above
            if board not in self._on:
                if above > AT_ONCE:
                    self._on[board] = float("inf")
                    change.begun.append(board)
            elif beyond > 0:
                self._on[board] = float("inf")
            else:
                self._on[board] = min(self._on[board], now_s)
                if now_s - self._on[board] >= QUIET_S:
                    del self._on[board]
                    change.ended.append(board)
        self._ask |= bool(change.ended)
        if not self._ask or now_s - self._asked_s < AGAIN_S:
            return change
        self._ask, self._asked_s = False, now_s
        return change._replace(ask=True)
