"""The site file: which desks, boards, queues and walls there are, and what each board is told.

One TOML file a site. Unknown keys are errors that say what was probably meant;
every error names the file, the place in it and what to try.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from firmware import contract
from firmware.countries import COUNTRIES


class SiteError(Exception):
    """A site file that cannot be used; the text says where and what to try."""


def _id(text: str) -> str:
    if not contract.is_id(text):
        raise ValueError("an id is 1 to 32 of a-z, 0-9 and -")
    return text


def _pin(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z_]*[0-9]{1,3}", text):
        raise ValueError("a pin is written as on the board: GP4, IO33, GPIO17")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except Exception as error:
        raise ValueError("no such time zone; try Europe/Oslo") from error
    return text


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):(00|15|30|45)", text):
        raise ValueError("a time of day is HH:MM on the quarter: 04:00")
    return text


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(rf"({'|'.join(DAYS)})(-({'|'.join(DAYS)}))? (\d\d:\d\d)-(\d\d:\d\d)")


def _hours(text: str) -> str:
    found = _HOURS.fullmatch(text)
    if not found:
        raise ValueError("opening hours are written as: mon-fri 08:00-20:00, or: sat 10:00-16:00")
    begins, ends = found[4], found[5]
    for time in (begins, ends):
        if time != "24:00":
            _time_of_day(time)
    if begins >= ends:
        raise ValueError("opening hours end later than they begin; past midnight is written as two lines")
    return text


def _host(text: str) -> str:
    if not text:
        raise ValueError("is empty; it is the name or address of a computer")
    try:
        text.encode("idna")
    except UnicodeError as error:
        raise ValueError("no host name or address can look like this") from error
    return text


def _control(text: str) -> str:
    if not re.fullmatch(r".+:\d{1,5}", text):
        raise ValueError("is HOST:PORT, like 127.0.0.1:9001")
    return text


def _usb_port(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}|usb-[!-.0-~]{1,60}", text):
        raise ValueError(
            "a USB port is written as its bus and the sockets on the way, 1-1.2, or as its HID_PHYS, "
            "usb-0000:01:00.0-1.2; `callfloor board usb` lists what is plugged in, with its port"
        )
    return text


def _mac(text: str) -> str:
    digits = re.sub(r"[:.-]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise ValueError("a MAC address is twelve hexadecimal digits, as on the phone's label")
    return digits


Host = Annotated[str, AfterValidator(_host)]
Id = Annotated[str, AfterValidator(_id)]
Pin = Annotated[str, AfterValidator(_pin)]


class Table(BaseModel):
    """One table of the site file: unknown keys refused, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(Table):
    """The house this file is about."""

    id: Id
    name: str = ""
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    languages: tuple[Literal["nb", "sv", "en"], ...] = ("en",)
    day_begins: Annotated[str, AfterValidator(_time_of_day)] = "00:00"  # where one day's figures end
    hours: tuple[Annotated[str, AfterValidator(_hours)], ...] = ()  # "mon-fri 08:00-20:00"; none: always
    clock: Literal["auto", "trusted"] = "auto"  # trusted: never wait for the clock to be set by the network
    seating: Literal["fixed", "login"] = "fixed"  # a desk has its extension, or who logs in brings it


class History(Table):
    """What is kept for good, and for how long. Counts of queues only; nothing of anybody."""

    path: Path | None = None  # left out: {site}.db beside the site file
    quarters_days: int = Field(400, ge=1, le=4000)  # 15-minute totals are kept so long
    days_days: int = Field(1830, ge=1, le=20000)  # daily ones


class Broker(Table):
    """Where MQTT is. Left out of the file: one of its own on loopback, for trying."""

    host: Host = "127.0.0.1"
    boards_host: Host | None = None  # how boards reach it, where that is another name
    port: int = Field(1883, ge=1, le=65535)
    user: str | None = None  # the gateway's name there
    secret_file: Path | None = None  # its password, one line
    keepalive_s: int = Field(contract.KEEPALIVE_S, ge=2, le=600)


