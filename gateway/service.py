"""The gateway at work: every part of it is made here, on one screen, and run until it is told to stop.

broker → contract.parse → Floor        Asterisk, pushes → Floor
Floor.touched → says (desk, queue, wall, floor, values) → broker, page
figures → Book → Store
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
import secrets
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp

import floorplan
from boards import readable
from boards.bench import bundle
from firmware import contract, values
from floorplan import Plan, SiteError
from gateway import board_health, erlang, export, trend
from gateway.alarms.signs import signs
from gateway.alarms.standing import Alarms
from gateway.board_check import Checks
from gateway.book import Book
from gateway.desk import faults, seen
from gateway.faults import Faults
from gateway.floods import Floods
from gateway.floor import ASTERISK, Floor, Queue
from gateway.messages import Messages
from gateway.metrics import Metrics
from gateway.mqtt import Line
from gateway.people.people import People
from gateway.phones import http as phones_http
from gateway.phones.phones import Phones
from gateway.phones.states import NOT_HEARD
from gateway.phones.token import token_of
from gateway.queues import push, push_http
from gateway.queues.asterisk import Asterisk
from gateway.queues.events import Event
from gateway.queues.push import Push, PushError, decode, parse_push_topic, told_by
from gateway.queues.totals import percent_met
from gateway.reload import COMMAND, OF_PANELS, Again, Page, Reloads
from gateway.says import Says
from gateway.seldom import Seldom
from gateway.walls import Walls, number_of
from gateway.web import (
    alarms_http,
    boards_http,
    connections,
    floor_plan_http,
    messages_http,
    metrics_http,
    page,
    privacy_http,
    queue_day_http,
    wall_page,
)
from gateway.web.boards_http import Commands
from gateway.web.news import News
from gateway.web.wall_page import Screens
from wallboard.mirror import Mirrored

log = logging.getLogger(__name__)

HEAD_START_S = 100_000.0  # more than a day: who waits now may have come before this machine was started
CHECK_S = 0.5  # how often silence is looked for
NEEDED_S = 1.0  # how often, at most, it is reckoned how many desks a queue needs
PIECE_LINES = 500  # of the CSV, sent together
LOG_S = 60.0
TIDY_S = 6 * 3600.0  # how often what is too old in people's file is looked for
LOGGED_MOST = 1000
LOGGED_LETTERS = 300
STANDING_MOST = 100  # findings whose length is said anew with each beat
START_S = 10.0  # after this a start is over, whoever is still missing


def since_long_ago() -> float:
    """The gateway's clock: monotonic seconds that are never small, so that a `.since` is never negative."""
    return time.monotonic() + HEAD_START_S


