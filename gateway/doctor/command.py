"""The command: reads the site file, has all checks run, and prints what they find."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import floorplan
from floorplan import SiteError
from gateway.doctor import bundle as support
from gateway.doctor import checks, others
from gateway.doctor.finding import UNKNOWN, WRONG, Finding, Patient


def run(
    site: Path | None, as_json: bool, bundle: Path | None, strict: bool, web: tuple[str, int], listen_s: float,
    root: Path,
) -> int:
    """Looks, prints, and returns the exit status. Raises SiteError where the support file cannot be written."""
    began_s = time.monotonic()
    if bundle and os.path.lexists(bundle):
        raise SiteError(f"--bundle: {bundle} is there already; name another")
    if bundle and not bundle.absolute().parent.is_dir():
        raise SiteError(f"--bundle: there is no folder {bundle.absolute().parent}; make it, or name another")
    patient = Patient(site, None, web, listen_s, _mirror(), root=root)
    found = _read(patient) + checks.examine(patient)
    status = checks.status(found, strict)
    if as_json:
        told = {"status": status, "seconds": round(time.monotonic() - began_s, 1), "site": str(site) if site else None,
                "findings": [finding._asdict() for finding in found]}  # fmt: skip
        print(json.dumps(told))
    else:
        for line in checks.lines(found):
            print(line)
    if bundle:
        _write(bundle, patient, found)
    return status


def _read(patient: Patient) -> list[Finding]:
    """Reads the site file; what is the matter with it as findings."""
    if patient.site is None:
        return []
    try:
        patient.plan = floorplan.read(patient.site)
    except SiteError as error:
        there = patient.site.is_file() and os.access(patient.site, os.R_OK)
        level = WRONG if there else UNKNOWN  # it says something wrong, or nobody knows what it says
        why = "without a site file only this computer can be looked at"
        mend = f"put it right, then: callfloor up {patient.site} --check"
        first, *further = str(error).splitlines()
        more = f"; and {len(further):,} more" if further else ""
        return [Finding(level, first + more, mend, "site file", why)]
    return []


def _mirror() -> Path | None:
    try:
        from boards.bench.mirror import default_folder

        return default_folder()
    except ImportError:
        return None


def _write(path: Path, patient: Patient, found: list[Finding]) -> None:
    """Says what is inside, then writes it."""
    files = support.parts(patient, found, others.logs())
    say = sys.stderr
    print(f"{path} will hold:", file=say)
    for name, data in files.items():
        print(f"  {name}, {len(data)} bytes", file=say)
    print("no password, token, login, caller or name is in it; look for yourself before you send it", file=say)
    try:
        support.write(path, files)
    except OSError as error:
        raise SiteError(f"--bundle: {path} cannot be written ({error.strerror}); name another place") from error
