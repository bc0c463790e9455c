"""What Asterisk says of its queues, turned into what the floor hears: blocks and the time in, events out.

Pure: no network and no clock, so that a recording goes through it as a live stream does. The
PBX's names for callers (`Uniqueid`) stay in here.

What has to be known of app_queue.c (seen with Asterisk 22.10, and in its source):
  * `QueueCallerLeave` comes a moment before `AgentConnect`, but after `QueueCallerAbandon`.
    A key press raises neither, so a leave is given GRACE_S before it counts as one.
  * `QueueCallerAbandon` is raised for time-outs too. AMI cannot tell the two apart.
  * A list (`QueueStatus`) is written in one go and shows the queue at that moment. Events that
    are older than the list may still be on their way behind it, none that is newer comes before.
  * `AgentComplete` may lack the Uniqueid where the caller hung up first.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.queues import events
from gateway.queues.ami import MINE, Block
from gateway.queues.events import Event

GRACE_S = 0.25  # from a leave until it counts as one; Asterisk needs 4 ms at most
FORGET_S = 24 * 3600  # a call this old is forgotten
CALLS = 100_000  # calls kept at a time, waiting and talking each
DECIDED = 1024  # calls kept for a while after a leave, should the answer still come
MEMBERS = 20_000
LISTS = 4  # lists read at a time
NAMES = 1000  # queues of the PBX that are kept by name

# enum ast_device_state, as QueueMemberStatus has it: the Asterisk 18 and 20 documentation of that
# event (docs.asterisk.org) and include/asterisk/devicestate.h.
STATES = {
    "0": "unknown",  # AST_DEVICE_UNKNOWN
    "1": "idle",  # AST_DEVICE_NOT_INUSE
    "2": "busy",  # AST_DEVICE_INUSE
    "3": "busy",  # AST_DEVICE_BUSY
    "4": "unavailable",  # AST_DEVICE_INVALID
    "5": "unavailable",  # AST_DEVICE_UNAVAILABLE
    "6": "ringing",  # AST_DEVICE_RINGING
    "7": "busy",  # AST_DEVICE_RINGINUSE: in a call while another rings
    "8": "held",  # AST_DEVICE_ONHOLD
}


def extension_key(text: str) -> str:
    """A member's interface as events carry it: `Local/1001@agents/n` is `Local/1001@agents`."""
    text = text.strip()
    return re.sub(r"/[a-z]+$", "", text) if text[:6].lower() == "local/" and "@" in text else text


@dataclass(slots=True)
class Visit:
    """One caller's stay in one queue."""

    queue: str
    call: int
    since_s: float
    gone: bool = False  # waits no longer; why is not known yet
    left: bool = False  # the PBX said that it left


@dataclass(slots=True)
class Talk:
    """One answered call."""

    call: int
    member: tuple[str, str]  # queue, extension
    since_s: float


@dataclass(slots=True)
class Listed:
    """One queue as a list shows it, while the list is being read."""

    members: dict[str, tuple[str, bool]] = field(default_factory=dict)  # extension → state, paused
    callers: list[tuple[str, float]] = field(default_factory=list)  # Uniqueid, seconds waited


