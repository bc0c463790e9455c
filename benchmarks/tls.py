"""What TLS costs a chip whose TLS takes its memory from Python's (rp2): pieces as large, at the same moment.

On a computer MicroPython's TLS takes its memory elsewhere. So the board gets an `ssl` that encrypts nothing and takes
what Mbed TLS takes: two buffers for as long as the connection lasts, and small pieces while it is made.
"""

from __future__ import annotations

import json

from simulator import board as simulated
from tests.house import House

BUFFERS = (16384 + 333, 4096 + 333)  # in and out: MBEDTLS_SSL_IN_CONTENT_LEN, _OUT_CONTENT_LEN, and what each adds
HELD = sum(BUFFERS)
SMALL = (48, 256)  # so many pieces of so many bytes: keys, numbers, the other side's certificates
SHAKEN = SMALL[0] * SMALL[1]
TURNS = 6
PEM = "-----BEGIN CERTIFICATE-----\n" + "A" * 800 + "\n-----END CERTIFICATE-----\n"  # one of ours is shorter
SSL = f"""
PROTOCOL_TLS_CLIENT = CERT_REQUIRED = 0
held = []

class SSLContext:
    def __init__(self, kind):
        self.known = []

    def load_verify_locations(self, cadata):
        self.known.append(bytes(cadata))

    def wrap_socket(self, sock, server_hostname, do_handshake_on_connect):
        held.clear()  # as it is when a connection is closed
        held.extend([bytearray(size) for size in {BUFFERS}])
        shaken = [bytearray({SMALL[1]}) for _ in range({SMALL[0]})]
        return sock
"""


def start_board(house: House, board: str, heap: str, port: int) -> None:
    """A board whose board.json asks for TLS, with that `ssl`; its link goes by that port."""
    shim = house.folder / "shim"
    shim.mkdir()
    (shim / "ssl.py").write_text(SSL)
    control = next(row.control for row in house.plan.board if row.id == board)
    told = simulated.write_board_json(house.plan, board, control, house.folder)
    settings = json.loads(told.read_text())
    settings["broker"] |= {"port": port, "tls": {"ca": PEM, "name": house.broker.host}}
    told.write_text(json.dumps(settings))
    path = f"MICROPYPATH={shim}:{simulated.CODE}:.frozen"
    house._start(board, ["env", path, *simulated.command(told, heap)])