class Asterisk(Table):
    """An Asterisk or FreePBX, by its manager interface (AMI)."""

    host: Host
    port: int = Field(5038, ge=1, le=65535)
    user: str
    secret_file: Path
    tls: bool = False  # its tlsbindaddr; the port is then 5039 as a rule
    ca_file: Path | None = None  # who vouches for its certificate; left out: whom this computer trusts

    @model_validator(mode="after")
    def _ca_is_for_tls(self) -> Asterisk:
        if self.ca_file and not self.tls:
            raise ValueError("ca_file is only for TLS: add tls = true, or leave ca_file out")
        return self


class Pbx(Table):
    """The phone systems that feed the queues."""

    asterisk: Asterisk | None = None


class Source(Table):
    """One that tells us of queues by itself, over HTTP or MQTT: another PBX, a chat bot, a web chat."""

    id: Id
    secret_file: Path  # its token over HTTP, its password at a broker of ours
    silent_s: int = Field(60, ge=5, le=3600)  # after so long without a word its figures are unknown


# How service level may be counted; docs/figures.md says what each means.
Formula = Literal[
    "ended-within-of-offered",
    "answered-within-of-answered",
    "answered-within-of-offered",
    "answered-within-of-offered-early-abandons-ignored",
    "answered-within-of-offered-short-abandons-met",
]


class Target(Table):
    """What a queue promises: a share of calls answered within so many seconds."""

    within_s: int = Field(20, ge=1, le=3600)
    share: float = Field(0.8, gt=0, le=1)
    formula: Formula = "answered-within-of-offered"
    short_abandon_s: int = Field(5, ge=0, le=60)  # who gives up sooner was no caller of ours

    @property
    def amber_from_s(self) -> int:
        """A wait is amber from here, half of what was promised, on walls and page alike."""
        return (self.within_s + 1) // 2

    @property
    def red_from_s(self) -> int:
        """And red from here: the promise is broken."""
        return self.within_s


class Queue(Table):
    """One queue of callers."""

    id: Id
    name: str
    kind: Literal["voice", "chat", "callback"] = "voice"
    pbx: str | None = None  # its name at the PBX
    source: Id | None = None  # or which [[source]] tells of it
    target: Target = Target()

    @model_validator(mode="after")
    def _from_somewhere(self) -> Queue:
        if (self.pbx is None) == (self.source is None):
            raise ValueError(
                f"queue '{self.id}' comes from one place: pbx = its name at the PBX, or source = a [[source]]"
            )
        return self


class LineTimes(Table):
    """What replaces the times of [phones] country, where a house has measured its own."""

    pulse_ms: int | None = Field(None, ge=20, le=150)  # the longest break of a dial pulse
    flash_ms: int | None = Field(None, ge=70, le=1900)  # the longest break that is a recall or a flash
    hangup_ms: int | None = Field(None, ge=75, le=2000)  # so long on the hook is hung up
    burst_ms: int | None = Field(None, ge=20, le=1000)  # a ring is at least so long
    ring_gap_ms: int | None = Field(None, ge=500, le=15000)  # so long a silence still belongs to the ringing


class Phones(Table):
    """What holds for all desk phones of the site."""

    country: Literal["NO", "SE", "DE", "UK", "US"] = "NO"  # whose times its analogue lines keep
    times: LineTimes = LineTimes()
    secret_file: Path | None = None  # the token in the address that IP phones call
    off_hook_h: float = Field(4, gt=0, le=72)  # a handset nobody has said anything of for so long is unknown
    ringing_s: int = Field(120, ge=5, le=3600)  # and a ringing one

    @model_validator(mode="after")
    def _times_in_order(self) -> Phones:
        times = line_times(self)
        if not times["pulse_ms"] < times["flash_ms"] < times["hangup_ms"]:
            raise ValueError(
                "times: pulse_ms is less than flash_ms, and flash_ms less than hangup_ms; with those of "
                f"{self.country} they are {times['pulse_ms']}, {times['flash_ms']} and {times['hangup_ms']}"
            )
        return self


