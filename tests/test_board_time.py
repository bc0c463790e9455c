"""A board without a clock at brokers whose certificates have dates: a chip's clock, as far as a computer can have one.

The real interpreter gets its time from libfaketime, out of a file; the `machine.RTC` of this test writes that file.
So MicroPython's own TLS decides by a date that the board can move, as on a chip whose TLS checks dates (rp2).
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import HOST, Broker, free_port, mosquitto
from tests.certificates import authority, certificate
from tests.conftest import until
from tests.pythons import command, environment
from tests.test_board_tls import told

LIB = next(Path("/usr/lib").rglob("libfaketime.so.1"), None)
POWER_ON = "2021-01-01 00:00:00"  # where rp2's clock begins
HANDSHAKE, SERVER_KEY_EXCHANGE = 22, 12  # RFC 5246, sections 6.2.1 and 7.4
LET_IN = " as example-row-a (p2"  # mosquitto's words
TRIES = 8  # for a certificate of 90 days: years ahead to one that is too late, then by halves
CERTIFICATES = {  # the first and the last day
    "ninety": ("20261101", "20270130"),  # today's, renewed each quarter
    "six": ("20261120", "20261126"),  # the shortest there are
    "later": ("20270110", "20270410"),  # the next one of the same broker
    "before": ("20220301", "20220530"),
    "never": ("20300101", "20300401"),  # its authority ended before
    "strange": ("20261101", "20270130"),  # somebody else's
    "renamed": ("20261101", "20270130"),
    "small": ("20200101", "20491231"),  # one of our small CA
}
MACHINE = '''
import os, time

FILE = os.getenv("FAKETIME_TIMESTAMP_FILE")

class RTC:
    def datetime(self, to=None):
        if to is None:
            now = time.gmtime()
            return now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0
        with open(FILE + ".new", "w") as file:
            file.write("%04d-%02d-%02d %02d:%02d:%02d" % (to[0], to[1], to[2], to[4], to[5], to[6]))
        os.rename(FILE + ".new", FILE)
        print("clock:", to)
'''


class Chip:
    """A board on the real interpreter whose clock can be moved; `log` has what it says."""

    def __init__(self, folder: Path, port: int, ca: Path, clock: str, shim: str) -> None:
        assert LIB, "libfaketime is not installed: try `sudo apt-get install faketime`"
        path = folder / "shim"
        path.mkdir()
        if shim:
            (path / "machine.py").write_text(shim)
        self.clock = folder / "clock"
        self.clock.write_text(clock)
        self.log = folder / "chip.log"
        fake = {
            "LD_PRELOAD": str(LIB), "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC",
        }  # fmt: skip
        board_json = told(folder, port, ca)
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                command("micropython", "-m", "firmware.main", str(board_json), heap="192k"),
                env=environment((path,)) | fake, stdout=out, stderr=out,
            )  # fmt: skip

    def said(self, words: str) -> int:
        return self.log.read_text().count(words)


@contextlib.contextmanager
def chip(folder: Path, port: int, ca: Path, clock: str = POWER_ON, shim: str = MACHINE) -> Iterator[Chip]:
    running = Chip(folder, port, ca, clock, shim)
    try:
        yield running
    except AssertionError as error:
        raise AssertionError(f"{error}\n{running.log.read_text()}") from error
    finally:
        running.process.kill()
        running.process.wait(5)


class Floor:
    """One mosquitto with a listener for each of CERTIFICATES."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in CERTIFICATES}
        authority(folder, "ca", ("20200101000000Z", "20500101000000Z"))
        authority(folder, "other", ("20200101000000Z", "20500101000000Z"))
        authority(folder, "short", ("20200101000000Z", "20250101000000Z"))
        lines = ["allow_anonymous true"]
        for name, days in CERTIFICATES.items():
            by = {"strange": "other", "never": "short"}.get(name, "ca")
            names = "DNS:broker.example" if name == "renamed" else f"IP:{HOST}"
            certificate(folder, name, by, names, dates=(f"{days[0]}000000Z", f"{days[1]}000000Z"))
            lines += [f"listener {self.ports[name]} {HOST}"]
            lines += [f"certfile {folder}/{name}.pem", f"keyfile {folder}/{name}.key"]
        self.lines = lines
        self.broker: Broker

    def let_in(self) -> int:
        """How often a board was, so far."""
        return self.broker.log.read_text().count(LET_IN)


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    floor = Floor(tmp_path_factory.mktemp("floor"))
    with mosquitto(floor.folder, floor.lines) as floor.broker:
        yield floor


@pytest.mark.parametrize(("name", "clock", "tries"), [
    ("small", POWER_ON, 0),  # in at once, before any clock begins
    ("ninety", POWER_ON, TRIES),
    ("six", POWER_ON, TRIES + 4),
    ("before", POWER_ON, TRIES),
    ("ninety", "2035-05-05 00:00:00", TRIES),  # a clock that runs ahead
    ("later", "2026-12-01 00:00:00", TRIES),  # the broker's certificate was renewed while the board was in
])  # fmt: skip
def test_a_chip_finds_a_date_that_fits(name: str, clock: str, tries: int, floor: Floor, tmp_path: Path) -> None:
    before, started = floor.let_in(), time.monotonic()
    with chip(tmp_path, floor.ports[name], floor.folder / "ca.pem", clock) as board:
        until(lambda: floor.let_in() > before, "it is let in", 15)
        moved = board.said("clock: (")
        print(f"{name} from {clock}: {moved} tries, {time.monotonic() - started:.1f} s")
        assert moved <= tries
        day = board.clock.read_text()[:10].replace("-", "")
        first, last = CERTIFICATES[name]
        assert first <= day <= last, "MicroPython's TLS itself looked at the date"


