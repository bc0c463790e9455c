"""A board that floods: it is not listened to, everybody is told which it is, and what others said is not lost."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

import floorplan
from firmware import contract
from gateway import presence
from gateway.floods import AGAIN_S, AT_ONCE, PER_S, QUIET_S, Floods
from gateway.service import Gateway
from tests.brokers import free_port, mosquitto

DESKS = 30
FLOOD = 20_000  # messages
HEALTH = {
    "boot": "b1", "heap_free": None, "wifi_dbm": None, "uptime_s": 1, "reconnects": 0, "lag_ms": 0,
    "poll_us": None, "read_us": None, "dropped": 0,
}  # fmt: skip


class Counted:
    """Floods, and the time it is told."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.floods = Floods(self.now_s)

    def says(self, per_s: int, seconds: float, board: str = "x") -> tuple[list[str], list[str], int]:
        """What all looks of so long found: floods begun and ended, and how often all are to be asked again."""
        begun: list[str] = []
        ended: list[str] = []
        asked = 0
        for _ in range(int(seconds * 2)):
            for _ in range(per_s // 2):
                self.floods.hear(board)
            self.now_s += 0.5
            change = self.floods.look(self.now_s)
            begun, ended, asked = begun + change.begun, ended + change.ended, asked + change.ask
        return begun, ended, asked


def test_what_a_board_has_kept_while_its_link_was_away_is_no_flood() -> None:
    counted = Counted()
    assert counted.says(AT_ONCE, 1) == ([], [], 0)
    assert counted.says(PER_S, 60, "y") == ([], [], 0), "nor is what it may say for ever"
    assert counted.floods.hear("x") and counted.floods.hear("y")


def test_a_flood_ends_when_it_is_none_for_a_while_and_all_are_asked_seldom() -> None:
    counted = Counted()
    assert counted.says(3 * PER_S, 60) == (["x"], [], 0), "it begins once"
    assert not counted.floods.hear("x") and counted.floods.hear("y")
    assert counted.says(0, QUIET_S - 0.5) == ([], [], 0)
    assert counted.says(0, 1) == ([], ["x"], 1)
    assert counted.floods.hear("x")
    begun: list[str] = []
    ended: list[str] = []
    asked = 0
    for _ in range(20):
        more = counted.says(30 * PER_S, 0.5)[0], *counted.says(0, QUIET_S + 1)[1:]
        begun, ended, asked = begun + more[0], ended + more[1], asked + more[2]
    assert len(begun) == len(ended) == 20, "who comes back is no stranger"
    assert asked <= 20 * (QUIET_S + 1.5) / AGAIN_S + 1


def test_a_million_names_are_not_kept() -> None:
    counted = Counted()
    for number in range(100_000):
        counted.floods.hear(f"n{number}")
    assert len(counted.floods._counts) <= 1000


class Board:
    """A board's words, from a client of ours: an input for each desk."""

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self.seq = 0
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, name)
        self.paho.max_queued_messages_set(0)
        self.paho.connect("127.0.0.1", port)
        self.paho.loop_start()
        self.say("board/+/hello", boot="b1", definition="d", firmware="f", python="p", inputs="", panels="",
                 health_s=10, restart="")  # fmt: skip
        self.say("board/+/state", state="ready", boot="b1")

    def say(self, pattern: str, *ids: object, **fields: Any) -> None:
        row = contract.BY_TOPIC[pattern]
        topic = contract.topic("house", pattern, self.name, *ids)
        self.paho.publish(topic, contract.encode(pattern, fields), row.qos, row.retained)

    def phones(self, state: str) -> None:
        for number in range(DESKS):
            self.seq += 1
            self.say(
                "board/+/input/+/phone", number, state=state, seq=self.seq, boot="b1", age_ms=0, why=None
            )

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


