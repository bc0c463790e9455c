"""`callfloor board flash --all`: a box of boards at once, and the one that fails stops no other."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from boards.bench import choose, made, making, many, plugged
from boards.bench.making import Asked
from boards.bench.port import About
from gateway.broker import boards as board_accounts
from gateway.broker.boards import Giver
from simulator.plugged import Foreign, Plugged
from tests.boards_broker import BoardsBroker
from tests.conftest import until

BOARDS = [f"row-{letter}" for letter in "abcde"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardsBroker]:
    """Five boards that are pretend ones, and one that is none."""
    house = BoardsBroker(tmp_path_factory.mktemp("house"))
    tables = json.loads(house.site.read_text())
    tables["desk"] = [{"id": f"d-{name}"} for name in BOARDS]
    tables["board"] = [
        {"id": name, "definition": "simulated",
         "inputs": [{"desk": f"d-{name}", "phone": {"by": "contact", "pin": "GP2"}}]} for name in BOARDS
    ]  # fmt: skip
    tables["board"].insert(0, {"id": "hall", "definition": "raspberry-pi"})
    house.site.write_text(json.dumps(tables))
    house.plan = floorplan.read(house.site)
    with house:
        yield house


def words(*ports: str, **more: Any) -> Asked:
    return dataclasses.replace(Asked(every=True, ports=ports), **more)


def test_a_box_of_boards(house: BoardsBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.ExitStack() as stack:
        plug = stack.enter_context
        boards = [plug(Plugged(tmp_path / f"flash-{number}", link=tmp_path / f"tty{number}")) for number in range(4)]
        printer = plug(Foreign(answer=lambda line: b"ok\n"))
        links = [str(board._link) for board in boards]
        # The second one was row-d before; and the third loses its cable half way.
        before = words(links[1], every=False, board="row-d", yes=True, wait=False)
        assert making.by_site(house.plan, house.site, Giver(house.plan), before) == 0
        boards[2].cut_after(30_000)
        asked = words(*links[:3], printer.port, links[3], labels=tmp_path / "made.pdf", patience_s=5)
        capsys.readouterr()
        assert making.by_site(house.plan, house.site, Giver(house.plan), asked) == 1
        out, err = capsys.readouterr()
        made_now = {one.port: one for one in asked.done}
        assert [made_now[link].board for link in links] == ["row-a", "row-d", "row-b", "row-c"]
        assert [bool(made_now[link].wrong) for link in links] == [False, False, True, False]
        assert made_now[links[1]].sent == 0 and made_now[links[0]].hello_s is not None
        assert "row-d (desk d-row-d)  it is already" in err and "a 3D printer answers there" in err
        assert f"{printer.port}: " not in err  # it stands in front; and what is wrong is told whole below
        assert "FAILED" in out and f"row-b: {made_now[links[2]].wrong}\n" in err
        assert "3 of 4 boards made in" in out and "1 failed, 1 left as they are" in out
        assert (tmp_path / "made.pdf").read_bytes().startswith(b"%PDF-1.4")
        until(lambda: all(house.state(name) == "ready" for name in ("row-a", "row-c", "row-d")), "the others work")
        assert set(made.read(made.file_of(house.site))) == {"row-a", "row-c", "row-d"}

        boards[2].pull()
        boards[2].plug()
        again = words(*links, as_json=True)
        assert making.by_site(house.plan, house.site, Giver(house.plan), again) == 0
        told = json.loads(capsys.readouterr().out)
        assert {row["port"]: row["board"] for row in told["boards"]} == {port: made_now[port].board for port in links}
        assert [row["sent"] > 0 for row in told["boards"]] == [False, False, True, False]
        passwords = [json.loads((board.flash / "board.json").read_text())["broker"]["password"] for board in boards]
        assert passwords == [house.password(made_now[link].board) for link in links]


def test_a_dry_run_of_a_box(house: BoardsBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Plugged(tmp_path / "a") as board:
        asked = words(board.port, dry=True)
        assert making.by_site(house.plan, house.site, Giver(house.plan), asked) == 0
        assert "1 of 1 boards would be made" in capsys.readouterr().out
        assert not list((tmp_path / "a").rglob("*"))


def test_the_next_of_two_chips_of_one_number(house: BoardsBroker, tmp_path: Path) -> None:
    """It does not get the desk and the password of the first."""
    row = made.Made(chip="00" * 8, definition="simulated", firmware="", image="", when=made.now())
    made.note(made.file_of(house.site), "row-a", row)
    with Plugged(tmp_path / "a", chip=bytes(8)) as board:
        asked = words(board.port, every=False, next=True, dry=True)
        assert making.by_site(house.plan, house.site, Giver(house.plan), asked) == 0
    assert asked.done[0].board != "row-a"


PICO = About((1, 28, 0), "Raspberry Pi Pico W with RP2040", "rp2", 6, "aa01", 1000)
PLAN = {
    "site": {"id": "example"},
    "broker": {"host": "127.0.0.1", "boards_host": "10.0.0.2"},
    "board": [
        {"id": "pi", "definition": "raspberry-pi"},
        *({"id": f"p{number}", "definition": "pico-w", "wifi": {"ssid": "f"}} for number in range(3)),
        {"id": "e0", "definition": "esp32", "wifi": {"ssid": "f"}},
    ],
}


def seen(where: str, about: About | None = PICO, **more: Any) -> plugged.Found:
    kind = plugged.kinds_of(about) if about else ()
    return plugged.Found(f"/dev/{where}", where=where, kind=kind, about=about)._replace(**more)


def assigned(*found: plugged.Found, rows: dict[str, made.Made] | None = None, hello: tuple[str, ...] = (),
             **more: bool) -> list[str]:  # fmt: skip
    plan = floorplan.check(json.loads(json.dumps(PLAN)), "site", Path())
    told = choose.every(plan, sorted(found, key=plugged.place), rows or {}, set(hello), **more)
    assert choose.words_of(plan, told)
    return [row.aim.board if row.aim else f"- {row.why}" for row in told]


def test_which_becomes_which() -> None:
    """New ones by their place at USB; who is one already stays it, and so does a chip that we made before."""
    row = made.Made(chip="aa02", definition="pico-w", firmware="", image="", when="2026")
    assert assigned(seen("1-1.10"), seen("1-1.2"), seen("1-1.9")) == ["p0", "p1", "p2"]
    ours: dict[str, Any] = {"site": "example", "board": "p0"}
    assert assigned(seen("1-1.1"), seen("1-1.2", **ours)) == ["p1", "p0"]
    assert assigned(seen("1-1.1"), seen("1-1.2", PICO._replace(chip="aa02")), rows={"p1": row}) == ["p0", "p1"]
    several = {"p0": row, "p1": row}  # of one number: which of them it is, nobody can say
    assert assigned(seen("1-1.2", PICO._replace(chip="aa02")), rows=several) == ["p2"]
    assert assigned(seen("1-1.1"), hello=("p0",)) == ["p1"]
    twins = assigned(seen("1-1.1", **ours), seen("1-1.2", **ours))
    assert twins[0] == "p0" and twins[1].startswith("- it says that it is 'p0' like the one at /dev/1-1.1")


def test_who_is_left_as_it_is() -> None:
    other: dict[str, Any] = {"site": "oslo", "board": "p0"}
    assert assigned(seen("1-1.1", **other))[0].startswith("- it is board 'p0' of site 'oslo'")
    assert assigned(seen("1-1.1", **other), sure=True) == ["p0"]
    assert assigned(seen("1-1.1", None, wrong="nobody there")) == ["- nobody there"]
    assert assigned(seen("1-1.1", None)) == ["- no board that we know"]
    silent = seen("1-1.1", None, wrong="silent", silent=True, kind=("esp32",))
    assert assigned(silent) == ["- silent"]
    assert assigned(silent, named=True) == ["e0"]  # whoever names its port means it
    assert assigned(seen("1-1.1", None, wrong="blank", blank=True, kind=("esp32", "esp32-s3"))) == ["e0"]
    drive = plugged.Found("", Path("/media/RPI-RP2"), where="1-1.1", kind=("pico-w", "w5500-evb-pico"), blank=True)
    assert assigned(drive) == ["p0"]
    many_picos = assigned(*(seen(f"1-1.{number}") for number in range(1, 5)))
    assert many_picos[:3] == ["p0", "p1", "p2"]
    assert many_picos[3] == ("- /dev/1-1.4: this is a Raspberry Pi Pico W, and what the plan still needs is: ESP32")


def test_a_board_that_breaks_in_an_unforeseen_way_is_named(house: BoardsBroker, tmp_path: Path) -> None:
    class Full(Giver):
        def taken(self, board: str, handed: board_accounts.Handed) -> str:
            raise OSError(28, "No space left on device", "secrets")

    with Plugged(tmp_path / "a") as board:
        plan, found = house.plan, plugged.found(ports=[board.port])
        rows = choose.every(plan, found, {}, set())
        how = making._how(words(board.port), Full(plan), tmp_path / "record.json", None, plan)
        (done,) = many.flash_all(rows, how)
        assert done.wrong == "secrets: No space left on device"
