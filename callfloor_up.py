"""`callfloor up`: starts what a site file needs on this machine, keeps it running, ends it all.

A site file that names its broker, its PBX and real boards leaves one thing to start: the
gateway, which then runs in this very process. Everything else is a child, restarted if it dies.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import ctypes
import ipaddress
import json
import os
import secrets
import signal
import socket
import sqlite3
import ssl
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import floorplan
from boards import definition, trying
from floorplan import Plan
from gateway import store
from gateway.broker.authority import CA
from gateway.broker.rights import GATEWAY, TRYING
from gateway.broker.trial import OwnBroker, new_passwords
from gateway.people import people
from gateway.people.people import People, PeopleError
from gateway.phones.token import token_of
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
       seconds: float | None) -> int:  # fmt: skip
    """Runs the floor of a site file until Ctrl-C, SIGTERM or `seconds`. Returns an exit status."""
    tables = floorplan.tables_in(path)
    if desks:
        if "simulator" not in tables:
            raise floorplan.SiteError(f"--desks: {path} has no [simulator]; its desks are real ones")
        tables = resize(tables, desks)
    with scratch("callfloor-up-") as folder:
        example = path.resolve().parent == Path(simulated.__file__).resolve().parent
        plan = floorplan.check(tables, str(path), folder if example else path.resolve().parent)
        check_page(plan, web)
        if plan.broker and plan.broker.ca_file:
            floorplan.certificates(plan.broker.ca_file)
        assert plan.people.path
        look_at_people(plan.people.path)
        web = _claim(web)
        if wrong := check_queues(plan):
            raise floorplan.SiteError("\n".join(f"{path}: {line}" for line in wrong))
        for line in definition.check(plan):  # one board that is wired wrong stops no floor
            print(f"{path}: warning: {line}", file=sys.stderr, flush=True)
        if plan.broker and not plan.simulator:
            return _gateway_alone(plan, path, web, seconds)
        return asyncio.run(_everything(plan, path, folder, web, mqtt, seconds))


def check_files(plan: Plan) -> tuple[list[str], list[str]]:
    """(wrong, unwise): what is the matter with the files that a site file names, in words.

    Secrets, certificates and the file of totals; none of them is made or changed here, but that a secret which others
    could read is theirs no more.
    """
    wrong: list[str] = []
    unwise: list[str] = []
    files = dict(_files(plan.model_dump()))
    for number, board in enumerate(plan.board, 1):  # those whose password `callfloor board json` has made
        path = floorplan.board_secret_file(plan, board)
        if path and path.exists():
            files.setdefault(f"board[{number}].secret_file", path)
    for place, path in files.items():
        public = place.endswith(("ca_file", "cert_file"))
        try:
            was_open = not public and floorplan.open_to_others(path)
            if place.endswith("secret_file"):
                floorplan.secret(path)
                if was_open:
                    unwise.append(
                        f"{place}: others on this computer could read {path} until now, when it became mode 600; "
                        "a new secret is safer"
                    )
                if place == "phones.secret_file":
                    token_of(plan)
            elif place.endswith("ca_file"):
                path.stat()
                floorplan.certificates(path)
            else:
                floorplan.text_of(path)
                if was_open:
                    unwise.append(f"{place}: others on this computer can read {path}; try: chmod 600 {path}")
        except FileNotFoundError:
            todo = "put the certificate there" if public else "write the secret there, one line, mode 600"
            if _is_made(plan, place, path):
                todo = "`callfloor broker setup` makes it"
            wrong.append(f"{place}: {path} is missing; {todo}")
        except (OSError, UnicodeError, floorplan.SiteError) as error:
            why = "it is no text" if isinstance(error, UnicodeError) else getattr(error, "strerror", None)
            wrong.append(f"{place}: {path}: cannot be read ({why})" if why else f"{place}: {error}")
    try:
        if plan.page.cert_file and not any(line.startswith("page.") for line in wrong):
            check_certificate(plan)
    except floorplan.SiteError as error:
        wrong.append(str(error))
    try:
        if plan.people.path:
            look_at_people(plan.people.path)
    except PeopleError as error:
        wrong.append(f"people.path: {error}")
    try:
        if plan.history.path:
            store.look(plan.history.path)
    except store.StoreError as error:
        wrong.append(f"history.path: {error}")
    return wrong, unwise


def _is_made(plan: Plan, place: str, path: Path) -> bool:
    """Whether `callfloor broker setup` makes what is missing there."""
    broker = plan.broker
    if not broker or not broker.user:
        return False
    if place == "broker.ca_file":
        return broker.cert_file is None and broker.folder is not None and path == broker.folder / CA
    return place == "broker.secret_file" or place.startswith(("board[", "source["))


def check_certificate(plan: Plan) -> None:
    """Whether the page's certificate and key are a pair. Raises SiteError."""
    page = plan.page
    assert page.cert_file and page.key_file
    try:
        for path in (page.cert_file, page.key_file):
            floorplan.text_of(path)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(page.cert_file, page.key_file, "")
    except (OSError, UnicodeError) as error:  # that of TLS is one, too
        words = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
        why = f"cannot be used together ({words})"
        raise floorplan.SiteError(f"[page]: cert_file {page.cert_file} and its key_file {why}") from error