def flood(port: int, name: str) -> None:
    """One connection that says a byte of health, as fast as the broker takes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        client = b"\0\4MQTT\4\2\0\x3c" + len(name).to_bytes(2, "big") + name.encode()
        sock.sendall(bytes([0x10, len(client)]) + client)
        assert sock.recv(4)[3:] == b"\0"
        topic = contract.topic("house", "board/+/health", name).encode()
        packet = bytes([0x30, 3 + len(topic)]) + len(topic).to_bytes(2, "big") + topic + b"x"
        for _ in range(FLOOD // 500):
            sock.sendall(packet * 500)


def test_a_board_that_floods_is_named_and_what_others_said_meanwhile_is_not_lost(
    tmp_path: Path, caplog: Any
) -> None:
    """A broker that keeps few messages for us: it throws away what comes while the flood fills the line."""
    settings = ("allow_anonymous true", "max_queued_messages 150")

    async def main() -> None:
        with mosquitto(tmp_path, settings) as broker:
            plan = floorplan.check({
                "site": {"id": "house"},
                "broker": {"host": broker.host, "port": broker.port},
                "desk": [{"id": f"d{number}"} for number in range(DESKS)],
                "board": [
                    {"id": "thief"},
                    {"id": "good", "inputs": [
                        {"desk": f"d{number}", "phone": {"by": "contact", "pin": f"GP{number}"}}
                        for number in range(DESKS)
                    ]},
                ],
            }, "test", tmp_path)  # fmt: skip
            gateway = Gateway(plan)
            running = asyncio.create_task(gateway.run("127.0.0.1", free_port()))
            good = Board(broker.port, "good")

            async def until(what: str, holds: Callable[[], object], within_s: float = 15) -> None:
                end_s = time.monotonic() + within_s
                while not holds():
                    assert not running.done(), running
                    assert time.monotonic() < end_s, f"not within {within_s:g} s: {what}"
                    await asyncio.sleep(0.02)

            def states() -> set[str]:
                return {
                    str(gateway.news.said.get(f"desk/d{number}", {}).get("phone")) for number in range(DESKS)
                }

            def is_there() -> bool:
                good.say("board/+/health", **HEALTH)
                return bool(gateway.news.said.get("board/good", {}).get("state") == "ready")

            try:
                await until("good is there", is_there)
                good.phones("idle")
                await until("its phones are heard", lambda: states() == {"idle"})
                thief = threading.Thread(target=flood, args=(broker.port, "thief"))
                thief.start()
                await until("it is named", lambda: "floods" in gateway.news.said["board/thief"]["reason"])
                assert "`callfloor board revoke thief`" in gateway.news.said["board/thief"]["reason"]
                assert gateway.news.said["board/thief"]["state"] == "lost"
                for _ in range(10):
                    good.phones("ringing")
                good.phones("talking")
                await asyncio.to_thread(thief.join)
                await until("nothing is lost", lambda: states() == {"talking"})
                await until("it is over", lambda: "floods" not in gateway.news.said["board/thief"]["reason"])
                await until("good is there", is_there)
            finally:
                good.close()
                signal.raise_signal(signal.SIGTERM)
                await running

    asyncio.run(main())
    said = [record.getMessage() for record in caplog.records if "floods" in record.getMessage()]
    assert said == [
        "board 'thief' floods: `callfloor board revoke thief` shuts it out",
        "board 'thief' floods no more",
    ]


def test_a_board_chooses_its_topics_and_not_how_much_is_logged(tmp_path: Path, caplog: Any) -> None:
    plan = floorplan.check({"site": {"id": "house"}, "board": [{"id": "x"}]}, "test", tmp_path)

    async def main() -> None:
        gateway = Gateway(plan)
        for number in range(3000):
            for board in ("x", f"nobody-{number}"):
                gateway._hear(f"callfloor/1/house/board/{board}/input/{number}/phone", b"rubbish", False)
            gateway._hear(f"callfloor/1/house/source/s{number}/queue/q", b"rubbish", False)
        assert gateway.floor.refused == 9000
        assert gateway.book.store
        gateway.book.store.close()

    asyncio.run(main())
    assert len([record for record in caplog.records if "refused" in record.getMessage()]) == 2


def test_a_promise_of_an_hour_is_not_waited_for() -> None:
    """Who takes a board away may have it promise what they like."""
    board = presence.Board("x", hello={"boot": "b1", "health_s": 3600}, heard_s=100.0)
    assert board.presence(100.0 + 2 * contract.HEALTH_S) == ("ready", "")
    assert board.presence(100.1 + 2 * contract.HEALTH_S)[0] == "lost"


def test_a_boards_words_do_nothing_at_a_terminal_and_on_the_page(tmp_path: Path) -> None:
    plan = floorplan.check({"site": {"id": "house"}, "board": [{"id": "x"}]}, "test", tmp_path)
    evil = "\x9b2J\u202egnp.exe"
    fields = {"boot": "b1", "definition": evil, "firmware": "f", "python": evil, "inputs": "", "panels": "",
              "health_s": 10, "restart": evil}  # fmt: skip

    async def main() -> None:
        gateway = Gateway(plan)
        gateway._hear("callfloor/1/house/board/x/hello", json.dumps(fields).encode(), False)
        gateway._say_changes()
        assert gateway.floor.boards["x"].hello["restart"] == "\\x9b2J\\u202egnp.exe"
        said = gateway.news.said["board/x"]
        assert said["python"] == said["definition"] == "\\x9b2J\\u202egnp.exe"
        assert gateway.book.store
        gateway.book.store.close()

    asyncio.run(main())
