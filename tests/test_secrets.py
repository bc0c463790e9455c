"""No secret leaves: known ones are planted wherever there is one, and all that leaves the house is searched for them.

What leaves: MQTT, every answer of the page, what is printed and logged, what programs are started with, the files
that are kept, and what a backup of the history would hold.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import secrets as random
import stat
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import floorplan
from boards import login
from gateway.people.people import People
from gateway.web import page as web_page
from simulator import board as simulated
from tests.ami_feed import serving
from tests.conftest import until
from tests.forks import finished
from tests.house import DIRECT, SafeHouse
from tests.test_ami_hostile import Echo

CALLER = "004791234567"
PASSWORD = "correct-horse-" + random.token_hex(6)  # a person's
PLANTED = {  # file under the site's folder → the secret in it
    name: f"planted-{name.replace('/', '-')}-{random.token_hex(8)}"
    for name in ("ami-secret", "secrets/mqtt", "secrets/webchat", "secrets/phones", "secrets/wifi")
} | {"secrets/boards/" + board: random.token_hex(16) for board in ("row-a", "row-b", "wall-north", "wall-south")}


def full(tables: dict[str, Any]) -> None:
    """A site file with everything in it that has a secret."""
    tables["queue"].append({"id": "chat", "name": "Chat", "kind": "chat", "source": "webchat"})
    tables["source"] = [{"id": "webchat", "secret_file": "secrets/webchat"}]
    tables["phones"] = {"secret_file": "secrets/phones"}
    phone = {"by": "url", "vendor": "yealink", "mac": "001565aabbcc"}
    tables["desk"].append({"id": "ip", "phone": phone})
    tables["board"][0]["wifi"] = {"ssid": "floor", "secret_file": "secrets/wifi"}


class Planted(SafeHouse):
    """A house whose secrets a test knows, and whose boards keep a new password."""

    forked = False  # what it is started with is looked at

    def _plan(self) -> floorplan.Plan:
        plan = super()._plan()
        (self.folder / "ami-secret").write_text(PLANTED["ami-secret"] + "\n")
        return plan

    def start_board(self, board: str, heap: str = simulated.HEAP, broker_port: int | None = None) -> None:
        """With a folder of its own."""
        control = next(row.control for row in self.plan.board if row.id == board)
        told = simulated.write_board_json(self.plan, board, control, self.folder)
        kept = self.folder / "kept" / board
        kept.mkdir(parents=True, exist_ok=True)
        told.write_text(json.dumps(json.loads(told.read_text()) | {"keep": str(kept)}))
        self._start(board, simulated.command(told, heap))

    @contextlib.contextmanager
    def hostile(self) -> Iterator[None]:
        """In place of the phone system one that says back the secret it was told, and who calls."""
        self._open.close()  # the good one
        settings = self.plan.pbx.asterisk
        assert settings
        echo, end = Echo(says=f"{PLANTED['ami-secret']} {CALLER}"), asyncio.Event()

        async def serve() -> None:
            async with serving(echo.talk, settings.port):
                await end.wait()

        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            thread = threading.Thread(target=runner.run, args=(serve(),))
            thread.start()
            try:
                yield
                assert f"Secret: {PLANTED['ami-secret']}" in echo.heard
            finally:
                loop.call_soon_threadsafe(end.set)
                thread.join(10)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("planted")
    for name, secret in PLANTED.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(secret + "\n")
    with Planted(folder, full) as house:
        yield house


def told(house: Planted, path: str, body: Any = None, method: str = "GET", **headers: str) -> tuple[int, str, str]:
    """(status, headers, body) of one request, whatever it is."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(house.web + path, data, sent, method=method)
    try:
        with DIRECT.open(request, timeout=10) as answer:
            return answer.status, str(answer.headers), answer.read().decode("latin-1")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, str(error.headers), error.read().decode("latin-1")


def stream(house: Planted, path: str) -> str:
    """The beginning of a stream of events: all there is."""
    with DIRECT.open(urllib.request.Request(house.web + path, headers=house.login), timeout=10) as answer:
        text = ""
        while "\n\n" not in text:
            text += answer.read1(2**20).decode()
        return text


