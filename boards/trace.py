"""A desk's wires over time as a text file: reads one, and plays it to the boards' own logic. On both Pythons.

    # The handset is lifted and put down again.
    # input {"phone": {"by": "contact", "pin": "GP4"}}
    # times NO
    ms hook
    0 0
    1000 1
    5000 0
    6000 -
    must
    250 phone idle since 0
    1020 phone talking since 1000
    5250 phone idle since 5000

The first line says what it is. Then come, each after a `#`:

    input JSON      one entry of `inputs` in board.json; "contact" and "line" can be played
    times NO        a country of firmware/countries.py, or its five values as JSON; left out: NO
    poll_ms 5       how often the wires are read; several numbers take turns: 10 10 400. Left out: as a station
                    reads them, each 10 ms, waves 0 to 7 ms later, never twice at the same place of a wave
    within_ms 30    how far off the times below may be. Left out: 30
    ticks 1073740000  where the chip's 30-bit counter of milliseconds stands at 0 ms. Left out: 0

Any other line with a `#` is a remark. The columns are `ms` and some of

    hook    1 while the handset is lifted
    ring    1 while the ring line's opto is lit; @25: half of each wave of 25 Hz
    volts   on the line; 48+75@25 is 48 V with 75 Vrms at 25 Hz riding on it, 48+75@25/90 that from 90 degrees on
    lamp    1 while the online indicator is lit; @1/30 blinks once a second, lit for 30 % of it
    dock    1 while the headset lies in its cradle

A level holds until the next row, `-` is as before, and the last row is the end. Below `must` stands everything that
has to be said, in order: when, what (phone, in_call, ringing, docked), its state, since when; `why` and a word
where it is unknown for a reason. What cannot be read raises ValueError, which names the line.
"""

import json
import math

from firmware.clock import Uptime
from firmware.countries import COUNTRIES
from firmware.headset import Headset
from firmware.inputs import SAMPLE_MS, SHIFTS_MS
from firmware.phone import Phone

try:  # MicroPython has no typing, and reads no annotations
    from typing import Any

    # steady, swing, its Hz, which part of a wave is lit or where it begins, since when
    Level = tuple[float, float, float, float, int]
    Said = tuple[int, str, str, int, str | None]  # ms, what, state, since_ms, why
except ImportError:
    pass

COLUMNS = ("hook", "ring", "volts", "lamp", "dock")
FIELDS = ("in_call", "ringing", "docked")
STATES = {None: "unknown", False: "false", True: "true"}
DIVIDER = 100
ADC_MOST_MV = 3300
TURN = 1 << 30  # a chip's counter of milliseconds begins again
ROWS_MOST = 100000


class Trace:
    """One file: `rows` are (ms, {column: level}), `must` (ms, what, state, since_ms, why)."""

    def __init__(self) -> None:
        self.title = ""
        self.input: dict[str, Any] = {}
        self.times = COUNTRIES["NO"]
        self.poll_ms: list[int] = []
        self.within_ms = 30
        self.ticks = 0
        self.rows: list[tuple[int, dict[str, Level]]] = []
        self.must: list[Said] = []


def read(text: str) -> Trace:
    """A trace from its text. Raises ValueError."""
    trace = Trace()
    columns: list[str] = []
    below = False
    for number, line in enumerate(text.split("\n")):
        words = line.split()
        try:
            if not words:
                continue
            if line.startswith("#"):
                _remark(trace, words[1:], line)
            elif words == ["must"]:
                below = True
            elif below:
                trace.must.append(_must(words))
            elif not columns:
                columns = _columns(words)
            else:
                trace.rows.append(_row(columns, words, trace.rows))
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"line {number + 1}, '{line[:60]}': {error}")  # noqa: B904 (MicroPython has no `from`)
    if not trace.rows or not trace.input:
        raise ValueError("a trace has at least `# input`, a line of columns and a row")
    return trace


def _remark(trace: Trace, words: list[str], line: str) -> None:
    key = words[0] if words else ""
    rest = line.split(key, 1)[1].strip() if key else ""
    if not trace.title:
        trace.title = line[1:].strip()
    elif key == "input":
        trace.input = json.loads(rest)
    elif key == "times":
        trace.times = json.loads(rest) if rest.startswith("{") else COUNTRIES[rest]
    elif key == "poll_ms":
        trace.poll_ms = [int(word) for word in words[1:]]
        if not trace.poll_ms or min(trace.poll_ms) < 1:
            raise ValueError("so many milliseconds, 1 or more")
    elif key == "within_ms":
        trace.within_ms = int(rest)
    elif key == "ticks":
        trace.ticks = int(rest) % TURN


def _columns(words: list[str]) -> list[str]:
    if words[0] != "ms" or len(words) < 2 or [word for word in words[1:] if word not in COLUMNS]:
        raise ValueError("the columns are ms and some of " + " ".join(COLUMNS))
    return words[1:]


