"""A house's desks as a table: `desks = "desks.csv"` in the site file, a row a desk, and the boards that come of it.

What people make in a spreadsheet program is read as it comes: `;`, `,` or tabs between the cells, with or without a
BOM, columns in any order, headings in any case, `Phone pin` as well as `phone_pin` or `phone.pin`. Empty lines and
remarks, which begin with `#`, are passed over. docs/first-run.md says what each column is.

Rows with the same `board` are its inputs, in their order, or in that of the column `input`. What else there is to say
of a board (its network, its definition) stands in the site file: in its own [[board]], or for all in [board_defaults].
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from site_error import meant

Table = dict[str, Any]
Where = tuple[int | str, ...]  # a place in the site file's tables, as pydantic names it

# A column → where its cell belongs: in the desk, in the desk's input at its board, or in the board itself.
COLUMNS: dict[str, Where] = {
    "id": ("desk", "id"),
    "name": ("desk", "name"),
    "extension": ("desk", "extension"),
    "device": ("desk", "device"),
    "x": ("desk", "at", 0),
    "y": ("desk", "at", 1),
    "board": ("board", "id"),
    "input": ("board", "input"),
    "definition": ("board", "definition"),
    "phone": ("input", "phone", "by"),
    "phone pin": ("input", "phone", "pin"),
    "phone ring": ("input", "phone", "ring"),
    "phone active": ("input", "phone", "active"),
    "phone ring active": ("input", "phone", "ring_active"),
    "phone divider": ("input", "phone", "divider"),
    "phone hangup ms": ("input", "phone", "hangup_ms"),
    "phone make": ("desk", "phone", "vendor"),
    "phone mac": ("desk", "phone", "mac"),
    "headset": ("input", "headset", "by"),
    "headset pin": ("input", "headset", "pin"),
    "headset dock": ("input", "headset", "dock"),
    "headset active": ("input", "headset", "active"),
    "headset dock active": ("input", "headset", "dock_active"),
    "headset port": ("input", "headset", "port"),
}
ALSO = {"desk": "id", "phone vendor": "phone make", "mac": "phone mac", "column": "x", "row": "y"}
PINS = ("phone pin", "phone ring", "headset pin", "headset dock")
WHOLE = ("x", "y", "input", "phone hangup ms")
ONCE = ("id", "extension", "device", "phone mac")  # two desks with the same of these are one too many
DEFAULTS = ("definition", "wifi", "wired", "debug")  # what [board_defaults] may say
ROWS_MOST = 20_000
SEPARATOR = re.compile(r'"?sep=([,;\t|])"?\r?(\n|\Z)', re.IGNORECASE)  # a first line that Excel minds and never shows
# What stands where a formula has failed, in the languages of spreadsheet programs: #REF!, #NAVN?, #N/A, Err:502.
FAILED = re.compile(r"#[^\W\d_a-z][\w/]*[!?]|#N/A|#I/T|#NV|#SAKNAS|Err:\d{3}")
HEADING = ",".join(("id", "name", "extension", "x", "y", "board", "phone", "phone pin", "phone ring", "headset pin",
                    "headset dock"))  # fmt: skip


class DesksError(Exception):
    """A table that cannot be used: `lines` say where, and what was meant."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class Written(dict[str, Any]):
    """A table of the plan that does not stand in the site file as it is: `place` says where a key of it does."""

    def __init__(self, told: Table, place: Callable[[Where], str]) -> None:
        super().__init__(told)
        self.place = place


class Row(NamedTuple):
    """One line of the file: its number there, and its cells by column; empty ones are not there."""

    line: int
    cells: dict[str, str]


def added(tables: Table, file: str, text: str) -> Table:
    """The site file's tables with the desks of `file`, and the boards those are plugged in at. Raises DesksError."""
    rows = list(_rows(file, text))
    wrong = [*_failed(file, rows), *_twice(file, rows), *_in_both(file, rows, tables)]
    desks, inputs = [], {}
    for row in rows:
        try:
            desks.append(_desk(file, row))
            if "board" in row.cells:
                inputs[row.line] = _input(file, row)
        except DesksError as error:
            wrong += error.lines
    if wrong:
        raise DesksError(wrong)
    boards: list[Table] = list(tables.get("board", []))
    for name, its in _by_board(file, rows).items():
        own = next((board for board in boards if isinstance(board, dict) and board.get("id") == name), None)
        board = _board(file, name, its, inputs, own)
        if own is None:
            boards.append(board)
        else:
            boards[boards.index(own)] = board
    told = {key: part for key, part in tables.items() if key != "desks"}
    return told | {"desk": [*tables.get("desk", []), *desks]} | ({"board": boards} if boards else {})


