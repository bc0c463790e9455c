"""The board's MQTT client on both Pythons, against a real mosquitto, through a proxy that breaks the link."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.brokers import HOST, Broker, free_port, mosquitto
from tests.certificates import authority, certificate, openssl
from tests.proxy import Proxy, proxy
from tests.pythons import PYTHONS, Driver, run, started

BIG = 4_000_000  # bytes, more than the kernel's buffers take
STALL_MS = 300  # a client that waited inside a call would stand still for 700 ms and more; a busy machine for less
both = pytest.mark.parametrize("python", PYTHONS)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as running:
        yield running


@pytest.fixture
def link(broker: Broker) -> Iterator[Proxy]:
    with proxy(broker.host, broker.port) as running:
        yield running


class Watcher:
    """A paho client that subscribes to everything and keeps what comes, in order."""

    def __init__(self, broker: Broker) -> None:
        self.seen: list[tuple[str, bytes, bool]] = []
        self.paho = paho.Client(CallbackAPIVersion.VERSION2)
        self.paho.on_message = lambda _c, _u, m: self.seen.append((m.topic, bytes(m.payload), m.retain))
        ready: list[bool] = []
        self.paho.on_subscribe = lambda *_: ready.append(True)
        self.paho.connect(broker.host, broker.port)
        self.paho.subscribe("#", 1)
        self.paho.loop_start()
        wait_for(lambda: ready, "the watcher's subscription")

    def on(self, topic: str) -> list[bytes]:
        return [payload for name, payload, _ in list(self.seen) if name == topic]

    def numbers(self, topic: str) -> list[int]:
        """The first word of each message there, in order, doubles left out."""
        return list(dict.fromkeys(int(payload.split()[0]) for payload in self.on(topic)))

    def wait_for(self, topic: str, count: int) -> None:
        wait_for(lambda: len(self.on(topic)) >= count, f"{count} messages on {topic}")

    def send(self, topic: str, payload: bytes | str, retain: bool = False) -> None:
        self.paho.publish(topic, payload, 1, retain).wait_for_publish(5)

    def do(self, what: str, **more: Any) -> None:
        self.send("do", json.dumps({"what": what, **more}))


@pytest.fixture
def watcher(broker: Broker) -> Iterator[Watcher]:
    with watching(broker) as running:
        yield running


@contextlib.contextmanager
def watching(broker: Broker) -> Iterator[Watcher]:
    running = Watcher(broker)
    try:
        yield running
    finally:
        running.paho.disconnect()
        running.paho.loop_stop()


def wait_for(met: Callable[[], object], what: str, within_s: float = 10) -> None:
    end = time.monotonic() + within_s
    while not met():
        assert time.monotonic() < end, f"not within {within_s:g} s: {what}"
        time.sleep(0.005)


@contextlib.contextmanager
def client(
    python: str, port: int, heap: str | None = None, path: tuple[Path, ...] = (), **wish: Any
) -> Iterator[Driver]:
    """The driver, running. What it may wish for is in `mqtt_driver.py`."""
    with started(python, "tests/mqtt_driver.py", heap=heap, path=path) as driver:
        driver.tell(json.dumps({"port": port, "id": f"board-{python}", **wish}))
        yield driver


def delivery(count: int, every_ms: int, topic: str, padding: int = 0) -> dict[str, Any]:
    return {"count": count, "every_ms": every_ms, "topic": topic, "padding": "." * padding}


def assert_nothing_lost(
    driver: Driver, watcher: Watcher, topic: str, count: int, within_s: float = 20
) -> dict[str, Any]:
    """All acknowledged, all arrived, each for the first time in order; and the loop ran all the while."""
    end = driver.expect("delivered", within_s)
    with contextlib.suppress(AssertionError):  # the broker answers the sender before the watcher
        wait_for(lambda: len(watcher.numbers(topic)) >= count, "every number")
    assert watcher.numbers(topic) == list(range(1, count + 1)), driver.told()
    assert end["stall_ms"] < STALL_MS
    return end


# A link in good health.


@both
def test_messages_go_out_and_come_in(python: str, broker: Broker, watcher: Watcher) -> None:
    watcher.send("in/kept", "earlier", retain=True)
    with client(python, broker.port, subscribe=[["in/#", 1]]) as driver:
        assert driver.expect("heard", topic="in/kept")["retained"] is True
        driver.expect("up")
        watcher.send("in/now", "æ — ж")
        heard = driver.expect("heard", topic="in/now")
        assert (heard["text"], heard["retained"]) == ("æ — ж", False)
        for qos, retain in ((0, False), (1, False), (1, True)):
            topic = f"out/{python}/{qos}/{retain}"
            watcher.do("publish", topic=topic, text="ø", retain=retain, qos=qos)
            assert driver.expect("published")["good"] is True
            watcher.wait_for(topic, 1)
            assert watcher.on(topic) == ["ø".encode()]
        watcher.do("subscribe", topic=f"later/{python}/+", qos=0)
        wait_for(
            lambda: f"later/{python}/+ (QoS 0)" in broker.log.read_text(), "a subscription while it is up"
        )
        watcher.send(f"later/{python}/a", "")
        assert driver.expect("heard", topic=f"later/{python}/a")["size"] == 0
    with watching(broker) as newcomer:
        wait_for(lambda: newcomer.on(f"out/{python}/1/True") == ["ø".encode()], "what was retained")
        assert newcomer.on(f"out/{python}/1/False") == []


@both
def test_packet_ids_wrap(python: str, broker: Broker, watcher: Watcher) -> None:
    topic = f"wrap/{python}"
    with client(python, broker.port, last_id=65530, deliver=delivery(100, 0, topic)) as driver:
        assert_nothing_lost(driver, watcher, topic, 100)
        assert "down" not in "".join(driver.said)
    received = re.findall(
        rf"Received PUBLISH from \S+ \(d0, q1, r0, m(\d+), '{topic}'", broker.log.read_text()
    )
    ids = list(map(int, received))
    assert len(set(ids)) == 100
    assert {65535, 1} <= set(ids) <= set(range(1, 65536))


def test_a_quiet_link_is_kept_and_a_busy_one_too(broker: Broker, watcher: Watcher) -> None:
    """Pings go out while nothing comes in, and while something always comes in and nothing goes out."""
    wishes: dict[str, list[list[Any]]] = {"quiet": [], "busy": [["flood", 0]]}
    with contextlib.ExitStack() as stack:
        drivers = [
            stack.enter_context(
                client(python, broker.port, id=f"{name}-{python}", keepalive_s=1, subscribe=wishes[name])
            )
            for python in PYTHONS
            for name in wishes
        ]
        for driver in drivers:
            driver.expect("up")
        end_s = time.monotonic() + 2.5  # the broker gives up after 1.5 s
        while time.monotonic() < end_s:
            watcher.send("flood", "drop")
            time.sleep(0.02)
        for driver in drivers:
            assert "down" not in "".join(driver.said), driver.told()
    for python in PYTHONS:
        for name in wishes:
            assert f"PINGREQ from {name}-{python}" in broker.log.read_text()


@both
def test_many_tasks_send_whole_packets_in_order(python: str, broker: Broker, watcher: Watcher) -> None:
    topic = f"many/{python}"
    with client(python, broker.port) as driver:
        driver.expect("up")
        watcher.do("together", topic=topic, count=60, qos=1)
        assert driver.expect("together")["sent"] == [True] * 60
        watcher.wait_for(topic, 60)  # before the client is killed: what it sent would be cut off with it
    assert watcher.numbers(topic) == list(range(1, 61))
    assert {len(payload.split()[1]) for payload in watcher.on(topic)} == {300}


@both
def test_what_is_too_big_is_thrown_away_and_the_link_kept(
    python: str, broker: Broker, watcher: Watcher
) -> None:
    """With little memory left: a payload of 20 KB comes in, 21 KB and 3 MB do not, whatever follows does."""
    with client(python, broker.port, heap="192k", subscribe=[["in/#", 1]]) as driver:
        driver.expect("up")
        for size in (20 * 1024, 21 * 1024, 3_000_000, 20 * 1024, 7):
            watcher.send("in/x", b"." * size)
        sizes = [driver.expect("heard", topic="in/x")["size"] for _ in range(3)]
        assert sizes == [20 * 1024, 20 * 1024, 7]
        watcher.do("look")
        look = driver.expect("look")
        assert look["thrown_away"] == 2
        assert look["stall_ms"] < STALL_MS
        assert "down" not in "".join(driver.said)
        wait_for(lambda: broker.log.read_text().count(f"PUBACK from board-{python}") >= 5, "every PUBACK")


@both
def test_a_fault_in_a_callback_is_told_and_the_link_kept(
    python: str, broker: Broker, watcher: Watcher
) -> None:
    with client(python, broker.port, subscribe=[["in/#", 1]], faulty="in/bad") as driver:
        driver.expect("up")
        watcher.send("in/bad", "1")
        watcher.send("in/good", "2")
        driver.expect("heard", topic="in/good")
        watcher.do("look")
        assert driver.expect("look")["faults"] == 1
        assert "a fault of the application's" in "".join(driver.said)
        assert "down" not in "".join(driver.said)


@both
def test_a_message_is_acknowledged_after_the_callback(python: str, broker: Broker, watcher: Watcher) -> None:
    """A callback that drops the link leaves its message unacknowledged; and dropping it there is allowed."""
    wish: dict[str, Any] = {"subscribe": [["to/#", 1]], "abort_on": "to/stop", "constants": {"WAIT_MS": 20}}
    with client(python, broker.port, id=f"late-{python}", **wish) as driver:
        driver.expect("up")
        watcher.send("to/go", "1")
        watcher.send("to/stop", "2")
        assert driver.expect("down")["reason"] == "aborted"
        driver.expect("up")
    assert broker.log.read_text().count(f"Received PUBACK from late-{python}") == 1


@both
def test_a_flood_does_not_hold_up_the_loop(python: str, broker: Broker, watcher: Watcher) -> None:
    """Messages that come faster than the client reads them, so that its socket is never empty."""
    with client(python, broker.port, heap="256k", subscribe=[["flood/x", 0]], count="flood/x") as driver:
        driver.expect("up")
        for _ in range(5000):
            watcher.paho.publish("flood/x", b"." * 100)
        watcher.do("look")
        look = driver.expect("look")
        assert look["counted"] > 4000
        assert look["stall_ms"] < STALL_MS


# A link that breaks.


@both
def test_half_open(python: str, broker: Broker, link: Proxy, watcher: Watcher) -> None:
    """Silence on a link in use: noticed in time, the loop runs on, nothing is lost."""
    topic = f"half-open/{python}"
    with client(python, link.port, keepalive_s=2, deliver=delivery(300, 5, topic)) as driver:
        watcher.wait_for(topic, 50)
        link.silence()
        silent_s = time.monotonic()
        assert driver.expect("down")["at_s"] - silent_s < 1.5 * 2
        link.mend()
        assert_nothing_lost(driver, watcher, topic, 300)


def test_half_open_and_idle(link: Proxy) -> None:
    """Silence on a link that nobody uses: only the ping can tell."""
    with (
        client("cpython", link.port, keepalive_s=2) as one,
        client("micropython", link.port, keepalive_s=2) as other,
    ):
        for driver in (one, other):
            driver.expect("up")
        link.silence()
        silent_s = time.monotonic()
        for driver in (one, other):
            down = driver.expect("down")
            assert "ping" in down["reason"]
            assert down["at_s"] - silent_s < 1.5 * 2
            assert down["stall_ms"] < STALL_MS


@both
def test_half_open_with_a_full_buffer(python: str, broker: Broker, link: Proxy, watcher: Watcher) -> None:
    """A write that the socket does not take holds up its sender only, and not for long."""
    with client(python, link.port, heap="32m", big=BIG, keepalive_s=2) as driver:
        driver.expect("up")
        watcher.do("together", topic="big", count=3, qos=1, in_ms=300)
        driver.expect("soon")
        link.silence()
        silent_s = time.monotonic()
        assert driver.expect("down")["at_s"] - silent_s < 1.5 * 2
        after = driver.expect("together", within_s=1)
        assert (after["sent"], after["up"]) == ([False] * 3, False)
        assert after["stall_ms"] < STALL_MS


@both
def test_a_short_silence_breaks_no_packet(python: str, link: Proxy, watcher: Watcher) -> None:
    """A large message held back half-way through, and what others have to write meanwhile, arrive whole."""
    topic = f"held/{python}"
    with client(python, link.port, heap="32m", big=BIG, keepalive_s=4, subscribe=[["to/#", 1]]) as driver:
        driver.expect("up")
        watcher.do("together", topic=topic, count=3, qos=0, in_ms=300)
        driver.expect("soon")
        link.silence(down=False)
        for number in range(10):  # each will want a PUBACK
            watcher.send("to/x", str(number))
        driver.expect("heard")
        time.sleep(1)
        link.mend()
        after = driver.expect("together")
        assert after["sent"] == [True] * 3
        assert after["took_ms"] > 500  # it was held up
        watcher.do("publish", topic=topic, text="4", retain=False, qos=1)
        assert driver.expect("published")["good"] is True
        assert "down" not in "".join(driver.said)
    watcher.wait_for(topic, 4)
    assert watcher.numbers(topic) == [1, 2, 3, 4]
    assert [len(payload.split()[1]) for payload in watcher.on(topic)[:3]] == [BIG, 300, 300]


@both
def test_cancelled_senders_leave_no_half_packet(
    python: str, broker: Broker, link: Proxy, watcher: Watcher
) -> None:
    with client(python, link.port, heap="32m", big=BIG, keepalive_s=4) as driver:
        driver.expect("up")
        watcher.do("cancel", in_ms=300)
        driver.expect("soon")
        link.silence()
        after = driver.expect("cancelled")
        assert (after["up"], after["waiting"]) == (False, 0)
        assert "cut off" in after["reason"]
        link.mend()
        driver.expect("up")
        watcher.do("publish", topic="x", text="1", retain=False, qos=1)
        assert driver.expect("published")["good"] is True


@both
def test_resets(python: str, broker: Broker, link: Proxy, watcher: Watcher) -> None:
    """Three resets: delivered in order all the same, and subscribed again each time."""
    topic = f"reset/{python}"
    with client(
        python,
        link.port,
        keepalive_s=5,
        subscribe=[["in/#", 1]],
        deliver=delivery(400, 5, topic),
        constants={"WAIT_MS": 100},
    ) as driver:
        driver.expect("up")
        for done in (50, 100, 150):
            watcher.wait_for(topic, done)
            link.reset()
            driver.expect("down")
            driver.expect("up")
            watcher.send("in/x", str(done))
            assert driver.expect("heard", topic="in/x")["text"] == str(done)
        assert_nothing_lost(driver, watcher, topic, 400)


def test_single_bytes_and_delay(broker: Broker, watcher: Watcher) -> None:
    """Every byte by itself; and everything 2 s late each way, 4 s for an answer. The link is kept.

    Where answers take long, no more is on its way than the window and lwIP's small memory allow.
    """
    rows = {"bytes": (33, 40), "late": (33, 40), "heavy": (18, 400)}  # messages, bytes of padding
    with contextlib.ExitStack() as stack:
        drivers = []
        wish: dict[str, Any]
        for python in PYTHONS:
            for name, (count, padding) in rows.items():
                link = stack.enter_context(proxy(broker.host, broker.port))
                topic = f"{name}/{python}"
                work = delivery(count, 10, topic, padding)
                wish = {
                    "id": f"{name}-{python}",
                    "keepalive_s": 6,
                    "subscribe": [["to/#", 1]],
                    "deliver": work,
                }
                driver = stack.enter_context(client(python, link.port, **wish))
                driver.expect("up")
                if name == "bytes":
                    link.byte_by_byte()
                else:
                    link.delay(2)
                drivers.append((driver, topic, count))
        watcher.send("to/x", "y" * 1000)
        for driver, topic, count in drivers:
            assert driver.expect("heard", topic="to/x")["size"] == 1000
            end = assert_nothing_lost(driver, watcher, topic, count)
            assert end["most_messages"] <= 16
            assert end["most_bytes"] <= 4096 + 500
            assert "down" not in "".join(driver.said), driver.told()


@both
def test_the_broker_is_killed_and_comes_back(python: str, tmp_path: Path) -> None:
    with mosquitto(tmp_path) as mortal, client(python, mortal.port, constants={"WAIT_MS": 100}) as driver:
        driver.expect("up")
        mortal.kill()
        killed_s = time.monotonic()
        down = driver.expect("down")
        assert "closed" in down["reason"]
        assert down["at_s"] - killed_s < 1
        assert "nothing listens" in driver.expect("down")["reason"]
        mortal.start()
        driver.expect("up")


def test_board_sockets_that_forget_their_timeout(broker: Broker, link: Proxy, tmp_path: Path) -> None:
    """On rp2 and esp32 a time-out is gone after the first non-blocking call. Our client never has one."""
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "socket.py").write_text(FORGETFUL_SOCKET)
    naive = tmp_path / "naive.py"
    naive.write_text(NAIVE_CLIENT)
    link_to = ("micropython", str(naive), str(link.port))
    with (
        started(*link_to, "naive1") as with_timeout,
        started(*link_to, "naive2", path=(shim,)) as without,
    ):
        for driver in (with_timeout, without):
            driver.expect("up")
        with client(
            "micropython", link.port, path=(shim,), keepalive_s=2, deliver=delivery(10000, 10, "x")
        ) as ours:
            ours.expect("up")
            link.silence()
            silent_s = time.monotonic()
            for driver in (with_timeout, without):
                driver.tell("go")
            assert with_timeout.expect("over")["error"] == 110  # ETIMEDOUT: what a test on unix alone sees
            down = ours.expect("down")
            assert down["at_s"] - silent_s < 1.5 * 2
            assert down["stall_ms"] < STALL_MS
            with pytest.raises(AssertionError, match="no 'over'"):  # the yardstick: it hangs, as on a board
                without.expect("over", within_s=2)


FORGETFUL_SOCKET = """
import io, select
from usocket import *
import usocket

