"""Draws scenes on either Python: `scene_driver.py CASES.json`.

It prints a line for each: the hash of the picture, or the error; and in how many ms it changes by itself.
A case is {"size", "fields", "values", "message", "clock_ms", "tick_ms", "age_s"}.
"""

import json
import sys
from binascii import hexlify
from hashlib import sha256

from firmware import contract, scene, scene_load, values


def said(case: dict) -> str:  # type: ignore[type-arg]
    w, h = case["size"]
    try:
        loaded = case["fields"] and scene_load.load(case["fields"], w, h)
        message = case["message"] and scene_load.load_message(case["message"], w, h, 700)
        numbers = case["values"] and values.read(case["values"])
    except (scene_load.SceneError, contract.ContractError) as error:
        return "error: " + str(error)
    picture = scene.Picture(w, h)
    now = numbers, case["clock_ms"], case["tick_ms"]
    scene.draw(picture, loaded, *now, case["age_s"], message)
    due_ms = scene.changes_in_ms(loaded, *now, w, message)
    lights = sha256(b"".join([picture.row(y) for y in range(h)]))
    return f"{hexlify(lights.digest()).decode()} {due_ms}"


with open(sys.argv[1]) as file:
    for case in json.loads(file.read()):
        print(said(case))
