"""The site file: what is wrong is said with its place, and boards are told what they need."""

from pathlib import Path
from typing import Any

import pytest

import floorplan
from floorplan import SiteError

GOOD: dict[str, Any] = {
    "site": {"id": "skien"},
    "broker": {"host": "10.0.0.2", "port": 8883, "keepalive_s": 30},
    "queue": [{"id": "polski", "name": "Polski", "pbx": "polski"}],
    "desk": [{"id": "a1", "extension": "SIP/1"}, {"id": "a2"}],
    "board": [
        {
            "id": "row-a",
            "inputs": [{"desk": "a1", "phone": {"by": "contact", "pin": "GP4"}}],
            "secret_file": "row-a",
        },
        {"id": "wall-w", "wired": "w5500"},
    ],
    "wall": [
        {
            "id": "north",
            "board": "wall-w",
            "panel": {"kind": "file", "path": "n.ppm"},
            "pages": [{"queue": "polski"}],
        },
    ],
}


def check(folder: Path = Path("/nowhere"), **changes: Any) -> floorplan.Plan:
    return floorplan.check(GOOD | changes, "site.toml", folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"site": {"id": "Skien"}}, "site.toml: site.id: an id is 1 to 32 of a-z, 0-9 and -"),
        ({"site": {"id": "s", "time_zone": "Oslo"}}, "site.time_zone: no such time zone; try Europe/Oslo"),
        ({"broker": {"host": "a..b"}}, "broker.host: no host name or address can look like this"),
        ({"brooker": {}}, "site.toml: brooker: unknown key; did you mean 'broker'?"),
        ({"broker": {"prot": 1}}, "broker.prot: unknown key; did you mean 'port'?"),
        ({"desk": [{"id": "a1"}, {"id": "a1"}]}, "two [[desk]] have the id 'a1'"),
        ({"desk": [{"id": "a1", "extension": "SIP/1"}, {"id": "a2", "extension": "SIP/1"}]},
         "[[desk]] a1 and a2 have the same extension 'SIP/1'"),
        ({"queue": [{"id": "a", "name": "A", "pbx": "Q"}, {"id": "polski", "name": "B", "pbx": "q"}]},
         "[[queue]] a and polski have the same pbx 'q'"),
        ({"desk": [{"id": "a11"}]}, "reads desk 'a1', but there is no such [[desk]]; did you mean 'a11'?"),
        ({"queue": []}, "[[wall]] north shows queue 'polski', but there is no such [[queue]]"),
        ({"board": [{"id": "wall-w"}, {"id": "b", "inputs": [
            {"desk": "a1", "phone": {"by": "contact", "pin": "GP4"}},
            {"desk": "a2", "phone": {"by": "contact", "pin": "GP5", "ring": "GP4"}},
        ]}]}, "board[2]: pin GP4 is used twice: input 0 phone.pin and input 1 phone.ring"),
        ({"board": [{"id": "wall-w"}, {"id": "b", "inputs": [{"desk": "a1"}, {"desk": "a1"}]}]},
         "desk 'a1' is plugged in at two inputs"),
        ({"board": [{"id": "wall-w", "inputs": [{"desk": "a1", "phone": {"by": "contact", "pin": "4"}}]}]},
         "board[1].inputs[1].phone.pin: a pin is written as on the board: GP4, IO33, GPIO17"),
        ({"wall": [{"id": "n", "board": "wall-w", "panel": {"kind": "file"}, "pages": [{}]}]}, "needs a path"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SiteError) as told:
        check(**changes)
    assert words in str(told.value)


def test_a_board_is_told_what_it_needs_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "row-a").write_text("0123456789abcdef\n")
    plan = check(tmp_path)
    told = floorplan.board_json(plan, "row-a", {"kind": "machine"})
    assert told["broker"] == {
        "host": "10.0.0.2", "port": 8883, "keepalive_s": 30, "user": "row-a", "password": "0123456789abcdef",
    }  # fmt: skip
    assert told["inputs"] == [{"phone": {"by": "contact", "pin": "GP4", "active": "low", "hangup_ms": 250}}]
    assert told["panels"] == []
    assert "desk" not in str(told)
    wall = floorplan.board_json(plan, "wall-w", {"kind": "machine"})
    assert wall["panels"] == [{"kind": "file", "size": [64, 32], "path": str(tmp_path / "n.ppm")}]
    assert wall["w5500"] == {}
    assert "password" not in str(wall)


@pytest.mark.parametrize(
    ("text", "words"), [("", "a secret is one line"), ("a\nb\n", "a secret is one line")]
)
def test_a_secret_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "row-a").write_text(text)
    with pytest.raises(SiteError, match=words):
        floorplan.board_json(check(tmp_path), "row-a", {})


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"row-a: the secret cannot be read"):
        floorplan.board_json(check(tmp_path), "row-a", {})
