"""What a USB headset's HID report descriptor says, and what its reports mean: bytes in, telephony usages out.

Written from the Device Class Definition for HID 1.11, section 6.2.2, and the HID Usage Tables, page 0x0B.
Where real devices leave the book, the deviation is named beside the line that allows for it. What is wrong
beyond that raises HidError. Work grows with the descriptor's length, never with the numbers in it.
"""

from collections import namedtuple

DESCRIPTOR_MOST = 4096  # bytes; HID_MAX_DESCRIPTOR_SIZE of Linux
REPORT_MOST = 16384 * 8  # bits; HID_MAX_BUFFER_SIZE of Linux
SIZE_MOST = 32  # bits of one control; a switch has 1, a key array 3 to 16
KEYS_MOST = 64  # places of a key array that are read; more keys than a hand can hold
CONTROLS_MOST = 64  # known controls of one report that are read

INPUT, OUTPUT, FEATURE = "input", "output", "feature"
CONSTANT, VARIABLE, RELATIVE, NO_PREFERRED, NULL = 0x01, 0x02, 0x04, 0x20, 0x40  # flags, 6.2.2.5

# What a value says, by its field's flags (HID Usage Tables 3.4.1.2, On/Off Control).
ABSOLUTE = "absolute"  # a state: 1 on, 0 off
PAIR = "pair"  # relative, no preferred state: +1 it went on, -1 it went off, 0 nothing happened
TOGGLE = "toggle"  # relative, or a key in an array: 0 to 1 is one press; nobody says what it leads to

TELEPHONY = 0x0B
HOOK, FLASH, HOLD, REDIAL, DROP, LINE = 0x0B0020, 0x0B0021, 0x0B0023, 0x0B0024, 0x0B0026, 0x0B002A
MUTE, SPEED_DIAL, ANSWER, BUSY, RINGER = 0x0B002F, 0x0B0050, 0x0B0074, 0x0B0097, 0x0B009E
KEY_0, KEY_POUND = 0x0B00B0, 0x0B00BB  # the key pad: 0 to 9, star, pound
REJECT = 0x090007  # Button 7, inside a telephony collection
KNOWN = (HOOK, FLASH, HOLD, REDIAL, DROP, LINE, MUTE, SPEED_DIAL, ANSWER, BUSY, RINGER, REJECT) + tuple(
    range(KEY_0, KEY_POUND + 1)
)

# One Input, Output or Feature item: `count` controls of `size` bits, from bit `bit` of report `report` (0: the
# device uses no ids; the id itself is not counted in `bit`). `usages`: (first, last) of page << 16 | usage each,
# one per control, the last for all that remain. `telephony`: inside a telephony application collection.
Field = namedtuple(
    "Field", ("kind", "report", "bit", "size", "count", "usages", "low", "high", "flags", "telephony")
)
# What `read` needs: whether byte 0 is a report id, and by report the bytes it must have and its controls.
Layout = namedtuple("Layout", ("numbered", "reports"))
# One control, or the places of one key array. `keys`: the usage of each value an array may hold, None otherwise.
Control = namedtuple("Control", ("usage", "says", "bit", "size", "count", "low", "high", "null", "keys"))


class HidError(Exception):
    """A report descriptor that cannot be understood; the text says what is wrong and at which byte."""


def parse(descriptor: bytes) -> list:
    """The fields of a report descriptor, in order. Raises HidError."""
    if len(descriptor) > DESCRIPTOR_MOST:
        raise HidError("%d bytes of descriptor, at most %d" % (len(descriptor), DESCRIPTOR_MOST))
    state = _State()
    for at, kind, tag, size, value in items(descriptor):
        if kind == 0:
            state.main(tag, value, at)
        elif kind == 1:
            state.globally(tag, value, size, at)
        elif kind == 2:
            state.locally(tag, value, size)
        # Kind 3 is reserved, and so are tags not named below: passed over.
    if state.inside:
        raise HidError("byte %d: the descriptor ends inside a collection" % len(descriptor))
    return state.fields


def items(descriptor: bytes):
    """(byte, kind, tag, size, value) of each short item; a long item (6.2.2.3) means nothing yet and is passed over."""
    at = 0
    while at < len(descriptor):
        prefix = descriptor[at]
        size = (0, 1, 2, 4)[prefix & 3]
        begin = at + 1
        if prefix == 0xFE:
            begin = at + 3
            size = descriptor[at + 1] if begin <= len(descriptor) else 0
        if begin + size > len(descriptor):
            raise HidError("byte %d: the descriptor ends inside an item" % at)
        if prefix != 0xFE:
            value = int.from_bytes(descriptor[begin : begin + size], "little")
            yield at, prefix >> 2 & 3, prefix >> 4, size, value
        at = begin + size


