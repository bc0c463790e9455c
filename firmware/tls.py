"""TLS for the link: loaded only by boards whose broker asks for it, and only while they connect."""

import gc


def secured(sock, settings, host):
    """The socket in TLS. The broker's certificate must be signed by the authority and be for its name.

    `settings`: {"ca": PEM or DER, "name": the broker's name}, or instead of "ca" "in": the board.json that it stands
    in, so that its text is in memory only now. Raises OSError, ValueError.
    """
    import ssl

    authority = settings.get("ca") or read(settings["in"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED  # MicroPython would take anybody's
    for certificate in ders(authority):
        context.load_verify_locations(cadata=certificate)
    authority = certificate = None
    gc.collect()  # rp2 takes 17 KB of one piece of this very memory
    return context.wrap_socket(sock, server_hostname=settings.get("name") or host, do_handshake_on_connect=False)


def read(path):
    """The authority that a board.json names."""
    import json

    with open(path) as file:
        return json.load(file)["broker"]["tls"]["ca"]


def ders(authority):
    """Certificates as DER, which is all that MicroPython takes, from DER or PEM, bytes or text."""
    from binascii import a2b_base64

    if isinstance(authority, str):
        authority = authority.encode()
    if b"-----BEGIN" not in authority:
        return [authority]
    parts = authority.split(b"-----BEGIN CERTIFICATE-----")[1:]
    return [a2b_base64(part.split(b"-----END")[0]) for part in parts]
