"""Pushing over HTTP: every answer there is, from a real server; what docs/pbx shows, run as it stands there."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

import floorplan
from gateway.queues import push_body, push_http
from gateway.queues.events import Event
from gateway.queues.figures import QueueFigures
from gateway.queues.push import Push
from gateway.web import intake
from gateway.web.page import SafeHeaders

from .conftest import until

ROOT = Path(floorplan.__file__).parent
TOKENS = {"webchat": "a-token-of-the-web-chat", "bot": "a-token-of-the-bot"}
QUEUES = {"webchat": ("chat", "callback"), "bot": ("help",)}
SECRET = "Kari+4791234567"
JSON = {"Content-Type": "application/json"}
ALIVE = b'{"events": []}'


class Served:
    """The path on a port of its own, and the figures that it feeds."""

    def __init__(self) -> None:
        self.refused: list[tuple[str, str]] = []
        self.fails = False
        self.now_s = 1000.0
        self.log: list[str] = []
        self.figures = {name: QueueFigures() for names in QUEUES.values() for name in names}
        self.saves = 0
        sources = {
            name: Push(
                floorplan.Source(id=name, secret_file=Path("unused")),
                queues,
                self._tell_of(queues),
                self.clock,
            )
            for name, queues in QUEUES.items()
        }
        self.app = FastAPI()
        self.app.add_middleware(SafeHeaders)
        refused = lambda who, why: self.refused.append((who, why))  # noqa: E731
        self.app.include_router(push_http.routes(sources, TOKENS, self._saved, refused, self.clock))
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning", lifespan="off"))
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self.server.serve(sockets=[self.listening]))
        )
        self.thread.start()
        until(lambda: self.server.started, "the server")

    def clock(self) -> float:
        return self.now_s

    def _tell_of(self, queues: tuple[str, ...]) -> Callable[[Event], None]:
        def tell(event: Event) -> None:
            for queue in queues:
                if getattr(event, "queue", queue) == queue:
                    self.figures[queue].apply(event, self.now_s)

        return tell

    async def _saved(self) -> None:
        await asyncio.sleep(0)
        if self.fails:
            raise OSError("the disk is full")
        self.saves += 1

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.listening.close()

    def post(
        self, queue: str, body: bytes, token: str | None = TOKENS["webchat"], headers: dict[str, str] = JSON
    ) -> tuple[int, dict[str, str], str]:
        """(status, headers, text)"""
        self.now_s += 1
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(link):
            more = {"Authorization": f"Bearer {token}"} if token is not None else {}
            link.request("POST", f"/api/queues/{queue}", body, {**headers, **more})
            answer = link.getresponse()
            return (
                answer.status,
                {name.lower(): text for name, text in answer.getheaders()},
                answer.read().decode(),
            )


@pytest.fixture
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.stop()


def test_what_is_kept_is_answered_with_204_and_nothing(served: Served) -> None:
    status, headers, text = served.post("chat", b'{"events": [{"event": "joined", "call": "a"}]}')
    assert (status, text, served.saves) == (204, "", 1)
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "set-cookie" not in headers
    assert served.figures["chat"].waiting == 1
    assert served.post("help", b'{"figures": {"waiting": 9}}', TOKENS["bot"])[0] == 204
    assert served.figures["help"].waiting == 9
    charset = {"Content-Type": "Application/JSON; charset=UTF-8"}
    assert served.post("chat", ALIVE, headers=charset)[0] == 204


def test_what_cannot_be_kept_may_be_sent_again_and_counts_once(served: Served) -> None:
    body = b'{"events": [{"event": "joined", "call": "a"}, {"event": "answered", "call": "a"}]}'
    served.fails = True
    status, headers, text = served.post("chat", body)
    assert (status, headers["retry-after"]) == (503, "5")
    assert "send it again" in text
    served.fails = False
    assert served.post("chat", body)[0] == 204
    assert (served.figures["chat"].count("joined"), served.figures["chat"].count("answered")) == (1, 1)


REFUSED: list[tuple[int, str, bytes, str | None, dict[str, str], str]] = [
    (401, "chat", ALIVE, None, JSON, "Authorization: Bearer"),
    (401, "chat", ALIVE, "", JSON, "Authorization: Bearer"),
    (401, "chat", ALIVE, "wrong", JSON, "Authorization: Bearer"),
    (401, "chat", ALIVE, TOKENS["webchat"] + "x", JSON, "Authorization: Bearer"),
    (401, "chat", ALIVE, SECRET, {**JSON, "Authorization": "Basic a2FyaTprYXJp"}, "Authorization: Bearer"),
    (401, "nowhere", ALIVE, "wrong", JSON, "Authorization: Bearer"),
    (401, "chat", b"x" * 70_000, "wrong", {}, "Authorization: Bearer"),
    (403, "help", ALIVE, TOKENS["webchat"], JSON, "another source tells that queue; 'webchat' may tell callback, chat"),
    (404, "nowhere", ALIVE, TOKENS["webchat"], JSON, "'webchat' may tell callback, chat"),
    (404, SECRET, ALIVE, TOKENS["webchat"], JSON, "'webchat' may tell callback, chat"),
    (409, "chat", b'{"figures": {"waiting": 1}}', TOKENS["webchat"], JSON, "told by 'events' so far"),
    (413, "chat", b" " * 65_537, TOKENS["webchat"], JSON, "longer than 65536 bytes"),
    (415, "chat", ALIVE, TOKENS["webchat"], {}, "Content-Type: application/json"),
    (415, "chat", ALIVE, TOKENS["webchat"], {"Content-Type": "text/plain"}, "Content-Type: application/json"),
    (415, "chat", ALIVE, TOKENS["webchat"], {"Content-Type": "application/json; charset=utf-16"}, "UTF-8"),
    (415, "chat", ALIVE, TOKENS["webchat"], {**JSON, "Content-Encoding": "gzip"}, "Content-Encoding"),
    (422, "chat", b"", TOKENS["webchat"], JSON, "the message: is not JSON in UTF-8"),
    (422, "chat", b"{\xff", TOKENS["webchat"], JSON, "the message: is not JSON in UTF-8"),
    (422, "chat", b'{"events": [{"event": "left"}]}', TOKENS["webchat"], JSON, "events[0].call: is missing"),
    (422, "chat", json.dumps({"events": [{"event": SECRET, SECRET: SECRET}]}).encode(), TOKENS["webchat"], JSON,
     "events[0]: has an 'event' that is none of"),
]  # fmt: skip


def test_every_refusal_says_why_and_repeats_nothing(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    assert served.post("chat", ALIVE)[0] == 204
    documented = served.app.openapi()["paths"]["/api/queues/{queue}"]["post"]["responses"]
    for number, (status, queue, body, token, headers, words) in enumerate(REFUSED):
        before = served.saves
        answer = served.post(queue, body, token, headers)
        assert answer[0] == status, number
        assert str(status) in documented
        said = push_http.Refusal.model_validate_json(answer[2])
        assert words in said.words, number
        assert bool(said.problems) == (status in (409, 422))
        assert ("www-authenticate" in answer[1]) == (status == 401)
        assert answer[1]["content-type"] == "application/json"
        assert answer[1]["x-frame-options"] == "DENY"
        assert SECRET not in answer[2]
        assert len(served.refused) == number + 1
        assert served.saves == before
    log = repr(served.refused) + caplog.text
    assert not [word for word in (SECRET, "4791234567", *TOKENS.values()) if word in log]
    assert {who for who, _ in served.refused} == {"a source", "source webchat"}
    assert served.figures["chat"].count("joined") == 0


def test_an_outsider_learns_nothing_of_which_queues_there_are(served: Served) -> None:
    answers = {
        repr(served.post(queue, ALIVE, "wrong")[1:]) for queue in ("chat", "help", "nowhere", "x" * 99)
    }
    answers = {re.sub(r"'date': '[^']+'", "", answer) for answer in answers}
    assert len(answers) == 1


def test_a_message_without_end_is_cut_off(served: Served) -> None:
    """Chunked, so that nothing says how long it will be."""
    head = (
        f"POST /api/queues/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS['webchat']}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as link:
        link.sendall(head.encode())
        for _ in range(9):
            link.sendall(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        assert link.recv(100).startswith(b"HTTP/1.1 413")


def test_a_message_that_does_not_arrive_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "READ_S", 0.3)
    head = (
        f"POST /api/queues/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS['webchat']}\r\n"
        'Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{"events'
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as link:
        link.sendall(head.encode())
        assert link.recv(100).startswith(b"HTTP/1.1 408")
    assert served.post("chat", ALIVE)[0] == 204


def test_who_says_too_much_is_told_to_say_it_in_one(served: Served) -> None:
    statuses = []
    for _ in range(push_http.POSTS_AT_ONCE + 5):
        served.now_s -= 1  # no time passes
        statuses.append(served.post("chat", ALIVE)[0])
    assert statuses == [204] * push_http.POSTS_AT_ONCE + [429] * 5
    served.now_s -= 1
    assert served.post("help", ALIVE, TOKENS["bot"])[0] == 204
    assert served.post("chat", ALIVE)[0] == 204  # a second later


def test_a_token_is_one_sources_own() -> None:
    async def saved() -> None: ...

    sources = {
        name: Push(floorplan.Source(id=name, secret_file=Path("x")), (), print, float) for name in TOKENS
    }
    for tokens in ({}, {"webchat": "one"}, {"webchat": "one", "bot": "one"}, {"webchat": "one", "bot": ""}):
        with pytest.raises(ValueError, match="token of its own"):
            push_http.routes(sources, tokens, saved)


def test_openapi_has_the_shapes_every_answer_and_examples_that_are_right(served: Served) -> None:
    whole = json.loads(json.dumps(served.app.openapi()))
    path = whole["paths"]["/api/queues/{queue}"]["post"]
    assert set(path["responses"]) == {"204", *map(str, push_http.STATUSES)}
    assert whole["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    content = path["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        push_body.read(example["value"])
    text = json.dumps(content["schema"])
    assert "$ref" not in text and "$defs" not in text
    figures, happened = content["schema"]["anyOf"]
    assert set(figures["properties"]["figures"]["properties"]) == set(push_body.Figures.model_fields)
    assert all("description" in field for field in figures["properties"]["figures"]["properties"].values())
    assert len(happened["properties"]["events"]["items"]["oneOf"]) == 4


# ---- docs/pbx ----


def blocks(page: str, kind: str) -> list[str]:
    text = (ROOT / "docs" / "pbx" / page).read_text(encoding="utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def test_every_command_of_the_page_does_what_it_says(served: Served, tmp_path: Path) -> None:
    (first, *others), address = blocks("push.md", "sh"), f"http://127.0.0.1:{served.port}"
    assert len(others) == 3
    subprocess.run(["bash", "-euc", first], cwd=tmp_path, check=True)
    token = tmp_path / "secrets" / "webchat"
    assert len(token.read_text().strip()) == 48 and token.stat().st_mode & 0o077 == 0
    token.write_text(TOKENS["webchat"] + "\n")
    script = "\n".join(others).replace("http://127.0.0.1:8080", address)
    assert script.count("curl") == 5
    direct = {**os.environ, "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env=direct,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    chat = served.figures["chat"]
    assert [chat.count(name) for name in ("joined", "answered", "abandoned", "completed")] == [3, 1, 1, 1]
    assert (chat.waiting, served.figures["callback"].waiting) == (1, 3)

    (program,) = blocks("push.md", "python")
    program = program.replace("http://127.0.0.1:8080", address)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=direct, timeout=30, check=True)
    assert [chat.count(name) for name in ("joined", "answered", "completed")] == [4, 2, 2]
    assert len([line for line in program.splitlines() if line]) <= 16


def test_the_site_file_of_the_page_can_be_read(tmp_path: Path) -> None:
    (tables,) = blocks("push.md", "toml")
    site = tmp_path / "site.toml"
    site.write_text('[site]\nid = "skien"\n' + tables)
    plan = floorplan.read(site)
    assert [(queue.kind, queue.source) for queue in plan.queue] == [
        ("chat", "webchat"),
        ("callback", "webchat"),
    ]


def test_the_page_has_every_event_and_every_answer() -> None:
    text = (ROOT / "docs" / "pbx" / "push.md").read_text(encoding="utf-8")
    for word in ("joined", "answered", "completed", "abandoned", "timed_out", "left_by_key", "left"):
        assert f"| `{word}` |" in text
    statuses = re.findall(r"^\| (\d{3}) \|", text, re.MULTILINE)
    assert statuses == ["204", *map(str, push_http.STATUSES)]
    contract = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    for name in push_body.Figures.model_fields:
        assert f"| `{name}` |" in contract.partition("### `source/+/queue/+`")[2]


# ---- the FreeSWITCH bridge ----


class Pretended:
    """An event socket as FreeSWITCH's documentation has it: one client at a time, events on command."""

    PASSWORD = "a-password"

    def __init__(self) -> None:
        self.members = "-ERR no reply"
        self.asked: list[str] = []
        self.links = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._client: socket.socket | None = None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._client, _ = self._server.accept()
                with self._client, contextlib.suppress(OSError):
                    self._talk(self._client)

    def _talk(self, client: socket.socket) -> None:
        client.sendall(b"Content-Type: auth/request\n\n")
        read = b""
        while more := client.recv(4096):
            read += more
            while b"\n\n" in read:
                line, _, read = read.partition(b"\n\n")
                self.asked.append(line.decode())
                client.sendall(self._answer(line.decode()))
                self.links += line.startswith(b"api")

    def _answer(self, line: str) -> bytes:
        if line.startswith("api "):
            return (
                f"Content-Type: api/response\nContent-Length: {len(self.members)}\n\n{self.members}".encode()
            )
        right = not line.startswith("auth ") or line == f"auth {self.PASSWORD}"
        return f"Content-Type: command/reply\nReply-Text: {'+OK accepted' if right else '-ERR invalid'}\n\n".encode()

    def happens(self, action: str, member: str, cut: bool = False, **more: str) -> None:
        """One event, as a plain one is sent: names of people in it too."""
        headers = {
            "Event-Name": "CUSTOM", "Event-Subclass": "callcenter%3A%3Ainfo", "CC-Queue": "support%40default",
            "CC-Action": action, "CC-Member-UUID": uuid(member), "CC-Member-Session-UUID": uuid(member + "s"),
            "CC-Member-CID-Name": "Kari%20Nordmann", "CC-Member-CID-Number": SECRET,
            **{name.replace("_", "-"): text for name, text in more.items()},
        }  # fmt: skip
        body = "".join(f"{name}: {text}\n" for name, text in headers.items()) + "\n"
        whole = f"Content-Length: {len(body)}\nContent-Type: text/event-plain\n\n{body}".encode()
        assert self._client
        if cut:  # it arrives in two halves
            self._client.sendall(whole[:200])
            whole = whole[200:]
        self._client.sendall(whole)

    def drop(self) -> None:
        assert self._client
        self._client.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self.drop()
        self._server.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self._server.close()


