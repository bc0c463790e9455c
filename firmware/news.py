"""What is new for one panel: a scene, a message, how bright, or something that cannot be used.

Loaded when such a thing comes, and forgotten: `firmware/wall.py` has no room to keep it.
"""

from firmware import contract, scene_load
from firmware.wall import ascii_of

KINDS = ("scene", "values", "message", "light")  # what may be in trouble


def take(wall, pattern: str, ids: tuple, fields, at_ms: int) -> None:
    """Takes it in, or refuses it: the old one stays, and the wall says why."""
    lights = of(wall, ids)
    if not lights:
        return
    kind = pattern.rsplit("/", 1)[-1]
    try:
        if kind == "light":
            lights.percent = fields["percent"]
        elif fields is None and kind == "scene":  # this panel is nobody's wall any more
            lights.scene = lights.turns = lights.to_keep = None
        elif fields is None:
            lights.message = None
        elif kind == "scene":
            lights.scene = scene_load.load(fields, lights.picture.w, lights.picture.h)
            lights.turns = lights.scene
            lights.old = False
        else:
            message(lights, fields, at_ms)
    except scene_load.SceneError as error:
        refuse(lights, kind, str(error))
        return
    except MemoryError:
        refuse(lights, kind, "it is more than this board can hold")
        return
    lights.refused.pop(kind, None)
    say(lights)
    if kind == "scene" and fields and wall.keep:
        lights.to_keep = None
        if fields["id"] != lights.kept:
            lights.to_keep = fields["id"], wall.link.payload
            wall.look_ms = min(wall.look_ms, lights.keep_ms)


def message(lights, fields: dict, at_ms: int) -> None:
    """Takes a message; the same again, perhaps for longer, goes on where it was. Raises SceneError."""
    if lights.message and lights.message[0].id == fields["id"]:
        at_ms = lights.message[0].since_ms
    told = scene_load.load_message(fields, lights.picture.w, lights.picture.h, at_ms)
    lights.message = told, fields["boot"], fields["until_s"]
    lights.until_ms = None


def refused(wall, topic: str, why: str) -> None:
    """Something came that the contract refuses; the walls whose it was say so. `why` may begin with the topic."""
    pattern, ids = contract.pattern_of(topic)
    for name in (topic, pattern):
        if name and why.startswith(name + ": "):
            why = why[len(name) + 2 :]
    if pattern == "values":
        for lights in wall.lights:
            refuse(lights, pattern, why)
    elif pattern and "panel" in pattern:
        lights = of(wall, ids)
        if lights:
            refuse(lights, pattern.rsplit("/", 1)[-1], why)


def accepted(wall, kind: str) -> None:
    """What came for all panels is good: it ends their trouble with the last."""
    for lights in wall.lights:
        if lights.refused.pop(kind, None):
            say(lights)


def refuse(lights, kind: str, why: str) -> None:
    """Says on the panel that something is refused, and why."""
    print("panel", lights.number, kind, "refused:", why)
    lights.refused[kind] = why
    say(lights)


def say(lights) -> None:
    """Has pages of the wall's own words take turns with the scene's, while there is trouble."""
    told = ["%s refused: %s" % (kind, lights.refused[kind]) for kind in KINDS if kind in lights.refused]
    if told:
        from firmware import words

        lights.trouble = ascii_of("; ".join(told))
        lights.turns = words.turns(lights.scene, lights.trouble, lights.picture)
    elif lights.trouble:
        lights.trouble = None
        lights.turns = lights.scene


def of(wall, ids):
    """The panel that is meant, or None."""
    for lights in wall.lights:
        if ids[1] == str(lights.number):
            return lights
    print("something for panel", ids[1], "but there are", len(wall.lights))
    return None
