"""A board's password at the broker: a new one in a new board.json, the next one without a trip to its desk, and none.

The host keeps each board's password in a file (`[broker] boards_folder`), the broker its hash. Whatever dies half way:
a board that worked goes on working, and the same command again finishes what was begun. docs/board-passwords.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

import floorplan
import this_computer
from boards import definition, login
from boards.command import CommandError, tell
from firmware import contract, rotate
from floorplan import Board, Plan, SiteError
from gateway.broker import accounts
from gateway.broker.accounts import AccountsError, write_whole

VISIT_S = 2.0  # a broker that has not answered by then is too busy, or hangs
ASK_S = 3.0  # a board that was thrown out is usually back by then; if not, it is asked
BACK_S = 10.0  # and so much later it is not there
OUT_S = 5.0  # and one without an account is out
LOCK_S = 10.0  # for another command that is changing boards' passwords
STATE, HELLO = "board/+/state", "board/+/hello"
NOBODY = {"definition": "", "firmware": "", "python": "", "inputs": "", "panels": "", "restart": ""}  # says hello so
STEPS = ("begun", "answered", "account", "reloaded", "kept")  # of a rotation, each done when `step` is called with it


class Told(NamedTuple):
    """What became of a command: a line for whoever gave it, and whether all is as it should be."""

    words: str
    good: bool = True


# A new board.json -----------------------------------------------------------------


def provision(plan: Plan, name: str, pins: dict[str, Any], out: Path) -> Told:
    """Writes a board.json with a new password where the broker is ours. Raises SiteError, AccountsError.

    The old password works until the last step. Where the broker's accounts are not here, the password stays.
    """
    board = _board(plan, name)
    file = floorplan.board_secret_file(plan, board)
    if file is None or not _accounts_are_here(plan):
        _write_out(out, floorplan.board_json(plan, name, pins))
        if file is None:
            return Told(f"{out}: written; the board has no password: [broker] boards_folder gives each board one")
        return Told(f"{out}: written, with the password of {file}; the broker's accounts are not on this computer")
    _its_own(plan, board, file)
    with alone(file):
        password = secrets.token_hex(16)
        _write(_next(file), password + "\n")  # once the account has it, `broker setup` finishes what dies here
        _write_out(out, floorplan.board_json(plan, name, pins, password))
        accounts.put(plan, name, password)
        running = accounts.reload(plan)
        _write(file, password + "\n")
        forget(file)
    said = f"{out}: written, for you alone to read. It has a new password: an older one of '{name}' opens nothing now"
    return Told(said if running else said + "; the broker does not run here: it takes the password when it starts")


def write_all(plan: Plan, folder: Path | None, dry_run: bool = False) -> list[str]:
    """Writes a board.json of every board into a folder, ID.json, with the password that the board has already.

    Whoever has none yet gets one. So no board that works is shut out by it. Raises SiteError, AccountsError.
    """
    if folder is None or (folder.exists() and not folder.is_dir()):
        raise SiteError(f"board json --all: --out {folder or 'boards'} has to be a folder, for a file of each board")
    said = []
    for board in plan.board:  # before anything is written
        if wrong := definition.wrong_with(board, plan.walls_of(board.id)):
            raise SiteError("\n".join(f"board {board.id}: {line}" for line in wrong))
        floorplan.board_json(plan, board.id, definition.pins(board), "a new one")
    for board in plan.board:
        out, file = folder / f"{board.id}.json", floorplan.board_secret_file(plan, board)
        new = file is not None and not file.exists() and _accounts_are_here(plan)
        if dry_run:
            said.append(f"would write {out}" + (", with a new password" if new else ""))
        elif new:
            said.append(provision(plan, board.id, definition.pins(board), out).words)
        else:
            _write_out(out, floorplan.board_json(plan, board.id, definition.pins(board)))
            said.append(f"{out}: written, for you alone to read" + (", with the password that it has" if file else ""))
    return said


# The same for a board at a cable --------------------------------------------------


class Handed(NamedTuple):
    """A board.json on its way to a board at a cable."""

    text: bytes  # what has to be on the board
    password: str | None  # which `taken` makes good; None: the accounts are not here, or there are none
    kept: bool  # the board has exactly this already: nothing has to be sent


def hand(
    plan: Plan, name: str, pins: dict[str, Any], told: bytes | None, rotated: bytes | None, try_only: bool = False
) -> Handed:
    """What a board at a cable has to be told; `taken` is called when it has it. Raises SiteError, AccountsError.

    told, rotated: its board.json and its file `password` as they are now, None where they are not there. A board that
    has exactly this board.json, with a password that we know, keeps it; any other gets a new password.

    The order is: the next password in ID.next, the board, the account, the host's own file. The board comes before the
    account: until the new board has its file, an older one of this name works on. Cut after ID.next: nothing has
    changed. Cut when the board has the file: the same command finds it there with the password in ID.next, sends
    nothing and goes on with the account. Cut when the account has it: the same, or `broker setup`, puts it into the
    host's own file. No lock is held meanwhile, for a cable is slow and many boards may be made at once: `taken` looks
    whether ID.next is still its own. try_only: the same, and nothing is begun.
    """
    board = _board(plan, name)
    file = floorplan.board_secret_file(plan, board)
    if file is None or not _accounts_are_here(plan):
        there = floorplan.board_json(plan, name, pins)
        kept = told is not None and _read(told) == there
        return Handed(told if kept and told else _text(there), None, kept)
    _its_own(plan, board, file)
    with alone(file):
        theirs = _on_board(told, rotated)
        if told and theirs and theirs in _good(file):
            wanted = floorplan.board_json(plan, name, pins, theirs)
            there = _read(told)
            there["broker"] = there["broker"] | {"password": theirs}
            if there == wanted:
                return Handed(told, theirs, True)
        password = secrets.token_hex(16)
        made = Handed(_text(floorplan.board_json(plan, name, pins, password)), password, False)
        if not try_only:
            _write(_next(file), password + "\n")
        return made


def taken(plan: Plan, name: str, handed: Handed) -> str:
    """The board has what it was handed: its password opens the broker from now on, and no older one of that name.

    Returns what is to be said of it, or nothing. Raises SiteError, AccountsError.
    """
    file = floorplan.board_secret_file(plan, _board(plan, name))
    if handed.password is None or file is None:
        return "" if file is None else f"with the password of {file}; the broker's accounts are not on this computer"
    with alone(file):
        if handed.password not in _good(file):
            raise SiteError(f"board '{name}': another command has given it a password meanwhile; "
                            "give the same command again")  # fmt: skip
        if not accounts.has(plan, name, handed.password):
            accounts.put(plan, name, handed.password)
        running = accounts.reload(plan)
        if not file.exists() or floorplan.secret(file) != handed.password:
            _write(file, handed.password + "\n")
            forget(file)
    return "" if running else "the broker does not run here: it takes the password when it starts"


class Giver:
    """Both for the boards of one site, as boards/bench/flash.py takes it. `made`: boards that have a new board.json."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.made: list[str] = []

    def hand(self, board: str, pins: dict[str, Any], told: bytes | None, rotated: bytes | None, dry: bool) -> Handed:
        """Raises SiteError."""
        try:
            return hand(self._plan, board, pins, told, rotated, dry)
        except AccountsError as error:
            raise SiteError(str(error)) from error

    def taken(self, board: str, handed: Handed) -> str:
        """Raises SiteError."""
        if not handed.kept:
            self.made.append(board)
        try:
            return taken(self._plan, board, handed)
        except AccountsError as error:
            raise SiteError(str(error)) from error


