"""`callfloor up`: starts what a site file needs on this machine, keeps it running, ends it all.

A site file that names its broker, its PBX and real boards leaves one thing to start: the
gateway, which then runs in this very process. Everything else is a child, restarted if it dies.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import ctypes
import functools
import json
import os
import secrets
import signal
import socket
import ssl
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import floorplan
import this_computer
from boards import definition, trying
from floorplan import Plan
from gateway import site_check
from gateway.broker.rights import GATEWAY, TRYING
from gateway.broker.trial import OwnBroker, new_passwords
from gateway.people.people import People
from gateway.web import floor_plan
from simulator import board as simulated
from simulator.resize import resize
from simulator.scratch import scratch

READY_S = 60.0  # a floor that is not up by then is said to be late, once
STOP_S = 4.0  # a child that has not ended by then is killed
PAUSE_S = (0.5, 10.0)  # before a child that died is started again: doubling
STEADY_S = 30.0  # a child that lived so long starts over with the short pause
WORDS = 12  # lines of a child kept, to be shown when it dies
FRAME_S = 0.5
# To ourselves, past any proxy; our own certificate need not be for the address we ask at.
DIRECT = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),
)


@dataclass
class Child:
    """One process of ours, and its last words."""

    name: str
    command: list[str]
    process: asyncio.subprocess.Process | None = None
    words: collections.deque[str] = field(default_factory=lambda: collections.deque(maxlen=WORDS))


def up(path: Path, web: tuple[str, int], mqtt: tuple[str, int] | None, desks: int | None,
       seconds: float | None, past: bool = False) -> int:  # fmt: skip
    """Runs the floor of a site file until Ctrl-C, SIGTERM or `seconds`. Returns an exit status.

    `past`: a simulated floor begins with one, where nothing is kept of it yet.
    """
    tables = floorplan.tables_in(path)
    if desks:
        if "simulator" not in tables:
            raise floorplan.SiteError(f"--desks: {path} has no [simulator]; its desks are real ones")
        tables = resize(tables, desks)
    with scratch("callfloor-up-") as folder:
        example = path.resolve().parent == Path(simulated.__file__).resolve().parent
        plan = floorplan.check(tables, str(path), folder if example else path.resolve().parent)
        site_check.check_page(plan, web)
        if plan.broker and plan.broker.ca_file:
            floorplan.certificates(plan.broker.ca_file)
        assert plan.people.path
        site_check.look_at_people(plan.people.path)
        web = _claim(web)
        if wrong := site_check.check_queues(plan):
            raise floorplan.SiteError("\n".join(f"{path}: {line}" for line in wrong))
        for line in [*definition.check(plan), *floor_plan.check(plan)[0]]:  # one board wired wrong stops no floor
            print(f"{path}: warning: {line}", file=sys.stderr, flush=True)
        if plan.broker and not plan.simulator:
            return _gateway_alone(plan, path, web, seconds)
        if past:
            _past(plan)
        again = ["--again", str(path), *(["--desks", str(desks)] if desks else [])]
        return asyncio.run(_everything(plan, path, folder, web, mqtt, seconds, again))


def _past(plan: Plan) -> None:
    """Has a simulated floor live a past, and says so. Raises SiteError where it cannot."""
    import callfloor_past

    begun_s = time.monotonic()
    if callfloor_past.write(plan, time.time()):
        took_s = time.monotonic() - begun_s
        print(f"past        yesterday, a day of last week and today so far, simulated in {took_s:.0f} s", flush=True)


def read_again(path: Path, desks: int | None, scratch: Path, running: Plan) -> Plan:
    """A site file as it is now, for a floor that runs: what it leaves to us stays as it is there. Raises SiteError."""
    tables = floorplan.tables_in(path)
    if desks:
        tables = resize(tables, desks)
    example = path.resolve().parent == Path(simulated.__file__).resolve().parent
    folder = scratch if example else path.resolve().parent
    plan = floorplan.check(tables, str(path), folder)
    if wrong := site_check.check_queues(plan):
        raise floorplan.SiteError("\n".join(f"{path}: {line}" for line in wrong))
    if plan.broker and not plan.simulator:
        return plan
    told: dict[str, Any] = plan.model_dump(mode="json", exclude_none=True)
    known: dict[str, Any] = running.model_dump(mode="json", exclude_none=True)
    boards = {board["id"]: board for board in known["board"]}
    given = () if plan.broker else ("secret_file",)
    for board in told["board"]:
        for key in (*given, *(("control",) if plan.simulator else ())):
            if key in boards.get(board["id"], {}):
                board.setdefault(key, boards[board["id"]][key])
    if not plan.broker and "broker" in known:
        told["broker"] = known["broker"]
    if plan.simulator and not plan.pbx.asterisk:
        told["pbx"] = known["pbx"]
    return floorplan.check(told, str(path), folder)


def first_login(plan: Plan, page: str, site: Path, trial: bool) -> None:
    """Prints the link by which the first person comes in, as long as there is nobody.

    What is no terminal may be a log that others read for years: there it is printed while no such link is open,
    else how one is made. A trial has nothing to hide.
    """
    with People(plan.people) as them:
        if not them.nobody():
            return
        if not trial and not sys.stdout.isatty() and any(link.role == "admin" for link in them.invitations()):
            print(f"first login nobody has used the link yet that is open; another: callfloor person invite {site} "
                  "--role admin", flush=True)  # fmt: skip
            return
        link = them.first_link(plan.page.url or page.rstrip("/"))
        print(f"first login {link}\n            works once, within 24 hours", flush=True)


def _claim(web: tuple[str, int]) -> tuple[str, int]:
    """The page's address, a free port in place of 0. Raises SiteError where it is taken."""
    try:
        with socket.create_server(web, family=socket.AF_INET6 if ":" in web[0] else socket.AF_INET) as sock:
            return web[0], int(sock.getsockname()[1])
    except OSError as error:
        raise floorplan.SiteError(
            f"--web {web[0]}:{web[1]}: cannot be used ({os.strerror(error.errno or 0)}); "
            "try --web 127.0.0.1:0, which takes a free port"
        ) from error


