"""The table of commands as it is, for tests that walk all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import typer

import callfloor
from tests import rights
from tests.pythons import ROOT


class Command(NamedTuple):
    """One command: its words, and its parameters as the parser has them."""

    words: tuple[str, ...]
    params: list[Any]
    help: str
    hidden: bool

    @property
    def required(self) -> list[Any]:
        """What has to be given, in order."""
        return [param for param in self.params if param.required]

    @property
    def options(self) -> set[str]:
        return {name for param in self.params for name in param.opts}


def kind_of(param: Any) -> str:
    """What a parameter is: int, float, str, Path, bool."""
    described = getattr(param, "type_descriptor", None)  # newer Typers; older ones have Click's
    if described is not None:
        text = str(getattr(described.annotation, "__name__", described.annotation))
    else:
        text = {"integer": "int", "path": "Path", "text": "str", "boolean": "bool"}.get(
            param.type.name.removesuffix(" range"), param.type.name
        )
    return next((kind for kind in ("Path", "int", "float", "bool") if kind in text), "str")


def commands() -> list[Command]:
    """All commands, the hidden ones too."""
    found: list[Command] = []

    def walk(here: Any, words: tuple[str, ...]) -> None:
        for name, below in sorted(getattr(here, "commands", {}).items()):
            if hasattr(below, "commands"):
                walk(below, (*words, name))
            else:
                found.append(Command((*words, name), below.params, below.help or "", below.hidden))

    walk(typer.main.get_command(callfloor.app), ())
    return found


class Said(NamedTuple):
    """What became of one command line. `status`: "hangs" where it did not end in time."""

    words: list[str]
    status: int | str | None
    out: str
    err: str


# One process runs many command lines, one after the other: starting one for each would take minutes.
MANY = """
import contextlib, io, json, os, signal, sys, typer.main
import callfloor, callfloor_errors
limit_s, lines = json.load(sys.stdin)
command = typer.main.get_command(callfloor.app)
sys.stdin = open(os.devnull)
class Late(BaseException): pass
def late(*_): raise Late
signal.signal(signal.SIGALRM, late)
for words, env in lines:
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["callfloor", *words]
    before = dict(os.environ)
    os.environ.update(env)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            callfloor_errors.run(lambda: command(prog_name="callfloor"))
        status = "went on"
    except SystemExit as end:
        status = end.code
    except Late:
        status = "hangs"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for name in env:
            os.environ.pop(name)
        os.environ.update(before)
    print(json.dumps([words, status, out.getvalue()[-20000:], err.getvalue()[-3000:]]), flush=True)
"""


def run_all(lines: list[list[str]], folder: Path, limit_s: float = 8, envs: list[dict[str, str]] | None = None,
            ) -> list[Said]:  # fmt: skip
    """What becomes of command lines, as somebody runs them who may not read what `rights.forbidden` took."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "400", "CALLFLOOR_MIRROR": str(folder / "mirror"),
                        "TERM": "dumb", "HOME": str(folder)}  # fmt: skip
    given = [[words, (envs or [{}] * len(lines))[number]] for number, words in enumerate(lines)]
    done = subprocess.run(
        rights.command(sys.executable, "-c", MANY), cwd=folder, env=env, input=json.dumps([limit_s, given]),
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    said = [Said(*json.loads(line)) for line in done.stdout.splitlines()]
    assert len(said) == len(lines), done.stderr[-3000:] + str(said[-1:])
    return said