class _State:
    """What is in force while a descriptor is read from its beginning to its end (6.2.2.4 to 6.2.2.8)."""

    def __init__(self):
        self.fields: list = []
        self.inside: list = []  # of each open collection: whether it is, or lies in, a telephony application
        self._page = self._low = self._high = self._size = self._count = self._report = 0
        self._pushed: list = []
        self._bits: dict = {}  # by (kind, report): how many are taken
        self._forget()

    def _forget(self):
        """Local items hold until the next main item."""
        self._usages = []  # (first, last, whether they carry their own page)
        self._minimum = self._maximum = None  # (usage, whether it carries its page)
        self._set = None  # inside a delimited set: how many usages it has so far

    def main(self, tag, value, at):
        if tag in (8, 9, 11):
            self._field({8: INPUT, 9: OUTPUT, 11: FEATURE}[tag], value, at)
        elif tag == 10:
            usages = self._resolved()
            page = usages[0][0] >> 16 if usages else 0
            application = value & 0xFF == 1 and page == TELEPHONY
            # One application may lie inside another: EPOS headsets have that.
            self.inside.append(application or (bool(self.inside) and self.inside[-1]))
        elif tag == 12:
            if not self.inside:
                raise HidError("byte %d: the end of a collection that never began" % at)
            self.inside.pop()
        self._forget()

    def _field(self, kind, flags, at):
        key = kind, self._report
        bit = self._bits.get(key, 0)
        end = bit + self._size * self._count
        if end > REPORT_MOST:
            raise HidError("byte %d: a report of %d bits, at most %d" % (at, end, REPORT_MOST))
        self._bits[key] = end
        telephony = bool(self.inside) and self.inside[-1]
        self.fields.append(
            Field(
                kind,
                self._report,
                bit,
                self._size,
                self._count,
                tuple(self._resolved()),
                self._low,
                self._high,
                flags,
                telephony,
            )
        )

    def _resolved(self):
        """The usages, a short one with the page in force now, at the main item (6.2.2.8).

        With one exception, which is Linux's, for devices that list usages of two pages in one item: a usage
        before one that was declared under this page keeps the page it was declared under.
        """
        page = self._page << 16
        usages = self._usages
        for place in range(len(usages) - 1, -1, -1):
            first, last, own = usages[place]
            if not own:
                if first & 0xFFFF0000 == page:
                    break
                usages[place] = page | first & 0xFFFF, page | last & 0xFFFF, False
        return [(first, last) for first, last, _ in usages]

    def globally(self, tag, value, size, at):
        if tag == 0:
            self._page = value & 0xFFFF
        elif tag == 1:
            self._low = signed(value, size * 8)
        elif tag == 2:
            # 25 FF with a minimum of 0 is meant as 255 by many devices.
            self._high = signed(value, size * 8) if self._low < 0 else value
        elif tag == 7:
            self._size = value
        elif tag == 8:
            if not 0 < value < 256:
                raise HidError("byte %d: report id %d is not between 1 and 255" % (at, value))
            self._report = value
        elif tag == 9:
            self._count = value
        elif tag == 10:
            self._pushed.append((self._page, self._low, self._high, self._size, self._count, self._report))
        elif tag == 11:
            if not self._pushed:
                raise HidError("byte %d: a pop without a push" % at)
            self._page, self._low, self._high, self._size, self._count, self._report = self._pushed.pop()

    def locally(self, tag, value, size):
        usage = value, size == 4
        if tag == 0:
            self._use(usage, usage)
        elif tag == 1:
            self._minimum = usage
        elif tag == 2:
            self._maximum = usage
        elif tag == 10:
            self._set = 0 if value == 1 else None
        if self._minimum and self._maximum:
            self._use(self._minimum, self._maximum)
            self._minimum = self._maximum = None

    def _use(self, first, last):
        """One usage, or a range of them; a range that runs backwards or over two pages has none in it."""
        if self._set is not None:
            self._set += 1
            if self._set > 1:
                return  # of a delimited set, alternatives for one control, the first is the preferred one
        own = first[1] or last[1]
        page = self._page << 16
        if own:  # the page that one of them carries is meant for both
            page = max(first[0], last[0]) & 0xFFFF0000
        low, high = [usage if whole else page | usage for usage, whole in (first, last)]
        if low <= high and low >> 16 == high >> 16:
            self._usages.append((low, high, own))


def signed(value: int, bits: int) -> int:
    """The number that so many bits hold in two's complement."""
    return value - (1 << bits) if bits and value >> (bits - 1) & 1 else value


def has_telephony(fields: list) -> bool:
    """True where there is a telephony collection with anything in it: a headset's node, not a keyboard's."""
    return any(field.telephony for field in fields)


