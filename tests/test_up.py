"""`callfloor up` and its neighbours, as somebody at a terminal meets them."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import floorplan
from gateway.days import Calendar
from gateway.store import Batch, Store
from tests import certificates
from tests.brokers import HOST
from tests.forks import finished
from tests.pythons import ROOT

UP = [sys.executable, "-m", "callfloor", "up", "--web", f"{HOST}:0"]


def children(pid: int) -> set[int]:
    """Everything a process has started, and what that has started."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == pid:
            found |= {int(stat.parent.name)} | children(int(stat.parent.name))
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def gone_within(pids: set[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pids)


def secrets_in(folder: Path) -> set[str]:
    """What a floor that runs keeps secret, from its files; nobody else can open these, nor the folders they are in."""
    found = set()
    for path in folder.rglob("*"):
        secret = path.name.startswith("secret-") or path.parent.name == f"callfloor-{os.geteuid()}"
        if secret:
            found.add(path.read_text().strip())
        if secret or (path.is_dir() and path.parent == folder):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
        if path.suffix == ".json":  # what boards are told
            assert path.stat().st_mode & 0o777 == 0o600, path
            found |= {told for told in (json.loads(path.read_text())["broker"].get("password"),) if told}
    return found


def lines_until(process: "subprocess.Popen[str]", start: str) -> list[str]:
    """What it prints up to the first line that starts so."""
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith(start):
            return lines
    raise AssertionError(f"ended without '{start}': {lines}")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_example_floor_runs_and_leaves_nothing_behind(end: signal.Signals, tmp_path: Path) -> None:
    env = {name: told for name, told in os.environ.items() if name != "XDG_RUNTIME_DIR"} | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        UP, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            lines = lines_until(process, "wall ")
            text = "\n".join(lines)
            assert re.search(r"^boards +4, running firmware/ on MicroPython$", text, re.M), text
            page = re.search(r"^page +(http://\S+)$", text, re.M)
            assert page, text
            with urllib.request.urlopen(page[1] + "healthz", timeout=5) as answer:
                assert answer.status == 200
            started = children(process.pid)
            assert len(started) >= 7  # broker, gateway, simulator, four boards
            known = secrets_in(tmp_path)
            assert len(known) >= 7  # the gateway's, whoever's who tries, four boards', the phone system's
            for pid in {process.pid, *started}:
                for name in ("cmdline", "environ"):
                    told = Path(f"/proc/{pid}/{name}").read_text(errors="replace")
                    assert told
                    assert not [secret for secret in known if secret in told], (name, told)
        finally:
            process.send_signal(end)
            process.communicate(timeout=20)
    assert gone_within(started, 10), alive(started)
    if end != signal.SIGKILL:
        assert process.returncode == 0
    else:  # its secrets go with the next start, even of one that comes to nothing
        assert secrets_in(tmp_path)
        nothing = [*UP, "--seconds", "1", "--mqtt", "10.0.0.1:1"]
        assert subprocess.run(nothing, cwd=ROOT, env=env, capture_output=True, check=False).returncode == 1
        assert not list(tmp_path.glob("callfloor-up-*"))
        return
    assert not list(tmp_path.iterdir())


def test_seconds_end_it_and_desks_resize_it() -> None:
    for seconds in (4, 16, 40):  # on a busy machine the first may be over before it is up
        started = time.monotonic()
        args = ("up", "--web", f"{HOST}:0", "--seconds", str(seconds), "--desks", "10")
        done = finished(*args, within_s=seconds + 30)
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - started >= seconds
        if "up after" in done.stdout:
            break
    assert "boards      5, " in done.stdout  # three of four desks, two walls
    assert "up after" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["up", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["up", "--web", "here"], "--web: 'here' is not HOST:PORT"),
        (["up", "--web", f"{HOST}:0", "--mqtt", "10.0.0.1:1883"], "listens on this machine only"),
        (["up", "examples/skien.toml", "--desks", "4"], "has no [simulator]"),
        (["up", "--desks", "0"], "Invalid value for '--desks'"),
        (["sim", "board", "row-z", "--site", "simulator/example.toml"], "did you mean 'row-b'?"),
        (["sim", "floor", "simulator/example.toml"], "[pbx.asterisk]: is missing"),
        (["station", "row-a", "--site", "simulator/example.toml", "--pins", "wood"], "wood"),
        (["station", "row-a", "--site", "simulator/example.toml", "--pins", "memory", "--control", "x"],
         "--control: 'x' is not HOST:PORT, like 127.0.0.1:9001"),
        (["board", "record", "a1", "--site", "simulator/example.toml", "--mqtt", "here"],
         "--mqtt: 'here' is not HOST:PORT, like 127.0.0.1:1883"),
        (["board", "json", "pico-a", "--site", "examples/skien.toml", "--pins", "wood"],
         "--pins: 'wood' is no kind of pins: machine, gpiozero or memory"),
        (["sim", "board", "row-a", "--site", "simulator/example.toml", "--heap", "much"],
         "--heap: 'much' is no size; it is like 192k"),
        (["fly"], "No such command"),
    ],
)
def test_wrong_input_is_answered_in_words(args: list[str], words: str) -> None:
    done = finished(*args)
    told = " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert done.returncode != 0
    assert words in told
    assert "Traceback" not in told


