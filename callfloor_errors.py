"""How a command ends when something is wrong: a line that says what, where and what to try, and an exit status.

1: as the line says. 2: the command line is wrong. 70: something of ours broke. 130: Ctrl-C. No traceback without
`--debug`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NoReturn

BROKE = 70  # EX_SOFTWARE of sysexits.h
LINES = 20  # of what is wrong: who has mended those sees the next
# Errors whose text is for people. By name: so a command that needs none of their modules loads none.
OURS = (
    "boards.bench.BenchError",
    "boards.chip.ChipError",
    "boards.definition.DefinitionError",
    "boards.kinds.PageError",
    "firmware.start.StartError",
    "gateway.broker.accounts.AccountsError",
    "gateway.broker.authority.AuthorityError",
    "gateway.broker.trial.BrokerError",
    "gateway.people.people.PeopleError",
    "gateway.queues.ami.LinkError",
    "gateway.replay.ReplayError",
    "gateway.store.StoreError",
    "site_error.SiteError",
)
# What to try where a file or folder cannot be used.
TRY = {
    errno.ENOENT: "is the path right? a folder for a new file has to be there",
    errno.EEXIST: "there is one already; name another",
    errno.EACCES: "may you read and write there? be the user it belongs to, or try sudo",
    errno.EPERM: "be the user it belongs to, or try sudo",
    errno.EISDIR: "it is a folder; name a file",
    errno.ENOTDIR: "what should be a folder is a file; is the path right?",
    errno.ENOSPC: "the disk is full; `callfloor doctor` shows it; make room and do it again",
    errno.EROFS: "nothing can be written on that disk; name another place",
    errno.ENAMETOOLONG: "the name is too long; take a shorter one",
    errno.ELOOP: "links that lead to each other; is the path right?",
    errno.EMFILE: "too many open files; end other programs, or raise `ulimit -n`",
}

debug = False  # --debug, once the command line is read


def _before_run(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """Ctrl-C while the commands are still being loaded."""
    if issubclass(kind, KeyboardInterrupt):
        print("callfloor: stopped", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, at)


sys.excepthook = _before_run


def run(command: Callable[[], object]) -> NoReturn:
    """Runs the command line, and ends this program."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # a terminal that lacks a letter gets its number
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    output = sys.stdout
    status: int | str | None = 0
    try:
        command()
    except SystemExit as end:
        status = end.code
        if isinstance(end.__context__, BrokenPipeError):  # typer saw it first, and made it 1
            sys.stdout = output
            status = _read_enough()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        status = _read_enough()
    except Exception as error:  # the one place where errors end
        if debug:
            import traceback

            traceback.print_exc()
        words, status = words_of(error)
        print(f"callfloor: {words}", file=sys.stderr)
    _flush()
    raise SystemExit(status)


def words_of(error: Exception) -> tuple[str, int]:
    """(what is said of an error, the exit status)."""
    if any(f"{kind.__module__}.{kind.__qualname__}" in OURS for kind in type(error).__mro__):
        return "\n".join(first_of(str(error).splitlines())), 1
    if isinstance(error, OSError) and error.filename is not None:
        name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
        return f"{name}: {error.strerror}; {TRY.get(error.errno or 0, 'look at it with `callfloor doctor`')}", 1
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EMFILE):  # what is printed, too
        return f"{error.strerror}; {TRY[error.errno]}", 1
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return (
        f"something of ours broke: {said}; run it again as `callfloor --debug …` and send us what it prints, or a "
        "`callfloor doctor --bundle FILE.zip`"
    ), BROKE


def first_of(lines: Sequence[str]) -> list[str]:
    """The first lines of many, and how many more there are."""
    more = len(lines) - LINES
    return [*lines[:LINES], f"and {more:,} more"] if more > 1 else list(lines)


def _read_enough() -> int:
    """0 where the pipe that broke is our output: `callfloor … | head` has seen enough."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # Windows has no poll, and no such pipes
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)  # that it is broken is told unasked
        if not poll.poll(0):
            print("callfloor: a connection broke; run it again with --debug before the command", file=sys.stderr)
            return BROKE
    return 0


def _flush() -> None:
    """What is still to be printed goes out; what cannot is dropped, or Python would complain of it."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError, AttributeError):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk behind `>`
        print(f"callfloor: the output cannot be written ({error.strerror})", file=sys.stderr)
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
