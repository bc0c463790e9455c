"""A wall's board of a test's own: the real firmware on either Python, a real broker, and we are its gateway.

with WallBoard("micropython", tmp_path, broker, ear) as wall:
    wall.say_scene(scene_of([["f", 0, 0, 8, 8, 1]]))
    wall.wait("it is shown", lambda: wall.shown.get("scene"))
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from firmware import contract, scene_load
from tests import pythons
from tests.brokers import Broker
from tests.house import Ear
from wallboard import picture as pictures
from wallboard.numbers import base_36

TIMES = {"hangup_ms": 400, "burst_ms": 40, "ring_gap_ms": 6000}
SCENE, MESSAGE = "board/+/panel/+/scene", "board/+/panel/+/message"
COLOURS = {(0, 0, 0): ".", (255, 255, 255): "#", (0, 200, 255): "c", (255, 190, 0): "a", (255, 0, 40): "r"}


def scene_of(*pages: list[Any], strips: list[Any] | None = None, **other: Any) -> dict[str, Any]:
    """A scene message of these pages."""
    rest = {
        "v": scene_load.FORM,
        "of": "abcd",
        "dwell_ms": 1000,
        "strips": strips or [],
        "pages": list(pages),
        **other,
    }
    return {"id": hashlib.sha256(json.dumps(rest).encode()).hexdigest()[:8], **rest}


class WallBoard:
    """One board with one `file` panel. `number`, the gateway's clock, is told by `beat`."""

    def __init__(
        self,
        python: str,
        folder: Path,
        broker: Broker,
        ear: Ear,
        size: tuple[int, int] = (64, 32),
        heap: str = "192k",
        keep: bool = False,
        **panel: Any,
    ) -> None:
        self.python, self.heap, self.ear = python, heap, ear
        self.folder = folder
        self.path = folder / "wall.ppm"
        self.log = folder / "board.log"
        self.keep = folder / "flash"
        self.keep.mkdir(exist_ok=True)
        self.size = size
        self._seq = 0
        self._open: contextlib.ExitStack = contextlib.ExitStack()
        settings: dict[str, Any] = {
            "site": "example",
            "board": "wall",
            "definition": "none",
            "broker": {"host": broker.host, "port": broker.port, "keepalive_s": 4},
            "pins": {"kind": "memory"},
            "times": TIMES,
            "inputs": [],
            "panels": [{"kind": "file", "size": list(size), "path": str(self.path), **panel}],
        }
        if keep:
            settings["keep"] = str(self.keep)
        self.board_json = folder / "board.json"
        self.settings(settings)

    def settings(self, settings: dict[str, Any]) -> None:
        """What its board.json says from its next start on."""
        self.told = settings
        self.board_json.write_text(json.dumps(settings))

    def __enter__(self) -> WallBoard:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def start(self, *program: str) -> None:
        """Power on."""
        command = pythons.command(
            self.python, *(program or ("-m", "firmware.main")), str(self.board_json), heap=self.heap
        )
        self.ear.latest.pop("board/wall/state", None)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=pythons.environment(),
                cwd=pythons.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """A power cut."""
        self.process.kill()
        self.process.wait(10)

    def said(self) -> str:
        """All that the board has printed."""
        return self.log.read_text(errors="replace")

    # Its gateway is us.

    def say(self, topic: str, fields: dict[str, Any] | bytes, retain: bool = False) -> None:
        """Anything, on a topic of this board."""
        payload = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        self.ear.say(topic, payload, retain)

    def say_scene(self, fields: dict[str, Any] | bytes, retain: bool = False) -> None:
        self.say("board/wall/panel/0/scene", fields, retain)

    def say_message(
        self, ops: list[Any], until_s: int, boot: str = "b1", place: str = "band", **other: Any
    ) -> str:
        """Its id."""
        fields: dict[str, Any] = {
            "boot": boot,
            "until_s": until_s,
            "place": place,
            "strips": [],
            "ops": ops,
            **other,
        }
        fields["id"] = hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:8]
        self.say("board/wall/panel/0/message", fields)
        return str(fields["id"])

    def say_values(self, n: str, at_s: int = 0, of: str = "abcd", boot: str = "b1") -> None:
        """New values, and the beat that proves them."""
        self._seq += 1
        self.say("values", {"boot": boot, "of": of, "seq": self._seq, "n": base_36(at_s) + " " + n}, True)
        self.say_beat(at_s, boot)

    def say_beat(self, now_s: int, boot: str = "b1") -> None:
        self.say("beat", {"boot": boot, "now_s": now_s, "values_seq": self._seq})

    # What comes of it.

    @property
    def shown(self) -> dict[str, Any]:
        """What it says that it shows."""
        return self.ear.latest.get("board/wall/panel/0/shown", {})

    def ready(self) -> bool:
        """It is at the broker, since its last start."""
        return self.ear.latest.get("board/wall/state", {}).get("state") == "ready"

    def rows(self) -> list[str]:
        """The picture on its lights: `#cra` and `.`; what is dim, the same as `d`."""
        if not self.path.exists():
            return []
        frame = pictures.read_ppm(self.path.read_bytes())
        lights = [tuple(frame.rgb[at : at + 3]) for at in range(0, len(frame.rgb), 3)]
        ink = "".join(COLOURS.get((r, g, b), "d") for r, g, b in lights)
        return [ink[at : at + frame.w] for at in range(0, len(ink), frame.w)]

    def wait(self, what: str, holds: Callable[[], object], within_s: float = 10) -> float:
        """Seconds until it holds."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            if holds():
                return time.monotonic() - began
            time.sleep(0.01)
        rows = "\n".join(self.rows())
        raise AssertionError(f"not within {within_s} s: {what}\n{self.shown}\n{self.said()[-2000:]}\n{rows}")

    def wait_ready(self) -> None:
        self.wait("it is at the broker", self.ready, 15)


@contextlib.contextmanager
def running(python: str, folder: Path, broker: Broker, ear: Ear, **other: Any) -> Iterator[WallBoard]:
    """A board that is at the broker."""
    with WallBoard(python, folder, broker, ear, **other) as wall:
        wall.wait_ready()
        yield wall


def encoded(pattern: str, fields: dict[str, Any]) -> bytes:
    """A message as a gateway would send it."""
    payload: bytes = contract.encode(pattern, fields)
    return payload