def line_times(phones: Phones) -> dict[str, int]:
    """The times of the site's analogue lines, by the names of LineTimes: the country's, or its own."""
    return dict(COUNTRIES[phones.country]) | phones.times.model_dump(exclude_none=True)


class Truth(Table):
    """When the page says that a desk and the phone system do not fit; docs/findings.md says what each means.

    A time is how long both have to tell their stories without a change on either side. No less than two
    seconds: the phone system may tell of a change a second after the hook has.
    """

    empty_desk_rings_s: int = Field(8, ge=2, le=600)
    available_but_docked_s: int = Field(120, ge=10, le=7200)
    off_hook_no_call_s: int = Field(30, ge=5, le=3600)
    lifted_nothing_at_pbx_s: int = Field(30, ge=5, le=3600)
    call_nothing_lifted_s: int = Field(10, ge=3, le=3600)
    board_lost_under_busy_desk_s: int = Field(5, ge=2, le=600)
    hold_s: int = Field(2, ge=0, le=60)  # so long they have to fit again before it is taken back
    off: tuple[
        Literal[
            "empty-desk-rings",
            "available-but-docked",
            "off-hook-no-call",
            "lifted-nothing-at-pbx",
            "call-nothing-lifted",
            "board-lost-under-busy-desk",
        ],
        ...,
    ] = ()


class PhoneInput(Table):
    """How a board reads a desk phone."""

    by: Literal["contact", "line"]
    pin: Pin  # contact: the hook, active while the handset is lifted; line: the line's voltage, at an ADC
    ring: Pin | None = None  # an opto across the line: pulses while it rings
    active: Literal["low", "high"] = "low"
    ring_active: Literal["low", "high"] | None = None  # left out: as `active`
    divider: float | None = Field(None, ge=1, le=1000)  # line: volts on it for one at the ADC; left out: 100
    hangup_ms: int | None = Field(None, ge=75, le=2000)  # left out: what [phones] says

    @model_validator(mode="before")
    @classmethod
    def _not_by_url(cls, written: Any) -> Any:
        if isinstance(written, dict) and written.get("by") == "url":
            raise ValueError('a phone that tells by itself is at no board: write it to its desk, [[desk]] phone')
        return written

    @model_validator(mode="after")
    def _a_line_rings_by_itself(self) -> PhoneInput:
        if self.by == "line" and self.ring:
            raise ValueError("a line's voltage shows its ringing: leave `ring` out")
        if self.by == "contact" and self.divider:
            raise ValueError('a divider is for the line\'s voltage: by = "line", or leave it out')
        if self.ring_active and not self.ring:
            raise ValueError("ring_active says how the pin `ring` is wired: give `ring`, or leave it out")
        return self


class HeadsetInput(Table):
    """How a board reads a headset base, or a Raspberry Pi a headset at its USB."""

    by: Literal["contact", "usb"]
    pin: Pin | None = None  # the online indicator: active in a call
    dock: Pin | None = None  # the cradle: active while the headset lies in it
    active: Literal["low", "high"] = "low"
    dock_active: Literal["low", "high"] | None = None  # left out: as `active`
    port: Annotated[str, AfterValidator(_usb_port)] | None = None  # the socket it is plugged in at: 1-1.2

    @model_validator(mode="after")
    def _one_way(self) -> HeadsetInput:
        if self.by == "usb" and (self.port is None or self.pin or self.dock):
            raise ValueError('a headset by "usb" is found at its port, and has no pins: port = "1-1.2"')
        if self.by == "contact" and (self.port or not (self.pin or self.dock)):
            raise ValueError('a headset by "contact" has a pin, a dock or both, and no port')
        if self.dock_active and not self.dock:
            raise ValueError("dock_active says how the pin `dock` is wired: give `dock`, or leave it out")
        return self


