"""A queue's day by quarters of an hour: what is kept of it, of yesterday and of last week, at the same times."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from gateway import erlang, trend
from gateway.days import QUARTER_S, Calendar
from gateway.queues.totals import SERVICE_LEVEL, Totals, percent_met, rounded_down
from gateway.store import Batch, Store, StoreError
from gateway.web import asked, queue_day_http

from .test_page import Served

DAY = dt.date(2026, 11, 18)  # a wednesday; none of the days beside it changes its clocks
SUMMER_ENDS = dt.date(2026, 10, 25)  # 25 hours
SUMMER_BEGINS = dt.date(2026, 3, 29)  # 23 hours
COLUMNS = set(queue_day_http.Quarters.model_fields)


def plan(folder: Path, **site: Any) -> floorplan.Plan:
    tables = {
        "site": {"id": "skien", "time_zone": "Europe/Oslo", **site},
        "queue": [
            {"id": "polski", "name": "Polski", "pbx": "pl", "target": {"within_s": 20, "share": 0.8}},
            {"id": "norsk", "name": "Norsk", "pbx": "no", "target": {"formula": "answered-within-of-answered"}},
        ],
    }
    return floorplan.check(tables, "test", folder)


def calendar_of(site: floorplan.Plan) -> Calendar:
    return Calendar(site.site.time_zone, site.site.day_begins, site.site.hours)


@contextlib.contextmanager
def store_of(site: floorplan.Plan, begun: dt.date = DAY - dt.timedelta(days=30)) -> Iterator[Store]:
    assert site.history.path
    calendar = calendar_of(site)
    with contextlib.closing(Store(site.history.path, calendar, site.history)) as store:
        store.commit(Batch(at_s=calendar.day_bounds(begun)[0]))
        yield store


def at(site: floorplan.Plan, date: dt.date, hours: float) -> int:
    """So many hours after a day begins."""
    return calendar_of(site).day_bounds(date)[0] + int(hours * 3600)


def keep(store: Store, queue: str, start_s: int, until_s: float = 0, **amounts: float) -> None:
    store.commit(Batch({(queue, start_s): amounts}, at_s=until_s or start_s + QUARTER_S))


def figures(site: floorplan.Plan, date: dt.date = DAY, queue: str = "polski") -> dict[str, Any]:
    told = trend.day(site.history.path, site, queue, date)
    queue_day_http.QueueDay.model_validate({**told, "today": None})  # as the API describes itself
    return told


def quarter(told: dict[str, Any], clock: str, which: str = "this") -> dict[str, Any]:
    """The figures of one quarter of a day."""
    where = told["clock"].index(clock)
    return {name: values[where] for name, values in told["days"][which]["quarters"].items()}


def test_a_quarter_says_what_became_of_its_callers(tmp_path: Path) -> None:
    site = plan(tmp_path)
    amounts = {"joined": 12, "answered": 9, "answered_within": 6, "answered_wait_s": 135.5, "abandoned": 2,
               "timed_out": 1, "completed": 8, "talk_s": 1600, "longest_wait_s": 88.25, "handling_s": 1800,
               "available_s": 990, "seen_s": 900}  # fmt: skip
    with store_of(site) as store:
        keep(store, "polski", at(site, DAY, 9.25), **amounts)
    told = figures(site)
    assert quarter(told, "09:15") == {
        "joined": 12, "answered": 9, "abandoned": 2, "timed_out": 1, "service_level": 0.5, "asa_s": 15.056,
        "longest_wait_s": 88.25, "desks_present": 3.1, "unseen_s": 0,
        "desks_needed": erlang.desks_needed(12 / 900, 200, 20, 0.8),
    }  # fmt: skip
    assert told["days"]["this"]["total"] | {"aht_s": 0, "occupancy": 0} == {
        "joined": 12, "answered": 9, "abandoned": 2, "timed_out": 1, "left_by_key": 0, "left": 0, "vanished": 0,
        "longest_wait_s": 88.25, "asa_s": 15.056, "aht_s": 0, "occupancy": 0, "abandon_rate": 0.25,
        "service_level": 0.5,
    }  # fmt: skip
    assert (told["date"], told["days"]["day_before"]["date"], told["days"]["week_before"]["date"]) == (
        "2026-11-18", "2026-11-17", "2026-11-11",
    )  # fmt: skip


def test_what_is_not_known_is_null_and_never_0(tmp_path: Path) -> None:
    site = plan(tmp_path)
    with store_of(site) as store:
        keep(store, "polski", at(site, DAY, 8), seen_s=900)  # nobody called
        untold = {("polski", at(site, DAY, 9)): frozenset({"timed_out", "joined"})}
        store.commit(Batch({("polski", at(site, DAY, 9)): {"answered": 3, "seen_s": 900}}, untold=untold,
                           at_s=at(site, DAY, 9.25)))  # fmt: skip
        keep(store, "polski", at(site, DAY, 10), joined=4, completed=1, talk_s=100, seen_s=120)
    told = figures(site)
    quiet = quarter(told, "08:00")
    assert {name for name, value in quiet.items() if value is None} == {"service_level", "asa_s"}
    assert (quiet["joined"], quiet["desks_present"], quiet["desks_needed"]) == (0, 0, 0)
    partly = quarter(told, "09:00")
    assert (partly["joined"], partly["timed_out"], partly["answered"], partly["desks_needed"]) == (None, None, 3, None)
    assert partly["desks_present"] is None  # somebody answered, so no desks is not what there was
    short = quarter(told, "10:00")
    assert (short["joined"], short["desks_needed"], short["unseen_s"]) == (4, None, 780)  # two minutes say nothing
    nothing = quarter(told, "08:15")
    assert {name: value for name, value in nothing.items() if name != "unseen_s"} == dict.fromkeys(
        COLUMNS - {"unseen_s"}
    )
    assert nothing["unseen_s"] == 900
    assert quarter(told, "12:00") == dict.fromkeys(COLUMNS)  # not yet
    assert [gap for gap in told["gaps"] if gap["from"] == "08:15"] == [
        {"from": "08:15", "to": "09:00", "unseen_s": 2700}
    ]


def test_a_day_of_before_has_the_same_times(tmp_path: Path) -> None:
    """At random, against a count of our own by the clock on the wall."""
    site = plan(tmp_path)
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rnd = random.Random(seed)
    kept: dict[tuple[dt.date, str], int] = {}
    with store_of(site) as store:
        counts = {}
        for ago in (7, 1, 0):
            date = DAY - dt.timedelta(days=ago)
            for number in rnd.sample(range(96), 40):
                clock = f"{number // 4:02}:{number % 4 * 15:02}"
                kept[date, clock] = rnd.randrange(50)
                counts["polski", at(site, date, number / 4)] = {"joined": float(kept[date, clock]), "seen_s": 900.0}
        store.commit(Batch(counts, at_s=at(site, DAY, 24)))
    told = figures(site)
    assert len(told["clock"]) == 96
    for which, ago in trend.BESIDE.items():
        date = DAY - dt.timedelta(days=ago)
        column = told["days"][which]["quarters"]["joined"]
        assert column == [kept.get((date, clock)) for clock in told["clock"]]
        assert told["days"][which]["total"]["joined"] == sum(n for (day, _), n in kept.items() if day == date)


@pytest.mark.parametrize(("date", "quarters"), [(SUMMER_ENDS, 100), (SUMMER_BEGINS, 92)])
def test_where_clocks_change_no_call_is_told_twice_nor_at_another_time(
    tmp_path: Path, date: dt.date, quarters: int
) -> None:
    site = plan(tmp_path)
    before = date - dt.timedelta(days=1)
    with store_of(site, date - dt.timedelta(days=30)) as store:
        counts = {("polski", at(site, of, n / 4)): {"joined": float(n + 1), "seen_s": 900.0}
                  for of, most in ((before, 96), (date, quarters)) for n in range(most)}  # fmt: skip
        store.commit(Batch(counts, at_s=at(site, date, quarters / 4)))
    told = figures(site, date)
    assert len(told["clock"]) == quarters
    assert told["days"]["this"]["quarters"]["joined"] == list(range(1, quarters + 1))
    yesterday = told["days"]["day_before"]["quarters"]["joined"]
    own = [f"{n // 4:02}:{n % 4 * 15:02}" for n in range(96)]
    firsts = [told["clock"].index(clock) == n for n, clock in enumerate(told["clock"])]
    assert yesterday == [
        own.index(clock) + 1 if first else None for clock, first in zip(told["clock"], firsts, strict=True)
    ]
    # The other way about: on the day after, the hour that was there twice stands once.
    after = figures(site, date + dt.timedelta(days=1))
    assert len(after["clock"]) == 96
    column = after["days"]["day_before"]["quarters"]["joined"]
    expected = [told["clock"].index(clock) + 1 if clock in told["clock"] else None for clock in own]
    assert column == expected


def test_a_share_is_rounded_down_wherever_it_is_told() -> None:
    """A card says whole percent of what it knows, a day's page of what was sent to it: both the same."""
    for all_of_them in range(1, 400):
        for met in range(all_of_them + 1):
            share = met / all_of_them
            assert percent_met(rounded_down(share, 6)) == percent_met(share), f"{met} of {all_of_them}"
            assert rounded_down(share, 6) <= share + 1e-9


