"""How long the firmware takes onto a board that runs MicroPython already, beside mpremote's own `cp -r` of the files;
and onto a box of boards at once.

Real interpreters behind pseudo-terminals. Both are programs that are started, as a technician starts them, and both
end with the same files on the board. The box is made as `callfloor board flash --all` makes it, each board proved by
its hello at a real broker.
"""

from __future__ import annotations

import contextlib
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import floorplan
from benchmarks.__main__ import Figure, at_most
from boards.bench import bundle, making
from boards.bench.making import Asked
from gateway.broker.boards import Giver
from simulator.plugged import Plugged
from simulator.plugged import bench as plugged
from tests.boards_broker import BoardsBroker

ROUNDS = 5
SECOND_S = 2.0
BOX = 25  # boards
BOX_S = 60.0
OURS = """
import sys
from boards.bench import bundle, files
from boards.bench.port import Board
with Board(sys.argv[1]) as board:
    print(files.bring(board, bundle.firmware(board.about().mpy)).sent_bytes)
"""


def bench(folder: Path) -> Iterator[Figure]:
    """Firmware onto a board, ours against mpremote's; once more, when it has it already; and a box of boards."""
    made = bundle.firmware(bundle.MPY)
    for path, data in made.items():
        (folder / "files" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "files" / path).write_bytes(data)
    first, again, theirs = [], [], []
    for number in range(ROUNDS):
        with Plugged(folder / f"theirs-{number}") as board:
            command = ["-m", "mpremote", "connect", board.port, "fs", "cp", "-r", f"{folder}/files/.", ":"]
            theirs.append(_seconds(command)[0])
            _same(board, made)
        with Plugged(folder / f"ours-{number}") as board:
            seconds, sent = _seconds(["-c", OURS, board.port])
            first.append(seconds)
            _same(board, made)
            if int(sent) != sum(map(len, made.values())):
                raise RuntimeError(f"{sent} bytes were sent to a blank board")
            seconds, sent = _seconds(["-c", OURS, board.port])
            again.append(seconds)
            if int(sent):
                raise RuntimeError(f"{sent} bytes were sent to a board that has all")
    beside = round(statistics.median(theirs), 2)
    yardstick = f"mpremote cp -r of the same {len(made)} files: {beside:.2f} s"
    yield at_most("firmware onto a board", statistics.median(first), "s", beside, yardstick)
    yield at_most("firmware onto a board that has it", max(again), "s", SECOND_S, "nothing is sent")
    yield at_most(f"{BOX} boards with --all", _box(folder / "box"), "s", BOX_S, f"one takes {first[-1]:.2f} s")


def _box(folder: Path) -> float:
    """Seconds for a box of blank boards, until the last one's hello."""
    folder.mkdir()
    house = BoardsBroker(folder)
    tables = json.loads(house.site.read_text())
    desks = [f"d{number}" for number in range(BOX)]
    tables["desk"] = [{"id": desk} for desk in desks]
    tables["board"] = [
        {"id": f"board-{desk}", "definition": "simulated",
         "inputs": [{"desk": desk, "phone": {"by": "contact", "pin": "GP2"}}]} for desk in desks
    ]  # fmt: skip
    house.site.write_text(json.dumps(tables))
    house.plan = floorplan.read(house.site)
    with house, plugged(folder / "flash", BOX) as boards:
        asked = Asked(every=True, ports=tuple(board.port for board in boards), yes=True)
        said = io.StringIO()
        started = time.monotonic()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = making.by_site(house.plan, house.site, Giver(house.plan), asked)
        seconds = time.monotonic() - started
        if status or len(asked.done) != BOX or any(one.hello_s is None for one in asked.done):
            raise RuntimeError(said.getvalue())
    return seconds


def _seconds(arguments: list[str]) -> tuple[float, str]:
    started = time.monotonic()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr}")
    return time.monotonic() - started, done.stdout


def _same(board: Plugged, made: dict[str, bytes]) -> None:
    for path, data in made.items():
        if (board.flash / path).read_bytes() != data:
            raise RuntimeError(f"{path} on the board is another one")
