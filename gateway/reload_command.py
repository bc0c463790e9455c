"""`callfloor reload`: what a changed site file would change in the floor that runs, and, if so wished, changes it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import floorplan
from boards import trying
from boards.ear import CommandError, Ear
from boards.readable import plain
from floorplan import Broker, Plan
from gateway.people.commands import console
from gateway.reload import ANSWER, COMMAND, Line, digest_of

LOOK_S = 20.0  # a gateway that is there has read its file by then
DO_S = 120.0  # and taken it up: walls are drawn anew, messages composed
TITLES = {
    "change": "changes at once",
    "board": "what boards are to be told; until then what was another's place is unknown, the rest as before",
    "restart": "needs a restart, and stays as it was until then",
}


class Answer(NamedTuple):
    """What the gateway says."""

    done: bool
    file: str
    digest: str
    lines: list[Line]

    def of(self, kind: str) -> list[str]:
        """The lines of one kind."""
        return [words for what, words in self.lines if what == kind]


def run(site: Path, address: tuple[str, int] | None, yes: bool, dry_run: bool, as_json: bool,
        confirm: Callable[[str], bool]) -> int:  # fmt: skip
    """The command. Returns an exit status; raises SiteError, CommandError."""
    plan = floorplan.read(site)
    broker = trying.broker_of(plan, address)
    looked = look(site, plan, broker)
    changes = looked.of("change") + looked.of("board")  # the latter alone: what boards are told, as their Wi-Fi
    if not as_json:
        _print(looked)
    done = False
    if changes and not dry_run:
        if not yes and (as_json or not sys.stdin.isatty()):
            raise CommandError("there is nobody to ask here: --yes does it, --dry-run only shows what differs")
        if not yes and not confirm("Change the running floor?"):
            return 1
        who = console().name[:32]
        done = _asked(plan, broker, {"do": "reload", "seen": looked.digest, "who": who}, DO_S).done
    if as_json:
        print(json.dumps({**{kind: looked.of(kind) for kind in TITLES}, "done": done}))
    elif done:
        print("done: the floor runs by the file as it is now")
    return 0


def look(site: Path, plan: Plan, broker: Broker, patience_s: float = LOOK_S) -> Answer:
    """What the file would change in the gateway that runs by it. Raises CommandError where none does."""
    looked = _asked(plan, broker, {"do": "look"}, patience_s)
    _is_same_file(site, looked)
    return looked


def _print(looked: Answer) -> None:
    for kind, title in TITLES.items():
        if lines := looked.of(kind):
            print(f"{title}:")
            print("".join(f"  {line}\n" for line in lines), end="")
    if not looked.lines:
        print("nothing to do: the floor runs by this file as it is")
    elif not looked.of("change"):
        print("nothing to do at once")


def _is_same_file(site: Path, told: Answer) -> None:
    """Two files of one house are soon confused. Raises CommandError."""
    if told.digest != digest_of(site):
        raise CommandError(
            f"the gateway runs by another file, {plain(told.file)}, and it is not as {site} is; change that one, or "
            "start the gateway with this one"
        )


def _asked(plan: Plan, broker: Broker, command: dict[str, Any], patience_s: float) -> Answer:
    """What the gateway of this site answers. Raises CommandError where none does, or where it refuses."""
    name = os.urandom(4).hex()
    lines: list[Line] = []
    with Ear(broker, plan.site.id, [ANSWER]) as ear:
        ear.say(COMMAND, **command, id=name)
        until_s = time.monotonic() + patience_s
        while said := ear.hear(max(0.0, until_s - time.monotonic())):
            part = said.fields
            if not part or part["id"] != name:
                continue
            lines += [(str(kind), plain(str(words))) for kind, words in part["rows"]]
            if part["last"]:
                break
        else:
            raise CommandError(
                f"no gateway of site '{plan.site.id}' answers at the broker at {broker.host}:{broker.port}; does it "
                "run? If [broker] is another one in the file now, that needs a restart: start the gateway anew"
            )
    answer = Answer(part["done"], part["file"], part["digest"], lines)
    if not answer.done:
        words = "\n".join(answer.of("wrong")) or "it does not say why"
        raise CommandError(f"{words}\nnothing was changed")
    return answer
