"""When walls are on and how bright, by the clocks of the site, and by a sensor at the wall."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import floorplan
from gateway.lights import Light, Lights, warnings

OSLO = ZoneInfo("Europe/Oslo")
QUARTERS = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]


def plan(zone: str = "Europe/Oslo", **wall: Any) -> floorplan.Plan:
    return floorplan.check({
        "site": {"id": "house", "time_zone": zone}, "queue": [{"id": "q", "name": "Q", "pbx": "q"}],
        "board": [{"id": "b"}],
        "wall": [{"id": "w", "board": "b", "panel": {"kind": "memory"}, "pages": [{"queue": "q"}], **wall}],
    }, "test", Path("/"))  # fmt: skip


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=OSLO).timestamp()


def light(at_s: float | None, **wall: Any) -> Light:
    return Lights(plan(**wall), at_s).now["w"]


def test_a_wall_of_which_nothing_is_said_is_always_on() -> None:
    assert light(at("2026-11-22 03:00")) == Light(100, 100, "")
    assert light(at("2026-11-22 03:00"), brightness=60) == Light(60, 60, "")


# Friday 20 November 2026 to Monday; then the two nights of 2026 in which clocks change.
@pytest.mark.parametrize(
    ("moment", "hours", "percent", "until"),
    [
        ("2026-11-20 06:59:59", ["mon-fri 07:00-22:00"], 0, "2026-11-20T07:00:00+01:00"),
        ("2026-11-20 07:00:00", ["mon-fri 07:00-22:00"], 100, ""),
        ("2026-11-20 21:59:59", ["mon-fri 07:00-22:00"], 100, ""),
        ("2026-11-20 22:00:00", ["mon-fri 07:00-22:00"], 0, "2026-11-23T07:00:00+01:00"),
        ("2026-11-20 22:00:00", ["mon-fri 07:00-22:00", "sat 10:00-16:00"], 0, "2026-11-21T10:00:00+01:00"),
        ("2026-11-20 23:30:00", ["fri 20:00-24:00", "sat 00:00-04:00"], 100, ""),
        ("2026-11-21 04:00:00", ["fri 20:00-24:00", "sat 00:00-04:00"], 0, "2026-11-27T20:00:00+01:00"),
        ("2026-10-24 23:00:00", ["sun 07:00-22:00"], 0, "2026-10-25T07:00:00+01:00"),  # winter begins
        ("2026-10-25 06:30:00", ["sun 07:00-22:00"], 0, "2026-10-25T07:00:00+01:00"),
        ("2026-03-28 23:00:00", ["sun 02:30-22:00"], 0, "2026-03-29T03:00:00+02:00"),  # 2:30 is not there
    ],
)
def test_hours_are_those_of_the_clocks_on_the_wall(
    moment: str, hours: list[str], percent: int, until: str
) -> None:
    assert light(at(moment), hours=hours) == Light(percent, percent, until)


@given(
    st.integers(int(at("2026-01-01")), int(at("2027-12-31"))),
    st.dictionaries(st.sampled_from(QUARTERS), st.integers(1, 100), min_size=1, max_size=6),
)
def test_brightness_is_that_of_the_last_line_passed(at_s: int, rows: dict[str, int]) -> None:
    """Told by walking back over the quarters of the day on the clocks there, not by comparing texts."""
    written = [{"at": time, "percent": rows[time]} for time in sorted(rows)]
    clock = dt.datetime.fromtimestamp(at_s, OSLO).replace(second=0, microsecond=0, tzinfo=None)
    clock -= dt.timedelta(minutes=clock.minute % 15)
    while f"{clock:%H:%M}" not in rows:
        clock -= dt.timedelta(minutes=15)
    percent = rows[f"{clock:%H:%M}"]
    assert light(float(at_s), brightness=written) == Light(percent, percent, "")


def test_a_sensor_makes_it_darker_and_the_time_of_day_is_the_most() -> None:
    sensor = {"pin": "GP26", "least": 15, "most": 90}
    rows = [{"at": "07:00", "percent": 80}, {"at": "20:00", "percent": 10}]
    assert light(at("2026-11-20 12:00"), light=sensor, brightness=rows) == Light(80, 15, "")
    assert light(at("2026-11-20 23:00"), light=sensor, brightness=rows) == Light(10, 10, "")
    told = floorplan.board_json(plan(light=sensor), "b", {"kind": "memory"})["panels"][0]["light"]
    assert told == {"pin": "GP26", "dark_mv": 300, "bright_mv": 2500, "least": 15, "most": 90}
    assert "light" not in floorplan.board_json(plan(), "b", {"kind": "memory"})["panels"][0]


def test_a_clock_that_nobody_believes_turns_no_wall_off() -> None:
    rows = [{"at": "07:00", "percent": 80}, {"at": "20:00", "percent": 5}]
    lights = Lights(plan(hours=["mon 07:00-08:00"], brightness=rows), None)
    assert lights.now["w"] == Light(80, 80, "")
    assert lights.look(None) == set()
    assert lights.look(at("2026-11-20 12:00")) == {"w"}
    assert lights.now["w"].percent == 0


def test_only_a_change_is_told_and_it_comes_on_its_quarter() -> None:
    lights = Lights(plan(hours=["mon-fri 07:00-22:00"]), at("2026-11-20 06:50"))
    changes = []
    for second in range(0, 86_400, 7):
        if lights.look(at("2026-11-20 06:50") + second):
            changes.append((second, lights.now["w"].percent))
    # On at 7 and off at 22, and seen within these seven seconds.
    assert [percent for _, percent in changes] == [100, 0]
    assert 0 <= changes[0][0] - 600 < 7 and 0 <= changes[1][0] - 600 - 15 * 3600 < 7


def test_a_clock_that_is_set_is_followed() -> None:
    lights = Lights(plan(hours=["mon-fri 07:00-22:00"]), at("2026-11-20 23:00"))
    assert lights.look(at("2026-11-20 12:00")) == {"w"}
    assert lights.now["w"].percent == 100


def test_a_panel_that_cannot_be_so_dark_is_told_of() -> None:
    panel = {"kind": "ws2812", "size": [32, 8], "bus": "spi0", "most_ma": 4000}
    wall = plan(panel=panel, brightness=5, light={"pin": "GP26", "least": 2}).wall[0]
    assert warnings(wall) == [
        "a panel of kind ws2812 gets no darker than 10 %, so 5 % is 10 %",
        "a panel of kind ws2812 gets no darker than 10 %, so 2 % is 10 %",
    ]
    assert not warnings(plan(brightness=5).wall[0])


@pytest.mark.parametrize(
    ("wall", "words"),
    [
        ({"hours": ["mon-fri 7-22"]}, "wall[1].hours[1]: times of the week are written as"),
        ({"hours": "mon-fri 07:00-22:00"}, 'wall[1].hours: is a list: hours = ["…"]'),
        ({"brightness": 0}, "wall[1].brightness[1].percent: is 1 or more"),
        ({"brightness": 101}, "wall[1].brightness[1].percent: is 100 or less"),
        ({"brightness": "60"}, "wall[1].brightness: is a percentage, like 60, or one by the time of day"),
        ({"brightness": []}, "wall[1].brightness: brightness has one line or more, times in order"),
        ({"brightness": [{"at": "20:00", "percent": 5}, {"at": "07:00", "percent": 80}]}, "times in order"),
        ({"brightness": [{"at": "7:00", "percent": 5}]}, "wall[1].brightness[1].at: a time of day is HH:MM"),
        (
            {"board": None, "panel": {"kind": "browser", "size": [64, 32]}, "light": {"pin": "GP26"}},
            "a panel of kind 'browser' is at no board: leave light out",
        ),
        ({"light": {"pin": "26"}}, "wall[1].light.pin: a pin is written as on the board"),
        (
            {"light": {"pin": "GP26", "least": 60, "most": 50}},
            "wall[1].light: light: least is not more than most",
        ),
        ({"light": {"pin": "GP26", "dark_mv": 1000, "bright_mv": 1050}}, "100 mV or more apart"),
        (
            {"light": {"pin": "GP26", "darkmv": 1}},
            "wall[1].light.darkmv: unknown key; did you mean 'dark_mv'?",
        ),
    ],
)
def test_what_cannot_be_is_told(wall: dict[str, Any], words: str) -> None:
    with pytest.raises(floorplan.SiteError) as error:
        plan(**wall)
    assert words in str(error.value)