class socket(io.IOBase):
    def __init__(self, *args):
        self.real = usocket.socket(*args)
        self.forgets = False
    def settimeout(self, seconds):
        if self.forgets and seconds != 0:
            seconds = None
        self.real.settimeout(seconds)
    def setblocking(self, flag):
        self.forgets = True
        self.real.settimeout(None if flag else 0)
    def ioctl(self, request, flags):
        if request != 3:  # poll; above all it has no file number that would get round this
            return -22
        self.forgets = True
        poller = select.poll()
        poller.register(self.real, flags)
        ready = poller.poll(0)
        return ready[0][1] if ready else 0
    def __getattr__(self, name):
        return getattr(self.real, name)
    def connect(self, address): return self.real.connect(address)
    def setsockopt(self, *args): return self.real.setsockopt(*args)
    def read(self, size): return self.real.read(size)
    def readinto(self, room): return self.real.readinto(room)
    def write(self, data): return self.real.write(data)
    def close(self): return self.real.close()
"""

# What clients do that trust a socket's time-out: look for messages without blocking, then publish and wait.
NAIVE_CLIENT = """
import json, socket, sys
sock = socket.socket()
sock.settimeout(1)
sock.connect(socket.getaddrinfo("127.0.0.1", int(sys.argv[1]))[0][-1])
sock.write(b"\\x10\\x12\\x00\\x04MQTT\\x04\\x02\\x00\\x14\\x00\\x06" + sys.argv[2].encode())
sock.read(4)
print(json.dumps({"event": "up"}))
sys.stdin.readline()
if hasattr(sock, "forgets"):
    sock.setblocking(False)
    sock.read(1)
    sock.setblocking(True)
    sock.settimeout(1)
