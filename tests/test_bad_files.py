"""Files that are not what the site file says: answered in words, at once; and what a killed command left behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import floorplan
from floorplan import SiteError
from gateway import site_check
from gateway.people.people import People
from simulator import board as simulated
from simulator.scratch import scratch
from tests import certificates
from tests.brokers import HOST
from tests.forks import finished
from tests.pythons import ROOT

BROKER = '[broker]\nport = 1\ntls = true\nca_file = "broker/ca.pem"\nuser = "gateway_"\nsecret_file = "mqtt"\n'
BROKER += 'boards_folder = "boards"\n'
SITE = '[site]\nid = "s"\n'


def site(folder: Path, text: str) -> Path:
    (folder / "site.toml").write_text(text)
    return folder / "site.toml"


@pytest.mark.parametrize("name", ["site.toml", "site.json"])
@pytest.mark.parametrize("depth", [300, 100_000])
@pytest.mark.parametrize("before", ["", "a"])
def test_a_site_file_of_brackets_is_said_to_be_one(name: str, depth: int, before: str, tmp_path: Path) -> None:
    text = "[" * depth + "]" * depth
    if name.endswith(".json"):
        text = f'{{"site": {text}}}' if before else text
    else:
        text = f"site = {text}" if before else text
    (tmp_path / name).write_text(text)
    with pytest.raises(SiteError) as error:
        floorplan.read(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: ")
    if before and depth > 1000:
        assert "lie in each other too deeply" in str(error.value)


def test_what_has_no_end_is_not_waited_for(tmp_path: Path) -> None:
    """A device, a pipe that nobody writes to, a file of gigabytes: as site file, secret and certificate."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "long").open("wb") as file:
        file.truncate(2**40)
    for path, words in ((Path("/dev/zero"), "no plain file"), (tmp_path / "pipe", "no plain file"),
                        (tmp_path / "long", r"longer than \d+ MiB")):  # fmt: skip
        for read in (floorplan.read, floorplan.secret, floorplan.certificates):
            with pytest.raises(SiteError, match=rf"{path}: .*\(it is {words}\)"):
                read(path)
    page = '[page]\ncert_file = "pipe"\nkey_file = "long"\n'
    wrong, _ = site_check.check_files(floorplan.read(site(tmp_path, SITE + BROKER.replace("mqtt", "pipe") + page)))
    told = "\n".join(wrong)
    for place in ("broker.secret_file", "page.cert_file", "page.key_file"):
        assert re.search(rf"^{place}: .*(no plain file|longer than)", told, re.M), told


def test_check_looks_into_certificates_and_the_file_of_people(tmp_path: Path) -> None:
    """And says what `callfloor broker setup` makes; nothing is made or changed by it."""
    plan = floorplan.read(site(tmp_path, SITE + BROKER + '[[source]]\nid = "chat"\nsecret_file = "chat"\n'))
    files = {"broker.secret_file": "mqtt", "source[1].secret_file": "chat", "broker.ca_file": "broker/ca.pem"}
    assert sorted(site_check.check_files(plan)[0]) == sorted(
        f"{place}: {tmp_path / name} is missing; `callfloor broker setup` makes it" for place, name in files.items()
    )
    for name in ("mqtt", "chat"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text("0123456789abcdef\n")
    (tmp_path / "broker").mkdir()
    ca = tmp_path / "broker" / "ca.pem"
    body = "-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n"
    for rubbish, words in (("rubbish", "holds no certificate in PEM"), (body, "or a damaged one")):
        ca.write_text(rubbish)
        assert [words in line for line in site_check.check_files(plan)[0]] == [True]
    certificates.authority(tmp_path / "broker", "ca")
    assert site_check.check_files(plan)[0] == []

    path = plan.people.path
    assert path
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (name TEXT)")
    before = path.read_bytes()
    [wrong] = site_check.check_files(plan)[0]
    assert wrong.startswith(f"people.path: {path}: this is a database of something else")
    assert path.read_bytes() == before
    path.write_text("no database at all, but long enough to look like the beginning of one" * 20)
    [wrong] = site_check.check_files(plan)[0]
    assert wrong.startswith(f"people.path: {path}: cannot be read") and "move it away" in wrong
    path.unlink()
    with People(plan.people):
        there = {file.name for file in tmp_path.iterdir()}
        assert site_check.check_files(plan)[0] == []
        assert {file.name for file in tmp_path.iterdir()} == there


def test_up_does_not_begin_with_a_ca_file_of_rubbish(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "ca.pem").write_text("rubbish\n")
    (tmp_path / "mqtt").touch(mode=0o600)
    (tmp_path / "mqtt").write_text("0123456789abcdef\n")
    done = finished("up", str(site(tmp_path, SITE + BROKER)), "--web", f"{HOST}:0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"callfloor: {tmp_path}/broker/ca.pem: holds no certificate in PEM: -----BEGIN CERTIFICATE-----\n"
    )
    assert not (tmp_path / "s-people.db").exists()


@pytest.mark.parametrize("network", ["wifi", "wired"])
def test_a_board_that_is_not_there_needs_no_network_of_its_own(network: str, tmp_path: Path) -> None:
    (tmp_path / "wifi").touch(mode=0o600)
    (tmp_path / "wifi").write_text("0123456789abcdef\n")
    how = 'wifi = { ssid = "floor", secret_file = "wifi" }' if network == "wifi" else 'wired = "w5500"'
    plan = floorplan.read(site(tmp_path, f'{SITE}[[board]]\nid = "b"\n{how}\n'))
    told = simulated.write_board_json(plan, "b", None, tmp_path).read_text()
    assert "0123456789abcdef" not in told and "w5500" not in told
    assert {"wifi", "w5500"} & floorplan.board_json(plan, "b", {"kind": "gpiozero"}).keys()


def test_a_folder_of_one_that_was_killed_goes_and_of_one_that_runs_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = (
        "from simulator.scratch import scratch\nwith scratch('callfloor-up-') as folder:\n"
        "    (folder / 'secret').write_text('x')\n    print(folder, flush=True)\n    input()\n"
    )
    with contextlib.ExitStack() as all_of_them:
        folders = []
        for end in (signal.SIGKILL, None):
            process = all_of_them.enter_context(subprocess.Popen(
                [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            ))  # fmt: skip
            assert process.stdout and process.stdin
            folders.append(Path(process.stdout.readline().strip()))
            if end:
                process.send_signal(end)
                process.wait(10)
        killed, running = folders
        (tmp_path / "callfloor-up-link").symlink_to(ROOT)
        with scratch("callfloor-up-") as mine:
            assert mine.stat().st_mode & 0o777 == 0o700
            assert not killed.exists() and (running / "secret").exists() and ROOT.exists()
        process.communicate("\n", 10)
        assert process.returncode == 0
        assert [path.name for path in tmp_path.iterdir()] == ["callfloor-up-link"]
