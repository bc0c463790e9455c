"""The client under test, run by either Python. Its first line of input is JSON: `{"port": 1883, ...}`.

It says what happens in lines of JSON, does what the messages on `do` ask for, and measures the
longest time that the loop stood still. See `tests/test_mqtt.py` for what is asked of it.
"""

import asyncio
import gc
import json
import sys
import time

from firmware import mqtt
from firmware.clock import now_ms, sleep_ms

try:  # noqa: SIM105
    from typing import Any
except ImportError:  # MicroPython, which reads no annotations, and has no contextlib
    pass

TICK_MS = 5


def say(event: str, **fields: object) -> None:
    fields["event"] = event
    print(json.dumps(fields))
    if hasattr(sys.stdout, "flush"):
        sys.stdout.flush()


def micros() -> int:
    return time.ticks_us() if hasattr(time, "ticks_us") else time.monotonic_ns() // 1000


def since(start: int) -> int:
    return time.ticks_diff(micros(), start) if hasattr(time, "ticks_diff") else micros() - start


def kept_waiting_us() -> int:
    """How long this process was ready but had no processor, so far: no fault of the loop's."""
    try:
        with open("/proc/self/schedstat") as file:
            return int(file.read().split()[1]) // 1000
    except OSError:
        return 0


class Stalls:
    """The longest time in which the loop ran nobody, less what the machine took from us."""

    def __init__(self, client: mqtt.Client) -> None:
        self.client = client
        self.worst_ms = 0.0
        self.most_messages = 0  # on their way at once
        self.most_bytes = 0

    async def watch(self) -> None:
        while True:
            begun, waited = micros(), kept_waiting_us()
            await sleep_ms(TICK_MS)
            stall_us = since(begun) - TICK_MS * 1000 - (kept_waiting_us() - waited)
            self.worst_ms = max(self.worst_ms, stall_us / 1000)
            self.most_messages = max(self.most_messages, len(self.client._unacked))
            self.most_bytes = max(self.most_bytes, self.client._unanswered)


