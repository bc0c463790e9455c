"""An ear at the broker: one connection for a command, and what is said there, in order and with a deadline.

It works in the thread that asks it and in no other: where nobody asks, nothing is taken from the broker.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from boards import readable
from boards.bench import BenchError
from firmware import contract
from floorplan import Broker

if TYPE_CHECKING:
    import paho.mqtt.client as paho

ANSWER_S = 5.0  # a broker that is there has answered by then
LOOK_S = 0.5  # so long at most is waited in one piece: a Ctrl-C is not kept waiting on any system


class CommandError(BenchError):
    """A broker or a board that was not reached, or refused; the text says what to try."""


class Message(NamedTuple):
    """As it came."""

    topic: str
    payload: bytes
    retained: bool


class Said(NamedTuple):
    """One message of the contract; `fields` is None where a topic was cleared."""

    pattern: str
    ids: tuple[str, ...]
    fields: dict[str, Any] | None
    retained: bool


def _at_once(_client: object, _user: object, sock: Any) -> None:
    """Small packets that follow one another are not held back (Nagle's rule): 40 ms each time we ask and answer."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Ear:
    """A connection with the site file's login that hears some topics of a site. A context manager.

    topics: from the site on, as `contract` has them, with wildcards or without: board/row-a/answer.
    Every method raises CommandError where the broker is not reached, refuses or is gone, and SiteError.
    """

    def __init__(self, broker: Broker, site: str, topics: Iterable[str]) -> None:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        from boards import login

        self._site = site
        self._where = f"{broker.host}:{broker.port}"
        self._topics: list[str] = []  # that the broker is being asked for
        self._come: deque[Message] = deque()
        self._answer: str | None = None  # what is wrong; empty: nothing is
        self._is_mqtt = False  # somebody there has answered as a broker does
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        login.log_in(client, broker)
        client.on_socket_open = _at_once
        client.on_connect, client.on_subscribe, client.on_message = self._connected, self._subscribed, self._hear
        try:
            client.connect(broker.host, broker.port)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise CommandError(
                f"no broker at {self._where} ({why}); does it run, and is [broker] or --mqtt right?"
            ) from error
        try:
            self._until_answered()
            self.listen(topics)
        except BaseException:
            self.close()
            raise

    def listen(self, topics: Iterable[str], qos: int = 1) -> None:
        """Hears these, too. What a broker keeps comes whole by 0: by 1, mosquitto queues 1000 messages and no more."""
        self._topics = list(topics)
        self._answer = None
        self._client.subscribe([(contract.topic(self._site, topic), qos) for topic in self._topics])
        self._until_answered()

    def _until_answered(self) -> None:
        until_s = time.monotonic() + ANSWER_S
        while self._answer is None:
            if time.monotonic() > until_s:
                raise CommandError(f"the broker at {self._where} says nothing; is it one for MQTT?")
            self._work(LOOK_S)
        if self._answer:
            raise CommandError(self._answer)

    def _connected(self, _client: object, _user: object, _flags: object, code: Any, _more: object) -> None:
        self._is_mqtt = True
        if code.is_failure:
            self._answer = (f"the broker at {self._where} refuses: {str(code).lower()}; "
                            "[broker] user and secret_file are what it knows you by")  # fmt: skip
        else:
            self._answer = ""

    def _subscribed(self, _client: object, _user: object, _id: object, codes: list[Any], _more: object) -> None:
        refused = [topic for topic, code in zip(self._topics, codes, strict=True) if code.is_failure]
        self._answer = f"the broker at {self._where} does not let you listen to '{refused[0]}'" if refused else ""

    def _hear(self, _client: object, _user: object, message: paho.MQTTMessage) -> None:
        self._come.append(Message(message.topic, bytes(message.payload), message.retain))

    def _work(self, seconds: float) -> None:
        ended = self._client.loop(max(0.0, seconds))
        if ended and not self._answer:
            if not self._is_mqtt:
                why = "is [broker] or --mqtt right, and its tls?"
                raise CommandError(f"no MQTT broker answers at {self._where}; {why}")
            raise CommandError(f"the broker at {self._where} is gone")

    def next(self, seconds: float) -> Message | None:
        """The next message; None where none came within so long."""
        until_s = time.monotonic() + seconds
        while not self._come:
            left_s = until_s - time.monotonic()
            self._work(min(left_s, LOOK_S))
            if left_s <= 0 and not self._come:
                return None
        return self._come.popleft()

    def hear(self, seconds: float) -> Said | None:
        """The same, taken apart, its texts readable; messages of another version are passed over."""
        until_s = time.monotonic() + seconds
        while message := self.next(max(0.0, until_s - time.monotonic())):
            try:
                pattern, ids, fields = readable.parse(message.topic, message.payload)
                return Said(pattern, ids, fields, message.retained)
            except contract.ContractError:  # the gateway counts them
                if time.monotonic() > until_s:
                    break
        return None

    def all(self, seconds: float) -> Iterator[Said]:
        """What is said within so long, and no longer, however much it is."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0 and (said := self.hear(left_s)):
            yield said

    def say(self, pattern: str, *ids: str | int, **fields: Any) -> None:
        """Says a message of the contract. Raises ContractError for one that is none."""
        payload = contract.encode(pattern, fields)
        self._client.publish(contract.topic(self._site, pattern, *ids), payload, 1, contract.BY_TOPIC[pattern].retained)

    def clear(self, pattern: str, *ids: str) -> None:
        """Has the broker forget what it keeps on a topic."""
        self._client.publish(contract.topic(self._site, pattern, *ids), b"", 1, True)

    def close(self) -> None:
        """Never raises."""
        self._client.disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
