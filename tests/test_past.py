"""A simulated floor that begins with a past: what its people lived in virtual time adds up."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import callfloor_past
import floorplan
from gateway import trend
from gateway.days import QUARTER_S, Calendar
from gateway.queues.totals import SERVICE_LEVEL
from gateway.store import Reader, read
from simulator.board import __file__ as beside

EXAMPLE = Path(beside).with_name("example.toml")
ZONE = "Europe/Oslo"
NIGHT_S = dt.datetime(2026, 11, 22, 1, 40, tzinfo=dt.UTC).timestamp()  # 02:40 there: little has been lived today


def plan(folder: Path, calls_per_minute: float = 0.5, **more: Any) -> floorplan.Plan:
    tables = floorplan.tables_in(EXAMPLE)
    tables["simulator"] = {**tables["simulator"], "calls_per_minute": calls_per_minute}
    return floorplan.check({**tables, **more}, "test", folder)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> floorplan.Plan:
    made = plan(tmp_path_factory.mktemp("past"))
    assert callfloor_past.write(made, NIGHT_S)
    return made


@contextlib.contextmanager
def kept(site: floorplan.Plan) -> Iterator[Reader]:
    assert site.history.path
    with read(site.history.path, Calendar(ZONE)) as reader:
        yield reader


def test_it_has_last_weeks_day_yesterday_and_today_until_now(site: floorplan.Plan) -> None:
    with kept(site) as reader:
        days = {date.isoformat() for date, _ in reader.days("norsk", dt.date.min, dt.date.max)}
        assert days == {"2026-11-15", "2026-11-21", "2026-11-22"}
        today = reader.quarters("norsk", *Calendar(ZONE).day_bounds(dt.date(2026, 11, 22)))
        begun_s = today[0][0]
        assert [start for start, _ in today] == list(range(begun_s, int(NIGHT_S), QUARTER_S))
        assert sum(totals.seen_s for _, totals in today) == NIGHT_S - begun_s == (2 * 60 + 40) * 60


def test_everybody_who_came_has_an_end_and_the_figures_can_be(site: floorplan.Plan) -> None:
    with kept(site) as reader:
        _adds_up(reader)


def test_it_tells_no_more_than_the_phone_system_does_later(site: floorplan.Plan) -> None:
    day = trend.day(site.history.path, site, "norsk", dt.date(2026, 11, 22))["days"]["day_before"]
    assert day["total"]["timed_out"] is None and day["total"]["left_by_key"] is None
    assert set(day["quarters"]["timed_out"]) == {None}
    assert day["total"]["abandoned"] and 0 in day["quarters"]["abandoned"]  # which is known


def _adds_up(reader: Reader) -> None:
    level = SERVICE_LEVEL["answered-within-of-offered"]
    for queue in ("norsk", "polski"):
        day = reader.day(queue, dt.date(2026, 11, 21))
        ends = day.answered + day.abandoned + day.timed_out + day.left_by_key + day.left + day.vanished
        assert day.joined == ends
        assert day.joined == pytest.approx(720, rel=0.2)  # 0.5 a minute
        assert 0.5 < (level.value(day) or 0) <= 1
        assert day.seen_s == 24 * 3600
        assert 0 < day.handling_s + day.available_s <= 4 * day.seen_s  # four desks serve it


def test_what_is_kept_already_stays_as_it_is(site: floorplan.Plan) -> None:
    assert site.history.path
    before = site.history.path.read_bytes()
    assert not callfloor_past.write(site, NIGHT_S + 3600)
    assert site.history.path.read_bytes() == before


def test_a_floor_of_too_many_calls_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(floorplan.SiteError, match="calls a day take too long"):
        callfloor_past.write(plan(tmp_path, 600), NIGHT_S)
    assert not list(tmp_path.iterdir())


def test_a_real_floor_has_its_own(tmp_path: Path) -> None:
    tables = floorplan.tables_in(EXAMPLE)
    del tables["simulator"]
    with pytest.raises(floorplan.SiteError, match="no \\[simulator\\]"):
        callfloor_past.write(floorplan.check(tables, "test", tmp_path), NIGHT_S)