class Gateway:
    """One site's gateway. `run` ends when cancelled, and says `lost` before it goes."""

    def __init__(self, plan: Plan, clock: Any = since_long_ago, again: Again | None = None) -> None:
        self.plan = plan
        self.reloads = Reloads(self, again)
        self.people: People | None = None
        self.page = Page()
        self.boot = secrets.token_hex(4)
        self.clock = clock
        self._started_s = clock()
        self._due = False
        self._messages_version = -1  # what the page was last told of
        self._logged: dict[str, float] = {}  # what → when it was last warned of
        self._needed: dict[str, tuple[float, int | None]] = {}  # queue → when reckoned, how many desks it needs
        self.news = News(self.boot)
        self.says = Says(plan.site.id, self.news)
        self.floor = Floor(plan, clock(), self.touched, keep=True)
        self.alarms = Alarms(plan.alarms)
        self._faults = Faults(log.warning)
        self._floods = Floods(clock())
        self.book = Book(plan, self.floor, clock, changed=self.touched)
        self.walls = Walls(plan, self.book.calendar_s())
        self.messages = self.messages_of(plan, self.walls)
        self.messages.remember(self.book.kept_messages())
        self.talk_of_messages()
        self.screens = Screens(plan, self._should_show, self._a_beat, self.wall_changed)
        self.walls.watching = self.screens.watching
        self.floor.touched.walls |= {wall for wall in self.walls.scenes if wall not in self.walls.panels}
        self.line = self.says.line = Line(
            plan.broker or floorplan.Broker(),
            f"gateway-{plan.site.id}-{secrets.token_hex(8)}",  # who knew it could throw us off: not our boot, then
            self._last_word(),
            [
                (contract.topic(plan.site.id, row.topic), row.qos)
                for row in contract.MESSAGES
                if row.sender == "board" or row.topic in OF_PANELS
            ]
            + [(contract.topic(plan.site.id, topic), 1) for topic in (push.TOPIC, COMMAND)],
            self._hear,
            self._broker_back,
            self._broker_away,
        )
        self.metrics = Metrics(self.news, self.health, self._work)
        self.commands = Commands((board.id for board in plan.board), self._command)
        self.checks = Checks(self.commands.ask, self._command, self._reads_as_told)
        self.brought: bundle.Brought | None = None  # the firmware that we would put on boards; not reckoned yet
        self._pushes: dict[str, Push] = {}  # every source since the start: of one that is back, no number comes twice
        self.asterisk, self.pushes = self._remind()
        self.phones = self.phones_of(plan)
        self.book.marks = self._marks
        ready = {"state": "ready", "boot": self.boot}
        self.says.say("gateway/state", (), ready)
        self.screens.say("gateway", ready)
        self.say_walls()

    def messages_of(self, plan: Plan, walls: Walls) -> Messages:
        """The messages of a plan, on these walls."""
        bands = {wall: scene.band for wall, scene in walls.scenes.items()}
        return Messages(plan, bands, self._figure, self.clock, self.book.calendar_s, self._look_at_messages)

    def talk_of_messages(self) -> None:
        """Has the book and the walls ask these messages."""
        self.book.messages = self.messages.take_changes
        self.book.found_messages = self.messages.remember
        self.walls.message = lambda wall: self.messages.fields(wall, self.boot)

    def phones_of(self, plan: Plan) -> Phones:
        """The IP phones of a plan."""
        return Phones(plan, self._hear_phone, self.clock)

    def _hear_phone(self, desk: str, state: str, muted: bool | None, why: str, now_s: float) -> None:
        self.floor.hear_phone(desk, state, muted, why, now_s)

    def pushes_of(self, plan: Plan) -> dict[str, Push]:
        """The sources of a plan that push, by id: known ones as they are, who may be hearing somebody just now."""
        salt = self.book.marks_and_salt()[1]
        for source in plan.source:
            if source.id not in self._pushes:
                tell = partial(self._hear_source, source.id)
                self._pushes[source.id] = Push(source, told_by(plan, source.id), tell, self.clock, salt)
                self._pushes[source.id].hear_broker(self.floor.broker_away, self.clock())
        return {source.id: self._pushes[source.id] for source in plan.source}

    def say_walls(self) -> None:
        """What every panel should draw: said at the start, and where the site file is another one."""
        self._told_panels = {(board, str(panel)) for board, panel in self.walls.panels.values()}
        for wall, (board, panel) in self.walls.panels.items():
            self.says.say("board/+/panel/+/scene", (board, panel), self.walls.scenes[wall].message)
            self._say_light(wall)
        self.messages.due()
        self._say_messages(self.walls.panels)  # and to clear what another gateway has left at the broker

    def _remind(self) -> tuple[Asterisk | None, dict[str, Push]]:
        """Whoever tells of queues, each reminded of what it told us before this start."""
        waiting = self.book.remembered()
        for name, queue in self.floor.queues.items():
            queue.figures.remember((call, since_s) for where, call, _, since_s in waiting if where == name)
        marks, salt = self.book.marks_and_salt()
        pushes = self.pushes_of(self.plan)
        for told in pushes.values():
            for name in told.queues & marks.keys():
                told.remember(name, marks[name])
            told.remember_waiting(row for row in waiting if row[0] in told.queues)
        settings, names = self.plan.pbx.asterisk, self.plan.pbx_queues
        if not settings:
            return None, pushes
        return Asterisk(
            settings, floorplan.secret(settings.secret_file) or "", names, partial(self._hear_source, ASTERISK),
            self.clock, salt, [row for row in waiting if row[0] in names.values()],
        ), pushes  # fmt: skip

    async def run(self, host: str, port: int, early: Collection[int] = ()) -> None:
        """Serves the page at host:port and keeps the floor, until cancelled or told to end.

        `early`: the SIGHUPs that came while all was made.
        """
        people = self.people = People(self.plan.people)
        self.page.app = self.app(self.plan, self.pushes, self.phones, self.messages)
        room = connections.room_for(self.plan.page.proxies)
        web = connections.Server(web_config(self.page, self.plan.page, host, port), room)
        web.capture_signals = contextlib.nullcontext  # type: ignore[assignment, method-assign]  # ours, below
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end, web)
        if hangs_up_to_reload():
            loop.add_signal_handler(signal.SIGHUP, self.reloads.by_signal)
            if early:
                self.reloads.by_signal()
        working = (self.line.run(), self.book.run(), self._compose(), self._beat(), self._watch(), self._reckon(),
                   self._tidy())  # fmt: skip
        jobs = [asyncio.create_task(job) for job in working]
        if self.asterisk:
            jobs.append(asyncio.create_task(self.asterisk.run()))
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
            await self.book.close()
            people.close()

    async def _reckon(self) -> None:
        """What firmware we would put on boards: it has to be compiled, which holds nobody up."""
        self.brought = await asyncio.to_thread(bundle.brought)
        self.floor.touched.boards |= self.floor.boards.keys()
        self.touched()
        await asyncio.Event().wait()

    async def _compose(self) -> None:
        """Composes messages: after a reload others than before."""
        while True:
            await self.messages.run()

    def app(self, plan: Plan, pushes: dict[str, Push], phones: Phones, messages: Messages) -> ASGIApp:
        """The page of a plan, with further addresses: where sources push, what IP phones call. Raises SiteError."""
        assert self.people
        note = self.people.note
        routers = []
        tokens = {source.id: floorplan.secret(source.secret_file) or "" for source in plan.source}
        try:
            if tokens:
                routers.append(push_http.routes(pushes, tokens, self.book.saved, self._log_once))
        except ValueError as error:
            raise SiteError(f"[[source]] secret_file: {error}") from error
        if phones:
            routers.append(phones_http.routes(phones, token_of(plan), self.clock))
        routers.append(messages_http.routes(messages, self._drawn_now, self.book.kept, note))
        routers.append(alarms_http.routes(self.alarms, self.clock, self.time_of, self.say_alarms, note))
        routers.append(boards_http.routes(self.commands, note))
        routers.append(boards_http.live_routes(plan, self._about_board, self.checks, note))
        routers.append(metrics_http.routes(self.metrics))
        routers.append(wall_page.routes(plan, self.screens))
        routers.append(floor_plan_http.routes(plan))
        routers.append(privacy_http.routes(plan, self.people))
        routers.append(queue_day_http.routes(trend.days_of(plan, lambda: self.book.day)))
        return page.app(plan, self.news, self.health, self.wall_now, self.history, routers, people=self.people)

    def _end(self, web: uvicorn.Server) -> None:
        self.news.close()
        self.screens.close()
        self.checks.close()
        web.should_exit = True

    # In ----------------------------------------------------------------------

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        pushed = parse_push_topic(topic)
        if pushed:
            self._hear_push(*pushed, topic, b"" if retained else payload)
            return
        pattern = contract.pattern_of(topic)[0]
        if pattern in OF_PANELS:
            self._clear_of_nobody(topic, payload)
            return
        if pattern == COMMAND:
            self.reloads.hear(topic, b"" if retained else payload)
            return
        if not retained and not self._floods.hear(_board_of(topic)):
            return  # what is read at all costs the others time
        try:
            pattern, ids, fields = readable.parse(topic, payload)
            if pattern == "board/+/answer" and not retained:
                self.commands.hear(ids[0], fields)
            self.floor.hear_board(pattern, ids, fields, retained, self.clock())
            if ids and ids[0] in self.floor.boards:
                self.checks.hear(pattern, ids, fields, retained)
        except contract.ContractError as error:
            self._refuse(topic, f"refused: {error}")

    def _refuse(self, topic: str, words: str) -> None:
        """Counts what cannot be used, and warns once a minute of each who sends it: they choose the rest of a topic."""
        self.floor.refused += 1
        kind, name, *_ = [*topic.split("/")[3:5], "", ""]
        known = name in (self.floor.boards if kind == "board" else self.pushes)
        self._log_once(f"{kind}/{name}" if known else "of nobody in the site file", words[:LOGGED_LETTERS])
        self.touched()

    def _clear_of_nobody(self, topic: str, payload: bytes) -> None:
        """What a panel is told that is no wall's any more is cleared: else it would be drawn for ever."""
        board, panel = contract.pattern_of(topic)[1]
        if payload and (board, panel) not in self._told_panels:
            self.line.publish(topic, b"", True, 1)

    def _hear_push(self, source: str, queue: str, topic: str, payload: bytes) -> None:
        if not payload:
            return  # cleared; or retained, and nobody knows how old
        try:
            if source not in self.pushes:
                raise PushError(("", "comes from a source that is not in the site file"))
            self.pushes[source].hear(queue, decode(payload), by_broker=True)
        except PushError as error:
            self._refuse(topic, f"{topic}: refused: {error}")

    def _marks(self) -> dict[str, str]:
        """What pushing sources want to be reminded of, where it has changed: queue → mark."""
        marks = {name: source.take_mark(name) for source in self.pushes.values() for name in source.queues}
        return {name: mark for name, mark in marks.items() if mark is not None}

    def _hear_source(self, source: str, event: Event) -> None:
        self.floor.hear_source(source, event, self.clock())
        self.book.stir()

    def _log_once(self, what: str, words: str) -> None:
        """A warning about one thing, once a minute however often it happens."""
        now_s = self.clock()
        if now_s - self._logged.get(what, -LOG_S) < LOG_S:
            return
        if len(self._logged) >= LOGGED_MOST:
            self._logged.clear()
        self._logged[what] = now_s
        log.warning("%r %r", what, words)

    def _broker_back(self) -> None:
        self.floor.hear_broker("", self.clock())
        for source in self.pushes.values():
            source.hear_broker("", self.clock())
        self.news.say("broker", {"state": "ready", "reason": ""})
        self.says.again()
        self._say_beat()

    def _broker_away(self, why: str) -> None:
        self.floor.hear_broker(why, self.clock())
        for source in self.pushes.values():
            source.hear_broker(why, self.clock())
        self.news.say("broker", {"state": "away", "reason": why})

    async def _watch(self) -> None:
        """Silence makes no noise: it has to be looked for."""
        while True:
            await asyncio.sleep(CHECK_S)
            self.floor.check_boards(self.clock())
            self.phones.due(self.clock())
            self.floor.check_truth(self.clock(), self.book.is_open() is not False)
            self._faults.due(self.clock())
            self._look_at_floods()
            self._look_at_walls()
            for source in self.pushes.values():
                source.due(self.clock())
            self._look_at_alarms()

    def _reads_as_told(self, board: str, number: int) -> bool:
        return self.floor.reads_as_told(board, number)

    def _look_at_alarms(self) -> None:
        """What has been wrong for long enough, and what is over."""
        now_s = self.clock()
        self.say_alarms(self.alarms.look(signs(self.plan.alarms, self.floor, self.book, self.news.said, now_s), now_s))

    def say_alarms(self, names: Iterable[str]) -> None:
        """What there is to say of these alarms now, and how many stand."""
        for name in (names := list(names)):
            fields = self.alarms.document(name, self.clock())
            if fields:
                self.news.say(f"alarm/{name}", fields)
                self.alarms.told(name)
            else:
                self.news.forget(f"alarm/{name}")
        if names:
            self.touched()

    def _look_at_floods(self) -> None:
        """A board that floods is not listened to. After it, everybody's last words are asked for: some were drowned."""
        now_s = self.clock()
        begun, ended, ask = self._floods.look(now_s)
        for board in begun:
            name = board if contract.is_id(board) else "BOARD"
            log.warning("board %r floods: `callfloor board revoke %s` shuts it out", board[:LOGGED_LETTERS], name)
            self.floor.hear_flood(board, True, now_s)
        for board in ended:
            log.warning("board %r floods no more", board[:LOGGED_LETTERS])
            self.floor.hear_flood(board, False, now_s)
        if ask:
            self.floor.doubt()
            self.line.ask_again()

    def _look_at_walls(self) -> None:
        """What changes on walls with time alone: levels, hours, and how long one has been wrong."""
        if self.walls.look(self.clock()):
            self.say_values()
        dimmed = self.walls.lights.look(self.book.calendar_s())
        self._each(dimmed, self._say_light)
        self.wall_changed(*dimmed, *self.walls.due(self.floor, self.clock()))
        self._look_at_messages()

    def _look_at_messages(self) -> None:
        """Messages come and go with the time, with figures, and when a supervisor wants it."""
        changed = self.messages.due()
        self._say_messages(changed)
        self.wall_changed(*changed)

    def _say_messages(self, walls: Iterable[str]) -> None:
        """What these walls tell people, and the page what there is."""
        for wall in walls:
            if wall in self.walls.panels:
                fields = self.messages.fields(wall, self.boot)
                self.says.say("board/+/panel/+/message", self.walls.panels[wall], fields)
        if self.messages.version != self._messages_version:
            self._messages_version = self.messages.version
            self.news.say("messages", self.messages.document())
            self.book.stir()

    def wall_changed(self, *walls: str) -> None:
        """What these walls should show has changed, or is to be looked at: what is said of them is made anew."""
        if walls:
            self.floor.touched.walls.update(walls)
            self.touched()

    def _command(self, board: str, fields: dict[str, Any]) -> bool:
        """Sends a command to a board; False while the broker is away."""
        if self.line.up:
            self.says.send("board/+/command", (board,), fields)
        return self.line.up

    # Out ---------------------------------------------------------------------

    def forget(self, what: str, name: str) -> None:
        """What the site file has no more: off the broker, and off the page."""
        for row in contract.MESSAGES:
            ours = row.retained and row.sender == "gateway" and row.topic.startswith(f"{what}/+/")
            if ours and row.topic.count("+") == 1:  # what panels are told has two
                self.says.say(row.topic, (name,), None)
        for path in (what, *{"desk": ("finding",), "queue": ("history",)}.get(what, ())):
            self.news.forget(f"{path}/{name}")
        self._needed.pop(name, None)
        self.say_alarms(self.alarms.forget(what, name, self.clock()))

    def touched(self) -> None:
        """Something changed: it is said as soon as what caused it has been read to the end."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._say_changes)

    def _say_changes(self) -> None:
        self._due = False
        now_s = self.clock()
        touched = self.floor.take_touched()
        self.floor.staff(touched.queues, now_s)
        if self.walls.refresh(touched.queues, self.floor, now_s):
            self._each(("values",), lambda _: self.say_values())
        self._each(touched.desks, lambda name: self._say_desk(name, now_s))
        self._each(touched.findings, lambda name: self._say_finding(name, now_s))
        self._each(touched.queues, lambda name: self._say_queue(name, now_s))
        self._each(touched.walls, lambda name: self._say_wall(name, now_s))
        self._each(touched.boards, lambda name: self._say_board(name, now_s))
        self.says.say("floor/now", (), {
            **self.floor.by_status, "boards_lost": self.floor.boards_lost, "refused": self.floor.refused,
            "findings": len(self.floor.truth.findings), "walls_wrong": len(self.walls.alarms.on),
            "alarms": self.alarms.count,
        })  # fmt: skip
        for name, away in self.floor.sources.items():
            kind = "asterisk" if name == ASTERISK else "push"
            self.news.say(f"source/{name}", {"state": "away" if away else "ready", "reason": away, "kind": kind})
        self._say_history()

    def _say_history(self) -> None:
        """Whether totals are kept, and where today's have holes."""
        state = self.book.state
        self.news.say("history", {
            "state": state.state, "reason": state.reason, "since": self.plan.site.day_begins,
            "open": self.book.is_open(), "day": self.book.day and self.book.day.isoformat(),
        })  # fmt: skip
        for name, gaps in self.book.gaps.items():
            self.news.say(f"history/{name}", {"gaps": gaps})

    def _each(self, names: Iterable[str], say: Callable[[str], None]) -> None:
        """Says something of each; one that cannot be said stops no other."""
        for name in names:
            try:
                say(name)
            except (contract.ContractError, ValueError) as error:
                self._log_once(name, f"cannot be said: {error}")

    def _say_wall(self, name: str, now_s: float) -> None:
        self.says.say("wall/+/now", (name,), self.walls.verdict(name, self.floor, now_s))
        self.screens.look(name)

    def _say_light(self, name: str) -> None:
        if name in self.walls.panels:
            percent = self.walls.lights.now[name].percent
            self.says.say("board/+/panel/+/light", self.walls.panels[name], {"percent": percent})

    def say_values(self) -> None:
        fields = {"boot": self.boot, **self.walls.values(self.clock())}
        self.says.say("values", (), fields)
        self.screens.say("values", fields)

    def _say_desk(self, name: str, now_s: float) -> None:
        desk = seen(self.floor.desks[name])
        status, reason = self.floor.status[name]
        wrong = "; ".join(faults(desk))
        if not desk.dark and not desk.lost:  # at a start no IP phone has said anything yet: that is no fault
            self._faults.hear(name, [words for words in faults(desk) if words != NOT_HEARD], now_s)
        muted = desk.muted if desk.phone_muted is None else desk.phone_muted or bool(desk.muted)
        self.says.say("desk/+/now", (name,), {
            "status": status, "reason": reason[:160], "fault": wrong[:160], "phone": desk.phone,
            "in_call": desk.in_call, "rings": desk.rings, "muted": muted, "docked": desk.docked,
            "missed": desk.missed,
        })  # fmt: skip

    def _say_finding(self, name: str, now_s: float) -> None:
        """What does not fit at a desk, or that all does; the page has a document only of the former."""
        found = self.floor.truth.findings.get(name)
        fields: dict[str, Any] = {"kind": None, "for_s": None, "desk": "", "pbx": "", "todo": ""}
        if found:
            for_s = max(0, int(now_s - found.since_s))
            fields = {"kind": found.kind, "for_s": for_s, "desk": found.desk[:160], "pbx": found.pbx[:160],
                      "todo": found.todo[:160]}  # fmt: skip
        self.says.say("desk/+/finding", (name,), fields)
        if found:
            self.news.say(f"finding/{name}", fields)
        else:
            self.news.forget(f"finding/{name}")

    def _say_queue(self, name: str, now_s: float) -> None:
        queue = self.floor.queues[name]
        fields: dict[str, Any] = {"reason": queue.figures.reason}
        if queue.figures.known:
            fields |= queue.counts if queue.desks_known else {}
            fields |= queue_figures(queue, now_s) | {"desks_needed": self._desks_needed(name, now_s)}
        self.says.say("queue/+/now", (name,), fields)

    def _desks_needed(self, name: str, now_s: float) -> int | None:
        """How many desks the target needs, by Erlang C from the last half hour; None: unknown.

        Reckoned once in NEEDED_S: it takes milliseconds where thousands of calls come a minute.
        """
        figures = self.floor.queues[name].figures
        recent = figures.recent(now_s)
        if recent is None:
            return None
        at_s, needed = self._needed.get(name, (float("-inf"), None))
        if now_s - at_s >= NEEDED_S:
            needed = None
            with contextlib.suppress(ValueError):  # no floor can have so many calls: its source is wrong
                needed = erlang.desks_needed(*recent, figures.target.within_s, figures.target.share)
            self._needed[name] = now_s, needed
        return needed

    def _say_board(self, name: str, now_s: float) -> None:
        board, presence = self.floor.boards[name], self.floor.presence(name, now_s)
        self.news.say(f"board/{name}", board_health.document(board, self.plan, presence, self.brought))

    def _about_board(self, name: str) -> dict[str, Any]:
        """All that is known of a board of the plan."""
        now_s = self.clock()
        board, presence = self.floor.boards[name], self.floor.presence(name, now_s)
        return board_health.details(board, self.plan, presence, now_s, self.brought)

    async def _tidy(self) -> None:
        """What people's file has kept for long enough goes, in a quiet house too."""
        while self.people:
            self.people.tidy()
            await asyncio.sleep(TIDY_S)

    async def _beat(self) -> None:
        """Every five seconds on the full second: what there is, is so now."""
        while True:
            now_s = self.clock()
            await asyncio.sleep(contract.BEAT_S - now_s % contract.BEAT_S)
            self._say_beat()
            self._say_history()
            self._say_known()
            self._say_standing()
            self.say_alarms(self.alarms.again())

    def _say_standing(self) -> None:
        """For how long findings have stood: of the first ones, so that a house full of them costs no more."""
        standing = itertools.islice(self.floor.truth.findings, STANDING_MOST)
        self._each(list(standing), lambda name: self._say_finding(name, self.clock()))

    def _say_known(self) -> None:
        """Where nothing happens, an oldest wait grows and a half hour moves on all the same."""
        known = [name for name, queue in self.floor.queues.items() if queue.figures.known]
        self._each(known, lambda name: self._say_queue(name, self.clock()))

    def _say_beat(self) -> None:
        beat = self._a_beat()
        self.says.send("beat", (), beat)
        self.screens.say("beat", beat)

    def _a_beat(self) -> dict[str, Any]:
        return {"boot": self.boot, "now_s": int(self.clock()), "values_seq": self.walls.seq}

    def _should_show(self, wall: str) -> dict[str, Any]:
        """What a browser that shows this wall hears, beside what all walls hear."""
        light = {"percent": self.walls.lights.now[wall].percent}
        return {"scene": self.walls.scenes[wall].message, "light": light, "message": self.walls.message(wall)}

    # Asked -------------------------------------------------------------------

    def health(self) -> tuple[bool, dict[str, Any]]:
        """(up?, what is there and what is missing in words) for /healthz.

        Up means: the broker answers, and everybody else has either answered or had ten
        seconds to. A board that stays away is its own trouble, not the gateway's.
        """
        now_s = self.clock()
        waiting = [name for name in self.floor.boards if self.floor.presence(name, now_s)[0] == "unknown"]
        settled = now_s - self._started_s > START_S or not (waiting or self.floor.sources.get(ASTERISK))
        facts = {
            "broker": self.floor.broker_away or "ready",
            "sources": {name: away or "ready" for name, away in self.floor.sources.items()},
            "history": self.book.state.reason or self.book.state.state,
            "boards_unheard": len(waiting),
        }
        if self.phones:
            facts["phones_refused"] = dict(self.phones.counts)
        return not self.floor.broker_away and settled, facts

    def _work(self) -> dict[str, int]:
        """What the gateway itself has done since its start, and who is there, for /metrics."""
        return {
            "messages_heard": self.line.heard, "messages_sent": self.line.sent,
            "messages_refused": self.floor.refused,
            "stream_events": self.news.events, "stream_resyncs": self.news.resyncs,
            "pages_open": self.news.listeners, "screens_open": self.screens.open,
        }  # fmt: skip

    def history(self, **asked: Any) -> Iterator[str]:
        """The lines of `export.rows`, of this site, many at a time. Raises StoreError."""
        assert self.plan.history.path
        lines = export.rows(self.plan.history.path, self.plan, **asked)
        return iter(lambda: "".join(itertools.islice(lines, PIECE_LINES)), "")

    def time_of(self, at_s: float) -> str | None:
        """A moment of this gateway's clock by the site's own, written as in the CSV; None: nobody knows the time."""
        wall_s = self.book.calendar_s()
        return None if wall_s is None else self.book.calendar.iso(wall_s - (self.clock() - at_s))

    def wall_now(self, wall: str) -> Mirrored | None:
        """What a wall should show now, or, when it is old, what it had last and how old that is; None: no such wall."""
        return self.walls.mirrored(wall, self.floor, self.clock())

    def _figure(self, queue: str, what: str) -> int | None:
        """A number of a queue as a message's condition asks for it; a wait in seconds. None: unknown."""
        number = number_of(self.floor.queues[queue], what)
        if number is None or what != "wait":
            return number
        return max(int(self.clock()) - number, 0) if number >= 0 else 0

    def _drawn_now(self) -> messages_http.Now:
        """What a preview of a message is drawn over."""
        now_s = self.clock()
        scenes = {wall: scene.message for wall, scene in self.walls.scenes.items()}
        return scenes, values.read(self.walls.values(now_s)), now_s

    def _last_word(self) -> tuple[str, bytes]:
        """The will, which is also what is said at a clean end: every wall is old from then on."""
        lost = contract.encode("gateway/state", {"state": "lost", "boot": self.boot})
        return contract.topic(self.plan.site.id, "gateway/state"), lost


