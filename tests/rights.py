"""A file that a command may not read, also where the tests run as root."""

from __future__ import annotations

import os
from pathlib import Path

NOBODY = 65534
# Root reads everything by two capabilities; without them it is one user among others, and still finds its own Python.
DROPPED = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def forbidden(path: Path) -> Path:
    """Takes a file or folder from whoever `command` runs as."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    path.chmod(0 if os.geteuid() else 0o600)
    return path


def command(*words: str) -> list[str]:
    """A command line that may not read what is forbidden."""
    return [*DROPPED, *words] if os.geteuid() == 0 else list(words)
