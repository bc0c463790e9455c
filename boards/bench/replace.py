"""`callfloor board replace OLD NEW`: the desks and walls of a board go to another one, in the site file.

A broken board needs none of this: `callfloor board replace OLD` makes a new one from the box into OLD, and the site
file stays as it is. This is for a board that has an id of its own already and is to keep it. What is written is moved
as it stands, its remarks with it, and only where the file reads then as it should: else the lines are named.
"""

from __future__ import annotations

import copy
import difflib
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import floorplan
import this_computer
from boards import definition
from boards.bench import BenchError, identify
from boards.bench.made import Made


class Statement(NamedTuple):
    """One header, or one key with its value, as it stands in a file: text[start:end], its line's end with it."""

    start: int
    end: int
    header: str  # [[board]] without its blanks; empty: this is a key
    key: str


class Change(NamedTuple):
    """What is to be written."""

    path: Path
    before: str
    after: str

    def lines(self) -> list[str]:
        """The difference, for people."""
        rows = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), str(self.path), "as it will be",
                                    lineterm="", n=1)  # fmt: skip
        return list(rows)


def planned(path: Path, plan: floorplan.Plan, old: str, new: str) -> Change:
    """The site file with the desks and walls of `old` at `new`. Raises BenchError where that cannot be."""
    boards = {board.id: board for board in plan.board}
    for name in (old, new):
        if name not in boards:
            raise BenchError(f"no board '{name}' in the site file{floorplan.meant(name, boards)}")
    if old == new:
        raise BenchError(f"board '{old}' cannot replace itself; for a new one from the box leave the second name out")
    if not boards[old].inputs and not plan.walls_of(old):
        raise BenchError(f"board '{old}' has no desk and no wall: there is nothing to move")
    if boards[new].inputs or plan.walls_of(new):
        raise BenchError(f"board '{new}' is at work: {identify.place(plan, new)}; name one that is spare")
    taking = boards[new].model_copy(update={"inputs": boards[old].inputs})
    if wrong := definition.wrong_with(taking, plan.walls_of(old)):
        raise BenchError(f"board '{new}' cannot read what '{old}' does: " + "; ".join(wrong))
    return _change(path, old, new, [place.desk for place in boards[old].inputs])


def _change(path: Path, old: str, new: str, desks: list[str]) -> Change:
    text = _text_in(path)
    by_hand = (f"{path}: write it by hand: the `inputs` of [[board]] '{old}' go to [[board]] '{new}', "
               f"and board = \"{old}\" of a wall becomes board = \"{new}\"")  # fmt: skip
    if path.suffix == ".json":
        raise BenchError(by_hand)
    tables = tomllib.loads(text)
    rows = {row.get("id"): row for row in tables.get("board", [])}
    if tables.get("desks") and desks and "inputs" not in rows.get(old, {}):
        raise BenchError(
            f"{path.parent / tables['desks']}: the desks of board '{old}' stand in this table: write {new} into the "
            f"column board of {', '.join(desks)}, and the same command again for its walls"
        )
    wanted = copy.deepcopy(tables)
    rows = {row.get("id"): row for row in wanted.get("board", [])}
    if old not in rows or new not in rows:
        raise BenchError(by_hand)
    if "inputs" in rows[old]:
        rows[new]["inputs"] = rows[old].pop("inputs")
    for wall in wanted.get("wall", []):
        if wall.get("board") == old:
            wall["board"] = new
    after = moved(text, old, new)
    try:
        if tomllib.loads(after) != wanted:
            raise BenchError(by_hand)
    except tomllib.TOMLDecodeError:
        raise BenchError(by_hand) from None
    return Change(path, text, after)


def _text_in(path: Path) -> str:
    """A site file as it is, each line's end with it. Raises BenchError."""
    floorplan.text_of(path, floorplan.SITE_BYTES)  # a plain file, and not too long
    return path.read_bytes().decode("utf-8")


