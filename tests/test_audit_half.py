"""A command that changes a board's account and then goes wrong is in the audit list all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import callfloor
import floorplan
from gateway.broker import accounts
from gateway.broker import boards as board_accounts
from gateway.broker.boards import Told
from gateway.people.people import People
from tests.brokers import HOST

COMMANDS = {
    "board-made": ["board", "json", "b", "--out", "out.json"],
    "board-revoked": ["board", "revoke", "b"],
    "board-rotated": ["board", "rotate", "b"],
}


@pytest.fixture
def plan(tmp_path: Path) -> floorplan.Plan:
    tables = {
        "site": {"id": "s"}, "board": [{"id": "b"}],
        "broker": {"host": HOST, "user": "gateway_", "secret_file": "mqtt", "boards_folder": "boards"},
    }  # fmt: skip
    (tmp_path / "site.json").write_text(json.dumps(tables))
    plan = floorplan.read(tmp_path / "site.json")
    assert plan.broker and plan.broker.folder
    plan.broker.folder.mkdir(mode=0o700)
    (plan.broker.folder / accounts.PASSWORDS).touch(mode=0o600)
    accounts.put(plan, "b", "0" * 32)
    return plan


def run(plan: floorplan.Plan, args: list[str]) -> tuple[int, list[str]]:
    """(exit status, what the audit list has of it)."""
    assert plan.people.path
    done = CliRunner().invoke(callfloor.app, [*args, "--site", str(plan.people.path.parent / "site.json")])
    with People(plan.people) as people:
        return done.exit_code, [f"{row.did} {row.what}" for row in people.audit(limit=10)]


@pytest.mark.parametrize("did", COMMANDS)
@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.parametrize("ends", ["in an error", "badly"])
def test_what_is_changed_is_in_it_however_the_command_ends(
    did: str, changed: bool, ends: str, plan: floorplan.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(plan: floorplan.Plan, *_: object) -> Told:
        if changed and did == "board-revoked":
            accounts.remove(plan, "b")
        elif changed:
            accounts.put(plan, "b", "1" * 32)
        if ends == "in an error":
            raise floorplan.SiteError("the disk is full")
        return Told("it is not back", False)

    def one_by_one(plan: floorplan.Plan, *_: object) -> Iterator[Told]:
        yield half(plan)

    monkeypatch.setattr(board_accounts, "provision", half)
    monkeypatch.setattr(board_accounts, "revoke", half)
    monkeypatch.setattr(board_accounts, "rotate_all", one_by_one)
    status, noted = run(plan, COMMANDS[did])
    told = changed or (ends == "badly" and did != "board-rotated")  # these say so where they did nothing: by an error
    assert noted == ([f"{did} b"] if told else [])
    assert status == (0 if did == "board-made" and ends == "badly" else 1)
