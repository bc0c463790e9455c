"""Walls: how fast one draws, how much room it has left, how soon a value is on its lights, what a site of them costs.

A real board on the real interpreter, a real broker, a real gateway.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

import floorplan
from benchmarks.__main__ import Figure, at_least, at_most
from firmware import contract
from tests import pythons
from tests.brokers import Broker, mosquitto
from tests.house import Ear, House
from tests.walls import WallBoard
from wallboard import numbers
from wallboard.compile import compile

QUEUES = ["Norsk", "Svenska", "English", "Polski", "Română", "Lietuvių", "Русский", "العربية"]
HEAP = 128 * 1024
CHANGES = 500  # values that are published, one after the other
HOUR = 720  # changes of values and beats that a board lives through before its memory is counted
DRAWN = 2000  # pictures
WALLS = 200
TURNS = 600  # changes of a desk that a gateway passes on to the walls
GAP_S = 0.02  # between two of them, so that each is one of its own
LOST_S = 3.0

DRAW = """
import json, time
from firmware import scene, scene_load, values
with open(%r) as file:
    told = json.loads(file.read())
loaded = scene_load.load(told["scene"], 128, 64)
numbers = values.read(told["values"])
picture = scene.Picture(128, 64)
scene.draw(picture, loaded, numbers, 0, 0, None)
began = time.ticks_us()
for clock_ms in range(0, %d * 10, 10):
    scene.draw(picture, loaded, numbers, clock_ms, 0, None)
drawn_us = time.ticks_diff(time.ticks_us(), began)
began = time.ticks_us()
for _ in range(1000000):
    pass
print(drawn_us, time.ticks_diff(time.ticks_us(), began))
"""


def walls(folder: Path) -> Iterator[Figure]:
    """All of them, the cheap ones first."""
    plan = _plan(folder)
    told = {"scene": compile(plan.wall[0], plan).message, "values": _values(plan)}
    yield from _sizes(told)
    yield from _draws(folder, told)
    with mosquitto(folder) as broker:
        ear = Ear(broker)
        yield from _room(folder, broker, ear, told)
        yield from _soon(folder, broker, ear)
        ear.close()
    yield from _many(folder)


def _plan(folder: Path) -> floorplan.Plan:
    """A site of eight queues in eight languages on one wall of 128x64: two pages of four."""
    ids = [f"q{number}" for number in range(len(QUEUES))]
    tables: dict[str, Any] = {
        "site": {"id": "example"},
        "desk": [{"id": f"d{number}"} for number in range(30)],
        "queue": [{"id": name, "name": label, "pbx": name} for name, label in zip(ids, QUEUES, strict=True)],
        "board": [{"id": "wall"}],
        "wall": [{
            "id": "north", "board": "wall", "panel": {"kind": "memory", "size": [128, 64]},
            "pages": [{"queues": ids[:4]}, {"queues": ids[4:]}],
        }],
    }  # fmt: skip
    return floorplan.check(tables, "the benchmark's site", folder)


def _values(plan: floorplan.Plan) -> dict[str, Any]:
    """A busy hour in the gateway's first week: up to 35 callers and free desks, waits of minutes, two at a level."""
    order = numbers.order(plan)
    now = {"waiting": 12, "wait": 754, "free": 24}
    levels = {"q1.wait": 1, "q2.wait": 2}
    words = numbers.words(
        500_000, [(now[name.rpartition(".")[2]], levels.get(name, 0)) for name in order]
    )
    return {"boot": "01234567", "of": numbers.of(order), "seq": 20_000, "n": words}


def _sizes(told: dict[str, Any]) -> Iterator[Figure]:
    yardstick = f"numbers {len(told['values']['n'])} bytes of it"
    yield at_most(
        "values of eight queues", len(contract.encode("values", told["values"])), "bytes", 120, yardstick
    )
    scene = contract.encode("board/+/panel/+/scene", told["scene"])
    strips = sum(len(strip[2]) for strip in told["scene"]["strips"])
    beside = f"{len(told['scene']['pages'])} pages in eight languages; labels {strips} bytes of it"
    yield at_most("scene of two pages, 128x64", len(scene), "bytes", 2048, beside)


def _draws(folder: Path, told: dict[str, Any]) -> Iterator[Figure]:
    path = folder / "told.json"
    path.write_text(json.dumps(told))
    runs = []
    for _ in range(5):  # the least disturbed one
        said = pythons.run("micropython", "-c", DRAW % (str(path), DRAWN), heap="4m")
        runs.append([int(word) for word in said.split()])
    drawn_us, loop_us = min(runs)
    beside = f"a million turns of an empty loop: {loop_us / 1000:.0f} ms"
    yield at_most("128x64 page of 4 queues drawn", drawn_us / DRAWN, "us", 250, beside)


