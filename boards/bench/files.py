"""Files onto a board, fast and all or nothing: what it has already stays, what differs is sent, main.py comes last.

One small program on the board takes them all: it writes each beside the old one and gives it its name when it is
whole. A power cut at any moment leaves old files or new ones, and no main.py while they are mixed: the board
waits at its prompt, and the same call puts it right.

Ctrl-C stops that program at any time, so a board whose cable was pulled is never lost: the byte itself never
travels in the data, where two others stand for it. What the board has not read yet is never more than it can hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from boards.bench import BenchError, Progress, silent
from boards.bench.port import Board

FOLDERS = ("firmware", "lib")  # ours alone: what is in them and not wanted goes away
CHUNK = 2048  # bytes that are written at once
# So many bytes go out before the board asks for more, by sys.platform: USB has flow control, and so have pipes.
AT_ONCE = {"rp2": 256, "linux": CHUNK * 2}  # an RP2 holds 512 where what stands in for USB does not wait
AT_ONCE_ELSE = 128  # an ESP32's port has none, and room for 256 bytes
BLOCK = 4096  # a flash memory is given out in pieces of this
INLINE = 512  # LittleFS keeps smaller files together, beside their names
SLACK = 2 * BLOCK  # it has so much more free than it can tell
SILENCE_S = 30  # a slow chip that erases and writes says nothing meanwhile
NEW = ".new"

# What the board runs. d: part of a file; e: its last part, and it gets its name; r: away with one; x: end.
# Each is answered by a line when it is done: what came is in the file, and there is room for more.
RECEIVER = """
import sys, os, gc
i = sys.stdin.buffer
b = memoryview(bytearray(%d))
def take(n, w):
 a = 0
 while a < n:
  k = min(w, n - a)
  i.readinto(b[a:a + k])
  a += k
  if a < n: print("+")
 return bytes(b[:n]).replace(b"\\x1bC", b"\\x03").replace(b"\\x1b[", b"\\x1b")
def away(p):
 try: os.remove(p)
 except OSError as e:
  if e.errno != 2: raise
def folders(p):
 k = p.find("/")
 while k > 0:
  try: os.mkdir(p[:k])
  except OSError as e:
   if e.errno != 17: raise
  k = p.find("/", k + 1)
def go(w):
 f = None
 try:
  while 1:
   gc.collect()
   print("=")
   c, n, p = i.readline().decode().strip().split(" ", 2)
   if c == "x": break
   if c == "r":
    away(p)
    continue
   if f is None:
    folders(p)
    f = open(p + ".new", "wb")
   print("+")
   f.write(take(int(n), w))
   if c == "e":
    f.close()
    f = None
    os.rename(p + ".new", p)
 except OSError as e:
  if f: f.close()
  f = None
  if c != "r": away(p + ".new")
  print("!", e.errno, p)
 finally:
  if f: f.close()
 if hasattr(os, "sync"): os.sync()
