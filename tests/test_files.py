"""Files onto a board: only what differs, all or nothing, whatever is full, old, lossy or pulled out."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from boards.bench import BenchError, files
from boards.bench.files import Sent, bring
from boards.bench.port import Board, Gone
from simulator.plugged import UART, Plugged, Wire
from tests.conftest import until

WRITES = 100  # to the flash memory, some more are made from version 1 to 2
STARTED = b"print('started', open('firmware/version').read())\n"
EVERY_BYTE = bytes(range(256)) * 17 + b"\x03\x1b\x1bC\x1b[\x03\x03\x1b" * 200


def version(number: int) -> dict[str, bytes]:
    """A firmware of some files, large and small, that differ from version to version, and one that does not."""
    some = random.Random(number)
    return {
        "firmware/version": b"%d" % number,
        "firmware/same.mpy": EVERY_BYTE,
        "firmware/panels/large.mpy": some.randbytes(9000 + number),
        "firmware/empty.py": b"",
        "lib/one/deep.mpy": some.randbytes(2048),
        "board.json": b'{"board": %d}' % number,
        "main.py": STARTED,
    }


def on(flash: Path) -> dict[str, bytes]:
    """What is in a board's flash memory, seen from outside."""
    return {str(path.relative_to(flash)): path.read_bytes() for path in flash.rglob("*") if path.is_file()}


def brought(board: Plugged, wanted: dict[str, bytes]) -> Sent:
    with Board(board.port) as there:
        return bring(there, wanted)


def test_only_what_differs_goes_over_the_line(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as board:
        told: list[tuple[str, int, int]] = []
        (board.flash / "password").write_text("its own")
        with Board(board.port) as there:
            sent = bring(there, version(1), lambda *what: told.append(what))
        assert on(board.flash) == version(1) | {"password": b"its own"}
        assert sent.written[-2:] == ("board.json", "main.py") and sent.sent_bytes == sum(map(len, version(1).values()))
        assert told[-1] == ("main.py", sent.sent_bytes, sent.sent_bytes)
        assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)

        before = board.passed
        again = brought(board, version(1))
        assert again == ((), (), tuple(sorted(version(1))), 0)
        assert board.passed - before < 5000, "no file of 4 KB was sent again"

        (board.flash / "firmware" / "gone.py").write_text("print(1)")
        (board.flash / "firmware" / "version.new").write_text("half")
        update = brought(board, version(2))
        assert on(board.flash) == version(2) | {"password": b"its own"}
        assert update.removed == ("firmware/gone.py", "firmware/version.new")
        assert update.kept == ("firmware/empty.py", "firmware/same.mpy")
        assert "main.py" in update.written


def test_the_last_file_is_the_one_that_starts_it(tmp_path: Path) -> None:
    """While anything else changes, the board has no main.py; board.json is new only after all code is."""
    seen = []
    with Plugged(tmp_path / "flash") as board:
        brought(board, version(1))
        with Board(board.port) as there:

            def look(what: str, done: int, whole: int) -> None:
                if what != "main.py":
                    have = on(board.flash)
                    seen.append(what)
                    assert "main.py" not in have
                    assert have["board.json"] == version(1 if what != "board.json" else 2)["board.json"]

            bring(there, version(2), look)
    assert "board.json" in seen and "firmware/panels/large.mpy" in seen


