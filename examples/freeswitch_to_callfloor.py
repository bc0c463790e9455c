#!/usr/bin/env python3
"""Tells Callfloor of FreeSWITCH's queues: `python3 freeswitch_to_callfloor.py SETTINGS.toml`.

Listens to mod_callcenter on the event socket and pushes what happens over HTTP. Needs Python 3.11
and nothing else; docs/pbx/freeswitch.md shows the settings. It asks FreeSWITCH for one list at the
start and changes nothing there. Callers' numbers and names, and agents' names, are not read.
"""

from __future__ import annotations

import collections
import http.client
import json
import os
import re
import socket
import sys
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READ_BYTES = 65_536
MESSAGE_BYTES = 2_000_000  # more than any event or list has
ANSWER_S = 5.0  # FreeSWITCH and Callfloor answer within this
AGAIN_S = 5.0  # before the next try
ALIVE_S = 10.0  # a sign of life this often: well under `silent_s` in the site file
DAY_S = 86_400  # the longest wait that Callfloor takes
NEWS_AT_ONCE = 200  # in one message
NEWS_KEPT = 20_000  # while Callfloor is away; then the oldest go

# CC-Cancel-Reason, as mod_callcenter's documentation has them; anything else is somebody who gave up.
LOST = {"TIMEOUT": "timed_out", "NO_AGENT_TIMEOUT": "timed_out", "EXIT_WITH_KEY": "left_by_key"}
WAITS = ("Waiting", "Trying")  # states of a member who waits

Headers = dict[str, str]

USAGE = """usage: python3 freeswitch_to_callfloor.py SETTINGS.toml

Tells Callfloor of FreeSWITCH's queues, until it is ended; docs/pbx/freeswitch.md shows the settings."""

# Every key there is, as it is written; the first two may be left out, and are then so.
SETTINGS: dict[str, dict[str, str | int]] = {
    "freeswitch": {"host": "127.0.0.1", "port": 8021, "password_file": "freeswitch-password"},
    "callfloor": {"url": "http://192.0.2.10:8080", "token_file": "callfloor-token"},
}
MAY_BE_LEFT_OUT = ("host", "port")
QUEUES = '"support@default" = "support"'
URL = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[!-~]*)?")
ID = re.compile(r"[a-z0-9-]{1,32}")


class Wrong(Exception):
    """Settings that cannot be used; the text says where, what, and what to try."""


@dataclass(frozen=True)
class Settings:
    """What the settings file says, its secrets read."""

    host: str
    port: int
    password: str
    url: str
    token: str
    queues: dict[str, str]  # the name in mod_callcenter → the id in the site file


