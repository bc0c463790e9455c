"""A real mosquitto for tests: started on a free loopback port, stopped at the end.

with mosquitto(tmp_path) as broker:
    ... broker.host, broker.port ...
    broker.kill()      # as a power cut: no clean goodbye to anyone
    broker.start()     # and back, on the same port
"""

import contextlib
import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from simulator import board

HOST = "127.0.0.1"
START_S = 10  # a broker that does not listen by then will not


class Broker:
    """One mosquitto process. `proc` is its process, `log` the file with all that it said."""

    def __init__(self, folder: Path, port: int, config_lines: Iterable[str]) -> None:
        self.host = HOST
        self.port = port
        self.log = folder / f"mosquitto-{port}.log"
        self._config = folder / f"mosquitto-{port}.conf"
        first = (f"listener {port} {HOST}", f"user {getpass.getuser()}", "set_tcp_nodelay true")
        self._config.write_text("\n".join((*first, *config_lines)) + "\n")
        self.proc: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start, and return when it listens. Raises OSError with the end of its log when it does not."""
        with self.log.open("ab") as log:
            self.proc = subprocess.Popen([program(), "-v", "-c", str(self._config)], stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.proc.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
                return
            time.sleep(0.01)
        self.kill()
        raise OSError(f"mosquitto did not start on port {self.port}: {self.log.read_text()[-800:]}")

    def stop(self) -> None:
        """A clean stop: its clients see the connection closed."""
        self.proc.terminate()
        self.proc.wait(START_S)

    def kill(self) -> None:
        """A hard stop (SIGKILL)."""
        self.proc.kill()
        self.proc.wait(START_S)


def program() -> str:
    """The path of mosquitto. Debian puts it where only root's PATH looks."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise FileNotFoundError("mosquitto is not installed: try `sudo apt-get install mosquitto`")
    return found


def free_port() -> int:
    """A loopback port that nobody had a moment ago, and that no client can connect to itself on."""
    return board.free_port(HOST)


@contextlib.contextmanager
def mosquitto(tmp_path: Path, config_lines: Iterable[str] = ("allow_anonymous true",)) -> Iterator[Broker]:
    """A running broker. `config_lines` come after its `listener` line (users, ACLs, certificates)."""
    broker = None
    for attempt in range(5):  # somebody may take the port between our look and mosquitto's
        broker = Broker(tmp_path, free_port(), config_lines)
        try:
            broker.start()
            break
        except OSError:
            if attempt == 4 or "in use" not in broker.log.read_text():
                raise
    assert broker is not None
    try:
        yield broker
    finally:
        broker.kill()