def look_at_people(path: Path) -> None:
    """Raises PeopleError where that is no file of people, as far as it shows without making or changing one."""
    if not path.parent.is_dir():
        raise PeopleError(f"{path}: there is no folder {path.parent}; make it, or name another in [people]")
    if not path.exists():
        return
    if not path.is_file():
        raise PeopleError(f'{path}: this is no file; name one: [people] path = "people.db"')
    # SQLite makes files beside the first reader of a WAL, but not where it may take the file as it is.
    alone = "" if Path(f"{path}-shm").exists() else "&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)) as db:
            people.version_of(path, db)
    except sqlite3.Error as error:
        advice = people.TRY.get(error.sqlite_errorcode & 0xFF, "is it a file of ours?")
        raise PeopleError(f"{path}: cannot be read ({error}); {advice}") from error


def check_page(plan: Plan, web: tuple[str, int]) -> None:
    """Whether the page may be served there: its certificate is one, and passwords cross no network in plain text.

    Raises SiteError.
    """
    page = plan.page
    if page.cert_file:
        check_certificate(plan)
    elif not (_on_this_machine(web[0]) or page.proxies or page.plain):
        raise floorplan.SiteError(
            f"--web {web[0]}: whoever else is on that network could read passwords. In the site file, under [page]: "
            "cert_file and key_file for https; or proxies, the address of your own https server in front; or, where "
            "nobody else is on that network, plain = true"
        )


def _on_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def check_queues(plan: Plan) -> list[str]:
    """The queues of a phone system that nobody tells of, a line each."""
    if plan.pbx.asterisk or plan.simulator:
        return []
    return [
        f"queue '{queue.id}' has pbx = \"{queue.pbx}\", but there is no [pbx.asterisk]; "
        "add it, or for another phone system a [[source]], and source in place of pbx"
        for queue in plan.queue
        if queue.pbx
    ]


def _files(value: Any, place: str = "") -> Iterator[tuple[str, Path]]:
    """(`board[2].secret_file`, path) of every file that tables name by a key ending in `_file`."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _files(part, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value, 1):
            yield from _files(part, f"{place}[{number}]")
    elif isinstance(value, Path) and place.endswith("_file"):
        yield place, value


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
    from gateway.service import serve

    page = _page(plan, web)
    print(f"page        {page}", flush=True)
    first_login(plan, page, file, trial=False)
    if seconds:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, seconds)
    serve(plan, *web)
    return 0


async def _everything(plan: Plan, file: Path, folder: Path, web: tuple[str, int], mqtt: tuple[str, int] | None,
                      seconds: float | None) -> int:  # fmt: skip
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
    children = _children(plan, folder, site, broker, web)
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


def _children(plan: Plan, folder: Path, site: Path, broker: OwnBroker | None,
              web: tuple[str, int]) -> list[Child]:  # fmt: skip
    """Every process there is to start, in order."""
    ours = [sys.executable, "-m", "callfloor"]
    children = [Child("broker", broker.command())] if broker else []
    children.append(Child("gateway", [*ours, "gateway", "--site", str(site), "--web", f"{web[0]}:{web[1]}"]))
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
            if simulated.micropython()
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
