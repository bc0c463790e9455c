"""The table of commands: what reads has --json, what writes has --dry-run, and docs/commands.md says so of each."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import floorplan
from docs import commands as page
from gateway.broker import setup as house_broker
from tests.brokers import HOST
from tests.command_table import Command, commands, run_all
from tests.house import EXAMPLE

EVERY = commands()


@pytest.mark.parametrize("command", EVERY, ids=[" ".join(command.words) for command in EVERY])
def test_a_command_has_the_option_of_its_kind(command: Command) -> None:
    name = " ".join(command.words)
    assert name in page.KINDS, f"{name}: say in docs/commands.py whether it reads, writes or runs"
    kind = page.KINDS[name]
    assert kind.does in (page.READS, page.WRITES, page.RUNS)
    assert ("--json" in command.options) == bool(kind.json), "what --json prints is documented, and nothing else is"
    if kind.does == page.READS:
        assert "--json" in command.options and "--dry-run" not in command.options
    if kind.does == page.WRITES:
        assert "--dry-run" in command.options


def test_the_page_is_as_the_table_and_the_table_names_no_other_command() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(), "run `make docs`"
    assert set(page.KINDS) == {" ".join(command.words) for command in EVERY}


# What they print, and what they leave alone ---------------------------------------


def everything_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Each file's content and mode."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode) for path in files}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The example floor with a broker of its own, and IP phones."""
    tables = floorplan.tables_in(EXAMPLE)
    del tables["simulator"]
    tables["broker"] = {"host": "127.0.0.1", "port": 8883, "tls": True, "ca_file": "broker/ca.pem", "user": "gateway_",
                        "secret_file": "secrets/mqtt", "boards_folder": "secrets/boards"}  # fmt: skip
    tables["pbx"] = {"asterisk": {"host": "127.0.0.1", "user": "callfloor", "secret_file": "ami"}}
    tables["phones"] = {"secret_file": "phones"}
    tables["desk"].append({"id": "ip", "phone": {"by": "url", "vendor": "yealink", "mac": "001565aabbcc"}})
    for name in ("ami", "phones"):
        (tmp_path / name).write_text("not-much-of-a-secret-000\n")
        (tmp_path / name).chmod(0o600)
    path = tmp_path / "site.json"
    path.write_text(json.dumps(tables))
    return path


DRY = [
    ["person", "invite", "SITE", "--role", "supervisor"],
    ["token", "add", "SITE", "a-screen"],
    ["broker", "setup", "SITE"],
    ["board", "json", "row-a", "--site", "SITE", "--out", "OUT", "--pins", "memory"],
]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(site: Path) -> None:
    plan = floorplan.read(site)
    house_broker.setup(plan, site, None if os.geteuid() else "root")
    (site.parent / "secrets/boards/row-b").unlink()
    before = everything_in(site.parent)
    named = {"SITE": str(site), "OUT": str(site.parent / "board.json")}
    for done in run_all([[*(named.get(word, word) for word in row), "--dry-run"] for row in DRY], site.parent):
        assert (done.status, done.err) == (0, ""), done
        assert done.out.startswith("would "), done
        if done.words[0] == "broker":
            assert f"{site.parent}/secrets/boards: the passwords of 1 boards, new" in done.out
    assert everything_in(site.parent) == before


def test_a_dry_run_refuses_what_the_real_one_would(site: Path) -> None:
    chip = site.with_name("chip.json")
    inputs = [{"desk": "a1", "phone": {"by": "contact", "pin": "GP2"}}]
    chip.write_text(json.dumps({"site": {"id": "x"}, "broker": {"host": "127.0.0.1"}, "desk": [{"id": "a1"}],
                                "board": [{"id": "b", "definition": "pico-w", "inputs": inputs}]}))  # fmt: skip
    asked = (
        (["person", "remove", str(site), "nobody-here"], "nobody of that name"),
        (["token", "remove", str(site), "no-token"], "no such token"),
        (["person", "invite", str(site), "--role", "king"], "a role is one of"),
        (["board", "json", "row-z", "--site", str(site), "--out", str(site.parent / "x")], "row-z"),
        (["board", "revoke", "row-z", "--site", str(site)], "row-z"),
        (["board", "labels", "--site", str(site), "--out", str(site.parent / "l.txt")], ".svg or .pdf"),
        (["board", "labels", "--site", str(site), "--out", str(site.parent / "none" / "l.svg")], "cannot be written"),
        (["board", "json", "--all", "--site", str(chip), "--out", str(site.parent / "out")], "would be itself"),
    )
    said = run_all([[*words, "--dry-run"] for words, _ in asked], site.parent)
    for done, (_, why) in zip(said, asked, strict=True):
        assert done.status == 1 and why in done.err, done
        assert len(done.err.splitlines()) == 1


