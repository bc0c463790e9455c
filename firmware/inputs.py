"""The places at a board where desks are plugged in: each one's phone and headset, read together."""

from firmware import contract
from firmware.clock import forget, now_ms, now_us, since_us, sleep_ms
from firmware.mqtt import tell_error

SAMPLE_MS = 10
SHIFTS_MS = 8
LEAST_MS = 2  # for everybody else, however long a reading takes
AGAIN_MS = 1000  # what failed is tried again so often
BELIEVE_MS = 2000  # and believed when it has worked for so long: its logic has forgotten what was before

PHONE = "board/+/input/+/phone"
HEADSET = "board/+/input/+/headset"
STATES = ("unknown", "idle", "ringing", "talking", "held")
SENSES = ("link", "in_call", "ringing", "muted", "docked", "worn")
KNOWN = (None, False, True)
WHY = (None, "unplugged", "chatter", "flood", "rubbish", "forbidden", "broken")
HEADSET_FROM = len(STATES) * len(WHY)  # a reading is a number: phones' below this, headsets' from here on

if contract.SMALL:
    from firmware.contract_inputs import INPUTS

    contract.add(INPUTS)
    del INPUTS
    forget("contract_inputs")


class Inputs:
    """All inputs of one board. `entries` are those of board.json, `pins` any of the pin factories.

    `times` are those of the site's telephone lines. A device that raises is unknown, for it is broken;
    the others go on.
    """

    def __init__(self, entries: list, pins, times: dict):
        self.recorder = None  # sees every reading of the pins, while there is one
        self._pins = pins
        self._broken: dict = {}  # device → [broken since, tried at, works since or None]
        self._rows = []  # of each device what `opened` gives, its input's number, "phone" or "headset"
        from firmware.devices import of_phones, opened

        times = of_phones(times)
        for number, entry in enumerate(entries):
            for what in ("phone", "headset"):
                if entry.get(what):
                    self._rows.append(opened(what, entry[what], pins, times) + (number, what))
        forget("devices")
        self._lag_ms = self._polls = self._read_us = self._counted_ms = 0

    def health(self) -> dict:
        """How the loop has been since this was asked last: fields of `board/+/health`."""
        at_ms = now_ms()
        polls = max(1, self._polls)
        told = {
            "lag_ms": self._lag_ms,
            "poll_us": (at_ms - self._counted_ms) * 1000 // polls,
            "read_us": self._read_us // polls,
        }
        self._lag_ms = self._polls = self._read_us = 0
        self._counted_ms = at_ms
        return told

    async def run(self, changed) -> None:
        """Reads every pin a hundred times a second; `changed(input, what, since_ms)` is told.

        Devices are told the beginning of each hundredth, so that a recording plays back as it was. Where in
        it the pins are read differs from one to the next: a ring of 50 Hz would keep step with even readings,
        and show nothing but its zeros. This loop is also the witness of one that is held up.
        """
        await self._pins.run()
        step_ms = now_ms()
        shift_ms = 0
        while True:
            step_ms += SAMPLE_MS
            shift_ms = (shift_ms + 3) % SHIFTS_MS
            await sleep_ms(max(LEAST_MS, step_ms + shift_ms - now_ms()))
            late_ms = max(0, now_ms() - step_ms - shift_ms)
            self._lag_ms = max(self._lag_ms, late_ms)
            step_ms += late_ms // SAMPLE_MS * SAMPLE_MS  # what was missed stays missed
            began_us = now_us()
            if self.recorder:
                self.recorder.poll(step_ms)
            for row in self._rows:
                if self._sample(row, step_ms):
                    what, since_ms = self._reading(row)
                    changed(row[4], what, since_ms)
                    if self.recorder:
                        self.recorder.hear(row[4], self.message(what), step_ms, since_ms)
            self._polls += 1
            self._read_us += since_us(began_us)

    def _sample(self, row, at_ms):
        """Reads one device; True when there is something to tell of it."""
        device = row[0]
        broken = self._broken.get(device)
        if broken and broken[2] is None and at_ms - broken[1] < AGAIN_MS:
            return False
        try:
            news = sample(row, at_ms)
        except Exception as error:
            if broken:
                broken[1:] = at_ms, None
                return False
            print("input", row[4], row[5], "cannot be read:")
            tell_error(error)
            self._broken[device] = [at_ms, at_ms, None]
            return True
        if not broken:
            return news
        if broken[2] is None:
            broken[2] = at_ms
        if at_ms - broken[2] < BELIEVE_MS:
            return False
        del self._broken[device]
        device.since_ms = max(device.since_ms, broken[2])
        return True

    @staticmethod
    def message(what: int) -> tuple:
        """(pattern, fields) in the contract of a reading as a number."""
        if what < HEADSET_FROM:
            return PHONE, {"state": STATES[what // len(WHY)], "why": WHY[what % len(WHY)]}
        what -= HEADSET_FROM
        fields = {"why": WHY[what % len(WHY)]}
        what //= len(WHY)
        for name in reversed(SENSES):
            fields[name] = KNOWN[what % 3]  # type: ignore[assignment]
            what //= 3
        return HEADSET, fields

    def readings(self) -> list:
        """Every input's present state, as (input, what, since_ms)."""
        return [(row[4],) + self._reading(row) for row in self._rows]

    def _reading(self, row):
        """(what, since_ms) of one device."""
        device = row[0]
        broken = self._broken.get(device)
        why = WHY.index("broken" if broken else device.why)
        what = 0  # nothing known
        if row[5] == "phone":
            if not broken:
                what = STATES.index(device.state)
            what = what * len(WHY) + why
        else:
            if not broken:
                for name in SENSES:
                    what = 3 * what + KNOWN.index(getattr(device, name, None))
            what = what * len(WHY) + why + HEADSET_FROM
        return what, broken[0] if broken else device.since_ms


def sample(row: tuple, now_ms: int) -> bool:
    """Reads a device that was opened; True when what it says has changed."""
    by = row[1]
    if by == "contact":
        return row[0].sample(row[2](), row[3](), now_ms)
    if by == "line":
        hook, ring = row[3].sample(row[2](), now_ms)
        return row[0].sample(hook, ring, now_ms)
    return row[0].sample(now_ms)


def never():
    """The pin of a sensor that is not there."""
    return False