def test_check_says_what_is_wrong_and_what_was_meant(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[site]\nid = "skien"\ntimezone = "Europe/Oslo"\n[[wall]]\nid = "north"\n')
    done = finished("up", str(site), "--check")
    assert done.returncode == 1
    assert f"{site}: site.timezone: unknown key; did you mean 'time_zone'?" in done.stderr
    assert f"{site}: wall[1].panel: is missing" in done.stderr
    site.write_text("[site\n")
    assert "not TOML" in finished("up", str(site), "--check").stderr
    good = finished("up", "--check")
    assert good.returncode == 0
    assert "8 desks, 4 boards, 2 queues, 2 walls" in good.stdout


def test_check_looks_for_the_secrets_and_certificates(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[site]\nid = "s"\n[broker]\nsecret_file = "mqtt"\n[[board]]\nid = "b"\nsecret_file = "board"\n'
        '[pbx.asterisk]\nhost = "pbx"\nuser = "u"\nsecret_file = "ami"\ntls = true\nca_file = "ca.pem"\n'
    )
    (tmp_path / "mqtt").touch(mode=0o600)
    (tmp_path / "mqtt").write_text("two\nlines\n")
    (tmp_path / "board").touch(mode=0o640)
    (tmp_path / "board").write_text("one line\n")
    done = finished("up", str(site), "--check")
    assert done.returncode == 1
    told = [line.removeprefix("callfloor: ") for line in done.stderr.splitlines()]
    assert sorted(told) == [
        f"{site}: broker.secret_file: {tmp_path}/mqtt: a secret is one line",
        f"{site}: pbx.asterisk.ca_file: {tmp_path}/ca.pem is missing; put the certificate there",
        f"{site}: pbx.asterisk.secret_file: {tmp_path}/ami is missing; "
        "write the secret there, one line, mode 600",
        f"{site}: warning: board[1].secret_file: others on this computer could read {tmp_path}/board until now, when "
        "it became mode 600; a new secret is safer",
    ]
    (tmp_path / "mqtt").write_text("one line\n")
    certificates.authority(tmp_path, "ca")
    (tmp_path / "ami").write_text("one line\n")
    for name in ("ami", "ca.pem"):
        (tmp_path / name).chmod(0o644)
    done = finished("up", str(site), "--check")
    assert done.returncode == 0
    assert "good. 0 desks, 1 boards" in done.stdout
    assert done.stderr == (
        f"{site}: warning: pbx.asterisk.secret_file: others on this computer could read {tmp_path}/ami until now, when "
        "it became mode 600; a new secret is safer\n"
    )
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("ami", "board", "mqtt", "ca.pem")}
    assert modes == {"ami": 0o600, "board": 0o600, "mqtt": 0o600, "ca.pem": 0o644}
    assert finished("up", str(site), "--check").stderr == ""


