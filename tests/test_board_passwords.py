"""Boards' passwords where something dies half way, and what a thief leaves at the broker: a real mosquitto."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from boards import login
from firmware import contract
from floorplan import SiteError
from gateway.broker import accounts, rights
from gateway.broker import boards as board_accounts
from gateway.broker import setup as house_broker
from gateway.broker.accounts import AccountsError
from gateway.floor import Floor
from tests.conftest import until
from tests.house_brokers import HouseBroker

OWN = "callfloor/1/skien/board/a1"
MEMORY = {"kind": "memory"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseBroker]:
    house = HouseBroker(tmp_path_factory.mktemp("house"))
    house.setup()
    house.start()
    yield house
    house.stop()


@pytest.fixture
def old(house: HouseBroker) -> str:
    """The password of a1, which is somebody whatever became of it before."""
    house.setup()
    until(lambda: lets_in(house, house.password("a1")), "a1 is somebody")
    return house.password("a1")


def lets_in(house: HouseBroker, password: str) -> bool:
    guest = house.client("a1", password)
    guest.close()
    return guest.code == 0


def beside(house: HouseBroker) -> list[str]:
    """What is there of a1's password: files."""
    return sorted(path.name for path in (house.home / "secrets" / "boards").glob("a1*"))


def fails(*_: Any, **__: Any) -> Any:
    raise AccountsError("the power goes")


# What dies half way -----------------------------------------------------------


