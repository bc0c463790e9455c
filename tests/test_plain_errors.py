"""Every command of the table with what should not be given to it: words that name it, and no traceback."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import typer

import callfloor
import callfloor_errors
from boards.ear import CommandError, Ear
from docs.commands import KINDS
from floorplan import Broker
from tests import rights
from tests.brokers import HOST
from tests.command_table import Command, commands, kind_of, run_all
from tests.pythons import ROOT

# What is given where a command wants a file, and what it must say of it: its name.
ODD = "Zoë-日本-\N{PILE OF POO}"


def hostile(folder: Path) -> dict[str, Path]:
    """Files and folders that no command can use."""
    made = {
        "missing": folder / "missing" / "site.toml",
        "folder": folder / "folder.toml",
        "binary": folder / "binary.toml",
        "empty": folder / "empty.toml",
        "huge": folder / "huge.toml",
        "odd": folder / f"{ODD}.toml",
        "pipe": folder / "pipe.toml",
        "unreadable": folder / "unreadable.toml",
    }
    made["folder"].mkdir()
    made["binary"].write_bytes(bytes(range(256)) * 40)
    made["empty"].touch()
    with made["huge"].open("wb") as file:
        file.truncate(300 * 2**20)
    made["odd"].write_text("[site]\nid = 'x'\n" + f"{ODD.split('-', maxsplit=1)[0]} = 1\n")
    if hasattr(os, "mkfifo"):
        os.mkfifo(made["pipe"])
    made["unreadable"].write_text("[site]\nid = 'x'\n")
    rights.forbidden(made["unreadable"])
    return made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return hostile(tmp_path_factory.mktemp("hostile"))


# What some commands want first, before they look at a file.
ALSO = {"board rotate": ["--all"], "desk forget": ["--all"], "station": ["some-name"]}


# Commands that wait for somebody or start what goes on: with a file that is none they must end all the same.
def given(command: Command, file: str, folder: Path) -> list[str] | None:
    """A command line with this file wherever it wants a site file; None where it wants none."""
    words, used = [*command.words, *ALSO.get(" ".join(command.words), [])], False
    for param in command.required:
        text, is_file = value_of(param, file)
        used |= is_file
        words += [param.opts[0], text] if param.opts[0].startswith("-") else [text]
    if not used:
        option = next((param for param in command.params if param.name in ("site", "file", "told")), None)
        if option is None:
            return None
        words += [option.opts[0], file] if option.opts[0].startswith("-") else [file]
    return words


def value_of(param: Any, file: str) -> tuple[str, bool]:
    """(what is given for a parameter, whether it is the file)."""
    kind = kind_of(param)
    if param.name in ("site", "file", "files") or (kind == "Path" and param.name not in ("out", "png")):
        return file, True
    return {"int": "1", "float": "1"}.get(kind, "some-name"), False


def test_no_command_shows_a_traceback_whatever_file_it_is_given(files: dict[str, Path], tmp_path: Path) -> None:
    lines, of = [], []
    for command in commands():
        for kind, path in files.items():
            words = given(command, str(path), tmp_path)
            a_stream = kind == "pipe" and command.words == ("replay",)  # it may come from another program
            if words is not None and path.exists() | (kind == "missing") and not a_stream:
                lines.append(words)
                of.append((command, kind, path))
    assert len(lines) > 100
    wrong = []
    for (_, kind, path), (words, status, out, err) in zip(of, run_all(lines, tmp_path), strict=True):
        said = out + err
        if "Traceback" in said or status not in (1, 2):
            wrong.append(f"{' '.join(words)}: status {status}: {said[-400:]}")
        elif not (path.name in said or str(path) in said.replace("\n", "")):
            wrong.append(f"{' '.join(words)}: does not name {path.name} ({kind}): {said[-300:]}")
    assert not wrong, "\n".join(wrong)


def test_numbers_out_of_range_and_odd_words_end_in_words(tmp_path: Path) -> None:
    """Every option of every command that ends by itself, one at a time, with what cannot be meant."""
    site = tmp_path / "site.toml"
    site.write_text("[site]\nid = 'x'\n")
    lines: list[list[str]] = []
    for command in commands():
        if KINDS[" ".join(command.words)].does == "runs":
            continue
        base = given(command, str(site), tmp_path) or list(command.words)
        for param in command.params:
            if not param.opts[0].startswith("-") or getattr(param, "is_flag", False) or param.name in ("site", "help"):
                continue
            odd = {"int": ["-99999999999999999999", "1.5", "many"], "float": ["nan", "-1e400", "much"]}
            texts = odd.get(kind_of(param), [ODD, "\udcff\udcfe", "x" * 5000])
            lines.append([*base, param.opts[0], texts[len(lines) % len(texts)]])
    wrong = [
        f"{' '.join(words)[:200]}: status {status}: {(out + err)[-300:]}"
        for words, status, out, err in run_all(lines, tmp_path, 2)
        if "Traceback" in out + err or "something of ours broke" in err or status not in (0, 1, 2, "hangs")
    ]
    assert not wrong, "\n".join(wrong)


# The one place where errors end -------------------------------------------------


@pytest.mark.parametrize("name", callfloor_errors.OURS)
def test_every_error_of_ours_is_there_by_its_name(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_errors_whose_text_is_for_people_are_all_in_the_list() -> None:
    """Those that say so of themselves: 'the text says what to try'."""
    folders = [ROOT / part for part in ("boards", "gateway", "wallboard", "simulator", "doctor")]
    for path in [*ROOT.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and re.search(r"[Tt]he text (says|names)", ast.get_docstring(node) or ""):
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                kind = getattr(importlib.import_module(module), node.name)
                names = {f"{one.__module__}.{one.__qualname__}" for one in kind.__mro__}
                inside = {"gateway.mqtt.BrokerLost", "gateway.queues.push_body.PushError"}  # these end in the gateway
                assert names & {*callfloor_errors.OURS, *inside}, f"{module}.{node.name}"


def callfloor_with(command: str, *options: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command line with a command `broken` in it, that does what is given."""
    program = (
        "import typer, callfloor, sys\n"
        "@callfloor.app.command('broken')\n"
        f"def broken() -> None:\n    {command}\n"
        f"sys.argv = ['callfloor', *{list(options)!r}, 'broken']\n"
        "callfloor.main()\n"
    )
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=20,
                          env=os.environ | (env or {}), check=False)  # fmt: skip


