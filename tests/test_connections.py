"""Connections to the page: silent ones are closed, and nobody has them all."""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.web import connections
from gateway.web.connections import Room
from tests.certificates import authority, certificate
from tests.conftest import until
from tests.gated import HOST, Gated, Stream, gated, plan

PATIENCE_S = 0.4
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
OTHER_HOST = "127.0.0.2"  # of the same loopback


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are half a second here."""
    monkeypatch.setattr(connections, "HEAD_S", PATIENCE_S)
    monkeypatch.setattr(connections, "BODY_S", PATIENCE_S)


def connect(house: Gated, *says: bytes, host: str = HOST) -> socket.socket:
    sock = socket.create_connection((HOST, house.port), timeout=10, source_address=(host, 0))
    for part in says:
        sock.sendall(part)
    return sock


def ended(sock: socket.socket) -> bool:
    """Whether the other side has closed it; what it said before is read."""
    sock.settimeout(0)
    try:
        while sock.recv(4096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.parametrize("says", [
    b"", b"GET /heal", WHOLE[:-2], WHOLE + b"GET ", WHOLE + b"\r\n", WHOLE + WHOLE + b"\r\nG",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{",
])  # fmt: skip
def test_who_sends_no_whole_request_is_not_waited_for(hasty: None, quick: Gated, says: bytes) -> None:
    with connect(quick, says) as sock:
        until(lambda: ended(sock), "it is closed", 4)


def test_a_drop_at_a_time_is_no_request(hasty: None, quick: Gated) -> None:
    with connect(quick) as sock:
        began_s = time.monotonic()
        with contextlib.suppress(OSError):
            for at in range(500):
                sock.sendall(WHOLE[at % 20 : at % 20 + 1])
                time.sleep(0.02)
        assert time.monotonic() - began_s < 4


def test_who_listens_is_not_closed(hasty: None, quick: Gated) -> None:
    bearer = {"Authorization": f"Bearer {quick.token('viewer')}"}
    stream = Stream(quick, "/api/events", **bearer)
    with connect(quick, b"GET ") as silent:
        until(lambda: ended(silent), "a silent one is closed", 4)
    assert stream.answer.status == 200 and not stream.ended
    stream.close()


def test_a_handshake_that_does_not_come_is_not_waited_for(hasty: None, tmp_path: Path) -> None:
    authority(tmp_path, "ca")
    certificate(tmp_path, "page", "ca", "DNS:page")
    site = plan(tmp_path, cert_file=str(tmp_path / "page.pem"), key_file=str(tmp_path / "page.key"))
    told = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    told.check_hostname = False
    with gated(site, room=Room(2)) as house:
        for _ in range(3):  # more than there is room for: each is gone to the last
            for says in (b"", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n\r\n"):
                with connect(house, says) as sock:
                    until(lambda sock=sock: ended(sock), "it is closed", 4)  # type: ignore[misc]
            with told.wrap_socket(connect(house)) as safe:
                safe.sendall(WHOLE)
                assert safe.recv(4096).startswith(b"HTTP/1.1 200")
        with told.wrap_socket(connect(house)) as safe:
            until(lambda: ended_tls(safe), "silent after its handshake, it is closed", 4)


def ended_tls(sock: ssl.SSLSocket) -> bool:
    sock.settimeout(0)
    try:
        return not sock.recv(4096)
    except ssl.SSLWantReadError:
        return False
    except OSError:
        return True


def test_one_address_does_not_have_all_connections(tmp_path: Path) -> None:
    with gated(plan(tmp_path), room=Room(8, of_one=5)) as house, contextlib.ExitStack() as opened:
        there = [opened.enter_context(connect(house)) for _ in range(7)]
        until(lambda: sum(map(ended, there)) == 2, "two too many are refused", 4)
        with connect(house, WHOLE, host=OTHER_HOST) as other:
            assert other.recv(4096).startswith(b"HTTP/1.1 200"), "another address has its own"
        next(sock for sock in there if not ended(sock)).close()
        until(lambda: works(house), "who goes makes room", 4)


def works(house: Gated) -> bool:
    with connect(house) as sock, contextlib.suppress(OSError):
        sock.sendall(WHOLE)
        return sock.recv(4096).startswith(b"HTTP/1.1 200")
    return False


def test_a_proxy_brings_many_but_not_more_than_there_is_room_for() -> None:
    room = Room(10, of_one=2, proxies=["10.0.0.9"])
    assert [room.enter("10.0.0.1") for _ in range(3)] == [True, True, False]
    assert [room.enter("10.0.0.9") for _ in range(9)] == [True] * 8 + [False]
    assert not room.enter("10.0.0.2")
    room.leave("10.0.0.9")
    assert room.enter("10.0.0.2")


def test_of_ipv6_everybody_has_many_addresses_and_names_of_them_are_not_kept() -> None:
    room = Room(1000, of_one=2)
    assert [room.enter(f"2001:db8::{n}") for n in range(1, 4)] == [True, True, False]
    assert room.enter("2001:db8:0:1::1")
    room.leave("2001:db8:0:1::1")
    assert len(room._there) == 1


@pytest.mark.parametrize(("hard", "most"), [(1024, 824), (1 << 20, connections.ALL_MOST)])
def test_as_many_files_may_be_open_as_the_system_lets_us(hard: int, most: int) -> None:
    if hard > resource.getrlimit(resource.RLIMIT_NOFILE)[1]:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    code = (
        "import resource; from gateway.web import connections; f = resource.RLIMIT_NOFILE;"
        f"resource.setrlimit(f, (512, {hard}));"
        "room = connections.room_for([]); print(room._most, resource.getrlimit(f)[0])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert told == [str(most), str(min(hard, connections.FILES_MOST))]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    with gated(plan(tmp_path_factory.mktemp("quick"))) as house:
        yield house