# Today's figures of a queue as `queue/+/now` says them, beside those that need the time.
COUNTS = ("joined", "answered", "abandoned", "timed_out", "left_by_key", "left", "vanished")
RATES = {"asa_s": ("asa_s", 1), "aht_s": ("aht_s", 1), "occupancy_pct": ("occupancy", 100),
         "abandon_rate_pct": ("abandon_rate", 100)}  # fmt: skip


# What a number of `queue/+/now` may be at least and at most.
LIMITS = {name.rstrip("?"): limit for name, kind, limit in contract.fields_of("queue/+/now") if kind is contract.INT}


def queue_figures(queue: Queue, now_s: float) -> dict[str, int | None]:
    """What is known of a queue now, rounded as people read it; None is unknown.

    What cannot be is unknown too: a source may say that more were answered in time than were answered.
    """
    figures = queue.figures
    oldest_s = figures.oldest_since_s
    waits = figures.waiting != 0
    told: dict[str, int | None] = {name: _rounded(figures.count(name)) for name in COUNTS}
    told |= {name: _rounded(figures.rate(rate), times) for name, (rate, times) in RATES.items()}
    present = sum(queue.counts[place] for place in ("free", "ringing", "talking"))
    told |= {
        "waiting": figures.waiting,
        "oldest_wait_s": max(0, int(now_s - oldest_s)) if oldest_s is not None else None if waits else 0,
        "worst_wait_s": _rounded(figures.worst_wait_s(now_s)),
        "service_level_pct": None if figures.service_level is None else percent_met(figures.service_level),
        "desks_present": present if queue.desks_known else None,
    }
    return {name: figure if _can_be(name, figure) else None for name, figure in told.items()}


