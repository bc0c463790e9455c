"""A source that pushes: another PBX, a chat bot, a web chat. Messages and the time in, events out.

Pure but for the clock it is given. A source tells a queue in one of two shapes, for as long as
the gateway runs: by its figures (counters that only grow) or by what happens (see push_body.py).

Nothing is counted twice, whatever is sent again and whoever is restarted in between:
  * Of counters only the growth since the last word counts. Smaller than before means that the
    source began anew, and the whole number counts. The first word ever counts nothing: nobody
    knows since when it counts. Word for word what was said lately is an old message come late.
  * A caller is one stay in one queue. Who waits, talks or has ended lately is known by a digest of
    the source's own id, and what does not fit is ignored: a second join, the end of a stranger.
What has to be known for that after a restart is the `mark`, kept together with the counts.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import floorplan
from firmware import contract
from gateway.queues import events
from gateway.queues.events import Event
from gateway.queues.push_body import (
    COUNTERS,
    DAY_S,
    Answered,
    Completed,
    Ended,
    EventsBody,
    Figures,
    Joined,
    OtherShape,
    PushError,
    Waits,
    decode,
    read,
)
from gateway.queues.totals import COUNTED, LONGEST

__all__ = ["TOPIC", "OtherShape", "Push", "PushError", "decode", "parse_push_topic", "push_topic"]

TOPIC = "source/+/queue/+"  # whose, and which

CALLERS = 10_000  # who wait in one queue; the oldest fall out
KNOWN = 1000  # who talk, and who ended lately, in one queue each
AGAIN_S = 3600.0  # so long a message may be sent again: as long an end is known
SAID = 8  # messages with figures that are known word for word, and runs of a source
KEY_BYTES = 8  # of a caller's digest
STRANGER = 0  # the number of one whose conversation began before a restart

# What the gateway counts by itself, also of a queue that is told in figures.
OURS = frozenset({"vanished", "handling_s", "available_s", "seen_s"})

ENDS: dict[str, type[events.Abandoned] | type[events.TimedOut]] = {
    "abandoned": events.Abandoned,
    "timed_out": events.TimedOut,
}
LEAVES: dict[str, type[events.Left] | type[events.LeftByKey]] = {
    "left": events.Left,
    "left_by_key": events.LeftByKey,
}


T = TypeVar("T")


@dataclass(slots=True)
class Stay:
    """One caller who waits."""

    call: int
    since_s: float


@dataclass(slots=True)
class Told:
    """What one queue has been told."""

    heard_s: float  # when last; in the beginning: since when we listen
    known: bool = False  # its figures are
    waits: bool = True  # unknown, and it has its time still to be told of
    shape: str = ""  # of this run; empty: nothing yet
    counters: dict[str, float] = field(default_factory=dict)  # as they were said last
    said: deque[str] = field(default_factory=lambda: deque(maxlen=SAID))  # digests of messages
    runs: deque[str] = field(default_factory=lambda: deque(maxlen=SAID))  # and of runs, the newest last
    waiting: OrderedDict[bytes, Stay] = field(default_factory=OrderedDict)
    talking: OrderedDict[bytes, tuple[int, float]] = field(default_factory=OrderedDict)  # → call, since
    over: OrderedDict[bytes, float] = field(default_factory=OrderedDict)  # → when it ended
    stirred: bool = False  # the mark has changed


class Push:
    """One source, as a source of events. `tell` gets every event, in order, within the call of `hear`.

    `clock` is the gateway's. `salt` makes the digests of callers unlike those of any other house; it
    has to be the same after a restart. The numbers of its callers are no other source's.
    """

    def __init__(
        self,
        source: floorplan.Source,
        queues: Collection[str],
        tell: Callable[[Event], None],
        clock: Callable[[], float],
        salt: bytes = b"",
    ):
        self.source = source
        self.queues = frozenset(queues)
        self.ignored = 0  # events that changed nothing: said before, or of somebody never heard of
        self._tell = tell
        self._clock = clock
        self._salt = hashlib.blake2b(salt).digest()  # however long it was
        self._number = (int.from_bytes(_digest(source.id.encode())[:4]) >> 1 << 32) + 1  # of the next caller
        self._there = False  # Back has been told
        self._by_http = False  # its last word came so: no broker stands between us
        self._deaf = ""  # why the broker is away; empty: it is there
        self._deaf_until_s = float("-inf")  # when it came back
        self._missed = False  # that there is nobody has been told
        self._told = {queue: Told(clock()) for queue in sorted(queues)}

    # Restarts --------------------------------------------------------------------

    def remember(self, queue: str, mark: str) -> None:
        """What was kept of a queue with its counts. One that cannot be read is as good as none."""
        told = self._told.get(queue)
        if told is None:
            return
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            kept = json.loads(mark)
            if "counters" in kept:
                told.counters = {
                    name: amount
                    for name, amount in kept["counters"].items()
                    if name in COUNTERS and type(amount) in (int, float) and amount >= 0
                }
                told.said.extend(str(digest) for digest in kept["said"])
                told.runs.extend(str(digest) for digest in kept["runs"])
            else:
                talking, over = _keys(kept["talking"]), _keys(kept["over"])
                told.talking.update((key, (STRANGER, told.heard_s)) for key in talking)
                told.over.update((key, told.heard_s) for key in over)

    def remember_waiting(self, rows: Iterable[tuple[str, int, bytes, float]]) -> None:
        """(queue, call, key, since_s) of those who waited when we were last here: they have been counted."""
        for queue, call, key, since_s in sorted(rows, key=lambda row: row[3]):
            if queue in self._told and key:
                self._told[queue].waiting[key] = Stay(call, since_s)
                self._number = max(self._number, call + 1)

    def leave(self, queues: Collection[str]) -> None:
        """Who waits in these has vanished: they go, with the next `follow`."""
        now = self._clock()
        for queue in sorted(self._told.keys() & set(queues)):
            for stay in self._told[queue].waiting.values():
                self._tell(events.Vanished(queue, stay.call, now))
            self._told[queue].waiting.clear()

    def follow(self, source: floorplan.Source, queues: Collection[str]) -> None:
        """Other queues from now on; those that stay go on as they are. Without any it takes nothing more."""
        self.source, self.queues = source, frozenset(queues)
        if not queues:
            self._there = self._missed = False
        self._told = {queue: self._told.get(queue) or Told(self._clock()) for queue in sorted(queues)}

    def take_mark(self, queue: str) -> str | None:
        """What has to be kept with the counts told so far; None: as it was when last taken."""
        told = self._told[queue]
        if not told.stirred:
            return None
        told.stirred = False
        return _mark(told)

    # Heard -----------------------------------------------------------------------

    def hear_broker(self, away: str, now: float) -> None:
        """The broker is away, and why; or, empty, it is back: whoever pushes over it has its time to be heard."""
        if self._deaf and not away:
            self._deaf_until_s = now
            for queue, told in self._told.items():
                if self._there and not told.known and told.waits:
                    self._tell(events.Missing(queue, self._silent("yet"), waits=True))
        self._deaf = away

    def hear(self, queue: str, body: object, by_broker: bool = False) -> None:
        """One decoded message about one queue. Raises PushError, and then nothing of it was taken."""
        told = self._told.get(queue)
        if told is None:
            raise PushError(("", f"is about a queue that is not one of '{self.source.id}' in the site file"))
        word = read(body)
        shape = "events" if isinstance(word, EventsBody) else "figures"
        if told.shape not in ("", shape):
            words = f"this queue is told by '{told.shape}' so far: keep to it, or restart the gateway"
            raise OtherShape(("", words))
        now = self._clock()
        told.shape = shape
        told.heard_s = now
        self._by_http = not by_broker
        if isinstance(word, EventsBody):
            self._hear_events(queue, told, word, now)
        else:
            self._hear_figures(queue, told, word.figures, now)

    def due(self, now: float) -> None:
        """Tells what time alone has decided: silence, and callers of a day ago. Call it every second or so."""
        deaf = "" if self._by_http else self._deaf
        since_s = float("-inf") if self._by_http else self._deaf_until_s
        heard_s = max((told.heard_s for told in self._told.values()), default=now)
        silent = not deaf and now - max(heard_s, since_s) >= self.source.silent_s
        if silent and not self._there and not self._missed:
            self._missed = True
            words = f"'{self.source.id}' has said nothing so far: is it running, does its token fit?"
            self._tell(events.Away(events.reason(words)))
        for queue, told in self._told.items():
            late = now - told.heard_s >= self.source.silent_s
            waits = bool(deaf) or now - max(told.heard_s, since_s) < self.source.silent_s
            if late and (told.known or (told.waits and not waits)):
                told.known, told.waits = False, waits
                if self._there:
                    words = events.reason(deaf) if deaf else self._silent(f"for {self.source.silent_s} s")
                    self._tell(events.Missing(queue, words, waits))
            for key in _older(told.waiting, now - DAY_S, lambda stay: stay.since_s):
                self._tell(events.Vanished(queue, self._end(told, key, now).call, now))
            for key in _older(told.talking, now - DAY_S, lambda talk: talk[1]):
                self._over(told, key, now)
            for key in _older(told.over, now - AGAIN_S, lambda ended_s: ended_s):
                del told.over[key]
        if self._there and silent and not any(told.known for told in self._told.values()):
            self._there, self._missed = False, True
            words = (
                f"'{self.source.id}' has said nothing for {self.source.silent_s} s: is it running, does its token fit?"
            )
            self._tell(events.Away(events.reason(words)))

    def _silent(self, since: str) -> str:
        words = (
            f"'{self.source.id}' has said nothing of this queue {since}: is it running, does its token fit?"
        )
        return events.reason(words)

    def _back(self) -> None:
        """The first word of a source: what it has not spoken of yet stays unknown."""
        if self._there:
            return
        self._there = True
        for queue, told in self._told.items():
            if not told.known:
                self._tell(events.Missing(queue, self._silent("yet"), told.waits))
        self._tell(events.Back())

    # Figures ---------------------------------------------------------------------

    def _hear_figures(self, queue: str, told: Told, figures: Figures, now: float) -> None:
        for stay in told.waiting.values():  # of a run before this one, in which it told events
            self._tell(events.Vanished(queue, stay.call, now))
        told.waiting.clear()
        counters = {name: getattr(figures, name) for name in COUNTERS if getattr(figures, name) is not None}
        lacks = frozenset(COUNTED) - OURS - (told.counters or {}).keys()
        said = _digest(figures.model_dump_json().encode()).hex()
        run = _digest(figures.run.encode()).hex() if figures.run else ""
        counts: dict[str, float] = {}
        if said in told.said or _is_old(told, run, counters):
            self.ignored += _fell(told, counters)
        else:
            counts = _grown(told, run, counters)
            told.said.append(said)
            if run and run not in told.runs:
                told.runs.append(run)
            told.stirred = True
        oldest_s = figures.oldest_wait_s if figures.waiting else None
        told.known = True
        self._tell(events.Counted(
            queue, now, figures.waiting, None if oldest_s is None else now - oldest_s, counts,
            OURS | counters.keys(), lacks,
        ))  # fmt: skip
        self._back()

    # Events ----------------------------------------------------------------------

    def _hear_events(self, queue: str, told: Told, word: EventsBody, now: float) -> None:
        if not told.known:
            told.known = True
            self._tell(events.Waiting(queue, tuple((s.call, s.since_s) for s in told.waiting.values())))
            self._back()
        for event in word.events:
            key = self._key(queue, event.call)
            at_s = now - event.age_s
            if isinstance(event, Joined):
                self._join(queue, told, key, at_s)
            elif isinstance(event, Answered):
                self._answer(queue, told, key, at_s, event)
            elif isinstance(event, Ended):
                self._leave(queue, told, key, at_s, event)
            else:
                self._complete(queue, told, key, at_s, event)
        if word.waiting is not None:
            self._settle(queue, told, word.waiting, now)

    def _key(self, queue: str, call: str) -> bytes:
        return _digest(f"{self.source.id}/{queue}/{call}".encode(), self._salt)

    def _join(self, queue: str, told: Told, key: bytes, at_s: float) -> Stay | None:
        if key in told.waiting or key in told.talking or key in told.over:
            self.ignored += 1
            return None
        if len(told.waiting) >= CALLERS:
            oldest = next(iter(told.waiting))
            self._tell(events.Vanished(queue, self._end(told, oldest, told.heard_s).call, told.heard_s))
        stay = told.waiting[key] = Stay(self._number, at_s)
        self._number += 1
        self._tell(events.Joined(queue, stay.call, at_s, key))
        return stay

    def _answer(self, queue: str, told: Told, key: bytes, at_s: float, event: Answered) -> None:
        stay = self._found(queue, told, key, at_s, event.waited_s)
        if stay is None:
            return
        at_s = max(at_s, stay.since_s)
        self._tell(events.Answered(queue, stay.call, at_s, "", event.waited_s))
        del told.waiting[key]
        told.talking[key] = stay.call, at_s
        told.stirred = True
        if len(told.talking) > KNOWN:
            self._over(told, next(iter(told.talking)), told.heard_s)

    def _leave(self, queue: str, told: Told, key: bytes, at_s: float, event: Ended) -> None:
        stay = self._found(queue, told, key, at_s, event.waited_s)
        if stay is None:
            return
        self._end(told, key, told.heard_s)
        at_s = max(at_s, stay.since_s)
        if event.event in ENDS:
            self._tell(ENDS[event.event](queue, stay.call, at_s, event.waited_s))
        else:
            self._tell(LEAVES[event.event](queue, stay.call, at_s))

    def _complete(self, queue: str, told: Told, key: bytes, at_s: float, event: Completed) -> None:
        if key not in told.talking:
            self.ignored += 1
            return
        call, since_s = told.talking[key]
        self._over(told, key, told.heard_s)
        self._tell(events.Completed(queue, call, max(at_s, since_s), event.talk_s))

    def _settle(self, queue: str, told: Told, waiting: list[Waits], now: float) -> None:
        """Exactly these wait."""
        here = {self._key(queue, waits.call): now - waits.age_s for waits in waiting}
        for key in [key for key in told.waiting if key not in here]:
            self._tell(events.Vanished(queue, self._end(told, key, now).call, now))
        for key, since_s in here.items():
            if key not in told.waiting:
                self._join(queue, told, key, since_s)

    def _found(self, queue: str, told: Told, key: bytes, at_s: float, waited_s: float | None) -> Stay | None:
        """Who waits by that key; one never heard of joins on the way, where it is said how long it waited."""
        if key in told.waiting:
            return told.waiting[key]
        if waited_s is not None:
            return self._join(queue, told, key, max(at_s - waited_s, told.heard_s - DAY_S))
        self.ignored += 1
        if key not in told.talking:
            self._over(told, key, told.heard_s)  # its join, should it come late, is none
        return None

    def _end(self, told: Told, key: bytes, now: float) -> Stay:
        stay = told.waiting.pop(key)
        self._over(told, key, now)
        return stay

    def _over(self, told: Told, key: bytes, now: float) -> None:
        told.talking.pop(key, None)
        told.over.setdefault(key, now)
        told.stirred = True
        while len(told.over) > KNOWN:
            told.over.popitem(last=False)


def _is_old(told: Told, run: str, counters: dict[str, float]) -> bool:
    """Whether figures of a source that names its runs have been overtaken by newer ones."""
    if run not in told.runs:
        return False
    return run != told.runs[-1] or _fell(told, counters)


def _fell(told: Told, counters: dict[str, float]) -> bool:
    before = told.counters
    return any(counters[name] < before[name] for name in counters.keys() & before.keys() - LONGEST)


def _grown(told: Told, run: str, counters: dict[str, float]) -> dict[str, float]:
    """What has been added since the last word. Nothing with the first: nobody knows since when it counts.

    After a new beginning the whole number has been added, and what is not told any more is forgotten.
    """
    before = told.counters
    anew = _fell(told, counters) or bool(run and told.runs and run not in told.runs)
    told.counters = counters if anew else before | counters
    counts = {}
    for name, amount in counters.items():
        last = 0 if anew else before.get(name, amount)  # told for the first time: this is where it begins
        added = amount if name in LONGEST and amount != last else amount - last
        if added:
            counts[name] = added
    return counts


def _mark(told: Told) -> str:
    if told.shape == "figures":
        kept: dict[str, object] = {
            "counters": told.counters,
            "said": list(told.said),
            "runs": list(told.runs),
        }
    else:
        kept = {"talking": _packed(told.talking), "over": _packed(told.over)}
    return json.dumps(kept, separators=(",", ":"))


def _digest(text: bytes, key: bytes = b"") -> bytes:
    return hashlib.blake2b(text, key=key, digest_size=KEY_BYTES).digest()


def _packed(keys: Iterable[bytes]) -> str:
    return base64.b64encode(b"".join(keys)).decode()


def _keys(packed: str) -> list[bytes]:
    whole = base64.b64decode(packed)
    return [whole[at : at + KEY_BYTES] for at in range(0, len(whole), KEY_BYTES)][-KNOWN:]


def _older(kept: OrderedDict[bytes, T], than_s: float, since_s: Callable[[T], float]) -> list[bytes]:
    """The keys at the front, up to the first that is not older: the oldest stand in front, but for late news."""
    return [key for key, _ in itertools.takewhile(lambda row: since_s(row[1]) < than_s, kept.items())]


def told_by(plan: floorplan.Plan, source: str) -> set[str]:
    """The queues of a source."""
    return {queue.id for queue in plan.queue if queue.source == source}


# MQTT ----------------------------------------------------------------------------


def push_topic(site: str, source: str, queue: str) -> str:
    """Where a source tells of a queue over MQTT: QoS 1, never retained, the same message as over HTTP."""
    topic: str = contract.topic(site, TOPIC, source, queue)
    return topic


def parse_push_topic(topic: str) -> tuple[str, str] | None:
    """(source, queue) of such a topic, whatever its site; None for any other."""
    parts = topic.split("/")
    root = contract.ROOT.split("/")
    if len(parts) != len(root) + 5 or parts[: len(root)] != root:
        return None
    _, source_word, source, queue_word, queue = parts[len(root) :]
    if (source_word, queue_word) != ("source", "queue"):
        return None
    return (source, queue) if contract.is_id(source) and contract.is_id(queue) else None