def test_json_is_alone_on_the_output_and_ascii(site: Path) -> None:
    lines = [
        ["udev"], ["board", "usb", "--sys", str(site.parent), "--dev", str(site.parent)], ["person", "list", str(site)],
        ["token", "list", str(site)], ["wall", "preview", str(site)],
        ["phone", "urls", "--site", str(site), "--base", "http://10.0.0.2:8080"],
    ]  # fmt: skip
    said = run_all([[*words, "--json"] for words in lines], site.parent)
    for done in said:
        assert done.status == 0, done
        assert done.out.isascii() and len(done.out.splitlines()) == 1
        json.loads(done.out)
    (phone,) = json.loads(said[-1].out)
    assert phone["desk"] == "ip" and phone["mac"] == "00:15:65:AA:BB:CC"
    assert any("not-much-of-a-secret-000" in value for value in phone["settings"].values())


def test_what_has_both_prints_json_of_a_dry_run_too(site: Path) -> None:
    """Or nothing at all on the output, where it is refused."""
    more = {
        "board flash": ["row-a", "--port", "/dev/null"], "board provision": ["row-a", "--port", "/dev/null"],
        "board mirror": ["--from", str(site.parent)], "board replace": ["row-a", "row-b"],
        "board restart": ["row-a", "row-b"], "desk forget": ["--all"], "reload": [str(site)],
    }  # fmt: skip
    assert set(more) == {" ".join(one.words) for one in EVERY if {"--json", "--dry-run"} <= one.options}
    lines = [[*name.split(), *words, "--json", "--dry-run"] for name, words in more.items()]
    for words in lines:
        if words[0] in ("board", "desk") and words[1] != "mirror":
            words += ["--site", str(site)]
    printed = {}
    for done in run_all(lines, site.parent):
        name = " ".join(done.words[:2])
        printed[name] = [json.loads(line) for line in ([done.out] if name == "board mirror" else done.out.splitlines())
                         if line]  # fmt: skip
        assert done.status in (0, 1) and (done.out or done.err), done
    assert [row["board"] for row in printed["board restart"]] == ["row-a", "row-b"]
    assert not any(row["done"] for row in printed["board restart"])


def test_what_was_not_done_is_not_in_the_audit_list(site: Path) -> None:
    """Here nobody answers at the broker's address."""
    at = ["--site", str(site), "--mqtt", f"{HOST}:9"]
    wall = next(row["id"] for row in json.loads(site.read_text())["wall"] if row.get("board"))
    (site.parent / "secrets").mkdir()
    (site.parent / "secrets/mqtt").write_text("not-much-of-a-secret-000\n")
    *tried, listed = run_all([
        ["board", "identify", "row-a", *at], ["board", "restart", "row-a", *at],
        ["board", "check", "row-a", "--seconds", "1", *at], ["wall", "test", wall, *at],
        ["audit", str(site), "--json"],
    ], site.parent)  # fmt: skip
    assert [done.status for done in tried] == [1, 1, 1, 1], tried
    assert (listed.status, listed.out) == (0, "")


def test_a_switch_is_not_shown_as_if_something_came_behind_it() -> None:
    for command in EVERY:
        for param in command.params:
            if getattr(param, "is_flag", False) and param.name != "help":
                assert param.metavar == "", f"{' '.join(command.words)} {param.opts[0]}: it is a `flag`"
