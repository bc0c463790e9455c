"""`callfloor board identify` and `restart`: boards show themselves or begin anew, and it is said where each belongs."""

from __future__ import annotations

import json
from collections.abc import Sequence

import floorplan
from boards import command
from boards.bench import BenchError

MOST = 12  # names in a line


def named(plan: floorplan.Plan, names: Sequence[str]) -> list[str]:
    """The boards meant, in their order, each once; `all` is every board. Raises BenchError."""
    there = [board.id for board in plan.board]
    if "all" in names and "all" not in there:
        names = there
    for name in names:
        if name not in there:
            raise BenchError(f"no board '{name}' in the site file{floorplan.meant(name, there)}")
    if not names:
        known = ", ".join(there[:MOST]) or "none in the site file"
        raise BenchError(f"name a board, several, or all; there is {known}")
    return list(dict.fromkeys(names))


def shortly(names: Sequence[str]) -> str:
    """Names for the audit list."""
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def place(plan: floorplan.Plan, board: str) -> str:
    """Where a board should hang: desks a1, a2; wall north."""
    row = next(row for row in plan.board if row.id == board)
    found = [("desk", [given.desk for given in row.inputs]), ("wall", [wall.id for wall in plan.walls_of(board)])]
    words = []
    for what, ids in found:
        if ids:
            more = f" and {len(ids) - MOST} more" if len(ids) > MOST else ""
            words.append(f"{what}{'s' if len(ids) > 1 else ''} {', '.join(ids[:MOST])}{more}")
    return "; ".join(words) or "no desk and no wall in the site file"


def rehearse(plan: floorplan.Plan, names: Sequence[str], as_json: bool) -> None:
    """Says which boards would begin anew."""
    if not as_json:
        print(f"would have {shortly(names)} begin anew")
        return
    for board in names:
        row = {"board": board, "where": place(plan, board), "done": False, "words": "would begin anew"}
        print(json.dumps(row))


def run(
    plan: floorplan.Plan, names: Sequence[str], do: str, seconds: int, address: tuple[str, int] | None, as_json: bool
) -> int:
    """Has all of them do it at once; 1 where one did not. Raises BenchError, CommandError, SiteError."""
    boards = named(plan, names)
    answers = command.tell_all(plan, boards, {"do": do, "seconds": seconds}, address)
    shows = f"shows itself for {seconds} s: its lamp blinks, its walls show a frame"
    for board, answer in answers.items():
        where = place(plan, board)
        if as_json:
            print(json.dumps({"board": board, "where": where, "done": answer.done, "words": answer.words}))
        elif answer.done:
            words = shows if do == "identify" else f"begins anew: {answer.words}"
            print(f"board '{board}' ({where}) {words}")
        else:
            print(f"{answer.words} It belongs to: {where}" if answer.words.endswith("?")
                  else f"{answer.words}; it belongs to: {where}")  # fmt: skip
    return int(not all(answer.done for answer in answers.values()))