@pytest.mark.parametrize("step", ["remove", "reload", "forget"])
def test_setup_brings_no_revoked_board_back(
    step: str, house: HouseBroker, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a revocation dies at: setup finishes it. Then the board gets a password that nobody has."""
    where = board_accounts if step == "forget" else accounts
    with monkeypatch.context() as patch, pytest.raises(AccountsError):
        patch.setattr(where, step, fails)
        board_accounts.revoke(house.plan, "a1")
    for _ in range(2):
        house.setup()
        until(lambda: not lets_in(house, old), "the old password opens nothing")
        assert "a1.revoked" not in beside(house)
    assert beside(house) == ["a1"] and house.password("a1") != old


@pytest.mark.parametrize("before", ["a password", "none"])
def test_setup_finishes_a_new_board_json(
    before: str, house: HouseBroker, old: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It was written and the account has it, but the disk is full for the host's own file."""
    if before == "none":
        assert board_accounts.revoke(house.plan, "a1").good
    file, write, out = house.home / "secrets" / "boards" / "a1", board_accounts._write, tmp_path / "board.json"

    def full(path: Path, text: str) -> None:
        if path == file:
            raise SiteError("no space left")
        write(path, text)

    with monkeypatch.context() as patch, pytest.raises(SiteError, match="no space left"):
        patch.setattr(board_accounts, "_write", full)
        board_accounts.provision(house.plan, "a1", MEMORY, out)
    new = json.loads(out.read_text())["broker"]["password"]
    house.setup()
    until(lambda: lets_in(house, new), "the new one")
    assert not lets_in(house, old) and beside(house) == ["a1"] and house.password("a1") == new


def test_a_board_json_that_never_came_to_the_account_changes_nothing(
    house: HouseBroker, old: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch, pytest.raises(AccountsError):
        patch.setattr(accounts, "put", fails)
        board_accounts.provision(house.plan, "a1", MEMORY, tmp_path / "board.json")
    house.setup()
    assert lets_in(house, old) and house.password("a1") == old
    board_accounts.provision(house.plan, "a1", MEMORY, tmp_path / "board.json")
    assert beside(house) == ["a1"]


def test_setup_and_other_commands_wait_for_each_other(
    house: HouseBroker, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What setup has read is still so when it writes: no password is taken away between the two."""
    monkeypatch.setattr(board_accounts, "LOCK_S", 0.1)
    with board_accounts.alone(house.home / "secrets" / "boards" / "a1"), pytest.raises(SiteError, match="another"):
        house.setup()
    put_all: Callable[..., None] = accounts.put_all
    said = []

    def while_it_writes(*args: Any) -> None:
        with pytest.raises(SiteError, match="another command is changing boards' passwords") as error:
            board_accounts.revoke(house.plan, "a1")
        said.append(error)
        put_all(*args)

    monkeypatch.setattr(accounts, "put_all", while_it_writes)
    house.setup()
    assert said and lets_in(house, old)


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")  # paho leaves it open after a bad handshake
def test_a_broker_that_does_not_answer_has_refused_nobody(
    house: HouseBroker, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_accounts, "VISIT_S", 1.0)
    assert house.proc
    house.proc.send_signal(signal.SIGSTOP)
    try:
        told = board_accounts.revoke(house.plan, "a1")
    finally:
        house.proc.send_signal(signal.SIGCONT)
    assert not told.good and "IT IS NOT TRIED" in told.words and "refused" not in told.words
    told = board_accounts.revoke(house.plan, "a1")
    assert told.good and "its password is refused" in told.words
    assert beside(house) == []


# What a thief leaves ----------------------------------------------------------


def test_a_thief_leaves_nothing_behind(house: HouseBroker, old: str) -> None:
    """Retained topics have an end, and go with him; what he said of his starts does not keep him on the page."""
    gateway, thief = house.gateway(), house.client("a1", old)
    heard: list[tuple[str, bytes, bool]] = []
    gateway.paho.on_message = lambda _c, _u, said: heard.append((said.topic, bytes(said.payload), said.retain))
    gateway.say(f"{OWN}/panel/0/scene", b"of the gateway", retain=True)
    gateway.paho.subscribe(f"{OWN}/#")
    hello = {"definition": "simulated", "firmware": "", "python": "", "inputs": "", "panels": "", "restart": ""}
    thief.say(f"{OWN}/hello", contract.encode("board/+/hello", {**hello, "boot": "aaaa", "health_s": 3600}), True)
    thief.say(f"{OWN}/state", contract.encode("board/+/state", {"state": "ready", "boot": "bbbb"}), True)
    tries = [f"{OWN}/{what}" for number in range(100)
             for what in (f"input/{number}/phone", f"input/{number}/headset", f"panel/{number}/shown")]  # fmt: skip
    for topic in (*tries, f"{OWN}/input/x/phone", f"{OWN}/panel/0 /shown"):
        thief.paho.publish(topic, b"{}", 1, True)
    thief.say(f"{OWN}/raw", b"", False)
    until(lambda: heard and heard[-1][0] == f"{OWN}/raw", "all that he said")
    taken = {topic for topic, _, _ in heard}
    assert taken & {*tries} == {*tries[: 3 * rights.PLACES]}
    assert len(taken) == 3 * rights.PLACES + 4, "and the scene, hello, state, raw"

    assert board_accounts.revoke(house.plan, "a1").good
    late = house.gateway()
    late.paho.subscribe(f"{OWN}/#")
    late.paho.subscribe(f"{OWN}/end")
    late.say(f"{OWN}/end", b".")
    until(lambda: f"{OWN}/end" in late.heard, "what is retained")
    assert set(late.heard) == {f"{OWN}/{what}" for what in ("panel/0/scene", "state", "hello", "end")}
    assert b"3600" not in late.heard[f"{OWN}/hello"]

    until(lambda: heard[-1][1] == b".", "what the gateway heard of it")
    floor = Floor(house.plan, 0.0)
    for topic, payload, retained in heard:
        if topic in (f"{OWN}/hello", f"{OWN}/state"):
            pattern, ids, fields = contract.parse(topic, payload)
            floor.hear_board(pattern, ids, fields, retained, 1.0)
    assert floor.boards["a1"].presence(1.0)[0] == "lost"
    gateway.say(f"{OWN}/panel/0/scene", b"", retain=True)
    for guest in (gateway, late, thief):
        guest.close()


def test_of_a_board_that_is_not_in_the_site_file_nothing_stays(house: HouseBroker, old: str) -> None:
    gateway = house.gateway()
    gateway.say(f"{OWN}/panel/0/scene", b"of the gateway", retain=True)
    thief = house.client("a1", old)
    thief.say(f"{OWN}/state", b"{}", True)
    whole = house.tables["board"]
    house.tables["board"] = [{"id": "a2"}]
    house.write()
    assert board_accounts.revoke(house.plan, "a1").good
    house.tables["board"] = whole
    house.write()
    gateway.paho.subscribe(f"{OWN}/#")
    gateway.paho.subscribe(f"{OWN}/end")
    gateway.say(f"{OWN}/end", b".")
    until(lambda: f"{OWN}/end" in gateway.heard, "what is retained")
    assert set(gateway.heard) == {f"{OWN}/end"}
    for guest in (gateway, thief):
        guest.close()


def test_a_thief_cannot_fill_a_queue_of_his_own(house: HouseBroker, old: str) -> None:
    """A session that the broker keeps for him has nothing of what he says himself, only what he is told."""
    his: list[tuple[str, bytes]] = []
    broker = house.plan.broker
    assert broker

    def come() -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, "his-own", clean_session=False, reconnect_on_failure=False)
        client.username_pw_set("a1", old)
        client.tls_set_context(login.context(broker))
        client.on_message = lambda _c, _u, message: his.append((message.topic, bytes(message.payload)))
        client.on_subscribe = lambda *_: his.append(("subscribed", b""))
        client.connect(broker.host, broker.port)
        client.loop_start()
        return client

    first = come()
    until(first.is_connected, "he is in")
    first.subscribe([(f"{OWN}/#", 1), ("#", 1)])
    until(lambda: his, "he has subscribed")
    first.disconnect()
    first.loop_stop()
    thief, gateway = house.client("a1", old), house.gateway()
    for number in range(20):
        thief.say(f"{OWN}/input/0/phone", b"%d" % number * 10_000, True)
    gateway.say(f"{OWN}/command", b"the last")
    his.clear()
    second = come()
    until(lambda: (f"{OWN}/command", b"the last") in his, "his session")
    assert [topic for topic, _ in his] == [f"{OWN}/command"] * len(his)
    second.disconnect()
    second.loop_stop()
    for guest in (thief, gateway):
        guest.close()


def test_the_brokers_memory_has_an_end(tmp_path: Path) -> None:
    """Whoever fills it is put out; others get in."""
    house = HouseBroker(tmp_path, host="127.0.0.1", tls=False, ca_file=None)
    house.setup()
    conf = house.folder / accounts.CONF
    text, count = re.subn(r"^memory_limit \d+$", "memory_limit 10000000", conf.read_text(), flags=re.M)
    assert count == 1
    conf.write_text(text)
    house.start()
    try:
        greedy = house.gateway()
        for number in range(1500):
            greedy.paho.publish(f"callfloor/1/skien/wall/w{number}/now", b"x" * 30_000, 1, True)
        until(greedy.ended.is_set, "it is put out")
        assert house.proc
        words = Path(f"/proc/{house.proc.pid}/status").read_text().split()
        assert int(words[words.index("VmRSS:") + 1]) < 30_000
        board = house.client("a1", house.password("a1"))
        assert board.is_in
        for guest in (greedy, board):
            guest.close()
    finally:
        house.stop()


def test_a_board_with_more_places_than_the_broker_takes_is_said(house: HouseBroker, old: str) -> None:
    plan = house.plan
    inputs = tuple(object() for _ in range(rights.PLACES + 1))
    board = plan.board[0].model_copy(update={"inputs": inputs})
    with pytest.raises(SiteError, match="a1: more than 64 inputs or walls"):
        house_broker.setup(plan.model_copy(update={"board": (board, *plan.board[1:])}), house.site)


# Whose the file is ------------------------------------------------------------


@pytest.mark.parametrize("sudo", [None, "4321"])
def test_a_board_json_is_never_for_whoever_made_the_file_before(
    sudo: str | None, house: HouseBroker, old: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As root in a folder of all: for who gave the command. Else: for us."""
    monkeypatch.delenv("SUDO_UID", raising=False)
    if sudo:
        monkeypatch.setenv("SUDO_UID", sudo)
        monkeypatch.setenv("SUDO_GID", sudo)
    out = tmp_path / "board.json"
    out.write_text("{}")
    tmp_path.chmod(0o1777)
    root = os.geteuid() == 0
    if root:
        os.chown(out, 1234, 1234)
    board_accounts.provision(house.plan, "a1", MEMORY, out)
    told = out.stat()
    assert told.st_uid == (int(sudo) if sudo and root else os.geteuid()) and told.st_mode & 0o777 == 0o600
    assert json.loads(out.read_text())["broker"]["password"] == house.password("a1")
