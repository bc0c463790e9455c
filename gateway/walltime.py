"""Whether this computer's clock may be believed: what is kept for good is kept under its time.

A Raspberry Pi has no clock of its own. After a power cut it starts with an old time, and is right only
once a time service has asked the network. Until then live figures run, and totals wait.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path

BACK_S = 120  # a clock may be set back so far
STEP_TOLD_S = 900.0  # so long it is told that the clock was set while all ran
EARLIEST_S = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()  # this program is not older
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 512  # more than any kernel's struct timex

# What is there while a time service runs, and its name.
TRACES = (
    ("/run/systemd/timesync", "systemd-timesyncd"),
    ("/run/chrony", "chronyd"),
    ("/run/chronyd.pid", "chronyd"),
    ("/run/ntpd.pid", "ntpd"),
    ("/var/run/ntpd.pid", "ntpd"),
    ("/run/ntpsec", "ntpd of ntpsec"),
    ("/run/ntpd.sock", "ntpd of OpenNTPD"),
)
# The kernel keeps 15 letters of a program's name. "ntpd" is also that of ntpsec, OpenNTPD and BusyBox.
PROGRAMS = {"systemd-timesyn": "systemd-timesyncd", "chronyd": "chronyd", "ntpd": "ntpd"}
ASK = {"chronyd": "chronyc tracking"}  # it tells the kernel only with rtcsync in its settings, as is usual


@dataclass(frozen=True, slots=True)
class Seen:
    """What this computer lets us see of its clock."""

    synchronised: bool  # the kernel or the time service says so
    service: str  # the time service that runs here; empty: none that we know


def look() -> Seen:
    """Asks the kernel and looks for a time service; elsewhere than on Linux there is nothing to see.

    A gateway in a container sees no service of the computer it runs on, and so believes the clock.
    """
    if sys.platform != "linux":
        return Seen(False, "")
    said_so = Path("/run/systemd/timesync/synchronized").exists()
    return Seen(said_so or _kernel_says_so(), _service())


def why_not(mode: str, now_s: float, newest_s: float | None, seen: Seen | None = None) -> str:
    """Why `now_s`, this computer's time, is not to be believed, and what to try; empty: it is.

    `mode` is the site's `clock`. "trusted": somebody vouches for the clock, so nobody is asked whether
    it has been set. But not even then may it be earlier than this program or than the newest commit
    (`newest_s`, None: there is none): such a clock is wrong whoever vouches for it, as after a dead
    battery, and would count into quarters that are over. The kernel loses its trust again when the network
    is away for hours: once believed, ask on with "trusted". At most 160 characters.
    """
    if now_s < EARLIEST_S:
        return f"this computer's clock says {_iso(now_s)}, which cannot be: set it, or see `timedatectl`"
    if newest_s is not None and now_s < newest_s - BACK_S:
        return (
            f"the clock says {_iso(now_s)}, but totals are kept until {_iso(newest_s)}: set the clock; "
            "is it right now, move the file of totals away"
        )
    if mode == "trusted":
        return ""
    seen = seen or look()
    if seen.synchronised or not seen.service:
        return ""
    ask = ASK.get(seen.service, "timedatectl")
    return (
        f"{seen.service} has not set the clock yet: see `{ask}`; "
        'is the clock right all the same, write clock = "trusted" in [site]'
    )


class Steps:
    """Notices that the clock is set while we run, by one beside it that nobody sets. Look about once a minute."""

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._told_s, self._words = float("-inf"), ""

    def look(self, now_s: float, wall_s: float) -> str:
        """What is wrong with totals of today since a step of more than BACK_S, for STEP_TOLD_S; empty: nothing is.

        `now_s`: monotonic seconds. A computer that slept looks the same. At most 160 characters.
        """
        before_s, self._offset_s = self._offset_s, wall_s - now_s
        by_s = 0.0 if before_s is None else self._offset_s - before_s
        if abs(by_s) > BACK_S:
            way = "forward" if by_s > 0 else "back"
            self._told_s = now_s
            self._words = (
                f"it was set {way} by {abs(by_s):.0f} s while all ran, or this computer slept: totals of today "
                "may stand at the wrong hours"
            )
        return self._words if now_s - self._told_s < STEP_TOLD_S else ""


def _iso(at_s: float) -> str:
    return dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _kernel_says_so() -> bool:
    """What adjtimex(2) answers when nothing is to be changed; False where it may not be asked."""
    timex = ctypes.create_string_buffer(TIMEX_BYTES)  # begins with `modes`: 0 changes nothing
    try:
        state = ctypes.CDLL(None).adjtimex(timex)
    except (OSError, AttributeError):
        return False
    return 0 <= int(state) < TIME_ERROR


def _service() -> str:
    """The name of a time service that runs here; empty: none is found."""
    for path, name in TRACES:
        if Path(path).exists():
            return name
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            name = PROGRAMS.get(comm.read_text().strip(), "")
        except OSError:  # it has ended meanwhile
            continue
        if name:
            return name
    return ""
