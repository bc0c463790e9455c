"""`callfloor board flash` and `provision`: what the command line asked for becomes boards, one or many."""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boards import trying
from boards.bench import BenchError, choose, labels, many, plugged
from boards.bench import made as records
from boards.bench.flash import Done, Giver, How, Target, Told, flash, target, told_target
from boards.bench.proof import Proof
from boards.bench.show import Many, Steps, at_terminal
from boards.record import Place
from floorplan import Broker, Plan

BOARD_JSON_BYTES = 64 * 1024
FILES_MOST = 5000


@dataclass(frozen=True)
class Asked:
    """The words of the command line."""

    board: str | None = None
    desk: str | None = None
    next: bool = False
    every: bool = False
    ports: tuple[str, ...] = ()
    drive: Path | None = None
    image: Path | None = None
    mirror: Path | None = None
    with_image: bool = True
    wait: bool = True
    yes: bool = False
    dry: bool = False
    as_json: bool = False
    labels: Path | None = None
    patience_s: float = 10.0
    mqtt: tuple[str, int] | None = None
    done: list[Done] = field(default_factory=list)  # what became of the boards, also where something goes wrong


def by_site(plan: Plan, site: Path, giver: Giver, asked: Asked) -> int:
    """With the site file at hand; the exit status. Raises BenchError, SiteError."""
    if (asked.board, asked.desk, asked.next or None, asked.every or None).count(None) != 3:
        given = {f"'{asked.board}'": asked.board, "--desk": asked.desk, "--next": asked.next, "--all": asked.every}
        both = " and ".join(name for name, told in given.items() if told)
        words = f"{both} are too many: " if both else ""
        raise BenchError(f"which board? {words}give one BOARD, or --desk DESK, or --next, or --all")
    book = records.file_of(site)
    needs_broker = asked.wait or asked.next or asked.every
    broker = trying.broker_of(plan, asked.mqtt) if needs_broker and (plan.broker or asked.mqtt) else None
    how = _how(asked, giver, book, broker, plan)
    if asked.every:
        return _all(plan, how, asked, broker)
    at = choose.the_one(asked.ports, asked.drive, asked.patience_s)
    name = asked.board or (choose.board_of_desk(plan, asked.desk) if asked.desk else "")
    if not name:
        there = choose.said_hello(broker, plan.site.id) if broker else set()
        at = plugged.ask(at, asked.patience_s) if at.port and not at.about else at
        made = records.read(book)
        known = at.about and records.board_of(at.about.chip, made)
        mine = at.board if at.site == plan.site.id else None
        ids = {row.id for row in plan.board}
        name = next((one for one in (mine, known) if one in ids and one), None) or choose.next_for(
            plan, choose.to_make(plan, made, there), at
        )
    return _one(target(plan, name, asked.desk), at, how, asked)


def by_files(path: Path, asked: Asked) -> int:
    """The same of board.json files, on a computer without the site file."""
    files = told_files(path)
    if asked.desk or asked.next or asked.every:
        raise BenchError("--told takes one BOARD at a time: --desk, --next and --all need the site file")
    if asked.board is None and len(files) != 1:
        raise BenchError(f"{path} has {len(files)} boards; name one: {', '.join(list(files)[:12])}")
    name = asked.board or next(iter(files))
    if name not in files:
        raise BenchError(f"{path}: there is no board '{name}' among {', '.join(list(files)[:12])}")
    how = _how(asked, Told({board: told for board, (_, told) in files.items()}), None, None, None)
    at = choose.the_one(asked.ports, asked.drive, asked.patience_s)
    file, told = files[name]
    return _one(told_target(told, file), at, how, asked)


def told_files(path: Path) -> dict[str, tuple[Path, Mapping[str, Any]]]:
    """Board → (file, what it says) of a board.json, or of a folder of them. Raises BenchError."""
    found: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    files = sorted(path.glob("*.json"))[:FILES_MOST] if path.is_dir() else [path]
    for file in files:
        try:
            if file.stat().st_size > BOARD_JSON_BYTES:
                raise ValueError
            told = json.loads(file.read_text(encoding="utf-8"))
            found[str(told["board"])] = file, told
        except OSError as error:
            raise BenchError(f"{file}: {error.strerror}; `callfloor board json` writes it") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BenchError(f"{file}: is no board.json: `callfloor board json` writes it") from error
    if not found:
        raise BenchError(f"{path}: no board.json is in it; `callfloor board json --all --out {path}` writes them")
    return found


