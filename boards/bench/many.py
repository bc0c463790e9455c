"""Many boards at once: each in a thread of its own, and one that fails stops no other."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from boards.bench import BenchError
from boards.bench.choose import Row
from boards.bench.flash import Done, How, Target, flash
from boards.bench.listing import shortly
from boards.bench.plugged import Found
from boards.bench.show import Many, table
from floorplan import SiteError

AT_ONCE = 64  # boards; the others wait their turn


def flash_all(rows: Sequence[Row], how: How, show: Many | None = None) -> list[Done]:
    """Makes all boards that are to become one, at once; what became of each, in their order. Raises nothing of ours."""
    work = [(row.at, row.aim) for row in rows if row.aim]
    names = {aim.board: f"{aim.board} at {at.named}" for at, aim in work}
    show = show or Many(names)
    with show, ThreadPoolExecutor(min(AT_ONCE, max(1, len(work)))) as pool:
        return list(pool.map(lambda one: _one(one[0], one[1], how, show), work))


def _one(at: Found, aim: Target, how: How, show: Many) -> Done:
    try:
        with show.one(aim.board) as bar:
            return flash(aim, at, how, bar)
    except (BenchError, SiteError) as error:
        return Done(aim.board, at.named, aim.definition, wrong=str(error), dry=how.dry)
    except OSError as error:  # a full disk, a file of others
        with contextlib.suppress(AttributeError):
            return Done(aim.board, at.named, aim.definition, wrong=f"{error.filename}: {error.strerror}", dry=how.dry)
        raise


def summary(rows: Sequence[Row], done: Sequence[Done], seconds: float) -> list[str]:
    """What became of all, as lines."""
    where = {row.aim.board: row.aim.where for row in rows if row.aim}
    cells = [("board", "where", "port", "")]
    for one in done:
        proof = f"hello after {one.hello_s:.1f} s" if one.hello_s is not None else "made"
        words = "would be made" if one.dry else f"{proof}, {one.sent} files sent"
        wrong = f"FAILED: {shortly(one.wrong, one.port)}" if one.wrong else ""
        cells.append((one.board, where[one.board], one.port, wrong or words))
    good = sum(not one.wrong for one in done)
    left = sum(row.aim is None for row in rows)
    also = f", {len(done) - good} failed" if good < len(done) else ""
    also += f", {left} left as they are" if left else ""
    verb = "would be made" if done and done[0].dry else "made"
    return [*table(cells), f"{good} of {len(done)} boards {verb} in {seconds:.1f} s{also}"]
