"""Why there is no link, in words. Loaded when something went wrong, forgotten again."""

import errno

# MQTT 3.1.1, section 3.2.2.3; mosquitto says 5 for a wrong password too.
CONNACK = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker refused the client id '{id}'",
    3: "the broker is not ready",
    4: "the broker refused the user or password of '{user}'",
    5: "the broker refused the user or password of '{user}'",
}
ERRORS = {
    errno.ECONNREFUSED: "nothing listens there: is the broker running, is the port right?",
    errno.ECONNRESET: "the connection was reset",
    errno.EHOSTUNREACH: "no way there: is the network up, is the address right?",
    errno.ETIMEDOUT: "no answer",
}


def of_refusal(code: int, client_id: str, user) -> str:
    """What a CONNACK's code means for this client."""
    words = CONNACK.get(code, "the broker refused, code %d" % code)
    return words.format(id=client_id, user=user or "")


def of_error(error: Exception, tls, up: bool) -> str:
    """What an error of a socket or of TLS means, and what to check; `up`: the broker had let us in."""
    if isinstance(error, OSError) and not error.args:
        return "what answers there does not speak MQTT"
    if not up and isinstance(error, OSError) and (error.errno == errno.ECONNRESET or "EOF occurred" in str(error)):
        if tls:
            return "TLS was broken off at the start: is [broker] port the one that the broker has for TLS?"
        return "the connection was broken off at the start: does that port want TLS, [broker] tls = true?"
    if isinstance(error, OSError) and error.errno in ERRORS:
        return ERRORS[error.errno]
    if tls and isinstance(error, ValueError):  # CPython's is both an OSError and a ValueError
        file = __import__("firmware.tls_words", None, None, ("look",))  # its names stay, so by a board with TLS alone
        return "the broker's certificate is refused: " + file.look(str(error), tls)
    return str(error) or type(error).__name__
