"""The site file: what is wrong is said with its place, and boards are told what they need."""

import copy
import os
import re
import stat
import tomllib
from collections.abc import Iterator
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
        ]}]}, "board[2]: pin GP4 is used twice: phone.pin of desk 'a1' and phone.ring of desk 'a2'"),
        ({"board": [{"id": "wall-w"}, {"id": "b", "inputs": [
            {"desk": "a1", "headset": {"by": "usb", "port": "1-1.2"}},
            {"desk": "a2", "headset": {"by": "usb", "port": "1-1.2"}},
        ]}]}, "board[2]: USB port 1-1.2 is used twice: headset.port of desk 'a1' and headset.port of desk 'a2'"),
        ({"site": {"id": "s", "seating": "login"},
          "desk": [{"id": "a1", "device": "PJSIP/Desk-1"}, {"id": "a2", "device": "pjsip/desk-1/n"}]},
         "[[desk]] a1 and a2 have the same device 'pjsip/desk-1'"),
        ({"board": [{"id": "wall-w"}, {"id": "b", "inputs": [{"desk": "a1"}, {"desk": "a1"}]}]},
         "desk 'a1' is plugged in at two inputs"),
        ({"board": [{"id": "wall-w", "inputs": [{"desk": "a1", "phone": {"by": "contact", "pin": "4"}}]}]},
         "board[1].inputs[1].phone.pin: a pin is written as on the board: GP4, IO33, GPIO17"),
        ({"wall": [{"id": "n", "board": "wall-w", "panel": {"kind": "file"}, "pages": [{"queue": "a"}]}]},
         "needs a path"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SiteError) as told:
        check(**changes)
    assert words in str(told.value)


