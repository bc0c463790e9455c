"""TLS between a house and its broker, in earnest: which versions shake hands, and a broker that is not ours."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.broker import accounts
from gateway.mqtt import Line
from tests.brokers import HOST
from tests.certificates import authority, certificate
from tests.house_brokers import HouseBroker


@pytest.fixture
def house(tmp_path: Path) -> Iterator[HouseBroker]:
    """Set up, not started."""
    house = HouseBroker(tmp_path, boards=("a1",), host=HOST)
    house.setup()
    yield house
    house.stop()


def shakes_hands(house: HouseBroker, version: ssl.TLSVersion) -> bool:
    """Whether the broker speaks this version with one who knows no other, and minds no weak cipher."""
    assert house.plan.broker
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(house.folder / "ca.pem")
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # so old that Python says so
        client.minimum_version = client.maximum_version = version
    try:
        with socket.create_connection((HOST, house.plan.broker.port), 5) as sock:
            client.wrap_socket(sock, server_hostname=HOST).close()
    except ssl.SSLError:
        return False
    return True


def test_the_broker_speaks_tls_1_2_and_newer_and_nothing_older(house: HouseBroker) -> None:
    """Also on a computer whose OpenSSL would let it: its own bar is taken away."""
    conf = house.folder / accounts.CONF
    ours = conf.read_text()
    conf.write_text(f"{ours}ciphers ALL:@SECLEVEL=0\n")
    house.start()
    spoken = {version: shakes_hands(house, version) for version in (
        ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    )}  # fmt: skip
    assert list(spoken.values()) == [False, True, True]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho closes no socket it refuses
def test_the_gateway_tells_no_password_to_a_broker_that_is_not_ours(house: HouseBroker) -> None:
    """Another authority's certificate, and one for another name: it says so, and nobody logs in."""
    authority(house.home, "other")
    certificate(house.home, "strange", "other", f"IP:{HOST}")
    for name in ("ca.pem", "ca.key"):
        shutil.copy(house.folder / name, house.home / name)
    certificate(house.home, "renamed", "ca", "DNS:broker.example")
    for name, words in (("strange", "certificate verify failed"), ("renamed", "IP address mismatch"), ("", "")):
        if name:
            shutil.copy(house.home / f"{name}.pem", house.folder / "server.pem")
            shutil.copy(house.home / f"{name}.key", house.folder / "server.key")
        else:
            house.setup()  # the right one again
        house.start()
        said = tried(house)
        house.stop()
        assert (words in said) if words else said == "there"
        let_in = "u'gateway_'" in (house.home / "mosquitto.log").read_text()
        assert let_in is not bool(words), said


def tried(house: HouseBroker) -> str:
    """Why the gateway's own line is away, or that it is there."""
    said: list[str] = []
    broker = house.plan.broker
    assert broker

    async def run() -> None:
        line = Line(
            broker, "gateway", ("callfloor/1/skien/gateway/state", b"{}"), [("callfloor/1/skien/beat", 0)],
            lambda *_: None, lambda: said.append("there"), said.append,
        )  # fmt: skip
        task = asyncio.create_task(line.run())
        async with asyncio.timeout(10):
            while not said:
                await asyncio.sleep(0.01)
        await line.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return said[0]