class Driver:
    def __init__(self, wish: dict[str, Any]) -> None:
        self.wish = wish
        self.unacked: list[list[Any]] = []  # [seq, packet id] in order, as the board's outbox keeps them
        self.new = False
        self.counted = 0
        self.begun = now_ms(), kept_waiting_us()
        self.sent = 0
        self.sends = 0
        self.big = b"1 " + b"." * wish.get("big", 0)  # more than the kernel's buffers take
        self.commands: list[dict[str, Any]] = []
        tls = wish.get("tls")
        if tls:
            with open(tls["ca"], "rb") as file:
                tls["ca"] = file.read()
        will = wish.get("will")
        self.client = mqtt.Client(
            wish.get("host", "127.0.0.1"),
            wish["port"],
            wish["id"],
            wish.get("user"),
            wish.get("password"),
            wish.get("keepalive_s", 2),
            (will[0], will[1].encode(), will[2], will[3]) if will else None,
            tls,
            self.heard,
            self.up,
            self.down,
            self.acked,
        )
        self.stalls = Stalls(self.client)
        self.client._last_id = wish.get("last_id", 0)
        for topic, qos in wish.get("subscribe", []):
            self.client.subscribe(topic, qos)
        self.client.subscribe("do", 1)

    def up(self) -> None:
        self.new = True

    def down(self, reason: str) -> None:
        for row in self.unacked:
            row[1] = None
        waited_ms = (kept_waiting_us() - self.begun[1]) // 1000
        say("down", reason=reason, stall_ms=self.stalls.worst_ms, after_ms=now_ms() - self.begun[0] - waited_ms)

    def acked(self, packet_id: int) -> None:
        self.unacked = [row for row in self.unacked if row[1] != packet_id]

    def heard(self, topic: str, payload: bytearray, retained: bool) -> None:
        if topic == self.wish.get("count"):
            self.counted += 1
        elif topic == "do":
            self.commands.append(json.loads(payload))
        else:
            say("heard", topic=topic, size=len(payload), text=str(payload[:40], "utf-8"), retained=retained)
        if topic == self.wish.get("abort_on"):
            self.client._end("aborted")
        if topic == self.wish.get("faulty"):
            raise KeyError("a fault of the application's")

    async def deliver(self, count: int, every_ms: int, topic: str, padding: str = "") -> None:
        """Sends 1 to count, one every so often, each kept until it is acknowledged."""
        begun_ms = now_ms()
        while self.sent < count or self.unacked:
            due = min(count, 1 + (now_ms() - begun_ms) // every_ms if every_ms else count)
            while self.sent < due:
                self.sent += 1
                self.unacked.append([self.sent, None])
            row = next((row for row in self.unacked if row[1] is None), None)
            if row and self.client.up:
                row[1] = 0
                try:
                    row[1] = await self.client.send(topic, (str(row[0]) + " " + padding).encode(), False, 1)
                    self.sends += 1
                except mqtt.LinkDown:
                    row[1] = None
            else:
                await sleep_ms(5)
        say(
            "delivered",
            sends=self.sends,
            last_id=self.client._last_id,
            stall_ms=self.stalls.worst_ms,
            most_messages=self.stalls.most_messages,
            most_bytes=self.stalls.most_bytes,
        )

    async def obey(self, command: dict[str, Any]) -> None:
        what = command["what"]
        client = self.client
        if what == "publish":
            say("published", good=await self.published(command))
        elif what == "subscribe":
            client.subscribe(command["topic"], command["qos"])
        elif what == "together":  # many tasks at once
            say("soon")
            await sleep_ms(command.get("in_ms", 0))
            texts = [str(n).encode() + b" " + b"." * 300 for n in range(1, command["count"] + 1)]
            if len(self.big) > 2:
                texts[0] = self.big
            sends = [self.one(command["topic"], text, command["qos"]) for text in texts]
            begun_ms = now_ms()
            sent = await asyncio.gather(*sends)
            say(
                "together",
                sent=sent,
                took_ms=now_ms() - begun_ms,
                up=client.up,
                stall_ms=self.stalls.worst_ms,
            )
        elif what == "cancel":  # senders that give up before their turn, and one half-way through its message
            say("soon")
            await sleep_ms(command["in_ms"])
            tasks = [asyncio.create_task(self.one("x", self.big, 1)) for _ in range(3)]
            await sleep_ms(200)
            for task in reversed(tasks):
                task.cancel()
            await sleep_ms(50)
            say("cancelled", up=client.up, waiting=len(client._unacked), reason=client.reason)
        elif what == "abort":
            client._end("aborted")
            say("aborted", up=client.up)
        elif what == "close":
            say("soon")
            await sleep_ms(command.get("in_ms", 0))
            begun_ms = now_ms()
            await client.close()
            say("closed", took_ms=now_ms() - begun_ms)
        elif what == "look":
            gc.collect()
            say(
                "look",
                refused=client.refused,
                thrown_away=client.thrown_away,
                faults=client.faults,
                counted=self.counted,
                stall_ms=self.stalls.worst_ms,
                free=gc.mem_free() if hasattr(gc, "mem_free") else 0,
                used=gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0,
            )

    async def published(self, command: dict[str, Any]) -> bool:
        """Sends, and waits for the broker's acknowledgement. False where the link goes first."""
        client = self.client
        topic, payload = command["topic"], command["text"].encode()
        try:
            packet_id = await client.send(topic, payload, command["retain"], command["qos"])
        except mqtt.LinkDown:
            return False
        state = client._unacked.get(packet_id, [0, True])
        while client.up and not state[1]:
            await sleep_ms(5)
        return bool(state[1])

    async def one(self, topic: str, payload: bytes, qos: int) -> bool:
        try:
            await self.client.send(topic, payload, False, qos)
            return True
        except mqtt.LinkDown:
            return False

    async def run(self) -> None:
        watching = asyncio.create_task(self.stalls.watch())
        running = asyncio.create_task(self.client.run())
        tasks = []
        if "deliver" in self.wish:
            tasks.append(asyncio.create_task(self.deliver(**self.wish["deliver"])))
        while not running.done():
            if self.new and not self.client._asked:
                self.new = False
                say("up")  # and subscribed: what is sent from now on arrives
            while self.commands:
                tasks.append(asyncio.create_task(self.obey(self.commands.pop(0))))
            tasks = [task for task in tasks if not task.done()]
            await sleep_ms(20)
        while any(not task.done() for task in tasks):
            await sleep_ms(20)
        say("ended", stall_ms=self.stalls.worst_ms)
        watching.cancel()


wish = json.loads(sys.stdin.readline())
for name in wish.get("constants", {}):
    setattr(mqtt, name, wish["constants"][name])
asyncio.run(Driver(wish).run())
