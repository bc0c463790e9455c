"""A phone system that is not there: queues, callers and members, and the AMI events they cause.

It speaks as Asterisk 22 does, header by header (a test holds it against a recorded one), through
`simulator/manager.py`. Its callers are obviously nobody: no Norwegian number begins with 0.
Whoever drives it says what people do; every verb answers False where that is no longer possible,
as when a caller hangs up while somebody reaches for the handset.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.manager import Manager, Row, text

WITHIN_S = 20  # servicelevel in its queues.conf

IDLE, BUSY, RINGING = 1, 2, 6  # the numbers Asterisk has for a member's state


@dataclass(slots=True)
class Counts:
    """What has really happened in one queue: always joined = the others + those who wait."""

    joined: int = 0
    answered: int = 0
    abandoned: int = 0
    timed_out: int = 0  # given up by the queue
    left: int = 0  # by a key
    lost: int = 0  # when the phone system restarted
    completed: int = 0  # of the answered, talked to the end


@dataclass(slots=True)
class Member:
    """One phone that may serve several queues."""

    extension: str  # as `queue show` prints it
    name: str
    device: str  # whose state it has
    state: int = IDLE
    paused: bool = False
    since: float = 0.0  # when it was added
    turn: int = 0  # grows with every ring
    taken: int = 0
    last_call: int = 0
    last_pause: int = 0


@dataclass(slots=True)
class Call:
    """One caller."""

    number: int
    queue: str
    joined: float
    first_position: int
    uid: str
    channel: str
    caller_id: str
    state: str = "waiting"  # waiting, ringing, talking
    member: Member | None = None
    rung: float = 0.0
    answered: float = 0.0
    leg: int = 0  # the call to the member
    lines: str = ""  # what every event says of the caller


@dataclass(slots=True)
class Queue:
    """One queue, with the figures Asterisk itself keeps of it."""

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    calls: dict[int, Call] = field(default_factory=dict)  # who waits, the longest first
    hold_s: int = 0  # Asterisk's moving averages
    talk_s: int = 0
    completed: int = 0
    in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0

    def position(self, call: int) -> int:
        """Which place a waiting caller has, from 1."""
        return next(place for place, number in enumerate(self.calls, 1) if number == call)


class Pbx:
    """One phone system. `user` and `secret`: who may log in at its AMI. `seed`: its callers' numbers."""

    def __init__(
        self,
        user: str,
        secret: str,
        seed: int | None = None,
        name: str = "sim",
        clock: Callable[[], float] = time.time,
    ):
        self.counts: dict[str, Counts] = {}  # by queue: what a gateway should have counted
        # Told of every end of waiting: queue, how (as Counts calls it), seconds waited.
        self.ended: Callable[[str, str, float], None] = lambda queue, how, waited_s: None
        self.manager = Manager(user, secret, self._status, self._summary, clock)
        self._name = name
        self.clock = clock
        self._random = random.Random(seed)
        self._queues: dict[str, Queue] = {}
        self._members: dict[str, Member] = {}
        self._calls: dict[int, Call] = {}
        self._numbers = itertools.count(1)
        self._legs = itertools.count(1)

    # What there is ---------------------------------------------------------------

    def waiting(self, queue: str) -> list[int]:
        """The callers of a queue that are not connected yet, those who ring too; the longest first."""
        return list(self._queues[queue].calls)

    def oldest_wait_s(self, queue: str) -> float:
        """How long the longest of them has waited; 0 where nobody waits."""
        return max((self.clock() - call.joined for call in self._queues[queue].calls.values()), default=0.0)

    def idle_members(self, queue: str) -> list[str]:
        """Who could be rung now; whose turn was longest ago first."""
        members = self._queues[queue].members.values()
        free = [member for member in members if member.state == IDLE and not member.paused]
        return [member.extension for member in sorted(free, key=lambda member: member.turn)]

    def busy_members(self, queue: str) -> int:
        """How many members ring or talk, whichever queue their call is of."""
        return sum(member.state != IDLE for member in self._queues[queue].members.values())

    @property
    def calls(self) -> int:
        """How many callers there are, waiting or talking."""
        return len(self._calls)

    def state(self, call: int) -> str:
        """`waiting`, `ringing`, `talking`, or `ended`."""
        return self._calls[call].state if call in self._calls else "ended"

    # Queues and members ----------------------------------------------------------

    def add_queue(self, queue: str) -> None:
        """Makes an empty queue."""
        self._queues[queue] = Queue(queue)
        self.counts[queue] = Counts()

    def add_member(self, queue: str, extension: str, device: str = "") -> None:
        """Makes a phone a member of a queue; the same phone may be in several.

        `device`: where the member sits, where that has another name; it moves by leaving and coming again.
        """
        place = self._queues[queue]
        member = self._members.get(extension)
        if member is None:
            number = len(self._members) + 1
            member = Member(extension, f"Agent {number}", device or extension, since=self.clock())
            self._members[extension] = member
        elif device:
            member.device = device
        place.members[extension] = member
        self._tell("QueueMemberAdded", self._member_rows(place, member))

    def remove_member(self, queue: str, extension: str) -> None:
        """Takes a phone out of a queue; a call it is in goes on."""
        place = self._queues[queue]
        member = place.members.pop(extension)
        self._tell("QueueMemberRemoved", self._member_rows(place, member))

    def pause(self, extension: str, paused: bool, reason: str = "Break") -> bool:
        """Takes a phone out of all distribution, or back in."""
        member = self._members[extension]
        if member.paused == paused:
            return False
        member.paused = paused
        member.last_pause = int(self.clock()) if paused else 0
        for queue in self._queues_of(member):
            self._tell("QueueMemberPause", self._member_rows(queue, member, reason if paused else ""))
        return True

    # Callers ---------------------------------------------------------------------

    def join(self, queue: str) -> int:
        """A caller enters a queue. Returns the number that all other verbs want."""
        number = next(self._numbers)
        uid = f"{self._name}-{int(self.clock())}.{number}"
        channel = f"Local/{queue}@queuein-{number:08x};2"
        caller_id = f"+47000{self._random.randrange(100_000):05d}"
        return self._join(number, queue, uid, channel, caller_id)

    def transfer(self, call: int, queue: str) -> int:
        """An answered caller is sent on to another queue, the same channel all along.

        Returns the new number of the caller, 0 where nobody is in a conversation.
        """
        caller = self._calls.get(call)
        if not caller or caller.state != "talking":
            return 0
        self._complete(caller, "transfer")
        return self._join(next(self._numbers), queue, caller.uid, caller.channel, caller.caller_id)

    def _join(self, number: int, queue: str, uid: str, channel: str, caller_id: str) -> int:
        place = self._queues[queue]
        call = Call(number, queue, self.clock(), len(place.calls) + 1, uid, channel, caller_id)
        place.calls[number] = self._calls[number] = call
        self.counts[queue].joined += 1
        rows = [("Position", call.first_position), ("Count", len(place.calls))]
        self._tell("QueueCallerJoin", [("Queue", queue), *rows], call)
        return number

    def ring(self, call: int, extension: str) -> bool:
        """Rings an idle member for a caller who waits."""
        caller = self._calls.get(call)
        member = self._members[extension]
        if not caller or caller.state != "waiting" or member.state != IDLE or member.paused:
            return False
        if extension not in self._queues[caller.queue].members:
            raise ValueError(f"{extension} is not a member of {caller.queue}: add_member first")
        caller.state, caller.member, caller.leg = "ringing", member, next(self._legs)
        caller.rung = self.clock()
        member.turn = caller.leg
        self._tell("AgentCalled", [*self._leg_rows(caller, 0, "Down"), *self._agent_rows(caller)], caller)
        self._set_state(member, RINGING)
        return True

    def answer(self, call: int) -> bool:
        """The member who is rung lifts the handset."""
        caller = self._calls.get(call)
        if not caller or caller.state != "ringing" or not caller.member:
            return False
        queue, now = self._queues[caller.queue], self.clock()
        hold_s = int(now) - int(caller.joined)
        caller.state, caller.answered = "talking", now
        self.counts[caller.queue].answered += 1
        queue.hold_s = (3 * queue.hold_s + hold_s) // 4
        self._leave(caller, "answered")
        self._tell("AgentConnect", [
            *self._leg_rows(caller, 6, "Up"), *self._agent_rows(caller),
            ("HoldTime", hold_s), ("RingTime", int(now) - int(caller.rung)),
        ], caller)  # fmt: skip
        self._set_state(caller.member, BUSY)
        return True

    def no_answer(self, call: int) -> bool:
        """The member who is rung does not lift; the caller waits on."""
        caller = self._calls.get(call)
        if not caller or caller.state != "ringing" or not caller.member:
            return False
        rung_ms = int((self.clock() - caller.rung) * 1000)
        self._tell("AgentRingNoAnswer", [
            *self._leg_rows(caller, 5, "Ringing"), *self._agent_rows(caller), ("RingTime", rung_ms),
        ], caller)  # fmt: skip
        self._stop_ringing(caller)
        return True

    def hang_up(self, call: int, reason: str = "caller") -> bool:
        """Ends a call: abandoned where the caller still waits, complete where they talk."""
        caller = self._calls.get(call)
        if not caller:
            return False
        if caller.state == "talking":
            self._complete(caller, reason)
        else:
            self.counts[caller.queue].abandoned += 1
            self._abandon(caller, "abandoned")
        return True

    def time_out(self, call: int) -> bool:
        """The queue gives up on a caller who waits; AMI says it as if the caller had hung up."""
        caller = self._calls.get(call)
        if not caller or caller.state == "talking":
            return False
        self.counts[caller.queue].timed_out += 1
        self._abandon(caller, "timed_out")
        return True

    def leave_by_key(self, call: int) -> bool:
        """A caller presses a key and goes on elsewhere: Asterisk says no more than that they left."""
        caller = self._calls.get(call)
        if not caller or caller.state == "talking":
            return False
        self._stop_ringing(caller)
        self.counts[caller.queue].left += 1
        self._leave(caller, "left")
        del self._calls[call]
        return True

    def _abandon(self, caller: Call, how: str) -> None:
        queue = self._queues[caller.queue]
        hold_s = int(self.clock()) - int(caller.joined)
        queue.abandoned += 1
        queue.abandoned_in_time += hold_s <= WITHIN_S
        self._tell("QueueCallerAbandon", [
            ("Queue", caller.queue), ("Position", queue.position(caller.number)),
            ("OriginalPosition", caller.first_position), ("HoldTime", hold_s),
        ], caller)  # fmt: skip
        self._leave(caller, how)
        del self._calls[caller.number]
        self._stop_ringing(caller)

    def _complete(self, caller: Call, reason: str) -> None:
        queue, member = self._queues[caller.queue], caller.member
        assert member
        hold_s = int(caller.answered) - int(caller.joined)
        talk_s = int(self.clock()) - int(caller.answered)
        self.counts[caller.queue].completed += 1
        queue.completed += 1
        queue.in_time += hold_s <= WITHIN_S
        queue.talk_s = (3 * queue.talk_s + talk_s) // 4
        member.taken += 1
        member.last_call = int(self.clock())
        self._tell("AgentComplete", [
            *self._leg_rows(caller, 6, "Up"), *self._agent_rows(caller),
            ("HoldTime", hold_s), ("TalkTime", talk_s), ("Reason", reason),
        ], caller)  # fmt: skip
        del self._calls[caller.number]
        self._set_state(member, IDLE)

    def _leave(self, caller: Call, how: str) -> None:
        queue = self._queues[caller.queue]
        position = queue.position(caller.number)
        del queue.calls[caller.number]
        self.ended(caller.queue, how, self.clock() - caller.joined)
        rows = [("Position", position), ("Count", len(queue.calls))]
        self._tell("QueueCallerLeave", [("Queue", caller.queue), *rows], caller)

    def _stop_ringing(self, caller: Call) -> None:
        member, caller.member = caller.member, None
        caller.state = "waiting"
        if member:
            self._set_state(member, IDLE)

    # Service ---------------------------------------------------------------------

    async def serve(self, host: str, port: int) -> None:
        """Serves its AMI until cancelled. Raises OSError where the address is taken."""
        await self.open(host, port)
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Opens its AMI and returns the port; the rest happens on this event loop, until close."""
        return await self.manager.open(host, port)

    async def close(self) -> None:
        """Closes its AMI and drops who is connected. Callers and members stay: open it again."""
        await self.manager.close()

    def restart(self) -> None:
        """Loses every caller and every connection, as a phone system that is restarted does."""
        self.manager.drop_all()
        for queue in self._queues.values():
            self.counts[queue.name].lost += len(queue.calls)
        self._calls.clear()
        for queue in self._queues.values():
            self._queues[queue.name] = Queue(queue.name, queue.members)
        for member in self._members.values():
            member.state, member.taken, member.last_call = IDLE, 0, 0

    # What Asterisk writes --------------------------------------------------------

    def _tell(self, name: str, rows: list[Row], caller: Call | None = None) -> None:
        if not self.manager.listeners:
            return
        head = (
            f"Event: {name}\r\nPrivilege: agent,all\r\n"
            f"Timestamp: {self.clock():.6f}\r\nSystemName: {self._name}\r\n"
        )
        if caller and not caller.lines:
            caller.lines = text(self._caller_rows(caller))
        self.manager.tell(head + (caller.lines if caller else "") + text(rows))

    def _set_state(self, member: Member, state: int) -> None:
        member.state = state
        for queue in self._queues_of(member):
            self._tell("QueueMemberStatus", self._member_rows(queue, member))

    def _queues_of(self, member: Member) -> list[Queue]:
        return [queue for queue in self._queues.values() if member.extension in queue.members]

    def _caller_rows(self, call: Call) -> list[Row]:
        number, name = _caller_id(call)
        return [
            ("Channel", call.channel), ("ChannelState", 6), ("ChannelStateDesc", "Up"),
            ("CallerIDNum", number), ("CallerIDName", name),
            ("ConnectedLineNum", number), ("ConnectedLineName", name),
            ("Language", "en"), ("AccountCode", ""), ("Context", "queuein"), ("Exten", call.queue),
            ("Priority", 2), ("Uniqueid", call.uid), ("Linkedid", call.uid),
        ]  # fmt: skip

    def _leg_rows(self, call: Call, state: int, words: str) -> list[Row]:
        assert call.member
        number, name = _caller_id(call)
        channel = call.member.extension.removesuffix("/n")
        return [
            ("DestChannel", f"{channel}-{call.leg:08x};1"),
            ("DestChannelState", state), ("DestChannelStateDesc", words),
            ("DestCallerIDNum", number), ("DestCallerIDName", name),
            ("DestConnectedLineNum", number), ("DestConnectedLineName", name),
            ("DestLanguage", "en"), ("DestAccountCode", ""), ("DestContext", "agents"),
            ("DestExten", call.queue), ("DestPriority", 1),
            ("DestUniqueid", f"{call.uid}.{call.leg}"), ("DestLinkedid", call.uid),
        ]  # fmt: skip

    def _agent_rows(self, call: Call) -> list[Row]:
        assert call.member
        return [
            ("Queue", call.queue),
            ("Interface", call.member.extension),
            ("MemberName", call.member.name),
        ]

    def _member_rows(self, queue: Queue, member: Member, reason: str = "") -> list[Row]:
        return [
            ("Queue", queue.name), ("MemberName", member.name), ("Interface", member.extension),
            *self._member_figures(member, reason), ("Ringinuse", 0), ("Wrapuptime", 0),
        ]  # fmt: skip

    def _member_figures(self, member: Member, reason: str = "") -> list[Row]:
        return [
            ("StateInterface", member.device), ("Membership", "dynamic"), ("Penalty", 0),
            ("CallsTaken", member.taken), ("LastCall", member.last_call),
            ("LastPause", member.last_pause), ("LoginTime", int(member.since)),
            ("InCall", int(member.state == BUSY)), ("Status", member.state),
            ("Paused", int(member.paused)), ("PausedReason", reason),
        ]  # fmt: skip

    def _status(self) -> list[list[Row]]:
        """What QueueStatus lists."""
        now = self.clock()
        blocks: list[list[Row]] = []
        for queue in self._queues.values():
            ended = queue.completed + queue.abandoned
            perf = 100 * queue.in_time / queue.completed if queue.completed else 0
            perf2 = 100 * (queue.in_time + queue.abandoned_in_time) / ended if ended else 0
            blocks.append([
                ("Event", "QueueParams"), ("Queue", queue.name), ("Max", 0), ("Strategy", "rrmemory"),
                ("Calls", len(queue.calls)), ("Holdtime", queue.hold_s), ("TalkTime", queue.talk_s),
                ("Completed", queue.completed), ("Abandoned", queue.abandoned),
                ("ServiceLevel", WITHIN_S), ("ServicelevelPerf", f"{perf:.1f}"),
                ("ServicelevelPerf2", f"{perf2:.1f}"), ("Weight", 0),
            ])  # fmt: skip
            for member in queue.members.values():
                blocks.append([
                    ("Event", "QueueMember"), ("Queue", queue.name), ("Name", member.name),
                    ("Location", member.extension), *self._member_figures(member), ("Wrapuptime", 0),
                ])  # fmt: skip
            for place, call in enumerate(queue.calls.values()):
                number, name = _caller_id(call)
                blocks.append([
                    ("Event", "QueueEntry"), ("Queue", queue.name), ("Position", place + 1),
                    ("Channel", call.channel), ("Uniqueid", call.uid),
                    ("CallerIDNum", number), ("CallerIDName", name),
                    ("ConnectedLineNum", number), ("ConnectedLineName", name),
                    ("Wait", int(now) - int(call.joined)), ("Priority", 0),
                ])  # fmt: skip
        return blocks

    def _summary(self) -> list[list[Row]]:
        """What QueueSummary lists."""
        now = self.clock()
        blocks: list[list[Row]] = []
        for queue in self._queues.values():
            longest = max((int(now) - int(call.joined) for call in queue.calls.values()), default=0)
            blocks.append([
                ("Event", "QueueSummary"), ("Queue", queue.name), ("LoggedIn", len(queue.members)),
                ("Available", len(self.idle_members(queue.name))), ("Callers", len(queue.calls)),
                ("HoldTime", queue.hold_s), ("TalkTime", queue.talk_s), ("LongestHoldTime", longest),
            ])  # fmt: skip
        return blocks


def _caller_id(call: Call) -> tuple[str, str]:
    return call.caller_id, f"Caller {call.uid.rpartition('.')[2]}"
