"""One line of a table (CSV) that people open in a spreadsheet: whatever others wrote in it stays text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

# What a spreadsheet takes for a formula, at the start of a cell. Where numbers have a decimal comma a spreadsheet
# parts cells at each `;`, or is told to part them at tabs: what follows those is a cell's start, too.
_FORMULA = re.compile(r"""(^|[;\t\r\n])([\s"']*[=+\-@＝＋－＠])""")


def csv_line(cells: Iterable[object]) -> str:
    """The line with its end. None is an empty cell; a `'` before what would be a formula makes it a text."""
    line = io.StringIO()
    texts = ("" if cell is None else str(cell) for cell in cells)
    csv.writer(line, lineterminator="\n").writerow(_FORMULA.sub(r"\1'\2", text) for text in texts)
    return line.getvalue()
