"""`callfloor broker check` on a real broker: all good on a good one, and every hole that is made is found."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.broker import accounts
from gateway.broker import check as broker_check
from gateway.broker.accounts import AccountsError
from gateway.broker.check import answers_plain, tried
from tests import certificates
from tests.brokers import Broker, free_port, mosquitto
from tests.conftest import until
from tests.forks import finished
from tests.house_brokers import Guest, HouseBroker

ROOT = Path(__file__).parent.parent
TOP = "callfloor/1/skien"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseBroker]:
    """One running broker for all that do not stop it."""
    house = HouseBroker(tmp_path_factory.mktemp("house"), sources=("chat",))
    house.setup()
    house.start()
    yield house
    house.stop()


@pytest.fixture
def gateway(house: HouseBroker) -> Iterator[Guest]:
    """What a gateway says, as far as boards read it."""
    gateway = house.gateway()
    gateway.say(f"{TOP}/gateway/state", b'{"state":"ready","boot":"1"}', retain=True)
    gateway.say(f"{TOP}/values", b"{}", retain=True)
    end = threading.Event()

    def beat() -> None:
        while not end.wait(0.2):
            gateway.paho.publish(f"{TOP}/beat", b"{}")

    beats = threading.Thread(target=beat)
    beats.start()
    yield gateway
    end.set()
    beats.join()
    for topic in ("gateway/state", "values"):
        gateway.say(f"{TOP}/{topic}", b"", retain=True)
    gateway.close()


@pytest.fixture(autouse=True)
def _beats_come_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_check, "BEAT_S", 1.0)


def change_rights(house: HouseBroker, text: str) -> None:
    """Returns when the running broker has read them."""
    (house.folder / "rights").write_text(text)
    password = secrets.token_hex(16)
    accounts.put(house.plan, "sync", password)
    accounts.reload(house.plan)
    until(lambda: house.client("sync", password).code == 0, "the broker has read its files again")


def wrong(house: HouseBroker) -> list[str]:
    return [row.tried for row in tried(house.plan) if row.good is False]


def test_a_good_broker_is_good_and_nobody_notices(house: HouseBroker, gateway: Guest) -> None:
    board = house.client("a1", house.password("a1"), "skien-a1")
    gateway.paho.subscribe(f"{TOP}/board/#")
    gateway.paho.subscribe(f"{TOP}/source/#")
    before = sorted((house.folder / "passwords").read_text().splitlines())
    done = finished("broker", "check", str(house.site))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines.pop() == "all is as it should be"
    assert [line for line in lines if not line.startswith("good ")] == []
    assert len(lines) == 27
    assert board.is_in
    assert gateway.is_in
    assert not [topic for topic in gateway.heard if "/board/a" in topic or topic.count("/source/chat/queue/") > 5]
    assert sorted((house.folder / "passwords").read_text().splitlines()) == before
    for told in (house.password("a1"), (house.home / "secrets" / "mqtt").read_text().strip()):
        assert told not in done.stdout
    board.close()
    late = house.gateway()
    late.paho.subscribe("callfloor/#")
    late.say(f"{TOP}/values", b"{}")
    kept = [topic for topic in late.heard if topic not in (f"{TOP}/values", f"{TOP}/gateway/state", f"{TOP}/beat")]
    assert kept == [], "nothing of it stays at the broker"
    late.close()


HOLES = {
    "a board writes another board's topics": "pattern write callfloor/1/skien/board/+/state",
    "a board writes what the gateway says, its own scene and commands too": f"pattern write {TOP}/board/%u/#",
    "a board writes for a source": "pattern write callfloor/1/skien/source/#",
    "a board writes elsewhere": "pattern write callfloor/1/+/board/%u/state",
    "a board's will in another's name": "pattern write callfloor/1/skien/board/+/state",
    "a board reads anything else, having asked for all": "pattern read callfloor/1/skien/board/+/command",
    "source chat reads anything": "user chat\ntopic read callfloor/1/skien/source/chat/#",
    "source chat writes anything else": "user chat\ntopic write callfloor/1/skien/queue/#",
}


@pytest.mark.parametrize("row", HOLES)
def test_a_hole_in_the_rights_is_found(house: HouseBroker, row: str) -> None:
    rights = house.folder / "rights"
    whole = rights.read_text()
    change_rights(house, whole + HOLES[row] + "\n")
    try:
        assert row in wrong(house)
    finally:
        change_rights(house, whole)


@pytest.mark.parametrize(
    ("gone", "row"),
    [
        (f"pattern write {TOP}/board/%u/hello\n", "a board writes its own topics"),
        (f"pattern read {TOP}/board/%u/command\n", "a board reads what the gateway tells it"),
        (f"pattern read {TOP}/beat\n", "a board reads beat, values, gateway/state"),
        (f"topic write {TOP}/source/chat/queue/#\n", "source chat writes its queues"),
        (f"user gateway_\ntopic write {TOP}/#\n", "the gateway writes its site's topics"),
    ],
)
def test_a_right_that_is_missing_is_found(house: HouseBroker, gateway: Guest, gone: str, row: str) -> None:
    rights = house.folder / "rights"
    whole = rights.read_text()
    assert gone in whole
    change_rights(house, whole.replace(gone, "user gateway_\n" if gone.startswith("user") else ""))
    try:
        assert row in wrong(house)
    finally:
        change_rights(house, whole)


def test_files_that_others_can_read_are_found(house: HouseBroker) -> None:
    (house.folder / "passwords").chmod(0o640)
    row = next(tried(house.plan))
    (house.folder / "passwords").chmod(0o600)
    assert (row.good, "passwords" in row.happened) == (False, True)


def test_a_board_whose_password_is_another_is_named(house: HouseBroker) -> None:
    file = house.home / "secrets" / "boards" / "a2"
    right = file.read_text()
    file.write_text("77" * 16)
    rows = {row.tried: row for row in tried(house.plan)}
    file.write_text(right)
    row = rows["2 boards, each with its own password"]
    assert (row.good, "not let in: a2;" in row.happened) == (None, True)


def test_a_check_that_was_killed_leaves_nothing_for_long(house: HouseBroker) -> None:
    accounts.put(house.plan, "check-0a1b2c3d", "88" * 16)
    assert wrong(house) == []
    assert "check-0a1b2c3d" not in accounts.users(house.plan)


def test_a_check_that_is_interrupted_takes_its_account_away(house: HouseBroker) -> None:
    rows = tried(house.plan)
    assert any(row.tried == "a board writes its own topics" for row in rows)
    assert any(user.startswith("check-") for user in accounts.users(house.plan))
    rows.close()  # type: ignore[attr-defined]
    assert not any(user.startswith("check-") for user in accounts.users(house.plan))


def test_one_check_at_a_time(house: HouseBroker) -> None:
    rows = tried(house.plan)
    next(rows)
    with pytest.raises(AccountsError, match=r"another `callfloor broker check` is running"):
        next(tried(house.plan))
    rows.close()  # type: ignore[attr-defined]


def test_doors_without_a_name_or_without_tls_are_found(tmp_path: Path) -> None:
    house = HouseBroker(tmp_path)
    house.setup()
    conf = house.folder / accounts.CONF
    conf.write_text(conf.read_text().replace("allow_anonymous false", "allow_anonymous true"))
    house.start()
    try:
        assert wrong(house) == ["nobody's name"]
    finally:
        house.stop()
    without_tls = [line for line in conf.read_text().splitlines() if not line.startswith(("cert", "key", "tls"))]
    conf.write_text("\n".join(without_tls) + "\n")
    house.start()
    try:
        with pytest.raises(AccountsError, match=r"no TLS at localhost"):
            wrong(house)
    finally:
        house.stop()


def test_a_plain_listener_is_seen_and_where(broker: Broker) -> None:
    """What it asks of every port that is not loopback's."""
    assert answers_plain(broker.host, broker.port)
    assert not answers_plain(broker.host, free_port())
    assert broker_check._listeners(broker.proc.pid) == [(broker.host, broker.port)]


