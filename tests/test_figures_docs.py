"""docs/figures.md says what the code does: every name, every word, every formula and every worked example."""

from __future__ import annotations

import random
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from firmware import contract
from gateway import erlang, export, replay, store
from gateway.queues import figures, translate
from gateway.queues.totals import COUNTED, RATES, SERVICE_LEVEL, Formula, Totals
from gateway.walls import NUMBERS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
WORDS = (ROOT / "gateway" / "web" / "static" / "words" / "words_en.js").read_text(encoding="utf-8")

FORMULAS = {**SERVICE_LEVEL, **RATES}


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/figures.md has no '## {title}'"
    return found[1]


def table(title: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def column(number: int) -> list[str]:
    """The names in one column of the first table."""
    return [name for row in table("Where each figure is found") for name in names(row[number])]


def formula_rows() -> dict[str, list[str]]:
    """The rows of both tables of formulas, by name."""
    return {
        names(row[0])[0]: row[1:] for title in ("Service level", "The other rates") for row in table(title)
    }


# ---- names ----


def test_every_figure_has_its_row() -> None:
    fields = [name.rstrip("?") for name, kind, _ in contract.fields_of("queue/+/now") if kind == contract.INT]
    assert sorted(column(2)) == sorted(fields)
    assert sorted(column(3)) == sorted(NUMBERS)
    assert sorted(column(4)) == sorted(export.COLUMNS)
    assert sorted(column(5)) == sorted(("queue", *replay.COLUMNS))


def test_the_page_calls_the_figures_what_they_are_called_here() -> None:
    block = re.search(r"figure: \{(.*?)\}", WORDS, re.DOTALL)
    assert block
    on_page = dict(re.findall(r'(\w+): "([^"]+)"', block[1]))
    assert len(on_page) == 12
    here = {names(row[2])[0]: row[1] for row in table("Where each figure is found") if names(row[2])}
    assert {field: here[field] for field in on_page} == on_page
    for name, field in (
        ("waiting", "waiting"),
        ("oldest", "oldest_wait_s"),
        ("service_level", "service_level_pct"),
    ):
        assert f'{name}: "{here[field]}"' in WORDS


def test_everything_counted_is_explained_in_order() -> None:
    rows = table("What is counted")
    assert [names(row[0])[0] for row in rows] == list(COUNTED)
    assert all(len(row[1]) > 15 for row in rows)


# ---- formulas ----


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_has_the_codes_words_source_and_needs(name: str) -> None:
    words, _, needs, source, *_ = formula_rows()[name]
    assert (words, source) == (FORMULAS[name].words, FORMULAS[name].source)
    assert sorted(names(needs)) == sorted(FORMULAS[name].needs)


def test_no_formula_is_made_up() -> None:
    assert list(formula_rows()) == list(FORMULAS)


def some_totals(dice: random.Random) -> Totals:
    """Totals as they could be: parts are no larger than their whole, and now and then nothing has happened."""

    def up_to(most: int) -> int:
        return dice.choice((0, most, dice.randint(0, most)))

    answered, abandoned, timed_out = up_to(1000), up_to(200), up_to(50)
    lost_within = up_to(abandoned + timed_out)
    completed = up_to(answered)
    return Totals(
        joined=answered + abandoned + timed_out + up_to(9), answered=answered, answered_within=up_to(answered),
        answered_wait_s=answered * dice.uniform(0, 90), abandoned=abandoned, timed_out=timed_out,
        lost_within=lost_within, lost_short=up_to(lost_within), left_by_key=up_to(20), left=up_to(20),
        vanished=up_to(20), completed=completed, talk_s=completed * dice.uniform(1, 400),
        longest_wait_s=dice.uniform(0, 7000), handling_s=up_to(90_000), available_s=up_to(90_000),
        seen_s=up_to(86_400),
    )  # fmt: skip


def reckoned(text: str, totals: Totals) -> float | None:
    """What a formula of the page comes to; None where it divides by nothing."""
    assert re.fullmatch(r"[a-z_ +/()-]+", text), f"no formula: {text}"
    try:
        value: float = eval(text, {"__builtins__": {}}, asdict(totals))
    except ZeroDivisionError:
        return None
    return value


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_on_the_page_comes_to_what_the_code_comes_to(name: str) -> None:
    seed = random.SystemRandom().randrange(10**9)
    print("seed", seed)
    dice = random.Random(seed)
    text = names(formula_rows()[name][1])[0]
    outcomes = set()
    for _ in range(2000):
        totals = some_totals(dice)
        value, expected = reckoned(text, totals), FORMULAS[name].value(totals)
        assert value == (None if expected is None else pytest.approx(expected)), totals
        outcomes.add(value is None)
    assert outcomes == {True, False}  # there were totals of which it is a figure, and of which it is none


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_needs_what_is_in_it_and_no_more(name: str) -> None:
    """Time-outs alone may be untold: they are then among the abandoned."""
    formula: Formula = FORMULAS[name]
    text = names(formula_rows()[name][1])[0]
    assert set(re.findall(r"[a-z_]+", text)) - {"timed_out"} == set(formula.needs)
    told = Totals(**dict.fromkeys(COUNTED, 1))  # type: ignore[arg-type]  # none of them is `untold`
    for count in COUNTED:
        known = formula.value(told, frozenset({count})) is not None
        assert known == (count not in formula.needs), count


def test_the_worked_example_comes_out() -> None:
    given = dict(re.findall(r"`(\w+)` = (\d+)", section("Service level")))
    assert given == {
        "answered": "1000", "answered_within": "860", "abandoned": "60", "lost_within": "20", "lost_short": "10",
    }  # fmt: skip
    totals = Totals(**{name: int(number) for name, number in given.items()})  # type: ignore[arg-type]
    shown = {name: row[-1] for name, row in formula_rows().items() if name in SERVICE_LEVEL}
    assert shown == {
        name: f"{(formula.value(totals) or 0) * 100:.1f} %" for name, formula in SERVICE_LEVEL.items()
    }
    # ICMI's own results, to the tenth of a per cent.
    assert list(shown.values()) == ["83.0 %", "86.0 %", "81.1 %", "82.7 %", "82.1 %"]


# ---- desks needed, and the numbers in the text ----


def test_the_examples_of_desks_needed_come_out() -> None:
    rows = table("Desks needed")
    assert len(rows) >= 5
    for calls, mean, target, desks in rows:
        share, within_s = re.findall(r"\d+", target)
        per_s, aht_s = int(calls) / 1800, int(mean.removesuffix(" s"))
        assert erlang.desks_needed(per_s, aht_s, int(within_s), int(share) / 100) == int(desks), calls
    level = erlang.service_level(360 / 1800 * 240, 55, 15, 240)
    assert f"55 desks: {level * 100:.1f} % in 15 s" in PAGE


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    needed = section("Desks needed")
    assert f"the last {figures.RECENT_MIN} minutes" in needed
    assert f"seen for {figures.RECENT_LEAST_S / 60:g} minutes" in needed
    assert f"more than {store.UNSEEN_S:g} s of a" in section("How things are counted")
    assert f"within {translate.GRACE_S * 1000:g} ms" in section("What Asterisk cannot tell")
    for name in translate.UNTOLD:
        assert f"`{name}` is unknown" in section("What Asterisk cannot tell").replace("\n", " ").replace(
            "  ", " "
        )


def test_every_link_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-"))
        for title in re.findall(r"^## (.+)$", PAGE, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (ROOT / "docs" / target).exists(), target