def _gateway_alone(plan: Plan, file: Path, web: tuple[str, int], seconds: float | None) -> int:
    from gateway.reload import Again
    from gateway.service import serve

    page = _page(plan, web)
    print(f"page        {page}", flush=True)
    first_login(plan, page, file, trial=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the gateway takes it
    if seconds:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, seconds)
    serve(plan, *web, Again(file, functools.partial(read_again, file, None, file.parent)))
    return 0


async def _everything(plan: Plan, file: Path, folder: Path, web: tuple[str, int], mqtt: tuple[str, int] | None,
                      seconds: float | None, again: list[str]) -> int:  # fmt: skip
    """The whole floor as children of this process."""
    started = time.monotonic()
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end.set)
    if seconds:
        loop.call_later(seconds, end.set)

    broker, plan = _complete(plan, folder, mqtt)
    site = folder / "site.json"
    site.touch(mode=0o600)
    site.write_text(json.dumps(plan.model_dump(mode="json", exclude_none=True)))
    children = _children(plan, folder, site, broker, web, again)
    if not sys.stdin.isatty():  # there it says that the terminal is gone
        gateway = next(child for child in children if child.name == "gateway")
        loop.add_signal_handler(signal.SIGHUP, _hang_up, gateway)
    keepers: list[asyncio.Task[None]] = []
    for_us = contextlib.ExitStack()  # the login at the broker for whoever runs this
    try:
        if broker:
            print(f"broker      {broker.kind} on {broker.host}:{broker.port}", flush=True)
            if not plan.simulator:
                print(
                    "            for trying: only this machine reaches it. Real boards need [broker]",
                    flush=True,
                )
            keepers.append(asyncio.create_task(_keep(children.pop(0), end)))
            await broker.wait_until_ready()
            for_us.enter_context(trying.kept(broker.host, broker.port, broker.users[TRYING]))
        keepers += [asyncio.create_task(_keep(child, end)) for child in children]
        _say_boards(plan)
        await _until_up(plan, web, end, started, lambda page: first_login(plan, page, file, trial=broker is not None))
        await _show_wall(plan, end)
    finally:
        end.set()
        for_us.close()
        await asyncio.gather(*keepers, return_exceptions=True)
    return 0