def test_what_breaks_is_said_in_a_line_and_shown_with_debug() -> None:
    done = callfloor_with("raise KeyError('oh')")
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("callfloor: something of ours broke: KeyError: 'oh'; run it again as `callfloor --")
    assert len(done.stderr.splitlines()) == 1
    for shown in (callfloor_with("raise KeyError('oh')", "--debug"),
                  callfloor_with("raise KeyError('oh')", env={"CALLFLOOR_DEBUG": "1"})):  # fmt: skip
        assert shown.returncode == 70
        assert "Traceback" in shown.stderr and "something of ours broke" in shown.stderr


def test_a_file_that_cannot_be_used_is_named_with_what_to_try(tmp_path: Path) -> None:
    done = callfloor_with(f"open({str(tmp_path / 'none' / 'file')!r})")
    assert done.returncode == 1
    assert done.stderr.startswith(f"callfloor: {tmp_path}/none/file: No such file or directory; is the path right?")
    assert len(done.stderr.splitlines()) == 1


def test_who_has_read_enough_is_no_error() -> None:
    for command in ("[print('x' * 100) for _ in range(20000)]", "import sys; sys.stdout.write('x' * 200)"):
        program = f"import callfloor\n@callfloor.app.command('b')\ndef b() -> None:\n    {command}\n" \
                  "import sys; sys.argv = ['callfloor', 'b']; callfloor.main()"  # fmt: skip
        with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:  # fmt: skip
            assert process.stdout and process.stderr
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(20) == 0


def test_a_pipe_that_breaks_elsewhere_is_an_error() -> None:
    done = callfloor_with("raise BrokenPipeError")
    assert done.returncode == 70 and "a connection broke" in done.stderr


