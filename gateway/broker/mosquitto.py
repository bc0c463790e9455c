"""What mosquitto is told, by the broker of a house and by the one for trying alike: settings, and hashed passwords."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

QUEUE_MESSAGES = 20_000  # kept for one slow reader; more than a site of 5000 desks has retained topics
QUEUE_BYTES = 32 * 2**20  # as well; what boards retain of 5000 desks is 4 MB at the contract's largest
MESSAGE_BYTES = 32_768  # twice the contract's largest, the scene; sources push several events at a time
MEMORY_BYTES = 512 * 2**20  # whatever clients do, the computer keeps the rest

# Never per_listener_settings: with it Debian's 2.0.11 loses wills.
SETTINGS = {
    "allow_anonymous": "false",
    "set_tcp_nodelay": "true",  # or small messages are held back, and figures come one message late
    "max_queued_messages": QUEUE_MESSAGES,
    "max_queued_bytes": QUEUE_BYTES,
    "max_packet_size": MESSAGE_BYTES,
    "memory_limit": MEMORY_BYTES,
}

# mosquitto's own default. More would guard passwords that people make up: ours are 128 random bits, which nobody
# finds by trying, and all boards of a house log in at once when its broker starts.
ROUNDS = 101


def conf(settings: Mapping[str, object]) -> str:
    """The text of mosquitto's settings, in the order given; a tuple is one that is said several times."""
    rows = ((name, value if isinstance(value, tuple) else (value,)) for name, value in settings.items())
    return "".join(f"{name} {value}\n" for name, values in rows for value in values)


def hashed(password: str) -> str:
    """A password as mosquitto_passwd writes it (type 7: PBKDF2 with SHA-512)."""
    return _hashed(password, secrets.token_bytes(12), ROUNDS)


def _hashed(password: str, salt: bytes, rounds: int) -> str:
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def is_of(hash_text: str, password: str) -> bool:
    """Whether a hash of type 7 is this password's."""
    try:
        _, kind, rounds, salt, _ = hash_text.split("$")
        again = _hashed(password, base64.b64decode(salt, validate=True), int(rounds))
    except (ValueError, binascii.Error):
        return False
    return kind == "7" and hmac.compare_digest(again, hash_text)