def _complete(plan: Plan, folder: Path, mqtt: tuple[str, int] | None) -> tuple[OwnBroker | None, Plan]:
    """The plan with an address and a password for everything it left to us."""
    tables: dict[str, Any] = plan.model_dump(mode="json", exclude_none=True)
    broker = None
    if not plan.broker:
        boards = [board.id for board in plan.board]
        passwords = new_passwords(boards)
        host, port = mqtt or ("127.0.0.1", simulated.free_port())
        sources = {source.id: floorplan.secret(source.secret_file) or "" for source in plan.source}
        broker = OwnBroker(folder / "broker", plan.site.id, passwords, boards, host, port, sources=sources)
        broker.write()
        files = {user: _secret(folder, f"mqtt-{user}", passwords[user]) for user in (GATEWAY, *boards)}
        tables["broker"] = {
            "host": broker.host,
            "port": broker.port,
            "user": GATEWAY,
            "secret_file": files[GATEWAY],
        }
        for board in tables.get("board", []):
            board["secret_file"] = files[board["id"]]
    if plan.simulator:
        for board in tables.get("board", []):
            if board["inputs"]:
                board.setdefault("control", f"127.0.0.1:{simulated.free_port()}")
        if not plan.pbx.asterisk:
            secret = _secret(folder, "ami", secrets.token_hex(16))
            tables["pbx"] = {"asterisk": {
                "host": "127.0.0.1", "port": simulated.free_port(), "user": "callfloor", "secret_file": secret,
            }}  # fmt: skip
    return broker, floorplan.check(tables, "site.json", folder)


def _secret(folder: Path, name: str, text: str) -> str:
    path = folder / f"secret-{name}"
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return str(path)


def _hang_up(child: Child) -> None:
    """Has the gateway read its site file anew."""
    with contextlib.suppress(ProcessLookupError):
        if child.process:
            child.process.send_signal(signal.SIGHUP)


def _children(plan: Plan, folder: Path, site: Path, broker: OwnBroker | None,
              web: tuple[str, int], again: list[str]) -> list[Child]:  # fmt: skip
    """Every process there is to start, in order."""
    ours = [sys.executable, "-m", "callfloor"]
    children = [Child("broker", broker.command())] if broker else []
    children.append(Child("gateway", [*ours, "gateway", "--site", str(site), "--web", f"{web[0]}:{web[1]}", *again]))
    if plan.simulator:
        children.append(Child("simulator", [*ours, "sim", "floor", str(site)]))
        for board in plan.board:
            told = simulated.write_board_json(plan, board.id, board.control, folder)
            children.append(Child(board.id, simulated.command(told)))
    return children


def _say_boards(plan: Plan) -> None:
    if plan.simulator:
        python = (
            "MicroPython"
            if this_computer.micropython()
            else "CPython, for want of a MicroPython for this machine"
        )
        print(f"boards      {len(plan.board)}, running firmware/ on {python}", flush=True)


