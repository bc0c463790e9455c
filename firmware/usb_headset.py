"""A USB headset as it reports itself: descriptor and reports in, what is known of it out. It is never written to."""

from firmware import hid

HOOK_HELD_MS = 2500  # a Jabra whose call button nobody answers takes it back after 2000 ms (WICG/webhid #61)
TWICE_MS = 50  # a Plantronics may send one press twice within this (WICG/webhid #61)
FLOOD_REPORTS = 200  # in a second; a hand on a volume wheel makes 30
SECOND_MS = 1000
CALM_MS = 2000  # so long after a flood it is over
SHORT_MOST = 3  # reports in a row that lack what the descriptor promises


class UsbHeadset:
    """What one headset says of itself, by the usages that its descriptor declares; None where it declares none.

    `source.read()` gives what is new: at most 32 of ("plugged", descriptor), ("report", bytes),
    ("unplugged",), ("flood",) and ("failed", why, words).

    `in_call` is the line-busy usage, the one thing an observer can rely on without owning the call (Jabra's
    SDK: "also sent when other softphones start a call"); on a device without, or one that has never used it,
    an absolute hook switch that has been off for 2.5 s, until it is back for 50 ms. `link` is the line usage,
    which Jabra calls Online; a device may declare it and never use it (Gigaset's table), so that it says
    something only once it has been on. `muted` is an absolute state, or what follows from an on/off pair; a
    key that only toggles says nothing as long as nobody knows what it toggles. A host mutes without asking,
    and a mute may outlast its call (Yealink WH62): after a call nothing is known of it, unless it is an
    absolute state. No standard usage tells the cradle or the head: `docked` and `worn` are None.

    `why` is None or why nothing is known; `words` says more about it, for the log.
    """

    def __init__(self, source):
        self.link = self.in_call = self.ringing = self.muted = None
        self.docked = self.worn = None
        self.why = None
        self.words = ""
        self.since_ms = 0
        self._source = source
        self._known = None  # how its reports are to be read; None: there is no headset to read
        self._trouble: tuple = (None, "")  # (why there is none, in words)
        self._second_ms = None  # when the present second of counting began
        self._reports = 0  # in it
        self._flood_ms = None  # when the present flood was last seen
        self._begin()

    def _begin(self):
        """Nothing is known of a headset that has just been plugged in."""
        self._switches: dict = {}  # by usage
        self._call = None  # whether there is one, as last concluded
        self._linked = self._busied = False  # its line, its line-busy usage has been on
        self._short = 0  # reports in a row that were too short

    def sample(self, now_ms: int) -> bool:
        """Takes what is new; True when anything said of the headset changed."""
        self._count(0, now_ms)
        for item in self._source.read():
            self._take(item, now_ms)
        return self._say(now_ms)

    def _take(self, item, now_ms):
        what = item[0]
        if what == "report":
            self._count(1, now_ms)
            if self._known:
                self._read(hid.read(self._known, item[1]), now_ms)
        elif what == "flood":
            self._flood_ms = now_ms
            self._begin()  # nobody knows what was thrown away
        else:
            self._begin()
            self._flood_ms = self._known = None
            if what == "plugged":
                self._plug(item[1])
            elif what == "unplugged":
                self._trouble = "unplugged", ""
            else:
                self._trouble = item[1], item[2]

    def _plug(self, descriptor):
        try:
            fields = hid.parse(descriptor)
        except hid.HidError as error:
            self._trouble = "rubbish", str(error)
            return
        if hid.has_telephony(fields):
            self._known = hid.layout(fields)
        else:  # a keyboard, say, is no headset that tells rubbish: there is none
            self._trouble = "unplugged", "what is plugged in is no headset: it has no telephony collection"

    def _count(self, reports, now_ms):
        """Counts reports by the second, and knows when there are too many and when it is calm again."""
        if self._second_ms is None or now_ms - self._second_ms >= SECOND_MS:
            self._second_ms = now_ms
            self._reports = 0
        self._reports += reports
        if self._reports > FLOOD_REPORTS:
            self._flood_ms = now_ms
        elif self._flood_ms is not None and now_ms - self._flood_ms >= CALM_MS:
            self._flood_ms = None

    def _read(self, values, now_ms):
        """Takes what one report says, as hid.read gives it."""
        if values is None:
            self._short += 1
        elif values:
            self._short = 0
            for usage, says, value in values:
                if usage not in self._switches:
                    self._switches[usage] = Switch()
                self._switches[usage].take(says, value, now_ms)
            self._linked = self._linked or self._switch(hid.LINE).on is True
            self._busied = self._busied or self._switch(hid.BUSY).on is True
            self._talking(now_ms)

    def _switch(self, usage):
        return self._switches.get(usage, UNKNOWN)

    def _talking(self, now_ms):
        """(in_call, since when), by line busy; until that has been on, by the hook."""
        busy, hook = self._switch(hid.BUSY), self._switch(hid.HOOK)
        if self._busied or hook.on is None:
            call, since_ms = busy.on, busy.since_ms
        else:
            call, since_ms = hook.on, hook.since_ms
            held_ms = HOOK_HELD_MS if call else TWICE_MS if self._call else 0  # and off again, on again
            if call is not None and now_ms - since_ms < held_ms:
                call = busy.on if self._call is None else self._call
        if self._call and not call and not self._switch(hid.MUTE).absolute:
            self._switch(hid.MUTE).on = None
        self._call = call
        return call, since_ms

    def _wrong(self):
        """(why nothing is known, in words), (None, "") where nothing is wrong."""
        if not self._known:
            return self._trouble
        if self._flood_ms is not None:
            return "flood", "it reports faster than %d times a second" % FLOOD_REPORTS
        if self._short >= SHORT_MOST:
            return "rubbish", "its reports are shorter than its descriptor says"
        return None, ""

    def _say(self, now_ms):
        call, call_ms = self._talking(now_ms)
        link = self._switch(hid.LINE).on if self._linked else None
        why, words = self._wrong()
        now = None, None, None, None
        if why is None:
            now = link, call, self._switch(hid.RINGER).on, self._switch(hid.MUTE).on
        before = self.link, self.in_call, self.ringing, self.muted
        if (now, why) == (before, self.why):
            return False
        self.since_ms = call_ms if why == self.why and call != self.in_call else now_ms
        self.link, self.in_call, self.ringing, self.muted = now
        self.why, self.words = why, words
        return True


class Switch:
    """What one usage has said so far."""

    def __init__(self):
        self.on = None
        self.since_ms = 0
        self.absolute = False  # it says what is, and not only what happened
        self._down = False  # a toggling key is pressed
        self._press_ms = None  # when it last was

    def take(self, says: str, value: int, now_ms: int) -> None:
        """Takes a value that the usage had in a report; `says` is what such a value tells, see hid.says."""
        if says == hid.ABSOLUTE:
            self.absolute = True
            self._set(value != 0, now_ms)
        elif says == hid.PAIR:
            if value:
                self._set(value > 0, now_ms)
        else:
            pressed = value != 0 and not self._down
            self._down = value != 0
            if pressed and (self._press_ms is None or now_ms - self._press_ms > TWICE_MS):
                self._press_ms = now_ms
                if self.on is not None:
                    self._set(not self.on, now_ms)

    def _set(self, on, now_ms):
        if on != self.on:
            self.on = on
            self.since_ms = now_ms


UNKNOWN = Switch()  # of a usage that was not heard of