def moved(text: str, old: str, new: str) -> str:
    """The text with the inputs of one board in the table of another, and the walls' board changed."""
    edits: list[tuple[int, int, str]] = []  # from, to, instead
    inputs, into = "", None
    for header, block in _blocks(text):
        keys = {statement.key: statement for statement in block}
        its = _text_of(text, keys.get("id"))
        if header == "[[board]]" and its == old and "inputs" in keys:
            start = _with_remarks(text, keys["inputs"].start)
            inputs = text[start : keys["inputs"].end]
            edits.append((start, keys["inputs"].end, ""))
        elif header == "[[board]]" and its == new:
            if "inputs" in keys:
                edits.append((keys["inputs"].start, keys["inputs"].end, ""))
            into = max(statement.end for statement in block)
        elif header == "[[wall]]" and _text_of(text, keys.get("board")) == old:
            where = keys["board"]
            line = text[where.start : where.end]
            key, equals, value = line.partition("=")
            edits.append((where.start, where.end, key + equals + value.replace(old, new, 1)))
    if inputs and into is not None:
        newline = "\r\n" if "\r\n" in inputs else "\n"
        edits.append((into, into, ("" if text[:into].endswith("\n") else newline) + inputs.rstrip("\r\n") + newline))
    for start, end, instead in sorted(edits, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def _text_of(text: str, statement: Statement | None) -> Any:
    """The value of a key, if it can be read by itself."""
    with suppress(tomllib.TOMLDecodeError, TypeError):
        if statement:
            return next(iter(tomllib.loads(text[statement.start : statement.end]).values()))
    return None


def _with_remarks(text: str, start: int) -> int:
    """Where the remarks right above a line begin."""
    while start:
        before = text.rfind("\n", 0, start - 1) + 1
        if not text[before:start].lstrip().startswith("#"):
            break
        start = before
    return start


def _blocks(text: str) -> Iterator[tuple[str, list[Statement]]]:
    """(header, its keys) of every table in the file that has any."""
    header = ""
    block: list[Statement] = []
    for statement in statements(text):
        if statement.header:
            if block:
                yield header, block
            header, block = statement.header, []
        else:
            block.append(statement)
    if block:
        yield header, block


def statements(text: str) -> Iterator[Statement]:
    """What stands in a TOML file, statement by statement; remarks and empty lines between them are left out."""
    at = 0
    while at < len(text):
        line_end = _line_end(text, at)
        line = text[at:line_end].strip()
        if not line or line.startswith("#"):
            at = line_end
        elif line.startswith("["):
            header = re.sub(r"\s", "", line.partition("#")[0])
            yield Statement(at, line_end, header, "")
            at = line_end
        else:
            key = line.partition("=")[0].strip().strip("\"'")
            end = _value_end(text, at + text[at:].index("=") + 1 if "=" in text[at:] else line_end)
            yield Statement(at, end, "", key)
            at = end


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


STRING = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.S)


def _value_end(text: str, at: int) -> int:
    """The end of the line that a value ends in, whatever brackets, strings and remarks it has."""
    deep = 0
    while at < len(text):
        letter = text[at]
        if letter in "\"'" and (string := STRING.match(text, at)):
            at = string.end()
            continue
        if letter == "#":
            at = _line_end(text, at) - 1
            if text[at : at + 1] != "\n":
                return len(text)
            continue
        if letter == "\n" and deep <= 0:
            return at + 1
        deep += (letter in "[{") - (letter in "]}")
        at += 1
    return at


def write(change: Change) -> None:
    """The old file or the new one at any moment; it stays whose it was. Raises BenchError."""
    path = change.path.resolve()
    try:
        told = path.stat()
        if not told.st_mode & 0o222:
            raise BenchError(f"{path} is closed to writing, its owner's too: open it (chmod u+w), and try again")
        if told.st_uid != this_computer.user_id() and not this_computer.is_root():
            raise BenchError(f"{path} belongs to somebody else, and a new file here would be yours: try as its owner, "
                             "or with sudo")  # fmt: skip
        owner = (told.st_uid, told.st_gid) if this_computer.is_root() else None
        file, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(file, "wb") as out:
                out.write(change.after.encode())
                out.flush()
                this_computer.give(file, owner)
                this_computer.close_to_others(file, told.st_mode & 0o777)
                os.fsync(file)
            if _text_in(path) != change.before:
                raise BenchError(f"{path} was saved by somebody else meanwhile: nothing is written; try again")
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        this_computer.keep(path.parent)
    except OSError as error:
        raise BenchError(f"{path}: cannot be written ({error.strerror or error}); nothing is changed") from error


def became(old: str, before: Made | None, chip: str, new_password: bool) -> str:
    """What a new board from the box has replaced, in words. `new_password`: the host has another one for it now."""
    if before is None or not before.chip:
        said = f"which chip was '{old}' before is not in the record of boards made"
    elif before.chip == chip:
        return f"'{old}' is the chip {chip} that it was before: nothing was replaced, the old one was mended"
    else:
        now = chip or "one without a number"
        said = f"'{old}' was the chip {before.chip}, made on {before.when[:10]}, and is {now} now"
    return said + ("; what the old one has for a password opens nothing any more" if new_password else "")


def next_steps(site: Path, plan: floorplan.Plan, old: str, new: str) -> list[str]:
    """What is left to be done, in order."""
    return [
        f"1. plug board '{new}' in: callfloor board provision {new} --site {site} (it reads other pins from now on)",
        f"2. hang it in the place of '{old}' ({identify.place(plan, old)}), then: callfloor board check {new} "
        f"--site {site}",
        f"3. tell the running floor: callfloor reload {site}",
        f"4. if '{old}' does not come back: callfloor board revoke {old} --site {site}",
    ]
