"""Writes docs/contract.md from firmware/contract.py and gateway/queues/push_body.py, docs/boards.md from
boards/, and docs/commands.md from the table of commands.

`python docs/generate.py`; `--check` compares only.

What a message is for is the comment above its row, what a field means the remark behind it:
so a board carries none of these words in its memory, and none of them is written twice.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path
from typing import Any

from boards.definition import DefinitionError
from docs import boards_page
from docs import commands as command_table
from firmware import contract
from gateway.queues import push, push_body

PAGE = Path(__file__).parent / "contract.md"
FILES = ("contract.py", "contract_inputs.py", "contract_panels.py", "conclusions.py", "contract_whole.py")
SOURCES = tuple(Path(contract.__file__).with_name(name) for name in FILES)

HEAD = """\
# The contract: what travels over MQTT

<!-- Written by `make docs` from firmware/contract.py, contract_inputs.py, contract_panels.py,
     conclusions.py and contract_whole.py, and from gateway/queues/push_body.py: change it there. -->

Boards, gateway and walls speak MQTT 3.1.1 with each other, and this page is all they say.
The table that both ends import is [`firmware/contract.py`](../firmware/contract.py); the rows that only desks
need stand in [`firmware/contract_inputs.py`](../firmware/contract_inputs.py) beside it, those that only walls need in
[`firmware/contract_panels.py`](../firmware/contract_panels.py), and those that no board ever hears in
[`firmware/conclusions.py`](../firmware/conclusions.py) and
[`firmware/contract_whole.py`](../firmware/contract_whole.py). What other systems push stands at the end.

## Rules

* Every topic begins with `{root}/{{site}}/`; the number is the version of this contract.
  Each `+` below stands for an id: 1 to 32 of `a-z`, `0-9` and `-`; inputs and panels are numbered from 0.
* A message is one JSON object in UTF-8. Fields nobody knows are ignored. A message with a field wrong or
  missing is refused whole, and the refusal names the topic and the field.
* `null` means unknown, and only fields marked so may be it. It never means no, none or zero.
* An empty message clears its topic: what was said there no longer counts.
* Boards have no clock. A reading says how long ago it changed (`age_ms`), and the gateway counts back from
  its arrival.
* A retained message gives a state, never a time: it may be old until a `beat` proves it fresh.
* Commands are never retained: a stored command would be carried out with every start.
* Whoever may vanish leaves a will, `lost`, with the boot id of its start. A will of an earlier start counts
  no more.
* A board knows its inputs and panels, not its desks and walls. The site file ties them together.

## Numbers both ends hold to

| name | value | what it is |
| --- | --- | --- |
"""

TOPICS = ("## Topics", "", "| topic | from | retained | QoS | what |", "| --- | --- | --- | --- | --- |")


PUSHED = f"""
### `{push.TOPIC}`

What a source that pushes says of one queue: another PBX, a chat bot, a web chat. The ids are the source's and the
queue's in the site file. [docs/pbx/push.md](pbx/push.md) shows how; the same message may come over HTTP.

