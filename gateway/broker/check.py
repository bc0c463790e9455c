"""`callfloor broker check`: tries on the running broker of a house what everybody may, and may not, and says so.

Nothing is taken from the settings: whoever is to be refused is refused by the broker itself, while we look. For it a
board that is none gets an account for a moment; its topics are nobody's. What we write to topics that somebody hears is
empty and not retained, which boards and gateway pass over. So the floor may be running.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from cryptography import x509
from paho.mqtt.client import topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

import floorplan
import this_computer
from boards import login
from firmware import contract
from floorplan import Broker, Plan
from gateway.broker import accounts, authority, rights
from gateway.broker import setup as house_broker
from gateway.broker.accounts import AccountsError

ANSWER_S = 5.0
BEAT_S = contract.BEAT_S + 2.0  # the gateway's next beat has come by then
NOT_AUTHORIZED = 135  # MQTT 5's word for it: only so a broker says that a message went nowhere
PROBE = "check-"  # what the board is called that is none, before some random letters
LOCK = "check.lock"

Mark = bool | None  # True: good; False: WRONG; None: to be known


class Row(NamedTuple):
    """One thing that was tried: what, what happened, and whether that is right."""

    tried: str
    happened: str
    good: Mark


def run(plan: Plan, as_json: bool = False) -> int:
    """Tries everything, a line each as it comes. Returns an exit status: 1 where one is wrong. Raises AccountsError."""
    wrong = 0
    for row in tried(plan):
        if as_json:
            print(json.dumps(row._asdict()), flush=True)
            wrong += row.good is False
            continue
        word = {True: "good ", False: "WRONG", None: "note "}[row.good]
        print(f"{word}  {row.tried}: {row.happened}", flush=True)
        wrong += row.good is False
    if not as_json:
        print(f"{wrong} wrong: shut them before the floor opens" if wrong else "all is as it should be")
    return 1 if wrong else 0


def tried(plan: Plan) -> Iterator[Row]:
    """Everything that is tried, in order. Raises AccountsError where nothing can be."""
    folder = accounts.folder_of(plan)
    broker = plan.broker
    assert broker
    accounts.users(plan)  # or this is not the broker's computer, and its words say so
    pid = accounts.running(plan)
    if pid is None:
        raise AccountsError(
            f"the broker of {folder} does not run here; docs/broker.md says how it is started: "
            f"mosquitto -c {folder / accounts.CONF}"
        )
    with _alone(folder):
        yield from _files(folder)
        if broker.tls:
            yield from _certificate(broker)
        yield from _plain_ports(broker, pid)
        yield from _strangers(plan, broker)
        yield from _known(plan, broker)
        with contextlib.ExitStack() as ends:
            yield from _rights(plan, broker, ends)


# Files, TLS and ports --------------------------------------------------------


def _files(folder: Path) -> Iterator[Row]:
    secret = [accounts.PASSWORDS, house_broker.RIGHTS, accounts.CONF, authority.CA_KEY, authority.SERVER_KEY]
    open_ = [name for name in secret if (folder / name).exists() and (folder / name).stat().st_mode & 0o077]
    yield Row(
        "files of the broker", f"others can read {', '.join(open_)}: run `callfloor broker setup` again" if open_
        else "for its own user alone", not open_
    )  # fmt: skip


def _certificate(broker: Broker) -> Iterator[Row]:
    """Who the broker says it is, and whether anybody else could say so."""
    context = login.context(broker)
    names = dict.fromkeys([broker.host, broker.boards_host or broker.host])
    for name in names:
        told = _handshake(broker, context, name)
        yield Row(f"TLS, as {name}", told, told.startswith("TLS"))
    told = _handshake(broker, context, "another-name.invalid")
    yield Row("TLS, as another name", told, "mismatch" in told)
    told = _handshake(broker, _stranger(), broker.host)
    yield Row("TLS, vouched for by another authority", told, "verif" in told or "issuer" in told)
    certificate = _shown(broker)
    days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    good = None if 0 <= days < authority.SOON.days else days >= 0
    renew = "" if good else "; renew it, and run `callfloor broker setup` again"
    yield Row("TLS, the certificate's end", f"{certificate.not_valid_after_utc:%Y-%m-%d}, in {days} days{renew}", good)


def _handshake(broker: Broker, context: ssl.SSLContext, name: str) -> str:
    try:
        with (
            socket.create_connection((broker.host, broker.port), ANSWER_S) as plain,
            context.wrap_socket(plain, server_hostname=name) as sock,
        ):
            return f"{sock.version()}, its name and who vouches for it are right"
    except ssl.SSLCertVerificationError as error:
        return f"refused ({error.verify_message.rstrip('.')})"
    except OSError as error:
        return f"no TLS there ({getattr(error, 'reason', None) or error.strerror or error})"


def _shown(broker: Broker) -> x509.Certificate:
    """The certificate that the broker shows now; it may be older than the file's."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((broker.host, broker.port), ANSWER_S) as plain,
            anybody.wrap_socket(plain, server_hostname=broker.host) as sock,
        ):
            return x509.load_der_x509_certificate(sock.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError) as error:
        raise AccountsError(f"no TLS at {broker.host}:{broker.port} ({error}); was the broker started anew?") from error


