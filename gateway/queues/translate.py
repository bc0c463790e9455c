"""What Asterisk says of its queues, turned into what the floor hears: blocks and the time in, events out.

Pure: no network and no clock, so that a recording goes through it as a live stream does. The
PBX's names for callers (`Uniqueid`) stay in here: what leaves is a number, and a salted digest by
which a caller is found again after a restart of ours.

What has to be known of app_queue.c (seen with Asterisk 22.10, and in its source):
  * `QueueCallerLeave` comes a moment before `AgentConnect`, but after `QueueCallerAbandon`.
    A key press raises neither, so a leave is given GRACE_S before it counts as one.
  * `QueueCallerAbandon` is raised for time-outs too. AMI cannot tell the two apart.
  * A list (`QueueStatus`) is written in one go and shows the queue at that moment. Events that
    are older than the list may still be on their way behind it, none that is newer comes before.
  * `AgentComplete` may lack the Uniqueid where the caller hung up first.
  * An attended transfer into a queue swaps the Uniqueids of two channels (main/channel.c): who
    waits then goes on under another one, and nothing says so but the time of joining.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import os
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.queues import events
from gateway.queues.ami import MINE, Block
from gateway.queues.events import Event

GRACE_S = 0.25  # from a leave until it counts as one; Asterisk needs 4 ms at most
WHOLE_S = 1.25  # two times closer than this may be the same one, where one is in whole seconds
REJOIN_S = 8.0  # a list that shows a caller as so much newer shows another stay of theirs
FORGET_S = 24 * 3600  # a call this old is forgotten
TIDY_S = 60.0  # and such calls are looked for this often
CALLS = 100_000  # calls kept at a time, waiting and talking each
DECIDED = 1024  # calls kept for a while after their end, should more of it come
MEMBERS = 20_000
LISTS = 4  # lists read at a time
NAMES = 1000  # queues of the PBX that are kept by name

# What this source cannot tell, by the names of `totals.Totals`: a time-out comes as an abandon, and a
# key as a mere leave.
UNTOLD = frozenset({"timed_out", "left_by_key"})

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

State = tuple[str, bool, str]  # of a member: one of STATES, paused, its device
K = TypeVar("K")
V = TypeVar("V")


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
    gone_s: float = 0.0  # since when
    left: bool = False  # the PBX said that it left
    sure: bool = True  # False: has not been seen since the link was away


@dataclass(slots=True)
class Talk:
    """One answered call."""

    call: int
    member: tuple[str, str]  # queue, extension
    since_s: float


@dataclass(slots=True)
class Listed:
    """One queue as a list shows it, while the list is being read."""

    members: dict[str, State] = field(default_factory=dict)  # by extension
    callers: list[tuple[bytes, float]] = field(default_factory=list)  # key, seconds waited


@dataclass(slots=True)
class List:
    """One list while it is being read."""

    queues: dict[str, Listed] = field(default_factory=dict)
    rows: int = 0


class Adapter:
    """Turns blocks into events.

    `queues`: the PBX's name of each queue → its id in the site file; None: every queue there is, by
    its own name. `salt`: 16 bytes; the same salt makes the same keys. `timed`: `now` is the time at
    which things happened; False: only their order is known, and waits are the PBX's own.
    """

    def __init__(self, queues: Mapping[str, str] | None, salt: bytes = b"", timed: bool = True):
        self.away = True  # nothing is known until a list has been read
        self.doubt = False  # what is known and what the PBX says differ: ask for a list
        self.lists = 0  # lists read to their end
        self.heard = 0  # events about queues since the link was made
        self.unheard = 0  # checks that differed while there were none
        self.deaf = False  # set where the PBX lets us in but tells us nothing; its lists do not help then
        self.dropped = dict.fromkeys(("event", "queue", "half", "full"), 0)  # by what was wrong
        self.timed = timed
        self._salt = salt or os.urandom(16)
        self._every = queues is None
        self._ours = {name.casefold(): queue for name, queue in (queues or {}).items()}
        self._names = {queue: name for name, queue in (queues or {}).items()}
        self._theirs: set[str] = set()  # the PBX's queues that are not ours
        self._numbers = itertools.count(1)
        self._visits: OrderedDict[bytes, Visit] = OrderedDict()  # key → who waits, or is just gone
        self._count = dict.fromkeys(self._names, 0)  # queue → how many of them wait
        self._pending: deque[tuple[float, bytes, Visit]] = deque()  # when to decide about whom
        self._decided: OrderedDict[bytes, Visit] = OrderedDict()  # key → left or vanished
        self._over: OrderedDict[bytes, tuple[str, float]] = OrderedDict()  # key → answered or abandoned
        self._talks: OrderedDict[bytes, Talk] = OrderedDict()  # key → an answered call
        self._talks_of: dict[tuple[str, str], list[bytes]] = {}  # queue, extension → keys
        self._done: OrderedDict[tuple[bytes, str, str, str], None] = OrderedDict()  # ends of talks
        self._members: dict[tuple[str, str], State] = {}  # by queue, extension
        self._listed: set[str] = set()  # queues that the PBX has
        self._listens_s: float | None = None  # since when nothing can have been missed
        self._first_s: float | None = None  # since when anything has been heard at all
        self._tidy_s = float("-inf")  # when to look for what is too old
        self._lists: OrderedDict[str, List] = OrderedDict()  # ActionID → what it has so far

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
        if self._listens_s is None:
            self._listens_s = now
            self._first_s = now if self._first_s is None else self._first_s
        told: list[Event] = []
        hear(self, block, now, told)
        return told

    def due(self, now: float) -> list[Event]:
        """What time alone has decided: call it a few times a second, after what has arrived."""
        told: list[Event] = []
        while self._pending and self._pending[0][0] <= now:
            _, key, visit = self._pending.popleft()
            if visit.gone and self._visits.get(key) is visit:
                self._decide(key, visit, now, told)
        if now < self._tidy_s:
            return told
        self._tidy_s = now + TIDY_S
        while self._visits and now - next(iter(self._visits.values())).since_s > FORGET_S:
            self._decide(*next(iter(self._visits.items())), now, told)
        while self._talks and now - next(iter(self._talks.values())).since_s > FORGET_S:
            self._end_talk(next(iter(self._talks)))
        return told

    def remember(self, rows: Iterable[tuple[str, int, bytes, float]]) -> None:
        """Those (queue, call, key, since_s) who waited when we were last here. Once, before anything else.

        The next list confirms them or lets them go. Numbers of calls go on above theirs.
        """
        top = 0
        for queue, call, key, since in sorted(rows, key=lambda row: row[3])[-CALLS:]:
            top = max(top, call)
            if queue not in self._names:
                continue  # it has been taken out of the site file
            if key in self._visits:  # two stays of one caller: the older one had just ended
                self._visits[key + bytes(1)] = self._visits.pop(key)
            self._visits[key or b"%d" % call] = Visit(queue, call, since, sure=False)
            self._count[queue] += 1
        self._numbers = itertools.count(top + 1)

    def serve(self, queues: Mapping[str, str], now: float) -> list[Event]:
        """Other queues from now on, as the constructor takes them. Of those that stay nothing is forgotten.

        Who waits in one that goes has vanished from our sight; a new one is known with the next list, which is asked
        for by `doubt`.
        """
        told: list[Event] = []
        ours = {name.casefold(): queue for name, queue in queues.items()}
        theirs = {queue: name for name, queue in ours.items()}
        before = {queue: name.casefold() for queue, name in self._names.items()}
        gone = {queue for queue, name in before.items() if theirs.get(queue) != name}
        for key, visit in [row for row in self._visits.items() if row[1].queue in gone]:
            self._decide(key, visit, now, told)
        for key in [key for key, talk in self._talks.items() if talk.member[0] in gone]:
            self._end_talk(key)
        for queue, extension in [key for key in self._members if key[0] in gone]:
            del self._members[queue, extension]
            told.append(events.MemberGone(queue, extension))
        for reading in self._lists.values():
            for queue in gone & reading.queues.keys():
                del reading.queues[queue]
        self._listed -= gone
        self._ours, self._names = ours, {queue: name for name, queue in queues.items()}
        self._theirs -= queues.keys()
        self._count = {queue: 0 if queue in gone else self._count.get(queue, 0) for queue in self._names}
        self.doubt |= bool(gone or theirs.keys() - before.keys())
        return told

    def lost(self, why: str, now: float) -> list[Event]:
        """The link is gone: nothing is known until a list has been read. Who waits is kept for that."""
        told: list[Event] = []
        for _, key, visit in self._pending:
            if visit.gone and self._visits.get(key) is visit:
                visit.left = False  # its answer may have come a moment after the link went
                self._decide(key, visit, now, told)
        for visit in self._visits.values():
            visit.sure = False
        self._pending.clear()
        self._members.clear()
        self._lists.clear()
        self._listens_s = None
        self.away = True
        self.heard = self.unheard = 0
        self.doubt = False
        told.append(events.Away(events.reason(why)))
        return told

    def cut(self, now: float) -> list[Event]:
        """A recording stops here, and goes on some other time or never: it may have no list to tell
        who still waits. So nobody does, until a list shows them or their own end comes."""
        told = self.lost("the recording stops here", now)
        for visit in self._visits.values():
            if not visit.gone:
                visit.gone, visit.gone_s = True, now
                self._count[visit.queue] -= 1
                told.append(events.Gone(visit.queue, visit.call, now))
        return told

    def finish(self, now: float) -> list[Event]:
        """Nothing more will ever come: who is gone has left, or nobody knows how."""
        told: list[Event] = []
        for key, visit in list(self._visits.items()):
            if visit.gone:
                self._decide(key, visit, now, told)
        return told

    # Callers ---------------------------------------------------------------------

    def _key(self, uid: str) -> bytes:
        return hashlib.blake2b(uid.encode("utf-8", "replace"), key=self._salt, digest_size=16).digest()

    def _join(self, block: Block, now: float, told: list[Event]) -> None:
        queue, key = self._queue_and_call(block)
        if not queue:
            return
        if queue not in self._listed:  # a queue that lives in a database is not listed before its first call
            self._listed.add(queue)
            told.append(events.Waiting(queue, self._waiting(queue)))
        visit = self._visits.get(key)
        if visit:
            if visit.queue == queue and not visit.gone and visit.sure and now - visit.since_s < REJOIN_S:
                return  # a list has shown it already
            self._decide(key, visit, now, told)
        self._visit(queue, key, now, now, told)

    def _leave(self, block: Block, now: float, told: list[Event]) -> None:
        queue, key = self._queue_and_call(block)
        visit = self._visits.get(key)
        if not visit or visit.queue != queue:
            return  # abandoned a moment ago, or never seen
        visit.left = True
        self._gone(key, visit, now)
        told.append(events.Gone(queue, visit.call, now))

    def _abandon(self, block: Block, now: float, told: list[Event]) -> None:
        queue, key = self._queue_and_call(block)
        visit = self._take(queue, key, block, now, told)
        if visit:
            told.append(events.Abandoned(queue, visit.call, now, self._waited(visit, block, now)))

    def _connect(self, block: Block, now: float, told: list[Event]) -> None:
        queue, key = self._queue_and_call(block)
        visit = self._take(queue, key, block, now, told)
        if not visit:
            return
        extension = extension_key(block.get("Interface", ""))
        told.append(events.Answered(queue, visit.call, now, extension, self._waited(visit, block, now)))
        self._end_talk(key)
        self._talks[key] = Talk(visit.call, (queue, extension), now)
        self._talks_of.setdefault((queue, extension), []).append(key)
        if len(self._talks) > CALLS:
            self._end_talk(next(iter(self._talks)))

    def _complete(self, block: Block, now: float, told: list[Event]) -> None:
        """The end of a conversation; where nobody saw it begin, that is known now, too."""
        queue = self._queue(block)
        if not queue:
            return
        uid = block.get("Uniqueid", "")
        member = (queue, extension_key(block.get("Interface", "")))
        key = self._key(uid) if uid else self._talks_of.get(member, [b""])[-1]
        talk = self._talks.get(key)
        if talk and talk.member == member:
            self._end_talk(key)
        else:
            talk = None
        talked = _seconds(block.get("TalkTime"))
        said = (key, *member, block.get("TalkTime", ""))
        if not talk and (talked is None or (key and said in self._done)):
            self.dropped["half"] += 1  # half an event, or one said twice
            return
        _keep(self._done, said, None)
        hold = _seconds(block.get("HoldTime"))
        call = talk.call if talk else 0
        if not talk and key and hold is not None:
            call = self._answered_unseen(member, key, hold, now - (talked or 0.0), told)
        talk_s = now - talk.since_s if talk and talked is None else talked or 0.0
        told.append(events.Completed(queue, call, now, talk_s))

    def _answered_unseen(
        self, member: tuple[str, str], key: bytes, hold: float, at_s: float, told: list[Event]
    ) -> int:
        """A caller was answered at `at_s`, when nobody listened. Returns their call's number.

        0: they may have been counted before this start of ours, so nothing more is said of them.
        """
        queue, extension = member
        joined_s = at_s - hold
        over = self._over.get(key)
        if over and over[0] == queue and joined_s < over[1] + WHOLE_S:
            return 0  # said twice
        for callers in (self._visits, self._decided):
            visit = callers.get(key)
            if visit and visit.queue == queue and abs(visit.since_s - joined_s) < REJOIN_S:
                del callers[key]
                if callers is self._visits:
                    self._count[queue] -= not visit.gone
                break
        else:
            if not self.timed or self._first_s is None or joined_s < self._first_s + 2 * WHOLE_S:  # two whole seconds
                return 0
            visit = Visit(queue, next(self._numbers), joined_s)
            told.append(events.Joined(queue, visit.call, joined_s, key))
        _keep(self._over, key, (queue, at_s))
        told.append(events.Answered(queue, visit.call, at_s, extension, hold))
        return visit.call

    def _visit(self, queue: str, key: bytes, since: float, now: float, told: list[Event]) -> Visit:
        """A new caller in a queue."""
        self._decided.pop(key, None)
        visit = self._visits[key] = Visit(queue, next(self._numbers), since)
        self._count[queue] += 1
        told.append(events.Joined(queue, visit.call, since, key))
        if len(self._visits) > CALLS:
            self.dropped["full"] += 1
            self._decide(*next(iter(self._visits.items())), now, told)
        return visit

    def _waiting(self, queue: str) -> tuple[tuple[int, float], ...]:
        here = (visit for visit in self._visits.values() if visit.queue == queue and not visit.gone)
        return tuple((visit.call, visit.since_s) for visit in here)

    def _gone(self, key: bytes, visit: Visit, now: float) -> None:
        """A caller waits no longer; why is decided within GRACE_S."""
        if not visit.gone:
            visit.gone, visit.gone_s = True, now
            self._count[visit.queue] -= 1
        self._pending.append((now + GRACE_S, key, visit))

    def _decide(self, key: bytes, visit: Visit, now: float, told: list[Event]) -> None:
        """A caller is gone for good, and neither an answer nor an abandon has been seen."""
        del self._visits[key]
        if not visit.gone:
            self._count[visit.queue] -= 1
        if visit.left:
            told.append(events.Left(visit.queue, visit.call, visit.gone_s))
        else:
            told.append(events.Vanished(visit.queue, visit.call, now))
        _keep(self._decided, key, visit)

    def _take(self, queue: str, key: bytes, block: Block, now: float, told: list[Event]) -> Visit | None:
        """The caller whose stay ends here; one who was never seen joins on the way."""
        if not queue:
            return None
        visit = self._visits.get(key)
        if visit and visit.queue == queue:
            del self._visits[key]
            self._count[queue] -= not visit.gone
        else:
            if visit:
                self._decide(key, visit, now, told)
            visit = self._late(queue, key, _seconds(block.get("HoldTime")), now, told)
        if visit:
            _keep(self._over, key, (queue, now))
        return visit

    def _late(
        self, queue: str, key: bytes, hold: float | None, now: float, told: list[Event]
    ) -> Visit | None:
        """The caller whose stay ends here, among those who are known otherwise than by `key`."""
        decided = self._decided.get(key)
        if decided and decided.queue == queue:
            return self._decided.pop(key)  # a slow link: the answer comes after all
        over = self._over.get(key)
        if hold is None or (over and over[0] == queue and now - hold < over[1] + WHOLE_S):
            self.dropped["half"] += 1  # half an event, or one said twice
            return None
        renamed = self._renamed(queue, now - hold)
        if renamed:
            self._count[queue] -= 1
            return self._visits.pop(renamed)
        visit = Visit(queue, next(self._numbers), now - hold)
        told.append(events.Joined(queue, visit.call, visit.since_s, key))
        return visit

    def _renamed(self, queue: str, since: float, listed: frozenset[bytes] = frozenset()) -> bytes | None:
        """Who joined at this time and goes on under another Uniqueid. `listed`: who is known not to."""
        if not self.timed or self._listens_s is None or since < self._listens_s + WHOLE_S:
            return None  # may well have joined when nobody listened
        near = ((abs(visit.since_s - since), key) for key, visit in self._visits.items()
                if visit.queue == queue and not visit.gone and key not in listed)  # fmt: skip
        apart, key = min(near, default=(WHOLE_S, b""))
        return key if apart < WHOLE_S else None

    def _waited(self, visit: Visit, block: Block, now: float) -> float:
        """How long a caller waited: by our clock, held against the PBX's whole seconds.

        They differ where our clock did not see it: a link that stalled, or a recording in fast motion.
        """
        ours, theirs = now - visit.since_s, _seconds(block.get("HoldTime"))
        return ours if theirs is None or (self.timed and abs(ours - theirs) <= WHOLE_S) else theirs

    def _end_talk(self, key: bytes) -> Talk | None:
        talk = self._talks.pop(key, None)
        if talk:
            calls = self._talks_of[talk.member]
            calls.remove(key)
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

    def _tell_member(self, queue: str, extension: str, state: State, told: list[Event]) -> None:
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
        queues = self._lists.setdefault(number, List()).queues
        queue = self._id(name)
        if queue:
            queues[queue] = Listed()
        elif len(self._theirs) < NAMES:
            self._theirs.add(name)

    def _list_member(self, block: Block, now: float, told: list[Event]) -> None:
        listed = self._listed_in(block, MEMBERS)
        extension = extension_key(block.get("Location") or block.get("Interface", ""))
        if listed and extension:
            listed.members[extension] = _member_state(block)

    def _list_caller(self, block: Block, now: float, told: list[Event]) -> None:
        listed = self._listed_in(block, CALLS)
        uid, wait = block.get("Uniqueid"), _seconds(block.get("Wait"))
        if listed and uid and wait is not None and wait < FORGET_S:
            listed.callers.append((self._key(uid), wait))

    def _listed_in(self, block: Block, most: int) -> Listed | None:
        """Where a row of a list belongs; None for a queue that is not ours, and where there are too many."""
        reading = self._lists.get(block.get("ActionID", ""))
        if reading is None or reading.rows >= most:
            return None
        reading.rows += 1
        return reading.queues.get(self._id(block.get("Queue", "")))

    def _list_end(self, block: Block, now: float, told: list[Event]) -> None:
        number = block.get("ActionID", "")
        queues = self._lists.pop(number, List()).queues
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
        """Who waits is who is listed; each who is new is told as Joined first."""
        here = frozenset(key for key, _ in listed.callers)
        for key, wait in listed.callers:
            visit = self._visits.get(key)
            if visit and (visit.queue != queue or visit.left or now - wait - visit.since_s > REJOIN_S):
                self._decide(key, visit, now, told)  # it has joined again since
                visit = None
            if visit is None:
                self._find_or_visit(queue, key, now - wait, here, now, told)
            elif visit.gone:
                visit.gone = False
                self._count[queue] += 1
            self._visits[key].sure = True
        for key, visit in self._visits.items():
            if visit.queue == queue and not visit.gone and key not in here:
                self._gone(key, visit, now)  # its end may be right behind the list
        self._listed.add(queue)
        told.append(events.Waiting(queue, self._waiting(queue)))

    def _find_or_visit(
        self, queue: str, key: bytes, since: float, here: frozenset[bytes], now: float, told: list[Event]
    ) -> None:
        """A caller whom only the list knows: new, or one who goes on under another Uniqueid."""
        renamed = self._renamed(queue, since, here)
        if renamed:
            self._visits[key] = self._visits.pop(renamed)
        else:
            self._visit(queue, key, since, now, told)

    def _resync_members(self, queue: str, listed: Listed, told: list[Event]) -> None:
        for extension, state in listed.members.items():
            self._tell_member(queue, extension, state, told)
        for key in [key for key in self._members if key[0] == queue and key[1] not in listed.members]:
            del self._members[key]
            told.append(events.MemberGone(*key))

    def _missing(self, queue: str) -> str:
        name = self._names[queue]
        close = difflib.get_close_matches(name, self._theirs, n=1, cutoff=0.8)  # too alike to hold a caller's number
        hint = f"did you mean '{close[0]}'?" if close else "check pbx = in the site file"
        return events.reason(f"the PBX has no queue '{name}': {hint}")

    # The check -------------------------------------------------------------------

    def _check(self, block: Block, now: float, told: list[Event]) -> None:
        """A summary says how many wait. Where that differs, something was missed."""
        queue = self._id(block.get("Queue", ""))
        callers = block.get("Callers", "")
        if queue and callers.isdecimal() and int(callers[:9]) != self._count[queue] and not self.doubt:
            self.doubt = True
            self.unheard += not self.heard

    def _restarted(self, block: Block, now: float, told: list[Event]) -> None:
        """Said at every login, with the time since it started: no call is older than that."""
        self.doubt = True  # a list read while it was starting may have lacked queues
        uptime = _seconds(block.get("Uptime"))
        if uptime is None or not self.timed:
            return
        began = now - uptime - WHOLE_S
        for key in [key for key, visit in self._visits.items() if visit.since_s < began]:
            self._gone(key, self._visits[key], now)
        for key in [key for key, talk in self._talks.items() if talk.since_s < began]:
            self._end_talk(key)

    # What every event has --------------------------------------------------------

    def _queue(self, block: Block) -> str:
        """Our id of an event's queue; empty for one that is not in the site file."""
        self.heard += 1
        self.unheard = 0
        if self.deaf:
            self.deaf = False
            self.doubt = True
        queue = self._id(block.get("Queue", ""))
        if not queue:
            self.dropped["queue"] += 1
        return queue

    def _id(self, name: str) -> str:
        """Our id of the PBX's queue `name`; empty for one that is not ours."""
        queue = self._ours.get(name.casefold(), "")
        if not queue and self._every and name and len(self._names) < NAMES:
            queue = self._ours[name.casefold()] = self._names[name] = name
            self._count[queue] = 0
        return queue

    def _queue_and_call(self, block: Block) -> tuple[str, bytes]:
        """Our id of the queue, and the caller's key; ("", b"") where one is not there."""
        queue, uid = self._queue(block), block.get("Uniqueid", "")
        if queue and not uid:
            self.dropped["half"] += 1
        return (queue, self._key(uid)) if queue and uid else ("", b"")


def _member_state(block: Block) -> State:
    state = STATES.get(block.get("Status", ""), "unknown")
    return state, block.get("Paused") == "1", block.get("StateInterface", "")


def _seconds(text: str | None) -> float | None:
    """A whole number of seconds of the PBX's; None for anything else."""
    return float(text) if text and text.isdecimal() and len(text) < 10 else None


def _keep(some: OrderedDict[K, V], key: K, value: V) -> None:
    """Keeps the last DECIDED of some."""
    some[key] = value
    if len(some) > DECIDED:
        some.popitem(last=False)


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
    "QueueMemberPenalty": Adapter._member,
    "QueueMemberRinginuse": Adapter._member,
    "QueueMemberRemoved": Adapter._member_gone,
    "QueueParams": Adapter._list_queue,
    "QueueMember": Adapter._list_member,
    "QueueEntry": Adapter._list_caller,
    "QueueStatusComplete": Adapter._list_end,
    "QueueSummary": Adapter._check,
    "FullyBooted": Adapter._restarted,
}
HEARD = frozenset(HEAR)
# Those that say nothing of callers.
OF_MEMBERS = frozenset(name for name in HEAR if name.startswith("QueueMember"))
