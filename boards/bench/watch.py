"""`callfloor board watch`: boards as they say they are, live: a table at a terminal, else a line for each change.

A reading that was kept at the broker gives a state and never a time, so since when is said only of what was heard
as it came. What is old is said to be old: of a board that is lost or silent, or of an earlier start.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import floorplan
from boards import trying
from boards.bench import identify
from boards.bench.wiring import spoken
from boards.ear import CommandError, Ear, Said
from firmware import contract

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

TOPICS = ("state", "hello", "health", "input/+/phone", "input/+/headset")
SILENT_PERIODS = 2  # a board that has said nothing for so many of its periods is lost
PAUSE_S = 2.0  # until a broker that is gone is tried again
DRAW_S = 0.5
PATTERNS_MOST = 8  # boards, of which more are heard by one pattern for all
LINES_A_S = 20  # of one board; what is more is counted
LOW_HEAP = 20_000
WEAK_DBM = -80
LONG_LAG_MS = 500


@dataclass
class Reading:
    """What a board said of one phone or headset. `since_s` None: it was kept, and nobody knows."""

    words: str
    boot: str
    since_s: float | None


@dataclass
class BoardNow:
    """One board, as far as it has said."""

    id: str
    desks: list[str]
    state: str = ""  # nothing was ever said
    boot: str = ""
    hello: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)
    heard_s: float | None = None  # when it said something of itself last, live
    began_s: float = 0.0  # since when we listen
    readings: dict[tuple[int, str], Reading] = field(default_factory=dict)

    def is_old(self, now_s: float) -> str:
        """Why nothing of it can be believed, in words; empty: it can."""
        if self.state != "ready":
            return "lost" if self.state else "never seen"
        period_s = self.hello.get("health_s", contract.HEALTH_S)
        silent_s = now_s - (self.heard_s if self.heard_s is not None else self.began_s)
        return f"silent for {span(silent_s)}" if silent_s > SILENT_PERIODS * period_s else ""

    def reading(self, number: int, what: str, now_s: float) -> tuple[str, bool]:
        """(words with since when, whether they are old)."""
        row = self.readings.get((number, what))
        if row is None:
            return "", False
        since = f" for {span(now_s - row.since_s)}" if row.since_s is not None else ""
        return row.words + since, bool(self.is_old(now_s)) or row.boot != self.boot


class Boards:
    """All that are watched. No broker and no clock in here."""

    def __init__(self, plan: floorplan.Plan, names: Iterable[str], now_s: float) -> None:
        boards = {board.id: board for board in plan.board}
        self.rows = {
            name: BoardNow(name, [place.desk for place in boards[name].inputs], began_s=now_s) for name in names
        }
        self._silent: set[str] = set()

    def hear(self, said: Said, now_s: float) -> list[dict[str, Any]]:
        """What is new by a message, as rows for a program or for `line`; empty where nothing is."""
        row = self.rows.get(said.ids[0]) if said.ids else None
        if row is None or not said.fields:
            return []
        what = said.pattern.split("/")[-1]
        if not said.retained:
            row.heard_s = now_s
        return getattr(self, f"_{what}")(row, said, now_s)  # type: ignore[no-any-return]

    def begin(self, now_s: float) -> None:
        """The broker is there from now on: nobody was silent before."""
        for row in self.rows.values():
            row.heard_s, row.began_s = None, now_s

    def silent(self, now_s: float) -> list[dict[str, Any]]:
        """Those that are silent now and were not when this was asked last."""
        now = {name: why for name, row in self.rows.items() if (why := row.is_old(now_s)).startswith("silent")}
        new = [{"board": name, "what": "state", "state": now[name], "boot": self.rows[name].boot}
               for name in now if name not in self._silent]  # fmt: skip
        self._silent = set(now)
        return new

    def _state(self, row: BoardNow, said: Said, now_s: float) -> list[dict[str, Any]]:
        assert said.fields
        state, boot = said.fields["state"], said.fields["boot"]
        if state == "lost" and row.state == "ready" and boot != row.boot:
            return []  # the will of an earlier start
        before, row.state, row.boot = (row.state, row.boot), state, boot
        return [] if before == (state, boot) else [{"board": row.id, "what": "state", "state": state, "boot": boot}]

    def _hello(self, row: BoardNow, said: Said, now_s: float) -> list[dict[str, Any]]:
        assert said.fields
        before, row.hello = row.hello, said.fields
        if before.get("boot") == said.fields["boot"]:
            return []
        told = {key: said.fields[key] for key in ("definition", "firmware", "python", "restart")}
        return [{"board": row.id, "what": "hello", **told}]

    def _health(self, row: BoardNow, said: Said, now_s: float) -> list[dict[str, Any]]:
        assert said.fields
        row.health = said.fields
        return [{"board": row.id, "what": "health", **{key: said.fields[key] for key in said.fields if key != "boot"}}]

    def _phone(self, row: BoardNow, said: Said, now_s: float) -> list[dict[str, Any]]:
        return self._reading(row, said, now_s, "phone")

    def _headset(self, row: BoardNow, said: Said, now_s: float) -> list[dict[str, Any]]:
        return self._reading(row, said, now_s, "headset")

    @staticmethod
    def _reading(row: BoardNow, said: Said, now_s: float, what: str) -> list[dict[str, Any]]:
        fields = said.fields
        assert fields
        number = int(said.ids[1]) if said.ids[1].isdigit() else -1
        if not 0 <= number < len(row.desks):
            return []  # of an input that the site file does not have
        words = spoken(what, fields)
        since_s = None if said.retained else now_s - fields["age_ms"] / 1000
        before = row.readings.get((number, what))
        row.readings[number, what] = Reading(words, fields["boot"], since_s)
        if before and (before.words, before.boot) == (words, fields["boot"]) and not (
            before.since_s is None and since_s is not None
        ):  # fmt: skip
            return []
        age_s = None if since_s is None else round(now_s - since_s, 3)
        return [{"board": row.id, "desk": row.desks[number], "what": what, "words": words, "age_s": age_s,
                 "kept": said.retained, **{key: told for key, told in fields.items()
                                           if key not in ("seq", "boot", "age_ms") and told is not None}}]  # fmt: skip


# As lines -----------------------------------------------------------------------------


def line(event: dict[str, Any]) -> str:
    """One change, for people."""
    start = f"{event['board']}"
    if event["what"] == "state":
        return f"{start}: {event['state']}"
    if event["what"] == "hello":
        return (f"{start}: started ({event['restart'] or 'nobody knows why'}); {event['definition']}, "
                f"firmware {event['firmware']}, {event['python']}")  # fmt: skip
    if event["what"] == "health":
        return f"{start}: " + ", ".join(row.words.format(row.figure) for row in figures(event) if row.figure)
    since = "" if event["age_s"] is None else f", for {span(event['age_s'])}"
    kept = ", as the broker has kept it" if event["kept"] else since
    return f"{start} desk {event['desk']}: {event['what']} {event['words']}{kept}"


class Least:
    """At most so many events a second of each board. What is left out is counted, and the last of each is kept."""

    def __init__(self, most: int = LINES_A_S) -> None:
        self._most = most
        self._second: dict[str, tuple[int, int]] = {}  # board → (second, events in it)
        self._last: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}  # board → what, desk → the last left out

    def let(self, event: dict[str, Any], now_s: float) -> bool:
        """Whether to print this one now; ask `over` before."""
        board = event.get("board", "")
        second, count = self._second.get(board, (int(now_s), 0))
        count = count + 1 if second == int(now_s) else 1
        self._second[board] = int(now_s), count
        if count > self._most:
            self._last.setdefault(board, {})[event["what"], event.get("desk", "")] = event
        return count <= self._most

    def over(self, now_s: float | None) -> Iterator[tuple[str, int, list[dict[str, Any]]]]:
        """(board, how many are lost, the last of each that was left out) of the seconds that are over; None: of all."""
        for board in list(self._last):
            second, count = self._second[board]
            if now_s is None or second != int(now_s):
                last = list(self._last.pop(board).values())
                yield board, count - self._most - len(last), last


class Figure(NamedTuple):
    """One figure of a board's health."""

    figure: str  # for a column of its own; empty: the board does not have it
    words: str  # around it where it stands in a line
    look: bool  # somebody should look at it