def _stranger() -> ssl.SSLContext:
    """A client that believes an authority made this moment, and no other."""
    with tempfile.TemporaryDirectory() as folder:
        authority.ensure(Path(folder), "nobody", ["localhost"], datetime.now(UTC))
        return ssl.create_default_context(cafile=str(Path(folder, authority.CA)))


def _plain_ports(broker: Broker, pid: int) -> Iterator[Row]:
    """Every port that the broker listens on for others than this computer must be deaf to plain MQTT."""
    what = "plain MQTT from outside this computer"
    try:
        listeners = _listeners(pid)
    except OSError as error:
        yield Row(what, f"not tried, the broker is another user's ({error.strerror}); try with sudo", None)
        return
    outside = [at for at in listeners if not house_broker.is_loopback(at[0])]
    if broker.tls:
        outside.append((broker.host, broker.port))
    heard = [at for at in outside if answers_plain(*at)]
    where = ", ".join(sorted({f"port {port}" for _, port in heard}))
    known = f"no answer at {len(outside)} ports" if len(outside) > 1 else "no answer" if outside else "no way in"
    yield Row(what, f"answered at {where}" if heard else known, not heard)


def _listeners(pid: int) -> list[tuple[str, int]]:
    """Where a process listens, (address, port); of Linux's /proc."""
    links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        with contextlib.suppress(FileNotFoundError):  # a computer without IPv6
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and words[9] in inodes:
                    address, port = words[1].split(":")
                    parts = struct.unpack(f">{len(address) // 8}I", bytes.fromhex(address))
                    host = socket.inet_ntop(family, struct.pack(f"={len(parts)}I", *parts))
                    found.append((host, int(port, 16)))
    return found


def answers_plain(host: str, port: int) -> bool:
    """Whether somebody at that port answers MQTT without TLS, with whatever answer."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        return _knock(here, port, None, None, None) is not None
    except OSError:
        return False


# Who gets in -----------------------------------------------------------------


def _strangers(plan: Plan, broker: Broker) -> Iterator[Row]:
    tries = [
        ("nobody's name", None, None),
        ("a name that nobody has", f"{PROBE}nobody", secrets.token_hex(16)),
        ("the gateway, with a wrong password", broker.user, secrets.token_hex(16)),
        ("the gateway, without a password", broker.user, None),
    ]
    if plan.board:
        tries.append((f"board {plan.board[0].id}, with a wrong password", plan.board[0].id, secrets.token_hex(16)))
    for what, user, password in tries:
        answer = _log_in(broker, user, password)
        yield Row(what, "WAS LET IN" if answer == 0 else "refused", answer != 0)


def _known(plan: Plan, broker: Broker) -> Iterator[Row]:
    """Those of the site file. They come under a client id of our own: who is there stays there."""
    answer = _log_in(broker, broker.user, floorplan.secret(broker.secret_file))
    yield Row(f"the gateway as {broker.user}", "let in" if answer == 0 else "refused", answer == 0)
    out = []
    for board in plan.board:
        try:
            password = floorplan.secret(floorplan.board_secret_file(plan, board))
        except floorplan.SiteError:
            password = None
        if password is None or _log_in(broker, board.id, password) != 0:
            out.append(board.id)
    if plan.board:
        few = ", ".join(out[:8]) + (f" and {len(out) - 8} more" if len(out) > 8 else "")
        yield Row(
            f"{len(plan.board)} boards, each with its own password",
            f"not let in: {few}; revoked, or `callfloor board json` gives a new one" if out else "let in",
            None if out else True,
        )


def _log_in(broker: Broker, user: str | None, password: str | None) -> int | None:
    """The broker's answer to a login: 0 lets in; None: it hung up."""
    try:
        return _knock(broker.host, broker.port, login.context(broker) if broker.tls else None, user, password)
    except OSError as error:
        where = f"{broker.host}:{broker.port}"
        raise AccountsError(f"no broker answers at {where} ({error}); are host, port and tls right?") from error