def says(field) -> str:
    """ABSOLUTE, PAIR or TOGGLE: how a field's values are to be understood."""
    if not field.flags & VARIABLE:
        return TOGGLE
    if not field.flags & RELATIVE:
        return ABSOLUTE
    # A relative field that cannot say -1 has nothing but its presses.
    return PAIR if field.flags & NO_PREFERRED and field.low < 0 else TOGGLE


def layout(fields: list) -> Layout:
    """Where the known usages of the telephony collections are in the input reports."""
    inputs = [field for field in fields if field.kind == INPUT]
    numbered = any(field.report for field in inputs)
    reports: dict = {}
    for field in inputs:
        # A field before a device's first report id can never be told from others: it is not read.
        if field.telephony and 0 < field.size <= SIZE_MOST and bool(field.report) == numbered:
            found = controls(field, 8 if numbered else 0)
            if found:
                before = reports.get(field.report, (0, []))
                bits = max([control.bit + control.size * control.count for control in found])
                reports[field.report] = (
                    max(before[0], (bits + 7) // 8),
                    (before[1] + found)[:CONTROLS_MOST],
                )
    return Layout(numbered, reports)


def controls(field, before: int) -> list:
    """The known usages of one field as Controls, `before` bits standing in front of the report's first.

    Constant fields are padding and have no usages. Those that have are read: the hook switch and the line
    of a Jabra Speak 510 and of an Anker PowerConf are declared constant, and move.
    """
    known = []  # (index, usage)
    total = 0
    for first, last in field.usages:
        if first == last:
            if first in KNOWN:
                known.append((total, first))
        else:
            known += [(total + usage - first, usage) for usage in KNOWN if first <= usage <= last]
        total += last - first + 1
    bit, null = before + field.bit, bool(field.flags & NULL)
    if not field.flags & VARIABLE:
        return keys_of(field, bit, null, known)
    found = []
    for index, usage in known:
        if index < field.count:
            many = field.count - index if index == total - 1 else 1  # the last usage is that of all the rest
            at = bit + index * field.size
            found.append(Control(usage, says(field), at, field.size, many, field.low, field.high, null, None))
    return found


def keys_of(field, bit: int, null: bool, known: list) -> list:
    """[the Control of a key array], or [] where it has no key that is known.

    The number in an array counts its usages from the logical minimum (6.2.2.5).
    """
    keys: dict = {}
    for index, usage in known:
        value = field.low + index
        if value <= field.high and usage not in keys.values():
            keys[value] = usage
    places = min(field.count, KEYS_MOST)
    if not keys or not places or field.flags & CONSTANT:
        return []
    return [Control(None, TOGGLE, bit, field.size, places, field.low, field.high, null, keys)]


def read(known: Layout, report: bytes):
    """[(usage, what its values say, value), ...] of the telephony in one input report, as hidraw gives it.

    [] for a report with none, whoever's it is; None for one that is too short for what it should hold.
    What is longer than declared is not looked at. A key in an array is told as 1 or 0, like a button. Some
    devices with an array from 0 send 0 while no key is held, which is their key 0: keys are no evidence.
    """
    if not report:
        return None
    least, found = known.reports.get(report[0] if known.numbered else 0, (0, ()))
    if len(report) < least:
        return None
    values = []
    for control in found:
        if control.keys is None:
            value = value_of(report, control)
            if value is not None:
                values.append((control.usage, control.says, value))
        else:
            held = [
                control.keys.get(number(report, control, control.bit + place * control.size))
                for place in range(control.count)
            ]
            for usage in control.keys.values():
                values.append((usage, TOGGLE, 1 if usage in held else 0))
    return values


def value_of(report: bytes, control):
    """The value of one control, None for none: outside its limits where a null state is declared (6.2.2.5).

    Without one it is brought inside, as Linux and Windows do. Limits that make no sense are not limits.
    """
    if control.size == 1 and control.count > 1:  # several bits of one usage: any of them
        value = 1 if bits(report, control.bit, control.count) else 0
    else:
        value = number(report, control, control.bit)
    if control.low < control.high and not control.low <= value <= control.high:
        return None if control.null else max(control.low, min(control.high, value))
    return value


def number(report: bytes, control, at: int) -> int:
    value = bits(report, at, control.size)
    return signed(value, control.size) if control.low < 0 else value


def bits(report: bytes, at: int, size: int) -> int:
    """The unsigned number in `size` bits from bit `at`; the first bit is the lowest of the first byte (8.4)."""
    part = report[at >> 3 : (at + size + 7) >> 3]
    return int.from_bytes(part, "little") >> (at & 7) & ((1 << size) - 1)
