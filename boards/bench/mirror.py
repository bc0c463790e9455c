"""A folder with what boards are made of: MicroPython's images and packages, filled once with internet, used without.

It is laid out as the site of MicroPython is, so that it can be served as it is: mpremote's `mip install --index`
and another computer's `callfloor board mirror --from` take it. Beside that lies mirror.lock.json with the SHA-256 of
each file, reckoned when it first came; a file that is another one since then is not used.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import typer

from boards.bench import BenchError, Progress, image, silent
from boards.bench.source import CHUNK, IMAGES, INDEX, NotThere, Source
from boards.definition import Definition

PINNED = Path(__file__).resolve().parents[2] / "firmware" / "package.json"  # which packages, which versions
LOCK = "mirror.lock.json"
BYTECODE = 6  # what a board loads today: mip's folder of that name; others get the source, in "py"

MOST_IMAGE, MOST_FILE = 32 * 2**20, 2**20  # bytes
MOST_DEPS = 50

# A package, a version, a part of a path: what is a file's name on every system. Windows has none that end in a dot, and
# none that are its devices', whatever their ending.
DEVICES = r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)"
NAME = re.compile(rf"(?!(?i:{DEVICES}))[A-Za-z0-9_](?:[A-Za-z0-9._-]{{0,78}}[A-Za-z0-9_-])?")
SHORT = re.compile(r"[0-9a-f]{8,64}")  # how mip names a file: the beginning of its SHA-256


class File(NamedTuple):
    """One file of a mirror, for whoever lists them."""

    path: str  # in its folder
    sha256: str
    size: int
    state: str  # new, held, to come, none (nobody has it); good, changed, missing where it is checked
    why: str = ""  # none: in words


def default_folder() -> Path:
    """The mirror of whoever runs this: CALLFLOOR_MIRROR, or a folder of its own among Callfloor's."""
    given = os.environ.get("CALLFLOOR_MIRROR")
    return Path(given) if given else Path(typer.get_app_dir("callfloor")) / "mirror"


def pinned(file: Path | None = None) -> dict[str, str]:
    """Package → version, of firmware/package.json. Raises BenchError."""
    file = file or PINNED
    try:
        deps = json.loads(file.read_text(encoding="utf-8"))["deps"]
        rows = {str(name): str(version) for name, version in deps}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{file}: no list of packages: {error}") from error
    for name, version in rows.items():
        _named(name, str(file))
        _named(version, str(file))
    return rows


