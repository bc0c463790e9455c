"""Checks of what this computer talks to: the broker, the phone system, and the gateway's page."""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import json
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime

from boards import login
from boards.bench import BenchError
from floorplan import Broker, Plan, SiteError
from gateway.broker import accounts, mosquitto, trial
from gateway.broker.accounts import AccountsError
from gateway.broker.authority import SOON
from gateway.doctor.finding import WRONG, Finding, Heard, Patient, good, note, unknown, warning, wrong
from gateway.queues import asked
from gateway.queues.ami import LinkError

WAIT_S = 3.0  # for one answer over the network
ASK_S = 4.0  # for a whole talk
QUIET_S = 0.5  # so long after the last of what a broker keeps, no more of it comes
KEPT_S = 4.0  # and all of it has come
NAMES = 12  # of the phone system's queues, in words
PAGE_BYTES = 65_536  # of an answer; ours has less than 100
TLS_PORT = 8883  # MQTT's
OTHER_TLS = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE")
# What gateway/broker/mosquitto.py sets, and what becomes of a floor without it.
MATTERS = {
    "allow_anonymous": "anybody could read the floor and command boards",
    "set_tcp_nodelay": "figures come one message late",
    "max_queued_messages": "a gateway that starts anew misses what boards have said",
    "persistence": "after a power cut nothing is known until each board has spoken",
}


# The broker ------------------------------------------------------------------------


def broker(patient: Patient) -> Iterable[Finding]:
    """Whether it answers, is who it should be, and lets in whom it should."""
    plan = patient.plan
    assert plan
    named = patient.broker
    if named is None:
        yield note("the site file names no broker, and no `callfloor up` of yours runs it for trying, or more than one "
                   "runs: gateway, boards and walls were not looked at", f"callfloor up {patient.file}")  # fmt: skip
        return
    where = f"{named.host}:{named.port}"
    try:
        plain = socket.create_connection((named.host, named.port), WAIT_S)
    except OSError as error:
        yield wrong(f"nobody answers at {where} ({_why(error)})", _start(plan))
        return
    with plain:
        ends = _certificate(named, plain, patient.file) if named.tls else None
    if ends:
        yield ends
        if ends.level == WRONG:  # nobody gets any further
            return
    if patient.heard.trouble:
        yield wrong(patient.heard.trouble, f"callfloor broker check {patient.file}")
    else:
        yield good(f"{where} answers, and lets the gateway's user in")
    stranger = _stranger(named)
    if stranger:
        yield stranger


def _start(plan: Plan) -> str:
    folder = plan.broker.folder if plan.broker else None
    if folder and (folder / accounts.CONF).exists():
        return f"sudo systemctl start callfloor-broker, or: {_program()} -c {folder / accounts.CONF}"
    return "start it there; are host and port right under [broker], and no firewall in between?"


def _program() -> str:
    try:
        return trial.find("mosquitto")[1]
    except trial.BrokerError:
        return "mosquitto"


def _certificate(named: Broker, plain: socket.socket, site: str) -> Finding:
    """When it ends; wrong where we do not believe it, or where nobody speaks TLS."""
    where = f"{named.host}:{named.port}"
    renew = f"callfloor broker setup {site}, then: sudo systemctl restart callfloor-broker"
    try:
        with login.context(named).wrap_socket(plain, server_hostname=named.host) as safe:
            shown = safe.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return wrong(f"TLS: the certificate at {where} is not believed ({error.verify_message.rstrip('.')})", renew)
    except ssl.SSLError as error:
        if error.reason in OTHER_TLS:
            return wrong(f"TLS: {where} agrees on none with us: is it at least TLS 1.2?", renew)
        port = "" if named.port == TLS_PORT else f"; is port {TLS_PORT} meant?"
        return wrong(f"there is no TLS at {where}{port}", f"put host, port and tls right under [broker] in {site}")
    except TimeoutError:
        return wrong(f"{where} takes the call, and then says nothing: no TLS within {WAIT_S:.0f} s", "start it anew; "
                     f"or is another port meant? {TLS_PORT} is usual")  # fmt: skip
    except (OSError, SiteError) as error:
        return wrong(f"TLS: {where} does not speak it as it should ({_why(error)})", renew)
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    days = (ends - datetime.now(UTC)).days
    words = f"TLS: the certificate ends on {ends:%Y-%m-%d}, in {days} days"
    return warning(words, renew) if days < SOON.days else good(words)


