"""Pushing over MQTT, through a real mosquitto and a real nats-server: who may, who hears it, what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import callfloor_up
import floorplan
from gateway.broker.rights import GATEWAY, TRYING
from gateway.broker.trial import BrokerError, OwnBroker, new_passwords
from gateway.queues.figures import QueueFigures
from gateway.queues.push import Push, PushError, decode, parse_push_topic, push_topic

from .conftest import until
from .test_broker import Client, RunningBroker

SITE = "callfloor/1/s/"
BOARDS = ("b1", "b2")
SOURCES = {"webchat": "a-token-of-the-web-chat", "bot": "a-token-of-the-bot"}
BODY = b'{"events": [{"event": "joined", "call": "Kari"}]}'


@pytest.fixture(params=["mosquitto", "nats-server"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningBroker]:
    own = OwnBroker(
        tmp_path / "broker", "s", new_passwords(BOARDS), BOARDS, kind=request.param, sources=SOURCES
    )
    running = RunningBroker(own)
    running.start()
    yield running
    running.stop()


# Who writes where, and whether it is heard.
RIGHTS = (
    ("webchat", "source/webchat/queue/chat", True),
    ("webchat", "source/webchat/queue/other", True),
    ("webchat", "source/bot/queue/chat", False),
    ("webchat", "source/webchat/more", False),
    ("webchat", "board/b1/state", False),
    ("webchat", "queue/chat/now", False),
    ("webchat", "values", False),
    ("bot", "source/bot/queue/help", True),
    ("bot", "source/webchat/queue/chat", False),
    ("b1", "source/b1/queue/chat", False),
    ("b1", "source/webchat/queue/chat", False),
    ("b1", "board/b1/state", True),
    (TRYING, "source/webchat/queue/chat", False),
)


def test_a_source_may_say_its_own_and_only_the_gateway_hears_it(broker: RunningBroker) -> None:
    clients: list[Client] = []

    def join(user: str) -> Client:
        clients.append(Client(broker, user))
        return clients[-1]

    try:
        gateway = join(GATEWAY).subscribe(f"{SITE}#")
        others = [join(user).subscribe(pattern, qos) for user in (TRYING, "b1", "webchat", "bot") for qos in (0, 1)
                  for pattern in ("callfloor/#", f"{SITE}source/#", f"{SITE}source/webchat/queue/chat")]  # fmt: skip
        for number, (user, topic, _) in enumerate(RIGHTS):
            writer = join(user)  # a broker may close the link of one who must not write
            for qos, retain in ((0, False), (1, False), (1, True)):
                if writer.paho.is_connected():
                    writer.publish(SITE + topic, b"%d" % number, retain=retain, qos=qos)
        join("b2").publish(f"{SITE}board/b2/state", b"end")
        until(lambda: b"end" in gateway.payloads(), "the end")
        expected = {(SITE + topic, b"%d" % number) for number, (_, topic, may) in enumerate(RIGHTS) if may}
        assert {(topic, payload) for topic, payload, _ in gateway.seen if payload != b"end"} == expected
        late = [join(user).subscribe("callfloor/#") for user in (TRYING, "b1", "bot")]
        gateway.publish(f"{SITE}beat", b"last", retain=False)
        readers = [reader for reader in (*others, *late) if reader.payloads()]
        until(lambda: all(b"last" in reader.payloads() for reader in readers), "the last word")
        for reader in (*others, *late):
            assert not [topic for topic, _, _ in reader.seen if "/source/" in topic]
        assert len([reader for reader in (*others, *late) if b"last" in reader.payloads()]) >= 3
        for user in SOURCES:
            assert not [client.seen for client in clients if client.paho.username == user and client.seen]
            wrong = Client(broker, user, password="wrong")
            clients.append(wrong)
            assert wrong.code != 0
    finally:
        for client in clients:
            client.leave()


def test_what_is_pushed_arrives_and_counts_once(broker: RunningBroker) -> None:
    figures = QueueFigures()
    source = floorplan.Source(id="webchat", secret_file=Path("unused"))
    push = Push(source, ["chat"], lambda event: figures.apply(event, 1000.0), lambda: 1000.0)
    gateway = Client(broker, GATEWAY).subscribe(push_topic("s", "+", "+"), 1)
    webchat = Client(broker, "webchat")
    try:
        for body, retain in ((BODY, False), (BODY, False), (b"{Kari", False), (BODY, True)):
            webchat.publish(push_topic("s", "webchat", "chat"), body, retain=retain, qos=1)
        gateway.wait_for(4)
        refused = []
        for topic, payload, _ in gateway.seen:
            assert parse_push_topic(topic) == ("webchat", "chat")
            try:
                push.hear("chat", decode(payload))
            except PushError as error:
                refused.append(str(error))
        assert refused == ["the message: is not JSON in UTF-8"]
        assert (figures.waiting, figures.count("joined"), push.ignored) == (1, 1, 2)
        late = Client(broker, GATEWAY).subscribe(push_topic("s", "+", "+"), 1)
        late.wait_for(1)
        late.leave()
        assert late.seen == [(push_topic("s", "webchat", "chat"), BODY, True)]  # marked as old: to be ignored
    finally:
        gateway.leave()
        webchat.leave()


def test_one_name_is_one_user() -> None:
    with pytest.raises(BrokerError, match="source 'b1' and board 'b1' would be one user here: rename one"):
        OwnBroker(Path("unused"), "s", new_passwords(BOARDS), BOARDS, sources={"b1": "x"})


def test_callfloor_up_lets_the_sources_of_the_site_file_in(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SOURCES["webchat"] + "\n")
    tables = {
        "site": {"id": "s"},
        "source": [{"id": "webchat", "secret_file": "token"}],
        "queue": [{"id": "chat", "name": "Chat", "source": "webchat"}],
        "board": [{"id": "b1"}],
    }
    plan = floorplan.check(tables, "test", tmp_path)
    own, whole = callfloor_up._complete(plan, tmp_path, None)
    assert own
    assert whole.source == plan.source
    broker = RunningBroker(own)
    broker.start()
    gateway, webchat = Client(broker, GATEWAY), Client(broker, "webchat", password=SOURCES["webchat"])
    try:
        gateway.subscribe(push_topic("s", "+", "+"), 1)
        webchat.publish(push_topic("s", "webchat", "chat"), BODY, retain=False)
        gateway.wait_for(1)
        assert gateway.payloads() == [BODY]
    finally:
        gateway.leave()
        webchat.leave()
        broker.stop()