class BoardInput(Table):
    """One place at a board where a desk is plugged in."""

    desk: Id
    phone: PhoneInput | None = None
    headset: HeadsetInput | None = None

    def pins(self) -> list[tuple[str, str]]:
        """(`phone.ring`, GP5) of every pin that is used here."""
        return [
            (f"{what}.{key}", pin)
            for what, part in (("phone", self.phone), ("headset", self.headset))
            for key in ("pin", "ring", "dock")
            if (pin := getattr(part, key, None))
        ]


class Wifi(Table):
    """The wireless network a board joins."""

    ssid: str
    secret_file: Path | None = None


class Board(Table):
    """One board: a Pico at a desk row, a wall's controller, a Raspberry Pi."""

    id: Id
    definition: Id = "simulated"
    inputs: tuple[BoardInput, ...] = ()
    secret_file: Path | None = None  # its MQTT password, its name being its id
    wifi: Wifi | None = None
    wired: Literal["w5500"] | None = None  # a network chip that the firmware has to bring up
    control: Annotated[str, AfterValidator(_control)] | None = None  # simulated: where its pins are set

    @model_validator(mode="after")
    def _pins_and_ports_once(self) -> Board:
        seen: dict[str, str] = {}
        for place in self.inputs:
            used = [(key, f"pin {pin}") for key, pin in place.pins()]
            if place.headset and place.headset.port:
                used.append(("headset.port", f"USB port {place.headset.port}"))
            for key, what in used:
                here = f"{key} of desk '{place.desk}'"
                if what in seen:
                    raise ValueError(f"{what} is used twice: {seen[what]} and {here}")
                seen[what] = here
        return self


class DeskPhone(Table):
    """An IP phone that tells by itself what it does: it calls an address of ours."""

    by: Literal["url"]
    vendor: Literal["yealink", "snom", "grandstream", "fanvil", "mitel", "poly"]
    mac: Annotated[str, AfterValidator(_mac)]  # kept as twelve digits, without colons

    @model_validator(mode="before")
    @classmethod
    def _not_by_pins(cls, written: Any) -> Any:
        if isinstance(written, dict) and written.get("by") in ("contact", "line"):
            raise ValueError(
                "a phone that a board reads is written to that board: [[board]] inputs = "
                f'[ {{ desk = "…", phone = {{ by = "{written["by"]}", pin = "…" }} }} ]'
            )
        return written


class Desk(Table):
    """One desk: a place, not a person."""

    id: Id
    name: str = ""
    extension: str | None = None  # its member interface at the PBX, as `queue show` prints it
    device: str | None = None  # seating by login: its phone's device at the PBX, like PJSIP/desk-12
    phone: DeskPhone | None = None  # where no board reads it
    at: tuple[int, int] | None = None  # column and row on the page's map


class Panel(Table):
    """The lights of a wall."""

    kind: Literal["file", "terminal", "memory"]
    size: tuple[Annotated[int, Field(ge=8, le=512)], Annotated[int, Field(ge=8, le=256)]] = (64, 32)
    path: Path | None = None  # where a panel of kind `file` writes its pictures

    @model_validator(mode="after")
    def _file_has_path(self) -> Panel:
        if self.kind == "file" and self.path is None:
            raise ValueError("a panel of kind 'file' needs a path: path = \"wall.ppm\"")
        return self


class Page(Table):
    """What a wall shows at one time: one queue, or several beside each other."""

    queue: Id | None = None
    queues: tuple[Id, ...] = ()

    def shown(self) -> tuple[str, ...]:
        """The queues on this page, in order."""
        return ((self.queue,) if self.queue else ()) + self.queues


class Wall(Table):
    """One wallboard. Walls of one board are its panels 0, 1, … in the file's order."""

    id: Id
    name: str = ""
    board: Id
    panel: Panel
    dwell_s: int = Field(8, ge=2, le=600)
    pages: tuple[Page, ...] = Field(min_length=1, max_length=16)


Share = Annotated[float, Field(ge=0, le=1)]
Mean = Annotated[float, Field(gt=0)]


