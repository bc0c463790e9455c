"""The table of all checks, and how they are run: those that wait all at the same time, none for longer than it may."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from boards import trying
from floorplan import SiteError
from gateway.doctor import files, floor, machine, others
from gateway.doctor.finding import LEVELS, UNKNOWN, WARNING, WRONG, Check, Finding, Heard, Patient

LIMIT_S = 5.0  # for a check
ANSWER_S = 6.0  # beside listening: to be let in at the broker
OF_THE_FLOOR = ("gateway", "boards", "walls")  # they are seen by what was heard, and else not at all

CHECKS = (
    Check("python", "an old Python lacks what we use", machine.python),
    Check("memory", "without memory the system ends programs, the gateway among them", machine.memory),
    Check("disk", "on a full disk no totals are kept and nobody can log in", machine.disks),
    Check("clock", "totals are kept by the hour, and certificates are believed by the date", machine.clock),
    Check("time zone", "a day of figures begins and ends by the site's clock", machine.time_zone, "plan"),
    Check("raspberry pi", "heat and low voltage look like broken boards and lost readings", machine.raspberry_pi),
    Check("tools", "boards are flashed with them", machine.tools),
    Check("ports", "a board that cannot be opened cannot be flashed", machine.ports),
    Check("headsets", "a headset that may not be read tells nothing", machine.headsets),
    Check("mirror", "on the floor there may be no internet", machine.mirror),
    Check("secrets", "whoever reads a password can be the gateway, a board or the phone system's guest", files.secrets,
          "plan"),
    Check("site file", "what it says is what the floor does", files.site_file, "plan"),
    Check("databases", "a damaged file loses totals, accounts and the audit list", files.databases, "plan"),
    Check("pbx", "without the phone system queues have no figures", others.pbx, "plan"),
    Check("page", "supervisors see the floor there", others.page, "plan"),
    Check("broker settings", "mosquitto's own defaults lose messages and let anybody in", others.broker_settings,
          "plan"),
    Check("broker", "all that boards, gateway and walls say goes through it", others.broker, "heard"),
    Check("gateway", "it alone knows the floor; without it walls grow old", floor.gateway, "heard"),
    Check("boards", "a desk is only seen through its board", floor.boards, "heard"),
    Check("walls", "a wall that shows what is no longer true is worse than a dark one", floor.walls, "heard"),
)  # fmt: skip


def examine(patient: Patient, limit_s: float = LIMIT_S) -> list[Finding]:
    """Runs all checks. Whatever hangs is left behind and told of."""
    found: dict[str, list[Finding]] = {}
    now = [check for check in CHECKS if not check.needs or (check.needs == "plan" and patient.plan)]
    # Before all others: to read a secret, as they do, takes it from everybody else.
    for check in [check for check in now if check.name == "secrets"]:
        _run(check, patient, found)
    running = [_started(check, patient, found, limit_s) for check in now if check.name != "secrets"]
    if patient.plan:
        _listen(patient)
        later = [check for check in CHECKS if check.needs == "heard"]
        deaf = [check for check in later if check.name in OF_THE_FLOOR and patient.heard.trouble]
        if patient.broker:
            found |= {check.name: [Finding(UNKNOWN, "nothing was heard at the broker")] for check in deaf}
        running += [_started(check, patient, found, limit_s) for check in later if check not in deaf]
    for check, thread, until_s in running:
        thread.join(max(0.05, until_s - time.monotonic()))
        if thread.is_alive():
            late = Finding(UNKNOWN, f"no answer within {limit_s:.0f} s", "callfloor doctor, once more")
            found[check.name] = [*found[check.name], late]
    done = dict(found)  # what comes later comes too late
    return [
        finding._replace(check=check.name, why=check.why) for check in CHECKS for finding in done.get(check.name, [])
    ]


def _listen(patient: Patient) -> None:
    """Hears what is said at the site's broker, or at the only one for trying, if it is this floor's."""
    plan = patient.plan
    assert plan
    with contextlib.suppress(SiteError, OSError):
        patient.broker = plan.broker or trying.only_login()
    broker = patient.broker
    if broker is None:
        return
    heard: list[Heard] = []
    thread = threading.Thread(
        target=lambda: heard.append(others.listen(broker, plan.site.id, patient.listen_s)), daemon=True
    )
    thread.start()
    thread.join(patient.listen_s + ANSWER_S)
    patient.heard = heard[0] if heard else Heard(trouble=f"the broker at {broker.host}:{broker.port} hangs")
    if not plan.broker and not patient.heard.get("gateway/state"):  # another floor's, or one that has just ended
        patient.broker, patient.heard = None, Heard()


Running = tuple[Check, threading.Thread, float]  # until when it may run


def _started(check: Check, patient: Patient, found: dict[str, list[Finding]], limit_s: float) -> Running:
    found[check.name] = []
    thread = threading.Thread(target=_run, args=(check, patient, found), daemon=True, name=check.name)
    thread.start()
    return check, thread, time.monotonic() + limit_s


def _run(check: Check, patient: Patient, found: dict[str, list[Finding]]) -> None:
    """Adds what one check finds, one by one: of one that hangs, all before stays. One that breaks breaks no other."""
    rows = found[check.name] = []
    try:
        for finding in check.run(patient):
            rows.append(finding)
    except Exception as error:  # what it looks at may be broken in any way
        words = f"could not be looked at ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        rows.append(Finding(UNKNOWN, words, "callfloor doctor, as root or as the gateway's user"))


def status(found: list[Finding], strict: bool) -> int:
    """The exit status: 1 where something is wrong (strict: or warned of), 2 where something was not seen, else 0."""
    levels = {finding.level for finding in found}
    if WRONG in levels or (strict and WARNING in levels):
        return 1
    return 2 if UNKNOWN in levels else 0


def lines(found: list[Finding]) -> Iterator[str]:
    """For people: the worst first."""
    for level in LEVELS:
        for finding in found:
            if finding.level == level:
                yield f"{level.upper() if level == WRONG else level:8} {finding.check}: {finding.words}"
                if finding.why and level in (WRONG, WARNING, UNKNOWN):
                    yield f"         why: {finding.why}"
                if finding.mend:
                    yield f"         try: {finding.mend}"
    yield ", ".join(f"{sum(row.level == level for row in found)} {level}" for level in LEVELS)