sock.write(b"\\x32\\x06\\x00\\x01x\\x00\\x01y")
try:
    sock.read(4)
    print(json.dumps({"event": "over", "error": 0}))
except OSError as error:
    print(json.dumps({"event": "over", "error": error.errno}))
"""


# The beginning and the end.


def test_the_first_connect_is_tried_again(tmp_path: Path) -> None:
    """With waits that grow and are never the same, until the broker is there."""
    port = free_port()
    waits = {"WAIT_MS": 200, "WAIT_MOST_MS": 800}
    gaps = []
    with (
        client("cpython", port, constants=waits) as one,
        client("micropython", port, constants=waits) as other,
    ):
        for driver in (one, other):
            downs = [driver.expect("down") for _ in range(5)]
            assert "nothing listens there" in downs[0]["reason"]
            gaps.append([after["at_s"] - before["at_s"] for before, after in itertools.pairwise(downs)])
            for gap, low, high in zip(gaps[-1], (0.1, 0.2, 0.4, 0.4), (0.2, 0.4, 0.8, 0.8), strict=True):
                assert low <= gap < high + 0.15
        assert len({round(gap, 2) for row in gaps for gap in row}) > 4  # never all at once
        broker = Broker(tmp_path, port, ["allow_anonymous true"])
        broker.start()
        try:
            for driver in (one, other):
                driver.expect("up")
        finally:
            broker.kill()


@both
@pytest.mark.parametrize("silent_in", ["connect", "hello"])
def test_a_connect_without_an_answer_ends_in_time(python: str, silent_in: str) -> None:
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind((HOST, 0))
        listener.listen(0)
        address = listener.getsockname()
        if silent_in == "connect":  # its queue is full: the kernel answers no more
            for _ in range(2):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(address)
        with client(python, address[1], constants={"CONNECT_MS": 700}) as driver:
            down = driver.expect("down")
            assert "no answer in time" in down["reason"]
            assert down["after_ms"] < 1500  # by its own clock, less what the machine took from it
            assert down["stall_ms"] < STALL_MS


@both
def test_what_is_not_a_broker_is_told(python: str) -> None:
    answers = (
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xd0\xff\xff\xff\xff\x7f",
        b"\x20\x02\x00\x00\x35\x02\x00\x00",
    )
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(5)
        with client(python, listener.getsockname()[1], constants={"WAIT_MS": 20}) as driver:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)
                    reason = driver.expect("down")["reason"]
                    assert "does not speak MQTT" in reason or "not asked for" in reason


@both
def test_a_broker_that_pings_but_acknowledges_nothing_is_left(python: str) -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(5)
        listener.settimeout(5)
        with client(python, listener.getsockname()[1], keepalive_s=1, deliver=delivery(1, 0, "x")) as driver:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(1000)[0] == 0x10
                connection.sendall(b"\x20\x02\0\0")
                end_s = time.monotonic() + 4
                while time.monotonic() < end_s and (data := connection.recv(1000)):
                    if b"\xc0\0" in data:
                        connection.sendall(b"\xd0\0")
                assert "not acknowledged" in driver.expect("down", within_s=1)["reason"]


@both
def test_whatever_a_broker_sends_the_client_goes_on(python: str) -> None:
    """Random bytes after a proper beginning: it comes back each time."""
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(5)
        listener.settimeout(5)
        waits = {"WAIT_MS": 4, "WAIT_MOST_MS": 4}
        with client(python, listener.getsockname()[1], subscribe=[["#", 1]], constants=waits) as driver:
            for _ in range(40):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    kind = chance.choice((0x20, 0x30, 0x31, 0x32, 0x34, 0x40, 0x90, 0xD0, 0xF0))
                    size = chance.randrange(12)
                    body = chance.randbytes(chance.choice((size, size, size + 3)))
                    connection.sendall(b"\x20\x02\0\0" + bytes((kind, size)) + body)
            driver.expect("down")
            assert "Traceback" not in driver.told()
            driver.kill()
            assert "ended" not in driver.told()


@both
def test_refusals_in_words(python: str, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.touch(0o600)
    subprocess.run(["mosquitto_passwd", "-b", passwords, "pico-a", "right"], check=True)
    lines = ("allow_anonymous false", f"password_file {passwords}")
    with mosquitto(tmp_path, lines) as closed:
        with client(python, closed.port, user="pico-a", password="wrong") as driver:
            assert driver.expect("down")["reason"] == "the broker refused the user or password of 'pico-a'"
        with client(python, closed.port, user="pico-a", password="right") as driver:
            driver.expect("up")


@both
def test_refused_topics_are_kept_by_name(python: str, tmp_path: Path) -> None:
    """mosquitto's own rules let every subscription pass, so its dynamic security has to refuse one."""
    role = {
        "rolename": "r",
        "acls": [
            {"acltype": kind, "topic": "do", "allow": True}
            for kind in ("subscribeLiteral", "publishClientSend", "publishClientReceive")
        ],
    }
    access = {
        kind: kind != "subscribe"
        for kind in ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")
    }
    rules = {
        "defaultACLAccess": access,
        "roles": [role],
        "clients": [],
        "anonymousGroup": "all",
        "groups": [{"groupname": "all", "roles": [{"rolename": "r"}]}],
    }
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    lines = (
        "allow_anonymous true",
        f"plugin {dynamic_security()}",
        f"plugin_opt_config_file {tmp_path}/rules.json",
    )
    with (
        mosquitto(tmp_path, lines) as strict,
        watching(strict) as watcher,
        client(python, strict.port, subscribe=[["secret/#", 1]]) as driver,
    ):
        driver.expect("up")
        watcher.do("look")
        assert driver.expect("look")["refused"] == ["secret/#"]


