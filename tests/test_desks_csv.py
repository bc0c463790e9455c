"""`desks = "desks.csv"`: what people save from spreadsheet programs, and what they are told where it is not right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import floorplan
import floorplan_desks
from floorplan import SiteError
from tests.pythons import ROOT

SITE = 'desks = "desks.csv"\n[site]\nid = "skien"\n'
HEAD = "id;name;extension;x;y;board;phone pin;phone ring;headset pin;headset dock;phone make;phone mac"


def plan_of(folder: Path, rows: str | bytes, site: str = SITE) -> floorplan.Plan:
    (folder / "site.toml").write_text(site)
    (folder / "desks.csv").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    return floorplan.read(folder / "site.toml")


def told(folder: Path, rows: str | bytes, site: str = SITE) -> str:
    """What is said of a file that is wrong, without the folder's own path."""
    with pytest.raises(SiteError) as error:
        plan_of(folder, rows, site)
    return str(error.value).replace(f"{folder}/", "")


WHOLE = """id,Name,Extension,X,Y,Board,Phone_Pin,phone.ring,HEADSET-PIN,headset dock,phone make,mac
# who edits this: say so in the chat

a1,A1,PJSIP/1001,0,0,row-a,GP2,GP3,GP4,GP5,,
a2,"A 2, left",PJSIP/1002,1,0,row-a,GP6,,,,,
,,,,,,,,,,,
a3,,PJSIP/1003,2,0,,,,,,Snom,00:04:13:AA:BB:CC
b1,B1,,,,row-b,,,,GP5,,
"""
MORE = f"""{SITE}
[phones]
secret_file = "phones"
[board_defaults]
definition = "pico-w"
wifi = {{ ssid = "floor" }}
[[board]]
id = "row-b"
wired = "w5500"
definition = "w5500-evb-pico"
"""


@pytest.mark.parametrize("save", [
    lambda text: text.encode(),
    lambda text: text.encode("utf-8-sig"),
    lambda text: text.replace('"A 2, left"', "A 2§ left").replace(",", ";").replace("§", ",").encode(),
    lambda text: text.replace('"A 2, left"', "A 2§ left").replace(",", "\t").replace("§", ",").encode("utf-8-sig"),
    lambda text: text.replace("\n", "\r\n").encode(),
])  # fmt: skip
def test_the_same_table_as_programs_save_it_is_the_same_plan(tmp_path: Path, save: object) -> None:
    plan = plan_of(tmp_path, save(WHOLE), MORE)  # type: ignore[operator]
    assert [(desk.id, desk.name, desk.extension, desk.at) for desk in plan.desk] == [
        ("a1", "A1", "PJSIP/1001", (0, 0)), ("a2", "A 2, left", "PJSIP/1002", (1, 0)),
        ("a3", "", "PJSIP/1003", (2, 0)), ("b1", "B1", None, None),
    ]  # fmt: skip
    phone = plan.desk[2].phone
    assert phone and (phone.by, phone.vendor, phone.mac) == ("url", "snom", "000413aabbcc")
    own, made = plan.board
    assert (own.id, own.wired, own.definition, own.wifi and own.wifi.ssid) == (
        "row-b", "w5500", "w5500-evb-pico", "floor",
    )  # fmt: skip
    assert (made.id, made.definition, made.wifi and made.wifi.ssid) == ("row-a", "pico-w", "floor")
    assert [(place.desk, place.pins()) for place in made.inputs] == [
        ("a1", [("phone.pin", "GP2"), ("phone.ring", "GP3"), ("headset.pin", "GP4"), ("headset.dock", "GP5")]),
        ("a2", [("phone.pin", "GP6")]),
    ]
    assert [place.headset for place in own.inputs] == [floorplan.HeadsetInput(by="contact", dock="GP5")]


def test_inputs_keep_their_numbers_however_the_rows_are_sorted(tmp_path: Path) -> None:
    rows = ["a1;row-a;0;GP2", "a2;row-a;1;GP3", "a3;row-a;2;GP4"]
    for order in (rows, rows[::-1]):
        plan = plan_of(tmp_path, "id;board;input;phone pin\n" + "\n".join(order))
        assert [place.desk for place in plan.board[0].inputs] == ["a1", "a2", "a3"]


