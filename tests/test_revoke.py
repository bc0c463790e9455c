"""A board that is stolen: what its password opens while it is one, and how fast it is none."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware import contract, start
from gateway.broker import accounts
from tests.boards_broker import BoardsBroker, Visitor
from tests.conftest import until

SITE = "callfloor/1/example"
SHUT_OUT_S = 5.0  # the promise


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardsBroker]:
    with BoardsBroker(tmp_path_factory.mktemp("house")) as house:
        house.up("row-a", "row-b")
        yield house


@contextlib.contextmanager
def thief(house: BoardsBroker, name: str) -> Iterator[Visitor]:
    """Whoever holds a board, and has read its files."""
    told = json.loads(house.told(name).read_text())["broker"]
    visitor = Visitor(house.plan, told["user"], told["password"])
    assert visitor.let_in
    try:
        yield visitor
    finally:
        visitor.close()


def test_a_boards_files_open_its_own_topics_alone(house: BoardsBroker) -> None:
    """All that the contract has is there to be read and written; and `#`, and the broker's own."""
    topics = [
        contract.topic(house.plan.site.id, row.topic, *["row-b" if "board" in row.topic else "x", "0"])
        for row in contract.MESSAGES
    ] + [f"{SITE}/source/ours/queue/q/in", "callfloor/1/other/beat", "elsewhere"]
    keeper = (house.folder / "secrets" / "mqtt").read_text().strip()
    with thief(house, "row-a") as visitor, contextlib.closing(Visitor(house.plan, "gateway_", keeper)) as gateway:
        visitor.subscribe("#", "$SYS/#", f"{SITE}/#", f"{SITE}/board/row-b/#", f"{SITE}/board/+/command")
        for topic in topics:
            gateway.say(topic, b"by the gateway")
        gateway.say(f"{SITE}/board/row-a/command", b"{}")
        until(lambda: (f"{SITE}/board/row-a/command", b"{}") in visitor.heard, "what is its own")
        heard = {topic for topic, _ in visitor.heard}
        alien = {topic for topic in heard if not topic.startswith(f"{SITE}/board/row-a/")}
        assert alien <= {f"{SITE}/beat", f"{SITE}/values", f"{SITE}/gateway/state"}, alien
        assert {f"{SITE}/beat", f"{SITE}/gateway/state"} <= alien

        for topic in [*topics, *(topic.replace("row-b", "row-a") for topic in topics if "row-b" in topic)]:
            visitor.say(topic, b"by the thief")
        visitor.say(f"{SITE}/board/row-a/answer", b"the last")
        until(lambda: ("board/row-a/answer", b"the last") in [row[:2] for row in house.ear.heard], "what is its own")
        stolen = {topic for topic, payload, _ in house.ear.heard if payload == b"by the thief"}
        sent = {contract.topic("", row.topic, "row-a", "0")[13:] for row in contract.MESSAGES if row.sender == "board"}
        assert stolen == sent, "what a board says, under its own name, and nothing else"
        for topic in [*topics, *(f"{SITE}/{topic}" for topic in sent), f"{SITE}/board/row-a/command"]:
            gateway.say(topic, b"")


def test_no_board_can_take_anothers_place_at_the_broker(house: BoardsBroker) -> None:
    """A broker throws out the older of two with one client id: the thief cannot reckon another board's."""
    told = json.loads(house.told("row-a").read_text())["broker"]
    taken = "already connected, closing old connection"
    name, began = house.client_ids("row-b")[-1], len(house.said())
    for client_id in ("example-row-b", start.client_id("example", "row-b", told["password"])):
        with contextlib.closing(Visitor(house.plan, told["user"], told["password"], client_id)) as visitor:
            assert visitor.let_in
    assert taken not in house.said()[began:]
    before = house.let_in("row-b")
    with contextlib.closing(Visitor(house.plan, told["user"], told["password"], name)):
        until(lambda: f"{name} {taken}" in house.said()[began:], "whoever knows it can")
    house.ready("row-b", before + 1)

    twin, began = house.boards["row-b"], len(house.said())
    house.start("row-b")  # once more, with the same board.json
    until(lambda: f"{name} {taken}" in house.said()[began:], "one of the two is thrown out")
    twin.kill()
    twin.wait(5)
    house.kill("row-b")
    before = house.let_in("row-b")
    house.start("row-b")
    house.ready("row-b", before)


