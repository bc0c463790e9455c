"""Commands to boards from the page: on a real board, by who has the right."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway.people.people import People
from tests.conftest import until
from tests.house import DIRECT, House
from tests.someone import headers, token


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as house:
        house.start_gateway()
        house.start_board("row-a")
        house.wait("the board is there", lambda: house.now("board/row-a").get("state") == "ready", 40)
        yield house


def ask(house: House, path: str, role: str, method: str = "POST") -> tuple[int, Any]:
    body = b"" if method == "POST" else None
    request = urllib.request.Request(house.web + path, body, headers(token(house.plan, role)), method=method)
    try:
        with DIRECT.open(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode()
        return error.code, json.loads(text) if text.startswith("{") else text


@pytest.mark.parametrize("role", ["technician", "admin"])
def test_a_board_shows_who_it_is(house: House, role: str) -> None:
    assert ask(house, "/api/boards/row-a/identify", role) == (200, {"done": True, "words": "for 15 s"})
    with People(house.plan.people) as people:
        until(lambda: people.audit(limit=1), "it is in the audit list")
        told = people.audit(limit=1)[0]
    assert told.who.startswith(f"token {role}") and (told.did, told.what) == ("board-commanded", "row-a: identify")


@pytest.mark.parametrize("role", ["wall", "viewer", "supervisor"])
def test_who_is_no_technician_commands_no_board(house: House, role: str) -> None:
    assert ask(house, "/api/boards/row-a/identify", role)[0] == 403


def test_what_a_board_refuses_is_said_in_its_own_words(house: House) -> None:
    status, told = ask(house, "/api/boards/row-a/restart", "technician")
    assert status == 200 and not told["done"] and "start it again where it runs" in told["words"]


def test_what_cannot_be_asked_is_said(house: House) -> None:
    assert ask(house, "/api/boards/row-z/identify", "technician")[1]["kind"] == "gone"
    assert ask(house, "/api/boards/row-a/explode", "technician")[0] == 422
    with ThreadPoolExecutor(2) as pool:  # each takes as long as a board may take to answer
        answers = [pool.submit(ask, house, "/api/boards/row-b/" + path, "technician", method)
                   for path, method in (("identify", "POST"), ("check", "GET"))]  # fmt: skip
    lost = {"kind": "lost", "words": "board 'row-b' does not answer: it, or the broker, is away"}
    assert [answer.result() for answer in answers] == [(504, lost)] * 2


def test_nobody_commands_without_end(house: House) -> None:
    kinds = {ask(house, "/api/boards/row-a/identify", "technician")[0] for _ in range(20)}
    assert kinds == {200, 429}
