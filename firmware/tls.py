"""TLS for the link: loaded only by boards whose broker asks for it."""


def secured(sock, authority, name):
    """The socket in TLS. The broker's certificate must be signed by `authority` and be for `name`."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED  # MicroPython would take anybody's
    for certificate in ders(authority):
        context.load_verify_locations(cadata=certificate)
    return context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)


def ders(authority):
    """Certificates as DER, which is all that MicroPython takes, from DER or PEM, bytes or text."""
    from binascii import a2b_base64

    if isinstance(authority, str):
        authority = authority.encode()
    if b"-----BEGIN" not in authority:
        return [authority]
    parts = authority.split(b"-----BEGIN CERTIFICATE-----")[1:]
    return [a2b_base64(part.split(b"-----END")[0]) for part in parts]
