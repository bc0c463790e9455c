"""A small certificate authority of a house: it vouches for the house's broker, and for nothing else.

    ca.pem, ca.key            the authority; boards, gateway and tools have ca.pem and believe whoever it vouches for
    server.pem, server.key    the broker's own certificate, for the names it is reached by

ca.key is needed only to make a server certificate: it may be kept on another computer, or in a drawer.

All of them begin at 2020-01-01, before the clock of any board that has none, and end with the year 2049: a floor that
runs day and night must not stop because a date came, and boards without a clock could not tell one date from another.
What ends a key that was stolen is a new authority, whatever date stands in the old one; docs/broker.md.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.broker.accounts import write_whole

BEGINS = datetime(2020, 1, 1, tzinfo=UTC)
ENDS = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)  # later ones are written in another form (RFC 5280, 4.1.2.5)
SOON = timedelta(days=60)

CA, CA_KEY, SERVER, SERVER_KEY = "ca.pem", "ca.key", "server.pem", "server.key"
Owner = tuple[int, int]  # user, group


class AuthorityError(Exception):
    """A certificate cannot be made or used; the text says why and what to try."""


def ensure(folder: Path, site: str, names: Sequence[str], now: datetime, owner: Owner | None = None) -> list[str]:
    """Makes what is missing in a folder, and says what was made, a line each; nothing when all was there.

    names: DNS names and addresses that the broker is reached by. owner: whom the server's key is for; None: for us.
    The server's certificate is made anew where it is for other names, ends soon, or is another authority's.
    """
    said = []
    if not (folder / CA).exists():
        _make_authority(folder, site)
        said.append(f"{folder / CA}: an authority of this house's own; {CA_KEY} beside it is its key")
    authority = load(folder / CA)
    why = _why_anew(folder, authority, names, now)
    if why:
        _make_server(folder, authority, names, owner)
        said.append(f"{folder / SERVER}: the broker's certificate ({why}), for {', '.join(names)}")
    return said


def load(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is none in PEM"
        raise AuthorityError(f"{path}: the certificate cannot be read ({why})") from error


def names_of(certificate: x509.Certificate) -> set[str]:
    """The names and addresses that a certificate is for."""
    try:
        told = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {*told.get_values_for_type(x509.DNSName), *map(str, told.get_values_for_type(x509.IPAddress))}


def vouches(authorities: str, chain: Path, key: Path, name: str) -> str:
    """What a client that believes `authorities` (PEM) says to a server of that name; "": it goes on.

    A whole handshake, in memory: nothing else tells what a client really takes.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        server.load_cert_chain(chain, key, "")
        client.load_verify_locations(cadata=authorities)
    except OSError as error:
        return f"certificate and key cannot be used together ({getattr(error, 'reason', None) or error.strerror})"
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(down, up, server_hostname=name), server.wrap_bio(up, down, server_side=True))
    for _ in range(8):  # TLS takes three
        done = 0
        for end in ends:
            try:
                end.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                return getattr(error, "verify_message", None) or str(error.reason or error)
        if done == len(ends):
            return ""
    return "the handshake does not end"


def _why_anew(folder: Path, authority: x509.Certificate, names: Sequence[str], now: datetime) -> str:
    """Why the server's certificate has to be made anew; "": it has not."""
    if not (folder / SERVER).exists() or not (folder / SERVER_KEY).exists():
        return "new"
    old = load(folder / SERVER)
    if names_of(old) != set(map(_plain, names)):
        return "the names are others"
    if old.not_valid_after_utc < now + SOON:
        return f"the old one ends on {old.not_valid_after_utc:%Y-%m-%d}"
    try:
        old.verify_directly_issued_by(authority)
    except Exception:  # whatever kind of certificate it is: it is not this authority's
        return "the old one is another authority's"
    try:
        key = serialization.load_pem_private_key((folder / SERVER_KEY).read_bytes(), None)
    except (ValueError, TypeError):
        return "its key was none"
    return "" if key.public_key() == old.public_key() else "its key was another one's"


def _make_authority(folder: Path, site: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Callfloor broker of {site}")])
    usage = x509.KeyUsage(
        key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _begun(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(folder / CA_KEY, key, None)
    write_whole(folder / CA, _pem(certificate), 0o644)


def _make_server(folder: Path, authority: x509.Certificate, names: Sequence[str], owner: Owner | None) -> None:
    by = _authoritys_key(folder, authority)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Callfloor broker")])
    certificate = (
        _begun(name, authority.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_entry(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )
    _write_key(folder / SERVER_KEY, key, owner)
    write_whole(folder / SERVER, _pem(certificate), 0o644, owner)


def _authoritys_key(folder: Path, authority: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    path = folder / CA_KEY
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        why = getattr(error, "strerror", None) or "it is no key in PEM without a password"
        raise AuthorityError(
            f"{path}: the authority's key is needed now, and cannot be read ({why}). Put it back there for a moment; "
            f"or, where it is lost, take {CA} away: then a new authority begins, and every board needs its board.json "
            "anew (docs/broker.md)"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != authority.public_key():
        raise AuthorityError(f"{path}: is not the key of {folder / CA}")
    return key


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
    )


def _entry(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(_plain(name))


def _plain(name: str) -> str:
    """A name as certificates and clients have it."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.encode("idna").decode().lower()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey, owner: Owner | None) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(path, text.decode(), 0o600, owner)
