"""A board whose power goes at one point of a rotation: `rotate_driver.py before|half|written board.json`.

before: nothing is written yet. half: a part of the new file. written: all, but nobody has been told.
"""

import os
import sys

from firmware import lasting

point = sys.argv[1]
write = lasting.write


def cut() -> None:
    os.system("kill -9 $PPID")  # the only way that MicroPython has


def written(path, text):  # type: ignore[no-untyped-def]
    if not path.endswith("/password"):
        return write(path, text)
    if point == "half":
        with open(path + ".new", "wb") as file:
            file.write(text[:20])
    if point == "written":
        write(path, text)
    cut()
    return None


lasting.write = written
del sys.argv[1]
import firmware.main  # noqa: E402, F401
