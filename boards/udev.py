"""The udev rule that lets a station read USB headsets, made from one table of who makes them.

Read, and no more: the group may not write, because a second writer of lamps breaks a softphone's.
"""

from __future__ import annotations

import re

from firmware.pins_hidraw import MEND
from floorplan import SiteError

# Who makes headsets, by USB vendor id. Names as in the USB ID Repository (linux-usb.org/usb.ids).
VENDORS = {
    "0b0e": "GN Netcom: Jabra",  # and Linux, drivers/hid/hid-ids.h: USB_VENDOR_ID_JABRA
    "047f": "Plantronics: Plantronics, Poly",  # and hid-ids.h: USB_VENDOR_ID_PLANTRONICS
    "1395": "DSEA, once Sennheiser Communications: EPOS, Sennheiser",
    "6993": "Yealink",  # and Linux, drivers/input/misc/yealink.h
    "046d": "Logitech",  # and hid-ids.h: USB_VENDOR_ID_LOGITECH
    "03f0": "HP: Poly since 2022, HyperX",  # with telephony: github.com/Sapd/HeadsetControl, issue 486
}

FILE = "/etc/udev/rules.d/70-callfloor.rules"

HEAD = """\
# Lets members of the group {group} read USB headsets. Written by `callfloor udev`.
# To put it in its place:
#   {mend}

ACTION=="remove", GOTO="callfloor_end"
SUBSYSTEM!="hidraw", GOTO="callfloor_end"
# The same makers' keyboards and mice are nobody's business: those a BIOS can use say what they are,
# and those behind a shared receiver have a driver that says so.
SUBSYSTEMS=="usb", ATTRS{{bInterfaceProtocol}}=="01|02", GOTO="callfloor_end"
DRIVERS=="logitech-djreceiver|logitech-hidpp-device", GOTO="callfloor_end"

"""
# A HID device is named by bus, vendor, product and a count, 0003:0B0E:0348.0001, whether real or virtual.
RULE = 'KERNELS=="0003:{id}:*", GROUP="{group}", MODE="0640"\n'


def rules(group: str, others: list[str]) -> str:
    """The text of 70-callfloor.rules. `others` are vendor ids besides the table's. Raises SiteError."""
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", group):
        raise SiteError(
            f"--group: '{group}' is no group's name; plugdev is there on Debian and Raspberry Pi OS"
        )
    makers = dict(VENDORS)
    for text in others:
        vendor = text.lower().removeprefix("0x")
        if not re.fullmatch(r"[0-9a-f]{4}", vendor):
            raise SiteError(
                f"--vendor: '{text}' is not four hexadecimal digits, like 0b0e; `lsusb` shows them"
            )
        makers.setdefault(vendor, "named by --vendor")
    lines = [f"# {maker}\n{RULE.format(id=vendor.upper(), group=group)}" for vendor, maker in makers.items()]
    return HEAD.format(group=group, mend=MEND) + "".join(lines) + '\nLABEL="callfloor_end"\n'
