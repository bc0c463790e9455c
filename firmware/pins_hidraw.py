"""Headsets at a Linux computer's USB, by /dev/hidraw: found by their sockets, read, never written to.

A desk is a socket, not a device: swapping two headsets swaps no desks. A socket is named as the kernel
names it, `1-1.2`: bus 1, its socket 1, and socket 2 of the hub that is plugged in there.
Only a computer has this file's modules; a microcontroller never imports it.
"""

import os
import re
import sys
from collections import namedtuple

from firmware import hid
from firmware.clock import now_ms
from firmware.usb_headset import FLOOD_REPORTS

LOOK_MS = 1000  # so often it is looked what is plugged in
NODES_MOST = 64  # and so many nodes at most are looked at; a headset has one to four
REPORTS_A_POLL = 32
FLOOD_A_POLL = 4  # enough to see that a flood is over, and no work
KERNEL_KEEPS = 64  # reports a reader is behind; what comes after is dropped (HIDRAW_BUFFER_SIZE)
REPORT_BYTES = 4096  # the longest that is read of one report
DESCRIPTOR_BYTES = 4096  # HID_MAX_DESCRIPTOR_SIZE; one more is read, so that too long is seen as such
LOOKS_IN_VAIN = 2  # a node that cannot be opened at one look may be waiting for udev; at two it is said
MEND = (
    "callfloor udev | sudo tee /etc/udev/rules.d/70-callfloor.rules"
    " && sudo udevadm control --reload && sudo udevadm trigger"
)

# The interface of a USB device among the folders that lead to it: 1-1.2:1.3 is interface 3 of the one at 1-1.2.
INTERFACE = re.compile(r"^(\d+-\d+(?:\.\d+)*):\d+\.(\d+)$")
# How the kernel's usb_make_path() names a place: the controller, then the sockets, without the bus.
BY_CONTROLLER = re.compile(r"^usb-.*-(\d+(?:\.\d+)*)$")

# One hidraw node: its name, the instance of the device behind it, its socket or None, HID_PHYS without the
# interface, the interface, what it calls itself, "0B0E:0348", its report descriptor, how well it serves.
Node = namedtuple(
    "Node", ("name", "instance", "port", "phys", "interface", "product", "ids", "descriptor", "serves")
)
CALLS, TELEPHONY, RUBBISH = 0, 1, 2  # the hook or the line; other keys of a phone; it cannot be understood


class Headsets:
    """All that is plugged in at one computer. `root` and `dev` are where its sysfs and its nodes are."""

    def __init__(self, root: str = "/sys", dev: str = "/dev", clock=now_ms):
        self.dev = dev
        self.clock = clock
        self.nodes: tuple = ()
        self.looks = 0  # so many were made
        self._class = root + "/class/hidraw"
        self._next_ms = 0

    def at(self, port: str):
        """The source of a UsbHeadset: whatever headset is at `port`, now and later."""
        return Source(self, port)

    def look(self) -> int:
        """Looks what is plugged in, if it is time to; how many looks there were."""
        now = self.clock()
        if not self.looks or now >= self._next_ms:
            self._next_ms = now + LOOK_MS
            self.looks += 1
            known = {(node.name, node.instance): node for node in self.nodes}
            try:
                names = sorted(os.listdir(self._class), key=lambda name: (len(name), name))
            except OSError:  # a kernel without hidraw, or nothing was ever plugged in
                names = []
            self.nodes = tuple([node for name in names[:NODES_MOST] for node in self._read(name, known)])
        return self.looks

    def _read(self, name, known):
        """[the node], or [] for one that has gone while it was looked at."""
        device = self._class + "/" + name + "/device"
        try:
            # Both change when another device takes the name; the kernel counts instances: 0003:0B0E:0348.0001.
            instance = os.readlink(device), os.stat(device).st_ino
            return [known.get((name, instance)) or read_node(name, instance, os.path.realpath(device))]
        except OSError:
            return []

    def headset(self, port: str):
        """(node to read, None), (None, None) where there is no headset, or (None, why there are too many)."""
        here = at_port(self.nodes, port)
        places = sorted({node.phys for node in here if node.port is None})
        if len(places) > 1:
            return None, "%s may be %s; give one of these as the port" % (port, " or ".join(places))
        return choose(here), None


def headsets_for(settings: dict):
    """The Headsets of a board.json's `pins`, which may name other folders than the system's."""
    return Headsets(settings.get("sys", "/sys"), settings.get("dev", "/dev"))


def read_node(name: str, instance, device: str):
    """The node whose device has the folder `device` in sysfs. Raises OSError."""
    port, interface = None, 0
    for part in device.split("/"):
        found = INTERFACE.match(part)
        if found:
            port, interface = found.group(1), int(found.group(2))
    said = {}
    with open(device + "/uevent", encoding="utf-8", errors="replace") as file:
        for line in file.read(4096).splitlines():
            key, _, said[key] = line.partition("=")
    phys, _, number = said.get("HID_PHYS", "").partition("/input")
    with open(device + "/report_descriptor", "rb") as file:
        descriptor = file.read(DESCRIPTOR_BYTES + 1)
    if port is None and number.isdigit():
        interface = int(number)
    ids = ":".join([part[-4:] for part in said.get("HID_ID", "").split(":")[1:]])
    product = "".join([letter if letter.isprintable() else "?" for letter in said.get("HID_NAME", "")])
    return Node(name, instance, port, phys, interface, product[:64], ids, descriptor, serves(descriptor))


