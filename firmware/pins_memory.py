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


class Pin:
    """One pin. Called, it tells whether the contact there is made; `low` None: it measures a voltage."""

    def __init__(self, low, volts: float):
        self.volts = volts
        self.low = low

    def __call__(self) -> bool:
        return (self.volts <= HIGH_V) is self.low

    def millivolts(self) -> int:
        return int(self.volts * 1000 + 0.5)


class Pins:
    """A contact's pin starts high, as a pull-up leaves it; one that measures starts without voltage."""

    def __init__(self, settings: dict):
        """Opens the control port, if there is one. Raises OSError, or ValueError for no HOST:PORT."""
        self.levels = {}  # of each pin that something reads, its Pin
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
        pin = self.levels[name] = Pin(active_low, 3.3)
        return pin

    def millivolts(self, name: str):
        """A function that measures the voltage at a pin, in whole millivolts."""
        pin = self.levels[name] = Pin(None, 0.0)
        return pin.millivolts

    def usb(self, port: str):
        """The source of a UsbHeadset, for a socket with nothing in it."""
        return self

    def read(self) -> list:
        return [("unplugged",)]

    def level(self, name: str) -> int:
        """What a pin shows now: 0 or 1, or millivolts. Raises KeyError for one that nothing reads."""
        pin = self.levels[name]
        return pin.millivolts() if pin.low is None else int(pin.volts > HIGH_V)

    def raw(self) -> dict:
        """`level` of every pin that something reads."""
        return {name: self.level(name) for name in self.levels}

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
        name, _, level = text.strip().partition(" ")
        level = level.strip()
        pin = self.levels.get(name)
        if level == "?":
            return "%s %s" % (name[:16], self.level(name) if pin else "is read by nothing here")
        try:
            volts = float(level[:-1]) if level[-1:] in "Vv" else 3.3 * ("0", "1").index(level)
        except ValueError:
            volts = -1
        if not 0 <= volts <= 3.3:
            return "error: a line is a pin and a level from 0V to 3.3V: GP4 0, GP26 1.65V, GP4 ?"
        if not pin:
            return "ok, but nothing reads %s here; %s" % (name[:16], " ".join(sorted(self.levels)))
        pin.volts = volts
        return "ok"