def _can_be(name: str, figure: int | None) -> bool:
    least, most = LIMITS[name]
    return figure is not None and least <= figure <= most


def _rounded(figure: float | None, times: int = 1) -> int | None:
    """Halves go up, as in a browser."""
    return None if figure is None else math.floor(figure * times + 0.5)


def _board_of(topic: str) -> str:
    """The board of a topic that boards write to."""
    return topic.split("/", 5)[4] if topic.count("/") > 4 else ""


def web_config(served: ASGIApp, settings: floorplan.WebPage, host: str, port: int) -> uvicorn.Config:
    """How the page is served: over TLS where it has a certificate, believing the headers of named proxies alone."""
    return uvicorn.Config(
        served, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=1, lifespan="off",
        http=connections.Patient, ws="none",
        server_header=False, proxy_headers=bool(settings.proxies), forwarded_allow_ips=list(settings.proxies),
        ssl_certfile=settings.cert_file, ssl_keyfile=settings.key_file,
    )  # fmt: skip


def hangs_up_to_reload() -> bool:
    """Whether SIGHUP means a reload; in a terminal it says that the terminal is gone."""
    return not (sys.stdin and sys.stdin.isatty())


def serve(plan: Plan, host: str, port: int, again: Again | None = None) -> None:
    """Runs the gateway until SIGINT or SIGTERM. `again` reads its plan anew; without it there is no reload."""
    import uvloop

    early: list[int] = []
    if hangs_up_to_reload():  # one that comes before all is made waits for it, and does not end us
        signal.signal(signal.SIGHUP, lambda number, _: early.append(number))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for name in ("uvicorn.error", connections.__name__):
        logging.getLogger(name).addFilter(Seldom())

    async def run() -> None:
        await Gateway(plan, again=again).run(host, port, early)

    uvloop.run(run())