def uuid(name: str) -> str:
    word = name.encode().hex().ljust(32, "0")
    return f"{word[:8]}-{word[8:12]}-{word[12:16]}-{word[16:20]}-{word[20:32]}"


MEMBERS = (
    "queue|system|uuid|session_uuid|cid_number|cid_name|system_epoch|joined_epoch|rejoined_epoch|bridge_epoch|"
    "abandoned_epoch|base_score|skill_score|serving_agent|serving_system|state|score\n"
)


def member(name: str, state: str, cid_name: str = "Kari") -> str:
    return (
        f"support@default|single_box|{uuid(name)}|{uuid(name + 's')}|{SECRET}|{cid_name}|0|1700000000|0|0|0|0|0|||"
        f"{state}|1\n"
    )


def test_the_bridge_tells_of_freeswitchs_queues(tmp_path: Path) -> None:
    served, freeswitch = Served(), Pretended()
    freeswitch.members = (
        MEMBERS
        + member("old", "Waiting")
        + member("gone", "Abandoned")
        + member("odd", "Trying", "A|B|C")
        + "+OK\n"
    )
    (tables,) = blocks("freeswitch.md", "toml")
    tables = tables.replace("8021", str(freeswitch.port)).replace(
        "http://192.0.2.10:8080", f"http://127.0.0.1:{served.port}"
    )
    (tmp_path / "bridge.toml").write_text(tables.replace('= "support"', '= "chat"'))
    (tmp_path / "freeswitch-password").write_text(Pretended.PASSWORD + "\n")
    (tmp_path / "callfloor-token").write_text(TOKENS["webchat"] + "\n")
    program = (ROOT / "examples" / "freeswitch_to_callfloor.py").read_text(encoding="utf-8")
    (tmp_path / "bridge.py").write_text(program.replace("AGAIN_S = 5.0", "AGAIN_S = 0.1"))
    command = [sys.executable, "-I", "bridge.py", "bridge.toml"]
    chat = served.figures["chat"]

    def counts() -> list[float | None]:
        names = ("joined", "answered", "completed", "abandoned", "timed_out", "left_by_key", "vanished")
        return [chat.count(name) for name in names]

    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as bridge:
        try:
            until(lambda: chat.waiting == 2, "the two who wait already")
            served.fails = True  # and what happens meanwhile is told later
            freeswitch.happens("member-queue-start", "a", cut=True)
            freeswitch.happens("agent-offering", "a", CC_Agent="Ola%20Nordmann")
            freeswitch.happens("bridge-agent-start", "a", CC_Agent="Ola", CC_Agent_Answered_Time="1700000012",
                               CC_Member_Joined_Time="1700000000")  # fmt: skip
            until(lambda: any("cannot be kept" in why for _, why in served.refused), "a refusal")
            served.fails = False
            freeswitch.happens("bridge-agent-end", "a")
            freeswitch.happens("member-queue-end", "a", CC_Cause="Terminated",
                               CC_Agent_Answered_Time="1700000012", CC_Member_Leaving_Time="1700000112")  # fmt: skip
            for name, reason in (
                ("b", "BREAK_OUT"),
                ("c", "TIMEOUT"),
                ("d", "NO_AGENT_TIMEOUT"),
                ("e", "EXIT_WITH_KEY"),
            ):
                freeswitch.happens("member-queue-start", name)
                freeswitch.happens("member-queue-end", name, CC_Cause="Cancel", CC_Cancel_Reason=reason,
                                   CC_Member_Joined_Time="1700000000", CC_Member_Leaving_Time="1700000003")  # fmt: skip
            until(lambda: counts() == [7, 1, 1, 1, 2, 1, 0], "what happened")
            assert (chat.rate("asa_s"), chat.rate("aht_s"), chat.waiting) == (12, 100, 2)
            freeswitch.members = MEMBERS + member("odd", "Waiting") + member("new", "Waiting") + "+OK\n"
            freeswitch.drop()
            until(lambda: counts() == [8, 1, 1, 1, 2, 1, 1], "who waits after the link was away")
            assert chat.waiting == 2
        finally:
            bridge.terminate()
            words = bridge.communicate(timeout=10)[1]
            freeswitch.stop()
            served.stop()
    assert set(freeswitch.asked) == {
        f"auth {Pretended.PASSWORD}",
        "event plain CUSTOM callcenter::info",
        "api callcenter_config queue list members support@default",
    }
    assert "cannot be kept" in words and "FreeSWITCH is away" in words
    assert not [
        secret for secret in (SECRET, "Nordmann", Pretended.PASSWORD, *TOKENS.values()) if secret in words
    ]


