"""Checks of files: the site file and what it names, secrets, and the two databases."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

import floorplan
import this_computer
from floorplan import SiteError
from gateway import site_check
from gateway.doctor.finding import Finding, Patient, good, note, unknown, warning, wrong

MB = 2**20
LARGE_MB = 4000  # a year of quarters of twenty queues has 100
READ_S = 4.0  # as long as one file of a database is looked through
STEPS = 20_000  # of SQLite, before it asks whether to go on
FOR_ALL = ("ca_file", "cert_file")  # how the keys end that name no secret
OPEN = "others on this computer"  # what the check of secrets says, and how it is mended
BROKERS = ("passwords", "rights", "mosquitto.conf", "ca.key", "server.key")  # files in the broker's folder


def site_file(patient: Patient) -> Iterable[Finding]:
    """As `callfloor up --check` reads it."""
    plan = patient.plan
    assert plan
    wrong_lines, unwise = site_check.checked(plan)
    edit = f"put it right in {patient.file}, then: callfloor up {patient.file} --check"
    for line in wrong_lines:
        if OPEN not in line:
            yield wrong(line, edit)
    for line in unwise:
        if OPEN not in line:
            yield warning(line, edit)
    if not wrong_lines:
        yield good(f"{patient.file}: {len(plan.desk)} desks, {len(plan.board)} boards, {len(plan.queue)} queues, "
                   f"{len(plan.wall)} walls")  # fmt: skip


def secrets(patient: Patient) -> Iterable[Finding]:
    """Whether others on this computer can read them; a secret of ours becomes ours alone, as by all who read it."""
    plan = patient.plan
    assert plan
    if not this_computer.POSIX:
        yield note("who may read a file is a matter of its folder's rights here: keep them in one of your own")
        return
    files = dict(site_check.files_of(plan))
    paths = [path for place, path in files.items() if not place.endswith(FOR_ALL)]
    if plan.broker and plan.broker.folder:
        paths += [plan.broker.folder / name for name in BROKERS]
    open_ones = [path for path in dict.fromkeys(paths) if _is_open(path)]
    closed = {path for place, path in files.items() if place.endswith("secret_file") and path in open_ones}
    for path in open_ones:
        try:
            if path in closed:
                floorplan.ours_alone(path)
                yield wrong(f"{OPEN} could read {path}; now it is mode 600", "who knows who has: write a new secret")
                continue
        except (OSError, SiteError):  # it is somebody else's, or a link
            pass
        yield wrong(f"{OPEN} can read {path}", f"sudo chmod 600 {path}; a new secret is safer")
    if not open_ones:
        yield good("nobody else on this computer can read them")


def _is_open(path: Path) -> bool:
    try:
        return floorplan.open_to_others(path)
    except OSError:  # the check of the site file says which are missing
        return False


def databases(patient: Patient) -> Iterable[Finding]:
    """Whether SQLite finds them whole. Nothing is written, and nothing beside them."""
    plan = patient.plan
    assert plan
    for what, path in (("history", plan.history.path), ("people", plan.people.path)):
        if path is None or not path.exists():
            yield note(f"{what}: {path} is not there yet; the gateway makes it")
            continue
        yield _database(what, path)


def _database(what: str, path: Path) -> Finding:
    size_mb = path.stat().st_size / MB
    began_s = time.monotonic()
    alone = "" if Path(f"{path}-shm").exists() else "&immutable=1"  # or SQLite makes files beside it
    mend = f"stop the gateway, put a copy of it back, or move it away and begin anew: mv {path} {path}.damaged"
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro{alone}"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1)) as db:
            db.set_progress_handler(lambda: time.monotonic() - began_s > READ_S, STEPS)
            (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return note(f"{what}: {path}, {size_mb:.0f} MB, is too large to be looked through in {READ_S:.0f} s")
        return unknown(f"{what}: {path} cannot be read ({error})", "be the user that runs the gateway, or use sudo")
    except sqlite3.Error as error:
        return wrong(f"{what}: {path} is damaged, or no file of ours ({error})", mend)
    if said != "ok":
        return wrong(f"{what}: {path} is damaged ({str(said)[:80]})", mend)
    if size_mb > LARGE_MB:
        return warning(f"{what}: {path} has {size_mb:.0f} MB", "keep less: quarters_days, days_days, audit_days")
    return good(f"{what}: {path} is whole, {size_mb:.1f} MB")
