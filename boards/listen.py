"""`callfloor broker listen`: what is said at the broker, a line for each message, as it comes.

With the site file's login, or with the one of a `callfloor up` on this machine. What sources push is never printed:
it holds their own ids of callers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from boards import login, readable, trying
from boards.command import CommandError
from firmware import contract
from floorplan import Broker, Plan, SiteError

ANSWER_S = 5.0  # a broker that is there has answered by then

Said = tuple[str, bytes]  # topic, payload


def run(plan: Plan | None, address: tuple[str, int] | None, topic: str) -> None:
    """The command: prints until it is interrupted. Raises CommandError, SiteError."""
    for said in heard(trying.broker_of(plan, address), plan.site.id if plan else "+", topic):
        print(line(*said), flush=True)


def line(topic: str, payload: bytes) -> str:
    """A message for a terminal, its topic from the site on. No letter of it can do there what only we may."""
    text = payload.decode(errors="backslashreplace") or "(cleared)"
    return readable.plain(f"{topic.split('/', 3)[-1]} {text}")


def heard(broker: Broker, site: str, topic: str) -> Iterator[Said]:
    """(topic, payload) of what is said under a topic of that site, without end. Raises CommandError, SiteError."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    where = f"{broker.host}:{broker.port}"
    come: list[Said] = []
    answers: list[str] = []  # what is wrong, or empty: we listen

    def connected(client: paho.Client, _user: object, _flags: object, code: Any, _more: object) -> None:
        if code.is_failure:
            answers.append(f"the broker at {where} refuses: {str(code).lower()}; "
                           "[broker] user and secret_file are what it knows you by")  # fmt: skip
        else:
            client.subscribe(contract.topic(site, topic), 1)

    def subscribed(_client: object, _user: object, _id: object, codes: list[Any], _more: object) -> None:
        answers.append(
            f"the broker at {where} does not let you listen to '{topic}'" if codes[0].is_failure else ""
        )

    def hear(_client: object, _user: object, message: paho.MQTTMessage) -> None:
        if message.topic.split("/")[3:4] != ["source"]:
            come.append((message.topic, bytes(message.payload)))

    client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    login.log_in(client, broker)
    client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, hear
    try:
        client.connect(broker.host, broker.port)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CommandError(
            f"no broker at {where} ({why}); does it run, and is [broker] or --mqtt right?"
        ) from error
    until_s = time.monotonic() + ANSWER_S
    try:
        while True:
            ended = (
                client.loop()
            )  # in this very thread: where lines are read slowly, the broker keeps the rest
            yield from come
            come.clear()
            if any(answers):
                raise CommandError(answers[0])
            if ended:
                raise CommandError(f"the broker at {where} is gone")
            if not answers and time.monotonic() > until_s:
                raise CommandError(f"the broker at {where} says nothing; is it one for MQTT?")
    finally:
        client.disconnect()


def checked(topic: str) -> str:
    """A topic of the contract, with or without wildcards, as `--topic` gives it. Raises SiteError."""
    parts = topic.split("/")
    whole = all(part in ("+", "#") or not set(part) & set("+#") for part in parts) and "#" not in parts[:-1]
    if not topic or not whole or parts[0] == contract.ROOT.split("/")[0] or not topic.isprintable():
        raise SiteError(
            f"--topic: '{topic}' is no topic as docs/contract.md has them, like board/# or desk/+/now"
        )
    return topic
