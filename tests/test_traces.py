"""Every file in tests/traces, on both Pythons: what a desk's wires did, and what has to be said of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from boards import play, trace
from tests import pythons

TRACES = sorted((Path(__file__).parent / "traces").glob("*.txt"))
PLAYER = """
import json, sys
from boards import trace
for path in sys.argv[1:]:
    played = trace.read(open(path).read())
    print(json.dumps([path, trace.amiss(played, trace.play(played))]))
"""


@cache
def on_micropython() -> dict[str, str]:
    """What is amiss, by the file's path."""
    printed = pythons.run("micropython", "-c", PLAYER, *map(str, TRACES), within_s=60)
    return dict(json.loads(line) for line in printed.splitlines())


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_it_says_what_it_must(path: Path, python: str, request: pytest.FixtureRequest) -> None:
    played = trace.read(path.read_text(encoding="utf-8"))
    if python == "cpython":
        amiss = trace.amiss(played, trace.play(played))
    else:
        request.getfixturevalue("micropython")
        amiss = on_micropython()[str(path)]
    if amiss:
        pytest.fail(f"{path.name}: {played.title}\n{amiss}", pytrace=False)


SHORT = """# Lifted.
# input {"phone": {"by": "contact", "pin": "GP4"}}
ms hook
0 0
1000 1
2000 -
must
250 phone idle since 0
1020 phone talking since 1000
"""


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("1020 phone talking", "1120 phone talking"),
        ("since 1000", "since 900"),
        ("talking", "ringing"),
        ("1020 phone talking since 1000\n", ""),
        ("since 1000\n", "since 1000\n1500 phone idle since 1500\n"),
        ("since 1000\n", "since 1000 why chatter\n"),
    ],
)
def test_a_file_that_demands_something_else_is_amiss(said: str, instead: str) -> None:
    right, wrong = trace.read(SHORT), trace.read(SHORT.replace(said, instead))
    assert trace.amiss(right, trace.play(right)) == ""
    assert trace.amiss(wrong, trace.play(wrong)) != ""


@pytest.mark.parametrize(
    ("line", "instead", "complaint"),
    [
        ("ms hook", "ms hok", "line 3, 'ms hok': the columns are"),
        ("1000 1", "1000 x", "line 5, '1000 x': a level is"),
        ("1000 1", "1000 1 1", "line 5, '1000 1 1': 2 columns, and 3 words"),
        ("2000 -", "500 -", "line 6, '500 -': a row comes after"),
        ("1020 phone talking since 1000", "1020 lamp on", "line 9, '1020 lamp on'"),
        ('# input {"phone"', '# input {"phone', "line 2, "),
        ("# Lifted.", "# Lifted.\n# times MARS", "line 2, '# times MARS'"),
        ("# Lifted.", "# Lifted.\n# poll_ms 0", "line 2, '# poll_ms 0'"),
        ("# input", "# remark", "a trace has at least"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(line: str, instead: str, complaint: str) -> None:
    with pytest.raises(ValueError) as raised:
        trace.read(SHORT.replace(line, instead, 1))
    assert complaint in str(raised.value)


def test_what_is_written_can_be_read_again() -> None:
    played = trace.read(SHORT)
    said = trace.play(played)
    again = trace.read(SHORT.partition("must\n")[0] + "must\n" + trace.written(said) + "\n")
    assert again.must == said


def test_the_command_plays_files_and_says_what_is_amiss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, broken = (tmp_path / name for name in ("good.txt", "bad.txt", "broken.txt"))
    good.write_text(SHORT)
    bad.write_text(SHORT.replace("1020 phone talking", "1020 phone ringing"))
    broken.write_text("ms hook\n0 up\n")
    assert play.play([good]) == 0
    assert "1020 phone talking since 1000\nas it must be" in capsys.readouterr().out
    assert play.play([bad, broken, tmp_path / "none.txt", good]) == 1
    printed = capsys.readouterr()
    assert "1020 phone ringing since 1000\nand says" in printed.out
    assert "as it must be" in printed.out
    assert "broken.txt: cannot be played: line 2, '0 up'" in printed.err
    assert "none.txt: cannot be played: No such file or directory; is it what `callfloor board record`" in printed.err
    broken.write_bytes(b"\xff\xfe")
    assert play.play([broken]) == 1
    assert "broken.txt: cannot be played: it is no text; is it what" in capsys.readouterr().err
