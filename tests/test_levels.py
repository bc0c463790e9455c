"""Numbers turn amber and red only when it lasts, never flicker, and walls hear of it with the values."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import floorplan
from firmware import values
from gateway.floor import Floor
from gateway.levels import NEVER, Level, Levels, Rule, WaitLevel
from gateway.queues import events
from gateway.walls import Walls

START_S = 200_000.0


def plan(levels: dict[str, Any] | None = None, walls: int = 1, **more: Any) -> floorplan.Plan:
    queue = {"id": "polski", "name": "Polski", "pbx": "polski", "levels": levels or {}}
    wall = {"board": "w", "panel": {"kind": "memory"}, "pages": [{"queue": "polski"}]}
    return floorplan.check({
        "site": {"id": "house"}, "queue": [queue], "board": [{"id": "w"}],
        "wall": [{"id": f"wall-{number}", **wall, **more} for number in range(walls)],
    }, "test", Path("/"))  # fmt: skip


# What a number does: so many seconds later it is this. Unknown now and then.
NUMBERS = st.lists(
    st.tuples(st.sampled_from([0.25, 0.5, 1, 3, 4.5, 9, 10, 60]), st.none() | st.integers(0, 14)), max_size=40
)
RULES = st.builds(
    lambda low, first, more, for_s, hold_s, back: Rule(
        first + more * low, first + more * (not low), low, for_s, hold_s, back
    ),
    st.booleans(), st.integers(1, 8), st.integers(0, 5), st.sampled_from([0, 1, 5]),
    st.sampled_from([0, 4, 10]), st.integers(0, 3),
)  # fmt: skip

History = list[tuple[float, int | None]]  # from when, what


def run(level: Level | WaitLevel, told: History) -> list[tuple[float, int]]:
    """(when, level) at each change, looked at when something is told and whenever it asks for it."""
    changes, now_s, due_s, number = [(0.0, 0)], 0.0, NEVER, None
    end_s = (told[-1][0] if told else 0.0) + 1000

    def look(at_s: float) -> float:
        due_s = level.see(number, at_s)
        assert due_s > at_s, "it asks to be looked at for ever"
        if level.level != changes[-1][1]:
            changes.append((at_s, level.level))
        return due_s

    for at_s, number_then in [*told, (end_s, None)]:
        while due_s < at_s:
            now_s = due_s
            due_s = look(now_s)
        if at_s < end_s:
            number = number_then
            due_s = look(at_s)
    return changes


def history(steps: list[tuple[float, int | None]]) -> History:
    at_s, told = 0.0, []
    for seconds, number in steps:
        at_s += seconds
        told.append((at_s, number))
    return told


def always(told: History, holds: Callable[[int | None], bool], from_s: float, to_s: float) -> bool:
    """Whether it held all the time: what stood at from_s, and all that came since."""
    stood = [number for at_s, number in told if at_s <= from_s][-1:]
    came = [number for at_s, number in told if from_s < at_s < to_s]
    return from_s >= 0 and all(holds(number) for number in [*stood, *came])


@given(RULES, NUMBERS)
def test_a_level_comes_and_goes_only_when_it_lasts(rule: Rule, steps: list[tuple[float, int | None]]) -> None:
    told = history(steps)
    changes = run(Level(rule), told)
    for reach, threshold in ((1, rule.amber), (2, rule.red)):

        def bad(number: int | None, threshold: int = threshold) -> bool:
            return number is not None and (number <= threshold if rule.low else number >= threshold)

        def good(number: int | None, threshold: int = threshold) -> bool:
            far = threshold + rule.back + 1 if rule.low else max(threshold - rule.back, 1) - 1
            return number is not None and (number >= far if rule.low else number <= far)

        unknown = {at_s for at_s, number in told if number is None}
        on_s = None
        for (_, before), (at_s, now) in itertools.pairwise(changes):
            if before < reach <= now:
                assert always(told, bad, at_s - rule.for_s, at_s), "it rose too soon"
                on_s = at_s
            if now < reach <= before and at_s not in unknown:
                assert always(told, good, at_s - rule.hold_s, at_s), "it fell too soon"
                assert on_s is not None and at_s - on_s >= rule.hold_s, "it flickers"
        if told:  # and it does come, and does go
            assert (changes[-1][1] >= reach) == bad(told[-1][1]) or not (
                bad(told[-1][1]) or good(told[-1][1])
            )


WAITS = st.lists(
    st.tuples(st.sampled_from([0.5, 1, 3, 7, 9.5, 15, 40]), st.none() | st.integers(-1, 50)), max_size=30
)


@given(st.integers(1, 40), st.sampled_from([0, 4, 10]), WAITS)
def test_a_wait_is_red_at_once_and_for_a_moment_longer(
    red: int, hold_s: int, steps: list[tuple[float, int | None]]
) -> None:
    """A step: so much later the oldest has waited so long already; -1: nobody waits."""
    at_s, told = 1000.0, []
    for seconds, waited in steps:
        at_s += seconds
        told.append((at_s, waited if waited is None or waited < 0 else int(at_s) - waited))
    rule = Rule((red + 1) // 2, red, False, 0, hold_s, 0)
    changes = run(WaitLevel(rule), told)

    right_s = -1000.0  # when it was last red by itself
    for number, (since_told_s, since_s) in enumerate(told):
        until_s = told[number + 1][0] if number + 1 < len(told) else since_told_s + 100
        moment_s = since_told_s
        while moment_s < until_s:
            waited_s = -1 if since_s is None or since_s < 0 else int(moment_s) - since_s
            held = [level for at_s, level in changes if at_s <= moment_s][-1]
            shown = max(held, (waited_s >= rule.amber) + (waited_s >= red))  # as firmware/scene.py draws it
            if waited_s < 0 or waited_s < rule.amber - min(hold_s, rule.amber // 2):
                assert shown == 0
            elif waited_s < red - min(hold_s, red // 2):
                assert shown < 2
            elif waited_s < red:
                lately = moment_s - right_s
                assert (shown < 2) if lately > hold_s + 1 else (shown == 2 or lately >= hold_s)
            if waited_s >= red:
                right_s = moment_s
            elif waited_s < red - min(hold_s, red // 2):
                right_s = -1000.0  # it was another time
            moment_s += 0.25
        if since_s is not None and 0 <= since_s <= int(until_s) - red:
            right_s = until_s  # until the very moment


def shown(level: WaitLevel, since_s: int, now_s: float) -> int:
    """What a wall shows: the level it is told, or its own where that is higher."""
    waited_s = int(now_s) - since_s
    return max(level.level, (waited_s >= level.rule.amber) + (waited_s >= level.rule.red))


def test_a_wait_held_red_is_let_go_though_one_caller_follows_the_other() -> None:
    """Each is answered just under the target: red was right once, and is not for ever."""
    level = WaitLevel(Rule(10, 20, False, 0, 10, 0))
    level.see(100, 120)
    for now_s in range(121, 140):
        level.see(now_s - 15, now_s)
        assert shown(level, now_s - 15, now_s) == (2 if now_s < 131 else 1), now_s
    level.see(-1, 140)
    assert level.level == 0


def test_the_next_caller_a_little_younger_leaves_the_wall_as_it_is() -> None:
    level = WaitLevel(Rule(10, 20, False, 0, 10, 0))
    assert level.see(100, 101) == NEVER  # the wall turns it red by itself: nothing is told for that
    assert level.see(106, 122.5) == 132.5
    assert level.level == 2  # 16 s: red again in four
    for now_s in (124.0, 126.0, 130.0, 132.5, 160.0):
        level.see(106, now_s)
        assert shown(level, 106, now_s) == 2
    assert level.level == 0
    level.see(156, 160.5)
    assert level.level == 0  # 4 s: that is another time


def words(walls: Walls, now_s: float) -> list[str]:
    """The numbers' words, without the first: when they were taken."""
    told: str = walls.values(now_s)["n"]
    return told.replace("+", " +").replace("!", " !").split()[1:]


