"""`callfloor board replace`: desks go from one board to another in the site file, and nothing else in it changes."""

from __future__ import annotations

import json
import random
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

import callfloor_board
import floorplan
import this_computer
from boards.bench import BenchError, made, replace
from simulator.plugged import Plugged
from tests.forks import finished

SITE = '''# A house.
[site]
id = "s"  # short

[[desk]]
id = "a1"
[[desk]]
id = "a2"

# The row by the window.
[[board]]
id = "old"        # it broke on a Monday
definition = "pico-w"
# Two desks: [ not a bracket that counts
inputs = [
  { desk = "a1", phone = { by = "contact", pin = "GP2" } },  # the first ] in the row
  # and the other
  { desk = "a2", phone = { by = "contact", pin = "GP3", active = "high" } },
]
secret_file = "secrets/old # 1"

[[board]]  # from the box
id = "new"
definition = "pico-w"
[board.wifi]
ssid = "floor"

[[queue]]
id = "q"
name = """a
[[board]]
inputs = 1"""
pbx = "q"

[[wall]]
id = "north"
board = "old"     # not for ever
panel = { kind = "memory" }
pages = [ { queue = "q" } ]'''

AFTER = SITE.replace('''# Two desks: [ not a bracket that counts
inputs = [
  { desk = "a1", phone = { by = "contact", pin = "GP2" } },  # the first ] in the row
  # and the other
  { desk = "a2", phone = { by = "contact", pin = "GP3", active = "high" } },
]
''', "").replace('''id = "new"
definition = "pico-w"
''', '''id = "new"
definition = "pico-w"
# Two desks: [ not a bracket that counts
inputs = [
  { desk = "a1", phone = { by = "contact", pin = "GP2" } },  # the first ] in the row
  # and the other
  { desk = "a2", phone = { by = "contact", pin = "GP3", active = "high" } },
]
''').replace('board = "old"     #', 'board = "new"     #')  # fmt: skip


def written(folder: Path, text: str = SITE) -> Path:
    path = folder / "site.toml"
    path.write_bytes(text.encode())
    return path


