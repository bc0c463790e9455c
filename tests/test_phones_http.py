"""The address IP phones call, on a real server: request logs of each make, rubbish, guessing, floods; no names."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import floorplan
from gateway.phones import http as phones_http
from gateway.phones import poly
from gateway.phones.phones import Phones
from gateway.phones.urls import urls
from gateway.phones.vendors import VENDORS
from gateway.seldom import Seldom
from gateway.web.page import SafeHeaders

from .conftest import until
from .house import DIRECT, Ear, House

LOGS = sorted((Path(__file__).parent / "data" / "phones").glob("*.txt"))
TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
CALLERS = ("91234567", "Thecaller", "anonymous@")  # in the request logs: nobody may find them afterwards
MAC, OTHER = "0015651234ab", "000413aabbcc"


class Served:
    """The address on a port of its own, its clock in our hands; what was told, by desk."""

    def __init__(self, folder: Path, phones: dict[str, tuple[str, str]]) -> None:
        (folder / "token").write_text(TOKEN + "\n")
        self.plan = floorplan.check({
            "site": {"id": "house"},
            "phones": {"secret_file": "token"},
            "desk": [{"id": desk, "phone": {"by": "url", "vendor": vendor, "mac": mac}}
                     for desk, (vendor, mac) in phones.items()],
        }, "test", folder)  # fmt: skip
        self.now_s = 1000.0
        self.told: dict[str, tuple[str, bool | None, str]] = {}
        self.tellings = 0
        self.phones = Phones(self.plan, self._tell, lambda: self.now_s)
        app = FastAPI()
        app.add_middleware(SafeHeaders)
        app.include_router(phones_http.routes(self.phones, TOKEN, lambda: self.now_s))
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self.listening.getsockname()[1]
        self.server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
            )
        )
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self.server.serve(sockets=[self.listening]))
        )
        self.thread.start()
        until(lambda: self.server.started, "the server")

    def _tell(self, desk: str, state: str, muted: bool | None, why: str, now_s: float) -> None:
        assert now_s == self.now_s
        self.told[desk] = state, muted, why
        self.tellings += 1

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.listening.close()

    def ask(self, method: str, after: str = "", body: str = "", token: str = TOKEN) -> tuple[int, str]:
        """(status, text) of one request on a connection of its own, as phones do, nothing escaped."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(link):
            link.request(method, f"/phone/{token}{after}", body.encode() if method == "POST" else None)
            answer = link.getresponse()
            return answer.status, answer.read().decode()

    def raw(self, request: bytes) -> bytes:
        """The first line of the answer to these very bytes; empty where the connection was closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            sock.sendall(request)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                return sock.makefile("rb").readline()
        return b""


@contextlib.contextmanager
def serving(folder: Path, **phones: tuple[str, str]) -> Iterator[Served]:
    running = Served(folder, phones)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with two phones, for tests that leave it as they like."""
    with serving(tmp_path_factory.mktemp("two"), a1=("yealink", MAC), a2=("snom", OTHER)) as running:
        yield running


MUTED = {"-": None, "0": False, "1": True}