ASTERISK = {"host": "pbx", "user": "u", "secret_file": "ami"}
POLSKI = {"id": "polski", "name": "Polski", "pbx": "polski"}
WALL = {"id": "n", "board": "wall-w", "panel": {"kind": "memory"}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"site": {"id": "s", "hours": "mon-fri 08:00-20:00"}}, 'site.hours: is a list: hours = ["…"]'),
        ({"site": {"id": "s", "hours": [8]}}, 'site.hours[1]: is text in quotes: "…"'),
        ({"site": {"id": "s", "hours": ["sat 9-5"]}},
         "site.hours[1]: times of the week are written as: mon-fri 08:00-20:00, or: sat 10:00-16:00"),
        ({"site": {"id": "s", "day_begins": 4}}, 'site.day_begins: is text in quotes: "…"'),
        ({"site": {"id": "s", "clock": "trust"}},
         "site.clock: is \"auto\" or \"trusted\"; did you mean 'trusted'?"),
        ({"site": "skien"}, "site: is a table: [site]"),
        ({"history": "totals.db"}, "history: is a table: [history]"),
        ({"history": {"path": 5}}, 'history.path: is text in quotes: "…"'),
        ({"history": {"quarters_days": "a year"}},
         "history.quarters_days: is a whole number, without quotes"),
        ({"history": {"quarters_days": 1.5}}, "history.quarters_days: is a whole number"),
        ({"history": {"days_days": 0}}, "history.days_days: is 1 or more"),
        ({"source": {"id": "web"}}, "source: is a list: [[source]], once for each"),
        ({"source": ["web"]}, "source[1]: is a table: [[source]]"),
        ({"source": [{"id": "web", "secret_file": 5}]}, 'source[1].secret_file: is text in quotes: "…"'),
        ({"source": [{"id": "web", "secret_file": "s", "silent_s": 4000}]},
         "source[1].silent_s: is 3600 or less"),
        ({"queue": [POLSKI | {"kind": "voise"}]},
         "queue[1].kind: is \"voice\", \"chat\" or \"callback\"; did you mean 'voice'?"),
        ({"queue": [POLSKI | {"target": "80/20"}]}, "queue[1].target: is a table: target = { … }"),
        ({"queue": [POLSKI | {"target": {"share": "80 %"}}]},
         "queue[1].target.share: is a number, without quotes"),
        ({"queue": [POLSKI | {"target": {"share": 0}}]}, "queue[1].target.share: is more than 0"),
        ({"pbx": {"asterisk": ASTERISK | {"tls": "sure"}}},
         "pbx.asterisk.tls: is true or false, without quotes"),
        ({"pbx": {"asterisk": ASTERISK | {"host": ""}}},
         "pbx.asterisk.host: is empty; it is the name or address of a computer"),
        ({"pbx": {"asterisk": ASTERISK | {"ca_file": "ca.pem"}}},
         "pbx.asterisk: ca_file is only for TLS: add tls = true, or leave ca_file out"),
        ({"queue": [POLSKI | {"names": {"nb": ""}}]}, "queue[1].names.nb: is text of 1 or more letters"),
        ({"queue": [POLSKI | {"names": {"nb": "W" * 400}}]}, "queue[1].names.nb: is text of at most 80 letters"),
        ({"queue": [POLSKI | {"levels": {"waiting": [6, 12], "back": 50}}]},
         "queue[1].levels: back = 50: amber would end at 50 callers less than 6, and fewer than none never wait: "
         "give back less than the first number of waiting"),
        ({"wall": [WALL | {"pages": [{}]}]},
         'wall[1].pages[1]: a page names no queue: write queue = "…" or queues = ["…", "…"]'),
        ({"wall": [WALL | {"pages": [{"queues": ["a", "a"]}]}]},
         "wall[1].pages[1]: a page shows queue 'a' twice: name it once"),
        ({"wall": [WALL | {"pages": [{"queue": "a", "queues": ["a"]}]}]},
         "wall[1].pages[1]: a page shows queue 'a' twice: name it once"),
        ({"wall": [WALL | {"pages": [{"queue": "a", "free_desk": False}]}]},
         "wall[1].pages[1].free_desk: unknown key; did you mean 'free_desks'?"),
        ({"wall": [WALL | {"pages": []}]}, "wall[1].pages: is a list of at least 1"),
        ({"simulator": True}, "simulator: is a table: [simulator]"),
        ({"simulator": {"queue": {"No 1": {}}}},
         "simulator.queue.No 1: an id is 1 to 32 of a-z, 0-9 and -"),
        ({"simulator": {"queue": {"n": {"by_hour": 3}}}},
         "simulator.queue.n.by_hour: is a list: by_hour = [1, 2]"),
        ({"simulator": {"queue": {"n": {"dsks": 3}}}},
         "simulator.queue.n.dsks: unknown key; did you mean 'desks'?"),
        ({"simulator": {"surges": {"queue": "n"}}},
         "simulator.surges: is a list: [[simulator.surges]], once for each"),
        ({"phones": {"times": {"flash_ms": 300}}},
         "phones: times: pulse_ms is less than flash_ms, and flash_ms less than hangup_ms; with those of NO "
         "they are 70, 300 and 250"),
        ({"phones": {"country": "US"}, "board": [{"id": "b", "inputs": [
            {"desk": "a1", "phone": {"by": "contact", "pin": "GP4", "hangup_ms": 250}},
        ]}]},
         "desk 'a1': hangup_ms is 250, and a flash lasts up to 1250 ms here ([phones]): it would hang up; "
         "give more, or leave it out"),
        ({"board": [{"id": "b", "inputs": [{"desk": "a1", "phone": {"by": "url"}}]}]},
         "board[1].inputs[1].phone: a phone that tells by itself is at no board: write it to its desk, "
         "[[desk]] phone"),
        ({"board": [{"id": "b", "inputs": [
            {"desk": "a1", "phone": {"by": "contact", "pin": "GP4", "ring_active": "high"}},
        ]}]}, "board[1].inputs[1].phone: ring_active says how the pin `ring` is wired: give `ring`, or leave it out"),
        ({"board": [{"id": "b", "inputs": [
            {"desk": "a1", "headset": {"by": "contact", "pin": "GP4", "dock_active": "high"}},
        ]}]}, "board[1].inputs[1].headset: dock_active says how the pin `dock` is wired: give `dock`, or leave it out"),
        ({"desk": [{"id": "a1", "phone": {"by": "contact", "pin": "GP4"}}]},
         "desk[1].phone: a phone that a board reads is written to that board: [[board]] inputs = "
         '[ { desk = "…", phone = { by = "contact", pin = "…" } } ]'),
        ({"desk": [{"id": "a1", "at": [1, 2, 3]}]}, "desk[1].at: is a list of at most 2"),
        ({"board": [{"id": "b", "control": "9001"}]}, "board[1].control: is HOST:PORT, like 127.0.0.1:9001"),
        ({"wall": [{"id": "w", "board": "b", "panel": {"kind": "memory"}, "pages": {"queue": "polski"}}]},
         "wall[1].pages: is a list: pages = [{ … }]"),
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_is_answered_with_how_it_is_written(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SiteError) as told:
        check(**changes)
    assert str(told.value) == f"site.toml: {words}"


WRITTEN = ("hunter2", 7, -1.5, True, float("inf"), ["hunter2"], [7, {}], {"hunter": "hunter2"}, None)


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where in the tables something stands."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield (key,)
        if isinstance(part, dict | list):
            yield from ((key, *rest) for rest in places(part))


