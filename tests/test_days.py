"""The calendar: days follow each other without a hole, in every zone, whatever the clocks do."""

from __future__ import annotations

import datetime as dt
import functools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import floorplan
from gateway.days import DAY, QUARTER_S, WEEKDAYS, Calendar

OSLO = "Europe/Oslo"
# Summer time by an hour at night and at midnight, by half an hour, by two hours; offsets of :30 and :45;
# summer time kept in winter; an island that left a whole date out (Apia, 2011).
ZONES = (
    OSLO, "UTC", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "Antarctica/Troll",
    "Africa/Cairo", "Africa/Casablanca", "America/Havana", "America/Santiago", "America/St_Johns", "Asia/Beirut",
    "Pacific/Apia", "Europe/Dublin",
)  # fmt: skip
SINCE_S = dt.datetime(2012, 1, 1, tzinfo=dt.UTC).timestamp()
UNTIL_S = dt.datetime(2037, 1, 1, tzinfo=dt.UTC).timestamp()

unhurried = settings(deadline=None)  # what else this computer does is not this file's concern
zones = st.sampled_from(ZONES)
moments = st.one_of(
    st.floats(SINCE_S, UNTIL_S),
    st.integers(int(SINCE_S) // QUARTER_S, int(UNTIL_S) // QUARTER_S).map(lambda n: n * QUARTER_S),
)
times = st.integers(0, 95).map(lambda n: f"{n // 4:02}:{n % 4 * 15:02}")
dates = st.dates(dt.date(2012, 1, 1), dt.date(2036, 12, 31))


@st.composite
def opening(draw: st.DrawFn) -> str:
    first, last = draw(st.sampled_from(WEEKDAYS)), draw(st.sampled_from(WEEKDAYS))
    begins, ends = sorted(draw(st.lists(st.integers(0, 96), min_size=2, max_size=2, unique=True)))
    line = f"{first}-{last}" if draw(st.booleans()) else first
    return f"{line} {begins // 4:02}:{begins % 4 * 15:02}-{ends // 4:02}:{ends % 4 * 15:02}"


def at(text: str) -> float:
    """Epoch seconds of 2026-03-29T01:59:59+01:00."""
    return dt.datetime.fromisoformat(text).timestamp()


@functools.cache
def changes(zone: str, year: int) -> list[int]:
    """Where the clocks of a zone are changed in a year, to the quarter."""
    start = int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp())
    place, found, before = ZoneInfo(zone), [], None
    for at_s in range(start, start + 366 * 86400, QUARTER_S):
        offset = dt.datetime.fromtimestamp(at_s, place).utcoffset()
        if before is not None and offset != before:
            found.append(at_s)
        before = offset
    return found


# The house's own zone -------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "begins", "ends", "hours"),
    [
        ("2026-03-28", "2026-03-28T00:00+01:00", "2026-03-29T00:00+01:00", 24),
        ("2026-03-29", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23),
        ("2026-10-25", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
    ],
)
def test_a_day_in_oslo(date: str, begins: str, ends: str, hours: int) -> None:
    calendar = Calendar(OSLO)
    from_s, to_s = calendar.day_bounds(dt.date.fromisoformat(date))
    assert (from_s, to_s) == (at(begins), at(ends))
    assert to_s - from_s == hours * 3600


def test_a_day_that_begins_at_four() -> None:
    calendar = Calendar(OSLO, "04:00")
    assert calendar.day(at("2026-06-02T03:59:59.9+02:00")) == dt.date(2026, 6, 1)
    assert calendar.day(at("2026-06-02T04:00+02:00")) == dt.date(2026, 6, 2)
    assert calendar.next_day_s(at("2026-06-02T03:00+02:00")) == at("2026-06-02T04:00+02:00")
    assert calendar.next_day_s(at("2026-06-02T04:00+02:00")) == at("2026-06-03T04:00+02:00")


def test_a_day_that_begins_at_a_time_that_is_not_there_begins_with_the_change() -> None:
    calendar = Calendar(OSLO, "02:30")
    assert calendar.day_bounds(dt.date(2026, 3, 29))[0] == at("2026-03-29T03:00+02:00")
    assert calendar.day(at("2026-03-29T01:59:59+01:00")) == dt.date(2026, 3, 28)
    assert calendar.day(at("2026-03-29T03:00+02:00")) == dt.date(2026, 3, 29)


def test_a_day_that_begins_at_a_time_that_is_there_twice_begins_with_the_first() -> None:
    calendar = Calendar(OSLO, "02:30")
    assert calendar.day_bounds(dt.date(2026, 10, 25))[0] == at("2026-10-25T02:30+02:00")
    assert calendar.day(at("2026-10-25T02:29:59+02:00")) == dt.date(2026, 10, 24)
    assert calendar.day(at("2026-10-25T02:15+01:00")) == dt.date(2026, 10, 25)


