"""Where images and packages come from: MicroPython's site, another mirror that is served, or a folder."""

from __future__ import annotations

import importlib
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

from boards.bench import BenchError

IMAGES = "resources/firmware"  # as on MicroPython's site
INDEX = "pi/v2"  # as mip's

MOST_PAGE = 4 * 2**20  # bytes
TIMEOUT_S = 30.0  # without a byte
CHUNK = 64 * 1024


class NotThere(BenchError):
    """A source has no such file."""


def site() -> str:
    """Where MicroPython is published: above the index that mpremote's own mip uses."""
    index: str = importlib.import_module("mpremote.mip")._PACKAGE_INDEX
    return index.removesuffix("/" + INDEX)


class Source:
    """Where a mirror is filled from: MicroPython's site, another mirror that is served, or a folder."""

    def __init__(self, where: str) -> None:
        """where: http(s)://…, or a folder. Raises BenchError."""
        self.where = where.rstrip("/").removesuffix("/" + INDEX)
        self._url = bool(re.match(r"https?://", where))
        if not self._url and not Path(where).is_dir():
            raise BenchError(f"--from {where}: neither an address, http://…, nor a folder")

    def images(self, name: str) -> list[str]:
        """Names of the images of that kind that are there. Raises BenchError."""
        if not self._url:
            folders = (Path(self.where), Path(self.where) / IMAGES)
            return [path.name for folder in folders for path in folder.glob(f"{name}-*") if path.is_file()]
        for page in (f"download/{name}/", f"{IMAGES}/"):
            try:
                text = self.read(page, MOST_PAGE).decode("utf-8", "replace")
            except NotThere:
                continue
            return re.findall(rf"(?<![A-Za-z0-9_]){re.escape(name)}-[A-Za-z0-9._-]+", text)
        raise NotThere(f"{self.where}: no images of {name}, neither at download/{name}/ nor at {IMAGES}/")

    def read(self, path: str, most: int) -> bytes:
        """A whole file. Raises BenchError."""
        return b"".join(chunk for chunk, _ in self.chunks(path, most))

    def chunks(self, path: str, most: int) -> Iterator[tuple[bytes, int]]:
        """(bytes, how many in all, as far as that is known) until the end of a file. Raises BenchError."""
        yield from self._fetched(path, most) if self._url else self._copied(path, most)

    def _copied(self, path: str, most: int) -> Iterator[tuple[bytes, int]]:
        file = Path(self.where) / path
        if path.startswith(IMAGES) and not file.exists():
            file = Path(self.where) / Path(path).name  # images that lie in a folder just so
        try:
            whole = file.stat().st_size
            if whole > most:
                raise BenchError(f"{file} is too big: {whole:,} bytes")
            data = file.read_bytes()
        except FileNotFoundError:
            raise NotThere(f"{self.where}: no {path} there") from None
        except OSError as error:
            raise BenchError(f"{file}: {error.strerror or error}") from error
        for at in range(0, whole, CHUNK):
            yield data[at : at + CHUNK], whole

    def _fetched(self, path: str, most: int) -> Iterator[tuple[bytes, int]]:
        url = f"{self.where}/{urllib.parse.quote(path)}"
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
                whole = int(answer.headers.get("Content-Length") or -1)
                size = 0
                while chunk := answer.read(CHUNK):
                    size += len(chunk)
                    if size > most:
                        raise BenchError(f"{url}: more than {most:,} bytes, so it is not what it should be")
                    yield chunk, whole
            if whole not in (-1, size):
                raise BenchError(f"{url}: it ended after {size:,} of {whole:,} bytes; the same command again goes on")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                raise NotThere(f"{url}: there is no such file (404)") from None
            raise BenchError(f"{url}: {error.code} {error.reason}") from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise BenchError(
                f"{url}: {reason}; is this computer on the internet? What was downloaded elsewhere is taken by "
                "--from FOLDER or --add FILE"
            ) from error