def test_there_is_a_log_of_every_make() -> None:
    makes = {re.search(r"# vendor (\w+)", path.read_text())[1] for path in LOGS}  # type: ignore[index]
    assert makes == set(VENDORS)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_log_gives_the_states_it_must(path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = path.read_text()
    vendor, mac = re.search(r"# vendor (\w+) mac (\w+)", text).groups()  # type: ignore[union-attr]
    steps = [line.split(None, 4) for line in text.splitlines() if not line.startswith("#")]
    assert len(steps) >= 3
    answers = ""
    with serving(tmp_path, a1=(vendor, mac)) as served, caplog.at_level(logging.DEBUG):
        caplog.clear()
        served.phones.due(served.now_s)
        for step in steps:
            at_s, status, state, muted, *request = step
            served.now_s = 1000.0 + float(at_s)
            if request:
                method, _, rest = request[0].partition(" ")
                got, words = served.ask(method, *((rest,) if method == "GET" else ("", rest)))
                answers += words
                assert str(got) == status, f"{path.name}: {' '.join(step)}: {got} {words}"
            served.phones.due(served.now_s)
            assert served.told["a1"][:2] == (state, MUTED[muted]), f"{path.name}: {' '.join(step)}"
            assert (served.told["a1"][2] != "") == (state == "unknown")
    everything = answers + caplog.text + str(served.told) + str(vars(served.phones))
    assert TOKEN not in everything
    assert not [caller for caller in CALLERS if caller in everything]


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_phone_urls_prints_is_understood(vendor: str, tmp_path: Path) -> None:
    with serving(tmp_path, a1=(vendor, MAC)) as served:
        base = f"http://127.0.0.1:{served.port}"
        printed = re.findall(
            rf"{base}/phone/\S+", urls(served.plan, "a1", base).partition("configuration file")[0]
        )
        if vendor == "poly":
            assert printed == [f"{base}/phone/{TOKEN}"]
            body = f"<OffHookEvent><MACAddress>{MAC}</MACAddress></OffHookEvent>".encode()
            with DIRECT.open(urllib.request.Request(printed[0], body, method="POST"), timeout=5) as answer:
                assert answer.status == 200
            assert served.told["a1"][0] == "talking"
            return
        states = set()
        for url in printed:
            served.now_s += 10
            with DIRECT.open(url.replace("$mac", "00:15:65:12:34:AB"), timeout=5) as answer:
                assert answer.status == 200
                xml = b"<AastraIPPhoneExecute>" in answer.read()
                assert xml == (vendor == "mitel") == (answer.headers["content-type"].startswith("text/xml"))
            states.add(served.told.get("a1", ("unknown",))[0])
        assert len(printed) == len(VENDORS[vendor].settings) >= 7
        assert {"idle", "ringing", "talking"} <= states
        assert not any(served.phones.counts.values())


# Who may speak, and how much -----------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["wrong", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "%00", "%C3%B8", "$token", "x" * 3000]
)
def test_a_wrong_token_is_refused_before_anything_is_read(token: str, two: Served) -> None:
    before = two.phones.counts["token"]
    for method, after in (("GET", f"?event=off_hook&mac={MAC}"), ("POST", ""), ("GET", "/event=off_hook")):
        status, words = two.ask(method, after, "x" * 5000, token)
        assert status == 403
        assert token not in words and TOKEN not in words and MAC not in words
    assert two.phones.counts["token"] == before + 3


def test_guessing_is_logged_once_a_minute_and_never_with_the_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    guess = "a-guess-of-sixteen-letters"
    with serving(tmp_path, a1=("yealink", MAC)) as served, caplog.at_level(logging.WARNING):
        for _ in range(300):
            served.ask("GET", f"?event=on_hook&mac={MAC}", token=guess)
        assert len(caplog.records) == 1
        served.now_s += 59
        served.phones.due(served.now_s)
        assert len(caplog.records) == 1
        served.now_s += 1
        served.phones.due(served.now_s)
        assert [record.getMessage() for record in caplog.records] == [
            "IP phones: requests refused: 1 with a wrong token",
            "IP phones: requests refused: 299 with a wrong token",
        ]
        served.now_s += 600
        served.phones.due(served.now_s)
        assert len(caplog.records) == 2
        served.ask("GET", "?event=on_hook&mac=00:11:22:33:44:5f")
        assert caplog.records[-1].getMessage() == (
            "IP phones: requests refused: 1 of a phone that is at no desk of the site file "
            "(the last: 00112233445f)"
        )
    assert served.phones.counts == {"token": 300, "unknown": 1, "rubbish": 0, "long": 0, "flood": 0}


def test_what_is_too_long_is_refused(two: Served) -> None:
    long_before = two.phones.counts["long"]
    fill = "&remote=" + "9" * 4096
    assert two.ask("GET", f"?event=on_hook&mac={MAC}{fill}")[0] == 414
    assert two.ask("GET", f"/event=on_hook&mac={MAC}{fill}")[0] == 414
    assert two.ask("GET", f"?event=on_hook&mac={MAC}&remote={'9' * 450}")[0] == 200
    fits = f"<OnHookEvent><MACAddress>{MAC}</MACAddress>"
    room = poly.BODY_BYTES - len(fits) - len("</OnHookEvent>")
    assert two.ask("POST", "", f"{fits}{' ' * room}</OnHookEvent>")[0] == 200
    assert two.ask("POST", "", f"{fits}{' ' * (room + 1)}</OnHookEvent>")[0] == 413
    head = f"POST /phone/{TOKEN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"1000\r\n" + b" " * 4096 + b"\r\n"
    assert b" 413 " in two.raw(head + chunks * 3 + b"0\r\n\r\n")
    assert two.phones.counts["long"] == long_before + 4


