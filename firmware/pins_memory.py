"""Pins that are not there: set over a socket, read like any others. For a board without a desk.

A line sets a pin, `GP4 0` or `GP26 1.65V`; `GP4 ?` asks for it. Each line is answered:
`ok`, the level asked for, or `error: …`. A pin that nothing reads is `ok, but …`.
"""

import asyncio
import socket
from errno import EAGAIN

from firmware.clock import sleep_ms

LOOK_MS = 3
TALKS_MOST = 8
HIGH_V = 1.65  # above half the supply a digital pin reads 1
LINE_BYTES = 80


class Pins:
    """Every pin starts high, as a pull-up leaves it."""

    def __init__(self, settings: dict):
        """Opens the control port, if there is one. Raises OSError, or ValueError for no HOST:PORT."""
        self._volts = {}  # of the pins that something reads
        self._listener = None
        control = settings.get("control")
        if control:
            host, _, port = control.rpartition(":")
            if int(port) > 65535:  # either Python would take another port
                raise ValueError("no such port")
            listener = self._listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(socket.getaddrinfo(host, int(port))[0][-1])
            listener.listen(4)
            listener.setblocking(False)

    def contact(self, name: str, active_low: bool):
        """A function that tells whether the contact at a pin is made."""
        self._volts.setdefault(name, 3.3)
        volts = self._volts
        if active_low:
            return lambda: volts[name] <= HIGH_V
        return lambda: volts[name] > HIGH_V

    def raw(self) -> dict:
        """Levels by pin, 0 or 1; whole millivolts where a voltage was set."""
        return {
            name: int(volts > HIGH_V) if volts in (0, 3.3) else int(volts * 1000)
            for name, volts in self._volts.items()
        }

    def led(self, on: bool) -> None:
        """The board's own lamp; there is none here."""

    async def run(self) -> None:
        """Goes on serving the control port, if there is one."""
        if self._listener:
            self._serving = asyncio.create_task(self._serve(self._listener))

    async def _serve(self, listener):
        """Looks every few milliseconds: asyncio's own streams would take 2 KB of a board's memory."""
        talks = []  # [socket, what has come of a line so far]
        while True:
            await sleep_ms(LOOK_MS)
            try:
                if len(talks) < TALKS_MOST:
                    talks.append([listener.accept()[0], b""])
                    talks[-1][0].setblocking(False)
            except OSError:
                pass  # nobody new
            talks = [talk for talk in talks if self._hear(talk)]

    def _hear(self, talk):
        """Answers the lines that have come; False when this one has gone."""
        sock, rest = talk
        try:
            more = sock.recv(256)
        except OSError as error:
            return error.errno == EAGAIN
        if more:
            lines = (rest + more).split(b"\n")
            talk[1] = lines.pop()[:LINE_BYTES]
            try:
                for line in lines:
                    sock.send((self.line(str(line, "utf-8")) + "\n").encode())
                return True
            except (OSError, ValueError):  # it does not listen, or does not speak text
                pass
        sock.close()
        return False

    def line(self, text: str) -> str:
        """Carries out one line and answers it."""
        words = text.split()
        if len(words) != 2:
            return "error: a line is a pin and a level: GP4 0, GP26 1.65V, GP4 ?"
        name, level = words
        if level == "?":
            return "%s %s" % (name[:16], self.raw().get(name, "is read by nothing here"))
        volts = {"0": 0.0, "1": 3.3}.get(level)
        if volts is None:
            try:
                volts = float(level[:-1]) if level[-1] in "Vv" else None
            except ValueError:
                pass
        if volts is None or not 0 <= volts <= 3.3:
            return "error: a level is 0, 1 or a voltage from 0V to 3.3V, not %s" % level[:16]
        if name not in self._volts:
            return "ok, but nothing reads %s here; %s" % (name[:16], " ".join(sorted(self._volts)))
        self._volts[name] = volts
        return "ok"
