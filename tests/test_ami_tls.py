"""The AMI over TLS: real certificates, a real TLS server, and what is said where the two do not agree."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop

import floorplan
from gateway.queues import ami, asterisk, events
from gateway.queues.asterisk import Asterisk
from tests.ami_feed import AT_ONCE, Feed, Talk, recording, serving
from tests.certificates import authority, certificate

SECRET = "only for the PBX"
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem has signed pbx, elsewhere (another name) and old; other.pem nothing; empty.pem is no certificate."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ca", "other"):
        authority(folder, name)
    certificate(folder, "pbx", "ca", "DNS:localhost,IP:127.0.0.1")
    certificate(folder, "elsewhere", "ca", "DNS:elsewhere.test,IP:192.0.2.1")
    certificate(folder, "old", "ca", "DNS:localhost", days=-1)
    (folder / "empty.pem").write_text("nothing\n")
    return folder


def server_side(keys: Path, name: str, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / f"{name}.pem", keys / f"{name}.key")
    if newest:
        with warnings.catch_warnings(action="ignore"):  # so old that Python says so
            context.minimum_version = context.maximum_version = newest
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@contextlib.asynccontextmanager
async def following(told: list[events.Event], **settings: object) -> AsyncIterator[None]:
    """The real client at work."""
    where = floorplan.Asterisk.model_validate(
        {"host": "localhost", "user": "callfloor", "secret_file": "unused", **settings}
    )
    task = asyncio.create_task(Asterisk(where, SECRET, {"norsk": "no"}, told.append).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(met: Callable[[], object], what: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(8):
            while not met():
                await asyncio.sleep(0.005)
    assert met(), what


def away(told: list[events.Event]) -> str:
    """Why the source is away, once it has been called."""
    reasons = [event.reason for event in told if isinstance(event, events.Away)]
    return reasons[-1] if len(reasons) > 1 else ""


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_recording_over_tls(loop: str, host: str, keys: Path) -> None:
    told: list[events.Event] = []

    async def run() -> None:
        feed = Feed(recording("agent-events.txt"), AT_ONCE)
        async with (
            serving(feed.talk, tls=server_side(keys, "pbx")) as port,
            following(told, host=host, port=port, tls=True, ca_file=keys / "ca.pem"),
        ):
            await until(
                lambda: sum(isinstance(event, events.Answered) for event in told) == 45, "all answers"
            )

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(run())
    assert any(isinstance(event, events.Back) for event in told)


def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


def shuts(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> asyncio.Future[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


FEED = "feed"
OURS = {"tls": True, "ca_file": "ca.pem"}
NUMBER = {**OURS, "host": "127.0.0.1"}
OLD = ssl.TLSVersion.TLSv1_1
NONE = "agrees on no TLS: is this its TLS port, and at least TLS 1.2?"

# server's certificate (None: it speaks no TLS), its newest version, its talk, our settings, what is said
TROUBLES: dict[str, tuple[str | None, ssl.TLSVersion | None, object, dict[str, object], str]] = {
    "nobody vouches": (
        "pbx",
        None,
        FEED,
        {**OURS, "ca_file": "other.pem"},
        "put its authority's certificate",
    ),
    "not this computer either": ("pbx", None, FEED, {"tls": True}, "certificate nobody here trusts"),
    "another name": ("elsewhere", None, FEED, OURS, "for another name: write host as the certificate has it"),
    "another address": ("elsewhere", None, FEED, NUMBER, "for another address: write host as"),
    "run out": ("old", None, FEED, OURS, "has a certificate that has run out: renew it there"),
    "TLS 1.1": ("pbx", OLD, FEED, OURS, NONE),
    "a plain port": (None, None, FEED, OURS, "is it tlsbindaddr's (5039)? else set tls = false"),
    "a silent port": (None, None, silent, OURS, "does not agree on TLS: is there a firewall"),
    "a port that shuts": (None, None, shuts, OURS, NONE),
    "spoken to without": ("pbx", None, FEED, {}, "is the port right, is tls = true missing?"),
    "no ca_file": ("pbx", None, FEED, {**OURS, "ca_file": "none.pem"}, "ca_file 'none.pem' No such file"),
    "empty ca_file": (
        "pbx",
        None,
        FEED,
        {**OURS, "ca_file": "empty.pem"},
        "'empty.pem' holds no certificate",
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_disagreement_says_what_to_try(
    trouble: str, loop: str, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, newest, talk, settings, words = TROUBLES[trouble]
    monkeypatch.setattr(ami, "ANSWER_S", 0.8)
    monkeypatch.setattr(ami, "BANNER_S", 0.2)
    monkeypatch.setattr(asterisk, "AGAIN_S", (60.0, 60.0))
    if "ca_file" in settings:
        settings = {**settings, "ca_file": keys / str(settings["ca_file"])}
    told: list[events.Event] = []
    feed = Feed(recording("agent-events.txt"))

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's side of it
        tls = server_side(keys, name, newest) if name else None
        says: Talk = feed.talk if talk is FEED else talk  # type: ignore[assignment]
        async with serving(says, tls=tls) as port, following(told, port=port, **settings):
            await until(lambda: away(told), "a reason")

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(run())
    assert words in away(told)
    assert len(away(told)) < events.REASON_LENGTH and SECRET not in away(told)
    assert SECRET.encode() not in feed.heard and not any(isinstance(event, events.Back) for event in told)
