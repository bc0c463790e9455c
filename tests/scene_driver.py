"""Draws scenes on either Python: `scene_driver.py CASES.json`.

It prints a line for each: the hash of the picture, or the error.
A case is {"size", "fields", "numbers", "now_s", "tick_ms", "age_s"}.
"""

import json
import sys
from binascii import hexlify
from hashlib import sha256

from firmware import scene, scene_load


def said(case: dict) -> str:  # type: ignore[type-arg]
    try:
        loaded = case["fields"] and scene_load.load(case["fields"])
    except scene_load.SceneError as error:
        return "error: " + str(error)
    picture = scene.Picture(*case["size"])
    scene.draw(picture, loaded, case["numbers"], case["now_s"], case["tick_ms"], case["age_s"])
    return hexlify(sha256(b"".join([picture.row(y) for y in range(picture.h)])).digest()).decode()


with open(sys.argv[1]) as file:
    for case in json.loads(file.read()):
        print(said(case))