def test_a_plain_broker_on_loopback_is_good(tmp_path: Path) -> None:
    house = HouseBroker(tmp_path, host="127.0.0.1", tls=False)
    house.write(ca_file=None)
    house.setup()
    house.start()
    try:
        assert wrong(house) == []
    finally:
        house.stop()


def test_a_certificate_that_ends_soon_is_said_in_time(tmp_path: Path) -> None:
    certificates.authority(tmp_path, "house")
    certificates.certificate(tmp_path, "broker", "house", "DNS:localhost", days=59)
    house = HouseBroker(tmp_path, ca_file="house.pem", cert_file="broker.pem", key_file="broker.key")
    house.setup()
    house.start()
    try:
        rows = {row.tried: row for row in broker_check._certificate(house.plan.broker)}  # type: ignore[arg-type]
    finally:
        house.stop()
    row = rows["TLS, the certificate's end"]
    assert row.good is None
    assert "in 58 days; renew it" in row.happened


def test_without_a_running_broker_it_says_how_to_start_it(tmp_path: Path) -> None:
    house = HouseBroker(tmp_path)
    with pytest.raises(AccountsError, match=r"no broker of ours on this computer"):
        next(tried(house.plan))
    house.setup()
    with pytest.raises(AccountsError, match=r"does not run here; .*mosquitto -c .*mosquitto\.conf"):
        next(tried(house.plan))
    with mosquitto(tmp_path) as other:  # another broker's pid is not ours
        (house.folder / accounts.PID).write_text(str(other.proc.pid))
        with pytest.raises(AccountsError, match=r"does not run here"):
            next(tried(house.plan))
