"""How bright each wall is now: its hours, its brightness by the time of day, its light sensor."""

from __future__ import annotations

import logging
from typing import NamedTuple

from firmware.panels import ws2812
from floorplan import Plan, Wall
from gateway.days import QUARTER_S, Calendar

log = logging.getLogger(__name__)

LEAST = {"ws2812": ws2812.LEAST}  # kinds of panel that get no darker than so many percent


class Light(NamedTuple):
    """How bright a wall should be."""

    percent: int  # 0: off, as planned
    least: int  # as dark as its sensor may make it; without one the same
    off_until: str  # where it is off: when it goes on again, like 2026-11-23T07:00:00+01:00; else empty


class Lights:
    """The light of every wall. All that a site file can say of it changes on the quarter of an hour."""

    def __init__(self, plan: Plan, calendar_s: float | None) -> None:
        self._walls = plan.wall
        self._hours = {
            hours: Calendar(plan.site.time_zone, hours=hours) for hours in {wall.hours for wall in plan.wall}
        }
        for wall in plan.wall:
            for words in warnings(wall):
                log.warning("wall %s: %s", wall.id, words)
        self.now: dict[str, Light] = {}
        self._quarter: float | None = -1
        self.look(calendar_s)

    def look(self, calendar_s: float | None) -> set[str]:
        """The walls whose light is another one now; call it every second or so.

        calendar_s: epoch seconds; None: this computer's clock is not believed, and every wall is on.
        """
        quarter = None if calendar_s is None else calendar_s // QUARTER_S
        if quarter == self._quarter:
            return set()
        self._quarter = quarter
        before, self.now = self.now, {wall.id: self._light(wall, calendar_s) for wall in self._walls}
        return {name for name, light in self.now.items() if light != before.get(name)}

    def _light(self, wall: Wall, calendar_s: float | None) -> Light:
        if calendar_s is None:
            return _lit(wall, max(row.percent for row in wall.brightness))
        calendar = self._hours[wall.hours]
        if calendar.is_open(calendar_s):
            return _lit(wall, brightness(wall, calendar.clock(calendar_s)))
        opens_s = calendar.opens_s(calendar_s)
        return Light(0, 0, "" if opens_s is None else calendar.iso(opens_s))


def brightness(wall: Wall, clock: str) -> int:
    """The percentage for a time of day, 02:15; before the first line that of the last one holds on."""
    begun = [row for row in wall.brightness if row.at <= clock]
    return (begun or wall.brightness)[-1].percent


def warnings(wall: Wall) -> list[str]:
    """What of a wall's light its panel cannot do, in words."""
    least = LEAST.get(wall.panel.kind, 0)
    asked = [row.percent for row in wall.brightness]
    asked += [wall.light.least] if wall.light else []
    return [
        f"a panel of kind {wall.panel.kind} gets no darker than {least} %, so {percent} % is {least} %"
        for percent in dict.fromkeys(asked)
        if percent < least
    ]


def _lit(wall: Wall, percent: int) -> Light:
    return Light(percent, min(wall.light.least, percent) if wall.light else percent, "")
