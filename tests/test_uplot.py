"""What draws the plots comes from npm, is the one we know to the byte, or does not come at all."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from deploy import uplot

# A stand-in for npm: it puts its archive where it is asked to, and writes down how it was asked.
NPM = """#!/bin/sh
echo "$*" >> {asked}
[ -e {archive} ] || {{ echo "npm error 404 not found" >&2; exit 1; }}
cp {archive} "$5/uplot-1.6.32.tgz"
"""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive with the files that uPlot's has, and an npm that brings it."""
    made = tmp_path / "archive.tgz"
    pack(made, b"var uPlot")
    monkeypatch.setattr(uplot, "SHA512", hashlib.sha512(made.read_bytes()).hexdigest())
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(NPM.format(asked=tmp_path / "asked", archive=made))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(sys, "executable", "/bin/false")  # no pip that would fetch another npm
    return made


def pack(archive: Path, script: bytes) -> None:
    with tarfile.open(archive, "w:gz") as out:
        for name in (*uplot.FILES, "package/dist/uPlot.esm.js", "../outside"):
            member = tarfile.TarInfo(name)
            member.size = len(script)
            out.addfile(member, io.BytesIO(script))


def there(lib: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in lib.iterdir()} if lib.is_dir() else {}


def test_npm_brings_three_files_and_nothing_else(archive: Path, tmp_path: Path) -> None:
    lib = tmp_path / "static" / "lib"
    assert not uplot.is_there(lib)
    uplot.bring(lib)
    assert uplot.is_there(lib)
    assert there(lib) == {**dict.fromkeys(uplot.FILES.values(), b"var uPlot"), uplot.MARK: b"1.6.32"}
    assert not list(tmp_path.rglob("outside"))
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("pack uplot@1.6.32 --ignore-scripts --pack-destination ")
    assert not Path(asked.split()[4]).exists()  # the folder it was fetched to is gone


def test_another_archive_of_that_name_is_refused_and_what_is_there_stays(archive: Path, tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    uplot.bring(lib)
    before = there(lib)
    pack(archive, b"var uPlot; alert()")
    with pytest.raises(uplot.CannotBring, match=r"what npm fetched as uplot 1\.6\.32 is not what it was"):
        uplot.bring(lib)
    assert there(lib) == before


def test_without_npm_and_without_pip_it_says_what_failed(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.unlink()
    monkeypatch.setattr(uplot, "LIB", tmp_path / "lib")
    monkeypatch.setattr(uplot.is_there, "__defaults__", (tmp_path / "lib",))
    monkeypatch.setattr(uplot.bring, "__defaults__", (tmp_path / "lib",))
    assert uplot.main() == 1
    said = capsys.readouterr().err
    assert "tables instead of plots: false -m pip failed: it said nothing" in said
    assert "try again: /bin/false" in said
    assert there(tmp_path / "lib") == {}


def test_one_that_was_cut_short_or_is_of_another_version_is_made_anew(archive: Path, tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    uplot.bring(lib)
    (lib / uplot.MARK).write_text("1.6.31")
    assert not uplot.is_there(lib)
    uplot.bring(lib)
    (lib / "uPlot.min.css").unlink()
    assert not uplot.is_there(lib)


def test_this_tree_has_it_and_git_knows_nothing_of_it() -> None:
    assert uplot.is_there(), f"deploy/setup.sh brings it, or: {sys.executable} deploy/uplot.py"
    script = (uplot.LIB / "uPlot.iife.min.js").read_bytes()
    assert b"uPlot (v1.6.32)" in script[:100]
    assert b"eval(" not in script and b"new Function" not in script  # the page's content policy allows neither
    known = subprocess.run(["git", "ls-files", "lib"], cwd=uplot.LIB.parent, capture_output=True, check=False)
    assert known.stdout == b""
