"""`callfloor broker setup`, and accounts at a running broker: real mosquitto, TLS, real clients."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from floorplan import SiteError
from gateway.broker import accounts, mosquitto
from gateway.broker import setup as house_broker
from gateway.broker.accounts import AccountsError
from tests import certificates
from tests.brokers import program
from tests.conftest import until
from tests.forks import finished
from tests.house_brokers import HouseBroker

ROOT = Path(__file__).parent.parent


@pytest.fixture
def house(tmp_path: Path) -> Iterator[HouseBroker]:
    """Set up, not started."""
    house = HouseBroker(tmp_path, sources=("chat",))
    house.setup()
    yield house
    house.stop()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Setup -----------------------------------------------------------------------


def test_the_command_makes_a_broker_that_works_and_prints_no_secret(tmp_path: Path) -> None:
    house = HouseBroker(tmp_path, sources=("chat",))
    ourselves = pwd.getpwuid(os.geteuid()).pw_name
    done = finished("broker", "setup", str(house.site), "--user", ourselves)
    assert (done.returncode, done.stderr) == (0, "")
    secrets = [(tmp_path / "secrets" / name).read_text().strip() for name in ("mqtt", "chat", "boards/a1", "boards/a2")]
    assert len({*secrets}) == 4
    for secret in secrets:
        assert len(bytes.fromhex(secret)) == 16
        assert secret not in done.stdout
    house.start()
    try:
        for user, secret in zip(("gateway_", "chat", "a1", "a2"), secrets, strict=True):
            guest = house.client(user, secret)
            assert guest.code == 0, user
            guest.close()
            assert house.client(user, secrets[0][::-1]).code == 135
    finally:
        house.stop()


def test_every_secret_is_for_its_user_alone(house: HouseBroker) -> None:
    public = {"ca.pem", "server.pem", "callfloor-broker.service"}
    for path in [*house.folder.rglob("*"), *(house.home / "secrets").rglob("*")]:
        if path.is_file():
            assert path.stat().st_mode & 0o777 == (0o644 if path.name in public else 0o600), path
        elif path != house.home / "secrets":
            assert path.stat().st_mode & 0o777 == 0o700, path
    passwords = (house.folder / "passwords").read_text()
    assert not any(house.password(board) in passwords for board in ("a1", "a2"))


def test_run_again_nothing_changes(house: HouseBroker) -> None:
    before = files(house.home)
    assert house.setup()[0] == "everything is there already"
    assert files(house.home) == before


def test_modes_that_were_opened_are_shut_again(house: HouseBroker) -> None:
    for name in ("passwords", "rights", "server.key", "mosquitto.conf"):
        (house.folder / name).chmod(0o644)
    house.setup()
    for name in ("passwords", "rights", "server.key", "mosquitto.conf"):
        assert (house.folder / name).stat().st_mode & 0o777 == 0o600


def test_who_is_not_in_the_site_file_any_more_is_out_at_once_and_others_stay(house: HouseBroker) -> None:
    house.start()
    a1, a2 = house.client("a1", house.password("a1")), house.client("a2", house.password("a2"))
    assert a1.is_in
    house.tables["board"] = [{"id": "a1"}, {"id": "a3"}]
    house.write()
    said = house.setup()
    assert "a3 may log in from now on" in said
    assert "a2 may not log in any more" in said
    assert a2.ended.wait(5)
    a3 = house.client("a3", house.password("a3"))
    assert a3.is_in
    assert a1.is_in
    a1.close()
    a3.close()


def test_what_is_retained_outlives_the_broker(house: HouseBroker) -> None:
    house.start()
    board = house.client("a1", house.password("a1"))
    board.say("callfloor/1/skien/board/a1/hello", b"{}", retain=True)
    board.close()
    house.stop()
    house.start()
    gateway = house.gateway()
    gateway.paho.subscribe("callfloor/1/skien/#")
    until(lambda: gateway.heard, "the retained hello")
    assert gateway.heard == {"callfloor/1/skien/board/a1/hello": b"{}"}
    gateway.close()


def test_plain_is_for_loopback_alone_and_tls_for_all() -> None:
    """The listener by [broker], as mosquitto is told it."""
    for broker, listener in (
        ({"host": "127.0.0.1", "port": 1883}, "1883 127.0.0.1"),
        ({"host": "localhost", "port": 8883, "tls": True, "ca_file": "ca"}, "8883 localhost"),
        ({"host": "localhost", "boards_host": "10.0.0.2", "port": 8883, "tls": True, "ca_file": "ca"}, 8883),
        ({"host": "broker.house.test", "port": 8883, "tls": True, "ca_file": "ca"}, 8883),
    ):
        told = house_broker.settings(floorplan.Broker.model_validate(broker), Path("/b"), "mosquitto")
        assert told["listener"] == listener
        assert ("certfile" in told) == bool(broker.get("tls"))
        assert told["allow_anonymous"] == "false"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": "10.0.0.2", "tls": None, "ca_file": None}, r"host 10\.0\.0\.2: passwords would cross that network"),
        ({"boards_host": "pbx", "tls": None, "ca_file": None}, r"boards_host pbx: passwords would cross"),
        ({"boards_folder": None}, r"board 'a1' has no password.*boards_folder = "),
        ({"user": None}, r"the gateway needs a name and a password"),
        ({"user": "a1"}, r"\[broker\] user 'a1' is the gateway, and a board or source of that name would be it"),
        ({"user": "gate way"}, r"'gate way' cannot be a user of the broker"),
        ({"ca_file": "elsewhere.pem"}, r"there is no ca_file .*elsewhere\.pem; our authority is ca_file = .*ca\.pem"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    house = HouseBroker(tmp_path)
    house.write(**change)
    with pytest.raises((SiteError, AccountsError), match=words):
        house.setup()


def test_without_a_broker_in_the_site_file_there_is_nothing_to_set_up(tmp_path: Path) -> None:
    house = HouseBroker(tmp_path)
    del house.tables["broker"]
    house.site.write_text(json.dumps(house.tables))
    with pytest.raises(AccountsError, match=r"names no broker.*`callfloor broker setup`"):
        house.setup()


def test_a_certificate_of_the_sites_own(tmp_path: Path) -> None:
    certificates.authority(tmp_path, "house")
    certificates.certificate(tmp_path, "broker", "house", "DNS:localhost")
    own: dict[str, Any] = {"ca_file": "house.pem", "cert_file": "broker.pem", "key_file": "broker.key"}
    house = HouseBroker(tmp_path, **own)
    house.setup()
    assert not (house.folder / "ca.pem").exists()
    house.start()
    try:
        stays = house.gateway()
        first = shown(house)
        certificates.certificate(tmp_path, "broker", "house", "DNS:localhost")
        house.setup()  # as after a renewal: the running broker takes it
        until(lambda: shown(house) != first, "the renewed certificate is shown")
        stays.say("callfloor/1/skien/test", b"")
        assert stays.is_in
        assert house.gateway().is_in
    finally:
        house.stop()
    house.write(boards_host="10.0.0.2")
    with pytest.raises(SiteError, match=r"nobody would believe that the broker is 10\.0\.0\.2 .*mismatch"):
        house.setup()


def shown(house: HouseBroker) -> str:
    broker = house.plan.broker
    assert broker
    return ssl.get_server_certificate((broker.host, broker.port), ca_certs=str(broker.ca_file))


def test_mosquitto_becomes_the_user_whose_files_they_are() -> None:
    """As root: Debian's user mosquitto, who may read nothing else of ours. Not as root: whoever we are."""
    ourselves = os.geteuid()
    user = "mosquitto" if ourselves == 0 else pwd.getpwuid(ourselves).pw_name
    folder = Path(tempfile.mkdtemp(prefix="callfloor-test-"))
    house = HouseBroker(folder)
    try:
        folder.chmod(0o755)
        said = house_broker.setup(house.plan, house.site)
        assert not [line for line in said if line.startswith("warning")]
        told = {path.name: pwd.getpwuid(path.stat().st_uid).pw_name for path in house.folder.iterdir()}
        for name in ("passwords", "rights", "server.key", "mosquitto.conf", "kept"):
            assert told[name] == user
        assert told["ca.key"] == pwd.getpwuid(ourselves).pw_name
        assert (folder / "secrets" / "mqtt").stat().st_uid == house.site.stat().st_uid
        house.start()
        assert house.proc
        assert Path(f"/proc/{house.proc.pid}").stat().st_uid == pwd.getpwnam(user).pw_uid
        assert house.gateway().is_in
        accounts.put(house.plan, "late", "11" * 16)
        assert accounts.reload(house.plan)
        assert pwd.getpwuid((house.folder / "passwords").stat().st_uid).pw_name == user
        until(lambda: house.client("late", "11" * 16).code == 0, "the new account")
        folder.chmod(0o700)
        said = house_broker.setup(house.plan, house.site)
        warned = [line for line in said if line.startswith("warning")]
        assert bool(warned) == (ourselves == 0)
    finally:
        house.stop()
        shutil.rmtree(folder)