def _room(folder: Path, broker: Broker, ear: Ear, told: dict[str, Any]) -> Iterator[Figure]:
    """Free heap of the whole program with the scene drawn and kept, after changes and beats of a busy hour."""
    empty = _bare("128k")
    with WallBoard("micropython", folder, broker, ear, size=(128, 64), heap="128k", keep=True) as wall:
        wall.wait_ready()
        wall.say_scene(told["scene"])
        for turn in range(HOUR):
            wall.say_values(told["values"]["n"].split(" ", 1)[1], 100 + turn // 10, told["scene"]["of"])
            time.sleep(0.005)
        wall.wait("it is drawn", lambda: wall.shown.get("fresh") and wall.shown["values_seq"] == HOUR, 20)
        wall.wait("it is kept", (wall.keep / "scene-0").exists)
        free = []
        for _ in range(3):
            ear.latest.pop("board/wall/health", None)
            wall.say_values(told["values"]["n"].split(" ", 1)[1], 200, told["scene"]["of"])
            wall.wait("its health", lambda: "board/wall/health" in ear.latest, 20)
            free.append(ear.latest["board/wall/health"]["heap_free"])
    beside = f"an interpreter with nothing in it: {empty / HEAP * 100:.0f} %"
    yield at_least("free of 128 KB, whole wall program", min(free) / HEAP * 100, "%", 35, beside)


def _bare(heap: str) -> int:
    command = [
        *pythons.command("micropython", heap=heap),
        "-c",
        "import gc; gc.collect(); print(gc.mem_free())",
    ]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def _soon(folder: Path, broker: Broker, ear: Ear) -> Iterator[Figure]:
    """From `publish` to the last byte of a transfer to a panel of WS2812, whose bus is a file here."""
    lights = folder / "ws2812"
    lights.mkdir()
    bus = lights / "bus"
    with WallBoard("micropython", lights, broker, ear, size=(32, 8)) as wall:
        wall.kill()
        panel = {"kind": "ws2812", "size": [32, 8], "bus": f"file:{bus}", "most_ma": 2000, "channel_ma": 20,
                 "modules": [1, 1], "chain": "top-left rows", "lights": "top-left rows", "colours": "grb",
                 "turned": 0, "path": None}  # fmt: skip
        wall.settings(wall.told | {"panels": [panel]})
        wall.start()
        wall.wait_ready()
        fields = {"v": 2, "of": "abcd", "dwell_ms": 5000, "strips": [], "pages": [[["n", 0, 0, 2, 1, 1, 0]]]}
        wall.say_scene({"id": "12345678", **fields})
        wall.say_values("1", 0)
        wall.wait("it is drawn", lambda: wall.shown.get("fresh"))
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_socket_open = _at_once
        client.connect(broker.host, broker.port)
        client.loop_start()

        def say(turn: int) -> None:
            told = {"boot": "b1", "of": "abcd", "seq": turn + 10, "n": f"0 {turn % 10}"}
            client.publish(contract.topic("example", "values"), contract.encode("values", told), 1, True)

        took = []
        for turn in range(CHANGES):
            if turn % 50 == 0:
                wall.say_beat(turn // 50)
                time.sleep(0.5)
            took.append(_until(say, turn, bus))
        took.sort()
        client.disconnect()
        client.loop_stop()
    plain = _plain(broker)
    p50, p99 = statistics.median(took), took[len(took) * 99 // 100]
    beside = f"p50 {p50:.1f} ms; a plain publish to its receiver p50 {plain[0]:.1f}, p99 {plain[1]:.1f} ms"
    yield at_most("value published to pixels sent, p99", p99, "ms", 30, beside)


def _until(say: Callable[[int], None], turn: int, bus: Path) -> float:
    """ms until the file of the bus has grown by a whole line."""
    before = os.stat(bus).st_size
    began = time.perf_counter()
    say(turn)
    while os.stat(bus).st_size == before:
        assert time.perf_counter() - began < LOST_S, "nothing is sent to the panel"
        time.sleep(0.0002)
    with bus.open("rb") as file:
        while True:
            file.seek(-1, os.SEEK_END)
            if file.read(1) == b"\n":
                break
    took_ms = (time.perf_counter() - began) * 1000
    time.sleep(0.01)
    return took_ms


def _at_once(client: object, user: object, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _plain(broker: Broker) -> tuple[float, float]:
    """Median and 99th percentile of one message, in ms, over the same broker."""
    there: list[float] = []
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda *_: there.append(time.perf_counter())
    client.on_socket_open = _at_once
    client.connect(broker.host, broker.port)
    client.subscribe("bench/plain", 1)
    client.loop_start()
    took: list[float] = []
    for turn in range(CHANGES):
        began = time.perf_counter()
        client.publish("bench/plain", b"x" * 100, 1)
        while len(there) <= turn and time.perf_counter() - began < LOST_S:
            time.sleep(0.0002)
        took.append((there[turn] - began) * 1000)
    client.disconnect()
    client.loop_stop()
    took.sort()
    return statistics.median(took), took[len(took) * 99 // 100]


def _many(folder: Path) -> Iterator[Figure]:
    """What one change of a value costs a gateway of so many walls, in CPU time."""
    cost = {}
    for count in (1, WALLS):
        part = folder / f"walls-{count}"
        part.mkdir()
        cost[count] = _cost_us(part, count)
    beside = f"{cost[1]:.0f} us of CPU time a change at 1 wall, {cost[WALLS]:.0f} at {WALLS}"
    yield at_most(
        f"a value's cost at {WALLS} walls by that at 1", cost[WALLS] / cost[1], "times", 1.2, beside
    )


def _cost_us(folder: Path, count: int) -> float:
    def change(tables: dict[str, Any]) -> None:
        pages = [{"queues": ["norsk", "polski"]}]
        panel = {"kind": "memory", "size": [128, 64]}
        rows = range(count)
        tables["board"] = [row for row in tables["board"] if row["id"] == "row-a"]
        tables["board"] += [{"id": f"wall-{row}"} for row in rows]
        tables["wall"] = [
            {"id": f"w{row}", "board": f"wall-{row}", "panel": panel, "pages": pages} for row in rows
        ]
        tables["desk"] = tables["desk"][:4]

    with House(folder, change) as house:
        house.start_gateway()
        house.wait("the gateway is up", lambda: house.get("/api/now")[0] == 200, 60)
        ear = Ear(house.broker)
        desk = Desk(house)
        desk.turn(0)
        house.wait("values are said", lambda: "values" in ear.latest, 30)
        house.wait("the desk is known", lambda: house.now("desk/a1").get("status") == "free", 30)
        time.sleep(2)
        process = house.processes["gateway"].pid
        idle_us, _ = _spent(process, lambda: time.sleep(TURNS * GAP_S))
        before = len(ear.all("values"))
        busy_us, took_s = _spent(process, lambda: desk.turns(TURNS))
        house.wait("all is told", lambda: len(ear.all("values")) - before >= TURNS * 9 // 10, 10)
        changes = len(ear.all("values")) - before
        ear.close()
    return (busy_us - idle_us * took_s / (TURNS * GAP_S)) / changes


class Desk:
    """A board that is not there: it says that it is, and of its first input that the phone is lifted and put down."""

    def __init__(self, house: House) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_socket_open = _at_once
        self._client.connect(house.broker.host, house.broker.port)
        self._client.loop_start()
        self._site = house.plan.site.id
        self._seq = 0
        self._say("board/+/state", ("row-a",), {"state": "ready", "boot": "bench"})
        headset = dict.fromkeys(("link", "in_call", "ringing", "muted", "docked", "worn"), False) | {
            "why": None
        }
        for number in range(4):
            self._read(number, "phone", {"state": "idle", "why": None})
            self._read(number, "headset", headset)

    def _say(self, pattern: str, ids: tuple[object, ...], fields: dict[str, Any]) -> None:
        message = contract.BY_TOPIC[pattern]
        topic = contract.topic(self._site, pattern, *ids)
        self._client.publish(topic, contract.encode(pattern, fields), message.qos, message.retained)

    def _read(self, number: int, what: str, fields: dict[str, Any]) -> None:
        self._seq += 1
        fields = {**fields, "seq": self._seq, "boot": "bench", "age_ms": 0}
        self._say(f"board/+/input/+/{what}", ("row-a", number), fields)

    def turn(self, turn: int) -> None:
        """The handset is lifted, or put down."""
        self._read(0, "phone", {"state": "talking" if turn % 2 else "idle", "why": None})

    def turns(self, count: int) -> None:
        """So often, with a gap after each; and a sign of life now and then."""
        for turn in range(1, count + 1):
            self.turn(turn)
            if turn % 100 == 0:
                self._say("board/+/state", ("row-a",), {"state": "ready", "boot": "bench"})
            time.sleep(GAP_S)


def _spent(process: int, work: Callable[[], object]) -> tuple[float, float]:
    """(microseconds of CPU time that a process takes during `work`, seconds that it lasts)."""
    before, began = _cpu_us(process), time.perf_counter()
    work()
    return _cpu_us(process) - before, time.perf_counter() - began


def _cpu_us(process: int) -> float:
    """Of all its threads: utime and stime are fields 14 and 15 of proc(5)'s stat, in ticks of 10 ms."""
    rest = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(rest[11]) + int(rest[12])) * 1e6 / os.sysconf("SC_CLK_TCK")
