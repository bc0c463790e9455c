"""The API as it describes itself: everything in it has an example, and a real gateway does as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from gateway.people.gate import TABLE
from gateway.web import openapi
from tests.house import House

SEED = int(os.environ.get("SEED", "20"))
# Without the collector of garbage: with its threads and callbacks, CPython 3.11 may raise SystemError in ast.parse.
SCHEMATHESIS = (
    "import gc, sys; gc.disable(); sys.argv[0] = 'schemathesis'; "
    "from schemathesis.cli import schemathesis as main; main()"
)
# Streams end only with whoever listens: the first event is enough. What depends on more than a schema can say, and
# how it is refused then: a figure told without the one it is part of; a name of two scripts, or of letters that
# stand for several; a link to an account used without a name.
SETTINGS = """\
max-stream-events = 1
request-timeout = 8

[[operations]]
include-name = "POST /api/queues/{queue}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]

[[operations]]
include-path-regex = "^/api/(tokens|join)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]

[[operations]]
include-path-regex = "^/api/boards/|/events$"
phases.fuzzing.enabled = false
"""


class Api:
    """A real house, and what it says of itself."""

    def __init__(self, house: House) -> None:
        self.house = house
        status, self.told = house.get("/openapi.json")
        assert status == 200
        self.operations = {
            (method, path): operation for path, method, operation in openapi.operations(self.told)
        }


def change(folder: Path, tables: dict[str, Any]) -> None:
    """One board, a wall in a browser, a source that pushes."""
    (folder / "push").write_text("a token of the source's own\n")
    tables["board"] = tables["board"][:1]
    desks = {place["desk"] for place in tables["board"][0]["inputs"]}
    tables["desk"] = [desk for desk in tables["desk"] if desk["id"] in desks]
    tables["wall"] = [{"id": "north", "panel": {"kind": "browser"}, "pages": [{"queue": "norsk"}]}]
    tables["source"] = [{"id": "chat", "secret_file": str(folder / "push")}]
    tables["queue"].append({"id": "chats", "name": "Chats", "kind": "chat", "source": "chat"})


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    with House(folder, lambda tables: change(folder, tables)) as house:
        house.start_all()
        yield Api(house)


# ---- what it says ----


def test_it_describes_every_address_of_the_table_that_is_not_a_page(api: Api) -> None:
    described = set(api.operations)
    pages = {row for row in TABLE if not re.match(r"/(api/|metrics|healthz|walls/|wall/\{wall\}/|phone/)", row[1])}
    left_out = {row for row in TABLE.keys() - described - pages if not row[1].startswith("/phone/")}
    assert left_out == set()
    assert described <= TABLE.keys()
    assert len(described) > 30


def content(api: Api) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(where, media type, content) of every request and answer."""
    for (method, path), operation in api.operations.items():
        for kind, told in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{method} {path}", kind, told
        for status, answer in operation["responses"].items():
            for kind, told in answer.get("content", {}).items():
                yield f"{method} {path} {status}", kind, told


def test_every_request_and_answer_has_an_example_that_fits(api: Api) -> None:
    looked = 0
    for where, kind, told in content(api):
        examples = [one["value"] for one in told.get("examples", {}).values()] + [
            told[name] for name in ("example",) if name in told
        ]
        if kind.startswith("image/"):
            continue
        assert examples, f"{where}: {kind} has no example"
        schema = {**told["schema"], "components": api.told["components"]}
        for example in examples:
            problems = [str(error) for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(example)]
            assert problems == [], f"{where}: {example!r}"
            looked += 1
    assert looked > 300


def test_no_example_is_a_mere_placeholder(api: Api) -> None:
    """A text that is its own field's name, or none at all where something is told."""
    for where, _, told in content(api):
        for example in told.get("examples", {"": {"value": told.get("example")}}).values():
            value = example["value"]
            if isinstance(value, dict):
                same = [name for name, text in value.items() if isinstance(text, str) and text == name]
                assert same == [], f"{where}: {same}"


def test_every_parameter_has_an_example(api: Api) -> None:
    without = [
        f"{method} {path}: {parameter['name']}"
        for (method, path), operation in api.operations.items()
        for parameter in operation.get("parameters", ())
        if not {"example", "examples"} & parameter.keys()
    ]
    assert without == []


def test_it_says_how_to_log_in_and_what_the_gate_refuses(api: Api) -> None:
    schemes = api.told["components"]["securitySchemes"]
    assert schemes["token"]["scheme"] == "bearer"
    assert (schemes["cookie"]["in"], schemes["cookie"]["name"]) == ("cookie", "callfloor")
    for row, operation in api.operations.items():
        needs, refused = TABLE[row], set(operation["responses"])
        if needs == "own":
            continue
        assert {"401", "421", "429", "503"} <= refused, row
        assert ("403" in refused) is (needs not in ("anybody", "login") or row[0] != "GET"), row
        assert {"token": []} in operation["security"] and {"cookie": []} in operation["security"]
        assert ({} in operation["security"]) is (needs == "anybody"), row
    assert "HTTPValidationError" not in json.dumps(api.told)


# ---- what it does ----


def test_it_does_as_it_says_whatever_is_asked(api: Api, tmp_path: Path) -> None:
    """All of schemathesis' checks over HTTP, by an admin's token: its examples, its limits, and what is made up."""
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS)
    print(f"SEED={SEED}")
    ran = subprocess.run(
        [
            sys.executable, "-c", SCHEMATHESIS, "--config-file", settings, "run", f"{api.house.web}/openapi.json",
            "--header", f"Authorization: {api.house.login['Authorization']}", "--checks", "all",
            "--phases", "examples,coverage,fuzzing", "--max-examples", "3", "--seed", str(SEED), "--workers", "1",
            "--warnings", "off", "--suppress-health-check", "all", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "NO_PROXY": "*", "PYTHONPATH": "", "COLUMNS": "120"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr
    selected = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", ran.stdout)
    assert selected and len({*selected.groups()}) == 1, "all of it was asked"
    assert api.house.get("/healthz")[0] == 200, "and the gateway is well"