def _by_hour(weights: tuple[float, ...]) -> tuple[float, ...]:
    if weights and (len(weights) != 24 or min(weights) < 0 or not 0 < sum(weights) < float("inf")):
        raise ValueError("by_hour is 24 weights, one for each hour of the day, not all of them 0")
    return weights


ByHour = Annotated[tuple[float, ...], AfterValidator(_by_hour)]


class SimulatedQueue(Table):
    """The callers of one queue; what is left out is as in [simulator]."""

    calls_per_hour: float | None = Field(None, gt=0, le=360_000)  # on average over the day
    by_hour: ByHour | None = None
    talk_s: Mean | None = None
    patience_s: Mean | None = None
    timeout_s: Mean | None = None
    keys: Share | None = None
    transfers: Share | None = None
    ring_no_answer: Share | None = None
    desks: int | None = Field(None, ge=0, le=20_000)  # that serve it from the start; none: the rest, in turn


class Surge(Table):
    """For some hours, so many times as many call. Hours since the simulator began; surges multiply."""

    queue: Id
    from_h: float = Field(ge=0)
    to_h: float = Field(gt=0)
    times: float = Field(gt=0, le=1000)

    @model_validator(mode="after")
    def _forward(self) -> Surge:
        if self.from_h >= self.to_h:
            raise ValueError("a surge ends later than it begins: from_h is less than to_h")
        return self


class Join(Table):
    """Desks that begin to serve a queue, so many hours after the simulator began."""

    queue: Id
    at_h: float = Field(ge=0)
    desks: int = Field(ge=1, le=20_000)


class Simulator(Table):
    """A floor that is not there: started by `callfloor up` where the file asks for it.

    Arrivals are Poisson, times exponential unless it says otherwise; every share is 0 to 1.
    """

    calls_per_minute: float = Field(14, gt=0, le=6000)  # in each queue, on average over the day
    by_hour: ByHour = ()  # 24 weights by the clock of the site; only how they compare counts
    talk_s: Mean = 14  # mean
    patience_s: Mean = 60  # mean; inf: nobody gives up
    timeout_s: Mean | None = None  # after so long the queue gives a caller up; always the same
    keys: Share = 0  # of those whose patience ends, who presses a key and goes elsewhere
    transfers: Share = 0  # of the answered calls, how many go on to another queue
    ring_no_answer: Share = 0.03  # of the calls that ring at a desk, how many are let ring
    react_s: float = Field(1.5, ge=0)  # mean, from the first ring to the lifted handset; at least half of it
    ring_s: Mean = 12  # after so long the phone system tries somebody else
    wrap_up_s: float = Field(1.25, ge=0)  # mean, between two calls; evenly from 0.4 to 1.6 of it
    pauses_per_hour: float = Field(8, ge=0, le=3600)  # of each desk
    pause_s: Mean = 16  # mean
    forgotten_pauses: Share = 0  # of the pauses, how many are taken without telling the phone system
    surges: tuple[Surge, ...] = ()
    joins: tuple[Join, ...] = ()
    queue: dict[Id, SimulatedQueue] = {}
    seed: int | None = None  # the same day again

    def of(self, queue: str) -> Simulator:
        """The same with what is particular to one queue."""
        own = self.queue.get(queue, SimulatedQueue()).model_dump(exclude_none=True)
        if "calls_per_hour" in own:
            own["calls_per_minute"] = own.pop("calls_per_hour") / 60
        return self.model_copy(update=own)

    def named(self) -> set[str]:
        """The id of every queue that stands here."""
        return {*self.queue, *(row.queue for row in self.surges), *(row.queue for row in self.joins)}


