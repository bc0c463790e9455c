"""What the page is told of a board: how it is, whose firmware it runs, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import floorplan
from boards.bench import bundle
from boards.bench.bundle import Brought
from firmware import start
from gateway import board_health
from gateway.presence import Board

OURS = Brought(frozenset({"0123456789abcdef"}), whole=True)
READY = ("ready", "")
HELLO: dict[str, Any] = {
    "boot": "aaaaaaaa", "definition": "pico-w", "firmware": "0123456789abcdef", "python": "micropython 1.28 on rp2",
    "inputs": "phone", "panels": "", "health_s": 30, "restart": "pwron",
}  # fmt: skip
HEALTH: dict[str, Any] = {
    "boot": "aaaaaaaa", "heap_free": 90_000, "wifi_dbm": -60, "uptime_s": 3600, "reconnects": 0, "lag_ms": 4,
    "poll_us": 10_000, "read_us": 300, "dropped": 0,
}  # fmt: skip


def plan(pin: str = "GP2", desk: str = "a1") -> floorplan.Plan:
    return floorplan.check({
        "site": {"id": "s"}, "desk": [{"id": desk}],
        "board": [{"id": "b", "definition": "pico-w", "inputs": [
            {"desk": desk, "phone": {"by": "contact", "pin": pin, "ring": "GP3"}}]}],
        "wall": [{"id": "w", "board": "b", "panel": {"kind": "memory", "size": [32, 8]}, "pages": [{"queue": "q"}]}],
        "queue": [{"id": "q", "name": "Q", "pbx": "q"}],
    }, "test", Path("/"))  # fmt: skip


def board(hello: dict[str, Any] | None = None, health: dict[str, Any] | None = None) -> Board:
    return Board("b", heard_s=10.0, hello={**HELLO, **(hello or {})}, health={**HEALTH, **(health or {})})


def test_a_board_that_is_well_has_nothing_wrong() -> None:
    told = board_health.document(board(), plan(), READY, OURS)
    assert (told["state"], told["wrong"], told["current"]) == ("ready", [], True)
    assert (told["heap_free"], told["wifi_dbm"], told["uptime_s"]) == (90_000, -60, 3600)
    assert board_health.document(Board("b"), plan(), ("unknown", "no word"), OURS)["current"] is None


@pytest.mark.parametrize(("hello", "health", "kinds"), [
    ({"definition": "pico-2-w", "firmware": "f" * 16}, {}, ["other-board"]),
    ({"firmware": "f" * 16}, {}, ["behind"]),
    ({"restart": "wdt"}, {}, ["hung"]),
    ({"restart": "wdt"}, {"boot": "bbbbbbbb"}, []),  # of an earlier start: since when it is up is not told yet
    ({"restart": "wdt"}, {"uptime_s": 90_000}, []),  # a day ago: nobody need hear of it any more
    ({}, {"heap_free": 15_000}, ["low-heap"]),
    ({}, {"heap_free": None, "wifi_dbm": None}, []),  # a computer at a wire
    ({}, {"wifi_dbm": -76}, ["weak-wifi"]),
    ({}, {"lag_ms": 501}, ["held-up"]),
    ({"firmware": "f" * 16}, {"lag_ms": 900, "wifi_dbm": -90}, ["behind", "weak-wifi", "held-up"]),
])  # fmt: skip
def test_what_is_wrong_has_a_kind(hello: dict[str, Any], health: dict[str, Any], kinds: list[str]) -> None:
    told = board_health.document(board(hello, health), plan(), READY, OURS)
    assert told["wrong"] == kinds
    assert set(kinds) <= {*board_health.OF_FILES, *board_health.KINDS}
    lost = board_health.document(board(hello, health), plan(), ("lost", "silent"), OURS)
    assert lost["wrong"] == [], "what it said last need not be so any more"


def test_a_board_that_has_not_said_how_it_is_yet_is_not_told_to_have_hung() -> None:
    """Its hello stands at the broker for as long as it runs: that may be years."""
    told = board_health.document(Board("b", heard_s=10.0, hello={**HELLO, "restart": "wdt"}), plan(), READY, OURS)
    assert told["wrong"] == []


def test_a_board_goes_by_an_older_site_file_until_its_next_start() -> None:
    known = board()
    known.goes_by(plan())
    assert board_health.wrong(known, plan(), OURS) == []
    assert board_health.wrong(known, plan("GP9"), OURS) == ["untold"]
    assert board_health.wrong(known, plan(desk="a2"), OURS) == [], "which desk that is, no board knows"
    known.hello = {**HELLO, "boot": "bbbbbbbb"}
    assert board_health.wrong(known, plan("GP9"), OURS) == []


def test_nobody_is_behind_where_the_bytecode_is_not_known_here() -> None:
    other = {"firmware": "f" * 16}
    for brought in (None, Brought(frozenset(), whole=False)):
        told = board_health.document(board(other), plan(), READY, brought)
        assert (told["current"], told["wrong"]) == (None, [])


def test_a_board_may_run_our_firmware_in_any_of_its_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle.brought.cache_clear()
    brought = bundle.brought()
    assert brought.whole
    for told in (start.firmware_hash(), *(bundle.firmware_hash(bundle.firmware(mpy)) for mpy in (0, 6))):
        assert brought.has(told) is True
    assert brought.has("f" * 16) is False
    monkeypatch.setattr(bundle, "_compiler", lambda: None)
    bundle.brought.cache_clear()
    without = bundle.brought()
    bundle.brought.cache_clear()
    assert (without.has(start.firmware_hash()), without.has("f" * 16)) == (True, None)


def test_the_details_say_what_hangs_where() -> None:
    told = board_health.details(board(), plan(), READY, 15.0, OURS)
    wires = [{"what": "hook", "pin": "GP2"}, {"what": "ring", "pin": "GP3"}]
    assert told["desks"] == [{"desk": "a1", "wires": wires}]
    assert (told["walls"], told["heard_s"], told["ours"]) == (["w"], 5, sorted(OURS.hashes))
