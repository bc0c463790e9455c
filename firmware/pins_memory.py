"""Pins that are not there: set over a socket, read like any others. For a board without a desk.

A line sets a pin, `GP4 0` or `GP26 1.65V`; `GP4 ?` asks for it. Each line is answered:
`ok`, the level asked for, or `error: …`. A pin that nothing reads is `ok, but …`.
"""

import asyncio

HIGH_V = 1.65  # above half the supply a digital pin reads 1
LINE_BYTES = 80


class Pins:
    """Every pin starts high, as a pull-up leaves it."""

    def __init__(self, settings: dict):
        self._settings = settings
        self._volts = {}  # of the pins that something reads

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
        """Serves the control port, if there is one, until cancelled."""
        control = self._settings.get("control")
        if control:
            host, port = control.rsplit(":", 1)
            self._server = await asyncio.start_server(self._talk, host, int(port))

    async def _talk(self, reader, writer):
        rest = b""
        try:
            while True:
                more = await reader.read(256)
                if not more:
                    break
                rest += more
                lines = rest.split(b"\n")
                rest = lines.pop()[:LINE_BYTES]
                answers = [self.line(line.decode()) for line in lines if line.strip()]
                writer.write(("\n".join(answers) + "\n").encode() if answers else b"")
                await writer.drain()
        except (OSError, ValueError):  # gone, or not text
            pass
        writer.close()

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
