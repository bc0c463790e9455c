"""One MicroPython board at one serial port: opened politely, asked, run on, and given back as it was found.

It stands on mpremote's SerialTransport for the raw prompt and raw paste; every wait below ends, counted from the last
sign of life. A port is a path, or an address that pyserial knows: socket://HOST:PORT, rfc2217://HOST:PORT.
"""

from __future__ import annotations

import ast
import binascii
import contextlib
import errno
import importlib
import math
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

from boards.bench import BenchError
from boards.readable import plain

LISTEN_S = 0.1  # before we say a word
PROMPT_S = 0.3  # a prompt answers Ctrl-B sooner; a program does not answer it at all
AGAIN_S = 1.0  # so often Ctrl-C is said to what stays silent
OPEN_S = 1.5  # a new port may still be its owner's, root's, for a moment
MOST = 1 << 20  # bytes that we listen to, in answer to one question
WORDS = 60  # letters that we repeat of what a stranger said
BAUD = 115200
OLDEST = (1, 14)  # the first with raw paste
SILICON_LABS = 0x10C4

RAW = b"raw REPL; CTRL-B to exit\r\n>"
PROMPT = b">>> "
CTRL_A, CTRL_B, CTRL_C, CTRL_D, ENTER = b"\x01", b"\x02", b"\x03", b"\x04", b"\r"

# Who else answers at serial ports, by what they say at any time.
STRANGERS = (
    (rb"Adafruit CircuitPython", "CircuitPython, which is not MicroPython,"),
    (rb"(?m)^echo:|^Marlin ", "a 3D printer"),
    (rb"(?m)^Grbl ", "a milling machine"),
    (rb"(?m)(login|[Pp]assword): ?$", "a computer's console"),
    (rb"(?m)^\$G[A-Z]{4},", "a satellite receiver"),
)
# The same, by what they answer to Enter after they were silent: a program of somebody's may say as much by itself.
ANSWERS = (
    (rb"(?m)^(ok( [A-Z]:?-?[\d.].*)?|Unknown command.*)\r?$", "a 3D printer"),  # ok T:20 /0
    (rb"(?m)^(OK|ERROR)\r?$", "a modem"),
    (rb"[$#] $", "a computer's shell"),
)
# How a board is come by whose program lets nobody in: an image alone leaves its main.py there.
WAY_OUT = (
    "If it stays so, or is blank: a Pico takes flash_nuke.uf2, then an image, with BOOTSEL held as it is plugged in; "
    "an ESP32 `callfloor board flash --image FILE`"
)
# What a chip's own loader says where there is no image yet.
BLANK = rb"invalid header: 0xffffffff|waiting for download|flash read err"


class NoSuchPort(BenchError):
    """There is no such port."""


class Busy(BenchError):
    """Another program has the port."""


class NoRights(BenchError):
    """We may not open the port."""


class Gone(BenchError):
    """The port vanished while we had it: somebody pulled the cable, or the board began again."""


class Silent(BenchError):
    """Nothing answers there, or no longer."""


class Unasked(Silent):
    """What is there does not answer to Enter, and was not to be stopped."""


class Foreign(BenchError):
    """Something else than MicroPython answers there."""


class Blank(BenchError):
    """A chip without an image answers there."""


class TooOld(BenchError):
    """A MicroPython that lacks what a board of ours needs."""


class About(NamedTuple):
    """What a board says of itself."""

    version: tuple[int, ...]  # of MicroPython
    machine: str  # sys.implementation._machine, "" where an old one does not say
    platform: str  # sys.platform
    mpy: int  # version of bytecode that it loads, 6; 0: none
    chip: str  # machine.unique_id() in hex, "" where there is none of its own
    free: int  # bytes free in its flash memory, -1: unknown


ASK = """
import sys
def g(f):
 try: return f()
 except Exception: return None
def v(): import os; s = os.statvfs("."); return s[0] * s[3] if s[3] <= s[2] else 0
def c(): import machine, binascii; return binascii.hexlify(machine.unique_id()).decode()
def m(s):
 try: exec(s); return True
 except Exception: return False
i = sys.implementation
print(repr((i[0], tuple(i[1]), g(lambda: i._machine), sys.platform, g(lambda: i._mpy), g(c), g(v),
 [s for s in ("from hashlib import sha256", "from os import ilistdir, mkdir, rename", "from binascii import b2a_base64",
 "sys.stdin.buffer") if not m(s)])))
"""