class Plan(Table):
    """A whole site file."""

    site: Site
    broker: Broker | None = None
    pbx: Pbx = Pbx()
    history: History = History()
    phones: Phones = Phones()
    truth: Truth = Truth()
    source: tuple[Source, ...] = ()
    queue: tuple[Queue, ...] = ()
    desk: tuple[Desk, ...] = ()
    board: tuple[Board, ...] = ()
    wall: tuple[Wall, ...] = ()
    simulator: Simulator | None = None

    @model_validator(mode="after")
    def _names_agree(self) -> Plan:
        for what in ("source", "queue", "desk", "board", "wall"):
            ids = [row.id for row in getattr(self, what)]
            for name in ids:
                if ids.count(name) > 1:
                    raise ValueError(f"two [[{what}]] have the id '{name}'")
        _once("[[queue]]", "pbx", {queue.id: queue.pbx.lower() for queue in self.queue if queue.pbx})
        sources = {source.id for source in self.source}
        for name in sorted(sources & {"asterisk", *(board.id for board in self.board)}):
            raise ValueError(f"[[source]] '{name}' has the name of something else: call it otherwise")
        for queue in self.queue:
            if queue.source:
                _known(queue.source, sources, f"[[queue]] {queue.id} comes from source", "source")
        _once("[[desk]]", "extension", {desk.id: desk.extension for desk in self.desk if desk.extension})
        desks = {desk.id for desk in self.desk}
        boards = {board.id for board in self.board}
        queues = {queue.id for queue in self.queue}
        for board in self.board:
            for place in board.inputs:
                _known(place.desk, desks, f"[[board]] {board.id} reads desk", "desk")
        places = [place.desk for board in self.board for place in board.inputs]
        for name in places:
            if places.count(name) > 1:
                raise ValueError(f"desk '{name}' is plugged in at two inputs")
        _once("[[desk]]", "device", {desk.id: device_key(desk.device) for desk in self.desk if desk.device})
        self._seats_agree()
        self._phones_agree()
        for name in self.simulator.named() if self.simulator else ():
            _known(name, queues, "[simulator] names queue", "queue")
        for wall in self.wall:
            _known(wall.board, boards, f"[[wall]] {wall.id} hangs on board", "board")
            for page in wall.pages:
                for name in page.shown():
                    _known(name, queues, f"[[wall]] {wall.id} shows queue", "queue")
        return self

    def _seats_agree(self) -> None:
        wrong, right = ("extension", "device") if self.site.seating == "login" else ("device", "extension")
        for desk in self.desk:
            if getattr(desk, wrong):
                raise ValueError(
                    f"[[desk]] {desk.id} has {wrong}, but [site] seating is \"{self.site.seating}\": "
                    f"give {right}, or change seating"
                )

    def _phones_agree(self) -> None:
        by_url = {desk.id: desk.phone.mac for desk in self.desk if desk.phone}
        _once("[[desk]]", "phone.mac", by_url)
        if by_url and not self.phones.secret_file:
            raise ValueError(
                "IP phones call an address with a token in it: "
                'give [phones] secret_file = "secrets/phones", a file with one line of 16 or more of a-z, 0-9'
            )
        flash_ms = line_times(self.phones)["flash_ms"]
        for board in self.board:
            for place in board.inputs:
                if place.phone and (place.phone.hangup_ms or flash_ms + 1) <= flash_ms:
                    raise ValueError(
                        f"desk '{place.desk}': hangup_ms is {place.phone.hangup_ms}, and a flash lasts up to "
                        f"{flash_ms} ms here ([phones]): it would hang up; give more, or leave it out"
                    )
                if place.phone and place.desk in by_url:
                    raise ValueError(
                        f"desk '{place.desk}': board {board.id} reads its phone, and [[desk]] phone "
                        "says that it tells by itself: keep one of them"
                    )

    @property
    def pbx_queues(self) -> dict[str, str]:
        """The PBX's name of each of its queues → its id here."""
        return {queue.pbx: queue.id for queue in self.queue if queue.pbx}

    def walls_of(self, board: str) -> list[Wall]:
        """The walls of a board, panel 0 first."""
        return [wall for wall in self.wall if wall.board == board]


def device_key(text: str) -> str:
    """A device as two places may write it: `PJSIP/Desk-12/n` is `pjsip/desk-12`.

    app_queue.c compares devices without a third part, and without looking at capitals.
    """
    return "/".join(text.strip().split("/")[:2]).casefold()