def test_whatever_stands_wherever_is_answered_in_our_words_and_not_repeated() -> None:
    site = tomllib.loads((Path(floorplan.__file__).parent / "simulator" / "example.toml").read_text())
    house = GOOD | {
        "site": site["site"] | {"hours": ["sat 10:00-16:00"], "day_begins": "04:00", "clock": "auto"},
        "pbx": {"asterisk": ASTERISK | {"port": 5039, "tls": True, "ca_file": "ca.pem"}},
        "history": {"path": "totals.db", "quarters_days": 10, "days_days": 10},
        "source": [{"id": "web", "secret_file": "web", "silent_s": 60}],
        "queue": [POLSKI | {"kind": "voice", "target": {"formula": "ended-within-of-offered", "share": 1}}],
        "simulator": {"by_hour": [1] * 24, "talk_s": 9, "seed": 1, "queue": {"polski": {"desks": 1}},
                      "surges": [{"queue": "polski", "from_h": 1, "to_h": 2, "times": 2}],
                      "joins": [{"queue": "polski", "at_h": 1, "desks": 2}]},
    }  # fmt: skip
    assert floorplan.check(house, "site.toml", Path("/nowhere")).simulator
    refused = 0
    for place in places(house):
        for written in WRITTEN:
            tables = copy.deepcopy(house)
            inside: Any = tables
            for key in place[:-1]:
                inside = inside[key]
            inside[place[-1]] = written
            try:
                floorplan.check(tables, "site.toml", Path("/nowhere"))
            except SiteError as told:
                refused += 1
                words = str(told)
                assert not re.search(
                    r"Input|should|valid |tuple|dict|instance|class|String|pars|pydantic|validation|like this",
                    words.replace("look like this", ""),
                ), (place, written, words)  # fmt: skip
                if "secret_file" in place or "ca_file" in place:
                    assert "hunter2" not in words
    assert refused > 300


def test_a_board_is_told_what_it_needs_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "row-a").write_text("0123456789abcdef\n")
    plan = check(tmp_path)
    told = floorplan.board_json(plan, "row-a", {"kind": "machine"})
    assert told["broker"] == {
        "host": "10.0.0.2", "port": 8883, "keepalive_s": 30, "user": "row-a", "password": "0123456789abcdef",
    }  # fmt: skip
    assert told["inputs"] == [{"phone": {"by": "contact", "pin": "GP4", "active": "low"}}]
    assert told["times"]["hangup_ms"] == 250
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


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def of_another(path: Path, patch: pytest.MonkeyPatch) -> None:
    """That file belongs to another user: as root in earnest, else because we are somebody else ourselves."""
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        us = os.geteuid()
        patch.setattr(os, "geteuid", lambda: us + 1)


@pytest.mark.parametrize("before", [0o644, 0o640, 0o604, 0o620, 0o600])
def test_a_secret_that_others_could_read_is_taken_from_them(before: int, tmp_path: Path) -> None:
    (tmp_path / "row-a").write_text("0123456789abcdef\n")
    (tmp_path / "row-a").chmod(before)
    assert floorplan.secret(tmp_path / "row-a") == "0123456789abcdef"
    assert mode(tmp_path / "row-a") == 0o600


def test_no_link_leads_us_to_change_a_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "of-the-system").write_text("one line\n")
    (tmp_path / "of-the-system").chmod(0o644)
    (tmp_path / "link").symlink_to("of-the-system")
    with pytest.raises(SiteError, match=r"link: others on this computer can read this secret, and it is a link"):
        floorplan.secret(tmp_path / "link")
    assert mode(tmp_path / "of-the-system") == 0o644
    (tmp_path / "of-the-system").chmod(0o600)
    assert floorplan.secret(tmp_path / "link") == "one line"


def test_a_secret_of_another_user_may_be_lent_to_us_and_to_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "row-a"
    path.write_text("0123456789abcdef\n")
    path.chmod(0o640)
    of_another(path, monkeypatch)
    assert floorplan.secret(path) == "0123456789abcdef"
    assert mode(path) == 0o640
    path.chmod(0o644)
    with pytest.raises(SiteError, match="row-a: others on this computer can read this secret; try: sudo chmod 600 /"):
        floorplan.secret(path)
    assert mode(path) == 0o644


def test_what_is_no_secret_is_left_as_it_is(tmp_path: Path) -> None:
    """A slip in the site file takes no folder and no other file from those who need it."""
    (tmp_path / "site.toml").write_text("[site]\nid = 's'\n")
    (tmp_path / "site.toml").chmod(0o644)
    (tmp_path / "secrets").mkdir(mode=0o755)
    for name in ("site.toml", "secrets"):
        before = mode(tmp_path / name)
        with pytest.raises(SiteError, match=name):
            floorplan.secret(tmp_path / name)
        assert mode(tmp_path / name) == before


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"row-a: the secret cannot be read"):
        floorplan.board_json(check(tmp_path), "row-a", {})


def test_a_file_that_is_no_text_is_said_without_pythons_words(tmp_path: Path) -> None:
    (tmp_path / "row-a").write_bytes(b"\xff\xfe")
    with pytest.raises(SiteError, match=r"row-a: the secret cannot be read \(it is no text\); write it there"):
        floorplan.board_json(check(tmp_path), "row-a", {})
    with pytest.raises(SiteError, match=r"row-a: cannot be read \(it is no text\); is the path right\?"):
        floorplan.read(tmp_path / "row-a")
    with pytest.raises(SiteError, match=r"none\.toml: cannot be read \(No such file or directory\); is the path"):
        floorplan.read(tmp_path / "none.toml")
