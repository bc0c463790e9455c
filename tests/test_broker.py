"""The broker for trying: the same promises held by a real mosquitto and a real nats-server."""

from __future__ import annotations

import asyncio
import itertools
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from firmware import contract
from gateway.broker.rights import GATEWAY, TRYING
from gateway.broker.trial import BrokerError, OwnBroker, find, new_passwords

from .conftest import until

SITE = "callfloor/1/s/"


class RunningBroker:
    """A broker of our own and its process, to be stopped, killed and started again."""

    def __init__(self, broker: OwnBroker) -> None:
        self.own = broker
        self.host = broker.host
        self.port = broker.port
        self.users = broker.users
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.own.write()
        self.process = subprocess.Popen(self.own.command())
        asyncio.run(self.own.wait_until_ready())

    def stop(self, how: signal.Signals = signal.SIGTERM, within_s: float = 10) -> int:
        """Ends it and returns its exit code; 0 when it was not running."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


class Client:
    """A paho client that keeps what it has seen, in order."""

    def __init__(
        self,
        broker: RunningBroker,
        user: str | None = None,
        will: str | None = None,
        password: str | None = None,
        keepalive_s: int = 60,
    ) -> None:
        self.seen: list[tuple[str, bytes, bool]] = []
        self.code: int | None = None
        self.granted = 0
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        self.paho.on_message = lambda _c, _u, m: self.seen.append((m.topic, bytes(m.payload), m.retain))
        self.paho.on_subscribe = lambda *_: setattr(self, "granted", self.granted + 1)
        self.paho.on_connect = lambda _c, _u, _f, code, _p: setattr(self, "code", code.value)
        if user is not None:
            self.paho.username_pw_set(user, broker.users.get(user) if password is None else password)
        if will:
            self.paho.will_set(will, b"lost", qos=1, retain=True)
        self.paho.connect(broker.host, broker.port, keepalive=keepalive_s)
        self.paho.loop_start()
        until(lambda: self.code is not None, "a CONNACK")

    def subscribe(self, pattern: str, qos: int = 1) -> Client:
        before = self.granted
        self.paho.subscribe(pattern, qos)
        until(lambda: self.granted > before, "a SUBACK")
        return self

    def publish(self, topic: str, payload: bytes, retain: bool = True, qos: int = 1) -> None:
        self.paho.publish(topic, payload, qos, retain).wait_for_publish(5)

    def wait_for(self, count: int) -> None:
        until(lambda: len(self.seen) >= count, f"{count} messages")

    def payloads(self) -> list[bytes]:
        return [payload for _, payload, _ in self.seen]

    def cut(self) -> None:
        """The socket dies without a goodbye, as when its process is killed or its cable pulled."""
        sock = self.paho.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


Join = Callable[..., Client]


@pytest.fixture
def join() -> Iterator[Join]:
    """Makes clients that are gone after the test."""
    clients: list[Client] = []

    def make(*args: Any, **more: Any) -> Client:
        clients.append(Client(*args, **more))
        return clients[-1]

    yield make
    for client in clients:
        client.leave()


@pytest.fixture(params=["mosquitto", "nats-server"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningBroker]:
    boards = ("b1", "b2")
    own = OwnBroker(tmp_path / "broker", "s", new_passwords(boards), boards, kind=request.param)
    running = RunningBroker(own)
    running.start()
    yield running
    running.stop()


def test_each_retained_message_comes_once_and_is_the_last_one(broker: RunningBroker, join: Join) -> None:
    gateway = join(broker, GATEWAY)
    for turn in (b"old", b"new"):
        for number in range(300):
            gateway.publish(f"{SITE}desk/d{number}/now", turn)
    expected = {(f"{SITE}desk/d{number}/now", b"new", True) for number in range(300)}
    for qos in (0, 1):
        reader = join(broker, TRYING).subscribe("callfloor/#", qos)
        reader.wait_for(300)
        gateway.publish(f"{SITE}beat", b"end", retain=False, qos=qos)
        reader.wait_for(301)
        assert set(reader.seen[:300]) == expected
        assert reader.seen[300:] == [(f"{SITE}beat", b"end", False)]


def test_the_largest_message_of_the_contract_gets_through(broker: RunningBroker, join: Join) -> None:
    largest = max(contract.MESSAGES, key=lambda message: message.size)
    topic = contract.topic("s", largest.topic, "b1", 0)
    payload = bytes(range(256)) * (largest.size // 256)
    join(broker, GATEWAY).publish(topic, payload)
    reader = join(broker, TRYING).subscribe("callfloor/#")
    reader.wait_for(1)
    assert reader.seen == [(topic, payload, True)]


def test_an_empty_message_clears_a_topic(broker: RunningBroker, join: Join) -> None:
    gateway = join(broker, GATEWAY)
    gateway.publish(f"{SITE}wall/w/now", b"here")
    gateway.publish(f"{SITE}wall/w/now", b"")
    gateway.publish(f"{SITE}wall/v/now", b"kept")
    reader = join(broker, TRYING).subscribe(f"{SITE}wall/#")
    until(lambda: reader.seen, "the topic that was kept")
    assert reader.payloads() == [b"kept"]


def test_wildcards_match_what_they_should(broker: RunningBroker, join: Join) -> None:
    gateway = join(broker, GATEWAY)
    topics = ("board/b1/state", "board/b2/state", "board/b1/input/0/phone", "gateway/state", "values")
    for topic in topics:
        gateway.publish(SITE + topic, topic.encode())
    expected = {
        "board/+/state": topics[:2],
        "board/b1/#": (topics[0], topics[2]),
        "board/+/input/+/phone": topics[2:3],
        "+": topics[4:],
        "values": topics[4:],
        "#": topics,
    }
    readers = {pattern: join(broker, TRYING).subscribe(SITE + pattern) for pattern in expected}
    for pattern, reader in readers.items():
        reader.subscribe(SITE + "end")
        reader.wait_for(len(expected[pattern]))
    gateway.publish(SITE + "end", b"end", retain=False)  # what came before it is all that comes
    for pattern, reader in readers.items():
        until(lambda reader=reader: b"end" in reader.payloads(), f"the end for {pattern}")  # type: ignore[misc]
        found = [topic for topic, payload, _ in reader.seen if payload != b"end"]
        assert sorted(found) == sorted(SITE + topic for topic in expected[pattern]), pattern


def test_a_board_whose_link_is_cut_is_said_to_be_lost(broker: RunningBroker, join: Join) -> None:
    reader = join(broker, TRYING).subscribe("callfloor/#")
    board = join(broker, "b1", will=f"{SITE}board/b1/state")
    board.publish(f"{SITE}board/b1/state", b"ready")
    board.cut()
    until(lambda: reader.payloads() == [b"ready", b"lost"], "the will", within_s=1)
    late = join(broker, TRYING).subscribe("callfloor/#")
    until(lambda: late.seen, "the will, retained")
    assert late.seen == [(f"{SITE}board/b1/state", b"lost", True)]


# mosquitto 2.0 looks for silent clients every 5 s only, and in whole seconds
SILENCE_SEEN_LATE_S = {"mosquitto": 7, "nats-server": 1}


def test_a_board_that_falls_silent_is_said_to_be_lost(broker: RunningBroker, join: Join) -> None:
    keepalive_s = 1
    reader = join(broker, TRYING).subscribe("callfloor/#")
    board = join(broker, "b1", will=f"{SITE}board/b1/state", keepalive_s=keepalive_s)
    board.paho.loop_stop()  # no ping from here on, and the link stays open
    limit_s = 1.5 * keepalive_s + SILENCE_SEEN_LATE_S[broker.own.kind]
    until(lambda: b"lost" in reader.payloads(), "the will", within_s=limit_s)


def test_a_goodbye_leaves_no_will(broker: RunningBroker, join: Join) -> None:
    reader = join(broker, TRYING).subscribe("callfloor/#")
    join(broker, "b1", will=f"{SITE}board/b1/state").leave()
    join(broker, GATEWAY).publish(f"{SITE}beat", b"end")
    until(lambda: b"end" in reader.payloads(), "the message after it")
    assert reader.payloads() == [b"end"]


RIGHTS = (
    (GATEWAY, "gateway/state", True),
    (GATEWAY, "values", True),
    (GATEWAY, "board/b1/panel/0/scene", True),
    (GATEWAY, "board/b1/command", True),
    (GATEWAY, "board/gone/state", True),
    ("b1", "board/b1/state", True),
    ("b1", "board/b1/hello", True),
    ("b1", "board/b1/health", True),
    ("b1", "board/b1/input/0/phone", True),
    ("b1", "board/b1/input/3/headset", True),
    ("b1", "board/b1/panel/0/shown", True),
    ("b1", "board/b1/answer", True),
    ("b1", "board/b1/raw", True),
    ("b1", "board/b1/command", False),
    ("b1", "board/b1/panel/0/scene", False),
    ("b1", "board/b2/state", False),
    ("b1", "board/b2/input/0/phone", False),
    ("b1", "board/b1/input/0/phone/more", False),
    ("b1", "desk/d1/now", False),
    ("b1", "values", False),
    ("b1", "gateway/command", False),
    (TRYING, "gateway/command", True),
    (TRYING, "board/b1/command", True),
    (TRYING, "board/b1/state", False),
    (TRYING, f"board/{TRYING}/state", False),
    (TRYING, "values", False),
    (TRYING, "anything", False),
)


def test_only_those_who_may_write_are_heard(broker: RunningBroker, join: Join) -> None:
    reader = join(broker, TRYING).subscribe("callfloor/#")
    writers = {user: join(broker, user) for user in (GATEWAY, "b1", TRYING)}
    for number, (user, topic, _) in enumerate(RIGHTS):
        for qos in (0, 1):
            if not writers[user].paho.is_connected():  # a broker may close the link of one who must not write
                writers[user] = join(broker, user)
            writers[user].publish(SITE + topic, b"%d" % number, retain=qos == 1, qos=qos)
    writers[GATEWAY].publish("callfloor/1/elsewhere/values", b"not this site's")
    for will in (f"{SITE}board/b2/state", f"{SITE}values"):
        join(broker, "b1", will=will).cut()
    join(broker, TRYING, will=f"{SITE}values").cut()
    for user in ("b1", TRYING):
        writers[user].leave()
    # a board's own will is heard, and with it all that came before
    join(broker, "b2", will=f"{SITE}board/b2/state").cut()
    until(lambda: b"lost" in reader.payloads(), "the will that is right")
    writers[GATEWAY].publish(f"{SITE}beat", b"end")
    until(lambda: b"end" in reader.payloads(), "the end")
    expected = [
        (SITE + topic, b"%d" % number) for number, (_, topic, may) in enumerate(RIGHTS) if may for _ in "01"
    ]
    heard = [(topic, payload) for topic, payload, _ in reader.seen]
    assert sorted(heard) == sorted([*expected, (f"{SITE}board/b2/state", b"lost"), (f"{SITE}beat", b"end")])


# (who, password): where that is the name of another user, this one's.
NOBODY = (
    (None, None), ("", ""), ("b1", "wrong"), ("b1", ""), ("b3", "b1"), (TRYING, "b1"), (GATEWAY, "b1"), ("reader_", "")
)  # fmt: skip


def test_nobody_gets_in_without_a_name_and_its_password(broker: RunningBroker, join: Join) -> None:
    for user, password in NOBODY:
        client = join(broker, user, password=broker.users.get(password or "", password))
        assert client.code != 0, user
        until(lambda client=client: not client.paho.is_connected(), f"{user} is put out")  # type: ignore[misc]


READ = {
    "board/b1/command": {GATEWAY, TRYING, "b1"},
    "board/b1/panel/0/scene": {GATEWAY, TRYING, "b1"},
    "board/b2/command": {GATEWAY, TRYING},
    "board/b1/state": {GATEWAY, TRYING},
    "board/b2/state": {GATEWAY, TRYING},
    "beat": {GATEWAY, TRYING, "b1"},
    "values": {GATEWAY, TRYING, "b1"},
    "gateway/state": {GATEWAY, TRYING, "b1"},
    "desk/d1/now": {GATEWAY, TRYING},
    "queue/norsk/now": {GATEWAY, TRYING},
    "source/chat/queue/norsk": {GATEWAY},
}


END = "board/b1/panel/9/light"
ASKED = (
    [SITE + topic for topic in READ],
    ["callfloor/#"],
    [f"{SITE}+/+/#"],
    ["#"],
    [f"{SITE}board/+/command"],
)


def test_everybody_reads_what_is_theirs_and_no_more(broker: RunningBroker, join: Join) -> None:
    """Asked for by its name or by a wildcard, as it is said and as it is kept; a broker may refuse or send nothing."""
    readers: list[tuple[str, int, Client]] = []
    gateway = join(broker, GATEWAY)

    def read() -> None:
        for user, way in itertools.product((GATEWAY, TRYING, "b1"), range(len(ASKED))):
            client = join(broker, user).subscribe(SITE + END)
            for topic in ASKED[way]:
                client.subscribe(topic)
            readers.append((user, way, client))

    read()
    for topic in READ:
        gateway.publish(SITE + topic, topic.encode())
    read()
    gateway.publish(SITE + END, b"end", retain=False)
    for user, way, client in readers:
        until(lambda client=client: b"end" in client.payloads(), f"the end for {user}")  # type: ignore[misc]
        seen = {payload.decode() for payload in client.payloads()} - {"end"}
        may = {topic for topic, users in READ.items() if user in users}
        assert seen == may if way == 0 else seen <= may, (user, ASKED[way])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_cleanly_and_is_back_on_the_same_port_at_once(
    broker: RunningBroker, join: Join, how: signal.Signals
) -> None:
    for _ in range(3):
        clients = [join(broker, "b1"), join(broker, TRYING).subscribe("callfloor/#")]
        clients[0].publish(f"{SITE}board/b1/state", b"ready")
        since = time.monotonic()
        code = broker.stop(how)
        assert time.monotonic() - since < 2
        assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
        broker.start()
        # a new start knows nothing of the one before
        reader = join(broker, TRYING).subscribe("callfloor/#")
        join(broker, GATEWAY).publish(f"{SITE}beat", b"end")
        reader.wait_for(1)
        assert reader.payloads() == [b"end"]


def test_nobody_else_can_read_its_passwords(broker: RunningBroker) -> None:
    folder = broker.own.folder
    files = [path for path in folder.iterdir() if path.is_file() and path.name != "broker.log"]
    assert len(files) >= 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert broker.process is not None
    command = Path(f"/proc/{broker.process.pid}/cmdline").read_text() + Path(
        f"/proc/{broker.process.pid}/environ"
    ).read_text(errors="replace")
    assert not any(password in command for password in broker.users.values())
    assert len(set(broker.users.values())) == len(broker.users)


def test_it_listens_on_this_machine_only(broker: RunningBroker) -> None:
    assert broker.process is not None
    inodes = {
        link.readlink().name[8:-1]
        for link in Path(f"/proc/{broker.process.pid}/fd").iterdir()
        if link.is_symlink() and link.readlink().name.startswith("socket:")
    }
    addresses = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{broker.process.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:  # 0A: listening
                addresses.append(fields[1].split(":")[0])
    assert addresses
    assert set(addresses) == {"0100007F"}  # 127.0.0.1, the low byte first


def test_a_port_that_is_taken_is_named(broker: RunningBroker, tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=rf"127.0.0.1:{broker.port} .*--mqtt 127.0.0.1:0"):
        OwnBroker(tmp_path / "second", "s", {}, (), port=broker.port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "somewhere"])
def test_it_refuses_to_be_reached_from_outside(tmp_path: Path, host: str) -> None:
    with pytest.raises(BrokerError, match="this machine only"):
        OwnBroker(tmp_path, "s", {}, (), host=host)


def test_one_that_does_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    broker = OwnBroker(tmp_path / "b", "s", new_passwords(()), ())
    broker.write()
    (broker.folder / "broker.log").write_text("first\nthe disk is full\n")
    with pytest.raises(
        BrokerError, match=rf"{broker.port} does not answer after 0.2 s; its last words: .*the disk is full"
    ):
        asyncio.run(broker.wait_until_ready(0.2))


def test_without_mosquitto_it_takes_the_one_from_pypi(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert find()[0] == "mosquitto"
    kind, program = find("nats-server")
    assert kind == "nats-server"
    assert Path(program).name == "nats-server"
    monkeypatch.setattr("gateway.broker.trial.shutil.which", lambda name, path: program if name == kind else None)
    assert find() == (kind, program)
    monkeypatch.setattr("gateway.broker.trial.shutil.which", lambda name, path: None)
    with pytest.raises(BrokerError, match="apt-get install mosquitto"):
        find()
