"""How much memory a board has left after an hour's worth of events, lived faster, and with nothing delivered.

Real boards in `-X heapsize=128k` on the real interpreter, a real broker; `heap_free` is the board's
own figure, after collecting, from its `health`. 64-bit objects take about twice a chip's room.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.__main__ import Figure, at_least
from firmware import contract
from simulator import board as simulated
from tests.house import Ear, House
from tests.proxy import Proxy, proxy

HEAP = 128 * 1024
CALLS = 30  # an hour of one busy desk: a ring, a conversation and a handset back on its hook each
VALUES = 2000  # an hour of changes of eight queues, at one every 1.8 s
BEATS = 3600 // contract.BEAT_S
DOCKS = ("GP5", "GP9", "GP13", "GP17")  # the cradles of row-a's four desks
DOCK_S = 0.08  # a cradle's contact has settled by then
TOO_MANY = 6  # so many more than an outbox holds: it is full when as many have dropped out
HEALTH_S = 3  # every board here has said how it is by then: twice a keepalive of 4 s


def heap(folder: Path) -> Iterator[Figure]:
    """Free heap, in per cent of 128 KB, of a desk board, the same without its broker, and a wall board."""
    empty = _bare("import gc; gc.collect(); print(gc.mem_free())") / HEAP * 100
    yardstick = f"an interpreter with nothing in it: {empty:.0f} %"
    with House(folder) as house, proxy(house.broker.host, house.broker.port) as link:
        ear = Ear(house.broker)
        house.start_board("row-a", heap="128k", broker_port=link.port)
        house.start_board("wall-south", heap="128k")
        house.start_gateway()
        house.wait("both are heard", lambda: all(
            house.now(f"board/{name}").get("state") == "ready" for name in ("row-a", "wall-south")
        ), 30)  # fmt: skip
        _live_a_desk_hour(house, ear)
        yield at_least("free heap, board of 4 desks", _free(house, ear, "row-a"), "%", 40, yardstick)
        full = _free_with_full_outboxes(house, ear, link)
        yield at_least("free heap, the same, link down, outboxes full", full, "%", 40, yardstick)
        house.wait("the wall is fresh", lambda: house.now("wall/south").get("fresh"), 20)
        house.stop("gateway")
        _live_a_wall_hour(house, ear)
        yield at_least(
            "free heap, board of a 128x64 wall", _free(house, ear, "wall-south"), "%", 40, yardstick
        )
        ear.close()


def _bare(program: str) -> int:
    command = simulated.command(Path("unused"), "128k")[:3]
    return int(subprocess.run([*command, "-c", program], capture_output=True, check=True, text=True).stdout)


def _live_a_desk_hour(house: House, ear: Ear) -> None:
    """Thirty calls at each of four desks, one desk after the other."""

    def live(hook: str, ring: str, lamp: str) -> None:
        for _ in range(CALLS):
            house.pin("row-a", ring, 0)
            time.sleep(0.08)
            house.pin("row-a", ring, 1)
            house.pin("row-a", hook, 0)
            house.pin("row-a", lamp, 0)
            time.sleep(0.05)
            house.pin("row-a", hook, 1)
            house.pin("row-a", lamp, 1)
            time.sleep(0.3)

    first = len(ear.heard)
    for number in range(4):
        pins = [f"GP{2 + 4 * number + step}" for step in range(3)]
        live(*pins)
    readings = [topic for topic, _, _ in ear.heard[first:] if topic.startswith("board/row-a/input/")]
    assert len(readings) >= 4 * CALLS * 3, len(readings)


def _free_with_full_outboxes(house: House, ear: Ear, link: Proxy) -> float:
    """The free heap, in per cent, while nothing is delivered and each of four inputs has 64 readings waiting.

    It is told once the link is back, before the first of those readings.
    """
    link.silence()
    link.reset()  # what comes after this comes nowhere
    first = len(ear.heard)
    for turn in range(contract.OUTBOX_READINGS + TOO_MANY):
        for dock in DOCKS:
            house.pin("row-a", dock, turn % 2)
        time.sleep(DOCK_S)
    time.sleep(HEALTH_S)
    link.mend()
    found: list[dict[str, Any]] = []

    def told() -> bool:
        """Of all that the board says from here on, what it says of its health before any reading."""
        for topic, fields, _ in list(ear.heard)[first:]:
            assert not topic.startswith("board/row-a/input/"), "a reading came first"
            if topic == "board/row-a/health" and fields["dropped"] >= TOO_MANY * len(DOCKS):
                found.append(fields)
                return True
        return False

    house.wait("row-a is back", told, 30)
    free: int = found[0]["heap_free"]
    return free / HEAP * 100


def _live_a_wall_hour(house: House, ear: Ear) -> None:
    """Two thousand changes of values and an hour's beats, as a gateway would send them."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect(house.broker.host, house.broker.port)
    client.loop_start()
    site = house.plan.site.id

    def say(pattern: str, fields: dict[str, Any]) -> None:
        message = contract.BY_TOPIC[pattern]
        topic = contract.topic(site, pattern)
        client.publish(topic, contract.encode(pattern, fields), message.qos, message.retained)

    say("gateway/state", {"state": "ready", "boot": "bench"})
    for seq in range(1, VALUES + 1):
        numbers = {
            f"{queue}.{name}": value
            for queue in ("norsk", "polski")
            for name, value in (("waiting", seq % 14), ("since", seq - seq % 90), ("free", seq % 9))
        }
        say("values", {"boot": "bench", "seq": seq, "numbers": numbers})
        if seq % (VALUES // BEATS) == 0:
            say("beat", {"boot": "bench", "now_s": seq, "values_seq": seq})
        time.sleep(0.01)
    house.wait("the wall has drawn the last", lambda: ear.latest[
        "board/wall-south/panel/0/shown"
    ].get("values_seq") == VALUES, 30)  # fmt: skip
    client.disconnect()
    client.loop_stop()


def _free(house: House, ear: Ear, board: str) -> float:
    """The next free heap the board tells, in per cent."""
    topic = f"board/{board}/health"
    ear.latest.pop(topic, None)
    house.wait(f"{board} tells its health", lambda: topic in ear.latest, 30)
    free: int = ear.latest[topic]["heap_free"]
    return free / HEAP * 100
