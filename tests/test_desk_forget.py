"""`callfloor desk forget` at a real broker: what is nobody's goes, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner

import floorplan
from callfloor import app
from gateway.people.people import People
from tests.brokers import Broker
from tests.conftest import until
from tests.house import EXAMPLE, Ear

KEPT = (
    "desk/a1/now", "desk/zz/now", "desk/zz/finding", "desk/yy/now", "board/row-a/input/0/phone",
    "board/row-a/input/4/phone", "board/row-c/input/0/headset", "board/row-a/state", "queue/polski/now",
)  # fmt: skip


@pytest.fixture
def site(broker: Broker, ear: Ear, tmp_path: Path) -> Iterator[Path]:
    """A site file, and what an earlier floor has left at its broker."""
    tables = floorplan.tables_in(EXAMPLE) | {"broker": {"host": broker.host, "port": broker.port}}
    tables["pbx"] = {"asterisk": {"host": "127.0.0.1", "user": "x", "secret_file": "none"}}
    del tables["simulator"]
    path = tmp_path / "site.json"
    path.write_text(json.dumps(tables))
    for topic in KEPT:
        ear.say(topic, b'{"status": "free"}', True)
    until(lambda: len(ear.latest) == len(KEPT), "all of it is kept")
    yield path
    assert not [fields for topic, fields, retained in ear.heard if topic == "desk/a1/now" and not fields]


def forget(site: Path, *args: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["desk", "forget", "--site", str(site), *args])
    wrong = done.exception
    return done.exit_code, done.stdout if wrong is None or isinstance(wrong, SystemExit) else str(wrong)


def kept(broker: Broker) -> set[str]:
    """What the broker keeps now, as somebody hears it who comes anew."""
    ear = Ear(broker)

    def ended() -> bool:
        ear.say("end", b"{}")
        return "end" in ear.latest

    until(ended, "all that is kept")
    ear.close()
    return {topic for topic, fields, retained in ear.heard if retained and fields}


def test_one_desk_that_is_gone_and_only_that(site: Path, broker: Broker) -> None:
    assert forget(site, "zz", "--dry-run")[1].splitlines() == [
        "would clear desk/zz/finding: of desk 'zz', which is not in the site file",
        "would clear desk/zz/now: of desk 'zz', which is not in the site file",
    ]
    assert kept(broker) == set(KEPT)
    code, text = forget(site, "zz")
    assert (code, text.count("cleared")) == (0, 2)
    assert kept(broker) == set(KEPT) - {"desk/zz/now", "desk/zz/finding"}
    assert forget(site, "zz") == (0, "nothing of desk 'zz' stands at the broker\n")
    plan = floorplan.read(site)
    with People(plan.people) as people:
        assert [(row.did, row.what) for row in people.audit()] == [("desk-forgotten", "zz")]


def test_all_that_is_left_with_the_inputs_that_nobody_is_at(site: Path, broker: Broker) -> None:
    gone = {"desk/zz/now", "desk/zz/finding", "desk/yy/now", "board/row-a/input/4/phone", "board/row-c/input/0/headset"}
    told = json.loads(forget(site, "--all", "--json")[1])
    assert {topic.split("/", 3)[3] for topic in told["cleared"]} == gone
    assert kept(broker) == set(KEPT) - gone
    assert forget(site, "--all") == (0, "nothing is left at the broker\n")


def test_more_than_a_broker_queues_for_one_client(site: Path, broker: Broker) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1500)
    client.connect(broker.host, broker.port)
    client.loop_start()
    for number in range(1500):
        last = client.publish(f"callfloor/1/example/desk/gone-{number}/now", b'{"status": "free"}', 1, True)
    last.wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    topics = json.loads(forget(site, "--all", "--json")[1])["cleared"]
    assert len(topics) == 1500 + 5
    assert forget(site, "--all", "--dry-run") == (0, "nothing is left at the broker\n")


@pytest.mark.parametrize(("args", "words"), [
    (("a1",), "desk 'a1' is there, at board 'row-a'"),
    (("A 1",), "'A 1' is no desk's id"),
    ((), "name one desk, or --all"),
    (("zz", "--all"), "name one desk, or --all"),
])  # fmt: skip
def test_what_is_there_is_not_forgotten(site: Path, broker: Broker, args: tuple[str, ...], words: str) -> None:
    code, text = forget(site, *args)
    assert code == 1 and words in text
    assert kept(broker) == set(KEPT)


def test_without_a_broker_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('[site]\nid = "x"\n')
    assert "names no broker" in forget(tmp_path / "site.toml", "zz")[1]
