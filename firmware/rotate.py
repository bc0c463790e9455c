"""A board's next password, made of the last one and a word that is no secret. Loaded for that only, and forgotten.

Board and host reckon it, each for itself. The board keeps it in the file `password` of the folder `keep`: the next
and the last password, the word, and which board.json they came of. It tries the other where one is refused, so it
gets in whether the host has changed its account or not.
"""

import os
from binascii import hexlify
from hashlib import sha256

from firmware.clock import forget


def next_of(old: str, nonce: str) -> str:
    """The password after `old`: 32 hexadecimal digits."""
    return _digest("callfloor rotate:" + old + ":" + nonce, 16)


def mark_of(password: str) -> str:
    """What may be said of a password, so that board and host know that they mean the same."""
    return _digest("callfloor mark:" + password, 4)


def take(settings: dict) -> None:
    """At a start: puts the kept passwords in place of board.json's, where they came of it. Others are removed."""
    broker = settings["broker"]
    kept = _kept(settings["keep"])
    if kept and kept[3] == mark_of(broker.get("password") or ""):
        broker["password"], broker["next"] = kept[0], kept[1]
    else:  # the board has been given a new board.json since, or the file is none of ours
        os.remove(settings["keep"] + "/password")
    forget("rotate")


def obey(link, nonce) -> tuple:
    """Makes the next password: (whether it is kept, words). The account at the broker is the host's to change."""
    client = link.client
    if not client.user or not client.password:
        return False, "this board has no password of its own"
    keep = getattr(link, "keep", None)  # firmware/start.py sets it
    if not keep:
        return False, "this board has no folder to keep a password in: start it with --keep FOLDER"
    if not nonce:
        return False, "there is no nonce"
    kept = _kept(keep)
    if kept and kept[2] == nonce:  # asked once more: the host did not hear our answer
        return True, mark_of(kept[0])
    old = client.password
    new = next_of(old, nonce)
    try:
        _write(keep + "/password", "%s\n%s\n%s\n%s\n" % (new, old, nonce, kept[3] if kept else mark_of(old)))
    except OSError as error:
        return False, "the next password cannot be kept: %s" % error
    client.next = new
    return True, mark_of(new)


def _kept(folder):
    """The four lines of the file `password`; None where it is not there, or not whole."""
    try:
        with open(folder + "/password") as file:
            lines = file.read(1000).split("\n")
    except (OSError, ValueError):
        return None
    return lines if len(lines) == 5 and lines[0] == next_of(lines[1], lines[2]) else None


def _write(path, text):
    from firmware import lasting

    if hasattr(os, "fchmod"):  # a computer, where there are others
        file = os.open(path + ".new", os.O_WRONLY | os.O_CREAT, 0o600)
        os.fchmod(file, 0o600)
        os.close(file)
    lasting.write(path, text.encode())
    forget("lasting")


def _digest(text, size):
    return hexlify(sha256(text.encode()).digest()[:size]).decode()