def at_port(nodes, port: str) -> list:
    """The nodes of what is plugged in at `port`.

    A USB device is where its folders say, `1-1.2`; or where HID_PHYS does, which may be given whole:
    `usb-0000:01:00.0-1.2`, the controller and the sockets from there. A virtual device (uhid) has no
    USB folder, and HID_PHYS names no bus: of a port `1-1.2` its sockets are compared, 1.2.
    """
    surely = [node for node in nodes if port in (node.port, node.phys)]
    if surely or "-" not in port:
        return surely
    sockets = port.partition("-")[2]
    return [node for node in nodes if node.port is None and sockets_of(node.phys) == sockets]


def sockets_of(phys: str) -> str:
    """1.2 of usb-0000:01:00.0-1.2; empty for what is not at USB."""
    found = BY_CONTROLLER.match(phys)
    return found.group(1) if found else ""


def choose(nodes: list):
    """Of the nodes at one socket the one to read: None, where none is a headset's.

    A headset often has several (calls, media keys, its maker's own). The one that tells of calls is read, of
    equals that of the lowest interface: two are never mixed, for a report means something only by its own
    descriptor. One that cannot be understood is read where there is no better one: it is said to be rubbish.
    """
    ranked = sorted(
        [(node.serves, node.interface, node.name, node) for node in nodes if node.serves is not None]
    )
    return ranked[0][-1] if ranked else None


def serves(descriptor: bytes):
    """CALLS, TELEPHONY or RUBBISH; None for something else, like a keyboard."""
    try:
        fields = hid.parse(descriptor)
        for _, controls in hid.layout(fields).reports.values():
            for control in controls:
                if control.usage in (hid.HOOK, hid.BUSY):
                    return CALLS
    except hid.HidError:
        return RUBBISH
    return TELEPHONY if hid.has_telephony(fields) else None


class Source:
    """What one headset says, for a UsbHeadset."""

    def __init__(self, headsets: Headsets, port: str):
        self.port = port
        self._headsets = headsets
        self._looks = 0
        self._node: Node | None = None  # the one that is open, by
        self._fd = -1
        self._told = ""  # last: plugged, unplugged, or the words of a failure
        self._vain = "", 0  # (why it could not be opened, at how many looks in a row)
        self._begin(0)

    def read(self) -> list:
        """What is new: at most 32 of ("plugged", descriptor), ("report", bytes), ("unplugged",), ("flood",)
        and ("failed", why, words)."""  # fmt: skip
        news: list = []
        looks = self._headsets.look()
        if looks != self._looks:
            self._looks = looks
            self._follow(news)
        if self._node:
            self._take(news)
        return news

    def close(self) -> None:
        """Lets go of the node."""
        if self._node:
            os.close(self._fd)
        self._node = None

    def _follow(self, news):
        """After a look: what is at the socket now is opened, what has gone is closed."""
        node, too_many = self._headsets.headset(self.port)
        if self._node and (node is None or node[:2] != self._node[:2]):
            self.close()
            self._tell(news, "unplugged")
        if too_many:
            self._fail(news, "broken", too_many)
        elif node is None:
            self._vain = "", 0
            self._tell(news, "unplugged")
        elif self._node is None:
            self._open(news, node)

    def _open(self, news, node):
        path = self._headsets.dev + "/" + node.name
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            self._fail(news, "forbidden", "%s (%s) may not be read; this mends it, for members of the "
                       "group plugdev: %s" % (path, node.product, MEND))  # fmt: skip
        except OSError as error:
            self._fail(news, "broken", "%s cannot be opened: %s" % (path, error.strerror))
        else:
            self._node, self._vain, self._told = node, ("", 0), "plugged"
            self._begin(self._headsets.clock())
            news.append(("plugged", node.descriptor))

    def _fail(self, news, why, words):
        """Says what is wrong, once, when it is so at two looks."""
        self._vain = words, self._vain[1] + 1 if self._vain[0] == words else 1
        if self._vain[1] >= LOOKS_IN_VAIN and self._told != words:
            self._told = words
            news.append(("failed", why, words))
            print("headset at USB port %s: %s" % (self.port, words), file=sys.stderr)

    def _tell(self, news, what):
        if self._told != what:
            self._told = what
            news.append((what,))

    def _begin(self, now):
        """A new second to count in, after which a flood may be over."""
        self._second_ms = now
        self._count = 0  # reports in this second
        self._behind = 0  # reports since there was none to read
        self._flood = False

    def _take(self, news):
        """Reads what has come, at most 32 in all; a flood is read too, and thrown away."""
        now = self._headsets.clock()
        if now - self._second_ms >= 1000:
            flood = self._flood and self._count > FLOOD_REPORTS
            if flood:
                news.append(("flood",))
            elif self._flood:  # nobody knows what was among it: the headset begins anew
                news.append(("plugged", self._node.descriptor))
            self._begin(now)
            self._flood = flood
        for _ in range(FLOOD_A_POLL if self._flood else REPORTS_A_POLL - len(news)):
            try:
                report = os.read(self._fd, REPORT_BYTES)
            except (BlockingIOError, InterruptedError):
                self._behind = 0
                return
            except OSError:  # EIO: it was pulled out
                report = b""
            if not report:
                self.close()
                self._tell(news, "unplugged")
                return
            self._count += 1
            self._behind += 1
            if self._flood:
                continue
            if self._count > FLOOD_REPORTS or self._behind >= KERNEL_KEEPS:
                self._flood = True
                news.append(("flood",))
            else:
                news.append(("report", report))
