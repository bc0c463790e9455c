"""By which names the page may be asked for: a page from elsewhere can have its own name lead to this computer (DNS
rebinding), and would pass for ours if that name were believed.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from urllib.parse import urlsplit

from cryptography import x509

import floorplan

# No server of names out there answers for these (RFC 6761, RFC 6762), nor for names of one part.
NEAR = (".localhost", ".local")


def names(page: floorplan.WebPage) -> frozenset[str]:
    """The names that are ours for sure: this computer's, that of the site file, and those in the page's certificate."""
    found = {socket.gethostname(), urlsplit(page.url or "").hostname or ""}
    if page.cert_file:
        with contextlib.suppress(OSError, ValueError, x509.ExtensionNotFound):  # whoever serves it says what is wrong
            certificate = x509.load_pem_x509_certificate(page.cert_file.read_bytes())
            told = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            found |= set(told.get_values_for_type(x509.DNSName))
    return frozenset(name.rstrip(".").lower() for name in found if name)


def is_ours(host: str | None, names: frozenset[str]) -> bool:
    """Whether nobody else can have what stands in the header `Host`. Without one no browser asks."""
    if host is None:
        return True
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdecimal():
        name = host
    name = name.removesuffix(".").lower()
    try:
        ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
        return True
    except ValueError:
        pass
    if not name or not all(letter.isalnum() or letter in "-_." for letter in name):
        return False
    above = f"*.{name.partition('.')[2]}"
    return "." not in name or name.endswith(NEAR) or name in names or above in names
