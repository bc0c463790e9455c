"""A recording for the bench: what pins did, as often as they are read, and what was said of it.

A microcontroller loads this file for a recording, and forgets it afterwards.
"""

import asyncio
import json
from array import array
from struct import calcsize, pack_into, unpack_from

from firmware import contract
from firmware.clock import forget, now_ms, sleep_ms
from firmware.inputs import SAMPLE_MS

ROW = "<HBh"  # ms since the recording began, which pin, its level
SIZE = calcsize(ROW)
ROWS = 160  # that may wait: 200 ms of eight voltages, each new at every reading
SAID = 8
ROOM = 850  # bytes in a message for pins, rows and what was said; the rest says which recording it is
ROW_BYTES = 18  # of the longest row as JSON
SAID_BYTES = 170  # of the longest reading
UNREADABLE = -1
TELL_MS = 200  # a recording is told so often; sooner when much happens
LOOK_MS = 25
MANY = 40  # rows: about what a message holds


def begin(station, seconds: int, fields: dict) -> tuple:
    """Carries out the command `raw`, in place of a recording that is still going on."""
    before = station.inputs.recorder
    if before:
        before.end()
        before.task.cancel()
    read, _, free = (fields["pins"] or "").partition("+")
    try:
        names = (read or " ".join(station.pins.raw())).split()
    except Exception as error:  # a converter's
        return False, "a pin cannot be read (%s): name the others" % error
    for name in names:
        try:
            station.pins.level(name)
        except KeyError:
            return False, "nothing reads %s here; is its board.json from this site file?" % name
        except Exception:  # it is there, and its input says that it is broken
            pass
    if not fits(names):
        return False, "so many pins are more than a message holds: name some"
    opened = as_contacts(station.pins, free.split(), names)
    recorder = Recorder(station.pins, names, fields["input"], seconds)
    recorder.opened = opened
    for number, what, since_ms in station.inputs.readings():
        recorder.hear(number, station.inputs.message(what), now_ms(), since_ms)
    station.inputs.recorder = recorder
    recorder.task = asyncio.create_task(_tell(station, recorder, fields["id"]))
    return True, "for %d s" % seconds


def as_contacts(pins, free: list, names: list) -> list:
    """Adds to `names` pins that nothing reads, the first ones first, as far as there is room; those opened for it."""
    opened = []
    for name in free:
        if name in names or not fits(names + [name]):
            continue
        try:
            if name not in pins.levels:
                pins.contact(name, True)
                opened.append(name)
            names.append(name)
        except Exception:  # it cannot be an input: the others can
            pass
    return opened


async def _tell(station, recorder, name):
    """Tells what the recorder has; what is lost with the link leaves its gap in `seq`."""
    link = station.link
    where = link.topic("board/+/raw", link.board)
    seq = 0
    last = False
    try:
        while not last:
            for _ in range(TELL_MS // LOOK_MS):
                if recorder.waits() < MANY and not recorder.over:
                    await sleep_ms(LOOK_MS)
            fields = recorder.message()
            fields["boot"] = link.boot
            fields["id"] = name
            fields["seq"] = seq
            last = fields["last"]
            seq += 1
            try:
                await link.client.send(where, contract.encode("board/+/raw", fields))
            except OSError:
                await sleep_ms(TELL_MS)
    finally:
        recorder.end()
        if station.inputs.recorder is recorder:  # nobody has begun another
            station.inputs.recorder = None
            forget("recorder")


class Recorder:
    """Takes its room once. What finds none in it is counted in `thinned`, and looked at again.

    `names` are pins that `pins` reads; `number` is the input whose readings are told too, or None.
    """

    def __init__(self, pins, names: list, number, seconds: int):
        self.names = sorted(names)
        self.number = number
        self.thinned = 0
        self.over = False
        self.opened: list = []  # pins that nothing else reads
        self.task: asyncio.Task | None = None  # that tells what is in here
        self._pins = pins
        self._began_ms = -1  # not yet
        self._end_ms = seconds * 1000
        self._from_ms = self._until_ms = 0  # what the next message tells of
        self._now = array("h", bytes(2 * len(names)))  # levels, rows included
        self._told = array("h", bytes(2 * len(names) + 2))  # levels at _from_ms; one more for what is no pin
        self._rows = bytearray(ROWS * SIZE)
        self._count = 0
        self._said = []

    def end(self) -> None:
        """Nobody hears it any more: what was opened for it is read by nothing again."""
        while self.opened:
            self._pins.levels.pop(self.opened.pop())

    def poll(self, at_ms: int) -> None:
        """Looks at every pin once."""
        first = self._began_ms < 0
        if first:
            self._began_ms = at_ms
        ms = min(at_ms - self._began_ms, self._end_ms)
        if ms - self._until_ms > SAMPLE_MS:
            self._put(ms, len(self.names), min(ms - self._until_ms, 32767))
        for place in range(len(self.names)):
            level = self._level(place)
            if first:
                self._now[place] = self._told[place] = level
            elif level != self._now[place] and not self.over and self._put(ms, place, level):
                self._now[place] = level
        self._until_ms = ms
        self.over = ms == self._end_ms

    def _level(self, place):
        try:
            return self._pins.level(self.names[place])
        except Exception:  # its input says that it is broken, and why
            return UNREADABLE

    def _put(self, ms, place, level):
        """Keeps a row, if there is room: a switch may use all of it, a voltage half."""
        if self._count >= (ROWS // 2 if level > 1 else ROWS):
            self.thinned += 1
            return False
        pack_into(ROW, self._rows, self._count * SIZE, ms, place, level)
        self._count += 1
        return True

    def hear(self, number: int, message: tuple, at_ms: int, since_ms: int) -> None:
        """A reading was said: `message` is what the contract makes of it."""
        if number != self.number or self.over:
            return
        if len(self._said) == SAID:
            self.thinned += 1
            return
        ms = 0 if self._began_ms < 0 else at_ms - self._began_ms
        pattern, fields = message
        told = {name: value for name, value in fields.items() if value is not None}
        self._said.append((ms, number, pattern.split("/")[-1], told, ms - (at_ms - since_ms)))

    def waits(self) -> int:
        """How many rows wait for a message."""
        return self._count

    def message(self) -> dict:
        """What is new since the last one, as much as one takes: fields of `board/+/raw`."""
        said = self._said[:2]
        self._said = self._said[2:]
        pins = {}
        for place, name in enumerate(self.names):
            pins[name] = known(self._told[place])
        room = (ROOM - len(json.dumps(pins)) - len(json.dumps(said))) // ROW_BYTES
        taken = min(self._count, room)
        rows = []
        for number in range(taken):
            ms, place, level = unpack_from(ROW, self._rows, number * SIZE)
            rows += (ms, place, known(level))
            self._told[place] = level
        left = self._count - taken
        if left:
            self._rows[: left * SIZE] = self._rows[taken * SIZE : self._count * SIZE]
        began_ms = self._from_ms
        self._count = left
        if not left:
            self._from_ms = self._until_ms
        elif rows:
            self._from_ms = rows[-3]
        return {
            "ms": began_ms,
            "until_ms": self._from_ms,
            "pins": pins,
            "rows": rows,
            "said": said,
            "thinned": self.thinned,
            "last": self.over and not left and not self._said,
        }


def fits(names: list) -> bool:
    """Whether a message has room for those pins and something besides."""
    return sum([len(name) + 11 for name in names]) + 2 * SAID_BYTES + ROW_BYTES <= ROOM


def known(level):
    return None if level == UNREADABLE else level
