"""`callfloor board play`: recordings of desks, given to the boards' own logic once more."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import floorplan
from boards import trace

FILE_BYTES = 16 * 2**20  # of a recording; a minute has less than one


def play(files: list[Path], as_json: bool = False) -> int:
    """Prints what is said of each file. Exit status 0 where all is as the files say it must be, else 1."""
    wrong = 0
    for file in files:
        try:
            played = trace.read(floorplan.text_of(file, FILE_BYTES))
        except (OSError, ValueError) as error:
            why = "it is no text" if isinstance(error, UnicodeError) else getattr(error, "strerror", None) or error
            print(
                f"callfloor: {file}: cannot be played: {why}; is it what `callfloor board record` wrote?",
                file=sys.stderr,
            )
            wrong += 1
            continue
        said = trace.play(played)
        amiss = trace.amiss(played, said) if played.must else ""
        verdict = "not as it must be" if amiss else "as it must be" if played.must else "nothing stands below `must`"
        if as_json:
            good = not amiss if played.must else None
            print(json.dumps({"file": str(file), "title": played.title, "good": good, "amiss": amiss,
                              "said": trace.written(said)}))  # fmt: skip
            wrong += bool(amiss)
            continue
        print(f"{file}: {played.title}\n{amiss or trace.written(said)}\n{verdict}\n")
        wrong += bool(amiss)
    return 1 if wrong else 0