async def _keep(child: Child, end: asyncio.Event) -> None:
    """Runs a child until the end; starts it again whenever it dies before."""
    pause_s = PAUSE_S[0]
    while not end.is_set():
        started = time.monotonic()
        try:
            child.process = await _started(child)
        except OSError as error:
            print(f"{child.name} cannot be started ({error.strerror}); again in {PAUSE_S[1]:g} s", flush=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(end.wait(), PAUSE_S[1])
            continue
        listening = asyncio.create_task(_listen(child))
        ended = asyncio.create_task(child.process.wait())
        ending = asyncio.create_task(end.wait())
        await asyncio.wait([ended, ending], return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if end.is_set():
            await _stop(child.process)
            await listening
            return
        await listening
        if time.monotonic() - started > STEADY_S:
            pause_s = PAUSE_S[0]
        print(
            f"{child.name} ended ({_how(child.process.returncode)}); starting it again in {pause_s:g} s",
            flush=True,
        )
        for line in child.words:
            print(f"  {child.name}: {line}", flush=True)
        child.words.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), pause_s)
        pause_s = min(pause_s * 2, PAUSE_S[1])


async def _started(child: Child) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *child.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env=simulated.environment(), start_new_session=True,
        preexec_fn=_die_with_parent, limit=2**20,
    )  # fmt: skip


def _die_with_parent() -> None:
    """Linux: a child gets SIGTERM when its parent is gone, however that went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


async def _listen(child: Child) -> None:
    assert child.process and child.process.stdout
    while True:
        try:
            line = await child.process.stdout.readline()
        except ValueError:  # a line without end
            continue
        if not line:
            return
        child.words.append(line.decode(errors="replace").rstrip()[:400])


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def _how(status: int | None) -> str:
    if status is not None and status < 0:
        return signal.Signals(-status).name
    return f"exit status {status}"


async def _until_up(plan: Plan, web: tuple[str, int], end: asyncio.Event, started: float,
                    say_login: Callable[[str], None]) -> None:  # fmt: skip
    """Waits for the gateway's own word that the floor is up, and prints the page's address."""
    page = _page(plan, web)
    late = False
    while not end.is_set():
        ready = await asyncio.to_thread(_answers, page + "healthz")
        if not late and (ready or time.monotonic() - started > READY_S):
            print(f"page        {page}", flush=True)
            say_login(page)
        if ready:
            print(f"up after    {time.monotonic() - started:.1f} s. Ctrl-C ends it.", flush=True)
            return
        if not late and time.monotonic() - started > READY_S:
            late = True
            print(f"not up after {READY_S:.0f} s; the page says why", flush=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), 0.1)


def _page(plan: Plan, web: tuple[str, int]) -> str:
    host = "127.0.0.1" if web[0] in ("0.0.0.0", "::") else web[0]
    return f"http{'s' if plan.page.cert_file else ''}://{f'[{host}]' if ':' in host else host}:{web[1]}/"


def _answers(url: str) -> bool:
    try:
        with DIRECT.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


async def _show_wall(plan: Plan, end: asyncio.Event) -> None:
    """Draws the first wall as its board wrote it: live on a terminal, once anywhere else."""
    from wallboard.picture import plain, read_ppm, terminal

    walls = [wall for wall in plan.wall if wall.panel.path and wall.panel.path.suffix == ".ppm"]
    if not walls or not plan.simulator:
        await end.wait()
        return
    wall, path = walls[0], walls[0].panel.path
    live = sys.stdout.isatty()
    before, height = "", 0
    while not end.is_set():
        text = await asyncio.to_thread(_drawn, path, read_ppm, terminal if live else plain)
        if text and text != before:
            title = f"wall        {wall.name or wall.id}, {wall.panel.size[0]} x {wall.panel.size[1]} lights"
            back = f"\x1b[{height}F\x1b[J" if height else ""
            print(f"{back}{title}\n{text}", flush=True)
            before, height = text, text.count("\n") + 2
            if not live:
                await end.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), FRAME_S)


def _drawn(path: Any, read_ppm: Any, terminal: Any) -> str:
    try:
        return str(terminal(read_ppm(path.read_bytes())))
    except (OSError, ValueError):
        return ""  # not drawn yet