def _knock(
    host: str, port: int, context: ssl.SSLContext | None, user: str | None, password: str | None
) -> int | None:
    """One CONNECT of MQTT 3.1.1, and what its CONNACK says; None: there came none."""
    with contextlib.ExitStack() as ends:
        sock: socket.socket = ends.enter_context(socket.create_connection((host, port), ANSWER_S))
        if context:
            sock = ends.enter_context(context.wrap_socket(sock, server_hostname=host))
        flags = 2 | (128 if user is not None else 0) | (64 if password is not None else 0)
        words = [_client_id(), *(word for word in (user, password) if word is not None)]
        body = struct.pack(">H4sBBH", 4, b"MQTT", 4, flags, 10)
        body += b"".join(struct.pack(">H", len(word.encode())) + word.encode() for word in words)
        length = (len(body),) if len(body) < 128 else (len(body) & 127 | 128, len(body) >> 7)
        sock.sendall(bytes((0x10, *length)) + body)
        answer = b""
        with contextlib.suppress(OSError):
            while len(answer) < 4 and (more := sock.recv(4 - len(answer))):
                answer += more
            sock.sendall(b"\xe0\0")
        return answer[3] if len(answer) == 4 and answer[0] == 0x20 else None


def _client_id() -> str:
    return f"callfloor-{PROBE}{secrets.token_hex(6)}"


# Who may do what -------------------------------------------------------------


class Client:
    """A client of MQTT 5, which is told what became of each message."""

    def __init__(self, broker: Broker, user: str, password: str, name: str = "", will: str | None = None) -> None:
        self.heard: list[tuple[str, str, bytes]] = []  # topic, our mark, payload
        self.ended = threading.Event()
        self._answers: dict[int, Any] = {}
        self._news = threading.Condition()
        self._in = threading.Event()
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, name or _client_id(), protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        client.username_pw_set(user, password)
        if broker.tls:
            client.tls_set_context(login.context(broker))
        if will:
            client.will_set(will, b"", 1)
        client.on_connect = lambda c, u, flags, code, properties: None if code.is_failure else self._in.set()
        client.on_disconnect = lambda *_: self.ended.set()
        client.on_message = self._hear
        client.on_publish = lambda c, u, mid, code, properties: self._answer(mid, code)
        client.on_subscribe = lambda c, u, mid, codes, properties: self._answer(mid, codes)
        try:
            client.connect(broker.host, broker.port, clean_start=True)
        except OSError as error:
            raise AccountsError(f"no broker answers at {broker.host}:{broker.port} ({error})") from error
        client.loop_start()
        if not self._in.wait(ANSWER_S):
            self.close()
            raise AccountsError(f"the broker does not let '{user}' in; has the broker read its files?")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def write(self, topic: str, mark: str) -> bool:
        """Sends an empty message, not retained, and returns whether the broker took it."""
        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = ("callfloor-check", mark)
        code = self._wait(self._client.publish(topic, b"", 1, properties=properties).mid)
        return code is not None and int(code.value) != NOT_AUTHORIZED

    def listen(self, topics: Iterable[str], retained: bool) -> None:
        """Subscribes; what is not granted is not heard, and that is all we look at."""
        options = SubscribeOptions(qos=0, retainHandling=0 if retained else 2)
        _, mid = self._client.subscribe([(topic, options) for topic in topics])
        self._wait(mid)

    def _hear(self, _client: object, _user: object, message: paho.MQTTMessage) -> None:
        told = dict(getattr(message.properties, "UserProperty", None) or ())
        with self._news:
            self.heard.append((message.topic, told.get("callfloor-check", ""), bytes(message.payload)))
            self._news.notify_all()

    def _answer(self, mid: int, code: Any) -> None:
        with self._news:
            self._answers[mid] = code
            self._news.notify_all()

    def _wait(self, mid: int | None) -> Any:
        with self._news:
            self._news.wait_for(lambda: mid in self._answers, ANSWER_S)
            return self._answers.get(mid or 0)

    def wait_for(self, topic: str, within_s: float) -> bool:
        """Whether something is heard there by then, or was."""
        with self._news:
            return self._news.wait_for(lambda: any(heard[0] == topic for heard in self.heard), within_s)


