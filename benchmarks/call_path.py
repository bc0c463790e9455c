"""From the hook's edge at a pin to the wall's pixels: board, broker, gateway, broker, board, picture.

All on one machine, eight desks, debounce included. The picture is the file that the wall's board
writes; it is looked at every millisecond. The yardstick is the least that any such path needs:
the debounce and two messages over the same broker, with nothing in between.
"""

from __future__ import annotations

import os
import random
import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.__main__ import Figure, at_most
from firmware.phone import LIFT_MS
from tests.house import House

LIFTS = 200
LOST_S = 3.0


def call_path(folder: Path) -> Iterator[Figure]:
    """Median and 99th percentile of LIFTS lifted handsets, in ms."""
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    with House(folder) as house:
        house.start_all()
        house.wait("all desks are free", lambda: house.now("floor").get("free") == 8, 20)
        house.wait("the wall is fresh", lambda: house.now("wall/south").get("fresh"), 20)
        bare_ms = _bare_messages(house)
        taken_ms = sorted(_lift(house, dice) for _ in range(LIFTS))
    p50, p99 = statistics.median(taken_ms), taken_ms[int(len(taken_ms) * 0.99) - 1]
    yardstick = f"debounce {LIFT_MS} ms + two bare messages {bare_ms:.1f} ms; seed {seed}"
    yield at_most("hook edge to wall, p50", p50, "ms", 60, yardstick)
    yield at_most("hook edge to wall, p99", p99, "ms", 150, yardstick)


def _lift(house: House, dice: random.Random) -> float:
    """Lifts one handset and puts it back; ms until the wall's picture changed."""
    board, pin = dice.choice(
        [(row, f"GP{2 + 4 * place}") for row in ("row-a", "row-b") for place in range(4)]
    )
    path = next(wall.panel.path for wall in house.plan.wall if wall.id == "south")
    assert path
    before = os.stat(path).st_ino  # every picture is a new file, put in the old one's place
    started = time.perf_counter()
    house.pin(board, pin, 0)
    while os.stat(path).st_ino == before:
        if time.perf_counter() - started > LOST_S:
            raise AssertionError(f"no picture within {LOST_S} s of {board} {pin}\n{house.last_words()}")
        time.sleep(0.001)
    taken_ms = (time.perf_counter() - started) * 1000
    house.pin(board, pin, 1)
    house.wait("all desks are free", lambda: house.now("floor").get("free") == 8, 10)
    time.sleep(dice.uniform(0.05, 0.3))  # not in step with anybody's clock
    return taken_ms


def _at_once(client: object, user: object, sock: Any) -> None:
    """Without this a message waits for the answer to the one before it, up to 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _bare_messages(house: House, rounds: int = 50) -> float:
    """Median ms of two messages, one after the other, over the same broker."""
    there: list[float] = []
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda *_: there.append(time.perf_counter())
    client.on_socket_open = _at_once
    client.connect(house.broker.host, house.broker.port)
    client.subscribe("bench/bare", 1)
    client.loop_start()
    taken: list[float] = []
    for number in range(rounds):
        started = time.perf_counter()
        client.publish("bench/bare", b"x" * 100, 1)
        while len(there) <= number and time.perf_counter() - started < LOST_S:
            time.sleep(0.0005)
        taken.append((there[number] - started) * 1000)
    client.disconnect()
    client.loop_stop()
    return 2 * statistics.median(taken)
