"""The small authority of a house's broker: what it makes, keeps and refuses, asked of openssl and of Python's TLS."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.broker.authority import AuthorityError, ensure, vouches
from tests import certificates

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAMES = ["broker.house.test", "10.0.0.2", "localhost", "127.0.0.1", "::1"]
FILES = ("ca.pem", "ca.key", "server.pem", "server.key")


def made(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def verified(folder: Path, at: datetime, *more: str) -> bool:
    """Whether openssl takes the server's certificate at that time."""
    args = ["openssl", "verify", "-attime", str(int(at.timestamp())), "-purpose", "sslserver", "-x509_strict",
            "-CAfile", "ca.pem", *more, "server.pem"]  # fmt: skip
    return subprocess.run(args, cwd=folder, capture_output=True, check=False).returncode == 0


def test_openssl_takes_it_for_its_names_from_2020_to_2049(tmp_path: Path) -> None:
    said = ensure(tmp_path, "skien", NAMES, NOW)
    assert len(said) == 2
    for at in (datetime(2020, 1, 2, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC), datetime(2049, 12, 30, tzinfo=UTC)):
        assert verified(tmp_path, at)
    assert not verified(tmp_path, datetime(2019, 12, 31, tzinfo=UTC))
    assert not verified(tmp_path, datetime(2050, 1, 1, tzinfo=UTC))
    for name in ("broker.house.test", "localhost"):
        assert verified(tmp_path, NOW, "-verify_hostname", name)
    for address in ("10.0.0.2", "127.0.0.1", "::1"):
        assert verified(tmp_path, NOW, "-verify_ip", address)
    assert not verified(tmp_path, NOW, "-verify_hostname", "another.house.test")
    assert not verified(tmp_path, NOW, "-verify_ip", "10.0.0.3")
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in FILES}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o644, "server.key": 0o600}


def test_what_is_good_is_kept_and_the_authority_always(tmp_path: Path) -> None:
    ensure(tmp_path, "skien", NAMES, NOW)
    first = made(tmp_path)
    assert ensure(tmp_path, "skien", [*reversed(NAMES), "LOCALHOST"], NOW) == []
    assert made(tmp_path) == first

    assert "the names are others" in ensure(tmp_path, "skien", ["10.0.0.9", "localhost"], NOW)[0]
    second = made(tmp_path)
    assert second["ca.pem"] == first["ca.pem"]
    assert second["server.pem"] != first["server.pem"]
    assert verified(tmp_path, NOW, "-verify_ip", "10.0.0.9")
    assert not verified(tmp_path, NOW, "-verify_ip", "10.0.0.2")

    late = datetime(2049, 12, 1, tzinfo=UTC)
    assert "the old one ends on 2049-12-31" in ensure(tmp_path, "skien", ["10.0.0.9", "localhost"], late)[0]


@pytest.mark.parametrize("lost", ["server.key", "server.pem"])
def test_a_certificate_and_a_key_that_do_not_fit_are_made_anew(tmp_path: Path, lost: str) -> None:
    """As a power cut between the two files would leave them."""
    ensure(tmp_path, "skien", NAMES, NOW)
    old = (tmp_path / lost).read_bytes()
    (tmp_path / "server.pem").unlink()
    ensure(tmp_path, "skien", NAMES, NOW)
    (tmp_path / lost).write_bytes(old)
    assert vouches((tmp_path / "ca.pem").read_text(), tmp_path / "server.pem", tmp_path / "server.key", "localhost")
    assert "its key was another one's" in ensure(tmp_path, "skien", NAMES, NOW)[0]
    assert not vouches((tmp_path / "ca.pem").read_text(), tmp_path / "server.pem", tmp_path / "server.key", "localhost")


def test_the_authoritys_key_may_be_away_until_it_is_needed(tmp_path: Path) -> None:
    ensure(tmp_path, "skien", NAMES, NOW)
    key = (tmp_path / "ca.key").read_bytes()
    (tmp_path / "ca.key").unlink()
    assert ensure(tmp_path, "skien", NAMES, NOW) == []
    before = (tmp_path / "server.pem").read_bytes()
    with pytest.raises(AuthorityError, match=r"the authority's key is needed now.*every board needs its board\.json"):
        ensure(tmp_path, "skien", ["10.0.0.9"], NOW)
    assert (tmp_path / "server.pem").read_bytes() == before
    (tmp_path / "ca.key").write_bytes((tmp_path / "server.key").read_bytes())
    with pytest.raises(AuthorityError, match=r"is not the key of"):
        ensure(tmp_path, "skien", ["10.0.0.9"], NOW)
    (tmp_path / "ca.key").write_bytes(key)
    assert ensure(tmp_path, "skien", ["10.0.0.9"], NOW)


def test_a_new_authority_makes_a_new_certificate(tmp_path: Path) -> None:
    ensure(tmp_path, "skien", NAMES, NOW)
    (tmp_path / "ca.pem").unlink()
    said = ensure(tmp_path, "skien", NAMES, NOW)
    assert "the old one is another authority's" in said[1]
    assert verified(tmp_path, NOW)


def test_a_handshake_tells_what_clients_will_say(tmp_path: Path) -> None:
    ensure(tmp_path, "skien", NAMES, NOW)
    ca, server, key = (tmp_path / "ca.pem").read_text(), tmp_path / "server.pem", tmp_path / "server.key"
    assert [vouches(ca, server, key, name) for name in NAMES] == [""] * len(NAMES)
    assert "mismatch" in vouches(ca, server, key, "another.test")
    other = certificates.authority(tmp_path, "other").read_text()
    assert "issuer" in vouches(other, server, key, "localhost")
    assert "cannot be used together" in vouches(ca, server, tmp_path / "ca.key", "localhost")


def test_what_is_no_certificate_is_said(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    with pytest.raises(AuthorityError, match=r"ca\.pem: the certificate cannot be read"):
        ensure(tmp_path, "skien", NAMES, NOW)
