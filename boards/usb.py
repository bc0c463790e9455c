"""What is plugged in at this computer's USB, as a technician needs it to fill in a site file."""

from __future__ import annotations

import os
import re

from firmware.pins_hidraw import CALLS, MEND, RUBBISH, TELEPHONY, Headsets, Node, choose

HEADINGS = ("port", "product", "id", "node", "what it is")
WORDS = {
    CALLS: "tells of calls",
    TELEPHONY: "keys of a phone",
    RUBBISH: "cannot be understood",
    None: "no telephony",
}


def listing(root: str, dev: str) -> list[str]:
    """Lines for a terminal: every HID device, by its port, and which of its nodes a station reads."""
    headsets = Headsets(root, dev)
    headsets.look()
    if not headsets.nodes:
        return [f"nothing that speaks HID is plugged in here ({root}/class/hidraw is empty)"]
    rows = [HEADINGS]
    shut = False
    places = sorted({port_of(node) for node in headsets.nodes}, key=by_number)
    for port in places:
        here = [node for node in headsets.nodes if port_of(node) == port]
        read = choose(here)
        for node in here:
            path = f"{dev}/{node.name}"
            words = WORDS[node.serves]
            if node is read:
                may = os.access(path, os.R_OK)
                shut = shut or not may
                words += ", is read here" if may else ", and may not be read"
            rows.append((port or "at no USB port", node.product, node.ids.lower(), path, words))
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