def _stranger(named: Broker) -> Finding | None:
    """Who has no name must not come in. None: it was not found out."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    client.connect_timeout = WAIT_S
    codes: list[bool] = []
    client.on_connect = lambda _c, _u, _f, code, _p: codes.append(not code.is_failure)
    try:
        if named.tls:
            client.tls_set_context(login.context(named))
        client.connect(named.host, named.port)
        until_s = time.monotonic() + WAIT_S
        while not codes and time.monotonic() < until_s and not client.loop(0.2):
            pass
    except (OSError, ValueError, SiteError):
        return None
    finally:
        client.disconnect()
    if codes and codes[0]:
        say = wrong if named.tls or named.user or not _here(named.host) else warning
        return say("whoever has no name is let in, too", "callfloor broker setup SITE.toml; docs/broker.md")
    return good("who has no name is refused") if codes else None


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def broker_settings(patient: Patient) -> Iterable[Finding]:
    """mosquitto's version and settings, where they are to be seen."""
    plan = patient.plan
    assert plan
    if plan.broker is None or plan.broker.folder is None:
        return
    path = plan.broker.folder / accounts.CONF
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        yield note(f"{path} is not there: settings of a broker elsewhere are not seen from here")
        return
    except OSError as error:
        yield unknown(f"{path} cannot be read ({_why(error)})", "try the same with sudo")
        return
    yield from _settings(text, patient.file)
    if version := _version():
        yield good(f"mosquitto {version}")
    try:
        if accounts.running(plan) is None:
            yield warning(f"no broker runs on this computer with {path}", _start(plan))
    except AccountsError as error:
        yield unknown(str(error), "try the same with sudo")


def _settings(text: str, site: str) -> Iterable[Finding]:
    has = dict(line.split(None, 1) for line in text.splitlines() if len(line.split(None, 1)) == 2 and line[0] != "#")
    mend = f"callfloor broker setup {site}, then: sudo systemctl restart callfloor-broker"
    should = {name: str(mosquitto.SETTINGS.get(name, "true")) for name in MATTERS}
    amiss = False
    for name, value in should.items():
        if name == "max_queued_messages" and has.get(name, "").isdigit() and int(has[name]) >= int(value):
            continue
        if has.get(name) != value:
            amiss = True
            yield warning(f"{name} is {has.get(name, 'not set')}, not {value}: {MATTERS[name]}", mend)
    if has.get("per_listener_settings") == "true":
        amiss = True
        yield wrong("per_listener_settings true: mosquitto 2.0.11 loses wills with it, so lost boards look well", mend)
    if not amiss:
        yield good("its settings are as they should be")


def _version() -> str:
    """Of the mosquitto that is installed here; empty without one."""
    try:
        said = subprocess.run([_program(), "-h"], capture_output=True, text=True, timeout=WAIT_S, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"version ([\w.]+)", said)
    return found[1] if found else ""