def test_a_revoked_board_is_out_at_once(house: BoardsBroker) -> None:
    old = house.password("row-a")
    house.kill("row-a")
    house.start("row-a")
    until(lambda: house.state("row-a") == "ready", "row-a is ready")
    before, other = house.let_in("row-a"), house.let_in("row-b")
    with thief(house, "row-a") as visitor:  # beside the board itself: whoever has its password
        started = time.monotonic()
        done = house.callfloor("revoke", "row-a")
        took_s = time.monotonic() - started
        print(done.stdout, f"{took_s:.2f} s with the start of the command")
        assert done.returncode == 0, done
        assert not visitor.there and not house.lets_in("row-a", old)
    assert took_s < SHUT_OUT_S
    assert "row-a' is shut out after" in done.stdout and "a connection under its name was thrown out" in done.stdout
    until(lambda: house.state("row-a") == "lost", "the page shows it lost", 1)
    until(lambda: "refused the user or password" in (house.folder / "row-a.log").read_text()[-200:], "it is refused")
    assert house.let_in("row-a") == before, "it comes in no more"
    assert not house.secret("row-a").exists() and "row-a" not in accounts.users(house.plan)
    assert house.let_in("row-b") == other and house.boards["row-b"].poll() is None, "the others notice nothing"

    again = house.callfloor("revoke", "row-a")
    assert again.returncode == 0 and "no password of it was here to try" in again.stdout, again
    house.kill("row-a")
    house.provision("row-a")
    house.start("row-a")
    house.ready("row-a", before)


def test_a_new_board_json_ends_the_old_one(house: BoardsBroker, tmp_path: Path) -> None:
    """Whoever has an old one, a backup or a lent file, has nothing; nothing secret is printed."""
    old = house.password("row-b")
    out = tmp_path / "board.json"
    before = house.let_in("row-b")
    done = house.callfloor("json", "row-b", "--pins", "memory", "--out", str(out))
    new = json.loads(out.read_text())["broker"]["password"]
    assert done.returncode == 0 and out.stat().st_mode & 0o777 == 0o600
    assert new == house.password("row-b") != old and len(new) == 32
    assert house.lets_in("row-b", new) and not house.lets_in("row-b", old)
    for secret in (old, new):
        assert secret not in done.stdout + done.stderr
    house.kill("row-b")
    house.told("row-b").write_text(out.read_text())
    house.start("row-b")
    house.ready("row-b", before)


def test_a_board_json_that_cannot_be_written_leaves_the_old_one_working(house: BoardsBroker, tmp_path: Path) -> None:
    old = house.password("row-b")
    (tmp_path / "file").write_text("")
    for out, words in (
        ((), "it holds passwords and is printed nowhere; name a file: --out row-b.json"),
        (("--out", str(tmp_path / "file" / "board.json")), "cannot be written"),
    ):
        said = house.callfloor("json", "row-b", "--pins", "memory", *out)
        assert said.returncode == 1 and words in said.stderr and len(said.stderr.splitlines()) == 1, said
        assert house.password("row-b") == old and house.lets_in("row-b", old)


def test_what_cannot_be_revoked_is_said(house: BoardsBroker, tmp_path: Path) -> None:
    for name, words in (
        ("row-c", "no board 'row-c' in the site file, and no account; did you mean 'row-"),
        ("gateway_", "no board 'gateway_' in the site file"),
    ):
        said = house.callfloor("revoke", name)
        assert said.returncode == 1 and words in said.stderr and len(said.stderr.splitlines()) == 1, said
    passwords = house.folder / "broker" / accounts.PASSWORDS
    kept = passwords.rename(tmp_path / "passwords")
    said = house.callfloor("revoke", "row-b")
    kept.rename(passwords)
    assert said.returncode == 1 and "there is no broker of ours on this computer" in said.stderr, said
    assert house.lets_in("row-b", house.password("row-b")), "and its password is still there"


def test_a_board_is_revoked_where_the_broker_does_not_run(house: BoardsBroker) -> None:
    """Good where none runs; where another one answers there, it is said that the board may still be in."""
    pid = house.folder / "broker" / accounts.PID
    text = pid.read_text()
    old = house.password("row-a")
    pid.unlink()
    said = house.callfloor("revoke", "row-a")
    assert said.returncode == 1 and "THE BOARD MAY STILL BE IN" in said.stdout, said
    assert house.lets_in("row-a", old)
    pid.write_text(text)
    before = {name: house.let_in(name) for name in ("row-a", "row-b")}
    house.kill_broker()
    said = house.callfloor("revoke", "row-a")
    assert said.returncode == 0 and "no broker runs at" in said.stdout, said
    house.start_broker()
    assert not house.lets_in("row-a", old)

    house.kill("row-a")
    house.provision("row-a")  # all as it was, for whichever test comes next
    house.start("row-a")
    for name in ("row-a", "row-b"):
        house.ready(name, before[name])
