"""A PBX that says back what it was told, and what it must not: nothing of it goes past the adapter."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from pathlib import Path

import pytest

import floorplan
from gateway.queues import ami, asterisk, events
from gateway.queues.asterisk import Asterisk
from tests.ami_feed import serving

SECRET = "the-secret-of-the-manager"
SAID = f"{SECRET} caller 004791234567 Caller Name"
FORBIDDEN = (SECRET, "91234567", "Caller Name")
NO_CHALLENGE = "Must specify AuthType"


class Echo:
    """An AMI that offers no challenge, unless told to, and puts `says` into whatever it answers."""

    def __init__(self, login: str = "Authentication failed", challenge: str = "", says: str = SAID) -> None:
        self.heard = ""
        self._says = says
        self._login = login
        self._challenge = challenge

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"Asterisk Call Manager/{self._says}\r\n".encode())
        while True:
            action = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heard += action
            name, number = (re.findall(rf"^{key}: (\S+)", action, re.M)[0] for key in ("Action", "ActionID"))
            writer.write(self._answer(name, f"ActionID: {number}\r\n").encode())

    def _answer(self, action: str, number: str) -> str:
        if action == "Challenge" and self._challenge:
            return f"Response: Success\r\n{number}Challenge: {self._challenge}\r\n\r\n"
        if action == "Challenge":
            return f"Response: Error\r\n{number}Message: {NO_CHALLENGE} {self._says}\r\n\r\n"
        if action == "Login" and not self._login:
            return f"Response: Success\r\n{number}Message: Authentication accepted\r\n\r\n"
        if action == "Login":
            return f"Response: Error\r\n{number}Message: {self._login} for {self._says}\r\n\r\n"
        names = set(ami.KEEP.values()) - {"Event", "Response", "ActionID"}
        headers = "".join(f"{name}: {self._says}\r\n" for name in names)
        rows = "".join(f"Event: {name}\r\n{headers.replace('Queue: ', 'X: ')}Queue: norsk\r\n{number}\r\n"
                       for name in ("QueueParams", "QueueEntry", "QueueMember", self._says))  # fmt: skip
        mine = f"Event: QueueParams\r\nQueue: polski91234567\r\n{number}\r\nEvent: QueueStatusComplete\r\n{number}\r\n"
        return f"{rows}{mine}Response: Error\r\n{number}{headers}\r\n"


def told_by(echo: Echo, words: str, **settings: object) -> str:
    """All that the source says and logs until it is away for a reason with `words` in it."""
    told: list[events.Event] = []

    async def run() -> str:
        async with serving(echo.talk) as port:
            where = floorplan.Asterisk.model_validate(
                {"host": "127.0.0.1", "port": port, "user": "callfloor", "secret_file": Path("unused"), **settings}
            )
            source = Asterisk(where, SECRET, {"norsk": "no", "polski": "pl"}, told.append)
            task = asyncio.create_task(source.run())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(8):
                    while words not in source.away:
                        await asyncio.sleep(0.005)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert words in source.away
            return source.away

    why = asyncio.run(run())
    return f"{why}\n{[event for event in told if not hasattr(event, 'extension')]}"  # that finds a desk, and ends there


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ("Authentication failed", "refuses the user 'callfloor' (Authentication failed)"),
        ("Go away", "refuses the user 'callfloor' (for no reason that we know)"),
        ("", "does not list its queues (for no reason that we know)"),
    ],
)
def test_what_a_pbx_says_back_goes_nowhere(
    login: str, words: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(asterisk, "TICK_S", 0.02)
    echo = Echo(login)
    said = told_by(echo, words) + caplog.text
    assert f"Secret: {SECRET}" in echo.heard, "to this computer the secret may go as it is"
    assert [word for word in FORBIDDEN if word in said] == []


def test_the_secret_crosses_no_network_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """But where the site file says so."""
    monkeypatch.setattr(ami.Link, "on_this_machine", False)
    echo = Echo()
    told_by(echo, "offers no challenge, so the secret would cross the network: set tls = true, or plain_login = true")
    assert "Action: Challenge" in echo.heard and "Login" not in echo.heard and SECRET not in echo.heard
    with_challenge = Echo(challenge="7")
    told_by(with_challenge, "refuses the user")
    assert "Key: " in with_challenge.heard and SECRET not in with_challenge.heard
    asked_for = Echo()
    told_by(asked_for, "refuses the user", plain_login=True)
    assert f"Secret: {SECRET}" in asked_for.heard


@pytest.mark.parametrize(
    ("peer", "here"),
    [(("127.0.0.1", 1), True), (("::1", 1, 0, 0), True), (("192.0.2.5", 1), False), (("fe80::1", 1, 0, 0), False),
     (None, False), ("", False)],
)  # fmt: skip
def test_this_computer_is_known_by_the_address_that_answers(peer: object, here: bool) -> None:
    class There(asyncio.Transport):
        def get_extra_info(self, name: str, default: object = None) -> object:
            return peer if name == "peername" else default

    link = ami.Link(lambda _: None)
    link.connection_made(There())
    assert link.on_this_machine is here
