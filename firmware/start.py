"""What a board does once, at its start. A microcontroller forgets this file afterwards: memory is scarce."""

import json
import os
import sys
from binascii import hexlify

from firmware import contract
from firmware.clock import forget


class StartError(Exception):
    """A board.json that cannot be used; the text says what and what to try."""


def station(path: str):
    """The station that a board.json describes; None where it cannot be, after a line that says why."""
    from firmware.station import Station

    try:
        if on_a_chip():
            from firmware import chip

            chip.stay()
        settings = read(path)
        folder = path.rsplit("/", 1)[0] if "/" in path else "."
        if on_a_chip():
            settings["why"] = chip.why_started()
            settings["keep"] = folder
        debug = look_into(settings, folder)
        begin(settings, path)
        panels = open_panels(settings)
        if panels:
            make_room()
        made = Station(settings, hello(settings, panels), open_pins(settings), panels)
        take(made.link, settings)
        if debug:
            made.talk = lambda: debug.talk(made)  # type: ignore[assignment]
        return made
    except StartError as error:
        print(error, file=sys.stderr)
        return None


def look_into(settings: dict, folder: str):
    """firmware.debug at work, where board.json has `debug` and the board has what it needs; else None."""
    if not settings.get("debug"):
        return None
    try:
        from firmware import debug
    except ImportError as error:
        print("debug: %s: `callfloor board provision` brings it" % error)
        return None
    debug.begin(settings, folder)
    return debug


def read(path: str) -> dict:
    """The settings in a board.json. Raises StartError."""
    try:
        with open(path) as file:
            settings = json.load(file)
    except OSError:
        raise StartError("%s is missing: `callfloor board json` writes it" % path)
    except ValueError:
        raise StartError("%s is not JSON: write it again with `callfloor board json`" % path)
    return check(settings, path)


def check(settings: dict, path: str) -> dict:
    """The settings, where all is there that every board is told. Raises StartError."""
    for name in ("site", "board", "broker", "times", "inputs", "panels"):
        if name not in settings:
            raise StartError("%s: '%s' is missing" % (path, name))
    return settings


def begin(settings: dict, path) -> None:
    """What a board.json says of the broker, as the link takes it. Raises StartError."""
    broker = settings["broker"]
    broker["id"] = client_id(settings["site"], settings["board"], broker.get("password"))
    tls = broker.get("tls")
    if tls:
        if not tls.get("ca") or not tls.get("name"):
            raise StartError("%s: 'tls' says not who vouches for the broker (ca), or not its name" % path)
        if path:
            tls["in"] = path
            del tls["ca"]  # read again where it is needed: a text of 1 or 2 KB
    if settings.get("keep"):
        try:
            os.stat("%s/password" % settings["keep"])
        except OSError:
            return  # most boards: none has been changed yet
        __import__("firmware.rotate", None, None, ("take",)).take(settings)


def client_id(site: str, board: str, password) -> str:
    """Its name for the broker, which throws out the older of two of one name: nobody else can reckon it.

    `password` is that of board.json, whatever came after it: two boards of one board.json throw each other out.
    """
    from hashlib import sha256

    name = site + "-" + board
    if password:
        name += "-" + hexlify(sha256(("callfloor client:" + password).encode()).digest()).decode()[:12]
    return name


def take(link, settings: dict) -> None:
    """Gives a link what only some boards have: a folder to keep things in, another password."""
    if settings.get("keep"):
        link.keep = settings["keep"]
        link.client.next = settings["broker"].get("next")


def open_pins(settings: dict):
    """The pins board.json asks for: on a chip, on a Raspberry Pi, or none at all. Raises StartError."""
    kind = settings.get("pins", {}).get("kind", "machine")
    if not settings["inputs"] and not any(entry.get("light") for entry in settings["panels"]):
        return None  # a wall board reads none, but for a light sensor
    settings = settings.get("pins", {})
    if kind not in ("machine", "gpiozero", "memory"):
        raise StartError("pins of kind '%s': it is machine, gpiozero or memory" % kind)
    file = __import__("firmware.pins_" + kind, None, None, ("Pins",))
    try:
        return file.Pins(settings)
    except (OSError, ValueError, OverflowError) as error:
        if kind != "memory":
            raise
        raise StartError("control port %s cannot be opened (%s); give a free one, like "
                         "--control 127.0.0.1:9001" % (settings["control"], error))  # fmt: skip


def open_panels(settings: dict) -> list:
    """The lights board.json names, in its order. Raises ValueError for a kind no board has."""
    if not settings["panels"]:
        return []
    from firmware import panels

    opened = [panels.open(entry) for entry in settings["panels"]]
    forget("panels")
    return opened


def hello(settings: dict, panels: list) -> dict:
    """Who this board is: the fields of `board/+/hello`."""
    name, version = sys.implementation.name, sys.implementation.version
    return {
        "boot": hexlify(os.urandom(4)).decode(),
        "definition": settings.get("definition", "unknown"),
        "firmware": firmware_hash(),
        "python": "%s %d.%d on %s" % (name, version[0], version[1], sys.platform),
        "inputs": " ".join([senses(entry) for entry in settings["inputs"]])[:128],
        "panels": " ".join(["%dx%d" % (panel.width, panel.height) for panel in panels])[:128],
        "health_s": health_s(settings),
        "restart": settings.get("why", "started"),
    }


def health_s(settings: dict) -> int:
    """How often to give a sign of life: twice a keepalive, so that two missed are noticed within one."""
    return max(1, min(contract.HEALTH_S, settings["broker"].get("keepalive_s", contract.KEEPALIVE_S) // 2))


def senses(entry: dict) -> str:
    """What one input can tell: `phone+headset`, or `-` for an empty place."""
    return "+".join([name for name in ("phone", "headset") if entry.get(name)]) or "-"


def firmware_hash() -> str:
    """16 hex digits that name the firmware's files: equal names and contents, equal hash."""
    from hashlib import sha256

    folder = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
    total = sha256()
    for name in sorted(files_in(folder, "") + files_in(folder, "panels/")):
        total.update(name.encode())
        with open(folder + "/" + name, "rb") as file:
            while data := file.read(512):
                total.update(data)
    return hexlify(total.digest()).decode()[:16]


def files_in(folder: str, part: str) -> list:
    """The names of the Python files in one part of the firmware, as source or compiled."""
    return [part + name for name in os.listdir(folder + "/" + part) if name.rsplit(".", 1)[-1] in ("py", "mpy")]


def make_room() -> None:
    """Loads what a wall needs always and, once, what it needs seldom, while there is some.

    MicroPython's table of names doubles when it is full, and finds no room of one piece when that comes late.
    """
    import firmware.wall  # noqa: F401  first, so that nothing lies scattered behind the others
    from firmware import age, lasting, news, safe, words  # noqa: F401

    for name in ("age", "lasting", "news", "safe", "words", "scene_load"):
        forget(name)


def on_a_chip() -> bool:
    """False where an operating system runs us."""
    return sys.platform not in ("linux", "darwin", "win32")