def test_the_day_is_told_whole_where_its_quarters_are_gone(tmp_path: Path) -> None:
    site = plan(tmp_path)
    with store_of(site) as store:
        keep(store, "polski", at(site, DAY, 9.25), joined=12, answered=9, abandoned=3, seen_s=900)
        store._db.execute("DELETE FROM quarters")
        store._db.commit()
    assert figures(site)["days"]["this"]["total"]["joined"] == 12


def test_a_day_begins_where_the_site_says(tmp_path: Path) -> None:
    site = plan(tmp_path, day_begins="04:00")
    with store_of(site) as store:
        keep(store, "polski", at(site, DAY, 23), joined=7, seen_s=900)  # 03:00 of the next date
    told = figures(site)
    assert (told["clock"][0], told["clock"][-1], told["begins"]) == ("04:00", "03:45", "2026-11-18T04:00:00+01:00")
    assert quarter(told, "03:00")["joined"] == 7


def test_the_quarter_under_way_is_named(tmp_path: Path) -> None:
    site = plan(tmp_path)
    with store_of(site) as store:
        keep(store, "polski", at(site, DAY, 9), until_s=at(site, DAY, 9) + 300, joined=1, seen_s=300)
    told = figures(site)
    assert told["running"] == {"quarter": 36, "share": 0.333}
    assert told["counted_until"] == "2026-11-18T09:05:00+01:00"
    assert figures(site, DAY - dt.timedelta(days=1))["running"] is None
    assert figures(site, DAY + dt.timedelta(days=1))["days"]["this"]["total"]["joined"] is None