def dynamic_security() -> Path:
    """Debian's place for mosquitto's plugin."""
    return next(Path("/usr/lib").rglob("mosquitto_dynamic_security.so"))


@both
def test_the_will_is_sent_after_an_abort_and_not_after_a_goodbye(
    python: str, broker: Broker, watcher: Watcher
) -> None:
    topic = f"gone/{python}"
    with client(python, broker.port, will=[topic, "lost", False, 1], constants={"WAIT_MS": 50}) as driver:
        driver.expect("up")
        watcher.do("abort")
        assert driver.expect("aborted")["up"] is False
        driver.expect("up")
        wait_for(lambda: watcher.on(topic) == [b"lost"], "the will")
        watcher.do("close")
        assert driver.expect("closed")["took_ms"] < 500
        driver.expect("ended")
        watcher.send("fence", "1")
        assert watcher.on(topic) == [b"lost"]
    assert f"DISCONNECT from board-{python}".encode() in broker.log.read_bytes()


@both
def test_a_goodbye_on_a_dead_link_has_an_end(
    python: str, broker: Broker, link: Proxy, watcher: Watcher
) -> None:
    with client(python, link.port, keepalive_s=10, constants={"CLOSE_MS": 500}) as driver:
        driver.expect("up")
        watcher.do("close", in_ms=300)
        driver.expect("soon")
        link.silence()
        assert driver.expect("closed", within_s=3)["took_ms"] < 700
        assert driver.expect("ended")["stall_ms"] < STALL_MS


