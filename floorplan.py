"""The site file: which desks, boards, queues and walls there are, and what each board is told.

One TOML file a site. Unknown keys are errors that say what was probably meant;
every error names the file, the place in it and what to try.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import ipaddress
import json
import operator
import os
import re
import ssl
import stat
import tomllib
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

import floorplan_desks
import this_computer
from firmware import contract
from firmware.countries import COUNTRIES
from site_error import SiteError as SiteError  # noqa: PLC0414 — everybody takes them from here
from site_error import meant as meant  # noqa: PLC0414


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
        raise ValueError("times of the week are written as: mon-fri 08:00-20:00, or: sat 10:00-16:00")
    begins, ends = found[4], found[5]
    for time in (begins, ends):
        if time != "24:00":
            _time_of_day(time)
    if begins >= ends:
        raise ValueError("times of the week end later than they begin; past midnight is written as two lines")
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


def _chain(text: str) -> str:
    if not re.fullmatch(r"(top|bottom)-(left|right) (rows|columns)( snake)?", text):
        raise ValueError(
            "how they follow each other is written as corner, rows or columns, and snake where every second one "
            'runs back: "top-left rows", "bottom-right columns snake"; `callfloor wall test` finds it out'
        )
    return text


def _bus(text: str) -> str:
    if not re.fullmatch(r"spi[0-9](\.[0-9])?|file:.+", text):
        raise ValueError("a bus is written as spi0, on a Raspberry Pi as spi0.0, for trying as file:PATH")
    return text


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise ValueError("a language is written as two or three small letters: nb, sv, en, pl, ro, lt, ru, ar")
    return text


def _code(text: str) -> str:
    if not 1 <= len(text) <= 3 or not text.isalnum():
        raise ValueError('a code is one to three letters or figures, for walls with no room for a name: "PL"')
    return text


def _usb_port(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}|usb-[!-.0-~]{1,60}", text):
        raise ValueError(
            "a USB port is written as its bus and the sockets on the way, 1-1.2, or as its HID_PHYS, "
            "usb-0000:01:00.0-1.2; `callfloor board usb` lists what is plugged in, with its port"
        )
    return text


def _address(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError("is the address of a reverse proxy, or a network of them: 10.0.0.3, 10.0.0.0/28") from error
    if not network.prefixlen:
        raise ValueError("would be everybody: name your reverse proxy's own address")
    return str(network)


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", text):
        raise ValueError('is what people open: "https://floor.example"')
    return text.rstrip("/")


def _drawing(path: Path) -> Path:
    if path.suffix.lower() != ".svg":
        raise ValueError('is a drawing saved as Plain SVG: floor_plan = "plan.svg"')
    return path


def _mac(text: str) -> str:
    digits = re.sub(r"[:.-]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise ValueError("a MAC address is twelve hexadecimal digits, as on the phone's label")
    return digits


Host = Annotated[str, AfterValidator(_host)]
Id = Annotated[str, AfterValidator(_id)]
Language = Annotated[str, AfterValidator(_language)]
Count = Annotated[int, Field(ge=1, le=9999)]
Percent = Annotated[int, Field(ge=1, le=100)]
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
    floor_plan: Annotated[Path, AfterValidator(_drawing)] | None = None  # the house's own drawing; docs/floor-map.md


class History(Table):
    """What is kept for good, and for how long. Counts of queues only; nothing of anybody."""

    path: Path | None = None  # left out: {site}.db beside the site file
    quarters_days: int = Field(400, ge=1, le=4000)  # 15-minute totals are kept so long
    days_days: int = Field(1830, ge=1, le=20000)  # daily ones


class Broker(Table):
    """Where MQTT is; docs/broker.md. Left out of the file: one of its own on loopback, for trying."""

    host: Host = "127.0.0.1"
    boards_host: Host | None = None  # how boards reach it, where that is another name
    port: int = Field(1883, ge=1, le=65535)
    user: str | None = None  # the gateway's name there
    secret_file: Path | None = None  # its password, one line
    boards_folder: Path | None = None  # the boards' passwords, a file each, its name the board's id
    tls: bool = False  # the broker's certificate is for `host`, and for `boards_host` where there is one
    ca_file: Path | None = None  # who vouches for it: ca.pem of `callfloor broker setup`, or the site's own
    cert_file: Path | None = None  # the site's own certificate, for `broker setup`; left out: one of our small CA
    key_file: Path | None = None  # and its key
    folder: Path | None = None  # what `callfloor broker setup` writes; left out: broker, beside the site file
    keepalive_s: int = Field(contract.KEEPALIVE_S, ge=2, le=600)

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Broker:
        if self.tls and not self.ca_file:
            raise ValueError(
                'tls needs ca_file: who vouches for the broker\'s certificate; ca_file = "broker/ca.pem" is what '
                "`callfloor broker setup` makes"
            )
        for key in ("ca_file", "cert_file", "key_file"):
            if getattr(self, key) and not self.tls:
                raise ValueError(f"{key} is only for TLS: add tls = true, or leave {key} out")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both, or none for one of our small CA")
        if self.boards_folder and not self.secret_file:
            raise ValueError(
                "where boards have passwords the gateway has one, too: "
                'user = "gateway_" and secret_file = "secrets/mqtt"'
            )
        return self


class WebPage(Table):
    """How the supervisors' page is served. docs/people.md says what each is for."""

    cert_file: Path | None = None  # with it the page is https
    key_file: Path | None = None
    proxies: tuple[Annotated[str, AfterValidator(_address)], ...] = ()  # whose X-Forwarded-… headers are believed
    url: Annotated[str, AfterValidator(_url)] | None = None  # what people open, where that is not what we serve
    plain: bool = False  # passwords may cross the network unencrypted: only where nobody else is on it

    @model_validator(mode="after")
    def _certificate_is_whole(self) -> WebPage:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both, or none")
        return self


