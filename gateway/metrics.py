"""What Prometheus is told: counts and gauges of the floor as the page has it, and of the gateway's own work.

No desk is named, for a desk is somebody: desks are counted by their status. Made of the page's documents when it is
asked, and kept nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeGuard

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from gateway.web.news import News

Document = Mapping[str, Any]
Work = Callable[[], Mapping[str, int]]  # a name of WORK → how often since the start, or how many now

STATUSES = ("free", "ringing", "talking", "held", "away", "unknown", "lost")


class Row(NamedTuple):
    """One figure of a document: its field, what it is called here, and by what it is multiplied."""

    field: str
    name: str
    words: str
    times: float = 1


# Documents `queue/{id}`. What is unknown is not told: no sample, never 0.
OF_QUEUE = (
    Row("waiting", "waiting", "Callers who wait now"),
    Row("oldest_wait_s", "oldest_wait_seconds", "How long the longest of them has waited"),
    Row("worst_wait_s", "worst_wait_seconds", "The longest wait of today"),
    Row("desks_needed", "desks_needed", "Desks that the target needs, by Erlang C from the last half hour"),
    Row("desks_present", "desks_present", "Desks that are free, ringing or talking"),
    Row("service_level_pct", "service_level_ratio", "Service level of today, by the queue's own formula", 0.01),
    Row("asa_s", "answer_seconds", "Mean wait of those answered today"),
    Row("aht_s", "handling_seconds", "Mean length of today's calls"),
    Row("occupancy_pct", "occupancy_ratio", "How much of their time desks were busy today", 0.01),
)
PLACES = ("free", "ringing", "talking", "away")
OUTCOMES = ("answered", "abandoned", "timed_out", "left_by_key", "left", "vanished")

# Documents `board/{id}`.
OF_BOARD = (
    Row("uptime_s", "uptime_seconds", "Since it was started"),
    Row("heap_free", "heap_free_bytes", "Memory that is free"),
    Row("lag_ms", "lag_seconds", "The longest that its loop was held up lately", 0.001),
    Row("wifi_dbm", "wifi_dbm", "How strong its Wi-Fi is"),
)
COUNTED_OF_BOARD = (
    Row("reconnects", "reconnects", "Connections to the broker since it was started, after the first"),
    Row("dropped", "dropped", "Readings that were lost while the broker was away"),
)

# What the gateway itself has done since it was started, or has now.
WORK = {
    "messages_heard": "Messages from the broker",
    "messages_sent": "Messages to the broker",
    "messages_refused": "Messages that could not be used",
    "stream_events": "Events that went out to open pages, each to all of them",
    "stream_resyncs": "Pages that fell behind and started over",
}
NOW = {"pages_open": "Pages that hear what changes", "screens_open": "Browsers that show a wall"}


class Metrics:
    """All of it, as a collector of Prometheus' own library; `health` and `work` are asked each time."""

    def __init__(self, news: News, health: Callable[[], tuple[bool, object]], work: Work) -> None:
        self._news, self._health, self._work = news, health, work
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def told(self, accept: str) -> tuple[bytes, str]:
        """(what is told, its kind) in the form that is asked for. To be called where `news` belongs."""
        try:
            encoder, kind = choose_encoder(accept)
        except (TypeError, ValueError):  # it names a version that is no number
            encoder, kind = choose_encoder("")
        return encoder(self._registry), kind

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: what there is, is known when it is asked."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything."""
        said = self._news.said
        yield _gauge("up", "1 while the floor is up, as /healthz says", int(self._health()[0]))
        yield from _queues(_of("queue", said))
        yield from _desks(said)
        yield from _boards(_of("board", said))
        yield _each("wall_right", "1 while a wall shows what it should", "wall", _right(_of("wall", said)))
        yield from _alarms(_of("alarm", said))
        sources = {name: int(doc.get("state") == "ready") for name, doc in _of("source", said).items()}
        yield _each("source_up", "1 while a source tells of its queues", "source", sources)
        yield _gauge("broker_up", "1 while the broker is there", int(said.get("broker", {}).get("state") == "ready"))
        yield _gauge("history_kept", "1 while totals are kept", int(said.get("history", {}).get("state") == "kept"))
        work = self._work()
        for name, words in WORK.items():
            yield _counter(name, words, work[name])
        for name, words in NOW.items():
            yield _gauge(name, words, work[name])


