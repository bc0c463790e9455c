"""`callfloor board mirror`: fills the mirror, adds to it by hand, or reckons all of it again; a line for each file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from boards import definition
from boards.bench import BenchError
from boards.bench.mirror import LOCK, File, Mirror, default_folder
from boards.bench.source import Source, site

GOOD = ("new", "held", "good", "to come")
WORDS = {
    "new": "fetched",
    "held": "there already",
    "to come": "would be fetched",
    "good": "as it came",
    "changed": "NOT what came: remove it, and `callfloor board mirror` fetches it again",
    "missing": "gone: `callfloor board mirror` fetches it again",
}


def run(
    folder: Path | None,
    boards: Sequence[str] = (),
    where: str | None = None,
    version: str | None = None,
    check: bool = False,
    add: Path | None = None,
    as_json: bool = False,
    dry: bool = False,
) -> int:
    """The command; 1 where something is not as it should be. boards: their pages; none: all that take an image.

    Raises BenchError, DefinitionError.
    """
    if check and add:
        raise BenchError("board mirror: --check or --add, one at a time")
    mirror = Mirror((folder or default_folder()).expanduser().absolute())
    files = []
    for file in _files(mirror, _pages(boards), where, version, check, add, dry):
        files.append(file)
        if not as_json:
            size = f"{file.size:,} bytes, " if file.size >= 0 else ""
            print(f"{file.path}: {size}{file.why or WORDS[file.state]}", flush=True)
    good = all(file.state in GOOD for file in files)
    if as_json:
        print(json.dumps({"folder": str(mirror.folder), "files": [file._asdict() for file in files]}, indent=1))
    else:
        count = sum(file.state in GOOD for file in files)
        print(f"{mirror.folder}: {count} of {len(files)} files; their sums are in {LOCK}")
    return 0 if good else 1


def _files(
    mirror: Mirror,
    pages: list[definition.Definition],
    where: str | None,
    version: str | None,
    check: bool,
    add: Path | None,
    dry: bool,
) -> Iterator[File]:
    if check:
        yield from mirror.check()
    elif add:
        yield mirror.add(add, pages, dry)
    else:
        yield from mirror.fill(pages, Source(where or site()), version, dry=dry)


def _pages(boards: Sequence[str]) -> list[definition.Definition]:
    pages = [definition.read(name) for name in boards or definition.names()]
    for name, page in zip(boards, pages, strict=False):
        if page.flash is None:
            raise BenchError(f"--image {name}: a {page.name} takes no image of MicroPython")
    return [page for page in pages if page.flash]