def _how(asked: Asked, giver: Giver, book: Path | None, broker: Broker | None, plan: Plan | None) -> How:
    asks = at_terminal() and not asked.as_json and not asked.every
    return How(
        giver=giver, book=book, broker=broker if asked.wait else None, image=asked.image, mirror=asked.mirror,
        with_image=asked.with_image, wait=asked.wait, pin=_pin if asks else None,
        sure=(lambda _: True) if asked.yes else _sure if asks else (lambda _: False),
        dry=asked.dry, patience_s=asked.patience_s, plan=plan,
    )  # fmt: skip


def _one(aim: Target, at: plugged.Found, how: How, asked: Asked) -> int:
    with Steps() as show:
        done = flash(aim, at, how, show)
    asked.done.append(done)
    if asked.as_json:
        print(json.dumps(done._asdict()))
    elif done.dry:
        print(f"board '{aim.board}' ({aim.where}) at {done.port} would be made so; nothing was changed")
    else:
        print(f"board '{aim.board}' ({aim.where}) at {done.port} is made, after {done.seconds:.1f} s")
    if asked.labels and not done.dry and how.plan:
        _labels(how.plan, [aim.board], asked)
    return 0


def _all(plan: Plan, how: How, asked: Asked, broker: Broker | None) -> int:
    began = time.monotonic()
    assert how.book
    there = choose.said_hello(broker, plan.site.id) if broker else set()
    made = records.read(how.book)
    found = plugged.found(True, asked.ports or None, asked.patience_s, records.serials(made))
    rows = choose.every(plan, found, made, there, asked.yes, bool(asked.ports))
    if not rows:
        choose.the_one((), None, asked.patience_s)  # says what is missing
    print("\n".join(choose.words_of(plan, rows)), file=sys.stderr, flush=True)
    work = [row for row in rows if row.aim]
    if work and not asked.yes and not asked.dry and at_terminal() and not _sure(f"Make {len(work)} boards so?"):
        return 1
    names = {row.aim.board: f"{row.aim.board} at {row.at.named}" for row in work if row.aim}
    done = many.flash_all(rows, how, Many(names))
    asked.done.extend(done)
    lines = many.summary(rows, done, time.monotonic() - began)
    if asked.as_json:
        left = [{"port": row.at.named, "why": row.why} for row in rows if not row.aim]
        print(json.dumps({"boards": [one._asdict() for one in done], "left": left}))
    else:
        print("\n".join(lines))
    good = [one.board for one in done if not one.wrong]
    if asked.labels and good and not asked.dry:
        _labels(plan, good, asked)
    for one in done:
        if one.wrong:
            print(f"{one.board}: {one.wrong}", file=sys.stderr)
    return int(not work or any(one.wrong for one in done))


def _labels(plan: Plan, boards: list[str], asked: Asked) -> None:
    assert asked.labels
    for path in labels.write(plan, boards, asked.labels):
        print(f"labels: {path}", file=sys.stdout if not asked.as_json else sys.stderr)


# Whoever sits there ---------------------------------------------------------------


def _sure(question: str) -> bool:
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "j", "ja")


def _pin(proof: Proof, where: Place) -> str | None:
    return proof.pin(where, Enter().pressed)


class Enter:
    """Whether somebody has pressed Enter since; on every system, without waiting."""

    _lines: queue.Queue[str] | None = None  # one reader for all: nobody can be stopped who waits for a line

    def __init__(self) -> None:
        if Enter._lines is None:
            Enter._lines = queue.Queue()
            threading.Thread(target=_read_lines, args=(Enter._lines.put,), daemon=True).start()
            return
        while not Enter._lines.empty():  # pressed for the desk before
            Enter._lines.get_nowait()

    def pressed(self) -> bool:
        return Enter._lines is not None and not Enter._lines.empty()


def _read_lines(put: Callable[[str], None]) -> None:
    for line in sys.stdin:
        put(line)