def _queues(queues: Mapping[str, Document]) -> Iterator[Metric]:
    yield from _rows("queue", OF_QUEUE, queues)
    places = GaugeMetricFamily(
        "callfloor_queue_desks", "Desks of the queue, by where they are", labels=["queue", "place"]
    )
    calls = CounterMetricFamily(
        "callfloor_queue_calls", "Callers of today, by how it ended; from 0 when the day begins",
        labels=["queue", "outcome"],
    )  # fmt: skip
    joined = CounterMetricFamily("callfloor_queue_joined", "Callers who came today", labels=["queue"])
    for name, doc in queues.items():
        for place in PLACES:
            _add(places, [name, place], doc.get(place))
        for outcome in OUTCOMES:
            _add(calls, [name, outcome], doc.get(outcome))
        _add(joined, [name], doc.get("joined"))
    yield from (places, calls, joined)


def _desks(said: Mapping[str, Document]) -> Iterator[Metric]:
    floor = said.get("floor", {})
    desks = {status: floor[status] for status in STATUSES if status in floor}
    yield _each("desks", "Desks, by their status", "status", desks)
    found = Counter(str(doc.get("kind")) for doc in _of("finding", said).values())
    yield _each("findings", "Desks where the floor and the PBX do not fit, by what", "kind", found)


def _boards(boards: Mapping[str, Document]) -> Iterator[Metric]:
    up = {name: int(doc.get("state") == "ready") for name, doc in boards.items()}
    yield _each("board_up", "1 while a board is heard", "board", up)
    yield from _rows("board", OF_BOARD, boards)
    for row in COUNTED_OF_BOARD:
        family = CounterMetricFamily(f"callfloor_board_{row.name}", row.words, labels=["board"])
        for name, doc in boards.items():
            _add(family, [name], doc.get(row.field))
        yield family


def _right(walls: Mapping[str, Document]) -> dict[str, int]:
    return {name: int(bool(doc.get("fresh")) and doc.get("shown") == doc.get("scene")) for name, doc in walls.items()}


def _alarms(alarms: Mapping[str, Document]) -> Iterator[Metric]:
    family = GaugeMetricFamily("callfloor_alarms", "Alarms that stand", labels=["kind", "level", "acknowledged"])
    stand = Counter((doc["kind"], doc["level"], "yes" if doc.get("acked") else "no") for doc in alarms.values())
    for labels, number in sorted(stand.items()):
        family.add_metric(labels, number)
    yield family


def _rows(of: str, rows: Iterable[Row], documents: Mapping[str, Document]) -> Iterator[Metric]:
    for row in rows:
        known = {name: doc.get(row.field) for name, doc in documents.items()}
        numbers = {name: number * row.times for name, number in known.items() if _is_number(number)}
        yield _each(f"{of}_{row.name}", row.words, of, numbers)


def _of(what: str, said: Mapping[str, Document]) -> dict[str, Document]:
    """Documents of one kind, by id."""
    return {path.partition("/")[2]: doc for path, doc in said.items() if path.startswith(f"{what}/")}


def _gauge(name: str, words: str, number: float) -> Metric:
    return GaugeMetricFamily(f"callfloor_{name}", words, number)


def _counter(name: str, words: str, number: float) -> Metric:
    return CounterMetricFamily(f"callfloor_{name}", words, number)


def _each(name: str, words: str, label: str, numbers: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"callfloor_{name}", words, labels=[label])
    for of, number in numbers.items():
        family.add_metric([of], number)
    return family


def _add(family: GaugeMetricFamily | CounterMetricFamily, labels: list[str], number: Any) -> None:
    if _is_number(number):
        family.add_metric(labels, number)


def _is_number(number: Any) -> TypeGuard[int | float]:
    return isinstance(number, int | float) and not isinstance(number, bool)