SUMS = """
import os, hashlib, binascii, gc
b = memoryview(bytearray(1024))
def s(n):
 h = hashlib.sha256()
 z = 0
 with open(n, "rb") as f:
  while 1:
   k = f.readinto(b)
   if not k: break
   h.update(b[:k])
   z += k
 print(binascii.hexlify(h.digest()).decode(), z, repr(n))
def w(p):
 try: a = list(os.ilistdir(p or "."))
 except OSError: return
 for e in a:
  n = p + "/" + e[0] if p else e[0]
  if e[1] & 0x4000: w(n)
  else: s(n)
def t(n):
 try: d = os.stat(n)[0] & 0x4000
 except OSError: return
 if d: w(n)
 else: s(n)
gc.collect()
try:
 for n in %r: t(n) if n else w(n)
except OSError as e: print("!", e.errno)
"""

READ = """
import binascii
try:
 with open(%r, "rb") as f:
  while 1:
   b = f.read(384)
   if not b: break
   print(binascii.b2a_base64(b).decode().strip())
except OSError as e: print("-" if e.errno == 2 else "! %%d" %% e.errno)
"""

_NO_FILES = (
    "its flash memory has no file system, or a broken one. Unplug it and plug it in: a Pico without one makes itself "
    "a new one. If it stays so, erase it all, then `callfloor board flash`: a Pico with Raspberry Pi's flash_nuke.uf2, "
    "copied onto its BOOTSEL drive; an ESP32 with `esptool --port PORT erase-flash`"
)
# What an OSError of its files means, by its number.
NUMBERS = {
    5: _NO_FILES,  # EIO
    19: _NO_FILES,  # ENODEV
    20: "a part of its path is a file there; move that away: `mpremote fs ls` shows it, `mpremote fs rm` removes it",
    21: "it is a folder there; move it away: `mpremote fs rm -r :{path}`",
    30: "it is read-only there: does boot.py mount something over it?",
}


