"""Every command that changes something is in the audit list; for the addresses of the page: test_audit.py."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from gateway.people import audit
from gateway.people.people import People
from simulator import board as simulated
from tests.forks import finished
from tests.house import DIRECT, SafeHouse
from tests.someone import headers, token

ROOT = Path(floorplan.__file__).parent
@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SafeHouse]:
    with SafeHouse(tmp_path_factory.mktemp("house")) as house:
        house.start_gateway()
        told = simulated.write_board_json(house.plan, "row-a", None, house.folder)
        (house.folder / "kept").mkdir()
        told.write_text(json.dumps(json.loads(told.read_text()) | {"keep": str(house.folder / "kept")}))
        house._start("row-a", simulated.command(told))
        house.wait("the board is there", lambda: house.now("board/row-a").get("state") == "ready", 40)
        yield house


def ask(house: SafeHouse, method: str, path: str, body: Any, sent: dict[str, str]) -> tuple[int, dict[str, Any], str]:
    """(status, JSON, cookie to send back)."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"} | sent
    request = urllib.request.Request(house.web + path, data, sent, method=method)
    try:
        with DIRECT.open(request, timeout=20) as answer:
            text = answer.read()
            cookie = (answer.headers["set-cookie"] or "").partition(";")[0]
            return answer.status, json.loads(text) if text else {}, cookie
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}"), ""


def rows(house: SafeHouse) -> list[audit.Row]:
    with People(house.plan.people) as people:
        return people.audit(limit=1000)


COMMANDS = [
    ("broker-set-up", ["broker", "setup", "SITE"]),
    ("board-made", ["board", "json", "row-b", "--site", "SITE", "--out", "FOLDER/new.json", "--pins", "memory"]),
    ("board-rotated", ["board", "rotate", "row-a", "--site", "SITE"]),
    ("board-commanded", ["board", "record", "a1", "--site", "SITE", "--seconds", "1"]),
    ("board-revoked", ["board", "revoke", "row-b", "--site", "SITE"]),
    ("invited", ["person", "invite", "SITE"]),
    ("token-made", ["token", "add", "SITE", "cli"]),
    ("token-ended", ["token", "remove", "SITE", "cli"]),
]


def test_every_command_that_changes_something_is_in_it(house: SafeHouse) -> None:
    for did, command in COMMANDS:
        before = {row.id for row in rows(house)}
        args = [word.replace("SITE", str(house.site)).replace("FOLDER", str(house.folder)) for word in command]
        done = finished(*args, within_s=60)
        assert done.returncode == 0, done.stdout + done.stderr
        new = [row for row in rows(house) if row.id not in before]
        assert [row.did for row in new] == [did] and new[0].who.startswith("console ")


def test_who_may_not_does_nothing_and_is_not_in_it(house: SafeHouse) -> None:
    viewer = headers(token(house.plan, "viewer"))
    before = rows(house)
    for method, path, body in (
        ("POST", "/api/messages", {"text": "Hi", "minutes": 5}), ("POST", "/api/tokens", {}),
        ("POST", "/api/people/invitations", {"role": "admin"}), ("DELETE", "/api/messages/x", None),
    ):  # fmt: skip
        assert ask(house, method, path, body, viewer)[0] == 403
    assert rows(house) == before