# Accounts --------------------------------------------------------------------


def test_an_account_comes_changes_and_goes_while_the_broker_runs(house: HouseBroker) -> None:
    house.start()
    plan = house.plan
    stays = house.client("a2", house.password("a2"))
    accounts.put(plan, "a1", "22" * 16)
    assert accounts.reload(plan)
    until(lambda: house.client("a1", "22" * 16).code == 0, "the new password")
    assert house.client("a1", house.password("a1")).code == 135
    live = house.client("a1", "22" * 16)
    began = time.monotonic()
    assert accounts.remove(plan, "a1")
    assert accounts.reload(plan)
    assert live.ended.wait(5), "who has no account any more is thrown out"
    assert time.monotonic() - began < 5
    assert house.client("a1", "22" * 16).code == 135
    assert not accounts.remove(plan, "a1")
    assert stays.is_in
    stays.close()


def test_mosquittos_own_tool_and_ours_agree(house: HouseBroker) -> None:
    path = house.folder / "passwords"
    tool = shutil.which("mosquitto_passwd") or shutil.which("mosquitto_passwd", path="/usr/bin:/usr/local/bin")
    if tool:  # it comes with Debian's mosquitto
        subprocess.run([tool, "-b", str(path), "a1", "33" * 16], check=True, capture_output=True)
    else:
        accounts.put(house.plan, "a1", "33" * 16)
    rows = dict(line.split(":", 1) for line in path.read_text().splitlines())
    assert mosquitto.is_of(rows["a1"], "33" * 16)
    assert not mosquitto.is_of(rows["a1"], "34" * 16)
    for broken in ("", "$7$", "$6$x$y", "$7$101$!!!$YQ==", "$7$many$YQ==$YQ=="):
        assert not mosquitto.is_of(broken, "")


