"""What is written down is true: the contract's page, the table of dependencies, the pinned packages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs import generate
from firmware import contract

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def asked_for(*lists: list[str]) -> dict[str, Requirement]:
    """The requirements of some lists in pyproject.toml, by name."""
    wanted = [Requirement(line) for lines in lists for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in wanted}


IN_SERVICE = asked_for(
    PROJECT["project"]["dependencies"],
    PROJECT["project"]["optional-dependencies"]["trial"],
    PROJECT["dependency-groups"]["build"],
)
IN_TESTS = asked_for(PROJECT["dependency-groups"]["dev"])


def test_the_contracts_page_says_what_the_contract_says() -> None:
    assert generate.PAGE.read_text(encoding="utf-8") == generate.page(), "run `make docs`"


def test_the_page_has_every_topic_and_field() -> None:
    text = generate.page()
    for message in contract.MESSAGES:
        section = text.partition(f"### `{message.topic}`\n")[2].partition("\n### ")[0]
        for field, _, _ in contract.fields_of(message.topic):
            assert f"| `{field.rstrip('?')}` |" in section
    anchors = re.findall(r"\]\(#([a-z-]+)\)", text)
    assert len(set(anchors)) == len(anchors) == len(contract.MESSAGES)


@pytest.mark.parametrize(
    ("without", "named"),
    [
        ("# the longest its loop was held up since the last health", "'lag_ms' of board/+/health"),
        ("# counts this input's readings since the board started, from 1", "'seq' of board/+/input/+/phone"),
        ("# The house in one line.", "floor/now"),
        ('# the gateway says "now" this often', "BEAT_S"),
    ],
)
def test_a_row_without_words_is_named(
    without: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = []
    for path in generate.SOURCES:
        bare.append(tmp_path / path.name)
        bare[-1].write_text(path.read_text(encoding="utf-8").replace(without, ""), encoding="utf-8")
    assert sum(path.stat().st_size for path in generate.SOURCES) > sum(path.stat().st_size for path in bare)
    monkeypatch.setattr(generate, "SOURCES", tuple(bare))
    with pytest.raises(generate.Undocumented, match=rf"line \d+: {re.escape(named)}"):
        generate.page()


def test_check_tells_a_page_that_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "PAGE", tmp_path / "contract.md")
    assert generate.main(["--check"]) == 1
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "contract.md").write_text("old")
    assert generate.main(["--check"]) == 1


def test_every_dependency_has_its_reason_and_every_reason_its_dependency() -> None:
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    reasons = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", page, re.MULTILINE))
    assert set(reasons) == set(IN_SERVICE) | set(IN_TESTS)
    assert all(len(reason) > 10 for reason in reasons.values())


def pins(name: str) -> dict[str, tuple[str, int]]:
    """(version, number of hashes) of each package in a requirements file."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.findall(r"^([a-z0-9-]+)==(\S+)(.*)$", text, re.MULTILINE)
    return {package: (version, rest.count("--hash=sha256:")) for package, version, rest in found}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("requirements.txt", IN_SERVICE), ("requirements-dev.txt", IN_SERVICE | IN_TESTS)],
)
def test_the_pinned_packages_are_those_asked_for(name: str, wanted: dict[str, Requirement]) -> None:
    pinned = pins(name)
    for package, requirement in wanted.items():
        assert requirement.specifier.contains(pinned[package][0]), f"{package} in {name}: run `make lock`"
    assert all(hashes >= 1 for _, hashes in pinned.values())
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text


def test_tests_run_with_the_packages_of_the_product() -> None:
    both = pins("requirements-dev.txt")
    assert {package: both[package] for package in pins("requirements.txt")} == pins("requirements.txt")