def _rights(plan: Plan, broker: Broker, ends: contextlib.ExitStack) -> Iterator[Row]:
    site = plan.site.id
    mark = secrets.token_hex(4)
    board, other = PROBE + mark, f"{PROBE}other-{mark}"
    password = secrets.token_hex(16)

    stale = [user for user in accounts.users(plan) if re.fullmatch(PROBE + "[0-9a-f]{8}", user)]
    accounts.keep_only(plan, lambda user: user not in stale)  # of a check that was ended half way
    ends.callback(_forget, plan, board)
    accounts.put(plan, board, password)
    accounts.reload(plan)
    _until_let_in(broker, board, password)

    gateway = Client(broker, broker.user or "", floorplan.secret(broker.secret_file) or "")
    ends.callback(gateway.close)
    probe = Client(broker, board, password)
    ends.callback(probe.close)
    probe.listen(["#"], True)

    its_own = [contract.topic(site, row.topic, board, 0) for row in contract.MESSAGES if row.sender == "board"]
    of_another = [contract.topic(site, row.topic, other, 0) for row in contract.MESSAGES if "board/" in row.topic]
    told = [
        contract.topic(site, row.topic, board if "board/" in row.topic else other, 0)
        for row in contract.MESSAGES
        if row.sender == "gateway"
    ]
    pushed = [contract.topic(site, "source/+/queue/check/probe", other)]
    elsewhere = [f"{contract.ROOT}/{other}/board/{board}/state", f"{other}/test", f"$SYS/{other}"]
    gateway.listen([*its_own, *of_another, *told, *pushed, *elsewhere[:1]], False)

    yield _may("the gateway writes its site's topics", gateway, gateway, [*its_own, *of_another, *pushed], "g")
    yield _may("a board writes its own topics", probe, gateway, its_own, "own")
    yield _may_not("a board writes another board's topics", probe, gateway, of_another, "other")
    yield _may_not("a board writes what the gateway says, its own scene and commands too", probe, gateway, told, "told")
    yield _may_not("a board writes for a source", probe, gateway, pushed, "pushed")
    yield _may_not("a board writes elsewhere", probe, gateway, elsewhere, "else")
    yield _will(broker, board, password, gateway, contract.topic(site, "board/+/state", other))
    yield from _reads(plan, gateway, probe, board, other)
    for source in plan.source:
        token = floorplan.secret(source.secret_file) or ""
        yield from _source(plan, broker, gateway, source.id, token, board, other)
    yield _throws_out(plan, broker, probe, board, password)


def _may(what: str, who: Client, ear: Client, topics: list[str], mark: str) -> Row:
    """Each of them is taken, and comes to the gateway."""
    lost = [topic for topic in topics if not who.write(topic, mark)]
    ear.write(topics[0], mark + "-end")  # it comes back after what was sent before
    lost += [topic for topic in topics if (topic, mark, b"") not in ear.heard and topic not in lost]
    return Row(what, f"REFUSED: {', '.join(lost)}" if lost else f"all {len(topics)} came through", not lost)


def _may_not(what: str, who: Client, ear: Client, topics: list[str], mark: str) -> Row:
    """None of them is taken, and none comes to the gateway."""
    taken = [topic for topic in topics if who.write(topic, mark)]
    taken += [topic for topic, its, _ in ear.heard if its == mark and topic not in taken]
    return Row(what, f"TAKEN: {', '.join(taken)}" if taken else f"all {len(topics)} refused", not taken)


def _will(broker: Broker, board: str, password: str, ear: Client, topic: str) -> Row:
    """A last will in another's name: thrown off by a second client of the same id, the broker says it at once."""
    before = len(ear.heard)
    name = _client_id()
    first = Client(broker, board, password, name, topic)
    second = Client(broker, board, password, name)
    first.ended.wait(ANSWER_S)
    ear.write(topic, "end")
    for client in (second, first):
        client.close()
    said = [heard for heard in ear.heard[before:] if heard[0] == topic and heard[1] != "end"]
    return Row("a board's will in another's name", "IT WAS SAID" if said else "refused", not said)


