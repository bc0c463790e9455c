"""A command to a board, from the bench: sent over the broker, its answer awaited."""

from __future__ import annotations

import os
import queue
from typing import Any

import floorplan
from firmware import contract

ANSWER_S = 5.0  # a board that is there has answered by then
COMMAND, ANSWER = "board/+/command", "board/+/answer"


class CommandError(Exception):
    """A board that was not reached, or refused; the text says what to try."""


def tell(plan: floorplan.Plan, board: str, command: dict[str, Any], address: tuple[str, int] | None) -> str:
    """Has a board do something (fields of its `command`), and returns its answer. Raises CommandError, SiteError.

    address: the broker's, where it is not the site file's; with no [broker] in it, that of a `callfloor up` of ours.
    """
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    from boards import login, readable, trying

    broker = trying.broker_of(plan, address)
    host, port = broker.host, broker.port
    name = os.urandom(4).hex()
    heard: queue.Queue[tuple[bool, str]] = queue.Queue()  # whether it was done, and the words

    def connected(client: paho.Client, _user: object, _flags: object, code: Any, _more: object) -> None:
        if code.is_failure:
            heard.put((False, f"the broker at {host}:{port} refuses: {str(code).lower()}; "
                              "[broker] user and secret_file are what it knows you by"))  # fmt: skip
        else:
            client.subscribe(contract.topic(plan.site.id, ANSWER, board), 1)

    def subscribed(client: paho.Client, *_: object) -> None:
        payload = contract.encode(COMMAND, command | {"id": name})
        client.publish(contract.topic(plan.site.id, COMMAND, board), payload, 1)

    def hear(_client: object, _user: object, message: paho.MQTTMessage) -> None:
        try:
            _, _, fields = readable.parse(message.topic, message.payload)
        except contract.ContractError:
            return  # another version's; the gateway counts them
        if fields and fields["id"] == name and not message.retain:
            words = fields["words"] if fields["done"] else f"board '{board}' says: {fields['words']}"
            heard.put((fields["done"], words))

    client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    login.log_in(client, broker)
    client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, hear
    try:
        client.connect(host, port)
        client.loop_start()
        done, words = heard.get(timeout=ANSWER_S)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CommandError(
            f"no broker at {host}:{port} ({why}); does it run, and is [broker] or --mqtt right?"
        ) from error
    except queue.Empty:
        raise CommandError(
            f"board '{board}' does not answer; is it on the page as ready, and may the broker's user of the "
            "site file write to it?"
        ) from None
    finally:
        client.disconnect()
        client.loop_stop()
    if not done:
        raise CommandError(words)
    return words
