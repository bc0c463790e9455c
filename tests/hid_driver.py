"""Reads HID descriptors and plays reports to a UsbHeadset: `hid_driver.py JOBS.json`. Runs on both Pythons.

A job is {"descriptor": hex, "reports": [hex, ...], "steps": [[ms, what, hex], ...], "end_ms": int}, and what
comes of it is one line of JSON:

    {"fields": [[report, bit, size, usage, says], ...],    known controls of the input reports; usage null: a key array
     "read": [null or [[usage, says, value], ...], ...],   one for each of `reports`
     "said": [[ms, since_ms, {...}], ...],                 every change of the headset, what is known of it by name
     "error": words}                                       or only this: what hid.parse refused
"""

import json
import sys

from firmware import hid
from firmware.usb_headset import UsbHeadset

try:  # noqa: SIM105
    from typing import Any
except ImportError:  # MicroPython, which reads no annotations, and has no contextlib
    pass

POLL_MS = 10
NAMES = ("link", "in_call", "ringing", "muted", "docked", "worn", "why")


def numbered(known: Any) -> int:
    """Where a report's first bit is: behind the id, if there is one."""
    return 8 if known.numbered else 0


def fields(known: Any) -> list[Any]:
    found = []
    for report in known.reports:
        for control in known.reports[report][1]:
            place = control.bit - numbered(known)
            found.append([report, place, control.size, control.usage, control.says])
    return sorted(found, key=lambda row: row[:2])


class Source:
    """What a computer's USB says, at its time."""

    def __init__(self, steps: list[Any]) -> None:
        self.steps = steps
        self.now_ms = 0

    def read(self) -> list[Any]:
        news: list[Any] = []
        while self.steps and self.steps[0][0] <= self.now_ms and len(news) < 32:
            _, what, rest = self.steps[0]
            self.steps = self.steps[1:]
            if what == "failed":
                news.append((what, "forbidden", rest))
            else:
                news.append((what, bytes.fromhex(rest)) if rest is not None else (what,))
        return news


def play(steps: list[Any], end_ms: int) -> list[Any]:
    source = Source(steps)
    headset = UsbHeadset(source)
    said = []
    while source.now_ms <= end_ms:
        if headset.sample(source.now_ms):
            known = {name: getattr(headset, name) for name in NAMES if getattr(headset, name) is not None}
            said.append([source.now_ms, headset.since_ms, known])
        source.now_ms += POLL_MS
    return said


def done(job: Any) -> dict[str, Any]:
    try:
        known = hid.layout(hid.parse(bytes.fromhex(job["descriptor"])))
    except hid.HidError as error:
        return {"error": str(error)}
    reads = [hid.read(known, bytes.fromhex(report)) for report in job["reports"]]
    return {
        "fields": fields(known),
        "read": [None if values is None else sorted([list(row) for row in values]) for values in reads],
        "said": play(job["steps"], job["end_ms"]),
    }


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    for job in jobs:
        print(json.dumps(done(job)))