def test_levels_stand_in_the_values_and_count_their_seq_up() -> None:
    site = plan({"waiting": [2, 3], "free_below": [2, 1], "for_s": 5, "hold_s": 10})
    floor, walls = Floor(site, START_S), Walls(site)
    queue = floor.queues["polski"]
    floor.hear_broker("", START_S)
    floor.hear_source("asterisk", events.Waiting("polski", ()), START_S)
    floor.hear_source("asterisk", events.Back(), START_S)
    queue.counts["free"] = 1
    assert walls.refresh({"polski"}, floor, START_S) and walls.seq == 1
    assert words(walls, START_S) == ["0", "-", "1"]
    assert not walls.look(START_S + 4.9)
    assert walls.look(START_S + 5) and walls.seq == 2
    assert words(walls, START_S + 5) == ["0", "-", "+1"]
    queue.counts["free"] = 0

    for number in range(3):
        joined = events.Joined("polski", number, START_S + 10, b"%d" % number)
        floor.hear_source("asterisk", joined, START_S + 10)
    assert walls.refresh({"polski"}, floor, START_S + 10)
    assert words(walls, START_S + 10) == ["3", "0", "+0"]
    assert walls.look(START_S + 15) and not walls.look(START_S + 15.1)
    assert words(walls, START_S + 15) == ["!3", "5", "!0"]
    assert not walls.look(START_S + 35)  # the wall itself has turned the wait red
    told = values.read({"n": walls.values(START_S + 35)["n"], "of": ""})
    assert (told.values, told.levels) == ([3, 25, 0], [2, 0, 2])
    seq = walls.seq

    # The oldest is answered; the next one has waited 18 s, and is red in two.
    floor.hear_source(
        "asterisk", events.Waiting("polski", ((7, START_S + 17), (8, START_S + 20))), START_S + 35
    )
    assert walls.refresh({"polski"}, floor, START_S + 35) and walls.seq == seq + 1
    assert words(walls, START_S + 35) == ["!2", "!i", "!0"]
    assert walls.look(START_S + 45) and words(walls, START_S + 45) == ["!2", "s", "!0"]
    seq = walls.seq

    floor.hear_source("asterisk", events.Away("gone"), START_S + 31)
    assert walls.refresh({"polski"}, floor, START_S + 31) and walls.seq == seq + 1
    assert words(walls, START_S + 31) == ["?", "?", "?"]
    assert not walls.look(START_S + 1000)


