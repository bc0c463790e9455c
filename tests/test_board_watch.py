"""`callfloor board watch`, `identify` and `restart`: what boards say, old where it is old, on real boards too."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import floorplan
from boards import command, ear, trying
from boards.bench import BenchError, identify, watch
from boards.ear import Said
from firmware import contract
from tests import forks
from tests.brokers import HOST, free_port, mosquitto
from tests.conftest import until
from tests.house import EXAMPLE, House
from tests.house import Ear as Loud

PLAN = floorplan.read(EXAMPLE)
HEALTH: dict[str, Any] = {
    "boot": "b1", "heap_free": 90_000, "wifi_dbm": -60, "uptime_s": 400, "reconnects": 1, "lag_ms": 12,
    "poll_us": None, "read_us": None, "dropped": 0,
}  # fmt: skip
HELLO: dict[str, Any] = {
    "boot": "b1", "definition": "pico-w", "firmware": "abc", "python": "micropython 1.28.0", "inputs": "phone",
    "panels": "", "health_s": 10, "restart": "power",
}  # fmt: skip


def said(pattern: str, *ids: str, kept: bool = False, **fields: Any) -> Said:
    """As it comes off the wire: what the contract refuses cannot be said here either."""
    told = contract.parse(contract.topic("example", pattern, *ids), contract.encode(pattern, fields))[2]
    return Said(pattern, ids, told, kept)


def state(what: str, boot: str = "b1", kept: bool = False) -> Said:
    return said("board/+/state", "row-a", kept=kept, state=what, boot=boot)


def phone(what: str, boot: str = "b1", age_ms: int = 0, number: str = "0", kept: bool = False) -> Said:
    return said("board/+/input/+/phone", "row-a", number, kept=kept, state=what, why=None, seq=1, boot=boot,
                age_ms=age_ms)  # fmt: skip


def drawn(boards: watch.Boards, now_s: float, height: int = 40, gone: str = "") -> str:
    out = io.StringIO()
    Console(file=out, width=170, color_system=None).print(watch.table(boards, now_s, height, gone))
    return out.getvalue()


def row_of(text: str, desk: str) -> list[str]:
    return next(cells for line in text.splitlines() if desk in (cells := [c.strip() for c in line.split("│")]))


def test_a_board_that_is_there() -> None:
    boards = watch.Boards(PLAN, ["row-a"], 0.0)
    for message in (said("board/+/hello", "row-a", **HELLO), state("ready"), said("board/+/health", "row-a", **HEALTH)):
        boards.hear(message, 1.0)
    told = boards.hear(phone("talking", age_ms=30_000), 2.0)
    assert [(row["desk"], row["words"], row["age_s"], row["kept"]) for row in told] == [("a1", "talking", 30, False)]
    assert watch.line(told[0]) == "row-a desk a1: phone talking, for 30 s"
    cells = row_of(drawn(boards, 10.0), "a1")
    assert cells[1:] == ["row-a", "ready", "a1", "talking for 38 s", "", "90 KB", "-60 dBm", "12 ms", "1", "7 min",
                         "power", ""]  # fmt: skip
    told = boards.hear(said("board/+/health", "row-a", **HEALTH), 11.0)
    assert watch.line(told[0]) == "row-a: heap 90 KB, Wi-Fi -60 dBm, late by 12 ms, reconnects 1, up for 7 min"
    assert boards.hear(phone("talking", age_ms=39_000), 11.0) == [], "the same once more is no news"
    assert boards.hear(phone("talking", number="7"), 11.0) == [], "no desk is plugged in there"
    assert boards.hear(said("board/+/health", "row-z", **HEALTH), 11.0) == [], "nobody asked for that one"


def test_what_is_old_looks_old() -> None:
    boards = watch.Boards(PLAN, ["row-a"], 0.0)
    assert row_of(drawn(boards, 0.0), "a1")[2] == "never seen"
    boards.hear(said("board/+/hello", "row-a", kept=True, **HELLO), 1.0)
    boards.hear(state("ready", kept=True), 1.0)
    told = boards.hear(phone("ringing", kept=True, age_ms=5000), 1.0)
    assert told[0]["age_s"] is None, "what was kept gives a state, never a time"
    assert watch.line(told[0]) == "row-a desk a1: phone ringing, as the broker has kept it"
    assert row_of(drawn(boards, 20.0), "a1")[2:5] == ["ready", "a1", "ringing"]
    assert row_of(drawn(boards, 22.0), "a1")[2:5] == ["silent for 22 s", "a1", "ringing (old)"]
    assert [row["state"] for row in boards.silent(22.0)] == ["silent for 22 s"]
    assert boards.silent(23.0) == [], "said once"
    boards.hear(said("board/+/health", "row-a", **HEALTH), 23.0)
    assert row_of(drawn(boards, 24.0), "a1")[2:5] == ["ready", "a1", "ringing"]
    assert row_of(drawn(boards, 24.0, gone="no broker"), "a1")[4] == "ringing (old)"
    boards.hear(state("ready", boot="b2"), 25.0)
    assert row_of(drawn(boards, 25.0), "a1")[4] == "ringing (old)", "it said so before it started anew"
    assert boards.hear(state("lost", boot="b1"), 26.0) == [], "the will of the start before"
    boards.hear(state("lost", boot="b2"), 27.0)
    assert row_of(drawn(boards, 27.0), "a1")[2] == "lost"


def test_the_table_is_no_taller_than_the_window_and_shows_trouble_first() -> None:
    boards = watch.Boards(PLAN, [board.id for board in PLAN.board], 0.0)
    boards.hear(state("ready", kept=True), 1.0)
    whole = drawn(boards, 1.0).splitlines()
    assert [line.split("│")[1].strip() for line in whole if "row-" in line or "wall-" in line] == [
        "row-b", "wall-north", "wall-south", "row-a",
    ]  # fmt: skip
    for height in (8, 11, 14):
        text = drawn(boards, 1.0, height)
        assert len(text.splitlines()) <= height
        assert "boards: name those that you mean" in text.replace("more ", "")


def test_a_board_that_talks_too_much_does_not_fill_the_terminal_and_its_last_states_are_told() -> None:
    least = watch.Least(3)
    events = [{"board": "a", "what": what, "desk": "a1", "state": state} for state in range(3)
              for what in ("phone", "headset")]  # fmt: skip
    assert [least.let(event, 1.0 + number / 100) for number, event in enumerate(events)] == [True] * 3 + [False] * 3
    assert least.let({"board": "b", "what": "state"}, 1.5)
    assert list(least.over(1.9)) == []
    assert list(least.over(2.0)) == [("a", 1, [events[5], events[4]])]
    assert list(least.over(2.0)) == []
    assert least.let(events[0], 2.0)
    assert [least.let(event, 2.1) for event in events[:4]] == [True, True, False, False]
    assert list(least.over(None)) == [("a", 0, [events[2], events[3]])]


def test_times_in_words() -> None:
    assert [watch.span(s) for s in (0, 119, 120, 3600, 7200, 172_800)] == [
        "0 s", "119 s", "2 min", "60 min", "2 h", "2 days",
    ]  # fmt: skip


def test_where_a_board_belongs() -> None:
    assert identify.place(PLAN, "row-a") == "desks a1, a2, a3, a4"
    assert identify.place(PLAN, "wall-north") == "wall north"
    assert identify.named(PLAN, ["all"]) == ["row-a", "row-b", "wall-north", "wall-south"]
    with pytest.raises(BenchError, match="no board 'row-c' in the site file; did you mean 'row-"):
        identify.named(PLAN, ["row-a", "row-c"])


def test_on_real_boards(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        site = str(house.site)
        house.start_board("row-a")
        house.start_board("wall-north")
        watching = ("board", "watch", "row-a", "row-b", "--site", site, "--seconds", "30", "--json")
        with forks.piped(*watching) as (_, out, _err):
            events = (json.loads(line) for line in out)
            first = next(row for row in events if row["what"] == "phone" and row["desk"] == "a1")
            assert first["words"] == "idle"
            assert house.pin("row-a", "GP2", 0) == "ok"
            lifted = next(row for row in events if row["what"] == "phone" and row["words"] != "idle")
            assert (lifted["board"], lifted["desk"], lifted["state"]) == ("row-a", "a1", "talking")
            assert 0 <= lifted["age_s"] < 5
            loud = Loud(house.broker)
            for number, now in enumerate([*["talking", "idle"] * watch.LINES_A_S, "ringing"]):
                fields = {"state": now, "why": None, "seq": number, "boot": "b", "age_ms": 0}
                loud.say("board/row-b/input/0/phone", contract.encode("board/+/input/+/phone", fields))
            assert any(row.get("words") == "ringing" for row in events), "the last is told"
            loud.close()
            house.kill("row-a")
            lost = next(row for row in events if row["what"] == "state" and row["state"] != "ready")
            assert lost["state"] == "lost"
        done = forks.finished("board", "identify", "wall-north", "row-b", "--seconds", "1", "--site", site)
        assert done.returncode == 1
        assert done.stdout.splitlines() == [
            "board 'wall-north' (wall north) shows itself for 1 s: its lamp blinks, its walls show a frame",
            "board 'row-b' does not answer; is it on the page as ready, and may the broker's user of the site file "
            "write to it? It belongs to: desks b1, b2, b3, b4",
        ]  # fmt: skip
        broker = trying.broker_of(house.plan, None)
        with ear.Ear(broker, house.plan.site.id, ["board/+/health"]) as listening:
            house.stop("wall-north")
            house.broker.kill()
            with pytest.raises(command.CommandError, match=rf"the broker at {HOST}:\d+ is gone"):
                until(lambda: listening.hear(0.2) and False, "it notices")


def test_a_broker_that_is_not_there_or_lets_nobody_listen(tmp_path: Path) -> None:
    gone = floorplan.Broker(host=HOST, port=free_port())
    with pytest.raises(command.CommandError, match="no broker at"):
        ear.Ear(gone, "s", ["board/#"])
    with mosquitto(tmp_path) as broker:
        there = floorplan.Broker(host=HOST, port=broker.port)
        with ear.Ear(there, "s", ["board/+/state"]) as one, ear.Ear(there, "s", ["beat"]) as other:
            other.say("board/+/state", "b", state="ready", boot="x")
            other.say("board/+/state", "b", state="lost", boot="x")
            heard = [row.fields["state"] for row in (one.hear(5), one.hear(5)) if row and row.fields]
            assert heard == ["ready", "lost"]
            assert list(one.all(0.1)) == []
            with pytest.raises(contract.ContractError):
                other.say("board/+/state", "b", state="tired", boot="x")
