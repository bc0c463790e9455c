"""The CSV: what is in the file stands in it, what is unknown is empty, and nobody waits for a slow reader."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from gateway import export
from gateway.days import Calendar
from gateway.queues.totals import COUNTED, RATES
from gateway.queues.translate import UNTOLD
from gateway.store import WAL_BYTES, Batch, Store, StoreError
from tests.forks import finished
from tests.pythons import ROOT
from tests.store_writer import Keep

EVENING = dt.datetime.fromisoformat("2026-10-24T23:30+02:00").timestamp()  # the night has an hour more
SITE: dict[str, Any] = {
    "site": {"id": "trondheim", "time_zone": "Europe/Oslo"},
    "queue": [
        {"id": "norsk", "name": "Norsk", "pbx": "no", "target": {"formula": "ended-within-of-offered"}},
        {"id": "chat", "name": "Chat", "source": "web"},
    ],
    "source": [{"id": "web", "secret_file": "web.secret"}],
}


def plan_of(folder: Path, **site: Any) -> floorplan.Plan:
    return floorplan.check({**SITE, "site": SITE["site"] | site}, "site.toml", folder)


@contextlib.contextmanager
def written(plan: floorplan.Plan, begun_s: float = EVENING - 1800) -> Iterator[Store]:
    """The file, for writing. What was before it was begun is nobody's gap."""
    assert plan.history.path
    store = Store(
        plan.history.path, Calendar(plan.site.time_zone, plan.site.day_begins, plan.site.hours), Keep()
    )
    try:
        if store.begun_s() is None:
            store.commit(Batch(at_s=begun_s))
        yield store
    finally:
        store.close()


def table(plan: floorplan.Plan, *args: Any, **more: Any) -> list[dict[str, str]]:
    assert plan.history.path
    return list(csv.DictReader(export.rows(plan.history.path, plan, *args, **more)))


def count(store: Store, queue: str, at_s: float, until_s: float = 0, **amounts: float) -> None:
    """Commits amounts at a moment; the file's newest commit is at `until_s` then, or 15 minutes later."""
    quarter = store.calendar.quarter(at_s)
    lacks = {(queue, quarter): UNTOLD} if queue == "norsk" and "timed_out" not in amounts else {}
    store.commit(Batch({(queue, quarter): amounts}, untold=lacks, at_s=until_s or quarter + 900))