def test_without_levels_nothing_is_told_and_nothing_looked_for() -> None:
    levels = Levels(plan(), ["polski.waiting", "polski.wait", "polski.free"])
    numbers = {"polski.waiting": 999, "polski.wait": int(START_S), "polski.free": 0}
    for now_s in (START_S, START_S + 500):
        assert not levels.see(numbers, numbers, now_s)
        assert [levels.of(name) for name in numbers] == [0, 0, 0]
        assert levels.due_s == NEVER


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (
            {"waiting": [12, 6]},
            "queue[1].levels: waiting is amber, then red: the first number is not the larger one",
        ),
        ({"free_below": [1, 2]}, "free_below is amber, then red: the first number is not the smaller one"),
        ({"waiting": [0, 6]}, "queue[1].levels.waiting[1]: is 1 or more"),
        ({"waiting": 6}, "queue[1].levels.waiting: is a list"),
        ({"hold_s": 601}, "queue[1].levels.hold_s: is 600 or less"),
        ({"holds": 5}, "queue[1].levels.holds: unknown key; did you mean 'hold_s'?"),
    ],
)
def test_levels_that_cannot_be_are_told(levels: dict[str, Any], words: str) -> None:
    with pytest.raises(floorplan.SiteError) as error:
        plan(levels)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("levels", "what", "bad", "good"),
    [
        ({"waiting": [1, 5]}, "waiting", 1, 0),
        ({"waiting": [1, 1], "back": 1}, "waiting", 3, 0),
        ({"waiting": [3, 6], "back": 2}, "waiting", 6, 0),
        ({"free_below": [2, 1]}, "free", 0, 2),  # of a queue with two desks
        ({"free_below": [3, 1], "back": 10}, "free", 0, 3),
    ],
)
def test_a_level_ends_when_nobody_waits_and_when_all_desks_are_free(
    levels: dict[str, Any], what: str, bad: int, good: int
) -> None:
    name = f"polski.{what}"
    seen = Levels(plan(levels), [name])
    for at_s in (0, 6):
        seen.see([name], {name: bad}, START_S + at_s)
    assert seen.of(name) > 0
    for at_s in (7, 18):
        seen.see([name], {name: good}, START_S + at_s)
    assert seen.of(name) == 0