def figures(health: dict[str, Any]) -> list[Figure]:
    """Heap, Wi-Fi, lag, reconnects and uptime, in the order of COLUMNS."""
    heap, dbm, lag = health["heap_free"], health["wifi_dbm"], health["lag_ms"]
    lost = f", {health['dropped']} lost" if health["dropped"] else ""
    return [
        Figure("" if heap is None else f"{heap // 1000} KB", "heap {}", heap is not None and heap < LOW_HEAP),
        Figure("" if dbm is None else f"{dbm} dBm", "Wi-Fi {}", dbm is not None and dbm < WEAK_DBM),
        Figure(f"{lag} ms", "late by {}", lag > LONG_LAG_MS),
        Figure(f"{health['reconnects']}{lost}", "reconnects {}", bool(lost)),
        Figure(span(health["uptime_s"]), "up for {}", False),
    ]


def span(seconds: float) -> str:
    """A time as people say it: 4 s, 3 min, 5 h, 2 days."""
    seconds = max(0.0, seconds)
    for unit, least_s in (("days", 2 * 86400), ("h", 2 * 3600), ("min", 120)):
        if seconds >= least_s:
            return f"{seconds / (least_s / 2):.0f} {unit}"
    return f"{seconds:.0f} s"


# As a table ---------------------------------------------------------------------------


COLUMNS = ("board", "state", "desk", "phone", "headset", "heap", "Wi-Fi", "lag", "reconnects", "up", "started by")


