"""The places at a board where desks are plugged in: each one's phone and headset, read together."""

from firmware.clock import now_ms, sleep_ms
from firmware.headset import Headset
from firmware.phone import Phone

SAMPLE_MS = 10

PHONE = "board/+/input/+/phone"
HEADSET = "board/+/input/+/headset"
HEADSET_FROM = 16  # a reading waits in the outbox as a number: phones' below this, headsets' from here on
STATES = ("unknown", "idle", "ringing", "talking", "held")
KNOWN = (None, False, True)


class Inputs:
    """All inputs of one board. `entries` are those of board.json, `pins` any of the pin factories."""

    def __init__(self, entries: list, pins):
        self.lag_ms = 0  # the longest the loop was held up since somebody set this to 0
        self._pins = pins
        self._places = [Input(entry, pins) for entry in entries]

    async def run(self, changed) -> None:
        """Reads every pin a hundred times a second; `changed(input, what, since_ms)` is told.

        It is also the witness of a loop that is held up.
        """
        await self._pins.run()
        before_ms = now_ms()
        while True:
            await sleep_ms(SAMPLE_MS)
            at_ms = now_ms()
            self.lag_ms = max(self.lag_ms, at_ms - before_ms - SAMPLE_MS)
            before_ms = at_ms
            for number, place in enumerate(self._places):
                for what, since_ms in place.sample(at_ms):
                    changed(number, what, since_ms)

    def message(self, what: int) -> tuple:
        """(pattern, fields) in the contract of a reading that waited as a number."""
        if what < HEADSET_FROM:
            return PHONE, {"state": STATES[what]}
        what -= HEADSET_FROM
        return HEADSET, {"in_call": KNOWN[what % 3], "docked": KNOWN[what // 3]}

    def readings(self) -> list:
        """Every input's present state, as (input, what, since_ms)."""
        return [(number,) + row for number, place in enumerate(self._places) for row in place.readings()]


class Input:
    """One place: `entry` is one of `inputs` in board.json."""

    def __init__(self, entry: dict, pins):
        phone = entry.get("phone")
        headset = entry.get("headset")
        self.phone = self.headset = None
        if phone:
            self.phone = Phone(phone.get("hangup_ms", 250))
            self._hook = _contact(pins, phone, "pin")
            self._ring = _contact(pins, phone, "ring")
        if headset:
            self.headset = Headset("pin" in headset, "dock" in headset)
            self._lamp = _contact(pins, headset, "pin")
            self._dock = _contact(pins, headset, "dock")

    def sample(self, now_ms: int):
        """Reads the pins once; what is new, as (what, since_ms) each."""
        news: tuple = ()
        if self.phone and self.phone.sample(self._hook(), self._ring(), now_ms):
            news = (self.phone_reading(),)
        if self.headset and self.headset.sample(self._lamp(), self._dock(), now_ms):
            news += (self.headset_reading(),)
        return news

    def readings(self):
        """What it says now, whether changed or not."""
        found = []
        if self.phone:
            found.append(self.phone_reading())
        if self.headset:
            found.append(self.headset_reading())
        return found

    def phone_reading(self):
        return STATES.index(self.phone.state), self.phone.since_ms

    def headset_reading(self):
        headset = self.headset
        known = KNOWN.index(headset.in_call) + 3 * KNOWN.index(headset.docked)
        return HEADSET_FROM + known, headset.since_ms


def never():
    """The pin of a sensor that is not there."""
    return False


def _contact(pins, settings, key):
    if key not in settings:
        return never
    return pins.contact(settings[key], settings.get("active", "low") == "low")
