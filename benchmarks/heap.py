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

from benchmarks import eight, tls
from benchmarks.__main__ import Figure, at_least
from firmware import contract
from simulator import board as simulated
from tests.house import Ear, House
from tests.proxy import Proxy, proxy
from wallboard import numbers

HEAP = 128 * 1024
CALLS_OF_EIGHT = 6  # at each of eight desks
CALLS = 30  # an hour of one busy desk: a ring, a conversation and a handset back on its hook each
VALUES = 2000  # an hour of changes of eight queues, at one every 1.8 s
BEATS = 3600 // contract.BEAT_S
Desk = tuple[str, ...]
HOOK, RING, LAMP = 0, 1, 2
FOUR: list[Desk] = [
    tuple(f"GP{2 + 4 * desk + pin}" for pin in range(4)) for desk in range(4)
]  # the fourth: its dock
TURN_S = (
    1.3  # a lamp is on for a call by then, and a hook or a cradle that moves more often is taken for broken
)
TOO_MANY = 6  # so many more than an outbox holds: it is full when as many have dropped out
HEALTH_S = 3  # every board here has said how it is by then: twice a keepalive of 4 s


def heap(folder: Path) -> Iterator[Figure]:
    """Free heap, in per cent of 128 KB: a desk board, the same without its broker, a wall board; and of eight desks."""
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
        _live_desk_hours(house, ear, FOUR, CALLS)
        yield at_least("free heap, board of 4 desks", _free(house, ear, "row-a"), "%", 40, yardstick)
        full = _free_with_full_outboxes(house, ear, link)
        yield at_least("free heap, the same, link down, outboxes full", full, "%", 40, yardstick)
        house.wait("the wall is fresh", lambda: house.now("wall/south").get("fresh"), 20)
        house.stop("gateway")
        _live_a_wall_hour(house, ear)
        yield at_least(
            "free heap, board of a 128x64 wall", _free(house, ear, "wall-south"), "%", 35, yardstick
        )
        ear.close()
    (folder / "eight").mkdir()
    with House(folder / "eight", eight.eight_desks) as house, proxy(house.broker.host, house.broker.port) as link:
        ear = Ear(house.broker)
        tls.start_board(house, "row-a", eight.HEAP, link.port)
        house.start_gateway()
        house.wait("it is heard", lambda: house.now("board/row-a").get("state") == "ready", 30)
        _live_desk_hours(house, ear, eight.DESKS, CALLS_OF_EIGHT)
        without = (_free(house, ear, "row-a") * HEAP / 100 + tls.HELD) / (192 * 1024) * 100
        beside = f"192 KB, which stand for the 200 KB that a Pico W has free; {yardstick}"
        yield at_least("free heap, board of 8 desks, in 192 KB", without, "%", 40, beside)
        for turn in range(tls.TURNS):  # the pieces that TLS needs have to be there again each time
            first = len(ear.heard)
            link.reset()
            house.wait(f"it is back, {turn + 1}", lambda first=first: any(  # type: ignore[misc]
                topic == "board/row-a/hello" for topic, _, _ in ear.heard[first:]
            ), 30)  # fmt: skip
        free = _free(house, ear, "row-a") * HEAP / (192 * 1024)
        beside = f"{tls.HELD} bytes in two pieces, and {tls.SHAKEN} in small ones for each of {tls.TURNS} handshakes"
        yield at_least("free heap, the same with the buffers of a chip's TLS in it", free, "%", 30, beside)
        ear.close()


def _bare(program: str) -> int:
    command = simulated.command(Path("unused"), "128k")[:3]
    return int(subprocess.run([*command, "-c", program], capture_output=True, check=True, text=True).stdout)


def _live_desk_hours(house: House, ear: Ear, desks: list[Desk], calls: int) -> None:
    """So many calls at every desk, at all of them at once."""
    first = len(ear.heard)

    def set_all(level: int, *numbers: int) -> None:
        for desk in desks:
            for number in numbers:
                house.pin("row-a", desk[number], level)

    for _ in range(calls):
        set_all(0, RING)
        time.sleep(0.1)
        set_all(1, RING)
        set_all(0, HOOK, LAMP)
        time.sleep(TURN_S)
        set_all(1, HOOK, LAMP)
        time.sleep(TURN_S)
    readings = [topic for topic, _, _ in ear.heard[first:] if topic.startswith("board/row-a/input/")]
    assert len(readings) >= len(desks) * calls * 3, len(readings)


def _free_with_full_outboxes(house: House, ear: Ear, link: Proxy) -> float:
    """The free heap, in per cent, while nothing is delivered and each of four inputs has 64 readings waiting.

    It is told once the link is back, before the first of those readings.
    """
    link.silence()
    link.reset()  # what comes after this comes nowhere
    first = len(ear.heard)
    for turn in range((contract.OUTBOX_READINGS + TOO_MANY) // 2 + 1):
        for hook, _, _, dock in FOUR:
            house.pin("row-a", hook, turn % 2)
            house.pin("row-a", dock, turn % 2)
        time.sleep(TURN_S)
    time.sleep(HEALTH_S)
    link.mend()
    found: list[dict[str, Any]] = []

    def told() -> bool:
        """Of all that the board says from here on, what it says of its health before any reading."""
        for topic, fields, _ in list(ear.heard)[first:]:
            assert not topic.startswith("board/row-a/input/"), "a reading came first"
            if topic == "board/row-a/health" and fields["dropped"] >= TOO_MANY * len(FOUR):
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
    of = numbers.of(numbers.order(house.plan))

    def say(pattern: str, fields: dict[str, Any]) -> None:
        message = contract.BY_TOPIC[pattern]
        topic = contract.topic(site, pattern)
        client.publish(topic, contract.encode(pattern, fields), message.qos, message.retained)

    say("gateway/state", {"state": "ready", "boot": "bench"})
    for seq in range(1, VALUES + 1):
        words = numbers.words(seq, [(value, 0) for value in (seq % 14, seq % 90, seq % 9) * 2])
        say("values", {"boot": "bench", "of": of, "seq": seq, "n": words})
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
