"""A headset base at its contacts: online indicator and cradle in, what is known out."""

from firmware.debounce import Debounce

STEADY_MS = 1200  # an indicator that blinks (ringing) is never on for so long: steady means a call
CONTACT_MS = 50  # a lamp or a cradle switch has settled by then


class Headset:
    """What a base's contacts tell. Where there is no sensor the answer stays None, never False."""

    def __init__(self, has_indicator: bool, has_dock: bool):
        self.in_call: bool | None = None
        self.docked: bool | None = None
        self.since_ms = 0
        self._indicator = Debounce(STEADY_MS, CONTACT_MS) if has_indicator else None
        self._dock = Debounce(CONTACT_MS, CONTACT_MS) if has_dock else None

    def sample(self, lit: bool, docked: bool, now_ms: int) -> bool:
        """Takes one reading of indicator and cradle; True when something known changed."""
        changed = False
        if self._indicator and self._indicator.sample(lit, now_ms):
            self.in_call = self._indicator.level
            self.since_ms = self._indicator.since_ms
            changed = True
        if self._dock and self._dock.sample(docked, now_ms):
            self.docked = self._dock.level
            self.since_ms = self._dock.since_ms
            changed = True
        return changed
