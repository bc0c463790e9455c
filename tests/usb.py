"""A computer's USB for tests: the folders a kernel shows in /sys and /dev, with FIFOs where its hidraw nodes are.

A FIFO whose writer has set O_DIRECT keeps packets apart, as hidraw keeps reports: one is read at a time
(pipe(7)), and 64 fit, as in hidraw's ring.

usb = Usb(tmp_path)
headset = usb.plug("1-1.2", descriptor)
headset.report(b"\\x02\\x01")
headset.unplug()
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

JABRA = bytes.fromhex(
    # Telephony, Headset, application; report 2: hook switch and line busy, absolute; mute, relative;
    # 5 bits of padding. After the Jabra family's layout, made smaller.
    "050b 0905 a101 8502 1500 2501 7501 0920 0997 9502 8122 092f 9501 8106 9505 8101 c0"
)
KEYBOARD = bytes.fromhex("0501 0906 a101 0507 19e0 29e7 1500 2501 7501 9508 8102 c0")
ON, OFF = b"\x02\x03", b"\x02\x00"  # JABRA: hook and line busy, and neither


class Usb:
    """`root` is its sysfs, `dev` where its nodes are."""

    def __init__(self, folder: Path) -> None:
        self.root, self.dev = folder / "sys", folder / "dev"
        self.devices = self.root / "devices"
        (self.root / "class" / "hidraw").mkdir(parents=True)
        self.dev.mkdir()
        self._made = 0
        self._plugged: list[Device] = []

    def plug(
        self, port: str, descriptor: bytes = JABRA, *, ids: str = "0B0E:0348", name: str = "Jabra Link 380",
        interface: int = 3, node: str | None = None,
    ) -> Device:  # fmt: skip
        """A USB device at a port, as `1-1.2`; one of its interfaces is HID."""
        bus, _, sockets = port.partition("-")
        steps = sockets.split(".")
        way = [f"{bus}-{'.'.join(steps[: count + 1])}" for count in range(len(steps))]
        above = Path("pci0000:00", "0000:00:14.0", f"usb{bus}", *way, f"{port}:1.{interface}")
        return self._add(above, f"usb-0000:00:14.0-{sockets}/input{interface}", descriptor, ids, name, node)

    def virtual(self, phys: str, descriptor: bytes = JABRA, *, ids: str = "0B0E:0348") -> Device:
        """A device of /dev/uhid: it has no USB above it, and says itself where it is."""
        return self._add(Path("virtual/misc/uhid"), phys, descriptor, ids, "virtual headset", None)

    def _add(
        self, above: Path, phys: str, descriptor: bytes, ids: str, name: str, node: str | None
    ) -> Device:
        self._made += 1  # the kernel counts every HID device there ever was
        used = {path.name for path in (self.root / "class/hidraw").iterdir()}
        node = node or next(f"hidraw{number}" for number in range(99) if f"hidraw{number}" not in used)
        folder = self.devices / above / f"0003:{ids}.{self._made:04X}"
        (folder / "hidraw" / node).mkdir(parents=True)
        vendor, _, product = ids.partition(":")
        (folder / "uevent").write_text(
            f"DRIVER=hid-generic\nHID_ID=0003:0000{vendor}:0000{product}\nHID_NAME={name}\nHID_PHYS={phys}\n"
            f"HID_UNIQ=\nMODALIAS=hid:b0003g0001v0000{vendor}p0000{product}\n"
        )
        (folder / "report_descriptor").write_bytes(descriptor)
        (folder / "hidraw" / node / "device").symlink_to(Path("../../..") / folder.name)
        path = self.dev / node
        os.mkfifo(path, 0o640)
        os.chmod(path, 0o640)
        (self.root / "class/hidraw" / node).symlink_to(
            Path("../..") / folder.relative_to(self.root) / "hidraw" / node
        )
        self._plugged.append(Device(self, folder, path))
        return self._plugged[-1]

    def close(self) -> None:
        """Pulls out what is still there."""
        for device in self._plugged:
            device.unplug()


class Device:
    """What is plugged in. `path` is its node, `folder` its place in sysfs."""

    def __init__(self, usb: Usb, folder: Path, path: Path) -> None:
        self.folder, self.path = folder, path
        self._entry = usb.root / "class/hidraw" / path.name
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_DIRECT)
        fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, 64 * os.sysconf("SC_PAGE_SIZE"))

    def report(self, *reports: bytes) -> int:
        """Sends reports; how many got through: those after 64 that nobody reads are lost, as the kernel loses them."""
        for count, report in enumerate(reports):
            try:
                os.write(self._fd, report)
            except BlockingIOError:
                return count
        return len(reports)

    def unplug(self) -> None:
        """All of it goes, as udev and the kernel make it go; no more, once it has gone."""
        if self._fd < 0:
            return
        self._entry.unlink()
        self.path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = -1
        shutil.rmtree(self.folder)