def test_the_desks_go_over_with_their_remarks(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.chmod(0o640)
    dry = CliRunner().invoke(callfloor_board.app, ["replace", "old", "new", "--site", str(path), "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert '-board = "old"     # not for ever' in dry.stdout.splitlines()
    assert path.read_text() == SITE
    done = finished("board", "replace", "old", "new", "--site", str(path), "--yes")
    assert done.returncode == 0, done.stderr
    assert path.read_text() == AFTER
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["site.toml"]
    assert f"callfloor board provision new --site {path}" in done.stdout
    plan = floorplan.read(path)
    assert [[place.desk for place in board.inputs] for board in plan.board] == [[], ["a1", "a2"]]
    replace.write(replace.planned(path, plan, "new", "old"))
    assert tomllib.loads(path.read_text()) == tomllib.loads(SITE)


def test_a_new_one_from_the_box_becomes_the_old_one(tmp_path: Path) -> None:
    path = written(tmp_path, '[site]\nid = "s"\n[broker]\n[[board]]\nid = "old"\n')
    text = path.read_text()
    before = made.Made(chip="6f6e65", definition="simulated", firmware="0" * 16, image="1.28.0", when=made.now())
    made.note(made.file_of(path), "old", before)
    with Plugged(tmp_path / "flash", chip=b"two") as device:
        for words in (
            f"'old' was the chip 6f6e65, made on {datetime.now(UTC):%Y-%m-%d}, and is 74776f now\n",
            "'old' is the chip 74776f that it was before: nothing was replaced",
        ):
            done = finished("board", "replace", "old", "--site", str(path), "--port", device.port, "--no-wait")
            assert done.returncode == 0, done.stdout + done.stderr
            assert words in done.stdout
        assert json.loads((device.flash / "board.json").read_text())["board"] == "old"
    assert made.read(made.file_of(path))["old"].chip == "74776f"
    assert path.read_text() == text


@pytest.mark.parametrize(("more", "words"), [
    ((), "nothing is written; with --yes nobody is asked"),
    (("--port", "/dev/null"), "are for a new board from the box: leave 'new' out"),
])  # fmt: skip
def test_without_a_yes_nothing_is_written(more: tuple[str, ...], words: str, tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(BenchError, match=words):
        CliRunner().invoke(callfloor_board.app, ["replace", "old", "new", "--site", str(path), *more],
                           catch_exceptions=False)  # fmt: skip
    assert path.read_text() == SITE


def test_line_ends_stay_what_they_are_also_where_two_editors_were_at_work(tmp_path: Path) -> None:
    for end in ("\r\n", "\n"):
        before, after = ("".join(line + (end if "a" in line else "\r\n") for line in text.split("\n"))
                         for text in (SITE, AFTER))  # fmt: skip
        path = written(tmp_path, before)
        replace.write(replace.planned(path, floorplan.read(path), "old", "new"))
        assert path.read_bytes() == after.encode()


def test_what_is_not_ours_to_write_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)
    change = replace.planned(path, floorplan.read(path), "old", "new")
    path.chmod(0o444)
    with pytest.raises(BenchError, match=r"is closed to writing, its owner's too: open it \(chmod u\+w\)"):
        replace.write(change)
    path.chmod(0o664)
    with monkeypatch.context() as patch:
        patch.setattr(this_computer, "is_root", lambda: False)
        patch.setattr(this_computer, "user_id", lambda: path.stat().st_uid + 1)
        with pytest.raises(BenchError, match="belongs to somebody else"):
            replace.write(change)
    assert path.read_text() == SITE
    saved = SITE.replace("A house", "Our house")
    path.write_text(saved)  # while it was asked: Write this?
    with pytest.raises(BenchError, match="was saved by somebody else meanwhile: nothing is written"):
        replace.write(change)
    assert path.read_text() == saved
    assert [file.name for file in tmp_path.iterdir()] == ["site.toml"]


@pytest.mark.parametrize(("old", "new", "words"), [
    ("olt", "new", "no board 'olt' in the site file; did you mean 'old'"),
    ("old", "old", "for a new one from the box leave the second name out"),
    ("new", "old", "board 'new' has no desk and no wall"),
    ("old", "busy", "board 'busy' is at work: desk a3; name one that is spare"),
    ("old", "pi", "board 'pi' cannot read what 'old' does: .*GP2"),
])  # fmt: skip
def test_what_cannot_be_replaced_is_said(old: str, new: str, words: str, tmp_path: Path) -> None:
    more = SITE + ('\n[[desk]]\nid = "a3"\n[[board]]\nid = "busy"\n'
                   'inputs = [ { desk = "a3", phone = { by = "contact", pin = "GP2" } } ]\n'
                   '[[board]]\nid = "pi"\ndefinition = "raspberry-pi"\n')  # fmt: skip
    path = written(tmp_path, more)
    with pytest.raises(BenchError, match=words):
        replace.planned(path, floorplan.read(path), old, new)


def test_what_we_do_not_understand_is_left_to_people(tmp_path: Path) -> None:
    inputs = '[[board.inputs]]\ndesk = "a1"\nphone = { by = "contact", pin = "GP2" }\n'
    text = f'[site]\nid = "s"\n[[desk]]\nid = "a1"\n[[board]]\nid = "new"\n[[board]]\nid = "old"\n{inputs}'
    path = written(tmp_path, text)
    with pytest.raises(BenchError, match=r"write it by hand: the `inputs` of \[\[board\]\] 'old' go to"):
        replace.planned(path, floorplan.read(path), "old", "new")
    assert path.read_text() == text


def test_desks_of_a_table_are_changed_there(tmp_path: Path) -> None:
    (tmp_path / "desks.csv").write_text("id,board,phone,phone pin\na1,old,contact,GP2\n")
    path = written(tmp_path, 'desks = "desks.csv"\n[site]\nid = "s"\n[[board]]\nid = "new"\n')
    with pytest.raises(BenchError, match=r"desks\.csv: the desks of board 'old' stand in this table: write new into"):
        replace.planned(path, floorplan.read(path), "old", "new")


def test_any_file_of_toml_comes_back_whole() -> None:
    """What is found in a file, put together again, is all of it but remarks and empty lines."""
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    pieces = ['a = 1', 'b = "x # y"', "c = '[['", 'd = """\n[e]\n"""', 'f = [\n1, # ]\n"]",\n]', 'g = { h = "}" }',
              "i = '''\n'\n'''", 'j = "\\"["', "k.l = [[1], []]"]  # fmt: skip
    for _ in range(200):
        lines, wanted = [], []
        for number in range(dice.randrange(1, 6)):
            lines += dice.choices(["", "# [x]", "  # y = 1"], k=dice.randrange(3))
            lines.append(f"[[t{number}]]")
            chosen = dice.sample(pieces, dice.randrange(1, 5))
            lines += chosen
            wanted.append((f"[[t{number}]]", [piece.split("=")[0].strip() for piece in chosen]))
        text = "\n".join(lines) + dice.choice(["", "\n"])
        tomllib.loads(text)
        assert [(header, [row.key for row in block]) for header, block in replace._blocks(text)] == wanted, text


def test_what_a_new_board_has_replaced_in_words() -> None:
    assert replace.became("b", None, "2", True) == (
        "which chip was 'b' before is not in the record of boards made; what the old one has for a password opens "
        "nothing any more"
    )
