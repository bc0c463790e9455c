"""docs/commands.md: every command, what it does to the floor, and what its JSON is, from the table of commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

import callfloor

PAGE = Path(__file__).with_name("commands.md")


class Kind(NamedTuple):
    """What a command does: reads (and has --json), writes (and has --dry-run), or runs, for a while or until Ctrl-C."""

    does: str
    json: str = ""  # the shape of what --json prints


LINES = "a line each: "
READS, WRITES, RUNS = "reads", "writes", "runs"
MADE = "`{board, port, definition, …}`; with --all `{boards: […], left: [ports]}`"
KINDS = {
    "audit": Kind(READS, LINES + "`{id, at, who, did, what, times}`; `at` in seconds since 1970"),
    "board check": Kind(READS, "`{board, ok, findings: [{desk, ok, …}]}`"),
    "board flash": Kind(WRITES, MADE),
    "board identify": Kind(RUNS, LINES + "`{board, where, done, words}`"),
    "board json": Kind(WRITES),
    "board labels": Kind(WRITES),
    "board list": Kind(READS, "an array of `{port, …}`; with --watch a line each, `{what: came or went, …}`"),
    "board log": Kind(READS, "`{port, lines: [text]}`"),
    "board mirror": Kind(WRITES, "`{folder, files: [{path, sha256, size, state, why}]}`"),
    "board play": Kind(READS, LINES + "`{file, title, good, amiss, said}`; `good` is null where nothing is demanded"),
    "board provision": Kind(WRITES, MADE),
    "board record": Kind(RUNS),
    "board replace": Kind(WRITES, "`{file, change: [text], next: [text]}`, or as `board flash`"),
    "board restart": Kind(WRITES, LINES + "`{board, where, done, words}`"),
    "board revoke": Kind(WRITES),
    "board rotate": Kind(WRITES),
    "board usb": Kind(READS, "an array of `{port, product, id, node, what, read, may}`"),
    "board watch": Kind(READS, LINES + "`{at, board, what, …}`"),
    "broker check": Kind(READS, LINES + "`{tried, happened, good}`; `good` is null where it is only to be known"),
    "broker listen": Kind(READS, LINES + "`{topic, said}`; `said` is null where a topic was cleared"),
    "broker setup": Kind(WRITES),
    "desk forget": Kind(WRITES, "`{cleared: [topics], left: [topics]}`"),
    "doctor": Kind(READS, "`{status, seconds, site, findings: [{level, words, mend, check, why}]}`; `level` is "
                   "good, note, warning, wrong or unknown"),
    "export": Kind(READS, LINES + "the columns of the CSV; null where a cell is empty"),
    "gateway": Kind(RUNS),
    "init": Kind(WRITES),
    "person invite": Kind(WRITES),
    "person list": Kind(READS, "`{people: [{name, role, since, seen}], links: [{id, role, person, until}]}`"),
    "person remove": Kind(WRITES),
    "phone urls": Kind(READS, "an array of `{desk, vendor, mac, settings: {name: value}}`; the site's token is in it"),
    "reload": Kind(WRITES, "`{change: [text], …, done}`"),
    "replay": Kind(READS, "the figures, by queue"),
    "sim bench": Kind(RUNS),
    "sim board": Kind(RUNS),
    "sim day": Kind(READS, "`{queues: {id: figures}, seed}`"),
    "sim floor": Kind(RUNS),
    "station": Kind(RUNS),
    "token add": Kind(WRITES),
    "token list": Kind(READS, "an array of `{name, role, until, seen}`"),
    "token remove": Kind(WRITES),
    "udev": Kind(READS, "`{file, text}`"),
    "up": Kind(RUNS),
    "wall preview": Kind(READS, "an array of `{wall, size, pages, warnings, file}`"),
    "wall test": Kind(RUNS),
}  # fmt: skip

HEAD = """\
# Commands

<!-- Written by `make docs` from the table of commands in callfloor.py and callfloor_board.py, and docs/commands.py. -->

`callfloor COMMAND --help` says all of a command; this page says what each does to the floor. A command that **reads**
changes nothing and has `--json`. One that **writes** has `--dry-run`: it looks at all that it would need, says what it
would do, and does nothing. One that **runs** goes on until Ctrl-C, or acts for a moment and leaves nothing behind.

* JSON goes to the standard output alone, words for people to the error output. Keys may be added, none change or go.
  Times are written 2026-11-22T14:05:00+01:00 where nothing else is said. All of it is ASCII.
* Exit status: 0 well; 1 as the last line says, or something that was looked at is wrong; 2 a command line that is wrong
  (`callfloor doctor`: something could not be looked at); 70 something of ours broke; 130 Ctrl-C.
* What goes wrong is one line: what, where, what to try. `callfloor --debug COMMAND …` (or `CALLFLOOR_DEBUG=1`) shows
  where in the program as well. `callfloor doctor --bundle FILE.zip` writes [what helps to help](doctor.md).
* The tab key: `callfloor --install-completion` once, then open a new terminal (bash, zsh, fish, PowerShell);
  `--show-completion` prints it instead. Boards, desks, walls and queues are offered from the site file on the same
  command line: `callfloor board flash --site SITE.toml <TAB>`.
* Windows and macOS: `pipx install callfloor` is enough for all `callfloor board …` commands, `doctor` and what reads.
  The gateway, the broker's files and simulated boards want Linux; most of it runs on macOS.

| command | does | what |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page. Raises KeyError for a command that the table lacks."""
    rows = list(commands())
    lines = [f"| `callfloor {name}` | {KINDS[name].does} | {_first(help)} |" for name, help in rows]
    shapes = [f"* `callfloor {name}`: {KINDS[name].json}" for name, _ in rows if KINDS[name].json]
    return HEAD + "\n".join(lines) + "\n\n## What --json prints\n\n" + "\n".join(shapes) + "\n"


def commands() -> Iterator[tuple[str, str]]:
    """(name, help) of each command that is not hidden."""

    def walk(here: Any, before: str) -> Iterator[tuple[str, str]]:
        for name, below in sorted(here.commands.items()):
            if hasattr(below, "commands"):
                yield from walk(below, f"{before}{name} ")
            elif not below.hidden:
                yield before + name, below.help or ""

    yield from walk(typer.main.get_command(callfloor.app), "")


def _first(help: str) -> str:
    """Its first sentence, or paragraph."""
    return " ".join(help.partition("\n\n")[0].split()).replace("|", "\\|")
