"""The gateway at work: every part of it is made here, on one screen, and run until it is told to stop.

broker → contract.parse → Floor        Asterisk → Floor
Floor.touched → says (desk, queue, wall, floor, values) → broker, page
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any

import uvicorn

import floorplan
from firmware import contract
from floorplan import Plan
from gateway import page
from gateway.floor import Floor
from gateway.mqtt import Line
from gateway.news import News
from gateway.queues.asterisk import Asterisk
from gateway.says import Says
from gateway.walls import Walls
from wallboard.mirror import mirror_png

log = logging.getLogger(__name__)

HEAD_START_S = 100_000.0  # more than a day: who waits now may have come before this machine was started
CHECK_S = 0.5  # how often silence is looked for
LOG_S = 60.0
LOGGED_MOST = 1000
START_S = 10.0  # after this a start is over, whoever is still missing


def since_long_ago() -> float:
    """The gateway's clock: monotonic seconds that are never small, so that a `.since` is never negative."""
    return time.monotonic() + HEAD_START_S


class Gateway:
    """One site's gateway. `run` ends when cancelled, and says `lost` before it goes."""

    def __init__(self, plan: Plan, clock: Any = since_long_ago) -> None:
        self.plan = plan
        self.boot = secrets.token_hex(4)
        self._clock = clock
        self._started_s = clock()
        self._due = False
        self._logged: dict[str, float] = {}  # what → when it was last warned of
        self.news = News()
        self.says = Says(plan.site.id, self.news)
        self.floor = Floor(plan, clock(), self._touched)
        self.walls = Walls(plan)
        self.line = self.says.line = Line(
            plan.broker or floorplan.Broker(),
            f"gateway-{plan.site.id}-{self.boot}",
            self._last_word(),
            [
                (contract.topic(plan.site.id, row.topic), row.qos)
                for row in contract.MESSAGES
                if row.sender == "board"
            ],
            self._hear,
            self._broker_back,
            self._broker_away,
        )
        self.source = self._source()
        self.says.say("gateway/state", (), {"state": "ready", "boot": self.boot})
        for wall, (board, panel) in self.walls.panels.items():
            self.says.say("board/+/panel/+/scene", (board, panel), self.walls.scenes[wall].message)

    def _source(self) -> Asterisk | None:
        if not self.plan.pbx.asterisk:
            return None
        settings = self.plan.pbx.asterisk
        names = {queue.pbx: queue.id for queue in self.plan.queue}
        secret = floorplan.secret(settings.secret_file) or ""
        return Asterisk(settings, secret, names, self.floor.hear_pbx, self._clock)

    async def run(self, host: str, port: int) -> None:
        """Serves the page at host:port and keeps the floor, until cancelled or told to end."""
        web = uvicorn.Server(uvicorn.Config(
            page.app(self.plan, self.news, self.health, self.wall_png), host=host, port=port, log_config=None,
            access_log=False, timeout_graceful_shutdown=1, lifespan="off",
        ))  # fmt: skip
        web.capture_signals = contextlib.nullcontext  # type: ignore[assignment, method-assign]  # ours, below
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end, web)
        jobs = [asyncio.create_task(job) for job in (self.line.run(), self._beat(), self._watch())]
        if self.source:
            jobs.append(asyncio.create_task(self.source.run()))
        serving = asyncio.create_task(web.serve())
        try:
            done, _ = await asyncio.wait([serving, *jobs], return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()  # a job that broke ends the gateway, and whoever started it starts it again
        finally:
            await self.line.close(self._last_word())
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    def _end(self, web: uvicorn.Server) -> None:
        self.news.close()
        web.should_exit = True

    # In ----------------------------------------------------------------------

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            pattern, ids, fields = contract.parse(topic, payload)
            self.floor.hear_board(pattern, ids, fields, retained, self._clock())
        except contract.ContractError as error:
            self.floor.refused += 1
            self._log_once(topic, f"refused: {error}")
            self._touched()

    def _log_once(self, what: str, words: str) -> None:
        """A warning about one thing, once a minute however often it happens."""
        now_s = self._clock()
        if now_s - self._logged.get(what, -LOG_S) < LOG_S:
            return
        if len(self._logged) >= LOGGED_MOST:
            self._logged.clear()
        self._logged[what] = now_s
        log.warning("%r %r", what, words)

    def _broker_back(self) -> None:
        self.floor.hear_broker("", self._clock())
        self.news.say("broker", {"state": "ready", "reason": ""})
        self.says.again()
        self._say_beat()

    def _broker_away(self, why: str) -> None:
        self.floor.hear_broker(why, self._clock())
        self.news.say("broker", {"state": "away", "reason": why})

    async def _watch(self) -> None:
        """Silence makes no noise: it has to be looked for."""
        while True:
            await asyncio.sleep(CHECK_S)
            self.floor.check_boards(self._clock())

    # Out ---------------------------------------------------------------------

    def _touched(self) -> None:
        """Something changed: it is said as soon as what caused it has been read to the end."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._say_changes)

    def _say_changes(self) -> None:
        self._due = False
        now_s = self._clock()
        touched = self.floor.take_touched()
        if self.walls.refresh(touched.queues, self.floor):
            self._each(("values",), lambda _: self._say_values())
        self._each(touched.desks, self._say_desk)
        self._each(touched.queues, lambda name: self._say_queue(name, now_s))
        self._each(touched.walls, lambda name: self._say_wall(name, now_s))
        self._each(touched.boards, lambda name: self._say_board(name, now_s))
        self.says.say("floor/now", (), {
            **self.floor.by_status, "boards_lost": self.floor.boards_lost, "refused": self.floor.refused,
        })  # fmt: skip
        if self.source:
            away = self.floor.pbx_away
            self.news.say("pbx", {"state": "away" if away else "ready", "reason": away})

    def _each(self, names: Iterable[str], say: Callable[[str], None]) -> None:
        """Says something of each; one that cannot be said stops no other."""
        for name in names:
            try:
                say(name)
            except (contract.ContractError, ValueError) as error:
                self._log_once(name, f"cannot be said: {error}")

    def _say_wall(self, name: str, now_s: float) -> None:
        self.says.say("wall/+/now", (name,), self.walls.verdict(name, self.floor, now_s))

    def _say_values(self) -> None:
        fields = {"boot": self.boot, "seq": self.walls.seq, "numbers": self.walls.numbers}
        self.says.say("values", (), fields)

    def _say_desk(self, name: str) -> None:
        desk = self.floor.desks[name]
        status, reason = self.floor.status[name]
        self.says.say("desk/+/now", (name,), {
            "status": status, "reason": reason[:160], "phone": desk.phone, "in_call": desk.in_call,
            "muted": desk.muted, "docked": desk.docked, "missed": desk.missed,
        })  # fmt: skip

    def _say_queue(self, name: str, now_s: float) -> None:
        queue = self.floor.queues[name]
        figures = queue.figures
        fields: dict[str, Any] = {"reason": figures.reason}
        if figures.known:
            oldest_s = figures.oldest_since_s
            fields |= queue.counts if queue.desks_known else {}
            fields |= {
                "waiting": figures.waiting,
                "oldest_wait_s": 0 if oldest_s is None else max(0, int(now_s - oldest_s)),
                "joined": figures.joined,
                "answered": figures.answered,
                "abandoned": figures.abandoned,
                "asa_s": None if figures.asa_s is None else round(figures.asa_s),
                "service_level_pct": figures.service_level_pct,
            }
        self.says.say("queue/+/now", (name,), fields)

    def _say_board(self, name: str, now_s: float) -> None:
        board = self.floor.boards[name]
        state, why = self.floor.presence(name, now_s)
        health = ("uptime_s", "heap_free", "reconnects", "lag_ms", "dropped")
        self.news.say(f"board/{name}", {
            "state": state, "reason": why, "definition": board.hello.get("definition"),
            "python": board.hello.get("python"), **{key: board.health.get(key) for key in health},
        })  # fmt: skip

    async def _beat(self) -> None:
        """Every five seconds on the full second: what there is, is so now."""
        while True:
            now_s = self._clock()
            await asyncio.sleep(contract.BEAT_S - now_s % contract.BEAT_S)
            self._say_beat()
            for name, queue in self.floor.queues.items():
                if queue.figures.known and queue.figures.waiting:
                    self._say_queue(name, self._clock())  # its oldest wait has grown

    def _say_beat(self) -> None:
        beat = {"boot": self.boot, "now_s": int(self._clock()), "values_seq": self.walls.seq}
        self.says.send("beat", (), beat)

    # Asked -------------------------------------------------------------------

    def health(self) -> tuple[bool, dict[str, Any]]:
        """(up?, what is there and what is missing in words) for /healthz.

        Up means: the broker answers, and everybody else has either answered or had ten
        seconds to. A board that stays away is its own trouble, not the gateway's.
        """
        now_s = self._clock()
        waiting = [name for name in self.floor.boards if self.floor.presence(name, now_s)[0] == "unknown"]
        settled = now_s - self._started_s > START_S or not (waiting or self.floor.pbx_away)
        facts = {
            "broker": self.floor.broker_away or "ready",
            "pbx": self.floor.pbx_away or "ready",
            "boards_unheard": len(waiting),
        }
        return not self.floor.broker_away and settled, facts

    def wall_png(self, wall: str) -> bytes | None:
        """What a wall should show now, or, when it is old, how old; None when there is no such wall."""
        if wall not in self.walls.scenes:
            return None
        fresh = self.walls.verdict(wall, self.floor, self._clock())["fresh"]
        panel = next(row.panel for row in self.plan.wall if row.id == wall)
        age_s = None if fresh else self.floor.shown.get(wall, {}).get("age_s") or -1
        numbers = self.walls.numbers if fresh else {}
        return mirror_png(panel.size, self.walls.scenes[wall].message, numbers, self._clock(), age_s)

    def _last_word(self) -> tuple[str, bytes]:
        """The will, which is also what is said at a clean end: every wall is old from then on."""
        lost = contract.encode("gateway/state", {"state": "lost", "boot": self.boot})
        return contract.topic(self.plan.site.id, "gateway/state"), lost


def serve(plan: Plan, host: str, port: int) -> None:
    """Runs the gateway until SIGINT or SIGTERM."""
    import uvloop

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")

    async def run() -> None:
        await Gateway(plan).run(host, port)

    uvloop.run(run())