def test_a_date_is_looked_for_anew_when_the_certificate_is(floor: Floor, tmp_path: Path) -> None:
    """What it knows of the date ends with the certificate that it was let in with."""
    conf = ["allow_anonymous true", f"certfile {tmp_path}/now.pem", f"keyfile {tmp_path}/now.key"]

    def use(name: str) -> None:
        for kind in ("pem", "key"):
            (tmp_path / f"now.{kind}").write_bytes((floor.folder / f"{name}.{kind}").read_bytes())

    use("before")
    with mosquitto(tmp_path, conf) as broker, chip(tmp_path, broker.port, floor.folder / "ca.pem") as board:
        until(lambda: LET_IN in broker.log.read_text(), "it is let in", 15)
        broker.stop()
        moved = board.said("clock: (")
        use("ninety")
        broker.start()
        until(lambda: broker.log.read_text().count(LET_IN) > 1, "it is let in again", 25)
        assert 0 < board.said("clock: (") - moved <= TRIES


@pytest.mark.parametrize(("name", "words"), [
    ("strange", "somebody else signed it"),
    ("renamed", "it is not for '127.0.0.1'"),
])  # fmt: skip
def test_no_date_is_looked_for_where_the_broker_is_a_wrong_one(
    name: str, words: str, floor: Floor, tmp_path: Path
) -> None:
    """All that has moved a clock is a certificate of the authority, and for the name."""
    before = floor.let_in()
    with chip(tmp_path, floor.ports[name], floor.folder / "ca.pem") as board:
        until(lambda: board.said(words) >= 2, words)
        assert board.said("clock: (") == 0 and board.clock.read_text() == POWER_ON
        assert floor.let_in() == before


class Guest:
    """Somebody between a board and its broker who has no key: all that the broker sends is passed on, but for what it
    signs. `came`: when each connection did; `server`: the broker's port, or None: he hangs up; `lies`: he forges."""

    def __init__(self, server: int) -> None:
        self.server: int | None = server
        self.lies = True
        self.came: list[float] = []
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                board = self._listener.accept()[0]
                self.came.append(time.monotonic())
                if self.server is None:
                    board.close()
                    continue
                broker = socket.create_connection((HOST, self.server))
                threading.Thread(target=self._up, args=(board, broker), daemon=True).start()
                threading.Thread(target=self._down, args=(board, broker), daemon=True).start()

    def _up(self, board: socket.socket, broker: socket.socket) -> None:
        with board, broker, contextlib.suppress(OSError):
            while data := board.recv(4096):
                broker.sendall(data)
            broker.shutdown(socket.SHUT_RDWR)

    def _down(self, board: socket.socket, broker: socket.socket) -> None:
        with broker.makefile("rb") as records, contextlib.suppress(OSError):
            while head := records.read(5):
                body = bytearray(records.read(int.from_bytes(head[3:], "big")))
                if self.lies and head[0] == HANDSHAKE and body[0] == SERVER_KEY_EXCHANGE:
                    body[-1] ^= 1  # the end of the signature
                board.sendall(head + body)
            board.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.mark.parametrize("then", ["he forges", "he hangs up"])
def test_a_guest_with_an_old_certificate_gains_a_moved_clock_and_no_more(
    then: str, floor: Floor, tmp_path: Path
) -> None:
    """TLS looks at the certificate before the signature. A try that moves no date is followed by a pause."""
    before = floor.let_in()
    with (
        contextlib.closing(Guest(floor.ports["before"])) as guest,
        chip(tmp_path, guest.port, floor.folder / "ca.pem") as board,
    ):
        if then == "he hangs up":
            until(lambda: board.said("clock: ("), "the clock is moved")
            guest.server = None
        # Those that moved the clock; of the others the second comes 0.25 s later or more, the third 0.5 s.
        until(lambda: len(guest.came) >= board.said("clock: (") + 3, "it tries again")
        came = list(guest.came)
        assert came[-1] - came[-3] >= 0.75, "with pauses"
        assert floor.let_in() == before
        moved = board.said("clock: (")
        assert moved <= TRIES
        if then == "he forges":
            guest.server, guest.lies = floor.ports["ninety"], False
            until(lambda: floor.let_in() > before, "the right broker lets it in", 15)
            assert board.said("clock: (") - moved <= TRIES


def test_a_clock_that_cannot_be_moved_is_given_up(floor: Floor, tmp_path: Path) -> None:
    still = MACHINE.replace('os.rename(FILE + ".new", FILE)', "pass")
    with chip(tmp_path, floor.ports["ninety"], floor.folder / "ca.pem", shim=still) as board:
        until(lambda: board.said("no date fits"), "no date fits")
        assert board.said("clock: (") < 30


def test_where_no_date_fits_it_says_so(floor: Floor, tmp_path: Path) -> None:
    """The certificate begins after its authority ended."""
    before = floor.let_in()
    with chip(tmp_path, floor.ports["never"], floor.folder / "short.pem") as board:
        until(lambda: board.said("no date fits"), "no date fits", 20)
        assert floor.let_in() == before


def test_a_computer_never_moves_its_clock(floor: Floor, tmp_path: Path) -> None:
    """It has one, and says what is wrong; CPython does the same: tests/test_board_tls.py."""
    with chip(tmp_path, floor.ports["ninety"], floor.folder / "ca.pem", shim="") as board:
        until(lambda: board.said("it begins later than today: is this computer's clock right?") >= 2, "words")
        assert board.clock.read_text() == POWER_ON
