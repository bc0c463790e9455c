"""Whoever runs `callfloor up` may try things at its broker, nobody else; and `callfloor broker listen`."""

from __future__ import annotations

import itertools
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import floorplan
from boards import listen, trying
from boards.command import CommandError
from floorplan import SiteError
from gateway.broker.rights import GATEWAY, TRYING
from gateway.broker.trial import OwnBroker, new_passwords
from simulator.board import free_port
from tests.brokers import HOST, mosquitto
from tests.conftest import until
from tests.pythons import ROOT
from tests.test_broker import Client, RunningBroker
from tests.test_commands import running

KEEP = """
import sys, time
from boards import trying
with trying.kept("127.0.0.1", int(sys.argv[1]), "a-password") as path:
    print(path, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, for this process and those that it starts."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield tmp_path
    monkeypatch.setattr("tempfile.tempdir", None)


def ours(place: Path) -> Path:
    return place / f"callfloor-{os.geteuid()}"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_login_is_there_for_this_user_alone_and_while_it_runs(place: Path) -> None:
    before = os.umask(0)  # the worst there is
    try:
        with trying.kept(HOST, 1884, "a-password") as path, trying.kept("::1", 1884, "another"):
            assert path.parent == ours(place)
            assert "1884" in path.name
            assert (mode(path), mode(path.parent)) == (0o600, 0o700)
            for host in (HOST, "localhost"):
                found = trying.login_at(host, 1884)
                assert found and (found.user, floorplan.secret(found.secret_file)) == (TRYING, "a-password")
            found = trying.login_at("::1", 1884)
            assert found and floorplan.secret(found.secret_file) == "another"
            for host, port in (
                (HOST, 1885),
                ("127.0.0.2", 1884),
                ("10.0.0.2", 1884),
                ("somewhere", 1884),
                ("../x", 1),
            ):
                assert trying.login_at(host, port) is None
    finally:
        os.umask(before)
    assert trying.login_at(HOST, 1884) is None
    assert list(place.iterdir()) == []


def test_the_folder_of_the_session_is_taken_where_it_is_ours(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = place / "run"
    run.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    with trying.kept(HOST, 1884, "a-password") as path:
        assert path.parent == run / "callfloor"
        assert trying.login_at(HOST, 1884)
    with trying.kept(HOST, 1884, "a-password"):
        monkeypatch.delenv(
            "XDG_RUNTIME_DIR"
        )  # another shell, which has none: it looks elsewhere, and finds nothing
        assert trying.login_at(HOST, 1884) is None
    with trying.kept(HOST, 1884, "a-password") as path:
        assert path.parent == ours(place)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
        assert trying.login_at(HOST, 1884)
    if os.geteuid() == 0:
        os.chown(run, 12345, -1)
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", "/")
    with trying.kept(HOST, 1884, "a-password") as path:
        assert path.parent == ours(place)


@pytest.mark.parametrize("trap", ["link", "link to nothing", "open folder", "file", "folder of another"])
def test_what_somebody_has_put_there_before_us_is_refused(
    trap: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder = ours(place)
    if trap.startswith("link"):
        folder.symlink_to(elsewhere if trap == "link" else place / "nothing")
    elif trap == "file":
        folder.touch(mode=0o700)
    else:
        folder.mkdir()
        folder.chmod(0o750 if trap == "open folder" else 0o700)
    if trap == "folder of another":
        if os.geteuid() == 0:
            os.chown(folder, 12345, -1)
        else:
            us = os.geteuid()
            monkeypatch.setattr(os, "geteuid", lambda: us + 1)
            folder.rename(ours(place))
            folder = ours(place)
    words = rf"{folder}: this is not a folder that you alone can open"
    with pytest.raises(SiteError, match=words), trying.kept(HOST, 1884, "a-password"):
        pass
    with pytest.raises(SiteError, match=words):
        trying.login_at(HOST, 1884)
    assert list(elsewhere.iterdir()) == []
    assert not folder.is_dir() or list(folder.iterdir()) == []


def test_what_those_who_were_killed_have_left_is_removed_and_no_more(place: Path) -> None:
    keepers = {}
    try:
        for port in (1884, 1885, 1886):
            keepers[port] = subprocess.Popen(
                [sys.executable, "-c", KEEP, str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
        for keeper in keepers.values():
            assert keeper.stdout and keeper.stdout.readline()
        for port in (1884, 1885):
            keepers[port].kill()
            keepers[port].wait(10)
        assert len(list(ours(place).iterdir())) == 3
        with trying.kept(HOST, 1884, "a-new-one") as path:
            assert sorted(file.name[-4:] for file in path.parent.iterdir()) == ["1884", "1886"]
            assert path.read_text() == "a-new-one\n"
        assert [file.name[-4:] for file in ours(place).iterdir()] == ["1886"]
        assert trying.login_at(HOST, 1886)
    finally:
        for keeper in keepers.values():
            keeper.kill()
            keeper.communicate(timeout=10)


def plan(broker: dict[str, object] | None = None) -> floorplan.Plan:
    return floorplan.check({"site": {"id": "s"}} | ({"broker": broker} if broker else {}), "test", Path())


def test_where_there_is_no_login_it_is_said_what_to_do(place: Path) -> None:
    with pytest.raises(
        SiteError, match=r"the site file names no broker, and there is no .*--mqtt 127\.0\.0\.1:1883"
    ):
        trying.broker_of(plan(), None)
    with pytest.raises(SiteError, match=r"no site file, and no address, and there is no `callfloor up` of yours"):
        trying.broker_of(None, None)
    for host in (HOST, "10.0.0.2"):
        with pytest.raises(
            SiteError, match=rf"no login of yours for a broker at {host}:1884: `callfloor up` keeps one"
        ):
            trying.broker_of(plan(), (host, 1884))
    with trying.kept(HOST, 1884, "a-password"):
        assert trying.broker_of(plan(), (HOST, 1884)).user == TRYING
        assert trying.broker_of(plan(), None) == trying.broker_of(None, None) == trying.login_at(HOST, 1884)
        with trying.kept(HOST, 1885, "another"), pytest.raises(SiteError, match="or more than one"):
            trying.broker_of(None, None)
        named = trying.broker_of(plan({"host": "10.0.0.2", "user": "gateway_", "port": 1}), (HOST, 1884))
    assert (named.host, named.port, named.user) == (
        HOST,
        1884,
        "gateway_",
    )  # the site file's login, where it has one


# Listening --------------------------------------------------------------------------


@pytest.fixture(params=["mosquitto", "nats-server"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningBroker]:
    own = OwnBroker(
        tmp_path / "broker", "s", new_passwords(["b1"]), ["b1"], kind=request.param, sources={"bot": "t"}
    )
    running = RunningBroker(own)
    running.start()
    yield running
    running.stop()


def test_what_is_said_is_printed_as_it_comes_until_ctrl_c(
    broker: RunningBroker, place: Path, tmp_path: Path
) -> None:
    where = f"{HOST}:{broker.port}"
    gateway = Client(broker, GATEWAY).subscribe("callfloor/1/s/#")
    bot, b1 = Client(broker, "bot"), Client(broker, "b1")
    site = tmp_path / "site.toml"
    (tmp_path / "secret").write_text(broker.users[GATEWAY])
    site.write_text(
        f'[site]\nid = "s"\n[broker]\nport = {broker.port}\nuser = "{GATEWAY}"\nsecret_file = "{tmp_path}/secret"\n'
    )
    (tmp_path / "boards").mkdir()
    try:
        gateway.publish("callfloor/1/s/desk/a1/now", '{"status":"fri på norsk"}'.encode())
        b1.publish("callfloor/1/s/board/b1/hello", b"hello")
        with (
            trying.kept(HOST, broker.port, broker.users[TRYING]),
            running(tmp_path / "boards", "broker", "listen", "--mqtt", where, "--topic", "board/#") as boards,
            running(tmp_path, "broker", "listen", str(site)) as everything,
        ):
            boards.wait("it listens", lambda: "hello" in boards.text())
            everything.wait("what is kept", lambda: everything.text().count("\n") == 2)
            gateway.publish("callfloor/1/s/beat", b"1", retain=False)
            bot.publish("callfloor/1/s/source/bot/queue/chat", b"A Caller", retain=False)
            b1.publish("callfloor/1/s/board/b1/state", b"\x1b[2J\x9b\xff\n\xe2\x80\xaeend")
            until(
                lambda: b"A Caller" in gateway.payloads() and b"end" in gateway.payloads()[-1], "it is all said"
            )
            gateway.publish("callfloor/1/s/board/b1/state", b"")
            gateway.publish("callfloor/1/s/values", b"end", retain=False)
            everything.wait("the end", lambda: "values end\n" in everything.text())
            kept, said = everything.text().splitlines()[:2], everything.text().splitlines()[2:]
            assert sorted(kept) == ["board/b1/hello hello", 'desk/a1/now {"status":"fri på norsk"}']
            of_board = ["board/b1/state \\x1b[2J\\x9b\\xff\\n\\u202eend", "board/b1/state (cleared)"]
            assert said == ["beat 1", *of_board, "values end"]
            boards.wait("the board's", lambda: "(cleared)" in boards.text())
            assert boards.text().splitlines() == ["board/b1/hello hello", *of_board]
            assert everything.ctrl_c() == 130
            assert everything.text().splitlines()[2:] == said
            broker.stop()
            assert boards.process.wait(10) == 1
            assert boards.text().splitlines()[3:] == [f"callfloor: the broker at {where} is gone"]
    finally:
        for client in (gateway, bot, b1):
            client.leave()


def test_a_broker_that_is_not_there_or_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(broker: floorplan.Broker) -> list[listen.Said]:
        return list(itertools.islice(listen.heard(broker, "s", "#"), 1))

    with pytest.raises(CommandError, match=r"no broker at 127\.0\.0\.1:\d+ \(.*\); does it run"):
        first(floorplan.Broker(port=free_port()))
    with (
        mosquitto(tmp_path, ["allow_anonymous false"]) as strict,
        pytest.raises(CommandError, match=r"refuses: not authorized; \[broker\] user and secret_file"),
    ):
        first(floorplan.Broker(port=strict.port))
    own = OwnBroker(tmp_path / "own", "s", new_passwords(["b1"]), ["b1"], kind="nats-server")
    own.write()
    (tmp_path / "b1").write_text(own.users["b1"])
    server = RunningBroker(own)
    server.start()
    try:
        with pytest.raises(CommandError, match=r"does not let you listen to '#'"):
            first(floorplan.Broker(port=own.port, user="b1", secret_file=tmp_path / "b1"))
    finally:
        server.stop()


@pytest.mark.parametrize("topic", ["", "callfloor/1/s/beat", "board/#/state", "bo+rd/b1", "desk/a#", "a\nb"])
def test_a_topic_that_is_none_is_said(topic: str) -> None:
    with pytest.raises(SiteError, match=r"is no topic as docs/contract\.md has them, like board/#"):
        listen.checked(topic)


def test_topics_with_and_without_wildcards_are_taken() -> None:
    for topic in ("#", "+", "beat", "board/#", "desk/+/now", "board/row-a/input/+/phone"):
        assert listen.checked(topic) == topic