def listen(broker: Broker, site: str, seconds: float) -> Heard:
    """What is kept at the broker, however long that takes; and what is said there within so long, or until everybody
    that is there has said how it is."""
    from boards.ear import Ear

    heard = Heard(trouble="")
    began_s = time.monotonic()
    try:
        with Ear(broker, site, ["beat"]) as ear:
            ear.listen(["#"], qos=0)
            whole_s = (now_s := time.monotonic()) + QUIET_S  # when all that is kept has come, if no more of it does
            until_s = now_s + seconds
            while now_s < max(whole_s, until_s) and (now_s < whole_s or not _all_said(heard)):
                said = ear.hear(min(max(whole_s, until_s) - now_s, 0.1))
                now_s = time.monotonic()
                if said and said.retained:
                    whole_s = min(now_s + QUIET_S, until_s + KEPT_S)
                if said and said.fields is not None:
                    heard.said[said.pattern, said.ids] = said.fields
                elif said:
                    heard.said.pop((said.pattern, said.ids), None)
    except (BenchError, SiteError, OSError) as error:
        heard.trouble = str(error)
    heard.seconds = time.monotonic() - began_s
    return heard


def _all_said(heard: Heard) -> bool:
    """Whether the gateway's beat was heard, and how each board is that is there."""
    states = {ids[0]: said["state"] for (pattern, ids), said in heard.said.items() if pattern == "board/+/state"}
    there = [name for name, state in states.items() if state == "ready"]
    return heard.get("beat") is not None and all(heard.get("board/+/health", name) for name in there)


# The phone system ------------------------------------------------------------------


def pbx(patient: Patient) -> Iterable[Finding]:
    """Whether it answers and lets us in, and knows the queues of the site file."""
    plan = patient.plan
    assert plan
    settings = plan.pbx.asterisk
    if settings is None:
        if any(queue.pbx for queue in plan.queue) and not plan.simulator:
            yield wrong("queues have a pbx, but there is no [pbx.asterisk]", f"add it to {patient.file}")
        return
    where = f"{settings.host}:{settings.port}"
    mend = "docs/pbx/asterisk.md says what it needs; then: callfloor doctor again"
    try:
        known = asyncio.run(asked.known(settings, ASK_S))
    except LinkError as error:
        yield wrong(f"the phone system at {where} {error}", mend)
        return
    except SiteError as error:
        yield wrong(str(error), f"put it right in {patient.file}")
        return
    yield good(f"{where} answers, lets us in, and tells of {len(known)} queues")
    for queue in plan.queue:
        if queue.pbx and queue.pbx not in known:
            there = ", ".join(sorted(known)[:NAMES]) or "none that we may see"
            yield wrong(f"queue '{queue.id}': the phone system has no '{queue.pbx}'; there is {there}",
                        f"write pbx as there, in {patient.file}, then: callfloor reload {patient.file}")  # fmt: skip


# The gateway's page ------------------------------------------------------------------


def page(patient: Patient) -> Iterable[Finding]:
    """Whether it is served where it should be."""
    plan = patient.plan
    host, port = patient.web
    scheme = "https" if plan and plan.page.cert_file else "http"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/healthz"
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
    )
    try:
        with direct.open(url, timeout=WAIT_S) as answer:
            up = bool(json.loads(answer.read(PAGE_BYTES)).get("up"))
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 503:
                yield warning(f"{url} says that the floor is not up", "open the page: it says what is missing")
            else:
                yield wrong(f"{url} answers {error.code}: is that ours?", "give the page's address: --web HOST:PORT")
        return
    except (http.client.HTTPException, ValueError, AttributeError, RecursionError):
        yield wrong(f"{url} answers as no page of ours does", "give the page's address: --web HOST:PORT")
        return
    except OSError as error:
        yield wrong(f"no page at {scheme}://{host}:{port} ({_why(error)})",
                    f"callfloor up {patient.file}, or: sudo systemctl start callfloor; or say where: --web HOST:PORT")
        return
    yield good(f"{url} says that the floor is up") if up else warning(f"{url}: not up", "open the page: it says why")


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(getattr(reason, "strerror", None) or getattr(error, "strerror", None) or reason or error)


def logs() -> str:
    """The last lines of the gateway's journal, where systemd keeps one; empty without."""
    command = ["journalctl", "-u", "callfloor", "-u", "callfloor-broker", "-n", "200", "--no-pager", "-o", "short-iso"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