def run(house: Planted, *args: str) -> str:
    """All that a command prints."""
    done = finished(*args, within_s=60)
    return done.stdout + done.stderr


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it may stand somewhere: as it is, in base64, in hexadecimal digits or out of them, in an address."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    with contextlib.suppress(ValueError):
        yield bytes.fromhex(secret)
    yield urllib.parse.quote(secret, "").encode()
    for shift in range(3):  # in the midst of something longer, too
        text = base64.b64encode(b"\0" * shift + raw)
        yield text[(4 if shift else 0) : len(text) // 4 * 4 - 4]


def test_no_secret_leaves(house: Planted) -> None:
    left: dict[str, bytes] = {}
    spoken = listen(house, left)
    house.start_all()
    assert house.plan.broker
    until(lambda: len([name for name in left if name.startswith("topic")]) > 30, "what the floor says")

    own = dict(PLANTED) | people_of(house, left)
    with house.hostile():
        assert "refuses" not in str(house.now("source/asterisk"))
        house.wait("the phone system is away", lambda: "refuses the user" in str(house.now("source/asterisk")), 20)
        ask_everything(house, own, left)
    command_everything(house, left)
    own |= change_boards(house, left)
    look_at_processes(house, left)
    for name in list(house.processes):
        house.stop(name)
    spoken.loop_stop()
    keep_files(house, left)

    assert len([name for name in left if name.startswith("GET")]) > 30
    known = {name.split()[0] for name, data in left.items() if b"row-" in data or b"webchat" in data}  # would be found
    assert known >= {"topic", "GET", "POST", "command", "file"}
    for what, secret in own.items():
        for form in forms(secret):
            assert [name for name, data in left.items() if form in data] == [], what
    assert [name for name, data in left.items() if CALLER.encode() in data] == []
    key = signing_key(house)
    assert [name for name, data in left.items() if key in data and "people.db" not in name] == []


def listen(house: Planted, left: dict[str, bytes]) -> paho.Client:
    """Everything at the broker, as the gateway may hear it."""
    assert house.plan.broker
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="listener")
    login.log_in(client, house.plan.broker)
    client.on_connect = lambda client, *_: client.subscribe("#", 1)

    def hear(_client: object, _user: object, message: paho.MQTTMessage) -> None:
        name = f"topic {message.topic}"
        left[name] = left.get(name, b"") + message.topic.encode() + bytes(message.payload)

    client.on_message = hear
    until(lambda: listens(client, house), "the broker")
    client.loop_start()
    return client


def listens(client: paho.Client, house: Planted) -> bool:
    assert house.plan.broker
    try:
        return client.connect(house.plan.broker.host, house.plan.broker.port) == 0
    except OSError:
        return False


def people_of(house: Planted, left: dict[str, bytes]) -> dict[str, str]:
    """Somebody with a password, a session, an open link and a token: what of it is secret."""
    admin = house.login["Authorization"]
    _, _, body = told(house, "/api/people/invitations", {"role": "supervisor"}, "POST", Authorization=admin)
    link = json.loads(body)["token"]
    status, headers, _ = told(house, "/api/join", {"token": link, "name": "lead", "password": PASSWORD}, "POST")
    assert status == 204
    cookie = re.search(r"callfloor=([^;\s]+)", headers)
    assert cookie
    _, _, body = told(house, "/api/people/invitations", {"role": "viewer"}, "POST", Authorization=admin)
    open_link = json.loads(body)["token"]
    _, _, body = told(house, "/api/tokens", {"name": "lobby", "role": "wall", "days": 30}, "POST", Authorization=admin)
    token = json.loads(body)["token"]
    asked = {"name": "lead", "password": "wrong" + PASSWORD}
    left["POST /api/session wrong"] = told(house, "/api/session", asked, "POST")[2].encode()
    return {"password": PASSWORD, "used link": link, "open link": open_link, "cookie": cookie[1], "wall token": token,
            "admin token": admin.removeprefix("Bearer ")}  # fmt: skip


def ask_everything(house: Planted, own: dict[str, str], left: dict[str, bytes]) -> None:
    """Every address there is, as an admin, as nobody, and with everybody else's secret at the wrong place."""
    static = [f"/static/{path.relative_to(web_page.FILES)}" for path in web_page.FILES.rglob("*") if path.is_file()]
    paths = [
        "/", "/login", "/join", "/people", "/privacy", "/wall", "/wall/north", "/healthz", "/openapi.json",
        "/api/session", "/api/privacy",
        "/api/plan", "/api/now", "/api/messages", "/api/people", "/api/audit?limit=500", "/api/history.csv",
        "/api/history.csv?by=quarter", "/walls/north.png", "/metrics", "/docs", "/debug", *static,
    ]  # fmt: skip
    for path in paths:
        for who, headers in (("admin", house.login), ("nobody", {})):
            status, head, body = told(house, path, **headers)
            left[f"GET {path} as {who}: {status}"] = f"{head}\n{body}".encode("latin-1")
    for path in ("/api/events", "/wall/north/events"):
        left[f"GET {path}"] = stream(house, path).encode()
    for what, secret in own.items():  # somebody is at the wrong door with it
        with_it = {"Authorization": f"Bearer {secret}"}
        for queue, asked in (("norsk", {"waiting": "1"}), ("chat", {"rubbish": secret})):
            _, head, text = told(house, f"/api/queues/{queue}", asked, "POST", **with_it)
            left[f"POST /api/queues/{queue} with the {what}"] = f"{head}{text}".encode("latin-1")
        _, head, text = told(house, f"/phone/{urllib.parse.quote(secret, '')}?event=off_hook&mac=001565aabbcc")
        left[f"GET /phone with the {what}"] = f"{head}{text}".encode("latin-1")
        _, head, text = told(house, "/api/session", {"token": secret + "x"}, "POST")
        left[f"POST /api/session with the {what}"] = f"{head}{text}".encode("latin-1")