class Board:
    """A board, stopped and ready to be asked; a context manager that gives it back as it was found.

    One that ran a program runs it again from its start afterwards (a soft reset), one that waited at its prompt does
    so again.
    """

    def __init__(self, port: str, patience_s: float = 10.0, stop: bool = True) -> None:
        """Opens the port and stops what runs. `patience_s`: the longest silence. Raises BenchError.

        stop: with Ctrl-C, where nothing answers otherwise; without it Unasked is raised there.
        """
        self.port = port
        self.ran = False  # a program ran when we came
        self._wire = Wire(port, patience_s)
        self._patience_s = patience_s
        self._line = _Line(self._wire)
        self._known: tuple[About, list[str]] | None = None
        self._ours = False  # at its raw prompt, or running what we told it to
        try:
            self._stop(stop)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the board back, and the port. Safe to call again, and where the board is gone."""
        with contextlib.suppress(BenchError, OSError):
            self._leave()
        self._wire.close()

    def about(self) -> About:
        """What it says of itself; asked once. Raises BenchError."""
        return self._ask()[0]

    def run(self, code: str, timeout_s: float = 10.0) -> str:
        """Runs Python on it and gives what it printed. `timeout_s`: its longest silence.

        Raises BenchError: with the last line of its traceback where it raised, or where it prints without end.
        """
        try:
            out, error = self._line.exec_raw(code, timeout=timeout_s)
        except TransportError as told:
            raise BenchError(f"{self.port}: the board did not take a command: {plain(str(told))}") from told
        except Silent:
            self._hush()
            raise
        except _Flood:
            self._hush()
            raise BenchError(f"{self.port}: the board prints without end; unplug it, plug it in, try again") from None
        if error:
            raise BenchError(f"{self.port}: on the board: {_last_line(error)}")
        return bytes(out).replace(b"\r\n", b"\n").decode("utf-8", "replace")

    def read(self, path: str) -> bytes | None:
        """A file of its; None where there is none. Raises BenchError."""
        self.usable()
        told = self._filed(self.run(READ % path, 30), path)
        if told.strip() == "-":
            return None
        try:
            return b"".join(binascii.a2b_base64(line) for line in told.split())
        except binascii.Error as error:
            raise BenchError(f"{self.port}: {path} came damaged over the line; try another cable") from error

    def sums(self, inside: Sequence[str] = ("",)) -> dict[str, str]:
        """The SHA-256 of its files in hex, by their paths: of all, or of these files and in these folders.

        One round trip. Raises BenchError.
        """
        return {path: total for path, (total, _) in self.listing(inside).items()}

    def listing(self, inside: Sequence[str] = ("",)) -> dict[str, tuple[str, int]]:
        """The same, with the files' sizes in bytes: path → (SHA-256, size)."""
        self.usable()
        found = {}
        for line in self._filed(self.run(SUMS % (tuple(inside),), 60), "its files").splitlines():
            try:
                total, size, name = line.split(" ", 2)
                found[str(ast.literal_eval(name))] = total, int(size)
            except (ValueError, SyntaxError) as error:
                raise BenchError(f"{self.port}: its list of files came damaged over the line: {plain(line)}") from error
        return found

    def _filed(self, told: str, what: str) -> str:
        """The same; raises BenchError where its last line is `! ERRNO`."""
        found = re.search(r"^! (\d+)\s*\Z", told, re.MULTILINE)
        if found:
            raise self.trouble(what, "read", int(found[1]))
        return told

    def trouble(self, path: str, do: str, number: int) -> BenchError:
        """What it means that its files raise an OSError of that number."""
        why = NUMBERS.get(number, "").format(path=path)
        return BenchError(f"{self.port}: the board cannot {do} {path} (OSError {number})" + (why and f": {why}"))

    def usable(self) -> None:
        """Raises TooOld where its MicroPython cannot do what putting files onto it needs."""
        about, missing = self._ask()
        if missing:
            version = ".".join(map(str, about.version))
            raise self._too_old(version, about.machine or about.platform, ", ".join(missing))

    def fresh(self) -> None:
        """Begins again without running main.py: its memory is free. Raises BenchError."""
        self._wire.write(CTRL_D)
        self._reaches(b"soft reboot\r\n")
        self._reaches(RAW[:-1])

    def bootloader(self) -> None:
        """Sends an RP2 into its boot drive: the port vanishes. Raises BenchError where it does not."""
        try:
            self._line.exec_raw_no_follow("import machine\nmachine.bootloader()")
            said = self._wire.until(b"\x04>", self._patience_s)
            self._wire.unread(b">")
        except Gone:
            self._ours = self.ran = False
            return
        except TransportError as told:
            raise BenchError(f"{self.port}: the board did not take a command: {plain(str(told))}") from told
        raise BenchError(
            f"{self.port}: this board does not go into its boot drive by itself ({_last_line(said)}); "
            "hold its BOOTSEL button while plugging it in"
        )

    def restart(self) -> None:
        """Begins again: main.py runs, and the port may be listened to with `lines`. Raises BenchError."""
        self._wire.write(ENTER + CTRL_B)
        self._reaches(PROMPT)
        self._wire.write(CTRL_D)
        self._reaches(b"soft reboot\r\n")
        self._ours = self.ran = False

    def lines(self, seconds: float) -> Iterator[str]:
        """What it prints from now on, line by line, for so long. Raises Gone."""
        end, rest = time.monotonic() + seconds, b""
        while (left := end - time.monotonic()) > 0:
            rest += self._wire.some(left)
            *whole, rest = rest.split(b"\n")
            for line in whole:
                yield plain(line.strip(b"\r").decode("utf-8", "replace"))[:1000]
            rest = rest[-1000:]
        if rest:
            yield plain(rest.decode("utf-8", "replace"))

    def heard(self, seconds: float) -> bytes:
        """What it prints first within so long, as it came; nothing otherwise. Raises Gone."""
        return self._wire.some(seconds)

    def say(self, data: bytes) -> None:
        """Bytes for the program that runs on it; for files.py. Raises BenchError."""
        self._wire.write(data)

    def answer(self, timeout_s: float) -> str:
        """The next line that the program on it prints; for files.py. Raises BenchError where it ended instead."""
        line = self._wire.until_any((b"\n", b"\x04"), timeout_s)
        if line.endswith(b"\x04"):
            raise BenchError(f"{self.port}: on the board: {_last_line(self._wire.until(CTRL_D, timeout_s))}")
        return line.strip().decode("utf-8", "replace")

    def begin(self, code: str) -> None:
        """Starts a program on it that is talked to with `say` and `answer`, until `end`. Raises BenchError."""
        try:
            self._line.exec_raw_no_follow(code)
        except TransportError as told:
            raise BenchError(f"{self.port}: the board did not take a command: {plain(str(told))}") from told

    def end(self, timeout_s: float = 10.0) -> None:
        """Waits until that program has ended. Raises BenchError with its traceback's last line."""
        self._wire.until(CTRL_D, timeout_s)
        error = self._wire.until(CTRL_D, timeout_s)[:-1]
        if error:
            raise BenchError(f"{self.port}: on the board: {_last_line(error)}")

    # How it is stopped, and let go.

    def _stop(self, with_ctrl_c: bool) -> None:
        """From whatever it does to its raw prompt.

        As little as possible is said, since it may be anything: first we listen; then Ctrl-B and Enter, which every
        MicroPython answers at its prompt and a printer, a modem or a shell with an error at most; only then Ctrl-C;
        and Ctrl-A to nobody but MicroPython.
        """
        wire = self._wire
        said = wire.listen(LISTEN_S)
        self._refuse_strangers(said, STRANGERS)
        wire.write(CTRL_B + ENTER)
        answer = wire.listen(PROMPT_S, PROMPT)
        self._refuse_strangers(answer, STRANGERS if said else STRANGERS + ANSWERS)
        if not (PROMPT in answer and b"MicroPython" in answer):
            if not with_ctrl_c:
                raise Unasked(
                    f"{self.port}: nothing answers to Enter; it was not stopped with Ctrl-C, for it may be no board: "
                    "--port names one that is"
                )
            heard = self._interrupt(said + answer)
            self.ran = b"KeyboardInterrupt" in heard  # of an old one: no program of ours, which takes it silently
            wire.write(CTRL_B)
            self._refuse_old(wire.listen(self._patience_s, b"information.\r\n>>> "))
            self.ran = True
        else:
            self._refuse_old(answer)
        wire.write(ENTER + CTRL_A)
        self._reaches(RAW[:-1])
        self._ours = True

    def _reaches(self, ending: bytes) -> None:
        """Waits until the board says this. Raises Silent; Foreign where it says something else without end."""
        self._wire.until(ending, self._patience_s, 3 * self._patience_s)

    def _interrupt(self, said: bytes) -> bytes:
        """Ctrl-C, until Python answers it; gives what was said. Raises Silent or Foreign."""
        wire, heard, alive = self._wire, b"", time.monotonic()
        end = alive + 3 * self._patience_s
        while time.monotonic() < min(end, alive + self._patience_s) and len(heard) < MOST:
            wire.write(CTRL_C)
            part = wire.listen(AGAIN_S, PROMPT, b"\x04>")
            if part:
                alive = time.monotonic()
            heard += part
            self._refuse_strangers(part, STRANGERS)
            if PROMPT in heard or b"\x04>" in heard:
                return heard
        if not _shortly(heard or said):
            raise Silent(
                f"{self.port}: nothing answers there. Is it the right port? A board: unplug it, plug it in and try "
                f"again. {WAY_OUT}"
            )
        raise _Flood(self.port, heard or said)

    def _refuse_old(self, banner: bytes) -> None:
        """Before the raw prompt: an old one has no flow control there, and a small one loses what is sent to it."""
        found = re.search(rb"MicroPython v?(\d+)\.(\d+)(\.\d+)?[^;]*; ([^\r\n]*)", banner)
        if found and (int(found[1]), int(found[2])) < OLDEST:
            raise self._too_old((found[1] + b"." + found[2] + (found[3] or b"")).decode(), _shortly(found[4]))

    def _too_old(self, version: str, where: str, lacks: str = "raw paste") -> TooOld:
        return TooOld(
            f"{self.port}: MicroPython {version} for {where} answers there, too old or too small for a board of ours "
            f"(it lacks {lacks}); nothing was changed on it. An RP2 or ESP32 gets a new one: `callfloor board flash`"
        )

    def _refuse_strangers(self, said: bytes, strangers: Sequence[tuple[bytes, str]]) -> None:
        if b"MicroPython" in said:
            return
        if re.search(BLANK, said):
            raise Blank(f"{self.port}: a chip without an image answers there: `callfloor board flash` gives it one")
        for pattern, who in strangers:
            if re.search(pattern, said):
                raise Foreign(
                    f"{self.port}: {who} answers there, no board of ours; it was left as it is. "
                    f"It said '{_shortly(said)}'. Name the board's own port"
                )

    def _ask(self) -> tuple[About, list[str]]:
        if self._known is None:
            told = self.run(ASK, self._patience_s).strip()
            try:
                name, version, machine, platform, mpy, chip, free, missing = ast.literal_eval(told.splitlines()[-1])
            except (ValueError, SyntaxError, IndexError, TypeError) as error:
                raise Foreign(
                    f"{self.port}: it says it is MicroPython, but not which: '{_shortly(told.encode())}'"
                ) from error
            if name != "micropython":
                raise Foreign(f"{self.port}: {plain(str(name))} answers there, not MicroPython; it was left as it is")
            numbers = tuple(part for part in version if type(part) is int)
            bytecode, left = (mpy or 0) & 0xFF, -1 if free is None else free
            chip = chip if set(chip or "0") not in ({"0"}, {"f"}) else ""  # as every chip of some makers says
            about = About(numbers, plain(machine or ""), plain(platform), bytecode, chip, left)
            self._known = about, list(missing)
        return self._known

    def _hush(self) -> None:
        """Stops what we started and that prints or waits without end."""
        with contextlib.suppress(BenchError):
            self._wire.write(CTRL_C)
            self._wire.drop_until(b"\x04>", self._patience_s)
            self._wire.unread(b">")

    def _leave(self) -> None:
        wire = self._wire
        if self._ours:
            self._ours = False
            wire.write(CTRL_C + ENTER + CTRL_B)
            wire.listen(1.0, PROMPT)
        elif not self.ran:
            return
        if self.ran:
            self.ran = False
            wire.write(CTRL_D)
            wire.listen(1.0, b"soft reboot\r\n")