def test_other_methods_and_places_say_nothing(two: Served) -> None:
    for method, path in (("PUT", TOKEN), ("HEAD", TOKEN), ("DELETE", "x"), ("GET", "")):
        status, words = two.ask(method, "", token=path)
        assert status in (404, 405)
        assert TOKEN not in words


def test_a_phone_that_floods_is_unknown_until_it_is_quiet_and_others_go_on(tmp_path: Path) -> None:
    with serving(tmp_path, a1=("yealink", MAC), a2=("snom", OTHER)) as served:
        answers = [
            served.ask("GET", f"?event={('off_hook', 'on_hook')[turn % 2]}&mac={MAC}")[0]
            for turn in range(500)
        ]
        assert set(answers[:30]) == {200} and set(answers[40:]) == {429}
        assert served.told["a1"][0] == "unknown" and "without end" in served.told["a1"][2]
        tellings = served.tellings
        assert tellings <= 40
        assert served.ask("GET", f"?event=off_hook&mac={OTHER}")[0] == 200
        assert served.told["a2"][0] == "talking"
        served.now_s += 9.9
        assert served.ask("GET", f"?event=on_hook&mac={MAC}")[0] == 429
        served.now_s += 10
        assert served.ask("GET", f"?event=on_hook&mac={MAC}")[0] == 200
        assert served.told["a1"] == ("idle", None, "")
        assert served.tellings == tellings + 2


def test_rubbish_without_end_is_little_work_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deep = "<a>" * 2700
    with serving(tmp_path, a1=("poly", MAC), a2=("snom", OTHER)) as served, caplog.at_level(logging.WARNING):
        began = time.monotonic()
        for _ in range(100):
            assert served.ask("POST", "", deep)[0] == 400
            assert served.ask("GET", f"?event={'x' * 3900}&mac={MAC}")[0] == 400
        assert time.monotonic() - began < 5
        assert served.told == {
            "a1": ("unknown", None, "the phone sends what cannot be read: put its action URLs in anew")
        }
        assert served.tellings == 1
        assert len(caplog.records) == 1
        assert served.ask("GET", f"?event=off_hook&mac={OTHER}")[0] == 200
        assert served.told["a2"][0] == "talking"


def test_the_web_servers_own_warnings_are_seldom(caplog: pytest.LogCaptureFixture) -> None:
    now_s = [0.0]
    server = logging.getLogger("a web server")
    seldom = Seldom(lambda: now_s[0])
    server.addFilter(seldom)
    for turn in range(1000):
        server.warning("no HTTP")
        server.warning("no HTTP of %s", turn)
    now_s[0] = 60.0
    server.warning("no HTTP")
    said = [
        record.getMessage() for record in caplog.records if not record.getMessage().startswith("no HTTP of")
    ]
    assert said[-1].startswith("no HTTP (and ") and len(said) <= 12
    assert len(seldom._said) <= 100


def test_a_message_may_begin_with_a_line_break_and_its_address_end_with_a_slash(two: Served) -> None:
    body = f"\ufeff\r\n<?xml version='1.0'?><OnHookEvent><MACAddress>{MAC}</MACAddress></OnHookEvent>\r\n"
    assert two.ask("POST", "/", body) == (200, "ok\n")


def test_a_call_of_a_shared_line_that_another_phone_takes_is_over_here() -> None:
    text = '<CallStateChangeEvent CallReference="4" CallState="{}"><MACAddress>{}</MACAddress></CallStateChangeEvent>'
    for word in ("CallRemoteActive", "RemoteActive"):
        assert poly.read(text.format(word, MAC).encode()) == (MAC, "terminated", "4")


def test_a_number_in_the_place_of_the_mac_is_not_logged(
    two: Served, caplog: pytest.LogCaptureFixture
) -> None:
    two.now_s += 61
    two.phones.due(two.now_s)
    for mac in ("00:11:22:33:44:5f", "004791234567"):
        assert two.ask("GET", f"?event=on_hook&mac={mac}")[0] == 404
        two.now_s += 61
        two.phones.due(two.now_s)
    text = caplog.text + str(vars(two.phones))
    assert "(the last: 00112233445f)" in text and "91234567" not in text


