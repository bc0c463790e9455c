"""The tab key: what a shell is offered, and how little is loaded for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_table import commands, kind_of, run_all
from tests.house import EXAMPLE
from tests.pythons import ROOT

EVERY = commands()


def tab(shells: str, folder: Path, *lines: str) -> list[list[str]]:
    """What each shell is offered at the end of each line, or at | in it."""
    envs = []
    for shell, line in ((shell, line) for shell in shells.split() for line in lines):
        before, _, behind = line.partition("|")
        words = before.split(" ")
        asked = {
            "bash": {"COMP_WORDS": before + behind, "COMP_CWORD": str(len(words) - 1)},
            "zsh": {"_TYPER_COMPLETE_ARGS": before},
            "fish": {"_TYPER_COMPLETE_ARGS": before, "_TYPER_COMPLETE_FISH_ACTION": "get-args",
                     "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1]},
        }[shell]  # fmt: skip
        envs.append({"_CALLFLOOR_COMPLETE": f"complete_{shell}"} | asked)
    said = run_all([[] for _ in envs], folder, envs=envs)
    assert [row.err for row in said] == [""] * len(envs)
    return [row.out.split() for row in said]


def test_ids_come_from_the_site_file_on_the_same_line(tmp_path: Path) -> None:
    for offered in tab("bash zsh fish", tmp_path, f"callfloor board revoke --site {EXAMPLE} row-"):
        whole = " ".join(offered)
        assert "row-a" in whole and "row-b" in whole and "wall-north" not in whole


def test_where_the_site_file_stands_makes_no_difference(tmp_path: Path) -> None:
    """Behind the cursor, as an argument; and a plan in a CSV file is offered, too."""
    (tmp_path / "desks.csv").write_text("\ufeffid;name;board\nx1;One;pico-1\nx2;Two;pico-2\n", encoding="utf-8")
    (tmp_path / "site.toml").write_text('desks = "desks.csv"\n[site]\nid = "x"\n')
    boards, walls, desks, queues, csv_boards, csv_desks = tab(
        "bash", tmp_path,
        f"callfloor board revoke row-| --site {EXAMPLE}",
        f"callfloor wall preview {EXAMPLE} --wall ",
        f"callfloor phone urls --site {EXAMPLE} ",
        f"callfloor export {EXAMPLE} --queue ",
        f"callfloor board revoke --site {tmp_path}/site.toml ",
        f"callfloor phone urls --site {tmp_path}/site.toml ",
    )  # fmt: skip
    assert (boards, walls) == (["row-a", "row-b"], ["north", "south"])
    assert "a1" in desks and "norsk" in queues
    assert (csv_boards, csv_desks) == (["pico-1", "pico-2"], ["x1", "x2"])


def test_a_broken_site_file_offers_nothing_and_says_nothing(tmp_path: Path) -> None:
    names = ["/nowhere.toml", str(tmp_path)]
    for number, text in enumerate(("[site", "board = 3", "board = [1]\n", "[[board]]\nid = 5\n", "\0")):
        names.append(f"{tmp_path}/{number}.toml")
        Path(names[-1]).write_text(text)
    lines = [f"callfloor board revoke --site {name} " for name in names] + ["callfloor board revoke "]
    assert tab("bash", tmp_path, *lines) == [[]] * len(lines)


def test_every_place_for_an_id_offers_ids() -> None:
    for command in EVERY:
        if command.words == ("desk", "forget"):
            continue  # it is for desks that the site file has no more
        for param in command.params:
            if kind_of(param) == "str" and param.name in ("board", "boards", "desk", "wall", "old", "new", "queue"):
                assert param._custom_shell_complete is not None, f"{' '.join(command.words)}: {param.name}"


@pytest.mark.parametrize("words", [[], ["board", "flash", "--help"]])
def test_a_tab_and_a_help_are_quick(words: list[str]) -> None:
    """Nothing of ours is loaded that is not needed for them: what checks a site file takes as long as all the rest."""
    program = (
        "import sys, callfloor\n"
        "try: callfloor.main()\nexcept SystemExit: pass\n"
        "print(*sorted({'floorplan', 'psutil', 'paho', 'fastapi', 'sqlite3', 'cryptography', 'argon2',"
        " 'serial', 'PIL', 'rich.progress', 'gateway', 'wallboard', 'boards'} & set(sys.modules)), file=sys.stderr)"
    )
    line = f"callfloor board revoke --site {EXAMPLE} "
    env = {} if words else {"_CALLFLOOR_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "5"}
    done = subprocess.run([sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, timeout=20,
                          env=os.environ | env, check=False)  # fmt: skip
    assert ("Usage" if words else "row-a") in done.stdout
    assert done.stderr.split() == []