def test_each_queue_has_its_own_formula(tmp_path: Path) -> None:
    site = plan(tmp_path)
    amounts = {"answered": 4, "answered_within": 3, "abandoned": 4, "seen_s": 900}
    with store_of(site) as store:
        for queue in ("polski", "norsk"):
            keep(store, queue, at(site, DAY, 9), **amounts)
    totals = Totals(answered=4, answered_within=3, abandoned=4)
    for row in site.queue:
        level = SERVICE_LEVEL[row.target.formula].value(totals)
        assert quarter(figures(site, queue=row.id), "09:00")["service_level"] == level


def test_what_cannot_be_asked_says_why(tmp_path: Path) -> None:
    site = plan(tmp_path)
    with store_of(site):
        pass
    for queue, date, words in (
        ("polsk", DAY, "there is no queue 'polsk'; there is polski, norsk"),
        ("polski", dt.date(1, 1, 1), "nothing is kept of 0001-01-01"),
        ("polski", dt.date.max, "nothing is kept of 9999-12-31"),
    ):
        with pytest.raises(StoreError) as refused:
            trend.day(site.history.path, site, queue, date)
        assert str(refused.value) == words
    with pytest.raises(StoreError, match="nobody knows yet which day it is"):
        trend.days_of(site, lambda: None)("polski", None)


def test_over_http_it_is_today_unless_a_day_is_named(tmp_path: Path) -> None:
    site = plan(tmp_path)
    with store_of(site) as store:
        keep(store, "polski", at(site, DAY, 9), joined=5, seen_s=900)
    page = Served(site)
    page.day_of = trend.days_of(site, lambda: DAY)
    try:
        _asked(page)
    finally:
        page.stop()


def _asked(page: Served) -> None:
    today = json.loads(page.get("/api/queues/polski/day")[2])
    assert (today["date"], today["today"], today["days"]["this"]["total"]["joined"]) == (
        "2026-11-18", "2026-11-18", 5,
    )  # fmt: skip
    assert json.loads(page.get("/api/queues/polski/day?date=2026-11-18")[2]) == today
    tomorrow = json.loads(page.get("/api/queues/polski/day?date=2026-11-19")[2])
    assert tomorrow["days"]["day_before"]["total"]["joined"] == 5
    for address, status, words in (
        ("/api/queues/nobody/day", 404, "there is no queue 'nobody'; there is polski, norsk"),
        ("/api/queues/polski/day?date=today", 422, asked.ASKED["date"]),
        ("/api/queues/polski/day?date=2026-02-30", 422, asked.ASKED["date"]),
    ):
        told, _, body = page.get(address)
        assert (told, body.decode()) == (status, words)


def test_many_pages_read_the_file_once_in_20_s(tmp_path: Path) -> None:
    site = plan(tmp_path)
    now_s = [0.0]
    day_of = trend.days_of(site, lambda: DAY, clock=lambda: now_s[0])

    def joined() -> Any:
        return day_of("polski", None)["days"]["this"]["total"]["joined"]

    with store_of(site) as store:
        keep(store, "polski", at(site, DAY, 9), joined=1, seen_s=300)
        assert joined() == 1
        keep(store, "polski", at(site, DAY, 9), joined=1, seen_s=300)
        now_s[0] = trend.FRESH_S
        assert joined() == 1
        now_s[0] += 0.1
        assert joined() == 2
        assert day_of("polski", DAY - dt.timedelta(days=1))["days"]["this"]["total"]["joined"] is None


def test_the_example_of_the_api_is_one() -> None:
    queue_day_http.QueueDay.model_validate(queue_day_http.EXAMPLE)