def _good(file: Path) -> list[str]:
    """Passwords that a board may go on with: the host's, and one that was begun. Not one that is taken away."""
    found = []
    for path in (file, _next(file)):
        with contextlib.suppress(OSError, ValueError, IndexError):
            found.append(path.read_text(encoding="ascii").split()[0])
    return found


def _on_board(told: bytes | None, rotated: bytes | None) -> str | None:
    """The password that a board has: that of its board.json, or what a rotation has made of it (firmware/rotate.py)."""
    broker = _read(told).get("broker")
    first = broker.get("password") if isinstance(broker, dict) else None
    if not isinstance(first, str) or not first:
        return None
    lines = (rotated or b"").decode("ascii", "replace").split("\n")
    if len(lines) == 5 and lines[3] == rotate.mark_of(first) and lines[0] == rotate.next_of(lines[1], lines[2]):
        return lines[0]
    return first


def _read(told: bytes | None) -> dict[str, Any]:
    """A board.json as it is on a board; empty where that is none."""
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(told or b"")
        return found if isinstance(found, dict) else {}
    return {}


def _text(told: dict[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode()


# No password any more -------------------------------------------------------------


def revoke(plan: Plan, name: str) -> Told:
    """Shuts a board out, its live connection too, and tries that it is. Raises SiteError, AccountsError."""
    started = time.monotonic()
    file = may_revoke(plan, name)
    with alone(file or accounts.folder_of(plan) / accounts.PASSWORDS):
        return _shut_out(plan, name, file, started)


def may_revoke(plan: Plan, name: str) -> Path | None:
    """Where the password is of a board that can be shut out here. Raises SiteError, AccountsError where it cannot."""
    boards = {board.id: board for board in plan.board}
    users = accounts.users(plan) if _accounts_are_here(plan) else []
    if name not in boards and (name not in users or name in _others(plan)):
        raise SiteError(f"no board '{name}' in the site file, and no account{floorplan.meant(name, boards)}")
    file = floorplan.board_secret_file(plan, boards[name]) if name in boards else _in_folder(plan, name)
    if name in boards and file is not None:
        _its_own(plan, boards[name], file)
    accounts.users(plan)  # or this is not the broker's computer, and its words say so
    return file


def _shut_out(plan: Plan, name: str, file: Path | None, started: float) -> Told:
    """The same, while nobody else changes boards' passwords."""
    visitors = [Visitor(plan, name, password) for password in _passwords(file)]
    try:
        if file:
            _put_away(file)  # first: whatever dies from here on, `broker setup` gives it no account
        accounts.remove(plan, name)
        running = accounts.reload(plan)
        if not running:
            return _revoked_without_broker(plan, name, file)
        out = _until(lambda: not any(visitor.there for visitor in visitors), time.monotonic() + OUT_S)
    finally:
        for visitor in visitors:
            visitor.close()
    assert plan.broker
    where = f"{plan.broker.host}:{plan.broker.port}"
    were_in = any(visitor.let_in for visitor in visitors)
    again = [_lets_in(plan, name, visitor.password) for visitor in visitors]
    if out and None in again and True not in again:
        return Told(f"board '{name}': its account is removed, and the broker at {where} was told, but does not answer: "
                    "IT IS NOT TRIED whether the board is out. Give the same command again", False)  # fmt: skip
    if not out or True in again:
        return Told(f"board '{name}': its account is removed, but the broker at {where} "
                    f"LETS IT IN all the same: is it that of {plan.broker.folder}? Start it anew", False)  # fmt: skip
    if file:
        forget(file)  # not before: whoever gives the command again has something to try
    try:
        with Watch(plan, None, name) as watch:
            watch.forget(name)  # the broker sends no will of a client that it throws out
    except CommandError as error:
        return Told(f"board '{name}' is shut out, but what it said last is still there: {error}; "
                    "give the same command again", False)  # fmt: skip
    took = f"{time.monotonic() - started:.1f} s"
    tried = "its password is refused" if visitors else "no password of it was here to try"
    if were_in:
        tried = "a connection under its name was thrown out, and its password is refused"
    return Told(f"board '{name}' is shut out after {took}: {tried}. `callfloor board json` makes it someone again")


def _revoked_without_broker(plan: Plan, name: str, file: Path | None) -> Told:
    """An account removed where no broker of ours runs: good only if there is none at all."""
    assert plan.broker
    where = f"{plan.broker.host}:{plan.broker.port}"
    with contextlib.suppress(OSError), socket.create_connection((plan.broker.host, plan.broker.port), timeout=2):
        return Told(f"board '{name}': its account is removed from {plan.broker.folder}, but the broker that answers at "
                    f"{where} is not running with it: THE BOARD MAY STILL BE IN. Start the broker with "
                    f"{plan.broker.folder}/{accounts.CONF}, or do the same on its computer", False)  # fmt: skip
    if file:
        forget(file)
    return Told(f"board '{name}': its account is removed; no broker runs at {where}, so nobody is in. "
                "When it starts, the board is refused; the same command takes back then what it had said")  # fmt: skip


# The next password ----------------------------------------------------------------


def rotate_all(
    plan: Plan, names: Iterable[str], address: tuple[str, int] | None = None, step: Callable[[str], None] | None = None
) -> Iterator[Told]:
    """One board after the other; what became of each. Raises SiteError, AccountsError, CommandError.

    address: the broker's, where it is not the site file's. `step` is told of each of STEPS when it is done.
    """
    boards = may_rotate(plan, names)
    with Watch(plan, address) as watch:
        for board in boards:
            try:
                yield _rotate(plan, board, address, watch, step or (lambda _: None))
            except CommandError as error:
                yield Told(f"{error}: its password stays as it is", False)
            except (SiteError, AccountsError) as error:
                yield Told(f"board '{board.id}': {error}", False)


def may_rotate(plan: Plan, names: Iterable[str]) -> list[Board]:
    """The boards of these names, whose passwords can be changed here. Raises SiteError, AccountsError."""
    boards = [_board(plan, name) for name in names]
    if accounts.running(plan) is None:
        raise AccountsError(
            f"no broker runs on this computer with {accounts.folder_of(plan) / accounts.CONF}: passwords are "
            "changed on the broker's computer, while it runs; docs/broker.md"
        )
    return boards


def _rotate(
    plan: Plan, board: Board, address: tuple[str, int] | None, watch: Watch, step: Callable[[str], None]
) -> Told:
    """One board. Raises CommandError where it does not answer or refuses."""
    file = floorplan.board_secret_file(plan, board)
    if file is None:
        return Told(f"board '{board.id}' has no password: [broker] boards_folder gives each board one", False)
    _its_own(plan, board, file)
    with alone(file):
        old = floorplan.secret(file) or ""
        new, nonce = _begun(file, old)
        if new == old:
            _next(file).unlink()
            return Told(f"board '{board.id}': its new password was there already; what was left is finished")
        if not watch.ready(board.id):
            return Told(f"board '{board.id}' is not there: its password stays as it is", False)
        step("begun")
        try:
            mark = tell(plan, board.id, {"do": "rotate", "nonce": nonce}, address)
        except CommandError as error:
            if " says: " in str(error):  # it refused: nothing is begun
                _next(file).unlink()
            raise
        step("answered")
        if mark != rotate.mark_of(new):
            _next(file).unlink()
            return Told(f"board '{board.id}' has another password than {file}, and keeps it; "
                        f"`callfloor board json {board.id}` makes a new one for both", False)  # fmt: skip
        seen = watch.hellos.get(board.id, 0)
        accounts.put(plan, board.id, new)
        step("account")
        accounts.reload(plan)
        step("reloaded")
        _write(file, new + "\n")
        step("kept")
        _next(file).unlink()
    if not _back(plan, board.id, nonce, address, lambda: watch.hellos.get(board.id, 0) > seen):
        return Told(f"board '{board.id}' has its new password, but is not back after {BACK_S:.0f} s; "
                    "it goes on trying: look at the page", False)  # fmt: skip
    return Told(f"board '{board.id}' has a new password, and is back with it")


def _back(
    plan: Plan, name: str, nonce: str, address: tuple[str, int] | None, said_hello: Callable[[], bool]
) -> bool:
    """Whether a board is there with the password that the broker has now."""
    if _until(said_hello, time.monotonic() + ASK_S):
        return True
    with contextlib.suppress(CommandError):  # it was not thrown out: it had the new one already
        tell(plan, name, {"do": "rotate", "nonce": nonce}, address)
        return True
    return _until(said_hello, time.monotonic() + BACK_S)


def _begun(file: Path, old: str) -> tuple[str, str]:
    """(the next password, its nonce): those of a rotation that was begun before, or new ones, kept in `ID.next`."""
    try:
        new, nonce = _next(file).read_text(encoding="ascii").split()
        if new in (old, rotate.next_of(old, nonce)):
            return new, nonce
    except (OSError, ValueError):
        pass
    nonce = secrets.token_hex(16)
    new = rotate.next_of(old, nonce)
    _write(_next(file), f"{new}\n{nonce}\n")
    return new, nonce


def boards_with_passwords(plan: Plan) -> list[str]:
    """Those of the site file that have one."""
    return [
        board.id for board in plan.board
        if (file := floorplan.board_secret_file(plan, board)) is not None and file.exists()
    ]  # fmt: skip


# Parts ----------------------------------------------------------------------------


class Watch:
    """What the broker says of boards: their states, and how often each has said hello just now.

    `name`: all that is said of this board alone. Raises CommandError, SiteError.
    """

    def __init__(self, plan: Plan, address: tuple[str, int] | None, name: str = "+") -> None:
        assert plan.broker
        self._plan = plan
        self._kept: set[str] = set()  # topics with something retained
        self.states: dict[str, dict[str, Any]] = {}
        self.hellos: dict[str, int] = {}
        host, port = address or (plan.broker.host, plan.broker.port)
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=True)
        heard: queue.Queue[str] = queue.Queue()
        login.log_in(client, plan.broker)
        said = (STATE, HELLO) if name == "+" else ("board/+/#",)
        topics = [(contract.topic(plan.site.id, what, name), 0) for what in said]  # 0: nothing waits its turn
        fence = f"fence-{secrets.token_hex(4)}"
        self._fence = -1

        def connected(client: paho.Client, _user: object, _flags: object, code: Any, _more: object) -> None:
            if code.is_failure:
                heard.put(f"the broker at {host}:{port} refuses us: {str(code).lower()}; [broker] user and secret_file "
                          "are what it knows you by")  # fmt: skip
            client.subscribe(topics)

        def hear(_client: object, _user: object, message: paho.MQTTMessage) -> None:
            if message.retain:
                self._kept.add(message.topic)
            try:
                pattern, ids, fields = contract.parse(message.topic, message.payload)
            except contract.ContractError:
                return
            if pattern == STATE:
                self.states[ids[0]] = fields or {}
            elif pattern == HELLO and not message.retain:
                self.hellos[ids[0]] = self.hellos.get(ids[0], 0) + 1

        def subscribed(client: paho.Client, _user: object, mid: int, _codes: object, _more: object) -> None:
            if mid == self._fence:
                heard.put("")
            else:  # what is retained came before the answer to a second request
                self._fence = client.subscribe(contract.topic(plan.site.id, HELLO, fence), 0)[1] or -1

        client.on_connect, client.on_message, client.on_subscribe = connected, hear, subscribed
        try:
            client.connect(host, port)
            client.loop_start()
            if words := heard.get(timeout=OUT_S):
                raise CommandError(words)
        except (OSError, ValueError, queue.Empty) as error:
            self.close()
            raise CommandError(f"no broker answers at {host}:{port} ({error or 'it is silent'})") from error
        except CommandError:
            self.close()
            raise

    def ready(self, name: str) -> bool:
        """Whether it is there, as far as the broker knows."""
        return self.states.get(name, {}).get("state") == "ready"

    def forget(self, name: str) -> None:
        """What a board has said goes from the broker, and for its will it is said that it is lost.

        The start that is lost is one that we make up and say hello for: with two starts of its own, a board could
        have seen to it that its will is passed over. Scenes and other words of the gateway's stay, for when it comes
        back; of a board that is not in the site file nothing does.
        """
        known = any(board.id == name for board in self._plan.board)
        boot = secrets.token_hex(4)
        words: list[tuple[str, bytes, bool]] = []
        if known:
            hello = {**NOBODY, "boot": boot, "health_s": contract.HEALTH_S}
            words += [
                (self._topic(HELLO, name), contract.encode(HELLO, hello), True),
                (self._topic(STATE, name), contract.encode(STATE, {"state": "lost", "boot": boot}), True),
            ]
        words += [(topic, b"", True) for topic in sorted(self._kept) if not known or self._is_boards(topic)]
        end = time.monotonic() + OUT_S
        with contextlib.suppress(RuntimeError, ValueError):
            for sent in [self._client.publish(topic, payload, 1, retain) for topic, payload, retain in words]:
                sent.wait_for_publish(max(0.0, end - time.monotonic()))
                if not sent.is_published():
                    raise CommandError("the broker has not taken back what the board has said")

    def _topic(self, pattern: str, name: str) -> str:
        topic: str = contract.topic(self._plan.site.id, pattern, name)
        return topic

    @staticmethod
    def _is_boards(topic: str) -> bool:
        """Whether something retained is what a board has said, and has not just been said anew."""
        pattern, _ = contract.pattern_of(topic)
        return pattern is None or (pattern not in (STATE, HELLO) and bool(contract.BY_TOPIC[pattern].sender == "board"))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Visitor:
    """A connection of our own under a board's name: what the broker does to this one, it does to the board's.

    `let_in`: it was, or None where the broker did not answer; `there`: it still is. Raises SiteError.
    """

    def __init__(self, plan: Plan, name: str, password: str) -> None:
        assert plan.broker
        self.password = password
        self.let_in: bool | None = None
        self.there = False
        answered = threading.Event()

        def connected(_client: object, _user: object, _flags: object, code: Any, _more: object) -> None:
            self.let_in = self.there = not code.is_failure
            answered.set()

        def gone(*_: object) -> None:
            self.there = False

        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False,
                                            client_id=f"visitor-{secrets.token_hex(4)}")  # fmt: skip
        login.log_in(client, plan.broker)
        client.username_pw_set(name, password)
        client.on_connect, client.on_disconnect = connected, gone
        try:
            client.connect_timeout = VISIT_S
            client.connect(plan.broker.host, plan.broker.port, max(1, int(VISIT_S)))  # so long for TLS, too
        except (OSError, ValueError):
            return  # nobody listens, or not the broker that it should be
        client.loop_start()
        answered.wait(VISIT_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _lets_in(plan: Plan, name: str, password: str) -> bool | None:
    """Whether the broker lets somebody in with that name and password; None: no answer. Raises SiteError."""
    visitor = Visitor(plan, name, password)
    visitor.close()
    return visitor.let_in


def _board(plan: Plan, name: str) -> Board:
    boards = {board.id: board for board in plan.board}
    if name not in boards:
        raise SiteError(f"no board '{name}' in the site file{floorplan.meant(name, boards)}")
    return boards[name]


def _its_own(plan: Plan, board: Board, file: Path) -> None:
    """Raises SiteError where two boards share a password: what is done to one would be done to the other."""
    for other in plan.board:
        if other.id != board.id and floorplan.board_secret_file(plan, other) == file:
            raise SiteError(f"{file}: is the password of board '{other.id}' too; give each board its own: leave both "
                            "secret_file out and name [broker] boards_folder")  # fmt: skip


def _others(plan: Plan) -> set[str]:
    """Users of the broker that are no boards."""
    return {plan.broker.user or "" if plan.broker else "", *(source.id for source in plan.source)}


def _in_folder(plan: Plan, name: str) -> Path | None:
    """Where the password of a board is that the site file names no more."""
    folder = plan.broker.boards_folder if plan.broker else None
    return folder / name if folder and contract.is_id(name) else None


def _accounts_are_here(plan: Plan) -> bool:
    if not plan.broker or not plan.broker.folder:
        return False
    path = plan.broker.folder / accounts.PASSWORDS
    try:
        return path.exists()
    except PermissionError as error:
        raise AccountsError(f"{path}: {error.strerror}; try the same with sudo") from error


def _passwords(file: Path | None) -> list[str]:
    """What the host knows of a board: its password, one that was begun, and one that is being taken away."""
    found = []
    for path in (file, _next(file), _revoked(file)) if file else ():
        with contextlib.suppress(OSError, ValueError, IndexError):
            found.append(path.read_text(encoding="ascii").split()[0])
    return found


def _next(file: Path) -> Path:
    """Where the next password is while it becomes the board's. No board can be called that: an id has no dot."""
    return file.with_name(file.name + ".next")


def _revoked(file: Path) -> Path:
    """Where a password is while it is taken away."""
    return file.with_name(file.name + ".revoked")


def is_revoked(file: Path) -> bool:
    """Whether a board's password was being taken away, and that was not finished: no account is made of it."""
    return _revoked(file).exists() and not file.exists()


def finish(plan: Plan, name: str, file: Path) -> None:
    """Where a board's account has the next password already, that becomes the one which the host keeps.

    Raises SiteError, AccountsError.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        new = _next(file).read_text(encoding="ascii").split()[0]
        if _accounts_are_here(plan) and not is_revoked(file) and accounts.has(plan, name, new):
            _write(file, new + "\n")
            _remove(_next(file))


def _put_away(file: Path) -> None:
    """From here on it is revoked. Raises SiteError."""
    try:
        if file.exists():
            os.replace(file, _revoked(file))
    except OSError as error:
        raise SiteError(f"{file}: cannot be put away ({error.strerror}); nothing is changed, try sudo") from error


def forget(file: Path) -> None:
    """What was under way with a board's password is finished. Raises SiteError."""
    _remove(_next(file))
    _remove(_revoked(file))


def _write_out(path: Path, told: dict[str, Any]) -> None:
    """A board.json, for whoever gave the command: never for the owner of a file that lay there. Raises SiteError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not this_computer.is_root():
            owner = this_computer.ourselves()
        elif "SUDO_UID" in os.environ:
            owner = int(os.environ["SUDO_UID"]), int(os.environ.get("SUDO_GID", "0"))
        else:
            folder = path.parent.stat()
            owner = folder.st_uid, folder.st_gid
        write_whole(path, json.dumps(told, indent=1), owner=owner)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SiteError(f"{path}: cannot be written ({why}); what worked goes on working") from error


def _write(path: Path, text: str) -> None:
    """A file for us alone, whole or not at all. Raises SiteError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = path.parent.stat()  # root writes for whoever has the folder
        owner = (folder.st_uid, folder.st_gid) if this_computer.is_root() and not path.exists() else None
        write_whole(path, text, owner=owner)
    except OSError as error:
        raise SiteError(f"{path}: cannot be written ({error.strerror}); what worked goes on working") from error


def _remove(path: Path) -> None:
    """Removes a file, if it is there. Raises SiteError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SiteError(f"{path}: cannot be removed ({error.strerror}); try the same with sudo") from error


@contextlib.contextmanager
def alone(file: Path) -> Iterator[None]:
    """Only one command at a time changes the boards' passwords of a folder. Raises SiteError."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = this_computer.opened_to_lock(file.parent)
    except OSError as error:
        raise SiteError(f"{file.parent}: cannot be opened ({error.strerror}); try the same with sudo") from error
    try:
        if not _until(lambda: this_computer.lock(folder), time.monotonic() + LOCK_S):
            raise SiteError("another command is changing boards' passwords; does one hang?")
        yield
    finally:
        os.close(folder)


def _until(holds: Callable[[], bool], end: float) -> bool:
    """Whether it came true until `time.monotonic()` was `end`."""
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