class People(Table):
    """Who may open the page, and what is kept of what they change. docs/people.md."""

    path: Path | None = None  # accounts, tokens and the audit list; left out: {site}-people.db beside the site file
    session_h: int = Field(12, ge=1, le=24 * 31)  # who has not been seen for so long logs in anew
    audit_days: int = Field(90, ge=1, le=1100)  # what was changed is kept so long


class Asterisk(Table):
    """An Asterisk or FreePBX, by its manager interface (AMI)."""

    host: Host
    port: int = Field(5038, ge=1, le=65535)
    user: str
    secret_file: Path
    tls: bool = False  # its tlsbindaddr; the port is then 5039 as a rule
    ca_file: Path | None = None  # who vouches for its certificate; left out: whom this computer trusts
    plain_login: bool = False  # without a challenge the secret may cross the network as it is

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


class Levels(Table):
    """When the numbers of a queue are amber and red on the walls. Its longest wait goes by its target."""

    waiting: tuple[Count, Count] | None = None  # amber and red with so many callers waiting, or more
    free_below: tuple[Count, Count] | None = None  # amber and red with fewer free desks than these
    for_s: int = Field(5, ge=0, le=600)  # it must be so for so long before the colour comes
    hold_s: int = Field(10, ge=0, le=600)  # and over for so long before it goes
    back: int = Field(1, ge=0, le=1000)  # over: by more than this many beyond the threshold

    @model_validator(mode="after")
    def _amber_before_red(self) -> Levels:
        if self.waiting and self.waiting[0] > self.waiting[1]:
            raise ValueError("waiting is amber, then red: the first number is not the larger one")
        if self.free_below and self.free_below[0] < self.free_below[1]:
            raise ValueError("free_below is amber, then red: the first number is not the smaller one")
        if self.waiting and self.back > 1 and self.back >= self.waiting[0]:
            raise ValueError(
                f"back = {self.back}: amber would end at {self.back} callers less than {self.waiting[0]}, and fewer "
                "than none never wait: give back less than the first number of waiting"
            )
        return self


class Queue(Table):
    """One queue of callers."""

    id: Id
    name: str
    kind: Literal["voice", "chat", "callback"] = "voice"
    pbx: str | None = None  # its name at the PBX
    source: Id | None = None  # or which [[source]] tells of it
    target: Target = Target()
    levels: Levels = Levels()
    names: dict[Language, Annotated[str, Field(min_length=1, max_length=80)]] = {}  # its name, by language
    code: Annotated[str, AfterValidator(_code)] | None = None  # its name on tiny walls

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