class Mirror:
    """One such folder. All that is read from it is held against its lock first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def image(self, page: Definition, version: str | None = None, into: Path | None = None) -> Path:
        """The newest image for a kind of board, or one of that version. Raises BenchError.

        into: a folder of one's own for a copy; nobody changes that between the look at its sum and its use.
        """
        ending = image.ending(page)
        assert page.flash is not None
        names = [Path(path).name for path in self._lock() if path.startswith(IMAGES + "/")]
        name = _newest(names, page.flash.image, ending, version)
        if name is None:
            which = f"{page.flash.image} {version}" if version else page.flash.image
            raise BenchError(
                f"no image {which} in the mirror {self.folder}: `callfloor board mirror` fetches it; without internet, "
                f"`callfloor board mirror --add FILE{ending}` takes one that was downloaded elsewhere"
            )
        data = self._read(f"{IMAGES}/{name}")
        if into is None:
            return self.folder / IMAGES / name
        (into / name).write_bytes(data)
        return into / name

    def packages(self, names: Iterable[str], mpy: int = BYTECODE, pins: Path | None = None) -> dict[str, bytes]:
        """Path on a board → bytes of packages that firmware/package.json names: lib/logging.mpy. Raises BenchError.

        mpy: the version of bytecode that the board loads; one that no package was built for gets the source.
        """
        versions = pinned(pins)
        files: dict[str, bytes] = {}
        for name in names:
            if name not in versions:
                raise BenchError(f"{pins or PINNED} pins no version of package '{name}', only {', '.join(versions)}")
            for held in _lists(name, versions[name], _variant(mpy), self._read):
                files |= {f"lib/{path}": self._read(_file_path(short)) for path, short in held}
        return files

    def check(self) -> list[File]:
        """Every file of the lock, reckoned again. Raises BenchError where there is no lock."""
        if not (self.folder / LOCK).exists():
            raise BenchError(f"no mirror in {self.folder}: `callfloor board mirror` fills it")
        rows = []
        for path, row in sorted(self._lock().items()):
            try:
                sha256, size = _sum(self.folder / path)
                rows.append(File(path, sha256, size, "good" if sha256 == row["sha256"] else "changed"))
            except OSError:
                rows.append(File(path, str(row["sha256"]), int(row["size"]), "missing"))
        return rows

    def add(self, file: Path, pages: Iterable[Definition], dry: bool = False) -> File:
        """Takes an image that was downloaded by hand, by its own name. Raises BenchError."""
        named = [page for page in pages if page.flash and _of_image(file.name, page.flash.image, image.ending(page))]
        if not named:
            known = ", ".join(sorted({page.flash.image for page in pages if page.flash}))
            raise BenchError(
                f"{file.name}: an image keeps the name that it has at MicroPython's site, like "
                f"RPI_PICO_W-20251209-v1.27.0.uf2; Callfloor knows {known}. "
                "Another one: callfloor board flash --image FILE"
            )
        size = image.check(file, named[0])
        path = f"{IMAGES}/{file.name}"
        if dry:
            return File(path, _sum(file)[0], size, "to come")
        return self._take(path, Source(str(file.parent)), file.name, MOST_IMAGE, silent, named[0])

    def fill(
        self,
        pages: Iterable[Definition],
        source: Source,
        version: str | None = None,
        progress: Progress = silent,
        dry: bool = False,
        pins: Path | None = None,
    ) -> Iterator[File]:
        """Fetches what is not there yet: images for those boards, and all pinned packages, as bytecode and as source.

        What a source has not is told, and all others come. Raises BenchError; what came before that is kept, and the
        same again goes on from there.
        """
        boards = {page.flash.image: page for page in reversed(list(pages)) if page.flash}
        for name, page in sorted(boards.items()):
            try:
                path = f"{IMAGES}/{_offered(source, page, version)}"
                yield self._held_or(path, source, MOST_IMAGE, progress, dry, page)
            except NotThere as error:
                yield File(name, "", -1, "none", str(error))
        for name, wanted in pinned(pins).items():
            for variant in (_variant(BYTECODE), _variant(0)):
                try:
                    yield from self._fill_package(name, wanted, variant, source, progress, dry)
                except NotThere as error:
                    yield File(_package_path(name, wanted, variant), "", -1, "none", str(error))

    def _fill_package(
        self, name: str, version: str, variant: str, source: Source, progress: Progress, dry: bool
    ) -> Iterator[File]:
        came: list[File] = []

        def read(path: str) -> bytes:
            came.append(self._held_or(path, source, MOST_FILE, progress, dry))
            return source.read(path, MOST_FILE) if came[-1].state == "to come" else self._read(path)

        for files in _lists(name, version, variant, read):
            yield came.pop()
            for _, short in files:
                yield self._held_or(_file_path(short), source, MOST_FILE, progress, dry)

    def _held_or(
        self, path: str, source: Source, most: int, progress: Progress, dry: bool, page: Definition | None = None
    ) -> File:
        """A file that is there already, as its lock says; else it comes now, or would. Raises BenchError."""
        row = self._lock().get(path)
        if row and (self.folder / path).exists():
            self._read(path)
            return File(path, row["sha256"], row["size"], "held")
        if dry:
            return File(path, row["sha256"] if row else "", row["size"] if row else -1, "to come")
        return self._take(path, source, path, most, progress, page)

    def _take(
        self, path: str, source: Source, at: str, most: int, progress: Progress, page: Definition | None
    ) -> File:
        """Writes a file aside, looks through it, and only then gives it a line in the lock and its name."""
        target = self.folder / path
        aside = target.with_name(f".{os.getpid()}-{target.name}")  # it keeps its ending
        digest, size = hashlib.sha256(), 0
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as file:
                for chunk, whole in source.chunks(at, most):
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    progress(f"fetching {target.name}", size, max(size, whole))
                file.flush()
                os.fsync(file.fileno())
            sha256 = digest.hexdigest()
            self._fits(path, aside, sha256, source, page)
            self._note(path, sha256, size, source.where)
            os.replace(aside, target)
        except OSError as error:
            raise _disk(self.folder, error) from error
        finally:
            with contextlib.suppress(OSError):
                aside.unlink()
        return File(path, sha256, size, "new")

    def _fits(self, path: str, aside: Path, sha256: str, source: Source, page: Definition | None) -> None:
        """What has come is what it should be. Raises BenchError."""
        row = self._lock().get(path)
        if row and row["sha256"] != sha256:
            then = f"{row['at'][:10]} (SHA-256 {row['sha256'][:16]}… then, {sha256[:16]}… now)"
            raise BenchError(
                f"{path}: {source.where} gives another file now than when it first came, on {then}, and it is not "
                f"taken. If its maker says why: remove its line from {self.folder / LOCK} and do it again"
            )
        if page:
            try:
                image.check(aside, page)
            except BenchError as error:
                raise BenchError(str(error).replace(aside.name, Path(path).name)) from None
        elif path.startswith(f"{INDEX}/file/"):
            if not sha256.startswith(Path(path).name):
                raise BenchError(f"{path}: {source.where} gives a damaged file, of another SHA-256: do it again")
        else:
            _contents(aside.read_bytes(), f"{source.where}/{path}")

    def _read(self, path: str) -> bytes:
        """A file that is what it was when it came. Raises BenchError."""
        row = self._lock().get(path)
        if row is None:
            raise BenchError(f"{path} is not in the mirror {self.folder}: `callfloor board mirror` fetches it")
        try:
            data = (self.folder / path).read_bytes()
        except OSError as error:
            words = f"{self.folder / path}: {error.strerror or error}; `callfloor board mirror` fetches it again"
            raise BenchError(words) from error
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            raise BenchError(
                f"{self.folder / path} is no longer the file that came on {row['at'][:10]}, and it is not used: remove "
                "it, and `callfloor board mirror` fetches it again"
            )
        return data

    def _lock(self) -> dict[str, dict[str, Any]]:
        file = self.folder / LOCK
        try:
            rows = json.loads(file.read_text(encoding="utf-8"))["files"]
            wrong = [path for path, row in rows.items() if not _good_row(path, row)]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BenchError(f"{file} cannot be read: {error}") from error
        if wrong:
            raise BenchError(f"{file}: '{wrong[0]}' has no sum that one could hold it against")
        return dict(rows)

    def _note(self, path: str, sha256: str, size: int, where: str) -> None:
        rows = self._lock()
        rows.setdefault(
            path, {"sha256": sha256, "size": size, "from": where, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        )
        aside = self.folder / f".{os.getpid()}-{LOCK}"
        text = json.dumps({"files": dict(sorted(rows.items()))}, indent=1) + "\n"
        try:
            with aside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, self.folder / LOCK)
        finally:
            with contextlib.suppress(OSError):
                aside.unlink()


def _variant(mpy: int) -> str:
    return str(mpy) if mpy == BYTECODE else "py"


def _package_path(name: str, version: str, variant: str) -> str:
    return f"{INDEX}/package/{variant}/{_named(name, 'a package')}/{_named(version, name)}.json"


def _file_path(short: str) -> str:
    return f"{INDEX}/file/{short[:2]}/{short}"


def _named(text: object, where: str) -> str:
    if not isinstance(text, str) or not NAME.fullmatch(text):
        raise BenchError(f"{where}: '{text}' is no name that a file could have")
    return text


def _lists(
    name: str, version: str, variant: str, read: Callable[[str], bytes]
) -> Iterator[list[tuple[str, str]]]:
    """The list of files of a package, and of each that it needs, as _contents gives it. Raises BenchError."""
    left, seen = [(name, version)], set()
    while left:
        row = left.pop()
        if row in seen:
            continue
        seen.add(row)
        if len(seen) > MOST_DEPS:
            raise BenchError(f"package '{name}' needs more than {MOST_DEPS} others")
        path = _package_path(*row, variant)
        files, deps = _contents(read(path), path)
        yield files
        left += deps


def _contents(text: bytes, where: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(path on the board, beginning of its SHA-256), and (package, version) of those it needs. Raises BenchError."""
    try:
        package = json.loads(text)
        if not isinstance(package, dict):
            raise ValueError("no object")
        files = [(str(path), str(short)) for path, short in package.get("hashes") or ()]
        deps = [(str(name), str(version)) for name, version in package.get("deps") or ()]
        others = list(package.get("urls") or ())
    except (ValueError, TypeError, RecursionError) as error:
        page = "a web page: does a proxy or a login page stand between?" if text.lstrip()[:1] == b"<" else str(error)
        raise BenchError(f"{where} is no package's list of files but {page}") from error
    if others:
        raise BenchError(f"{where}: it takes files from elsewhere ({others[0]}), which no mirror holds")
    for path, short in files:
        if not all(NAME.fullmatch(part) for part in path.split("/")):
            raise BenchError(f"{where}: '{path}' is no path for a board's lib folder")
        if not SHORT.fullmatch(short):
            raise BenchError(f"{where}: '{short}' is no beginning of a SHA-256")
    for name, version in deps:
        _named(name, where)
        _named(version, where)
    return files, deps


