"""The gateway's line to the broker: what it needs from files may be away for a while, and it goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import floorplan
from gateway import mqtt
from gateway.mqtt import Line
from tests.brokers import HOST, mosquitto
from tests.certificates import authority, certificate


def test_files_that_are_away_at_a_reconnect_do_not_end_the_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "PAUSE_S", (0.05, 0.1))
    authority(tmp_path, "ca")
    certificate(tmp_path, "broker", "ca", f"IP:{HOST}")
    (tmp_path / "secret").write_text("not much of a secret")
    tls = (f"cafile {tmp_path}/ca.pem", f"certfile {tmp_path}/broker.pem", f"keyfile {tmp_path}/broker.key")
    away: list[str] = []
    back: list[float] = []

    async def main() -> None:
        with mosquitto(tmp_path, ("allow_anonymous true", *tls)) as broker:
            settings = floorplan.Broker(host=broker.host, port=broker.port, tls=True, ca_file=tmp_path / "ca.pem",
                                        user="gateway_", secret_file=tmp_path / "secret")  # fmt: skip
            line = Line(settings, "line", ("w", b""), [("x", 0)], lambda *_: None,
                        lambda: back.append(time.monotonic()), away.append)  # fmt: skip
            running = asyncio.create_task(line.run())

            async def until(what: str, holds: Callable[[], object]) -> None:
                end_s = time.monotonic() + 8
                while not holds():
                    assert not running.done(), running
                    assert time.monotonic() < end_s, f"{what}: {away[-3:]}"
                    await asyncio.sleep(0.02)

            await until("it is there", lambda: len(back) == 1)
            for number, name in enumerate(("ca.pem", "secret"), start=2):
                file = tmp_path / name
                kept = file.rename(tmp_path / "elsewhere")
                broker.kill()
                await until("it says which file", lambda file=file: away and str(file) in away[-1])  # type: ignore[misc]
                kept.rename(file)
                broker.start()
                await until("it is back by itself", lambda number=number: len(back) == number)  # type: ignore[misc]
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await line.close()

    asyncio.run(main())