PUTTER = """
import sys
from pathlib import Path
import floorplan
from gateway.broker import accounts
plan = floorplan.read(Path(sys.argv[1]))
for number in range(20):
    accounts.put(plan, f"b{sys.argv[2]}-{number}", "44" * 16)
    if number % 2:
        accounts.remove(plan, f"b{sys.argv[2]}-{number}")
"""


def test_commands_at_once_lose_nothing_of_each_other(house: HouseBroker) -> None:
    before = accounts.users(house.plan)
    at_once = [
        subprocess.Popen([sys.executable, "-c", PUTTER, str(house.site), str(number)], cwd=ROOT) for number in range(3)
    ]
    assert [process.wait(60) for process in at_once] == [0, 0, 0]
    wanted = {f"b{who}-{number}" for who in range(3) for number in range(0, 20, 2)}
    assert set(accounts.users(house.plan)) == wanted | set(before)
    assert not [path for path in house.folder.iterdir() if path.name.startswith(".passwords")]


def test_only_the_broker_of_this_folder_is_told(house: HouseBroker, tmp_path: Path) -> None:
    assert not accounts.reload(house.plan)  # none runs
    other = subprocess.Popen(["sleep", "60"])
    try:
        (house.folder / accounts.PID).write_text(f"{other.pid}\n")
        assert not accounts.reload(house.plan)
        assert other.poll() is None, "a pid file of yesterday names somebody else today"
    finally:
        other.kill()
        other.wait()
    conf = tmp_path / "elsewhere" / "mosquitto.conf"
    conf.parent.mkdir()
    conf.write_text("listener 0 127.0.0.1\n".replace(" 0 ", f" {house.tables['broker']['port']} "))
    other = subprocess.Popen([program(), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        (house.folder / accounts.PID).write_text(f"{other.pid}\n")
        until(lambda: Path(f"/proc/{other.pid}/cmdline").read_bytes().startswith(program().encode()), "it runs")
        assert accounts.running(house.plan) is None, "another mosquitto is not ours"
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
    (house.folder / accounts.PID).unlink()
    house.start()
    assert house.proc
    assert accounts.running(house.plan) == house.proc.pid


def test_a_computer_without_the_brokers_files_is_told_where_to_go(tmp_path: Path) -> None:
    house = HouseBroker(tmp_path)
    with pytest.raises(AccountsError, match=r"no broker of ours on this computer.*`callfloor broker setup`"):
        accounts.put(house.plan, "a1", "55" * 16)


def test_a_name_cannot_bring_a_line_of_its_own(house: HouseBroker) -> None:
    before = (house.folder / "passwords").read_bytes()
    for name in ("a:b", "a\nb:$7$", "#", "+", "", "a/b", "x" * 65):
        with pytest.raises(AccountsError, match="cannot be a user"):
            accounts.put(house.plan, name, "66" * 16)
    assert (house.folder / "passwords").read_bytes() == before