def test_check_looks_at_the_boards_passwords_in_their_folder_and_at_keys(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[site]\nid = "s"\n[page]\ncert_file = "page.pem"\nkey_file = "page.key"\n'
        '[broker]\nuser = "gateway_"\nsecret_file = "mqtt"\nboards_folder = "boards"\n[[board]]\nid = "b"\n'
        '[[board]]\nid = "not-made-yet"\n'
    )
    (tmp_path / "boards").mkdir(mode=0o700)
    certificates.authority(tmp_path, "page")
    for name in ("mqtt", "boards/b"):
        (tmp_path / name).write_text("one line\n")
    for name in ("mqtt", "boards/b", "page.pem", "page.key"):
        (tmp_path / name).chmod(0o644)
    done = finished("up", str(site), "--check")
    assert sorted(done.stderr.splitlines()) == [
        f"{site}: warning: board[1].secret_file: others on this computer could read {tmp_path}/boards/b until now, "
        "when it became mode 600; a new secret is safer",
        f"{site}: warning: broker.secret_file: others on this computer could read {tmp_path}/mqtt until now, when "
        "it became mode 600; a new secret is safer",
        f"{site}: warning: page.key_file: others on this computer can read {tmp_path}/page.key; "
        f"try: chmod 600 {tmp_path}/page.key",
    ]
    assert (tmp_path / "boards" / "b").stat().st_mode & 0o777 == 0o600


NO_PBX = '[site]\nid = "s"\n[[queue]]\nid = "norsk"\nname = "Norsk"\npbx = "no"\n'


@pytest.mark.parametrize("args", [["--check"], ["--web", f"{HOST}:0", "--seconds", "1"]])
def test_a_queue_of_a_phone_system_that_is_not_there_is_named(args: list[str], tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(NO_PBX)
    done = finished("up", str(site), *args)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"callfloor: {site}: queue 'norsk' has pbx = \"no\", but there is no [pbx.asterisk]; "
        "add it, or for another phone system a [[source]], and source in place of pbx\n"
    )
    site.write_text(NO_PBX + "[simulator]\n")
    assert finished("up", str(site), "--check").returncode == 0


def seen(folder: Path) -> dict[str, bytes]:
    """Every file and what is in it, but for an -shm: SQLite notes there who is reading."""
    return {
        path.name: b"" if path.name.endswith("-shm") else path.read_bytes()
        for path in folder.iterdir()
        if path.is_file()
    }


def test_check_looks_where_the_totals_are_to_be_kept_and_touches_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"

    def said(path: Path) -> str:
        site.write_text(f'[site]\nid = "s"\n[history]\npath = "{path}"\n')
        before = seen(tmp_path)
        done = finished("up", str(site), "--check")
        assert seen(tmp_path) == before
        assert (done.returncode == 0) == (done.stderr == "")
        return done.stderr.removeprefix(f"callfloor: {site}: ")

    path = tmp_path / "totals.db"
    assert said(path) == ""  # it is made when the gateway starts
    assert said(tmp_path / "no" / "totals.db") == (
        f"history.path: {tmp_path}/no/totals.db: there is no folder {tmp_path}/no; "
        "make it, or name another in [history]\n"
    )
    assert said(tmp_path).startswith(f"history.path: {tmp_path}: this is no file; name one: ")
    assert "no file of ours" in said(site)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE songs (name TEXT)")
    assert "a database of something else" in said(tmp_path / "other.db")
    (tmp_path / "new.db").touch()
    assert said(tmp_path / "new.db") == ""
    store = Store(path, Calendar("UTC"), floorplan.History())
    try:
        store.commit(Batch({("norsk", 1_800_000_000): {"joined": 1}}, at_s=1_800_000_900))
        assert (tmp_path / "totals.db-wal").stat().st_size
        assert said(path) == ""  # a gateway writes in it
        for name in ("totals.db", "totals.db-wal"):  # as one that was killed, copied elsewhere
            shutil.copy(tmp_path / name, tmp_path / name.replace("totals", "killed"))
    finally:
        store.close()
    assert said(tmp_path / "killed.db") == said(path) == ""


def test_a_board_that_is_wired_wrong_is_said_and_stops_no_floor(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[site]\nid = "s"\n[broker]\nhost = "127.0.0.1"\nport = 1\n[[desk]]\nid = "a1"\n[[board]]\nid = "b"\n'
        'definition = "pico-w"\ninputs = [ { desk = "a1", phone = { by = "contact", pin = "GP99" } } ]\n'
    )
    done = finished("up", str(site), "--seconds", "1", "--web", f"{HOST}:0")
    assert done.returncode == 0, done.stderr
    assert f"{site}: warning: board b: desk 'a1' phone.pin: a Raspberry Pi Pico W has no pin GP99\n" in done.stderr


def test_a_taken_port_is_named() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        done = finished("up", "--web", f"{HOST}:{port}")
    assert done.returncode == 1
    assert f"--web {HOST}:{port}: cannot be used" in done.stderr