def with_defaults(tables: Table) -> Table:
    """The tables with [board_defaults] in each board that does not say otherwise. Raises DesksError."""
    defaults = tables.get("board_defaults")
    if defaults is None:
        return tables
    if not isinstance(defaults, dict):
        raise DesksError(["board_defaults: is a table: [board_defaults]"])
    if strange := [key for key in defaults if key not in DEFAULTS]:
        raise DesksError(f"board_defaults.{key}: unknown key{meant(key, DEFAULTS)}" for key in strange)
    boards = tables.get("board", [])
    if not isinstance(boards, list):
        return tables
    told = {key: part for key, part in tables.items() if key != "board_defaults"}
    return told | {"board": [_defaulted(board, defaults) if isinstance(board, dict) else board for board in boards]}


def place_of(tables: Table, where: Where) -> str | None:
    """Where the thing at a place of the tables was really written; None: where it seems to."""
    here: Any = tables
    for number, part in enumerate(where):
        if isinstance(here, Written):
            return here.place(where[number:]) or None
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return None
    return (here.place(()) or None) if isinstance(here, Written) else None


def _defaulted(board: Table, defaults: Table) -> Table:
    from_there = {key for key in defaults if key not in board}

    def place(where: Where) -> str:
        if where and where[0] in from_there:
            return ".".join(("board_defaults", *map(str, where)))
        return board.place(where) if isinstance(board, Written) else ""

    return Written({**{key: defaults[key] for key in defaults if key in from_there}, **board}, place)


# The file ----------------------------------------------------------------------------------------


def _rows(file: str, text: str) -> Iterator[Row]:
    """The lines that are desks. Raises DesksError."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise DesksError([f"{file}: is no CSV; save it from the spreadsheet program as CSV, UTF-8"])
    columns: list[str] | None = None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    begins = 1
    try:
        for written in reader:
            line, begins = begins, reader.line_num + 1
            cells = [cell.strip() for cell in written]
            if failed := FAILED.fullmatch(cells[0] if cells else ""):
                raise DesksError([f"{file}:{line}: begins with '{failed[0]}': a formula that has failed"])
            if not any(cells) or _is_remark(cells, columns) or (line == 1 and SEPARATOR.match(text)):
                continue
            if columns is None:
                columns = _columns(file, line, cells)
                continue
            if extra := [cell for cell in cells[len(columns) :] if cell]:
                raise DesksError([
                    f"{file}:{line}: has a cell more than the headings: '{extra[0][:40]}'; a text that holds the sign "
                    'between cells stands in quotes: "Row A, left"'
                ])  # fmt: skip
            told = {column: cell for column, cell in zip(columns, cells, strict=False) if cell}
            if "" in told:
                raise DesksError([f"{file}:{line}: '{told[''][:40]}' stands in a column without a heading"])
            if line > ROWS_MOST:
                raise DesksError([f"{file}: has more than {ROWS_MOST} lines; give a site file to each house"])
            yield Row(line, told)
    except csv.Error as error:
        why = str(error).replace("unexpected end of data", "a quote is opened and never closed")
        raise DesksError([f"{file}:{begins}: is not CSV from here on ({why})"]) from error
    if columns is None:
        raise DesksError([f"{file}: has no headings; its first line is: {HEADING}"])


def _is_remark(cells: list[str], columns: list[str] | None) -> bool:
    """By its first cell; but where another column than `id` is the first, "#12" may be what people call a desk."""
    return cells[0].startswith("#") and (not columns or columns[0] == "id" or not any(cells[1:]))


def _delimiter(text: str) -> str:
    """What stands between the cells: as told, or what makes the most headings."""
    told = SEPARATOR.match(text)
    return told[1] if told else max((",", ";", "\t"), key=lambda delimiter: _headings(text, delimiter))


def _headings(text: str, delimiter: str) -> int:
    """How many there are by this delimiter."""
    with contextlib.suppress(csv.Error):
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith("#"):
                return len(cells)
    return 0


def _columns(file: str, line: int, headings: list[str]) -> list[str]:
    """Which column each heading is; empty ones are nobody's. Raises DesksError."""
    columns = []
    for heading in headings:
        plain = " ".join(re.split(r"[\s_.-]+", heading.casefold())).strip()
        column = ALSO.get(plain, plain)
        if plain and column not in COLUMNS:
            hint = meant(plain, [*COLUMNS, *ALSO]) or f"; there are: {', '.join(COLUMNS)}"
            raise DesksError([f"{file}:{line}: unknown column '{heading[:40]}'{hint}"])
        if column and column in columns:
            raise DesksError([f"{file}:{line}: two columns are '{column}': keep one"])
        columns.append(column)
    if "id" not in columns:
        raise DesksError([f"{file}:{line}: no column 'id', the desk's; its first line is the headings: {HEADING}"])
    return columns