class _Flood(Foreign):
    """More was said, or for longer, than we listen to."""

    def __init__(self, port: str, said: bytes) -> None:
        super().__init__(
            f"{port}: what talks there is no MicroPython, or a program that does not stop for Ctrl-C; it says "
            f"'{_shortly(said[-2000:])}'. A board: unplug it, plug it in and try again at once. {WAY_OUT}. "
            "Another device: name the board's own port"
        )


class Wire:
    """The open port, and what came of it and was not read yet. mpremote sees it as its serial port."""

    def __init__(self, port: str, patience_s: float) -> None:
        self.port = port
        self._patience_s = patience_s
        self._serial = _opened(port)
        self._held = bytearray()
        with contextlib.suppress(NotImplementedError):  # rfc2217:// knows no such limit
            try:
                self._serial.write_timeout = patience_s
            except NotImplementedError:
                self._serial.write_timeout = None
                raise

    def write(self, data: bytes) -> None:
        """Raises Silent where nobody takes it in time, Gone."""
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise Silent(f"{self.port}: the board takes nothing any more; unplug it, plug it in, try again") from error
        except OSError as error:
            raise self._gone(error) from error

    def some(self, wait_s: float) -> bytes:
        """What is there, or comes first within that time; nothing otherwise. Raises Gone."""
        if self._held:
            held, self._held = bytes(self._held), bytearray()
            return held
        end = time.monotonic() + wait_s
        while True:
            try:
                first = self._serial.read(1)  # 0.1 s at most
                if first:
                    more = min(self._serial.in_waiting, 65536)
                    return bytes(first + self._serial.read(more)) if more else bytes(first)
            except (OSError, TypeError) as error:  # TypeError: pyserial's, where it was closed meanwhile
                raise self._gone(error) from error
            if time.monotonic() >= end:
                return b""

    def listen(self, wait_s: float, *endings: bytes) -> bytes:
        """What is said in so long, or until one of these was said."""
        end, said = time.monotonic() + wait_s, b""
        while (left := end - time.monotonic()) > 0 and len(said) < MOST:
            said += self.some(left)
            if any(ending in said for ending in endings):
                break
        return said

    def until(self, ending: bytes, silence_s: float, whole_s: float = math.inf) -> bytes:
        """All up to this, and with it. Raises Silent after so long without a byte, _Flood, Gone."""
        return self.until_any((ending,), silence_s, whole_s)

    def until_any(self, endings: Sequence[bytes], silence_s: float, whole_s: float = math.inf) -> bytes:
        """The same, where there are several; the one that comes first counts."""
        said, seen, end = bytearray(), 0, time.monotonic() + whole_s
        while True:
            part = self.some(silence_s)
            if not part:
                what = f"; the last it said: '{_shortly(bytes(said))}'" if said else ""
                raise Silent(
                    f"{self.port}: the board has said nothing for {silence_s:.0f} s{what}. "
                    "Unplug it, plug it in and try again"
                )
            said += part
            places = [place + len(ending) for ending in endings if (place := said.find(ending, max(0, seen))) >= 0]
            if places:
                self._held[:0] = said[min(places) :]
                return bytes(said[: min(places)])
            seen = len(said) - max(map(len, endings))
            if len(said) > MOST or time.monotonic() > end:
                raise _Flood(self.port, bytes(said))

    def drop_until(self, ending: bytes, wait_s: float) -> None:
        """Reads on until this comes, however much there is before it, no longer than so. Raises Gone."""
        end, tail = time.monotonic() + wait_s, b""
        while time.monotonic() < end:
            tail = tail[-len(ending) :] + self.some(0.2)
            if (place := tail.find(ending)) >= 0:
                self._held[:0] = tail[place + len(ending) :]
                return

    def unread(self, data: bytes) -> None:
        """Puts it back in front."""
        self._held[:0] = data

    def read(self, count: int = 1) -> bytes:
        """Just so many bytes. Raises Silent, Gone."""
        while len(self._held) < count:
            held, self._held = self._held, bytearray()
            part = self.some(self._patience_s)
            self._held = held + part
            if not part:
                raise Silent(
                    f"{self.port}: the board stopped in the middle of its answer. Unplug it, plug it in and try again"
                )
        data = bytes(self._held[:count])
        del self._held[:count]
        return data

    def inWaiting(self) -> int:
        """So many bytes at least can be read at once; the name is mpremote's."""
        try:
            return len(self._held) + int(self._serial.in_waiting)
        except (OSError, TypeError) as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """As mpremote does it: RTS before DTR, or an ESP32 would begin again."""
        with contextlib.suppress(OSError, TypeError, NotImplementedError):
            self._serial.rts = False
            self._serial.dtr = False
        with contextlib.suppress(OSError):
            self._serial.close()

    def _gone(self, error: Exception) -> Gone:
        return Gone(
            f"{self.port}: the board is gone in the middle of it; was the cable pulled? "
            "Plug it in and give the same command again"
        )