def settings_in(path: Path) -> Settings:
    """The settings at `path`, all of them checked. Raises Wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Wrong(f"cannot be read ({error.strerror}); is the path right?") from error
    except UnicodeDecodeError as error:
        raise Wrong("is no text; save it as UTF-8") from error
    except ValueError as error:
        raise Wrong(f"not TOML: {error}; docs/pbx/freeswitch.md shows how it looks") from error
    for name in sorted(tables.keys() - SETTINGS.keys() - {"queues"}):
        raise Wrong(f"{name}: unknown; there is [freeswitch], [callfloor] and [queues]")
    freeswitch, callfloor = (_checked(tables, name) for name in SETTINGS)
    try:
        freeswitch["host"].encode("idna")
    except UnicodeError as error:
        raise Wrong(
            '[freeswitch] host: no name or address looks like this; try host = "127.0.0.1"'
        ) from error
    if not 1 <= freeswitch["port"] <= 65_535:
        raise Wrong("[freeswitch] port: is 1 to 65535; try port = 8021")
    url = URL.fullmatch(callfloor["url"])
    if not url or int((url[2] or ":80")[1:]) > 65_535:
        raise Wrong(f'[callfloor] url: is written url = "{SETTINGS["callfloor"]["url"]}"')
    return Settings(
        freeswitch["host"],
        freeswitch["port"],
        _secret(path, "[freeswitch] password_file", freeswitch["password_file"]),
        callfloor["url"],
        _secret(path, "[callfloor] token_file", callfloor["token_file"]),
        _queues(tables.get("queues")),
    )


def _checked(tables: dict[str, Any], name: str) -> dict[str, Any]:
    """One table, each key of it there and of its kind. Raises Wrong."""
    table, known = tables.get(name, {}), SETTINGS[name]
    if not isinstance(table, dict):
        raise Wrong(f"{name}: is a table; try a line [{name}], and its keys below it")
    for key in sorted(table.keys() - known.keys()):
        raise Wrong(f"[{name}] {key}: unknown; there is {', '.join(known)}")
    for key, example in known.items():
        line = f"{key} = {json.dumps(example)}"
        if key not in table and key not in MAY_BE_LEFT_OUT:
            raise Wrong(f"[{name}] {key}: is missing; try {line}")
        if key in table and (type(table[key]) is not type(example) or table[key] == ""):
            kind = "a whole number" if isinstance(example, int) else "text in quotes"
            raise Wrong(f"[{name}] {key}: is {kind}; try {line}")
    return {**known, **table}


def _queues(queues: Any) -> dict[str, str]:
    """[queues], checked. Raises Wrong."""
    if not isinstance(queues, dict) or not queues:
        raise Wrong(f"[queues]: is missing; try a line [queues], and below it {QUEUES}")
    for name, queue in queues.items():
        if not name.isprintable() or " " in name or not name:
            raise Wrong(f"[queues] {name!r}: no queue of mod_callcenter is called so; try {QUEUES}")
        if not isinstance(queue, str) or not ID.fullmatch(queue):
            raise Wrong(
                f"[queues] {name!r}: is an id of the site file, 1 to 32 of a-z, 0-9 and -; try {QUEUES}"
            )
        if list(queues.values()).count(queue) > 1:
            raise Wrong(f"[queues] {name!r}: another one is '{queue}' too; each has a [[queue]] of its own")
    return queues


def _secret(path: Path, where: str, name: str) -> str:
    """The one line in a secret file beside the settings, mode 600 from now on. Raises Wrong, which does not tell it."""
    file = path.parent / name
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Wrong(f"{where}: {file} cannot be read ({error.strerror}); write it there, mode 600") from error
    except ValueError:
        text = ""
    if not text or not text.isprintable() or not (text.isascii() or "password" in where):
        raise Wrong(f"{where}: {file} does not hold one line of plain text; write it there anew, mode 600")
    _ours_alone(file, where)
    return text


def _ours_alone(file: Path, where: str) -> None:
    """A secret of ours becomes mode 600; another user's may be lent to a group. Raises Wrong where others read it."""
    told = file.stat()
    ours = os.name == "posix" and told.st_uid == os.geteuid()
    if os.name == "posix" and told.st_mode & (0o077 if ours else 0o007):
        try:
            if ours:
                file.chmod(0o600)
                return
        except OSError:
            pass
        raise Wrong(f"{where}: others on this computer can read {file}; try: sudo chmod 600 {file}")


class Lost(Exception):
    """FreeSWITCH is away, or does not let us in; the text says why."""


