"""One Asterisk or FreePBX as a source of queues: connects, reads for ever, and says when it is away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping

import floorplan
from gateway.queues import ami, events
from gateway.queues.ami import Block, Link, LinkError, LoginRefused
from gateway.queues.events import Event
from gateway.queues.translate import HEARD, Adapter, extension_key

__all__ = ["Adapter", "Asterisk", "extension_key"]

TICK_S = 0.1
QUIET_S = 10.0  # so long without a byte, and a Ping asks whether anybody is there
ANSWER_S = 5.0  # everything we ask is answered within this
CHECK_S = 30.0  # a summary is held against what we know this often: 1 kB
RELIST_S = 300.0  # a whole list is read this often, for members that a reload changed
RELIST_MIN_S = 1.0  # and never more often than this
AGAIN_S = (0.5, 2.0)  # first and longest pause before connecting again: what happens meanwhile is not seen
STEADY_S = 15.0  # a link that was up so long starts with the first pause again
REFUSED_S = 15.0  # the pause after a refused login: a PBX may count them and lock us out

log = logging.getLogger("callfloor.pbx")


class Asterisk:
    """A source of queues. `queues`: the PBX's name of each queue → its id in the site file.

    `tell` gets every event, in order, on the event loop that runs `run`. `salt` and `remembered` are
    what Adapter and Adapter.remember take: given the same salt, who waited before a restart of ours
    is known again.
    """

    def __init__(
        self,
        settings: floorplan.Asterisk,
        secret: str,
        queues: Mapping[str, str],
        tell: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
        salt: bytes = b"",
        remembered: Iterable[tuple[str, int, bytes, float]] = (),
    ):
        self.adapter = Adapter(queues, salt)
        self.adapter.remember(remembered)
        self.away = ""  # why it is away; empty: it is there
        self._name = f"Asterisk at {settings.host}:{settings.port}"
        self._settings = settings
        self._secret = secret
        self._tell = tell
        self._clock = clock
        self._link: Link | None = None  # the one that is up
        self._refused = ""  # why the PBX refuses our wish for a list
        self._asked = ""  # the ActionID of that wish; empty: none is under way
        self._asked_s = self._pinged_s = self._checked_s = self._began_s = 0.0
        self._lists = 0  # adapter.lists when it was sent

    def serve(self, queues: Mapping[str, str]) -> None:
        """Other queues from now on, over the same link; a new one is known within a moment."""
        self._hand_on(self.adapter.serve(queues, self._clock()))
        if self._link and self.adapter.doubt:
            self._ask_list(self._link)

    async def run(self) -> None:
        """Keeps the link until cancelled. A PBX that is away is told as Away, and tried again."""
        self._lose("is being called", logging.INFO)
        pause_s, longest_s = AGAIN_S
        while True:
            began_s = self._clock()
            try:
                await self._session()
            except LoginRefused as error:
                self._lose(str(error))
                pause_s = REFUSED_S
            except (LinkError, ValueError) as error:  # ValueError: a host name that is none
                self._lose(str(error))
                good = self._clock() - began_s > STEADY_S
                pause_s = AGAIN_S[0] if good else min(pause_s, longest_s)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))
            pause_s *= 2

    async def _session(self) -> None:
        """One link from its first byte to its last. Ends with LinkError."""
        settings = self._settings
        tls = ami.tls_context(settings.ca_file) if settings.tls else None
        link = await ami.connect(settings.host, settings.port, self._hear, self._clock, HEARD, tls)
        try:
            plain = settings.tls or settings.plain_login or link.on_this_machine
            await link.log_in(settings.user, self._secret, plain)
            await self._follow(link)
        finally:
            self._link = None
            link.close()
            log.debug("not used: %d events of other kinds, and so far %s", link.blocks.unheard,
                      self.adapter.dropped)  # fmt: skip

    async def _follow(self, link: Link) -> None:
        """Hands on what comes, and sees whether it is all there is. Ends with LinkError."""
        self._began_s = self._checked_s = self._clock()
        self._pinged_s = link.heard_s
        self._link = link
        self._ask_list(link)
        while not link.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await link.ended.wait()
            await asyncio.sleep(0)  # after a pause of ours: first what has arrived, then what it means
            now = self._clock()
            self._hand_on(self.adapter.due(now))
            self._see_life(link, now)
            self._see_list(link, now)
            self._see_check(link, now)
        raise LinkError("closed the connection: is it restarting?")

    def _hear(self, block: Block) -> None:
        if block.get("Response") == "Error" and block.get("ActionID") == self._asked:
            self._refused = ami.why_refused(block)
        self._hand_on(self.adapter.event(block, self._clock()))

    def _hand_on(self, told: list[Event]) -> None:
        for event in told:
            if isinstance(event, events.Back):
                self.away = ""
                log.info("%s lists its queues", self._name)
            self._tell(event)

    def _lose(self, why: str, level: int = logging.WARNING) -> None:
        """The PBX is away from now on: said once, for as long as the reason is the same."""
        words = f"{self._name} {why}"
        for event in self.adapter.lost(words, self._clock()):
            if not isinstance(event, events.Away) or words != self.away:
                self._tell(event)
        if words != self.away:
            log.log(level, "%s", words)
        self.away = words

    def _see_life(self, link: Link, now: float) -> None:
        """Silence is asked about by a Ping; anything that comes is an answer."""
        if now - max(link.heard_s, self._pinged_s) > QUIET_S:
            link.send("Ping")
            self._pinged_s = now
        elif link.heard_s < self._pinged_s and now - self._pinged_s > ANSWER_S:
            raise LinkError(f"has been silent for {now - link.heard_s:.0f} s: is the network up?")

    def _ask_list(self, link: Link) -> None:
        self._refused = ""
        self._lists = self.adapter.lists
        self._asked_s = self._clock()
        self._asked = link.send("QueueStatus")

    def _see_list(self, link: Link, now: float) -> None:
        """A list is asked for where there is doubt, and now and then; it has to come."""
        if self._refused:
            raise LinkError(f"does not list its queues ({self._refused}): is app_queue loaded there?")
        if self._asked and self.adapter.lists != self._lists:
            self._asked = ""
        if self._asked and now - self._asked_s > ANSWER_S:
            if self.adapter.away or self.adapter.doubt:
                raise LinkError("does not list its queues in time: is it overloaded?")
            self._asked = ""  # nothing hangs on this one
        due_s = RELIST_MIN_S if self.adapter.doubt else RELIST_S
        if not self._asked and now - self._asked_s > due_s:
            self._ask_list(link)

    def _see_check(self, link: Link, now: float) -> None:
        """A summary is held against what is known; that also shows a PBX that tells us nothing."""
        if now - self._checked_s > CHECK_S:
            self._checked_s = now
            link.send("QueueSummary")
        if self.adapter.unheard > 1:
            self.adapter.deaf = True
        if self.adapter.deaf and now - self._began_s > CHECK_S:  # rights change with the next login only
            raise LinkError("lets us in but tells nothing of its queues: set read = agent in manager.conf")