# Any input at all ----------------------------------------------------------------------

QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FIELDS = st.lists(
    st.tuples(st.sampled_from(["event", "mac", "EVENT", "remote", ""]),
              st.sampled_from([MAC, OTHER, "off_hook", "on_hook", "$mac", "%00", "%", "%zz", ""]) | st.text()),
    max_size=6,
)  # fmt: skip


@QUICK
@given(
    query=st.binary(max_size=200) | FIELDS.map(lambda rows: "&".join(f"{a}={b}" for a, b in rows).encode())
)
@example(query=b"\xff\xfe")
@example(query=b"event=off_hook&mac=\x00")
def test_no_address_breaks_it(two: Served, query: bytes) -> None:
    two.now_s += 11
    line = two.raw(
        b"GET /phone/" + TOKEN.encode() + b"?" + query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert b" 500 " not in line
    assert two.told.get("a1", ("unknown",))[0] in ("idle", "ringing", "talking", "held", "unknown")
    assert two.ask("GET", f"?event=alive&mac={OTHER}")[0] == 200


PIECES = st.sampled_from([
    "<OnHookEvent>", "</OnHookEvent>", "<CallStateChangeEvent CallState='Hold' CallReference='1'>", "<MACAddress>",
    "</CallStateChangeEvent>", MAC, "</MACAddress>", "<CallState>", "</CallState>", "&amp;", "&lol;", "]]>",
    "<![CDATA[", '<?xml version="1.0" encoding="utf-16"?>', "<!DOCTYPE x>", "<!--", "-->", "<a:b xmlns:a='b'/>", "\0",
    "ø", "<", '<?xml version="1.0" encoding="zlib_codec"?>', "<PolycomIPPhone>", "</PolycomIPPhone>", "\ufeff",
    "&#0;", "&#65;",
])  # fmt: skip
XML = st.lists(PIECES, max_size=12).map("".join)
CODES = st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-7"])
BODIES = st.binary(max_size=300) | st.tuples(XML, CODES).map(lambda both: both[0].encode(both[1]))


@settings(max_examples=1500, deadline=None)
@given(body=BODIES)
def test_no_message_breaks_the_reader(body: bytes) -> None:
    try:
        mac, event, call = poly.read(body)
    except poly.PolyError as error:
        assert not error.mac or re.fullmatch("[0-9a-f]{12}", error.mac)
        return
    assert mac == MAC and event in ("on_hook", "hold") and call in ("", "1")


@QUICK
@given(body=BODIES)
def test_no_message_breaks_the_address(two: Served, body: bytes) -> None:
    two.now_s += 11
    head = (
        f"POST /phone/{TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    assert two.raw(head.encode() + body).split()[1] in (b"200", b"400", b"404")


def test_entities_are_never_unfolded() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ) + f"]><OnHookEvent><MACAddress>{MAC}</MACAddress><PhoneIP>&i;</PhoneIP></OnHookEvent>"  # fmt: skip
    outside = (
        f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><OnHookEvent><MACAddress>{MAC}</MACAddress></OnHookEvent>'
    )
    for text in (laughs, outside):
        for code in ("utf-8", "utf-16", "utf-16-be", "utf-32"):
            began = time.monotonic()
            with pytest.raises(poly.PolyError):
                poly.read(text.encode(code))
            assert time.monotonic() - began < 0.5


# In the whole house --------------------------------------------------------------------

TELLTALES = ("4791234567", "Thecaller", "c0ffee-of-one-call")
CALLER = "&remote=sip:+4791234567@pbx&display_remote=Some%20Thecaller&call_id=c0ffee-of-one-call"
POLY_CALL = """<CallStateChangeEvent CallReference="5" CallState="{state}"><MACAddress>0004f214b89e</MACAddress>
<CallLineInfo><CallInfo><CallingPartyName>Some Thecaller</CallingPartyName><CallingPartyDirNum>+4791234567
</CallingPartyDirNum></CallInfo></CallLineInfo></CallStateChangeEvent>"""


def with_phones(tables: dict[str, Any]) -> None:
    tables["phones"] = {"secret_file": "phones-token"}
    tables["desk"] += [
        {"id": "p1", "phone": {"by": "url", "vendor": "yealink", "mac": MAC}},
        {"id": "p2", "phone": {"by": "url", "vendor": "poly", "mac": "00:04:F2:14:B8:9E"}},
    ]


def call(house: House, after: str, body: str | None = None, token: str = TOKEN) -> int:
    request = urllib.request.Request(f"{house.web}/phone/{token}{after}", body.encode() if body else None)
    try:
        with DIRECT.open(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def flood_until_refused(house: House) -> None:
    """Says the same over one connection, faster than any phone, until it is told to be quiet."""
    link = http.client.HTTPConnection(house.web.removeprefix("http://"), timeout=5)
    with contextlib.closing(link):
        for turn in range(5000):
            link.request("GET", f"/phone/{TOKEN}?event=on_hook&mac={MAC}{CALLER}")
            answer = link.getresponse()
            answer.read()
            if answer.status == 429:
                assert turn >= 20
                return
            assert answer.status == 200
    raise AssertionError("nobody said that it is too much")


def no_http_at_all(house: House) -> None:
    """What older phones make of a caller's name with a space in it, many times."""
    for _ in range(30):
        host, port = house.web.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as sock:
            sock.sendall(
                f"GET /phone/{TOKEN}?event=incoming&mac={MAC}&name=Some Thecaller HTTP/1.1\r\n\r\n".encode()
            )
            assert b" 400 " in sock.makefile("rb").readline()


def test_phones_tell_a_running_gateway_and_nobody_is_named(tmp_path: Path) -> None:
    (tmp_path / "phones-token").write_text(TOKEN)
    with House(tmp_path, with_phones) as house:
        ear = Ear(house.broker)
        heard: list[bytes] = []
        ear._client.on_message = lambda _client, _user, message: heard.append(bytes(message.payload))
        house.start_gateway()

        def phone(desk: str, state: str) -> None:
            house.wait(f"{desk} {state}", lambda: house.now(f"desk/{desk}").get("phone") == state)

        house.wait("the gateway answers", lambda: house.get("/api/now")[0] == 200, 30)
        phone("p1", "unknown")
        assert "nothing since the gateway started" in house.now("desk/p1")["reason"]
        for event, state in (
            ("incoming", "ringing"),
            ("established", "talking"),
            ("hold", "held"),
            ("on_hook", "idle"),
        ):
            assert call(house, f"?event={event}&mac={MAC}{CALLER}") == 200
            phone("p1", state)
        for said, state in (("Offering", "ringing"), ("Connected", "talking"), ("Disconnected", "idle")):
            assert call(house, "", POLY_CALL.format(state=said)) == 200
            phone("p2", state)
        assert call(house, f"?event=4791234567&mac={MAC}{CALLER}") == 400
        phone("p1", "unknown")
        assert house.now("desk/p1")["status"] == "unknown"
        assert "cannot be read" in house.now("desk/p1")["reason"]
        assert call(house, "", "<Kari>+4791234567") == 400
        assert call(house, f"?event=on_hook&mac=4791234567{CALLER}") == 400
        for number in range(50):
            assert call(house, f"?event=on_hook&mac={MAC}", token=f"guess-number-{number:04}") == 403
        flood_until_refused(house)
        phone("p1", "unknown")
        no_http_at_all(house)
        assert call(house, "", POLY_CALL.format(state="Connected")) == 200
        phone("p2", "talking")
        refused = house.get("/healthz")
        everything = json.dumps(house.get("/api/now")[1]) + json.dumps(refused[1])
        house.stop("gateway")
        ear.close()
        log = (tmp_path / "gateway.log").read_text(errors="replace")
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.suffix in (".db", ".db-wal", ".log")
                         and "mosquitto" not in path.name)  # fmt: skip
        assert log.count("IP phones: requests refused") == 1, log
        assert log.count("Invalid HTTP request") == 1, log
        assert log.count("desk p1: ") == 2 and "desk p2" not in log, (
            log
        )  # unreadable, then without end; no start
        assert len(heard) > 10
        for word in (*TELLTALES, TOKEN, "guess-number"):
            assert word not in everything and word.encode() not in files + b"".join(heard), word
        assert house.plan.history.path and house.plan.history.path.exists()