def _reads(plan: Plan, gateway: Client, probe: Client, board: str, other: str) -> Iterator[Row]:
    """What a board hears that has asked for everything."""
    site = plan.site.id
    rows = [row for row in contract.MESSAGES if "board/" in row.topic]
    own, said = (
        [contract.topic(site, row.topic, board, 0) for row in rows if row.sender == sender]
        for sender in ("gateway", "board")
    )
    others = [contract.topic(site, row.topic, other, 0) for row in contract.MESSAGES if "+" in row.topic]
    others += [contract.topic(site, "source/+/queue/check/probe", other), contract.topic(site, other)]
    for topic in (*others, *said, *own):  # its own last: when they are there, the others would be
        gateway.write(topic, "read")
    probe.write(said[0], "barrier")
    missed = [topic for topic in own if (topic, "read", b"") not in probe.heard]
    told = f"NOT HEARD: {', '.join(missed)}" if missed else "heard"
    yield Row("a board reads what the gateway tells it", told, not missed)
    may = rights.board(site, board).read
    too_much = sorted({topic for topic, _, _ in probe.heard if not any(topic_matches_sub(at, topic) for at in may)})
    yield Row(
        "a board reads anything else, having asked for all",
        f"HEARD: {', '.join(too_much[:6])}" if too_much else "nothing of it came", not too_much,
    )  # fmt: skip
    what = f"a board reads {', '.join(rights.ALL_BOARDS_READ)}"
    if not _gateway_runs(gateway, site):
        yield Row(what, "not tried: the gateway does not run; check again when it does", None)
        return
    missed = [topic for topic in rights.ALL_BOARDS_READ if not _comes(probe, contract.topic(site, topic))]
    yield Row(what, f"NOT HEARD: {', '.join(missed)}" if missed else "heard", not missed)


def _gateway_runs(gateway: Client, site: str) -> bool:
    """By its own retained word, which its will takes back."""
    topic = contract.topic(site, "gateway/state")
    gateway.listen([topic], True)
    gateway.write(contract.topic(site, "source/+/queue/check/probe", "nobody"), "barrier")
    said = [payload for at, _, payload in gateway.heard if at == topic and payload]
    return bool(said) and b'"ready"' in said[-1]


def _comes(probe: Client, topic: str) -> bool:
    return probe.wait_for(topic, BEAT_S if topic.endswith("/beat") else 0.2)


def _source(
    plan: Plan, broker: Broker, gateway: Client, name: str, token: str, board: str, other: str
) -> Iterator[Row]:
    """A source pushes its queues, and neither reads nor writes anything else."""
    site = plan.site.id
    if _log_in(broker, name, token) != 0:
        yield Row(f"source {name}, with its token", "not let in; `callfloor broker setup` gives it an account", False)
        return
    client = Client(broker, name, token)
    try:
        client.listen(["#"], True)
        own = [contract.topic(site, "source/+/queue/check/probe", name)]  # deeper than the gateway listens
        gateway.listen(own, False)
        yield _may(f"source {name} writes its queues", client, gateway, own, name)
        rest = [contract.topic(site, row.topic, other, 0) for row in contract.MESSAGES]
        rest += [contract.topic(site, row.topic, name, 0) for row in contract.MESSAGES if row.sender == "board"]
        rest.append(contract.topic(site, "source/+/queue/check/probe", other))
        yield _may_not(f"source {name} writes anything else", client, gateway, rest, f"{name}-rest")
        for topic in (*own, contract.topic(site, "board/+/command", board)):
            gateway.write(topic, "read")
        client.write(own[0], "barrier")
        heard = sorted({topic for topic, _, _ in client.heard})
        yield Row(
            f"source {name} reads anything", f"HEARD: {', '.join(heard[:6])}" if heard else "nothing came", not heard
        )
    finally:
        client.close()


def _throws_out(plan: Plan, broker: Broker, probe: Client, board: str, password: str) -> Row:
    """An account that is taken away: the live connection ends, and no new one begins."""
    began = time.monotonic()
    accounts.remove(plan, board)
    accounts.reload(plan)
    out = probe.ended.wait(ANSWER_S)
    took_ms = (time.monotonic() - began) * 1000
    again = _log_in(broker, board, password) == 0
    happened = "IT STAYED" if not out else "IT CAME BACK" if again else f"out after {took_ms:.0f} ms, and refused again"
    return Row("an account that is taken away while its board is there", happened, out and not again)


def _until_let_in(broker: Broker, user: str, password: str) -> None:
    end = time.monotonic() + ANSWER_S
    while _log_in(broker, user, password) != 0:
        if time.monotonic() > end:
            raise AccountsError("the running broker does not take a new account; does it run with this folder's files?")
        time.sleep(0.02)


def _forget(plan: Plan, board: str) -> None:
    """The board that is none goes, whatever happened."""
    if accounts.remove(plan, board):
        accounts.reload(plan)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | this_computer.NO_LINK, 0o600)
    except OSError as error:
        raise AccountsError(f"{folder / LOCK}: {error.strerror}; try the same with sudo") from error
    try:
        if not this_computer.lock(lock):
            raise AccountsError("another `callfloor broker check` is running; wait for its end")
        yield
    finally:
        os.close(lock)