def _of_image(file: str, name: str, ending: str) -> re.Match[str] | None:
    """A file's name as MicroPython's site gives it: NAME-DATE-vVERSION.uf2."""
    return re.fullmatch(rf"{re.escape(name)}-(\d{{8}})-v([0-9][A-Za-z0-9.-]*?){re.escape(ending)}", file)


def _newest(files: Iterable[str], name: str, ending: str, version: str | None) -> str | None:
    """The newest release among them, or the newest file of just that version."""
    found = []
    for file in set(files):
        if not (match := _of_image(file, name, ending)):
            continue
        date, this = match.groups()
        if this == version or (version is None and re.fullmatch(r"\d+(\.\d+)+", this)):
            found.append(([int(part) for part in re.findall(r"\d+", this)], date, file))
    return max(found)[2] if found else None


def _offered(source: Source, page: Definition, version: str | None) -> str:
    """The name of the image that a source has for a kind of board. Raises BenchError."""
    assert page.flash is not None
    ending = image.ending(page)
    name = _newest(source.images(page.flash.image), page.flash.image, ending, version)
    if name is None:
        which = f"version {version}" if version else "release"
        raise NotThere(f"{source.where}: no {which} of {page.flash.image}, for a {page.name}, that ends in {ending}")
    return name


def _good_row(path: str, row: Any) -> bool:
    shaped = isinstance(row, dict) and type(row.get("size")) is int and isinstance(row.get("at"), str)
    parts = path.split("/")
    return shaped and bool(re.fullmatch(r"[0-9a-f]{64}", str(row.get("sha256")))) and all(map(NAME.fullmatch, parts))


def _sum(file: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as data:
        while chunk := data.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _disk(folder: Path, error: OSError) -> BenchError:
    if error.errno == errno.ENOSPC:
        return BenchError(f"the disk of {folder} is full: make room, and the same command again goes on")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BenchError(f"{error.filename or folder}: you may not write there; --mirror FOLDER takes another")
    return BenchError(f"{error.filename or folder}: {error.strerror or error}")