def bridge(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    program = ROOT / "examples" / "freeswitch_to_callfloor.py"
    command = [sys.executable, "-I", str(program), *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize(
    ("line", "other", "words"),
    [
        ('password_file = "freeswitch-password"', "",
         '[freeswitch] password_file: is missing; try password_file = "freeswitch-password"'),
        ("[freeswitch]", 'freeswitch = "127.0.0.1"\n[unused]', "unused: unknown; there is [freeswitch], "),
        ("[callfloor]", "", "[freeswitch] token_file: unknown; there is host, port, password_file"),
        ("port = 8021", 'port = "8021"', "[freeswitch] port: is a whole number; try port = 8021"),
        ("port = 8021", "port = true", "[freeswitch] port: is a whole number; try port = 8021"),
        ("port = 8021", "port = 80210", "[freeswitch] port: is 1 to 65535; try port = 8021"),
        ("port = 8021", "prot = 8021", "[freeswitch] prot: unknown; there is host, port, password_file"),
        ('"127.0.0.1"', '"a..b"', "[freeswitch] host: no name or address looks like this; "),
        ('"127.0.0.1"', '""', "[freeswitch] host: is text in quotes; "),
        ('"http://192.0.2.10:8080"', '"192.0.2.10:8080"', "[callfloor] url: is written url = "),
        ("10:8080", "10:80800", "[callfloor] url: is written url = "),
        ("10:8080", "10:http", "[callfloor] url: is written url = "),
        ("10:8080", "10/a b", "[callfloor] url: is written url = "),
        ('"callfloor-token"', '"no-token"', "[callfloor] token_file: no-token cannot be read (No such file "),
        ('"callfloor-token"', '"."', "[callfloor] token_file: . cannot be read (Is a directory); "),
        ('"callfloor-token"', '"two"', "[callfloor] token_file: two does not hold one line of plain text; "),
        ('"callfloor-token"', '"odd"', "[callfloor] token_file: odd does not hold one line of plain text; "),
        ('"callfloor-token"', '"none"', "[callfloor] token_file: none does not hold one line of plain text; "),
        ('"support@default" = "support"', "", "[queues]: is missing; try a line [queues], and below it "),
        ('= "support"', "= 7", "[queues] 'support@default': is an id of the site file, "),
        ('"support@default" = ', '"a b" = ', "[queues] 'a b': no queue of mod_callcenter is called so; "),
        ('"support@default" = ', '"a\\n\\nexit" = ', "[queues] 'a\\n\\nexit': no queue "),
        ('= "support"', '= "support"\nb = "support"', "another one is 'support' too; each has "),
        ("[queues]", "[queues", "not TOML: "),
    ],
)  # fmt: skip
def test_wrong_settings_of_the_bridge_are_said_in_a_line(
    line: str, other: str, words: str, tmp_path: Path
) -> None:
    (tables,) = blocks("freeswitch.md", "toml")
    assert line in tables
    (tmp_path / "bridge.toml").write_text(tables.replace(line, other, 1))
    for name, text in (("freeswitch-password", "p"), ("callfloor-token", "t"), ("two", f"{SECRET}\nb"),
                       ("odd", f"{SECRET}å"), ("none", "\n")):  # fmt: skip
        (tmp_path / name).write_text(text)
    done = bridge(tmp_path, "bridge.toml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("bridge.toml: ") and words in done.stderr
    assert done.stderr.count("\n") == 1 and SECRET not in done.stderr


def test_the_bridge_takes_its_secrets_from_others(tmp_path: Path) -> None:
    (tables,) = blocks("freeswitch.md", "toml")
    (tmp_path / "bridge.toml").write_text(tables.replace('"callfloor-token"', '"empty"'))
    (tmp_path / "empty").touch(mode=0o644)
    (tmp_path / "freeswitch-password").write_text("p\n")
    for path in (tmp_path / "empty", tmp_path / "freeswitch-password"):
        path.chmod(0o644)
    assert "empty does not hold one line" in bridge(tmp_path, "bridge.toml").stderr
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("freeswitch-password", "empty")]
    assert modes == [0o600, 0o644]
    if os.geteuid() == 0:
        os.chown(tmp_path / "freeswitch-password", 12345, -1)
        (tmp_path / "freeswitch-password").chmod(0o644)
        told = "[freeswitch] password_file: others on this computer can read freeswitch-password; try: sudo chmod 600 "
        assert told in bridge(tmp_path, "bridge.toml").stderr


def test_the_bridge_says_how_it_is_started(tmp_path: Path) -> None:
    usage = "usage: python3 freeswitch_to_callfloor.py SETTINGS.toml"
    asked, alone = bridge(tmp_path, "--help"), bridge(tmp_path)
    assert (asked.returncode, asked.stdout.splitlines()[0], asked.stderr) == (0, usage, "")
    assert (alone.returncode, alone.stderr.splitlines()[0]) == (1, usage)
    (tmp_path / "latin").write_bytes(b"# \xe5")
    for name, words in (
        ("nowhere.toml", "nowhere.toml: cannot be read (No such file or directory); is the path right?\n"),
        (".", ".: cannot be read (Is a directory); is the path right?\n"),
        ("latin", "latin: is no text; save it as UTF-8\n"),
    ):
        done = bridge(tmp_path, name)
        assert (done.returncode, done.stderr) == (1, words)


def test_every_page_of_a_phone_system_says_what_was_not_tried() -> None:
    for name, words in (
        ("freeswitch.md", "has not met a real FreeSWITCH"),
        ("3cx.md", "nothing on this page was tried"),
    ):
        text = " ".join((ROOT / "docs" / "pbx" / name).read_text(encoding="utf-8").split())
        assert words in text
        assert "## Sources" in text
