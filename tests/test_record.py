"""`callfloor board record`: a real board is recorded, and the file that comes of it plays back."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from boards import record, trace, trying
from firmware import contract
from simulator.board import free_port
from tests import forks, pythons
from tests.brokers import HOST, mosquitto
from tests.house import EXAMPLE, Ear, House
from tests.test_commands import running

PLAY = "import sys\nfrom boards import trace\nplayed = trace.read(open(sys.argv[1]).read())\n"


def with_a_line(tables: dict[str, Any]) -> None:
    """Desk a2's phone by its line's voltage, and its cradle the other way round."""
    place = tables["board"][0]["inputs"][1]
    place["phone"] = {"by": "line", "pin": "GP26", "divider": 93}
    place["headset"]["dock_active"] = "high"


@contextlib.contextmanager
def recording(house: House, desk: str, seconds: int, out: Path) -> Iterator[None]:
    """The command at work, from the moment on that the board records."""
    command = [sys.executable, "-m", "callfloor", "board", "record", desk, "--site", str(house.site)]
    with subprocess.Popen(
        [*command, "--seconds", str(seconds), "--out", str(out)],
        cwd=pythons.ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        first = process.stderr.readline()
        assert first.startswith(f"board 'row-a' records desk '{desk}' for {seconds} s"), (
            first + process.stderr.read()
        )
        try:
            yield
            rest = process.stderr.read()
            assert process.wait(20) == 0, rest
        finally:
            process.kill()


def amiss(path: Path) -> list[str]:
    """What is amiss when the file is played, by each Python; empty where nothing is."""
    program = PLAY + "print(trace.amiss(played, trace.play(played)))"
    return [pythons.run(python, "-c", program, str(path)).strip() for python in pythons.PYTHONS]


def said(path: Path) -> list[str]:
    """(what and state) of all that must be said, in order."""
    return [f"{row[1]} {row[2]}" for row in trace.read(path.read_text(encoding="utf-8")).must]


def test_a_recorded_desk_is_a_test_that_holds(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    with House(tmp_path, with_a_line) as house:
        ear = Ear(house.broker)
        house.start_board("row-a")
        house.pin("row-a", "GP26", "0.516V")  # 48 V on a2's line
        told = "board/row-a/input/{}/phone"
        house.wait("a1 and a2 are idle", lambda: all(
            ear.latest.get(told.format(number), {}).get("state") == "idle" for number in (0, 1)
        ), 20)  # fmt: skip
        a1, a2 = tmp_path / "a1.txt", tmp_path / "a2.txt"

        with recording(house, "a1", 6, a1):
            time.sleep(dice.uniform(0.5, 0.8))  # played anew, the handset is down for certain after 250 ms
            for _ in range(8):  # half waves of a bell
                house.pin("row-a", "GP3", 0)
                time.sleep(0.02)
                house.pin("row-a", "GP3", 1)
                time.sleep(0.02)
            house.wait("a1 rings", lambda: ear.latest[told.format(0)]["state"] == "ringing")
            for level in (0, 1, 0, 1, 0):  # a hook that bounces
                house.pin("row-a", "GP2", level)
                time.sleep(dice.uniform(0, 0.005))
            house.pin("row-a", "GP4", 0)
            house.wait("a1 talks", lambda: ear.latest[told.format(0)]["state"] == "talking")
            time.sleep(dice.uniform(1.2, 1.6))
            house.pin("row-a", "GP2", 1)
            house.pin("row-a", "GP4", 1)
            house.pin("row-a", "GP5", 0)
            house.pin("row-a", "GP6", 0)  # a2's: not this desk's
            house.wait("a1 is idle", lambda: ear.latest[told.format(0)]["state"] == "idle")

        with recording(house, "a2", 4, a2):
            time.sleep(dice.uniform(0.5, 0.8))
            for millivolts in range(90, 110, 4):
                house.pin("row-a", "GP26", f"{millivolts / 1000}V")  # about 9 V, and never quite still
                time.sleep(dice.uniform(0.01, 0.05))
            house.wait("a2 talks", lambda: ear.latest[told.format(1)]["state"] == "talking")
            house.pin("row-a", "GP26", "0.516V")
            house.wait("a2 is idle", lambda: ear.latest[told.format(1)]["state"] == "idle")

        raw = ear.all("board/row-a/raw")
        health = ear.all("board/row-a/health")[-1]
        ear.close()

    for path in (a1, a2):
        assert amiss(path) == ["", ""], path.read_text()
        assert "The board did not say" not in path.read_text(), path.read_text()
    phone = [line for line in said(a1) if line.startswith("phone")]
    assert phone == ["phone idle", "phone ringing", "phone talking", "phone idle"]
    assert "in_call true" in said(a1)
    assert "docked true" in said(a1)
    phone = [line for line in said(a2) if line.startswith("phone")]
    assert phone == ["phone idle", "phone talking", "phone idle"]
    lines = a2.read_text().splitlines()
    assert lines[1].startswith('# input {"phone": {"by": "line", "pin": "GP26"')
    assert lines[2] == "# times NO"
    assert "ms volts lamp dock" in lines
    assert any(line.startswith("0 47.988 ") for line in lines)  # 516 mV at 93 to 1
    assert {frozenset(row["pins"]) for row in raw} == {
        frozenset(("GP2", "GP3", "GP4", "GP5")), frozenset(("GP26", "GP8", "GP9")),
    }  # fmt: skip
    assert 9000 < health["poll_us"] < 60_000
    assert 0 < health["read_us"] < health["poll_us"]


def test_a_floor_that_was_started_to_be_tried_can_be_recorded(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "up", "--web", f"{HOST}:0", "--mqtt", f"{HOST}:{port}") as floor:
        floor.wait("it is up", lambda: "up after" in floor.text(), 60)
        command = [sys.executable, "-m", "callfloor", "board", "record", "b1", "--site", str(EXAMPLE)]
        done = subprocess.run(
            [*command, "--seconds", "2", "--mqtt", f"{HOST}:{port}"],
            cwd=pythons.ROOT, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        looked = forks.finished("reload", str(EXAMPLE), "--mqtt", f"{HOST}:{port}")
        assert looked.stdout == "nothing to do: the floor runs by this file as it is\n", looked.stderr
    played = trace.read(done.stdout)
    assert played.rows[-1][0] == 2000
    assert played.title.startswith("Desk b1 of example, recorded for 2 s by its board row-b")


# What cannot be recorded -------------------------------------------------------------


def plan(broker: dict[str, Any] | None = None) -> floorplan.Plan:
    urls = [{"by": "url", "vendor": "snom", "mac": f"00:04:13:aa:bb:c{digit}"} for digit in range(2)]
    return floorplan.check(
        {
            "site": {"id": "s"},
            "phones": {"secret_file": "none", "country": "US"},
            "desk": [
                {"id": "a1"}, {"id": "a2"}, {"id": "a4"}, {"id": "a3", "phone": urls[0]},
                {"id": "a5", "phone": urls[1]},
            ],
            "board": [{"id": "b", "definition": "raspberry-pi", "inputs": [
                {"desk": "a1", "phone": {"by": "contact", "pin": "GPIO4", "active": "high"},
                 "headset": {"by": "usb", "port": "1-1.2"}},
                {"desk": "a4", "headset": {"by": "usb", "port": "1-1.3"}},
                {"desk": "a5", "headset": {"by": "contact", "dock": "GPIO5"}},
            ]}],
        } | ({"broker": broker} if broker else {}),
        "test", Path(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("desk", "words"),
    [
        ("a1x", "no desk 'a1x' in the site file; did you mean 'a1'?"),
        ("a2", "desk 'a2' is plugged in at no board"),
        (
            "a3",
            "its phone tells by itself, by its action URLs, and no board reads it; what can be recorded are contacts",
        ),
        (
            "a4",
            "its headset is read by USB, which has no pins; what can be recorded are contacts and a line's voltage",
        ),
    ],
)
def test_what_cannot_be_recorded_is_said(desk: str, words: str) -> None:
    with pytest.raises(record.RecordError) as raised:
        record.place(plan(), desk)
    assert words in str(raised.value)


def test_what_is_left_out_of_a_desk_is_said() -> None:
    where = record.place(plan(), "a1")
    assert where.entry == {"phone": {"by": "contact", "pin": "GPIO4", "active": "high"}}
    assert where.left_out == "its headset is read by USB, which has no pins"
    assert [(column.name, column.pin, column.text(1)) for column in where.columns] == [("hook", "GPIO4", "1")]
    where = record.place(plan(), "a5")
    assert where.left_out == "its phone tells by itself, by its action URLs"
    assert [(column.name, column.pin, column.text(1)) for column in where.columns] == [("dock", "GPIO5", "0")]


def test_a_file_that_cannot_be_written_is_said_before_anything_is_recorded(tmp_path: Path) -> None:
    plan = floorplan.read(EXAMPLE)
    plan = plan.model_copy(update={"broker": floorplan.Broker(port=1)})
    for out in (tmp_path, tmp_path / "none" / "a1.txt"):
        with pytest.raises(record.RecordError, match="nothing can be written there"):
            record.run(plan, "a1", 1, out, (HOST, 1))
    assert list(tmp_path.iterdir()) == []


def test_without_an_address_of_the_broker_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "_folders", lambda: [tmp_path])  # where no `callfloor up` of a neighbour is found
    tmp_path.chmod(0o700)
    with pytest.raises(
        floorplan.SiteError, match=r"the site file names no broker, and .*--mqtt 127\.0\.0\.1:1883"
    ):
        record.run(plan(), "a1", 1, None, None)


def test_a_broker_that_is_not_there_or_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(record.RecordError, match=r"no broker at 127\.0\.0\.1:"):
        record.run(plan({"host": HOST, "port": free_port()}), "a1", 1, None, None)
    with (
        mosquitto(tmp_path, ["allow_anonymous false"]) as broker,
        pytest.raises(record.RecordError, match=r"refuses: not authorized; \[broker\] user and secret_file"),
    ):
        record.run(plan({"host": HOST, "port": broker.port}), "a1", 1, None, None)


def test_a_board_that_does_not_answer_or_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "ANSWER_S", 1.0)
    with House(tmp_path) as house:
        house.start_gateway()
        settings = house.plan.broker
        assert settings
        where = record.place(house.plan, "a1")
        with pytest.raises(
            record.RecordError, match="board 'row-a' does not answer; is it on the page as ready"
        ):
            record.record(where, settings, 1)
        monkeypatch.setattr(record, "ANSWER_S", 15.0)

        def another_wiring(tables: dict[str, Any]) -> None:
            tables["board"][0]["inputs"][0]["phone"]["pin"] = "GP22"

        ear = Ear(house.broker)
        house.start_board("row-a")
        house.wait("row-a is there", lambda: "board/row-a/hello" in ear.latest, 20)
        ear.close()
        tables = json.loads(house.site.read_text())
        another_wiring(tables)
        moved = record.place(floorplan.check(tables, "test", tmp_path), "a1")
        with pytest.raises(record.RecordError, match="board 'row-a' says: nothing reads GP22 here; is its"):
            record.record(moved, settings, 1)


# What is lost on the way -------------------------------------------------------------


def message(
    seq: int, ms: int, until_ms: int, pin: int | None, rows: list[Any], **more: Any
) -> dict[str, Any]:
    """A message of a recording of desk a1 of `plan`, as the contract has it."""
    fields = {
        "boot": "b", "id": "i", "seq": seq, "ms": ms, "until_ms": until_ms, "pins": {"GPIO4": pin}, "rows": rows,
        "said": [], "thinned": 0, "last": False,
    } | more  # fmt: skip
    checked = contract.parse("callfloor/1/s/board/b/raw", contract.encode("board/+/raw", fields))[2]
    assert checked
    return dict(checked)


IDLE = [0, 0, "phone", {"state": "idle"}, -60_000]
TALKING = [620, 0, "phone", {"state": "talking"}, 600]


def text_of(*messages: dict[str, Any]) -> str:
    recording = record.Recording(list(messages), ended=messages[-1]["last"])
    return record.written(record.place(plan(), "a1"), recording)


def test_what_was_lost_or_thinned_out_leaves_a_line_and_the_rest_can_be_played() -> None:
    text = text_of(
        message(0, 0, 200, 0, [100, 0, 1, 110, 0, 0], said=[IDLE]),
        message(3, 600, 800, 1, [], thinned=4),
        message(4, 800, 1000, 1, [900, 0, None, 950, 0, 1]),
    )
    assert trace.amiss(trace.read(text), trace.play(trace.read(text))) == ""
    lines = text.splitlines()
    rows = lines[lines.index("ms hook") + 1 : lines.index("must")]
    assert rows == [
        "0 0",
        "100 1",
        "110 0",
        "# lost: 2 messages of the board's, from 200 to 600 ms; what happened there is not in here",
        "# thinned out: 4 changes by 600 ms found no room at the board",
        "600 1",
        "# hook cannot be read from 900 ms on",
        "900 -",
        "# hook is read again from 950 ms on",
        "950 1",
        "# lost: the end of the recording, from 1000 ms on",
        "1000 -",
    ]
    assert "# times US" in lines
    assert "# Not recorded: its headset is read by USB, which has no pins." in lines


def test_where_the_first_is_lost_the_times_begin_with_the_second() -> None:
    text = text_of(message(1, 200, 400, 0, [300, 0, 1]), message(2, 400, 3000, 1, [], last=True))
    assert (
        "# lost: 1 message of the board's, from 0 to 0 ms; what happened there is not in here\n0 0\n100 1\n2800 -\n"
        in text
    )


def test_a_board_that_said_what_its_levels_do_not_give_is_believed_and_it_is_remarked() -> None:
    text = text_of(
        message(0, 0, 1000, 0, [600, 0, 1], said=[[0, 0, "phone", {"state": "ringing"}, -2000]]),
        message(1, 1000, 3000, 1, [], said=[[2900, 0, "phone", {"state": "talking"}, 2800]], last=True),
    )
    played = trace.read(text)
    assert "# The board did not say what these levels give when they are played:" in text
    assert "only the board said: 2900 phone talking since 2800" in text
    assert (2900, "phone", "talking", 2800, None) in played.must
    assert trace.amiss(played, trace.play(played)) != ""


def test_a_board_that_was_held_up_is_played_as_it_was() -> None:
    """It hung up 300 ms late, for it did not look; played with even readings that would be a fault."""
    text = text_of(
        message(0, 0, 1600, 0, [600, 0, 1, 1000, 0, 0, 1600, 1, 400], said=[IDLE, TALKING]),
        message(1, 1600, 4000, 0, [], said=[[2600, 0, "phone", {"state": "idle"}, 1000]], last=True),
    )
    played = trace.read(text)
    assert trace.amiss(played, trace.play(played)) == ""
    assert "The board did not say" not in text
    assert 400 in played.poll_ms
    even = trace.read(text.replace("# poll_ms", "# even"))
    assert trace.amiss(even, trace.play(even)) != ""