go(%d)
"""


class Sent(NamedTuple):
    """What came of it."""

    written: tuple[str, ...]  # in the order they were
    removed: tuple[str, ...]
    kept: tuple[str, ...]  # were there already
    sent_bytes: int  # content that went over the line


def bring(board: Board, wanted: Mapping[str, bytes], progress: Progress = silent, dry: bool = False) -> Sent:
    """Puts these files onto a board, by their paths there, and removes others in firmware/ and lib/. Raises BenchError.

    All other files stay as they are: the board's password, a wall's kept scene. dry: nothing is changed, only told.
    """
    top = {path.partition("/")[0] for path in wanted} | {*FOLDERS, "main.py"}
    beside = {path + NEW for path in wanted if "/" not in path}
    listing = board.listing(sorted(top | beside | {"main.py" + NEW}))
    there = {path: total for path, (total, _) in listing.items()}
    sums = {path: sha256(data).hexdigest() for path, data in wanted.items()}
    kept = [path for path in sums if there.get(path) == sums[path]]
    new = sorted((path for path in sums if there.get(path) != sums[path]), key=_order)
    gone = sorted(
        path
        for path in there
        if path not in wanted and (path.partition("/")[0] in FOLDERS or path in beside or path == "main.py" + NEW)
    )
    if not new and not gone:
        return Sent((), (), tuple(sorted(kept)), 0)
    if "main.py" in there and (gone or new != ["main.py"]):
        gone.insert(0, "main.py")  # first: so a board whose files are mixed does not start
        if "main.py" in kept:
            kept.remove("main.py")
            new.append("main.py")
    _room(board, {path: size for path, (_, size) in listing.items()}, wanted, new, gone)
    whole = sum(len(wanted[path]) for path in new)
    sent = Sent(tuple(new), tuple(path for path in gone if path not in new), tuple(sorted(kept)), whole)
    if dry:
        return sent
    board.fresh()
    first = [path for path in new if path != "main.py"]
    _send(board, wanted, gone, first, progress, 0, whole)
    _compare(board, sums, first)
    if "main.py" in new:
        _send(board, wanted, [], ["main.py"], progress, whole - len(wanted["main.py"]), whole)
        _compare(board, sums, ["main.py"])
    return sent


def _order(path: str) -> tuple[int, str]:
    """board.json after all code, main.py after all."""
    return (2 if path == "main.py" else 1 if "/" not in path else 0), path


def _room(
    board: Board, sizes: Mapping[str, int], wanted: Mapping[str, bytes], new: Iterable[str], gone: Sequence[str]
) -> None:
    """Raises BenchError before anything is changed, where it cannot all fit: the board works on. `sizes`: on it now."""
    free = _free(board)
    if free < 0:
        return
    room = free + SLACK + sum(_takes(sizes[path]) for path in gone)
    for path in new:  # each lies beside the old one until it is whole
        size = _takes(len(wanted[path]))
        if size > room:
            raise BenchError(_full(board, f"{sum(len(wanted[path]) for path in new)} bytes are to come", free))
        room += (_takes(sizes[path]) if path in sizes and path not in gone else 0) - size


def _takes(size: int) -> int:
    """What a file of that size takes of a flash memory: whole pieces, each with a few bytes of LittleFS's own.

    Small ones are kept twice, as names are.
    """
    return 2 * size if size <= INLINE else -(-size // (BLOCK - 8)) * BLOCK


def _full(board: Board, what: str, free: int) -> str:
    return (
        f"{board.port}: the board's flash memory is full: {what}, {free} bytes are free. "
        "Files of others on it? `mpremote fs ls` shows them, `mpremote fs rm` removes them"
    )


def _send(
    board: Board,
    wanted: Mapping[str, bytes],
    gone: Iterable[str],
    new: Iterable[str],
    progress: Progress,
    done: int,
    whole: int,
) -> None:
    """`done` of `whole` bytes were sent before."""
    at_once = AT_ONCE.get(board.about().platform, AT_ONCE_ELSE)
    board.begin(RECEIVER % (CHUNK * 2, at_once))
    _expect(board, "=")
    for path in gone:
        board.say(f"r 0 {path}\n".encode())
        _expect(board, "=")
    for path in new:
        data = wanted[path]
        for start in range(0, max(1, len(data)), CHUNK):
            part = data[start : start + CHUNK]
            coded = part.replace(b"\x1b", b"\x1b[").replace(b"\x03", b"\x1bC")
            last = start + CHUNK >= len(data)
            board.say(f"{'e' if last else 'd'} {len(coded)} {path}\n".encode())
            for begin in range(0, len(coded), at_once):
                _expect(board, "+")
                board.say(coded[begin : begin + at_once])
            if not coded:
                _expect(board, "+")
            _expect(board, "=")
            done += len(part)
            progress(path, done, whole)
    board.say(b"x 0 x\n")
    board.end(SILENCE_S)


def _expect(board: Board, sign: str) -> None:
    told = board.answer(SILENCE_S)
    while not told:
        told = board.answer(SILENCE_S)
    if told == sign:
        return
    if told.startswith("! "):
        with contextlib.suppress(BenchError):
            board.end()
        _, number, path = told.split(" ", 2)
        if number == "28":  # ENOSPC
            raise BenchError(_full(board, f"{path} does not fit", _free(board)))
        raise board.trouble(path, "write", int(number))
    raise BenchError(f"{board.port}: the board answered '{told[:60]}' in the middle of a file; try another cable")


def _free(board: Board) -> int:
    try:
        return int(board.run("import os\ns = os.statvfs('.')\nprint(s[0] * s[3] if s[3] <= s[2] else 0)"))
    except (BenchError, ValueError):
        return -1


def _compare(board: Board, sums: Mapping[str, str], paths: Iterable[str]) -> None:
    """Raises BenchError where a file on the board is another one than was sent."""
    there = board.sums(sorted(paths)) if paths else {}
    wrong = [path for path in paths if there.get(path) != sums[path]]
    if wrong:
        raise BenchError(
            f"{board.port}: {', '.join(wrong)} came damaged onto the board; give the same command again, "
            "with another cable if it stays so"
        )