def test_every_key_of_a_desk_and_of_its_input_has_a_column() -> None:
    keys: set[tuple[str | int, ...]] = {("input", "phone", key) for key in floorplan.PhoneInput.model_fields}
    keys |= {("input", "headset", key) for key in floorplan.HeadsetInput.model_fields}
    keys |= {("desk", "phone", key) for key in floorplan.DeskPhone.model_fields if key != "by"}
    keys |= {("desk", key) for key in floorplan.Desk.model_fields if key not in ("at", "phone")}
    assert keys <= set(floorplan_desks.COLUMNS.values())


INPUTS = "id;board;input;phone pin"
A1 = "a1;A1;PJSIP/1;0;0;row-a;GP2;;;;;"
WRONG = [
    (f"{HEAD}\n{A1}\na2;;;;;row-a;GP2", "desks.csv:3: column 'phone pin': 'GP2' stands in line 2 already"),
    (f"{HEAD}\n{A1}\n\n# so\na1;;;;;row-a;GP3", "desks.csv:5: column 'id': 'a1' stands in line 2 already"),
    (f"{HEAD}\n{A1}\na2;;pjsip/1;;;;;", "desks.csv:3: column 'extension': 'pjsip/1' stands in line 2 already"),
    (f"{HEAD}\nA1;;;;;row-a;GP2", "desks.csv:2: column 'id': an id is 1 to 32 of a-z"),
    (f"{HEAD}\n;A1;;;;row-a;GP2", "desks.csv:2: column 'id': is missing"),
    (f"{HEAD}\na1;;;1;;row-a;GP2", "desks.csv:2: column 'y': is missing"),
    (f"{HEAD}\na1;;;1;two;row-a;GP2", "desks.csv:2: column 'y': 'two' is no whole number"),
    (f"{HEAD}\na1;;;;;Row A;GP2", "desks.csv:2: column 'board': an id is 1 to 32 of a-z"),
    (f"{HEAD}\na1;;;;;row-a;4", "desks.csv:2: column 'phone pin': a pin is written as on the board"),
    (f"{HEAD}\na1;;;;;;GP2", "desks.csv:2: column 'board': is missing; phone pin says that a board reads this desk"),
    (f"{HEAD}\na1;;;;;;;;;;snom;12", "desks.csv:2: column 'phone mac': a MAC address is twelve"),
    (f"{HEAD}\na1;;;;;;;;;;snon;000413aabbcc", "desks.csv:2: column 'phone make': is \"yealink\""),
    (f"{HEAD}\na1;;;;;row-a;;GP3", "desks.csv:2: column 'phone pin': is missing"),
    (f"{HEAD}\n{A1};more", "desks.csv:2: has a cell more than the headings: 'more'"),
    ("id;bord\na1;row-a", "desks.csv:1: unknown column 'bord'; did you mean 'board'?"),
    ("id;name;Name\na1;x;y", "desks.csv:1: two columns are 'name'"),
    ("name;board\nA1;row-a", "desks.csv:1: no column 'id'"),
    ("", "desks.csv: has no headings; its first line is: id,name"),
    (f'{HEAD}\n"a1;A1\n', "desks.csv:2: is not CSV from here on (a quote is opened and never closed)"),
    (b"id;name\na1;\xc5se\n", "desks.csv: is not UTF-8 text; in the spreadsheet program, save it as CSV"),
    ("id;name\na1;Åse\n".encode("utf-16"), "desks.csv: is not UTF-8 text"),
    (f"{INPUTS}\na1;r;0;GP2\na2;r;0;GP3", "desks.csv:3: column 'input': 0 of board 'r' is taken by line 2"),
    (f"{INPUTS}\na1;r;0;GP2\na2;r;2;GP3", "desks.csv:3: column 'input': inputs of board 'r' are counted"),
    (f"{INPUTS}\na1;r;0;GP2\na2;r;;GP3", "desks.csv:3: column 'input': is missing"),
    ("id;board;definition\na1;r;pico-w\na2;r;pico", "desks.csv:3: column 'definition': 'r' is 'pico'"),
    ("id;phone\na1;line", "desks.csv:2: column 'board': is missing; a phone by line is read by a board"),
    ("id;name\na1;A1\n#REF!;A2", "desks.csv:3: begins with '#REF!': a formula that has failed"),
    ("id;name\n#N/A;A1", "desks.csv:2: begins with '#N/A'"),
    ("id;name\n#NAVN?;A1", "desks.csv:2: begins with '#NAVN?'"),
    ("id;name\na1;#VALUE!", "desks.csv:2: column 'name': '#VALUE!' is a formula that has failed"),
    ("id;name;;\na1;A;;GP2", "desks.csv:2: 'GP2' stands in a column without a heading"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "words"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_is_wrong_is_said_with_file_line_and_column(tmp_path: Path, rows: str | bytes, words: str) -> None:
    assert told(tmp_path, rows).startswith(words)


@pytest.mark.parametrize("rows", [
    "sep=;\r\nid;name;extension\r\na1;#12;a,b,c,d\r\n",
    "SEP=|\nid|name|extension\na1|#12|a,b,c,d\n",
    '"# one, two, three,\nfour, five, six, seven";;\nid;name;extension\na1;#12;a,b,c,d\n',
    "name;id;extension\n#12;a1;a,b,c,d\n# a remark, with commas\n",
    "id;name;extension\n#a0;off today;x\na1;#12;a,b,c,d\n",
])  # fmt: skip
def test_what_only_looks_like_a_remark_or_a_comma(tmp_path: Path, rows: str) -> None:
    desks = plan_of(tmp_path, rows).desk
    assert [(desk.id, desk.name, desk.extension) for desk in desks] == [("a1", "#12", "a,b,c,d")]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    lines = told(tmp_path, f"{HEAD}\nA1;;;;;row-a;GP2\nb2;;;;;row-a;4").splitlines()
    assert [line.split(": ")[0] for line in lines] == ["desks.csv:2", "desks.csv:3"]


def test_nothing_stands_in_two_places(tmp_path: Path) -> None:
    rows = f"{HEAD}\n{A1}"
    assert "desks.csv:2: column 'id': 'a1' is a [[desk]] of the site file" in told(
        tmp_path, rows, SITE + '[[desk]]\nid = "a1"\n'
    )
    assert "site.toml: desk[1].id: is text" in told(tmp_path, rows, SITE + '[[desk]]\nid = ["a1"]\n')
    inputs = '[[board]]\nid = "row-a"\ninputs = [ { desk = "a1", phone = { by = "contact", pin = "GP9" } } ]\n'
    assert "board 'row-a' has inputs in the site file, too" in told(tmp_path, rows, SITE + inputs)
    assert "is 'pico' here and 'pico-w' elsewhere" in told(
        tmp_path, "id;board;definition\na1;row-a;pico", SITE + '[[board]]\nid = "row-a"\ndefinition = "pico-w"\n'
    )


def test_what_the_site_file_says_of_boards_is_told_of_the_site_file_and_once(tmp_path: Path) -> None:
    rows = f"{HEAD}\n{A1}\nb1;;;;;row-b;GP2"
    assert told(tmp_path, rows, SITE + "[board_defaults]\nwifi = { sid = 'x' }\n").splitlines() == [
        "site.toml: board_defaults.wifi.ssid: is missing",
        "site.toml: board_defaults.wifi.sid: unknown key; did you mean 'ssid'?",
    ]
    assert told(tmp_path, rows, SITE + "[board_defaults]\nwify = 1\n") == (
        "site.toml: board_defaults.wify: unknown key; did you mean 'wifi'?"
    )
    assert told(tmp_path, rows, SITE + '[[board]]\nid = "row-a"\nwired = "x"\n').startswith("site.toml: board[1].wired")


def test_a_file_that_is_not_there_and_a_name_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE)
    with pytest.raises(SiteError, match=r"desks\.csv: cannot be read .*; is desks = right"):
        floorplan.read(tmp_path / "site.toml")
    assert told(tmp_path, "", SITE.replace('"desks.csv"', "465")).startswith("site.toml: desks: is the name of a file")


def test_a_house_of_465_desks_stands_in_one_table() -> None:
    site = ROOT / "examples" / "house" / "skien.toml"
    done = subprocess.run(
        [sys.executable, "-m", "callfloor", "up", str(site), "--check"],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "good. 465 desks, 121 boards" in done.stdout
    assert all(board.wifi for board in floorplan.read(site).board)
