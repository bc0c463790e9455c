"""Writes docs/wiring/ and docs/proven.md from the pages in boards/: `python -m docs.draw`; `--check` compares only.

The words of a wiring page stand in boards/inputs/*.toml, and only there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from boards import definition, kinds
from docs import circuit, symbols

DOCS = Path(__file__).parent
WIRING = "wiring"

WRITTEN = "<!-- Written by `make docs` from {source}: change it there. -->"

RULES = (
    "**Behind a PBX or an ATA only, never at a line of the public network.** What hangs on a public line needs "
    "a type approval, and this has none.",
    "**No wire of yours joins a headset's ground with the board's**, or a wire of a phone line with the board.",
    "**No mains.** Nothing here may be joined with anything that can carry it. Ringing, up to 105 V, is enough: "
    "work with the line unplugged.",
)
NOT_BUILT = "Calculated, not built yet: check each step with the meter, and tell us what you saw."

INDEX = f"""\
# Wiring

{WRITTEN.format(source="boards/inputs/*.toml")}

How phones and headsets are wired to a board, one page for each way: a circuit, its parts, why the values fit,
and what a meter shows when it is right. No headset, phone or panel has been met yet: [proven](../proven.md) says
what was tried instead.

Three rules hold for all of them:

{{rules}}

| what | in the site file | tells | runs on | proven |
| --- | --- | --- | --- | --- |
{{rows}}

The safest first try is a switch at the cradle ([desk phone by contact](phone-contact.md)); an IP phone needs no
wire at all. The pictures are drawn by `make docs` from the text in [boards/inputs/](../../boards/inputs/), in a
small language that [docs/circuit.py](../circuit.py) explains.
"""

PROVEN = f"""\
# What is proven, and how

{WRITTEN.format(source="boards/")}

Every board, input and panel carries a mark that says what it has met so far. Each mark means this, and no more:

| mark | what was done |
| --- | --- |
{{marks}}

Nothing here is marked `hardware` before somebody has tried it on the real thing and written down how.

## Boards

| board | in the site file | proven | what was proved, and how |
| --- | --- | --- | --- |
{{boards}}

## Inputs

| input | in the site file | proven | what was proved, and how |
| --- | --- | --- | --- |
{{inputs}}

## Panels