# TLS.


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Broker, Path]]:
    """A mosquitto that is `broker.test` by the word of ca.pem; other.pem has signed nothing."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ca", "other"):
        authority(folder, name)
    certificate(folder, "broker", "ca", "DNS:broker.test")
    openssl(folder, "x509", "-in", "ca.pem", "-outform", "der", "-out", "ca.der")
    lines = ("allow_anonymous true", f"certfile {folder}/broker.pem", f"keyfile {folder}/broker.key")
    with mosquitto(folder, lines) as broker:
        yield broker, folder


@both
@pytest.mark.parametrize("authority", ["ca.pem", "ca.der"])
def test_tls(python: str, authority: str, tls_broker: tuple[Broker, Path]) -> None:
    broker, folder = tls_broker
    tls = {"ca": str(folder / authority), "name": "broker.test"}
    numbers = delivery(60, 5, "x", padding=100)
    with (
        proxy(broker.host, broker.port) as link,
        client(python, link.port, tls=tls, keepalive_s=1, deliver=numbers) as driver,
    ):
        driver.expect("up")
        assert driver.expect("delivered")["stall_ms"] < STALL_MS  # a handshake reckons in one piece
        link.silence()
        silent_s = time.monotonic()
        assert driver.expect("down")["at_s"] - silent_s < 1.5


@both
@pytest.mark.parametrize(("authority", "name"), [("ca.pem", "another.test"), ("other.pem", "broker.test")])
def test_tls_refuses_the_wrong_broker(
    python: str, authority: str, name: str, tls_broker: tuple[Broker, Path]
) -> None:
    broker, folder = tls_broker
    with client(
        python, broker.port, tls={"ca": str(folder / authority), "name": name}, constants={"WAIT_MS": 20}
    ) as driver:
        for _ in range(2):
            assert "certificate is refused" in driver.expect("down")["reason"]
        assert '"up"' not in "".join(driver.said)


@both
def test_tls_to_a_broker_without(python: str, broker: Broker, tls_broker: tuple[Broker, Path]) -> None:
    tls = {"ca": str(tls_broker[1] / "ca.pem"), "name": "broker.test"}
    with client(python, broker.port, tls=tls) as driver:
        driver.expect("down")
        assert '"up"' not in "".join(driver.said)


# Memory.


def test_memory_of_an_idle_client(broker: Broker) -> None:
    """Bytes of MicroPython's heap; 64-bit objects cost about twice a board's."""
    out = run("micropython", "-c", MEMORY, str(broker.port), heap="128k")
    figures = json.loads(out.splitlines()[-1])
    print(figures)
    assert figures["import"] < 30_000
    assert figures["connected"] < 6_000
    assert abs(figures["after_1000"]) < 1_000


MEMORY = """
import asyncio, gc, json, sys
from firmware.clock import sleep_ms
gc.collect(); before = gc.mem_alloc()
from firmware import mqtt
gc.collect(); imported = gc.mem_alloc()
async def main():
    client = mqtt.Client("127.0.0.1", int(sys.argv[1]), "memory", on_message=lambda *_: None)
    client.subscribe("memory", 1)
    asyncio.create_task(client.run())
    while not client.up:
        await sleep_ms(10)
    await client.send("memory", b"1", False, 1)
    while client._unacked:
        await sleep_ms(10)
    gc.collect(); connected = gc.mem_alloc()
    for n in range(1000):
        await client.send("memory", b"%d" % n, False, 1)
    await client.send("memory", b"1", False, 1)
    while client._unacked:
        await sleep_ms(10)
    await sleep_ms(100)
    gc.collect()
    print(json.dumps({"import": imported - before, "connected": connected - imported,
                      "after_1000": gc.mem_alloc() - connected}))
asyncio.run(main())
"""