class _Line(SerialTransport):  # type: ignore[misc]  # mpremote has no types
    """mpremote's transport over a Wire, whose waits all end."""

    def __init__(self, wire: Wire) -> None:
        self.serial = wire
        self.device_name = wire.port
        self.in_raw_repl = self.use_raw_paste = True
        self.mounted = self.is_pty = False

    def read_until(self, min_num_bytes: int, ending: bytes, timeout: float | None = 10, *_: Any, **__: Any) -> bytes:
        return self.serial.until(ending, 600 if timeout is None else timeout)


# How a port is opened, and what is said where it cannot be.


def _opened(port: str) -> serial.Serial:
    """The port for us alone, its lines as mpremote sets them: no ESP32 begins again for it. Raises BenchError."""
    if not port:
        raise NoSuchPort("--port: name one, like COM3 or /dev/ttyACM0; `callfloor board list` shows what is plugged in")
    end = time.monotonic() + OPEN_S
    while True:
        try:
            made = serial.serial_for_url(port, do_not_open=True, baudrate=BAUD, timeout=0.1, exclusive=True)
            quirk = os.name == "nt" and any(
                found.device == port and found.vid == SILICON_LABS for found in list_ports.comports()
            )
            if quirk:  # Windows moves these lines one after the other, which is an ESP32's reset
                made.dtr = made.rts = False
            made.open()
            if quirk:
                made.dtr = True
                made.rts = True
            return made
        except (OSError, ValueError) as error:
            wrong = _why_not(port, error)
            if not isinstance(wrong, Busy | NoRights) or time.monotonic() >= end:
                raise wrong from error
        time.sleep(0.1)


