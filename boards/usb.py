"""What is plugged in at this computer's USB, as a technician needs it to fill in a site file."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from firmware.pins_hidraw import CALLS, MEND, RUBBISH, TELEPHONY, Headsets, Node, choose

HEADINGS = ("port", "product", "id", "node", "what it is")
WORDS = {
    CALLS: "tells of calls",
    TELEPHONY: "keys of a phone",
    RUBBISH: "cannot be understood",
    None: "no telephony",
}


class Device(NamedTuple):
    """One node of a HID device. `port` is empty at no USB port; `read`: a station reads this one, if it may."""

    port: str
    product: str
    id: str
    node: str
    what: str
    read: bool
    may: bool


def devices(root: str, dev: str) -> list[Device]:
    """Every HID device, by its port."""
    headsets = Headsets(root, dev)
    headsets.look()
    found = []
    for port in sorted({port_of(node) for node in headsets.nodes}, key=by_number):
        here = [node for node in headsets.nodes if port_of(node) == port]
        read = choose(here)
        for node in here:
            path = f"{dev}/{node.name}"
            told = port, node.product, node.ids.lower(), path, WORDS[node.serves]
            found.append(Device(*told, node is read, os.access(path, os.R_OK)))
    return found


def listing(root: str, dev: str) -> list[str]:
    """Lines for a terminal: every HID device, by its port, and which of its nodes a station reads."""
    there = devices(root, dev)
    if not there:
        return [f"nothing that speaks HID is plugged in here ({root}/class/hidraw is empty)"]
    rows = [HEADINGS]
    for one in there:
        read = "" if not one.read else ", is read here" if one.may else ", and may not be read"
        rows.append((one.port or "at no USB port", one.product, one.id, one.node, one.what + read))
    shut = any(one.read and not one.may for one in there)
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    if shut:
        lines += ["", f"To read what may not be read, as a member of the group plugdev: {MEND}"]
    return lines


def by_number(port: str) -> list[tuple[int, str]]:
    """Sorts 1-1.10 behind 1-1.9."""
    return [(int(part), "") if part.isdigit() else (1 << 30, part) for part in re.findall(r"\d+|\D+", port)]


def port_of(node: Node) -> str:
    """What a site file gives as `port` for the device behind a node: 1-1.2, or HID_PHYS without USB."""
    return str(node.port or node.phys)