class Alarms(Table):
    """After how long something that is wrong is an alarm; docs/alarms.md says what each means.

    A time is how long it must be so without a break. What does not fit at a desk has its times in [truth], and a wall
    its ten seconds for each change.
    """

    long_wait_s: int = Field(60, ge=0, le=3600)  # that the longest wait is over the queue's promise
    service_level_s: int = Field(120, ge=0, le=7200)
    least_calls: int = Field(20, ge=1, le=100_000)  # ended today, before a service level says anything
    queue_unknown_s: int = Field(60, ge=0, le=3600)
    board_lost_s: int = Field(10, ge=0, le=3600)
    source_away_s: int = Field(15, ge=0, le=3600)
    broker_away_s: int = Field(10, ge=0, le=3600)
    clock_unset_s: int = Field(120, ge=0, le=7200)
    history_failed_s: int = Field(10, ge=0, le=3600)
    hold_s: int | None = Field(None, ge=0, le=600)  # over for so long before one goes; left out: each kind has its own
    off: tuple[
        Literal[
            "long-wait",
            "service-level",
            "queue-unknown",
            "board-lost",
            "wall-wrong",
            "source-away",
            "broker-away",
            "clock-unset",
            "history-failed",
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
    wired: Literal["w5500", "lan8720"] | None = None  # a network chip that the firmware has to bring up
    debug: bool = False  # a prompt at its USB and its last words in its flash: docs/decisions/board-libraries.md
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


ROOMS_MOST = 200
Side = Annotated[int, Field(ge=1, le=500)]


class Room(Table):
    """A part of the floor with a name: drawn behind the desks of the page's map."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    at: tuple[int, int]  # its first column and row, as those of desks
    size: tuple[Side, Side]  # how many columns and rows


# How modules, or the lights in one, hang at their wire: where it begins, along what, and back every second time.
Chain = Annotated[str, AfterValidator(_chain)]
Size = tuple[Annotated[int, Field(ge=8, le=512)], Annotated[int, Field(ge=8, le=256)]]
COLUMNS_MOST, ROWS_MOST = 64, 32  # of modules
Modules = tuple[Annotated[int, Field(ge=1, le=COLUMNS_MOST)], Annotated[int, Field(ge=1, le=ROWS_MOST)]]

WIRED = ("max7219", "ws2812")  # panels at a bus of their board
MODULES_MOST = 128  # of 8 x 8 lights in one chain: 128 x 64
LIGHTS_MOST = 2048  # at one data wire: a picture takes 30 us a light, 61 ms
LIGHT_LEAST_MA = 2  # what a light of any colour takes at its faintest


class Panel(Table):
    """The lights of a wall. docs/panels.md says how those at a bus are wired."""

    kind: Literal["file", "terminal", "memory", "max7219", "ws2812", "browser"]
    size: Size = (64, 32)  # columns and rows of lights; of max7219 it follows from the modules
    path: Path | None = None  # where a panel of kind `file` writes its pictures
    bus: Annotated[str, AfterValidator(_bus)] | None = None  # spi0 of a small board, spi0.0 of a Raspberry Pi
    sck: Pin | None = None  # left out: the bus's usual pin, as the board's page says
    mosi: Pin | None = None
    cs: Pin | None = None  # max7219 on a small board: what tells the chain that data are for it
    modules: Modules | None = None  # columns and rows of modules
    chain: Chain = "top-left rows"  # how they follow each other
    turn: Literal[0, 90, 180, 270] = 0  # max7219: so far each module is turned, clockwise
    mirrored: bool = False
    lights: Chain = "top-left rows"  # ws2812: how the lights in a module follow each other
    colours: Literal["rgb", "rbg", "grb", "gbr", "brg", "bgr"] = "grb"  # ws2812: in which order a light hears them
    most_ma: int | None = Field(None, ge=100, le=60_000)  # ws2812: what supply, wires and fuse can bear
    channel_ma: int = Field(20, ge=1, le=60)  # ws2812: what one colour of one light takes when full on

    @model_validator(mode="before")
    @classmethod
    def _size_of_modules(cls, written: Any) -> Any:
        if not isinstance(written, dict) or written.get("kind") != "max7219":
            return written
        modules = written.get("modules")
        if not isinstance(modules, list | tuple) or [type(number) for number in modules] != [int, int]:
            return written
        if not (1 <= modules[0] <= COLUMNS_MOST and 1 <= modules[1] <= ROWS_MOST):
            return written
        size = [8 * number for number in modules]
        if "size" in written and written["size"] not in (size, tuple(size)):
            raise ValueError(
                f"size: {modules[0]} x {modules[1]} modules are {size[0]} x {size[1]} lights; leave size out"
            )
        return written | {"size": size}

    @model_validator(mode="after")
    def _what_its_kind_has(self) -> Panel:
        if self.kind == "file" and self.path is None:
            raise ValueError("a panel of kind 'file' needs a path: path = \"wall.ppm\"")
        for key, field in type(self).model_fields.items():
            kinds = OF_KINDS.get(key)
            if kinds and self.kind not in kinds and getattr(self, key) != field.default:
                raise ValueError(f"{key} is for a panel of kind {' or '.join(kinds)}, not '{self.kind}'")
        if self.kind in WIRED and self.bus is None:
            raise ValueError(
                f"a panel of kind '{self.kind}' hangs at a bus of its board: bus = \"spi0\", on a Raspberry Pi "
                'bus = "spi0.0"; to try it without one, bus = "file:wall.spi"'
            )
        if self.kind == "max7219":
            self._chain_is_right()
        if self.kind == "ws2812":
            self._matrix_is_right()
        return self

    def _chain_is_right(self) -> None:
        if self.modules is None:
            raise ValueError("a panel of kind 'max7219' is made of modules of 8 x 8 lights: modules = [4, 1]")
        if self.modules[0] * self.modules[1] > MODULES_MOST:
            raise ValueError(f"one chain has up to {MODULES_MOST} modules; give the others to a second wall")

    def _matrix_is_right(self) -> None:
        if "size" not in self.model_fields_set:
            raise ValueError("a panel of kind 'ws2812' says how many lights it has: size = [32, 8]")
        lights = self.size[0] * self.size[1]
        columns, rows = self.modules or (1, 1)
        if lights > LIGHTS_MOST:
            raise ValueError(f"one wire has up to {LIGHTS_MOST} lights, not {lights}; give the others to a second wall")
        if self.size[0] % columns or self.size[1] % rows:
            raise ValueError(
                f"{self.size[0]} x {self.size[1]} lights are not {columns} x {rows} modules of equal size: "
                "size is that of all modules together"
            )
        if self.most_ma is None:
            raise ValueError(
                "most_ma is missing: what its supply, wires and fuse can bear, in mA, like most_ma = 4000; all "
                f"white, {lights} lights would take {lights * 3 * self.channel_ma} mA"
            )
        if self.most_ma < LIGHT_LEAST_MA * lights:
            raise ValueError(
                f"most_ma: {lights} lights take {LIGHT_LEAST_MA * lights} mA at their faintest; give that or more"
            )


# Which kinds of panel a key is for, where that is not all of them.
OF_KINDS = {
    **dict.fromkeys(("bus", "sck", "mosi", "modules", "chain"), WIRED),
    **dict.fromkeys(("cs", "turn", "mirrored"), ("max7219",)),
    **dict.fromkeys(("lights", "colours", "most_ma", "channel_ma"), ("ws2812",)),
}


class Page(Table):
    """What a wall shows at one time: one queue, or several beside each other."""

    queue: Id | None = None
    queues: tuple[Id, ...] = ()
    free_desks: bool = True  # false: more room for the rest

    @model_validator(mode="after")
    def _each_once(self) -> Page:
        if not self.shown():
            raise ValueError('a page names no queue: write queue = "…" or queues = ["…", "…"]')
        for name in self.shown():
            if self.shown().count(name) > 1:
                raise ValueError(f"a page shows queue '{name}' twice: name it once")
        return self

    def shown(self) -> tuple[str, ...]:
        """The queues on this page, in order."""
        return ((self.queue,) if self.queue else ()) + self.queues


class BrightFrom(Table):
    """How bright a wall is from a time of day on, until the next such line."""

    at: Annotated[str, AfterValidator(_time_of_day)]
    percent: Percent


def _by_time(rows: tuple[BrightFrom, ...]) -> tuple[BrightFrom, ...]:
    times = [row.at for row in rows]
    if not times or sorted(set(times)) != times:
        raise ValueError('brightness has one line or more, times in order: [ { at = "07:00", percent = 80 } ]')
    return rows


def _at_all_times(written: Any) -> Any:
    """A single number is how bright it is from midnight on."""
    if type(written) in (int, float):
        return [{"at": "00:00", "percent": written}]
    if not isinstance(written, list | tuple):
        raise ValueError('is a percentage, like 60, or one by the time of day: [ { at = "07:00", percent = 80 } ]')
    return written


Brightness = Annotated[tuple[BrightFrom, ...], BeforeValidator(_at_all_times), AfterValidator(_by_time)]


class LightSensor(Table):
    """What measures the light at a wall: a voltage at a pin of its board."""

    pin: Pin
    dark_mv: int = Field(300, ge=0, le=3600)  # what it gives in the dark
    bright_mv: int = Field(2500, ge=0, le=3600)  # and in bright light: less than dark_mv where it is wired so
    least: Percent = 10  # how bright the wall is in the dark
    most: Percent = 100  # and in bright light

    @model_validator(mode="after")
    def _differ(self) -> LightSensor:
        if abs(self.bright_mv - self.dark_mv) < 100:
            raise ValueError("light: dark_mv and bright_mv are 100 mV or more apart, or nothing can be told")
        if self.least > self.most:
            raise ValueError("light: least is not more than most")
        return self


class Wall(Table):
    """One wallboard. Walls of one board are its panels 0, 1, … in the file's order."""

    id: Id
    name: str = ""
    board: Id | None = None  # none: a wall that is only browsers, at /wall/ and its id
    panel: Panel
    dwell_s: int = Field(8, ge=2, le=600)
    hours: tuple[Annotated[str, AfterValidator(_hours)], ...] = ()  # "mon-fri 07:00-22:00"; none: always on
    brightness: Brightness = (BrightFrom(at="00:00", percent=100),)  # or one number
    light: LightSensor | None = None  # dims it below its brightness
    pitch_mm: float | None = Field(None, ge=1, le=50)  # from light to light; with it, what can be read is told
    seen_from_m: float | None = Field(None, ge=0.5, le=200)  # how far away they stand who read it
    languages: tuple[Language, ...] = Field((), max_length=8)  # in which names are shown, a page each; none: `name`
    messages: Literal["page", "band"] = "page"  # where messages stand: a page of their own, or rows below the figures
    blink: bool = True  # a wait that turns red blinks for 10 s, once a second
    pages: tuple[Page, ...] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _hangs_somewhere(self) -> Wall:
        if self.panel.kind == "browser":
            for key in ("board", "light"):
                if getattr(self, key):
                    raise ValueError(f"a panel of kind 'browser' is at no board: leave {key} out")
        elif self.board is None:
            raise ValueError(
                f"a panel of kind '{self.panel.kind}' hangs on a board: board = \"…\", the id of a [[board]]; "
                "for a screen with a browser, kind = \"browser\""
            )
        return self


MESSAGE_TEXT_MOST = 200  # letters of a message, as it is written
MESSAGES_MOST = 100


def message_text(text: str) -> str:
    """A message's text in one line, blanks between words single. Raises ValueError, in words."""
    line = " ".join(text.split())
    if not line:
        raise ValueError("a message is not empty")
    if len(line) > MESSAGE_TEXT_MOST:
        raise ValueError(f"a message has at most {MESSAGE_TEXT_MOST} letters; this has {len(line)}")
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co") for letter in line):
        raise ValueError("a message holds a sign that is none: write it anew, in letters")
    return line


class Condition(NamedTuple):
    """What a message of kind "condition" goes by."""

    queue: str
    figure: str  # one of CONDITION_FIGURES
    sign: str  # one of SIGNS
    number: int


CONDITION_FIGURES = ("waiting", "wait", "free")  # callers, the longest wait's seconds, free desks
SIGNS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip
_CONDITION = re.compile(rf"([a-z0-9-]+)\.({'|'.join(CONDITION_FIGURES)}) *({'|'.join(SIGNS)}) *([0-9]{{1,6}})")

# Which keys a message of each kind has, beside its text and its walls; the first one is needed.
OF_MESSAGES: dict[str, tuple[str, ...]] = {
    "business-hour": ("when",),
    "scheduled": ("at", "from_day", "to_day"),
    "condition": ("when", "for_s", "hold_s"),
    "default": (),
}


class WallMessage(Table):
    """A text that walls show by themselves. docs/messages.md says which one, where several could be shown."""

    kind: Literal["business-hour", "scheduled", "condition", "default"]
    text: Annotated[str, AfterValidator(message_text)] | None = None  # for walls whose languages are not in texts
    texts: dict[Language, Annotated[str, AfterValidator(message_text)]] = {}  # a wall's languages choose of them
    walls: tuple[Id, ...] = ()  # left out: all
    when: str | None = None  # business-hour: "open" or "closed"; condition: "polski.waiting >= 10"
    at: tuple[Annotated[str, AfterValidator(_hours)], ...] = ()  # scheduled: "mon-fri 08:00-09:00"
    from_day: date | None = None  # scheduled: from this day, 2026-12-24
    to_day: date | None = None  # to the end of this one
    for_s: int | None = Field(None, ge=0, le=3600)  # condition: it must hold for so long; left out: 5
    hold_s: int | None = Field(None, ge=0, le=3600)  # and not hold for so long before it goes; left out: 30

    @model_validator(mode="after")
    def _what_its_kind_has(self) -> WallMessage:
        if self.text is None and not self.texts:
            raise ValueError('a message has text = "…", or texts = { nb = "…", ar = "…" }')
        for key in ("when", "at", "from_day", "to_day", "for_s", "hold_s"):
            if getattr(self, key) not in (None, ()) and key not in OF_MESSAGES[self.kind]:
                kinds = [kind for kind, keys in OF_MESSAGES.items() if key in keys]
                raise ValueError(f'{key} is for a message of kind "{kinds[0]}", not "{self.kind}"')
        if self.kind == "business-hour" and self.when not in ("open", "closed"):
            raise ValueError('a message of kind "business-hour" has when = "open" or when = "closed"')
        if self.kind == "condition" and self.condition is None:
            raise ValueError(
                'a message of kind "condition" has when = "polski.waiting >= 10": a queue\'s waiting, wait (in '
                f"seconds) or free (desks), one of {' '.join(SIGNS)}, and a whole number"
            )
        if self.kind == "scheduled" and not (self.at or self.from_day or self.to_day):
            raise ValueError(
                'a message of kind "scheduled" has at = ["mon-fri 08:00-09:00"], or from_day = 2026-12-24 and to_day'
            )
        if self.from_day and self.to_day and self.from_day > self.to_day:
            raise ValueError("to_day is before from_day")
        return self

    @property
    def condition(self) -> Condition | None:
        """What it goes by; None without one."""
        found = _CONDITION.fullmatch(self.when or "") if self.kind == "condition" else None
        return Condition(found[1], found[2], found[3], int(found[4])) if found else None


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
    page: WebPage = WebPage()
    people: People = People()
    phones: Phones = Phones()
    truth: Truth = Truth()
    alarms: Alarms = Alarms()
    source: tuple[Source, ...] = ()
    queue: tuple[Queue, ...] = ()
    desk: tuple[Desk, ...] = ()
    room: tuple[Room, ...] = Field((), max_length=ROOMS_MOST)
    board: tuple[Board, ...] = ()
    wall: tuple[Wall, ...] = ()
    message: tuple[WallMessage, ...] = Field((), max_length=MESSAGES_MOST)
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
        if self.broker and self.broker.user in {*sources, *(board.id for board in self.board)}:
            raise ValueError(
                f"[broker] user '{self.broker.user}' is the gateway, and a board or source of that name would be it, "
                'too: call it otherwise, user = "gateway_"'
            )
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
        self._messages_agree()
        for name in self.simulator.named() if self.simulator else ():
            _known(name, queues, "[simulator] names queue", "queue")
        for wall in self.wall:
            if wall.board:
                _known(wall.board, boards, f"[[wall]] {wall.id} hangs on board", "board")
            for page in wall.pages:
                for name in page.shown():
                    _known(name, queues, f"[[wall]] {wall.id} shows queue", "queue")
        return self

    def _messages_agree(self) -> None:
        walls = {wall.id for wall in self.wall}
        queues = {queue.id for queue in self.queue}
        for number, message in enumerate(self.message, 1):
            for name in message.walls:
                _known(name, walls, f"[[message]] {number} is for wall", "wall")
            if message.condition:
                _known(message.condition.queue, queues, f"[[message]] {number} goes by queue", "queue")
            if message.kind == "business-hour" and not self.site.hours:
                raise ValueError(
                    f'[[message]] {number} goes by opening hours: [site] hours = ["mon-fri 08:00-20:00"]'
                )

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


def read(path: Path) -> Plan:
    """The site file at `path`, its own paths made absolute. Raises SiteError."""
    return check(tables_in(path), str(path), path.resolve().parent)


SITE_BYTES = 32 * 2**20  # a floor of 5000 desks has 4 MiB
FILE_BYTES = 2**20  # a secret, a certificate


def text_of(path: Path, most_bytes: int = FILE_BYTES) -> str:
    """A file's text. Raises OSError, also where it is no plain file (a device has no end) or too long; UnicodeError."""
    with open(os.open(path, os.O_RDONLY | this_computer.NO_WAIT), "rb") as file:  # a pipe is not waited for
        kind = os.fstat(file.fileno()).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is no plain file")
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"it is longer than {most_bytes // 2**20} MiB")
    return data.decode("utf-8").replace("\r\n", "\n")


def tables_in(path: Path) -> dict[str, Any]:
    """What a site file says, with its table of desks, not checked yet: TOML, or the same as JSON. Raises SiteError."""
    return _with_its_desks(_written_in(path), path)


def named_in(path: Path) -> list[Path]:
    """Further files that a site file's tables stand in. Raises SiteError."""
    named = _written_in(path).get("desks")
    return [path.parent / named] if isinstance(named, str) else []


def _written_in(path: Path) -> dict[str, Any]:
    try:
        text = text_of(path, SITE_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SiteError(f"{path}: cannot be read ({why}); is the path right?") from error
    try:
        tables = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise SiteError(f"{path}: not {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from error
    except RecursionError:
        raise SiteError(f"{path}: {NESTED}") from None
    if not isinstance(tables, dict):
        raise SiteError(f"{path}: holds no tables; a site file starts with [site]")
    return tables


def _with_its_desks(tables: dict[str, Any], path: Path) -> dict[str, Any]:
    """The tables of a site file with those that `desks = "desks.csv"` and [board_defaults] add. Raises SiteError."""
    named = tables.get("desks")
    if named is not None and not isinstance(named, str):
        raise SiteError(f'{path}: desks: is the name of a file: desks = "desks.csv"; a desk by itself is a [[desk]]')
    try:
        if named is not None:
            file = path.parent / named
            tables = floorplan_desks.added(tables, str(file), text_of(file, SITE_BYTES))
        return floorplan_desks.with_defaults(tables)
    except UnicodeDecodeError as error:
        raise SiteError(
            f"{file}: is not UTF-8 text; in the spreadsheet program, save it as CSV, and choose UTF-8 there"
        ) from error
    except OSError as error:
        raise SiteError(f"{file}: cannot be read ({error.strerror}); is desks = right, in {path}?") from error
    except floorplan_desks.DesksError as error:
        ours = (f"{path}: {line}" if line.startswith(BOARD_DEFAULTS) else line for line in error.lines)
        raise SiteError("\n".join(ours)) from error


BOARD_DEFAULTS = "board_defaults"


def check(tables: dict[str, Any], where: str, folder: Path) -> Plan:
    """The plan in `tables`; `where` stands in errors, relative paths start at `folder`."""
    try:
        plan = Plan.model_validate(_absolute(tables, folder))
        if plan.history.path is None:
            kept = plan.history.model_copy(update={"path": folder / f"{plan.site.id}.db"})
            plan = plan.model_copy(update={"history": kept})
        if plan.people.path is None:
            people = plan.people.model_copy(update={"path": folder / f"{plan.site.id}-people.db"})
            plan = plan.model_copy(update={"people": people})
        if plan.broker and plan.broker.folder is None:
            broker = plan.broker.model_copy(update={"folder": folder / "broker"})
            plan = plan.model_copy(update={"broker": broker})
        return plan
    except ValidationError as error:
        raise SiteError("\n".join(dict.fromkeys(_explain(error, tables, where)))) from error
    except RecursionError:
        raise SiteError(f"{where}: {NESTED}") from None


NESTED = "tables and lists lie in each other too deeply; in a site file it is five at most"


def _absolute(value: Any, folder: Path, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _absolute(part, folder, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_absolute(part, folder, key) for part in value]
    if isinstance(value, str) and (key in ("path", "folder", "floor_plan") or key.endswith(("_file", "_folder"))):
        return str(folder / value)
    if key == "bus" and isinstance(value, str) and value.startswith("file:"):
        return f"file:{folder / value.removeprefix('file:')}"
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
    "date_type": "is a day: 2026-12-24",
    "date_parsing": "is a day: 2026-12-24",
    "date_from_datetime_parsing": "is a day: 2026-12-24",
    "date_from_datetime_inexact": "is a day, without a time: 2026-12-24",
    "string_too_short": "is text of {min_length} or more letters",
    "string_too_long": "is text of at most {max_length} letters",
    "too_short": "is a list of at least {min_length}",
    "too_long": "is a list of at most {max_length}",
}


def _explain(error: ValidationError, tables: dict[str, Any], where: str) -> list[str]:
    lines = []
    problems = error.errors()
    for problem in problems:
        if problem["type"] == "too_short" and any(_lies_in(other["loc"], problem["loc"]) for other in problems):
            continue  # what is wrong in it was not counted
        location = tuple(part for part in problem["loc"] if part != "[key]")
        written, words = floorplan_desks.place_of(tables, location), _words(location, problem)
        place = written or _place(location)
        line = f"{place}: {words}" if place else words
        lines.append(line if written and not written.startswith(BOARD_DEFAULTS) else f"{where}: {line}")
    return lines


def _lies_in(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


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
    """The one line in a secret file, which becomes mode 600; None without one. Raises SiteError."""
    if path is None:
        return None
    try:
        text = text_of(path).strip()
        if not text or "\n" in text:
            raise SiteError(f"{path}: a secret is one line")
        ours_alone(path)  # last: what is no secret stays as it is
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SiteError(f"{path}: the secret cannot be read ({why}); write it there, mode 600") from error
    return text


def open_to_others(path: Path) -> bool:
    """Whether more than its owner can read or write a secret file. Raises OSError.

    One that belongs to another user may be lent to a group, for us to read it, and to no more.
    """
    if not this_computer.POSIX:
        return False
    told = path.stat()
    lent = 0o077 if told.st_uid == this_computer.user_id() else 0o007
    return stat.S_ISREG(told.st_mode) and bool(told.st_mode & lent)


def ours_alone(path: Path) -> None:
    """Takes a secret file of ours from everybody else: mode 600. Raises SiteError where it cannot be, OSError."""
    if not open_to_others(path):
        return
    if path.is_symlink():  # a site file from elsewhere could name anything by it
        raise SiteError(
            f"{path}: others on this computer can read this secret, and it is a link; if what it leads to is the "
            f"secret, try: chmod 600 {path}"
        )
    with contextlib.suppress(OSError):
        if path.stat().st_uid == this_computer.user_id():  # root could take another's, and break it
            file = os.open(path, os.O_RDONLY | this_computer.NO_WAIT | this_computer.NO_LINK)
            try:
                this_computer.close_to_others(file)
            finally:
                os.close(file)
            return
    raise SiteError(f"{path}: others on this computer can read this secret; try: sudo chmod 600 {path}")


def board_secret_file(plan: Plan, board: Board) -> Path | None:
    """Where a board's password at the broker is: its own `secret_file`, or one in the folder of all boards'."""
    if board.secret_file or plan.broker is None or plan.broker.boards_folder is None:
        return board.secret_file
    return plan.broker.boards_folder / board.id


def board_json(plan: Plan, board_id: str, pins: dict[str, Any], password: str | None = None) -> dict[str, Any]:
    """What one board is told, as `board.json` on it: all that `firmware/` needs. Raises SiteError.

    `pins` says where its pins are: {"kind": "machine"} on a chip, "gpiozero" on a Raspberry Pi,
    {"kind": "memory", "control": "127.0.0.1:9001"} for a board that is not there; boards.definition.told adds the
    chip's lamp, and under "wired" the pins of its network chip. `password`: its new one at the broker, in place of
    the one that the host keeps.
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
        "panels": [_panel_json(wall.panel) | _light_json(wall) for wall in plan.walls_of(board_id)],
    }
    if (file := board_secret_file(plan, board)) is not None:
        told["broker"] |= {"user": board.id, "password": password or secret(file)}
    if broker.tls:
        told["broker"]["tls"] = {"ca": certificates(broker.ca_file), "name": host}
    if board.wifi:
        told["wifi"] = {"ssid": board.wifi.ssid, "password": secret(board.wifi.secret_file) or ""}
    if board.wired:
        told[board.wired] = pins.get("wired", {})
        told["pins"] = {key: value for key, value in pins.items() if key != "wired"}
    if board.debug:
        told["debug"] = True
    return told


def certificates(path: Path | None) -> str:
    """The certificates in a PEM file of who vouches for others; nothing else of it. Raises SiteError."""
    assert path is not None
    try:
        text = text_of(path)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no PEM file"
        raise SiteError(f"{path}: no certificate there ({why}); `callfloor broker setup` makes one") from error
    found = re.findall(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----", text)
    if not found:
        raise SiteError(f"{path}: holds no certificate in PEM: -----BEGIN CERTIFICATE-----")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="\n".join(found))
    except (ssl.SSLError, TypeError, ValueError) as error:
        raise SiteError(f"{path}: what it holds is no certificate, or a damaged one") from error
    return "".join(f"{part}\n" for part in found)


def _input_json(place: BoardInput) -> dict[str, Any]:
    return {
        name: part.model_dump(exclude_none=True, exclude=None if part.by == "contact" else {"active"})
        for name, part in (("phone", place.phone), ("headset", place.headset))
        if part is not None
    }


def _light_json(wall: Wall) -> dict[str, Any]:
    return {"light": wall.light.model_dump()} if wall.light else {}


def _panel_json(panel: Panel) -> dict[str, Any]:
    told = {"kind": panel.kind, "size": list(panel.size)}
    if panel.kind not in WIRED:
        return told | {"path": str(panel.path) if panel.path else None}
    keys = {"bus", "sck", "mosi", *(key for key, kinds in OF_KINDS.items() if panel.kind in kinds)}
    return told | panel.model_dump(mode="json", include=keys, exclude_none=True)
