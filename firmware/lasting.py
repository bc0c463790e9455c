"""What a wall's board keeps over a restart: the last scene of each panel, and how its last starts went.

Loaded when needed, and forgotten. Files in the folder `keep`, written seldom and all or nothing: `scene-0` and so
on, whose first line names the file's form, the panel's size and the hash of the rest, a scene's message; and
`starts`, one digit: how many starts in a row did not last a minute. Values, messages and light are never kept.
"""

import os
from binascii import hexlify
from hashlib import sha256

FORM = "callfloor scene 1"
KEEP_MS = 3600000  # so often at most, after the first time, a scene is written
GOOD_MS = 60000  # a start that lasts so long was a good one
SAFE_MS = 600000  # after so long a board that shows its name draws again
LOOK_MS = 2000  # so often it is looked whether its address is another one


def look(wall, at_ms: int) -> None:
    """Does what is due, and says in `wall.look_ms` when to be called again."""
    due_ms = at_ms + KEEP_MS
    if wall.safe:
        due_ms = min(at_ms + LOOK_MS, wall.since_ms + SAFE_MS)
        if at_ms >= wall.since_ms + SAFE_MS:
            _safe().draw_again(wall, at_ms)
            due_ms = at_ms + GOOD_MS
        else:
            _safe().show_name(wall)
    elif wall.since_ms is not None:
        due_ms = wall.since_ms + GOOD_MS
        if at_ms >= due_ms:
            wall.since_ms = None
            forgive(wall)
            due_ms = at_ms
    for lights in wall.lights:
        if lights.to_keep:
            if at_ms >= lights.keep_ms:
                save(wall, lights, at_ms)
            due_ms = min(due_ms, lights.keep_ms)
    wall.look_ms = due_ms


def begin_anew(wall, at_ms: int) -> bool:
    """Before a restart that somebody wanted, which does not count. True where it showed its name until now."""
    forgive(wall)
    if not wall.safe:
        return False
    _safe().draw_again(wall, at_ms)
    return True


def forgive(wall) -> None:
    """No start so far counts: this one is well, or somebody wanted it to end."""
    try:
        os.remove(wall.keep + "/starts")
    except OSError:
        pass  # there is none


def save(wall, lights, at_ms: int) -> None:
    """Writes what waits to be kept."""
    name, body = lights.to_keep
    lights.keep_ms = at_ms + KEEP_MS
    try:
        write(path_of(wall, lights), head(lights.picture, body), body)
        lights.kept, lights.to_keep = name, None
    except OSError as error:  # no room: perhaps in an hour
        print(path_of(wall, lights), "cannot be written:", error)


def write(path: str, *parts) -> None:
    """Writes a file, all or nothing, and on the flash before it gets its name. Raises OSError."""
    with open(path + ".new", "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        if hasattr(os, "fsync"):
            os.fsync(file.fileno())
    os.rename(path + ".new", path)


def head(picture, body: bytes) -> bytes:
    """The first line of a file with that scene."""
    total = hexlify(sha256(body).digest()).decode()
    return ("%s %dx%d %s\n" % (FORM, picture.w, picture.h, total[:16])).encode()


def path_of(wall, lights) -> str:
    """Where a panel's scene is kept."""
    return "%s/scene-%d" % (wall.keep, lights.number)


def _safe():
    from firmware import safe

    return safe
