"""Nobody's name: callers' numbers and names, members' names and pause reasons go nowhere past the adapter.

Known ones are driven through every path that there is, in every form they come in; then everything
that leaves the gateway is searched: MQTT, HTTP, the files it keeps, what it logs and prints.
"""

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import floorplan
from gateway.days import Calendar
from gateway.store import read
from simulator.manager import Row
from tests.ami_feed import recording
from tests.house import DIRECT, Ear, House

ROOT = Path(floorplan.__file__).parent
REASON = "Dentist at half past two"
MEMBER = "Agent "  # every member's name at the simulated PBX begins so
CALLER = "Caller "
NUMBER = "+47000"
TOLD = (REASON, MEMBER, CALLER, NUMBER, "sim-")  # the last: how its Uniqueids begin
PUSHED = "guest-4711-of-the-web-chat"
TOKEN = "a-token-that-nobody-may-read"

PATHS = ("/", "/api/plan", "/api/now", "/healthz", "/openapi.json", "/api/history.csv?by=quarter",
         "/api/history.csv?by=day", "/walls/north.png", "/walls/nowhere.png", "/api/queues/norsk")  # fmt: skip


def with_a_chat(tables: dict[str, Any]) -> None:
    tables["queue"].append({"id": "chat", "name": "Chat", "kind": "chat", "source": "webchat"})
    tables["source"] = [{"id": "webchat", "secret_file": "webchat-token"}]


