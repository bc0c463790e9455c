"""The gateway's line to the broker: paho on the event loop, behind three methods.

A client a connection: what was said while the broker was away is said again from memory
(`gateway/says.py`), so nothing has to be queued here and nothing old can come late.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

import floorplan
from boards import login
from floorplan import SiteError

log = logging.getLogger(__name__)

KEEPALIVE_S = 10
ANSWER_S = 5.0  # a broker that has not said CONNACK by then is away
PAUSE_S = (0.25, 5.0)  # between attempts: doubling, jittered
INFLIGHT = 1000  # messages of QoS 1 on their way at once
READS = 200  # packets taken from the socket before others get their turn

Hear = Callable[[str, bytes, bool], None]  # topic, payload, retained
Will = tuple[str, bytes]  # retained, QoS 1


class BrokerLost(Exception):
    """The broker is away; the text says why and what to check."""


class Line:
    """One connection after the other, for ever.

    `hear(topic, payload, retained)` gets what was subscribed; `back()` is called on every new
    connection, `away(reason)` when it is gone or could not be had.
    """

    def __init__(
        self,
        broker: floorplan.Broker,
        client_id: str,
        will: Will,
        topics: list[tuple[str, int]],
        hear: Hear,
        back: Callable[[], None],
        away: Callable[[str], None],
    ) -> None:
        self.where = f"{broker.host}:{broker.port}"
        self.up = False
        self.heard = self.sent = 0  # messages since the start
        self._address = (broker.host, broker.port)
        self._client_id = client_id
        self._broker = broker
        self._will = will
        self._topics = topics
        self._hear, self._back, self._away = hear, back, away
        self._client: paho.Client | None = None
        self._gone: asyncio.Future[str] | None = None
        self._answer: asyncio.Future[None] | None = None
        self._why = ""

    def publish(self, topic: str, payload: bytes, retain: bool, qos: int) -> None:
        """Sends at once. While the broker is away this does nothing: `back` says it all again."""
        if self.up and self._client:
            self.sent += 1
            self._client.publish(topic, payload, qos, retain)

    def ask_again(self) -> None:
        """Has the broker say what it keeps once more, of every topic."""
        if self.up and self._client:
            self._client.subscribe(self._topics)

    async def run(self) -> None:
        """Connects, listens, connects again, until cancelled."""
        pause_s = PAUSE_S[0]
        while True:
            try:
                await self._connect()
                pause_s = PAUSE_S[0]
                if self._why:
                    log.warning("the MQTT broker at %s is back", self.where)
                self._why = ""
                self._back()
                await self._listen()
            # ValueError: a host name that is none. SiteError: the secret or ca_file, read anew each time.
            except (BrokerLost, SiteError, OSError, ValueError) as error:
                words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                why = f"the MQTT broker at {self.where} is away: {words}"
                if why != self._why:  # said once, not at every try
                    log.warning(why)
                self._why = why
                self._away(why)
            finally:
                self.up = False
                self._drop()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(pause_s * 2, PAUSE_S[1])

    async def close(self, last: tuple[str, bytes] | None = None) -> None:
        """Says one last retained word, and leaves without the will."""
        if not self.up or not self._client:
            return
        if last:
            said = self._client.publish(last[0], last[1], 1, True)
            for _ in range(100):
                if said.is_published():
                    break
                await asyncio.sleep(0.01)
        self.up = False
        self._client.disconnect()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._gone, self._answer = loop.create_future(), loop.create_future()
        client = self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=self._client_id, protocol=paho.MQTTv311
        )
        login.log_in(client, self._broker)
        client.will_set(self._will[0], self._will[1], 1, True)
        client.max_inflight_messages_set(INFLIGHT)
        client.on_connect = self._connected
        client.on_disconnect = lambda c, u, flags, code, props: self._lost(
            f"the connection broke ({str(code).lower()})"
        )
        client.on_message = lambda c, u, message: self._heard(message)

        def soon(do: Callable[[paho.Client, Any], None]) -> Callable[[paho.Client, Any, Any], None]:
            """paho connects in a thread of its own: what it wants of the loop is done on the loop."""
            return lambda c, u, sock: (loop.call_soon_threadsafe(do, client, sock), None)[1]

        client.on_socket_open = soon(self._watch)
        client.on_socket_register_write = soon(self._want_write)
        client.on_socket_unregister_write = soon(self._leave_write)
        client.on_socket_close = lambda c, u, sock: self._unwatch(loop, sock)
        await asyncio.to_thread(client.connect, *self._address, KEEPALIVE_S)
        try:
            await asyncio.wait_for(self._answer, ANSWER_S)
        except TimeoutError as error:
            raise BrokerLost(f"no answer within {ANSWER_S:.0f} s") from error
        self.up = True
        client.subscribe(self._topics)

    def _heard(self, message: paho.MQTTMessage) -> None:
        self.heard += 1
        self._hear(message.topic, bytes(message.payload), message.retain)

    async def _listen(self) -> None:
        assert self._gone and self._client
        while not self._gone.done():
            self._client.loop_misc()
            await asyncio.wait([self._gone], timeout=1)
        raise BrokerLost(self._gone.result())

    def _watch(self, client: paho.Client, sock: Any) -> None:
        if client is self._client and sock.fileno() >= 0:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or a figure waits for the next one
            asyncio.get_running_loop().add_reader(sock, lambda: client.loop_read(READS))

    def _want_write(self, client: paho.Client, sock: Any) -> None:
        if client is self._client and sock.fileno() >= 0:
            asyncio.get_running_loop().add_writer(sock, client.loop_write)

    def _leave_write(self, client: paho.Client, sock: Any) -> None:
        if client is self._client and sock.fileno() >= 0 and not client.want_write():
            asyncio.get_running_loop().remove_writer(sock)

    @staticmethod
    def _unwatch(loop: asyncio.AbstractEventLoop, sock: Any) -> None:
        if sock.fileno() >= 0:
            loop.remove_reader(sock)
            loop.remove_writer(sock)

    def _connected(
        self, client: paho.Client, user: object, flags: object, code: object, props: object
    ) -> None:
        if self._answer and not self._answer.done():
            if getattr(code, "is_failure", False):
                self._answer.set_exception(
                    BrokerLost(f"it refused the gateway: {code}; check user and password")
                )
            else:
                self._answer.set_result(None)

    def _lost(self, reason: str) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(BrokerLost(reason))
        if self._gone and not self._gone.done():
            self._gone.set_result(reason)

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        for answer in (self._answer, self._gone):
            if answer and answer.done() and not answer.cancelled():
                answer.exception()
        sock = client.socket()
        if sock is not None:
            self._unwatch(asyncio.get_running_loop(), sock)
            sock.close()
        client.on_socket_close = client.on_socket_unregister_write = None  # it may outlive the loop
