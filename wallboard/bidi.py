"""From the order of reading to the order on the wall, where scripts run both ways.

Unicode's bidirectional algorithm (UAX #9, whose names of rules stand below) without
its embeddings, overrides and isolates: nobody types those into a label.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

OPEN, CLOSE = "([{", ")]}"
MIRRORED = dict(zip("()[]{}<>«»‹›≤≥", ")(][}{><»«›‹≥≤", strict=True))
STRONG = {"L": "L", "R": "R", "AL": "R"}
INWARDS = {"L": "L", "R": "R", "EN": "R", "AN": "R"}  # as neutrals see them
CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_rtl(text: str) -> bool:
    """True where a text runs from the right: its first letter with a direction does (P2, P3)."""
    for letter in text:
        if (kind := unicodedata.bidirectional(letter)) in STRONG:
            return STRONG[kind] == "R"
    return False


def shown(text: str) -> str:
    """`text` in the order it stands on the wall, from the left; brackets turned where they need be."""
    return lines([text])[0]


def lines(parts: Sequence[str]) -> list[str]:
    """The lines of one text, each in the order it stands on the wall: which way a line runs the whole text says."""
    told = ["".join(letter for letter in part if letter not in CONTROLS) for part in parts]
    text = " ".join(told)
    levels, base = _levels(text), int(is_rtl(text))
    done, start = [], 0
    for part in told:
        line = levels[start : start + len(part)]
        for place in reversed(range(len(part))):  # L1: blanks at its end
            if unicodedata.bidirectional(part[place]) not in ("WS", "S", "B"):
                break
            line[place] = base
        done.append("".join(_reordered(list(part), line)))
        start += len(part) + 1
    return done


def turned(text: str) -> list[str]:
    """Numbers with a hyphen or a dash that stand the other way round on the wall: 12-345 as 345-12."""
    on_the_wall = shown(text)
    return [number for number in re.findall(r"[0-9]+(?:[-–][0-9]+)+", text) if number not in on_the_wall]


def _levels(text: str) -> list[int]:
    letters = list(text)
    kinds = [_kind(letter) for letter in letters]
    base = int(is_rtl(text))
    direction = "LR"[base]
    _numbers(kinds, direction)
    _brackets(letters, kinds, direction)
    _neutrals(kinds, direction)
    levels = [_level(kind, base) for kind in kinds]
    for place, letter in enumerate(letters):  # L1: separators
        if letter in "\t\n\r\x1f":
            levels[place] = base
    return levels


def _kind(letter: str) -> str:
    """The letter's class; what Python's tables do not know runs from the left."""
    kind = unicodedata.bidirectional(letter) or "L"
    return "ON" if kind == "BN" else kind


def _numbers(kinds: list[str], direction: str) -> None:
    """W1 to W7: what figures and the signs around them belong to."""
    last, strong = direction, direction
    for place, kind in enumerate(kinds):
        last = last if kind == "NSM" else kind  # W1
        if last in STRONG:
            strong = last
        kinds[place] = "AN" if last == "EN" and strong == "AL" else last  # W2
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for place in range(1, len(kinds) - 1):  # W4
        around = (kinds[place - 1], kinds[place + 1])
        if (kinds[place] in ("ES", "CS") and around == ("EN", "EN")) or (
            kinds[place] == "CS" and around == ("AN", "AN")
        ):
            kinds[place] = around[0]
    for start, end in _runs(kinds, ("ET",)):  # W5
        if "EN" in (kinds[max(start - 1, 0)], kinds[min(end, len(kinds) - 1)]):
            kinds[start:end] = ["EN"] * (end - start)
    strong = direction
    for place, kind in enumerate(kinds):
        if kind in ("ES", "ET", "CS"):  # W6
            kinds[place] = "ON"
        elif kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":  # W7
            kinds[place] = "L"


def _brackets(letters: list[str], kinds: list[str], direction: str) -> None:
    """N0: both brackets of a pair go the way of what stands in them."""
    for opened, closed in sorted(_pairs(letters, kinds)):
        inside = {INWARDS[kind] for kind in kinds[opened + 1 : closed] if kind in INWARDS}
        if not inside:
            continue
        before = next((INWARDS[kind] for kind in reversed(kinds[:opened]) if kind in INWARDS), direction)
        for start in (opened, closed):
            end = start + 1
            while end < len(kinds) and unicodedata.bidirectional(letters[end]) == "NSM":
                end += 1
            kinds[start:end] = [direction if direction in inside else before] * (end - start)


def _pairs(letters: list[str], kinds: list[str]) -> list[tuple[int, int]]:
    """Where brackets open and close (BD16)."""
    pairs, waiting = [], []
    for place, letter in enumerate(letters):
        if kinds[place] != "ON":
            continue
        if letter in OPEN:
            waiting.append((CLOSE[OPEN.index(letter)], place))
        elif letter in CLOSE:
            for depth in range(len(waiting) - 1, -1, -1):
                if waiting[depth][0] == letter:
                    pairs.append((waiting[depth][1], place))
                    del waiting[depth:]
                    break
    return pairs


def _neutrals(kinds: list[str], direction: str) -> None:
    """N1 and N2: between two of one direction its, else the line's."""
    for start, end in _runs(kinds, ("ON", "WS", "S", "B")):
        before = INWARDS[kinds[start - 1]] if start else direction
        after = INWARDS[kinds[end]] if end < len(kinds) else direction
        kinds[start:end] = [before if before == after else direction] * (end - start)


def _runs(kinds: list[str], wanted: tuple[str, ...]) -> list[tuple[int, int]]:
    """Start and end of each run of those kinds."""
    runs: list[tuple[int, int]] = []
    for place, kind in enumerate(kinds):
        if kind in wanted:
            if runs and runs[-1][1] == place:
                runs[-1] = (runs[-1][0], place + 1)
            else:
                runs.append((place, place + 1))
    return runs


def _level(kind: str, base: int) -> int:
    """I1 and I2."""
    if base:
        return 1 if kind == "R" else 2
    return {"L": 0, "R": 1}.get(kind, 2)


def _reordered(letters: list[str], levels: list[int]) -> list[str]:
    """L2 and L4: runs of each level turned round, the highest first."""
    line = [MIRRORED.get(one, one) if level % 2 else one for one, level in zip(letters, levels, strict=True)]
    order = list(range(len(line)))
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and levels[order[end]] >= level:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = end + 1
    return [line[place] for place in order]
