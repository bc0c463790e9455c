"""What is the same for everybody, as it goes over the wire: packed once, and not again to whoever has it."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Text is packed, and is what it is whatever this computer thinks of its name; what else lies there goes as it is.
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
LEVEL = 9  # it is done once


class Body(NamedTuple):
    """What is answered, both ways; `tag` is of its contents."""

    tag: str
    plain: bytes
    packed: bytes


# path → (when it was written, how long it is), and what is in it; no more than lie in the folder of static files
_read: dict[Path, tuple[tuple[int, int], Body]] = {}


def body(plain: bytes) -> Body:
    """Packs it, once for all who ask."""
    tag = hashlib.blake2s(plain, digest_size=8).hexdigest()
    return Body(tag, plain, gzip.compress(plain, LEVEL, mtime=0))


def respond(body: Body, media_type: str, asked: Headers) -> Response:
    """The answer, packed for those who can take that; 304 for those who have it."""
    packs = takes_packed(asked)
    tag = f'"{body.tag}-gzip"' if packs else f'"{body.tag}"'
    headers = {"ETag": tag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
    if has(tag, asked.get("if-none-match")):
        return Response(None, 304, headers)
    if packs:
        headers["Content-Encoding"] = "gzip"
    return Response(body.packed if packs else body.plain, 200, headers, media_type)


def has(tag: str, if_none_match: str | None) -> bool:
    """Whether who asks has what is by that tag, as the header If-None-Match says it."""
    given = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return tag in given or given == ["*"]


def takes_packed(asked: Headers) -> bool:
    """Whether who asks can take gzip, as every browser can."""
    wants = re.sub(r"\s", "", asked.get("accept-encoding", "").lower()).split(",")
    return any(one.partition(";")[0] == "gzip" and not re.search(r";q=0*\.?0*$", one) for one in wants)


def answer(path: Path, asked: Headers) -> Response:
    """A file of the page's own, as it is now: read anew where it was written anew."""
    if path.suffix not in TYPES:
        return FileResponse(path)
    status = path.stat()
    version = status.st_mtime_ns, status.st_size
    known = _read.get(path)
    if not known or known[0] != version:
        known = _read[path] = version, body(path.read_bytes())
    return respond(known[1], TYPES[path.suffix], asked)


class PackedFiles(StaticFiles):
    """A folder of files: as `answer` gives each."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Called once it is sure that the path is of a file in the folder."""
        return answer(Path(full_path), Headers(scope=scope))