# What rows say ------------------------------------------------------------------------------------


def _desk(file: str, row: Row) -> Written:
    """The [[desk]] of a row. Raises DesksError."""
    cells = row.cells
    if "id" not in cells:
        raise DesksError([f"{_at(file, row, 'id')}: is missing; it names the desk: a12"])
    if ("x" in cells) != ("y" in cells):
        missing = "y" if "x" in cells else "x"
        raise DesksError([f"{_at(file, row, missing)}: is missing; x and y are the column and row on the page's map"])
    told: Table = {column: cells[column] for column in ("id", "name", "extension", "device") if column in cells}
    if "x" in cells:
        told["at"] = [_value(file, row, "x"), _value(file, row, "y")]
    if phone := _part(file, row, "desk", "phone"):
        told["phone"] = {"by": "url", **phone}
    if cells.get("phone", "").casefold() == "url":
        told.setdefault("phone", {"by": "url"})
    return Written(told, lambda where: _at(file, row, _column("desk", where)))


def _input(file: str, row: Row) -> Written:
    """A row's place at its board. Raises DesksError."""
    told: Table = {"desk": row.cells.get("id", "")}
    phone, headset = _part(file, row, "input", "phone"), _part(file, row, "input", "headset")
    if phone and phone.get("by") != "url":
        told["phone"] = {"by": "contact", **phone}
    elif set(phone) - {"by"}:
        words = "a phone that tells by itself has no pins: leave them out, or write contact"
        raise DesksError([f"{_at(file, row, 'phone')}: {words}"])
    if headset:
        told["headset"] = {"by": "usb" if "port" in headset else "contact", **headset}
    return Written(told, lambda where: _at(file, row, _column("input", where)))


def _part(file: str, row: Row, of: str, what: str) -> Table:
    """The cells of a row that belong to one table: `phone` or `headset` of the `desk` or of the `input`."""
    its = {column: where for column, where in COLUMNS.items() if where[:2] == (of, what) and len(where) == 3}
    return {str(where[2]): _value(file, row, column) for column, where in its.items() if column in row.cells}


def _value(file: str, row: Row, column: str) -> Any:
    """A cell as the site file would have it. Raises DesksError."""
    text = row.cells[column]
    if column in WHOLE:
        if not re.fullmatch(r"[0-9]{1,6}(\.0+)?", text):
            raise DesksError([f"{_at(file, row, column)}: '{text[:20]}' is no whole number"])
        return int(float(text))
    if column == "phone divider":
        try:
            return float(text.replace(",", "."))
        except ValueError:
            raise DesksError([f"{_at(file, row, column)}: '{text[:20]}' is no number"]) from None
    small = ("phone", "headset", "phone make", "phone active", "phone ring active", "headset active",
             "headset dock active")  # fmt: skip
    return text.casefold() if column in small else text


def _by_board(file: str, rows: list[Row]) -> dict[str, list[Row]]:
    """Each board's rows, in the order of its inputs. Raises DesksError."""
    boards: dict[str, list[Row]] = {}
    wrong = []
    for row in rows:
        if "board" in row.cells:
            boards.setdefault(row.cells["board"], []).append(row)
        elif stray := [column for column in (*PINS, "headset", "headset port", "input", "definition")
                       if column in row.cells]:  # fmt: skip
            wrong.append(f"{_at(file, row, 'board')}: is missing; {stray[0]} says that a board reads this desk: which?")
        elif row.cells.get("phone", "url").casefold() != "url":
            wrong.append(f"{_at(file, row, 'board')}: is missing; a phone by {row.cells['phone']} is read by a board")
    for name, its in boards.items():
        try:
            boards[name] = _in_order(file, name, its)
        except DesksError as error:
            wrong += error.lines
    if wrong:
        raise DesksError(wrong)
    return boards