| panel | in the site file | proven | what was proved, and how |
| --- | --- | --- | --- |
{{panels}}
"""

# What the tests do for a board, by what it runs; its mark says the rest.
BOARDS = {
    "micropython": "The whole firmware runs on MicroPython's own interpreter on a PC, in 192 KB of memory, its pins "
    "set by a program. Not on this board yet.",
    "cpython": "`callfloor station` runs on CPython on a PC, with gpiozero's pretend pins. Not on this board yet.",
}
SIMULATED = (
    "It is what the tests run: the whole firmware on MicroPython's own interpreter on a PC. There is no chip."
)


def pages() -> dict[str, str]:
    """Every file that is written, by its path under docs/."""
    written = {"proven.md": _proven()}
    inputs = kinds.inputs()
    rows = [
        _row(
            f"[{page.name}]({name}.md)",
            _by(page),
            "; ".join(page.tells),
            ", ".join(page.runs),
            f"`{page.proven}`",
        )
        for name, page in inputs.items()
    ]
    rules = "\n".join(f"* {rule}" for rule in RULES)
    written[f"{WIRING}/README.md"] = INDEX.format(rules=rules, rows="\n".join(rows))
    for name, page in inputs.items():
        written[f"{WIRING}/{name}.md"] = _page(name, page)
        for row in page.circuit:
            written[f"{WIRING}/{row.id}.svg"] = _picture(name, row)
    return written


def _picture(name: str, row: kinds.Circuit) -> str:
    try:
        return symbols.svg(circuit.read(row.draw), row.title, row.values(), row.sides)
    except circuit.CircuitError as error:
        raise kinds.PageError(f"{name}.toml, circuit {row.id}: {error}") from error


def _page(name: str, page: kinds.Input) -> str:
    """The page of one input."""
    parts = any(part.rated for row in page.circuit for part in row.part)
    lines = [
        f"# {page.name}",
        "",
        WRITTEN.format(source=f"boards/inputs/{name}.toml"),
        "",
        f"**Proven:** `{page.proven}`. {page.how} ([What the marks mean](../proven.md).)",
        "",
        f"**Tells:** {'; '.join(page.tells)}. **Runs on:** {', '.join(page.runs)}.",
        "",
        "```toml",
        page.site.strip(),
        "```",
        "",
        "## Rules first",
        "",
        *[f"* {rule}" for rule in (*RULES, *page.isolation)],
    ]
    for row in page.circuit:
        lines += ["", *_circuit(row)]
    lines += ["", "## Check before the board is connected", ""]
    if parts and page.by != "usb":
        lines += [NOT_BUILT, ""]
    lines += ["| | do | and see |", "| --- | --- | --- |"]
    lines += [_row(str(number), step.do, step.expect) for number, step in enumerate(page.check, 1)]
    lines += ["", "## What the board should show then", "", *[f"* {words}" for words in page.shows]]
    if page.by in ("contact", "line"):
        lines.append(
            "* `callfloor board check --desk a1 --site SITE.toml` tries it step by step and says which wire is wrong: "
            "[checking the wiring](../check-wiring.md)."
        )
    if page.unknown:
        lines += ["", "## Not known", "", *[f"* {words}" for words in page.unknown]]
    return "\n".join(lines) + "\n"


def _circuit(row: kinds.Circuit) -> list[str]:
    lines = [
        f"## {row.title}",
        "",
        f"![{row.title}]({row.id}.svg)",
        "",
        *[f"* {words}" for words in row.words],
        "",
    ]
    lines += ["| part | what | value | rated |", "| --- | --- | --- | --- |"]
    for part in row.part:
        rated = "; ".join(words for words in (part.ratings(), part.note) if words)
        lines.append(_row(", ".join(part.refs), part.what, part.value, rated))
    if row.sum:
        lines += ["", "Why these values fit:", "", "| | sum | is | must be |", "| --- | --- | --- | --- |"]
    for sum_, result, most in kinds.results(row):
        limits = [f"at least {kinds.in_words(sum_.at_least, sum_.unit)}"] if sum_.at_least is not None else []
        limits += [f"at most {kinds.in_words(most, sum_.unit)}"] if most is not None else []
        formula = _formula(sum_.sum)
        lines.append(
            _row(f"`{sum_.id}` {sum_.what}", formula, kinds.in_words(result, sum_.unit), ", ".join(limits))
        )
    return lines


def _row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _by(page: kinds.Input) -> str:
    """How the site file names an input."""
    return f'`{page.of}`, `by = "{page.by}"`'


def _formula(text: str) -> str:
    """A sum as people write it."""
    for code, sign in (
        (" ** 2", "²"),
        (" ** ", "^"),
        (" * ", " · "),
        ("sqrt", "√"),
        ("log", "ln"),
        ("pi", "π"),
    ):
        text = text.replace(code, sign)
    return text


def _proven() -> str:
    boards = []
    for name in definition.names():
        board = definition.read(name)
        words = SIMULATED if name == "simulated" else BOARDS[board.runs]
        boards.append(_row(board.name, f"`{name}`", f"`{board.proven}`", words))
    inputs = [
        _row(f"[{page.name}]({WIRING}/{name}.md)", _by(page), f"`{page.proven}`", page.how)
        for name, page in kinds.inputs().items()
    ]
    panels = [
        _row(panel.name, f'`kind = "{panel.kind}"`', f"`{panel.proven}`", panel.how)
        for panel in kinds.panels().values()
    ]
    return PROVEN.format(
        marks="\n".join(_row(f"`{mark}`", words) for mark, words in kinds.PROVEN.items()),
        boards="\n".join(boards),
        inputs="\n".join(inputs),
        panels="\n".join(panels),
    )


def wrong(folder: Path = DOCS) -> list[str]:
    """The files under a folder that are not what the pages in boards/ say, or are nobody's."""
    written = pages()
    found = [name for name, text in written.items() if _now(folder / name) != text]
    kept = {f"{WIRING}/{path.name}" for path in (folder / WIRING).glob("*") if path.suffix in (".md", ".svg")}
    return sorted([*found, *(kept - set(written))])


def _now(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str], folder: Path = DOCS) -> int:
    """Writes the files, or with `--check` says which are not what they should be."""
    if "--check" in arguments:
        old = wrong(folder)
        if old:
            print(f"docs/: {', '.join(old)} not as boards/ says: run `make docs`", file=sys.stderr)
        return 1 if old else 0
    (folder / WIRING).mkdir(exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in wrong(folder):  # a page that is gone leaves its files behind
        (folder / name).unlink()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (kinds.PageError, definition.DefinitionError) as error:
        sys.exit(str(error))