def post(house: House, body: object, token: str = TOKEN) -> tuple[int, str]:
    request = urllib.request.Request(
        f"{house.web}/api/queues/chat", json.dumps(body).encode(), method="POST",
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )  # fmt: skip
    try:
        with DIRECT.open(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_nobody_is_known_past_the_adapter(tmp_path: Path) -> None:
    (tmp_path / "webchat-token").write_text(TOKEN + "\n")
    with House(tmp_path, with_a_chat) as house:
        ear = Ear(house.broker)
        heard: list[tuple[str, bytes]] = []
        ear._client.on_message = lambda _client, _user, message: heard.append((message.topic, bytes(message.payload)))
        house.start_all()
        house.wait("figures", lambda: house.now("queue/norsk").get("waiting") == 0)
        files: dict[str, bytes] = {}
        told = drive(house, files)
        answers = "".join(text for _, text in told)
        for path in PATHS:
            try:
                with DIRECT.open(urllib.request.Request(house.web + path, headers=house.login), timeout=5) as answer:
                    answers += f"{answer.headers}{answer.read().decode('latin-1')}"
            except urllib.error.HTTPError as error:
                answers += f"{error.headers}{error.read().decode('latin-1')}"
        house.stop("gateway")
        ear.close()
    look_into(files, tmp_path, "at the end")
    assert {".db", ".log"} <= {Path(name).suffix for name in files}
    assert len(heard) > 20 and "norsk" in answers
    for word in (*TOLD, PUSHED, TOKEN):
        raw = word.encode()
        assert not [topic for topic, payload in heard if word in topic or raw in payload], word
        assert word not in answers, word
        assert not [name for name, data in files.items() if raw in data], word


def look_into(files: dict[str, bytes], folder: Path, when: str) -> None:
    """Takes everything the gateway has written so far."""
    files |= {f"{when}: {path}": path.read_bytes() for path in folder.rglob("*") if is_ours(path)}


def who_waits(house: House) -> int:
    """How many callers are kept in the file as waiting."""
    assert house.plan.history.path
    with read(house.plan.history.path, Calendar("UTC")) as reader:
        return len(reader.waiting())


def is_ours(path: Path) -> bool:
    """What the gateway and the boards write: not the broker's own files, not the secrets."""
    return path.is_file() and path.suffix in (".db", ".db-wal", ".db-shm", ".log") and "mosquitto" not in path.name


def drive(house: House, files: dict[str, bytes]) -> list[tuple[int, str]]:
    """Every verb of the phone system, rubbish from it, and every shape of a push; what was answered to those."""
    pbx = house.pbx
    first, second, third = (pbx.join("norsk") for _ in range(3))
    pbx.ring(first, "Local/1001@agents")
    pbx.no_answer(first)
    pbx.ring(first, "Local/1002@agents")
    pbx.answer(first)
    pbx.hang_up(second)
    pbx.leave_by_key(third)
    pbx.pause("Local/1003@agents", True, REASON)
    pbx.hang_up(first)
    pbx.join("polski")
    for rows in rubbish():
        tell(house, rows)
    answered = [
        post(house, {"events": [{"event": "joined", "call": PUSHED}]}),
        post(house, {"events": [{"event": "answered", "call": PUSHED}]}),
        post(house, {"events": [{"event": "joined", "call": PUSHED * 9}]}),
        post(house, {"events": [{"event": PUSHED, "call": PUSHED, PUSHED: PUSHED}]}),
        post(house, {"figures": {"waiting": PUSHED}}),
        post(house, PUSHED),
        post(house, {}, token=PUSHED),
    ]
    house.wait("it is all heard", lambda: house.now("queue/norsk").get("abandoned") == 1
               and house.now("queue/norsk").get("left") == 1
               and house.now("queue/polski").get("waiting") == 1
               and house.now("queue/chat").get("answered") == 1)  # fmt: skip
    house.wait("who waits is kept", lambda: who_waits(house) == 1)
    house.kill("gateway")
    look_into(files, house.folder, "with a caller waiting")
    house.start_gateway()
    house.wait("polski is found waiting", lambda: house.now("queue/polski").get("waiting") == 1)
    pbx.restart()
    house.wait("the PBX is back", lambda: house.now("queue/polski").get("waiting") == 0)
    return answered


def rubbish() -> list[list[Row]]:
    """Events that lack something, say too much, or name what is not there, each with people in it."""
    who: list[Row] = [("CallerIDNum", NUMBER + "99999"), ("CallerIDName", CALLER + "99"), ("MemberName", MEMBER + "99"),
                      ("PausedReason", REASON), ("Uniqueid", "sim-99.99")]  # fmt: skip
    return [
        [("Event", "QueueCallerJoin"), *who],
        [("Event", "QueueCallerJoin"), ("Queue", CALLER + "queue"), *who],
        [("Event", CALLER + "event"), ("Queue", "norsk"), *who],
        [("Event", "AgentConnect"), ("Queue", "norsk"), ("Interface", MEMBER + "interface"), ("HoldTime", "x"), *who],
        [("Event", "QueueMemberStatus"), ("Queue", "norsk"), ("Interface", ""), ("Status", REASON), *who],
        [("Event", "QueueParams"), ("Queue", CALLER + "9"), *who],
        [("Response", "Error"), ("Message", REASON), *who],
        [("Event", "QueueSummary"), ("Queue", "norsk"), ("Callers", CALLER), *who],
        [("Event", "UserEvent"), ("UserEvent", REASON), *who],
        [(CALLER + "x" * 9000, REASON)],
    ]


def tell(house: House, rows: list[Row]) -> None:
    async def run() -> None:
        house.pbx.pbx.manager.tell("".join(f"{name}: {value}\r\n" for name, value in rows))

    asyncio.run_coroutine_threadsafe(run(), house.pbx._loop).result(5)


def test_a_replayed_recording_names_nobody(tmp_path: Path) -> None:
    """The recorded stream holds numbers and names; what is printed of it holds none of them."""
    stream = recording("all-events.txt.gz")
    path = tmp_path / "stream.txt"
    path.write_bytes(stream)
    people = {
        value
        for line in stream.decode("utf-8", "replace").splitlines()
        for header, _, value in [line.partition(": ")]
        if header in ("CallerIDNum", "CallerIDName", "MemberName", "ConnectedLineName", "Uniqueid", "Channel")
        and len(value) > 3
        and value != "<unknown>"
    }
    assert len(people) > 100
    command = [sys.executable, "-m", "callfloor", "replay", str(path)]
    for options in ([], ["--json"], ["--every", "60"]):
        ran = subprocess.run([*command, *options], check=False, capture_output=True, text=True, timeout=60, cwd=ROOT)
        assert ran.returncode == 0, ran.stderr
        assert not [name for name in people if name in ran.stdout + ran.stderr]