class Adapter:
    """Turns blocks into events. `queues`: the PBX's name of each queue → its id in the site file."""

    def __init__(self, queues: Mapping[str, str]):
        self.away = True  # nothing is known until a list has been read
        self.doubt = False  # what is known and what the PBX says differ: ask for a list
        self.lists = 0  # lists read to their end
        self.heard = 0  # events about queues since the link was made
        self.unheard = 0  # checks that differed while there were none
        self.deaf = False  # set where the PBX lets us in but tells us nothing; its lists do not help then
        self.dropped = dict.fromkeys(("event", "queue", "half", "full"), 0)  # by what was wrong
        self._ours = {name.casefold(): queue for name, queue in queues.items()}
        self._names = {queue: name for name, queue in queues.items()}
        self._theirs: set[str] = set()  # the PBX's queues that are not ours
        self._numbers = itertools.count(1)
        self._visits: OrderedDict[str, Visit] = OrderedDict()  # Uniqueid → who waits, or is just gone
        self._count = dict.fromkeys(self._names, 0)  # queue → how many of them wait
        self._pending: deque[tuple[float, str, Visit]] = deque()  # when to decide about whom
        self._decided: OrderedDict[str, Visit] = OrderedDict()  # Uniqueid → left or vanished
        self._talks: OrderedDict[str, Talk] = OrderedDict()  # Uniqueid → an answered call
        self._talks_of: dict[tuple[str, str], list[str]] = {}  # queue, extension → Uniqueids
        self._members: dict[tuple[str, str], tuple[str, bool]] = {}  # queue, extension → state, paused
        self._listed: set[str] = set()  # queues that the PBX has
        self._lists: OrderedDict[str, dict[str, Listed]] = OrderedDict()  # ActionID → what it has so far

    # In and out ------------------------------------------------------------------

    def event(self, block: Block, now: float) -> list[Event]:
        """What one block means; most mean nothing. Never raises, whatever the block holds."""
        name = block.get("Event")
        if name is None:
            return []
        hear = HEAR.get(name)
        if hear is None:
            self.dropped["event"] += 1
            return []
        told: list[Event] = []
        hear(self, block, now, told)
        return told

    def due(self, now: float) -> list[Event]:
        """What time alone has decided: call it a few times a second, after what has arrived."""
        told: list[Event] = []
        while self._pending and self._pending[0][0] <= now:
            _, uid, visit = self._pending.popleft()
            if visit.gone and self._visits.get(uid) is visit:
                self._decide(uid, visit, now, told)
        while self._visits and now - next(iter(self._visits.values())).since_s > FORGET_S:
            self._decide(*next(iter(self._visits.items())), now, told)
        while self._talks and now - next(iter(self._talks.values())).since_s > FORGET_S:
            self._end_talk(next(iter(self._talks)))
        return told

    def lost(self, why: str, now: float) -> list[Event]:
        """The link is gone: nothing is known until a list has been read. Who waits is kept for that."""
        told: list[Event] = []
        for _, uid, visit in self._pending:
            if visit.gone and self._visits.get(uid) is visit:
                visit.left = False  # its answer may have come a moment after the link went
                self._decide(uid, visit, now, told)
        self._pending.clear()
        self._members.clear()
        self._lists.clear()
        self.away = True
        self.heard = self.unheard = 0
        self.doubt = False
        told.append(events.Away(events.reason(why)))
        return told

    # Callers ---------------------------------------------------------------------

    def _join(self, block: Block, now: float, told: list[Event]) -> None:
        queue, uid = self._queue_and_call(block)
        if not queue:
            return
        if queue not in self._listed:  # a queue that lives in a database is not listed before its first call
            self._listed.add(queue)
            told.append(events.Waiting(queue, ()))
        visit = self._visits.get(uid)
        if visit:
            if visit.queue == queue and not visit.gone:
                return  # a list has shown it already
            self._decide(uid, visit, now, told)
        self._decided.pop(uid, None)
        visit = self._visit(queue, uid, now, now, told)
        told.append(events.Joined(queue, visit.call, now))

    def _leave(self, block: Block, now: float, told: list[Event]) -> None:
        queue, uid = self._queue_and_call(block)
        visit = self._visits.get(uid)
        if not visit or visit.queue != queue:
            return  # abandoned a moment ago, or never seen
        visit.left = True
        self._gone(uid, visit, now)
        told.append(events.Gone(queue, visit.call, now))

    def _abandon(self, block: Block, now: float, told: list[Event]) -> None:
        queue, uid = self._queue_and_call(block)
        visit = self._take(queue, uid, block, now, told)
        if visit:
            told.append(events.Abandoned(queue, visit.call, now, _waited(visit, block, now)))

    def _connect(self, block: Block, now: float, told: list[Event]) -> None:
        queue, uid = self._queue_and_call(block)
        extension = extension_key(block.get("Interface", ""))
        visit = self._take(queue, uid, block, now, told)
        if not visit:
            return
        told.append(events.Answered(queue, visit.call, now, extension, _waited(visit, block, now)))
        self._end_talk(uid)
        self._talks[uid] = Talk(visit.call, (queue, extension), now)
        self._talks_of.setdefault((queue, extension), []).append(uid)
        if len(self._talks) > CALLS:
            self._end_talk(next(iter(self._talks)))

    def _complete(self, block: Block, now: float, told: list[Event]) -> None:
        queue = self._queue(block)
        if not queue:
            return
        uid = block.get("Uniqueid", "")
        member = (queue, extension_key(block.get("Interface", "")))
        if uid not in self._talks or self._talks[uid].member != member:
            uid = self._talks_of.get(member, [""])[-1]
        talk = self._end_talk(uid)
        if talk:
            talked = _seconds(block.get("TalkTime"))
            talk_s = now - talk.since_s if talked is None else talked
            told.append(events.Completed(queue, talk.call, now, talk_s))

    def _visit(self, queue: str, uid: str, since: float, now: float, told: list[Event]) -> Visit:
        """A new caller in a queue."""
        visit = self._visits[uid] = Visit(queue, next(self._numbers), since)
        self._count[queue] += 1
        if len(self._visits) > CALLS:
            self.dropped["full"] += 1
            self._decide(*next(iter(self._visits.items())), now, told)
        return visit

    def _gone(self, uid: str, visit: Visit, now: float) -> None:
        """A caller waits no longer; why is decided within GRACE_S."""
        if not visit.gone:
            visit.gone = True
            self._count[visit.queue] -= 1
        self._pending.append((now + GRACE_S, uid, visit))

    def _decide(self, uid: str, visit: Visit, now: float, told: list[Event]) -> None:
        """A caller is gone for good, and neither an answer nor an abandon has been seen."""
        del self._visits[uid]
        if not visit.gone:
            self._count[visit.queue] -= 1
        kind = events.Left if visit.left else events.Vanished
        told.append(kind(visit.queue, visit.call, now))
        self._decided[uid] = visit
        if len(self._decided) > DECIDED:
            self._decided.popitem(last=False)

    def _take(self, queue: str, uid: str, block: Block, now: float, told: list[Event]) -> Visit | None:
        """The caller whose stay ends here; one who was never seen joins on the way."""
        if not queue:
            return None
        visit = self._visits.get(uid)
        if visit and visit.queue == queue:
            del self._visits[uid]
            self._count[queue] -= not visit.gone
            return visit
        if visit:
            self._decide(uid, visit, now, told)
        decided = self._decided.get(uid)
        if decided and decided.queue == queue:
            return self._decided.pop(uid)  # a slow link: the answer comes after all
        talk = self._talks.get(uid)
        hold = _seconds(block.get("HoldTime"))
        if hold is None or (talk and talk.member[0] == queue and now - talk.since_s < hold):
            self.dropped["half"] += 1
            return None
        visit = Visit(queue, next(self._numbers), now - hold)
        told.append(events.Joined(queue, visit.call, visit.since_s))
        return visit

    def _end_talk(self, uid: str) -> Talk | None:
        talk = self._talks.pop(uid, None)
        if talk:
            calls = self._talks_of[talk.member]
            calls.remove(uid)
            if not calls:
                del self._talks_of[talk.member]
        return talk

    # Members ---------------------------------------------------------------------

    def _member(self, block: Block, now: float, told: list[Event]) -> None:
        queue = self._queue(block)
        extension = extension_key(block.get("Interface", ""))
        if not queue:
            return
        if not extension or "Status" not in block:
            self.dropped["half"] += 1
            return
        self._tell_member(queue, extension, _member_state(block), told)

    def _member_gone(self, block: Block, now: float, told: list[Event]) -> None:
        queue = self._queue(block)
        extension = extension_key(block.get("Interface", ""))
        if (queue, extension) in self._members:
            del self._members[queue, extension]
            told.append(events.MemberGone(queue, extension))

    def _tell_member(self, queue: str, extension: str, state: tuple[str, bool], told: list[Event]) -> None:
        key = (queue, extension)
        if self._members.get(key) == state:
            return
        if key not in self._members and len(self._members) >= MEMBERS:
            self.dropped["full"] += 1
            return
        self._members[key] = state
        told.append(events.Member(queue, extension, *state))

    # Lists -----------------------------------------------------------------------

    def _list_queue(self, block: Block, now: float, told: list[Event]) -> None:
        name = block.get("Queue", "")
        number = block.get("ActionID", "")
        if number not in self._lists and len(self._lists) >= LISTS:
            self._lists.popitem(last=False)
        queues = self._lists.setdefault(number, {})
        queue = self._ours.get(name.casefold())
        if queue:
            queues[queue] = Listed()
        elif len(self._theirs) < NAMES:
            self._theirs.add(name)

    def _list_member(self, block: Block, now: float, told: list[Event]) -> None:
        listed = self._listed_in(block)
        extension = extension_key(block.get("Location") or block.get("Interface", ""))
        if listed and extension and len(listed.members) < MEMBERS:
            listed.members[extension] = _member_state(block)

    def _list_caller(self, block: Block, now: float, told: list[Event]) -> None:
        listed = self._listed_in(block)
        uid, wait = block.get("Uniqueid"), _seconds(block.get("Wait"))
        if listed and uid and wait is not None and wait < FORGET_S and len(listed.callers) < CALLS:
            listed.callers.append((uid, wait))

    def _listed_in(self, block: Block) -> Listed | None:
        queue = self._ours.get(block.get("Queue", "").casefold(), "")
        return self._lists.get(block.get("ActionID", ""), {}).get(queue)

    def _list_end(self, block: Block, now: float, told: list[Event]) -> None:
        number = block.get("ActionID", "")
        queues = self._lists.pop(number, {})
        for queue, listed in queues.items():
            self._resync_callers(queue, listed, now, told)
            self._resync_members(queue, listed, told)
        whole = number.startswith(MINE)  # others may have asked for one queue only
        for queue in self._names:
            if queue not in queues and (whole or queue not in self._listed):
                self._resync_callers(queue, Listed(), now, told)
                self._listed.discard(queue)
                told.append(events.Missing(queue, self._missing(queue)))
        self.lists += 1
        self.doubt = False
        if self.away and not self.deaf:
            self.away = False
            told.append(events.Back())

    def _resync_callers(self, queue: str, listed: Listed, now: float, told: list[Event]) -> None:
        calls = []
        for uid, wait in listed.callers:
            visit = self._visits.get(uid)
            if visit and (visit.queue != queue or visit.left):
                self._decide(uid, visit, now, told)  # it has joined again since
                visit = None
            if visit is None:
                self._decided.pop(uid, None)
                visit = self._visit(queue, uid, now - wait, now, told)
            elif visit.gone:
                visit.gone = False
                self._count[queue] += 1
            calls.append((visit.call, visit.since_s))
        here = {uid for uid, _ in listed.callers}
        for uid, visit in self._visits.items():
            if visit.queue == queue and not visit.gone and uid not in here:
                self._gone(uid, visit, now)  # its end may be right behind the list
        self._listed.add(queue)
        told.append(events.Waiting(queue, tuple(calls)))

    def _resync_members(self, queue: str, listed: Listed, told: list[Event]) -> None:
        for extension, state in listed.members.items():
            self._tell_member(queue, extension, state, told)
        for key in [key for key in self._members if key[0] == queue and key[1] not in listed.members]:
            del self._members[key]
            told.append(events.MemberGone(*key))

    def _missing(self, queue: str) -> str:
        name = self._names[queue]
        close = difflib.get_close_matches(name, self._theirs, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "check pbx = in the site file"
        return events.reason(f"the PBX has no queue '{name}': {hint}")

    # The check -------------------------------------------------------------------

    def _check(self, block: Block, now: float, told: list[Event]) -> None:
        """A summary says how many wait. Where that differs, something was missed."""
        queue = self._ours.get(block.get("Queue", "").casefold())
        callers = block.get("Callers", "")
        if queue and callers.isdecimal() and int(callers[:9]) != self._count[queue] and not self.doubt:
            self.doubt = True
            self.unheard += not self.heard

    def _restarted(self, block: Block, now: float, told: list[Event]) -> None:
        self.doubt = True  # a list read while it was starting may have lacked queues

    # What every event has --------------------------------------------------------

    def _queue(self, block: Block) -> str:
        """Our id of an event's queue; empty for one that is not in the site file."""
        self.heard += 1
        self.unheard = 0
        if self.deaf:
            self.deaf = False
            self.doubt = True
        queue = self._ours.get(block.get("Queue", "").casefold(), "")
        if not queue:
            self.dropped["queue"] += 1
        return queue

    def _queue_and_call(self, block: Block) -> tuple[str, str]:
        """Our id of the queue and the PBX's of the caller; ("", "") where one is not there."""
        queue, uid = self._queue(block), block.get("Uniqueid", "")
        if queue and not uid:
            self.dropped["half"] += 1
        return (queue, uid) if queue and uid else ("", "")


def _member_state(block: Block) -> tuple[str, bool]:
    return STATES.get(block.get("Status", ""), "unknown"), block.get("Paused") == "1"


def _seconds(text: str | None) -> float | None:
    """A whole number of seconds of the PBX's; None for anything else."""
    return float(text) if text and text.isdecimal() and len(text) < 10 else None


def _waited(visit: Visit, block: Block, now: float) -> float:
    """How long a caller waited: by our clock, held against the PBX's whole seconds.

    They differ where our clock did not see it: a link that stalled, or a recording in fast motion.
    """
    ours, theirs = now - visit.since_s, _seconds(block.get("HoldTime"))
    return ours if theirs is None or abs(ours - theirs) <= 1.25 else theirs


# Every event that means something, by Asterisk's name for it (12 and later).
HEAR: dict[str, Callable[[Adapter, Block, float, list[Event]], None]] = {
    "QueueCallerJoin": Adapter._join,
    "QueueCallerLeave": Adapter._leave,
    "QueueCallerAbandon": Adapter._abandon,
    "AgentConnect": Adapter._connect,
    "AgentComplete": Adapter._complete,
    "QueueMemberStatus": Adapter._member,
    "QueueMemberPause": Adapter._member,
    "QueueMemberAdded": Adapter._member,
    "QueueMemberRemoved": Adapter._member_gone,
    "QueueParams": Adapter._list_queue,
    "QueueMember": Adapter._list_member,
    "QueueEntry": Adapter._list_caller,
    "QueueStatusComplete": Adapter._list_end,
    "QueueSummary": Adapter._check,
    "FullyBooted": Adapter._restarted,
}
