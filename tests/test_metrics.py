"""What Prometheus is told: read by its own parser, from a real gateway."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from gateway import metrics
from gateway.metrics import Metrics
from gateway.web.news import News
from tests.house import DIRECT, House

DOCS = Path(metrics.__file__).parents[1] / "docs" / "metrics.md"
QUEUE = {"waiting": 2, "oldest_wait_s": None, "free": 3, "service_level_pct": 83, "answered": 41, "abandoned": None}
Sample = tuple[str, frozenset[tuple[str, str]]]


def work() -> dict[str, int]:
    return {name: number for number, name in enumerate((*metrics.WORK, *metrics.NOW), 1)}


def samples(text: str) -> dict[Sample, float]:
    """Each figure by its name and labels."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, f"{family.name} says nothing of itself"
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found


def told(said: dict[str, dict[str, Any]], up: bool = True) -> dict[Sample, float]:
    news = News()
    for path, document in said.items():
        news.say(path, document)
    return samples(Metrics(news, lambda: (up, {}), work).told("text/plain")[0].decode())


def one(found: dict[Sample, float], name: str, **labels: str) -> float | None:
    return found.get((f"callfloor_{name}", frozenset(labels.items())))


def test_what_is_unknown_is_no_sample_and_never_0() -> None:
    found = told({"queue/polski": QUEUE})
    assert one(found, "queue_waiting", queue="polski") == 2
    assert one(found, "queue_oldest_wait_seconds", queue="polski") is None
    assert one(found, "queue_service_level_ratio", queue="polski") == pytest.approx(0.83)
    assert one(found, "queue_desks", queue="polski", place="free") == 3
    assert one(found, "queue_desks", queue="polski", place="talking") is None
    assert one(found, "queue_calls_total", queue="polski", outcome="answered") == 41
    assert one(found, "queue_calls_total", queue="polski", outcome="abandoned") is None
    assert not [key for key in told({}) if key[0].startswith("callfloor_queue")]


def test_desks_are_counted_by_status_and_none_is_named() -> None:
    found = told({
        "desk/a1": {"status": "talking", "reason": "the handset is lifted"},
        "desk/a2": {"status": "free", "reason": ""},
        "floor": {"free": 1, "talking": 1, "lost": 0, "boards_lost": 0},
        "finding/a1": {"kind": "off-hook", "for_s": 60, "desk": "lifted", "pbx": "idle", "todo": ""},
    })  # fmt: skip
    assert (one(found, "desks", status="talking"), one(found, "desks", status="lost")) == (1, 0)
    assert one(found, "findings", kind="off-hook") == 1
    words = repr(found)
    assert "a1" not in words and "a2" not in words and "lifted" not in words


def test_alarms_by_kind_and_whether_somebody_sees_to_them() -> None:
    alarm = {"kind": "board-lost", "level": "bad", "of": "board", "acked": None}
    found = told({
        "alarm/board-lost.a": alarm, "alarm/board-lost.b": alarm,
        "alarm/board-lost.c": {**alarm, "acked": {"by": "desk-lead", "note": "under the stairs", "for_s": 4}},
    })  # fmt: skip
    assert one(found, "alarms", kind="board-lost", level="bad", acknowledged="no") == 2
    assert one(found, "alarms", kind="board-lost", level="bad", acknowledged="yes") == 1
    assert "desk-lead" not in repr(found) and "stairs" not in repr(found)


def test_a_wall_is_right_while_it_shows_what_it_should_and_fresh() -> None:
    right = {"scene": "s1", "shown": "s1", "fresh": True}
    walls = {"a": right, "b": {**right, "fresh": False}, "c": {**right, "shown": "s0"}, "d": {**right, "shown": None}}
    found = told({f"wall/{name}": document for name, document in walls.items()})
    assert [one(found, "wall_right", wall=name) for name in "abcd"] == [1, 0, 0, 0]


