"""All IP phones of a site: whose words count, what is refused, and what is told on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware.contract import LONG
from floorplan import Plan
from gateway.phones.states import PLAIN, Phone
from gateway.web.intake import Pace

WORDS_PER_S = 10  # of one phone, on average: nobody lifts and dials faster
WORDS_AT_ONCE = 30  # and so many more for a moment
QUIET_S = 10.0  # a phone that said more than that is heard again after so long a silence
LOG_S = 60.0  # refusals are logged this often, however many there are

FLOODS = "the phone calls the gateway without end: look at its action URLs"
RUBBISH = "the phone sends what cannot be read: put its action URLs in anew"

# Why a request is refused → what the log says of so many of them.
REFUSED = {
    "token": "with a wrong token",
    "unknown": "of a phone that is at no desk of the site file",
    "rubbish": "that cannot be read",
    "long": "that are too long or too slow",
    "flood": "of a phone that calls without end",
}

log = logging.getLogger(__name__)

# desk, state, muted, why it is unknown, when
Told = Callable[[str, str, bool | None, str, float], None]


class Refusal(Exception):
    """A request that counts for nothing: the answer's status and words, which repeat nothing of it."""

    def __init__(self, kind: str, status: int, words: str, mac: str = "") -> None:
        super().__init__(words)
        self.kind, self.status, self.words, self.mac = kind, status, words, mac


@dataclass
class _Place:
    """One phone at its desk."""

    desk: str
    vendor: str
    phone: Phone
    pace: Pace
    told: tuple[str, bool | None, str] | None = None
    quiet_from_s: float = field(default=float("-inf"))


class Phones:
    """The phones of the site file, by MAC; there are never more. `told` is called when one has changed."""

    def __init__(self, plan: Plan, told: Told, clock: Callable[[], float]) -> None:
        times = plan.phones
        self._told = told
        self._places = {
            desk.phone.mac: _Place(
                desk.id,
                desk.phone.vendor,
                Phone(times.off_hook_h * 3600, times.ringing_s),
                Pace(WORDS_PER_S, WORDS_AT_ONCE, clock),
            )
            for desk in plan.desk
            if desk.phone
        }
        self.counts = dict.fromkeys(REFUSED, 0)  # refused since the start
        self._new = dict.fromkeys(REFUSED, 0)  # and since the last line of the log
        self._stranger = ""  # the last MAC that is at no desk
        self._logged_s = float("-inf")

    def __bool__(self) -> bool:
        return bool(self._places)

    def take_over(self, before: Phones) -> None:
        """Goes on where the phones of another plan stand: who is at the desk it was at is known on."""
        for mac, place in before._places.items():
            here = self._places.get(mac)
            if here and (here.desk, here.vendor) == (place.desk, place.vendor):
                place.phone.take_patience(here.phone)
                self._places[mac] = place
        self.counts, self._new, self._logged_s = before.counts, before._new, before._logged_s

    def vendor(self, mac: str) -> str:
        """The make of a phone; empty: not known."""
        return self._places[mac].vendor if mac in self._places else ""

    def hear(self, mac: str, event: str, now_s: float, call: str = PLAIN) -> None:
        """One word (of vendors.EVENTS) of the phone with that MAC, twelve digits. Raises Refusal."""
        place = self._place(mac)
        self._keep_pace(place, now_s)
        place.phone.hear(event, now_s, call)
        self._tell(place, now_s)

    def refuse(self, no: Refusal, now_s: float) -> None:
        """Counts a refusal. A phone of ours that sent what cannot be read is unknown from then on."""
        self.counts[no.kind] = min(self.counts[no.kind] + 1, LONG)
        self._new[no.kind] = min(self._new[no.kind] + 1, LONG)
        if no.kind == "unknown":  # digits alone may be somebody's number, put in the wrong place
            self._stranger = "" if no.mac.isdecimal() else no.mac
        if no.kind == "rubbish" and no.mac in self._places:
            place = self._places[no.mac]
            place.phone.doubt(RUBBISH)
            self._tell(place, now_s)
        self._log(now_s)

    def due(self, now_s: float) -> None:
        """Looks what has grown old; call it twice a second."""
        for place in self._places.values():
            place.phone.due(now_s)
            self._tell(place, now_s)
        self._log(now_s)

    def _place(self, mac: str) -> _Place:
        if mac not in self._places:
            words = (
                "no desk has a phone with this MAC address: write it into the site file, [[desk]] phone.mac"
            )
            raise Refusal("unknown", 404, words, mac)
        return self._places[mac]

    def _keep_pace(self, place: _Place, now_s: float) -> None:
        if now_s >= place.quiet_from_s and place.pace.may():
            return
        place.quiet_from_s = now_s + QUIET_S
        place.phone.doubt(FLOODS)
        self._tell(place, now_s)
        raise Refusal(
            "flood", 429, f"too many calls: this phone is heard again after {QUIET_S:.0f} s of silence"
        )

    def _tell(self, place: _Place, now_s: float) -> None:
        phone = place.phone
        now = phone.state, phone.muted, phone.why
        if now != place.told:
            place.told = now
            self._told(place.desk, *now, now_s)

    def _log(self, now_s: float) -> None:
        if now_s - self._logged_s < LOG_S or not any(self._new.values()):
            return
        what = ", ".join(f"{count} {REFUSED[kind]}" for kind, count in self._new.items() if count)
        stranger = f" (the last: {self._stranger})" if self._new["unknown"] and self._stranger else ""
        log.warning("IP phones: requests refused: %s%s", what, stranger)
        self._new = dict.fromkeys(REFUSED, 0)
        self._logged_s = now_s