def command_everything(house: Planted, left: dict[str, bytes]) -> None:
    """What the commands print that have to do with secrets; each with something that is wrong, too."""
    site = str(house.site)
    for args in (
        ["up", site, "--check"], ["broker", "check", site], ["broker", "setup", site], ["export", site],
        ["person", "list", site], ["token", "list", site], ["audit", site], ["board", "json", "row-b", "--site", site],
        ["board", "rotate", "nobody", "--site", site], ["board", "revoke", "nobody", "--site", site],
        ["board", "record", "a1", "--site", site, "--seconds", "1"],
    ):  # fmt: skip
        left["command " + " ".join(args)] = run(house, *args).encode()
    spoiled = json.loads(house.site.read_text())
    spoiled["broker"]["password"] = PLANTED["secrets/mqtt"]  # written to the wrong place
    spoiled["pbx"]["asterisk"]["secret"] = PLANTED["ami-secret"]
    wrong = house.folder / "wrong.json"
    wrong.write_text(json.dumps(spoiled))
    left["command up, wrong"] = run(house, "up", str(wrong), "--check").encode()
    wrong.unlink()


def change_boards(house: Planted, left: dict[str, bytes]) -> dict[str, str]:
    """New passwords of boards, by each command that makes one: what is secret from then on."""
    site, made = str(house.site), house.folder / "made" / "row-b.json"
    made.parent.mkdir()
    house.stop("wall-south")
    house.wait("it is away", lambda: house.now("board/wall-south").get("state") != "ready")
    new = {}
    for args, words in (
        (["board", "rotate", "row-a", "--site", site], "has a new password"),
        (["board", "rotate", "wall-south", "--site", site], "is not there"),
        (["board", "json", "row-b", "--site", site, "--out", str(made), "--pins", "memory"], "has a new password"),
        (["board", "revoke", "row-b", "--site", site], "is shut out"),
    ):
        told = run(house, *args)
        assert words in told, told
        left["command " + " ".join(args)] = told.encode()
    new["made"] = json.loads(made.read_text())["broker"]["password"]
    for name in ("row-a", "wall-south.next"):
        new[f"new of {name}"] = (house.folder / "secrets" / "boards" / name).read_text().split()[0]
    assert not set(new.values()) & set(PLANTED.values())
    return new


def look_at_processes(house: Planted, left: dict[str, bytes]) -> None:
    """What everybody on this computer can see of a program: how it was started; and what its children inherit."""
    for name, process in house.processes.items():
        for what in ("cmdline", "environ"):
            left[f"process {name} {what}"] = Path(f"/proc/{process.pid}/{what}").read_bytes()


def keep_files(house: Planted, left: dict[str, bytes]) -> None:
    """Everything that was written, but for the files whose work it is to hold secrets; those are ours alone."""
    assert house.plan.broker and house.plan.broker.folder
    for path in house.folder.rglob("*"):
        if not path.is_file():
            continue
        name = str(path.relative_to(house.folder))
        holds_some = name in PLANTED or (path.suffix == ".json" and path.stem in {row.id for row in house.plan.board})
        if name.startswith("kept/"):
            continue  # the boards' own, on no computer of ours
        holds_some = holds_some or path.suffix == ".next"
        if holds_some or "people.db" in name or path.suffix == ".key":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, name
        if not holds_some:
            left[f"file {name}"] = path.read_bytes()
    assert {".db", ".log", ".pem"} <= {os.path.splitext(name)[1] for name in left}


def signing_key(house: Planted) -> bytes:
    """What signs the cookies: in the file of people alone."""
    with People(house.plan.people) as people:
        key = people._kept("key")
    assert isinstance(key, bytes) and len(key) == 32
    return key