def _once(what: str, key: str, names: dict[str, str]) -> None:
    """No two rows may have the same `key`; names: id → its key."""
    seen: dict[str, str] = {}
    for row, name in names.items():
        if name in seen:
            raise ValueError(f"{what} {seen[name]} and {row} have the same {key} '{name}'")
        seen[name] = row


def _known(name: str, names: set[str], where: str, what: str) -> None:
    if name not in names:
        raise ValueError(f"{where} '{name}', but there is no such [[{what}]]{meant(name, names)}")


def meant(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'a1'?` where one of `names` is close, else nothing: the end of an error's text."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def read(path: Path) -> Plan:
    """The site file at `path`, its own paths made absolute. Raises SiteError."""
    return check(tables_in(path), str(path), path.resolve().parent)


def tables_in(path: Path) -> dict[str, Any]:
    """What a site file says, not checked yet: TOML, or the same as JSON. Raises SiteError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SiteError(f"{path}: cannot be read ({why}); is the path right?") from error
    try:
        tables = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise SiteError(f"{path}: not {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from error
    if not isinstance(tables, dict):
        raise SiteError(f"{path}: holds no tables; a site file starts with [site]")
    return tables


def check(tables: dict[str, Any], where: str, folder: Path) -> Plan:
    """The plan in `tables`; `where` stands in errors, relative paths start at `folder`."""
    try:
        plan = Plan.model_validate(_absolute(tables, folder))
        if plan.history.path is None:
            kept = plan.history.model_copy(update={"path": folder / f"{plan.site.id}.db"})
            plan = plan.model_copy(update={"history": kept})
        return plan
    except ValidationError as error:
        raise SiteError("\n".join(f"{where}: {line}" for line in _explain(error))) from error


def _absolute(value: Any, folder: Path, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _absolute(part, folder, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_absolute(part, folder, key) for part in value]
    if isinstance(value, str) and (key == "path" or key.endswith("_file")):
        return str(folder / value)
    return value


# What pydantic found → what is said of it, with its bounds where there are some.
WORDS = {
    "missing": "is missing",
    "string_type": 'is text in quotes: "…"',
    "path_type": 'is text in quotes: "…"',
    "bool_type": "is true or false, without quotes",
    "bool_parsing": "is true or false, without quotes",
    "int_type": "is a whole number, without quotes",
    "int_parsing": "is a whole number, without quotes",
    "int_parsing_size": "is a whole number, and a shorter one",
    "int_from_float": "is a whole number",
    "finite_number": "is a whole number",
    "float_type": "is a number, without quotes",
    "float_parsing": "is a number, without quotes",
    "greater_than": "is more than {gt:g}",
    "greater_than_equal": "is {ge:g} or more",
    "less_than_equal": "is {le:g} or less",
    "too_short": "is a list of at least {min_length}",
    "too_long": "is a list of at most {max_length}",
}


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors():
        location = tuple(part for part in problem["loc"] if part != "[key]")
        place, words = _place(location), _words(location, problem)
        lines.append(f"{place}: {words}" if place else words)
    return lines


def _words(location: tuple[int | str, ...], problem: Any) -> str:
    """What is to be written at that place; what stands there now is not repeated: it may be a secret."""
    kind: str = problem["type"]
    more: dict[str, Any] = problem.get("ctx", {})
    if kind == "value_error":
        return str(more["error"])
    if kind == "extra_forbidden":
        return f"unknown key{meant(str(location[-1]), _schema_at(location[:-1]).get('properties', {}))}"
    if kind == "literal_error":
        choices = re.findall("'([^']+)'", more["expected"])
        hint = meant(str(problem["input"]), choices) if len(choices) > 1 else ""
        return f"is {more['expected']}".replace("'", '"') + hint
    if kind == "tuple_type":
        return f"is a list: {_example(location)}"
    if kind in ("model_type", "dict_type"):
        return f"is a table: {_example(location)}"
    return WORDS.get(kind, "cannot be written like this").format(**more)


def _place(location: tuple[int | str, ...]) -> str:
    words = ""
    for part in location:
        words += f"[{part + 1}]" if isinstance(part, int) else ("." if words else "") + part
    return words


def _example(location: tuple[int | str, ...]) -> str:
    """How the list or the table at that place is written."""
    *before, last = location
    name = ".".join(part for part in location if isinstance(part, str))
    inside_a_list = any(isinstance(part, int) for part in before)
    if _schema_at(location).get("type") == "array":
        one = _schema_at((*location, 0))
        if "properties" in one:
            return f"{last} = [{{ … }}]" if inside_a_list else f"[[{name}]], once for each"
        return f'{last} = ["…"]' if one.get("type") == "string" else f"{last} = [1, 2]"
    if isinstance(last, int):
        return "{ … }" if inside_a_list else f"[[{name}]]"
    return f"{last} = {{ … }}" if inside_a_list else f"[{name}]"


@functools.cache
def _schema() -> dict[str, Any]:
    return Plan.model_json_schema()


def _schema_at(location: tuple[int | str, ...]) -> dict[str, Any]:
    """What may stand at that place, as JSON Schema; empty where nothing is said of it."""
    schema = _schema()
    here = schema
    for part in location:
        if isinstance(part, int):
            here = here.get("items") or {}
        else:
            here = here.get("properties", {}).get(part) or here.get("additionalProperties") or {}
        while choices := here.get("anyOf") or here.get("allOf"):
            here = next(choice for choice in choices if choice.get("type") != "null")
        here = schema["$defs"][here["$ref"].rsplit("/", 1)[1]] if "$ref" in here else here
    return here


def secret(path: Path | None) -> str | None:
    """The one line in a secret file; None without one. Raises SiteError."""
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SiteError(f"{path}: the secret cannot be read ({why}); write it there, mode 600") from error
    if not text or "\n" in text:
        raise SiteError(f"{path}: a secret is one line")
    return text


def board_json(plan: Plan, board_id: str, pins: dict[str, Any]) -> dict[str, Any]:
    """What one board is told, as `board.json` on it: all that `firmware/` needs. Raises SiteError.

    `pins` says where its pins are: {"kind": "machine"} on a chip, "gpiozero" on a Raspberry Pi,
    {"kind": "memory", "control": "127.0.0.1:9001"} for a board that is not there.
    """
    boards = {board.id: board for board in plan.board}
    if board_id not in boards:
        raise SiteError(f"no board '{board_id}' in the site file{meant(board_id, boards)}")
    board = boards[board_id]
    broker = plan.broker or Broker()
    host = broker.boards_host or broker.host
    if pins.get("kind") == "machine" and (host in ("localhost", "::1") or host.startswith("127.")):
        raise SiteError(
            f"[broker]: for board '{board_id}' {host} would be itself; "
            'name this computer as boards see it: boards_host = "10.0.0.2"'
        )
    told: dict[str, Any] = {
        "site": plan.site.id,
        "board": board.id,
        "definition": board.definition,
        "broker": {
            "host": host,
            "port": broker.port,
            "keepalive_s": broker.keepalive_s,
        },
        "pins": pins,
        "times": line_times(plan.phones),
        "inputs": [_input_json(place) for place in board.inputs],
        "panels": [_panel_json(wall.panel) for wall in plan.walls_of(board_id)],
    }
    if board.secret_file:
        told["broker"] |= {"user": board.id, "password": secret(board.secret_file)}
    if board.wifi:
        told["wifi"] = {"ssid": board.wifi.ssid, "password": secret(board.wifi.secret_file) or ""}
    if board.wired:
        told[board.wired] = {}
    return told


def _input_json(place: BoardInput) -> dict[str, Any]:
    return {
        name: part.model_dump(exclude_none=True, exclude=None if part.by == "contact" else {"active"})
        for name, part in (("phone", place.phone), ("headset", place.headset))
        if part is not None
    }


def _panel_json(panel: Panel) -> dict[str, Any]:
    return {"kind": panel.kind, "size": list(panel.size), "path": str(panel.path) if panel.path else None}