class EventSocket:
    """FreeSWITCH's event socket: what it says, one message after the other."""

    def __init__(self, host: str, port: int, password: str):
        self._socket = socket.create_connection((host, port), ANSWER_S)
        self._read = b""
        self._events: collections.deque[Headers] = (
            collections.deque()
        )  # that came between an ask and its answer
        if self._message(ANSWER_S)[0].get("Content-Type") != "auth/request":
            raise Lost("what answers there is no event socket")
        self.ask(f"auth {password}")
        self.ask("event plain CUSTOM callcenter::info")

    def ask(self, command: str) -> str:
        """The answer to one command."""
        self._socket.sendall(f"{command}\n\n".encode())
        end_s = time.monotonic() + ANSWER_S
        while True:
            headers, body = self._message(end_s - time.monotonic())
            if headers.get("Content-Type") == "command/reply":
                if headers.get("Reply-Text", "").startswith("-ERR"):
                    raise Lost(f"it refuses '{command.split(maxsplit=1)[0]}'")
                return ""
            if headers.get("Content-Type") == "api/response":
                return body.decode("utf-8", "replace")
            self._keep(headers, body)

    def events(self, wait_s: float) -> Iterator[Headers]:
        """What happens within `wait_s`."""
        end_s = time.monotonic() + wait_s
        while time.monotonic() < end_s:
            while self._events:
                yield self._events.popleft()
            try:
                self._keep(*self._message(end_s - time.monotonic()))
            except TimeoutError:
                return

    def close(self) -> None:
        self._socket.close()

    def _keep(self, headers: Headers, body: bytes) -> None:
        if headers.get("Content-Type") == "text/disconnect-notice":
            raise Lost("it closes the connection")
        if headers.get("Content-Type") == "text/event-plain":
            self._events.append(_headers(body, urllib.parse.unquote))

    def _message(self, wait_s: float) -> tuple[Headers, bytes]:
        """The next whole message. Half a one stays where it is."""
        end_s = time.monotonic() + wait_s
        while True:
            head, found, rest = self._read.partition(b"\n\n")
            headers = _headers(head, str) if found else {}
            length = int(headers.get("Content-Length", 0))
            if found and len(rest) >= length >= 0:
                self._read = rest[length:]
                return headers, rest[:length]
            if len(self._read) > MESSAGE_BYTES or length < 0:
                raise Lost("it sends a message without end")
            self._socket.settimeout(max(0.01, end_s - time.monotonic()))
            more = self._socket.recv(READ_BYTES)
            if not more:
                raise Lost("it closed the connection")
            self._read += more


def _headers(text: bytes, unquote: Any) -> Headers:
    lines = text.decode("utf-8", "replace").split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


def call_of(headers: Headers) -> str:
    """One stay of one caller in one queue: who resumes a place is a new stay."""
    ids = headers.get("CC-Member-UUID", "?") + headers.get("CC-Member-Session-UUID", "")
    return ids.replace("-", "")[:64]


def event_of(headers: Headers) -> dict[str, Any] | None:
    """What an event of mod_callcenter means to Callfloor; None: nothing. Times there are whole seconds."""
    action = headers.get("CC-Action", "")
    if action in ("member-queue-start", "member-queue-resume"):
        return {"event": "joined", "call": call_of(headers)}
    if action == "bridge-agent-start":
        waited_s = _between(headers, "CC-Member-Joined-Time", "CC-Agent-Answered-Time")
        return {"event": "answered", "call": call_of(headers), "waited_s": waited_s}
    if action == "member-queue-end" and headers.get("CC-Cause") == "Terminated":
        talk_s = _between(headers, "CC-Agent-Answered-Time", "CC-Member-Leaving-Time")
        return {"event": "completed", "call": call_of(headers), "talk_s": talk_s}
    if action == "member-queue-end":
        waited_s = _between(headers, "CC-Member-Joined-Time", "CC-Member-Leaving-Time")
        word = LOST.get(headers.get("CC-Cancel-Reason", ""), "abandoned")
        return {"event": word, "call": call_of(headers), "waited_s": waited_s}
    return None


def _between(headers: Headers, begin: str, end: str) -> int:
    """Seconds from one time to the other; 0 where one of them is missing."""
    times = [headers.get(name, "") for name in (begin, end)]
    if not all(time.isdecimal() for time in times):
        return 0
    return min(max(0, int(times[1]) - int(times[0])), DAY_S)


def _age(seconds: float) -> float:
    return round(min(max(0.0, seconds), DAY_S), 3)


def waiting_in(listed: str, now: float) -> list[dict[str, Any]]:
    """Who waits, of what `callcenter_config queue list members` prints: a line of names, then one a member."""
    lines = [line.split("|") for line in listed.splitlines() if "|" in line]
    if not lines:
        return []
    names, waiting = lines[0], []
    for line in lines[1:]:
        row = dict(zip(names, line, strict=False))
        # A caller's name may hold a | and move what stands behind it: from there on counted from the end.
        row |= dict(zip(reversed(names[names.index("cid_name") + 1 :]), reversed(line), strict=False))
        if row.get("state") in WAITS:
            call = (row["uuid"] + row["session_uuid"]).replace("-", "")[:64]
            waiting.append({"call": call, "age_s": _age(now - int(row["joined_epoch"]))})
    return waiting


