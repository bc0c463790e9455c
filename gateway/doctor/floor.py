"""Checks of the floor by what was heard at the broker: the gateway, boards and walls; the gateway alone is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from boards.bench import BenchError, bundle
from firmware import contract
from floorplan import SiteError
from gateway import reload_command
from gateway.board_health import LAG_MS, LOW_BYTES, WEAK_DBM
from gateway.doctor.finding import Finding, Patient, good, note, warning, wrong

MANY = 8  # names in one line
ASK_S = 4.0  # as long as the gateway may take to compare its plan with the file


def gateway(patient: Patient) -> Iterable[Finding]:
    """Whether it is at the broker, and with the site file as it is now."""
    heard, plan = patient.heard, patient.plan
    assert plan
    state = heard.get("gateway/state")
    run = f"callfloor up {patient.file}, or: sudo systemctl start callfloor"
    if state is None:
        yield wrong("no gateway has ever been at the broker", run)
    elif state["state"] != "ready":
        yield wrong("the gateway is gone: the broker has published its last will", run)
    elif heard.get("beat") is None and heard.seconds > contract.BEAT_S:
        yield wrong(f"the gateway calls itself ready, but no beat came within {heard.seconds:.0f} s: does it hang?",
                    "sudo systemctl restart callfloor")  # fmt: skip
    else:
        yield good("it is at the broker" + (", and its beat comes" if heard.get("beat") else ""))
        yield from _plan_of(patient)
        yield from _unknown_queues(patient)


def _plan_of(patient: Patient) -> Iterable[Finding]:
    """Whether it runs with the site file as it is on the disk: it is asked, as `callfloor reload` asks it."""
    plan, reload = patient.plan, f"callfloor reload {patient.file}"
    assert plan
    if patient.site and patient.broker:
        try:
            told = reload_command.look(patient.site, plan, patient.broker, ASK_S)
        except (BenchError, SiteError, OSError) as error:
            yield warning(str(error).splitlines()[0], reload)
            return
        if changes := told.of("change"):
            yield warning(f"the gateway runs with an older site file: {_few(changes, '; ')}", reload)
        if boards := told.of("board"):
            yield warning(_few(boards, "; "), "do that, then start the gateway anew: sudo systemctl restart callfloor")
        if later := told.of("restart"):
            yield warning(f"what the gateway takes from the site file at its start: {_few(later, '; ')}",
                          "sudo systemctl restart callfloor")  # fmt: skip
        if not told.lines:
            yield good("it runs with this site file as it is")
    desks = {desk.id for desk in plan.desk}
    left = [desk for desk in patient.heard.ids("desk/+/now") if desk not in desks]
    if left:
        yield warning(f"desks that are not in the site file are still told of: {_few(left)}",
                      f"{reload}, then: callfloor desk forget {left[0]} --site {patient.file}")  # fmt: skip


def _unknown_queues(patient: Patient) -> Iterable[Finding]:
    plan = patient.plan
    assert plan
    for queue in plan.queue:
        now = patient.heard.get("queue/+/now", queue.id)
        if now and now["reason"]:
            yield warning(f"queue '{queue.id}' has no figures: {now['reason']}", "mend what it says; docs/figures.md")


def boards(patient: Patient) -> Iterable[Finding]:
    """Each board of the site file, by what it said last."""
    plan, well = patient.plan, 0
    assert plan
    if not plan.board:
        yield note("the site file has no board")
        return
    for board in plan.board:
        found = list(_board(patient, board.id, board.definition))
        well += not found
        yield from found
    if well:
        yield good(f"{well} of {len(plan.board)} boards are there and well")
    strangers = [name for name in patient.heard.ids("board/+/state") if name not in {row.id for row in plan.board}]
    if strangers:
        yield warning(f"boards that are not in the site file have said something: {_few(strangers)}",
                      f"callfloor board revoke {strangers[0]} --site {patient.file}")  # fmt: skip


def _board(patient: Patient, name: str, definition: str) -> Iterable[Finding]:
    """What is the matter with one board."""
    state = patient.heard.get("board/+/state", name)
    hello = patient.heard.get("board/+/hello", name)
    flash = f"callfloor board flash {name} --site {patient.file}"
    watch = f"callfloor board watch {name} --site {patient.file}"
    if state is None:
        yield warning(f"board '{name}' has never been seen", flash)
        return
    if state["state"] != "ready":
        yield wrong(f"board '{name}' is lost", f"look at its power and its network; {watch}; and if need be: {flash}")
        return
    if hello:
        if hello["definition"] != definition:
            yield wrong(f"board '{name}' says it is a {hello['definition']}, the site file says {definition}", flash)
        elif bundle.brought().has(hello["firmware"]) is False:
            yield warning(f"board '{name}' runs other firmware ({hello['firmware'][:8]}) than this Callfloor brings",
                          f"callfloor board provision {name} --site {patient.file}")  # fmt: skip
        if hello["restart"] == "wdt":
            yield warning(f"board '{name}' hung, and its watchdog started it anew", watch)
    yield from _health(name, patient.heard.get("board/+/health", name), watch)


def _health(name: str, health: dict[str, Any] | None, watch: str) -> Iterable[Finding]:
    if health is None:
        return
    if health["heap_free"] is not None and health["heap_free"] < LOW_BYTES:
        yield warning(f"board '{name}' has {health['heap_free']} bytes of memory left",
                      "give some of its inputs to another")  # fmt: skip
    if health["wifi_dbm"] is not None and health["wifi_dbm"] < WEAK_DBM:
        yield warning(f"board '{name}' hears its Wi-Fi at {health['wifi_dbm']} dBm",
                      "move it or its antenna, or take a wired board")  # fmt: skip
    if health["lag_ms"] > LAG_MS:
        yield warning(f"board '{name}' was held up for {health['lag_ms']} ms", watch)
    if health["dropped"]:
        yield warning(f"board '{name}' has lost {health['dropped']} readings while the broker was away", watch)


def walls(patient: Patient) -> Iterable[Finding]:
    """What each wall shows beside what it should."""
    plan, well = patient.plan, 0
    assert plan
    for wall in plan.wall:
        now = patient.heard.get("wall/+/now", wall.id)
        if wall.board is None:
            continue  # a browser's: it is there when somebody opens it
        if now is None:
            yield warning(f"wall '{wall.id}' has never been shown", f"callfloor reload {patient.file}")
        elif now["wrong"]:
            say = wrong if now["alarm"] else warning
            yield say(f"wall '{wall.id}': {now['reason'] or now['wrong']}",
                      now["todo"] or f"callfloor wall test {wall.id} --site {patient.file}")  # fmt: skip
        else:
            well += 1
    if well:
        yield good(f"{well} walls show what they should")


def _few(names: list[str], between: str = ", ") -> str:
    return between.join(names[:MANY]) + (f" and {len(names) - MANY} more" if len(names) > MANY else "")
