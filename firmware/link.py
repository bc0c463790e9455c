"""A board's talk with the broker: who it is, what it reads, what it is told."""

import asyncio
import sys
from random import randrange

from firmware import contract
from firmware.clock import sleep_ms
from firmware.mqtt import Client

AGAIN_MS = 5000  # boards answer a new gateway spread over so long, so that they do not come all at once
LOOK_MS = 5  # so often it is looked whether there is something to send: an Event takes 1.2 KB of a board
SLOW_MS = 500  # a link that is up but takes nothing is tried again after this


class Link:
    """Keeps one board's word to the broker.

    `settings` is board.json, `hello` who the board is. `hear(pattern, ids, fields)` gets what it is told;
    `inputs` are the board's Inputs, or None.
    """

    def __init__(self, settings: dict, hello: dict, hear, inputs):
        broker = settings["broker"]
        self.site = settings["site"]
        self.board = settings["board"]
        self.boot = hello["boot"]
        self.readings = None  # what inputs say
        if inputs:
            from firmware import readings

            self.readings = readings.Readings(self, inputs, len(settings["inputs"]))
        self.reconnects = -1  # the first connect is not one
        self.refused = 0
        self.on_refused = None  # told (topic, why) of what came and cannot be used
        self.payload = None  # the text of what is being heard, for whoever wants to keep it
        self.on_topic = None  # told the topic of what came, before there is more of it in memory than its text
        self.hello = hello
        self._hear = hear
        self._again: asyncio.Task | None = None  # the task that does
        self._gateway = None  # the boot of the gateway that was last heard
        self._due = {}  # (pattern, ids, command id) → fields: only ever worth their latest value
        self._lasting = {}  # of these the retained ones: said again on every new connection
        self.asked = False  # a new gateway wants to know who is there
        self.work = False  # something is to be sent
        self.client = Client(
            broker["host"],
            broker["port"],
            broker["id"],
            user=broker.get("user"),
            password=broker.get("password"),
            keepalive_s=broker.get("keepalive_s", contract.KEEPALIVE_S),
            tls=broker.get("tls"),
            will=(
                self.topic("board/+/state", self.board),
                contract.encode("board/+/state", {"state": "lost", "boot": self.boot}),
                True,
                1,
            ),
            on_message=self._message,
            on_up=self._up,
            on_down=self._down,
            on_ack=self.readings and self.readings.on_ack,
            on_thrown_away=self._thrown_away,
        )
        self.client.subscribe(self.topic("beat"), 0)
        self.client.subscribe(self.topic("board/+/command", self.board), 1)

    def topic(self, pattern, *ids):
        return contract.topic(self.site, pattern, *ids)

    def state(self, pattern: str, ids: tuple, fields: dict) -> None:
        """Something only whose latest value matters: sent when the link is up, newest only."""
        key = (pattern, ids, fields.get("id"))  # answers are told apart by their id
        self._due[key] = fields
        if contract.BY_TOPIC[pattern].retained:
            self._lasting[key] = fields
        self.work = True

    def jobs(self) -> list:
        """What is to be run, all at once: connecting and listening, and sending."""
        return [self.client.run(), self._send()]

    async def _send(self):
        while True:
            while not self.work:
                await sleep_ms(LOOK_MS)
            self.work = False
            try:
                while self.client.up and await self.send_one():
                    pass
            except OSError:  # the link went, or was too slow: what has not gone goes again
                if self.client.up:
                    await sleep_ms(SLOW_MS)
                    self.work = True
            except contract.ContractError as error:  # one message that cannot be said stops no other
                print(error)
                self.work = True

    async def send_one(self):
        for key in self._due:
            fields = self._due.pop(key)
            try:
                await self.publish(key[0], key[1], fields)
            except OSError:
                self._due.setdefault(key, fields)
                raise
            return True
        return self.readings and await self.readings.send_one()

    async def publish(self, pattern: str, ids: tuple, fields: dict) -> int:
        """Sends one message; its packet id. Raises OSError, ContractError."""
        message = contract.BY_TOPIC[pattern]
        return await self.client.send(
            self.topic(pattern, *ids), contract.encode(pattern, fields), message.retained, message.qos
        )

    def _up(self):
        if len(sys.argv) < 2:  # started by power: whoever watches its cable wants to know
            print("link up")
        self.reconnects += 1
        self.state("board/+/hello", (self.board,), self.hello)
        self.state("board/+/state", (self.board,), {"state": "ready", "boot": self.boot})
        self._due.update(self._lasting)
        if self.reconnects:
            self._ask_again()  # the broker may have forgotten what was retained

    def _down(self, reason):
        print("link down:", reason)
        if self.readings:
            self.readings.lost()

    def _message(self, topic, payload, retained):
        try:
            if self.on_topic:
                self.on_topic(topic)
            pattern, ids, fields = contract.parse(topic, payload)
            if fields is None and not pattern.endswith(("/message", "/scene")):
                return
            if retained and pattern in ("board/+/command", "beat"):
                return  # a stored command is nobody's wish any more, and a stored beat proves nothing
            if pattern == "beat" and fields["boot"] != self._gateway:
                self._gateway = fields["boot"]
                self.asked = True
                self._ask_again()
            self.payload = payload
            self._hear(pattern, ids, fields)
        except contract.ContractError as error:
            self._refuse(topic, str(error))
        except MemoryError:
            self._refuse(topic, topic + ": there is no memory for it")
        finally:
            self.payload = None

    def _thrown_away(self, topic, size):
        self._refuse(topic, "%s: %d bytes are more than this board can hold" % (topic, size))

    def _refuse(self, topic, why):
        self.refused += 1
        print(why)
        if self.on_refused:
            self.on_refused(topic, why)

    def _ask_again(self):
        if self._again is None:
            self._again = asyncio.create_task(self.say_again())

    async def say_again(self):
        """Every state once more, with its true age: for a new gateway, or a broker that was away."""
        await sleep_ms(randrange(AGAIN_MS))
        self._again = None
        if self.readings and self.client.up:
            self.readings.say_again()