def test_a_full_disk_behind_the_output_is_said() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-m", "callfloor", "udev"], cwd=ROOT, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=20, check=False)  # fmt: skip
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert "No space left on device" in done.stderr and done.returncode == 1


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_that_lacks_a_letter_gets_its_number(encoding: str, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(f'[site]\nid = "x"\n"{ODD}" = 1\n', encoding="utf-8")
    program = (
        "import sys, callfloor\n"
        "site, odd = sys.argv[1:]\n"
        "for words in (['board', '--help'], ['up', site, '--check'], ['board', odd]):\n"
        "    sys.argv[1:] = words\n"
        "    try: callfloor.main()\n"
        "    except SystemExit as end: print('ended', end.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(site), ODD], cwd=ROOT, capture_output=True, timeout=30,
                          env=os.environ | {"PYTHONIOENCODING": encoding}, check=False)  # fmt: skip
    assert b"Traceback" not in done.stderr and b"broke" not in done.stderr, done.stderr
    assert [line for line in done.stdout.split(b"\n") if line.startswith(b"ended")] == [
        b"ended 0", b"ended 1", b"ended 2"], done.stderr  # fmt: skip


def test_what_is_wrong_with_a_site_file_has_a_bound(tmp_path: Path) -> None:
    """All of a mistake that is made in each of many desks would fill the terminal, and hide the first."""
    site = tmp_path / "site.json"
    site.write_text(json.dumps({"site": {"id": "x"}, "desk": [{"id": f"a{n}", "naem": 1} for n in range(2000)]}))
    up, doctor, both = run_all([["up", str(site), "--check"], ["doctor", str(site), "--json"],
                                ["doctor", str(site), "--site", str(site)]], tmp_path)  # fmt: skip
    assert up.status == 1 and "unknown key; did you mean 'name'?" in up.err.splitlines()[0]
    assert len(up.err.splitlines()) == callfloor_errors.LINES + 1 and up.err.endswith("\nand 1,980 more\n")
    (finding,) = [row for row in json.loads(doctor.out)["findings"] if row["check"] == "site file"]
    assert finding["words"].endswith("; and 1,999 more")
    assert both.status == 1 and "one at a time" in both.err


def test_words_of_what_was_not_there(tmp_path: Path) -> None:
    """Each says the fault that somebody can mend, and no other's words."""
    site = tmp_path / "site.toml"
    site.write_text("[site]\nid = 'x'\n")
    asked = (
        (["board", "log", "socket://"], "socket://: no kind of port"),
        (["board", "log", "/dev/null"], "/dev/null: this is no serial port"),
        (["board", "log", ""], "name one, like COM3"),
        (["board", "list", "--port", ""], "name one, like COM3"),
        (["person", "remove", "somebody", str(site)], f"the site file comes first: {site} somebody"),
        (["export", str(site), "--by", "year"], "not by 'year'"),
        (["export", str(site), "--queue", "nope"], "there is no queue 'nope'"),
        (["board", "flash", "true", "--next", "--site", str(site)], "'true' and --next are too many"),
        (["audit", str(site)], "nothing has been changed yet"),
    )
    for done, (_, why) in zip(run_all([words for words, _ in asked], tmp_path), asked, strict=True):
        assert why in done.err and done.status == (done.words[0] != "audit"), done


def test_whoever_answers_and_is_no_broker_is_called_so() -> None:
    """A web server, say: it hangs up when it is spoken to in MQTT."""
    with socket.create_server((HOST, 0)) as web:

        def answer() -> None:
            with web.accept()[0] as client:
                client.recv(100)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(CommandError, match="no MQTT broker answers at"):
            Ear(Broker(host=HOST, port=web.getsockname()[1]), "x", ["#"])
        thread.join()


def test_ctrl_c_while_the_commands_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "callfloor", "board", "list"]
    done = subprocess.run(command, check=False, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30)
    assert (done.stderr, done.stdout) == ("callfloor: stopped\n", "") and done.returncode != 0


def test_the_walk_sees_the_whole_table() -> None:
    """A command that is hidden, or in a group of its own, is walked too."""
    names = {" ".join(command.words) for command in commands()}
    assert {"up", "gateway", "board json", "sim floor", "doctor", "person invite"} <= names
    group = typer.main.get_command(callfloor.app)
    assert len(names) >= len(group.commands)  # type: ignore[attr-defined]