def _row(
    columns: list[str], words: list[str], rows: list[tuple[int, dict[str, Level]]]
) -> tuple[int, dict[str, Level]]:
    ms = int(words[0])
    if len(words) != len(columns) + 1:
        raise ValueError(f"{len(columns) + 1} columns, and {len(words)} words")
    if (rows and ms <= rows[-1][0]) or len(rows) >= ROWS_MOST:
        raise ValueError(f"a row comes after the one before, and there are at most {ROWS_MOST}")
    levels = {}
    for place, column in enumerate(columns):
        word = words[place + 1]
        if word != "-":
            levels[column] = _level(column, word, ms)
    return ms, levels


def _level(column: str, word: str, ms: int) -> Level:
    if column == "volts":
        steady, _, wave = word.partition("+")
        rms, _, wave = wave.partition("@")
        hz, _, degrees = wave.partition("/")
        return float(steady), float(rms or 0) * math.sqrt(2), float(hz or 0), float(degrees or 0) / 360, ms
    if word.startswith("@"):
        hz, _, part = word[1:].partition("/")
        return 0, 1, float(hz), float(part or 50) / 100, ms
    if word not in ("0", "1"):
        raise ValueError("a level is 0, 1 or -")
    return int(word), 0, 0, 0, ms


def _must(words: list[str]) -> Said:
    ms, what, state, since, since_ms = words[:5]
    why = words[6] if words[5:6] == ["why"] else None
    if since != "since" or (what != "phone" and what not in FIELDS) or len(words) != (7 if why else 5):
        raise ValueError("like this: 1020 phone talking since 1000")
    return int(ms), what, state, int(since_ms), why


def lit(level: Level, ms: int) -> bool:
    """Whether a contact is made at that time."""
    steady, swing, hz, part, from_ms = level
    if not swing:
        return bool(steady)
    return (ms - from_ms) * hz / 1000 % 1 < part


def volts(level: Level, ms: int) -> float:
    """What is on the line at that time."""
    steady, swing, hz, begins, from_ms = level
    return steady + swing * math.sin(2 * math.pi * (hz * (ms - from_ms) / 1000 + begins))


def play(trace: Trace) -> list[Said]:
    """What the boards' logic says of it, as in `must`."""
    told = trace.input.get("phone")
    phone = Phone(trace.times, told.get("hangup_ms")) if told else None
    divider = told.get("divider") or DIVIDER if told else DIVIDER
    line = None
    if told and told["by"] == "line":
        from firmware.line import Line

        line = Line(divider)
    told = trace.input.get("headset")
    headset = Headset("pin" in told, "dock" in told) if told else None
    known = {name: None for name in FIELDS if told and ("dock" if name == "docked" else "pin") in told}
    why = None
    now: dict[str, Level] = dict.fromkeys(COLUMNS, (0, 0, 0, 0, 0))
    uptime = Uptime(trace.ticks, ticks_diff)
    said = []
    row = polls = ms = late_ms = 0
    while ms <= trace.rows[-1][0]:
        while row < len(trace.rows) and trace.rows[row][0] <= ms:
            now.update(trace.rows[row][1])
            row += 1
        at_ms = uptime.at((trace.ticks + ms) % TURN)
        if phone:
            hook, ring = lit(now["hook"], ms), lit(now["ring"], ms + late_ms)
            if line:
                millivolts = min(ADC_MOST_MV, int(abs(volts(now["volts"], ms + late_ms)) * 1000 / divider))
                hook, ring = line.sample(millivolts, at_ms)
            if phone.sample(hook, ring, at_ms):
                said.append((ms, "phone", phone.state, phone.since_ms, phone.why))
        if headset and headset.sample(lit(now["lamp"], ms), lit(now["dock"], ms), at_ms):
            for name in FIELDS:
                if name not in known:
                    continue
                is_known = getattr(headset, name)
                if is_known != known[name] or (is_known is None and headset.why and headset.why != why):
                    known[name] = is_known
                    reason = headset.why if is_known is None else None
                    said.append((ms, name, STATES[is_known], headset.since_ms, reason))
            why = headset.why
        if trace.poll_ms:
            ms += trace.poll_ms[polls % len(trace.poll_ms)]
        else:
            ms += SAMPLE_MS
            late_ms = (late_ms + 3) % SHIFTS_MS
        polls += 1
    return said


def ticks_diff(end: int, start: int) -> int:
    """As on a chip whose counter has 30 bits: the way round that is shorter."""
    return ((end - start + TURN // 2) & (TURN - 1)) - TURN // 2


def amiss(trace: Trace, said: list[Said]) -> str:
    """How what was said differs from what must be, in words; nothing when it does not."""
    if len(said) == len(trace.must):
        near = trace.within_ms
        for place, must in enumerate(trace.must):
            is_so = said[place]
            same = is_so[1] == must[1] and is_so[2] == must[2] and is_so[4] == must[4]
            if not same or abs(is_so[0] - must[0]) > near or abs(is_so[3] - must[3]) > near:
                break
        else:
            return ""
    return f"it must say\n{written(trace.must)}\nand says\n{written(said)}"


def written(rows: list[Said]) -> str:
    """Rows as they stand below `must`."""
    lines = []
    for ms, what, state, since_ms, why in rows:
        lines.append(f"{ms} {what} {state} since {since_ms}" + (f" why {why}" if why else ""))
    return "\n".join(lines)
