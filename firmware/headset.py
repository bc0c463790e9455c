"""A headset base at its contacts: online indicator and cradle in, what is known out."""

from firmware.debounce import Debounce

LAMP_MS = 20  # contact bounce is over by then (15 ms); the shortest flash, 10 % of 3 Hz, is 33 ms
STEADY_MS = 1200  # an indicator lit for so long is a call, unless it was seen to blink more slowly than that
OFF_MS = 300  # dark for so long is no call; a bad contact's moments are shorter (BLINK_PART)
BLINK_LEAST_MS = 200  # a blink of 3 Hz comes every 333 ms; two lights closer than this are one that bounces
BLINK_MOST_MS = 3600  # and of 0.3 Hz every 3333 ms: dark for longer is idle
BLINK_PART = 12  # a twelfth of a blink is lit, and dark, 10 % being the least: less is a spike or bad contact
SEEN_MS = 10  # read every 10 ms, it may look so much shorter than it is: allowed to what blinks already
DOCK_MS = 200  # a reed switch in a cradle may make and break again and again while the headset is put in


class Headset:
    """What a base's contacts tell. Where there is no sensor the answer stays None, never False.

    `why` says why something is None though there is a sensor; `since_ms` is when the last change happened.
    """

    def __init__(self, has_indicator: bool, has_dock: bool):
        self.in_call: bool | None = None
        self.ringing: bool | None = None
        self.docked: bool | None = None
        self.why: str | None = None
        self.since_ms = 0
        self._lamp = Lamp() if has_indicator else None
        self._dock = Debounce(DOCK_MS, DOCK_MS) if has_dock else None

    def sample(self, lit: bool, docked: bool, now_ms: int) -> bool:
        """Takes one reading of indicator and cradle; True when something known changed."""
        lamp = self._lamp
        dock = self._dock
        changed = False
        if lamp and lamp.sample(lit, now_ms):
            self.in_call = lamp.steady
            self.ringing = lamp.blinks
            self.since_ms = lamp.since_ms
            changed = True
        if dock and dock.sample(docked, now_ms):
            self.docked = dock.level
            self.since_ms = dock.since_ms
            changed = True
        if changed:
            chatters = (lamp and lamp.light.chatters) or (dock and dock.chatters)
            self.why = "chatter" if chatters else None
        return changed


class Lamp:
    """An indicator by its rhythm: `steady` and `blinks` are True, False or None, not known yet.

    Dark is no call at once, but a pause between two blinks only in hindsight: whether it blinks
    is known with the second light, or when it has been dark for longer than any blink.
    """

    def __init__(self):
        self.steady = None
        self.blinks = None
        self.since_ms = 0
        self.light = Debounce(LAMP_MS, LAMP_MS, True)
        self._lit_ms = 0  # when the present light began, or the last one
        self._rose_ms = None  # likewise; in a light of many blinks, or one that bounces, where the last began
        self._fell_ms = 0  # when it went dark last
        self._began_ms = 0  # where the present blinking began
        self._longest_ms = 0  # the longest light of the present blinking

    def sample(self, lit: bool, now_ms: int) -> bool:
        """Takes one reading; True when steady or blinks changed."""
        light = self.light
        if light.sample(lit, now_ms):
            if light.chatters:
                self._rose_ms = None
                self._longest_ms = 0
                return self._say(None, None, light.since_ms)
            if light.level:
                if self._rise(light.since_ms):
                    return self._say(False, True, self._began_ms)
            else:
                self._fell_ms = light.since_ms
        if light.level:
            return self._lit(now_ms)
        if light.level is False:
            return self._dark(now_ms - self._fell_ms)
        return False

    def _rise(self, at_ms):
        """It went on: whether this and the light before are a blink."""
        before_ms = self._lit_ms
        rose_ms = self._rose_ms
        if rose_ms is None:
            self._lit_ms = self._rose_ms = at_ms
            return False
        period_ms = at_ms - rose_ms
        seen_ms = SEEN_MS if self.blinks else 0
        lit_ms = self._fell_ms - rose_ms + seen_ms
        dark_ms = at_ms - self._fell_ms + seen_ms
        bounces = period_ms < BLINK_LEAST_MS
        if bounces or dark_ms * BLINK_PART < min(period_ms, BLINK_MOST_MS):  # the same light goes on
            if bounces or period_ms > BLINK_MOST_MS:
                self._rose_ms = at_ms
            return False
        self._lit_ms = self._rose_ms = at_ms
        if period_ms > BLINK_MOST_MS or lit_ms * BLINK_PART < period_ms:
            return False  # too slow, or that was a spike
        if self.light.restless_ms is not None and self.light.restless_ms <= rose_ms:
            return False  # it did not rest in between: chatter, as we shall know
        self._began_ms = before_ms if at_ms - before_ms <= BLINK_MOST_MS else rose_ms
        self._longest_ms = max(self._longest_ms, self._fell_ms - self._began_ms)
        return True

    def _lit(self, now_ms):
        # After blinking it is steady only when it is lit for longer than it was in any blink.
        least_ms = max(STEADY_MS, self._longest_ms * 5 // 4 + 100)
        if now_ms - self._lit_ms < least_ms or now_ms - self._rose_ms < STEADY_MS // 2:
            return False
        self._longest_ms = 0
        return self._say(True, False, self._lit_ms)

    def _dark(self, dark_ms):
        if dark_ms > BLINK_MOST_MS:
            self._longest_ms = 0
            return self._say(False, False, self._fell_ms)
        if dark_ms < OFF_MS:
            return False
        return self._say(False, self.blinks, self._fell_ms)

    def _say(self, steady, blinks, since_ms):
        if steady == self.steady and blinks == self.blinks:
            return False
        self.steady = steady
        self.blinks = blinks
        self.since_ms = since_ms
        return True