def test_a_port_without_flow_control_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pretend board says it is `linux`, where so much goes at once as a pipe takes; here as on an ESP32.

    Such a board reads nothing while it writes to its flash memory: what is on its way must fit into its buffer.
    """
    assert UART.holds
    fast = Wire(bytes_per_s=200_000, holds=UART.holds)
    monkeypatch.setitem(files.AT_ONCE, "linux", files.AT_ONCE_ELSE)
    on_the_way, most = [0], [0]

    class Watched(Board):
        def say(self, data: bytes) -> None:
            on_the_way[0] += len(data)
            most[0] = max(most[0], on_the_way[0])
            super().say(data)

        def answer(self, timeout_s: float) -> str:
            on_the_way[0] = 0
            return super().answer(timeout_s)

    with Plugged(tmp_path / "flash", wire=fast) as board, Watched(board.port) as there:
        bring(there, version(1))
        assert on(board.flash) == version(1) and board.lost == 0
    assert 0 < most[0] <= UART.holds


def test_an_old_board_has_a_fat(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash", blocks=64, fat=True) as board, Board(board.port) as there:
        for number in (1, 2):
            bring(there, version(number))
            sums = there.sums(["firmware", "lib", "board.json", "main.py"])
            assert sums == {path: sha256(data).hexdigest() for path, data in version(number).items()}


# All but six blocks: what LittleFS has free is at least as much as it says.
FILLS = (
    "import os\ns = os.statvfs('.')\nwith open('filler', 'wb') as f:\n"
    " for _ in range(s[3] - 6): f.write(bytes(4088))\n"
)


def test_a_full_board_says_so_and_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Plugged(tmp_path / "flash", blocks=32) as board:
        brought(board, version(1))
        with Board(board.port) as there:
            before = there.sums()
            with pytest.raises(BenchError, match=r"flash memory is full: \d+ bytes are to come, \d+ bytes are free"):
                bring(there, version(1) | {"firmware/huge.mpy": bytes(200_000)})
            assert there.sums() == before, "nothing was begun"
            there.run(FILLS)
            with pytest.raises(BenchError, match="flash memory is full"):  # less than is free, but in whole blocks
                bring(there, version(1) | {f"firmware/b{number}": bytes(600) for number in range(9)})
            assert {path: total for path, total in there.sums().items() if path != "filler"} == before, "it works on"
            there.run("os.remove('filler')")
            free = files._free(there)
            monkeypatch.setattr(files, "_room", lambda *_: None)  # as where nobody knows how much is free
            blocks = {f"firmware/a{number:02}": bytes(200) for number in range(20)}  # a block each: who could know
            large = {"firmware/version": random.Random(1).randbytes(free - 4100)}
            with pytest.raises(BenchError, match=r"firmware/(a\d\d|version) does not fit, \d+ bytes are free"):
                bring(there, version(1) | blocks | large)
            after = there.sums()
            assert after["firmware/version"] == before["firmware/version"], "the old one is whole"
            assert "main.py" not in after and not any(path.endswith(".new") for path in after)
            bring(there, version(2))
            assert there.sums() == {path: sha256(data).hexdigest() for path, data in version(2).items()}


def test_a_damaged_file_is_noticed_before_the_board_starts(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as board, Board(board.port) as there:

        def harm(what: str, done: int, whole: int) -> None:
            (board.flash / "firmware" / "same.mpy").write_bytes(b"harmed")

        with pytest.raises(BenchError, match=r"firmware/same\.mpy came damaged"):
            bring(there, {"firmware/same.mpy": b"whole", "lib/z.mpy": b"z", "main.py": STARTED}, harm)
        assert not (board.flash / "main.py").exists()


def test_a_name_that_is_a_folder_there_is_said(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as board:
        (board.flash / "firmware" / "version").mkdir(parents=True)
        (board.flash / "firmware" / "version" / "x").write_text("x")
        words = r"firmware/version .*`mpremote fs rm -r :firmware/version`"
        with pytest.raises(BenchError, match=words), Board(board.port) as there:
            bring(there, {"firmware/version": b"1"})
        assert brought(board, {"firmware/other": b"1"}).written == ("firmware/other",), "and it works on"


# The cable.


@pytest.mark.parametrize("pulled", ["power too", "cable alone", "in a write"])
def test_a_cable_pulled_at_any_moment_is_put_right_by_the_same_call(tmp_path: Path, pulled: str) -> None:
    """Half of the boards have a LittleFS, that cannot be looked into from outside: they are asked.

    `in a write`: the power fails at some write to a LittleFS, the others at some byte on the line.
    """
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    with Plugged(tmp_path / "whole") as board:
        brought(board, version(1))
        before = board.passed
        brought(board, version(2))
        whole = WRITES if pulled == "in a write" else board.passed - before
    some = random.Random(seed)

    def one(number: int, cut: int) -> None:
        blocks = 64 if number % 2 or pulled == "in a write" else None
        with Plugged(tmp_path / f"flash-{number}", blocks=blocks, link=tmp_path / f"port-{number}") as board:
            port = str(tmp_path / f"port-{number}")
            brought(board, version(1))
            if pulled == "in a write":
                board.power_fails_at = cut
            else:
                board.cut_after(cut, pulled == "power too")
            with pytest.raises(BenchError), Board(port) as there:
                bring(there, version(2))
                there.restart()
                there.run("while True: print('x')")  # what was left to cut: it is gone by then
            until(lambda: not board.plugged(), f"{cut} of {whole}")
            board.plug()
            with Board(port) as there:
                _is_old_or_new_or_does_not_start(there)
                bring(there, version(2))
                assert there.sums() == {path: sha256(data).hexdigest() for path, data in version(2).items()}, cut
                there.restart()
                assert any("started 2" in line for line in there.lines(5)), cut

    with ThreadPoolExecutor(8) as pool:
        cuts = [*(some.randrange(whole) for _ in range(7)), whole - 1]
        for done in [pool.submit(one, number, cut) for number, cut in enumerate(cuts)]:
            done.result()


def _is_old_or_new_or_does_not_start(board: Board) -> None:
    """Each file is whole, the old one or the new; and only where all are of one kind, there is a main.py."""
    have = {path: total for path, total in board.sums().items() if not path.endswith(".new")}
    old, new = ({path: sha256(data).hexdigest() for path, data in version(number).items()} for number in (1, 2))
    assert all(total in (old[path], new[path]) for path, total in have.items())
    assert "main.py" not in have or have in (old, new)


def test_ctrl_c_at_our_terminal_leaves_a_board_that_can_be_used(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as board:

        def stop(what: str, done: int, whole: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), Board(board.port) as there:
            bring(there, version(1), stop)
        with Board(board.port) as there:
            assert not there.ran, "it waits at its prompt"
            bring(there, version(1))
        assert on(board.flash) == version(1)


def test_a_board_that_vanishes_is_said_in_words(tmp_path: Path) -> None:
    with Plugged(tmp_path / "flash") as board, Board(board.port) as there:
        board.pull()
        with pytest.raises(Gone, match="was the cable pulled"):
            bring(there, version(1))