def table(boards: Boards, now_s: float, height: int, gone: str = "") -> Table:
    """All boards, a row for each desk, those to look at first; no taller than `height`. gone: the broker is, why."""
    from rich.table import Table

    made = Table(title=gone or None, title_style="bold red", expand=False)
    for name in COLUMNS:
        made.add_column(name, overflow="ellipsis", no_wrap=True)
    room = max(1, height - 6 - bool(gone))
    left = 0
    for row in sorted(boards.rows.values(), key=lambda row: not row.is_old(now_s)):
        wide = max(1, len(row.desks))
        if left or wide > room:
            left += 1
            continue
        room -= wide
        for cells in _rows(row, now_s, bool(gone)):
            made.add_row(*cells)
    if left:
        made.caption = f"and {left} more boards: name those that you mean, or make the window taller"
    return made


def _rows(row: BoardNow, now_s: float, gone: bool) -> Iterator[list[Text]]:
    """One board's rows; what stands for all of it is in the first."""
    from rich.text import Text

    why = row.is_old(now_s)
    old = gone or bool(why)
    dim = "dim" if old else ""
    told = figures(row.health) if row.health else [Figure("", "", False)] * 5
    whole = [Text(part.figure, dim or ("yellow" if part.look else "")) for part in told]
    whole.append(Text(str(row.hello.get("restart", "")), dim))
    head = [Text(row.id, "" if not old else "bold"), Text(why or "ready", "bold red" if old else "green")]
    for number, desk in enumerate(row.desks or [""]):
        readings = []
        for what in ("phone", "headset"):
            words, is_old = row.reading(number, what, now_s)
            is_old = is_old or gone
            readings.append(Text(f"{words} (old)" if words and is_old else words, "dim" if is_old else ""))
        yield [*(head if number == 0 else [Text(), Text()]), Text(desk), *readings, *(whole if number == 0 else [])]


# The command --------------------------------------------------------------------------


def run(
    plan: floorplan.Plan, names: Sequence[str], address: tuple[str, int] | None, seconds: float | None,
    as_json: bool, terminal: bool,
) -> None:  # fmt: skip
    """Watches until Ctrl-C, or for so long. Raises BenchError, CommandError where there is no broker at first."""
    boards = Boards(plan, identify.named(plan, names or ["all"]), time.monotonic())
    end_s = time.monotonic() + seconds if seconds is not None else None
    if terminal and not as_json:
        _live(plan, boards, address, end_s)
        return
    least = Least()

    def tell(event: dict[str, Any]) -> None:
        at = datetime.now().astimezone()
        words = event["words"] if event["what"] == "broker" else "" if as_json else line(event)
        print(json.dumps({"at": at.isoformat(timespec="milliseconds"), **event}) if as_json
              else f"{at:%H:%M:%S} {words}", flush=True)  # fmt: skip

    def tell_rest(now_s: float | None) -> None:
        for board, lost, last in least.over(now_s):
            if lost:
                print(json.dumps({"board": board, "what": "left-out", "lines": lost}) if as_json
                      else f"{board}: {lost} changes more, too fast to be printed; at last:", flush=True)  # fmt: skip
            for event in last:
                tell(event)

    def show(events: list[dict[str, Any]], gone: str) -> None:
        now_s = time.monotonic()
        tell_rest(now_s)
        if gone:
            events = [{"what": "broker", "words": gone}]
        for event in events:
            if least.let(event, now_s):
                tell(event)

    _follow(plan, boards, address, end_s, show)
    tell_rest(None)


def _live(plan: floorplan.Plan, boards: Boards, address: tuple[str, int] | None, end_s: float | None) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    with Live(console=console, auto_refresh=False, screen=False, vertical_overflow="crop") as live:
        drawn_s = 0.0

        def show(_events: list[dict[str, Any]], gone: str) -> None:
            nonlocal drawn_s
            if time.monotonic() - drawn_s >= DRAW_S or gone:
                drawn_s = time.monotonic()
                live.update(table(boards, drawn_s, console.height, gone), refresh=True)

        _follow(plan, boards, address, end_s, show)


Show = Callable[[list[dict[str, Any]], str], None]


def _follow(
    plan: floorplan.Plan, boards: Boards, address: tuple[str, int] | None, end_s: float | None, show: Show
) -> None:
    """Hears without end; a broker that goes is said, and tried again."""
    every = len(boards.rows) > PATTERNS_MOST
    topics = [f"board/{name}/{what}" for name in (["+"] if every else boards.rows) for what in TOPICS]
    met = False
    while True:
        try:
            with Ear(trying.broker_of(plan, address), plan.site.id, topics) as ear:
                met = True
                boards.begin(time.monotonic())
                looked_s = 0.0
                while not _over(end_s):
                    said = ear.hear(DRAW_S)
                    now_s = time.monotonic()
                    show(boards.hear(said, now_s) if said else [], "")
                    if now_s - looked_s > 1:
                        looked_s = now_s
                        show(boards.silent(now_s), "")
                return
        except CommandError as error:
            if not met:
                raise
            show([], f"{error}; trying again")
        until_s = time.monotonic() + PAUSE_S
        while time.monotonic() < until_s and not _over(end_s):
            time.sleep(0.05)
        if _over(end_s):
            return


def _over(end_s: float | None) -> bool:
    return end_s is not None and time.monotonic() >= end_s