class Callfloor:
    """Where it all goes: what could not be said yet is kept, and said again until it is taken."""

    def __init__(self, url: str, token: str, queue: str):
        self._url = f"{url.rstrip('/')}/api/queues/{queue}"
        self._queue = queue
        self._token = token
        self._news: list[tuple[float, dict[str, Any] | list[dict[str, Any]]]] = []  # when, and what
        self._said_s = self._tried_s = float("-inf")
        self._refused = ""

    def happened(self, event: dict[str, Any]) -> None:
        self._news.append((time.monotonic(), event))
        del self._news[:-NEWS_KEPT]

    def settle(self, waiting: list[dict[str, Any]]) -> None:
        """All who wait at this moment."""
        self._news.append((time.monotonic(), waiting[:1000]))

    def say(self) -> None:
        """Says what there is to be said; what is not taken is kept for later."""
        while self._news or time.monotonic() - self._said_s > ALIVE_S:
            now = time.monotonic()
            if self._refused and now - self._tried_s < AGAIN_S:
                return
            self._tried_s = now
            body, said = self._message(now)
            if not self._post(body):
                return
            del self._news[:said]
            self._said_s = now

    def _message(self, now: float) -> tuple[dict[str, Any], int]:
        """The next message, and how much of the news is in it: events, up to a list of who waits."""
        body: dict[str, Any] = {"events": []}
        for said, (at_s, news) in enumerate(self._news[:NEWS_AT_ONCE], 1):
            ago_s = now - at_s
            if isinstance(news, list):
                body["waiting"] = [waits | {"age_s": _age(waits["age_s"] + ago_s)} for waits in news]
                return body, said
            body["events"].append(news | {"age_s": _age(ago_s)})
        return body, len(body["events"])

    def _post(self, body: dict[str, Any]) -> bool:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers, method="POST")
        why, taken = "", True
        try:
            urllib.request.urlopen(request, timeout=ANSWER_S).close()
        except urllib.error.HTTPError as error:
            why = f"{error.code}: {error.read(2000).decode(errors='replace')}"
            taken = error.code == 422  # it would be refused for ever
        except (OSError, http.client.HTTPException) as error:
            why, taken = str(error) or type(error).__name__, False
        if why and why != self._refused:
            print(f"queue {self._queue}: Callfloor does not take it: {why}", file=sys.stderr, flush=True)
        self._refused = why
        return taken


def follow(settings: Settings, queues: dict[str, Callfloor]) -> None:
    """One connection to FreeSWITCH from its beginning to its end."""
    link = EventSocket(settings.host, settings.port, settings.password)
    try:
        for name, callfloor in queues.items():
            callfloor.settle(
                waiting_in(link.ask(f"api callcenter_config queue list members {name}"), time.time())
            )
        print("FreeSWITCH lists its queues", file=sys.stderr, flush=True)
        while True:
            for headers in link.events(wait_s=0.2):
                callfloor_of = queues.get(headers.get("CC-Queue", ""))
                event = event_of(headers) if callfloor_of else None
                if callfloor_of and event:
                    callfloor_of.happened(event)
            for callfloor in queues.values():
                callfloor.say()
    finally:
        link.close()


def main(arguments: list[str]) -> None:
    """Runs until it is ended; settings that cannot be used end it at once, with a line that says why."""
    if arguments in (["-h"], ["--help"]):
        print(USAGE)
        return
    if len(arguments) != 1:
        sys.exit(USAGE)
    try:
        settings = settings_in(Path(arguments[0]))
    except Wrong as wrong:
        sys.exit(f"{arguments[0]}: {wrong}".replace("\n", " "))
    queues = {name: Callfloor(settings.url, settings.token, queue) for name, queue in settings.queues.items()}
    while True:
        try:
            follow(settings, queues)
        except (Lost, OSError, KeyError, ValueError) as error:  # the last two: a message like no other
            print(
                f"FreeSWITCH is away: {type(error).__name__}: {error}; again in {AGAIN_S:g} s",
                file=sys.stderr,
                flush=True,
            )
        time.sleep(AGAIN_S)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