def test_the_columns_are_what_is_counted_and_what_comes_of_it(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    with written(plan) as store:
        count(store, "norsk", EVENING, seen_s=900)
    line = table(plan)[0]
    names = [name for name in COUNTED if name != "seen_s"]
    assert list(line) == [
        "queue", "begins", "ends", "open_s", "unseen_s", *names, *RATES, "service_level", "formula"
    ]  # fmt: skip


def test_a_quarter_says_what_was_counted_and_what_comes_of_it(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    with written(plan) as store:
        count(
            store, "norsk", EVENING, seen_s=894.6, joined=9, answered=4, answered_within=3, answered_wait_s=50.26,
            abandoned=2, timed_out=2, lost_within=2, lost_short=1, left=1, completed=3, talk_s=100,
            longest_wait_s=31.04, handling_s=300, available_s=900,
        )  # fmt: skip
    (line,) = table(plan)
    expected = {
        "queue": "norsk", "begins": "2026-10-24T23:30:00+02:00", "ends": "2026-10-24T23:45:00+02:00",
        "open_s": "900", "unseen_s": "5", "joined": "9", "answered": "4", "answered_wait_s": "50.3", "left": "1",
        "timed_out": "2", "longest_wait_s": "31.0", "asa_s": "12.6", "aht_s": "33.3", "occupancy": "0.2500",
        "abandon_rate": "0.4286", "service_level": "0.6250", "formula": "ended-within-of-offered",
    }  # fmt: skip
    assert {name: line[name] for name in expected} == expected


def test_what_is_unknown_is_an_empty_cell(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    with written(plan) as store:
        count(store, "norsk", EVENING, seen_s=900, joined=1, answered=1, answered_wait_s=4)
        quarter = "norsk", store.calendar.quarter(EVENING)
        lacks = {quarter: frozenset({"timed_out", "lost_within"})}
        store.commit(Batch({quarter: {"seen_s": 0}}, untold=lacks, at_s=EVENING + 900))
        count(store, "norsk", EVENING + 2 * 900, seen_s=900)
    first, gap, quiet = table(plan)
    assert (first["timed_out"], first["lost_within"], first["lost_short"]) == ("", "", "0")
    assert (first["service_level"], first["asa_s"]) == ("", "4.0")
    assert (gap["unseen_s"], quiet["unseen_s"]) == ("900", "0")
    assert {gap[name] for name in (*COUNTED, *RATES, "service_level") if name != "seen_s"} == {""}
    assert (quiet["joined"], quiet["asa_s"], quiet["abandon_rate"]) == ("0", "", "")


def test_quarters_and_days_over_the_night_with_an_hour_more(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    with written(plan) as store:
        for n in range(30 * 4):
            count(store, "norsk", EVENING + n * 900, joined=1, seen_s=900)
    quarters = table(plan, "quarter")
    assert [line["begins"] for line in quarters][13:16] == [
        "2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:15:00+01:00"
    ]  # fmt: skip
    assert all(line["ends"] == then["begins"] for line, then in itertools.pairwise(quarters))
    days = table(plan, "day")
    assert [(line["begins"], line["joined"], line["open_s"], line["unseen_s"]) for line in days] == [
        ("2026-10-24T00:00:00+02:00", "2", "86400", "1800"),
        ("2026-10-25T00:00:00+02:00", "100", "90000", "0"),
        ("2026-10-26T00:00:00+01:00", "18", "16200", "0"),  # until the newest commit
    ]
    assert sum(int(line["joined"]) for line in quarters) == sum(int(line["joined"]) for line in days) == 120


def test_only_the_days_and_the_queue_asked_for(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, day_begins="04:00")
    with written(plan) as store:
        for n in range(100):
            for queue in ("norsk", "chat"):
                count(store, queue, EVENING + n * 3600, joined=1)
    date = dt.date(2026, 10, 26)
    lines = table(plan, "quarter", date, date + dt.timedelta(1), "chat")
    assert {line["queue"] for line in lines} == {"chat"}
    assert (lines[0]["begins"], lines[-1]["ends"]) == (
        "2026-10-26T04:00:00+01:00",
        "2026-10-28T04:00:00+01:00",
    )
    assert len(lines) == 2 * 96
    assert [line["begins"][:10] for line in table(plan, "day", date, date)] == ["2026-10-26"] * 2
    assert table(plan, "day", dt.date(2030, 1, 1)) == table(plan, "day", None, dt.date(2020, 1, 1)) == []


def test_what_is_unseen_while_the_house_is_closed_is_no_gap(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, hours=("mon-sun 08:00-20:00",))
    begin = dt.datetime.fromisoformat("2026-06-01T00:00+02:00").timestamp()
    with written(plan, begin) as store:
        for n in range(96):
            if n != 40:  # 10:00 to 10:15
                count(store, "norsk", begin + n * 900, seen_s=900, joined=1)
    (day,) = table(plan, "day")
    assert (day["open_s"], day["unseen_s"], day["joined"]) == ("43200", "900", "95")
    unseen = {line["begins"]: line["unseen_s"] for line in table(plan) if line["unseen_s"] != "0"}
    assert unseen == {"2026-06-01T10:00:00+02:00": "900"}


def test_a_queue_that_is_no_longer_in_the_site_file_is_still_told(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    with written(plan) as store:
        count(store, "polski", EVENING, joined=4, answered=2, answered_wait_s=6)
        count(store, "norsk", EVENING, joined=1)
    assert [line["queue"] for line in table(plan)] == ["norsk", "polski"]
    (line,) = table(plan, queue="polski")
    assert (line["joined"], line["asa_s"], line["service_level"], line["formula"]) == ("4", "3.0", "", "")


def test_what_cannot_be_told_is_said_at_once(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    path = tmp_path / "trondheim.db"
    with pytest.raises(StoreError, match="no such file"):
        export.rows(path, plan)
    with written(plan):
        with pytest.raises(StoreError, match="there is no queue 'norks'; there is norsk, chat"):
            export.rows(path, plan, queue="norks")
        with pytest.raises(StoreError, match="by quarter and by day, not by 'hour'"):
            export.rows(path, plan, "hour")
        with pytest.raises(StoreError, match="from 2026-11-02 to 2026-11-01 there is no day"):
            export.rows(path, plan, "day", dt.date(2026, 11, 2), dt.date(2026, 11, 1))
        assert table(plan) == []


def test_a_reader_that_stands_still_does_not_hold_up_the_writer(tmp_path: Path) -> None:
    """Nor does its file grow: the log beside it is begun anew though a line is still to be read."""
    plan = plan_of(tmp_path)
    path = tmp_path / "trondheim.db"
    with written(plan) as store:
        for n in range(200):
            count(store, "norsk", EVENING + n * 900, joined=1)
        lines = export.rows(path, plan)
        head = [next(lines) for _ in range(50)]
        for n in range(2000):
            count(store, "norsk", EVENING + (196 + n % 4) * 900, EVENING + 200 * 900, joined=1)
        assert os.path.getsize(f"{path}-wal") < 2 * WAL_BYTES
        whole = list(csv.DictReader([*head, *lines]))
    assert sum(int(line["joined"]) for line in whole) == 2200


def test_lines_may_be_taken_by_one_thread_after_another(tmp_path: Path) -> None:
    """As a web server does it."""
    plan = plan_of(tmp_path)
    with written(plan) as store:
        for n in range(4):
            count(store, "norsk", EVENING + n * 900, joined=1)
    lines = export.rows(tmp_path / "trondheim.db", plan)
    taken: list[str] = []
    while (before := len(taken)) < 5:
        thread = threading.Thread(target=lambda: taken.append(next(lines)))
        thread.start()
        thread.join()
        assert len(taken) == before + 1
    assert list(lines) == []


# The command ----------------------------------------------------------------------


def callfloor(*args: str) -> subprocess.CompletedProcess[str]:
    return finished("export", *args)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.json"
    path.write_text(json.dumps(SITE))
    with written(floorplan.read(path)) as store:
        for n in range(120):
            count(store, "norsk", EVENING + n * 900, joined=1, seen_s=900)
    return path


def test_the_command_prints_the_same_while_the_gateway_writes(site: Path) -> None:
    plan = floorplan.read(site)
    with written(plan) as store:
        count(store, "norsk", EVENING, EVENING + 120 * 900, joined=1)
        done = callfloor(str(site), "--by", "quarter", "--from", "2026-10-25", "--to", "2026-10-25")
    assert (done.returncode, done.stderr) == (0, "")
    lines = list(csv.DictReader(done.stdout.splitlines()))
    assert len(lines) == 100
    assert {(line["joined"], line["timed_out"], line["left_by_key"]) for line in lines} == {("1", "", "")}
    days = list(csv.DictReader(callfloor(str(site)).stdout.splitlines()))
    assert [line["joined"] for line in days] == ["3", "100", "18"]


def test_the_command_says_what_is_wrong(site: Path) -> None:
    done = callfloor(str(site), "--queue", "norks")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "callfloor: there is no queue 'norks'; there is norsk, chat\n"
    (site.parent / "trondheim.db").write_text("not a database" * 100)
    done = callfloor(str(site))
    assert done.returncode == 1
    assert "no file of ours" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--from", "yesterday"), "--from: 'yesterday' is no date; a date is written 2026-11-22"),
        (("--to", "31.10.2026"), "--to: '31.10.2026' is no date; a date is written 2026-11-22"),
        (("--from", "2026-02-30"), "--from: '2026-02-30' is no date; a date is written 2026-11-22"),
        (("--from", ""), "--from: '' is no date; a date is written 2026-11-22"),
        (
            ("--from", "2026-10-26", "--to", "2026-10-25"),
            "from 2026-10-26 to 2026-10-25 there is no day: the first is the later one; swap them",
        ),
    ],
)
def test_the_command_says_what_is_wrong_with_a_date(site: Path, args: tuple[str, ...], words: str) -> None:
    done = callfloor(str(site), *args)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"callfloor: {words}\n")


def test_the_command_ends_quietly_when_nobody_reads_on(site: Path) -> None:
    command = [sys.executable, "-m", "callfloor", "export", str(site), "--by", "quarter"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
        process.wait(30)
    assert said == b""