From the source, never retained (a retained one is ignored), QoS 1, at most {push_body.BODY_BYTES} bytes. Unlike in the
messages above, a field nobody knows is refused: a misspelt one would be a figure that is missing.
The message is one of two shapes, and a queue keeps to its shape.
"""


class Undocumented(Exception):
    """A row of the contract without its words."""


def page() -> str:
    """The whole page. Raises Undocumented, naming the row."""
    words = Words("\n".join(path.read_text(encoding="utf-8") for path in SOURCES))
    lines = [HEAD.format(root=contract.ROOT).rstrip("\n")]
    lines += [f"| `{name}` | {value} | {words.behind(line, name)} |" for name, value, line in words.numbers()]
    lines += [
        "",
        "## Topics",
        "",
        "| topic | from | retained | QoS | what |",
        "| --- | --- | --- | --- | --- |",
    ]
    for message in contract.MESSAGES:
        link = f"[`{message.topic}`](#{_anchor(message.topic)})"
        retained = "yes" if message.retained else "never"
        lines.append(
            f"| {link} | {message.sender} | {retained} | {message.qos} | {words.above(message.topic)} |"
        )
    lines.append(f"| `{push.TOPIC}` | source | never | 1 | What a source that pushes says of one queue. |")
    for message in contract.MESSAGES:
        lines += ["", *_section(message, words)]
    return "\n".join([*lines, *_pushed()]) + "\n"


def _pushed() -> list[str]:
    """What sources push, from the models that check it."""
    schema = push_body.FiguresBody.model_json_schema() | push_body.EventsBody.model_json_schema()
    parts = push_body.FiguresBody.model_json_schema()["$defs"] | schema["$defs"]
    lines = [
        *PUSHED.rstrip("\n").split("\n"),
        "",
        "`figures`: " + parts["Figures"]["description"].replace("\n\n", " "),
        "",
    ]
    lines += _table(parts["Figures"])
    lines += [
        "",
        f"`events`: {schema['properties']['events']['description']}; at most {push_body.EVENTS}. Each is one of:",
    ]
    for name in ("Joined", "Answered", "Ended", "Completed"):
        lines += ["", parts[name]["description"].replace("\n\n", " "), "", *_table(parts[name])]
    return [*lines, "", f"`waiting`, beside `events`: {schema['properties']['waiting']['description']}. Each has:", "",
            *_table(parts["Waits"])]  # fmt: skip


def _table(part: dict[str, Any]) -> list[str]:
    """The keys of one object, as its JSON schema has them."""
    lines = ["| field | what it holds | meaning |", "| --- | --- | --- |"]
    for name, field in part["properties"].items():
        choices = field.get("anyOf", [field])
        holds = _held(choices[0])
        if len(choices) > 1:
            holds += "; left out or null: not told"
        elif name not in part["required"]:
            holds += f"; left out: {field['default']}"
        lines.append(f"| `{name}` | {holds} | {field.get('description', 'what happened')} |")
    return lines


def _held(kind: dict[str, Any]) -> str:
    """What a JSON schema says a field may be."""
    words = kind.get("enum") or ([kind["const"]] if "const" in kind else [])
    if words:
        return "one of " + ", ".join(f"`{word}`" for word in words) if len(words) > 1 else f"`{words[0]}`"
    if kind["type"] == "string":
        return f"text, at most {kind['maxLength']} characters"
    what = "whole number" if kind["type"] == "integer" else "number"
    return f"{what}, {kind['minimum']} to {kind['maximum']:.0f}"


def _section(message: Any, words: Words) -> list[str]:
    retained = "retained" if message.retained else "never retained"
    lines = [
        f"### `{message.topic}`",
        "",
        words.above(message.topic),
        "",
        f"From the {message.sender}, {retained}, QoS {message.qos}, at most {message.size} bytes.",
        "",
        "| field | what it holds | meaning |",
        "| --- | --- | --- |",
    ]
    for field, kind, limit in contract.fields_of(message.topic):
        holds = _kind(kind, limit) + (", or null: unknown" if field.endswith("?") else "")
        lines.append(f"| `{field.rstrip('?')}` | {holds} | {words.of_field(message.topic, field)} |")
    return lines


def _kind(kind: Any, limit: Any) -> str:
    if kind == contract.INT:
        return f"whole number, {limit[0]} to {limit[1]}"
    if type(kind) is tuple:
        return "one of " + ", ".join(f"`{word}`" for word in kind)
    return {
        contract.FLAG: "true or false",
        contract.TEXT: f"text, at most {limit} characters",
        contract.NUMBERS: f"object of at most {limit} names, each with a whole number or null",
        contract.ITEMS: f"array of at most {limit}",
    }[kind]


def _anchor(title: str) -> str:
    """The anchor a heading gets: lower case, letters, digits and hyphens."""
    return "".join(letter for letter in title.lower() if letter.isalnum() or letter in "-_")


class Words:
    """The comments of the contract's source, by the row they belong to."""

    def __init__(self, source: str) -> None:
        self.comments: dict[int, str] = {}  # by line
        self.alone: set[int] = set()  # lines that hold nothing but a comment
        self.texts: dict[int, str] = {}  # the last string that begins on a line
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            line = token.start[0]
            if token.type == tokenize.STRING:
                self.texts[line] = ast.literal_eval(token.string)
            elif token.type == tokenize.COMMENT:
                self.comments[line] = token.string.lstrip("# ")
                if not token.line[: token.start[1]].strip():
                    self.alone.add(line)
        self.assigned = {
            node.targets[0].id: node
            for node in ast.parse(source).body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        tables = ("MESSAGES", "INPUTS", "PANELS", "CONCLUSIONS", "HOUSEKEEPING")
        table = [row for name in tables for row in _members(self.assigned[name].value)]
        self.rows: dict[str, int] = {}  # topic → line of its message
        self.fields: dict[tuple[str, str], int] = {}  # topic, field → line of its row
        for row in table:
            parts = row.args if isinstance(row, ast.Call) else _members(row)
            topic = ast.literal_eval(parts[0])
            self.rows[topic] = row.lineno
            self.fields |= {(topic, name): line for name, line in self._fields(parts[-1], row.lineno)}

    def _fields(self, node: ast.expr, after: int) -> list[tuple[str, int]]:
        """(name, line) of each field in an expression like `("state ...;") + READING`."""
        if isinstance(node, ast.BinOp):
            return self._fields(node.left, after) + self._fields(node.right, after)
        if isinstance(node, ast.Name):
            assignment = self.assigned[node.id]
            return self._fields(assignment.value, assignment.lineno)
        assert node.end_lineno
        lines = [
            line for line in range(node.lineno, node.end_lineno + 1) if line in self.texts and line > after
        ]
        return [(self.texts[line].split()[0], line) for line in lines]

    def numbers(self) -> list[tuple[str, int, int]]:
        """(name, value, line) of each number the contract sets, in its order."""
        return [
            (name, getattr(contract, name), node.lineno)
            for name, node in self.assigned.items()
            if type(getattr(contract, name, None)) is int
        ]

    def behind(self, line: int, what: str) -> str:
        """The remark at the end of a line."""
        if line not in self.comments or line in self.alone:
            raise Undocumented(
                f"the contract, line {line}: {what} has no remark behind it that says what it is"
            )
        return self.comments[line].replace("|", "\\|")

    def of_field(self, topic: str, field: str) -> str:
        return self.behind(self.fields[topic, field], f"'{field}' of {topic}")

    def above(self, topic: str) -> str:
        """The comment lines right above a message's row."""
        line = self.rows[topic]
        found: list[str] = []
        while line - 1 in self.alone:
            line -= 1
            found.insert(0, self.comments[line])
        if not found:
            raise Undocumented(
                f"the contract, line {line}: {topic} has no comment above it that says what it is for"
            )
        return " ".join(found)


def _members(node: ast.expr) -> list[ast.expr]:
    assert isinstance(node, ast.Tuple)
    return node.elts


def main(arguments: list[str]) -> int:
    """Writes the pages, or with `--check` says which are not what they should be."""
    old = 0
    for path, text, source in (
        (PAGE, page(), "firmware/contract.py says"),
        (boards_page.PAGE, boards_page.page(), "boards/definitions/ and boards/chips/ say"),
        (command_table.PAGE, command_table.page(), "the table of commands says"),
    ):
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"docs/{path.name} is not what {source}: run `make docs`", file=sys.stderr)
            old = 1
    return old


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Undocumented, DefinitionError) as error:
        sys.exit(str(error))