def test_the_gateways_own_work() -> None:
    found = told({"broker": {"state": "away"}, "history": {"state": "failed"}}, up=False)
    for number, name in enumerate((*(f"{name}_total" for name in metrics.WORK), *metrics.NOW), 1):
        assert one(found, name) == number
    assert [one(found, name) for name in ("up", "broker_up", "history_kept")] == [0, 0, 0]
    assert found["process_cpu_seconds_total", frozenset()] > 0


# ---- from a real gateway ----


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    def change(tables: dict[str, Any]) -> None:
        tables["board"] = tables["board"][:1]
        desks = {place["desk"] for place in tables["board"][0]["inputs"]}
        tables["desk"] = [desk for desk in tables["desk"] if desk["id"] in desks]
        tables["wall"] = []

    with House(tmp_path_factory.mktemp("metrics"), change) as house:
        house.start_all()
        yield house


def scraped(house: House, accept: str = "text/plain") -> tuple[str, str]:
    request = urllib.request.Request(f"{house.web}/metrics", headers={**house.login, "Accept": accept})
    with DIRECT.open(request, timeout=5) as answer:
        return answer.headers["content-type"], answer.read().decode()


def test_a_floor_at_work_is_counted(house: House) -> None:
    """A call comes, a handset is lifted, messages come from the board: the figures follow."""
    before = samples(scraped(house)[1])
    assert one(before, "up") == 1 and one(before, "board_up", board="row-a") == 1
    house.pin("row-a", "GP2", 0)
    house.wait("one is free no more", lambda: one(samples(scraped(house)[1]), "desks", status="free") == 3)
    house.pbx.join("norsk")
    house.wait("one waits", lambda: one(samples(scraped(house)[1]), "queue_waiting", queue="norsk") == 1)
    after = samples(scraped(house)[1])
    heard = [one(found, "messages_heard_total") for found in (before, after)]
    assert heard[0] is not None and heard[1] is not None and heard[1] > heard[0] > 0


def test_it_comes_in_the_form_that_is_asked_for_and_not_to_everybody(house: House) -> None:
    kind, text = scraped(house, "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text") and text.endswith("# EOF\n")
    assert {family.name for family in openmetrics.text_string_to_metric_families(text)} >= {"callfloor_up"}
    kind, _ = scraped(house)
    assert kind.startswith("text/plain; version=")
    with pytest.raises(urllib.error.HTTPError) as refused:
        DIRECT.open(f"{house.web}/metrics", timeout=5)
    with refused.value:
        assert refused.value.code == 401


@pytest.mark.parametrize("accept", ["text/plain;version=x", "application/openmetrics-text; version=1.x", ";;,=", "é"])
def test_a_form_that_is_none_is_answered_as_no_form_at_all(house: House, accept: str) -> None:
    asked = urllib.request.Request(f"{house.web}/metrics", headers={**house.login, "Accept": accept})
    with DIRECT.open(asked, timeout=5) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=") and answer.headers["vary"] == "Accept"
        assert one(samples(answer.read().decode()), "up") == 1


def test_every_figure_is_in_the_documentation_and_no_other(house: House) -> None:
    documented = {line.split("`")[1] for line in DOCS.read_text().splitlines() if line.startswith("| `callfloor_")}
    everything = told({
        "queue/q": {**dict.fromkeys((row.field for row in metrics.OF_QUEUE), 1), "joined": 1, "free": 1, "answered": 1},
        "board/b": dict.fromkeys((row.field for row in (*metrics.OF_BOARD, *metrics.COUNTED_OF_BOARD)), 1),
        "floor": {"free": 1}, "wall/w": {}, "source/s": {}, "finding/d": {"kind": "off-hook"},
        "alarm/x": {"kind": "board-lost", "level": "bad", "acked": None},
    })  # fmt: skip
    ours = {name for name, _ in everything if name.startswith("callfloor_")}
    assert documented == ours
    assert {name for name, _ in samples(scraped(house)[1]) if name.startswith("callfloor_")} <= ours