def _in_order(file: str, board: str, rows: list[Row]) -> list[Row]:
    """By the column `input`, where that is filled in. Raises DesksError."""
    told = [row for row in rows if "input" in row.cells]
    if not told:
        return rows
    if len(told) < len(rows):
        lacks = next(row for row in rows if "input" not in row.cells)
        raise DesksError([f"{_at(file, lacks, 'input')}: is missing; other rows of board '{board}' have one"])
    taken: dict[int, Row] = {}
    for row in rows:
        number = _value(file, row, "input")
        if number in taken:
            raise DesksError([
                f"{_at(file, row, 'input')}: {number} of board '{board}' is taken by line {taken[number].line}"
            ])  # fmt: skip
        taken[number] = row
    if missing := sorted(set(range(len(rows))) - set(taken)):
        last = taken[max(taken)]
        raise DesksError([
            f"{_at(file, last, 'input')}: inputs of board '{board}' are counted from 0, one after the other; "
            f"{missing[0]} is missing"
        ])  # fmt: skip
    return [taken[number] for number in sorted(taken)]


def _board(file: str, name: str, rows: list[Row], inputs: dict[int, Written], own: Table | None) -> Written:
    """The [[board]] of these rows, with what the site file says of it. Raises DesksError."""
    if own and own.get("inputs"):
        raise DesksError([
            f"{_at(file, rows[0], 'board')}: board '{name}' has inputs in the site file, too: keep them in one place"
        ])  # fmt: skip
    told: Table = {"id": name, **(own or {}), "inputs": [inputs[row.line] for row in rows]}
    kinds = [row for row in rows if "definition" in row.cells]
    for row in kinds:
        kind = row.cells["definition"]
        if kind != (known := (own or kinds[0].cells).get("definition", kind)):
            raise DesksError([f"{_at(file, row, 'definition')}: '{name}' is '{kind}' here and '{known}' elsewhere"])
        told["definition"] = kind

    def place(where: Where) -> str:
        if where and where[0] == "inputs":
            return place_of({"inputs": told["inputs"]}, where) or f"{file}: board '{name}'"
        if where and where[0] == "definition" and kinds:
            return _at(file, kinds[0], "definition")
        return "" if where and own and where[0] in own else _at(file, rows[0], "board")

    return Written(told, place)


def _failed(file: str, rows: list[Row]) -> Iterator[str]:
    """Formulas that have failed."""
    for row in rows:
        for column, cell in row.cells.items():
            if FAILED.fullmatch(cell):
                yield f"{_at(file, row, column)}: '{cell}' is a formula that has failed"


def _twice(file: str, rows: list[Row]) -> Iterator[str]:
    """What may be there only once."""
    seen: dict[tuple[str, ...], tuple[Row, str]] = {}
    for row in rows:
        keys = [((column, row.cells[column].casefold()), column) for column in ONCE if column in row.cells]
        board = row.cells.get("board")
        keys += [((f"of board '{board}'", row.cells[pin]), pin) for pin in PINS if board and pin in row.cells]
        for key, column in keys:
            if key in seen:
                before, where = seen[key]
                yield (
                    f"{_at(file, row, column)}: '{row.cells[column]}' stands in line {before.line} already"
                    f"{f', column {where}: one pin, one wire' if column in PINS else ''}"
                )
            else:
                seen[key] = row, column


def _in_both(file: str, rows: list[Row], tables: Table) -> Iterator[str]:
    """Desks that the site file has, too."""
    desks = tables.get("desk", [])
    own = [desk.get("id") for desk in desks if isinstance(desk, dict)] if isinstance(desks, list) else []
    own_ids = {id for id in own if isinstance(id, str)}
    for row in rows:
        if row.cells.get("id") in own_ids:
            yield f"{_at(file, row, 'id')}: '{row.cells['id']}' is a [[desk]] of the site file, too: keep one of them"


def _column(of: str, where: Where) -> str:
    """The column that a place in a table of ours came from; empty: no single one."""
    whole = (of, *where)
    for column, told in COLUMNS.items():
        if told == whole or (len(where) == 1 and told[:2] == whole):
            return column
    return "id" if where == ("desk",) else ""


def _at(file: str, row: Row, column: str) -> str:
    return f"{file}:{row.line}: column '{column}'" if column else f"{file}:{row.line}"