def _why_not(port: str, error: Exception) -> BenchError:
    number = getattr(error, "errno", None)
    text = str(error)
    if (isinstance(error, ValueError) or "not supported between" in text) and "://" in port:  # a port, or a HOST:PORT
        return NoSuchPort(f"{port}: no kind of port that is known here; it is like socket://192.168.1.20:2217")
    if "://" in port:
        return NoSuchPort(f"{port}: nobody is there ({plain(text.rpartition('] ')[2] or text)}); is the address right?")
    if number == errno.ENOENT or "FileNotFoundError" in text or "cannot find the file" in text:
        import floorplan

        names = [found.device for found in list_ports.comports()]
        there = floorplan.meant(port, names) or (f"; there is {', '.join(sorted(names))}." if names else ".")
        return NoSuchPort(f"{port}: no such port{there} Is the cable in, and one that carries data, not power alone?")
    if number == errno.EBUSY or "lock port" in text or (os.name == "nt" and "Access is denied" in text):
        holder = _holder(port)
        return Busy(
            f"{port}: busy: {holder or 'another program'} has it open; close that and try again"
            + ("" if holder else " (a terminal, an editor, or the system itself, which looks at every new port)")
        )
    if number in (errno.EACCES, errno.EPERM):
        return NoRights(f"{port}: we may not open it{_whose(port)}")
    if "Inappropriate ioctl" in text:
        return NoSuchPort(f"{port}: this is no serial port")
    return NoSuchPort(f"{port}: cannot be opened as a serial port ({plain(text)})")


