"""How a wall's board begins: with what it kept; or, where it starts again and again, with its name alone.

Loaded when needed, and forgotten. What is kept: firmware/lasting.py.
"""

import json
import os
import socket

from firmware import contract
from firmware.lasting import head, path_of, write

LIVES = 3  # so many starts in a row that did not last, and nothing but the board's name is drawn
TROUBLE = "it started again and again, each time within a minute: it shows its name and draws again in 10 minutes"


def begin(wall, at_ms: int) -> None:
    """Once at a start: counts it; draws what was kept, or the board's name where it starts again and again."""
    count = _starts(wall.keep)
    if count <= LIVES:  # no more to count
        try:
            write(wall.keep + "/starts", b"%d" % (count + 1))
        except OSError as error:
            print("starts cannot be counted:", error)
    wall.since_ms = at_ms
    if count >= LIVES:
        print(TROUBLE)
        wall.safe = TROUBLE
    else:
        remember(wall)


def draw_again(wall, at_ms: int) -> None:
    """Draws what it is told, after it showed its name."""
    wall.safe = None
    wall.since_ms = wall.look_ms = at_ms
    for lights in wall.lights:
        lights.turns = lights.scene
        lights.name = None
    remember(wall)
    wall.ask()  # what came meanwhile was not heard


def show_name(wall) -> None:
    """Puts the board's name and address on its panels."""
    from firmware import words

    client = wall.link.client
    name = wall.link.board + "\n" + (address(client.host, client.port) or "no address")
    for lights in wall.lights:
        if lights.name != name:
            lights.name = name
            lights.turns = words.turns(None, name, lights.picture)


def remember(wall) -> None:
    """Has the scenes drawn that were kept before the start; no figure on them is believed."""
    from firmware import scene_load

    for lights in wall.lights:
        path = path_of(wall, lights)
        fields = load(path, lights.picture)
        if fields:
            try:
                lights.scene = lights.turns = scene_load.load(fields, lights.picture.w, lights.picture.h)
                lights.kept = fields["id"]
                lights.old = True
            except (scene_load.SceneError, MemoryError) as error:
                print(path, "is not used:", error)


def load(path: str, picture):
    """The fields of the scene kept at `path` for a panel of that size; None where it is of no use."""
    try:
        room = os.stat(path)[6]
    except OSError:
        return None  # there is none yet
    try:
        with open(path, "rb") as file:
            first = file.readline(100)
            body = file.read(room)  # of a file that is far too large, no room for it is the end
    except (OSError, MemoryError) as error:
        print(path, "is not used:", error)
        return None
    if first != head(picture, body):
        print(path, "is not used: it is not whole, of another version or for another size of panel")
        return None
    try:
        return contract.check(path, contract.fields_of("board/+/panel/+/scene"), json.loads(body))
    except (contract.ContractError, ValueError, AttributeError, MemoryError) as error:
        print(path, "is not used:", error)
        return None


def address(host: str, port: int):
    """A chip's own address; a computer's, towards the broker, or its name."""
    try:
        from firmware import net

        return net.address()
    except ImportError:
        pass  # no chip
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0][-1])  # nothing is sent
            return sock.getsockname()[0]
    except (OSError, AttributeError):
        pass
    try:
        with open("/etc/hostname") as file:
            return file.read().strip()[:32]
    except OSError:
        return None


def _starts(folder):
    try:
        with open(folder + "/starts") as file:
            return int(file.read(1))
    except (OSError, ValueError):
        return 0
