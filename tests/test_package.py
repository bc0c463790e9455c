"""What is installed is what is here: the wheel has every file of the product, and starts from anywhere."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """A wheel built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as packed:
        yield packed


def files_here() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = set()
    for name in project["tool"]["hatch"]["build"]["only-include"]:
        paths = [ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*")
        found |= {str(path.relative_to(ROOT)) for path in paths if path.is_file()}
    return {name for name in found if "__pycache__" not in name}


def test_the_wheel_has_every_file_of_the_product(wheel: zipfile.ZipFile) -> None:
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == files_here()
    assert any(name.endswith(".toml") for name in packed)


def test_the_wheel_starts_without_the_tree(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import callfloor\n"
        "print(callfloor.__file__)\n"
        "callfloor.main()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, "up", "--check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    where, says = done.stdout.split("\n", 1)
    assert Path(where).parent == tmp_path
    assert str(tmp_path / "simulator") in says