def test_the_hour_that_is_there_twice_has_eight_quarters() -> None:
    calendar = Calendar(OSLO)
    from_s = at("2026-10-25T02:00+02:00")
    quarters = {calendar.quarter(from_s + minute * 60) for minute in range(120)}
    assert len(quarters) == 8
    assert [calendar.iso(begin) for begin in sorted(quarters)][3:5] == [
        "2026-10-25T02:45:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]


@pytest.mark.parametrize(
    ("zone", "moment", "begins"),
    [
        ("Asia/Kathmandu", "2026-05-01T10:14:59+05:45", "2026-05-01T10:00+05:45"),
        ("Asia/Kolkata", "2026-05-01T10:15:00+05:30", "2026-05-01T10:15+05:30"),
        ("Australia/Lord_Howe", "2026-12-01T00:07+11:00", "2026-12-01T00:00+11:00"),
        ("Pacific/Chatham", "2026-07-01T23:59:59+12:45", "2026-07-01T23:45+12:45"),
    ],
)
def test_quarters_are_those_on_the_wall(zone: str, moment: str, begins: str) -> None:
    assert Calendar(zone).quarter(at(moment)) == at(begins)


def test_midnight_that_is_not_there() -> None:
    """Cairo's clocks go from 24:00 to 01:00."""
    assert Calendar("Africa/Cairo").day_bounds(dt.date(2026, 4, 24)) == (
        at("2026-04-24T01:00+03:00"),
        at("2026-04-25T00:00+03:00"),
    )


def test_a_date_that_is_not_there_is_a_day_of_no_length() -> None:
    """Samoa went from the 29th of December 2011 to the 31st."""
    calendar = Calendar("Pacific/Apia")
    from_s, to_s = calendar.day_bounds(dt.date(2011, 12, 30))
    assert from_s == to_s == at("2011-12-31T00:00+14:00")
    assert calendar.day(from_s) == dt.date(2011, 12, 31)
    assert calendar.day(from_s - 1) == dt.date(2011, 12, 29)


# Every zone -----------------------------------------------------------------------


@unhurried
@given(zones, times, dates)
def test_days_follow_each_other_without_a_hole(zone: str, begins: str, date: dt.date) -> None:
    calendar = Calendar(zone, begins)
    from_s, to_s = calendar.day_bounds(date)
    assert calendar.day_bounds(date + DAY)[0] == to_s
    assert 22 * 3600 <= to_s - from_s <= 26 * 3600
    assert from_s % QUARTER_S == 0 == to_s % QUARTER_S  # or a quarter would belong to two days
    for inside in (from_s, from_s + 1, (from_s + to_s) / 2, to_s - QUARTER_S, to_s - 0.001):
        assert calendar.day(inside) == date
        assert calendar.next_day_s(inside) == to_s


@unhurried
@given(zones, times, moments)
def test_a_moment_is_in_one_day_and_one_quarter(zone: str, begins: str, at_s: float) -> None:
    calendar = Calendar(zone, begins)
    from_s, to_s = calendar.day_bounds(calendar.day(at_s))
    assert from_s <= at_s < to_s
    quarter = calendar.quarter(at_s)
    assert quarter <= at_s < quarter + QUARTER_S
    assert calendar.day(quarter) == calendar.day(at_s) == calendar.day(quarter + QUARTER_S - 1)
    assert dt.datetime.fromtimestamp(quarter, ZoneInfo(zone)).minute % 15 == 0


@unhurried
@given(zones, times, moments, st.lists(opening(), min_size=1, max_size=3))
def test_where_no_clock_is_changed_the_wall_clock_says_it_all(
    zone: str, begins: str, at_s: float, hours: list[str]
) -> None:
    near = (dt.datetime.fromtimestamp(at_s + n * 3600, ZoneInfo(zone)).utcoffset() for n in range(-26, 27))
    assume(len(set(near)) == 1)
    calendar = Calendar(zone, begins, tuple(hours))
    wall = dt.datetime.fromtimestamp(at_s, ZoneInfo(zone)).replace(tzinfo=None)
    yesterday = f"{wall:%H:%M}" < begins
    assert calendar.day(at_s) == wall.date() - DAY * yesterday
    assert calendar.clock(at_s) == f"{wall:%H:%M}"
    week = WEEKDAYS * 2
    is_open = False
    for days, between in (line.split() for line in hours):
        first, _, last = days.partition("-")
        start = week.index(first)
        if week[wall.weekday()] in week[start : week.index(last or first, start) + 1]:
            opens, closes = between.split("-")
            is_open = is_open or opens <= f"{wall:%H:%M}" < closes
    assert calendar.is_open(at_s) == is_open


@settings(max_examples=30, deadline=None)
@given(zones, times, st.integers(2015, 2036), st.data())
def test_around_every_change_each_call_is_of_one_day(
    zone: str, begins: str, year: int, data: st.DataObject
) -> None:
    """Calls spread over the days about each change: every one in one day, and none in a day that is wrong."""
    calendar = Calendar(zone, begins)
    for change_s in changes(zone, year):
        calls = data.draw(st.lists(st.floats(change_s - 2 * 86400, change_s + 2 * 86400), max_size=30))
        date, last = calendar.day(change_s - 2 * 86400), calendar.day(change_s + 2 * 86400)
        counted = 0
        while date <= last:
            from_s, to_s = calendar.day_bounds(date)
            here = [call for call in calls if from_s <= call < to_s]
            assert all(calendar.day(call) == date for call in here)
            counted += len(here)
            date += DAY
        assert counted == len(calls)


@unhurried
@given(zones, times, st.lists(moments, min_size=2, max_size=20))
def test_days_never_go_back(zone: str, begins: str, at: list[float]) -> None:
    calendar = Calendar(zone, begins)
    days = [calendar.day(at_s) for at_s in sorted(at)]
    assert days == sorted(days)


# Opening hours --------------------------------------------------------------------


def test_without_hours_it_is_always_open() -> None:
    calendar = Calendar(OSLO)
    assert calendar.is_open(at("2026-12-24T23:00+01:00"))
    assert calendar.open_s(100.5, 200.0) == 99.5
    assert calendar.open_s(200.0, 100.0) == 0


def test_opening_hours() -> None:
    calendar = Calendar(OSLO, hours=("mon-fri 08:00-20:00", "sat 10:00-16:00", "fri 18:00-22:00"))
    monday = at("2026-06-01T00:00+02:00")
    assert not calendar.is_open(at("2026-06-01T07:59:59+02:00"))
    assert calendar.is_open(at("2026-06-01T08:00+02:00"))
    assert calendar.is_open(at("2026-06-01T19:59:59+02:00"))
    assert not calendar.is_open(at("2026-06-01T20:00+02:00"))
    assert not calendar.is_open(at("2026-06-07T12:00+02:00"))
    assert calendar.open_s(monday, monday + 7 * 86400) == (5 * 12 + 6 + 2) * 3600
    assert calendar.open_s(at("2026-06-01T19:50+02:00"), at("2026-06-02T08:05+02:00")) == 15 * 60


def test_open_past_midnight_and_around_the_weekend() -> None:
    calendar = Calendar(OSLO, "04:00", ("sat-mon 18:00-24:00", "sun-tue 00:00-02:00"))
    assert calendar.is_open(at("2026-06-06T23:59:59+02:00"))  # saturday
    assert calendar.is_open(at("2026-06-07T00:00+02:00"))
    assert not calendar.is_open(at("2026-06-07T02:00+02:00"))
    assert calendar.is_open(at("2026-06-09T01:00+02:00"))  # tuesday
    assert not calendar.is_open(at("2026-06-10T01:00+02:00"))
    assert calendar.open_s(at("2026-06-06T04:00+02:00"), at("2026-06-09T04:00+02:00")) == 3 * 8 * 3600


def test_a_night_is_open_an_hour_more_or_less_when_the_clocks_change() -> None:
    calendar = Calendar(OSLO, hours=("sun 00:00-08:00",))
    assert calendar.open_s(at("2026-03-29T00:00+01:00"), at("2026-03-30T00:00+02:00")) == 7 * 3600
    assert calendar.open_s(at("2026-10-25T00:00+02:00"), at("2026-10-26T00:00+01:00")) == 9 * 3600


@unhurried
@given(zones, st.lists(opening(), min_size=1, max_size=4), moments, st.floats(0, 4 * 86400), st.floats(0, 1))
def test_open_seconds_add_up(
    zone: str, hours: list[str], from_s: float, length_s: float, share: float
) -> None:
    calendar = Calendar(zone, hours=tuple(hours))
    to_s = from_s + length_s
    between = from_s + length_s * share
    whole = calendar.open_s(from_s, to_s)
    assert 0 <= whole <= to_s - from_s
    parts = calendar.open_s(from_s, between) + calendar.open_s(between, to_s)
    assert whole == pytest.approx(parts, abs=1e-3)


@unhurried
@given(zones, st.lists(opening(), min_size=1, max_size=4), moments)
def test_a_quarter_is_open_from_end_to_end_or_not_at_all(zone: str, hours: list[str], at_s: float) -> None:
    calendar = Calendar(zone, hours=tuple(hours))
    quarter = calendar.quarter(at_s)
    assert calendar.open_s(quarter, quarter + QUARTER_S) == (QUARTER_S if calendar.is_open(at_s) else 0)


def test_weekdays_are_those_of_the_site_file() -> None:
    assert WEEKDAYS == floorplan.DAYS