def _whose(port: str) -> str:
    """Which group may open it, and how to get into it."""
    with contextlib.suppress(ImportError, OSError, KeyError):
        group = importlib.import_module("grp").getgrgid(os.stat(port).st_gid).gr_name
        if group not in ("root", "wheel"):
            return f"; the group '{group}' may: `sudo usermod -aG {group} $USER`, then log out and in again"
    return "; try again in a moment, or ask whoever looks after this computer"


def _holder(port: str) -> str | None:
    """The program that has a port open, like `minicom (process 4711)`; None where that cannot be told."""
    if not sys.platform.startswith("linux"):
        return None  # psutil tells of files alone
    import psutil

    there = os.path.realpath(port)
    for process in psutil.process_iter(["pid", "name"]):
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(OSError, psutil.Error):
            for entry in Path(f"/proc/{process.pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if os.readlink(entry) == there:
                        return f"{process.info['name']} (process {process.pid})"
    return None


def _shortly(said: bytes) -> str:
    """What somebody said, in a line that can do no harm here."""
    text = " ".join(plain(part) for part in said.decode("utf-8", "replace").split() if part)
    return text if len(text) <= WORDS else text[: WORDS - 1] + "…"


def _last_line(error: bytes) -> str:
    lines = [line for line in error.strip(b"\x04>").decode("utf-8", "replace").splitlines() if line.strip()]
    return plain(lines[-1].strip())[:200] if lines else "it ended"
